/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * life_watch.c - what happens by itself: an init ends, a warden dies.
 *
 * The main thread only learns that a unit wants a look (epoll, each descriptor one-shot); worker threads look, because
 * releasing a partition blocks.  What brokers say others hear (life_serve.c).  While an operation is in force nobody
 * looks: its owner sees for himself, and its end arms the descriptors again.
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/sock.h"
#include "daemon/fdstore.h"
#include "daemon/life_broker.h"
#include "daemon/warden_link.h"
#include "kernel/notify.h"
#include "kernel/process.h"
#include "kstat/facet_kstat.h"

#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define NO_ID 0        /* no partition has it: in epoll it stands for the wish for a spare warden */
#define UNASKED_MAX 16 /* messages of a warden that may wait for a look */

static void arm(int epoll, uint64_t id, int fd)
{
        struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP | EPOLLONESHOT, .data.u64 = id};

        if (fd < 0)
                return;
        if (epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event) < 0 && errno == ENOENT)
                (void)epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event); /* no memory: found by the next command */
}

void watch_arm(struct unit *u)
{
        int epoll = u->life->epoll;

        if (atomic_load(&u->awaited)) /* since the owner has looked */
                watch_queue(u);
        (void)pthread_mutex_lock(&u->p.lock);
        if (!u->p.operation) {
                arm(epoll, u->p.def.id, u->p.run.pidfd);
                arm(epoll, u->p.def.id, u->p.run.warden);
                arm(epoll, u->p.def.id, u->p.run.warden_pidfd);
                arm(epoll, u->p.def.id, broker_wakes(u));
                arm(u->life->calls, u->p.def.id, u->broker.socket);
        }
        (void)pthread_mutex_unlock(&u->p.lock);
}

/* Puts the unit in line for a worker, once. */
void watch_queue(struct unit *u)
{
        struct life *life = u->life;

        (void)pthread_mutex_lock(&life->queue_lock);
        if (!u->queued && life->n_queue == life->room_queue) {
                size_t room = life->room_queue * 2 + 16;
                struct unit **queue = reallocarray(life->queue, room, sizeof(*queue));

                if (queue) {
                        life->queue = queue;
                        life->room_queue = room;
                }
        }
        if (!u->queued && !life->ending && life->n_queue < life->room_queue) {
                u->queued = true;
                life->queue[life->n_queue++] = unit_ref(u);
                (void)pthread_cond_signal(&life->queue_filled);
        }
        (void)pthread_mutex_unlock(&life->queue_lock);
}

void life_dispatch(struct life *life)
{
        struct epoll_event events[64];
        int n = epoll_wait(life->epoll, events, (int)ELEMENTS(events), 0);

        for (int i = 0; i < n; i++) {
                _cleanup_(unit_unrefp) struct unit *u = life_find_id(life, events[i].data.u64);

                if (u)
                        watch_queue(u);
                else if (events[i].data.u64 == LIFE_REFUSALS_ID)
                        life_refusals_dispatch(life);
                else if (events[i].data.u64 == LIFE_AUTOLOAD_ID)
                        life_autoload_dispatch(life);
                else if (events[i].data.u64 == LIFE_AUTOLOAD_TIMER_ID)
                        life_autoload_tick(life);
                else if (events[i].data.u64 == LIFE_UEVENTS_ID)
                        life_pools_dispatch(life);
                else if (events[i].data.u64 == NO_ID)
                        warden_spare_fill(&life->spare);
        }
}

/* --- a new warden for one that died --------------------------------------------------------------------------------
 */

static void take_warden(struct unit *u, struct warden_process *warden)
{
        int old_socket, old_pidfd;

        (void)pthread_mutex_lock(&u->p.lock);
        old_socket = u->p.run.warden;
        old_pidfd = u->p.run.warden_pidfd;
        u->p.run.warden = warden ? warden->socket : -EBADF;
        u->p.run.warden_pidfd = warden ? warden->pidfd : -EBADF;
        u->p.run.warden_pid = warden ? warden->pid : 0;
        u->p.run.warden_start_time = warden ? warden->start_time : 0;
        u->told_modules = TOLD_NOTHING;
        (void)pthread_mutex_unlock(&u->p.lock);
        close_fd(old_socket);
        close_fd(old_pidfd);
}

