/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * life_kext.c - the register of kernel extensions: what global has examined and keeps a copy of, by its SHA-256.
 *
 * First the copy, then the row: an interrupted registration leaves a copy that nobody knows, which the next start
 * sweeps away.  The other way round with revoking: first the lists beside the database and in the configuration, then
 * the row, then the copy goes; the next start finishes it.  So both need no journal beyond what is there anyway.
 */
#include "base/cleanup.h"
#include "base/log.h"
#include "daemon/life_books.h"
#include "kext/kext.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

/* What is being registered. */
struct registering {
        struct life *life;
        const char *reason, *subject; /* subject: what was asked for, which events bear */
        bool alone;                   /* what it needs must be on record already */
        struct kext_record record;
        struct kext_bytes bytes;
        struct life_kexts *done;
};

/* --- register --- */

static bool keeps_copy(void *context, const char *sha256)
{
        struct life *life = context;
        struct kext_record record;

        return store_extension_match(life->store, sha256, &record, NULL) == 0 && record.state != KEXT_REVOKED;
}

static int put_copy(void *context, const void *arg, struct croft_error *err)
{
        const struct registering *g = context;
        const struct kext_identity *i = &g->record.identity;
        int state_dir = g->life->host->state_dir, r;

        (void)arg;
        r = kext_copy_put(state_dir, i->sha256, g->bytes.stored, err);
        return r < 0 || !i->plain[0] ? r : kext_copy_put(state_dir, i->plain, g->bytes.plain, err);
}

static int remove_copy(void *context, const void *arg, struct croft_error *err)
{
        const struct registering *g = context;
        const struct kext_identity *i = &g->record.identity;
        int r = 0;

        (void)arg;
        if (!keeps_copy(g->life, i->sha256))
                r = kext_copy_remove(g->life->host->state_dir, i->sha256, err);
        if (r == 0 && i->plain[0] && !keeps_copy(g->life, i->plain))
                r = kext_copy_remove(g->life->host->state_dir, i->plain, err);
        return r;
}

static int put_record(void *context, const void *arg, struct croft_error *err)
{
        struct registering *g = context;

        (void)arg;
        return store_extension_add(g->life->store, &g->record, &g->record, err);
}

static const struct step register_steps[] = {
        {.name = "copy", .act = put_copy, .undo = remove_copy},
        {.name = "record", .act = put_record},
};
static const struct operation op_register = {
        .name = "register", .policy = STEPS_UNDO, .steps = register_steps, .n_steps = ELEMENTS(register_steps)};

static int keep(struct life_kexts *done, const struct kext_record *record, struct croft_error *err)
{
        if ((done->n & (done->n - 1)) == 0) { /* full at each power of two */
                struct kext_record *p = reallocarray(done->list, done->n ? 2 * done->n : 1, sizeof(*p));

                if (!p)
                        return croft_error_set(err, ENOMEM, "register extensions");
                done->list = p;
        }
        done->list[done->n++] = *record;
        return 0;
}

const struct kext_record *life_kexts_current(const struct life_kexts *all, const char *name, const char *vermagic)
{
        char release[128], other[128];

        (void)kext_release(vermagic, release, sizeof(release));
        for (size_t i = 0; i < all->n; i++) {
                const struct kext_record *r = &all->list[i];

                if (r->state == KEXT_CURRENT && strcmp(r->identity.name, name) == 0 &&
                        strcmp(kext_release(r->identity.vermagic, other, sizeof(other)), release) == 0)
                        return r;
        }
        return NULL;
}

static int register_path(void *context, const char *path, struct croft_error *err);

/* What it needs has an identity and a check of its own (KID-25): on record, or registered with it if the running kernel
 * has it. */
