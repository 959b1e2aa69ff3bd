/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * init_command.h - the `init` property as an argument vector.  Pure.
 */
#ifndef CROFT_PARTITION_INIT_COMMAND_H
#define CROFT_PARTITION_INIT_COMMAND_H

#include <stdbool.h>

#define INIT_CROFT "/run/croft/bin/croft-init" /* our own small init, as every partition sees it */
#define INIT_ROOTS "/sbin/init"                /* the root's */

/* Splits a command line into words at blanks; '...' and "..." keep blanks, \ keeps the next byte (not within '...').
 * A new vector in *ret (strv_free()); -EINVAL: an open quote, or no word. */
int init_words(const char *text, char ***ret);

/* What PID 1 executes: value is that of `init`, has_own_init whether the root has /sbin/init.  A new vector; -EINVAL or
 * -ENOMEM. */
int init_command(const char *value, bool has_own_init, char ***ret);

#endif
