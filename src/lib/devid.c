/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * devid.c - <croft/devid.h>: asks for device numbers by the pinned program, without any daemon.
 */
#include <croft/devid.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/pinned.h"
#include "devid/client.h"

#include <string.h>
#include <time.h>

struct croft_devid {
        int program;
};

_Static_assert(
        CROFT_DEVID_NAME == DEVID_NAME && CROFT_DEVID_ANY == DEVID_ANY && CROFT_DEVID_WHOLE == DEVID_WHOLE, "layout");
_Static_assert((int)CROFT_DEVID_RESERVED == (int)DEVID_RESERVED && (int)CROFT_DEVID_DRAINING == (int)DEVID_DRAINING,
        "numbers");

int croft_devid_open(const char *directory, struct croft_devid **ret, struct croft_error *err)
{
        _cleanup_free_ char *found = directory ? strdup(directory) : pinned_programs();
        struct croft_devid *devid = calloc(1, sizeof(*devid));
        int r;

        if (!found || !devid) {
                free(devid);
                return croft_error_set(err, ENOMEM, "open the table of device numbers");
        }
        devid->program = r = devid_client_open(found);
        if (r < 0)
                free(devid);
        if (r == -ENOENT)
                return croft_error_set(
                        err, ENOENT, "there is no table of device numbers at %s (is croftd running?).", found);
        if (r < 0)
                return croft_error_set(err, r, "open the table of device numbers at %s", found);
        *ret = devid;
        return 0;
}

struct croft_devid *croft_devid_close(struct croft_devid *devid)
{
        if (devid)
                (void)close_fd(devid->program);
        free(devid);
        return NULL;
}

const char *croft_devid_state_name(unsigned int state)
{
        static const char *const names[] = {"free", "reserved", "assigned", "draining"};

        return names[state < ELEMENTS(names) ? state : 0];
}

static int explain(int r, const char *family, const char *instance, struct croft_error *err)
{
        switch (r) {
        case -EPERM:
                return croft_error_set(err, EPERM, "a partition asks for device numbers of its own only.");
        case -ENOENT:
                return croft_error_set(
                        err, ENOENT, "there is no family '%s' of device numbers, or none of it is granted.", family);
        case -ENODEV:
                return croft_error_set(
                        err, ENODEV, "this machine hasn't loaded the driver of family '%s' of device numbers.", family);
        case -EDQUOT:
                return croft_error_set(err, EDQUOT, "no more device numbers of family '%s' are granted.", family);
        case -EBUSY:
                return croft_error_set(
                        err, EBUSY, "that number of family '%s' isn't free, or its minors are in use.", family);
        case -ENOSPC:
                return croft_error_set(err, ENOSPC, "no number of family '%s' is free.", family);
        case -ENOMEM:
                return croft_error_set(err, ENOSPC, "the table of device numbers is full.");
        case -ESRCH:
                return croft_error_set(err, ESRCH, "'%s' has no number of family '%s'.", instance, family);
        case -EINVAL:
                return croft_error_set(err, EINVAL, "no such number or group is given out.");
        default:
                return croft_error_set(err, r, "ask for a device number");
        }
}

static void take_name(char to[CROFT_DEVID_NAME], const struct devid_name *name)
{
        memcpy(to, name->text, CROFT_DEVID_NAME - 1);
        to[CROFT_DEVID_NAME - 1] = '\0';
}

static void take_number(struct croft_devid_number *ret, const struct devid_call *call)
{
        *ret = (struct croft_devid_number){.partition = call->ret.partition,
                .number = call->ret.number,
                .first = call->ret.first,
                .count = call->ret.count,
                .within = call->ret.within,
                .virtual_number = call->ret.virtual,
                .state = call->ret.state,
                .type = call->node.type,
                .major = call->node.major,
                .minor = call->node.minor,
                .pid = call->ret.pid,
                .age_ns = now_ns(CLOCK_BOOTTIME) - call->ret.since_ns};
        take_name(ret->family, &call->ret.family);
        take_name(ret->instance, &call->ret.instance);
        take_name(ret->node, &call->special.name);
        ret->node_state =
                call->special.name.text[0] ? CROFT_DEVID_NODE_WANTED + call->special.state : CROFT_DEVID_NODE_NONE;
}

static int prepare(struct devid_call *call, enum devid_op op, uint64_t partition, const char *family,
        const char *instance, struct croft_error *err)
{
        if (!devid_client_prepare(call, op, family, instance ? instance : ""))
                return croft_error_set(
                        err, EINVAL, "the name of a family or an instance has 1 to %d bytes.", CROFT_DEVID_NAME - 1);
        call->partition = partition;
        return 0;
}

static int run(struct croft_devid *devid, struct devid_call *call, const char *family, const char *instance,
        struct croft_devid_number *ret, struct croft_error *err)
{
        int r = devid_client_call(devid->program, call);

        if (r < 0)
                return explain(r, family, instance, err);
        if (ret)
                take_number(ret, call);
        return 0;
}

static bool put_name(struct devid_name *to, const char *name)
{
        size_t length = strlen(name);

        if (length == 0 || length >= sizeof(to->text))
                return false;
        memcpy(to->text, name, length);
        return true;
}

int croft_devid_alloc(struct croft_devid *devid, const struct croft_devid_request *q, struct croft_devid_number *ret,
        struct croft_error *err)
{
        struct devid_call call;
        int r = prepare(&call, DEVID_OP_ALLOC, q->partition, q->family, q->instance, err);

