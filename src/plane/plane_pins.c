/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * plane_pins.c - the pinned maps of a system: adopted, or made and pinned.  See plane_bpf.h.
 */
#include "plane/plane_bpf.h"

#include "base/cleanup.h"

#include <bpf/libbpf.h>
#include <fcntl.h>
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
