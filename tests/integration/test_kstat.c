/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_kstat.c - statistics by key on a real kernel: who sees what, changes at one instant, what outlives whom.
 * where: here guest
 * cpus: several
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "kstat/catalogue.h"
#include "kstat/objects.h"
#include "kstat_kit.h"
#include "plane/plane_bpf.h"

#include <bpf/bpf.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- the tests ---- */

static void a_structure_answers_those_it_is_associated_with(void **state)
{
        const uint64_t both[] = {A, GLOBAL};
        uint64_t kid = make("mount", 7, 4711, both, 2);
        struct kstat_call call;

        (void)state;
        assert_int_equal(find_as("a", "mount", 7, "io", &call), 0);
        assert_int_equal(call.head.kid, kid);
        assert_int_equal(call.caller, A);
        assert_int_equal(first_word(&call), 4711);
        assert_true(call.head.snaptime >= call.head.crtime);
        assert_int_equal(find_as(NULL, "mount", 7, "io", &call), 0);
        assert_int_equal(first_word(&call), 4711);
}

/* KST-5, C-12 */
static void invisible_and_unknown_are_the_same_to_the_last_byte(void **state)
{
        const uint64_t both[] = {A, GLOBAL};
        struct kstat_call invisible, unknown;

        (void)state;
        (void)make("mount", 7, 4711, both, 2);
        assert_int_equal(find_as("b", "mount", 7, "io", &invisible), -ENXIO);
        assert_int_equal(find_as("b", "mount", 8, "io", &unknown), -ENXIO);
        unknown.key.instance = 7;
        assert_memory_equal(&invisible, &unknown, sizeof(invisible));
        for (size_t i = 0; i < sizeof(invisible.data); i++)
                assert_int_equal(invisible.data[i], 0);
}

static void a_kid_that_was_guessed_is_refused_as_one_that_is_not_there(void **state)
{
        const uint64_t only[] = {A};
        uint64_t kid = make("mount", 7, 4711, only, 1);
        struct kstat_call guessed = {.op = KSTAT_OP_READ, .kid = kid},
                          nothing = {.op = KSTAT_OP_READ, .kid = kid + 1000};

        (void)state;
        assert_int_equal(ask_as("b", AS_IS, &guessed), -ENXIO);
        assert_int_equal(ask_as("b", AS_IS, &nothing), -ENXIO);
        nothing.kid = kid;
        assert_memory_equal(&guessed, &nothing, sizeof(guessed));
}

/* KST-8 */
static void global_sees_no_private_structure_but_by_adding_the_partition(void **state)
{
        const uint64_t only[] = {A};
        struct kstat_call call = {.op = KSTAT_OP_FIND, .partition = A};

        (void)state;
        (void)make("private", 0, 1, only, 1);
        fill_key(&call, "private", 0, "io");
        assert_int_equal(ask_as(NULL, AS_IS, &call), 0);
        assert_int_equal(call.caller, A);
        assert_int_equal(find_as(NULL, "private", 0, "io", &call), -ENXIO);
        call = (struct kstat_call){.op = KSTAT_OP_CHAIN, .partition = 999};
        assert_int_equal(ask_as(NULL, AS_IS, &call), -ESRCH);
}

static void a_partition_that_names_another_is_refused(void **state)
{
        (void)state;
        for (uint64_t named = A; named <= B + 1; named++) {
                struct kstat_call call = {.op = KSTAT_OP_CHAIN, .partition = named};

                assert_int_equal(ask_as("a", AS_IS, &call), -EPERM);
        }
}

/* KST-10, KST-41 */
static void the_same_keys_lead_each_to_its_own(void **state)
{
        const uint64_t a[] = {A}, b[] = {B}, global[] = {GLOBAL};
        struct kstat_call call;

        (void)state;
        (void)make("net", 0, 1, a, 1);
        (void)make("net", 0, 2, b, 1);
        (void)make("net", 0, 3, global, 1);
        assert_int_equal(find_as("a", "net", 0, "io", &call), 0);
        assert_int_equal(first_word(&call), 1);
        assert_int_equal(find_as("b", "net", 0, "io", &call), 0);
        assert_int_equal(first_word(&call), 2);
        assert_int_equal(find_as(NULL, "net", 0, "io", &call), 0);
        assert_int_equal(first_word(&call), 3);
}

