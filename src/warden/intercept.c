/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * intercept.c - the thread that answers intercepted calls.  See intercept.h.
 *
 * Invariant: a call that was taken is answered before the next one is taken, or passed on to the partition's broker, by
 * what its line of the table decides and never by "go on": the kernel would read the arguments anew, and they may have
 * changed.  The thread alone closes
 * listeners while it runs, so that one which it has looked up stays open; the lock is for the table.
 *
 * It allocates nothing: a second thread that calls malloc() costs the C library another arena.
 */
#include "warden/intercept.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/sock.h"
#include "kernel/module.h"
#include "kernel/notify.h"
#include "kstat/view_sysinfo.h"
#include "partition/broker_msg.h"
#include "partition/listeners.h"

#include <linux/audit.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#define STACK_BYTES 65536
#define FRESH_NS 50000000LL /* how long a sample is used: well below the 100 ms that may pass before a change shows */
#define WAKE 0              /* the eventfd's number in epoll: no listener has it */
#define BROKER UINT32_MAX   /* the broker's */
#define PASSED_MAX (NOTIFY_SLOTS / 2) /* calls that the broker has: others are answered meanwhile */
#define PASSED 1                      /* as an answer: there will be one */

struct intercept {
        struct intercept_config config;
        struct notify_area *area;
        int epoll, wake;
        pthread_t thread;
        bool started;
        pthread_mutex_t lock; /* over what follows */
        pthread_cond_t confined;
        struct listeners listeners;
        bool complete, quit, ready; /* ready: verdict says how it went */
        atomic_bool modules;        /* calls about modules are passed on */
        struct croft_error verdict;
        /* the thread's own */
        struct kstat_sample sample;
        struct view_machine machine;
        int64_t sampled_ns;
        uint64_t passed[NOTIFY_SLOTS]; /* id of the call in that slot, if it is with the broker */
};

/* --- sysinfo(2) ----------------------------------------------------------------------------------------------------
 */

static int freshen(struct intercept *i)
{
        int r;

        if (i->sampled_ns != 0 && now_ns(CLOCK_MONOTONIC) - i->sampled_ns < FRESH_NS)
                return 0;
        (void)i->config.machine(&i->machine);
        r = i->config.sample(i->config.context, &i->sample);
        /* From its end on: one that takes longer than it lasts (ten thousand threads) must serve more than one call. */
        i->sampled_ns = r == 0 ? now_ns(CLOCK_MONOTONIC) : 0;
        return r == 0 ? 0 : -EIO; /* whatever it is, the caller couldn't do anything about it */
}

static int tell(struct intercept *i, int listener, const struct notify_slot *slot, enum view_sysinfo_abi abi)
{
        uint64_t address = slot->call.data.args[0];
        uint8_t info[VIEW_SYSINFO_SIZE];
        size_t size;
        int r = freshen(i);

        if (r < 0)
                return r;
        if (abi == VIEW_SYSINFO_32)
                address = (uint32_t)address;
        size = view_sysinfo(&i->sample, &i->machine, (uint64_t)now_ns(CLOCK_BOOTTIME), abi, info);
        return notify_write(listener, slot, address, info, size);
}

static int sysinfo_64(struct intercept *i, int listener, struct notify_slot *slot)
{
        return tell(i, listener, slot, VIEW_SYSINFO_64);
}

static int sysinfo_32(struct intercept *i, int listener, struct notify_slot *slot)
{
        return tell(i, listener, slot, VIEW_SYSINFO_32);
}

/* --- what the broker answers ---------------------------------------------------------------------------------------
 */

static bool is_passed(const struct intercept *i, size_t slot)
{
        uint64_t id = i->area->slots[slot].call.id;

        return id != 0 && i->passed[slot] == id;
}

