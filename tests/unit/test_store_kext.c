/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_store_kext.c - kernel extensions in the database of croftd: generations, and what was revoked.
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "daemon/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
        char path[64];
        int dir;
        struct store *store;
};

static int setup(void **state)
{
        struct fixture *f = calloc(1, sizeof(*f));

        assert_non_null(f);
        (void)snprintf(f->path, sizeof(f->path), "/tmp/croft-store-XXXXXX");
        assert_non_null(mkdtemp(f->path));
        f->dir = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_int_equal(store_open(f->dir, &f->store, NULL), 0);
        *state = f;
        return 0;
}

static int teardown(void **state)
{
        struct fixture *f = *state;

        store_close(f->store);
        close_fd(f->dir);
        assert_int_equal(fd_remove_tree(AT_FDCWD, f->path, NULL), 0);
        free(f);
        return 0;
}

static void reopen(struct fixture *f)
{
        f->store = store_close(f->store);
        assert_int_equal(store_open(f->dir, &f->store, NULL), 0);
}

/* One whose SHA-256 is that digit all over. */
static struct kext_record sample(const char *name, char digit, const char *vermagic)
{
        struct kext_record record = {.identity = {.kind = KEXT_KO,
                                             .size = 4711,
                                             .signer = "Me",
                                             .depends = "a,b",
                                             .srcversion = "ABC",
                                             .build_id = "00ff"},
                .origin = "/root/x.ko",
                .reason = "file",
                .registered = 1700000000};

        memset(record.identity.sha256, digit, KEXT_SHA256_LENGTH);
        (void)snprintf(record.identity.name, sizeof(record.identity.name), "%s", name);
        (void)snprintf(record.identity.vermagic, sizeof(record.identity.vermagic), "%s", vermagic);
        return record;
}

static int add(struct fixture *f, const char *name, char digit, const char *vermagic, struct kext_record *ret)
{
        const struct kext_record record = sample(name, digit, vermagic);

        return store_extension_add(f->store, &record, ret, NULL);
}

/* "1 CURRENT" of the one of that digit. */
static void assert_is(struct fixture *f, char digit, uint32_t generation, enum kext_state state)
{
        const struct kext_record asked = sample("x", digit, "");
        struct kext_record record;

        assert_int_equal(store_extension_find(f->store, asked.identity.sha256, &record, NULL), 0);
        assert_int_equal(record.generation, generation);
        assert_int_equal(record.state, state);
}

static void what_is_registered_comes_back_as_it_was(void **state)
{
        struct kext_record record, again;
        struct fixture *f = *state;

        assert_int_equal(add(f, "copy", 'a', "6.1 SMP", &record), 0);
        assert_int_equal(record.generation, 1);
        assert_int_equal(record.state, KEXT_CURRENT);
        reopen(f);
        assert_int_equal(store_extension_find(f->store, record.identity.sha256, &again, NULL), 0);
        assert_memory_equal(&again, &record, sizeof(record));
        assert_int_equal(store_extension_find(f->store, "b", &again, NULL), -ENOENT);
}

static void a_newer_one_supersedes_that_of_its_kernel(void **state)
{
        struct kext_record record;
        struct fixture *f = *state;

        assert_int_equal(add(f, "copy", 'a', "6.1 SMP", &record), 0);
        assert_int_equal(add(f, "copy", 'b', "6.12 SMP", &record), 0);
        assert_int_equal(add(f, "other", 'c', "6.1 SMP", &record), 0);
        assert_int_equal(add(f, "copy", 'd', "6.1 PREEMPT", &record), 0);
        assert_is(f, 'a', 1, KEXT_SUPERSEDED);
        assert_is(f, 'b', 1, KEXT_CURRENT);
        assert_is(f, 'c', 1, KEXT_CURRENT);
        assert_is(f, 'd', 2, KEXT_CURRENT);
        assert_int_equal(add(f, "copy", 'd', "6.1 PREEMPT", &record), 0);
        assert_is(f, 'd', 2, KEXT_CURRENT);
}

static void a_name_is_of_one_kind(void **state)
{
        struct kext_record object = sample("copy", 'b', ""), module = sample("drop", 'd', "6.1 SMP"), record;
        struct fixture *f = *state;

        object.identity.kind = KEXT_BPF;
        assert_int_equal(add(f, "copy", 'a', "6.1 SMP", &record), 0);
        assert_int_equal(store_extension_add(f->store, &object, &record, NULL), -EEXIST);
        (void)snprintf(object.identity.name, sizeof(object.identity.name), "drop");
        assert_int_equal(store_extension_add(f->store, &object, &record, NULL), 0);
        assert_int_equal(record.identity.kind, KEXT_BPF);
        assert_int_equal(store_extension_add(f->store, &module, &record, NULL), -EEXIST);
        assert_is(f, 'a', 1, KEXT_CURRENT);
        assert_is(f, 'b', 1, KEXT_CURRENT);
}

