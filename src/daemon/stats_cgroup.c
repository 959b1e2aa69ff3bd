/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * stats_cgroup.c - figures out of the attributes of control groups, where there is no kernel plane.  See stats.h.
 *
 * Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst.  Pure.
 */
#include "base/cleanup.h"
#include "base/str.h"
#include "daemon/stats.h"

#include <inttypes.h>
#include <string.h>

#define V1_UNLIMITED (UINT64_MAX / 4) /* PAGE_COUNTER_MAX in bytes is above that */

struct key {
        const char *name;
        size_t offset; /* of a uint64_t in struct stats_partition */
        uint64_t unit;
};

static void take(const char *text, const struct key *keys, size_t n, struct stats_partition *p)
{
        for (; text && *text; text = strchr(text, '\n'), text = text ? text + 1 : NULL)
                for (size_t i = 0; i < n; i++) {
                        size_t length = strlen(keys[i].name);
                        uint64_t value;

                        if (strncmp(text, keys[i].name, length) != 0 || text[length] != ' ')
                                continue;
                        value = strtoull(text + length + 1, NULL, 10) * keys[i].unit;
                        memcpy((char *)p + keys[i].offset, &value, sizeof(value));
                }
}

void stats_parse_cpu_stat(const char *text, struct stats_partition *p)
{
        static const struct key keys[] = {{"user_usec", offsetof(struct stats_partition, time.user_ns), 1000},
                {"system_usec", offsetof(struct stats_partition, time.system_ns), 1000}};

        take(text, keys, ELEMENTS(keys), p);
}

#define BYTES(name, field) name, offsetof(struct stats_partition, memory.field), 1

void stats_parse_memory_stat(const char *text, struct stats_partition *p)
{
        /* The v1 names are those of the whole subtree; no name means one thing in v1 and another one in v2. */
        static const struct key keys[] = {{BYTES("anon", anon)}, {BYTES("total_rss", anon)}, {BYTES("file", file)},
                {BYTES("total_cache", file)}, {BYTES("shmem", shmem)}, {BYTES("total_shmem", shmem)},
                {BYTES("file_mapped", file_mapped)}, {BYTES("total_mapped_file", file_mapped)},
                {BYTES("file_dirty", file_dirty)}, {BYTES("total_dirty", file_dirty)},
                {BYTES("file_writeback", file_writeback)}, {BYTES("total_writeback", file_writeback)},
                {BYTES("inactive_anon", inactive_anon)}, {BYTES("total_inactive_anon", inactive_anon)},
                {BYTES("active_anon", active_anon)}, {BYTES("total_active_anon", active_anon)},
                {BYTES("inactive_file", inactive_file)}, {BYTES("total_inactive_file", inactive_file)},
                {BYTES("active_file", active_file)}, {BYTES("total_active_file", active_file)},
                {BYTES("unevictable", unevictable)}, {BYTES("total_unevictable", unevictable)},
                {BYTES("slab_reclaimable", slab_reclaimable)}, {BYTES("slab_unreclaimable", slab_unreclaimable)},
                {BYTES("kernel_stack", kernel_stack)}, {BYTES("pagetables", page_tables)}, {BYTES("pgfault", pgfault)},
                {BYTES("total_pgfault", pgfault)}, {BYTES("pgmajfault", pgmajfault)},
                {BYTES("total_pgmajfault", pgmajfault)}, {BYTES("total_swap", swap_usage)}};

        take(text, keys, ELEMENTS(keys), p);
}

/* The disk of that number, made if there is room; NULL: there is none. */
static struct stats_disk *disk_of(struct stats_partition *p, uint32_t major, uint32_t minor)
{
        struct stats_disk *d;

        for (size_t i = 0; i < p->n_disk; i++)
                if (p->disk[i].major == major && p->disk[i].minor == minor)
                        return &p->disk[i];
        if (p->n_disk == KSTAT_SAMPLE_DISKS)
                return NULL;
        d = &p->disk[p->n_disk++];
        *d = (struct stats_disk){.major = major, .minor = minor};
        (void)snprintf(d->name, sizeof(d->name), "%" PRIu32 ":%" PRIu32, major, minor);
        return d;
}

static void io_value(const char *word, const char *key, uint64_t *value)
{
        size_t length = strlen(key);

        if (strncmp(word, key, length) == 0 && word[length] == '=')
                *value = strtoull(word + length + 1, NULL, 10);
}

/* "8:0 rbytes=90112 wbytes=0 rios=22 wios=0 dbytes=0 dios=0" */
static void io_line(char *line, struct stats_partition *p)
{
        struct stats_disk *d;
        uint32_t major, minor;
        char *rest, *word;

        if (sscanf(line, "%" SCNu32 ":%" SCNu32, &major, &minor) != 2)
                return;
        d = disk_of(p, major, minor);
        word = d ? strtok_r(line, " ", &rest) : NULL;
        while (word && (word = strtok_r(NULL, " ", &rest))) {
                io_value(word, "rbytes", &d->read_bytes);
                io_value(word, "wbytes", &d->written_bytes);
                io_value(word, "rios", &d->reads);
                io_value(word, "wios", &d->writes);
        }
}

/* Copies lines out of the text, so that a line is a string. */
static const char *copy_line(const char *text, char *line, size_t size)
{
        size_t length = strcspn(text, "\n");

        (void)snprintf(line, size, "%.*s", (int)(length < size ? length : size - 1), text);
        return text[length] ? text + length + 1 : NULL;
}

void stats_parse_io_stat(const char *text, struct stats_partition *p)
{
        char line[512];

        while (text && *text) {
                text = copy_line(text, line, sizeof(line));
                io_line(line, p);
        }
}

void stats_parse_blkio(const char *text, bool count, struct stats_partition *p)
{
        char line[128], what[16];

        while (text && *text) {
                uint32_t major, minor;
                uint64_t value;
                struct stats_disk *d;

                text = copy_line(text, line, sizeof(line));
                if (sscanf(line, "%" SCNu32 ":%" SCNu32 " %15s %" SCNu64, &major, &minor, what, &value) != 4)
                        continue;
                d = disk_of(p, major, minor);
                if (d && strcmp(what, "Read") == 0)
                        *(count ? &d->reads : &d->read_bytes) = value;
                else if (d && strcmp(what, "Write") == 0)
                        *(count ? &d->writes : &d->written_bytes) = value;
        }
}

uint64_t stats_parse_number(const char *text)
{
        uint64_t value;
        size_t length = strspn(text, "0123456789");

        if (length == 0 || length > 20 || (text[length] && text[length] != '\n'))
                return STATS_NONE;
        value = strtoull(text, NULL, 10);
        return value >= V1_UNLIMITED ? STATS_NONE : value;
}
