/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * life.c - the table of partitions: finding, owning, showing.  See life.h and life_private.h; what is done to a
 * partition is in life_define.c, life_run.c and life_session.c.
 */
#include "base/cleanup.h"
#include "base/log.h"
#include "daemon/life_books.h"
#include "daemon/life_broker.h"
#include "image/image.h"

#include <string.h>
#include <time.h>

#define YIELD_S 3 /* what yields needs milliseconds for it */

struct unit *unit_new(struct life *life, struct partition_def *def)
{
        struct unit *u = calloc(1, sizeof(*u));

        if (!u)
                return NULL;
        if (pthread_mutex_init(&u->p.lock, NULL) != 0 || pthread_mutex_init(&u->shows_modules, NULL) != 0 ||
                pthread_cond_init(&u->changed, NULL) != 0) {
                free(u);
                return NULL;
        }
        u->life = life;
        u->refs = 1;
        u->p.def = *def;
        def->properties = NULL;
        u->p.host = life->host;
        u->p.state = PARTITION_DEFINED;
        partition_run_init(&u->p.run);
        u->broker = (struct warden_process){.socket = -EBADF, .pidfd = -EBADF};
        return u;
}

struct unit *unit_ref(struct unit *u)
{
        (void)__atomic_add_fetch(&u->refs, 1, __ATOMIC_RELAXED);
        return u;
}

struct unit *unit_unref(struct unit *u)
{
        if (!u || __atomic_sub_fetch(&u->refs, 1, __ATOMIC_ACQ_REL) > 0)
                return NULL;
        partition_run_done(&u->p.run);
        close_fd(u->broker.socket); /* upon which it goes */
        close_fd(u->broker.pidfd);
        partition_def_done(&u->p.def);
        autoload_names_done(&u->names);
        (void)pthread_mutex_destroy(&u->p.lock);
        (void)pthread_mutex_destroy(&u->shows_modules);
        (void)pthread_cond_destroy(&u->changed);
        free(u);
        return NULL;
}

void unit_unrefp(struct unit **u)
{
        *u = unit_unref(*u);
}

/* Where a name is or would be; life.lock is held. */
static struct unit **find_place(struct life *life, const char *name)
{
        struct unit **place = &life->units;

        while (*place && strcmp((*place)->p.def.name, name) < 0)
                place = &(*place)->next;
        return place;
}

int life_insert(struct life *life, struct unit *u, struct croft_error *err)
{
        struct unit **place;
        bool taken;

        (void)pthread_mutex_lock(&life->lock);
        place = find_place(life, u->p.def.name);
        taken = *place && strcmp((*place)->p.def.name, u->p.def.name) == 0;
        if (!taken) {
                u->next = *place;
                u->listed = true;
                *place = unit_ref(u);
        }
        (void)pthread_mutex_unlock(&life->lock);
        return taken ? croft_error_set(err, EEXIST, "there is a partition '%s' already.", u->p.def.name) : 0;
}

void life_delist(struct life *life, struct unit *u)
{
        bool was;

        (void)pthread_mutex_lock(&life->lock);
        was = u->listed;
        for (struct unit **place = &life->units; *place; place = &(*place)->next)
                if (*place == u) {
                        *place = u->next;
                        break;
                }
        u->listed = false;
        (void)pthread_mutex_unlock(&life->lock);
        if (was)
                unit_unref(u);
}

struct unit *life_find(struct life *life, const char *name, struct croft_error *err)
{
        struct unit *u, *found = NULL;
        char escaped[256];

        (void)pthread_mutex_lock(&life->lock);
        u = *find_place(life, name);
        if (u && strcmp(u->p.def.name, name) == 0)
                found = unit_ref(u);
        (void)pthread_mutex_unlock(&life->lock);
        if (!found)
                croft_error_set(err, ENOENT, "there is no partition '%s'.",
                        str_escape(escaped, sizeof(escaped), name, strlen(name)));
        return found;
}

