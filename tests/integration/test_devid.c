/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_devid.c - the table of device numbers in the kernel: what it gives to whom, nothing twice, and nothing is lost.
 * where: here guest
 * cpus: several
 */
#include "base/cleanup.h"
#include "base/clock.h"
#include "devid_kit.h"
#include "plane/plane_bpf.h"
#include "turns.h"

#include <bpf/bpf.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <cmocka.h>

#define C 103

/* --- inside: what a partition gets itself (DEV-A1, DEV-A4, DEV-A8) --- */

static void happy_path(void *context)
{
        int major = take(0, DEVID_CHAR_MAJORS, "drv0");
        char minors[8];

        (void)context;
        require(major == 60); /* the lowest for local use */
        require(take(0, DEVID_CHAR_MAJORS, "drv0") == major);
        require(state_of(0, DEVID_CHAR_MAJORS, "drv0") == DEVID_RESERVED);
        require(call_for(0, DEVID_OP_ASSIGN, DEVID_CHAR_MAJORS, "drv0", NULL) == 0);
        require(state_of(0, DEVID_CHAR_MAJORS, "drv0") == DEVID_ASSIGNED);
        (void)snprintf(minors, sizeof(minors), "c%d", major);
        for (int i = 0; i < 4; i++) {
                char instance[16];

                (void)snprintf(instance, sizeof(instance), "unit%d", i);
                require(take(0, minors, instance) == i);
        }
        require(release(0, DEVID_CHAR_MAJORS, "drv0") == -EBUSY); /* its minors are in use */
}

static void is_young(void *context)
{
        struct devid_call call = {.count = 0};

        (void)context;
        require(call_for(0, DEVID_OP_GET, DEVID_CHAR_MAJORS, "drv0", &call) == 0);
        require(call.ret.since_ns <= now_ns(CLOCK_BOOTTIME) &&
                now_ns(CLOCK_BOOTTIME) - call.ret.since_ns < 3600000000000);
}

static void its_age_is_right_by_whatever_clock_it_is_read(void **state)
{
        (void)state;
        as("a", AS_IS, happy_path, NULL);
        as("a", AS_IS, is_young, NULL);
        as("a", AS_OTHER_CLOCK, is_young, NULL);
}

static void each_gets_numbers_of_its_own(void **state)
{
        struct devid_call call = {.count = 0};

        (void)state;
        as("a", AS_NOBODY, happy_path, NULL);
        assert_int_equal(call_for(A, DEVID_OP_GET, DEVID_CHAR_MAJORS, "drv0", &call), 0);
        assert_int_equal(call.ret.partition, A);
        assert_int_equal(call.ret.state, DEVID_ASSIGNED);
        assert_int_equal(call.node.type, DEVID_CHAR);
        assert_int_equal(call.node.major, 60);
        assert_int_equal(call.node.minor, DEVID_WHOLE);
        assert_true(call.ret.pid > 0);
        assert_int_equal(take(B, DEVID_CHAR_MAJORS, "drv0"), 61);
        assert_int_equal(count_of(A, "c60"), 4);
        assert_int_equal(release(A, "c60", "unit1"), 0);
        assert_int_equal(take(A, "c60", "other"), 1); /* lowest first */
}

static void thief(void *context)
{
        struct devid_call call = {.count = 0};

        (void)context;
        require(release(A, DEVID_CHAR_MAJORS, "drv0") == -EPERM);
        require(take(A, DEVID_CHAR_MAJORS, "mine") == -EPERM);
        require(take(999, DEVID_CHAR_MAJORS, "mine") == -EPERM);
        require(release(0, DEVID_CHAR_MAJORS, "drv0") == -ESRCH);
        require(call_for(0, DEVID_OP_GET, DEVID_CHAR_MAJORS, "drv0", NULL) == -ESRCH);
        require(take(0, "c60", "unit") == -ENOENT);        /* the minors of another's major */
        require(take(0, DEVID_LOOPS, "loop0") == -ENOENT); /* never granted */
        require(take(0, "nothing", "unit") == -ENOENT);
        require(call_for(0, DEVID_OP_GET, "c60", "unit", NULL) == -ESRCH); /* there or not: the same */
        require(call_for(0, DEVID_OP_GET, "nothing", "unit", NULL) == -ESRCH);
        require(call_for(0, DEVID_OP_FREE, DEVID_CHAR_MAJORS, NULL, NULL) == -EPERM);
        require(call_for(0, DEVID_OP_HOST, DEVID_CHAR_MAJORS, NULL, NULL) == -EPERM);
        require(call_for(0, DEVID_OP_GRANT, DEVID_CHAR_MAJORS, NULL, NULL) == -EPERM);
        require(call_for(0, 99, DEVID_CHAR_MAJORS, NULL, NULL) == -EINVAL);
        require(count_of(0, DEVID_CHAR_MAJORS) == 0);
        require(take(0, DEVID_CHAR_MAJORS, "own") == 61);
        require(call_for(0, DEVID_OP_GET, DEVID_CHAR_MAJORS, "own", &call) == 0 && call.ret.pid == 0);
}

