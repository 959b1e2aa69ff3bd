/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * view_kit.c - see view_kit.h.
 */
#include "view_kit.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define TEXT(s)                                                                                                        \
        {                                                                                                              \
                s, sizeof(s) - 1                                                                                       \
        }

static const char *const cpuinfo[] = {
        "processor\t: 0\nphysical id\t: 0\nsiblings\t: 2\ncpu cores\t: 2\nflags\t\t: fpu\n",
        "processor\t: 1\nphysical id\t: 0\nsiblings\t: 2\ncpu cores\t: 2\nflags\t\t: fpu\n",
        "processor\t: 2\nphysical id\t: 1\nsiblings\t: 2\ncpu cores\t: 2\nflags\t\t: fpu\n",
        "processor\t: 3\nphysical id\t: 1\nsiblings\t: 2\ncpu cores\t: 2\nflags\t\t: fpu\n",
};

static struct facts_text meminfo[] = {TEXT("MemTotal"), TEXT("MemFree"), TEXT("MemAvailable"), TEXT("Buffers"),
        TEXT("Cached"), TEXT("SwapCached"), TEXT("Active(file)"), TEXT("Inactive(file)"), TEXT("SwapTotal"),
        TEXT("SwapFree"), TEXT("AnonPages"), TEXT("Shmem"), TEXT("SReclaimable"), TEXT("CommitLimit"),
        TEXT("HardwareCorrupted"), TEXT("VmallocTotal"), TEXT("HugePages_Total"), TEXT("Hugepagesize"),
        TEXT("SomethingNew")};
static struct facts_text vmstat[] = {TEXT("nr_free_pages"), TEXT("nr_kernel_stack"), TEXT("pgpgin"), TEXT("pgpgout"),
        TEXT("pgfault"), TEXT("oom_kill"), TEXT("nr_of_tomorrow")};

static void put_cpu_files(struct wire_writer *w, uint32_t cpu)
{
        struct facts_file size = {.path = TEXT("cache/index0/size"), .text = TEXT("32K\n")};
        struct facts_file shared = {.path = TEXT("cache/index0/shared_cpu_list"), .kind = FACTS_FILE_MASK_LIST};
        struct facts_file siblings = {.path = TEXT("topology/core_siblings"), .kind = FACTS_FILE_MASK};

        shared.cpus[0] = 15;
        siblings.cpus[0] = cpu < 2 ? 3 : 12;
        facts_file_encode(w, &shared);
        facts_file_encode(w, &size);
        facts_file_encode(w, &siblings);
}

static void put_host_files(struct wire_writer *w)
{
        struct facts_file kernel_max = {.path = TEXT("kernel_max"), .text = TEXT("255\n")};
        struct facts_file meltdown = {.path = TEXT("vulnerabilities/meltdown"), .text = TEXT("Not affected\n")};

        facts_file_encode(w, &kernel_max);
        facts_file_encode(w, &meltdown);
}

void kit_facts(struct wire_writer *w)
{
        struct wire_writer cpu_files[4] = {WIRE_WRITER_INIT, WIRE_WRITER_INIT, WIRE_WRITER_INIT, WIRE_WRITER_INIT};
        struct wire_writer host_files = WIRE_WRITER_INIT;
        struct facts_cpu cpus[4];
        struct facts_disk disks[] = {
                {8, 0, 20 * GIB, 1, 512, TEXT("sda"), TEXT("sd")}, {8, 16, 1 * GIB, 0, 4096, TEXT("sdb"), TEXT("sd")}};
        struct view_facts f = {.user_hz = 100, .page_bytes = 4096, .n_possible = 8, .overcommit_ratio = 50};

        for (uint32_t i = 0; i < 4; i++) {
                put_cpu_files(&cpu_files[i], i);
                cpus[i] = (struct facts_cpu){.number = i, .package = i / 2, .core = i};
                cpus[i].cpuinfo = (struct facts_text){cpuinfo[i], (uint32_t)strlen(cpuinfo[i])};
                cpus[i].files = (struct facts_files){cpu_files[i].data, (uint32_t)cpu_files[i].used, 3};
        }
        put_host_files(&host_files);
        f.schedstat_version = 17;
        f.memory_bytes = 16 * GIB;
        f.swap_bytes = 4 * GIB;
        f.hugepage_bytes = 2 * MIB;
        f.vmalloc_bytes = 34359738367 * 1024;
        f.block_bytes = 128 * MIB;
        f.seed[0] = 1;
        f.seed[1] = 2;
        f.meminfo = meminfo;
        f.n_meminfo = ELEMENTS(meminfo);
        f.vmstat = vmstat;
        f.n_vmstat = ELEMENTS(vmstat);
        f.system_cpu = (struct facts_files){host_files.data, (uint32_t)host_files.used, 2};
        f.cpus = cpus;
        f.n_cpus = 4;
        f.disks = disks;
        f.n_disks = 2;
        facts_encode(w, &f);
        for (size_t i = 0; i < 4; i++)
                wire_writer_done(&cpu_files[i]);
        wire_writer_done(&host_files);
}

