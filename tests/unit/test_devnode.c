/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_devnode.c - nodes in a /dev whose owner does there what he likes.  Names are judged by anybody; to make nodes
 * takes root of the machine: elsewhere those tests are left out.
 */
#include "kernel/devnode.h"

#include "base/cleanup.h"
#include "base/fd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cmocka.h>

static const struct devnode tun = {.mode = S_IFCHR | 0640, .gid = 6, .uid = 5};
static struct devnode node; /* tun with its number */
static char path[] = "/tmp/croft-devnode.XXXXXX";
static int dev = -EBADF;

static void a_name_stays_below_dev(void **state)
{
        static const char *const right[] = {
                "sdb", "net/tun", "disk/by-id/x_1:2@3+4-5.6", "a", "A/b/C/d", "ptsx", "shm1/x"};
        static const char *const wrong[] = {"", ".", "..", "/", "/sdb", "sdb/", "a//b", "a/../b", "../a", "a/..",
                "a/./b", ".hidden", "a/.b", "pts", "pts/0", "shm", "shm/x", "mqueue/q", "a b", "a\nb", "a*", "\303\244",
                "a\\b"};
        char longest[DEVNODE_NAME_MAX + 2];

        (void)state;
        for (size_t i = 0; i < ELEMENTS(right); i++)
                assert_true(devnode_name_is_valid(right[i]));
        for (size_t i = 0; i < ELEMENTS(wrong); i++)
                if (devnode_name_is_valid(wrong[i]))
                        fail_msg("'%s' is taken", wrong[i]);
        memset(longest, 'x', sizeof(longest));
        longest[DEVNODE_NAME_MAX] = '\0';
        assert_true(devnode_name_is_valid(longest));
        longest[DEVNODE_NAME_MAX] = 'x';
        longest[DEVNODE_NAME_MAX + 1] = '\0';
        assert_false(devnode_name_is_valid(longest));
}

static int set_up(void **state)
{
        (void)state;
        (void)strcpy(path + strlen(path) - 6, "XXXXXX");
        if (!mkdtemp(path))
                return -1;
        dev = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        node = tun;
        node.number = makedev(10, 200);
        return dev < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
        (void)state;
        dev = close_fd(dev);
        return fd_remove_tree(AT_FDCWD, path, NULL);
}

/* false: no nodes can be made here. */
static bool can_make(void)
{
        bool can = mknodat(dev, "probe", S_IFCHR | 0600, makedev(1, 3)) == 0;

        (void)unlinkat(dev, "probe", 0);
        return can;
}

#define NEEDS_NODES()                                                                                                  \
        do {                                                                                                           \
                (void)state;                                                                                           \
                if (!can_make())                                                                                       \
                        skip();                                                                                        \
        } while (0)

static void is_there(const char *name, const struct devnode *expected)
{
        struct stat st;

        assert_int_equal(fstatat(dev, name, &st, AT_SYMLINK_NOFOLLOW), 0);
        assert_int_equal(st.st_mode, expected->mode);
        assert_int_equal(st.st_rdev, expected->number);
        assert_int_equal(st.st_uid, expected->uid);
        assert_int_equal(st.st_gid, expected->gid);
}

static unsigned int entries_in(const char *name)
{
        _cleanup_closedir_ DIR *d = fdopendir(openat(dev, name, O_RDONLY | O_DIRECTORY));
        unsigned int n = 0;

        assert_non_null(d);
        while (readdir(d))
                n++;
        return n - 2;
}

static void a_node_is_whole_with_its_directories(void **state)
{
        struct stat st;

        NEEDS_NODES();
        assert_int_equal(devnode_put(dev, "a/b/tun", &node, false, NULL), 0);
        is_there("a/b/tun", &node);
        assert_int_equal(fstatat(dev, "a/b", &st, 0), 0);
        assert_int_equal(st.st_mode, S_IFDIR | 0755);
        assert_int_equal(st.st_uid, node.uid);
        assert_int_equal(entries_in("a/b"), 1);
}

static void what_is_there_stays_unless_it_is_to_be_replaced(void **state)
{
        struct devnode other;
        struct croft_error err = CROFT_ERROR_INIT;

        NEEDS_NODES();
        other = node;
        other.number = makedev(10, 229);
        assert_int_equal(devnode_put(dev, "tun", &other, false, NULL), 0);
        assert_int_equal(devnode_put(dev, "tun", &node, false, &err), -EEXIST);
        assert_int_equal(err.code, EEXIST);
        is_there("tun", &other);
        assert_int_equal(devnode_put(dev, "tun", &node, true, NULL), 0);
        is_there("tun", &node);
        assert_int_equal(entries_in("."), 1);
}

static bool is_refused(int r)
{
        return r == -ELOOP || r == -ENOTDIR;
}