struct unit *life_find_id(struct life *life, uint64_t id)
{
        struct unit *found = NULL;

        (void)pthread_mutex_lock(&life->lock);
        for (struct unit *u = life->units; u && !found; u = u->next)
                if (u->p.def.id == id)
                        found = unit_ref(u);
        (void)pthread_mutex_unlock(&life->lock);
        return found;
}

enum partition_state unit_shown_state(const struct unit *u)
{
        return u->p.operation && life_action_is_transition(u->p.operation) ? PARTITION_TRANSITIONAL : u->p.state;
}

void unit_await_internal(struct unit *u)
{
        while (u->p.operation && u->internal) {
                if (u->yields)
                        life_packages_yield(u);
                (void)pthread_cond_wait(&u->changed, &u->p.lock);
        }
}

/* partition.lock is held. */
static int take_ownership(struct unit *u, enum life_action action, struct croft_error *err)
{
        int r;

        unit_await_internal(u);
        if (u->p.operation)
                return croft_error_set(
                        err, EBUSY, "'%s' is being %s.", u->p.def.name, life_action_participle(u->p.operation));
        if (!u->listed)
                return croft_error_set(err, ENOENT, "there is no partition '%s'.", u->p.def.name);
        r = life_action_check(action, u->p.state, u->p.def.name, err);
        if (r < 0)
                return r;
        u->p.operation = life_action_name(action);
        while (u->entering > 0) /* sessions take milliseconds to get in, or to fail */
                (void)pthread_cond_wait(&u->changed, &u->p.lock);
        return 0;
}

int life_begin(struct life *life, const char *name, enum life_action action, struct unit **ret, struct croft_error *err)
{
        _cleanup_(unit_unrefp) struct unit *u = life_find(life, name, err);
        int r;

        if (!u)
                return -ENOENT;
        (void)pthread_mutex_lock(&u->p.lock);
        r = take_ownership(u, action, err);
        (void)pthread_mutex_unlock(&u->p.lock);
        if (r < 0) {
                errors_refuse(u, err);
                return r;
        }
        if (life_action_is_attempt(action))
                errors_begin(u, life_action_name(action));
        *ret = TAKE(u);
        return 0;
}

/* What yields may be in a tree that doesn't answer: whoever is to see to other partitions, too, waits no longer.
 * partition.lock is held. */
static void await_yielding(struct unit *u)
{
        struct timespec until;

        (void)clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += YIELD_S;
        while (u->p.operation && u->yields) {
                life_packages_yield(u);
                if (pthread_cond_clockwait(&u->changed, &u->p.lock, CLOCK_MONOTONIC, &until) != 0)
                        return;
        }
}

int life_begin_unit(struct unit *u, const char *operation, enum unit_manner manner)
{
        int r = -EBUSY;

        (void)pthread_mutex_lock(&u->p.lock);
        if (manner != UNIT_YIELDING)
                await_yielding(u);
        if (!u->p.operation && u->listed) {
                u->p.operation = operation;
                u->internal = manner != UNIT_REFUSING;
                u->yields = manner == UNIT_YIELDING;
                r = 0;
        }
        (void)pthread_mutex_unlock(&u->p.lock);
        return r;
}

int life_end(struct unit *u, enum partition_state state, int r, struct croft_error *err)
{
        struct croft_error own = CROFT_ERROR_INIT;
        char line[sizeof(u->last_error)] = "", name[NAME_LENGTH_MAX + 1];
        enum partition_state old;
        bool transition;

        if (r < 0 && err && err->code)
                croft_error_line(err, line, sizeof(line));
        else if (r < 0)
                (void)croft_error_line((croft_error_set(&own, r, "failed"), &own), line, sizeof(line));
        if (r < 0)
                errors_add(u, err && err->code ? err : &own);
        (void)pthread_mutex_lock(&u->p.lock);
        transition = u->p.operation && life_action_is_transition(u->p.operation);
        life_count(u->life, u->p.operation, r < 0);
        if (r < 0 || transition)
                (void)str_copy(u->last_error, sizeof(u->last_error), line);
        (void)str_copy(name, sizeof(name), u->p.def.name);
        old = u->p.state;
        u->p.state = state;
        u->p.operation = NULL;
        u->internal = u->yields = false;
        (void)pthread_cond_broadcast(&u->changed);
        (void)pthread_mutex_unlock(&u->p.lock);
        if (transition || state != old || r < 0)
                unit_event(u, "state", line);
        if (transition && state == PARTITION_ACTIVE)
                life_packages_want(u);
        watch_arm(u);
        return r;
}

