/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * objects.c - where the kernel keeps the figures of a partition, and the samples made from them.  See objects.h.
 *
 * The iterator `find` is told by a map whom it is to find: one run at a time, under the lock.  Nothing else here
 * changes after kstat_sampler_open() but the maps, which are the kernel's to lock.
 */
#include "kstat/objects.h"

#include "base/cleanup.h"
#include "kernel/cpus.h"
#include "kernel/load.h"
#include "kstat/figures.h"
#include "kstat/objects.bpf.h"
#include "kstat/sample.bpf.h"
#include "plane/plane_bpf.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include "sample.skel.h"

/* What the next croftd finds, if there is a directory for it. */
#define FIND "sampler_find"
#define SAMPLE "sampler_sample"
#define WHAT "sampler_what"

struct kstat_sampler {
        struct kstat_shared maps; /* descriptors of its own, but for the directory */
        int find, sample;         /* the iterators */
        int what;                 /* a map: what find looks for, one struct kstat_find */
        bool counting;            /* somebody counts tasks */
        pthread_mutex_t lock;     /* of what, while find runs */
};

static const struct plane_pin shared_maps[] = {
        {"partitions", offsetof(struct kstat_shared, partitions)},
        {"kstat_objects", offsetof(struct kstat_shared, objects)},
        {"kstat_loads", offsetof(struct kstat_shared, loads)},
        {"kstat_times", offsetof(struct kstat_shared, times)},
        {"kstat_clock", offsetof(struct kstat_shared, clock)},
        {"kstat_disks", offsetof(struct kstat_shared, disks)},
        {"kstat_sums", offsetof(struct kstat_shared, sums)},
        {"kstat_counts", offsetof(struct kstat_shared, counts)},
};

static struct plane_pins maps_of(struct kstat_shared *maps)
{
        return (struct plane_pins){.list = shared_maps, .n = ELEMENTS(shared_maps), .base = maps};
}

static int descriptor(const struct kstat_shared *maps, size_t i)
{
        return *(const int *)(const void *)((const char *)maps + shared_maps[i].place);
}

static int no_print(enum libbpf_print_level level, const char *format, va_list ap)
{
        (void)level;
        (void)format;
        (void)ap;
        return 0;
}

static void free_skeleton(struct sample_bpf **skeleton)
{
        sample_bpf__destroy(*skeleton);
}

static int share_maps(struct sample_bpf *skeleton, const struct kstat_shared *maps, struct croft_error *err)
{
        for (size_t i = 0; i < ELEMENTS(shared_maps); i++) {
                struct bpf_map *map = bpf_object__find_map_by_name(skeleton->obj, shared_maps[i].name);
                int fd = descriptor(maps, i), r = fd < 0 ? 0 : bpf_map__reuse_fd(map, fd);

                if (r < 0)
                        return croft_error_set(err, r, "share map '%s'", shared_maps[i].name);
        }
        return 0;
}

static int explain_load(int code, struct croft_error *err)
{
        if (code == -EPERM || code == -EACCES)
                return croft_error_set(
                        err, EPERM, "no permission to load BPF programs (CAP_BPF, CAP_PERFMON or CAP_SYS_ADMIN).");
        if (code == -ENOSYS || code == -EINVAL || code == -ESRCH)
                return croft_error_set(
                        err, EOPNOTSUPP, "this kernel can't run the programs that sample partitions (6.1 or later).");
        return croft_error_set(err, code, "load the programs that sample partitions");
}

uint32_t kstat_possible_cpus(void)
{
        unsigned int n = 0;
        struct cpus possible;

        if (cpus_read("possible", &possible, NULL) < 0)
                return KSTAT_CPUS_MAX;
        for (unsigned int cpu = 0; cpus_next(&possible, &cpu); cpu++)
                n = cpu + 1;
        return n > 0 && n < KSTAT_CPUS_MAX ? n : KSTAT_CPUS_MAX;
}

/* --- the iterators --- */

/* What they are made from. */
static uint64_t stamp_of(const struct kstat_shared *maps)
{
        uint32_t cpus = kstat_possible_cpus();
        size_t size;
        const void *bytes = sample_bpf__elf_bytes(&size);
        uint64_t stamp = plane_kept_stamp(plane_kept_stamp(0, bytes, size), &cpus, sizeof(cpus));

        for (size_t i = 0; i < ELEMENTS(shared_maps); i++) {
                const uint64_t map = plane_kept_begin(descriptor(maps, i));

                stamp = plane_kept_stamp(stamp, &map, sizeof(map));
        }
        return stamp;
}

