/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_error.c - struct croft_error: chains, cutting, exit classes.
 */
#include "base/error.h"

#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The invariant of error.c: text[0..used) is exactly n_causes strings, at[i] where the i-th begins. */
static void assert_well_formed(const struct croft_error *err)
{
        size_t at = 0;

        assert_true(err->n_causes <= CROFT_ERROR_CAUSES_MAX);
        assert_true(err->used <= sizeof(err->text));
        for (unsigned int i = 0; i < err->n_causes; i++) {
                assert_int_equal(err->at[i], at);
                at += strnlen(err->text + at, sizeof(err->text) - at) + 1;
        }
        assert_int_equal(at, err->used);
}

static void a_set_error_has_code_fragment_and_text_of_errno(void **state)
{
        struct croft_error err = CROFT_ERROR_INIT;

        (void)state;
        assert_int_equal(croft_error_set(&err, ENOENT, "open '%s'", "manifest"), -ENOENT);
        assert_int_equal(err.code, ENOENT);
        assert_string_equal(croft_error_cause(&err, 0), "open 'manifest': No such file or directory");
        assert_null(croft_error_cause(&err, 1));
        assert_well_formed(&err);
}

static void the_sign_of_the_code_does_not_matter(void **state)
{
        struct croft_error err = CROFT_ERROR_INIT;

        (void)state;
        assert_int_equal(croft_error_set(&err, -EBUSY, "x"), -EBUSY);
        assert_int_equal(err.code, EBUSY);
}

static void the_code_zero_becomes_an_io_error(void **state)
{
        struct croft_error err = CROFT_ERROR_INIT;

        (void)state;
        assert_int_equal(croft_error_set(&err, 0, "x"), -EIO);
        assert_int_equal(err.code, EIO);
}

static void a_fragment_with_a_dot_is_a_whole_sentence(void **state)
{
        struct croft_error err = CROFT_ERROR_INIT;

        (void)state;
        (void)croft_error_set(&err, ENOENT, "no partition 'web'.");
        assert_string_equal(croft_error_cause(&err, 0), "no partition 'web'");
        (void)croft_error_prefix(&err, "start 'web'");
        assert_string_equal(croft_error_cause(&err, 1), "no partition 'web'");
        assert_well_formed(&err);
}

static void an_unknown_code_has_a_text_too(void **state)
{
        struct croft_error err = CROFT_ERROR_INIT;

        (void)state;
        (void)croft_error_set(&err, 4000, "x");
        assert_string_equal(croft_error_cause(&err, 0), "x: Unknown error");
        assert_string_equal(croft_error_name(4000), "EUNKNOWN");
}

static void names_of_codes_are_those_of_errno(void **state)
{
        (void)state;
        assert_string_equal(croft_error_name(ENOENT), "ENOENT");
        assert_string_equal(croft_error_name(-EBUSY), "EBUSY");
        assert_string_equal(croft_error_name(INT_MIN), "EUNKNOWN");
}

static void prefixes_go_in_front_and_the_line_joins_all(void **state)
{
        struct croft_error err = CROFT_ERROR_INIT;
        char line[256];

        (void)state;
        (void)croft_error_set(&err, ENOENT, "open 'manifest'");
        assert_int_equal(croft_error_prefix(&err, "attach root version %u", 7), -ENOENT);
        assert_int_equal(croft_error_prefix(&err, "start '%s'", "web1"), -ENOENT);
        assert_string_equal(croft_error_line(&err, line, sizeof(line)),
                "start 'web1': attach root version 7: open 'manifest': No such file or directory");
        assert_string_equal(croft_error_cause(&err, 0), "start 'web1'");
        assert_string_equal(croft_error_cause(&err, 2), "open 'manifest': No such file or directory");
        assert_null(croft_error_cause(&err, UINT_MAX));
        assert_well_formed(&err);
}

static void a_prefix_without_an_error_changes_nothing(void **state)
{
        struct croft_error err = CROFT_ERROR_INIT;

        (void)state;
        assert_int_equal(croft_error_prefix(&err, "x"), -EIO);
        assert_int_equal(err.code, 0);
        assert_int_equal(err.n_causes, 0);
}

static void a_new_error_replaces_the_old_chain(void **state)
{
        struct croft_error err = CROFT_ERROR_INIT;

        (void)state;
        (void)croft_error_set(&err, ENOENT, "a");
        (void)croft_error_prefix(&err, "b");
        (void)croft_error_set(&err, EPERM, "c.");
        assert_int_equal(err.n_causes, 1);
        assert_string_equal(croft_error_cause(&err, 0), "c");
        assert_well_formed(&err);
}

