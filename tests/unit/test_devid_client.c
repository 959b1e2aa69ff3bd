/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_devid_client.c - <croft/devid.h> without a kernel: what is asked, what comes of the answer, and how each error
 * is explained.
 */
#include "fake_devid.h"
#include "fault.h"

#include "base/cleanup.h"
#include "devid/client.h"

#include <croft/devid.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define DIRECTORY "/nowhere"

static struct croft_devid *devid;
static size_t fds_before;

static int set_up(void **state)
{
        (void)state;
        fake_devid_reset();
        fds_before = fault_count_fds();
        return croft_devid_open(DIRECTORY, &devid, NULL);
}

static int tear_down(void **state)
{
        (void)state;
        devid = croft_devid_close(devid);
        assert_null(devid);
        assert_int_equal(fault_count_fds(), fds_before);
        return 0;
}

/* --- opening ------------------------------------------------------------------------------------------------------ */

static void the_program_is_opened_where_it_is_said(void **state)
{
        (void)state;
        assert_string_equal(fake_devid.path, DIRECTORY "/devid");
}

static void says(const struct croft_error *err, int code, const char *text)
{
        char line[CROFT_ERROR_TEXT_MAX];

        assert_int_equal(err->code, code);
        assert_string_equal(croft_error_line(err, line, sizeof(line)), text);
}

static void why_it_can_not_be_opened_is_told(void **state)
{
        struct croft_devid *untouched = NULL;
        struct croft_error err = CROFT_ERROR_INIT;

        (void)state;
        fake_devid.open_error = ENOENT;
        assert_int_equal(croft_devid_open(DIRECTORY, &untouched, &err), -ENOENT);
        says(&err, ENOENT, "there is no table of device numbers at /nowhere (is croftd running?)");
        fake_devid.open_error = EACCES;
        assert_int_equal(croft_devid_open(DIRECTORY, &untouched, &err), -EACCES);
        says(&err, EACCES, "open the table of device numbers at /nowhere: Permission denied");
        assert_int_equal(croft_devid_open(DIRECTORY, &untouched, NULL), -EACCES);
        assert_null(untouched);
        assert_null(croft_devid_close(NULL));
}

static int open_and_close(void *context)
{
        struct croft_devid *one = NULL;
        int r = croft_devid_open(DIRECTORY, &one, NULL);

        (void)context;
        (void)croft_devid_close(one);
        return r;
}

static void no_memory_to_open_is_told(void **state)
{
        (void)state;
        assert_true(fault_walk(FAULT_ALLOCATION, false, open_and_close, NULL) >= 2);
}

/* --- asking ------------------------------------------------------------------------------------------------------- */

static struct croft_devid_request request_of(const char *family, const char *instance)
{
        return (struct croft_devid_request){.family = family,
                .instance = instance,
                .preferred = CROFT_DEVID_ANY,
                .virtual_number = CROFT_DEVID_ANY};
}

static void one_number_is_asked_for_unless_more_is_said(void **state)
{
        struct croft_devid_request q = request_of("char", "drv0");
        const struct devid_call *last = &fake_devid.last;

        (void)state;
        (void)fake_devid_add(0, "char", "drv0", 60);
        assert_int_equal(croft_devid_alloc(devid, &q, NULL, NULL), 0);
        assert_int_equal(last->op, DEVID_OP_ALLOC);
        assert_int_equal(last->count, 1);
        assert_int_equal(last->within, 1);
        assert_int_equal(last->between, 1);
        assert_int_equal(last->preferred, DEVID_ANY);
        assert_int_equal(last->virtual, DEVID_ANY);
        assert_int_equal(last->partition, 0);
        assert_string_equal(last->family.text, "char");
        assert_string_equal(last->instance.text, "drv0");
}

