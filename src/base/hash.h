/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * hash.h - FNV-1a of 64 bits: it spreads, and resists nobody.
 */
#ifndef CROFT_BASE_HASH_H
#define CROFT_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define HASH_BEGIN UINT64_C(0xcbf29ce484222325)

/* hash: HASH_BEGIN, or of what is in front of these bytes. */
static inline uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t size)
{
        const uint8_t *at = bytes;

        for (size_t i = 0; i < size; i++)
                hash = (hash ^ at[i]) * UINT64_C(0x100000001b3);
        return hash;
}

#endif
