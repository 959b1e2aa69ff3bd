/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * kstats_sockopt.c - the programs that answer by socket options: attached to the control group that all partitions are
 * in, beside the pinned ones that bpf(2) runs.  See kstat.bpf.h.
 *
 * Pins: `kstat_requests`, then a link for each program, which is what keeps it attached.  A link that is on our control
 * group gets our program in the place of the old one in one step, and the map is adopted, so that callers who have
 * asked and not yet been answered notice nothing.  Invariant: both programs are attached, or none is.
 */
#include "kstat/kstats_private.h"

#include "base/cleanup.h"
#include "plane/plane.h"
#include "plane/plane_bpf.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "kstat.skel.h"

#define REQUESTS "kstat_requests"
#define SETTER "kstat_setsockopt"
#define GETTER "kstat_getsockopt"

void kstat_sockopt_init(struct kstat_sockopt *s)
{
        *s = (struct kstat_sockopt){.setter = -EBADF, .getter = -EBADF, .requests = -EBADF};
}

void kstat_sockopt_done(struct kstat_sockopt *s)
{
        s->setter = close_fd(s->setter);
        s->getter = close_fd(s->getter);
        s->requests = close_fd(s->requests);
}

/* --- with the other programs --- */

void kstat_sockopt_leave_out(struct kstat_bpf *skeleton)
{
        /* Before loading these can't fail. */
        (void)bpf_program__set_autoload(skeleton->progs.kstat_setsockopt, false);
        (void)bpf_program__set_autoload(skeleton->progs.kstat_getsockopt, false);
        (void)bpf_map__set_autocreate(skeleton->maps.kstat_requests, false);
}

/* The one that is attached, if it is the same as ours: that one is kept, and ours isn't loaded. */
static void keep_getter(struct kstats *k, const struct kstat_bpf *skeleton)
{
        _cleanup_close_ int link = plane_bpf_get(plane_directory(k->plane), GETTER), program = -EBADF;
        struct bpf_link_info info = {0};
        __u32 size = sizeof(info);

        if (link < 0 || bpf_obj_get_info_by_fd(link, &info, &size) < 0)
                return;
        program = bpf_prog_get_fd_by_id(info.prog_id);
        if (!plane_kept_is(plane_directory(k->plane), GETTER, program, k->stamp))
                return;
        k->sockopt.getter = TAKE_FD(program);
        (void)bpf_program__set_autoload(skeleton->progs.kstat_getsockopt, false); /* not loaded yet: can't fail */
}

int kstat_sockopt_adopt(struct kstats *k, struct kstat_bpf *skeleton, bool adopted, struct croft_error *err)
{
        _cleanup_close_ int fd = plane_bpf_get(plane_directory(k->plane), REQUESTS);
        int r;

        k->sockopt.getter = close_fd(k->sockopt.getter);
        if (!bpf_map__autocreate(skeleton->maps.kstat_requests))
                return 0;
        if (fd < 0 || !plane_bpf_map_fits(fd, skeleton->maps.kstat_requests))
                return 0; /* its pin is replaced */
        if (adopted)      /* else it answers from other maps */
                keep_getter(k, skeleton);
        r = bpf_map__reuse_fd(skeleton->maps.kstat_requests, fd);
        return r < 0 ? croft_error_set(err, r, "adopt '%s'", REQUESTS) : 0;
}

static int keep(int fd, int *ret, struct croft_error *err)
{
        *ret = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        return *ret < 0 ? croft_error_set(err, errno, "keep a program") : 0;
}

int kstat_sockopt_take(struct kstats *k, const struct kstat_bpf *skeleton, struct croft_error *err)
{
        struct kstat_sockopt *s = &k->sockopt;
        int r = keep(bpf_program__fd(skeleton->progs.kstat_setsockopt), &s->setter, err);

        if (r == 0 && s->getter < 0)
                r = keep(bpf_program__fd(skeleton->progs.kstat_getsockopt), &s->getter, err);
        if (r == 0)
                r = keep(bpf_map__fd(skeleton->maps.kstat_requests), &s->requests, err);
        return r;
}

/* --- pins --- */

int kstat_sockopt_unpin(int bpf_dir, struct croft_error *err)
{
        static const char *const pins[] = {SETTER, GETTER, REQUESTS}; /* without a setter nothing is asked any more */

        for (size_t i = 0; i < ELEMENTS(pins); i++)
                if (unlinkat(bpf_dir, pins[i], 0) < 0 && errno != ENOENT)
                        return croft_error_set(err, errno, "unpin '%s'", pins[i]);
        return 0;
}

static uint32_t map_id(int fd)
{
        struct bpf_map_info info = {0};
        __u32 size = sizeof(info);

        return fd >= 0 && bpf_obj_get_info_by_fd(fd, &info, &size) == 0 ? info.id : 0;
}

static int pin_requests(int bpf_dir, int ours, struct croft_error *err)
{
        _cleanup_close_ int theirs = plane_bpf_get(bpf_dir, REQUESTS);

        if (map_id(ours) != 0 && map_id(ours) == map_id(theirs))
                return 0;
        if (unlinkat(bpf_dir, REQUESTS, 0) < 0 && errno != ENOENT)
                return croft_error_set(err, errno, "unpin '%s'", REQUESTS);
        return plane_bpf_pin(bpf_dir, ours, REQUESTS, 0600, err);
}

int kstats_attach(struct kstats *k, int cgroup_fd, struct croft_error *err)
{
        int bpf_dir = plane_directory(k->plane), r;

        if (k->sockopt.setter < 0) {
                (void)kstat_sockopt_unpin(bpf_dir, NULL); /* of an earlier croftd */
                return croft_error_set(err, EOPNOTSUPP,
                        "this kernel can't run programs for socket options that know the caller (6.1 can).");
        }
        r = pin_requests(bpf_dir, k->sockopt.requests, err);
        if (r == 0) /* first the one that answers */
                r = plane_bpf_attach(bpf_dir, k->sockopt.getter, cgroup_fd, BPF_CGROUP_GETSOCKOPT, GETTER, err);
        if (r == 0)
                r = plane_bpf_attach(bpf_dir, k->sockopt.setter, cgroup_fd, BPF_CGROUP_SETSOCKOPT, SETTER, err);
        if (r < 0)
                (void)kstat_sockopt_unpin(bpf_dir, NULL); /* half a way costs as much as a whole one */
        else
                plane_kept_note(bpf_dir, GETTER, k->sockopt.getter, k->stamp);
        return r;
}
