/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_kstat_sources.c - figures of partitions on the real kernel: they are the partition's own, agree with the files
 * of its cgroups, and never run backwards.
 *
 * where: here guest
 * cpus: several
 *
 * "Partitions" are cgroups of the test's own with a process in each; sources run in a program of the test
 * (kstat_source.bpf.c).
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "kstat/figures.h"
#include "kstat/illumos.h"
#include "sources_kit.h"
#include "tap.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/loop.h>
#include <linux/sched.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

static struct croft_error err;

static uint64_t user_ns(const struct kstat_sample *s)
{
        uint64_t sum = 0;

        for (uint32_t i = 0; i < s->n_cpus; i++)
                sum += s->cpu[i].user_ns + s->cpu[i].nice_ns;
        return sum;
}

static uint64_t system_ns(const struct kstat_sample *s)
{
        uint64_t sum = 0;

        for (uint32_t i = 0; i < s->n_cpus; i++)
                sum += s->cpu[i].system_ns;
        return sum;
}

/* --- claims --- */

static void a_process_elsewhere_is_refused(void)
{
        struct kstat_place place = {.partition = A, .init = getpid(), .tag = tag, .level = cgroup_tree_level(tree)};

        (void)ok_fails(
                kstats_find_objects(sampler, &place, NULL, &err), ESRCH, &err, "a process that is in no partition");
}

static uint64_t used_ns(const struct partition *p)
{
        const struct kstat_sample *s = sample_of(p);

        return user_ns(s) + system_ns(s);
}

static void cpu_time_is_its_own(const struct partition *a, const struct partition *b)
{
        uint64_t user = user_ns(sample_of(a)), idle = used_ns(b), system, spent;
        time_t limit = now_s() + PATIENCE_S;

        a->orders->burn = 1;
        do {
                nap(100);
                spent = user_ns(sample_of(a)) - user;
        } while (spent < 700000000 && now_s() < limit);
        a->orders->burn = 0;
        (void)ok(spent >= 700000000, "who computes has used user time (%" PRIu64 " ms)", spent / 1000000);
        (void)ok(used_ns(b) < idle + spent / 5, "and the other partition has not (%" PRIu64 " ms)",
                (used_ns(b) - idle) / 1000000);
        system = system_ns(sample_of(a));
        a->orders->calls = 1;
        do {
                nap(100);
                spent = system_ns(sample_of(a)) - system;
        } while (spent < 100000000 && now_s() < limit);
        a->orders->calls = 0;
        (void)ok(spent >= 100000000, "who calls the kernel has used system time");
}

static void cpu_time_agrees_with_the_files(const struct partition *a)
{
        struct kstat_sample *s;
        uint64_t user, system;
        uint64_t slack = 20000000; /* two ticks */

        nap(100); /* it is idle: nothing moves between the two */
        if (cgroup_tree_rule(tree, "cpuacct") == CGROUP_V1) {
                _cleanup_free_ char *text = attribute(a->pid, "cpuacct", "cpuacct.stat");

                s = sample_of(a);
                user = number_in(text, "user") * 10000000;
                system = number_in(text, "system") * 10000000;
        } else {
                _cleanup_free_ char *text = attribute(a->pid, NULL, "cpu.stat");

                s = sample_of(a);
                user = number_in(text, "user_usec") * 1000;
                system = number_in(text, "system_usec") * 1000;
        }
        (void)ok(near(user_ns(s) + system_ns(s), user + system, 20000000), "CPU time is what the cgroup's file says");
        /* Before 6.6 the kernel keeps no share of each CPU on v2: the proportions of all stand for it.  They are
         * counted by ticks, which an emulated CPU that waits for a real one misses. */
        if (cgroup_tree_rule(tree, "cpuacct") != CGROUP_V1)
                slack += (user + system) / 4;
        (void)ok(near(user_ns(s), user, slack), "user time is what the cgroup's file says (%" PRIu64 ", %" PRIu64 ")",
                user_ns(s), user);
        (void)ok(near(system_ns(s), system, slack),
                "system time is what the cgroup's file says (%" PRIu64 ", %" PRIu64 ")", system_ns(s), system);
}

