/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 *
 * mount_count.bpf.h - the part of mount.bpf.c that counts system calls, and that wakes croftd when one has changed
 * mounts.
 *
 * A tracepoint of system calls and an fexit program of one call's function get the same: the registers and the result;
 * the latter knows by itself which call it is.
 */
#ifndef CROFT_KSTAT_MOUNT_COUNT_BPF_H
#define CROFT_KSTAT_MOUNT_COUNT_BPF_H

#include "kstat/mount_source.bpf.h"
#include "plane/maps.bpf.h"
#include "plane/partitions.bpf.h"

#define CLONE_NEWNS 0x00020000
#define TS_COMPAT 0x0002 /* the thread is in a system call of 32 bits */
#define NR_MAX 512

enum call {
        CALL_OTHER = 0,
        CALL_READ,     /* descriptor first */
        CALL_WRITE,    /* likewise */
        CALL_SENDFILE, /* out, in */
        CALL_SPLICE,   /* in, offset, out */
        CALL_MOUNT,    /* may have changed mounts */
        CALL_CLONE,    /* flags first */
        CALL_CLONE3,   /* address of flags first */
};

/* By ABI (64, 32 bits) and number. */
const volatile __u8 calls[2][NR_MAX] = {
        {
                [0] = CALL_READ,
                [1] = CALL_WRITE,
                [17] = CALL_READ,  /* pread64 */
                [18] = CALL_WRITE, /* pwrite64 */
                [19] = CALL_READ,  /* readv */
                [20] = CALL_WRITE, /* writev */
                [40] = CALL_SENDFILE,
                [56] = CALL_CLONE,
                [155] = CALL_MOUNT,  /* pivot_root */
                [165] = CALL_MOUNT,  /* mount */
                [166] = CALL_MOUNT,  /* umount2 */
                [272] = CALL_MOUNT,  /* unshare */
                [275] = CALL_SPLICE, /* splice */
                [295] = CALL_READ,   /* preadv */
                [296] = CALL_WRITE,  /* pwritev */
                [308] = CALL_MOUNT,  /* setns */
                [326] = CALL_SPLICE, /* copy_file_range */
                [327] = CALL_READ,   /* preadv2 */
                [328] = CALL_WRITE,  /* pwritev2 */
                [429] = CALL_MOUNT,  /* move_mount */
                [435] = CALL_CLONE3,
                [442] = CALL_MOUNT, /* mount_setattr */
        },
        {
                [3] = CALL_READ,
                [4] = CALL_WRITE,
                [21] = CALL_MOUNT, /* mount */
                [22] = CALL_MOUNT, /* umount */
                [52] = CALL_MOUNT, /* umount2 */
                [120] = CALL_CLONE,
                [145] = CALL_READ,     /* readv */
                [146] = CALL_WRITE,    /* writev */
                [180] = CALL_READ,     /* pread64 */
                [181] = CALL_WRITE,    /* pwrite64 */
                [187] = CALL_SENDFILE, /* sendfile */
                [217] = CALL_MOUNT,    /* pivot_root */
                [239] = CALL_SENDFILE, /* sendfile64 */
                [310] = CALL_MOUNT,    /* unshare */
                [313] = CALL_SPLICE,   /* splice */
                [333] = CALL_READ,     /* preadv */
                [334] = CALL_WRITE,    /* pwritev */
                [346] = CALL_MOUNT,    /* setns */
                [377] = CALL_SPLICE,   /* copy_file_range */
                [378] = CALL_READ,     /* preadv2 */
                [379] = CALL_WRITE,    /* pwritev2 */
                [429] = CALL_MOUNT,    /* move_mount */
                [435] = CALL_CLONE3,
                [442] = CALL_MOUNT, /* mount_setattr */
        },
};

struct {
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(max_entries, PLANE_PARTITIONS_MAX);
        __uint(map_flags, BPF_F_NO_PREALLOC);
        __type(key, __u64);
        __type(value, struct mount_owner);
} mount_owners SEC(".maps");

/* How many entries croftd took away. */
struct {
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(max_entries, PLANE_PARTITIONS_MAX);
        __uint(map_flags, BPF_F_NO_PREALLOC);
        __type(key, __u64);
        __type(value, __u64);
} mount_forgotten SEC(".maps");

/* Partitions of which an event waits in the ring; croftd takes them out before it looks. */
struct {
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(max_entries, PLANE_PARTITIONS_MAX);
        __uint(map_flags, BPF_F_NO_PREALLOC);
        __type(key, __u64);
        __type(value, __u32);
} mount_told SEC(".maps");

