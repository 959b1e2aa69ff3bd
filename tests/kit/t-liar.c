/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * t-liar: a warden that was taken over.
 *
 * Put in the place of croft-warden (the real one beside it is croft-warden.real) it passes on what croftd and the real
 * one say, until it is time for the lie that LIE names, or the first line of the file LIE; LIE_PID is somebody it has
 * no business with.
 *
 * In answer to BORN:
 *   load-foreign   the descriptor of process LIE_PID as that of init
 *   load-nothing   no descriptors
 * To LOADED:
 *   load-garbage   a packet of noise
 *   load-huge      more than a packet holds
 *   load-many      all the descriptors that one message can carry
 * When init runs:
 *   run-flood      STATE without end
 *   run-exited     init is said to have asked for a reboot
 *   run-hangup     the connection is closed, the warden isn't
 *   run-garbage
 *   run-mute       reads of the partition's own /proc are taken and never answered
 * When the next croftd says HELLO:
 *   hello-silent, hello-many, hello-flood, hello-garbage
 *   hello-foreign  LIE_PID as init, and its descriptor
 *   hello-id       another partition's state
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/str.h"
#include "partition/warden_msg.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#define CHANNEL 3

static char lie[64];
static pid_t foreign;
static int listening = -1, croftd = CHANNEL, real = -1, views = -1;
static pid_t real_pid;

static bool is(const char *name)
{
        return strcmp(lie, name) == 0;
}

static void choose_lie(void)
{
        const char *text = getenv("LIE"), *pid = getenv("LIE_PID");
        _cleanup_free_ char *content = NULL;

        if (text && text[0] == '/' && fd_read_file(AT_FDCWD, text, 63, &content, NULL) == 0)
                text = content;
        (void)str_copy(lie, sizeof(lie), text ? text : "");
        lie[strcspn(lie, "\n")] = '\0';
        foreign = pid ? atoi(pid) : 1;
}

static void say_noise(int socket, size_t size)
{
        _cleanup_free_ char *noise = malloc(size);

        for (size_t i = 0; noise && i < size; i++)
                noise[i] = (char)(i * 151 + 7);
        if (noise)
                (void)sock_send_packet(socket, noise, size, NULL, 0);
}

