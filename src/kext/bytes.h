/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * bytes.h - what the files of this folder share about bytes; the rest is in kext.h.
 */
#ifndef CROFT_KEXT_BYTES_H
#define CROFT_KEXT_BYTES_H

#include "kext/kext.h"

/* A new memfd that can be sealed; the caller closes it. */
int bytes_memfd(struct croft_error *err);
/* As kext_read_sealed(), into `to`. */
int bytes_copy(int from, int to, struct croft_error *err);
/* The SHA-256 of a file from its beginning, by pread(2).  -EFBIG: it has no end before KEXT_FILE_MAX. */
int bytes_hash(int fd, char sha256[KEXT_SHA256_LENGTH + 1], uint64_t *ret_size, struct croft_error *err);
/* By pread(2), from their beginnings.  false also where they can't be read. */
bool bytes_are_same(int a, int b);
/* hex has room for 2 * n + 1. */
void bytes_hex(const unsigned char *bytes, size_t n, char *hex);

#endif
