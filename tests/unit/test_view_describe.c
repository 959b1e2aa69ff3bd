/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_view_describe.c - what a directory of sysfs says of a disk.
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "kstat/view_describe.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

static char path[64];
static int directory = -EBADF;

static int set_up(void **state)
{
        (void)state;
        (void)strcpy(path, "/tmp/croft-describe.XXXXXX");
        if (!mkdtemp(path))
                return -1;
        directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return directory < 0 || mkdirat(directory, "queue", 0700) < 0 || mkdirat(directory, "loop", 0700) < 0;
}

static int tear_down(void **state)
{
        (void)state;
        directory = close_fd(directory);
        return fd_remove_tree(AT_FDCWD, path, NULL);
}

static void put(const char *file, const char *text)
{
        _cleanup_close_ int fd = openat(directory, file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

        assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void what_is_told_is_taken(void **state)
{
        struct view_disk disk;

        (void)state;
        put("size", "2048\n");
        put("ro", "1\n");
        put("queue/rotational", "1\n");
        put("queue/logical_block_size", "4096\n");
        put("queue/read_ahead_kb", "128\n");
        put("queue/discard_max_bytes", "4294966784\n");
        view_describe(directory, &disk);
        assert_int_equal(disk.sectors, 2048);
        assert_int_equal(disk.flags, VIEW_DISK_READ_ONLY | VIEW_DISK_ROTATIONAL);
        assert_int_equal(disk.logical_bytes, 4096);
        assert_int_equal(disk.read_ahead_kib, 128);
        assert_int_equal(disk.discard_max_bytes, 4294966784);
        assert_string_equal(disk.file, "");
}

static void what_is_not_told_or_no_number_is_0(void **state)
{
        struct view_disk disk;

        (void)state;
        put("size", "many\n");
        put("ro", "");
        view_describe(directory, &disk);
        assert_int_equal(disk.sectors, 0);
        assert_int_equal(disk.flags, 0);
        assert_int_equal(disk.optimal_io_bytes, 0);
}

static void a_loop_device_has_a_file(void **state)
{
        struct view_disk disk;

        (void)state;
        put("size", "8\n");
        put("loop/backing_file", "/an img (deleted)\n");
        put("loop/offset", "512\n");
        put("loop/dio", "1\n");
        assert_true(view_describe_loop(directory, &disk));
        assert_string_equal(disk.file, "/an img (deleted)");
        assert_int_equal(disk.offset, 512);
        assert_int_equal(disk.sectors, 8);
        assert_int_equal(disk.flags, VIEW_DISK_LOOP | VIEW_DISK_DIRECT);
}

static void without_a_file_it_is_bound_to_nothing(void **state)
{
        struct view_disk disk;

        (void)state;
        assert_false(view_describe_loop(directory, &disk));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(what_is_told_is_taken, set_up, tear_down),
                cmocka_unit_test_setup_teardown(what_is_not_told_or_no_number_is_0, set_up, tear_down),
                cmocka_unit_test_setup_teardown(a_loop_device_has_a_file, set_up, tear_down),
                cmocka_unit_test_setup_teardown(without_a_file_it_is_bound_to_nothing, set_up, tear_down),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
