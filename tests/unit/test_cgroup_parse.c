/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_cgroup_parse.c - where control groups are, from /proc text of several kinds of hosts, and limits of v2 as v1 has
 * them.
 */
#include "base/cleanup.h"
#include "base/str.h"
#include "fault.h"
#include "kernel/cgroup_parse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct cgroup_mount *mounts;
static struct cgroup_membership *lines;
static size_t n;

static int forget(void **state)
{
        (void)state;
        cgroup_mounts_free(mounts, mounts ? n : 0);
        cgroup_memberships_free(lines, lines ? n : 0);
        mounts = NULL;
        lines = NULL;
        n = 0;
        return 0;
}

static void a_hybrid_host_shows_each_hierarchy(void **state)
{
        static const char text[] =
                "23 1 0:21 / /proc rw - proc proc rw\n"
                "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"
                "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 master:2 - cgroup cgroup rw,cpu,cpuacct\n"
                "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"
                "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw,nsdelegate\n";

        (void)state;
        assert_int_equal(cgroup_parse_mounts(text, &mounts, &n), 0);
        assert_int_equal(n, 3);
        assert_false(mounts[0].v2);
        assert_string_equal(mounts[0].point, "/sys/fs/cgroup/cpu,cpuacct");
        assert_true(str_lists(mounts[0].options, ",", "cpuacct"));
        assert_false(str_lists(mounts[0].options, ",", "cpua"));
        assert_true(mounts[2].v2);
        assert_string_equal(mounts[2].root, "/");
}

static void a_container_mounts_its_own_part(void **state)
{
        static const char text[] =
                "900 899 0:29 /docker/3f/x /sys/fs/cgroup/cpu ro,nosuid master:11 - cgroup cgroup rw,cpu,cpuacct\n"
                "901 899 0:26 /docker/a\\040b /sys/fs/my\\040cgroup\\134x ro - cgroup2 cgroup rw\n";

        (void)state;
        assert_int_equal(cgroup_parse_mounts(text, &mounts, &n), 0);
        assert_int_equal(n, 2);
        assert_string_equal(mounts[0].root, "/docker/3f/x");
        assert_string_equal(mounts[1].root, "/docker/a b");
        assert_string_equal(mounts[1].point, "/sys/fs/my cgroup\\x");
}

static void malformed_mount_lines_are_passed_over(void **state)
{
        char text[8192] = "\n \n-\n- cgroup2\ncgroup2 - cgroup2\n36 35 0:1 / /x rw - cgroup2\n"
                          "36 35 0:1 relative /x rw - cgroup2 c rw\n36 35 0:1 / relative rw - cgroup2 c rw\n"
                          "36 35 0:1 / /x rw cgroup2 c rw\n36 35 0:1 / /x rw - cgroup2 c rw excess\n"
                          "36 35 0:1 / /x rw - cgroup22 c rw\n36 35 0:1 / - rw - cgroup2 c rw\n36 35 0:1 / /many rw ";
        size_t used = strlen(text);

        (void)state;
        for (int i = 0; i < 3000; i++)
                text[used++] = i % 2 ? ' ' : 'a';
        memcpy(text + used, "- cgroup2 c rw\n36 35 0:1 / /good rw - cgroup2 - rw", 51);
        assert_int_equal(cgroup_parse_mounts(text, &mounts, &n), 0);
        assert_int_equal(n, 1);
        assert_string_equal(mounts[0].point, "/good");
}

static void memberships_tell_hierarchy_and_path(void **state)
{
        static const char text[] = "12:cpuset:/\n4:cpu,cpuacct:/a:b/c\n1:name=systemd:/init.scope\n0::/user.slice/x\n";

        (void)state;
        assert_int_equal(cgroup_parse_memberships(text, &lines, &n), 0);
        assert_int_equal(n, 4);
        assert_string_equal(lines[1].controllers, "cpu,cpuacct");
        assert_string_equal(lines[1].path, "/a:b/c");
        assert_false(lines[2].v2);
        assert_true(lines[3].v2);
        assert_string_equal(lines[3].path, "/user.slice/x");
}

static void malformed_membership_lines_are_passed_over(void **state)
{
        static const char text[] =
                ":\n::\n0:/x\nx::/y\n-1:cpu:/z\n99999999999999:cpu:/z\n0::relative\n0::\n\n3:pids:/ok";

        (void)state;
        assert_int_equal(cgroup_parse_memberships(text, &lines, &n), 0);
        assert_int_equal(n, 1);
        assert_string_equal(lines[0].path, "/ok");
}

