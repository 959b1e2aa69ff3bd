/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * broker_parts.c - partitions of loop devices: from the table that is on a device (LO_FLAGS_PARTSCAN, BLKRRPART), and
 * one by one (BLKPG), as partx(8) and ioctl(2) have them.
 *
 * Hazard: whoever wrote the table wants to take over who reads it.  So libblkid reads it in a process that has become
 * as the caller, in his control group (broker_behalf.h): taken over, it can do what he can do anyway.  What it says is
 * believed as far as the device goes (loops_add_part()).
 */
#include "warden/broker_parts.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/sock.h"
#include "kernel/notify.h"
#include "kernel/ns.h"
#include "kernel/process.h"
#include "warden/broker_mount.h"

#include <blkid/blkid.h>
#include <dlfcn.h>
#include <linux/audit.h>
#include <linux/blkpg.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#define PATIENCE_MS 10000 /* of a file that doesn't answer */
#define DYING_MS 1000
#define CPU_SECONDS 2
#define MEMORY_BYTES (256UL << 20)
#define EXTENDED_SECTORS 2 /* as the kernel shows what logical partitions are in: enough for a boot loader */

/* --- the library ---
 *
 * Loaded before we are confined, and by nobody else: a warden does without. */

static struct {
        typeof(&blkid_new_probe) new_probe;
        typeof(&blkid_probe_set_device) set_device;
        typeof(&blkid_probe_get_partitions) get_partitions;
        typeof(&blkid_partlist_numof_partitions) count;
        typeof(&blkid_partlist_get_partition) get;
        typeof(&blkid_partition_get_partno) number;
        typeof(&blkid_partition_get_start) start;
        typeof(&blkid_partition_get_size) size;
        typeof(&blkid_partition_is_extended) is_extended;
} library;

void broker_parts_prepare(void)
{
        const struct {
                const char *name;
                void *to;
        } symbols[] = {{"blkid_new_probe", &library.new_probe}, {"blkid_probe_set_device", &library.set_device},
                {"blkid_probe_get_partitions", &library.get_partitions},
                {"blkid_partlist_numof_partitions", &library.count}, {"blkid_partlist_get_partition", &library.get},
                {"blkid_partition_get_partno", &library.number}, {"blkid_partition_get_start", &library.start},
                {"blkid_partition_get_size", &library.size}, {"blkid_partition_is_extended", &library.is_extended}};
        void *handle = dlopen("libblkid.so.1", RTLD_NOW | RTLD_LOCAL);

        for (size_t i = 0; handle && i < ELEMENTS(symbols); i++) {
                void *symbol = dlsym(handle, symbols[i].name);

                memcpy(symbols[i].to, &symbol, sizeof(symbol));
                if (!symbol) {
                        memset(&library, 0, sizeof(library));
                        return;
                }
        }
}

/* --- reading a table --- */

/* As the caller.  How many, or a negative errno. */
static ssize_t parse(int device, struct loops_part ret[LOOPS_PARTS_MAX])
{
        blkid_probe probe = library.new_probe();
        blkid_partlist list;
        ssize_t n = 0;

        if (!probe || library.set_device(probe, device, 0, 0) != 0)
                return -EIO;
        list = library.get_partitions(probe);
        for (int i = 0, all = list ? library.count(list) : 0; i < all && n < LOOPS_PARTS_MAX; i++) {
                blkid_partition found = library.get(list, i);
                int number = library.number(found);

                if (number < 1 || number > LOOPS_PART_MAX || library.start(found) < 0 || library.size(found) <= 0)
                        continue;
                ret[n] = (struct loops_part){.part = (uint32_t)number,
                        .start = (uint64_t)library.start(found),
                        .sectors = (uint64_t)library.size(found)};
                if (library.is_extended(found) && ret[n].sectors > EXTENDED_SECTORS)
                        ret[n].sectors = EXTENDED_SECTORS;
                n++;
        }
        return n;
}

