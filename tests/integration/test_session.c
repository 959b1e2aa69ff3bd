/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_session.c - commands executed in a running partition.  The test plays croftd and the client.
 *
 * where: here guest
 */
#include "warden_kit.h"

#include "base/fd.h"

#include <croft/stream.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

static struct kit k;
static char out[1 << 20], errout[1 << 16];

static int begin(char *const *argv, char *const *environment, const char *user, const char *directory, bool terminal)
{
        struct exec_spec spec = {.id = 42,
                .uid_base = KIT_UID_BASE,
                .uid_count = 65536,
                .argv = (char **)(uintptr_t)argv,
                .environment = (char **)(uintptr_t)environment,
                .directory = (char *)(uintptr_t)directory,
                .terminal = terminal,
                .rows = terminal ? 11 : 0,
                .columns = terminal ? 22 : 0};

        snprintf(spec.user, sizeof(spec.user), "%s", user ? user : "");
        return kit_exec(&k, &spec);
}

static int shell(const char *script, const char *user, bool terminal)
{
        char *argv[] = {(char[]){"sh"}, (char[]){"-c"}, (char *)(uintptr_t)script, NULL};

        return begin(argv, NULL, user, "", terminal);
}

/* Runs it to its end; out and errout have its output. */
static int run(const char *script, const char *user, bool terminal)
{
        _cleanup_close_ int fd = shell(script, user, terminal);

        return kit_collect(fd, out, sizeof(out), errout, sizeof(errout));
}

static void shows(const char *expected, const char *claim)
{
        if (!ok(strstr(out, expected) != NULL, "%s", claim))
                printf("# no '%s' in '%.900s' / '%.900s'\n", expected, out, errout);
}

/* The partition's first program is a shell that becomes `sleep`; a command may be faster. */
#define WAIT_FOR_INIT "i=0; while [ $(cat /proc/1/comm) = sh ] && [ $i -lt 500 ]; do sleep 0.02; i=$((i + 1)); done;"

static void command_runs_in_all_namespaces(void)
{
        int status = run(WAIT_FOR_INIT
                "echo host $(hostname); echo pid1 $(cat /proc/1/comm); echo up $(cat /proc/uptime); readlink "
                "/proc/self/root;"
                "for n in mnt pid net uts ipc user cgroup time; do [ $(readlink /proc/self/ns/$n) = $(readlink "
                "/proc/1/ns/$n) ] "
                "&& echo same $n; done; grep ^0:: /proc/self/cgroup; ls /proc/$$/fd >/tmp/fds; echo fds $(cat "
                "/tmp/fds); "
                "grep -E 'CapBnd|Seccomp:|NoNewPrivs' /proc/self/status; echo init $(grep CapBnd /proc/1/status)",
                NULL, false);
        char bound[64] = "", *p = strstr(out, "CapBnd:\t");

        ok(status == 0, "a command runs and ends with 0");
        shows("host inside.example", "it sees the partition's host name");
        shows("pid1 sleep", "and its processes");
        for (size_t i = 0; i < 8; i++) {
                static const char *const names[] = {"mnt", "pid", "net", "uts", "ipc", "user", "cgroup", "time"};
                char expected[32], claim[64];

                snprintf(expected, sizeof(expected), "same %s\n", names[i]);
                snprintf(claim, sizeof(claim), "it is in the partition's %s namespace", names[i]);
                shows(expected, claim);
        }
        shows("\n0::/", "it is in the partition's cgroup");
        shows("fds 0 1 10 2\n", "it has the standard descriptors (10 is its shell's own), and none of ours");
        shows("Seccomp:\t2", "the system call filter is in force");
        shows("NoNewPrivs:\t0", "new privileges are possible");
        if (p)
                snprintf(bound, sizeof(bound), "init CapBnd: %.16s", p + 8);
        shows(bound[0] ? bound : "(no CapBnd)", "its bounding set is that of init");
}

static void exit_codes_are_those_of_a_shell(void)
{
        char *missing[] = {(char[]){"/bin/nothing"}, NULL}, *directory[] = {(char[]){"/etc"}, NULL},
             *self[] = {(char[]){"/proc/self/exe"}, (char[]){"session"}, NULL}, *yes[] = {(char[]){"true"}, NULL};
        int fd;

        ok(run("exit 7", NULL, false) == 7, "the command's own");
        ok(run("kill -9 $$", NULL, false) == 137, "128 and the number of the signal that ended it");
        fd = begin(missing, NULL, NULL, "", false);
        ok(kit_collect(fd, out, sizeof(out), errout, sizeof(errout)) == 127 &&
                        strcmp(errout, "run '/bin/nothing': No such file or directory") == 0,
                "127 for a missing program, and its name");
        close_fd(fd);
        fd = begin(directory, NULL, NULL, "", false);
        ok(kit_collect(fd, out, sizeof(out), errout, sizeof(errout)) == 126, "126 for what can't be run");
        close_fd(fd);
        fd = begin(self, NULL, NULL, "", false);
        ok(kit_collect(fd, out, sizeof(out), errout, sizeof(errout)) == 126,
                "126 for /proc/self/exe, which would be our own program");
        close_fd(fd);
        fd = begin(yes, NULL, NULL, "/nowhere", false);
        ok(kit_collect(fd, out, sizeof(out), errout, sizeof(errout)) == 125 && strstr(errout, "/nowhere"),
                "125 for a directory that isn't there");
        close_fd(fd);
        ok(run("true", "nobody-at-all", false) == 125 && strstr(errout, "nobody-at-all"), "125 for an unknown user");
        printf("# %s\n", errout);
}

