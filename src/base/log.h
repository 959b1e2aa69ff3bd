/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * log.h - what the mains say, on standard error, as "<6>croftd: text" when the journal reads it (SD_JOURNAL prefix) and
 * "croftd: text" elsewhere.
 *
 * Libraries and systems don't log; they return errors.
 */
#ifndef CROFT_BASE_LOG_H
#define CROFT_BASE_LOG_H

#include <croft/error.h>

enum log_level {
        LOG_LEVEL_ERROR = 3,
        LOG_LEVEL_WARNING = 4,
        LOG_LEVEL_NOTICE = 5,
        LOG_LEVEL_INFO = 6,
        LOG_LEVEL_DEBUG = 7,
};

/* program is borrowed for ever; level: the least important that is still said. */
void log_open(const char *program, enum log_level level);
void log_say(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* One line: what happened, and the chain of *err. */
void log_error(enum log_level level, const struct croft_error *err, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

#endif
