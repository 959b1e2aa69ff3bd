/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * probe.c - the table of what croft wants of a kernel, and the probes of processes, control groups, filters and
 * devices.  See probe.h.
 *
 * The table says what each feature is for and what is lost without it; a probe only says whether it is there.
 */
#include "kernel/probe.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/str.h"
#include "kernel/cgroup.h"
#include "kernel/probe_private.h"
#include "kernel/types.h"

#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>

#define KERNEL_MAJOR 5
#define KERNEL_MINOR 14
#define PATIENCE_MS 2000

static int probe_kernel(const struct probe_context *c, struct probe_result *result)
{
        struct utsname name;
        unsigned int major = 0, minor = 0;

        (void)c;
        if (uname(&name) < 0)
                return -errno;
        (void)snprintf(result->detail, sizeof(result->detail), "%.100s", name.release);
        if (sscanf(name.release, "%u.%u", &major, &minor) != 2)
                return -EOPNOTSUPP;
        return major > KERNEL_MAJOR || (major == KERNEL_MAJOR && minor >= KERNEL_MINOR) ? 0 : -EOPNOTSUPP;
}

/* The effective capabilities as one set. */
static uint64_t capabilities(void)
{
        struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
        struct __user_cap_data_struct data[2] = {{0}};

        if (syscall(SYS_capget, &head, data) < 0)
                return 0;
        return (uint64_t)data[1].effective << 32 | data[0].effective;
}

static int probe_privileges(const struct probe_context *c, struct probe_result *result)
{
        static const struct {
                int cap;
                const char *name;
        } needed[] = {{CAP_SYS_ADMIN, "SYS_ADMIN"}, {CAP_SETUID, "SETUID"}, {CAP_SETGID, "SETGID"},
                {CAP_CHOWN, "CHOWN"}, {CAP_DAC_OVERRIDE, "DAC_OVERRIDE"}, {CAP_FOWNER, "FOWNER"}, {CAP_KILL, "KILL"},
                {CAP_MKNOD, "MKNOD"}, {CAP_NET_ADMIN, "NET_ADMIN"}, {CAP_SETPCAP, "SETPCAP"},
                {CAP_SYS_CHROOT, "SYS_CHROOT"}, {CAP_SYS_PTRACE, "SYS_PTRACE"}, {CAP_SETFCAP, "SETFCAP"}};
        uint64_t have = capabilities();

        (void)c;
        for (size_t i = 0; i < ELEMENTS(needed); i++) {
                if (have & UINT64_C(1) << needed[i].cap)
                        continue;
                (void)snprintf(result->detail, sizeof(result->detail), "croftd lacks CAP_%s", needed[i].name);
                return -EPERM;
        }
        return 0;
}

static int has_capability(int cap)
{
        return capabilities() & UINT64_C(1) << cap ? 0 : -EPERM;
}

static int probe_resource(const struct probe_context *c, struct probe_result *result)
{
        (void)c;
        (void)result;
        return has_capability(CAP_SYS_RESOURCE);
}

static int probe_checkpoint(const struct probe_context *c, struct probe_result *result)
{
        (void)c;
        (void)result;
        return has_capability(CAP_CHECKPOINT_RESTORE);
}

static int probe_openat2(const struct probe_context *c, struct probe_result *result)
{
        _cleanup_close_ int fd =
                fd_open2(c->state_dir, ".", O_PATH | O_DIRECTORY, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);

        (void)result;
        return fd < 0 ? fd : 0;
}