static int register_needed(struct registering *g, struct croft_error *err)
{
        const char *at = g->record.identity.depends;
        _cleanup_(life_kexts_done) struct life_kexts all = {.n = 0};
        char name[KEXT_NAME_MAX + 1], release[128], reason[KEXT_REASON_MAX + 1];
        struct utsname running;
        int r = store_extensions(g->life->store, &all.list, &all.n, err);

        (void)kext_release(g->record.identity.vermagic, release, sizeof(release));
        (void)uname(&running); /* can't fail */
        (void)snprintf(reason, sizeof(reason), "needed by %s", g->record.identity.name);
        while (r == 0 && kext_depends_next(&at, name)) {
                struct registering other = {.life = g->life, .reason = reason, .subject = g->subject, .done = g->done};

                if (life_kexts_current(&all, name, release))
                        continue;
                if (strcmp(release, running.release) != 0)
                        return croft_error_set(err, ENOENT,
                                "'%s' needs '%s', which isn't registered for kernel %s: register that first.",
                                g->record.identity.name, name, release);
                r = kext_find_module(name, register_path, &other, err);
        }
        return r;
}

static int register_path(void *context, const char *path, struct croft_error *err)
{
        struct registering *g = context;
        _cleanup_(kext_bytes_done) struct kext_bytes bytes = KEXT_BYTES_INIT;
        char text[KEXT_NAME_MAX + 16];
        int r;

        g->record = (struct kext_record){.registered = (int64_t)time(NULL)};
        if (!str_copy(g->record.origin, sizeof(g->record.origin), path))
                return croft_error_set(err, ENAMETOOLONG, "register a file");
        (void)str_copy(g->record.reason, sizeof(g->record.reason), g->reason);
        r = kext_identify(g->life->host->kext_path, path, &g->record.identity, &bytes, err);
        if (r == 0 && g->alone)
                r = register_needed(g, err);
        if (r == 0) {
                g->bytes = bytes;
                (void)pthread_mutex_lock(&g->life->kext_lock);
                r = steps_run(&op_register, g, &steps_no_journal, err);
                (void)pthread_mutex_unlock(&g->life->kext_lock);
        }
        if (r == 0)
                r = keep(g->done, &g->record, err);
        if (r < 0) {
                char shown[256];

                croft_error_prefix(err, "register '%s'", str_escape(shown, sizeof(shown), path, strnlen(path, 240)));
                return r;
        }
        (void)snprintf(text, sizeof(text), "%s registered", g->record.identity.name);
        life_event(g->life, "extension", g->subject, text);
        return 0;
}

/* All of a package are on record by now: so is what they need, or it is another package's. */
static int check_needed(struct life *life, const struct life_kexts *done, struct croft_error *err)
{
        _cleanup_(life_kexts_done) struct life_kexts all = {.n = 0};
        int r = store_extensions(life->store, &all.list, &all.n, err);

        for (size_t i = 0; r == 0 && i < done->n; i++) {
                const char *at = done->list[i].identity.depends;
                char name[KEXT_NAME_MAX + 1], release[128];

                (void)kext_release(done->list[i].identity.vermagic, release, sizeof(release));
                while (r == 0 && kext_depends_next(&at, name))
                        if (!life_kexts_current(&all, name, release))
                                r = croft_error_set(err, ENOENT,
                                        "'%s' needs '%s', which isn't registered for kernel %s: register that, too.",
                                        done->list[i].identity.name, name, release);
        }
        return r;
}

int life_kext_register(
        struct life *life, const struct life_kext_source *source, struct life_kexts *ret, struct croft_error *err)
{
        _cleanup_(life_kexts_done) struct life_kexts done = {.n = 0};
        char reason[KEXT_REASON_MAX + 1] = "file";
        struct registering g = {.life = life, .reason = reason, .alone = !source->package, .done = &done};
        int r;

        g.subject = source->path ? source->path : source->module ? source->module : source->package;
        if (!source->path)
                (void)snprintf(reason, sizeof(reason), "%s %s", source->module ? "module" : "package", g.subject);
        if (source->path)
                r = register_path(&g, source->path, err);
        else if (source->module)
                r = kext_find_module(source->module, register_path, &g, err);
        else
                r = kext_find_package(source->package, register_path, &g, err);
        if (r == 0 && source->package)
                r = check_needed(life, &done, err);
        if (done.n > 0)
                life_autoload_review(life);
        if (r < 0)
                return r;
        *ret = done;
        done = (struct life_kexts){.n = 0};
        return 0;
}

