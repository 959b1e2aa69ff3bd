/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * affinity.c - see affinity.h.
 */
#include "kernel/affinity.h"

#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

static long n_online;
static cpu_set_t anywhere; /* of a process that nobody has bound: doesn't end at the CPUs of today */

static void look_at_cpus(void)
{
        n_online = sysconf(_SC_NPROCESSORS_ONLN);
        memset(&anywhere, 0xff, sizeof(anywhere));
}

bool affinity_is_free(pid_t pid)
{
        static pthread_once_t once = PTHREAD_ONCE_INIT;
        cpu_set_t set;

        (void)pthread_once(&once, look_at_cpus);
        return n_online > 1 && sched_getaffinity(pid, sizeof(set), &set) == 0 && CPU_COUNT(&set) == n_online;
}

static bool keep_off(pid_t pid, int cpu)
{
        cpu_set_t set = anywhere;

        if (cpu < 0 || cpu >= CPU_SETSIZE)
                return false;
        CPU_CLR((size_t)cpu, &set);
        return sched_setaffinity(pid, sizeof(set), &set) == 0;
}

bool affinity_keep_off_ours(pid_t pid)
{
        return affinity_is_free(pid) && keep_off(pid, sched_getcpu());
}

bool affinity_keep_off_that_of(pid_t pid)
{
        cpu_set_t set;

        if (sched_getaffinity(pid, sizeof(set), &set) < 0 || CPU_COUNT(&set) != 1 || !affinity_is_free(0))
                return false;
        for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
                if (CPU_ISSET((size_t)cpu, &set))
                        return keep_off(0, cpu);
        return false;
}

int affinity_stay(int cpu)
{
        cpu_set_t set;

        cpu = cpu < 0 ? sched_getcpu() : cpu;
        if (cpu < 0 || cpu >= CPU_SETSIZE)
                return -1;
        CPU_ZERO(&set);
        CPU_SET((size_t)cpu, &set);
        return sched_setaffinity(0, sizeof(set), &set) == 0 ? cpu : -1;
}

void affinity_keep_off(int cpu)
{
        (void)keep_off(0, cpu);
}

void affinity_let_run(pid_t pid)
{
        (void)sched_setaffinity(pid, sizeof(anywhere), &anywhere); /* it may have ended */
}