static void fill_sample(struct kstat_sample *s)
{
        *s = (struct kstat_sample){.version = KSTAT_SAMPLE_VERSION, .size = sizeof(*s), .n_cpus = 4};
        s->start_ns = 500 * SEC;
        s->boottime_ns = s->now_ns = 1500 * SEC;
        s->cpus[0] = 6;
        s->configured[0] = 14;
        for (size_t i = 0; i < 4; i++)
                s->cpu[i] = (struct kstat_sample_cpu){i * SEC, 0, i * SEC / 2};
        s->forks = s->switches = 1000;
        s->threads = 12;
        s->running = 2;
        s->processes_last = 345;
        s->load[0] = 2048 + 1024;
        s->memory.limit = 2 * GIB;
        s->memory.usage = 512 * MIB;
        s->memory.file = 200 * MIB;
        s->memory.anon = 256 * MIB;
        s->memory.shmem = 8 * MIB;
        s->memory.active_file = 100 * MIB;
        s->memory.inactive_file = 92 * MIB;
        s->memory.slab_reclaimable = 10 * MIB;
        s->memory.swap_limit = 1 * GIB;
        s->memory.swap_usage = 100 * MIB;
        s->memory.pgfault = 777;
}

void kit_begin(struct kit *k)
{
        memset(k, 0, sizeof(*k));
        kit_facts(&k->w);
        assert(k->w.fault == 0);
        if (view_facts_decode(k->w.data, k->w.used, &k->facts) < 0 || view_new(k->facts, &k->view) < 0)
                assert(!"the kit's own facts");
        view_set_realtime(k->view, 1000000 * (int64_t)SEC);
        fill_sample(&k->sample);
}

void kit_end(struct kit *k)
{
        view_freep(&k->view);
        view_facts_freep(&k->facts);
        wire_writer_done(&k->w);
}

void kit_successor(struct kit *k)
{
        view_freep(&k->view);
        if (view_new(k->facts, &k->view) < 0)
                assert(!"memory");
        view_set_realtime(k->view, 1000000 * (int64_t)SEC);
}

/* The node with this path below one of the trees; 0: none. */
static uint64_t tree_node(struct kit *k, const char *path)
{
        for (size_t i = 0; i < view_tree_count(); i++) {
                const char *root = view_tree_path(i);
                struct view_entry entry = {.node = view_tree_node(i)};
                char copy[256], *save = NULL;

                if (strncmp(path, root, strlen(root)) != 0)
                        continue;
                (void)snprintf(copy, sizeof(copy), "%s", path + strlen(root));
                for (char *name = strtok_r(copy, "/", &save); name; name = strtok_r(NULL, "/", &save))
                        if (view_lookup(k->view, entry.node, &k->sample, name, &entry) < 0)
                                return 0;
                return entry.node;
        }
        return 0;
}

const char *kit_read(struct kit *k, const char *path)
{
        uint64_t node = 0;
        ssize_t size;

        for (size_t i = 0; i < view_count(); i++)
                if (strcmp(view_path(i), path) == 0)
                        node = i + 1;
        node = node ? node : tree_node(k, path);
        size = node ? view_read(k->view, node, &k->sample, k->text, sizeof(k->text) - 1) : -ENOENT;
        k->text[size < 0 ? 0 : size] = '\0';
        return size < 0 ? NULL : k->text;
}

uint64_t kit_number(const struct kit *k, const char *label)
{
        const char *at = strstr(k->text, label);

        return at ? strtoull(at + strlen(label), NULL, 10) : UINT64_MAX;
}

void kit_pass(struct kit *k, uint64_t ns)
{
        k->sample.now_ns += ns;
        k->sample.boottime_ns += ns;
}