/* Names are bytes: what is behind the end of one makes it another. */
static void odd_names(void *context)
{
        struct devid_call call;

        (void)context;
        require(devid_client_prepare(&call, DEVID_OP_ALLOC, DEVID_CHAR_MAJORS, "x"));
        memcpy(call.instance.text, "odd\0tail", 8);
        require(devid_client_call(program, &call) == 0);
        memset(call.instance.text, 'x', sizeof(call.instance.text));
        require(devid_client_call(program, &call) == -EINVAL);
        memset(call.instance.text, 0, sizeof(call.instance.text));
        require(devid_client_call(program, &call) == -EINVAL);
}

static void what_has_an_odd_name_is_taken_back_too(void **state)
{
        (void)state;
        as("a", AS_NOBODY, odd_names, NULL);
        assert_int_equal(count_of(A, DEVID_CHAR_MAJORS), 1);
        assert_int_equal(devid_release_all(devid, A, NULL), 0);
        assert_int_equal(count_of(A, DEVID_CHAR_MAJORS), 0);
}

static void refused_without_a_partition(void *context)
{
        (void)context;
        require(take(0, DEVID_CHAR_MAJORS, "nobody") == -EPERM);
        require(take(A, DEVID_CHAR_MAJORS, "nobody") == -EPERM);
}

static void nobody_has_anothers(void **state)
{
        (void)state;
        assert_int_equal(take(A, DEVID_CHAR_MAJORS, "drv0"), 60);
        as("b", AS_NOBODY, thief, NULL);
        as(NULL, AS_USER_NS, refused_without_a_partition, NULL);
        assert_int_equal(state_of(A, DEVID_CHAR_MAJORS, "drv0"), DEVID_RESERVED);
        assert_int_equal(release(A, DEVID_CHAR_MAJORS, "drv0"), 0);
        assert_int_equal(take(B, DEVID_CHAR_MAJORS, "next"), 60);
}

/* --- groups (DEV-A3) --- */

static void groups_are_given_whole_or_not_at_all(void **state)
{
        (void)state;
        assert_int_equal(take(A, DEVID_CHAR_MAJORS, "drv0"), 60);
        assert_int_equal(take_group(A, "c60", "free", 7, 1, 1, 1), 7);
        assert_int_equal(take_group(A, "c60", "taken", 7, 1, 1, 1), -EBUSY);
        assert_int_equal(count_of(A, "c60"), 1);
        assert_int_equal(take_group(A, "c60", "aligned", DEVID_ANY, 16, 1, 16), 16); /* 7 is a hole in the first */
        assert_int_equal(take_group(A, "c60", "partly", 0, 16, 1, 16), -EBUSY);
        assert_int_equal(count_of(A, "c60"), 17);
        assert_int_equal(take_group(A, "c60", "second", DEVID_ANY, 16, 1, 16), 32);
        assert_int_equal(take_group(A, "c60", "spread", DEVID_ANY, 3, 4, 1), 0); /* 0, 4, 8 */
        assert_int_equal(take(A, "c60", "one"), 1);
        assert_int_equal(take_group(A, "c60", "astray", 5, 2, 1, 2), -EINVAL);
        assert_int_equal(take_group(A, "c60", "none", DEVID_ANY, 0xffff, 1, 1), -EINVAL);
        assert_int_equal(take_group(A, "c60", "far", 4090, 8, 1, 1), -EBUSY); /* beyond the last */
        assert_int_equal(release(A, "c60", "aligned"), 0);
        assert_int_equal(take_group(A, "c60", "again", 16, 16, 1, 16), 16);
        assert_int_equal(call_for(A, DEVID_OP_ASSIGN, "c60", "again", NULL), 0);
        assert_int_equal(state_of(A, "c60", "again"), DEVID_ASSIGNED);
        assert_int_equal(count_of(A, "c60"), 1 + 16 + 16 + 3 + 1);
}

