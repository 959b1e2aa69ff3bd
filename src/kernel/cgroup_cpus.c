/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cgroup_cpus.c - the CPUs of croft's subtree and of each partition, on cpuset of v2 and of v1.
 *
 * v2 keeps what was configured whatever becomes of a CPU, and a nested cpuset can only narrow its parent's.  v1 differs
 * thrice, and each is made up for here: it refuses CPUs that are offline, forgets those that go offline (for good, and
 * in every cpuset down from the root), and refuses to narrow a cpuset below what a nested one has.
 */
#include "kernel/cgroup.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/str.h"
#include "kernel/cgroup_parse.h"
#include "kernel/cgroup_tree.h"
#include "kernel/cpus.h"

#include <inttypes.h>
#include <string.h>

#define CPUS_FILE "cpuset.cpus"
#define NESTED_DEPTH_MAX 64
#define FREEZE_TIMEOUT_MS 10000
#define HOMING_PASSES 100 /* what is moved home may have forked where it was */

static int read_cpus(int dir_fd, const char *file, struct cpus *ret)
{
        _cleanup_free_ char *text = NULL;
        int r = cgroup_read(dir_fd, file, &text);

        if (r < 0)
                return r;
        return cpus_parse(text, ret) ? 0 : -EBADMSG;
}

static int no_controller(const struct cgroup_tree *tree, struct croft_error *err)
{
        return croft_error_set(err, EOPNOTSUPP, "there is no cpuset controller here (%s).", tree->why[CGROUP_CPUSET]);
}

int cgroup_cpus_own(struct cgroup_tree *tree, struct cpus *ret, struct croft_error *err)
{
        int by = tree->by[CGROUP_CPUSET], r;
        const struct cgroup_hierarchy *h;

        if (by < 0)
                return no_controller(tree, err);
        h = &tree->h[by];
        r = h->v2 ? read_cpus(h->fd, "cpuset.cpus.effective", ret) : read_cpus(h->own_fd, CPUS_FILE, ret);
        return r < 0 ? croft_error_set(err, r, "read the CPUs of croft's own cgroup") : 0;
}

/* --- nested cpusets of v1 --- */

#define NESTED_MAX 512

struct nested {
        char *path;    /* below the partition's directory */
        size_t parent; /* in the list; 0 is the partition itself */
        struct cpus has, wants;
};

/* Parents before children; all is known before anything is written. */
struct nesting {
        struct nested list[NESTED_MAX];
        size_t n;
};

static void nesting_freep(struct nesting **nesting)
{
        for (size_t i = 0; *nesting && i < (*nesting)->n; i++)
                free((*nesting)->list[i].path);
        free(*nesting);
}

static int add_nested(struct nesting *nesting, int fd, size_t parent, const char *name, const struct cpus *new)
{
        struct nested *at = &nesting->list[nesting->n];
        const struct cpus *outer = &nesting->list[parent].wants;
        char *path = NULL;
        int r;

        if (nesting->n == NESTED_MAX)
                return -E2BIG;
        r = read_cpus(fd, CPUS_FILE, &at->has);
        if (r < 0)
                return r;
        if (parent == nesting->n)
                path = strdup(name); /* the partition itself */
        else if (asprintf(&path, "%s/%s", nesting->list[parent].path, name) < 0)
                path = NULL;
        if (!path)
                return -ENOMEM;
        at->path = path;
        at->parent = parent;
        /* Its own CPUs as far as they stay; where none does, all that the one above it has. */
        at->wants = cpus_and(&at->has, new);
        if (parent == nesting->n)
                at->wants = *new;
        else if (!cpus_is_empty(&at->has) && cpus_is_empty(&at->wants))
                at->wants = *outer;
        nesting->n++;
        return 0;
}

static int find_nested(struct nesting *nesting, int fd, size_t parent, const struct cpus *new, unsigned int depth)
{
        int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
        _cleanup_closedir_ DIR *dir = copy < 0 ? NULL : fdopendir(copy);
        struct dirent *entry;

        if (!dir) {
                r = -errno;
                close_fd(copy);
                return r;
        }
        if (depth >= NESTED_DEPTH_MAX)
                return -ELOOP;
        while (r == 0 && (entry = readdir(dir))) {
                _cleanup_close_ int child = -EBADF;
                size_t at = nesting->n;

                if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
                        continue;
                child = openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                if (child < 0)
                        continue; /* it has just been removed */
                r = add_nested(nesting, child, parent, entry->d_name, new);
                if (r == 0)
                        r = find_nested(nesting, child, at, new, depth + 1);
        }
        return r;
}

static int write_nested(int fd, const struct nested *at, const struct cpus *cpus)
{
        _cleanup_free_ char *text = cpus_format(cpus), *path = NULL;

        if (!text || asprintf(&path, "%s/" CPUS_FILE, at->path) < 0)
                return -ENOMEM;
        return fd_write_file(fd, path, *text ? text : "\n");
}

/* All get the old and the new from the top down, then what they are to have from the bottom up: each write leaves every
 * cpuset a part of the one above it.  Nobody runs meanwhile. */
static int write_all(int fd, const struct nesting *nesting, const struct cpus *both, bool back)
{
        int r, first = 0;

        for (size_t i = 0; i < nesting->n && (first == 0 || back); i++) {
                r = write_nested(fd, &nesting->list[i], both);
                first = first < 0 ? first : r;
        }
        for (size_t i = nesting->n; i > 0 && (first == 0 || back); i--) {
                const struct nested *at = &nesting->list[i - 1];

                r = write_nested(fd, at, back ? &at->has : &at->wants);
                first = first < 0 ? first : r;
        }
        return first;
}