static void an_old_one_that_is_registered_again_is_the_newest(void **state)
{
        struct kext_record record;
        struct fixture *f = *state;

        assert_int_equal(add(f, "copy", 'a', "6.1 SMP", &record), 0);
        assert_int_equal(add(f, "copy", 'b', "6.1 SMP", &record), 0);
        assert_int_equal(add(f, "copy", 'a', "6.1 SMP", &record), 0);
        assert_int_equal(record.generation, 3);
        assert_is(f, 'a', 3, KEXT_CURRENT);
        assert_is(f, 'b', 2, KEXT_SUPERSEDED);
        assert_int_equal(store_extension_supersede(f->store, record.identity.sha256, NULL), 0);
        assert_is(f, 'a', 3, KEXT_SUPERSEDED);
}

static bool is_previous(struct fixture *f, char digit)
{
        const struct kext_record asked = sample("x", digit, "");
        struct kext_record record;

        assert_int_equal(store_extension_find(f->store, asked.identity.sha256, &record, NULL), 0);
        return record.previous;
}

static void the_newest_superseded_one_before_a_current_one_is_the_previous(void **state)
{
        struct kext_record record;
        struct fixture *f = *state;

        assert_int_equal(add(f, "copy", 'a', "6.1 SMP", &record), 0);
        assert_int_equal(add(f, "copy", 'b', "6.1 SMP", &record), 0);
        assert_true(is_previous(f, 'a'));
        assert_int_equal(add(f, "copy", 'c', "6.1 SMP", &record), 0);
        assert_false(is_previous(f, 'a'));
        assert_true(is_previous(f, 'b'));
        assert_false(is_previous(f, 'c'));
        assert_int_equal(store_extension_supersede(f->store, record.identity.sha256, NULL), 0);
        assert_false(is_previous(f, 'b'));
        assert_false(is_previous(f, 'c'));
}

static void what_was_revoked_is_never_registered_again(void **state)
{
        const struct kext_record never = sample("never", 'f', "6.1 SMP");
        struct kext_record record;
        struct fixture *f = *state;

        assert_int_equal(add(f, "copy", 'a', "6.1 SMP", &record), 0);
        assert_int_equal(store_extension_revoke(f->store, record.identity.sha256, NULL), 0);
        assert_int_equal(store_extension_revoke(f->store, record.identity.sha256, NULL), 0);
        assert_int_equal(store_extension_revoke(f->store, never.identity.sha256, NULL), 0);
        reopen(f);
        assert_is(f, 'a', 1, KEXT_REVOKED);
        assert_int_equal(add(f, "copy", 'a', "6.1 SMP", &record), -EPERM);
        assert_int_equal(add(f, "never", 'f', "6.1 SMP", &record), -EPERM);
        assert_int_equal(add(f, "copy", 'b', "6.1 SMP", &record), 0);
        assert_is(f, 'b', 2, KEXT_CURRENT);
}

/* A compressed one of that digit, which unpacks to what has the other digit. */
static int add_packed(struct fixture *f, char digit, char plain, struct kext_record *ret)
{
        struct kext_record record = sample("copy", digit, "6.1 SMP");

        if (plain)
                memset(record.identity.plain, plain, KEXT_SHA256_LENGTH);
        return store_extension_add(f->store, &record, ret, NULL);
}

/* "b 2 CURRENT": whose the bytes of that digit are. */
static void assert_matches(struct fixture *f, char digit, char whose, uint32_t generation, enum kext_state state)
{
        const struct kext_record asked = sample("x", digit, "");
        struct kext_record record;

        assert_int_equal(store_extension_match(f->store, asked.identity.sha256, &record, NULL), 0);
        assert_int_equal(record.identity.sha256[0], whose);
        assert_int_equal(record.generation, generation);
        assert_int_equal(record.state, state);
}

static void what_one_unpacks_to_is_that_one(void **state)
{
        const struct kext_record plain = sample("x", 'p', "");
        struct kext_record record;
        struct fixture *f = *state;

        assert_int_equal(add_packed(f, 'a', 'p', &record), 0);
        assert_int_equal(record.identity.plain[0], 'p');
        reopen(f);
        assert_matches(f, 'a', 'a', 1, KEXT_CURRENT);
        assert_matches(f, 'p', 'a', 1, KEXT_CURRENT);
        assert_int_equal(store_extension_find(f->store, plain.identity.sha256, &record, NULL), -ENOENT);
        assert_int_equal(store_extension_match(f->store, "", &record, NULL), -ENOENT);
        assert_int_equal(add(f, "copy", 'p', "6.1 SMP", &record), 0); /* and by itself */
        assert_matches(f, 'p', 'p', 2, KEXT_CURRENT);
        assert_int_equal(add_packed(f, 'b', 'p', &record), 0); /* packed otherwise */
        assert_matches(f, 'p', 'b', 3, KEXT_CURRENT);
        assert_matches(f, 'a', 'a', 1, KEXT_SUPERSEDED);
        assert_int_equal(add_packed(f, 'c', 'q', &record), 0);
        assert_matches(f, 'p', 'b', 3, KEXT_SUPERSEDED);
}