static void a_link_in_the_way_is_not_followed(void **state)
{
        NEEDS_NODES();
        assert_int_equal(mkdirat(dev, "elsewhere", 0755), 0);
        assert_int_equal(symlinkat("elsewhere", dev, "net"), 0);
        assert_int_equal(symlinkat("elsewhere/target", dev, "tun"), 0);
        assert_true(is_refused(devnode_put(dev, "net/tun", &node, true, NULL)));
        assert_true(is_refused(devnode_put(dev, "net/a/tun", &node, true, NULL)));
        assert_int_equal(devnode_put(dev, "tun", &node, false, NULL), -EEXIST);
        assert_int_equal(entries_in("elsewhere"), 0);
        assert_int_equal(devnode_put(dev, "tun", &node, true, NULL), 0); /* the link itself goes */
        is_there("tun", &node);
        assert_int_equal(entries_in("elsewhere"), 0);
        assert_true(is_refused(devnode_find(dev, "net/tun", &node)));
}

static void a_file_or_a_directory_in_the_way_stays(void **state)
{
        struct stat st;

        NEEDS_NODES();
        assert_int_equal(mknodat(dev, "file", S_IFREG | 0600, 0), 0);
        assert_int_equal(mkdirat(dev, "dir", 0755), 0);
        assert_int_equal(devnode_put(dev, "file/tun", &node, true, NULL), -ENOTDIR);
        assert_int_equal(devnode_put(dev, "dir", &node, true, NULL), -EISDIR);
        assert_int_equal(devnode_put(dev, "dir", &node, false, NULL), -EEXIST);
        assert_int_equal(fstatat(dev, "dir", &st, 0), 0);
        assert_true(S_ISDIR(st.st_mode));
        assert_int_equal(entries_in("."), 2);
}

static void a_name_that_leads_out_makes_nothing(void **state)
{
        NEEDS_NODES();
        assert_int_equal(devnode_put(dev, "../croft-devnode-out", &node, true, NULL), -EINVAL);
        assert_int_equal(devnode_put(dev, "/tmp/croft-devnode-out", &node, true, NULL), -EINVAL);
        assert_int_equal(devnode_drop(dev, "../croft-devnode-out", &node, NULL), 0);
        assert_int_equal(access("/tmp/croft-devnode-out", F_OK), -1);
        assert_int_equal(entries_in("."), 0);
}

static void a_half_made_one_is_no_hindrance(void **state)
{
        NEEDS_NODES();
        assert_int_equal(mknodat(dev, ".croft-tun", S_IFBLK | 0666, makedev(8, 0)), 0);
        assert_int_equal(devnode_put(dev, "tun", &node, false, NULL), 0);
        is_there("tun", &node);
        assert_int_equal(entries_in("."), 1);
        assert_int_equal(mknodat(dev, ".croft-tun", S_IFBLK | 0666, makedev(8, 0)), 0);
        assert_int_equal(devnode_drop(dev, "tun", &node, NULL), 0);
        assert_int_equal(entries_in("."), 0);
}

static void only_that_node_is_dropped(void **state)
{
        struct devnode other;

        NEEDS_NODES();
        other = node;
        other.mode = S_IFBLK | 0640;
        assert_int_equal(devnode_put(dev, "net/tun", &other, false, NULL), 0);
        assert_int_equal(devnode_find(dev, "net/tun", &node), -ENOENT);
        assert_int_equal(devnode_drop(dev, "net/tun", &node, NULL), 0);
        is_there("net/tun", &other);
        assert_int_equal(devnode_drop(dev, "net/tun", &other, NULL), 0);
        assert_int_equal(devnode_drop(dev, "net/tun", &other, NULL), 0); /* once more does no harm */
        assert_int_equal(entries_in("net"), 0);
        assert_int_equal(devnode_drop(dev, "nowhere/tun", &other, NULL), 0);
}

static void what_is_found_is_open(void **state)
{
        _cleanup_close_ int fd = -EBADF;
        struct stat st;

        NEEDS_NODES();
        assert_int_equal(devnode_put(dev, "tun", &node, false, NULL), 0);
        fd = devnode_find(dev, "tun", &node);
        assert_true(fd >= 0);
        assert_int_equal(fstat(fd, &st), 0);
        assert_int_equal(st.st_rdev, node.number);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_name_stays_below_dev),
                TEST(a_node_is_whole_with_its_directories),
                TEST(what_is_there_stays_unless_it_is_to_be_replaced),
                TEST(a_link_in_the_way_is_not_followed),
                TEST(a_file_or_a_directory_in_the_way_stays),
                TEST(a_name_that_leads_out_makes_nothing),
                TEST(a_half_made_one_is_no_hindrance),
                TEST(only_that_node_is_dropped),
                TEST(what_is_found_is_open),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
