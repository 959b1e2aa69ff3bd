/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * pool.c - pools of CPUs.  See pool.h.
 */
#include "partition/pool.h"

#include "base/cleanup.h"

#include <string.h>

void pools_done(struct pools *pools)
{
        free(pools->list);
        *pools = (struct pools){.list = NULL};
}

int pools_copy(const struct pools *pools, struct pools *ret)
{
        struct pools copy = {.n = pools->n};

        copy.list = malloc((pools->n + 1) * sizeof(*copy.list));
        if (!copy.list)
                return -ENOMEM;
        if (pools->n > 0)
                memcpy(copy.list, pools->list, pools->n * sizeof(*copy.list));
        *ret = copy;
        return 0;
}

bool pools_are_on(const struct pools *pools)
{
        return pools->n > 0;
}

/* Where it is or would be. */
static size_t find_place(const struct pools *pools, const char *name)
{
        size_t i = 0;

        while (i < pools->n && strcmp(pools->list[i].name, name) < 0)
                i++;
        return i;
}

static struct pool *find(const struct pools *pools, const char *name)
{
        size_t i = find_place(pools, name);

        return i < pools->n && strcmp(pools->list[i].name, name) == 0 ? &pools->list[i] : NULL;
}

const struct pool *pools_find(const struct pools *pools, const char *name)
{
        return find(pools, name);
}

bool pools_cpus(const struct pools *pools, const char *name, const struct pool_machine *machine, struct cpus *ret)
{
        const struct pool *pool = find(pools, name);
        struct cpus rest = machine->has;

        if (pool) {
                *ret = pool->cpus;
                return true;
        }
        if (strcmp(name, POOL_DEFAULT) != 0)
                return false;
        for (size_t i = 0; i < pools->n; i++)
                rest = cpus_without(&rest, &pools->list[i].cpus);
        *ret = rest;
        return true;
}

/* --- changes --- */

static int no_such_pool(const char *name, struct croft_error *err)
{
        char escaped[256];

        return croft_error_set(
                err, ENOENT, "there is no pool '%s'.", str_escape(escaped, sizeof(escaped), name, strlen(name)));
}

static int check_exist(const struct cpus *cpus, const struct pool_machine *machine, struct croft_error *err)
{
        struct cpus missing = cpus_without(cpus, &machine->has);
        _cleanup_free_ char *text = NULL, *has = NULL;

        if (cpus_is_empty(&missing))
                return 0;
        text = cpus_format(&missing);
        has = cpus_format(&machine->has);
        if (!text || !has)
                return croft_error_set(err, ENOMEM, "check the CPUs");
        return croft_error_set(
                err, EINVAL, "there is no CPU %.200s here for croft to give; there are %.200s.", text, has);
}

int pools_put(struct pools *pools, const char *name, const struct cpus *cpus)
{
        size_t i = find_place(pools, name);
        struct pool *list;

        if (i < pools->n && strcmp(pools->list[i].name, name) == 0)
                return -EEXIST;
        list = reallocarray(pools->list, pools->n + 1, sizeof(*list));
        if (!list)
                return -ENOMEM;
        pools->list = list;
        memmove(list + i + 1, list + i, (pools->n - i) * sizeof(*list));
        list[i] = (struct pool){.cpus = *cpus};
        (void)str_copy(list[i].name, sizeof(list[i].name), name);
        pools->n++;
        return 0;
}

int pools_create(struct pools *pools, const char *name, const struct cpus *cpus, const struct pool_machine *machine,
        struct croft_error *err)
{
        char escaped[256];
        int r;

        if (!str_is_name(name))
                return croft_error_set(err, EINVAL, "'%s' is no name for a pool; give %s.",
                        str_escape(escaped, sizeof(escaped), name, strlen(name)), STR_NAME_RULE);
        if (strcmp(name, POOL_DEFAULT) == 0 || find(pools, name))
                return croft_error_set(err, EEXIST, "there is a pool '%s' already.", name);
        if (pools->n >= POOLS_MAX)
                return croft_error_set(err, ENOSPC, "there are %d pools already, one more is too many.", POOLS_MAX);
        r = check_exist(cpus, machine, err);
        for (size_t i = 0; i < pools->n && r == 0; i++) {
                struct cpus both = cpus_and(cpus, &pools->list[i].cpus);
                _cleanup_free_ char *text = NULL;

                if (cpus_is_empty(&both))
                        continue;
                text = cpus_format(&both);
                return croft_error_set(err, EEXIST, "CPU %.200s belongs to the pool '%s'; `croft pool set` moves it.",
                        text ? text : "", pools->list[i].name);
        }
        if (r < 0)
                return r;
        r = pools_put(pools, name, cpus);
        return r < 0 ? croft_error_set(err, r, "make the pool") : 0;
}

