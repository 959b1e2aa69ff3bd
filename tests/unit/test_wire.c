/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_wire.c - the codec of messages: what was written is read again, and nothing else is.
 */
#include "base/cleanup.h"
#include "base/str.h"
#include "base/wire.h"
#include "fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static char *words[] = {(char[]){"one"}, (char[]){""}, (char[]){"three"}, NULL};

static void put_message(struct wire_writer *w)
{
        wire_put_u8(w, 0xab);
        wire_put_u32(w, 0x01020304);
        wire_put_u64(w, UINT64_MAX - 1);
        wire_put_i64(w, INT64_MIN);
        wire_put_string(w, "text");
        wire_put_strv(w, words);
        wire_put_string(w, "fixed");
        wire_put_string(w, NULL);
}

/* Reads what put_message() wrote; the values are looked at only when there was no fault. */
static int get_message(const void *data, size_t size)
{
        _cleanup_(strv_freep) char **v = NULL;
        _cleanup_free_ char *text = NULL, *empty = NULL;
        struct wire_reader r;
        char fixed[6];
        uint8_t u8;
        uint32_t u32;
        uint64_t u64;
        int64_t i64;

        wire_reader_init(&r, data, size);
        u8 = wire_get_u8(&r);
        u32 = wire_get_u32(&r);
        u64 = wire_get_u64(&r);
        i64 = wire_get_i64(&r);
        text = wire_get_string(&r, 4);
        v = wire_get_strv(&r, 3, 5);
        wire_get_text(&r, fixed, sizeof(fixed));
        empty = wire_get_string(&r, 0);
        if (wire_reader_end(&r) < 0)
                return wire_reader_end(&r);
        assert_int_equal(u8, 0xab);
        assert_int_equal(u32, 0x01020304);
        assert_true(u64 == UINT64_MAX - 1);
        assert_true(i64 == INT64_MIN);
        assert_string_equal(text, "text");
        assert_int_equal(strv_length(v), 3);
        assert_string_equal(v[0], "one");
        assert_string_equal(v[1], "");
        assert_string_equal(v[2], "three");
        assert_string_equal(fixed, "fixed");
        assert_string_equal(empty, "");
        return 0;
}

static void what_was_written_is_read_again(void **state)
{
        _cleanup_(wire_writer_done) struct wire_writer w = WIRE_WRITER_INIT;

        (void)state;
        put_message(&w);
        assert_int_equal(w.fault, 0);
        assert_int_equal(get_message(w.data, w.used), 0);
}

