/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * bpf_instances.c - instances of BPF objects, as they are pinned.  See bpf.h.
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/str.h"
#include "kext/bpf.h"
#include "plane/plane_bpf.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define INSTANCES "kext"
#define LINKS "links"

/* "kext/7_drop" */
struct place {
        char path[sizeof(INSTANCES) + 24 + KEXT_NAME_MAX];
};

static struct place place_of(uint64_t partition, const char *name)
{
        struct place place;

        (void)snprintf(place.path, sizeof(place.path), INSTANCES "/%llu_%s", (unsigned long long)partition, name);
        return place;
}

static int open_directory(int bpf_dir, const char *path)
{
        int fd = openat(bpf_dir, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        return fd < 0 ? -errno : fd;
}

/* --- attach --- */

static int attach_one(int dir, int cgroup, const struct bpf_programs *programs, size_t i, struct croft_error *err)
{
        enum bpf_attach_type type = (enum bpf_attach_type)programs->list[i].attach;
        _cleanup_close_ int link = bpf_link_create(programs->list[i].fd, cgroup, type, NULL);
        char name[16];

        if (link < 0 && errno == E2BIG)
                return croft_error_set(err, ENOSPC,
                        "it has as many programs of a kind attached as the kernel lets a control group have.");
        if (link < 0)
                return croft_error_set(err, errno, "attach a program to the partition's control group");
        (void)snprintf(name, sizeof(name), "%zu", i);
        return plane_bpf_pin(dir, link, name, 0600, err);
}

static int attach_all(int dir, int cgroup, const struct bpf_programs *programs, struct croft_error *err)
{
        char number[16];
        int r = 0;

        for (size_t i = 0; r == 0 && i < programs->n; i++)
                r = attach_one(dir, cgroup, programs, i, err);
        (void)snprintf(number, sizeof(number), "%zu", programs->n);
        if (r == 0 && symlinkat(number, dir, LINKS) < 0)
                r = croft_error_set(err, errno, "pin '%s'", LINKS);
        return r;
}

int bpf_attach(int bpf_dir, uint64_t partition, const char *name, int cgroup, const struct bpf_programs *programs,
        struct croft_error *err)
{
        const struct place place = place_of(partition, name);
        _cleanup_close_ int dir = -EBADF;
        int r = bpf_detach(bpf_dir, partition, name, err);

        if (r < 0)
                return r;
        if ((mkdirat(bpf_dir, INSTANCES, 0700) < 0 && errno != EEXIST) || mkdirat(bpf_dir, place.path, 0700) < 0)
                return croft_error_set(err, errno, "make directory 'bpf/%s'", place.path);
        dir = open_directory(bpf_dir, place.path);
        r = dir < 0 ? croft_error_set(err, dir, "open directory 'bpf/%s'", place.path)
                    : attach_all(dir, cgroup, programs, err);
        if (r < 0)
                (void)bpf_detach(bpf_dir, partition, name, NULL); /* else the next one does it */
        return r;
}

/* --- detach --- */

/* Detached first: without its pin it would go some time later, in a thread of the kernel's. */
static int detach_one(int dir, const char *name, struct croft_error *err)
{
        _cleanup_close_ int link = strcmp(name, LINKS) == 0 ? -EBADF : plane_bpf_get(dir, name);

        if (link >= 0)
                (void)bpf_link_detach(link); /* one whose control group is gone isn't attached any more */
        if (unlinkat(dir, name, 0) < 0 && errno != ENOENT)
                return croft_error_set(err, errno, "unpin '%s'", name);
        return 0;
}

static int detach_all(DIR *dir, struct croft_error *err)
{
        const struct dirent *entry;
        int r = detach_one(dirfd(dir), LINKS, err); /* from here on it is half of one */

        while (r == 0 && (entry = readdir(dir)))
                if (entry->d_name[0] != '.')
                        r = detach_one(dirfd(dir), entry->d_name, err);
        return r;
}

int bpf_detach(int bpf_dir, uint64_t partition, const char *name, struct croft_error *err)
{
        const struct place place = place_of(partition, name);
        _cleanup_closedir_ DIR *dir = NULL;
        int fd = open_directory(bpf_dir, place.path), r;

        if (fd == -ENOENT)
                return 0;
        dir = fd < 0 ? NULL : fdopendir(fd);
        if (!dir) {
                r = croft_error_set(err, fd < 0 ? fd : ENOMEM, "open directory 'bpf/%s'", place.path);
                close_fd(fd);
                return r;
        }
        r = detach_all(dir, err);
        if (r == 0 && unlinkat(bpf_dir, place.path, AT_REMOVEDIR) < 0)
                r = croft_error_set(err, errno, "remove 'bpf/%s'", place.path);
        return r;
}

/* --- look --- */

static bool is_attached(int dir, unsigned int i)
{
        struct bpf_link_info info = {0};
        __u32 size = sizeof(info);
        _cleanup_close_ int link = -EBADF;
        char name[16];

        (void)snprintf(name, sizeof(name), "%u", i);
        link = plane_bpf_get(dir, name);
        return link >= 0 && bpf_obj_get_info_by_fd(link, &info, &size) == 0 && info.type == BPF_LINK_TYPE_CGROUP &&
               info.cgroup.cgroup_id != 0;
}

enum bpf_instance bpf_find(int bpf_dir, uint64_t partition, const char *name)
{
        const struct place place = place_of(partition, name);
        _cleanup_close_ int dir = open_directory(bpf_dir, place.path);
        char number[16] = "";
        uint64_t n = 0;

        if (dir < 0)
                return BPF_ABSENT;
        if (readlinkat(dir, LINKS, number, sizeof(number) - 1) < 0 || !str_to_u64(number, BPF_PROGRAMS_MAX, &n))
                return BPF_PARTIAL;
        for (unsigned int i = 0; i < n; i++)
                if (!is_attached(dir, i))
                        return BPF_PARTIAL;
        return BPF_WHOLE;
}

void bpf_each(int bpf_dir, void (*each)(void *context, uint64_t partition, const char *name), void *context)
{
        _cleanup_closedir_ DIR *dir = NULL;
        int fd = open_directory(bpf_dir, INSTANCES);
        const struct dirent *entry;

        dir = fd < 0 ? NULL : fdopendir(fd);
        if (!dir) {
                close_fd(fd);
                return;
        }
        while ((entry = readdir(dir))) {
                char number[24], name[KEXT_NAME_MAX + 1];
                size_t n = strcspn(entry->d_name, "_");
                uint64_t partition;

                if (n >= sizeof(number) || entry->d_name[n] != '_')
                        continue;
                memcpy(number, entry->d_name, n);
                number[n] = '\0';
                if (str_to_u64(number, INT64_MAX, &partition) && kext_name_normalise(entry->d_name + n + 1, name))
                        each(context, partition, name);
        }
}
