/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * life_books.c - see life_books.h.
 *
 * A load is an intent (LOADING), then the kernel, then the record: holder and LOADED at one instant.  Whoever finds an
 * intent without a record takes it back: nobody was told of success.  An unload is the record first: the holder goes
 * and, with the last one, what is in the kernel is PENDING at the same instant; then the kernel, as often as it takes.
 * So at any instant the books say what is to be done, and need no journal beside them.
 *
 * How long a module takes to begin and to end is its own to say, so books_lock isn't held meanwhile: who wants the same
 * one waits for the end of that.  What was decided before is decided anew.
 */
#include "daemon/life_books.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "daemon/life_books_kernel.h"
#include "daemon/life_books_load.h"
#include "kernel/module.h"

#include <string.h>
#include <time.h>

#define RETRY_S 2
#define PATIENCE_S 10 /* for a module that is being loaded or unloaded for another partition */
#define DEPTH_MAX 16  /* a newer generation may need what needs it */
#define GONE "it isn't in the kernel any more"

/* --- what is to go --- */

/* It may have been found by somebody meanwhile, or be taken out by another thread. */
static bool is_to_go(struct life *life, const struct kext_loaded *l)
{
        _cleanup_(kext_books_done) struct kext_books books = {.n_loaded = 0};
        const struct kext_loaded *now;

        if (l->state != KEXT_PENDING || books_kernel_is_at(life, l->name, NULL) ||
                store_books(life->store, &books, NULL) < 0)
                return false;
        now = kext_books_loaded(&books, l->name, l->partition);
        return now && now->state == KEXT_PENDING;
}

/* Of rows that are PENDING: one after the other, until no more go; those that others need go behind these. */
static size_t take_out_pending(struct life *life)
{
        bool went = true;
        size_t left = 0;

        while (went) {
                _cleanup_(kext_books_done) struct kext_books books = {.n_loaded = 0};

                went = false;
                left = 0;
                if (store_books(life->store, &books, NULL) < 0)
                        return 1;
                for (size_t i = 0; i < books.n_loaded; i++) {
                        const struct kext_loaded *l = &books.loaded[i];
                        int r = is_to_go(life, l) ? books_kernel_unload(life, l) : 1;

                        left += r > 0 && books_kernel_is_at(life, l->name, NULL); /* another thread's */

                        if (r == 0 || r == -ENOENT)
                                went |= store_books_change(
                                                life->store, &(struct store_book_change){.unloaded = l}, NULL) == 0;
                        else if (r < 0)
                                left++;
                }
        }
        return left;
}

/* --- load --- */

/* Too often is a way to fill the kernel's memory with what modules leave behind (KXT-38). */
static int check_rate(struct unit *u, const char *name, struct croft_error *err)
{
        int r = kext_rate_note(&u->loads, (int64_t)time(NULL));
        char text[KEXT_NAME_MAX + 128];

        if (r < 0)
                return croft_error_set(err, r, "'%s' had extensions loaded more than %d times in %d s.", u->p.def.name,
                        KEXT_LOADS_MAX, KEXT_LOADS_S);
        if (r == 0)
                return 0;
        (void)snprintf(text, sizeof(text), "it has had extensions loaded %d times within %d s, the last one '%s'",
                KEXT_LOADS_MANY, KEXT_LOADS_S, name);
        errors_note_partition(&u->p, text);
        return 0;
}

static int really(struct loading *l, struct croft_error *err)
{
        const struct kext_identity *identity = &l->wish->record->identity;
        _cleanup_close_ int bytes = -EBADF;
        struct life *life = l->u->life;
        int r;

        if (l->loaded.partition > 0) {
                if (l->programs->n == 0) /* it had it when that was to be known */
                        return croft_error_set(err, EAGAIN, "it went meanwhile.");
                return books_load_run(l, err);
        }
        r = check_rate(l->u, l->loaded.name, err);
        if (r < 0)
                return r;
        bytes = kext_copy_get(
                life->host->state_dir, identity->plain[0] ? identity->plain : identity->sha256, l->wish->bytes, err);
        if (bytes < 0)
                return bytes;
        l->bytes = bytes;
        r = books_load_run(l, err);
        (void)pthread_cond_broadcast(&life->books_turned);
        return r;
}

