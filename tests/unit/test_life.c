/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_life.c - what the life cycle decides before it acts: rules, lists of steps, rates, events, proofs of processes.
 */
#include "base/cleanup.h"
#include "daemon/life_private.h"
#include "kernel/process.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cmocka.h>

/* --- rules ---------------------------------------------------------------------------------------------------------
 */

static const enum partition_state settled[] = {
        PARTITION_DEFINED, PARTITION_LOADED, PARTITION_ACTIVE, PARTITION_FROZEN, PARTITION_BROKEN};

/* One letter a state of settled[]: y allowed, else the refusal: n not running, b busy, x broken. */
static const struct {
        enum life_action action;
        const char *answers;
} expected[] = {
        {LIFE_LOAD, "ybbbx"},
        {LIFE_START, "yybbx"},
        {LIFE_STOP, "nyyyx"},
        {LIFE_FORCED_STOP, "yyyyy"},
        {LIFE_RESTART, "nyyyx"},
        {LIFE_FORCED_RESTART, "yyyyy"},
        {LIFE_KILL, "nnyyx"},
        {LIFE_FREEZE, "nnybx"},
        {LIFE_THAW, "nnbyx"},
        {LIFE_SET, "yyyyy"},
        {LIFE_BIND, "yyyyy"},
        {LIFE_DEVICE_ADD, "nyyyx"},
        {LIFE_DEVICE_REMOVE, "nyyyx"},
        {LIFE_RENAME, "yyyyy"},
        {LIFE_REMOVE, "ybbbx"},
        {LIFE_FORCED_REMOVE, "yyyyy"},
        {LIFE_EXEC, "nnybx"},
        {LIFE_CONSOLE, "nyyyx"},
};

static void every_action_is_allowed_in_just_its_states(void **state)
{
        (void)state;
        for (size_t i = 0; i < ELEMENTS(expected); i++)
                for (size_t j = 0; j < ELEMENTS(settled); j++) {
                        struct croft_error err = CROFT_ERROR_INIT;
                        int r = life_action_check(expected[i].action, settled[j], "web", &err);
                        char got = r == 0                  ? 'y'
                                   : r == -ESRCH           ? 'n'
                                   : r == -EBUSY           ? 'b'
                                   : r == -ENOTRECOVERABLE ? 'x'
                                                           : '?';

                        if (got != expected[i].answers[j])
                                fail_msg("%s in %s: %c instead of %c", life_action_name(expected[i].action),
                                        partition_state_name(settled[j]), got, expected[i].answers[j]);
                        assert_int_equal(r < 0, err.code != 0);
                }
}

static void a_broken_partition_says_how_it_is_repaired(void **state)
{
        struct croft_error err = CROFT_ERROR_INIT;

        (void)state;
        assert_int_equal(life_action_check(LIFE_START, PARTITION_BROKEN, "web", &err), -ENOTRECOVERABLE);
        assert_non_null(strstr(croft_error_cause(&err, 0), "croft stop --force web"));
        assert_int_equal(croft_error_exit(&err), CROFT_EXIT_BROKEN);
}

static void nothing_else_is_allowed_meanwhile(void **state)
{
        (void)state;
        for (unsigned int action = 0; action < LIFE_ACTIONS; action++)
                assert_int_equal(
                        life_action_check((enum life_action)action, PARTITION_TRANSITIONAL, "web", NULL), -EBUSY);
}

static void only_transitions_show_as_transitional(void **state)
{
        struct unit u = {.p = {.state = PARTITION_ACTIVE}};

        (void)state;
        assert_int_equal(unit_shown_state(&u), PARTITION_ACTIVE);
        u.p.operation = "set";
        assert_int_equal(unit_shown_state(&u), PARTITION_ACTIVE);
        u.p.operation = "stop";
        assert_int_equal(unit_shown_state(&u), PARTITION_TRANSITIONAL);
        assert_string_equal(life_action_participle("stop"), "stopped");
}

