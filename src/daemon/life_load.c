/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * life_load.c - who may have which extension loaded: wishes of partitions, as their brokers tell of them, and commands.
 *
 * What comes from a broker is believed as far as the kernel vouches for it: bytes that are sealed, and which partition
 * it works for.  A partition is told an errno; why, global is told.
 */
#include "base/cleanup.h"
#include "base/log.h"
#include "daemon/facet_disks.h"
#include "daemon/life_books.h"
#include "devid/export.h"
#include "kernel/module.h"
#include "kext/kext.h"
#include "kstat/views_memory.h"
#include "partition/warden_msg.h"

#include <fcntl.h>
#include <string.h>

/* What the partition's own file system could have said, too; nothing of other partitions but that one is in the way. */
static int code_for_partition(int code)
{
        switch (code) {
        case EILSEQ:
        case EUCLEAN:
                return ENOEXEC;
        case ESTALE:
                return EPERM;
        default:
                return code;
        }
}

static void say(struct unit *u, const char *name, const char *what)
{
        char text[KEXT_NAME_MAX + 64];

        (void)snprintf(text, sizeof(text), "extension '%s' %s", name, what);
        unit_event(u, "extension", text);
}

/* Property `devices` may name some that weren't there when it was started.  What can't be exported it goes without. */
static void devices_came(struct unit *u)
{
        struct croft_error err = CROFT_ERROR_INIT;
        char line[CROFT_ERROR_TEXT_MAX];

        if (devid_export_follow(&u->p, property_get(u->p.def.properties, "devices"), &err) < 0)
                errors_note_partition(&u->p, croft_error_line(&err, line, sizeof(line)));
        disks_follow(&u->p);
}

/* Its record is NULL if nobody has registered it; its grant is found here. */
static int load(struct unit *u, struct book_wish *wish, struct croft_error *err)
{
        _cleanup_free_ struct kext_grant *grants = NULL;
        struct life_kext_asks asks = {.partition = u->p.def.name, .parameters = wish->parameters};
        int r = unit_grants(u, &grants, &asks.n, err);

        asks.grants = grants;
        if (r == 0)
                r = life_kext_judge(u->life, wish->record, &asks, &wish->grant, err);
        if (r == 0)
                r = books_load(u, wish, err);
        if (r == 0 && wish->record->identity.takes_major)
                devices_came(u);
        if (r == 0)
                say(u, wish->record->identity.name, "loaded");
        return r;
}

static int serve_load(struct unit *u, const struct module_request *q, int bytes, struct croft_error *err)
{
        struct kext_sealed sealed = {.fd = bytes};
        struct kext_record record;
        bool known;
        uint64_t size;
        int r = q->flags & MODULE_IGNORES
                        ? croft_error_set(err, EPERM, "the kernel is to ignore versions, which is let to nobody.")
                        : kext_hash(bytes, sealed.sha256, &size, err);

        if (r < 0)
                return r;
        known = store_extension_match(u->life->store, sealed.sha256, &record, NULL) == 0;
        return load(u,
                &(struct book_wish){.record = known ? &record : NULL,
                        .bytes = &sealed,
                        .parameters = q->text,
                        .via = KEXT_VIA_CALL},
                err);
}

static int unload(struct unit *u, const char *name, enum kext_via via, struct croft_error *err)
{
        int r = books_unload(u, name, via, err);

        if (r == 0) {
                say(u, name, "unloaded");
                life_autoload_unloaded(u);
        }
        return r;
}

static int serve_unload(struct unit *u, const struct module_request *q, struct croft_error *err)
{
        char name[KEXT_NAME_MAX + 1], shown[256];

        if (!kext_name_normalise(q->text, name))
                return croft_error_set(err, ENOENT, "'%s' is no name of an extension.",
                        str_escape(shown, sizeof(shown), q->text, strnlen(q->text, 60)));
        return unload(u, name, KEXT_VIA_CALL, err);
}

int unit_kext_serve(struct unit *u, const struct module_request *q, int bytes)
{
        struct croft_error err = CROFT_ERROR_INIT;
        int r = q->load ? serve_load(u, q, bytes, &err) : serve_unload(u, q, &err);

        if (r == 0)
                unit_kext_tell(u);
        if (r < 0 && r != -EEXIST) {
                croft_error_prefix(
                        &err, q->load ? "load an extension for '%s'" : "unload an extension for '%s'", u->p.def.name);
                errors_refuse_for_global(u, &err);
        }
        return -code_for_partition(-r);
}

/* Of what modprobe(8) would load. */
struct requesting {
        struct unit *u;
        unsigned int loaded, had;
        struct croft_error why; /* the first wasn't */
};

static int load_requested(void *context, const char *name, struct croft_error *err)
{
        struct requesting *q = context;
        struct kext_record record;
        struct croft_error own = CROFT_ERROR_INIT;
        int r = life_kext_get(q->u->life, name, &record, &own);

        (void)err;
        if (r == 0 && books_holds(q->u, name)) {
                q->had++;
                return 0;
        }
        if (r == 0)
                r = load(q->u, &(struct book_wish){.record = &record, .parameters = "", .via = KEXT_VIA_REQUEST}, &own);
        q->loaded += r == 0;
        if (r < 0 && !q->why.code)
                croft_error_copy(&q->why, &own);
        return 0;
}

