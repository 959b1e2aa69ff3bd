/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_steps.c - journaled operations: failures at every step, deaths at every crash point, recovery from wherever
 * they had come to.
 *
 * The world of these tests is an array of things that steps make and undo; it lies in shared memory, with the journal,
 * so that both survive the death of the child that runs an operation.
 */
#include "base/cleanup.h"
#include "base/steps.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <cmocka.h>

#define N_STEPS 5

struct world {
        bool made[N_STEPS];
        bool half[N_STEPS]; /* an act that stopped in the middle left this */
        int fail_act;       /* step whose act fails, -1: none */
        int fail_undo;
        char trace[256]; /* +i: act, -i: undo */
        /* the journal */
        bool open;
        int fail_begin, fail_end;
        unsigned int order_faults; /* acts without an intent on record */
};

static struct world *world;

static void reset(void)
{
        *world = (struct world){.fail_act = -1, .fail_undo = -1};
}

static int set_up(void **state)
{
        (void)state;
        world = mmap(NULL, sizeof(*world), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (world == MAP_FAILED)
                return -1;
        reset();
        return 0;
}

static int tear_down(void **state)
{
        (void)state;
        (void)unsetenv("CROFT_CRASH_AT");
        return munmap(world, sizeof(*world));
}

static void trace(char sign, size_t i)
{
        size_t used = strlen(world->trace);

        (void)snprintf(world->trace + used, sizeof(world->trace) - used, "%c%zu", sign, i);
}

static int act(void *context, const void *arg, struct croft_error *err)
{
        const size_t *i = arg;

        assert_ptr_equal(context, world);
        trace('+', *i);
        world->order_faults += !world->open;
        world->half[*i] = true;
        if (world->fail_act == (int)*i)
                return croft_error_set(err, ENOSPC, "act %zu", *i);
        world->made[*i] = true;
        world->half[*i] = false;
        return 0;
}

static int undo(void *context, const void *arg, struct croft_error *err)
{
        const size_t *i = arg;

        assert_ptr_equal(context, world);
        trace('-', *i);
        if (world->fail_undo == (int)*i)
                return croft_error_set(err, EBUSY, "thing %zu is in use.", *i);
        world->made[*i] = false;
        world->half[*i] = false;
        return 0;
}

/* For operations of STEPS_FINISH: takes a thing away, whether it is there or not. */
static int take_away(void *context, const void *arg, struct croft_error *err)
{
        const size_t *i = arg;

        (void)context;
        trace('x', *i);
        if (world->fail_act == (int)*i)
                return croft_error_set(err, EBUSY, "thing %zu is in use.", *i);
        world->made[*i] = false;
        return 0;
}

static int begin(void *journal, const char *operation, struct croft_error *err)
{
        struct world *w = journal;

        assert_non_null(operation);
        if (w->fail_begin)
                return croft_error_set(err, EIO, "begin.");
        w->open = true;
        return 0;
}

static int end(void *journal, struct croft_error *err)
{
        struct world *w = journal;

        if (w->fail_end)
                return croft_error_set(err, EIO, "end.");
        w->open = false;
        return 0;
}

static const size_t number[N_STEPS] = {0, 1, 2, 3, 4};

#define MAKE(i)                                                                                                        \
        {                                                                                                              \
                .name = "s" #i, .arg = &number[i], .act = act, .undo = undo                                            \
        }
#define TAKE_AWAY(i)                                                                                                   \
        {                                                                                                              \
                .name = "s" #i, .arg = &number[i], .act = take_away                                                    \
        }

static const struct step make_steps[N_STEPS] = {MAKE(0), MAKE(1), MAKE(2), MAKE(3), MAKE(4)};
static const struct step take_steps[N_STEPS] = {TAKE_AWAY(0), TAKE_AWAY(1), TAKE_AWAY(2), TAKE_AWAY(3), TAKE_AWAY(4)};
static const struct operation make_all = {"make", STEPS_UNDO, make_steps, N_STEPS};
static const struct operation take_all = {"take", STEPS_FINISH, take_steps, N_STEPS};

static struct steps_journal journal(void)
{
        return (struct steps_journal){begin, end, world};
}

static int run(const struct operation *op, struct croft_error *err)
{
        const struct steps_journal j = journal();

        return steps_run(op, world, &j, err);
}

static int recover(const struct operation *op, struct croft_error *err)
{
        const struct steps_journal j = journal();

        return steps_recover(op, world, &j, err);
}

static void assert_all(bool made)
{
        for (size_t i = 0; i < N_STEPS; i++) {
                assert_int_equal(world->made[i], made);
                assert_false(world->half[i]);
        }
        assert_int_equal(world->order_faults, 0);
}

static void make_everything(void)
{
        for (size_t i = 0; i < N_STEPS; i++)
                world->made[i] = true;
}

static void the_steps_run_in_order_between_the_records(void **state)
{
        struct croft_error err = CROFT_ERROR_INIT;

        (void)state;
        assert_int_equal(run(&make_all, &err), 0);
        assert_string_equal(world->trace, "+0+1+2+3+4");
        assert_int_equal(world->order_faults, 0);
        assert_false(world->open);
        assert_all(true);
}

static void a_failure_at_any_step_undoes_that_and_all_before_it_backward(void **state)
{
        static const char *const traces[N_STEPS] = {
                "+0-0", "+0+1-1-0", "+0+1+2-2-1-0", "+0+1+2+3-3-2-1-0", "+0+1+2+3+4-4-3-2-1-0"};
        (void)state;
        for (int n = 0; n < N_STEPS; n++) {
                struct croft_error err = CROFT_ERROR_INIT;

                reset();
                world->fail_act = n;
                assert_int_equal(run(&make_all, &err), -ENOSPC);
                assert_string_equal(world->trace, traces[n]);
                assert_int_equal(err.code, ENOSPC);
                assert_int_equal(err.n_causes, 1);
                assert_false(world->open);
                assert_all(false);
        }
}

static void a_journal_that_cannot_begin_keeps_the_operation_from_starting(void **state)
{
        struct croft_error err = CROFT_ERROR_INIT;

        (void)state;
        world->fail_begin = 1;
        assert_int_equal(run(&make_all, &err), -EIO);
        assert_string_equal(world->trace, "");
}

static void a_journal_that_cannot_end_takes_the_operation_back(void **state)
{
        struct croft_error err = CROFT_ERROR_INIT;

        (void)state;
        world->fail_end = 1;
        assert_int_equal(run(&make_all, &err), -EIO);
        assert_true(world->open); /* undone again by the next recovery, which does nothing */
        assert_all(false);
        world->fail_end = 0;
        assert_int_equal(recover(&make_all, &err), 0);
        assert_all(false);
}

static void a_failing_undo_does_not_keep_the_others_from_running(void **state)
{
        (void)state;
        for (int n = 0; n < N_STEPS; n++) {
                struct croft_error err = CROFT_ERROR_INIT;
                char line[CROFT_ERROR_TEXT_MAX], expected[64];

                reset();
                world->fail_act = N_STEPS - 1;
                world->fail_undo = n;
                assert_int_equal(run(&make_all, &err), -ENOSPC);
                assert_string_equal(world->trace, "+0+1+2+3+4-4-3-2-1-0");
                assert_true(world->open); /* stays in the journal for the next recovery */
                (void)croft_error_line(&err, line, sizeof(line));
                (void)snprintf(expected, sizeof(expected), "undo 's%d' of 'make': thing %d is in use", n, n);
                assert_non_null(strstr(line, expected));
                assert_non_null(strstr(line, "act 4: No space left on device"));
                world->fail_undo = -1;
                assert_int_equal(recover(&make_all, &err), 0);
                assert_false(world->open);
                assert_all(false);
        }
}

static void a_step_without_undo_is_passed_over(void **state)
{
        struct step steps[3] = {MAKE(0), MAKE(1), MAKE(2)};
        const struct operation op = {"make", STEPS_UNDO, steps, 3};

        (void)state;
        steps[1].undo = NULL;
        world->fail_act = 2;
        assert_int_equal(run(&op, NULL), -ENOSPC);
        assert_string_equal(world->trace, "+0+1+2-2-0");
}

static void an_operation_without_steps_succeeds(void **state)
{
        const struct operation op = {"none", STEPS_UNDO, NULL, 0};

        (void)state;
        assert_int_equal(run(&op, NULL), 0);
        assert_false(world->open);
        assert_int_equal(recover(&op, NULL), 0);
}

static void a_finishing_operation_tries_all_steps_and_tells_the_first_error(void **state)
{
        (void)state;
        for (int n = 0; n < N_STEPS; n++) {
                struct croft_error err = CROFT_ERROR_INIT;

                reset();
                make_everything();
                world->fail_act = n;
                assert_int_equal(run(&take_all, &err), -EBUSY);
                assert_string_equal(world->trace, "x0x1x2x3x4");
                assert_true(world->open);
                for (int i = 0; i < N_STEPS; i++)
                        assert_int_equal(world->made[i], i == n);
                world->fail_act = -1;
                assert_int_equal(recover(&take_all, &err), 0);
                assert_false(world->open);
                assert_all(false);
        }
}

static void recovery_undoes_all_however_far_it_came(void **state)
{
        (void)state;
        for (int done = 0; done <= N_STEPS; done++) {
                reset();
                world->open = true;
                for (int i = 0; i < done; i++)
                        world->made[i] = true;
                assert_int_equal(recover(&make_all, NULL), 0);
                assert_string_equal(world->trace, "-4-3-2-1-0");
                assert_false(world->open);
                assert_all(false);
        }
}

static void recovery_finishes_all_however_far_it_came(void **state)
{
        (void)state;
        for (int done = 0; done <= N_STEPS; done++) {
                reset();
                world->open = true;
                make_everything();
                for (int i = 0; i < done; i++)
                        world->made[i] = false;
                assert_int_equal(recover(&take_all, NULL), 0);
                assert_string_equal(world->trace, "x0x1x2x3x4");
                assert_false(world->open);
                assert_all(false);
        }
}

static void a_recovery_that_fails_stays_in_the_journal(void **state)
{
        struct croft_error err = CROFT_ERROR_INIT;

        (void)state;
        world->open = true;
        make_everything();
        world->fail_undo = 2;
        assert_int_equal(recover(&make_all, &err), -EBUSY);
        assert_true(world->open);
        world->fail_undo = -1;
        assert_int_equal(recover(&make_all, &err), 0);
        assert_false(world->open);
        assert_all(false);
}

/* Runs op in a child that is to die at that point.  True when it did. */
static bool dies_at(const struct operation *op, const char *point)
{
        int status;
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0) {
                (void)setenv("CROFT_CRASH_AT", point, 1);
                _exit(run(op, NULL) == 0 ? 0 : 1);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        return !WIFEXITED(status) || WEXITSTATUS(status) > 1;
}

/* The crash point before step n, or after the last one. */
static void point_before(const char *operation, int n, char point[32])
{
        (void)snprintf(point, 32, "%s.s%d%s", operation, n < N_STEPS ? n : n - 1, n < N_STEPS ? "" : ".done");
}

static void a_death_at_every_point_of_an_undoable_operation_is_undone(void **state)
{
        (void)state;
        for (int n = 0; n <= N_STEPS; n++) {
                char point[32];

                reset();
                point_before("make", n, point);
                assert_true(dies_at(&make_all, point));
                assert_true(world->open);
                assert_true(n == 0 || world->made[n - 1]);
                assert_true(n == N_STEPS || !world->made[n]);
                assert_int_equal(recover(&make_all, NULL), 0);
                assert_false(world->open);
                assert_all(false);
        }
}

static void a_death_at_every_point_of_a_finishing_operation_is_finished(void **state)
{
        (void)state;
        for (int n = 0; n <= N_STEPS; n++) {
                char point[32];

                reset();
                make_everything();
                point_before("take", n, point);
                assert_true(dies_at(&take_all, point));
                assert_true(world->open);
                assert_int_equal(recover(&take_all, NULL), 0);
                assert_false(world->open);
                assert_all(false);
        }
}

static void a_crash_point_of_another_operation_or_step_does_nothing(void **state)
{
        static const char *const points[] = {
                "", "make", "make.", "make.s", "make.s9", "take.s0", "make.s0.", "make.s0.done.", "MAKE.s0", "s0"};
        (void)state;
        for (size_t i = 0; i < ELEMENTS(points); i++) {
                reset();
                assert_false(dies_at(&make_all, points[i]));
                assert_all(true);
        }
}

static void a_recovery_can_be_killed_and_repeated(void **state)
{
        (void)state;
        make_everything();
        assert_true(dies_at(&take_all, "take.s1"));
        for (int i = 0; i < 3; i++) {
                int status;
                pid_t pid = fork();

                assert_true(pid >= 0);
                if (pid == 0) {
                        (void)setenv("CROFT_CRASH_AT", "take.s3", 1);
                        _exit(recover(&take_all, NULL) == 0 ? 0 : 1);
                }
                assert_int_equal(waitpid(pid, &status, 0), pid);
                assert_true(WEXITSTATUS(status) > 1);
                assert_true(world->open);
        }
        assert_int_equal(recover(&take_all, NULL), 0);
        assert_all(false);
}

static void every_crash_point_is_printed(void **state)
{
        static const char expected[] = "make.s0\nmake.s1\nmake.s2\nmake.s3\nmake.s4\nmake.s4.done\n";
        char text[sizeof(expected) + 16] = "";
        int ends[2], status;
        ssize_t n;
        pid_t pid;

        (void)state;
        assert_int_equal(pipe(ends), 0);
        (void)fflush(stdout);
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                (void)dup2(ends[1], STDOUT_FILENO);
                steps_print_crash_points(&make_all);
                (void)fflush(stdout);
                _exit(0);
        }
        (void)close(ends[1]);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        n = read(ends[0], text, sizeof(text) - 1);
        (void)close(ends[0]);
        assert_int_equal(n, sizeof(expected) - 1);
        assert_string_equal(text, expected);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(the_steps_run_in_order_between_the_records),
                TEST(a_failure_at_any_step_undoes_that_and_all_before_it_backward),
                TEST(a_journal_that_cannot_begin_keeps_the_operation_from_starting),
                TEST(a_journal_that_cannot_end_takes_the_operation_back),
                TEST(a_failing_undo_does_not_keep_the_others_from_running),
                TEST(a_step_without_undo_is_passed_over),
                TEST(an_operation_without_steps_succeeds),
                TEST(a_finishing_operation_tries_all_steps_and_tells_the_first_error),
                TEST(recovery_undoes_all_however_far_it_came),
                TEST(recovery_finishes_all_however_far_it_came),
                TEST(a_recovery_that_fails_stays_in_the_journal),
                TEST(a_death_at_every_point_of_an_undoable_operation_is_undone),
                TEST(a_death_at_every_point_of_a_finishing_operation_is_finished),
                TEST(a_crash_point_of_another_operation_or_step_does_nothing),
                TEST(a_recovery_can_be_killed_and_repeated),
                TEST(every_crash_point_is_printed),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
