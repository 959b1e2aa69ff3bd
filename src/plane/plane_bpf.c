/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * plane_bpf.c - loads, pins and adopts the objects of the plane.
 *
 * Pins in bpffs (which takes no dot in a name): `partitions` and `whoami`, then `info`, which says that the others are
 * complete and what they are. Invariant: without `info` the others don't count and nothing is on record in them, so
 * that death between two pins, or two removals (`info` goes first), leaves something that the next one just replaces.
 */
#include "plane/plane_bpf.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "kernel/load.h"
#include "plane/plane.bpf.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "plane.skel.h"

static void free_skeleton(struct plane_bpf **skeleton)
{
        plane_bpf__destroy(*skeleton);
}

static int no_print(enum libbpf_print_level level, const char *format, va_list ap)
{
        (void)level;
        (void)format;
        (void)ap;
        return 0;
}

/* bpf(2) of the kernels we support takes paths only; those of descriptors lead anywhere. */
static void path_of(int bpf_dir, const char *name, char (*ret)[64])
{
        (void)snprintf(*ret, sizeof(*ret), "/proc/self/fd/%d/%s", bpf_dir, name);
}

int plane_bpf_get(int bpf_dir, const char *name)
{
        char path[64];
        int fd;

        path_of(bpf_dir, name, &path);
        fd = bpf_obj_get(path);
        return fd < 0 ? -errno : fd;
}

int plane_bpf_pin(int bpf_dir, int fd, const char *name, mode_t mode, struct croft_error *err)
{
        char path[64];

        path_of(bpf_dir, name, &path);
        if (bpf_obj_pin(fd, path) < 0 || fchmodat(bpf_dir, name, mode, 0) < 0)
                return croft_error_set(err, errno, "pin '%s'", name);
        return 0;
}

int plane_bpf_unpin(int bpf_dir, struct croft_error *err)
{
        static const char *const names[] = {"info", "whoami", "whoami_new", "partitions"};

        for (size_t i = 0; i < ELEMENTS(names); i++)
                if (unlinkat(bpf_dir, names[i], 0) < 0 && errno != ENOENT)
                        return croft_error_set(err, errno, "unpin '%s'", names[i]);
        return 0;
}

int plane_bpf_in_use(int map)
{
        unsigned char key[64];
        struct bpf_map_info info = {0};
        __u32 size = sizeof(info);

        if (bpf_obj_get_info_by_fd(map, &info, &size) < 0)
                return -errno;
        if (info.key_size > sizeof(key))
                return -EUCLEAN;
        if (bpf_map_get_next_key(map, NULL, key) == 0)
                return 1;
        return errno == ENOENT ? 0 : -errno;
}

/* Fills *ret with what the pinned info says; what can't be ours has layout 0. */
static int read_info(int bpf_dir, struct plane_info *ret)
{
        _cleanup_close_ int fd = plane_bpf_get(bpf_dir, "info");
        unsigned char value[256] = {0};
        struct bpf_map_info info = {0};
        __u32 size = sizeof(info), key = 0;

        if (fd < 0)
                return fd;
        if (bpf_obj_get_info_by_fd(fd, &info, &size) < 0)
                return -errno;
        if (info.type != BPF_MAP_TYPE_ARRAY || info.key_size != sizeof(key) || info.value_size > sizeof(value))
                return -EUCLEAN;
        if (bpf_map_lookup_elem(fd, &key, value) < 0)
                return -errno;
        memcpy(ret, value, sizeof(*ret)); /* a shorter one is followed by zeros: its layout is another anyway */
        if (ret->magic != PLANE_MAGIC)
                return -EUCLEAN;
        return 0;
}

static struct plane_info own_info(const char *tag, unsigned int level)
{
        struct plane_info info = {.magic = PLANE_MAGIC, .layout = PLANE_LAYOUT, .level = level};

        (void)str_copy(info.tag, sizeof(info.tag), tag);
        return info;
}

