/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_str.c - names, numbers, quoting, vectors of strings.
 */
#include "base/cleanup.h"
#include "base/str.h"
#include "fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void names_are_dns_labels(void **state)
{
        static const char *const good[] = {"a", "0", "web", "web-1", "a--b", "0-0"};
        static const char *const bad[] = {
                "", "-", "-a", "a-", "A", "web.1", "a_b", "a b", "a/b", "..", "\xc3\xa4", "a\n"};
        char name[NAME_LENGTH_MAX + 2];

        (void)state;
        for (size_t i = 0; i < ELEMENTS(good); i++)
                assert_true(str_is_name(good[i]));
        for (size_t i = 0; i < ELEMENTS(bad); i++)
                assert_false(str_is_name(bad[i]));
        memset(name, 'a', sizeof(name));
        name[NAME_LENGTH_MAX] = '\0';
        assert_true(str_is_name(name));
        name[NAME_LENGTH_MAX] = 'a';
        name[NAME_LENGTH_MAX + 1] = '\0';
        assert_false(str_is_name(name));
}

static void every_byte_in_a_name_is_judged_by_the_rule(void **state)
{
        (void)state;
        for (int c = 1; c < 256; c++) {
                char name[] = {'a', (char)c, 'b', '\0'};
                bool good = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';

                assert_int_equal(str_is_name(name), good);
        }
}

static void numbers_are_plain_decimals(void **state)
{
        static const char *const bad[] = {"", " 1", "1 ", "+1", "-1", "0x10", "1.0", "1e3", "a", "1a",
                "18446744073709551616", "99999999999999999999999"};
        uint64_t value = 7;

        (void)state;
        for (size_t i = 0; i < ELEMENTS(bad); i++) {
                assert_false(str_to_u64(bad[i], UINT64_MAX, &value));
                assert_int_equal(value, 7);
        }
        assert_true(str_to_u64("18446744073709551615", UINT64_MAX, &value));
        assert_true(value == UINT64_MAX);
        assert_true(str_to_u64("0", 0, &value));
        assert_int_equal(value, 0);
        assert_true(str_to_u64("007", 7, &value));
        assert_int_equal(value, 7);
}

static void a_number_above_the_maximum_is_refused(void **state)
{
        uint64_t value = 1;

        (void)state;
        assert_true(str_to_u64("100", 100, &value));
        assert_false(str_to_u64("101", 100, &value));
        assert_int_equal(value, 100);
}

static void sizes_know_their_units(void **state)
{
        static const struct {
                const char *text;
                uint64_t value;
        } good[] = {
                {"0", 0},
                {"5B", 5},
                {"1K", 1024},
                {"1KB", 1024},
                {"1KiB", 1024},
                {"64M", UINT64_C(64) << 20},
                {"2G", UINT64_C(2) << 30},
                {"3T", UINT64_C(3) << 40},
                {"1P", UINT64_C(1) << 50},
                {"15E", UINT64_C(15) << 60},
                {"max", UINT64_MAX},
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTS(good); i++) {
                uint64_t value = 1;

                assert_true(str_to_size(good[i].text, &value));
                assert_true(value == good[i].value);
        }
}

static void what_is_no_size_is_refused(void **state)
{
        static const char *const bad[] = {"", "K", "B", "-1", "1.5G", "1Ki", "1KiBB", "1KK", "1 K", "1k", "1BK", "16E",
                "18446744073709551616", "maximum", "max ", "1iB", "0000000000000000000000001", "1\n"};

        (void)state;
        for (size_t i = 0; i < ELEMENTS(bad); i++) {
                uint64_t value = 7;

                if (str_to_size(bad[i], &value))
                        fail_msg("'%s' was taken for %llu", bad[i], (unsigned long long)value);
                assert_int_equal(value, 7);
        }
}

static void a_copy_is_cut_to_size_and_says_so(void **state)
{
        (void)state;
        for (size_t size = 1; size <= 6; size++) {
                char *dst = malloc(size);

                assert_non_null(dst);
                assert_int_equal(str_copy(dst, size, "abcd"), size > 4);
                assert_int_equal(strlen(dst), size > 4 ? 4 : size - 1);
                assert_memory_equal(dst, "abcd", strlen(dst));
                free(dst);
        }
        assert_false(str_copy(NULL, 0, "abcd"));
}

static void a_copy_reads_no_byte_beyond_the_size(void **state)
{
        char *src = malloc(4); /* without a NUL: the sanitizer tells a read too far */
        char dst[4];

        (void)state;
        assert_non_null(src);
        memcpy(src, "abcd", 4);
        assert_false(str_copy(dst, sizeof(dst), src));
        assert_string_equal(dst, "abc");
        free(src);
}

