/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_store.c - the database of croftd: ids, ranges, journal, and what is left after kill -9, damage and a full disk.
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "daemon/store.h"
#include "partition/property.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

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
        assert_true(f->dir >= 0);
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

static int reopen(struct fixture *f, struct croft_error *err)
{
        f->store = store_close(f->store);
        return store_open(f->dir, &f->store, err);
}

/* SQL from outside, as a person with the sqlite3 program would. */
static void meddle(struct fixture *f, const char *sql)
{
        char path[96];
        sqlite3 *db = NULL;

        (void)snprintf(path, sizeof(path), "%s/croft.db", f->path);
        assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
        assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
        assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static uint64_t create(struct store *store, const char *name)
{
        struct partition_def def = {.created = 1, .image = "abc"};

        (void)snprintf(def.name, sizeof(def.name), "%s", name);
        assert_int_equal(store_create(store, &def, NULL), 0);
        assert_int_equal(store_create_done(store, def.id, NULL), 0);
        return def.id;
}

struct found {
        size_t n, n_half, n_operations;
        struct store_entry last;
        uint32_t last_base;
        uint64_t last_id;
};

static int collect(struct store_entry *entry, void *context)
{
        struct found *found = context;

        assert_true(entry->def.id > found->last_id);
        found->last_id = entry->def.id;
        found->n++;
        found->n_half += entry->half_made;
        found->n_operations += entry->operation.name[0] != '\0';
        assert_int_equal(entry->half_made, strcmp(entry->operation.name, "create") == 0);
        partition_def_done(&found->last.def);
        found->last = *entry;
        entry->def.properties = NULL;
        return 0;
}

static struct found find_all(struct store *store)
{
        struct found found = {.n = 0};

        assert_int_equal(store_each(store, collect, &found, NULL), 0);
        return found;
}

static void ids_are_never_given_again(void **state)
{
        struct fixture *f = *state;
        uint64_t first = create(f->store, "a"), second;

        assert_int_equal(store_forget(f->store, first, NULL), 0);
        second = create(f->store, "a");
        assert_true(second > first);
        assert_int_equal(store_forget(f->store, second, NULL), 0);
        assert_int_equal(reopen(f, NULL), 0);
        assert_true(create(f->store, "a") > second);
}

static void a_skipped_id_is_not_given(void **state)
{
        struct fixture *f = *state;

        assert_int_equal(store_skip_id(f->store, 41, NULL), 0);
        assert_int_equal(store_skip_id(f->store, 7, NULL), 0);
        assert_int_equal(reopen(f, NULL), 0);
        assert_int_equal(create(f->store, "a"), 42);
        assert_int_equal(store_skip_id(f->store, UINT64_MAX, NULL), -ERANGE);
}

static void what_another_version_set_keeps_no_croftd_from_starting(void **state)
{
        struct fixture *f = *state;
        struct found found;

        (void)create(f->store, "a");
        f->store = store_close(f->store);
        meddle(f, "INSERT INTO property VALUES (1, 'of.tomorrow', 'x'), (1, 'pids.max', 'many')");
        assert_int_equal(store_open(f->dir, &f->store, NULL), 0);
        found = find_all(f->store);
        assert_string_equal(property_get(found.last.def.properties, "of.tomorrow"), "x");
        assert_string_equal(property_get(found.last.def.properties, "pids.max"), "many");
        partition_def_done(&found.last.def);
}

static void the_tag_stays_with_the_state(void **state)
{
        struct fixture *f = *state;
        char tag[9];

        (void)snprintf(tag, sizeof(tag), "%s", store_tag(f->store));
        assert_int_equal(strspn(tag, "0123456789abcdef"), 8);
        assert_int_equal(reopen(f, NULL), 0);
        assert_string_equal(store_tag(f->store), tag);
}

static void ranges_of_user_ids_are_disjoint_and_come_back_after_removal(void **state)
{
        struct fixture *f = *state;
        static uint64_t used[PARTITION_RANGES];
        struct croft_error err = CROFT_ERROR_INIT;
        struct partition_def def = {.image = "x"};
        size_t n = 0;
        int r;

        memset(used, 0, sizeof(used));
        for (;;) {
                (void)snprintf(def.name, sizeof(def.name), "p%zu", n);
                r = store_create(f->store, &def, &err);
                if (r < 0)
                        break;
                assert_int_equal((def.uid_base - PARTITION_UID_FIRST) % PARTITION_IDS, 0);
                assert_true(def.uid_base >= PARTITION_UID_FIRST);
                assert_true((def.uid_base - PARTITION_UID_FIRST) / PARTITION_IDS < PARTITION_RANGES);
                assert_int_equal(used[(def.uid_base - PARTITION_UID_FIRST) / PARTITION_IDS], 0);
                used[(def.uid_base - PARTITION_UID_FIRST) / PARTITION_IDS] = def.id;
                n++;
        }
        assert_int_equal(r, -EUSERS);
        assert_int_equal(croft_error_exit(&err), CROFT_EXIT_EXHAUSTED);
        assert_true(n > 0 && n <= PARTITION_RANGES);
        for (size_t i = 0; i < PARTITION_RANGES; i++)
                if (used[i] == 5) {
                        assert_int_equal(store_forget(f->store, 5, NULL), 0);
                        assert_int_equal(store_create(f->store, &def, NULL), 0);
                        assert_int_equal(def.uid_base, PARTITION_UID_FIRST + i * PARTITION_IDS);
                }
}

static void a_definition_comes_back_as_it_was(void **state)
{
        struct fixture *f = *state;
        struct partition_def def = {.name = "web", .image = "abc", .native = true, .created = 1700000000};
        struct found found;

        assert_int_equal(property_set(&def.properties, "memory.max", "64M", NULL), 0);
        assert_int_equal(property_set(&def.properties, "env.A", "two\nlines", NULL), 0);
        assert_int_equal(store_create(f->store, &def, NULL), 0);
        assert_int_equal(store_create_done(f->store, def.id, NULL), 0);
        partition_def_done(&def);
        assert_int_equal(reopen(f, NULL), 0);
        found = find_all(f->store);
        assert_int_equal(found.n, 1);
        assert_int_equal(found.n_half, 0);
        assert_string_equal(found.last.def.name, "web");
        assert_string_equal(found.last.def.image, "abc");
        assert_true(found.last.def.native);
        assert_int_equal(found.last.def.uid_base, def.uid_base);
        assert_int_equal(found.last.def.created, 1700000000);
        assert_string_equal(property_get(found.last.def.properties, "memory.max"), "67108864");
        assert_string_equal(property_get(found.last.def.properties, "env.A"), "two\nlines");
        assert_int_equal(found.last.run.state, PARTITION_DEFINED);
        partition_def_done(&found.last.def);
}

static void a_name_is_given_once(void **state)
{
        struct fixture *f = *state;
        struct croft_error err = CROFT_ERROR_INIT;
        uint64_t a = create(f->store, "a"), b = create(f->store, "b");

        assert_int_equal(store_rename(f->store, a, "b", &err), -EEXIST);
        assert_string_equal(croft_error_cause(&err, 0), "there is a partition 'b' already");
        assert_int_equal(store_rename(f->store, b, "c", NULL), 0);
        assert_int_equal(store_rename(f->store, a, "b", NULL), 0);
}

static void an_interrupted_operation_is_found(void **state)
{
        struct fixture *f = *state;
        uint64_t id = create(f->store, "a");
        struct store_journal j;
        struct found found;

        store_journal_init(&j, f->store, id, NULL);
        assert_int_equal(j.steps.begin(j.steps.journal, "start", NULL), 0);
        found = find_all(f->store);
        assert_string_equal(found.last.operation.name, "start");
        assert_int_equal(reopen(f, NULL), 0);
        found = find_all(f->store);
        assert_string_equal(found.last.operation.name, "start");
}

static void the_end_of_an_operation_records_the_run_with_it(void **state)
{
        struct fixture *f = *state;
        uint64_t id = create(f->store, "a");
        struct store_run run = {.state = PARTITION_ACTIVE,
                .pid = 12,
                .start_time = 34,
                .warden_pid = 56,
                .warden_start_time = 78,
                .started = 90,
                .exit_status = -1};
        struct store_journal j;
        struct found found;

        store_journal_init(&j, f->store, id, &run);
        assert_int_equal(j.steps.begin(j.steps.journal, "start", NULL), 0);
        assert_int_equal(j.steps.end(j.steps.journal, NULL), 0);
        assert_int_equal(reopen(f, NULL), 0);
        found = find_all(f->store);
        assert_int_equal(found.n_operations, 0);
        assert_true(found.last.run.this_boot);
        assert_int_equal(found.last.run.state, PARTITION_ACTIVE);
        assert_int_equal(found.last.run.pid, 12);
        assert_int_equal(found.last.run.start_time, 34);
        assert_int_equal(found.last.run.warden_pid, 56);
        assert_int_equal(found.last.run.warden_start_time, 78);
        assert_int_equal(found.last.run.started, 90);
        assert_int_equal(found.last.run.exit_status, -1);
}

static void runs_of_another_boot_are_not_believed(void **state)
{
        struct fixture *f = *state;
        uint64_t id = create(f->store, "a");
        struct store_run run = {.state = PARTITION_ACTIVE, .pid = 12, .start_time = 34, .exit_status = -1};
        struct found found;

        assert_int_equal(store_set_run(f->store, id, &run, NULL), 0);
        assert_int_equal(reopen(f, NULL), 0);
        assert_false(store_is_new_boot(f->store));
        f->store = store_close(f->store);
        meddle(f, "UPDATE run SET boot_id = 'other'; UPDATE meta SET value = 'other' WHERE key = 'boot-id'");
        assert_int_equal(store_open(f->dir, &f->store, NULL), 0);
        assert_true(store_is_new_boot(f->store));
        found = find_all(f->store);
        assert_false(found.last.run.this_boot);
        assert_int_equal(found.last.run.state, PARTITION_DEFINED);
        assert_int_equal(found.last.run.pid, 0);
}

static void properties_are_replaced_as_one(void **state)
{
        struct fixture *f = *state;
        uint64_t id = create(f->store, "a");
        struct property *list = NULL, twice;
        struct found found;

        assert_int_equal(property_set(&list, "pids.max", "10", NULL), 0);
        assert_int_equal(store_set_properties(f->store, id, list, NULL), 0);
        twice = *list; /* the same key again breaks the second half of the transaction */
        twice.next = list;
        assert_true(store_set_properties(f->store, id, &twice, NULL) < 0);
        found = find_all(f->store);
        assert_string_equal(property_get(found.last.def.properties, "pids.max"), "10");
        partition_def_done(&found.last.def);
        assert_int_equal(store_set_properties(f->store, id, NULL, NULL), 0);
        found = find_all(f->store);
        assert_null(found.last.def.properties);
        property_free(list);
}

static void notices_are_told_once_and_in_order(void **state)
{
        struct fixture *f = *state;
        char *text;

        assert_null(store_take_notice(f->store));
        assert_int_equal(store_add_notice(f->store, "one", NULL), 0);
        assert_int_equal(store_add_notice(f->store, "two", NULL), 0);
        assert_int_equal(reopen(f, NULL), 0);
        text = store_take_notice(f->store);
        assert_string_equal(text, "one");
        free(text);
        text = store_take_notice(f->store);
        assert_string_equal(text, "two");
        free(text);
        assert_null(store_take_notice(f->store));
}

static void *create_many(void *context)
{
        struct fixture *f = context;

        for (int i = 0; i < 25; i++) {
                struct partition_def def = {.image = "x"};

                (void)snprintf(def.name, sizeof(def.name), "t%jx-%d", (uintmax_t)pthread_self(), i);
                assert_int_equal(store_create(f->store, &def, NULL), 0);
                if (i % 5 == 0)
                        assert_int_equal(store_forget(f->store, def.id, NULL), 0);
        }
        return NULL;
}

static void threads_share_the_store(void **state)
{
        struct fixture *f = *state;
        pthread_t threads[4];
        struct found found;

        for (size_t i = 0; i < ELEMENTS(threads); i++)
                assert_int_equal(pthread_create(&threads[i], NULL, create_many, f), 0);
        for (size_t i = 0; i < ELEMENTS(threads); i++)
                assert_int_equal(pthread_join(threads[i], NULL), 0);
        found = find_all(f->store); /* collect() sees that ids rise */
        assert_int_equal(found.n, 4 * 20);
        assert_int_equal(store_next_id(f->store), 101);
}

/* Creates and removes until it is killed; tells each thing that is durable. */
static void work_until_killed(int dir, int out)
{
        struct store *store = NULL;

        if (store_open(dir, &store, NULL) < 0)
                _exit(1);
        for (unsigned int i = 0;; i++) {
                struct partition_def def = {.image = "x"};

                (void)snprintf(def.name, sizeof(def.name), "p%u", i);
                if (store_create(store, &def, NULL) < 0 || store_create_done(store, def.id, NULL) < 0 ||
                        write(out, &def.id, sizeof(def.id)) != sizeof(def.id))
                        _exit(1);
        }
}

static void what_was_told_as_done_survives_kill_9(void **state)
{
        struct fixture *f = *state;

        for (unsigned int round = 1; round <= 5; round++) {
                uint64_t id = 0;
                struct found found;
                int pipe_fds[2], status;
                pid_t pid;

                f->store = store_close(f->store);
                assert_int_equal(fd_remove_tree(f->dir, "croft.db", NULL), 0);
                assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
                pid = fork();
                assert_true(pid >= 0);
                if (pid == 0)
                        work_until_killed(f->dir, pipe_fds[1]);
                close_fd(pipe_fds[1]);
                for (unsigned int i = 0; i < round * 7; i++)
                        assert_int_equal(read(pipe_fds[0], &id, sizeof(id)), sizeof(id));
                assert_int_equal(kill(pid, SIGKILL), 0);
                assert_int_equal(waitpid(pid, &status, 0), pid);
                assert_true(WIFSIGNALED(status));
                close_fd(pipe_fds[0]);
                assert_int_equal(store_open(f->dir, &f->store, NULL), 0);
                found = find_all(f->store);
                assert_true(found.n - found.n_half >= round * 7);
                assert_true(found.n_half <= 1);
                assert_true(store_next_id(f->store) > found.last_id);
        }
}

/* Writes until it fails.  1: it never did. */
static int write_until_it_fails(struct store *store, struct croft_error *err)
{
        struct partition_def def = {.image = "x"};
        char text[3000];
        int r = 0;

        memset(text, 'x', sizeof(text) - 1);
        text[sizeof(text) - 1] = '\0';
        for (unsigned int i = 0; i < 100000 && r == 0; i++) {
                (void)snprintf(def.name, sizeof(def.name), "p%u", i);
                r = store_create(store, &def, err);
                if (r == 0)
                        r = store_forget(store, def.id, err);
                if (r == 0)
                        r = store_add_notice(store, text, err);
        }
        return r == 0 ? 1 : r;
}

/* To the last byte. */
static int fill_rest(int dir)
{
        static const char block[4096];
        int fd = openat(dir, "fill", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

        if (fd < 0)
                return -errno;
        while (write(fd, block, sizeof(block)) > 0)
                ;
        while (write(fd, block, 1) > 0)
                ;
        close_fd(fd);
        return 0;
}

/* What a stop writes, many times. */
static bool can_stop(struct store *store)
{
        struct store_run run = {.state = PARTITION_DEFINED, .exit_status = -1};
        struct store_journal j;
        bool ok = true;

        store_journal_init(&j, store, 1, &run);
        for (int i = 0; i < 200 && ok; i++)
                ok = j.steps.begin(&j, "stop", NULL) == 0 && j.steps.end(&j, NULL) == 0;
        return ok;
}

/* In a child: a tiny file system of its own at path. */
static int mount_tiny(const char *path)
{
        if (unshare(CLONE_NEWNS) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
                return -errno;
        if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 || mount("none", path, "tmpfs", 0, "size=6m") < 0)
                return -errno;
        return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* 0 when all went as it should. */
static int fill_by_itself(int dir)
{
        struct croft_error err = CROFT_ERROR_INIT;
        struct store *store = NULL;
        struct found found;

        if (store_open(dir, &store, NULL) < 0)
                return 2;
        if (write_until_it_fails(store, &err) != -ENOSPC || croft_error_exit(&err) != CROFT_EXIT_EXHAUSTED)
                return 3;
        found = find_all(store); /* still whole */
        store_close(store);
        if (found.n > 1 || store_open(dir, &store, NULL) < 0)
                return 4;
        found = find_all(store);
        store_close(store);
        return found.n > 1 ? 5 : 0;
}

/* Somebody else takes all the room: 0 when stops can be recorded none the less, after a new start, too. */
static int filled_by_others(int dir)
{
        struct store *store = NULL;

        if (store_open(dir, &store, NULL) < 0 || create(store, "evil") != 1)
                return 2;
        if (fill_rest(dir) < 0 || !can_stop(store))
                return 3;
        store_close(store);
        if (store_open(dir, &store, NULL) < 0)
                return 4;
        if (find_all(store).n != 1 || !can_stop(store))
                return 5;
        store_close(store);
        return 0;
}

static int status_in_tiny(const char *path, int (*f)(int dir))
{
        pid_t pid = fork();
        int status, dir;

        assert_true(pid >= 0);
        if (pid == 0) {
                dir = mount_tiny(path);
                _exit(dir < 0 ? 1 : f(dir));
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        return status;
}

static void a_full_disk_is_told_and_nothing_is_damaged(void **state)
{
        struct fixture *f = *state;

        assert_int_equal(status_in_tiny(f->path, fill_by_itself), 0);
}

static void a_disk_that_others_filled_keeps_nobody_from_stopping(void **state)
{
        struct fixture *f = *state;

        assert_int_equal(status_in_tiny(f->path, filled_by_others), 0);
}

static void read_db(struct fixture *f, char **ret, size_t *ret_size)
{
        assert_int_equal(fd_read_file(f->dir, "croft.db", 64 * 1024 * 1024, ret, ret_size), 0);
}

static void a_damaged_database_is_refused_and_left_alone(void **state)
{
        struct fixture *f = *state;
        static const char *const wrong[] = {"this is no database at all, but long enough for a header of one, which "
                                            "has a hundred bytes; so here are more.",
                NULL};
        char *before, *after;
        size_t size, size_after;

        for (unsigned int i = 0; i < 60; i++) {
                char name[16];

                (void)snprintf(name, sizeof(name), "p%u", i);
                (void)create(f->store, name);
        }
        f->store = store_close(f->store);
        read_db(f, &before, &size);
        for (int round = 0; round < 2; round++) {
                struct croft_error err = CROFT_ERROR_INIT;
                int fd = openat(f->dir, "croft.db", O_WRONLY | O_CLOEXEC | (wrong[round] ? O_TRUNC : 0));

                free(before);
                if (wrong[round])
                        assert_int_equal(fd_write_all(fd, wrong[round], strlen(wrong[round])), 0);
                else
                        for (off_t at = 4096; at < (off_t)size; at += 4096) /* every page but the first */
                                assert_int_equal(pwrite(fd, "\xff\xff\xff\xff\xff\xff\xff\xff", 8, at), 8);
                close_fd(fd);
                read_db(f, &before, &size);
                assert_int_equal(store_open(f->dir, &f->store, &err), -EUCLEAN);
                assert_int_equal(croft_error_exit(&err), CROFT_EXIT_BROKEN);
                assert_non_null(strstr(croft_error_cause(&err, 0), "Restore it from a copy"));
                read_db(f, &after, &size_after);
                assert_int_equal(size, size_after);
                assert_memory_equal(before, after, size);
                free(after);
                if (round == 0) { /* a good one again, for the second kind of damage */
                        assert_int_equal(unlinkat(f->dir, "croft.db", 0), 0);
                        assert_int_equal(store_open(f->dir, &f->store, NULL), 0);
                        for (unsigned int i = 0; i < 60; i++)
                                assert_int_equal(store_add_notice(f->store, "text", NULL), 0);
                        f->store = store_close(f->store);
                        free(before);
                        read_db(f, &before, &size);
                }
        }
        free(before);
}

static void a_missing_database_beside_partitions_is_not_made_anew(void **state)
{
        struct fixture *f = *state;
        struct croft_error err = CROFT_ERROR_INIT;

        f->store = store_close(f->store);
        assert_int_equal(unlinkat(f->dir, "croft.db", 0), 0);
        assert_int_equal(fd_make_dirs(f->dir, "partitions/3", 0700, NULL), 0);
        assert_int_equal(store_open(f->dir, &f->store, &err), -EUCLEAN);
        assert_non_null(strstr(croft_error_cause(&err, 0), "croft.db is missing"));
        assert_int_equal(faccessat(f->dir, "croft.db", F_OK, 0), -1);
}

static void a_database_of_a_newer_croft_is_refused(void **state)
{
        struct fixture *f = *state;
        struct croft_error err = CROFT_ERROR_INIT;

        f->store = store_close(f->store);
        meddle(f, "PRAGMA user_version = 1000");
        assert_int_equal(store_open(f->dir, &f->store, &err), -EPROTO);
        assert_non_null(strstr(croft_error_cause(&err, 0), "newer croft"));
}

static void a_database_of_another_program_is_refused(void **state)
{
        struct fixture *f = *state;

        f->store = store_close(f->store);
        meddle(f, "PRAGMA application_id = 7");
        assert_int_equal(store_open(f->dir, &f->store, NULL), -EUCLEAN);
}

/* --- pools --- */

static void put_pool(struct pools *pools, const char *name, const char *cpus)
{
        struct cpus set;

        assert_true(cpus_parse(cpus, &set));
        assert_int_equal(pools_put(pools, name, &set), 0);
}

static void pools_come_back_as_they_were(void **state)
{
        _cleanup_(pools_done) struct pools pools = {.list = NULL}, back = {.list = NULL};
        struct store_pool_journal journal;
        struct fixture *f = *state;

        assert_int_equal(store_pools(f->store, &back, NULL), 0);
        assert_int_equal(back.n, 0);
        put_pool(&pools, "fast", "0-3,8");
        put_pool(&pools, "empty", "");
        store_pool_journal_init(&journal, f->store, "fast", &pools);
        assert_int_equal(journal.steps.begin(&journal, "pool-create", NULL), 0);
        assert_int_equal(journal.steps.end(&journal, NULL), 0);
        assert_int_equal(reopen(f, NULL), 0);
        assert_int_equal(store_pools(f->store, &back, NULL), 0);
        assert_int_equal(back.n, 2);
        assert_string_equal(back.list[0].name, "empty");
        assert_true(cpus_is_empty(&back.list[0].cpus));
        assert_string_equal(back.list[1].name, "fast");
        assert_true(cpus_equal(&back.list[1].cpus, &pools.list[1].cpus));
}

static void an_interrupted_operation_on_pools_is_found_and_the_old_ones_stand(void **state)
{
        _cleanup_(pools_done) struct pools pools = {.list = NULL}, back = {.list = NULL};
        struct store_operation operation;
        struct store_pool_journal journal;
        char pool[NAME_LENGTH_MAX + 1];
        struct fixture *f = *state;

        put_pool(&pools, "fast", "1");
        store_pool_journal_init(&journal, f->store, "fast", &pools);
        assert_int_equal(journal.steps.begin(&journal, "pool-create", NULL), 0);
        assert_int_equal(reopen(f, NULL), 0);
        assert_int_equal(store_pool_operation(f->store, &operation, pool, NULL), 0);
        assert_string_equal(operation.name, "pool-create");
        assert_string_equal(pool, "fast");
        assert_int_equal(store_pools(f->store, &back, NULL), 0);
        assert_int_equal(back.n, 0);
        store_pool_journal_init(&journal, f->store, "fast", NULL);
        assert_int_equal(journal.steps.end(&journal, NULL), 0);
        assert_int_equal(store_pool_operation(f->store, &operation, pool, NULL), 0);
        assert_string_equal(operation.name, "");
        assert_int_equal(store_pools(f->store, &back, NULL), 0);
        assert_int_equal(back.n, 0);
}

static void a_pool_with_a_wrong_name_is_damage(void **state)
{
        _cleanup_(pools_done) struct pools pools = {.list = NULL};
        struct fixture *f = *state;

        f->store = store_close(f->store);
        meddle(f, "INSERT INTO pool VALUES ('../x', '0')");
        assert_int_equal(store_open(f->dir, &f->store, NULL), 0);
        assert_int_equal(store_pools(f->store, &pools, NULL), -EUCLEAN);
}

/* What an older croft left: the tables are added, what there is stays. */
static void a_database_from_before_pools_is_migrated(void **state)
{
        _cleanup_(pools_done) struct pools pools = {.list = NULL};
        struct fixture *f = *state;
        struct found found;
        char tag[16];

        (void)create(f->store, "a");
        (void)str_copy(tag, sizeof(tag), store_tag(f->store));
        f->store = store_close(f->store);
        meddle(f, "DROP TABLE pool; DROP TABLE pool_operation; DROP TABLE extension; DROP TABLE extension_revoked; "
                  "DROP TABLE extension_grant; DROP TABLE extension_loaded; DROP TABLE extension_holder; DROP TABLE "
                  "extension_scan; DROP TABLE extension_found; "
                  "DROP TABLE operation; CREATE TABLE operation (partition INTEGER PRIMARY KEY, name TEXT NOT NULL, "
                  "position INTEGER NOT NULL, step TEXT NOT NULL, done INTEGER NOT NULL);"
                  "INSERT INTO operation VALUES (1, 'start', 3, 'launch', 1);"
                  "PRAGMA user_version = 1");
        assert_int_equal(store_open(f->dir, &f->store, NULL), 0);
        assert_int_equal(store_pools(f->store, &pools, NULL), 0);
        assert_string_equal(store_tag(f->store), tag);
        found = find_all(f->store);
        assert_string_equal(found.last.operation.name, "start");
}

/* From before there were BPF objects: all were modules. */
static void loaded_modules_are_kept_by_migration(void **state)
{
        _cleanup_(kext_books_done) struct kext_books books = {.n_loaded = 0};
        struct fixture *f = *state;
        struct kext_record record;

        f->store = store_close(f->store);
        meddle(f, "DROP TABLE extension_loaded; CREATE TABLE extension_loaded (name TEXT PRIMARY KEY, sha256 TEXT NOT "
                  "NULL, state INTEGER NOT NULL, baseline INTEGER NOT NULL, since INTEGER NOT NULL) WITHOUT ROWID;"
                  "INSERT INTO extension_loaded VALUES ('brd', 'abc', 2, 1, 17);"
                  "DROP INDEX extension_plain; ALTER TABLE extension DROP COLUMN plain;"
                  "ALTER TABLE extension_scan DROP COLUMN number; ALTER TABLE extension_scan DROP COLUMN reason;"
                  "ALTER TABLE extension_scan DROP COLUMN stamp; ALTER TABLE extension_grant DROP COLUMN scan;"
                  "ALTER TABLE extension_found DROP COLUMN configured; ALTER TABLE extension DROP COLUMN takes_major;"
                  "ALTER TABLE extension_grant DROP COLUMN major;"
                  "INSERT INTO extension VALUES ('abc', 1, 1, 5, 'brd', '6.1', 1, 1, '6.1 SMP', '', '', '', '', '', "
                  "'', 1);"
                  "PRAGMA user_version = 9");
        assert_int_equal(store_open(f->dir, &f->store, NULL), 0);
        assert_int_equal(store_books(f->store, &books, NULL), 0);
        assert_int_equal(books.n_loaded, 1);
        assert_string_equal(books.loaded[0].name, "brd");
        assert_string_equal(books.loaded[0].sha256, "abc");
        assert_true(books.loaded[0].partition == 0 && books.loaded[0].state == KEXT_LOADED &&
                    books.loaded[0].baseline && books.loaded[0].since == 17);
        assert_int_equal(store_extension_find(f->store, "abc", &record, NULL), 0);
        assert_true(record.identity.takes_major); /* it isn't known */
}

#define WITH_STORE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                WITH_STORE(ids_are_never_given_again),
                WITH_STORE(a_skipped_id_is_not_given),
                WITH_STORE(what_another_version_set_keeps_no_croftd_from_starting),
                WITH_STORE(the_tag_stays_with_the_state),
                WITH_STORE(ranges_of_user_ids_are_disjoint_and_come_back_after_removal),
                WITH_STORE(a_definition_comes_back_as_it_was),
                WITH_STORE(a_name_is_given_once),
                WITH_STORE(an_interrupted_operation_is_found),
                WITH_STORE(the_end_of_an_operation_records_the_run_with_it),
                WITH_STORE(runs_of_another_boot_are_not_believed),
                WITH_STORE(properties_are_replaced_as_one),
                WITH_STORE(notices_are_told_once_and_in_order),
                WITH_STORE(threads_share_the_store),
                WITH_STORE(what_was_told_as_done_survives_kill_9),
                WITH_STORE(a_full_disk_is_told_and_nothing_is_damaged),
                WITH_STORE(a_disk_that_others_filled_keeps_nobody_from_stopping),
                WITH_STORE(a_damaged_database_is_refused_and_left_alone),
                WITH_STORE(a_missing_database_beside_partitions_is_not_made_anew),
                WITH_STORE(a_database_of_a_newer_croft_is_refused),
                WITH_STORE(a_database_of_another_program_is_refused),
                WITH_STORE(pools_come_back_as_they_were),
                WITH_STORE(an_interrupted_operation_on_pools_is_found_and_the_old_ones_stand),
                WITH_STORE(a_pool_with_a_wrong_name_is_damage),
                WITH_STORE(a_database_from_before_pools_is_migrated),
                WITH_STORE(loaded_modules_are_kept_by_migration),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
