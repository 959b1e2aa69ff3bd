/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * autoload.c - see autoload.h.
 *
 * Invariant: from the first croftd's start to the end of the last there is a gate.  One that was made from the same is
 * kept; another takes its place in one step, after the maps into which it tells are pinned.
 */
#include "kext/autoload.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "kernel/load.h"
#include "plane/plane.h"
#include "plane/plane_bpf.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "autoload.skel.h"

struct autoload {
        struct plane *plane; /* borrowed */
        int books, larvals, told;
};

static const struct plane_pin pins[] = {
        {"autoload_books", offsetof(struct autoload, books)},
        {"autoload_larvals", offsetof(struct autoload, larvals)},
        {"autoload_told", offsetof(struct autoload, told)},
};

static const char *const links[] = {"autoload_gate", "autoload_cipher"};

static struct plane_pins pins_of(struct autoload *a)
{
        return (struct plane_pins){.list = pins, .n = ELEMENTS(pins), .base = a};
}

static void free_skeleton(struct autoload_bpf **skeleton)
{
        autoload_bpf__destroy(*skeleton);
}

int autoload_remove(struct autoload *a, struct croft_error *err)
{
        int r = 0;

        for (size_t i = 0; r == 0 && i < ELEMENTS(links); i++)
                r = plane_unpin_program(plane_directory(a->plane), links[i], err);
        return r < 0 ? r : plane_pins_unpin(plane_directory(a->plane), pins_of(a), err);
}

/* Once the maps are there: a gate that tells into others isn't the same. */
static uint64_t stamp_of(const struct autoload *a, const struct autoload_bpf *skeleton)
{
        const uint64_t told = plane_kept_begin(a->told);
        uint64_t stamp = plane_kept_stamp(plane_kept_begin(plane_partitions(a->plane)), &told, sizeof(told));
        size_t size;
        const void *bytes = autoload_bpf__elf_bytes(&size);

        stamp = plane_kept_stamp(stamp, bytes, size);
        return plane_kept_stamp(stamp, skeleton->rodata, sizeof(*skeleton->rodata));
}

/* The program of a pinned link, a descriptor, or a negative errno. */
static int attached(const struct autoload *a, const char *name)
{
        _cleanup_close_ int link = plane_bpf_get(plane_directory(a->plane), name);
        struct bpf_link_info info = {0};
        __u32 size = sizeof(info);
        int fd;

        if (link < 0)
                return link;
        if (bpf_obj_get_info_by_fd(link, &info, &size) < 0 || info.type != BPF_LINK_TYPE_TRACING)
                return -EINVAL;
        fd = bpf_prog_get_fd_by_id(info.prog_id);
        return fd < 0 ? -errno : fd;
}

/* Is what is attached the same as ours?  Then it stays (docs/adr/0042). */
static bool is_kept(const struct autoload *a, const struct autoload_bpf *skeleton)
{
        const uint64_t stamp = stamp_of(a, skeleton);

        for (size_t i = 0; i < ELEMENTS(links); i++) {
                _cleanup_close_ int program = attached(a, links[i]);

                if (!plane_kept_is(plane_directory(a->plane), links[i], program, stamp))
                        return false;
        }
        return true;
}

/* In the place of the one before: for a moment both are asked, and the first that refuses is the last. */
static int attach(const struct autoload *a, const struct autoload_bpf *skeleton, const struct bpf_program *program,
        struct croft_error *err)
{
        struct bpf_link *link = bpf_program__attach(program);
        int r;

        if (!link)
                return croft_error_set(err, errno, "attach '%s'", bpf_program__name(program));
        r = plane_bpf_replace(plane_directory(a->plane), bpf_link__fd(link), bpf_program__name(program), 0600, err);
        (void)bpf_link__destroy(link); /* the pin keeps it */
        if (r == 0)
                plane_kept_note(plane_directory(a->plane), bpf_program__name(program), bpf_program__fd(program),
                        stamp_of(a, skeleton));
        return r;
}

static int load(struct autoload *a, struct autoload_bpf *skeleton, bool adopted, struct croft_error *err)
{
        int r = bpf_map__reuse_fd(skeleton->maps.partitions, plane_partitions(a->plane));

        if (r < 0)
                return croft_error_set(err, r, "adopt the map of partitions");
        r = adopted ? plane_pins_reuse(pins_of(a), skeleton->obj, err) : 0;
        if (r < 0)
                return r;
        r = autoload_bpf__load(skeleton);
        if (r < 0)
                return plane_bpf_explain(r, err);
        if (!adopted)
                r = plane_pins_take(pins_of(a), skeleton->obj, err);
        if (r == 0 && !adopted)
                r = plane_pins_pin(plane_directory(a->plane), pins_of(a), err);
        if (r == 0)
                r = attach(
                        a, skeleton, skeleton->progs.autoload_cipher, err); /* first: the gate asks what it has noted */
        return r < 0 ? r : attach(a, skeleton, skeleton->progs.autoload_gate, err);
}

