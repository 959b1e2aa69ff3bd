/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * errors.h - the record of errors on its way to a reader: what the forms of `croft error print` share.
 */
#ifndef CROFT_CLI_ERRORS_H
#define CROFT_CLI_ERRORS_H

#include "cli.h"

#include <croft/errlog.h>

#define ERRORS_NO_BOOK UINT64_MAX /* instead of an id: nothing was ever recorded for this partition */

struct errors {
        struct croft_errlog_book book;
        struct croft_errlog_record *records; /* by number */
        size_t n;
};
void errors_done(struct errors *errors);

/* What a record says, escaped: valid UTF-8 that no terminal takes for a command.  A new string; NULL: no memory. */
char *errors_text(const struct croft_errlog_record *record);
/* The same for a field of one, or an argument (taken over, may be NULL). */
char *errors_escape(const char *text);
char *errors_argument(const struct croft_errlog_record *record, unsigned int i);
/* "2026-11-21T09:00:00.123Z". */
const char *errors_time(char *buf, size_t size, int64_t time_ns);

/* The record of errors that lies beside the socket that this croft speaks to: 0 or an exit status, the reason said. */
int errors_open(const struct cli *cli, struct croft_errlog **ret);
void errors_close(struct croft_errlog **log);
/* The book of that name ("global"); for a partition that has none yet an empty one with ERRORS_NO_BOOK.  0 or an exit
 * status; what: as for cli_fail(). */
int errors_find_book(
        struct cli *cli, struct croft_errlog *log, const char *name, const char *what, struct croft_errlog_book *ret);
/* A number from 1 on that an option gives; 0 if it isn't there.  0 or an exit status. */
int errors_parse_number(const struct cli_args *args, const char *option, uint64_t *ret);

/* Outermost first, each with its causes below it, indented; reverse: from the cause on.  Each record once. */
void errors_print_text(const struct cli *cli, FILE *f, const struct errors *errors, bool reverse);
/* One object, or one line for each record without the rest. */
json_t *errors_json(const struct errors *errors);
json_t *errors_record_json(const struct croft_errlog_record *record);
/* The document that docs/errors.xsd describes. */
void errors_print_xml(FILE *f, const struct errors *errors);

#endif
