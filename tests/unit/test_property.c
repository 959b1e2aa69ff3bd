/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_property.c - the property table: what is accepted, in which form it is kept, and what a refusal says.
 */
#include "partition/partition.h"
#include "partition/property.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Sets key, expects the normalised form (NULL: refusal with -EINVAL). */
static void expect(const char *key, const char *value, const char *normal)
{
        struct property *list = NULL;
        struct croft_error err = CROFT_ERROR_INIT;
        int r = property_set(&list, key, value, &err);

        if (!normal) {
                if (r == 0)
                        fail_msg("%s='%s' was accepted as '%s'", key, value, property_get(list, key));
                assert_int_equal(err.code, EINVAL);
                assert_null(list);
                return;
        }
        if (r < 0) {
                char line[CROFT_ERROR_TEXT_MAX];

                fail_msg("%s='%s': %s", key, value, croft_error_line(&err, line, sizeof(line)));
        }
        assert_string_equal(property_get(list, key), normal);
        property_free(list);
}

static void sizes_are_kept_in_bytes(void **state)
{
        (void)state;
        expect("memory.max", "64M", "67108864");
        expect("memory.max", "2GiB", "2147483648");
        expect("memory.max", "max", "max");
        expect("memory.max", "1048576", "1048576");
        expect("memory.swap.max", "0", "0");
}

static void counting_mounts_is_on_off_or_with_latency(void **state)
{
        (void)state;
        expect("mount.stats", "yes", "yes");
        expect("mount.stats", "off", "no");
        expect("mount.stats", "latency", "latency");
        expect("mount.stats", "histogram", NULL);
}

static void wrong_sizes_are_refused(void **state)
{
        (void)state;
        expect("memory.max", "64X", NULL);
        expect("memory.max", "-1", NULL);
        expect("memory.max", "4K", NULL);
        expect("memory.max", "0", NULL);
        expect("memory.max", "99999999999999999999", NULL);
        expect("memory.max", "15E", NULL);
        expect("memory.swap.max", "some", NULL);
}

static void a_refusal_names_the_key_the_value_and_the_rule(void **state)
{
        struct property *list = NULL;
        struct croft_error err = CROFT_ERROR_INIT;
        char line[CROFT_ERROR_TEXT_MAX];

        (void)state;
        assert_int_equal(property_set(&list, "memory.max", "64X", &err), -EINVAL);
        assert_string_equal(croft_error_line(&err, line, sizeof(line)),
                "memory.max: '64X' is no size; give bytes, a number with K, M, G or T, or max");
        assert_int_equal(property_set(&list, "memory.maximum", "1M", &err), -EINVAL);
        croft_error_line(&err, line, sizeof(line));
        assert_non_null(strstr(line, "there is no property 'memory.maximum'; there are autostart, cpu.max"));
        assert_non_null(strstr(line, "env.NAME"));
        assert_non_null(strstr(line, "stop.timeout"));
        assert_int_equal(property_set(&list, "cpu.weight", "\033[2J", &err), -EINVAL);
        assert_null(strchr(croft_error_line(&err, line, sizeof(line)), '\033'));
}

static void cpu_limits_are_kept_as_quota_and_period(void **state)
{
        (void)state;
        expect("cpu.max", "50%", "50000 100000");
        expect("cpu.max", "150%", "150000 100000");
        expect("cpu.max", "20000", "20000 100000");
        expect("cpu.max", "20000 50000", "20000 50000");
        expect("cpu.max", "max", "max");
        expect("cpu.max", "max 100000", "max");
        expect("cpu.max", "0%", NULL);
        expect("cpu.max", "%", NULL);
        expect("cpu.max", "999", NULL);
        expect("cpu.max", "20000 999", NULL);
        expect("cpu.max", "20000 50000 1", NULL);
}

