/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * broker_behalf.c - becoming as the thread that is in a call.  See broker_behalf.h.
 *
 * Ids are set by the host's numbers, before its user namespace is entered: inside, groups can't always be set, and some
 * of its own may have no number there.
 */
#include "warden/broker_behalf.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/str.h"
#include "kernel/ns.h"

#include <grp.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/securebits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#define STATUS_MAX 1048576 /* it may have 65,536 groups */

static const struct {
        const char *name;
        int type;
} namespaces[] = {
        [BEHALF_NET] = {"net", CLONE_NEWNET},
        [BEHALF_IPC] = {"ipc", CLONE_NEWIPC},
        [BEHALF_UTS] = {"uts", CLONE_NEWUTS},
        [BEHALF_CGROUP] = {"cgroup", CLONE_NEWCGROUP},
        [BEHALF_MNT] = {"mnt", CLONE_NEWNS},
        [BEHALF_USER] = {"user", CLONE_NEWUSER},
        [BEHALF_PID] = {"pid", CLONE_NEWPID},
};

/* --- looking at it --- */

static int open_link(const struct asker *a, const char *name, int flags)
{
        char path[64];

        (void)snprintf(path, sizeof(path), "/proc/%u/%s", a->call->pid, name);
        return fd_open2(AT_FDCWD, path, flags, 0, 0);
}

/* Its first line, which it may choose itself, has no line break before the field. */
static const char *field_of(const char *status, const char *name)
{
        const char *at = strstr(status, name);

        return at ? at + strlen(name) : NULL;
}

static int read_ids(const char *status, const char *name, uint32_t ids[4])
{
        const char *at = field_of(status, name);

        return at && sscanf(at, "%u %u %u %u", &ids[0], &ids[1], &ids[2], &ids[3]) == 4 ? 0 : -EBADMSG;
}

static int read_set(const char *status, const char *name, uint64_t *ret)
{
        const char *at = field_of(status, name);

        if (!at)
                return -EBADMSG;
        *ret = strtoull(at, NULL, 16);
        return 0;
}

static int read_groups(const char *status, struct behalf *b)
{
        const char *at = field_of(status, "\nGroups:");
        size_t n = 0;

        if (!at)
                return -EBADMSG;
        for (const char *c = at; *c && *c != '\n'; c++)
                n += *c == ' ';
        b->groups = calloc(n + 1, sizeof(*b->groups));
        if (!b->groups)
                return -ENOMEM;
        for (;;) {
                char *end;

                at += strspn(at, " \t");
                if (*at < '0' || *at > '9' || b->n_groups > n)
                        return 0;
                b->groups[b->n_groups++] = (gid_t)strtoul(at, &end, 10);
                at = end;
        }
}

static int read_status(const struct asker *a, struct behalf *b)
{
        _cleanup_free_ char *status = NULL;
        char path[64];
        int r;

        (void)snprintf(path, sizeof(path), "/proc/%u/status", a->call->pid);
        r = fd_read_file(AT_FDCWD, path, STATUS_MAX, &status, NULL);
        if (r == 0)
                r = read_ids(status, "\nUid:", b->uids);
        if (r == 0)
                r = read_ids(status, "\nGid:", b->gids);
        if (r == 0)
                r = read_groups(status, b);
        if (r == 0)
                r = read_set(status, "\nCapInh:", &b->inheritable);
        if (r == 0)
                r = read_set(status, "\nCapPrm:", &b->permitted);
        return r == 0 ? read_set(status, "\nCapEff:", &b->effective) : r;
}

int behalf_open(const struct asker *a, struct behalf *ret)
{
        int r = 0;

        *ret = (struct behalf){.root = -EBADF, .cwd = -EBADF};
        for (size_t i = 0; i < BEHALF_NAMESPACES; i++)
                ret->ns[i] = -EBADF;
        for (size_t i = 0; r >= 0 && i < BEHALF_NAMESPACES; i++) {
                char name[16];

                (void)snprintf(name, sizeof(name), "ns/%s", namespaces[i].name);
                r = ret->ns[i] = open_link(a, name, O_RDONLY);
        }
        if (r >= 0)
                r = ret->root = open_link(a, "root", O_PATH | O_DIRECTORY);
        if (r >= 0)
                r = ret->cwd = open_link(a, "cwd", O_PATH | O_DIRECTORY);
        return r >= 0 ? read_status(a, ret) : r;
}

void behalf_done(struct behalf *b)
{
        for (size_t i = 0; i < BEHALF_NAMESPACES; i++)
                b->ns[i] = close_fd(b->ns[i]);
        b->root = close_fd(b->root);
        b->cwd = close_fd(b->cwd);
        while (b->n_files > 0)
                close_fd(b->files[--b->n_files].fd);
        free(TAKE(b->groups));
}

/* --- files --- */

