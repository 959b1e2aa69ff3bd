/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cpus.c - sets of CPUs.  See cpus.h.
 */
#include "kernel/cpus.h"

#include "base/cleanup.h"
#include "base/fd.h"

#include <string.h>

#define WORDS (CPUS_MAX / 64)

/* Reads digits at *text; false when there are none or the number is no CPU's. */
static bool read_cpu(const char **text, unsigned int *ret)
{
        unsigned int cpu = 0;
        const char *s = *text;

        for (; *s >= '0' && *s <= '9'; s++) {
                cpu = cpu * 10 + (unsigned int)(*s - '0');
                if (cpu >= CPUS_MAX)
                        return false;
        }
        if (s == *text)
                return false;
        *text = s;
        *ret = cpu;
        return true;
}

bool cpus_parse(const char *text, struct cpus *ret)
{
        struct cpus cpus = {.bits = {0}};

        while (*text) {
                unsigned int from, to;

                if (!read_cpu(&text, &from))
                        return false;
                to = from;
                if (*text == '-') {
                        text++;
                        if (!read_cpu(&text, &to) || to < from)
                                return false;
                }
                for (; from <= to; from++)
                        cpus_add(&cpus, from);
                if (*text && (*text != ',' || !text[1]))
                        return false;
                text += *text == ',';
        }
        *ret = cpus;
        return true;
}

char *cpus_format(const struct cpus *cpus)
{
        char *text = NULL;
        size_t size = 0;
        FILE *f = open_memstream(&text, &size);

        if (!f)
                return NULL;
        for (unsigned int i = 0, end; i < CPUS_MAX; i = end + 1) {
                for (end = i; end < CPUS_MAX && cpus_has(cpus, end); end++)
                        ;
                if (end > i)
                        (void)fprintf(f, end == i + 1 ? "%s%u" : "%s%u-%u", ftell(f) > 0 ? "," : "", i, end - 1);
        }
        if (fclose(f) != 0) { /* the stream's only fault is a lack of memory, told here */
                free(text);
                return NULL;
        }
        return text;
}

bool cpus_has(const struct cpus *cpus, unsigned int cpu)
{
        return cpu < CPUS_MAX && cpus->bits[cpu / 64] >> cpu % 64 & 1;
}

bool cpus_next(const struct cpus *cpus, unsigned int *cpu)
{
        for (unsigned int at = *cpu; at < CPUS_MAX; at = (at / 64 + 1) * 64) {
                uint64_t left = cpus->bits[at / 64] >> at % 64;

                if (left) {
                        *cpu = at + (unsigned int)__builtin_ctzll(left);
                        return true;
                }
        }
        return false;
}

void cpus_add(struct cpus *cpus, unsigned int cpu)
{
        if (cpu < CPUS_MAX)
                cpus->bits[cpu / 64] |= UINT64_C(1) << cpu % 64;
}

unsigned int cpus_count(const struct cpus *cpus)
{
        unsigned int n = 0;

        for (unsigned int i = 0; i < WORDS; i++)
                n += (unsigned int)__builtin_popcountll(cpus->bits[i]);
        return n;
}

bool cpus_is_empty(const struct cpus *cpus)
{
        for (unsigned int i = 0; i < WORDS; i++)
                if (cpus->bits[i])
                        return false;
        return true;
}

bool cpus_equal(const struct cpus *a, const struct cpus *b)
{
        return memcmp(a, b, sizeof(*a)) == 0;
}

bool cpus_intersect(const struct cpus *a, const struct cpus *b)
{
        struct cpus both = cpus_and(a, b);

        return !cpus_is_empty(&both);
}

struct cpus cpus_and(const struct cpus *a, const struct cpus *b)
{
        struct cpus ret;

        for (unsigned int i = 0; i < WORDS; i++)
                ret.bits[i] = a->bits[i] & b->bits[i];
        return ret;
}

struct cpus cpus_or(const struct cpus *a, const struct cpus *b)
{
        struct cpus ret;

        for (unsigned int i = 0; i < WORDS; i++)
                ret.bits[i] = a->bits[i] | b->bits[i];
        return ret;
}

struct cpus cpus_without(const struct cpus *a, const struct cpus *b)
{
        struct cpus ret;

        for (unsigned int i = 0; i < WORDS; i++)
                ret.bits[i] = a->bits[i] & ~b->bits[i];
        return ret;
}

int cpus_read(const char *which, struct cpus *ret, struct croft_error *err)
{
        _cleanup_free_ char *text = NULL;
        char path[64];
        int r;

        (void)snprintf(path, sizeof(path), "/sys/devices/system/cpu/%s", which);
        r = fd_read_file(AT_FDCWD, path, 65536, &text, NULL);
        if (r < 0)
                return croft_error_set(err, r, "read '%s'", path);
        text[strcspn(text, "\n")] = '\0';
        if (!cpus_parse(text, ret))
                return croft_error_set(err, EBADMSG, "read '%s'", path);
        return 0;
}
