/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * croft-init.c - process 1 of a partition that has no init of its own: waits for orphans, passes signals on, stops when
 * asked to.  `croft-init [--] [COMMAND ARGUMENT...]`: with a command it ends when the command does, with its status.
 *
 * Static and tiny, because there may be hundreds: no standard streams, no allocation, and it sleeps in one system call
 * until a signal comes.  Invariant: every signal is blocked, always; what arrives is taken by sigtimedwait().
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/reboot.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define GRACE_MS 2000 /* between SIGTERM and SIGKILL */
#define LOOK_MS 20    /* how often it is looked whether all have gone; only while stopping */

static pid_t command; /* 0: none, or it has ended */
static int status;    /* of the command, as a shell says it */

static void say(const char *what, const char *name)
{
        /* Failing to complain is no reason to fail: results are unused on purpose. */
        (void)!write(2, "croft-init: ", 12);
        (void)!write(2, what, strlen(what));
        (void)!write(2, name, strlen(name));
        (void)!write(2, "\n", 1);
}

static int shell_status(int wait_status)
{
        return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
}

/* Takes all that have ended.  1: the command is among them. */
static int reap(void)
{
        int wait_status, ended = 0;
        pid_t pid;

        while ((pid = waitpid(-1, &wait_status, WNOHANG)) > 0) {
                if (pid != command)
                        continue;
                status = shell_status(wait_status);
                command = 0;
                ended = 1;
        }
        return ended;
}

static void start(char **argv, const sigset_t *all)
{
        command = fork();
        if (command < 0) {
                say("can't start ", argv[0]);
                _exit(125);
        }
        if (command > 0)
                return;
        /* A session with the console as its terminal, so that ^C at the console is the command's. */
        (void)setsid();
        (void)ioctl(0, TIOCSCTTY, 0);
        (void)sigprocmask(SIG_UNBLOCK, all, NULL);
        execvp(argv[0], argv);
        say("can't run ", argv[0]);
        _exit(errno == ENOENT ? 127 : 126);
}

/* All end: the polite way, then the other.  The kernel kills what is left when we go. */
static void stop_all(const sigset_t *all)
{
        struct timespec look = {.tv_nsec = LOOK_MS * 1000000L};

        (void)kill(-1, SIGTERM);
        (void)kill(-1, SIGCONT); /* a stopped process takes its SIGTERM only when it goes on */
        for (int waited = 0; waited < GRACE_MS; waited += LOOK_MS) {
                (void)reap();
                if (kill(-1, 0) < 0 && errno == ESRCH)
                        return;
                (void)sigtimedwait(all, NULL, &look);
        }
        (void)kill(-1, SIGKILL);
        while (command > 0 && sigtimedwait(all, NULL, &look)) /* for its status */
                (void)reap();
}

/* 1: stop, 2: reboot, 0: go on. */
static int take(int sig)
{
        if (sig == SIGCHLD)
                return reap();
        if (sig == SIGTERM || sig == SIGPWR || sig == SIGRTMIN + 3)
                return 1;
        if (sig == SIGINT)
                return 2;
        if (command > 0)
                (void)kill(command, sig);
        return 0;
}

int main(int argc, char **argv)
{
        sigset_t all;
        int what = 0;

        (void)argc;
        argv++;
        if (*argv && strcmp(*argv, "--") == 0)
                argv++;
        sigfillset(&all);
        (void)sigprocmask(SIG_BLOCK, &all, NULL);
        if (*argv)
                start(argv, &all);
        while (!what) {
                int sig = sigwaitinfo(&all, NULL);

                if (sig > 0)
                        what = take(sig);
        }
        stop_all(&all);
        if (what == 2) /* in a pid namespace: ends us by SIGHUP, and so croftd knows */
                (void)reboot(RB_AUTOBOOT);
        return status;
}