/* struct mount_event. */
struct {
        __uint(type, BPF_MAP_TYPE_RINGBUF);
        __uint(max_entries, 131072); /* one waits for each partition at most: PLANE_PARTITIONS_MAX of 24 bytes */
} mount_events SEC(".maps");

/* Namespaces that a scan has seen: by address, the serial of the newest scan. */
struct {
        __uint(type, BPF_MAP_TYPE_LRU_HASH);
        __uint(max_entries, 16384);
        __type(key, __u64);
        __type(value, __u64);
} mount_namespaces SEC(".maps");

struct {
        __uint(type, BPF_MAP_TYPE_ARRAY);
        __uint(max_entries, 1);
        __type(key, __u32);
        __type(value, struct mounts_info);
} mount_info SEC(".maps");

/* When the system call began that the thread is in. */
struct {
        __uint(type, BPF_MAP_TYPE_TASK_STORAGE);
        __uint(map_flags, BPF_F_NO_PREALLOC);
        __type(key, int);
        __type(value, __u64);
} mount_starts SEC(".maps");

static __always_inline __u64 current_partition(__u64 cgroup)
{
        struct plane_partition *partition = cgroup ? bpf_map_lookup_elem(&partitions, &cgroup) : NULL;

        return partition ? partition->id : 0;
}

static __noinline int tell(__u32 what)
{
        __u64 cgroup = bpf_get_current_ancestor_cgroup_id((int)partition_level);
        struct mount_event event = {.partition = current_partition(cgroup), .what = what};
        __u32 one = 1;

        /* One that isn't followed yet is about to start, and croftd has better to do. */
        if (!event.partition || !bpf_map_lookup_elem(&mount_owners, &event.partition) ||
                map_put(&mount_told, &event.partition, &one, BPF_NOEXIST) < 0)
                return 0;
        if (bpf_ringbuf_output(&mount_events, &event, sizeof(event), 0) < 0)
                bpf_map_delete_elem(&mount_told, &event.partition); /* the next change tells */
        return 0;
}

/* An entry of which nothing is known yet: the stack has no room for one below the walks (512 bytes on all kernels, 6.1
 * counts every call's). */
static const struct mount_entry no_entry;

/* A new entry for that mount, and whatever was there under its key; NULL: there are too many. */
static __always_inline struct mount_entry *make_entry(
        const struct mount___m *mount, __u64 key, __u64 ns, __u64 cgroup, __u64 partition)
{
        struct mount_owner *owner = bpf_map_lookup_elem(&mount_owners, &partition);
        struct mount_entry *entry;
        const __u64 *forgotten = bpf_map_lookup_elem(&mount_forgotten, &partition);

        if (!owner)
                return NULL;
        if ((__s64)(owner->made - owner->dropped - (forgotten ? *forgotten : 0)) >= MOUNTS_PER_PARTITION) {
                __sync_fetch_and_add(&owner->refused, 1);
                return NULL;
        }
        if (map_put(&kstat_mounts, &key, &no_entry, BPF_NOEXIST) < 0) {
                entry = bpf_map_lookup_elem(&kstat_mounts, &key);
                if (!entry) /* there are MOUNTS_MAX */
                        __sync_fetch_and_add(&owner->refused, 1);
                return entry;
        }
        __sync_fetch_and_add(&owner->made, 1);
        entry = bpf_map_lookup_elem(&kstat_mounts, &key);
        if (!entry)
                return NULL;
        entry->ns = ns;
        entry->cgroup = cgroup;
        entry->partition = partition;
        entry->created = (__s64)bpf_ktime_get_ns();
        entry->mnt_id = (__u32)BPF_CORE_READ(mount, mnt_id);
        /* Last: until then it is no mount's, whoever finds it. */
        *(volatile __u64 *)&entry->address = (__u64)mount;
        return entry;
}

/* Forgets what an unused key led to; ids are given again before 6.8. */
static __always_inline void drop_entry(__u64 key, const struct mount_entry *entry)
{
        __u64 partition = entry->partition;
        struct mount_owner *owner = bpf_map_lookup_elem(&mount_owners, &partition);

        if (map_drop(&kstat_mounts, &key) == 0 && owner)
                __sync_fetch_and_add(&owner->dropped, 1);
        (void)bpf_map_delete_elem(&kstat_mount_text, &key);
}

