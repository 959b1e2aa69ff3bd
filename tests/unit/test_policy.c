/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_policy.c - files about devices as they lie in directories: which is believed, which one wins, and what is said
 * of the others.
 */
#include "devid/policy.h"
#include "partition/host.h"

#include "base/cleanup.h"
#include "base/fd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

static char path[64], dirs[256];
static struct host host;
static struct croft_error err;
static char line[CROFT_ERROR_TEXT_MAX];
static const char *listed;

static int set_up(void **state)
{
        (void)state;
        (void)strcpy(path, "/tmp/croft-policy.XXXXXX");
        if (!mkdtemp(path))
                return -1;
        (void)snprintf(dirs, sizeof(dirs), "%s/low:%s/none::%s/high", path, path, path);
        host = (struct host){.config_dir = path, .cdi_dirs = dirs};
        croft_error_clear(&err);
        return 0;
}

static int tear_down(void **state)
{
        (void)state;
        return fd_remove_tree(AT_FDCWD, path, NULL);
}

static void write_file(const char *name, mode_t mode, const char *text)
{
        char whole[160];
        FILE *f;

        (void)snprintf(whole, sizeof(whole), "%s/low", path);
        (void)mkdir(whole, 0755);
        (void)snprintf(whole, sizeof(whole), "%s/high", path);
        (void)mkdir(whole, 0755);
        (void)snprintf(whole, sizeof(whole), "%s/%s", path, name);
        f = fopen(whole, "w");
        assert_non_null(f);
        assert_true(fputs(text, f) >= 0);
        assert_int_equal(fclose(f), 0);
        assert_int_equal(chmod(whole, mode), 0);
}

static void says(int r, int code, const char *sentence)
{
        assert_int_equal(r, -code);
        assert_int_equal(err.code, code);
        if (!strstr(croft_error_line(&err, line, sizeof(line)), sentence))
                fail_msg("'%s' lacks '%s'", line, sentence);
}

static void without_a_file_nothing_is_listed(void **state)
{
        struct devexports e = {.n = 42};

        (void)state;
        assert_int_equal(devid_policy_read(&host, &e, NULL), 0);
        assert_int_equal(e.n, 0);
        says(devid_policy_check(&host, &e, "/dev/fuse", NULL, &listed, &err), EPERM,
                "'/dev/fuse' isn't listed in '/tmp/croft-policy.");
        devexports_done(&e);
}

static void either_path_may_be_listed(void **state)
{
        struct devexports e;

        (void)state;
        write_file("devexports", 0644, "links:\nvalue = \"/dev/disk/by-id/*\"\n");
        assert_int_equal(devid_policy_read(&host, &e, NULL), 0);
        assert_int_equal(devid_policy_check(&host, &e, "/dev/sda", "/dev/disk/by-id/a", &listed, NULL), 0);
        assert_string_equal(listed, "/dev/disk/by-id/a");
        assert_int_equal(devid_policy_check(&host, &e, "/dev/disk/by-id/a", NULL, &listed, NULL), 0);
        assert_int_equal(devid_policy_check(&host, &e, "/dev/sda", "/dev/sda", &listed, NULL), -EPERM);
        devexports_done(&e);
}

static void a_file_that_others_may_write_is_not_believed(void **state)
{
        struct devexports e;

        (void)state;
        write_file("devexports", 0664, "");
        says(devid_policy_read(&host, &e, &err), EPERM, "isn't root's alone to write");
        write_file("devexports", 0646, "");
        assert_int_equal(devid_policy_read(&host, &e, NULL), -EPERM);
        write_file("devexports", 0644, "fuse\n");
        says(devid_policy_read(&host, &e, &err), EBADMSG, "/devexports': line 1: 'fuse' is no stanza");
}

static void what_is_no_file_is_not_read(void **state)
{
        struct devexports e;
        char whole[160];

        (void)state;
        (void)snprintf(whole, sizeof(whole), "%s/devexports", path);
        assert_int_equal(mkfifo(whole, 0600), 0);
        assert_int_equal(devid_policy_read(&host, &e, NULL), -EINVAL);
        assert_int_equal(unlink(whole), 0);
        assert_int_equal(mkdir(whole, 0700), 0);
        assert_int_equal(devid_policy_read(&host, &e, NULL), -EINVAL);
}

