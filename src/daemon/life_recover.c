/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * life_recover.c - what a croftd does first: it takes over what its predecessor left, alive or half done.
 *
 * Order: definitions; the processes of runs of this boot, by pid and start time; their wardens; interrupted operations;
 * then what belongs to nobody.  Each thing settled is told by a notice.  A partition that can't be settled becomes
 * Broken and doesn't keep the others from coming back.
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/sock.h"
#include "daemon/fdstore.h"
#include "daemon/life_broker.h"
#include "daemon/life_private.h"
#include "daemon/warden_link.h"
#include "devid/devid.h"
#include "kernel/notify.h"
#include "kernel/process.h"
#include "plane/plane.h"

#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>

/* What the database said about a unit, beside its definition. */
struct past {
        struct unit *u;
        struct store_run run;
        struct store_operation operation;
        bool half_made;
};

struct pasts {
        struct life *life;
        struct past *list;
        size_t n, room;
};

static void pasts_done(struct pasts *pasts)
{
        for (size_t i = 0; i < pasts->n; i++)
                unit_unref(pasts->list[i].u);
        free(pasts->list);
}

__attribute__((format(printf, 2, 3))) static void notice(struct unit *u, const char *format, ...)
{
        char text[CROFT_ERROR_TEXT_MAX + 200];
        va_list ap;

        va_start(ap, format);
        (void)vsnprintf(text, sizeof(text), format, ap);
        va_end(ap);
        log_say(LOG_LEVEL_NOTICE, "%s", text);
        (void)store_add_notice(u->life->store, text, NULL); /* it is in the log, at least */
        errors_note(u, text);
}

static int collect(struct store_entry *entry, void *context)
{
        struct pasts *pasts = context;
        struct unit *u;

        if (pasts->n == pasts->room) {
                size_t room = pasts->room * 2 + 64;
                struct past *list = reallocarray(pasts->list, room, sizeof(*list));

                if (!list)
                        return -ENOMEM;
                pasts->list = list;
                pasts->room = room;
        }
        u = unit_new(pasts->life, &entry->def);
        if (!u)
                return -ENOMEM;
        u->stopped = entry->run.this_boot && entry->run.stopped;
        u->p.run.exit_status = entry->run.exit_status;
        (void)str_copy(u->last_error, sizeof(u->last_error), entry->run.last_error);
        pasts->list[pasts->n++] =
                (struct past){.u = u, .run = entry->run, .operation = entry->operation, .half_made = entry->half_made};
        return life_insert(pasts->life, u, NULL);
}

/* --- the processes of a run ----------------------------------------------------------------------------------------
 */

/* croftd's own proofs: the numbers of the database, and where the kernel says that process is. */
static void find_processes(struct past *past)
{
        struct partition *p = &past->u->p;
        char tail[64], path[64];

        if (!past->run.this_boot)
                return;
        (void)snprintf(tail, sizeof(tail), "/croft.%s/%ju", p->host->tag, (uintmax_t)p->def.id);
        p->run.pidfd = process_open((pid_t)past->run.pid, past->run.start_time);
        if (p->run.pidfd >= 0 && !process_in_cgroup((pid_t)past->run.pid, tail))
                p->run.pidfd = close_fd(p->run.pidfd);
        if (p->run.pidfd >= 0) {
                p->run.pid = (pid_t)past->run.pid;
                p->run.start_time = past->run.start_time;
                p->run.started = past->run.started;
                (void)snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)p->run.pid);
                p->run.netns = fd_open2(AT_FDCWD, path, O_RDONLY, 0, 0);
        }
        p->run.warden_pidfd = process_open((pid_t)past->run.warden_pid, past->run.warden_start_time);
        if (p->run.warden_pidfd >= 0) {
                p->run.warden_pid = (pid_t)past->run.warden_pid;
                p->run.warden_start_time = past->run.warden_start_time;
        }
}

/* --- its warden ----------------------------------------------------------------------------------------------------
 */

