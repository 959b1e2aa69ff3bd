/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_image_native.c - the decisions behind the template of native partitions: conffiles, links, accounts.
 */
#include "base/cleanup.h"
#include "image/native.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define MD5 "0123456789abcdef0123456789abcdef"

static char seen[4096];

static int note(void *context, const char *path, const char *md5)
{
        (void)context;
        assert_string_equal(md5, MD5);
        strncat(seen, path, sizeof(seen) - strlen(seen) - 2);
        strncat(seen, "\n", sizeof(seen) - strlen(seen) - 1);
        return 0;
}

static void conffiles_are_read_with_their_checksums(void **state)
{
        static const char text[] = "Package: a\nConffiles:\n /etc/a " MD5 "\n /etc/b c/d " MD5
                                   "\nDescription: x\n /etc/no " MD5 "\n\nPackage: b\nconffiles:\n /etc/e " MD5;

        (void)state;
        seen[0] = '\0';
        assert_int_equal(dpkg_each_conffile(text, strlen(text), note, NULL), 0);
        assert_string_equal(seen, "etc/a\netc/b c/d\netc/e\n");
}

static void obsolete_and_malformed_conffiles_are_passed_over(void **state)
{
        static const char text[] =
                "Conffiles:\n /etc/a " MD5 " obsolete\n /etc/b newconffile\n etc/c " MD5 "\n /etc/d " MD5
                "0\n /etc/e 0123456789abcdef0123456789abcdeg\n  " MD5 "\n \n / " MD5 "\n /\n";

        (void)state;
        seen[0] = '\0';
        assert_int_equal(dpkg_each_conffile(text, strlen(text), note, NULL), 0);
        assert_string_equal(seen, "");
        for (size_t n = 0; n < strlen(text); n++)
                assert_int_equal(dpkg_each_conffile(text, n, note, NULL), 0);
}

static void a_script_that_makes_accounts_speaks_of_whole_names(void **state)
{
        (void)state;
        assert_true(dpkg_script_makes_account("adduser --system postgres\n", "postgres"));
        assert_false(dpkg_script_makes_account("adduser --system postgres\n", "post"));
        assert_false(dpkg_script_makes_account("adduser --system postgres-x\n", "postgres"));
        assert_false(dpkg_script_makes_account("chown postgres x\n", "postgres"));
}

static void secrets_are_refused_by_name_whatever_their_checksum(void **state)
{
        static const char *const bad[] = {"etc/shadow", "etc/gshadow-", "etc/ssh/ssh_host_rsa_key",
                "etc/ssl/private/x.pem", "etc/machine-id", "etc/apt/auth.conf.d/x", "etc/krb5.keytab", "usr/bin/ls",
                "etc/../root/.ssh/id", "var/x", "etc/x/..", "etc/foo.key", "etc/hostname"};

        (void)state;
        for (size_t i = 0; i < ELEMENTS(bad); i++)
                if (!native_is_denied(bad[i]))
                        fail_msg("%s is allowed", bad[i]);
        assert_false(native_is_denied("etc/login.defs"));
        assert_false(native_is_denied("etc/ssh/ssh_config"));
}

static void links_are_resolved_by_their_text(void **state)
{
        char to[64];

        (void)state;
        assert_true(native_resolve_link("etc/os-release", "../usr/lib/os-release", to, sizeof(to)));
        assert_string_equal(to, "usr/lib/os-release");
        assert_true(native_resolve_link("etc/a/b", "/usr//./x/../y", to, sizeof(to)));
        assert_string_equal(to, "usr/y");
        assert_true(native_resolve_link("bin", "usr/bin", to, sizeof(to)));
        assert_string_equal(to, "usr/bin");
        assert_false(native_resolve_link("etc/a", "../../x", to, sizeof(to)));
        assert_false(native_resolve_link(
                "etc/a", "/usr/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", to, sizeof(to)));
        assert_false(native_resolve_link(
                "etc/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/b", "x", to, sizeof(to)));
}

static void only_links_into_shared_folders_are_taken(void **state)
{
        (void)state;
        assert_int_equal(native_judge_link("etc/os-release", "../usr/lib/os-release"), NATIVE_LINK_SHARED);
        assert_int_equal(native_judge_link("etc/fpc.cfg", "/etc/alternatives/fpc.cfg"), NATIVE_LINK_SHARED);
        assert_int_equal(native_judge_link("etc/x", "/lib/y"), NATIVE_LINK_SHARED);
        assert_int_equal(native_judge_link("etc/ssl/certs/1.0", "x.pem"), NATIVE_LINK_IF_PRESENT);
        assert_int_equal(native_judge_link("etc/x", "/root/.ssh/id"), NATIVE_LINK_NO);
        assert_int_equal(native_judge_link("etc/x", "/usr/../root/x"), NATIVE_LINK_NO);
        assert_int_equal(native_judge_link("etc/x", "/home/x"), NATIVE_LINK_NO);
        assert_int_equal(native_judge_link("etc/x", "../run/secret"), NATIVE_LINK_NO);
        assert_int_equal(native_judge_link("etc/x", "shadow"), NATIVE_LINK_NO);
        assert_int_equal(native_judge_link("etc/rc2.d/S01x", "/usr/x"), NATIVE_LINK_NO);
        assert_int_equal(native_judge_link("etc/systemd/system/a.wants/docker.service", "/lib/x"), NATIVE_LINK_NO);
        assert_int_equal(native_judge_link("etc/systemd/system/a.wants/cron.service", "/lib/x"), NATIVE_LINK_SHARED);
}