/* Is the kernel at this one, for whomever that is?  What takes majors is loaded one after the other: else nobody could
 * say whose they are. */
static bool is_at(const struct life *life, const struct kext_identity *wanted, const struct kext_books *books)
{
        return books_kernel_is_at(life, wanted->name, kext_books_loaded(books, wanted->name, 0)) ||
               (wanted->takes_major && life->books_majors);
}

/* Until it isn't; ret: what the books say then. */
static int wait_for_other(
        struct life *life, const struct kext_identity *wanted, struct kext_books *ret, struct croft_error *err)
{
        struct timespec until;

        (void)clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += PATIENCE_S;
        for (;;) {
                int r = store_books(life->store, ret, err);

                if (r < 0 || !is_at(life, wanted, ret))
                        return r;
                kext_books_done(ret);
                if (pthread_cond_clockwait(&life->books_turned, &life->books_lock, CLOCK_MONOTONIC, &until) == 0)
                        continue;
                if (wanted->takes_major && life->books_majors)
                        return croft_error_set(err, EBUSY, "another one that takes majors is just being loaded.");
                return croft_error_set(err, EBUSY, "'%s' is just being loaded, or unloaded.", wanted->name);
        }
}

/* Nothing happens in the kernel. */
static int note_holder(struct loading *l, const struct kext_loaded *loaded, struct croft_error *err)
{
        l->loaded = *loaded;
        l->loaded.state = KEXT_LOADED;
        return store_books_change(
                l->u->life->store, &(struct store_book_change){.loaded = &l->loaded, .holder = &l->holder}, err);
}

static int count_again(struct loading *l, const struct kext_holder *own, struct croft_error *err)
{
        bool dependency = own->count == 0; /* it is its own from now on */

        l->holder = *own;
        if (l->wish->via == KEXT_VIA_DEPENDENCY || l->wish->via == KEXT_VIA_REQUEST)
                return 0;
        if (l->wish->via == KEXT_VIA_CALL && !dependency)
                return croft_error_set(err, EEXIST, "'%s' has it already.", l->u->p.def.name);
        l->holder.count++;
        if (dependency)
                l->holder.via = l->wish->via;
        return store_books_change(l->u->life->store, &(struct store_book_change){.holder = &l->holder}, err);
}

/* Who has it, for global. */
static void name_holders(struct life *life, const struct kext_books *books, const char *name, char *buf, size_t size)
{
        size_t used = 0;

        buf[0] = '\0';
        for (size_t i = 0; i < books->n_holders && used < size; i++) {
                const struct kext_holder *h = &books->holders[i];
                char holder[NAME_LENGTH_MAX + 1];

                if (strcmp(h->name, name) == 0 && !h->lost && life_partition_name(life, h->partition, holder))
                        used += (size_t)snprintf(buf + used, size - used, "%s'%s'", used ? ", " : "", holder);
        }
        if (used == 0)
                (void)snprintf(buf, size, "global");
}

static int refuse_busy(struct loading *l, const struct kext_books *books, struct croft_error *err)
{
        const char *name = l->holder.name;
        const struct kext_loaded *loaded = kext_books_loaded(books, name, l->holder.partition);
        char holders[256];

        if (l->loaded.partition > 0)
                return croft_error_set(err, EBUSY, "'%s' has another generation of '%s'.", l->u->p.def.name, name);
        if (!loaded && !books_kernel_is_same(&l->wish->record->identity))
                return croft_error_set(
                        err, EBUSY, "another build of '%s' is in the kernel, which no partition has loaded.", name);
        if (loaded && loaded->state == KEXT_PENDING && strcmp(loaded->sha256, l->holder.sha256) != 0)
                return croft_error_set(
                        err, EBUSY, "another generation of '%s' is in the kernel until nobody uses it any more.", name);
        name_holders(l->u->life, books, name, holders, sizeof(holders));
        if (loaded && strcmp(loaded->sha256, l->holder.sha256) != 0)
                return croft_error_set(
                        err, EBUSY, "another generation of '%s' is in the kernel, held by %s.", name, holders);
        return croft_error_set(err, EBUSY, "'%s' is held by %s, and one of them is to have it alone.", name, holders);
}

