/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * ring.h - the log of a partition's console: the newest bytes in a file of fixed size, kept across the death of who
 * writes it.
 *
 * The file is a header (magic, size of the data, bytes ever written) and the data.  The writer is one warden; readers
 * copy.  What a killed writer leaves is at worst the loss of its last write.  A damaged header is taken for an empty
 * log; no field of it is trusted.
 */
#ifndef CROFT_PARTITION_RING_H
#define CROFT_PARTITION_RING_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define RING_SIZE_DEFAULT 262144
#define RING_SIZE_MAX 16777216
#define RING_FILE_MAX (RING_SIZE_MAX + 64) /* of the whole file, with its header */

struct ring {
        int fd;           /* borrowed, opened for reading and writing; -EBADF: nothing is kept */
        uint64_t written; /* bytes ever; position in the data is this modulo size */
        uint32_t size;    /* of the data */
};

/* Goes on with what the file holds, or begins anew with that size.  0 or a negative errno. */
int ring_open(struct ring *r, int fd, uint32_t size);

/* Appends; keeps the newest bytes.  0 or a negative errno (a full disk: the log has a hole, the console works). */
int ring_write(struct ring *r, const void *data, size_t size);

/* What the log in fd holds, oldest first, as a new buffer (caller frees; NULL when empty).  fd is any descriptor of the
 * file, its position isn't moved.  0 or a negative errno. */
int ring_copy(int fd, uint8_t **ret, size_t *ret_size);

#endif
