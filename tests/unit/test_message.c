/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_message.c - messages as data: what is a format, and what is packed.  test_message_render.c has the rest.
 */
#include "base/cleanup.h"
#include "base/message.h"

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

static void check_bad(const char *why, const char *const *formats)
{
        for (; *formats; formats++) {
                const char *told = NULL;

                assert_int_equal(message_check(*formats, &told), -EINVAL);
                assert_string_equal(told, why);
                assert_int_equal(message_check(*formats, NULL), -EINVAL);
        }
}
#define CHECK_BAD(why, ...) check_bad(why, (const char *const[]){__VA_ARGS__, NULL})

static void what_is_no_format_is_refused_with_a_reason(void **state)
{
        (void)state;
        CHECK_BAD("its end is in the middle of a conversion", "%", "100%", "%-", "%5", "%5.", "%1$", "%ll", "%%%");
        CHECK_BAD("a conversion is none of %, d, i, u, o, x, X, c and s", "%n", "%hhn", "%1$n", "%p", "%m", "%f", "%Lf",
                "%a", "%C", "%S", "%Ld", "%qd", "%hhhd", "%lhd", "%'d", "%Id", "%*d", "%.*d", "%*1$d", "%.-1d", "%5%",
                "%1$%", "%0$d", "%01$d", "%-1$d", "%$d", "% " A_UMLAUT);
        CHECK_BAD("a width is above 999", "%1000d", "%999999d", "%99999999999999999999d", "%4294967297$d");
        CHECK_BAD("a precision is above 999", "%.1000d", "%1.99999999999999999999s");
        CHECK_BAD("only numbers have a length modifier", "%ls", "%hs", "%lc", "%zc");
        CHECK_BAD("either all conversions have a position or none has", "%1$s %s", "%s %1$s");
        CHECK_BAD("a position is left out", "%3$s %1$s", "%2$s");
        CHECK_BAD("a position has two types", "%1$d %1$s", "%1$d %1$u", "%1$d %1$ld", "%1$hhx %1$hx");
        CHECK_BAD("it takes more than 16 arguments", "%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d", "%17$d", "%999$d");
}

static void what_is_a_format_is_taken(void **state)
{
        static const char *const good[] = {"", "text", "%%", "%%%%", "%% %s", "%%n", "%1$s %%", "\xff\x01\n",
                "%000005d", "%-+ #0999.999llX", "%.s", "%2$s%1$s", "%1$d %1$i %1$c", "%1$x %1$o %1$u",
                "%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d",
                "%16$d%15$d%14$d%13$d%12$d%11$d%10$d%9$d%8$d%7$d%6$d%5$d%4$d%3$d%2$d%1$d"};

        (void)state;
        for (size_t i = 0; i < ELEMENTS(good); i++) {
                const char *why = "untouched";

                assert_int_equal(message_check(good[i], &why), 0);
                assert_string_equal(why, "untouched");
        }
}

static void a_format_is_shorter_than_its_field(void **state)
{
        char format[MESSAGE_FORMAT_MAX + 1];
        const char *why = NULL;

        (void)state;
        memset(format, 'x', sizeof(format));
        format[MESSAGE_FORMAT_MAX - 1] = '\0';
        assert_int_equal(message_check(format, &why), 0);
        format[MESSAGE_FORMAT_MAX - 1] = 'x';
        format[MESSAGE_FORMAT_MAX] = '\0';
        assert_int_equal(message_check(format, &why), -EINVAL);
        assert_string_equal(why, "it is too long");
}

static void packed_arguments_are_a_letter_and_a_value_each(void **state)
{
        static const char expected[] = "d\xfe\xff\xff\xff\xff\xff\xff\xff"
                                       "sab\0"
                                       "u\x04\x03\x02\x01\0\0\0\0"
                                       "da\0\0\0\0\0\0";
        struct message_args args;

        (void)state;
        memset(&args, 0xff, sizeof(args));
        assert_int_equal(pack(&args, "%d %s %x %c", -2, "ab", 0x01020304U, 'a'), 0);
        assert_int_equal(args.n, 4);
        assert_int_equal(args.size, sizeof(expected));
        assert_memory_equal(args.bytes, expected, sizeof(expected));
        for (size_t i = args.size; i < sizeof(args.bytes); i++)
                assert_int_equal(args.bytes[i], 0);
}

