/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_kstat_end.c - what becomes of statistics that end while others read them, of persistent ones, of lists that lose
 * most of what they had, and of maps that are damaged.
 * where: here guest
 */
#include "base/cleanup.h"
#include "base/clock.h"
#include "kstat/catalogue.h"
#include "kstat/objects.h"
#include "kstat_kit.h"
#include "plane/plane_bpf.h"

#include <bpf/bpf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* Asks until it is told "the end"; each answer is one structure's, whole, or none.  *seen: there were both. */
static int read_until_the_end(atomic_bool *seen)
{
        unsigned int read = 0, missed = 0;

        for (unsigned int i = 0; i < 100000000; i++) {
                struct kstat_call call = {.op = KSTAT_OP_FIND}, end = {.op = KSTAT_OP_FIND};
                uint64_t words[WORDS];
                int r;

                fill_key(&call, "fleeting", 0, "io");
                r = run(program, &call);
                if (r == 0) {
                        memcpy(words, call.data, sizeof(words));
                        for (size_t w = 1; w < WORDS; w++)
                                if (words[w] != words[0])
                                        return 2;
                        read++;
                } else if (r == -ENXIO || r == -EAGAIN) {
                        missed++;
                } else {
                        return 3;
                }
                atomic_store(seen, read > 0 && missed > 0);
                fill_key(&end, "the end", 0, "io");
                if (i % 64 == 0 && run(program, &end) == 0)
                        return 0;
        }
        return 4;
}