static int open_all(struct autoload *a, struct croft_error *err)
{
        _cleanup_(kernel_load_done) struct kernel_load types;
        _cleanup_(free_skeleton) struct autoload_bpf *skeleton = NULL;
        int r = kernel_load_begin(&types, err);
        bool adopted;

        if (r < 0)
                return r;
        skeleton = autoload_bpf__open_opts(&types.options);
        if (!skeleton)
                return croft_error_set(err, errno, "open BPF programs");
        r = kernel_load_types(&types, skeleton->obj, err);
        if (r < 0)
                return r;
        skeleton->rodata->partition_level = plane_level(a->plane);
        adopted = plane_pins_adopt(plane_directory(a->plane), pins_of(a), skeleton->obj);
        if (!adopted) {
                plane_pins_close(pins_of(a));
                r = plane_pins_unpin(
                        plane_directory(a->plane), pins_of(a), err); /* the gate before refuses until then */
        }
        if (r < 0 || (adopted && is_kept(a, skeleton)))
                return r;
        return load(a, skeleton, adopted, err);
}

bool autoload_is_needed(void)
{
        return access("/proc/sys/kernel/modprobe", F_OK) == 0;
}

int autoload_open(struct plane *plane, struct autoload **ret, struct croft_error *err)
{
        _cleanup_(autoload_freep) struct autoload *a = NULL;
        int r;

        *ret = NULL;
        if (!autoload_is_needed())
                return 0;
        a = calloc(1, sizeof(*a));
        if (!a)
                return croft_error_set(err, ENOMEM, "guard what the kernel loads by itself");
        a->plane = plane;
        plane_pins_init(pins_of(a));
        r = open_all(a, err);
        if (r < 0)
                return croft_error_prefix(err, "guard what the kernel loads by itself");
        *ret = TAKE(a);
        return 0;
}

struct autoload *autoload_free(struct autoload *a)
{
        if (a)
                plane_pins_close(pins_of(a));
        free(a);
        return NULL;
}

void autoload_freep(struct autoload **a)
{
        *a = autoload_free(*a);
}

int autoload_fd(const struct autoload *a)
{
        return a->told; /* can be polled itself */
}

/* While they are read. */
struct reading {
        void (*f)(void *context, const struct autoload_ask *ask);
        void *context;
};

static int take(void *context, void *data, size_t size)
{
        const struct reading *reading = context;

        if (size >= sizeof(struct autoload_ask))
                reading->f(reading->context, data);
        return 0;
}

void autoload_read(const struct autoload *a, void (*f)(void *context, const struct autoload_ask *ask), void *context)
{
        struct reading reading = {f, context};
        struct ring_buffer *ring = ring_buffer__new(a->told, take, &reading, NULL);

        if (!ring)
                return; /* they wait */
        (void)ring_buffer__consume(ring);
        ring_buffer__free(ring);
}

void autoload_forget(const struct autoload *a, uint64_t partition)
{
        (void)bpf_map_delete_elem(a->books, &partition);
}

void autoload_say(const struct autoload_ask *ask, struct croft_error *ret)
{
        char alias[4 * AUTOLOAD_ALIAS + 1];

        if (!ask->alias[0]) {
                (void)croft_error_set(ret, EPERM, "it made the kernel look for more modules than are listed here.");
                return;
        }
        str_escape(alias, sizeof(alias), ask->alias, strnlen(ask->alias, sizeof(ask->alias)));
        (void)croft_error_set(ret, EPERM,
                "it made the kernel look for module '%s'; that is refused (modprobe it to let partitions use it).",
                alias);
}

void autoload_note(const struct autoload_ask *ask, char ret[AUTOLOAD_NOTE])
{
        char alias[4 * AUTOLOAD_ALIAS + 1];

        str_escape(alias, sizeof(alias), ask->alias, strnlen(ask->alias, sizeof(ask->alias)));
        (void)snprintf(ret, AUTOLOAD_NOTE, "the kernel looked for module '%s' for what croft did for it", alias);
}