/* --- release, death (DEV-A4, DEV-A5) --- */

/* What a number of the family is to global. */
static int global_sees(const char *family, uint32_t number)
{
        struct devid_call call = {.preferred = number, .count = 1, .within = 1, .between = 1};
        int r = call_for(0, DEVID_OP_NEXT, family, NULL, &call);

        return r < 0 || call.ret.number != number ? DEVID_FREE : (int)call.ret.state;
}

static void what_may_still_be_open_is_not_given_again(void **state)
{
        int number, next;

        (void)state;
        assert_int_equal(devid_grant(devid, A, DEVID_LOOPS, 2, NULL), 0);
        number = take(A, DEVID_LOOPS, "loop0");
        assert_true(number >= 0);
        assert_int_equal(release(A, DEVID_LOOPS, "loop0"), 0);
        assert_int_equal(state_of(A, DEVID_LOOPS, "loop0"), -ESRCH);
        next = take(A, DEVID_LOOPS, "loop0");
        assert_true(next > number);                               /* the machine may have the one in between */
        assert_int_equal(take(A, DEVID_LOOPS, "loop1"), -EDQUOT); /* what drains counts */
        assert_true(take(0, DEVID_LOOPS, "globals") > next);
        assert_int_equal(global_sees(DEVID_LOOPS, (uint32_t)number), DEVID_DRAINING);
        devid_settle(devid); /* there never was such a device */
        assert_int_equal(take(A, DEVID_LOOPS, "loop1"), number);
}

static int mark(uint64_t partition, const char *instance, uint32_t virtual, uint32_t flags, struct devid_call *ret)
{
        (void)devid_client_prepare(ret, DEVID_OP_MARK, DEVID_LOOPS, instance);
        ret->partition = partition;
        ret->virtual = virtual;
        ret->flags = flags;
        return devid_client_call(program, ret);
}

static void what_a_driver_has_is_marked_by_global(void **state)
{
        struct devid_call call;

        (void)state;
        assert_int_equal(devid_grant(devid, A, DEVID_LOOPS, 2, NULL), 0);
        assert_int_equal(mark(A, "loop0", 0, DEVID_MADE, &call), -ESRCH);
        (void)devid_client_prepare(&call, DEVID_OP_ALLOC, DEVID_LOOPS, "loop0");
        call.partition = A;
        call.flags = DEVID_CLOSED;
        assert_int_equal(devid_client_call(program, &call), 0);
        assert_int_equal(call.ret.flags, DEVID_CLOSED);
        assert_int_equal(call.ret.state, DEVID_RESERVED);
        assert_int_equal(mark(B, "loop0", 7, DEVID_MADE, &call), -ESRCH);
        assert_int_equal(mark(A, "loop0", 7, DEVID_MADE | DEVID_READY, &call), 0);
        assert_int_equal(call.ret.flags, DEVID_MADE | DEVID_READY);
        assert_int_equal(call.ret.virtual, 7);
        assert_int_equal(call.ret.state, DEVID_ASSIGNED);
        assert_int_equal(state_of(A, DEVID_LOOPS, "loop0"), DEVID_ASSIGNED);
}

static void asks_for_what_a_driver_has(void *context)
{
        struct devid_call call;

        (void)context;
        require(take(0, DEVID_LOOPS, "mine") == -ENOENT);
        require(call_for(0, DEVID_OP_RELEASE, DEVID_LOOPS, "loop0", NULL) == -EPERM);
        require(call_for(0, DEVID_OP_ASSIGN, DEVID_LOOPS, "loop0", NULL) == -EPERM);
        require(call_for(0, DEVID_OP_GET, DEVID_LOOPS, "loop0", NULL) == 0);
        require(mark(0, "loop0", 1, 0, &call) == -EPERM);
}

/* --- drivers whose numbers partitions ask for --- */

static int set_driver(uint32_t major)
{
        struct devid_call call;

        (void)devid_client_prepare(&call, DEVID_OP_DRIVER, "memory", NULL);
        call.preferred = major;
        call.count = 0;
        return devid_client_call(program, &call);
}

