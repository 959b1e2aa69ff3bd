/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_kext_provide.c - a newer generation in the place of an older one.
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "kext/provide.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cmocka.h>

static char path[64];
static int root, old, fresh;

static int begin(void **state)
{
        (void)state;
        (void)snprintf(path, sizeof(path), "/tmp/croft-provide-XXXXXX");
        assert_non_null(mkdtemp(path));
        root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        old = fd_sealed("old", "old one", 7);
        fresh = fd_sealed("fresh", "a newer one", 11);
        assert_true(root >= 0 && old >= 0 && fresh >= 0);
        assert_int_equal(mkdirat(root, "a", 0755), 0);
        return 0;
}

static int end(void **state)
{
        (void)state;
        close_fd(root);
        close_fd(old);
        close_fd(fresh);
        assert_int_equal(fd_remove_tree(AT_FDCWD, path, NULL), 0);
        return 0;
}

static void put(const char *name, const char *text)
{
        _cleanup_close_ int fd = openat(root, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);

        assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void is(const char *name, const char *text)
{
        _cleanup_free_ char *found = NULL;

        assert_int_equal(fd_read_file(root, name, 100, &found, NULL), 0);
        assert_string_equal(found, text);
}

static bool is_alone(void)
{
        return faccessat(root, "a/.croft-kext.new", F_OK, AT_SYMLINK_NOFOLLOW) < 0;
}

static void the_file_is_replaced_and_keeps_its_mode(void **state)
{
        struct stat st;

        (void)state;
        put("a/x.ko", "old one");
        assert_int_equal(provide(root, "/a/x.ko", old, fresh, NULL), 0);
        is("a/x.ko", "a newer one");
        assert_int_equal(fstatat(root, "a/x.ko", &st, 0), 0);
        assert_int_equal(st.st_mode & 0777, 0640);
        assert_true(is_alone());
        put("y.ko", "old one");
        assert_int_equal(provide(root, "/y.ko", old, fresh, NULL), 0);
        is("y.ko", "a newer one");
}

static void another_one_stays(void **state)
{
        (void)state;
        put("a/x.ko", "old one!");
        assert_int_equal(provide(root, "/a/x.ko", old, fresh, NULL), -ESTALE);
        is("a/x.ko", "old one!");
        put("a/x.ko", "old");
        assert_int_equal(provide(root, "/a/x.ko", old, fresh, NULL), -ESTALE);
        assert_int_equal(provide(root, "/a/none.ko", old, fresh, NULL), -ENOENT);
        assert_int_equal(provide(root, "/none/x.ko", old, fresh, NULL), -ENOENT);
        assert_int_equal(mkfifoat(root, "a/fifo.ko", 0600), 0);
        assert_int_equal(provide(root, "/a/fifo.ko", old, fresh, NULL), -ESTALE);
        assert_true(is_alone());
}

static void no_link_is_followed_and_nothing_above_is_reached(void **state)
{
        (void)state;
        put("a/x.ko", "old one");
        assert_int_equal(symlinkat("x.ko", root, "a/link.ko"), 0);
        assert_int_equal(symlinkat("a", root, "b"), 0);
        assert_int_equal(provide(root, "/a/link.ko", old, fresh, NULL), -ELOOP);
        assert_int_equal(provide(root, "/b/x.ko", old, fresh, NULL), -ELOOP);
        assert_int_equal(provide(root, "/../x.ko", old, fresh, NULL), -EXDEV);
        is("a/x.ko", "old one");
}

static void what_one_that_died_has_left_is_in_nobodys_way(void **state)
{
        (void)state;
        put("a/x.ko", "old one");
        put("a/.croft-kext.new", "hal");
        assert_int_equal(provide(root, "/a/x.ko", old, fresh, NULL), 0);
        is("a/x.ko", "a newer one");
        assert_true(is_alone());
}

static void a_first_one_is_put_in_folders_that_are_made(void **state)
{
        struct stat st;

        (void)state;
        assert_int_equal(provide_first(root, "/lib/modules/6.1/x.ko", fresh, NULL), 0);
        is("lib/modules/6.1/x.ko", "a newer one");
        assert_int_equal(fstatat(root, "lib/modules/6.1/x.ko", &st, 0), 0);
        assert_int_equal(st.st_mode & 0777, 0644);
        assert_int_equal(provide_first(root, "/a/x.ko", fresh, NULL), 0);
        assert_int_equal(provide_first(root, "/y.ko", fresh, NULL), 0);
        is("y.ko", "a newer one");
        assert_true(is_alone());
        assert_int_equal(provide_first(root, "/a/x.ko", fresh, NULL), 0); /* it is there already */
        assert_true(is_alone());
}

static void one_that_could_not_be_written_leaves_nothing(void **state)
{
        const struct rlimit none = {.rlim_cur = 1, .rlim_max = RLIM_INFINITY};
        struct rlimit before;

        (void)state;
        assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
        assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
        assert_int_equal(provide_first(root, "/a/first.ko", fresh, NULL), -EFBIG);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
        assert_true(is_alone());
        assert_true(faccessat(root, "a/first.ko", F_OK, 0) < 0);
}

static void where_something_else_is_it_stays(void **state)
{
        (void)state;
        put("a/x.ko", "another");
        assert_int_equal(provide_first(root, "/a/x.ko", fresh, NULL), -EEXIST);
        is("a/x.ko", "another");
        assert_int_equal(symlinkat("x.ko", root, "a/link.ko"), 0);
        assert_int_equal(provide_first(root, "/a/link.ko", fresh, NULL), -EEXIST);
        assert_int_equal(mkdirat(root, "a/folder.ko", 0755), 0);
        assert_int_equal(provide_first(root, "/a/folder.ko", fresh, NULL), -EEXIST);
        assert_int_equal(provide_first(root, "/a/x.ko/y.ko", fresh, NULL), -ENOTDIR);
        assert_true(is_alone());
}

static void folders_that_are_links_lead_nowhere_out(void **state)
{
        (void)state;
        assert_int_equal(symlinkat("/usr/lib", root, "lib"), 0); /* of the tree's root */
        assert_int_equal(mkdirat(root, "usr", 0755), 0);
        assert_int_equal(mkdirat(root, "usr/lib", 0755), 0);
        assert_int_equal(provide_first(root, "/lib/modules/x.ko", fresh, NULL), 0);
        is("usr/lib/modules/x.ko", "a newer one");
        assert_int_equal(symlinkat("../../../../../a", root, "up"), 0);
        assert_int_equal(provide_first(root, "/up/../up/x.ko", fresh, NULL), 0);
        is("a/x.ko", "a newer one");
        assert_int_equal(symlinkat("/proc/self/root", root, "out"), 0);
        assert_true(provide_first(root, "/out/x.ko", fresh, NULL) < 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
        const struct CMUnitTest tests[] = {TEST(the_file_is_replaced_and_keeps_its_mode), TEST(another_one_stays),
                TEST(no_link_is_followed_and_nothing_above_is_reached),
                TEST(what_one_that_died_has_left_is_in_nobodys_way), TEST(a_first_one_is_put_in_folders_that_are_made),
                TEST(one_that_could_not_be_written_leaves_nothing), TEST(where_something_else_is_it_stays),
                TEST(folders_that_are_links_lead_nowhere_out)};

        return cmocka_run_group_tests_name("kext_provide", tests, NULL, NULL);
}
