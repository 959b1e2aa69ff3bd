/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_kstat_counts.c - statistics that count what happens, on the real kernel: interrupts of the machine against
 * /proc, the sums of vminfo and sysinfo against what they are sums of.
 *
 * where: here guest
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "kernel/cpus.h"
#include "kstat/illumos.h"
#include "sources_kit.h"
#include "tap.h"

#include <ctype.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#define MACHINE 0

static struct croft_error err;
#define COLUMNS 256

/* --- what /proc says --- */

static char *text_of(const char *path)
{
        char *text = NULL;

        return fd_read_file(AT_FDCWD, path, 1u << 20, &text, NULL) == 0 ? text : NULL;
}

struct table {
        int cpu[COLUMNS]; /* of each column */
        size_t n;
        uint64_t sum[COLUMNS]; /* by CPU */
};

static void read_columns(struct table *t, const char *line)
{
        for (const char *at = line; (at = strstr(at, "CPU")) && at < strchrnul(line, '\n') && t->n < COLUMNS; at += 3)
                t->cpu[t->n++] = atoi(at + 3);
}

/* A row whose name passes counts. */
static void add_row(struct table *t, const char *line, bool (*counts)(const char *name))
{
        char name[16] = "", *end;
        const char *at = strchr(line, ':');

        if (sscanf(line, " %15[^: ]", name) != 1 || !at || !counts(name))
                return;
        at++;
        for (size_t i = 0; i < t->n; i++, at = end) {
                uint64_t value = strtoull(at, &end, 10);

                if (end == at)
                        return;
                t->sum[t->cpu[i]] += value;
        }
}

static void read_table(const char *path, bool (*counts)(const char *name), struct table *ret)
{
        _cleanup_free_ char *text = text_of(path);

        *ret = (struct table){.n = 0};
        if (text)
                read_columns(ret, text);
        for (const char *line = text ? strchr(text, '\n') : NULL; line; line = strchr(line + 1, '\n'))
                add_row(ret, line + 1, counts);
}

static bool every(const char *name)
{
        (void)name;
        return true;
}

static bool spurious(const char *name)
{
        return strcmp(name, "SPU") == 0;
}

/* What /proc/stat adds up: devices, and these of the processor. */
static bool hard(const char *name)
{
        static const char *const own[] = {"NMI", "LOC", "PMI", "IWI", "RTR", "PLT", "RES", "CAL", "TRM", "THR", "MCE",
                "MCP", "HYP", "HRE", "HVS"};

        for (size_t i = 0; i < ELEMENTS(own); i++)
                if (strcmp(name, own[i]) == 0)
                        return true;
        return isdigit((unsigned char)name[0]);
}

/* --- interrupts --- */

/* Counters of 32 bits wrap. */
static bool between(uint32_t value, uint64_t before, uint64_t after)
{
        return (uint32_t)(value - (uint32_t)before) <= (uint32_t)(after - before);
}

static const struct illumos_intr *interrupts_of(uint64_t subject, unsigned int cpu)
{
        static struct kstat_call call;

        if (ask(KSTAT_SOURCE_CPU_INTR, subject, cpu, &call) < 0)
                (void)ok(false, "cpu:%u:intr has an answer", cpu);
        return (const struct illumos_intr *)(const void *)call.data;
}

static void interrupts_agree_with_proc(void)
{
        static struct table hard_before, hard_after, soft_before, soft_after, none_before, none_after;
        struct cpus online;

        if (!ok_r(cpus_read("online", &online, &err), &err, "there are CPUs"))
                return;
        for (unsigned int cpu = 0; cpus_next(&online, &cpu); cpu++) {
                uint32_t seen[ILLUMOS_INTRS];

                read_table("/proc/interrupts", hard, &hard_before);
                read_table("/proc/interrupts", spurious, &none_before);
                read_table("/proc/softirqs", every, &soft_before);
                memcpy(seen, interrupts_of(MACHINE, cpu)->intrs, sizeof(seen));
                read_table("/proc/interrupts", hard, &hard_after);
                read_table("/proc/interrupts", spurious, &none_after);
                read_table("/proc/softirqs", every, &soft_after);
                (void)ok(hard_before.sum[cpu] > 0 &&
                                 between(seen[ILLUMOS_INTR_HARD], hard_before.sum[cpu], hard_after.sum[cpu]),
                        "interrupts of CPU %u are those of /proc/interrupts (%" PRIu64 ", %u, %" PRIu64 ")", cpu,
                        hard_before.sum[cpu], seen[ILLUMOS_INTR_HARD], hard_after.sum[cpu]);
                (void)ok(soft_before.sum[cpu] > 0 &&
                                 between(seen[ILLUMOS_INTR_SOFT], soft_before.sum[cpu], soft_after.sum[cpu]),
                        "soft ones those of /proc/softirqs (%" PRIu64 ", %u, %" PRIu64 ")", soft_before.sum[cpu],
                        seen[ILLUMOS_INTR_SOFT], soft_after.sum[cpu]);
                (void)ok(between(seen[ILLUMOS_INTR_SPURIOUS], none_before.sum[cpu], none_after.sum[cpu]),
                        "and spurious ones");
        }
}

