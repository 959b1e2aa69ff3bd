/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * allowed.h - the commands that another machine may run here: a table, and nothing beside it.
 */
#ifndef CROFT_REMOTE_ALLOWED_H
#define CROFT_REMOTE_ALLOWED_H

#include <stdbool.h>

/* Is this one of them, word for word?  Names and numbers in it are of a form that can be no option. */
bool allowed_command(char *const *words);

#endif
