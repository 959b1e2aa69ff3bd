/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * view_tree.c - the directories of /sys that show a partition's CPUs, memory and block devices.
 *
 * One table says what there is; a node's number holds which line of the table it is, and which CPU, disk or file of the
 * facts.  Invariant: nothing of a CPU that the partition may not use can be listed, looked up or read (but that it
 * isn't online), not by a number that was given out before either.
 *
 * There is one memory node, with all of the partition's CPUs and memory: on which of the host's nodes it has how much
 * isn't known.
 */
#include "base/cleanup.h"
#include "kstat/view_private.h"

#include <stdio.h>

/* --- numbers of nodes --- */

#define NODE_TREE (1ULL << 62)

struct place {
        unsigned int line; /* of the table */
        uint32_t number;   /* of the CPU or the memory block; the disk's device number */
        uint32_t sub;      /* a file of the facts: which; a directory of them: its first file; a disk's file: which */
        uint32_t depth;    /* a directory of facts: of how many names its path is; else 0 */
};

static uint64_t node_of(const struct place *p)
{
        return NODE_TREE | (uint64_t)(p->depth & 7) << 56 | (uint64_t)(p->sub & 0xffff) << 40 |
               (uint64_t)p->number << 8 | p->line;
}

static struct place place_of(uint64_t node)
{
        return (struct place){.line = node & 0xff,
                .number = (uint32_t)(node >> 8),
                .sub = node >> 40 & 0xffff,
                .depth = node >> 56 & 7};
}

static uint32_t device_of(const struct view_shown *d)
{
        return d->major << 20 | (d->minor & 0xfffff);
}

static const struct view_shown *disk_at(const struct view *v, const struct place *p)
{
        for (uint32_t i = 0; i < v->n_shown; i++)
                if (device_of(&v->shown[i]) == p->number)
                        return &v->shown[i];
        return NULL;
}

/* --- files --- */

static void put_online(struct view *v, const struct place *p, struct text *t)
{
        (void)p;
        text_mask_list(t, v->cpus, KSTAT_CPUS_MAX);
        text_char(t, '\n');
}

static void put_configured(struct view *v, const struct place *p, struct text *t)
{
        (void)p;
        text_mask_list(t, v->configured, KSTAT_CPUS_MAX);
        text_char(t, '\n');
}

/* A CPU that isn't the partition's has a directory if one with a greater number is: see listed_of(). */
static void put_cpu_online(struct view *v, const struct place *p, struct text *t)
{
        text_str(t, mask_has(v->cpus, p->number) ? "1\n" : "0\n");
}

static void put_offline(struct view *v, const struct place *p, struct text *t)
{
        __u64 offline[CPU_WORDS];

        (void)p;
        for (size_t i = 0; i < CPU_WORDS; i++)
                offline[i] = v->configured[i] & ~v->cpus[i];
        text_mask_list(t, offline, KSTAT_CPUS_MAX);
        text_char(t, '\n');
}

static void put_cpumap(struct view *v, const struct place *p, struct text *t)
{
        (void)p;
        text_mask(t, v->cpus, v->n_possible);
        text_char(t, '\n');
}

static void put_empty(struct view *v, const struct place *p, struct text *t)
{
        (void)v, (void)p;
        text_char(t, '\n');
}

static void put_zero(struct view *v, const struct place *p, struct text *t)
{
        (void)v, (void)p;
        text_str(t, "0\n");
}

static void put_one(struct view *v, const struct place *p, struct text *t)
{
        (void)v, (void)p;
        text_str(t, "1\n");
}

static void put_distance(struct view *v, const struct place *p, struct text *t)
{
        (void)v, (void)p;
        text_str(t, "10\n"); /* to itself */
}

static void put_node_meminfo(struct view *v, const struct place *p, struct text *t)
{
        (void)p;
        view_node_meminfo(v, t);
}

static void put_node_vmstat(struct view *v, const struct place *p, struct text *t)
{
        (void)p;
        (void)view_vmstat(v, t); /* can't fail */
}

static void put_numastat(struct view *v, const struct place *p, struct text *t)
{
        (void)v, (void)p;
        text_str(t, "numa_hit 0\nnuma_miss 0\nnuma_foreign 0\ninterleave_hit 0\nlocal_node 0\nother_node 0\n");
}

static void put_cpu_of_node(struct view *v, const struct place *p, struct text *t)
{
        (void)v;
        text_str(t, "../../cpu/cpu");
        text_number(t, p->number, 0);
}

static void put_node_of_cpu(struct view *v, const struct place *p, struct text *t)
{
        (void)v, (void)p;
        text_str(t, "../../node/node0");
}

#define BLOCKS_MAX 65536 /* a machine with more of them has larger ones */

/* Hot-plugged memory comes in blocks; the last one of a partition is counted whole. */
static uint32_t n_blocks(const struct view *v)
{
        struct view_memory m;
        uint64_t n;

        if (!v->facts->block_bytes)
                return 0;
        view_memory_of(v, &m);
        n = (m.total + v->facts->block_bytes - 1) / v->facts->block_bytes;
        return (uint32_t)view_least(n, BLOCKS_MAX);
}

static void put_block_bytes(struct view *v, const struct place *p, struct text *t)
{
        (void)p;
        text_hex(t, v->facts->block_bytes, 1);
        text_char(t, '\n');
}

static void put_state(struct view *v, const struct place *p, struct text *t)
{
        (void)v, (void)p;
        text_str(t, "online\n");
}

static void put_zones(struct view *v, const struct place *p, struct text *t)
{
        (void)v, (void)p;
        text_str(t, "Normal\n");
}

static void put_phys_index(struct view *v, const struct place *p, struct text *t)
{
        (void)v;
        text_hex(t, p->number, 8);
        text_char(t, '\n');
}

static void put_disk_link(struct view *v, const struct place *p, struct text *t)
{
        const struct view_shown *disk = disk_at(v, p);
        char name[VIEW_NAME_SIZE];

        view_shown_name(disk, name, sizeof(name));
        text_str(t, "../../block/");
        if (disk->whole) {
                text_str(t, disk->whole->name);
                text_char(t, '/');
        }
        text_str(t, name);
}

static void put_disk_subsystem(struct view *v, const struct place *p, struct text *t)
{
        (void)v, (void)p;
        text_str(t, "../../class/block");
}

static void put_part_subsystem(struct view *v, const struct place *p, struct text *t)
{
        (void)v, (void)p;
        text_str(t, "../../../class/block");
}

static void put_live(struct view *v, const struct place *p, struct text *t)
{
        (void)v, (void)p;
        text_str(t, "live\n");
}

static void put_module_size(struct view *v, const struct place *p, struct text *t)
{
        text_number(t, view_module_at(v, p->number)->size, 0);
        text_char(t, '\n');
}

static void put_module_users(struct view *v, const struct place *p, struct text *t)
{
        text_number(t, view_module_at(v, p->number)->users, 0);
        text_char(t, '\n');
}

/* --- the table --- */

enum each { ONE, EACH_CPU, EACH_MEMORY, EACH_DISK, EACH_PART, EACH_FACT, EACH_DISK_FILE, EACH_MODULE };

/* Of which disks a line is there. */
enum needs { NOTHING, OWN_DISK, LOOP_DISK };

/* Lines that others stand below; the rest of the table has no names. */
enum {
        CPUS,
        NODES,
        MEMORIES,
        DISKS,
        CLASS_DISKS,
        DEV_DISKS,
        MODULES,
        CPU,
        NODE,
        MEMORY,
        DISK,
        QUEUE,
        LOOP,
        PART,
        HOLDERS,
        SLAVES,
        MODULE,
        CPUS_FACT,
        CPU_FACT,
        CPU_ONLINE,
        NO_LINE = 0xff
};

struct line {
        unsigned int parent; /* NO_LINE: a tree of its own, name is its path */
        const char *name;    /* of numbered ones: what is in front of the number; of files of a disk: their directory */
        enum view_kind kind;
        enum each each;
        void (*put)(struct view *v, const struct place *p, struct text *t);
        enum needs needs;
};

static const struct line table[] = {
        [CPUS] = {NO_LINE, "sys/devices/system/cpu", VIEW_DIRECTORY, ONE, NULL},
        [NODES] = {NO_LINE, "sys/devices/system/node", VIEW_DIRECTORY, ONE, NULL},
        [MEMORIES] = {NO_LINE, "sys/devices/system/memory", VIEW_DIRECTORY, ONE, NULL},
        [DISKS] = {NO_LINE, "sys/block", VIEW_DIRECTORY, ONE, NULL},
        [CLASS_DISKS] = {NO_LINE, "sys/class/block", VIEW_DIRECTORY, ONE, NULL},
        [DEV_DISKS] = {NO_LINE, "sys/dev/block", VIEW_DIRECTORY, ONE, NULL},
        [MODULES] = {NO_LINE, "sys/module", VIEW_DIRECTORY, ONE, NULL},
        [CPU] = {CPUS, "cpu", VIEW_DIRECTORY, EACH_CPU, NULL},
        [NODE] = {NODES, "node0", VIEW_DIRECTORY, ONE, NULL},
        [MEMORY] = {MEMORIES, "memory", VIEW_DIRECTORY, EACH_MEMORY, NULL},
        [DISK] = {DISKS, "", VIEW_DIRECTORY, EACH_DISK, NULL},
        [QUEUE] = {DISK, "queue", VIEW_DIRECTORY, ONE, NULL},
        [LOOP] = {DISK, "loop", VIEW_DIRECTORY, ONE, NULL, LOOP_DISK},
        [PART] = {DISK, "", VIEW_DIRECTORY, EACH_PART, NULL},
        [HOLDERS] = {DISK, "holders", VIEW_DIRECTORY, ONE, NULL, OWN_DISK},
        [SLAVES] = {DISK, "slaves", VIEW_DIRECTORY, ONE, NULL, OWN_DISK},
        [MODULE] = {MODULES, "", VIEW_DIRECTORY, EACH_MODULE, NULL},
        [CPUS_FACT] = {CPUS, "", VIEW_FILE, EACH_FACT, NULL},
        [CPU_FACT] = {CPU, "", VIEW_FILE, EACH_FACT, NULL},
        [CPU_ONLINE] = {CPU, "online", VIEW_FILE, ONE, put_cpu_online},
        {CPUS, "online", VIEW_FILE, ONE, put_online},
        {CPUS, "offline", VIEW_FILE, ONE, put_offline},
        {CPUS, "possible", VIEW_FILE, ONE, put_configured},
        {CPUS, "present", VIEW_FILE, ONE, put_configured},
        {CPUS, "enabled", VIEW_FILE, ONE, put_configured},
        {CPUS, "isolated", VIEW_FILE, ONE, put_empty},
        {CPU, "node0", VIEW_LINK, ONE, put_node_of_cpu},
        {NODES, "online", VIEW_FILE, ONE, put_zero},
        {NODES, "possible", VIEW_FILE, ONE, put_zero},
        {NODES, "has_cpu", VIEW_FILE, ONE, put_zero},
        {NODES, "has_memory", VIEW_FILE, ONE, put_zero},
        {NODES, "has_normal_memory", VIEW_FILE, ONE, put_zero},
        {NODE, "cpulist", VIEW_FILE, ONE, put_online},
        {NODE, "cpumap", VIEW_FILE, ONE, put_cpumap},
        {NODE, "distance", VIEW_FILE, ONE, put_distance},
        {NODE, "meminfo", VIEW_FILE, ONE, put_node_meminfo},
        {NODE, "numastat", VIEW_FILE, ONE, put_numastat},
        {NODE, "vmstat", VIEW_FILE, ONE, put_node_vmstat},
        {NODE, "cpu", VIEW_LINK, EACH_CPU, put_cpu_of_node},
        {MEMORIES, "block_size_bytes", VIEW_FILE, ONE, put_block_bytes},
        {MEMORY, "online", VIEW_FILE, ONE, put_one},
        {MEMORY, "state", VIEW_FILE, ONE, put_state},
        {MEMORY, "phys_index", VIEW_FILE, ONE, put_phys_index},
        {MEMORY, "removable", VIEW_FILE, ONE, put_zero},
        {MEMORY, "valid_zones", VIEW_FILE, ONE, put_zones},
        {DISK, "", VIEW_FILE, EACH_DISK_FILE, NULL},
        {QUEUE, "queue", VIEW_FILE, EACH_DISK_FILE, NULL},
        {LOOP, "loop", VIEW_FILE, EACH_DISK_FILE, NULL, LOOP_DISK},
        {DISK, "subsystem", VIEW_LINK, ONE, put_disk_subsystem, OWN_DISK},
        {PART, "part", VIEW_FILE, EACH_DISK_FILE, NULL},
        {PART, "holders", VIEW_DIRECTORY, ONE, NULL},
        {PART, "subsystem", VIEW_LINK, ONE, put_part_subsystem},
        {MODULE, "initstate", VIEW_FILE, ONE, put_live},
        {MODULE, "coresize", VIEW_FILE, ONE, put_module_size},
        {MODULE, "initsize", VIEW_FILE, ONE, put_zero},
        {MODULE, "refcnt", VIEW_FILE, ONE, put_module_users},
        {MODULE, "taint", VIEW_FILE, ONE, put_empty},
        {MODULE, "holders", VIEW_DIRECTORY, ONE, NULL},
        {CLASS_DISKS, "", VIEW_LINK, EACH_DISK, put_disk_link},
        {DEV_DISKS, "", VIEW_LINK, EACH_DISK, put_disk_link},
};

#define N_TREES (MODULES + 1)

size_t view_tree_count(void)
{
        return N_TREES;
}

const char *view_tree_path(size_t i)
{
        return i < N_TREES ? table[i].name : NULL;
}

uint64_t view_tree_node(size_t i)
{
        return NODE_TREE | i;
}

/* --- files of the facts, as directories --- */

static const struct facts_files *files_of(const struct view *v, const struct place *p)
{
        const struct facts_cpu *cpu;

        if (p->line == CPUS || p->line == CPUS_FACT)
                return &v->facts->system_cpu;
        cpu = facts_cpu_find(v->facts, p->number);
        return cpu ? &cpu->files : NULL;
}

static bool fact_at(const struct view *v, const struct place *p, struct facts_file *ret)
{
        const struct facts_files *files = files_of(v, p);
        uint32_t at = 0;

        for (uint32_t i = 0; files && facts_files_next(files, &at, ret); i++)
                if (i == p->sub)
                        return true;
        return false;
}

/* How many bytes the first `depth` names of a path take, the slash behind them included; 0: it has fewer or just as
 * many. */
static uint32_t prefix_of(const struct facts_text *path, uint32_t depth)
{
        for (uint32_t i = 0; i < path->size; i++)
                if (path->text[i] == '/' && --depth == 0)
                        return i + 1;
        return 0;
}

static uint32_t name_size(const struct facts_text *path, uint32_t from)
{
        const char *slash = memchr(path->text + from, '/', path->size - from);

        return slash ? (uint32_t)(slash - path->text) - from : path->size - from;
}

/* Child k of a directory of facts: the files whose path begins as its first one's; they stand together. */
static bool fact_child(
        const struct view *v, const struct place *parent, size_t k, struct place *ret, struct view_entry *entry)
{
        const struct facts_files *files = files_of(v, parent);
        struct facts_text before = {.text = "", .size = 0}, first = before;
        struct facts_file file;
        uint32_t at = 0, prefix = 0, size;

        for (uint32_t i = 0; files && facts_files_next(files, &at, &file); i++) {
                if (i < parent->sub)
                        continue;
                if (i == parent->sub && parent->depth) {
                        prefix = prefix_of(&file.path, parent->depth);
                        first = file.path;
                }
                if (file.path.size <= prefix || memcmp(file.path.text, first.text, prefix) != 0)
                        return false;
                size = name_size(&file.path, prefix);
                if (size == before.size && memcmp(before.text, file.path.text + prefix, size) == 0)
                        continue; /* another one in the same directory */
                before = (struct facts_text){.text = file.path.text + prefix, .size = size};
                if (k-- > 0)
                        continue;
                ret->sub = i;
                ret->depth = prefix + size < file.path.size ? parent->depth + 1 : 0;
                entry->kind = ret->depth ? VIEW_DIRECTORY : VIEW_FILE;
                (void)snprintf(entry->name, sizeof(entry->name), "%.*s", (int)size, before.text);
                return true;
        }
        return false;
}

static void put_fact(struct view *v, const struct facts_file *file, struct text *t)
{
        __u64 own[CPU_WORDS];

        if (file->kind == FACTS_FILE_TEXT) {
                text_put(t, file->text.text, file->text.size);
                return;
        }
        for (size_t i = 0; i < CPU_WORDS; i++)
                own[i] = file->cpus[i] & v->cpus[i];
        if (file->kind == FACTS_FILE_MASK)
                text_mask(t, own, v->n_possible);
        else
                text_mask_list(t, own, KSTAT_CPUS_MAX);
        text_char(t, '\n');
}

/* --- what there is --- */

static unsigned int mask_at(const __u64 *mask, size_t k)
{
        for (unsigned int i = 0; i < CPU_WORDS; i++) {
                size_t n = (size_t)__builtin_popcountll(mask[i]);
                uint64_t word = mask[i];

                if (k >= n) {
                        k -= n;
                        continue;
                }
                while (k-- > 0)
                        word &= word - 1;
                return i * 64 + (unsigned int)__builtin_ctzll(word);
        }
        return KSTAT_CPUS_MAX;
}

/* The CPUs that a line is there for.  Directories have no gaps below the greatest number, as the kernel's have none
 * when a CPU is offline: sysstat makes tables with as many lines as there are directories and writes to the line of a
 * CPU's number.  Those of other CPUs have nothing but "online". */
static void listed_of(const struct view *v, unsigned int line, __u64 *ret)
{
        memcpy(ret, v->cpus, sizeof(v->cpus));
        if (line != CPU && line != CPU_ONLINE)
                return;
        for (unsigned int i = CPU_WORDS; i-- > 0;) {
                bool above = i + 1 < CPU_WORDS && ret[i + 1];

                if (above)
                        ret[i] = ~0ULL;
                else if (ret[i])
                        ret[i] = ~0ULL >> __builtin_clzll(ret[i]);
        }
}

static bool has_needed(const struct view *v, const struct place *p)
{
        const struct view_shown *disk;

        if (table[p->line].needs == NOTHING)
                return true;
        disk = disk_at(v, p);
        return disk && (table[p->line].needs == LOOP_DISK ? view_shown_is_loop(disk) : disk->own != NULL);
}

/* The disk of that partition, or no disk: n_shown. */
static size_t find_part(const struct view *v, const struct place *p, size_t k)
{
        const struct view_shown *disk = disk_at(v, p);
        size_t i = 0;

        while (disk && i < v->n_shown && !(v->shown[i].whole && v->shown[i].whole == disk->own && k-- == 0))
                i++;
        return disk ? i : v->n_shown;
}

/* Partitions stand below their disks, and as links beside these. */
static bool disk_instance(const struct view *v, size_t k, struct place *p, struct view_entry *ret)
{
        size_t i = k;

        if (table[p->line].each == EACH_PART)
                i = find_part(v, p, k);
        else if (table[p->line].parent == DISKS)
                i = k < v->n_wholes ? v->wholes[k] : v->n_shown;
        if (i >= v->n_shown)
                return false;
        p->number = device_of(&v->shown[i]);
        if (table[p->line].parent == DEV_DISKS)
                (void)snprintf(ret->name, sizeof(ret->name), "%u:%u", p->number >> 20, p->number & 0xfffff);
        else
                view_shown_name(&v->shown[i], ret->name, sizeof(ret->name));
        return true;
}

static bool disk_file_instance(const struct view *v, size_t k, struct place *p, struct view_entry *ret)
{
        const struct view_shown *disk = disk_at(v, p);
        const char *name;
        int file = disk ? view_disk_file(disk, table[p->line].name, k, &name) : -1;

        if (file < 0)
                return false;
        p->sub = (uint32_t)file;
        (void)snprintf(ret->name, sizeof(ret->name), "%s", name);
        return true;
}

/* Instance k of a line below parent. */
static bool instance(
        const struct view *v, const struct place *parent, unsigned int line, size_t k, struct view_entry *ret)
{
        const struct line *l = &table[line];
        struct place p = {.line = line, .number = parent->number};
        __u64 listed[CPU_WORDS];

        listed_of(v, line, listed);
        ret->kind = l->kind;
        if (!has_needed(v, &p))
                return false;
        switch (l->each) {
        case ONE:
                if (k > 0 || (l->parent == CPU && !mask_has(listed, p.number)))
                        return false;
                (void)snprintf(ret->name, sizeof(ret->name), "%s", l->name);
                break;
        case EACH_FACT:
                if (l->parent == CPU && !mask_has(listed, p.number))
                        return false;
                if (!fact_child(v, parent, k, &p, ret))
                        return false;
                break;
        case EACH_DISK:
        case EACH_PART:
                if (!disk_instance(v, k, &p, ret))
                        return false;
                break;
        case EACH_DISK_FILE:
                if (!disk_file_instance(v, k, &p, ret))
                        return false;
                break;
        case EACH_MODULE:
                if (k >= v->n_modules)
                        return false;
                p.number = view_module_number(v->modules[k].name);
                (void)snprintf(ret->name, sizeof(ret->name), "%s", v->modules[k].name);
                break;
        case EACH_CPU:
        case EACH_MEMORY:
                p.number = l->each == EACH_CPU ? mask_at(listed, k) : (uint32_t)view_least(k, UINT32_MAX);
                if (p.number >= (l->each == EACH_CPU ? KSTAT_CPUS_MAX : n_blocks(v)))
                        return false;
                (void)snprintf(ret->name, sizeof(ret->name), "%s%u", l->name, p.number);
                break;
        }
        ret->node = node_of(&p);
        return true;
}

/* What the line, or the next line above that is numbered, counts. */
static enum each counted(unsigned int line)
{
        while (line != NO_LINE &&
                (table[line].each == ONE || table[line].each == EACH_FACT || table[line].each == EACH_DISK_FILE))
                line = table[line].parent;
        return line == NO_LINE ? ONE : table[line].each;
}

static bool stands_below_disks(unsigned int line)
{
        while (line != NO_LINE && line != DISK)
                line = table[line].parent;
        return line == DISK;
}

static bool exists(const struct view *v, const struct place *p)
{
        struct facts_file file;
        __u64 listed[CPU_WORDS];

        if (p->line >= ELEMENTS(table))
                return false;
        listed_of(v, p->line, listed);
        switch (counted(p->line)) {
        case EACH_CPU:
                if (!mask_has(listed, p->number))
                        return false;
                break;
        case EACH_MEMORY:
                if (p->number >= n_blocks(v))
                        return false;
                break;
        case EACH_MODULE:
                if (!view_module_at(v, p->number))
                        return false;
                break;
        case EACH_DISK:
                if (!disk_at(v, p) || (stands_below_disks(p->line) && disk_at(v, p)->whole))
                        return false;
                break;
        case EACH_PART:
                if (!disk_at(v, p) || !disk_at(v, p)->whole)
                        return false;
                break;
        default:
                if (p->number != 0)
                        return false;
        }
        if (!has_needed(v, p))
                return false;
        if (table[p->line].each == EACH_DISK_FILE)
                return p->depth == 0 && view_disk_has_file(disk_at(v, p), table[p->line].name, p->sub);
        if (table[p->line].each != EACH_FACT)
                return p->sub == 0 && p->depth == 0;
        return fact_at(v, p, &file) && (p->depth == 0 || prefix_of(&file.path, p->depth) > 0);
}

static int kind_of(const struct place *p)
{
        return p->depth ? VIEW_DIRECTORY : (int)table[p->line].kind;
}

/* The place of a node that exists. */
static int find(struct view *v, uint64_t node, const struct kstat_sample *sample, struct place *ret)
{
        view_take(v, sample);
        if ((node & NODE_TREE) == 0)
                return -ENOENT;
        *ret = place_of(node);
        return exists(v, ret) && node_of(ret) == node ? 0 : -ENOENT;
}

static int find_directory(struct view *v, uint64_t node, const struct kstat_sample *sample, struct place *ret)
{
        int r = find(v, node, sample, ret);

        if (node >= 1 && node <= view_count())
                return -ENOTDIR;
        return r < 0 || kind_of(ret) == VIEW_DIRECTORY ? r : -ENOTDIR;
}

static bool is_below(unsigned int line, const struct place *directory)
{
        /* A directory of facts has nothing but facts. */
        return directory->depth ? line == directory->line : table[line].parent == directory->line;
}

/* --- the interface --- */

bool view_tree_tells_disks(uint64_t node)
{
        unsigned int line = place_of(node).line;

        if (!(node & NODE_TREE) || line >= ELEMENTS(table))
                return false;
        return line == DISKS || line == CLASS_DISKS || line == DEV_DISKS || counted(line) == EACH_DISK ||
               counted(line) == EACH_PART;
}

bool view_tree_tells_modules(uint64_t node)
{
        unsigned int line = place_of(node).line;

        return node & NODE_TREE && line < ELEMENTS(table) && (line == MODULES || counted(line) == EACH_MODULE);
}

/* How many instances of a line can be passed over without a look at them. */
static size_t known_instances(const struct view *v, unsigned int line, size_t at)
{
        return table[line].each != EACH_DISK ? 0 : view_least(at, line == DISK ? v->n_wholes : v->n_shown);
}

int view_list(struct view *v, uint64_t directory, const struct kstat_sample *sample, size_t at, struct view_entry *ret)
{
        struct view_entry entry;
        size_t n;
        struct place p;
        int r = find_directory(v, directory, sample, &p);

        if (r < 0)
                return r;
        for (unsigned int line = 0; line < ELEMENTS(table); line++) {
                if (!is_below(line, &p))
                        continue;
                if (instance(v, &p, line, at, &entry)) {
                        *ret = entry;
                        return 1;
                }
                n = known_instances(v, line, at);
                at -= n;
                for (; at > 0 && instance(v, &p, line, n, &entry); n++)
                        at--;
        }
        return 0;
}

/* Where to begin to look for a name: there may be thousands of blocks of memory. */
static size_t first_like(const struct line *line, const char *name)
{
        size_t length = strlen(line->name);

        if (line->each != EACH_MEMORY)
                return 0;
        return strncmp(name, line->name, length) == 0 ? strtoul(name + length, NULL, 10) : SIZE_MAX;
}

int view_lookup(
        struct view *v, uint64_t directory, const struct kstat_sample *sample, const char *name, struct view_entry *ret)
{
        struct view_entry entry;
        struct place p;
        int r = find_directory(v, directory, sample, &p);

        if (r < 0)
                return r;
        for (unsigned int line = 0; line < ELEMENTS(table); line++) {
                if (!is_below(line, &p))
                        continue;
                for (size_t n = first_like(&table[line], name); instance(v, &p, line, n, &entry); n++) {
                        if (strcmp(entry.name, name) == 0) {
                                *ret = entry;
                                return 0;
                        }
                        if (table[line].each == EACH_MEMORY)
                                break; /* it was the only one that it could be */
                }
        }
        return -ENOENT;
}

int view_kind(struct view *v, uint64_t node, const struct kstat_sample *sample)
{
        struct place p;
        int r;

        if (node >= 1 && node <= view_count())
                return VIEW_FILE;
        r = find(v, node, sample, &p);
        return r < 0 ? r : kind_of(&p);
}

ssize_t view_read(struct view *v, uint64_t node, const struct kstat_sample *sample, char *buf, size_t size)
{
        struct text t = {.start = buf, .at = buf, .end = buf + size};
        struct facts_file file;
        struct place p;
        int r;

        if (node >= 1 && node <= view_count())
                return view_render(v, node - 1, sample, buf, size);
        r = find(v, node, sample, &p);
        if (r < 0)
                return r;
        if (kind_of(&p) == VIEW_DIRECTORY)
                return -EISDIR;
        if (table[p.line].each == EACH_FACT && fact_at(v, &p, &file))
                put_fact(v, &file, &t);
        else if (table[p.line].each == EACH_DISK_FILE)
                view_disk_put(disk_at(v, &p), p.sub, &t);
        else
                table[p.line].put(v, &p, &t);
        return text_end(&t);
}
