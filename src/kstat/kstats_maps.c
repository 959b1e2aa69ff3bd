/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * kstats_maps.c - loads, pins and adopts the maps and programs of statistics, and reads the maps back.
 *
 * Maps are pinned beside the plane's, the programs in the directory that partitions see: a new version
 * takes the place of the old one there, too.  `kstat_state` is pinned last and removed first: without it the others
 * don't count. Maps of another layout are never mixed with ours: they go, and all structures are made anew from what is
 * running.  The programs that were pinned with them answer from them until that is done (kstats_publish()): they hold
 * them, pinned or not.
 */
#include "kstat/kstats_private.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "kernel/load.h"
#include "kstat/objects.h"
#include "plane/plane.h"
#include "plane/plane_bpf.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>

#include "kstat.skel.h"

static void free_skeleton(struct kstat_bpf **skeleton)
{
        kstat_bpf__destroy(*skeleton);
}

static const struct plane_pin pins[] = {
        {"kstat_records", offsetof(struct kstat_maps, records)},
        {"kstat_members", offsetof(struct kstat_maps, members)},
        {"kstat_index", offsetof(struct kstat_maps, index)},
        {"kstat_chains", offsetof(struct kstat_maps, chains)},
        {"kstat_pages", offsetof(struct kstat_maps, pages)},
        {"kstat_schemas", offsetof(struct kstat_maps, schemas)},
        {"kstat_objects", offsetof(struct kstat_maps, objects)},
        {"kstat_mounts", offsetof(struct kstat_maps, mounts)},
        {"kstat_mount_text", offsetof(struct kstat_maps, mount_text)},
        {"kstat_timers", offsetof(struct kstat_maps, timers)},
        {"kstat_loads", offsetof(struct kstat_maps, loads)},
        {"kstat_times", offsetof(struct kstat_maps, times)},
        {"kstat_clock", offsetof(struct kstat_maps, clock)},
        {"kstat_disks", offsetof(struct kstat_maps, disks)},
        {"kstat_own_disks", offsetof(struct kstat_maps, own_disks)},
        {"kstat_sums", offsetof(struct kstat_maps, sums)},
        {"kstat_counts", offsetof(struct kstat_maps, counts)},
        {"kstat_state", offsetof(struct kstat_maps, state)},
};
#define LARGEST "kstat"
static const char *const programs[] = {LARGEST, "kstat_large"};

static struct plane_pins pins_of(struct kstat_maps *m)
{
        return (struct plane_pins){.list = pins, .n = ELEMENTS(pins), .base = m};
}

void kstat_maps_close(struct kstat_maps *m)
{
        plane_pins_close(pins_of(m));
}

int kstat_maps_unpin_programs(const struct plane *plane, struct croft_error *err)
{
        _cleanup_close_ int directory = plane_open_programs(plane, err);
        int r = directory < 0 ? directory : kstat_sockopt_unpin(plane_directory(plane), err);

        for (size_t i = 0; r == 0 && i < ELEMENTS(programs); i++)
                r = plane_unpin_program(directory, programs[i], err);
        return r;
}

int kstat_maps_unpin(const struct plane *plane, struct croft_error *err)
{
        int bpf_dir = plane_directory(plane);
        int r = kstat_counts_unpin(bpf_dir, err);

        if (r == 0)
                r = kstat_sampler_unpin(bpf_dir, err);
        return r < 0 ? r : plane_pins_unpin(bpf_dir, (struct plane_pins){.list = pins, .n = ELEMENTS(pins)}, err);
}

/* Opens all pins; true: they are ours, whole and of this layout. */
static bool adopt(struct kstats *k, const struct kstat_bpf *skeleton)
{
        __u32 zero = 0;

        return plane_pins_adopt(plane_directory(k->plane), pins_of(&k->maps), skeleton->obj) &&
               bpf_map_lookup_elem(k->maps.state, &zero, &k->state) == 0 && k->state.layout == KSTAT_LAYOUT &&
               k->state.level == plane_level(k->plane);
}

static uint64_t swap_bytes(void)
{
        struct sysinfo info = {.mem_unit = 1};

        (void)sysinfo(&info); /* can't fail */
        return (uint64_t)info.totalswap * info.mem_unit;
}

