/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * mount_allow.c - see mount_allow.h.
 *
 * The types are those whose files the kernel can show with a partition's ids, and whose every device is named by the
 * caller: btrfs finds devices by what is written on them, the host's among them.
 */
#include "partition/mount_allow.h"

#include "base/cleanup.h"
#include "base/str.h"

#include <stdint.h>
#include <string.h>

#define IDS_MAX 65535 /* of a partition */

/* What may stand behind "=". */
enum kind {
        FLAG,
        NUMBER, /* or one with K, M or G */
        OCTAL,
        ID,
        WORD, /* one of words */
};

struct option {
        const char *name;
        enum kind kind;
        const char *words; /* separated by '|' */
};

/* Not there: journal_dev, journal_path (other devices); errors=panic; resuid, resgid (the machine's ids); dax, jqfmt
 * and quotas; all that tests the driver. */
static const struct option ext_options[] = {{"acl", FLAG, NULL}, {"noacl", FLAG, NULL}, {"user_xattr", FLAG, NULL},
        {"nouser_xattr", FLAG, NULL}, {"discard", FLAG, NULL}, {"nodiscard", FLAG, NULL}, {"noload", FLAG, NULL},
        {"norecovery", FLAG, NULL}, {"journal_checksum", FLAG, NULL}, {"nojournal_checksum", FLAG, NULL},
        {"delalloc", FLAG, NULL}, {"nodelalloc", FLAG, NULL}, {"auto_da_alloc", FLAG, NULL},
        {"noauto_da_alloc", FLAG, NULL}, {"block_validity", FLAG, NULL}, {"noblock_validity", FLAG, NULL},
        {"init_itable", FLAG, NULL}, {"noinit_itable", FLAG, NULL}, {"grpid", FLAG, NULL}, {"nogrpid", FLAG, NULL},
        {"bsdgroups", FLAG, NULL}, {"sysvgroups", FLAG, NULL}, {"bsddf", FLAG, NULL}, {"minixdf", FLAG, NULL},
        {"barrier", FLAG, NULL}, {"commit", NUMBER, NULL}, {"stripe", NUMBER, NULL},
        {"errors", WORD, "continue|remount-ro"}, {"data", WORD, "journal|ordered|writeback"}, {NULL, FLAG, NULL}};

/* Not there: logdev, rtdev (other devices); quotas. */
static const struct option xfs_options[] = {{"discard", FLAG, NULL}, {"nodiscard", FLAG, NULL},
        {"norecovery", FLAG, NULL}, {"nouuid", FLAG, NULL}, {"inode32", FLAG, NULL}, {"inode64", FLAG, NULL},
        {"largeio", FLAG, NULL}, {"nolargeio", FLAG, NULL}, {"noalign", FLAG, NULL}, {"noquota", FLAG, NULL},
        {"swalloc", FLAG, NULL}, {"wsync", FLAG, NULL}, {"allocsize", NUMBER, NULL}, {"logbufs", NUMBER, NULL},
        {"logbsize", NUMBER, NULL}, {NULL, FLAG, NULL}};

/* Not there: codepage, iocharset (modules of the caller's choice). */
static const struct option vfat_options[] = {{"uid", ID, NULL}, {"gid", ID, NULL}, {"umask", OCTAL, NULL},
        {"dmask", OCTAL, NULL}, {"fmask", OCTAL, NULL}, {"utf8", FLAG, NULL}, {"quiet", FLAG, NULL},
        {"showexec", FLAG, NULL}, {"flush", FLAG, NULL}, {"discard", FLAG, NULL}, {"uni_xlate", FLAG, NULL},
        {"shortname", WORD, "lower|win95|winnt|mixed"}, {"check", WORD, "r|s|n|relaxed|strict|normal"},
        {"tz", WORD, "UTC"}, {"errors", WORD, "continue|remount-ro"}, {NULL, FLAG, NULL}};

static const struct option erofs_options[] = {{"acl", FLAG, NULL}, {"noacl", FLAG, NULL}, {"user_xattr", FLAG, NULL},
        {"nouser_xattr", FLAG, NULL}, {"cache_strategy", WORD, "disabled|readahead|readaround"}, {NULL, FLAG, NULL}};

static const struct option squashfs_options[] = {{"errors", WORD, "continue"}, {NULL, FLAG, NULL}};

/* driver: the kernel's types ext2 and ext3 can't map ids, and the driver of ext4 reads what is on their devices.
 * None: it is on no device, and made by another way, with the caller's options and the kernel as their judge.
 * safe: what "errors" becomes if nothing is said; the file system itself may ask for a panic. */
static const struct type {
        const char *name, *driver, *safe;
        const struct option *options;
} types[] = {{"erofs", "erofs", NULL, erofs_options}, {"ext2", "ext4", "remount-ro", ext_options},
        {"ext3", "ext4", "remount-ro", ext_options}, {"ext4", "ext4", "remount-ro", ext_options},
        {"proc", NULL, NULL, NULL}, {"squashfs", "squashfs", NULL, squashfs_options}, {"sysfs", NULL, NULL, NULL},
        {"vfat", "vfat", "remount-ro", vfat_options}, {"xfs", "xfs", NULL, xfs_options}};

