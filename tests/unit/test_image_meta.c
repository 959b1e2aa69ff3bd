/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_image_meta.c - the codec of meta.json and the reader of os-release.
 */
#include "base/cleanup.h"
#include "image/os_release.h"
#include "image/store.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct image_meta sample = {.info = {.id = ID,
                                                 .name = "trixie",
                                                 .native = false,
                                                 .os = "Debian \"13\" \\x1b",
                                                 .source = "mmdebstrap trixie",
                                                 .created = 1234567890,
                                                 .size_bytes = 1ULL << 40},
        .stamp = "aa"};

static void what_is_encoded_is_decoded_alike(void **state)
{
        _cleanup_free_ char *text = image_meta_encode(&sample);
        struct image_meta got;

        (void)state;
        assert_non_null(text);
        assert_int_equal(image_meta_decode(text, strlen(text), &got, NULL), 0);
        assert_string_equal(got.info.id, sample.info.id);
        assert_string_equal(got.info.name, sample.info.name);
        assert_string_equal(got.info.os, sample.info.os);
        assert_string_equal(got.info.source, sample.info.source);
        assert_string_equal(got.stamp, sample.stamp);
        assert_int_equal(got.info.created, sample.info.created);
        assert_int_equal(got.info.size_bytes, sample.info.size_bytes);
        assert_false(got.info.native);
}

/* Replaces the first `from` by `to` in a good file; the result must be refused as damaged. */
static void refuses(const char *from, const char *to)
{
        _cleanup_free_ char *text = image_meta_encode(&sample), *bad = NULL;
        struct croft_error err = CROFT_ERROR_INIT;
        struct image_meta got;
        char *at = strstr(text, from);

        assert_non_null(at);
        assert_true(asprintf(&bad, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from)) > 0);
        assert_int_equal(image_meta_decode(bad, strlen(bad), &got, &err), -EUCLEAN);
        assert_int_equal(err.code, EUCLEAN);
}

static void damage_of_each_field_is_noticed(void **state)
{
        (void)state;
        refuses("\"version\": 1", "\"version\": 2");
        refuses("\"id\": \"0", "\"id\": \"g");
        refuses("\"id\": \"0", "\"id\": \"");
        refuses("trixie\"", "Trixie/../x\"");
        refuses("\"native\": false", "\"native\": 0");
        refuses("1234567890", "\"1234567890\"");
        refuses("1234567890", "-1");
        refuses("\"stamp\": \"aa\"", "\"stamp\": null");
        refuses("\"os\"", "\"so\"");
        refuses("}", "");
        refuses("\"os\"", "\"id\": \"" ID "\", \"os\"");
}

static void every_cut_of_the_file_is_refused(void **state)
{
        _cleanup_free_ char *text = image_meta_encode(&sample);
        struct image_meta got;

        (void)state;
        for (size_t n = 0; n < strlen(text) - 1; n++)
                assert_int_equal(image_meta_decode(text, n, &got, NULL), -EUCLEAN);
}

static void ids_are_64_small_hex_digits(void **state)
{
        (void)state;
        assert_true(image_is_id(ID));
        assert_false(image_is_id("0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef"));
        assert_false(image_is_id("../../../../../../../../../../../../../../../../../../../../../.."));
        assert_false(image_is_id(""));
}

static void os_release_values_lose_their_quotes_and_are_escaped(void **state)
{
        char value[64];

        (void)state;
        os_release_value("NAME=x\nPRETTY_NAME=\"Debian 12\"\n", "PRETTY_NAME", value, sizeof(value));
        assert_string_equal(value, "Debian 12");
        os_release_value("PRETTY_NAME='a'", "PRETTY_NAME", value, sizeof(value));
        assert_string_equal(value, "a");
        os_release_value("PRETTY_NAME=\033[2Jx\n", "PRETTY_NAME", value, sizeof(value));
        assert_null(strchr(value, '\033'));
        os_release_value("XPRETTY_NAME=a\nPRETTY_NAME\n", "PRETTY_NAME", value, sizeof(value));
        assert_string_equal(value, "");
        os_release_value("PRETTY_NAME=\"", "PRETTY_NAME", value, sizeof(value));
        assert_string_equal(value, "\"");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_is_encoded_is_decoded_alike),
                cmocka_unit_test(damage_of_each_field_is_noticed),
                cmocka_unit_test(every_cut_of_the_file_is_refused),
                cmocka_unit_test(ids_are_64_small_hex_digits),
                cmocka_unit_test(os_release_values_lose_their_quotes_and_are_escaped),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
