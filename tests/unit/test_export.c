/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_export.c - in which order entries, nodes and rights come and go, whatever fails, and whatever a croftd that died
 * left.  The kernel's map and /dev are played; each change to them is judged by the invariant: there is no right
 * without an entry, none over a node that isn't there, and no node without an entry that tells of it.
 */
#include "devid/export.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "devid/devid.h"
#include "devid/export_plan.h"
#include "devid/exports.h"
#include "devid/policy.h"
#include "partition/host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cmocka.h>

#define MAX 80

static struct devid_export map[MAX];
static char nodes[MAX][DEVID_EXPORT_NAME];
static size_t n_map, n_nodes;
static unsigned int fail_at, calls; /* the fail_at-th change fails; 0: none */
static bool fail_drops;
static struct export_plan planned;
static struct devexports policy;
static unsigned int notes;

static bool fails(void)
{
        return ++calls == fail_at;
}

static size_t find_node(const char *name)
{
        size_t i = 0;

        while (i < n_nodes && strcmp(nodes[i], name) != 0)
                i++;
        return i;
}

static size_t find_entry(const struct devid_export_key *key)
{
        size_t i = 0;

        while (i < n_map && memcmp(&map[i].key, key, sizeof(*key)) != 0)
                i++;
        return i;
}

static void judge(void)
{
        for (size_t i = 0; i < n_map; i++)
                if (map[i].access && find_node(map[i].name) == n_nodes)
                        fail_msg("there is a right to '%s' and no node", map[i].name);
        for (size_t k = 0; k < n_nodes; k++) {
                bool told = strcmp(nodes[k], "its-own") == 0;

                for (size_t i = 0; i < n_map; i++)
                        told |= strcmp(map[i].name, nodes[k]) == 0;
                if (!told)
                        fail_msg("nothing tells of node '%s'", nodes[k]);
        }
}

/* --- what is played --- */

int devid_exports_list(struct devid *d, uint64_t partition, bool half, struct devid_export **ret, size_t *ret_n,
        struct croft_error *err)
{
        (void)d;
        (void)err;
        assert_int_equal(partition, 7);
        assert_true(half);
        *ret = calloc(n_map + 1, sizeof(**ret));
        memcpy(*ret, map, n_map * sizeof(**ret));
        *ret_n = n_map;
        return 0;
}

int devid_exports_begin(struct devid *d, const struct devid_export *entry, struct croft_error *err)
{
        (void)d;
        if (fails())
                return croft_error_set(err, ENOSPC, "no room.");
        assert_int_equal(find_entry(&entry->key), n_map);
        map[n_map] = *entry;
        map[n_map++].access = 0;
        judge();
        return 0;
}

int devid_exports_set(struct devid *d, const struct devid_export *entry, struct croft_error *err)
{
        size_t i = find_entry(&entry->key);

        (void)d;
        if (fails())
                return croft_error_set(err, EIO, "no change.");
        if (i == n_map)
                return croft_error_set(err, ENOENT, "no entry.");
        map[i] = *entry;
        judge();
        return 0;
}

int devid_exports_delete(struct devid *d, const struct devid_export_key *key, struct croft_error *err)
{
        size_t i = find_entry(key);

        (void)d;
        if (fails())
                return croft_error_set(err, EIO, "no deletion.");
        if (i == n_map)
                return 0;
        map[i] = map[--n_map];
        judge();
        return 0;
}

int devnode_put(int dev_fd, const char *name, const struct devnode *node, bool replace, struct croft_error *err)
{
        (void)node;
        assert_int_equal(dev_fd, 99);
        assert_false(replace);
        if (fails() || find_node(name) < n_nodes)
                return croft_error_set(err, EEXIST, "there is '%s'.", name);
        (void)str_copy(nodes[n_nodes++], DEVID_EXPORT_NAME, name);
        judge();
        return 0;
}

