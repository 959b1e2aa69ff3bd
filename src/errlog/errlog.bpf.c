/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 *
 * errlog.bpf.c - the record of errors: written and read by whoever runs `errlog`, and by the kernel itself where it
 * kills a process for want of memory.  See errlog.bpf.h.
 */
#include "errlog/recorder.bpf.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#include "errlog/kernel_messages.h"
#include "plane/clock.bpf.h"
#include "plane/copy.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* How deep the pid namespaces of partitions are; set before loading. */
const volatile __u32 pid_level = 1;

/* --- who records --- */

static __always_inline __u32 number_inside(struct pid *pid)
{
        int nr = 0;

        if (pid && BPF_CORE_READ(pid, level) >= pid_level)
                bpf_core_read(&nr, sizeof(nr),
                        (void *)&pid->numbers[0] + (__u64)pid_level * bpf_core_type_size(struct upid) +
                                bpf_core_field_offset(struct upid, nr));
        return (__u32)nr;
}

static __always_inline void set_current(struct errlog_record *record)
{
        struct task_struct *task = bpf_get_current_task_btf();
        __u64 numbers = bpf_get_current_pid_tgid();

        record->pid = (__u32)(numbers >> 32);
        record->tid = (__u32)numbers;
        record->tid_inside = number_inside(task->thread_pid);
        record->pid_inside = record->tid_inside;
        if (record->pid != record->tid)
                record->pid_inside = number_inside(task->group_leader->thread_pid);
}

/* --- on behalf of the caller --- */

static __always_inline bool may_write(const struct errlog_call *call, __u64 caller)
{
        __u8 source = call->record.source;

        if (source == ERRLOG_REMOTE)
                return !caller;
        return source == ERRLOG_LIBRARY || source == ERRLOG_PROGRAM || source == ERRLOG_SCRIPT;
}

/* All but partition and number, which are the first two words. */
#define COPY_RECORD(to, from) COPY_SOME_WORDS(to, from, 2, WORDS(struct errlog_record))

static __always_inline int write(struct errlog_call *call, struct errlog_book *book, __u64 partition, __u64 caller)
{
        __u32 part = caller ? ERRLOG_PART_OWN : ERRLOG_PART_RESERVED;
        struct errlog_record *record;
        struct errlog_writing w = {};

        if (!may_write(call, caller) || call->record.severity > ERRLOG_INFO || call->record.args_size > ERRLOG_ARGS ||
                call->record.n_args > ERRLOG_ARGS_MAX)
                return -EINVAL;
        if (!errlog_begin(book, partition, part, &w))
                return -ENOMEM;
        record = w.record;
        COPY_RECORD(record, call);
        record->partition = partition;
        record->part = (__u8)part;
        if (caller || !call->record.attempt)
                record->attempt = book->attempt;
        if (call->record.cause >= w.seq)
                record->cause = 0;
        record->boot_ns = (__s64)bpf_ktime_get_boot_ns();
        set_current(record);
        call->seq = w.seq;
        errlog_end(book, &w);
        return 0;
}

/* For a walk over a book's slots. */
struct walk {
        __u64 partition;
        __u64 seq; /* from which on, or below which */
        __u64 found;
        __u64 slot; /* of that */
};

static long find_next(__u32 i, struct walk *walk)
{
        struct errlog_key key = {.partition = walk->partition, .slot = i};
        const struct errlog_record *record = bpf_map_lookup_elem(&errlog_records, &key);
        __u64 seq = record ? *(const volatile __u64 *)&record->seq : 0;

        if (seq && seq >= walk->seq && seq < walk->found) {
                walk->found = seq;
                walk->slot = i;
        }
        return 0;
}

/* `ended` before `next`: if they fit, all that had begun by the second look had ended by the first.  The other way
 * round, one that begins and ends between both looks would stand for one that has begun and not ended. */
static __always_inline void copy_book(struct errlog_call *call, struct errlog_book *book)
{
        __u64 ended = __sync_fetch_and_add(&book->ended, 0);

        COPY_WORDS(&call->book, book, WORDS(*book));
        *(volatile __u64 *)&call->book.ended = ended;
        call->book.attempt_ns = callers_boottime(call->book.attempt_ns);
}