static void all_of_a_request_is_handed_over(void **state)
{
        struct croft_devid_request q = {.partition = 7,
                .family = "c60",
                .instance = "unit",
                .preferred = 32,
                .count = 8,
                .within = 2,
                .between = 16,
                .virtual_number = 3};
        const struct devid_call *last = &fake_devid.last;

        (void)state;
        (void)fake_devid_add(7, "c60", "unit", 32);
        assert_int_equal(croft_devid_alloc(devid, &q, NULL, NULL), 0);
        assert_int_equal(last->partition, 7);
        assert_int_equal(last->preferred, 32);
        assert_int_equal(last->count, 8);
        assert_int_equal(last->within, 2);
        assert_int_equal(last->between, 16);
        assert_int_equal(last->virtual, 3);
}

static void an_answer_is_told_as_it_is(void **state)
{
        struct croft_devid_number number;
        struct devid_number *given = fake_devid_add(7, "c60", "unit", 32);
        struct timespec now;

        (void)state;
        given->first = 30;
        given->count = 4;
        given->within = 2;
        given->virtual = 5;
        assert_int_equal(clock_gettime(CLOCK_BOOTTIME, &now), 0);
        given->since_ns = (__s64)now.tv_sec * 1000000000 + now.tv_nsec;
        assert_int_equal(croft_devid_get(devid, 7, "c60", "unit", &number, NULL), 0);
        assert_int_equal(fake_devid.last.op, DEVID_OP_GET);
        assert_int_equal(number.partition, 7);
        assert_string_equal(number.family, "c60");
        assert_string_equal(number.instance, "unit");
        assert_int_equal(number.number, 32);
        assert_int_equal(number.first, 30);
        assert_int_equal(number.count, 4);
        assert_int_equal(number.within, 2);
        assert_int_equal(number.virtual_number, 5);
        assert_int_equal(number.state, CROFT_DEVID_RESERVED);
        assert_int_equal(number.type, 'c');
        assert_int_equal(number.major, 60);
        assert_int_equal(number.minor, 32);
        assert_int_equal(number.pid, 4711);
        assert_true(number.age_ns >= 0);
}

static void a_major_has_all_its_minors(void **state)
{
        struct croft_devid_number number;

        (void)state;
        (void)fake_devid_add(0, "block", "drv0", 120);
        assert_int_equal(croft_devid_assign(devid, 0, "block", "drv0", &number, NULL), 0);
        assert_int_equal(fake_devid.last.op, DEVID_OP_ASSIGN);
        assert_int_equal(number.state, CROFT_DEVID_ASSIGNED);
        assert_int_equal(number.type, 'b');
        assert_int_equal(number.major, 120);
        assert_int_equal(number.minor, CROFT_DEVID_WHOLE);
        assert_int_equal(croft_devid_release(devid, 0, "block", "drv0", &number, NULL), 0);
        assert_int_equal(fake_devid.last.op, DEVID_OP_RELEASE);
}

/* The kernel ends no name: one that fills its field is cut. */
static void a_name_without_an_end_gets_one(void **state)
{
        struct devid_number *given = fake_devid_add(0, "char", "drv0", 60);
        struct croft_devid_number *list = NULL;
        size_t n = 0;

        (void)state;
        memset(given->instance.text, 'x', sizeof(given->instance.text));
        assert_int_equal(croft_devid_list(devid, 0, &list, &n, NULL), 0);
        assert_int_equal(n, 1);
        assert_int_equal(strlen(list[0].instance), CROFT_DEVID_NAME - 1);
        free(list);
}

/* --- names -------------------------------------------------------------------------------------------------------- */

#define FITS "1234567890123456789012345678901" /* 31 bytes */

static void a_name_that_is_none_is_refused_before_the_kernel_sees_it(void **state)
{
        static const char *const wrong[][2] = {
                {"", "drv0"}, {"char", ""}, {FITS "2", "drv0"}, {"char", FITS "2"}, {NULL, "drv0"}, {"char", NULL}};
        struct croft_error err;

        (void)state;
        for (size_t i = 0; i < ELEMENTS(wrong); i++) {
                struct croft_devid_request q = request_of(wrong[i][0], wrong[i][1]);

                err = (struct croft_error)CROFT_ERROR_INIT;
                assert_int_equal(croft_devid_alloc(devid, &q, NULL, &err), -EINVAL);
                says(&err, EINVAL, "the name of a family or an instance has 1 to 31 bytes");
                assert_int_equal(croft_devid_assign(devid, 0, wrong[i][0], wrong[i][1], NULL, NULL), -EINVAL);
                assert_int_equal(croft_devid_release(devid, 0, wrong[i][0], wrong[i][1], NULL, NULL), -EINVAL);
                assert_int_equal(croft_devid_get(devid, 0, wrong[i][0], wrong[i][1], NULL, NULL), -EINVAL);
        }
        assert_int_equal(fake_devid.runs, 0);
}

