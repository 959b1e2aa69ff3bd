/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * plane.c - the kernel plane: its file system, and the record of partitions in it.  See plane.h.
 *
 * The bpffs is an instance of our own (each mount of that type is), so that /sys/fs/bpf need not be there and nothing
 * of ours mixes with what others pin.  A struct plane is constant after plane_open(); the maps are the kernel's to
 * lock.
 */
#include "plane/plane.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "plane/plane.bpf.h"
#include "plane/plane_bpf.h"

#include <bpf/bpf.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#define PROGRAMS "programs"

struct plane {
        int run_dir; /* borrowed */
        int bpf_dir;
        int partitions;
        unsigned int level;
};

static int open_dir(int run_dir)
{
        int fd = openat(run_dir, "bpf", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        return fd < 0 ? -errno : fd;
}

static bool is_bpffs(int fd)
{
        struct statfs fs;

        return fstatfs(fd, &fs) == 0 && fs.f_type == BPF_FS_MAGIC;
}

/* Mounts a new bpffs on the directory: private, so that it shows up in no other mount namespace that exists now. */
static int mount_bpffs(int dir)
{
        _cleanup_close_ int fs = fsopen("bpf", FSOPEN_CLOEXEC), mount_fd = -EBADF;

        if (fs < 0)
                return -errno;
        if (fsconfig(fs, FSCONFIG_SET_STRING, "mode", "0700", 0) < 0 ||
                fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
                return -errno;
        mount_fd = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
        if (mount_fd < 0)
                return -errno;
        return move_mount(mount_fd, "", dir, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0 ? -errno : 0;
}

static int unmount_bpffs(int run_dir, struct croft_error *err)
{
        char path[64];

        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d/bpf", run_dir);
        /* Detached: somebody may look into it; it is empty by now. */
        if (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) < 0 && errno != EINVAL)
                return croft_error_set(err, errno, "unmount 'bpf'");
        if (unlinkat(run_dir, "bpf", AT_REMOVEDIR) < 0 && errno != ENOENT)
                return croft_error_set(err, errno, "remove 'bpf'");
        return 0;
}

/* The root directory of our bpffs, mounted if need be. */
static int open_bpffs(int run_dir, bool *ret_mounted, struct croft_error *err)
{
        _cleanup_close_ int dir = -EBADF;
        int r;

        if (mkdirat(run_dir, "bpf", 0700) < 0 && errno != EEXIST)
                return croft_error_set(err, errno, "make directory 'bpf'");
        dir = open_dir(run_dir);
        if (dir < 0)
                return croft_error_set(err, dir, "open directory 'bpf'");
        if (is_bpffs(dir))
                return TAKE_FD(dir);
        r = mount_bpffs(dir);
        if (r == -ENODEV)
                return croft_error_set(err, EOPNOTSUPP, "this kernel has no BPF file system (CONFIG_BPF_SYSCALL).");
        if (r < 0)
                return croft_error_set(err, r, "mount a BPF file system (CAP_SYS_ADMIN is needed)");
        *ret_mounted = true;
        dir = close_fd(dir);
        dir = open_dir(run_dir);
        if (dir < 0)
                return croft_error_set(err, dir, "open directory 'bpf'");
        return TAKE_FD(dir);
}

static int make_programs(int bpf_dir, struct croft_error *err)
{
        if (mkdirat(bpf_dir, PROGRAMS, 0755) < 0 && errno != EEXIST)
                return croft_error_set(err, errno, "make directory 'bpf/%s'", PROGRAMS);
        if (fchmodat(bpf_dir, PROGRAMS, 0755, 0) < 0) /* whatever the umask is */
                return croft_error_set(err, errno, "open directory 'bpf/%s' for all", PROGRAMS);
        return 0;
}

int plane_open(int run_dir, const char *tag, unsigned int level, struct plane **ret, struct croft_error *err)
{
        _cleanup_(plane_freep) struct plane *plane = calloc(1, sizeof(*plane));
        bool mounted = false;
        int r;

        if (!plane)
                return croft_error_set(err, ENOMEM, "open the kernel plane");
        *plane = (struct plane){.run_dir = run_dir, .bpf_dir = -EBADF, .partitions = -EBADF, .level = level};
        plane->bpf_dir = r = open_bpffs(run_dir, &mounted, err);
        if (r >= 0)
                plane->partitions = r = plane_bpf_open(plane->bpf_dir, tag, level, err);
        if (r >= 0)
                r = make_programs(plane->bpf_dir, err);
        if (r < 0 && mounted)
                (void)unmount_bpffs(run_dir, NULL); /* the error that is told came before */
        else if (r < 0)
                (void)unlinkat(run_dir, "bpf", AT_REMOVEDIR); /* if it was made for this and is empty */
        if (r < 0) {
                (void)croft_error_prefix(err, "open the kernel plane");
                return r;
        }
        *ret = TAKE(plane);
        return 0;
}

struct plane *plane_free(struct plane *plane)
{
        if (!plane)
                return NULL;
        (void)close_fd(plane->bpf_dir);
        (void)close_fd(plane->partitions);
        free(plane);
        return NULL;
}

void plane_freep(struct plane **plane)
{
        *plane = plane_free(*plane);
}

int plane_directory(const struct plane *plane)
{
        return plane->bpf_dir;
}

int plane_partitions(const struct plane *plane)
{
        return plane->partitions;
}

unsigned int plane_level(const struct plane *plane)
{
        return plane->level;
}

int plane_remove(struct plane *plane, struct croft_error *err)
{
        int r = plane_bpf_in_use(plane->partitions);

        if (r < 0)
                return croft_error_set(err, r, "look at the kernel plane");
        if (r > 0)
                return croft_error_set(err, EBUSY, "partitions are on record in the kernel plane.");
        r = plane_bpf_unpin(plane->bpf_dir, err);
        if (r < 0)
                return r;
        if (unlinkat(plane->bpf_dir, PROGRAMS, AT_REMOVEDIR) < 0 && errno != ENOENT)
                return croft_error_set(err, errno, "remove 'bpf/%s'", PROGRAMS);
        return unmount_bpffs(plane->run_dir, err);
}

int plane_open_programs(const struct plane *plane, struct croft_error *err)
{
        int fd = openat(plane->bpf_dir, PROGRAMS, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        return fd < 0 ? croft_error_set(err, errno, "open directory 'bpf/%s'", PROGRAMS) : fd;
}

int plane_list(struct plane *plane, struct plane_entry **ret, size_t *ret_count, struct croft_error *err)
{
        _cleanup_free_ struct plane_entry *entries = calloc(PLANE_PARTITIONS_MAX, sizeof(*entries));
        uint64_t key, *last = NULL;
        size_t count = 0;

        if (!entries)
                return croft_error_set(err, ENOMEM, "list the kernel plane");
        while (count < PLANE_PARTITIONS_MAX && bpf_map_get_next_key(plane->partitions, last, &key) == 0) {
                struct plane_partition value;

                /* One that is deleted in between isn't there; the walk then begins anew, as the kernel defines it. */
                if (bpf_map_lookup_elem(plane->partitions, &key, &value) == 0)
                        entries[count++] =
                                (struct plane_entry){.cgroup_id = key, .id = value.id, .uid_base = value.uid_base};
                last = &key;
        }
        *ret = TAKE(entries);
        *ret_count = count;
        return 0;
}

/* Forgets all entries of partition id but that of the cgroup `keep`. */
static int forget(struct plane *plane, uint64_t id, uint64_t keep, struct croft_error *err)
{
        _cleanup_free_ struct plane_entry *entries = NULL;
        size_t count = 0;
        int r = plane_list(plane, &entries, &count, err);

        if (r < 0)
                return r;
        for (size_t i = 0; i < count; i++) {
                if (entries[i].id != id || entries[i].cgroup_id == keep)
                        continue;
                if (bpf_map_delete_elem(plane->partitions, &entries[i].cgroup_id) < 0 && errno != ENOENT)
                        return croft_error_set(
                                err, errno, "take partition %llu off the record in the kernel", (unsigned long long)id);
        }
        return 0;
}

int plane_add(struct plane *plane, uint64_t cgroup_id, uint64_t id, uint32_t uid_base, struct croft_error *err)
{
        const struct plane_partition value = {.id = id, .uid_base = uid_base};

        if (id == 0 || cgroup_id == 0)
                return croft_error_set(
                        err, EINVAL, "put partition %llu on record in the kernel", (unsigned long long)id);
        if (bpf_map_update_elem(plane->partitions, &cgroup_id, &value, BPF_ANY) < 0) {
                if (errno == E2BIG)
                        return croft_error_set(err, ENOSPC, "%d partitions are on record in the kernel: no more fit.",
                                PLANE_PARTITIONS_MAX);
                return croft_error_set(
                        err, errno, "put partition %llu on record in the kernel", (unsigned long long)id);
        }
        return forget(plane, id, cgroup_id, err);
}

int plane_remove_partition(struct plane *plane, uint64_t id, struct croft_error *err)
{
        return forget(plane, id, 0, err);
}

int plane_open_whoami(struct plane *plane, struct croft_error *err)
{
        int fd = openat(plane->bpf_dir, "whoami", O_PATH | O_NOFOLLOW | O_CLOEXEC);

        return fd < 0 ? croft_error_set(err, errno, "open pinned 'whoami'") : fd;
}

int plane_ask_fd(int program, uint64_t *ret)
{
        struct plane_whoami answer = {0};
        struct bpf_test_run_opts run = {.sz = sizeof(run), .ctx_in = &answer, .ctx_size_in = sizeof(answer)};

        if (bpf_prog_test_run_opts(program, &run) < 0)
                return -errno;
        if (run.retval != 0)
                return (int)run.retval;
        *ret = answer.id;
        return 0;
}

int plane_ask(const char *path, uint64_t *ret)
{
        struct bpf_obj_get_opts how = {.sz = sizeof(how), .file_flags = BPF_F_RDONLY};
        _cleanup_close_ int program = bpf_obj_get_opts(path, &how);

        return program < 0 ? -errno : plane_ask_fd(program, ret);
}
