/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * guard.h - runs a program that must not outlive the store (mmdebstrap): in a pid namespace that dies with its caller,
 * with the folder of descriptor 3 as its /tmp.
 */
#ifndef CROFT_IMAGE_GUARD_H
#define CROFT_IMAGE_GUARD_H

/* parent: the caller's pid, decimal.  Returns the exit status for main(): the program's, 128 + signal, 125 own
 * failure. */
int guard_main(const char *parent, char **argv);

#endif
