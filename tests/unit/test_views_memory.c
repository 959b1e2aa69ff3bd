/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_views_memory.c - what a warden leaves to its successor, and the padding of texts.
 */
#include "base/cleanup.h"
#include "fault.h"
#include "kstat/views_memory.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

static void show(struct views_memory *area, size_t i, const char *text, uint64_t at)
{
        struct views_time now = {.monotonic_ns = at, .real_ns = at};

        memcpy(views_text_room(area, i), text, strlen(text));
        views_text_show(area, i, strlen(text), &now);
}

static void a_successor_finds_what_was_shown(void **state)
{
        struct views_memory *mine = NULL, *next = NULL;
        _cleanup_close_ int fd = views_memory_new(&mine, NULL);
        const char *text;
        uint64_t mtime;

        (void)state;
        assert_true(fd >= 0);
        assert_int_equal(views_text(mine, 3, &text, &mtime), 0);
        show(mine, 3, "one\n", 10);
        memcpy(views_text_room(mine, 3), "half a te", 9); /* and there it died */
        assert_int_equal(views_memory_map(fd, &next, NULL), 0);
        assert_int_equal(views_text(next, 3, &text, &mtime), 4);
        assert_memory_equal(text, "one\n", 4);
        assert_int_equal(mtime, 10);
        views_memory_unmap(mine);
        views_memory_unmap(next);
        assert_null(views_memory_unmap(NULL));
}

static void the_same_text_keeps_its_time(void **state)
{
        struct views_memory *area = NULL;
        _cleanup_close_ int fd = views_memory_new(&area, NULL);
        const char *text;
        uint64_t mtime;

        (void)state;
        show(area, 0, "one\n", 10);
        show(area, 0, "one\n", 20);
        (void)views_text(area, 0, &text, &mtime);
        assert_int_equal(mtime, 10);
        assert_int_equal(area->slots[0].made_ns, 20);
        show(area, 0, "two\n", 30);
        (void)views_text(area, 0, &text, &mtime);
        assert_memory_equal(text, "two\n", 4);
        assert_int_equal(mtime, 30);
        views_memory_unmap(area);
}

static void another_text_has_another_time_though_the_clock_goes_back(void **state)
{
        struct views_memory *area = NULL;
        _cleanup_close_ int fd = views_memory_new(&area, NULL);
        const char *text;
        uint64_t mtime;

        (void)state;
        show(area, 0, "one\n", 10);
        show(area, 0, "two\n", 5);
        (void)views_text(area, 0, &text, &mtime);
        assert_int_equal(mtime, 11);
        views_memory_unmap(area);
}

static void what_could_shrink_or_is_something_else_is_refused(void **state)
{
        _cleanup_close_ int open = memfd_create("open", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        struct views_memory *area = NULL, *mine = NULL;
        _cleanup_close_ int fd = views_memory_new(&mine, NULL);

        (void)state;
        assert_int_equal(ftruncate(open, sizeof(struct views_memory)), 0);
        assert_int_equal(views_memory_map(open, &area, NULL), -EBADMSG);
        assert_int_equal(fcntl(open, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL), 0);
        assert_int_equal(views_memory_map(open, &area, NULL), -EBADMSG); /* no magic */
        assert_int_equal(ftruncate(fd, 0), -1);
        mine->version++;
        assert_int_equal(views_memory_map(fd, &area, NULL), -EBADMSG);
        assert_null(area);
        views_memory_unmap(mine);
}

static void numbers_of_a_hostile_predecessor_are_bounded(void **state)
{
        struct views_memory *area = NULL;
        _cleanup_close_ int fd = views_memory_new(&area, NULL);
        const char *text;
        uint64_t mtime;

        (void)state;
        area->slots[1].half = 0xffffffff;
        area->slots[1].size[1] = VIEWS_TEXT_MAX + 1;
        assert_int_equal(views_text(area, 1, &text, &mtime), 0);
        assert_ptr_equal(views_text_room(area, 1), area->texts[1][0]);
        views_memory_unmap(area);
}

/* As a warden of before there were disks has left it. */
static int first_layout(uint32_t version)
{
        int fd = memfd_create("first", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        const uint32_t head[] = {VIEWS_MAGIC, version};

        assert_int_equal(ftruncate(fd, offsetof(struct views_memory, disks)), 0);
        assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL), 0);
        assert_int_equal(pwrite(fd, head, sizeof(head), 0), sizeof(head));
        return fd;
}

