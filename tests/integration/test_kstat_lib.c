/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_kstat_lib.c - libkstat and libcroft's reader on a real kernel, in a partition and in global.
 * where: here guest
 *
 * What is asked is asked by a child in the control group of a partition; it makes and ends structures, too, as croftd
 * would, so that each step has the one before behind it.
 */
#include "base/cleanup.h"
#include "kstat/catalogue.h"
#include "kstat/illumos.h"
#include "kstat_kit.h"

#include <croft/illumos/sys/sysinfo.h>
#include <croft/stats.h>
#include <kstat.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static int programs = -EBADF; /* the directory that partitions see */

static int set_up_lib(void **state)
{
        char where[128];
        int r = set_up_kstats(state);

        if (r < 0)
                return r;
        /* As a partition has it: a directory that leads nowhere else, for those who may not go through its parents. */
        programs = plane_open_programs(plane, NULL);
        assert_true(programs >= 0);
        (void)snprintf(where, sizeof(where), "/proc/self/fd/%d", programs);
        return setenv("CROFT_KSTAT", where, 1);
}

static int tear_down_lib(void **state)
{
        programs = close_fd(programs);
        return tear_down_kstats(state);
}

/* --- children
 * --------------------------------------------------------------------------------------------------------- */

static uint64_t make_def(const struct kstat_def *def, const uint64_t *partitions, size_t n)
{
        uint64_t kid = 0;

        require(kstats_create(kstats, def, 1, partitions, n, &kid, NULL) == 0);
        return kid;
}

static uint64_t make_io(const char *module, int instance, uint64_t nread, uint64_t partition)
{
        const struct illumos_io io = {.nread = nread, .reads = 1};
        const struct kstat_def def = {.module = module,
                .instance = instance,
                .name = "io",
                .class = "fs",
                .type = KSTAT_IO,
                .data = &io,
                .size = sizeof(io)};

        return make_def(&def, &partition, 1);
}

static size_t length(const kstat_ctl_t *kc)
{
        size_t n = 0;

        for (const kstat_t *ksp = kc->kc_chain; ksp; ksp = ksp->ks_next)
                n++;
        return n;
}

/* --- types
 * ------------------------------------------------------------------------------------------------------------ */

static void read_each_type(void *context)
{
        kstat_ctl_t *kc = kstat_open();
        kstat_named_t *named;
        kstat_t *ksp;
        kstat_io_t io;
        cpu_stat_t cs;

        (void)context;
        require(kc);
        ksp = kstat_lookup(kc, "mount", 3, "io");
        require(ksp && kstat_read(kc, ksp, &io) == kc->kc_chain_id);
        require(io.nread == 1234 && io.reads == 1 && ksp->ks_snaptime >= ksp->ks_crtime && ksp->ks_crtime > 0);
        ksp = kstat_lookup(kc, "cpu_stat", -1, NULL);
        require(ksp && ksp->ks_type == KSTAT_TYPE_RAW && ksp->ks_data_size == sizeof(cs));
        require(kstat_read(kc, ksp, &cs) > 0);
        require(cs.cpu_sysinfo.cpu[CPU_USER] == 77 && cs.cpu_vminfo.fsfree == 88);
        ksp = kstat_lookup(kc, "test", 0, "named");
        require(ksp && kstat_read(kc, ksp, NULL) > 0 && ksp->ks_ndata > 10);
        named = kstat_data_lookup(ksp, "avenrun_15min");
        require(named && named->data_type == KSTAT_DATA_UINT32 && named->value.ui32 == 512);
        named = kstat_data_lookup(ksp, "ncpus");
        require(named && named->value.ui32 == 3);
        require(kstat_write(kc, ksp, NULL) == -1 && errno == EPERM);
        kstat_close(kc);
}

