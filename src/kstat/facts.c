/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * facts.c - collects the facts about the host that partitions' views are made of, once, for all wardens.
 *
 * Nothing here is secret or changes while the machine runs: which CPUs, caches and disks there are
 * (how much memory is asked anew by whoever shows it), and which lines its kernel writes into meminfo and vmstat.
 * Whatever can't be read is left out: a host without some file still has partitions.  Invariant: only running out of
 * memory is a failure.
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/str.h"
#include "kstat/view_facts.h"
#include "kstat/view_id.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>

#define FILE_MAX (8u << 20) /* of cpuinfo of the largest machine */
#define CPU_DIR "sys/devices/system/cpu"

struct collector {
        int root_fd;
        struct view_facts f;
        void **kept; /* what the facts point to */
        size_t n_kept;
        int fault; /* 0 or -ENOMEM */
};

/* Keeps p (may be NULL: a failed allocation) until the end. */
static void *keep(struct collector *c, void *p)
{
        void **kept = p ? reallocarray(c->kept, c->n_kept + 1, sizeof(*kept)) : NULL;

        if (!kept) {
                free(p);
                c->fault = -ENOMEM;
                return NULL;
        }
        c->kept = kept;
        return kept[c->n_kept++] = p;
}

static void collector_done(struct collector *c)
{
        for (size_t i = 0; i < c->n_kept; i++)
                free(c->kept[i]);
        free(c->kept);
}

static bool read_into(struct collector *c, const char *path, size_t max, char **ret, size_t *ret_size)
{
        int r = fd_read_file(c->root_fd, path, max, ret, ret_size);

        if (r == -ENOMEM)
                c->fault = r;
        return r == 0;
}

/* A file's text, kept; NULL: there is none to read. */
static char *text_of(struct collector *c, const char *path)
{
        char *text = NULL;

        return read_into(c, path, FILE_MAX, &text, NULL) ? keep(c, text) : NULL;
}

static uint64_t number_of(struct collector *c, const char *path, int base, uint64_t otherwise)
{
        _cleanup_free_ char *text = NULL;
        char *end;
        uint64_t value;

        if (!read_into(c, path, FACTS_TEXT_MAX, &text, NULL))
                return otherwise;
        value = strtoull(text, &end, base);
        return end == text ? otherwise : value;
}

/* --- tables of names --- */

/* The names in front of the colon or blank of each line. */
static struct facts_text *names_of(struct collector *c, const char *path, char separator, uint32_t *ret_n)
{
        struct facts_text *names = keep(c, calloc(FACTS_NAMES_MAX, sizeof(*names)));
        const char *text = text_of(c, path), *end;
        uint32_t n = 0;

        for (; names && text && *text && n < FACTS_NAMES_MAX; text = *end ? end + 1 : end) {
                const char *stop = strchr(text, separator);

                end = strchrnul(text, '\n');
                if (!stop || stop > end || stop == text || stop - text >= VIEW_NAME_SIZE)
                        continue;
                names[n++] = (struct facts_text){.text = text, .size = (uint32_t)(stop - text)};
        }
        *ret_n = n;
        return names;
}

/* "Name:   123 kB" in bytes. */
static uint64_t meminfo_bytes(struct collector *c, const char *name, uint64_t otherwise)
{
        size_t length = strlen(name);

        for (uint32_t i = 0; i < c->f.n_meminfo; i++)
                if (c->f.meminfo[i].size == length && memcmp(c->f.meminfo[i].text, name, length) == 0)
                        return strtoull(c->f.meminfo[i].text + length + 1, NULL, 10) * 1024;
        return otherwise;
}

static void collect_memory(struct collector *c)
{
        struct sysinfo info = {.mem_unit = 1};

        (void)sysinfo(&info); /* for a host that has no meminfo to read; can't fail */
        c->f.meminfo = names_of(c, "proc/meminfo", ':', &c->f.n_meminfo);
        c->f.vmstat = names_of(c, "proc/vmstat", ' ', &c->f.n_vmstat);
        c->f.memory_bytes = meminfo_bytes(c, "MemTotal", (uint64_t)info.totalram * info.mem_unit);
        c->f.swap_bytes = meminfo_bytes(c, "SwapTotal", (uint64_t)info.totalswap * info.mem_unit);
        c->f.hugepage_bytes = meminfo_bytes(c, "Hugepagesize", 0);
        c->f.vmalloc_bytes = meminfo_bytes(c, "VmallocTotal", 0);
        c->f.overcommit_ratio = (uint32_t)number_of(c, "proc/sys/vm/overcommit_ratio", 10, 50);
        c->f.block_bytes = number_of(c, "sys/devices/system/memory/block_size_bytes", 16, 0) & ~0xfffffULL;
}