static void a_pool_is_a_name_and_default_unless_set(void **state)
{
        (void)state;
        expect("pool", "fast-1", "fast-1");
        expect("pool", "default", "default");
        expect("pool", "Fast", NULL);
        expect("pool", "a_b", NULL);
        expect("pool", "-", NULL);
        assert_string_equal(property_get(NULL, "pool"), "default");
}

static void cpu_sets_are_sorted_and_merged(void **state)
{
        (void)state;
        expect("cpu.set", "0", "0");
        expect("cpu.set", "3,1,2,0-1", "0-3");
        expect("cpu.set", "8191,0,5-6", "0,5-6,8191");
        expect("cpu.set", "3-1", NULL);
        expect("cpu.set", "8192", NULL);
        expect("cpu.set", "1,", NULL);
        expect("cpu.set", "a", NULL);
        expect("cpu.set", "99999999999", NULL);
}

static void io_limits_are_checked_word_by_word(void **state)
{
        (void)state;
        expect("io.max", "8:0 rbps=1M", "8:0 rbps=1048576");
        expect("io.max", "8:0 rbps=1M wiops=max;/dev/vda  riops=10", "8:0 rbps=1048576 wiops=max; /dev/vda riops=10");
        expect("io.max", "8:0", NULL);
        expect("io.max", "rbps=1M", NULL);
        expect("io.max", "8:0 rbps=", NULL);
        expect("io.max", "8:0 speed=1", NULL);
        expect("io.max", "/dev/../etc/passwd rbps=1", NULL);
        expect("io.max", ";", NULL);
}

static void numbers_have_bounds(void **state)
{
        (void)state;
        expect("cpu.weight", "100", "100");
        expect("cpu.weight", "0", NULL);
        expect("cpu.weight", "10001", NULL);
        expect("pids.max", "max", "max");
        expect("pids.max", "0100", "100");
        expect("pids.max", "0", NULL);
        expect("stop.timeout", "5", "5");
        expect("stop.timeout", "0", NULL);
        expect("start.order", "0", "0");
        expect("rlimit.nofile", "4", NULL);
}

static void host_names_are_labels(void **state)
{
        (void)state;
        expect("hostname", "web", "web");
        expect("hostname", "Web1.example.org", "Web1.example.org");
        expect("hostname", "-web", NULL);
        expect("hostname", "web-", NULL);
        expect("hostname", "a..b", NULL);
        expect("hostname", "a.", NULL);
        expect("hostname", "a_b", NULL);
        expect("hostname", "a\nb", NULL);
        expect("hostname", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL);
}

static void words_are_normalised(void **state)
{
        (void)state;
        expect("autostart", "true", "yes");
        expect("autostart", "off", "no");
        expect("autostart", "maybe", NULL);
        expect("init", "auto", "auto");
        expect("init", "croft sleep 1", "croft sleep 1");
        expect("init", "/bin/sh -c exit", "/bin/sh -c exit");
        expect("init", "bin/sh", NULL);
        expect("net", "none", "none");
        expect("net", "bridge=br0,address=10.1.0.2/24", "bridge=br0,address=10.1.0.2/24");
        expect("net", "bridge", NULL);
        expect("description", "the \\ front \xc3\xa9nd", "the \\ front \xc3\xa9nd");
        expect("description", "two\nlines", NULL);
        expect("description", "\x80", NULL);
}

static void variables_need_a_name_that_shells_take(void **state)
{
        (void)state;
        expect("env.LANG", "C.UTF-8", "C.UTF-8");
        expect("env.A", "two\nlines", "two\nlines");
        expect("env.", "x", NULL);
        expect("env.1A", "x", NULL);
        expect("env.A=B", "x", NULL);
        expect("environment", "x", NULL);
}

