/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * view_memory.c - meminfo, vmstat, swaps and their kin: numbers that agree with each other.
 *
 * Invariant: what is total and what is free is as view_totals.h says, so that sysinfo(2) agrees; MemFree and what is
 * used make MemTotal; what is cached is never more than what is used.  The kernel's figures are not of one instant (its
 * statistics lag behind the usage), so each is cut to what is left for it.
 *
 * Which lines there are, and their order, is the host kernel's; a line that only the host can fill says 0.
 */
#include "base/cleanup.h"
#include "kstat/view_private.h"

#define KIB 1024

enum view_unit { UNIT_BYTES, UNIT_KIB, UNIT_COUNT };

struct line_source {
        const char *name;
        uint16_t offset, unit;
};

#define IN(field) offsetof(struct view_memory, field)

static const struct line_source meminfo_sources[] = {
        {"MemTotal", IN(total), 0},
        {"MemFree", IN(free), 0},
        {"MemAvailable", IN(available), 0},
        {"Cached", IN(cached), 0},
        {"Active", IN(active), 0},
        {"Inactive", IN(inactive), 0},
        {"Active(anon)", IN(active_anon), 0},
        {"Inactive(anon)", IN(inactive_anon), 0},
        {"Active(file)", IN(active_file), 0},
        {"Inactive(file)", IN(inactive_file), 0},
        {"Unevictable", IN(unevictable), 0},
        {"Mlocked", IN(unevictable), 0}, /* the kernel doesn't keep it for each cgroup; locked pages are most of it */
        {"SwapTotal", IN(swap_total), 0},
        {"SwapFree", IN(swap_free), 0},
        {"Dirty", IN(dirty), 0},
        {"Writeback", IN(writeback), 0},
        {"AnonPages", IN(anon), 0},
        {"Mapped", IN(mapped), 0},
        {"Shmem", IN(shmem), 0},
        {"KReclaimable", IN(slab_reclaimable), 0},
        {"Slab", IN(slab), 0},
        {"SReclaimable", IN(slab_reclaimable), 0},
        {"SUnreclaim", IN(slab_unreclaimable), 0},
        {"KernelStack", IN(kernel_stack), 0},
        {"PageTables", IN(page_tables), 0},
        {"CommitLimit", IN(commit_limit), 0},
        {"Committed_AS", IN(committed), 0},
        {"VmallocTotal", IN(vmalloc_total), 0},
        {"VmallocUsed", IN(vmalloc_used), 0},
        {"Percpu", IN(percpu), 0},
        {"AnonHugePages", IN(anon_huge), 0},
        {"Hugepagesize", IN(hugepage), 0},
        {"HugePages_Total", IN(nothing), UNIT_COUNT},
        {"HugePages_Free", IN(nothing), UNIT_COUNT},
        {"HugePages_Rsvd", IN(nothing), UNIT_COUNT},
        {"HugePages_Surp", IN(nothing), UNIT_COUNT},
};

static const struct line_source vmstat_sources[] = {
        {"nr_free_pages", IN(free), 0},
        {"nr_zone_inactive_anon", IN(inactive_anon), 0},
        {"nr_zone_active_anon", IN(active_anon), 0},
        {"nr_zone_inactive_file", IN(inactive_file), 0},
        {"nr_zone_active_file", IN(active_file), 0},
        {"nr_zone_unevictable", IN(unevictable), 0},
        {"nr_mlock", IN(unevictable), 0},
        {"nr_inactive_anon", IN(inactive_anon), 0},
        {"nr_active_anon", IN(active_anon), 0},
        {"nr_inactive_file", IN(inactive_file), 0},
        {"nr_active_file", IN(active_file), 0},
        {"nr_unevictable", IN(unevictable), 0},
        {"nr_slab_reclaimable", IN(slab_reclaimable), 0},
        {"nr_slab_unreclaimable", IN(slab_unreclaimable), 0},
        {"nr_anon_pages", IN(anon), 0},
        {"nr_mapped", IN(mapped), 0},
        {"nr_file_pages", IN(cached), 0},
        {"nr_dirty", IN(dirty), 0},
        {"nr_writeback", IN(writeback), 0},
        {"nr_shmem", IN(shmem), 0},
        {"nr_kernel_stack", IN(kernel_stack), UNIT_KIB},
        {"nr_page_table_pages", IN(page_tables), 0},
        {"nr_anon_transparent_hugepages", IN(anon_huge_count), UNIT_COUNT},
        {"pgpgin", IN(pgpgin_kb), UNIT_COUNT},
        {"pgpgout", IN(pgpgout_kb), UNIT_COUNT},
        {"pswpin", IN(pswpin), UNIT_COUNT},
        {"pswpout", IN(pswpout), UNIT_COUNT},
        {"pgfault", IN(pgfault), UNIT_COUNT},
        {"pgmajfault", IN(pgmajfault), UNIT_COUNT},
        {"pgscan_direct", IN(pgscan), UNIT_COUNT},
        {"pgsteal_direct", IN(pgsteal), UNIT_COUNT},
        {"oom_kill", IN(oom_kills), UNIT_COUNT},
};

