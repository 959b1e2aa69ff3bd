/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * pty.h - pseudo terminals of a given devpts instance, without trusting names.
 */
#ifndef CROFT_KERNEL_PTY_H
#define CROFT_KERNEL_PTY_H

#include <croft/error.h>
#include <stdint.h>

/* Opens a new pair in the devpts that dev_pts_fd (a directory) is; -ENODEV when it isn't one.  The caller closes both.
 * *ret_index: the name of the terminal in it. */
int pty_open(int dev_pts_fd, int *ret_master, int *ret_slave, unsigned int *ret_index, struct croft_error *err);

/* Sets the size; the foreground process group gets SIGWINCH.  0 or a negative errno. */
int pty_resize(int master, uint16_t rows, uint16_t columns);

#endif