static void the_longest_names_are_handed_over_whole(void **state)
{
        (void)state;
        (void)fake_devid_add(0, FITS, FITS, 1);
        assert_int_equal(croft_devid_get(devid, 0, FITS, FITS, NULL, NULL), 0);
        assert_string_equal(fake_devid.last.instance.text, FITS);
}

/* Names are keys of maps: what is behind them counts. */
static void behind_a_name_all_is_zero(void **state)
{
        struct devid_call call;

        (void)state;
        memset(&call, 0xff, sizeof(call));
        assert_true(devid_client_prepare(&call, DEVID_OP_NEXT, "char", NULL));
        for (size_t i = 0; i < DEVID_NAME; i++) {
                assert_true(i < 4 || call.family.text[i] == 0);
                assert_int_equal(call.instance.text[i], 0);
        }
        assert_int_equal(call.partition, 0);
        assert_int_equal(call.bits, 0);
}

/* --- errors ------------------------------------------------------------------------------------------------------- */

static void each_error_is_explained(void **state)
{
        static const struct {
                int result, code;
                const char *text;
        } errors[] = {{EPERM, EPERM, "a partition asks for device numbers of its own only"},
                {ENOENT, ENOENT, "there is no family 'char' of device numbers, or none of it is granted"},
                {EDQUOT, EDQUOT, "no more device numbers of family 'char' are granted"},
                {EBUSY, EBUSY, "that number of family 'char' isn't free, or its minors are in use"},
                {ENOSPC, ENOSPC, "no number of family 'char' is free"},
                {ENOMEM, ENOSPC, "the table of device numbers is full"},
                {ESRCH, ESRCH, "'drv0' has no number of family 'char'"},
                {EINVAL, EINVAL, "no such number or group is given out"},
                {EAGAIN, EAGAIN, "ask for a device number: Resource temporarily unavailable"}};
        struct croft_devid_request q = request_of("char", "drv0");
        struct croft_devid_number number, before;

        (void)state;
        memset(&number, 0x5a, sizeof(number));
        before = number;
        for (size_t i = 0; i < ELEMENTS(errors); i++) {
                struct croft_error err = CROFT_ERROR_INIT;

                fake_devid.result = -errors[i].result;
                assert_int_equal(croft_devid_alloc(devid, &q, &number, &err), -errors[i].code);
                says(&err, errors[i].code, errors[i].text);
                assert_int_equal(croft_devid_get(devid, 0, "char", "drv0", &number, NULL), -errors[i].code);
                assert_memory_equal(&number, &before, sizeof(number));
        }
}

static void what_a_program_can_not_return_is_no_answer(void **state)
{
        struct croft_error err = CROFT_ERROR_INIT;

        (void)state;
        (void)fake_devid_add(0, "char", "drv0", 60);
        fake_devid.run_error = EPERM; /* of bpf(2), which says nothing about the number */
        assert_int_equal(croft_devid_get(devid, 0, "char", "drv0", NULL, &err), -EIO);
        says(&err, EIO, "ask for a device number: Input/output error");
}

/* --- the list ----------------------------------------------------------------------------------------------------- */

static void add_some(void)
{
        (void)fake_devid_add(0, "c61", "b", 4095);
        (void)fake_devid_add(8, "char", "two", 61);
        (void)fake_devid_add(7, "char", "one", 60);
        (void)fake_devid_add(7, "c60", "unit1", 1);
        (void)fake_devid_add(7, "c60", "unit0", 0);
        (void)fake_devid_add(0, "block", "three", 120);
}

