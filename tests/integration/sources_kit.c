/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * sources_kit.c - see sources_kit.h.
 */
#include "sources_kit.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "kstat/percpu.h"
#include "kstat/sample.h"
#include "plane/plane.bpf.h"
#include "tap.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <time.h>

struct cgroup_tree *tree;
struct kstat_sampler *sampler;
struct kstat_source_bpf *source;
static struct croft_error err;
char tag[32];

void nap(unsigned int ms)
{
        struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};

        (void)nanosleep(&t, NULL);
}

time_t now_s(void)
{
        struct timespec t;

        (void)clock_gettime(CLOCK_MONOTONIC, &t);
        return t.tv_sec;
}

/* --- in the partition --- */

static void bring_up_loopback(void)
{
        struct ifreq request = {.ifr_flags = IFF_UP};
        int fd = socket(AF_INET, SOCK_DGRAM, 0);

        (void)strcpy(request.ifr_name, "lo");
        (void)ioctl(fd, SIOCSIFFLAGS, &request);
        (void)close(fd);
}

static void send_packet(void)
{
        struct sockaddr_in to = {
                .sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        int fd = socket(AF_INET, SOCK_DGRAM, 0);

        (void)sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to));
        (void)close(fd);
}

/* A mebibyte at a time. */
static void use_disk(struct orders *orders)
{
        char *block = mmap(NULL, MEBI, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        int fd = open(orders->disk, O_RDWR | O_DIRECT | O_CLOEXEC);

        for (int i = 0; i < orders->write; i++) {
                if (pwrite(fd, block, MEBI, (off_t)i * MEBI) != MEBI ||
                        (i % 2 && pread(fd, block, MEBI, (off_t)i * MEBI) != MEBI))
                        break;
                orders->wrote++;
        }
        orders->write = 0;
        (void)close(fd);
        (void)munmap(block, MEBI);
}

static void make_burner(void)
{
        cpu_set_t first;

        if (fork() != 0)
                return;
        CPU_ZERO(&first);
        CPU_SET(0, &first);
        (void)sched_setaffinity(0, sizeof(first), &first);
        for (;;)
                ;
}

static void work(struct orders *orders)
{
        char *memory = mmap(NULL, 256 * MEBI, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        (void)unshare(CLONE_NEWNET);
        bring_up_loopback();
        orders->ready = 1;
        for (;;) {
                for (volatile int i = 0; orders->burn && i < 100000; i++)
                        ;
                for (int i = 0; orders->calls && i < 1000; i++)
                        (void)syscall(SYS_getppid);
                for (; orders->have < orders->mebi; orders->have++)
                        memset(memory + (size_t)orders->have * MEBI, 1, MEBI);
                for (; orders->sent < orders->packets; orders->sent++)
                        send_packet();
                if (orders->write)
                        use_disk(orders);
                for (; orders->burners > 0; orders->burners--)
                        make_burner();
                if (!orders->burn && !orders->calls)
                        nap(50); /* rarely enough to count as idle where each time takes long, under emulation */
        }
}

/* A process in all cgroups of the partition, from its first instruction on (as the launcher does it). */
static pid_t start_in(uint64_t id, struct orders *orders)
{
        int fds[CGROUP_HIERARCHIES_MAX];
        size_t n = 0;
        _cleanup_close_ int fd = cgroup_open(tree, id, &err);
        struct clone_args args = {
                .flags = CLONE_INTO_CGROUP | CLONE_NEWPID, .exit_signal = SIGCHLD, .cgroup = (uint64_t)fd};
        long pid;

        if (fd < 0 || cgroup_open_v1(tree, id, fds, &n, &err) < 0)
                return -1;
        (void)fflush(stdout);
        pid = syscall(SYS_clone3, &args, sizeof(args));
        if (pid == 0) {
                (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
                if (cgroup_join_v1(fds, n) < 0)
                        _exit(99);
                work(orders);
        }
        while (n > 0)
                close_fd(fds[--n]);
        return (pid_t)pid;
}

/* --- partitions --- */

static int put_on_record(const struct partition *p)
{
        struct plane_partition value = {.id = p->id};
        uint64_t cgroup;

        if (cgroup_kernel_id(tree, p->id, &cgroup, &err) < 0)
                return -1;
        return bpf_map_update_elem(kstat_sampler_shared(sampler).partitions, &cgroup, &value, BPF_ANY);
}

bool make(uint64_t id, struct partition *ret)
{
        struct kstat_place place = {.partition = id, .tag = tag, .level = cgroup_tree_level(tree)};
        time_t limit = now_s() + PATIENCE_S;
        _cleanup_close_ int cgroup = -EBADF;

        *ret = (struct partition){.id = id, .sample = -EBADF};
        ret->orders = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (!ok_r(cgroup_create(tree, id, OWNER, &err), &err, "a partition's cgroups are made"))
                return false;
        ret->pid = place.init = start_in(id, ret->orders);
        while (ret->pid > 0 && !ret->orders->ready && now_s() < limit)
                nap(10);
        if (!ok(ret->pid > 0 && put_on_record(ret) == 0, "it has a process and is on record") ||
                !ok_r(kstats_find_objects(sampler, &place, NULL, &err), &err, "its objects are found by that process"))
                return false;
        cgroup = cgroup_open(tree, id, &err);
        ret->sample = kstats_open_sample(sampler, cgroup, &err);
        return ok_r(ret->sample, &err, "it can be sampled");
}

void end(struct partition *p)
{
        (void)kill(p->pid, SIGKILL);
        (void)waitpid(p->pid, NULL, 0);
        p->sample = close_fd(p->sample);
        (void)ok_r(cgroup_remove(tree, p->id, &err), &err, "it is removed");
}

/* The last one read of that partition. */
struct kstat_sample *sample_of(const struct partition *p)
{
        static struct kstat_sample samples[2];
        struct kstat_sample *sample = &samples[p->id == A];
        int r = kstat_sample_read(p->sample, sample);

        if (r < 0) {
                (void)ok(false, "a sample is read (%s)", strerror(-r));
                memset(sample, 0, sizeof(*sample));
        }
        return sample;
}

/* The attribute of the partition's cgroup that rules the controller (NULL: the unified one), as the kernel shows it for
 * the process. */
char *attribute(pid_t pid, const char *controller, const char *file)
{
        _cleanup_fclose_ FILE *f = NULL;
        char path[64], line[512], full[1024];

        (void)snprintf(path, sizeof(path), "/proc/%d/cgroup", (int)pid);
        f = fopen(path, "re");
        while (f && fgets(line, sizeof(line), f)) {
                char *names = strchr(line, ':'), *at = names ? strchr(names + 1, ':') : NULL, *text;
                const char *unified = access("/sys/fs/cgroup/unified", F_OK) == 0 ? "/unified" : "";

                if (!at)
                        continue;
                *at++ = '\0';
                at[strcspn(at, "\n")] = '\0';
                if (controller && cgroup_tree_rule(tree, controller) == CGROUP_V1) {
                        const char *v1 = strcmp(controller, "io") == 0 ? "blkio" : controller;

                        if (strcmp(names + 1, v1) != 0)
                                continue;
                        (void)snprintf(full, sizeof(full), "/sys/fs/cgroup/%s%s/%s", v1, at, file);
                } else if (strncmp(line, "0:", 2) == 0) {
                        (void)snprintf(full, sizeof(full), "/sys/fs/cgroup%s%s/%s", unified, at, file);
                } else {
                        continue;
                }
                return fd_read_file(AT_FDCWD, full, 65536, &text, NULL) == 0 ? text : NULL;
        }
        return NULL;
}

/* The number behind `key` at the beginning of a line; 0: there is none. */
uint64_t number_in(const char *text, const char *key)
{
        size_t length = strlen(key);

        for (const char *line = text; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
                if (strncmp(line, key, length) == 0 && (line[length] == ' ' || line[length] == '='))
                        return strtoull(line + length + 1, NULL, 10);
        return 0;
}

/* Within one part in a hundred, or as much as `slack`. */
bool near(uint64_t a, uint64_t b, uint64_t slack)
{
        uint64_t distance = a > b ? a - b : b - a;

        return distance <= slack || distance <= b / 100;
}

/* Runs one source for the subject; the data are in call->data.  What the program returns. */
int ask(enum kstat_source which, uint64_t subject, uint64_t argument, struct kstat_call *call)
{
        struct kstat_record record = {.source = which, .subject = subject, .argument = argument};
        struct bpf_test_run_opts run = {.sz = sizeof(run), .ctx_in = call, .ctx_size_in = sizeof(*call)};
        __u32 zero = 0;

        memset(call, 0, sizeof(*call));
        if (bpf_map_update_elem(bpf_map__fd(source->maps.record), &zero, &record, BPF_ANY) < 0 ||
                bpf_prog_test_run_opts(bpf_program__fd(source->progs.read_source), &run) < 0)
                return -errno;
        return (int)run.retval;
}

bool load_sources(void)
{
        const struct kstat_shared shared = kstat_sampler_shared(sampler);
        struct kstat_percpu percpu;
        struct kstat_mibs mibs;

        source = kstat_source_bpf__open();
        if (source) {
                source->rodata->cpus_max = kstat_possible_cpus();
                kstat_percpu_read(&percpu);
                memcpy((void *)&source->rodata->percpu, &percpu, sizeof(percpu));
                kstat_mibs_read(&mibs);
                memcpy((void *)&source->rodata->mibs, &mibs, sizeof(mibs));
        }
        return source && bpf_map__reuse_fd(source->maps.kstat_objects, shared.objects) == 0 &&
               bpf_map__reuse_fd(source->maps.kstat_loads, shared.loads) == 0 &&
               bpf_map__reuse_fd(source->maps.kstat_times, shared.times) == 0 &&
               bpf_map__reuse_fd(source->maps.kstat_clock, shared.clock) == 0 &&
               bpf_map__reuse_fd(source->maps.kstat_disks, shared.disks) == 0 &&
               bpf_map__reuse_fd(source->maps.kstat_sums, shared.sums) == 0 &&
               bpf_map__reuse_fd(source->maps.kstat_counts, shared.counts) == 0 && kstat_source_bpf__load(source) == 0;
}
