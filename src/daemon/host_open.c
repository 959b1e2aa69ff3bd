/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * host_open.c - makes what all partitions share.  See host_open.h.
 */
#include "daemon/host_open.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "devid/devid.h"
#include "errlog/errlog.h"
#include "image/image.h"
#include "kernel/cgroup.h"
#include "kernel/probe.h"
#include "kernel/seccomp.h"
#include "kernel/types.h"
#include "kext/autoload.h"
#include "kstat/kstat.h"
#include "kstat/mount_watch.h"
#include "kstat/objects.h"
#include "kstat/view.h"
#include "plane/plane.h"

#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#define CGROUPS_FILE "cgroups" /* of the state directory: cgroup_tree_own() */
#define CGROUPS_MAX 65536
#define LOCK_PATIENCE_MS 3000

/* Opens a directory of ours, making it and its parents. It must be root's alone. */
static int open_directory(int at, const char *path, mode_t mode, struct croft_error *err)
{
        int fd, r = fd_make_dirs(path[0] == '/' ? AT_FDCWD : at, path, mode, err);

        if (r < 0)
                return r;
        fd = fd_open2(at, path, O_RDONLY | O_DIRECTORY, 0, 0);
        return fd < 0 ? croft_error_set(err, fd, "open '%s'", path) : fd;
}

/* A child that one before us, killed, was just about to start has the lock's descriptor until it execs or dies. */
static int lock(int fd, const char *path, struct croft_error *err)
{
        const struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};
        int64_t until = now_ms() + LOCK_PATIENCE_MS;

        while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
                if (errno != EWOULDBLOCK)
                        return croft_error_set(err, errno, "lock '%s'", path);
                if (now_ms() >= until)
                        return croft_error_set(err, EBUSY, "another croftd uses '%s'.", path);
                (void)nanosleep(&pause, NULL);
        }
        return 0;
}

static int lock_state(struct daemon_host *h, const char *path, struct croft_error *err)
{
        int fd = fd_open2(h->host.state_dir, "lock", O_RDWR | O_CREAT | O_NOFOLLOW, 0600, 0);

        if (fd < 0)
                return croft_error_set(err, fd, "open '%s/lock'", path);
        h->lock = fd;
        return lock(fd, path, err);
}

static int open_state(struct daemon_host *h, const char *path, struct croft_error *err)
{
        struct host *host = &h->host;
        int r;

        host->state_dir = open_directory(AT_FDCWD, path, 0700, err);
        if (host->state_dir < 0)
                return host->state_dir;
        if (fchmod(host->state_dir, 0700) < 0)
                return croft_error_set(err, errno, "change the mode of '%s'", path);
        r = lock_state(h, path, err);
        if (r == 0)
                r = store_open(host->state_dir, &h->store, err); /* before partitions/ is made: it looks for that */
        if (r < 0)
                return r;
        (void)str_copy(host->tag, sizeof(host->tag), store_tag(h->store));
        r = fd_make_dirs(host->state_dir, "tmp", 0700, err);
        if (r < 0)
                return r;
        host->partitions_dir = open_directory(host->state_dir, "partitions", 0700, err);
        return host->partitions_dir < 0 ? host->partitions_dir : 0;
}

static int open_run(struct daemon_host *h, const char *path, struct croft_error *err)
{
        struct host *host = &h->host;
        int r;

        host->run_dir = open_directory(AT_FDCWD, path, 0700, err);
        if (host->run_dir < 0)
                return host->run_dir;
        /* Else one with another state would take our socket and our wardens' away.  The directory itself: no file
         * stays. */
        r = lock(host->run_dir, path, err);
        if (r < 0)
                return r;
        host->wardens_dir = open_directory(host->run_dir, "w", 0700, err);
        return host->wardens_dir < 0 ? host->wardens_dir : 0;
}

