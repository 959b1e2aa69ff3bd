/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_fd.c - files by descriptor, in a scratch directory below $TMPDIR; works as any user.
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "fault.h"

#include <linux/openat2.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

static char scratch_path[256];
static int scratch = -EBADF;

static int open_scratch(void **state)
{
        const char *tmp = getenv("TMPDIR");

        (void)state;
        (void)snprintf(scratch_path, sizeof(scratch_path), "%s/croft-test-fd.XXXXXX", tmp ? tmp : "/tmp");
        if (!mkdtemp(scratch_path))
                return -1;
        scratch = open(scratch_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return scratch < 0 ? -1 : 0;
}

static int close_scratch(void **state)
{
        (void)state;
        scratch = close_fd(scratch);
        return fd_remove_tree(AT_FDCWD, scratch_path, NULL);
}

static void put_file(const char *path, const char *text)
{
        _cleanup_close_ int fd = openat(scratch, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        assert_true(fd >= 0);
        assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
}

static bool exists(const char *path)
{
        return faccessat(scratch, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void assert_file(const char *path, const char *expected)
{
        _cleanup_free_ char *text = NULL;

        assert_int_equal(fd_read_file(scratch, path, 1 << 20, &text, NULL), 0);
        assert_string_equal(text, expected);
}

/* ---- reading and writing ---- */

static void a_file_is_read_when_it_is_not_longer_than_the_bound(void **state)
{
        (void)state;
        put_file("file", "0123456789");
        for (size_t max = 0; max < 20; max++) {
                char *text = NULL;
                size_t size = 99;
                int r = fd_read_file(scratch, "file", max, &text, &size);

                assert_int_equal(r, max < 10 ? -EFBIG : 0);
                assert_int_equal(text != NULL, max >= 10);
                assert_int_equal(size, max < 10 ? 99 : 10);
                free(text);
        }
}

static void files_around_the_size_of_the_buffer_are_read_whole(void **state)
{
        static const size_t sizes[] = {0, 1, 4095, 4096, 4097, 8191, 8192, 8193, 100000};

        (void)state;
        for (size_t i = 0; i < ELEMENTS(sizes); i++) {
                _cleanup_free_ char *content = malloc(sizes[i] + 1), *text = NULL;
                size_t size = 0;

                assert_non_null(content);
                memset(content, 'x', sizes[i]);
                content[sizes[i]] = '\0';
                put_file("file", content);
                assert_int_equal(fd_read_file(scratch, "file", SIZE_MAX, &text, &size), 0);
                assert_int_equal(size, sizes[i]);
                assert_string_equal(text, content);
                free(TAKE(text));
                assert_int_equal(fd_read_file(scratch, "file", sizes[i], &text, &size), 0);
                if (sizes[i] > 0) {
                        char *none = NULL;

                        assert_int_equal(fd_read_file(scratch, "file", sizes[i] - 1, &none, NULL), -EFBIG);
                        assert_null(none);
                }
        }
}

static void reading_what_is_no_file_is_refused(void **state)
{
        char *text = NULL;

        (void)state;
        assert_int_equal(fd_read_file(scratch, "missing", 10, &text, NULL), -ENOENT);
        assert_int_equal(fd_read_file(scratch, ".", 10, &text, NULL), -EISDIR);
        assert_null(text);
}

static int read_whole(void *context)
{
        _cleanup_free_ char *text = NULL;
        int r = fd_read_file(scratch, "file", SIZE_MAX, &text, NULL);

        (void)context;
        assert_int_equal(text != NULL, r == 0);
        return r;
}

static void reading_survives_the_failure_of_every_call(void **state)
{
        _cleanup_free_ char *content = calloc(1, 20001);

        (void)state;
        assert_non_null(content);
        memset(content, 'x', 20000);
        put_file("file", content);
        assert_int_equal(fault_walk(FAULT_ALLOCATION, false, read_whole, NULL), 4);
        assert_true(fault_walk(FAULT_CALL, false, read_whole, NULL) >= 3);
}

static void an_attribute_is_written_without_making_a_file(void **state)
{
        (void)state;
        put_file("file", "");
        assert_int_equal(fd_write_file(scratch, "file", "64"), 0);
        assert_file("file", "64");
        assert_int_equal(fd_write_file(scratch, "missing", "64"), -ENOENT);
        assert_false(exists("missing"));
}

static void a_reader_that_is_gone_is_told_to_the_writer(void **state)
{
        struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
        int ends[2];

        (void)state;
        assert_int_equal(sigaction(SIGPIPE, &ignore, &before), 0);
        assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
        (void)close_fd(ends[0]);
        assert_int_equal(fd_write_all(ends[1], "x", 1), -EPIPE);
        (void)close_fd(ends[1]);
        (void)sigaction(SIGPIPE, &before, NULL);
}

static void writing_nothing_succeeds(void **state)
{
        (void)state;
        assert_int_equal(fd_write_all(-1, NULL, 0), 0);
}

/* ---- opening ---- */

static void descriptors_are_close_on_exec_from_birth(void **state)
{
        _cleanup_close_ int opened = fd_open2(scratch, ".", O_RDONLY | O_DIRECTORY, 0, 0);
        _cleanup_close_ int copy = fd_dup(opened), sealed = fd_sealed("x", "y", 1);

        (void)state;
        assert_true(fcntl(opened, F_GETFD) & FD_CLOEXEC);
        assert_true(fcntl(copy, F_GETFD) & FD_CLOEXEC);
        assert_true(fcntl(sealed, F_GETFD) & FD_CLOEXEC);
        assert_true(copy >= 3);
}

static void a_path_below_a_root_cannot_leave_it(void **state)
{
        (void)state;
        assert_int_equal(mkdirat(scratch, "root", 0700), 0);
        assert_int_equal(symlinkat("/etc/passwd", scratch, "root/link"), 0);
        assert_int_equal(symlinkat("../..", scratch, "root/up"), 0);
        assert_int_equal(fd_open2(scratch, "../x", O_PATH, 0, RESOLVE_BENEATH), -EXDEV);
        assert_int_equal(fd_open2(scratch, "root/link", O_RDONLY, 0, RESOLVE_BENEATH), -EXDEV);
        assert_int_equal(fd_open2(scratch, "root/link", O_RDONLY, 0, RESOLVE_NO_SYMLINKS), -ELOOP);
        assert_int_equal(fd_open2(scratch, "root/up/..", O_RDONLY, 0, RESOLVE_BENEATH), -EXDEV);
}

static void a_mode_is_given_only_to_what_is_made(void **state)
{
        _cleanup_close_ int made = fd_open2(scratch, "made", O_RDWR | O_CREAT | O_EXCL, 0600, RESOLVE_BENEATH);
        _cleanup_close_ int again = fd_open2(scratch, "made", O_RDONLY, 0600, RESOLVE_BENEATH);
        struct stat st;

        (void)state;
        assert_true(made >= 0);
        assert_true(again >= 0); /* openat2 refuses a mode where nothing is made: it must have been left out */
        assert_int_equal(fstat(made, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
}

static void flags_are_set_and_cleared(void **state)
{
        _cleanup_close_ int fd = fd_dup(scratch);

        (void)state;
        assert_int_equal(fd_set_cloexec(fd, 0), 0);
        assert_int_equal(fcntl(fd, F_GETFD), 0);
        assert_int_equal(fd_set_cloexec(fd, 1), 0);
        assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
        assert_int_equal(fd_set_nonblock(fd, 1), 0);
        assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
        assert_int_equal(fd_set_nonblock(fd, 0), 0);
        assert_false(fcntl(fd, F_GETFL) & O_NONBLOCK);
        assert_int_equal(fd_set_cloexec(-1, 1), -EBADF);
        assert_int_equal(fd_dup(-1), -EBADF);
}

static void a_sealed_memory_file_cannot_be_changed(void **state)
{
        _cleanup_close_ int fd = fd_sealed("croft-test", "content", 7);
        char text[8] = "";

        (void)state;
        assert_int_equal(read(fd, text, sizeof(text)), 7); /* from its beginning */
        assert_string_equal(text, "content");
        assert_int_equal(pwrite(fd, "x", 1, 0), -1);
        assert_int_equal(errno, EPERM);
        assert_int_equal(ftruncate(fd, 0), -1);
        assert_int_equal(ftruncate(fd, 100), -1);
        assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE), -1);
        assert_ptr_equal(mmap(NULL, 7, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
}

static int seal(void *context)
{
        _cleanup_close_ int fd = fd_sealed("croft-test", "content", 7);

        (void)context;
        return fd;
}

static void sealing_survives_the_failure_of_every_call(void **state)
{
        (void)state;
        assert_int_equal(fault_walk(FAULT_CALL, false, seal, NULL), 2);
}

/* ---- replacing ---- */

static void a_file_is_replaced_as_a_whole(void **state)
{
        struct croft_error err = CROFT_ERROR_INIT;

        (void)state;
        assert_int_equal(fd_replace_file(scratch, "new", "one", 3, 0600, &err), 0);
        assert_file("new", "one");
        assert_int_equal(fd_replace_file(scratch, "new", "second", 6, 0600, &err), 0);
        assert_file("new", "second");
        assert_false(exists("new.new"));
}

static void what_a_killed_writer_left_is_no_obstacle(void **state)
{
        (void)state;
        put_file("state.new", "half of somethi");
        assert_int_equal(fd_replace_file(scratch, "state", "whole", 5, 0600, NULL), 0);
        assert_file("state", "whole");
        assert_int_equal(symlinkat("victim", scratch, "state.new"), 0);
        assert_int_equal(fd_replace_file(scratch, "state", "again", 5, 0600, NULL), 0);
        assert_file("state", "again");
        assert_false(exists("victim"));
}

static void a_link_is_replaced_and_not_written_through(void **state)
{
        (void)state;
        put_file("target", "untouched");
        assert_int_equal(symlinkat("target", scratch, "alias"), 0);
        assert_int_equal(fd_replace_file(scratch, "alias", "own", 3, 0600, NULL), 0);
        assert_file("alias", "own");
        assert_file("target", "untouched");
}

static void a_replacement_that_fails_leaves_the_old_and_nothing_else(void **state)
{
        struct croft_error err = CROFT_ERROR_INIT;

        (void)state;
        assert_int_equal(mkdirat(scratch, "directory", 0700), 0);
        put_file("directory/inside", "x");
        assert_int_equal(fd_replace_file(scratch, "directory", "x", 1, 0600, &err), -EISDIR);
        assert_string_equal(croft_error_cause(&err, 0), "replace 'directory': Is a directory");
        assert_true(exists("directory/inside"));
        assert_false(exists("directory.new"));
        assert_int_equal(fd_replace_file(scratch, "no/such", "x", 1, 0600, &err), -ENOENT);
}

static void a_replacement_is_old_or_new_whatever_call_fails(void **state)
{
        (void)state;
        assert_int_equal(mkdirat(scratch, "sub", 0700), 0);
        for (enum fault_kind kind = FAULT_ALLOCATION; kind <= FAULT_CALL; kind++) {
                bool hit = true;

                for (unsigned int n = 1; hit; n++) {
                        size_t fds = fault_count_fds();
                        int r;

                        put_file("sub/file", "old");
                        fault_arm(kind, n);
                        r = fd_replace_file(scratch, "sub/file", "new", 3, 0600, NULL);
                        hit = fault_disarm();
                        assert_file("sub/file", r < 0 ? "old" : "new");
                        assert_int_equal(fault_count_fds(), fds);
                        if (!hit)
                                assert_int_equal(r, 0);
                }
        }
        assert_false(exists("sub/file.new"));
}

/* ---- making directories ---- */

static void missing_parents_are_made(void **state)
{
        struct stat st;

        (void)state;
        assert_int_equal(fd_make_dirs(scratch, "a/b//c/", 0700, NULL), 0);
        assert_int_equal(fstatat(scratch, "a/b/c", &st, 0), 0);
        assert_int_equal(st.st_mode & 07777, 0700);
        assert_int_equal(fd_make_dirs(scratch, "a/b/c", 0700, NULL), 0);
        assert_int_equal(fd_make_dirs(scratch, "a/./d", 0700, NULL), 0);
        assert_true(exists("a/d"));
}

static void no_directory_is_made_through_a_link_or_a_file(void **state)
{
        struct croft_error err = CROFT_ERROR_INIT;

        (void)state;
        assert_int_equal(mkdirat(scratch, "elsewhere", 0700), 0);
        assert_int_equal(symlinkat("elsewhere", scratch, "detour"), 0);
        assert_true(fd_make_dirs(scratch, "detour/x", 0700, &err) < 0);
        assert_false(exists("elsewhere/x"));
        put_file("plain", "");
        assert_int_equal(fd_make_dirs(scratch, "plain/x", 0700, &err), -ENOTDIR);
}

static void no_directory_is_made_above_the_root(void **state)
{
        struct croft_error err = CROFT_ERROR_INIT;
        _cleanup_close_ int sub = -EBADF;

        (void)state;
        assert_int_equal(fd_make_dirs(scratch, "top/sub", 0700, NULL), 0);
        sub = openat(scratch, "top/sub", O_PATH | O_CLOEXEC);
        assert_int_equal(fd_make_dirs(sub, "../escaped", 0700, &err), -EINVAL);
        assert_int_equal(fd_make_dirs(sub, "in/../../../escaped", 0700, &err), -EINVAL);
        assert_false(exists("top/escaped"));
        assert_false(exists("escaped"));
}

static int make_dirs(void *context)
{
        (void)context;
        return fd_make_dirs(scratch, "m/n/o", 0700, NULL);
}

static void making_directories_survives_the_failure_of_every_call(void **state)
{
        (void)state;
        assert_int_equal(fault_walk(FAULT_ALLOCATION, false, make_dirs, NULL), 1);
        assert_int_equal(fault_walk(FAULT_CALL, false, make_dirs, NULL), 7);
}

/* ---- removing trees ---- */

static void a_missing_tree_is_removed(void **state)
{
        (void)state;
        assert_int_equal(fd_remove_tree(scratch, "missing", NULL), 0);
        assert_int_equal(fd_remove_tree(scratch, "missing/too", NULL), 0);
}

static void a_tree_of_many_kinds_is_removed(void **state)
{
        (void)state;
        assert_int_equal(fd_make_dirs(scratch, "tree/a/b/c", 0700, NULL), 0);
        assert_int_equal(fd_make_dirs(scratch, "tree/empty", 0700, NULL), 0);
        put_file("tree/a/file", "x");
        put_file("tree/a/b/\n\x01 odd", "x");
        assert_int_equal(mkfifoat(scratch, "tree/a/fifo", 0600), 0);
        assert_int_equal(symlinkat("nowhere", scratch, "tree/a/dangling"), 0);
        assert_int_equal(fd_remove_tree(scratch, "tree", NULL), 0);
        assert_false(exists("tree"));
}

static void a_single_file_or_link_is_removed_itself(void **state)
{
        (void)state;
        put_file("single", "x");
        assert_int_equal(symlinkat("single", scratch, "to-single"), 0);
        assert_int_equal(fd_remove_tree(scratch, "to-single", NULL), 0);
        assert_false(exists("to-single"));
        assert_true(exists("single"));
        assert_int_equal(fd_remove_tree(scratch, "single", NULL), 0);
        assert_false(exists("single"));
}

static void links_are_removed_and_not_followed(void **state)
{
        (void)state;
        assert_int_equal(fd_make_dirs(scratch, "precious", 0700, NULL), 0);
        put_file("precious/file", "x");
        assert_int_equal(fd_make_dirs(scratch, "tree", 0700, NULL), 0);
        assert_int_equal(symlinkat("../precious", scratch, "tree/link"), 0);
        assert_int_equal(symlinkat("precious", scratch, "treelink"), 0);
        assert_int_equal(fd_remove_tree(scratch, "tree", NULL), 0);
        assert_int_equal(fd_remove_tree(scratch, "treelink", NULL), 0);
        assert_false(exists("treelink"));
        assert_file("precious/file", "x");
}

static void a_wide_directory_is_removed(void **state)
{
        (void)state;
        assert_int_equal(fd_make_dirs(scratch, "wide", 0700, NULL), 0);
        for (int i = 0; i < 3000; i++) {
                char path[32];

                (void)snprintf(path, sizeof(path), "wide/%d", i);
                if (i % 3)
                        put_file(path, "");
                else
                        assert_int_equal(mkdirat(scratch, path, 0700), 0);
        }
        assert_int_equal(fd_remove_tree(scratch, "wide", NULL), 0);
        assert_false(exists("wide"));
}

/* Makes a chain of directories, with a file and a sibling directory that isn't empty at each level. */
static void make_chain(const char *name, int depth)
{
        _cleanup_close_ int at = fd_dup(scratch);

        assert_int_equal(mkdirat(at, name, 0700), 0);
        for (int i = 0; i < depth; i++) {
                int next = openat(at, i ? "d" : name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

                assert_true(next >= 0);
                (void)close_fd(at);
                at = next;
                assert_int_equal(mkdirat(at, "d", 0700), 0);
                if (i % 7)
                        continue;
                assert_int_equal(mkdirat(at, "side", 0700), 0);
                assert_int_equal(mkdirat(at, "side/below", 0700), 0);
                assert_int_equal(close(openat(at, "file", O_WRONLY | O_CREAT | O_CLOEXEC, 0600)), 0);
        }
}

static void a_tree_5000_deep_is_removed_with_few_descriptors(void **state)
{
        struct rlimit before, few;
        int r;

        (void)state;
        make_chain("deep", 5000);
        assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
        few = before;
        few.rlim_cur = (rlim_t)fault_count_fds() + 40;
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
        r = fd_remove_tree(scratch, "deep", NULL);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
        assert_int_equal(r, 0);
        assert_false(exists("deep"));
}

static int remove_chain(void *context)
{
        (void)context;
        return fd_remove_tree(scratch, "chain", NULL);
}

static void a_removal_that_fails_at_any_call_is_told_and_can_be_repeated(void **state)
{
        (void)state;
        for (enum fault_kind kind = FAULT_ALLOCATION; kind <= FAULT_CALL; kind++) {
                make_chain("chain", 40);
                assert_true(fault_walk(kind, false, remove_chain, NULL) > 10);
                assert_false(exists("chain"));
        }
}

/* In a child with own user and mount namespaces: binds source on target, tries to remove tree.  Returns the errno of
 * the removal, 255 when this system has no user namespaces for us. */
static int remove_with_mount(const char *source, const char *target, const char *tree)
{
        int status;
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0) {
                /* by path: the descriptor leads into the mount namespace that has been left */
                bool ready = unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 && chdir(scratch_path) == 0 &&
                             mount(source, target, NULL, MS_BIND, NULL) == 0;

                _exit(ready ? -fd_remove_tree(AT_FDCWD, tree, NULL) : 255);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        return WEXITSTATUS(status);
}

static void a_mount_of_the_same_file_system_is_not_crossed(void **state)
{
        (void)state;
        assert_int_equal(fd_make_dirs(scratch, "kept/sub", 0700, NULL), 0);
        put_file("kept/file", "x");
        assert_int_equal(fd_make_dirs(scratch, "tree/a/point", 0700, NULL), 0);
        switch (remove_with_mount("kept", "tree/a/point", "tree")) {
        case 255:
                skip(); /* user namespaces are forbidden to this user */
                break;
        case EBUSY:
                break;
        default:
                fail_msg("the removal did not stop at the mount point");
        }
        assert_file("kept/file", "x");
        assert_int_equal(fd_remove_tree(scratch, "tree", NULL), 0);
}

static void a_tree_that_is_itself_a_mount_is_left_alone(void **state)
{
        int r;

        (void)state;
        assert_int_equal(fd_make_dirs(scratch, "kept/sub", 0700, NULL), 0);
        put_file("kept/file", "x");
        assert_int_equal(fd_make_dirs(scratch, "point", 0700, NULL), 0);
        r = remove_with_mount("kept", "point", "point");
        if (r == 255)
                skip(); /* user namespaces are forbidden to this user */
        assert_int_equal(r, EBUSY);
        assert_file("kept/file", "x");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_scratch, close_scratch)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(a_file_is_read_when_it_is_not_longer_than_the_bound),
                TEST(files_around_the_size_of_the_buffer_are_read_whole),
                TEST(reading_what_is_no_file_is_refused),
                TEST(reading_survives_the_failure_of_every_call),
                TEST(an_attribute_is_written_without_making_a_file),
                TEST(a_reader_that_is_gone_is_told_to_the_writer),
                TEST(writing_nothing_succeeds),
                TEST(descriptors_are_close_on_exec_from_birth),
                TEST(a_path_below_a_root_cannot_leave_it),
                TEST(a_mode_is_given_only_to_what_is_made),
                TEST(flags_are_set_and_cleared),
                TEST(a_sealed_memory_file_cannot_be_changed),
                TEST(sealing_survives_the_failure_of_every_call),
                TEST(a_file_is_replaced_as_a_whole),
                TEST(what_a_killed_writer_left_is_no_obstacle),
                TEST(a_link_is_replaced_and_not_written_through),
                TEST(a_replacement_that_fails_leaves_the_old_and_nothing_else),
                TEST(a_replacement_is_old_or_new_whatever_call_fails),
                TEST(missing_parents_are_made),
                TEST(no_directory_is_made_through_a_link_or_a_file),
                TEST(no_directory_is_made_above_the_root),
                TEST(making_directories_survives_the_failure_of_every_call),
                TEST(a_missing_tree_is_removed),
                TEST(a_tree_of_many_kinds_is_removed),
                TEST(a_single_file_or_link_is_removed_itself),
                TEST(links_are_removed_and_not_followed),
                TEST(a_wide_directory_is_removed),
                TEST(a_tree_5000_deep_is_removed_with_few_descriptors),
                TEST(a_removal_that_fails_at_any_call_is_told_and_can_be_repeated),
                TEST(a_mount_of_the_same_file_system_is_not_crossed),
                TEST(a_tree_that_is_itself_a_mount_is_left_alone),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