/* What its row said of its holders is over: it went without us. */
static int lose(struct life *life, const struct kext_books *books, const struct kext_loaded *l, const char *why)
{
        char text[KEXT_NAME_MAX + 128];
        int r = l->partition > 0 ? books_kernel_unload(life, l) : 0; /* half of it may be there */

        (void)snprintf(text, sizeof(text), "extension '%s' is lost: %s", l->name, why);
        for (size_t i = 0; r == 0 && i < books->n_holders; i++) {
                struct kext_holder h = books->holders[i];
                _cleanup_(unit_unrefp) struct unit *u = NULL;

                if (h.lost || strcmp(h.name, l->name) != 0 || (l->partition > 0 && h.partition != l->partition))
                        continue;
                h.lost = true;
                r = store_books_change(life->store, &(struct store_book_change){.holder = &h}, NULL);
                u = life_find_id(life, h.partition);
                if (u && r == 0) {
                        errors_note_partition(&u->p, text);
                        unit_kext_tell(u);
                }
        }
        return r == 0 ? store_books_change(life->store, &(struct store_book_change){.unloaded = l}, NULL) : r;
}

/* Somebody in global may have taken out what the books have: nobody tells.  name: NULL for all. */
static int notice_lost(struct life *life, const char *name, struct croft_error *err)
{
        _cleanup_(kext_books_done) struct kext_books books = {.n_loaded = 0};
        int r = store_books(life->store, &books, err);

        for (size_t i = 0; r == 0 && i < books.n_loaded; i++) {
                const struct kext_loaded *l = &books.loaded[i];

                if ((name && strcmp(l->name, name) != 0) || l->state != KEXT_LOADED ||
                        books_kernel_is_at(life, l->name, l) || books_kernel_has(life, l))
                        continue;
                r = lose(life, &books, l, GONE);
                if (r < 0)
                        croft_error_set(err, r, "write the books");
        }
        return r;
}

static int load_needed(struct unit *u, const struct book_wish *wish, struct croft_error *err);

static struct loading begin_loading(struct unit *u, const struct book_wish *wish, const struct bpf_programs *programs)
{
        const struct kext_identity *identity = &wish->record->identity;
        const bool is_instance = identity->kind == KEXT_BPF;
        struct loading l = {.u = u, .wish = wish, .programs = programs};

        l.holder = (struct kext_holder){.partition = u->p.def.id,
                .count = wish->via != KEXT_VIA_DEPENDENCY,
                .local = wish->grant->local || is_instance,
                .via = wish->via,
                .since = (int64_t)time(NULL)};
        l.loaded = (struct kext_loaded){.partition = is_instance ? u->p.def.id : 0, .since = l.holder.since};
        (void)str_copy(l.holder.name, sizeof(l.holder.name), identity->name);
        (void)str_copy(l.holder.sha256, sizeof(l.holder.sha256), identity->sha256);
        (void)str_copy(l.loaded.name, sizeof(l.loaded.name), identity->name);
        (void)str_copy(l.loaded.sha256, sizeof(l.loaded.sha256), identity->sha256);
        return l;
}

/* books_lock is held, as in all that follow. */
static int load(
        struct unit *u, const struct book_wish *wish, const struct bpf_programs *programs, struct croft_error *err)
{
        const struct kext_identity *identity = &wish->record->identity;
        _cleanup_(kext_books_done) struct kext_books books = {.n_loaded = 0};
        struct loading l = begin_loading(u, wish, programs);
        const struct kext_loaded *loaded;
        uint64_t loads;
        bool there;
        int r = wait_for_other(u->life, identity, &books, err);

