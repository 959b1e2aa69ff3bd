/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_export_plan.c - what is decided before a device is exported.  Policy and the table of numbers are played;
 * devices are those of this machine, of which any one that isn't in every partition will do.
 */
#include "devid/export_plan.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "devid/exports.h"
#include "devid/policy.h"
#include "partition/host.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cmocka.h>

/* --- what is played --- */

static bool refuses;
static uint64_t owner;
static char checked[DEVID_EXPORT_NAME], asked[DEVID_EXPORT_NAME];
static struct cdi_node cdi_nodes[3];
static size_t n_cdi;
static unsigned int notes;
static const char *why = "there is no device '/dev/croft-nothing' of stanza 'one'";

uint64_t devid_owner(struct devid *d, uint32_t type, uint32_t major, uint32_t minor)
{
        (void)d;
        (void)type;
        (void)major;
        (void)minor;
        return owner;
}

void devid_exports_identify(struct devid_export *entry)
{
        entry->flags |= DEVID_EXPORT_KNOWN;
}

int devid_policy_read(const struct host *host, struct devexports *ret, struct croft_error *err)
{
        (void)host;
        (void)err;
        *ret = (struct devexports){.list = NULL};
        return 0;
}

int devid_policy_check(const struct host *host, const struct devexports *exports, const char *path, const char *other,
        const char **ret, struct croft_error *err)
{
        (void)host;
        (void)exports;
        (void)str_copy(checked, sizeof(checked), path);
        (void)str_copy(asked, sizeof(asked), other);
        *ret = other;
        return refuses ? croft_error_set(err, EPERM, "it isn't listed.") : 0;
}

int devid_policy_cdi(
        const struct host *host, const struct cdi_name *name, struct cdi_device *ret, struct croft_error *err)
{
        (void)host;
        (void)err;
        assert_string_equal(name->kind, "v/c");
        assert_string_equal(name->device, "n");
        ret->n = n_cdi;
        ret->nodes = malloc(sizeof(cdi_nodes));
        memcpy(ret->nodes, cdi_nodes, sizeof(cdi_nodes));
        return 0;
}

static void note(struct partition *p, const char *text)
{
        (void)p;
        assert_non_null(strstr(text, why));
        notes++;
}

/* --- the machine --- */

static char device[DEVID_EXPORT_NAME]; /* "": this machine has none */
static struct stat device_stat;
static struct host host = {.note = note};
static struct partition partition = {.host = &host, .def = {.id = 7, .uid_base = 1000000}};
static struct export_plan plan;

static bool is_any(const char *path)
{
        return lstat(path, &device_stat) == 0 && S_ISCHR(device_stat.st_mode) && major(device_stat.st_rdev) != 1 &&
               major(device_stat.st_rdev) != 5 &&
               (major(device_stat.st_rdev) < 136 || major(device_stat.st_rdev) > 143);
}

static int find_device(void **state)
{
        _cleanup_closedir_ DIR *d = opendir("/dev");
        const struct dirent *entry;

        (void)state;
        while (d && (entry = readdir(d))) {
                (void)snprintf(device, sizeof(device), "/dev/%.90s", entry->d_name);
                if (devnode_name_is_valid(entry->d_name) && is_any(device))
                        return 0;
        }
        device[0] = '\0';
        return 0;
}

static int set_up(void **state)
{
        (void)state;
        refuses = false;
        owner = 0;
        n_cdi = 0;
        notes = 0;
        plan.n = 0;
        memset(cdi_nodes, 0, sizeof(cdi_nodes));
        return 0;
}

#define NEEDS_DEVICE()                                                                                                 \
        do {                                                                                                           \
                (void)state;                                                                                           \
                if (!device[0])                                                                                        \
                        skip();                                                                                        \
        } while (0)

static int ask_as(const char *path, const char *as, uint32_t access, int mode, int64_t uid, int64_t gid)
{
        const struct devid_export_request q = {
                .device = path, .as = as, .access = access, .mode = mode, .uid = uid, .gid = gid};
        struct croft_error err = CROFT_ERROR_INIT;
        int r = export_plan_request(&partition, &q, &plan, &err);

        assert_int_equal(err.code, -r);
        return r;
}

static int ask(const char *path)
{
        return ask_as(path, NULL, 0, -1, -1, -1);
}

/* --- */

