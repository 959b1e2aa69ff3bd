/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * view_list.c - see view_list.h.
 */
#include "kstat/view_list.h"

#include <errno.h>
#include <stdbool.h>
#include <unistd.h>

#define TRIES 16
#define WORD sizeof(uint64_t)

static void put(void *to, const void *from, size_t size)
{
        for (size_t i = 0; i < size / WORD; i++) {
                uint64_t word;

                __builtin_memcpy(&word, (const char *)from + i * WORD, WORD);
                __atomic_store_n((uint64_t *)to + i, word, __ATOMIC_RELAXED);
        }
}

static void get(void *to, const void *from, size_t size)
{
        for (size_t i = 0; i < size / WORD; i++) {
                uint64_t word = __atomic_load_n((const uint64_t *)from + i, __ATOMIC_RELAXED);

                __builtin_memcpy((char *)to + i * WORD, &word, WORD);
        }
}

/* The sequence while it is written.  Of one that died while it wrote, too: not the same again. */
static uint32_t odd_after(uint32_t sequence)
{
        return (sequence + 1) | 1;
}

void view_list_write(struct view_list *area, const void *items, size_t size, size_t n, size_t max)
{
        uint32_t during = odd_after(__atomic_load_n(&area->sequence, __ATOMIC_RELAXED));

        n = n < max ? n : max;
        __atomic_store_n(&area->sequence, during, __ATOMIC_RELAXED);
        __atomic_thread_fence(__ATOMIC_RELEASE);
        put(area + 1, items, n * size);
        __atomic_store_n(&area->n, (uint32_t)n, __ATOMIC_RELAXED);
        __atomic_store_n(&area->sequence, during + 1, __ATOMIC_RELEASE);
}

static int write_at(int fd, const void *data, size_t size, off_t at)
{
        ssize_t n = pwrite(fd, data, size, at);

        return n < 0 ? -errno : (size_t)n < size ? -ENOSPC : 0;
}

/* Each of the three is a system call, so they are in order; only the lowest bit of a sequence changes at first. */
int view_list_write_at(int fd, off_t at, const void *items, size_t size, size_t n, size_t max)
{
        struct view_list head;
        int r;

        if (pread(fd, &head, sizeof(head), at) != sizeof(head))
                return -EIO;
        head.sequence = odd_after(head.sequence);
        r = write_at(fd, &head.sequence, sizeof(head.sequence), at + (off_t)offsetof(struct view_list, sequence));
        n = n < max ? n : max;
        if (r == 0 && n > 0)
                r = write_at(fd, items, n * size, at + (off_t)sizeof(head));
        if (r < 0)
                return r;
        head.sequence++;
        head.n = (uint32_t)n;
        return write_at(fd, &head, sizeof(head), at);
}

static bool copy(
        const struct view_list *area, void *ret, size_t size, size_t max, size_t *ret_n, uint32_t *ret_sequence)
{
        uint32_t sequence = __atomic_load_n(&area->sequence, __ATOMIC_ACQUIRE);
        size_t n = __atomic_load_n(&area->n, __ATOMIC_RELAXED);

        if (sequence & 1)
                return false;
        n = n < max ? n : max;
        get(ret, area + 1, n * size);
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        if (__atomic_load_n(&area->sequence, __ATOMIC_RELAXED) != sequence)
                return false;
        *ret_n = n;
        *ret_sequence = sequence;
        return true;
}

int view_list_read(
        const struct view_list *area, void *ret, size_t size, size_t max, size_t *ret_n, uint32_t *ret_sequence)
{
        for (int i = 0; i <= TRIES; i++)
                if (copy(area, ret, size, max, ret_n, ret_sequence))
                        return 0;
        return -EAGAIN;
}