/* Why objects of theirs can't serve us, NULL: they can. */
static const char *why_foreign(const struct plane_info *theirs, const struct plane_info *ours)
{
        if (theirs->layout != ours->layout)
                return "of another version of croft";
        if (strncmp(theirs->tag, ours->tag, sizeof(ours->tag)) != 0)
                return "of another instance of croft";
        if (theirs->level != ours->level)
                return "of a croftd that ran in another cgroup";
        return NULL;
}

/* The map must be what our programs take it for, whatever the info says. */
static int check_map(int map)
{
        struct bpf_map_info info = {0};
        __u32 size = sizeof(info);

        if (bpf_obj_get_info_by_fd(map, &info, &size) < 0)
                return -errno;
        if (info.type != BPF_MAP_TYPE_HASH || info.key_size != sizeof(__u64) ||
                info.value_size != sizeof(struct plane_partition))
                return -EUCLEAN;
        return 0;
}

/* Finds the map to adopt.  Its descriptor; -ENOENT: there is none, and no pin is left; else a negative errno. */
static int find_partitions(int bpf_dir, const struct plane_info *ours, struct croft_error *err)
{
        _cleanup_close_ int map = plane_bpf_get(bpf_dir, "partitions");
        struct plane_info theirs = {0};
        int r = read_info(bpf_dir, &theirs);
        const char *why = r == 0 ? why_foreign(&theirs, ours) : "damaged";

        if (map < 0 && map != -ENOENT)
                return croft_error_set(err, map, "open pinned 'partitions'");
        if (!why && map >= 0 && check_map(map) < 0)
                why = "damaged";
        if (!why && map >= 0)
                return TAKE_FD(map);
        if (r != -ENOENT && map >= 0 && plane_bpf_in_use(map) != 0)
                return croft_error_set(err, ESTALE,
                        "the objects in the kernel are %s, and partitions are on record in them: stop those with the "
                        "croftd that started them, then start this one.",
                        why);
        r = plane_bpf_unpin(bpf_dir, err);
        return r < 0 ? r : -ENOENT;
}

int plane_bpf_explain(int code, struct croft_error *err)
{
        if (access("/sys/kernel/btf/vmlinux", R_OK) < 0)
                return croft_error_set(err, EOPNOTSUPP,
                        "this kernel has no type information (CONFIG_DEBUG_INFO_BTF; /sys/kernel/btf/vmlinux), which "
                        "BPF programs need.");
        if (code == -EPERM || code == -EACCES)
                return croft_error_set(
                        err, EPERM, "no permission to load BPF programs (CAP_BPF, CAP_PERFMON or CAP_SYS_ADMIN).");
        if (code == -ENOSYS || code == -EINVAL)
                return croft_error_set(err, EOPNOTSUPP, "this kernel can't run our BPF programs (5.14 or later can).");
        return croft_error_set(err, code, "load BPF programs");
}

/* Loads our programs, on that map if it isn't negative. */
static int load(unsigned int level, int map, struct plane_bpf **ret, struct croft_error *err)
{
        _cleanup_(kernel_load_done) struct kernel_load types;
        _cleanup_(free_skeleton) struct plane_bpf *skeleton = NULL;
        int r = kernel_load_begin(&types, err);

        if (r < 0)
                return plane_bpf_explain(r, err);
        skeleton = plane_bpf__open_opts(&types.options);
        if (!skeleton)
                return croft_error_set(err, errno, "open BPF programs");
        r = kernel_load_types(&types, skeleton->obj, err);
        if (r < 0)
                return r;
        skeleton->rodata->partition_level = level;
        if (map >= 0) {
                r = bpf_map__reuse_fd(skeleton->maps.partitions, map);
                if (r < 0)
                        return croft_error_set(err, r, "adopt the pinned map");
        }
        r = plane_bpf__load(skeleton);
        if (r < 0)
                return plane_bpf_explain(r, err);
        *ret = TAKE(skeleton);
        return 0;
}

