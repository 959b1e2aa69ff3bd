/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * kstats_maps.c - loads, pins and adopts the maps and programs of statistics, and reads the maps back.
 *
 * Maps are pinned beside the plane's, the programs in a directory of their own, which partitions see: a new version
 * takes the place of the old one there, too.  `kstat_state` is pinned last and removed first: without it the others
 * don't count. Maps of another layout are never mixed with ours: they go, and all structures are made anew from what is
 * running.
 */
#include "kstat/kstats_private.h"

#include "base/cleanup.h"
#include "plane/plane.h"
#include "plane/plane_bpf.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "kstat.skel.h"

static void free_skeleton(struct kstat_bpf **skeleton)
{
        kstat_bpf__destroy(*skeleton);
}

/* In the order of pinning. */
static const struct {
        const char *name;
        size_t place; /* in struct kstat_maps */
} maps[] = {
        {"kstat_records", offsetof(struct kstat_maps, records)},
        {"kstat_members", offsetof(struct kstat_maps, members)},
        {"kstat_index", offsetof(struct kstat_maps, index)},
        {"kstat_chains", offsetof(struct kstat_maps, chains)},
        {"kstat_pages", offsetof(struct kstat_maps, pages)},
        {"kstat_schemas", offsetof(struct kstat_maps, schemas)},
        {"kstat_objects", offsetof(struct kstat_maps, objects)},
        {"kstat_mounts", offsetof(struct kstat_maps, mounts)},
        {"kstat_mount_text", offsetof(struct kstat_maps, mount_text)},
        {"kstat_loads", offsetof(struct kstat_maps, loads)},
        {"kstat_times", offsetof(struct kstat_maps, times)},
        {"kstat_clock", offsetof(struct kstat_maps, clock)},
        {"kstat_disks", offsetof(struct kstat_maps, disks)},
        {"kstat_state", offsetof(struct kstat_maps, state)},
};
static const char *const programs[] = {"kstat", "kstat_large"};

