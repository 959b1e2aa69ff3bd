/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cgroup_join.c - how a process that has just been cloned enters the v1 cgroups of its partition.  Alone, because
 * wardens and sessions need nothing else of cgroup.h.
 */
#include "kernel/cgroup.h"

#include <errno.h>
#include <unistd.h>

int cgroup_join_v1(const int *fds, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (write(fds[i], "0", 1) < 0)
                        return -errno;
        return 0;
}