/* Descriptors that died with croftd and warden are made anew; the console's other end is lost then. */
static int complete_run(struct unit *u, struct croft_error *err)
{
        struct partition_run *run = &u->p.run;
        char name[32], path[64];
        int fd;

        (void)snprintf(name, sizeof(name), "%ju.sock", (uintmax_t)u->p.def.id);
        (void)snprintf(path, sizeof(path), "%ju/console.log", (uintmax_t)u->p.def.id);
        if (run->listen < 0) {
                fd = sock_listen(u->p.host->wardens_dir, name, SOCK_SEQPACKET, 0600, err);
                if (fd < 0)
                        return fd;
                run->listen = fd;
        }
        if (run->log < 0) {
                fd = fd_open2(u->p.host->partitions_dir, path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600, 0);
                if (fd < 0)
                        return croft_error_set(err, fd, "open the console's log");
                run->log = fd;
        }
        if (run->notify_area < 0 && run->listeners.n > 0) {
                fd = notify_area_new(err);
                if (fd < 0)
                        return fd;
                run->notify_area = fd;
        }
        /* croftd's and the warden's had died together; recovery comes to the facets only behind this.  A warden without
         * figures is better than none. */
        if (run->sample < 0) {
                (void)facet_sample.adopt(&u->p, NULL);
                (void)facet_kstat.adopt(&u->p, NULL); /* what the link's program reads */
        }
        return 0;
}

/* A session may add one meanwhile: it is said twice then, or here alone. */
static int send_listeners(struct unit *u, int socket)
{
        int r = 0;

        (void)pthread_mutex_lock(&u->p.lock);
        if (u->p.run.notify_area >= 0) {
                listeners_sweep(&u->p.run.listeners);
                r = listeners_send(socket, &u->p.run.listeners);
        }
        (void)pthread_mutex_unlock(&u->p.lock);
        return r;
}

static int send_adopt(struct unit *u, int socket, int broker, struct croft_error *err)
{
        const struct partition_run *run = &u->p.run;
        const struct warden_fd fds[] = {{"pidfd", run->pidfd}, {"netns", run->netns}, {"console", run->console},
                {"listen", run->listen}, {"log", run->log}, {"warden-filter", u->p.host->warden_filter},
                {"notify-area", run->notify_area}, {"fuse", run->fuse}, {"fuse-memory", run->fuse_memory},
                {"sample", run->sample}, {"facts", u->p.host->facts}, {"dev", run->dev}, {"broker", broker},
                {"requests", run->requests}};
        struct warden_state state = {.id = u->p.def.id,
                .phase = WARDEN_PHASE_RUNNING,
                .pid = run->pid,
                .start_time = run->start_time,
                .exit_status = -1,
                .uid_base = u->p.def.uid_base};
        struct wire_writer body = WIRE_WRITER_INIT;
        int r;

        warden_state_put(&body, &state);
        r = warden_send(socket, WARDEN_ADOPT, fds, ELEMENTS(fds), &body);
        wire_writer_done(&body);
        if (r == 0)
                r = send_listeners(u, socket);
        return r < 0 ? croft_error_set(err, r, "send ADOPT to the warden") : 0;
}

/* Calls that the dead one has passed on are passed on again, to a broker that knows of none of them. */
static int renew_broker(struct unit *u, int *ret_warden, struct croft_error *err)
{
        int requests = -EBADF, old, r = 0;

        broker_end(u);
        if (u->p.run.notify_area >= 0 && (u->p.run.requests >= 0 || broker_is_wanted(&u->p)))
                r = broker_make_sockets(ret_warden, &requests, err);
        (void)pthread_mutex_lock(&u->p.lock);
        old = u->p.run.requests;
        u->p.run.requests = requests;
        (void)pthread_mutex_unlock(&u->p.lock);
        close_fd(old);
        return r;
}