/* pidfd_open, pidfd_send_signal, pidfd_getfd and waitid by pidfd. */
static int probe_pidfd(const struct probe_context *c, struct probe_result *result)
{
        _cleanup_close_ int fd = -EBADF, other = -EBADF;
        siginfo_t info = {0};
        int pid, r = probe_start_child(0, -EBADF, &pid);

        (void)c;
        (void)result;
        if (r < 0)
                return r;
        fd = (int)syscall(SYS_pidfd_open, pid, 0);
        if (fd < 0)
                r = -errno;
        if (r == 0) {
                other = (int)syscall(SYS_pidfd_getfd, fd, fd, 0);
                /* EBADF: the child has no such descriptor, so the call is there and allowed. */
                r = other < 0 && errno != EBADF ? -errno : 0;
        }
        if (r == 0 && syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0) < 0)
                r = -errno;
        if (r == 0 && waitid(P_PIDFD, (id_t)fd, &info, WEXITED | WNOHANG | __WALL) < 0)
                r = -errno;
        probe_end_child(pid);
        return r;
}

static int stay_a_moment(const void *arg)
{
        struct timespec t = {.tv_nsec = 1000000};

        (void)arg;
        (void)nanosleep(&t, NULL);
        return 0;
}

static int probe_clone_into_cgroup(const struct probe_context *c, struct probe_result *result)
{
        int r;

        if (c->cgroup < 0)
                return -EOPNOTSUPP;
        r = probe_in_cgroup(c->cgroup, stay_a_moment, NULL);
        if (r == -EINTR)
                (void)snprintf(result->detail, sizeof(result->detail),
                        "children are killed at birth: cgroup.kill was used on croftd's own cgroup; start it in "
                        "another");
        return r;
}

static int probe_cgroup_freeze(const struct probe_context *c, struct probe_result *result)
{
        int pid, r;

        (void)result;
        if (c->cgroup < 0)
                return -EOPNOTSUPP;
        r = probe_start_child(0, c->cgroup, &pid);
        if (r < 0)
                return r;
        r = cgroup_freeze(c->cgroups, PROBE_PARTITION, true, PATIENCE_MS, NULL);
        if (r == 0)
                r = cgroup_freeze(c->cgroups, PROBE_PARTITION, false, PATIENCE_MS, NULL);
        probe_end_child(pid);
        return r;
}

/* The last one in the probes' cgroup: afterwards nothing can be cloned into it (see cgroup_kill()). */
static int probe_cgroup_kill(const struct probe_context *c, struct probe_result *result)
{
        int pid, r;

        (void)result;
        if (c->cgroup < 0)
                return -EOPNOTSUPP;
        r = probe_start_child(0, c->cgroup, &pid);
        if (r < 0)
                return r;
        r = fd_write_file(c->cgroup, "cgroup.kill", "1");
        if (r == 0)
                r = cgroup_wait_empty(c->cgroups, PROBE_PARTITION, PATIENCE_MS, NULL);
        probe_end_child(pid);
        return r;
}

static int probe_controller(const struct probe_context *c, struct probe_result *result, const char *name)
{
        enum cgroup_rule rule = cgroup_tree_rule(c->cgroups, name);

        (void)snprintf(result->detail, sizeof(result->detail), "%s",
                rule == CGROUP_V2   ? "cgroup v2"
                : rule == CGROUP_V1 ? "cgroup v1"
                                    : "croftd's cgroup doesn't have it");
        return rule == CGROUP_NONE ? -EOPNOTSUPP : 0;
}

static int probe_cpu(const struct probe_context *c, struct probe_result *result)
{
        return probe_controller(c, result, "cpu");
}

static int probe_cpuset(const struct probe_context *c, struct probe_result *result)
{
        return probe_controller(c, result, "cpuset");
}

static int probe_memory(const struct probe_context *c, struct probe_result *result)
{
        return probe_controller(c, result, "memory");
}

static int probe_io(const struct probe_context *c, struct probe_result *result)
{
        return probe_controller(c, result, "io");
}

static int probe_pids(const struct probe_context *c, struct probe_result *result)
{
        return probe_controller(c, result, "pids");
}