/* The listeners that a warden has, in as many messages as they need. */
static int take_listeners(struct partition *p, struct croft_error *err)
{
        struct listeners_note note = {.complete = false};

        for (int i = 0; i <= LISTENERS_MAX / LISTENERS_IN_NOTE && !note.complete; i++) {
                _cleanup_(warden_packet_done) struct warden_packet packet = {.roles = NULL};
                int r = warden_expect(p->run.warden, WARDEN_LISTENERS, WARDEN_HELLO_MS, NULL, &packet, err);

                if (r == 0 && listeners_note_get(&packet.body, &note) < 0)
                        r = croft_error_set(err, EBADMSG, "the warden's LISTENERS is malformed.");
                if (r < 0)
                        return r;
                for (uint32_t k = 0; k < note.n; k++) {
                        int fd = warden_packet_take_fd(&packet, "listener");

                        if (notify_is_listener(fd))
                                (void)listeners_add(&p->run.listeners, note.numbers[k], fd, NULL);
                        else
                                close_fd(fd);
                }
        }
        return 0;
}

/* Greets the living warden; what it hands over is only what croftd can't have from elsewhere. */
static int greet(struct past *past, struct croft_error *err)
{
        _cleanup_(warden_packet_done) struct warden_packet packet = {.roles = NULL};
        _cleanup_close_ int socket = -EBADF;
        struct partition *p = &past->u->p;
        struct warden_state state;
        char name[32];
        int r;

        (void)snprintf(name, sizeof(name), "%ju.sock", (uintmax_t)p->def.id);
        socket = sock_connect(p->host->wardens_dir, name, SOCK_SEQPACKET | SOCK_NONBLOCK, err);
        if (socket < 0)
                return socket;
        r = fd_set_nonblock(socket, 1);
        if (r == 0)
                r = warden_send(socket, WARDEN_HELLO, NULL, 0, NULL);
        if (r < 0)
                return croft_error_set(err, r, "greet the warden");
        r = warden_expect(socket, WARDEN_STATE, WARDEN_HELLO_MS, &state, &packet, err);
        if (r < 0)
                return r;
        if (state.id != p->def.id)
                return croft_error_set(err, EBADMSG, "the warden serves another partition.");
        p->run.warden = TAKE_FD(socket);
        p->run.console = warden_packet_take_fd(&packet, "console");
        p->run.listen = warden_packet_take_fd(&packet, "listen");
        p->run.log = warden_packet_take_fd(&packet, "log");
        p->run.notify_area = warden_packet_take_fd(&packet, "notify-area");
        p->run.fuse = warden_packet_take_fd(&packet, "fuse");
        p->run.fuse_memory = warden_packet_take_fd(&packet, "fuse-memory");
        p->run.dev = warden_packet_take_fd(&packet, "dev");
        p->run.requests = warden_packet_take_fd(&packet, "requests");
        p->run.told_loops = p->run.requests >= 0 && broker_tells_loops(p); /* as far as is known now */
        if (state.phase == WARDEN_PHASE_EXITED)
                p->run.exit_status = state.exit_status;
        return p->run.notify_area < 0 ? 0 : take_listeners(p, err);
}

/* A warden that doesn't answer as it should is replaced. */
static void recover_warden(struct past *past)
{
        struct croft_error err = CROFT_ERROR_INIT;
        struct unit *u = past->u;
        struct partition_run *run = &u->p.run;
        uint64_t id = u->p.def.id;
        int r;

        if (run->warden_pidfd >= 0) {
                if (greet(past, &err) == 0)
                        return;
                log_error(LOG_LEVEL_WARNING, &err, "the warden of '%s' is replaced", u->p.def.name);
                (void)process_signal(run->warden_pidfd, SIGKILL);
                (void)process_wait(run->warden_pidfd, WARDEN_ANSWER_MS);
        }
        if (run->pidfd < 0 || process_ended(run->pidfd) || u->p.state == PARTITION_LOADED)
                return; /* nothing to serve */
        croft_error_clear(&err);
        if (run->console < 0)
                run->console = fdstore_take(id, "console");
        if (run->listen < 0)
                run->listen = fdstore_take(id, "listen");
        if (run->log < 0)
                run->log = fdstore_take(id, "log");
        if (run->notify_area < 0)
                run->notify_area = fdstore_take(id, "notify-area");
        fdstore_take_listeners(u);
        if (run->fuse < 0)
                run->fuse = fdstore_take(id, "fuse");
        if (run->fuse_memory < 0)
                run->fuse_memory = fdstore_take(id, "fuse-memory");
        if (run->dev < 0)
                run->dev = fdstore_take(id, "dev");
        r = unit_succeed(u, &err);
        if (r < 0)
                notice(u, "the warden of '%s' had died and can't be replaced: %s", u->p.def.name,
                        croft_error_cause(&err, 0));
        else
                notice(u, "the warden of '%s' had died; a new one has taken over", u->p.def.name);
}

