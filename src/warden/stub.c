/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * stub.c - PID 1 of a partition before it is init.  See launch.h for the conversation with the warden.
 *
 * Runs no byte of the partition and reads none but directory entries, until it executes init.
 */
#include "base/cleanup.h"
#include "kernel/affinity.h"
#include "kernel/mount.h"
#include "kernel/ns.h"
#include "kernel/seccomp.h"
#include "partition/init_command.h"
#include "warden/become.h"
#include "warden/launch.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* Waits for the warden; the end of it is ours. */
static void wait_go(int socket)
{
        char go;

        if (TEMP_FAILURE_RETRY(recv(socket, &go, 1, 0)) != 1)
                _exit(EXIT_FAILURE);
}

/* The same, and joins the v1 control groups that came along: false if it can't.  croftd looks, and moves us then. */
static bool wait_and_join(int socket)
{
        _cleanup_(sock_packet_done) struct sock_packet packet = {0};

        if (sock_receive_packet(socket, 1, &packet) != 1)
                _exit(EXIT_FAILURE);
        return cgroup_join_v1(packet.fds, packet.n_fds) == 0;
}

static void report(int socket, const struct stub_report *r, int fd)
{
        (void)sock_send_packet(socket, r, sizeof(*r), &fd, fd < 0 ? 0 : 1); /* gone: wait_go() sees it */
}

static void say(int socket, enum stub_word word, int fd)
{
        const struct stub_report r = {.word = word};

        report(socket, &r, fd);
}

__attribute__((noreturn)) static void fail(int socket, const struct croft_error *err)
{
        const struct stub_report report = {.word = STUB_FAILED, .error = *err};

        (void)sock_send_packet(socket, &report, sizeof(report), NULL, 0);
        _exit(EXIT_FAILURE);
}