/* Masters, then sysusers of a package, with the host's numbers. */
static void make(struct native_accounts *a, struct native_accounts *host)
{
        assert_int_equal(
                native_accounts_passwd(a, "root:*:0:0:root:/root:/bin/bash\nbad\nhuge:*:70000:0::/:/x\n", 0, 65535), 0);
        assert_int_equal(native_accounts_group(a, "root:*:0:\nutmp:*:43:\n", 0, 65535), 0);
        assert_int_equal(native_accounts_passwd(host,
                                 "root:$y$SECRET:0:0::/root:/bin/sh\nmessagebus:SECRET:101:103:SECRET:/SECRET:/bin/sh\n"
                                 "alice:SECRET:1000:1000::/home/alice:/bin/sh\n",
                                 1, 999),
                0);
        assert_int_equal(native_accounts_group(host, "messagebus:SECRET:103:alice\nwheel:x:900:alice\n", 1, 999), 0);
}

static void sysusers_take_the_hosts_numbers_and_nothing_else(void **state)
{
        struct native_accounts a = {0}, host = {0};
        _cleanup_free_ char *passwd = NULL, *group = NULL, *shadow = NULL;

        (void)state;
        make(&a, &host);
        assert_int_equal(native_accounts_sysusers(&a,
                                 "# c\nu messagebus - \"System Bus\"\ng journal - -\nm messagebus journal\n"
                                 "u! fixed 200:utmp 'x y' /var/fixed /bin/sh\nu root 7 - /x\nu %b - -\nr - 1-2\n",
                                 &host),
                0);
        passwd = native_accounts_render(&a, NATIVE_PASSWD);
        group = native_accounts_render(&a, NATIVE_GROUP);
        shadow = native_accounts_render(&a, NATIVE_SHADOW);
        assert_string_equal(passwd,
                "root:x:0:0:root:/root:/bin/bash\nmessagebus:x:101:103:messagebus:/:/usr/sbin/nologin\n"
                "fixed:x:200:43:fixed:/var/fixed:/bin/sh\n");
        assert_string_equal(group, "root:x:0:\nutmp:x:43:\nmessagebus:x:103:\njournal:x:999:messagebus\n");
        assert_string_equal(shadow, "root:*::0:99999:7:::\nmessagebus:*::0:99999:7:::\nfixed:*::0:99999:7:::\n");
        native_accounts_done(&a);
        native_accounts_done(&host);
}

static void accounts_taken_from_the_host_are_locked_and_homeless(void **state)
{
        struct native_accounts a = {0}, host = {0};
        _cleanup_free_ char *passwd = NULL, *gshadow = NULL;

        (void)state;
        make(&a, &host);
        assert_int_equal(native_accounts_take(&a, "messagebus", &host), 0);
        assert_int_equal(native_accounts_take(&a, "wheel", &host), 0);
        assert_int_equal(native_accounts_take(&a, "alice", &host), 0);
        passwd = native_accounts_render(&a, NATIVE_PASSWD);
        gshadow = native_accounts_render(&a, NATIVE_GSHADOW);
        assert_string_equal(passwd,
                "root:x:0:0:root:/root:/bin/bash\nmessagebus:x:101:103:messagebus:/nonexistent:/usr/sbin/nologin\n");
        assert_string_equal(gshadow, "root:*::\nutmp:*::\nmessagebus:*::\nwheel:*::\n");
        native_accounts_done(&a);
        native_accounts_done(&host);
}

static void free_numbers_avoid_those_of_the_host(void **state)
{
        struct native_accounts a = {0}, host = {0};

        (void)state;
        assert_int_equal(native_accounts_group(&host, "x:x:999:\ny:x:998:\n", 1, 999), 0);
        assert_int_equal(native_accounts_sysusers(&a, "u new -\nu other -", &host), 0);
        assert_int_equal(native_accounts_user(&a, "new")->uid, 997);
        assert_int_equal(native_accounts_user(&a, "other")->uid, 996);
        native_accounts_done(&a);
        native_accounts_done(&host);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(conffiles_are_read_with_their_checksums),
                cmocka_unit_test(obsolete_and_malformed_conffiles_are_passed_over),
                cmocka_unit_test(a_script_that_makes_accounts_speaks_of_whole_names),
                cmocka_unit_test(secrets_are_refused_by_name_whatever_their_checksum),
                cmocka_unit_test(links_are_resolved_by_their_text),
                cmocka_unit_test(only_links_into_shared_folders_are_taken),
                cmocka_unit_test(sysusers_take_the_hosts_numbers_and_nothing_else),
                cmocka_unit_test(accounts_taken_from_the_host_are_locked_and_homeless),
                cmocka_unit_test(free_numbers_avoid_those_of_the_host),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
