/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * life_pool.c - pools of CPUs: making, changing and removing them, binding partitions to them, and following the kernel
 * when CPUs come and go.
 *
 * life.pools_lock is held for the whole of every operation that changes who runs where: one on pools, a set of the
 * properties pool or cpu.set, the placing of a partition that starts, a look after a CPU came or went.  So what is
 * decided still holds when it is written, and what is taken back is still there.  It comes before life.lock and
 * partition.lock; who waits for it may own a partition, who holds it never waits for one.
 *
 * Tables are decided on by pool.h, the kernel is written to by cgroup_cpus.c, and the database has the old table until
 * the end of an operation: whoever finds it interrupted only has to bring the kernel back to what the database says.
 */
#include "base/cleanup.h"
#include "base/log.h"
#include "daemon/life_private.h"
#include "kernel/uevent.h"

#include <string.h>
#include <sys/epoll.h>

void seats_done(struct seats *seats)
{
        for (size_t i = 0; i < seats->n; i++) {
                property_free(seats->list[i].properties);
                unit_unref(seats->list[i].u);
        }
        free(seats->list);
}

/* Takes the reference over. */
static bool take_seat(struct unit *u, struct seat *ret)
{
        bool ok;

        (void)pthread_mutex_lock(&u->p.lock);
        (void)str_copy(ret->name, sizeof(ret->name), u->p.def.name);
        ret->properties = property_copy(u->p.def.properties, &ok);
        (void)pthread_mutex_unlock(&u->p.lock);
        ret->u = u;
        ret->user = pool_user_of(ret->name, ret->properties, u->placed);
        return ok;
}

int life_pool_seats(struct life *life, struct seats *ret, struct croft_error *err)
{
        _cleanup_(seats_done) struct seats seats = {.list = NULL};
        _cleanup_free_ struct unit **units = NULL;
        size_t n = 0;
        int r = 0;

        units = life_units(life, &n, &r);
        seats.list = calloc(n + 1, sizeof(*seats.list));
        if (!seats.list)
                r = -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                if (!seats.list) {
                        unit_unref(units[i]);
                        continue;
                }
                if (!take_seat(units[i], &seats.list[i]))
                        r = -ENOMEM;
                seats.n++;
        }
        if (r < 0)
                return croft_error_set(err, r, "look at the partitions");
        *ret = seats;
        seats = (struct seats){.list = NULL};
        return 0;
}

int life_pool_machine(struct life *life, struct pool_machine *ret, struct croft_error *err)
{
        struct pool_machine machine;
        struct cpus own, offline;
        int r;

        r = cpus_read("present", &machine.has, err);
        if (r == 0)
                r = cpus_read("online", &machine.online, err);
        if (r < 0)
                return r;
        r = cgroup_cpus_own(life->host->cgroups, &own, err);
        if (r == -EOPNOTSUPP)
                own = machine.online;
        else if (r < 0)
                return r;
        offline = cpus_without(&machine.has, &machine.online);
        machine.online = cpus_and(&machine.online, &own);
        machine.has = cpus_or(&machine.online, &offline);
        *ret = machine;
        return 0;
}

static int need_controller(struct life *life, struct croft_error *err)
{
        if (cgroup_tree_rule(life->host->cgroups, "cpuset") != CGROUP_NONE)
                return 0;
        return croft_error_set(err, EOPNOTSUPP, "there is no cpuset controller here, and pools need it.");
}

/* --- placing ------------------------------------------------------------------------------------------------------ */

/* What is to be written for a partition. */
static int place_text(struct life *life, const struct pools *pools, const struct pool_machine *machine,
        const struct pool_user *user, char **ret, struct croft_error *err)
{
        struct cpus cpus;
        bool all;
        int r;

        r = pools_place(pools, machine, user, &cpus, &all, err);
        if (r < 0)
                return r;
        if (cgroup_tree_rule(life->host->cgroups, "cpuset") == CGROUP_V1) { /* takes none that is offline */
                cpus = cpus_and(&cpus, &machine->online);
                if (cpus_is_empty(&cpus))
                        cpus = machine->online; /* what v2 does by itself; else nobody could enter it */
        }
        *ret = all ? strdup("") : cpus_format(&cpus);
        return *ret ? 0 : croft_error_set(err, ENOMEM, "write a list of CPUs");
}

