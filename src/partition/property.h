/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * property.h - the keys that an administrator may set on a partition: one table with the check, the default and the
 * help of each.
 *
 * Keys of the foundation: memory.max memory.swap.max cpu.weight cpu.max cpu.set pids.max pool io.max hostname init net
 * env.<NAME> rlimit.nofile autostart start.order stop.timeout description.  Values are kept in normalised form ("64M"
 * becomes "67108864").
 */
#ifndef CROFT_PARTITION_PROPERTY_H
#define CROFT_PARTITION_PROPERTY_H

#include <croft/error.h>
#include <stdbool.h>
#include <stddef.h>

struct property {
        struct property *next;
        char *key;
        char *value;
};

struct property_info {
        const char *key;           /* "env." with the dot: a prefix */
        const char *default_value; /* NULL: unset */
        const char *cgroup_key;    /* what cgroup_set() is told, NULL: no limit */
        bool live;                 /* takes effect in a running partition; otherwise at the next start */
        const char *help;          /* one line, with the unit */
        int (*check)(const char *value, char **ret_normalised, struct croft_error *err);
};

/* The table; ends with key NULL. */
extern const struct property_info property_table[];
/* NULL: no such key. */
const struct property_info *property_find(const char *key);

/* The longest value that is kept. */
#define PROPERTY_VALUE_MAX 32768

/* Checks key and value and puts it into the list (replacing); an empty value removes.  -EINVAL says what
 * is wrong and what is allowed. */
int property_set(struct property **list, const char *key, const char *value, struct croft_error *err);
/* Puts in, without a check, what was checked when it was set (by another version, perhaps: whoever uses a value copes
 * with a wrong one).  0 or -ENOMEM. */
int property_put(struct property **list, const char *key, const char *value);
/* Takes "KEY=VALUE" apart and does the same. */
int property_set_text(struct property **list, const char *text, struct croft_error *err);
/* The value set, else the default, else NULL.  Borrowed. */
const char *property_get(const struct property *list, const char *key);
struct property *property_free(struct property *list);
/* A deep copy; NULL with *ret_ok false: no memory (an empty list is NULL, too). */
struct property *property_copy(const struct property *list, bool *ret_ok);

#endif
