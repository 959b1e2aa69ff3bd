/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_mount_allow.c - property `mount.allow`, and the options that a partition may give of what it mounts.
 */
#include "fault.h"
#include "partition/mount_allow.h"

#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void becomes(const char *value, const char *expected)
{
        _cleanup_free_ char *normal = NULL, *again = NULL;

        assert_int_equal(property_check_mount_allow(value, &normal, NULL), 0);
        assert_string_equal(normal, expected);
        assert_int_equal(property_check_mount_allow(normal, &again, NULL), 0);
        assert_string_equal(again, expected);
}

static void a_list_gets_its_normal_form(void **state)
{
        (void)state;
        becomes("ext4", "ext4");
        becomes("xfs,ext4", "ext4,xfs");
        becomes(" xfs , ext4 ", "ext4,xfs");
        becomes("xfs,vfat,sysfs,squashfs,proc,ext4,ext3,ext2,erofs",
                "erofs,ext2,ext3,ext4,proc,squashfs,sysfs,vfat,xfs");
}

static void what_is_no_list_is_refused(void **state)
{
        static const char *const wrong[] = {"", ",", "ext4,", ",ext4", "ext4,,xfs", "ext4 xfs", "ext4,ext4", "ext",
                "ext44", "EXT4", "btrfs", "tmpfs", "nfs", "iso9660", "ext4\nxfs", "all"};
        struct croft_error err;
        char *normal = NULL, line[512];

        (void)state;
        for (size_t i = 0; i < ELEMENTS(wrong); i++) {
                err = (struct croft_error)CROFT_ERROR_INIT;
                assert_int_equal(property_check_mount_allow(wrong[i], &normal, &err), -EINVAL);
                assert_null(normal);
                assert_non_null(strstr(croft_error_line(&err, line, sizeof(line)), "proc, squashfs, sysfs, vfat, xfs"));
        }
}

static void a_list_has_its_types_and_no_others(void **state)
{
        (void)state;
        assert_true(mount_allow_has("ext4,xfs", "ext4"));
        assert_true(mount_allow_has("ext4,xfs", "xfs"));
        assert_false(mount_allow_has("ext4,xfs", "ext2"));
        assert_false(mount_allow_has("ext4,xfs", "ext"));
        assert_false(mount_allow_has("ext4,xfs", "ext4,xfs"));
        assert_false(mount_allow_has("ext4,xfs", ""));
        assert_false(mount_allow_has("", "ext4"));
        assert_false(mount_allow_has(NULL, "ext4"));
        assert_false(mount_allow_has("ext4,btrfs", "btrfs")); /* whatever another version allowed */
}

/* "key=value,flag" of what was decoded, or the errno. */
static const char *decoded(const char *type, const char *data)
{
        static struct mount_options o;
        static char text[8192];
        size_t used = 0;
        int r = mount_options_decode(type, data, &o);

        text[0] = '\0';
        if (r < 0)
                return r == -EINVAL ? "EINVAL" : r == -EPERM ? "EPERM" : "?";
        for (size_t i = 0; i < o.n; i++)
                used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s%s%s", i ? "," : "", o.list[i].key,
                        o.list[i].value ? "=" : "", o.list[i].value ? o.list[i].value : "");
        return text;
}

static void a_damaged_file_system_never_stops_the_machine(void **state)
{
        (void)state;
        for (int i = 2; i <= 4; i++) {
                const char type[] = {'e', 'x', 't', (char)('0' + i), '\0'};

                assert_string_equal(decoded(type, ""), "errors=remount-ro");
                assert_string_equal(decoded(type, "errors=continue"), "errors=continue");
                assert_string_equal(decoded(type, "acl,noload"), "acl,noload,errors=remount-ro");
                assert_string_equal(decoded(type, "errors=panic"), "EINVAL");
                assert_string_equal(decoded(type, "errors=continue,errors=panic"), "EINVAL");
        }
        assert_string_equal(decoded("vfat", ""), "errors=remount-ro");
        assert_string_equal(decoded("vfat", "errors=panic"), "EINVAL");
        assert_string_equal(decoded("squashfs", "errors=panic"), "EINVAL");
}

