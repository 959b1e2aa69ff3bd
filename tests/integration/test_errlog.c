/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_errlog.c - the record of errors in the kernel: whose book it is, what it has room for, and that nothing is mixed
 * or lost when all write at once.
 * where: here guest
 * cpus: several
 */
#include "base/cleanup.h"
#include "base/clock.h"
#include "errlog/client.h"
#include "errlog/errlog.h"
#include "oom_kit.h"
#include "plane/plane_bpf.h"
#include "plane_kit.h"

#include <bpf/bpf.h>
#include <croft/errlog.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <cmocka.h>

#define A 101
#define B 102

static struct errlog *errlog;
static struct croft_errlog *log_of_global; /* opened here, used by children, too */
static char directory[64];
static int programs = -EBADF;

static void open_errlog(void)
{
        struct croft_error err = CROFT_ERROR_INIT;
        char line[CROFT_ERROR_TEXT_MAX];

        if (errlog_open(plane, &errlog, &err) < 0 || croft_errlog_open(directory, &log_of_global, &err) < 0)
                fail_msg("%s", croft_error_line(&err, line, sizeof(line)));
}

static void close_errlog(void)
{
        log_of_global = croft_errlog_close(log_of_global);
        errlog = errlog_free(errlog);
}

static int set_up_errlog(void **state)
{
        int r = set_up(state);

        if (r < 0)
                return r;
        programs = plane_open_programs(plane, NULL);
        (void)snprintf(directory, sizeof(directory), "/proc/self/fd/%d", programs);
        open_errlog();
        assert_int_equal(errlog_begin_attempt(errlog, A, "a", "start", NULL, NULL), 0);
        assert_int_equal(errlog_begin_attempt(errlog, B, "b", "start", NULL, NULL), 0);
        return 0;
}

static int tear_down_errlog(void **state)
{
        assert_int_equal(errlog_forget(errlog, A, NULL), 0);
        assert_int_equal(errlog_forget(errlog, B, NULL), 0);
        assert_int_equal(errlog_remove(errlog, NULL), 0);
        close_errlog();
        programs = close_fd(programs);
        return tear_down(state);
}

static struct croft_errlog_message message_of(uint64_t partition, enum croft_errlog_source source)
{
        return (struct croft_errlog_message){.partition = partition,
                .source = source,
                .errnum = EIO,
                .component = "test",
                .catalogue = "none",
                .set = 1,
                .number = 2};
}

static struct croft_errlog_book book_of(uint64_t partition)
{
        struct croft_errlog_book book = {.partition = 0};

        assert_int_equal(croft_errlog_get_book(log_of_global, partition, &book, NULL), 0);
        return book;
}

static unsigned int records_of(uint64_t partition)
{
        struct croft_errlog_record record = {.seq = 0};
        unsigned int n = 0;

        while (croft_errlog_read(log_of_global, partition, record.seq + 1, &record, NULL) == 0)
                n++;
        assert_int_equal(n, book_of(partition).records);
        return n;
}

static void assert_text(const struct croft_errlog_record *record, const char *expected)
{
        char *text = croft_errlog_text(record);

        assert_string_equal(text, expected);
        free(text);
}

/* --- whose book --- */

static void write_own(void *context)
{
        const struct croft_errlog_message message = message_of(0, CROFT_ERRLOG_PROGRAM);
        struct croft_errlog *own = NULL;
        struct croft_errlog_record record;
        uint64_t seq = 0;

        (void)context;
        require(croft_errlog_open(directory, &own, NULL) == 0);
        require(croft_errlog_write(own, &message, &seq, "%s: %d of %lu", "disk", -1, 7UL) == 0 && seq == 1);
        require(croft_errlog_read(own, 0, 1, &record, NULL) == 0);
        require(record.partition == A && record.seq == 1 && record.attempt == 1);
        require(record.source == CROFT_ERRLOG_PROGRAM && record.errnum == EIO && record.set == 1 && record.number == 2);
        require(strcmp(record.component, "test") == 0 && strcmp(record.catalogue, "none") == 0);
        require(croft_errlog_read(own, 0, 2, &record, NULL) == -ENOENT);
        croft_errlog_close(own);
}

