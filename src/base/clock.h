/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * clock.h - what time it is.  These clocks are there on every kernel: reading one can't fail.
 */
#ifndef CROFT_BASE_CLOCK_H
#define CROFT_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

/* clock: CLOCK_REALTIME, CLOCK_MONOTONIC or CLOCK_BOOTTIME. */
static inline int64_t now_ns(clockid_t clock)
{
        struct timespec t = {0};

        (void)clock_gettime(clock, &t);
        return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* CLOCK_MONOTONIC, for what is measured against a later call. */
static inline int64_t now_ms(void)
{
        return now_ns(CLOCK_MONOTONIC) / 1000000;
}

#endif
