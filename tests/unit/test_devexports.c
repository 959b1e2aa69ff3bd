/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_devexports.c - the stanza file of devices: what it may say, what of it is told as a fault, and which paths it
 * lists.
 */
#include "fault.h"
#include "partition/devexports.h"

#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct devexports parsed(const char *text)
{
        struct devexports exports = {.list = NULL};

        assert_int_equal(devexports_parse(text, strlen(text), &exports, NULL), 0);
        return exports;
}

static void a_stanza_is_read_however_it_is_laid_out(void **state)
{
        struct devexports e = parsed("* comment\n# comment\n\n"
                                     "fuse:\n\tvalue = \"/dev/fuse\"\n\tauto = \"no\"\n"
                                     "  net-1.x :  \nauto=yes\nvalue   =/dev/net/tun  \n"
                                     "disks:\n\tvalue = \"/dev/sd*\"");

        (void)state;
        assert_int_equal(e.n, 3);
        assert_string_equal(e.list[0].name, "fuse");
        assert_string_equal(e.list[0].pattern, "/dev/fuse");
        assert_false(e.list[0].automatic);
        assert_string_equal(e.list[1].name, "net-1.x");
        assert_string_equal(e.list[1].pattern, "/dev/net/tun");
        assert_true(e.list[1].automatic);
        assert_true(e.list[2].automatic); /* unless said otherwise */
        assert_ptr_equal(devexports_find(&e, "disks"), &e.list[2]);
        assert_null(devexports_find(&e, "disk"));
        assert_true(devexports_is_literal(&e.list[0]));
        assert_false(devexports_is_literal(&e.list[2]));
        devexports_done(&e);
}

static void nothing_lists_nothing(void **state)
{
        struct devexports e = parsed("");

        (void)state;
        assert_int_equal(e.n, 0);
        assert_false(devexports_lists(&e, "/dev/fuse"));
        devexports_done(&e);
        e = parsed("* only a comment: =\n\n\t\n");
        assert_int_equal(e.n, 0);
        devexports_done(&e);
}

static void refuses(const char *text, size_t size, const char *sentence)
{
        struct devexports untouched = {.n = 42}, e = untouched;
        struct croft_error err = CROFT_ERROR_INIT;
        char line[CROFT_ERROR_TEXT_MAX];

        assert_int_equal(devexports_parse(text, size, &e, &err), -EBADMSG);
        assert_int_equal(e.n, 42);
        assert_int_equal(err.code, EBADMSG);
        (void)croft_error_line(&err, line, sizeof(line));
        if (!strstr(line, sentence))
                fail_msg("'%s' lacks '%s'", line, sentence);
        for (const char *at = line; *at; at++)
                assert_true((unsigned char)*at >= ' ' && (unsigned char)*at < 0x7f);
}

static void a_fault_is_told_with_its_line(void **state)
{
        static const struct {
                const char *text, *sentence;
        } faults[] = {
                {"value = \"/dev/fuse\"\n", "line 1: it is in no stanza"},
                {"\nfuse:\nauto = \"no\"\n", "line 2: the stanza 'fuse' has no value"},
                {"fuse:\n\nother:\nvalue=/dev/x\n", "line 1: the stanza 'fuse' has no value"},
                {"fuse:\nvalue=/dev/x\nvalue=/dev/y\n", "line 3: the stanza has a second value"},
                {"fuse:\nauto=no\nauto=no\n", "line 3: the stanza has a second auto"},
                {"fuse:\nauto=maybe\n", "line 2: 'maybe' is no \"yes\" or \"no\""},
                {"fuse:\nauto=YES\n", "line 2: 'YES'"},
                {"fuse:\nmode=660\n", "line 2: 'mode' is no attribute"},
                {"fuse:\nvalue=\"/dev/x\n", "line 2: a quotation mark stands alone"},
                {"fuse:\nvalue=/dev/\"x\n", "line 2: a quotation mark"},
                {"fuse:\nvalue=\n", "line 2: '' is no path below /dev"},
                {"fuse:\nvalue=\"\"\n", "line 2: '' is no path below /dev"},
                {"fuse:\nvalue=/etc/passwd\n", "line 2: '/etc/passwd' is no path below /dev"},
                {"fuse:\nvalue=/dev/../etc/passwd\n", "is no path below /dev"},
                {"fuse:\nvalue=/dev/./x\n", "is no path below /dev"},
                {"fuse:\nvalue=/dev//x\n", "is no path below /dev"},
                {"fuse:\nvalue=/dev/x/\n", "is no path below /dev"},
                {"fuse:\nvalue=/dev/\n", "is no path below /dev"},
                {"fuse:\nvalue=dev/x\n", "is no path below /dev"},
                {"fuse:\nvalue=/dev/*********\n", "is no path below /dev"},
                {"fuse\n", "line 1: 'fuse' is no stanza"},
                {":\n", "line 1: '' is no name of a stanza"},
                {"-x:\n", "line 1: '-x' is no name of a stanza"},
                {"a b:\n", "line 1: 'a b' is no name of a stanza"},
                {"char:\n", "line 1: 'char' is no name of a stanza"},
                {"block:\n", "is no name of a stanza"},
                {"loop:\n", "is no name of a stanza"},
                {"abcdefghijklmnopqrstuvwxyz0123456:\n", "is no name of a stanza"},
                {"x:\nvalue=/dev/x\nx:\n", "line 3: there is a stanza 'x' already"},
                {"x:\nvalue=/dev/x\r\n", "line 2: there is a byte that isn't printable ASCII"},
                {"x:\nvalue=/dev/\033[2J\n", "line 2: there is a byte"},
                {"x:\nvalue=/dev/\303\274\n", "line 2: there is a byte"},
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTS(faults); i++)
                refuses(faults[i].text, strlen(faults[i].text), faults[i].sentence);
        refuses("\0x:\n", 4, "line 1: there is a byte");
        refuses("x:\nvalue=/dev/x\0y\n", 18, "line 2: there is a byte");
}

