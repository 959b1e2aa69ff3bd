/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * illumos_means.c - written as for Solaris: how much was free and how many waited, on the mean of an interval, as
 * sar(1) and top(1) work it out there, and the interrupts of a CPU.  It is compiled as it is.
 */
#include <kstat.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sysinfo.h>
#include <unistd.h>

static void *fetch(kstat_ctl_t *kc, const char *module, int instance, const char *name, uchar_t type, void *data)
{
        kstat_t *ksp = kstat_lookup(kc, (char *)module, instance, (char *)name);

        if (ksp == NULL || ksp->ks_type != type || kstat_read(kc, ksp, data) == -1) {
                perror(name);
                exit(1);
        }
        return ksp->ks_data;
}

int main(void)
{
        kstat_ctl_t *kc = kstat_open();
        vminfo_t then, now;
        sysinfo_t before, after;
        kstat_intr_t *intr;
        uint64_t updates;

        if (kc == NULL)
                return 2;
        (void)fetch(kc, "unix", 0, "vminfo", KSTAT_TYPE_RAW, &then);
        (void)fetch(kc, "unix", 0, "sysinfo", KSTAT_TYPE_RAW, &before);
        do {
                (void)sleep(1);
                (void)fetch(kc, "unix", 0, "vminfo", KSTAT_TYPE_RAW, &now);
                (void)fetch(kc, "unix", 0, "sysinfo", KSTAT_TYPE_RAW, &after);
        } while (now.updates < then.updates + 2 || after.updates < before.updates + 2);
        updates = now.updates - then.updates;
        printf("free %llu\n", (unsigned long long)((now.freemem - then.freemem) / updates));
        printf("swap %llu\n",
                (unsigned long long)((now.swap_avail + now.swap_resv - then.swap_avail - then.swap_resv) / updates));
        printf("runq %u\n", (after.runque - before.runque) / (after.updates - before.updates));
        intr = fetch(kc, "cpu", 0, "intr", KSTAT_TYPE_INTR, NULL);
        printf("hard %u\nsoft %u\n", intr->intrs[KSTAT_INTR_HARD], intr->intrs[KSTAT_INTR_SOFT]);
        (void)kstat_close(kc);
        return 0;
}
