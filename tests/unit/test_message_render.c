/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_message_render.c - messages as data: what is put together, whatever is in a record.
 */
#include "base/cleanup.h"
#include "base/message.h"
#include "fault.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define A_UMLAUT "\xc3\xa4"
#define EURO "\xe2\x82\xac"
#define CLEF "\xf0\x9d\x84\x9e"

static int pack(struct message_args *ret, const char *format, ...)
{
        va_list ap;
        int r;

        va_start(ap, format);
        r = message_pack(format, ap, ret);
        va_end(ap);
        return r;
}

static char *render(const char *format, const char *translated, const struct message_args *args)
{
        char *text = message_render(format, strlen(format), translated, args);

        assert_non_null(text);
        return text;
}

static struct message_args raw(const void *bytes, size_t size, unsigned int n)
{
        struct message_args args = {.size = (uint16_t)size, .n = (uint8_t)n};

        memcpy(args.bytes, bytes, size);
        return args;
}
#define RAW(literal, n) raw(literal, sizeof(literal) - 1, n)

/* What printf(3) makes of it is what is expected. */
static void check(const char *format, const char *expected, const struct message_args *args)
{
        _cleanup_free_ char *text = NULL;

        assert_true(message_args_valid(args->bytes, args->size, args->n));
        text = render(format, NULL, args);
        assert_string_equal(text, expected);
}
#define CHECK_PRINTF(format, ...)                                                                                      \
        do {                                                                                                           \
                char _expected[4096];                                                                                  \
                struct message_args _args;                                                                             \
                                                                                                                       \
                (void)snprintf(_expected, sizeof(_expected), format, __VA_ARGS__);                                     \
                assert_int_equal(pack(&_args, format, __VA_ARGS__), 0);                                                \
                check(format, _expected, &_args);                                                                      \
        } while (0)

static void conversions_are_those_of_printf(void **state)
{
        (void)state;
        CHECK_PRINTF("%d %i", INT_MIN, INT_MAX);
        CHECK_PRINTF("%u %o %x %X", UINT_MAX, 0777U, 0xbeefU, 0xbeefU);
        CHECK_PRINTF("%c%c", 'a', '~');
        CHECK_PRINTF("%c", '\xe4');
        CHECK_PRINTF("<%s>", "");
        CHECK_PRINTF("open '%s': %s (%d)", "/etc/" A_UMLAUT, "No such file", 2);
        CHECK_PRINTF("100%% of %u%%", 3U);
        CHECK_PRINTF("%s" EURO "%%%s", EURO, CLEF);
}

static void length_modifiers_say_what_is_packed(void **state)
{
        (void)state;
        CHECK_PRINTF("%hhd %hd %ld", 300, 70000, LONG_MIN);
        CHECK_PRINTF("%lld %jd", LLONG_MIN, (intmax_t)INT64_MAX);
        CHECK_PRINTF("%zd %td", (ssize_t)-1, (ptrdiff_t)-2);
        CHECK_PRINTF("%hhu %hu %lu", 300U, 70000U, ULONG_MAX);
        CHECK_PRINTF("%llx %jo", ULLONG_MAX, (uintmax_t)UINT64_MAX);
        CHECK_PRINTF("%zu %zX", SIZE_MAX, (size_t)0xabcdef);
        CHECK_PRINTF("%hhi %hhx", -1, 0xfffU);
        CHECK_PRINTF("%d %lld %s %d %lu", 1, -2LL, "three", 4, 5UL);
}