static int about_number(enum devid_op op, uint64_t partition, const char *instance, uint32_t number, uint32_t flags)
{
        struct devid_call call;

        (void)devid_client_prepare(&call, op, "memory", instance);
        call.partition = partition;
        call.preferred = number;
        call.flags = flags;
        return devid_client_call(program, &call);
}

/* A family of the test's own, whose "driver" isn't there; number 3 of it is /dev/null's. */
static void add_driver(void)
{
        const struct devid_family memory = {.name = "memory",
                .type = DEVID_CHAR,
                .major = 1,
                .count = 16,
                .flags = DEVID_FAMILY_DRAINS | DEVID_FAMILY_DRIVER | DEVID_FAMILY_ABSENT};
        _cleanup_close_ int families = plane_bpf_get(plane_directory(plane), "devid_families");
        const struct devid_name name = {.text = "memory"};

        assert_int_equal(bpf_map_update_elem(families, &name, &memory, BPF_NOEXIST), 0);
        assert_int_equal(devid_grant(devid, A, "memory", 2, NULL), 0);
}

static void asks_without_a_driver(void *context)
{
        require(take(0, "memory", "mine") == *(const int *)context);
}

static void asks_a_driver(void *context)
{
        (void)context;
        require(take(0, "memory", "mine") == 0);
        require(take_group(0, "memory", "null", 3, 1, 1, 1) == 3);
        require(take_group(0, "memory", "two", DEVID_ANY, 2, 1, 1) == -EINVAL);
        require(take(0, "memory", "more") == -EDQUOT);
        require(set_driver(1) == -EPERM);
        require(about_number(DEVID_OP_FLAG, 0, NULL, 0, DEVID_CLOSED) == -EPERM);
        require(release(0, "memory", "null") == 0);
        require(about_number(DEVID_OP_RECLAIM, 0, "null", 3, 0) == -EPERM);
}

static void numbers_of_a_driver_are_there_when_it_is(void **state)
{
        int granted = -ENODEV, not_granted = -ENOENT;

        (void)state;
        add_driver();
        as("a", AS_NOBODY, asks_without_a_driver, &granted);
        as("b", AS_NOBODY, asks_without_a_driver, &not_granted);
        assert_int_equal(take(A, "memory", "by global"), -ENODEV);
        assert_int_equal(set_driver(1), 0);
        as("a", AS_NOBODY, asks_a_driver, NULL);
        assert_int_equal(set_driver(2), -EBUSY); /* they would be others' devices */
        as("a", AS_NOBODY, asks_without_a_driver, &(int){-ENODEV});
        assert_int_equal(set_driver(1), 0);
        assert_int_equal(about_number(DEVID_OP_FLAG, B, NULL, 0, DEVID_CLOSED), -ESRCH);
        assert_int_equal(about_number(DEVID_OP_FLAG, A, NULL, 0, DEVID_CLOSED), 0);
}

static void what_drains_is_its_former_owners_again_and_nobody_elses(void **state)
{
        (void)state;
        add_driver();
        assert_int_equal(set_driver(1), 0);
        assert_int_equal(take_group(A, "memory", "null", 3, 1, 1, 1), 3);
        assert_int_equal(devid_release_all(devid, A, NULL), 0); /* it stops */
        assert_int_equal(devid_grant(devid, A, "memory", 1, NULL), 0);
        assert_int_equal(about_number(DEVID_OP_RECLAIM, B, "null", 3, 0), -ESRCH);
        assert_int_equal(about_number(DEVID_OP_RECLAIM, A, "zero", 3, 0), -ESRCH);
        assert_int_equal(about_number(DEVID_OP_RECLAIM, A, "null", 3, 0), 0);
        assert_int_equal(state_of(A, "memory", "null"), DEVID_RESERVED);
        assert_int_equal(take(A, "memory", "more"), -EDQUOT); /* it counts */
}

/* --- special files --- */

static int name_number(uint64_t partition, const char *family, const char *instance, const char *name)
{
        struct devid_call call;
        int r;

        (void)devid_client_prepare(&call, DEVID_OP_ALLOC, family, instance);
        call.partition = partition;
        (void)snprintf(call.special.name.text, sizeof(call.special.name.text), "%s", name);
        r = devid_client_call(program, &call);
        if (r == 0)
                require(strcmp(call.special.name.text, name) == 0 && call.special.state == DEVID_SPECIAL_WANTED);
        return r;
}