static void a_partition_reads_structures_of_each_type(void **state)
{
        const struct kstat_data_system_misc misc = {.ncpus = 3, .avenrun_15min = 512};
        /* The kernel keeps words. */
        const union {
                struct illumos_cpu_stat stat;
                uint64_t words[(sizeof(struct illumos_cpu_stat) + 7) / 8];
        } cpu = {.stat = {.sysinfo.cpu[ILLUMOS_CPU_USER] = 77, .vminfo.fsfree = 88}};
        const struct kstat_def defs[] = {
                {.module = "cpu_stat",
                        .name = "cpu_stat0",
                        .class = "misc",
                        .type = KSTAT_RAW,
                        .data = &cpu,
                        .size = sizeof(cpu)},
                {.module = "test",
                        .name = "named",
                        .class = "misc",
                        .type = KSTAT_NAMED,
                        .schema = KSTAT_SCHEMA_system_misc,
                        .data = &misc,
                        .size = sizeof(misc)},
        };
        const uint64_t a = A;

        (void)state;
        assert_int_equal(kstats_create(kstats, defs, ELEMENTS(defs), &a, 1, NULL, NULL), 0);
        (void)make_io("mount", 3, 1234, A);
        as("a", AS_IS, read_each_type, NULL);
        as("a", AS_NOBODY | AS_NO_CAPABILITY, read_each_type, NULL);
        as("a", AS_USER_NS | AS_NESTED_NS | AS_NO_CAPABILITY, read_each_type, NULL);
}

/* --- visibility
 * ------------------------------------------------------------------------------------------------------- */

static void see_own_only(void *context)
{
        kstat_ctl_t *kc = kstat_open();
        const uint64_t *kids = context; /* of A, of B */
        kstat_t stolen = {.ks_kid = (kid_t)kids[1]}, *ksp;
        kstat_io_t io = {.nread = 42};

        require(kc);
        ksp = kstat_lookup(kc, "mount", 1, "io");
        require(ksp && ksp->ks_kid == (kid_t)kids[0] && kstat_read(kc, ksp, NULL) > 0);
        require(KSTAT_IO_PTR(ksp)->nread == 100);
        require(!kstat_lookup(kc, "mount", 2, "io") && errno == ENOENT);
        stolen.ks_data_size = sizeof(io);
        require(kstat_read(kc, &stolen, &io) == -1 && errno == ENXIO && io.nread == 42);
        stolen.ks_kid = 999999;
        require(kstat_read(kc, &stolen, &io) == -1 && errno == ENXIO && io.nread == 42);
        kstat_close(kc);
}

static void foreign_and_unknown_are_both_enxio(void **state)
{
        uint64_t kids[2];

        (void)state;
        kids[0] = make_io("mount", 1, 100, A);
        kids[1] = make_io("mount", 2, 200, B);
        as("a", AS_IS, see_own_only, kids);
}

static void look_into(void *context)
{
        struct croft_stat *stat = croft_stat_new();
        struct croft_stats *stats;
        uint64_t caller = 1;

        (void)context;
        require(stat && croft_stats_open(NULL, &stats, NULL) == 0);
        require(croft_stats_generation(stats, NULL, &caller, NULL) == 0 && caller == 0);
        require(croft_stats_find(stats, "mount", 1, "io", stat, NULL) == -ENXIO);
        croft_stats_set_partition(stats, A);
        require(croft_stats_find(stats, "mount", 1, "io", stat, NULL) == 0);
        require(croft_stat_find(stat, "nread")->u == 100);
        require(croft_stats_generation(stats, NULL, &caller, NULL) == 0 && caller == A);
        croft_stats_set_partition(stats, 4711);
        require(croft_stats_find(stats, "mount", 1, "io", stat, NULL) == -ESRCH);
        croft_stat_free(stat);
        croft_stats_close(stats);
}

static void look_out(void *context)
{
        struct croft_stat *stat = croft_stat_new();
        struct croft_stats *stats;

        (void)context;
        require(stat && croft_stats_open(NULL, &stats, NULL) == 0);
        croft_stats_set_partition(stats, A);
        require(croft_stats_find(stats, "mount", 1, "io", stat, NULL) == -EPERM);
        croft_stats_set_partition(stats, 0);
        require(croft_stats_find(stats, "mount", 1, "io", stat, NULL) == -ENXIO);
        croft_stat_free(stat);
        croft_stats_close(stats);
}