static bool may_be_kept(const struct kstat_shared *maps)
{
        for (size_t i = 0; i < ELEMENTS(shared_maps); i++)
                if (descriptor(maps, i) < 0)
                        return false;
        return maps->directory >= 0;
}

/* Those of an earlier croftd, if they are the same as ours. */
static bool adopt(struct kstat_sampler *sampler, const struct kstat_shared *maps)
{
        uint64_t stamp = stamp_of(maps);

        sampler->find = plane_bpf_get(maps->directory, FIND);
        sampler->sample = plane_bpf_get(maps->directory, SAMPLE);
        sampler->what = plane_bpf_get(maps->directory, WHAT);
        if (sampler->what >= 0 && plane_kept_is(maps->directory, FIND, sampler->find, stamp) &&
                plane_kept_is(maps->directory, SAMPLE, sampler->sample, stamp))
                return true;
        sampler->find = close_fd(sampler->find);
        sampler->sample = close_fd(sampler->sample);
        sampler->what = close_fd(sampler->what);
        return false;
}

int kstat_sampler_unpin(int directory, struct croft_error *err)
{
        static const char *const left[] = {SAMPLE, FIND, WHAT};
        int r = 0;

        for (size_t i = 0; i < ELEMENTS(left) && r == 0; i++)
                r = plane_unpin_program(directory, left[i], err);
        return r;
}

/* What was there goes first and the notes come last: iterators of one croftd and the map of another don't meet. */
static int leave(const struct kstat_sampler *sampler, const struct kstat_shared *maps, struct croft_error *err)
{
        int r = kstat_sampler_unpin(maps->directory, err);

        if (r == 0)
                r = plane_bpf_pin(maps->directory, sampler->what, WHAT, 0600, err);
        if (r == 0)
                r = plane_bpf_pin(maps->directory, sampler->find, FIND, 0600, err);
        if (r == 0)
                r = plane_bpf_pin(maps->directory, sampler->sample, SAMPLE, 0600, err);
        if (r < 0)
                return r;
        plane_kept_note(maps->directory, FIND, sampler->find, stamp_of(maps));
        plane_kept_note(maps->directory, SAMPLE, sampler->sample, stamp_of(maps));
        return 0;
}

/* The kernel keeps what the descriptors lead to; the object isn't needed any more. */
static int take(struct kstat_sampler *sampler, const struct sample_bpf *skeleton, struct croft_error *err)
{
        const struct {
                int from, *to;
        } all[] = {{bpf_program__fd(skeleton->progs.find), &sampler->find},
                {bpf_program__fd(skeleton->progs.sample), &sampler->sample},
                {bpf_map__fd(skeleton->maps.bss), &sampler->what}};

        for (size_t i = 0; i < ELEMENTS(all); i++) {
                *all[i].to = fcntl(all[i].from, F_DUPFD_CLOEXEC, 3);
                if (*all[i].to < 0)
                        return croft_error_set(err, errno, "keep the programs that sample partitions");
        }
        return plane_pins_take(maps_of(&sampler->maps), skeleton->obj, err);
}

static int load(struct kstat_sampler *sampler, const struct kstat_shared *maps, struct croft_error *err)
{
        _cleanup_(kernel_load_done) struct kernel_load types;
        _cleanup_(free_skeleton) struct sample_bpf *skeleton = NULL;
        int r = kernel_load_begin(&types, err);

        if (r < 0)
                return r;
        skeleton = sample_bpf__open_opts(&types.options);
        if (!skeleton)
                return croft_error_set(err, errno, "open the programs that sample partitions");
        r = kernel_load_types(&types, skeleton->obj, err);
        if (r == 0)
                r = share_maps(skeleton, maps, err);
        if (r < 0)
                return r;
        _Static_assert(sizeof(skeleton->bss->find_what) == sizeof(*skeleton->bss), "nothing else is told");
        skeleton->rodata->cpus_max = kstat_possible_cpus();
        r = sample_bpf__load(skeleton);
        return r < 0 ? explain_load(r, err) : take(sampler, skeleton, err);
}

/* Those that the adopted iterators use. */
static int share(struct kstat_sampler *sampler, const struct kstat_shared *maps, struct croft_error *err)
{
        for (size_t i = 0; i < ELEMENTS(shared_maps); i++) {
                int *own = (int *)(void *)((char *)&sampler->maps + shared_maps[i].place);

                *own = fcntl(descriptor(maps, i), F_DUPFD_CLOEXEC, 3);
                if (*own < 0)
                        return croft_error_set(err, errno, "keep map '%s'", shared_maps[i].name);
        }
        return 0;
}

