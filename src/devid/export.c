/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * export.c - devices of the host in a running partition.  See export.h.
 */
#include "devid/export.h"

#include "base/cleanup.h"
#include "base/steps.h"
#include "base/str.h"
#include "devid/export_plan.h"
#include "devid/exports.h"
#include "devid/policy.h"
#include "partition/devices.h"
#include "partition/host.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Entries that there are, sorted by name. */
struct entries {
        struct devid_export *list;
        size_t n;
};

static void entries_done(struct entries *entries)
{
        free(entries->list);
}

static int list_entries(struct partition *p, struct entries *ret, struct croft_error *err)
{
        return devid_exports_list(p->host->devid, p->def.id, true, &ret->list, &ret->n, err);
}

static int check_host(struct partition *p, struct croft_error *err)
{
        if (!p->host->devid)
                return croft_error_copy(err, &p->host->lacks[HOST_DEVID]);
        if (p->run.dev < 0)
                return croft_error_set(err, ENODEV, "its /dev was lost with a warden and a croftd: restart it.");
        return 0;
}

/* --- taking back --- */

static int close_right(struct partition *p, const struct devid_export *entry, struct croft_error *err)
{
        struct devid_export closed = *entry;
        int r;

        closed.access = 0;
        r = devid_exports_set(p->host->devid, &closed, err);
        if (r == 0)
                crash_point("device-remove", "right", ".done");
        return r;
}

/* Its right is closed: its node goes, and then the entry, which tells of the node. */
static int drop_entry(struct partition *p, const struct devid_export *entry, struct croft_error *err)
{
        const struct devnode node = export_node_of(entry);
        int r = p->run.dev < 0 ? 0 : devnode_drop(p->run.dev, entry->name, &node, err);

        if (r < 0)
                return r;
        crash_point("device-remove", "node", ".done");
        r = devid_exports_delete(p->host->devid, &entry->key, err);
        if (r == 0)
                crash_point("device-remove", "entry", ".done");
        return r;
}

typedef bool (*entry_test)(const struct devid_export *entry, const void *context);

/* Those that match: all lose their rights before the first node goes.  Each is tried; the first error is told. */
static int take_back(struct partition *p, const struct entries *entries, entry_test test, const void *context,
        struct croft_error *err)
{
        int first = 0;

        for (size_t i = 0; i < entries->n; i++)
                if (entries->list[i].access && test(&entries->list[i], context)) {
                        int r = close_right(p, &entries->list[i], first < 0 ? NULL : err);

                        first = first < 0 ? first : r;
                }
        for (size_t i = 0; i < entries->n; i++)
                if (test(&entries->list[i], context)) {
                        int r = drop_entry(p, &entries->list[i], first < 0 ? NULL : err);

                        first = first < 0 ? first : r;
                }
        return first;
}

/* --- what a dead croftd left --- */

/* It, or another node of its CDI device, is half done. */
static bool is_half(const struct devid_export *entry, const void *context)
{
        const struct entries *entries = context;

        if (!entry->access)
                return true;
        for (size_t i = 0; entry->cdi[0] && i < entries->n; i++)
                if (!entries->list[i].access && strcmp(entries->list[i].cdi, entry->cdi) == 0)
                        return true;
        return false;
}

int devid_export_heal(struct partition *p, struct croft_error *err)
{
        _cleanup_(entries_done) struct entries entries = {.list = NULL};
        char text[2 * DEVID_EXPORT_NAME + 64];
        bool any = false;
        int r = p->host->devid ? list_entries(p, &entries, err) : 0;

        if (r < 0)
                return r;
        for (size_t i = 0; i < entries.n; i++) {
                if (!is_half(&entries.list[i], &entries))
                        continue;
                any = true;
                (void)snprintf(text, sizeof(text), "device '%s' was half exported as '%s': it is taken back",
                        entries.list[i].device, entries.list[i].name);
                if (p->host->note)
                        p->host->note(p, text);
        }
        return any ? take_back(p, &entries, is_half, &entries, err) : 0;
}

/* --- exporting --- */

static int check_place(const struct entries *there, const struct export_plan *plan, struct croft_error *err)
{
        for (size_t i = 0; i < plan->n; i++) {
                const struct devid_export *entry = &plan->list[i].entry;

                for (size_t k = 0; k < there->n; k++) {
                        if (memcmp(&there->list[k].key, &entry->key, sizeof(entry->key)) == 0)
                                return croft_error_set(err, EEXIST, "it has '%s' already, as '%s'.", entry->device,
                                        there->list[k].name);
                        if (strcmp(there->list[k].name, entry->name) == 0)
                                return croft_error_set(err, EEXIST, "'%s' is '%s' inside already.",
                                        there->list[k].device, entry->name);
                }
        }
        if (there->n + plan->n > DEVID_EXPORTS_OF_ONE)
                return croft_error_set(err, EDQUOT, "it has %zu exported devices, and %d is the most.", there->n,
                        DEVID_EXPORTS_OF_ONE);
        return 0;
}