/* For changes of one that is there. */
static int find_mutable(const struct pools *pools, const char *name, struct pool **ret, struct croft_error *err)
{
        if (strcmp(name, POOL_DEFAULT) == 0)
                return croft_error_set(
                        err, EPERM, "the pool '%s' has what the others leave; change the others.", POOL_DEFAULT);
        *ret = find(pools, name);
        return *ret ? 0 : no_such_pool(name, err);
}

int pools_set(struct pools *pools, const char *name, const struct cpus *cpus, const struct pool_machine *machine,
        struct croft_error *err)
{
        struct pool *pool = NULL;
        int r = find_mutable(pools, name, &pool, err);

        if (r == 0)
                r = check_exist(cpus, machine, err);
        if (r < 0)
                return r;
        for (size_t i = 0; i < pools->n; i++)
                pools->list[i].cpus = cpus_without(&pools->list[i].cpus, cpus);
        pool->cpus = *cpus;
        return 0;
}

int pools_remove(struct pools *pools, const char *name, struct croft_error *err)
{
        struct pool *pool = NULL;
        int r = find_mutable(pools, name, &pool, err);

        if (r < 0)
                return r;
        pools->n--;
        memmove(pool, pool + 1, (size_t)(pools->list + pools->n - pool) * sizeof(*pool));
        return 0;
}

/* --- partitions --- */

struct pool_user pool_user_of(const char *partition, const struct property *properties, bool running)
{
        return (struct pool_user){.partition = partition,
                .pool = property_get(properties, "pool"),
                .cpu_set = property_get(properties, "cpu.set"),
                .running = running};
}

static int nothing_in_common(
        const struct pool_user *user, const struct pools *pools, const struct cpus *cpus, struct croft_error *err)
{
        _cleanup_free_ char *text = cpus_format(cpus);

        if (!pools_are_on(pools))
                return croft_error_set(err, EINVAL, "cpu.set %.200s names no CPU that croft has (%.200s).",
                        user->cpu_set, text ? text : "");
        return croft_error_set(err, EINVAL,
                "cpu.set %.200s and the pool '%s', which has CPU %.200s, have none in common.", user->cpu_set,
                user->pool, text ? text : "");
}

int pools_place(const struct pools *pools, const struct pool_machine *machine, const struct pool_user *user,
        struct cpus *ret, bool *ret_all, struct croft_error *err)
{
        struct cpus cpus, wanted;

        if (!pools_cpus(pools, user->pool, machine, &cpus))
                return no_such_pool(user->pool, err);
        if (cpus_is_empty(&cpus))
                return croft_error_set(err, ENOSPC, "the pool '%s' has no CPU.", user->pool);
        if (user->cpu_set) {
                if (!cpus_parse(user->cpu_set, &wanted))
                        return croft_error_set(err, EINVAL, "cpu.set is no list of CPUs.");
                if (check_exist(&wanted, machine, err) < 0) {
                        croft_error_prefix(err, "cpu.set");
                        return -EINVAL;
                }
                wanted = cpus_and(&wanted, &cpus);
                if (cpus_is_empty(&wanted))
                        return nothing_in_common(user, pools, &cpus, err);
                cpus = wanted;
        }
        if (user->running && !cpus_intersect(&cpus, &machine->online))
                return croft_error_set(err, ENOSPC, "no CPU of the pool '%s' that it may use is online.", user->pool);
        *ret = cpus;
        *ret_all = !pools_are_on(pools) && !user->cpu_set;
        return 0;
}

/* Stopped partitions of default only learn at their start that it is empty: that they are in it is nobody's wish. */
static bool can_wait(const struct pool_user *user)
{
        return !user->running && strcmp(user->pool, POOL_DEFAULT) == 0;
}

int pools_check(const struct pools *now, const struct pools *next, const struct pool_machine *machine,
        const struct pool_user *users, size_t n, struct croft_error *err)
{
        for (size_t i = 0; i < n; i++) {
                struct croft_error why = CROFT_ERROR_INIT;
                struct cpus cpus;
                bool all;

                if (pools_place(next, machine, &users[i], &cpus, &all, &why) == 0 || can_wait(&users[i]))
                        continue;
                if (why.code == ENOENT)
                        return croft_error_set(
                                err, EBUSY, "'%s' is bound to the pool '%s'.", users[i].partition, users[i].pool);
                if (pools_place(now, machine, &users[i], &cpus, &all, NULL) < 0)
                        continue; /* it had no place before, either */
                why.code = EBUSY; /* the partition stands in the way, whatever is wrong with it */
                croft_error_copy(err, &why);
                croft_error_prefix(err, "'%s' would be left without a CPU", users[i].partition);
                return -EBUSY;
        }
        return 0;
}
