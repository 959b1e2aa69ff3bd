/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * tap.h - the few words of the Test Anything Protocol that the integration tests in C need.
 */
#ifndef CROFT_TESTS_TAP_H
#define CROFT_TESTS_TAP_H

#include <croft/error.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/* One count for all files of a test. */
__attribute__((weak)) unsigned int tap_count, tap_failed;

/* One claim. */
__attribute__((format(printf, 2, 3))) static inline bool ok(bool truth, const char *claim, ...)
{
        va_list ap;

        printf("%s %u - ", truth ? "ok" : "not ok", ++tap_count);
        va_start(ap, claim);
        vprintf(claim, ap);
        va_end(ap);
        putchar('\n');
        (void)fflush(stdout);
        tap_failed += !truth;
        return truth;
}

/* A claim that a function of croft succeeded; tells the error when it didn't. */
static inline bool ok_r(int r, struct croft_error *err, const char *claim)
{
        char line[CROFT_ERROR_TEXT_MAX];

        if (!ok(r >= 0, "%s", claim))
                printf("# %d: %s\n", r, croft_error_line(err, line, sizeof(line)));
        croft_error_clear(err);
        return r >= 0;
}

/* A claim that it failed with that errno; shows what it says. */
static inline bool ok_fails(int r, int code, struct croft_error *err, const char *claim)
{
        char line[CROFT_ERROR_TEXT_MAX];
        bool truth = ok(r == -code && err->code == code, "%s", claim);

        printf("# %d: %s\n", r, croft_error_line(err, line, sizeof(line)));
        croft_error_clear(err);
        return truth;
}

/* A claim that can't be looked at here. */
static inline void skip(const char *claim, const char *why)
{
        printf("ok %u - %s # SKIP %s\n", ++tap_count, claim, why);
}

static inline int tap_end(void)
{
        printf("1..%u\n", tap_count);
        return tap_failed ? 1 : 0;
}

#endif