static void user_comes_from_the_partitions_own_files(void)
{
        char *argv[] = {(char[]){"sh"}, (char[]){"-c"}, (char[]){"id; pwd; echo $HOME $USER $SHELL $X $PATH"}, NULL},
             *environment[] = {(char[]){"X=y"}, (char[]){"SHELL=/mine"}, NULL};
        int fd = begin(argv, environment, "www-data", "", false);

        ok(kit_collect(fd, out, sizeof(out), errout, sizeof(errout)) == 0, "a command runs as another user");
        close_fd(fd);
        shows("uid=33(www-data) gid=33(www-data) groups=77(extra)", "with its groups");
        shows("\n/home\n", "in its home");
        shows("/home www-data /mine y /usr", "with its environment, overridden by what was asked for");
        (void)run("id", "1000:33", false);
        shows("uid=1000 gid=33", "numbers serve as well");
        ok(run("echo x >/dev/stdout; echo e >/dev/stderr", "www-data", false) == 0 && strcmp(out, "x\n") == 0 &&
                        strcmp(errout, "e\n") == 0,
                "its standard output can be opened by name");
}

static void input_and_output_are_relayed(void)
{
        static char big[200000];
        int fd = shell("cat; echo done >&2", NULL, false);
        bool sent = true;

        memset(big, 'x', sizeof(big));
        for (int i = 0; i < 4; i++)
                sent = sent && kit_put(fd, CROFT_STREAM_STDIN, big, 40000);
        ok(sent && kit_put(fd, CROFT_STREAM_STDIN, NULL, 0), "input of many frames, and its end, are taken");
        ok(kit_collect(fd, out, sizeof(out), errout, sizeof(errout)) == 0 && strlen(out) == 160000 &&
                        strcmp(errout, "done\n") == 0,
                "all comes out again, errors apart from output");
        close_fd(fd);
        ok(run("head -c 500000 /dev/zero | /bin/busybox tr '\\0' 'y'", NULL, false) == 0 && strlen(out) == 500000,
                "much output arrives whole");
        ok(run("sleep 1000 & echo first", NULL, false) == 0 && strcmp(out, "first\n") == 0,
                "a child that keeps the output open isn't waited for");
}

static void terminal_is_the_partitions_own(void)
{
        static const uint8_t size[4] = {0, 44, 0, 55};
        int fd = shell("tty; stty size; read x; stty size; read y; echo got $x $y; ls /dev/pts", NULL, true);

        ok(kit_wait_text(fd, "11 22"), "the terminal has the size that was asked for");
        ok(kit_put(fd, CROFT_STREAM_SIZE, size, 4) && kit_put(fd, CROFT_STREAM_STDIN, "word\n", 5) &&
                        kit_wait_text(fd, "44 55"),
                "and the new one when the client changes it");
        ok(kit_put(fd, CROFT_STREAM_STDIN, "more\n", 5) && kit_collect(fd, out, sizeof(out), NULL, 0) == 0,
                "the command ends");
        shows("got word more", "what is typed arrives");
        close_fd(fd);
        ok(run("tty", NULL, true) == 0 && strstr(out, "/dev/pts/"), "its name is one of the partition's devpts");
        fd = shell("sleep 1000", NULL, true);
        ok(kit_put(fd, CROFT_STREAM_STDIN, "\3", 1) && kit_collect(fd, out, sizeof(out), NULL, 0) == 130,
                "^C ends the command of a terminal");
        close_fd(fd);
        fd = shell("trap 'echo caught; exit 5' TERM; echo ready; while :; do sleep 0.1; done", NULL, false);
        ok(kit_wait_text(fd, "ready") && kit_put(fd, CROFT_STREAM_SIGNAL, "\17", 1) &&
                        kit_collect(fd, out, sizeof(out), NULL, 0) == 5 && strcmp(out, "caught\n") == 0,
                "a signal frame reaches the command");
        close_fd(fd);
}

/* How often that word begins a process's command line inside (a zombie, which croftd reaps, has none). */
static int count_inside(const char *word)
{
        char script[256];

        snprintf(script, sizeof(script),
                "n=0; for p in /proc/[0-9]*; do grep -q ^%s $p/cmdline 2>/dev/null && n=$((n+1)); done; "
                "echo =$n=",
                word);
        return run(script, NULL, false) == 0 && out[0] == '=' ? atoi(out + 1) : -1;
}