/* --- interrupted operations ----------------------------------------------------------------------------------------
 */

static bool changes_properties(const char *operation)
{
        return strcmp(operation, "set") == 0 || strcmp(operation, "bind") == 0;
}

/* What an operation leads to when it is recovered. */
static struct act recovered_act(struct past *past)
{
        const char *name = past->operation.name;
        struct act act = {.u = past->u, .target = PARTITION_DEFINED, .fallback = PARTITION_DEFINED};

        if (strcmp(name, "create") == 0)
                act.end = create_end;
        else if (strcmp(name, "remove") == 0)
                act.end = remove_end;
        else if (changes_properties(name))
                act.end = set_end;
        else if (strcmp(name, "freeze") == 0 || strcmp(name, "thaw") == 0)
                act.target = act.fallback = PARTITION_ACTIVE;
        return act;
}

/* Is the definition gone with the operation? */
static bool ends_definition(const char *operation)
{
        return strcmp(operation, "create") == 0 || strcmp(operation, "remove") == 0;
}

static void settle(struct past *past)
{
        struct croft_error err = CROFT_ERROR_INIT;
        struct operation op = life_operation(past->operation.name);
        struct act act = recovered_act(past);
        struct unit *u = past->u;
        enum partition_state state = u->p.state;
        char line[CROFT_ERROR_TEXT_MAX];
        bool kept_running = state == PARTITION_ACTIVE || state == PARTITION_FROZEN;
        int r;

        u->p.stop = (struct partition_stop){.force = true};
        if (strcmp(op.name, "run") == 0)
                r = unit_stop(u, 0, true, &state, &err); /* what init has begun can't be taken back to Loaded */
        else
                r = act_recover(&act, &op, &err);
        if (r < 0) {
                u->p.state = PARTITION_BROKEN;
                (void)unit_save_run(u, PARTITION_BROKEN, NULL);
                notice(u, "the interrupted '%s' of '%s' can't be %s: %s", op.name, u->p.def.name,
                        op.policy == STEPS_UNDO ? "undone" : "finished", croft_error_line(&err, line, sizeof(line)));
                return;
        }
        notice(u, "the interrupted '%s' of '%s' was %s", op.name, u->p.def.name,
                op.policy == STEPS_UNDO ? "undone" : "finished");
        if (ends_definition(op.name)) {
                life_delist(u->life, u);
                return;
        }
        if (!changes_properties(op.name))
                u->p.state = act.target;
        else if (kept_running)
                u->p.state = state;
}

/* --- one partition -------------------------------------------------------------------------------------------------
 */

static bool in_operation(const struct past *past)
{
        return past->operation.name[0] != '\0';
}

/* What is left of a run whose processes are gone, with no operation to say so. */
static void release_dead(struct past *past)
{
        struct croft_error err = CROFT_ERROR_INIT;
        struct unit *u = past->u;
        enum partition_state state = u->p.state;
        char line[CROFT_ERROR_TEXT_MAX];

        if (unit_stop(u, 0, true, &state, &err) < 0)
                notice(u, "'%s' has ended while no croftd was there, and something is left: %s", u->p.def.name,
                        croft_error_line(&err, line, sizeof(line)));
        else
                notice(u, "'%s' has ended while no croftd was there", u->p.def.name);
        u->p.state = state;
}

