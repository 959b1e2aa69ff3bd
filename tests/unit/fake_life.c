/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fake_life.c - a life cycle and an image store in memory.  See fake_life.h.
 */
#include "fake_life.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "daemon/stats.h"
#include "image/image.h"
#include "kernel/probe.h"
#include "partition/ring.h"
#include "partition/warden_msg.h"

#include <croft/stream.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#define ENTRIES 64
#define LINES 16

struct life {
        pthread_mutex_t lock;
        pthread_cond_t change;
        struct life_info entries[ENTRIES];
        size_t n;
        uint64_t last_id;
        bool gate_open, ending;
        unsigned int at_gate, subscribers, echoes;
        char *notices[LINES];
        size_t n_notices;
        uint64_t n_events; /* so far */
        char *events[LINES];
        char command[256];
        struct pools pools; /* of a machine with CPUs 0 to 3 */
};

struct life_events {
        struct life *life;
        uint64_t next;
};

struct life *fake_life_new(void)
{
        struct life *life = calloc(1, sizeof(*life));

        pthread_mutex_init(&life->lock, NULL);
        pthread_cond_init(&life->change, NULL);
        life->gate_open = true;
        return life;
}

struct life *fake_life_free(struct life *life)
{
        pthread_mutex_lock(&life->lock);
        while (life->echoes > 0)
                pthread_cond_wait(&life->change, &life->lock);
        pthread_mutex_unlock(&life->lock);
        for (size_t i = 0; i < life->n; i++)
                life_info_done(&life->entries[i]);
        for (size_t i = 0; i < LINES; i++)
                free(life->events[i]);
        for (size_t i = 0; i < life->n_notices; i++)
                free(life->notices[i]);
        pools_done(&life->pools);
        free(life);
        return NULL;
}

/* --- the test's side --- */

void fake_life_gate(struct life *life, bool open)
{
        pthread_mutex_lock(&life->lock);
        life->gate_open = open;
        pthread_cond_broadcast(&life->change);
        pthread_mutex_unlock(&life->lock);
}

void fake_life_wait_gate(struct life *life)
{
        pthread_mutex_lock(&life->lock);
        while (life->at_gate == 0)
                pthread_cond_wait(&life->change, &life->lock);
        pthread_mutex_unlock(&life->lock);
}

void fake_life_notify(struct life *life, const char *notice)
{
        pthread_mutex_lock(&life->lock);
        life->notices[life->n_notices++] = strdup(notice);
        pthread_mutex_unlock(&life->lock);
}

static struct life_info *find(struct life *life, const char *name)
{
        for (size_t i = 0; i < life->n; i++)
                if (strcmp(life->entries[i].def.name, name) == 0)
                        return &life->entries[i];
        return NULL;
}

void fake_life_spoil(struct life *life, const char *name, const char *last_error)
{
        pthread_mutex_lock(&life->lock);
        (void)str_copy(find(life, name)->last_error, sizeof(find(life, name)->last_error), last_error);
        pthread_mutex_unlock(&life->lock);
}

unsigned int fake_life_subscribers(struct life *life)
{
        unsigned int n;

        pthread_mutex_lock(&life->lock);
        n = life->subscribers;
        pthread_mutex_unlock(&life->lock);
        return n;
}

const char *fake_life_command(struct life *life)
{
        return life->command;
}

/* --- partitions --- */

static int no_partition(const char *name, struct croft_error *err)
{
        return croft_error_set(err, ENOENT, "no partition '%s'.", name);
}

static void copy_info(struct life_info *to, const struct life_info *from)
{
        bool ok;

        *to = *from;
        to->def.properties = property_copy(from->def.properties, &ok);
}

void life_info_done(struct life_info *info)
{
        info->def.properties = property_free(info->def.properties);
}