bool rate_exceeded(struct rate *rate, unsigned int max, int64_t seconds)
{
        struct timespec now;
        unsigned int n = 0;

        (void)clock_gettime(CLOCK_BOOTTIME, &now);
        rate->at_s[rate->next++ % ELEMENTS(rate->at_s)] = (int64_t)now.tv_sec + 1; /* 0: never */
        for (size_t i = 0; i < ELEMENTS(rate->at_s); i++)
                n += rate->at_s[i] > 0 && rate->at_s[i] + seconds > now.tv_sec;
        return n >= max;
}

void life_info_done(struct life_info *info)
{
        partition_def_done(&info->def);
}

/* All but the usage, which takes system calls. */
static int snapshot(struct unit *u, struct life_info *ret)
{
        int r;

        *ret = (struct life_info){.state = PARTITION_DEFINED};
        (void)pthread_mutex_lock(&u->p.lock);
        r = partition_def_copy(&u->p.def, &ret->def);
        ret->state = unit_shown_state(u);
        ret->operation = u->p.operation;
        ret->pid = u->p.run.pid;
        ret->warden = u->p.run.warden_pid;
        ret->started = u->p.run.started;
        ret->exit_status = u->p.run.exit_status;
        (void)str_copy(ret->last_error, sizeof(ret->last_error), u->last_error);
        (void)pthread_mutex_unlock(&u->p.lock);
        return r;
}

static void add_usage(struct life *life, struct life_info *info)
{
        if (info->pid <= 0)
                return;
        if (cgroup_usage(life->host->cgroups, info->def.id, &info->usage, NULL) < 0)
                info->usage = (struct cgroup_usage){.cpu_us = 0}; /* it ends just now */
}

int life_get(struct life *life, const char *name, struct life_info *ret, struct croft_error *err)
{
        _cleanup_(unit_unrefp) struct unit *u = life_find(life, name, err);

        if (!u)
                return -ENOENT;
        if (snapshot(u, ret) < 0)
                return croft_error_set(err, ENOMEM, "show '%s'", name);
        add_usage(life, ret);
        return 0;
}

struct unit **life_units(struct life *life, size_t *ret_n, int *ret_r)
{
        struct unit **units = NULL;
        size_t n = 0;

        *ret_r = 0;
        (void)pthread_mutex_lock(&life->lock);
        for (struct unit *u = life->units; u; u = u->next)
                n++;
        if (n > 0)
                units = calloc(n, sizeof(*units));
        if (n > 0 && !units) {
                n = 0;
                *ret_r = -ENOMEM;
        }
        n = 0;
        for (struct unit *u = units ? life->units : NULL; u; u = u->next)
                units[n++] = unit_ref(u);
        (void)pthread_mutex_unlock(&life->lock);
        *ret_n = n;
        return units;
}

int life_list(struct life *life, struct life_info **ret, size_t *ret_count, struct croft_error *err)
{
        _cleanup_free_ struct unit **units = NULL;
        struct life_info *list;
        size_t n = 0;
        int r = 0;

        units = life_units(life, &n, &r);
        list = calloc(n + 1, sizeof(*list));
        if (!list)
                r = -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                if (r == 0)
                        r = snapshot(units[i], &list[i]);
                unit_unref(units[i]);
        }
        if (r == 0) {
                for (size_t i = 0; i < n; i++)
                        add_usage(life, &list[i]);
                *ret = list;
                *ret_count = n;
                return 0;
        }
        for (size_t i = 0; list && i < n; i++)
                life_info_done(&list[i]);
        free(list);
        return croft_error_set(err, r, "list partitions");
}

