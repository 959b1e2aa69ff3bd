/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * life_books_load.c - the steps of a load.  See life_books_load.h.
 */
#include "daemon/life_books_load.h"

#include "base/cleanup.h"

static int put_intent(void *context, const void *arg, struct croft_error *err)
{
        struct loading *l = context;

        (void)arg;
        l->loaded.state = KEXT_LOADING;
        return store_books_change(l->u->life->store, &(struct store_book_change){.loaded = &l->loaded}, err);
}

static int drop_intent(void *context, const void *arg, struct croft_error *err)
{
        struct loading *l = context;

        (void)arg;
        if (l->loaded.state == KEXT_PENDING) /* it is still there */
                return 0;
        return store_books_change(l->u->life->store, &(struct store_book_change){.unloaded = &l->loaded}, err);
}

static int load_it(void *context, const void *arg, struct croft_error *err)
{
        struct loading *l = context;
        int r;

        (void)arg;
        if (l->loaded.partition > 0)
                r = books_kernel_attach(l->u, l->loaded.name, l->programs, err);
        else if (!l->wish->record->identity.takes_major)
                r = books_kernel_load(l->u, l->bytes, l->wish->parameters, err);
        else
                r = books_kernel_load_with_majors(l->u, l->bytes, l->wish->parameters, &l->majors, err);
        l->is_in = r == 0;
        return r;
}

/* They are the machine's from now on, and nobody is told of success if they were somebody's. */
static int take_majors(void *context, const void *arg, struct croft_error *err)
{
        struct loading *l = context;

        (void)arg;
        return books_kernel_take_majors(l->u->life, &l->majors, l->loaded.majors, err);
}

/* Also when the act has failed: then it isn't there, or isn't ours, which -EEXIST has told.  What somebody uses goes as
 * soon as it isn't used. */
static int unload_it(void *context, const void *arg, struct croft_error *err)
{
        struct loading *l = context;
        int r = l->is_in ? books_kernel_unload(l->u->life, &l->loaded) : 0;

        (void)arg;
        if (r == -EBUSY) {
                l->loaded.state = KEXT_PENDING;
                (void)pthread_cond_signal(&l->u->life->books_wanted);
                return store_books_change(l->u->life->store, &(struct store_book_change){.loaded = &l->loaded}, err);
        }
        return r == 0 || r == -ENOENT ? 0 : croft_error_set(err, r, "take '%s' out of the kernel", l->loaded.name);
}

static int put_record(void *context, const void *arg, struct croft_error *err)
{
        struct loading *l = context;

        (void)arg;
        l->loaded.state = KEXT_LOADED;
        return store_books_change(
                l->u->life->store, &(struct store_book_change){.loaded = &l->loaded, .holder = &l->holder}, err);
}

static const struct step load_steps[] = {
        {.name = "intent", .act = put_intent, .undo = drop_intent},
        {.name = "kernel", .act = load_it, .undo = unload_it},
        {.name = "majors", .act = take_majors},
        {.name = "record", .act = put_record},
};
static const struct operation op_load = {
        .name = "extension-load", .policy = STEPS_UNDO, .steps = load_steps, .n_steps = ELEMENTS(load_steps)};

int books_load_run(struct loading *l, struct croft_error *err)
{
        return steps_run(&op_load, l, &steps_no_journal, err);
}

void books_load_print_crash_points(void)
{
        steps_print_crash_points(&op_load);
}