/* What is copied may go meanwhile, and another come in its place: its number is looked at again afterwards. */
static __always_inline int read(struct errlog_call *call, const struct errlog_book *book, __u64 partition, __u64 caller)
{
        __u64 first = *(const volatile __u64 *)&book->first;
        struct walk walk = {.partition = partition, .seq = call->seq > first ? call->seq : first, .found = ~0ULL};
        struct errlog_key key = {.partition = partition};
        struct errlog_record *record;

        bpf_loop(ERRLOG_SLOTS, find_next, &walk, 0);
        if (walk.found == ~0ULL)
                return -ENOENT;
        key.slot = walk.slot;
        record = bpf_map_lookup_elem(&errlog_records, &key);
        if (!record)
                return -EAGAIN;
        COPY_RECORD(call, record);
        if (__sync_fetch_and_add(&record->seq, 0) != walk.found) {
                COPY_RECORD(call, &errlog_blank);
                return -EAGAIN;
        }
        call->record.partition = partition;
        call->record.seq = walk.found;
        call->record.boot_ns = callers_boottime(call->record.boot_ns);
        if (caller) {
                call->record.pid = 0;
                call->record.tid = 0;
        }
        return 0;
}

static long remove_one(__u32 i, struct walk *walk)
{
        struct errlog_key key = {.partition = walk->partition, .slot = i};
        struct errlog_record *record = bpf_map_lookup_elem(&errlog_records, &key);
        struct errlog_book *book;

        if (!record || *(volatile __u64 *)&record->seq != walk->seq)
                return 0;
        book = bpf_map_lookup_elem(&errlog_books, &walk->partition);
        walk->found = book && errlog_take(book, record, walk->seq, i);
        return 1;
}

static __always_inline int remove(const struct errlog_call *call, __u64 partition)
{
        struct walk walk = {.partition = partition, .seq = call->seq};

        if (walk.seq)
                bpf_loop(ERRLOG_SLOTS, remove_one, &walk, 0);
        return walk.found ? 0 : -ENOENT;
}

static long clear_one(__u32 i, struct walk *walk)
{
        struct errlog_key key = {.partition = walk->partition, .slot = i};
        struct errlog_record *record = bpf_map_lookup_elem(&errlog_records, &key);
        __u64 seq = record ? *(volatile __u64 *)&record->seq : 0;
        struct errlog_book *book;

        if (!seq || seq >= walk->seq)
                return 0;
        book = bpf_map_lookup_elem(&errlog_books, &walk->partition);
        if (book)
                (void)errlog_take(book, record, seq, i);
        return 0;
}

/* What is being written just now goes with what is there: its writer sees to that (errlog_end()). */
static __always_inline void clear(struct errlog_book *book, __u64 partition)
{
        struct walk walk = {.partition = partition, .seq = __sync_fetch_and_add(&book->next, 0)};

        (void)__sync_lock_test_and_set(&book->first, walk.seq);
        bpf_loop(ERRLOG_SLOTS, clear_one, &walk, 0);
        for (int i = 0; i < 2; i++)
                __sync_fetch_and_sub(&book->refused[i], book->refused[i]);
}

static __always_inline void begin(const struct errlog_call *call, struct errlog_book *book, __u64 partition)
{
        clear(book, partition);
        COPY_WORDS(book->operation, call->book.operation, sizeof(book->operation) / 8);
        book->attempt_ns = (__s64)bpf_ktime_get_boot_ns();
        __sync_fetch_and_add(&book->attempt, 1);
}

SEC("syscall")
int errlog(struct errlog_call *call)
{
        struct errlog_book *book;
        __u64 caller = 0, partition;
        int r = find_caller(&caller);

        if (r < 0)
                return r;
        if (caller && call->partition && call->partition != caller)
                return -EPERM;
        partition = caller ? caller : call->partition;
        book = bpf_map_lookup_elem(&errlog_books, &partition);
        if (!book)
                return -ESRCH;
        switch (call->op) {
        case ERRLOG_OP_BOOK:
                break;
        case ERRLOG_OP_READ:
                return read(call, book, partition, caller);
        case ERRLOG_OP_WRITE:
                return write(call, book, partition, caller);
        case ERRLOG_OP_REMOVE:
                return caller ? -EPERM : remove(call, partition);
        case ERRLOG_OP_CLEAR:
                if (caller)
                        return -EPERM;
                clear(book, partition);
                break;
        case ERRLOG_OP_BEGIN:
                if (caller)
                        return -EPERM;
                begin(call, book, partition);
                break;
        case ERRLOG_OP_NAME:
                if (caller)
                        return -EPERM;
                COPY_WORDS(book->name, call->book.name, sizeof(book->name) / 8);
                break;
        default:
                return -EINVAL;
        }
        copy_book(call, book);
        return 0;
}

/* --- by the kernel itself ---
 *
 * The kernel says whom it kills for want of memory by a process number only; whose process that is it says a moment
 * before, in the same thread, by the signal that it sends. */