static void a_device_is_planned_as_it_is_on_the_host(void **state)
{
        NEEDS_DEVICE();
        assert_int_equal(ask(device), 0);
        assert_int_equal(plan.n, 1);
        assert_int_equal(plan.list[0].entry.key.partition, 7);
        assert_int_equal(plan.list[0].entry.key.node.type, DEVID_CHAR);
        assert_int_equal(plan.list[0].entry.key.node.major, major(device_stat.st_rdev));
        assert_int_equal(plan.list[0].entry.key.node.minor, minor(device_stat.st_rdev));
        assert_int_equal(plan.list[0].entry.access, DEVID_EXPORT_READ | DEVID_EXPORT_WRITE);
        assert_int_equal(plan.list[0].entry.flags, DEVID_EXPORT_KNOWN);
        assert_string_equal(plan.list[0].entry.device, device);
        assert_string_equal(plan.list[0].entry.listed, device);
        assert_string_equal(plan.list[0].entry.name, device + strlen("/dev/"));
        assert_string_equal(checked, device);
        assert_int_equal(plan.list[0].node.mode, S_IFCHR | (device_stat.st_mode & 0777));
        assert_int_equal(plan.list[0].node.number, device_stat.st_rdev);
        assert_int_equal(plan.list[0].node.uid, 1000000);
        assert_int_equal(plan.list[0].node.gid, 1000000);
        assert_true(export_plan_has(&plan, &plan.list[0].entry.key));
        assert_int_equal(export_node_of(&plan.list[0].entry).number, device_stat.st_rdev);
}

static void it_looks_as_it_is_asked_for(void **state)
{
        NEEDS_DEVICE();
        assert_int_equal(ask_as(device, "/dev/a/b", DEVID_EXPORT_READ, 0604, 33, 65535), 0);
        assert_string_equal(plan.list[0].entry.name, "a/b");
        assert_int_equal(plan.list[0].entry.access, DEVID_EXPORT_READ);
        assert_int_equal(plan.list[0].node.mode, S_IFCHR | 0604);
        assert_int_equal(plan.list[0].node.uid, 1000033);
        assert_int_equal(plan.list[0].node.gid, 1065535);
}

static void words_that_are_wrong_are_refused(void **state)
{
        NEEDS_DEVICE();
        assert_int_equal(ask_as(device, "../a", 0, -1, -1, -1), -EINVAL);
        assert_int_equal(ask_as(device, "", 0, -1, -1, -1), -EINVAL);
        assert_int_equal(ask_as(device, "/dev//a", 0, -1, -1, -1), -EINVAL);
        assert_int_equal(ask_as(device, "/etc/a", 0, -1, -1, -1), -EINVAL);
        assert_int_equal(ask_as(device, NULL, 0, 01777, -1, -1), -EINVAL);
        assert_int_equal(ask_as(device, NULL, 0, -1, 65536, -1), -EINVAL);
        assert_int_equal(ask_as(device, NULL, 0, -1, -1, 65536), -EINVAL);
        assert_int_equal(ask_as(device, NULL, 1, -1, -1, -1), -EINVAL);
}

static void only_devices_below_dev_are_planned(void **state)
{
        (void)state;
        assert_int_equal(ask(""), -EINVAL);
        assert_int_equal(ask("null"), -EINVAL);
        assert_int_equal(ask("v/c="), -EINVAL);
        assert_int_equal(ask("/etc/passwd"), -EINVAL);
        assert_int_equal(ask("/dev/../etc/passwd"), -EINVAL);
        assert_int_equal(ask("/dev/./null"), -EINVAL);
        assert_int_equal(ask("/dev/croft-nothing"), -ENOENT);
        assert_int_equal(ask("/dev/shm"), -ENODEV);
        assert_int_equal(plan.n, 0);
}

static void what_every_partition_has_is_not_exported(void **state)
{
        (void)state;
        assert_int_equal(ask_as("/dev/null", "mine", 0, -1, -1, -1), -EEXIST);
        assert_int_equal(ask("/dev/zero"), -EEXIST);
        assert_int_equal(ask("/dev/urandom"), -EEXIST);
        assert_int_equal(ask("/dev/tty"), -EEXIST);
}

static void what_is_not_listed_is_not_either(void **state)
{
        NEEDS_DEVICE();
        refuses = true;
        assert_int_equal(ask(device), -EPERM);
        assert_string_equal(asked, device);
        assert_int_equal(plan.n, 0);
}

static void nor_is_a_number_that_a_partition_has(void **state)
{
        NEEDS_DEVICE();
        owner = 7;
        assert_int_equal(ask(device), -EEXIST);
        owner = 8;
        assert_int_equal(ask(device), -EBUSY);
        assert_int_equal(plan.n, 0);
}

static bool keeps(struct partition *p, uint32_t type, uint32_t number)
{
        (void)p;
        assert_int_equal(type, DEVID_CHAR);
        assert_int_equal(number, major(device_stat.st_rdev));
        return true;
}

static void nor_is_what_an_extension_brought_that_another_partition_has_alone(void **state)
{
        NEEDS_DEVICE();
        host.is_kept_from = keeps;
        assert_int_equal(ask(device), -EBUSY);
        host.is_kept_from = NULL;
        assert_int_equal(ask(device), 0);
}

static void add_cdi(const char *name, const char *host_path)
{
        struct cdi_node *node = &cdi_nodes[n_cdi++];

        *node = (struct cdi_node){.major = -1, .minor = -1, .mode = 0640, .access = CDI_READ, .uid = 3, .gid = 4};
        (void)snprintf(node->path, sizeof(node->path), "/dev/%s", name);
        (void)str_copy(node->host, sizeof(node->host), host_path);
}

