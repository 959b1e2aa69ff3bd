/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * steps.c - the engine of journaled operations.  See steps.h.
 */
#include "base/steps.h"

#include "base/cleanup.h"

#include <stdint.h>
#include <string.h>

void crash_point(const char *operation, const char *step, const char *suffix)
{
#ifdef CROFT_CRASH_POINTS
        const char *at = getenv("CROFT_CRASH_AT");
        char point[128];

        if (!at)
                return;
        (void)snprintf(point, sizeof(point), "%s.%s%s", operation, step, suffix);
        if (strcmp(at, point) == 0)
                _exit(77); /* as sudden as kill -9: no handler, no flush, no cleanup */
#else
        (void)operation;
        (void)step;
        (void)suffix;
#endif
}

void steps_print_crash_points(const struct operation *op)
{
        for (size_t i = 0; i < op->n_steps; i++)
                printf("%s.%s\n", op->name, op->steps[i].name);
        if (op->n_steps > 0)
                printf("%s.%s.done\n", op->name, op->steps[op->n_steps - 1].name);
}

static int run_step(const struct operation *op, size_t i, void *context, struct croft_error *err)
{
        const struct step *step = &op->steps[i];
        int r;

        crash_point(op->name, step->name, "");
        r = step->act(context, step->arg, err);
        if (r == 0 && i + 1 == op->n_steps) /* between two steps nothing happens: one point does */
                crash_point(op->name, step->name, ".done");
        return r;
}

/* Undoes the steps from..0 backward; each one is tried whatever became of the others.  Returns the first error. */
static int unwind(const struct operation *op, size_t count, void *context, struct croft_error *err)
{
        int first = 0;

        for (size_t i = count; i-- > 0;) {
                const struct step *step = &op->steps[i];
                struct croft_error e = CROFT_ERROR_INIT;
                int r;

                if (!step->undo)
                        continue;
                r = step->undo(context, step->arg, &e);
                if (r < 0 && first == 0) {
                        first = r;
                        croft_error_prefix(&e, "undo '%s' of '%s'", step->name, op->name);
                        croft_error_copy(err, &e);
                }
        }
        return first;
}

static int run_undoable(
        const struct operation *op, void *context, const struct steps_journal *j, struct croft_error *err)
{
        struct croft_error undo_error = CROFT_ERROR_INIT;
        size_t i = 0;
        int r = 0;

        while (i < op->n_steps && r == 0)
                r = run_step(op, i++, context, err);
        /* Without the record of its end the next croftd would undo the operation: better now, while somebody is told.
         */
        if (r == 0)
                r = j->end(j->journal, err);
        if (r == 0)
                return 0;
        if (unwind(op, i, context, &undo_error) < 0) {
                char line[CROFT_ERROR_TEXT_MAX];

                croft_error_prefix(err, "(to take it back failed too, the next start of croftd tries again: %s)",
                        croft_error_line(&undo_error, line, sizeof(line)));
                return r;
        }
        (void)j->end(j->journal, NULL); /* a record too many is undone again, which does nothing */
        return r;
}

/* All steps are tried, the first error is told.  A recovery runs all of them again: one that failed may stand before
 * one that is done. */
static int run_finishing(
        const struct operation *op, void *context, const struct steps_journal *j, struct croft_error *err)
{
        int first = 0;

        for (size_t i = 0; i < op->n_steps; i++) {
                struct croft_error e = CROFT_ERROR_INIT;
                int r = run_step(op, i, context, &e);

                if (r < 0 && first == 0) {
                        first = r;
                        croft_error_copy(err, &e);
                }
        }
        return first < 0 ? first : j->end(j->journal, err);
}

int steps_run(const struct operation *op, void *context, const struct steps_journal *journal, struct croft_error *err)
{
        int r = journal->begin(journal->journal, op->name, err);

        if (r < 0)
                return r;
        if (op->policy == STEPS_UNDO)
                return run_undoable(op, context, journal, err);
        return run_finishing(op, context, journal, err);
}

int steps_recover(
        const struct operation *op, void *context, const struct steps_journal *journal, struct croft_error *err)
{
        int r;

        if (op->policy == STEPS_FINISH)
                return run_finishing(op, context, journal, err);
        r = unwind(op, op->n_steps, context, err);
        return r < 0 ? r : journal->end(journal->journal, err);
}

static int begin_nothing(void *journal, const char *operation, struct croft_error *err)
{
        (void)journal, (void)operation, (void)err;
        return 0;
}

static int end_nothing(void *journal, struct croft_error *err)
{
        (void)journal, (void)err;
        return 0;
}

const struct steps_journal steps_no_journal = {.begin = begin_nothing, .end = end_nothing};
