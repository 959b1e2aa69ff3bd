/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cgroup_discover.c - where the hierarchies are, which one rules which controller, and the enabling of v2 controllers.
 *
 * Only /proc/self/mountinfo and /proc/self/cgroup are asked, no path is guessed.  A mount is believed when the file
 * system's magic number agrees.
 */
#include "kernel/cgroup_tree.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/str.h"
#include "kernel/cgroup_parse.h"

#include <linux/magic.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#define PROC_TEXT_MAX (16U << 20)
#define BLANKS " \n"

const struct cgroup_controller_info cgroup_controllers[CGROUP_CONTROLLERS] = {
        [CGROUP_CPU] = {"cpu", "cpu"},
        [CGROUP_CPUACCT] = {"cpuacct", "cpuacct"},
        [CGROUP_CPUSET] = {"cpuset", "cpuset"},
        [CGROUP_MEMORY] = {"memory", "memory"},
        [CGROUP_IO] = {"io", "blkio"},
        [CGROUP_PIDS] = {"pids", "pids"},
};

/* What /proc says, and the directories the caller of cgroup_tree_open() wants. */
struct facts {
        struct cgroup_mount *mounts;
        size_t n_mounts;
        struct cgroup_membership *self;
        size_t n_self;
        struct cgroup_membership *wanted; /* of the text form of `own` */
        size_t n_wanted;
        const char *directory; /* of the "/dir" form of `own`, else NULL */
};

static void facts_done(struct facts *facts)
{
        cgroup_mounts_free(facts->mounts, facts->n_mounts);
        cgroup_memberships_free(facts->self, facts->n_self);
        cgroup_memberships_free(facts->wanted, facts->n_wanted);
}

static int facts_read(struct facts *facts, const char *own, struct croft_error *err)
{
        _cleanup_free_ char *mounts = NULL, *self = NULL;
        int r;

        r = fd_read_file(AT_FDCWD, "/proc/self/mountinfo", PROC_TEXT_MAX, &mounts, NULL);
        if (r < 0)
                return croft_error_set(err, r, "read /proc/self/mountinfo");
        r = fd_read_file(AT_FDCWD, "/proc/self/cgroup", PROC_TEXT_MAX, &self, NULL);
        if (r < 0)
                return croft_error_set(err, r, "read /proc/self/cgroup");
        r = cgroup_parse_mounts(mounts, &facts->mounts, &facts->n_mounts);
        if (r == 0)
                r = cgroup_parse_memberships(self, &facts->self, &facts->n_self);
        if (r == 0 && own && own[0] != '/')
                r = cgroup_parse_memberships(own, &facts->wanted, &facts->n_wanted);
        if (r < 0)
                return croft_error_set(err, r, "find the control groups");
        facts->directory = own && own[0] == '/' ? own : NULL;
        return 0;
}

/* Does the mount show the hierarchy that the line names? */
static bool mount_fits(const struct cgroup_mount *mount, const struct cgroup_membership *line)
{
        char first[64];
        size_t n = strcspn(line->controllers, ",");

        if (mount->v2 || line->v2)
                return mount->v2 && line->v2;
        if (n == 0 || n >= sizeof(first))
                return false;
        memcpy(first, line->controllers, n);
        first[n] = '\0';
        return str_lists(mount->options, ",", first);
}

