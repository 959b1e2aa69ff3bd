/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * statgrab_main.c - prints what libstatgrab's Solaris back end reads through our libkstat; built at test time by
 * test_libstatgrab.sh, against headers that come with libstatgrab's source.
 *
 * One line each: "NAME VALUE".  The parts that read /proc of Solaris (processes) or ask for what isn't statistics
 * (users, swap) aren't linked; the library's table of parts wants them, empty.
 */
#include "tools.h"

#include "globals.h"
#include "statgrab.h"

static const char *no_locks[] = {NULL};
#define ABSENT(part) const struct sg_comp_init sg_##part##_init = {.required_locks = no_locks}
ABSENT(process);
ABSENT(user);
ABSENT(swap);

/* sysinfo(2) of Solaris, for the name of the machine's architecture; its callers are compiled to call this. */
int statgrab_sysinfo(int what, char *buf, long size);
int statgrab_sysinfo(int what, char *buf, long size)
{
        (void)what;
        return snprintf(buf, (size_t)size, "linux") + 1;
}

static void print_disks(void)
{
        size_t n = 0;
        const sg_disk_io_stats *disks = sg_get_disk_io_stats(&n);

        printf("disks %zu\n", disks ? n : 0);
        for (size_t i = 0; disks && i < n; i++)
                printf("read:%s %llu\n", disks[i].disk_name, disks[i].read_bytes);
}

static void print_interfaces(void)
{
        size_t n = 0;
        const sg_network_io_stats *network = sg_get_network_io_stats(&n);

        printf("interfaces %zu\n", network ? n : 0);
        for (size_t i = 0; network && i < n; i++)
                printf("rx:%s %llu\n", network[i].interface_name, network[i].rx);
}

int main(void)
{
        const sg_cpu_stats *cpu;
        const sg_page_stats *page;
        const sg_host_info *host;

        if (sg_init(1) != SG_ERROR_NONE)
                return 3;
        cpu = sg_get_cpu_stats(NULL);
        page = sg_get_page_stats(NULL);
        host = sg_get_host_info(NULL);
        if (!cpu || !page || !host)
                return 4;
        printf("user %llu\nkernel %llu\nidle %llu\nswitches %llu\n", cpu->user, cpu->kernel, cpu->idle,
                cpu->context_switches);
        printf("pagein %llu\npageout %llu\n", page->pages_pagein, page->pages_pageout);
        printf("uptime %lld\n", (long long)host->uptime);
        print_disks();
        print_interfaces();
        return 0;
}