/* --- steps ---------------------------------------------------------------------------------------------------------
 */

static size_t position(const struct operation *op, const char *step)
{
        for (size_t i = 0; i < op->n_steps; i++)
                if (strcmp(op->steps[i].name, step) == 0)
                        return i;
        fail_msg("'%s' has no step '%s'", op->name, step);
        return 0;
}

static void a_start_loads_everything_before_anything_runs(void **state)
{
        struct operation op = life_operation("start");

        (void)state;
        assert_int_equal(op.policy, STEPS_UNDO);
        assert_int_equal(position(&op, "spawn"), 0); /* the warden's program is loaded while the others work */
        assert_true(position(&op, "cgroup") < position(&op, "pool"));
        assert_true(position(&op, "pool") < position(&op, "warden")); /* nothing of it ever runs elsewhere */
        assert_true(position(&op, "warden") < position(&op, "net"));
        assert_true(position(&op, "net") < position(&op, "warden-run"));
}

/* What these make goes with what the steps "spawn", "kext", "kstat" and "devid" made. */
static void a_start_takes_back_all_but_what_others_take_back(void **state)
{
        struct operation op = life_operation("start");

        (void)state;
        for (size_t i = 0; i < op.n_steps; i++)
                assert_int_equal(op.steps[i].undo == NULL, strcmp(op.steps[i].name, "birth") == 0 ||
                                                                   strcmp(op.steps[i].name, "kext-run") == 0 ||
                                                                   strcmp(op.steps[i].name, "kstat-run") == 0 ||
                                                                   strcmp(op.steps[i].name, "disks-run") == 0 ||
                                                                   strcmp(op.steps[i].name, "devid-run") == 0);
}

static void a_stop_ends_processes_first_and_is_finished_when_interrupted(void **state)
{
        struct operation op = life_operation("stop");

        (void)state;
        assert_int_equal(op.policy, STEPS_FINISH);
        assert_int_equal(position(&op, "warden-run"), 0);
        assert_true(position(&op, "net") < position(&op, "warden"));
        assert_true(position(&op, "warden") < position(&op, "cgroup"));
        assert_int_equal(position(&op, "spawn"), op.n_steps - 1);
}

static void a_stop_releases_whatever_a_start_prepares(void **state)
{
        struct operation start = life_operation("start"), stop = life_operation("stop");

        (void)state;
        for (size_t i = 0; i < start.n_steps; i++)
                if (start.steps[i].undo)
                        (void)position(&stop, start.steps[i].name);
}

/* Statistics follow the processes: nobody sees a CPU on which he doesn't run yet. */
static void a_binding_moves_before_it_shows_and_can_be_taken_back(void **state)
{
        struct operation bind = life_operation("bind"), set = life_operation("set");

        (void)state;
        assert_int_equal(bind.policy, STEPS_UNDO);
        assert_true(position(&bind, "cpus") < position(&bind, "statistics"));
        assert_true(position(&set, "cpus") < position(&set, "statistics"));
        for (size_t i = 0; i < bind.n_steps; i++)
                assert_non_null(bind.steps[i].undo);
}

static void an_operation_of_another_version_is_known_as_such(void **state)
{
        (void)state;
        assert_int_equal(life_operation("teleport").n_steps, 0);
}

/* --- rates ---------------------------------------------------------------------------------------------------------
 */

static void the_fifth_death_in_a_short_time_is_one_too_many(void **state)
{
        struct rate rate = {.next = 0};

        (void)state;
        for (int i = 1; i < 5; i++)
                assert_false(rate_exceeded(&rate, 5, 1000000));
        assert_true(rate_exceeded(&rate, 5, 1000000));
}

static void old_deaths_are_forgotten(void **state)
{
        struct rate rate = {.at_s = {1, 1, 1, 1}, .next = 4}; /* just after the boot */

        (void)state;
        assert_false(rate_exceeded(&rate, 5, 0));
}

/* --- events --------------------------------------------------------------------------------------------------------
 */

