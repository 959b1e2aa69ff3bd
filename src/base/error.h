/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * error.h - what an error is made of, for those who say it in another language.
 */
#ifndef CROFT_BASE_ERROR_H
#define CROFT_BASE_ERROR_H

#include "base/message.h"

#include <croft/error.h>

/* The format of fragment i (0 is the outermost), borrowed, and its arguments.  As croft_error_set() has it: in the
 * innermost one a dot at the end says that the text of the code doesn't follow.  NULL: there is only the text. */
const char *error_format(const struct croft_error *err, unsigned int i, struct message_args *ret);
/* For one that came from elsewhere: what its newest, outermost fragment was made of; copied.  What has no room is left
 * out. The caller has checked both (message_check(), message_args_valid()). */
void error_keep(struct croft_error *err, const char *format, const struct message_args *args);

#endif