static void sees_nothing(void *context)
{
        struct croft_errlog_record record;

        (void)context;
        require(croft_errlog_read(log_of_global, 0, 1, &record, NULL) == -ENOENT);
}

static void each_has_its_own_book(void **state)
{
        struct croft_errlog_record record;

        (void)state;
        as("a", AS_NOBODY, write_own, NULL);
        as("b", AS_IS, sees_nothing, NULL);
        assert_int_equal(croft_errlog_read(log_of_global, A, 1, &record, NULL), 0);
        assert_text(&record, "disk: -1 of 7: Input/output error");
        assert_int_equal(record.partition, A);
        assert_int_equal(croft_errlog_read(log_of_global, 0, 1, &record, NULL), -ENOENT);
        assert_int_equal(croft_errlog_read(log_of_global, 999, 1, &record, NULL), -ENXIO);
}

static void reads_the_time(void *context)
{
        struct croft_errlog *own = NULL;
        struct croft_errlog_record record;
        struct croft_errlog_book book;
        int64_t now;

        (void)context;
        require(croft_errlog_open(directory, &own, NULL) == 0);
        require(croft_errlog_read(own, 0, 1, &record, NULL) == 0);
        require(croft_errlog_get_book(own, 0, &book, NULL) == 0);
        now = now_ns(CLOCK_REALTIME);
        require(record.time_ns <= now && now - record.time_ns < 3600000000000);
        require(book.attempt_ns <= now && now - book.attempt_ns < 3600000000000);
        croft_errlog_close(own);
}

static void times_are_right_by_whatever_clock_they_are_read(void **state)
{
        (void)state;
        as("a", AS_IS, write_own, NULL);
        as("a", AS_IS, reads_the_time, NULL);
        as("a", AS_OTHER_CLOCK, reads_the_time, NULL);
}

/* What was opened in global writes into the book of who uses it. */
static void write_with_global_s(void *context)
{
        const struct croft_errlog_message own = message_of(0, CROFT_ERRLOG_SCRIPT);
        struct croft_errlog_message message = own;
        struct croft_errlog_record record;

        (void)context;
        require(croft_errlog_write(log_of_global, &own, NULL, "mine") == 0);
        message.partition = A;
        require(croft_errlog_write(log_of_global, &message, NULL, "mine, by number") == 0);
        message.partition = B;
        require(croft_errlog_write(log_of_global, &message, NULL, "theirs") == -EPERM);
        require(croft_errlog_read(log_of_global, B, 1, &record, NULL) == -EPERM);
        message.partition = 999; /* nobody's: the same answer */
        require(croft_errlog_write(log_of_global, &message, NULL, "nobody's") == -EPERM);
        message = own;
        message.source = CROFT_ERRLOG_KERNEL;
        require(croft_errlog_write(log_of_global, &message, NULL, "I am the kernel") == -EINVAL);
        message.source = CROFT_ERRLOG_REMOTE;
        require(croft_errlog_write(log_of_global, &message, NULL, "I am another machine") == -EINVAL);
}

