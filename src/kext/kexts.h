/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * kexts.h - kexts(5): stanzas of what partitions are granted (KXT-26).
 *
 *     * the firewall, for those whose property kexts names it, and for two others
 *     firewall:
 *             extension = "nf_tables"
 *             partitions = "web, db"
 *             parameters = "x=1"
 *
 * Pure but for kexts_read().
 */
#ifndef CROFT_KEXT_KEXTS_H
#define CROFT_KEXT_KEXTS_H

#include "kext/kext.h"

#define KEXTS_FILE "kexts"
#define KEXTS_PARTITIONS_MAX 511 /* bytes of a list of names */

struct kexts_stanza {
        char name[KEXT_STANZA_MAX + 1];
        struct kext_grant grant;                   /* its stanza is this one */
        char partitions[KEXTS_PARTITIONS_MAX + 1]; /* "web,db"; KEXT_ALL; "": those whose property names it */
};
struct kexts {
        struct kexts_stanza *list; /* owned */
        size_t n;
};

/* -EBADMSG: it has another form; *err says which line.  The caller ends *ret with kexts_done(). */
int kexts_parse(const char *text, size_t size, struct kexts *ret, struct croft_error *err);
/* The file of that directory; without it an empty list.  -EPERM: others than root may write it. */
int kexts_read(const char *directory, struct kexts *ret, struct croft_error *err);
void kexts_done(struct kexts *kexts);
const struct kexts_stanza *kexts_find(const struct kexts *kexts, const char *name);

/* value: of property `kexts` in normal form, or NULL.  -ENOENT: a stanza that it names isn't there. */
int kexts_check(const struct kexts *kexts, const char *value, const char *directory, struct croft_error *err);
/* Adds what the partition of that name and value of the property is granted, behind the *n of *list, an array of
 * malloc(3).  -ENOMEM: nothing was changed. */
int kexts_grants(
        const struct kexts *kexts, const char *partition, const char *value, struct kext_grant **list, size_t *n);

#endif