int kstat_sampler_open(const struct kstat_shared *maps, struct kstat_sampler **ret, struct croft_error *err)
{
        _cleanup_(kstat_sampler_freep) struct kstat_sampler *sampler = calloc(1, sizeof(*sampler));
        int r;

        if (!sampler)
                return croft_error_set(err, ENOMEM, "open the sampler");
        (void)pthread_mutex_init(&sampler->lock, NULL); /* can't fail with these attributes */
        libbpf_set_print(no_print);                     /* libraries don't log */
        sampler->find = sampler->sample = sampler->what = -EBADF;
        sampler->maps = KSTAT_SHARED_NONE;
        sampler->counting = maps->counts >= 0;
        if (may_be_kept(maps) && adopt(sampler, maps)) {
                r = share(sampler, maps, err);
        } else {
                r = load(sampler, maps, err);
                if (r == 0 && may_be_kept(maps))
                        r = leave(sampler, maps, err);
        }
        if (r < 0)
                return r;
        *ret = TAKE(sampler);
        return 0;
}

struct kstat_sampler *kstat_sampler_free(struct kstat_sampler *sampler)
{
        if (!sampler)
                return NULL;
        close_fd(sampler->find);
        close_fd(sampler->sample);
        close_fd(sampler->what);
        plane_pins_close(maps_of(&sampler->maps));
        (void)pthread_mutex_destroy(&sampler->lock);
        free(sampler);
        return NULL;
}

void kstat_sampler_freep(struct kstat_sampler **sampler)
{
        *sampler = kstat_sampler_free(*sampler);
}

struct kstat_shared kstat_sampler_shared(const struct kstat_sampler *sampler)
{
        return sampler->maps;
}

/* A link of that iterator. */
static int new_link(int program, union bpf_iter_link_info *what)
{
        LIBBPF_OPTS(bpf_link_create_opts, options, .iter_info = what, .iter_info_len = sizeof(*what));
        int fd = bpf_link_create(program, 0, BPF_TRACE_ITER, &options);

        return fd < 0 ? -errno : fd;
}

/* --- where a partition is counted --- */

struct answer {
        struct kstat_objects objects;
        struct kstat_link links[KSTAT_FIND_LINKS];
};
_Static_assert(sizeof(struct kstat_objects) % _Alignof(struct kstat_link) == 0, "one behind the other");

/* What the iterator has to say about that process: some bytes of *ret or nothing. */
static ssize_t run_find(const struct kstat_sampler *sampler, pid_t init, struct answer *ret)
{
        union bpf_iter_link_info what = {.task.tid = (__u32)init};
        _cleanup_close_ int link = new_link(sampler->find, &what), fd = -EBADF;
        ssize_t n;

        if (link < 0)
                return link;
        fd = bpf_iter_create(link);
        n = fd < 0 ? -1 : read(fd, ret, sizeof(*ret));
        return n < 0 ? -errno : n;
}

static int set_what(const struct kstat_sampler *sampler, const struct kstat_place *place)
{
        struct kstat_find what = {.level = place->level, .machine = place->partition == 0};
        const __u32 zero = 0;

        if (place->partition != 0) {
                (void)snprintf((char *)what.name, sizeof(what.name), "%llu", (unsigned long long)place->partition);
                (void)snprintf((char *)what.parent, sizeof(what.parent), "croft.%s", place->tag);
        }
        return bpf_map_update_elem(sampler->what, &zero, &what, BPF_ANY) < 0 ? -errno : 0;
}

/* When its clocks began, by the clock on the wall.  Worked out once: it doesn't move with what NTP does later. */
static int64_t wall_second(int64_t boot_ns)
{
        struct timespec wall = {0}, boot = {0};

        (void)clock_gettime(CLOCK_REALTIME, &wall); /* can't fail */
        (void)clock_gettime(CLOCK_BOOTTIME, &boot);
        return (((int64_t)wall.tv_sec - boot.tv_sec) * 1000000000 + wall.tv_nsec - boot.tv_nsec + boot_ns) / 1000000000;
}