struct victim {
        __u64 partition;
        int pid;
        __u32 pid_inside;
        char comm[16];
};

struct {
        __uint(type, BPF_MAP_TYPE_LRU_HASH);
        __uint(max_entries, 1024);
        __type(key, __u64); /* bpf_get_current_pid_tgid() of who sends it */
        __type(value, struct victim);
} errlog_victims SEC(".maps");

/* Of a task that isn't the current one; 0: none. */
static __always_inline __u64 partition_of(struct task_struct *task)
{
        __u64 id = cgroup_of(task);
        const struct plane_partition *partition;

        partition = bpf_map_lookup_elem(&partitions, &id);
        return partition ? partition->id : 0;
}

#define SIGNAL_KILL 9
#define FROM_KERNEL ((void *)1) /* SEND_SIG_PRIV */

SEC("raw_tracepoint/signal_generate")
int errlog_killed(struct bpf_raw_tracepoint_args *ctx)
{
        struct task_struct *task = (struct task_struct *)ctx->args[2];
        struct victim victim = {.pid = 0};
        __u64 self;

        if ((int)ctx->args[0] != SIGNAL_KILL || (void *)ctx->args[1] != FROM_KERNEL)
                return 0;
        victim.partition = partition_of(task);
        if (!victim.partition)
                return 0;
        victim.pid = BPF_CORE_READ(task, pid);
        victim.pid_inside = number_inside(BPF_CORE_READ(task, thread_pid));
        BPF_CORE_READ_INTO(&victim.comm, task, comm);
        self = bpf_get_current_pid_tgid();
        bpf_map_update_elem(&errlog_victims, &self, &victim, BPF_ANY);
        return 0;
}

static const struct errlog_record out_of_memory = {
        .source = ERRLOG_KERNEL,
        .part = ERRLOG_PART_RESERVED,
        .errnum = ENOMEM,
        .n_args = 2,
        .component = "kernel",
        .catalogue = ERRLOG_CATALOGUE_CROFT,
        .set = ERRLOG_SET_KERNEL,
        .number = ERRLOG_OUT_OF_MEMORY,
        .format = ERRLOG_OUT_OF_MEMORY_TEXT,
};

/* As message_pack() does it. */
static __always_inline void pack_victim(struct errlog_record *record, const struct victim *victim)
{
        __u64 pid = victim->pid_inside;
        __u32 n = 0;

        record->args[0] = 'd';
        __builtin_memcpy(&record->args[1], &pid, sizeof(pid));
        record->args[9] = 's';
#pragma unroll
        for (int i = 0; i < (int)sizeof(victim->comm) - 1; i++) {
                record->args[10 + i] = (__u8)victim->comm[i];
                if (victim->comm[i] && n == (__u32)i)
                        n++;
        }
        record->args_size = (__u16)(10 + n + 1);
}

static __always_inline void record_victim(struct errlog_book *book, const struct victim *victim)
{
        struct errlog_record *record;
        struct errlog_writing w = {};

        if (!errlog_begin(book, victim->partition, ERRLOG_PART_RESERVED, &w))
                return;
        record = w.record;
        COPY_RECORD(record, &out_of_memory);
        record->partition = victim->partition;
        record->attempt = book->attempt;
        record->boot_ns = (__s64)bpf_ktime_get_boot_ns();
        record->pid = (__u32)victim->pid;
        record->tid = record->pid;
        record->pid_inside = victim->pid_inside;
        record->tid_inside = victim->pid_inside;
        pack_victim(record, victim);
        errlog_end(book, &w);
}

/* Its argument is a number on 6.1 and the task on 6.18: an address of the kernel's, which no number is.  Not as a
 * "tracepoint/": that is attached by an id out of tracefs, which need not be mounted. */
SEC("raw_tracepoint/mark_victim")
int errlog_out_of_memory(struct bpf_raw_tracepoint_args *ctx)
{
        __u64 self = bpf_get_current_pid_tgid();
        struct victim *victim = bpf_map_lookup_elem(&errlog_victims, &self);
        struct errlog_book *book;
        __u64 who = ctx->args[0];
        int pid = (__s64)who < 0 ? BPF_CORE_READ((struct task_struct *)who, pid) : (int)who;

        if (!victim || victim->pid != pid)
                return 0;
        book = bpf_map_lookup_elem(&errlog_books, &victim->partition);
        if (book)
                record_victim(book, victim);
        bpf_map_delete_elem(&errlog_victims, &self);
        return 0;
}