/* Facets see to it that what they hold for a running partition is there. */
static void adopt(struct unit *u)
{
        for (size_t i = 0; i < n_facets; i++) {
                struct croft_error err = CROFT_ERROR_INIT;

                if (facets[i]->adopt && facets[i]->adopt(&u->p, &err) < 0)
                        log_error(LOG_LEVEL_WARNING, &err, "'%s' runs on, but not all of '%s' is there", u->p.def.name,
                                facets[i]->name);
        }
}

static void recover_one(struct past *past)
{
        struct unit *u = past->u;
        bool running;

        u->p.state = past->run.state;
        find_processes(past);
        running = u->p.state != PARTITION_DEFINED && u->p.state != PARTITION_BROKEN;
        if (running && !(in_operation(past) && strcmp(past->operation.name, "stop") == 0))
                recover_warden(past);
        if (in_operation(past) && life_operation(past->operation.name).n_steps > 0)
                settle(past);
        else if (running && u->p.run.pidfd < 0 && u->p.run.exit_status < 0)
                release_dead(past);
        else if (running && u->p.state == PARTITION_LOADED && u->p.run.warden < 0)
                release_dead(past);
        if (u->p.state != PARTITION_DEFINED && u->p.state != PARTITION_BROKEN)
                adopt(u);
        watch_arm(u);
        if (running)
                watch_queue(u);
}

/* --- what belongs to nobody ----------------------------------------------------------------------------------------
 */

static int remove_stray(uint64_t id, void *context)
{
        struct life *life = context;
        _cleanup_(unit_unrefp) struct unit *u = life_find_id(life, id);
        struct cgroup_tree *tree = life->host->cgroups;
        struct croft_error err = CROFT_ERROR_INIT;
        int r;

        if (u && u->p.state != PARTITION_DEFINED)
                return 0;
        r = cgroup_kill(tree, id, &err);
        if (r == 0)
                r = cgroup_wait_empty(tree, id, 5000, &err);
        if (r == 0)
                r = cgroup_remove(tree, id, &err);
        if (r < 0)
                log_error(LOG_LEVEL_WARNING, &err, "control group %ju, which no partition has, stays", (uintmax_t)id);
        return 0;
}

/* Calls f for each entry of a directory. */
static void each_entry(int dir_fd, const char *path, void (*f)(struct life *life, const char *name), struct life *life)
{
        _cleanup_closedir_ DIR *dir = NULL;
        int fd = fd_open2(dir_fd, path, O_RDONLY | O_DIRECTORY, 0, 0);

        if (fd < 0)
                return;
        dir = fdopendir(fd);
        if (!dir) {
                close_fd(fd);
                return;
        }
        for (struct dirent *entry; (entry = readdir(dir));)
                if (entry->d_name[0] != '.')
                        f(life, entry->d_name);
}

static void sweep_tmp(struct life *life, const char *name)
{
        struct croft_error err = CROFT_ERROR_INIT;
        char path[300];

        (void)snprintf(path, sizeof(path), "tmp/%s", name);
        if (fd_remove_tree(life->host->state_dir, path, &err) < 0)
                log_error(LOG_LEVEL_WARNING, &err, "'%s' stays", path);
}

/* Sockets of wardens that are gone. */
static void sweep_socket(struct life *life, const char *name)
{
        _cleanup_(unit_unrefp) struct unit *u = NULL;
        char digits[32];
        uint64_t id;

        if (str_copy(digits, sizeof(digits), name))
                digits[strcspn(digits, ".")] = '\0';
        if (str_to_u64(digits, UINT64_MAX, &id))
                u = life_find_id(life, id);
        if (!u || u->p.state == PARTITION_DEFINED)
                (void)unlinkat(life->host->wardens_dir, name, 0);
}

/* Files whose definition was lost with the power before it was durable: empty ones go.  Others are somebody's: the
 * database may be an older copy. */
