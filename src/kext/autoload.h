/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * autoload.h - what partitions make the kernel load by itself (modprobe for a socket family, a kind of link, a cipher):
 * it is refused in the kernel, and what was refused is handed to croftd, which puts it on record (C-14).  What a
 * partition is granted is let go, and the modprobe that the kernel starts then waits for croftd, which loads it.
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
/* Calls f for each since the last time: what waits each time, else each alias once in a run of a partition,
 * AUTOLOAD_TOLD in all and one that says that there are more.  By one thread at a time. */
void autoload_read(const struct autoload *a, void (*f)(void *context, const struct autoload_ask *ask), void *context);
/* From now on the partition's are told again. */
void autoload_forget(const struct autoload *a, uint64_t partition);

/* --- what is granted --- */

/* By which names the kernel may look for something because of a partition; "": for all that partition 0 has here. */
struct autoload_names {
        char (*list)[AUTOLOAD_ALIAS];
        size_t n, room;
        size_t n_sorted; /* of these the first are */
};
void autoload_names_done(struct autoload_names *names);
/* One more, with '-' as '_'; what is longer is left out.  -ENOMEM. */
int autoload_names_add(struct autoload_names *names, const char *alias);
/* In the place of those in *held, which then are those of `wanted` that the kernel has taken; what both have stays
 * paused.  -ENOSPC: not all of them.  By one thread at a time, as the next. */
int autoload_allow(const struct autoload *a, uint64_t partition, struct autoload_names *held,
        struct autoload_names *wanted, struct croft_error *err);
/* That name isn't let go for that partition for ms from now on. */
void autoload_pause(
        const struct autoload *a, uint64_t partition, struct autoload_names *held, const char *alias, unsigned int ms);
void autoload_pause_all(
        const struct autoload *a, uint64_t partition, const struct autoload_names *held, unsigned int ms);
/* Lifts the pauses that last no longer than 2 s from now. */
void autoload_resume(const struct autoload *a, uint64_t partition, const struct autoload_names *held);
bool autoload_names_has(const struct autoload_names *names, const char *alias);
/* Takes away the names that keep() doesn't want; alias: AUTOLOAD_ALIAS bytes, NUL-filled. */
void autoload_sweep(
        const struct autoload *a, bool (*keep)(void *context, uint64_t partition, const char *alias), void *context);

/* From now on what is granted is let go, until autoload_rest(), or the end of this process, however that comes.  What
 * isn't stopped by then is ended by the kernel's side; what waited for an earlier croftd was ended by autoload_open().
 */
int autoload_serve(struct autoload *a, struct croft_error *err);
void autoload_rest(struct autoload *a); /* and ends what waits; any number of times */

/* What the calling thread has the kernel load between these is for that partition, and what the kernel looks for then
 * is told as made by croft for it. */
void autoload_loading(const struct autoload *a, uint64_t partition);
void autoload_loaded(const struct autoload *a);

/* A modprobe that waits for croftd. */
struct autoload_wait {
        uint64_t partition;
        unsigned int place;
        uint64_t pid;
        int64_t age_ms; /* since it was started */
        int pidfd;
        char alias[AUTOLOAD_ALIAS + 1]; /* as the kernel asked; parts of it the partition chose */
};
bool autoload_is_one_waiting(const struct autoload *a); /* for whatever partition */
/* By any thread: the next of a partition from *place on (at first 0), whose descriptor autoload_go() closes; false: no
 * more. */
bool autoload_next(struct autoload *a, uint64_t partition, unsigned int *place, struct autoload_wait *ret);
/* Has it go on, or, with `load` false, end; when this returns it has ended, and with it what the kernel waited for. */
void autoload_go(struct autoload *a, struct autoload_wait *wait, bool load);

/* In words, escaped: one that was refused, and one that was let go.  Pure. */
void autoload_say(const struct autoload_ask *ask, struct croft_error *ret);
#define AUTOLOAD_NOTE (4 * AUTOLOAD_ALIAS + 80)
void autoload_note(const struct autoload_ask *ask, char ret[AUTOLOAD_NOTE]);

#endif
