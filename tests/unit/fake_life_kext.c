/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fake_life_kext.c - the register of kernel extensions in memory: whatever ends in .ko is one, named as its file.  One
 * process has one, whatever life cycles it makes.
 */
#include "daemon/life.h"
#include "kext/books.h"
#include "kext/kext.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXTENSIONS 64

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct kext_record extensions[EXTENSIONS];
static size_t n_extensions;

static int identify(const char *path, struct kext_record *ret, struct croft_error *err)
{
        const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;

        if (!kext_is_file_name(path))
                return croft_error_set(err, ENOEXEC, "it is no module.");
        *ret = (struct kext_record){.identity = {.kind = KEXT_KO, .size = 4711, .vermagic = "6.1.0-fake SMP "},
                .generation = 1,
                .state = KEXT_CURRENT,
                .reason = "file",
                .registered = 1700000000};
        (void)snprintf(ret->identity.name, sizeof(ret->identity.name), "%.*s", (int)strcspn(base, "."), base);
        memset(ret->identity.sha256, 'a' + (int)strlen(ret->identity.name) % 6, KEXT_SHA256_LENGTH);
        (void)snprintf(ret->identity.depends, sizeof(ret->identity.depends), "crc-ccitt,libcrc32c");
        (void)snprintf(ret->origin, sizeof(ret->origin), "%s", path);
        return 0;
}

void life_kexts_done(struct life_kexts *list)
{
        free(list->list);
        *list = (struct life_kexts){.n = 0};
}

int life_kext_register(
        struct life *life, const struct life_kext_source *source, struct life_kexts *ret, struct croft_error *err)
{
        char path[256];
        int r;

        (void)life;
        (void)snprintf(path, sizeof(path), "%s%s",
                source->path     ? source->path
                : source->module ? source->module
                                 : source->package,
                source->path ? "" : ".ko");
        ret->list = calloc(1, sizeof(*ret->list));
        r = identify(path, ret->list, err);
        if (r < 0) {
                life_kexts_done(ret);
                return r;
        }
        ret->n = 1;
        (void)pthread_mutex_lock(&lock);
        if (n_extensions < EXTENSIONS)
                extensions[n_extensions++] = ret->list[0];
        (void)pthread_mutex_unlock(&lock);
        return 0;
}

int life_kext_identify(
        struct life *life, const char *path, struct kext_record *ret, bool *ret_known, struct croft_error *err)
{
        (void)life;
        *ret_known = false;
        return identify(path, ret, err);
}

int life_kext_list(struct life *life, struct life_kexts *ret, struct croft_error *err)
{
        (void)life;
        (void)err;
        ret->list = calloc(EXTENSIONS, sizeof(*ret->list));
        (void)pthread_mutex_lock(&lock);
        memcpy(ret->list, extensions, n_extensions * sizeof(*extensions));
        ret->n = n_extensions;
        (void)pthread_mutex_unlock(&lock);
        return 0;
}

static int change(const char *what, enum kext_state state, struct kext_record *ret, struct croft_error *err)
{
        bool found = false;

        (void)pthread_mutex_lock(&lock);
        for (size_t i = 0; i < n_extensions && !found; i++) {
                found = strcmp(extensions[i].identity.name, what) == 0;
                if (found && state)
                        extensions[i].state = state;
                if (found)
                        *ret = extensions[i];
        }
        (void)pthread_mutex_unlock(&lock);
        return found ? 0 : croft_error_set(err, ENOENT, "no extension '%s' is registered.", what);
}

int life_kext_get(struct life *life, const char *what, struct kext_record *ret, struct croft_error *err)
{
        (void)life;
        return change(what, 0, ret, err);
}

int life_kext_revoke(struct life *life, const char *what, struct kext_record *ret, struct croft_error *err)
{
        (void)life;
        return change(what, KEXT_REVOKED, ret, err);
}

int life_kext_supersede(struct life *life, const char *what, struct kext_record *ret, struct croft_error *err)
{
        (void)life;
        return change(what, KEXT_SUPERSEDED, ret, err);
}

/* --- grants: of one partition at a time --- */

static struct kext_grant grants[EXTENSIONS];
static size_t n_grants;

static int find(struct life *life, const char *name, struct croft_error *err)
{
        struct life_info info;
        int r = life_get(life, name, &info, err);

        if (r == 0)
                life_info_done(&info);
        return r;
}

