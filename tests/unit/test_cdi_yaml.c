/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_cdi_yaml.c - YAML as the tree of JSON: what its words mean, and what has more than one meaning is refused.
 */
#include "partition/cdi_yaml.h"

#include "base/cleanup.h"
#include "fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define LEVELS 5

static void is(const char *yaml, const char *json)
{
        json_t *tree = NULL, *wanted = json_loads(json, JSON_DECODE_ANY, NULL);
        _cleanup_free_ char *got = NULL;

        assert_non_null(wanted);
        assert_int_equal(cdi_yaml_load(yaml, strlen(yaml), LEVELS, &tree, NULL), 0);
        got = json_dumps(tree, JSON_ENCODE_ANY | JSON_SORT_KEYS);
        if (!json_equal(tree, wanted))
                fail_msg("'%s' is %s", yaml, got);
        json_decref(tree);
        json_decref(wanted);
}

static void refuses(const char *yaml, size_t size, const char *sentence)
{
        struct croft_error err = CROFT_ERROR_INIT;
        char line[CROFT_ERROR_TEXT_MAX];
        json_t *tree = NULL;

        assert_int_equal(cdi_yaml_load(yaml, size, LEVELS, &tree, &err), -EBADMSG);
        assert_null(tree);
        (void)croft_error_line(&err, line, sizeof(line));
        if (!strstr(line, sentence))
                fail_msg("'%s' lacks '%s'", line, sentence);
}

static void lists_and_keys_in_both_styles(void **state)
{
        (void)state;
        is("a: 1\nb:\n- x\n- y: [1, {z: 2}]\n", "{\"a\": 1, \"b\": [\"x\", {\"y\": [1, {\"z\": 2}]}]}");
        is("{\"a\": [\"b\", 5, null, true], \"c\": {}}", "{\"a\": [\"b\", 5, null, true], \"c\": {}}");
        is("--- # c\n- |\n  two\n  lines\n- >-\n  one\n  line\n- 'it''s'\n- \"\\u00e4\\t\"\n...\n",
                "[\"two\\nlines\\n\", \"one line\", \"it's\", \"\\u00e4\\t\"]");
        is("1: a\nnull: b\n", "{\"1\": \"a\", \"null\": \"b\"}");
}

static void plain_words_mean_what_they_look_like(void **state)
{
        (void)state;
        is("[~, null, Null, NULL]", "[null, null, null, null]");
        is("a:\nb: \"\"\n", "{\"a\": null, \"b\": \"\"}");
        is("[yes, on, True, y]", "[true, true, true, true]");
        is("[no, Off, FALSE, N]", "[false, false, false, false]");
        is("[0, 7, -7, +7, 0660, 0o660, 0x1f, 0b101, 08]", "[0, 7, -7, 7, 432, 432, 31, 5, 8]");
        is("[9223372036854775807, 1.5, .5, 1e3, 5.]", "[9223372036854775807, 0.0, 0.0, 0.0, 0.0]");
        is("[0.6.0, 1-2, 0x, 0xg, '5', \"yes\", ., e5, 2026-11-29, nullify]",
                "[\"0.6.0\", \"1-2\", \"0x\", \"0xg\", \"5\", \"yes\", \".\", \"e5\", \"2026-11-29\", "
                "\"nullify\"]");
}

static void what_could_mean_more_than_it_says_is_refused(void **state)
{
        static const char *const several[] = {"a: &x 1\n", "a: &x [1]\n", "a: &x {b: 1}\n", "a: *x\n", "- !!str 5\n",
                "- !!python/object:os.system [x]\n", "- !x {}\n", "? *x\n: 1\n", "&a a: b\n"};
        static const char bomb[] = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n";
        static const char nul[] = "a: \"x\\0y\"\n", nul_key[] = "\"x\\0y\": 1\n";

        (void)state;
        for (size_t i = 0; i < ELEMENTS(several); i++)
                refuses(several[i], strlen(several[i]), "aren't taken");
        refuses(bomb, strlen(bomb), "line 1, column 4: anchors, aliases and tags aren't taken");
        refuses("a: 1\nb: 2\na: 3\n", 15, "line 3, column 1: a key is there twice");
        refuses("{a: null, 'a': 1}", 17, "there twice");
        refuses("? [a]\n: 1\n", 10, "a key is no text");
        refuses("? {a: b}\n: 1\n", 13, "a key is no text");
        refuses("--- 1\n--- 2\n", 12, "second document");
        refuses(nul, strlen(nul), "has a NUL");
        refuses(nul_key, strlen(nul_key), "has a NUL");
        refuses("9223372036854775808", 19, "too great");
}

static void what_is_no_yaml_is_refused_with_its_place(void **state)
{
        (void)state;
        refuses("", 0, "it is empty");
        refuses("# only this\n", 12, "it is empty");
        refuses("a: 1\n b: 2\n", 11, "line 2, column 3");
        refuses("a: [1\n", 6, "line 2");
        refuses("a: \"\xff\"\n", 7, "UTF-8");
        refuses("\xff\xfe"
                "a\0",
                4, "UTF-8");
        refuses("a\0b", 3, "line 1");
        refuses("a:\n\t- 1\n", 8, "line 2");
}

static void what_nests_too_deep_is_refused(void **state)
{
        char deep[4000];

        (void)state;
        is("[[[[[1]]]]]", "[[[[[1]]]]]");
        refuses("[[[[[[1]]]]]]", 13, "nests deeper than 5 levels");
        memset(deep, '[', sizeof(deep));
        refuses(deep, sizeof(deep), "nests deeper");
        memset(deep, '{', sizeof(deep));
        refuses(deep, sizeof(deep), "a key is no text");
}

static int load(void *context)
{
        static const char text[] = "a: 1\nb: [x, {y: null}]\n";
        json_t *tree = NULL;
        int r = cdi_yaml_load(text, sizeof(text) - 1, LEVELS, &tree, NULL);

        (void)context;
        json_decref(tree);
        return r;
}

static void without_memory_nothing_is_left(void **state)
{
        (void)state;
        fault_walk(FAULT_ALLOCATION, false, load, NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(lists_and_keys_in_both_styles),
                cmocka_unit_test(plain_words_mean_what_they_look_like),
                cmocka_unit_test(what_could_mean_more_than_it_says_is_refused),
                cmocka_unit_test(what_is_no_yaml_is_refused_with_its_place),
                cmocka_unit_test(what_nests_too_deep_is_refused),
                cmocka_unit_test(without_memory_nothing_is_left),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
