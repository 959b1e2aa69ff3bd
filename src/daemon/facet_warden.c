/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * facet_warden.c - a partition's processes: its warden, which is there first and prepares a root (facet_spawn), is told
 * to make PID 1 (facet_launch), has done so (facet_warden), and lets init go (start); the end of both (stop, release).
 *
 * croftd keeps its own proofs: PID 1 is known by a pidfd whose process is in the partition's cgroup, not by what the
 * warden says; its end is seen on that pidfd.  The warden's pid is recorded before it is told anything, so that the
 * next croftd finds it.
 */
#include "daemon/facet_warden.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/sock.h"
#include "daemon/life_broker.h"
#include "daemon/warden_link.h"
#include "image/image.h"
#include "kernel/affinity.h"
#include "kernel/mount.h"
#include "kernel/notify.h"
#include "kernel/process.h"
#include "partition/facet_cgroup.h"
#include "partition/init_command.h"
#include "plane/plane.h"

#include <linux/openat2.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

#define QUIT_MS 1000   /* a warden has its log to write */
#define EMPTY_MS 10000 /* for the kernel to take processes apart: core dumps, big address spaces */
#define HINDERED_MS 1000
#define LOOKS 3 /* at what an init understands */

static void socket_name(const struct partition *p, char name[32])
{
        (void)snprintf(name, 32, "%ju.sock", (uintmax_t)p->def.id);
}

/* --- what a launch needs -------------------------------------------------------------------------------------------
 */

/* Has the root an init of its own?  A native one sees the host's /usr. */
static bool has_own_init(const struct partition *p, int lower)
{
        int fd = fd_open2(lower, "sbin/init", O_PATH, 0, RESOLVE_IN_ROOT);

        if (fd < 0 && p->def.native)
                fd = fd_open2(AT_FDCWD, "/usr/sbin/init", O_PATH, 0, 0);
        close_fd(fd);
        return fd >= 0;
}

