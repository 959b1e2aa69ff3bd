/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * stub.c - PID 1 of a partition before it is init.  See launch.h for the conversation with the warden.
 *
 * Runs no byte of the partition and reads none but directory entries, until it executes init.
 */
#include "base/cleanup.h"
#include "kernel/mount.h"
#include "kernel/ns.h"
#include "kernel/seccomp.h"
#include "partition/init_command.h"
#include "warden/become.h"
#include "warden/launch.h"

#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

/* Waits for the warden; the end of it is ours. */
static void wait_go(int socket)
{
        char go;

        if (TEMP_FAILURE_RETRY(recv(socket, &go, 1, 0)) != 1)
                _exit(EXIT_FAILURE);
}

static void report(int socket, const int *fds, size_t n, const struct croft_error *err)
{
        struct stub_report message = {.failed = err != NULL};

        if (err)
                message.error = *err;
        (void)sock_send_packet(socket, &message, sizeof(message), fds, n); /* gone: wait_go() sees it */
        if (err)
                _exit(EXIT_FAILURE);
}

static int make_namespaces(const struct launch *l, struct croft_error *err)
{
        int r;

        if (unshare(CLONE_NEWUTS | CLONE_NEWIPC | (l->spec.own_network ? CLONE_NEWNET : 0)) < 0)
                return croft_error_set(err, errno, "make the uts, ipc and network namespaces");
        r = l->spec.own_network ? ns_loopback_up(err) : 0;
        if (r < 0)
                return r;
        if (sethostname(l->spec.hostname, strlen(l->spec.hostname)) < 0)
                return croft_error_set(err, errno, "set the host name '%s'", l->spec.hostname);
        r = ns_restart_clocks(err);
        if (r == -EOPNOTSUPP) {
                croft_error_clear(err); /* uptime is the host's then; `croft check` says so */
                r = 0;
        }
        return r;
}

struct mounts {
        int proc, sys;
        bool with_sys;
        struct croft_error err;
};

static int mount_own(void *context)
{
        struct mounts *m = context;

        m->proc = mount_new("proc", NULL, NSNDNX, &m->err);
        if (m->proc >= 0 && m->with_sys)
                m->sys = mount_new("sysfs", NULL, NSNDNX | MOUNT_ATTR_RDONLY, &m->err);
        _exit(m->err.code ? EXIT_FAILURE : EXIT_SUCCESS);
}

/* A proc of our pid namespace can only be made in it, and only in a mount namespace that our user namespace owns; but
 * our own must stay the warden's until it has covered files of that proc, for only our copy of them is locked.  So a
 * child with our memory and descriptors makes it in a namespace that goes with it. */
static int make_mounts(const struct launch *l, int socket, pid_t *ret_child, struct croft_error *err)
{
        static char stack[32768] __attribute__((aligned(16)));
        struct mounts m = {.proc = -EBADF, .sys = -EBADF, .with_sys = l->spec.own_network, .err = CROFT_ERROR_INIT};
        int fds[2];
        pid_t pid;

        pid = clone(mount_own, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | CLONE_FILES | CLONE_NEWNS | SIGCHLD, &m);
        if (pid < 0)
                return croft_error_set(err, errno, "make a process to mount /proc");
        if (m.proc < 0 || (m.with_sys && m.sys < 0))
                return croft_error_copy(err, &m.err);
        fds[0] = m.proc;
        fds[1] = m.sys;
        report(socket, fds, m.with_sys ? 2 : 1, NULL);
        close_fd(m.proc);
        close_fd(m.sys);
        /* It has let go of our memory; the end of its mount namespace takes longer, and nobody needs to wait for it. */
        *ret_child = pid;
        return 0;
}

/* Phase 1, up to READY. */
static int prepare(const struct launch *l, int socket, int *ret_slave, struct croft_error *err)
{
        _cleanup_close_ int master = -EBADF;
        pid_t child = 0;
        int r;

        r = become_root(err);
        if (r < 0)
                return r;
        /* Our own /proc/self files would be the host root's otherwise.  Nobody else is in here yet. */
        (void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
        r = make_namespaces(l, err);
        if (r == 0)
                r = make_mounts(l, socket, &child, err);
        if (r < 0)
                return r;
        wait_go(socket);
        (void)TEMP_FAILURE_RETRY(waitpid(child, NULL, 0));
        if (unshare(CLONE_NEWNS) < 0)
                return croft_error_set(err, errno, "make the mount namespace");
        r = root_build(l, &master, ret_slave, err);
        if (r < 0)
                return r;
        report(socket, &master, 1, NULL);
        return 0;
}

/* From here on the warden is asked about some calls.  It isn't waiting for them yet, so nothing that it would be asked
 * about may be done any more. */
static int intercept_calls(const struct launch *l, int socket, struct croft_error *err)
{
        _cleanup_close_ int listener = -EBADF;
        struct stub_report message = {.failed = 0};
        int r = seccomp_install_listener(l->notify, &listener, err);

        if (r == -EBUSY) {
                croft_error_clear(err); /* whoever runs croft does it already: the host's answers show then */
                return 0;
        }
        if (r == 0)
                r = sock_send_packet(socket, &message, sizeof(message), &listener, 1);
        return r < 0 ? croft_error_set(err, r, "hand over the intercepted calls") : 0;
}

/* Phase 2: the cgroup namespace comes now, because by now croftd has seen to it that we are in all v1 cgroups. */
static int run(const struct launch *l, int socket, int slave, struct croft_error *err)
{
        struct become b = {
                .argv = l->spec.argv,
                .environment = l->spec.environment,
                .stdio = {slave, slave, slave},
                .session = true,
                .terminal = l->spec.console_getty,
                /* PID 1 loses a signal that comes before it looks for it.  Of our own init we know that it expects
                   this. */
                .block_signals = strcmp(l->spec.argv[0], INIT_CROFT) == 0,
                .filter = l->filter,
                .nofile = l->spec.nofile,
        };
        bool tried;
        int r;

        if (unshare(CLONE_NEWCGROUP) < 0)
                return croft_error_set(err, errno, "make the cgroup namespace");
        r = root_mount_cgroup(err);
        if (r == 0 && l->notify >= 0)
                r = intercept_calls(l, socket, err);
        if (r < 0)
                return r;
        (void)prctl(PR_SET_NAME, "init", 0, 0, 0);
        return become(&b, &tried, err);
}

void stub_main(struct launch *l, int socket)
{
        struct croft_error err = CROFT_ERROR_INIT;
        int slave = -EBADF;

        wait_go(socket);
        if (prepare(l, socket, &slave, &err) < 0)
                report(socket, NULL, 0, &err);
        wait_go(socket);
        (void)run(l, socket, slave, &err);
        report(socket, NULL, 0, &err);
        _exit(EXIT_FAILURE);
}