static int pass_on(struct intercept *i, int listener, struct notify_slot *slot)
{
        struct broker_call call = {.id = slot->call.id,
                .arch = slot->call.data.arch,
                .pid = slot->call.pid,
                .nr = slot->call.data.nr,
                .slot = (uint32_t)(slot - i->area->slots)};
        size_t passed = 0;
        int r;

        if (i->config.broker < 0)
                return -ENOTTY;
        for (size_t k = 0; k < NOTIFY_SLOTS; k++)
                passed += is_passed(i, k);
        if (passed >= PASSED_MAX)
                return -EAGAIN;
        for (size_t k = 0; k < ELEMENTS(call.args); k++)
                call.args[k] = slot->call.data.args[k];
        r = sock_send_packet(i->config.broker, &call, sizeof(call), &listener, 1);
        if (r < 0)
                return r == -EAGAIN ? r : -EIO;
        i->passed[call.slot] = call.id;
        return PASSED;
}

/* Who is granted none at all is refused at once: nothing of the call is looked at. */
static int judge_module(struct intercept *i, int listener, struct notify_slot *slot)
{
        int r = atomic_load(&i->modules) ? pass_on(i, listener, slot) : -EPERM;

        if (r == -EPERM && i->config.refused)
                i->config.refused(i->config.context);
        return r == -ENOTTY ? -EPERM : r;
}

/* --- calls ---------------------------------------------------------------------------------------------------------
 */

/* Which calls there are; an answer is 0, a negative errno, or PASSED. */
static const struct {
        uint32_t arch;
        int number;
        int (*judge)(struct intercept *i, int listener, struct notify_slot *slot);
} calls[] = {{AUDIT_ARCH_X86_64, 99, sysinfo_64}, {AUDIT_ARCH_X86_64, NOTIFY_X32_BIT | 99, sysinfo_64},
        {AUDIT_ARCH_I386, 116, sysinfo_32}, {AUDIT_ARCH_AARCH64, 179, sysinfo_64},
        /* ioctl: those of loop devices */
        {AUDIT_ARCH_X86_64, 16, pass_on}, {AUDIT_ARCH_X86_64, NOTIFY_X32_BIT | 514, pass_on},
        {AUDIT_ARCH_I386, 54, pass_on}, {AUDIT_ARCH_AARCH64, 29, pass_on}};

static int judge(struct intercept *i, int listener, struct notify_slot *slot)
{
        const struct seccomp_data *data = &slot->call.data;

        for (size_t k = 0; k < ELEMENTS(calls); k++)
                if (calls[k].arch == data->arch && calls[k].number == data->nr)
                        return calls[k].judge(i, listener, slot);
        if (mount_call_of(data->arch, data->nr))
                return pass_on(i, listener, slot);
        return module_call_of(data->arch, data->nr) ? judge_module(i, listener, slot) : -ENOSYS;
}

/* A call that isn't known here isn't there. */
static void answer(struct intercept *i, int listener, struct notify_slot *slot)
{
        int r = judge(i, listener, slot);

        if (r != PASSED)
                (void)notify_answer(listener, slot, 0, -r); /* a caller that has gone needs none */
}

/* --- listeners -----------------------------------------------------------------------------------------------------
 */

static int find(struct intercept *i, uint32_t number)
{
        int fd;

        (void)pthread_mutex_lock(&i->lock);
        fd = listeners_find(&i->listeners, number);
        (void)pthread_mutex_unlock(&i->lock);
        return fd;
}

/* The last process that could call has ended. */
static void drop(struct intercept *i, uint32_t number, int fd)
{
        /* First: croftd holds the same file, and closing ours wouldn't end that it wakes us. */
        (void)epoll_ctl(i->epoll, EPOLL_CTL_DEL, fd, NULL);
        (void)pthread_mutex_lock(&i->lock);
        listeners_remove(&i->listeners, number);
        (void)pthread_mutex_unlock(&i->lock);
}

