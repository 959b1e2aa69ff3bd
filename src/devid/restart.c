/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * restart.c - a partition has the same device numbers after a restart, or is told which ones it has instead (DEV-22).
 *
 * While it doesn't run it has none, and others may take them.  The file is written before the numbers are given back
 * and removed once they are taken again, so that one that was there before a croftd died says what it said.
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/str.h"
#include "devid/client.h"
#include "devid/devid_private.h"
#include "devid/kept.h"
#include "devid/machine.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX (DEVID_NUMBERS_MAX * KEPT_LINE_MAX)

static int keep_one(struct devid *d, const struct devid_call *call, void *context)
{
        char line[KEPT_LINE_MAX];
        size_t length;

        (void)d;
        if (call->ret.flags & DEVID_MADE) /* its device goes with it */
                return 0;
        length = kept_format(&call->ret, &call->special.name, line, sizeof(line));
        return fwrite(line, 1, length, context) == length ? 0 : -ENOMEM;
}

int devid_keep(struct devid *d, uint64_t partition, int directory, const char *path, struct croft_error *err)
{
        _cleanup_free_ char *text = NULL;
        size_t size = 0;
        FILE *f = open_memstream(&text, &size);
        int r;

        if (!f)
                return croft_error_set(
                        err, ENOMEM, "keep the device numbers of partition %llu", (unsigned long long)partition);
        r = devid_each_of(d, partition, false, keep_one, f);
        if (fclose(f) < 0 && r == 0)
                r = -ENOMEM;
        if (r < 0)
                return croft_error_set(
                        err, r, "keep the device numbers of partition %llu", (unsigned long long)partition);
        return size == 0 ? 0 : fd_replace_file(directory, path, text, size, 0600, err);
}

/* Majors that have become others. */
struct renames {
        struct {
                __u32 type, from, to;
        } list[DEVID_FAMILIES_MAX];
        size_t n;
};

static void note_rename(struct renames *renames, const struct devid_call *call, __u32 before)
{
        if (call->node.minor != DEVID_WHOLE || call->ret.first == before || renames->n == DEVID_FAMILIES_MAX)
                return;
        renames->list[renames->n].type = call->node.type;
        renames->list[renames->n].from = before;
        renames->list[renames->n++].to = call->ret.first;
}

/* Of a driver: its device was made for the partition, and may still be there. */
static void reclaim(struct devid *d, struct devid_call call)
{
        call.op = DEVID_OP_RECLAIM;
        (void)devid_client_call(d->program, &call); /* else it may be free */
}

static int take_again(struct devid *d, uint64_t partition, const struct devid_number *number,
        const struct devid_name *special, struct devid_call *ret)
{
        int r;

        *ret = (struct devid_call){.op = DEVID_OP_ALLOC,
                .granted = 1,
                .partition = partition,
                .family = number->family,
                .instance = number->instance,
                .preferred = number->first,
                .count = number->count,
                .within = number->within,
                .between = 1,
                .virtual = number->virtual,
                .special = {.name = *special}};
        if (machine_is_driver(number->family.text))
                reclaim(d, *ret);
        r = devid_client_call(d->program, ret);
        if (r == -EBUSY) {
                ret->preferred = DEVID_ANY;
                r = devid_client_call(d->program, ret);
        }
        if (r == 0 && number->state == DEVID_ASSIGNED) {
                struct devid_call assign = *ret;

                assign.op = DEVID_OP_ASSIGN;
                (void)devid_client_call(d->program, &assign); /* it has it, whatever it says of it */
        }
        return r;
}

struct restore {
        struct devid *d;
        uint64_t partition;
        struct renames renames;
        void (*tell)(void *context, const char *text);
        void *context;
};

static void restore_one(struct restore *s, struct devid_number *number, const struct devid_name *special)
{
        const __u32 before = number->first;
        char text[384], instance[4 * DEVID_NAME], was[DEVID_NAME];
        struct devid_call call;
        int r;

        str_escape(instance, sizeof(instance), number->instance.text, strlen(number->instance.text));
        memcpy(was, number->family.text, sizeof(was));
        for (size_t i = 0; i < s->renames.n; i++) {
                if (number->family.text[0] != (char)s->renames.list[i].type)
                        continue;
                kept_rename(&number->family, s->renames.list[i].type, s->renames.list[i].from, s->renames.list[i].to);
                if (memcmp(was, number->family.text, sizeof(was)) != 0)
                        break; /* 60 may have become 61, and 61 have become 62 */
        }
        r = take_again(s->d, s->partition, number, special, &call);
        if (r < 0)
                (void)snprintf(text, sizeof(text), "its device number %u of family '%s' for '%s' is lost: %s", before,
                        was, instance, strerror(-r));
        else if (call.ret.first != before || memcmp(was, number->family.text, sizeof(was)) != 0)
                (void)snprintf(text, sizeof(text), "its device number for '%s' was %u of family '%s' and is %u of '%s'",
                        instance, before, was, call.ret.first, number->family.text);
        else
                return;
        if (r == 0)
                note_rename(&s->renames, &call, before);
        s->tell(s->context, text);
}

int devid_restore(struct devid *d, uint64_t partition, int directory, const char *path,
        void (*tell)(void *context, const char *text), void *context, struct croft_error *err)
{
        struct restore s = {.d = d, .partition = partition, .tell = tell, .context = context};
        _cleanup_free_ char *text = NULL;
        const char *at;
        int r = fd_read_file(directory, path, FILE_MAX, &text, NULL);

        if (r == -ENOENT)
                return 0;
        if (r < 0)
                return croft_error_set(err, r, "read '%s'", path);
        at = text;
        for (;;) {
                struct devid_number number;
                struct devid_name special;

                r = kept_parse(&at, &number, &special);
                if (r <= 0)
                        break;
                restore_one(&s, &number, &special);
        }
        if (r < 0)
                tell(context, "the file of its device numbers is damaged: what it had is lost");
        if (unlinkat(directory, path, 0) < 0 && errno != ENOENT)
                return croft_error_set(err, errno, "remove '%s'", path);
        return 0;
}
