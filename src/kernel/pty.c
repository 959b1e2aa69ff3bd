/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * pty.c - pseudo terminals.  See pty.h.
 */
#include "kernel/pty.h"

#include "base/cleanup.h"
#include "base/fd.h"

#include <linux/magic.h>
#include <linux/openat2.h>
#include <sys/ioctl.h>
#include <sys/statfs.h>

int pty_open(int dev_pts_fd, int *ret_master, int *ret_slave, unsigned int *ret_index, struct croft_error *err)
{
        _cleanup_close_ int master = -EBADF, slave = -EBADF;
        unsigned int index;
        struct statfs fs;
        int unlock = 0;

        if (fstatfs(dev_pts_fd, &fs) < 0 || fs.f_type != DEVPTS_SUPER_MAGIC)
                return croft_error_set(err, ENODEV, "/dev/pts is no devpts.");
        master = fd_open2(dev_pts_fd, "ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK, 0,
                RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
        if (master < 0)
                return croft_error_set(err, master, "open a terminal");
        if (ioctl(master, TIOCSPTLCK, &unlock) < 0 || ioctl(master, TIOCGPTN, &index) < 0)
                return croft_error_set(err, errno, "unlock a terminal");
        /* By the master, not by the name: nobody can have put another file there. */
        slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
        if (slave < 0)
                return croft_error_set(err, errno, "open a terminal's other end");
        *ret_master = TAKE_FD(master);
        *ret_slave = TAKE_FD(slave);
        *ret_index = index;
        return 0;
}

int pty_resize(int master, uint16_t rows, uint16_t columns)
{
        struct winsize size = {.ws_row = rows, .ws_col = columns};

        return ioctl(master, TIOCSWINSZ, &size) < 0 ? -errno : 0;
}