/* --- look --- */

void life_kexts_done(struct life_kexts *list)
{
        free(list->list);
        *list = (struct life_kexts){.n = 0};
}

int life_kext_identify(
        struct life *life, const char *path, struct kext_record *ret, bool *ret_known, struct croft_error *err)
{
        struct kext_record record = {.generation = 0};
        int r = kext_identify(life->host->kext_path, path, &record.identity, NULL, err);

        if (r < 0)
                return r;
        *ret_known = store_extension_find(life->store, record.identity.sha256, &record, NULL) == 0;
        *ret = record;
        return 0;
}

bool life_kext_known(struct life *life, const char *sha256, struct kext_record *ret)
{
        return store_extension_find(life->store, sha256, ret, NULL) == 0;
}

bool life_kext_matched(struct life *life, const char *sha256, struct kext_record *ret)
{
        return store_extension_match(life->store, sha256, ret, NULL) == 0;
}

int life_kext_list(struct life *life, struct life_kexts *ret, struct croft_error *err)
{
        return store_extensions(life->store, &ret->list, &ret->n, err);
}

/* How well it fits: 3 all of the SHA-256, 2 the name for the running kernel, 1 the name, or the beginning of the
 * SHA-256. */
static int rank(const struct kext_record *r, const char *what, const char *name, const char *running)
{
        char release[128];
        size_t n = strlen(what);

        if (strcmp(r->identity.sha256, what) == 0)
                return 3;
        if (name && r->state == KEXT_CURRENT && strcmp(r->identity.name, name) == 0)
                return strcmp(kext_release(r->identity.vermagic, release, sizeof(release)), running) == 0 ? 2 : 1;
        return n >= 8 && n < KEXT_SHA256_LENGTH && strncmp(r->identity.sha256, what, n) == 0;
}

/* Some are of that name, of which none is current? */
static int refuse_unknown(const struct life_kexts *all, const char *name, const char *shown, struct croft_error *err)
{
        for (size_t i = 0; name && i < all->n; i++)
                if (strcmp(all->list[i].identity.name, name) == 0)
                        return croft_error_set(err, ENOENT,
                                "no generation of '%s' is current: give the SHA-256 of one, or register one.", name);
        return croft_error_set(err, ENOENT, "no extension '%s' is registered.", shown);
}

int life_kext_get(struct life *life, const char *what, struct kext_record *ret, struct croft_error *err)
{
        _cleanup_(life_kexts_done) struct life_kexts all = {.n = 0};
        const struct kext_record *best = NULL;
        char name[KEXT_NAME_MAX + 1], shown[256];
        bool is_name = kext_name_normalise(what, name), twice = false;
        struct utsname running;
        int best_rank = 0, r = store_extensions(life->store, &all.list, &all.n, err);

        (void)uname(&running); /* can't fail */
        for (size_t i = 0; r == 0 && i < all.n; i++) {
                int this = rank(&all.list[i], what, is_name ? name : NULL, running.release);

                twice = this == best_rank && this > 0 ? true : this > best_rank ? false : twice;
                if (this > best_rank) {
                        best = &all.list[i];
                        best_rank = this;
                }
        }
        if (r < 0)
                return r;
        (void)str_escape(shown, sizeof(shown), what, strnlen(what, 80));
        if (!best)
                return refuse_unknown(&all, is_name ? name : NULL, shown, err);
        if (twice)
                return croft_error_set(err, EINVAL,
                        "there are several extensions '%s': give the SHA-256, or enough of its digits.", shown);
        *ret = *best;
        return 0;
}

/* --- revoke, supersede --- */

struct revoking {
        struct life *life;
        const struct kext_identity *identity;
};

static int add_both(int dir, const char *file, const struct kext_identity *i, struct croft_error *err)
{
        int r = kext_revoked_add(dir, file, i->sha256, err);

        return r < 0 || !i->plain[0] ? r : kext_revoked_add(dir, file, i->plain, err);
}