static void wants_a_file(void *context)
{
        (void)context;
        require(take(0, DEVID_CHAR_MAJORS, "drv") == 60);
        require(name_number(0, "c60", "unit", "unit") == 0);
        require(take(0, "c60", "plain") == 1);
        require(name_number(0, "c60", "plain", "later") == 0);
        require(name_number(0, DEVID_CHAR_MAJORS, "other", "drv") == -EINVAL);
        require(release(0, "c60", "unit") == 0);
        require(state_of(0, "c60", "unit") == -ESRCH);
        require(take_group(0, "c60", "again", 0, 1, 1, 1) == -EBUSY);
        require(release(0, DEVID_CHAR_MAJORS, "drv") == -EBUSY);
}

static int no_dev(void *context, uint64_t partition, uint32_t *ret_uid_base)
{
        (void)context, (void)partition, (void)ret_uid_base;
        return -1;
}

static void a_number_with_a_special_file_drains_until_that_has_gone(void **state)
{
        const struct devid_ear ear = {.open_dev = no_dev};
        struct pollfd wake = {.fd = devid_wake_fd(devid), .events = POLLIN};

        (void)state;
        devid_hear(devid);
        assert_int_equal(poll(&wake, 1, 0), 0);
        as("a", AS_NOBODY, wants_a_file, NULL);
        assert_int_equal(poll(&wake, 1, 0), 1);
        devid_hear(devid);
        assert_int_equal(poll(&wake, 1, 0), 0);
        devid_settle(devid);
        assert_int_equal(global_sees("c60", 0), DEVID_DRAINING);
        devid_follow(devid, &ear);
        assert_int_equal(global_sees("c60", 0), DEVID_FREE);
        assert_int_equal(take(0, DEVID_CHAR_MAJORS, "globals"), 61);
        assert_int_equal(name_number(0, "c61", "globals", "x"), -EINVAL); /* no /dev of ours */
        assert_int_equal(release(0, DEVID_CHAR_MAJORS, "globals"), 0);
        assert_int_equal(devid_release_all(devid, A, NULL), 0); /* one has a file yet */
        assert_int_equal(count_of(0, DEVID_CHAR_MAJORS), 0);
}

static void a_partition_does_not_ask_for_what_a_driver_has(void **state)
{
        (void)state;
        assert_int_equal(devid_grant(devid, A, DEVID_LOOPS, 2, NULL), 0);
        assert_true(take(A, DEVID_LOOPS, "loop0") >= 0);
        as("a", AS_NOBODY, asks_for_what_a_driver_has, NULL);
}

/* Numbers of a family of the test's own, of which one is /dev/null's. */
static void it_drains_as_long_as_there_is_a_device(void **state)
{
        const struct devid_family memory = {.name = "memory",
                .type = DEVID_CHAR,
                .major = 1,
                .count = 16,
                .flags = DEVID_FAMILY_DRAINS | DEVID_FAMILY_GLOBAL};
        _cleanup_close_ int families = plane_bpf_get(plane_directory(plane), "devid_families");
        const struct devid_name name = {.text = "memory"};
        struct devid_call call = {.preferred = 3, .count = 1, .within = 1, .between = 1};

        (void)state;
        assert_int_equal(bpf_map_update_elem(families, &name, &memory, BPF_NOEXIST), 0);
        assert_int_equal(take_group(0, "memory", "none", 0, 1, 1, 1), 0);
        assert_int_equal(take_group(0, "memory", "null", 3, 1, 1, 1), 3);
        assert_int_equal(release(0, "memory", "none"), 0);
        assert_int_equal(release(0, "memory", "null"), 0);
        devid_settle(devid);
        assert_int_equal(global_sees("memory", 0), DEVID_FREE);
        assert_int_equal(global_sees("memory", 3), DEVID_DRAINING);
        assert_int_equal(take_group(0, "memory", "again", 3, 1, 1, 1), -EBUSY);
        assert_int_equal(take_group(0, "memory", "again", 0, 1, 1, 1), 0);
        assert_int_equal(call_for(0, DEVID_OP_FREE, "memory", NULL, &call), 0);
        assert_int_equal(global_sees("memory", 3), DEVID_FREE);
}

