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
static int open_running(struct unit *u, struct croft_error *err)
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

int unit_scan(struct unit *u, struct life_scan *ret, struct croft_error *err)
{
        static const struct kext_scan_limits limits = {
                .entries = KEXT_SCAN_ENTRIES, .bytes = KEXT_SCAN_BYTES, .seconds = KEXT_SCAN_SECONDS};
        struct kext_scan_place place = {.root = -EBADF, .lower = -EBADF, .upper = -EBADF};
        struct life_scan scan = {.time = (int64_t)time(NULL)};
        int r;

        if (u->p.state == PARTITION_DEFINED || u->p.run.pidfd < 0) {
                r = open_layers(u, &place, err);
        } else {
                place.root = open_running(u, err);
                r = place.root < 0 ? place.root : 0;
        }
        if (r == 0)
                r = kext_scan(u->life->host->kext_path, &place, &limits, say_progress, u, &scan.list, &scan.n, err);
        close_fd(place.root);
        close_fd(place.lower);
        close_fd(place.upper);
        if (r == 0)
                r = store_scan_set(u->life->store, u->p.def.id, scan.time, scan.list, scan.n, err);
        if (r < 0) {
                life_scan_done(&scan);
                return r;
        }
        *ret = scan;
        return 0;
}

int life_scan_run(struct life *life, const char *name, struct life_scan *ret, struct croft_error *err)
{
        _cleanup_(unit_unrefp) struct unit *u = NULL;
        struct croft_error own = CROFT_ERROR_INIT;
        int r = life_begin(life, name, LIFE_SCAN, &u, err);

        if (r < 0)
                return r;
        r = unit_scan(u, ret, &own);
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
        _cleanup_close_ int root = open_running(u, err);
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
        struct life_scan before = {.n = 0};
        int r = unit_scan(u, &before, err);

        if (r == 0)
                r = replace_old(u, &before, err);
        life_scan_done(&before);
        return r == 0 ? unit_scan(u, ret, err) : r;
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

int life_scan_get(struct life *life, const char *name, struct life_scan *ret, struct croft_error *err)
{
        _cleanup_(unit_unrefp) struct unit *u = life_find(life, name, err);

        return u ? store_scan(life->store, u->p.def.id, &ret->time, &ret->list, &ret->n, err) : -ENOENT;
}
