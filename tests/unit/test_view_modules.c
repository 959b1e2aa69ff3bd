/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_view_modules.c - the list of modules that a partition holds, and what its /proc and /sys show of it.
 */
#include "kstat/views_memory.h"
#include "view_kit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct view_modules area;
static struct kit k;

static int begin(void **state)
{
        (void)state;
        memset(&area, 0, sizeof(area));
        kit_begin(&k);
        return 0;
}

static int end(void **state)
{
        (void)state;
        kit_end(&k);
        return 0;
}

static const struct view_module list[] = {
        {.name = "dummy", .size = 16384}, {.name = "crc32c", .size = 4096, .users = 1}};

static void without_a_list_there_is_none(void **state)
{
        (void)state;
        assert_string_equal(kit_read(&k, "proc/modules"), "");
        assert_null(kit_read(&k, "sys/module/dummy/initstate"));
        view_use_modules(k.view, &area);
        assert_string_equal(kit_read(&k, "proc/modules"), "");
}

static void what_is_held_is_shown(void **state)
{
        (void)state;
        view_use_modules(k.view, &area);
        view_modules_write(&area, list, 2);
        assert_string_equal(kit_read(&k, "proc/modules"),
                "dummy 16384 0 - Live 0x0000000000000000\ncrc32c 4096 1 - Live 0x0000000000000000\n");
        assert_string_equal(kit_read(&k, "sys/module/dummy/initstate"), "live\n");
        assert_string_equal(kit_read(&k, "sys/module/crc32c/refcnt"), "1\n");
        assert_string_equal(kit_read(&k, "sys/module/crc32c/coresize"), "4096\n");
        assert_null(kit_read(&k, "sys/module/ext4/initstate"));
}

static void what_is_let_go_is_gone(void **state)
{
        (void)state;
        view_use_modules(k.view, &area);
        view_modules_write(&area, list, 2);
        assert_non_null(kit_read(&k, "sys/module/dummy/initstate"));
        view_modules_write(&area, list + 1, 1);
        assert_null(kit_read(&k, "sys/module/dummy/initstate"));
        assert_string_equal(kit_read(&k, "proc/modules"), "crc32c 4096 1 - Live 0x0000000000000000\n");
}

static void directories_list_what_is_there(void **state)
{
        static const char *const expected[] = {"initstate", "coresize", "initsize", "refcnt", "taint", "holders"};
        uint64_t tree = 0;
        struct view_entry module, entry;

        (void)state;
        view_use_modules(k.view, &area);
        view_modules_write(&area, list, 1);
        for (size_t i = 0; i < view_tree_count(); i++)
                if (strcmp(view_tree_path(i), "sys/module") == 0)
                        tree = view_tree_node(i);
        assert_int_equal(view_list(k.view, tree, &k.sample, 0, &module), 1);
        assert_string_equal(module.name, "dummy");
        assert_int_equal(view_list(k.view, tree, &k.sample, 1, &entry), 0);
        for (size_t i = 0; i < ELEMENTS(expected); i++) {
                assert_int_equal(view_list(k.view, module.node, &k.sample, i, &entry), 1);
                assert_string_equal(entry.name, expected[i]);
                assert_true(view_tells_modules(entry.node));
        }
        assert_int_equal(view_list(k.view, module.node, &k.sample, ELEMENTS(expected), &entry), 0);
        assert_true(view_tells_modules(tree) && view_tells_modules(module.node));
}

static void what_makes_no_sense_is_left_out(void **state)
{
        struct view_module found[VIEW_MODULES_MAX];
        struct view_module lies[] = {
                {.name = ""}, {.name = "a/b"}, {.name = ".."}, {.name = "good"}, {.name = "good"}, {.name = "x y"}};

        (void)state;
        memset(lies[0].name, 'n', sizeof(lies[0].name)); /* without an end */
        view_modules_write(&area, lies, ELEMENTS(lies));
        assert_int_equal(view_modules_read(&area, found), 2);
        assert_int_equal(strlen(found[0].name), VIEW_MODULE_NAME_MAX - 1);
        assert_string_equal(found[1].name, "good");
        area.head.n = UINT32_MAX;
        assert_true(view_modules_read(&area, found) >= 2);
}

static void one_that_is_being_written_is_not_looked_at(void **state)
{
        struct view_module found[VIEW_MODULES_MAX];

        (void)state;
        view_use_modules(k.view, &area);
        view_modules_write(&area, list, 1);
        assert_non_null(kit_read(&k, "sys/module/dummy/initstate"));
        area.head.sequence++;
        area.head.n = 0;
        assert_int_equal(view_modules_read(&area, found), -EAGAIN);
        assert_non_null(kit_read(&k, "sys/module/dummy/initstate"));
        view_modules_write(&area, list, 2); /* by the next writer */
        assert_int_equal(view_modules_read(&area, found), 2);
}

static void the_memory_of_views_has_a_list(void **state)
{
        struct views_memory *memory = NULL;
        int fd = views_memory_new(&memory, NULL);
        struct view_module found[VIEW_MODULES_MAX];

        (void)state;
        assert_true(fd >= 0);
        assert_null(views_modules(memory));
        assert_int_equal(views_modules_replace(fd, NULL, 0, NULL), 0);
        assert_null(views_modules(memory));
        assert_int_equal(views_modules_replace(fd, list, 2, NULL), 0);
        assert_int_equal(view_modules_read(views_modules(memory), found), 2);
        assert_int_equal(views_modules_replace(fd, NULL, 0, NULL), 0);
        assert_int_equal(view_modules_read(views_modules(memory), found), 0);
        assert_int_equal(views_modules_replace(STDERR_FILENO, list, 2, NULL), -EBADMSG);
        views_memory_unmap(memory);
        close_fd(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
        const struct CMUnitTest tests[] = {TEST(without_a_list_there_is_none), TEST(what_is_held_is_shown),
                TEST(what_is_let_go_is_gone), TEST(directories_list_what_is_there),
                TEST(what_makes_no_sense_is_left_out), TEST(one_that_is_being_written_is_not_looked_at),
                TEST(the_memory_of_views_has_a_list)};

        return cmocka_run_group_tests_name("view_modules", tests, NULL, NULL);
}
