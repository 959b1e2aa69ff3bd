/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * kstatcmd.h - the program kstat(8), which is also "croft kstat", and alone and static inside every partition.
 */
#ifndef CROFT_KSTATCMD_KSTATCMD_H
#define CROFT_KSTATCMD_KSTATCMD_H

#include <croft/stats.h>
#include <stdbool.h>
#include <stdio.h>

/* Exit status, as illumos has it. */
enum kstatcmd_exit { KSTATCMD_MATCH = 0, KSTATCMD_NO_MATCH = 1, KSTATCMD_USAGE = 2, KSTATCMD_FATAL = 3 };

/* What it runs in. */
struct kstatcmd {
        const char *name; /* in messages: "kstat" */
        bool verbs;       /* takes list, read and show, too */
        FILE *out, *error;
        /* The id of the partition with that name; NULL: names can't be resolved here. */
        int (*resolve)(void *context, const char *name, uint64_t *ret, struct croft_error *err);
        /* Waits until the next round; NULL: by the clock.  Tests have no time. */
        void (*wait)(void *context, unsigned int seconds);
        void *context;
};

/* argv[0] is passed over.  Returns the exit status. */
int kstatcmd_run(const struct kstatcmd *cmd, int argc, char **argv);

#endif
