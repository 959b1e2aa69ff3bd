/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * life_device.c - devices of the host for running partitions: exported, taken back, listed.
 *
 * Nothing of it is journaled: what is half done is in the kernel's map, and the next croftd takes it back.
 */
#include "base/cleanup.h"
#include "base/log.h"
#include "daemon/facet_disks.h"
#include "daemon/life_private.h"
#include "devid/export.h"
#include "devid/exports.h"
#include "devid/refusals.h"

#include <string.h>
#include <sys/epoll.h>

static void tell(struct unit *u, const char *format, const char *what)
{
        char escaped[4 * DEVID_EXPORT_NAME], text[sizeof(escaped) + 32];

        str_escape(escaped, sizeof(escaped), what, strnlen(what, DEVID_EXPORT_NAME));
        (void)snprintf(text, sizeof(text), "device '%s' %s", escaped, format);
        unit_event(u, "device", text);
}

int life_device_add(
        struct life *life, const char *name, const struct devid_export_request *request, struct croft_error *err)
{
        _cleanup_(unit_unrefp) struct unit *u = NULL;
        struct croft_error own = CROFT_ERROR_INIT;
        int r = life_begin(life, name, LIFE_DEVICE_ADD, &u, err);

        if (r < 0)
                return r;
        r = devid_export_add(&u->p, request, &own);
        disks_follow(&u->p);
        if (r < 0) {
                croft_error_prefix(&own, "export a device to '%s'", name);
                croft_error_copy(err, &own);
        }
        r = life_end(u, u->p.state, r, &own);
        if (r == 0)
                tell(u, "exported", request->device);
        return r;
}

int life_device_remove(struct life *life, const char *name, const char *what, struct croft_error *err)
{
        _cleanup_(unit_unrefp) struct unit *u = NULL;
        struct croft_error own = CROFT_ERROR_INIT;
        int r = life_begin(life, name, LIFE_DEVICE_REMOVE, &u, err);

        if (r < 0)
                return r;
        r = devid_export_remove(&u->p, what, &own);
        disks_follow(&u->p);
        if (r < 0) {
                croft_error_prefix(&own, "take a device back from '%s'", name);
                croft_error_copy(err, &own);
        }
        r = life_end(u, u->p.state, r, &own);
        if (r == 0)
                tell(u, "taken back", what);
        return r;
}

/* --- devices that go --- */

/* Its right is closed already; its node goes, unless an operation is under way: then at the next one. */
static void forget(void *context, const struct devid_export *entry)
{
        _cleanup_(unit_unrefp) struct unit *u = life_find_id(context, entry->key.partition);
        struct croft_error err = CROFT_ERROR_INIT;
        char text[2 * DEVID_EXPORT_NAME + 64];

        if (!u)
                return;
        (void)snprintf(text, sizeof(text), "device '%s' has gone, or become another: '%s' is taken back", entry->device,
                entry->name);
        errors_note_partition(&u->p, text);
        tell(u, "gone", entry->device);
        disks_follow(&u->p);
        if (life_begin_unit(u, life_action_name(LIFE_DEVICE_REMOVE), UNIT_INTERNAL) < 0)
                return;
        if (devid_export_heal(&u->p, &err) < 0)
                log_error(LOG_LEVEL_WARNING, &err, "a node of a device that has gone stays in '%s'", u->p.def.name);
        (void)life_end(u, u->p.state, 0, NULL);
}

void life_devices_check(struct life *life)
{
        struct croft_error err = CROFT_ERROR_INIT;

        if (life->host->devid && devid_exports_check(life->host->devid, forget, life, &err) < 0)
                log_error(LOG_LEVEL_WARNING, &err, "devices that have gone stay exported");
}

/* --- what the table of device numbers has refused (C-14) --- */

static void record_refusal(void *context, const struct devid_refusal *refusal)
{
        _cleanup_(unit_unrefp) struct unit *u = life_find_id(context, refusal->key.partition);
        struct croft_error err = CROFT_ERROR_INIT;

        if (!u)
                return;
        devid_refusal_say(refusal, &err);
        errors_add(u, &err);
}

void life_refusals_dispatch(struct life *life)
{
        devid_refusals_read(life->host->devid, record_refusal, life);
}

