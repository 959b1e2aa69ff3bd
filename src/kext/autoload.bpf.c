/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 *
 * autoload.bpf.c - refuses what the kernel would load because of a program in a partition (KXT-30), and tells it; what
 * the partition is granted it has wait for croftd.
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
        hash ^= ask->fate;
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

/* --- what is granted ---
 *
 * It is let go, and the modprobe that the kernel starts then is stopped before its first instruction, until croftd has
 * judged, has loaded global's own copy and lets it go on: it finds everything there, and has nothing to do.  So whoever
 * asked waits as long as ever, and gets what he would get on a machine of his own.
 *
 * Only while there is a croftd: who asks may hold what others of the machine wait for (rtnl_lock()). */

struct {
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(max_entries, 65536);
        __uint(map_flags, BPF_F_NO_PREALLOC);
        __type(key, struct autoload_name);
        __type(value, struct autoload_leave);
} autoload_names SEC(".maps");

struct {
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(max_entries, AUTOLOAD_WAITING_MAX);
        __type(key, struct autoload_place);
        __type(value, struct autoload_helper);
} autoload_waiting SEC(".maps");

/* Of those below there are no more than the kernel has requests under way, but for what killed ones have left. */
#define UNDER_WAY_MAX 1024

/* When those were started that the kernel has started for partitions, by their numbers. */
struct {
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(max_entries, UNDER_WAY_MAX);
        __type(key, __u64);
        __type(value, __u64);
} autoload_helpers SEC(".maps");

/* From the one who asks to the process that is started for him: by the address of what the kernel knows of that, and
 * then by the number of the process, since the address may be another's before modprobe is executed. */
struct {
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(max_entries, UNDER_WAY_MAX);
        __type(key, __u64);
        __type(value, struct autoload_ask);
} autoload_starting SEC(".maps");

struct {
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(max_entries, UNDER_WAY_MAX);
        __type(key, __u64);
        __type(value, struct autoload_ask);
} autoload_begun SEC(".maps");

/* Threads that were seen by a program of a croftd that lives, and not yet by the one that asks for that. */
struct {
        __uint(type, BPF_MAP_TYPE_LRU_HASH);
        __uint(max_entries, UNDER_WAY_MAX);
        __type(key, __u64); /* bpf_get_current_pid_tgid() */
        __type(value, __u64);
} autoload_marked SEC(".maps");

/* Threads of croftd that have the kernel load something, and for which partition. */
struct {
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(max_entries, UNDER_WAY_MAX);
        __type(key, __u64);
        __type(value, __u64);
} autoload_loading SEC(".maps");

enum verdict { NOT_GRANTED, GRANTED, NOT_NOW };

static __always_inline enum verdict judge_leave(const struct autoload_leave *leave)
{
        if (!leave)
                return NOT_GRANTED;
        return bpf_ktime_get_ns() >= leave->until_ns ? GRANTED : NOT_NOW;
}

/* Its own entry comes first: what has just failed it isn't to have at once again. */
static __always_inline enum verdict judge(const struct autoload_ask *ask)
{
        struct autoload_name name = {.partition = ask->partition};
        enum verdict all = judge_leave(bpf_map_lookup_elem(&autoload_names, &name)), own;

        for (int i = 0; i < AUTOLOAD_ALIAS; i++)
                name.alias[i] = ask->alias[i] == '-' ? '_' : ask->alias[i];
        own = judge_leave(bpf_map_lookup_elem(&autoload_names, &name));
        if (own != NOT_GRANTED || all == NOT_GRANTED)
                return own;
        name.partition = 0;
        own = judge_leave(bpf_map_lookup_elem(&autoload_names, &name));
        return own == GRANTED ? all : own;
}

static __always_inline bool has_place(__u64 partition)
{
        struct autoload_place place = {.partition = partition};

        for (int i = 0; i < AUTOLOAD_HELPERS; i++) {
                place.place = (__u64)i;
                if (!bpf_map_lookup_elem(&autoload_waiting, &place))
                        return true;
        }
        return false;
}

