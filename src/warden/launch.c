/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * launch.c - the warden's side of making PID 1.  See launch.h.
 */
#include "warden/launch.h"

#include "base/cleanup.h"
#include "base/steps.h"
#include "base/str.h"
#include "kernel/affinity.h"
#include "kernel/mount.h"
#include "kernel/ns.h"
#include "partition/ids.h"
#include "warden/become.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

void launch_init(struct launch *l)
{
        *l = (struct launch){.cgroup = -EBADF,
                .filter = -EBADF,
                .notify = -EBADF,
                .listener = -EBADF,
                .stub = -EBADF,
                .cpu = -1,
                .pidfd = -EBADF,
                .netns = -EBADF,
                .console = -EBADF,
                .dev = -EBADF};
        stage_init(&l->stage);
}

void launch_done(struct launch *l)
{
        launch_spec_done(&l->spec);
        for (size_t i = 0; i < l->n_shares; i++) {
                close_fd(l->shares[i].fd);
                free(l->shares[i].path);
        }
        stage_done(&l->stage);
        close_fd(l->cgroup);
        close_fd(l->filter);
        close_fd(l->notify);
        close_fd(l->listener);
        close_fd(l->stub);
        close_fd(l->pidfd);
        close_fd(l->netns);
        close_fd(l->console);
        close_fd(l->dev);
        launch_init(l);
}

#define SHARE_PREFIX "share:"

static int take_shares(struct launch *l, struct warden_packet *p, struct croft_error *err)
{
        for (size_t i = 0; p->roles && p->roles[i]; i++) {
                const char *path = p->roles[i] + strlen(SHARE_PREFIX);

                if (!str_has_prefix(p->roles[i], SHARE_PREFIX))
                        continue;
                if (l->n_shares == LAUNCH_SHARES_MAX)
                        return croft_error_set(err, E2BIG, "more than %d shared directories.", LAUNCH_SHARES_MAX);
                l->shares[l->n_shares].path = strdup(path);
                if (!l->shares[l->n_shares].path)
                        return croft_error_set(err, ENOMEM, "note share '%s'", path);
                l->shares[l->n_shares++].fd = sock_packet_take_fd(&p->packet, i);
        }
        return 0;
}

int launch_prepare(struct launch *l, struct croft_error *err)
{
        l->apart = affinity_is_free(0);
        return stage_enter(&l->stage, err);
}

int launch_take(struct launch *l, struct warden_packet *p, struct croft_error *err)
{
        struct {
                const char *role;
                int *fd;
                bool optional;
        } table[] = {{"lower", &l->stage.lower, false}, {"rw", &l->stage.rw, false}, {"tools", &l->stage.tools, true},
                {"programs", &l->stage.programs, true}, {"filter", &l->filter, false},
                {"notify-filter", &l->notify, true}};
        int r;

        r = launch_spec_get(&p->body, &l->spec);
        if (r < 0)
                return croft_error_set(err, r, "read the launch message");
        for (size_t i = 0; i < ELEMENTS(table); i++) {
                *table[i].fd = warden_packet_take_fd(p, table[i].role);
                if (*table[i].fd < 0 && !table[i].optional)
                        return croft_error_set(
                                err, EBADMSG, "the launch message lacks descriptor '%s'.", table[i].role);
        }
        r = take_shares(l, p, err);
        crash_point("launch", "stage", "");
        return r < 0 ? r : stage_make(&l->stage, l, err);
}

static int say_go_with(const struct launch *l, const int *fds, size_t n, struct croft_error *err)
{
        int r = sock_send_packet(l->stub, "g", 1, fds, n);

        return r < 0 ? croft_error_set(err, r == -EPIPE ? -ESRCH : r, "the process that is to become init has died.")
                     : 0;
}

static int say_go(const struct launch *l, struct croft_error *err)
{
        return say_go_with(l, NULL, 0, err);
}

/* With the v1 control groups that it is to be in, if there are any. */
static int say_stage_is_set(const struct launch *l, struct croft_error *err)
{
        int fds[CGROUP_HIERARCHIES_MAX];
        size_t n = 0;
        int r = l->spec.joins ? l->wait_join(fds, &n, l->context, err) : 0;

        if (r == 0)
                r = say_go_with(l, fds, n, err);
        while (n > 0)
                close_fd(fds[--n]);
        return r;
}