static int install_filter(const void *flags)
{
        struct sock_filter allow[] = {{.code = BPF_RET | BPF_K, .k = SECCOMP_RET_ALLOW}};
        struct sock_fprog program = {.len = ELEMENTS(allow), .filter = allow};

        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
                syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, *(const unsigned int *)flags, &program) < 0)
                return -errno;
        return 0;
}

static int probe_seccomp(const struct probe_context *c, struct probe_result *result)
{
        static const unsigned int flags = 0;

        (void)c;
        (void)result;
        return probe_in_child(0, install_filter, &flags);
}

static int probe_notification(const struct probe_context *c, struct probe_result *result)
{
        static const unsigned int flags = SECCOMP_FILTER_FLAG_NEW_LISTENER;

        (void)c;
        (void)result;
        return probe_in_child(0, install_filter, &flags);
}

/* Could the module be loaded?  Then that is the advice. */
static void advise_module(const char *module, struct probe_result *result)
{
        _cleanup_free_ char *line = NULL;
        _cleanup_fclose_ FILE *f = NULL;
        char path[256], file[64];
        struct utsname name;
        size_t room = 0;

        if (uname(&name) < 0)
                return;
        (void)snprintf(path, sizeof(path), "/lib/modules/%s/modules.dep", name.release);
        (void)snprintf(file, sizeof(file), "/%s.ko", module);
        f = fopen(path, "re");
        while (f && getline(&line, &room, f) > 0) {
                line[strcspn(line, ":")] = '\0';
                if (!strstr(line, file))
                        continue;
                (void)snprintf(result->detail, sizeof(result->detail), "not loaded: modprobe %s", module);
                return;
        }
}

static int open_device(const char *path, const char *module, struct probe_result *result)
{
        _cleanup_close_ int fd = open(path, O_RDWR | O_CLOEXEC);
        int r = fd < 0 ? -errno : 0;

        if (r == -ENOENT)
                advise_module(module, result);
        return r;
}

static int probe_fuse(const struct probe_context *c, struct probe_result *result)
{
        (void)c;
        return open_device("/dev/fuse", "fuse", result);
}

static int probe_loop(const struct probe_context *c, struct probe_result *result)
{
        (void)c;
        return open_device("/dev/loop-control", "loop", result);
}

static int probe_device_mapper(const struct probe_context *c, struct probe_result *result)
{
        (void)c;
        return open_device("/dev/mapper/control", "dm-mod", result);
}

/* With permission the call gets as far as the descriptor, which is none. */
static int probe_modules(const struct probe_context *c, struct probe_result *result)
{
        (void)c;
        if (syscall(SYS_finit_module, -1, "", 0) < 0 && errno == EBADF)
                return 0;
        if (errno == EPERM)
                (void)snprintf(result->detail, sizeof(result->detail), "croftd may not load any");
        return -errno;
}

#define NO_PARTITION "no partition can start"