static void events_come_in_order_to_every_subscriber(void **state)
{
        struct events *events = events_new();
        struct life_events *a = events_subscribe(events), *b = events_subscribe(events);
        char *line = NULL;

        (void)state;
        events_say(events, "state", "web", 3, "Active", "");
        events_say(events, "image", "base", 0, NULL, "unpacking");
        assert_int_equal(life_event_next(a, 0, &line), 1);
        assert_non_null(
                strstr(line, "\"type\":\"state\",\"partition\":\"web\",\"id\":3,\"state\":\"Active\",\"text\":\"\""));
        free(line);
        assert_int_equal(life_event_next(a, 0, &line), 1);
        assert_non_null(strstr(line, "\"text\":\"unpacking\""));
        assert_null(strstr(line, "\"state\":"));
        free(line);
        line = NULL;
        assert_int_equal(life_event_next(a, 0, &line), 0);
        assert_null(line);
        assert_int_equal(life_event_next(b, 0, &line), 1);
        free(line);
        life_unsubscribe(a);
        life_unsubscribe(b);
        events_free(events);
}

static void who_does_not_read_loses_the_oldest_and_is_told_how_many(void **state)
{
        struct events *events = events_new();
        struct life_events *s = events_subscribe(events);
        char *line = NULL, text[16];

        (void)state;
        for (int i = 0; i < 520; i++) {
                (void)snprintf(text, sizeof(text), "n%d", i);
                events_say(events, "progress", "web", 1, "Active", text);
        }
        assert_int_equal(life_event_next(s, 0, &line), 1);
        assert_non_null(strstr(line, "8 events were lost"));
        free(line);
        assert_int_equal(life_event_next(s, 0, &line), 1);
        assert_non_null(strstr(line, "\"n8\""));
        free(line);
        life_unsubscribe(s);
        events_free(events);
}

static void the_end_of_croftd_ends_every_wait(void **state)
{
        struct events *events = events_new();
        struct life_events *s = events_subscribe(events);
        char *line = NULL;

        (void)state;
        events_say(events, "progress", "web", 1, "Active", "last");
        events_end(events);
        assert_int_equal(life_event_next(s, 60000, &line), 1);
        free(line);
        assert_int_equal(life_event_next(s, 60000, &line), -ESHUTDOWN);
        life_unsubscribe(s);
        events_free(events);
}

/* --- processes -----------------------------------------------------------------------------------------------------
 */

static pid_t sleeping_child(void)
{
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0) {
                (void)signal(SIGTERM, SIG_DFL);
                for (;;)
                        (void)pause();
        }
        return pid;
}

static void a_process_is_known_by_pid_and_start_time(void **state)
{
        pid_t pid = sleeping_child(), found = 0;
        uint64_t start = 0;
        int64_t status = 0;
        int fd;

        (void)state;
        assert_int_equal(process_start_time(pid, &start), 0);
        assert_int_equal(process_open(pid, start + 1), -ESRCH);
        assert_int_equal(process_open(0, start), -ESRCH);
        fd = process_open(pid, start);
        assert_true(fd >= 0);
        assert_int_equal(process_of_pidfd(fd, &found), 0);
        assert_int_equal(found, pid);
        assert_false(process_ended(fd));
        assert_false(process_reap(fd, &status));
        assert_int_equal(process_signal(fd, SIGTERM), 0);
        assert_int_equal(process_wait(fd, 60000), 0);
        assert_int_equal(process_open(pid, start), -ESRCH); /* a zombie isn't it any more */
        assert_true(process_reap(fd, &status));
        assert_int_equal(status, (int64_t)CLD_KILLED << 8 | SIGTERM);
        assert_false(process_reap(fd, &status));
        assert_int_equal(process_signal(fd, SIGTERM), 0);
        assert_int_equal(process_of_pidfd(fd, &found), -ESRCH);
        close_fd(fd);
}

