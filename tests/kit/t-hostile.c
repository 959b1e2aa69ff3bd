/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * t-hostile: the root of a partition tries to get out, to get in the way, or to see what isn't its own.
 *
 * A static program, so that it runs on any root.  Prints TAP: a line is "ok" when the attempt was refused.  Each
 * attempt runs in a child, so that one that succeeds in part can't spoil the next.  What needs the host's view (is the
 * binary unchanged? is anything left?) is checked by the test that runs this.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif

struct attempt {
        const char *sentence;
        bool (*refused)(void); /* true: the attack failed */
};

static bool write_to(const char *path, const char *text)
{
        int fd = open(path, O_WRONLY | O_CLOEXEC);
        bool done;

        if (fd < 0)
                return false;
        done = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
        close(fd);
        if (done)
                printf("# wrote '%s' to %s\n", text, path);
        return done;
}

static bool create_below(const char *directory)
{
        char path[256];
        int fd;

        snprintf(path, sizeof(path), "%s/.t-hostile", directory);
        fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0)
                return false;
        close(fd);
        unlink(path);
        printf("# made %s\n", path);
        return true;
}

/* The attempts on the shared directories. */

static bool no_write_to_usr(void)
{
        return !create_below("/usr") && !create_below("/usr/bin");
}

static bool no_remount_usr(void)
{
        if (mount(NULL, "/usr", NULL, MS_REMOUNT | MS_BIND, NULL) == 0 && create_below("/usr"))
                return false;
        if (mount(NULL, "/usr", NULL, MS_REMOUNT, NULL) == 0 && create_below("/usr"))
                return false;
        return !create_below("/usr");
}

static bool no_setattr_usr(void)
{
        struct mount_attr attr = {.attr_clr = MOUNT_ATTR_RDONLY};

        if (syscall(SYS_mount_setattr, AT_FDCWD, "/usr", 0x8000 /* AT_RECURSIVE */, &attr, sizeof(attr)) == 0 &&
                create_below("/usr"))
                return false;
        return !create_below("/usr");
}

static bool no_rebind_usr(void)
{
        mkdir("/tmp/t-hostile", 0700);
        if (mount("/usr", "/tmp/t-hostile", NULL, MS_BIND | MS_REC, NULL) < 0)
                return true;
        mount(NULL, "/tmp/t-hostile", NULL, MS_REMOUNT | MS_BIND, NULL);
        if (create_below("/tmp/t-hostile"))
                return false;
        umount2("/tmp/t-hostile", MNT_DETACH);
        return true;
}

static bool no_nested_remount_usr(void)
{
        if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
                return true;
        mount(NULL, "/usr", NULL, MS_REMOUNT | MS_BIND, NULL);
        return !create_below("/usr");
}

static bool nothing_below_usr_mount(void)
{
        DIR *dir;
        struct dirent *entry;
        bool empty = true;

        if (umount2("/usr", MNT_DETACH) < 0)
                return true;
        dir = opendir("/usr");
        if (!dir)
                return true;
        while ((entry = readdir(dir)))
                if (entry->d_name[0] != '.')
                        empty = false;
        closedir(dir);
        return empty;
}

/* Ways out of the root. */

static bool no_way_up(void)
{
        struct stat root, up;

        if (chdir("/") < 0 || stat("/", &root) < 0)
                return false;
        for (int i = 0; i < 64; i++)
                if (chdir("..") < 0)
                        return true;
        return stat(".", &up) == 0 && root.st_dev == up.st_dev && root.st_ino == up.st_ino;
}

static bool no_chroot_escape(void)
{
        int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        struct stat root, up;

        if (fstat(fd, &root) < 0 || (mkdir("/tmp/t-chroot", 0700) < 0 && errno != EEXIST) ||
                chroot("/tmp/t-chroot") < 0)
                return true;
        if (fchdir(fd) < 0)
                return true;
        for (int i = 0; i < 64; i++)
                if (chdir("..") < 0)
                        return true;
        return stat(".", &up) == 0 && root.st_dev == up.st_dev && root.st_ino == up.st_ino;
}

