/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * life_policy.c - kexts(5) as it was read last, and what a partition is granted by it and by commands together.
 *
 * A file with a fault changes nothing: what was read before holds, and after a start nothing of it.
 */
#include "base/cleanup.h"
#include "base/log.h"
#include "daemon/life_private.h"

#include <string.h>

void life_policy_read(struct life *life)
{
        struct kexts kexts = {.list = NULL}, old;
        struct croft_error err = CROFT_ERROR_INIT;

        if (kexts_read(life->host->config_dir, &kexts, &err) < 0) {
                log_error(LOG_LEVEL_WARNING, &err, "what partitions are granted stays as it was");
                life_errors_add(life, &err);
                return;
        }
        (void)pthread_mutex_lock(&life->policy_lock);
        old = life->kexts;
        life->kexts = kexts;
        (void)pthread_mutex_unlock(&life->policy_lock);
        kexts_done(&old);
}

int life_policy_check(struct life *life, const char *kexts, struct croft_error *err)
{
        int r;

        (void)pthread_mutex_lock(&life->policy_lock);
        r = kexts_check(&life->kexts, kexts, life->host->config_dir, err);
        (void)pthread_mutex_unlock(&life->policy_lock);
        return r;
}

int life_policy_grants(struct life *life, const struct life_policy_asks *asks, struct kext_grant **ret, size_t *ret_n,
        struct croft_error *err)
{
        _cleanup_free_ struct kext_grant *list = NULL;
        size_t n = 0;
        int r = store_grants(life->store, asks->id, &list, &n, err);

        if (r < 0)
                return r;
        (void)pthread_mutex_lock(&life->policy_lock);
        r = kexts_grants(&life->kexts, asks->partition, asks->kexts, &list, &n);
        (void)pthread_mutex_unlock(&life->policy_lock);
        if (r < 0)
                return croft_error_set(err, r, "read what '%s' is granted", asks->partition);
        *ret = TAKE(list);
        *ret_n = n;
        return 0;
}

bool unit_has_grants(struct partition *p)
{
        _cleanup_free_ struct kext_grant *grants = NULL;
        size_t n = 0;

        return unit_grants(unit_of(p), &grants, &n, NULL) == 0 && n > 0;
}

int unit_grants(struct unit *u, struct kext_grant **ret, size_t *ret_n, struct croft_error *err)
{
        struct life_policy_asks asks = {.id = u->p.def.id};
        _cleanup_free_ char *kexts = NULL;
        char name[NAME_LENGTH_MAX + 1];
        const char *value;

        (void)pthread_mutex_lock(&u->p.lock);
        (void)str_copy(name, sizeof(name), u->p.def.name);
        value = property_get(u->p.def.properties, "kexts");
        kexts = value ? strdup(value) : NULL;
        (void)pthread_mutex_unlock(&u->p.lock);
        if (value && !kexts)
                return croft_error_set(err, ENOMEM, "read what '%s' is granted", name);
        asks.partition = name;
        asks.kexts = kexts;
        return life_policy_grants(u->life, &asks, ret, ret_n, err);
}
