/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_ring.c - the console log keeps the newest bytes, and nothing in its file is trusted.
 */
#include "base/cleanup.h"
#include "partition/ring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

static int new_file(void)
{
        int fd = memfd_create("ring", MFD_CLOEXEC);

        assert_true(fd >= 0);
        return fd;
}

static void holds(int fd, const char *expected)
{
        _cleanup_free_ uint8_t *got = NULL;
        size_t size;

        assert_int_equal(ring_copy(fd, &got, &size), 0);
        assert_int_equal(size, strlen(expected));
        if (size > 0)
                assert_memory_equal(got, expected, size);
}

static void what_is_written_can_be_read(void **state)
{
        _cleanup_close_ int fd = new_file();
        struct ring r;

        (void)state;
        assert_int_equal(ring_open(&r, fd, 16), 0);
        holds(fd, "");
        assert_int_equal(ring_write(&r, "hello", 5), 0);
        holds(fd, "hello");
        assert_int_equal(ring_write(&r, " world", 6), 0);
        holds(fd, "hello world");
}

static void newest_bytes_are_kept(void **state)
{
        _cleanup_close_ int fd = new_file();
        struct ring r;

        (void)state;
        assert_int_equal(ring_open(&r, fd, 8), 0);
        assert_int_equal(ring_write(&r, "abcdef", 6), 0);
        assert_int_equal(ring_write(&r, "ghij", 4), 0);
        holds(fd, "cdefghij");
        assert_int_equal(ring_write(&r, "0123456789ABCDEF!", 17), 0);
        holds(fd, "9ABCDEF!");
        assert_int_equal(ring_write(&r, "-", 1), 0);
        holds(fd, "ABCDEF!-");
}

static void every_split_gives_the_same(void **state)
{
        static const char text[] = "the quick brown fox jumps over the lazy dog";

        (void)state;
        for (size_t part = 1; part < sizeof(text); part++) {
                _cleanup_close_ int fd = new_file();
                struct ring r;

                assert_int_equal(ring_open(&r, fd, 11), 0);
                for (size_t at = 0; at < sizeof(text) - 1; at += part) {
                        size_t n = sizeof(text) - 1 - at;

                        assert_int_equal(ring_write(&r, text + at, n < part ? n : part), 0);
                }
                holds(fd, text + sizeof(text) - 1 - 11);
        }
}

static void successor_goes_on(void **state)
{
        _cleanup_close_ int fd = new_file();
        struct ring r;

        (void)state;
        assert_int_equal(ring_open(&r, fd, 8), 0);
        assert_int_equal(ring_write(&r, "abcdef", 6), 0);
        assert_int_equal(ring_open(&r, fd, 4096), 0); /* its size is the file's */
        assert_int_equal(ring_write(&r, "ghi", 3), 0);
        holds(fd, "bcdefghi");
}

static void damaged_header_is_an_empty_log(void **state)
{
        (void)state;
        for (size_t i = 0; i < 16; i++) { /* magic, size, zero */
                if (i == 9 || i == 10)
                        continue; /* makes another size that may be */
                _cleanup_close_ int fd = new_file();
                struct ring r;

                assert_int_equal(ring_open(&r, fd, 8), 0);
                assert_int_equal(ring_write(&r, "abc", 3), 0);
                assert_int_equal(pwrite(fd, i == 8 ? "\0" : "\xff", 1, (off_t)i), 1);
                holds(fd, "");
                assert_int_equal(ring_open(&r, fd, 8), 0);
                assert_int_equal(ring_write(&r, "new", 3), 0);
                holds(fd, "new");
        }
}

static void counter_out_of_range_does_no_harm(void **state)
{
        _cleanup_close_ int fd = new_file();
        _cleanup_free_ uint8_t *got = NULL;
        struct ring r;
        size_t size;

        (void)state;
        assert_int_equal(ring_open(&r, fd, 8), 0);
        assert_int_equal(ring_write(&r, "abc", 3), 0);
        assert_int_equal(pwrite(fd, "\xff\xff\xff\xff\xff\xff\xff\xff", 8, 16), 8);
        assert_int_equal(ring_copy(fd, &got, &size), 0);
        assert_int_equal(size, 8);
        assert_int_equal(ring_open(&r, fd, 8), 0);
        assert_int_equal(ring_write(&r, "0123456789", 10), 0);
}

static void short_file_reads_as_zeros(void **state)
{
        _cleanup_close_ int fd = new_file();
        _cleanup_free_ uint8_t *got = NULL;
        struct ring r;
        size_t size;

        (void)state;
        assert_int_equal(ring_open(&r, fd, RING_SIZE_MAX), 0);
        assert_int_equal(pwrite(fd, "\xff\xff\xff\xff\xff\xff", 6, 16), 6);
        assert_int_equal(ring_copy(fd, &got, &size), 0);
        assert_int_equal(size, RING_SIZE_MAX);
        assert_int_equal(got[0], 0);
}

static void empty_file_and_bad_size_are_no_log(void **state)
{
        _cleanup_close_ int fd = new_file();
        struct ring r;

        (void)state;
        holds(fd, "");
        assert_int_equal(ring_open(&r, fd, 0), -EINVAL);
        assert_int_equal(ring_open(&r, fd, RING_SIZE_MAX + 1), -EINVAL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_is_written_can_be_read),
                cmocka_unit_test(newest_bytes_are_kept),
                cmocka_unit_test(every_split_gives_the_same),
                cmocka_unit_test(successor_goes_on),
                cmocka_unit_test(damaged_header_is_an_empty_log),
                cmocka_unit_test(counter_out_of_range_does_no_harm),
                cmocka_unit_test(short_file_reads_as_zeros),
                cmocka_unit_test(empty_file_and_bad_size_are_no_log),
        };

        return cmocka_run_group_tests_name("ring", tests, NULL, NULL);
}
