/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cgroup_translate.c - limits in the words of cgroup v2, checked and translated to those of v1.  Pure functions, see
 * cgroup_parse.h.
 */
#include "kernel/cgroup_parse.h"

#include "base/cleanup.h"
#include "base/str.h"

#include <inttypes.h>
#include <string.h>

#define WEIGHT_USUAL 100
#define SHARES_USUAL 1024
#define SHARES_MIN 2
#define SHARES_MAX 262144

const char *const cgroup_io_key_name[CGROUP_IO_KEYS] = {"rbps", "wbps", "riops", "wiops"};

uint64_t cgroup_weight_to_shares(uint64_t weight)
{
        uint64_t shares = (weight * SHARES_USUAL + WEIGHT_USUAL / 2) / WEIGHT_USUAL;

        return shares < SHARES_MIN ? SHARES_MIN : shares > SHARES_MAX ? SHARES_MAX : shares;
}

uint64_t cgroup_shares_to_weight(uint64_t shares)
{
        uint64_t weight = (shares * WEIGHT_USUAL + SHARES_USUAL / 2) / SHARES_USUAL;

        return weight < 1 ? 1 : weight > 10000 ? 10000 : weight;
}

bool cgroup_parse_cpu_max(const char *text, uint64_t *ret_quota, uint64_t *ret_period)
{
        uint64_t quota = UINT64_MAX, period = 0;
        size_t n = strcspn(text, " ");
        char word[24];

        if (n == 0 || n >= sizeof(word))
                return false;
        memcpy(word, text, n);
        word[n] = '\0';
        /* The kernel keeps the quota in ns below 2^44. */
        if (strcmp(word, "max") != 0 && (!str_to_u64(word, UINT64_C(1) << 44, &quota) || quota < 1000))
                return false;
        text += n + (text[n] == ' ');
        if (*text && (!str_to_u64(text, 1000000, &period) || period < 1000))
                return false;
        *ret_quota = quota;
        *ret_period = period;
        return true;
}

/* Reads a number of at most six digits and moves on; false: there is none. */
static bool take_cpu(const char **p, unsigned int *ret)
{
        size_t n = strspn(*p, "0123456789");

        if (n == 0 || n > 6)
                return false;
        *ret = (unsigned int)strtoul(*p, NULL, 10);
        *p += n;
        return true;
}

bool cgroup_is_cpu_list(const char *text)
{
        unsigned int first, last;

        do {
                if (!take_cpu(&text, &first))
                        return false;
                last = first;
                if (*text == '-') {
                        text++;
                        if (!take_cpu(&text, &last) || last < first)
                                return false;
                }
        } while (*text == ',' && text++);
        return *text == '\0';
}

struct cgroup_io_limit *cgroup_io_device(struct cgroup_io_limits *limits, uint32_t major, uint32_t minor)
{
        struct cgroup_io_limit *d;

        for (size_t i = 0; i < limits->count; i++)
                if (limits->device[i].major == major && limits->device[i].minor == minor)
                        return &limits->device[i];
        if (limits->count == CGROUP_IO_DEVICES_MAX)
                return NULL;
        d = &limits->device[limits->count++];
        *d = (struct cgroup_io_limit){.major = major, .minor = minor};
        for (int k = 0; k < CGROUP_IO_KEYS; k++)
                d->value[k] = UINT64_MAX;
        return d;
}

static bool parse_device(const char *word, uint32_t *ret_major, uint32_t *ret_minor)
{
        const char *colon = strchr(word, ':');
        uint64_t major, minor;
        char first[16];

        if (!colon || (size_t)(colon - word) >= sizeof(first))
                return false;
        memcpy(first, word, (size_t)(colon - word));
        first[colon - word] = '\0';
        if (!str_to_u64(first, 0xfff, &major) || !str_to_u64(colon + 1, 0xfffff, &minor))
                return false;
        *ret_major = (uint32_t)major;
        *ret_minor = (uint32_t)minor;
        return true;
}