        if (r < 0)
                return r;
        loads = u->life->books_loads;
        loaded = kext_books_loaded(&books, identity->name, u->p.def.id);
        there = books_kernel_has(u->life, loaded ? loaded : &l.loaded);
        if (loaded && !there) {
                r = lose(u->life, &books, loaded, GONE);
                return r < 0 ? croft_error_set(err, r, "write the books") : load(u, wish, programs, err);
        }
        r = kext_books_judge(&books, &l.holder, identity->kind, there);
        if (r == KEXT_LOAD_COUNT)
                return count_again(&l, kext_books_holder(&books, u->p.def.id, identity->name), err);
        if (r == -EBUSY || (r == KEXT_LOAD_ADOPT && !books_kernel_is_same(identity)))
                return refuse_busy(&l, &books, err);
        if (r == KEXT_LOAD_ADOPT)
                l.loaded.baseline = true;
        if (load_needed(u, wish, err) < 0)
                return err->code ? -err->code : -EIO;
        if (loads != u->life->books_loads) /* others were served meanwhile */
                return load(u, wish, programs, err);
        if (r != KEXT_LOAD_REALLY)
                return note_holder(&l, loaded ? loaded : &l.loaded, err);
        r = really(&l, err);
        if (r != -EEXIST || !books_kernel_has(u->life, &l.loaded))
                return r;
        croft_error_clear(err); /* global was faster */
        return load(u, wish, programs, err);
}

/* For the same kernel. */
static int find_needed(struct life *life, const struct kext_record *by, const char *name, struct kext_record *ret,
        struct croft_error *err)
{
        _cleanup_(life_kexts_done) struct life_kexts all = {.n = 0};
        const struct kext_record *found;
        int r = store_extensions(life->store, &all.list, &all.n, err);

        if (r < 0)
                return r;
        found = life_kexts_current(&all, name, by->identity.vermagic);
        if (!found || found->identity.kind != KEXT_KO)
                return croft_error_set(err, ENOENT, "'%s' needs '%s', which isn't registered, or not current any more.",
                        by->identity.name, name);
        *ret = *found;
        return 0;
}

/* Each is an entry of its own, held because of this one (KXT-29); what is part of the kernel's image is nobody's. */
static int load_needed(struct unit *u, const struct book_wish *wish, struct croft_error *err)
{
        const char *at = wish->record->identity.depends;
        char name[KEXT_NAME_MAX + 1];

        if (wish->depth == DEPTH_MAX)
                return croft_error_set(err, ELOOP, "extensions need one another more than %d deep.", DEPTH_MAX);
        while (kext_depends_next(&at, name)) {
                struct kext_record record;
                const struct kext_grant grant = {.major = wish->grant->major};
                const struct book_wish needed = {.record = &record,
                        .grant = &grant,
                        .parameters = "",
                        .via = KEXT_VIA_DEPENDENCY,
                        .depth = wish->depth + 1};
                int r = module_find(name) == MODULE_BUILT_IN ? 1
                                                             : find_needed(u->life, wish->record, name, &record, err);

                if (r == 0)
                        r = kext_judge_major(&record, grant.major, u->p.def.name, err);
                if (r == 0)
                        r = load(u, &needed, NULL, err); /* what modules need are modules */
                if (r < 0) {
                        croft_error_prefix(err, "load what '%s' needs", wish->record->identity.name);
                        return r;
                }
        }
        return 0;
}

/* --- unload --- */

struct unloading {
        struct life *life;
        struct kext_holder holder;
        struct kext_loaded loaded;
        bool last;
};

