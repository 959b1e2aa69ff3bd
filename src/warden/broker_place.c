/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * broker_place.c - what making a mount for a partition takes, whatever it is of: what the caller's words lead to, a
 * root of our own, and the locks.
 */
#include "warden/broker_mount.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/sock.h"
#include "kernel/mount.h"
#include "kernel/ns.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>

/* Not from <sys/mount.h>: it clashes with <linux/mount.h>. */
#define FLAG_NOEXEC 8UL
#define FLAG_NOSYMFOLLOW 256UL

static int send_both(struct behalf *who, const struct mount_arguments *m, mount_opener *open_both, int channel)
{
        int fds[2], r = behalf_become(who);

        if (r == 0)
                r = open_both(m, fds);
        return r < 0 ? -r : -sock_send_packet(channel, "f", 1, fds, 2);
}

int mount_look_up(struct behalf *who, const struct mount_arguments *m, mount_opener *open_both, int ret[2])
{
        _cleanup_(sock_packet_done) struct sock_packet p = {.size = 0};
        _cleanup_close_ int ours = -EBADF;
        int pair[2], channel, r;
        pid_t pid;

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return -errno;
        ours = pair[0];
        channel = behalf_keep(who, pair[1]);
        pid = behalf_clone(who);
        if (pid == 0)
                _exit(send_both(who, m, open_both, channel));
        close_fd(pair[1]);
        if (pid < 0)
                return (int)pid;
        close_fd(who->files[--who->n_files].fd); /* the last copy of their end is the child's */
        r = mount_await(pid);
        if (r == 0 && sock_receive_packet(ours, 1, &p) <= 0)
                r = -EIO;
        if (r == 0 && p.n_fds != 2)
                r = -EIO;
        if (r < 0)
                return r;
        ret[0] = sock_packet_take_fd(&p, 0);
        ret[1] = sock_packet_take_fd(&p, 1);
        return 0;
}

int mount_enter_root(void)
{
        static const char *const options[] = {"mode=700", "size=64k", NULL};
        _cleanup_close_ int root = -EBADF, old = -EBADF;
        int r;

        if (unshare(CLONE_NEWNS) < 0)
                return -errno;
        r = mount_make_private(NULL);
        if (r < 0)
                return r;
        root = mount_new("tmpfs", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, NULL);
        old = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (root < 0 || old < 0)
                return root < 0 ? root : -errno;
        r = mount_attach(root, old);
        return r < 0 ? r : mount_pivot(root, NULL);
}

int mount_lock(const char *path)
{
        _cleanup_close_ int pidfd = -EBADF;
        pid_t pid = ns_clone(CLONE_NEWUSER | CLONE_NEWNS, -1, &pidfd);
        int r;

        if (pid == 0) {
                (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
                for (;;)
                        (void)pause();
        }
        if (pid < 0)
                return (int)pid;
        r = ns_enter(pidfd, CLONE_NEWNS);
        if (r == 0)
                r = mount_clone_tree(AT_FDCWD, path);
        (void)kill(pid, SIGKILL); /* our own child, not yet waited for */
        (void)mount_await(pid);
        return r;
}

uint64_t mount_flags_to_attributes(unsigned long flags)
{
        return (flags & MOUNT_FLAG_RDONLY ? MOUNT_ATTR_RDONLY : 0) | (flags & FLAG_NOEXEC ? MOUNT_ATTR_NOEXEC : 0) |
               (flags & FLAG_NOSYMFOLLOW ? MOUNT_ATTR_NOSYMFOLLOW : 0);
}

int mount_hand_over(const struct behalf *who, int mount, int target)
{
        return setns(who->ns[BEHALF_MNT], CLONE_NEWNS) < 0 ? -errno : mount_attach(mount, target);
}