/* The entry of a mount that has none yet: if it is in the caller's own namespace, and that belongs to a partition. */
static __noinline struct mount_entry *first_use(struct mount___m *mount, __u64 key, __u64 cgroup)
{
        struct task_struct___m *task = (void *)bpf_get_current_task();
        struct mnt_namespace___m *ns = BPF_CORE_READ(mount, mnt_ns);
        __u64 partition;

        /* NULL: unmounted; an error: sockets, pipes */
        if ((__s64)ns >= 0 || (__u64)ns >= (__u64)-4095 || ns != BPF_CORE_READ(task, nsproxy, mnt_ns))
                return NULL;
        if (BPF_CORE_READ(ns, user_ns, level) == 0)
                return NULL;
        partition = current_partition(cgroup);
        return partition ? make_entry(mount, key, (__u64)ns, cgroup, partition) : NULL;
}

/* What is typed is loaded as the kernel does it: a probe costs many times as much. */
static __always_inline struct mount___m *mount_of_descriptor(__u32 descriptor)
{
        const struct task_struct___m *task = (const void *)bpf_get_current_task_btf();
        const struct files_struct___m *open_files = task->files;
        const struct fdtable___m *table;
        struct file___m *file = NULL;
        struct vfsmount___m *mnt = NULL;

        if (!open_files)
                return NULL;
        table = open_files->fdt;
        if (!table || descriptor >= table->max_fds)
                return NULL;
        if (bpf_probe_read_kernel(&file, sizeof(file), table->fd + descriptor) < 0 || !file)
                return NULL;
        bpf_core_read(&mnt, sizeof(mnt), &file->f_path.mnt);
        return mnt ? (void *)mnt - bpf_core_field_offset(struct mount___m, mnt) : NULL;
}

/* duration 0: not known. */
struct call_time {
        __u64 start, duration;
};

static __always_inline int bucket_of(__u64 ns)
{
        int bucket = 0;

        ns >>= 10; /* 1024 ns */
        for (; bucket < MOUNT_BUCKETS - 1 && ns; bucket++)
                ns >>= 2;
        return bucket;
}

static __always_inline void raise(__u64 *at, __u64 value)
{
        __u64 old = *(volatile __u64 *)at;

        for (int i = 0; i < 8 && old < value; i++) {
                __u64 seen = __sync_val_compare_and_swap(at, old, value);

                if (seen == old)
                        break;
                old = seen;
        }
}

/* 0: none yet. */
static __always_inline void lower(__u64 *at, __u64 value)
{
        __u64 old = *(volatile __u64 *)at;

        for (int i = 0; i < 8 && (!old || old > value); i++) {
                __u64 seen = __sync_val_compare_and_swap(at, old, value);

                if (seen == old)
                        break;
                old = seen;
        }
}

static const struct mount_timers no_timers;

static __noinline int time_call(__u64 partition, int is_write, const struct call_time *time)
{
        struct mount_timers *timers = bpf_map_lookup_elem(&kstat_timers, &partition);
        struct mount_timer *timer;

        if (!timers) {
                (void)bpf_map_update_elem(&kstat_timers, &partition, &no_timers, BPF_NOEXIST);
                timers = bpf_map_lookup_elem(&kstat_timers, &partition);
        }
        if (!timers || !time)
                return 0;
        timer = is_write ? &timers->timer[MOUNT_TIMER_WRITE] : &timers->timer[MOUNT_TIMER_READ];
        __sync_fetch_and_add(&timers->begin, 1);
        __sync_fetch_and_add(&timer->events, 1);
        __sync_fetch_and_add(&timer->elapsed, time->duration);
        lower(&timer->shortest, time->duration);
        raise(&timer->longest, time->duration);
        if (__sync_val_compare_and_swap(&timer->writing, 0, 1) == 0) {
                timer->start = time->start;
                timer->stop = time->start + time->duration;
                (void)__sync_lock_test_and_set(&timer->writing, 0);
        }
        __sync_fetch_and_add(&timers->end, 1);
        return 0;
}

static __noinline int count_on(struct mount_entry *entry, int is_write, __u64 bytes, const struct call_time *time)
{
        __u64 duration = time ? time->duration : 0;

        if (!entry)
                return 0;
        __sync_fetch_and_add(&entry->begin, 1);
        if (is_write) {
                __sync_fetch_and_add(&entry->io.writes, 1);
                __sync_fetch_and_add(&entry->io.nwritten, bytes);
        } else {
                __sync_fetch_and_add(&entry->io.reads, 1);
                __sync_fetch_and_add(&entry->io.nread, bytes);
        }
        if (duration) {
                __u32 bucket = (__u32)bucket_of(duration);

                if (is_write)
                        __sync_fetch_and_add(&entry->io.wlentime, duration);
                else
                        __sync_fetch_and_add(&entry->io.rlentime, duration);
                if (bucket < MOUNT_BUCKETS)
                        __sync_fetch_and_add((&entry->io.ops_1us) + bucket, 1);
        }
        __sync_fetch_and_add(&entry->end, 1);
        if (duration)
                time_call(entry->partition, is_write, time);
        return 0;
}

