/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_libkstat.c - <kstat.h> as programs written for Solaris know it, on statistics in memory.
 */
#include "fake_kstat.h"
#include "fault.h"
#include "kstat/illumos.h"

#include <croft/illumos/sys/sysinfo.h>
#include <croft/illumos/sys/var.h>
#include <errno.h>
#include <kstat.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* --- layouts: what programs see is what the kernel fills
 * --------------------------------------------------------------- */

#define SAME(a, m, b, n)                                                                                               \
        _Static_assert(                                                                                                \
                offsetof(a, m) == offsetof(struct b, n) && sizeof(((a *)NULL)->m) == sizeof(((struct b *)NULL)->n),    \
                #m);
#define SAME_SYSINFO(name) SAME(cpu_sysinfo_t, name, illumos_cpu_sysinfo, name)
#define SAME_SYSWAIT(name) SAME(cpu_syswait_t, name, illumos_cpu_syswait, name)
#define SAME_CPU_VM(name) SAME(cpu_vminfo_t, name, illumos_cpu_vminfo, name)
#define SAME_VMINFO(name) SAME(vminfo_t, name, illumos_vminfo, name)
#define SAME_MACHINE(name) SAME(sysinfo_t, name, illumos_sysinfo, name)
#define SAME_VAR(name) SAME(struct var, name, illumos_var, name)
#define SAME_IO(name) SAME(kstat_io_t, name, illumos_io, name)
#define SAME_TIMER(name) SAME(kstat_timer_t, name, illumos_timer, name)
ILLUMOS_CPU_SYSINFO(SAME_SYSINFO)
ILLUMOS_CPU_SYSWAIT(SAME_SYSWAIT)
ILLUMOS_CPU_VMINFO(SAME_CPU_VM)
ILLUMOS_VMINFO(SAME_VMINFO)
ILLUMOS_SYSINFO(SAME_MACHINE)
ILLUMOS_VAR(SAME_VAR)
SAME(cpu_sysinfo_t, cpu, illumos_cpu_sysinfo, cpu)
SAME(cpu_sysinfo_t, wait, illumos_cpu_sysinfo, wait)
SAME(cpu_stat_t, cpu_sysinfo, illumos_cpu_stat, sysinfo)
SAME(cpu_stat_t, cpu_syswait, illumos_cpu_stat, syswait)
SAME(cpu_stat_t, cpu_vminfo, illumos_cpu_stat, vminfo)
_Static_assert(sizeof(cpu_stat_t) == sizeof(struct illumos_cpu_stat), "cpu_stat_t");
_Static_assert(sizeof(vminfo_t) == sizeof(struct illumos_vminfo), "vminfo_t");
_Static_assert(sizeof(sysinfo_t) == sizeof(struct illumos_sysinfo), "sysinfo_t");
_Static_assert(sizeof(struct var) == sizeof(struct illumos_var), "var");
SAME_IO(nread)
SAME_IO(nwritten)
SAME_IO(reads)
SAME_IO(writes)
SAME_IO(wtime)
SAME_IO(wlentime)
SAME_IO(wlastupdate)
SAME_IO(rtime)
SAME_IO(rlentime)
SAME_IO(rlastupdate)
SAME_IO(wcnt)
SAME_IO(rcnt)
_Static_assert(sizeof(kstat_io_t) == sizeof(struct illumos_io), "kstat_io_t");
SAME_TIMER(name)
SAME_TIMER(resv)
SAME_TIMER(num_events)
SAME_TIMER(elapsed_time)
SAME_TIMER(min_time)
SAME_TIMER(max_time)
SAME_TIMER(start_time)
SAME_TIMER(stop_time)
_Static_assert(sizeof(kstat_timer_t) == sizeof(struct illumos_timer), "kstat_timer_t");
_Static_assert(sizeof(kstat_intr_t) == sizeof(struct illumos_intr), "kstat_intr_t");
/* illumos on 64-bit machines */
_Static_assert(sizeof(kstat_named_t) == 48 && offsetof(kstat_named_t, value) == 32, "kstat_named_t");
_Static_assert(offsetof(kstat_t, ks_kid) == 16 && offsetof(kstat_t, ks_name) == 56 &&
                       offsetof(kstat_t, ks_class) == 88 && offsetof(kstat_t, ks_data) == 120 &&
                       offsetof(kstat_t, ks_snaptime) == 144 && sizeof(kstat_t) == 184,
        "kstat_t");

static int set_up(void **state)
{
        (void)state;
        fake_kstat_reset();
        return 0;
}

static size_t length(const kstat_ctl_t *kc)
{
        size_t n = 0;

        for (const kstat_t *ksp = kc->kc_chain; ksp; ksp = ksp->ks_next)
                n++;
        return n;
}

static void a_chain_has_what_there_is_by_rising_ids(void **state)
{
        kstat_ctl_t *kc;
        kid_t last = -1;

        (void)state;
        fake_kstat_machine();
        kc = kstat_open();
        assert_non_null(kc);
        assert_int_equal(kc->kc_chain_id, fake_kstat.kcid);
        assert_int_equal(kc->kc_kd, 99);
        for (kstat_t *ksp = kc->kc_chain; ksp; ksp = ksp->ks_next) {
                assert_true(ksp->ks_kid > last);
                assert_null(ksp->ks_data);
                last = ksp->ks_kid;
        }
        assert_int_equal(length(kc), 13);
        assert_int_equal(kstat_close(kc), 0);
        assert_int_equal(fake_kstat.opened, fake_kstat.closed);
}

static void three_pages_are_one_list(void **state)
{
        kstat_ctl_t *kc;

        (void)state;
        for (int i = 0; i < 150; i++)
                (void)fake_kstat_add("m", i, "n", "c", KSTAT_RAW);
        kc = kstat_open();
        assert_non_null(kc);
        assert_int_equal(length(kc), 151);
        assert_non_null(kstat_lookup(kc, "m", 149, "n"));
        kstat_close(kc);
}

static void keys_or_none_of_them_find(void **state)
{
        kstat_ctl_t *kc;

        (void)state;
        fake_kstat_machine();
        kc = kstat_open();
        assert_string_equal(kstat_lookup(kc, "cpu", 1, "sys")->ks_class, "misc");
        assert_int_equal(kstat_lookup(kc, "cpu", -1, NULL)->ks_instance, 0);
        assert_string_equal(kstat_lookup(kc, NULL, -1, "sda")->ks_module, "sd");
        assert_ptr_equal(kstat_lookup(kc, NULL, -1, NULL), kc->kc_chain);
        assert_string_equal(kstat_lookup(kc, NULL, 7, NULL)->ks_name, "timer");
        assert_null(kstat_lookup(kc, "cpu", 2, "sys"));
        assert_int_equal(errno, ENOENT);
        /* one that doesn't fit whole into a header */
        assert_int_equal(kstat_lookup(kc, "odd\n", -3, "thirty-one bytes of a long name")->ks_instance, -3);
        kstat_close(kc);
}

static void named_values_have_their_types(void **state)
{
        kstat_ctl_t *kc;
        kstat_named_t *named;
        kstat_t *ksp;

        (void)state;
        fake_kstat_machine();
        kc = kstat_open();
        ksp = kstat_lookup(kc, "cpu_info", 0, "cpu_info0");
        assert_null(kstat_data_lookup(ksp, "state")); /* not read yet */
        assert_int_equal(kstat_read(kc, ksp, NULL), kc->kc_chain_id);
        assert_int_equal(ksp->ks_ndata, 5);
        named = kstat_data_lookup(ksp, "state");
        assert_int_equal(named->data_type, KSTAT_DATA_CHAR);
        assert_string_equal(named->value.c, "on-line");
        named = kstat_data_lookup(ksp, "brand");
        assert_int_equal(named->data_type, KSTAT_DATA_STRING);
        assert_string_equal(KSTAT_NAMED_STR_PTR(named), "A \"fast\" one \\ 3\303\227\033[2J");
        assert_int_equal(KSTAT_NAMED_STR_BUFLEN(named), strlen(KSTAT_NAMED_STR_PTR(named)) + 1);
        named = kstat_data_lookup(ksp, "clock_MHz");
        assert_int_equal(named->value.i32, 2400);
        named = kstat_data_lookup(ksp, "current_clock_Hz");
        assert_true(named->value.i64 == -2400000000);
        named = kstat_data_lookup(ksp, "chip_id"); /* 32 bits, whatever is above */
        assert_true(named->value.ui32 == 0xffffffff && named->value.ui64 == 0xffffffff);
        assert_null(kstat_data_lookup(ksp, "clock"));
        assert_int_equal(errno, ENOENT);
        assert_null(kstat_data_lookup(kstat_lookup(kc, "sd", 0, "sda"), "nread"));
        assert_int_equal(errno, EINVAL);
        kstat_close(kc);
}

static void a_value_stays_where_it_is_at_the_next_read(void **state)
{
        struct fake_stat *fake;
        kstat_named_t *named;
        kstat_ctl_t *kc;
        kstat_t *ksp;

        (void)state;
        fake = fake_kstat_add("m", 0, "n", "c", KSTAT_NAMED);
        fake_kstat_number(fake, "v", KSTAT_DATA_UINT64, KSTAT_UNIT_EVENTS, 1);
        kc = kstat_open();
        ksp = kstat_lookup(kc, "m", 0, "n");
        assert_true(kstat_read(kc, ksp, NULL) > 0);
        named = kstat_data_lookup(ksp, "v");
        fake->data[0] = 2;
        assert_int_equal(named->value.ui64, 1);
        assert_true(kstat_read(kc, ksp, NULL) > 0);
        assert_int_equal(named->value.ui64, 2);
        kstat_close(kc);
}

static void other_types_are_read_into_the_callers_room(void **state)
{
        kstat_ctl_t *kc;
        kstat_timer_t timer;
        kstat_intr_t intr;
        kstat_io_t io;
        cpu_stat_t cs;

        (void)state;
        fake_kstat_machine();
        kc = kstat_open();
        assert_true(kstat_read(kc, kstat_lookup(kc, "sd", 0, "sda"), &io) > 0);
        assert_int_equal(io.nwritten, 20);
        assert_true(io.rtime == 4000000000);
        assert_true(kstat_read(kc, kstat_lookup(kc, "irq", 7, "timer"), &intr) > 0);
        assert_int_equal(intr.intrs[KSTAT_INTR_MULTSVC], 5);
        assert_true(kstat_read(kc, kstat_lookup(kc, "lock", 0, "hold"), &timer) > 0);
        assert_string_equal(timer.name, "wait for it");
        assert_int_equal(
                ((kstat_timer_t *)kstat_data_lookup(kstat_lookup(kc, "lock", 0, NULL), "wait for it"))->num_events, 9);
        assert_true(kstat_read(kc, kstat_lookup(kc, "cpu_stat", 1, "cpu_stat1"), &cs) > 0);
        assert_int_equal(cs.cpu_sysinfo.cpu[CPU_USER], 200);
        assert_int_equal(cs.cpu_sysinfo.wait[W_PIO], 7);
        assert_int_equal(cs.cpu_syswait.iowait, -1);
        assert_int_equal(cs.cpu_vminfo.pgpgin, 77);
        kstat_close(kc);
}

static void one_above_the_small_program_comes_from_the_large(void **state)
{
        struct fake_stat *fake;
        kstat_named_t *named;
        kstat_ctl_t *kc;
        kstat_t *ksp;
        char name[16];

        (void)state;
        fake = fake_kstat_add("m", 0, "big", "c", KSTAT_NAMED);
        for (int i = 0; i < 150; i++) {
                (void)snprintf(name, sizeof(name), "v%d", i);
                fake_kstat_number(fake, name, KSTAT_DATA_UINT64, KSTAT_UNIT_COUNT, i);
        }
        kc = kstat_open();
        ksp = kstat_lookup(kc, "m", 0, "big");
        assert_true(kstat_read(kc, ksp, NULL) > 0);
        named = kstat_data_lookup(ksp, "v149");
        assert_int_equal(named->value.ui64, 149);
        kstat_close(kc);
}

static void what_vanished_is_enxio_and_leaves_the_data(void **state)
{
        kstat_ctl_t *kc;
        kstat_t *ksp;
        kstat_io_t io = {.nread = 5};
        void *data;

        (void)state;
        fake_kstat_machine();
        kc = kstat_open();
        ksp = kstat_lookup(kc, "sd", 0, "sda");
        assert_true(kstat_read(kc, ksp, NULL) > 0);
        data = ksp->ks_data;
        fake_kstat_remove((uint64_t)ksp->ks_kid);
        assert_int_equal(kstat_read(kc, ksp, &io), -1);
        assert_int_equal(errno, ENXIO);
        assert_int_equal(io.nread, 5);
        assert_ptr_equal(ksp->ks_data, data);
        assert_int_equal(KSTAT_IO_PTR(ksp)->nread, 10);
        kstat_close(kc);
}

static void an_update_moves_no_header_that_stays(void **state)
{
        kstat_ctl_t *kc;
        kstat_t *cpu, *disk;
        kid_t id;

        (void)state;
        fake_kstat_machine();
        kc = kstat_open();
        assert_int_equal(kstat_chain_update(kc), 0);
        cpu = kstat_lookup(kc, "cpu", 0, "sys");
        disk = kstat_lookup(kc, "sd", 0, "sda");
        assert_true(kstat_read(kc, disk, NULL) > 0);
        fake_kstat_remove((uint64_t)cpu->ks_kid);
        (void)fake_kstat_add("new", 0, "one", "misc", KSTAT_RAW);
        id = kstat_chain_update(kc);
        assert_true(id > 0);
        assert_int_equal(id, kc->kc_chain_id);
        assert_ptr_equal(kstat_lookup(kc, "sd", 0, "sda"), disk);
        assert_non_null(disk->ks_data);
        assert_null(kstat_lookup(kc, "cpu", 0, "sys"));
        assert_non_null(kstat_lookup(kc, "new", 0, "one"));
        assert_int_equal(length(kc), 13);
        assert_int_equal(kstat_chain_update(kc), 0);
        kstat_close(kc);
}

static void an_update_of_everything_works(void **state)
{
        kstat_ctl_t *kc;

        (void)state;
        kc = kstat_open();
        assert_int_equal(length(kc), 1);
        fake_kstat_machine();
        assert_true(kstat_chain_update(kc) > 0);
        assert_int_equal(length(kc), 13);
        for (uint64_t kid = 1; kid <= 12; kid++)
                fake_kstat_remove(kid);
        assert_true(kstat_chain_update(kc) > 0);
        assert_int_equal(length(kc), 1);
        kstat_close(kc);
}

static void a_failed_update_leaves_the_chain(void **state)
{
        kstat_ctl_t *kc;

        (void)state;
        fake_kstat_machine();
        kc = kstat_open();
        fake_kstat_remove(1);
        fake_kstat.error = -EIO;
        assert_int_equal(kstat_chain_update(kc), -1);
        assert_int_equal(length(kc), 13);
        fake_kstat.error = 0;
        fake_kstat.moving = true; /* never two pages of one list: but one page is enough here */
        assert_true(kstat_chain_update(kc) > 0);
        assert_int_equal(length(kc), 12);
        kstat_close(kc);
}

static void the_list_is_a_structure_itself(void **state)
{
        kstat_ctl_t *kc;
        kstat_t *headers, *list;

        (void)state;
        fake_kstat_machine();
        kc = kstat_open();
        list = kstat_lookup(kc, "unix", 0, "kstat_headers");
        assert_int_equal(list->ks_kid, 0);
        assert_int_equal(list->ks_ndata, 13);
        (void)fake_kstat_add("new", 0, "one", "misc", KSTAT_RAW);
        assert_int_equal(kstat_read(kc, list, NULL), fake_kstat.kcid);
        headers = list->ks_data;
        assert_int_equal(list->ks_ndata, 14);
        assert_int_equal(list->ks_data_size, 14 * sizeof(kstat_t));
        assert_string_equal(headers[0].ks_name, "kstat_headers");
        for (int i = 1; i < 14; i++)
                assert_true(headers[i].ks_kid > headers[i - 1].ks_kid);
        assert_string_equal(headers[13].ks_module, "new");
        /* a copy of a header can be read as well as the header */
        assert_true(kstat_read(kc, &headers[2], NULL) > 0);
        free(headers[2].ks_data);
        headers[2].ks_data = NULL;
        kstat_close(kc);
}

static void nothing_can_be_written(void **state)
{
        kstat_ctl_t *kc;
        kstat_t *ksp;

        (void)state;
        fake_kstat_machine();
        kc = kstat_open();
        ksp = kstat_lookup(kc, "sd", 0, "sda");
        assert_int_equal(kstat_write(kc, ksp, NULL), -1);
        assert_int_equal(errno, EINVAL);
        assert_true(kstat_read(kc, ksp, NULL) > 0);
        assert_int_equal(kstat_write(kc, ksp, NULL), -1);
        assert_int_equal(errno, EACCES);
        fake_kstat.caller = 7;
        assert_int_equal(kstat_write(kc, ksp, NULL), -1);
        assert_int_equal(errno, EPERM);
        kstat_close(kc);
}

static void an_open_that_fails_says_why(void **state)
{
        (void)state;
        fake_kstat.open_error = -ENOENT;
        assert_null(kstat_open());
        assert_int_equal(errno, ENOENT);
        fake_kstat.open_error = 0;
        fake_kstat.error = -EPERM;
        assert_null(kstat_open());
        assert_int_equal(errno, EPERM);
        assert_int_equal(fake_kstat.opened, fake_kstat.closed);
}

static void ask_again_is_asked_again_but_not_for_ever(void **state)
{
        kstat_ctl_t *kc;
        kstat_t *ksp;

        (void)state;
        fake_kstat_machine();
        fake_kstat.again = 50;
        kc = kstat_open();
        assert_non_null(kc);
        assert_int_equal(fake_kstat.again, 0);
        ksp = kstat_lookup(kc, "sd", 0, "sda");
        fake_kstat.error = -EAGAIN;
        fake_kstat.calls = 0;
        assert_int_equal(kstat_read(kc, ksp, NULL), -1);
        assert_int_equal(errno, EAGAIN);
        assert_true(fake_kstat.calls > 1);
        kstat_close(kc);
}

/* --- memory
 * ------------------------------------------------------------------------------------------------------------ */

static int whole_life(void *context)
{
        kstat_ctl_t *kc;
        int r = 0;

        (void)context;
        fake_kstat_reset();
        fake_kstat_machine();
        kc = kstat_open();
        if (!kc)
                return -errno;
        for (kstat_t *ksp = kc->kc_chain; ksp && r >= 0; ksp = ksp->ks_next)
                r = kstat_read(kc, ksp, NULL) < 0 ? -errno : 0;
        fake_kstat_remove(3);
        (void)fake_kstat_add("again", 0, "and again", "misc", KSTAT_RAW);
        if (r >= 0)
                r = kstat_chain_update(kc) < 0 ? -errno : 0;
        kstat_close(kc);
        return r;
}

static void memory_that_runs_out_is_told(void **state)
{
        (void)state;
        assert_true(fault_walk(FAULT_ALLOCATION, false, whole_life, NULL) >= 20);
        assert_int_equal(fake_kstat.opened, fake_kstat.closed);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup(a_chain_has_what_there_is_by_rising_ids, set_up),
                cmocka_unit_test_setup(three_pages_are_one_list, set_up),
                cmocka_unit_test_setup(keys_or_none_of_them_find, set_up),
                cmocka_unit_test_setup(named_values_have_their_types, set_up),
                cmocka_unit_test_setup(a_value_stays_where_it_is_at_the_next_read, set_up),
                cmocka_unit_test_setup(other_types_are_read_into_the_callers_room, set_up),
                cmocka_unit_test_setup(one_above_the_small_program_comes_from_the_large, set_up),
                cmocka_unit_test_setup(what_vanished_is_enxio_and_leaves_the_data, set_up),
                cmocka_unit_test_setup(an_update_moves_no_header_that_stays, set_up),
                cmocka_unit_test_setup(an_update_of_everything_works, set_up),
                cmocka_unit_test_setup(a_failed_update_leaves_the_chain, set_up),
                cmocka_unit_test_setup(the_list_is_a_structure_itself, set_up),
                cmocka_unit_test_setup(nothing_can_be_written, set_up),
                cmocka_unit_test_setup(an_open_that_fails_says_why, set_up),
                cmocka_unit_test_setup(ask_again_is_asked_again_but_not_for_ever, set_up),
                cmocka_unit_test_setup(memory_that_runs_out_is_told, set_up),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
