/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 *
 * bits.bpf.h - for programs that look for a free bit.
 */
#ifndef CROFT_PLANE_BITS_BPF_H
#define CROFT_PLANE_BITS_BPF_H

#include <linux/types.h>

/* The number of the one bit that is set, by a de Bruijn sequence: compilers have no __builtin_ctzll() for BPF, and to
 * the verifier each comparison would double the ways through. */
static inline __attribute__((always_inline)) __u32 bit_number(__u64 bit)
{
        static const __u8 numbers[64] = {0, 1, 48, 2, 57, 49, 28, 3, 61, 58, 50, 42, 38, 29, 17, 4, 62, 55, 59, 36, 53,
                51, 43, 22, 45, 39, 33, 30, 24, 18, 12, 5, 63, 47, 56, 27, 60, 41, 37, 16, 54, 35, 52, 21, 44, 32, 23,
                11, 46, 26, 40, 15, 34, 20, 31, 10, 25, 14, 19, 9, 13, 8, 7, 6};

        return numbers[bit * 0x03f79d71b4cb0a89 >> 58];
}

#endif