int devnode_drop(int dev_fd, const char *name, const struct devnode *node, struct croft_error *err)
{
        size_t i = find_node(name);

        assert_int_equal(dev_fd, 99);
        assert_int_equal(node->number, makedev(10, name[0]));
        if (fails() || fail_drops)
                return croft_error_set(err, EIO, "no removal.");
        if (i < n_nodes && strcmp(name, "its-own") != 0)
                memmove(nodes[i], nodes[--n_nodes], DEVID_EXPORT_NAME);
        judge();
        return 0;
}

int devid_policy_read(const struct host *host, struct devexports *ret, struct croft_error *err)
{
        (void)host;
        (void)err;
        ret->n = policy.n;
        ret->list = malloc(policy.n * sizeof(*policy.list) + 1);
        memcpy(ret->list, policy.list, policy.n * sizeof(*policy.list));
        return 0;
}

int export_plan_request(
        struct partition *p, const struct devid_export_request *q, struct export_plan *plan, struct croft_error *err)
{
        (void)p;
        (void)q;
        (void)err;
        *plan = planned;
        return 0;
}

static void plan(struct export_plan *to, const char *name, const char *cdi, uint32_t flags)
{
        struct devid_export entry = {.key = {.partition = 7}, .access = DEVID_EXPORT_READ, .flags = flags};

        entry.key.node = (struct devid_node){.type = DEVID_CHAR, .major = 10, .minor = (uint32_t)name[0]};
        (void)str_copy(entry.name, sizeof(entry.name), name);
        (void)str_copy(entry.device, sizeof(entry.device), "/dev/x");
        (void)snprintf(entry.listed, sizeof(entry.listed), "/dev/%s", name);
        (void)str_copy(entry.cdi, sizeof(entry.cdi), cdi);
        to->list[to->n].entry = entry;
        to->list[to->n++].node = (struct devnode){.mode = S_IFCHR | 0600, .number = makedev(10, name[0])};
}

/* Stanza "abc" lists devices a, b and c. */
int export_plan_stanza(
        struct partition *p, const struct devexports_stanza *stanza, struct export_plan *to, struct croft_error *err)
{
        (void)p;
        (void)err;
        for (const char *at = stanza->name; *at; at++)
                plan(to, (char[]){*at, '\0'}, "", DEVID_EXPORT_AUTO);
        return 0;
}

bool export_plan_has(const struct export_plan *from, const struct devid_export_key *key)
{
        for (size_t i = 0; i < from->n; i++)
                if (memcmp(&from->list[i].entry.key, key, sizeof(*key)) == 0)
                        return true;
        return false;
}

struct devnode export_node_of(const struct devid_export *entry)
{
        return (struct devnode){.mode = S_IFCHR, .number = makedev(10, entry->key.node.minor)};
}

static void note(struct partition *p, const char *text)
{
        (void)p;
        assert_non_null(strstr(text, "half exported"));
        notes++;
}

/* --- the partition --- */

static struct host host = {.note = note, .config_dir = "/etc/croft"};
static struct partition partition = {.host = &host};
static const struct devid_export_request request = {.device = "/dev/x"};

static int set_up(void **state)
{
        static char devid; /* nobody looks into it */

        (void)state;
        n_map = n_nodes = planned.n = 0;
        fail_at = calls = notes = 0;
        fail_drops = false;
        policy = (struct devexports){.list = NULL};
        host.devid = (struct devid *)(void *)&devid;
        partition.def.id = 7;
        partition.run.dev = 99;
        return 0;
}

static size_t n_rights(void)
{
        size_t n = 0;

        for (size_t i = 0; i < n_map; i++)
                n += map[i].access != 0;
        return n;
}

static void a_device_of_two_nodes_is_exported_and_taken_back(void **state)
{
        (void)state;
        plan(&planned, "a", "v/c=n", 0);
        plan(&planned, "b", "v/c=n", 0);
        assert_int_equal(devid_export_add(&partition, &request, NULL), 0);
        assert_int_equal(n_rights(), 2);
        assert_int_equal(n_nodes, 2);
        assert_int_equal(devid_export_remove(&partition, "b", NULL), 0); /* with one all go */
        assert_int_equal(n_map + n_nodes, 0);
        assert_int_equal(devid_export_add(&partition, &request, NULL), 0);
        assert_int_equal(devid_export_remove(&partition, "v/c=n", NULL), 0);
        assert_int_equal(n_map + n_nodes, 0);
        assert_int_equal(devid_export_remove(&partition, "a", NULL), -ENOENT);
}