static void minors_are_their_majors_owners(void **state)
{
        (void)state;
        assert_int_equal(take(A, DEVID_CHAR_MAJORS, "drv0"), 60);
        assert_int_equal(take(0, "c60", "globals"), -ENOENT);
        assert_int_equal(take(B, "c60", "b's"), -ENOENT);
        assert_int_equal(take(A, "c60", "for it"), 0);
        assert_int_equal(devid_release_all(devid, A, NULL), 0); /* nobody else is in the way */
        assert_int_equal(take(B, DEVID_CHAR_MAJORS, "drv0"), 60);
}

static bool is_a(void *context, uint64_t id)
{
        (void)context;
        return id == A;
}

static void give_back(void *context)
{
        (void)context;
        require(take(0, DEVID_CHAR_MAJORS, "more") == -ENOENT);
        require(count_of(0, DEVID_CHAR_MAJORS) == 1);
        require(release(0, DEVID_CHAR_MAJORS, "drv0") == 0);
        require(release(0, DEVID_CHAR_MAJORS, "drv0") == -ESRCH);
}

static void what_it_has_stays_when_the_grant_goes(void **state)
{
        (void)state;
        assert_int_equal(take(A, DEVID_CHAR_MAJORS, "drv0"), 60);
        assert_int_equal(devid_grant(devid, A, DEVID_CHAR_MAJORS, 0, NULL), 0);
        as("a", AS_NOBODY, give_back, NULL);
        assert_int_equal(take(B, DEVID_CHAR_MAJORS, "drv0"), 60);
}

/* Whatever is granted meanwhile, and whoever took them for it. */
static void what_it_has_counts_when_the_grant_changes(void **state)
{
        (void)state;
        for (int i = 0; i < 3; i++)
                assert_int_equal(take(A, DEVID_CHAR_MAJORS, (const char *[]){"drv0", "drv1", "drv2"}[i]), 60 + i);
        assert_int_equal(devid_grant(devid, A, DEVID_CHAR_MAJORS, 5, NULL), 0);
        assert_int_equal(take(A, DEVID_CHAR_MAJORS, "drv3"), 63);
        assert_int_equal(devid_grant(devid, A, DEVID_CHAR_MAJORS, 2, NULL), 0);
        assert_int_equal(take(A, DEVID_CHAR_MAJORS, "drv4"), -EDQUOT);
        assert_int_equal(devid_grant(devid, A, DEVID_CHAR_MAJORS, 0, NULL), 0);
        assert_int_equal(take(A, DEVID_CHAR_MAJORS, "for it"), 120); /* global may */
        assert_int_equal(release(A, DEVID_CHAR_MAJORS, "for it"), 0);
        assert_int_equal(devid_grant(devid, A, DEVID_CHAR_MAJORS, 4, NULL), 0);
        assert_int_equal(take(A, DEVID_CHAR_MAJORS, "drv4"), -EDQUOT);
        assert_int_equal(release(A, DEVID_CHAR_MAJORS, "drv3"), 0);
        assert_int_equal(take(A, DEVID_CHAR_MAJORS, "drv4"), 63);
        assert_int_equal(take(A, DEVID_CHAR_MAJORS, "drv5"), -EDQUOT);
        assert_int_equal(take(C, DEVID_CHAR_MAJORS, "for it"), 120); /* who never was granted any */
        assert_int_equal(devid_grant(devid, C, DEVID_CHAR_MAJORS, 1, NULL), 0);
        assert_int_equal(take(C, DEVID_CHAR_MAJORS, "more"), -EDQUOT);
        assert_int_equal(release(C, DEVID_CHAR_MAJORS, "for it"), 0);
        assert_int_equal(take(C, DEVID_CHAR_MAJORS, "more"), 120);
        assert_int_equal(take(C, DEVID_CHAR_MAJORS, "yet more"), -EDQUOT);
        assert_int_equal(devid_release_all(devid, C, NULL), 0);
}