/* Where this program lies: its helpers lie beside it in the build and when installed in LIBEXECDIR. */
static int find_helper(const char *name, char *buf, size_t size, struct croft_error *err)
{
        ssize_t n = readlink("/proc/self/exe", buf, size);
        char *slash;

        if (n < 0 || (size_t)n >= size)
                return croft_error_set(err, n < 0 ? errno : ENAMETOOLONG, "find this program's place");
        buf[n] = '\0';
        slash = strrchr(buf, '/');
        (void)snprintf(slash + 1, size - (size_t)(slash + 1 - buf), "%s", name);
        if (access(buf, F_OK) == 0)
                return 0;
        (void)snprintf(buf, size, "%s/%s", CROFT_LIBEXECDIR, name);
        return access(buf, F_OK) == 0 ? 0 : croft_error_set(err, errno, "find '%s'", name);
}

static int open_tools(struct daemon_host *h, const char *path, struct croft_error *err)
{
        char found[4096];
        int r = 0;

        if (!path) {
                r = find_helper("tools", found, sizeof(found), NULL);
                path = found;
        }
        if (r < 0) { /* a build without them: partitions see an empty directory */
                h->host.tools_dir = open_directory(h->host.run_dir, "tools", 0755, err);
                if (h->host.tools_dir >= 0 && fchmod(h->host.tools_dir, 0755) < 0)
                        return croft_error_set(err, errno, "change the mode of 'tools'");
                return h->host.tools_dir < 0 ? h->host.tools_dir : 0;
        }
        h->host.tools_dir = fd_open2(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0, 0);
        if (h->host.tools_dir < 0)
                return croft_error_set(err, h->host.tools_dir, "open the partitions' tools in '%s'", path);
        return 0;
}

/* Partitions stay where they were made, even if this croftd was started from another cgroup than the one before. */
static int open_cgroups(struct host *host, const char *cgroup, struct croft_error *err)
{
        _cleanup_free_ char *before = NULL;
        const char *own;
        int r;

        if (!cgroup)
                (void)fd_read_file(
                        host->state_dir, CGROUPS_FILE, CGROUPS_MAX, &before, NULL); /* none: the first start */
        r = cgroup_tree_open(host->tag, cgroup ? cgroup : before, &host->cgroups, err);
        if (r < 0)
                return r;
        own = cgroup_tree_own(host->cgroups);
        if (before && strcmp(before, own) == 0)
                return 0;
        return fd_replace_file(host->state_dir, CGROUPS_FILE, own, strlen(own), 0600, err);
}

static int note_one(uint64_t id, void *context)
{
        (void)id;
        (void)context;
        return 1;
}

/* Without an essential feature no partition can start: said now, not at the first start.  Partitions that run already
 * show that the kernel can, so that what fails now is a shortage, and they need their croftd. */
static int check_kernel(const struct host *host, struct croft_error *err)
{
        struct probe_result blocker;

        if (cgroup_each(host->cgroups, note_one, NULL, NULL) == 1 ||
                !probe_essential(host->state_dir, host->cgroups, &blocker))
                return 0;
        return croft_error_set(
                err, EOPNOTSUPP, "partitions can't run here: %s (%s): %s.", blocker.name, blocker.use, blocker.detail);
}

/* The parts that need this one lack for the same reason. */
static void lack_from(struct host *host, enum host_part first)
{
        for (int i = first + 1; i <= HOST_MOUNTS; i++)
                host->lacks[i] = host->lacks[first];
}

static void open_sampler(struct host *host)
{
        const struct kstat_place machine = {.init = getpid(), .tag = host->tag, .level = plane_level(host->plane)};
        struct croft_error *why = &host->lacks[HOST_SAMPLER];

        if (kstats_open_sampler(host->kstats, &host->sampler, why) < 0)
                host->sampler = NULL;
        else if (kstats_find_objects(host->sampler, &machine, NULL, why) < 0)
                host->sampler = kstat_sampler_free(host->sampler);
}

/* Where it isn't enforced, nodes of others can still not be made inside. */
static void open_devid(struct host *host)
{
        struct croft_error *why = &host->lacks[HOST_DEVID];

        if (devid_open(host->plane, &host->devid, why) < 0 ||
                devid_enforce(host->devid, cgroup_tree_unified(host->cgroups), why) < 0)
                host->devid = devid_free(host->devid);
}

