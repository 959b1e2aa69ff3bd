/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * loop.c - the life of a warden: one epoll loop over croftd's channel, the listening socket, init's pidfd and the
 * console, and a thread beside it for intercepted calls (intercept.h).  No timers: an idle partition wakes nobody.
 *
 * It outlives croftd (the next one connects and says HELLO) and init (until QUIT, so that the exit status isn't lost).
 * Before anything of the partition is read, settle() has given up all privileges: once init runs (not before: each
 * mount that goes makes the kernel interrupt all CPUs), or when RUN doesn't follow LOADED at once.
 */
#include "base/cleanup.h"
#include "base/log.h"
#include "kernel/affinity.h"
#include "kernel/ns.h"
#include "kstat/sample.h"
#include "partition/ids.h"
#include "partition/listeners.h"
#include "warden/console.h"
#include "warden/intercept.h"
#include "warden/launch.h"
#include "warden/views.h"
#include "warden/warden.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>

#define PENDING_MAX 4
#define SETTLE_MS 20 /* RUN follows LOADED within one, or much later */

enum tag { TAG_CHANNEL = 1, TAG_LISTEN, TAG_INIT, TAG_PENDING, TAG_VIEWS, TAG_REFUSED };

struct warden {
        int epoll;
        int channel;              /* croftd; -EBADF: it has gone */
        int listen;               /* where the next croftd connects */
        int pending[PENDING_MAX]; /* connected, not yet HELLO */
        int filter;               /* the warden's own */
        int log;
        int pidfd, netns, master, dev;
        int area;     /* for intercepted calls; -EBADF: there are none */
        int broker;   /* where those go that the broker answers; -EBADF: there are none */
        int requests; /* the other end, for the next croftd */
        int sample;   /* where the partition's figures come from */
        int (*read_sample)(int link, struct kstat_sample *ret);
        int listener; /* init's, on its way to croftd */
        struct intercept *intercept;
        int refused;         /* eventfd(2): calls about modules were refused */
        bool untold, unseen; /* croftd is to be told so; it was, and hasn't said that it knows */
        bool modules;        /* such calls go to the broker */
        bool confined, quit;
        bool unsettled;       /* loaded, and still privileged */
        struct launch launch; /* empty after RUN and in an adopted partition */
        struct warden_state state;
        struct console console;
        struct views views;
        struct croft_error views_error; /* why there are none */
        struct croft_error place_error; /* why it can't launch anything */
};

static int watch(const struct warden *w, int fd, enum tag tag, uint32_t index)
{
        struct epoll_event event = {.events = EPOLLIN, .data.u64 = (uint64_t)tag << 32 | index};

        return epoll_ctl(w->epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

/* A stub has a copy of it, so that closing ours isn't enough to hear no more of it. */
static void close_channel(struct warden *w)
{
        if (w->channel >= 0)
                (void)epoll_ctl(w->epoll, EPOLL_CTL_DEL, w->channel, NULL);
        w->channel = close_fd(w->channel);
}

static int64_t exit_status(int pidfd);
static uint32_t shell_status(int64_t status);

/* Tells croftd where things are.  A channel that takes no answer is given up: croftd reconnects. */
static void tell_state(struct warden *w, enum warden_type type)
{
        _cleanup_(wire_writer_done) struct wire_writer body = WIRE_WRITER_INIT;
        bool all = type == WARDEN_STATE, most = all || type == WARDEN_LOADED;
        const struct warden_fd fds[] = {{"pidfd", all ? w->pidfd : -EBADF}, {"netns", most ? w->netns : -EBADF},
                {"console", most ? w->master : -EBADF}, {"dev", most ? w->dev : -EBADF},
                {"fuse", most ? w->views.device : -EBADF}, {"fuse-memory", most ? w->views.memory : -EBADF},
                {"listen", all ? w->listen : -EBADF}, {"log", all ? w->log : -EBADF},
                {"notify-area", all ? w->area : -EBADF}, {"requests", all ? w->requests : -EBADF},
                {"listener", type == WARDEN_RUNNING ? w->listener : -EBADF}};

        if (w->channel < 0)
                return;
        /* The kernel tells how a process ended that isn't our child once its parent has reaped it: perhaps by now. */
        if (w->state.phase == WARDEN_PHASE_EXITED && w->state.exit_status == -2)
                w->state.exit_status = exit_status(w->pidfd);
        warden_state_put(&body, &w->state);
        if (warden_send(w->channel, type, fds, ELEMENTS(fds), &body) < 0)
                close_channel(w);
}

static void tell_failure(struct warden *w, const struct croft_error *err)
{
        _cleanup_(wire_writer_done) struct wire_writer body = WIRE_WRITER_INIT;

        warden_error_put(&body, err);
        if (w->channel < 0 || warden_send(w->channel, WARDEN_FAILED, NULL, 0, &body) < 0)
                log_error(LOG_LEVEL_ERROR, err, "partition id=%llu", (unsigned long long)w->state.id);
        w->quit = true;
}

static int confine(struct warden *w, struct croft_error *err)
{
        int r = warden_confine(partition_owner(w->state.uid_base), w->filter, err);

        w->confined = r == 0;
        return r;
}

/* --- intercepted calls --- */

static int read_sample(void *context, struct kstat_sample *ret)
{
        const struct warden *w = context;

        return w->sample < 0 || !w->read_sample ? -ENODATA : w->read_sample(w->sample, ret);
}

static int confine_thread(void *context, struct croft_error *err)
{
        const struct warden *w = context;

        return warden_confine(partition_owner(w->state.uid_base), w->filter, err);
}

/* By the other thread. */
static void note_refusal(void *context)
{
        const struct warden *w = context;

        (void)eventfd_write(w->refused, 1); /* full: it will wake anyway */
}

static void tell_refusals(struct warden *w)
{
        if (!w->untold || w->unseen || w->channel < 0)
                return;
        if (warden_send(w->channel, WARDEN_REFUSED, NULL, 0, NULL) < 0)
                return; /* with the next one */
        w->untold = false;
        w->unseen = true;
}

static void hear_refusals(struct warden *w)
{
        eventfd_t count;

        (void)eventfd_read(w->refused, &count);
        w->untold = true;
        tell_refusals(w);
}

/* What the host's own sysinfo(2) says. */
static int read_machine(struct view_machine *ret)
{
        struct sysinfo info = {.mem_unit = 1};

        if (sysinfo(&info) < 0)
                return -errno;
        *ret = (struct view_machine){.memory_bytes = (uint64_t)info.totalram * info.mem_unit,
                .swap_bytes = (uint64_t)info.totalswap * info.mem_unit,
                .page_bytes = (uint32_t)sysconf(_SC_PAGESIZE)};
        return 0;
}

static int start_intercept(struct warden *w, struct croft_error *err)
{
        const struct intercept_config config = {.area = w->area,
                .broker = w->broker,
                .sample = read_sample,
                .confine = confine_thread,
                .refused = note_refusal,
                .context = w,
                .machine = read_machine};

        int r = w->area < 0 ? 0 : intercept_start(&config, &w->intercept, err);

        if (r == 0 && w->intercept)
                intercept_pass_modules(w->intercept, w->modules);
        return r;
}

/* From here on the partition's bytes are read. */
static int open_console(struct warden *w, struct croft_error *err)
{
        int r = start_intercept(w, err);

        if (r == 0)
                r = confine(w, err);
        if (r < 0)
                return r;
        r = console_open(&w->console, w->epoll, w->master, w->log);
        if (r == 0 && w->pidfd >= 0)
                r = watch(w, w->pidfd, TAG_INIT, 0);
        if (r == 0 && views_are_there(&w->views))
                r = watch(w, w->views.device, TAG_VIEWS, 0);
        return r < 0 ? croft_error_set(err, r, "watch the console and init") : 0;
}

static void take_common_fds(struct warden *w, struct warden_packet *p)
{
        w->listen = warden_packet_take_fd(p, "listen");
        w->log = warden_packet_take_fd(p, "log");
        w->filter = warden_packet_take_fd(p, "warden-filter");
        w->area = warden_packet_take_fd(p, "notify-area");
        w->broker = warden_packet_take_fd(p, "broker");
        w->requests = warden_packet_take_fd(p, "requests");
}

static int listen_for_croftd(struct warden *w, struct croft_error *err)
{
        int r = w->listen < 0 ? 0 : watch(w, w->listen, TAG_LISTEN, 0);

        return r < 0 ? croft_error_set(err, r, "watch the listening socket") : 0;
}

/* Nothing else depends on them: a partition without views shows what its kernel shows. */
static void drop_views(struct warden *w, struct croft_error *err)
{
        log_error(LOG_LEVEL_WARNING, err, "partition id=%llu runs without a /proc of its own",
                (unsigned long long)w->state.id);
        views_done(&w->views);
}

static int open_views(struct warden *w, struct warden_packet *p, struct croft_error *err)
{
        _cleanup_close_ int facts = warden_packet_take_fd(p, "facts");

        if (facts < 0)
                return croft_error_set(err, ENODATA, "there are no facts about the host.");
        if (w->broker >= 0)
                views_expect_disks(&w->views);
        return views_open(&w->views, TAKE_FD(facts), w->state.uid_base, err);
}

/* The figures that come along with PLACE or ADOPT, for the views and for intercepted calls. */
static void take_sample(struct warden *w, struct warden_packet *p)
{
        w->sample = warden_packet_take_fd(p, "sample");
        views_read_from(&w->views, w->sample < 0 ? -EBADF : fcntl(w->sample, F_DUPFD_CLOEXEC, 0));
}

/* What a dead warden had. */
static void take_views(struct warden *w, struct warden_packet *p)
{
        _cleanup_close_ int device = warden_packet_take_fd(p, "fuse"), memory = warden_packet_take_fd(p, "fuse-memory");

        struct croft_error err = CROFT_ERROR_INIT;

        views_done(&w->views);
        if (device >= 0 && memory >= 0)
                (void)views_adopt(&w->views, TAKE_FD(device), TAKE_FD(memory), &w->views_error);
        /* The files are there: without figures they show what they showed last, or say EAGAIN. */
        if (views_are_there(&w->views) && open_views(w, p, &err) < 0)
                log_error(LOG_LEVEL_WARNING, &err, "partition id=%llu shows old figures in /proc",
                        (unsigned long long)w->state.id);
}

/* The confined warden's: it begins with what its predecessor had taken and not answered. */
static void serve_views(struct warden *w)
{
        if (!views_are_there(&w->views))
                return;
        if (!views_serve(&w->views)) {
                (void)epoll_ctl(w->epoll, EPOLL_CTL_DEL, w->views.device, NULL);
                views_done(&w->views);
        }
}

static int launch(struct warden *w, struct warden_packet *p, struct croft_error *err)
{
        int r;

        if (w->state.id)
                return croft_error_set(err, EALREADY, "this warden has a partition already.");
        if (w->place_error.code)
                return croft_error_copy(err, &w->place_error);
        take_common_fds(w, p);
        r = launch_take(&w->launch, p, err);
        if (r < 0)
                return r;
        w->state.id = w->launch.spec.id;
        w->state.uid_base = w->launch.spec.uid_base;
        if (views_are_there(&w->views) && open_views(w, p, &w->views_error) < 0)
                views_done(&w->views); /* said when it is known that they are wanted */
        return 0;
}

static void tell_birth(const struct launch *l, void *context)
{
        const struct warden_fd pidfd = {"pidfd", l->pidfd};
        struct warden *w = context;

        if (w->channel >= 0 && warden_send(w->channel, WARDEN_BORN, &pidfd, 1, NULL) < 0)
                close_channel(w);
}

/* From croftd, which is at it. */
static int wait_join(int fds[CGROUP_HIERARCHIES_MAX], size_t *ret_n, void *context, struct croft_error *err)
{
        _cleanup_(warden_packet_done) struct warden_packet p = {0};
        struct warden *w = context;
        struct pollfd wait = {.fd = w->channel, .events = POLLIN};
        size_t n = 0;
        int r;

        do
                r = poll(&wait, 1, -1) < 0 && errno != EINTR ? -errno : warden_receive(w->channel, &p);
        while (r == -EAGAIN);
        if (r <= 0)
                return croft_error_set(err, r < 0 ? r : -ECONNRESET, "hear where the first process belongs");
        if (p.type != WARDEN_JOIN)
                return croft_error_set(err, EBADMSG, "croftd says %s instead of JOIN.", warden_type_name(p.type));
        while (n < CGROUP_HIERARCHIES_MAX && (fds[n] = warden_packet_take_fd(&p, "v1")) >= 0)
                n++;
        *ret_n = n;
        return 0;
}

static int place(struct warden *w, struct warden_packet *p, struct croft_error *err)
{
        int r;

        if (!w->state.id || w->state.phase)
                return croft_error_set(err, EALREADY, "this warden waits for no place.");
        take_sample(w, p);
        if (w->sample < 0)
                views_done(&w->views);
        else if (!views_are_there(&w->views))
                drop_views(w, &w->views_error);
        /* Without figures to answer with no call is intercepted. */
        if (w->launch.notify < 0 || w->sample < 0 || !w->read_sample)
                w->area = close_fd(w->area);
        if (w->area < 0)
                w->launch.notify = close_fd(w->launch.notify);
        w->launch.views = &w->views;
        w->launch.born = tell_birth;
        w->launch.wait_join = wait_join;
        w->launch.context = w;
        r = launch_load(&w->launch, p, err);
        if (r < 0)
                return r;
        w->pidfd = TAKE_FD(w->launch.pidfd);
        w->netns = TAKE_FD(w->launch.netns);
        w->master = TAKE_FD(w->launch.console);
        w->dev = TAKE_FD(w->launch.dev);
        w->state.phase = WARDEN_PHASE_LOADED;
        w->state.pid = w->launch.pid;
        w->state.start_time = w->launch.start_time;
        w->state.last_mount = w->launch.last_mount;
        w->state.exit_status = -1;
        w->unsettled = true;
        tell_state(w, WARDEN_LOADED);
        return 0;
}

/* Idempotent. */
static int settle(struct warden *w, struct croft_error *err)
{
        int r;

        if (!w->unsettled)
                return 0;
        w->unsettled = false;
        if (w->launch.cpu >= 0) /* before the filter, which doesn't let us */
                affinity_let_run(0);
        views_close_mounts(&w->views);
        r = launch_leave(err);
        if (r == 0)
                r = open_console(w, err);
        return r < 0 ? r : listen_for_croftd(w, err);
}

static int run(struct warden *w, struct warden_packet *p, struct croft_error *err)
{
        int r;

        (void)p;
        if (w->state.phase != WARDEN_PHASE_LOADED)
                return croft_error_set(err, EALREADY, "init isn't waiting to be run.");
        r = launch_go(&w->launch, err);
        /* Until it runs, the other end of that socket is a program of ours. */
        if (r == 0)
                r = launch_wait(&w->launch, err);
        if (r == 0)
                r = settle(w, err);
        w->listener = TAKE_FD(w->launch.listener);
        launch_done(&w->launch);
        if (r < 0)
                return r;
        w->state.phase = WARDEN_PHASE_RUNNING;
        tell_state(w, WARDEN_RUNNING);
        if (w->listener < 0)
                return 0;
        r = intercept_add(w->intercept, LISTENER_INIT, TAKE_FD(w->listener));
        return r < 0 ? croft_error_set(err, r, "watch init's calls") : 0;
}

static int adopt(struct warden *w, struct warden_packet *p, struct croft_error *err)
{
        int r;

        if (w->state.phase)
                return croft_error_set(err, EALREADY, "this warden has a partition already.");
        r = warden_state_get(&p->body, &w->state);
        if (r < 0)
                return croft_error_set(err, r, "read the state to adopt");
        take_common_fds(w, p);
        w->pidfd = warden_packet_take_fd(p, "pidfd");
        w->netns = warden_packet_take_fd(p, "netns");
        w->master = warden_packet_take_fd(p, "console");
        w->dev = warden_packet_take_fd(p, "dev");
        take_views(w, p);
        take_sample(w, p);
        if (w->pidfd < 0 && w->state.phase != WARDEN_PHASE_EXITED)
                return croft_error_set(err, EBADMSG, "the message lacks descriptor 'pidfd'.");
        if (w->state.phase == WARDEN_PHASE_LOADED)
                return croft_error_set(err, EINVAL, "what is only loaded dies with its warden.");
        r = launch_isolate(err);
        if (r == 0)
                r = launch_leave(err);
        if (r == 0)
                r = open_console(w, err);
        if (r == 0)
                r = listen_for_croftd(w, err);
        if (r < 0)
                return r;
        serve_views(w);
        tell_state(w, WARDEN_STATE);
        return 0;
}

static int hello(struct warden *w, struct warden_packet *p, struct croft_error *err)
{
        (void)p;
        (void)err;
        tell_state(w, WARDEN_STATE);
        if (w->intercept && w->channel >= 0 && intercept_send(w->intercept, w->channel) < 0)
                close_channel(w);
        return 0;
}

static int take_listeners(struct warden *w, struct warden_packet *p, struct croft_error *err)
{
        struct listeners_note note;
        int r = listeners_note_get(&p->body, &note);

        if (r < 0)
                return croft_error_set(err, r, "read which listeners came");
        for (uint32_t i = 0; i < note.n; i++) {
                int fd = warden_packet_take_fd(p, "listener");

                /* Before ADOPT: it comes again behind that.  One that is refused is there already, or one too many
                 * for croftd, too. */
                if (w->intercept)
                        (void)intercept_add(w->intercept, note.numbers[i], fd);
                else
                        close_fd(fd);
        }
        if (w->intercept && note.complete)
                intercept_complete(w->intercept);
        return 0;
}

static int send_signal(struct warden *w, struct warden_packet *p, struct croft_error *err)
{
        int64_t signal = wire_get_i64(&p->body);

        (void)err;
        /* Answered by what init does about it; one that has ended can't be told anything. */
        if (wire_reader_end(&p->body) == 0 && signal > 0 && signal <= SIGRTMAX && w->pidfd >= 0)
                (void)syscall(SYS_pidfd_send_signal, w->pidfd, (int)signal, NULL, 0);
        return 0;
}

static int attach_console(struct warden *w, struct warden_packet *p, struct croft_error *err)
{
        int fd = warden_packet_take_fd(p, "client");

        (void)err;
        if (fd < 0 || !w->confined) {
                close_fd(fd);
                return 0;
        }
        console_attach(&w->console, fd);
        if (w->state.phase == WARDEN_PHASE_EXITED) /* the history, and that it is over */
                console_end(&w->console, shell_status(w->state.exit_status));
        return 0;
}

static int take_modules(struct warden *w, struct warden_packet *p, struct croft_error *err)
{
        uint8_t flag = wire_get_u8(&p->body);

        (void)err;
        if (wire_reader_end(&p->body) == 0 && flag <= 1)
                w->modules = flag;
        if (w->intercept)
                intercept_pass_modules(w->intercept, w->modules);
        return 0;
}

static int take_seen(struct warden *w, struct warden_packet *p, struct croft_error *err)
{
        (void)p;
        (void)err;
        w->unseen = false;
        tell_refusals(w);
        return 0;
}

static int quit(struct warden *w, struct warden_packet *p, struct croft_error *err)
{
        (void)p;
        (void)err;
        w->quit = true;
        return 0;
}

/* A failure of any of these is told by FAILED and ends the warden. */
static const struct {
        enum warden_type type;
        int (*handle)(struct warden *w, struct warden_packet *p, struct croft_error *err);
} handlers[] = {{WARDEN_LAUNCH, launch}, {WARDEN_PLACE, place}, {WARDEN_RUN, run}, {WARDEN_ADOPT, adopt},
        {WARDEN_HELLO, hello}, {WARDEN_LISTENERS, take_listeners}, {WARDEN_SIGNAL, send_signal},
        {WARDEN_CONSOLE, attach_console}, {WARDEN_MODULES, take_modules}, {WARDEN_SEEN, take_seen},
        {WARDEN_QUIT, quit}};

static void dispatch(struct warden *w, struct warden_packet *p)
{
        struct croft_error err = CROFT_ERROR_INIT;

        for (size_t i = 0; i < ELEMENTS(handlers); i++)
                if (handlers[i].type == p->type && handlers[i].handle(w, p, &err) < 0)
                        tell_failure(w, &err);
}

static void lose_channel(struct warden *w)
{
        close_channel(w);
        /* A launch that hasn't come to its end is undone by the next croftd; what is loaded waits for it. */
        if (w->state.phase < WARDEN_PHASE_LOADED)
                w->quit = true;
}

/* A connection that root opened may have been handed into a partition, this one even: C-2.  The channel that a warden
 * inherits is a pair that was never anybody else's; there the kernel says nothing. */
static bool sent_by_root(const struct warden_packet *p)
{
        return p->packet.has_sender && p->packet.sender == 0;
}

static void serve_channel(struct warden *w)
{
        _cleanup_(warden_packet_done) struct warden_packet p = {0};
        int r = warden_receive(w->channel, &p);

        if (r > 0 && (!p.packet.has_sender || sent_by_root(&p)))
                dispatch(w, &p);
        else if (r > 0)
                lose_channel(w);
        else if (r != -EAGAIN)
                lose_channel(w);
}

static void accept_croftd(struct warden *w)
{
        _cleanup_close_ int fd = accept4(w->listen, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        uid_t uid;
        pid_t pid;

        if (fd < 0 || sock_peer(fd, &uid, &pid) < 0 || uid != 0)
                return;
        for (uint32_t i = 0; i < PENDING_MAX; i++)
                if (w->pending[i] < 0) {
                        if (watch(w, fd, TAG_PENDING, i) == 0)
                                w->pending[i] = TAKE_FD(fd);
                        return;
                }
}

/* A new connection becomes the channel by HELLO, and by nothing else. */
static void serve_pending(struct warden *w, uint32_t i)
{
        _cleanup_(warden_packet_done) struct warden_packet p = {0};
        _cleanup_close_ int fd = -EBADF;
        int r;

        if (i >= PENDING_MAX || w->pending[i] < 0)
                return;
        r = warden_receive(w->pending[i], &p);
        if (r == -EAGAIN)
                return;
        fd = TAKE_FD(w->pending[i]);
        if (r <= 0 || p.type != WARDEN_HELLO || !sent_by_root(&p) || epoll_ctl(w->epoll, EPOLL_CTL_DEL, fd, NULL) < 0)
                return;
        close_channel(w);
        w->unseen = false;
        w->channel = TAKE_FD(fd);
        if (watch(w, w->channel, TAG_CHANNEL, 0) < 0)
                close_channel(w);
        dispatch(w, &p);
}

/* struct pidfd_info of Linux 6.15, when the headers know none of it. */
struct exit_info {
        uint64_t mask, cgroup_id;
        uint32_t pid, tgid, ppid, ids[8];
        int32_t exit_code;
};
#define EXIT_INFO_GET _IOWR(0xff, 11, struct exit_info)
#define EXIT_INFO_EXIT (1ULL << 3)

static int64_t from_wait_status(int status)
{
        if (WIFEXITED(status))
                return (int64_t)CLD_EXITED << 8 | WEXITSTATUS(status);
        return (int64_t)(WCOREDUMP(status) ? CLD_DUMPED : CLD_KILLED) << 8 | WTERMSIG(status);
}

/* How init ended: from the kernel when it is our child, from its pidfd when it isn't and the kernel can tell. */
static int64_t exit_status(int pidfd)
{
        struct exit_info info = {.mask = EXIT_INFO_EXIT};
        siginfo_t si = {0};

        if (TEMP_FAILURE_RETRY(waitid(P_PIDFD, (id_t)pidfd, &si, WEXITED)) == 0)
                return (int64_t)si.si_code << 8 | (si.si_status & 0xff);
        if (ioctl(pidfd, EXIT_INFO_GET, &info) == 0 && (info.mask & EXIT_INFO_EXIT))
                return from_wait_status(info.exit_code);
        return -2;
}

static uint32_t shell_status(int64_t status)
{
        if (status < 0)
                return 0;
        return status >> 8 == CLD_EXITED ? (uint32_t)(status & 0xff) : 128 + (uint32_t)(status & 0x7f);
}

static void init_ended(struct warden *w)
{
        w->state.exit_status = exit_status(w->pidfd);
        w->state.phase = WARDEN_PHASE_EXITED;
        (void)epoll_ctl(w->epoll, EPOLL_CTL_DEL, w->pidfd, NULL);
        console_end(&w->console, shell_status(w->state.exit_status));
        w->master = close_fd(w->master);
        tell_state(w, WARDEN_EXITED);
}

static void serve(struct warden *w, const struct epoll_event *event)
{
        uint32_t tag = (uint32_t)(event->data.u64 >> 32), index = (uint32_t)event->data.u64;

        switch (tag) {
        case TAG_CHANNEL:
                if (w->channel >= 0)
                        serve_channel(w);
                break;
        case TAG_LISTEN:
                accept_croftd(w);
                break;
        case TAG_PENDING:
                serve_pending(w, index);
                break;
        case TAG_VIEWS:
                serve_views(w);
                break;
        case TAG_REFUSED:
                hear_refusals(w);
                break;
        case TAG_INIT:
                init_ended(w);
                break;
        case CONSOLE_TAG_MASTER:
                console_master_ready(&w->console, event->events);
                break;
        case CONSOLE_TAG_CLIENT:
                console_client_ready(&w->console, index, event->events);
                break;
        default:
                break;
        }
}

static void warden_init(struct warden *w)
{
        *w = (struct warden){.epoll = epoll_create1(EPOLL_CLOEXEC),
                .channel = WARDEN_CHANNEL,
                .listen = -EBADF,
                .filter = -EBADF,
                .log = -EBADF,
                .pidfd = -EBADF,
                .netns = -EBADF,
                .master = -EBADF,
                .dev = -EBADF,
                .area = -EBADF,
                .broker = -EBADF,
                .requests = -EBADF,
                .sample = -EBADF,
                .listener = -EBADF,
                .refused = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
                .state = {.exit_status = -1}};
        for (size_t i = 0; i < PENDING_MAX; i++)
                w->pending[i] = -EBADF;
        launch_init(&w->launch);
        views_init(&w->views);
        w->views.read_sample = w->read_sample = kstat_sample_read;
        w->views.read_machine = read_machine;
        (void)console_open(&w->console, w->epoll, -EBADF, -EBADF);
}

int warden_main(bool fresh)
{
        struct warden w;

        warden_init(&w);
        if (w.epoll < 0 || w.refused < 0 || watch(&w, w.channel, TAG_CHANNEL, 0) < 0 ||
                watch(&w, w.refused, TAG_REFUSED, 0) < 0)
                return EXIT_FAILURE;
        if (fresh) {
                (void)views_prepare(&w.views, &w.views_error); /* told when they are wanted */
                (void)launch_prepare(&w.launch, &w.place_error);
        }
        while (!w.quit) {
                /* One at a time: what an event closes can't be meant by a later one of the same call. */
                struct croft_error err = CROFT_ERROR_INIT;
                struct epoll_event event;
                int n = epoll_wait(w.epoll, &event, 1, w.unsettled ? SETTLE_MS : -1);

                if (n < 0 && errno != EINTR)
                        return EXIT_FAILURE;
                if (n == 1)
                        serve(&w, &event);
                else if (n == 0 && settle(&w, &err) < 0)
                        tell_failure(&w, &err);
        }
        w.intercept = intercept_stop(w.intercept);
        console_close(&w.console);
        launch_done(&w.launch);
        views_done(&w.views);
        return EXIT_SUCCESS;
}
