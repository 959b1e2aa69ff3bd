/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * objects.c - where the kernel keeps the figures of a partition, and the samples made from them.  See objects.h.
 *
 * The iterator `find` is told by a global variable whom it is to find: one run at a time, under the lock.  Nothing else
 * here changes after kstat_sampler_open() but the maps, which are the kernel's to lock.
 */
#include "kstat/objects.h"

#include "base/cleanup.h"
#include "kernel/cpus.h"
#include "kernel/load.h"
#include "kstat/figures.h"
#include "kstat/objects.bpf.h"
#include "kstat/sample.bpf.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include "sample.skel.h"

struct kstat_sampler {
        struct sample_bpf *skeleton;
        bool counting;        /* somebody counts tasks */
        pthread_mutex_t lock; /* of find_what, while find runs */
};

static int no_print(enum libbpf_print_level level, const char *format, va_list ap)
{
        (void)level;
        (void)format;
        (void)ap;
        return 0;
}

static int share_maps(struct sample_bpf *skeleton, const struct kstat_shared *maps, struct croft_error *err)
{
        const struct {
                struct bpf_map *map;
                int fd;
        } table[] = {
                {skeleton->maps.partitions, maps->partitions},
                {skeleton->maps.kstat_objects, maps->objects},
                {skeleton->maps.kstat_loads, maps->loads},
                {skeleton->maps.kstat_times, maps->times},
                {skeleton->maps.kstat_clock, maps->clock},
                {skeleton->maps.kstat_disks, maps->disks},
                {skeleton->maps.kstat_sums, maps->sums},
                {skeleton->maps.kstat_counts, maps->counts},
        };

        for (size_t i = 0; i < ELEMENTS(table); i++) {
                int r = table[i].fd < 0 ? 0 : bpf_map__reuse_fd(table[i].map, table[i].fd);

                if (r < 0)
                        return croft_error_set(err, r, "share map '%s'", bpf_map__name(table[i].map));
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

int kstat_sampler_open(const struct kstat_shared *maps, struct kstat_sampler **ret, struct croft_error *err)
{
        _cleanup_(kernel_load_done) struct kernel_load types;
        _cleanup_(kstat_sampler_freep) struct kstat_sampler *sampler = calloc(1, sizeof(*sampler));
        int r = kernel_load_begin(&types, err);

        if (!sampler)
                return croft_error_set(err, ENOMEM, "open the sampler");
        (void)pthread_mutex_init(&sampler->lock, NULL); /* can't fail with these attributes */
        libbpf_set_print(no_print);                     /* libraries don't log */
        sampler->counting = maps->counts >= 0;
        if (r < 0)
                return r;
        sampler->skeleton = sample_bpf__open_opts(&types.options);
        if (!sampler->skeleton)
                return croft_error_set(err, errno, "open the programs that sample partitions");
        r = kernel_load_types(&types, sampler->skeleton->obj, err);
        if (r == 0)
                r = share_maps(sampler->skeleton, maps, err);
        if (r < 0)
                return r;
        sampler->skeleton->rodata->cpus_max = kstat_possible_cpus();
        r = sample_bpf__load(sampler->skeleton);
        if (r < 0)
                return explain_load(r, err);
        *ret = TAKE(sampler);
        return 0;
}

struct kstat_sampler *kstat_sampler_free(struct kstat_sampler *sampler)
{
        if (!sampler)
                return NULL;
        sample_bpf__destroy(sampler->skeleton);
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
        const struct sample_bpf *skeleton = sampler->skeleton;

        return (struct kstat_shared){
                .partitions = bpf_map__fd(skeleton->maps.partitions),
                .objects = bpf_map__fd(skeleton->maps.kstat_objects),
                .loads = bpf_map__fd(skeleton->maps.kstat_loads),
                .times = bpf_map__fd(skeleton->maps.kstat_times),
                .clock = bpf_map__fd(skeleton->maps.kstat_clock),
                .disks = bpf_map__fd(skeleton->maps.kstat_disks),
                .sums = bpf_map__fd(skeleton->maps.kstat_sums),
                .counts = bpf_map__fd(skeleton->maps.kstat_counts),
        };
}

struct answer {
        struct kstat_objects objects;
        struct kstat_link links[KSTAT_FIND_LINKS];
};
_Static_assert(sizeof(struct kstat_objects) % _Alignof(struct kstat_link) == 0, "one behind the other");

/* What the iterator has to say about that process: some bytes of *ret or nothing. */
static ssize_t run_find(const struct kstat_sampler *sampler, pid_t init, struct answer *ret)
{
        union bpf_iter_link_info what = {.task.tid = (__u32)init};
        DECLARE_LIBBPF_OPTS(bpf_iter_attach_opts, opts, .link_info = &what, .link_info_len = sizeof(what));
        struct bpf_link *link = bpf_program__attach_iter(sampler->skeleton->progs.find, &opts);
        _cleanup_close_ int fd = -EBADF;
        ssize_t n;

        if (!link)
                return -errno;
        fd = bpf_iter_create(bpf_link__fd(link));
        n = fd < 0 ? -errno : read(fd, ret, sizeof(*ret));
        if (fd >= 0 && n < 0)
                n = -errno;
        (void)bpf_link__destroy(link);
        return n;
}

static void set_what(struct kstat_find *what, const struct kstat_place *place)
{
        *what = (struct kstat_find){.level = place->level, .machine = place->partition == 0};
        if (place->partition == 0)
                return;
        (void)snprintf((char *)what->name, sizeof(what->name), "%llu", (unsigned long long)place->partition);
        (void)snprintf((char *)what->parent, sizeof(what->parent), "croft.%s", place->tag);
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
        if (bpf_map_update_elem(bpf_map__fd(sampler->skeleton->maps.kstat_counts), &cgroup, none, BPF_NOEXIST) < 0 &&
                errno != EEXIST)
                return -errno;
        return 0;
}

static void forget_tasks(const struct kstat_sampler *sampler, uint64_t partition)
{
        const struct sample_bpf *skeleton = sampler->skeleton;
        struct kstat_objects objects;

        if (bpf_map_lookup_elem(bpf_map__fd(skeleton->maps.kstat_objects), &partition, &objects) == 0)
                (void)bpf_map_delete_elem(bpf_map__fd(skeleton->maps.kstat_counts), &objects.cgroup_id);
}

static int record(const struct kstat_sampler *sampler, uint64_t partition, struct kstat_objects *found)
{
        static const struct kstat_disks no_disks;
        int map = bpf_map__fd(sampler->skeleton->maps.kstat_objects);
        int disks = bpf_map__fd(sampler->skeleton->maps.kstat_disks);
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
        set_what(&sampler->skeleton->bss->find_what, place);
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
        const struct sample_bpf *skeleton = sampler->skeleton;
        const struct bpf_map *const memories[] = {skeleton->maps.kstat_loads, skeleton->maps.kstat_disks,
                skeleton->maps.kstat_sums, skeleton->maps.kstat_objects};

        forget_tasks(sampler, partition);
        for (uint64_t cpu = 0; cpu < KSTAT_CPUS_MAX; cpu++) {
                const struct kstat_time_key key = {.partition = partition, .cpu = cpu};

                if (bpf_map_delete_elem(bpf_map__fd(skeleton->maps.kstat_times), &key) < 0 && errno != ENOENT)
                        return croft_error_set(
                                err, errno, "forget the times of partition %llu", (unsigned long long)partition);
        }
        for (size_t i = 0; i < ELEMENTS(memories); i++)
                if (bpf_map_delete_elem(bpf_map__fd(memories[i]), &partition) < 0 && errno != ENOENT)
                        return croft_error_set(
                                err, errno, "forget where partition %llu was counted", (unsigned long long)partition);
        return 0;
}

int kstats_open_sample(struct kstat_sampler *sampler, int cgroup_fd, struct croft_error *err)
{
        union bpf_iter_link_info what = {.cgroup = {.order = BPF_CGROUP_ITER_SELF_ONLY, .cgroup_fd = (__u32)cgroup_fd}};
        DECLARE_LIBBPF_OPTS(bpf_iter_attach_opts, opts, .link_info = &what, .link_info_len = sizeof(what));
        struct bpf_link *link = bpf_program__attach_iter(sampler->skeleton->progs.sample, &opts);
        int fd;

        if (!link)
                return croft_error_set(err, errno, "attach the sampler to a cgroup");
        fd = fcntl(bpf_link__fd(link), F_DUPFD_CLOEXEC, 3);
        if (fd < 0)
                (void)croft_error_set(err, errno, "keep a sampler's link");
        (void)bpf_link__destroy(link);
        return fd < 0 ? -errno : fd;
}