int unit_succeed(struct unit *u, struct croft_error *err)
{
        _cleanup_close_ int broker = -EBADF;
        struct warden_process warden;
        int r;

        /* One that only closed its connection may have been taken over: it must not listen on for the next croftd. */
        (void)process_signal(u->p.run.warden_pidfd, SIGKILL);
        if (process_wait(u->p.run.warden_pidfd, WARDEN_ANSWER_MS) < 0)
                return croft_error_set(err, EBUSY, "the old warden, process %d, doesn't end", (int)u->p.run.warden_pid);
        (void)process_reap(u->p.run.warden_pidfd, NULL);
        take_warden(u, NULL);
        r = complete_run(u, err);
        if (r == 0)
                r = renew_broker(u, &broker, err);
        if (r == 0)
                r = warden_spawn(u->life->spawner, "successor", &warden, err);
        if (r < 0)
                return r;
        take_warden(u, &warden);
        /* Before it has anything: it outlives us from then on, and one that no record names would do so for ever. */
        crash_point("succeed", "spawned", "");
        r = unit_save_run(u, u->p.state, err);
        crash_point("succeed", "saved", "");
        if (r == 0)
                r = send_adopt(u, warden.socket, broker, err);
        if (r == 0)
                r = warden_expect(warden.socket, WARDEN_STATE, WARDEN_ANSWER_MS, NULL, NULL, err);
        crash_point("succeed", "adopted", "");
        if (r == 0)
                unit_kext_tell(u);
        if (r == 0)
                fdstore_push(u);
        return r;
}

/* Nobody will answer intercepted calls any more: they are to fail, not to hang. */
static void drop_listeners(struct unit *u)
{
        fdstore_remove_listeners(u);
        (void)pthread_mutex_lock(&u->p.lock);
        listeners_done(&u->p.run.listeners);
        u->p.run.notify_area = close_fd(u->p.run.notify_area);
        (void)pthread_mutex_unlock(&u->p.lock);
}

void unit_give_up_views(struct unit *u)
{
        int fuse, memory;

        (void)pthread_mutex_lock(&u->p.lock);
        fuse = TAKE_FD(u->p.run.fuse);
        memory = TAKE_FD(u->p.run.fuse_memory);
        (void)pthread_mutex_unlock(&u->p.lock);
        fdstore_drop(u, "fuse");
        fdstore_drop(u, "fuse-memory");
        close_fd(fuse);
        close_fd(memory);
}

static void say(struct unit *u, const char *text)
{
        unit_event(u, "progress", text);
        errors_note(u, text);
}

static void replace_warden(struct unit *u)
{
        struct croft_error err = CROFT_ERROR_INIT;
        int r;

        if (rate_exceeded(&u->deaths, WARDEN_DEATHS_MAX, WARDEN_DEATHS_S)) {
                (void)process_signal(u->p.run.warden_pidfd, SIGKILL); /* it may only have hung up */
                take_warden(u, NULL);
                r = croft_error_set(&err, ENOTRECOVERABLE,
                        "the warden died %d times in %d s, the partition runs on without console and log.",
                        WARDEN_DEATHS_MAX, WARDEN_DEATHS_S);
        } else {
                r = unit_succeed(u, &err);
                if (r == 0)
                        say(u, "the warden died; a new one has taken over");
        }
        if (r < 0 && u->p.run.warden_pidfd < 0) {
                drop_listeners(u);
                unit_give_up_views(u);
        }
        if (r < 0)
                log_error(LOG_LEVEL_WARNING, &err, "partition %ju has no warden", (uintmax_t)u->p.def.id);
        (void)life_end(u, u->p.state, r, &err);
}

static void serve_calls(struct unit *u, bool has_time)
{
        struct croft_error err = CROFT_ERROR_INIT;
        int r = broker_look(u, &err);

        if (r == 1 && !has_time) {
                serve_aside(u);
                return;
        }
        if (r == 1) {
                serve_wish(u);
                return;
        }
        if (r < 0)
                log_error(LOG_LEVEL_WARNING, &err, "partition %ju has no broker", (uintmax_t)u->p.def.id);
        (void)life_end(u, u->p.state, r, &err);
}

