/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * life_stats.c - collects the figures of all partitions, of the machine and of croftd.  See stats.h.
 *
 * Nothing is kept between two calls and nothing runs without one.  Locks are held to copy only.  What fails for one
 * partition (it ends just now) leaves that partition's figures unknown.
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/str.h"
#include "daemon/life_private.h"
#include "daemon/stats.h"
#include "kernel/ns.h"
#include "kstat/mount_watch.h"
#include "kstat/sample.h"

#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <time.h>

#define TEXT_MAX 65536             /* of an attribute, of /proc/net/dev */
#define MACHINE_TEXT_MAX (1 << 20) /* /proc/stat of a large machine */

static uint64_t clock_ns(clockid_t clock)
{
        struct timespec t;

        if (clock_gettime(clock, &t) < 0)
                return STATS_NONE;
        return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* --- one partition --- */

/* What is needed of a unit, copied under its lock. */
struct subject {
        pid_t pid;
        int pidfd;  /* owned */
        int sample; /* likewise; -EBADF: no kernel plane here */
};

static void with_text(struct life *life, const struct stats_partition *p, const char *controller, const char *v1,
        const char *v2, char **text)
{
        free(TAKE(*text));
        if (cgroup_text(life->host->cgroups, p->id, controller, v1, v2, text) < 0)
                *text = NULL;
}

static uint64_t number_of(
        struct life *life, const struct stats_partition *p, const char *controller, const char *v1, const char *v2)
{
        _cleanup_free_ char *text = NULL;

        with_text(life, p, controller, v1, v2, &text);
        return text ? stats_parse_number(text) : STATS_NONE;
}

static void take_pressure(struct life *life, struct stats_partition *p)
{
        static const char *const file[] = {"cpu.pressure", "memory.pressure", "io.pressure"};
        _cleanup_free_ char *text = NULL;

        for (size_t i = 0; i < STATS_RESOURCES; i++) {
                with_text(life, p, NULL, NULL, file[i], &text);
                if (text)
                        stats_parse_pressure(text, p->pressure[i]);
        }
}

/* The files of its control groups, without a sample. */
static void take_cgroup(struct life *life, struct stats_partition *p)
{
        _cleanup_free_ char *text = NULL;

        with_text(life, p, NULL, NULL, "cpu.stat", &text);
        if (!text)
                return;
        stats_parse_cpu_stat(text, p);
        with_text(life, p, "memory", "memory.stat", "memory.stat", &text);
        if (text)
                stats_parse_memory_stat(text, p);
        p->memory.usage = number_of(life, p, "memory", "memory.usage_in_bytes", "memory.current");
        p->memory.limit = number_of(life, p, "memory", "memory.limit_in_bytes", "memory.max");
        p->memory.swap_limit = number_of(life, p, "memory", NULL, "memory.swap.max");
        if (p->memory.swap_usage == STATS_NONE)
                p->memory.swap_usage = number_of(life, p, "memory", NULL, "memory.swap.current");
        p->tasks = number_of(life, p, "pids", "pids.current", "pids.current");
        with_text(life, p, "io", "blkio.throttle.io_service_bytes_recursive", NULL, &text);
        if (text)
                stats_parse_blkio(text, false, p);
        with_text(life, p, "io", "blkio.throttle.io_serviced_recursive", NULL, &text);
        if (text)
                stats_parse_blkio(text, true, p);
        with_text(life, p, "io", NULL, "io.stat", &text);
        if (text)
                stats_parse_io_stat(text, p);
        take_pressure(life, p);
}

/* By /proc of its init: no thread of ours goes into a namespace, and the kernel writes the text.  The directory is
 * opened first and init seen alive afterwards, so it is init's and not that of a process that got its number. */
static void take_interfaces(const struct subject *s, struct stats_partition *p)
{
        _cleanup_close_ int dir = -EBADF;
        _cleanup_free_ char *text = NULL;
        char path[32];

        (void)snprintf(path, sizeof(path), "/proc/%d", (int)s->pid);
        dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (dir < 0 || s->pidfd < 0 || syscall(SYS_pidfd_send_signal, s->pidfd, 0, NULL, 0) < 0)
                return;
        /* -EFBIG: thousands of interfaces; without memory: none are shown. */
        if (fd_read_file(dir, "net/dev", TEXT_MAX, &text, NULL) == 0)
                (void)stats_parse_interfaces(text, p);
        else
                p->more_interfaces = true;
}

static void take_figures(struct life *life, const struct subject *s, struct stats_partition *p)
{
        struct kstat_sample sample;

        p->tasks_max = number_of(life, p, "pids", "pids.max", "pids.max");
        if (s->sample >= 0 && kstat_sample_read(s->sample, &sample) == 0)
                (void)stats_take_sample(p, &sample); /* out of memory: without the single CPUs */
        else
                take_cgroup(life, p);
        take_interfaces(s, p);
}

/* --- names of disks --- */

/* "sda" for 8:0, by the link /sys/dev/block/8:0; a disk that has gone keeps its number. */
static void name_disk(struct stats_disk *d)
{
        char path[64], target[512], *slash;
        ssize_t n;

        (void)snprintf(path, sizeof(path), "/sys/dev/block/%u:%u", d->major, d->minor);
        n = readlink(path, target, sizeof(target) - 1);
        if (n <= 0)
                return;
        target[n] = '\0';
        slash = strrchr(target, '/');
        if (slash)
                (void)str_copy(d->name, sizeof(d->name), slash + 1);
}

/* Partitions share few disks: each is looked up once. */
static void name_disks(struct stats *stats)
{
        struct stats_disk known[32];
        size_t n = 0;

        for (size_t i = 0; i < stats->n; i++)
                for (size_t k = 0; k < stats->partition[i].n_disk; k++) {
                        struct stats_disk *d = &stats->partition[i].disk[k];
                        size_t at = 0;

                        while (at < n && (known[at].major != d->major || known[at].minor != d->minor))
                                at++;
                        if (at == n)
                                name_disk(d);
                        else
                                memcpy(d->name, known[at].name, sizeof(d->name));
                        if (at == n && n < ELEMENTS(known))
                                known[n++] = *d;
                }
}

/* --- the machine and croftd --- */

static char *machine_text(const char *path)
{
        char *text = NULL;

        return fd_read_file(AT_FDCWD, path, MACHINE_TEXT_MAX, &text, NULL) == 0 ? text : NULL;
}

static void take_machine(struct stats_machine *m)
{
        static const char *const pressure[] = {"/proc/pressure/cpu", "/proc/pressure/memory", "/proc/pressure/io"};
        _cleanup_free_ char *stat = machine_text("/proc/stat"), *meminfo = machine_text("/proc/meminfo"),
                            *loadavg = machine_text("/proc/loadavg");

        if (stat)
                stats_parse_stat(stat, 1000000000 / (uint64_t)sysconf(_SC_CLK_TCK), m);
        if (meminfo)
                stats_parse_meminfo(meminfo, m);
        if (loadavg)
                stats_parse_loadavg(loadavg, m);
        for (size_t i = 0; i < STATS_RESOURCES; i++) {
                _cleanup_free_ char *text = machine_text(pressure[i]);

                if (text)
                        stats_parse_pressure(text, m->pressure[i]);
        }
        m->uptime_ns = clock_ns(CLOCK_BOOTTIME);
}

static void take_process(struct stats_daemon *d)
{
        _cleanup_free_ char *statm = machine_text("/proc/self/statm");
        unsigned long pages;
        struct rlimit limit;
        struct stat st;

        d->cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
        if (statm && sscanf(statm, "%*u %lu", &pages) == 1)
                d->memory_bytes = (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
        if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
                d->descriptors_max = limit.rlim_cur;
        /* Since 6.2 the directory's size is their number (f1f1f2569901); to count thousands of names costs too much. */
        if (stat("/proc/self/fd", &st) == 0 && st.st_size > 0)
                d->descriptors = (uint64_t)st.st_size;
}

static void take_mounts(const struct life *life, struct stats_daemon *d)
{
        struct mount_watch_counts counts;

        if (!life->host->mounts)
                return;
        mount_watch_count(life->host->mounts, &counts);
        d->mounts_refused = counts.refused;
        d->mounts_failed = counts.failures;
}

static void take_daemon(struct life *life, struct stats_daemon *d)
{
        struct statvfs fs;

        take_process(d);
        d->started = life->started;
        d->plane = life->host->plane != NULL;
        (void)str_copy(d->tag, sizeof(d->tag), life->host->tag);
        for (size_t i = 0; i < LIFE_ACTIONS; i++) {
                d->done[i] = atomic_load(&life->done[i]);
                d->failed[i] = atomic_load(&life->failed[i]);
        }
        if (fstatvfs(life->host->state_dir, &fs) < 0)
                return;
        d->state_size_bytes = (uint64_t)fs.f_blocks * fs.f_frsize;
        d->state_free_bytes = (uint64_t)fs.f_bfree * fs.f_frsize;
        d->state_available_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
}

void life_count(struct life *life, const char *operation, bool failed)
{
        for (int i = 0; operation && i < LIFE_ACTIONS; i++)
                if (strcmp(life_action_name((enum life_action)i), operation) == 0) {
                        (void)atomic_fetch_add(failed ? &life->failed[i] : &life->done[i], 1);
                        return;
                }
}

/* --- all --- */

static void take_unit(struct life *life, struct unit *u, uint64_t memory_bytes, struct stats_partition *p)
{
        struct subject s = {.pidfd = -EBADF, .sample = -EBADF};

        stats_partition_init(p);
        (void)pthread_mutex_lock(&u->p.lock);
        p->id = u->p.def.id;
        (void)str_copy(p->name, sizeof(p->name), u->p.def.name);
        p->native = u->p.def.native;
        p->state = unit_shown_state(u);
        p->operation = u->p.operation;
        s.pid = u->p.run.pid;
        if (s.pid > 0) {
                p->started = (uint64_t)u->p.run.started;
                s.pidfd = u->p.run.pidfd >= 0 ? fd_dup(u->p.run.pidfd) : -EBADF;
                s.sample = u->p.run.sample >= 0 ? fd_dup(u->p.run.sample) : -EBADF;
        }
        (void)pthread_mutex_unlock(&u->p.lock);
        p->running = s.pid > 0;
        if (p->running) {
                take_figures(life, &s, p);
                stats_derive(p, memory_bytes);
        }
        close_fd(s.pidfd);
        close_fd(s.sample);
}

int life_stats(struct life *life, struct stats **ret, struct croft_error *err)
{
        _cleanup_(stats_freep) struct stats *stats = malloc(sizeof(*stats));
        _cleanup_free_ struct unit **units = NULL;
        size_t n = 0;
        int r = 0;

        if (!stats)
                return croft_error_set(err, ENOMEM, "collect statistics");
        stats_init(stats);
        units = life_units(life, &n, &r);
        stats->partition = calloc(n + 1, sizeof(*stats->partition));
        if (!stats->partition)
                r = -ENOMEM;
        if (r == 0)
                take_machine(&stats->machine);
        stats->now_ns = clock_ns(CLOCK_MONOTONIC);
        stats->time_ms = clock_ns(CLOCK_REALTIME) / 1000000;
        for (size_t i = 0; i < n; i++) {
                if (r == 0)
                        take_unit(life, units[i], stats->machine.memory_bytes, &stats->partition[stats->n++]);
                unit_unref(units[i]);
        }
        if (r < 0)
                return croft_error_set(err, r, "collect statistics");
        name_disks(stats);
        take_daemon(life, &stats->daemon);
        take_mounts(life, &stats->daemon);
        *ret = TAKE(stats);
        return 0;
}
