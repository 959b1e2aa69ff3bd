/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_remote_frame.c - frames between two machines: taken whole or not at all, and refused before they are waited for.
 */
#include "base/cleanup.h"
#include "base/str.h"
#include "fault.h"
#include "remote/frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static size_t put(uint8_t *buf, enum frame_type type, const void *body, size_t size)
{
        frame_put_head(buf, type, size);
        if (size > 0)
                memcpy(buf + FRAME_HEAD, body, size);
        return FRAME_HEAD + size;
}

static void a_frame_is_taken_once_it_is_whole(void **state)
{
        uint8_t buf[64];
        size_t size = put(buf, FRAME_DATA, "hello", 5);
        struct frame frame;

        (void)state;
        for (size_t n = 0; n < size; n++)
                assert_int_equal(frame_take(buf, n, &frame), 0);
        assert_int_equal(frame_take(buf, size + 3, &frame), size);
        assert_int_equal(frame.type, FRAME_DATA);
        assert_int_equal(frame.size, 5);
        assert_memory_equal(frame.body, "hello", 5);
}

static void what_is_too_large_is_refused_by_its_head(void **state)
{
        static const struct {
                enum frame_type type;
                size_t size;
        } bad[] = {{FRAME_READY, 3}, {FRAME_READY, 5}, {FRAME_REQUEST, 0}, {FRAME_REQUEST, FRAME_REQUEST_MAX + 1},
                {FRAME_DATA, 0}, {FRAME_DATA, FRAME_BODY_MAX + 1}, {FRAME_DATA, UINT32_MAX}, {FRAME_END, 0},
                {FRAME_END, 2}, {FRAME_REFUSED, 2}, {FRAME_ALIVE, 1}};
        uint8_t head[FRAME_HEAD];
        struct frame frame;

        (void)state;
        for (size_t i = 0; i < ELEMENTS(bad); i++) {
                frame_put_head(head, bad[i].type, bad[i].size);
                assert_int_equal(frame_take(head, sizeof(head), &frame), -EBADMSG);
        }
}

static void what_has_no_type_is_refused_by_its_first_byte(void **state)
{
        struct frame frame;

        (void)state;
        assert_int_equal(frame_take((const uint8_t *)"G", 1, &frame), -EBADMSG);
        assert_int_equal(frame_take((const uint8_t *)"\0", 1, &frame), -EBADMSG);
        assert_int_equal(frame_take((const uint8_t *)"\7", 1, &frame), -EBADMSG);
}

static void numbers_come_back(void **state)
{
        static const struct {
                enum frame_type type;
                uint32_t value;
                size_t size;
        } numbers[] = {{FRAME_READY, 0x01020304, 4}, {FRAME_END, 255, 1}, {FRAME_REFUSED, FRAME_REFUSED_COMMAND, 1}};
        uint8_t body[4];

        (void)state;
        for (size_t i = 0; i < ELEMENTS(numbers); i++) {
                struct frame frame = {.type = numbers[i].type, .body = body};
                uint32_t value = 0;

                frame.size = frame_put_number(numbers[i].type, numbers[i].value, body);
                assert_int_equal(frame.size, numbers[i].size);
                assert_int_equal(frame_get_number(&frame, &value), 0);
                assert_int_equal(value, numbers[i].value);
        }
}

static void a_number_of_another_size_is_refused(void **state)
{
        const struct frame frame = {.type = FRAME_READY, .body = (const uint8_t *)"\1\0\0", .size = 3};
        uint32_t value = 7;

        (void)state;
        assert_int_equal(frame_get_number(&frame, &value), -EBADMSG);
        assert_int_equal(value, 7);
}

static char *const command[] = {(char *)(uintptr_t) "croft", (char *)(uintptr_t) "", (char *)(uintptr_t) "a b;c", NULL};

static void words_come_back_as_they_were(void **state)
{
        _cleanup_free_ uint8_t *body = NULL;
        _cleanup_(strv_freep) char **words = NULL;
        size_t size = 0;

        (void)state;
        assert_int_equal(frame_put_words(command, &body, &size), 0);
        assert_int_equal(frame_get_words(body, size, &words), 0);
        assert_int_equal(strv_length(words), 3);
        for (size_t i = 0; i < 3; i++)
                assert_string_equal(words[i], command[i]);
}

static void words_that_are_cut_are_refused(void **state)
{
        _cleanup_free_ uint8_t *body = NULL;
        char **words = NULL;
        size_t size = 0;

        (void)state;
        assert_int_equal(frame_put_words(command, &body, &size), 0);
        for (size_t n = 0; n < size; n++)
                assert_int_equal(frame_get_words(body, n, &words), -EBADMSG);
        assert_null(words);
}

static void words_without_end_are_refused(void **state)
{
        uint8_t *body = NULL;
        char **words = NULL;
        size_t size = 0;
        char word[FRAME_WORD_MAX + 2], *many[FRAME_WORDS_MAX + 2] = {NULL};

        (void)state;
        assert_int_equal(frame_get_words((const uint8_t *)"\0\0\0\0", 4, &words), -EBADMSG);
        assert_int_equal(frame_get_words((const uint8_t *)"\377\377\377\377", 4, &words), -EBADMSG);
        assert_int_equal(frame_get_words((const uint8_t *)"\1\0\0\0\1\0\0\0xy", 10, &words), -EBADMSG);
        assert_int_equal(frame_get_words((const uint8_t *)"\1\0\0\0\1\0\0\0\0", 9, &words), -EBADMSG);
        memset(word, 'x', sizeof(word));
        word[FRAME_WORD_MAX + 1] = '\0';
        many[0] = word;
        assert_int_equal(frame_put_words(many, &body, &size), -E2BIG);
        for (size_t i = 0; i <= FRAME_WORDS_MAX; i++)
                many[i] = word + FRAME_WORD_MAX;
        assert_int_equal(frame_put_words(many, &body, &size), -E2BIG);
        for (size_t i = 0; i < FRAME_WORDS_MAX; i++)
                many[i] = word + 1; /* each as long as it may be, all together too long */
        many[FRAME_WORDS_MAX] = NULL;
        assert_int_equal(frame_put_words(many, &body, &size), -E2BIG);
        many[0] = NULL;
        assert_int_equal(frame_put_words(many, &body, &size), -E2BIG);
        assert_null(body);
}

static int there_and_back(void *context)
{
        _cleanup_free_ uint8_t *body = NULL;
        _cleanup_(strv_freep) char **words = NULL;
        size_t size = 0;
        int r = frame_put_words(command, &body, &size);

        (void)context;
        return r < 0 ? r : frame_get_words(body, size, &words);
}

static void each_allocation_that_fails_is_told(void **state)
{
        (void)state;
        assert_true(fault_walk(FAULT_ALLOCATION, false, there_and_back, NULL) > 3);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_frame_is_taken_once_it_is_whole),
                cmocka_unit_test(what_is_too_large_is_refused_by_its_head),
                cmocka_unit_test(what_has_no_type_is_refused_by_its_first_byte),
                cmocka_unit_test(numbers_come_back),
                cmocka_unit_test(a_number_of_another_size_is_refused),
                cmocka_unit_test(words_come_back_as_they_were),
                cmocka_unit_test(words_that_are_cut_are_refused),
                cmocka_unit_test(words_without_end_are_refused),
                cmocka_unit_test(each_allocation_that_fails_is_told),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