static int place(struct life *life, const struct pools *pools, const struct pool_machine *machine, uint64_t id,
        const struct pool_user *user, struct croft_error *err)
{
        _cleanup_free_ char *text = NULL;
        int r;

        r = place_text(life, pools, machine, user, &text, err);
        return r < 0 ? r : cgroup_cpus_set(life->host->cgroups, id, text, err);
}

/* Does the partition get a CPU that it hasn't now? */
static bool gains(struct life *life, uint64_t id, const char *text)
{
        _cleanup_free_ char *has = NULL;
        struct cpus now, then;

        if (cgroup_get(life->host->cgroups, id, "cpuset.cpus", &has, NULL) < 0 || !*has || !cpus_parse(has, &now))
                return false;
        if (!*text || !cpus_parse(text, &then))
                return true;
        then = cpus_without(&then, &now);
        return !cpus_is_empty(&then);
}

/* Brings every partition that has processes to its place in the table: first those that only lose, so that no CPU is
 * in two pools at any time.  A partition that is in nobody's way any more is passed over.  all: goes on after a
 * failure. Returns the first. */
static int place_all(struct life *life, const struct pools *pools, bool all, struct croft_error *err)
{
        _cleanup_(seats_done) struct seats seats = {.list = NULL};
        struct pool_machine machine;
        int r, first = 0;

        r = life_pool_machine(life, &machine, err);
        if (r == 0)
                r = life_pool_seats(life, &seats, err);
        for (size_t i = 0; i < 2 * seats.n && r == 0 && (first == 0 || all); i++) {
                struct seat *seat = &seats.list[i % seats.n];
                struct croft_error why = CROFT_ERROR_INIT;
                struct pool_user user = seat->user;
                _cleanup_free_ char *text = NULL;
                int s;

                if (!seat->user.running)
                        continue;
                user.running = false; /* with all its CPUs offline it keeps its place */
                s = place_text(life, pools, &machine, &user, &text, &why);
                if (s == 0 && gains(life, seat->u->p.def.id, text) == (i >= seats.n))
                        s = cgroup_cpus_set(life->host->cgroups, seat->u->p.def.id, text, &why);
                if (s < 0 && s != -ENOENT && s != -ENODEV && first == 0) {
                        first = s;
                        croft_error_prefix(&why, "'%s'", seat->name);
                        croft_error_copy(err, &why);
                }
        }
        return r < 0 ? r : first;
}

/* --- facets and properties ---------------------------------------------------------------------------------------- */

int life_pool_enter(struct unit *u, struct croft_error *err)
{
        struct life *life = u->life;
        struct pool_machine machine;
        struct pool_user user;
        int r;

        (void)pthread_mutex_lock(&life->pools_lock);
        user = pool_user_of(u->p.def.name, u->p.def.properties, true); /* the caller owns it: nobody sets them */
        r = life_pool_machine(life, &machine, err);
        if (r == 0)
                r = place(life, &life->pools, &machine, u->p.def.id, &user, err);
        if (r == 0)
                u->placed = true;
        if (r == 0)
                r = life_pool_publish_new(life, &life->pools, &machine, u, err);
        (void)pthread_mutex_unlock(&life->pools_lock);
        return r;
}

/* Its statistics end with the partition (facet kstat). */
void life_pool_leave(struct unit *u)
{
        (void)pthread_mutex_lock(&u->life->pools_lock);
        u->placed = false;
        (void)pthread_mutex_unlock(&u->life->pools_lock);
}

void life_pool_adopt(struct unit *u)
{
        (void)pthread_mutex_lock(&u->life->pools_lock);
        u->placed = true; /* life_pools_settle() sees to the rest, once for all */
        (void)pthread_mutex_unlock(&u->life->pools_lock);
}

int life_pool_check(struct life *life, const struct pool_user *user, struct croft_error *err)
{
        struct pool_machine machine;
        struct cpus cpus;
        bool all;
        int r;

        /* What isn't running may be meant for another machine, or for pools to come; its start will tell. */
        if (!user->running && strcmp(user->pool, POOL_DEFAULT) == 0)
                return 0;
        r = life_pool_machine(life, &machine, err);
        return r < 0 ? r : pools_place(&life->pools, &machine, user, &cpus, &all, err);
}

int life_pool_move(struct unit *u, const struct property *properties, bool back, struct croft_error *err)
{
        struct pool_user user = pool_user_of(u->p.def.name, properties, !back);
        struct pool_machine machine;
        int r = life_pool_machine(u->life, &machine, err);

        return r < 0 ? r : place(u->life, &u->life->pools, &machine, u->p.def.id, &user, err);
}