void life_refusals_watch(struct life *life)
{
        int fd = life->host->devid ? devid_refusals_fd(life->host->devid) : -EBADF;
        struct epoll_event event = {.events = EPOLLIN, .data.u64 = LIFE_REFUSALS_ID};
        struct croft_error err = CROFT_ERROR_INIT;

        if (fd < 0 || epoll_ctl(life->epoll, EPOLL_CTL_ADD, fd, &event) == 0)
                return;
        croft_error_set(&err, errno, "listen to the table of device numbers");
        log_error(LOG_LEVEL_WARNING, &err, "what it refuses isn't put on record");
}

/* --- what the administrator has written has changed --- */

static void review(struct unit *u)
{
        struct croft_error err = CROFT_ERROR_INIT;
        char name[NAME_LENGTH_MAX + 1];
        bool lives;
        int r = 0;

        (void)pthread_mutex_lock(&u->p.lock);
        (void)str_copy(name, sizeof(name), u->p.def.name);
        (void)pthread_mutex_unlock(&u->p.lock);
        if (life_begin_unit(u, life_action_name(LIFE_DEVICE_REMOVE), UNIT_INTERNAL) < 0) {
                log_say(LOG_LEVEL_WARNING, "'%s' is busy: its devices weren't looked at, send SIGHUP again", name);
                return;
        }
        lives = life_action_check(LIFE_DEVICE_REMOVE, u->p.state, name, NULL) == 0;
        if (lives)
                r = devid_export_review(&u->p, property_get(u->p.def.properties, "devices"), &err);
        if (lives)
                disks_follow(&u->p);
        if (r < 0)
                (void)croft_error_prefix(&err, "export devices to '%s' as they are listed now", name);
        if (r < 0)
                log_error(LOG_LEVEL_WARNING, &err, "devices");
        (void)life_end(u, u->p.state, r, &err);
}

static void review_all(struct life *life)
{
        _cleanup_free_ struct unit **units = NULL;
        size_t n = 0;
        int r;

        life_policy_read(life);
        life_autoload_review(life);
        units = life_units(life, &n, &r);
        for (size_t i = 0; i < n; i++) {
                unit_kext_tell(units[i]);
                if (!life_is_ending(life))
                        review(units[i]);
                unit_unref(units[i]);
        }
}

/* Each may have to wait for what a partition is at, which the main thread doesn't. */
static void follow_devices(struct life *life)
{
        life_devices_check(life);
        if (atomic_exchange(&life->relisted, false))
                review_all(life);
}

void life_devices_watch(struct life *life)
{
        struct croft_error err = CROFT_ERROR_INIT;

        if (follower_start(&life->devices, life, follow_devices, &err) < 0)
                log_error(LOG_LEVEL_WARNING, &err, "devices that go stay exported, and SIGHUP has no effect on them");
}

void life_reload(struct life *life)
{
        atomic_store(&life->relisted, true);
        follower_want(&life->devices);
}

/* --- listing --- */

/* One whose partition has just gone is left out. */
static size_t name_all(struct life *life, const struct devid_export *exports, size_t n, struct life_device *ret)
{
        size_t kept = 0;

        for (size_t i = 0; i < n; i++) {
                _cleanup_(unit_unrefp) struct unit *u = life_find_id(life, exports[i].key.partition);

                if (!u)
                        continue;
                ret[kept].export = exports[i];
                (void)pthread_mutex_lock(&u->p.lock);
                (void)str_copy(ret[kept].partition, sizeof(ret[kept].partition), u->p.def.name);
                (void)pthread_mutex_unlock(&u->p.lock);
                kept++;
        }
        return kept;
}

static int by_names(const void *a, const void *b)
{
        const struct life_device *x = a, *y = b;
        int order = strcmp(x->partition, y->partition);

        return order ? order : strcmp(x->export.name, y->export.name);
}

int life_device_list(
        struct life *life, const char *name, struct life_device **ret, size_t *ret_n, struct croft_error *err)
{
        _cleanup_(unit_unrefp) struct unit *u = name ? life_find(life, name, err) : NULL;
        _cleanup_free_ struct devid_export *exports = NULL;
        struct life_device *list;
        size_t n = 0;
        int r = 0;

        if (name && !u)
                return -ENOENT;
        if (life->host->devid) /* elsewhere nothing can be exported */
                r = devid_exports_list(life->host->devid, u ? u->p.def.id : 0, false, &exports, &n, err);
        if (r < 0)
                return r;
        list = calloc(n + 1, sizeof(*list));
        if (!list)
                return croft_error_set(err, ENOMEM, "list the exported devices");
        *ret_n = name_all(life, exports, n, list);
        qsort(list, *ret_n, sizeof(*list), by_names);
        *ret = list;
        return 0;
}
