/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 *
 * mount_scan.bpf.h - the part of mount.bpf.c that finds all mounts of a partition: those in the mount namespace of any
 * of its processes.
 *
 * A table is walked as the kernel's next_mnt() does, by addresses that are only ever probed.  Texts are made here,
 * escaped and bounded, and go from here to readers: no process of ours has them in its hands.
 */
#ifndef CROFT_KSTAT_MOUNT_SCAN_BPF_H
#define CROFT_KSTAT_MOUNT_SCAN_BPF_H

#include "kstat/mount_count.bpf.h"

#define WALK_STEPS_MAX 65536  /* two a mount and less; more are lost, and told */
#define SCAN_STEPS_MAX 262144 /* of all walks of a scan: what a hostile partition can make it cost */
#define PATH_STEPS_MAX 128
#define TEXT KSTAT_STRING_SIZE

struct {
        __uint(type, BPF_MAP_TYPE_ARRAY);
        __uint(max_entries, MOUNTS_PER_PARTITION);
        __uint(map_flags, BPF_F_MMAPABLE);
        __type(key, __u32);
        __type(value, struct mount_found);
} mount_found SEC(".maps");

struct scratch {
        char raw[2 * TEXT]; /* a path grows from the middle to the left; other texts begin at 0 */
        char escaped[TEXT + 8];
        /* Where the next byte goes: here, not on the stack, so that the verifier knows nothing about it and doesn't
         * follow each of its values. */
        __u32 at, reserved;
        struct kstat_data_mntinfo text;
};

struct {
        __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
        __uint(max_entries, 1);
        __type(key, __u32);
        __type(value, struct scratch);
} mount_scratch SEC(".maps");

struct mount_scan scan;

static __always_inline struct scratch *get_scratch(void)
{
        __u32 zero = 0;

        return bpf_map_lookup_elem(&mount_scratch, &zero);
}

/* --- text --- */

struct escape {
        __u32 from, reserved;
};

/* Below TEXT, and so that the verifier of 6.1 sees it: the compiler, which knows it already, would test one copy of the
 * number and use another. */
static __always_inline __u32 bounded(__u32 to)
{
        asm volatile("" : "+r"(to));
        return to & (TEXT - 1);
}

static long escape_byte(__u32 i, void *context)
{
        struct escape *at = context;
        struct scratch *s = get_scratch();
        __u32 to;
        __u8 byte;

        if (!s || i >= TEXT || at->from + i >= sizeof(s->raw))
                return 1;
        to = s->at;
        byte = (__u8)s->raw[(at->from + i) & (sizeof(s->raw) - 1)];
        if (byte == 0)
                return 1;
        if (byte >= 0x20 && byte < 0x7f && byte != '\\') {
                if (to >= TEXT - 1)
                        return 1;
                s->at = to + 1;
                s->escaped[bounded(to)] = (char)byte;
                return 0;
        }
        if (to >= TEXT - 4)
                return 1;
        to = bounded(to);
        s->escaped[to] = '\\';
        s->escaped[to + 1] = (char)('0' + (byte >> 6));
        s->escaped[to + 2] = (char)('0' + (byte >> 3 & 7));
        s->escaped[to + 3] = (char)('0' + (byte & 7));
        s->at = to + 4;
        return 0;
}

/* Escapes what begins at `from` in raw into ret[TEXT]. */
static __noinline int take_text(__u32 from, char *ret)
{
        struct escape at = {.from = from};
        struct scratch *s = get_scratch();

        if (!s || !ret)
                return 0;
        __builtin_memset(s->escaped, 0, sizeof(s->escaped));
        s->at = 0;
        bpf_loop(TEXT, escape_byte, &at, 0);
        __builtin_memcpy(ret, s->escaped, TEXT);
        return 0;
}

struct path_walk {
        __u64 mount, dentry;
};