/* What partitions show of themselves; they run without it, too, with less to see: told by `croft check`. */
static void open_plane(struct host *host)
{
        unsigned int level = cgroup_tree_level(host->cgroups);

        if (plane_open(host->run_dir, host->tag, level, &host->plane, &host->lacks[HOST_PLANE]) < 0) {
                host->plane = NULL;
                lack_from(host, HOST_PLANE);
                host->lacks[HOST_ERRLOG] = host->lacks[HOST_PLANE];
                host->lacks[HOST_DEVID] = host->lacks[HOST_PLANE];
                if (autoload_is_needed())
                        host->lacks[HOST_AUTOLOAD] = host->lacks[HOST_PLANE];
                return;
        }
        if (errlog_open(host->plane, &host->errlog, &host->lacks[HOST_ERRLOG]) < 0)
                host->errlog = NULL;
        if (autoload_open(host->plane, &host->autoload, &host->lacks[HOST_AUTOLOAD]) < 0)
                host->autoload = NULL;
        open_devid(host);
        if (kstats_open(host->plane, &host->kstats, &host->lacks[HOST_KSTATS]) < 0) {
                host->kstats = NULL;
                lack_from(host, HOST_KSTATS);
                return;
        }
        if (mount_watch_open(host->run_dir, plane_level(host->plane), host->kstats, &host->mounts,
                    &host->lacks[HOST_MOUNTS]) < 0)
                host->mounts = NULL;
        open_sampler(host);
}

static int open_kernel(struct daemon_host *h, const char *cgroup, struct croft_error *err)
{
        _cleanup_(kernel_types_unrefp) struct kernel_types *types = NULL; /* held for all that want some of them here */
        struct host *host = &h->host;
        int r = open_cgroups(host, cgroup, err);

        (void)kernel_types_ref(&types, NULL); /* who needs them says so */
        if (r == 0)
                r = check_kernel(host, err);
        if (r < 0)
                return r;
        host->base_filter = seccomp_build_base(SECCOMP_TOLD_MODULES, err);
        if (host->base_filter < 0)
                return host->base_filter;
        host->mount_base_filter = seccomp_build_base(SECCOMP_TOLD_MOUNTS | SECCOMP_TOLD_MODULES, err);
        if (host->mount_base_filter < 0)
                return host->mount_base_filter;
        host->warden_filter = seccomp_build_warden(err);
        if (host->warden_filter < 0)
                return host->warden_filter;
        host->broker_filter = seccomp_build_broker(err);
        if (host->broker_filter < 0)
                return host->broker_filter;
        host->notify_filter = seccomp_build_notify(0, &host->lacks[HOST_INTERCEPTION]); /* or none */
        host->loop_filter = seccomp_build_notify(SECCOMP_TOLD_LOOPS, NULL);
        host->mount_filter = seccomp_build_notify(SECCOMP_TOLD_LOOPS | SECCOMP_TOLD_MOUNTS, NULL);
        host->facts = view_facts_memfd(err);
        if (host->facts < 0)
                return host->facts;
        open_plane(host);
        return 0;
}

static int open_all(const struct host_options *options, struct daemon_host *h, struct croft_error *err)
{
        char worker[4096];
        int r = open_state(h, options->state_dir, err);

        if (r == 0)
                r = open_run(h, options->run_dir, err);
        if (r == 0)
                r = find_helper("croft-warden", h->warden_path, sizeof(h->warden_path), err);
        if (r == 0)
                r = find_helper("croft-kext", h->kext_path, sizeof(h->kext_path), err);
        if (r == 0)
                r = find_helper("croft-image", worker, sizeof(worker), err);
        if (r == 0)
                r = open_tools(h, options->tools_dir, err);
        if (r == 0)
                r = open_kernel(h, options->cgroup, err);
        if (r == 0)
                r = image_store_open(h->host.state_dir, worker, &h->host.images, err);
        h->host.warden_path = h->warden_path;
        h->host.kext_path = h->kext_path;
        return r;
}

