/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_steps_release.c - the engine of steps compiled as for a release: CROFT_CRASH_AT means nothing to it.
 */
#include "base/steps.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void a_release_ignores_every_crash_point(void **state)
{
        static const char *const suffixes[] = {"", ".done"};

        (void)state;
        for (size_t i = 0; i < 2; i++) {
                int status;
                pid_t pid = fork();

                assert_true(pid >= 0);
                if (pid == 0) {
                        (void)setenv("CROFT_CRASH_AT", i ? "stop.net.done" : "stop.net", 1);
                        crash_point("stop", "net", suffixes[i]);
                        _exit(0);
                }
                assert_int_equal(waitpid(pid, &status, 0), pid);
                assert_int_equal(status, 0);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(a_release_ignores_every_crash_point)};

        return cmocka_run_group_tests(tests, NULL, NULL);
}