static void what_it_unpacks_to_is_kept_when_it_is_registered_again(void **state)
{
        struct kext_record record;
        struct fixture *f = *state;

        assert_int_equal(add_packed(f, 'a', '\0', &record), 0); /* by an older croftd */
        assert_int_equal(add_packed(f, 'a', 'p', &record), 0);
        assert_int_equal(record.generation, 1);
        assert_int_equal(record.identity.plain[0], 'p');
        assert_matches(f, 'p', 'a', 1, KEXT_CURRENT);
}

static void whether_it_takes_majors_is_known_when_it_is_registered_again(void **state)
{
        struct kext_record record = sample("copy", 'a', "6.1 SMP"), found;
        struct fixture *f = *state;

        record.identity.takes_major = true; /* as one of an older croftd is taken to */
        assert_int_equal(store_extension_add(f->store, &record, &found, NULL), 0);
        assert_int_equal(store_extension_find(f->store, record.identity.sha256, &found, NULL), 0);
        assert_true(found.identity.takes_major);
        record.identity.takes_major = false;
        assert_int_equal(store_extension_add(f->store, &record, &found, NULL), 0);
        assert_false(found.identity.takes_major);
        assert_int_equal(store_extension_find(f->store, record.identity.sha256, &found, NULL), 0);
        assert_false(found.identity.takes_major);
}

static void it_is_revoked_in_every_form(void **state)
{
        struct kext_record record;
        struct fixture *f = *state;

        assert_int_equal(add(f, "copy", 'p', "6.1 SMP", &record), 0);
        assert_int_equal(add_packed(f, 'a', 'p', &record), 0);
        assert_int_equal(store_extension_revoke(f->store, record.identity.sha256, NULL), 0);
        reopen(f);
        assert_is(f, 'a', 2, KEXT_REVOKED);
        assert_is(f, 'p', 1, KEXT_REVOKED);
        assert_int_equal(add(f, "copy", 'p', "6.1 SMP", &record), -EPERM);
        assert_int_equal(add_packed(f, 'b', 'p', &record), -EPERM);
        assert_int_equal(add_packed(f, 'b', 'q', &record), 0);
        assert_matches(f, 'q', 'b', 3, KEXT_CURRENT);
        assert_int_equal(store_extension_revoke(f->store, record.identity.plain, NULL), 0); /* of a list beside it */
        assert_is(f, 'b', 3, KEXT_REVOKED);
}

static void they_are_listed_in_order(void **state)
{
        _cleanup_free_ struct kext_record *list = NULL;
        struct kext_record record;
        struct fixture *f = *state;
        size_t n = 0;

        assert_int_equal(store_extensions(f->store, &list, &n, NULL), 0);
        assert_int_equal(n, 0);
        assert_int_equal(add(f, "zfs", '0', "6.1 SMP", &record), 0);
        assert_int_equal(add(f, "copy", '1', "6.1 SMP", &record), 0);
        assert_int_equal(add(f, "copy", '2', "6.1 SMP", &record), 0);
        assert_int_equal(store_extensions(f->store, &list, &n, NULL), 0);
        assert_int_equal(n, 3);
        for (size_t i = 0; i < n; i++)
                assert_int_equal(list[i].identity.sha256[0], "120"[i]);
}

static uint64_t make_partition(struct fixture *f, const char *name)
{
        struct partition_def def = {.created = 1700000000};

        (void)snprintf(def.name, sizeof(def.name), "%s", name);
        assert_int_equal(store_create(f->store, &def, NULL), 0);
        assert_int_equal(store_create_done(f->store, def.id, NULL), 0);
        return def.id;
}

static size_t count_grants(struct fixture *f, uint64_t id, struct kext_grant *ret_first)
{
        _cleanup_free_ struct kext_grant *list = NULL;
        size_t n = 0;

        assert_int_equal(store_grants(f->store, id, &list, &n, NULL), 0);
        if (n > 0 && ret_first)
                *ret_first = list[0];
        return n;
}