static uint64_t first_number(const char *path, const char *key)
{
        _cleanup_free_ char *text = text_of(path);

        return number_in(text, key);
}

/* The kernel has added them up by itself; errors of the controller, of no CPU, are in its sum, too. */
static void interrupts_add_up(void)
{
        uint64_t before = first_number("/proc/stat", "intr"), after;
        struct cpus online;
        uint32_t sum = 0;

        if (cpus_read("online", &online, &err) < 0)
                return;
        for (unsigned int cpu = 0; cpus_next(&online, &cpu); cpu++) {
                const struct illumos_intr *seen = interrupts_of(MACHINE, cpu);

                sum += seen->intrs[ILLUMOS_INTR_HARD] + seen->intrs[ILLUMOS_INTR_SPURIOUS];
        }
        after = first_number("/proc/stat", "intr");
        (void)ok(between(sum + (uint32_t)first_number("/proc/interrupts", "ERR:"), before, after),
                "all together are what /proc/stat says (%" PRIu64 ", %u, %" PRIu64 ")", before, sum, after);
}

static void a_partition_has_no_interrupts(void)
{
        static const struct illumos_intr none;
        struct kstat_call call;

        (void)ok(memcmp(interrupts_of(A, 0), &none, sizeof(none)) == 0, "inside a partition none is counted");
        (void)ok(ask(KSTAT_SOURCE_CPU_INTR, MACHINE, 200, &call) == -ENXIO, "nor has a CPU that isn't there any");
}

/* --- vminfo, sysinfo --- */

static struct illumos_vminfo vminfo_of(uint64_t subject)
{
        struct kstat_call call;
        struct illumos_vminfo ret;

        if (ask(KSTAT_SOURCE_VMINFO, subject, 0, &call) < 0)
                (void)ok(false, "unix:0:vminfo has an answer");
        memcpy(&ret, call.data, sizeof(ret));
        return ret;
}

static struct illumos_sysinfo sysinfo_of(uint64_t subject)
{
        struct kstat_call call;
        struct illumos_sysinfo ret;

        if (ask(KSTAT_SOURCE_SYSINFO, subject, 0, &call) < 0)
                (void)ok(false, "unix:0:sysinfo has an answer");
        memcpy(&ret, call.data, sizeof(ret));
        return ret;
}

static uint64_t free_pages(uint64_t subject)
{
        struct kstat_call call;

        (void)ask(KSTAT_SOURCE_SYSTEM_PAGES, subject, 0, &call);
        return (uint64_t)((const struct kstat_data_system_pages *)(const void *)call.data)->freemem;
}

/* Of what is limited: the machine's memory is taken and given meanwhile. */
static void the_first_read_is_one_look(void)
{
        struct illumos_vminfo v;
        uint64_t now;

        (void)ok_r(cgroup_set(tree, A, "memory.max", "100M", &err), &err, "memory is limited");
        now = free_pages(A);
        v = vminfo_of(A);
        (void)ok(v.updates == 1 && near(v.freemem, now, 64),
                "the first read is one look at what is free (%" PRIu64 ", %" PRIu64 ")", (uint64_t)v.freemem, now);
}

static void looks_are_a_second_apart(void)
{
        time_t began = now_s();
        struct illumos_vminfo first = vminfo_of(A), last = first;

        for (int i = 0; i < 1000; i++)
                last = vminfo_of(A);
        (void)ok(last.updates - first.updates <= (uint64_t)(now_s() - began) + 1,
                "a thousand reads are no thousand looks (%" PRIu64 ")", (uint64_t)(last.updates - first.updates));
}

/* A read alone would be one more look.  Once more where others had the CPU for seconds. */
static void looks_go_on_between_reads(void)
{
        time_t limit = now_s() + PATIENCE_S;
        struct illumos_vminfo first, last = vminfo_of(A);

        do {
                first = last;
                nap(5500);
                last = vminfo_of(A);
        } while (last.updates - first.updates < 4 && now_s() < limit);
        (void)ok(last.updates - first.updates >= 4, "looks go on between reads (%" PRIu64 ")",
                (uint64_t)(last.updates - first.updates));
}