/* Figures of memory.stat; there are more on v2. */
static const struct {
        const char *name, *v1, *v2;
        size_t at;
        uint64_t slack;
        bool is_some;
} figures[] = {
        {"anon", "total_rss", "anon", offsetof(struct kstat_sample, memory.anon), 65536, true},
        {"file", "total_cache", "file", offsetof(struct kstat_sample, memory.file), 65536, false},
        {"shmem", "total_shmem", "shmem", offsetof(struct kstat_sample, memory.shmem), 65536, false},
        {"inactive_anon", "total_inactive_anon", "inactive_anon", offsetof(struct kstat_sample, memory.inactive_anon),
                65536, false},
        {"active_anon", "total_active_anon", "active_anon", offsetof(struct kstat_sample, memory.active_anon), 65536,
                false},
        {"pgfault", "total_pgfault", "pgfault", offsetof(struct kstat_sample, memory.pgfault), 16, true},
        /* May be 0: the first process's was charged to who cloned it. */
        {"kernel_stack", NULL, "kernel_stack", offsetof(struct kstat_sample, memory.kernel_stack), 16384, false},
        {"page_tables", NULL, "pagetables", offsetof(struct kstat_sample, memory.page_tables), 16384, true},
        {"slab_unreclaimable", NULL, "slab_unreclaimable", offsetof(struct kstat_sample, memory.slab_unreclaimable),
                65536, false},
};

/* Claims it of each figure, or only says whether all hold. */
static bool figures_agree(const struct kstat_sample *s, const char *stat, bool v1, bool claim)
{
        bool all = true;

        for (size_t i = 0; i < ELEMENTS(figures); i++) {
                const char *key = v1 ? figures[i].v1 : figures[i].v2;
                uint64_t value, expected;
                bool is_so;

                if (!key)
                        continue;
                memcpy(&value, (const char *)s + figures[i].at, sizeof(value));
                expected = number_in(stat, key);
                is_so = stat && near(value, expected, figures[i].slack) && (!figures[i].is_some || value > 0);
                if (claim)
                        (void)ok(is_so, "%s is what memory.stat says (%" PRIu64 ", %" PRIu64 ")", figures[i].name,
                                value, expected);
                all = all && is_so;
        }
        return all;
}

/* The kernel brings its own figures together every two seconds, and later where others have the CPU. */
static void memory_becomes_the_files(const struct partition *a)
{
        bool v1 = cgroup_tree_rule(tree, "memory") == CGROUP_V1, agree, late;
        time_t limit = now_s() + PATIENCE_S;

        do {
                _cleanup_free_ char *stat = NULL;
                const struct kstat_sample *s;

                late = now_s() >= limit;
                nap(500);
                stat = attribute(a->pid, "memory", "memory.stat");
                s = sample_of(a);
                agree = figures_agree(s, stat, v1, false);
                if (agree || late)
                        (void)figures_agree(s, stat, v1, true);
        } while (!agree && !late);
}

static void memory_agrees_with_the_files(const struct partition *a)
{
        bool v1 = cgroup_tree_rule(tree, "memory") == CGROUP_V1;
        _cleanup_free_ char *usage = NULL;
        struct kstat_sample *s;
        time_t limit = now_s() + PATIENCE_S;
        uint64_t before = sample_of(a)->memory.anon;

        a->orders->mebi = 32;
        while (a->orders->have < 32 && now_s() < limit)
                nap(10);
        s = sample_of(a);
        (void)ok(near(s->memory.anon, before + 32 * MEBI, v1 ? MEBI : 2 * MEBI),
                "what it touches shows at once (%" PRIu64 " KiB)", (uint64_t)(s->memory.anon - before) / 1024);
        usage = attribute(a->pid, "memory", v1 ? "memory.usage_in_bytes" : "memory.current");
        (void)ok(usage && near(s->memory.usage, strtoull(usage, NULL, 10), MEBI / 2),
                "usage is what the cgroup's file says");
        memory_becomes_the_files(a);
}

