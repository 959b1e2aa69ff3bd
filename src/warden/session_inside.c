/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * session_inside.c - the half of an exec session that enters the partition.  See session.h.
 *
 * It carries a copy of our memory among the partition's processes, so it is undumpable from its first instruction to
 * execve: no ptrace, no /proc/PID/mem, no /proc/PID/exe for root inside.  What it reads there is hostile.
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/str.h"
#include "kernel/ns.h"
#include "kernel/pty.h"
#include "kernel/seccomp.h"
#include "warden/become.h"
#include "warden/session.h"
#include "warden/users.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define TTY_GROUP 5

struct inside {
        const struct exec_spec *spec;
        int filter, socket;
        struct user user;
        char **environment;
        int stdio[3]; /* the command's ends */
        int ours[3];  /* the session's: terminal, or in out err */
};

static void report(int socket, const struct session_report *r, const int *fds, size_t n_fds)
{
        (void)sock_send_packet(socket, r, sizeof(*r), fds, n_fds); /* a session that has gone needs no answer */
}

static void fail(int socket, const struct croft_error *err, bool exec_failed)
{
        struct session_report r = {.kind = SESSION_FAILED, .exec_failed = exec_failed, .error = *err};

        report(socket, &r, NULL, 0);
        _exit(EXIT_FAILURE);
}

static int enter(int pidfd, struct croft_error *err)
{
        int r = ns_enter(pidfd, NS_ALL);

        if (r == -EINVAL)
                r = ns_enter(pidfd, NS_ALL & ~CLONE_NEWTIME); /* a kernel without time namespaces */
        if (r == -ESRCH)
                return croft_error_set(err, ESRCH, "the partition's init has ended.");
        return r < 0 ? croft_error_set(err, r, "enter the partition's namespaces") : 0;
}

