/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_cli_output.c - the same objects as table, CSV, YAML and JSON, with strings that try to be something else.
 */
#include "cli/output.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const struct cli_column columns[] = {
        {"NAME", "name", COLUMN_TEXT, true},
        {"PID", "pid", COLUMN_NUMBER, true},
        {"MEMORY", "usage.memory_bytes", COLUMN_BYTES, false},
        {"NOTE", "note", COLUMN_TEXT, false},
        {NULL},
};

static json_t *json_of(const char *text)
{
        json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);

        assert_non_null(value);
        return value;
}

/* What output_list() or output_objects() prints of JSON text; caller frees. */
static char *listed(struct cli *cli, const char *text)
{
        json_t *array = json_of(text);
        char *out = NULL;
        size_t size = 0;
        FILE *f = open_memstream(&out, &size);

        assert_non_null(f);
        assert_int_equal(output_list(cli, f, array, columns), 0);
        fclose(f);
        json_decref(array);
        return out;
}

static char *shown(struct cli *cli, const char *text, bool single)
{
        json_t *array = json_of(text);
        char *out = NULL;
        size_t size = 0;
        FILE *f = open_memstream(&out, &size);

        assert_non_null(f);
        assert_int_equal(output_objects(cli, f, array, single), 0);
        fclose(f);
        json_decref(array);
        return out;
}

static void prints(char *out, const char *expected)
{
        assert_string_equal(out, expected);
        free(out);
}

static char *yaml_of(const char *text)
{
        json_t *value = json_of(text);
        char *out = NULL;
        size_t size = 0;
        FILE *f = open_memstream(&out, &size);

        assert_non_null(f);
        yaml_value(f, value);
        fclose(f);
        json_decref(value);
        return out;
}

static void a_key_with_dots_wins_over_a_step_down(void **state)
{
        json_t *o = json_of("{\"a.b\":1,\"a\":{\"b\":2,\"c.d\":3},\"p\":{\"memory.max\":\"5\"}}");

        (void)state;
        assert_int_equal(json_integer_value(output_at(o, "a.b")), 1);
        assert_int_equal(json_integer_value(output_at(o, "a.c.d")), 3);
        assert_string_equal(json_string_value(output_at(o, "p.memory.max")), "5");
        assert_null(output_at(o, "a.x"));
        assert_null(output_at(o, "p.memory"));
        json_decref(o);
}

static void columns_are_aligned_by_what_they_show(void **state)
{
        struct cli cli = {.format = FORMAT_TABLE};

        (void)state;
        prints(listed(&cli, "[{\"name\":\"a\",\"pid\":12345,\"usage\":{\"memory_bytes\":1536}},"
                            "{\"name\":\"\xe6\xbc\xa2\xe5\xad\x97x\",\"pid\":null}]"),
                "NAME     PID   MEMORY\n"
                "a      12345  1.5 KiB\n"
                "\xe6\xbc\xa2\xe5\xad\x97x      -        -\n");
}

static void a_column_that_nobody_fills_is_left_out(void **state)
{
        struct cli cli = {.format = FORMAT_TABLE, .no_header = true};

        (void)state;
        prints(listed(&cli, "[{\"name\":\"a\",\"pid\":1,\"note\":null}]"), "a  1\n");
        prints(listed(&cli, "[{\"name\":\"a\",\"pid\":1,\"note\":\"x\"}]"), "a  1  x\n");
}

static void a_table_stays_a_table_whatever_a_name_holds(void **state)
{
        struct cli cli = {.format = FORMAT_TABLE, .no_header = true};

        (void)state;
        prints(listed(&cli, "[{\"name\":\"a\\nb\\u001b[2J\\u009b\",\"pid\":1}]"), "a\\x0ab\\x1b[2J\\xc2\\x9b  1\n");
}

static void csv_is_as_rfc_4180_has_it(void **state)
{
        struct cli cli = {.format = FORMAT_CSV};

        (void)state;
        prints(listed(&cli,
                       "[{\"name\":\"a,b\",\"pid\":1,\"usage\":{\"memory_bytes\":1536},\"note\":\"say \\\"x\\\"\"},"
                       "{\"name\":\"c\\nd\",\"pid\":null,\"note\":\" \"}]"),
                "name,pid,usage.memory_bytes,note\r\n"
                "\"a,b\",1,1536,\"say \"\"x\"\"\"\r\n"
                "\"c\nd\",,,\" \"\r\n");
}

