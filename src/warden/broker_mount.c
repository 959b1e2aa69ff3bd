/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * broker_mount.c - mount(2) and umount2(2): a process for each call reads the arguments and carries it out, so that a
 * file system that doesn't answer keeps nobody else waiting; the broker tells the caller how it ended.
 *
 * Three ways: a block file system that the partition may have is made by us (broker_block.c), and so is a proc or a
 * sysfs (broker_proc.c).  All else is done as the caller (broker_behalf.c), with the copied arguments, and ends as the
 * kernel says.  Never is the call let go on: its arguments would be read anew.
 */
#include "warden/broker_mount.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/str.h"
#include "kernel/notify.h"
#include "kernel/ns.h"
#include "kernel/process.h"

#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/nsfs.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#define PATIENCE_MS 30000
#define PAGE_BYTES 4096U
#define LIST_MAX 65536 /* of file systems, of control groups */

bool broker_is_mount(const struct broker_call *call)
{
        return mount_call_of(call->arch, call->nr) != 0;
}

/* --- arguments --- */

static uint64_t address_of(const struct broker_call *call, int i)
{
        return call->arch == AUDIT_ARCH_I386 ? (uint32_t)call->args[i] : call->args[i];
}

static int read_string(const struct asker *a, int i, char ret[PATH_MAX], int too_long)
{
        return asker_read_text(a, address_of(a->call, i), ret, PATH_MAX, too_long);
}

/* A page, or what is there of it. */
static int read_data(const struct asker *a, char ret[MOUNT_DATA_MAX])
{
        uint64_t address = address_of(a->call, 4);
        size_t left = PAGE_BYTES - (size_t)(address % PAGE_BYTES);
        size_t n = left < MOUNT_DATA_MAX ? left : MOUNT_DATA_MAX;
        int r = asker_read(a, address, ret, n);

        if (r == 0 && n < MOUNT_DATA_MAX && asker_read(a, address + n, ret + n, MOUNT_DATA_MAX - n) < 0)
                memset(ret + n, 0, MOUNT_DATA_MAX - n);
        ret[MOUNT_DATA_MAX - 1] = '\0';
        return r;
}

/* In the kernel's order. */
static int read_arguments(const struct asker *a, struct mount_arguments *m)
{
        int r = 0;

        m->unmount = mount_call_of(a->call->arch, a->call->nr) == MOUNT_CALL_UMOUNT2;
        if (m->unmount) {
                m->flags = (unsigned long)a->call->args[1];
                return read_string(a, 0, m->target, -ENAMETOOLONG);
        }
        m->flags = (unsigned long)a->call->args[3];
        m->has_type = address_of(a->call, 2) != 0;
        m->has_source = address_of(a->call, 0) != 0;
        m->has_data = address_of(a->call, 4) != 0;
        if (m->has_type)
                r = read_string(a, 2, m->type, -EINVAL);
        if (r == 0 && m->has_source)
                r = read_string(a, 0, m->source, -EINVAL);
        if (r == 0 && m->has_data)
                r = read_data(a, m->data);
        return r == 0 ? read_string(a, 1, m->target, -ENAMETOOLONG) : r;
}

/* --- as the caller --- */

bool mount_type_is_there(const char *type)
{
        size_t length = strcspn(type, "."); /* fuse.sshfs is fuse */
        _cleanup_free_ char *text = NULL;

        if (length == 0 || fd_read_file(AT_FDCWD, "/proc/filesystems", LIST_MAX, &text, NULL) < 0)
                return false;
        for (const char *line = text; *line;) {
                size_t n = strcspn(line, "\n");
                const char *tab = memchr(line, '\t', n);

                if (tab && (size_t)(line + n - tab - 1) == length && memcmp(tab + 1, type, length) == 0)
                        return true;
                line += n + (line[n] == '\n');
        }
        return false;
}

/* What the kernel would say, but that it loads no module. */
static int refuse_type(const struct behalf *who, const struct mount_arguments *m)
{
        int fd = open(m->target, O_PATH | O_CLOEXEC);

        if (fd < 0)
                return errno;
        return who->effective & UINT64_C(1) << CAP_SYS_ADMIN ? ENODEV : EPERM;
}