int life_get(struct life *life, const char *name, struct life_info *ret, struct croft_error *err)
{
        struct life_info *info;

        pthread_mutex_lock(&life->lock);
        info = find(life, name);
        if (info)
                copy_info(ret, info);
        pthread_mutex_unlock(&life->lock);
        return info ? 0 : no_partition(name, err);
}

int life_list(struct life *life, struct life_info **ret, size_t *ret_count, struct croft_error *err)
{
        struct life_info *all = calloc(ENTRIES, sizeof(*all));

        (void)err;
        pthread_mutex_lock(&life->lock);
        for (size_t i = 0; i < life->n; i++)
                copy_info(&all[i], &life->entries[i]);
        *ret_count = life->n;
        pthread_mutex_unlock(&life->lock);
        *ret = all;
        return 0;
}

int life_stats(struct life *life, struct stats **ret, struct croft_error *err)
{
        struct stats *stats = malloc(sizeof(*stats));

        (void)err;
        stats_init(stats);
        pthread_mutex_lock(&life->lock);
        stats->n = life->n;
        stats->partition = calloc(ENTRIES, sizeof(*stats->partition));
        for (size_t i = 0; i < life->n; i++) {
                stats_partition_init(&stats->partition[i]);
                (void)snprintf(
                        stats->partition[i].name, sizeof(stats->partition[i].name), "%s", life->entries[i].def.name);
                stats->partition[i].memory.usage = 4096;
        }
        pthread_mutex_unlock(&life->lock);
        *ret = stats;
        return 0;
}

static void event_locked(struct life *life, const char *type, const char *subject, const char *text)
{
        char **line = &life->events[life->n_events++ % LINES];

        free(*line);
        if (asprintf(line, "{\"time\":\"now\",\"type\":\"%s\",\"partition\":\"%s\",\"text\":\"%s\"}", type, subject,
                    text) < 0)
                abort();
        pthread_cond_broadcast(&life->change);
}

int life_create(struct life *life, const char *name, const char *image, const struct property *properties,
        struct croft_error *err)
{
        struct life_info *info;
        int r = 0;
        bool ok;

        if (image && strcmp(image, "deb12") != 0)
                return croft_error_set(err, ENOENT, "no image '%s'.", image);
        pthread_mutex_lock(&life->lock);
        if (find(life, name)) {
                r = croft_error_set(err, EEXIST, "there is a partition '%s' already.", name);
        } else if (life->n == ENTRIES) {
                r = croft_error_set(err, ENOSPC, "no room.");
        } else {
                info = &life->entries[life->n++];
                *info = (struct life_info){.exit_status = -1};
                (void)str_copy(info->def.name, sizeof(info->def.name), name);
                (void)str_copy(info->def.image, sizeof(info->def.image), image ? "12345678" : "87654321");
                info->def.native = !image;
                info->def.id = ++life->last_id;
                info->def.created = 1000000000;
                info->def.properties = property_copy(properties, &ok);
                event_locked(life, "state", name, "Defined");
        }
        pthread_mutex_unlock(&life->lock);
        return r;
}

int life_remove(struct life *life, const char *name, bool force, struct croft_error *err)
{
        struct life_info *info;
        int r = 0;

        pthread_mutex_lock(&life->lock);
        info = find(life, name);
        if (!info) {
                r = no_partition(name, err);
        } else if (info->pid > 0 && !force) {
                r = croft_error_set(err, EBUSY, "'%s' is running.", name);
        } else {
                life_info_done(info);
                memmove(info, info + 1, (size_t)(&life->entries[life->n] - (info + 1)) * sizeof(*info));
                life->n--;
        }
        pthread_mutex_unlock(&life->lock);
        return r;
}

static void wait_at_gate(struct life *life)
{
        life->at_gate++;
        pthread_cond_broadcast(&life->change);
        while (!life->gate_open && !life->ending)
                pthread_cond_wait(&life->change, &life->lock);
        life->at_gate--;
}

static int move(
        struct life *life, const char *name, const char *operation, enum partition_state state, struct croft_error *err)
{
        struct life_info *info;
        int r = 0;