/* --- an init that ended --------------------------------------------------------------------------------------------
 */

/* reboot(2) in a pid namespace ends its init by a signal that says what was asked for. */
static bool asks_for_reboot(int64_t status)
{
        return status >= 0 && status >> 8 == CLD_KILLED && (status & 0xff) == SIGHUP;
}

static void say_end(struct unit *u)
{
        int64_t status = u->p.run.exit_status;
        char text[96];

        if (status < 0)
                (void)snprintf(text, sizeof(text), "init has ended");
        else if (asks_for_reboot(status))
                (void)snprintf(text, sizeof(text), "it asked for a reboot");
        else if (status >> 8 == CLD_KILLED && (status & 0xff) == SIGINT)
                (void)snprintf(text, sizeof(text), "it halted itself");
        else if (status >> 8 == CLD_EXITED)
                (void)snprintf(text, sizeof(text), "init has ended with status %d", (int)(status & 0xff));
        else
                (void)snprintf(text, sizeof(text), "init was ended by signal %d", (int)(status & 0xff));
        say(u, text);
}

/* The caller is the owner, as "stop". */
static void release_ended(struct unit *u)
{
        struct croft_error err = CROFT_ERROR_INIT;
        enum partition_state state = u->p.state;
        bool was_active = state != PARTITION_LOADED;
        int r;

        r = unit_stop(u, 0, true, &state, &err);
        say_end(u);
        if (r == 0 && was_active && asks_for_reboot(u->p.run.exit_status)) {
                if (rate_exceeded(&u->reboots, REBOOTS_MAX, REBOOTS_S))
                        r = croft_error_set(&err, EAGAIN, "it rebooted %d times in %d s and stays stopped.",
                                REBOOTS_MAX, REBOOTS_S);
                else
                        r = unit_start(u, &state, &err);
        }
        if (r < 0) {
                croft_error_prefix(&err, "after the end of init");
                log_error(LOG_LEVEL_WARNING, &err, "partition %ju", (uintmax_t)u->p.def.id);
        }
        (void)life_end(u, state, r, &err);
}

/* --- the look ------------------------------------------------------------------------------------------------------
 */

enum finding { NOTHING, INIT_ENDED, WARDEN_DIED, BROKER_WANTED, KERNEL_WAITS, NOT_NOW };

static bool hung_up(int socket)
{
        struct pollfd p = {.fd = socket, .events = POLLRDHUP};

        return socket >= 0 && poll(&p, 1, 0) > 0 && p.revents & (POLLHUP | POLLRDHUP | POLLERR);
}

/* What a warden says unasked tells nothing that croftd doesn't see for itself; it is taken away, so that it can't
 * pile up.  EXITED stays for the one who releases.  false: it is none of ours any more, since ours has next to nothing
 * to say unasked, and nothing that can't be read. */
static bool drain(struct unit *u)
{
        int socket = u->p.run.warden;

        for (int i = 0; i < UNASKED_MAX; i++) {
                struct warden_packet packet = {.roles = NULL};
                int r = warden_receive(socket, &packet);

                if (r != 1)
                        return r == -EAGAIN || r == -ENOMEM;
                if (packet.type == WARDEN_REFUSED) {
                        u->refused = true;
                        (void)warden_send(socket, WARDEN_SEEN, NULL, 0, NULL); /* or it has died */
                }
                warden_packet_done(&packet);
        }
        return false;
}

static bool is_living(const struct unit *u)
{
        return u->p.state == PARTITION_LOADED || u->p.state == PARTITION_ACTIVE || u->p.state == PARTITION_FROZEN;
}

/* Becomes the owner when there is something to do. */
static enum finding look(struct unit *u)
{
        static const char *const operations[] = {
                [INIT_ENDED] = "stop", [WARDEN_DIED] = "succeed", [BROKER_WANTED] = "serve", [KERNEL_WAITS] = "serve"};
        const struct partition_run *run = &u->p.run;
        enum finding found = NOTHING;