static void limits_show(const struct partition *a)
{
        struct kstat_sample *s;

        (void)ok_r(cgroup_set(tree, A, "memory.max", "100M", &err), &err, "a limit of memory is set");
        (void)ok_r(cgroup_set(tree, A, "cpu.max", "150000 100000", &err), &err, "and one of CPU time");
        (void)ok_r(cgroup_set(tree, A, "cpuset.cpus", "1", &err), &err, "and one of CPUs");
        s = sample_of(a);
        (void)ok(s->memory.limit == 100 * MEBI, "the limit of memory shows");
        (void)ok(s->quota_us == 150000 && s->period_us == 100000, "that of CPU time shows");
        (void)ok(s->cpus[0] == 2 && s->configured[0] == 2, "that of CPUs shows (%" PRIx64 ", %" PRIx64 ")",
                (uint64_t)s->cpus[0], (uint64_t)s->configured[0]);
        (void)ok_r(cgroup_set(tree, A, "cpuset.cpus", "0-1", &err), &err, "it is lifted");
        (void)ok_r(cgroup_set(tree, A, "cpu.max", "", &err), &err, "and so is the other");
        s = sample_of(a);
        (void)ok(s->quota_us == 0 && s->cpus[0] == 3 && s->configured[0] == 3, "then there is none");
}

/* --- counters under load --- */

static volatile int decreased, finished;
static volatile unsigned int readings;

static void *watch(void *arg)
{
        const struct partition *p = arg;
        struct kstat_sample *last = calloc(2, sizeof(*last)), *now = last + 1;

        while (last && !finished) {
                if (kstat_sample_read(p->sample, now) < 0)
                        continue;
                for (uint32_t i = 0; i < now->n_cpus; i++)
                        decreased += now->cpu[i].user_ns < last->cpu[i].user_ns ||
                                     now->cpu[i].system_ns < last->cpu[i].system_ns ||
                                     now->cpu[i].nice_ns < last->cpu[i].nice_ns;
                for (int i = 0; i < 6; i++)
                        decreased += now->pressure[i / 2][i % 2].total_us < last->pressure[i / 2][i % 2].total_us;
                decreased += now->boottime_ns < last->boottime_ns;
                *last = *now;
                readings++;
        }
        free(last);
        return NULL;
}

static void nothing_runs_backwards(const struct partition *a)
{
        pthread_t threads[2];

        a->orders->burn = a->orders->calls = 1;
        for (size_t i = 0; i < ELEMENTS(threads); i++)
                (void)pthread_create(&threads[i], NULL, watch, (void *)(uintptr_t)a);
        nap(3000);
        finished = 1;
        for (size_t i = 0; i < ELEMENTS(threads); i++)
                (void)pthread_join(threads[i], NULL);
        a->orders->calls = 0;
        (void)ok(readings > 100 && decreased == 0, "nothing runs backwards under load (%u readings by two)", readings);
}

static void load_reacts(const struct partition *a, const struct partition *b)
{
        time_t limit = now_s() + PATIENCE_S;

        a->orders->burn = 1;
        /* the other one may by chance be looked at while it is awake, too */
        while (sample_of(a)->load[0] <= sample_of(b)->load[0] && now_s() < limit)
                nap(200);
        a->orders->burn = 0;
        (void)ok(sample_of(a)->load[0] > 0, "the load average of who computes rises (%u/2048)",
                (unsigned int)sample_of(a)->load[0]);
        (void)ok(sample_of(b)->load[0] < sample_of(a)->load[0], "above that of the other one, which sleeps (%u/2048)",
                (unsigned int)sample_of(b)->load[0]);
        (void)ok(sample_of(a)->threads == 1 && sample_of(b)->threads == 1, "each has one task");
}

/* What ran while nobody looked is worked out from the CPU time, however long that was: half an hour, or all the time
 * that there was a machine. */
static void load_is_made_good(const struct partition *a)
{
        const struct kstat_shared shared = kstat_sampler_shared(sampler);
        const uint64_t id = A;
        uint64_t used, now, gap, share;
        struct kstat_load load;
        uint32_t got;

        while (sample_of(a)->boottime_ns < 5 * KSTAT_LOAD_STEP_NS) /* what is shorter isn't long */
                nap(500);
        used = used_ns(a);
        now = sample_of(a)->boottime_ns;
        gap = now > 1800000000000 ? 1800000000000 : now;
        share = used * KSTAT_LOAD_ONE / (gap + 1);
        load = (struct kstat_load){.stepped_ns = now - gap, .read_ns = now, .load = {(__u32)share}};
        (void)ok(bpf_map_update_elem(shared.loads, &id, &load, BPF_EXIST) == 0, "nobody has looked for long");
        got = sample_of(a)->load[0];
        (void)ok(near(got, share, 2) && got > 0, "the load average is that of its CPU time (%u/2048, %" PRIu64 ")", got,
                share);
}

/* --- sources --- */

