/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_view_sysinfo.c - what sysinfo(2) tells a partition, for each ABI.
 */
#include "kstat/view_sysinfo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/sysinfo.h>

#include <cmocka.h>

#define SECOND 1000000000ULL
#define MIB (1ULL << 20)
#define GIB (1ULL << 30)

static const struct view_machine machine = {.memory_bytes = 24 * GIB, .swap_bytes = 2 * GIB, .page_bytes = 4096};

static struct kstat_sample *sample(void)
{
        static struct kstat_sample s;

        s = (struct kstat_sample){.start_ns = 100 * SECOND,
                .threads = 12,
                .load = {2048, 1024, 1},
                .memory = {.limit = 512 * MIB,
                        .usage = 100 * MIB,
                        .file = 50 * MIB,
                        .shmem = 10 * MIB,
                        .swap_limit = 64 * MIB,
                        .swap_usage = 4 * MIB}};
        return &s;
}

static struct sysinfo wide(const struct kstat_sample *s, uint64_t now_ns)
{
        uint8_t buf[VIEW_SYSINFO_SIZE];
        struct sysinfo info;

        assert_int_equal(view_sysinfo(s, &machine, now_ns, VIEW_SYSINFO_64, buf), sizeof(info));
        memcpy(&info, buf, sizeof(info));
        return info;
}

/* Word i of the i386 structure: 0 uptime, 1-3 loads, 4 totalram, 5 free, 6 shared, 7 buffers, 8 totalswap, 9 freeswap,
 * 10 procs, 11-12 high, 13 unit. */
static void narrow(const struct kstat_sample *s, uint64_t now_ns, uint32_t ret[16])
{
        uint8_t buf[VIEW_SYSINFO_SIZE];

        memset(buf, 0xee, sizeof(buf));
        assert_int_equal(view_sysinfo(s, &machine, now_ns, VIEW_SYSINFO_32, buf), 64);
        memcpy(ret, buf, 64);
        assert_int_equal(buf[64], 0xee);
}

static void wide_one_is_the_c_librarys_structure(void **state)
{
        struct sysinfo info = wide(sample(), 160 * SECOND);

        (void)state;
        assert_int_equal(info.uptime, 60);
        assert_int_equal(info.loads[0], 65536);
        assert_int_equal(info.loads[1], 32768);
        assert_int_equal(info.loads[2], 32);
        assert_true(info.totalram == 512 * MIB && info.freeram == 412 * MIB && info.sharedram == 10 * MIB);
        assert_true(info.totalswap == 64 * MIB && info.freeswap == 60 * MIB && info.bufferram == 0);
        assert_int_equal(info.procs, 12);
        assert_true(info.totalhigh == 0 && info.freehigh == 0 && info.mem_unit == 1);
}

static void narrow_one_is_in_bytes_while_they_fit(void **state)
{
        uint32_t w[16];

        (void)state;
        narrow(sample(), 160 * SECOND, w);
        assert_int_equal(w[0], 60);
        assert_int_equal(w[1], 65536);
        assert_true(w[4] == 512 * MIB && w[5] == 412 * MIB && w[6] == 10 * MIB && w[7] == 0);
        assert_true(w[8] == 64 * MIB && w[9] == 60 * MIB && w[10] == 12 && w[13] == 1);
        assert_true(w[11] == 0 && w[12] == 0 && w[14] == 0 && w[15] == 0);
}

static void narrow_one_counts_pages_when_bytes_do_not_fit(void **state)
{
        struct kstat_sample *s = sample();
        uint32_t w[16];

        (void)state;
        s->memory.limit = 4 * GIB - 4096;
        narrow(s, 160 * SECOND, w);
        assert_int_equal(w[13], 1);
        assert_true(w[4] == 4 * GIB - 4096);
        s->memory.limit = 4 * GIB;
        narrow(s, 160 * SECOND, w);
        assert_int_equal(w[13], 4096);
        assert_true(w[4] == 4 * GIB / 4096 && w[5] == (4 * GIB - 100 * MIB) / 4096);
        assert_true(w[8] == 64 * MIB / 4096 && w[9] == 60 * MIB / 4096);
}