static void quiet_prints_names_only(void **state)
{
        struct cli cli = {.format = FORMAT_JSON, .quiet = true};

        (void)state;
        prints(listed(&cli, "[{\"name\":\"b\",\"pid\":1},{\"name\":\"a\"},{\"name\":null,\"id\":\"0123\"}]"),
                "b\na\n0123\n");
}

static void json_is_what_came(void **state)
{
        struct cli cli = {.format = FORMAT_JSON};

        (void)state;
        prints(listed(&cli, "[{\"z\":1,\"a\":[true,null,1.5]}]"),
                "[\n  {\n    \"z\": 1,\n    \"a\": [\n      true,\n      null,\n      1.5\n    ]\n  }\n]\n");
        prints(listed(&cli, "[]"), "[]\n");
        cli.terminal = true;
        prints(shown(&cli, "[{\"a\":\"\\u009b1m\"}]", true), "{\n  \"a\": \"\\u009B1m\"\n}\n");
}

static void a_shown_object_has_all_its_facts(void **state)
{
        struct cli cli = {.format = FORMAT_TABLE};
        static const char object[] =
                "[{\"name\":\"a\",\"pid\":null,\"properties\":{\"memory.max\":\"67108864\"},\"usage\":{},"
                "\"list\":[1,\"x\"],\"on\":true}]";

        (void)state;
        prints(shown(&cli, object, true), "name                   a\n"
                                          "pid                    -\n"
                                          "properties.memory.max  64 MiB (67108864)\n"
                                          "list                   1,x\n"
                                          "on                     yes\n");
        cli.format = FORMAT_CSV;
        prints(shown(&cli, object, true), "name,pid,properties.memory.max,list,on\r\na,,67108864,\"1,x\",true\r\n");
}

static void one_object_is_no_list_and_two_are(void **state)
{
        struct cli cli = {.format = FORMAT_YAML};

        (void)state;
        prints(shown(&cli, "[{\"name\":\"a\"}]", true), "name: a\n");
        prints(shown(&cli, "[{\"name\":\"a\"},{\"name\":\"b\"}]", false), "- name: a\n- name: b\n");
        cli.format = FORMAT_TABLE;
        prints(shown(&cli, "[{\"name\":\"a\"},{\"name\":\"b\"}]", false), "name  a\n\nname  b\n");
}

static void usual_columns_can_be_chosen_by_title(void **state)
{
        static const struct cli_column usual[] = {{"MEMORY", "usage.memory_bytes", COLUMN_BYTES, true}, {NULL}};
        char list[] = "memory,usage.memory_bytes,name";
        struct cli_column *chosen = output_columns(NULL, list, usual);

        (void)state;
        assert_non_null(chosen);
        assert_string_equal(chosen[0].title, "MEMORY");
        assert_string_equal(chosen[0].path, "usage.memory_bytes");
        assert_int_equal(chosen[0].kind, COLUMN_BYTES);
        assert_string_equal(chosen[1].title, "name");
        assert_null(chosen[2].title);
        output_columns_free(chosen);
}

static void columns_can_be_chosen(void **state)
{
        struct cli cli = {.format = FORMAT_CSV};
        json_t *array = json_of("[{\"name\":\"a\",\"x\":{\"y.z\":1}},{\"name\":\"b\",\"w\":2}]");
        char list[] = "x.y.z,name", all[] = "all";
        struct cli_column *chosen = output_columns(array, list, NULL), *every = output_columns(array, all, NULL);
        char *out = NULL;
        size_t size = 0;
        FILE *f = open_memstream(&out, &size);

        (void)state;
        assert_non_null(f);
        assert_int_equal(output_list(&cli, f, array, chosen), 0);
        assert_int_equal(output_list(&cli, f, array, every), 0);
        fclose(f);
        prints(out, "x.y.z,name\r\n1,a\r\n,b\r\nname,x.y.z,w\r\na,1,\r\nb,,2\r\n");
        output_columns_free(chosen);
        output_columns_free(every);
        json_decref(array);
}

