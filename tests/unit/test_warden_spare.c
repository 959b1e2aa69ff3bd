/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_warden_spare.c - the warden in reserve, with a script in the place of croft-warden.
 */
#include "base/cleanup.h"
#include "daemon/warden_spare.h"
#include "kernel/process.h"

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define WAIT_MS 10000

struct fixture {
        struct warden_spawner *spawner;
        struct warden_spare spare;
        char path[64];
};

static void write_program(struct fixture *f, const char *command)
{
        FILE *file = fopen(f->path, "we");

        assert_non_null(file);
        assert_true(fprintf(file, "#!/bin/sh\n%s\n", command) > 0);
        assert_int_equal(fclose(file), 0);
        assert_int_equal(chmod(f->path, 0700), 0);
}

static int setup(void **state)
{
        struct fixture *f = calloc(1, sizeof(*f));
        int fd;

        assert_non_null(f);
        (void)snprintf(f->path, sizeof(f->path), "/tmp/croft-spare.XXXXXX");
        fd = mkstemp(f->path);
        assert_true(fd >= 0);
        (void)close(fd);
        write_program(f, "exec cat <&3"); /* ends with its socket, as a warden does */
        assert_int_equal(warden_spawner_new(f->path, &f->spawner, NULL), 0);
        assert_int_equal(warden_spare_init(&f->spare, f->spawner, NULL), 0);
        *state = f;
        return 0;
}

static int teardown(void **state)
{
        struct fixture *f = *state;

        warden_spare_done(&f->spare);
        warden_spawner_free(f->spawner);
        (void)unlink(f->path);
        free(f);
        while (wait(NULL) > 0)
                ; /* each ends with its socket: hangs where one doesn't */
        return 0;
}

static void end(struct warden_process *process)
{
        (void)close(process->socket);
        assert_int_equal(process_wait(process->pidfd, WAIT_MS), 0);
        (void)close(process->pidfd);
}

static void fill(struct fixture *f)
{
        warden_spare_want(&f->spare);
        warden_spare_fill(&f->spare);
}

static void none_is_made_before_it_is_wanted(void **state)
{
        struct fixture *f = *state;

        warden_spare_fill(&f->spare);
        assert_true(f->spare.process.pidfd < 0);
}

static void the_one_in_reserve_is_taken(void **state)
{
        struct fixture *f = *state;
        struct warden_process process;
        pid_t pid;

        fill(f);
        pid = f->spare.process.pid;
        assert_int_equal(warden_spare_take(&f->spare, &process, NULL), 0);
        assert_int_equal(process.pid, pid);
        end(&process);
}

static void it_is_taken_once(void **state)
{
        struct fixture *f = *state;
        struct warden_process first, second;

        fill(f);
        assert_int_equal(warden_spare_take(&f->spare, &first, NULL), 0);
        assert_int_equal(warden_spare_take(&f->spare, &second, NULL), 0);
        assert_int_not_equal(first.pid, second.pid);
        end(&first);
        end(&second);
}

static void a_second_wish_keeps_the_one_that_waits(void **state)
{
        struct fixture *f = *state;
        pid_t pid;

        fill(f);
        pid = f->spare.process.pid;
        fill(f);
        assert_int_equal(f->spare.process.pid, pid);
}

static void a_dead_one_is_not_handed_out(void **state)
{
        struct fixture *f = *state;
        struct warden_process process;
        pid_t dead;

        fill(f);
        dead = f->spare.process.pid;
        assert_int_equal(kill(dead, SIGKILL), 0);
        assert_int_equal(process_wait(f->spare.process.pidfd, WAIT_MS), 0);
        assert_int_equal(warden_spare_take(&f->spare, &process, NULL), 0);
        assert_int_not_equal(process.pid, dead);
        assert_false(process_ended(process.pidfd));
        end(&process);
}

static void one_that_speaks_unasked_is_not_handed_out(void **state)
{
        struct fixture *f = *state;
        struct pollfd p = {.events = POLLIN};
        struct warden_process process;
        pid_t talker;

        write_program(f, "echo hello >&3; exec cat <&3");
        fill(f);
        talker = f->spare.process.pid;
        p.fd = f->spare.process.socket;
        assert_int_equal(poll(&p, 1, WAIT_MS), 1);
        assert_int_equal(warden_spare_take(&f->spare, &process, NULL), 0);
        assert_int_not_equal(process.pid, talker);
        end(&process);
}

static void what_can_not_be_spawned_is_told_by_the_one_who_takes(void **state)
{
        struct fixture *f = *state;
        struct croft_error err = CROFT_ERROR_INIT;
        struct warden_process process;

        (void)unlink(f->path);
        fill(f);
        assert_true(f->spare.process.pidfd < 0);
        assert_int_equal(warden_spare_take(&f->spare, &process, &err), -ENOENT);
        assert_int_equal(err.code, ENOENT);
}

/* Nor does it have them for a moment: the thread that makes it hasn't any. */
static void a_child_has_no_descriptor_of_its_parent(void **state)
{
        struct fixture *f = *state;
        int stray = open("/dev/null", O_RDONLY); /* without O_CLOEXEC */
        struct warden_process process;
        char path[64], line[256] = "";
        ssize_t n;

        assert_true(stray > 3);
        write_program(f, "ls /proc/self/fd | tr '\\n' ' ' >&3; exec cat <&3");
        assert_int_equal(warden_spawn(f->spawner, "warden", &process, NULL), 0);
        assert_int_equal(poll(&(struct pollfd){.fd = process.socket, .events = POLLIN}, 1, WAIT_MS), 1);
        n = read(process.socket, line, sizeof(line) - 1);
        assert_true(n > 0);
        assert_string_equal(line, "0 1 2 3 4 "); /* 4: ls reads the directory */
        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", stray);
        assert_int_equal(access(path, F_OK), 0); /* we still have it */
        (void)close(stray);
        end(&process);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(none_is_made_before_it_is_wanted, setup, teardown),
                cmocka_unit_test_setup_teardown(the_one_in_reserve_is_taken, setup, teardown),
                cmocka_unit_test_setup_teardown(it_is_taken_once, setup, teardown),
                cmocka_unit_test_setup_teardown(a_second_wish_keeps_the_one_that_waits, setup, teardown),
                cmocka_unit_test_setup_teardown(a_dead_one_is_not_handed_out, setup, teardown),
                cmocka_unit_test_setup_teardown(one_that_speaks_unasked_is_not_handed_out, setup, teardown),
                cmocka_unit_test_setup_teardown(a_child_has_no_descriptor_of_its_parent, setup, teardown),
                cmocka_unit_test_setup_teardown(what_can_not_be_spawned_is_told_by_the_one_who_takes, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