static void grants_are_a_partitions_and_go_with_it(void **state)
{
        const struct kext_grant brd = {.name = "brd",
                                        .local = true,
                                        .previous = true,
                                        .major = true,
                                        .parameters = "a,b=1",
                                        .granted = 1700000000},
                                all = {.name = KEXT_ALL, .granted = 1};
        struct fixture *f = *state;
        uint64_t web = make_partition(f, "web"), db = make_partition(f, "db");
        struct kext_grant first;

        assert_int_equal(store_grant(f->store, web, &brd, NULL), 0);
        assert_int_equal(store_grant(f->store, web, &brd, NULL), 0);
        assert_int_equal(store_grant(f->store, db, &all, NULL), 0);
        assert_true(store_grant(f->store, 4711, &all, NULL) < 0);
        reopen(f);
        assert_int_equal(count_grants(f, web, &first), 1);
        assert_memory_equal(&first, &brd, sizeof(brd));
        assert_int_equal(count_grants(f, db, &first), 1);
        assert_string_equal(first.name, KEXT_ALL);
        assert_int_equal(store_ungrant(f->store, web, KEXT_ALL, NULL), -ENOENT);
        assert_int_equal(store_ungrant(f->store, db, KEXT_ALL, NULL), 0);
        assert_int_equal(count_grants(f, db, NULL), 0);
        assert_int_equal(store_forget(f->store, web, NULL), 0);
        assert_int_equal(count_grants(f, web, NULL), 0);
}

static void what_a_scan_has_found_goes_with_its_partition(void **state)
{
        const struct kext_finding two[] = {
                {.path = "/a\xff.ko", .sha256 = "00", .size = 3, .application = "app", .configured = "/etc/modules"},
                {.path = "/b.ko", .oddity = "a FIFO"}};
        struct fixture *f = *state;
        uint64_t web = make_partition(f, "web");

        for (int i = 0; i < 3; i++) { /* never scanned; two found; replaced by nothing */
                _cleanup_free_ struct kext_finding *list = NULL;
                struct kext_scan_record record = {
                        .partition = web, .time = 1700000000 + i, .reason = KEXT_SCAN_PACKAGES, .stamp = "ab"};
                size_t n = 9;

                if (i > 0)
                        assert_int_equal(store_scan_set(f->store, &record, two, i == 1 ? 2 : 0, NULL), 0);
                reopen(f);
                assert_int_equal(store_scan(f->store, web, &record, &list, &n, NULL), 0);
                assert_int_equal(record.partition, web);
                assert_int_equal(record.time, i > 0 ? 1700000000 + i : 0);
                assert_int_equal(record.number, i); /* counted on by the next croftd */
                assert_int_equal(record.found, n);
                assert_int_equal(record.reason, i > 0 ? KEXT_SCAN_PACKAGES : 0);
                assert_string_equal(record.stamp, i > 0 ? "ab" : "");
                assert_int_equal(n, i == 1 ? 2 : 0);
                assert_true(n == 0 || memcmp(list, two, sizeof(two)) == 0);
        }
        assert_int_equal(store_forget(f->store, web, NULL), 0);
}

static void scans_of_all_are_numbered_and_listed(void **state)
{
        struct fixture *f = *state;
        uint64_t ids[] = {make_partition(f, "web"), make_partition(f, "db")};
        _cleanup_free_ struct kext_scan_record *list = NULL;
        size_t n = 0;

        for (int i = 0; i < 4; i++) {
                struct kext_scan_record record = {.partition = ids[i % 2], .time = i, .reason = KEXT_SCAN_REQUEST};

                assert_int_equal(store_scan_set(f->store, &record, NULL, 0, NULL), 0);
                assert_int_equal(record.number, i + 1);
        }
        assert_int_equal(store_scans(f->store, &list, &n, NULL), 0);
        assert_int_equal(n, 2);
        assert_int_equal(list[0].partition, ids[0]);
        assert_int_equal(list[0].number, 3);
        assert_int_equal(list[1].number, 4);
}

#define WITH_STORE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                WITH_STORE(what_is_registered_comes_back_as_it_was),
                WITH_STORE(a_newer_one_supersedes_that_of_its_kernel),
                WITH_STORE(a_name_is_of_one_kind),
                WITH_STORE(an_old_one_that_is_registered_again_is_the_newest),
                WITH_STORE(the_newest_superseded_one_before_a_current_one_is_the_previous),
                WITH_STORE(what_was_revoked_is_never_registered_again),
                WITH_STORE(what_one_unpacks_to_is_that_one),
                WITH_STORE(what_it_unpacks_to_is_kept_when_it_is_registered_again),
                WITH_STORE(whether_it_takes_majors_is_known_when_it_is_registered_again),
                WITH_STORE(it_is_revoked_in_every_form),
                WITH_STORE(they_are_listed_in_order),
                WITH_STORE(grants_are_a_partitions_and_go_with_it),
                WITH_STORE(what_a_scan_has_found_goes_with_its_partition),
                WITH_STORE(scans_of_all_are_numbered_and_listed),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