/* As many descriptors as the kernel carries, far more than croft ever sends. */
static void say_many(int socket)
{
        union {
                struct cmsghdr header;
                char room[CMSG_SPACE(253 * sizeof(int))];
        } control = {.room = {0}};
        struct iovec iov = {.iov_base = (char[]){1, 2, 3, 4}, .iov_len = 4};
        struct msghdr m = {
                .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
        int fds[253];

        for (size_t i = 0; i < ELEMENTS(fds); i++)
                fds[i] = CHANNEL;
        control.header =
                (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(fds)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
        memcpy(CMSG_DATA(&control.header), fds, sizeof(fds));
        (void)sendmsg(socket, &m, MSG_NOSIGNAL);
}

/* A message about LIE_PID, with its descriptor in all the roles there are. */
static void say_foreign(int socket, enum warden_type type, uint64_t id, bool with_fds)
{
        _cleanup_(wire_writer_done) struct wire_writer body = WIRE_WRITER_INIT;
        _cleanup_close_ int pidfd = (int)syscall(SYS_pidfd_open, foreign, 0);
        const struct warden_fd fds[] = {
                {"pidfd", pidfd}, {"netns", pidfd}, {"console", pidfd}, {"listen", pidfd}, {"log", pidfd}};
        struct warden_state state = {
                .id = id, .phase = WARDEN_PHASE_RUNNING, .pid = foreign, .start_time = 1, .exit_status = -1};

        if (type == WARDEN_EXITED) {
                state.phase = WARDEN_PHASE_EXITED;
                state.exit_status = (int64_t)CLD_KILLED << 8 | SIGHUP;
        }
        warden_state_put(&body, &state);
        (void)warden_send(socket, type, fds, with_fds ? ELEMENTS(fds) : 0, &body);
}

static void flood(int socket)
{
        while (write(socket, "", 0) == 0) {
                struct pollfd p = {.fd = socket, .events = POLLOUT};

                say_foreign(socket, WARDEN_STATE, 1, true);
                (void)poll(&p, 1, 1000);
                if (p.revents & (POLLHUP | POLLERR))
                        return;
        }
}

static bool lie_about_birth(void)
{
        if (is("load-foreign"))
                say_foreign(croftd, WARDEN_BORN, 1, true);
        else if (is("load-nothing"))
                say_foreign(croftd, WARDEN_BORN, 1, false);
        else
                return false;
        return true;
}

static bool lie_about_loading(void)
{
        if (is("load-garbage"))
                say_noise(croftd, 4096);
        else if (is("load-huge"))
                say_noise(croftd, WARDEN_PACKET_MAX + 1);
        else if (is("load-many"))
                say_many(croftd);
        else
                return false;
        return true;
}

/* So that the test can see what becomes of us. */
static void note_self(void)
{
        const char *file = getenv("LIE_NOTE");
        char pid[16];

        (void)snprintf(pid, sizeof(pid), "%d", (int)getpid());
        if (file)
                (void)fd_replace_file(AT_FDCWD, file, pid, strlen(pid), 0600, NULL);
}

/* The real one stands still. */
static void swallow_reads(void)
{
        char request[65536];
        struct pollfd p = {.fd = views, .events = POLLIN};

        (void)kill(real_pid, SIGSTOP);
        while (poll(&p, 1, -1) == 1 && !(p.revents & POLLERR))
                if (read(views, request, sizeof(request)) < 0 && errno != EAGAIN && errno != EINTR && errno != ENOENT)
                        return;
}

static void lie_about_running(void)
{
        note_self();
        if (is("run-flood"))
                flood(croftd);
        else if (is("run-exited"))
                say_foreign(croftd, WARDEN_EXITED, 1, false);
        else if (is("run-garbage"))
                say_noise(croftd, 512);
        else if (is("run-hangup"))
                croftd = close_fd(croftd);
        else if (is("run-mute"))
                swallow_reads();
}

static void answer_hello(int socket)
{
        if (is("hello-foreign"))
                say_foreign(socket, WARDEN_STATE, 1, true);
        else if (is("hello-id"))
                say_foreign(socket, WARDEN_STATE, 424242, true);
        else if (is("hello-many"))
                say_many(socket);
        else if (is("hello-garbage"))
                say_noise(socket, 777);
        else if (is("hello-flood"))
                flood(socket);
        /* hello-silent, and everybody who was asked once */
        for (;;)
                (void)pause();
}

static uint32_t type_of(const struct sock_packet *p)
{
        struct wire_reader r;

        wire_reader_init(&r, p->data, p->size);
        return wire_get_u32(&r);
}

/* The listening socket stays ours; the real warden gets something on which nobody ever connects. */
static void keep_listening(struct sock_packet *p)
{
        int is_listening;
        socklen_t size = sizeof(is_listening);

        for (size_t i = 0; i < p->n_fds; i++)
                if (getsockopt(p->fds[i], SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &size) == 0 && is_listening) {
                        listening = p->fds[i];
                        p->fds[i] = eventfd(0, EFD_CLOEXEC);
                }
}

/* The session of the partition's own /proc. */
static void keep_views(const struct sock_packet *p)
{
        char path[32], target[16];

        for (size_t i = 0; i < p->n_fds; i++) {
                (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", p->fds[i]);
                if (readlink(path, target, sizeof(target)) == 9 && memcmp(target, "/dev/fuse", 9) == 0)
                        views = fcntl(p->fds[i], F_DUPFD_CLOEXEC, 0);
        }
}

/* false: one of the two has gone. */
static bool pass_on(int from, int to)
{
        _cleanup_(sock_packet_done) struct sock_packet p = {0};
        uint32_t type;

        if (sock_receive_packet(from, WARDEN_PACKET_MAX, &p) != 1)
                return false;
        type = type_of(&p);
        if (type == WARDEN_LAUNCH || type == WARDEN_ADOPT)
                keep_listening(&p);
        if (type == WARDEN_LOADED && is("run-mute"))
                keep_views(&p);
        if (type == WARDEN_BORN && lie_about_birth())
                return true;
        if (type == WARDEN_LOADED && lie_about_loading())
                return true;
        if (sock_send_packet(to, p.data, p.size, p.fds, p.n_fds) < 0)
                return false;
        if (type == WARDEN_RUNNING)
                lie_about_running();
        return true;
}

/* A warden can't make processes: what is left of one that was killed is nothing.  (PR_SET_PDEATHSIG is gone once the
 * real one has given up root.) */
__attribute__((noreturn)) static void end_with(pid_t liar, pid_t pid)
{
        struct pollfd p = {.events = POLLIN};

        (void)close_range(0, ~0U, 0); /* the connections, too */
        p.fd = (int)syscall(SYS_pidfd_open, liar, 0);
        while (p.fd >= 0 && poll(&p, 1, -1) < 0 && errno == EINTR)
                ;
        (void)kill(pid, SIGKILL);
        _exit(EXIT_SUCCESS);
}

static void start_real(char **argv)
{
        char path[4096];
        int pair[2];
        ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 6);
        pid_t self = getpid();

        if (n < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                exit(EXIT_FAILURE);
        (void)snprintf(path + n, sizeof(path) - (size_t)n, ".real");
        if (strcmp(argv[1], "session") == 0 || !lie[0]) {
                execv(path, argv);
                _exit(EXIT_FAILURE);
        }
        real_pid = fork();
        if (real_pid == 0) {
                if (dup2(pair[1], CHANNEL) == CHANNEL)
                        execv(path, argv);
                _exit(EXIT_FAILURE);
        }
        if (real_pid > 0 && fork() == 0)
                end_with(self, real_pid);
        close_fd(pair[1]);
        real = pair[0];
}

/* It may be in reserve for long, and the lie another one by then. */
static bool wait_for_work(void)
{
        struct pollfd p = {.fd = croftd, .events = POLLIN};

        return poll(&p, 1, -1) == 1 && p.revents & POLLIN;
}

int main(int argc, char **argv)
{
        if (argc != 2 || !wait_for_work())
                return EXIT_FAILURE;
        choose_lie();
        start_real(argv);
        for (;;) {
                struct pollfd p[] = {{.fd = croftd, .events = POLLIN}, {.fd = real, .events = POLLIN},
                        {.fd = listening, .events = POLLIN}};

                if (poll(p, ELEMENTS(p), -1) < 0)
                        return EXIT_FAILURE;
                if (p[0].revents && !pass_on(croftd, real))
                        croftd = close_fd(croftd);
                if (p[1].revents && !pass_on(real, croftd))
                        return EXIT_FAILURE;
                if (p[2].revents)
                        answer_hello(accept4(listening, NULL, NULL, SOCK_CLOEXEC));
        }
}