static void narrow_one_tells_of_more_than_pages_can(void **state)
{
        const struct view_machine huge = {.memory_bytes = 1ULL << 50, .page_bytes = 4096};
        struct kstat_sample *s = sample();
        uint8_t buf[VIEW_SYSINFO_SIZE];
        uint32_t w[16];

        (void)state;
        s->memory.limit = KSTAT_NONE;
        assert_int_equal(view_sysinfo(s, &huge, 0, VIEW_SYSINFO_32, buf), 64);
        memcpy(w, buf, 64);
        assert_true((uint64_t)w[4] * w[13] == 1ULL << 50);
}

static void without_a_limit_it_is_the_machines(void **state)
{
        struct kstat_sample *s = sample();
        struct sysinfo info;

        (void)state;
        s->memory.limit = s->memory.swap_limit = KSTAT_NONE;
        info = wide(s, 160 * SECOND);
        assert_true(info.totalram == 24 * GIB && info.totalswap == 2 * GIB);
        s->memory.limit = 25 * GIB;
        assert_true(wide(s, 160 * SECOND).totalram == 24 * GIB);
}

static void figures_that_contradict_each_other_are_cut(void **state)
{
        struct kstat_sample *s = sample();
        struct sysinfo info;

        (void)state;
        s->memory.usage = 600 * MIB; /* a limit that was lowered */
        s->memory.file = s->memory.shmem = 700 * MIB;
        s->memory.swap_usage = 70 * MIB;
        info = wide(s, 160 * SECOND);
        assert_true(info.freeram == 0 && info.sharedram == 512 * MIB);
        assert_true(info.totalswap == 70 * MIB && info.freeswap == 0);
        s->memory.limit = 0;
        assert_true(wide(s, 160 * SECOND).totalram == 4096);
        s->memory.limit = 5000;
        assert_true(wide(s, 160 * SECOND).totalram == 4096);
}

static void what_is_not_known_is_none(void **state)
{
        struct kstat_sample *s = sample();
        struct sysinfo info;

        (void)state;
        s->memory.usage = s->memory.shmem = s->memory.file = s->memory.swap_usage = KSTAT_NONE;
        info = wide(s, 160 * SECOND);
        assert_true(info.freeram == info.totalram && info.sharedram == 0 && info.freeswap == info.totalswap);
}

static void processes_are_counted_as_far_as_they_fit(void **state)
{
        struct kstat_sample *s = sample();
        uint32_t w[16];

        (void)state;
        s->threads = 70000;
        assert_int_equal(wide(s, 0).procs, 65535);
        narrow(s, 0, w);
        assert_int_equal(w[10], 65535);
}

static void a_begun_second_counts(void **state)
{
        struct kstat_sample *s = sample();
        uint32_t w[16];

        (void)state;
        assert_int_equal(wide(s, 100 * SECOND).uptime, 0);
        assert_int_equal(wide(s, 100 * SECOND + 1).uptime, 1);
        assert_int_equal(wide(s, 101 * SECOND).uptime, 1);
        assert_int_equal(wide(s, 99 * SECOND).uptime, 0); /* clocks that disagree */
        narrow(s, UINT64_MAX, w);
        assert_int_equal(w[0], INT32_MAX);
}

static void a_load_beyond_all_bounds_is_cut(void **state)
{
        struct kstat_sample *s = sample();
        uint32_t w[16];

        (void)state;
        s->load[0] = UINT32_MAX;
        assert_true(wide(s, 0).loads[0] == (uint64_t)UINT32_MAX << 5);
        narrow(s, 0, w);
        assert_int_equal(w[1], UINT32_MAX);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(wide_one_is_the_c_librarys_structure),
                cmocka_unit_test(narrow_one_is_in_bytes_while_they_fit),
                cmocka_unit_test(narrow_one_counts_pages_when_bytes_do_not_fit),
                cmocka_unit_test(narrow_one_tells_of_more_than_pages_can),
                cmocka_unit_test(without_a_limit_it_is_the_machines),
                cmocka_unit_test(figures_that_contradict_each_other_are_cut),
                cmocka_unit_test(what_is_not_known_is_none),
                cmocka_unit_test(processes_are_counted_as_far_as_they_fit),
                cmocka_unit_test(a_begun_second_counts),
                cmocka_unit_test(a_load_beyond_all_bounds_is_cut),
        };

        return cmocka_run_group_tests_name("view_sysinfo", tests, NULL, NULL);
}
