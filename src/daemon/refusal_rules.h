/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * refusal_rules.h - how much of global's record of errors what is refused to partitions may take: a partition asks as
 * often as it likes, and that record has room for 96 messages, for all partitions and for global itself.  Pure.
 */
#ifndef CROFT_DAEMON_REFUSAL_RULES_H
#define CROFT_DAEMON_REFUSAL_RULES_H

#include <stdint.h>

/* Each is of two messages, as a rule. */
#define REFUSALS_MAX 12     /* of one partition, until the record is cleared */
#define REFUSALS_ALL_MAX 32 /* of all together: the rest is global's own */

/* Of all partitions. */
struct refusals_all {
        uint64_t cleared; /* how often the record was */
        unsigned int n;   /* that are in it */
};

/* Of one. */
struct refusals_own {
        uint64_t cleared; /* what it has counted is of before another clearing than this one */
        unsigned int n;
        uint64_t told[REFUSALS_MAX]; /* hashes of those that are in it */
};

enum refusal {
        REFUSAL_TELL,
        REFUSAL_TELL_END, /* not this one, but that there are more */
        REFUSAL_QUIET,    /* it is there already, or there is no more room for it */
};

/* line: what is to be put on record, as people read it; if that is the answer, it counts as told. */
enum refusal refusal_judge(struct refusals_all *all, struct refusals_own *own, const char *line);
/* The record is empty. */
void refusals_clear(struct refusals_all *all);

#endif