static void options_that_name_other_devices_are_refused(void **state)
{
        (void)state;
        assert_string_equal(decoded("ext4", "journal_dev=2049"), "EINVAL");
        assert_string_equal(decoded("ext4", "journal_path=/dev/sda1"), "EINVAL");
        assert_string_equal(decoded("xfs", "logdev=/dev/sda1"), "EINVAL");
        assert_string_equal(decoded("xfs", "rtdev=/dev/sda1"), "EINVAL");
        assert_string_equal(decoded("erofs", "device=/dev/sda1"), "EINVAL");
        assert_string_equal(decoded("ext4", "source=/dev/sda1"), "EINVAL");
}

static void options_that_reach_the_machine_are_refused(void **state)
{
        static const char *const wrong[] = {"dax", "jqfmt=vfsv1", "usrjquota=a", "quota", "resuid=0", "sb=1", "abort",
                "test_dummy_encryption", "nosuchoption", "acl=1", "data", "data=", "data=all", "errors=", "errors",
                "commit=-1", "commit=1e9", "commit=", "=", "=ext4", "acl;dax", " acl", "max_batch_time=1", "panic",
                "errors=remount-ro|continue", "journal_ioprio=0"};

        (void)state;
        for (size_t i = 0; i < ELEMENTS(wrong); i++)
                assert_string_equal(decoded("ext4", wrong[i]), "EINVAL");
        assert_string_equal(decoded("vfat", "iocharset=koi8-r"), "EINVAL"); /* a module */
        assert_string_equal(decoded("vfat", "codepage=850"), "EINVAL");
}

static void usual_options_are_taken(void **state)
{
        (void)state;
        assert_string_equal(
                decoded("ext4", "data=ordered,commit=5,,discard,"), "data=ordered,commit=5,discard,errors=remount-ro");
        assert_string_equal(decoded("xfs", "nouuid,norecovery,allocsize=64m"), "nouuid,norecovery,allocsize=64m");
        assert_string_equal(decoded("vfat", "uid=1000,gid=1000,umask=022,shortname=mixed,errors=continue"),
                "uid=1000,gid=1000,umask=022,shortname=mixed,errors=continue");
        assert_string_equal(decoded("vfat", "uid=65536"), "EINVAL"); /* no id of a partition */
        assert_string_equal(decoded("squashfs", "errors=continue"), "errors=continue");
        assert_string_equal(decoded("erofs", "cache_strategy=disabled"), "cache_strategy=disabled");
}

static void what_is_too_long_or_too_many_is_refused(void **state)
{
        char data[2 * MOUNT_DATA_MAX];

        (void)state;
        memset(data, ',', sizeof(data) - 1);
        data[sizeof(data) - 1] = '\0';
        assert_string_equal(decoded("ext4", data), "EINVAL");
        data[0] = '\0';
        for (int i = 0; i < MOUNT_OPTIONS_MAX; i++)
                (void)strcat(data, "acl,");
        assert_string_equal(decoded("ext4", data), "EINVAL"); /* with errors= it is one too many */
        assert_string_equal(decoded("xfs", ""), "");
}

static void ext2_and_ext3_are_the_driver_of_ext4(void **state)
{
        static struct mount_options o;

        (void)state;
        assert_int_equal(mount_options_decode("ext2", "", &o), 0);
        assert_string_equal(o.driver, "ext4");
        assert_int_equal(mount_options_decode("xfs", "", &o), 0);
        assert_string_equal(o.driver, "xfs");
        assert_string_equal(decoded("btrfs", ""), "EPERM");
        assert_string_equal(decoded("proc", ""), "EPERM"); /* on no device */
        assert_string_equal(decoded("", ""), "EPERM");
}

static int check(void *context)
{
        _cleanup_free_ char *normal = NULL;
        int r = property_check_mount_allow("xfs,ext4", &normal, NULL);

        (void)context;
        assert_true((r == 0) == (normal != NULL));
        return r;
}

static void without_memory_it_fails(void **state)
{
        (void)state;
        assert_int_equal(fault_walk(FAULT_ALLOCATION, false, check, NULL), 1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_list_gets_its_normal_form),
                cmocka_unit_test(what_is_no_list_is_refused),
                cmocka_unit_test(a_list_has_its_types_and_no_others),
                cmocka_unit_test(a_damaged_file_system_never_stops_the_machine),
                cmocka_unit_test(options_that_name_other_devices_are_refused),
                cmocka_unit_test(options_that_reach_the_machine_are_refused),
                cmocka_unit_test(usual_options_are_taken),
                cmocka_unit_test(what_is_too_long_or_too_many_is_refused),
                cmocka_unit_test(ext2_and_ext3_are_the_driver_of_ext4),
                cmocka_unit_test(without_memory_it_fails),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