static void every_byte_alone_is_itself_or_escaped(void **state)
{
        (void)state;
        for (int c = 0; c < 256; c++) {
                char src = (char)c, dst[8], expected[8];

                if (c >= 0x20 && c < 0x7f && c != '\\')
                        (void)snprintf(expected, sizeof(expected), "%c", c);
                else
                        (void)snprintf(expected, sizeof(expected), "\\x%02x", (unsigned int)c);
                assert_string_equal(str_escape(dst, sizeof(dst), &src, 1), expected);
        }
}

/* Encodes any number up to 21 bits as UTF-8 would, valid or not. */
static size_t encode(uint32_t c, char *dst)
{
        if (c < 0x800) {
                dst[0] = (char)(0xc0 | c >> 6);
                dst[1] = (char)(0x80 | (c & 0x3f));
                return 2;
        }
        if (c < 0x10000) {
                dst[0] = (char)(0xe0 | c >> 12);
                dst[1] = (char)(0x80 | (c >> 6 & 0x3f));
                dst[2] = (char)(0x80 | (c & 0x3f));
                return 3;
        }
        dst[0] = (char)(0xf0 | c >> 18);
        dst[1] = (char)(0x80 | (c >> 12 & 0x3f));
        dst[2] = (char)(0x80 | (c >> 6 & 0x3f));
        dst[3] = (char)(0x80 | (c & 0x3f));
        return 4;
}

static bool is_plain(uint32_t c)
{
        return c >= 0xa0 && c <= 0x10ffff && !(c >= 0xd800 && c <= 0xdfff) && c != 0xad && c != 0x61c && c != 0x180e &&
               !(c >= 0x200b && c <= 0x200f) && !(c >= 0x2028 && c <= 0x202e) && !(c >= 0x2060 && c <= 0x206f) &&
               c != 0xfeff && !(c >= 0xfff9 && c <= 0xfffb) && !(c >= 0xe0000 && c <= 0xe0fff);
}

static void every_code_point_is_shown_unless_it_hides_or_turns_text(void **state)
{
        (void)state;
        for (uint32_t c = 0x80; c < 0x1fffff; c++) {
                char src[4], dst[20];
                size_t n = encode(c, src);

                (void)str_escape(dst, sizeof(dst), src, n);
                if (is_plain(c) != (strlen(dst) == n && memcmp(dst, src, n) == 0))
                        fail_msg("U+%04X became '%s'", c, dst);
                if (!is_plain(c) && strlen(dst) != 4 * n)
                        fail_msg("U+%04X wasn't escaped byte by byte", c);
        }
}

static void overlong_and_cut_sequences_are_escaped(void **state)
{
        static const struct {
                const char *src, *dst;
        } table[] = {
                {"\xc0\xaf", "\\xc0\\xaf"},                            /* '/' in two bytes */
                {"\xe0\x80\xaf", "\\xe0\\x80\\xaf"},                   /* '/' in three */
                {"\xf0\x80\x80\xaf", "\\xf0\\x80\\x80\\xaf"},          /* '/' in four */
                {"\xf8\x88\x80\x80\x80", "\\xf8\\x88\\x80\\x80\\x80"}, /* five bytes */
                {"\xc3", "\\xc3"},
                {"\xe2\x82", "\\xe2\\x82"},
                {"\xe2\x82x", "\\xe2\\x82x"},
                {"\xc3\xa4\xff", "\xc3\xa4\\xff"},
                {"\x1b[31m\r\n", "\\x1b[31m\\x0d\\x0a"},
                {"a\\x41", "a\\x5cx41"},
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTS(table); i++) {
                char dst[64];

                assert_string_equal(str_escape(dst, sizeof(dst), table[i].src, strlen(table[i].src)), table[i].dst);
        }
}

static void an_escaped_text_cut_to_any_size_has_no_half_character(void **state)
{
        static const char src[] = "a\xc3\xa4\x01\xe2\x82\xac\xf0\x9f\x98\x80z";
        char whole[64];

        (void)state;
        (void)str_escape(whole, sizeof(whole), src, strlen(src));
        for (size_t size = 1; size <= strlen(whole) + 1; size++) {
                char *dst = malloc(size), again[64];

                assert_non_null(dst);
                (void)str_escape(dst, size, src, strlen(src));
                assert_true(strlen(dst) < size);
                assert_memory_equal(dst, whole, strlen(dst));
                /* What is cut amid a sequence would have to be escaped; what is whole stays (but for the backslash). */
                (void)str_escape(again, sizeof(again), dst, strlen(dst));
                assert_true(strstr(again, "\\xc3") == NULL && strstr(again, "\\xe2") == NULL &&
                            strstr(again, "\\xf0") == NULL);
                free(dst);
        }
}

static void escaping_into_no_room_touches_nothing(void **state)
{
        char c = 'x';

        (void)state;
        assert_ptr_equal(str_escape(&c, 0, "abc", 3), &c);
        assert_int_equal(c, 'x');
}

