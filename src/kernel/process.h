/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * process.h - processes held by pidfd, and the proof that a number still means the process it meant.
 */
#ifndef CROFT_KERNEL_PROCESS_H
#define CROFT_KERNEL_PROCESS_H

#include <croft/error.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Field 22 of /proc/PID/stat; with the pid it names a process until the next boot.  0 or a negative errno. */
int process_start_time(pid_t pid, uint64_t *ret);

/* A pidfd of the process that is pid AND began at start_time; -ESRCH when that one is gone (or a zombie).  The caller
 * closes it. */
int process_open(pid_t pid, uint64_t start_time);

/* The pid that a pidfd stands for in our namespace; -ESRCH when it is gone or out of sight, -EBADF: no pidfd. */
int process_of_pidfd(int pidfd, pid_t *ret);

/* Is the process in that directory of the unified hierarchy or below?  path: as in the 0:: line of /proc/PID/cgroup,
 * only its end is compared: "/croft.<tag>/<id>". */
bool process_in_cgroup(pid_t pid, const char *tail);

/* Waits until the process has ended: 0, -ETIMEDOUT.  A negative pidfd counts as ended. */
int process_wait(int pidfd, int timeout_ms);
bool process_ended(int pidfd);

/* pidfd_send_signal(2); a process that is gone already is success. */
int process_signal(int pidfd, int signal);

/* Takes the exit status away if the process is our child and has ended: true and *ret as in warden_state (code << 8 |
 * status; ret may be NULL). */
bool process_reap(int pidfd, int64_t *ret);

/* Gives the process the usual place in the order of the OOM killer, whatever croftd's own is (it inherited that). */
void process_usual_oom(pid_t pid);

/* Lowers the hard limit of open files of a process of our own user to `hard`; one that is lower stays. */
int process_lower_nofile(pid_t pid, uint64_t hard, struct croft_error *err);

/* The signals that the process has handlers for (SigCgt), and those that it blocks (SigBlk), which may wait on a
 * signalfd; but a shell blocks all for a moment whenever it starts a program.  Bit n-1 is signal n. */
int process_signals(pid_t pid, uint64_t *caught, uint64_t *blocked);

/* Is it in sigwaitinfo(2) or the like?  As long as it is, the kernel shows what it waits for as not blocked. */
bool process_waits_for_signal(pid_t pid);

#endif