/* --- operations on pools ------------------------------------------------------------------------------------------ */

/* pools_lock is held. */
struct pool_act {
        struct life *life;
        const struct pools *next; /* NULL: a dead croftd's, to be taken back */
        struct store_pool_journal journal;
};

static int act_cpus(void *context, const void *arg, struct croft_error *err)
{
        struct pool_act *act = context;

        (void)arg;
        return place_all(act->life, act->next, false, err);
}

static int undo_cpus(void *context, const void *arg, struct croft_error *err)
{
        struct pool_act *act = context;

        (void)arg;
        act->journal.pools = NULL;
        return place_all(act->life, &act->life->pools, true, err);
}

static int act_statistics(void *context, const void *arg, struct croft_error *err)
{
        struct pool_act *act = context;

        (void)arg;
        return life_pool_publish(act->life, act->next, NULL, NULL, err);
}

static int undo_statistics(void *context, const void *arg, struct croft_error *err)
{
        struct pool_act *act = context;

        (void)arg;
        act->journal.pools = NULL;
        return life_pool_publish(act->life, &act->life->pools, NULL, NULL, err);
}

static const struct step steps[] = {
        {.name = "cpus", .act = act_cpus, .undo = undo_cpus},
        {.name = "statistics", .act = act_statistics, .undo = undo_statistics},
};

#define POOL_OPERATION(text)                                                                                           \
        {                                                                                                              \
                .name = (text), .policy = STEPS_UNDO, .steps = steps, .n_steps = ELEMENTS(steps)                       \
        }
static const struct operation op_create_pool = POOL_OPERATION("pool-create"), op_set_pool = POOL_OPERATION("pool-set"),
                              op_remove_pool = POOL_OPERATION("pool-remove");
static const struct operation *const operations[] = {&op_create_pool, &op_set_pool, &op_remove_pool};

void life_pool_print_crash_points(void)
{
        for (size_t i = 0; i < ELEMENTS(operations); i++)
                steps_print_crash_points(operations[i]);
}

/* The table as it shall be. */
static int change_table(const struct operation *op, struct pools *next, const char *name, const struct cpus *cpus,
        const struct pool_machine *machine, struct croft_error *err)
{
        if (op == &op_create_pool)
                return pools_create(next, name, cpus, machine, err);
        return op == &op_set_pool ? pools_set(next, name, cpus, machine, err) : pools_remove(next, name, err);
}

static int check_table(
        struct life *life, const struct pools *next, const struct pool_machine *machine, struct croft_error *err)
{
        _cleanup_(seats_done) struct seats seats = {.list = NULL};
        _cleanup_free_ struct pool_user *users = NULL;
        int r = life_pool_seats(life, &seats, err);

        if (r < 0)
                return r;
        users = calloc(seats.n + 1, sizeof(*users));
        if (!users)
                return croft_error_set(err, ENOMEM, "look at the partitions");
        for (size_t i = 0; i < seats.n; i++)
                users[i] = seats.list[i].user;
        return pools_check(&life->pools, next, machine, users, seats.n, err);
}

static int change_locked(struct life *life, const struct operation *op, const char *name, const struct cpus *cpus,
        struct croft_error *err)
{
        _cleanup_(pools_done) struct pools next = {.list = NULL};
        struct pool_act act = {.life = life, .next = &next};
        struct pool_machine machine;
        struct pools old;
        int r;

        r = need_controller(life, err);
        if (r == 0)
                r = life_pool_machine(life, &machine, err);
        if (r < 0)
                return r;
        if (pools_copy(&life->pools, &next) < 0)
                return croft_error_set(err, ENOMEM, "copy the pools");
        r = change_table(op, &next, name, cpus, &machine, err);
        if (r == 0)
                r = check_table(life, &next, &machine, err);
        if (r < 0)
                return r;
        store_pool_journal_init(&act.journal, life->store, name, &next);
        r = steps_run(op, &act, &act.journal.steps, err);
        if (r < 0)
                return r;
        old = life->pools;
        life->pools = next;
        next = old;
        return 0;
}

static int change(
        struct life *life, const struct operation *op, const char *name, const char *list, struct croft_error *err)
{
        struct cpus cpus = {.bits = {0}};
        struct croft_error own = CROFT_ERROR_INIT;
        char escaped[256];
        int r;

