/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_image_import.c - what decides about imports and builds: names of entries, documents of OCI, apt's sources, and
 * the report of a worker that may lie.
 */
#include "base/cleanup.h"
#include "base/str.h"
#include "image/oci_json.h"
#include "image/run.h"
#include "image/sink.h"
#include "image/sources.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void names_are_written_without_what_means_nothing(void **state)
{
        static const char *const pairs[][2] = {
                {"./a//b/./c/", "a/b/c"}, {".", ""}, {"./", ""}, {"...", "..."}, {"a/..b", "a/..b"}, {"a", "a"}};
        char name[ENTRY_NAME_MAX];

        (void)state;
        for (size_t i = 0; i < ELEMENTS(pairs); i++) {
                assert_null(entry_name(pairs[i][0], name));
                assert_string_equal(name, pairs[i][1]);
        }
}

static void names_that_lead_outside_are_refused(void **state)
{
        static const char *const bad[] = {"", "/", "/a", "..", "../a", "a/..", "a/../b", "./..", "a//../b"};
        char name[ENTRY_NAME_MAX];

        (void)state;
        for (size_t i = 0; i < ELEMENTS(bad); i++)
                if (!entry_name(bad[i], name))
                        fail_msg("'%s' was taken as '%s'", bad[i], name);
}

/* A name of n parts, each of that length. */
static const char *check_long(size_t n, size_t length)
{
        _cleanup_free_ char *text = malloc(n * (length + 1) + 1);
        char name[ENTRY_NAME_MAX];
        size_t used = 0;

        assert_non_null(text);
        for (size_t i = 0; i < n; i++) {
                memset(text + used, 'x', length);
                used += length;
                text[used++] = '/';
        }
        text[used] = '\0';
        return entry_name(text, name);
}

static void lengths_and_depths_of_names_are_bounded(void **state)
{
        (void)state;
        assert_null(check_long(1, 255));
        assert_non_null(check_long(1, 256));
        assert_null(check_long(ENTRY_DEPTH_MAX, 1));
        assert_non_null(check_long(ENTRY_DEPTH_MAX + 1, 1));
        assert_null(check_long(15, 255));
        assert_non_null(check_long(17, 255));
}

static void a_name_is_split_into_folder_and_last_part(void **state)
{
        char folder[ENTRY_NAME_MAX];

        (void)state;
        assert_string_equal(entry_base("a/b/c", folder), "c");
        assert_string_equal(folder, "a/b");
        assert_string_equal(entry_base("c", folder), "c");
        assert_string_equal(folder, "");
}

static int pick(const char *text, struct oci_blob *blob)
{
        return oci_index_decode(text, strlen(text), "amd64", blob, NULL);
}

#define BLOB(digest) "\"mediaType\":\"x\",\"digest\":\"sha256:" digest "\",\"size\":7"
#define FOR(arch) ",\"platform\":{\"os\":\"linux\",\"architecture\":\"" arch "\"}"

static void of_an_index_this_machine_is_taken(void **state)
{
        struct oci_blob blob;

        (void)state;
        assert_int_equal(pick("{\"manifests\":[{" BLOB("g") FOR("arm64") "},{" BLOB(HEX) FOR("amd64") "}]}", &blob), 0);
        assert_string_equal(blob.digest, HEX);
        assert_int_equal(blob.size, 7);
        assert_false(blob.index);
        assert_int_equal(pick("{\"manifests\":[{" BLOB(HEX) "}]}", &blob), 0);
        assert_int_equal(pick("{\"manifests\":[{\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"digest\":"
                              "\"sha256:" HEX "\",\"size\":0}]}",
                                 &blob),
                0);
        assert_true(blob.index);
}

static void an_index_without_an_answer_is_refused(void **state)
{
        static const char *const bad[] = {"", "[]", "{}", "{\"manifests\":{}}", "{\"manifests\":[]}",
                "{\"manifests\":[{" BLOB(HEX) FOR("arm64") "}]}", "{\"manifests\":[{" BLOB(HEX) "},{" BLOB(HEX) "}]}",
                "{\"manifests\":[{" BLOB("../../etc/passwd") "}]}", "{\"manifests\":[{\"digest\":\"sha256:" HEX "\"}]}",
                "{\"manifests\":[{\"digest\":\"sha256:" HEX "\",\"size\":-1}]}",
                "{\"manifests\":[{\"digest\":\"sha512:" HEX "\",\"size\":1}]}", "{\"manifests\":[1]}"};
        struct oci_blob blob;

        (void)state;
        for (size_t i = 0; i < ELEMENTS(bad); i++)
                if (pick(bad[i], &blob) != -EILSEQ)
                        fail_msg("taken: %s", bad[i]);
}

static void a_manifest_names_its_layers_in_order(void **state)
{
        static const char text[] = "{\"config\":{" BLOB(HEX) "},\"layers\":[{" BLOB(HEX) "},{" BLOB(HEX) "}]}";
        static const char *const bad[] = {"{\"config\":{" BLOB(HEX) "},\"layers\":[]}", "{\"config\":{" BLOB(HEX) "}}",
                "{\"layers\":[{" BLOB(HEX) "}]}", "{\"config\":{" BLOB(HEX) "},\"layers\":[{}]}"};
        struct oci_manifest *m = malloc(sizeof(*m));

        (void)state;
        assert_non_null(m);
        assert_int_equal(oci_manifest_decode(text, strlen(text), m, NULL), 0);
        assert_int_equal(m->n_layers, 2);
        for (size_t i = 0; i < ELEMENTS(bad); i++)
                assert_int_equal(oci_manifest_decode(bad[i], strlen(bad[i]), m, NULL), -EILSEQ);
        free(m);
}

