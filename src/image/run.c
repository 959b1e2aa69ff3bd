/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * run.c - see run.h.
 *
 * One poll loop moves bytes from the source (a file, or a program's output) to the worker and reads what both say.  The
 * store doesn't look into these bytes, it only hashes them.  The calling thread waits all the time: the processes die
 * with it (PR_SET_PDEATHSIG).
 */
#include "image/run.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/str.h"
#include "kernel/spawn.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define CHUNK 131072
#define LINE_MAX_BYTES 2048

/* A process and the descriptors it is to have, by number. */
struct child {
        pid_t pid; /* 0: none */
        int fds[5];
        size_t n_fds;
};

/* Lines as they come in. */
struct lines {
        char buf[LINE_MAX_BYTES];
        size_t used;
};

struct pump {
        struct worker_run *run;
        int from, to, report, log; /* owned, except from of a file; -EBADF: closed */
        bool owns_from;
        char *buf;
        size_t at, size; /* of buf: read, not yet written */
        struct lines report_lines, log_lines;
        bool source_ended; /* by itself */
        bool ended;        /* the report's last line came */
        int result;
        struct croft_error *err;
};

static int spawn(struct child *child, const char *program, char *const *argv, struct croft_error *err)
{
        return spawn_program(program, argv, child->fds, child->n_fds, &child->pid, err);
}

/* Waits for its end; kills it first if asked.  Its wait status, 0 for none. */
static int reap(struct child *child, bool end_it)
{
        int status = 0;

        if (child->pid <= 0)
                return 0;
        if (end_it)
                (void)kill(child->pid, SIGKILL);
        while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
                ;
        child->pid = 0;
        return status;
}

/* For reading: control bytes escaped.  The worker escapes what it quotes, so its backslashes stay. */
static void show(char *dst, size_t size, const char *text)
{
        char *to = dst;

        str_escape(dst, size, text, strnlen(text, 750));
        for (const char *from = dst; *from; from++) {
                *to++ = *from;
                if (strncmp(from, "\\x5c", 4) == 0)
                        from += 3;
        }
        *to = '\0';
}

int worker_report_line(struct worker_run *run, const char *line, struct croft_error *err)
{
        const char *text = line[0] && line[1] == ' ' ? line + 2 : "";
        char quoted[800];
        uint64_t number;
        char *end;
        long code;

        show(quoted, sizeof(quoted), text);
        switch (line[0]) {
        case '.':
                return 1;
        case 'P':
                if (run->say)
                        run->say(run->context, quoted);
                return 0;
        case 'N':
        case 'S':
                if (str_to_u64(text, INT64_MAX, &number))
                        *(line[0] == 'N' ? &run->nodes : &run->bytes) = number;
                return 0;
        case 'O':
                (void)str_copy(run->os, sizeof(run->os), quoted);
                return 0;
        case 'W':
                (void)str_copy(run->warning, sizeof(run->warning), quoted);
                return 0;
        case 'E':
                code = strtol(text, &end, 10);
                if (code < 1 || code > 133 || *end != ' ')
                        return croft_error_set(err, EILSEQ, "the worker says what it shouldn't.");
                show(quoted, sizeof(quoted), end + 1);
                return croft_error_set(err, (int)code, "%s.", quoted);
        default:
                return croft_error_set(err, EILSEQ, "the worker says what it shouldn't.");
        }
}

/* Reads what is there and hands over each whole line; 0 at the end. Longer ones are cut. */
static ssize_t read_lines(int fd, struct lines *lines, void (*each)(struct pump *, char *), struct pump *pump)
{
        ssize_t n = read(fd, lines->buf + lines->used, sizeof(lines->buf) - 1 - lines->used);
        char *start = lines->buf, *stop;

        if (n <= 0)
                return n < 0 && errno == EINTR ? 1 : 0;
        lines->used += (size_t)n;
        lines->buf[lines->used] = '\0';
        while ((stop = memchr(start, '\n', lines->used - (size_t)(start - lines->buf)))) {
                *stop = '\0';
                each(pump, start);
                start = stop + 1;
        }
        lines->used -= (size_t)(start - lines->buf);
        memmove(lines->buf, start, lines->used);
        if (lines->used == sizeof(lines->buf) - 1) {
                each(pump, lines->buf);
                lines->used = 0;
        }
        return 1;
}

static void on_report(struct pump *pump, char *line)
{
        int r;

        if (pump->ended)
                return; /* the first verdict counts */
        r = worker_report_line(pump->run, line, pump->err);
        if (r == 0)
                return;
        pump->ended = true;
        pump->result = r < 0 ? r : 0;
}

static void on_log(struct pump *pump, char *line)
{
        struct worker_run *run = pump->run;
        char quoted[512];
        const char *text;

        /* The first one is the cause: what follows tells who gave up because of it. */
        if (!run->producer_error[0] && str_has_prefix(line, "E: "))
                str_escape(run->producer_error, sizeof(run->producer_error), line + 3, strnlen(line + 3, 400));
        text = run->producer_says ? run->producer_says(line) : NULL;
        if (text && run->say)
                run->say(run->context, str_escape(quoted, sizeof(quoted), text, strnlen(text, 400)));
}

static void close_from(struct pump *pump)
{
        if (pump->owns_from)
                close_fd(pump->from);
        pump->from = -EBADF;
}

/* Reads the next piece of the source; at its end the worker's input is ended, too. */
static void fill(struct pump *pump)
{
        ssize_t n = read(pump->from, pump->buf, CHUNK);

        if (n < 0 && (errno == EINTR || errno == EAGAIN))
                return;
        if (n < 0 && pump->result == 0) {
                pump->result = croft_error_set(pump->err, errno, "read the archive");
                pump->ended = true;
        }
        if (n <= 0) {
                pump->source_ended = n == 0;
                close_from(pump);
                pump->to = close_fd(pump->to);
                return;
        }
        if (pump->run->hash)
                (void)EVP_DigestUpdate(pump->run->hash, pump->buf, (size_t)n);
        pump->at = 0;
        pump->size = (size_t)n;
}

static void drain(struct pump *pump)
{
        ssize_t n = send(pump->to, pump->buf + pump->at, pump->size - pump->at, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n < 0 && (errno == EINTR || errno == EAGAIN))
                return;
        if (n < 0) {
                /* The worker reads no more: it has refused, and says why in its report. */
                close_from(pump);
                pump->to = close_fd(pump->to);
                return;
        }
        pump->at += (size_t)n;
}

/* Until the worker has said all and, if there is one, the producer's standard error has ended. */
static int move_bytes(struct pump *pump)
{
        while (pump->report >= 0 || pump->log >= 0) {
                bool pending = pump->at < pump->size;
                struct pollfd fds[] = {
                        {.fd = pump->from >= 0 && !pending ? pump->from : -1, .events = POLLIN},
                        {.fd = pump->to >= 0 && pending ? pump->to : -1, .events = POLLOUT},
                        {.fd = pump->report, .events = POLLIN},
                        {.fd = pump->log, .events = POLLIN},
                };

                if (poll(fds, ELEMENTS(fds), -1) < 0 && errno != EINTR)
                        return croft_error_set(pump->err, errno, "wait for the worker");
                if (fds[0].revents)
                        fill(pump);
                if (fds[1].revents)
                        drain(pump);
                if (fds[2].revents && !read_lines(pump->report, &pump->report_lines, on_report, pump))
                        pump->report = close_fd(pump->report);
                if (fds[3].revents && !read_lines(pump->log, &pump->log_lines, on_log, pump))
                        pump->log = close_fd(pump->log);
                /* With the worker gone nobody takes the producer's output: it isn't waited for, unless it ends anyway.
                 */
                if (pump->report < 0 && !pump->source_ended)
                        pump->log = close_fd(pump->log);
        }
        return 0;
}

static int start_producer(struct image_store *store, struct pump *pump, struct child *child, struct croft_error *err)
{
        _cleanup_close_ int null = open("/dev/null", O_RDONLY | O_CLOEXEC), out = -EBADF, log = -EBADF;
        char pid[16], guard[] = "guard", name[] = "croft-image";
        char **argv = NULL;
        int fds[2], r;

        if (null < 0 || pipe2(fds, O_CLOEXEC) < 0)
                return croft_error_set(err, errno, "make a pipe");
        pump->from = fds[0];
        pump->owns_from = true;
        out = fds[1];
        if (pipe2(fds, O_CLOEXEC) < 0)
                return croft_error_set(err, errno, "make a pipe");
        pump->log = fds[0];
        log = fds[1];
        argv = calloc(strv_length(pump->run->producer) + 4, sizeof(*argv));
        if (!argv)
                return croft_error_set(err, ENOMEM, "start the builder");
        (void)snprintf(pid, sizeof(pid), "%d", (int)getpid());
        argv[0] = name;
        argv[1] = guard;
        argv[2] = pid;
        for (size_t i = 0; pump->run->producer[i]; i++)
                argv[3 + i] = pump->run->producer[i];
        *child = (struct child){.fds = {null, out, log, pump->run->producer_tmp}, .n_fds = 4};
        r = spawn(child, store->worker, argv, err);
        free(argv);
        return r;
}

static int start_worker(struct image_store *store, struct pump *pump, struct child *child, struct croft_error *err)
{
        _cleanup_close_ int input = -EBADF, report = -EBADF;
        char pid[16], bytes[32], entries[32], name[] = "croft-image", mode[16];
        char *argv[] = {name, mode, pid, bytes, entries, NULL};
        int fds[2];

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
                return croft_error_set(err, errno, "make a socket");
        pump->to = fds[0];
        input = fds[1];
        if (pipe2(fds, O_CLOEXEC) < 0)
                return croft_error_set(err, errno, "make a pipe");
        pump->report = fds[0];
        report = fds[1];
        (void)str_copy(mode, sizeof(mode), pump->run->mode);
        (void)snprintf(pid, sizeof(pid), "%d", (int)getpid());
        (void)snprintf(bytes, sizeof(bytes), "%llu", (unsigned long long)store->limits.bytes);
        (void)snprintf(entries, sizeof(entries), "%llu", (unsigned long long)store->limits.entries);
        *child = (struct child){.fds = {input, report, -EBADF, pump->run->target, pump->run->source}, .n_fds = 5};
        return spawn(child, store->worker, argv, err);
}

/* What the ends of the processes mean. */
static int judge(struct pump *pump, int worker, int producer, struct croft_error *err)
{
        struct worker_run *run = pump->run;

        /* First the cause: a builder that failed leaves a cut archive. */
        if (run->producer && WIFEXITED(producer) && WEXITSTATUS(producer) == 127)
                return croft_error_set(err, ENOENT, "'%s' isn't there: install it (on Debian: apt install %s).",
                        run->producer[0], run->producer[0]);
        if (run->producer && pump->source_ended && WIFEXITED(producer) && WEXITSTATUS(producer) != 0)
                return croft_error_set(err, EIO, "%s ended with status %d: %s.", run->producer[0],
                        WEXITSTATUS(producer), run->producer_error[0] ? run->producer_error : "it doesn't say why");
        if (pump->result < 0)
                return pump->result;
        if (WIFSIGNALED(worker))
                return croft_error_set(err, EILSEQ, "the worker was ended by signal %d.", WTERMSIG(worker));
        if (!pump->ended || worker != 0)
                return croft_error_set(err, EIO, "the worker ended without a verdict.");
        return 0;
}

static int run_both(struct image_store *store, struct pump *pump, struct croft_error *err)
{
        struct child worker = {0}, producer = {0};
        int worker_status, producer_status, r = 0;

        if (pump->run->producer)
                r = start_producer(store, pump, &producer, err);
        if (r == 0)
                r = start_worker(store, pump, &worker, err);
        if (r == 0 && pump->from < 0)
                pump->to = close_fd(pump->to); /* nothing to feed */
        if (r == 0)
                r = move_bytes(pump);
        /* A producer whose reader has gone would only wait. */
        close_from(pump);
        producer_status = reap(&producer, r < 0 || !pump->source_ended);
        worker_status = reap(&worker, r < 0);
        return r < 0 ? r : judge(pump, worker_status, producer_status, err);
}

int worker_run(struct image_store *store, struct worker_run *run, struct croft_error *err)
{
        _cleanup_free_ char *buf = malloc(CHUNK);
        struct croft_error own = CROFT_ERROR_INIT;
        struct pump *pump = calloc(1, sizeof(*pump));
        int r;

        if (!buf || !pump) {
                free(pump);
                return croft_error_set(err, ENOMEM, "start the worker");
        }
        *pump = (struct pump){.run = run,
                .from = run->producer ? -EBADF : run->input,
                .to = -EBADF,
                .report = -EBADF,
                .log = -EBADF,
                .buf = buf,
                .err = &own};
        r = run_both(store, pump, &own);
        close_from(pump);
        close_fd(pump->to);
        close_fd(pump->report);
        close_fd(pump->log);
        free(pump);
        return r < 0 ? croft_error_copy(err, &own) : 0;
}