static void client_that_goes_ends_its_command(void)
{
        int fd, count = -1;

        fd = shell("/bin/busybox cp /bin/busybox /tmp/tail; echo up; exec /tmp/tail -f /dev/null", NULL, false);
        ok(kit_wait_text(fd, "up"), "a long command runs");
        close_fd(fd);
        for (int i = 0; i < 100 && count != 0; i++) {
                count = count_inside("/tmp/tail");
                (void)poll(NULL, 0, 20);
        }
        ok(count == 0, "it ends when its client has gone");
}

static void sessions_cannot_be_looked_into_from_inside(void)
{
        /* A partition's root that lies in wait for processes that aren't its own programs. */
        int fd = shell("echo ready; i=0; while [ $i -lt 3000 ]; do for p in /proc/[0-9]*; do e=$(readlink $p/exe "
                       "2>/dev/null); "
                       "case $e in *croft*) echo SEEN $e;; esac; done; [ -e /tmp/enough ] && break; i=$((i+1)); done; "
                       "echo over",
                NULL, false);
        int failed = 0;

        ok(kit_wait_text(fd, "ready"), "root inside watches all processes");
        for (int i = 0; i < 30; i++)
                failed += run("true", NULL, false) != 0;
        ok(failed == 0, "commands run meanwhile");
        ok(run("touch /tmp/enough", NULL, false) == 0 && kit_collect(fd, out, sizeof(out), NULL, 0) == 0 &&
                        strstr(out, "over") && !strstr(out, "SEEN"),
                "it never got to see our program");
        close_fd(fd);
}

static void hostile_files_give_errors_and_nothing_else(void)
{
        ok(run("rm() { /bin/busybox rm \"$@\"; }; rm /etc/passwd; /bin/busybox mkfifo /etc/passwd", NULL, false) == 0,
                "passwd becomes a fifo");
        ok(run("true", "root", false) == 0, "root is found without it");
        ok(run("true", "www-data", false) == 125, "others aren't, and nothing hangs");
        ok(run("/bin/busybox rm /etc/passwd; head -c 3000000 /dev/urandom >/etc/passwd", NULL, false) == 0 &&
                        run("true", "www-data", false) == 125 && run("true", NULL, false) == 0,
                "noise instead of passwd is survived");
        ok(run("/bin/busybox rm /etc/passwd; /bin/busybox ln -s /proc/self/exe /etc/passwd", NULL, false) == 0 &&
                        run("true", NULL, false) == 0,
                "a magic link isn't followed");
        ok(run("mount -t tmpfs x /dev/pts", NULL, false) == 0 && run("tty", NULL, true) == 125 &&
                        strstr(errout, "devpts"),
                "a false devpts is seen through");
        ok(run("umount /dev/pts", NULL, false) == 0 && run("tty", NULL, true) == 0, "and the true one serves again");
}

static void cgroup_that_hands_on_its_controllers_gets_a_leaf(void)
{
        bool can = run("grep -q pids /sys/fs/cgroup/cgroup.controllers", NULL, false) == 0;

        printf("# the unified hierarchy has %s to hand on\n", can ? "a controller" : "no controller");
        ok(run("cd /sys/fs/cgroup && mkdir init && echo 1 >init/cgroup.procs && for p in $(cat cgroup.procs); do echo "
               "$p "
               ">init/cgroup.procs; done; true",
                   NULL, false) == 0,
                "init moves to a cgroup of its own, as systemd does");
        ok((run("echo $$ >/sys/fs/cgroup/init/cgroup.procs; echo +pids >/sys/fs/cgroup/cgroup.subtree_control", NULL,
                    false) == 0) == can,
                "it hands a controller on, if there is one");
        ok(run("cat /proc/self/cgroup", NULL, false) == 0, "commands run still");
        shows(can ? "0::/croft.exec\n" : "0::/\n", can ? "in a leaf" : "where they ran before");
}

int main(void)
{
        (void)signal(SIGPIPE, SIG_IGN);
        (void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
        kit_init(&k);
        kit_spawn(&k);
        ok(kit_launch(&k, "exec sleep 100000", NULL) && kit_expect(&k, WARDEN_LOADED) && kit_send(&k, WARDEN_RUN) &&
                        kit_expect(&k, WARDEN_RUNNING),
                "a partition runs");
        command_runs_in_all_namespaces();
        exit_codes_are_those_of_a_shell();
        user_comes_from_the_partitions_own_files();
        input_and_output_are_relayed();
        terminal_is_the_partitions_own();
        client_that_goes_ends_its_command();
        sessions_cannot_be_looked_into_from_inside();
        hostile_files_give_errors_and_nothing_else();
        cgroup_that_hands_on_its_controllers_gets_a_leaf();
        kit_stop(&k);
        kit_done(&k);
        return tap_end();
}
