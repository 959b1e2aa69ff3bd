/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * worker.c - croft-kext: reads extensions for croftd.  Started by it, not by people.
 *
 *   croft-kext identify|read PARENT-PID PATH
 *
 * Descriptors: 3 the packets that it answers with (msg.h), 4 the memory file that gets the bytes.  It may
 * hang as long as a file does that it reads; croftd waits no longer than it wants to.
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/sock.h"
#include "base/str.h"
#include "kext/bytes.h"
#include "kext/confine.h"
#include "kext/decode.h"
#include "kext/msg.h"

#include <openssl/crypto.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>

enum { FD_ANSWER = 3, FD_BYTES = 4 };

static int send_msg(const struct msg *msg)
{
        struct wire_writer w = WIRE_WRITER_INIT;
        int r;

        msg_encode(msg, &w);
        r = w.fault ? w.fault : sock_send_packet(FD_ANSWER, w.data, w.used, NULL, 0);
        wire_writer_done(&w);
        return r;
}

static int send_fault(const struct croft_error *why)
{
        struct msg msg = {.type = MSG_FAULT, .code = why->code};
        char line[CROFT_ERROR_TEXT_MAX];

        (void)croft_error_line(why, line, sizeof(line));
        (void)str_escape(msg.text, sizeof(msg.text), line, strlen(line));
        return send_msg(&msg);
}

/* First without opening it: to open a device or a FIFO is to do something with it. */
static int open_file(const char *path, struct croft_error *err)
{
        _cleanup_close_ int seen = open(path, O_PATH | O_CLOEXEC);
        char again[64];
        struct stat st;
        int fd;

        if (seen < 0 || fstat(seen, &st) < 0)
                return croft_error_set(err, errno, "open it");
        if (!S_ISREG(st.st_mode))
                return croft_error_set(err, EINVAL, "it is no regular file.");
        (void)snprintf(again, sizeof(again), "/proc/self/fd/%d", seen);
        fd = open(again, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        return fd < 0 ? croft_error_set(err, errno, "open it") : fd;
}

static int take_apart(struct kext_identity *ret, struct croft_error *err)
{
        struct stat st;
        void *data;
        int r;

        if (fstat(FD_BYTES, &st) < 0)
                return croft_error_set(err, errno, "look at the copy");
        if (st.st_size == 0)
                return croft_error_set(err, ENOEXEC, "it is empty.");
        data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, FD_BYTES, 0);
        if (data == MAP_FAILED)
                return croft_error_set(err, errno, "map the copy");
        r = decode(data, (size_t)st.st_size, ret, err);
        (void)munmap(data, (size_t)st.st_size);
        return r;
}

static int copy(const char *path, struct croft_error *err)
{
        int fd = open_file(path, err), r;

        r = fd < 0 ? fd : bytes_copy(fd, FD_BYTES, err);
        close_fd(fd);
        return r;
}

static int read_only(const char *path, struct croft_error *err)
{
        const struct msg msg = {.type = MSG_READ};
        int r = copy(path, err);

        return r < 0 ? r : send_msg(&msg);
}

static int identify(const char *path, struct croft_error *err)
{
        struct msg msg = {.type = MSG_IDENTITY};
        int r = copy(path, err);

        if (r == 0)
                r = confine_to_memory(err);
        if (r == 0)
                r = take_apart(&msg.identity, err);
        return r < 0 ? r : send_msg(&msg);
}

static int begin(const char *parent)
{
        uint64_t pid;

        if (!str_to_u64(parent, INT32_MAX, &pid) || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != (pid_t)pid)
                return -ESRCH;
        /* The library's own set-up reads files: while it may. */
        (void)OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_ADD_ALL_DIGESTS, NULL);
        return 0;
}

int main(int argc, char **argv)
{
        struct croft_error err = CROFT_ERROR_INIT;
        int r;

        if (argc != 4 || (strcmp(argv[1], "identify") != 0 && strcmp(argv[1], "read") != 0)) {
                fprintf(stderr, "croft-kext: croftd starts this program to read extensions; it is of no use by hand\n");
                return 2;
        }
        if (begin(argv[2]) < 0)
                return 125;
        r = strcmp(argv[1], "read") == 0 ? read_only(argv[3], &err) : identify(argv[3], &err);
        return r < 0 && send_fault(&err) < 0 ? 1 : 0;
}
