/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_view_disks.c - the list of a partition's own block devices that two processes share: whole or not at all, and
 * harmless whatever lies there.
 */
#include "kstat/view_disks.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

static struct view_disks area;
static struct view_disk got[VIEW_DISKS_MAX];

static int begin(void **state)
{
        (void)state;
        memset(&area, 0, sizeof(area));
        memset(got, 0xa5, sizeof(got));
        return 0;
}

static struct view_disk loop(unsigned int inside, uint32_t minor)
{
        struct view_disk disk = {.major = 7, .minor = minor, .sectors = 2048, .flags = VIEW_DISK_LOOP};

        (void)snprintf(disk.name, sizeof(disk.name), "loop%u", inside);
        (void)snprintf(disk.file, sizeof(disk.file), "/img%u", minor);
        return disk;
}

static void what_was_never_written_is_an_empty_list(void **state)
{
        uint32_t sequence = 99;

        (void)state;
        assert_int_equal(view_disks_read(&area, got, VIEW_DISKS_MAX, &sequence), 0);
        assert_int_equal(sequence, 0);
}

static void what_is_written_is_read(void **state)
{
        const struct view_disk list[] = {loop(0, 9), loop(1, 17)};
        uint32_t sequence;

        (void)state;
        view_disks_write(&area, list, 2);
        assert_int_equal(view_disks_read(&area, got, VIEW_DISKS_MAX, &sequence), 2);
        assert_memory_equal(got, list, sizeof(list));
        assert_false(view_disks_changed(&area, sequence));
        view_disks_write(&area, list, 1);
        assert_true(view_disks_changed(&area, sequence));
        assert_int_equal(view_disks_read(&area, got, VIEW_DISKS_MAX, &sequence), 1);
        view_disks_write(&area, NULL, 0);
        assert_int_equal(view_disks_read(&area, got, VIEW_DISKS_MAX, &sequence), 0);
}

static void more_than_there_is_room_for_are_cut_off(void **state)
{
        static struct view_disk list[VIEW_DISKS_MAX + 3];
        uint32_t sequence;

        (void)state;
        for (unsigned int i = 0; i < VIEW_DISKS_MAX + 3; i++)
                list[i] = loop(i, i);
        view_disks_write(&area, list, VIEW_DISKS_MAX + 3);
        assert_int_equal(view_disks_read(&area, got, VIEW_DISKS_MAX, &sequence), VIEW_DISKS_MAX);
        assert_int_equal(view_disks_read(&area, got, 2, &sequence), 2); /* the reader's room */
        assert_string_equal(got[1].name, "loop1");
}

static void a_list_that_is_being_written_is_not_read(void **state)
{
        const struct view_disk disk = loop(0, 9);
        uint32_t sequence = 99;

        (void)state;
        view_disks_write(&area, &disk, 1);
        area.head.sequence++;
        assert_int_equal(view_disks_read(&area, got, VIEW_DISKS_MAX, &sequence), -EAGAIN);
        assert_int_equal(sequence, 99);
}

static void the_next_writer_goes_on_where_one_died(void **state)
{
        const struct view_disk disk = loop(0, 9);
        uint32_t sequence;

        (void)state;
        for (uint32_t at = 4; at < 6; at++) {
                area.head.sequence = at;
                view_disks_write(&area, &disk, 1);
                assert_int_equal(view_disks_read(&area, got, VIEW_DISKS_MAX, &sequence), 1);
                assert_true(sequence > at);
        }
        area.head.sequence = UINT32_MAX; /* and round */
        view_disks_write(&area, &disk, 1);
        assert_int_equal(view_disks_read(&area, got, VIEW_DISKS_MAX, &sequence), 1);
        assert_int_equal(sequence, 2);
}

static void a_count_that_cannot_be_is_bounded(void **state)
{
        uint32_t sequence;

        (void)state;
        area.head.n = UINT32_MAX;
        assert_int_equal(view_disks_read(&area, got, VIEW_DISKS_MAX, &sequence), 0); /* without a name there is none */
        for (unsigned int i = 0; i < VIEW_DISKS_MAX; i++)
                area.list[i] = loop(i, i);
        assert_int_equal(view_disks_read(&area, got, VIEW_DISKS_MAX, &sequence), VIEW_DISKS_MAX);
}

static void names_and_numbers_that_are_none_are_left_out(void **state)
{
        static const char *const names[] = {"", ".", "..", "a/b", "loop 0", "loop\n0", "\x7f"};
        struct view_disk list[10];
        uint32_t sequence;
        size_t n = 0;

        (void)state;
        for (; n < sizeof(names) / sizeof(names[0]); n++) {
                list[n] = loop(0, (uint32_t)n);
                (void)snprintf(list[n].name, sizeof(list[n].name), "%s", names[n]);
        }
        list[n] = loop(1, 1 << 20);
        n++;
        list[n] = loop(2, 1);
        list[n++].major = 1 << 12;
        list[n++] = loop(3, (1 << 20) - 1);
        view_disks_write(&area, list, n);
        assert_int_equal(view_disks_read(&area, got, VIEW_DISKS_MAX, &sequence), 1);
        assert_string_equal(got[0].name, "loop3");
}

static void texts_without_an_end_get_one(void **state)
{
        struct view_disk disk = loop(0, 9);
        uint32_t sequence;

        (void)state;
        memset(disk.name, 'n', sizeof(disk.name));
        memset(disk.file, 'f', sizeof(disk.file));
        view_disks_write(&area, &disk, 1);
        assert_int_equal(view_disks_read(&area, got, VIEW_DISKS_MAX, &sequence), 1);
        assert_int_equal(strnlen(got[0].name, sizeof(got[0].name)), VIEW_DISK_NAME_MAX - 1);
        assert_int_equal(strnlen(got[0].file, sizeof(got[0].file)), VIEW_DISK_FILE_MAX - 1);
}