/* "rbps=64M" */
static bool parse_io_word(char *word, struct cgroup_io_limit *limit)
{
        char *equals = strchr(word, '=');
        uint64_t value;

        if (!equals)
                return false;
        *equals = '\0';
        for (int k = 0; k < CGROUP_IO_KEYS; k++) {
                if (strcmp(word, cgroup_io_key_name[k]) != 0)
                        continue;
                if (!str_to_size(equals + 1, &value) || value == 0)
                        return false;
                if (k >= CGROUP_IO_RIOPS && value >= UINT32_MAX && value != UINT64_MAX)
                        return false; /* the kernel counts operations in 32 bits and takes the rest for no limit */
                limit->value[k] = value;
                return true;
        }
        return false;
}

static int parse_io_line(char *line, struct cgroup_io_limits *limits)
{
        struct cgroup_io_limit *limit;
        uint32_t major, minor;
        char *save = NULL, *word = strtok_r(line, " \t", &save);

        if (!word)
                return 0;
        if (!parse_device(word, &major, &minor))
                return -EINVAL;
        limit = cgroup_io_device(limits, major, minor);
        if (!limit)
                return -E2BIG;
        word = strtok_r(NULL, " \t", &save);
        if (!word)
                return -EINVAL;
        for (; word; word = strtok_r(NULL, " \t", &save))
                if (!parse_io_word(word, limit))
                        return -EINVAL;
        return 0;
}

int cgroup_parse_io_max(const char *text, struct cgroup_io_limits *ret)
{
        _cleanup_free_ char *copy = strdup(text);
        struct cgroup_io_limits limits = {0};
        char *save = NULL;

        if (!copy)
                return -ENOMEM;
        if (strcmp(text, "max") != 0) {
                for (char *line = strtok_r(copy, "\n;", &save); line; line = strtok_r(NULL, "\n;", &save)) {
                        int r = parse_io_line(line, &limits);

                        if (r < 0)
                                return r;
                }
        }
        *ret = limits;
        return 0;
}

void cgroup_io_add_v1(struct cgroup_io_limits *limits, enum cgroup_io_key key, const char *text)
{
        while (*text) {
                size_t n = strcspn(text, "\n");
                unsigned int major, minor;
                uint64_t value;
                struct cgroup_io_limit *limit;

                if (sscanf(text, "%u:%u %" SCNu64, &major, &minor, &value) == 3) {
                        limit = cgroup_io_device(limits, major, minor);
                        if (limit)
                                limit->value[key] = value;
                }
                text += n + (text[n] == '\n');
        }
}

/* Has the device any limit? */
static bool io_is_limited(const struct cgroup_io_limit *d)
{
        for (int k = 0; k < CGROUP_IO_KEYS; k++)
                if (d->value[k] != UINT64_MAX)
                        return true;
        return false;
}

char *cgroup_io_format(const struct cgroup_io_limits *limits)
{
        char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        if (!f)
                return NULL;
        for (size_t i = 0, lines = 0; i < limits->count; i++) {
                const struct cgroup_io_limit *d = &limits->device[i];

                if (!io_is_limited(d))
                        continue;
                (void)fprintf(f, "%s%u:%u", lines++ ? "\n" : "", d->major, d->minor);
                for (int k = 0; k < CGROUP_IO_KEYS; k++) {
                        if (d->value[k] == UINT64_MAX)
                                (void)fprintf(f, " %s=max", cgroup_io_key_name[k]);
                        else
                                (void)fprintf(f, " %s=%" PRIu64, cgroup_io_key_name[k], d->value[k]);
                }
        }
        if (fclose(f) != 0) { /* the stream's only fault is a lack of memory, told here */
                free(text);
                return NULL;
        }
        return text;
}

bool cgroup_memsw_first(uint64_t old_memsw, uint64_t new_memsw)
{
        return new_memsw >= old_memsw;
}

bool cgroup_period_first(uint64_t old_period, uint64_t new_period)
{
        return new_period > old_period;
}