static int record_unload(void *context, const void *arg, struct croft_error *err)
{
        struct unloading *n = context;
        struct store_book_change change = {.gone = &n->holder};

        (void)arg;
        n->loaded.state = KEXT_PENDING;
        if (n->last && n->loaded.baseline)
                change.unloaded = &n->loaded;
        else if (n->last)
                change.loaded = &n->loaded;
        return store_books_change(n->life->store, &change, err);
}

static int unload_pending(void *context, const void *arg, struct croft_error *err)
{
        struct unloading *n = context;

        (void)arg;
        (void)err;
        if (n->last && !n->loaded.baseline && take_out_pending(n->life) > 0)
                (void)pthread_cond_signal(&n->life->books_wanted);
        return 0;
}

static const struct step unload_steps[] = {
        {.name = "record", .act = record_unload},
        {.name = "kernel", .act = unload_pending},
};
static const struct operation op_unload = {
        .name = "extension-unload", .policy = STEPS_FINISH, .steps = unload_steps, .n_steps = ELEMENTS(unload_steps)};

static int drop(struct life *life, const struct kext_books *books, const struct kext_holder *h, struct croft_error *err)
{
        const struct kext_loaded *loaded = kext_books_loaded(books, h->name, h->partition);
        struct unloading n = {.life = life, .holder = *h};

        if (loaded && !h->lost) {
                n.loaded = *loaded;
                n.last = loaded->partition > 0 || kext_books_total(books, h->name) == 1;
        }
        return steps_run(&op_unload, &n, &steps_no_journal, err);
}

static const char *depends_of(void *context, const char *sha256)
{
        static _Thread_local struct kext_record record;
        struct life *life = context;

        return store_extension_find(life->store, sha256, &record, NULL) == 0 ? record.identity.depends : NULL;
}

/* What it has because of others only, which it has no more; one at a time, since what goes may have needed another. */
static int trim(struct life *life, uint64_t partition, struct croft_error *err)
{
        for (;;) {
                _cleanup_(kext_books_done) struct kext_books books = {.n_loaded = 0};
                const struct kext_holder *found = NULL;
                int r = store_books(life->store, &books, err);

                for (size_t i = 0; r == 0 && !found && i < books.n_holders; i++) {
                        const struct kext_holder *h = &books.holders[i];

                        if (h->partition == partition && h->count == 0 &&
                                kext_books_users(&books, partition, h->name, depends_of, life) == 0)
                                found = h;
                }
                if (r < 0 || !found)
                        return r;
                r = drop(life, &books, found, err);
                if (r < 0)
                        return r;
        }
}

static int unload(struct unit *u, const char *name, enum kext_via via, struct croft_error *err)
{
        _cleanup_(kext_books_done) struct kext_books books = {.n_loaded = 0};
        const struct kext_holder *own;
        int r = notice_lost(u->life, name, err);

        if (r == 0)
                r = store_books(u->life->store, &books, err);
        if (r < 0)
                return r;
        own = kext_books_holder(&books, u->p.def.id, name);
        if (!own)
                return croft_error_set(err, ENOENT, "'%s' holds no extension '%s'.", u->p.def.name, name);
        if (!own->lost && (own->count == 0 || kext_books_users(&books, u->p.def.id, name, depends_of, u->life)))
                return croft_error_set(err, EAGAIN, "others that '%s' holds need '%s'.", u->p.def.name, name);
        if (via == KEXT_VIA_COMMAND && own->count > 1 && !own->lost) {
                struct kext_holder less = *own;

                less.count--;
                return store_books_change(u->life->store, &(struct store_book_change){.holder = &less}, err);
        }
        r = drop(u->life, &books, own, err);
        if (r == 0 && own->lost)
                return croft_error_set(err, ENOENT, "'%s' had lost the extension '%s'.", u->p.def.name, name);
        return r == 0 ? trim(u->life, u->p.def.id, err) : r;
}

/* --- for others: these take the lock --- */