/* A broker has died, or there can be none. */
static void fail_passed(struct intercept *i, int code)
{
        for (size_t k = 0; k < NOTIFY_SLOTS; k++) {
                struct notify_slot *slot = &i->area->slots[k];
                int fd = is_passed(i, k) ? find(i, slot->listener) : -EBADF;

                if (fd >= 0)
                        (void)notify_answer(fd, slot, 0, code);
        }
}

/* One that its listener has outlived is nobody's any more. */
static void take_answer(struct intercept *i)
{
        struct broker_answer answer;
        struct notify_slot *slot;
        int fd;

        if (recv(i->config.broker, &answer, sizeof(answer), MSG_DONTWAIT) != sizeof(answer))
                return;
        if (answer.id == 0)
                fail_passed(i, answer.code);
        if (answer.id == 0 || answer.slot >= NOTIFY_SLOTS)
                return;
        slot = &i->area->slots[answer.slot];
        if (slot->call.id != answer.id || !is_passed(i, answer.slot))
                return;
        fd = find(i, slot->listener);
        if (fd >= 0)
                (void)notify_answer(fd, slot, answer.value, answer.code);
        else
                slot->call.id = 0;
}

static void serve(struct intercept *i, uint32_t number, uint32_t events)
{
        int fd = find(i, number);
        struct notify_slot *slot;

        if (fd < 0)
                return;
        if (events & EPOLLIN && notify_receive(fd, number, i->area, &slot) == 0)
                answer(i, fd, slot);
        else if (!(events & EPOLLIN) && events & (EPOLLHUP | EPOLLERR))
                drop(i, number, fd);
}

/* What a dead warden has taken and not answered: all that is in the area now, but for what we have passed on. */
static void finish(struct intercept *i, bool complete)
{
        for (size_t k = 0; k < NOTIFY_SLOTS; k++) {
                struct notify_slot *slot = &i->area->slots[k];
                int fd;

                if (slot->call.id == 0 || is_passed(i, k))
                        continue;
                fd = find(i, slot->listener);
                if (fd >= 0)
                        answer(i, fd, slot);
                else if (complete)
                        slot->call.id = 0;
        }
}

/* false: the end. */
static bool obey(struct intercept *i)
{
        eventfd_t count;
        bool complete, quit;

        (void)eventfd_read(i->wake, &count);
        (void)pthread_mutex_lock(&i->lock);
        complete = i->complete;
        i->complete = false;
        quit = i->quit;
        (void)pthread_mutex_unlock(&i->lock);
        if (!quit)
                finish(i, complete);
        return !quit;
}

/* --- the thread ----------------------------------------------------------------------------------------------------
 */

static int begin(struct intercept *i)
{
        struct croft_error err = CROFT_ERROR_INIT;
        int r = i->config.confine ? i->config.confine(i->config.context, &err) : 0;

        (void)pthread_mutex_lock(&i->lock);
        i->verdict = err;
        i->ready = true;
        (void)pthread_cond_signal(&i->confined);
        (void)pthread_mutex_unlock(&i->lock);
        return r;
}

static void *run(void *context)
{
        struct intercept *i = context;
        bool go_on = begin(i) == 0;

        while (go_on) {
                struct epoll_event event;
                int n = epoll_wait(i->epoll, &event, 1, -1);

                if (n == 1 && event.data.u32 == WAKE)
                        go_on = obey(i);
                else if (n == 1 && event.data.u32 == BROKER)
                        take_answer(i);
                else if (n == 1)
                        serve(i, event.data.u32, event.events);
                else if (n < 0 && errno != EINTR)
                        go_on = false;
        }
        return NULL;
}

static int start_thread(struct intercept *i)
{
        pthread_attr_t attributes;
        int r = pthread_attr_init(&attributes);

        if (r != 0)
                return -r;
        r = pthread_attr_setstacksize(&attributes, STACK_BYTES);
        if (r == 0)
                r = pthread_create(&i->thread, &attributes, run, i);
        (void)pthread_attr_destroy(&attributes);
        i->started = r == 0;
        return -r;
}