static __noinline int count_descriptor(
        __u64 cgroup, __u32 descriptor, int is_write, __u64 bytes, const struct call_time *time)
{
        struct mount___m *mount = mount_of_descriptor(descriptor);
        struct mount_entry *entry;
        __u64 key;

        if (!mount)
                return 0;
        key = mount_key(mount);
        entry = bpf_map_lookup_elem(&kstat_mounts, &key);
        if (entry && entry->address != (__u64)mount) { /* its key was another's before */
                if (entry->cgroup != cgroup)
                        return 0;
                drop_entry(key, entry);
                entry = NULL;
        }
        if (!entry)
                entry = first_use(mount, key, cgroup);
        if (entry && entry->cgroup == cgroup)
                count_on(entry, is_write, bytes, time);
        return 0;
}

static __always_inline void time_of_call(struct call_time *ret)
{
        __u64 *start = bpf_task_storage_get(&mount_starts, bpf_get_current_task_btf(), NULL, 0);

        if (!start || !*start)
                return;
        ret->start = *start;
        ret->duration = bpf_ktime_get_ns() - *start;
        *start = 0;
}

struct arguments {
        unsigned long a, b, c;
};

static __always_inline void read_arguments(const struct pt_regs___m *regs, int compat, struct arguments *ret)
{
        ret->a = compat ? regs->bx : regs->di;
        ret->b = compat ? regs->cx : regs->si;
        ret->c = regs->dx;
}

const volatile __u8 with_latency = 0;

static __always_inline int count(__u32 call, const struct arguments *arguments, __u64 bytes)
{
        __u64 cgroup = bpf_get_current_ancestor_cgroup_id((int)partition_level);
        struct call_time time = {};

        if (!current_partition(cgroup))
                return 0;
        if (with_latency)
                time_of_call(&time);
        if (call == CALL_READ || call == CALL_SPLICE)
                count_descriptor(cgroup, (__u32)arguments->a, 0, bytes, &time);
        else
                count_descriptor(cgroup, (__u32)arguments->a, 1, bytes, &time);
        if (call == CALL_SENDFILE)
                count_descriptor(cgroup, (__u32)arguments->b, 0, bytes, &time);
        else if (call == CALL_SPLICE)
                count_descriptor(cgroup, (__u32)arguments->c, 1, bytes, &time);
        return 0;
}

/* context: registers and result.  Where `call` and `compat` are constants nothing is left of it but what they need. */
static __always_inline int on_exit(const __u64 *context, __u32 call, int compat)
{
        __s64 result = (__s64)context[1];
        struct arguments arguments;
        __u64 flags = 0;

        if (result < 0)
                return 0;
        read_arguments((const void *)context[0], compat, &arguments);
        switch (call) {
        case CALL_OTHER:
                return 0;
        case CALL_MOUNT:
                return tell(MOUNT_EVENT_CHANGED);
        case CALL_CLONE:
                return arguments.a & CLONE_NEWNS ? tell(MOUNT_EVENT_CHANGED) : 0;
        case CALL_CLONE3:
                if (bpf_probe_read_user(&flags, sizeof(flags), (const void *)arguments.a) == 0 && flags & CLONE_NEWNS)
                        tell(MOUNT_EVENT_CHANGED);
                return 0;
        default:
                return count(call, &arguments, (__u64)result);
        }
}

