/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_uevent.c - the kernel's device events: which are of a subsystem, and that no process can fake one.
 */
#include "base/cleanup.h"
#include "kernel/uevent.h"

#include <linux/netlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#define MESSAGE                                                                                                        \
        "online@/devices/system/cpu/cpu1\0ACTION=online\0DEVPATH=/devices/system/cpu/cpu1\0SUBSYSTEM=cpu\0SEQNUM=7"

static void a_message_is_of_its_subsystem(void **state)
{
        static const char message[] = MESSAGE;

        (void)state;
        assert_true(uevent_is_of(message, sizeof(message), "cpu"));
        assert_false(uevent_is_of(message, sizeof(message), "cpuid"));
        assert_false(uevent_is_of(message, sizeof(message), "block"));
        assert_false(uevent_is_of(message, sizeof(message), ""));
}

static void only_a_whole_field_counts(void **state)
{
        static const char in_a_path[] = "add@/SUBSYSTEM=cpu\0ACTION=add\0XSUBSYSTEM=cpu\0SUBSYSTEM=\0";
        static const char not_ended[] = {'S', 'U', 'B', 'S', 'Y', 'S', 'T', 'E', 'M', '=', 'c', 'p', 'u'};

        (void)state;
        assert_false(uevent_is_of(in_a_path, sizeof(in_a_path), "cpu"));
        assert_false(uevent_is_of(not_ended, sizeof(not_ended), "cpu"));
        assert_false(uevent_is_of("", 0, "cpu"));
}

/* Every shorter piece is either known for what it is or for nothing; none is read beyond its end (ASan looks). */
static void a_cut_message_is_read_to_its_end_only(void **state)
{
        static const char message[] = MESSAGE;

        (void)state;
        for (size_t size = 0; size <= sizeof(message); size++) {
                _cleanup_free_ char *copy = malloc(size + 1);

                memcpy(copy, message, size);
                (void)uevent_is_of(copy, size, "cpu");
        }
}

/* The family wants root to speak to others; whoever may, is dropped all the same. */
static void what_a_process_sends_is_not_believed(void **state)
{
        static const char message[] = MESSAGE;
        static const char *const subsystems[] = {"block", "cpu"};
        _cleanup_close_ int listener = uevent_open(NULL);
        _cleanup_close_ int sender = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
        struct sockaddr_nl to = {.nl_family = AF_NETLINK};
        socklen_t size = sizeof(to);

        (void)state;
        if (listener < 0 || sender < 0)
                skip();
        assert_int_equal(getsockname(listener, (struct sockaddr *)&to, &size), 0);
        to.nl_groups = 0;
        if (sendto(sender, message, sizeof(message), 0, (struct sockaddr *)&to, sizeof(to)) < 0)
                skip();
        assert_int_equal(uevent_take(listener, subsystems, ELEMENTS(subsystems)), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_message_is_of_its_subsystem),
                cmocka_unit_test(only_a_whole_field_counts),
                cmocka_unit_test(a_cut_message_is_read_to_its_end_only),
                cmocka_unit_test(what_a_process_sends_is_not_believed),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
