/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * plane_pins.c - the pinned maps of a system: adopted, or made and pinned.  See plane_bpf.h.
 */
#include "plane/plane_bpf.h"

#include "base/cleanup.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static int *descriptor(struct plane_pins pins, size_t i)
{
        return (int *)(void *)((char *)pins.base + pins.list[i].place);
}

void plane_pins_init(struct plane_pins pins)
{
        for (size_t i = 0; i < pins.n; i++)
                *descriptor(pins, i) = -EBADF;
}

bool plane_pins_adopt(int bpf_dir, struct plane_pins pins, const struct bpf_object *ours)
{
        for (size_t i = 0; i < pins.n; i++) {
                int fd = plane_bpf_get(bpf_dir, pins.list[i].name);

                if (fd < 0)
                        return false;
                close_fd(*descriptor(pins, i));
                *descriptor(pins, i) = fd;
                if (!plane_bpf_map_fits(fd, bpf_object__find_map_by_name(ours, pins.list[i].name)))
                        return false;
        }
        return true;
}

int plane_pins_reuse(struct plane_pins pins, struct bpf_object *object, struct croft_error *err)
{
        for (size_t i = 0; i < pins.n; i++) {
                struct bpf_map *map = bpf_object__find_map_by_name(object, pins.list[i].name);
                int r = bpf_map__reuse_fd(map, *descriptor(pins, i));

                if (r < 0)
                        return croft_error_set(err, r, "adopt pinned map '%s'", pins.list[i].name);
        }
        return 0;
}

int plane_pins_take(struct plane_pins pins, const struct bpf_object *object, struct croft_error *err)
{
        for (size_t i = 0; i < pins.n; i++) {
                const struct bpf_map *map = bpf_object__find_map_by_name(object, pins.list[i].name);
                int fd = fcntl(bpf_map__fd(map), F_DUPFD_CLOEXEC, 3);

                if (fd < 0)
                        return croft_error_set(err, errno, "keep map '%s'", pins.list[i].name);
                *descriptor(pins, i) = fd;
        }
        return 0;
}

int plane_pins_pin(int bpf_dir, struct plane_pins pins, struct croft_error *err)
{
        int r = 0;

        for (size_t i = 0; r == 0 && i < pins.n; i++)
                r = plane_bpf_pin(bpf_dir, *descriptor(pins, i), pins.list[i].name, 0600, err);
        return r;
}

int plane_pins_unpin(int bpf_dir, struct plane_pins pins, struct croft_error *err)
{
        for (size_t i = pins.n; i-- > 0;)
                if (unlinkat(bpf_dir, pins.list[i].name, 0) < 0 && errno != ENOENT)
                        return croft_error_set(err, errno, "unpin '%s'", pins.list[i].name);
        return 0;
}

void plane_pins_close(struct plane_pins pins)
{
        for (size_t i = 0; i < pins.n; i++)
                *descriptor(pins, i) = close_fd(*descriptor(pins, i));
}

int plane_unpin_program(int directory, const char *name, struct croft_error *err)
{
        char next[48];

        (void)snprintf(next, sizeof(next), "%s_new", name);
        if ((unlinkat(directory, name, 0) < 0 && errno != ENOENT) ||
                (unlinkat(directory, next, 0) < 0 && errno != ENOENT))
                return croft_error_set(err, errno, "unpin '%s'", name);
        return 0;
}

/* Is it one of that kind on that control group?  One that was removed has none. */
static bool is_on(int link, int cgroup_fd, int type)
{
        struct bpf_link_info info = {0};
        __u32 size = sizeof(info);
        struct stat st;

        return bpf_obj_get_info_by_fd(link, &info, &size) == 0 && fstat(cgroup_fd, &st) == 0 &&
               info.type == BPF_LINK_TYPE_CGROUP && info.cgroup.attach_type == (uint32_t)type &&
               info.cgroup.cgroup_id == st.st_ino; /* kernfs: the same number */
}

int plane_bpf_attach(int bpf_dir, int program, int cgroup_fd, int type, const char *name, struct croft_error *err)
{
        _cleanup_close_ int link = plane_bpf_get(bpf_dir, name);

        if (link >= 0 && is_on(link, cgroup_fd, type) && bpf_link_update(link, program, NULL) == 0)
                return 0;
        link = close_fd(link);
        if (unlinkat(bpf_dir, name, 0) < 0 && errno != ENOENT)
                return croft_error_set(err, errno, "unpin '%s'", name);
        link = bpf_link_create(program, cgroup_fd, (enum bpf_attach_type)type, NULL);
        if (link < 0)
                return croft_error_set(err, errno, "attach a program to the control group of all partitions");
        return plane_bpf_pin(bpf_dir, link, name, 0600, err);
}