static void an_area_from_before_there_were_disks_goes_on_without_any(void **state)
{
        _cleanup_close_ int fd = first_layout(1), wrong = first_layout(2);
        struct view_disks *disks = NULL;
        struct views_memory *area = NULL;

        (void)state;
        assert_int_equal(views_memory_map(wrong, &area, NULL), -EBADMSG);
        assert_int_equal(views_memory_map(fd, &area, NULL), 0);
        assert_null(views_disks(area, VIEW_LOOPS));
        show(area, 0, "one\n", 10);
        area->has_disks = 1; /* whoever says so: nothing is there, and nobody dies of a look at it */
        assert_int_equal(
                views_disks(area, VIEW_LOOPS)->list[VIEW_DISKS_MAX - 1].sectors + views_disks(area, VIEW_LOOPS)->head.n,
                0);
        assert_int_equal(views_disks_map(fd, VIEW_LOOPS, &disks, NULL), -EOPNOTSUPP);
        assert_null(disks);
        views_memory_unmap(area);
}

static void another_process_writes_the_list_of_disks(void **state)
{
        const struct view_disk disk = {.name = "loop0", .major = 7, .minor = 9};
        struct views_memory *area = NULL;
        _cleanup_close_ int fd = views_memory_new(&area, NULL);
        struct view_disks *disks = NULL;

        (void)state;
        assert_null(views_disks(area, VIEW_LOOPS));
        assert_int_equal(views_disks_map(fd, VIEW_LOOPS, &disks, NULL), 0);
        assert_non_null(views_disks(area, VIEW_LOOPS));
        assert_int_equal(views_disks(area, VIEW_LOOPS)->head.n, 0);
        view_disks_write(disks, &disk, 1);
        assert_string_equal(views_disks(area, VIEW_LOOPS)->list[0].name, "loop0");
        views_memory_unmap(area);
        assert_null(views_disks_unmap(disks));
        assert_null(views_disks_unmap(NULL));
}

static void each_kind_of_disks_has_a_list_of_its_own(void **state)
{
        const struct view_disk disk = {.name = "sdb", .major = 8, .minor = 16};
        struct views_memory *area = NULL;
        _cleanup_close_ int fd = views_memory_new(&area, NULL);

        (void)state;
        assert_int_equal(views_disks_replace(fd, VIEW_EXPORTS, NULL, 0, NULL), 0);
        assert_null(views_disks(area, VIEW_EXPORTS)); /* none stays none */
        assert_int_equal(views_disks_replace(fd, VIEW_EXPORTS, &disk, 1, NULL), 0);
        assert_null(views_disks(area, VIEW_LOOPS));
        assert_int_equal(views_disks(area, VIEW_EXPORTS)->head.n, 1);
        assert_string_equal(views_disks(area, VIEW_EXPORTS)->list[0].name, "sdb");
        assert_int_equal(area->disks.head.n, 0);
        assert_int_equal(views_disks_replace(fd, VIEW_EXPORTS, NULL, 0, NULL), 0);
        assert_int_equal(views_disks(area, VIEW_EXPORTS)->head.n, 0);
        views_memory_unmap(area);
}