static void each_source_answers(void)
{
        struct kstat_call call;

        for (size_t i = 0; i < catalogue_n_private; i++) {
                const struct kstat_def *def = &catalogue_private[i];
                int r = ask((enum kstat_source)def->source, A, def->argument, &call);

                (void)ok(r == 0, "%s:0:%s has an answer (%d)", def->module, def->name, r);
        }
        for (size_t i = 0; i < catalogue_n_cpu; i++)
                (void)ok(ask((enum kstat_source)catalogue_cpu[i].source, A, 0, &call) == 0, "%s:0:%s has an answer",
                        catalogue_cpu[i].module, catalogue_cpu[i].name);
        (void)ok(ask(KSTAT_SOURCE_MEMORY, 999, 0, &call) == -ENXIO, "a partition that isn't there has none");
        (void)ok(ask(KSTAT_SOURCE_CPU_SYS, A, 200, &call) == -ENXIO, "nor has a CPU that isn't there");
}

static void sources_agree_with_the_sample(const struct partition *a)
{
        const struct kstat_data_memory *memory;
        const struct kstat_data_partition_misc *misc;
        struct kstat_sample *s;
        struct kstat_call call;

        nap(200);
        s = sample_of(a);
        (void)ask(KSTAT_SOURCE_MEMORY, A, 0, &call);
        memory = (const struct kstat_data_memory *)(const void *)call.data;
        (void)ok(near((uint64_t)memory->anon, s->memory.anon, 65536) &&
                         near((uint64_t)memory->usage, s->memory.usage, MEBI),
                "memory is the sample's");
        (void)ask(KSTAT_SOURCE_PARTITION_MISC, A, 0, &call);
        misc = (const struct kstat_data_partition_misc *)(const void *)call.data;
        (void)ok(near((uint64_t)misc->nsec_user, user_ns(s), 50000000) && misc->partition_id == A && misc->nproc == 1,
                "CPU time and tasks are the sample's");
}

static uint64_t datagrams(uint64_t partition)
{
        struct kstat_call call;

        return ask(KSTAT_SOURCE_NET_UDP, partition, 0, &call) < 0
                       ? 0
                       : (uint64_t)((const struct kstat_data_net_udp *)(const void *)call.data)->outDatagrams;
}

/* KST-A3, but for the life of partitions. */
static void network_is_its_own(const struct partition *a)
{
        uint64_t before = datagrams(A), other = datagrams(B);
        time_t limit = now_s() + PATIENCE_S;

        a->orders->packets = 1000;
        while (a->orders->sent < 1000 && now_s() < limit)
                nap(10);
        (void)ok(datagrams(A) == before + 1000, "1000 datagrams of one partition are counted (%" PRIu64 ")",
                datagrams(A) - before);
        (void)ok(datagrams(B) == other, "and none of them for the other");
}

/* A number of /proc/PID/net/snmp: those of "Ip: " in their line, by the same word of the line before. */
static int64_t snmp_number(pid_t pid, const char *protocol, const char *head)
{
        _cleanup_fclose_ FILE *f = NULL;
        char path[64], heads[1024], numbers[1024], *save = NULL, *save_number = NULL, *at, *number;

        (void)snprintf(path, sizeof(path), "/proc/%d/net/snmp", (int)pid);
        f = fopen(path, "re");
        do
                if (!f || !fgets(heads, sizeof(heads), f) || !fgets(numbers, sizeof(numbers), f))
                        return -1;
        while (strncmp(heads, protocol, strlen(protocol)) != 0);
        at = strtok_r(heads, " \n", &save);
        number = strtok_r(numbers, " \n", &save_number);
        while (at && number && strcmp(at, head) != 0) {
                at = strtok_r(NULL, " \n", &save);
                number = strtok_r(NULL, " \n", &save_number);
        }
        return at && number ? strtoll(number, NULL, 10) : -1;
}