static void positions_are_packed_in_the_order_of_arguments(void **state)
{
        struct message_args args;

        (void)state;
        assert_int_equal(pack(&args, "%2$s %1$u %2$s", 1U, "two"), 0);
        assert_int_equal(args.n, 2);
        assert_int_equal(args.size, 9 + 5);
        assert_memory_equal(args.bytes, "u\1\0\0\0\0\0\0\0stwo", args.size);
}

static void nothing_is_packed_for_what_is_no_format(void **state)
{
        char *word[] = {(char[]){"1"}};
        struct message_args args;
        size_t bad = 77;

        (void)state;
        memset(&args, 0xab, sizeof(args));
        assert_int_equal(pack(&args, "%n", (int *)NULL), -EINVAL);
        assert_int_equal(message_pack_words("%n", word, 1, &args, &bad), -EINVAL);
        assert_int_equal(message_pack_words("%d", word, 0, &args, &bad), -EINVAL);
        assert_int_equal(message_pack_words("%d %d", word, 1, &args, &bad), -EINVAL);
        assert_int_equal(message_pack_words("", word, 1, &args, &bad), -EINVAL);
        assert_int_equal(bad, 77);
        assert_int_equal(args.n, 0xab);
        assert_int_equal(args.bytes[0], 0xab);
}

static void a_text_that_is_null_says_so(void **state)
{
        _cleanup_free_ char *text = NULL;
        struct message_args args;

        (void)state;
        assert_int_equal(pack(&args, "%s %s", (char *)NULL, "x"), 0);
        text = render("%s %s", NULL, &args);
        assert_string_equal(text, "(null) x");
}

static void a_text_is_not_read_beyond_its_precision(void **state)
{
        char *block = malloc(4); /* an own block: the sanitizer tells a read too far */
        _cleanup_free_ char *text = NULL;
        struct message_args args;

        (void)state;
        assert_non_null(block);
        memcpy(block, "abcd", 4);
        assert_int_equal(pack(&args, "%1$.4s %1$.1s", block), 0);
        free(block);
        assert_int_equal(args.size, 1 + 4 + 1);
        text = render("%1$.4s %1$.1s", NULL, &args);
        assert_string_equal(text, "abcd a");
}

/* Packs a text of whole characters behind `before` bytes, and looks at what was kept of it. */
static void check_cut(const char *character, size_t before)
{
        size_t size = strlen(character), room = MESSAGE_ARGS_SIZE - 2 - 3;
        char text[MESSAGE_ARGS_SIZE * 2];
        struct message_args args;
        size_t kept = before + (room - before) / size * size;

        memset(text, '.', before);
        for (size_t at = before; at + size <= sizeof(text) - 1; at += size) {
                memcpy(text + at, character, size);
                text[at + size] = '\0';
        }
        assert_int_equal(pack(&args, "%s", text), 0);
        assert_true(message_args_valid(args.bytes, args.size, args.n));
        assert_int_equal(args.size, 1 + kept + 3 + 1);
        assert_memory_equal(args.bytes + 1, text, kept);
        assert_string_equal((char *)args.bytes + 1 + kept, "...");
}

static void a_long_text_is_cut_at_the_beginning_of_a_character(void **state)
{
        static const char *const characters[] = {"a", A_UMLAUT, EURO, CLEF};

        (void)state;
        for (size_t i = 0; i < ELEMENTS(characters); i++)
                for (size_t before = 0; before < 4; before++)
                        check_cut(characters[i], before);
}

static void what_is_not_utf8_is_cut_anywhere(void **state)
{
        char text[MESSAGE_ARGS_SIZE + 1];
        struct message_args args;

        (void)state;
        memset(text, 0x80, sizeof(text));
        text[MESSAGE_ARGS_SIZE] = '\0';
        assert_int_equal(pack(&args, "%s", text), 0);
        assert_int_equal(args.size, MESSAGE_ARGS_SIZE);
        assert_string_equal((char *)args.bytes + MESSAGE_ARGS_SIZE - 4, "...");
}

static void a_text_that_just_fits_is_whole(void **state)
{
        char text[MESSAGE_ARGS_SIZE];
        struct message_args args;

        (void)state;
        memset(text, 'x', sizeof(text));
        text[MESSAGE_ARGS_SIZE - 2] = '\0';
        assert_int_equal(pack(&args, "%s", text), 0);
        assert_int_equal(args.size, MESSAGE_ARGS_SIZE);
        assert_string_equal((char *)args.bytes + 1, text);
}