        (void)pthread_mutex_lock(&u->p.lock);
        if (u->p.operation && u->yields)
                life_packages_yield(u);
        if (u->p.operation || !u->listed)
                found = NOT_NOW;
        else if (!is_living(u))
                found = NOTHING;
        else if (run->pidfd < 0 || process_ended(run->pidfd)) /* < 0: it ended while there was no croftd */
                found = INIT_ENDED;
        else if (process_ended(run->warden_pidfd) || hung_up(run->warden))
                found = u->p.state == PARTITION_LOADED ? INIT_ENDED : WARDEN_DIED;
        else if (run->warden >= 0 && !drain(u))
                found = u->p.state == PARTITION_LOADED ? INIT_ENDED : WARDEN_DIED;
        if (found == NOTHING && is_living(u) && broker_wants_look(u))
                found = BROKER_WANTED;
        else if (found == NOTHING && atomic_load(&u->awaited))
                found = KERNEL_WAITS;
        if (found != NOTHING && found != NOT_NOW) {
                u->p.operation = operations[found];
                u->internal = found != INIT_ENDED;
        }
        (void)pthread_mutex_unlock(&u->p.lock);
        return found;
}

static void record_refusals(struct unit *u)
{
        bool refused;

        (void)pthread_mutex_lock(&u->p.lock);
        refused = u->refused;
        u->refused = false;
        (void)pthread_mutex_unlock(&u->p.lock);
        if (refused)
                unit_kext_refused(u);
}

void watch_look(struct unit *u, bool has_time)
{
        enum finding found = look(u);

        record_refusals(u);
        switch (found) {
        case INIT_ENDED:
                release_ended(u);
                return;
        case WARDEN_DIED:
                replace_warden(u);
                return;
        case BROKER_WANTED:
                serve_calls(u, has_time);
                return;
        case KERNEL_WAITS:
                if (has_time)
                        serve_wish(u);
                else
                        serve_aside(u);
                return;
        case NOTHING:
                watch_arm(u);
                return;
        case NOT_NOW:
                return;
        }
}

/* --- workers -------------------------------------------------------------------------------------------------------
 */

static struct unit *next_unit(struct life *life)
{
        struct unit *u = NULL;

        (void)pthread_mutex_lock(&life->queue_lock);
        while (life->n_queue == 0 && !life->ending)
                (void)pthread_cond_wait(&life->queue_filled, &life->queue_lock);
        if (!life->ending) {
                u = life->queue[0];
                life->n_queue--;
                memmove(life->queue, life->queue + 1, life->n_queue * sizeof(struct unit *));
                u->queued = false;
        }
        (void)pthread_mutex_unlock(&life->queue_lock);
        return u;
}

static void *work(void *context)
{
        struct unit *u;

        while ((u = next_unit(context))) {
                watch_look(u, false);
                unit_unref(u);
        }
        return NULL;
}

int watch_open(struct life *life, struct croft_error *err)
{
        struct epoll_event wish = {.events = EPOLLIN, .data.u64 = NO_ID};

        life->epoll = epoll_create1(EPOLL_CLOEXEC);
        if (life->epoll < 0 || epoll_ctl(life->epoll, EPOLL_CTL_ADD, life->spare.wanted, &wish) < 0)
                return croft_error_set(err, errno, "watch partitions");
        for (size_t i = 0; i < ELEMENTS(life->workers); i++) {
                int r = pthread_create(&life->workers[i], NULL, work, life);

                if (r != 0)
                        return croft_error_set(err, r, "start a worker");
                life->n_workers++;
        }
        return serve_open(life, err);
}

void watch_close(struct life *life)
{
        (void)pthread_mutex_lock(&life->queue_lock);
        life->ending = true;
        (void)pthread_cond_broadcast(&life->queue_filled);
        (void)pthread_mutex_unlock(&life->queue_lock);
        for (size_t i = 0; i < life->n_workers; i++)
                (void)pthread_join(life->workers[i], NULL);
        life->n_workers = 0;
        serve_close(life);
        for (size_t i = 0; i < life->n_queue; i++)
                unit_unref(life->queue[i]);
        free(life->queue);
        life->queue = NULL;
        life->n_queue = 0;
        life->epoll = close_fd(life->epoll);
}
