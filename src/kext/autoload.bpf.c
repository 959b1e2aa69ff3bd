/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 *
 * autoload.bpf.c - refuses what the kernel would load because of a program in a partition (KXT-30), and tells it.
 *
 * The kernel runs modprobe as root of global when it meets a name that it doesn't know: of a socket family, a kind of
 * link, a file system, a cipher.  Just before, in the context of who made it do so, it asks security_kernel_module_
 * request(); a refusal there is before any process is started and before the request is counted among the few that may
 * be under way.  It is an fmod_ret program, not one of the security module BPF, which not every kernel has in lsm=.
 *
 * Who isn't in a partition is let go, also where it can't be told (C-5 doesn't hold here): the machine has other
 * containers, and other instances of croft, which have programs of their own.
 */
#include "kext/autoload.bpf.h"

#include "plane/caller.bpf.h"
#include "plane/maps.bpf.h"

#include <stdbool.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct {
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(max_entries, PLANE_PARTITIONS_MAX);
        __uint(map_flags, BPF_F_NO_PREALLOC);
        __type(key, __u64);
        __type(value, struct autoload_book);
} autoload_books SEC(".maps");

struct {
        __uint(type, BPF_MAP_TYPE_RINGBUF);
        __uint(max_entries, 65536);
} autoload_told SEC(".maps");

/* Ciphers that are just being put together for a partition: the address of what the kernel has for one meanwhile (a
 * larval) leads to the partition.  One entry for each that is under way, which are no more than there are threads that
 * wait for one; what is older goes when there are more. */
struct {
        __uint(type, BPF_MAP_TYPE_LRU_HASH);
        __uint(max_entries, 16384);
        __type(key, __u64);
        __type(value, __u64);
} autoload_larvals SEC(".maps");

/* --- who asks --- */

#define KERNEL_THREAD 0x00200000 /* PF_KTHREAD */

static __always_inline bool is_builder(const struct task_struct *task)
{
        static const char name[] =
                "cryptomgr_probe"; /* as long as a name can be; nobody renames the kernel's threads */

        for (unsigned int i = 0; i < sizeof(name); i++)
                if (task->comm[i] != name[i])
                        return false;
        return true;
}

/* A cipher with parameters ("xts(camellia)") is put together by a thread of the kernel's own, which looks for its
 * parts: the partition for which it does so, 0: none. */
static __always_inline __u64 partition_of_builder(const struct task_struct *task)
{
        const struct kthread *thread;
        const struct cryptomgr_param *work;
        __u64 larval, *partition;

        if (!bpf_core_field_exists(task->worker_private) || !is_builder(task))
                return 0;
        thread = task->worker_private;
        work = BPF_CORE_READ(thread, data);
        larval = (__u64)BPF_CORE_READ(work, larval);
        partition = bpf_map_lookup_elem(&autoload_larvals, &larval);
        return partition ? *partition : 0;
}

/* 0: no partition.  *ret_own: it is croft that does something for the partition, in its control group but not in its
 * user namespace: before its init is there, or where it mounts what mount.allow lists. */
static __always_inline __u64 asking_partition(bool *ret_own)
{
        const struct task_struct *task = bpf_get_current_task_btf();
        __u64 partition = 0;

        *ret_own = false;
        if (task->flags & KERNEL_THREAD)
                return partition_of_builder(task);
        *ret_own = task->cred->user_ns->level == 0;
        return find_caller(&partition) < 0 ? 0 : partition;
}

#define REQUEST 0 /* CRYPTO_MSG_ALG_REQUEST */

/* In the context of who needs the cipher, before the thread is made, the kernel calls those who can make one, with what
 * it has for it.  crypto_probing_notify() would be more to the point, but compilers inline it.  So this sees all such
 * calls: other things that are noted are never looked up, and an address that was a partition's may be another's now:
 * nobody's cipher is under way without having come by here. */
SEC("fentry/blocking_notifier_call_chain")
int autoload_cipher(const __u64 *ctx)
{
        __u64 what = ctx[1], larval = ctx[2], partition;
        bool own;

        if (what != REQUEST)
                return 0;
        partition = asking_partition(&own);
        if (partition && !own)
                (void)map_put(&autoload_larvals, &larval, &partition, BPF_ANY);
        else
                (void)map_drop(&autoload_larvals, &larval);
        return 0;
}

/* --- what is told: each alias once in a run of the partition, and of many that there are more --- */

static const struct autoload_book blank;

static __always_inline struct autoload_book *book_of(__u64 partition)
{
        struct autoload_book *book = bpf_map_lookup_elem(&autoload_books, &partition);

        if (book)
                return book;
        (void)map_put(&autoload_books, &partition, &blank, BPF_NOEXIST);
        return bpf_map_lookup_elem(&autoload_books, &partition);
}

/* Of names that a partition chose on purpose two may have the same: the second isn't told then, and refused all the
 * same. */
static __always_inline __u64 hash_of(const struct autoload_ask *ask)
{
        const __u64 *words = (const __u64 *)ask->alias;
        __u64 hash = 0xcbf29ce484222325ULL;

#pragma unroll
        for (int i = 0; i < AUTOLOAD_ALIAS / 8; i++) {
                hash = (hash ^ words[i]) * 0x100000001b3ULL;
                hash ^= hash >> 29;
        }
        hash ^= ask->let;
        return hash ? hash : 1;
}

/* A place that becomes the hash's; NULL: it has been told, or there is none.  *ret_more: there is none. */
static __always_inline __u64 *take_place(struct autoload_book *book, __u64 hash, bool *ret_more)
{
        *ret_more = false;
        for (int i = 0; i < AUTOLOAD_TOLD; i++) {
                __u64 before = __sync_val_compare_and_swap(&book->told[i], 0, hash);

                if (before == hash)
                        return NULL;
                if (before == 0)
                        return &book->told[i];
        }
        *ret_more = true;
        return __sync_val_compare_and_swap(&book->more, 0, 1) == 0 ? &book->more : NULL;
}

/* Where there is no room in the ring, the next one is told. */
static __always_inline void tell(struct autoload_ask *ask)
{
        struct autoload_book *book = book_of(ask->partition);
        __u64 *place;
        bool more;

        if (!book)
                return;
        place = take_place(book, hash_of(ask), &more);
        if (!place)
                return;
        if (more)
                ask->alias[0] = '\0';
        if (bpf_ringbuf_output(&autoload_told, ask, sizeof(*ask), 0) < 0)
                (void)__sync_lock_test_and_set(place, 0);
}

/* What it answers is what the kernel's own answer is where nothing of that name can be loaded (C-12). */
SEC("fmod_ret/security_kernel_module_request")
int autoload_gate(const __u64 *ctx)
{
        struct autoload_ask ask = {.partition = 0};
        bool own;

        ask.partition = asking_partition(&own);
        if (!ask.partition)
                return 0;
        ask.let = own;
        (void)bpf_probe_read_kernel_str(ask.alias, sizeof(ask.alias), (const void *)ctx[0]);
        tell(&ask);
        return own ? 0 : -ENOENT;
}
