/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_api_body.c - the bodies of requests: what is taken, and what is refused with which words.
 */
#include "base/cleanup.h"
#include "daemon/api_body.h"
#include "devid/exports.bpf.h"
#include "fault.h"

#include <jansson.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum decoder { CREATE, CHANGE, STOP, KILL, PLAIN, EXEC, IMAGE, DEVICE, EXTENSION };

/* Decodes, and forgets what came of it. */
static int decode(enum decoder which, const char *body, struct croft_error *err)
{
        struct api_create create = {.name = NULL};
        struct api_change change = {.name = NULL};
        struct api_image image = {.name = NULL};
        struct api_device device = {.device = NULL};
        struct api_extension extension = {.path = NULL};
        struct exec_spec exec = {.id = 0};
        struct api_action action;
        size_t size = strlen(body);
        int r = 0;

        if (which == CREATE)
                r = api_create_decode(body, size, &create, err);
        else if (which == CHANGE)
                r = api_change_decode(body, size, &change, err);
        else if (which == EXEC)
                r = api_exec_decode(body, size, &exec, err);
        else if (which == IMAGE)
                r = api_image_decode(body, size, &image, err);
        else if (which == EXTENSION)
                r = api_extension_decode(body, size, &extension, err);
        else if (which == DEVICE)
                r = api_device_decode(body, size, &device, err);
        else
                r = api_action_decode(body, size,
                        which == STOP   ? API_ACTION_TIMEOUT | API_ACTION_FORCE
                        : which == KILL ? API_ACTION_SIGNAL
                                        : 0,
                        &action, err);
        api_create_done(&create);
        api_change_done(&change);
        api_image_done(&image);
        api_device_done(&device);
        api_extension_done(&extension);
        exec_spec_done(&exec);
        return r;
}

static void faults_are_named(void **state)
{
        static const struct {
                enum decoder which;
                const char *body, *says;
        } cases[] = {
                {CREATE, "", "the key 'name' is missing"},
                {CREATE, "[]", "the body is an array, not an object"},
                {CREATE, "{\"name\": \"a\"} x",
                        "the body is no JSON: line 1, column 15: end of file expected near 'x'"},
                {CREATE, "{\"name\": \"a\", \"name\": \"b\"}", "duplicate object key near '\"name\"'"},
                {CREATE, "{\"name\": \"a\\u0000b\"}", "u0000 is not allowed"},
                {CREATE, "{\"name\": \"\xff\"}", "unable to decode byte 0xff"},
                {CREATE, "{\"name\": null}", "the key 'name' is missing"},
                {CREATE, "{\"name\": 1}", "'name' is an integer, not a string"},
                {CREATE, "{\"nam\\u001be\": 1}", "unknown key 'nam\\x1be'"},
                {CREATE, "{\"name\": \"a\", \"properties\": {\"colour\": \"red\"}}", "'colour'"},
                {CREATE, "{\"name\": \"a\", \"properties\": {\"pids.max\": 1.5}}",
                        "the property 'pids.max' is a fraction"},
                {CREATE, "{\"name\": \"a\", \"properties\": {\"pids.max\": -1}}", "pids.max"},
                {CREATE, "[[[[[[[[[", "the body nests deeper than 8 levels"},
                {CHANGE, "{}", "exactly one of 'name' and 'properties'"},
                {CHANGE, "{\"name\": \"a\", \"properties\": {}}", "exactly one of 'name' and 'properties'"},
                {CHANGE, "{\"properties\": {\"colour\": null}}", "'colour'"},
                {STOP, "{\"timeout_ms\": 0}", "'timeout_ms' is 0, not from 1 to 2147483647"},
                {STOP, "{\"timeout_ms\": \"5\"}", "'timeout_ms' is a string, not an integer"},
                {STOP, "{\"force\": 1}", "'force' is an integer, not true or false"},
                {STOP, "{\"signal\": 9}", "unknown key 'signal'"},
                {KILL, "{\"signal\": \"FOO\"}", "no signal 'FOO'"},
                {KILL, "{\"signal\": 65}", "'signal' is 65, not from 1 to 64"},
                {KILL, "{\"signal\": 0}", "'signal' is 0, not from 1 to 64"},
                {KILL, "{\"signal\": true}", "'signal' is true or false, not an integer or a name"},
                {PLAIN, "{\"force\": true}", "unknown key 'force'"},
                {EXEC, "{}", "the key 'argv' is missing"},
                {EXEC, "{\"argv\": []}", "'argv' needs 1 to 1024 strings"},
                {EXEC, "{\"argv\": [\"\"]}", "the command is an empty string"},
                {EXEC, "{\"argv\": [\"a\", null]}", "'argv' holds null, not strings only"},
                {EXEC, "{\"argv\": [\"a\"], \"environment\": {\"A=\": \"\"}}", "'A=' is no name of a variable"},
                {EXEC, "{\"argv\": [\"a\"], \"environment\": {\"A\": 1}}", "the variable 'A' is an integer"},
                {EXEC, "{\"argv\": [\"a\"], \"rows\": 65536}", "'rows' is 65536, not from 0 to 65535"},
                {EXTENSION, "{}", "one of the keys 'path', 'module' and 'package' is needed"},
                {EXTENSION, "{\"path\": \"/x\", \"module\": \"x\"}", "one of the keys"},
                {EXTENSION, "{\"path\": \"x.ko\"}", "'path' doesn't begin with '/'"},
                {IMAGE, "{\"name\": \"a\"}", "exactly one of 'build' and 'import'"},
                {IMAGE, "{\"name\": \"a\", \"build\": {}}", "the key 'suite' is missing"},
                {IMAGE, "{\"name\": \"a\", \"import\": {\"path\": \"x\"}}", "'path' doesn't begin with '/'"},
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                struct croft_error err = CROFT_ERROR_INIT;
                char line[CROFT_ERROR_TEXT_MAX];

                assert_int_equal(decode(cases[i].which, cases[i].body, &err), -EINVAL);
                if (!strstr(croft_error_line(&err, line, sizeof(line)), cases[i].says))
                        fail_msg("%s: %s", cases[i].body, line);
        }
}