static void a_long_text_leaves_room_for_what_comes_behind_it(void **state)
{
        _cleanup_free_ char *second = NULL, *third = NULL, *fourth = NULL;
        char text[1000];
        struct message_args args;

        (void)state;
        memset(text, 'x', sizeof(text));
        text[sizeof(text) - 1] = '\0';
        assert_int_equal(pack(&args, "%s %d %s %s", text, 42, "ab", text), 0);
        assert_true(message_args_valid(args.bytes, args.size, args.n));
        assert_int_equal(args.size, MESSAGE_ARGS_SIZE);
        second = message_argument(&args, 1);
        third = message_argument(&args, 2);
        fourth = message_argument(&args, 3);
        assert_string_equal(second, "42");
        assert_string_equal(third, "ab");
        assert_string_equal(fourth, "...");
}

static void sixteen_of_anything_fit(void **state)
{
        static const char numbers[] = "%u%u%u%u%u%u%u%u%u%u%u%u%u%u%u%u", texts[] = "%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s";
        char text[] = "a text of some length", number[] = "0xffffffffffffffff";
        char *words[MESSAGE_ARGS_MAX];
        struct message_args args;

        (void)state;
        for (size_t i = 0; i < ELEMENTS(words); i++)
                words[i] = number;
        assert_int_equal(message_pack_words(numbers, words, MESSAGE_ARGS_MAX, &args, NULL), 0);
        assert_int_equal(args.size, 9 * MESSAGE_ARGS_MAX);
        assert_true(message_args_valid(args.bytes, args.size, args.n));
        for (size_t i = 0; i < ELEMENTS(words); i++)
                words[i] = text;
        assert_int_equal(message_pack_words(texts, words, MESSAGE_ARGS_MAX, &args, NULL), 0);
        assert_true(args.size <= MESSAGE_ARGS_SIZE);
        assert_int_equal(args.n, MESSAGE_ARGS_MAX);
        assert_true(message_args_valid(args.bytes, args.size, args.n));
}

static void words_are_read_as_their_conversions_want(void **state)
{
        static const struct {
                const char *format, *word, *expected; /* NULL: -ERANGE */
        } cases[] = {
                {"%d", "12", "12"},
                {"%i", "-0x10", "-16"},
                {"%d", "010", "8"},
                {"%d", " +5", "5"},
                {"%d", "9223372036854775807", "9223372036854775807"},
                {"%d", "-9223372036854775808", "-9223372036854775808"},
                {"%hhd", "300", "300"},
                {"%u", "18446744073709551615", "18446744073709551615"},
                {"%x", "-1", "ffffffffffffffff"},
                {"%o", "8", "10"},
                {"%X", "0xabc", "ABC"},
                {"%c", "a", "a"},
                {"%c", "7", "7"},
                {"%s", "", ""},
                {"%s", "two words", "two words"},
                {"%.3s", "abcdef", "abc"},
                {"%d", "", NULL},
                {"%d", " ", NULL},
                {"%d", "1x", NULL},
                {"%d", "1 ", NULL},
                {"%d", "one", NULL},
                {"%d", "0x", NULL},
                {"%d", "08", NULL},
                {"%d", "1.5", NULL},
                {"%d", "9223372036854775808", NULL},
                {"%d", "-9223372036854775809", NULL},
                {"%u", "18446744073709551616", NULL},
                {"%c", "", NULL},
                {"%c", "ab", NULL},
                {"%c", A_UMLAUT, NULL},
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                _cleanup_free_ char *word = strdup(cases[i].word), *text = NULL;
                struct message_args args;
                size_t bad = 77;
                int r = message_pack_words(cases[i].format, &word, 1, &args, &bad);

                assert_int_equal(r, cases[i].expected ? 0 : -ERANGE);
                assert_int_equal(bad, cases[i].expected ? 77 : 0);
                if (!cases[i].expected)
                        continue;
                assert_true(message_args_valid(args.bytes, args.size, args.n));
                text = render(cases[i].format, NULL, &args);
                assert_string_equal(text, cases[i].expected);
        }
}