/* Until the thread has given up what it must. */
static int wait_confined(struct intercept *i, struct croft_error *err)
{
        (void)pthread_mutex_lock(&i->lock);
        while (!i->ready)
                (void)pthread_cond_wait(&i->confined, &i->lock);
        (void)pthread_mutex_unlock(&i->lock);
        return i->verdict.code ? croft_error_copy(err, &i->verdict) : 0;
}

static void wake(struct intercept *i)
{
        (void)eventfd_write(i->wake, 1); /* full: it will wake anyway */
}

static int watch(const struct intercept *i, int fd, uint32_t number)
{
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = number};

        return epoll_ctl(i->epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static int start(struct intercept *i, struct croft_error *err)
{
        int r;

        i->epoll = epoll_create1(EPOLL_CLOEXEC);
        i->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (i->epoll < 0 || i->wake < 0)
                return croft_error_set(err, errno, "prepare for intercepted calls");
        r = i->config.machine(&i->machine);
        if (r < 0)
                return croft_error_set(err, r, "prepare for intercepted calls");
        r = notify_area_map(i->config.area, &i->area, err);
        if (r < 0)
                return r;
        r = watch(i, i->wake, WAKE);
        if (r == 0 && i->config.broker >= 0)
                r = watch(i, i->config.broker, BROKER);
        if (r == 0)
                r = start_thread(i);
        if (r < 0)
                return croft_error_set(err, r, "start the thread for intercepted calls");
        return wait_confined(i, err);
}

int intercept_start(const struct intercept_config *config, struct intercept **ret, struct croft_error *err)
{
        struct intercept *i = calloc(1, sizeof(*i));
        int r;

        if (!i)
                return croft_error_set(err, ENOMEM, "prepare for intercepted calls");
        i->config = *config;
        i->epoll = i->wake = -EBADF;
        (void)pthread_mutex_init(&i->lock, NULL); /* with these attributes neither can fail */
        (void)pthread_cond_init(&i->confined, NULL);
        r = start(i, err);
        if (r < 0) {
                intercept_stop(i);
                return r;
        }
        *ret = i;
        return 0;
}

struct intercept *intercept_stop(struct intercept *i)
{
        if (!i)
                return NULL;
        if (i->started) {
                (void)pthread_mutex_lock(&i->lock);
                i->quit = true;
                (void)pthread_mutex_unlock(&i->lock);
                wake(i);
                (void)pthread_join(i->thread, NULL);
        }
        listeners_done(&i->listeners);
        notify_area_unmap(i->area);
        close_fd(i->epoll);
        close_fd(i->wake);
        (void)pthread_cond_destroy(&i->confined);
        (void)pthread_mutex_destroy(&i->lock);
        free(i);
        return NULL;
}

int intercept_add(struct intercept *i, uint32_t number, int fd)
{
        int r;

        if (fd >= 0)
                notify_prefer_same_cpu(fd);
        (void)pthread_mutex_lock(&i->lock);
        r = listeners_add(&i->listeners, number, fd, NULL);
        if (r == 0)
                r = watch(i, fd, number);
        if (r < 0 && r != -EEXIST)
                listeners_remove(&i->listeners, number);
        (void)pthread_mutex_unlock(&i->lock);
        wake(i);
        return r;
}

void intercept_complete(struct intercept *i)
{
        (void)pthread_mutex_lock(&i->lock);
        i->complete = true;
        (void)pthread_mutex_unlock(&i->lock);
        wake(i);
}

void intercept_pass_modules(struct intercept *i, bool pass)
{
        atomic_store(&i->modules, pass);
}

int intercept_send(struct intercept *i, int socket)
{
        int r;

        (void)pthread_mutex_lock(&i->lock);
        r = listeners_send(socket, &i->listeners);
        (void)pthread_mutex_unlock(&i->lock);
        return r;
}
