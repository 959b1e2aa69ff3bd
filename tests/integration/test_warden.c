/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_warden.c - a warden launches a partition and keeps it, whoever of us dies.  The test plays croftd.
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
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

static struct kit k;

/* Runs a script as init until it ends; its output (what it wrote to /out), NULL when it didn't get that far. */
static char *run_inside(const char *script)
{
        char *out = NULL;

        kit_spawn(&k);
        if (kit_launch(&k, script, NULL) && kit_expect(&k, WARDEN_LOADED) && kit_send(&k, WARDEN_RUN) &&
                kit_expect(&k, WARDEN_RUNNING) && kit_expect(&k, WARDEN_EXITED))
                out = kit_read(&k, "out");
        kit_stop(&k);
        if (!out)
                printf("# nothing came out\n");
        return out;
}

/* "key value" lines: the value of the key. */
static const char *value_of(const char *out, const char *key)
{
        static char value[1024];
        char pattern[128];
        const char *p;

        snprintf(pattern, sizeof(pattern), "\n%s ", key);
        p = out ? strstr(out, pattern) : NULL;
        snprintf(value, sizeof(value), "%s", p ? p + strlen(pattern) : "(none)");
        value[strcspn(value, "\n")] = '\0';
        return value;
}

static void is(const char *out, const char *key, const char *expected, const char *claim)
{
        const char *value = value_of(out, key);

        if (!ok(strcmp(value, expected) == 0, "%s", claim))
                printf("# %s: '%s', expected '%s'\n", key, value, expected);
}

static time_t now_s(void)
{
        struct timespec now;

        (void)clock_gettime(CLOCK_BOOTTIME, &now);
        return now.tv_sec;
}

static void init_has_namespaces_of_its_own(void)
{
        time_t began = now_s();
        _cleanup_free_ char *out =
                run_inside("exec >/out 2>&1; echo; echo pid $$; echo host $(hostname);"
                           "echo uid $(id -u); echo map $(cat /proc/self/uid_map);"
                           "echo gidmap $(cat /proc/self/gid_map);"
                           "read up rest </proc/uptime; echo up ${up%.*};"
                           "echo net $(ls /sys/class/net); echo lo $(cat /sys/class/net/lo/flags); echo env $container;"
                           "echo cgroup $(grep ^0:: /proc/self/cgroup);"
                           "echo procs $(cat /sys/fs/cgroup/cgroup.procs | head -n 1);"
                           "echo nofile $(ulimit -Hn); echo nnp $(grep NoNewPrivs /proc/self/status);"
                           "echo filter $(grep ^Seccomp: /proc/self/status);"
                           "echo others $(ls -d /proc/[0-9]* | wc -l)");

        is(out, "pid", "1", "init is process 1");
        is(out, "host", "inside.example", "the host name is the partition's");
        is(out, "uid", "0", "init is root inside");
        is(out, "map", "0 8323072 65536", "its users are mapped to the partition's range, and no others");
        is(out, "gidmap", "0 8323072 65536", "so are its groups");
        ok(atoi(value_of(out, "up")) <= now_s() - began && strcmp(value_of(out, "up"), "(none)") != 0,
                "its uptime begins at zero");
        is(out, "net", "lo", "it has a network namespace of its own");
        is(out, "lo", "0x9", "whose loopback is up");
        is(out, "env", "croft", "the environment is the one given");
        is(out, "cgroup", "0::/", "its cgroup is the root of what it sees");
        is(out, "procs", "1", "it is in that cgroup, and sees so");
        is(out, "nofile", "512", "the limit of open files was lowered");
        is(out, "nnp", "NoNewPrivs: 0", "new privileges stay possible, for sudo");
        is(out, "filter", "Seccomp: 2", "a system call filter is in force");
}