bool life_image_in_use(void *context, const char *id)
{
        struct life *life = context;
        bool used = false;

        (void)pthread_mutex_lock(&life->lock);
        for (struct unit *u = life->units; u && !used; u = u->next)
                used = strcmp(u->p.def.image, id) == 0;
        (void)pthread_mutex_unlock(&life->lock);
        return used;
}

char *life_notice(struct life *life)
{
        return store_take_notice(life->store);
}

int life_fd(const struct life *life)
{
        return life->epoll;
}

/* Before croftd ends, and for what croftd may tidy up then: is any partition loaded or running? */
size_t life_running(struct life *life)
{
        size_t n = 0;

        (void)pthread_mutex_lock(&life->lock);
        for (struct unit *u = life->units; u; u = u->next) {
                (void)pthread_mutex_lock(&u->p.lock);
                n += u->p.state != PARTITION_DEFINED || u->p.operation;
                (void)pthread_mutex_unlock(&u->p.lock);
        }
        (void)pthread_mutex_unlock(&life->lock);
        return n;
}

bool life_is_ending(struct life *life)
{
        bool ending;

        (void)pthread_mutex_lock(&life->queue_lock);
        ending = life->ending;
        (void)pthread_mutex_unlock(&life->queue_lock);
        return ending;
}

void life_shutdown(struct life *life)
{
        life_autoload_rest(life); /* first: nobody looks at what waits any more */
        (void)pthread_mutex_lock(&life->queue_lock);
        life->ending = true; /* workers finish what they are at, and begin nothing new */
        (void)pthread_cond_broadcast(&life->queue_filled);
        (void)pthread_mutex_unlock(&life->queue_lock);
        events_end(life->events);
}

static void life_freep(struct life **life)
{
        *life = life_free(*life);
}

int life_open(struct host *host, struct store *store, struct life **ret, struct croft_error *err)
{
        _cleanup_(life_freep) struct life *life = calloc(1, sizeof(*life));
        int r;

        if (!life)
                return croft_error_set(err, ENOMEM, "open the life cycle");
        life->host = host;
        host->note = errors_note_partition;
        host->is_kept_from = books_keep_from;
        host->has_grants = unit_has_grants;
        host->serve = broker_wait_a_moment;
        life->store = store;
        life->started = (uint64_t)time(NULL);
        life->epoll = life->calls = life->calls_end = -EBADF;
        (void)pthread_mutex_init(&life->lock, NULL); /* with these attributes it can't fail */
        (void)pthread_mutex_init(&life->queue_lock, NULL);
        (void)pthread_cond_init(&life->queue_filled, NULL);
        (void)pthread_mutex_init(&life->pools_lock, NULL);
        (void)pthread_mutex_init(&life->kext_lock, NULL);
        (void)pthread_mutex_init(&life->policy_lock, NULL);
        (void)pthread_mutex_init(&life->refusals_lock, NULL);
        (void)pthread_mutex_init(&life->names_lock, NULL);
        (void)pthread_mutex_init(&life->books_lock, NULL);
        (void)pthread_cond_init(&life->books_wanted, NULL);
        (void)pthread_cond_init(&life->books_turned, NULL);
        (void)pthread_cond_init(&life->servers_ended, NULL);
        life->uevents = -EBADF;
        life->names_timer = -EBADF;
        life->devid_wanted = -EBADF;
        life->events = events_new();
        if (!life->events)
                return croft_error_set(err, ENOMEM, "open the life cycle");
        r = warden_spawner_new(host->warden_path, &life->spawner, err);
        if (r == 0)
                r = warden_spare_init(&life->spare, life->spawner, err);
        life_packages_open(life);
        life_policy_read(life);
        if (r == 0)
                r = watch_open(life, err);
        if (r == 0)
                r = life_kext_settle(life, err);
        if (r == 0)
                r = life_recover(life, err);
        if (r == 0)
                r = books_settle(life, err);
        if (r < 0)
                return r;
        books_watch(life);
        life_disks_watch(life);
        life_devices_watch(life);
        life_pools_watch(life);
        life_devid_watch(life);
        life_refusals_watch(life);
        life_autoload_watch(life);
        life_packages_watch(life);
        *ret = TAKE(life);
        return 0;
}