/* --- what is shown --- */

/* value, but not more than *left, which becomes less by it. */
static uint64_t take(uint64_t *left, uint64_t value)
{
        value = view_least(view_known(value), *left);
        *left -= value;
        return value;
}

static void of_caches(const struct kstat_sample_memory *s, struct view_memory *m)
{
        uint64_t left = m->total - m->free, files;

        m->cached = take(&left, s->file);
        m->slab_reclaimable = take(&left, s->slab_reclaimable);
        m->anon = take(&left, s->anon);
        m->slab_unreclaimable = take(&left, s->slab_unreclaimable);
        m->slab = m->slab_reclaimable + m->slab_unreclaimable;
        files = m->cached - m->shmem;
        m->active_file = take(&files, s->active_file);
        m->inactive_file = take(&files, s->inactive_file);
        m->mapped = view_least(view_known(s->file_mapped), m->cached);
        m->dirty = view_least(view_known(s->file_dirty), m->cached);
        m->writeback = view_least(view_known(s->file_writeback), m->cached);
        /* What can be had without swapping: no reserve of the kernel's is in a partition's own. */
        m->available = m->free + m->active_file + m->inactive_file + m->slab_reclaimable;
}

static void of_disks(const struct view *v, struct view_memory *m)
{
        uint64_t in = 0, out = 0;

        for (uint32_t i = 0; i < v->n_disks; i++) {
                in += v->disks[i].read_bytes;
                out += v->disks[i].written_bytes;
        }
        m->pgpgin_kb = in / KIB;
        m->pgpgout_kb = out / KIB;
}

static void of_events(const struct kstat_sample_memory *s, struct view_memory *m)
{
        m->pswpin = s->pswpin;
        m->pswpout = s->pswpout;
        m->pgfault = s->pgfault;
        m->pgmajfault = s->pgmajfault;
        m->pgscan = s->pgscan;
        m->pgsteal = s->pgsteal;
        m->oom_kills = s->oom_kills;
}

void view_memory_of(const struct view *v, struct view_memory *m)
{
        const struct kstat_sample_memory *s = &v->s.memory;
        const struct view_facts *f = v->facts;
        struct view_totals totals;

        view_totals_of(s, &v->machine, &totals);
        *m = (struct view_memory){.total = totals.total,
                .free = totals.free,
                .shmem = totals.shmem,
                .swap_total = totals.swap_total,
                .swap_free = totals.swap_free,
                .vmalloc_total = f->vmalloc_bytes,
                .hugepage = f->hugepage_bytes};
        of_caches(s, m);
        m->active_anon = view_least(view_known(s->active_anon), m->total);
        m->inactive_anon = view_least(view_known(s->inactive_anon), m->total);
        m->active = m->active_anon + m->active_file;
        m->inactive = m->inactive_anon + m->inactive_file;
        m->unevictable = view_least(view_known(s->unevictable), m->total);
        m->kernel_stack = view_known(s->kernel_stack);
        m->page_tables = view_known(s->page_tables);
        m->percpu = view_known(s->percpu);
        m->vmalloc_used = view_known(s->vmalloc);
        m->anon_huge = view_least(view_known(s->anon_thp), m->anon);
        m->anon_huge_count = f->hugepage_bytes ? m->anon_huge / f->hugepage_bytes : 0;
        m->commit_limit = m->total / f->page_bytes * f->overcommit_ratio / 100 * f->page_bytes + m->swap_total;
        m->committed = m->anon + m->shmem + (m->swap_total - m->swap_free); /* what is in use is promised at least */
        of_disks(v, m);
        of_events(s, m);
}

/* --- lines --- */