static void raw_calls(void *context)
{
        const uint32_t refused[] = {ERRLOG_OP_REMOVE, ERRLOG_OP_CLEAR, ERRLOG_OP_BEGIN, ERRLOG_OP_NAME};
        int program = errlog_client_open(directory);
        struct errlog_call call;

        (void)context;
        require(program >= 0);
        for (size_t i = 0; i < ELEMENTS(refused); i++) {
                call = (struct errlog_call){.op = refused[i], .seq = 1};
                require(errlog_client_call(program, &call) == -EPERM);
        }
        call = (struct errlog_call){.op = 99};
        require(errlog_client_call(program, &call) == -EINVAL);
        /* What the kernel says of a record isn't the recorder's to say. */
        call = (struct errlog_call){.op = ERRLOG_OP_WRITE,
                .record = {.source = ERRLOG_LIBRARY,
                        .partition = B,
                        .seq = 77,
                        .attempt = 88,
                        .cause = 99,
                        .boot_ns = 1,
                        .pid = 1,
                        .part = ERRLOG_PART_RESERVED}};
        require(errlog_client_call(program, &call) == 0);
        call.op = ERRLOG_OP_READ;
        require(errlog_client_call(program, &call) == 0);
        require(call.record.partition == A && call.record.seq == call.seq && call.record.attempt == 1);
        require(call.record.cause == 0 && call.record.boot_ns > 1 && call.record.part == ERRLOG_PART_OWN);
        require(call.record.pid == 0); /* global's number isn't its to see */
        call = (struct errlog_call){
                .op = ERRLOG_OP_WRITE, .record = {.source = ERRLOG_LIBRARY, .args_size = ERRLOG_ARGS + 1}};
        require(errlog_client_call(program, &call) == -EINVAL);
        call = (struct errlog_call){.op = ERRLOG_OP_WRITE, .record = {.source = ERRLOG_LIBRARY, .severity = 3}};
        require(errlog_client_call(program, &call) == -EINVAL);
}

static void refused_outside(void *context)
{
        const struct croft_errlog_message message = message_of(0, CROFT_ERRLOG_PROGRAM);

        (void)context;
        require(croft_errlog_write(log_of_global, &message, NULL, "who am I?") == -EPERM);
}

static void nobody_lies_about_who_he_is(void **state)
{
        (void)state;
        as("a", AS_IS, write_with_global_s, NULL);
        assert_int_equal(records_of(A), 2);
        assert_int_equal(records_of(B), 0);
        as("a", AS_USER_NS | AS_NESTED_NS, raw_calls, NULL);
        assert_int_equal(records_of(A), 3);
        as(NULL, AS_USER_NS, refused_outside, NULL); /* in no partition, and not global */
        assert_int_equal(records_of(0), 0);
}

/* --- room --- */

static void fill_own(void *context)
{
        const struct croft_errlog_message message = message_of(0, CROFT_ERRLOG_PROGRAM);
        const unsigned int *n = context;

        for (unsigned int i = 0; i < ERRLOG_OWN_MAX; i++)
                require(croft_errlog_write(log_of_global, &message, NULL, "message %u", i) == 0);
        for (unsigned int i = 0; i < *n; i++)
                require(croft_errlog_write(log_of_global, &message, NULL, "too much %u", i) == -ENOMEM);
}

static void a_full_book_keeps_what_it_has(void **state)
{
        const struct croft_errlog_message to_a = message_of(A, CROFT_ERRLOG_REMOTE),
                                          to_b = message_of(B, CROFT_ERRLOG_PROGRAM);
        struct croft_errlog_record record;
        unsigned int more = 5;

        (void)state;
        as("a", AS_IS, fill_own, &more);
        assert_int_equal(records_of(A), ERRLOG_OWN_MAX);
        assert_int_equal(book_of(A).refused_own, 5);
        assert_int_equal(croft_errlog_read(log_of_global, A, 1, &record, NULL), 0);
        assert_text(&record, "message 0: Input/output error");
        /* Global has room of its own (ERR-26), and the other partition its book. */
        for (int i = 0; i < ERRLOG_RESERVED_MAX; i++)
                assert_int_equal(croft_errlog_write(log_of_global, &to_a, NULL, "seen from outside"), 0);
        assert_int_equal(croft_errlog_write(log_of_global, &to_a, NULL, "no more"), -ENOMEM);
        assert_int_equal(book_of(A).refused_reserved, 1);
        assert_int_equal(croft_errlog_write(log_of_global, &to_b, NULL, "not concerned"), 0);
        assert_int_equal(records_of(A), ERRLOG_OWN_MAX + ERRLOG_RESERVED_MAX);
        assert_int_equal(records_of(B), 1);
        /* What goes makes room, and the numbers go on. */
        assert_int_equal(errlog_clear(errlog, A, NULL), 0);
        assert_int_equal(records_of(A), 0);
        as("a", AS_IS, fill_own, &more);
        assert_int_equal(croft_errlog_read(log_of_global, A, 1, &record, NULL), 0);
        assert_int_equal(record.seq, ERRLOG_OWN_MAX + ERRLOG_RESERVED_MAX + 1);
        assert_int_equal(book_of(A).refused_own, 5);
}

