/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fuzz.h - what a fuzz target is: one function over bytes.  libFuzzer calls it with what it invents (meson option
 * fuzz), replay.c with the files of its corpus.
 *
 * A target aborts when an invariant doesn't hold; it must not leak, and must end soon.
 */
#ifndef CROFT_TESTS_FUZZ_H
#define CROFT_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An assertion that a release build keeps, too. */
#define fuzz_require(condition)                                                                                        \
        do {                                                                                                           \
                if (!(condition)) {                                                                                    \
                        (void)fprintf(stderr, "%s:%d: doesn't hold: %s\n", __FILE__, __LINE__, #condition);            \
                        abort();                                                                                       \
                }                                                                                                      \
        } while (0)

#endif