static int open_programs(int bpf_dir)
{
        int fd = openat(bpf_dir, KSTAT_PROGRAMS, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        return fd < 0 ? -errno : fd;
}

static int *map_of(struct kstat_maps *m, size_t i)
{
        return (int *)((char *)m + maps[i].place);
}

void kstat_maps_close(struct kstat_maps *m)
{
        for (size_t i = 0; i < ELEMENTS(maps); i++)
                *map_of(m, i) = close_fd(*map_of(m, i));
}

static int unpin_programs(int bpf_dir, struct croft_error *err)
{
        static const char *const pins[] = {"kstat", "kstat_new", "kstat_large", "kstat_large_new"};
        _cleanup_close_ int directory = open_programs(bpf_dir);

        for (size_t i = 0; directory >= 0 && i < ELEMENTS(pins); i++)
                if (unlinkat(directory, pins[i], 0) < 0 && errno != ENOENT)
                        return croft_error_set(err, errno, "unpin '%s'", pins[i]);
        if (unlinkat(bpf_dir, KSTAT_PROGRAMS, AT_REMOVEDIR) < 0 && errno != ENOENT)
                return croft_error_set(err, errno, "remove '%s'", KSTAT_PROGRAMS);
        return 0;
}

int kstat_maps_unpin(int bpf_dir, struct croft_error *err)
{
        int r = kstat_sockopt_unpin(bpf_dir, err);

        if (r < 0)
                return r;
        for (size_t i = ELEMENTS(maps); i-- > 0;)
                if (unlinkat(bpf_dir, maps[i].name, 0) < 0 && errno != ENOENT)
                        return croft_error_set(err, errno, "unpin '%s'", maps[i].name);
        return unpin_programs(bpf_dir, err);
}

bool kstat_map_fits(int fd, const struct bpf_map *ours)
{
        struct bpf_map_info info = {0};
        __u32 size = sizeof(info);

        return bpf_obj_get_info_by_fd(fd, &info, &size) == 0 && info.type == bpf_map__type(ours) &&
               info.key_size == bpf_map__key_size(ours) && info.value_size == bpf_map__value_size(ours) &&
               info.max_entries == bpf_map__max_entries(ours);
}

/* Opens all pins; true: they are ours, whole and of this layout. */
static bool adopt(struct kstats *k, const struct kstat_bpf *skeleton)
{
        int bpf_dir = plane_directory(k->plane);
        __u32 zero = 0;

        for (size_t i = 0; i < ELEMENTS(maps); i++) {
                int fd = plane_bpf_get(bpf_dir, maps[i].name);

                if (fd < 0)
                        return false;
                *map_of(&k->maps, i) = fd;
                if (!kstat_map_fits(fd, bpf_object__find_map_by_name(skeleton->obj, maps[i].name)))
                        return false;
        }
        return bpf_map_lookup_elem(k->maps.state, &zero, &k->state) == 0 && k->state.layout == KSTAT_LAYOUT &&
               k->state.level == plane_level(k->plane);
}

static int load(struct kstats *k, struct kstat_bpf *skeleton, bool adopted, struct croft_error *err)
{
        int r;

        skeleton->rodata->partition_level = plane_level(k->plane);
        r = bpf_map__reuse_fd(skeleton->maps.partitions, plane_partitions(k->plane));
        for (size_t i = 0; r == 0 && adopted && i < ELEMENTS(maps); i++)
                r = bpf_map__reuse_fd(bpf_object__find_map_by_name(skeleton->obj, maps[i].name), *map_of(&k->maps, i));
        if (r < 0)
                return croft_error_set(err, r, "adopt the pinned maps");
        r = kstat_sockopt_adopt(k, skeleton, err);
        if (r < 0)
                return r;
        r = kstat_bpf__load(skeleton);
        return r < 0 ? plane_bpf_explain(r, err) : 0;
}

/* With the programs for socket options if the kernel takes them: those before 6.1 don't know who calls there. */
static int load_what_goes(struct kstats *k, struct kstat_bpf **skeleton, bool adopted, struct croft_error *err)
{
        if (load(k, *skeleton, adopted, NULL) == 0)
                return kstat_sockopt_take(k, *skeleton, err);
        kstat_bpf__destroy(*skeleton);
        *skeleton = kstat_bpf__open();
        if (!*skeleton)
                return croft_error_set(err, errno, "open BPF programs");
        kstat_sockopt_leave_out(*skeleton);
        return load(k, *skeleton, adopted, err);
}

static int take_maps(struct kstats *k, const struct kstat_bpf *skeleton, struct croft_error *err)
{
        for (size_t i = 0; i < ELEMENTS(maps); i++) {
                const struct bpf_map *map = bpf_object__find_map_by_name(skeleton->obj, maps[i].name);
                int fd = fcntl(bpf_map__fd(map), F_DUPFD_CLOEXEC, 3);

                if (fd < 0)
                        return croft_error_set(err, errno, "keep map '%s'", maps[i].name);
                *map_of(&k->maps, i) = fd;
        }
        return 0;
}

/* Ours, in the place of those of another version. */
static int pin_programs(int bpf_dir, const struct kstat_bpf *skeleton, struct croft_error *err)
{
        _cleanup_close_ int directory = -EBADF;
        int r = 0;

        if (mkdirat(bpf_dir, KSTAT_PROGRAMS, 0755) < 0 && errno != EEXIST)
                return croft_error_set(err, errno, "make directory '%s'", KSTAT_PROGRAMS);
        if (fchmodat(bpf_dir, KSTAT_PROGRAMS, 0755, 0) < 0) /* whatever the umask is */
                return croft_error_set(err, errno, "open directory '%s' for all", KSTAT_PROGRAMS);
        directory = open_programs(bpf_dir);
        if (directory < 0)
                return croft_error_set(err, directory, "open directory '%s'", KSTAT_PROGRAMS);
        for (size_t i = 0; r == 0 && i < ELEMENTS(programs); i++)
                r = plane_bpf_renew(directory,
                        bpf_program__fd(bpf_object__find_program_by_name(skeleton->obj, programs[i])), programs[i],
                        err);
        return r;
}

static int pin_new(struct kstats *k, const struct kstat_bpf *skeleton, struct croft_error *err)
{
        int bpf_dir = plane_directory(k->plane);
        int r = take_maps(k, skeleton, err);

        k->state = (struct kstat_state){.generation = 1,
                .next_kid = 1,
                .next_version = 1,
                .layout = KSTAT_LAYOUT,
                .level = plane_level(k->plane)};
        if (r == 0)
                r = kstat_put_state(k, err);
        if (r == 0)
                r = pin_programs(bpf_dir, skeleton, err);
        for (size_t i = 0; r == 0 && i < ELEMENTS(maps); i++)
                r = plane_bpf_pin(bpf_dir, *map_of(&k->maps, i), maps[i].name, 0600, err);
        return r;
}

int kstat_maps_open(struct kstats *k, bool *ret_new, struct croft_error *err)
{
        _cleanup_(free_skeleton) struct kstat_bpf *skeleton = kstat_bpf__open();
        int bpf_dir = plane_directory(k->plane), r;
        bool adopted;

        for (size_t i = 0; i < ELEMENTS(maps); i++)
                *map_of(&k->maps, i) = -EBADF;
        if (!skeleton)
                return croft_error_set(err, errno, "open BPF programs");
        adopted = adopt(k, skeleton);
        if (!adopted) {
                kstat_maps_close(&k->maps);
                r = kstat_maps_unpin(bpf_dir, err);
                if (r < 0)
                        return r;
        }
        r = load_what_goes(k, &skeleton, adopted, err);
        if (r < 0)
                return r;
        *ret_new = !adopted;
        if (!adopted)
                return pin_new(k, skeleton, err);
        return pin_programs(bpf_dir, skeleton, err);
}

int kstat_put(int map, const void *key, const void *value, const char *what, struct croft_error *err)
{
        if (bpf_map_update_elem(map, key, value, BPF_ANY) == 0)
                return 0;
        if (errno == E2BIG)
                return croft_error_set(err, ENOSPC, "there is no room for more %s in the kernel.", what);
        return croft_error_set(err, errno, "put %s into the kernel", what);
}

int kstat_put_state(struct kstats *k, struct croft_error *err)
{
        __u32 zero = 0;

        return kstat_put(k->maps.state, &zero, &k->state, "state", err);
}

/* --- reading back --------------------------------------------------------------------------------------------------
 */

typedef int (*element_function)(struct kstats *k, const void *key, const void *value);

/* Calls f for each element.  The next key is asked for before f, which may delete this one. */
static int each(struct kstats *k, int map, size_t key_size, void *value, element_function f)
{
        unsigned char key[128], next[128];
        int r = bpf_map_get_next_key(map, NULL, key), more;

        for (; r == 0; r = more) {
                more = bpf_map_get_next_key(map, key, next);
                if (bpf_map_lookup_elem(map, key, value) == 0) {
                        r = f(k, key, value);
                        if (r < 0)
                                return r;
                }
                memcpy(key, next, key_size);
        }
        return 0;
}

static int read_record(struct kstats *k, const void *key, const void *value)
{
        const struct kstat_record *record = value;
        struct kstat_entry *entry = table_add(&k->table, &record->head);

        (void)key;
        if (!entry)
                return -ENOMEM;
        entry->source = record->source;
        entry->subject = record->subject;
        entry->argument = record->argument;
        return 0;
}

static int read_chain(struct kstats *k, const void *key, const void *value)
{
        struct kstat_chain chain = *(const struct kstat_chain *)value;
        struct kstat_view *view = table_add_view(&k->table, *(const __u64 *)key);

        if (!view)
                return -ENOMEM;
        if (chain.from > k->state.generation) { /* or it would come into force with the next change of others */
                chain.next = chain.last;
                chain.from = 0;
                if (bpf_map_update_elem(k->maps.chains, key, &chain, BPF_ANY) < 0)
                        return -errno;
        }
        view->kcid = chain.next.kcid;
        return 0;
}

/* What is done about a span: keep, in force; keep, with its end taken back; drop. */
enum verdict { KEEP, MEND, DROP };

static enum verdict judge(const struct kstats *k, const struct kstat_span *span)
{
        if (span->from > k->state.generation || span->until <= k->state.generation)
                return DROP;
        return span->until == KSTAT_NEVER ? KEEP : MEND;
}

static int read_member(struct kstats *k, const void *key, const void *value)
{
        const struct kstat_member_key *member = key;
        struct kstat_span span = *(const struct kstat_span *)value;
        enum verdict verdict = judge(k, &span);

        if (verdict != DROP) {
                int r = table_associate(&k->table, member->kid, member->partition);

                if (r == -ENOMEM)
                        return r;
                if (r < 0)
                        verdict = DROP; /* its structure or its partition is gone */
        }
        if (verdict == DROP)
                (void)bpf_map_delete_elem(k->maps.members, key);
        span.until = KSTAT_NEVER;
        if (verdict == MEND && bpf_map_update_elem(k->maps.members, key, &span, BPF_ANY) < 0)
                return -errno;
        return 0;
}

static int read_index(struct kstats *k, const void *key, const void *value)
{
        const struct kstat_index_key *index = key;
        struct kstat_index_value v = *(const struct kstat_index_value *)value;
        const struct kstat_entry *entry = table_find(&k->table, v.kid);
        enum verdict verdict = judge(k, &v.span);

        if (!entry || !kids_have(&entry->partitions, index->partition))
                verdict = DROP;
        if (verdict == DROP)
                (void)bpf_map_delete_elem(k->maps.index, key);
        v.span.until = KSTAT_NEVER;
        if (verdict == MEND && bpf_map_update_elem(k->maps.index, key, &v, BPF_ANY) < 0)
                return -errno;
        return 0;
}

static int read_page(struct kstats *k, const void *key, const void *value)
{
        const struct kstat_page_key *page = key;
        const struct kstat_view *view = table_view(&k->table, page->partition);

        (void)value;
        if (!view || view->kcid != page->kcid)
                (void)bpf_map_delete_elem(k->maps.pages, key);
        return 0;
}

/* A record that nobody sees was being made, or was being ended. */
static void drop_unseen(struct kstats *k)
{
        for (size_t i = k->table.n_entries; i-- > 0;) {
                uint64_t kid = k->table.entries[i]->head.kid;

                if (k->table.entries[i]->partitions.n > 0)
                        continue;
                (void)bpf_map_delete_elem(k->maps.records, &kid);
                table_drop(&k->table, kid);
        }
}

int kstat_maps_read(struct kstats *k, struct croft_error *err)
{
        struct kstat_index_value index;
        struct kstat_record record;
        struct kstat_member_key member;
        struct kstat_chain chain;
        struct kstat_page page;
        int r = each(k, k->maps.records, sizeof(__u64), &record, read_record);

        if (r == 0)
                r = each(k, k->maps.chains, sizeof(__u64), &chain, read_chain);
        if (r == 0)
                r = each(k, k->maps.members, sizeof(member), &index.span, read_member);
        if (r == 0)
                r = each(k, k->maps.index, sizeof(struct kstat_index_key), &index, read_index);
        if (r == 0)
                r = each(k, k->maps.pages, sizeof(struct kstat_page_key), &page, read_page);
        if (r < 0)
                return croft_error_set(err, r, "read the statistics' maps");
        drop_unseen(k);
        return 0;
}
