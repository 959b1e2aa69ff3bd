/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_view_facts.c - facts that were written are read again, and nothing else is.
 */
#include "fault.h"
#include "view_kit.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct wire_writer w;

static int begin(void **state)
{
        (void)state;
        kit_facts(&w);
        return w.fault;
}

static int end(void **state)
{
        (void)state;
        wire_writer_done(&w);
        return 0;
}

static int decode(const void *data, size_t size)
{
        _cleanup_(view_facts_freep) struct view_facts *facts = NULL;

        return view_facts_decode(data, size, &facts);
}

static void what_was_written_is_read_again(void **state)
{
        _cleanup_(view_facts_freep) struct view_facts *facts = NULL;
        struct wire_writer again = WIRE_WRITER_INIT;

        (void)state;
        assert_int_equal(view_facts_decode(w.data, w.used, &facts), 0);
        assert_int_equal(facts->n_cpus, 4);
        assert_int_equal(facts_cpu_find(facts, 2)->package, 1);
        assert_null(facts_cpu_find(facts, 4));
        assert_memory_equal(facts_disk_find(facts, 8, 16)->name.text, "sdb", 3);
        assert_null(facts_disk_find(facts, 8, 1));
        facts_encode(&again, facts);
        assert_int_equal(again.used, w.used);
        assert_memory_equal(again.data, w.data, w.used);
        wire_writer_done(&again);
}

static void every_truncation_is_refused(void **state)
{
        (void)state;
        for (size_t size = 0; size < w.used; size++)
                assert_int_equal(decode(w.data, size), -EBADMSG);
}

static void excess_is_refused(void **state)
{
        (void)state;
        wire_put_u8(&w, 0);
        assert_int_equal(decode(w.data, w.used), -EBADMSG);
}

static void another_version_is_refused(void **state)
{
        (void)state;
        w.data[0] ^= 1;
        assert_int_equal(decode(w.data, w.used), -EPROTONOSUPPORT);
}

static void what_would_be_divided_by_is_never_zero(void **state)
{
        (void)state;
        for (size_t field = 1; field <= 3; field++) {
                _cleanup_free_ uint8_t *copy = malloc(w.used);

                assert_non_null(copy);
                memcpy(copy, w.data, w.used);
                memset(copy + 4 * field, 0, 4);
                assert_int_equal(decode(copy, w.used), -EBADMSG);
        }
}

static void no_single_changed_byte_breaks_a_reader(void **state)
{
        (void)state;
        for (size_t i = 0; i < w.used; i++) {
                for (unsigned int bit = 0; bit < 8; bit++) {
                        w.data[i] ^= (uint8_t)(1u << bit);
                        (void)decode(w.data, w.used);
                        w.data[i] ^= (uint8_t)(1u << bit);
                }
        }
        assert_int_equal(decode(w.data, w.used), 0);
}

static int decode_once(void *context)
{
        (void)context;
        return decode(w.data, w.used);
}

static void each_failed_allocation_is_told(void **state)
{
        (void)state;
        fault_walk(FAULT_ALLOCATION, false, decode_once, NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(what_was_written_is_read_again),
                TEST(every_truncation_is_refused),
                TEST(excess_is_refused),
                TEST(another_version_is_refused),
                TEST(what_would_be_divided_by_is_never_zero),
                TEST(no_single_changed_byte_breaks_a_reader),
                TEST(each_failed_allocation_is_told),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