/* An instance of a BPF object may be of another generation. */
bool books_holds(struct unit *u, const char *name)
{
        _cleanup_(kext_books_done) struct kext_books books = {.n_loaded = 0};
        const struct kext_holder *own = NULL;
        const struct kext_loaded *l = NULL;
        bool holds = false;

        (void)pthread_mutex_lock(&u->life->books_lock);
        if (store_books(u->life->store, &books, NULL) == 0) {
                l = kext_books_loaded(&books, name, u->p.def.id);
                own = kext_books_holder(&books, u->p.def.id, name);
        }
        if (l && own && !own->lost)
                holds = books_kernel_has(u->life, l);
        (void)pthread_mutex_unlock(&u->life->books_lock);
        return holds;
}

/* The kernel takes its time to verify an object, and nobody else needs to wait for that. */
static int verify(struct unit *u, const struct book_wish *wish, struct bpf_programs *programs, struct croft_error *err)
{
        const struct kext_identity *identity = &wish->record->identity;
        const struct host *host = u->life->host;
        _cleanup_(bpf_payers_done) struct bpf_payers payers = {.n = 0};
        _cleanup_close_ int bytes = -EBADF;
        int r;

        if (!host->plane) {
                croft_error_copy(err, &host->lacks[HOST_PLANE]);
                return -host->lacks[HOST_PLANE].code;
        }
        if (books_holds(u, identity->name))
                return 0;
        if (u->p.state == PARTITION_FROZEN) /* and so would be who has it verified, in its control groups */
                return croft_error_set(
                        err, EBUSY, "'%s' is frozen; `croft thaw %s` lets it go on.", u->p.def.name, u->p.def.name);
        r = check_rate(u, identity->name, err);
        if (r < 0)
                return r;
        bytes = kext_copy_get(host->state_dir, identity->sha256, wish->bytes, err);
        r = bytes < 0 ? bytes : books_kernel_payers(u, &payers, err);
        return r < 0 ? r : bpf_verify(host->kext_path, bytes, identity->name, &payers, programs, err);
}

int books_load(struct unit *u, const struct book_wish *wish, struct croft_error *err)
{
        struct croft_error own = CROFT_ERROR_INIT;
        struct bpf_programs programs = {.n = 0};
        int r = wish->record->identity.kind == KEXT_BPF ? verify(u, wish, &programs, err) : 0;

        if (r < 0)
                return r;
        (void)pthread_mutex_lock(&u->life->books_lock);
        r = load(u, wish, &programs, &own);
        if (r < 0)
                (void)trim(u->life, u->p.def.id, NULL); /* what it would have needed */
        (void)pthread_mutex_unlock(&u->life->books_lock);
        bpf_programs_done(&programs);
        return r < 0 ? croft_error_copy(err, &own) : 0;
}

int books_unload(struct unit *u, const char *name, enum kext_via via, struct croft_error *err)
{
        int r;

        (void)pthread_mutex_lock(&u->life->books_lock);
        r = unload(u, name, via, err);
        (void)pthread_mutex_unlock(&u->life->books_lock);
        return r;
}

static int release(struct life *life, uint64_t partition, struct croft_error *err)
{
        for (;;) {
                _cleanup_(kext_books_done) struct kext_books books = {.n_loaded = 0};
                const struct kext_holder *found = NULL;
                int r = store_books(life->store, &books, err);

                for (size_t i = 0; !found && i < books.n_holders; i++)
                        if (books.holders[i].partition == partition)
                                found = &books.holders[i];
                if (r < 0 || !found)
                        return r;
                r = drop(life, &books, found, err);
                if (r < 0)
                        return r;
        }
}

int books_release(struct unit *u, struct croft_error *err)
{
        int r;

        (void)pthread_mutex_lock(&u->life->books_lock);
        r = release(u->life, u->p.def.id, err);
        (void)pthread_mutex_unlock(&u->life->books_lock);
        return r;
}