static int put_one(
        struct partition *p, const struct devid_export *entry, const struct devnode *node, struct croft_error *err)
{
        int r = devid_exports_begin(p->host->devid, entry, err);

        if (r < 0)
                return r;
        crash_point("device-add", "entry", ".done");
        r = devnode_put(p->run.dev, entry->name, node, false, err);
        if (r < 0) {
                (void)devid_exports_delete(p->host->devid, &entry->key, NULL); /* or the next croftd does it */
                return r;
        }
        crash_point("device-add", "node", ".done");
        return 0;
}

/* Backward, so that no right is left over a node that has gone. */
static void unput(struct partition *p, const struct export_plan *plan, size_t n)
{
        for (size_t i = 0; i < n; i++)
                (void)close_right(p, &plan->list[i].entry, NULL);
        while (n-- > 0)
                (void)drop_entry(p, &plan->list[n].entry, NULL); /* what stays has no right, and is found again */
}

/* All of it or nothing. */
static int carry_out(struct partition *p, const struct export_plan *plan, struct croft_error *err)
{
        size_t n = 0;
        int r = 0;

        while (r == 0 && n < plan->n) {
                r = put_one(p, &plan->list[n].entry, &plan->list[n].node, err);
                n += r == 0;
        }
        for (size_t i = 0; r == 0 && i < plan->n; i++) {
                r = devid_exports_set(p->host->devid, &plan->list[i].entry, err);
                if (r == 0)
                        crash_point("device-add", "right", ".done");
        }
        if (r < 0)
                unput(p, plan, n);
        return r;
}

/* The node of a driver that isn't loaded, as /dev/net/tun is on many machines until somebody opens it: the kernel loads
 * it for us, and wouldn't for the partition (src/kext/autoload.h).  One that is there isn't opened: to some devices
 * that means something. */
static void wake_driver(const struct devid_export *entry)
{
        const struct devid_node *node = &entry->key.node;
        char path[64];

        (void)snprintf(path, sizeof(path), "/sys/dev/char/%u:%u", node->major, node->minor);
        if (node->type == DEVID_CHAR && access(path, F_OK) < 0)
                close_fd(open(
                        entry->device, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)); /* what it says doesn't matter */
}

int devid_export_add(struct partition *p, const struct devid_export_request *q, struct croft_error *err)
{
        _cleanup_(entries_done) struct entries there = {.list = NULL};
        _cleanup_free_ struct export_plan *plan = malloc(sizeof(*plan));
        int r = plan ? check_host(p, err) : croft_error_set(err, ENOMEM, "plan the export");

        if (r == 0)
                r = export_plan_request(p, q, plan, err);
        if (r == 0)
                r = devid_export_heal(p, err);
        if (r == 0)
                r = list_entries(p, &there, err);
        if (r == 0)
                r = check_place(&there, plan, err);
        for (size_t i = 0; r == 0 && i < plan->n; i++)
                wake_driver(&plan->list[i].entry);
        return r < 0 ? r : carry_out(p, plan, err);
}

/* --- taking back by name --- */

struct wanted {
        const struct entries *entries;
        const char *name;
};

static bool is_named(const struct devid_export *entry, const char *name)
{
        return strcmp(entry->name, name) == 0 || (entry->cdi[0] && strcmp(entry->cdi, name) == 0);
}

/* With one node of a CDI device all of them go. */
static bool is_wanted(const struct devid_export *entry, const void *context)
{
        const struct wanted *wanted = context;

        if (is_named(entry, wanted->name))
                return true;
        for (size_t i = 0; entry->cdi[0] && i < wanted->entries->n; i++)
                if (is_named(&wanted->entries->list[i], wanted->name) &&
                        strcmp(wanted->entries->list[i].cdi, entry->cdi) == 0)
                        return true;
        return false;
}

int devid_export_remove(struct partition *p, const char *what, struct croft_error *err)
{
        _cleanup_(entries_done) struct entries entries = {.list = NULL};
        const struct wanted wanted = {
                .entries = &entries, .name = str_has_prefix(what, "/dev/") ? what + strlen("/dev/") : what};
        char escaped[4 * DEVID_EXPORT_NAME];
        int r = p->host->devid ? list_entries(p, &entries, err) : croft_error_copy(err, &p->host->lacks[HOST_DEVID]);

        if (r < 0)
                return r;
        for (size_t i = 0; i < entries.n; i++)
                if (is_named(&entries.list[i], wanted.name))
                        return take_back(p, &entries, is_wanted, &wanted, err);
        return croft_error_set(err, ENOENT, "no device is exported to it as '%s'.",
                str_escape(escaped, sizeof(escaped), wanted.name, strnlen(wanted.name, DEVID_EXPORT_NAME)));
}