/* Formats that are put together here, or have what the compiler warns of. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat"
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static void flags_widths_and_precisions_are_those_of_printf(void **state)
{
        static const char *const flags[] = {
                "", "-", "+", " ", "0", "-0", "0-", "+0", "+ ", "-+", " 0", "---", "#", "#0", "-#", "-#0+ "};
        static const char *const sizes[] = {
                "", "1", "5", "12", "999", ".", ".0", ".1", ".7", ".999", "9.3", "3.9", "999.999", "5.", "9.007"};
        static const long long numbers[] = {0, 1, -1, 4711, LLONG_MIN, LLONG_MAX};

        (void)state;
        for (size_t f = 0; f < ELEMENTS(flags); f++)
                for (size_t s = 0; s < ELEMENTS(sizes); s++) {
                        for (const char *c = "diuoxX"; *c; c++) {
                                char format[64];

                                (void)snprintf(format, sizeof(format), "<%%%s%sll%c>", flags[f], sizes[s], *c);
                                for (size_t i = 0; i < ELEMENTS(numbers); i++)
                                        CHECK_PRINTF(format, numbers[i]);
                        }
                }
}

static void texts_have_widths_and_precisions_in_bytes(void **state)
{
        static const char *const formats[] = {"<%s>", "<%6s>", "<%-6s>", "<%.2s>", "<%.s>", "<%.0s>", "<%6.2s>",
                "<%-6.2s>", "<%.100s>", "<%999s>", "<%-999.1s>"};

        (void)state;
        for (size_t i = 0; i < ELEMENTS(formats); i++) {
                CHECK_PRINTF(formats[i], "abcd");
                CHECK_PRINTF(formats[i], EURO);
                CHECK_PRINTF(formats[i], "");
        }
        CHECK_PRINTF("<%5c>", 'x');
        CHECK_PRINTF("<%-5c>", 'x');
}

static void positions_are_those_of_printf(void **state)
{
        (void)state;
        CHECK_PRINTF("%2$s: %1$d", 7, "seven");
        CHECK_PRINTF("%1$s %1$s %2$s", "again", "once");
        CHECK_PRINTF("%2$-8s|%1$08lx|%3$+.3d%%", 255UL, "left", 4);
        CHECK_PRINTF("%3$c%2$c%1$c", 'a', 'b', 'c');
        CHECK_PRINTF("%1$.3s and %1$s", "abcdef");
        CHECK_PRINTF("%1$c is %1$d", 'a');
}
#pragma GCC diagnostic pop

static void each_argument_is_text(void **state)
{
        static const char *const expected[] = {
                "-9223372036854775808", "18446744073709551615", "t\xff" A_UMLAUT, "", "97"};
        struct message_args args;

        (void)state;
        assert_int_equal(pack(&args, "%lld %llx %s %s %c", LLONG_MIN, ULLONG_MAX, expected[2], "", 'a'), 0);
        for (unsigned int i = 0; i < ELEMENTS(expected); i++) {
                _cleanup_free_ char *text = message_argument(&args, i);

                assert_string_equal(text, expected[i]);
        }
        assert_null(message_argument(&args, ELEMENTS(expected)));
        assert_null(message_argument(&args, UINT_MAX));
}

static void a_format_with_other_arguments_is_shown_as_it_is(void **state)
{
        static const struct {
                const char *format;
                const char *bytes;
                size_t size;
                unsigned int n;
                const char *expected;
        } cases[] = {
                {"%s%s%s", "sabc", 5, 1, "%s%s%s [\"abc\"]"},
                {"%s", "", 0, 0, "%s"},
                {"text", "sabc", 5, 1, "text [\"abc\"]"},
                {"text %d", "d\xf4\xff\xff\xff\xff\xff\xff\xffsabc", 14, 2, "text %d [-12, \"abc\"]"},
                {"%d", "u\1\0\0\0\0\0\0\0", 9, 1, "%d [1]"},
                {"%u", "d\xff\xff\xff\xff\xff\xff\xff\xff", 9, 1, "%u [-1]"},
                {"%s", "u\xff\xff\xff\xff\xff\xff\xff\xff", 9, 1, "%s [18446744073709551615]"},
                {"%d", "s5", 3, 1, "%d [\"5\"]"},
                {"%n", "d\1\0\0\0\0\0\0\0", 9, 1, "%n [1]"},
                {"%n%%", "", 0, 0, "%n%%"},
                {"100%", "sx", 3, 1, "100% [\"x\"]"},
                {"%*d", "d\1\0\0\0\0\0\0\0d\2\0\0\0\0\0\0\0", 18, 2, "%*d [1, 2]"},
                {"%999999d", "d\1\0\0\0\0\0\0\0", 9, 1, "%999999d [1]"},
                {"%1$s %s", "sa\0sb", 6, 2, "%1$s %s [\"a\", \"b\"]"},
                {"%d", "", 0, 200, "%d"},
                {"%d", "x\1\0\0\0\0\0\0\0", 9, 1, "%d"},
                {"%d", "d\1\0\0", 4, 1, "%d"},
                {"%d", "d\1\0\0\0\0\0\0\0\0", 10, 1, "%d [1]"},
                {"%d %d", "d\1\0\0\0\0\0\0\0d\2", 11, 2, "%d %d [1]"},
                {"%s", "sabc", 4, 1, "%s"},
                {"%s", "sa\0sb", 6, 1, "%s [\"a\"]"},
                {"", "sa", 3, 1, " [\"a\"]"},
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                struct message_args args = raw(cases[i].bytes, cases[i].size, cases[i].n);
                _cleanup_free_ char *text = NULL;

                memset(args.bytes + args.size, 's', sizeof(args.bytes) - args.size);
                text = render(cases[i].format, NULL, &args);
                assert_string_equal(text, cases[i].expected);
        }
}

static void sizes_and_numbers_of_arguments_are_not_believed(void **state)
{
        _cleanup_free_ char *text = NULL, *argument = NULL;
        struct message_args *args = malloc(sizeof(*args));

        (void)state;
        assert_non_null(args);
        memset(args, 's', sizeof(*args));
        args->bytes[2] = '\0';
        args->size = UINT16_MAX;
        args->n = UINT8_MAX;
        assert_false(message_args_valid(args->bytes, MESSAGE_ARGS_SIZE, args->n));
        text = render("%s", NULL, args);
        assert_string_equal(text, "%s [\"s\"]");
        argument = message_argument(args, 0);
        assert_string_equal(argument, "s");
        assert_null(message_argument(args, 1));
        free(args);
}

static void a_format_need_not_end(void **state)
{
        struct message_args args = RAW("d\7\0\0\0\0\0\0\0", 1);
        _cleanup_free_ char *whole = NULL, *ended = NULL, *cut = NULL, *none = NULL;
        char *block = malloc(5); /* an own block: the sanitizer tells a read too far */

        (void)state;
        assert_non_null(block);
        memcpy(block, "at %d", 5);
        whole = message_render(block, 5, NULL, &args);
        assert_string_equal(whole, "at 7");
        cut = message_render(block, 4, NULL, &args);
        assert_string_equal(cut, "at % [7]");
        block[2] = '\0';
        ended = message_render(block, 5, NULL, &args);
        assert_string_equal(ended, "at [7]");
        none = message_render(NULL, 0, NULL, &args);
        assert_string_equal(none, " [7]");
        free(block);
}

