/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * stage.c - the warden's own root, and what it, still privileged, prepares in it for the root of a partition: idmapped
 * layers, the host's shared directories, /dev with real nodes.  Places and /dev are made before it is known for whom.
 *
 * Invariant: everything is attached with its final flags before the stub takes its copy of the mount namespace.  The
 * kernel then locks those flags against the partition's root; a mount that was moved in later would not be locked.
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/str.h"
#include "kernel/mount.h"
#include "warden/launch.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define SHARE_PLACE "share%zu"
#define TTY_GROUP 5 /* of Debian, Red Hat, SUSE, Alpine ... and of devpts' gid= */

void stage_init(struct stage *s)
{
        *s = (struct stage){.lower = -EBADF,
                .rw = -EBADF,
                .tools = -EBADF,
                .dev = -EBADF,
                .programs = -EBADF,
                .proc = -EBADF,
                .sys = -EBADF,
                .root = -EBADF,
                .own = -EBADF};
}

void stage_done(struct stage *s)
{
        close_fd(s->lower);
        close_fd(s->rw);
        close_fd(s->tools);
        close_fd(s->dev);
        close_fd(s->proc);
        close_fd(s->sys);
        close_fd(s->programs);
        close_fd(s->root);
        close_fd(s->own);
        cover_close_masks(&s->masks);
        stage_init(s);
}

static int copy(const char *path, int *ret, struct croft_error *err)
{
        *ret = mount_clone(AT_FDCWD, path);
        return *ret < 0 ? croft_error_set(err, *ret, "copy the mount of '%s'", path) : 0;
}

/* Places are made while the warden waits; names are ours. */
static int attach_one(int root, int mount_fd, const char *name, struct croft_error *err)
{
        int r = mount_fd < 0 ? 0 : mount_attach_below(mount_fd, root, name);

        return r < 0 ? croft_error_set(err, r, "attach at '%s'", name) : 0;
}

static int make_places(int root, struct croft_error *err)
{
        static const char *const places[] = {"root", "proc", "sys", "dev", "tools", "programs", "lower", "rw",
                STAGE_OWN, STAGE_OWN "/proc", STAGE_OWN "/sys"};
        char share[32];

        for (size_t i = 0; i < ELEMENTS(places) + LAUNCH_SHARES_MAX; i++) {
                if (i >= ELEMENTS(places))
                        snprintf(share, sizeof(share), SHARE_PLACE, i - ELEMENTS(places));
                if (mkdirat(root, i < ELEMENTS(places) ? places[i] : share, 0755) < 0)
                        return croft_error_set(err, errno, "fill the staging root");
        }
        return 0;
}

struct node {
        const char *name;
        mode_t mode;
        unsigned int major, minor;
};

static const struct node nodes[] = {{"null", 0666, 1, 3}, {"zero", 0666, 1, 5}, {"full", 0666, 1, 7},
        {"random", 0666, 1, 8}, {"urandom", 0666, 1, 9}, {"tty", 0666, 5, 0}};

static const char *const links[][2] = {{"/proc/self/fd", "fd"}, {"/proc/self/fd/0", "stdin"},
        {"/proc/self/fd/1", "stdout"}, {"/proc/self/fd/2", "stderr"}, {"pts/ptmx", "ptmx"}};

/* Directories that something is mounted on, and the file that becomes the console. */
static const char *const directories[] = {"pts", "shm", "mqueue"};
#define CONSOLE "console"

static int fill_dev(int dev)
{
        for (size_t i = 0; i < ELEMENTS(nodes); i++)
                if (mknodat(dev, nodes[i].name, S_IFCHR | nodes[i].mode, makedev(nodes[i].major, nodes[i].minor)) < 0)
                        return -errno;
        for (size_t i = 0; i < ELEMENTS(links); i++)
                if (symlinkat(links[i][0], dev, links[i][1]) < 0)
                        return -errno;
        for (size_t i = 0; i < ELEMENTS(directories); i++)
                if (mkdirat(dev, directories[i], 0755) < 0)
                        return -errno;
        return mknodat(dev, CONSOLE, S_IFREG | 0600, 0) < 0 ? -errno : 0;
}