static void a_list_is_sorted_and_replaces(void **state)
{
        struct property *list = NULL;
        struct croft_error err = CROFT_ERROR_INIT;

        (void)state;
        assert_int_equal(property_set_text(&list, "pids.max=10", &err), 0);
        assert_int_equal(property_set_text(&list, "cpu.weight=10", &err), 0);
        assert_int_equal(property_set_text(&list, "env.A=b=c", &err), 0);
        assert_int_equal(property_set_text(&list, "pids.max=20", &err), 0);
        assert_string_equal(list->key, "cpu.weight");
        assert_string_equal(list->next->key, "env.A");
        assert_string_equal(list->next->value, "b=c");
        assert_string_equal(list->next->next->key, "pids.max");
        assert_string_equal(list->next->next->value, "20");
        assert_null(list->next->next->next);
        assert_int_equal(property_set_text(&list, "env.A=", &err), 0);
        assert_null(property_get(list, "env.A"));
        assert_int_equal(property_set_text(&list, "pids.max", &err), -EINVAL);
        property_free(list);
}

static void a_failed_set_leaves_the_list_alone(void **state)
{
        struct property *list = NULL;

        (void)state;
        assert_int_equal(property_set(&list, "pids.max", "10", NULL), 0);
        assert_int_equal(property_set(&list, "pids.max", "ten", NULL), -EINVAL);
        assert_string_equal(property_get(list, "pids.max"), "10");
        property_free(list);
}

static void what_is_not_set_has_its_default(void **state)
{
        (void)state;
        assert_string_equal(property_get(NULL, "autostart"), "no");
        assert_string_equal(property_get(NULL, "net"), "none");
        assert_null(property_get(NULL, "memory.max"));
        assert_null(property_get(NULL, "no.such"));
}

static void every_default_passes_its_own_check(void **state)
{
        (void)state;
        for (const struct property_info *info = property_table; info->key; info++)
                if (info->default_value)
                        expect(info->key, info->default_value, info->default_value);
}

static void a_copy_of_a_definition_is_its_own(void **state)
{
        struct partition_def def = {.id = 7, .name = "web"}, copy;

        (void)state;
        assert_int_equal(property_set(&def.properties, "pids.max", "10", NULL), 0);
        assert_int_equal(property_set(&def.properties, "net", "none", NULL), 0);
        assert_int_equal(partition_def_copy(&def, &copy), 0);
        partition_def_done(&def);
        assert_string_equal(copy.name, "web");
        assert_string_equal(property_get(copy.properties, "pids.max"), "10");
        partition_def_done(&copy);
        assert_null(copy.properties);
}

static void states_have_the_names_of_the_requirements(void **state)
{
        (void)state;
        assert_string_equal(partition_state_name(PARTITION_DEFINED), "Defined");
        assert_string_equal(partition_state_name(PARTITION_TRANSITIONAL), "Transitional");
        assert_string_equal(partition_state_name((enum partition_state)99), "Unknown");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(sizes_are_kept_in_bytes),
                cmocka_unit_test(counting_mounts_is_on_off_or_with_latency),
                cmocka_unit_test(wrong_sizes_are_refused),
                cmocka_unit_test(a_refusal_names_the_key_the_value_and_the_rule),
                cmocka_unit_test(cpu_limits_are_kept_as_quota_and_period),
                cmocka_unit_test(a_pool_is_a_name_and_default_unless_set),
                cmocka_unit_test(cpu_sets_are_sorted_and_merged),
                cmocka_unit_test(io_limits_are_checked_word_by_word),
                cmocka_unit_test(numbers_have_bounds),
                cmocka_unit_test(host_names_are_labels),
                cmocka_unit_test(words_are_normalised),
                cmocka_unit_test(variables_need_a_name_that_shells_take),
                cmocka_unit_test(a_list_is_sorted_and_replaces),
                cmocka_unit_test(a_failed_set_leaves_the_list_alone),
                cmocka_unit_test(what_is_not_set_has_its_default),
                cmocka_unit_test(every_default_passes_its_own_check),
                cmocka_unit_test(a_copy_of_a_definition_is_its_own),
                cmocka_unit_test(states_have_the_names_of_the_requirements),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
