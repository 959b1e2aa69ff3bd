/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * str.h - names, numbers and quoting.
 */
#ifndef CROFT_BASE_STR_H
#define CROFT_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NAME_LENGTH_MAX 63

/* A DNS label: 1 to 63 of a-z 0-9 -, not starting or ending with '-' (C-6). */
bool str_is_name(const char *name);
#define STR_NAME_RULE "1 to 63 of a-z, 0-9 and '-', not starting or ending with '-'"

/* Decimal number without sign, blanks or excess; false when it isn't one or is above max. */
bool str_to_u64(const char *text, uint64_t max, uint64_t *ret);

/* Bytes with an optional suffix K, M, G, T, P, E (1024-based, optional trailing "iB" or "B"), or "max" = UINT64_MAX. */
bool str_to_size(const char *text, uint64_t *ret);

/* Copies src, cut to size with NUL. Returns false when it was cut. */
bool str_copy(char *dst, size_t size, const char *src);

/* Escapes what isn't printable ASCII or valid UTF-8 text, marks that hide or turn text around, and backslashes, as \xNN
 * into dst (cut to size, NUL-ended). Returns dst. For everything that a partition or a peer wrote and a person reads.
 */
char *str_escape(char *dst, size_t size, const char *src, size_t src_size);

bool str_has_prefix(const char *text, const char *prefix);

/* Is word (not empty) one of the list's, which any of those bytes separate?  A list that is NULL has none. */
bool str_lists(const char *list, const char *separators, const char *word);

/* Does this JSON nest deeper than that many levels?  For who parses by recursion; what is no JSON has some answer. */
bool str_json_is_deeper(const char *data, size_t size, unsigned int levels);

/* A NULL-ended vector of strings. */
void strv_free(char **v);
void strv_freep(char ***v);
size_t strv_length(char *const *v);
/* NULL: out of memory. */
char **strv_copy(char *const *v);
/* Appends a copy; 0 or -ENOMEM (the vector is unchanged). */
int strv_append(char ***v, const char *s);

#endif