        pthread_mutex_lock(&life->lock);
        info = find(life, name);
        if (!info) {
                r = no_partition(name, err);
        } else if (info->operation) {
                r = croft_error_set(err, EBUSY, "'%s' is busy: %s.", name, info->operation);
        } else {
                info->operation = operation;
                if (state == PARTITION_ACTIVE)
                        wait_at_gate(life);
                info->operation = NULL;
                info->state = state;
                info->pid = state == PARTITION_DEFINED ? 0 : 4711;
                info->exit_status = state == PARTITION_DEFINED ? CLD_KILLED << 8 | SIGKILL : -1;
                event_locked(life, "state", name, partition_state_name(state));
        }
        pthread_mutex_unlock(&life->lock);
        return r;
}

int life_load(struct life *life, const char *name, struct croft_error *err)
{
        return move(life, name, "load", PARTITION_LOADED, err);
}

int life_start(struct life *life, const char *name, struct croft_error *err)
{
        return move(life, name, "start", PARTITION_ACTIVE, err);
}

int life_stop(struct life *life, const char *name, unsigned int timeout_ms, bool force, struct croft_error *err)
{
        (void)timeout_ms;
        (void)force;
        return move(life, name, "stop", PARTITION_DEFINED, err);
}

int life_restart(struct life *life, const char *name, unsigned int timeout_ms, bool force, struct croft_error *err)
{
        (void)timeout_ms;
        (void)force;
        return move(life, name, "restart", PARTITION_ACTIVE, err);
}

int life_kill(struct life *life, const char *name, int signal, struct croft_error *err)
{
        return signal == SIGKILL ? move(life, name, "kill", PARTITION_DEFINED, err) : 0;
}

int life_freeze(struct life *life, const char *name, struct croft_error *err)
{
        return move(life, name, "freeze", PARTITION_FROZEN, err);
}

int life_thaw(struct life *life, const char *name, struct croft_error *err)
{
        return move(life, name, "thaw", PARTITION_ACTIVE, err);
}

int life_errors_clear(struct life *life, const char *name, struct croft_error *err)
{
        struct life_info info;
        int r = name ? life_get(life, name, &info, err) : 0;

        if (name && r == 0)
                life_info_done(&info);
        return r;
}

void life_errors_add(struct life *life, const struct croft_error *what)
{
        (void)life;
        (void)what;
}

int life_set(struct life *life, const char *name, const struct property *properties, struct croft_error *err)
{
        struct life_info *info;
        int r = 0;

        pthread_mutex_lock(&life->lock);
        info = find(life, name);
        if (!info)
                r = no_partition(name, err);
        for (; r == 0 && properties; properties = properties->next)
                r = property_set(&info->def.properties, properties->key, properties->value, err);
        pthread_mutex_unlock(&life->lock);
        return r;
}

/* --- pools --- */

static const struct pool_machine machine = {.has = {{15}}, .online = {{15}}};

void life_pool_info_done(struct life_pool_info *info)
{
        strv_free(info->partitions);
}

static void fill_pool(struct life *life, const char *name, struct life_pool_info *ret)
{
        *ret = (struct life_pool_info){.partitions = NULL};
        (void)str_copy(ret->name, sizeof(ret->name), name);
        (void)pools_cpus(&life->pools, name, &machine, &ret->cpus);
        ret->online = ret->cpus;
        for (size_t i = 0; i < life->n; i++)
                if (strcmp(property_get(life->entries[i].def.properties, "pool"), name) == 0)
                        (void)strv_append(&ret->partitions, life->entries[i].def.name);
}