static void what_the_dead_had_is_taken_back(void **state)
{
        (void)state;
        assert_int_equal(take(A, DEVID_CHAR_MAJORS, "drv0"), 60);
        assert_int_equal(take(A, "c60", "unit0"), 0);
        assert_int_equal(take_group(A, "c60", "group", DEVID_ANY, 8, 1, 8), 8);
        assert_int_equal(take(B, DEVID_CHAR_MAJORS, "drv0"), 61);
        assert_int_equal(devid_release_all(devid, A, NULL), 0);
        assert_int_equal(count_of(A, DEVID_CHAR_MAJORS), 0);
        assert_int_equal(take(A, "c60", "unit0"), -ENOENT);
        assert_int_equal(devid_grant(devid, A, DEVID_CHAR_MAJORS, 4, NULL), 0);
        assert_int_equal(take(A, DEVID_CHAR_MAJORS, "drv0"), 60);
        assert_int_equal(devid_sweep(devid, is_a, NULL, NULL), 0);
        assert_int_equal(count_of(B, DEVID_CHAR_MAJORS), 0);
        assert_int_equal(count_of(A, DEVID_CHAR_MAJORS), 1);
        assert_int_equal(take(0, DEVID_CHAR_MAJORS, "globals"), 61);
        assert_int_equal(devid_sweep(devid, is_a, NULL, NULL), 0);
        assert_int_equal(count_of(0, DEVID_CHAR_MAJORS), 2); /* global sees both, and keeps its own */
}

static void the_table_outlives_croftd(void **state)
{
        (void)state;
        assert_int_equal(take(A, DEVID_CHAR_MAJORS, "drv0"), 60);
        close_devid();
        open_devid();
        assert_int_equal(take(A, DEVID_CHAR_MAJORS, "drv0"), 60);
        assert_int_equal(take(B, DEVID_CHAR_MAJORS, "drv0"), 61);
        assert_int_equal(devid_remove(devid, NULL), -EBUSY);
}

/* --- exhaustion (DEV-A7) --- */

static void one_cannot_have_what_others_need(void **state)
{
        const int majors = access("/sys/class/misc/cuse", F_OK) == 0 ? 7 : 8; /* from 120 on; CUSE has the last */
        char instance[16];

        (void)state;
        for (int i = 0; i < 4; i++) {
                (void)snprintf(instance, sizeof(instance), "drv%d", i);
                assert_int_equal(take(A, DEVID_CHAR_MAJORS, instance), 60 + i);
        }
        assert_int_equal(take(A, DEVID_CHAR_MAJORS, "drv4"), -EDQUOT);
        assert_int_equal(take(A, DEVID_CHAR_MAJORS, "drv3"), 63);
        assert_int_equal(take(B, DEVID_CHAR_MAJORS, "drv0"), 120);
        assert_int_equal(take_group(B, "c120", "many", DEVID_ANY, 64, 64, 1), 0);
        for (int i = 1; i < majors; i++) {
                (void)snprintf(instance, sizeof(instance), "drv%d", i);
                assert_int_equal(take(0, DEVID_CHAR_MAJORS, instance), 120 + i);
        }
        assert_int_equal(take(0, DEVID_CHAR_MAJORS, "one more"), -ENOSPC);
        assert_int_equal(release(A, DEVID_CHAR_MAJORS, "drv1"), 0);
        assert_int_equal(take(0, DEVID_CHAR_MAJORS, "one more"), 61);
}

/* --- all at once (DEV-A2) --- */

#define PROCESSES 64
#define NUMBERS 4000

static void take_many(int *answers, unsigned int process)
{
        for (unsigned int i = process; i < turns(NUMBERS); i += PROCESSES) {
                char instance[16];

                (void)snprintf(instance, sizeof(instance), "unit%u", i);
                answers[i] = take(0, "c60", instance);
                require(answers[i] >= 0);
                if (i % 7 == 0) { /* and give some back in between */
                        require(release(0, "c60", instance) == 0);
                        answers[i] = take(0, "c60", instance);
                        require(answers[i] >= 0);
                }
        }
}

