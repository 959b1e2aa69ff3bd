/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * specials.c - special files of the numbers that partitions have: nodes in their private /dev, which are made and
 * removed here because nobody inside may (DEV-13).
 *
 * What is wanted is in map `devid_specials`, beside the table, entered by whoever asked for the number.  A number that
 * is given back drains until its files have gone and then its entry; so whatever dies in between, the next croftd finds
 * what there is to do.  No right is in a file: the gate asks the table.
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/steps.h"
#include "base/str.h"
#include "devid/client.h"
#include "devid/devid_private.h"
#include "devid/zrams.h"
#include "kernel/devnode.h"

#include <bpf/bpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

#define DISK_GROUP 6 /* of Debian, Red Hat, SUSE, Alpine ... */

/* One entry, and the number that it is of. */
struct found {
        struct devid_node node;
        struct devid_special special;
        struct devid_number number;
        bool is_current; /* the number is there, and its partition's */
};

/* Where a partition's files go. */
struct place {
        int dev;
        uint32_t base;
};

bool devid_get_special(struct devid *d, const struct devid_node *node, struct devid_special *ret)
{
        return bpf_map_lookup_elem(d->specials, node, ret) == 0;
}

static bool look_up(struct devid *d, const struct devid_node *node, struct found *ret)
{
        *ret = (struct found){.node = *node};
        if (!devid_get_special(d, node, &ret->special))
                return false;
        ret->special.name.text[DEVID_NAME - 1] = '\0';
        ret->is_current = bpf_map_lookup_elem(d->numbers, node, &ret->number) == 0 &&
                          ret->number.partition == ret->special.partition && ret->number.flags & DEVID_NAMED;
        return true;
}

/* Calls f for each entry of the partition, 0: of all. */
static void each(struct devid *d, uint64_t partition, void (*f)(struct devid *d, struct found *found, void *context),
        void *context)
{
        struct devid_node node, next;
        bool more = bpf_map_get_next_key(d->specials, NULL, &next) == 0;
        struct found found;

        while (more) {
                node = next;
                more = bpf_map_get_next_key(d->specials, &node, &next) == 0;
                if (look_up(d, &node, &found) && (!partition || found.special.partition == partition))
                        f(d, &found, context);
        }
}

/* --- files --- */

/* What the ith number of the group has.  Names of groups are NAME0, NAME1 ... */
static void describe(const struct found *found, uint32_t i, const struct place *place, char (*ret_name)[DEVID_NAME + 8],
        struct devnode *ret)
{
        const bool block = found->node.type == DEVID_BLOCK;

        *ret = (struct devnode){.mode = block ? S_IFBLK | 0660 : S_IFCHR | 0600,
                .number = makedev(found->node.major, found->node.minor + i * found->number.within),
                .uid = place->base,
                .gid = place->base + (block ? DISK_GROUP : 0)};
        if (found->number.count > 1)
                (void)snprintf(*ret_name, sizeof(*ret_name), "%s%u", found->special.name.text, i);
        else
                (void)snprintf(*ret_name, sizeof(*ret_name), "%s", found->special.name.text);
}

static void drop(const struct found *found, uint32_t n, const struct place *place)
{
        for (uint32_t i = 0; i < n; i++) {
                char name[DEVID_NAME + 8];
                struct devnode node;

                describe(found, i, place, &name, &node);
                (void)devnode_drop(place->dev, name, &node, NULL); /* what can't be removed can't be opened either */
        }
}

/* All of the group or none. */
static int put(const struct found *found, const struct place *place, struct croft_error *err)
{
        if (found->special.uid != 0 && found->special.uid != place->base)
                return croft_error_set(err, EPERM, "only root may have special files made.");
        for (uint32_t i = 0; i < found->number.count; i++) {
                _cleanup_close_ int there = -EBADF;
                char name[DEVID_NAME + 8];
                struct devnode node;
                int r;

                describe(found, i, place, &name, &node);
                if (!devnode_name_is_valid(name)) {
                        r = croft_error_set(err, EINVAL, "it is no name of a device.");
                } else {
                        there = devnode_find(place->dev, name, &node); /* of a croftd that died then */
                        r = there >= 0 ? 0 : devnode_put(place->dev, name, &node, false, err);
                }
                if (r < 0) {
                        drop(found, i, place);
                        return r;
                }
        }
        return 0;
}