static void null_is_accepted_everywhere(void **state)
{
        struct croft_error src = CROFT_ERROR_INIT;
        char line[8] = "x";

        (void)state;
        croft_error_clear(NULL);
        (void)croft_error_set(&src, EPERM, "x");
        assert_int_equal(croft_error_set(NULL, ENOENT, "x"), -ENOENT);
        assert_int_equal(croft_error_prefix(NULL, "x"), -EIO);
        assert_int_equal(croft_error_copy(NULL, &src), -EPERM);
        assert_null(croft_error_cause(NULL, 0));
        assert_string_equal(croft_error_line(NULL, line, sizeof(line)), "");
        assert_int_equal(croft_error_exit(NULL), CROFT_EXIT_FAILURE);
}

static void a_copy_says_the_same_and_a_copy_to_itself_too(void **state)
{
        struct croft_error src = CROFT_ERROR_INIT, dst = CROFT_ERROR_INIT;
        char line[64];

        (void)state;
        (void)croft_error_set(&src, EPERM, "inner.");
        (void)croft_error_prefix(&src, "outer");
        assert_int_equal(croft_error_copy(&dst, &src), -EPERM);
        assert_int_equal(croft_error_copy(&dst, &dst), -EPERM);
        assert_string_equal(croft_error_line(&dst, line, sizeof(line)), "outer: inner");
}

static void clearing_leaves_no_error(void **state)
{
        struct croft_error err = CROFT_ERROR_INIT;
        char line[8];

        (void)state;
        (void)croft_error_set(&err, EPERM, "x");
        croft_error_clear(&err);
        assert_int_equal(croft_error_exit(&err), CROFT_EXIT_OK);
        assert_string_equal(croft_error_line(&err, line, sizeof(line)), "");
        assert_well_formed(&err);
}

static void fragments_of_every_length_keep_the_storage_well_formed(void **state)
{
        static char text[CROFT_ERROR_TEXT_MAX * 2];

        (void)state;
        for (size_t length = 0; length < sizeof(text) - 1; length++) {
                struct croft_error err = CROFT_ERROR_INIT;

                memset(text, 'x', length);
                text[length] = '\0';
                assert_int_equal(croft_error_set(&err, ENOENT, "%s", text), -ENOENT);
                assert_well_formed(&err);
                (void)croft_error_prefix(&err, "%s", text);
                (void)croft_error_prefix(&err, "outer");
                assert_well_formed(&err);
                assert_int_equal(err.code, ENOENT);
                assert_memory_equal(croft_error_cause(&err, err.n_causes - 1), text,
                        length < sizeof(err.text) ? length : sizeof(err.text) - 1);
        }
}

static void a_dot_at_the_cut_end_of_a_full_buffer_is_handled(void **state)
{
        static char text[CROFT_ERROR_TEXT_MAX + 8];
        struct croft_error err = CROFT_ERROR_INIT;

        (void)state;
        memset(text, '.', sizeof(text) - 1);
        (void)croft_error_set(&err, ENOENT, "%s", text);
        assert_well_formed(&err);
}

static void too_many_prefixes_lose_the_outermost_and_keep_the_cause(void **state)
{
        struct croft_error err = CROFT_ERROR_INIT;

        (void)state;
        (void)croft_error_set(&err, ENOENT, "cause.");
        for (unsigned int i = 0; i < 100; i++) {
                assert_int_equal(croft_error_prefix(&err, "level %u", i), -ENOENT);
                assert_well_formed(&err);
        }
        assert_int_equal(err.n_causes, CROFT_ERROR_CAUSES_MAX);
        assert_string_equal(croft_error_cause(&err, CROFT_ERROR_CAUSES_MAX - 1), "cause");
        assert_string_equal(croft_error_cause(&err, 0), "level 10");
}

static void a_line_is_cut_to_every_size(void **state)
{
        struct croft_error err = CROFT_ERROR_INIT;
        char whole[256];

        (void)state;
        (void)croft_error_set(&err, EPERM, "inner");
        (void)croft_error_prefix(&err, "middle");
        (void)croft_error_prefix(&err, "outer");
        (void)croft_error_line(&err, whole, sizeof(whole));
        for (size_t size = 1; size <= strlen(whole) + 2; size++) {
                char *line = malloc(size);

                assert_non_null(line);
                assert_ptr_equal(croft_error_line(&err, line, size), line);
                assert_true(strlen(line) < size);
                assert_memory_equal(line, whole, strlen(line));
                assert_int_equal(strlen(line), strlen(whole) < size ? strlen(whole) : size - 1);
                free(line);
        }
}

static void a_line_of_no_size_is_not_touched(void **state)
{
        struct croft_error err = CROFT_ERROR_INIT;
        char c = 'x';

        (void)state;
        (void)croft_error_set(&err, EPERM, "x");
        assert_ptr_equal(croft_error_line(&err, &c, 0), &c);
        assert_int_equal(c, 'x');
}