/* --- attempts, and those who come after --- */

static void an_attempt_begins_with_an_empty_book(void **state)
{
        unsigned int more = 1;
        struct croft_errlog_book book;
        uint64_t attempt = 0;

        (void)state;
        as("a", AS_IS, fill_own, &more);
        assert_int_equal(errlog_begin_attempt(errlog, A, "a", "stop", &attempt, NULL), 0);
        book = book_of(A);
        assert_int_equal(attempt, 2);
        assert_int_equal(book.attempt, 2);
        assert_string_equal(book.operation, "stop");
        assert_string_equal(book.name, "a");
        assert_int_equal(book.records + book.refused_own + book.refused_reserved, 0);
        assert_int_equal(records_of(A), 0);
        assert_int_equal(errlog_rename(errlog, A, "anna", NULL), 0);
        assert_string_equal(book_of(A).name, "anna");
        assert_int_equal(errlog_rename(errlog, 999, "nobody", NULL), 0); /* has no book */
}

static void what_is_on_record_outlives_croftd(void **state)
{
        struct croft_error what = CROFT_ERROR_INIT;
        struct croft_errlog_record record;

        (void)state;
        croft_error_set(&what, ENOSPC, "write 'x'");
        croft_error_prefix(&what, "start '%s'", "a");
        assert_int_equal(errlog_record_error(errlog, A, "croftd", ERRLOG_ERROR, &what), 0);
        assert_int_equal(errlog_remove(errlog, NULL), -EBUSY);
        for (int i = 0; i < 2; i++) {
                close_errlog();
                open_errlog();
                assert_int_equal(records_of(A), 2);
                assert_int_equal(croft_errlog_read(log_of_global, A, 1, &record, NULL), 0);
                assert_text(&record, "write 'x': No space left on device");
                assert_int_equal(record.errnum, ENOSPC);
                assert_int_equal(croft_errlog_read(log_of_global, A, 2, &record, NULL), 0);
                assert_text(&record, "start 'a'");
                assert_int_equal(record.cause, 1);
        }
}

static void write_and_write(void *context)
{
        const struct croft_errlog_message message = message_of(0, CROFT_ERRLOG_PROGRAM);
        const atomic_bool *ended = context;

        while (!atomic_load(ended))
                (void)croft_errlog_write(log_of_global, &message, NULL, "again");
}

