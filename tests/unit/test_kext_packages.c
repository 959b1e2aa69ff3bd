/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_kext_packages.c - the databases of packages in a tree: what their stamp says, what is watched of them.
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "kext/packages.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include <cmocka.h>

struct fixture {
        char path[64];
        int root, inotify;
};

static int set_up(void **state)
{
        struct fixture *f = calloc(1, sizeof(*f));

        assert_non_null(f);
        (void)snprintf(f->path, sizeof(f->path), "/tmp/croft-packages-XXXXXX");
        assert_non_null(mkdtemp(f->path));
        f->root = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        f->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
        assert_true(f->root >= 0 && f->inotify >= 0);
        *state = f;
        return 0;
}

static int tear_down(void **state)
{
        struct fixture *f = *state;

        close_fd(f->inotify);
        close_fd(f->root);
        assert_int_equal(chdir("/"), 0);
        assert_int_equal(fd_remove_tree(AT_FDCWD, f->path, NULL), 0);
        free(f);
        return 0;
}

static void put(struct fixture *f, const char *path, const char *text)
{
        const char *slash = strrchr(path, '/');
        _cleanup_free_ char *folder = slash ? strndup(path, (size_t)(slash - path)) : NULL;
        _cleanup_close_ int fd = -EBADF;

        if (folder)
                assert_int_equal(fd_make_dirs(f->root, folder, 0755, NULL), 0);
        fd = openat(f->root, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
}

static void set_time(struct fixture *f, const char *path, time_t seconds)
{
        const struct timespec times[2] = {{.tv_sec = seconds}, {.tv_sec = seconds}};

        assert_int_equal(utimensat(f->root, path, times, 0), 0);
}

static void each_manager_has_a_stamp_of_its_own(void **state)
{
        static const char *const files[] = {"var/lib/dpkg/status", "var/lib/rpm/rpmdb.sqlite", "var/lib/rpm/Packages",
                "usr/lib/sysimage/rpm/rpmdb.sqlite", "lib/apk/db/installed", "var/lib/pacman/local/x-1/desc"};
        char stamp[KEXT_SHA256_LENGTH + 1], before[KEXT_SHA256_LENGTH + 1] = "";
        struct fixture *f = *state;

        kext_packages_stamp(f->root, stamp);
        assert_string_equal(stamp, "");
        for (size_t i = 0; i < ELEMENTS(files); i++) {
                put(f, files[i], "x");
                set_time(f, files[i], 1000);
                kext_packages_stamp(f->root, stamp);
                assert_true(kext_is_sha256(stamp));
                assert_string_not_equal(stamp, before);
                (void)memcpy(before, stamp, sizeof(before));
        }
}

static void time_and_size_are_what_a_stamp_is_of(void **state)
{
        char a[KEXT_SHA256_LENGTH + 1], b[KEXT_SHA256_LENGTH + 1];
        struct fixture *f = *state;

        put(f, "var/lib/dpkg/status", "x");
        set_time(f, "var/lib/dpkg/status", 1000);
        kext_packages_stamp(f->root, a);
        put(f, "var/lib/dpkg/lock", "");
        put(f, "srv/copy.ko", "");
        kext_packages_stamp(f->root, b);
        assert_string_equal(a, b);
        set_time(f, "var/lib/dpkg/status", 1001);
        kext_packages_stamp(f->root, b);
        assert_string_not_equal(a, b);
        put(f, "var/lib/dpkg/status", "xy");
        set_time(f, "var/lib/dpkg/status", 1000);
        kext_packages_stamp(f->root, b);
        assert_string_not_equal(a, b);
}

static void no_link_leads_out_of_the_tree(void **state)
{
        char stamp[KEXT_SHA256_LENGTH + 1];
        struct fixture *f = *state;

        put(f, "real/dpkg/status", "x");
        assert_int_equal(symlinkat("/real", f->root, "var"), 0); /* of the tree's root */
        assert_int_equal(fd_make_dirs(f->root, "real/lib", 0755, NULL), 0);
        assert_int_equal(symlinkat("../../../../../../real/dpkg", f->root, "real/lib/dpkg"), 0);
        kext_packages_stamp(f->root, stamp);
        assert_string_not_equal(stamp, "");
        assert_int_equal(unlinkat(f->root, "real/lib/dpkg", 0), 0);
        assert_int_equal(symlinkat("/proc/self/root/var/lib/dpkg", f->root, "real/lib/dpkg"), 0);
        kext_packages_stamp(f->root, stamp);
        assert_string_equal(stamp, "");
}

/* Has any of the watches told?  Takes away what they have said. */
static bool told(struct fixture *f)
{
        char buf[4096];
        bool any = false;

        while (read(f->inotify, buf, sizeof(buf)) > 0)
                any = true;
        return any;
}

static void watch(struct fixture *f)
{
        struct kext_look look;

        assert_int_equal(packages_watch(f->root, f->inotify, &look, NULL), 0);
        assert_true(look.n > 0);
        assert_false(told(f));
}

static void a_database_that_is_put_in_place_is_told_once(void **state)
{
        struct fixture *f = *state;

        put(f, "var/lib/dpkg/status", "x");
        put(f, "var/lib/dpkg/status-new", "y");
        watch(f);
        assert_int_equal(renameat(f->root, "var/lib/dpkg/status-new", f->root, "var/lib/dpkg/status"), 0);
        assert_true(told(f));
        put(f, "var/lib/dpkg/status", "z");
        assert_false(told(f));
        watch(f);
        put(f, "var/lib/dpkg/status", "a");
        assert_true(told(f));
        watch(f);
        assert_int_equal(renameat(f->root, "var/lib/dpkg", f->root, "var/lib/other"), 0);
        assert_true(told(f));
}

static void where_there_is_none_it_is_told_when_one_comes(void **state)
{
        static const char *const directories[] = {"var", "var/lib", "var/lib/pacman", "var/lib/pacman/local"};
        struct fixture *f = *state;

        for (size_t i = 0; i < ELEMENTS(directories); i++) {
                watch(f);
                assert_int_equal(mkdirat(f->root, directories[i], 0755), 0);
                assert_true(told(f));
        }
        watch(f);
        assert_int_equal(mkdirat(f->root, "var/lib/pacman/local/x-1", 0755), 0);
        assert_true(told(f));
}

static void what_is_no_directory_is_not_watched(void **state)
{
        struct kext_look look;
        struct fixture *f = *state;

        put(f, "var/lib/file", "");
        put(f, "lib", "");
        put(f, "usr", "");
        assert_int_equal(unlinkat(f->root, "var/lib/file", 0), 0);
        assert_int_equal(unlinkat(f->root, "var/lib", AT_REMOVEDIR), 0);
        put(f, "var/lib", "");
        assert_int_equal(packages_watch(f->root, f->inotify, &look, NULL), 0);
        assert_int_equal(look.n, 0);
}

#define IN_A_TREE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                IN_A_TREE(each_manager_has_a_stamp_of_its_own),
                IN_A_TREE(time_and_size_are_what_a_stamp_is_of),
                IN_A_TREE(no_link_leads_out_of_the_tree),
                IN_A_TREE(a_database_that_is_put_in_place_is_told_once),
                IN_A_TREE(where_there_is_none_it_is_told_when_one_comes),
                IN_A_TREE(what_is_no_directory_is_not_watched),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