static struct view_line *lines_new(
        const struct facts_text *names, uint32_t n, const struct line_source *sources, size_t n_sources)
{
        struct view_line *lines = calloc((size_t)n + 1, sizeof(*lines));

        for (uint32_t i = 0; lines && i < n; i++) {
                lines[i] = (struct view_line){names[i].text, (uint16_t)names[i].size, IN(nothing), UNIT_BYTES};
                for (size_t k = 0; k < n_sources; k++) {
                        if (strlen(sources[k].name) != names[i].size ||
                                memcmp(sources[k].name, names[i].text, names[i].size) != 0)
                                continue;
                        lines[i].offset = sources[k].offset;
                        lines[i].unit = sources[k].unit;
                }
        }
        return lines;
}

int view_lines_new(struct view *v)
{
        const struct view_facts *f = v->facts;

        v->meminfo = lines_new(f->meminfo, f->n_meminfo, meminfo_sources, ELEMENTS(meminfo_sources));
        v->vmstat = lines_new(f->vmstat, f->n_vmstat, vmstat_sources, ELEMENTS(vmstat_sources));
        return v->meminfo && v->vmstat ? 0 : -ENOMEM;
}

static uint64_t line_value(const struct view_line *line, const struct view_memory *m)
{
        return *(const uint64_t *)(const void *)((const char *)m + line->offset);
}

/* Name, colon and number take 24 columns, and only a count has no unit behind. */
static void put_meminfo(struct text *t, const struct view_line *line, uint64_t value)
{
        size_t label = line->size + 1u < 16u ? 16u : line->size + 1u;

        text_put(t, line->name, line->size);
        text_char(t, ':');
        text_blanks(t, label - line->size - 1);
        text_number(t, line->unit == UNIT_COUNT ? value : value / KIB, label < 24 ? (unsigned int)(24 - label) : 1);
        text_str(t, line->unit == UNIT_COUNT ? "\n" : " kB\n");
}

int view_meminfo(struct view *v, struct text *t)
{
        struct view_memory m;

        view_memory_of(v, &m);
        for (uint32_t i = 0; i < v->facts->n_meminfo; i++)
                put_meminfo(t, &v->meminfo[i], line_value(&v->meminfo[i], &m));
        return 0;
}

static uint64_t in_unit(const struct view *v, const struct view_line *line, uint64_t value)
{
        if (line->unit == UNIT_COUNT)
                return value;
        return value / (line->unit == UNIT_KIB ? KIB : v->facts->page_bytes);
}

int view_vmstat(struct view *v, struct text *t)
{
        struct view_memory m;

        view_memory_of(v, &m);
        for (uint32_t i = 0; i < v->facts->n_vmstat; i++) {
                text_put(t, v->vmstat[i].name, v->vmstat[i].size);
                text_next(t, in_unit(v, &v->vmstat[i], line_value(&v->vmstat[i], &m)));
                text_char(t, '\n');
        }
        return 0;
}

