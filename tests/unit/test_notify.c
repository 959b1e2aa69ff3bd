/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_notify.c - the memory of intercepted calls, and what is refused, without privileges.  The kernel's part is in
 * tests/integration/test_notify.c.
 */
#include "base/cleanup.h"
#include "fault.h"
#include "kernel/notify.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

static void an_area_is_shared_and_keeps_its_size(void **state)
{
        _cleanup_close_ int fd = notify_area_new(NULL);
        struct notify_area *a = NULL, *b = NULL;

        (void)state;
        assert_true(fd >= 0);
        assert_int_equal(notify_area_map(fd, &a, NULL), 0);
        assert_int_equal(notify_area_map(fd, &b, NULL), 0);
        a->slots[NOTIFY_SLOTS - 1].call.id = 7;
        assert_int_equal(b->slots[NOTIFY_SLOTS - 1].call.id, 7);
        assert_int_equal(ftruncate(fd, 0), -1);
        notify_area_unmap(a);
        notify_area_unmap(b);
        notify_area_unmap(NULL);
}

static void what_is_no_area_is_refused(void **state)
{
        _cleanup_close_ int open = memfd_create("open", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        _cleanup_close_ int small = memfd_create("small", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        struct croft_error err = CROFT_ERROR_INIT;
        struct notify_area *a = NULL;

        (void)state;
        assert_int_equal(ftruncate(open, sizeof(struct notify_area)), 0);
        assert_int_equal(fcntl(small, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_GROW | F_SEAL_SHRINK), 0);
        assert_int_equal(notify_area_map(open, &a, &err), -EBADMSG);
        assert_int_equal(err.code, EBADMSG);
        assert_int_equal(notify_area_map(small, &a, NULL), -EBADMSG);
        assert_int_equal(notify_area_map(-EBADF, &a, NULL), -EBADMSG);
        assert_null(a);
}

static void a_full_area_takes_no_call(void **state)
{
        _cleanup_free_ struct notify_area *area = calloc(1, sizeof(*area));
        struct notify_slot *slot = NULL;

        (void)state;
        for (size_t i = 0; i < NOTIFY_SLOTS; i++)
                area->slots[i].call.id = 1 + i;
        assert_int_equal(notify_receive(-EBADF, 1, area, &slot), -EBUSY);
        assert_null(slot);
}

static void the_free_slot_is_marked_before_the_kernel_is_asked(void **state)
{
        _cleanup_free_ struct notify_area *area = calloc(1, sizeof(*area));
        struct notify_slot *slot = NULL;

        (void)state;
        area->slots[0].call.id = 5;
        area->slots[1].note = 9; /* of a call that was answered */
        assert_int_equal(notify_receive(-EBADF, 77, area, &slot), -EBADF);
        assert_null(slot);
        assert_int_equal(area->slots[0].listener, 0);
        assert_int_equal(area->slots[1].listener, 77);
        assert_int_equal(area->slots[1].note, 0);
        assert_int_equal(area->slots[1].call.id, 0);
}

static void an_answer_frees_its_slot_whatever_happens(void **state)
{
        struct notify_slot slot = {.call.id = 3};

        (void)state;
        assert_int_equal(notify_answer(-EBADF, &slot, 0, 0), -EBADF);
        assert_int_equal(slot.call.id, 0);
}

static void memory_of_a_call_that_is_not_held_is_not_touched(void **state)
{
        struct notify_slot slot = {.call = {.id = 3, .pid = (uint32_t)getpid()}};
        char here[4] = "abc", there[4] = "xyz";

        (void)state;
        assert_int_equal(notify_write(-EBADF, &slot, (uintptr_t)there, here, 4), -ENOENT);
        assert_string_equal(there, "xyz");
        assert_int_equal(notify_read(-EBADF, &slot, (uintptr_t)there, here, 4), -ENOENT);
}

static void files_are_no_listeners(void **state)
{
        _cleanup_close_ int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

        (void)state;
        assert_false(notify_is_listener(fd));
        assert_false(notify_is_listener(-EBADF));
        notify_prefer_same_cpu(fd); /* harmless where it isn't known */
}

static int make_area(void *context)
{
        struct croft_error err = CROFT_ERROR_INIT;
        int fd = notify_area_new(&err);

        (void)context;
        if (fd >= 0)
                close_fd(fd);
        else
                assert_int_equal(err.code, -fd);
        return fd < 0 ? fd : 0;
}

static void a_failed_call_is_told(void **state)
{
        (void)state;
        fault_walk(FAULT_CALL, false, make_area, NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(an_area_is_shared_and_keeps_its_size),
                cmocka_unit_test(what_is_no_area_is_refused),
                cmocka_unit_test(a_full_area_takes_no_call),
                cmocka_unit_test(the_free_slot_is_marked_before_the_kernel_is_asked),
                cmocka_unit_test(an_answer_frees_its_slot_whatever_happens),
                cmocka_unit_test(memory_of_a_call_that_is_not_held_is_not_touched),
                cmocka_unit_test(files_are_no_listeners),
                cmocka_unit_test(a_failed_call_is_told),
        };

        return cmocka_run_group_tests_name("notify", tests, NULL, NULL);
}