bool books_keep_from(struct partition *p, uint32_t type, uint32_t major)
{
        _cleanup_(kext_books_done) struct kext_books books = {.n_loaded = 0};

        if (store_books(unit_of(p)->life->store, &books, NULL) < 0)
                return true;
        for (size_t i = 0; i < books.n_loaded; i++) {
                uint64_t alone = kext_books_alone(&books, books.loaded[i].name);

                if (alone > 0 && alone != p->def.id && devid_majors_lists(books.loaded[i].majors, type, major))
                        return true;
        }
        return false;
}

int books_read(struct life *life, struct kext_books *ret, struct croft_error *err)
{
        int r;

        (void)pthread_mutex_lock(&life->books_lock);
        r = notice_lost(life, NULL, err);
        if (r == 0)
                r = store_books(life->store, ret, err);
        (void)pthread_mutex_unlock(&life->books_lock);
        return r;
}

size_t books_each(struct unit *u, void (*each)(void *context, const struct book_entry *e), void *context)
{
        _cleanup_(kext_books_done) struct kext_books books = {.n_loaded = 0};
        uint64_t id = u->p.def.id;
        size_t n = 0;

        if (store_books(u->life->store, &books, NULL) < 0)
                return 0;
        for (size_t i = 0; i < books.n_holders; i++) {
                const struct kext_holder *h = &books.holders[i];
                const struct kext_loaded *l = kext_books_loaded(&books, h->name, id);

                if (h->partition != id)
                        continue;
                each(context, &(struct book_entry){.holder = h,
                                      .is_bpf = l && l->partition > 0,
                                      .users = kext_books_users(&books, id, h->name, depends_of, u->life)});
                n++;
        }
        return n;
}

/* What it is to go by: a row of it, or, of a module that no partition has had, just its name. */
static int take_out(struct life *life, const struct kext_loaded *l, struct croft_error *err)
{
        struct kext_loaded pending = *l;
        int r = books_kernel_unload(life, l);

        if (r == -EBUSY && l->state) {
                pending.state = KEXT_PENDING;
                (void)store_books_change(life->store, &(struct store_book_change){.loaded = &pending}, NULL);
                (void)pthread_cond_signal(&life->books_wanted);
                return croft_error_set(err, EBUSY, "'%s' is still used; it goes as soon as it isn't.", l->name);
        }
        return r < 0 ? croft_error_set(err, r, "take '%s' out of the kernel", l->name) : 0;
}

/* Its rows: of a module one, of a BPF object one of each partition that has it. */
static int lose_all(struct life *life, const struct kext_books *books, const char *name, struct croft_error *err)
{
        int r = 0;

        for (size_t i = 0; r == 0 && i < books->n_loaded; i++)
                if (strcmp(books->loaded[i].name, name) == 0)
                        r = lose(life, books, &books->loaded[i], "global has taken it away");
        return r < 0 ? croft_error_set(err, r, "write the books") : 0;
}

static int take_away(struct life *life, const char *name, bool force, struct croft_error *err)
{
        _cleanup_(kext_books_done) struct kext_books books = {.n_loaded = 0};
        struct kext_loaded module = {.state = 0};
        const struct kext_loaded *found = NULL;
        char holders[256];
        int r = store_books(life->store, &books, err);

        for (size_t i = 0; r == 0 && !found && i < books.n_loaded; i++)
                if (strcmp(books.loaded[i].name, name) == 0)
                        found = &books.loaded[i];
        if (r < 0)
                return r;
        (void)str_copy(module.name, sizeof(module.name), name);
        if (books_kernel_is_at(life, name, found))
                return croft_error_set(err, EBUSY, "'%s' is just being loaded, or unloaded.", name);
        if (!books_kernel_has(life, found ? found : &module))
                return croft_error_set(err, ENOENT, "the kernel has no extension '%s'.", name);
        name_holders(life, &books, name, holders, sizeof(holders));
        if (kext_books_total(&books, name) > 0 && !force)
                return croft_error_set(err, EBUSY, "'%s' is held by %s.", name, holders);
        if (kext_books_total(&books, name) > 0)
                r = lose_all(life, &books, name, err);
        return r < 0 || (found && found->partition > 0) ? r : take_out(life, found ? found : &module, err);
}

