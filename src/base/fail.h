/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fail.h - how the small tools say what is wrong.
 */
#ifndef CROFT_BASE_FAIL_H
#define CROFT_BASE_FAIL_H

#include <err.h>

/* A line on standard error, behind the name of the program that runs.  Its value is code, the exit status. */
#define FAIL(code, ...) (warnx(__VA_ARGS__), (code))

#endif