static void each_class_of_errors_has_its_exit_status(void **state)
{
        static const struct {
                int code;
                enum croft_exit exit;
        } table[] = {
                {0, CROFT_EXIT_OK},
                {EINVAL, CROFT_EXIT_USAGE},
                {ENOENT, CROFT_EXIT_NOT_FOUND},
                {ENXIO, CROFT_EXIT_NOT_FOUND},
                {ESRCH, CROFT_EXIT_NOT_FOUND},
                {EPERM, CROFT_EXIT_DENIED},
                {EACCES, CROFT_EXIT_DENIED},
                {EBUSY, CROFT_EXIT_BUSY},
                {EEXIST, CROFT_EXIT_BUSY},
                {EAGAIN, CROFT_EXIT_BUSY},
                {ENOSPC, CROFT_EXIT_EXHAUSTED},
                {EDQUOT, CROFT_EXIT_EXHAUSTED},
                {EMFILE, CROFT_EXIT_EXHAUSTED},
                {ENFILE, CROFT_EXIT_EXHAUSTED},
                {ENOMEM, CROFT_EXIT_EXHAUSTED},
                {EUSERS, CROFT_EXIT_EXHAUSTED},
                {EILSEQ, CROFT_EXIT_NOT_EQUIVALENT},
                {ESTALE, CROFT_EXIT_OUT_OF_SYNC},
                {EUCLEAN, CROFT_EXIT_BROKEN},
                {ENOTRECOVERABLE, CROFT_EXIT_BROKEN},
                {EIO, CROFT_EXIT_FAILURE},
                {4000, CROFT_EXIT_FAILURE},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
                struct croft_error err = {.code = table[i].code};

                assert_int_equal(croft_error_exit(&err), table[i].exit);
        }
}

/* What was said can be said in another language: the format and its arguments. */
static void fragments_keep_what_they_are_made_of(void **state)
{
        static char long_format[200];
        struct croft_error err = CROFT_ERROR_INIT, copy = CROFT_ERROR_INIT;
        struct message_args args;
        char text[300], *argument;

        (void)state;
        memset(long_format, 'x', sizeof(long_format) - 1);
        memset(text, 'y', sizeof(text) - 1);
        text[sizeof(text) - 1] = '\0';
        croft_error_set(&err, EIO, "%d of %s", 7, "a");
        croft_error_prefix(&err, "no arguments.");
        croft_error_prefix(&err, "%s", long_format);
        croft_error_copy(&copy, &err);
        croft_error_clear(&err);
        assert_string_equal(error_format(&copy, 2, &args), "%d of %s");
        assert_int_equal(args.n, 2);
        argument = message_argument(&args, 0);
        assert_string_equal(argument, "7");
        free(argument);
        assert_string_equal(error_format(&copy, 1, &args), "no arguments.");
        assert_int_equal(args.n + args.size, 0);
        assert_string_equal(error_format(&copy, 0, &args), "%s");
        assert_null(error_format(&copy, 3, &args));
        /* One that messages can't hold is text alone, and what has no room any more. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-extra-args"
        croft_error_set(&err, EIO, long_format, 1);
#pragma GCC diagnostic pop
        assert_null(error_format(&err, 0, &args));
        croft_error_set(&err, EIO, "inner");
        for (int i = 0; i < CROFT_ERROR_CAUSES_MAX - 1; i++)
                croft_error_prefix(&err, "%.20s%s", text, text);
        assert_string_equal(error_format(&err, err.n_causes - 1, &args), "inner");
        for (unsigned int i = 0; i < err.n_causes; i++)
                if (error_format(&err, i, &args))
                        assert_true(message_args_valid(args.bytes, args.size, args.n));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_set_error_has_code_fragment_and_text_of_errno),
                cmocka_unit_test(the_sign_of_the_code_does_not_matter),
                cmocka_unit_test(the_code_zero_becomes_an_io_error),
                cmocka_unit_test(a_fragment_with_a_dot_is_a_whole_sentence),
                cmocka_unit_test(an_unknown_code_has_a_text_too),
                cmocka_unit_test(names_of_codes_are_those_of_errno),
                cmocka_unit_test(prefixes_go_in_front_and_the_line_joins_all),
                cmocka_unit_test(a_prefix_without_an_error_changes_nothing),
                cmocka_unit_test(a_new_error_replaces_the_old_chain),
                cmocka_unit_test(null_is_accepted_everywhere),
                cmocka_unit_test(a_copy_says_the_same_and_a_copy_to_itself_too),
                cmocka_unit_test(clearing_leaves_no_error),
                cmocka_unit_test(fragments_of_every_length_keep_the_storage_well_formed),
                cmocka_unit_test(a_dot_at_the_cut_end_of_a_full_buffer_is_handled),
                cmocka_unit_test(too_many_prefixes_lose_the_outermost_and_keep_the_cause),
                cmocka_unit_test(a_line_is_cut_to_every_size),
                cmocka_unit_test(a_line_of_no_size_is_not_touched),
                cmocka_unit_test(each_class_of_errors_has_its_exit_status),
                cmocka_unit_test(fragments_keep_what_they_are_made_of),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