static void means_are_what_is_free(const struct partition *a)
{
        time_t limit = now_s() + PATIENCE_S;
        struct illumos_vminfo first, last;
        uint64_t mean, before = free_pages(A);

        a->orders->mebi = 32;
        while (a->orders->have < 32 && now_s() < limit)
                nap(10);
        first = vminfo_of(A);
        do {
                nap(1000);
                last = vminfo_of(A);
        } while (last.updates < first.updates + 3 && now_s() < limit);
        mean = (last.freemem - first.freemem) / (last.updates - first.updates);
        (void)ok(mean < before && near(mean, free_pages(A), 64),
                "what programs work out is what is free then (%" PRIu64 ", %" PRIu64 ")", mean, free_pages(A));
        (void)ok(mean <= 68 * MEBI / (uint64_t)getpagesize(), "which is 100 MiB less what was taken");
        (void)ok_r(cgroup_set(tree, A, "memory.max", "max", &err), &err, "it is lifted");
}

static void queues_are_counted(const struct partition *a)
{
        struct illumos_sysinfo first, last, idle, idle_last;
        time_t limit = now_s() + PATIENCE_S;

        a->orders->burners = 3;
        while (a->orders->burners > 0 && now_s() < limit)
                nap(10);
        nap(500); /* until all of them want the one CPU */
        first = sysinfo_of(A);
        idle = sysinfo_of(B);
        do {
                nap(1000);
                last = sysinfo_of(A);
        } while (last.updates < first.updates + 4 && now_s() < limit);
        idle_last = sysinfo_of(B);
        /* The one that a reader adds may see one less: the reader has the CPU that one of them would have. */
        (void)ok(last.runque - first.runque >= 2 * (last.updates - first.updates - 2),
                "of three that want one CPU two wait at each look (%u of %u)", last.runque - first.runque,
                last.updates - first.updates);
        (void)ok(last.runocc - first.runocc == last.updates - first.updates, "there is none without (%u)",
                last.runocc - first.runocc);
        (void)ok(idle_last.updates > idle.updates && idle_last.runque - idle.runque <= idle_last.updates - idle.updates,
                "an idle partition's don't (%u of %u)", idle_last.runque - idle.runque,
                idle_last.updates - idle.updates);
        (void)ok(last.swpque == 0 && last.swpocc == 0, "nobody is swapped out whole");
}

/* Pages free in all zones. */
static uint64_t free_in_zones(void)
{
        _cleanup_free_ char *text = text_of("/proc/zoneinfo");
        uint64_t sum = 0;

        for (const char *at = text; at && (at = strstr(at, " nr_free_pages ")); at++)
                sum += strtoull(at + strlen(" nr_free_pages "), NULL, 10);
        return sum;
}

static void the_machine_has_sums_too(void)
{
        const uint64_t slack = 256 * MEBI / (uint64_t)getpagesize();
        uint64_t before = free_in_zones(), after;
        struct illumos_vminfo v = vminfo_of(MACHINE);
        struct illumos_sysinfo s = sysinfo_of(MACHINE);

        after = free_in_zones();
        (void)ok(before > 0 && v.updates == 1 && v.freemem + slack >= (before < after ? before : after) &&
                         v.freemem <= (before < after ? after : before) + slack,
                "of the machine it is what is free in its zones (%" PRIu64 ", %" PRIu64 ", %" PRIu64 ")", before,
                (uint64_t)v.freemem, after);
        (void)ok(s.updates >= 1 && s.runque >= s.runocc, "and its queues");
}

int main(void)
{
        struct kstat_place machine = {.partition = MACHINE, .init = getpid()};
        struct partition a, b;

        (void)snprintf(tag, sizeof(tag), "test%d", (int)getpid());
        if (!ok_r(cgroup_tree_open(tag, NULL, &tree, &err), &err, "the hierarchies are found") ||
                !ok_r(kstat_sampler_open(&KSTAT_SHARED_NONE, &sampler, &err), &err, "the sampler loads"))
                return tap_end();
        if (make(A, &a) && make(B, &b) && ok(load_sources(), "the sources load") &&
                ok_r(kstats_find_objects(sampler, &machine, NULL, &err), &err, "the machine's objects are found")) {
                interrupts_agree_with_proc();
                interrupts_add_up();
                a_partition_has_no_interrupts();
                the_first_read_is_one_look();
                looks_are_a_second_apart();
                looks_go_on_between_reads();
                means_are_what_is_free(&a);
                queues_are_counted(&a);
                the_machine_has_sums_too();
        }
        kstat_source_bpf__destroy(source);
        end(&a);
        end(&b);
        sampler = kstat_sampler_free(sampler);
        (void)ok_r(cgroup_tree_remove(tree, &err), &err, "the tree is removed");
        tree = cgroup_tree_free(tree);
        return tap_end();
}