/* What kmod_call_modprobe() of the kernel starts: modprobe -q -- ALIAS. */
static __always_inline bool is_modprobe(const struct subprocess_info *info, struct autoload_ask *ask)
{
        const char *words[4] = {NULL};
        char flag[4] = "";

        if (bpf_probe_read_kernel(words, sizeof(words), BPF_CORE_READ(info, argv)) < 0 || !words[1] || !words[2] ||
                !words[3])
                return false;
        if (bpf_probe_read_kernel_str(flag, sizeof(flag), words[1]) != 3 || flag[0] != '-' || flag[1] != 'q')
                return false;
        if (bpf_probe_read_kernel_str(flag, sizeof(flag), words[2]) != 3 || flag[0] != '-' || flag[1] != '-')
                return false;
        return bpf_probe_read_kernel_str(ask->alias, sizeof(ask->alias), words[3]) > 1;
}

/* In the context of who asks.  The gate has let it go; what is granted may be less by now, and croftd judges. */
SEC("fentry/call_usermodehelper_exec")
int autoload_start(const __u64 *ctx)
{
        struct autoload_ask ask = {.fate = AUTOLOAD_WAITS};
        __u64 info = ctx[0];
        bool own;

        (void)map_drop(&autoload_starting, &info); /* the address may have been another's */
        ask.partition = asking_partition(&own);
        if (ask.partition && !own && is_modprobe((const struct subprocess_info *)info, &ask))
                (void)map_put(&autoload_starting, &info, &ask, BPF_ANY);
        return 0;
}

/* In the new process, before it executes modprobe: from now on it loads nothing. */
SEC("fentry/call_usermodehelper_exec_async")
int autoload_begin(const __u64 *ctx)
{
        __u64 info = ctx[0], self = bpf_get_current_pid_tgid() >> 32, start_ns;
        struct autoload_ask *found = bpf_map_lookup_elem(&autoload_starting, &info), ask;

        (void)map_drop(&autoload_begun, &self); /* the number may have been that of one that couldn't be executed */
        if (!found)
                return 0;
        ask = *found;
        (void)map_drop(&autoload_starting, &info);
        start_ns = bpf_get_current_task_btf()->start_boottime;
        if (map_put(&autoload_helpers, &self, &start_ns, BPF_ANY) < 0)
                ask.fate = AUTOLOAD_REFUSED; /* autoload_stop ends it */
        (void)map_put(&autoload_begun, &self, &ask, BPF_ANY);
        return 0;
}

static __always_inline void mark(void)
{
        __u64 self = bpf_get_current_pid_tgid();
        const __u64 one = 1;

        (void)map_put(&autoload_marked, &self, &one, BPF_ANY);
}

static __always_inline bool is_marked(void)
{
        __u64 self = bpf_get_current_pid_tgid();

        return map_drop(&autoload_marked, &self) == 0;
}

/* In the same place as autoload_begin, before or after it.  Its link isn't pinned: it goes with croftd. */
SEC("fentry/call_usermodehelper_exec_async")
int autoload_alive_begin(const __u64 *ctx)
{
        __u64 info = ctx[0], self = bpf_get_current_pid_tgid() >> 32;

        if (bpf_map_lookup_elem(&autoload_starting, &info) || bpf_map_lookup_elem(&autoload_begun, &self))
                mark();
        return 0;
}

#define SIGNAL_KILL 9
#define SIGNAL_STOP 19

/* false: as many wait already as may. */
static __always_inline bool take_helper_place(const struct autoload_helper *helper, struct autoload_place *place)
{
        for (int i = 0; i < AUTOLOAD_HELPERS; i++) {
                place->place = (__u64)i;
                if (map_put(&autoload_waiting, place, helper, BPF_NOEXIST) == 0)
                        return true;
        }
        return false;
}

/* In this order: whoever finds its place may let it go on at once, and then forgets it. */
static __always_inline bool make_wait(const struct autoload_ask *ask, const struct autoload_helper *helper)
{
        struct autoload_place place = {.partition = ask->partition};

        if (ask->fate != AUTOLOAD_WAITS || bpf_send_signal(SIGNAL_STOP) < 0 || !take_helper_place(helper, &place))
                return false;
        if (bpf_ringbuf_output(&autoload_told, (void *)ask, sizeof(*ask), 0) == 0)
                return true;
        (void)map_drop(&autoload_waiting, &place);
        return false;
}