/* --- by property `devices` --- */

static int plan_stanzas(struct partition *p, const char *devices, struct export_plan *plan, struct croft_error *err)
{
        _cleanup_(devexports_done) struct devexports policy = {.list = NULL};
        char name[DEVEXPORTS_NAME_MAX + 1];
        int r = devid_policy_read(p->host, &policy, err);

        while (r == 0 && devices_next_stanza(&devices, name)) {
                const struct devexports_stanza *stanza = devexports_find(&policy, name);

                if (!stanza)
                        r = croft_error_set(err, ENOENT, "there is no stanza '%s' in '%s/%s'.", name,
                                p->host->config_dir, DEVID_POLICY_FILE);
                else if (!stanza->automatic)
                        r = croft_error_set(err, EPERM, "stanza '%s' of '%s/%s' is for `croft device add` only (auto).",
                                name, p->host->config_dir, DEVID_POLICY_FILE);
                else
                        r = export_plan_stanza(p, stanza, plan, err);
        }
        return r;
}

/* Exported by a former value, and not by this one. */
static bool is_stale(const struct devid_export *entry, const void *context)
{
        return entry->flags & DEVID_EXPORT_AUTO && !export_plan_has(context, &entry->key);
}

/* Leaves out what the partition has. */
static void only_new(struct export_plan *plan, const struct entries *there)
{
        size_t kept = 0;

        for (size_t i = 0; i < plan->n; i++) {
                bool has = false;

                for (size_t k = 0; k < there->n && !has; k++)
                        has = memcmp(&there->list[k].key, &plan->list[i].entry.key, sizeof(there->list[k].key)) == 0;
                if (!has)
                        plan->list[kept++] = plan->list[i];
        }
        plan->n = kept;
}

static int follow(struct partition *p, const char *devices, struct export_plan *plan, const struct entries *there,
        struct croft_error *err)
{
        _cleanup_free_ struct export_plan *new = malloc(sizeof(*new));
        int r;

        if (!new)
                return croft_error_set(err, ENOMEM, "plan the exports");
        plan->n = 0;
        r = devices ? plan_stanzas(p, devices, plan, err) : 0;
        if (r < 0)
                return r;
        *new = *plan;
        only_new(new, there);
        r = check_place(there, new, err);
        if (r == 0)
                r = carry_out(p, new, err);
        return r < 0 ? r : take_back(p, there, is_stale, plan, err);
}

int devid_export_follow(struct partition *p, const char *devices, struct croft_error *err)
{
        _cleanup_(entries_done) struct entries there = {.list = NULL};
        _cleanup_free_ struct export_plan *plan = NULL;
        const char *at = devices;
        char name[DEVEXPORTS_NAME_MAX + 1];
        const bool any = devices && devices_next_stanza(&at, name);
        int r;

        if (!p->host->devid && !any)
                return 0;
        r = p->host->devid ? list_entries(p, &there, err) : 0;
        if (r == 0 && !any && there.n == 0)
                return 0;
        if (r == 0)
                r = check_host(p, err);
        plan = r == 0 ? malloc(sizeof(*plan)) : NULL;
        if (r == 0 && !plan)
                r = croft_error_set(err, ENOMEM, "plan the exports");
        return r < 0 ? r : follow(p, any ? devices : NULL, plan, &there, err);
}

/* --- the list has changed --- */

struct review {
        const struct devexports *policy;
        const struct entries *entries;
};

/* It, or another node of its CDI device. */
static bool is_unlisted(const struct devid_export *entry, const void *context)
{
        const struct review *review = context;

        if (!devexports_lists(review->policy, entry->listed))
                return true;
        for (size_t i = 0; entry->cdi[0] && i < review->entries->n; i++)
                if (strcmp(review->entries->list[i].cdi, entry->cdi) == 0 &&
                        !devexports_lists(review->policy, review->entries->list[i].listed))
                        return true;
        return false;
}

int devid_export_review(struct partition *p, const char *devices, struct croft_error *err)
{
        _cleanup_(devexports_done) struct devexports policy = {.list = NULL};
        _cleanup_(entries_done) struct entries entries = {.list = NULL};
        const struct review review = {.policy = &policy, .entries = &entries};
        int r = p->host->devid ? devid_policy_read(p->host, &policy, err) : 0;

        if (r < 0 || !p->host->devid)
                return r;
        r = list_entries(p, &entries, err);
        if (r == 0)
                r = take_back(p, &entries, is_unlisted, &review, err);
        return r < 0 ? r : devid_export_follow(p, devices, err);
}