static int make_environment(const struct partition *p, const char *init, char ***ret)
{
        for (const struct property *property = p->def.properties; property; property = property->next) {
                _cleanup_free_ char *text = NULL;
                int r;

                if (!str_has_prefix(property->key, "env."))
                        continue;
                if (asprintf(&text, "%s=%s", property->key + 4, property->value) < 0) {
                        text = NULL;
                        return -ENOMEM;
                }
                r = strv_append(ret, text);
                if (r < 0)
                        return r;
        }
        /* A program as init finds others by it; an init of a system sets its own. */
        if (!property_get(p->def.properties, "env.PATH") &&
                strv_append(ret, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin") < 0)
                return -ENOMEM;
        /* Written by the warden where there are views (root.c); what isn't there is passed over. */
        if (strcmp(init, INIT_ROOTS) == 0 && !property_get(p->def.properties, "env.SYSTEMD_UNIT_PATH") &&
                strv_append(ret, "SYSTEMD_UNIT_PATH=/run/croft/systemd:") < 0)
                return -ENOMEM;
        return strv_append(ret, "container=croft");
}

static int make_spec(struct partition *p, int lower, struct launch_spec *ret, struct croft_error *err)
{
        const char *hostname = property_get(p->def.properties, "hostname");
        const char *nofile = property_get(p->def.properties, "rlimit.nofile");
        const char *memory = property_get(p->def.properties, "memory.max");
        int r;

        *ret = (struct launch_spec){.id = p->def.id,
                .uid_base = p->def.uid_base,
                .uid_count = PARTITION_IDS,
                .own_network = true,
                .modules = p->host->has_grants && p->host->has_grants(p),
                .joins = cgroup_tree_has_v1(p->host->cgroups)};
        (void)str_copy(ret->name, sizeof(ret->name), p->def.name);
        (void)str_copy(ret->hostname, sizeof(ret->hostname), hostname ? hostname : p->def.name);
        if (memory && strcmp(memory, "max") != 0)
                (void)str_to_u64(memory, UINT64_MAX, &ret->memory_bytes);
        if (nofile)
                (void)str_to_u64(nofile, UINT64_MAX, &ret->nofile);
        r = init_command(property_get(p->def.properties, "init"), has_own_init(p, lower), &ret->argv);
        if (r == 0)
                r = make_environment(p, ret->argv[0], &ret->environment);
        if (r < 0)
                return croft_error_set(err, r, "make the arguments of init");
        /* An init of a system opens its console by itself. */
        /* Both inits hand the terminal to whom they start; as its session's leader, ^C there would be theirs. */
        ret->console_getty = strcmp(ret->argv[0], INIT_ROOTS) != 0 && strcmp(ret->argv[0], INIT_CROFT) != 0;
        return 0;
}

#define SHARES_MAX 16

struct launch_fds {
        int lower, rw, tools, log, listen, notify_area;
        int programs;         /* of the plane, for those inside; -EBADF: none here */
        int requests, broker; /* both ends; -EBADF: none of its calls wants a broker */
        int shares[SHARES_MAX];
        char roles[SHARES_MAX][64];
        size_t n_shares;
};

static void launch_fds_done(struct launch_fds *f)
{
        close_fd(f->lower);
        close_fd(f->rw);
        close_fd(f->tools);
        close_fd(f->log);
        close_fd(f->listen);
        close_fd(f->programs);
        close_fd(f->notify_area);
        close_fd(f->requests);
        close_fd(f->broker);
        for (size_t i = 0; i < f->n_shares; i++)
                close_fd(f->shares[i]);
}

static int open_shares(struct launch_fds *f, struct croft_error *err)
{
        for (char *const *path = image_native_shares(); path && *path; path++) {
                int fd = f->n_shares < SHARES_MAX ? fd_open2(AT_FDCWD, *path, O_PATH | O_DIRECTORY, 0, 0) : -E2BIG;

                if (fd < 0)
                        return croft_error_set(err, fd, "open '%s' to share it", *path);
                (void)snprintf(f->roles[f->n_shares], sizeof(f->roles[0]), "share:%s", *path);
                f->shares[f->n_shares++] = fd;
        }
        return 0;
}

static int open_log(const struct partition *p)
{
        char path[64];

        (void)snprintf(path, sizeof(path), "%ju/console.log", (uintmax_t)p->def.id);
        return fd_open2(p->host->partitions_dir, path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600, 0);
}

/* The directory that holds upper/ and work/; what a power cut took of them just after `create` is made again. */
static int open_rw(const struct partition *p, struct croft_error *err)
{
        char path[64];
        int r;

        (void)snprintf(path, sizeof(path), "%ju/rw/work", (uintmax_t)p->def.id);
        r = fd_make_dirs(p->host->partitions_dir, path, 0700, err);
        if (r < 0)
                return r;
        (void)snprintf(path, sizeof(path), "%ju/rw/upper", (uintmax_t)p->def.id);
        if (mkdirat(p->host->partitions_dir, path, 0755) == 0)
                r = fchmodat(p->host->partitions_dir, path, 0755, 0); /* whatever the umask is */
        else if (errno != EEXIST)
                r = -1;
        if (r < 0)
                return croft_error_set(err, errno, "make 'partitions/%s'", path);
        (void)snprintf(path, sizeof(path), "%ju/rw", (uintmax_t)p->def.id);
        r = fd_open2(p->host->partitions_dir, path, O_RDONLY | O_DIRECTORY, 0, 0);
        return r < 0 ? croft_error_set(err, r, "open 'partitions/%s'", path) : r;
}

static int open_all(const struct partition *p, struct launch_fds *f, struct croft_error *err)
{
        char name[32];

        *f = (struct launch_fds){-EBADF, -EBADF, -EBADF, -EBADF, -EBADF, -EBADF, -EBADF, -EBADF, -EBADF};
        f->lower = image_open_root(p->host->images, p->def.image, err);
        if (f->lower < 0)
                return f->lower;
        f->rw = open_rw(p, err);
        if (f->rw < 0)
                return f->rw;
        f->log = open_log(p);
        if (f->log < 0)
                return croft_error_set(err, f->log, "open the console's log");
        socket_name(p, name);
        f->listen = sock_listen(p->host->wardens_dir, name, SOCK_SEQPACKET, 0600, err);
        if (f->listen < 0)
                return f->listen;
        f->programs = p->host->plane ? plane_open_programs(p->host->plane, err) : -EBADF;
        if (f->programs < 0 && p->host->plane)
                return f->programs;
        if (p->host->notify_filter >= 0) {
                f->notify_area = notify_area_new(err);
                if (f->notify_area < 0)
                        return f->notify_area;
        }
        if (broker_is_wanted(p)) {
                int r = broker_make_sockets(&f->broker, &f->requests, err);

                if (r < 0)
                        return r;
        }
        return p->def.native ? open_shares(f, err) : 0;
}

static int copy_mount(int *fd, int from, const char *what, struct croft_error *err)
{
        int copy = from < 0 ? -EBADF : mount_clone(from, "");

        if (from >= 0 && copy < 0)
                return croft_error_set(err, copy, "copy the mount of %s", what);
        close_fd(*fd);
        *fd = copy;
        return 0;
}

/* The warden is out of sight of the host's mounts: it gets copies. */
static int copy_mounts(const struct partition *p, struct launch_fds *f, struct croft_error *err)
{
        int r = copy_mount(&f->lower, f->lower, "the lower layer", err);

        if (r == 0)
                r = copy_mount(&f->rw, f->rw, "the upper layer", err);
        if (r == 0)
                r = copy_mount(&f->tools, p->host->tools_dir, "the tools", err);
        if (r == 0)
                r = copy_mount(&f->programs, f->programs, "the programs", err);
        for (size_t i = 0; r == 0 && i < f->n_shares; i++)
                r = copy_mount(&f->shares[i], f->shares[i], f->roles[i], err);
        return r;
}

static int send_launch(
        struct partition *p, const struct launch_fds *f, const struct launch_spec *spec, struct croft_error *err)
{
        struct warden_fd fds[13 + SHARES_MAX] = {
                {"lower", f->lower},
                {"rw", f->rw},
                {"tools", f->tools},
                {"filter", broker_base_filter(p, f->requests)},
                {"warden-filter", p->host->warden_filter},
                {"listen", f->listen},
                {"log", f->log},
                {"programs", f->programs},
                {"notify-filter", broker_filter(p, f->requests)},
                {"notify-area", f->notify_area},
                {"broker", f->broker},
                {"requests", f->requests},
                {"facts", p->host->facts},
        };
        struct wire_writer body = WIRE_WRITER_INIT;
        size_t n = 13;
        bool kept;
        int r;

        for (size_t i = 0; i < f->n_shares; i++)
                fds[n++] = (struct warden_fd){f->roles[i], f->shares[i]};
        launch_spec_put(&body, spec);
        /* It prepares what it can while we make control groups. */
        kept = affinity_keep_off_ours(p->run.warden_pid);
        r = warden_send(p->run.warden, WARDEN_LAUNCH, fds, n, &body);
        if (kept)
                affinity_let_run(p->run.warden_pid);
        wire_writer_done(&body);
        return r < 0 ? croft_error_set(err, r, "send LAUNCH to the warden") : 0;
}

/* --- prepare -------------------------------------------------------------------------------------------------------
 */

/* Takes PID 1 from BORN, and proves that it is what it should be. */
static int take_init(struct partition *p, struct warden_packet *packet, struct croft_error *err)
{
        _cleanup_close_ int pidfd = warden_packet_take_fd(packet, "pidfd");
        char tail[64];
        uint64_t start_time = 0;
        pid_t pid = 0;
        int r;

        r = process_of_pidfd(pidfd, &pid);
        if (r == 0)
                r = process_start_time(pid, &start_time);
        if (r < 0)
                return croft_error_set(err, r, "look at the partition's first process");
        (void)snprintf(tail, sizeof(tail), "/croft.%s/%ju", p->host->tag, (uintmax_t)p->def.id);
        if (!process_in_cgroup(pid, tail))
                return croft_error_set(err, EBADMSG, "process %d isn't in the partition's cgroup.", (int)pid);
        process_usual_oom(pid);
        unit_of(p)->kept_off = affinity_keep_off_that_of(pid); /* it and we work at the same time */
        (void)pthread_mutex_lock(&p->lock);
        p->run.pid = pid;
        p->run.start_time = start_time;
        p->run.pidfd = TAKE_FD(pidfd);
        p->run.exit_status = -1;
        (void)pthread_mutex_unlock(&p->lock);
        return 0;
}

static void take_loaded(struct partition *p, struct warden_packet *packet, const struct warden_state *state)
{
        (void)pthread_mutex_lock(&p->lock);
        p->run.netns = warden_packet_take_fd(packet, "netns");
        p->run.console = warden_packet_take_fd(packet, "console");
        p->run.fuse = warden_packet_take_fd(packet, "fuse");
        p->run.fuse_memory = warden_packet_take_fd(packet, "fuse-memory");
        p->run.dev = warden_packet_take_fd(packet, "dev");
        p->run.last_mount = state->last_mount;
        (void)pthread_mutex_unlock(&p->lock);
}

static int release(struct partition *p, struct croft_error *err);

static int take_warden(struct partition *p, struct croft_error *err)
{
        struct warden_process warden;
        int r = warden_spare_take(&unit_of(p)->life->spare, &warden, err);

        if (r < 0)
                return r;
        (void)pthread_mutex_lock(&p->lock);
        p->run.warden = warden.socket;
        p->run.warden_pidfd = warden.pidfd;
        p->run.warden_pid = warden.pid;
        p->run.warden_start_time = warden.start_time;
        (void)pthread_mutex_unlock(&p->lock);
        /* A warden that croftd dies before this sees the end of its socket and goes. */
        return unit_save_run(unit_of(p), PARTITION_DEFINED, err);
}

static int launch(struct partition *p, struct croft_error *err)
{
        _cleanup_(launch_spec_done) struct launch_spec spec = {.id = 0};
        struct launch_fds f;
        int r = open_all(p, &f, err);

        if (r == 0)
                r = make_spec(p, f.lower, &spec, err);
        if (r == 0)
                r = copy_mounts(p, &f, err);
        (void)pthread_mutex_lock(&p->lock);
        p->run.told_loops = f.requests >= 0 && broker_tells_loops(p);
        (void)pthread_mutex_unlock(&p->lock);
        if (r == 0)
                r = send_launch(p, &f, &spec, err);
        if (r == 0) {
                (void)pthread_mutex_lock(&p->lock);
                p->run.log = TAKE_FD(f.log);
                p->run.listen = TAKE_FD(f.listen);
                p->run.notify_area = TAKE_FD(f.notify_area);
                p->run.requests = TAKE_FD(f.requests);
                (void)pthread_mutex_unlock(&p->lock);
        }
        launch_fds_done(&f);
        return r;
}

/* The warden prepares what it can on another CPU while the facets between this one and facet_launch do their work. */
static int spawn(struct partition *p, struct croft_error *err)
{
        int r = 0;

        /* What an earlier attempt of this croftd may have left. */
        if (p->run.warden_pidfd >= 0 || p->run.pidfd >= 0)
                r = release(p, err);
        if (r == 0)
                r = take_warden(p, err);
        return r == 0 ? launch(p, err) : r;
}

/* It makes PID 1 while the facets between this one and facet_warden do theirs. */
static int place(struct partition *p, struct croft_error *err)
{
        _cleanup_close_ int cgroup = cgroup_open(p->host->cgroups, p->def.id, err);
        const struct warden_fd fds[] = {{"cgroup", cgroup}, {"sample", p->run.sample}};

        if (cgroup < 0)
                return cgroup;
        (void)warden_send(p->run.warden, WARDEN_PLACE, fds, ELEMENTS(fds), NULL); /* one that fails has said why */
        return 0;
}

/* PID 1 goes where the kernel can't make it be born. */
static int join_v1(struct partition *p, struct croft_error *err)
{
        struct warden_fd fds[CGROUP_HIERARCHIES_MAX];
        int v1[CGROUP_HIERARCHIES_MAX], r;
        size_t n = 0;

        if (!cgroup_tree_has_v1(p->host->cgroups))
                return 0;
        r = facet_cgroup_prepare_v1(p, err);
        if (r == 0)
                r = cgroup_open_v1(p->host->cgroups, p->def.id, v1, &n, err);
        for (size_t i = 0; i < n; i++)
                fds[i] = (struct warden_fd){"v1", v1[i]};
        if (r == 0)
                (void)warden_send(p->run.warden, WARDEN_JOIN, fds, n, NULL); /* one that fails has said why */
        while (n > 0)
                close_fd(v1[--n]);
        return r;
}

/* Until PID 1 builds its root, it and the warden need both of two CPUs; croftd has its own to do after that. */
static int see_birth(struct partition *p, struct croft_error *err)
{
        _cleanup_(warden_packet_done) struct warden_packet packet = {.roles = NULL};
        int r = join_v1(p, err);

        if (r == 0)
                r = warden_expect(p->run.warden, WARDEN_BORN, WARDEN_LAUNCH_MS, NULL, &packet, err);
        return r < 0 ? r : take_init(p, &packet, err);
}

static int prepare(struct partition *p, struct croft_error *err)
{
        _cleanup_(warden_packet_done) struct warden_packet packet = {.roles = NULL};
        struct warden_state state;
        int r = warden_expect(p->run.warden, WARDEN_LOADED, WARDEN_LAUNCH_MS, &state, &packet, err);

        if (r < 0)
                return r;
        take_loaded(p, &packet, &state);
        return cgroup_attach_v1(p->host->cgroups, p->def.id, p->run.pid, err);
}

/* --- start ---------------------------------------------------------------------------------------------------------
 */

/* init's, as it begins to run; without it no call of this partition's is intercepted. */
static void take_listener(struct partition *p, struct warden_packet *packet)
{
        int listener = warden_packet_take_fd(packet, "listener");

        (void)pthread_mutex_lock(&p->lock);
        if (notify_is_listener(listener))
                (void)listeners_add(&p->run.listeners, LISTENER_INIT, TAKE_FD(listener), NULL); /* the first one fits */
        else
                p->run.notify_area = close_fd(p->run.notify_area);
        (void)pthread_mutex_unlock(&p->lock);
        close_fd(listener);
}

static int start(struct partition *p, struct croft_error *err)
{
        _cleanup_(warden_packet_done) struct warden_packet packet = {.roles = NULL};
        struct warden_state state;
        int r = warden_send(p->run.warden, WARDEN_RUN, NULL, 0, NULL);

        if (r < 0)
                return croft_error_set(err, r, "send RUN to the warden");
        r = warden_expect(p->run.warden, WARDEN_RUNNING, WARDEN_ANSWER_MS, &state, &packet, err);
        if (r < 0)
                return r;
        take_listener(p, &packet);
        (void)pthread_mutex_lock(&p->lock);
        p->run.started = (int64_t)time(NULL);
        (void)pthread_mutex_unlock(&p->lock);
        return 0;
}

/* --- stop ----------------------------------------------------------------------------------------------------------
 */

/* 0: nothing would help. */
static int stop_signal(pid_t pid)
{
        const struct timespec moment = {.tv_nsec = 2000000};
        uint64_t caught = 0, blocked = ~UINT64_C(0), now;
        int signal;

        /* Blocked at each look: a shell that starts a program blocks all for a moment. */
        for (int i = 0; i < LOOKS; i++) {
                if (process_signals(pid, &caught, &now) < 0)
                        return 0;
                blocked &= now;
                if (life_stop_signal(caught, 0) != 0)
                        break;
                (void)nanosleep(&moment, NULL);
        }
        signal = life_stop_signal(caught, blocked);
        return signal == 0 && process_waits_for_signal(pid) ? SIGTERM : signal; /* croft-init, tini */
}

/* Asks init and waits; 0: it has ended. */
static int ask_init(struct partition *p)
{
        const unsigned int timeout = p->stop.timeout_ms;
        int signal = stop_signal(p->run.pid), r;

        if (signal == 0)
                return -ETIMEDOUT;
        if (process_signal(p->run.pidfd, signal) < 0)
                return -ETIMEDOUT;
        if (signal != SIGPWR)
                return broker_wait(unit_of(p), p->run.pidfd, timeout);
        /* An init without a powerfail entry does nothing; the second half of the time is SIGTERM's. */
        r = broker_wait(unit_of(p), p->run.pidfd, timeout / 2);
        if (r == -ETIMEDOUT) {
                (void)process_signal(p->run.pidfd, SIGTERM);
                r = broker_wait(unit_of(p), p->run.pidfd, timeout - timeout / 2);
        }
        return r;
}

/* A process that waits for a request which a warden has read and doesn't answer can't be killed; with the last
 * descriptor of the session the kernel ends its wait. */
static void end_views(struct partition *p)
{
        (void)process_signal(p->run.warden_pidfd, SIGKILL);
        (void)process_wait(p->run.warden_pidfd, EMPTY_MS);
        unit_give_up_views(unit_of(p));
}

static int wait_empty(struct partition *p, struct croft_error *err)
{
        if (cgroup_wait_empty(p->host->cgroups, p->def.id, HINDERED_MS, NULL) == 0)
                return 0;
        end_views(p);
        return cgroup_wait_empty(p->host->cgroups, p->def.id, EMPTY_MS, err);
}

/* Everything inside ends now.  Idempotent; with the cgroup gone there is nothing inside. */
static int kill_all(struct partition *p, struct croft_error *err)
{
        struct croft_error e = CROFT_ERROR_INIT;
        int r = cgroup_kill(p->host->cgroups, p->def.id, &e);

        if (r == -ENOENT)
                return 0;
        if (r == 0)
                r = wait_empty(p, &e);
        if (r == 0 && process_wait(p->run.pidfd, EMPTY_MS) < 0)
                r = croft_error_set(&e, EBUSY, "process %d doesn't end", (int)p->run.pid);
        if (r == -ENOENT)
                return 0;
        return r < 0 ? croft_error_copy(err, &e) : 0;
}

/* How init ended: the warden knows if it is its parent; if not, we are, perhaps. */
static void learn_exit_status(struct partition *p)
{
        struct warden_state state = {.exit_status = -2};
        int64_t status;

        (void)pthread_mutex_lock(&p->lock);
        status = p->run.exit_status;
        (void)pthread_mutex_unlock(&p->lock);
        if (p->run.pidfd < 0 || status >= 0)
                return;
        if (!process_reap(p->run.pidfd, &status) && p->run.warden >= 0 &&
                warden_expect(p->run.warden, WARDEN_EXITED, QUIT_MS, &state, NULL, NULL) == 0)
                status = state.exit_status;
        (void)pthread_mutex_lock(&p->lock);
        if (p->run.exit_status < 0) /* life_reap() may have been faster */
                p->run.exit_status = status < 0 ? -2 : status;
        (void)pthread_mutex_unlock(&p->lock);
}

static int stop(struct partition *p, struct croft_error *err)
{
        bool loaded_only = p->run.started == 0;
        int r;

        if (p->run.pidfd >= 0 && !process_ended(p->run.pidfd) && !p->stop.force && !loaded_only) {
                if (p->state == PARTITION_FROZEN) /* it must run to stop */
                        (void)cgroup_freeze(p->host->cgroups, p->def.id, false, EMPTY_MS, NULL);
                if (ask_init(p) < 0)
                        unit_event(unit_of(p), "progress", "init didn't stop; everything inside is killed");
        }
        r = kill_all(p, err);
        if (r == 0)
                learn_exit_status(p);
        return r;
}

/* --- release -------------------------------------------------------------------------------------------------------
 */

static int end_warden(struct partition *p, struct croft_error *err)
{
        if (p->run.warden_pidfd < 0)
                return 0;
        if (p->run.warden >= 0)
                (void)warden_send(p->run.warden, WARDEN_QUIT, NULL, 0, NULL); /* a dead one needs no telling */
        if (p->run.warden < 0 || process_wait(p->run.warden_pidfd, QUIT_MS) < 0) {
                (void)process_signal(p->run.warden_pidfd, SIGKILL);
                if (process_wait(p->run.warden_pidfd, EMPTY_MS) < 0)
                        return croft_error_set(
                                err, EBUSY, "the warden, process %d, doesn't end", (int)p->run.warden_pid);
        }
        (void)process_reap(p->run.warden_pidfd, NULL);
        return 0;
}

/* The kernel empties the overlay's work directory at each mount.  Done here it doesn't cost the next start its time: a
 * freed block may wait for the disk (ext4 without a journal, mounted with discard). */
static void clear_work(struct partition *p)
{
        char path[64];

        (void)snprintf(path, sizeof(path), "%ju/rw/work/work", (uintmax_t)p->def.id);
        (void)unlinkat(p->host->partitions_dir, path, AT_REMOVEDIR); /* what isn't empty is the kernel's affair */
}

static int release(struct partition *p, struct croft_error *err)
{
        struct partition_run old;
        char name[32];
        int r = kill_all(p, err);

        if (r == 0)
                r = end_warden(p, err);
        if (r < 0)
                return r;
        broker_end(unit_of(p));
        (void)process_reap(p->run.pidfd, NULL); /* an orphan of a dead warden is our child */
        clear_work(p);
        socket_name(p, name);
        (void)unlinkat(p->host->wardens_dir, name, 0); /* a stale one is replaced by the next start */
        (void)pthread_mutex_lock(&p->lock);
        old = p->run;
        partition_run_init(&p->run);
        p->run.exit_status = old.exit_status;
        (void)pthread_mutex_unlock(&p->lock);
        partition_run_done(&old);
        return 0;
}

const struct facet facet_spawn = {
        .name = "spawn",
        .prepare = spawn,
        .release = release,
};

const struct facet facet_launch = {
        .name = "launch",
        .prepare = place,
        .release = release,
};

const struct facet facet_birth = {
        .name = "birth",
        .prepare = see_birth,
};

const struct facet facet_warden = {
        .name = "warden",
        .prepare = prepare,
        .start = start,
        .stop = stop,
        .release = release,
};
