/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * loops.c - the loop devices of one partition.  See loops.h.
 *
 * In what order: a number is taken, its device made, the number marked as made, the device bound, its node put, the
 * number marked as ready; back: closed to new openers, looked at, unbound, its node dropped, the number given back (it
 * drains), the device removed, the number free.  Whoever dies in between leaves something that loops_settle() knows by
 * that.
 */
#include "devid/loops.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/steps.h"
#include "devid/client.h"
#include "devid/loops_private.h"
#include "kernel/devnode.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <linux/membarrier.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#define FAMILY "loop"
#define FREE "free"
#define TRIES 64           /* numbers that the machine has taken meanwhile */
#define INTENT "unbinding" /* a file */

struct intent {
        uint64_t number, diskseq;
};

static int ask(const struct loops *l, enum devid_op op, const char *instance, struct devid_call *ret)
{
        (void)devid_client_prepare(ret, op, FAMILY, instance);
        ret->partition = l->partition;
        return devid_client_call(l->program, ret);
}

void loops_name(const struct loops_device *device, char *ret, size_t size)
{
        if (device->part)
                (void)snprintf(ret, size, "loop%up%u", device->inside, device->part);
        else
                (void)snprintf(ret, size, "loop%u", device->inside);
}

/* "loop0p1" */
static uint32_t part_of(const char *instance)
{
        const char *at = strncmp(instance, "loop", 4) == 0 ? strchr(instance + 4, 'p') : NULL;

        return at ? (uint32_t)strtoul(at + 1, NULL, 10) : 0;
}

void loops_describe(const struct devid_call *call, struct loops_device *ret)
{
        *ret = (struct loops_device){.inside = call->ret.virtual,
                .part = part_of(call->ret.instance.text),
                .number = call->ret.number,
                .minor = call->node.minor,
                .flags = call->ret.flags,
                .is_free = strcmp(call->ret.instance.text, FREE) == 0};
}

static void instance_of(const struct loops_device *device, char (*ret)[DEVID_NAME])
{
        if (device->is_free)
                (void)snprintf(*ret, sizeof(*ret), "%s", FREE);
        else
                loops_name(device, *ret, sizeof(*ret));
}

/* --- the table --- */

/* The partition's device from that number of the machine on.  -ESRCH: there are no more. */
static int next_from(const struct loops *l, uint32_t number, struct devid_call *ret)
{
        (void)devid_client_prepare(ret, DEVID_OP_NEXT, FAMILY, NULL);
        ret->partition = l->partition;
        ret->preferred = number;
        return devid_client_call(l->program, ret);
}

/* Calls f for each device that it has, until it says other than 0. */
int loops_walk(const struct loops *l, int (*f)(const struct loops *l, const struct devid_call *call, void *context),
        void *context)
{
        struct devid_call call;
        int r = 0;

        for (uint32_t at = 0; r == 0 && next_from(l, at, &call) == 0; at = call.ret.number + 1)
                if (call.ret.partition == l->partition && call.ret.state != DEVID_DRAINING)
                        r = f(l, &call, context);
        return r;
}

int loops_mark(const struct loops *l, const struct loops_device *device, uint32_t flags)
{
        char instance[DEVID_NAME];
        struct devid_call call;

        instance_of(device, &instance);
        (void)devid_client_prepare(&call, DEVID_OP_MARK, FAMILY, instance);
        call.partition = l->partition;
        call.virtual = device->inside;
        call.flags = flags;
        return devid_client_call(l->program, &call);
}

/* Of a number that drains. */
static void set_free(const struct loops *l, uint32_t number)
{
        struct devid_call call;

        (void)devid_client_prepare(&call, DEVID_OP_FREE, FAMILY, NULL);
        call.preferred = number;
        (void)devid_client_call(l->program, &call); /* somebody else may have been faster */
}

/* The machine has made a device of that number since, or bound ours: it drains as global's, as long as there is that
 * device. */
