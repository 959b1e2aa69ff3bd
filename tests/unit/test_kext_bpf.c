/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_kext_bpf.c - objects of BPF programs: which are taken, and what they are called.  The files are those that the
 * fuzz target begins with.
 */
#include "base/cleanup.h"
#include "kext/bpf.h"
#include "kext/decode.h"
#include "kext/object.h"
#include "kext_samples.h"

#include <linux/bpf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static int decode_sample(const char *name, const char *file, struct kext_identity *ret, struct croft_error *err)
{
        size_t size;
        _cleanup_free_ char *data = read_sample(name, &size);

        return decode(data, size, file, ret, err);
}

static void an_object_is_called_as_its_file(void **state)
{
        struct kext_identity identity;

        (void)state;
        assert_int_equal(decode_sample("bpf-drop", "/root/keep-out.bpf.o", &identity, NULL), 0);
        assert_int_equal(identity.kind, KEXT_BPF);
        assert_string_equal(identity.name, "keep_out");
        assert_string_equal(identity.vermagic, "");
        assert_string_equal(identity.depends, "");
        assert_string_equal(kext_kind_name(identity.kind), "bpf");
}

static void a_file_gives_a_name_that_can_be_one(void **state)
{
        static const char *const bad[] = {"", "/", ".bpf.o", ".o", "a b.bpf.o", "a.b.o", "ALL.bpf.o", "\xc3\xa4.o",
                "a23456789012345678901234567890123456789012345678901234567890.o",
                "a2345678901234567890123456789012345678901234567890123456.bpf.o"};
        char name[KEXT_NAME_MAX + 1];

        (void)state;
        assert_true(kext_name_of_object("x.bpf.o", name));
        assert_string_equal(name, "x");
        assert_true(kext_name_of_object("dir.d/x-y.o", name));
        assert_string_equal(name, "x_y");
        assert_true(kext_name_of_object("plain", name));
        assert_string_equal(name, "plain");
        for (size_t i = 0; i < ELEMENTS(bad); i++)
                if (kext_name_of_object(bad[i], name))
                        fail_msg("taken: '%s'", bad[i]);
}

static void assert_refused(const char *sample, const char *file, const char *why)
{
        struct croft_error err = CROFT_ERROR_INIT;
        struct kext_identity identity = {.name = "untouched"};

        assert_int_equal(decode_sample(sample, file, &identity, &err), -ENOEXEC);
        if (!strstr(croft_error_cause(&err, 0), why))
                fail_msg("%s: %s", sample, croft_error_cause(&err, 0));
        assert_string_equal(identity.name, "untouched");
}

static void what_reaches_beyond_a_partition_is_refused(void **state)
{
        (void)state;
        assert_refused("bpf-xdp", "x.o", "its program 'of_a_device', section 'xdp', isn't one for a control group");
        assert_refused("bpf-pinned", "x.o", "its map 'shared' is to be pinned");
        assert_refused("bpf-both-ways", "x.o", "doesn't say which way");
}

static void what_is_no_object_is_refused(void **state)
{
        (void)state;
        assert_refused("bpf-cut", "x.o", "it is no BPF object that can be read");
        assert_refused("bpf-gzip", "x.o", "it is no module of a kernel");
        assert_refused("bpf-drop", "no name.o", "gives it no name");
}

static void programs_are_for_a_control_group(void **state)
{
        (void)state;
        assert_true(bpf_is_taken(BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_EGRESS));
        assert_true(bpf_is_taken(BPF_PROG_TYPE_CGROUP_DEVICE, BPF_CGROUP_DEVICE));
        assert_true(bpf_is_taken(BPF_PROG_TYPE_SOCK_OPS, BPF_CGROUP_SOCK_OPS));
        assert_false(bpf_is_taken(BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_DEVICE));
        assert_false(bpf_is_taken(BPF_PROG_TYPE_LSM, BPF_LSM_CGROUP));
        assert_false(bpf_is_taken(BPF_PROG_TYPE_XDP, BPF_XDP));
        assert_false(bpf_is_taken(BPF_PROG_TYPE_KPROBE, 0));
        assert_false(bpf_is_taken(BPF_PROG_TYPE_UNSPEC, 0));
}

/* In a block of just its size: read beyond it and the sanitizer says so. */
static void what_is_cut_off_is_refused(void **state)
{
        size_t size;
        _cleanup_free_ char *data = read_sample("bpf-drop", &size);

        (void)state;
        for (size_t n = 0; n < size; n += 3) {
                struct kext_identity identity;
                _cleanup_free_ char *cut = malloc(n ? n : 1);

                assert_non_null(cut);
                memcpy(cut, data, n);
                assert_true(decode(cut, n, "x.o", &identity, NULL) < 0); /* its table of sections is at the end */
        }
}

static void what_is_one_bit_off_is_refused_or_read(void **state)
{
        (void)state;
        walk_bits("bpf-drop", "x.o", 11);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(an_object_is_called_as_its_file),
                cmocka_unit_test(a_file_gives_a_name_that_can_be_one),
                cmocka_unit_test(what_reaches_beyond_a_partition_is_refused),
                cmocka_unit_test(what_is_no_object_is_refused),
                cmocka_unit_test(programs_are_for_a_control_group),
                cmocka_unit_test(what_is_cut_off_is_refused),
                cmocka_unit_test(what_is_one_bit_off_is_refused_or_read),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