/* KST-23 */
static void keys_that_would_mean_two_things_are_refused_and_the_first_stays(void **state)
{
        const uint64_t a[] = {A}, two[] = {B, A}, all[] = {KSTAT_ALL};
        const uint64_t data[WORDS] = {0};
        struct kstat_def def = def_of("net", 0, "io", A, data), twice[] = {def, def};
        uint64_t kcid;
        struct kstat_call call;

        (void)state;
        (void)make("net", 0, 1, a, 1);
        kcid = kcid_as("b");
        assert_int_equal(kstats_create(kstats, &def, 1, two, 2, NULL, NULL), -EEXIST);
        assert_int_equal(kstats_create(kstats, &def, 1, all, 1, NULL, NULL), -EEXIST);
        assert_int_equal(find_as("a", "net", 0, "io", &call), 0);
        assert_int_equal(first_word(&call), 1);
        assert_int_equal(find_as("b", "net", 0, "io", &call), -ENXIO);
        assert_int_equal(kcid_as("b"), kcid);
        twice[0].instance = twice[1].instance = 5;
        assert_int_equal(kstats_create(kstats, twice, 2, two, 1, NULL, NULL), -EEXIST);
}

/* KST-12, KST-25, KST-A2 */
static void a_list_has_what_the_caller_sees_and_rises(void **state)
{
        const uint64_t a[] = {A, GLOBAL}, b[] = {B}, all[] = {KSTAT_ALL};
        uint64_t of_a = make("mount", 1, 1, a, 2), of_b = make("mount", 2, 2, b, 1), of_all = make("cpu", 0, 3, all, 1);
        struct kstat_call in_a = list_as("a", 0), in_b = list_as("b", 0), in_global = list_as(NULL, 0);

        (void)state;
        assert_true(lists(&in_a, of_a) && !lists(&in_a, of_b) && lists(&in_a, of_all));
        assert_true(!lists(&in_b, of_a) && lists(&in_b, of_b) && lists(&in_b, of_all));
        assert_true(lists(&in_global, of_a) && !lists(&in_global, of_b) && lists(&in_global, of_all));
        for (unsigned int i = 1; i < in_a.n; i++)
                assert_true(kids_of(&in_a)[i - 1] < kids_of(&in_a)[i]);
        assert_int_equal(in_a.n, in_a.total);
}

static void a_long_list_comes_in_pages(void **state)
{
        const uint64_t a[] = {A};
        struct kstat_call page;
        uint64_t last = 0;
        unsigned int seen = 0;

        (void)state;
        for (int i = 0; i < 200; i++)
                (void)make("many", i, 1, a, 1);
        for (unsigned int i = 0; i < 4; i++) {
                page = list_as("a", i);
                seen += page.n;
                for (unsigned int k = 0; k < page.n; k++) {
                        assert_true(kids_of(&page)[k] > last);
                        last = kids_of(&page)[k];
                }
        }
        assert_int_equal(seen, page.total);
        page = (struct kstat_call){.op = KSTAT_OP_LIST, .at = 4};
        assert_int_equal(ask_as("a", AS_IS, &page), -EINVAL);
        page = (struct kstat_call){.op = KSTAT_OP_LIST, .at = UINT32_MAX};
        assert_int_equal(ask_as("a", AS_IS, &page), -EINVAL);
}