static __always_inline int on_enter(void)
{
        __u64 cgroup = bpf_get_current_ancestor_cgroup_id((int)partition_level), *start;

        if (!current_partition(cgroup))
                return 0;
        start = bpf_task_storage_get(&mount_starts, bpf_get_current_task_btf(), NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
        if (start)
                *start = bpf_ktime_get_ns();
        return 0;
}

/* --- without trampolines --- */

static __always_inline __u32 call_of(__u64 nr, int compat)
{
        if (nr >= NR_MAX)
                return CALL_OTHER;
        return compat ? calls[1][nr & (NR_MAX - 1)] : calls[0][nr & (NR_MAX - 1)];
}

static __always_inline int is_compat(void)
{
        const struct task_struct___m *task = (const void *)bpf_get_current_task_btf();

        return task->thread_info.status & TS_COMPAT;
}

SEC("tp_btf/sys_exit")
int sys_exit(__u64 *context)
{
        const struct pt_regs___m *regs = (const void *)context[0];
        int compat = is_compat();

        return on_exit(context, call_of(regs->orig_ax, compat), compat);
}

SEC("tp_btf/sys_enter")
int sys_enter(__u64 *context)
{
        __u32 call = call_of((__u32)context[1], is_compat());

        return call >= CALL_READ && call <= CALL_SPLICE ? on_enter() : 0;
}

/* --- with: around the functions of the calls themselves --- */

#define AROUND(function, call, compat)                                                                                 \
        SEC("fentry/__" #function)                                                                                     \
        int enter_##function(void *context)                                                                            \
        {                                                                                                              \
                (void)context;                                                                                         \
                return on_enter();                                                                                     \
        }                                                                                                              \
        BEHIND(function, call, compat)
#define BEHIND(function, call, compat)                                                                                 \
        SEC("fexit/__" #function)                                                                                      \
        int exit_##function(__u64 *context)                                                                            \
        {                                                                                                              \
                return on_exit(context, call, compat);                                                                 \
        }

AROUND(x64_sys_read, CALL_READ, 0)
AROUND(x64_sys_write, CALL_WRITE, 0)
AROUND(x64_sys_pread64, CALL_READ, 0)
AROUND(x64_sys_pwrite64, CALL_WRITE, 0)
AROUND(x64_sys_readv, CALL_READ, 0)
AROUND(x64_sys_writev, CALL_WRITE, 0)
AROUND(x64_sys_preadv, CALL_READ, 0)
AROUND(x64_sys_pwritev, CALL_WRITE, 0)
AROUND(x64_sys_preadv2, CALL_READ, 0)
AROUND(x64_sys_pwritev2, CALL_WRITE, 0)
AROUND(x64_sys_sendfile64, CALL_SENDFILE, 0)
AROUND(x64_sys_splice, CALL_SPLICE, 0)
AROUND(x64_sys_copy_file_range, CALL_SPLICE, 0)
AROUND(ia32_sys_read, CALL_READ, 1)
AROUND(ia32_sys_write, CALL_WRITE, 1)
AROUND(ia32_sys_readv, CALL_READ, 1)
AROUND(ia32_sys_writev, CALL_WRITE, 1)
BEHIND(x64_sys_mount, CALL_MOUNT, 0)
BEHIND(x64_sys_umount, CALL_MOUNT, 0)
BEHIND(x64_sys_pivot_root, CALL_MOUNT, 0)
BEHIND(x64_sys_unshare, CALL_MOUNT, 0)
BEHIND(x64_sys_setns, CALL_MOUNT, 0)
BEHIND(x64_sys_move_mount, CALL_MOUNT, 0)
BEHIND(x64_sys_mount_setattr, CALL_MOUNT, 0)

/* The last that happens to a mount: before 6.8 its id may be given again from now on. */
SEC("fentry/__fsnotify_vfsmount_delete")
int end_mount(__u64 *context)
{
        const struct mount___m *mount = (void *)context[0] - bpf_core_field_offset(struct mount___m, mnt);
        __u64 key = mount_key(mount);
        struct mount_entry *entry = bpf_map_lookup_elem(&kstat_mounts, &key);

        if (entry && entry->address == (__u64)mount)
                drop_entry(key, entry);
        return 0;
}

/* --- both --- */

/* Programs begin in namespaces that their parents made for them (PrivateTmp= and the like), */
SEC("tp_btf/sched_process_exec")
int process_exec(void *context)
{
        struct task_struct___m *task = (void *)bpf_get_current_task();
        __u64 ns = (__u64)BPF_CORE_READ(task, nsproxy, mnt_ns);

        (void)context;
        if (ns && BPF_CORE_READ((struct mnt_namespace___m *)ns, user_ns, level) > 0 &&
                !bpf_map_lookup_elem(&mount_namespaces, &ns))
                tell(MOUNT_EVENT_CHANGED);
        return 0;
}

/* and a namespace ends with its last process, in a moment.  The same nsproxy: the same namespaces. */
SEC("tp_btf/sched_process_exit")
int process_exit(void *context)
{
        struct task_struct___m *task = (void *)bpf_get_current_task();
        struct nsproxy___m *proxy = BPF_CORE_READ(task, nsproxy);
        int count = 0;

        (void)context;
        if (!proxy || BPF_CORE_READ(proxy, mnt_ns, user_ns, level) == 0)
                return 0;
        bpf_core_read(&count, sizeof(count), &proxy->count);
        if (count == 1) {
                __u64 ns = (__u64)BPF_CORE_READ(proxy, mnt_ns);

                bpf_map_delete_elem(&mount_namespaces, &ns); /* another may get its address */
                tell(MOUNT_EVENT_ENDING);
        }
        return 0;
}

#endif