static void ip_agrees_with_the_file(const struct partition *a)
{
        struct kstat_data_net_ip *ip;
        struct kstat_call call;
        int r = ask(KSTAT_SOURCE_NET_IP, A, 0, &call);

        ip = (struct kstat_data_net_ip *)(void *)call.data;
        (void)ok(r == 0 && ip->inReceives >= 1000 && ip->inReceives == snmp_number(a->pid, "Ip: ", "InReceives"),
                "packets received");
        (void)ok(ip->inDelivers == snmp_number(a->pid, "Ip: ", "InDelivers"), "delivered");
        (void)ok(ip->outRequests == snmp_number(a->pid, "Ip: ", "OutRequests"), "sent");
        (void)ok(ip->outDiscards == snmp_number(a->pid, "Ip: ", "OutDiscards") &&
                         ip->inDiscards == snmp_number(a->pid, "Ip: ", "InDiscards"),
                "discarded");
        (void)ok(ip->forwDatagrams == snmp_number(a->pid, "Ip: ", "ForwDatagrams"),
                "and forwarded are what /proc/net/snmp says");
        (void)ok(ip->inAddrErrors == snmp_number(a->pid, "Ip: ", "InAddrErrors") &&
                         ip->inHdrErrors == snmp_number(a->pid, "Ip: ", "InHdrErrors") &&
                         ip->outNoRoutes == snmp_number(a->pid, "Ip: ", "OutNoRoutes"),
                "so are errors");
        (void)ok(ip->outOctets >= 1000 * 28 && ip->inOctets == ip->outOctets,
                "on the loopback each byte that is sent is received");
}

/* Nobody listens where the datagrams go. */
static void icmp_agrees_with_the_file(const struct partition *a)
{
        struct kstat_data_net_icmp *icmp;
        struct kstat_call call;
        int r = ask(KSTAT_SOURCE_NET_ICMP, A, 0, &call);

        icmp = (struct kstat_data_net_icmp *)(void *)call.data;
        (void)ok(r == 0 && icmp->inMsgs > 0 && icmp->inMsgs == snmp_number(a->pid, "Icmp: ", "InMsgs") &&
                         icmp->outMsgs == snmp_number(a->pid, "Icmp: ", "OutMsgs"),
                "messages of ICMP");
        (void)ok(icmp->inDestUnreachs > 0 && icmp->inDestUnreachs == snmp_number(a->pid, "Icmp: ", "InDestUnreachs"),
                "and those of one type are what /proc/net/snmp says");
        (void)ok(icmp->outDestUnreachs > 0 && icmp->outDestUnreachs == snmp_number(a->pid, "Icmp: ", "OutDestUnreachs"),
                "received and sent");
        (void)ok(icmp->inEchos == 0 && icmp->outEchoReps == 0, "there are none of another");
}

/* --- disks --- */

#define DISK_MAJOR 7 /* loop */
#define DISK_MEBI 16

/* A disk of the test's own, in a file.  0: there can't be one here. */
static bool disk_attach(unsigned int minor, const char *file)
{
        _cleanup_close_ int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
        _cleanup_close_ int backing = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        _cleanup_close_ int disk = -EBADF;
        struct loop_config config = {.fd = (__u32)backing};
        char path[32];

        (void)snprintf(path, sizeof(path), "/dev/loop%u", minor);
        if (control < 0 || backing < 0 || ftruncate(backing, (off_t)DISK_MEBI * MEBI) < 0 ||
                ioctl(control, LOOP_CTL_ADD, (long)minor) < 0)
                return false;
        for (int i = 0; disk < 0 && i < 1000; i++) {
                disk = open(path, O_RDWR | O_CLOEXEC);
                if (disk < 0)
                        nap(10);
        }
        return disk >= 0 && ioctl(disk, LOOP_CONFIGURE, &config) == 0;
}

static void disk_detach(unsigned int minor)
{
        _cleanup_close_ int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
        _cleanup_close_ int disk = -EBADF;
        char path[32];

        (void)snprintf(path, sizeof(path), "/dev/loop%u", minor);
        disk = open(path, O_RDWR | O_CLOEXEC);
        if (disk >= 0)
                (void)ioctl(disk, LOOP_CLR_FD, 0);
        disk = close_fd(disk);
        for (int i = 0; i < 1000 && ioctl(control, LOOP_CTL_REMOVE, (long)minor) < 0 && errno == EBUSY; i++)
                nap(10);
}

static struct kstat_sample_disk disk_of(const struct partition *p, unsigned int minor)
{
        const struct kstat_sample *s = sample_of(p);

        for (uint32_t i = 0; i < s->n_disks && i < KSTAT_SAMPLE_DISKS; i++)
                if (s->disks[i].major == DISK_MAJOR && s->disks[i].minor == minor)
                        return s->disks[i];
        return (struct kstat_sample_disk){0};
}