bool plane_bpf_map_fits(int fd, const struct bpf_map *ours)
{
        struct bpf_map_info info = {0};
        __u32 size = sizeof(info);

        return bpf_obj_get_info_by_fd(fd, &info, &size) == 0 && info.type == bpf_map__type(ours) &&
               info.key_size == bpf_map__key_size(ours) && info.value_size == bpf_map__value_size(ours) &&
               info.max_entries == bpf_map__max_entries(ours);
}

/* The kernel's digest of a program's instructions. */
static int digest_of(int program, unsigned char (*ret)[BPF_TAG_SIZE])
{
        struct bpf_prog_info info = {0};
        __u32 size = sizeof(info);

        if (bpf_obj_get_info_by_fd(program, &info, &size) < 0)
                return -errno;
        memcpy(*ret, info.tag, sizeof(*ret));
        return 0;
}

bool plane_bpf_same(int one, int other)
{
        unsigned char a[BPF_TAG_SIZE], b[BPF_TAG_SIZE];

        return one >= 0 && other >= 0 && digest_of(one, &a) == 0 && digest_of(other, &b) == 0 &&
               memcmp(a, b, sizeof(a)) == 0;
}

int plane_bpf_renew(int bpf_dir, int ours, const char *name, struct croft_error *err)
{
        _cleanup_close_ int theirs = plane_bpf_get(bpf_dir, name);

        if (plane_bpf_same(theirs, ours))
                return 0;
        return plane_bpf_replace(bpf_dir, ours, name, 0444, err);
}

int plane_bpf_replace(int bpf_dir, int fd, const char *name, mode_t mode, struct croft_error *err)
{
        char next[48];
        int r;

        (void)snprintf(next, sizeof(next), "%s_new", name);
        if (unlinkat(bpf_dir, next, 0) < 0 && errno != ENOENT)
                return croft_error_set(err, errno, "unpin '%s'", next);
        r = plane_bpf_pin(bpf_dir, fd, next, mode, err);
        if (r < 0)
                return r;
        if (renameat(bpf_dir, next, bpf_dir, name) < 0)
                return croft_error_set(err, errno, "replace pinned '%s'", name);
        return 0;
}

static int pin_all(
        int bpf_dir, const struct plane_bpf *skeleton, const struct plane_info *info, struct croft_error *err)
{
        int map = bpf_map__fd(skeleton->maps.info), r;
        __u32 key = 0;

        if (bpf_map_update_elem(map, &key, info, BPF_ANY) < 0)
                return croft_error_set(err, errno, "describe the BPF objects");
        r = plane_bpf_pin(bpf_dir, bpf_map__fd(skeleton->maps.partitions), "partitions", 0600, err);
        if (r == 0)
                r = plane_bpf_pin(bpf_dir, bpf_program__fd(skeleton->progs.whoami), "whoami", 0444, err);
        if (r == 0)
                r = plane_bpf_pin(bpf_dir, map, "info", 0600, err);
        return r;
}

int plane_bpf_open(int bpf_dir, const char *tag, unsigned int level, struct croft_error *err)
{
        const struct plane_info ours = own_info(tag, level);
        _cleanup_(free_skeleton) struct plane_bpf *skeleton = NULL;
        _cleanup_close_ int map = -EBADF;
        int r;

        libbpf_set_print(no_print); /* libraries don't log */
        map = find_partitions(bpf_dir, &ours, err);
        if (map < 0 && map != -ENOENT)
                return map;
        r = load(level, map, &skeleton, err);
        if (r < 0)
                return r;
        if (map >= 0)
                r = plane_bpf_renew(bpf_dir, bpf_program__fd(skeleton->progs.whoami), "whoami", err);
        else
                r = pin_all(bpf_dir, skeleton, &ours, err);
        if (r < 0)
                return r;
        if (map >= 0)
                return TAKE_FD(map);
        r = fcntl(bpf_map__fd(skeleton->maps.partitions), F_DUPFD_CLOEXEC, 3);
        return r < 0 ? croft_error_set(err, errno, "keep the map of partitions") : r;
}
