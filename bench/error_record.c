/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * error_record.c - what recording an error costs from C: into the kernel's memory, beside an empty program called the
 * same way and beside a line that syslog(3) and a file get; and what it costs when nothing fails.  Prints ratios;
 * asserts nothing.
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "errlog/errlog.h"
#include "kit.h"
#include "plane/plane.h"

#include <bpf/bpf.h>
#include <croft/errlog.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>

#define BATCH 90 /* less than a book has room for */
#define ROUNDS 201

static struct croft_errlog *errors;
static int file = -EBADF, empty = -EBADF;
static const struct croft_errlog_message message = {.source = CROFT_ERRLOG_PROGRAM,
        .errnum = EIO,
        .component = "bench",
        .catalogue = "bench",
        .set = 1,
        .number = 1};

static bool record(int i)
{
        return croft_errlog_write(errors, &message, NULL, "read %s: block %d of %d", "/dev/sda", i, BATCH) == 0;
}

static bool record_chain(int i)
{
        return croft_errlog_push(&message, "read %s: block %d of %d", "/dev/sda", i, BATCH) == 0 &&
               croft_errlog_commit(errors, NULL) == 0;
}

static bool drop_chain(int i)
{
        bool pushed = croft_errlog_push(&message, "read %s: block %d of %d", "/dev/sda", i, BATCH) == 0;

        croft_errlog_drop();
        return pushed;
}

/* In a book that has had no record. */
static bool record_first(int i)
{
        struct croft_errlog_message first = message;

        first.partition = (uint64_t)i + 1;
        return croft_errlog_write(errors, &first, NULL, "read %s: block %d of %d", "/dev/sda", i, BATCH) == 0;
}

static bool run_empty(int i)
{
        struct errlog_call call = {.op = (uint32_t)i};

        return bench_run(empty, &call, sizeof(call)) == 0;
}

static bool write_line(int i)
{
        return dprintf(file, "bench[%d]: read %s: block %d of %d: %s\n", 1, "/dev/sda", i, BATCH, strerror(EIO)) > 0;
}

/* The median of rounds, in ns a call; the book is emptied between them, outside of the time.  anew: each call has a
 * book of its own, a new one. */
static double time_calls(struct errlog *errlog, bool (*one)(int i), bool anew)
{
        double rounds[ROUNDS];

        for (int r = 0; r < ROUNDS; r++) {
                int64_t began;

                for (int i = 0; anew && i < BATCH; i++)
                        if (errlog_add(errlog, (uint64_t)i + 1, "bench", NULL) < 0)
                                return 0;
                began = bench_now_ns();
                for (int i = 0; i < BATCH; i++)
                        if (!one(i))
                                return 0;
                rounds[r] = (double)(bench_now_ns() - began) / BATCH;
                (void)errlog_clear(errlog, 0, NULL);
                for (int i = 0; anew && i < BATCH; i++)
                        if (errlog_forget(errlog, (uint64_t)i + 1, NULL) < 0)
                                return 0;
        }
        return bench_median(rounds, ROUNDS);
}

static void measure(struct errlog *errlog)
{
        const struct {
                const char *what;
                bool (*one)(int i);
                bool anew;
        } all[] = {{"an empty program with the same context", run_empty, false}, {"a record", record, false},
                {"the first record of a book", record_first, true},
                {"a chain of one, pushed and committed", record_chain, false},
                {"a chain of one, pushed and dropped", drop_chain, false},
                {"a line to a file (dprintf)", write_line, false}};
        double base = 0;

        for (size_t i = 0; i < ELEMENTS(all); i++) {
                double ns = time_calls(errlog, all[i].one, all[i].anew);

                base = i == 0 ? ns : base;
                printf("%-42s %7.0f ns  %5.2f\n", all[i].what, ns, base > 0 ? ns / base : 0);
        }
}

int main(void)
{
        char directory[] = "/tmp/croft-bench.XXXXXX", programs[64], line[CROFT_ERROR_TEXT_MAX];
        struct croft_error err = CROFT_ERROR_INIT;
        struct errlog *errlog = NULL;
        struct plane *plane = NULL;
        struct utsname name;
        int run_dir = mkdtemp(directory) ? open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
        int r = run_dir < 0 ? -errno : plane_open(run_dir, "bench", 2, &plane, &err), fd = -EBADF;

        if (r == 0)
                r = errlog_open(plane, &errlog, &err);
        if (r == 0)
                r = fd = plane_open_programs(plane, &err);
        (void)snprintf(programs, sizeof(programs), "/proc/self/fd/%d", fd);
        if (r >= 0)
                r = croft_errlog_open(programs, &errors, &err);
        empty = bench_load_empty();
        file = openat(run_dir, "log", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        if (r < 0 || empty < 0 || file < 0) {
                printf("left out: %s\n", croft_error_line(&err, line, sizeof(line)));
        } else {
                (void)uname(&name);
                printf("recording an error, median of %d rounds of %d; Linux %s\n", ROUNDS, BATCH, name.release);
                measure(errlog);
        }
        (void)unlinkat(run_dir, "log", 0);
        (void)croft_errlog_close(errors);
        (void)close_fd(fd);
        if (errlog)
                (void)errlog_remove(errlog, NULL);
        errlog_free(errlog);
        if (plane)
                (void)plane_remove(plane, NULL);
        plane_free(plane);
        (void)close_fd(run_dir);
        (void)rmdir(directory);
        return r < 0;
}
