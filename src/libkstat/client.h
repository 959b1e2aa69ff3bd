/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * client.h - the one client of the statistics in the kernel: libkstat, libcroft and kstat(8) are built on it.
 *
 * Functions return 0 or a negative errno and leave *ret alone on failure.  What the kernel answers is checked before it
 * is given on: -EBADMSG when it makes no sense.  "-EAGAIN, ask again" is repeated here a bounded number of times.
 * There is no global state; a client belongs to one thread at a time.
 */
#ifndef CROFT_LIBKSTAT_CLIENT_H
#define CROFT_LIBKSTAT_CLIENT_H

#include "libkstat/transport.h"

#include <stddef.h>
#include <stdint.h>

struct kstat_client;

/* The caller ends *ret with kstat_client_free().  The transport is taken over on success. */
int kstat_client_new(const struct kstat_transport *transport, struct kstat_client **ret);
/* By kstat_transport_open(directory). */
int kstat_client_open(const char *directory, struct kstat_client **ret);
struct kstat_client *kstat_client_free(struct kstat_client *client); /* NULL is allowed; returns NULL */
int kstat_client_fd(const struct kstat_client *client);
/* From now on ask for what that partition sees as its own; 0: for what the caller sees.  From global only. */
void kstat_client_set_partition(struct kstat_client *client, uint64_t partition);

/* The chain id, and who was answered for (0: global).  Either may be NULL. */
int kstat_client_chain(struct kstat_client *client, uint64_t *ret_kcid, uint64_t *ret_caller);

/* What the caller sees at the moment of one chain id; rising.  The caller frees kids. */
struct kstat_kids {
        uint64_t kcid;
        size_t n;
        uint64_t *kids;
};
int kstat_client_list(struct kstat_client *client, struct kstat_kids *ret);

/* One structure.  All pointers are the client's and valid until the next call.  fields: where its values are in data,
 * whatever the type; none for a RAW one that isn't known.  Checked: names end, fields lie in data. */
struct kstat_answer {
        uint64_t kcid;
        const struct kstat_head *head;
        const uint8_t *data; /* head->size bytes */
        const struct kstat_field *fields;
        size_t n_fields;
};
/* -ENXIO: none, or none of yours; -EAGAIN; -ESRCH: no such partition; -EPERM: it isn't for you to ask for one. */
int kstat_client_read(struct kstat_client *client, uint64_t kid, struct kstat_answer *ret);
/* -ENXIO also for a name that is too long for any. */
int kstat_client_find(
        struct kstat_client *client, const char *module, int32_t instance, const char *name, struct kstat_answer *ret);
/* -EPERM, -EACCES, -ENXIO: never more than that. */
int kstat_client_write(struct kstat_client *client, uint64_t kid);

#endif