/* A tmpfs of the initial user namespace: only there do device nodes work. */
static int make_dev(struct stage *s, struct croft_error *err)
{
        static const char *const options[] = {"mode=755", "size=4m", "nr_inodes=4096", NULL};
        mode_t mask;
        int r;

        s->dev = mount_new("tmpfs", options, MOUNT_ATTR_NOSUID, err);
        if (s->dev < 0)
                return croft_error_prefix(err, "make /dev");
        mask = umask(0);
        r = fill_dev(s->dev);
        umask(mask);
        return r < 0 ? croft_error_set(err, r, "make the nodes of /dev") : 0;
}

static int give(int dir_fd, const char *name, uid_t user, gid_t group)
{
        return fchownat(dir_fd, name, user, group, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) < 0 ? -errno : 0;
}

/* To the partition's root. */
static int give_dev(int dev, uid_t base)
{
        int r = give(dev, "", base, base);

        for (size_t i = 0; r == 0 && i < ELEMENTS(nodes); i++)
                r = give(dev, nodes[i].name, base, base + (nodes[i].major == 5 ? TTY_GROUP : 0));
        for (size_t i = 0; r == 0 && i < ELEMENTS(links); i++)
                r = give(dev, links[i][1], base, base);
        for (size_t i = 0; r == 0 && i < ELEMENTS(directories); i++)
                r = give(dev, directories[i], base, base);
        return r < 0 ? r : give(dev, CONSOLE, base, base + TTY_GROUP);
}

/* The kernel lets a user namespace mount a proc and a sysfs only where it sees a whole one already; the host's may be
 * covered in part. */
static int show_host(int fd, int root, const char *name, struct croft_error *err)
{
        int r = mount_change(fd, 0, MOUNT_ATTR__ATIME, -EBADF);

        return r < 0 ? croft_error_set(err, r, "copy '/%s'", name) : attach_one(root, fd, name, err);
}

