/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * message.h - messages as data: a format, and arguments packed beside it, put together only when somebody reads.
 *
 * Formats are those of printf(3) with less in them: %% and conversions d i u o x X c s with flags, a width and a
 * precision up to 999, length modifiers (hh h l ll j z t, which matter for packing only) and positions (%2$s), all
 * conversions with one or none.  Nothing else: no %n, %p, no floating point, no '*'.  What comes from a record is
 * hostile: all functions are pure, bounded by what they are given, and never read past it (ERR-34).
 */
#ifndef CROFT_BASE_MESSAGE_H
#define CROFT_BASE_MESSAGE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MESSAGE_FORMAT_MAX 128 /* bytes of a format, with its NUL */
#define MESSAGE_ARGS_SIZE 280  /* bytes of packed arguments */
#define MESSAGE_ARGS_MAX 16

/* Arguments as they are kept: one after the other a letter for its type and the value; 'd' and 'u': 8 bytes,
 * two's complement or unsigned, little-endian; 's': the bytes and a NUL. */
struct message_args {
        uint8_t bytes[MESSAGE_ARGS_SIZE];
        uint16_t size;
        uint8_t n; /* at most MESSAGE_ARGS_MAX */
};

/* 0 if it is a format as above that takes at most MESSAGE_ARGS_MAX arguments and is shorter than MESSAGE_FORMAT_MAX;
 * else -EINVAL, and *ret_why (if not NULL) says why in words (static text).  Positions must leave none out, and one
 * that comes twice must have the same type. */
int message_check(const char *format, const char **ret_why);

/* Packs what format wants out of ap (promoted as for printf).  A string that doesn't fit any more is cut at the
 * beginning of a character and ends in "..."; NULL is "(null)".  -EINVAL: the format is none. */
int message_pack(const char *format, va_list ap, struct message_args *ret);
/* The same out of words, for scripts: numbers as strtoll and strtoull take them with base 0.  -EINVAL: the format is
 * none, or the number of words is another; -ERANGE: word *ret_bad (if not NULL) is no such number, or for 'c' no single
 * byte. */
int message_pack_words(const char *format, char *const *words, size_t n, struct message_args *ret, size_t *ret_bad);

/* Are these bytes what message_pack() may make? */
bool message_args_valid(const uint8_t *bytes, size_t size, unsigned int n);

/* The message: format (size bytes, or up to a NUL if that comes before) with its arguments, a new string that the
 * caller frees; NULL: no memory.  translated (may be NULL; of any length) is used instead if it wants the same
 * arguments.  What isn't a format, or has other arguments than it wants, is shown as it is with the arguments behind it
 * in brackets.  Bytes come out as they went in: who shows it escapes it.  Never longer than MESSAGE_MAX with its
 * NUL: cut at the beginning of a character, and then it ends in "...". */
#define MESSAGE_MAX 16384
char *message_render(const char *format, size_t size, const char *translated, const struct message_args *args);

/* Argument i (from 0) of valid args as text, a new string; NULL: no memory, or there is none. */
char *message_argument(const struct message_args *args, unsigned int i);

#endif