static int call_mount(const struct mount_arguments *m, unsigned long flags)
{
        int r = mount(m->has_source ? m->source : NULL, m->target, m->has_type ? m->type : NULL, flags,
                        m->has_data ? m->data : NULL) < 0
                        ? -errno
                        : 0;

        /* A bind of a proc or a sysfs takes along what lies on it: without, the kernel makes none. */
        if (r == -EINVAL && flags & MS_BIND && !(flags & MS_REC) && m->has_source && mount_is_in_proc(m->source))
                return call_mount(m, flags | MS_REC);
        return r;
}

/* umount2(2).  What lies on a proc or a sysfs keeps it busy, and goes only with it: `umount -R` unmounts that first. */
static int call_umount(const struct mount_arguments *m)
{
        int flags = (int)m->flags, r = umount2(m->target, flags) < 0 ? -errno : 0;

        if (flags & MNT_EXPIRE)
                return r;
        if (r == -EINVAL && mount_covers_proc(m->target))
                return 0;
        if (r == -EBUSY && mount_is_in_proc(m->target))
                return umount2(m->target, flags | MNT_DETACH) < 0 ? -errno : 0;
        return r;
}

/* As him, the kernel looks for a driver as it does for whoever mounts: it loads none but what the partition is granted
 * (kext/autoload.h), and has that when this returns. */
static bool find_type(const char *type)
{
        int fd = fsopen(type, FSOPEN_CLOEXEC);

        close_fd(fd);
        return fd >= 0;
}

static int do_as_caller(struct behalf *who, const struct mount_arguments *m, bool type_is_there)
{
        int r = behalf_become(who);

        if (r < 0)
                return -r;
        if (m->unmount)
                return -call_umount(m);
        if (!type_is_there) {
                r = refuse_type(who, m);
                if (r != ENODEV || !find_type(m->type))
                        return r;
        }
        return -call_mount(m, m->flags);
}

int mount_await(pid_t pid)
{
        int status = 0;

        if (TEMP_FAILURE_RETRY(waitpid(pid, &status, 0)) < 0)
                return -errno;
        return WIFEXITED(status) ? -WEXITSTATUS(status) : -EINTR;
}

static int as_caller(struct behalf *who, const struct mount_arguments *m)
{
        bool type_is_there = m->unmount || !m->has_type || m->flags & MS_BIND || mount_type_is_there(m->type);
        pid_t pid = behalf_clone(who);

        if (pid == 0)
                _exit(do_as_caller(who, m, type_is_there));
        return pid < 0 ? (int)pid : mount_await(pid);
}

bool mount_have_type(struct behalf *who, const char *type)
{
        pid_t pid = mount_type_is_there(type) ? -1 : behalf_clone(who);

        if (pid == 0)
                _exit(behalf_become(who) < 0 || !find_type(type));
        if (pid > 0)
                (void)mount_await(pid);
        return mount_type_is_there(type);
}

/* --- which way --- */

/* May it have us make one?  Who is its root, and mounts where its root may: nested user namespaces have none of these
 * file systems, as on any machine. */
static bool wants_block(const struct broker *b, const struct behalf *who, const struct mount_arguments *m)
{
        _cleanup_close_ int owner = -EBADF;

        if (!m->has_type || !m->has_source || !mount_allow_has(b->spec.mount_allow, m->type) ||
                !(who->effective & UINT64_C(1) << CAP_SYS_ADMIN) ||
                !broker_is_same_file(who->ns[BEHALF_USER], b->userns))
                return false;
        owner = ioctl(who->ns[BEHALF_MNT], NS_GET_USERNS);
        return owner >= 0 && broker_is_same_file(owner, b->userns);
}

/* What is behind the partition's own directory in the path of the process's control group: "" or "/...".  NULL. */
static const char *path_below(const char *groups, const char *tail)
{
        const char *at = strncmp(groups, "0::", 3) == 0 ? groups : strstr(groups, "\n0::");
        size_t length = strlen(tail);

        for (at = at ? strstr(at, tail) : NULL; at; at = strstr(at + 1, tail))
                if (at[length] == '/' || at[length] == '\n')
                        return at + length;
        return NULL;
}