int life_kext_grants(
        struct life *life, const char *name, struct kext_grant **ret, size_t *ret_n, struct croft_error *err)
{
        int r = find(life, name, err);

        if (r < 0)
                return r;
        *ret = calloc(EXTENSIONS, sizeof(**ret));
        (void)pthread_mutex_lock(&lock);
        memcpy(*ret, grants, n_grants * sizeof(*grants));
        *ret_n = n_grants;
        (void)pthread_mutex_unlock(&lock);
        return 0;
}

int life_kext_grant(struct life *life, const char *name, const struct life_kext_wish *wish, struct croft_error *err)
{
        struct kext_grant grant = {
                .local = wish->local, .previous = wish->previous, .major = wish->major, .granted = 1700000000};
        int r = find(life, name, err);

        if (r == 0)
                r = kext_parameters_check(wish->parameters, grant.parameters, err);
        if (r < 0)
                return r;
        (void)snprintf(grant.name, sizeof(grant.name), "%s", wish->extension);
        (void)pthread_mutex_lock(&lock);
        if (n_grants < EXTENSIONS)
                grants[n_grants++] = grant;
        (void)pthread_mutex_unlock(&lock);
        return 0;
}

int life_kext_ungrant(struct life *life, const char *name, const char *extension, struct croft_error *err)
{
        bool found = false;
        int r = find(life, name, err);

        if (r < 0)
                return r;
        (void)pthread_mutex_lock(&lock);
        for (size_t i = 0; i < n_grants && !found; i++)
                if (strcmp(grants[i].name, extension) == 0) {
                        grants[i] = grants[--n_grants];
                        found = true;
                }
        (void)pthread_mutex_unlock(&lock);
        return found ? 0 : croft_error_set(err, ENOENT, "'%s' isn't granted.", extension);
}

int life_kext_check(struct life *life, const char *name, const char *path, const char *parameters,
        struct kext_record *ret, struct croft_error *err)
{
        int r = find(life, name, err);

        if (r == 0)
                r = identify(path, ret, err);
        return r < 0 ? r : kext_judge(ret, grants, n_grants, name, parameters, NULL, err);
}

/* --- scans: each finds the same --- */

static bool scanned;

void life_scan_done(struct life_scan *scan)
{
        free(scan->list);
        *scan = (struct life_scan){.n = 0};
}

bool life_kext_known(struct life *life, const char *sha256, struct kext_record *ret)
{
        (void)life;
        return sha256[0] && identify("/root/copy.ko", ret, NULL) == 0;
}

bool life_kext_matched(struct life *life, const char *sha256, struct kext_record *ret)
{
        return life_kext_known(life, sha256, ret);
}

int life_scan_get(struct life *life, const char *name, struct life_scan *ret, struct croft_error *err)
{
        int r = find(life, name, err);

        if (r < 0 || !scanned)
                return r;
        ret->list = calloc(2, sizeof(*ret->list));
        ret->list[0] =
                (struct kext_finding){.application = "app", .path = "/opt/app/copy.ko", .sha256 = "ab", .size = 5};
        ret->list[1] = (struct kext_finding){.path = "/pipe\xff.ko", .oddity = "a FIFO"};
        ret->n = 2;
        ret->record = (struct kext_scan_record){
                .partition = 1, .number = 12, .found = 2, .time = 1700000000, .reason = KEXT_SCAN_REQUEST};
        return 0;
}

int life_scan_list(struct life *life, struct kext_scan_record **ret, size_t *ret_n, struct croft_error *err)
{
        (void)life;
        (void)err;
        *ret = calloc(2, sizeof(**ret));
        (*ret)[0] = (struct kext_scan_record){
                .partition = 1, .number = 12, .found = 2, .time = 1700000000, .reason = KEXT_SCAN_PACKAGES};
        (*ret)[1] = (struct kext_scan_record){.partition = 4711}; /* removed meanwhile */
        *ret_n = 2;
        return 0;
}

int life_scan_run(struct life *life, const char *name, struct life_scan *ret, struct croft_error *err)
{
        scanned = true;
        return life_scan_get(life, name, ret, err);
}

int life_kext_sync(struct life *life, const char *name, struct life_scan *ret, struct croft_error *err)
{
        return life_scan_run(life, name, ret, err);
}