static void use(const struct partition *p, unsigned int minor, int mebi)
{
        time_t limit = now_s() + PATIENCE_S;

        (void)snprintf(p->orders->disk, sizeof(p->orders->disk), "/dev/loop%u", minor);
        p->orders->wrote = 0;
        p->orders->write = mebi;
        while (p->orders->write && now_s() < limit)
                nap(10);
        (void)ok(p->orders->wrote == mebi, "%d MiB are written to a disk, and half of it read", mebi);
}

/* The figure of the disk in the cgroup's own file. */
static uint64_t disk_in_file(const struct partition *p, unsigned int minor, bool count, bool write)
{
        _cleanup_free_ char *text = NULL;
        char key[48];
        const char *line;

        if (cgroup_tree_rule(tree, "io") == CGROUP_V1) {
                text = attribute(p->pid, "io",
                        count ? "blkio.throttle.io_serviced_recursive" : "blkio.throttle.io_service_bytes_recursive");
                (void)snprintf(key, sizeof(key), "%u:%u %s", DISK_MAJOR, minor, write ? "Write" : "Read");
                return number_in(text, key);
        }
        text = attribute(p->pid, NULL, "io.stat");
        (void)snprintf(key, sizeof(key), "%u:%u ", DISK_MAJOR, minor);
        line = text ? strstr(text, key) : NULL;
        line = line ? strstr(line, count ? (write ? "wios=" : "rios=") : write ? "wbytes=" : "rbytes=") : NULL;
        return line ? strtoull(strchr(line, '=') + 1, NULL, 10) : 0;
}

/* Every byte: direct I/O of whole mebibytes on a disk that nobody else has.  How many requests that is, the kernel
 * decides. */
static void disks_agree_with_the_files(const struct partition *a, const struct partition *b, unsigned int minor)
{
        struct kstat_sample_disk disk;

        use(a, minor, DISK_MEBI);
        disk = disk_of(a, minor);
        (void)ok(disk.written_bytes == DISK_MEBI * MEBI && disk.read_bytes == DISK_MEBI / 2 * MEBI,
                "the sample has every byte (%" PRIu64 ", %" PRIu64 ")", (uint64_t)disk.written_bytes,
                (uint64_t)disk.read_bytes);
        (void)ok(disk.written_bytes == disk_in_file(a, minor, false, true) &&
                         disk.read_bytes == disk_in_file(a, minor, false, false),
                "bytes are what the cgroup's file says");
        (void)ok(disk.writes > 0 && disk.writes == disk_in_file(a, minor, true, true) &&
                         disk.reads == disk_in_file(a, minor, true, false),
                "numbers of requests, too (%" PRIu64 ", %" PRIu64 ")", (uint64_t)disk.writes, (uint64_t)disk.reads);
        (void)ok(disk_of(b, minor).major == 0, "the other partition doesn't have that disk");
}

static void disks_have_a_structure(const struct partition *a)
{
        struct illumos_io *io;
        struct kstat_sample *s;
        struct kstat_call call;
        uint64_t written = 0, writes = 0;

        (void)ok(ask(KSTAT_SOURCE_IO, A, 0, &call) == 0, "there is a structure of it");
        io = (struct illumos_io *)(void *)call.data;
        s = sample_of(a);
        for (uint32_t i = 0; i < s->n_disks; i++) {
                written += s->disks[i].written_bytes;
                writes += s->disks[i].writes;
        }
        (void)ok(io->nwritten >= DISK_MEBI * MEBI && io->nwritten == written && io->writes == writes,
                "in which all disks are added up (%" PRIu64 ")", (uint64_t)io->nwritten);
        (void)ask(KSTAT_SOURCE_IO, B, 0, &call);
        (void)ok(io->nwritten < MEBI, "the other partition has its own (%" PRIu64 ")", (uint64_t)io->nwritten);
}

static bool move_to(int cgroup, const struct partition *p, const char *nested)
{
        char path[64], pid[16];

        (void)snprintf(path, sizeof(path), "%s/cgroup.procs", nested);
        (void)snprintf(pid, sizeof(pid), "%d", (int)p->pid);
        return mkdirat(cgroup, nested, 0755) == 0 && fd_write_file(cgroup, path, pid) == 0;
}