int unit_kext_request(struct unit *u, const char *request, struct croft_error *err)
{
        struct requesting q = {.u = u, .why = CROFT_ERROR_INIT};
        char shown[4 * KEXT_REQUEST_MAX + 1];
        int r = kext_find_request(request, load_requested, &q, &q.why);

        if (q.loaded > 0) {
                unit_kext_tell(u);
                return 1;
        }
        if (q.had > 0)
                return 0;
        croft_error_copy(err, &q.why);
        croft_error_prefix(err, "load what '%s' makes the kernel look for, '%s'", u->p.def.name,
                str_escape(shown, sizeof(shown), request, strnlen(request, KEXT_REQUEST_MAX)));
        errors_refuse_for_global(u, err);
        return r < 0 ? r : -q.why.code;
}

void unit_kext_refused(struct unit *u)
{
        struct croft_error err = CROFT_ERROR_INIT;

        croft_error_set(&err, EPERM, "'%s' wants to load or unload an extension, and is granted none.", u->p.def.name);
        errors_refuse_for_global(u, &err);
}

/* What its /proc and /sys show: all that it holds, of whatever kind, so that lsmod(8) and rmmod(8) know it. */
struct shown {
        struct life *life;
        struct view_module list[VIEW_MODULES_MAX];
        size_t n;
};

static void show_one(void *context, const struct book_entry *e)
{
        struct shown *shown = context;
        struct view_module *m = &shown->list[shown->n];
        const char *name = e->holder->name;
        struct kext_record record;

        if (e->holder->lost || shown->n == VIEW_MODULES_MAX)
                return;
        *m = (struct view_module){.users = e->users};
        if (!e->is_bpf)
                m->size = module_size(name);
        else if (life_kext_known(shown->life, e->holder->sha256, &record))
                m->size = record.identity.size; /* the kernel's figures are of programs and maps */
        (void)str_copy(m->name, sizeof(m->name), name);
        shown->n++;
}

static void show(struct unit *u, const struct shown *shown)
{
        _cleanup_close_ int memory = -EBADF;

        (void)pthread_mutex_lock(&u->p.lock);
        if (u->p.run.fuse_memory >= 0)
                memory = fcntl(u->p.run.fuse_memory, F_DUPFD_CLOEXEC, 3);
        (void)pthread_mutex_unlock(&u->p.lock);
        if (memory >= 0)
                (void)views_modules_replace(memory, shown->list, shown->n, NULL); /* an old one has no room for it */
}

static void tell(struct unit *u, enum told wanted)
{
        struct wire_writer body = WIRE_WRITER_INIT;

        wire_put_u8(&body, wanted == TOLD_YES);
        (void)pthread_mutex_lock(&u->p.lock);
        if (u->p.run.warden >= 0 && u->told_modules != wanted &&
                warden_send(u->p.run.warden, WARDEN_MODULES, NULL, 0, &body) == 0) /* or it has died */
                u->told_modules = wanted;
        (void)pthread_mutex_unlock(&u->p.lock);
        wire_writer_done(&body);
}

/* asks: what it is granted is by these; NULL: as they are.  If nothing is granted, nor held, there is nothing to look
 * at.  Whoever looks later tells later: by a list from before, what has been loaded since wouldn't be there. */
static void look_and_tell(struct unit *u, const struct life_policy_asks *asks)
{
        _cleanup_free_ struct kext_grant *grants = NULL;
        struct shown shown = {.life = u->life};
        size_t held, n = 0;

        (void)pthread_mutex_lock(&u->shows_modules);
        held = books_each(u, show_one, &shown);
        if (held == 0 && asks)
                (void)life_policy_grants(u->life, asks, &grants, &n, NULL);
        else if (held == 0)
                (void)unit_grants(u, &grants, &n, NULL);
        show(u, &shown);
        tell(u, held > 0 || n > 0 ? TOLD_YES : TOLD_NO);
        (void)pthread_mutex_unlock(&u->shows_modules);
}

void unit_kext_tell(struct unit *u)
{
        look_and_tell(u, NULL);
}

/* --- commands --- */

static int load_by_command(struct unit *u, const char *what, const char *parameters, struct croft_error *err)
{
        struct kext_record record;
        int r = life_kext_get(u->life, what, &record, err);

        if (r == 0)
                r = load(u, &(struct book_wish){.record = &record, .parameters = parameters, .via = KEXT_VIA_COMMAND},
                        err);
        if (r < 0)
                croft_error_prefix(err, "load an extension for '%s'", u->p.def.name);
        return r;
}

/* A name, or what life_kext_get() takes. */
static int name_of(struct life *life, const char *what, char name[KEXT_NAME_MAX + 1], struct croft_error *err)
{
        struct kext_record record;
        int r;

        if (!kext_is_sha256(what) && kext_name_normalise(what, name))
                return 0;
        r = life_kext_get(life, what, &record, err);
        if (r == 0)
                (void)str_copy(name, KEXT_NAME_MAX + 1, record.identity.name);
        return r;
}