/* KST-24, KST-26 */
static void the_chain_id_changes_for_those_who_see_a_change_and_for_nobody_else(void **state)
{
        const uint64_t a[] = {A, GLOBAL};
        uint64_t in_a = kcid_as("a"), in_b = kcid_as("b"), in_global = kcid_as(NULL);
        uint64_t kid = make("mount", 1, 1, a, 2);

        (void)state;
        assert_true(kcid_as("a") > in_a && kcid_as(NULL) > in_global);
        assert_int_equal(kcid_as("b"), in_b);
        in_a = kcid_as("a");
        assert_int_equal(kstats_delete(kstats, &kid, 1, NULL), 0);
        assert_true(kcid_as("a") > in_a);
        assert_int_equal(kcid_as("b"), in_b);
}

static void what_is_ended_is_gone_for_all_and_its_keys_are_free(void **state)
{
        const uint64_t a[] = {A, GLOBAL};
        uint64_t kid = make("mount", 1, 1, a, 2), again;
        struct kstat_call call;

        (void)state;
        assert_int_equal(kstats_delete(kstats, &kid, 1, NULL), 0);
        assert_int_equal(find_as("a", "mount", 1, "io", &call), -ENXIO);
        assert_int_equal(find_as(NULL, "mount", 1, "io", &call), -ENXIO);
        again = make("mount", 1, 2, a, 2);
        assert_true(again > kid);
        call = (struct kstat_call){.op = KSTAT_OP_READ, .kid = kid};
        assert_int_equal(ask_as("a", AS_IS, &call), -ENXIO);
}

/* KST-31, C-3 */
static void a_partition_that_ends_takes_its_structures_along(void **state)
{
        const uint64_t a[] = {A, GLOBAL}, b[] = {B, A};
        uint64_t of_a = make("mount", 1, 1, a, 2), of_b = make("mount", 2, 2, b, 2);
        struct kstat_call call, list;

        (void)state;
        assert_int_equal(kstats_remove_partition(kstats, A, NULL), 0);
        assert_int_equal(find_as(NULL, "mount", 1, "io", &call), -ENXIO);
        assert_int_equal(find_as("a", "mount", 1, "io", &call), -ENXIO); /* still in the plane, no longer here */
        assert_int_equal(find_as("b", "mount", 2, "io", &call), 0);
        assert_int_equal(kstats_add_partition(kstats, A, NULL), 0);
        list = list_as("a", 0);
        assert_true(!lists(&list, of_a) && !lists(&list, of_b));
        assert_int_equal(kstats_remove_partition(kstats, 999, NULL), 0);
}

static void a_partition_is_added_once(void **state)
{
        struct kstat_call before = list_as("a", 0), after;

        (void)state;
        assert_int_equal(before.total, catalogue_n_private);
        assert_int_equal(kstats_add_partition(kstats, A, NULL), 0);
        after = list_as("a", 0);
        assert_memory_equal(&before, &after, sizeof(before));
}

/* KST-27 */
static void nobody_writes(void **state)
{
        struct kstat_call call = {.op = KSTAT_OP_WRITE};

        (void)state;
        assert_int_equal(ask_as("a", AS_IS, &call), -EPERM);
        call = (struct kstat_call){.op = KSTAT_OP_WRITE};
        assert_int_equal(ask_as(NULL, AS_IS, &call), -EACCES);
        call = (struct kstat_call){.op = 99};
        assert_int_equal(ask_as("a", AS_IS, &call), -EINVAL);
}

static void who_is_in_no_partition_and_not_global_is_refused(void **state)
{
        struct kstat_call call = {.op = KSTAT_OP_CHAIN};

        (void)state;
        assert_int_equal(ask_as(NULL, AS_USER_NS, &call), -EPERM);
}

static void a_process_without_any_privilege_is_answered(void **state)
{
        struct kstat_call call = {.op = KSTAT_OP_CHAIN};

        (void)state;
        assert_int_equal(ask_as("a", AS_NOBODY | AS_USER_NS | AS_NESTED_NS | AS_NO_CAPABILITY, &call), 0);
        assert_int_equal(call.caller, A);
}