static uint64_t stamp_of(const struct kstats *k, const struct kstat_bpf *skeleton)
{
        size_t size;
        const void *bytes = kstat_bpf__elf_bytes(&size);

        return plane_kept_stamp(plane_kept_stamp(plane_kept_begin(plane_partitions(k->plane)), bytes, size),
                skeleton->rodata, sizeof(*skeleton->rodata));
}

/* What is pinned and the same as ours stays, and ours isn't loaded: the largest one. */
static int keep_program(struct kstats *k, const struct kstat_bpf *skeleton, struct croft_error *err)
{
        _cleanup_close_ int directory = plane_open_programs(k->plane, err), pinned = -EBADF;

        if (directory < 0)
                return directory;
        pinned = plane_bpf_get(directory, LARGEST);
        if (plane_kept_is(plane_directory(k->plane), LARGEST, pinned, k->stamp))
                (void)bpf_program__set_autoload(skeleton->progs.kstat, false); /* not loaded yet: can't fail */
        return 0;
}

static int load(struct kstats *k, struct kstat_bpf *skeleton, bool adopted, struct croft_error *err)
{
        struct kstat_percpu percpu;
        struct kstat_mibs mibs;
        int r;

        skeleton->rodata->partition_level = plane_level(k->plane);
        skeleton->rodata->cpus_max = kstat_possible_cpus();
        kstat_percpu_read(&percpu);
        memcpy((void *)&skeleton->rodata->percpu, &percpu, sizeof(percpu)); /* not loaded yet: it may be written to */
        kstat_mibs_read(&mibs);
        memcpy((void *)&skeleton->rodata->mibs, &mibs, sizeof(mibs));
        skeleton->rodata->swap_bytes = swap_bytes();
        k->stamp = stamp_of(k, skeleton);
        r = adopted ? keep_program(k, skeleton, err) : 0;
        if (r < 0)
                return r;
        r = bpf_map__reuse_fd(skeleton->maps.partitions, plane_partitions(k->plane));
        if (r < 0)
                return croft_error_set(err, r, "adopt the pinned maps");
        r = adopted ? plane_pins_reuse(pins_of(&k->maps), skeleton->obj, err) : 0;
        if (r == 0)
                r = kstat_sockopt_adopt(k, skeleton, adopted, err);
        if (r < 0)
                return r;
        r = kstat_bpf__load(skeleton);
        return r < 0 ? plane_bpf_explain(r, err) : 0;
}

/* With the programs for socket options if the kernel takes them: those before 6.1 don't know who calls there. */
static int load_what_goes(struct kstats *k, const struct kernel_load *types, struct kstat_bpf **skeleton, bool adopted,
        struct croft_error *err)
{
        if (load(k, *skeleton, adopted, NULL) == 0)
                return kstat_sockopt_take(k, *skeleton, err);
        kstat_bpf__destroy(*skeleton);
        *skeleton = kstat_bpf__open_opts(&types->options); /* and the types are the same */
        if (!*skeleton)
                return croft_error_set(err, errno, "open BPF programs");
        kstat_sockopt_leave_out(*skeleton);
        return load(k, *skeleton, adopted, err);
}

/* Ours, in the place of those of another version. */
static int pin_programs(const struct kstats *k, const int ours[], struct croft_error *err)
{
        _cleanup_close_ int directory = plane_open_programs(k->plane, err);
        int r = directory < 0 ? directory : 0;

        for (size_t i = 0; r == 0 && i < ELEMENTS(programs); i++)
                if (ours[i] >= 0)
                        r = plane_bpf_replace(directory, ours[i], programs[i], 0444, err);
        if (r == 0 && ours[0] >= 0)
                plane_kept_note(plane_directory(k->plane), LARGEST, ours[0], k->stamp);
        return r;
}

static bool somebody_answers(const struct kstats *k)
{
        _cleanup_close_ int directory = plane_open_programs(k->plane, NULL);
        _cleanup_close_ int program = directory < 0 ? directory : plane_bpf_get(directory, LARGEST);

        return program >= 0;
}