/* What is written while a book is cleared is in it afterwards, or has gone: nothing is left behind that takes room. */
static void clearing_beside_writers_leaves_nothing_behind(void **state)
{
        atomic_bool *ended = mmap(NULL, sizeof(*ended), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        pid_t writers[1]; /* more would fill the book, and then nobody is in the middle of writing */
        int status;

        (void)state;
        assert_true(ended != MAP_FAILED);
        for (size_t i = 0; i < ELEMENTS(writers); i++) {
                writers[i] = fork();
                assert_true(writers[i] >= 0);
                if (writers[i] == 0) {
                        require(enter_cgroup("a") == 0);
                        write_and_write(ended);
                        _exit(0);
                }
        }
        for (int i = 0; i < 5000; i++)
                assert_int_equal(errlog_clear(errlog, A, NULL), 0);
        atomic_store(ended, true);
        for (size_t i = 0; i < ELEMENTS(writers); i++)
                assert_true(waitpid(writers[i], &status, 0) == writers[i] && status == 0);
        (void)records_of(A); /* as many as the book says */
        assert_int_equal(errlog_clear(errlog, A, NULL), 0);
        assert_int_equal(book_of(A).records, 0);
        assert_int_equal(munmap(ended, sizeof(*ended)), 0);
}

static bool is_a(void *context, uint64_t id)
{
        return context == NULL && id == A;
}

static void books_of_partitions_that_are_gone_go(void **state)
{
        (void)state;
        assert_int_equal(errlog_record_text(errlog, A, "croftd", ERRLOG_WARNING, "stays"), 0);
        assert_int_equal(errlog_record_text(errlog, B, "croftd", ERRLOG_WARNING, "goes"), 0);
        assert_int_equal(errlog_record_text(errlog, 0, "croftd", ERRLOG_WARNING, "global's"), 0);
        assert_int_equal(errlog_sweep(errlog, is_a, NULL, NULL), 0);
        assert_int_equal(records_of(A), 1);
        assert_int_equal(records_of(0), 1);
        assert_int_equal(croft_errlog_get_book(log_of_global, B, &(struct croft_errlog_book){0}, NULL), -ENXIO);
}

/* How many slots of the partition take memory. */
static unsigned int slots_of(uint64_t partition)
{
        _cleanup_close_ int records = plane_bpf_get(plane_directory(plane), "errlog_records");
        struct errlog_key key = {.partition = partition};
        struct errlog_record record;
        unsigned int n = 0;

        assert_true(records >= 0);
        for (; key.slot < ERRLOG_SLOTS; key.slot++)
                n += bpf_map_lookup_elem(records, &key, &record) == 0;
        return n;
}

/* They are kept when a book is cleared, and not when it goes, in whatever way. */
static void slots_go_with_their_book(void **state)
{
        _cleanup_close_ int books = plane_bpf_get(plane_directory(plane), "errlog_books");
        const unsigned int ready = slots_of(A);
        uint64_t b = B;

        (void)state;
        assert_int_equal(ready, 8); /* some of both rooms */
        for (int i = 0; i < 7; i++)
                assert_int_equal(errlog_record_text(errlog, A, "croftd", ERRLOG_WARNING, "a"), 0);
        assert_int_equal(errlog_record_text(errlog, B, "croftd", ERRLOG_WARNING, "b"), 0);
        assert_int_equal(errlog_clear(errlog, A, NULL), 0);
        assert_int_equal(records_of(A), 0);
        assert_int_equal(slots_of(A), ready + 3);
        assert_int_equal(errlog_record_text(errlog, A, "croftd", ERRLOG_WARNING, "a"), 0);
        assert_int_equal(slots_of(A), ready + 3);
        assert_int_equal(errlog_forget(errlog, A, NULL), 0);
        assert_int_equal(slots_of(A), 0);
        assert_int_equal(bpf_map_delete_elem(books, &b), 0); /* croftd is killed while it forgets */
        assert_int_equal(slots_of(B), ready);
        assert_int_equal(errlog_sweep(errlog, is_a, NULL, NULL), 0);
        assert_int_equal(slots_of(B), 0);
}

static void another_layout_is_begun_anew(void **state)
{
        _cleanup_close_ int books = plane_bpf_get(plane_directory(plane), "errlog_books");
        struct errlog_book book;
        uint64_t global = 0;

        (void)state;
        assert_int_equal(errlog_record_text(errlog, A, "croftd", ERRLOG_WARNING, "of an older version"), 0);
        assert_int_equal(bpf_map_lookup_elem(books, &global, &book), 0);
        book.layout++;
        assert_int_equal(bpf_map_update_elem(books, &global, &book, BPF_EXIST), 0);
        close_errlog();
        open_errlog();
        assert_int_equal(croft_errlog_get_book(log_of_global, A, &(struct croft_errlog_book){0}, NULL), -ENXIO);
        assert_int_equal(errlog_add(errlog, A, "a", NULL), 0);
        assert_int_equal(records_of(A), 0);
}

/* --- all at once (ERR-A10) --- */

#define THREADS 64
#define CHAINS 1000
#define LINKS 3
#define KILLED_MIN 10

struct tally {
        atomic_uint committed, refused; /* records */
        atomic_uint killed;             /* by the kernel */
        atomic_bool begun, written, ended;
};

static void *write_chains(void *context)
{
        static atomic_uint next_thread;
        struct tally *tally = context;
        unsigned int thread = atomic_fetch_add(&next_thread, 1), seed = thread;
        const struct croft_errlog_message message = message_of(0, CROFT_ERRLOG_LIBRARY);

        for (unsigned int chain = 0; chain < CHAINS; chain++) {
                unsigned int refused = 0, n = 1 + (unsigned int)rand_r(&seed) % LINKS;

                while (chain == CHAINS / 2 &&
                        !atomic_load(&tally->killed)) /* the kernel is to be in the middle of it */
                        (void)usleep(1000);
                for (unsigned int i = 0; i < n; i++)
                        require(croft_errlog_push(&message, "%u %u %u", thread, chain, i) == 0);
                if (rand_r(&seed) % 2) {
                        croft_errlog_drop();
                        continue;
                }
                (void)croft_errlog_commit(log_of_global, &refused);
                require(refused <= n);
                if (refused > 0) /* let the reader make room */
                        (void)usleep(500);
                atomic_fetch_add(&tally->committed, n - refused);
                atomic_fetch_add(&tally->refused, refused);
        }
        return NULL;
}

static void write_from_threads(void *context)
{
        pthread_t threads[THREADS];

        for (int i = 0; i < THREADS; i++)
                require(pthread_create(&threads[i], NULL, write_chains, context) == 0);
        atomic_store(&((struct tally *)context)->begun, true);
        for (int i = 0; i < THREADS; i++)
                require(pthread_join(threads[i], NULL) == 0);
        atomic_store(&((struct tally *)context)->written, true);
}

/* Where each chain of each thread was seen last: link and number, to which the next one refers. */
struct seen {
        unsigned int link;
        uint64_t seq;
};

static void check_link(const struct errlog_record *record, struct seen *seen)
{
        struct errlog_record copy = *record;
        struct croft_errlog_record shown = {.n_args = copy.n_args, .args_size = copy.args_size};
        unsigned int numbers[3];

        memcpy(shown.args, copy.args, sizeof(shown.args));
        for (unsigned int i = 0; i < 3; i++) {
                char *text = croft_errlog_argument(&shown, i);

                assert_non_null(text);
                numbers[i] = (unsigned int)strtoul(text, NULL, 10);
                free(text);
        }
        assert_true(numbers[0] < THREADS && numbers[1] < CHAINS && numbers[2] < LINKS);
        seen += (size_t)numbers[0] * CHAINS + numbers[1];
        /* Its cause is the newest link of its own chain that found room. */
        assert_int_equal(record->cause, seen->seq);
        assert_true(seen->seq == 0 || numbers[2] > seen->link);
        *seen = (struct seen){.link = numbers[2], .seq = record->seq};
}

/* What was taken, by who recorded it. */
struct taken {
        unsigned int chains, remote, kernel;
};

static void count(const struct errlog_record *record, struct seen *seen, struct taken *taken)
{
        if (record->source == ERRLOG_REMOTE) {
                taken->remote++;
        } else if (record->source == ERRLOG_KERNEL) {
                assert_int_equal(record->part, ERRLOG_PART_RESERVED);
                assert_int_equal(record->errnum, ENOMEM);
                taken->kernel++;
        } else {
                check_link(record, seen);
                taken->chains++;
        }
}

/* Reads and takes what is there by now, as croftd's successor of a dead reader would: peek, then remove. */
static void take(int program, uint64_t *next, struct seen *seen, struct taken *taken)
{
        struct errlog_book book;
        struct errlog_record record;
        uint64_t seq = *next;

        assert_int_equal(errlog_client_book(program, A, &book), 0);
        for (; errlog_client_next(program, A, &book, &seq, &record) == 0; seq++) {
                struct errlog_call call = {.op = ERRLOG_OP_REMOVE, .partition = A, .seq = seq};

                assert_int_equal(seq, *next); /* without gaps */
                *next = seq + 1;
                count(&record, seen, taken);
                assert_int_equal(errlog_client_call(program, &call), 0);
                assert_int_equal(errlog_client_call(program, &call), -ENOENT); /* once */
        }
}

/* None of the children has come to grief: the others would wait for it for good. */
static bool all_are_well(void)
{
        siginfo_t si = {.si_pid = 0};

        return waitid(P_ALL, 0, &si, WEXITED | WNOHANG | WNOWAIT) == 0 &&
               (si.si_pid == 0 || (si.si_code == CLD_EXITED && si.si_status == 0));
}

/* A reader beside the writers, somebody outside who writes beside them, and the kernel, which kills. */
static void read_beside(struct tally *tally, struct taken *taken, unsigned int *ret_remote, unsigned int *ret_killed)
{
        const struct croft_errlog_message remote = message_of(A, CROFT_ERRLOG_REMOTE);
        struct seen *seen = calloc(THREADS * CHAINS, sizeof(*seen));
        _cleanup_close_ int program = errlog_client_open(directory);
        uint64_t next = 1;
        bool ended;

        assert_true(seen && program >= 0);
        do {
                ended = atomic_load(&tally->ended);
                for (int i = 0; i < 8; i++)
                        *ret_remote += croft_errlog_write(log_of_global, &remote, NULL, "seen from outside") == 0;
                take(program, &next, seen, taken);
        } while (!ended && all_are_well());
        *ret_killed = atomic_load(&tally->killed);
        take(program, &next, seen, taken);
        free(seen);
}

static pid_t fork_writers(struct tally *tally)
{
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0) {
                oom_spare();
                require(enter_cgroup("a") == 0);
                write_from_threads(tally);
                _exit(0);
        }
        return pid;
}

