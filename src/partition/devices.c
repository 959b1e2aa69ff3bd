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

static const char *const families[] = {"block", "char", "loop"};

static int refuse(struct croft_error *err, const char *value)
{
        char escaped[128];

        str_escape(escaped, sizeof(escaped), value, strlen(value));
        return croft_error_set(err, EINVAL,
                "'%s' isn't a list of families of device numbers; give char, block or loop, each once, with how many "
                "(char:4,loop:8; 1 to %d, %d unless said).",
                escaped, DEVICES_COUNT_MAX, DEVICES_COUNT_DEFAULT);
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
static int parse_word(char *word, uint64_t *ret_count)
{
        char *colon = strchr(word, ':');

        *ret_count = DEVICES_COUNT_DEFAULT;
        if (colon) {
                *colon = '\0';
                if (!str_to_u64(colon + 1, DEVICES_COUNT_MAX, ret_count) || *ret_count == 0)
                        return -1;
        }
        for (size_t i = 0; i < ELEMENTS(families); i++)
                if (strcmp(word, families[i]) == 0)
                        return (int)i;
        return -1;
}

int property_check_devices(const char *value, char **ret, struct croft_error *err)
{
        _cleanup_free_ char *copy = strdup(value);
        char normal[128] = "", *save = NULL;
        bool seen[ELEMENTS(families)] = {false};
        size_t used = 0;

        if (!copy)
                return croft_error_set(err, ENOMEM, "check a list of devices");
        for (char *word = strtok_r(copy, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
                uint64_t count;
                int i = parse_word(trim(word), &count);

                if (i < 0 || seen[i])
                        return refuse(err, value);
                seen[i] = true;
                used += (size_t)snprintf(normal + used, sizeof(normal) - used, "%s%s:%llu", used ? "," : "",
                        families[i], (unsigned long long)count);
        }
        if (used == 0)
                return refuse(err, value);
        *ret = strdup(normal);
        return *ret ? 0 : croft_error_set(err, ENOMEM, "check a list of devices");
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