static void sweep_files(struct life *life, const char *name)
{
        static const char *const parts[] = {"rw/upper", "rw/work", "rw", "console.log", ""};
        _cleanup_(unit_unrefp) struct unit *u = NULL;
        char path[300];
        uint64_t id;

        if (!str_to_u64(name, UINT64_MAX, &id))
                return; /* not ours */
        u = life_find_id(life, id);
        if (u)
                return;
        for (size_t i = 0; i < ELEMENTS(parts); i++) {
                (void)snprintf(path, sizeof(path), "%s/%s", name, parts[i]);
                if (unlinkat(life->host->partitions_dir, path, strcmp(parts[i], "console.log") ? AT_REMOVEDIR : 0) <
                                0 &&
                        errno != ENOENT) {
                        log_say(LOG_LEVEL_WARNING,
                                "partitions/%s belongs to no partition in the database and isn't empty: it stays",
                                name);
                        (void)store_skip_id(life->store, id, NULL); /* or a partition would be made on top of it */
                        return;
                }
        }
}

/* Entries of partitions that are gone. */
static void sweep_plane(struct life *life)
{
        _cleanup_free_ struct plane_entry *entries = NULL;
        struct croft_error err = CROFT_ERROR_INIT;
        size_t count = 0;
        int r = life->host->plane ? plane_list(life->host->plane, &entries, &count, &err) : 0;

        for (size_t i = 0; i < count && r == 0; i++) {
                _cleanup_(unit_unrefp) struct unit *u = life_find_id(life, entries[i].id);

                if (!u || u->p.state == PARTITION_DEFINED)
                        r = plane_remove_partition(life->host->plane, entries[i].id, &err);
        }
        if (r < 0)
                log_error(LOG_LEVEL_WARNING, &err, "entries of partitions that are gone stay");
}

/* Of partitions that are gone, or don't run: who is dead has no numbers (DEV-18). */
static bool runs(void *context, uint64_t id)
{
        _cleanup_(unit_unrefp) struct unit *u = life_find_id(context, id);

        return u && u->p.state != PARTITION_DEFINED;
}

static void sweep_devid(struct life *life)
{
        struct croft_error err = CROFT_ERROR_INIT;

        if (life->host->devid && devid_sweep(life->host->devid, runs, life, &err) < 0)
                log_error(LOG_LEVEL_WARNING, &err, "device numbers of partitions that are gone stay");
}

/* Everything that runs has its statistics. */
static void publish(struct host *host)
{
        struct croft_error err = CROFT_ERROR_INIT;

        if (!host->kstats)
                return;
        if (kstats_publish(host->kstats, &err) < 0)
                log_error(LOG_LEVEL_WARNING, &err, "readers of statistics get what an earlier croftd has left");
        (void)kstats_attach(host->kstats, cgroup_tree_unified(host->cgroups), &host->lacks[HOST_SOCKOPT]);
}

int life_recover(struct life *life, struct croft_error *err)
{
        _cleanup_(pasts_done) struct pasts pasts = {.life = life};
        int r;

        r = life_pools_load(life, err);
        if (r < 0)
                return r;
        r = store_each(life->store, collect, &pasts, err);
        if (r < 0) {
                if (err && !err->code)
                        croft_error_set(err, r, "read the definitions");
                return r;
        }
        for (size_t i = 0; i < pasts.n; i++)
                recover_one(&pasts.list[i]);
        life_pools_settle(life);
        fdstore_close();
        r = cgroup_each(life->host->cgroups, remove_stray, life, err);
        if (r < 0)
                return r;
        sweep_plane(life);
        publish(life->host);
        errors_sweep(life);
        sweep_devid(life);
        life_devid_look(life);
        life_devices_check(life);
        each_entry(life->host->state_dir, "tmp", sweep_tmp, life);
        each_entry(life->host->state_dir, "partitions", sweep_files, life);
        each_entry(life->host->wardens_dir, ".", sweep_socket, life);
        return 0;
}
