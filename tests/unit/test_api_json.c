/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_api_json.c - partitions, images and errors as JSON: each fact, absent ones as null, bytes that are no text.
 */
#include "base/cleanup.h"
#include "daemon/api_json.h"
#include "fault.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

/* Compares and ends json. */
static void assert_json(json_t *json, const char *expected)
{
        _cleanup_free_ char *text = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);

        json_decref(json);
        assert_non_null(text);
        assert_string_equal(text, expected);
}

static void text_is_kept_when_it_is_text_and_escaped_otherwise(void **state)
{
        (void)state;
        assert_json(api_json_text("caf\xc3\xa9 \\ \n"), "\"caf\xc3\xa9 \\\\ \\n\"");
        assert_json(api_json_text("\xff\\\x01"), "\"\\\\xff\\\\x5c\\\\x01\"");
        assert_json(api_json_text(""), "null");
        assert_json(api_json_text(NULL), "null");
}

static void times_are_utc_and_none_is_null(void **state)
{
        (void)state;
        assert_json(api_json_time(1795253462), "\"2026-11-21T09:31:02Z\"");
        assert_json(api_json_time(0), "null");
        assert_json(api_json_time(-1), "null");
        assert_json(api_json_time(INT64_MAX), "null");
}

static struct life_info stopped(void)
{
        struct life_info info = {.def = {.id = 7, .native = true, .uid_base = 65536, .created = 1}, .exit_status = -1};

        strcpy(info.def.name, "web");
        strcpy(info.def.image, "abc");
        return info;
}

static void a_partition_that_never_ran_has_nulls(void **state)
{
        struct life_info info = stopped();

        (void)state;
        assert_json(api_json_partition(&info, "abc"),
                "{\"name\":\"web\",\"id\":7,\"state\":\"Defined\",\"root\":"
                "\"native\",\"native\":true,\"image\":\"abc\",\"pid\":null,"
                "\"warden\":null,\"uid_base\":65536,\"created\":\"1970-01-01T00:"
                "00:01Z\",\"started\":null,\"pool\":\"default\",\"properties\":{},"
                "\"usage\":{\"cpu_seconds\":0.0,\"memory_bytes\":0,\"processes\":"
                "0},\"operation\":null,\"last_error\":null,"
                "\"exit_status\":null}");
}

static void a_running_one_has_all_its_facts(void **state)
{
        struct property text = {.key = strdup("description"), .value = strdup("\xff")};
        struct property limit = {.next = &text, .key = strdup("cpu.max"), .value = strdup("50000 100000")};
        struct life_info info = stopped();

        (void)state;
        info.state = PARTITION_ACTIVE;
        info.pid = 100;
        info.warden = 99;
        info.started = 2;
        info.operation = "freeze";
        info.def.native = false;
        info.def.properties = &limit;
        info.usage = (struct cgroup_usage){.cpu_us = 1500000, .memory_bytes = UINT64_MAX, .processes = 3};
        strcpy(info.last_error, "it \"failed\"");
        assert_json(api_json_partition(&info, "deb12"),
                "{\"name\":\"web\",\"id\":7,\"state\":\"Active\",\"root\":\"deb12\",\"native\":false,\"image\":\"abc\","
                "\"pid\":100,"
                "\"warden\":99,\"uid_base\":65536,\"created\":\"1970-01-01T00:00:01Z\",\"started\":\"1970-01-01T00:00:"
                "02Z\","
                "\"pool\":\"default\",\"properties\":{\"cpu.max\":\"50000 100000\",\"description\":\"\\\\xff\"},"
                "\"usage\":{\"cpu_seconds\":1.5,\"memory_bytes\":null,\"processes\":3},\"operation\":\"freeze\","
                "\"last_error\":\"it \\\"failed\\\"\",\"exit_status\":null}");
        free(text.key);
        free(text.value);
        free(limit.key);
        free(limit.value);
}

static void the_end_of_init_says_how_and_with_what(void **state)
{
        static const struct {
                int64_t status;
                const char *part;
        } cases[] = {{CLD_EXITED << 8 | 3, "\"exit_status\":{\"how\":\"exited\",\"status\":3}"},
                {CLD_KILLED << 8 | 9, "\"exit_status\":{\"how\":\"killed\",\"status\":9}"},
                {CLD_KILLED << 8 | SIGINT, "\"exit_status\":{\"how\":\"halted\",\"status\":2}"},
                {CLD_KILLED << 8 | SIGHUP, "\"exit_status\":{\"how\":\"rebooted\",\"status\":1}"},
                {CLD_DUMPED << 8 | 6, "\"exit_status\":{\"how\":\"dumped\",\"status\":6}"},
                {-2, "\"exit_status\":{\"how\":\"unknown\",\"status\":null}"},
                {99 << 8, "\"exit_status\":{\"how\":\"unknown\",\"status\":0}"}};

        (void)state;
        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                struct life_info info = stopped();
                _cleanup_free_ char *text = NULL;
                json_t *json;

                info.exit_status = cases[i].status;
                json = api_json_partition(&info, NULL);
                text = json_dumps(json, JSON_COMPACT);
                json_decref(json);
                assert_non_null(strstr(text, cases[i].part));
        }
}

static void a_template_has_no_name(void **state)
{
        struct image_info info = {.id = "ab", .native = true, .size_bytes = 10};

        (void)state;
        assert_json(api_json_image(&info),
                "{\"id\":\"ab\",\"name\":null,\"native\":true,\"os\":null,\"source\":null,\"created\":null,"
                "\"size_bytes\":10}");
}

static void an_error_carries_its_chain(void **state)
{
        struct croft_error err = CROFT_ERROR_INIT;

        (void)state;
        croft_error_set(&err, EBUSY, "umount '\xff'");
        croft_error_prefix(&err, "stop 'web'");
        assert_json(api_json_error(&err),
                "{\"error\":{\"code\":\"EBUSY\",\"exit\":5,\"text\":\"stop 'web': umount '\\\\xff': Device or resource "
                "busy\","
                "\"causes\":[\"stop 'web'\",\"umount '\\\\xff': Device or resource busy\"]}}");
}

static void *allocate(size_t size)
{
        return malloc(size);
}

/* An object that lacks something would be a lie: there is one, whole, or none. */
static int make(void *context)
{
        struct property text = {.key = (char[]){"description"}, .value = (char[]){"\xff"}};
        struct life_info info = stopped();
        json_t *json;

        (void)context;
        info.def.properties = &text;
        json = api_json_partition(&info, NULL);
        if (!json)
                return -ENOMEM;
        assert_int_equal(json_object_size(json), 17);
        assert_int_equal(json_object_size(json_object_get(json, "properties")), 1);
        assert_int_equal(json_object_size(json_object_get(json, "usage")), 3);
        json_decref(json);
        return 0;
}

static void without_memory_there_is_no_half_partition(void **state)
{
        (void)state;
        json_set_alloc_funcs(allocate, free);
        assert_true(fault_walk(FAULT_ALLOCATION, true, make, NULL) > 10);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(text_is_kept_when_it_is_text_and_escaped_otherwise),
                cmocka_unit_test(times_are_utc_and_none_is_null),
                cmocka_unit_test(a_partition_that_never_ran_has_nulls),
                cmocka_unit_test(a_running_one_has_all_its_facts),
                cmocka_unit_test(the_end_of_init_says_how_and_with_what),
                cmocka_unit_test(a_template_has_no_name),
                cmocka_unit_test(an_error_carries_its_chain),
                cmocka_unit_test(without_memory_there_is_no_half_partition),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