static bool no_umount_to_host(void)
{
        struct stat before, after;

        if (stat("/", &before) < 0)
                return false;
        for (int i = 0; i < 8; i++)
                if (umount2("/", MNT_DETACH) < 0)
                        break;
        return stat("/", &after) < 0 || (before.st_dev == after.st_dev && before.st_ino == after.st_ino);
}

static bool no_handles(void)
{
        struct {
                struct file_handle handle;
                unsigned char bytes[128];
        } h = {.handle.handle_bytes = 8, .handle.handle_type = 1};
        int fd;

        memcpy(h.handle.f_handle, "\2\0\0\0\0\0\0\0", 8); /* inode 2: the root directory of an ext4 */
        fd = open_by_handle_at(open("/usr", O_RDONLY | O_DIRECTORY), &h.handle, O_RDONLY);
        return fd < 0;
}

static bool no_device_nodes(void)
{
        bool refused = true;

        for (unsigned int major = 1; major < 260 && refused; major += major == 1 ? 6 : 1) {
                unlink("/tmp/t-node");
                if (mknod("/tmp/t-node", S_IFBLK | 0600, makedev(major, 0)) == 0 && open("/tmp/t-node", O_RDONLY) >= 0)
                        refused = false;
        }
        unlink("/tmp/t-node");
        if (mknod("/tmp/t-node", S_IFCHR | 0600, makedev(1, 1)) == 0 && open("/tmp/t-node", O_RDONLY) >= 0)
                refused = false; /* /dev/mem */
        unlink("/tmp/t-node");
        return refused;
}

static bool no_host_devices_in_dev(void)
{
        DIR *dir = opendir("/dev");
        struct dirent *entry;
        bool clean = true;

        while (dir && (entry = readdir(dir))) {
                struct stat st;

                if (fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISBLK(st.st_mode)) {
                        printf("# block device /dev/%s\n", entry->d_name);
                        clean = false;
                }
        }
        return dir && clean;
}

/* Other people's processes and descriptors. */

/* True when every descriptor of the process is a pipe, socket, terminal, anonymous inode, or below the partition's own
 * root. */
static bool descriptors_are_own(const char *pid, int highest)
{
        char path[64], target[256];
        struct dirent *entry;
        bool own = true;
        DIR *dir;

        snprintf(path, sizeof(path), "/proc/%s/fd", pid);
        dir = opendir(path);
        while (dir && (entry = readdir(dir))) {
                ssize_t n = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);

                if (n < 0 || (strcmp(pid, "self") == 0 && atoi(entry->d_name) == dirfd(dir)))
                        continue;
                target[n] = '\0';
                if (atoi(entry->d_name) <= highest)
                        continue;
                printf("# %s/%s -> %s\n", path, entry->d_name, target);
                own = false;
        }
        if (dir)
                closedir(dir);
        return own;
}

static bool no_inherited_descriptors(void)
{
        return descriptors_are_own("self", 2);
}

static bool no_directory_descriptor_out(void)
{
        struct stat root, st;

        if (stat("/", &root) < 0)
                return false;
        for (int fd = 0; fd < 64; fd++)
                if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode) && st.st_dev != root.st_dev)
                        return false;
        return true;
}

static bool no_exe_overwrite(void)
{
        DIR *dir = opendir("/proc");
        struct dirent *entry;
        char path[280];
        bool refused = true;

        while (dir && (entry = readdir(dir))) {
                int fd;

                if (entry->d_name[0] < '0' || entry->d_name[0] > '9' || atoi(entry->d_name) == getpid())
                        continue;
                snprintf(path, sizeof(path), "/proc/%s/exe", entry->d_name);
                fd = open(path, O_WRONLY | O_CLOEXEC);
                if (fd >= 0) {
                        char name[256] = "";

                        if (readlink(path, name, sizeof(name) - 1) > 0 && strstr(name, "croft"))
                                refused = false;
                        printf("# could open %s (%s) for writing\n", path, name);
                        close(fd);
                }
        }
        return refused;
}

