/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * devices.c - see devices.h.
 */
#include "partition/devices.h"

#include "base/cleanup.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const devices_families[DEVICES_FAMILIES] = {"block", "char", "cuse", "dm", "loop", "nbd", "zram"};

static int refuse(struct croft_error *err, const char *value)
{
        char escaped[128];

        str_escape(escaped, sizeof(escaped), value, strlen(value));
        return croft_error_set(err, EINVAL,
                "'%s' isn't a list of families of device numbers; give char, block, loop, dm, zram, nbd or cuse, "
                "each once, with how many (loop:8; 1 to %d, %d unless said), and stanzas of devexports(5), %d at most.",
                escaped, DEVICES_COUNT_MAX, DEVICES_COUNT_DEFAULT, DEVICES_STANZAS_MAX);
}

/* Without spaces before and behind it. */
static char *trim(char *word)
{
        size_t length;

        word += strspn(word, " ");
        length = strlen(word);
        while (length > 0 && word[length - 1] == ' ')
                length--;
        word[length] = '\0';
        return word;
}

/* One word of the list: its family, an index, or -1. */
static int parse_family(char *word, uint64_t *ret_count)
{
        char *colon = strchr(word, ':');

        *ret_count = DEVICES_COUNT_DEFAULT;
        if (colon) {
                *colon = '\0';
                if (!str_to_u64(colon + 1, DEVICES_COUNT_MAX, ret_count) || *ret_count == 0)
                        return -1;
        }
        for (size_t i = 0; i < DEVICES_FAMILIES; i++)
                if (strcmp(word, devices_families[i]) == 0)
                        return (int)i;
        return -1;
}

/* A list in its normal form, as far as it is read. */
struct normal {
        char text[DEVICES_STANZAS_MAX * (DEVEXPORTS_NAME_MAX + 1) + 128]; /* of families, too */
        size_t used;
        unsigned int stanzas;
        bool seen[DEVICES_FAMILIES];
};

/* Is the stanza in the list? */
static bool has_stanza(const struct normal *n, const char *name)
{
        const char *at = n->text;
        char other[DEVEXPORTS_NAME_MAX + 1];

        while (devices_next_stanza(&at, other))
                if (strcmp(other, name) == 0)
                        return true;
        return false;
}

static bool add_word(struct normal *n, char *word)
{
        const char *comma = n->used ? "," : "";
        uint64_t count;
        int i;

        if (devexports_name_is_valid(word)) {
                if (has_stanza(n, word) || n->stanzas++ == DEVICES_STANZAS_MAX)
                        return false;
                n->used += (size_t)snprintf(n->text + n->used, sizeof(n->text) - n->used, "%s%s", comma, word);
                return true;
        }
        i = parse_family(word, &count);
        if (i < 0 || n->seen[i])
                return false;
        n->seen[i] = true;
        n->used += (size_t)snprintf(n->text + n->used, sizeof(n->text) - n->used, "%s%s:%llu", comma,
                devices_families[i], (unsigned long long)count);
        return true;
}

int property_check_devices(const char *value, char **ret, struct croft_error *err)
{
        _cleanup_free_ char *copy = strdup(value);
        struct normal normal = {.text = ""};
        char *save = NULL;

        if (!copy)
                return croft_error_set(err, ENOMEM, "check a list of devices");
        for (char *word = strtok_r(copy, ",", &save); word; word = strtok_r(NULL, ",", &save))
                if (!add_word(&normal, trim(word)))
                        return refuse(err, value);
        if (normal.used == 0)
                return refuse(err, value);
        *ret = strdup(normal.text);
        return *ret ? 0 : croft_error_set(err, ENOMEM, "check a list of devices");
}

bool devices_next_stanza(const char **at, char ret[DEVEXPORTS_NAME_MAX + 1])
{
        while (**at) {
                const char *word = *at;
                size_t length = strcspn(word, ",");

                *at += length + (word[length] == ',');
                if (length > DEVEXPORTS_NAME_MAX || memchr(word, ':', length))
                        continue;
                memcpy(ret, word, length);
                ret[length] = '\0';
                return true;
        }
        return false;
}

uint32_t devices_count(const char *value, const char *family)
{
        size_t length = strlen(family);

        for (const char *at = value; at && *at; at += *at == ',') {
                if (strncmp(at, family, length) == 0 && at[length] == ':')
                        return (uint32_t)strtoul(at + length + 1, NULL, 10);
                at += strcspn(at, ",");
        }
        return 0;
}
