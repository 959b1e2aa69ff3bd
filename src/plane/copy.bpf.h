/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 *
 * copy.bpf.h - for SYSCALL programs: their context can be read and written at constant places only, and no helper takes
 * a pointer to it, so that it is copied word by word.
 */
#ifndef CROFT_PLANE_COPY_BPF_H
#define CROFT_PLANE_COPY_BPF_H

#include <linux/types.h>

#define WORDS(type) (sizeof(type) / 8)

/* Words first to n - 1. */
#define COPY_SOME_WORDS(to, from, first, n)                                                                            \
        do {                                                                                                           \
                __u64 *to_ = (__u64 *)(void *)(to);                                                                    \
                const __u64 *from_ = (const __u64 *)(const void *)(from);                                              \
                                                                                                                       \
                _Pragma("unroll") for (int i_ = (first); i_ < (int)(n); i_++) * (volatile __u64 *)&to_[i_] =           \
                        *(const volatile __u64 *)&from_[i_];                                                           \
        } while (0)
#define COPY_WORDS(to, from, n) COPY_SOME_WORDS(to, from, 0, n)

#endif
