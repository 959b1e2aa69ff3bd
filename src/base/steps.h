/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * steps.h - operations of several steps that survive the death of the process that runs them (requirement C-9).
 *
 * Before the first step the intent of all of them is written to the journal, and after the last one that they are done.
 * When a step fails, the done ones are undone backward and the operation ends as if it had not been asked for.  When
 * the process dies, the next one reads the journal and calls steps_recover(): by the operation's policy it is undone
 * (create, start) or finished (stop, remove), whole.  Therefore act and undo must both be idempotent, and undo must
 * cope with an act that stopped halfway or never began; then how far it had come needs no record.
 */
#ifndef CROFT_BASE_STEPS_H
#define CROFT_BASE_STEPS_H

#include <croft/error.h>
#include <stdbool.h>
#include <stddef.h>

struct step {
        const char *name; /* "cgroup": the crash point is "<operation>.cgroup" */
        const void *arg;  /* handed to act and undo */
        int (*act)(void *context, const void *arg, struct croft_error *err);
        int (*undo)(void *context, const void *arg, struct croft_error *err); /* NULL: nothing to undo */
};

enum steps_policy {
        STEPS_UNDO,   /* what was interrupted is taken back */
        STEPS_FINISH, /* what was interrupted is carried on; a failing step doesn't keep the later ones from being tried
 */
};

/* Where records go: each is durable when its function returns. */
struct steps_journal {
        int (*begin)(void *journal, const char *operation, struct croft_error *err);
        int (*end)(void *journal, struct croft_error *err); /* the operation is over, its records go */
        void *journal;
};

/* Records nothing: for operations whose files and rows say themselves what was begun. */
extern const struct steps_journal steps_no_journal;

struct operation {
        const char *name;
        enum steps_policy policy;
        const struct step *steps;
        size_t n_steps;
};

/* Runs the operation from its first step.  STEPS_UNDO: on failure unwinds and returns the first error; faults while
 * unwinding are added in front and leave the operation in the journal, for the next recovery; a failing end() unwinds
 * too.  STEPS_FINISH: tries all steps, returns the first error; then too the operation stays in the journal. */
int steps_run(const struct operation *op, void *context, const struct steps_journal *journal, struct croft_error *err);

/* Settles an operation that a dead process left. */
int steps_recover(
        const struct operation *op, void *context, const struct steps_journal *journal, struct croft_error *err);

/* Aborts the process when CROFT_CRASH_AT names this point: "operation.step" (before the act) or,
 * of the last one, "operation.step.done" (after it).  Does nothing in a release build (C-10). */
void crash_point(const char *operation, const char *step, const char *suffix);

/* Prints every crash point of the operation, a line each. */
void steps_print_crash_points(const struct operation *op);

#endif