static void what_is_too_long_is_refused(void **state)
{
        _cleanup_free_ char *text = malloc(STANZAS_FILE_MAX + 1);
        size_t used = 0;

        (void)state;
        memset(text, '\n', STANZAS_FILE_MAX + 1);
        refuses(text, STANZAS_FILE_MAX + 1, "longer than");
        memset(text, '*', STANZAS_LINE_MAX + 1);
        refuses(text, STANZAS_LINE_MAX + 1, "line 1: the line is too long");
        (void)snprintf(text, 200, "x:\nvalue=/dev/%0110d\n", 1);
        refuses(text, strlen(text), "line 2");
        for (int i = 0; i <= STANZAS_MAX; i++)
                used += (size_t)snprintf(text + used, 64, "s%d:\nvalue=/dev/s%d\n", i, i);
        refuses(text, used, "more than 256 stanzas");
}

static void a_pattern_stays_in_its_directory(void **state)
{
        struct devexports e =
                parsed("a:\nvalue=/dev/sd*\nb:\nvalue=/dev/net/tu?\nc:\nvalue=/dev/loop[0-3]\nd:\nvalue=/dev/*/x\n");

        (void)state;
        assert_true(devexports_lists(&e, "/dev/sda"));
        assert_true(devexports_lists(&e, "/dev/sd"));
        assert_true(devexports_lists(&e, "/dev/net/tun"));
        assert_true(devexports_lists(&e, "/dev/loop3"));
        assert_true(devexports_lists(&e, "/dev/y/x"));
        assert_false(devexports_lists(&e, "/dev/sda/b"));
        assert_false(devexports_lists(&e, "/dev/net/tu/"));
        assert_false(devexports_lists(&e, "/dev/loop4"));
        assert_false(devexports_lists(&e, "/dev/loop33"));
        assert_false(devexports_lists(&e, "/dev/y/z/x"));
        assert_false(devexports_lists(&e, "/dev/.y/x"));
        assert_false(devexports_lists(&e, "/dev/sda/../mem"));
        assert_false(devexports_lists(&e, "/dev/../x"));
        assert_false(devexports_lists(&e, "sda"));
        assert_false(devexports_lists(&e, ""));
        devexports_done(&e);
}

static int parse_some(void *context)
{
        static const char text[] = "a:\nvalue=/dev/a\nb:\nvalue=/dev/b\n";
        struct devexports e = {.list = NULL};
        int r = devexports_parse(text, sizeof(text) - 1, &e, NULL);

        (void)context;
        devexports_done(&e);
        return r;
}

static void no_memory_is_told(void **state)
{
        (void)state;
        assert_int_equal(fault_walk(FAULT_ALLOCATION, false, parse_some, NULL), 1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_stanza_is_read_however_it_is_laid_out),
                cmocka_unit_test(nothing_lists_nothing),
                cmocka_unit_test(a_fault_is_told_with_its_line),
                cmocka_unit_test(what_is_too_long_is_refused),
                cmocka_unit_test(a_pattern_stays_in_its_directory),
                cmocka_unit_test(no_memory_is_told),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
