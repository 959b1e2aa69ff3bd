/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * transport.c - runs the pinned programs by bpf(2), with nothing but the C library: libkstat must load anywhere.  Where
 * bpf(2) is refused (a filter of the caller's own), or no pinned program is in sight, two options of a socket reach the
 * same code (KSTAT_SOCKOPT_LEVEL).
 *
 * Both programs are opened at the beginning, because a process may shut itself in afterwards.  Invariant: of a struct
 * ways that was given out the small program or the socket is open; once there is a socket, it is used.
 */
#include "libkstat/transport.h"

#include "base/cleanup.h"
#include "base/pinned.h"

#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

/* Any one will do; a filter may allow some families only. */
static const int families[] = {AF_UNIX, AF_INET, AF_INET6};

struct ways {
        int small, large; /* pinned programs */
        int socket;
        bool other_way; /* may be tried when bpf(2) is refused */
};

/* 0: the program was run, and *ret is what it returned; else why it couldn't be, which says nothing about the call. */
static int run_pinned(const struct ways *w, struct kstat_call *call, bool large, int *ret)
{
        if (!large || w->large >= 0)
                return pinned_run(large ? w->large : w->small, call,
                        large ? sizeof(struct kstat_call_large) : sizeof(*call), ret);
        *ret = -ENOMEM;
        return 0;
}

/* --- by options of a socket --- */

static int ask_socket(int fd, struct kstat_call *call)
{
        const struct kstat_request request = {call->op, call->at, call->kid, call->key, call->partition};
        socklen_t size = sizeof(*call);
        int r;

        if (call->op > KSTAT_SOCKOPT_OP)
                return -EINVAL;
        if (setsockopt(fd, KSTAT_SOCKOPT_LEVEL, KSTAT_SOCKOPT_CALL, &request, sizeof(request)) < 0 ||
                getsockopt(fd, KSTAT_SOCKOPT_LEVEL, KSTAT_SOCKOPT_CALL, call, &size) < 0 || size != sizeof(*call))
                return -EIO;
        r = KSTAT_SOCKOPT_RESULT(call);
        call->op &= KSTAT_SOCKOPT_OP;
        if (memcmp(call, &request, sizeof(request)) == 0)
                return r;
        /* A process that we have forked shares the socket and has asked something meanwhile. */
        memcpy(call, &request, sizeof(request));
        return -EAGAIN;
}

/* A socket that gives answers, or -ENOENT. */
static int open_socket(void)
{
        for (size_t i = 0; i < ELEMENTS(families); i++) {
                _cleanup_close_ int fd = socket(families[i], SOCK_DGRAM | SOCK_CLOEXEC, 0);
                struct kstat_call call = {.op = KSTAT_OP_CHAIN};

                if (fd >= 0 && ask_socket(fd, &call) != -EIO)
                        return TAKE_FD(fd);
        }
        return -ENOENT;
}

/* --- the transport --- */

/* The errors of filters.  Who may run the programs is never refused by the kernel itself. */
static bool is_refusal(int r)
{
        return r == -EPERM || r == -EACCES || r == -ENOSYS;
}

static int ask(void *context, struct kstat_call *call, bool large)
{
        struct ways *w = context;
        int r, result = -EIO;

        if (w->socket < 0) {
                r = run_pinned(w, call, large, &result);
                if (r == 0 || r == -ENOMEM)
                        return r == 0 ? result : r;
                if (!w->other_way || !is_refusal(r))
                        return -EIO;
                w->socket = open_socket();
                if (w->socket < 0)
                        return -EIO;
        }
        return large ? -ENOMEM : ask_socket(w->socket, call);
}

static void end(void *context)
{
        struct ways *w = context;

        (void)close_fd(w->small);
        (void)close_fd(w->large);
        (void)close_fd(w->socket);
        free(w);
}

static int open_programs(const char *directory, struct ways *w)
{
        w->small = pinned_open(directory, "kstat");
        if (w->small < 0)
                return w->small;
        w->large = pinned_open(directory, "kstat_large");
        return w->large < 0 && w->large != -ENOENT ? w->large : 0;
}

int kstat_transport_open(const char *directory, struct kstat_transport *ret)
{
        _cleanup_free_ char *found = directory ? NULL : pinned_programs();
        struct ways *w = malloc(sizeof(*w));
        int r = -ENOMEM;

        if (!w)
                return r;
        *w = (struct ways){.small = -EBADF, .large = -EBADF, .socket = -EBADF, .other_way = !directory};
        if (directory || found)
                r = open_programs(directory ? directory : found, w);
        if (r < 0 && r != -ENOMEM && w->other_way)
                w->socket = open_socket();
        if (r < 0 && w->socket < 0) {
                end(w);
                return r;
        }
        *ret = (struct kstat_transport){
                .call = ask, .close = end, .context = w, .fd = w->socket < 0 ? w->small : w->socket};
        return 0;
}
