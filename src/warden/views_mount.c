/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * views_mount.c - makes the file system of the views and a mount of each file, in a warden that waits for its
 * partition: at its start they have only to be attached.
 *
 * To mount a file it must be looked up, and the one who answers can't be the one who asks.  So a child looks, in a
 * mount namespace of its own, and hands back the mounts.  It has no copy of the session: when the warden dies, the
 * session ends and the child's question with it.
 */
#include "base/cleanup.h"
#include "base/sock.h"
#include "kernel/fuse.h"
#include "kernel/mount.h"
#include "kernel/ns.h"
#include "kstat/views_memory.h"
#include "warden/views.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define PATIENCE_MS 5000

/* The first OPEN, FLUSH and GETXATTR are answered with ENOSYS, and the kernel never asks again.  That must be over
 * before a partition sees the files: a FLUSH that nobody answers can't be killed. */
static int exhaust(int mount_fd)
{
        _cleanup_close_ int file = openat(mount_fd, "0", O_RDONLY | O_CLOEXEC);
        _cleanup_close_ int directory = openat(mount_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        return file < 0 || directory < 0 ? -errno : 0;
}

/* The child: never returns. */
static void look(int mount_fd, int socket)
{
        _cleanup_close_ int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        struct croft_error err = CROFT_ERROR_INIT;

        if (root < 0 || mount_make_private(&err) < 0 || mount_attach(mount_fd, root) < 0 || exhaust(mount_fd) < 0)
                _exit(EXIT_FAILURE);
        for (size_t i = 0; views_mount_path(i); i++) {
                char name[24];
                int fd;

                (void)snprintf(name, sizeof(name), "%zu", i);
                fd = mount_clone(mount_fd, name);
                if (fd < 0 || sock_send_packet(socket, "m", 1, &fd, 1) < 0)
                        _exit(EXIT_FAILURE);
                close_fd(fd);
        }
        _exit(EXIT_SUCCESS);
}

static int take_mount(struct views *v, int socket, size_t *n)
{
        _cleanup_(sock_packet_done) struct sock_packet p = {0};
        int r = sock_receive_packet(socket, 1, &p);

        if (r <= 0)
                return r;
        if (p.n_fds != 1 || *n >= VIEWS_MOUNTS_MAX)
                return -EBADMSG;
        v->mounts[(*n)++] = sock_packet_take_fd(&p, 0);
        return 1;
}

/* Answers the child until it has ended. */
static int serve_child(struct views *v, int socket)
{
        size_t n = 0;

        for (;;) {
                struct pollfd p[] = {{.fd = v->device, .events = POLLIN}, {.fd = socket, .events = POLLIN}};
                int r = poll(p, ELEMENTS(p), PATIENCE_MS);

                if (r < 0 && errno == EINTR)
                        continue;
                if (r <= 0)
                        return r < 0 ? -errno : -ETIMEDOUT;
                if (p[0].revents && !views_serve(v))
                        return -ENODEV;
                r = p[1].revents ? take_mount(v, socket, &n) : 1;
                if (r < 0)
                        return r;
                if (r == 0)
                        return views_mount_path(n) ? -ECONNRESET : 0;
        }
}

static int mount_all(struct views *v, int mount_fd, struct croft_error *err)
{
        _cleanup_close_ int ours = -EBADF, theirs = -EBADF, pidfd = -EBADF;
        int pair[2], r;
        pid_t pid;

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return croft_error_set(err, errno, "make a socket to look at the views");
        ours = pair[0];
        theirs = pair[1];
        pid = ns_clone(CLONE_NEWNS, -1, &pidfd);
        if (pid == 0) {
                close_fd(v->device);
                close_fd(ours);
                look(mount_fd, theirs);
        }
        if (pid < 0)
                return croft_error_set(err, pid, "make a process to look at the views");
        theirs = close_fd(theirs);
        r = serve_child(v, ours);
        if (r < 0) {
                (void)syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
                v->device = close_fd(v->device); /* ends what it waits for */
        }
        (void)TEMP_FAILURE_RETRY(waitid(P_PIDFD, (id_t)pidfd, NULL, WEXITED));
        return r < 0 ? croft_error_set(err, r, "look at the views") : 0;
}

static int prepare(struct views *v, struct croft_error *err)
{
        _cleanup_close_ int mount_fd = -EBADF;

        v->memory = views_memory_new(&v->area, err);
        if (v->memory < 0)
                return v->memory;
        v->device = fuse_open(err);
        if (v->device < 0)
                return v->device;
        mount_fd = fuse_mount(v->device, err);
        if (mount_fd < 0)
                return mount_fd;
        if (!views_serve(v))
                return croft_error_set(err, ENODEV, "begin a FUSE session");
        return mount_all(v, mount_fd, err);
}

int views_prepare(struct views *v, struct croft_error *err)
{
        int r = prepare(v, err);

        if (r < 0)
                views_done(v);
        return r;
}
