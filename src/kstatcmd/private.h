/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * private.h - the parts of kstat(8): patterns and options, what was collected, how it is printed.
 */
#ifndef CROFT_KSTATCMD_PRIVATE_H
#define CROFT_KSTATCMD_PRIVATE_H

#include "kstatcmd/kstatcmd.h"

#include <regex.h>

/* A shell glob, or an extended regular expression between slashes. */
struct pattern {
        const char *glob; /* borrowed; NULL: regex */
        regex_t regex;
};
/* -EINVAL: a regular expression that is none; *err says why.  After success pattern_done() ends it. */
int pattern_init(struct pattern *pattern, const char *text, struct croft_error *err);
void pattern_done(struct pattern *pattern);
bool pattern_fits(const struct pattern *pattern, const char *text);
/* Can it fit only itself? */
bool pattern_is_literal(const struct pattern *pattern);

struct selector {
        struct pattern module, instance, name, statistic;
};

struct options {
        bool parsable, colon, json, names_only, quiet, help;
        char time;              /* 'd', 'u' or 0 */
        const char *class_text; /* of -c */
        const char *partition;  /* of -z */
        const char *verb;       /* "list", "read", "show"; NULL: kstat(8) proper */
        const char *verb_operand;
        struct pattern class;
        struct selector *selectors; /* at least one */
        size_t n_selectors;
        unsigned int interval; /* seconds; 0: once */
        unsigned int count;    /* 0: without end */
};
/* 0, -EINVAL with the reason said (silent in *err for a plain usage error), -ENOMEM.  options_done() in any case. */
int options_parse(struct options *o, const struct kstatcmd *cmd, int argc, char **argv, struct croft_error *err);
void options_done(struct options *o);
void options_usage(const struct kstatcmd *cmd);

/* Structures that were read, sorted by module, instance and name without regard to case. */
struct collection {
        struct croft_stat **stats;
        size_t n, room;
};
/* Reads all, or just those named when nothing but names was given. */
int collect(struct croft_stats *stats, const struct options *o, struct collection *ret, struct croft_error *err);
void collection_done(struct collection *c);

/* Prints what the options choose.  True: something was chosen.  -ENOMEM. */
int print_collection(FILE *out, const struct options *o, const struct collection *c, bool *ret_matched);

/* verbs.c.  Exit status by the classes of croft. */
int verb_run(const struct kstatcmd *cmd, struct croft_stats *stats, const struct options *o, struct croft_error *err);

#endif