static void leave_to_machine(const struct loops *l, const char *instance, uint32_t number)
{
        const struct loops global = {.program = l->program};
        struct devid_call call;
        char name[DEVID_NAME];

        (void)ask(l, DEVID_OP_RELEASE, instance, &call);
        set_free(l, number);
        (void)snprintf(name, sizeof(name), "machine's %u", number);
        (void)devid_client_prepare(&call, DEVID_OP_ALLOC, FAMILY, name);
        call.preferred = number;
        if (devid_client_call(l->program, &call) == 0)
                (void)ask(&global, DEVID_OP_RELEASE, name, &call);
}

/* A number and a device of that number, bound to nothing yet.  Until it is, the partition can't open it: somebody else
 * may be faster to bind it, and there may be nodes inside of when it had that number before.  -EEXIST: the machine has
 * that one. */
static int take(const struct loops *l, const struct loops_device *wanted, struct loops_device *ret)
{
        char instance[DEVID_NAME];
        struct devid_call call;
        int r;

        instance_of(wanted, &instance);
        (void)devid_client_prepare(&call, DEVID_OP_ALLOC, FAMILY, instance);
        call.partition = l->partition;
        call.granted = 1;
        call.virtual = wanted->inside;
        call.flags = DEVID_CLOSED;
        r = devid_client_call(l->program, &call);
        if (r < 0)
                return r == -EDQUOT || r == -ENOENT ? -ENOSPC : r;
        loops_describe(&call, ret);
        crash_point("loop", "taken", "");
        r = loop_make(l->machine, ret->number);
        if (r < 0) {
                leave_to_machine(l, instance, ret->number);
                return r;
        }
        crash_point("loop", "made", "");
        ret->flags = DEVID_MADE | DEVID_CLOSED;
        return loops_mark(l, ret, ret->flags);
}

/* The device is bound to nothing. */
static void give(const struct loops *l, const struct loops_device *device)
{
        char instance[DEVID_NAME];
        struct devid_call call;

        instance_of(device, &instance);
        (void)ask(l, DEVID_OP_RELEASE, instance, &call);
        loops_forget(l, device->number);
}

void loops_forget(const struct loops *l, uint32_t number)
{
        int r = loop_unmake(l->machine, number);

        if (r == 0 || r == -ENODEV)
                set_free(l, number);
}

/* --- nodes --- */

static struct devnode node_of(const struct loops *l, const struct loops_device *device)
{
        return (struct devnode){.mode = S_IFBLK | 0660,
                .number = makedev(LOOP_MAJOR_NUMBER, device->minor),
                .uid = l->base,
                .gid = l->base + LOOPS_GROUP};
}

static int put_node(const struct loops *l, const struct loops_device *device, bool replace)
{
        struct devnode node = node_of(l, device);
        char name[DEVID_NAME];

        loops_name(device, name, sizeof(name));
        return devnode_put(l->dev, name, &node, replace, NULL);
}

static void drop_node(const struct loops *l, const struct loops_device *device)
{
        struct devnode node = node_of(l, device);
        char name[DEVID_NAME];

        loops_name(device, name, sizeof(name));
        (void)devnode_drop(l->dev, name, &node, NULL);
}

/* O_PATH. */
static int find_node(const struct loops *l, const struct loops_device *device)
{
        struct devnode node = node_of(l, device);
        char name[DEVID_NAME];

        loops_name(device, name, sizeof(name));
        return devnode_find(l->dev, name, &node);
}

