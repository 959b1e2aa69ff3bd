/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * errlog.h - what the files of the record of errors share: a message becomes a record.
 */
#ifndef CROFT_LIB_ERRLOG_H
#define CROFT_LIB_ERRLOG_H

#include "base/message.h"
#include "errlog/errlog.bpf.h"

#include <croft/errlog.h>

/* All but the arguments and the cause; a partition stays in the message. */
void errlog_fill(struct errlog_record *record, const struct croft_errlog_message *message, const char *format);
void errlog_fill_args(struct errlog_record *record, const struct message_args *args);
/* Writes it into that partition's book; *ret_seq (may be NULL) its number. */
int errlog_send(struct croft_errlog *log, uint64_t partition, const struct errlog_record *record, uint64_t *ret_seq);

#endif