#define SPEC(path)                                                                                                     \
        "{\"cdiVersion\": \"0.6.0\", \"kind\": \"v/c\", \"devices\": [{\"name\": \"n\", \"containerEdits\": "          \
        "{\"deviceNodes\": [{\"path\": \"" path "\"}]}}]}"
static const struct cdi_name name = {.kind = "v/c", .device = "n"};

static void finds(const char *expected)
{
        struct cdi_device d;

        assert_int_equal(devid_policy_cdi(&host, &name, &d, NULL), 0);
        assert_int_equal(d.n, 1);
        assert_string_equal(d.nodes[0].path, expected);
        cdi_device_done(&d);
}

static void the_last_directory_wins(void **state)
{
        (void)state;
        write_file("low/a.json", 0644, SPEC("/dev/low"));
        write_file("high/.hidden.json", 0644, SPEC("/dev/hidden"));
        write_file("high/a.yaml~", 0644, SPEC("/dev/kept"));
        finds("/dev/low");
        write_file("high/b.json", 0644, SPEC("/dev/high"));
        finds("/dev/high");
}

static void a_file_may_be_in_yaml(void **state)
{
        (void)state;
        write_file("low/a.yml", 0644,
                "cdiVersion: 0.6.0\nkind: v/c\ndevices:\n- name: \"n\"\n  containerEdits:\n    deviceNodes:\n    - "
                "path: "
                "/dev/yml\n");
        finds("/dev/yml");
        write_file("high/a.yaml", 0644, SPEC("/dev/yaml"));
        finds("/dev/yaml");
}

static void a_device_in_two_files_of_a_directory_is_refused(void **state)
{
        struct cdi_device d;

        (void)state;
        write_file("low/a.json", 0644, SPEC("/dev/a"));
        write_file("low/b.json", 0644, SPEC("/dev/b"));
        says(devid_policy_cdi(&host, &name, &d, &err), EBADMSG, "have the device 'v/c=n'");
}

static void a_damaged_file_matters_unless_the_device_is_found_beside_it(void **state)
{
        struct cdi_device d;

        (void)state;
        write_file("low/a.json", 0644, SPEC("/dev/low"));
        write_file("high/x.json", 0644, "{");
        says(devid_policy_cdi(&host, &name, &d, &err), EBADMSG, "/high/x.json': line 1");
        write_file("high/x.json", 0666, SPEC("/dev/high"));
        says(devid_policy_cdi(&host, &name, &d, &err), EPERM, "only root may write it");
        write_file("high/y.json", 0644, SPEC("/dev/y"));
        finds("/dev/y");
}

static void one_that_croft_cannot_have_is_told_rather_than_a_damaged_one(void **state)
{
        struct cdi_device d;

        (void)state;
        write_file("high/a.json", 0644, "{");
        write_file("high/b.json", 0644,
                "{\"cdiVersion\": \"1\", \"kind\": \"v/c\", \"devices\": [{\"name\": \"n\", \"containerEdits\": "
                "{\"env\": [\"A=B\"]}}]}");
        write_file("high/c.json", 0644, "[");
        says(devid_policy_cdi(&host, &name, &d, &err), EOPNOTSUPP, "'env', which croft doesn't do");
}

static void a_device_that_nobody_has_is_not_found(void **state)
{
        struct cdi_device d;

        (void)state;
        says(devid_policy_cdi(&host, &name, &d, &err), ENOENT, "has the device 'v/c=n'");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
        const struct CMUnitTest tests[] = {
                TEST(without_a_file_nothing_is_listed),
                TEST(either_path_may_be_listed),
                TEST(a_file_that_others_may_write_is_not_believed),
                TEST(what_is_no_file_is_not_read),
                TEST(the_last_directory_wins),
                TEST(a_file_may_be_in_yaml),
                TEST(a_device_in_two_files_of_a_directory_is_refused),
                TEST(a_damaged_file_matters_unless_the_device_is_found_beside_it),
                TEST(one_that_croft_cannot_have_is_told_rather_than_a_damaged_one),
                TEST(a_device_that_nobody_has_is_not_found),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