static int unload_by_command(struct unit *u, const char *what, struct croft_error *err)
{
        char name[KEXT_NAME_MAX + 1];
        int r = name_of(u->life, what, name, err);

        if (r == 0)
                r = unload(u, name, KEXT_VIA_COMMAND, err);
        if (r < 0)
                croft_error_prefix(err, "unload an extension for '%s'", u->p.def.name);
        return r;
}

/* The partition reads its own record, and isn't to know who else holds what (KXT-33). */
static void keep_for_global(struct unit *u, struct croft_error *err)
{
        life_errors_add(u->life, err);
        croft_error_clear(err);
        croft_error_set(err, EBUSY, "something is in its way; what, global is told.");
        croft_error_prefix(err, "load an extension for '%s'", u->p.def.name);
}

int life_kext_load(
        struct life *life, const char *name, const char *what, const char *parameters, struct croft_error *err)
{
        _cleanup_(unit_unrefp) struct unit *u = NULL;
        struct croft_error own = CROFT_ERROR_INIT;
        int r = life_begin(life, name, LIFE_EXTENSION, &u, err);

        if (r < 0)
                return r;
        r = load_by_command(u, what, parameters, &own);
        if (r == 0)
                unit_kext_tell(u);
        croft_error_copy(err, &own);
        if (r == -EBUSY)
                keep_for_global(u, &own);
        return life_end(u, u->p.state, r, &own);
}

int life_kext_unload(struct life *life, const char *name, const char *what, struct croft_error *err)
{
        _cleanup_(unit_unrefp) struct unit *u = NULL;
        struct croft_error own = CROFT_ERROR_INIT;
        int r = life_begin(life, name, LIFE_EXTENSION, &u, err);

        if (r < 0)
                return r;
        r = unload_by_command(u, what, &own);
        if (r == 0)
                unit_kext_tell(u);
        croft_error_copy(err, &own);
        return life_end(u, u->p.state, r, &own);
}

int life_kext_take_away(struct life *life, const char *what, bool force, struct croft_error *err)
{
        char name[KEXT_NAME_MAX + 1];
        int r = name_of(life, what, name, err);

        if (r == 0)
                r = books_take_away(life, name, force, err);
        return r < 0 ? croft_error_prefix(err, "take an extension out of the kernel") : 0;
}

int life_kext_books(struct life *life, struct kext_books *ret, struct croft_error *err)
{
        return books_read(life, ret, err);
}

bool life_partition_name(struct life *life, uint64_t id, char name[NAME_LENGTH_MAX + 1])
{
        _cleanup_(unit_unrefp) struct unit *u = life_find_id(life, id);

        if (!u)
                return false;
        (void)pthread_mutex_lock(&u->p.lock);
        (void)str_copy(name, NAME_LENGTH_MAX + 1, u->p.def.name);
        (void)pthread_mutex_unlock(&u->p.lock);
        return true;
}

/* --- a partition's share --- */

/* Nothing is what a warden begins with.  What is held may be from when it was only loaded, and granted no more. */
static int start(struct partition *p, struct croft_error *err)
{
        _cleanup_free_ struct kext_grant *grants = NULL;
        size_t n = 0;
        int r = unit_grants(unit_of(p), &grants, &n, err);

        (void)pthread_mutex_lock(&p->lock);
        unit_of(p)->told_modules = TOLD_NO;
        (void)pthread_mutex_unlock(&p->lock);
        unit_kext_tell(unit_of(p));
        life_autoload_begin(unit_of(p));
        return r;
}

/* A stanza that has gone has been taken back: somebody should know. */
static int prepare(struct partition *p, struct croft_error *err)
{
        return life_policy_check(unit_of(p)->life, property_get(p->def.properties, "kexts"), err);
}

/* Before the new value is the partition's. */
static int apply(struct partition *p, const char *key, const char *old, const char *value, struct croft_error *err)
{
        const struct life_policy_asks asks = {.id = p->def.id, .partition = p->def.name, .kexts = value};
        _cleanup_free_ struct kext_grant *grants = NULL;
        size_t n = 0;
        int r;

        (void)old;
        if (strcmp(key, "kexts") != 0)
                return 0;
        r = life_policy_check(unit_of(p)->life, value, err);
        if (r == 0)
                r = life_policy_grants(unit_of(p)->life, &asks, &grants, &n, err);
        if (r == 0)
                look_and_tell(unit_of(p), &asks);
        return r;
}

static int release(struct partition *p, struct croft_error *err)
{
        life_autoload_release(unit_of(p));
        return books_release(unit_of(p), err);
}

static int adopt(struct partition *p, struct croft_error *err)
{
        (void)err;
        unit_kext_tell(unit_of(p));
        if (p->state != PARTITION_FROZEN)
                life_autoload_begin(unit_of(p));
        return 0;
}

const struct facet facet_kext = {
        .name = "kext",
        .prepare = prepare,
        .start = start,
        .adopt = adopt,
        .release = release,
        .apply = apply,
};