static void a_path_is_found_below_the_root_of_its_mount(void **state)
{
        static const struct {
                const char *root, *path, *below;
        } table[] = {
                {"/", "/", "."},
                {"/", "/a/b", "a/b"},
                {"/docker/1", "/docker/1", "."},
                {"/docker/1", "/docker/1/x", "x"},
                {"/docker/1", "/docker/12", NULL},
                {"/docker/1", "/docker", NULL},
                {"/docker/1", "/", NULL},
                {"/", "/../outside", NULL},
                {"/", "/a/..", NULL},
                {"/..", "/a", NULL},
                {"/", "/a..b/c", "a..b/c"},
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTS(table); i++) {
                const char *below = cgroup_path_below(table[i].root, table[i].path);

                if (table[i].below)
                        assert_string_equal(below, table[i].below);
                else
                        assert_null(below);
        }
        assert_int_equal(cgroup_path_depth("/"), 0);
        assert_int_equal(cgroup_path_depth("/a//b/"), 2);
}

static void every_weight_survives_the_way_to_shares_and_back(void **state)
{
        (void)state;
        assert_int_equal(cgroup_weight_to_shares(100), 1024);
        assert_int_equal(cgroup_weight_to_shares(1), 10);
        assert_int_equal(cgroup_weight_to_shares(10000), 102400);
        for (uint64_t w = 1; w <= 10000; w++)
                assert_int_equal(cgroup_shares_to_weight(cgroup_weight_to_shares(w)), w);
        assert_int_equal(cgroup_shares_to_weight(2), 1);
        assert_int_equal(cgroup_shares_to_weight(262144), 10000);
}

static void cpu_max_is_a_quota_and_maybe_a_period(void **state)
{
        static const char *const bad[] = {"", " ", "x", "999", "1000 999", "1000 1000001", "1000  100000", "-1",
                "max max", "1000 100000 ", "99999999999999999999", "17592186044417", "50000 100000\n", "maxx"};
        uint64_t quota, period;

        (void)state;
        assert_true(cgroup_parse_cpu_max("max", &quota, &period));
        assert_true(quota == UINT64_MAX && period == 0);
        assert_true(cgroup_parse_cpu_max("50000 100000", &quota, &period));
        assert_true(quota == 50000 && period == 100000);
        assert_true(cgroup_parse_cpu_max("max 20000", &quota, &period));
        assert_true(quota == UINT64_MAX && period == 20000);
        for (size_t i = 0; i < ELEMENTS(bad); i++)
                assert_false(cgroup_parse_cpu_max(bad[i], &quota, &period));
}

static void cpu_lists_are_numbers_and_ranges(void **state)
{
        static const char *const good[] = {"0", "0-3", "0,2,4-7", "1023"}, *const bad[] = {"", ",", "0,", "-1", "3-1",
                                                                                   "0-", "a", "0 1", "0-3:2",
                                                                                   "1234567"};

        (void)state;
        for (size_t i = 0; i < ELEMENTS(good); i++)
                assert_true(cgroup_is_cpu_list(good[i]));
        for (size_t i = 0; i < ELEMENTS(bad); i++)
                assert_false(cgroup_is_cpu_list(bad[i]));
}

static void io_max_names_devices_and_their_limits(void **state)
{
        struct cgroup_io_limits limits;
        _cleanup_free_ char *text = NULL;

        (void)state;
        assert_int_equal(
                cgroup_parse_io_max("8:0 rbps=1M wiops=100;8:16 wbps=max riops=7\n253:1048575 rbps=5", &limits), 0);
        assert_int_equal(limits.count, 3);
        text = cgroup_io_format(&limits);
        assert_string_equal(text, "8:0 rbps=1048576 wbps=max riops=max wiops=100\n8:16 rbps=max wbps=max riops=7 "
                                  "wiops=max\n253:1048575 rbps=5 wbps=max riops=max wiops=max");
}

static void io_max_without_a_limit_is_empty(void **state)
{
        static const char *const none[] = {"", "max", ";", "\n", "8:0 rbps=max"};

        (void)state;
        for (size_t i = 0; i < ELEMENTS(none); i++) {
                struct cgroup_io_limits limits;
                _cleanup_free_ char *text = NULL;

                assert_int_equal(cgroup_parse_io_max(none[i], &limits), 0);
                text = cgroup_io_format(&limits);
                assert_string_equal(text, "");
        }
}

static void wrong_io_max_is_refused(void **state)
{
        static const char *const bad[] = {"8:0", "8", "8:0:1 rbps=1", "rbps=1", "8:0 rbps", "8:0 rbps=", "8:0 rbps=-1",
                "8:0 rbps=0", "8:0 speed=1", "4096:0 rbps=1", "8:1048576 rbps=1", "8:0 riops=4294967295", "sda rbps=1",
                ":0 rbps=1", "8: rbps=1", "8:0 rbps=1 8:1 rbps=1", "1111111111111111111:0 rbps=1"};
        struct cgroup_io_limits limits;
        char many[2048] = "";

        (void)state;
        for (size_t i = 0; i < ELEMENTS(bad); i++)
                assert_int_equal(cgroup_parse_io_max(bad[i], &limits), -EINVAL);
        for (int i = 0, at = 0; i < CGROUP_IO_DEVICES_MAX + 1; i++)
                at += snprintf(many + at, sizeof(many) - (size_t)at, "8:%d rbps=1;", i);
        assert_int_equal(cgroup_parse_io_max(many, &limits), -E2BIG);
}