static void what_is_there_twice_is_shown_once(void **state)
{
        const struct view_disk list[] = {loop(0, 9), loop(0, 10), loop(1, 9), loop(2, 11)};
        uint32_t sequence;

        (void)state;
        view_disks_write(&area, list, 4);
        assert_int_equal(view_disks_read(&area, got, VIEW_DISKS_MAX, &sequence), 2);
        assert_string_equal(got[0].file, "/img9");
        assert_string_equal(got[1].file, "/img11");
}

/* --- a writer in the middle of a read: the reader's first touch of the second page lets it write --- */

#define PAGE 4096
#define N_LISTED 8 /* more than a page of them */

static struct view_disks *shared;
static int shared_fd; /* the file that it is in: the writer uses that; or -1 */
static unsigned int written;

static void write_all(uint64_t sectors)
{
        struct view_disk list[N_LISTED];

        for (unsigned int i = 0; i < N_LISTED; i++) {
                list[i] = loop(i, i);
                list[i].sectors = sectors;
        }
        if (shared_fd < 0)
                view_disks_write(shared, list, N_LISTED);
        else
                (void)view_list_write_at(shared_fd, PAGE, list, sizeof(*list), N_LISTED, VIEW_DISKS_MAX);
}

static void write_in_between(int number)
{
        (void)number;
        (void)mprotect((char *)shared + PAGE, PAGE, PROT_READ | PROT_WRITE);
        write_all(++written);
}

static void read_while_it_changes(bool by_descriptor)
{
        struct sigaction action = {.sa_handler = write_in_between}, before;
        int fd = memfd_create("shared", MFD_CLOEXEC);
        uint32_t sequence;

        written = 0;
        shared_fd = by_descriptor ? fd : -1;
        assert_int_equal(ftruncate(fd, PAGE + sizeof(*shared)), 0);
        shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED, fd, PAGE);
        assert_ptr_not_equal(shared, MAP_FAILED);
        write_all(0);
        assert_int_equal(sigaction(SIGSEGV, &action, &before), 0);
        assert_int_equal(mprotect((char *)shared + PAGE, PAGE, PROT_NONE), 0);
        assert_int_equal(view_disks_read(shared, got, VIEW_DISKS_MAX, &sequence), N_LISTED);
        assert_int_equal(sigaction(SIGSEGV, &before, NULL), 0);
        assert_int_equal(written, 1);
        for (size_t i = 0; i < N_LISTED; i++)
                assert_int_equal(got[i].sectors, 1);
        assert_false(view_disks_changed(shared, sequence));
        assert_int_equal(munmap(shared, sizeof(*shared)), 0);
        (void)close(fd);
}

static void a_list_that_changes_while_it_is_read_is_read_again(void **state)
{
        (void)state;
        read_while_it_changes(false);
        read_while_it_changes(true);
}

static void by_descriptor_it_is_the_same(void **state)
{
        const struct view_disk list[] = {loop(1, 1), loop(2, 2)};
        int fd = memfd_create("list", MFD_CLOEXEC), full;
        uint32_t sequence;

        (void)state;
        assert_int_equal(ftruncate(fd, sizeof(area)), 0);
        assert_int_equal(view_list_write_at(fd, 0, list, sizeof(*list), 2, VIEW_DISKS_MAX), 0);
        assert_int_equal(pread(fd, &area, sizeof(area), 0), sizeof(area));
        assert_int_equal(view_disks_read(&area, got, VIEW_DISKS_MAX, &sequence), 2);
        assert_string_equal(got[1].name, list[1].name);
        assert_int_equal(view_list_write_at(fd, 0, list, sizeof(*list), 2, 1), 0);
        assert_int_equal(pread(fd, &area, sizeof(area), 0), sizeof(area));
        assert_int_equal(view_disks_read(&area, got, VIEW_DISKS_MAX, &sequence), 1);
        area.head.sequence++; /* a writer that died */
        assert_int_equal(pwrite(fd, &area.head, sizeof(area.head), 0), sizeof(area.head));
        assert_int_equal(view_list_write_at(fd, 0, NULL, sizeof(*list), 0, VIEW_DISKS_MAX), 0);
        assert_int_equal(pread(fd, &area, sizeof(area), 0), sizeof(area));
        assert_true(area.head.sequence > sequence && area.head.sequence % 2 == 0);
        assert_int_equal(view_disks_read(&area, got, VIEW_DISKS_MAX, &sequence), 0);
        full = open("/dev/full", O_RDWR | O_CLOEXEC);
        assert_int_equal(view_list_write_at(full, 0, list, sizeof(*list), 2, VIEW_DISKS_MAX), -ENOSPC);
        (void)close(full);
        (void)close(fd);
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(what_was_never_written_is_an_empty_list),
                TEST(what_is_written_is_read),
                TEST(more_than_there_is_room_for_are_cut_off),
                TEST(a_list_that_is_being_written_is_not_read),
                TEST(the_next_writer_goes_on_where_one_died),
                TEST(a_count_that_cannot_be_is_bounded),
                TEST(names_and_numbers_that_are_none_are_left_out),
                TEST(texts_without_an_end_get_one),
                TEST(what_is_there_twice_is_shown_once),
                TEST(a_list_that_changes_while_it_is_read_is_read_again),
                TEST(by_descriptor_it_is_the_same),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