static void the_same_fault_without_an_error_to_fill_has_the_same_code(void **state)
{
        (void)state;
        assert_int_equal(decode(IMAGE, "{\"name\": \"a\", \"build\": {}}", NULL), -EINVAL);
        assert_int_equal(decode(CREATE, "{", NULL), -EINVAL);
}

static void faults_of_a_device_are_named(void **state)
{
        static const struct {
                const char *body, *says;
        } cases[] = {
                {"{}", "the key 'device' is missing"},
                {"{\"device\": 5}", "'device' is an integer, not a string"},
                {"{\"device\": \"/dev/a\", \"access\": \"\"}", "'access' is r, w or rw"},
                {"{\"device\": \"/dev/a\", \"access\": \"m\"}", "'access' is r, w or rw"},
                {"{\"device\": \"/dev/a\", \"access\": \"rr\"}", "'access' is r, w or rw"},
                {"{\"device\": \"/dev/a\", \"access\": \"rwr\"}", "'access' is r, w or rw"},
                {"{\"device\": \"/dev/a\", \"mode\": 432}", "'mode' is an integer, not a string"},
                {"{\"device\": \"/dev/a\", \"mode\": \"\"}", "'mode' is 0 to 777"},
                {"{\"device\": \"/dev/a\", \"mode\": \"888\"}", "'mode' is 0 to 777"},
                {"{\"device\": \"/dev/a\", \"mode\": \"4755\"}", "'mode' is 0 to 777"},
                {"{\"device\": \"/dev/a\", \"mode\": \"-1\"}", "'mode' is 0 to 777"},
                {"{\"device\": \"/dev/a\", \"uid\": -1}", "'uid' is -1, not from 0 to 65535"},
                {"{\"device\": \"/dev/a\", \"gid\": 65536}", "'gid' is 65536, not from 0 to 65535"},
                {"{\"device\": \"/dev/a\", \"rights\": 1}", "unknown key 'rights'"},
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                struct croft_error err = CROFT_ERROR_INIT;
                char line[CROFT_ERROR_TEXT_MAX];

                assert_int_equal(decode(DEVICE, cases[i].body, &err), -EINVAL);
                if (!strstr(croft_error_line(&err, line, sizeof(line)), cases[i].says))
                        fail_msg("%s: %s", cases[i].body, line);
        }
}