static void expect_sources(const char *text, bool deb822, const char *expected)
{
        char **lines = NULL, all[2048] = "";

        assert_int_equal(sources_translate(text, deb822, "bookworm", "trixie", &lines), 0);
        for (size_t i = 0; i < strv_length(lines); i++) {
                strncat(all, lines[i], sizeof(all) - strlen(all) - 2);
                strncat(all, "\n", sizeof(all) - strlen(all) - 1);
        }
        assert_string_equal(all, expected);
        strv_free(lines);
}

static void sources_of_the_hosts_release_are_translated(void **state)
{
        (void)state;
        expect_sources("# c\ndeb http://m/debian bookworm main contrib # x\ndeb-src http://m/debian bookworm main\n"
                       "deb [arch=amd64 signed-by=/k.gpg] http://s/sec bookworm-security main\n"
                       "deb http://other/apt stable main\ndeb\ndeb [\ndeb [x] \n",
                false, "deb http://m/debian trixie main\ndeb [signed-by=/k.gpg] http://s/sec trixie-security main\n");
        expect_sources("Types: deb deb-src\n# c\nURIs: http://m/debian\n http://n/debian\nSuites: bookworm\n"
                       " bookworm-updates\nSigned-By: /k.gpg\nComponents: main\n\nTypes: deb\nEnabled: no\n"
                       "URIs: http://x/\nSuites: bookworm\n\nTypes: deb-src\nURIs: http://y/\nSuites: bookworm\n\n"
                       "Types: deb\nURIs: http://z/\nSuites: bookworm-security\nSigned-By:\n -----BEGIN PGP\n",
                true,
                "deb [signed-by=/k.gpg] http://m/debian trixie main\n"
                "deb [signed-by=/k.gpg] http://m/debian trixie-updates main\n"
                "deb [signed-by=/k.gpg] http://n/debian trixie main\n"
                "deb [signed-by=/k.gpg] http://n/debian trixie-updates main\n"
                "deb http://z/ trixie-security main\n");
        expect_sources("", true, "");
        expect_sources("", false, "");
}

static void what_is_handed_to_a_builder_is_checked(void **state)
{
        (void)state;
        assert_true(sources_is_suite("bookworm"));
        assert_true(sources_is_suite("3.20"));
        assert_false(sources_is_suite("-x"));
        assert_false(sources_is_suite("a b"));
        assert_false(sources_is_suite("../x"));
        assert_true(sources_is_uri("http://m:80/debian"));
        assert_false(sources_is_uri("http://m [trusted=yes]"));
        assert_false(sources_is_uri("--x"));
        assert_true(sources_is_package_list("g++,libc6:i386"));
        assert_false(sources_is_package_list("-x"));
        assert_false(sources_is_package_list("?essential"));
}

static char said[256];

static void hear(void *context, const char *text)
{
        (void)context;
        (void)snprintf(said, sizeof(said), "%s", text);
}

static void a_report_is_shown_escaped_and_bounded(void **state)
{
        struct croft_error err = CROFT_ERROR_INIT;
        struct worker_run run = {.say = hear};

        (void)state;
        assert_int_equal(worker_report_line(&run, "P at \033[2J \\x41", &err), 0);
        assert_string_equal(said, "at \\x1b[2J \\x41");
        assert_int_equal(worker_report_line(&run, "N 12", &err), 0);
        assert_int_equal(run.nodes, 12);
        assert_int_equal(worker_report_line(&run, "S -1", &err), 0);
        assert_int_equal(run.bytes, 0);
        assert_int_equal(worker_report_line(&run, "O Debian", &err), 0);
        assert_string_equal(run.os, "Debian");
        assert_int_equal(worker_report_line(&run, ".", &err), 1);
        assert_int_equal(err.code, 0);
}

static void a_workers_refusal_becomes_the_error(void **state)
{
        struct croft_error err = CROFT_ERROR_INIT;
        struct worker_run run = {0};

        (void)state;
        assert_int_equal(worker_report_line(&run, "E 84 entry 'x' is\001 bad", &err), -84);
        assert_string_equal(croft_error_cause(&err, 0), "entry 'x' is\\x01 bad");
        assert_int_equal(worker_report_line(&run, "E 0 x", &err), -EILSEQ);
        assert_int_equal(worker_report_line(&run, "E -5 x", &err), -EILSEQ);
        assert_int_equal(worker_report_line(&run, "E 99999999999999999999 x", &err), -EILSEQ);
        assert_int_equal(worker_report_line(&run, "E", &err), -EILSEQ);
        assert_int_equal(worker_report_line(&run, "", &err), -EILSEQ);
        assert_int_equal(worker_report_line(&run, "hello", &err), -EILSEQ);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(names_are_written_without_what_means_nothing),
                cmocka_unit_test(names_that_lead_outside_are_refused),
                cmocka_unit_test(lengths_and_depths_of_names_are_bounded),
                cmocka_unit_test(a_name_is_split_into_folder_and_last_part),
                cmocka_unit_test(of_an_index_this_machine_is_taken),
                cmocka_unit_test(an_index_without_an_answer_is_refused),
                cmocka_unit_test(a_manifest_names_its_layers_in_order),
                cmocka_unit_test(sources_of_the_hosts_release_are_translated),
                cmocka_unit_test(what_is_handed_to_a_builder_is_checked),
                cmocka_unit_test(a_report_is_shown_escaped_and_bounded),
                cmocka_unit_test(a_workers_refusal_becomes_the_error),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