int life_pool_list(struct life *life, struct life_pool_info **ret, size_t *ret_n, struct croft_error *err)
{
        struct life_pool_info *list;

        (void)err;
        pthread_mutex_lock(&life->lock);
        list = calloc(life->pools.n + 1, sizeof(*list));
        fill_pool(life, POOL_DEFAULT, &list[0]);
        for (size_t i = 0; i < life->pools.n; i++)
                fill_pool(life, life->pools.list[i].name, &list[i + 1]);
        *ret_n = life->pools.n + 1;
        pthread_mutex_unlock(&life->lock);
        *ret = list;
        return 0;
}

int life_pool_get(struct life *life, const char *name, struct life_pool_info *ret, struct croft_error *err)
{
        struct cpus cpus;
        bool found;

        pthread_mutex_lock(&life->lock);
        found = pools_cpus(&life->pools, name, &machine, &cpus);
        if (found)
                fill_pool(life, name, ret);
        pthread_mutex_unlock(&life->lock);
        return found ? 0 : croft_error_set(err, ENOENT, "there is no pool '%s'.", name);
}

static int change_pool(struct life *life, const char *name, const char *list,
        int (*change)(
                struct pools *, const char *, const struct cpus *, const struct pool_machine *, struct croft_error *),
        struct croft_error *err)
{
        struct cpus cpus;
        int r;

        if (!cpus_parse(list, &cpus))
                return croft_error_set(err, EINVAL, "no list of CPUs.");
        pthread_mutex_lock(&life->lock);
        r = change(&life->pools, name, &cpus, &machine, err);
        pthread_mutex_unlock(&life->lock);
        return r;
}

int life_pool_create(struct life *life, const char *name, const char *cpus, struct croft_error *err)
{
        return change_pool(life, name, cpus, pools_create, err);
}

int life_pool_set(struct life *life, const char *name, const char *cpus, struct croft_error *err)
{
        return change_pool(life, name, cpus, pools_set, err);
}

int life_pool_remove(struct life *life, const char *name, struct croft_error *err)
{
        int r;

        pthread_mutex_lock(&life->lock);
        r = pools_remove(&life->pools, name, err);
        pthread_mutex_unlock(&life->lock);
        return r;
}

int life_bind(struct life *life, const char *name, const char *pool, struct croft_error *err)
{
        struct property property = {.key = (char[]){"pool"}, .value = (char *)(uintptr_t)pool};
        struct life_pool_info info;
        int r = life_pool_get(life, pool, &info, err);

        if (r < 0)
                return r;
        life_pool_info_done(&info);
        return life_set(life, name, &property, err);
}

int life_rename(struct life *life, const char *name, const char *new_name, struct croft_error *err)
{
        struct life_info *info;

        pthread_mutex_lock(&life->lock);
        info = find(life, name);
        if (info)
                (void)str_copy(info->def.name, sizeof(info->def.name), new_name);
        pthread_mutex_unlock(&life->lock);
        return info ? 0 : no_partition(name, err);
}

/* --- streams --- */

struct echo {
        struct life *life;
        int client, done;
        unsigned char body[CROFT_STREAM_BODY_MAX];
};

static bool receive_all(int fd, void *buf, size_t size)
{
        return size == 0 || recv(fd, buf, size, MSG_WAITALL) == (ssize_t)size;
}

/* Gives each STDIN back as STDOUT; the end of input ends it with status 7. */
static void *echo(void *context)
{
        static const unsigned char over[] = {CROFT_STREAM_EXIT, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 7};
        unsigned char header[CROFT_STREAM_HEADER];
        struct echo *e = context;

        while (receive_all(e->client, header, sizeof(header))) {
                size_t size = (size_t)header[5] << 16 | (size_t)header[6] << 8 | header[7];

                if (size == 0) {
                        (void)fd_write_all(e->client, over, sizeof(over));
                        break;
                }
                if (size > sizeof(e->body) || !receive_all(e->client, e->body, size))
                        break;
                header[0] = CROFT_STREAM_STDOUT;
                (void)fd_write_all(e->client, header, sizeof(header));
                (void)fd_write_all(e->client, e->body, size);
        }
        close_fd(e->client);
        (void)eventfd_write(e->done, 1);
        close_fd(e->done);
        pthread_mutex_lock(&e->life->lock);
        e->life->echoes--;
        pthread_cond_broadcast(&e->life->change);
        pthread_mutex_unlock(&e->life->lock);
        free(e);
        return NULL;
}