int view_swaps(struct view *v, struct text *t)
{
        struct view_memory m;

        view_memory_of(v, &m);
        text_str(t, "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
        if (!m.swap_total)
                return 0;
        text_str(t, "none                                    virtual\t\t");
        text_number(t, m.swap_total / KIB, 0);
        text_str(t, "\t\t");
        text_number(t, (m.swap_total - m.swap_free) / KIB, 0);
        text_str(t, "\t\t0\n");
        return 0;
}

/* --- zones: one, of all that the partition has --- */

#define ORDERS 11 /* of free blocks, as MAX_ORDER is on x86 */

static void put_zone_line(struct text *t, const char *label, uint64_t value)
{
        text_str(t, label);
        text_number(t, value, 0);
        text_char(t, '\n');
}

int view_zoneinfo(struct view *v, struct text *t)
{
        uint64_t page = v->facts->page_bytes;
        struct view_memory m;

        view_memory_of(v, &m);
        text_str(t, "Node 0, zone   Normal\n  per-node stats\n");
        put_zone_line(t, "      nr_inactive_anon ", m.inactive_anon / page);
        put_zone_line(t, "      nr_active_anon ", m.active_anon / page);
        put_zone_line(t, "      nr_inactive_file ", m.inactive_file / page);
        put_zone_line(t, "      nr_active_file ", m.active_file / page);
        put_zone_line(t, "      nr_unevictable ", m.unevictable / page);
        put_zone_line(t, "      nr_slab_reclaimable ", m.slab_reclaimable / page);
        put_zone_line(t, "      nr_slab_unreclaimable ", m.slab_unreclaimable / page);
        put_zone_line(t, "      nr_anon_pages ", m.anon / page);
        put_zone_line(t, "      nr_mapped    ", m.mapped / page);
        put_zone_line(t, "      nr_file_pages ", m.cached / page);
        put_zone_line(t, "      nr_dirty     ", m.dirty / page);
        put_zone_line(t, "      nr_writeback ", m.writeback / page);
        put_zone_line(t, "      nr_shmem     ", m.shmem / page);
        put_zone_line(t, "  pages free     ", m.free / page);
        text_str(t, "        boost    0\n        min      0\n        low      0\n        high     0\n");
        put_zone_line(t, "        spanned  ", m.total / page);
        put_zone_line(t, "        present  ", m.total / page);
        put_zone_line(t, "        managed  ", m.total / page);
        text_str(t, "        cma      0\n        protection: (0)\n");
        put_zone_line(t, "      nr_free_pages ", m.free / page);
        text_str(t, "  pagesets\n");
        MASK_EACH (cpu, v->cpus) {
                text_str(t, "    cpu: ");
                text_number(t, cpu, 0);
                text_str(t, "\n              count: 0\n              high:  0\n              batch: 1\n"
                            "  vm stats threshold: 0\n");
        }
        text_str(t, "  node_unreclaimable:  0\n  start_pfn:           0\n");
        return 0;
}

/* The free memory in the largest blocks that it can be. */
int view_buddyinfo(struct view *v, struct text *t)
{
        struct view_memory m;
        uint64_t pages;

        view_memory_of(v, &m);
        pages = m.free / v->facts->page_bytes;
        text_str(t, "Node 0, zone   Normal ");
        for (unsigned int order = 0; order < ORDERS; order++) {
                text_number(t, order + 1 < ORDERS ? pages >> order & 1 : pages >> order, 6);
                text_char(t, ' ');
        }
        text_char(t, '\n');
        return 0;
}

/* Programs that sort or sum up want one line at least: everything that the kernel holds for the partition in slabs. */
int view_slabinfo(struct view *v, struct text *t)
{
        uint64_t n;
        struct view_memory m;

        view_memory_of(v, &m);
        n = m.slab / v->facts->page_bytes;
        text_str(t,
                "slabinfo - version: 2.1\n"
                "# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : tunables <limit> "
                "<batchcount> <sharedfactor> : slabdata <active_slabs> <num_slabs> <sharedavail>\n"
                "partition        ");
        text_number(t, n, 7);
        text_number(t, n, 7);
        text_number(t, v->facts->page_bytes, 7);
        text_str(t, "    1    1 : tunables    0    0    0 : slabdata ");
        text_number(t, n, 6);
        text_number(t, n, 7);
        text_str(t, "      0\n");
        return 0;
}

/* --- the memory node --- */

static const struct {
        const char *name;
        uint16_t offset;
} node_lines[] = {
        {"MemTotal:       ", IN(total)},
        {"MemFree:        ", IN(free)},
        {"Active:         ", IN(active)},
        {"Inactive:       ", IN(inactive)},
        {"Active(anon):   ", IN(active_anon)},
        {"Inactive(anon): ", IN(inactive_anon)},
        {"Active(file):   ", IN(active_file)},
        {"Inactive(file): ", IN(inactive_file)},
        {"Unevictable:    ", IN(unevictable)},
        {"Dirty:          ", IN(dirty)},
        {"Writeback:      ", IN(writeback)},
        {"FilePages:      ", IN(cached)},
        {"Mapped:         ", IN(mapped)},
        {"AnonPages:      ", IN(anon)},
        {"Shmem:          ", IN(shmem)},
        {"KernelStack:    ", IN(kernel_stack)},
        {"PageTables:     ", IN(page_tables)},
        {"KReclaimable:   ", IN(slab_reclaimable)},
        {"Slab:           ", IN(slab)},
        {"SReclaimable:   ", IN(slab_reclaimable)},
        {"SUnreclaim:     ", IN(slab_unreclaimable)},
        {"AnonHugePages:  ", IN(anon_huge)},
};

void view_node_meminfo(struct view *v, struct text *t)
{
        struct view_memory m;

        view_memory_of(v, &m);
        for (size_t i = 0; i < ELEMENTS(node_lines); i++) {
                text_str(t, "Node 0 ");
                text_str(t, node_lines[i].name);
                text_number(t, *(const uint64_t *)(const void *)((const char *)&m + node_lines[i].offset) / KIB, 8);
                text_str(t, " kB\n");
        }
        text_str(t, "Node 0 HugePages_Total:     0\nNode 0 HugePages_Free:      0\nNode 0 HugePages_Surp:      0\n");
}