static void nothing_of_ours_is_inherited(void)
{
        _cleanup_free_ char *out = run_inside("ls /proc/1/fd >/fds; exec >/out 2>&1; echo;"
                                              "echo fds $(cat /fds); echo in $(readlink /proc/1/fd/2);"
                                              "echo mask $(grep SigBlk /proc/1/status);"
                                              "echo ignored $(grep SigIgn /proc/self/status);"
                                              "echo keys $(cat /proc/1/sessionid 2>/dev/null);"
                                              "echo cwd $(readlink /proc/1/cwd) $(readlink /proc/1/root);"
                                              "echo exe $(readlink /proc/1/exe)");

        is(out, "fds", "0 1 10 2", "init has the standard descriptors (10 is its shell's own), and no other");
        is(out, "mask", "SigBlk: 0000000000000000", "no signal is blocked");
        is(out, "ignored", "SigIgn: 0000000000000000", "no signal is ignored");
        is(out, "cwd", "/ /", "it stands in its own root");
        is(out, "exe", "/bin/busybox", "its program is the partition's");
}

/* Groups of mounts that tell one another of mounts and unmounts (mount_namespaces(7)). */
static bool shares_no_group(const char *ours, const char *hosts)
{
        for (const char *at = strstr(ours, " shared:"); at; at = strstr(at + 1, " shared:")) {
                char group[32];

                (void)snprintf(group, sizeof(group), "%.*s ", (int)strcspn(at + 1, " ") + 1, at);
                if (strstr(hosts, group))
                        return false;
        }
        return true;
}

static void mounts_show_nothing_of_the_host(void)
{
        _cleanup_free_ char *hosts = NULL;
        _cleanup_free_ char *out = run_inside("exec >/out 2>&1; echo; cat /proc/self/mountinfo");
        static const char *const expected[] = {" / / rw", " /proc rw", " /proc/sys ro", " /sys ro", " /dev rw",
                " /dev/pts rw", " /dev/shm rw", " /dev/mqueue rw", " /run rw", " /run/croft/bin ro", " /dev/console rw",
                " /sys/fs/cgroup rw", " /proc/keys ro", " /proc/timer_list ro", " /sys/firmware ro", " /usr/share ro"};
        bool all = out != NULL;

        for (size_t i = 0; out && i < ELEMENTS(expected); i++)
                if (!strstr(out, expected[i])) {
                        printf("# missing: %s\n", expected[i]);
                        all = false;
                }
        ok(all, "all mounts of a partition are there");
        ok(out && !strstr(out, "/rw/upper ") && !strstr(out, "/lower "), "no mount shows where the layers are");
        ok(out && strstr(out, " shared:") && !strstr(out, "master:") &&
                        fd_read_file(AT_FDCWD, "/proc/self/mountinfo", 1 << 20, &hosts, NULL) == 0 &&
                        shares_no_group(out, hosts),
                "mounts are shared inside, and none is tied to the host's by propagation");
}

static void what_is_shared_stays_read_only(void)
{
        _cleanup_free_ char *out = run_inside(
                "exec >/out 2>&1; echo; T() { n=$1; shift; if \"$@\" 2>/dev/null; then echo $n done; else echo $n "
                "refused; fi; };"
                "T touch touch /usr/share/x;"
                "T remount mount -o remount,rw,bind /usr/share;"
                "T super mount -o remount,rw /usr/share;"
                "T again sh -c 'mkdir /tmp/m && mount -o bind /usr/share /tmp/m && mount -o remount,rw,bind /tmp/m';"
                "T tools mount -o remount,rw,bind /run/croft/bin;"
                "T dev mount -o remount,suid,bind /dev;"
                "echo shared $(stat -c %u:%g /usr/share); echo before $(ls /usr/share | wc -l); umount /usr/share; "
                "echo under $(ls /usr/share | wc -l);"
                "T upper test -w /etc; touch /etc/mine; echo owner $(stat -c %u:%g /etc/mine)");

        is(out, "touch", "refused", "a shared directory can't be written");
        is(out, "remount", "refused", "nor made writable by a remount");
        is(out, "super", "refused", "nor by a remount of the file system");
        is(out, "again", "refused", "nor by a remount of another view of it");
        is(out, "tools", "refused", "croft's tools stay read-only, too");
        is(out, "dev", "refused", "/dev stays without set-user-id programs");
        ok(strcmp(value_of(out, "before"), "0") != 0, "the shared directory has the host's files");
        is(out, "shared", "0:0", "and they belong to root inside");
        is(out, "under", "0", "unmounting it reveals the partition's own, empty directory");
        is(out, "owner", "0:0", "a new file belongs to root inside");
        ok(out != NULL, "the script ran to its end");
}

