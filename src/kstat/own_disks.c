/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * own_disks.c - structures of a partition's own disks.  See own_disks.h.
 *
 * Invariant: a structure's entry in `kstat_own_disks`, without which it has no figures, is made before it and goes
 * before it.  What a croftd that dies leaves is an entry nobody reads: it is begun anew with the disk, or goes with the
 * partition.
 */
#include "kstat/own_disks.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "kstat/catalogue.h"
#include "kstat/figures.h"
#include "kstat/kstats_private.h"

#include <bpf/bpf.h>
#include <stdio.h>
#include <string.h>

/* --- deciding --- */

static void number_name(struct own_disk *disk)
{
        (void)snprintf(disk->name, sizeof(disk->name), "disk%u-%u", disk->major, disk->minor);
}

void own_disk_name(struct own_disk *disk, const char *name)
{
        bool good = name[0] && strlen(name) < sizeof(disk->name);

        for (const char *at = name; good && *at; at++)
                good = *at > ' ' && *at < 0x7f && *at != ':';
        if (good)
                (void)str_copy(disk->name, sizeof(disk->name), name);
        else
                number_name(disk);
}

static bool has_number(const struct own_disk *disk, uint32_t major, uint32_t minor)
{
        return disk->major == major && disk->minor == minor;
}

static bool is_same(const struct own_disk *a, const struct own_disk *b)
{
        return has_number(a, b->major, b->minor) && a->identity == b->identity && strcmp(a->name, b->name) == 0;
}

/* false: it is there under another name already. */
static bool settle_name(struct own_disk *wanted, size_t i)
{
        for (size_t k = 0; k < i; k++)
                if (has_number(&wanted[k], wanted[i].major, wanted[i].minor))
                        return false;
        for (size_t k = 0; k < i; k++)
                if (strcmp(wanted[k].name, wanted[i].name) == 0)
                        number_name(&wanted[i]);
        return true;
}

void own_disks_compare(
        const struct own_disk *old, size_t n_old, struct own_disk *wanted, size_t n_wanted, bool *gone, bool *new)
{
        for (size_t k = 0; k < n_old; k++)
                gone[k] = true;
        for (size_t i = 0; i < n_wanted; i++) {
                new[i] = settle_name(wanted, i);
                for (size_t k = 0; new[i] && k < n_old; k++)
                        if (is_same(&old[k], &wanted[i]))
                                new[i] = gone[k] = false;
        }
}

/* --- what there is --- */

struct there {
        uint64_t *kids;
        struct own_disk *disks;
        size_t n, room;
};

static void there_done(struct there *there)
{
        free(there->kids);
        free(there->disks);
}

static int note(const struct kstat_info *info, void *context)
{
        struct there *there = context;

        if (info->source != KSTAT_SOURCE_OWN_DISK)
                return 0;
        if (there->n == there->room) {
                size_t room = there->room * 2 + 16;
                uint64_t *kids = reallocarray(there->kids, room, sizeof(*kids));
                struct own_disk *disks;

                if (!kids)
                        return -ENOMEM;
                there->kids = kids;
                disks = reallocarray(there->disks, room, sizeof(*disks));
                if (!disks)
                        return -ENOMEM;
                there->disks = disks;
                there->room = room;
        }
        there->kids[there->n] = info->head.kid;
        there->disks[there->n] =
                (struct own_disk){.major = (uint32_t)(info->argument >> 32), .minor = (uint32_t)info->argument};
        memcpy(there->disks[there->n++].name, info->head.key.name, KSTAT_NAME_SIZE);
        return 0;
}

static struct kstat_own_disk_key key_of(uint64_t partition, const struct own_disk *disk)
{
        return (struct kstat_own_disk_key){.partition = partition, .major = disk->major, .minor = disk->minor};
}

/* One without an entry is no disk that could be wanted. */
static int list_there(struct kstats *k, uint64_t partition, struct there *ret, struct croft_error *err)
{
        int r = kstats_each(k, OWN_DISKS_MODULE, NULL, partition, note, ret, err);

        if (r < 0)
                return croft_error_set(err, r, "list the statistics of a partition's disks");
        for (size_t i = 0; i < ret->n; i++) {
                const struct kstat_own_disk_key key = key_of(partition, &ret->disks[i]);
                struct kstat_own_disk own;

                if (bpf_map_lookup_elem(k->maps.own_disks, &key, &own) == 0)
                        ret->disks[i].identity = own.identity;
                else
                        ret->disks[i].name[0] = '\0';
        }
        return 0;
}

/* --- what goes --- */

static int end(
        struct kstats *k, uint64_t partition, const struct there *there, const bool *gone, struct croft_error *err)
{
        _cleanup_free_ uint64_t *kids = calloc(there->n + 1, sizeof(*kids));
        size_t n = 0;

