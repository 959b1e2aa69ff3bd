/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * view_kit.h - a made-up host with four CPUs in two packages and 16 GiB, and a sample of a partition on it.
 */
#ifndef CROFT_TESTS_VIEW_KIT_H
#define CROFT_TESTS_VIEW_KIT_H

#include "base/cleanup.h"
#include "kstat/view_private.h"

#define SEC NSEC_PER_SEC
#define MIB (1024ULL * 1024)
#define GIB (1024 * MIB)

/* The encoded facts of that host; the caller ends the writer. */
void kit_facts(struct wire_writer *w);

struct kit {
        struct wire_writer w;
        struct view_facts *facts;
        struct view *view;
        struct kstat_sample
                sample;   /* 1,000 s after the start; CPUs 1 and 2, 3 is offline; 2 GiB, of which 512 MiB are used */
        char text[65536]; /* of the last kit_read() */
};

void kit_begin(struct kit *k);
void kit_end(struct kit *k);
/* As if a new warden had begun. */
void kit_successor(struct kit *k);
/* The text of a file with this path, in a tree or single. */
const char *kit_read(struct kit *k, const char *path);
/* The number behind the first occurrence of label in the last text. */
uint64_t kit_number(const struct kit *k, const char *label);
/* Moves the sample on. */
void kit_pass(struct kit *k, uint64_t ns);

#endif
