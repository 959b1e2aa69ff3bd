/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_cdi.c - device files of the Container Device Interface: names, nodes, and what is refused because croft doesn't
 * do it.
 */
#include "partition/cdi.h"

#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct cdi_name one = {.kind = "vendor.com/net", .device = "one"};

static void a_name_has_vendor_class_and_device(void **state)
{
        static const char *const wrong[] = {"", "a", "a/b", "a=b", "/b=c", "a/=c", "a/b=", "a/b/c=d", "1a/b=c",
                "a/1b=c", "a./b=c", "a/b.=c", "a/b=c.", "a/b=-c", "a/b=c=d", "a /b=c", "a/b=c\n", "a.b/c.d=e",
                "../b=c"};
        static const char *const right[] = {"a/b=c", "vendor.com/net=eth0:1", "a_b-c.d/e_f-g=0", "A/B=all"};
        char many[256] = "v/c=";
        struct cdi_name name;

        (void)state;
        for (size_t i = 0; i < ELEMENTS(wrong); i++)
                if (cdi_name_parse(wrong[i], &name))
                        fail_msg("'%s' is taken", wrong[i]);
        for (size_t i = 0; i < ELEMENTS(right); i++)
                assert_true(cdi_name_parse(right[i], &name));
        assert_true(cdi_name_parse("vendor.com/net=eth0:1", &name));
        assert_string_equal(name.kind, "vendor.com/net");
        assert_string_equal(name.device, "eth0:1");
        memset(many + 4, 'x', CDI_NAME_MAX - 4);
        assert_true(cdi_name_parse(many, &name));
        many[CDI_NAME_MAX] = 'x';
        assert_false(cdi_name_parse(many, &name));
}

/* A file with that device, whose edits are these. */
#define SPEC(edits)                                                                                                    \
        "{\"cdiVersion\": \"0.6.0\", \"kind\": \"vendor.com/net\", \"devices\": [{\"name\": \"one\", "                 \
        "\"containerEdits\": " edits "}]}"
#define NODES(nodes) SPEC("{\"deviceNodes\": [" nodes "]}")

static void a_node_is_as_the_file_says(void **state)
{
        static const char text[] = NODES("{\"path\": \"/dev/a\"}, {\"path\": \"/dev/b/c\", \"hostPath\": \"/dev/d\", "
                                         "\"type\": \"b\", \"major\": 8, \"minor\": 16, \"fileMode\": 432, "
                                         "\"permissions\": \"rm\", \"uid\": 33, \"gid\": 6}");
        struct cdi_device d;

        (void)state;
        assert_int_equal(cdi_decode(text, sizeof(text) - 1, CDI_JSON, &one, &d, NULL), 0);
        assert_int_equal(d.n, 2);
        assert_string_equal(d.nodes[0].path, "/dev/a");
        assert_string_equal(d.nodes[0].host, "/dev/a");
        assert_int_equal(d.nodes[0].type, 0);
        assert_int_equal(d.nodes[0].major, -1);
        assert_int_equal(d.nodes[0].mode, -1);
        assert_int_equal(d.nodes[0].access, CDI_READ | CDI_WRITE);
        assert_string_equal(d.nodes[1].path, "/dev/b/c");
        assert_string_equal(d.nodes[1].host, "/dev/d");
        assert_int_equal(d.nodes[1].type, 'b');
        assert_int_equal(d.nodes[1].major, 8);
        assert_int_equal(d.nodes[1].minor, 16);
        assert_int_equal(d.nodes[1].mode, 0660);
        assert_int_equal(d.nodes[1].access, CDI_READ);
        assert_int_equal(d.nodes[1].uid, 33);
        assert_int_equal(d.nodes[1].gid, 6);
        cdi_device_done(&d);
}

