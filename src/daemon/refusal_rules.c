/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * refusal_rules.c - see refusal_rules.h.
 */
#include "daemon/refusal_rules.h"

#include "base/hash.h"

#include <stdbool.h>
#include <string.h>

static bool is_told(const struct refusals_own *own, uint64_t this)
{
        for (unsigned int i = 0; i < own->n && i < REFUSALS_MAX; i++)
                if (own->told[i] == this)
                        return true;
        return false;
}

enum refusal refusal_judge(struct refusals_all *all, struct refusals_own *own, const char *line)
{
        uint64_t this = hash_bytes(HASH_BEGIN, line, strlen(line)); /* who finds two of one hides one of his own */

        if (own->cleared != all->cleared)
                *own = (struct refusals_own){.cleared = all->cleared};
        if (own->n > REFUSALS_MAX || is_told(own, this))
                return REFUSAL_QUIET;
        if (own->n == REFUSALS_MAX || all->n >= REFUSALS_ALL_MAX) {
                own->n = REFUSALS_MAX + 1;
                return REFUSAL_TELL_END;
        }
        own->told[own->n++] = this;
        all->n++;
        return REFUSAL_TELL;
}

void refusals_clear(struct refusals_all *all)
{
        *all = (struct refusals_all){.cleared = all->cleared + 1};
}