/* --- files of sysfs --- */

static int compare(const void *a, const void *b)
{
        return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names in a directory, sorted; empty if it can't be read. */
static char **list(struct collector *c, const char *path)
{
        _cleanup_(strv_freep) char **names = NULL;
        _cleanup_closedir_ DIR *dir = NULL;
        int fd = fd_open2(c->root_fd, path, O_RDONLY | O_DIRECTORY, 0, 0);
        struct dirent *entry;

        if (fd < 0)
                return NULL;
        dir = fdopendir(fd);
        if (!dir) {
                c->fault = -ENOMEM;
                close_fd(fd);
                return NULL;
        }
        while ((entry = readdir(dir))) {
                if (entry->d_name[0] == '.' || strlen(entry->d_name) >= VIEW_NAME_SIZE)
                        continue;
                if (strv_append(&names, entry->d_name) < 0)
                        c->fault = -ENOMEM;
        }
        if (names)
                qsort(names, strv_length(names), sizeof(*names), compare);
        return TAKE(names);
}

static bool has_suffix(const char *name, const char *suffix)
{
        size_t n = strlen(name), length = strlen(suffix);

        return n >= length && strcmp(name + n - length, suffix) == 0;
}

static enum facts_file_kind file_kind(const char *path)
{
        if (has_suffix(path, "_siblings") || has_suffix(path, "_cpus") || has_suffix(path, "_cpu_map"))
                return FACTS_FILE_MASK;
        if (has_suffix(path, "_siblings_list") || has_suffix(path, "_cpus_list") || has_suffix(path, "_cpu_list"))
                return FACTS_FILE_MASK_LIST;
        return FACTS_FILE_TEXT;
}

/* "0-3,8": sets the bits below KSTAT_CPUS_MAX; returns the highest and 1, 0: none. */
static uint32_t parse_list(const char *text, uint64_t *mask)
{
        uint32_t top = 0;

        while (*text >= '0' && *text <= '9') {
                char *end;
                unsigned long from = strtoul(text, &end, 10), to = from;

                if (*end == '-')
                        to = strtoul(end + 1, &end, 10);
                for (unsigned long i = from; i <= to && i < KSTAT_CPUS_MAX; i++) {
                        mask[i / 64] |= 1ULL << (i % 64);
                        top = (uint32_t)i + 1;
                }
                text = *end == ',' ? end + 1 : end;
        }
        return top;
}

/* "ff,00000003": the last word is the lowest. */
static void parse_mask(const char *text, uint64_t *mask)
{
        unsigned int words = 1;

        for (const char *p = text; *p; p++)
                words += *p == ',';
        while (words-- > 0) {
                char *end;
                uint64_t word = strtoul(text, &end, 16);

                if (words < KSTAT_CPUS_MAX / 32)
                        mask[words / 2] |= (word & UINT32_MAX) << (words % 2 * 32);
                if (*end != ',')
                        return;
                text = end + 1;
        }
}

/* Adds the file directory/path to a list; one that can't be read is left out. */
static void add_file(struct collector *c, struct wire_writer *w, uint32_t *n, const char *directory, const char *path)
{
        struct facts_file file = {.path = {path, (uint32_t)strlen(path)}, .kind = file_kind(path)};
        _cleanup_free_ char *whole = NULL, *text = NULL;
        size_t size = 0;

        if (asprintf(&whole, "%s/%s", directory, path) < 0) {
                whole = NULL;
                c->fault = -ENOMEM;
                return;
        }
        if (*n >= FACTS_FILES_MAX || !read_into(c, whole, FACTS_TEXT_MAX, &text, &size))
                return;
        if (file.kind == FACTS_FILE_MASK)
                parse_mask(text, file.cpus);
        else if (file.kind == FACTS_FILE_MASK_LIST)
                (void)parse_list(text, file.cpus);
        else
                file.text = (struct facts_text){.text = text, .size = (uint32_t)size};
        facts_file_encode(w, &file);
        ++*n;
}

/* Adds what is in directory/below, whose own directories are passed over. */
static void add_files(struct collector *c, struct wire_writer *w, uint32_t *n, const char *directory, const char *below)
{
        _cleanup_free_ char *whole = NULL;
        _cleanup_(strv_freep) char **names = NULL;

        if (asprintf(&whole, "%s/%s", directory, below) < 0) {
                whole = NULL;
                c->fault = -ENOMEM;
                return;
        }
        names = list(c, whole);
        for (char **name = names; name && *name; name++) {
                _cleanup_free_ char *path = NULL;

                if (strcmp(*name, "uevent") == 0)
                        continue;
                if (asprintf(&path, "%s/%s", below, *name) < 0) {
                        path = NULL;
                        c->fault = -ENOMEM;
                        return;
                }
                add_file(c, w, n, directory, path);
        }
}

static struct facts_files files_end(struct collector *c, struct wire_writer *w, uint32_t n)
{
        struct facts_files files = {.data = w->data, .size = (uint32_t)w->used, .n = n};

        if (w->fault)
                c->fault = w->fault;
        if (w->data)
                (void)keep(c, TAKE(w->data)); /* the fault is told */
        wire_writer_done(w);
        return c->fault ? (struct facts_files){.data = NULL} : files;
}

static void collect_system_cpu(struct collector *c)
{
        struct wire_writer w = WIRE_WRITER_INIT;
        uint32_t n = 0;

        add_file(c, &w, &n, CPU_DIR, "kernel_max");
        add_file(c, &w, &n, CPU_DIR, "modalias");
        add_file(c, &w, &n, CPU_DIR, "smt/active");
        add_file(c, &w, &n, CPU_DIR, "smt/control");
        add_files(c, &w, &n, CPU_DIR, "vulnerabilities");
        c->f.system_cpu = files_end(c, &w, n);
}

/* --- CPUs --- */

static struct facts_files collect_cpu_files(struct collector *c, uint32_t number)
{
        _cleanup_(strv_freep) char **indexes = NULL;
        struct wire_writer w = WIRE_WRITER_INIT;
        char directory[64], below[80];
        uint32_t n = 0;

        (void)snprintf(below, sizeof(below), CPU_DIR "/cpu%u/cache", number);
        indexes = list(c, below);
        (void)snprintf(directory, sizeof(directory), CPU_DIR "/cpu%u", number);
        for (char **index = indexes; index && *index; index++) {
                if (!str_has_prefix(*index, "index"))
                        continue;
                (void)snprintf(below, sizeof(below), "cache/%.60s", *index);
                add_files(c, &w, &n, directory, below);
        }
        add_files(c, &w, &n, directory, "topology");
        return files_end(c, &w, n);
}

static uint32_t topology(struct collector *c, uint32_t number, const char *name)
{
        char path[128];

        (void)snprintf(path, sizeof(path), CPU_DIR "/cpu%u/topology/%s", number, name);
        return (uint32_t)number_of(c, path, 10, 0);
}

/* Takes in one block of cpuinfo. */
static void add_cpu(struct collector *c, const char *block, size_t size)
{
        const char *colon = memchr(block, ':', size);
        struct facts_cpu *cpu = &c->f.cpus[c->f.n_cpus];
        uint64_t number = colon ? strtoull(colon + 1, NULL, 10) : KSTAT_CPUS_MAX;

        if (!str_has_prefix(block, "processor") || number >= KSTAT_CPUS_MAX || size > FACTS_TEXT_MAX ||
                (c->f.n_cpus > 0 && number <= cpu[-1].number))
                return;
        *cpu = (struct facts_cpu){.number = (uint32_t)number, .cpuinfo = {block, (uint32_t)size}};
        cpu->package = topology(c, cpu->number, "physical_package_id");
        cpu->core = topology(c, cpu->number, "core_id");
        cpu->files = collect_cpu_files(c, cpu->number);
        c->f.n_cpus++;
}

static void collect_cpus(struct collector *c)
{
        uint64_t possible[KSTAT_CPUS_MAX / 64] = {0};
        const char *at = text_of(c, "proc/cpuinfo"), *list_of_possible = text_of(c, CPU_DIR "/possible"), *end;

        c->f.n_possible = list_of_possible ? parse_list(list_of_possible, possible) : 0;
        if (!c->f.n_possible)
                c->f.n_possible = KSTAT_CPUS_MAX;
        c->f.cpus = keep(c, calloc(KSTAT_CPUS_MAX + 1, sizeof(*c->f.cpus)));
        while (at && *at && !c->fault) {
                end = strstr(at, "\n\n");
                end = end ? end + 1 : at + strlen(at);
                add_cpu(c, at, (size_t)(end - at));
                at = *end ? end + 1 : end;
        }
}

/* --- disks --- */

/* The name that a driver has for a major number, from the second part of /proc/devices. */
static struct facts_text driver_of(const char *devices, uint32_t major)
{
        const char *at = devices ? strstr(devices, "Block devices:") : NULL;

        while (at && (at = strchr(at, '\n')) && at[1]) {
                char *end;
                unsigned long number = strtoul(++at, &end, 10);

                if (end != at && *end == ' ' && number == major) {
                        size_t size = strcspn(end + 1, "\n");

                        size = size < VIEW_NAME_SIZE ? size : VIEW_NAME_SIZE - 1;
                        return (struct facts_text){.text = end + 1, .size = (uint32_t)size};
                }
        }
        return (struct facts_text){.text = "blkdev", .size = 6};
}

static void add_disk(struct collector *c, const char *name, const char *devices)
{
        struct facts_disk *disk = &c->f.disks[c->f.n_disks];
        char path[128];
        unsigned int major, minor;
        const char *dev;
        char *own = keep(c, strdup(name));

        (void)snprintf(path, sizeof(path), "sys/block/%s/dev", name);
        dev = text_of(c, path);
        if (!own || !dev || sscanf(dev, "%u:%u", &major, &minor) != 2)
                return;
        *disk = (struct facts_disk){.major = major, .minor = minor, .name = {own, (uint32_t)strlen(own)}};
        for (char *p = own; *p; p++) /* sysfs writes '!' for the slash in "cciss/c0d0" */
                *p = *p == '/' ? '!' : *p;
        (void)snprintf(path, sizeof(path), "sys/block/%s/size", name);
        disk->size_bytes = number_of(c, path, 10, 0) * 512;
        (void)snprintf(path, sizeof(path), "sys/block/%s/queue/rotational", name);
        disk->rotational = (uint32_t)number_of(c, path, 10, 0);
        (void)snprintf(path, sizeof(path), "sys/block/%s/queue/logical_block_size", name);
        disk->sector_bytes = (uint32_t)number_of(c, path, 10, 512);
        disk->driver = driver_of(devices, major);
        c->f.n_disks++;
}

static int compare_disks(const void *a, const void *b)
{
        const struct facts_disk *x = a, *y = b;

        if (x->major != y->major)
                return x->major < y->major ? -1 : 1;
        return x->minor < y->minor ? -1 : x->minor > y->minor;
}

static void collect_disks(struct collector *c)
{
        _cleanup_(strv_freep) char **names = list(c, "sys/block");
        const char *devices = text_of(c, "proc/devices");
        size_t n = names ? strv_length(names) : 0;

        n = n < FACTS_DISKS_MAX ? n : FACTS_DISKS_MAX;
        c->f.disks = keep(c, calloc(n + 1, sizeof(*c->f.disks)));
        for (size_t i = 0; i < n && !c->fault; i++)
                add_disk(c, names[i], devices);
        if (!c->fault)
                qsort(c->f.disks, c->f.n_disks, sizeof(*c->f.disks), compare_disks);
}

/* --- all --- */

/* The host's boot id can't be told from what a partition sees: a hash is between. */
static void collect_seed(struct collector *c)
{
        static const uint64_t key[2] = {0x63726f6674207669, 0x657720626f6f7469};
        const char *id = text_of(c, "proc/sys/kernel/random/boot_id");

        id = id ? id : "";
        view_hash(key, id, strlen(id), c->f.seed);
}

static uint32_t schedstat_version(struct collector *c)
{
        const char *text = text_of(c, "proc/schedstat");
        unsigned int version;

        return text && sscanf(text, "version %u", &version) == 1 ? version : 15;
}

int facts_collect(int root_fd, struct wire_writer *w)
{
        struct collector c = {.root_fd = root_fd};

        c.f.user_hz = (uint32_t)sysconf(_SC_CLK_TCK);
        c.f.page_bytes = (uint32_t)sysconf(_SC_PAGESIZE);
        c.f.schedstat_version = schedstat_version(&c);
        collect_memory(&c);
        collect_system_cpu(&c);
        collect_cpus(&c);
        collect_disks(&c);
        collect_seed(&c);
        if (!c.fault) {
                facts_encode(w, &c.f);
                c.fault = w->fault;
        }
        collector_done(&c);
        return c.fault;
}

int view_facts_memfd(struct croft_error *err)
{
        _cleanup_close_ int root_fd = fd_open2(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0, 0), fd = -EBADF;
        struct wire_writer w = WIRE_WRITER_INIT;
        int r;

        if (root_fd < 0)
                return croft_error_set(err, -root_fd, "open '/'");
        r = facts_collect(root_fd, &w);
        if (r == 0)
                r = fd = fd_sealed("croft-facts", w.data, w.used);
        wire_writer_done(&w);
        if (r < 0)
                return croft_error_set(err, -r, "collect facts about this host for the views of partitions");
        return TAKE_FD(fd);
}