static void edits_for_all_devices_of_a_file_count(void **state)
{
        static const char text[] =
                "{\"cdiVersion\": \"1.0.0\", \"kind\": \"vendor.com/net\", \"annotations\": {\"a\": \"b\"}, "
                "\"devices\": [{\"name\": \"two\", \"containerEdits\": {\"mounts\": [{}]}}, "
                "{\"name\": \"one\", \"containerEdits\": {\"deviceNodes\": [{\"path\": \"/dev/a\"}], \"env\": []}}], "
                "\"containerEdits\": {\"deviceNodes\": [{\"path\": \"/dev/all\"}]}}";
        struct cdi_device d;

        (void)state;
        assert_int_equal(cdi_decode(text, sizeof(text) - 1, CDI_JSON, &one, &d, NULL), 0);
        assert_int_equal(d.n, 2);
        assert_string_equal(d.nodes[1].path, "/dev/all");
        cdi_device_done(&d);
}

static void refuses_as(enum cdi_format format, const char *text, int code, const char *sentence)
{
        struct cdi_device d = {.n = 42};
        struct croft_error err = CROFT_ERROR_INIT;
        char line[CROFT_ERROR_TEXT_MAX];

        assert_int_equal(cdi_decode(text, strlen(text), format, &one, &d, &err), -code);
        assert_int_equal(d.n, 42);
        if (!sentence)
                return;
        assert_int_equal(err.code, code);
        (void)croft_error_line(&err, line, sizeof(line));
        if (!strstr(line, sentence))
                fail_msg("'%s' lacks '%s'", line, sentence);
        for (const char *at = line; *at; at++)
                assert_true((unsigned char)*at >= ' ' && (unsigned char)*at < 0x7f);
}

/* What is JSON is YAML, too; what isn't even that they say in their own words. */
static void refuses(const char *text, int code, const char *sentence)
{
        bool own_words = sentence && (strcmp(sentence, "line 1") == 0 || strcmp(sentence, "duplicate") == 0);

        refuses_as(CDI_JSON, text, code, sentence);
        refuses_as(CDI_YAML, text, code, own_words ? "" : sentence);
}

static void another_file_is_not_looked_at(void **state)
{
        (void)state;
        refuses("{\"kind\": \"vendor.com/other\", \"devices\": 5, \"unknown\": 1}", ENOENT, NULL);
        refuses("{\"cdiVersion\": \"1\", \"kind\": \"vendor.com/net\", \"devices\": [{\"name\": \"two\"}]}", ENOENT,
                NULL);
}

static void what_croft_does_not_do_is_named(void **state)
{
        static const char *const edits[] = {"env", "mounts", "hooks", "intelRdt", "additionalGids", "netDevices"};

        (void)state;
        for (size_t i = 0; i < ELEMENTS(edits); i++) {
                char text[512], sentence[64];

                (void)snprintf(text, sizeof(text),
                        SPEC("{\"%s\": [{\"a\": 1}], \"deviceNodes\": [{\"path\": \"/dev/a\"}]}"), edits[i]);
                (void)snprintf(sentence, sizeof(sentence), "'%s', which croft doesn't do", edits[i]);
                refuses(text, EOPNOTSUPP, sentence);
        }
        refuses("{\"cdiVersion\": \"1\", \"kind\": \"vendor.com/net\", \"devices\": [{\"name\": \"one\", "
                "\"containerEdits\": "
                "{\"deviceNodes\": [{\"path\": \"/dev/a\"}]}}], \"containerEdits\": {\"hooks\": [1]}}",
                EOPNOTSUPP, "'hooks'");
}

