/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_kext_decode.c - what is read out of the bytes of a module.  The files are those that the fuzz target begins
 * with.
 */
#include "base/cleanup.h"
#include "kext/decode.h"
#include "kext_samples.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static int decode_sample(const char *name, struct kext_identity *ret, struct croft_error *err)
{
        size_t size;
        _cleanup_free_ char *data = read_sample(name, &size);

        return decode(data, size, name, ret, err);
}

static void assert_copy(const char *sample, const char *signer)
{
        struct kext_identity identity;

        assert_int_equal(decode_sample(sample, &identity, NULL), 0);
        assert_int_equal(identity.kind, KEXT_KO);
        assert_string_equal(identity.name, "copy");
        assert_string_equal(identity.vermagic, "6.1.0-test SMP mod_unload modversions ");
        assert_string_equal(identity.srcversion, "0123456789ABCDEF0123456");
        assert_string_equal(identity.build_id, "00112233445566778899aabbccddeeff00112233");
        assert_string_equal(identity.depends, "libcrc32c,crc-ccitt");
        assert_string_equal(identity.signer, signer);
}

static void a_module_says_what_it_is(void **state)
{
        (void)state;
        assert_copy("module", "");
}

static void a_compressed_one_says_the_same(void **state)
{
        (void)state;
        assert_copy("gzip", "");
        assert_copy("xz", "");
        assert_copy("zstd", "");
}

static void what_it_unpacks_to_is_kept(void **state)
{
        size_t size = 0, n = 0;
        _cleanup_free_ char *plain = read_sample("module", &size), *packed = read_sample("xz", &n);
        struct decoded decoded = {.plain = NULL};

        (void)state;
        assert_int_equal(decode_keep(packed, n, "x", &decoded, NULL), 0);
        assert_string_equal(decoded.identity.name, "copy");
        assert_int_equal(decoded.plain_size, size);
        assert_memory_equal(decoded.plain, plain, size);
        free(decoded.plain);
        assert_int_equal(decode_keep(plain, size, "x", &decoded, NULL), 0);
        assert_null(decoded.plain);
}

static void the_signer_is_read_out_of_the_signature(void **state)
{
        struct kext_identity identity;

        (void)state;
        assert_copy("signed", "Test Signer");
        assert_copy("signed-xz", "Test Signer");
        assert_int_equal(decode_sample("signed-keyid", &identity, NULL), 0);
        assert_int_equal(strlen(identity.signer), 40);
        assert_int_equal(strspn(identity.signer, "0123456789abcdef"), 40);
}

static void a_signature_that_is_none_is_told(void **state)
{
        (void)state;
        assert_copy("signed-long", "(unreadable)");
}

static void what_takes_majors_is_known_by_its_imports(void **state)
{
        struct kext_identity identity;

        (void)state;
        assert_int_equal(decode_sample("majors", &identity, NULL), 0);
        assert_true(identity.takes_major);
        assert_int_equal(decode_sample("no-majors", &identity, NULL), 0); /* names that are alike */
        assert_false(identity.takes_major);
        assert_int_equal(decode_sample("module", &identity, NULL), 0); /* imports nothing */
        assert_false(identity.takes_major);
}

static void assert_refused(const char *sample, const char *why)
{
        struct croft_error err = CROFT_ERROR_INIT;
        struct kext_identity identity = {.name = "untouched"};

        assert_int_equal(decode_sample(sample, &identity, &err), -ENOEXEC);
        if (!strstr(croft_error_cause(&err, 0), why))
                fail_msg("%s: %s", sample, croft_error_cause(&err, 0));
        assert_string_equal(identity.name, "untouched");
}

static void what_is_no_module_is_refused(void **state)
{
        (void)state;
        assert_refused("text", "no ELF file");
        assert_refused("empty", "no ELF file");
        assert_refused("gzip-junk", "can't be decompressed");
        assert_refused("two-names", "it has two names");
        assert_refused("no-vermagic", "for which kernel");
        assert_refused("bad-name", "its name is none");
        assert_refused("all-name", "no extension is called so"); /* a grant of that name is one of all */
        assert_refused("bad-symbols", "its symbols are damaged");
}

/* Objects of BPF programs have no release either: what it depends on would be looked for among these. */
static void a_module_for_a_kernel_without_a_release_is_refused(void **state)
{
        static const char field[] = "vermagic=6";
        size_t size;
        _cleanup_free_ char *data = read_sample("module", &size);
        char *at = memmem(data, size, field, strlen(field));
        struct croft_error err = CROFT_ERROR_INIT;
        struct kext_identity identity;

        (void)state;
        assert_non_null(at);
        at[strlen(field) - 1] = ' ';
        assert_int_equal(decode(data, size, "module", &identity, &err), -ENOEXEC);
        assert_non_null(strstr(croft_error_cause(&err, 0), "for which kernel"));
}

/* Each beginning of it, in a block of just its size: read beyond it and the sanitizer says so. */
static void walk_truncations(const char *sample)
{
        size_t size;
        _cleanup_free_ char *data = read_sample(sample, &size);

        for (size_t n = 0; n < size; n++) {
                struct kext_identity identity = {.name = ""};
                _cleanup_free_ char *cut = malloc(n ? n : 1);

                assert_non_null(cut);
                memcpy(cut, data, n);
                if (decode(cut, n, "x.bpf.o", &identity, NULL) == 0)
                        assert_string_equal(identity.name, "copy"); /* what was cut off says nothing of it */
        }
}

static void what_is_cut_off_is_refused_or_the_same(void **state)
{
        (void)state;
        walk_truncations("module");
        walk_truncations("signed");
        walk_truncations("gzip");
        walk_truncations("xz");
        walk_truncations("zstd");
}

static void a_module_cut_off_is_refused(void **state)
{
        size_t size;
        _cleanup_free_ char *data = read_sample("module", &size);
        struct kext_identity identity;

        (void)state;
        for (size_t n = 0; n < size; n++)
                assert_true(decode(data, n, "x", &identity, NULL) < 0); /* its table of sections is at the end */
}

static void what_is_one_bit_off_is_refused_or_read(void **state)
{
        (void)state;
        walk_bits("signed", "x", 7);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_module_says_what_it_is),
                cmocka_unit_test(a_compressed_one_says_the_same),
                cmocka_unit_test(what_it_unpacks_to_is_kept),
                cmocka_unit_test(what_takes_majors_is_known_by_its_imports),
                cmocka_unit_test(the_signer_is_read_out_of_the_signature),
                cmocka_unit_test(a_signature_that_is_none_is_told),
                cmocka_unit_test(what_is_no_module_is_refused),
                cmocka_unit_test(a_module_for_a_kernel_without_a_release_is_refused),
                cmocka_unit_test(what_is_cut_off_is_refused_or_the_same),
                cmocka_unit_test(a_module_cut_off_is_refused),
                cmocka_unit_test(what_is_one_bit_off_is_refused_or_read),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