static void device_nodes_work_and_no_others_can_be_made(void)
{
        _cleanup_free_ char *out = run_inside(
                "exec >/out 2>&1; echo; echo x >/dev/null && echo null works; echo zero $(head -c 3 /dev/zero | wc -c);"
                "echo random $(head -c 5 /dev/urandom | wc -c); echo full $(echo x 2>/dev/null >/dev/full || echo "
                "refuses);"
                "/bin/busybox mknod /dev/sda b 8 0 2>/dev/null && echo mknod done || echo mknod refused;"
                "echo kcore $(head -c 4 /proc/kcore 2>/dev/null | wc -c);"
                "echo sysrq $(echo h 2>/dev/null >/proc/sysrq-trigger && cat /proc/sysrq-trigger | wc -c || echo "
                "refused);"
                "echo keys $(cat /proc/keys | wc -c); echo acpi $(ls /sys/firmware | wc -l);"
                "echo 1 2>/dev/null >/proc/sys/kernel/sysrq && echo sysctl done || echo sysctl refused;"
                "echo 1 2>/dev/null >/proc/sys/net/ipv4/ip_forward && echo netctl done || echo netctl refused");

        is(out, "null", "works", "/dev/null can be opened and written");
        is(out, "zero", "3", "/dev/zero can be read");
        is(out, "random", "5", "/dev/urandom can be read");
        is(out, "full", "refuses", "/dev/full is full");
        is(out, "mknod", "refused", "no node of a disk can be made");
        is(out, "kcore", "0", "/proc/kcore shows nothing");
        is(out, "keys", "0", "/proc/keys shows nothing");
        is(out, "acpi", "0", "/sys/firmware shows nothing");
        is(out, "sysctl", "refused", "a setting of the host can't be changed");
        is(out, "netctl", "done", "one of its own network can");
}

static void init_that_cannot_run_is_told_precisely(void)
{
        char *missing[] = {(char[]){"/sbin/nothing"}, NULL};

        kit_spawn(&k);
        ok(kit_launch(&k, NULL, missing) && kit_expect(&k, WARDEN_LOADED), "a partition without init can be loaded");
        ok(kit_send(&k, WARDEN_RUN) && kit_expect(&k, WARDEN_FAILED), "but not run");
        ok(k.error.code == ENOENT &&
                        strcmp(croft_error_cause(&k.error, 0), "run '/sbin/nothing': No such file or directory") == 0,
                "and the error names the program");
        ok(waitpid(k.warden, NULL, 0) == k.warden, "the warden goes");
        k.warden = 0;
        kit_stop(&k);
}

static bool load_fails(int code, const char *text)
{
        char line[CROFT_ERROR_TEXT_MAX];
        bool right;

        kit_spawn(&k);
        right = kit_launch(&k, "true", NULL) && kit_expect(&k, WARDEN_FAILED) && k.error.code == code &&
                strstr(croft_error_line(&k.error, line, sizeof(line)), text);
        kit_stop(&k);
        return right;
}

static void links_in_the_root_lead_nowhere(void)
{
        (void)mkdirat(k.dir, "outside", 0777);
        /* What a partition's root can leave behind for its next start. */
        ok(symlinkat("../../../../..", k.dir, "rw/upper/run") == 0 && load_fails(ELOOP, "mount point 'run' is a link"),
                "a link where /run should be is refused");
        (void)unlinkat(k.dir, "rw/upper/run", 0);
        ok(symlinkat("/etc", k.dir, "rw/upper/proc") == 0 && load_fails(ELOOP, "mount point 'proc' is a link"),
                "a link where /proc should be is refused");
        (void)unlinkat(k.dir, "rw/upper/proc", 0);
        ok(mknodat(k.dir, "rw/upper/sys", S_IFREG | 0644, 0) == 0 && load_fails(EINVAL, "attach at 'sys'"),
                "a file where a directory should be is refused");
        (void)unlinkat(k.dir, "rw/upper/sys", 0);
}