static void global_looks_into_a_partition_and_no_other_does(void **state)
{
        (void)state;
        (void)make_io("mount", 1, 100, A);
        as(NULL, AS_IS, look_into, NULL);
        as("b", AS_IS, look_out, NULL);
}

/* A reader that was opened in global and is used in A has A's view. */
static void use_what_was_opened_outside(void *context)
{
        kstat_ctl_t *kc = context;

        require(kstat_lookup(kc, "global", 0, "io"));
        require(kstat_read(kc, kstat_lookup(kc, "global", 0, "io"), NULL) == -1 && errno == ENXIO);
        require(kstat_chain_update(kc) > 0);
        require(!kstat_lookup(kc, "global", 0, "io"));
        require(kstat_lookup(kc, "mount", 1, "io"));
}

static void a_chain_opened_in_global_shows_the_partition_it_is_used_in(void **state)
{
        kstat_ctl_t *kc;

        (void)state;
        (void)make_io("global", 0, 1, GLOBAL);
        (void)make_io("mount", 1, 100, A);
        (void)make_io("mount", 2, 100, A);
        kc = kstat_open();
        assert_non_null(kc);
        as("a", AS_IS, use_what_was_opened_outside, kc);
        kstat_close(kc);
}

/* --- changes
 * ---------------------------------------------------------------------------------------------------------- */

static void follow_changes(void *context)
{
        kstat_ctl_t *kc = kstat_open();
        kstat_t *stays, *goes;
        size_t before;
        uint64_t kid;

        (void)context;
        require(kc && kstat_chain_update(kc) == 0);
        kid = make_io("mount", 1, 1, A);
        (void)make_io("mount", 2, 2, A);
        require(kstat_chain_update(kc) > 0 && kstat_chain_update(kc) == 0);
        goes = kstat_lookup(kc, "mount", 1, "io");
        stays = kstat_lookup(kc, "mount", 2, "io");
        require(goes && stays && kstat_read(kc, stays, NULL) == kc->kc_chain_id);
        before = length(kc);
        (void)make_io("mount", 9, 9, B); /* nothing to us */
        require(kstat_chain_update(kc) == 0);
        require(kstats_delete(kstats, &kid, 1, NULL) == 0);
        require(kstat_read(kc, goes, NULL) == -1 && errno == ENXIO);
        require(kstat_read(kc, stays, NULL) != kc->kc_chain_id);
        kid = make_io("mount", 1, 5, A); /* the same keys, another structure */
        require(kstat_chain_update(kc) > 0);
        require(kstat_lookup(kc, "mount", 2, "io") == stays && stays->ks_data);
        require(length(kc) == before && kstat_lookup(kc, "mount", 1, "io")->ks_kid == (kid_t)kid);
        kstat_close(kc);
}

static void a_chain_follows_changes_and_leaves_the_rest_in_place(void **state)
{
        (void)state;
        as("a", AS_IS, follow_changes, NULL);
}

static void read_the_list(void *context)
{
        kstat_ctl_t *kc = kstat_open();
        kstat_t *list, *headers;

        (void)context;
        require(kc && length(kc) >= 301);
        list = kstat_lookup(kc, "unix", 0, "kstat_headers");
        require(list && kstat_read(kc, list, NULL) == kc->kc_chain_id);
        require(list->ks_ndata == length(kc));
        headers = list->ks_data;
        for (uint_t i = 1; i < list->ks_ndata; i++)
                require(headers[i].ks_kid > headers[i - 1].ks_kid);
        kstat_close(kc);
}

static void a_list_of_many_pages_rises(void **state)
{
        (void)state;
        for (int i = 0; i < 300; i++)
                (void)make_io("many", i, 1, A);
        as("a", AS_IS, read_the_list, NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_lib, tear_down_lib)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(a_partition_reads_structures_of_each_type),
                TEST(foreign_and_unknown_are_both_enxio),
                TEST(global_looks_into_a_partition_and_no_other_does),
                TEST(a_chain_opened_in_global_shows_the_partition_it_is_used_in),
                TEST(a_chain_follows_changes_and_leaves_the_rest_in_place),
                TEST(a_list_of_many_pages_rises),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, make_kstats, remove_kstats);
}