/* 1: a report, of which the descriptor has been put where it belongs.  0: end of file. */
static int hear(struct launch *l, enum stub_word *ret, struct croft_error *err)
{
        int *const places[STUB_WORDS] = {[STUB_PROC] = &l->stage.proc,
                [STUB_SYS] = &l->stage.sys,
                [STUB_LISTENER] = &l->listener,
                [STUB_READY] = &l->console};
        _cleanup_(sock_packet_done) struct sock_packet p = {0};
        struct stub_report report;
        int r = sock_receive_packet(l->stub, sizeof(report), &p);

        if (r == 0 || r == -ECONNRESET) /* reset: it died without having read what we said */
                return 0;
        if (r < 0 || p.size != sizeof(report))
                return croft_error_set(err, r < 0 ? r : -EBADMSG, "hear from the process that is to become init");
        memcpy(&report, p.data, sizeof(report));
        if (report.word == STUB_FAILED || report.word >= STUB_WORDS)
                return croft_error_copy(err, &report.error);
        close_fd(*places[report.word]);
        if (report.word == STUB_READY)
                l->last_mount = report.last_mount;
        *places[report.word] = p.n_fds == 1 ? sock_packet_take_fd(&p, 0) : -EBADF;
        *ret = report.word;
        return 1;
}

/* The stub, in a user and a pid namespace of its own.  The others it makes itself, while we stage its root. */
static int clone_stub(struct launch *l, struct croft_error *err)
{
        int pair[2];
        pid_t pid;

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return croft_error_set(err, errno, "make a socket to the new process");
        l->cpu = l->apart ? affinity_stay(-1) : -1; /* and the stub, which inherits that */
        pid = ns_clone_owned(partition_owner(l->spec.uid_base), CLONE_NEWPID, l->cgroup, &l->pidfd);
        if (pid == 0) {
                close_fd(pair[0]);
                if (l->views)
                        views_forget(l->views);
                stub_main(l, pair[1]);
        }
        close_fd(pair[1]);
        l->stub = pair[0];
        if (pid < 0)
                return croft_error_set(err, pid, "clone into the user and pid namespaces");
        l->pid = pid;
        become_ordinary(pid);
        return 0;
}

/* What /proc tells of the stub, while we still see it.  The stub makes its network namespace meanwhile: that is opened
 * later, through *ret_namespaces. */
static int identify(struct launch *l, int *ret_namespaces, struct croft_error *err)
{
        int r = ns_start_time(l->pid, &l->start_time);

        if (r < 0)
                return croft_error_set(err, r, "read the start time of process %d", (int)l->pid);
        *ret_namespaces = ns_open_all(l->pid);
        return *ret_namespaces < 0 ? croft_error_set(err, *ret_namespaces, "look at the new namespaces") : 0;
}

/* A stub that isn't wanted any more. */
static void kill_stub(struct launch *l)
{
        if (l->pidfd < 0)
                return;
        (void)syscall(SYS_pidfd_send_signal, l->pidfd, SIGKILL, NULL, 0); /* ESRCH: it has gone by itself */
        (void)TEMP_FAILURE_RETRY(waitid(P_PIDFD, (id_t)l->pidfd, NULL, WEXITED));
        l->pidfd = close_fd(l->pidfd);
}

int launch_isolate(struct croft_error *err)
{
        if (unshare(CLONE_NEWNS) < 0)
                return croft_error_set(err, errno, "make a private mount namespace");
        return mount_make_private(err);
}

/* Killed from elsewhere: by the memory limit, or because cgroup.kill was once written to its cgroup, into which kernels
 * from 6.14 on (and stable ones of 2025) then clone nothing but processes that are killed at once. */
static int stub_died(struct launch *l, struct croft_error *err)
{
        siginfo_t si = {0};

        (void)TEMP_FAILURE_RETRY(waitid(P_PIDFD, (id_t)l->pidfd, &si, WEXITED | WNOWAIT));
        if (si.si_code == CLD_KILLED && si.si_status == SIGKILL)
                return croft_error_set(err, ESRCH,
                        "the process that is to become init was killed (is memory.max too low, "
                        "or was its cgroup killed and not made anew?).");
        return croft_error_set(err, ESRCH, "the process that is to become init has died.");
}