int asker_open_cgroup(const struct broker *b, const struct asker *a)
{
        _cleanup_free_ char *groups = NULL;
        const char *below;
        char path[64];
        int r;

        (void)snprintf(path, sizeof(path), "/proc/%u/cgroup", a->call->pid);
        r = fd_read_file(AT_FDCWD, path, LIST_MAX, &groups, NULL);
        if (r < 0)
                return r;
        below = path_below(groups, b->spec.cgroup);
        if (!below)
                return -EPERM;
        groups[below - groups + (ptrdiff_t)strcspn(below, "\n")] = '\0';
        return fd_open2(
                b->cgroup, *below ? below + 1 : ".", O_RDONLY | O_DIRECTORY, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
}

/* --- the process of a call --- */

static int carry_out(struct broker *b, const struct asker *a)
{
        static struct mount_arguments m; /* one a process */
        struct behalf who;
        int r = behalf_open(a, &who);

        if (r == 0)
                r = read_arguments(a, &m);
        if (r < 0)
                return r;
        behalf_keep_named(&who, a, m.source);
        behalf_keep_named(&who, a, m.target);
        behalf_keep_named(&who, a, m.data);
        if (!asker_is_there(a)) /* so all that was of the one who asks, our control group, too */
                return -ENOENT;
        if (m.unmount || m.flags & MS_BIND)
                return as_caller(&who, &m);
        /* Without views nothing is hidden: the kernel makes it. */
        if (mount_wants_proc(&m) && b->memory >= 0 && mount_allow_has(b->spec.mount_allow, m.type))
                return mount_proc(b, &who, &m);
        return wants_block(b, &who, &m) ? mount_block(b, &who, &m) : as_caller(&who, &m);
}

int broker_mount_begin(struct broker *b, const struct asker *a)
{
        struct broker_mount *m = &b->mounts[b->n_mounts];
        _cleanup_close_ int cgroup = -EBADF;
        pid_t pid;

        if (b->n_mounts == ELEMENTS(b->mounts))
                return -EAGAIN;
        cgroup = asker_open_cgroup(b, a);
        if (cgroup < 0)
                return cgroup;
        *m = (struct broker_mount){.call = *a->call, .pidfd = -EBADF, .until_ms = now_ms() + PATIENCE_MS};
        pid = ns_clone(0, cgroup, &m->pidfd); /* born there: to go there takes the kernel 10 ms */
        if (pid == 0) {
                int r = prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 ? -errno : 0;

                broker_child(b);
                _exit(r < 0 ? -r : -carry_out(b, a));
        }
        if (pid < 0)
                return (int)pid;
        b->n_mounts++;
        return 0;
}

/* --- its end --- */

/* Each refusal again would be a way to fill the log. */
static void tell_no_driver(struct broker *b)
{
        if (!b->told_no_driver)
                log_say(LOG_LEVEL_WARNING,
                        "partition %ju wants to mount a file system that mount.allow lists and this machine has no "
                        "driver loaded for; it gets ENODEV (modprobe it to let it)",
                        (uintmax_t)b->spec.id);
        b->told_no_driver = true;
}

static int code_of(struct broker *b, int64_t status)
{
        int code = (int)(status & 0xff);

        if (status >> 8 != CLD_EXITED)
                return EINTR;
        if (code != MOUNT_NO_DRIVER)
                return code;
        tell_no_driver(b);
        return ENODEV;
}

/* One that can't be killed (yet) stays in the list; its caller has been told. */
static void give_up(struct broker *b, struct broker_mount *m)
{
        (void)process_signal(m->pidfd, SIGKILL);
        broker_answer(b, &m->call, 0, ETIMEDOUT);
        m->answered = true;
}

void broker_mount_look(struct broker *b)
{
        for (size_t i = 0; i < b->n_mounts;) {
                struct broker_mount *m = &b->mounts[i];
                int64_t status = 0;

                if (!process_reap(m->pidfd, &status)) {
                        if (!m->answered && now_ms() >= m->until_ms)
                                give_up(b, m);
                        i++;
                        continue;
                }
                if (!m->answered)
                        broker_answer(b, &m->call, 0, code_of(b, status));
                close_fd(m->pidfd);
                *m = b->mounts[--b->n_mounts];
        }
}