static void yaml_nests_by_two_blanks(void **state)
{
        (void)state;
        prints(yaml_of("{\"a\":{\"b\":{\"c\":1}},\"l\":[1,[2,3],{\"k\":\"v\",\"m\":{\"w\":null}}],\"e\":[],\"o\":{}}"),
                "a:\n"
                "  b:\n"
                "    c: 1\n"
                "l:\n"
                "  - 1\n"
                "  - - 2\n"
                "    - 3\n"
                "  - k: v\n"
                "    m:\n"
                "      w: null\n"
                "e: []\n"
                "o: {}\n");
        prints(yaml_of("[]"), "[]\n");
        prints(yaml_of("[{\"a\":1,\"b\":2}]"), "- a: 1\n  b: 2\n");
}

static void yaml_strings_stay_strings(void **state)
{
        static const struct {
                const char *json, *yaml;
        } table[] = {{"plain", "plain"}, {"/usr/bin", "/usr/bin"}, {"two words", "two words"}, {"", "\"\""},
                {"yes", "\"yes\""}, {"NO", "\"NO\""}, {"null", "\"null\""}, {"~", "\"~\""}, {"12", "\"12\""},
                {"1e3", "\"1e3\""}, {".inf", "\".inf\""}, {"-", "\"-\""}, {"- a", "\"- a\""}, {"a: b", "\"a: b\""},
                {"a #b", "\"a #b\""}, {"a:", "\"a:\""}, {" a", "\" a\""}, {"a ", "\"a \""}, {"[a]", "\"[a]\""},
                {"{a", "\"{a\""}, {"*a", "\"*a\""}, {"&a", "\"&a\""}, {"!a", "\"!a\""}, {"%a", "\"%a\""},
                {"@a", "\"@a\""}, {"|", "\"|\""}, {">", "\">\""}, {"?", "\"?\""}, {"=", "\"=\""}, {"\\\"", "\"\\\"\""},
                {"\\\\", "\"\\\\\""}, {"a\\nb", "\"a\\nb\""}, {"\\u0000", "\"\\u0000\""}, {"\\u001b", "\"\\u001b\""},
                {"\\u0085", "\"\\u0085\""}, {"\\u2028", "\"\\u2028\""}, {"\\ufeff", "\"\\ufeff\""},
                {"\xc3\xbc", "\"\xc3\xbc\""}, {"2026-11-21", "\"2026-11-21\""}, {"\\udbff\\udfff", "\"\\U0010ffff\""}};

        (void)state;
        for (size_t i = 0; i < ELEMENTS(table); i++) {
                char json[64], yaml[64];
                json_t *value;
                char *out = NULL;
                size_t size = 0;
                FILE *f;

                snprintf(json, sizeof(json), "\"%s\"", table[i].json);
                snprintf(yaml, sizeof(yaml), "%s\n", table[i].yaml);
                value = json_loads(json, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
                assert_non_null(value);
                f = open_memstream(&out, &size);
                assert_non_null(f);
                yaml_value(f, value);
                fclose(f);
                json_decref(value);
                prints(out, yaml);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_key_with_dots_wins_over_a_step_down),
                cmocka_unit_test(columns_are_aligned_by_what_they_show),
                cmocka_unit_test(a_column_that_nobody_fills_is_left_out),
                cmocka_unit_test(a_table_stays_a_table_whatever_a_name_holds),
                cmocka_unit_test(csv_is_as_rfc_4180_has_it),
                cmocka_unit_test(quiet_prints_names_only),
                cmocka_unit_test(json_is_what_came),
                cmocka_unit_test(a_shown_object_has_all_its_facts),
                cmocka_unit_test(one_object_is_no_list_and_two_are),
                cmocka_unit_test(columns_can_be_chosen),
                cmocka_unit_test(usual_columns_can_be_chosen_by_title),
                cmocka_unit_test(yaml_nests_by_two_blanks),
                cmocka_unit_test(yaml_strings_stay_strings),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