/* Until it has said that; it and those that help it say some things in any order. */
static int wait_for(struct launch *l, enum stub_word word, const int *fd, struct croft_error *err)
{
        enum stub_word heard = STUB_FAILED;
        int r;

        while (*fd < 0) {
                r = hear(l, &heard, err);
                if (r <= 0)
                        return r == 0 ? stub_died(l, err) : r;
                if (heard == word && *fd < 0)
                        return croft_error_set(err, EBADMSG, "there came no descriptor.");
        }
        return 0;
}

/* A proc, and with a network of its own a sysfs.  The first is covered while the stub makes the network. */
static int take_mounts(struct launch *l, struct stage *stage, struct croft_error *err)
{
        int r = wait_for(l, STUB_PROC, &stage->proc, err);

        if (r == 0)
                r = stage_cover_proc(stage, l, err);
        if (r == 0 && l->spec.own_network)
                r = wait_for(l, STUB_SYS, &stage->sys, err);
        return r < 0 ? r : stage_cover_sys(stage, l, err);
}

/* The warden's share of phase 1: the stub builds its root from what is staged here. */
static int prepare_stub(struct launch *l, struct stage *stage, int *ret_namespaces, struct croft_error *err)
{
        _cleanup_close_ int userns = ns_open(l->pid, "user");
        int r;

        if (userns < 0)
                return croft_error_set(err, userns, "open the user namespace");
        crash_point("launch", "attach", "");
        r = stage_attach(stage, l, userns, err);
        crash_point("launch", "root", "");
        if (r == 0)
                r = identify(l, ret_namespaces, err);
        if (r == 0)
                r = take_mounts(l, stage, err);
        return r;
}

static int load(struct launch *l, struct croft_error *err)
{
        _cleanup_close_ int namespaces = -EBADF;
        int r;

        crash_point("launch", "clone", "");
        l->covered = l->views && views_are_there(l->views);
        r = clone_stub(l, err);
        crash_point("launch", "maps", "");
        if (r == 0)
                r = ns_write_maps(l->pid, l->spec.uid_base, l->spec.uid_count, err);
        if (l->cpu >= 0)
                affinity_keep_off(l->cpu);
        if (r == 0)
                r = say_go(l, err);
        if (r == 0)
                r = prepare_stub(l, &l->stage, &namespaces, err);
        if (r == 0)
                r = say_stage_is_set(l, err);
        if (r == 0)
                l->born(l, l->context);
        /* The stub copies the staged mounts and builds its root from them. */
        if (r == 0)
                r = wait_for(l, STUB_READY, &l->console, err);
        if (r < 0)
                return r;
        l->netns = openat(namespaces, "net", O_RDONLY | O_CLOEXEC);
        crash_point("launch", "loaded", "");
        return l->netns < 0 ? croft_error_set(err, errno, "open the network namespace") : 0;
}

int launch_load(struct launch *l, struct warden_packet *p, struct croft_error *err)
{
        int r;

        l->cgroup = warden_packet_take_fd(p, "cgroup");
        if (l->cgroup < 0)
                return croft_error_set(err, EBADMSG, "the message lacks descriptor 'cgroup'.");
        r = load(l, err);
        l->dev = TAKE_FD(l->stage.dev);
        stage_done(&l->stage);
        if (r < 0)
                kill_stub(l);
        return r;
}

int launch_leave(struct croft_error *err)
{
        static const char *const options[] = {"mode=555", "size=4k", "nr_inodes=1", NULL};
        _cleanup_close_ int root = -EBADF, old = -EBADF;
        int r;

        root = mount_new(
                "tmpfs", options, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, err);
        if (root < 0)
                return croft_error_prefix(err, "make an empty root");
        old = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        r = old < 0 ? -errno : mount_attach(root, old);
        if (r < 0)
                return croft_error_set(err, r, "attach the empty root");
        return mount_pivot(root, err);
}

int launch_go(struct launch *l, struct croft_error *err)
{
        crash_point("launch", "run", "");
        return say_go(l, err);
}

int launch_wait(struct launch *l, struct croft_error *err)
{
        enum stub_word word;
        int r;

        crash_point("launch", "running", "");
        /* End of file: execve has closed the other end. */
        do
                r = hear(l, &word, err);
        while (r > 0 && word == STUB_LISTENER);
        if (r > 0)
                r = croft_error_set(err, EBADMSG, "init said something unexpected.");
        l->stub = close_fd(l->stub);
        return r;
}
