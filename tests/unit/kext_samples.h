/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * kext_samples.h - extensions as they are stored: those of the fuzz corpus.
 */
#ifndef CROFT_TESTS_KEXT_SAMPLES_H
#define CROFT_TESTS_KEXT_SAMPLES_H

#include "base/cleanup.h"
#include "base/fd.h"
#include "kext/decode.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SAMPLES GOLDEN "/../../fuzz/corpus/kext/"

/* The caller frees it. */
static inline char *read_sample(const char *name, size_t *ret_size)
{
        char path[4096], *data = NULL;

        (void)snprintf(path, sizeof(path), SAMPLES "%s", name);
        assert_int_equal(fd_read_file(AT_FDCWD, path, 1 << 20, &data, ret_size), 0);
        return data;
}

/* One bit off, each step bits: it is refused, and then nothing is said of it, or read. */
static inline void walk_bits(const char *name, const char *file, size_t step)
{
        size_t size;
        _cleanup_free_ char *data = read_sample(name, &size);

        for (size_t bit = 0; bit < 8 * size; bit += step) {
                struct kext_identity identity = {.name = "untouched"};

                data[bit / 8] ^= (char)(1 << bit % 8);
                if (decode(data, size, file, &identity, NULL) < 0)
                        assert_string_equal(identity.name, "untouched");
                else
                        assert_true(identity.name[0] && strcmp(identity.name, "untouched") != 0);
                data[bit / 8] ^= (char)(1 << bit % 8);
        }
}

#endif
