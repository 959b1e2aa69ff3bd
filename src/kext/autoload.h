/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * autoload.h - what partitions make the kernel load by itself (modprobe for a socket family, a kind of link, a cipher):
 * it is refused in the kernel, and what was refused is handed to croftd, which puts it on record (C-14).
 *
 * The objects are pinned and outlive croftd: they refuse, and keep what is to be told, while there is none.
 */
#ifndef CROFT_KEXT_AUTOLOAD_H
#define CROFT_KEXT_AUTOLOAD_H

#include "kext/autoload.bpf.h"

#include <croft/error.h>
#include <stdbool.h>
#include <stdint.h>

struct autoload;
struct plane;

/* Does this kernel load modules at all?  If not, nothing here is needed. */
bool autoload_is_needed(void);
/* Loads the objects into the plane (borrowed, for the life of *ret), in the place of those of the croftd before; the
 * caller frees *ret.  Where it isn't needed: 0, and *ret is NULL.  -EOPNOTSUPP, -EPERM: this
 * kernel can't, or takes no trampolines. */
int autoload_open(struct plane *plane, struct autoload **ret, struct croft_error *err);
struct autoload *autoload_free(struct autoload *a); /* lets go; what is pinned stays */
void autoload_freep(struct autoload **a);
/* Takes the objects away, for a clean end without partitions. */
int autoload_remove(struct autoload *a, struct croft_error *err);

/* Readable when there is something to tell.  Its own. */
int autoload_fd(const struct autoload *a);
/* Calls f for each since the last time: each alias once in a run of a partition, AUTOLOAD_TOLD in all and one that says
 * that there are more.  By one thread at a time. */
void autoload_read(const struct autoload *a, void (*f)(void *context, const struct autoload_ask *ask), void *context);
/* From now on the partition's are told again. */
void autoload_forget(const struct autoload *a, uint64_t partition);

/* In words, escaped: one that was refused, and one that was let go.  Pure. */
void autoload_say(const struct autoload_ask *ask, struct croft_error *ret);
#define AUTOLOAD_NOTE (4 * AUTOLOAD_ALIAS + 80)
void autoload_note(const struct autoload_ask *ask, char ret[AUTOLOAD_NOTE]);

#endif