/* From now on the tasks are counted that it makes. */
static int count_tasks(const struct kstat_sampler *sampler, uint64_t cgroup)
{
        int cpus = libbpf_num_possible_cpus();
        _cleanup_free_ struct kstat_counts *none = cpus < 0 ? NULL : calloc((size_t)cpus, sizeof(*none));

        if (!none)
                return cpus < 0 ? cpus : -ENOMEM;
        if (bpf_map_update_elem(sampler->maps.counts, &cgroup, none, BPF_NOEXIST) < 0 && errno != EEXIST)
                return -errno;
        return 0;
}

static void forget_tasks(const struct kstat_sampler *sampler, uint64_t partition)
{
        struct kstat_objects objects;

        if (bpf_map_lookup_elem(sampler->maps.objects, &partition, &objects) == 0)
                (void)bpf_map_delete_elem(sampler->maps.counts, &objects.cgroup_id);
}

static int record(const struct kstat_sampler *sampler, uint64_t partition, struct kstat_objects *found)
{
        static const struct kstat_disks no_disks;
        int map = sampler->maps.objects;
        int disks = sampler->maps.disks;
        struct kstat_objects before;

        found->began_s = wall_second(found->boot_ns);
        if (bpf_map_lookup_elem(map, &partition, &before) == 0 && before.cgroup_id == found->cgroup_id &&
                before.boot_ns == found->boot_ns)
                found->began_s = before.began_s;
        /* Here: 640 bytes are more than the stack of a program has. */
        if (bpf_map_update_elem(disks, &partition, &no_disks, BPF_NOEXIST) < 0 && errno != EEXIST)
                return -errno;
        if (sampler->counting && partition && count_tasks(sampler, found->cgroup_id) < 0)
                return -ENOMEM;
        return bpf_map_update_elem(map, &partition, found, BPF_ANY) < 0 ? -errno : 0;
}

int kstats_find_objects(struct kstat_sampler *sampler, const struct kstat_place *place, struct kstat_links *ret,
        struct croft_error *err)
{
        struct answer found;
        ssize_t n, links;

        (void)pthread_mutex_lock(&sampler->lock);
        n = set_what(sampler, place);
        if (n == 0)
                n = run_find(sampler, place->init, &found);
        (void)pthread_mutex_unlock(&sampler->lock);
        if (n == 0)
                n = -ESRCH;
        if (n < 0)
                return croft_error_set(err, (int)n, "find the figures of partition %llu by its process %d",
                        (unsigned long long)place->partition, (int)place->init);
        links = n - (ssize_t)sizeof(found.objects);
        if (links < 0 || links % (ssize_t)sizeof(found.links[0]) != 0)
                return croft_error_set(err, EIO, "find the figures of partition %llu: %zd bytes",
                        (unsigned long long)place->partition, n);
        n = record(sampler, place->partition, &found.objects);
        if (n < 0)
                return croft_error_set(err, n == -E2BIG ? ENOSPC : (int)n, "record where partition %llu is counted",
                        (unsigned long long)place->partition);
        if (ret) {
                ret->n = (size_t)links / sizeof(found.links[0]);
                memcpy(ret->list, found.links, (size_t)links);
        }
        return 0;
}

int kstats_forget_objects(struct kstat_sampler *sampler, uint64_t partition, struct croft_error *err)
{
        const int memories[] = {sampler->maps.loads, sampler->maps.disks, sampler->maps.sums, sampler->maps.objects};

        forget_tasks(sampler, partition);
        for (uint64_t cpu = 0; cpu < KSTAT_CPUS_MAX; cpu++) {
                const struct kstat_time_key key = {.partition = partition, .cpu = cpu};

                if (bpf_map_delete_elem(sampler->maps.times, &key) < 0 && errno != ENOENT)
                        return croft_error_set(
                                err, errno, "forget the times of partition %llu", (unsigned long long)partition);
        }
        for (size_t i = 0; i < ELEMENTS(memories); i++)
                if (bpf_map_delete_elem(memories[i], &partition) < 0 && errno != ENOENT)
                        return croft_error_set(
                                err, errno, "forget where partition %llu was counted", (unsigned long long)partition);
        return 0;
}

int kstats_open_sample(struct kstat_sampler *sampler, int cgroup_fd, struct croft_error *err)
{
        union bpf_iter_link_info what = {.cgroup = {.order = BPF_CGROUP_ITER_SELF_ONLY, .cgroup_fd = (__u32)cgroup_fd}};
        int link = new_link(sampler->sample, &what);

        return link < 0 ? croft_error_set(err, link, "attach the sampler to a cgroup") : link;
}
