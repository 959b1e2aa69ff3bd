/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * seccomp_build.c - makes the filters with libseccomp.  See seccomp.h.
 *
 * The base filter is a deny list: a partition runs whole systems of any age, and the user namespace is the first line.
 * It takes away what the kernel doesn't confine by namespaces, or has been a way in again and again.
 */
#include "kernel/seccomp.h"

#include "base/cleanup.h"
#include "base/fd.h"

#include <linux/blkpg.h>
#include <linux/bpf.h>
#include <linux/loop.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>

static void release(scmp_filter_ctx *filter)
{
        if (*filter)
                seccomp_release(*filter);
}

struct refusal {
        const char *name;
        int code;
};

/* ENOSYS where programs have a way without; EPERM where they expect to be told so. */
static const struct refusal refused[] = {
        {"kexec_load", EPERM},
        {"kexec_file_load", EPERM},
        {"create_module", ENOSYS},
        {"open_by_handle_at", EPERM}, /* names any inode of a file system, past every mount */
        {"swapon", EPERM},
        {"swapoff", EPERM},
        {"acct", EPERM},
        {"iopl", EPERM},
        {"ioperm", EPERM},
        {"quotactl", EPERM},
        {"quotactl_fd", EPERM},
        {"nfsservctl", ENOSYS},
        {"lookup_dcookie", EPERM},
        {"perf_event_open", EPERM}, /* no namespace confines it; perf_event_paranoid is the host's choice */
        {"userfaultfd", EPERM},     /* the favourite tool for winning races in the kernel */
        {"uselib", ENOSYS},
        {"ustat", ENOSYS},
        {"sysfs", ENOSYS},
        {"_sysctl", ENOSYS},
        {"vm86", ENOSYS},
        {"vm86old", ENOSYS},
        {"add_key", ENOSYS}, /* keyrings belong to users of the host's kernel, not to a namespace */
        {"keyctl", ENOSYS},
        {"request_key", ENOSYS},
        {"settimeofday", EPERM},
        {"stime", EPERM},
        {"clock_settime", EPERM},
        {"clock_settime64", EPERM},
        {"syslog", EPERM},
        {"bdflush", ENOSYS},
};

static const char *const modules[] = {"init_module", "finit_module", "delete_module"};

/* A filter for the three ABIs of x86-64; a caller with another one is killed. */
static int new_filter(uint32_t action, scmp_filter_ctx *ret, struct croft_error *err)
{
        _cleanup_(release) scmp_filter_ctx filter = seccomp_init(action);
        static const uint32_t more[] = {SCMP_ARCH_X86, SCMP_ARCH_X32};
        int r;

        if (!filter)
                return croft_error_set(err, ENOMEM, "make a system call filter");
        for (size_t i = 0; i < ELEMENTS(more) && seccomp_arch_native() == SCMP_ARCH_X86_64; i++) {
                r = seccomp_arch_add(filter, more[i]);
                if (r < 0 && r != -EEXIST)
                        return croft_error_set(err, -r, "add an ABI to the system call filter");
        }
        /* Our processes decide about no_new_privs: sudo must work inside. */
        r = seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 0);
        if (r == 0)
                /* a binary tree over the numbers: a getppid() costs 5 comparisons instead of 40 */
                (void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
        if (r < 0)
                return croft_error_set(err, -r, "set up the system call filter");
        *ret = TAKE(filter);
        return 0;
}

/* The program as a sealed memfd. */
static int export(scmp_filter_ctx filter, const char *name, struct croft_error *err)
{
        _cleanup_close_ int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
        int r;

        if (fd < 0)
                return croft_error_set(err, errno, "make memory for the system call filter");
        r = seccomp_export_bpf(filter, fd);
        if (r < 0)
                return croft_error_set(err, -r, "export the system call filter");
        r = fd_seal(fd);
        return r < 0 ? croft_error_set(err, r, "seal the system call filter") : TAKE_FD(fd);
}

static int add_modules(scmp_filter_ctx filter, uint32_t action)
{
        int r = 0;

        for (size_t i = 0; r == 0 && i < ELEMENTS(modules); i++)
                r = seccomp_rule_add(filter, action, seccomp_syscall_resolve_name(modules[i]), 0);
        return r;
}

int seccomp_build_base(unsigned int told, struct croft_error *err)
{
        _cleanup_(release) scmp_filter_ctx filter = NULL;
        int r = new_filter(SCMP_ACT_ALLOW, &filter, err);

        if (r < 0)
                return r;
        for (size_t i = 0; i < ELEMENTS(refused); i++) {
                int number = seccomp_syscall_resolve_name(refused[i].name);

                if (number == __NR_SCMP_ERROR)
                        continue; /* not in this libseccomp's tables, so it can't name it either */
                r = seccomp_rule_add(filter, SCMP_ACT_ERRNO((unsigned int)refused[i].code), number, 0);
                if (r < 0)
                        return croft_error_set(err, -r, "refuse '%s' in the system call filter", refused[i].name);
        }
        /* Line disciplines are drivers for modems, loaded on demand: code that nobody else runs, and it shows. */
        r = seccomp_rule_add(
                filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl), 1, SCMP_A1(SCMP_CMP_MASKED_EQ, UINT32_MAX, TIOCSETD));
        if (r == 0 && told & SECCOMP_TOLD_MOUNTS)
                r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(fsopen), 0);
        if (r == 0 && !(told & SECCOMP_TOLD_MODULES))
                r = add_modules(filter, SCMP_ACT_ERRNO(EPERM));
        if (r < 0)
                return croft_error_set(err, -r, "refuse line disciplines in the system call filter");
        return export(filter, "croft-base-filter", err);
}

