/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * allowed.c - the commands that another machine may run here.  See allowed.h.
 *
 * A command is compared word by word, in the one order that our own side sends: there is nothing to be parsed, and so
 * no other way to say a thing than the one that is in the table.
 */
#include "remote/allowed.h"

#include "base/cleanup.h"
#include "base/str.h"

#include <stdint.h>
#include <string.h>

#define WORDS_MAX 16

/* In the place of a word. */
#define PARTITION "\001" /* a partition's name; global is none */
#define NUMBER "\002"    /* from 1 on, without sign or zeros in front */

static const char *const commands[][WORDS_MAX] = {
        {"croft", "error", "print", PARTITION, "--follow", "--format", "json", "--attempt", NUMBER, "--from", NUMBER},
};

static bool is_number(const char *word)
{
        uint64_t value;

        return *word != '0' && str_to_u64(word, UINT64_MAX, &value);
}

static bool fits(const char *pattern, const char *word)
{
        if (strcmp(pattern, PARTITION) == 0)
                return str_is_name(word) && strcmp(word, "global") != 0;
        if (strcmp(pattern, NUMBER) == 0)
                return is_number(word);
        return strcmp(pattern, word) == 0;
}

static bool is_command(const char *const *pattern, char *const *words)
{
        size_t i = 0;

        while (i < WORDS_MAX && pattern[i] && words[i] && fits(pattern[i], words[i]))
                i++;
        return !words[i] && (i == WORDS_MAX || !pattern[i]);
}

bool allowed_command(char *const *words)
{
        for (size_t i = 0; i < ELEMENTS(commands); i++)
                if (words[0] && is_command(commands[i], words))
                        return true;
        return false;
}