static void a_format_that_fills_its_field_is_too_long(void **state)
{
        struct message_args args = RAW("s!\0", 1);
        char format[MESSAGE_FORMAT_MAX];
        _cleanup_free_ char *text = NULL;

        (void)state;
        memset(format, 'x', sizeof(format));
        memcpy(format, "%s", 2);
        text = message_render(format, sizeof(format), NULL, &args);
        assert_int_equal(strlen(text), sizeof(format) + strlen(" [\"!\"]"));
        assert_memory_equal(text, format, sizeof(format));
        assert_string_equal(text + sizeof(format), " [\"!\"]");
}

static void a_translation_is_used_if_it_wants_the_same(void **state)
{
        static const char format[] = "open '%s': %d of %u";
        static const struct {
                const char *translated, *expected;
        } cases[] = {
                {NULL, "open 'f': -2 of 3"},
                {"'%s' " A_UMLAUT "ffnen: %d von %u", "'f' " A_UMLAUT "ffnen: -2 von 3"},
                {"%3$x, %2$+i: %1$5s", "3, -2:     f"},
                {"%2$c%1$s%3$o", "\xfe"
                                 "f3"},
                {"%3$d %2$d %1$s", "open 'f': -2 of 3"},
                {"%d %s %u", "open 'f': -2 of 3"},
                {"%s %d", "open 'f': -2 of 3"},
                {"%s %d %u %u", "open 'f': -2 of 3"},
                {"%s %d %n", "open 'f': -2 of 3"},
                {"%s %d %u %", "open 'f': -2 of 3"},
                {"%1$s %3$u", "open 'f': -2 of 3"},
                {"", "open 'f': -2 of 3"},
        };
        struct message_args args;

        (void)state;
        assert_int_equal(pack(&args, format, "f", -2, 3U), 0);
        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                _cleanup_free_ char *text = render(format, cases[i].translated, &args);

                assert_string_equal(text, cases[i].expected);
        }
}