/* A regular file of the partition, as text; NULL when it can't be had.  NONBLOCK: a fifo there must not hold us. */
static char *read_text(const char *path)
{
        _cleanup_close_ int fd =
                fd_open2(AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
        char *text;
        struct stat st;
        ssize_t n, used = 0;

        if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
                return NULL;
        text = malloc(USERS_FILE_MAX + 1);
        while (text && used < USERS_FILE_MAX && (n = read(fd, text + used, (size_t)(USERS_FILE_MAX - used))) > 0)
                used += n;
        if (text)
                text[used] = '\0';
        return text;
}

static int find_user(struct inside *in, struct croft_error *err)
{
        _cleanup_free_ char *passwd = read_text("/etc/passwd"), *group = read_text("/etc/group");
        const char *who = in->spec->user[0] ? in->spec->user : "root";

        return users_find(who, passwd, group, in->spec->uid_count, &in->user, err);
}

static int make_terminal(struct inside *in, struct croft_error *err)
{
        _cleanup_close_ int pts =
                fd_open2(AT_FDCWD, "/dev/pts", O_RDONLY | O_DIRECTORY, 0, RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS);
        unsigned int index;
        int r;

        if (pts < 0)
                return croft_error_set(err, pts, "open the partition's /dev/pts");
        r = pty_open(pts, &in->ours[0], &in->stdio[0], &index, err);
        if (r < 0)
                return r;
        in->stdio[1] = in->stdio[2] = in->stdio[0];
        if (in->spec->rows && in->spec->columns)
                (void)pty_resize(in->ours[0], in->spec->rows, in->spec->columns);
        if (fchown(in->stdio[0], in->user.uid, TTY_GROUP) < 0)
                return croft_error_set(err, errno, "give the terminal to user %u", in->user.uid);
        return 0;
}

/* Pipes belong to the user, so that /dev/stdout can be opened. */
static int make_pipes(struct inside *in, struct croft_error *err)
{
        for (int i = 0; i < 3; i++) {
                int pair[2];

                if (pipe2(pair, O_CLOEXEC) < 0)
                        return croft_error_set(err, errno, "make a pipe");
                in->stdio[i] = pair[i == 0 ? 0 : 1];
                in->ours[i] = pair[i == 0 ? 1 : 0];
                if (fchown(in->stdio[i], in->user.uid, in->user.gid) < 0)
                        return croft_error_set(err, errno, "give a pipe to user %u", in->user.uid);
        }
        return 0;
}

static const char *value_of(char *const *environment, const char *key)
{
        size_t length = strlen(key);

        for (; environment && *environment; environment++)
                if (strncmp(*environment, key, length) == 0 && (*environment)[length] == '=')
                        return *environment + length + 1;
        return NULL;
}

char **session_environment(const struct exec_spec *spec, const struct user *user)
{
        const char *const defaults[][2] = {
                {"PATH", user->uid == 0 ? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
                                        : "/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games"},
                {"HOME", user->home}, {"USER", user->name}, {"LOGNAME", user->name}, {"SHELL", user->shell},
                {"TERM", spec->terminal ? "linux" : NULL}, {"container", "croft"}};
        _cleanup_(strv_freep) char **v = strv_copy(spec->environment);

        if (!v && spec->environment)
                return NULL;
        for (size_t i = 0; i < ELEMENTS(defaults); i++) {
                _cleanup_free_ char *entry = NULL;

                if (!defaults[i][1] || value_of(spec->environment, defaults[i][0]))
                        continue;
                if (asprintf(&entry, "%s=%s", defaults[i][0], defaults[i][1]) < 0) {
                        entry = NULL;
                        return NULL;
                }
                if (strv_append(&v, entry) < 0)
                        return NULL;
        }
        return TAKE(v);
}

static void become_command(const struct inside *in)
{
        struct croft_error err = CROFT_ERROR_INIT;
        const char *directory = in->spec->directory;
        bool given = directory && directory[0], tried = false;
        struct become b = {
                .argv = in->spec->argv,
                .environment = in->environment,
                .stdio = {in->stdio[0], in->stdio[1], in->stdio[2]},
                .session = true,
                .terminal = in->spec->terminal,
                .filter = in->filter,
                .uid = in->user.uid,
                .gid = in->user.gid,
                .groups = in->user.groups,
                .n_groups = in->user.n_groups,
                .directory = given ? directory : in->user.home,
                .directory_or_root = !given,
        };

        if (become_prepare(&b, &err) == 0 && become_confine(&b, &err) == 0) {
                tried = true;
                (void)become_run(&b, &err);
        }
        fail(in->socket, &err, tried);
}

/* The command is a child of the session (CLONE_PARENT), which outlives us and wants its exit status. */
static int start(struct inside *in, struct croft_error *err)
{
        struct session_report ready = {.kind = SESSION_READY};
        size_t n = in->spec->terminal ? 1 : 3;
        int pidfd = -EBADF, fds[4];
        pid_t pid = ns_clone(CLONE_PARENT, -EBADF, &pidfd);

        if (pid == 0)
                become_command(in);
        if (pid < 0)
                return croft_error_set(err, pid, "make a process in the partition");
        ready.pid = pid;
        fds[0] = pidfd;
        memcpy(fds + 1, in->ours, n * sizeof(int));
        report(in->socket, &ready, fds, n + 1);
        return 0;
}

static int prepare(struct inside *in, int pidfd, struct croft_error *err)
{
        int r;

        r = enter(pidfd, err);
        close_fd(pidfd);
        if (r == 0)
                r = become_root(err);
        if (r < 0)
                return r;
        (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* as it is; the change of user does it, too */
        r = find_user(in, err);
        if (r < 0)
                return r;
        in->environment = session_environment(in->spec, &in->user);
        if (!in->environment)
                return croft_error_set(err, ENOMEM, "make the environment");
        return in->spec->terminal ? make_terminal(in, err) : make_pipes(in, err);
}

void session_intercept(int notify, int socket)
{
        struct session_report message = {.kind = SESSION_LISTENER};
        struct croft_error err = CROFT_ERROR_INIT;
        int listener = -EBADF;
        int r = seccomp_install_listener(notify, &listener, &err);

        if (r < 0 && r != -EBUSY) /* whoever runs croft does it already: then there is none for init, either */
                fail(socket, &err, false);
        report(socket, &message, &listener, listener >= 0);
        close_fd(listener);
        close_fd(notify);
}

void session_inside(const struct exec_spec *spec, int pidfd, int filter, int socket)
{
        struct inside in = {.spec = spec, .filter = filter, .socket = socket};
        struct croft_error err = CROFT_ERROR_INIT;
        char go;

        if (TEMP_FAILURE_RETRY(recv(socket, &go, 1, 0)) != 1)
                _exit(EXIT_FAILURE);
        if (prepare(&in, pidfd, &err) < 0 || start(&in, &err) < 0)
                fail(socket, &err, false);
        _exit(EXIT_SUCCESS);
}