static void no_process_is_an_ended_one(void **state)
{
        pid_t pid = 0;

        (void)state;
        assert_int_equal(process_wait(-EBADF, 0), 0);
        assert_false(process_ended(-EBADF));
        assert_int_equal(process_of_pidfd(STDERR_FILENO, &pid), -EBADF);
        assert_int_equal(process_of_pidfd(-EBADF, &pid), -EBADF);
}

static uint64_t bit(int signal)
{
        return UINT64_C(1) << (signal - 1);
}

static void on_signal(int signal)
{
        (void)signal;
}

static void signals_are_told_as_caught_and_as_blocked(void **state)
{
        struct sigaction action = {.sa_handler = on_signal}, before;
        uint64_t caught = 0, blocked = 0;
        sigset_t set, old;

        (void)state;
        (void)sigemptyset(&set);
        (void)sigaddset(&set, SIGPWR);
        assert_int_equal(sigprocmask(SIG_BLOCK, &set, &old), 0);
        assert_int_equal(sigaction(SIGTERM, &action, &before), 0);
        assert_int_equal(process_signals(getpid(), &caught, &blocked), 0);
        assert_true(blocked & bit(SIGPWR));
        assert_false(blocked & (bit(SIGRTMIN + 3) | bit(SIGTERM)));
        assert_true(caught & bit(SIGTERM));
        assert_false(caught & (bit(SIGPWR) | bit(SIGRTMIN + 3)));
        assert_int_equal(sigaction(SIGTERM, &before, NULL), 0);
        assert_int_equal(sigprocmask(SIG_SETMASK, &old, NULL), 0);
        assert_false(process_waits_for_signal(getpid()));
}

static void an_init_is_told_to_stop_by_what_it_understands(void **state)
{
        const uint64_t all = ~UINT64_C(0);

        (void)state;
        assert_int_equal(life_stop_signal(0, bit(SIGCHLD) | bit(SIGTERM) | bit(SIGRTMIN + 3)), SIGRTMIN + 3);
        assert_int_equal(life_stop_signal(bit(SIGHUP) | bit(SIGPWR) | bit(SIGTERM), 0), SIGPWR);
        assert_int_equal(life_stop_signal(bit(SIGTERM), all), SIGTERM); /* a shell, just starting a program */
        assert_int_equal(life_stop_signal(bit(SIGHUP), bit(SIGTERM)), SIGTERM);
        assert_int_equal(life_stop_signal(bit(SIGHUP), bit(SIGCHLD)), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_action_is_allowed_in_just_its_states),
                cmocka_unit_test(a_broken_partition_says_how_it_is_repaired),
                cmocka_unit_test(nothing_else_is_allowed_meanwhile),
                cmocka_unit_test(only_transitions_show_as_transitional),
                cmocka_unit_test(a_start_loads_everything_before_anything_runs),
                cmocka_unit_test(a_start_takes_back_all_but_what_others_take_back),
                cmocka_unit_test(a_stop_ends_processes_first_and_is_finished_when_interrupted),
                cmocka_unit_test(a_stop_releases_whatever_a_start_prepares),
                cmocka_unit_test(a_binding_moves_before_it_shows_and_can_be_taken_back),
                cmocka_unit_test(an_operation_of_another_version_is_known_as_such),
                cmocka_unit_test(the_fifth_death_in_a_short_time_is_one_too_many),
                cmocka_unit_test(old_deaths_are_forgotten),
                cmocka_unit_test(events_come_in_order_to_every_subscriber),
                cmocka_unit_test(who_does_not_read_loses_the_oldest_and_is_told_how_many),
                cmocka_unit_test(the_end_of_croftd_ends_every_wait),
                cmocka_unit_test(a_process_is_known_by_pid_and_start_time),
                cmocka_unit_test(no_process_is_an_ended_one),
                cmocka_unit_test(signals_are_told_as_caught_and_as_blocked),
                cmocka_unit_test(an_init_is_told_to_stop_by_what_it_understands),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