/* "three two ..." */
static void names_of(uint64_t partition, char *buf, size_t size)
{
        struct croft_devid_number *list = NULL;
        size_t n = 0;

        buf[0] = '\0';
        assert_int_equal(croft_devid_list(devid, partition, &list, &n, NULL), 0);
        for (size_t i = 0; i < n; i++) {
                size_t used = strlen(buf);

                (void)snprintf(buf + used, size - used, "%s%s", i ? " " : "", list[i].instance);
        }
        free(list);
}

static void the_list_is_by_family_and_number_majors_first(void **state)
{
        char names[256];

        (void)state;
        add_some();
        names_of(0, names, sizeof(names));
        assert_string_equal(names, "three one two unit0 unit1 b");
        names_of(7, names, sizeof(names));
        assert_string_equal(names, "one unit0 unit1");
        names_of(9, names, sizeof(names));
        assert_string_equal(names, "");
}

static void of_a_family_that_is_not_there_nothing_is_listed(void **state)
{
        char names[256];

        (void)state;
        add_some();
        fake_devid.result = -ENOENT;
        fake_devid.failing = 1;
        names_of(0, names, sizeof(names));
        assert_string_equal(names, "one two unit0 unit1 b");
}

static void a_list_that_is_cut_is_an_error(void **state)
{
        struct croft_devid_number *untouched = NULL;
        struct croft_error err = CROFT_ERROR_INIT;
        size_t n = 77;

        (void)state;
        add_some();
        fake_devid.result = -EPERM;
        fake_devid.failing = 4;
        assert_int_equal(croft_devid_list(devid, 0, &untouched, &n, &err), -EPERM);
        says(&err, EPERM, "list device numbers: Operation not permitted");
        assert_null(untouched);
        assert_int_equal(n, 77);
}

static int list_all(void *context)
{
        struct croft_error err = CROFT_ERROR_INIT;
        struct croft_devid_number *list = NULL;
        size_t n = 0;
        int r = croft_devid_list(devid, 0, &list, &n, &err);

        (void)context;
        if (r < 0)
                says(&err, ENOMEM, "list device numbers: Cannot allocate memory");
        else
                assert_int_equal(n, 40);
        free(list);
        return r;
}

static void no_memory_for_the_list_is_told(void **state)
{
        (void)state;
        for (__u32 i = 0; i < 40; i++)
                (void)fake_devid_add(0, "char", "drv", i);
        assert_int_equal(fault_walk(FAULT_ALLOCATION, false, list_all, NULL), 2);
}

static void each_state_has_a_name(void **state)
{
        (void)state;
        assert_string_equal(croft_devid_state_name(CROFT_DEVID_RESERVED), "reserved");
        assert_string_equal(croft_devid_state_name(CROFT_DEVID_ASSIGNED), "assigned");
        assert_string_equal(croft_devid_state_name(CROFT_DEVID_DRAINING), "draining");
        assert_string_equal(croft_devid_state_name(99), "free");
}

/* --- nodes -------------------------------------------------------------------------------------------------------- */

static void the_name_of_a_node_is_handed_over(void **state)
{
        struct croft_devid_request q = request_of("dm", "data");
        struct croft_error err = CROFT_ERROR_INIT;
        struct croft_devid_number number;

        (void)state;
        (void)fake_devid_add(7, "dm", "data", 1024);
        assert_int_equal(croft_devid_alloc(devid, &q, &number, NULL), 0);
        assert_string_equal(fake_devid.last.special.name.text, "");
        assert_int_equal(number.node_state, CROFT_DEVID_NODE_NONE);
        q.node = "disks/data";
        strcpy(fake_devid.special.name.text, "disks/data");
        assert_int_equal(croft_devid_alloc(devid, &q, &number, NULL), 0);
        assert_string_equal(fake_devid.last.special.name.text, "disks/data");
        assert_string_equal(number.node, "disks/data");
        assert_int_equal(number.node_state, CROFT_DEVID_NODE_WANTED);
        q.node = "";
        assert_int_equal(croft_devid_alloc(devid, &q, &number, &err), -EINVAL);
        says(&err, EINVAL, "the name of a node has 1 to 31 bytes");
        q.node = "0123456789012345678901234567890x";
        assert_int_equal(croft_devid_alloc(devid, &q, &number, NULL), -EINVAL);
        assert_int_equal(fake_devid.runs, 2);
}