        if (!kids)
                return croft_error_set(err, ENOMEM, "end the statistics of disks");
        for (size_t i = 0; i < there->n; i++) {
                const struct kstat_own_disk_key key = key_of(partition, &there->disks[i]);

                if (!gone[i])
                        continue;
                (void)bpf_map_delete_elem(k->maps.own_disks, &key); /* or there is none */
                kids[n++] = there->kids[i];
        }
        return n > 0 ? kstats_delete(k, kids, n, err) : 0;
}

/* --- what comes --- */

static int begin(struct kstats *k, uint64_t partition, const struct own_disk *disk, struct croft_error *err)
{
        struct kstat_disk_begin call = {.key = key_of(partition, disk), .identity = disk->identity};
        DECLARE_LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = &call, .ctx_size_in = sizeof(call));
        int r = bpf_prog_test_run_opts(k->disk_begin, &opts) < 0 ? -errno : (int)opts.retval;

        return r < 0 ? croft_error_set(err, r, "begin to count what partition %llu does on disk %u:%u",
                               (unsigned long long)partition, disk->major, disk->minor)
                     : 0;
}

static void define(uint64_t partition, const struct own_disk *disk, struct kstat_def *ret)
{
        *ret = catalogue_disk;
        ret->name = disk->name;
        ret->subject = partition;
        ret->argument = (uint64_t)disk->major << 32 | disk->minor;
}

/* Those that there is no room for have no entry either. */
static int create_some(
        struct kstats *k, uint64_t partition, const struct kstat_def *defs, size_t n, struct croft_error *err)
{
        int r = kstats_create(k, defs, n, &partition, 1, NULL, n == 1 ? err : NULL), first = 0;

        for (size_t i = 0; n > 1 && r < 0 && i < n; i++) {
                int one = create_some(k, partition, &defs[i], 1, err);

                first = first < 0 ? first : one;
        }
        if (n == 1 && r < 0) {
                const struct kstat_own_disk_key key = {
                        partition, (uint32_t)(defs->argument >> 32), (uint32_t)defs->argument};

                (void)bpf_map_delete_elem(k->maps.own_disks, &key);
        }
        return n > 1 ? first : r;
}

static int make(struct kstats *k, uint64_t partition, const struct own_disk *wanted, size_t n, const bool *new,
        struct croft_error *err)
{
        _cleanup_free_ struct kstat_def *defs = calloc(n + 1, sizeof(*defs));
        size_t n_defs = 0;
        int r = 0, created;

        if (!defs)
                return croft_error_set(err, ENOMEM, "make the statistics of disks");
        for (size_t i = 0; i < n; i++) {
                int one = new[i] ? begin(k, partition, &wanted[i], err) : 0;

                if (new[i] && one == 0)
                        define(partition, &wanted[i], &defs[n_defs++]);
                r = r < 0 ? r : one;
        }
        created = n_defs > 0 ? create_some(k, partition, defs, n_defs, err) : 0;
        return r < 0 ? r : created;
}

int kstats_follow_disks(struct kstats *k, uint64_t partition, struct own_disk *disks, size_t n, struct croft_error *err)
{
        _cleanup_(there_done) struct there there = {.n = 0};
        _cleanup_free_ bool *gone = NULL, *new = NULL;
        int r = list_there(k, partition, &there, err);

        if (r < 0)
                return r;
        gone = calloc(there.n + 1, sizeof(*gone));
        new = calloc(n + 1, sizeof(*new));
        if (!gone || !new)
                return croft_error_set(err, ENOMEM, "compare a partition's disks");
        own_disks_compare(there.disks, there.n, disks, n, gone, new);
        r = end(k, partition, &there, gone, err);
        return r < 0 ? r : make(k, partition, disks, n, new, err);
}

int kstats_drop_disk(struct kstats *k, uint64_t partition, uint32_t major, uint32_t minor, struct croft_error *err)
{
        _cleanup_(there_done) struct there there = {.n = 0};
        _cleanup_free_ bool *gone = NULL;
        int r = list_there(k, partition, &there, err);

        if (r < 0)
                return r;
        gone = calloc(there.n + 1, sizeof(*gone));
        if (!gone)
                return croft_error_set(err, ENOMEM, "end the statistics of a disk");
        for (size_t i = 0; i < there.n; i++)
                gone[i] = has_number(&there.disks[i], major, minor);
        return end(k, partition, &there, gone, err);
}

void kstats_forget_disks(struct kstats *k, uint64_t partition)
{
        struct kstat_own_disk_key key, next;
        int more = bpf_map_get_next_key(k->maps.own_disks, NULL, &key);

        for (; more == 0; key = next) {
                more = bpf_map_get_next_key(k->maps.own_disks, &key, &next);
                if (key.partition == partition)
                        (void)bpf_map_delete_elem(k->maps.own_disks, &key);
        }
}
