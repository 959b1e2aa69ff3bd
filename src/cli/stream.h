/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * stream.h - speaks croft/stream.h on a connection, between it and the standard descriptors.
 */
#ifndef CROFT_CLI_STREAM_H
#define CROFT_CLI_STREAM_H

#include <croft/croft.h>
#include <stdbool.h>

#define STREAM_NO_ESCAPE (-1)

struct stream_spec {
        int fd;              /* the connection; borrowed */
        bool terminal;       /* raw mode, sizes */
        bool forward;        /* signals go to the command; otherwise they end us */
        int escape;          /* the byte before 'q' that detaches, or STREAM_NO_ESCAPE */
        int input, out, err; /* usually 0, 1, 2 */
};

enum stream_end {
        STREAM_EXITED,   /* *ret_status is the exit status */
        STREAM_DETACHED, /* by the key */
        STREAM_CLOSED,   /* the connection ended without an exit status */
        STREAM_PIPE,     /* nobody reads our output any more */
};

/* Runs until the end.  text (of size bytes) gets what an ERROR frame said, "" else.  A negative errno with *err
 * otherwise; the terminal is as it was in every case. */
int stream_run(const struct stream_spec *spec, enum stream_end *ret_end, int *ret_status, char *text, size_t size,
        struct croft_error *err);

#endif