/* As when an init inside has enabled the controller for its services; v1 hierarchies aren't the partition's. */
static void groups_below_count(const struct partition *a, unsigned int minor)
{
        _cleanup_close_ int cgroup = cgroup_open(tree, A, &err);
        uint64_t before = disk_of(a, minor).written_bytes;

        if (cgroup_tree_rule(tree, "io") == CGROUP_V1)
                return;
        if (!ok(move_to(cgroup, a, "one") && fd_write_file(cgroup, "cgroup.subtree_control", "+io") == 0,
                    "it goes to a group below, with an I/O controller of its own"))
                return;
        use(a, minor, 4);
        (void)ok(disk_in_file(a, minor, false, true) == 4 * MEBI, "which counts for itself");
        (void)ok(disk_of(a, minor).written_bytes == before + 4 * MEBI, "and for the partition (%" PRIu64 ")",
                (uint64_t)disk_of(a, minor).written_bytes - before);
        (void)ok(move_to(cgroup, a, "two") && unlinkat(cgroup, "one", AT_REMOVEDIR) == 0, "that group ends");
        use(a, minor, 2);
        (void)ok(disk_of(a, minor).written_bytes == before + 6 * MEBI, "what it did stays (%" PRIu64 ")",
                (uint64_t)disk_of(a, minor).written_bytes - before);
}

/* The kernel forgets what it counted of a disk that goes. */
static void a_disk_that_comes_back_goes_on(const struct partition *a, unsigned int minor, const char *file)
{
        struct kstat_sample_disk before = disk_of(a, minor), after;

        disk_detach(minor);
        if (!ok(disk_attach(minor, file), "the disk goes, and another comes by its number"))
                return;
        (void)ok_r(cgroup_count_io(tree, &err), &err, "I/O on it is counted");
        use(a, minor, 2);
        (void)ok(disk_in_file(a, minor, false, true) == 2 * MEBI, "the kernel counts from the beginning");
        after = disk_of(a, minor);
        (void)ok(after.written_bytes >= before.written_bytes && after.reads >= before.reads,
                "the sample doesn't run backwards (%" PRIu64 ")", (uint64_t)after.written_bytes);
}

static void disks_are_its_own(const struct partition *a, const struct partition *b)
{
        unsigned int minor = 64 + (unsigned int)getpid() % 100000; /* one that nobody has */
        char file[64];

        (void)snprintf(file, sizeof(file), "/var/tmp/croft-disk.%d", (int)getpid());
        (void)!system("modprobe -q loop 2>/dev/null"); /* fails where it is built in */
        if (cgroup_tree_rule(tree, "io") == CGROUP_NONE || !disk_attach(minor, file)) {
                (void)ok(true, "a disk's figures # SKIP no I/O controller, or no loop devices");
        } else {
                (void)ok_r(cgroup_count_io(tree, &err), &err, "I/O is counted");
                disks_agree_with_the_files(a, b, minor);
                disks_have_a_structure(a);
                groups_below_count(a, minor);
                a_disk_that_comes_back_goes_on(a, minor, file);
        }
        disk_detach(minor);
        (void)unlink(file);
}

int main(void)
{
        struct partition a, b;

        (void)snprintf(tag, sizeof(tag), "test%d", (int)getpid());
        if (!ok_r(cgroup_tree_open(tag, NULL, &tree, &err), &err, "the hierarchies are found") ||
                !ok_r(kstat_sampler_open(&KSTAT_SHARED_NONE, &sampler, &err), &err, "the sampler loads"))
                return tap_end();
        if (make(A, &a) && make(B, &b)) {
                a_process_elsewhere_is_refused();
                cpu_time_is_its_own(&a, &b);
                cpu_time_agrees_with_the_files(&a);
                memory_agrees_with_the_files(&a);
                limits_show(&a);
                nothing_runs_backwards(&a);
                load_reacts(&a, &b);
                load_is_made_good(&a);
                if (ok(load_sources(), "the sources load")) {
                        each_source_answers();
                        sources_agree_with_the_sample(&a);
                        network_is_its_own(&a);
                        ip_agrees_with_the_file(&a);
                        icmp_agrees_with_the_file(&a);
                        disks_are_its_own(&a, &b);
                }
                kstat_source_bpf__destroy(source);
        }
        end(&a);
        end(&b);
        sampler = kstat_sampler_free(sampler);
        (void)ok_r(cgroup_tree_remove(tree, &err), &err, "the tree is removed");
        tree = cgroup_tree_free(tree);
        return tap_end();
}
