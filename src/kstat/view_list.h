/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * view_list.h - a list in memory that several processes share: one writer at a time, and readers that wait for nobody.
 *
 * Under a sequence counter, which is odd while the list is written: a reader that meets a writer is told so.  A writer
 * that died in the middle leaves it odd, and the next one goes on from there.  Everything is copied word by word with
 * relaxed atomics, between fences: what was read while somebody wrote is never looked at, only thrown away.  Zeros are
 * an empty list.
 */
#ifndef CROFT_KSTAT_VIEW_LIST_H
#define CROFT_KSTAT_VIEW_LIST_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What a list begins with; its items follow. */
struct view_list {
        uint32_t sequence, n;
};

/* Writes the whole list anew: n items of `size` bytes, a multiple of 8; of more than max only the first. */
void view_list_write(struct view_list *area, const void *items, size_t size, size_t n, size_t max);
/* The same by pwrite(2), where the list lies at `at` in a file that others have mapped: to map it for that alone takes
 * longer, and to unmap it stops all threads that run.  A negative errno: it may be left as by a writer that died. */
int view_list_write_at(int fd, off_t at, const void *items, size_t size, size_t n, size_t max);
/* Copies at most max items, which may be anything.  0; -EAGAIN: it is being written, also after a few tries. */
int view_list_read(
        const struct view_list *area, void *ret, size_t size, size_t max, size_t *ret_n, uint32_t *ret_sequence);

#endif
