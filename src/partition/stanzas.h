/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * stanzas.h - what files of stanzas have in common that administrators write: devexports(5), kexts(5).
 *
 *     * a comment
 *     name:
 *             key = "value"
 *
 * Pure: bytes in, a list or a sentence with the number of the line out.
 */
#ifndef CROFT_PARTITION_STANZAS_H
#define CROFT_PARTITION_STANZAS_H

#include <croft/error.h>
#include <stdbool.h>
#include <stddef.h>

#define STANZAS_NAME_MAX 31    /* bytes of a stanza's name */
#define STANZAS_MAX 256        /* in a file */
#define STANZAS_FILE_MAX 65536 /* bytes */
#define STANZAS_LINE_MAX 1023  /* bytes */
#define STANZAS_KEYS_MAX 16

/* Where the reader is; for those who take values, to refuse one. */
struct stanzas_reader {
        unsigned int line;
        struct croft_error *err;
};
/* -EBADMSG, and a sentence with the line: "'WORD' is no WHAT." */
int stanzas_refuse_word(const struct stanzas_reader *r, const char *what, const char *word);
int stanzas_take_yes_no(const struct stanzas_reader *r, const char *value, bool *ret);

/* An element of the list begins with char name[STANZAS_NAME_MAX + 1]. */
struct stanzas_key {
        const char *key;
        bool required;
        int (*take)(const struct stanzas_reader *r, void *element, const char *value);
};
struct stanzas_form {
        size_t size;         /* of an element */
        const void *initial; /* what one is before anything is said of it */
        bool (*name_is_valid)(const char *name);
        const struct stanzas_key *keys; /* the last one has no key */
        const char *attributes;         /* "value, auto": what there is, to say it */
};

/* *ret: an array of elements, which the caller frees; NULL where there are none.  -EBADMSG: it has another form, and
 * nothing was changed; *err says which line. */
int stanzas_parse(const struct stanzas_form *form, const char *text, size_t size, void **ret, size_t *ret_n,
        struct croft_error *err);
/* The element of that name; NULL: there is none. */
const void *stanzas_find(const struct stanzas_form *form, const void *list, size_t n, const char *name);

#define STANZAS_NAMED_MAX 32 /* by a property */
/* Property `kexts`: names of stanzas, each once, separated by commas; which there are is seen when they are used.
 * -EINVAL says so. */
int property_check_stanzas(const char *value, char **ret, struct croft_error *err);
/* The next name of a value in normal form; *at begins with it and moves on.  false: no more. */
bool stanzas_next_name(const char **at, char ret[STANZAS_NAME_MAX + 1]);

/* Letters, digits and ._-, the first a letter or a digit. */
bool stanzas_name_is_valid(const char *name);

/* --- files that only root may write --- */

/* Reads one.  -ENOENT: there is none; -EPERM: others may write it, who could give themselves anything; -EINVAL: no
 * regular file. */
int stanzas_read_own(int dir_fd, const char *path, size_t max, char **ret, size_t *ret_size);
/* A file of stanzas in the directory of the configuration; *ret is NULL when there is none.  *err names it. */
int stanzas_read_file(const char *directory, const char *name, char **ret, size_t *ret_size, struct croft_error *err);

#endif
