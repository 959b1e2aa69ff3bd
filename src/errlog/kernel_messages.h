/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 *
 * kernel_messages.h - what the kernel's own recorders say: numbers and default texts of catalogue "croft".
 */
#ifndef CROFT_ERRLOG_KERNEL_MESSAGES_H
#define CROFT_ERRLOG_KERNEL_MESSAGES_H

#define ERRLOG_CATALOGUE_CROFT "croft"
#define ERRLOG_SET_KERNEL 1

#define ERRLOG_OUT_OF_MEMORY 1
#define ERRLOG_OUT_OF_MEMORY_TEXT "process %d (%s) was killed for want of memory"

#endif
