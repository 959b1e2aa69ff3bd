/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * view_id.h - a keyed hash (SipHash-2-4 of 128 bits): ids of a partition that come from ids of the host and don't tell
 * them.
 */
#ifndef CROFT_KSTAT_VIEW_ID_H
#define CROFT_KSTAT_VIEW_ID_H

#include <stddef.h>
#include <stdint.h>

void view_hash(const uint64_t key[2], const void *data, size_t size, uint64_t ret[2]);

#endif