/* Made if it isn't there. */
static int open_config(struct life *life, struct croft_error *err)
{
        const char *path = life->host->config_dir;
        int r = mkdir(path, 0755) == 0 ? 0 : -errno, fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (r == 0 && fd >= 0) { /* it is to be there after a loss of power, too */
                _cleanup_close_ int above = openat(fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

                (void)fsync(above); /* what is written to it says whether the disk works */
        }
        return fd < 0 ? croft_error_set(err, errno, "open '%s'", path) : fd;
}

/* There it outlives what the list in the state directory doesn't: that this directory is restored as a whole.  Where it
 * can't be kept there the other one has to do: what was to be revoked isn't given any more. */
static void warn_config(struct life *life, struct croft_error *err)
{
        (void)croft_error_prefix(err, "list what is revoked in '%s/%s'", life->host->config_dir, KEXT_REVOKED_CONFIG);
        log_error(LOG_LEVEL_WARNING, err, "it comes back when an older copy of the state directory is restored");
        life_errors_add(life, err);
}

static int list_state(struct life *life, const struct kext_identity *i, struct croft_error *err)
{
        return add_both(life->host->state_dir, KEXT_REVOKED_STATE, i, err);
}

static int list_both(struct life *life, const struct kext_identity *i, struct croft_error *err)
{
        struct croft_error why = CROFT_ERROR_INIT;
        _cleanup_close_ int dir = -EBADF;
        int r = list_state(life, i, err);

        if (r < 0)
                return r;
        dir = open_config(life, &why);
        if (dir < 0 || add_both(dir, KEXT_REVOKED_CONFIG, i, &why) < 0)
                warn_config(life, &why);
        return 0;
}

static int revoke_list(void *context, const void *arg, struct croft_error *err)
{
        struct revoking *v = context;

        (void)arg;
        return list_both(v->life, v->identity, err);
}

static int revoke_record(void *context, const void *arg, struct croft_error *err)
{
        struct revoking *v = context;

        (void)arg;
        return store_extension_revoke(v->life->store, v->identity->sha256, err);
}

/* Whatever has no row any more that isn't revoked: in the same bytes others may be, too. */
static int revoke_copy(void *context, const void *arg, struct croft_error *err)
{
        struct revoking *v = context;
        unsigned int removed;

        (void)arg;
        return kext_copy_sweep(v->life->host->state_dir, keeps_copy, v->life, &removed, err);
}

static const struct step revoke_steps[] = {
        {.name = "list", .act = revoke_list},
        {.name = "record", .act = revoke_record},
        {.name = "copy", .act = revoke_copy},
};
static const struct operation op_revoke = {
        .name = "revoke", .policy = STEPS_FINISH, .steps = revoke_steps, .n_steps = ELEMENTS(revoke_steps)};

int life_kext_revoke(struct life *life, const char *what, struct kext_record *ret, struct croft_error *err)
{
        struct revoking v = {.life = life};
        struct kext_record record;
        int r = life_kext_get(life, what, &record, err);

        if (r < 0)
                return r;
        v.identity = &record.identity;
        (void)pthread_mutex_lock(&life->kext_lock);
        r = steps_run(&op_revoke, &v, &steps_no_journal, err);
        (void)pthread_mutex_unlock(&life->kext_lock);
        if (r < 0) {
                croft_error_prefix(err, "revoke '%s'", record.identity.name);
                return r;
        }
        life_event(life, "extension", record.identity.name, "revoked");
        return store_extension_find(life->store, record.identity.sha256, ret, err);
}

int life_kext_supersede(struct life *life, const char *what, struct kext_record *ret, struct croft_error *err)
{
        struct kext_record record;
        int r = life_kext_get(life, what, &record, err);

        if (r < 0)
                return r;
        if (record.state == KEXT_REVOKED)
                return croft_error_set(err, EPERM, "'%s' was revoked, which is for ever.", record.identity.name);
        (void)pthread_mutex_lock(&life->kext_lock);
        r = store_extension_supersede(life->store, record.identity.sha256, err);
        (void)pthread_mutex_unlock(&life->kext_lock);
        if (r < 0)
                return r;
        life_event(life, "extension", record.identity.name, "superseded");
        return store_extension_find(life->store, record.identity.sha256, ret, err);
}

/* --- start --- */

static int revoke_again(void *context, const char *sha256, struct croft_error *err)
{
        struct life *life = context;
        struct kext_record record;

        if (store_extension_find(life->store, sha256, &record, NULL) < 0 || record.state != KEXT_REVOKED)
                return store_extension_revoke(life->store, sha256, err);
        return 0;
}

/* The other way round: a list that somebody has put back, or lost. */
static int list_again(struct life *life, struct croft_error *err)
{
        _cleanup_(life_kexts_done) struct life_kexts all = {.n = 0};
        int r = store_extensions(life->store, &all.list, &all.n, err);

        for (size_t i = 0; r == 0 && i < all.n; i++)
                if (all.list[i].state == KEXT_REVOKED)
                        r = list_state(life, &all.list[i].identity, err);
        return r;
}

/* What one list has the other gets, whether there is such an extension or not. */
struct completing {
        struct life *life;
        int dir; /* of the one in the configuration */
        bool failed;
};

static int complete_state(void *context, const char *sha256, struct croft_error *err)
{
        struct completing *c = context;
        int r = kext_revoked_add(c->life->host->state_dir, KEXT_REVOKED_STATE, sha256, err);

        c->failed = r < 0;
        return r;
}

static int complete_config(void *context, const char *sha256, struct croft_error *err)
{
        struct completing *c = context;

        if (c->dir < 0) /* not before there is something to be written */
                c->dir = open_config(c->life, err);
        return c->dir < 0 ? c->dir : kext_revoked_add(c->dir, KEXT_REVOKED_CONFIG, sha256, err);
}

/* That it can't be read doesn't keep croftd from what the other one says. */
static int take_config(struct life *life, struct croft_error *err)
{
        struct completing c = {.life = life};
        struct croft_error why = CROFT_ERROR_INIT;
        _cleanup_close_ int dir = open(life->host->config_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        int r = dir < 0 ? 0 : kext_revoked_each(dir, KEXT_REVOKED_CONFIG, complete_state, &c, &why);

        if (r < 0 && c.failed)
                return croft_error_set(err, r, "list what is revoked");
        if (r < 0)
                warn_config(life, &why);
        return 0;
}

static void give_config(struct life *life)
{
        struct completing c = {.life = life, .dir = -EBADF};
        struct croft_error why = CROFT_ERROR_INIT;

        if (kext_revoked_each(life->host->state_dir, KEXT_REVOKED_STATE, complete_config, &c, &why) < 0)
                warn_config(life, &why);
        close_fd(c.dir);
}

/* Afterwards the lists and the database say the same. */
static int settle_revoked(struct life *life, struct croft_error *err)
{
        int r = take_config(life, err);

        if (r == 0)
                r = kext_revoked_each(life->host->state_dir, KEXT_REVOKED_STATE, revoke_again, life, err);
        if (r == 0)
                r = list_again(life, err);
        if (r == 0)
                give_config(life);
        return r;
}

int life_kext_settle(struct life *life, struct croft_error *err)
{
        unsigned int removed = 0;
        int r = settle_revoked(life, err);

        if (r == 0 && store_is_new_boot(life->store)) /* the kernel has nothing of what they say */
                r = store_books_forget(life->store, err);
        if (r == 0)
                r = kext_copy_sweep(life->host->state_dir, keeps_copy, life, &removed, err);
        if (r < 0) {
                croft_error_prefix(err, "settle the register of extensions");
                return r;
        }
        if (removed > 0) {
                log_say(LOG_LEVEL_NOTICE, "copies of extensions that were half registered or revoked are removed: %u",
                        removed);
                (void)store_add_notice(
                        life->store, "an interrupted registration or revocation of extensions was put right", NULL);
        }
        return 0;
}

void life_kext_print_crash_points(void)
{
        steps_print_crash_points(&op_register);
        steps_print_crash_points(&op_revoke);
        books_print_crash_points();
}