static int parse_as(struct behalf *who, int device, int channel)
{
        const struct rlimit cpu = {CPU_SECONDS, CPU_SECONDS}, memory = {MEMORY_BYTES, MEMORY_BYTES};
        struct loops_part parts[LOOPS_PARTS_MAX];
        ssize_t n;
        int r = behalf_become(who);

        if (r < 0)
                return -r;
        if (setrlimit(RLIMIT_CPU, &cpu) < 0 || setrlimit(RLIMIT_AS, &memory) < 0)
                return errno;
        n = parse(device, parts);
        if (n < 0)
                return (int)-n;
        return -sock_send_packet(channel, parts, sizeof(parts[0]) * ((size_t)n + 1), NULL, 0); /* none is no packet */
}

/* In the caller's control group; `theirs` is where it tells of them. */
static int parse_for(const struct broker *b, const struct asker *a, const struct loops_device *whole, int theirs)
{
        struct behalf who;
        int device, channel, fd = loop_open(b->loops.machine, whole->minor, O_RDONLY);
        int r = fd < 0 ? fd : behalf_open(a, &who);
        pid_t pid;

        if (r < 0)
                return r;
        device = behalf_keep(&who, fd);
        channel = behalf_keep(&who, theirs);
        pid = behalf_clone(&who);
        if (pid == 0)
                _exit(parse_as(&who, device, channel));
        return pid < 0 ? (int)pid : mount_await(pid);
}

/* Comes to an end whatever the file below does. */
static ssize_t hear(int ours, struct loops_part ret[LOOPS_PARTS_MAX])
{
        _cleanup_(sock_packet_done) struct sock_packet p = {.size = 0};
        struct pollfd fds[] = {{.fd = ours, .events = POLLIN}};
        size_t n;

        if (poll(fds, 1, PATIENCE_MS) <= 0)
                return -ETIMEDOUT;
        if (sock_receive_packet(ours, sizeof(*ret) * (LOOPS_PARTS_MAX + 1), &p) <= 0 || p.size % sizeof(*ret) != 0)
                return -EIO;
        n = p.size / sizeof(*ret) - 1;
        memcpy(ret, p.data, n * sizeof(*ret));
        return (ssize_t)n;
}

/* One that the file keeps for longer is init's when we have gone. */
static void end(int pidfd)
{
        struct pollfd fds[] = {{.fd = pidfd, .events = POLLIN}};
        int64_t status;

        (void)process_signal(pidfd, SIGKILL);
        (void)poll(fds, 1, DYING_MS);
        (void)process_reap(pidfd, &status);
}

/* Each refusal again would be a way to fill the log. */
static void tell_no_library(struct broker *b)
{
        if (!b->told_no_library)
                log_say(LOG_LEVEL_WARNING,
                        "partition %ju wants partitions on loop devices, and libblkid.so.1 can't be loaded on this "
                        "machine: tables aren't read",
                        (uintmax_t)b->spec.id);
        b->told_no_library = true;
}

/* What its table says.  How many, or a negative errno. */
static ssize_t read_table(struct broker *b, const struct asker *a, const struct loops_device *whole,
        struct loops_part ret[LOOPS_PARTS_MAX])
{
        _cleanup_close_ int ours = -EBADF, theirs = -EBADF, cgroup = -EBADF, pidfd = -EBADF;
        ssize_t n;
        int pair[2];
        pid_t pid;

        if (!library.new_probe) {
                tell_no_library(b);
                return -EOPNOTSUPP;
        }
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return -errno;
        ours = pair[0];
        theirs = pair[1];
        cgroup = asker_open_cgroup(b, a);
        if (cgroup < 0)
                return cgroup;
        pid = ns_clone(0, cgroup, &pidfd);
        if (pid == 0) {
                int r = prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 ? -errno : 0;

                ours = close_fd(ours);
                broker_child(b);
                _exit(r < 0 ? -r : -parse_for(b, a, whole, theirs));
        }
        if (pid < 0)
                return pid;
        theirs = close_fd(theirs);
        n = hear(ours, ret);
        end(pidfd);
        return n;
}

/* --- devices for parts --- */

static void gone(struct broker *b, const struct loops_device *device)
{
        broker_hide(b, device);
        broker_tell(b, device->minor, false);
        broker_forget(b, device->number);
}

static int unbind(struct broker *b, const struct loops_device devices[], size_t n)
{
        int r = loops_unbind(&b->loops, devices, n);

        for (size_t i = 0; r == 0 && i < n; i++)
                gone(b, &devices[i]);
        return r;
}

