/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * broker_block.c - makes a block file system for a partition: of a loop device of its own or a device that is exported
 * to it, with the options that are allowed, shown with its ids, without devices and setuid, for good.
 *
 * Source and target are looked up by a process that has become as the caller (broker_behalf.c): it hands over what they
 * led to, which is judged here, and which nobody can exchange any more.  The kernel opens the device by a name, which
 * mountinfo shows: so it is given a root in which there is nothing else but a node of that name.  This process is in
 * the partition's control group, so that the gate of devices holds for what the file system itself names, too.
 */
#include "warden/broker_mount.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/sock.h"
#include "base/str.h"
#include "kernel/mount.h"
#include "kernel/ns.h"

#include <linux/openat2.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define PLACE ".mounted here" /* in our root */
#define SOURCE_MAX 255        /* of the kernel */

/* Not from <sys/mount.h>: it clashes with <linux/mount.h>. */
#define FLAG_SYNCHRONOUS 16UL
#define FLAG_DIRSYNC 128UL
#define FLAG_NOATIME 1024UL
#define FLAG_NODIRATIME 2048UL
#define FLAG_STRICTATIME (1UL << 24)
#define FLAG_LAZYTIME (1UL << 25)

/* --- where from and where to --- */

/* In the kernel's order. */
static int open_both(const struct mount_arguments *m, int fds[2])
{
        fds[0] = open(m->target, O_PATH | O_CLOEXEC);
        if (fds[0] < 0)
                return -errno;
        fds[1] = open(m->source, O_PATH | O_CLOEXEC);
        return fds[1] < 0 ? -errno : 0;
}

/* A loop device of the partition's own must be bound; about all others the gate is asked later. */
static int judge(const struct broker *b, int target, int source, dev_t *ret, bool *ret_own)
{
        struct loops_device device;
        struct stat to, from;

        if (fstat(target, &to) < 0 || fstat(source, &from) < 0)
                return -errno;
        if (!S_ISBLK(from.st_mode))
                return -ENOTBLK;
        *ret_own = loops_find(&b->loops, &from, &device) == 0;
        if (*ret_own && device.is_free)
                return -ENXIO;
        if (*ret_own && loops_is_taken(&b->loops, &device))
                return -EBUSY;
        if (!S_ISDIR(to.st_mode))
                return -ENOTDIR;
        *ret = from.st_rdev;
        return 0;
}

/* --- a root with one node --- */

/* The directory `part` below *dir becomes *dir. */
static int go_down(int *dir, const char *part)
{
        int fd;

        if (strcmp(part, "..") != 0 && mkdirat(*dir, part, 0700) < 0 && errno != EEXIST)
                return -errno;
        fd = fd_open2(*dir, part, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0, 0);
        if (fd < 0)
                return fd;
        close_fd(*dir);
        *dir = fd;
        return 0;
}

/* A path as the kernel will walk it from our root, with ".." and all. */
static int put_node(const char *source, dev_t number)
{
        _cleanup_close_ int dir = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        char text[SOURCE_MAX + 1], *at = text, *part;
        int r = dir < 0 ? -errno : 0;

        if (!str_copy(text, sizeof(text), source))
                return -EINVAL;
        while (r == 0 && (part = strsep(&at, "/"))) {
                if (!*part || strcmp(part, ".") == 0) {
                        if (!at)
                                return -ENOTDIR; /* it ends so */
                } else if (at) {
                        r = go_down(&dir, part);
                } else if (mknodat(dir, part, S_IFBLK | 0600, number) < 0) {
                        r = errno == EEXIST ? -EINVAL : -errno;
                }
        }
        return r;
}

/* May the partition write that device?  The gate says so to this process as to any of the partition's.  To read isn't
 * enough, though it be mounted read-only: the kernel would write what a journal has, whatever the mount says.
 * Exclusive: what the host has mounted would be the same superblock here. */
static int ask_gate(const char *source)
{
        int fd = open(source, O_RDWR | O_EXCL | O_CLOEXEC | O_NONBLOCK);

        if (fd < 0 && (errno == EACCES || errno == EROFS)) /* nobody can write it; the gate would say EPERM */
                fd = open(source, O_RDONLY | O_EXCL | O_CLOEXEC | O_NONBLOCK);
        if (fd < 0)
                return -errno;
        close_fd(fd);
        return 0;
}

