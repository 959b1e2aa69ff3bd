/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * run.h - runs the worker for the store: starts it, feeds it, shows its progress, takes its report.
 */
#ifndef CROFT_IMAGE_RUN_H
#define CROFT_IMAGE_RUN_H

#include "image/store.h"

#include <openssl/evp.h>

struct worker_run {
        const char *mode;      /* "unpack", "copy", "oci", "finish" */
        int target, source;    /* folders, borrowed; source -EBADF: none */
        int input;             /* unpack: read to its end, fed to the worker; borrowed */
        char *const *producer; /* or: program whose output is fed to it, NULL: none */
        int producer_tmp;      /* its /tmp, borrowed */
        EVP_MD_CTX *hash;      /* unpack: of all that was fed; may be NULL */
        image_progress say;    /* may be NULL */
        void *context;
        /* A line that the producer said on standard error: what of it to show (may be changed), NULL: nothing. */
        const char *(*producer_says)(char *line);
        /* what came of it; texts escaped */
        char os[128], warning[128], producer_error[512];
        uint64_t bytes, nodes;
};

/* Returns when all processes that it started are gone. -EILSEQ: the archive is hostile or broken. */
int worker_run(struct image_store *store, struct worker_run *run, struct croft_error *err);

/* Takes one line of a worker's report apart.  Pure. 1: it was the last; 0; or -errno with what the worker says. */
int worker_report_line(struct worker_run *run, const char *line, struct croft_error *err);

#endif
