/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 *
 * calls.bpf.h - functions of the kernel that programs call: those that aren't helpers, and have no number of their own.
 *
 * A program calls a helper that there isn't, of a number that stands for the function; kernel/load.c puts the running
 * kernel's id of it there.  Declared to libbpf (__ksym) it would make that read all of the kernel's types, which costs
 * more than to load the program.  One that this kernel hasn't got may stand where it is never come to.
 */
#ifndef CROFT_KERNEL_CALLS_BPF_H
#define CROFT_KERNEL_CALLS_BPF_H

/* F(name): void name(one argument). */
#define KERNEL_CALLS(F)                                                                                                \
        F(css_rstat_flush)                                                                                             \
        F(cgroup_rstat_flush) /* its name until 6.15 */

#define KERNEL_CALL_FIRST 0x63726f00
#define KERNEL_CALL_NUMBER(name) KERNEL_CALL_##name,
enum kernel_call { KERNEL_CALL_BEFORE = KERNEL_CALL_FIRST - 1, KERNEL_CALLS(KERNEL_CALL_NUMBER) KERNEL_CALL_BEHIND };

#ifdef __bpf__
#define KERNEL_CALL(name, argument)                                                                                    \
        asm volatile("r1 = %[a]\n\tcall %[n]"                                                                          \
                     :                                                                                                 \
                     : [a] "r"(argument), [n] "i"(KERNEL_CALL_##name)                                                  \
                     : "r0", "r1", "r2", "r3", "r4", "r5", "memory")
#endif

#endif
