/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_kext.c - names of extensions, sealed bytes, global's own copies, and what croft-kext says.
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "fault.h"
#include "kext/bytes.h"
#include "kext/msg.h"
#include "kext/run.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* echo -n abc | sha256sum */
#define ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define OTHER "0000000000000000000000000000000000000000000000000000000000000000"

static char directory[64];

static int set_up(void **state)
{
        (void)state;
        (void)strcpy(directory, "/tmp/croft-kext.XXXXXX");
        return mkdtemp(directory) ? 0 : -1;
}

static int tear_down(void **state)
{
        (void)state;
        return fd_remove_tree(AT_FDCWD, directory, NULL);
}

static int open_state(void)
{
        return open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void names_are_the_kernels(void **state)
{
        char name[KEXT_NAME_MAX + 1], release[32];

        (void)state;
        assert_true(kext_name_normalise("crc-ccitt", name));
        assert_string_equal(name, "crc_ccitt");
        assert_false(kext_name_normalise("", name));
        assert_false(kext_name_normalise("a/b", name));
        assert_false(kext_name_normalise("0123456789012345678901234567890123456789012345678901234567890", name));
        assert_string_equal(kext_release("6.1.0-18-amd64 SMP ", release, sizeof(release)), "6.1.0-18-amd64");
        assert_true(kext_is_sha256(ABC));
        assert_false(kext_is_sha256("ABC"));
}

static void files_are_known_by_their_ends(void **state)
{
        (void)state;
        assert_true(kext_is_file_name("/lib/x.ko"));
        assert_true(kext_is_file_name("x.ko.xz"));
        assert_false(kext_is_file_name("/lib/.ko"));
        assert_false(kext_is_file_name("x.ko.bz2"));
        assert_false(kext_is_file_name("x.kode"));
        assert_true(kext_is_file_name("/lib/x.bpf.o"));
        assert_false(kext_is_file_name("/lib/.bpf.o"));
        assert_false(kext_is_file_name("x.o"));
}

static void what_is_needed_is_a_list(void **state)
{
        const char *at = "crc-ccitt,,b/d,x";
        char name[KEXT_NAME_MAX + 1];

        (void)state;
        assert_true(kext_depends_next(&at, name));
        assert_string_equal(name, "crc_ccitt");
        assert_true(kext_depends_next(&at, name));
        assert_string_equal(name, "x");
        assert_false(kext_depends_next(&at, name));
}

static int file_of(const char *name, const char *text)
{
        int dir = open_state(), fd = openat(dir, name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        close_fd(dir);
        assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
        (void)lseek(fd, 0, SEEK_SET);
        return fd;
}

static void a_file_is_copied_into_sealed_memory(void **state)
{
        _cleanup_close_ int file = file_of("abc", "abc"), memfd = kext_read_sealed(file, NULL);
        char sha256[KEXT_SHA256_LENGTH + 1];
        uint64_t size = 0;

        (void)state;
        assert_true(memfd >= 0);
        assert_int_equal(kext_hash(memfd, sha256, &size, NULL), 0);
        assert_string_equal(sha256, ABC);
        assert_int_equal(size, 3);
        assert_true(write(memfd, "d", 1) < 0);
        assert_true(ftruncate(memfd, 0) < 0);
}

static void what_can_be_changed_is_not_judged(void **state)
{
        _cleanup_close_ int file = file_of("abc", "abc"), memfd = bytes_memfd(NULL);
        char sha256[KEXT_SHA256_LENGTH + 1];
        uint64_t size;

        (void)state;
        assert_int_equal(kext_hash(file, sha256, &size, NULL), -EPERM);
        assert_int_equal(kext_hash(memfd, sha256, &size, NULL), -EPERM);
}

static void only_files_of_a_bounded_size_are_read(void **state)
{
        _cleanup_close_ int file = file_of("large", "x"), dir = open_state(),
                            null = open("/dev/zero", O_RDONLY | O_CLOEXEC);
        _cleanup_close_ int fifo = -EBADF;

        (void)state;
        assert_int_equal(ftruncate(file, (off_t)1 << 40), 0);
        assert_int_equal(kext_read_sealed(file, NULL), -EFBIG);
        assert_int_equal(kext_read_sealed(dir, NULL), -EINVAL);
        assert_int_equal(kext_read_sealed(null, NULL), -EINVAL);
        assert_int_equal(mkfifoat(dir, "fifo", 0600), 0);
        fifo = openat(dir, "fifo", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        assert_int_equal(kext_read_sealed(fifo, NULL), -EINVAL);
}

static void a_file_that_is_shorter_than_it_was_is_told(void **state)
{
        _cleanup_close_ int file = open("/sys/kernel/uevent_seqnum", O_RDONLY | O_CLOEXEC);

        (void)state;
        assert_true(file >= 0);
        assert_int_equal(kext_read_sealed(file, NULL), -EAGAIN); /* its size says a page */
}

static void a_file_is_read_from_its_beginning_and_its_offset_stays(void **state)
{
        _cleanup_close_ int file = file_of("abc", "abc"), memfd = -EBADF;
        char sha256[KEXT_SHA256_LENGTH + 1];
        uint64_t size;

        (void)state;
        assert_int_equal(lseek(file, 1, SEEK_SET), 1);
        memfd = kext_read_sealed(file, NULL);
        assert_true(memfd >= 0);
        assert_int_equal(kext_hash(memfd, sha256, &size, NULL), 0);
        assert_string_equal(sha256, ABC);
        assert_int_equal(lseek(file, 0, SEEK_CUR), 1);
}

static bool exists(int state_dir, const char *path)
{
        return faccessat(state_dir, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void a_copy_is_what_its_name_says(void **state)
{
        _cleanup_close_ int dir = open_state(), memfd = fd_sealed("abc", "abc", 3), copy = -EBADF;
        char sha256[KEXT_SHA256_LENGTH + 1];
        uint64_t size;

        (void)state;
        assert_int_equal(kext_copy_put(dir, ABC, memfd, NULL), 0);
        assert_int_equal(kext_copy_put(dir, ABC, memfd, NULL), 0);
        copy = kext_copy_get(dir, ABC, NULL, NULL);
        assert_true(copy >= 0);
        assert_int_equal(kext_hash(copy, sha256, &size, NULL), 0);
        assert_string_equal(sha256, ABC);
        assert_int_equal(kext_copy_put(dir, OTHER, memfd, NULL), -EUCLEAN);
        assert_false(exists(dir, "kext/" OTHER));
        assert_false(exists(dir, "kext/" OTHER ".new"));
}

static void a_damaged_copy_is_told_and_made_anew(void **state)
{
        _cleanup_close_ int dir = open_state(), memfd = fd_sealed("abc", "abc", 3), copy = -EBADF;

        (void)state;
        assert_int_equal(kext_copy_put(dir, ABC, memfd, NULL), 0);
        close_fd(file_of("kext/" ABC, "abd"));
        assert_int_equal(kext_copy_get(dir, ABC, NULL, NULL), -EUCLEAN);
        assert_int_equal(kext_copy_put(dir, ABC, memfd, NULL), 0);
        copy = kext_copy_get(dir, ABC, NULL, NULL);
        assert_true(copy >= 0);
        assert_int_equal(kext_copy_remove(dir, ABC, NULL), 0);
        assert_int_equal(kext_copy_remove(dir, ABC, NULL), 0);
        assert_int_equal(kext_copy_get(dir, ABC, NULL, NULL), -EUCLEAN);
}

static bool is_copy(int dir, const struct kext_sealed *known)
{
        _cleanup_close_ int copy = kext_copy_get(dir, ABC, known, NULL);

        return copy >= 0;
}

/* Bytes that are known to be right take the place of hashing, and only these. */
static void a_copy_is_compared_with_what_is_known(void **state)
{
        _cleanup_close_ int dir = open_state(), memfd = fd_sealed("abc", "abc", 3),
                            longer = fd_sealed("abcd", "abcd", 4);
        _cleanup_close_ int wrong = fd_sealed("abd", "abd", 3);
        const struct kext_sealed right = {memfd, ABC}, more = {longer, ABC}, other = {wrong, OTHER},
                                 liar = {wrong, ABC};

        (void)state;
        assert_int_equal(kext_copy_put(dir, ABC, memfd, NULL), 0);
        assert_true(is_copy(dir, &right) && is_copy(dir, &more) && is_copy(dir, &other) && is_copy(dir, NULL));
        close_fd(file_of("kext/" ABC, "abd"));
        assert_int_equal(kext_copy_get(dir, ABC, &right, NULL), -EUCLEAN);
        assert_int_equal(kext_copy_get(dir, ABC, &other, NULL), -EUCLEAN);
        assert_true(is_copy(dir, &liar)); /* what the caller vouches for isn't hashed */
}

static int is_abc(void *context, const char *sha256, struct croft_error *err)
{
        (void)err;
        *(bool *)context |= strcmp(sha256, ABC) == 0;
        return 0;
}

/* As a file system may leave the end of a file when the power fails. */
/* A tracer keeps its end from us, as a file system that never answers would. */
static void one_that_cannot_die_in_time_is_reaped_later(void **state)
{
        struct run run = RUN_INIT, none = RUN_INIT;
        pid_t child = fork(), tracer;
        siginfo_t info;
        int ready[2];
        char byte;

        (void)state;
        if (child == 0)
                for (;;)
                        (void)pause();
        assert_int_equal(pipe(ready), 0);
        tracer = fork();
        if (tracer == 0) {
                if (ptrace(PTRACE_SEIZE, child, NULL, PTRACE_O_TRACEEXIT) < 0 || write(ready[1], "", 1) != 1)
                        _exit(1);
                for (;;)
                        (void)pause();
        }
        assert_int_equal(read(ready[0], &byte, 1), 1);
        close_fd(ready[0]);
        close_fd(ready[1]);
        run.pidfd = (int)syscall(SYS_pidfd_open, child, 0);
        run_end(&run);
        assert_int_equal(kill(tracer, SIGKILL), 0);
        assert_int_equal(waitpid(tracer, NULL, 0), tracer);
        assert_int_equal(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0); /* it is there, dead */
        run_end(&none);
        assert_int_equal(waitid(P_PID, (id_t)child, &info, WEXITED | WNOHANG), -1);
        assert_int_equal(errno, ECHILD);
}

static void zeros_in_the_list_of_the_revoked_hide_nothing(void **state)
{
        static const char zeros[7] = "abc";
        _cleanup_close_ int dir = open_state(), list = file_of("kext.revoked", "");
        bool found = false;

        (void)state;
        assert_int_equal(write(list, zeros, sizeof(zeros)), sizeof(zeros));
        assert_int_equal(kext_revoked_add(dir, KEXT_REVOKED_STATE, ABC, NULL), 0);
        assert_int_equal(kext_revoked_each(dir, KEXT_REVOKED_STATE, is_abc, &found, NULL), 0);
        assert_true(found);
}

static bool wants_abc(void *context, const char *sha256)
{
        (void)context;
        return strcmp(sha256, ABC) == 0;
}

static void what_is_half_made_is_swept_away(void **state)
{
        _cleanup_close_ int dir = open_state(), memfd = fd_sealed("abc", "abc", 3);
        unsigned int removed = 0;

        (void)state;
        assert_int_equal(kext_copy_put(dir, ABC, memfd, NULL), 0);
        close_fd(file_of("kext/" OTHER, "x"));
        close_fd(file_of("kext/" ABC ".new", "ab"));
        assert_int_equal(mkdirat(dir, "kext/lost+found", 0700), 0); /* none of ours */
        assert_int_equal(kext_copy_sweep(dir, wants_abc, NULL, &removed, NULL), 0);
        assert_int_equal(removed, 2);
        assert_true(exists(dir, "kext/" ABC));
        assert_false(exists(dir, "kext/" OTHER));
        assert_false(exists(dir, "kext/" ABC ".new"));
        assert_true(exists(dir, "kext/lost+found"));
}

/* By calls that aren't made to fail. */
static void assert_whole_or_absent(void)
{
        char path[192], bytes[8];
        int fd;

        (void)snprintf(path, sizeof(path), "%s/kext/" ABC, directory);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return;
        assert_int_equal(pread(fd, bytes, sizeof(bytes), 0), 3);
        assert_memory_equal(bytes, "abc", 3);
        close_fd(fd);
}

static int put_again(void *context)
{
        int dir = *(int *)context, r;
        _cleanup_close_ int memfd = fd_sealed("abc", "abc", 3);

        if (memfd < 0)
                return memfd;
        r = kext_copy_put(dir, ABC, memfd, NULL);
        assert_whole_or_absent();
        (void)unlinkat(dir, "kext/" ABC, 0);
        return r;
}

static void a_copy_is_whole_or_not_there(void **state)
{
        _cleanup_close_ int dir = open_state();

        (void)state;
        assert_true(fault_walk(FAULT_ALLOCATION, true, put_again, &dir) > 0);
        assert_true(fault_walk(FAULT_CALL, true, put_again, &dir) > 0);
}

static struct msg sample(enum msg_type type)
{
        struct msg msg = {.type = type,
                .code = ENOEXEC,
                .text = "it is no module",
                .identity = {.kind = KEXT_KO,
                        .name = "copy",
                        .vermagic = "6.1 SMP",
                        .signer = "Me",
                        .depends = "a,b",
                        .takes_major = true},
                .number = 7,
                .finding = {.path = "/\xff.ko", .application = "app", .oddity = "a FIFO", .configured = "/etc/modules"},
                .look = {.stamp = ABC, .watches = {3, INT32_MAX}, .n = 2}};

        return msg;
}

static void each_message_is_read_as_it_was_told(void **state)
{
        static const enum msg_type types[] = {MSG_FAULT, MSG_READ, MSG_IDENTITY, MSG_PROGRAM, MSG_PROGRESS, MSG_LOOK,
                MSG_WANTED, MSG_FINDING, MSG_BELONGS, MSG_END};

        (void)state;
        for (size_t i = 0; i < ELEMENTS(types); i++) {
                const bool counts = types[i] == MSG_PROGRESS || types[i] == MSG_BELONGS || types[i] == MSG_PROGRAM ||
                                    types[i] == MSG_WANTED || types[i] == MSG_IDENTITY;
                const struct msg told = sample(types[i]);
                struct wire_writer w = WIRE_WRITER_INIT;
                struct msg read = {.type = 0};

                msg_encode(&told, &w);
                assert_int_equal(msg_decode(w.data, w.used, &read), 0);
                assert_int_equal(read.type, told.type);
                assert_string_equal(read.text, types[i] == MSG_FAULT ? told.text : "");
                assert_string_equal(read.identity.name, types[i] == MSG_IDENTITY ? "copy" : "");
                assert_int_equal(read.number, counts ? 7 : 0);
                assert_string_equal(read.finding.path, types[i] == MSG_FINDING ? "/\xff.ko" : "");
                assert_string_equal(read.finding.application, types[i] == MSG_BELONGS ? "app" : "");
                assert_string_equal(read.identity.depends, types[i] == MSG_IDENTITY ? "a,b" : "");
                assert_int_equal(read.identity.takes_major, types[i] == MSG_IDENTITY);
                assert_string_equal(read.finding.configured, types[i] == MSG_WANTED ? "/etc/modules" : "");
                assert_string_equal(read.look.stamp, types[i] == MSG_LOOK ? ABC : "");
                assert_int_equal(read.look.n, types[i] == MSG_LOOK ? 2 : 0);
                assert_int_equal(read.look.watches[1], types[i] == MSG_LOOK ? INT32_MAX : 0);
                for (size_t n = 0; n < w.used; n++)
                        assert_true(msg_decode(w.data, n, &read) < 0);
                wire_writer_done(&w);
        }
}

static void assert_not_taken(struct msg msg)
{
        struct wire_writer w = WIRE_WRITER_INIT;
        struct msg read;

        msg_encode(&msg, &w);
        assert_int_equal(msg_decode(w.data, w.used, &read), -EBADMSG);
        wire_writer_done(&w);
}

static void what_is_none_of_ours_is_not_taken(void **state)
{
        struct msg msg = sample(MSG_IDENTITY);

        (void)state;
        strcpy(msg.identity.name, KEXT_ALL);
        assert_not_taken(msg);
        strcpy(msg.identity.name, "a/b");
        assert_not_taken(msg);
        msg = sample(MSG_IDENTITY);
        msg.identity.kind = 7;
        assert_not_taken(msg);
        msg = sample(MSG_IDENTITY);
        msg.identity.kind = KEXT_BPF; /* which is for no kernel in particular */
        assert_not_taken(msg);
        msg = sample(MSG_IDENTITY);
        msg.identity.vermagic[0] = '\0';
        assert_not_taken(msg);
        msg = sample(MSG_IDENTITY);
        strcpy(msg.identity.signer, "\033[2J");
        assert_not_taken(msg);
        msg = sample(MSG_IDENTITY);
        msg.number = KEXT_FILE_MAX + 1;
        assert_not_taken(msg);
        msg = sample(MSG_FAULT);
        msg.code = 0;
        assert_not_taken(msg);
        msg = sample(MSG_FINDING);
        strcpy(msg.finding.path, "x.ko");
        assert_not_taken(msg);
        msg = sample(MSG_FINDING);
        strcpy(msg.finding.sha256, "x");
        assert_not_taken(msg);
        msg = sample(MSG_WANTED);
        strcpy(msg.finding.configured, "/etc/\033");
        assert_not_taken(msg);
        msg = sample(MSG_LOOK);
        strcpy(msg.look.stamp, "x");
        assert_not_taken(msg);
        msg = sample(MSG_LOOK);
        msg.look.watches[1] = 0;
        assert_not_taken(msg);
        msg = sample('?');
        assert_not_taken(msg);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(names_are_the_kernels),
                cmocka_unit_test(files_are_known_by_their_ends),
                cmocka_unit_test(what_is_needed_is_a_list),
                cmocka_unit_test_setup_teardown(a_file_is_copied_into_sealed_memory, set_up, tear_down),
                cmocka_unit_test_setup_teardown(what_can_be_changed_is_not_judged, set_up, tear_down),
                cmocka_unit_test_setup_teardown(only_files_of_a_bounded_size_are_read, set_up, tear_down),
                cmocka_unit_test_setup_teardown(a_file_that_is_shorter_than_it_was_is_told, set_up, tear_down),
                cmocka_unit_test_setup_teardown(
                        a_file_is_read_from_its_beginning_and_its_offset_stays, set_up, tear_down),
                cmocka_unit_test_setup_teardown(a_copy_is_what_its_name_says, set_up, tear_down),
                cmocka_unit_test_setup_teardown(a_damaged_copy_is_told_and_made_anew, set_up, tear_down),
                cmocka_unit_test_setup_teardown(a_copy_is_compared_with_what_is_known, set_up, tear_down),
                cmocka_unit_test_setup_teardown(what_is_half_made_is_swept_away, set_up, tear_down),
                cmocka_unit_test(one_that_cannot_die_in_time_is_reaped_later),
                cmocka_unit_test_setup_teardown(zeros_in_the_list_of_the_revoked_hide_nothing, set_up, tear_down),
                cmocka_unit_test_setup_teardown(a_copy_is_whole_or_not_there, set_up, tear_down),
                cmocka_unit_test(each_message_is_read_as_it_was_told),
                cmocka_unit_test(what_is_none_of_ours_is_not_taken),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