static bool no_foreign_processes(void)
{
        FILE *f = fopen("/proc/1/status", "re");
        char line[256];
        bool own = false;

        while (f && fgets(line, sizeof(line), f))
                if (strncmp(line, "NSpid:", 6) == 0)
                        own = strchr(line + 7, '\t') == NULL; /* one number: no process space above is shown */
        if (f)
                fclose(f);
        return own;
}

/* The kernel's own knobs. */

static bool no_kernel_knobs(void)
{
        static const char *const knobs[] = {"/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe",
                "/proc/sysrq-trigger", "/proc/sys/kernel/hotplug", "/sys/kernel/uevent_helper",
                "/proc/sys/vm/drop_caches", "/proc/sys/kernel/panic", "/proc/sys/kernel/printk",
                "/proc/sys/fs/suid_dumpable", "/sys/power/state", "/proc/sys/kernel/randomize_va_space",
                "/sys/kernel/mm/transparent_hugepage/enabled", "/proc/irq/default_smp_affinity"};
        bool refused = true;

        for (size_t i = 0; i < sizeof(knobs) / sizeof(knobs[0]); i++)
                if (open(knobs[i], O_WRONLY | O_CLOEXEC) >= 0) {
                        printf("# could open %s for writing\n", knobs[i]);
                        refused = false;
                }
        return refused;
}

static bool no_kernel_memory(void)
{
        static const char *const files[] = {
                "/proc/kcore", "/dev/mem", "/dev/kmem", "/dev/port", "/proc/kallsyms_private"};
        char byte;

        for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
                int fd = open(files[i], O_RDONLY | O_CLOEXEC);

                if (fd >= 0 && read(fd, &byte, 1) == 1) {
                        printf("# could read %s\n", files[i]);
                        return false;
                }
        }
        return true;
}

static bool no_kernel_log(void)
{
        char text[4096];

        return klogctl(3 /* SYSLOG_ACTION_READ_ALL */, text, sizeof(text)) < 0 &&
               open("/dev/kmsg", O_RDONLY | O_CLOEXEC) < 0;
}

static bool no_modules(void)
{
        return syscall(SYS_init_module, "x", 1UL, "") < 0 && syscall(SYS_finit_module, 0, "", 0) < 0 &&
               syscall(SYS_delete_module, "dummy", 0) < 0;
}

static bool no_kexec(void)
{
        return syscall(SYS_kexec_load, 0UL, 0UL, NULL, 0UL) < 0 &&
               syscall(SYS_kexec_file_load, -1, -1, 0UL, "", 0UL) < 0;
}

static bool no_time_change(void)
{
        struct timespec now;

        clock_gettime(CLOCK_REALTIME, &now);
        return clock_settime(CLOCK_REALTIME, &now) < 0;
}

static bool no_ports(void)
{
        return syscall(SYS_iopl, 3) < 0 && syscall(SYS_ioperm, 0x80UL, 1UL, 1) < 0;
}

static bool no_swap_or_accounting(void)
{
        return swapoff("/dev/vda") < 0 && swapon("/tmp/none", 0) < 0 && acct("/tmp") < 0 &&
               syscall(SYS_quotactl, 0, "/dev/vda", 0, NULL) < 0;
}

static bool no_kernel_profiling(void)
{
        struct perf_event_attr attr = {
                .type = PERF_TYPE_SOFTWARE, .size = sizeof(attr), .config = PERF_COUNT_SW_CPU_CLOCK};

        return syscall(SYS_perf_event_open, &attr, -1, 0, -1, 0UL) < 0;
}

static bool no_block_mounts(void)
{
        return mount("/dev/vda", "/mnt", "ext4", MS_RDONLY, NULL) < 0 &&
               mount("none", "/mnt", "debugfs", 0, NULL) < 0 && mount("none", "/mnt", "securityfs", 0, NULL) < 0 &&
               mount("none", "/mnt", "tracefs", 0, NULL) < 0 && mount("none", "/mnt", "devtmpfs", 0, NULL) < 0;
}

