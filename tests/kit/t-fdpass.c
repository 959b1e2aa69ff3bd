/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * t-fdpass HOW SERVICE SOCKET PID: root of the host connects to a service and hands the connection to a process in the
 * partition whose process PID is; that one speaks, and what it gets is printed.
 *
 * HOW: inherit (it is a child that enters), rights (SCM_RIGHTS), getfd (it takes it by pidfd_getfd).  SERVICE: api (it
 * asks for the partitions), warden (it says HELLO).  Prints "answer STATUS" or "answer TYPE descriptors N", "refused"
 * when the connection was closed without an answer, "not passed" when the descriptor didn't come over.
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "kernel/ns.h"
#include "partition/warden_msg.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

static int dial(const char *path, int type)
{
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

        (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
        return fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 ? fd : -1;
}

static bool comes(int fd)
{
        struct pollfd p = {.fd = fd, .events = POLLIN};

        return poll(&p, 1, 20000) > 0;
}

static void ask_api(int fd)
{
        static const char request[] = "GET /v1/partitions HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        char answer[256] = "";

        if (send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) < 0 || !comes(fd) ||
                recv(fd, answer, sizeof(answer) - 1, 0) < 12)
                printf("refused\n");
        else
                printf("answer %.3s\n", answer + 9);
}

static void ask_warden(int fd)
{
        _cleanup_(warden_packet_done) struct warden_packet p = {0};

        if (warden_send(fd, WARDEN_HELLO, NULL, 0, NULL) < 0 || !comes(fd) || warden_receive(fd, &p) <= 0)
                printf("refused\n");
        else
                printf("answer %s descriptors %zu\n", warden_type_name(p.type), p.packet.n_fds);
}

/* In the partition, as its root. */
static int inside(const char *how, bool api, int pair, int parent, int inherited)
{
        _cleanup_(sock_packet_done) struct sock_packet p = {0};
        int fd = -1;

        if (strcmp(how, "inherit") == 0)
                fd = inherited;
        else if (strcmp(how, "rights") == 0)
                fd = sock_receive_packet(pair, 16, &p) == 1 ? sock_packet_take_fd(&p, 0) : -1;
        else
                fd = (int)syscall(SYS_pidfd_getfd, parent, inherited, 0);
        if (fd < 0)
                printf("not passed\n");
        else if (api)
                ask_api(fd);
        else
                ask_warden(fd);
        return 0;
}

/* Enters, becomes root there, and forks so as to be in the pid namespace, too. */
static int visit(int init, const char *how, bool api, int pair, int parent, int fd)
{
        int status = 1;
        pid_t pid;

        if (ns_enter(init, NS_ALL) < 0 || syscall(SYS_setresgid, 0, 0, 0) < 0 || syscall(SYS_setresuid, 0, 0, 0) < 0)
                return 2;
        pid = fork();
        if (pid == 0) {
                int r = inside(how, api, pair, parent, fd);

                (void)fflush(stdout);
                _exit(r);
        }
        return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : 2;
}

int main(int argc, char **argv)
{
        bool api = argc == 5 && strcmp(argv[2], "api") == 0;
        int fd, init, parent, pair[2], status = 2;
        pid_t pid;

        if (argc != 5) {
                (void)fputs("usage: t-fdpass inherit|rights|getfd api|warden SOCKET PID\n", stderr);
                return 2;
        }
        fd = dial(argv[3], api ? SOCK_STREAM : SOCK_SEQPACKET);
        init = (int)syscall(SYS_pidfd_open, atoi(argv[4]), 0);
        parent = (int)syscall(SYS_pidfd_open, getpid(), 0);
        if (fd < 0 || init < 0 || parent < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) < 0) {
                perror("t-fdpass");
                return 2;
        }
        pid = fork();
        if (pid == 0)
                _exit(visit(init, argv[1], api, pair[1], parent, fd));
        if (strcmp(argv[1], "rights") == 0)
                (void)sock_send_packet(pair[0], "x", 1, &fd, 1);
        return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : 2;
}
