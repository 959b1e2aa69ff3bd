/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * turns.h - how often something is tried.  An emulated CPU is 30 times as slow; what is tried thousands of times
 * natively is tried less often there, where the test is for another kernel's sake.
 */
#ifndef CROFT_TESTS_TURNS_H
#define CROFT_TESTS_TURNS_H

#include <stdlib.h>

static inline unsigned int turns(unsigned int n)
{
        return getenv("CROFT_GUEST") ? n / 10 : n;
}

/* Of a row of cases natively each is tried, there each nth. */
static inline unsigned int stride(unsigned int n)
{
        return getenv("CROFT_GUEST") ? n : 1;
}

#endif