/* Those that were loaded, borrowed. */
static void programs_of(const struct kstat_bpf *skeleton, int ret[])
{
        for (size_t i = 0; i < ELEMENTS(programs); i++) {
                const struct bpf_program *program = bpf_object__find_program_by_name(skeleton->obj, programs[i]);

                ret[i] = bpf_program__autoload(program) ? bpf_program__fd(program) : -EBADF;
        }
}

/* Maps but `kstat_state`, with which they count.  Who knows kids of earlier structures must not meet them again: there
 * hasn't been one in each microsecond since the machine was booted. */
static int pin_new(struct kstats *k, const struct kstat_bpf *skeleton, struct croft_error *err)
{
        int ours[ELEMENTS(programs)], r = plane_pins_take(pins_of(&k->maps), skeleton->obj, err);
        struct plane_pins first = pins_of(&k->maps);
        bool answered = somebody_answers(k);

        first.n--;
        k->state = (struct kstat_state){.generation = 1,
                .next_kid = answered ? (uint64_t)now_ns(CLOCK_BOOTTIME) >> 10 : 1,
                .next_version = 1,
                .next_page = 1,
                .layout = KSTAT_LAYOUT,
                .level = plane_level(k->plane)};
        if (r == 0)
                r = kstat_put_state(k, err);
        if (r == 0)
                r = plane_pins_pin(plane_directory(k->plane), first, err);
        programs_of(skeleton, ours);
        for (size_t i = 0; r == 0 && i < ELEMENTS(programs); i++) {
                k->ours[i] = fcntl(ours[i], F_DUPFD_CLOEXEC, 3);
                if (k->ours[i] < 0)
                        r = croft_error_set(err, errno, "keep a program");
        }
        return r < 0 || answered ? r : kstats_publish(k, err);
}

static int pin_adopted(struct kstats *k, const struct kstat_bpf *skeleton, struct croft_error *err)
{
        int ours[ELEMENTS(programs)];

        programs_of(skeleton, ours);
        return pin_programs(k, ours, err);
}

int kstats_publish(struct kstats *k, struct croft_error *err)
{
        struct plane_pins last = pins_of(&k->maps);
        int r;

        last.list += last.n - 1;
        last.n = 1;
        if (k->ours[0] < 0)
                return 0;
        r = pin_programs(k, k->ours, err);
        if (r == 0)
                r = plane_pins_pin(plane_directory(k->plane), last, err);
        for (size_t i = 0; r == 0 && i < ELEMENTS(programs); i++)
                k->ours[i] = close_fd(k->ours[i]);
        return r;
}