static void escaping_reads_no_byte_beyond_the_source(void **state)
{
        (void)state;
        for (int first = 0xc0; first < 0x100; first++) {
                char *src = malloc(1), dst[8];

                assert_non_null(src);
                src[0] = (char)first;
                (void)str_escape(dst, sizeof(dst), src, 1);
                assert_int_equal(strlen(dst), 4);
                free(src);
        }
}

static void words_of_a_list_are_found(void **state)
{
        (void)state;
        assert_true(str_lists("cpu,cpuacct", ",", "cpu"));
        assert_true(str_lists("cpu,cpuacct", ",", "cpuacct"));
        assert_true(str_lists(" memory\t io\n", " \t\n", "io"));
        assert_false(str_lists("cpuset,cpuacct", ",", "cpu"));
        assert_false(str_lists("a b", ",", "a"));
        assert_false(str_lists("a,,b", ",", ""));
        assert_false(str_lists("", ",", "a"));
        assert_false(str_lists(NULL, ",", "a"));
}

static void prefixes_are_found(void **state)
{
        (void)state;
        assert_true(str_has_prefix("env.PATH", "env."));
        assert_true(str_has_prefix("env.", "env."));
        assert_true(str_has_prefix("x", ""));
        assert_false(str_has_prefix("env", "env."));
        assert_false(str_has_prefix("", "e"));
}

static void a_vector_grows_and_its_copy_is_its_own(void **state)
{
        _cleanup_(strv_freep) char **v = NULL, **copy = NULL;

        (void)state;
        assert_int_equal(strv_length(NULL), 0);
        for (int i = 0; i < 100; i++) {
                char text[8];

                (void)snprintf(text, sizeof(text), "%d", i);
                assert_int_equal(strv_append(&v, text), 0);
                assert_int_equal(strv_length(v), i + 1);
        }
        copy = strv_copy(v);
        assert_int_equal(strv_length(copy), 100);
        assert_ptr_not_equal(copy[99], v[99]);
        assert_string_equal(copy[99], "99");
        assert_null(copy[100]);
}

static void the_copy_of_no_vector_is_an_empty_one(void **state)
{
        _cleanup_(strv_freep) char **copy = strv_copy(NULL);

        (void)state;
        assert_non_null(copy);
        assert_null(copy[0]);
        strv_free(NULL);
}

static int append_and_copy(void *context)
{
        _cleanup_(strv_freep) char **v = NULL, **copy = NULL;

        (void)context;
        for (size_t i = 0; i < 3; i++) {
                int r = strv_append(&v, "text");

                assert_int_equal(strv_length(v), r < 0 ? i : i + 1); /* unchanged by a failure */
                if (r < 0)
                        return r;
        }
        copy = strv_copy(v);
        return copy ? 0 : -ENOMEM;
}

static void vectors_survive_the_failure_of_every_allocation(void **state)
{
        (void)state;
        assert_int_equal(fault_walk(FAULT_ALLOCATION, false, append_and_copy, NULL), 10);
}

static void nesting_of_json_is_counted(void **state)
{
        (void)state;
        assert_false(str_json_is_deeper("", 0, 0));
        assert_false(str_json_is_deeper("{\"a\": [1]}", 10, 2));
        assert_true(str_json_is_deeper("{\"a\": [1]}", 10, 1));
        assert_false(str_json_is_deeper("[[],[],[]]", 10, 2));
        assert_false(str_json_is_deeper("\"[[[\\\"[[\"", 10, 0)); /* in a string */
        assert_false(str_json_is_deeper("]]]]", 4, 0));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(nesting_of_json_is_counted),
                cmocka_unit_test(names_are_dns_labels),
                cmocka_unit_test(every_byte_in_a_name_is_judged_by_the_rule),
                cmocka_unit_test(numbers_are_plain_decimals),
                cmocka_unit_test(a_number_above_the_maximum_is_refused),
                cmocka_unit_test(sizes_know_their_units),
                cmocka_unit_test(what_is_no_size_is_refused),
                cmocka_unit_test(a_copy_is_cut_to_size_and_says_so),
                cmocka_unit_test(a_copy_reads_no_byte_beyond_the_size),
                cmocka_unit_test(every_byte_alone_is_itself_or_escaped),
                cmocka_unit_test(every_code_point_is_shown_unless_it_hides_or_turns_text),
                cmocka_unit_test(overlong_and_cut_sequences_are_escaped),
                cmocka_unit_test(an_escaped_text_cut_to_any_size_has_no_half_character),
                cmocka_unit_test(escaping_into_no_room_touches_nothing),
                cmocka_unit_test(escaping_reads_no_byte_beyond_the_source),
                cmocka_unit_test(words_of_a_list_are_found),
                cmocka_unit_test(prefixes_are_found),
                cmocka_unit_test(a_vector_grows_and_its_copy_is_its_own),
                cmocka_unit_test(the_copy_of_no_vector_is_an_empty_one),
                cmocka_unit_test(vectors_survive_the_failure_of_every_allocation),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