static void a_device_is_taken_whole_and_has_defaults(void **state)
{
        static const char whole[] = "{\"device\": \"/dev/sdb\", \"as\": \"disk\", \"access\": \"wr\", \"mode\": "
                                    "\"0640\", \"uid\": 33, \"gid\": 6}",
                          bare[] = "{\"device\": \"v/c=n\"}", read[] = "{\"device\": \"/dev/a\", \"access\": \"r\"}";
        struct api_device d;

        (void)state;
        assert_int_equal(api_device_decode(whole, sizeof(whole) - 1, &d, NULL), 0);
        assert_string_equal(d.request.device, "/dev/sdb");
        assert_string_equal(d.request.as, "disk");
        assert_int_equal(d.request.access, DEVID_EXPORT_READ | DEVID_EXPORT_WRITE);
        assert_int_equal(d.request.mode, 0640);
        assert_int_equal(d.request.uid, 33);
        assert_int_equal(d.request.gid, 6);
        api_device_done(&d);
        assert_int_equal(api_device_decode(bare, sizeof(bare) - 1, &d, NULL), 0);
        assert_string_equal(d.request.device, "v/c=n");
        assert_null(d.request.as);
        assert_int_equal(d.request.access, 0);
        assert_int_equal(d.request.mode, -1);
        assert_int_equal(d.request.uid, -1);
        assert_int_equal(d.request.gid, -1);
        api_device_done(&d);
        assert_int_equal(api_device_decode(read, sizeof(read) - 1, &d, NULL), 0);
        assert_int_equal(d.request.access, DEVID_EXPORT_READ);
        api_device_done(&d);
}

static void a_partition_to_create_is_taken_whole(void **state)
{
        static const char body[] =
                "{\"name\": \"web\", \"image\": \"deb12\", \"properties\": {\"memory.max\": \"64M\", "
                "\"cpu.weight\": 50, \"autostart\": true, \"net\": null}}";
        struct api_create c;

        (void)state;
        assert_int_equal(api_create_decode(body, strlen(body), &c, NULL), 0);
        assert_string_equal(c.name, "web");
        assert_string_equal(c.image, "deb12");
        assert_string_equal(property_get(c.properties, "memory.max"), "67108864");
        assert_string_equal(property_get(c.properties, "cpu.weight"), "50");
        assert_string_equal(property_get(c.properties, "autostart"), "yes");
        assert_string_equal(property_get(c.properties, "net"), "none");
        api_create_done(&c);
}

static void a_change_remembers_what_is_to_be_unset(void **state)
{
        static const char body[] = "{\"properties\": {\"pids.max\": \"\", \"memory.max\": \"1G\", \"cpu.max\": null, "
                                   "\"hostname\": \"x\"}}";
        static const char *const expected[] = {
                "cpu.max", "", "hostname", "x", "memory.max", "1073741824", "pids.max", ""};
        struct api_change c;
        size_t i = 0;

        (void)state;
        assert_int_equal(api_change_decode(body, strlen(body), &c, NULL), 0);
        assert_null(c.name);
        for (const struct property *p = c.properties; p; p = p->next, i += 2) {
                assert_string_equal(p->key, expected[i]);
                assert_string_equal(p->value, expected[i + 1]);
        }
        assert_int_equal(i, ELEMENTS(expected));
        api_change_done(&c);
}

static void signals_have_numbers_and_names(void **state)
{
        static const struct {
                const char *body;
                int signal;
        } cases[] = {{"", SIGKILL}, {"{}", SIGKILL}, {"{\"signal\": null}", SIGKILL}, {"{\"signal\": 15}", SIGTERM},
                {"{\"signal\": \"15\"}", SIGTERM}, {"{\"signal\": \"TERM\"}", SIGTERM},
                {"{\"signal\": \"SIGHUP\"}", SIGHUP}, {"{\"signal\": \"RTMIN+3\"}", 37}, {"{\"signal\": 64}", 64}};

        (void)state;
        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                struct api_action a;

                assert_int_equal(
                        api_action_decode(cases[i].body, strlen(cases[i].body), API_ACTION_SIGNAL, &a, NULL), 0);
                assert_int_equal(a.signal, cases[i].signal);
        }
}

static void a_command_is_taken_whole_and_has_defaults(void **state)
{
        static const char whole[] =
                "{\"argv\": [\"ls\", \"\\u001b\"], \"environment\": {\"A\": \"b=c\"}, \"user\": \"www\", "
                "\"directory\": \"/srv\", \"terminal\": true, \"rows\": 50, \"columns\": 132}";
        static const char least[] = "{\"argv\": [\"ls\"]}";
        struct exec_spec e;

        (void)state;
        assert_int_equal(api_exec_decode(whole, strlen(whole), &e, NULL), 0);
        assert_string_equal(e.argv[1], "\033");
        assert_null(e.argv[2]);
        assert_string_equal(e.environment[0], "A=b=c");
        assert_string_equal(e.user, "www");
        assert_string_equal(e.directory, "/srv");
        assert_true(e.terminal && e.rows == 50 && e.columns == 132);
        exec_spec_done(&e);
        assert_int_equal(api_exec_decode(least, strlen(least), &e, NULL), 0);
        assert_string_equal(e.user, "root");
        assert_string_equal(e.directory, "");
        assert_true(!e.terminal && e.rows == 24 && e.columns == 80);
        exec_spec_done(&e);
}