static int begin_echo(struct life *life, int client, int *ret_done)
{
        struct echo *e = calloc(1, sizeof(*e));
        pthread_t thread;

        e->life = life;
        e->client = fd_dup(client);
        e->done = eventfd(0, EFD_CLOEXEC);
        *ret_done = fd_dup(e->done);
        pthread_mutex_lock(&life->lock);
        life->echoes++;
        pthread_mutex_unlock(&life->lock);
        pthread_create(&thread, NULL, echo, e);
        pthread_detach(thread);
        return 0;
}

int life_exec(struct life *life, const char *name, struct exec_spec *spec, int client, int *ret_pidfd,
        struct croft_error *err)
{
        (void)name;
        if (strcmp(spec->argv[0], "fail") == 0)
                return croft_error_set(err, ENOEXEC, "run 'fail'");
        life->command[0] = '\0';
        for (char **arg = spec->argv; *arg; arg++) {
                size_t used = strlen(life->command);

                (void)snprintf(life->command + used, sizeof(life->command) - used, "%s%s", used ? " " : "", *arg);
        }
        return begin_echo(life, client, ret_pidfd);
}

int life_console(struct life *life, const char *name, int client, struct croft_error *err)
{
        int done = -EBADF;

        (void)name;
        (void)err;
        (void)begin_echo(life, client, &done);
        close_fd(done);
        return 0;
}

int life_log(struct life *life, const char *name, struct croft_error *err)
{
        int fd = memfd_create("log", MFD_CLOEXEC);
        struct life_info info;
        struct ring ring;
        int r = life_get(life, name, &info, err);

        if (r < 0) {
                close_fd(fd);
                return r;
        }
        life_info_done(&info);
        if (strcmp(name, "silent") != 0 &&
                (ring_open(&ring, fd, RING_SIZE_DEFAULT) < 0 || ring_write(&ring, "boot\xff\033[31m\n", 11) < 0))
                abort();
        return fd;
}

/* --- events and notices --- */

int life_subscribe(struct life *life, struct life_events **ret, struct croft_error *err)
{
        struct life_events *events = calloc(1, sizeof(*events));

        (void)err;
        events->life = life;
        pthread_mutex_lock(&life->lock);
        events->next = life->n_events;
        life->subscribers++;
        pthread_mutex_unlock(&life->lock);
        *ret = events;
        return 0;
}

int life_event_next(struct life_events *events, unsigned int timeout_ms, char **ret)
{
        struct life *life = events->life;
        struct timespec end;
        int r = 0;

        (void)clock_gettime(CLOCK_REALTIME, &end);
        end.tv_sec += timeout_ms / 1000;
        end.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
        if (end.tv_nsec >= 1000000000) {
                end.tv_nsec -= 1000000000;
                end.tv_sec++;
        }
        pthread_mutex_lock(&life->lock);
        while (events->next == life->n_events && !life->ending && r == 0)
                r = pthread_cond_timedwait(&life->change, &life->lock, &end);
        if (events->next + LINES < life->n_events)
                events->next = life->n_events - LINES;
        if (events->next < life->n_events) {
                *ret = strdup(life->events[events->next++ % LINES]);
                r = 1;
        } else {
                r = life->ending ? -ESHUTDOWN : 0;
        }
        pthread_mutex_unlock(&life->lock);
        return r;
}

struct life_events *life_unsubscribe(struct life_events *events)
{
        pthread_mutex_lock(&events->life->lock);
        events->life->subscribers--;
        pthread_cond_broadcast(&events->life->change);
        pthread_mutex_unlock(&events->life->lock);
        free(events);
        return NULL;
}

