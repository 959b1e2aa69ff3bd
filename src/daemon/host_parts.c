/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * host_parts.c - see host_parts.h.
 *
 * The probes of the kernel say what could be; this says what croftd has in its hands, and why not more.
 */
#include "daemon/host_parts.h"

#include <stdio.h>

static const struct {
        const char *name, *use, *lost;
} parts[HOST_PARTS] = {
        [HOST_PLANE] = {"kernel-plane", "who is in which partition, known in the kernel",
                "partitions run without what needs BPF"},
        [HOST_KSTATS] = {"statistics-bpf", "programs read statistics by key, by bpf(2)", "statistics by key"},
        [HOST_SOCKOPT] = {"statistics-getsockopt", "the same by getsockopt(2), for programs that may not use bpf(2)",
                "such programs get no statistics by key"},
        [HOST_SAMPLER] = {"figures", "figures of a partition in its /proc, in croft top and /metrics",
                "partitions show the host's figures"},
        [HOST_MOUNTS] = {"mount-statistics", "statistics of each mount, croft fsstat", "statistics of mounts"},
        [HOST_ERRLOG] = {"error-record", "croft error, croft-error: errors of a partition in the kernel's memory",
                "errors are in the log and in the answers only"},
        [HOST_DEVID] = {"device-numbers", "croft devid: device numbers for partitions, from a table in the kernel",
                "partitions can't ask for device numbers"},
        [HOST_AUTOLOAD] = {"autoload-guard",
                "what partitions make the kernel look for by itself is refused, or loaded where that is granted",
                "partitions make the kernel load modules, and nobody is told"},
        [HOST_INTERCEPTION] = {"intercepted-calls", "sysinfo(2) tells a partition its own figures",
                "sysinfo(2) tells the host's figures"},
};

void host_part_judge(const struct host *host, enum host_part part, struct probe_result *ret)
{
        const struct croft_error *why = &host->lacks[part];

        *ret = (struct probe_result){.name = parts[part].name, .use = parts[part].use};
        if (why->code == 0)
                return;
        ret->status = PROBE_MISSING;
        ret->lost = parts[part].lost;
        (void)croft_error_line(why, ret->detail, sizeof(ret->detail));
}