/* Until the writers have ended; not fewer than some.  Not before all threads are there: for one more there is no memory
 * (ENOMEM) while somebody who took it all is dying. */
static pid_t fork_killer(struct tally *tally)
{
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0) {
                while (!atomic_load(&tally->begun))
                        (void)usleep(1000);
                for (int i = 0; i < KILLED_MIN || !atomic_load(&tally->written); i++)
                        atomic_fetch_add(&tally->killed, oom_kill_one());
                atomic_store(&tally->ended, true);
                _exit(0);
        }
        return pid;
}

static void chains_of_many_threads_are_not_mixed(void **state)
{
        struct tally *tally = mmap(NULL, sizeof(*tally), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        struct taken taken = {.chains = 0};
        unsigned int remote = 0, killed = 0;
        pid_t children[2];
        int status[2];

        (void)state;
        assert_true(tally != MAP_FAILED);
        oom_begin();
        children[0] = fork_writers(tally);
        children[1] = fork_killer(tally);
        read_beside(tally, &taken, &remote, &killed);
        for (size_t i = 0; i < ELEMENTS(children); i++) {
                if (!atomic_load(&tally->ended))
                        (void)kill(children[i], SIGKILL);
                assert_int_equal(waitpid(children[i], &status[i], 0), children[i]);
        }
        oom_end();
        assert_true(status[0] == 0 && status[1] == 0);
        assert_true(taken.chains > 0 && remote > 0 && killed >= KILLED_MIN);
        assert_int_equal(taken.chains, atomic_load(&tally->committed));
        assert_int_equal(taken.remote, remote);
        assert_int_equal(taken.kernel, killed); /* the reader left it room: 8 at a time were written beside it */
        assert_int_equal(book_of(A).refused_own, atomic_load(&tally->refused));
        assert_int_equal(book_of(A).refused_reserved, 0);
        assert_int_equal(book_of(A).records, 0);
        print_message("# %u records of chains taken, %u found no room; %u processes killed\n", taken.chains,
                atomic_load(&tally->refused), killed);
        assert_int_equal(munmap(tally, sizeof(*tally)), 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up_errlog, tear_down_errlog)
        const struct CMUnitTest tests[] = {
                TEST(each_has_its_own_book),
                TEST(times_are_right_by_whatever_clock_they_are_read),
                TEST(nobody_lies_about_who_he_is),
                TEST(a_full_book_keeps_what_it_has),
                TEST(an_attempt_begins_with_an_empty_book),
                TEST(what_is_on_record_outlives_croftd),
                TEST(clearing_beside_writers_leaves_nothing_behind),
                TEST(books_of_partitions_that_are_gone_go),
                TEST(slots_go_with_their_book),
                TEST(another_layout_is_begun_anew),
                TEST(chains_of_many_threads_are_not_mixed),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, make_cgroups, remove_cgroups);
}
