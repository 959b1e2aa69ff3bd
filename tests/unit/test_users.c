/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_users.c - users of a partition, from files that the partition wrote.
 */
#include "base/cleanup.h"
#include "base/str.h"
#include "warden/session.h"
#include "warden/users.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const char passwd[] = "root:x:0:0:root:/root:/bin/bash\n"
                             "# a comment\n"
                             "short:x:5\n"
                             "daemon:x:1:1::/usr/sbin:/usr/sbin/nologin\n"
                             "huge:x:99999999999:1::/:/bin/sh\n"
                             "outside:x:70000:70000::/:/bin/sh\n"
                             "noshell:x:7:8::/home/n:\n"
                             "www-data:x:33:33:www:/var/www:/bin/sh";
static const char group[] = "root:x:0:\nwww-data:x:33:\nadm:x:4:daemon,www-data\nssl:x:110:xwww-data,www-datax\n"
                            "broken\nfar:x:70000:www-data\nlast:x:111:www-data";

static struct user find(const char *who)
{
        struct user u;

        assert_int_equal(users_find(who, passwd, group, 65536, &u, NULL), 0);
        return u;
}

static void name_gives_ids_home_shell_and_groups(void **state)
{
        struct user u = find("www-data");

        (void)state;
        assert_true(u.uid == 33 && u.gid == 33);
        assert_string_equal(u.home, "/var/www");
        assert_string_equal(u.shell, "/bin/sh");
        assert_int_equal(u.n_groups, 2);
        assert_true(u.groups[0] == 4 && u.groups[1] == 111);
}

static void number_of_a_user_finds_the_user(void **state)
{
        struct user u = find("33");

        (void)state;
        assert_string_equal(u.name, "www-data");
        assert_int_equal(u.n_groups, 2);
}

static void unknown_number_serves_and_has_no_home(void **state)
{
        struct user u = find("1000");

        (void)state;
        assert_true(u.uid == 1000 && u.gid == 1000 && u.n_groups == 0);
        assert_string_equal(u.name, "1000");
        assert_string_equal(u.home, "/");
        assert_string_equal(u.shell, "/bin/sh");
}

static void group_after_a_colon_replaces_all_groups(void **state)
{
        struct user u = find("www-data:adm");

        (void)state;
        assert_true(u.uid == 33 && u.gid == 4 && u.n_groups == 0);
        u = find("1000:2000");
        assert_true(u.uid == 1000 && u.gid == 2000);
}

static void empty_fields_get_defaults(void **state)
{
        struct user u = find("noshell");

        (void)state;
        assert_true(u.uid == 7 && u.gid == 8);
        assert_string_equal(u.shell, "/bin/sh");
}

static void root_exists_without_any_file(void **state)
{
        struct user u;

        (void)state;
        assert_int_equal(users_find("root", NULL, NULL, 65536, &u, NULL), 0);
        assert_true(u.uid == 0 && u.gid == 0);
        assert_int_equal(users_find("daemon", NULL, NULL, 65536, &u, NULL), -ENOENT);
}

static void refused(const char *who, int code)
{
        struct croft_error err = CROFT_ERROR_INIT;
        struct user u = {.uid = 4711};

        assert_int_equal(users_find(who, passwd, group, 65536, &u, &err), -code);
        assert_int_equal(err.code, code);
        assert_int_equal(u.uid, 4711);
}

static void what_is_not_there_or_not_the_partitions_is_refused(void **state)
{
        (void)state;
        refused("nobody", ENOENT);
        refused("short", ENOENT);
        refused("huge", ENOENT);
        refused("outside", ENOENT);
        refused("www-data:nogroup", ENOENT);
        refused("www-data:far", ENOENT);
        refused("65536", EINVAL);
        refused("0:65536", EINVAL);
        refused("0:", ENOENT);
        refused("", ENOENT);
        refused("0123456789012345678901234567890123456789012345678901234567890123456789", EINVAL);
}

static void more_groups_than_fit_are_left_out(void **state)
{
        static char many[100000];
        struct user u;
        size_t used = 0;

        (void)state;
        for (int i = 0; i < 1000; i++)
                used += (size_t)snprintf(many + used, sizeof(many) - used, "g%d:x:%d:root\n", i, i);
        assert_int_equal(users_find("root", passwd, many, 65536, &u, NULL), 0);
        assert_int_equal(u.n_groups, USERS_GROUPS_MAX);
}

static void any_cut_of_the_files_is_survived(void **state)
{
        struct user u;

        (void)state;
        for (size_t i = 0; i < sizeof(passwd); i++) {
                _cleanup_free_ char *p = strndup(passwd, i), *g = strndup(group, i);

                (void)users_find("www-data", p, g, 65536, &u, NULL);
                (void)users_find("33:adm", p, g, 65536, &u, NULL);
        }
}

static bool has(char *const *v, const char *entry)
{
        for (; *v; v++)
                if (strcmp(*v, entry) == 0)
                        return true;
        return false;
}

static void environment_is_the_users_with_what_was_asked_for_on_top(void **state)
{
        char *asked[] = {(char[]){"TERM=xterm"}, (char[]){"HOME="}, (char[]){"X=1"}, NULL};
        struct exec_spec spec = {.environment = asked, .terminal = true};
        struct user u = find("www-data");
        _cleanup_(strv_freep) char **v = session_environment(&spec, &u);

        (void)state;
        assert_non_null(v);
        assert_true(has(v, "TERM=xterm") && has(v, "HOME=") && has(v, "X=1") && has(v, "USER=www-data"));
        assert_true(has(v, "SHELL=/bin/sh") && has(v, "container=croft") && !has(v, "HOME=/var/www"));
        assert_int_equal(strv_length(v), 8);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(name_gives_ids_home_shell_and_groups),
                cmocka_unit_test(number_of_a_user_finds_the_user),
                cmocka_unit_test(unknown_number_serves_and_has_no_home),
                cmocka_unit_test(group_after_a_colon_replaces_all_groups),
                cmocka_unit_test(empty_fields_get_defaults),
                cmocka_unit_test(root_exists_without_any_file),
                cmocka_unit_test(what_is_not_there_or_not_the_partitions_is_refused),
                cmocka_unit_test(more_groups_than_fit_are_left_out),
                cmocka_unit_test(any_cut_of_the_files_is_survived),
                cmocka_unit_test(environment_is_the_users_with_what_was_asked_for_on_top),
        };

        return cmocka_run_group_tests_name("users", tests, NULL, NULL);
}