static int open_node(const struct loops *l, const struct loops_device *device, int access)
{
        _cleanup_close_ int node = find_node(l, device);
        char path[64];
        int fd;

        if (node < 0)
                return node;
        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", node);
        fd = open(path, access | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

/* --- which ones there are --- */

struct visit {
        void (*f)(const struct loops_device *device, void *context);
        void *context;
};

static int visit_one(const struct loops *l, const struct devid_call *call, void *context)
{
        const struct visit *visit = context;
        struct loops_device device;

        (void)l;
        loops_describe(call, &device);
        visit->f(&device, visit->context);
        return 0;
}

void loops_each(const struct loops *l, void (*f)(const struct loops_device *device, void *context), void *context)
{
        struct visit visit = {f, context};

        (void)loops_walk(l, visit_one, &visit);
}

struct search {
        uint32_t minor;
        struct loops_device *ret;
};

static int is_that(const struct loops *l, const struct devid_call *call, void *context)
{
        const struct search *s = context;

        (void)l;
        if (call->node.minor != s->minor)
                return 0;
        loops_describe(call, s->ret);
        return 1;
}

int loops_find(const struct loops *l, const struct stat *node, struct loops_device *ret)
{
        struct search s = {.minor = minor(node->st_rdev), .ret = ret};

        if (!S_ISBLK(node->st_mode) || major(node->st_rdev) != LOOP_MAJOR_NUMBER)
                return -ENOTTY;
        return loops_walk(l, is_that, &s) == 1 ? 0 : -ENOTTY;
}

bool loops_is_current(const struct loops *l, const struct loops_device *device, const struct stat *node)
{
        _cleanup_close_ int fd = find_node(l, device);
        struct stat st;

        return fd >= 0 && fstat(fd, &st) == 0 && st.st_dev == node->st_dev && st.st_ino == node->st_ino;
}

static int note_used(const struct loops *l, const struct devid_call *call, void *context)
{
        uint64_t *used = context;
        struct loops_device device;

        (void)l;
        loops_describe(call, &device);
        if (!device.is_free && device.inside < LOOPS_MAX)
                used[device.inside / 64] |= UINT64_C(1) << device.inside % 64;
        return 0;
}

static bool is_bound(const struct loops *l, uint32_t inside, struct devid_call *ret)
{
        const struct loops_device device = {.inside = inside};
        char name[DEVID_NAME];

        loops_name(&device, name, sizeof(name));
        return ask(l, DEVID_OP_GET, name, ret) == 0;
}

/* --- a new one --- */

/* Binds what was taken.  -EBUSY: somebody was faster. */
int loops_bind_to(const struct loops *l, const struct loops_device *device, const struct loop_config *config,
        int access, int *ret)
{
        int fd = loop_open(l->machine, device->minor, access), r;

        if (fd < 0)
                return fd;
        r = config ? (ioctl(fd, LOOP_CONFIGURE, config) < 0 ? -errno : 0) : loop_bind_nothing(fd);
        if (r < 0)
                close_fd(fd);
        else
                *ret = fd;
        return r;
}

/* A device as that one is to be, which is bound (config NULL: to nothing), and *ret open on it; nobody inside can open
 * it. */
static int make(const struct loops *l, const struct loops_device *wanted, const struct loop_config *config, int access,
        struct loops_device *device, int *ret)
{
        char instance[DEVID_NAME];

        instance_of(wanted, &instance);
        for (int i = 0; i < TRIES; i++) {
                int r = take(l, wanted, device);

                if (r == -EEXIST)
                        continue;
                if (r < 0)
                        return r;
                r = loops_bind_to(l, device, config, access, ret);
                if (r == 0)
                        return 0;
                if (r != -EBUSY || loop_unmake(l->machine, device->number) == 0) { /* not for that reason */
                        give(l, device);
                        return r;
                }
                leave_to_machine(l, instance, device->number);
        }
        return -ENOSPC;
}

/* --- the free one --- */

static int make_free(const struct loops *l, uint32_t inside, struct loops_device *ret)
{
        const struct loops_device wanted = {.inside = inside, .is_free = true};
        int fd = -EBADF, r = make(l, &wanted, NULL, O_RDWR, ret, &fd);

        if (r < 0)
                return r;
        close_fd(fd);
        ret->flags = DEVID_MADE | DEVID_READY;
        return loops_mark(l, ret, ret->flags);
}

/* It is that number's from now on. */
static int move_free(const struct loops *l, uint32_t inside)
{
        _cleanup_close_ int node = -EBADF;
        struct loops_device device;
        struct devid_call call;
        int r;

        if (ask(l, DEVID_OP_GET, FREE, &call) < 0) {
                r = make_free(l, inside, &device);
                return r < 0 ? r : put_node(l, &device, true);
        }
        loops_describe(&call, &device);
        if (device.inside != inside) {
                drop_node(l, &device);
                device.inside = inside;
                r = loops_mark(l, &device, device.flags);
                if (r < 0)
                        return r;
        }
        node = find_node(l, &device);
        return node >= 0 ? 0 : put_node(l, &device, true);
}

int loops_get_free(const struct loops *l, uint32_t *ret)
{
        uint64_t used[LOOPS_MAX / 64] = {0};
        uint32_t n = 0;

        (void)loops_walk(l, note_used, used);
        while (n < LOOPS_MAX && used[n / 64] >> n % 64 & 1)
                n++;
        if (n == LOOPS_MAX)
                return -ENOSPC;
        *ret = n;
        return move_free(l, n);
}

int loops_add(const struct loops *l, uint32_t inside)
{
        struct devid_call call;

        if (inside >= LOOPS_MAX)
                return -EINVAL;
        return is_bound(l, inside, &call) ? -EEXIST : move_free(l, inside);
}

int loops_remove(const struct loops *l, uint32_t inside)
{
        struct loops_device device;
        struct devid_call call;

        if (is_bound(l, inside, &call))
                return -EBUSY;
        if (ask(l, DEVID_OP_GET, FREE, &call) < 0)
                return -ENODEV;
        loops_describe(&call, &device);
        if (device.inside != inside)
                return -ENODEV;
        drop_node(l, &device);
        return 0;
}

int loops_open_free(const struct loops *l, int access)
{
        struct loops_device device;
        struct devid_call call;
        int r = 0;

        if (ask(l, DEVID_OP_GET, FREE, &call) == 0)
                loops_describe(&call, &device);
        else
                r = make_free(l, LOOPS_MAX, &device); /* no number's yet */
        return r < 0 ? r : loop_open(l->machine, device.minor, access);
}

/* --- bind and unbind --- */

/* Nobody inside has it open: there was no node. */
static void undo(const struct loops *l, const struct loops_device *device)
{
        int fd = loop_open(l->machine, device->minor, O_RDONLY);

        (void)loops_mark(l, device, DEVID_MADE | DEVID_CLOSED);
        drop_node(l, device);
        if (fd >= 0)
                loop_unbind_later(fd);
        give(l, device);
}

/* A device as that one is to be, open to the partition. */
int loops_bind_as(const struct loops *l, const struct loops_device *wanted, const struct loop_config *config,
        int access, struct loops_device *device, int *ret)
{
        _cleanup_close_ int fd = -EBADF;
        int r = make(l, wanted, config, access, device, &fd);

        if (r < 0)
                return r;
        crash_point("loop", "bound", "");
        r = put_node(l, device, true);
        if (r == 0)
                r = *ret = open_node(l, device, access);
        crash_point("loop", "there", "");
        device->flags = DEVID_MADE | DEVID_READY | wanted->flags;
        if (r >= 0)
                r = loops_mark(l, device, device->flags);
        fd = close_fd(fd);
        if (r < 0) {
                *ret = close_fd(*ret);
                undo(l, device);
        }
        return r < 0 ? r : 0;
}

int loops_bind(const struct loops *l, uint32_t inside, const struct loop_config *config, int access, uint32_t flags,
        struct loops_device *device, int *ret)
{
        const struct loops_device wanted = {.inside = inside, .flags = flags};
        struct devid_call call;

        *ret = -EBADF;
        return is_bound(l, inside, &call) ? -EBUSY : loops_bind_as(l, &wanted, config, access, device, ret);
}

static int close_all(const struct loops *l, const struct loops_device devices[], size_t n)
{
        int r = 0;

        for (size_t i = 0; r == 0 && i < n; i++)
                r = loops_mark(l, &devices[i], devices[i].flags | DEVID_CLOSED);
        return r;
}

static void reopen_all(const struct loops *l, const struct loops_device devices[], size_t n)
{
        for (size_t i = 0; i < n; i++)
                (void)loops_mark(l, &devices[i], devices[i].flags); /* one that was lost isn't its any more */
}

/* The kernel says whether somebody has a device open by unbinding it or not. */
static int unbind_alone(const struct loops *l, const struct loops_device *device)
{
        int fd = loop_open(l->machine, device->minor, O_RDONLY);

        return fd < 0 || loop_unbind_alone(fd) ? 0 : -EBUSY;
}

/* Its device is bound to nothing, or by the machine. */
static void lose(const struct loops *l, const struct loops_device *device)
{
        drop_node(l, device);
        give(l, device);
}

/* Parts that were found to be open by nobody before another one turned out to be are bound again. */
static int unbind_all(const struct loops *l, const struct loops_device devices[], size_t n)
{
        struct loops_part parts[LOOPS_PARTS_MAX + 1];

        for (size_t i = 0; i < n; i++) {
                bool bound = !devices[i].part || loops_get_part(l, &devices[i], &parts[i]) == 0;
                int r = bound ? unbind_alone(l, &devices[i]) : 0;

                if (!bound)
                        parts[i].sectors = 0;
                if (r == 0)
                        continue;
                while (i-- > 0)
                        if (!parts[i].sectors || loops_rebind_part(l, &devices[i], &parts[i]) < 0)
                                lose(l, &devices[i]);
                return r;
        }
        return 0;
}

static uint64_t diskseq_of(int fd)
{
        uint64_t diskseq = 0;

        return ioctl(fd, BLKGETDISKSEQ, &diskseq) < 0 ? 0 : diskseq;
}

/* Between the unbinding of a device and the giving back of its number the machine may bind it: whoever finds it bound
 * then must know that it is another one's. */
static void intend(const struct loops *l, const struct loops_device *device)
{
        _cleanup_close_ int fd = loop_open(l->machine, device->minor, O_RDONLY);
        _cleanup_close_ int file = openat(l->intents, INTENT, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        struct intent intent = {.number = device->number, .diskseq = fd < 0 ? 0 : diskseq_of(fd)};

        if (file >= 0)
                (void)fd_write_all(file, &intent, sizeof(intent));
}

static void intended(const struct loops *l)
{
        (void)unlinkat(l->intents, INTENT, 0);
}

/* Has it been bound anew since somebody who died was about to unbind it? */
static bool is_rebound(const struct intent *intent, const struct loops_device *device, int fd)
{
        return device->flags & DEVID_CLOSED && !device->part && intent->diskseq && intent->number == device->number &&
               diskseq_of(fd) != intent->diskseq;
}

static struct intent read_intent(const struct loops *l)
{
        _cleanup_close_ int file = openat(l->intents, INTENT, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        struct intent intent = {.number = 0};

        if (file >= 0 && read(file, &intent, sizeof(intent)) != (ssize_t)sizeof(intent))
                intent.diskseq = 0;
        return intent;
}

static int release(const struct loops *l, const struct loops_device *device)
{
        char instance[DEVID_NAME];
        struct devid_call call;

        drop_node(l, device);
        instance_of(device, &instance);
        return ask(l, DEVID_OP_RELEASE, instance, &call);
}

int loops_unbind(const struct loops *l, const struct loops_device devices[], size_t n)
{
        int r = 0;

        if (n == 0 || n > LOOPS_PARTS_MAX + 1)
                return n == 0 ? 0 : -EINVAL;
        for (size_t i = 0; i < n; i++)
                if (loops_is_mounted_itself(l, &devices[i]))
                        return -EBUSY; /* known without closing any */
        r = close_all(l, devices, n);
        if (r == 0) {
                crash_point("loop", "closed", "");
                /* Who was let by before that, and hasn't opened it yet, has by then. */
                (void)syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
                intend(l, &devices[n - 1]);
                r = unbind_all(l, devices, n);
        }
        if (r < 0) {
                intended(l);
                reopen_all(l, devices, n);
                return r;
        }
        crash_point("loop", "unbound", "");
        for (size_t i = 0; r == 0 && i < n; i++)
                r = release(l, &devices[i]);
        crash_point("loop", "released", "");
        intended(l);
        return r;
}

/* --- what others have left --- */

/* Else it is bound, if it is, by the machine, which came in between. */
static bool is_ours(const struct loops *l, const struct loops_device *device, int fd)
{
        struct loops_device whole;
        struct loop_info64 info;

        if (!(device->flags & DEVID_MADE) || ioctl(fd, LOOP_GET_STATUS64, &info) < 0)
                return false;
        return !device->part || (loops_find_part(l, device, 0, &whole) == 0 &&
                                        info.lo_rdevice == makedev(LOOP_MAJOR_NUMBER, whole.minor));
}

static int settle_one(const struct loops *l, const struct devid_call *call, void *context)
{
        _cleanup_close_ int fd = -EBADF;
        struct loops_device device;

        loops_describe(call, &device);
        fd = loop_open(l->machine, device.minor, O_RDONLY);
        if (fd < 0 || !is_ours(l, &device, fd) || is_rebound(context, &device, fd)) {
                fd = close_fd(fd);
                lose(l, &device);
                return 0;
        }
        fd = close_fd(fd);
        /* Who asked for it was told that it failed; somebody may have opened it nevertheless, who keeps it then. */
        if (!(device.flags & DEVID_READY) && loops_unbind(l, &device, 1) == 0) {
                loops_forget(l, device.number);
                return 0;
        }
        if (device.flags & DEVID_CLOSED || !(device.flags & DEVID_READY))
                (void)loops_mark(l, &device, (device.flags & ~(uint32_t)DEVID_CLOSED) | DEVID_READY);
        if (!device.is_free)
                (void)put_node(l, &device, false);
        return 0;
}

size_t loops_settle(const struct loops *l, uint32_t *ret, size_t max)
{
        const struct loops global = {.program = l->program}; /* what drains is shown to no partition */
        struct intent intent = read_intent(l);
        struct devid_call call;
        size_t n = 0;

        (void)loops_walk(l, settle_one, &intent);
        intended(l);
        for (uint32_t at = 0; n < max && next_from(&global, at, &call) == 0; at = call.ret.number + 1)
                if (call.ret.partition == l->partition && call.ret.state == DEVID_DRAINING &&
                        call.ret.flags & DEVID_MADE)
                        ret[n++] = call.ret.number;
        return n;
}

static int end_one(const struct loops *l, const struct devid_call *call, void *context)
{
        const bool *parts = context;
        struct loops_device device;
        char instance[DEVID_NAME];
        struct devid_call release;
        int fd = -EBADF;

        loops_describe(call, &device);
        if ((device.part != 0) != *parts)
                return 0;
        instance_of(&device, &instance);
        if (ask(l, DEVID_OP_RELEASE, instance, &release) < 0)
                return 0;
        if (device.flags & DEVID_MADE)
                fd = loop_open(l->machine, device.minor, O_RDONLY);
        if (fd >= 0)
                loop_unbind_later(fd);
        if (device.flags & DEVID_MADE)
                loops_forget(l, device.number);
        return 0;
}

void loops_end(const struct loops *l)
{
        /* Parts keep their whole one bound. */
        (void)loops_walk(l, end_one, &(bool){true});
        (void)loops_walk(l, end_one, &(bool){false});
}
