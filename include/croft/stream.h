/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * croft/stream.h - the framed stream that an exec or console connection becomes after "101 Switching Protocols".
 *
 * A frame is a header of 8 bytes and a body: u8 type, three zero bytes, u32 length of the body in big endian.  A body
 * is at most CROFT_STREAM_BODY_MAX bytes; a longer one, an unknown type or a non-zero pad byte ends the connection.
 */
#ifndef CROFT_STREAM_H
#define CROFT_STREAM_H

#include <stdint.h>

#define CROFT_STREAM_PROTOCOL "croft-stream/1" /* the value of the Upgrade header */
#define CROFT_STREAM_HEADER 8
#define CROFT_STREAM_BODY_MAX 65536

enum croft_stream_type {
        CROFT_STREAM_STDIN = 0,  /* client to croft: bytes; an empty body is the end of input */
        CROFT_STREAM_STDOUT = 1, /* croft to client: bytes (a terminal's output, too); empty: end of that output */
        CROFT_STREAM_STDERR = 2,
        CROFT_STREAM_EXIT =
                3, /* croft to client, the last frame: u32 big endian, the exit status as a shell says it (0 to 255) */
        CROFT_STREAM_SIZE = 4,   /* client to croft: u16 rows, u16 columns, big endian: the terminal's size */
        CROFT_STREAM_SIGNAL = 5, /* client to croft: u8 signal number, for the command */
        CROFT_STREAM_ERROR = 6,  /* croft to client, before EXIT 125, 126 or 127: the error as text */
};

#endif