static void a_translation_may_be_longer_than_a_format(void **state)
{
        struct message_args args = RAW("s!\0", 1);
        char translated[MESSAGE_FORMAT_MAX * 3];
        _cleanup_free_ char *text = NULL;

        (void)state;
        memset(translated, 'x', sizeof(translated));
        memcpy(translated + sizeof(translated) - 3, "%s", 3);
        text = render("%s", translated, &args);
        assert_int_equal(strlen(text), sizeof(translated) - 2);
        assert_string_equal(text + strlen(text) - 2, "x!");
}

static void a_translation_does_not_stand_for_a_format_that_does_not_fit(void **state)
{
        struct message_args args = RAW("s!\0", 1);
        _cleanup_free_ char *bad = NULL, *other = NULL;

        (void)state;
        bad = render("%n", "%s", &args);
        assert_string_equal(bad, "%n [\"!\"]");
        other = render("%d", "%s", &args);
        assert_string_equal(other, "%d [\"!\"]");
}

static void a_character_that_is_nul_does_not_end_the_message(void **state)
{
        _cleanup_free_ char *text = NULL, *wide = NULL;
        struct message_args args;

        (void)state;
        assert_int_equal(pack(&args, "<%c>", '\0'), 0);
        text = render("<%c>", NULL, &args);
        wide = render("<%3c>", NULL, &args);
        assert_string_equal(text, "<>");
        assert_string_equal(wide, "<   >");
}

static void bytes_come_out_as_they_went_in(void **state)
{
        char text[256], format[300];
        struct message_args args;
        _cleanup_free_ char *out = NULL, *plain = NULL;

        (void)state;
        for (int i = 0; i < 255; i++)
                text[i] = (char)(i + 1);
        text[255] = '\0';
        assert_int_equal(pack(&args, "%s", text), 0);
        out = render("%s", NULL, &args);
        assert_string_equal(out, text);
        (void)snprintf(format, sizeof(format), "%s [\"!\"]", text);
        args = RAW("s!\0", 1);
        plain = render(text, NULL, &args);
        assert_string_equal(plain, format);
}

/* 18 times 999 bytes are more than a message has. */
static void a_message_is_bounded(void **state)
{
        _cleanup_free_ char *text = NULL, *most = NULL;
        char format[MESSAGE_FORMAT_MAX] = "";
        struct message_args args;

        (void)state;
        for (int i = 0; i < 16; i++)
                strncat(format, "%1$999d", sizeof(format) - strlen(format) - 1);
        assert_int_equal(pack(&args, format, 7), 0);
        most = render(format, NULL, &args);
        assert_int_equal(strlen(most), 16 * 999);
        strncat(format, "%1$999d", sizeof(format) - strlen(format) - 1);
        text = render(format, NULL, &args);
        assert_int_equal(strlen(text), MESSAGE_MAX - 1);
        assert_string_equal(text + strlen(text) - 4, " ...");
}