/* Whatever it is asked of: other drivers have none of these numbers.  Who has no loop devices of its own is refused
 * what changes one: it may have been handed the descriptor of another's (kernel/loop.h says what could come of that).
 */
static int add_loops(scmp_filter_ctx filter, bool loops)
{
        static const unsigned int commands[] = {LOOP_SET_FD, LOOP_CLR_FD, LOOP_SET_STATUS, LOOP_GET_STATUS,
                LOOP_SET_STATUS64, LOOP_GET_STATUS64, LOOP_CHANGE_FD, LOOP_SET_CAPACITY, LOOP_SET_DIRECT_IO,
                LOOP_SET_BLOCK_SIZE, LOOP_CONFIGURE, LOOP_CTL_ADD, LOOP_CTL_REMOVE, LOOP_CTL_GET_FREE};
        static const unsigned int partitions[] = {BLKPG, BLKRRPART}; /* what the kernel refuses */
        int r = 0;

        for (size_t i = 0; r == 0 && loops && i < ELEMENTS(partitions); i++)
                r = seccomp_rule_add(filter, SCMP_ACT_NOTIFY, SCMP_SYS(ioctl), 1,
                        SCMP_A1(SCMP_CMP_MASKED_EQ, UINT32_MAX, partitions[i]));
        for (size_t i = 0; r == 0 && i < ELEMENTS(commands); i++)
                r = seccomp_rule_add(filter, loops ? SCMP_ACT_NOTIFY : SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl), 1,
                        SCMP_A1(SCMP_CMP_MASKED_EQ, UINT32_MAX, commands[i]));
        return r;
}

/* mount(2) is many calls in one, by its flags: here are the one that makes a new mount, and the one that binds one
 * mount alone (a proc isn't to be had alone, see warden/broker_mount.c).  The flags are in a register and can't change
 * any more.  Their upper half may be a magic number of old, which has bits of propagation. */
static int add_mounts(scmp_filter_ctx filter)
{
        const uint64_t other = MS_REMOUNT | MS_BIND | MS_MOVE;
        const uint64_t propagation = MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE;
        int r = seccomp_rule_add(
                filter, SCMP_ACT_NOTIFY, SCMP_SYS(mount), 1, SCMP_A3_64(SCMP_CMP_MASKED_EQ, other | propagation, 0));

        if (r == 0)
                r = seccomp_rule_add(filter, SCMP_ACT_NOTIFY, SCMP_SYS(mount), 1,
                        SCMP_A3_64(SCMP_CMP_MASKED_EQ, other | MS_MGC_MSK, MS_MGC_VAL));
        if (r == 0)
                r = seccomp_rule_add(filter, SCMP_ACT_NOTIFY, SCMP_SYS(mount), 1,
                        SCMP_A3_64(SCMP_CMP_MASKED_EQ, MS_REMOUNT | MS_BIND | MS_REC, MS_BIND));
        /* Lazily anything can be unmounted; otherwise what lies on a proc keeps it busy. */
        if (r == 0)
                r = seccomp_rule_add(
                        filter, SCMP_ACT_NOTIFY, SCMP_SYS(umount2), 1, SCMP_A1(SCMP_CMP_MASKED_EQ, MNT_DETACH, 0));
        return r;
}

int seccomp_build_notify(unsigned int told, struct croft_error *err)
{
        _cleanup_(release) scmp_filter_ctx filter = NULL;
        int r = new_filter(SCMP_ACT_ALLOW, &filter, err);

        if (r < 0)
                return r;
        r = seccomp_rule_add(filter, SCMP_ACT_NOTIFY, SCMP_SYS(sysinfo), 0);
        if (r == 0)
                r = add_modules(filter, SCMP_ACT_NOTIFY);
        if (r == 0)
                r = add_loops(filter, told & SECCOMP_TOLD_LOOPS);
        if (r == 0 && told & SECCOMP_TOLD_MOUNTS)
                r = add_mounts(filter);
        if (r < 0)
                return croft_error_set(err, -r, "make the filter of intercepted calls");
        return export(filter, "croft-notify-filter", err);
}

/* epoll loop, sockets with descriptors, files that are open, the clock, how much memory the machine has, and what the C
 * library needs to get memory and to die. */
static const char *const warden_calls[] = {"read", "write", "readv", "writev", "pread64", "pwrite64", "recvmsg",
        "sendmsg", "recvfrom", "sendto", "shutdown", "accept4", "epoll_wait", "epoll_pwait", "epoll_ctl", "poll",
        "ppoll", "close", "fstat", "newfstatat", "waitid", "wait4", "pidfd_send_signal", "kill", "brk", "munmap",
        "mremap", "madvise", "futex", "process_vm_writev", "clock_gettime", "sysinfo", "restart_syscall", "getpid",
        "gettid", "tgkill", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack", "getrandom", "exit",
        "exit_group"};