static int set_with_nested(int fd, const struct nesting *nesting)
{
        struct cpus both = cpus_or(&nesting->list[0].has, &nesting->list[0].wants);
        int r = write_all(fd, nesting, &both, false);

        if (r < 0)
                (void)write_all(fd, nesting, &both, true); /* the first failure is the one to tell */
        return r;
}

/* --- a partition --- */

static int set_frozen(struct cgroup_tree *tree, uint64_t id, int fd, const struct cpus *new, struct croft_error *err)
{
        _cleanup_(nesting_freep) struct nesting *nesting = calloc(1, sizeof(*nesting));
        struct cgroup_usage usage;
        int r, thawed;

        r = nesting ? add_nested(nesting, fd, 0, ".", new) : -ENOMEM;
        if (r == 0)
                r = find_nested(nesting, fd, 0, new, 0);
        if (r < 0)
                return croft_error_set(err, r, "look at the control groups nested in partition %" PRIu64, id);
        r = cgroup_usage(tree, id, &usage, err);
        if (r == 0 && !usage.frozen)
                r = cgroup_freeze(tree, id, true, FREEZE_TIMEOUT_MS, err);
        if (r < 0)
                return r;
        r = set_with_nested(fd, nesting);
        if (r < 0)
                croft_error_set(err, r, "write %s of nested control groups", CPUS_FILE);
        if (usage.frozen)
                return r;
        thawed = cgroup_freeze(tree, id, false, FREEZE_TIMEOUT_MS, r < 0 ? NULL : err);
        return r < 0 ? r : thawed;
}

int cgroup_cpus_set(struct cgroup_tree *tree, uint64_t id, const char *list, struct croft_error *err)
{
        int by = tree->by[CGROUP_CPUSET], r;
        _cleanup_free_ char *has = NULL;
        _cleanup_close_ int fd = -EBADF;
        struct cpus new;

        list = list ? list : "";
        if (by < 0)
                return *list ? no_controller(tree, err) : 0;
        fd = cgroup_directory(tree, (size_t)by, id);
        r = fd < 0 ? fd : cgroup_read(fd, CPUS_FILE, &has);
        if (r < 0)
                return croft_error_set(err, r, "open cgroup '%s/%" PRIu64 "'", tree->directory, id);
        if (strcmp(has, list) == 0)
                return 0;
        r = cgroup_set(tree, id, CPUS_FILE, list, err);
        if (r != -EBUSY || tree->h[by].v2)
                return r;
        if (!*list)
                return cgroup_cpus_own(tree, &new, err) < 0 ? r : set_frozen(tree, id, fd, &new, err);
        return cpus_parse(list, &new) ? set_frozen(tree, id, fd, &new, err) : r;
}

/* --- what v1 forgot --- */

int cgroup_cpus_repair(struct cgroup_tree *tree, struct croft_error *err)
{
        int by = tree->by[CGROUP_CPUSET], r;
        _cleanup_free_ char *own = NULL, *has = NULL;

        if (by < 0 || tree->h[by].v2)
                return 0;
        r = cgroup_read(tree->h[by].own_fd, CPUS_FILE, &own);
        if (r == 0)
                r = cgroup_read(tree->h[by].fd, CPUS_FILE, &has);
        /* Only ever wider here: partitions are below. */
        if (r == 0 && strcmp(own, has) != 0)
                r = fd_write_file(tree->h[by].fd, CPUS_FILE, own);
        return r < 0 && r != -EBUSY ? croft_error_set(err, r, "write %s of '%s'", CPUS_FILE, tree->directory) : 0;
}

/* "PATH/croft.<tag>/<id>/..." in the line of the unified hierarchy; false: none of ours. */
static bool id_of_process(const struct cgroup_tree *tree, pid_t pid, uint64_t *ret)
{
        struct cgroup_membership *lines = NULL;
        _cleanup_free_ char *text = NULL;
        size_t n = 0, length = strlen(tree->directory);
        bool found = false;
        char path[32];

        (void)snprintf(path, sizeof(path), "/proc/%d/cgroup", (int)pid);
        if (fd_read_file(AT_FDCWD, path, CGROUP_FILE_MAX, &text, NULL) < 0 ||
                cgroup_parse_memberships(text, &lines, &n) < 0)
                return false;
        for (size_t i = 0; i < n && !found; i++) {
                const char *at = lines[i].v2 ? strstr(lines[i].path, tree->directory) : NULL;
                char digits[CGROUP_NAME_SIZE];
                size_t size;

                if (!at || at == lines[i].path || at[-1] != '/' || at[length] != '/')
                        continue;
                size = strcspn(at + length + 1, "/");
                if (size >= sizeof(digits))
                        continue;
                memcpy(digits, at + length + 1, size);
                digits[size] = '\0';
                found = str_to_u64(digits, UINT64_MAX, ret);
        }
        cgroup_memberships_free(lines, n);
        return found;
}

int cgroup_cpus_bring_home(struct cgroup_tree *tree, struct croft_error *err)
{
        int by = tree->by[CGROUP_CPUSET];
        pid_t pid, before = 0;
        uint64_t id;

        if (by < 0 || tree->h[by].v2)
                return 0;
        for (int i = 0; i < HOMING_PASSES; i++) {
                int r;

                pid = cgroup_first_process(tree->h[by].fd);
                if (pid <= 0)
                        return pid < 0 ? croft_error_set(err, pid, "read cgroup.procs of '%s'", tree->directory) : 0;
                if (pid == before || !id_of_process(tree, pid, &id))
                        return 0; /* somebody else's */
                before = pid;
                r = cgroup_attach_v1(tree, id, pid, err);
                if (r < 0 && r != -ESRCH)
                        return r;
        }
        return 0;
}