static void a_fault_is_named(void **state)
{
        static const struct {
                const char *text, *sentence;
        } faults[] = {
                {"", "line 1"},
                {"[]", "it is no object with keys"},
                {"{", "line 1"},
                {"{\"kind\": \"a\", \"kind\": \"b\"}", "duplicate"},
                {"{}", "'kind' is missing"},
                {"{\"kind\": 5}", "'kind' is missing"},
                {"{\"kind\": \"vendor.com/net\", \"devices\": []}", "'cdiVersion' is missing"},
                {"{\"cdiVersion\": \"1\", \"kind\": \"vendor.com/net\"}", "'devices' is no list"},
                {"{\"cdiVersion\": \"1\", \"kind\": \"vendor.com/net\", \"devices\": [5]}", "'name' is missing"},
                {"{\"cdiVersion\": \"1\", \"kind\": \"vendor.com/net\", \"devices\": [], \"more\": 1}",
                        "'more' is a key"},
                {"{\"cdiVersion\": \"1\", \"kind\": \"vendor.com/net\", \"devices\": [{\"name\": \"one\"}, {\"name\": "
                 "\"one\"}]}",
                        "'one' is there twice"},
                {"{\"cdiVersion\": \"1\", \"kind\": \"vendor.com/net\", \"devices\": [{\"name\": \"one\", "
                 "\"x\\u001b\": 1}]}",
                        "is a key that isn't known"},
                {SPEC("{}"), "has no node"},
                {SPEC("5"), "'containerEdits' is no object"},
                {SPEC("{\"other\": []}"), "'other' is a key"},
                {SPEC("{\"deviceNodes\": {}}"), "'deviceNodes' is no list"},
                {NODES("5"), "'deviceNodes' is no list of objects"},
                {NODES("{}"), "'path' is missing"},
                {NODES("{\"path\": 5}"), "'path' is no text"},
                {NODES("{\"path\": \"/etc/passwd\"}"), "'/etc/passwd' isn't below /dev"},
                {NODES("{\"path\": \"/dev/a\", \"rule\": 1}"), "'rule' is a key"},
                {NODES("{\"path\": \"/dev/a\", \"type\": \"p\"}"), "'type' is neither"},
                {NODES("{\"path\": \"/dev/a\", \"permissions\": \"m\"}"), "'permissions'"},
                {NODES("{\"path\": \"/dev/a\", \"permissions\": \"rx\"}"), "'permissions'"},
                {NODES("{\"path\": \"/dev/a\", \"major\": 4096}"), "'major'"},
                {NODES("{\"path\": \"/dev/a\", \"minor\": -1}"), "'minor'"},
                {NODES("{\"path\": \"/dev/a\", \"uid\": 65536}"), "'uid'"},
                {NODES("{\"path\": \"/dev/a\", \"gid\": 1.5}"), "'gid'"},
                {NODES("{\"path\": \"/dev/a\", \"fileMode\": \"0660\"}"), "'fileMode'"},
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTS(faults); i++)
                refuses(faults[i].text, EBADMSG, faults[i].sentence);
}

static void what_is_too_much_is_refused(void **state)
{
        char text[8192], path[128];
        size_t used;

        (void)state;
        memset(text, '[', 4000);
        text[4000] = '\0';
        refuses(text, EBADMSG, "nests deeper");
        memset(path, 'x', sizeof(path));
        path[CDI_PATH_MAX + 1 - 5] = '\0';
        (void)snprintf(text, sizeof(text), NODES("{\"path\": \"/dev/%s\"}"), path);
        refuses(text, EBADMSG, "'path' is no text, or too long");
        used = (size_t)snprintf(text, sizeof(text),
                "{\"cdiVersion\": \"1\", \"kind\": \"vendor.com/net\", \"devices\": [{\"name\": "
                "\"one\", \"containerEdits\": {\"deviceNodes\": [");
        for (int i = 0; i <= CDI_NODES_MAX; i++)
                used += (size_t)snprintf(
                        text + used, sizeof(text) - used, "%s{\"path\": \"/dev/n%d\"}", i ? "," : "", i);
        (void)snprintf(text + used, sizeof(text) - used, "]}}]}");
        refuses(text, EBADMSG, "more than 64 nodes");
}