int broker_unbind(struct broker *b, const struct loops_device *device)
{
        struct loops_device devices[LOOPS_PARTS_MAX + 1];
        size_t n = loops_parts(&b->loops, device, devices);

        devices[n++] = *device;
        return unbind(b, devices, n);
}

static int add(struct broker *b, const struct loops_device *whole, const struct loops_part *part)
{
        struct loops_device device;
        int r = loops_add_part(&b->loops, whole, part, &device);

        if (r == -ENOSPC && broker_forget_all(b)) /* what is to be removed counts */
                r = loops_add_part(&b->loops, whole, part, &device);
        if (r < 0)
                return r;
        broker_show(b, &device);
        broker_tell(b, device.minor, true);
        return 0;
}

static bool is_same(const struct broker *b, const struct loops_device *device, const struct loops_part *part)
{
        struct loops_part is;

        return device->part == part->part && loops_get_part(&b->loops, device, &is) == 0 && is.start == part->start &&
               is.sectors == part->sectors;
}

/* What has no room, or shares sectors with another one, is left out, as the kernel does. */
int broker_parts_scan(struct broker *b, const struct asker *a, const struct loops_device *whole)
{
        struct loops_device there[LOOPS_PARTS_MAX];
        struct loops_part wanted[LOOPS_PARTS_MAX];
        ssize_t n_wanted = read_table(b, a, whole, wanted);
        size_t n_there = loops_parts(&b->loops, whole, there), n_old = 0;
        int r;

        if (n_wanted < 0)
                return (int)n_wanted;
        for (size_t i = 0; i < n_there; i++) {
                ssize_t k = 0;

                while (k < n_wanted && !is_same(b, &there[i], &wanted[k]))
                        k++;
                if (k < n_wanted)
                        memmove(&wanted[k], &wanted[k + 1], (size_t)(--n_wanted - k) * sizeof(wanted[0]));
                else
                        there[n_old++] = there[i];
        }
        r = unbind(b, there, n_old);
        for (ssize_t k = 0; r == 0 && k < n_wanted; k++)
                (void)add(b, whole, &wanted[k]);
        return r;
}

/* --- one by one --- */

static int read_request(const struct asker *a, int *ret_op, struct loops_part *ret)
{
        bool narrow = a->call->arch == AUDIT_ARCH_I386 || a->call->nr & NOTIFY_X32_BIT;
        struct { /* the beginning of struct blkpg_partition, which all ABIs have in common */
                int64_t start, length;
                int32_t number;
        } __attribute__((packed)) part;
        struct {
                int32_t op, flags, size;
                uint32_t narrow;
                uint64_t data;
        } request = {.data = 0};
        int r = asker_read(
                a, a->call->args[2], &request, narrow ? sizeof(request) - sizeof(request.data) : sizeof(request));

        if (r == 0)
                r = asker_read(a, narrow ? request.narrow : request.data, &part, sizeof(part));
        if (r < 0)
                return r;
        if (part.number < 1 || part.number > LOOPS_PART_MAX)
                return -EINVAL;
        *ret_op = request.op;
        *ret = (struct loops_part){.part = (uint32_t)part.number,
                .start = (uint64_t)part.start / LOOPS_SECTOR,
                .sectors = (uint64_t)part.length / LOOPS_SECTOR};
        if (request.op == BLKPG_DEL_PARTITION)
                return 0;
        return part.start < 0 || part.length <= 0 || (part.start | part.length) % LOOPS_SECTOR ? -EINVAL : 0;
}

int broker_parts_change(struct broker *b, const struct asker *a, const struct loops_device *whole)
{
        struct loops_device device;
        struct loops_part part;
        int op, r = read_request(a, &op, &part);

        if (r < 0)
                return r;
        switch (op) {
        case BLKPG_ADD_PARTITION:
                return add(b, whole, &part);
        case BLKPG_DEL_PARTITION:
                r = loops_find_part(&b->loops, whole, part.part, &device);
                return r < 0 ? r : unbind(b, &device, 1);
        case BLKPG_RESIZE_PARTITION:
                r = loops_resize_part(&b->loops, whole, &part, &device);
                if (r == 0)
                        broker_show(b, &device);
                return r;
        default:
                return -EINVAL;
        }
}
