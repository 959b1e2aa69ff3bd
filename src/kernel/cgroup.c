/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cgroup.c - the tree of croft's control groups and the partitions' directories in it.  See cgroup.h.
 *
 * All by directory descriptors that are opened once.  The unified directory is made last and removed last: while it is
 * there, cgroup_each() finds the partition.
 */
#include "kernel/cgroup.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/str.h"
#include "kernel/cgroup_parse.h"
#include "kernel/cgroup_tree.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#define NESTED_MAX "4096\n"
#define NESTED_DEPTH_MAX "32\n"

void cgroup_name(char name[CGROUP_NAME_SIZE], uint64_t id)
{
        (void)snprintf(name, CGROUP_NAME_SIZE, "%" PRIu64, id);
}

int cgroup_directory(const struct cgroup_tree *tree, size_t i, uint64_t id)
{
        char name[CGROUP_NAME_SIZE];
        int fd;

        cgroup_name(name, id);
        fd = openat(tree->h[i].fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

int cgroup_read(int dir_fd, const char *file, char **ret)
{
        size_t size;
        int r = fd_read_file(dir_fd, file, CGROUP_FILE_MAX, ret, &size);

        if (r == 0 && size > 0 && (*ret)[size - 1] == '\n')
                (*ret)[size - 1] = '\0';
        return r;
}

int cgroup_read_u64(int dir_fd, const char *file, uint64_t *ret)
{
        _cleanup_free_ char *text = NULL;
        int r = cgroup_read(dir_fd, file, &text);

        if (r < 0)
                return r;
        if (strcmp(text, "max") == 0 || strcmp(text, "-1") == 0)
                *ret = UINT64_MAX;
        else if (!str_to_u64(text, UINT64_MAX, ret))
                return -EBADMSG;
        return 0;
}

pid_t cgroup_first_process(int dir_fd)
{
        _cleanup_close_ int fd = openat(dir_fd, "cgroup.procs", O_RDONLY | O_CLOEXEC);
        char buf[32];
        ssize_t n;

        if (fd < 0)
                return -errno;
        n = read(fd, buf, sizeof(buf) - 1);
        if (n < 0)
                return -errno;
        buf[n] = '\0';
        return (pid_t)strtol(buf, NULL, 10);
}

/* A new cpuset of v1 has no CPUs and no memory nodes, and takes no process until it is given some. */
static int cpuset_inherit(int parent_fd, int fd)
{
        static const char *const files[] = {"cpuset.cpus", "cpuset.mems"};

        for (size_t i = 0; i < ELEMENTS(files); i++) {
                _cleanup_free_ char *has = NULL, *parent = NULL;
                int r = cgroup_read(fd, files[i], &has);

                if (r == 0 && *has)
                        continue;
                if (r == 0)
                        r = cgroup_read(parent_fd, files[i], &parent);
                if (r == 0 && !*parent)
                        return -ENOSPC; /* what the kernel would say to a process that wants in */
                if (r == 0)
                        r = fd_write_file(fd, files[i], parent);
                if (r < 0)
                        return r;
        }
        return 0;
}

int cgroup_make_below(int parent_fd, const char *name, bool v1_cpuset, int *ret_fd)
{
        _cleanup_close_ int fd = -EBADF;
        int r = 0;

        if (mkdirat(parent_fd, name, 0755) < 0 && errno != EEXIST)
                return -errno;
        /* Whatever our umask: 6.1 (unlike 6.18) lets the partition mount its cgroup namespace only if its root may pass
         * through all directories above. */
        if (fchmodat(parent_fd, name, 0755, 0) < 0)
                return -errno;
        if (!v1_cpuset && !ret_fd)
                return 0;
        fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        if (v1_cpuset)
                r = cpuset_inherit(parent_fd, fd);
        if (r < 0)
                return r;
        if (ret_fd)
                *ret_fd = TAKE_FD(fd);
        return 0;
}

/* Makes and opens a directory of hierarchy h below parent_fd. */
static int make_directory(const struct cgroup_hierarchy *h, int parent_fd, const char *name, int *ret_fd)
{
        return cgroup_make_below(parent_fd, name, !h->v2 && h->controllers & 1U << CGROUP_CPUSET, ret_fd);
}

static const char *hierarchy_name(const struct cgroup_hierarchy *h)
{
        return h->v2 ? "unified" : h->names;
}

static int make_croft_directories(struct cgroup_tree *tree, struct croft_error *err)
{
        for (size_t i = 0; i < tree->n; i++) {
                struct cgroup_hierarchy *h = &tree->h[i];
                int r = make_directory(h, h->own_fd, tree->directory, &h->fd);

                if (r < 0)
                        return croft_error_set(err, r, "make cgroup '%s%s%s' of the %s hierarchy", h->own,
                                h->own[1] ? "/" : "", tree->directory, hierarchy_name(h));
        }
        return 0;
}

static int remember_own(struct cgroup_tree *tree, struct croft_error *err)
{
        size_t size;
        FILE *f = open_memstream(&tree->own_text, &size);

        for (size_t i = 0; f && i < tree->n; i++)
                (void)fprintf(f, "%zu:%s:%s\n", i, tree->h[i].names, tree->h[i].own);
        if (!f || fclose(f) != 0)
                return croft_error_set(err, ENOMEM, "open the control groups");
        return 0;
}

int cgroup_tree_open(const char *tag, const char *own, struct cgroup_tree **ret, struct croft_error *err)
{
        _cleanup_(cgroup_tree_freep) struct cgroup_tree *tree = NULL;
        int r;

        if (!str_is_name(tag) || strlen(tag) > 32)
                return croft_error_set(err, EINVAL, "'%s' can't be the tag of control groups.", tag);
        tree = calloc(1, sizeof(*tree));
        if (!tree)
                return croft_error_set(err, ENOMEM, "open the control groups");
        (void)snprintf(tree->directory, sizeof(tree->directory), "croft.%s", tag);
        (void)snprintf(tree->leaf, sizeof(tree->leaf), "croftd.%s", tag);
        r = cgroup_discover(tree, own, err);
        if (r == 0)
                r = make_croft_directories(tree, err);
        if (r == 0)
                r = cgroup_enable(tree, err);
        if (r == 0)
                r = remember_own(tree, err);
        if (r < 0)
                return r;
        *ret = TAKE(tree);
        return 0;
}

struct cgroup_tree *cgroup_tree_free(struct cgroup_tree *tree)
{
        for (size_t i = 0; tree && i < tree->n; i++) {
                close_fd(tree->h[i].fd);
                close_fd(tree->h[i].own_fd);
                free(tree->h[i].own);
                free(tree->h[i].names);
        }
        if (tree)
                free(tree->own_text);
        free(tree);
        return NULL;
}

void cgroup_tree_freep(struct cgroup_tree **tree)
{
        *tree = cgroup_tree_free(*tree);
}

const char *cgroup_tree_own(const struct cgroup_tree *tree)
{
        return tree->own_text;
}

int cgroup_tree_remove(struct cgroup_tree *tree, struct croft_error *err)
{
        int result = 0;

        for (size_t i = tree->n; i > 0; i--) {
                struct cgroup_hierarchy *h = &tree->h[i - 1];

                if (unlinkat(h->own_fd, tree->directory, AT_REMOVEDIR) == 0 || errno == ENOENT || result < 0)
                        continue;
                result = croft_error_set(err, errno == ENOTEMPTY ? EBUSY : errno,
                        "remove cgroup '%s' of the %s hierarchy", tree->directory, hierarchy_name(h));
        }
        return result;
}

enum cgroup_rule cgroup_tree_rule(const struct cgroup_tree *tree, const char *controller)
{
        for (int c = 0; c < CGROUP_CONTROLLERS; c++)
                if (strcmp(controller, cgroup_controllers[c].name) == 0)
                        return tree->by[c] < 0 ? CGROUP_NONE : tree->h[tree->by[c]].v2 ? CGROUP_V2 : CGROUP_V1;
        return CGROUP_NONE;
}

int cgroup_tree_unified(const struct cgroup_tree *tree)
{
        return tree->h[0].fd;
}

unsigned int cgroup_tree_level(const struct cgroup_tree *tree)
{
        return tree->level;
}

/* Hands the directory to the partition's root: it may make cgroups of its own in it and move its processes among
 * them.  The limits, those of the number of cgroups too, stay root's. */
static int delegate(int fd, uid_t owner)
{
        static const char *const files[] = {".", "cgroup.procs", "cgroup.threads", "cgroup.subtree_control"};
        int r = fd_write_file(fd, "cgroup.max.descendants", NESTED_MAX);

        if (r == 0)
                r = fd_write_file(fd, "cgroup.max.depth", NESTED_DEPTH_MAX);
        for (size_t i = 0; i < ELEMENTS(files) && r == 0; i++)
                if (fchownat(fd, files[i], owner, (gid_t)owner, AT_SYMLINK_NOFOLLOW) < 0)
                        r = -errno;
        return r;
}

/* owner: of the unified one. */
static int create_directory(const struct cgroup_tree *tree, size_t i, uint64_t id, uid_t owner, struct croft_error *err)
{
        const struct cgroup_hierarchy *h = &tree->h[i];
        _cleanup_close_ int fd = -EBADF;
        char name[CGROUP_NAME_SIZE];
        int r;

        cgroup_name(name, id);
        /* See cgroup_kill(): a used one is no good; one in use stays. */
        if (faccessat(h->fd, name, F_OK, 0) == 0)
                (void)unlinkat(h->fd, name, AT_REMOVEDIR);
        r = make_directory(h, h->fd, name, h->v2 ? &fd : NULL);
        if (r == 0 && h->v2)
                r = delegate(fd, owner);
        if (r == 0)
                return 0;
        (void)cgroup_remove_below(h->fd, name, NULL); /* the first fault is what matters */
        return croft_error_set(
                err, r, "make cgroup '%s/%s' of the %s hierarchy", tree->directory, name, hierarchy_name(h));
}

int cgroup_create_unified(struct cgroup_tree *tree, uint64_t id, uid_t owner, struct croft_error *err)
{
        return create_directory(tree, 0, id, owner, err);
}

int cgroup_create_v1(struct cgroup_tree *tree, uint64_t id, struct croft_error *err)
{
        char name[CGROUP_NAME_SIZE];

        cgroup_name(name, id);
        for (size_t i = 1; i < tree->n; i++) {
                int r = create_directory(tree, i, id, 0, err);

                if (r == 0)
                        continue;
                while (--i > 0)
                        (void)cgroup_remove_below(tree->h[i].fd, name, NULL);
                return r;
        }
        return 0;
}

bool cgroup_tree_has_v1(const struct cgroup_tree *tree)
{
        return tree->n > 1;
}

int cgroup_create(struct cgroup_tree *tree, uint64_t id, uid_t owner, struct croft_error *err)
{
        int r = cgroup_create_v1(tree, id, err);

        if (r == 0)
                r = cgroup_create_unified(tree, id, owner, err);
        if (r < 0)
                (void)cgroup_remove(tree, id, NULL);
        return r;
}

int cgroup_remove(struct cgroup_tree *tree, uint64_t id, struct croft_error *err)
{
        char name[CGROUP_NAME_SIZE];

        cgroup_name(name, id);
        for (size_t i = tree->n; i > 0; i--) {
                int r = cgroup_remove_below(tree->h[i - 1].fd, name, err);

                if (r < 0) {
                        (void)croft_error_prefix(err, "remove cgroup '%s/%s' of the %s hierarchy", tree->directory,
                                name, hierarchy_name(&tree->h[i - 1]));
                        return r;
                }
        }
        return 0;
}

int cgroup_open(struct cgroup_tree *tree, uint64_t id, struct croft_error *err)
{
        int fd = cgroup_directory(tree, 0, id);

        if (fd < 0)
                return croft_error_set(err, fd, "open cgroup '%s/%" PRIu64 "'", tree->directory, id);
        return fd;
}

static int open_leaf(int directory, uint64_t id, uid_t owner, struct croft_error *err)
{
        _cleanup_close_ int leaf = -EBADF;

        if (mkdirat(directory, "croft.exec", 0755) < 0 && errno != EEXIST)
                return croft_error_set(err, errno, "make cgroup 'croft.exec' of partition %" PRIu64, id);
        leaf = openat(directory, "croft.exec", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (leaf < 0)
                return croft_error_set(err, errno, "open cgroup 'croft.exec' of partition %" PRIu64, id);
        if (fchown(leaf, owner, (gid_t)owner) < 0 ||
                fchownat(leaf, "cgroup.procs", owner, (gid_t)owner, AT_SYMLINK_NOFOLLOW) < 0)
                return croft_error_set(err, errno, "delegate cgroup 'croft.exec' of partition %" PRIu64, id);
        return TAKE_FD(leaf);
}

int cgroup_open_exec(struct cgroup_tree *tree, uint64_t id, uid_t owner, struct croft_error *err)
{
        _cleanup_close_ int fd = cgroup_open(tree, id, err);
        _cleanup_free_ char *enabled = NULL;
        int r;

        if (fd < 0)
                return fd;
        r = cgroup_read(fd, "cgroup.subtree_control", &enabled);
        if (r < 0)
                return croft_error_set(err, r, "read cgroup.subtree_control of partition %" PRIu64, id);
        return *enabled ? open_leaf(fd, id, owner, err) : TAKE_FD(fd);
}

int cgroup_open_leaf(struct cgroup_tree *tree, uint64_t id, uid_t owner, struct croft_error *err)
{
        _cleanup_close_ int fd = cgroup_open(tree, id, err);

        return fd < 0 ? fd : open_leaf(fd, id, owner, err);
}

int cgroup_kernel_id(struct cgroup_tree *tree, uint64_t id, uint64_t *ret, struct croft_error *err)
{
        _cleanup_close_ int fd = cgroup_open(tree, id, err);
        union {
                struct file_handle handle;
                char room[sizeof(struct file_handle) + sizeof(uint64_t)];
        } u = {.handle.handle_bytes = sizeof(uint64_t)};
        int mount_id;

        if (fd < 0)
                return fd;
        if (name_to_handle_at(fd, "", &u.handle, &mount_id, AT_EMPTY_PATH) < 0)
                return croft_error_set(err, errno, "get the id of cgroup '%s/%" PRIu64 "'", tree->directory, id);
        memcpy(ret, u.handle.f_handle, sizeof(*ret)); /* kernfs: the handle is the id */
        return 0;
}

/* Is the process in the partition's directory of the hierarchy already?  lines: its /proc/PID/cgroup. */
static bool is_inside(const struct cgroup_tree *tree, const struct cgroup_hierarchy *h, uint64_t id,
        const struct cgroup_membership *lines, size_t n_lines)
{
        for (size_t i = 0; i < n_lines; i++) {
                _cleanup_free_ char *path = NULL;

                if (lines[i].v2 != h->v2 || strcmp(lines[i].controllers, h->names) != 0)
                        continue;
                if (asprintf(&path, "%s%s%s/%" PRIu64, h->own, h->own[1] ? "/" : "", tree->directory, id) < 0)
                        return false; /* moving it again does no harm */
                return strcmp(lines[i].path, path) == 0;
        }
        return false;
}

int cgroup_attach_v1(struct cgroup_tree *tree, uint64_t id, pid_t pid, struct croft_error *err)
{
        struct cgroup_membership *lines = NULL;
        _cleanup_free_ char *text = NULL;
        size_t n_lines = 0;
        char path[32], number[16];
        int r = 0;

        if (tree->n <= 1)
                return 0;
        (void)snprintf(path, sizeof(path), "/proc/%d/cgroup", (int)pid);
        if (fd_read_file(AT_FDCWD, path, CGROUP_FILE_MAX, &text, NULL) == 0)
                (void)cgroup_parse_memberships(text, &lines, &n_lines); /* unknown: it is moved */
        (void)snprintf(number, sizeof(number), "%d", (int)pid);
        for (size_t i = 1; i < tree->n && r == 0; i++) {
                _cleanup_close_ int fd = -EBADF;

                if (is_inside(tree, &tree->h[i], id, lines, n_lines))
                        continue;
                fd = cgroup_directory(tree, i, id);
                r = fd < 0 ? fd : fd_write_file(fd, "cgroup.procs", number);
                if (r < 0)
                        (void)croft_error_set(err, r, "move process %d to cgroup '%s/%" PRIu64 "' of the %s hierarchy",
                                (int)pid, tree->directory, id, hierarchy_name(&tree->h[i]));
        }
        cgroup_memberships_free(lines, n_lines);
        return r;
}

int cgroup_open_v1(
        struct cgroup_tree *tree, uint64_t id, int fds[CGROUP_HIERARCHIES_MAX], size_t *ret_n, struct croft_error *err)
{
        int opened[CGROUP_HIERARCHIES_MAX];
        size_t n = 0;

        for (size_t i = 1; i < tree->n; i++) {
                _cleanup_close_ int dir = cgroup_directory(tree, i, id);
                int r = dir < 0 ? dir : openat(dir, "tasks", O_WRONLY | O_CLOEXEC | O_NOFOLLOW);

                if (r < 0) {
                        r = dir < 0 ? dir : -errno;
                        while (n > 0)
                                close_fd(opened[--n]);
                        return croft_error_set(err, r, "open cgroup '%s/%" PRIu64 "' of the %s hierarchy",
                                tree->directory, id, hierarchy_name(&tree->h[i]));
                }
                opened[n++] = r;
        }
        memcpy(fds, opened, n * sizeof(opened[0]));
        *ret_n = n;
        return 0;
}

/* Was the id already told, for a hierarchy before this one? */
static bool told(const struct cgroup_tree *tree, size_t before, const char *name)
{
        for (size_t i = 0; i < before; i++)
                if (faccessat(tree->h[i].fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
                        return true;
        return false;
}

static int each_in(struct cgroup_tree *tree, size_t i, int (*f)(uint64_t id, void *context), void *context)
{
        int fd = openat(tree->h[i].fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        _cleanup_closedir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
        struct dirent *entry;

        if (!dir) {
                int r = -errno;

                close_fd(fd);
                return r;
        }
        while ((entry = readdir(dir))) {
                uint64_t id;
                int r;

                if (entry->d_type != DT_DIR || !str_to_u64(entry->d_name, UINT64_MAX, &id) ||
                        told(tree, i, entry->d_name))
                        continue;
                r = f(id, context);
                if (r != 0)
                        return r;
        }
        return 0;
}

int cgroup_each(struct cgroup_tree *tree, int (*f)(uint64_t id, void *context), void *context, struct croft_error *err)
{
        int r = 0;

        for (size_t i = 0; i < tree->n && r == 0; i++)
                r = each_in(tree, i, f, context);
        if (r < 0 && (!err || !err->code))
                return croft_error_set(err, r, "look through the cgroups of '%s'", tree->directory);
        return r;
}