/* Calls with one argument that decides: of bpf(2) only a new read of the link that it was given (its partition's
 * figures); no descriptor's owner is set (F_SETOWN is a way to send signals), no other socket option is read
 * (SO_PEERPIDFD hands out a process), no ioctl types into a terminal.  0xc000ff0b is PIDFD_GET_INFO of any size: how
 * init ended. */
static const struct argument {
        const char *name;
        unsigned int argument;
        uint64_t mask, value;
} warden_calls_with[] = {{"ioctl", 1, UINT32_MAX, TIOCSWINSZ}, {"ioctl", 1, 0xc000ffff, 0xc000ff0b},
        {"fcntl", 1, UINT32_MAX, F_GETFL}, {"fcntl", 1, UINT32_MAX, F_SETFL}, {"fcntl", 1, UINT32_MAX, F_DUPFD_CLOEXEC},
        {"fcntl", 1, UINT32_MAX, F_GET_SEALS}, {"ioctl", 1, UINT32_MAX, SECCOMP_IOCTL_NOTIF_RECV},
        {"ioctl", 1, UINT32_MAX, SECCOMP_IOCTL_NOTIF_ID_VALID}, {"ioctl", 1, UINT32_MAX, SECCOMP_IOCTL_NOTIF_SEND},
        {"ioctl", 1, UINT32_MAX, SECCOMP_IOW(4, __u64)} /* how to wake up, Linux 6.6 */,
        {"getsockopt", 2, UINT32_MAX, SO_PEERCRED}, {"bpf", 0, UINT32_MAX, BPF_ITER_CREATE},
        /* Memory, but none that can be run. */
        {"mmap", 2, PROT_EXEC, 0}, {"mprotect", 2, PROT_EXEC, 0}};

/* Beside the warden's: what there is to know of a process that asks, loop devices, nodes, mounts and namespaces, and
 * becoming as the caller.  Nothing that executes a program, loads code into the kernel or speaks to a network. */
static const char *const broker_calls[] = {"openat", "openat2", "getdents64", "lseek", "statx", "fstatfs", "readlink",
        "readlinkat", "ftruncate", "fsync", "fcntl", "flock", "dup2", "close_range", "fchmod", "fchmodat", "chmod",
        "fchown", "fchownat", "mknodat", "mkdir", "mkdirat", "unlinkat", "renameat", "renameat2", "memfd_create",
        "chdir", "fchdir", "chroot", "ioctl", "pidfd_open", "pidfd_getfd", "process_vm_readv", "socketpair",
        "nanosleep", "clock_nanosleep", "pause", "membarrier", "clone3", "set_robust_list", "rseq", "prctl",
        "prlimit64", "unshare", "setns", "setgroups", "setresuid", "setresgid", "setfsuid", "setfsgid", "capset",
        "mount", "umount2", "pivot_root", "open_tree", "move_mount", "mount_setattr", "fsopen", "fsconfig", "fsmount"};

static const struct argument broker_calls_with[] = {{"bpf", 0, UINT32_MAX, BPF_PROG_TEST_RUN}};

struct list {
        const char *const *calls;
        size_t n_calls;
        const struct argument *with;
        size_t n_with;
};

static int allow(scmp_filter_ctx filter, const struct list *list)
{
        int r = 0;

        for (size_t i = 0; r == 0 && i < list->n_calls; i++)
                r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, seccomp_syscall_resolve_name(list->calls[i]), 0);
        for (size_t i = 0; r == 0 && i < list->n_with; i++)
                r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, seccomp_syscall_resolve_name(list->with[i].name), 1,
                        SCMP_CMP64(
                                list->with[i].argument, SCMP_CMP_MASKED_EQ, list->with[i].mask, list->with[i].value));
        return r;
}

/* For our own ABI alone. */
static int build_allowing(const struct list lists[], size_t n, const char *name, struct croft_error *err)
{
        _cleanup_(release) scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
        int r;

        if (!filter)
                return croft_error_set(err, ENOMEM, "make a system call filter");
        r = seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 0);
        for (size_t i = 0; r == 0 && i < n; i++)
                r = allow(filter, &lists[i]);
        if (r < 0)
                return croft_error_set(err, -r, "make the filter '%s'", name);
        return export(filter, name, err);
}

static const struct list for_warden = {
        warden_calls, ELEMENTS(warden_calls), warden_calls_with, ELEMENTS(warden_calls_with)};
static const struct list for_broker = {
        broker_calls, ELEMENTS(broker_calls), broker_calls_with, ELEMENTS(broker_calls_with)};

int seccomp_build_warden(struct croft_error *err)
{
        return build_allowing(&for_warden, 1, "croft-warden-filter", err);
}

int seccomp_build_broker(struct croft_error *err)
{
        const struct list lists[] = {for_warden, for_broker};

        return build_allowing(lists, ELEMENTS(lists), "croft-broker-filter", err);
}
