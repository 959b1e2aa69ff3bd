/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * api_pump.h - carries bytes between two stream sockets.
 */
#ifndef CROFT_DAEMON_API_PUMP_H
#define CROFT_DAEMON_API_PUMP_H

#include <stddef.h>

/* Sends early to b, then carries both ways until b has ended and all of its bytes are with a, or a is gone, or stop
 * (-EBADF: none) becomes readable.  An end of input on a is passed on to b.  Blocks; sets both to O_NONBLOCK. */
void api_pump(int a, int b, const void *early, size_t early_size, int stop);

#endif