/* As one of before there were lists of exported disks. */
static void an_area_of_the_second_layout_has_loop_devices_alone(void **state)
{
        const struct view_disk disk = {.name = "loop0", .major = 7, .minor = 9};
        const uint32_t head[] = {VIEWS_MAGIC, 2};
        _cleanup_close_ int fd = memfd_create("second", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        struct views_memory *area = NULL;

        (void)state;
        assert_int_equal(ftruncate(fd, offsetof(struct views_memory, exports)), 0);
        assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL), 0);
        assert_int_equal(pwrite(fd, head, sizeof(head), 0), sizeof(head));
        assert_int_equal(views_memory_map(fd, &area, NULL), 0);
        assert_int_equal(views_disks_replace(fd, VIEW_LOOPS, &disk, 1, NULL), 0);
        assert_int_equal(views_disks_replace(fd, VIEW_EXPORTS, &disk, 1, NULL), -EOPNOTSUPP);
        assert_string_equal(views_disks(area, VIEW_LOOPS)->list[0].name, "loop0");
        assert_null(views_disks(area, VIEW_EXPORTS));
        area->has_disks = 3; /* whoever says so */
        assert_int_equal(views_disks(area, VIEW_EXPORTS)->head.n, 0);
        views_memory_unmap(area);
}

static void the_writer_of_disks_refuses_what_is_no_such_memory(void **state)
{
        _cleanup_close_ int other = memfd_create("other", MFD_CLOEXEC | MFD_ALLOW_SEALING),
                            dev = open("/dev/zero", O_RDWR);
        struct view_disks *disks = NULL;

        (void)state;
        assert_int_equal(views_disks_map(dev, VIEW_LOOPS, &disks, NULL), -EBADMSG);
        assert_int_equal(views_disks_map(-EBADF, VIEW_LOOPS, &disks, NULL), -EBADMSG);
        assert_int_equal(ftruncate(other, sizeof(struct views_memory)), 0);
        assert_int_equal(views_disks_map(other, VIEW_LOOPS, &disks, NULL), -EBADMSG); /* could shrink */
        assert_int_equal(fcntl(other, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL), 0);
        assert_int_equal(views_disks_map(other, VIEW_LOOPS, &disks, NULL), -EBADMSG); /* no magic */
        assert_null(disks);
}

static size_t pad(char *buf, const char *text, size_t shown)
{
        memcpy(buf, text, strlen(text));
        return views_pad(buf, strlen(text), 256, shown);
}

static void padding_is_blanks_before_the_last_newline(void **state)
{
        char buf[256];

        (void)state;
        assert_int_equal(pad(buf, "12.30 4.56\n", 0), 64);
        assert_memory_equal(buf, "12.30 4.56 ", 11);
        assert_int_equal(buf[62], ' ');
        assert_int_equal(buf[63], '\n');
}

static void length_stays_until_it_no_longer_suffices(void **state)
{
        char buf[256];

        (void)state;
        assert_int_equal(pad(buf, "1\n", 64), 64);
        assert_int_equal(pad(buf, "0123456789012345678901234567890123456789012345678901234567890123456789\n", 64), 128);
}

static void what_ends_otherwise_or_does_not_fit_stays(void **state)
{
        char buf[256];

        (void)state;
        assert_int_equal(pad(buf, "", 0), 0);
        assert_int_equal(pad(buf, "processor: 0\n\n", 0), 14);
        assert_int_equal(pad(buf, "no newline", 0), 10);
        assert_int_equal(pad(buf, "1\n", 300), 2);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_successor_finds_what_was_shown),
                cmocka_unit_test(the_same_text_keeps_its_time),
                cmocka_unit_test(another_text_has_another_time_though_the_clock_goes_back),
                cmocka_unit_test(what_could_shrink_or_is_something_else_is_refused),
                cmocka_unit_test(numbers_of_a_hostile_predecessor_are_bounded),
                cmocka_unit_test(an_area_from_before_there_were_disks_goes_on_without_any),
                cmocka_unit_test(another_process_writes_the_list_of_disks),
                cmocka_unit_test(each_kind_of_disks_has_a_list_of_its_own),
                cmocka_unit_test(an_area_of_the_second_layout_has_loop_devices_alone),
                cmocka_unit_test(the_writer_of_disks_refuses_what_is_no_such_memory),
                cmocka_unit_test(padding_is_blanks_before_the_last_newline),
                cmocka_unit_test(length_stays_until_it_no_longer_suffices),
                cmocka_unit_test(what_ends_otherwise_or_does_not_fit_stays),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