/* Control groups. */

static bool no_limit_change(void)
{
        return !write_to("/sys/fs/cgroup/memory.max", "max") && !write_to("/sys/fs/cgroup/pids.max", "max") &&
               !write_to("/sys/fs/cgroup/cpu.max", "max") && !write_to("/sys/fs/cgroup/cgroup.freeze", "0") &&
               !write_to("/sys/fs/cgroup/cgroup.max.descendants", "max");
}

/* Each v1 hierarchy may be mounted inside: what it shows must be the partition's own directory. */
static bool no_foreign_cgroups(void)
{
        static const char *const controllers[] = {
                "memory", "pids", "cpu", "cpuacct", "cpuset", "blkio", "devices", "freezer", "name=systemd"};
        bool clean = true;

        mkdir("/tmp/t-cgroup", 0700);
        for (size_t i = 0; i < sizeof(controllers) / sizeof(controllers[0]); i++) {
                if (mount("cgroup", "/tmp/t-cgroup", "cgroup", 0, controllers[i]) < 0)
                        continue;
                if (write_to("/tmp/t-cgroup/cgroup.procs", "0") || write_to("/tmp/t-cgroup/release_agent", "/bin/sh") ||
                        write_to("/tmp/t-cgroup/devices.allow", "a") ||
                        write_to("/tmp/t-cgroup/memory.limit_in_bytes", "-1") ||
                        mkdir("/tmp/t-cgroup/t-hostile", 0700) == 0) {
                        printf("# the v1 hierarchy of %s can be changed\n", controllers[i]);
                        rmdir("/tmp/t-cgroup/t-hostile");
                        clean = false;
                }
                umount2("/tmp/t-cgroup", MNT_DETACH);
        }
        return clean;
}

/* The path of this process in each hierarchy, seen in its cgroup namespace, must be "/" or below, never "/..": */
static bool no_cgroup_above(void)
{
        FILE *f = fopen("/proc/self/cgroup", "re");
        char line[512];
        bool clean = f != NULL;

        while (f && fgets(line, sizeof(line), f)) {
                char *path = strrchr(line, ':');

                if (path && (strstr(path, "/..") || strstr(path, "croft"))) {
                        printf("# %s", line);
                        clean = clean && strstr(path, "croft.exec") != NULL;
                }
        }
        if (f)
                fclose(f);
        return clean;
}

/* A namespace of its own inside is allowed; it must not give more. */

static bool no_gain_in_nested_namespaces(void)
{
        if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWNET) < 0)
                return true;
        return no_kernel_knobs() && no_modules() && no_block_mounts() && no_device_nodes() && no_limit_change();
}

static bool no_bpf_loading(void)
{
        /* BPF_PROG_LOAD = 5 of a socket filter "return 0" */
        struct {
                uint32_t type, count;
                uint64_t instructions, licence;
                uint64_t rest[12];
        } attr = {0};
        uint64_t code[2] = {0xb7, 0x95};

        attr.type = 6; /* XDP: never unprivileged */
        attr.count = 2;
        attr.instructions = (uint64_t)(uintptr_t)code;
        attr.licence = (uint64_t)(uintptr_t) "GPL";
        return syscall(SYS_bpf, 5, &attr, sizeof(attr)) < 0;
}

/* What covers and limits /proc and /sys was mounted by the partition's own root, which may take it away: what lies
 * below must be as closed. */
static bool no_gain_by_taking_masks_away(void)
{
        static const char *const covers[] = {"/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/sysrq-trigger",
                "/proc/sched_debug", "/proc/latency_stats", "/proc/acpi", "/proc/scsi", "/sys/firmware",
                "/sys/kernel/security", "/proc/sys"};

        for (size_t i = 0; i < sizeof(covers) / sizeof(covers[0]); i++)
                umount2(covers[i], MNT_DETACH);
        mount(NULL, "/proc/sys", NULL, MS_REMOUNT | MS_BIND, NULL);
        mount(NULL, "/sys", NULL, MS_REMOUNT | MS_BIND, NULL);
        mount(NULL, "/sys", NULL, MS_REMOUNT, NULL);
        return no_kernel_knobs() && no_kernel_memory() && open("/proc/timer_list", O_RDONLY | O_CLOEXEC) < 0 &&
               !write_to("/proc/sys/kernel/sysrq", "1") && !write_to("/proc/sys/vm/overcommit_memory", "1") &&
               !write_to("/proc/sys/fs/file-max", "1000");
}