        if (list && !cpus_parse(list, &cpus))
                return croft_error_set(err, EINVAL, "'%s' is no list of CPUs; give numbers and ranges like 0-3,6.",
                        str_escape(escaped, sizeof(escaped), list, strlen(list)));
        (void)pthread_mutex_lock(&life->pools_lock);
        r = change_locked(life, op, name, &cpus, &own);
        (void)pthread_mutex_unlock(&life->pools_lock);
        if (r < 0) {
                croft_error_prefix(&own, "%s pool '%s'", op->name + strlen("pool-"),
                        str_escape(escaped, sizeof(escaped), name, strlen(name)));
                croft_error_copy(err, &own);
        }
        return r;
}

int life_pool_create(struct life *life, const char *name, const char *cpus, struct croft_error *err)
{
        return change(life, &op_create_pool, name, cpus, err);
}

int life_pool_set(struct life *life, const char *name, const char *cpus, struct croft_error *err)
{
        return change(life, &op_set_pool, name, cpus, err);
}

int life_pool_remove(struct life *life, const char *name, struct croft_error *err)
{
        return change(life, &op_remove_pool, name, NULL, err);
}

/* --- showing ------------------------------------------------------------------------------------------------------ */

void life_pool_info_done(struct life_pool_info *info)
{
        strv_free(info->partitions);
        info->partitions = NULL;
}

static int fill_info(struct life *life, const struct seats *seats, const struct pool_machine *machine, const char *name,
        struct life_pool_info *ret)
{
        *ret = (struct life_pool_info){.partitions = NULL};
        (void)str_copy(ret->name, sizeof(ret->name), name);
        if (!pools_cpus(&life->pools, name, machine, &ret->cpus))
                return -ENOENT;
        ret->online = cpus_and(&ret->cpus, &machine->online);
        for (size_t i = 0; i < seats->n; i++)
                if (strcmp(seats->list[i].user.pool, name) == 0 &&
                        strv_append(&ret->partitions, seats->list[i].name) < 0)
                        return -ENOMEM;
        return 0;
}

static int compare_infos(const void *a, const void *b)
{
        const struct life_pool_info *x = a, *y = b;

        return strcmp(x->name, y->name);
}

int life_pool_list(struct life *life, struct life_pool_info **ret, size_t *ret_n, struct croft_error *err)
{
        _cleanup_(seats_done) struct seats seats = {.list = NULL};
        struct pool_machine machine;
        struct life_pool_info *list = NULL;
        size_t n = 0;
        int r;

        (void)pthread_mutex_lock(&life->pools_lock);
        r = life_pool_machine(life, &machine, err);
        if (r == 0)
                r = life_pool_seats(life, &seats, err);
        if (r == 0) {
                list = calloc(life->pools.n + 1, sizeof(*list));
                if (!list)
                        r = croft_error_set(err, ENOMEM, "list pools");
        }
        for (; r == 0 && n <= life->pools.n; n++)
                if (fill_info(life, &seats, &machine, n ? life->pools.list[n - 1].name : POOL_DEFAULT, &list[n]) < 0)
                        r = croft_error_set(err, ENOMEM, "list pools");
        (void)pthread_mutex_unlock(&life->pools_lock);
        if (r < 0) {
                for (size_t i = 0; list && i < n; i++)
                        life_pool_info_done(&list[i]);
                free(list);
                return r;
        }
        qsort(list, n, sizeof(*list), compare_infos);
        *ret = list;
        *ret_n = n;
        return 0;
}

int life_pool_get(struct life *life, const char *name, struct life_pool_info *ret, struct croft_error *err)
{
        struct life_pool_info *list = NULL;
        char escaped[256];
        bool found = false;
        size_t n = 0;
        int r = life_pool_list(life, &list, &n, err);

        if (r < 0)
                return r;
        for (size_t i = 0; i < n; i++)
                if (strcmp(list[i].name, name) == 0) {
                        *ret = list[i];
                        found = true;
                } else {
                        life_pool_info_done(&list[i]);
                }
        free(list);
        if (!found)
                return croft_error_set(err, ENOENT, "there is no pool '%s'.",
                        str_escape(escaped, sizeof(escaped), name, strlen(name)));
        return 0;
}

/* --- beginning, hotplug, end -------------------------------------------------------------------------------------- */

int life_pools_load(struct life *life, struct croft_error *err)
{
        return store_pools(life->store, &life->pools, err);
}

