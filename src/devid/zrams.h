/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * zrams.h - zram devices that are kept ready for partitions.
 *
 * The driver numbers its devices itself, the lowest number first, and whoever finds one without a size may take it
 * (zramctl --find does).  So croft makes as many as are granted before anybody asks for one, and gives each the size of
 * a page, which marks it as used.  Which ones are croft's: the numbers of family `zram` that aren't the machine's.
 */
#ifndef CROFT_DEVID_ZRAMS_H
#define CROFT_DEVID_ZRAMS_H

#include "devid/devid.bpf.h"

#include <croft/error.h>
#include <stdbool.h>
#include <stdint.h>

struct devid;

/* Numbers without a device are the machine's again.  devid.lock is held. */
int zrams_look(struct devid *d, struct croft_error *err);
/* Makes as many as are granted, removes those that nobody needs or has open.  -ENODEV: there is no driver. */
int zrams_balance(struct devid *d, struct croft_error *err);
/* What was in it is forgotten and its size is a page's again.  false: somebody has it open. */
bool zrams_clear(uint32_t number);

#endif
