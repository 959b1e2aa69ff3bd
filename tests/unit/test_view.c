/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_view.c - nothing runs backwards: not when the kernel's figures do, not when CPUs come and go, not when a warden
 * dies and another one goes on.
 */
#include "fault.h"
#include "view_kit.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct kit k;

static int begin(void **state)
{
        (void)state;
        kit_begin(&k);
        return 0;
}

static int end(void **state)
{
        (void)state;
        kit_end(&k);
        return 0;
}

struct times {
        uint64_t user, nice, system, idle;
};

static struct times times_of(const char *label)
{
        struct times t = {0};
        const char *at;
        char *stop;

        assert_non_null(kit_read(&k, "proc/stat"));
        at = strstr(k.text, label);
        assert_non_null(at);
        t.user = strtoull(at + strlen(label), &stop, 10);
        t.nice = strtoull(stop, &stop, 10);
        t.system = strtoull(stop, &stop, 10);
        t.idle = strtoull(stop, &stop, 10);
        return t;
}

static void times_never_decrease_though_the_kernels_do(void **state)
{
        struct times before = times_of("cpu1 "), after;

        (void)state;
        kit_pass(&k, SEC);
        k.sample.cpu[1] = (struct kstat_sample_cpu){0, 0, 0};
        after = times_of("cpu1 ");
        assert_int_equal(after.user, before.user);
        assert_int_equal(after.system, before.system);
        assert_int_equal(after.idle, before.idle + 100);
}

static void idle_is_never_absurd_when_a_cpu_was_busier_than_time_passed(void **state)
{
        (void)state;
        k.sample.cpu[1].user_ns = 5000 * SEC;
        assert_int_equal(times_of("cpu1 ").idle, 0);
        assert_true(times_of("cpu ").idle <= 100000);
}

static void idle_does_not_decrease_when_a_cpu_gets_busier_at_once(void **state)
{
        uint64_t before = times_of("cpu1 ").idle;

        (void)state;
        kit_pass(&k, SEC);
        k.sample.cpu[1].user_ns += 100 * SEC;
        assert_int_equal(times_of("cpu1 ").idle, before);
}

static void an_older_sample_changes_nothing(void **state)
{
        struct kstat_sample old = k.sample;
        struct times before;

        (void)state;
        kit_pass(&k, 10 * SEC);
        k.sample.memory.usage = GIB;
        before = times_of("cpu ");
        k.sample = old;
        assert_int_equal(times_of("cpu ").idle, before.idle);
        assert_non_null(kit_read(&k, "proc/meminfo"));
        assert_int_equal(kit_number(&k, "MemFree:"), GIB / 1024);
}

static void the_sum_of_idle_times_goes_on_when_a_cpu_is_lost_or_gained(void **state)
{
        uint64_t before = times_of("cpu ").idle, after;

        (void)state;
        kit_pass(&k, SEC);
        k.sample.cpus[0] = 2;
        after = times_of("cpu ").idle;
        assert_in_range(after, before, before + 200);
        kit_pass(&k, SEC);
        before = after;
        after = times_of("cpu ").idle;
        assert_int_equal(after, before + 100); /* that of one CPU: not frozen until it has caught up */
        kit_pass(&k, SEC);
        k.sample.cpus[0] = 15;
        before = after;
        after = times_of("cpu ").idle;
        assert_in_range(after, before, before + 400);
        kit_pass(&k, SEC);
        before = after;
        assert_int_equal(times_of("cpu ").idle, before + 400);
}

static void a_successor_goes_on_where_the_warden_before_ended(void **state)
{
        struct view_state kept;
        char before[8192], uptime[128];

        (void)state;
        (void)times_of("cpu ");
        kit_pass(&k, SEC);
        k.sample.cpus[0] = 2;
        (void)snprintf(before, sizeof(before), "%s", kit_read(&k, "proc/stat"));
        (void)snprintf(uptime, sizeof(uptime), "%s", kit_read(&k, "proc/uptime"));
        view_get_state(k.view, &kept);
        kit_successor(&k);
        view_set_state(k.view, &kept);
        assert_string_equal(kit_read(&k, "proc/stat"), before);
        assert_string_equal(kit_read(&k, "proc/uptime"), uptime);
}

static void a_successor_without_a_state_derives_all_but_the_sum(void **state)
{
        char before[8192];

        (void)state;
        (void)snprintf(before, sizeof(before), "%s", kit_read(&k, "proc/stat"));
        kit_successor(&k);
        view_set_state(k.view, &(struct view_state){0});
        assert_string_equal(kit_read(&k, "proc/stat"), before);
}

static void a_new_start_begins_anew(void **state)
{
        (void)state;
        (void)times_of("cpu ");
        k.sample.start_ns = k.sample.boottime_ns - SEC;
        memset(k.sample.cpu, 0, sizeof(k.sample.cpu));
        assert_int_equal(times_of("cpu1 ").user, 0);
        assert_int_equal(times_of("cpu1 ").idle, 100);
        assert_string_equal(kit_read(&k, "proc/uptime"), "1.10 2.00\n");
}

static void btime_does_not_flicker_but_follows_a_clock_that_was_set(void **state)
{
        struct view *v = NULL;
        int64_t first;

        (void)state;
        assert_int_equal(view_new(k.facts, &v), 0);
        first = view_realtime(v);
        assert_true(first > 0);
        for (int i = 0; i < 1000; i++)
                assert_true(view_realtime(v) == first);
        v->realtime_ns -= (int64_t)SEC;
        assert_true(llabs(view_realtime(v) - first) < (int64_t)SEC / 2);
        view_freep(&v);
}

static void a_file_that_does_not_fit_is_refused_whole(void **state)
{
        char small[16];

        (void)state;
        for (size_t i = 0; i < view_count(); i++) {
                ssize_t all = view_render(k.view, i, &k.sample, k.text, sizeof(k.text));

                assert_true(all >= 0);
                if (all > (ssize_t)sizeof(small))
                        assert_int_equal(view_render(k.view, i, &k.sample, small, sizeof(small)), -ENOSPC);
                assert_int_equal(view_render(k.view, i, &k.sample, k.text, (size_t)all), all);
        }
        assert_int_equal(view_render(k.view, view_count(), &k.sample, k.text, sizeof(k.text)), -ENOENT);
        assert_null(view_path(view_count()));
}

static int make_and_read(void *context)
{
        _cleanup_(view_freep) struct view *v = NULL;
        char room[8192];
        int r;

        (void)context;
        r = view_new(k.facts, &v);
        for (size_t i = 0; r == 0 && i < view_count(); i++) {
                ssize_t n = view_render(v, i, &k.sample, room, sizeof(room));

                r = n < 0 ? (int)n : 0;
        }
        return r;
}

static void each_failed_allocation_is_told(void **state)
{
        (void)state;
        fault_walk(FAULT_ALLOCATION, false, make_and_read, NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(times_never_decrease_though_the_kernels_do),
                TEST(idle_is_never_absurd_when_a_cpu_was_busier_than_time_passed),
                TEST(idle_does_not_decrease_when_a_cpu_gets_busier_at_once),
                TEST(an_older_sample_changes_nothing),
                TEST(the_sum_of_idle_times_goes_on_when_a_cpu_is_lost_or_gained),
                TEST(a_successor_goes_on_where_the_warden_before_ended),
                TEST(a_successor_without_a_state_derives_all_but_the_sum),
                TEST(a_new_start_begins_anew),
                TEST(btime_does_not_flicker_but_follows_a_clock_that_was_set),
                TEST(a_file_that_does_not_fit_is_refused_whole),
                TEST(each_failed_allocation_is_told),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