static bool no_gain_in_a_proc_of_its_own(void)
{
        mkdir("/tmp/t-proc", 0700);
        if (mount("proc", "/tmp/t-proc", "proc", 0, NULL) < 0)
                return true;
        return open("/tmp/t-proc/kcore", O_RDONLY | O_CLOEXEC) < 0 &&
               !write_to("/tmp/t-proc/sys/kernel/core_pattern", "|/x") && !write_to("/tmp/t-proc/sysrq-trigger", "h");
}

static bool no_write_to_the_tools(void)
{
        struct mount_attr attr = {.attr_clr = MOUNT_ATTR_RDONLY};

        mount(NULL, "/run/croft/bin", NULL, MS_REMOUNT | MS_BIND, NULL);
        syscall(SYS_mount_setattr, AT_FDCWD, "/run/croft/bin", 0x8000, &attr, sizeof(attr));
        if (create_below("/run/croft/bin") || open("/run/croft/bin/croft-init", O_WRONLY | O_CLOEXEC) >= 0)
                return false;
        return access("/run/croft/bin", F_OK) == 0;
}

static bool no_devices_after_remount(void)
{
        mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND, NULL); /* without nodev */
        mount(NULL, "/dev", NULL, MS_REMOUNT, "size=1g");
        return no_device_nodes();
}

static bool no_line_discipline(void)
{
        int fd = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC), discipline = 21; /* N_GSM0710 */

        return fd >= 0 && ioctl(fd, TIOCSETD, &discipline) < 0 && errno == EPERM;
}

/* Calls by the numbers of the other two ABIs.  They must be refused by the filter, which says EPERM or ENOSYS; the
 * kernel would find fault with the arguments. */
struct call {
        const char *name;
        long number;
};

static sigjmp_buf no_i386;

static void there_is_none(int signal)
{
        (void)signal;
        siglongjmp(no_i386, 1);
}

/* A kernel without these calls sends SIGSEGV. */
static long call_i386(long number, long a, long b)
{
        void (*before)(int) = signal(SIGSEGV, there_is_none);
        long result = -ENOSYS;

        if (sigsetjmp(no_i386, 1) == 0)
                __asm__ volatile("int $0x80"
                                 : "=a"(result)
                                 : "a"(number), "b"(a), "c"(b), "d"(0), "S"(0), "D"(0)
                                 : "memory", "r8", "r9", "r10", "r11");
        else
                result = -ENOSYS;
        signal(SIGSEGV, before);
        return result;
}

static bool all_refused(const struct call *calls, size_t n, bool i386)
{
        bool refused = true;

        for (size_t i = 0; i < n; i++) {
                long r = i386 ? call_i386(calls[i].number, -1, -1)
                              : syscall(calls[i].number | 0x40000000L, -1L, -1L, 0L, 0L, 0L);

                if (!i386 && r < 0)
                        r = -errno;
                if (r == -EPERM || r == -ENOSYS)
                        continue;
                printf("# %s: %ld\n", calls[i].name, r);
                refused = false;
        }
        return refused;
}

