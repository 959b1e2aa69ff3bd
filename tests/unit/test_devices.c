/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_devices.c - property `devices`: what it may say, its normal form, and what is granted by it.
 */
#include "fault.h"
#include "partition/devices.h"

#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void becomes(const char *value, const char *expected)
{
        _cleanup_free_ char *normal = NULL, *again = NULL;

        assert_int_equal(property_check_devices(value, &normal, NULL), 0);
        assert_string_equal(normal, expected);
        assert_int_equal(property_check_devices(normal, &again, NULL), 0);
        assert_string_equal(again, expected);
}

static void a_list_gets_its_normal_form(void **state)
{
        (void)state;
        becomes("char", "char:4");
        becomes("loop", "loop:4");
        becomes("block", "block:4");
        becomes("char:1", "char:1");
        becomes("char:4096", "char:4096");
        becomes("block, char:2", "block:4,char:2");
        becomes("  char:2 ,block  ", "char:2,block:4");
        becomes("char:007", "char:7");
        becomes("dm", "dm:4");
        becomes("zram:1, nbd:2, cuse", "zram:1,nbd:2,cuse:4");
        becomes("block:4096,char:4096,cuse:4096,dm:4096,loop:4096,nbd:4096,zram:4096",
                "block:4096,char:4096,cuse:4096,dm:4096,loop:4096,nbd:4096,zram:4096");
        becomes("char:4,block:2", "char:4,block:2");
}

static void refuses(const char *value)
{
        struct croft_error err = CROFT_ERROR_INIT;
        char untouched = 'x', *normal = &untouched, line[CROFT_ERROR_TEXT_MAX];

        assert_int_equal(property_check_devices(value, &normal, &err), -EINVAL);
        assert_ptr_equal(normal, &untouched);
        assert_int_equal(err.code, EINVAL);
        (void)croft_error_line(&err, line, sizeof(line));
        assert_non_null(strstr(line, "give char, block, loop, dm, zram, nbd or cuse"));
        assert_non_null(strstr(line, "1 to 4096, 4 unless said"));
        for (const char *at = line; *at; at++)
                assert_true((unsigned char)*at >= ' ' && (unsigned char)*at < 0x7f);
}

static void a_family_that_is_not_granted_is_refused(void **state)
{
        (void)state;
        refuses("tape:1");
        refuses("loops:1");
        refuses("c60:1");
        refuses("CHAR:1");
        refuses("chars:1");
        refuses("cha:1");
        refuses("char,tape:1");
        refuses("/dev/null");
        refuses("*");
}

static void a_count_that_is_none_is_refused(void **state)
{
        (void)state;
        refuses("char:0");
        refuses("char:");
        refuses("char:4097");
        refuses("char:18446744073709551617");
        refuses("char:-1");
        refuses("char:+1");
        refuses("char:0x4");
        refuses("char:4k");
        refuses("char:4:4");
        refuses("char:a");
        refuses(":4");
        refuses("char: 4");
}

/* What would be left out must not look granted. */
static void what_is_not_a_list_is_refused(void **state)
{
        char many[4096];

        (void)state;
        refuses("");
        refuses(" ");
        refuses(",");
        refuses("char,char");
        refuses("char,block,char:2");
        refuses("char block");
        refuses("char:4 block:2");
        refuses("char:4 5");
        refuses("char;block");
        refuses("char\n");
        refuses("\tchar");
        refuses("char\033[2J");
        refuses("\377\376");
        memset(many, 'a', sizeof(many) - 1);
        many[sizeof(many) - 1] = '\0';
        refuses(many);
        for (size_t i = 0; i + 5 < sizeof(many); i += 5)
                memcpy(many + i, "char,", 5);
        refuses(many);
}

static void other_words_name_stanzas(void **state)
{
        char name[DEVEXPORTS_NAME_MAX + 1];
        const char *at = "char:4,fuse,block:2,tun-1.x";

        (void)state;
        becomes("fuse", "fuse");
        becomes(" tun-1.x,  char, fuse ", "tun-1.x,char:4,fuse");
        becomes("abcdefghijklmnopqrstuvwxyz01234", "abcdefghijklmnopqrstuvwxyz01234");
        assert_true(devices_next_stanza(&at, name));
        assert_string_equal(name, "fuse");
        assert_true(devices_next_stanza(&at, name));
        assert_string_equal(name, "tun-1.x");
        assert_false(devices_next_stanza(&at, name));
        at = "char:4";
        assert_false(devices_next_stanza(&at, name));
        at = "";
        assert_false(devices_next_stanza(&at, name));
}

static void what_can_be_no_stanza_is_refused(void **state)
{
        char many[DEVICES_STANZAS_MAX * 8 + 16] = "";

        (void)state;
        refuses("fuse,fuse");
        refuses("-fuse");
        refuses(".fuse");
        refuses("fuse tun");
        refuses("fuse:1");
        refuses("fu/se");
        refuses("fu*");
        refuses("abcdefghijklmnopqrstuvwxyz012345");
        for (int i = 0; i <= DEVICES_STANZAS_MAX; i++)
                (void)snprintf(many + strlen(many), sizeof(many) - strlen(many), "s%d,", i);
        refuses(many);
}

static void what_a_value_names_is_granted(void **state)
{
        (void)state;
        assert_int_equal(devices_count("char:4,block:2", "char"), 4);
        assert_int_equal(devices_count("char:4,block:2", "block"), 2);
        assert_int_equal(devices_count("block:4096", "block"), DEVICES_COUNT_MAX);
}

static void what_it_does_not_name_is_not(void **state)
{
        (void)state;
        assert_int_equal(devices_count(NULL, "char"), 0);
        assert_int_equal(devices_count("", "char"), 0);
        assert_int_equal(devices_count("block:2", "char"), 0);
        assert_int_equal(devices_count("char:4,block:2", "loop"), 0);
        assert_int_equal(devices_count("char:4", "cha"), 0);
        assert_int_equal(devices_count("char:4", "har"), 0);
}

static int check(void *context)
{
        _cleanup_free_ char *normal = NULL;
        struct croft_error err = CROFT_ERROR_INIT;
        int r = property_check_devices("char:4,block", &normal, &err);

        (void)context;
        assert_int_equal(err.code, -r);
        return r;
}

static void no_memory_is_told(void **state)
{
        (void)state;
        assert_int_equal(fault_walk(FAULT_ALLOCATION, false, check, NULL), 2);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_list_gets_its_normal_form),
                cmocka_unit_test(a_family_that_is_not_granted_is_refused),
                cmocka_unit_test(a_count_that_is_none_is_refused),
                cmocka_unit_test(what_is_not_a_list_is_refused),
                cmocka_unit_test(other_words_name_stanzas),
                cmocka_unit_test(what_can_be_no_stanza_is_refused),
                cmocka_unit_test(what_a_value_names_is_granted),
                cmocka_unit_test(what_it_does_not_name_is_not),
                cmocka_unit_test(no_memory_is_told),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