static void whatever_fails_nothing_is_exported(void **state)
{
        unsigned int failures = 0;

        for (unsigned int at = 1; at < 100; at++) {
                int r;

                (void)set_up(state);
                plan(&planned, "a", "v/c=n", 0);
                plan(&planned, "b", "v/c=n", 0);
                fail_at = at;
                r = devid_export_add(&partition, &request, NULL);
                if (r == 0 && calls < at)
                        break; /* nothing was left to fail */
                assert_true(r < 0);
                assert_int_equal(n_rights(), 0);
                failures++;
                fail_at = 0;
                assert_int_equal(devid_export_heal(&partition, NULL), 0);
                assert_int_equal(n_map + n_nodes, 0);
        }
        assert_int_equal(failures, 6); /* two entries, two nodes, two rights */
}

static void a_name_that_is_taken_takes_back_what_was_made(void **state)
{
        (void)state;
        (void)str_copy(nodes[n_nodes++], DEVID_EXPORT_NAME, "its-own");
        plan(&planned, "a", "v/c=n", 0);
        plan(&planned, "its-own", "v/c=n", 0);
        assert_int_equal(devid_export_add(&partition, &request, NULL), -EEXIST);
        assert_int_equal(n_map, 0);
        assert_int_equal(n_nodes, 1);
}

static void what_a_dead_croftd_left_is_taken_back_with_its_whole_device(void **state)
{
        struct export_plan plan_of = {.n = 0};

        (void)state;
        plan(&plan_of, "a", "v/c=n", 0);
        plan(&plan_of, "b", "v/c=n", 0);
        plan(&plan_of, "c", "", 0);
        for (size_t i = 0; i < 3; i++) {
                map[n_map++] = plan_of.list[i].entry;
                (void)str_copy(nodes[n_nodes++], DEVID_EXPORT_NAME, plan_of.list[i].entry.name);
        }
        map[1].access = 0;
        assert_int_equal(devid_export_heal(&partition, NULL), 0);
        assert_int_equal(notes, 2);
        assert_int_equal(n_map, 1);
        assert_int_equal(n_nodes, 1);
        assert_string_equal(map[0].name, "c");
        assert_int_equal(n_rights(), 1);
        assert_int_equal(devid_export_heal(&partition, NULL), 0);
        assert_int_equal(notes, 2);
}

static void a_node_that_stays_has_no_right_and_is_told_of(void **state)
{
        (void)state;
        plan(&planned, "a", "", 0);
        assert_int_equal(devid_export_add(&partition, &request, NULL), 0);
        fail_drops = true;
        assert_int_equal(devid_export_remove(&partition, "a", NULL), -EIO);
        assert_int_equal(n_rights(), 0);
        assert_int_equal(n_map, 1);
        fail_drops = false;
        assert_int_equal(devid_export_heal(&partition, NULL), 0);
        assert_int_equal(n_map + n_nodes, 0);
}

static void there_is_a_bound(void **state)
{
        (void)state;
        for (int i = 0; i < DEVID_EXPORTS_OF_ONE; i++)
                plan(&planned, (char[]){(char)('0' + i), '\0'}, "", 0);
        assert_int_equal(devid_export_add(&partition, &request, NULL), 0);
        planned.n = 0;
        plan(&planned, "~", "", 0);
        assert_int_equal(devid_export_add(&partition, &request, NULL), -EDQUOT);
        assert_int_equal(n_rights(), DEVID_EXPORTS_OF_ONE);
}

static void what_it_has_is_not_exported_again(void **state)
{
        (void)state;
        plan(&planned, "a", "", 0);
        assert_int_equal(devid_export_add(&partition, &request, NULL), 0);
        assert_int_equal(devid_export_add(&partition, &request, NULL), -EEXIST);
        planned.list[0].entry.key.node.minor = 1;
        assert_int_equal(devid_export_add(&partition, &request, NULL), -EEXIST);
        assert_int_equal(n_rights(), 1);
}