/* Opens directory `path` of the hierarchy through one mount. */
static int open_through(const struct cgroup_mount *mount, const char *path)
{
        const char *below = cgroup_path_below(mount->root, path);
        _cleanup_close_ int point = -EBADF;
        struct statfs fs;

        if (!below)
                return -EXDEV;
        point = open(mount->point, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (point < 0)
                return -errno;
        if (fstatfs(point, &fs) < 0)
                return -errno;
        if ((unsigned long)fs.f_type != (mount->v2 ? CGROUP2_SUPER_MAGIC : CGROUP_SUPER_MAGIC))
                return -ENOTDIR; /* something else is mounted over it */
        return fd_open2(point, below, O_RDONLY | O_DIRECTORY, 0,
                RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV);
}

/* Opens directory `path` of the line's hierarchy through whichever mount shows it. */
static int open_path(const struct facts *facts, const struct cgroup_membership *line, const char *path)
{
        int result = -ENODEV;

        for (size_t i = facts->n_mounts; i > 0; i--) { /* the newest first: it hides older ones at its point */
                int fd = mount_fits(&facts->mounts[i - 1], line) ? open_through(&facts->mounts[i - 1], path) : -ENODEV;

                if (fd >= 0)
                        return fd;
                if (fd != -ENODEV && (result == -ENODEV || result == -EXDEV))
                        result = fd;
        }
        return result;
}

/* The path of the line without the leaf that an earlier cgroup_tree_open() of this process or its parent made. */
static char *path_without_leaf(const struct cgroup_tree *tree, const char *path)
{
        char *copy = strdup(path), *slash = copy ? strrchr(copy, '/') : NULL;

        if (slash && strcmp(slash + 1, tree->leaf) == 0)
                slash[slash == copy] = '\0';
        return copy;
}

/* The directory of an earlier run, if it still has our croft.<tag>; -ENOENT otherwise. */
static int open_wanted(const struct cgroup_tree *tree, const struct facts *facts, const struct cgroup_membership *line,
        char **ret_path)
{
        for (size_t i = 0; i < facts->n_wanted; i++) {
                const struct cgroup_membership *w = &facts->wanted[i];
                _cleanup_close_ int fd = -EBADF;

                if (w->v2 != line->v2 || strcmp(w->controllers, line->controllers) != 0)
                        continue;
                fd = open_path(facts, line, w->path);
                if (fd < 0 || faccessat(fd, tree->directory, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
                        return -ENOENT;
                *ret_path = strdup(w->path);
                return *ret_path ? TAKE_FD(fd) : -ENOMEM;
        }
        return -ENOENT;
}

/* Makes the directory that --cgroup names, if only its last part is missing: systemd takes away the empty control group
 * of a unit without processes, even of one that is active (unit_prune_cgroup). */
static int make_named(const struct facts *facts, const struct cgroup_membership *line, const char *path)
{
        _cleanup_free_ char *parent = strdup(path);
        _cleanup_close_ int parent_fd = -EBADF;
        char *slash = parent ? strrchr(parent, '/') : NULL;
        int fd, r;

        if (!parent)
                return -ENOMEM;
        if (!slash || !slash[1] || strcmp(slash, "/.") == 0 || strcmp(slash, "/..") == 0)
                return -ENOENT;
        *slash = '\0';
        parent_fd = open_path(facts, line, *parent ? parent : "/");
        if (parent_fd < 0)
                return parent_fd;
        r = cgroup_make_below(parent_fd, slash + 1, str_lists(line->controllers, ",", "cpuset"), &fd);
        return r < 0 ? r : fd;
}

/* Opens the own cgroup of the line's hierarchy and tells its path (new string). */
static int open_own(const struct cgroup_tree *tree, const struct facts *facts, const struct cgroup_membership *line,
        char **ret_path)
{
        _cleanup_free_ char *path = NULL;
        int fd = open_wanted(tree, facts, line, ret_path);

        if (fd != -ENOENT)
                return fd;
        path = facts->directory ? strdup(facts->directory) : path_without_leaf(tree, line->path);
        if (!path)
                return -ENOMEM;
        fd = open_path(facts, line, path);
        if (fd == -ENOENT && facts->directory)
                fd = make_named(facts, line, path);
        if (fd >= 0)
                *ret_path = TAKE(path);
        return fd;
}

static int explain_open(const struct facts *facts, const struct cgroup_membership *line, int r, struct croft_error *err)
{
        const char *name = line->v2 ? "unified" : line->controllers;
        const char *path = facts->directory ? facts->directory : line->path;

        if (r == -EXDEV)
                return croft_error_set(err, EXDEV,
                        "no mount of the %s cgroup hierarchy shows '%s' (croftd is outside of its cgroup namespace).",
                        name, path);
        return croft_error_set(err, r, "open cgroup '%s' of the %s hierarchy", path, name);
}

/* Enters the hierarchy of the line into the tree.  -ENODEV: it isn't mounted. */
static int add_hierarchy(struct cgroup_tree *tree, const struct facts *facts, const struct cgroup_membership *line,
        struct croft_error *err)
{
        struct cgroup_hierarchy *h = &tree->h[tree->n];
        char *path = NULL;
        int fd = open_own(tree, facts, line, &path);

        if (fd == -ENODEV)
                return fd;
        if (fd < 0)
                return explain_open(facts, line, fd, err);
        *h = (struct cgroup_hierarchy){.v2 = line->v2, .own = path, .own_fd = fd, .fd = -EBADF};
        tree->n++; /* from here on the tree owns them */
        h->names = strdup(line->controllers);
        return h->names ? 0 : croft_error_set(err, ENOMEM, "open the control groups");
}

static int add_unified(struct cgroup_tree *tree, const struct facts *facts, struct croft_error *err)
{
        for (size_t i = 0; i < facts->n_self; i++) {
                int r;

                if (!facts->self[i].v2)
                        continue;
                r = add_hierarchy(tree, facts, &facts->self[i], err);
                if (r == -ENODEV)
                        break;
                return r;
        }
        return croft_error_set(err, EOPNOTSUPP,
                "no cgroup2 file system is mounted: croft needs it (mount -t cgroup2 none /sys/fs/cgroup/unified).");
}

/* Adds the v1 hierarchies that hold a controller of ours, once each. */
static int add_v1(struct cgroup_tree *tree, const struct facts *facts, struct croft_error *err)
{
        for (size_t i = 0; i < facts->n_self; i++) {
                const struct cgroup_membership *line = &facts->self[i];
                unsigned int mask = 0;
                int r;

                for (int c = 0; c < CGROUP_CONTROLLERS; c++)
                        if (!line->v2 && str_lists(line->controllers, ",", cgroup_controllers[c].v1))
                                mask |= 1U << c;
                if (mask == 0 || tree->n == CGROUP_HIERARCHIES_MAX)
                        continue;
                r = add_hierarchy(tree, facts, line, err);
                if (r < 0 && r != -ENODEV)
                        return r;
                for (int c = 0; c < CGROUP_CONTROLLERS; c++) {
                        if (!(mask & 1U << c))
                                continue;
                        tree->by[c] = r == 0 ? (int)tree->n - 1 : -1;
                        if (r == -ENODEV)
                                (void)str_copy(tree->why[c], sizeof(tree->why[c]),
                                        "it is bound to a v1 hierarchy that isn't mounted");
                }
                if (r == 0)
                        tree->h[tree->n - 1].controllers = mask;
        }
        return 0;
}

/* Controllers that v2 offers in the own cgroup.  CPU time is counted there without any. */
static int add_v2(struct cgroup_tree *tree, struct croft_error *err)
{
        _cleanup_free_ char *offered = NULL;
        int r = cgroup_read(tree->h[0].own_fd, "cgroup.controllers", &offered);

        if (r < 0)
                return croft_error_set(err, r, "read cgroup.controllers of '%s'", tree->h[0].own);
        for (int c = 0; c < CGROUP_CONTROLLERS; c++) {
                if (tree->by[c] >= 0 || tree->why[c][0])
                        continue;
                if (c == CGROUP_CPUACCT) {
                        tree->by[c] = 0;
                } else if (str_lists(offered, BLANKS, cgroup_controllers[c].name)) {
                        tree->by[c] = 0;
                        tree->h[0].controllers |= 1U << c;
                } else {
                        (void)str_copy(tree->why[c], sizeof(tree->why[c]), "no hierarchy offers it to croftd's cgroup");
                }
        }
        return 0;
}

int cgroup_discover(struct cgroup_tree *tree, const char *own, struct croft_error *err)
{
        _cleanup_(facts_done) struct facts facts = {0};
        int r = facts_read(&facts, own, err);

        for (int c = 0; c < CGROUP_CONTROLLERS; c++)
                tree->by[c] = -1;
        if (r == 0)
                r = add_unified(tree, &facts, err);
        if (r == 0)
                r = add_v1(tree, &facts, err);
        if (r == 0)
                r = add_v2(tree, err);
        if (r == 0)
                tree->level = cgroup_path_depth(tree->h[0].own) + 2;
        return r;
}

/* Makes the leaf and moves this process, if it is in the own cgroup (it isn't, when `own` says another one). */
static int move_to_leaf(struct cgroup_tree *tree, struct croft_error *err)
{
        _cleanup_free_ char *self = NULL;
        _cleanup_(facts_done) struct facts facts = {0};
        _cleanup_close_ int leaf = -EBADF;
        bool inside = false;
        int r = facts_read(&facts, NULL, err);

        if (r < 0)
                return r;
        for (size_t i = 0; i < facts.n_self; i++)
                if (facts.self[i].v2)
                        inside = strcmp(facts.self[i].path, tree->h[0].own) == 0;
        if (!inside)
                return 0;
        if (mkdirat(tree->h[0].own_fd, tree->leaf, 0755) < 0 && errno != EEXIST)
                return croft_error_set(err, errno, "make cgroup '%s/%s'", tree->h[0].own, tree->leaf);
        leaf = openat(tree->h[0].own_fd, tree->leaf, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (leaf < 0)
                return croft_error_set(err, errno, "open cgroup '%s/%s'", tree->h[0].own, tree->leaf);
        r = fd_write_file(leaf, "cgroup.procs", "0");
        if (r < 0)
                return croft_error_set(err, r, "move croftd to cgroup '%s/%s'", tree->h[0].own, tree->leaf);
        return 0;
}

/* The first process beside us that sits in the own cgroup: says what is to be done about it. */
static int explain_busy(const struct cgroup_tree *tree, struct croft_error *err)
{
        pid_t pid = cgroup_first_process(tree->h[0].own_fd);
        _cleanup_free_ char *name = NULL;
        char path[48], shown[64] = "?";
        size_t size = 0;

        if (pid <= 0)
                return croft_error_set(err, EBUSY, "enable controllers in cgroup '%s'", tree->h[0].own);
        (void)snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
        if (fd_read_file(AT_FDCWD, path, 256, &name, &size) == 0 && size > 0)
                (void)str_escape(shown, sizeof(shown), name, size - 1);
        return croft_error_set(err, EBUSY,
                "cgroup '%s' holds other processes (%d, '%s'), so that controllers can't be enabled for partitions: "
                "give croftd a cgroup of its own (systemd: Delegate=yes) or another one with --cgroup.",
                tree->h[0].own, (int)pid, shown);
}

/* Enables controller c for the children of dir_fd.  A controller that the kernel refuses for another reason than
 * processes in the way (cpu: real-time tasks in the root) is lost, not fatal. */
static int enable_one(struct cgroup_tree *tree, int dir_fd, int c, struct croft_error *err)
{
        _cleanup_free_ char *enabled = NULL;
        char word[16];
        int r = cgroup_read(dir_fd, "cgroup.subtree_control", &enabled);

        if (r < 0)
                return croft_error_set(err, r, "read cgroup.subtree_control of '%s'", tree->h[0].own);
        if (str_lists(enabled, BLANKS, cgroup_controllers[c].name))
                return 0;
        (void)snprintf(word, sizeof(word), "+%s", cgroup_controllers[c].name);
        r = fd_write_file(dir_fd, "cgroup.subtree_control", word);
        if (r == -EBUSY)
                return explain_busy(tree, err);
        if (r < 0) {
                tree->by[c] = -1;
                tree->h[0].controllers &= ~(1U << c);
                (void)snprintf(
                        tree->why[c], sizeof(tree->why[c]), "the kernel refuses to enable it: %s", strerrordesc_np(-r));
        }
        return 0;
}

int cgroup_enable(struct cgroup_tree *tree, struct croft_error *err)
{
        struct cgroup_hierarchy *h = &tree->h[0];
        int r = 0;

        if (h->controllers == 0)
                return 0;
        /* The root cgroup has no cgroup.type, and may have processes and enabled controllers at once. */
        if (faccessat(h->own_fd, "cgroup.type", F_OK, 0) == 0)
                r = move_to_leaf(tree, err);
        for (int c = 0; c < CGROUP_CONTROLLERS && r == 0; c++) {
                if (h->controllers & 1U << c)
                        r = enable_one(tree, h->own_fd, c, err);
                if (r == 0 && h->controllers & 1U << c)
                        r = enable_one(tree, h->fd, c, err);
        }
        return r;
}