int books_take_away(struct life *life, const char *name, bool force, struct croft_error *err)
{
        int r;

        (void)pthread_mutex_lock(&life->books_lock);
        r = take_away(life, name, force, err);
        (void)pthread_mutex_unlock(&life->books_lock);
        return r;
}

/* --- start --- */

/* Loads that nobody was told of are to go; what has gone by itself is lost. */
static int settle_loaded(struct life *life, const struct kext_books *books, struct croft_error *err)
{
        int r = 0;

        for (size_t i = 0; r == 0 && i < books->n_loaded; i++) {
                struct kext_loaded l = books->loaded[i];

                if (!books_kernel_has(life, &l)) {
                        r = lose(life, books, &l, GONE);
                        continue;
                }
                if (l.state != KEXT_LOADING)
                        continue;
                l.state = KEXT_PENDING;
                r = store_books_change(life->store, &(struct store_book_change){.loaded = &l}, err);
                if (r == 0)
                        log_say(LOG_LEVEL_NOTICE, "an interrupted load of extension '%s' is taken back", l.name);
        }
        return r;
}

static int settle_holders(struct life *life, const struct kext_books *books, struct croft_error *err)
{
        int r = 0;

        for (size_t i = 0; r == 0 && i < books->n_holders; i++) {
                uint64_t id = books->holders[i].partition;
                _cleanup_(unit_unrefp) struct unit *u = life_find_id(life, id);

                if (i > 0 && books->holders[i - 1].partition == id)
                        continue;
                if (!u || u->p.state == PARTITION_DEFINED)
                        r = release(life, id, err);
                else
                        r = trim(life, id, err);
        }
        return r;
}

int books_settle(struct life *life, struct croft_error *err)
{
        _cleanup_(kext_books_done) struct kext_books books = {.n_loaded = 0};
        int r;

        (void)pthread_mutex_lock(&life->books_lock);
        r = store_books(life->store, &books, err);
        if (r == 0) {
                books_kernel_sweep(life, &books);
                r = settle_loaded(life, &books, err);
        }
        if (r == 0)
                r = settle_holders(life, &books, err);
        if (r == 0)
                (void)take_out_pending(life);
        (void)pthread_mutex_unlock(&life->books_lock);
        return r;
}

/* Sleeps until something can't go, and then looks every other second. */
static void *retry(void *context)
{
        struct life *life = context;

        (void)pthread_mutex_lock(&life->books_lock);
        while (!life->books_ending) {
                struct timespec until;

                if (take_out_pending(life) == 0) {
                        (void)pthread_cond_wait(&life->books_wanted, &life->books_lock);
                        continue;
                }
                (void)clock_gettime(CLOCK_MONOTONIC, &until);
                until.tv_sec += RETRY_S;
                (void)pthread_cond_clockwait(&life->books_wanted, &life->books_lock, CLOCK_MONOTONIC, &until);
        }
        (void)pthread_mutex_unlock(&life->books_lock);
        return NULL;
}

void books_watch(struct life *life)
{
        life->follows_books = pthread_create(&life->books_thread, NULL, retry, life) == 0;
        if (!life->follows_books)
                log_say(LOG_LEVEL_WARNING,
                        "no thread can be started: extensions that are in use when they are unloaded stay until the "
                        "next unload");
}

void books_close(struct life *life)
{
        if (!life->follows_books)
                return;
        (void)pthread_mutex_lock(&life->books_lock);
        life->books_ending = true;
        (void)pthread_cond_signal(&life->books_wanted);
        (void)pthread_mutex_unlock(&life->books_lock);
        (void)pthread_join(life->books_thread, NULL);
        life->follows_books = false;
}

void books_print_crash_points(void)
{
        books_load_print_crash_points();
        steps_print_crash_points(&op_unload);
}