static int make_namespaces(const struct launch *l, int tell, struct croft_error *err)
{
        int r;

        if (unshare(CLONE_NEWUTS | CLONE_NEWIPC | (l->spec.own_network ? CLONE_NEWNET : 0)) < 0)
                return croft_error_set(err, errno, "make the uts, ipc and network namespaces");
        (void)eventfd_write(tell, 1); /* it is open and empty */
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

static void give_mount(int socket, enum stub_word word, const char *type, uint64_t attributes)
{
        struct croft_error err = CROFT_ERROR_INIT;
        _cleanup_close_ int fd = mount_new(type, NULL, attributes, &err);

        if (fd < 0)
                fail(socket, &err);
        say(socket, word, fd);
}

/* The mounter: never returns.  When `told` counts, PID 1 has its network namespace. */
static void mount_own(const struct launch *l, int socket, int told)
{
        _cleanup_close_ int pidfd = -EBADF;
        struct croft_error err = CROFT_ERROR_INIT;
        eventfd_t count;

        give_mount(socket, STUB_PROC, "proc", NSNDNX);
        if (!l->spec.own_network || eventfd_read(told, &count) < 0)
                _exit(EXIT_SUCCESS);
        pidfd = (int)syscall(SYS_pidfd_open, getppid(), 0);
        if (pidfd < 0 || setns(pidfd, CLONE_NEWNET) < 0) {
                (void)croft_error_set(&err, errno, "enter the new network namespace");
                fail(socket, &err);
        }
        give_mount(socket, STUB_SYS, "sysfs", NSNDNX | MOUNT_ATTR_RDONLY);
        _exit(EXIT_SUCCESS);
}

/* A proc of our pid namespace can only be made in it, and only in a mount namespace that our user namespace owns; but
 * our own must stay the warden's until it has covered files of that proc, for only our copy of them is locked.  So a
 * child makes it in a namespace that goes with it, first of all, because there is much to be covered.  Then it waits
 * for `tell` to make a sysfs: an eventfd, because a socket or a pipe would wake it on our CPU, where we go on. */
static int start_mounter(const struct launch *l, int socket, int tell, pid_t *ret, struct croft_error *err)
{
        pid_t pid;

        if (l->cpu >= 0)
                affinity_let_run(0);
        pid = ns_clone(CLONE_NEWNS, -1, NULL);
        if (pid == 0)
                mount_own(l, socket, tell);
        if (l->cpu >= 0) {
                if (pid > 0)
                        (void)affinity_keep_off_ours(pid); /* or it works when it is woken, and we wait */
                (void)affinity_stay(l->cpu);
        }
        *ret = pid;
        return pid < 0 ? croft_error_set(err, pid, "make a process to mount /proc") : 0;
}

/* From here on the warden is asked about some calls.  It isn't waiting for them yet, so nothing that it would be asked
 * about may be done any more. */
static int intercept_calls(const struct launch *l, int socket, struct croft_error *err)
{
        _cleanup_close_ int listener = -EBADF;
        int r = l->notify < 0 ? 0 : seccomp_install_listener(l->notify, &listener, err);

        if (r == -EBUSY) {
                croft_error_clear(err); /* whoever runs croft does it already: the host's answers show then */
                return 0;
        }
        if (listener >= 0)
                say(socket, STUB_LISTENER, listener);
        return r;
}

static struct become make_become(const struct launch *l)
{
        return (struct become){
                .argv = l->spec.argv,
                .environment = l->spec.environment,
                .session = true,
                .terminal = l->spec.console_getty,
                /* PID 1 loses a signal that comes before it looks for it.  Of our own init we know that it expects
                   this. */
                .block_signals = strcmp(l->spec.argv[0], INIT_CROFT) == 0,
                .filter = l->filter,
                .nofile = l->spec.nofile,
        };
}

/* Up to the warden's word that the stage is set; while it covers files, what can be done ahead. */
static int prepare_namespaces(
        struct launch *l, int socket, const struct become *b, pid_t *ret_mounter, struct croft_error *err)
{
        _cleanup_close_ int tell = eventfd(0, EFD_CLOEXEC);
        int r = tell < 0 ? croft_error_set(err, errno, "make an eventfd") : become_root(err);

        if (r < 0)
                return r;
        /* Our own /proc/self files would be the host root's otherwise.  Nobody else is in here yet. */
        (void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
        r = start_mounter(l, socket, tell, ret_mounter, err);
        if (r == 0)
                r = make_namespaces(l, tell, err);
        if (r == 0)
                r = become_prepare(b, err);
        if (r == 0)
                r = intercept_calls(l, socket, err);
        if (r < 0)
                return r;
        l->joined = wait_and_join(socket);
        return unshare(CLONE_NEWNS) < 0 ? croft_error_set(err, errno, "make the mount namespace") : 0;
}

static int enter_cgroup(int root, struct croft_error *err)
{
        if (unshare(CLONE_NEWCGROUP) < 0)
                return croft_error_set(err, errno, "make the cgroup namespace");
        return root_mount_cgroup(root, err);
}

static int confine(const struct become *b, struct croft_error *err)
{
        (void)prctl(PR_SET_NAME, "init", 0, 0, 0);
        return become_confine(b, err);
}

/* Phase 1, up to READY and beyond: croftd has its own to do after it, and what follows can hardly fail. */
static int prepare(struct launch *l, int socket, struct become *b, struct croft_error *err)
{
        _cleanup_close_ int root = -EBADF, master = -EBADF;
        struct stub_report ready = {.word = STUB_READY};
        pid_t mounter = 0;
        int r = prepare_namespaces(l, socket, b, &mounter, err), slave = -EBADF;

        root = r < 0 ? r : root_build(l, &master, &slave, err);
        if (root < 0)
                return root;
        r = l->joined ? enter_cgroup(root, err) : 0;
        if (r < 0)
                return r;
        /* The one of cgroups was the last. */
        ready.last_mount = l->joined ? mount_unique_id(root, "sys/fs/cgroup") : 0;
        report(socket, &ready, master);
        for (size_t i = 0; i < ELEMENTS(b->stdio); i++)
                b->stdio[i] = slave;
        r = mount_pivot(root, err);
        /* As systemd has it on a machine, and expects of who boots it in a container: a file system that is unmounted
         * would stay in the mount namespaces of services that were started meanwhile. */
        if (r == 0)
                r = mount_make_shared(err);
        if (r == 0 && l->joined)
                r = confine(b, err);
        /* It has long been done, but needed a CPU to end on. */
        (void)TEMP_FAILURE_RETRY(waitpid(mounter, NULL, 0));
        return r;
}

/* What had to wait for croftd, which by now has moved us into those v1 cgroups that we couldn't join ourselves. */
static int join_late(const struct become *b, struct croft_error *err)
{
        _cleanup_close_ int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        int r = root < 0 ? croft_error_set(err, errno, "open '/'") : enter_cgroup(root, err);

        return r < 0 ? r : confine(b, err);
}

void stub_main(struct launch *l, int socket)
{
        struct croft_error err = CROFT_ERROR_INIT;
        struct become b = make_become(l);

        wait_go(socket);
        if (prepare(l, socket, &b, &err) < 0)
                fail(socket, &err);
        wait_go(socket);
        if (l->cpu >= 0)
                affinity_let_run(0);
        if (l->joined || join_late(&b, &err) == 0)
                (void)become_run(&b, &err);
        fail(socket, &err);
}