struct life *life_free(struct life *life)
{
        if (!life)
                return NULL;
        life_packages_close(life);
        books_close(life);
        life_devid_close(life);
        follower_close(&life->cpus);
        follower_close(&life->devices);
        follower_close(&life->disks);
        life_pools_close(life);
        watch_close(life);
        while (life->units) {
                struct unit *u = life->units;

                life->units = u->next;
                unit_unref(u);
        }
        warden_spare_done(&life->spare);
        warden_spawner_free(life->spawner);
        events_free(life->events);
        for (size_t i = 0; i < life->n_sessions; i++)
                close_fd(life->sessions[i]);
        free(life->sessions);
        (void)pthread_mutex_destroy(&life->lock);
        (void)pthread_mutex_destroy(&life->queue_lock);
        (void)pthread_cond_destroy(&life->queue_filled);
        (void)pthread_mutex_destroy(&life->pools_lock);
        (void)pthread_mutex_destroy(&life->kext_lock);
        (void)pthread_mutex_destroy(&life->policy_lock);
        (void)pthread_mutex_destroy(&life->refusals_lock);
        (void)pthread_mutex_destroy(&life->names_lock);
        kexts_done(&life->kexts);
        life_autoload_close(life);
        free(life);
        return NULL;
}

/* --- autostart ---------------------------------------------------------------------------------------------------- */

struct candidate {
        uint64_t order;
        char name[NAME_LENGTH_MAX + 1];
};

/* By start.order, then by name. */
static int compare_order(const void *a, const void *b)
{
        const struct candidate *x = a, *y = b;

        return x->order < y->order ? -1 : x->order > y->order ? 1 : strcmp(x->name, y->name);
}

/* Does it want to be started, and when? */
static bool wants_autostart(struct unit *u, struct candidate *ret)
{
        bool wants;

        (void)pthread_mutex_lock(&u->p.lock);
        wants = u->p.state == PARTITION_DEFINED && !u->p.operation && !u->stopped &&
                strcmp(property_get(u->p.def.properties, "autostart"), "yes") == 0;
        ret->order = 0;
        (void)str_to_u64(property_get(u->p.def.properties, "start.order"), UINT64_MAX, &ret->order);
        (void)str_copy(ret->name, sizeof(ret->name), u->p.def.name);
        (void)pthread_mutex_unlock(&u->p.lock);
        return wants;
}

void life_autostart(struct life *life)
{
        _cleanup_free_ struct unit **units = NULL;
        _cleanup_free_ struct candidate *list = NULL;
        size_t n = 0, n_list = 0;
        int r;

        units = life_units(life, &n, &r);
        list = calloc(n + 1, sizeof(*list));
        for (size_t i = 0; i < n; i++) {
                if (list && wants_autostart(units[i], &list[n_list]))
                        n_list++;
                unit_unref(units[i]);
        }
        if (n_list > 0)
                qsort(list, n_list, sizeof(*list), compare_order);
        for (size_t i = 0; i < n_list && !life_is_ending(life); i++) {
                struct croft_error err = CROFT_ERROR_INIT;

                if (life_start(life, list[i].name, &err) < 0)
                        log_error(LOG_LEVEL_WARNING, &err, "autostart");
        }
}