static void schemas_tell_what_is_where(void **state)
{
        struct kstat_call call = {.op = KSTAT_OP_SCHEMA, .kid = KSTAT_SCHEMA_system_misc};
        const struct kstat_field *fields = (const struct kstat_field *)(const void *)call.data;

        (void)state;
        assert_int_equal(ask_as("a", AS_IS, &call), 0);
        assert_string_equal(fields[0].name, "ncpus");
        assert_int_equal(fields[1].offset, offsetof(struct kstat_data_system_misc, lbolt));
        assert_int_equal(call.total, catalogue_schema(KSTAT_SCHEMA_system_misc)->n_fields);
        call = (struct kstat_call){.op = KSTAT_OP_SCHEMA, .kid = 65000};
        assert_int_equal(ask_as("a", AS_IS, &call), -EINVAL);
}

static void bad_structures_are_refused_with_nothing_made(void **state)
{
        const uint64_t a[] = {A}, unknown[] = {999}, data[WORDS] = {0};
        const struct kstat_def good = def_of("m", 0, "n", A, data);
        struct kstat_def bad[] = {good, good, good, good, good, good};
        uint64_t before = kcid_as("a");

        (void)state;
        bad[0].module = "";
        bad[1].name = "thirty-two bytes are one too many";
        bad[2].instance = -1;
        bad[3].size = KSTAT_SMALL_DATA + 8;
        bad[4].type = KSTAT_NAMED;
        bad[4].size = 12;
        bad[5].class = "a class name of thirty-two bytes!";
        for (size_t i = 0; i < ELEMENTS(bad); i++)
                assert_int_equal(kstats_create(kstats, &bad[i], 1, a, 1, NULL, NULL), -EINVAL);
        assert_int_equal(kstats_create(kstats, &good, 1, unknown, 1, NULL, NULL), -ENOENT);
        assert_int_equal(kcid_as("a"), before);
}

static void names_of_31_bytes_and_control_bytes_are_keys_like_others(void **state)
{
        const uint64_t a[] = {A}, data[WORDS] = {5};
        const char *odd = "\001\033[31m 31 bytes of odd name\n\t";
        struct kstat_def def = def_of("0123456789012345678901234567890", 0, odd, A, data);
        struct kstat_call call;

        (void)state;
        assert_int_equal(kstats_create(kstats, &def, 1, a, 1, NULL, NULL), 0);
        assert_int_equal(find_as("a", "0123456789012345678901234567890", 0, odd, &call), 0);
        assert_int_equal(find_as("a", "012345678901234567890123456789", 0, odd, &call), -ENXIO);
}

/* C-15 */
static void a_partition_that_has_too_many_is_refused_and_others_are_not(void **state)
{
        const uint64_t a[] = {A}, b[] = {B};
        struct kstat_def *defs = calloc(KSTAT_PER_PARTITION_MAX, sizeof(*defs));
        struct croft_error err = CROFT_ERROR_INIT;
        const uint64_t data[WORDS] = {0};
        size_t room = KSTAT_PER_PARTITION_MAX - catalogue_n_private;

        (void)state;
        assert_non_null(defs);
        for (int i = 0; i < KSTAT_PER_PARTITION_MAX; i++)
                defs[i] = def_of("many", i, "io", A, data);
        for (size_t done = 0; done < room; done += 1000)
                assert_int_equal(
                        kstats_create(kstats, defs + done, room - done < 1000 ? room - done : 1000, a, 1, NULL, NULL),
                        0);
        assert_int_equal(kstats_create(kstats, defs + room, 1, a, 1, NULL, &err), -ENOSPC);
        assert_int_equal(croft_error_exit(&err), CROFT_EXIT_EXHAUSTED);
        assert_int_equal(kstats_create(kstats, defs, 1, b, 1, NULL, NULL), 0);
        free(defs);
}

/* ---- at one instant ---- */

#define CHANGES_MIN 10 /* that a reader has to have met: on a busy machine the writer gets its turn late */
#define TRIES(n) ((n)*1000)