static void a_node_is_waited_for(void **state)
{
        struct croft_error err = CROFT_ERROR_INIT;
        struct croft_devid_number number;

        (void)state;
        (void)fake_devid_add(0, "dm", "data", 1024);
        strcpy(fake_devid.special.name.text, "data");
        assert_int_equal(croft_devid_get(devid, 0, "dm", "data", &number, NULL), 0);
        assert_int_equal(croft_devid_wait(devid, 0, &number, &err), -ETIMEDOUT);
        says(&err, ETIMEDOUT, "croftd hasn't come to the node 'data': Connection timed out");
        assert_int_equal(number.node_state, CROFT_DEVID_NODE_WANTED);
        fake_devid.special.state = DEVID_SPECIAL_REFUSED;
        assert_int_equal(croft_devid_wait(devid, 0, &number, NULL), 0);
        assert_int_equal(number.node_state, CROFT_DEVID_NODE_REFUSED);
        fake_devid.special.state = DEVID_SPECIAL_THERE;
        assert_int_equal(croft_devid_wait(devid, 0, &number, NULL), 0);
        assert_int_equal(number.node_state, CROFT_DEVID_NODE_THERE);
}

static void after_a_release_the_node_is_waited_for_to_go(void **state)
{
        struct croft_devid_number number;

        (void)state;
        fake_devid_add(0, "dm", "data", 1024)->state = DEVID_DRAINING;
        strcpy(fake_devid.special.name.text, "data");
        fake_devid.special.state = DEVID_SPECIAL_THERE;
        assert_int_equal(croft_devid_get(devid, 0, "dm", "data", &number, NULL), 0);
        assert_int_equal(croft_devid_wait(devid, 0, &number, NULL), -ETIMEDOUT);
        memset(&fake_devid.special, 0, sizeof(fake_devid.special)); /* the device is still there */
        assert_int_equal(croft_devid_wait(devid, 0, &number, NULL), 0);
        strcpy(fake_devid.numbers[0].instance.text, "another");
        assert_int_equal(croft_devid_wait(devid, 0, &number, NULL), -ESRCH);
        fake_devid.n = 0;
        assert_int_equal(croft_devid_wait(devid, 0, &number, NULL), -ESRCH);
}

#define DEVID_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                DEVID_TEST(the_program_is_opened_where_it_is_said),
                DEVID_TEST(why_it_can_not_be_opened_is_told),
                DEVID_TEST(no_memory_to_open_is_told),
                DEVID_TEST(one_number_is_asked_for_unless_more_is_said),
                DEVID_TEST(all_of_a_request_is_handed_over),
                DEVID_TEST(an_answer_is_told_as_it_is),
                DEVID_TEST(a_major_has_all_its_minors),
                DEVID_TEST(a_name_without_an_end_gets_one),
                DEVID_TEST(a_name_that_is_none_is_refused_before_the_kernel_sees_it),
                DEVID_TEST(the_longest_names_are_handed_over_whole),
                DEVID_TEST(behind_a_name_all_is_zero),
                DEVID_TEST(each_error_is_explained),
                DEVID_TEST(what_a_program_can_not_return_is_no_answer),
                DEVID_TEST(the_list_is_by_family_and_number_majors_first),
                DEVID_TEST(of_a_family_that_is_not_there_nothing_is_listed),
                DEVID_TEST(a_list_that_is_cut_is_an_error),
                DEVID_TEST(no_memory_for_the_list_is_told),
                DEVID_TEST(each_state_has_a_name),
                DEVID_TEST(the_name_of_a_node_is_handed_over),
                DEVID_TEST(a_node_is_waited_for),
                DEVID_TEST(after_a_release_the_node_is_waited_for_to_go),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
