/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * console.h - a partition's console: always drained into the log, shown to those who are attached.
 */
#ifndef CROFT_WARDEN_CONSOLE_H
#define CROFT_WARDEN_CONSOLE_H

#include "partition/ring.h"
#include "warden/stream.h"

#define CONSOLE_CLIENTS_MAX 8
#define CONSOLE_QUEUE_MAX (2 * RING_SIZE_DEFAULT) /* bytes that a slow client may lag behind before it is dropped */

struct console {
        int epoll;  /* borrowed */
        int master; /* borrowed; -EBADF: none, or it has ended */
        bool want_write;
        struct ring ring;
        struct stream clients[CONSOLE_CLIENTS_MAX];
        bool ending[CONSOLE_CLIENTS_MAX]; /* has been told the end: goes when all is sent */
};

/* What epoll hands back: tag in the upper, index in the lower half. */
enum console_tag { CONSOLE_TAG_MASTER = 0x100, CONSOLE_TAG_CLIENT = 0x101 };

/* master may be -EBADF.  It is registered with epoll; log is borrowed. */
int console_open(struct console *c, int epoll, int master, int log);
void console_close(struct console *c);
/* Attaches a client (taken over in any case): history first. */
void console_attach(struct console *c, int fd);
void console_master_ready(struct console *c, uint32_t events);
void console_client_ready(struct console *c, size_t index, uint32_t events);
/* init has ended: takes what is left to read, tells every client the exit status and lets each go when it has it. */
void console_end(struct console *c, uint32_t status);

#endif
