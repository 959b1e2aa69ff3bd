/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * client.c - runs the pinned program `errlog`.  See client.h.
 */
#include "errlog/client.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/pinned.h"

#include <linux/bpf.h>
#include <string.h>
#include <time.h>

#define WAIT_NS 100000   /* a writer is in the kernel for some microseconds */
#define WAIT_MAX_MS 5000 /* but a virtual processor may be taken away from it meanwhile */
#define AGAIN_MAX 1000   /* each time somebody else has taken a record away */

int errlog_client_open(const char *directory)
{
        return pinned_open(directory, "errlog");
}

int errlog_client_open_books(const char *directory)
{
        return pinned_open(directory, "../errlog_books");
}

/* ret: the value, or the next key. */
static int ask_map(int command, int map, const void *key, void *ret)
{
        union bpf_attr attr;

        memset(&attr, 0, sizeof(attr));
        attr.map_fd = (uint32_t)map;
        attr.key = (uintptr_t)key;
        attr.value = (uintptr_t)ret; /* next_key is the same field */
        return pinned_bpf(command, &attr);
}

int errlog_client_next_book(int books, const uint64_t *last, uint64_t *key, struct errlog_book *ret)
{
        int r = ask_map(BPF_MAP_GET_NEXT_KEY, books, last, key);

        if (r < 0)
                return r;
        r = ask_map(BPF_MAP_LOOKUP_ELEM, books, key, ret);
        if (r == -ENOENT) /* it has just gone */
                *ret = (struct errlog_book){.first = 1, .next = 1};
        return r == -ENOENT ? 0 : r;
}

int errlog_client_call(int program, struct errlog_call *call)
{
        int result = -EIO, r = pinned_run(program, call, sizeof(*call), &result);

        if (r < 0)
                return r == -ENOMEM ? r : -EIO;
        return result;
}

int errlog_client_book(int program, uint64_t partition, struct errlog_book *ret)
{
        const struct timespec pause = {.tv_nsec = WAIT_NS};

        for (int64_t begin = now_ms(); now_ms() - begin < WAIT_MAX_MS;) {
                struct errlog_call call = {.op = ERRLOG_OP_BOOK, .partition = partition};
                int r = errlog_client_call(program, &call);

                if (r < 0)
                        return r;
                if (call.book.ended == call.book.next - 1) {
                        *ret = call.book;
                        return 0;
                }
                (void)nanosleep(&pause, NULL);
        }
        return -EAGAIN;
}

unsigned int errlog_client_count(const struct errlog_book *book)
{
        unsigned int n = 0;

        for (size_t i = 0; i < ELEMENTS(book->used); i++)
                n += (unsigned int)__builtin_popcountll(book->used[i]);
        return n;
}

int errlog_client_next(
        int program, uint64_t partition, const struct errlog_book *book, uint64_t *seq, struct errlog_record *ret)
{
        for (int i = 0; i < AGAIN_MAX; i++) {
                struct errlog_call call = {.op = ERRLOG_OP_READ, .partition = partition, .seq = *seq};
                int r = errlog_client_call(program, &call);

                if (r == -EAGAIN)
                        continue;
                if (r < 0)
                        return r;
                if (call.record.seq >= book->next)
                        return -ENOENT;
                *ret = call.record;
                *seq = call.record.seq;
                return 0;
        }
        return -EAGAIN;
}
