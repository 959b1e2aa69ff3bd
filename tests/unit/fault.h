/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fault.h - lets the nth allocation or system call of the code under test fail, for every n.
 *
 * The calls are caught by the linker (--wrap), so only those made by our own objects count, not those inside the C
 * library or the test framework.  A test adds `fault_dep` to its line in tests/unit/meson.build.  The counter is per
 * process; code under test that uses several threads needs another way.
 */
#ifndef CROFT_TESTS_FAULT_H
#define CROFT_TESTS_FAULT_H

#include <stdbool.h>
#include <stddef.h>

enum fault_kind {
        FAULT_ALLOCATION, /* malloc calloc realloc reallocarray strdup strndup asprintf vasprintf fdopendir: ENOMEM */
        FAULT_CALL,       /* open and openat, mkdirat, unlinkat, renameat, fstat, fsync, read, write, sendmsg, recvmsg,
                             socket,       bind, listen, connect, memfd_create: EIO */
};

/* From now on the nth (from 1) call of that kind fails, once. */
void fault_arm(enum fault_kind kind, unsigned int nth);
/* No more failures.  True when the armed one has happened. */
bool fault_disarm(void);

/* Calls run(context) again and again, with the first, the second, ... call of that kind failing, until one run meets no
 * failure.  run returns what the code under test returned (0 or above: success) and frees what it was given.  Checked
 * for each run: a failure is told (unless may_succeed, for code that has a second way), a run without one succeeds,
 * no descriptor is left open.  Leaks of memory are told by the sanitizer.  Returns the number of failures met. */
unsigned int fault_walk(enum fault_kind kind, bool may_succeed, int (*run)(void *context), void *context);

/* How many descriptors this process has open. */
size_t fault_count_fds(void);

#endif