/* {"argv": ["xx..", ...]} with count arguments of size bytes. */
static char *arguments(size_t count, size_t size)
{
        char *body = malloc(count * (size + 3) + 32), *p = body;

        p = stpcpy(p, "{\"argv\": [");
        for (size_t i = 0; i < count; i++) {
                *p++ = '"';
                memset(p, 'x', size);
                p += size;
                p = stpcpy(p, i + 1 < count ? "\"," : "\"");
        }
        (void)stpcpy(p, "]}");
        return body;
}

static void commands_are_bounded(void **state)
{
        static const struct {
                size_t count, size;
                int result;
        } cases[] = {{1024, 1, 0}, {1025, 1, -EINVAL}, {1, WARDEN_STRING_MAX, 0}, {1, WARDEN_STRING_MAX + 1, -EINVAL},
                {3, API_EXEC_BYTES_MAX / 3 - 5, 0}, {3, API_EXEC_BYTES_MAX / 3 - 3, -EINVAL}};

        (void)state;
        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                _cleanup_free_ char *body = arguments(cases[i].count, cases[i].size);

                assert_int_equal(decode(EXEC, body, NULL), cases[i].result);
        }
}

static void an_image_is_built_or_imported(void **state)
{
        static const char build[] =
                "{\"name\": \"d\", \"build\": {\"suite\": \"sid\", \"include\": \"vim\"}, \"import\": null}";
        static const char import[] = "{\"name\": \"d\", \"import\": {\"path\": \"/x\"}}";
        struct api_image i;

        (void)state;
        assert_int_equal(api_image_decode(build, strlen(build), &i, NULL), 0);
        assert_string_equal(i.suite, "sid");
        assert_string_equal(i.include, "vim");
        assert_true(!i.path && !i.mirror && !i.variant);
        api_image_done(&i);
        assert_int_equal(api_image_decode(import, strlen(import), &i, NULL), 0);
        assert_string_equal(i.path, "/x");
        assert_null(i.suite);
        api_image_done(&i);
}

/* jansson's allocations, too, so that they can fail. */
static void *allocate(size_t size)
{
        return malloc(size);
}

struct call {
        enum decoder which;
        const char *body;
};

static int run(void *context)
{
        const struct call *c = context;

        return decode(c->which, c->body, NULL);
}

static void lack_of_memory_at_any_point_is_told_and_leaks_nothing(void **state)
{
        static struct call calls[] = {
                {CREATE, "{\"name\": \"web\", \"image\": \"d\", \"properties\": {\"memory.max\": \"64M\", "
                         "\"pids.max\": 9}}"},
                {CHANGE, "{\"properties\": {\"memory.max\": \"64M\", \"pids.max\": null}}"},
                {STOP, "{\"timeout_ms\": 1, \"force\": true}"},
                {KILL, "{\"signal\": \"TERM\"}"},
                {EXEC, "{\"argv\": [\"a\", \"b\"], \"environment\": {\"A\": \"b\"}, \"directory\": \"/\"}"},
                {EXEC, "{\"argv\": [\"a\"]}"},
                {IMAGE, "{\"name\": \"d\", \"build\": {\"suite\": \"sid\", \"mirror\": \"m\", \"include\": \"vim\"}}"},
                {IMAGE, "{\"name\": \"d\", \"import\": {\"path\": \"/x\"}}"},
                {PLAIN, ""},
        };

        (void)state;
        json_set_alloc_funcs(allocate, free);
        for (size_t i = 0; i < ELEMENTS(calls); i++)
                assert_true(fault_walk(FAULT_ALLOCATION, false, run, &calls[i]) > 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(faults_are_named),
                cmocka_unit_test(the_same_fault_without_an_error_to_fill_has_the_same_code),
                cmocka_unit_test(a_partition_to_create_is_taken_whole),
                cmocka_unit_test(a_change_remembers_what_is_to_be_unset),
                cmocka_unit_test(signals_have_numbers_and_names),
                cmocka_unit_test(a_command_is_taken_whole_and_has_defaults),
                cmocka_unit_test(commands_are_bounded),
                cmocka_unit_test(an_image_is_built_or_imported),
                cmocka_unit_test(faults_of_a_device_are_named),
                cmocka_unit_test(a_device_is_taken_whole_and_has_defaults),
                cmocka_unit_test(lack_of_memory_at_any_point_is_told_and_leaks_nothing),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
