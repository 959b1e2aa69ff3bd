/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * books.c - what follows from the books.  Pure; see books.h.
 */
#include "kext/books.h"

#include "base/cleanup.h"

#include <errno.h>
#include <string.h>

const char *kext_loaded_state_name(enum kext_loaded_state state)
{
        static const char *const names[] = {
                [KEXT_LOADING] = "LOADING", [KEXT_LOADED] = "LOADED", [KEXT_PENDING] = "PENDING_UNLOAD"};

        return (size_t)state < ELEMENTS(names) && names[state] ? names[state] : "UNKNOWN";
}

const char *kext_via_name(enum kext_via via)
{
        static const char *const names[] = {[KEXT_VIA_CALL] = "call",
                [KEXT_VIA_COMMAND] = "command",
                [KEXT_VIA_DEPENDENCY] = "dependency",
                [KEXT_VIA_REQUEST] = "request"};

        return (size_t)via < ELEMENTS(names) && names[via] ? names[via] : "unknown";
}

void kext_books_done(struct kext_books *books)
{
        free(books->loaded);
        free(books->holders);
        *books = (struct kext_books){.n_loaded = 0};
}

const struct kext_loaded *kext_books_loaded(const struct kext_books *books, const char *name, uint64_t partition)
{
        for (size_t i = 0; i < books->n_loaded; i++) {
                const struct kext_loaded *l = &books->loaded[i];

                if (strcmp(l->name, name) == 0 && (l->partition == 0 || l->partition == partition))
                        return l;
        }
        return NULL;
}

const struct kext_holder *kext_books_holder(const struct kext_books *books, uint64_t partition, const char *name)
{
        for (size_t i = 0; i < books->n_holders; i++)
                if (books->holders[i].partition == partition && strcmp(books->holders[i].name, name) == 0)
                        return &books->holders[i];
        return NULL;
}

uint32_t kext_books_total(const struct kext_books *books, const char *name)
{
        uint32_t total = 0;

        for (size_t i = 0; i < books->n_holders; i++)
                total += !books->holders[i].lost && strcmp(books->holders[i].name, name) == 0;
        return total;
}

const char *kext_books_state_name(const struct kext_loaded *loaded, const struct kext_holder *holder)
{
        if (holder && holder->lost)
                return "LOST";
        return kext_loaded_state_name(loaded ? loaded->state : KEXT_LOADED);
}

uint64_t kext_books_alone(const struct kext_books *books, const char *name)
{
        for (size_t i = 0; i < books->n_holders; i++)
                if (books->holders[i].local && !books->holders[i].lost && strcmp(books->holders[i].name, name) == 0)
                        return books->holders[i].partition;
        return 0;
}

/* One for itself alone leaves no room for another, nor does it come where another is. */
static bool is_taken(const struct kext_books *books, const struct kext_holder *wanted)
{
        for (size_t i = 0; i < books->n_holders; i++) {
                const struct kext_holder *h = &books->holders[i];

                if (h->partition != wanted->partition && !h->lost && strcmp(h->name, wanted->name) == 0 &&
                        (h->local || wanted->local))
                        return true;
        }
        return false;
}

/* What other partitions have of it is no matter. */
static int judge_instance(const struct kext_holder *own, const struct kext_holder *wanted, bool there)
{
        if (!there || !own || own->lost)
                return KEXT_LOAD_REALLY;
        return strcmp(own->sha256, wanted->sha256) == 0 ? KEXT_LOAD_COUNT : -EBUSY;
}

int kext_books_judge(const struct kext_books *books, const struct kext_holder *wanted, enum kext_kind kind, bool there)
{
        const struct kext_loaded *loaded = kext_books_loaded(books, wanted->name, wanted->partition);
        const struct kext_holder *own = kext_books_holder(books, wanted->partition, wanted->name);

        if (kind == KEXT_BPF)
                return judge_instance(own, wanted, there);
        if (is_taken(books, wanted))
                return -EBUSY;
        if (!there)
                return KEXT_LOAD_REALLY;
        if (!loaded)
                return wanted->local ? -EBUSY : KEXT_LOAD_ADOPT;
        if (strcmp(loaded->sha256, wanted->sha256) != 0 || (wanted->local && loaded->baseline))
                return -EBUSY;
        return own && !own->lost ? KEXT_LOAD_COUNT : KEXT_LOAD_JOIN;
}

static bool names_it(const char *depends, const char *name)
{
        char other[KEXT_NAME_MAX + 1];

        while (kext_depends_next(&depends, other))
                if (strcmp(other, name) == 0)
                        return true;
        return false;
}

uint32_t kext_books_users(const struct kext_books *books, uint64_t partition, const char *name,
        const char *(*depends)(void *context, const char *sha256), void *context)
{
        uint32_t users = 0;

        for (size_t i = 0; i < books->n_holders; i++) {
                const struct kext_holder *h = &books->holders[i];
                bool other = h->partition == partition && !h->lost && strcmp(h->name, name) != 0;
                const char *needs = other ? depends(context, h->sha256) : NULL;

                users += needs && names_it(needs, name);
        }
        return users;
}

int kext_rate_note(struct kext_rate *rate, int64_t now)
{
        if (now < rate->since || now - rate->since >= KEXT_LOADS_S)
                *rate = (struct kext_rate){.since = now};
        if (rate->n >= KEXT_LOADS_MAX)
                return -EAGAIN;
        return ++rate->n == KEXT_LOADS_MANY;
}