int kstat_maps_open(struct kstats *k, bool *ret_new, struct croft_error *err)
{
        _cleanup_(kernel_load_done) struct kernel_load types;
        _cleanup_(free_skeleton) struct kstat_bpf *skeleton = NULL;
        bool adopted;
        int r = kernel_load_begin(&types, err);

        plane_pins_init(pins_of(&k->maps));
        if (r < 0)
                return r;
        skeleton = kstat_bpf__open_opts(&types.options);
        if (!skeleton)
                return croft_error_set(err, errno, "open BPF programs");
        r = kernel_load_types(&types, skeleton->obj, err);
        if (r < 0)
                return r;
        adopted = adopt(k, skeleton);
        if (!adopted) {
                kstat_maps_close(&k->maps);
                r = kstat_maps_unpin(k->plane, err);
                if (r < 0)
                        return r;
        }
        r = load_what_goes(k, &types, &skeleton, adopted, err);
        if (r < 0)
                return r;
        *ret_new = !adopted;
        r = adopted ? pin_adopted(k, skeleton, err) : pin_new(k, skeleton, err);
        if (r < 0)
                return r;
        kstat_counts_begin(k, skeleton);
        close_fd(k->disk_begin);
        k->disk_begin = fcntl(bpf_program__fd(skeleton->progs.kstat_disk_begin), F_DUPFD_CLOEXEC, 3);
        return k->disk_begin < 0 ? croft_error_set(err, errno, "keep a program") : 0;
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

/* What is read, and is to be in order before it goes into the table: a hash has none. */
struct reading {
        struct kstats *k;
        struct kstat_entry *entries;
        size_t n_entries, room_entries;
        struct kids all; /* that everybody sees */
};

static void reading_done(struct reading *reading)
{
        free(reading->entries);
        kids_done(&reading->all);
}

typedef int (*element_function)(struct reading *reading, const void *key, const void *value);

/* Calls f for each element.  The next key is asked for before f, which may delete this one. */
static int each(struct reading *reading, int map, size_t key_size, void *value, element_function f)
{
        unsigned char key[128], next[128];
        int r = bpf_map_get_next_key(map, NULL, key), more;

        for (; r == 0; r = more) {
                more = bpf_map_get_next_key(map, key, next);
                if (bpf_map_lookup_elem(map, key, value) == 0) {
                        r = f(reading, key, value);
                        if (r < 0)
                                return r;
                }
                memcpy(key, next, key_size);
        }
        return 0;
}

static int read_record(struct reading *reading, const void *key, const void *value)
{
        const struct kstat_record *record = value;
        struct kstat_entry *entries;

        (void)key;
        if (reading->n_entries == reading->room_entries) {
                entries = reallocarray(reading->entries, reading->room_entries * 2 + 64, sizeof(*entries));
                if (!entries)
                        return -ENOMEM;
                reading->entries = entries;
                reading->room_entries = reading->room_entries * 2 + 64;
        }
        reading->entries[reading->n_entries++] = (struct kstat_entry){.head = record->head,
                .source = record->source,
                .subject = record->subject,
                .argument = record->argument};
        return 0;
}

static int by_kid(const void *a, const void *b)
{
        const struct kstat_entry *x = a, *y = b;

        return x->head.kid < y->head.kid ? -1 : x->head.kid > y->head.kid;
}

static int enter_records(struct reading *reading)
{
        if (reading->n_entries > 0)
                qsort(reading->entries, reading->n_entries, sizeof(*reading->entries), by_kid);
        for (size_t i = 0; i < reading->n_entries; i++)
                if (!table_add(&reading->k->table, &reading->entries[i]))
                        return -ENOMEM;
        return 0;
}

static int read_kids(struct kstats *k, uint64_t partition, uint64_t reference, struct kid_page **ret)
{
        const struct kstat_page_key key = {
                .partition = partition, .number = KSTAT_PAGE_NUMBER(reference), .level = KSTAT_PAGE_OF_KIDS};
        _cleanup_free_ struct kid_page *page = calloc(1, sizeof(*page));
        struct kstat_page content;

        if (!page)
                return -ENOMEM;
        if (bpf_map_lookup_elem(k->maps.pages, &key, &content) < 0)
                return errno == ENOENT ? -EUCLEAN : -errno;
        page->id = key.number;
        page->n = KSTAT_PAGE_SIZE(reference);
        if (page->n == 0 || page->n > KSTAT_PAGE_KIDS)
                return -EUCLEAN;
        memcpy(page->kids, content.kids, page->n * sizeof(page->kids[0]));
        *ret = TAKE(page);
        return 0;
}

/* The list of a view that is in force. */
static int read_list(struct kstats *k, struct kstat_view *view, const struct kstat_list *list)
{
        struct kstat_page table;
        int r = 0;

        view->kcid = list->kcid;
        view->list.pages = calloc((size_t)list->pages + 1, sizeof(struct kid_page *));
        if (!view->list.pages)
                return -ENOMEM;
        for (uint32_t i = 0; r == 0 && i < list->pages; i++) {
                const struct kstat_page_key key = {.partition = view->partition,
                        .number = list->kcid,
                        .level = KSTAT_PAGE_OF_PAGES,
                        .table = i / KSTAT_PAGE_KIDS};
                struct kid_page *page = NULL;

                if (i % KSTAT_PAGE_KIDS == 0 && bpf_map_lookup_elem(k->maps.pages, &key, &table) < 0)
                        return errno == ENOENT ? -EUCLEAN : -errno;
                r = read_kids(k, view->partition, table.kids[i % KSTAT_PAGE_KIDS], &page);
                if (r < 0)
                        return r;
                view->list.pages[view->list.n_pages++] = page;
                view->list.n += page->n;
        }
        return view->list.n == list->total ? 0 : -EUCLEAN;
}

static int read_chain(struct reading *reading, const void *key, const void *value)
{
        struct kstats *k = reading->k;
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
        return read_list(k, view, &chain.next);
}

/* What is done about a span: keep, in force; keep, with its end taken back; drop. */
enum verdict { KEEP, MEND, DROP };

static enum verdict judge(const struct kstats *k, const struct kstat_span *span)
{
        if (span->from > k->state.generation || span->until <= k->state.generation)
                return DROP;
        return span->until == KSTAT_NEVER ? KEEP : MEND;
}

static int read_member(struct reading *reading, const void *key, const void *value)
{
        struct kstats *k = reading->k;
        const struct kstat_member_key *member = key;
        struct kstat_span span = *(const struct kstat_span *)value;
        enum verdict verdict = judge(k, &span);

        if (verdict != DROP) {
                int r = table_associate(&k->table, member->kid, member->partition);

                if (r == -ENOMEM)
                        return r;
                if (r < 0)
                        verdict = DROP; /* its structure or its partition is gone */
                else if (member->partition == KSTAT_ALL && kids_add(&reading->all, member->kid) == -ENOMEM)
                        return -ENOMEM;
        }
        if (verdict == DROP)
                (void)bpf_map_delete_elem(k->maps.members, key);
        span.until = KSTAT_NEVER;
        if (verdict == MEND && bpf_map_update_elem(k->maps.members, key, &span, BPF_ANY) < 0)
                return -errno;
        return 0;
}

static int read_index(struct reading *reading, const void *key, const void *value)
{
        struct kstats *k = reading->k;
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

static bool has_page(const struct kid_list *list, uint64_t id)
{
        for (size_t i = 0; i < list->n_pages; i++)
                if (list->pages[i]->id == id)
                        return true;
        return false;
}

static int read_page(struct reading *reading, const void *key, const void *value)
{
        const struct kstat_page_key *page = key;
        const struct kstat_view *view = table_view(&reading->k->table, page->partition);

        (void)value;
        if (!view || (page->level == KSTAT_PAGE_OF_PAGES ? page->number != view->kcid
                                                         : !has_page(&view->list, page->number)))
                (void)bpf_map_delete_elem(reading->k->maps.pages, key);
        return 0;
}

static int enter_all(struct reading *reading)
{
        const struct kid_list none = {.n = 0};
        struct kid_change change;
        int r = kid_list_change(&none, (struct kid_numbers){reading->all.at, reading->all.n}, (struct kid_numbers){0},
                &reading->k->state.next_page, &change);

        if (r == 0)
                kid_change_keep(&change, &table_view(&reading->k->table, KSTAT_ALL)->list);
        return r;
}

/* A record that nobody sees was being made, or was being ended. */
static void drop_unseen(struct kstats *k)
{
        for (size_t i = k->table.n_entries; i-- > 0;) {
                uint64_t kid = k->table.entries[i]->head.kid;

                if (k->table.entries[i]->partitions.n > 0)
                        continue;
                (void)bpf_map_delete_elem(k->maps.records, &kid);
                table_drop(&k->table, &kid, 1);
        }
}

int kstat_maps_read(struct kstats *k, struct croft_error *err)
{
        _cleanup_(reading_done) struct reading reading = {.k = k};
        struct kstat_index_value index;
        struct kstat_record record;
        struct kstat_member_key member;
        struct kstat_chain chain;
        struct kstat_page page;
        int r = each(&reading, k->maps.records, sizeof(__u64), &record, read_record);

        if (r == 0)
                r = enter_records(&reading);
        if (r == 0)
                r = each(&reading, k->maps.chains, sizeof(__u64), &chain, read_chain);
        if (r == 0)
                r = each(&reading, k->maps.members, sizeof(member), &index.span, read_member);
        if (r == 0)
                r = enter_all(&reading);
        if (r == 0)
                r = each(&reading, k->maps.index, sizeof(struct kstat_index_key), &index, read_index);
        if (r == 0)
                r = each(&reading, k->maps.pages, sizeof(struct kstat_page_key), &page, read_page);
        if (r < 0)
                return croft_error_set(err, r, "read the statistics' maps");
        drop_unseen(k);
        return 0;
}