static void a_message_is_cut_at_the_beginning_of_a_character(void **state)
{
        char *format = malloc(MESSAGE_MAX * 2);
        struct message_args args = {.n = 0};

        (void)state;
        assert_non_null(format);
        for (size_t before = 0; before < 4; before++) {
                _cleanup_free_ char *text = NULL;
                size_t kept = before + (MESSAGE_MAX - 1 - 3 - before) / 4 * 4;

                memset(format, '.', before);
                for (size_t at = before; at + 4 <= MESSAGE_MAX * 2; at += 4)
                        memcpy(format + at, CLEF, 4);
                text = message_render(format, MESSAGE_MAX * 2 - 4, NULL, &args);
                assert_int_equal(strlen(text), kept + 3);
                assert_memory_equal(text, format, kept);
                assert_string_equal(text + kept, "...");
        }
        free(format);
}

static void a_message_that_just_fits_is_whole(void **state)
{
        char *format = malloc(MESSAGE_MAX);
        struct message_args args = {.n = 0};
        _cleanup_free_ char *whole = NULL, *cut = NULL;

        (void)state;
        assert_non_null(format);
        memset(format, 'x', MESSAGE_MAX);
        whole = message_render(format, MESSAGE_MAX - 1, NULL, &args);
        cut = message_render(format, MESSAGE_MAX, NULL, &args);
        assert_int_equal(strlen(whole), MESSAGE_MAX - 1);
        assert_int_equal(whole[MESSAGE_MAX - 2], 'x');
        assert_int_equal(strlen(cut), MESSAGE_MAX - 1);
        assert_string_equal(cut + MESSAGE_MAX - 5, "x...");
        free(format);
}

static int render_only(void *context)
{
        _cleanup_free_ char *text = message_render("%d", 2, NULL, context);

        return text ? 0 : -ENOMEM;
}

static int argument_only(void *context)
{
        _cleanup_free_ char *number = message_argument(context, 0);
        _cleanup_free_ char *text = number ? message_argument(context, 1) : NULL;
        _cleanup_free_ char *other = text ? message_argument(context, 2) : NULL;

        return other ? 0 : -ENOMEM;
}

static void without_memory_there_is_no_text(void **state)
{
        struct message_args args = RAW("d\1\0\0\0\0\0\0\0sx\0u\1\0\0\0\0\0\0\0", 3);

        (void)state;
        assert_int_equal(fault_walk(FAULT_ALLOCATION, false, argument_only, &args), 3);
        /* The second allocation gives back what isn't needed. */
        assert_int_equal(fault_walk(FAULT_ALLOCATION, true, render_only, &args), 2);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(conversions_are_those_of_printf),
                cmocka_unit_test(length_modifiers_say_what_is_packed),
                cmocka_unit_test(flags_widths_and_precisions_are_those_of_printf),
                cmocka_unit_test(texts_have_widths_and_precisions_in_bytes),
                cmocka_unit_test(positions_are_those_of_printf),
                cmocka_unit_test(each_argument_is_text),
                cmocka_unit_test(a_format_with_other_arguments_is_shown_as_it_is),
                cmocka_unit_test(sizes_and_numbers_of_arguments_are_not_believed),
                cmocka_unit_test(a_format_need_not_end),
                cmocka_unit_test(a_format_that_fills_its_field_is_too_long),
                cmocka_unit_test(a_translation_is_used_if_it_wants_the_same),
                cmocka_unit_test(a_translation_may_be_longer_than_a_format),
                cmocka_unit_test(a_translation_does_not_stand_for_a_format_that_does_not_fit),
                cmocka_unit_test(a_character_that_is_nul_does_not_end_the_message),
                cmocka_unit_test(bytes_come_out_as_they_went_in),
                cmocka_unit_test(a_message_is_bounded),
                cmocka_unit_test(a_message_is_cut_at_the_beginning_of_a_character),
                cmocka_unit_test(a_message_that_just_fits_is_whole),
                cmocka_unit_test(without_memory_there_is_no_text),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
