/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_refusals.c - what is said of a device number that was refused.
 */
#include "devid/refusals.h"

#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void says(int code, const char *family, int expected, const char *sentence)
{
        struct devid_refusal refusal = {.key = {.partition = 7, .code = (uint32_t)code}};
        struct croft_error err = CROFT_ERROR_INIT;
        char line[CROFT_ERROR_TEXT_MAX];

        memcpy(refusal.family.text, family, strnlen(family, sizeof(refusal.family.text)));
        devid_refusal_say(&refusal, &err);
        assert_int_equal(err.code, expected);
        assert_string_equal(croft_error_line(&err, line, sizeof(line)), sentence);
}

static void each_kind_has_its_sentence(void **state)
{
        (void)state;
        says(EDQUOT, "char", EDQUOT, "it asked for more device numbers of 'char' than it is granted");
        says(ENOENT, "tape", ENOENT, "it asked for a device number of 'tape', which it isn't granted");
        says(ENOSPC, "c60", ENOSPC, "it asked for a device number of 'c60', of which none is free");
        says(ENOMEM, "char", ENOMEM, "it asked for a device number of 'char', and the table is full");
        says(EPERM, "loop", EPERM, "it asked for what isn't its own among the device numbers of 'loop'");
        says(12345, "loop", EPERM, "it asked for what isn't its own among the device numbers of 'loop'");
}

/* The partition wrote it, and it needn't end. */
static void a_name_is_bounded_and_escaped(void **state)
{
        (void)state;
        says(ENOENT, "\033[2J\n", ENOENT, "it asked for a device number of '\\x1b[2J\\x0a', which it isn't granted");
        says(ENOENT, "0123456789012345678901234567890123456789", ENOENT,
                "it asked for a device number of '01234567890123456789012345678901', which it isn't granted");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(each_kind_has_its_sentence),
                cmocka_unit_test(a_name_is_bounded_and_escaped),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
