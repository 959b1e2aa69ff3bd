/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * warden_kit.c - plays croftd.  See warden_kit.h.
 */
#include "warden_kit.h"
#include "kernel/mount.h"

#include "base/fd.h"
#include "base/str.h"
#include "kernel/seccomp.h"

#include <croft/stream.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static void need(bool truth, const char *what)
{
        if (truth)
                return;
        printf("Bail out! %s: %s\n", what, strerror(errno));
        exit(99);
}

static void make_lower(int dir)
{
        static const char *const directories[] = {"lower", "lower/bin", "lower/sbin", "lower/etc", "lower/proc",
                "lower/sys", "lower/dev", "lower/run", "lower/tmp", "lower/root", "lower/usr", "lower/home", "rw",
                "rw/upper", "rw/work", "tools"};
        static const char *const applets[] = {"sh", "ls", "cat", "mount", "umount", "id", "hostname", "sleep", "stty",
                "ps", "kill", "env", "echo", "true", "false", "tty", "pwd", "head", "wc", "touch", "dd", "grep",
                "chroot", "mkdir", "trap", "readlink", "stat", "seq", "yes"};
        _cleanup_close_ int in = open("/bin/busybox", O_RDONLY | O_CLOEXEC), out = -EBADF;
        static const char passwd[] = "root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:33::/home:/bin/sh\n",
                          group[] = "root:x:0:\nwww-data:x:33:\nextra:x:77:www-data\n";
        char path[128];
        ssize_t n;

        for (size_t i = 0; i < ELEMENTS(directories); i++)
                need(mkdirat(dir, directories[i], 0755) == 0, directories[i]);
        out = openat(dir, "lower/bin/busybox", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
        need(in >= 0 && out >= 0, "busybox-static");
        while ((n = sendfile(out, in, NULL, 1 << 20)) > 0)
                ;
        need(n == 0, "copy busybox");
        for (size_t i = 0; i < ELEMENTS(applets); i++) {
                snprintf(path, sizeof(path), "lower/bin/%s", applets[i]);
                need(symlinkat("busybox", dir, path) == 0, path);
        }
        need(fd_replace_file(dir, "lower/etc/passwd", passwd, sizeof(passwd) - 1, 0644, NULL) == 0, "passwd");
        need(fd_replace_file(dir, "lower/etc/group", group, sizeof(group) - 1, 0644, NULL) == 0, "group");
}

/* Below our own cgroup of the unified hierarchy, as croftd does it. */
static void unified_path(char *buf, size_t size)
{
        _cleanup_fclose_ FILE *f = fopen("/proc/self/cgroup", "re");
        const char *mount =
                access("/sys/fs/cgroup/unified/cgroup.procs", F_OK) == 0 ? "/sys/fs/cgroup/unified" : "/sys/fs/cgroup";
        char line[512] = "";

        while (f && fgets(line, sizeof(line), f))
                if (str_has_prefix(line, "0::"))
                        break;
        line[strcspn(line, "\n")] = '\0';
        snprintf(buf, size, "%s%s/croft.warden-test.%d", mount, strlen(line) > 4 ? line + 3 : "", (int)getpid());
}

static int make_cgroup(void)
{
        static const char *const delegated[] = {".", "cgroup.procs", "cgroup.threads", "cgroup.subtree_control"};
        char path[640], parent[700];
        int fd;

        unified_path(path, sizeof(path));
        need(mkdir(path, 0755) == 0, path);
        /* On a pure v2 host, a controller to hand on. */
        snprintf(parent, sizeof(parent), "%s/../cgroup.subtree_control", path);
        (void)fd_write_file(AT_FDCWD, parent, "+pids");
        fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        need(fd >= 0, path);
        for (size_t i = 0; i < ELEMENTS(delegated); i++)
                need(fchownat(fd, delegated[i], KIT_UID_BASE, KIT_UID_BASE, 0) == 0, "delegate the cgroup");
        return fd;
}

void kit_init(struct kit *k)
{
        const char *tmp = getenv("TMPDIR");
        struct croft_error err = CROFT_ERROR_INIT;

        *k = (struct kit){.channel = -EBADF, .pidfd = -EBADF, .netns = -EBADF, .console = -EBADF};
        snprintf(k->directory, sizeof(k->directory), "%.40s/croft-warden.XXXXXX", tmp ? tmp : "/var/tmp");
        need(mkdtemp(k->directory) != NULL && chmod(k->directory, 0755) == 0, k->directory);
        k->dir = open(k->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        make_lower(k->dir);
        k->cgroup = make_cgroup();
        k->filter = seccomp_build_base(0, &err);
        k->warden_filter = seccomp_build_warden(&err);
        need(k->filter >= 0 && k->warden_filter >= 0, "system call filters");
        k->listen = sock_listen(k->dir, "w.sock", SOCK_SEQPACKET, 0600, &err);
        need(k->listen >= 0, "listen");
        k->log = openat(k->dir, "console.log", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        need(k->log >= 0, "console.log");
}

static int remove_directory(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
        (void)st;
        (void)ftw;
        if (type == FTW_DP)
                (void)rmdir(path); /* busy: a process is ending; the caller tries again */
        return 0;
}

void kit_done(struct kit *k)
{
        char path[640];

        close_fd(k->listen);
        close_fd(k->log);
        close_fd(k->filter);
        close_fd(k->warden_filter);
        /* Processes end a moment after the kill. */
        unified_path(path, sizeof(path));
        (void)fd_write_file(k->cgroup, "cgroup.kill", "1");
        for (int i = 0; i < 1000; i++) {
                (void)nftw(path, remove_directory, 16, FTW_DEPTH | FTW_PHYS);
                if (access(path, F_OK) < 0)
                        break;
                (void)poll(NULL, 0, 10);
        }
        close_fd(k->cgroup);
        close_fd(k->dir);
        (void)fd_remove_tree(AT_FDCWD, k->directory, NULL);
}

/* What the build made: build/NAME, seen from build/tests/integration/test_x.  In a static buffer. */
static const char *build_path(const char *name)
{
        static char path[4096];
        ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 64);
        char *slash = NULL;

        need(n > 0, "own path");
        path[n] = '\0';
        for (int i = 0; i < 3; i++) {
                slash = strrchr(path, '/');
                need(slash != NULL, "build directory");
                *slash = '\0';
        }
        snprintf(slash, 64, "/%s", name);
        return path;
}

pid_t kit_spawn_mode(const char *mode, int *ret_channel)
{
        const char *path = build_path("croft-warden");
        int pair[2];
        pid_t pid;

        need(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0, "socketpair");
        (void)fflush(stdout);
        pid = fork();
        need(pid >= 0, "fork");
        if (pid == 0) {
                if (pair[1] == 3)
                        (void)fd_set_cloexec(3, 0);
                else
                        (void)dup2(pair[1], 3);
                execl(path, "croft-warden", mode, (char *)NULL);
                _exit(127);
        }
        close_fd(pair[1]);
        *ret_channel = pair[0];
        return pid;
}

void kit_spawn(struct kit *k)
{
        k->warden = kit_spawn_mode("warden", &k->channel);
}

bool kit_launch(struct kit *k, const char *script, char *const *argv)
{
        _cleanup_(wire_writer_done) struct wire_writer w = WIRE_WRITER_INIT;
        _cleanup_close_ int lower = mount_clone(k->dir, k->lower ? k->lower : "lower"), rw = mount_clone(k->dir, "rw"),
                            tools = mount_clone(AT_FDCWD, build_path("tools")),
                            share = mount_clone(AT_FDCWD, "/usr/share");
        char *shell[] = {(char[]){"/bin/sh"}, (char[]){"-c"}, strdup(script ? script : ""), NULL};
        char *environment[] = {(char[]){"PATH=/bin"}, (char[]){"container=croft"}, (char[]){"TERM=linux"},
                (char[]){"SYSTEMD_UNIT_PATH=/run/croft/systemd:"}, NULL};
        struct launch_spec spec = {.id = 42,
                .name = "kit",
                .hostname = "inside.example",
                .uid_base = KIT_UID_BASE,
                .uid_count = 65536,
                .argv = argv ? (char **)(uintptr_t)argv : shell,
                .environment = environment,
                .nofile = 512,
                .own_network = true,
                .console_getty = !argv};
        const struct warden_fd fds[] = {{"lower", lower}, {"rw", rw}, {"tools", tools}, {"filter", k->filter},
                {"warden-filter", k->warden_filter}, {"listen", k->listen}, {"log", k->log},
                {"share:/usr/share", share}};
        const struct warden_fd cgroup = {"cgroup", k->cgroup};
        int r;

        launch_spec_put(&w, &spec);
        r = warden_send(k->channel, WARDEN_LAUNCH, fds, ELEMENTS(fds), &w);
        if (r == 0)
                r = warden_send(k->channel, WARDEN_PLACE, &cgroup, 1, NULL);
        free(shell[2]);
        return r == 0;
}

bool kit_send(struct kit *k, enum warden_type type)
{
        return warden_send(k->channel, type, NULL, 0, NULL) == 0;
}

bool kit_signal(struct kit *k, int signal)
{
        _cleanup_(wire_writer_done) struct wire_writer w = WIRE_WRITER_INIT;

        wire_put_i64(&w, signal);
        return warden_send(k->channel, WARDEN_SIGNAL, NULL, 0, &w) == 0;
}

static bool readable(int fd)
{
        struct pollfd p = {.fd = fd, .events = POLLIN};

        return poll(&p, 1, KIT_WAIT_MS) == 1;
}

static void keep(int *mine, int fd)
{
        if (fd < 0)
                return;
        close_fd(*mine);
        *mine = fd;
}

bool kit_expect(struct kit *k, enum warden_type type)
{
        _cleanup_(warden_packet_done) struct warden_packet p = {0};
        char line[CROFT_ERROR_TEXT_MAX];
        int r;

        do {
                warden_packet_done(&p);
                p = (struct warden_packet){0};
                r = readable(k->channel) ? warden_receive(k->channel, &p) : 0;
                if (r == 1)
                        keep(&k->pidfd, warden_packet_take_fd(&p, "pidfd"));
        } while (r == 1 && p.type == WARDEN_BORN && type != WARDEN_BORN);
        if (r != 1) {
                printf("# waited for %s, there came nothing\n", warden_type_name(type));
                return false;
        }
        keep(&k->netns, warden_packet_take_fd(&p, "netns"));
        keep(&k->console, warden_packet_take_fd(&p, "console"));
        if (p.type == WARDEN_FAILED) {
                (void)warden_error_get(&p.body, &k->error);
                printf("# FAILED: %s\n", croft_error_line(&k->error, line, sizeof(line)));
        } else if (warden_state_get(&p.body, &k->state) < 0) {
                return false;
        }
        if (p.type != type)
                printf("# waited for %s, there came %s\n", warden_type_name(type), warden_type_name(p.type));
        return p.type == type;
}

void kit_kill_warden(struct kit *k)
{
        if (k->warden > 0) {
                (void)kill(k->warden, SIGKILL);
                (void)waitpid(k->warden, NULL, 0);
        }
        k->warden = 0;
        k->channel = close_fd(k->channel);
}

/* Init ends when nothing of its namespace is left, and what sessions left behind is handed to a test that is a
 * subreaper. */
static void reap_until_ended(int pidfd)
{
        struct pollfd p = {.fd = pidfd, .events = POLLIN};
        const int step_ms = 10;

        for (int left = KIT_WAIT_MS; left > 0 && poll(&p, 1, step_ms) == 0; left -= step_ms)
                while (waitpid(-1, NULL, WNOHANG) > 0)
                        ;
}

void kit_stop(struct kit *k)
{
        if (k->pidfd >= 0)
                (void)syscall(SYS_pidfd_send_signal, k->pidfd, SIGKILL, NULL, 0);
        kit_kill_warden(k);
        if (k->pidfd >= 0)
                reap_until_ended(k->pidfd);
        k->pidfd = close_fd(k->pidfd);
        k->netns = close_fd(k->netns);
        k->console = close_fd(k->console);
}

bool kit_adopt(struct kit *k)
{
        _cleanup_(wire_writer_done) struct wire_writer w = WIRE_WRITER_INIT;
        const struct warden_fd fds[] = {{"pidfd", k->pidfd}, {"netns", k->netns}, {"console", k->console},
                {"listen", k->listen}, {"log", k->log}, {"warden-filter", k->warden_filter}};

        warden_state_put(&w, &k->state);
        return warden_send(k->channel, WARDEN_ADOPT, fds, ELEMENTS(fds), &w) == 0;
}

char *kit_read(struct kit *k, const char *path)
{
        char whole[256];
        char *text = NULL;

        snprintf(whole, sizeof(whole), "rw/upper/%s", path);
        return fd_read_file(k->dir, whole, 1 << 20, &text, NULL) == 0 ? text : NULL;
}

int kit_console(struct kit *k)
{
        int pair[2];
        struct warden_fd fd;

        need(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0, "socketpair");
        fd = (struct warden_fd){"client", pair[1]};
        need(warden_send(k->channel, WARDEN_CONSOLE, &fd, 1, NULL) == 0, "send the console's client");
        close_fd(pair[1]);
        return pair[0];
}

int kit_exec(struct kit *k, const struct exec_spec *spec)
{
        _cleanup_(wire_writer_done) struct wire_writer w = WIRE_WRITER_INIT;
        _cleanup_(warden_packet_done) struct warden_packet p = {0};
        _cleanup_close_ int channel = -EBADF;
        int pair[2];

        need(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0, "socketpair");
        (void)kit_spawn_mode("session", &channel);
        exec_spec_put(&w, spec);
        {
                const struct warden_fd fds[] = {{"pidfd", k->pidfd}, {"cgroup", k->cgroup}, {"filter", k->filter},
                        {"warden-filter", k->warden_filter}, {"client", pair[1]}};

                need(warden_send(channel, WARDEN_EXEC, fds, ELEMENTS(fds), &w) == 0, "send EXEC");
        }
        close_fd(pair[1]);
        if (readable(channel) && warden_receive(channel, &p) == 1 && p.type == WARDEN_LOADED)
                (void)warden_send(channel, WARDEN_RUN, NULL, 0, NULL);
        return pair[0];
}

static bool read_exactly(int fd, void *buf, size_t size)
{
        uint8_t *p = buf;

        while (size > 0) {
                ssize_t n = readable(fd) ? read(fd, p, size) : 0;

                if (n <= 0)
                        return false;
                p += n;
                size -= (size_t)n;
        }
        return true;
}

bool kit_frame(int fd, struct frame *ret)
{
        uint8_t h[CROFT_STREAM_HEADER];

        if (!read_exactly(fd, h, sizeof(h)))
                return false;
        ret->type = h[0];
        ret->size = (uint32_t)h[4] << 24 | (uint32_t)h[5] << 16 | (uint32_t)h[6] << 8 | h[7];
        if (h[1] || h[2] || h[3] || ret->size > CROFT_STREAM_BODY_MAX)
                return false;
        ret->body[ret->size] = '\0';
        return read_exactly(fd, ret->body, ret->size);
}

bool kit_put(int fd, uint8_t type, const void *body, uint32_t size)
{
        uint8_t h[CROFT_STREAM_HEADER] = {
                type, 0, 0, 0, (uint8_t)(size >> 24), (uint8_t)(size >> 16), (uint8_t)(size >> 8), (uint8_t)size};

        return fd_write_all(fd, h, sizeof(h)) == 0 && fd_write_all(fd, body, size) == 0;
}

static void append(char *to, size_t size, const struct frame *f)
{
        size_t used = to ? strlen(to) : 0;

        if (to && used + 1 < size)
                snprintf(to + used, size - used, "%s", (const char *)f->body);
}

bool kit_wait_text(int fd, const char *text)
{
        static struct frame f;
        static char seen[1 << 20];

        seen[0] = '\0';
        while (kit_frame(fd, &f)) {
                append(seen, sizeof(seen), &f);
                if (strstr(seen, text))
                        return true;
        }
        printf("# no '%s' in '%.200s'\n", text, seen);
        return false;
}

int kit_collect(int fd, char *out, size_t out_size, char *errout, size_t errout_size)
{
        static struct frame f;

        if (out)
                out[0] = '\0';
        if (errout)
                errout[0] = '\0';
        while (kit_frame(fd, &f)) {
                if (f.type == CROFT_STREAM_EXIT && f.size == 4)
                        return f.body[0] << 24 | f.body[1] << 16 | f.body[2] << 8 | f.body[3];
                if (f.type == CROFT_STREAM_STDOUT)
                        append(out, out_size, &f);
                else
                        append(errout, errout_size, &f);
        }
        return -1;
}