/* --- the property --- */

static int refuse(struct croft_error *err, const char *value)
{
        char escaped[128], names[128];
        size_t used = 0;

        for (size_t i = 0; i < ELEMENTS(types); i++)
                used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s", used ? ", " : "", types[i].name);
        str_escape(escaped, sizeof(escaped), value, strlen(value));
        return croft_error_set(err, EINVAL,
                "'%s' isn't a list of file systems that may be mounted; give some of %s, separated by ','.", escaped,
                names);
}

/* The type that the word of that length is, an index; -1. */
static int find_type(const char *word, size_t length)
{
        for (size_t i = 0; i < ELEMENTS(types); i++)
                if (strlen(types[i].name) == length && memcmp(types[i].name, word, length) == 0)
                        return (int)i;
        return -1;
}

int property_check_mount_allow(const char *value, char **ret, struct croft_error *err)
{
        bool has[ELEMENTS(types)] = {false};
        char text[128];
        size_t used = 0;

        for (const char *at = value;;) {
                size_t length;
                int i;

                at += strspn(at, " ");
                length = strcspn(at, ", ");
                i = find_type(at, length);
                if (i < 0 || has[i])
                        return refuse(err, value);
                has[i] = true;
                at += length;
                at += strspn(at, " ");
                if (!*at)
                        break;
                if (*at++ != ',')
                        return refuse(err, value);
        }
        for (size_t i = 0; i < ELEMENTS(types); i++)
                if (has[i])
                        used += (size_t)snprintf(
                                text + used, sizeof(text) - used, "%s%s", used ? "," : "", types[i].name);
        *ret = strdup(text);
        return *ret ? 0 : croft_error_set(err, ENOMEM, "keep a property");
}

bool mount_allow_has(const char *value, const char *type)
{
        size_t length = strlen(type);

        if (find_type(type, length) < 0)
                return false; /* by another version, perhaps */
        for (const char *at = value; at && *at; at += at[0] == ',') {
                size_t n = strcspn(at, ",");

                if (n == length && memcmp(at, type, n) == 0)
                        return true;
                at += n;
        }
        return false;
}

/* --- options --- */

static bool is_number(const char *value)
{
        size_t n = strspn(value, "0123456789");

        return n > 0 && n <= 18 && (!value[n] || (strchr("kKmMgG", value[n]) && !value[n + 1]));
}

static bool is_octal(const char *value)
{
        size_t n = strspn(value, "01234567");

        return n > 0 && n <= 6 && !value[n];
}

static bool is_id(const char *value)
{
        uint64_t id;

        return str_to_u64(value, IDS_MAX, &id);
}

static bool is_one_of(const char *words, const char *value)
{
        size_t length = strlen(value);

        for (const char *at = words; length > 0; at++) {
                size_t n = strcspn(at, "|");

                if (n == length && memcmp(at, value, n) == 0)
                        return true;
                at += n;
                if (!*at)
                        break;
        }
        return false;
}

static bool is_allowed(const struct option *options, const struct mount_option *given)
{
        for (const struct option *o = options; o->name; o++) {
                if (strcmp(o->name, given->key) != 0)
                        continue;
                if (o->kind == FLAG || !given->value)
                        return o->kind == FLAG && !given->value;
                return o->kind == NUMBER  ? is_number(given->value)
                       : o->kind == OCTAL ? is_octal(given->value)
                       : o->kind == ID    ? is_id(given->value)
                                          : is_one_of(o->words, given->value);
        }
        return false;
}

static int add(struct mount_options *o, const char *key, const char *value)
{
        if (o->n == ELEMENTS(o->list))
                return -EINVAL;
        o->list[o->n++] = (struct mount_option){key, value};
        return 0;
}

static int take(struct mount_options *o, const struct type *type, char *word)
{
        char *equals = strchr(word, '=');
        struct mount_option given = {word, equals ? equals + 1 : NULL};

        if (equals)
                *equals = '\0';
        return is_allowed(type->options, &given) ? add(o, given.key, given.value) : -EINVAL;
}

static bool is_given(const struct mount_options *o, const char *key)
{
        for (size_t i = 0; i < o->n; i++)
                if (strcmp(o->list[i].key, key) == 0)
                        return true;
        return false;
}

int mount_options_decode(const char *type, const char *data, struct mount_options *ret)
{
        int i = find_type(type, strlen(type)), r = 0;
        char *at = ret->text, *word;

        ret->n = 0;
        if (i < 0 || !types[i].driver)
                return -EPERM;
        ret->driver = types[i].driver;
        if (!str_copy(ret->text, sizeof(ret->text), data))
                return -EINVAL;
        while (r == 0 && (word = strsep(&at, ",")))
                r = *word ? take(ret, &types[i], word) : 0;
        if (r == 0 && types[i].safe && !is_given(ret, "errors"))
                r = add(ret, "errors", types[i].safe);
        return r;
}