static void the_bad_word_is_named(void **state)
{
        char *words[] = {(char[]){"text"}, (char[]){"7"}, (char[]){"x7"}};
        struct message_args args = {.n = 99};
        size_t bad = 77;

        (void)state;
        assert_int_equal(message_pack_words("%3$u %1$s %2$d", words, 3, &args, &bad), -ERANGE);
        assert_int_equal(bad, 2);
        assert_int_equal(args.n, 99);
        assert_int_equal(message_pack_words("%3$u %1$s %2$d", words, 3, &args, NULL), -ERANGE);
}

static void words_and_arguments_make_the_same(void **state)
{
        char *words[] = {(char[]){"-5"}, (char[]){"text"}, (char[]){"x"}, (char[]){"077"}};
        struct message_args a, b;

        (void)state;
        assert_int_equal(message_pack_words("%d %s %c %o", words, 4, &a, NULL), 0);
        assert_int_equal(pack(&b, "%d %s %c %o", -5, "text", 'x', 077U), 0);
        assert_memory_equal(&a, &b, sizeof(a));
}

static void valid_is_what_packing_makes(void **state)
{
        static const struct {
                const char *bytes;
                size_t size;
                unsigned int n;
                bool valid;
        } cases[] = {
                {"", 0, 0, true},
                {"s", 2, 1, true},
                {"sa\0d12345678", 12, 2, true},
                {"u12345678d12345678", 18, 2, true},
                {"", 0, 1, false},
                {"s", 1, 1, false},
                {"sab", 3, 1, false},
                {"d1234567", 8, 1, false},
                {"d", 1, 1, false},
                {"x12345678", 9, 1, false},
                {"d12345678", 9, 0, false},
                {"d12345678", 9, 2, false},
                {"d12345678\0", 10, 1, false},
                {"\0", 1, 0, false},
                {"s\0s\0s\0s\0s\0s\0s\0s\0s\0s\0s\0s\0s\0s\0s\0s", 32, 16, true},
                {"s\0s\0s\0s\0s\0s\0s\0s\0s\0s\0s\0s\0s\0s\0s\0s\0s", 34, 17, false},
                {"s", 2, 257, false},
                {"s", 2, UINT_MAX, false},
        };

        (void)state;
        assert_true(message_args_valid(NULL, 0, 0));
        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                uint8_t *block = malloc(cases[i].size ? cases[i].size : 1);

                assert_non_null(block);
                memcpy(block, cases[i].bytes, cases[i].size);
                assert_int_equal(message_args_valid(block, cases[i].size, cases[i].n), cases[i].valid);
                free(block);
        }
}

static void arguments_longer_than_their_field_are_not_valid(void **state)
{
        uint8_t bytes[MESSAGE_ARGS_SIZE + 1];

        (void)state;
        memset(bytes, 's', sizeof(bytes));
        bytes[MESSAGE_ARGS_SIZE - 1] = '\0';
        bytes[MESSAGE_ARGS_SIZE] = '\0';
        assert_true(message_args_valid(bytes, MESSAGE_ARGS_SIZE, 1));
        bytes[MESSAGE_ARGS_SIZE - 1] = 'x';
        assert_false(message_args_valid(bytes, MESSAGE_ARGS_SIZE + 1, 1));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_is_no_format_is_refused_with_a_reason),
                cmocka_unit_test(what_is_a_format_is_taken),
                cmocka_unit_test(a_format_is_shorter_than_its_field),
                cmocka_unit_test(packed_arguments_are_a_letter_and_a_value_each),
                cmocka_unit_test(positions_are_packed_in_the_order_of_arguments),
                cmocka_unit_test(nothing_is_packed_for_what_is_no_format),
                cmocka_unit_test(a_text_that_is_null_says_so),
                cmocka_unit_test(a_text_is_not_read_beyond_its_precision),
                cmocka_unit_test(a_long_text_is_cut_at_the_beginning_of_a_character),
                cmocka_unit_test(what_is_not_utf8_is_cut_anywhere),
                cmocka_unit_test(a_text_that_just_fits_is_whole),
                cmocka_unit_test(a_long_text_leaves_room_for_what_comes_behind_it),
                cmocka_unit_test(sixteen_of_anything_fit),
                cmocka_unit_test(words_are_read_as_their_conversions_want),
                cmocka_unit_test(the_bad_word_is_named),
                cmocka_unit_test(words_and_arguments_make_the_same),
                cmocka_unit_test(valid_is_what_packing_makes),
                cmocka_unit_test(arguments_longer_than_their_field_are_not_valid),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