/* --- what there is to do --- */

static void tell_refused(const struct found *found, const struct croft_error *why, const struct devid_ear *ear)
{
        char line[CROFT_ERROR_TEXT_MAX], name[4 * DEVID_NAME], text[CROFT_ERROR_TEXT_MAX + sizeof(name) + 64];

        str_escape(name, sizeof(name), found->special.name.text, strlen(found->special.name.text));
        (void)snprintf(text, sizeof(text), "special file '/dev/%s' isn't made: %s", name,
                croft_error_line(why, line, sizeof(line)));
        ear->tell(ear->context, found->special.partition, text, true);
}

static void make_one(struct devid *d, struct found *found, const struct place *place, const struct devid_ear *ear)
{
        struct croft_error err = CROFT_ERROR_INIT;
        int r = put(found, place, &err);

        crash_point("special", "made", "");
        if (r < 0)
                tell_refused(found, &err, ear);
        found->special.state = r < 0 ? DEVID_SPECIAL_REFUSED : DEVID_SPECIAL_THERE;
        (void)bpf_map_update_elem(d->specials, &found->node, &found->special, BPF_EXIST); /* found again otherwise */
        crash_point("special", "told", "");
}

static bool is_wanted(const struct found *found)
{
        return found->is_current && found->number.state != DEVID_DRAINING &&
               found->special.state == DEVID_SPECIAL_WANTED;
}

/* A number that has gone without it, as with a croftd that ended the partition, has left an entry and no file. */
static void end_one(struct devid *d, struct found *found, void *context)
{
        const struct devid_ear *ear = context;
        struct place place;

        if (found->is_current && found->number.state != DEVID_DRAINING)
                return;
        place.dev = found->is_current ? ear->open_dev(ear->context, found->special.partition, &place.base) : -EBADF;
        /* Wanted: one died before it noted that they are there.  Refused: what is there isn't ours. */
        if (place.dev >= 0 && found->special.state != DEVID_SPECIAL_REFUSED)
                drop(found, found->number.count, &place);
        crash_point("special", "dropped", "");
        (void)bpf_map_delete_elem(d->specials, &found->node);
        crash_point("special", "forgotten", "");
        close_fd(place.dev);
}

static void begin_one(struct devid *d, struct found *found, void *context)
{
        const struct devid_ear *ear = context;
        struct place place = {.dev = -EBADF};

        if (is_wanted(found))
                place.dev = ear->open_dev(ear->context, found->special.partition, &place.base);
        if (place.dev < 0) /* it has none yet: devid_put_specials() comes */
                return;
        make_one(d, found, &place, ear);
        close_fd(place.dev);
}

void devid_follow(struct devid *d, const struct devid_ear *ear)
{
        (void)pthread_mutex_lock(&d->specials_lock);
        each(d, 0, end_one, (void *)ear); /* first: a name may be wanted again */
        each(d, 0, begin_one, (void *)ear);
        (void)pthread_mutex_unlock(&d->specials_lock);
        devid_settle_drivers(d);
        (void)zrams_balance(d, NULL); /* -ENODEV: there are none */
}

void devid_put_specials(struct devid *d, uint64_t partition, const struct devid_ear *ear)
{
        (void)pthread_mutex_lock(&d->specials_lock);
        each(d, partition, begin_one, (void *)ear);
        (void)pthread_mutex_unlock(&d->specials_lock);
}

static void forget_one(struct devid *d, struct found *found, void *context)
{
        struct devid_call call;

        (void)context;
        (void)bpf_map_delete_elem(d->specials, &found->node);
        if (!found->is_current)
                return;
        (void)devid_client_prepare(&call, DEVID_OP_FLAG, found->number.family.text, NULL);
        call.partition = found->number.partition;
        for (uint32_t i = 0; i < found->number.count; i++) {
                call.preferred = found->number.first + i * found->number.within;
                call.flags = 0;
                call.bits = DEVID_NAMED;
                (void)devid_client_call(d->program, &call); /* a mark without an entry says nothing */
        }
}

void devid_forget_specials(struct devid *d, uint64_t partition)
{
        if (!partition)
                return;
        (void)pthread_mutex_lock(&d->specials_lock);
        each(d, partition, forget_one, NULL);
        (void)pthread_mutex_unlock(&d->specials_lock);
}