static void integers_are_little_endian(void **state)
{
        static const uint8_t expected[] = {1, 4, 3, 2, 1, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
        _cleanup_(wire_writer_done) struct wire_writer w = WIRE_WRITER_INIT;

        (void)state;
        wire_put_u8(&w, 1);
        wire_put_u32(&w, 0x01020304);
        wire_put_i64(&w, -2);
        assert_int_equal(w.used, sizeof(expected));
        assert_memory_equal(w.data, expected, sizeof(expected));
}

static void every_truncation_is_refused(void **state)
{
        _cleanup_(wire_writer_done) struct wire_writer w = WIRE_WRITER_INIT;

        (void)state;
        put_message(&w);
        for (size_t size = 0; size < w.used; size++) {
                uint8_t *cut = malloc(size ? size : 1); /* an own block: the sanitizer tells a read too far */

                assert_non_null(cut);
                memcpy(cut, w.data, size);
                assert_int_equal(get_message(cut, size), -EBADMSG);
                free(cut);
        }
}

static void trailing_bytes_are_refused(void **state)
{
        _cleanup_(wire_writer_done) struct wire_writer w = WIRE_WRITER_INIT;

        (void)state;
        put_message(&w);
        wire_put_u8(&w, 0);
        assert_int_equal(get_message(w.data, w.used), -EBADMSG);
}

static void every_changed_byte_is_read_safely(void **state)
{
        _cleanup_(wire_writer_done) struct wire_writer w = WIRE_WRITER_INIT;

        (void)state;
        wire_put_strv(&w, words);
        for (size_t at = 0; at < w.used; at++) {
                uint8_t saved = w.data[at];

                for (unsigned int value = 0; value < 256; value++) {
                        struct wire_reader r;
                        char **v;

                        w.data[at] = (uint8_t)value;
                        wire_reader_init(&r, w.data, w.used);
                        v = wire_get_strv(&r, 3, 5);
                        assert_int_equal(v == NULL, r.fault != 0);
                        assert_true(strv_length(v) <= 3);
                        strv_free(v);
                }
                w.data[at] = saved;
        }
}

static void reading_nothing_from_null_is_a_fault_and_not_a_crash(void **state)
{
        struct wire_reader r;

        (void)state;
        wire_reader_init(&r, NULL, 0);
        assert_int_equal(wire_reader_end(&r), 0);
        assert_int_equal(wire_get_u8(&r), 0);
        assert_int_equal(wire_reader_end(&r), -EBADMSG);
}

static void a_string_over_its_bound_is_refused(void **state)
{
        _cleanup_(wire_writer_done) struct wire_writer w = WIRE_WRITER_INIT;
        struct wire_reader r;
        char small[4] = "xyz";

        (void)state;
        wire_put_string(&w, "text");
        wire_reader_init(&r, w.data, w.used);
        assert_null(wire_get_string(&r, 3));
        assert_int_equal(r.fault, -EMSGSIZE);
        wire_reader_init(&r, w.data, w.used);
        wire_get_text(&r, small, sizeof(small));
        assert_int_equal(r.fault, -EMSGSIZE);
        assert_string_equal(small, "");
}

static void a_string_with_a_nul_inside_is_refused(void **state)
{
        (void)state;
        for (size_t at = 0; at < 4; at++) {
                _cleanup_(wire_writer_done) struct wire_writer w = WIRE_WRITER_INIT;
                char bytes[4] = {'a', 'b', 'c', 'd'};
                struct wire_reader r;

                bytes[at] = '\0';
                wire_put_blob(&w, bytes, sizeof(bytes));
                wire_reader_init(&r, w.data, w.used);
                assert_null(wire_get_string(&r, 100));
                assert_int_equal(r.fault, -EBADMSG);
        }
}

static void a_count_that_the_message_cannot_hold_allocates_nothing(void **state)
{
        _cleanup_(wire_writer_done) struct wire_writer w = WIRE_WRITER_INIT;
        struct wire_reader r;

        (void)state;
        wire_put_u32(&w, UINT32_MAX);
        wire_put_u32(&w, 0);
        wire_reader_init(&r, w.data, w.used);
        fault_arm(FAULT_ALLOCATION, 1);
        assert_null(wire_get_strv(&r, UINT32_MAX, 10));
        assert_false(fault_disarm());
        assert_int_equal(r.fault, -EBADMSG);
}

static void a_list_longer_than_its_bound_is_refused(void **state)
{
        _cleanup_(wire_writer_done) struct wire_writer w = WIRE_WRITER_INIT;
        struct wire_reader r;

        (void)state;
        wire_put_strv(&w, words);
        wire_reader_init(&r, w.data, w.used);
        assert_null(wire_get_strv(&r, 2, 100));
        assert_int_equal(r.fault, -EMSGSIZE);
}

static void a_fault_is_sticky_and_the_first_one_is_told(void **state)
{
        static const uint8_t bytes[64] = {255};
        char text[4] = "xyz";
        struct wire_reader r;

        (void)state;
        wire_reader_init(&r, bytes, sizeof(bytes));
        assert_null(wire_get_string(&r, 10));
        assert_int_equal(r.fault, -EMSGSIZE);
        assert_int_equal(wire_get_u8(&r), 0);
        assert_int_equal(wire_get_u32(&r), 0);
        assert_int_equal(wire_get_u64(&r), 0);
        assert_null(wire_get_string(&r, 100));
        assert_null(wire_get_strv(&r, 100, 100));
        wire_get_text(&r, text, sizeof(text));
        assert_string_equal(text, "");
        assert_int_equal(wire_reader_end(&r), -EMSGSIZE);
}

static void a_blob_that_no_length_can_tell_is_refused(void **state)
{
        _cleanup_(wire_writer_done) struct wire_writer w = WIRE_WRITER_INIT;

        (void)state;
        wire_put_blob(&w, "", (size_t)UINT32_MAX + 1);
        assert_int_equal(w.fault, -EMSGSIZE);
        wire_put_u8(&w, 1);
        assert_int_equal(w.used, 0);
}

static void a_missing_vector_is_written_as_an_empty_one(void **state)
{
        _cleanup_(wire_writer_done) struct wire_writer w = WIRE_WRITER_INIT;
        _cleanup_(strv_freep) char **v = NULL;
        struct wire_reader r;

        (void)state;
        wire_put_strv(&w, NULL);
        wire_reader_init(&r, w.data, w.used);
        v = wire_get_strv(&r, 0, 0);
        assert_int_equal(wire_reader_end(&r), 0);
        assert_non_null(v);
        assert_int_equal(strv_length(v), 0);
}

static void a_writer_that_is_done_can_be_used_again(void **state)
{
        struct wire_writer w = WIRE_WRITER_INIT;

        (void)state;
        wire_put_u8(&w, 1);
        wire_writer_done(&w);
        wire_writer_done(&w);
        wire_put_u8(&w, 2);
        assert_int_equal(w.used, 1);
        assert_int_equal(w.data[0], 2);
        wire_writer_done(&w);
}

static int write_only(void *context)
{
        _cleanup_(wire_writer_done) struct wire_writer w = WIRE_WRITER_INIT;

        (void)context;
        for (int i = 0; i < 10; i++)
                put_message(&w);
        return w.fault;
}

static void a_writer_out_of_memory_says_so_at_the_end(void **state)
{
        (void)state;
        assert_true(fault_walk(FAULT_ALLOCATION, false, write_only, NULL) >= 3);
}

static int read_only(void *context)
{
        struct wire_writer *w = context;

        return get_message(w->data, w->used);
}

static void a_reader_out_of_memory_says_so(void **state)
{
        _cleanup_(wire_writer_done) struct wire_writer w = WIRE_WRITER_INIT;

        (void)state;
        put_message(&w);
        assert_int_equal(fault_walk(FAULT_ALLOCATION, false, read_only, &w), 6);
}

static void bytes_are_borrowed_and_bounded(void **state)
{
        struct wire_writer w = WIRE_WRITER_INIT;
        struct wire_reader r;
        size_t size = 99;
        const void *p;

        (void)state;
        wire_put_blob(&w, "a\0b", 3);
        wire_put_blob(&w, "four", 4);
        wire_reader_init(&r, w.data, w.used);
        p = wire_get_bytes(&r, 3, &size);
        assert_int_equal(size, 3);
        assert_ptr_equal(p, w.data + 4);
        assert_memory_equal(p, "a\0b", 3);
        assert_null(wire_get_bytes(&r, 3, &size));
        assert_int_equal(size, 3);
        assert_int_equal(wire_reader_end(&r), -EMSGSIZE);
        wire_reader_init(&r, w.data, 6);
        assert_null(wire_get_bytes(&r, 3, &size));
        assert_int_equal(wire_reader_end(&r), -EBADMSG);
        wire_writer_done(&w);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_was_written_is_read_again),
                cmocka_unit_test(integers_are_little_endian),
                cmocka_unit_test(every_truncation_is_refused),
                cmocka_unit_test(trailing_bytes_are_refused),
                cmocka_unit_test(every_changed_byte_is_read_safely),
                cmocka_unit_test(reading_nothing_from_null_is_a_fault_and_not_a_crash),
                cmocka_unit_test(a_string_over_its_bound_is_refused),
                cmocka_unit_test(a_string_with_a_nul_inside_is_refused),
                cmocka_unit_test(a_count_that_the_message_cannot_hold_allocates_nothing),
                cmocka_unit_test(a_list_longer_than_its_bound_is_refused),
                cmocka_unit_test(a_fault_is_sticky_and_the_first_one_is_told),
                cmocka_unit_test(a_blob_that_no_length_can_tell_is_refused),
                cmocka_unit_test(a_missing_vector_is_written_as_an_empty_one),
                cmocka_unit_test(a_writer_that_is_done_can_be_used_again),
                cmocka_unit_test(a_writer_out_of_memory_says_so_at_the_end),
                cmocka_unit_test(a_reader_out_of_memory_says_so),
                cmocka_unit_test(bytes_are_borrowed_and_bounded),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