/* Lists, and counts how many of two structures are there; until there were n lists. */
static int watch_two(uint64_t one, uint64_t other, unsigned int n)
{
        unsigned int got = 0, changed = 0;
        bool had = false;

        for (unsigned int i = 0; (got < n || changed < CHANGES_MIN) && i < TRIES(n); i++) {
                struct kstat_call call = {.op = KSTAT_OP_LIST};
                int r = run(program, &call);

                if (r == -EAGAIN)
                        continue;
                if (r < 0 || lists(&call, one) == lists(&call, other))
                        return 2;
                changed += got > 0 && lists(&call, one) != had;
                had = lists(&call, one);
                got++;
        }
        return got < n ? 3 : changed < CHANGES_MIN ? 4 : 0;
}

/* KST-34, KST-38 */
static void a_reader_sees_one_or_the_other_but_never_both_or_none(void **state)
{
        const uint64_t a[] = {A}, b[] = {B};
        uint64_t one = make("cpu", 0, 1, a, 1), other = make("cpu", 1, 1, b, 1);
        int status;
        pid_t pid;

        (void)state;
        pid = fork();
        if (pid == 0)
                _exit(enter_cgroup("a") < 0 ? 1 : watch_two(one, other, 30000));
        for (unsigned int i = 0; waitpid(pid, &status, WNOHANG) == 0; i++) {
                uint64_t goes = i % 2 ? other : one, comes = i % 2 ? one : other;
                const struct kstat_change changes[] = {{KSTAT_DISSOCIATE, goes, A}, {KSTAT_ASSOCIATE, comes, A},
                        {KSTAT_ASSOCIATE, goes, B}, {KSTAT_DISSOCIATE, comes, B}};

                assert_int_equal(kstats_apply(kstats, changes, ELEMENTS(changes), NULL), 0);
        }
        assert_int_equal(status, 0);
}

/* All words of a structure were stored at once. */
static int watch_words(uint64_t kid, unsigned int n)
{
        uint64_t words[WORDS], last = 0;
        unsigned int got = 0, changed = 0;

        for (unsigned int i = 0; (got < n || changed < CHANGES_MIN) && i < TRIES(n); i++) {
                struct kstat_call call = {.op = KSTAT_OP_READ, .kid = kid};
                int r = run(program, &call);

                if (r == -EAGAIN)
                        continue;
                if (r < 0)
                        return 2;
                memcpy(words, call.data, sizeof(words));
                for (size_t w = 1; w < WORDS; w++)
                        if (words[w] != words[0])
                                return 3;
                if (words[0] < last)
                        return 4;
                changed += words[0] != last;
                last = words[0];
                got++;
        }
        return got < n ? 5 : changed < CHANGES_MIN ? 6 : 0;
}

/* KST-28 */
static void what_is_read_is_of_one_instant(void **state)
{
        const uint64_t a[] = {A};
        uint64_t kid = make("torn", 0, 0, a, 1), value = 0;
        int status;
        pid_t pid;

        (void)state;
        pid = fork();
        if (pid == 0)
                _exit(enter_cgroup("a") < 0 ? 1 : watch_words(kid, 100000));
        while (waitpid(pid, &status, WNOHANG) == 0) {
                uint64_t words[WORDS];

                value++;
                for (size_t w = 0; w < WORDS; w++)
                        words[w] = value;
                assert_int_equal(kstats_store(kstats, kid, words, sizeof(words), NULL), 0);
        }
        assert_int_equal(status, 0);
}

/* ---- the next croftd ---- */

static void the_next_one_adopts_all(void **state)
{
        const uint64_t both[] = {A, GLOBAL};
        uint64_t kid = make("mount", 7, 4711, both, 2), kcid = kcid_as("a");
        struct kstat_info info;
        struct kstat_call call;

        (void)state;
        kstats = kstats_free(kstats);
        assert_int_equal(find_as("a", "mount", 7, "io", &call), 0); /* nobody is needed */
        open_kstats();
        assert_int_equal(kcid_as("a"), kcid);
        assert_int_equal(kstats_get(kstats, kid, &info, NULL), 0);
        assert_int_equal(info.n_partitions, 2);
        assert_int_equal(info.partitions[1], A);
        kstat_info_done(&info);
        assert_true(make("mount", 8, 1, both, 2) > kid);
        assert_int_equal(kstats_delete(kstats, &kid, 1, NULL), 0);
        assert_int_equal(find_as("a", "mount", 7, "io", &call), -ENXIO);
        assert_int_equal(find_as("a", "mount", 8, "io", &call), 0);
}

