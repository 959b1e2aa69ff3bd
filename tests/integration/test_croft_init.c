/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_croft_init.c - croft-init as process 1 of a partition.
 *
 * where: here guest
 */
#include "warden_kit.h"

#include "base/fd.h"

#include <croft/stream.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#define INIT "/run/croft/bin/croft-init"

static struct kit k;
static char out[1 << 16];

static bool start(char *const *argv)
{
        kit_spawn(&k);
        return kit_launch(&k, NULL, argv) && kit_expect(&k, WARDEN_LOADED) && kit_send(&k, WARDEN_RUN) &&
               kit_expect(&k, WARDEN_RUNNING);
}

static bool ends_with(int64_t code, int64_t status)
{
        bool right = kit_expect(&k, WARDEN_EXITED) && k.state.exit_status == (code << 8 | status);

        if (!right)
                printf("# exit status %lld\n", (long long)k.state.exit_status);
        kit_stop(&k);
        return right;
}

static int run(const char *script)
{
        char *argv[] = {(char[]){"sh"}, (char[]){"-c"}, (char *)(uintptr_t)script, NULL};
        struct exec_spec spec = {
                .id = 42, .uid_base = KIT_UID_BASE, .uid_count = 65536, .argv = argv, .directory = (char[]){""}};
        _cleanup_close_ int fd = kit_exec(&k, &spec);

        return kit_collect(fd, out, sizeof(out), NULL, 0);
}

static void without_a_command_it_waits_and_reaps(void)
{
        char *argv[] = {(char[]){INIT}, NULL};

        ok(start(argv), "it runs from /run/croft/bin");
        ok(run("for i in 1 2 3; do /bin/busybox setsid sh -c 'sleep 0.1 &'; done; n=0;"
               "while cat /proc/[0-9]*/stat 2>/dev/null | grep -q '^[0-9]* (s[a-z]*) . 1 ' && [ $n -lt 200 ]; do"
               "        sleep 0.1; n=$((n + 1)); done; cat /proc/[0-9]*/stat 2>/dev/null; :") == 0 &&
                        strstr(out, "1 (croft-init)") && !strstr(out, ") Z 1 "),
                "orphans are reaped");
        ok(run("grep -h voluntary /proc/1/status; cat /proc/1/wchan") == 0, "it can be asked");
        printf("# %s\n", out);
        ok(kit_signal(&k, SIGTERM) && ends_with(CLD_EXITED, 0), "SIGTERM stops it");
        ok(start(argv) && kit_signal(&k, SIGRTMIN + 3) && ends_with(CLD_EXITED, 0), "so does SIGRTMIN+3");
        ok(start(argv) && kit_signal(&k, SIGPWR) && ends_with(CLD_EXITED, 0), "and SIGPWR");
        ok(start(argv) && kit_signal(&k, SIGINT) && ends_with(CLD_KILLED, SIGHUP),
                "SIGINT reboots: croftd sees SIGHUP");
}

static void with_a_command_it_ends_as_the_command_does(void)
{
        char *seven[] = {(char[]){INIT}, (char[]){"--"}, (char[]){"sh"}, (char[]){"-c"}, (char[]){"exit 7"}, NULL},
             *killed[] = {(char[]){INIT}, (char[]){"sh"}, (char[]){"-c"}, (char[]){"kill -9 $$"}, NULL},
             *none[] = {(char[]){INIT}, (char[]){"/bin/none"}, NULL},
             *trap[] = {(char[]){INIT}, (char[]){"sh"}, (char[]){"-c"},
                     (char[]){"trap 'exit 9' USR1; echo ready >/ready; while :; do sleep 0.05; done"}, NULL};

        ok(start(seven) && ends_with(CLD_EXITED, 7), "its exit status is the command's");
        ok(start(killed) && ends_with(CLD_EXITED, 137), "128 and the signal for one that was killed");
        ok(start(none) && ends_with(CLD_EXITED, 127), "127 for a missing one");
        ok(start(trap), "a command that waits for a signal runs");
        for (char *text = NULL; !text; text = kit_read(&k, "ready"))
                (void)poll(NULL, 0, 10);
        ok(kit_signal(&k, SIGUSR1) && ends_with(CLD_EXITED, 9), "a signal for init is passed on");
}

static void console_is_the_commands(void)
{
        char *waits[] = {(char[]){INIT}, (char[]){"sh"}, (char[]){"-c"}, (char[]){"echo ready; exec sleep 100000"},
                NULL},
             *alone[] = {(char[]){INIT}, NULL};
        int client;

        ok(start(waits), "a command waits at the console");
        client = kit_console(&k);
        ok(kit_wait_text(client, "ready") && kit_put(client, CROFT_STREAM_STDIN, "\3", 1) && ends_with(CLD_EXITED, 130),
                "^C there ends it");
        close_fd(client);
        ok(start(alone), "no command waits there");
        client = kit_console(&k);
        ok(kit_put(client, CROFT_STREAM_STDIN, "\3", 1) && run("sleep 0.2") == 0 && kit_signal(&k, SIGTERM) &&
                        ends_with(CLD_EXITED, 0),
                "^C is nothing to init itself");
        close_fd(client);
}

static void stubborn_processes_are_killed(void)
{
        char *argv[] = {(char[]){INIT}, (char[]){"sh"}, (char[]){"-c"},
                (char[]){"trap '' TERM; echo x >/deaf; while :; do sleep 0.05; done"}, NULL};

        ok(start(argv), "a command that ignores SIGTERM runs");
        for (char *text = NULL; !text; text = kit_read(&k, "deaf"))
                (void)poll(NULL, 0, 10);
        ok(kit_signal(&k, SIGTERM) && ends_with(CLD_EXITED, 137), "it is killed when its grace is over");
}

int main(void)
{
        (void)signal(SIGPIPE, SIG_IGN);
        (void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
        kit_init(&k);
        without_a_command_it_waits_and_reaps();
        with_a_command_it_ends_as_the_command_does();
        console_is_the_commands();
        stubborn_processes_are_killed();
        kit_done(&k);
        return tap_end();
}
