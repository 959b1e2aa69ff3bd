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
        for (unsigned int n = 0; n < DEVID_FAMILY_MAX; n++)
                if (devid_majors_is_local(n))
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