/* KST-29 */
static void a_structure_that_ends_while_it_is_read_is_whole_or_none(void **state)
{
        atomic_bool *seen = mmap(NULL, sizeof(*seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        const uint64_t a[] = {A};
        const int64_t begin = now_ms();
        int status;
        pid_t pid;

        (void)state;
        assert_true(seen != MAP_FAILED);
        pid = fork();
        if (pid == 0)
                _exit(enter_cgroup("a") < 0 ? 1 : read_until_the_end(seen));
        for (int i = 0; i < 3000 || (!atomic_load(seen) && now_ms() - begin < 60000); i++) {
                uint64_t kid = make("fleeting", 0, (uint64_t)i, a, 1);

                assert_int_equal(kstats_delete(kstats, &kid, 1, NULL), 0);
        }
        (void)make("the end", 0, 0, a, 1);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        assert_true(atomic_load(seen));
        assert_int_equal(munmap(seen, sizeof(*seen)), 0);
}

static struct kstat_def persistent(const uint64_t data[WORDS])
{
        struct kstat_def def = def_of("lasting", 3, "io", A, data);

        def.flags = KSTAT_PERSIST;
        return def;
}

/* KST-29 */
static void a_persistent_structure_sleeps_with_its_last_values(void **state)
{
        const uint64_t a[] = {A}, b[] = {B}, data[WORDS] = {17}, later[WORDS] = {18};
        struct kstat_def def = persistent(data);
        struct kstat_call call;
        uint64_t kid, kcid, again;

        (void)state;
        assert_int_equal(kstats_create(kstats, &def, 1, a, 1, &kid, NULL), 0);
        assert_int_equal(kstats_create(kstats, &def, 1, a, 1, NULL, NULL), -EEXIST); /* it is awake */
        kcid = kcid_as("a");
        assert_int_equal(kstats_delete(kstats, &kid, 1, NULL), 0);
        assert_int_equal(find_as("a", "lasting", 3, "io", &call), 0);
        assert_int_equal(call.head.kid, kid);
        assert_int_equal(call.head.flags, KSTAT_PERSIST | KSTAT_DORMANT);
        assert_int_equal(first_word(&call), 17);
        call = list_as("a", 0);
        assert_true(lists(&call, kid));
        assert_int_equal(kcid_as("a"), kcid); /* the list is the same */
        /* the next croftd knows it as it is */
        kstats = kstats_free(kstats);
        open_kstats();
        def.data = later;
        def.size = sizeof(later) / 2;
        assert_int_equal(kstats_create(kstats, &def, 1, a, 1, NULL, NULL), -EEXIST); /* unlike */
        def.size = sizeof(later);
        def.class = "another";
        assert_int_equal(kstats_create(kstats, &def, 1, a, 1, NULL, NULL), -EEXIST);
        def = persistent(later);
        assert_int_equal(kstats_create(kstats, &def, 1, b, 1, NULL, NULL), 0); /* B's is none of it */
        assert_int_equal(kstats_create(kstats, &def, 1, a, 1, &again, NULL), 0);
        assert_int_equal(again, kid);
        assert_int_equal(find_as("a", "lasting", 3, "io", &call), 0);
        assert_int_equal(call.head.flags, KSTAT_PERSIST);
        assert_int_equal(first_word(&call), 18);
        /* twice: for good */
        assert_int_equal(kstats_delete(kstats, &kid, 1, NULL), 0);
        assert_int_equal(kstats_delete(kstats, &kid, 1, NULL), 0);
        assert_int_equal(find_as("a", "lasting", 3, "io", &call), -ENXIO);
}

/* What the kernel counts is kept as it was at that moment. */
static void a_persistent_structure_of_the_kernels_figures_stands_still(void **state)
{
        const struct kstat_def def = {.module = "lasting",
                .name = "misc",
                .class = "misc",
                .type = KSTAT_NAMED,
                .flags = KSTAT_PERSIST,
                .schema = KSTAT_SCHEMA_system_misc,
                .source = KSTAT_SOURCE_SYSTEM_MISC,
                .size = sizeof(struct kstat_data_system_misc)};
        const struct kstat_place machine = {.init = getpid(), .tag = "", .level = plane_level(plane)};
        const uint64_t global[] = {GLOBAL};
        struct kstat_sampler *sampler = NULL;
        struct kstat_call first, second;
        uint64_t kid;

        (void)state;
        assert_int_equal(kstats_open_sampler(kstats, &sampler, NULL), 0);
        assert_int_equal(kstats_find_objects(sampler, &machine, NULL, NULL), 0);
        kstat_sampler_free(sampler);
        assert_int_equal(kstats_create(kstats, &def, 1, global, 1, &kid, NULL), 0);
        assert_int_equal(find_as(NULL, "lasting", 0, "misc", &first), 0);
        (void)usleep(30000);
        assert_int_equal(find_as(NULL, "lasting", 0, "misc", &second), 0);
        assert_memory_not_equal(first.data, second.data, def.size); /* its clock goes on */
        assert_int_equal(kstats_delete(kstats, &kid, 1, NULL), 0);
        assert_int_equal(find_as(NULL, "lasting", 0, "misc", &first), 0);
        (void)usleep(30000);
        assert_int_equal(find_as(NULL, "lasting", 0, "misc", &second), 0);
        assert_memory_equal(first.data, second.data, def.size);
        assert_int_equal(kstats_delete(kstats, &kid, 1, NULL), 0);
}

/* Deletes the pages of lists, as no croftd does. */
static void damage_lists(void)
{
        int map = plane_bpf_get(plane_directory(plane), "kstat_pages");
        struct kstat_page_key key;

        assert_true(map >= 0);
        while (bpf_map_get_next_key(map, NULL, &key) == 0)
                assert_int_equal(bpf_map_delete_elem(map, &key), 0);
        (void)close(map);
}

static void open_again(void)
{
        kstats = kstats_free(kstats);
        open_kstats();
        (void)close(program);
        program = open_pinned("kstat");
}

/* Of what doesn't fit together nothing is believed: who was on record is put there again by whoever knows, and until
 * all is there the old ones answer. */
static void the_next_one_begins_anew_where_maps_are_damaged(void **state)
{
        const uint64_t a[] = {A};
        struct kstat_call call;
        uint64_t kid = make("mount", 7, 4711, a, 1), later = kid;

        (void)state;
        damage_lists();
        open_again();
        for (int i = 0; i < 2; i++) {
                assert_int_equal(find_as("a", "mount", 7, "io", &call), 0);
                assert_int_equal(first_word(&call), 4711);
                assert_int_equal(kstats_add_partition(kstats, A, NULL), 0);
                assert_int_equal(kstats_add_partition(kstats, B, NULL), 0);
                kid = make("mount", 7, 4712, a, 1);
                assert_true(kid > later); /* no kid means two structures */
                later = kid;
                assert_int_equal(find_as("a", "mount", 7, "io", &call), 0);
                assert_int_equal(first_word(&call), 4711);
                if (i == 0)
                        open_again(); /* that one died before it was through */
        }
        assert_int_equal(kstats_publish(kstats, NULL), 0);
        (void)close(program);
        program = open_pinned("kstat");
        assert_int_equal(find_as("a", "mount", 7, "io", &call), 0);
        assert_int_equal(first_word(&call), 4712);
        call = list_as("a", 0);
        assert_true(call.n > 1);
        open_again(); /* and is adopted as it is */
        assert_int_equal(find_as("a", "mount", 7, "io", &call), 0);
        assert_int_equal(first_word(&call), 4712);
}

/* A long list that lost most of what it had comes whole, in pages that aren't full. */
static void a_list_with_gaps_comes_whole(void **state)
{
        const uint64_t a[] = {A};
        uint64_t kids[300], last = 0;
        struct kstat_call page;
        unsigned int seen = 0, kept = 0;

        (void)state;
        for (int i = 0; i < 300; i++)
                kids[i] = make("many", i, 1, a, 1);
        for (int i = 0; i < 300; i++)
                if (i % 50 != 0)
                        assert_int_equal(kstats_delete(kstats, &kids[i], 1, NULL), 0);
        for (unsigned int at = 0; at == 0 || seen < page.total; at++) {
                page = list_as("a", at);
                seen += page.n;
                assert_in_range(page.n, 1, KSTAT_PAGE_KIDS);
                for (unsigned int k = 0; k < page.n; k++) {
                        assert_true(kids_of(&page)[k] > last);
                        last = kids_of(&page)[k];
                        for (int i = 0; i < 300; i += 50)
                                kept += last == kids[i];
                }
        }
        assert_int_equal(seen, page.total);
        assert_int_equal(kept, 6);
        kstats = kstats_free(kstats);
        open_kstats(); /* it is adopted as it is */
        page = list_as("a", 0);
        assert_int_equal(page.total, seen);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_kstats, tear_down_kstats)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(a_structure_that_ends_while_it_is_read_is_whole_or_none),
                TEST(a_persistent_structure_sleeps_with_its_last_values),
                TEST(a_persistent_structure_of_the_kernels_figures_stands_still),
                TEST(the_next_one_begins_anew_where_maps_are_damaged),
                TEST(a_list_with_gaps_comes_whole),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, make_kstats, remove_kstats);
}
