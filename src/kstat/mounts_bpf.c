/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * mounts_bpf.c - loads, pins and adopts the objects for mounts.
 *
 * Pins: kstat_mounts and kstat_mount_text beside the plane's, since the programs that answer readers use them; all else
 * in a directory of its own, and `mount_info` last: without it, or when it tells of another layout or another plane,
 * the others don't count and are replaced.  Links are pinned as link_PROGRAM and are the only thing that makes anything
 * run.
 */
#include "kstat/mounts_bpf.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "kernel/load.h"
#include "plane/plane_bpf.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mount.skel.h"

#define DIRECTORY "mounts"
#define LINK_PREFIX "link_"

/* Maps that outlive this process. */
static const struct {
        const char *name;
        bool shared; /* with the programs that answer readers */
} pinned[] = {{"kstat_mounts", true}, {"kstat_mount_text", true}, {"kstat_timers", true}, {"mount_owners", false},
        {"mount_forgotten", false}, {"mount_told", false}, {"mount_events", false}, {"mount_namespaces", false},
        {"mount_info", false}};

static void free_skeleton(struct mount_bpf **skeleton)
{
        mount_bpf__destroy(*skeleton);
}

static void close_directory(DIR **d)
{
        if (*d)
                (void)closedir(*d);
}

/* bpf(2) of the kernels we support takes paths only; those of descriptors lead anywhere. */
static void path_of(int dir, const char *name, char (*ret)[128])
{
        (void)snprintf(*ret, sizeof(*ret), "/proc/self/fd/%d/%s", dir, name);
}

/* --- pins --- */

/* Takes away what is pinned in the directory and begins with prefix. */
static int unpin(int dir, const char *prefix, struct croft_error *err)
{
        _cleanup_(close_directory) DIR *d = NULL;
        int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        d = fd < 0 ? NULL : fdopendir(fd);
        if (!d) {
                close_fd(fd);
                return croft_error_set(err, errno, "read directory 'bpf/%s'", DIRECTORY);
        }
        for (const struct dirent *entry; (entry = readdir(d));)
                if (entry->d_name[0] != '.' && str_has_prefix(entry->d_name, prefix) &&
                        unlinkat(dir, entry->d_name, 0) < 0 && errno != ENOENT)
                        return croft_error_set(err, errno, "unpin '%s'", entry->d_name);
        return 0;
}

static uint32_t map_id(int dir, const char *name)
{
        _cleanup_close_ int fd = plane_bpf_get(dir, name);
        struct bpf_map_info info = {0};
        __u32 size = sizeof(info);

        return fd >= 0 && bpf_obj_get_info_by_fd(fd, &info, &size) == 0 ? info.id : 0;
}

static struct mounts_info own_info(const struct mounts_objects *o)
{
        return (struct mounts_info){.layout = MOUNTS_LAYOUT,
                .level = o->level,
                .partitions = map_id(o->bpf_dir, "partitions"),
                .entries = map_id(o->bpf_dir, "kstat_mounts")};
}

static int read_info(int fd, struct mounts_info *ret)
{
        struct bpf_map_info info = {0};
        __u32 size = sizeof(info), key = 0;

        if (bpf_obj_get_info_by_fd(fd, &info, &size) < 0)
                return -errno;
        if (info.type != BPF_MAP_TYPE_ARRAY || info.value_size != sizeof(*ret))
                return -EUCLEAN;
        return bpf_map_lookup_elem(fd, &key, ret) < 0 ? -errno : 0;
}

/* What a croftd of another version, or one whose plane is gone, has left is replaced; counts begin anew then. */
static int clear_foreign(struct mounts_objects *o, struct croft_error *err)
{
        _cleanup_close_ int fd = plane_bpf_get(o->dir, "mount_info");
        struct mounts_info theirs = {0}, ours = own_info(o);

        if (fd >= 0 && read_info(fd, &theirs) == 0 && theirs.layout == ours.layout && theirs.level == ours.level &&
                theirs.partitions == ours.partitions && theirs.entries == ours.entries)
                return 0;
        return unpin(o->dir, "", err);
}

