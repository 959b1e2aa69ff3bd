/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * pinned.h - runs programs that are pinned in a bpffs, by bpf(2), with nothing but the C library: libkstat must load
 * anywhere.  No privilege is needed to run one, only its pin in sight.
 */
#ifndef CROFT_BASE_PINNED_H
#define CROFT_BASE_PINNED_H

#include <stddef.h>

/* A pinned program or map, to be read or run only: a descriptor that the caller closes, or a negative errno of bpf(2).
 */
int pinned_open(const char *directory, const char *name);

/* Runs a SYSCALL program with that context, in and out.  0: *ret is what it returned, 0 or a negative errno (-EIO for
 * what is neither).  Else why it couldn't be run, which says nothing about the call. */
int pinned_run(int program, void *context, size_t size, int *ret);

/* Where croft's programs are: $CROFT_KSTAT; else bpf/programs beside $CROFT_SOCKET, if it is there; else
 * /run/croft/programs, where a partition has them; else /run/croft/bpf/programs.  The environment isn't believed in a
 * program that is more than its caller. A new string; NULL: no memory. */
char *pinned_programs(void);

/* bpf(2): its result, or a negative errno. */
union bpf_attr;
int pinned_bpf(int command, union bpf_attr *attr);

#endif