static void without_its_dev_nothing_is_exported(void **state)
{
        (void)state;
        plan(&planned, "a", "", 0);
        partition.run.dev = -EBADF;
        assert_int_equal(devid_export_add(&partition, &request, NULL), -ENODEV);
        host.devid = NULL;
        host.lacks[HOST_DEVID] = (struct croft_error){.code = EOPNOTSUPP};
        assert_int_equal(devid_export_add(&partition, &request, NULL), -EOPNOTSUPP);
        assert_int_equal(devid_export_follow(&partition, "char:4", NULL), 0);
        assert_int_equal(devid_export_follow(&partition, "ab", NULL), -EOPNOTSUPP);
}

static void a_property_is_followed(void **state)
{
        struct devexports_stanza stanzas[] = {
                {.name = "ab", .automatic = true}, {.name = "bc", .automatic = true}, {.name = "d"}};

        (void)state;
        policy = (struct devexports){.list = stanzas, .n = 3};
        plan(&planned, "x", "", 0);
        assert_int_equal(devid_export_add(&partition, &request, NULL), 0);
        assert_int_equal(devid_export_follow(&partition, "ab,char:4", NULL), 0);
        assert_int_equal(n_rights(), 3);
        assert_int_equal(devid_export_follow(&partition, "bc", NULL), 0);
        assert_int_equal(n_rights(), 3);
        assert_int_equal(find_node("a"), n_nodes);
        assert_int_equal(devid_export_follow(&partition, "ab,none", NULL), -ENOENT);
        assert_int_equal(devid_export_follow(&partition, "d", NULL), -EPERM);
        assert_int_equal(find_node("a"), n_nodes); /* as before */
        assert_int_equal(n_rights(), 3);
        assert_int_equal(devid_export_follow(&partition, NULL, NULL), 0);
        assert_int_equal(n_rights(), 1); /* what was asked for stays */
        assert_string_equal(nodes[0], "x");
}

static void what_is_not_listed_any_more_is_taken_back(void **state)
{
        struct devexports_stanza stanzas[] = {
                {.name = "ab", .pattern = "/dev/[ab]", .automatic = true}, {.name = "others", .pattern = "/dev/[xyz]"}};

        (void)state;
        policy = (struct devexports){.list = stanzas, .n = 2};
        plan(&planned, "x", "v/c=n", 0);
        plan(&planned, "y", "v/c=n", 0);
        plan(&planned, "z", "", 0);
        assert_int_equal(devid_export_add(&partition, &request, NULL), 0);
        assert_int_equal(devid_export_follow(&partition, "ab", NULL), 0);
        assert_int_equal(n_rights(), 5);
        assert_int_equal(devid_export_review(&partition, "ab", NULL), 0);
        assert_int_equal(n_rights(), 5); /* nothing has changed */
        (void)str_copy(stanzas[1].pattern, sizeof(stanzas[1].pattern), "/dev/[xz]");
        assert_int_equal(devid_export_review(&partition, "ab", NULL), 0);
        assert_int_equal(n_rights(), 3); /* without y no x */
        assert_int_equal(find_node("x"), n_nodes);
        assert_true(find_node("z") < n_nodes);
        policy.n = 0;
        assert_int_equal(devid_export_review(&partition, NULL, NULL), 0);
        assert_int_equal(n_map + n_nodes, 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup(f, set_up)
        const struct CMUnitTest tests[] = {
                TEST(a_device_of_two_nodes_is_exported_and_taken_back),
                TEST(whatever_fails_nothing_is_exported),
                TEST(a_name_that_is_taken_takes_back_what_was_made),
                TEST(what_a_dead_croftd_left_is_taken_back_with_its_whole_device),
                TEST(a_node_that_stays_has_no_right_and_is_told_of),
                TEST(there_is_a_bound),
                TEST(what_it_has_is_not_exported_again),
                TEST(without_its_dev_nothing_is_exported),
                TEST(a_property_is_followed),
                TEST(what_is_not_listed_any_more_is_taken_back),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