        if (r < 0)
                return r;
        call.preferred = q->preferred;
        call.count = q->count ? q->count : 1;
        call.within = q->within ? q->within : 1;
        call.between = q->between ? q->between : 1;
        call.virtual = q->virtual_number;
        if (q->node && !put_name(&call.special.name, q->node))
                return croft_error_set(err, EINVAL, "the name of a node has 1 to %d bytes.", CROFT_DEVID_NAME - 1);
        return run(devid, &call, q->family, q->instance, ret, err);
}

static int about_instance(struct croft_devid *devid, enum devid_op op, uint64_t partition, const char *family,
        const char *instance, struct croft_devid_number *ret, struct croft_error *err)
{
        struct devid_call call;
        int r = prepare(&call, op, partition, family, instance, err);

        return r < 0 ? r : run(devid, &call, family, instance, ret, err);
}

int croft_devid_assign(struct croft_devid *devid, uint64_t partition, const char *family, const char *instance,
        struct croft_devid_number *ret, struct croft_error *err)
{
        return about_instance(devid, DEVID_OP_ASSIGN, partition, family, instance, ret, err);
}

int croft_devid_release(struct croft_devid *devid, uint64_t partition, const char *family, const char *instance,
        struct croft_devid_number *ret, struct croft_error *err)
{
        return about_instance(devid, DEVID_OP_RELEASE, partition, family, instance, ret, err);
}

int croft_devid_get(struct croft_devid *devid, uint64_t partition, const char *family, const char *instance,
        struct croft_devid_number *ret, struct croft_error *err)
{
        return about_instance(devid, DEVID_OP_GET, partition, family, instance, ret, err);
}

/* --- wait --- */

#define WAIT_STEP_MS 2

/* Is croftd done?  1, 0, or a negative errno. */
static int is_done(struct croft_devid *devid, struct croft_devid_number *number)
{
        struct croft_devid_number now;
        struct devid_call call;
        int r;

        (void)devid_client_prepare(&call, DEVID_OP_NEXT, number->family, NULL); /* of an answer */
        call.partition = number->partition;
        call.preferred = number->first;
        r = devid_client_call(devid->program, &call);
        if (r < 0)
                return r == -ENOENT ? -ESRCH : r;
        take_number(&now, &call);
        if (now.number != number->first || strcmp(now.instance, number->instance) != 0)
                return -ESRCH;
        if (now.node_state == CROFT_DEVID_NODE_WANTED || (now.state == CROFT_DEVID_DRAINING && now.node[0]))
                return 0;
        *number = now;
        return 1;
}

int croft_devid_wait(
        struct croft_devid *devid, unsigned int timeout_ms, struct croft_devid_number *number, struct croft_error *err)
{
        const struct timespec pause = {.tv_nsec = WAIT_STEP_MS * 1000000L};
        int r = 0;

        for (unsigned int waited_ms = 0; r == 0; waited_ms += WAIT_STEP_MS) {
                r = is_done(devid, number);
                if (r == 0 && waited_ms >= timeout_ms)
                        r = -ETIMEDOUT;
                else if (r == 0)
                        (void)nanosleep(&pause, NULL);
        }
        if (r == -ETIMEDOUT)
                return croft_error_set(err, ETIMEDOUT, "croftd hasn't come to the node '%s'", number->node);
        return r < 0 ? explain(r, number->family, number->instance, err) : 0;
}

/* --- list --- */

struct list {
        struct croft_devid_number *numbers;
        size_t n, room;
};

static int append(struct list *list, const struct devid_call *call)
{
        if (list->n == list->room) {
                struct croft_devid_number *more =
                        reallocarray(list->numbers, list->room * 2 + 16, sizeof(*list->numbers));

                if (!more)
                        return -ENOMEM;
                list->numbers = more;
                list->room = list->room * 2 + 16;
        }
        take_number(&list->numbers[list->n++], call);
        return 0;
}

/* A family that isn't there, or isn't granted, has none. */
static int list_family(struct croft_devid *devid, uint64_t partition, const char *family, struct list *list)
{
        uint32_t from = 0;
        int r = 0;

        while (r == 0 && from < DEVID_FAMILY_MAX) {
                struct devid_call call;

                (void)devid_client_prepare(&call, DEVID_OP_NEXT, family, NULL); /* a name that there is */
                call.partition = partition;
                call.preferred = from;
                r = devid_client_call(devid->program, &call);
                if (r == 0) {
                        r = append(list, &call);
                        from = call.ret.number + 1;
                }
        }
        return r == -ESRCH || r == -ENOENT ? 0 : r;
}

int croft_devid_list(struct croft_devid *devid, uint64_t partition, struct croft_devid_number **ret, size_t *ret_n,
        struct croft_error *err)
{
        static const char *const families[] = {"block", "char", "cuse", "dm", "loop", "nbd", "zram"};
        struct list list = {.n = 0};
        size_t majors;
        int r = 0;

        for (size_t i = 0; r == 0 && i < ELEMENTS(families); i++)
                r = list_family(devid, partition, families[i], &list);
        majors = list.n;
        for (size_t i = 0; r == 0 && i < majors; i++) {
                char minors[16];

                (void)snprintf(minors, sizeof(minors), "%c%u", (int)list.numbers[i].type, list.numbers[i].major);
                if (list.numbers[i].minor == CROFT_DEVID_WHOLE)
                        r = list_family(devid, partition, minors, &list);
        }
        if (r < 0) {
                free(list.numbers);
                return croft_error_set(err, r, "list device numbers");
        }
        *ret = list.numbers;
        *ret_n = list.n;
        return 0;
}
