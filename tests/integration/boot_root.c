/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * boot_root.c - boots whole systems (roots with systemd, given as directories) in partitions and stops them again.
 * The program of test_systemd.sh; prints TAP.
 */
#include "warden_kit.h"

#include "base/fd.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

static struct kit k;
static char out[1 << 16], errout[1 << 16];

static int run(const char *script, bool terminal)
{
        char *argv[] = {(char[]){"sh"}, (char[]){"-c"}, (char *)(uintptr_t)script, NULL};
        struct exec_spec spec = {.id = 42,
                .uid_base = KIT_UID_BASE,
                .uid_count = 65536,
                .argv = argv,
                .directory = (char[]){""},
                .terminal = terminal};
        _cleanup_close_ int fd = kit_exec(&k, &spec);

        return kit_collect(fd, out, sizeof(out), errout, sizeof(errout));
}

static long now_ms(void)
{
        struct timespec t;

        (void)clock_gettime(CLOCK_MONOTONIC, &t);
        return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void reap(void)
{
        while (waitpid(-1, NULL, WNOHANG) > 0)
                ;
}

/* systemctl needs the bus or PID 1's own socket, which take a moment to appear. */
static bool boots(void)
{
        for (int i = 0; i < 600; i++) {
                (void)run("systemctl is-system-running --wait", false);
                reap();
                if (strncmp(out, "running", 7) == 0 || strncmp(out, "degraded", 8) == 0)
                        return true;
                (void)poll(NULL, 0, 50);
        }
        return false;
}

static void boot(const char *root)
{
        const char *name = strrchr(root, '/') ? strrchr(root, '/') + 1 : root;
        char *init[] = {(char[]){"/sbin/init"}, NULL};
        long began;

        k.lower = root;
        kit_spawn(&k);
        began = now_ms();
        if (!ok(kit_launch(&k, NULL, init) && kit_expect(&k, WARDEN_LOADED) && kit_send(&k, WARDEN_RUN) &&
                            kit_expect(&k, WARDEN_RUNNING),
                    "%s: init runs", name)) {
                kit_stop(&k);
                return;
        }
        ok(boots(), "%s: the system has come up", name);
        printf("# up after %ld ms\n", now_ms() - began);
        ok(strncmp(out, "running", 7) == 0, "%s: with no unit failed", name);
        printf("# %s", out);
        if (strncmp(out, "running", 7) != 0) {
                (void)run("systemctl --failed --no-legend --plain; journalctl -p warning -b --no-pager | tail -n 30",
                        false);
                for (char *line = strtok(out, "\n"); line; line = strtok(NULL, "\n"))
                        printf("# %s\n", line);
        }
        ok(run("systemd-run --quiet --wait -p MemoryAccounting=no true", false) == 0, "%s: a transient unit runs",
                name);
        printf("# %s\n", errout);
        ok(run("tty && stty size >/dev/null", true) == 0, "%s: a terminal works", name);
        began = now_ms();
        ok(kit_signal(&k, SIGRTMIN + 3) && kit_expect(&k, WARDEN_EXITED), "%s: it stops when told to", name);
        printf("# stopped after %ld ms, exit status %lld\n", now_ms() - began, (long long)k.state.exit_status);
        kit_stop(&k);
        reap();
}

int main(int argc, char **argv)
{
        (void)signal(SIGPIPE, SIG_IGN);
        (void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
        for (int i = 1; i < argc; i++) {
                kit_init(&k); /* a fresh upper layer each */
                boot(argv[i]);
                kit_done(&k);
        }
        return tap_end();
}
