/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 *
 * kernel_messages.h - what the kernel's own recorders say: numbers and default texts of catalogue "croft".
 */
#ifndef CROFT_ERRLOG_KERNEL_MESSAGES_H
#define CROFT_ERRLOG_KERNEL_MESSAGES_H

/* Messages of croft's own that have no number (set 0, number 0) are found by their text. */
#define ERRLOG_CATALOGUE_CROFT "croft"
#define ERRLOG_SET_KERNEL 1

/* For xgettext: "SET.NUMBER", and the text. */
#define ERRLOG_MESSAGE(context, text) text

#define ERRLOG_OUT_OF_MEMORY 1
#define ERRLOG_OUT_OF_MEMORY_TEXT ERRLOG_MESSAGE("1.1", "process %d (%s) was killed for want of memory.")

#endif