/* Brings the kernel to what the table says: after a CPU came or went, or croftd. */
static int follow(struct life *life, struct croft_error *err)
{
        struct cgroup_tree *tree = life->host->cgroups;
        struct croft_error why = CROFT_ERROR_INIT;
        int r, first;

        first = cgroup_cpus_repair(tree, err);
        r = place_all(life, &life->pools, true, &why);
        life_pool_describe(life);
        if (r == 0)
                r = cgroup_cpus_bring_home(tree, &why);
        if (r == 0)
                r = life_pool_publish(life, &life->pools, NULL, NULL, &why);
        if (r < 0 && first == 0) {
                first = r;
                croft_error_copy(err, &why);
        }
        return first;
}

static const struct operation *find_operation(const char *name)
{
        for (size_t i = 0; i < ELEMENTS(operations); i++)
                if (strcmp(operations[i]->name, name) == 0)
                        return operations[i];
        return NULL;
}

static void settle_operation(struct life *life)
{
        char pool[NAME_LENGTH_MAX + 1], line[CROFT_ERROR_TEXT_MAX], text[CROFT_ERROR_TEXT_MAX + 200];
        struct store_operation operation = {.name = ""};
        struct pool_act act = {.life = life};
        struct croft_error err = CROFT_ERROR_INIT;
        const struct operation *op;
        int r;

        r = store_pool_operation(life->store, &operation, pool, &err);
        op = r == 0 ? find_operation(operation.name) : NULL;
        if (!op)
                return;
        store_pool_journal_init(&act.journal, life->store, pool, NULL);
        r = steps_recover(op, &act, &act.journal.steps, &err);
        if (r < 0)
                (void)snprintf(text, sizeof(text), "the interrupted '%s' of pool '%s' can't be undone: %s", op->name,
                        pool, croft_error_line(&err, line, sizeof(line)));
        else
                (void)snprintf(text, sizeof(text), "the interrupted '%s' of pool '%s' was undone", op->name, pool);
        log_say(LOG_LEVEL_NOTICE, "%s", text);
        (void)store_add_notice(life->store, text, NULL); /* it is in the log, at least */
}

void life_pools_settle(struct life *life)
{
        struct croft_error err = CROFT_ERROR_INIT;

        (void)pthread_mutex_lock(&life->pools_lock);
        settle_operation(life);
        if (follow(life, &err) < 0)
                log_error(LOG_LEVEL_WARNING, &err, "not every partition runs on the CPUs of its pool");
        (void)pthread_mutex_unlock(&life->pools_lock);
}

/* A CPU that comes back is nobody's operation. */
static void follow_cpus(struct life *life)
{
        struct croft_error err = CROFT_ERROR_INIT;

        (void)pthread_mutex_lock(&life->pools_lock);
        if (follow(life, &err) < 0)
                log_error(LOG_LEVEL_WARNING, &err,
                        "a CPU came or went, and not every partition runs on the CPUs of its pool");
        (void)pthread_mutex_unlock(&life->pools_lock);
}

void life_pools_dispatch(struct life *life)
{
        static const char *const subsystems[] = {"cpu", "block", "module", "misc", "cuse"};
        unsigned int about = uevent_take(life->uevents, subsystems, ELEMENTS(subsystems));

        if (about & 1)
                follower_want(&life->cpus);
        if (about & 2)
                follower_want(&life->disks);
        if (about & ~1U)
                life_devid_changed(life);
        follower_want(&life->devices); /* of any subsystem: usually nothing is exported */
}

void life_pools_watch(struct life *life)
{
        struct epoll_event event = {.events = EPOLLIN, .data.u64 = LIFE_UEVENTS_ID};
        struct croft_error err = CROFT_ERROR_INIT;

        life->uevents = uevent_open(&err);
        if (life->uevents >= 0 && epoll_ctl(life->epoll, EPOLL_CTL_ADD, life->uevents, &event) < 0)
                croft_error_set(&err, errno, "listen to the kernel's device events");
        else if (life->uevents >= 0)
                (void)follower_start(&life->cpus, life, follow_cpus, &err);
        if (!life->cpus.lives)
                log_error(
                        LOG_LEVEL_WARNING, &err, "CPUs that come and go are only seen by the next operation on pools");
}

void life_pools_close(struct life *life)
{
        life->uevents = close_fd(life->uevents);
        pools_done(&life->pools);
}