int daemon_host_open(const struct host_options *options, struct daemon_host *ret, struct croft_error *err)
{
        int r;

        *ret = (struct daemon_host){.lock = -EBADF};
        ret->host = (struct host){.state_dir = -EBADF,
                .run_dir = -EBADF,
                .partitions_dir = -EBADF,
                .wardens_dir = -EBADF,
                .tools_dir = -EBADF,
                .base_filter = -EBADF,
                .mount_base_filter = -EBADF,
                .warden_filter = -EBADF,
                .broker_filter = -EBADF,
                .notify_filter = -EBADF,
                .loop_filter = -EBADF,
                .mount_filter = -EBADF,
                .facts = -EBADF,
                .config_dir = options->config_dir,
                .cdi_dirs = options->cdi_dirs};
        r = open_all(options, ret, err);
        if (r < 0 && ret->host.cgroups)
                (void)cgroup_tree_remove(ret->host.cgroups, NULL); /* it stays where there are partitions */
        if (r < 0)
                daemon_host_close(ret, false);
        return r;
}

/* What lies in the kernel and in RUN stands for partitions; without any it goes. */
static void tidy_up(struct host *host)
{
        struct croft_error err = CROFT_ERROR_INIT;
        bool recorded, given;

        host->mounts = mount_watch_free(host->mounts);
        if (host->kstats && kstats_remove(host->kstats, &err) < 0)
                log_error(LOG_LEVEL_WARNING, &err, "the statistics stay in the kernel");
        recorded = host->errlog && errlog_remove(host->errlog, &err) < 0;
        if (recorded && err.code != EBUSY) /* what is on record outlives us */
                log_error(LOG_LEVEL_WARNING, &err, "the record of errors stays in the kernel");
        given = host->devid && devid_remove(host->devid, &err) < 0;
        if (given && err.code != EBUSY) /* what global has taken outlives us, too */
                log_error(LOG_LEVEL_WARNING, &err, "the table of device numbers stays in the kernel");
        if (host->autoload && autoload_remove(host->autoload, &err) < 0)
                log_error(LOG_LEVEL_WARNING, &err, "what guards the kernel's own loads stays in the kernel");
        if (host->plane && !recorded && !given && plane_remove(host->plane, &err) < 0)
                log_error(LOG_LEVEL_WARNING, &err, "the kernel plane stays");
        if (host->cgroups && cgroup_tree_remove(host->cgroups, &err) < 0)
                log_error(LOG_LEVEL_WARNING, &err, "croft's control groups stay");
        (void)unlinkat(host->run_dir, "w", AT_REMOVEDIR);
        (void)unlinkat(host->run_dir, "tools", AT_REMOVEDIR);
}

void daemon_host_close(struct daemon_host *h, bool clean)
{
        struct host *host = &h->host;

        if (clean)
                tidy_up(host);
        host->mounts = mount_watch_free(host->mounts);
        host->sampler = kstat_sampler_free(host->sampler);
        host->kstats = kstats_free(host->kstats);
        host->devid = devid_free(host->devid);
        host->errlog = errlog_free(host->errlog);
        host->autoload = autoload_free(host->autoload);
        host->plane = plane_free(host->plane);
        host->images = image_store_free(host->images);
        host->cgroups = cgroup_tree_free(host->cgroups);
        h->store = store_close(h->store);
        close_fd(host->base_filter);
        close_fd(host->mount_base_filter);
        close_fd(host->warden_filter);
        close_fd(host->broker_filter);
        close_fd(host->notify_filter);
        close_fd(host->loop_filter);
        close_fd(host->mount_filter);
        close_fd(host->facts);
        close_fd(host->tools_dir);
        close_fd(host->wardens_dir);
        close_fd(host->partitions_dir);
        close_fd(host->run_dir);
        close_fd(host->state_dir);
        h->lock = close_fd(h->lock);
}