static void files_of_v1_give_the_line_of_v2(void **state)
{
        struct cgroup_io_limits limits = {0};
        _cleanup_free_ char *text = NULL;

        (void)state;
        cgroup_io_add_v1(&limits, CGROUP_IO_RBPS, "8:0 1048576\n7:1 5\nnonsense\n");
        cgroup_io_add_v1(&limits, CGROUP_IO_WIOPS, "8:0 3");
        text = cgroup_io_format(&limits);
        assert_string_equal(
                text, "8:0 rbps=1048576 wbps=max riops=max wiops=3\n7:1 rbps=5 wbps=max riops=max wiops=max");
}

/* Plays the kernel: limit <= memsw after each write. */
static void memory_and_sum_are_written_in_an_order_that_v1_takes(void **state)
{
        static const uint64_t v[] = {10, 20, 30, 40, UINT64_MAX};

        (void)state;
        for (unsigned int i = 0; i < 625; i++) {
                uint64_t limit = v[i % 5], sum = v[i / 5 % 5], new_limit = v[i / 25 % 5], new_sum = v[i / 125 % 5];

                if (limit > sum || new_limit > new_sum)
                        continue;
                if (cgroup_memsw_first(sum, new_sum))
                        assert_true(limit <= new_sum);
                else
                        assert_true(new_limit <= sum);
        }
}

static void the_share_of_time_is_never_above_both_old_and_new(void **state)
{
        static const uint64_t v[] = {1000, 2000, 5000, 10000};

        (void)state;
        for (unsigned int i = 0; i < 256; i++) {
                double q = (double)v[i % 4], p = (double)v[i / 4 % 4], new_q = (double)v[i / 16 % 4],
                       new_p = (double)v[i / 64 % 4];
                double between = cgroup_period_first((uint64_t)p, (uint64_t)new_p) ? q / new_p : new_q / p;

                assert_true(between <= q / p || between <= new_q / new_p);
        }
}

static int parse_all(void *context)
{
        struct cgroup_mount *m = NULL;
        struct cgroup_membership *c = NULL;
        size_t n_m = 0, n_c = 0;
        struct cgroup_io_limits limits;
        int r = cgroup_parse_mounts("1 2 0:1 / /a rw - cgroup2 c rw\n1 2 0:1 / /b rw - cgroup c rw,cpu\n", &m, &n_m);

        (void)context;
        if (r == 0)
                r = cgroup_parse_memberships("0::/a\n1:cpu:/b\n", &c, &n_c);
        if (r == 0)
                r = cgroup_parse_io_max("8:0 rbps=1", &limits);
        cgroup_mounts_free(m, n_m);
        cgroup_memberships_free(c, n_c);
        return r;
}

static void a_lack_of_memory_is_told_and_nothing_leaks(void **state)
{
        (void)state;
        /* three copies; for each mount a place and three strings, for each line a place and two strings */
        assert_int_equal(fault_walk(FAULT_ALLOCATION, false, parse_all, NULL), 3 + 2 * 4 + 2 * 3);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_teardown(a_hybrid_host_shows_each_hierarchy, forget),
                cmocka_unit_test_teardown(a_container_mounts_its_own_part, forget),
                cmocka_unit_test_teardown(malformed_mount_lines_are_passed_over, forget),
                cmocka_unit_test_teardown(memberships_tell_hierarchy_and_path, forget),
                cmocka_unit_test_teardown(malformed_membership_lines_are_passed_over, forget),
                cmocka_unit_test(a_path_is_found_below_the_root_of_its_mount),
                cmocka_unit_test(every_weight_survives_the_way_to_shares_and_back),
                cmocka_unit_test(cpu_max_is_a_quota_and_maybe_a_period),
                cmocka_unit_test(cpu_lists_are_numbers_and_ranges),
                cmocka_unit_test(io_max_names_devices_and_their_limits),
                cmocka_unit_test(io_max_without_a_limit_is_empty),
                cmocka_unit_test(wrong_io_max_is_refused),
                cmocka_unit_test(files_of_v1_give_the_line_of_v2),
                cmocka_unit_test(memory_and_sum_are_written_in_an_order_that_v1_takes),
                cmocka_unit_test(the_share_of_time_is_never_above_both_old_and_new),
                cmocka_unit_test(a_lack_of_memory_is_told_and_nothing_leaks),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
