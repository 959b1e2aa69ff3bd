/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * kstats_counts.c - the programs that count the tasks of partitions (count.bpf.h): attached to tracepoints, by links
 * that are pinned under the programs' names and outlive us.
 *
 * Invariant: nothing is ever counted twice.  A link whose program is the same as ours stays as it is; another one ends
 * before ours begins, and what happens in between isn't counted.
 */
#include "kstat/kstats_private.h"

#include "base/cleanup.h"
#include "plane/plane.h"
#include "plane/plane_bpf.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <string.h>

#include "kstat.skel.h"

static const char *const pins[] = {"kstat_newtask", "kstat_exit", "kstat_exec"};

int kstat_counts_unpin(int bpf_dir, struct croft_error *err)
{
        for (size_t i = 0; i < ELEMENTS(pins); i++)
                if (unlinkat(bpf_dir, pins[i], 0) < 0 && errno != ENOENT)
                        return croft_error_set(err, errno, "unpin '%s'", pins[i]);
        return 0;
}

/* Does the link run the same as our program does?  On the same map, too: with others the links were unpinned. */
static bool runs(int link, int program)
{
        struct bpf_link_info info = {0};
        _cleanup_close_ int attached = -EBADF;
        __u32 size = sizeof(info);

        if (bpf_obj_get_info_by_fd(link, &info, &size) < 0)
                return false;
        attached = bpf_prog_get_fd_by_id(info.prog_id);
        return plane_bpf_same(attached, program);
}

static int attach(int bpf_dir, const struct bpf_program *program, struct croft_error *err)
{
        const char *name = bpf_program__name(program);
        _cleanup_close_ int before = plane_bpf_get(bpf_dir, name);
        struct bpf_link *link;
        int r;

        if (before >= 0 && runs(before, bpf_program__fd(program)))
                return 0;
        before = close_fd(before);
        if (unlinkat(bpf_dir, name, 0) < 0 && errno != ENOENT)
                return croft_error_set(err, errno, "unpin '%s'", name);
        link = bpf_program__attach(program);
        if (!link)
                return croft_error_set(err, errno, "attach '%s'", name);
        r = plane_bpf_pin(bpf_dir, bpf_link__fd(link), name, 0600, err);
        (void)bpf_link__destroy(link); /* the pin keeps it */
        return r;
}

/* What was counted once and isn't any more would be taken for a count that stands still. */
static void forget_all(int map)
{
        uint64_t key;

        while (bpf_map_get_next_key(map, NULL, &key) == 0 && bpf_map_delete_elem(map, &key) == 0)
                ;
}

void kstat_counts_begin(struct kstats *k, const struct kstat_bpf *skeleton)
{
        int bpf_dir = plane_directory(k->plane);

        k->counting = attach(bpf_dir, skeleton->progs.kstat_newtask, NULL) == 0 &&
                      attach(bpf_dir, skeleton->progs.kstat_exit, NULL) == 0 &&
                      attach(bpf_dir, skeleton->progs.kstat_exec, NULL) == 0;
        if (k->counting)
                return;
        (void)kstat_counts_unpin(bpf_dir, NULL);
        forget_all(k->maps.counts);
}
