/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * majors.c - see majors.h.
 */
#include "devid/majors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
        unsigned int first, last;
} local[] = {{60, 63}, {120, 127}};

static void set_bit(__u64 words[DEVID_WORDS], unsigned long n)
{
        words[n / 64] |= 1ULL << n % 64;
}

bool devid_majors_is_local(unsigned int major)
{
        for (size_t i = 0; i < sizeof(local) / sizeof(*local); i++)
                if (major >= local[i].first && major <= local[i].last)
                        return true;
        return false;
}

static void leave_local(__u64 words[DEVID_WORDS])
{
        memset(words, 0xff, DEVID_WORDS * sizeof(*words));
        for (size_t i = 0; i < sizeof(local) / sizeof(*local); i++)
                for (unsigned int n = local[i].first; n <= local[i].last; n++)
                        words[n / 64] &= ~(1ULL << n % 64);
}

/* Lines are "  7 loop", below a heading for each type. */
bool devid_majors_read(const char *text, struct devid_majors *ret)
{
        __u64 *words = NULL;

        leave_local(ret->of_char);
        leave_local(ret->of_block);
        for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
                char *end = NULL;
                unsigned long n;

                if (strncmp(line, "Character devices:", 18) == 0)
                        words = ret->of_char;
                else if (strncmp(line, "Block devices:", 14) == 0)
                        words = ret->of_block;
                else if (*line != '\n') {
                        n = strtoul(line, &end, 10);
                        if (!words || end == line || *end != ' ')
                                return false;
                        if (n < DEVID_FAMILY_MAX)
                                set_bit(words, n);
                }
        }
        return words == ret->of_block;
}

bool devid_majors_find(const char *text, const char *driver, uint32_t *ret)
{
        const char *line = strstr(text, "Block devices:");
        const size_t length = strlen(driver);

        for (; line && *line; line += strcspn(line, "\n"), line += *line == '\n') {
                char *end = NULL;
                unsigned long n = strtoul(line, &end, 10);

                if (end == line || *end != ' ' || strncmp(end + 1, driver, length) != 0 ||
                        (end[1 + length] != '\n' && end[1 + length] != '\0') || n >= DEVID_FAMILY_MAX)
                        continue;
                *ret = (uint32_t)n;
                return true;
        }
        return false;
}

/* --- drivers that have come --- */

/* A line of /proc/devices, and of which type it is. */
struct line {
        const char *text;
        size_t length;
        uint32_t type;
        bool begun;
};

/* The next one that is of a driver; begins with {.text = the whole}. */
static bool next_line(struct line *line)
{
        for (;;) {
                line->text += line->length;
                line->text += *line->text == '\n' && line->begun;
                line->begun = true;
                if (!*line->text)
                        return false;
                line->length = strcspn(line->text, "\n");
                if (strncmp(line->text, "Character devices:", 18) == 0)
                        line->type = DEVID_CHAR;
                else if (strncmp(line->text, "Block devices:", 14) == 0)
                        line->type = DEVID_BLOCK;
                else if (line->length > 0 && line->type)
                        return true;
        }
}

static bool has_line(const char *text, const struct line *wanted)
{
        struct line line = {.text = text};

        while (next_line(&line))
                if (line.type == wanted->type && line.length == wanted->length &&
                        memcmp(line.text, wanted->text, line.length) == 0)
                        return true;
        return false;
}

size_t devid_majors_added(const char *before, const char *after, struct devid_major *ret, size_t max)
{
        struct line line = {.text = after};
        size_t n = 0;

        while (next_line(&line)) {
                if (has_line(before, &line))
                        continue;
                if (n < max)
                        ret[n] = (struct devid_major){line.type, (uint32_t)strtoul(line.text, NULL, 10)};
                n++;
        }
        return n;
}

static const char *type_name(uint32_t type)
{
        return type == DEVID_BLOCK ? "block" : "char";
}

void devid_majors_write(const struct devid_major *list, size_t n, char *buf, size_t size)
{
        size_t used = 0;

        buf[0] = '\0';
        for (size_t i = 0; i < n; i++) {
                char one[32];
                int length =
                        snprintf(one, sizeof(one), "%s%s %u", used ? ", " : "", type_name(list[i].type), list[i].major);

                if (used + (size_t)length >= size)
                        return;
                memcpy(buf + used, one, (size_t)length + 1);
                used += (size_t)length;
        }
}

bool devid_majors_lists(const char *text, uint32_t type, uint32_t major)
{
        char one[32];
        size_t length = (size_t)snprintf(one, sizeof(one), "%s %u", type_name(type), major);

        while (*text) {
                size_t n = strcspn(text, ",");

                if (n == length && memcmp(text, one, n) == 0)
                        return true;
                text += n;
                text += strspn(text, ", ");
        }
        return false;
}
