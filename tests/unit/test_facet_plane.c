/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_facet_plane.c - what the facet asks of the plane; cgroups and plane are functions of this test.
 */
#include "base/cleanup.h"
#include "partition/facet_plane.h"
#include "partition/host.h"
#include "plane/plane.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static char trace[128];
static int cgroup_result, plane_result;

int cgroup_kernel_id(struct cgroup_tree *tree, uint64_t id, uint64_t *ret, struct croft_error *err)
{
        assert_non_null(tree);
        if (cgroup_result < 0)
                return croft_error_set(err, cgroup_result, "no cgroup");
        *ret = 1000 + id;
        return 0;
}

int plane_add(struct plane *plane, uint64_t cgroup_id, uint64_t id, uint32_t uid_base, struct croft_error *err)
{
        assert_non_null(plane);
        (void)snprintf(trace, sizeof(trace), "add %d to %d, base %u", (int)id, (int)cgroup_id, uid_base);
        return plane_result < 0 ? croft_error_set(err, plane_result, "full") : 0;
}

int plane_remove_partition(struct plane *plane, uint64_t id, struct croft_error *err)
{
        assert_non_null(plane);
        (void)snprintf(trace, sizeof(trace), "remove %d", (int)id);
        return plane_result < 0 ? croft_error_set(err, plane_result, "stuck") : 0;
}

static struct host host;
static struct partition partition;

static int set_up(void **state)
{
        (void)state;
        host = (struct host){.cgroups = (struct cgroup_tree *)&host, .plane = (struct plane *)&host};
        partition = (struct partition){.def = {.id = 7, .uid_base = 65536}, .host = &host};
        trace[0] = '\0';
        cgroup_result = plane_result = 0;
        return 0;
}

static void preparing_puts_the_partitions_cgroup_on_record(void **state)
{
        (void)state;
        assert_int_equal(facet_plane.prepare(&partition, NULL), 0);
        assert_string_equal(trace, "add 7 to 1007, base 65536");
}

static void a_running_partition_that_is_found_is_put_on_record_again(void **state)
{
        (void)state;
        assert_int_equal(facet_plane.adopt(&partition, NULL), 0);
        assert_string_equal(trace, "add 7 to 1007, base 65536");
}

static void releasing_needs_no_cgroup(void **state)
{
        (void)state;
        cgroup_result = -ENOENT;
        assert_int_equal(facet_plane.release(&partition, NULL), 0);
        assert_string_equal(trace, "remove 7");
}

static void a_host_without_a_plane_needs_nothing(void **state)
{
        (void)state;
        host.plane = NULL;
        assert_int_equal(facet_plane.prepare(&partition, NULL), 0);
        assert_int_equal(facet_plane.release(&partition, NULL), 0);
        assert_string_equal(trace, "");
}

static void failures_are_told_as_they_are(void **state)
{
        struct croft_error err = CROFT_ERROR_INIT;

        (void)state;
        plane_result = -ENOSPC;
        assert_int_equal(facet_plane.prepare(&partition, &err), -ENOSPC);
        assert_int_equal(facet_plane.release(&partition, &err), -ENOSPC);
        cgroup_result = -ENOENT;
        assert_int_equal(facet_plane.prepare(&partition, &err), -ENOENT);
        assert_int_equal(err.code, ENOENT);
}

#define TEST(f) cmocka_unit_test_setup(f, set_up)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(preparing_puts_the_partitions_cgroup_on_record),
                TEST(a_running_partition_that_is_found_is_put_on_record_again),
                TEST(releasing_needs_no_cgroup),
                TEST(a_host_without_a_plane_needs_nothing),
                TEST(failures_are_told_as_they_are),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