/* One component, or one mount, up. */
static long path_step(__u32 i, void *context)
{
        struct path_walk *w = context;
        const struct dentry___m *dentry = (const void *)w->dentry;
        const struct mount___m *mount = (const void *)w->mount;
        struct scratch *s = get_scratch();
        const unsigned char *name;
        __u32 length, at;

        (void)i;
        if (!s)
                return 1;
        at = s->at;
        if (dentry == BPF_CORE_READ(mount, mnt.mnt_root) || dentry == BPF_CORE_READ(dentry, d_parent)) {
                const struct mount___m *parent = BPF_CORE_READ(mount, mnt_parent);

                if (!parent || parent == mount)
                        return 1;
                w->dentry = (__u64)BPF_CORE_READ(mount, mnt_mountpoint);
                w->mount = (__u64)parent;
                return 0;
        }
        length = BPF_CORE_READ(dentry, d_name.len);
        name = BPF_CORE_READ(dentry, d_name.name);
        if (length == 0 || length + 4 > at || length >= TEXT) { /* "..." and the end of it */
                at -= 3;
                bpf_probe_read_kernel(&s->raw[at & (TEXT - 1)], 3, "...");
                s->at = at;
                return 1;
        }
        at -= length;
        bpf_probe_read_kernel(&s->raw[at & (TEXT - 1)], length & (TEXT - 1), name);
        at--;
        s->raw[at & (TEXT - 1)] = '/';
        s->at = at;
        w->dentry = (__u64)BPF_CORE_READ(dentry, d_parent);
        return 0;
}

static __noinline int take_path(const struct mount___m *mount)
{
        struct path_walk w = {.mount = (__u64)BPF_CORE_READ(mount, mnt_parent),
                .dentry = (__u64)BPF_CORE_READ(mount, mnt_mountpoint)};
        struct scratch *s = get_scratch();

        if (!s)
                return 0;
        s->raw[TEXT - 1] = '\0';
        s->at = TEXT - 1;
        if (w.mount != (__u64)mount)
                bpf_loop(PATH_STEPS_MAX, path_step, &w, 0);
        if (s->at == TEXT - 1) {
                s->at--;
                s->raw[TEXT - 2] = '/';
        }
        return take_text(s->at, s->text.mountpoint);
}

static const struct {
        __u32 mask;
        char text[12];
} option_names[8] = {
        {0x01, ",nosuid"},
        {0x02, ",nodev"},
        {0x04, ",noexec"},
        {0x08, ",noatime"},
        {0x10, ",nodiratime"},
        {0x20, ",relatime"},
        {0x80, ",nosymfollow"},
};

static long add_option(__u32 i, void *context)
{
        struct escape *at = context; /* from: the flags */
        struct scratch *s = get_scratch();
        __u32 to;

        i &= 7; /* a bound that no compiler takes apart */
        if (!s)
                return 1;
        to = s->at;
        if (!(at->from & option_names[i].mask))
                return 0;
        for (int j = 0; j < 12; j++) {
                char c = option_names[i].text[j];

                if (c == 0)
                        break;
                s->text.options[to & (TEXT - 1)] = c;
                to++;
        }
        s->at = to;
        return 0;
}

static __noinline int take_options(const struct mount___m *mount)
{
        struct super_block___m *sb = BPF_CORE_READ(mount, mnt.mnt_sb);
        struct escape at = {.from = (__u32)BPF_CORE_READ(mount, mnt.mnt_flags)};
        struct scratch *s = get_scratch();

        if (!s)
                return 0;
        s->text.options[0] = 'r';
        s->text.options[1] = at.from & 0x40 || BPF_CORE_READ(sb, s_flags) & 1 ? 'o' : 'w';
        s->at = 2;
        bpf_loop(8, add_option, &at, 0);
        return 0;
}

/* The mntinfo of that mount. */
static __noinline int take_info(const struct mount___m *mount, __u64 key, __u32 flags)
{
        struct scratch *s = get_scratch();
        const char *name;
        __u32 device;

        if (!s)
                return 0;
        __builtin_memset(&s->text, 0, sizeof(s->text));
        name = BPF_CORE_READ(mount, mnt_devname);
        __builtin_memset(s->raw, 0, sizeof(s->raw));
        bpf_probe_read_kernel_str(s->raw, TEXT, name);
        take_text(0, s->text.special);
        __builtin_memset(s->raw, 0, sizeof(s->raw));
        take_path(mount);
        take_options(mount);
        name = BPF_CORE_READ(mount, mnt.mnt_sb, s_type, name);
        bpf_probe_read_kernel_str(s->text.fstype, sizeof(s->text.fstype), name);
        device = BPF_CORE_READ(mount, mnt.mnt_sb, s_dev);
        s->text.dev_major = device >> 20;
        s->text.dev_minor = device & 0xfffff;
        s->text.mnt_id = BPF_CORE_READ(mount, mnt_id);
        s->text.unique_id = (__s64)key;
        s->text.partition = (__s64)scan.partition;
        s->text.base = flags & MOUNT_BASE;
        bpf_map_update_elem(&kstat_mount_text, &key, &s->text, BPF_ANY);
        return 0;
}

/* --- the walk --- */

struct walk {
        __u64 ns, root, at;
        __u32 up; /* the children of `at` are done */
        __u32 reserved;
};