/* fd is kept, or closed. */
static void insert_file(struct behalf *b, int number, int fd)
{
        size_t at = 0;

        while (at < b->n_files && b->files[at].number < number)
                at++;
        if (b->n_files == BEHALF_FILES_MAX || (at < b->n_files && b->files[at].number == number)) {
                close_fd(fd);
                return;
        }
        memmove(b->files + at + 1, b->files + at, (b->n_files - at) * sizeof(*b->files));
        b->files[at].number = number;
        b->files[at].fd = fd;
        b->n_files++;
}

void behalf_keep_named(struct behalf *b, const struct asker *a, const char *text)
{
        for (const char *at = strstr(text, "fd"); at; at = strstr(at, "fd")) {
                size_t digits;

                at += 2;
                if (*at != '/' && *at != '=')
                        continue;
                digits = strspn(at + 1, "0123456789");
                if (digits > 0 && digits < 8 && b->n_files + 1 < BEHALF_FILES_MAX) { /* one is left for us */
                        int number = (int)strtoul(at + 1, NULL, 10), fd = asker_fd(a, (uint64_t)number);

                        if (fd >= 0)
                                insert_file(b, number, fd);
                }
        }
}

int behalf_keep(struct behalf *b, int fd)
{
        int number = b->n_files > 0 ? b->files[b->n_files - 1].number + 1 : 0;

        insert_file(b, number, fd_dup(fd));
        return number;
}

/* Each to its number, first out of the others' way; all else is closed. */
static int place_files(struct behalf *b)
{
        int above = b->n_files > 0 ? b->files[b->n_files - 1].number + 1 : 0;
        struct rlimit limit;
        unsigned int from = 0;

        if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
                limit.rlim_cur = limit.rlim_max;
                (void)setrlimit(RLIMIT_NOFILE, &limit); /* a number that is too high is missed below */
        }
        for (size_t i = 0; i < b->n_files; i++)
                b->files[i].fd = fcntl(b->files[i].fd, F_DUPFD_CLOEXEC, above);
        for (size_t i = 0; i < b->n_files; i++)
                if (b->files[i].fd < 0 || dup2(b->files[i].fd, b->files[i].number) < 0)
                        return -EMFILE;
        for (size_t i = 0; i < b->n_files; i++) {
                unsigned int number = (unsigned int)b->files[i].number;

                if (number > from && syscall(SYS_close_range, from, number - 1, 0) < 0)
                        return -errno;
                from = number + 1;
        }
        return syscall(SYS_close_range, from, ~0U, 0) < 0 ? -errno : 0;
}

/* --- becoming --- */

pid_t behalf_clone(const struct behalf *b)
{
        _cleanup_close_ int ours = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
        pid_t pid;

        if (ours < 0 || setns(b->ns[BEHALF_PID], CLONE_NEWPID) < 0)
                return -errno;
        pid = ns_clone(0, -1, NULL);
        if (pid != 0 && setns(ours, CLONE_NEWPID) < 0)
                _exit(EIO); /* another child of ours must never be in there */
        return pid;
}

static int take_ids(const struct behalf *b)
{
        /* Changing ids takes no capability away: the user namespace is still to be entered. */
        if (prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP | SECBIT_KEEP_CAPS, 0, 0, 0) < 0 ||
                setgroups(b->n_groups, b->groups) < 0 || setresgid(b->gids[0], b->gids[1], b->gids[2]) < 0 ||
                setresuid(b->uids[0], b->uids[1], b->uids[2]) < 0)
                return -errno;
        (void)setfsgid(b->gids[3]); /* they say nothing about success: asked again */
        (void)setfsuid(b->uids[3]);
        return (gid_t)setfsgid((gid_t)-1) == b->gids[3] && (uid_t)setfsuid((uid_t)-1) == b->uids[3] ? 0 : -EPERM;
}

static int take_capabilities(const struct behalf *b)
{
        struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
        struct __user_cap_data_struct sets[2];

        for (int i = 0; i < 2; i++) {
                sets[i].effective = (uint32_t)(b->effective >> 32 * i);
                sets[i].permitted = (uint32_t)(b->permitted >> 32 * i);
                sets[i].inheritable = (uint32_t)(b->inheritable >> 32 * i);
        }
        return syscall(SYS_capset, &header, sets) < 0 ? -errno : 0;
}

static int shut(void)
{
        /* Both are forgotten when ids or namespaces change. */
        return prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ? -errno : 0;
}

int behalf_become(struct behalf *b)
{
        bool there;
        int r = shut();

        for (size_t i = 0; r == 0 && i <= BEHALF_MNT; i++)
                if (setns(b->ns[i], namespaces[i].type) < 0)
                        r = -errno;
        if (r == 0 && (fchdir(b->root) < 0 || chroot(".") < 0))
                r = -errno;
        if (r < 0)
                return r;
        there = fchdir(b->cwd) == 0; /* a file system in user space may let in nobody but its owner */
        r = take_ids(b);
        if (r == 0 && setns(b->ns[BEHALF_USER], CLONE_NEWUSER) < 0)
                r = -errno;
        if (r == 0)
                r = shut();
        if (r == 0 && !there && fchdir(b->cwd) < 0)
                r = -errno;
        if (r == 0)
                r = place_files(b);
        return r == 0 ? take_capabilities(b) : r;
}