void life_event(struct life *life, const char *type, const char *subject, const char *text)
{
        pthread_mutex_lock(&life->lock);
        event_locked(life, type, subject, text);
        pthread_mutex_unlock(&life->lock);
}

char *life_notice(struct life *life)
{
        char *notice = NULL;

        pthread_mutex_lock(&life->lock);
        if (life->n_notices > 0) {
                notice = life->notices[0];
                life->n_notices--;
                memmove(life->notices, life->notices + 1, life->n_notices * sizeof(notice));
        }
        pthread_mutex_unlock(&life->lock);
        return notice;
}

bool life_image_in_use(void *life, const char *id)
{
        struct life *l = life;
        bool used = false;

        pthread_mutex_lock(&l->lock);
        for (size_t i = 0; i < l->n; i++)
                used = used || strcmp(l->entries[i].def.image, id) == 0;
        pthread_mutex_unlock(&l->lock);
        return used;
}

void life_shutdown(struct life *life)
{
        pthread_mutex_lock(&life->lock);
        life->ending = true;
        pthread_cond_broadcast(&life->change);
        pthread_mutex_unlock(&life->lock);
}

/* --- the kernel: one feature is there, one isn't --- */

int probe_run(int state_dir, struct cgroup_tree *cgroups, struct probe_result **ret, size_t *ret_count,
        struct croft_error *err)
{
        static const struct probe_result found[] = {
                {.name = "here", .use = "something", .status = PROBE_OK, .detail = "6.1"},
                {.name = "gone", .use = "another", .lost = "much", .essential = true, .status = PROBE_MISSING}};

        (void)state_dir;
        (void)cgroups;
        (void)err;
        *ret = malloc(sizeof(found));
        memcpy(*ret, found, sizeof(found));
        *ret_count = ELEMENTS(found);
        return 0;
}

const char *probe_status_name(enum probe_status status)
{
        return status == PROBE_OK ? "ok" : "missing";
}

const struct probe_result *probe_blocker(const struct probe_result *results, size_t count)
{
        return count > 1 ? &results[1] : NULL;
}

/* --- images: one, "deb12" --- */

static const struct image_info deb12 = {
        .id = "12345678", .name = "deb12", .os = "Debian GNU/Linux 12", .source = "test", .created = 1000000000};

int image_list(struct image_store *store, struct image_info **ret, size_t *ret_count, struct croft_error *err)
{
        (void)store;
        (void)err;
        *ret = malloc(sizeof(**ret));
        **ret = deb12;
        *ret_count = 1;
        return 0;
}

int image_find(struct image_store *store, const char *name, struct image_info *ret, struct croft_error *err)
{
        (void)store;
        if (strcmp(name, deb12.name) != 0 && strcmp(name, deb12.id) != 0)
                return croft_error_set(err, ENOENT, "no image '%s'.", name);
        *ret = deb12;
        return 0;
}

int image_build(struct image_store *store, const struct image_build *what, image_progress say, void *context,
        struct image_info *ret, struct croft_error *err)
{
        (void)store;
        if (strcmp(what->suite, "bookworm") != 0)
                return croft_error_set(err, ENOENT, "no suite '%s'.", what->suite);
        say(context, "building");
        *ret = deb12;
        return 0;
}

int image_import(struct image_store *store, const char *name, const char *path, image_progress say, void *context,
        struct image_info *ret, struct croft_error *err)
{
        (void)store;
        (void)name;
        (void)say;
        (void)context;
        (void)ret;
        return croft_error_set(err, EILSEQ, "'%s' is no archive.", path);
}

int image_remove(struct image_store *store, const char *name, bool (*in_use)(void *context, const char *id),
        void *context, struct croft_error *err)
{
        struct image_info info;
        int r = image_find(store, name, &info, err);

        if (r == 0 && in_use(context, info.id))
                r = croft_error_set(err, EBUSY, "'%s' is in use.", name);
        return r;
}