static const struct feature {
        const char *name, *use;
        const char *fallback; /* NULL: none */
        const char *lost;
        bool essential;
        probe_function probe;
} features[] = {
        {"kernel", "Linux 5.14 or later", NULL, NO_PARTITION, true, probe_kernel},
        {"privileges", "capabilities of root", NULL, NO_PARTITION, true, probe_privileges},
        {"user-namespace", "root of a partition is nobody on the host", NULL, NO_PARTITION, true, probe_user_namespace},
        {"pid-namespace", "processes of a partition are its own", NULL, NO_PARTITION, true, probe_pid_namespace},
        {"mount-namespace", "mounts of a partition are its own", NULL, NO_PARTITION, true, probe_mount_namespace},
        {"uts-namespace", "a host name for each partition", NULL, NO_PARTITION, true, probe_uts_namespace},
        {"ipc-namespace", "shared memory and queues of a partition are its own", NULL, NO_PARTITION, true,
                probe_ipc_namespace},
        {"network-namespace", "a network for each partition", NULL, NO_PARTITION, true, probe_network_namespace},
        {"cgroup-namespace", "a partition manages cgroups below its own", NULL, NO_PARTITION, true,
                probe_cgroup_namespace},
        {"time-namespace", "the uptime of a partition begins at its start", "the host's clocks",
                "uptime and boot time in a partition are the host's", false, probe_time_namespace},
        {"mount-api", "mounts by descriptors, never by a partition's paths", NULL, NO_PARTITION, true, probe_mount_api},
        {"openat2", "paths of a partition never lead out of it", NULL, NO_PARTITION, true, probe_openat2},
        {"idmapped-mount", "one image serves many partitions with ids of their own", NULL, NO_PARTITION, true,
                probe_idmapped_mount},
        {"overlay", "the root of a partition: its own layer over its image's", NULL, NO_PARTITION, true, probe_overlay},
        {"fresh-proc", "/proc of a partition", NULL, NO_PARTITION, true, probe_fresh_proc},
        {"fresh-sys", "/sys of a partition", NULL, NO_PARTITION, true, probe_fresh_sys},
        {"mqueue", "message queues of a partition", NULL, NO_PARTITION, true, probe_mqueue},
        {"pidfd", "processes are held by descriptors, not by numbers that are reused", NULL, NO_PARTITION, true,
                probe_pidfd},
        {"clone-into-cgroup", "a process is born in its partition's cgroup", NULL, NO_PARTITION, true,
                probe_clone_into_cgroup},
        {"cgroup-freeze", "freeze and thaw", NULL, "croft freeze", false, probe_cgroup_freeze},
        {"cgroup-kill", "all processes of a partition end at once", "frozen and killed one by one",
                "stopping by force takes longer", false, probe_cgroup_kill},
        {"controller-cpu", "cpu.weight and cpu.max", NULL, "these limits are refused", false, probe_cpu},
        {"controller-cpuset", "cpu.set", NULL, "this limit is refused", false, probe_cpuset},
        {"controller-memory", "memory.max and memory.swap.max", NULL, "these limits are refused", false, probe_memory},
        {"controller-io", "io.max", NULL, "this limit is refused", false, probe_io},
        {"controller-pids", "pids.max", NULL, "this limit is refused", false, probe_pids},
        {"seccomp-filter", "system calls that reach past namespaces are refused", NULL, NO_PARTITION, true,
                probe_seccomp},
        {"seccomp-notification", "calls of a partition are answered by its warden", NULL,
                "module and device requests of a partition are refused", false, probe_notification},
        {"bpf-syscall-program", "the kernel itself tells a caller its partition", NULL, "the kernel plane", false,
                probe_bpf_syscall},
        {"bpf-device-program", "which devices a partition may open", NULL, "devices beyond the usual ones", false,
                probe_bpf_device},
        {"bpf-iterator", "statistics and load of a partition, from the kernel's own lists", NULL,
                "statistics from the kernel's lists", false, probe_bpf_iterator},
        {"bpf-tracepoint", "counting events of a partition", NULL, "statistics of events", false, probe_bpf_tracepoint},
        {"bpf-trampoline", "counters for each mount (fentry, fexit)", "tracepoints of system calls",
                "about 160 ns for each read and write that is counted", false, probe_bpf_trampoline},
        {"bpf-lsm", "decisions of croft inside the kernel", "answers by wardens", "some speed", false, probe_bpf_lsm},
        {"bpf-ringbuf", "records from the kernel in their order", NULL, "records written by the kernel", false,
                probe_bpf_ringbuf},
        {"btf", "BPF programs fit the running kernel", NULL, "most of the kernel plane", false, probe_btf},
        {"bpffs", "BPF objects outlive croftd", NULL, "the kernel plane", false, probe_bpffs},
        {"fuse", "/proc files that show the partition", NULL, "free, top and the like show the host", false,
                probe_fuse},
        {"loop", "disks made of files", NULL, "partitions with disks of their own made of files", false, probe_loop},
        {"modules", "kernel modules for partitions", NULL, "loading modules", false, probe_modules},
        {"device-mapper", "volume groups of a partition", NULL, "partitions with volume groups", false,
                probe_device_mapper},
        {"resource-capability", "raising limits of processes above croftd's own", "limits can only be lowered",
                "rlimits above croftd's own", false, probe_resource},
        {"checkpoint-capability", "moving partitions", NULL, "moving running partitions", false, probe_checkpoint},
};