static int open_directory(struct mounts_objects *o, int run_dir, struct croft_error *err)
{
        o->bpf_dir = openat(run_dir, "bpf", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (o->bpf_dir < 0)
                return croft_error_set(err, errno, "open directory 'bpf'");
        if (mkdirat(o->bpf_dir, DIRECTORY, 0700) < 0 && errno != EEXIST)
                return croft_error_set(err, errno, "make directory 'bpf/%s'", DIRECTORY);
        o->dir = openat(o->bpf_dir, DIRECTORY, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        return o->dir < 0 ? croft_error_set(err, errno, "open directory 'bpf/%s'", DIRECTORY) : 0;
}

/* --- loading --- */

static int reuse(const struct mounts_objects *o, struct mount_bpf *skeleton, const char *name, bool shared)
{
        _cleanup_close_ int fd = plane_bpf_get(shared ? o->bpf_dir : o->dir, name);
        struct bpf_map *map = bpf_object__find_map_by_name(skeleton->obj, name);

        if (fd == -ENOENT)
                return 0;
        return fd < 0 ? fd : bpf_map__reuse_fd(map, fd);
}

/* A skeleton on the pinned maps, not loaded, with no program wanted. */
static int prepare(
        const struct mounts_objects *o, struct kernel_load *types, struct mount_bpf **ret, struct croft_error *err)
{
        _cleanup_(free_skeleton) struct mount_bpf *skeleton = NULL;
        struct bpf_program *program;
        int r = kernel_load_begin(types, err);

        if (r < 0)
                return r;
        skeleton = mount_bpf__open_opts(&types->options);
        if (!skeleton)
                return croft_error_set(err, errno, "open BPF programs for mounts");
        r = kernel_load_types(types, skeleton->obj, err);
        if (r < 0)
                return r;
        skeleton->rodata->partition_level = o->level;
        bpf_object__for_each_program(program, skeleton->obj)(void) bpf_program__set_autoload(program, false);
        r = reuse(o, skeleton, "partitions", true);
        for (size_t i = 0; r == 0 && i < ELEMENTS(pinned); i++)
                r = reuse(o, skeleton, pinned[i].name, pinned[i].shared);
        if (r < 0)
                return croft_error_set(err, r, "adopt pinned maps of mounts");
        *ret = TAKE(skeleton);
        return 0;
}

static int load(struct mount_bpf *skeleton, struct croft_error *err)
{
        int r = mount_bpf__load(skeleton);

        if (r == -EPERM || r == -EACCES)
                return croft_error_set(err, EPERM, "no permission to load BPF programs for mounts.");
        if (r == -EINVAL || r == -ENOSYS || r == -ESRCH)
                return croft_error_set(err, EOPNOTSUPP, "this kernel can't run our BPF programs for mounts.");
        return r < 0 ? croft_error_set(err, r, "load BPF programs for mounts") : 0;
}

static int pin_maps(const struct mounts_objects *o, struct mount_bpf *skeleton, struct croft_error *err)
{
        for (size_t i = 0; i < ELEMENTS(pinned); i++) {
                int dir = pinned[i].shared ? o->bpf_dir : o->dir;
                const struct bpf_map *map = bpf_object__find_map_by_name(skeleton->obj, pinned[i].name);
                char path[128];

                path_of(dir, pinned[i].name, &path);
                if (bpf_obj_pin(bpf_map__fd(map), path) < 0 && errno != EEXIST)
                        return croft_error_set(err, errno, "pin '%s'", pinned[i].name);
        }
        return 0;
}

static int keep_maps(struct mounts_objects *o, struct mount_bpf *skeleton, struct croft_error *err)
{
        const struct {
                const struct bpf_map *map;
                int *fd;
        } all[] = {{skeleton->maps.kstat_mounts, &o->entries}, {skeleton->maps.kstat_mount_text, &o->text},
                {skeleton->maps.mount_owners, &o->owners}, {skeleton->maps.mount_forgotten, &o->forgotten},
                {skeleton->maps.mount_told, &o->told}, {skeleton->maps.mount_events, &o->events},
                {skeleton->maps.mount_info, &o->info}};

        for (size_t i = 0; i < ELEMENTS(all); i++) {
                *all[i].fd = fcntl(bpf_map__fd(all[i].map), F_DUPFD_CLOEXEC, 3);
                if (*all[i].fd < 0)
                        return croft_error_set(err, errno, "keep the maps of mounts");
        }
        return 0;
}

/* Describes the pins unless that was done; what counts is another matter. */
static int describe(const struct mounts_objects *o, struct croft_error *err)
{
        struct mounts_info info = {0};
        __u32 key = 0;

        if (read_info(o->info, &info) == 0 && info.layout == MOUNTS_LAYOUT)
                return 0;
        info = own_info(o);
        if (bpf_map_update_elem(o->info, &key, &info, BPF_ANY) < 0)
                return croft_error_set(err, errno, "describe the BPF objects of mounts");
        return 0;
}

static int map_found(struct mounts_objects *o, struct croft_error *err)
{
        size_t size = MOUNTS_PER_PARTITION * sizeof(struct mount_found);
        void *found = mmap(NULL, size, PROT_READ, MAP_SHARED, bpf_map__fd(o->scanner->maps.mount_found), 0);

        if (found == MAP_FAILED)
                return croft_error_set(err, errno, "map what scans of mounts find");
        o->found = found;
        o->scan = &o->scanner->bss->scan;
        return 0;
}

static int open_scanner(struct mounts_objects *o, struct croft_error *err)
{
        _cleanup_(kernel_load_done) struct kernel_load types;
        int r = prepare(o, &types, &o->scanner, err);

        if (r < 0)
                return r;
        (void)bpf_program__set_autoload(o->scanner->progs.scan_task, true);
        r = load(o->scanner, err);
        if (r == 0)
                r = pin_maps(o, o->scanner, err);
        if (r == 0)
                r = keep_maps(o, o->scanner, err);
        if (r == 0)
                r = describe(o, err);
        if (r == 0)
                r = map_found(o, err);
        if (r < 0)
                return r;
        o->scan_program = bpf_program__fd(o->scanner->progs.scan_task);
        o->scan_link = bpf_link_create(o->scan_program, 0, BPF_TRACE_ITER, NULL);
        return o->scan_link < 0 ? croft_error_set(err, errno, "make an iterator for mounts") : 0;
}

static int no_print(enum libbpf_print_level level, const char *format, va_list ap)
{
        (void)level;
        (void)format;
        (void)ap;
        return 0;
}

int mounts_bpf_open(struct mounts_objects *o, int run_dir, unsigned int level, struct croft_error *err)
{
        int r;

        *o = (struct mounts_objects){.bpf_dir = -EBADF,
                .dir = -EBADF,
                .level = level,
                .entries = -EBADF,
                .text = -EBADF,
                .owners = -EBADF,
                .forgotten = -EBADF,
                .told = -EBADF,
                .events = -EBADF,
                .info = -EBADF,
                .scan_link = -EBADF};

        libbpf_set_print(no_print); /* libraries don't log */
        r = open_directory(o, run_dir, err);
        if (r == 0)
                r = clear_foreign(o, err);
        if (r == 0)
                r = open_scanner(o, err);
        if (r < 0)
                mounts_bpf_close(o);
        return r;
}

void mounts_bpf_close(struct mounts_objects *o)
{
        int *fds[] = {&o->bpf_dir, &o->dir, &o->entries, &o->text, &o->owners, &o->forgotten, &o->told, &o->events,
                &o->info, &o->scan_link};

        if (o->found)
                (void)munmap((void *)(uintptr_t)o->found, MOUNTS_PER_PARTITION * sizeof(struct mount_found));
        o->found = NULL;
        o->scan = NULL;
        mount_bpf__destroy(o->scanner);
        mount_bpf__destroy(o->counter);
        o->scanner = o->counter = NULL;
        for (size_t i = 0; i < ELEMENTS(fds); i++)
                *fds[i] = close_fd(*fds[i]);
}

/* --- what counts --- */

/* Those of another build count otherwise, perhaps. */
static uint64_t digest(void)
{
        size_t size = 0;
        const void *bytes = mount_bpf__elf_bytes(&size);

        return plane_kept_stamp(0, bytes, size);
}

/* Is what is pinned ours and attached so? */
static bool counts_so(struct mounts_objects *o, const struct mounts_info *info, enum mount_stats how)
{
        if (!o->digest)
                o->digest = digest();
        return info->mode == (uint32_t)how && (how == MOUNT_STATS_NO || info->digest == o->digest);
}

static bool is_wanted(
        const struct bpf_program *program, bool trampolines, bool latency, const struct kernel_types *types)
{
        const char *name = bpf_program__name(program), *section = bpf_program__section_name(program);
        const char *function = strchr(section, '/');

        if (strcmp(name, "process_exec") == 0 || strcmp(name, "process_exit") == 0)
                return true;
        if (!trampolines)
                return strcmp(name, "sys_exit") == 0 || (latency && strcmp(name, "sys_enter") == 0);
        if (!str_has_prefix(section, "fentry/") && !str_has_prefix(section, "fexit/"))
                return false;
        if (str_has_prefix(name, "enter_") && !latency)
                return false;
        return function && kernel_types_find(types, function + 1, BTF_KIND_FUNC) > 0;
}

static int attach(const struct mounts_objects *o, struct mount_bpf *skeleton, struct croft_error *err)
{
        struct bpf_program *program;

        bpf_object__for_each_program(program, skeleton->obj)
        {
                struct bpf_link *link;
                char name[96], path[128];
                int r = 0;

                if (!bpf_program__autoload(program))
                        continue;
                link = bpf_program__attach(program);
                if (!link)
                        return croft_error_set(err, errno, "attach '%s'", bpf_program__name(program));
                (void)snprintf(name, sizeof(name), LINK_PREFIX "%s", bpf_program__name(program));
                path_of(o->dir, name, &path);
                if (bpf_obj_pin(bpf_link__fd(link), path) < 0)
                        r = croft_error_set(err, errno, "pin '%s'", name);
                (void)bpf_link__destroy(link); /* the pin keeps it */
                if (r < 0)
                        return r;
        }
        return 0;
}

static int load_counter(struct mounts_objects *o, bool trampolines, bool latency, struct croft_error *err)
{
        _cleanup_(kernel_load_done) struct kernel_load types;
        _cleanup_(free_skeleton) struct mount_bpf *skeleton = NULL;
        struct bpf_program *program;
        int r = prepare(o, &types, &skeleton, err);

        if (r < 0)
                return r;
        skeleton->rodata->with_latency = latency;
        bpf_object__for_each_program(program, skeleton->obj)(void)
                bpf_program__set_autoload(program, is_wanted(program, trampolines, latency, types.types));
        r = load(skeleton, err);
        if (r < 0)
                return r;
        mount_bpf__destroy(o->counter);
        o->counter = TAKE(skeleton);
        o->trampolines = trampolines;
        o->latency = latency;
        return 0;
}

/* With trampolines nobody pays but who makes one of the calls; where the kernel refuses them (lockdown), the
 * tracepoint. */
static int have_counter(struct mounts_objects *o, enum mount_stats how, struct croft_error *err)
{
        bool latency = how == MOUNT_STATS_LATENCY;

        if (o->counter && o->latency == latency)
                return 0;
        return load_counter(o, true, latency, NULL) == 0 ? 0 : load_counter(o, false, latency, err);
}

int mounts_bpf_load(struct mounts_objects *o, enum mount_stats how, struct croft_error *err)
{
        struct mounts_info info = {0};

        return read_info(o->info, &info) == 0 && counts_so(o, &info, how) ? 0 : have_counter(o, how, err);
}

static int begin(struct mounts_objects *o, enum mount_stats how, struct croft_error *err)
{
        int r = have_counter(o, how, err);

        if (r < 0)
                return r;
        r = attach(o, o->counter, err);
        if (r < 0 && o->trampolines) { /* some kernels refuse only now */
                croft_error_clear(err);
                r = unpin(o->dir, LINK_PREFIX, err);
                if (r == 0)
                        r = load_counter(o, false, o->latency, err);
                if (r == 0)
                        r = attach(o, o->counter, err);
        }
        if (r < 0)
                (void)unpin(o->dir, LINK_PREFIX, NULL); /* nothing is better than half of it */
        return r;
}

int mounts_bpf_count(struct mounts_objects *o, enum mount_stats how, struct croft_error *err)
{
        struct mounts_info info = {0};
        __u32 key = 0;
        int r = read_info(o->info, &info);

        if (r < 0)
                return croft_error_set(err, r, "look at what counts mounts");
        if (counts_so(o, &info, how))
                return 0;
        info.mode = UINT32_MAX; /* if we die now, the next one sees that it is neither */
        if (bpf_map_update_elem(o->info, &key, &info, BPF_ANY) < 0)
                return croft_error_set(err, errno, "note what counts mounts");
        r = unpin(o->dir, LINK_PREFIX, err);
        if (r == 0 && how != MOUNT_STATS_NO)
                r = begin(o, how, err);
        if (r < 0)
                return r;
        info.mode = (uint32_t)how;
        info.digest = o->digest;
        if (bpf_map_update_elem(o->info, &key, &info, BPF_ANY) < 0)
                return croft_error_set(err, errno, "note what counts mounts");
        return 0;
}

const char *mounts_bpf_means(const struct mounts_objects *o)
{
        if (faccessat(o->dir, LINK_PREFIX "sys_exit", F_OK, 0) == 0)
                return "tracepoints";
        return faccessat(o->dir, LINK_PREFIX "exit_x64_sys_read", F_OK, 0) == 0 ? "trampolines" : "off";
}