/* Else a reader that was opened in one, or before a restart, could take the list of another for the one it knows. */
static void chain_ids_begin_anywhere(void **state)
{
        uint64_t a = kcid_as("a"), b = kcid_as("b");

        (void)state;
        assert_true(a != b); /* two that are equally new; 1 in 2^30 that it is by chance */
        assert_int_equal(kstats_remove_partition(kstats, A, NULL), 0);
        assert_int_equal(kstats_add_partition(kstats, A, NULL), 0);
        assert_true(kcid_as("a") != a && kcid_as("a") != b);
        assert_true(kcid_as("a") <= INT32_MAX); /* kid_t has to hold it */
}

/* What a child does until it dies at a crash point. */
static void change_and_die(const char *point, uint64_t dead, uint64_t moved)
{
        const uint64_t a[] = {A, GLOBAL}, data[WORDS] = {9};
        const struct kstat_def def = def_of("new", 0, "io", A, data);
        const struct kstat_change changes[] = {{KSTAT_DISSOCIATE, moved, A}, {KSTAT_ASSOCIATE, moved, B}};

        (void)setenv("CROFT_CRASH_AT", point, 1);
        if (strstr(point, "create"))
                (void)kstats_create(kstats, &def, 1, a, 2, NULL, NULL);
        else if (strstr(point, "delete"))
                (void)kstats_delete(kstats, &dead, 1, NULL);
        else
                (void)kstats_apply(kstats, changes, 2, NULL);
        _exit(1);
}

static void assert_settled(const char *cgroup, uint64_t kid, bool there)
{
        struct kstat_call list = list_as(cgroup, 0), read = {.op = KSTAT_OP_READ, .kid = kid};

        assert_int_equal(lists(&list, kid), there);
        assert_int_equal(ask_as(cgroup, AS_IS, &read), there ? 0 : -ENXIO);
}

/* KST-A10, C-9: before the generation nothing of it, after it all of it; whatever others change afterwards. */
static void a_change_that_was_cut_short_is_whole_or_not_at_all(void **state)
{
        static const char *const what[] = {"create", "delete", "apply"};
        static const char *const when[] = {"prepare", "force", "clean"};
        const uint64_t a[] = {A, GLOBAL}, b[] = {B};

        (void)state;
        for (size_t i = 0; i < ELEMENTS(what) * ELEMENTS(when); i++) {
                bool in_force = i % ELEMENTS(when) == 2;
                uint64_t dead = make("dead", (int)i, 1, a, 2), moved = make("moved", (int)i, 1, a, 1);
                struct kstat_call call;
                char point[32];
                int status;
                pid_t pid;

                (void)snprintf(point, sizeof(point), "kstat-%s.%s", what[i / ELEMENTS(when)], when[i % ELEMENTS(when)]);
                pid = fork();
                if (pid == 0)
                        change_and_die(point, dead, moved);
                assert_int_equal(waitpid(pid, &status, 0), pid);
                assert_int_equal(WEXITSTATUS(status), 77);
                kstats = kstats_free(kstats);
                open_kstats();
                (void)make("later", (int)i, 1, b, 1); /* the next generation */
                assert_settled("a", dead, !(in_force && i / ELEMENTS(when) == 1));
                assert_settled(NULL, dead, !(in_force && i / ELEMENTS(when) == 1));
                assert_settled("a", moved, !(in_force && i / ELEMENTS(when) == 2));
                assert_settled("b", moved, in_force && i / ELEMENTS(when) == 2);
                assert_int_equal(find_as("a", "new", 0, "io", &call), in_force && i / ELEMENTS(when) == 0 ? 0 : -ENXIO);
                if (in_force && i / ELEMENTS(when) == 0)
                        assert_int_equal(kstats_delete(kstats, &(uint64_t){call.head.kid}, 1, NULL), 0);
        }
}

