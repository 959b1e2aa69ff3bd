/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_kept.c - the file of the device numbers that a partition had.
 */
#include "devid/kept.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct devid_name no_special;

static struct devid_number sample(void)
{
        struct devid_number number = {
                .first = 16, .count = 8, .within = 2, .virtual = DEVID_ANY, .state = DEVID_ASSIGNED};

        strcpy(number.family.text, "c60");
        strcpy(number.instance.text, "a b\n\xff");
        return number;
}

static void what_is_written_is_read_again(void **state)
{
        const struct devid_number wrote = sample();
        struct devid_number read;
        struct devid_name special;
        char text[2 * KEPT_LINE_MAX];
        const char *at = text;
        size_t n = kept_format(&wrote, &no_special, text, sizeof(text));

        (void)state;
        assert_string_equal(text, "c60 16 8 2 4294967295 2 6120620aff\n");
        assert_true(kept_format(&wrote, &no_special, text + n, sizeof(text) - n) == n);
        for (int i = 0; i < 2; i++) {
                assert_int_equal(kept_parse(&at, &read, &special), 1);
                assert_memory_equal(&read, &wrote, sizeof(read));
                assert_memory_equal(&special, &no_special, sizeof(special));
        }
        assert_int_equal(kept_parse(&at, &read, &special), 0);
}

static void with_the_name_of_its_special_file(void **state)
{
        const struct devid_number wrote = sample();
        const struct devid_name name = {.text = "net/tun 7"};
        struct devid_number read;
        struct devid_name special;
        char text[KEPT_LINE_MAX];
        const char *at = text;

        (void)state;
        (void)kept_format(&wrote, &name, text, sizeof(text));
        assert_string_equal(text, "c60 16 8 2 4294967295 2 6120620aff 6e65742f74756e2037\n");
        assert_int_equal(kept_parse(&at, &read, &special), 1);
        assert_memory_equal(&read, &wrote, sizeof(read));
        assert_memory_equal(&special, &name, sizeof(special));
}

static void what_does_not_fit_is_not_written(void **state)
{
        const struct devid_number number = sample();
        char buf[16];

        (void)state;
        assert_int_equal(kept_format(&number, &no_special, buf, sizeof(buf)), 0);
}

static void another_form_is_refused(void **state)
{
        static const char *const lines[] = {"c60 16 8 2 1 2 61", /* no end */
                "c60 16 8 2 1 2\n", "c60 16 8 2 1 2 6\n", "c60 16 8 2 1 2 zz\n", "c60 16 8 2 1 2 6100\n",
                "c60 4096 8 2 1 2 61\n", "c60 16 0 2 1 2 61\n", "c60 16 65 2 1 2 61\n", "c60 16 8 0 1 2 61\n",
                "c60 16 8 2 1 3 61\n", "c60 16 8 2 1 0 61\n", "c60 16 8 2 1 2 61 more\n", "\n", "c60 16 8 2 1 2 61 \n",
                "c60 16 8 2 1 2 61 6\n", "c60 16 8 2 1 2 61 61 \n", "c60 16 8 2 1 2 61 61 61\n",
                "c60 16 8 2 1 2 61 61616161616161616161616161616161616161616161616161616161616161616161\n",
                "a-family-with-a-name-of-more-than-31-bytes 16 8 2 1 2 61\n",
                "c60 16 8 2 1 2 61616161616161616161616161616161616161616161616161616161616161616161\n"};
        struct devid_number number;
        struct devid_name special;

        (void)state;
        for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
                const char *at = lines[i];

                assert_int_equal(kept_parse(&at, &number, &special), -EBADMSG);
        }
}

static void minors_follow_their_major(void **state)
{
        struct devid_name family = {.text = "c60"};

        (void)state;
        kept_rename(&family, DEVID_BLOCK, 60, 61);
        assert_string_equal(family.text, "c60");
        kept_rename(&family, DEVID_CHAR, 6, 61);
        assert_string_equal(family.text, "c60");
        kept_rename(&family, DEVID_CHAR, 60, 121);
        assert_string_equal(family.text, "c121");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_is_written_is_read_again),
                cmocka_unit_test(with_the_name_of_its_special_file),
                cmocka_unit_test(what_does_not_fit_is_not_written),
                cmocka_unit_test(another_form_is_refused),
                cmocka_unit_test(minors_follow_their_major),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