static void a_file_that_is_cut_off_is_refused(void **state)
{
        static const char text[] = NODES("{\"path\": \"/dev/a\", \"permissions\": \"r\"}");
        struct cdi_device d;

        (void)state;
        for (size_t n = 0; n < sizeof(text) - 1; n++) {
                _cleanup_free_ char *copy = malloc(n + 1);

                memcpy(copy, text, n);
                assert_int_equal(cdi_decode(copy, n, CDI_JSON, &one, &d, NULL), -EBADMSG);
                assert_int_equal(cdi_decode(copy, n, CDI_YAML, &one, &d, NULL), -EBADMSG);
        }
}

/* As nvidia-ctk writes them. */
static void a_file_in_yaml_is_the_same(void **state)
{
        static const char text[] = "---\n"
                                   "cdiVersion: 0.5.0\n"
                                   "kind: vendor.com/net\n"
                                   "containerEdits:\n"
                                   "  deviceNodes:\n"
                                   "  - path: /dev/nvidiactl\n"
                                   "    major: 195\n"
                                   "    minor: 255\n"
                                   "    fileMode: 438\n"
                                   "    permissions: rw\n"
                                   "    uid: 0\n"
                                   "    gid: 44\n"
                                   "devices:\n"
                                   "- containerEdits:\n"
                                   "    deviceNodes:\n"
                                   "    - path: \"/dev/a\" # a comment\n"
                                   "      hostPath: /dev/b\n"
                                   "      type: b\n"
                                   "      fileMode: 0660\n"
                                   "  name: one\n"
                                   "- containerEdits: {mounts: [{hostPath: /x}]}\n"
                                   "  name: \"two\"\n";
        struct cdi_device d;

        (void)state;
        assert_int_equal(cdi_decode(text, sizeof(text) - 1, CDI_YAML, &one, &d, NULL), 0);
        assert_int_equal(d.n, 2);
        assert_string_equal(d.nodes[0].path, "/dev/a");
        assert_string_equal(d.nodes[0].host, "/dev/b");
        assert_int_equal(d.nodes[0].type, 'b');
        assert_int_equal(d.nodes[0].mode, 0660);
        assert_string_equal(d.nodes[1].path, "/dev/nvidiactl");
        assert_int_equal(d.nodes[1].major, 195);
        assert_int_equal(d.nodes[1].minor, 255);
        assert_int_equal(d.nodes[1].mode, 0666);
        assert_int_equal(d.nodes[1].gid, 44);
        cdi_device_done(&d);
}

static void the_end_of_its_name_says_which_form_a_file_has(void **state)
{
        (void)state;
        assert_int_equal(cdi_format_of("vendor.json"), CDI_JSON);
        assert_int_equal(cdi_format_of("vendor.yaml"), CDI_YAML);
        assert_int_equal(cdi_format_of("vendor.json.yml"), CDI_YAML);
        assert_int_equal(cdi_format_of(".vendor.yaml"), CDI_NO_FORMAT);
        assert_int_equal(cdi_format_of(".json"), CDI_NO_FORMAT);
        assert_int_equal(cdi_format_of("vendor.YAML"), CDI_NO_FORMAT);
        assert_int_equal(cdi_format_of("vendor.yaml~"), CDI_NO_FORMAT);
        assert_int_equal(cdi_format_of(""), CDI_NO_FORMAT);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_name_has_vendor_class_and_device),
                cmocka_unit_test(a_node_is_as_the_file_says),
                cmocka_unit_test(edits_for_all_devices_of_a_file_count),
                cmocka_unit_test(another_file_is_not_looked_at),
                cmocka_unit_test(what_croft_does_not_do_is_named),
                cmocka_unit_test(a_fault_is_named),
                cmocka_unit_test(what_is_too_much_is_refused),
                cmocka_unit_test(a_file_that_is_cut_off_is_refused),
                cmocka_unit_test(a_file_in_yaml_is_the_same),
                cmocka_unit_test(the_end_of_its_name_says_which_form_a_file_has),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