static __noinline int take_mount(const struct mount___m *mount, __u64 ns)
{
        struct mount_found found = {.key = mount_key(mount), .ns = ns};
        struct mount_entry *entry = bpf_map_lookup_elem(&kstat_mounts, &found.key);
        struct mount_found *slot;
        __u32 index = scan.found;

        if (entry && (entry->address != (__u64)mount || entry->partition != scan.partition)) {
                drop_entry(found.key, entry);
                entry = NULL;
        }
        if (!entry) {
                entry = make_entry(mount, found.key, ns, scan.cgroup, scan.partition);
                if (entry && scan.base)
                        entry->flags |= MOUNT_BASE;
        }
        if (entry && found.key <= scan.last) /* whoever made the entry */
                entry->flags |= MOUNT_BASE;
        slot = bpf_map_lookup_elem(&mount_found, &index);
        if (!entry || !slot) {
                scan.lost++;
                return 0;
        }
        if (entry->ns != ns)
                entry->ns = ns; /* moved */
        if (!scan.base)         /* these stand between a partition and its first program; the next scan comes soon */
                take_info(mount, found.key, entry->flags);
        found.mnt_id = entry->mnt_id;
        found.flags = entry->flags;
        found.created = entry->created;
        *slot = found;
        scan.found = index + 1;
        return 0;
}

static long walk_step(__u32 i, void *context)
{
        struct walk *w = context;
        const struct mount___m *at = (const void *)w->at;
        __u64 next;

        (void)i;
        if (!at || scan.lost || ++scan.steps > SCAN_STEPS_MAX)
                return 1;
        if (!w->up) {
                if ((__u64)BPF_CORE_READ(at, mnt_ns) == w->ns)
                        take_mount(at, w->ns);
                next = (__u64)BPF_CORE_READ(at, mnt_mounts.next);
                if (next != (__u64)at + bpf_core_field_offset(struct mount___m, mnt_mounts)) {
                        w->at = next - bpf_core_field_offset(struct mount___m, mnt_child);
                        return 0;
                }
                w->up = 1;
        }
        if (w->at == w->root) {
                w->at = 0; /* done */
                return 1;
        }
        next = (__u64)BPF_CORE_READ(at, mnt_child.next);
        w->at = (__u64)BPF_CORE_READ(at, mnt_parent);
        if (next != w->at + bpf_core_field_offset(struct mount___m, mnt_mounts)) {
                w->at = next - bpf_core_field_offset(struct mount___m, mnt_child);
                w->up = 0;
        }
        return 0;
}

static __noinline int walk_namespace(const struct mnt_namespace___m *ns)
{
        __u64 event = BPF_CORE_READ(ns, event), root = (__u64)BPF_CORE_READ(ns, root);
        struct walk w = {.ns = (__u64)ns, .root = root, .at = root};

        bpf_loop(WALK_STEPS_MAX, walk_step, &w, 0);
        if (event != BPF_CORE_READ(ns, event))
                scan.changed = 1;
        else if (w.at)
                scan.lost++;
        return 0;
}

/* Asked of every task there is: what is typed is loaded as the kernel does it, a probe costs many times as much. */
static __always_inline int is_wanted(const struct task_struct___m *task)
{
        const struct cgroup___m *cgroup = task->cgroups->dfl_cgrp, *above = NULL;

        if (cgroup->level < (int)partition_level)
                return 0;
        bpf_probe_read_kernel(&above, sizeof(above),
                (void *)cgroup + bpf_core_field_offset(struct cgroup___m, ancestors) + sizeof(above) * partition_level);
        return BPF_CORE_READ(above, kn, id) == scan.cgroup;
}

SEC("iter/task")
int scan_task(struct bpf_iter__task___m *context)
{
        const struct task_struct___m *task = context->task;
        struct mnt_namespace___m *ns;
        __u64 address, serial = scan.serial, *seen;

        if (!task || scan.lost || !is_wanted(task))
                return 0;
        ns = BPF_CORE_READ(task, nsproxy, mnt_ns);
        address = (__u64)ns;
        seen = bpf_map_lookup_elem(&mount_namespaces, &address);
        if (!ns || (seen && *seen == serial) || BPF_CORE_READ(ns, user_ns, level) == 0)
                return 0;
        if (scan.namespaces >= MOUNT_NAMESPACES_MAX) {
                scan.lost++;
                return 0;
        }
        scan.namespaces++;
        bpf_map_update_elem(&mount_namespaces, &address, &serial, BPF_ANY);
        return walk_namespace(ns);
}

#endif