const char *probe_status_name(enum probe_status status)
{
        static const char *const names[] = {
                [PROBE_OK] = "ok", [PROBE_FALLBACK] = "fallback", [PROBE_MISSING] = "missing"};

        return names[status];
}

static void judge(const struct feature *feature, const struct probe_context *c, struct probe_result *ret)
{
        size_t used;
        int r;

        *ret = (struct probe_result){.name = feature->name, .use = feature->use, .essential = feature->essential};
        r = feature->probe(c, ret);
        if (r == 0)
                return;
        ret->status = feature->fallback ? PROBE_FALLBACK : PROBE_MISSING;
        ret->fallback = feature->fallback;
        ret->lost = feature->lost;
        used = strlen(ret->detail);
        if (used == 0 || (r != -EPERM && r != -EOPNOTSUPP && r != -EINTR)) /* those are told in words */
                (void)snprintf(ret->detail + used, sizeof(ret->detail) - used, "%s%s", used ? ": " : "",
                        strerrordesc_np(-r) ? strerrordesc_np(-r) : "unknown error");
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* the probes' cgroup is but one */

/* Makes what probes share.  What can't be made is a finding of those probes. */
static void prepare(struct probe_context *c)
{
        (void)pthread_mutex_lock(&lock); /* fails for our bugs only */
        c->userns_error = probe_make_userns(&c->userns);
        if (cgroup_create(c->cgroups, PROBE_PARTITION, 0, NULL) == 0)
                c->cgroup = cgroup_open(c->cgroups, PROBE_PARTITION, NULL);
}

static void finish(struct probe_context *c)
{
        close_fd(c->userns);
        close_fd(c->cgroup);
        c->types = kernel_types_unref(c->types);
        (void)cgroup_remove(c->cgroups, PROBE_PARTITION, NULL); /* at worst an empty cgroup for the next run */
        (void)pthread_mutex_unlock(&lock);
}

int probe_run(int state_dir, struct cgroup_tree *cgroups, struct probe_result **ret, size_t *ret_count,
        struct croft_error *err)
{
        struct probe_context c = {.state_dir = state_dir, .cgroups = cgroups, .cgroup = -EBADF, .userns = -EBADF};
        struct probe_result *results = calloc(ELEMENTS(features), sizeof(*results));

        if (!results)
                return croft_error_set(err, ENOMEM, "look at what the kernel offers");
        prepare(&c);
        if (kernel_types_ref(&c.types, NULL) < 0)
                c.types = NULL;
        for (size_t i = 0; i < ELEMENTS(features); i++)
                judge(&features[i], &c, &results[i]);
        finish(&c);
        *ret = results;
        *ret_count = ELEMENTS(features);
        return 0;
}

int probe_essential(int state_dir, struct cgroup_tree *cgroups, struct probe_result *ret)
{
        struct probe_context c = {.state_dir = state_dir, .cgroups = cgroups, .cgroup = -EBADF, .userns = -EBADF};
        bool missing = false;

        prepare(&c);
        for (size_t i = 0; i < ELEMENTS(features) && !missing; i++) {
                if (!features[i].essential)
                        continue;
                judge(&features[i], &c, ret);
                missing = ret->status == PROBE_MISSING;
        }
        finish(&c);
        return missing;
}

const struct probe_result *probe_blocker(const struct probe_result *results, size_t count)
{
        for (size_t i = 0; i < count; i++)
                if (results[i].essential && results[i].status == PROBE_MISSING)
                        return &results[i];
        return NULL;
}
