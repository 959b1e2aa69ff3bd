/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_api_target.c - targets of requests taken apart, and the routes they lead to.
 */
#include "base/cleanup.h"
#include "daemon/api_http.h"
#include "daemon/api_target.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static int parse(const char *uri, struct api_target *t)
{
        struct croft_error err = CROFT_ERROR_INIT;
        int r = api_target_parse(uri, t, &err);

        assert_int_equal(-err.code, r);
        return r;
}

static void a_path_is_split_before_it_is_decoded(void **state)
{
        struct api_target t;

        (void)state;
        assert_int_equal(parse("/v1/a%2Fb/%2e%2E/c+d", &t), 0);
        assert_int_equal(t.n_segments, 4);
        assert_string_equal(t.segments[1], "a/b");
        assert_string_equal(t.segments[2], "..");
        assert_string_equal(t.segments[3], "c+d");
        api_target_done(&t);
}

static void parameters_are_decoded_and_found_by_name(void **state)
{
        struct api_target t;

        (void)state;
        assert_int_equal(parse("/v1?state=a%2Cb+c&force&x=", &t), 0);
        assert_string_equal(api_target_query(&t, "state"), "a,b c");
        assert_string_equal(api_target_query(&t, "force"), "");
        assert_null(api_target_query(&t, "y"));
        api_target_done(&t);
}

static void malformed_targets_are_refused_and_leave_nothing(void **state)
{
        char too_long[API_TARGET_MAX + 2] = "/";
        struct api_target t = {.text = NULL};

        (void)state;
        memset(too_long + 1, 'x', API_TARGET_MAX);
        assert_int_equal(parse("", &t), -EINVAL);
        assert_int_equal(parse("v1", &t), -EINVAL);
        assert_int_equal(parse("*", &t), -EINVAL);
        assert_int_equal(parse("/%", &t), -EINVAL);
        assert_int_equal(parse("/%0", &t), -EINVAL);
        assert_int_equal(parse("/%0g", &t), -EINVAL);
        assert_int_equal(parse("/%00", &t), -EINVAL);
        assert_int_equal(parse("/?a=%00", &t), -EINVAL);
        assert_int_equal(parse("/?a&b&c&d&e&f&g&h&i", &t), -EINVAL);
        assert_int_equal(parse("/1/2/3/4/5/6/7/8/9", &t), -ENOENT);
        assert_int_equal(parse(too_long, &t), -ENAMETOOLONG);
        assert_null(t.text);
        too_long[API_TARGET_MAX] = '\0';
        assert_int_equal(parse(too_long, &t), 0);
        api_target_done(&t);
}

static void parameters_that_are_unknown_or_given_twice_are_named(void **state)
{
        struct croft_error err = CROFT_ERROR_INIT;
        struct api_target t;

        (void)state;
        assert_int_equal(parse("/?force=1&forc%1be=1", &t), 0);
        assert_int_equal(api_target_check_query(&t, "state force", &err), -EINVAL);
        assert_string_equal(croft_error_cause(&err, 0), "no parameter 'forc\\x1be' here; known: state force");
        api_target_done(&t);
        assert_int_equal(parse("/?force=1&force=1", &t), 0);
        assert_int_equal(api_target_check_query(&t, "force", &err), -EINVAL);
        assert_string_equal(croft_error_cause(&err, 0), "the parameter 'force' is given twice");
        api_target_done(&t);
}

static void truth_has_few_spellings(void **state)
{
        static const struct {
                const char *uri;
                int result;
                bool value;
        } cases[] = {{"/", 0, false}, {"/?f", 0, true}, {"/?f=true", 0, true}, {"/?f=1", 0, true}, {"/?f=0", 0, false},
                {"/?f=false", 0, false}, {"/?f=yes", -EINVAL, false}};

        (void)state;
        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                struct api_target t;
                bool value = false;

                assert_int_equal(parse(cases[i].uri, &t), 0);
                assert_int_equal(api_target_bool(&t, "f", &value, NULL), cases[i].result);
                assert_int_equal(value, cases[i].value);
                api_target_done(&t);
        }
}

static int route(const char *method, const char *uri, char *allow)
{
        const struct api_route *found = NULL;
        const char *name = NULL;
        struct api_target t;
        int r;

        assert_int_equal(parse(uri, &t), 0);
        r = api_route_find(method, &t, &found, &name, allow);
        if (r == 0)
                assert_int_equal(strcmp(found->method, strcmp(method, "HEAD") == 0 ? "GET" : method), 0);
        api_target_done(&t);
        return r;
}

static void every_route_is_found_by_its_own_pattern(void **state)
{
        char allow[API_ALLOW_MAX];

        (void)state;
        for (const struct api_route *r = api_routes; r->method; r++) {
                char uri[128];
                const char *hole = strchr(r->pattern, '{');

                (void)snprintf(uri, sizeof(uri), "%.*s%s%s", hole ? (int)(hole - r->pattern) : 127, r->pattern,
                        hole ? "web" : "", hole ? strchr(hole, '}') + 1 : "");
                assert_int_equal(route(r->method, uri, allow), 0);
        }
}

static void methods_and_paths_that_are_not_in_the_table_are_told_apart(void **state)
{
        char allow[API_ALLOW_MAX];

        (void)state;
        assert_int_equal(route("HEAD", "/v1", allow), 0);
        assert_int_equal(route("PUT", "/v1", allow), -ENOTSUP);
        assert_string_equal(allow, "GET, HEAD, OPTIONS");
        assert_int_equal(route("get", "/v1", allow), -ENOTSUP);
        assert_int_equal(route("HEAD", "/v1/partitions/web/start", allow), -ENOTSUP);
        assert_string_equal(allow, "POST, OPTIONS");
        assert_int_equal(route("GET", "/v1/", allow), -ENOENT);
        assert_int_equal(route("GET", "//v1", allow), -ENOENT);
        assert_int_equal(route("GET", "/v1/partitions/", allow), -ENOENT);
        assert_int_equal(route("GET", "/v1/partitionsweb", allow), -ENOENT);
        assert_int_equal(route("POST", "/v1/partitions/web/start/now", allow), -ENOENT);
        assert_int_equal(route("POST", "/v1/partitions//start", allow), -ENOENT);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_path_is_split_before_it_is_decoded),
                cmocka_unit_test(parameters_are_decoded_and_found_by_name),
                cmocka_unit_test(malformed_targets_are_refused_and_leave_nothing),
                cmocka_unit_test(parameters_that_are_unknown_or_given_twice_are_named),
                cmocka_unit_test(truth_has_few_spellings),
                cmocka_unit_test(every_route_is_found_by_its_own_pattern),
                cmocka_unit_test(methods_and_paths_that_are_not_in_the_table_are_told_apart),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
