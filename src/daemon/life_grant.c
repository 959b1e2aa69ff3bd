/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * life_grant.c - which kernel extensions a partition may be given.
 *
 * A grant is for a name, so that it holds for the generations to come; that the bytes are of that name is for the
 * register to say.
 */
#include "base/cleanup.h"
#include "daemon/life_private.h"
#include "kext/kext.h"

#include <string.h>
#include <time.h>

int life_kext_grants(
        struct life *life, const char *name, struct kext_grant **ret, size_t *ret_n, struct croft_error *err)
{
        _cleanup_(unit_unrefp) struct unit *u = life_find(life, name, err);

        return u ? unit_grants(u, ret, ret_n, err) : -ENOENT;
}

/* The name that is granted: ALL, or that of the extension meant by a name or a SHA-256.  *ret_kind: what it is of. */
static int resolve(struct life *life, const char *what, char name[KEXT_NAME_MAX + 1], enum kext_kind *ret_kind,
        struct croft_error *err)
{
        _cleanup_(life_kexts_done) struct life_kexts all = {.n = 0};
        bool is_name = kext_name_normalise(what, name);
        struct kext_record record;
        int r;

        *ret_kind = KEXT_KO;
        if (strcmp(what, KEXT_ALL) == 0)
                return 0;
        r = is_name ? life_kext_list(life, &all, err) : 0;
        for (size_t i = 0; i < all.n; i++)
                if (strcmp(all.list[i].identity.name, name) == 0) {
                        *ret_kind = all.list[i].identity.kind;
                        return 0;
                }
        if (r == 0)
                r = life_kext_get(life, what, &record, err);
        if (r < 0)
                return r;
        *ret_kind = record.identity.kind;
        (void)str_copy(name, KEXT_NAME_MAX + 1, record.identity.name);
        return 0;
}

static void tell(struct unit *u, const char *name, const char *what)
{
        char text[KEXT_NAME_MAX + 64];

        (void)snprintf(text, sizeof(text), "extension '%s' %s", name, what);
        unit_event(u, "extension", text);
}

/* The last scan, if it has found a file of that name's; what can't be read is no reason not to grant. */
static uint64_t find_scan(struct unit *u, const char *name)
{
        _cleanup_(life_scan_done) struct life_scan scan = {.n = 0};
        struct kext_record record;

        if (store_scan(u->life->store, u->p.def.id, &scan.record, &scan.list, &scan.n, NULL) < 0)
                return 0;
        for (size_t i = 0; i < scan.n; i++)
                if (scan.list[i].sha256[0] && life_kext_matched(u->life, scan.list[i].sha256, &record) &&
                        strcmp(record.identity.name, name) == 0)
                        return scan.record.number;
        return 0;
}

static int grant_to(struct unit *u, const struct life_kext_wish *wish, struct croft_error *err)
{
        struct kext_grant own = {
                .local = wish->local, .previous = wish->previous, .major = wish->major, .granted = (int64_t)time(NULL)};
        int r = kext_parameters_check(wish->parameters, own.parameters, err);
        enum kext_kind kind = KEXT_KO;

        if (r == 0)
                r = resolve(u->life, wish->extension, own.name, &kind, err);
        if (r == 0 && kind == KEXT_BPF && own.parameters[0])
                r = croft_error_set(err, EINVAL, "'%s' is a BPF object, which takes no parameters.", own.name);
        if (r == 0 && kind == KEXT_BPF && own.major)
                r = croft_error_set(err, EINVAL, "'%s' is a BPF object, which takes no majors.", own.name);
        own.scan = r == 0 ? find_scan(u, own.name) : 0;
        if (r == 0)
                r = store_grant(u->life->store, u->p.def.id, &own, err);
        if (r == 0) {
                tell(u, own.name, "granted");
                unit_kext_tell(u);
                life_autoload_follow(u);
        }
        return r;
}