int life_kext_provide(struct life *life, const char *name, const struct life_kext_place *place, struct life_scan *ret,
        struct croft_error *err)
{
        if (place->path && place->path[0] != '/')
                return croft_error_set(err, EINVAL, "no path.");
        return strcmp(place->extension, "copy") == 0 ? life_scan_run(life, name, ret, err)
                                                     : croft_error_set(err, ENOENT, "no extension.");
}

/* --- what is loaded: what is granted counts for nothing here --- */

#define HOLDERS 16

static struct kext_holder holders[HOLDERS];
static size_t n_holders;

static uint64_t id_of(struct life *life, const char *name, struct croft_error *err)
{
        struct life_info info;
        uint64_t id;

        if (life_get(life, name, &info, err) < 0)
                return 0;
        id = info.def.id;
        life_info_done(&info);
        return id;
}

int life_kext_load(
        struct life *life, const char *name, const char *extension, const char *parameters, struct croft_error *err)
{
        struct kext_holder h = {
                .partition = id_of(life, name, err), .count = 1, .via = KEXT_VIA_COMMAND, .since = 1700000000};
        struct kext_record record;

        if (!h.partition)
                return -ENOENT;
        if (*parameters)
                return croft_error_set(err, EPERM, "the parameter '%s' isn't allowed.", parameters);
        if (life_kext_get(life, extension, &record, err) < 0)
                return -ENOENT;
        (void)snprintf(h.name, sizeof(h.name), "%s", record.identity.name);
        memcpy(h.sha256, record.identity.sha256, sizeof(h.sha256));
        (void)pthread_mutex_lock(&lock);
        if (n_holders < HOLDERS)
                holders[n_holders++] = h;
        (void)pthread_mutex_unlock(&lock);
        return 0;
}

static int drop(uint64_t partition, const char *extension, struct croft_error *err)
{
        for (size_t i = 0; i < n_holders; i++)
                if ((!partition || holders[i].partition == partition) && strcmp(holders[i].name, extension) == 0) {
                        holders[i] = holders[--n_holders];
                        return 0;
                }
        return croft_error_set(err, ENOENT, "nobody holds '%s'.", extension);
}

int life_kext_unload(struct life *life, const char *name, const char *extension, struct croft_error *err)
{
        uint64_t id = id_of(life, name, err);
        int r;

        if (!id)
                return -ENOENT;
        (void)pthread_mutex_lock(&lock);
        r = drop(id, extension, err);
        (void)pthread_mutex_unlock(&lock);
        return r;
}

int life_kext_take_away(struct life *life, const char *extension, bool force, struct croft_error *err)
{
        int r;

        (void)life;
        (void)pthread_mutex_lock(&lock);
        r = n_holders > 0 && !force ? croft_error_set(err, EBUSY, "'%s' is held.", extension) : drop(0, extension, err);
        (void)pthread_mutex_unlock(&lock);
        return r;
}

int life_kext_books(struct life *life, struct kext_books *ret, struct croft_error *err)
{
        struct kext_loaded unheld = {.name = "unheld", .state = KEXT_PENDING, .since = 1700000000};

        (void)life;
        *ret = (struct kext_books){
                .loaded = calloc(1, sizeof(unheld)), .n_loaded = 1, .holders = calloc(HOLDERS, sizeof(*holders))};
        if (!ret->loaded || !ret->holders) {
                kext_books_done(ret);
                return croft_error_set(err, ENOMEM, "list");
        }
        *ret->loaded = unheld;
        (void)pthread_mutex_lock(&lock);
        ret->n_holders = n_holders;
        memcpy(ret->holders, holders, n_holders * sizeof(*holders));
        (void)pthread_mutex_unlock(&lock);
        return 0;
}

bool life_partition_name(struct life *life, uint64_t id, char name[NAME_LENGTH_MAX + 1])
{
        struct life_info *list = NULL;
        bool found = false;
        size_t n = 0;

        if (life_list(life, &list, &n, NULL) < 0)
                return false;
        for (size_t i = 0; i < n; i++) {
                if (list[i].def.id == id) {
                        (void)snprintf(name, NAME_LENGTH_MAX + 1, "%s", list[i].def.name);
                        found = true;
                }
                life_info_done(&list[i]);
        }
        free(list);
        return found;
}
