/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * life_scan.c - what a partition stores that is called as modules are.
 *
 * Of one that runs the root that its PID 1 has is looked through, of one that doesn't its layers, put together for that
 * alone: whoever scans owns the partition meanwhile, so that nobody starts it.
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "daemon/life_private.h"
#include "image/image.h"
#include "kernel/process.h"
#include "kext/kext.h"

#include <linux/openat2.h>
#include <string.h>
#include <time.h>

void life_scan_done(struct life_scan *scan)
{
        free(scan->list);
        *scan = (struct life_scan){.n = 0};
}

/* The number is looked at again afterwards: until then it may have become another's. */
int unit_open_root(struct unit *u, struct croft_error *err)
{
        _cleanup_close_ int fd = -EBADF;
        char path[64];
        pid_t pid;
        int r = process_of_pidfd(u->p.run.pidfd, &pid);

        if (r < 0)
                return croft_error_set(err, r, "find its init");
        (void)snprintf(path, sizeof(path), "/proc/%d/root", (int)pid);
        fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return croft_error_set(err, errno, "open its root");
        if (process_ended(u->p.run.pidfd))
                return croft_error_set(err, ESRCH, "its init has ended.");
        return TAKE_FD(fd);
}

static int open_layers(struct unit *u, struct kext_scan_place *place, struct croft_error *err)
{
        struct host *host = u->life->host;
        char path[64];

        place->lower = image_open_root(host->images, u->p.def.image, err);
        if (place->lower < 0)
                return place->lower;
        (void)snprintf(path, sizeof(path), "%ju/rw/upper", (uintmax_t)u->p.def.id);
        place->upper =
                fd_open2(host->partitions_dir, path, O_PATH | O_DIRECTORY, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
        return place->upper < 0 ? croft_error_set(err, place->upper, "open 'partitions/%s'", path) : 0;
}

static void say_progress(void *context, const char *text)
{
        unit_event(context, "progress", text);
}

static void tell(struct unit *u, const struct life_scan *scan)
{
        char text[96];

        (void)snprintf(text, sizeof(text), "scan %ju (%s): found %zu", (uintmax_t)scan->record.number,
                kext_scan_reason_name(scan->record.reason), scan->n);
        unit_event(u, "extension", text);
}

int unit_scan(struct unit *u, const struct unit_scan_wish *wish, struct life_scan *ret, struct croft_error *err)
{
        struct kext_scan_ask ask = {.worker = u->life->host->kext_path,
                .place = {.root = -EBADF, .lower = -EBADF, .upper = -EBADF},
                .limits = {.entries = KEXT_SCAN_ENTRIES, .bytes = KEXT_SCAN_BYTES, .seconds = KEXT_SCAN_SECONDS},
                .aside = wish->aside,
                .say = wish->aside ? NULL : say_progress,
                .context = u,
                .stop = wish->stop};
        struct life_scan scan = {
                .record = {.partition = u->p.def.id, .time = (int64_t)time(NULL), .reason = wish->reason}};
        struct kext_scanned found = {.n = 0};
        int r;

        if (u->p.state == PARTITION_DEFINED || u->p.run.pidfd < 0) {
                r = open_layers(u, &ask.place, err);
        } else {
                ask.place.root = unit_open_root(u, err);
                r = ask.place.root < 0 ? ask.place.root : 0;
        }
        if (r == 0)
                r = kext_scan(&ask, &found, err);
        close_fd(ask.place.root);
        close_fd(ask.place.lower);
        close_fd(ask.place.upper);
        scan.list = found.list;
        scan.n = found.n;
        (void)str_copy(scan.record.stamp, sizeof(scan.record.stamp), found.stamp);
        if (r == 0)
                r = store_scan_set(u->life->store, &scan.record, scan.list, scan.n, err);
        if (r < 0) {
                life_scan_done(&scan);
                return r;
        }
        tell(u, &scan);
        *ret = scan;
        return 0;
}

int unit_scan_nothing(struct unit *u, struct croft_error *err)
{
        struct kext_scan_record record = {
                .partition = u->p.def.id, .time = (int64_t)time(NULL), .reason = KEXT_SCAN_CREATE};
        _cleanup_close_ int lower = image_open_root(u->life->host->images, u->p.def.image, err);

        if (lower < 0)
                return lower;
        kext_packages_stamp(lower, record.stamp); /* of a layer that croftd has made */
        return store_scan_set(u->life->store, &record, NULL, 0, err);
}

int life_scan_run(struct life *life, const char *name, struct life_scan *ret, struct croft_error *err)
{
        _cleanup_(unit_unrefp) struct unit *u = NULL;
        struct croft_error own = CROFT_ERROR_INIT;
        int r = life_begin(life, name, LIFE_SCAN, &u, err);

        if (r < 0)
                return r;
        r = unit_scan(u, &(struct unit_scan_wish){KEXT_SCAN_REQUEST, false, -EBADF}, ret, &own);
        if (r < 0) {
                croft_error_prefix(&own, "scan '%s'", name);
                croft_error_copy(err, &own);
        }
        return life_end(u, u->p.state, r, &own);
}

/* --- newer generations in the place of older ones --- */

/* The SHA-256 of the CURRENT one that the superseded one at that place is to become; what is unpacked stays so. */
static const char *find_newer(const struct life_kexts *all, const struct kext_finding *found)
{
        const struct kext_record *old = NULL, *newer;
        bool plain = false;

        for (size_t i = 0; found->sha256[0] && i < all->n; i++) {
                const struct kext_identity *identity = &all->list[i].identity;
                bool unpacked = strcmp(identity->plain, found->sha256) == 0;

                if (!unpacked && strcmp(identity->sha256, found->sha256) != 0)
                        continue;
                if (all->list[i].state != KEXT_SUPERSEDED)
                        return NULL;
                old = &all->list[i];
                plain = plain || unpacked;
        }
        newer = old ? life_kexts_current(all, old->identity.name, old->identity.vermagic) : NULL;
        if (!newer)
                return NULL;
        return plain && newer->identity.plain[0] ? newer->identity.plain : newer->identity.sha256;
}

static int replace(
        struct unit *u, int root, const struct kext_finding *found, const char *newer, struct croft_error *err)
{
        int state_dir = u->life->host->state_dir;
        _cleanup_close_ int old = kext_copy_get(state_dir, found->sha256, NULL, err), fresh = -EBADF;
        char shown[256];
        int r;

        if (old < 0)
                return old;
        fresh = kext_copy_get(state_dir, newer, NULL, err);
        r = fresh < 0 ? fresh
                      : kext_provide(u->life->host->kext_path, root, found->path, u->p.def.uid_base, old, fresh, err);
        if (r == -ELOOP) { /* a link: what it leads to is found by itself */
                croft_error_clear(err);
                return 0;
        }
        if (r < 0)
                croft_error_prefix(
                        err, "replace '%s'", str_escape(shown, sizeof(shown), found->path, strnlen(found->path, 200)));
        return r;
}

/* All are tried; the first failure is told. */
static int replace_old(struct unit *u, const struct life_scan *scan, struct croft_error *err)
{
        _cleanup_(life_kexts_done) struct life_kexts all = {.n = 0};
        _cleanup_close_ int root = unit_open_root(u, err);
        int first = root < 0 ? root : store_extensions(u->life->store, &all.list, &all.n, err);

        for (size_t i = 0; root >= 0 && i < scan->n; i++) {
                struct croft_error e = CROFT_ERROR_INIT;
                const char *newer = find_newer(&all, &scan->list[i]);

                if (newer && replace(u, root, &scan->list[i], newer, &e) < 0 && first == 0)
                        first = croft_error_copy(err, &e);
        }
        return first;
}

static int bring_up_to_date(struct unit *u, struct life_scan *ret, struct croft_error *err)
{
        static const struct unit_scan_wish wish = {KEXT_SCAN_SYNC, false, -EBADF};
        struct life_scan before = {.n = 0};
        int r = unit_scan(u, &wish, &before, err);

        if (r == 0)
                r = replace_old(u, &before, err);
        life_scan_done(&before);
        return r == 0 ? unit_scan(u, &wish, ret, err) : r;
}

int life_kext_sync(struct life *life, const char *name, struct life_scan *ret, struct croft_error *err)
{
        _cleanup_(unit_unrefp) struct unit *u = NULL;
        struct croft_error own = CROFT_ERROR_INIT;
        int r = life_begin(life, name, LIFE_EXTENSION, &u, err);

        if (r < 0)
                return r;
        r = bring_up_to_date(u, ret, &own);
        if (r < 0) {
                croft_error_prefix(&own, "bring the extensions of '%s' up to date", name);
                croft_error_copy(err, &own);
        }
        return life_end(u, u->p.state, r, &own);
}

/* --- a first copy (KID-3) --- */

/* Where it is put: where it was registered from, if nobody says otherwise. */
static int check_path(const char *path, struct croft_error *err)
{
        char shown[256];

        if (path[0] == '/' && strlen(path) <= KEXT_PATH_MAX && kext_is_file_name(path))
                return 0;
        return croft_error_set(err, EINVAL, "'%s' is no path of an extension: it begins with '/' and ends like '.ko'.",
                str_escape(shown, sizeof(shown), path, strnlen(path, 200)));
}

static int judge(struct unit *u, const struct kext_record *record, struct croft_error *err)
{
        _cleanup_free_ struct kext_grant *grants = NULL;
        struct life_kext_asks asks = {.partition = u->p.def.name, .parameters = ""};
        int r = unit_grants(u, &grants, &asks.n, err);

        asks.grants = grants;
        return r < 0 ? r : life_kext_judge(u->life, record, &asks, NULL, err);
}

static int provide_first(struct unit *u, const char *extension, const char *path, struct croft_error *err)
{
        struct host *host = u->life->host;
        _cleanup_close_ int root = -EBADF, bytes = -EBADF;
        struct kext_record record;
        char text[KEXT_NAME_MAX + 64];
        int r = life_kext_get(u->life, extension, &record, err);

        if (r == 0)
                r = judge(u, &record, err);
        if (r == 0)
                r = check_path(path ? path : record.origin, err);
        if (r < 0)
                return r;
        root = unit_open_root(u, err);
        if (root < 0)
                return root;
        bytes = kext_copy_get(host->state_dir, record.identity.sha256, NULL, err);
        if (bytes < 0)
                return bytes;
        r = kext_provide_first(host->kext_path, root, path ? path : record.origin, u->p.def.uid_base, bytes, err);
        if (r < 0)
                return r;
        (void)snprintf(text, sizeof(text), "extension '%s' provided", record.identity.name);
        unit_event(u, "extension", text);
        return 0;
}

int life_kext_provide(struct life *life, const char *name, const struct life_kext_place *place, struct life_scan *ret,
        struct croft_error *err)
{
        static const struct unit_scan_wish wish = {KEXT_SCAN_SYNC, false, -EBADF};
        _cleanup_(unit_unrefp) struct unit *u = NULL;
        struct croft_error own = CROFT_ERROR_INIT;
        int r = life_begin(life, name, LIFE_EXTENSION, &u, err);

        if (r < 0)
                return r;
        r = provide_first(u, place->extension, place->path, &own);
        if (r == 0)
                r = unit_scan(u, &wish, ret, &own);
        if (r < 0) {
                croft_error_prefix(&own, "provide '%s' with an extension", name);
                croft_error_copy(err, &own);
        }
        return life_end(u, u->p.state, r, &own);
}

int life_scan_get(struct life *life, const char *name, struct life_scan *ret, struct croft_error *err)
{
        _cleanup_(unit_unrefp) struct unit *u = life_find(life, name, err);

        return u ? store_scan(life->store, u->p.def.id, &ret->record, &ret->list, &ret->n, err) : -ENOENT;
}

int life_scan_list(struct life *life, struct kext_scan_record **ret, size_t *ret_n, struct croft_error *err)
{
        return store_scans(life->store, ret, ret_n, err);
}