/* The number that the kernel has given to a program of the sampler's. */
static uint32_t sampler_program(const char *name)
{
        _cleanup_close_ int fd = plane_bpf_get(plane_directory(plane), name);
        struct bpf_prog_info info = {0};
        __u32 size = sizeof(info);

        assert_true(fd >= 0);
        assert_int_equal(bpf_obj_get_info_by_fd(fd, &info, &size), 0);
        return info.id;
}

/* Does it find this process, which is in no partition's place? */
static void assert_samples(struct kstat_sampler *sampler)
{
        const struct kstat_place machine = {.init = getpid()};
        _cleanup_close_ int link = -EBADF;

        assert_int_equal(kstats_find_objects(sampler, &machine, NULL, NULL), 0);
        link = kstats_open_sample(sampler, cgroups, NULL);
        assert_true(link >= 0);
}

static void the_next_one_adopts_the_sampler_whole_or_not_at_all(void **state)
{
        struct kstat_sampler *sampler;
        uint32_t find, sample;

        (void)state;
        assert_int_equal(kstats_open_sampler(kstats, &sampler, NULL), 0);
        find = sampler_program("sampler_find");
        sample = sampler_program("sampler_sample");
        assert_samples(sampler);
        for (int i = 0; i < 2; i++) {
                kstat_sampler_free(sampler);
                assert_int_equal(kstats_open_sampler(kstats, &sampler, NULL), 0);
                assert_samples(sampler);
                assert_int_equal(sampler_program("sampler_find") == find, i == 0);
                assert_int_equal(sampler_program("sampler_sample") == sample, i == 0);
                assert_int_equal(
                        unlinkat(plane_directory(plane), "sampler_what", 0), 0); /* as by a death between two */
        }
        kstat_sampler_free(sampler);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_kstats, tear_down_kstats)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(a_structure_answers_those_it_is_associated_with),
                TEST(invisible_and_unknown_are_the_same_to_the_last_byte),
                TEST(a_kid_that_was_guessed_is_refused_as_one_that_is_not_there),
                TEST(global_sees_no_private_structure_but_by_adding_the_partition),
                TEST(a_partition_that_names_another_is_refused),
                TEST(the_same_keys_lead_each_to_its_own),
                TEST(keys_that_would_mean_two_things_are_refused_and_the_first_stays),
                TEST(a_list_has_what_the_caller_sees_and_rises),
                TEST(a_long_list_comes_in_pages),
                TEST(the_chain_id_changes_for_those_who_see_a_change_and_for_nobody_else),
                TEST(what_is_ended_is_gone_for_all_and_its_keys_are_free),
                TEST(a_partition_that_ends_takes_its_structures_along),
                TEST(a_partition_is_added_once),
                TEST(nobody_writes),
                TEST(who_is_in_no_partition_and_not_global_is_refused),
                TEST(a_process_without_any_privilege_is_answered),
                TEST(schemas_tell_what_is_where),
                TEST(bad_structures_are_refused_with_nothing_made),
                TEST(names_of_31_bytes_and_control_bytes_are_keys_like_others),
                TEST(a_partition_that_has_too_many_is_refused_and_others_are_not),
                TEST(a_reader_sees_one_or_the_other_but_never_both_or_none),
                TEST(what_is_read_is_of_one_instant),
                TEST(chain_ids_begin_anywhere),
                TEST(the_next_one_adopts_all),
                TEST(a_change_that_was_cut_short_is_whole_or_not_at_all),
                TEST(the_next_one_adopts_the_sampler_whole_or_not_at_all),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, make_kstats, remove_kstats);
}