static bool no_calls_of_i386(void)
{
        static const struct call calls[] = {{"init_module", 128}, {"finit_module", 350}, {"delete_module", 129},
                {"kexec_load", 283}, {"open_by_handle_at", 342}, {"settimeofday", 79}, {"stime", 25},
                {"clock_settime", 264}, {"clock_settime64", 404}, {"swapon", 87}, {"swapoff", 115}, {"acct", 51},
                {"add_key", 286}, {"request_key", 287}, {"keyctl", 288}, {"perf_event_open", 336}, {"userfaultfd", 374},
                {"quotactl", 131}, {"quotactl_fd", 443}, {"iopl", 110}, {"ioperm", 101}, {"syslog", 103}, {"vm86", 166},
                {"vm86old", 113}, {"uselib", 86}, {"bdflush", 134}};

        return all_refused(calls, sizeof(calls) / sizeof(calls[0]), true);
}

static bool no_calls_of_x32(void)
{
        static const struct call calls[] = {{"init_module", 175}, {"finit_module", 313}, {"delete_module", 176},
                {"kexec_load", 528}, {"open_by_handle_at", 304}, {"settimeofday", 164}, {"clock_settime", 227},
                {"swapon", 167}, {"swapoff", 168}, {"acct", 163}, {"add_key", 248}, {"request_key", 249},
                {"keyctl", 250}, {"perf_event_open", 298}, {"userfaultfd", 323}, {"quotactl", 179},
                {"quotactl_fd", 443}, {"iopl", 172}, {"ioperm", 173}, {"syslog", 103}, {"kexec_file_load", 320}};

        return all_refused(calls, sizeof(calls) / sizeof(calls[0]), false);
}

/* Whoever is on the way from outside to becoming a command in here: nothing of it may be reached.  Looks for as long as
 * the file /root/spy is there; says what it got. */
static bool reach(int pid, const struct stat *root)
{
        char path[64], target[256] = "";
        struct stat st;
        int fd, pidfd;

        snprintf(path, sizeof(path), "/proc/%d/exe", pid);
        if (readlink(path, target, sizeof(target) - 1) > 0 && strstr(target, "croft-warden")) {
                printf("# %s is %s\n", path, target);
                return true;
        }
        snprintf(path, sizeof(path), "/proc/%d/root", pid);
        if (stat(path, &st) == 0 && (st.st_dev != root->st_dev || st.st_ino != root->st_ino)) {
                printf("# %s is another root\n", path);
                return true;
        }
        for (int i = 3; i < 16; i++) { /* a program that has just been begun has no such descriptors; one of ours has */
                snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, i);
                if (readlink(path, target, sizeof(target) - 1) > 0 && strstr(target, "memfd:croft")) {
                        printf("# %s is %s\n", path, target);
                        return true;
                }
        }
        snprintf(path, sizeof(path), "/proc/%d/environ", pid);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd >= 0) {
                char text[4096];
                ssize_t n = read(fd, text, sizeof(text) - 1);

                close(fd);
                text[n > 0 ? n : 0] = '\0';
                if (n > 0 && memmem(text, (size_t)n, "CROFT_SOCKET", 12)) {
                        printf("# %s is the host's\n", path);
                        return true;
                }
        }
        pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
        for (int i = 3; pidfd >= 0 && i < 10; i++) {
                fd = (int)syscall(SYS_pidfd_getfd, pidfd, i, 0);
                if (fd >= 0 && fcntl(fd, F_GET_SEALS) > 1) {
                        printf("# took descriptor %d of process %d\n", i, pid);
                        return true;
                }
                if (fd >= 0)
                        close(fd);
        }
        if (pidfd >= 0)
                close(pidfd);
        return false;
}

static int spy(void)
{
        unsigned long looks = 0;
        struct stat root;
        int reached = 0;

        stat("/", &root);
        while (access("/root/spy", F_OK) == 0 && reached < 20) {
                DIR *dir = opendir("/proc");
                struct dirent *entry;

                while (dir && (entry = readdir(dir)))
                        if (atoi(entry->d_name) > 1 && atoi(entry->d_name) != getpid()) {
                                reached += reach(atoi(entry->d_name), &root);
                                looks++;
                        }
                if (dir)
                        closedir(dir);
        }
        printf("reached %d of %s\n", reached, looks > 100 ? "many" : "few");
        return reached != 0;
}

