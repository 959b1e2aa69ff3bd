/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_remote_names.c - machines as people write them: places with ports, and allow lists.
 */
#include "remote/names.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void a_place_is_a_machine_and_perhaps_a_port(void **state)
{
        static const struct {
                const char *text, *host, *port;
        } places[] = {{"far", "far", NAMES_PORT}, {"far.example.org:1", "far.example.org", "1"},
                {"10.9.8.2:65535", "10.9.8.2", "65535"}, {"[::]:80", "::", "80"}, {"[fe80::1]", "fe80::1", NAMES_PORT},
                {"::1", "::1", NAMES_PORT}};

        (void)state;
        for (size_t i = 0; i < ELEMENTS(places); i++) {
                struct names_place place;

                assert_int_equal(names_parse_place(places[i].text, &place, NULL), 0);
                assert_string_equal(place.host, places[i].host);
                assert_string_equal(place.port, places[i].port);
        }
}

static void what_is_no_place_is_refused(void **state)
{
        static const char *const texts[] = {"", ":80", "far:", "far:0", "far:65536", "far:x", "far:080", "[::1",
                "[::1]80", "[]:80", "-far", ".far", "a b", "a/b", "user@far", "*.example.org", "far\n"};

        (void)state;
        for (size_t i = 0; i < ELEMENTS(texts); i++) {
                struct names_place place = {.host = "kept"};
                struct croft_error err = CROFT_ERROR_INIT;

                assert_int_equal(names_parse_place(texts[i], &place, &err), -EINVAL);
                assert_int_equal(err.code, EINVAL);
                assert_string_equal(place.host, "kept");
        }
}

static void a_name_has_a_length(void **state)
{
        char name[NAMES_HOST_MAX + 2], place_text[NAMES_HOST_MAX + 8];
        struct names_place place;

        (void)state;
        memset(name, 'x', sizeof(name));
        name[NAMES_HOST_MAX + 1] = '\0';
        assert_false(names_is_host(name));
        assert_int_equal(names_parse_place(name, &place, NULL), -EINVAL);
        name[NAMES_HOST_MAX] = '\0';
        assert_true(names_is_host(name));
        (void)snprintf(place_text, sizeof(place_text), "%s:1", name);
        assert_int_equal(names_parse_place(place_text, &place, NULL), 0);
        assert_string_equal(place.host, name);
}

static void a_list_has_a_name_a_line(void **state)
{
        _cleanup_(strv_freep) char **names = NULL;

        (void)state;
        assert_int_equal(
                names_parse_allow("# machines\n\n near # here\r\n\t10.0.0.1\n::1\nlast", "list", &names, NULL), 0);
        assert_int_equal(strv_length(names), 4);
        assert_string_equal(names[0], "near");
        assert_string_equal(names[1], "10.0.0.1");
        assert_string_equal(names[2], "::1");
        assert_string_equal(names[3], "last");
}

static void a_list_with_a_mistake_is_none(void **state)
{
        static const char *const texts[] = {"", "# only\n", "near\n*.far\n", "near far\n", ".far", "-"};

        (void)state;
        for (size_t i = 0; i < ELEMENTS(texts); i++) {
                char **names = NULL;

                assert_int_equal(names_parse_allow(texts[i], "list", &names, NULL), -EINVAL);
                assert_null(names);
        }
}

static void a_list_has_an_end(void **state)
{
        char text[2 * (NAMES_ALLOW_MAX + 1) + 1];
        _cleanup_(strv_freep) char **names = NULL;

        (void)state;
        for (size_t i = 0; i <= NAMES_ALLOW_MAX; i++)
                memcpy(text + 2 * i, "a\n", 3);
        assert_int_equal(names_parse_allow(text, "list", &names, NULL), -E2BIG);
        text[2 * NAMES_ALLOW_MAX] = '\0';
        assert_int_equal(names_parse_allow(text, "list", &names, NULL), 0);
        assert_int_equal(strv_length(names), NAMES_ALLOW_MAX);
}

static int parse_two(void *context)
{
        _cleanup_(strv_freep) char **names = NULL;

        (void)context;
        return names_parse_allow("a\nb\n", "list", &names, NULL);
}

static void each_allocation_that_fails_is_told(void **state)
{
        (void)state;
        assert_true(fault_walk(FAULT_ALLOCATION, false, parse_two, NULL) > 3);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_place_is_a_machine_and_perhaps_a_port),
                cmocka_unit_test(what_is_no_place_is_refused),
                cmocka_unit_test(a_name_has_a_length),
                cmocka_unit_test(a_list_has_a_name_a_line),
                cmocka_unit_test(a_list_with_a_mistake_is_none),
                cmocka_unit_test(a_list_has_an_end),
                cmocka_unit_test(each_allocation_that_fails_is_told),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