/* When it has been executed, and hasn't begun. */
SEC("fexit/call_usermodehelper_exec_async")
int autoload_stop(const __u64 *ctx)
{
        const struct task_struct *task = bpf_get_current_task_btf();
        struct autoload_helper helper = {.pid = (__u32)task->tgid, .start_ns = task->start_boottime};
        struct autoload_ask *found = bpf_map_lookup_elem(&autoload_begun, &helper.pid), ask;
        bool alive = is_marked();

        (void)ctx;
        if (!found)
                return 0;
        ask = *found;
        (void)map_drop(&autoload_begun, &helper.pid);
        __builtin_memcpy(helper.alias, ask.alias, sizeof(helper.alias));
        if (alive && make_wait(&ask, &helper))
                return 0;
        if (bpf_send_signal(SIGNAL_KILL) == 0)
                (void)map_drop(&autoload_helpers, &helper.pid);
        ask.fate = AUTOLOAD_LATER;
        tell(&ask);
        return 0;
}

static __always_inline bool is_helper(const struct task_struct *task)
{
        __u64 pid = (__u32)BPF_CORE_READ(task, tgid), *start_ns = bpf_map_lookup_elem(&autoload_helpers, &pid);

        return start_ns && *start_ns == BPF_CORE_READ(task, group_leader, start_boottime);
}

#define GENERATIONS                                                                                                    \
        4 /* modprobe, a shell for the command that modprobe.d(5) has for a module, modprobe, and one more */

static __always_inline int refuse_helper(void)
{
        const struct task_struct *task = bpf_get_current_task_btf();

        for (int i = 0; i < GENERATIONS && task; i++) {
                if (is_helper(task))
                        return -EPERM;
                task = BPF_CORE_READ(task, real_parent);
        }
        return 0;
}

/* By descriptor, and, packed in a way that the kernel doesn't know, by address. */
SEC("fmod_ret/security_kernel_read_file")
int autoload_refuse_file(const __u64 *ctx)
{
        (void)ctx;
        return refuse_helper();
}

SEC("fmod_ret/security_kernel_load_data")
int autoload_refuse_data(const __u64 *ctx)
{
        (void)ctx;
        return refuse_helper();
}

/* --- the gate --- */

/* Its link isn't pinned: it goes with croftd.  Programs of this type are run before the gate, which may not be run:
 * that of another instance has refused what is its own. */
SEC("fentry/security_kernel_module_request")
int autoload_alive(const __u64 *ctx)
{
        bool own;

        (void)ctx;
        if (asking_partition(&own))
                mark();
        return 0;
}

static __always_inline int decide(struct autoload_ask *ask, bool own, bool alive)
{
        enum verdict verdict = own ? NOT_GRANTED : judge(ask);

        if (verdict == GRANTED && alive && has_place(ask->partition))
                return 0;
        ask->fate = own ? AUTOLOAD_LET : verdict == NOT_GRANTED ? AUTOLOAD_REFUSED : AUTOLOAD_LATER;
        tell(ask);
        return own ? 0 : -ENOENT;
}

/* What it answers is what the kernel's own answer is where nothing of that name can be loaded (C-12). */
SEC("fmod_ret/security_kernel_module_request")
int autoload_gate(const __u64 *ctx)
{
        __u64 self = bpf_get_current_pid_tgid(), *loading;
        struct autoload_ask ask = {.partition = 0};
        bool own, alive = is_marked();

        ask.partition = asking_partition(&own);
        loading = ask.partition ? NULL : bpf_map_lookup_elem(&autoload_loading, &self);
        if (loading) { /* what croftd has loaded for a partition begins by looking for more */
                ask.partition = *loading;
                own = true;
        }
        if (!ask.partition)
                return 0;
        (void)bpf_probe_read_kernel_str(ask.alias, sizeof(ask.alias), (const void *)ctx[0]);
        return decide(&ask, own, alive);
}