static const struct attempt attempts[] = {
        {"the shared /usr can't be written", no_write_to_usr},
        {"the shared /usr can't be remounted for writing", no_remount_usr},
        {"mount_setattr can't make /usr writable", no_setattr_usr},
        {"a bind mount of /usr isn't writable either", no_rebind_usr},
        {"a nested namespace can't remount /usr", no_nested_remount_usr},
        {"unmounting /usr reveals nothing", nothing_below_usr_mount},
        {"'..' ends at the root", no_way_up},
        {"the chroot trick ends at the root", no_chroot_escape},
        {"unmounting the root reveals no other", no_umount_to_host},
        {"file handles can't be opened", no_handles},
        {"device nodes can't be made and opened", no_device_nodes},
        {"/dev holds no block device", no_host_devices_in_dev},
        {"no descriptor above 2 is inherited", no_inherited_descriptors},
        {"no descriptor is a directory outside", no_directory_descriptor_out},
        {"no executable of croft can be opened for writing by /proc/PID/exe", no_exe_overwrite},
        {"only own processes are seen", no_foreign_processes},
        {"the kernel's knobs can't be written", no_kernel_knobs},
        {"kernel memory can't be read", no_kernel_memory},
        {"the kernel's log can't be read", no_kernel_log},
        {"modules can't be loaded or unloaded", no_modules},
        {"no other kernel can be loaded", no_kexec},
        {"the clock can't be set", no_time_change},
        {"I/O ports can't be opened", no_ports},
        {"swap, accounting and quotas can't be touched", no_swap_or_accounting},
        {"the machine can't be profiled", no_kernel_profiling},
        {"disks and kernel file systems can't be mounted", no_block_mounts},
        {"BPF programs can't be loaded", no_bpf_loading},
        {"its own limits can't be lifted", no_limit_change},
        {"v1 hierarchies mounted inside can't be changed", no_foreign_cgroups},
        {"no control group above its own is named", no_cgroup_above},
        {"what covers /proc and /sys hides nothing that is open", no_gain_by_taking_masks_away},
        {"nor does a /proc of its own", no_gain_in_a_proc_of_its_own},
        {"croft's own tools can't be written", no_write_to_the_tools},
        {"device nodes can't be opened after a remount", no_devices_after_remount},
        {"line disciplines can't be loaded", no_line_discipline},
        {"the filter holds for the calls of i386", no_calls_of_i386},
        {"the filter holds for the calls of x32", no_calls_of_x32},
        {"nested namespaces give nothing more", no_gain_in_nested_namespaces},
};

static bool run(const struct attempt *attempt)
{
        int status = 0;
        pid_t pid;

        fflush(stdout);
        pid = fork();
        if (pid == 0) {
                bool refused;

                if (unshare(CLONE_NEWNS) == 0) /* so that what is unmounted here is still there for the next attempt */
                        mount(NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL);
                refused = attempt->refused();
                fflush(stdout);
                _exit(refused ? 0 : 1);
        }
        return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* On the host itself these attempts would succeed, and do harm. */
static bool is_initial_user_namespace(void)
{
        FILE *f = fopen("/proc/self/uid_map", "re");
        unsigned int inside = 1, outside = 1, count = 0;
        int n = f ? fscanf(f, "%u %u %u", &inside, &outside, &count) : 0;

        if (f)
                fclose(f);
        return n != 3 || (inside == 0 && outside == 0);
}

int main(int argc, char **argv)
{
        int failed = 0;
        size_t n = sizeof(attempts) / sizeof(attempts[0]);

        if (is_initial_user_namespace()) {
                fputs("t-hostile: this is for the inside of a partition only\n", stderr);
                return 2;
        }
        if (argc > 1 && strcmp(argv[1], "spy") == 0)
                return spy();
        printf("1..%zu\n", n);
        for (size_t i = 0; i < n; i++) {
                bool refused = run(&attempts[i]);

                failed += !refused;
                printf("%sok %zu - %s\n", refused ? "" : "not ", i + 1, attempts[i].sentence);
        }
        return failed ? 1 : 0;
}