static void nothing_is_given_twice(void **state)
{
        int *answers =
                mmap(NULL, NUMBERS * sizeof(*answers), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        _cleanup_free_ unsigned char *seen = calloc(DEVID_FAMILY_MAX, 1);
        int status;

        (void)state;
        assert_true(answers != MAP_FAILED && seen);
        assert_int_equal(take(A, DEVID_CHAR_MAJORS, "drv0"), 60);
        for (unsigned int p = 0; p < PROCESSES; p++) {
                pid_t pid = fork();

                assert_true(pid >= 0);
                if (pid == 0) {
                        require(enter_cgroup("a") == 0);
                        take_many(answers, p);
                        _exit(0);
                }
        }
        for (unsigned int p = 0; p < PROCESSES; p++) {
                assert_true(wait(&status) > 0);
                assert_int_equal(status, 0);
        }
        for (unsigned int i = 0; i < turns(NUMBERS); i++) {
                assert_in_range(answers[i], 0, DEVID_FAMILY_MAX - 1);
                assert_int_equal(seen[answers[i]]++, 0);
        }
        assert_int_equal(count_of(A, "c60"), turns(NUMBERS));
        assert_int_equal(munmap(answers, NUMBERS * sizeof(*answers)), 0);
}

/* --- majors that come and go, with their minors --- */

/* Several processes do this for one partition, so that they take each other's away. */
static void come_and_go(unsigned int seed)
{
        for (unsigned int i = 0; i < turns(20000); i++) {
                char minors[16], instance[16];
                int major;

                (void)snprintf(instance, sizeof(instance), "drv%d", rand_r(&seed) % 2);
                major = take(0, DEVID_CHAR_MAJORS, instance);
                require(major >= 60 || major == -EDQUOT || major == -ESRCH);
                if (major < 0)
                        continue;
                (void)snprintf(minors, sizeof(minors), "c%d", major);
                (void)take(0, minors, "unit");
                (void)take_group(0, minors, "group", DEVID_ANY, 4, 1, 4);
                (void)release(0, minors, "unit");
                (void)release(0, minors, "group");
                (void)release(0, DEVID_CHAR_MAJORS, instance);
        }
}

static unsigned int bits_taken(void)
{
        _cleanup_close_ int families = plane_bpf_get(plane_directory(plane), "devid_families");
        struct devid_name name, *last = NULL;
        struct devid_family family;
        unsigned int n = 0;

        assert_true(families >= 0);
        while (bpf_map_get_next_key(families, last, &name) == 0) {
                assert_int_equal(bpf_map_lookup_elem(families, &name, &family), 0);
                for (size_t i = 0; i < DEVID_WORDS; i++)
                        n += (unsigned int)__builtin_popcountll(family.taken[i]);
                last = &name;
        }
        return n;
}

static void nothing_is_lost_as_majors_come_and_go(void **state)
{
        int status;

        (void)state;
        for (unsigned int p = 0; p < 16; p++) {
                pid_t pid = fork();

                assert_true(pid >= 0);
                if (pid == 0) {
                        require(enter_cgroup(p % 2 ? "a" : "b") == 0);
                        come_and_go(p);
                        _exit(0);
                }
        }
        for (unsigned int p = 0; p < 16; p++) {
                assert_true(wait(&status) > 0);
                assert_int_equal(status, 0);
        }
        assert_int_equal(devid_release_all(devid, A, NULL), 0);
        assert_int_equal(devid_release_all(devid, B, NULL), 0);
        assert_int_equal(count_of(0, DEVID_CHAR_MAJORS), 0);
        assert_int_equal(bits_taken(), 0);
        assert_int_equal(devid_grant(devid, A, DEVID_CHAR_MAJORS, 4, NULL), 0);
        for (int i = 0; i < 4; i++) { /* and all of the quota is there */
                char instance[16];

                (void)snprintf(instance, sizeof(instance), "drv%d", i);
                assert_int_equal(take(A, DEVID_CHAR_MAJORS, instance), 60 + i);
        }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up_devid, tear_down_devid)
#define ANEW(f) cmocka_unit_test_setup_teardown(f, set_up_new, tear_down_devid)
        const struct CMUnitTest tests[] = {
                TEST(its_age_is_right_by_whatever_clock_it_is_read),
                TEST(each_gets_numbers_of_its_own),
                TEST(nobody_has_anothers),
                TEST(groups_are_given_whole_or_not_at_all),
                TEST(what_may_still_be_open_is_not_given_again),
                TEST(what_a_driver_has_is_marked_by_global),
                TEST(a_partition_does_not_ask_for_what_a_driver_has),
                TEST(numbers_of_a_driver_are_there_when_it_is),
                ANEW(what_drains_is_its_former_owners_again_and_nobody_elses),
                TEST(a_number_with_a_special_file_drains_until_that_has_gone),
                ANEW(it_drains_as_long_as_there_is_a_device),
                TEST(minors_are_their_majors_owners),
                TEST(what_it_has_stays_when_the_grant_goes),
                TEST(what_it_has_counts_when_the_grant_changes),
                TEST(what_has_an_odd_name_is_taken_back_too),
                TEST(what_the_dead_had_is_taken_back),
                TEST(the_table_outlives_croftd),
                TEST(one_cannot_have_what_others_need),
                TEST(nothing_is_given_twice),
                ANEW(nothing_is_lost_as_majors_come_and_go),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, make_devid, remove_devid);
}
