/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * view_disks.c - a list of block devices in memory that several processes share.  See view_disks.h.
 *
 * Everything is copied word by word with relaxed atomics, between fences: what was read while somebody wrote is never
 * looked at, only thrown away.
 */
#include "kstat/view_disks.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define TRIES 16
#define MAJOR_MAX 0xfffu /* dev_t of the kernel */
#define MINOR_MAX 0xfffffu

_Static_assert(sizeof(struct view_disk) % sizeof(uint64_t) == 0, "copied by words");
_Static_assert(offsetof(struct view_disks, list) % sizeof(uint64_t) == 0, "copied by words");

/* --- the writer --- */

static void put(struct view_disk *to, const struct view_disk *from)
{
        uint64_t words[sizeof(*from) / sizeof(uint64_t)];

        memcpy(words, from, sizeof(words));
        for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
                __atomic_store_n((uint64_t *)(void *)to + i, words[i], __ATOMIC_RELAXED);
}

void view_disks_write(struct view_disks *area, const struct view_disk *list, size_t n)
{
        uint32_t before = __atomic_load_n(&area->sequence, __ATOMIC_RELAXED);
        uint32_t during = (before + 1) | 1; /* of one that died while it wrote, too: not the same again */

        if (n > VIEW_DISKS_MAX)
                n = VIEW_DISKS_MAX;
        __atomic_store_n(&area->sequence, during, __ATOMIC_RELAXED);
        __atomic_thread_fence(__ATOMIC_RELEASE);
        for (size_t i = 0; i < n; i++)
                put(&area->list[i], &list[i]);
        __atomic_store_n(&area->n, (uint32_t)n, __ATOMIC_RELAXED);
        __atomic_store_n(&area->sequence, during + 1, __ATOMIC_RELEASE);
}

/* --- the reader --- */

static void get(const struct view_disk *from, struct view_disk *to)
{
        uint64_t words[sizeof(*to) / sizeof(uint64_t)];

        for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
                words[i] = __atomic_load_n((const uint64_t *)(const void *)from + i, __ATOMIC_RELAXED);
        memcpy(to, words, sizeof(words));
}

/* Nothing that would be another file, or another line where names are listed. */
static bool is_name(const char *name)
{
        for (const char *at = name; *at; at++)
                if (*at <= ' ' || *at == '/' || *at == 0x7f)
                        return false;
        return name[0] && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static bool is_like(const struct view_disk *a, const struct view_disk *b)
{
        return strcmp(a->name, b->name) == 0 || (a->major == b->major && a->minor == b->minor);
}

/* Makes a device as it was found fit to be shown beside those before it. */
static bool accept(struct view_disk *disk, const struct view_disk *before, size_t n)
{
        disk->name[sizeof(disk->name) - 1] = '\0';
        disk->file[sizeof(disk->file) - 1] = '\0';
        if (!is_name(disk->name) || disk->major > MAJOR_MAX || disk->minor > MINOR_MAX)
                return false;
        for (size_t i = 0; i < n; i++)
                if (is_like(disk, &before[i]))
                        return false;
        return true;
}

static bool copy(
        const struct view_disks *area, struct view_disk *ret, size_t max, size_t *ret_n, uint32_t *ret_sequence)
{
        uint32_t sequence = __atomic_load_n(&area->sequence, __ATOMIC_ACQUIRE);
        size_t n = __atomic_load_n(&area->n, __ATOMIC_RELAXED);

        if (sequence & 1)
                return false;
        n = n < max ? n : max;
        n = n < VIEW_DISKS_MAX ? n : VIEW_DISKS_MAX;
        for (size_t i = 0; i < n; i++)
                get(&area->list[i], &ret[i]);
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        if (__atomic_load_n(&area->sequence, __ATOMIC_RELAXED) != sequence)
                return false;
        *ret_n = n;
        *ret_sequence = sequence;
        return true;
}

ssize_t view_disks_read(const struct view_disks *area, struct view_disk *ret, size_t max, uint32_t *ret_sequence)
{
        size_t n = 0, kept = 0;

        for (int i = 0; !copy(area, ret, max, &n, ret_sequence); i++)
                if (i == TRIES)
                        return -EAGAIN;
        for (size_t i = 0; i < n; i++) {
                struct view_disk disk = ret[i];

                if (accept(&disk, ret, kept))
                        ret[kept++] = disk;
        }
        return (ssize_t)kept;
}