static void a_cdi_device_looks_as_its_file_says(void **state)
{
        NEEDS_DEVICE();
        add_cdi("a/b", device);
        cdi_nodes[0].type = 'c';
        cdi_nodes[0].major = major(device_stat.st_rdev);
        cdi_nodes[0].minor = minor(device_stat.st_rdev);
        assert_int_equal(ask("v/c=n"), 0);
        assert_int_equal(plan.n, 1);
        assert_string_equal(plan.list[0].entry.name, "a/b");
        assert_string_equal(plan.list[0].entry.cdi, "v/c=n");
        assert_string_equal(plan.list[0].entry.device, device);
        assert_int_equal(plan.list[0].entry.access, DEVID_EXPORT_READ);
        assert_int_equal(plan.list[0].node.mode, S_IFCHR | 0640);
        assert_int_equal(plan.list[0].node.uid, 1000003);
        assert_int_equal(plan.list[0].node.gid, 1000004);
        assert_int_equal(ask_as("v/c=n", "x", 0, -1, -1, -1), -EINVAL);
        assert_int_equal(ask_as("v/c=n", NULL, DEVID_EXPORT_READ, -1, -1, -1), -EINVAL);
        assert_int_equal(ask_as("v/c=n", NULL, 0, 0600, -1, -1), -EINVAL);
        assert_int_equal(ask_as("v/c=n", NULL, 0, -1, 0, -1), -EINVAL);
}

static void one_whose_file_is_wrong_is_refused(void **state)
{
        NEEDS_DEVICE();
        add_cdi("a", device);
        cdi_nodes[0].type = 'b';
        assert_int_equal(ask("v/c=n"), -ESTALE);
        cdi_nodes[0].type = 0;
        cdi_nodes[0].minor = minor(device_stat.st_rdev) + 1;
        assert_int_equal(ask("v/c=n"), -ESTALE);
        cdi_nodes[0].minor = -1;
        add_cdi("b", device);
        assert_int_equal(ask("v/c=n"), -EEXIST); /* the same twice */
        n_cdi = 1;
        add_cdi("b", "/etc/passwd");
        assert_int_equal(ask("v/c=n"), -EINVAL);
        n_cdi = 1;
        add_cdi("../b", device);
        assert_int_equal(ask("v/c=n"), -EINVAL);
}

static void a_stanza_lists_what_can_be_exported(void **state)
{
        struct devexports_stanza all = {.name = "all", .pattern = "/dev/[nz][ue][lrt]*"}, one = {.name = "one"},
                                 none = {.name = "one", .pattern = "/dev/croft-nothing"};

        NEEDS_DEVICE();
        (void)str_copy(one.pattern, sizeof(one.pattern), device);
        assert_int_equal(export_plan_stanza(&partition, &all, &plan, NULL), 0);
        for (size_t i = 0; i < plan.n; i++) { /* neither null nor zero, nor the directory net */
                assert_string_not_equal(plan.list[i].entry.name, "null");
                assert_string_not_equal(plan.list[i].entry.name, "zero");
        }
        plan.n = 0;
        assert_int_equal(export_plan_stanza(&partition, &one, &plan, NULL), 0);
        assert_int_equal(export_plan_stanza(&partition, &one, &plan, NULL), 0);
        assert_int_equal(plan.n, 1); /* once */
        assert_int_equal(plan.list[0].entry.flags, DEVID_EXPORT_AUTO | DEVID_EXPORT_KNOWN);
        assert_string_equal(plan.list[0].entry.listed, device);
        assert_int_equal(notes, 0);
        assert_int_equal(export_plan_stanza(&partition, &none, &plan, NULL), 0);
        assert_int_equal(plan.n, 1);
        assert_int_equal(notes, 1);
        (void)str_copy(none.pattern, sizeof(none.pattern), "/dev/null");
        why = "device '/dev/null' of stanza 'one' can't be exported";
        assert_int_equal(export_plan_stanza(&partition, &none, &plan, NULL), 0);
        assert_int_equal(notes, 2);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup(f, set_up)
        const struct CMUnitTest tests[] = {
                TEST(a_device_is_planned_as_it_is_on_the_host),
                TEST(it_looks_as_it_is_asked_for),
                TEST(words_that_are_wrong_are_refused),
                TEST(only_devices_below_dev_are_planned),
                TEST(what_every_partition_has_is_not_exported),
                TEST(what_is_not_listed_is_not_either),
                TEST(nor_is_a_number_that_a_partition_has),
                TEST(nor_is_what_an_extension_brought_that_another_partition_has_alone),
                TEST(a_cdi_device_looks_as_its_file_says),
                TEST(one_whose_file_is_wrong_is_refused),
                TEST(a_stanza_lists_what_can_be_exported),
        };

        return cmocka_run_group_tests(tests, find_device, NULL);
}