static void flooding_partition_disturbs_nobody(void)
{
        struct croft_error err = CROFT_ERROR_INIT;
        _cleanup_close_ int slow = -EBADF, quick = -EBADF;
        struct pollfd p = {0};

        kit_spawn(&k);
        ok(kit_launch(&k, "exec yes 0123456789abcdef0123456789abcdef", NULL) && kit_expect(&k, WARDEN_LOADED) &&
                        kit_send(&k, WARDEN_RUN) && kit_expect(&k, WARDEN_RUNNING),
                "a partition that floods its console runs");
        slow = kit_console(&k);
        quick = kit_console(&k);
        ok(kit_wait_text(quick, "cdef\r\n0123456789"), "a client sees its output");
        p = (struct pollfd){.fd = slow, .events = POLLRDHUP};
        ok(poll(&p, 1, KIT_WAIT_MS) == 1, "one that doesn't read is dropped");
        close_fd(k.channel);
        k.channel = sock_connect(k.dir, "w.sock", SOCK_SEQPACKET, &err);
        ok(k.channel >= 0 && kit_send(&k, WARDEN_HELLO) && kit_expect(&k, WARDEN_STATE),
                "croftd is answered meanwhile");
        ok(kit_signal(&k, SIGKILL) && kit_expect(&k, WARDEN_EXITED), "and obeyed");
        kit_stop(&k);
}

static bool is_empty(void)
{
        for (int i = 0; i < 3000; i++) {
                _cleanup_free_ char *procs = NULL;

                if (fd_read_file(k.cgroup, "cgroup.procs", 4096, &procs, NULL) == 0 && !procs[0])
                        return true;
                (void)poll(NULL, 0, 10);
        }
        return false;
}

static void what_is_only_loaded_dies_with_its_warden_and_waits_for_a_croftd(void)
{
        struct croft_error err = CROFT_ERROR_INIT;

        kit_spawn(&k);
        ok(kit_launch(&k, "sleep 1000", NULL) && kit_expect(&k, WARDEN_LOADED), "a partition is loaded");
        kit_kill_warden(&k);
        ok(is_empty(), "its stub ends when the warden is killed");
        kit_stop(&k);

        kit_spawn(&k);
        ok(kit_launch(&k, "sleep 1000", NULL) && kit_expect(&k, WARDEN_LOADED), "another is loaded");
        k.channel = close_fd(k.channel);
        k.channel = sock_connect(k.dir, "w.sock", SOCK_SEQPACKET, &err);
        ok(k.channel >= 0 && kit_send(&k, WARDEN_HELLO) && kit_expect(&k, WARDEN_STATE) &&
                        k.state.phase == WARDEN_PHASE_LOADED,
                "it waits when croftd has gone, and says so to the next");
        ok(kit_send(&k, WARDEN_RUN) && kit_expect(&k, WARDEN_RUNNING), "who can run it");
        kit_stop(&k);
}

static void console_is_a_terminal_with_history(void)
{
        _cleanup_close_ int a = -EBADF, b = -EBADF;
        static const uint8_t size[4] = {0, 33, 0, 99};
        static char history[1 << 20];

        kit_spawn(&k);
        ok(kit_launch(&k,
                   "stty -echo; echo early; while read line; do case $line in size) stty size;; bye) exit 7;; *) echo "
                   "got $line;; "
                   "esac; done",
                   NULL) &&
                        kit_expect(&k, WARDEN_LOADED) && kit_send(&k, WARDEN_RUN) && kit_expect(&k, WARDEN_RUNNING),
                "a partition that reads its console runs");
        a = kit_console(&k);
        ok(kit_wait_text(a, "early"), "what was written before is shown first");
        ok(kit_put(a, CROFT_STREAM_STDIN, "hello\n", 6) && kit_wait_text(a, "got hello"), "what is typed arrives");
        ok(kit_put(a, CROFT_STREAM_SIZE, size, 4) && kit_put(a, CROFT_STREAM_STDIN, "size\n", 5) &&
                        kit_wait_text(a, "33 99"),
                "the terminal has the client's size");
        b = kit_console(&k);
        ok(kit_wait_text(b, "got hello"), "a second client sees the history");
        ok(kit_put(b, CROFT_STREAM_STDIN, "two\n", 4) && kit_wait_text(a, "got two"), "both see all output");
        ok(kit_put(a, 99, NULL, 0) && kit_collect(a, NULL, 0, NULL, 0) == -1,
                "a client that breaks the protocol is dropped");
        ok(kit_put(b, CROFT_STREAM_STDIN, "bye\n", 4) && kit_collect(b, NULL, 0, NULL, 0) == 7,
                "the end of init ends the other, with its status");
        ok(kit_expect(&k, WARDEN_EXITED) && k.state.exit_status == (CLD_EXITED << 8 | 7), "croftd hears of it, too");
        close_fd(b);
        b = kit_console(&k);
        ok(kit_collect(b, history, sizeof(history), NULL, 0) == 7 && strstr(history, "got two"),
                "who comes now gets the history and the end");
        ok(kit_send(&k, WARDEN_QUIT) && waitpid(k.warden, NULL, 0) == k.warden, "QUIT ends the warden");
        k.warden = 0;
        kit_stop(&k);
}

