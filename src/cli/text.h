/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * text.h - text for people's eyes: escaping, width, near misses, units.
 */
#ifndef CROFT_CLI_TEXT_H
#define CROFT_CLI_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* A new string (caller frees; NULL: no memory) in which every byte that a terminal could take for a command, and every
 * mark that hides or turns text around, is \xNN; valid UTF-8 stays.  newline: '\n' and '\t' stay, too. */
char *text_escape(const char *text, size_t size, bool newline);

/* The columns that escaped text takes on a terminal. */
size_t text_width(const char *text);

/* Reads one code point of UTF-8: its length, 0 when the bytes are none. */
size_t text_utf8(const char *text, size_t size, uint32_t *ret);
/* May a terminal show this code point as it is? */
bool text_printable(uint32_t c);

/* Insertions, deletions, replacements and swaps that make a of b. */
unsigned int text_distance(const char *a, const char *b);

/* "96 MiB", "1.5 GiB", "512 B". */
const char *text_bytes(char *buf, size_t size, uint64_t bytes);
/* "3 d 4 h", "2 min 5 s", "1.234 s". */
const char *text_duration(char *buf, size_t size, double seconds);
/* "2026-11-21 10:00:00", local time. */
const char *text_time(char *buf, size_t size, time_t t);

#endif