int life_kext_grant(struct life *life, const char *name, const struct life_kext_wish *wish, struct croft_error *err)
{
        _cleanup_(unit_unrefp) struct unit *u = NULL;
        struct croft_error own = CROFT_ERROR_INIT;
        int r = life_begin(life, name, LIFE_GRANT, &u, err);

        if (r < 0)
                return r;
        r = grant_to(u, wish, &own);
        if (r < 0) {
                croft_error_prefix(&own, "grant an extension to '%s'", name);
                croft_error_copy(err, &own);
        }
        return life_end(u, u->p.state, r, &own);
}

/* A stanza's isn't a command's to take back. */
static int ungrant(struct unit *u, const char *name, struct croft_error *err)
{
        _cleanup_free_ struct kext_grant *grants = NULL;
        struct croft_error own = CROFT_ERROR_INIT;
        size_t n = 0;
        int r = store_ungrant(u->life->store, u->p.def.id, name, &own);

        if (r == -ENOENT && unit_grants(u, &grants, &n, NULL) == 0)
                for (size_t i = 0; i < n; i++)
                        if (strcmp(grants[i].name, name) == 0)
                                return croft_error_set(err, EPERM, "'%s' is granted by stanza '%s' of '%s/%s'.", name,
                                        grants[i].stanza, u->life->host->config_dir, KEXTS_FILE);
        return r < 0 ? croft_error_copy(err, &own) : 0;
}

int life_kext_ungrant(struct life *life, const char *name, const char *extension, struct croft_error *err)
{
        _cleanup_(unit_unrefp) struct unit *u = NULL;
        struct croft_error own = CROFT_ERROR_INIT;
        char normal[KEXT_NAME_MAX + 1], shown[256];
        int r = life_begin(life, name, LIFE_UNGRANT, &u, err);

        if (r < 0)
                return r;
        if (!kext_name_normalise(extension, normal))
                r = croft_error_set(&own, EINVAL, "'%s' is no name of an extension.",
                        str_escape(shown, sizeof(shown), extension, strnlen(extension, 60)));
        else
                r = ungrant(u, normal, &own);
        if (r == 0) {
                tell(u, normal, "no longer granted");
                unit_kext_tell(u);
                life_autoload_follow(u);
        } else {
                croft_error_prefix(&own, "take a grant back from '%s'", name);
                croft_error_copy(err, &own);
        }
        return life_end(u, u->p.state, r, &own);
}

int life_kext_judge(struct life *life, const struct kext_record *record, const struct life_kext_asks *asks,
        const struct kext_grant **ret, struct croft_error *err)
{
        static const struct kext_grant needed = {.name = KEXT_ALL, .major = true};
        _cleanup_(life_kexts_done) struct life_kexts all = {.n = 0};
        int r = kext_judge(record, asks->grants, asks->n, asks->partition, asks->parameters, ret, err);

        if (r != -EPERM || !record || record->state != KEXT_CURRENT ||
                store_extensions(life->store, &all.list, &all.n, NULL) < 0 ||
                !kext_is_needed(all.list, all.n, asks->grants, asks->n, record))
                return r;
        croft_error_clear(err);
        return kext_judge(record, &needed, 1, asks->partition, asks->parameters, ret, err);
}

int life_kext_check(struct life *life, const char *name, const char *path, const char *parameters,
        struct kext_record *ret, struct croft_error *err)
{
        _cleanup_free_ struct kext_grant *grants = NULL;
        _cleanup_close_ int memfd = -EBADF;
        struct life_kext_asks asks = {.partition = name, .parameters = parameters};
        struct kext_record record;
        char sha256[KEXT_SHA256_LENGTH + 1];
        uint64_t size;
        bool known;
        int r = life_kext_grants(life, name, &grants, &asks.n, err);

        if (r < 0)
                return r;
        memfd = kext_read(life->host->kext_path, path, err);
        r = memfd < 0 ? memfd : kext_hash(memfd, sha256, &size, err);
        if (r < 0)
                return r;
        known = store_extension_match(life->store, sha256, &record, NULL) == 0;
        asks.grants = grants;
        r = life_kext_judge(life, known ? &record : NULL, &asks, NULL, err);
        if (r == 0)
                *ret = record;
        return r;
}