/* --- making it --- */

struct strings {
        char *list[MOUNT_OPTIONS_MAX + 8];
        size_t n;
};

static void strings_done(struct strings *s)
{
        while (s->n > 0)
                free(s->list[--s->n]);
}

static int put(struct strings *s, const char *key, const char *value)
{
        char *text;

        if (s->n + 1 >= ELEMENTS(s->list))
                return -EINVAL;
        if (asprintf(&text, "%s%s%s", key, value ? "=" : "", value ? value : "") < 0)
                return -ENOMEM;
        s->list[s->n++] = text;
        s->list[s->n] = NULL;
        return 0;
}

static int put_flags(struct strings *s, unsigned long flags)
{
        static const struct {
                unsigned long flag;
                const char *key;
        } keys[] = {{MOUNT_FLAG_RDONLY, "ro"}, {FLAG_SYNCHRONOUS, "sync"}, {FLAG_DIRSYNC, "dirsync"},
                {FLAG_LAZYTIME, "lazytime"}};
        int r = 0;

        for (size_t i = 0; r == 0 && i < ELEMENTS(keys); i++)
                if (flags & keys[i].flag)
                        r = put(s, keys[i].key, NULL);
        return r;
}

static uint64_t times_of(unsigned long flags)
{
        uint64_t times = flags & FLAG_STRICTATIME ? MOUNT_ATTR_STRICTATIME
                         : flags & FLAG_NOATIME   ? MOUNT_ATTR_NOATIME
                                                  : MOUNT_ATTR_RELATIME;

        return times | (flags & FLAG_NODIRATIME ? MOUNT_ATTR_NODIRATIME : 0);
}

/* Detached. */
static int make(const struct mount_arguments *m, const struct mount_options *options)
{
        _cleanup_(strings_done) struct strings s = {.n = 0};
        int r = put(&s, "source", m->source);

        if (r == 0)
                r = put_flags(&s, m->flags);
        for (size_t i = 0; r == 0 && i < options->n; i++)
                r = put(&s, options->list[i].key, options->list[i].value);
        return r < 0 ? r
                     : mount_new(options->driver, (const char *const *)s.list,
                               MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID | times_of(m->flags), NULL);
}

/* What may be changed inside as it likes is set after locking. */
static int finish(int mount, unsigned long flags, int userns)
{
        int r = mount_change(mount, mount_flags_to_attributes(flags), 0, userns);

        return r == -EINVAL ? -EOPNOTSUPP : r; /* this kernel can't map ids for that file system */
}

/* Attached in our root, and locked. */
static int lock(int mount)
{
        int r = mkdir("/" PLACE, 0700) < 0 ? -errno : mount_attach_below(mount, AT_FDCWD, "/" PLACE);

        return r < 0 ? r : mount_lock("/" PLACE);
}

int mount_block(struct broker *b, struct behalf *who, const struct mount_arguments *m)
{
        static struct mount_options options; /* one a process */
        _cleanup_close_ int target = -EBADF, source = -EBADF, mount = -EBADF, locked = -EBADF;
        bool own = false;
        dev_t number = 0;
        int found[2], r = mount_look_up(who, m, open_both, found);

        if (r < 0)
                return r;
        target = found[0];
        source = found[1];
        r = judge(b, target, source, &number, &own);
        if (r == 0)
                r = mount_options_decode(m->type, m->data, &options);
        if (r == 0 && !mount_have_type(who, options.driver))
                r = -MOUNT_NO_DRIVER;
        if (r == 0)
                r = mount_enter_root();
        if (r == 0)
                r = put_node(m->source, number);
        if (r == 0 && !own)
                r = ask_gate(m->source);
        if (r < 0)
                return r;
        mount = make(m, &options);
        locked = mount < 0 ? mount : lock(mount);
        r = locked < 0 ? locked : finish(locked, m->flags, b->userns);
        return r < 0 ? r : mount_hand_over(who, locked, target);
}