static void partition_outlives_warden_and_croftd(void)
{
        struct croft_error err = CROFT_ERROR_INIT;
        _cleanup_close_ int client = -EBADF;

        kit_spawn(&k);
        ok(kit_launch(&k,
                   "stty -echo; trap 'exit 3' USR1; while read line; do echo got $line; done; while :; do sleep 1; "
                   "done",
                   NULL) &&
                        kit_expect(&k, WARDEN_LOADED) && kit_send(&k, WARDEN_RUN) && kit_expect(&k, WARDEN_RUNNING),
                "a partition runs");
        k.channel = close_fd(k.channel);
        k.channel = sock_connect(k.dir, "w.sock", SOCK_SEQPACKET, &err);
        ok(k.channel >= 0 && kit_send(&k, WARDEN_HELLO) && kit_expect(&k, WARDEN_STATE), "a new croftd says HELLO");
        ok(k.state.phase == WARDEN_PHASE_RUNNING && k.state.id == 42 && k.pidfd >= 0 && k.console >= 0,
                "and is told the state, with descriptors");
        kit_kill_warden(&k);
        kit_spawn(&k);
        ok(kit_adopt(&k) && kit_expect(&k, WARDEN_STATE), "a killed warden has a successor that adopts");
        client = kit_console(&k);
        ok(kit_put(client, CROFT_STREAM_STDIN, "again\n", 6) && kit_wait_text(client, "got again"),
                "the console works with it");
        k.channel = close_fd(k.channel);
        k.channel = sock_connect(k.dir, "w.sock", SOCK_SEQPACKET, &err);
        ok(k.channel >= 0 && kit_send(&k, WARDEN_HELLO) && kit_expect(&k, WARDEN_STATE), "so does HELLO");
        ok(kit_signal(&k, SIGKILL) && kit_expect(&k, WARDEN_EXITED), "the successor kills init when told to");
        printf("# exit status of an init that is no child: %lld\n", (long long)k.state.exit_status);
        ok(k.state.exit_status == (CLD_KILLED << 8 | SIGKILL) || k.state.exit_status == -2,
                "and says how it ended, or that nobody knows");
        k.channel = close_fd(k.channel);
        k.channel = sock_connect(k.dir, "w.sock", SOCK_SEQPACKET, &err);
        ok(k.channel >= 0 && kit_send(&k, WARDEN_HELLO) && kit_expect(&k, WARDEN_STATE) &&
                        k.state.phase == WARDEN_PHASE_EXITED,
                "the end is kept for the next croftd");
        kit_stop(&k);
}

/* As some callers leave us: the C library's own two signals ignored, which its sigaction() would refuse to undo. */
static void ignore_what_is_inherited(void)
{
        const unsigned long ignore[4] = {(unsigned long)(uintptr_t)SIG_IGN};

        for (int i = 32; i < 34; i++)
                if (syscall(SYS_rt_sigaction, i, ignore, NULL, _NSIG / 8) < 0)
                        exit(1);
}

int main(void)
{
        ignore_what_is_inherited();
        (void)signal(SIGPIPE, SIG_IGN);
        (void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); /* as croftd */
        kit_init(&k);
        init_has_namespaces_of_its_own();
        nothing_of_ours_is_inherited();
        mounts_show_nothing_of_the_host();
        what_is_shared_stays_read_only();
        device_nodes_work_and_no_others_can_be_made();
        init_that_cannot_run_is_told_precisely();
        links_in_the_root_lead_nowhere();
        what_is_only_loaded_dies_with_its_warden_and_waits_for_a_croftd();
        flooding_partition_disturbs_nobody();
        console_is_a_terminal_with_history();
        partition_outlives_warden_and_croftd();
        kit_done(&k);
        return tap_end();
}