static int make_root(struct stage *s, int proc, int sys, struct croft_error *err)
{
        static const char *const options[] = {"mode=755", "size=64k", NULL};
        _cleanup_close_ int old = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        int r;

        s->root = mount_new("tmpfs", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, err);
        if (s->root < 0)
                return croft_error_prefix(err, "make the staging root");
        r = old < 0 ? -errno : mount_attach(s->root, old);
        if (r < 0)
                return croft_error_set(err, r, "attach the staging root");
        r = make_places(s->root, err);
        if (r < 0)
                return r;
        s->own = openat(s->root, STAGE_OWN, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (s->own < 0)
                return croft_error_set(err, errno, "open the staging root");
        r = show_host(proc, s->root, "proc", err);
        if (r == 0)
                r = show_host(sys, s->root, "sys", err);
        if (r == 0)
                r = make_dev(s, err);
        if (r == 0)
                r = attach_one(s->root, s->dev, "dev", err);
        return r < 0 ? r : cover_prepare(s->root, s->dev, "null", err);
}

/* All the way: in a root that isn't its mount namespace's the kernel makes no user namespace (current_chrooted()). What
 * is seen of the host here goes with the old root when the stub enters the partition's. */
int stage_enter(struct stage *s, struct croft_error *err)
{
        _cleanup_close_ int proc = -EBADF, sys = -EBADF;
        int r = copy("/proc", &proc, err);

        if (r == 0)
                r = copy("/sys", &sys, err);
        if (r == 0)
                r = launch_isolate(err);
        if (r == 0)
                r = make_root(s, proc, sys, err);
        if (r == 0)
                r = mount_pivot(s->root, err);
        return r < 0 ? r : cover_make_masks(&s->masks, s->root, err);
}

static int prepare_layers(struct stage *s, int userns, struct croft_error *err)
{
        int r = mount_change(s->lower, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV, 0, userns);

        if (r < 0)
                return croft_error_set(err, r, "map the ids of the lower layer");
        r = mount_change(s->rw, MOUNT_ATTR_NODEV, 0, userns);
        return r < 0 ? croft_error_set(err, r, "map the ids of the upper layer") : 0;
}

/* Croft's own tools need no ids: root's files that anybody may read and run. */
static int prepare_common(struct stage *s, struct croft_error *err)
{
        int r = s->tools < 0
                        ? 0
                        : mount_change(s->tools, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID, 0, -EBADF);

        if (r < 0)
                return croft_error_set(err, r, "share the tools");
        if (s->programs >= 0)
                r = mount_change(s->programs, MOUNT_ATTR_RDONLY | NSNDNX, 0, -EBADF);
        if (r < 0)
                return croft_error_set(err, r, "share the programs");
        if (s->sys >= 0)
                r = mount_change(s->sys, MOUNT_ATTR_RDONLY | NSNDNX, MOUNT_ATTR__ATIME, -EBADF);
        return r < 0 ? croft_error_set(err, r, "share /sys") : 0;
}

/* A share is read-only; set-user-id programs in it stay what they are, for root of the partition instead of the host's.
 * Where the file system can't map ids (tmpfs before 6.3, an overlay), its files belong to nobody and such programs
 * would be the host's root's: they are switched off. */
static int prepare_share(int fd, int userns)
{
        int r = mount_change(fd, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV, 0, userns);

        if (r != -EINVAL)
                return r;
        return mount_change(fd, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID, 0, -EBADF);
}

static int attach_common(const struct stage *s, int root, struct croft_error *err)
{
        int r = attach_one(root, s->tools, "tools", err);

        return r < 0 ? r : attach_one(root, s->programs, "programs", err);
}

static int attach_layers(const struct stage *s, const struct launch *l, int root, struct croft_error *err)
{
        char name[32];
        int r = attach_one(root, s->lower, "lower", err);

        if (r == 0)
                r = attach_one(root, s->rw, "rw", err);
        for (size_t i = 0; r == 0 && i < l->n_shares; i++) {
                snprintf(name, sizeof(name), SHARE_PLACE, i);
                r = attach_one(root, l->shares[i].fd, name, err);
        }
        return r;
}

int stage_make(struct stage *s, const struct launch *l, struct croft_error *err)
{
        int r;

        /* A sysfs can be mounted by who owns the network namespace; otherwise the host's is shown. */
        r = l->spec.own_network ? 0 : copy("/sys", &s->sys, err);
        if (r == 0)
                r = prepare_common(s, err);
        if (r < 0)
                return r;
        r = give_dev(s->dev, l->spec.uid_base);
        return r < 0 ? croft_error_set(err, r, "give the nodes of /dev to the partition")
                     : attach_common(s, s->root, err);
}

int stage_attach(struct stage *s, const struct launch *l, int userns, struct croft_error *err)
{
        int r = prepare_layers(s, userns, err);

        for (size_t i = 0; r == 0 && i < l->n_shares; i++) {
                r = prepare_share(l->shares[i].fd, userns);
                if (r < 0)
                        return croft_error_set(err, r, "share '%s'", l->shares[i].path);
        }
        return r < 0 ? r : attach_layers(s, l, s->root, err);
}

/* What is attached now is locked in the stub's copy: below lie the host's figures (docs/adr/0023).  Without views there
 * is nothing to be kept from anybody, and masks are the stub's affair: it may mount a /proc of its own then. */
static int attach_covered(struct stage *s, const struct launch *l, int mount, const char *name, struct croft_error *err)
{
        int r = attach_one(s->own, mount, name, err);

        if (r < 0 || !l->covered)
                return r;
        return cover_attach(l->views->mounts, &s->masks, s->root, mount, s->own, name, err);
}

int stage_cover_proc(struct stage *s, const struct launch *l, struct croft_error *err)
{
        return attach_covered(s, l, s->proc, "proc", err);
}

int stage_cover_sys(struct stage *s, const struct launch *l, struct croft_error *err)
{
        return attach_covered(s, l, s->sys, "sys", err);
}
