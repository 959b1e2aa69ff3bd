/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * view_facts.c - encoding and decoding of the facts about the host.  See view_facts.h for the invariant.
 *
 * They are written by croftd and read by wardens, which run as somebody else; a warden that was taken over can't change
 * them (they are sealed), but bounds are checked all the same.
 */
#include "kstat/view_facts.h"

#include "base/cleanup.h"

#include <string.h>

#define CPUS_MAX KSTAT_CPUS_MAX
#define BLOCK_BYTES_MIN (1u << 20)

/* --- encoding --- */

static void put_text(struct wire_writer *w, const struct facts_text *text)
{
        wire_put_blob(w, text->text, text->size);
}

static void put_names(struct wire_writer *w, const struct facts_text *names, uint32_t n)
{
        wire_put_u32(w, n);
        for (uint32_t i = 0; i < n; i++)
                put_text(w, &names[i]);
}

static void put_files(struct wire_writer *w, const struct facts_files *files)
{
        wire_put_u32(w, files->n);
        wire_put_blob(w, files->data, files->size);
}

void facts_file_encode(struct wire_writer *w, const struct facts_file *file)
{
        put_text(w, &file->path);
        wire_put_u8(w, (uint8_t)file->kind);
        if (file->kind == FACTS_FILE_TEXT) {
                put_text(w, &file->text);
                return;
        }
        for (size_t i = 0; i < ELEMENTS(file->cpus); i++)
                wire_put_u64(w, file->cpus[i]);
}

static void put_cpu(struct wire_writer *w, const struct facts_cpu *cpu)
{
        wire_put_u32(w, cpu->number);
        wire_put_u32(w, cpu->package);
        wire_put_u32(w, cpu->core);
        put_text(w, &cpu->cpuinfo);
        put_files(w, &cpu->files);
}

static void put_disk(struct wire_writer *w, const struct facts_disk *disk)
{
        wire_put_u32(w, disk->major);
        wire_put_u32(w, disk->minor);
        wire_put_u64(w, disk->size_bytes);
        wire_put_u32(w, disk->rotational);
        wire_put_u32(w, disk->sector_bytes);
        put_text(w, &disk->name);
        put_text(w, &disk->driver);
}

void facts_encode(struct wire_writer *w, const struct view_facts *facts)
{
        wire_put_u32(w, FACTS_MAGIC);
        wire_put_u32(w, facts->user_hz);
        wire_put_u32(w, facts->page_bytes);
        wire_put_u32(w, facts->n_possible);
        wire_put_u32(w, facts->overcommit_ratio);
        wire_put_u32(w, facts->schedstat_version);
        wire_put_u64(w, facts->memory_bytes);
        wire_put_u64(w, facts->swap_bytes);
        wire_put_u64(w, facts->hugepage_bytes);
        wire_put_u64(w, facts->vmalloc_bytes);
        wire_put_u64(w, facts->block_bytes);
        wire_put_u64(w, facts->seed[0]);
        wire_put_u64(w, facts->seed[1]);
        put_names(w, facts->meminfo, facts->n_meminfo);
        put_names(w, facts->vmstat, facts->n_vmstat);
        put_files(w, &facts->system_cpu);
        wire_put_u32(w, facts->n_cpus);
        for (uint32_t i = 0; i < facts->n_cpus; i++)
                put_cpu(w, &facts->cpus[i]);
        wire_put_u32(w, facts->n_disks);
        for (uint32_t i = 0; i < facts->n_disks; i++)
                put_disk(w, &facts->disks[i]);
}

/* --- decoding --- */

static struct facts_text get_text(struct wire_reader *r, size_t max)
{
        size_t size = 0;
        const void *data = wire_get_bytes(r, max, &size);

        return (struct facts_text){.text = data ? data : "", .size = (uint32_t)size};
}

/* A list of n elements of element bytes each, of which each takes at least four in the encoding. */
static void *get_list(struct wire_reader *r, uint32_t max, size_t element, uint32_t *ret_n)
{
        uint32_t n = wire_get_u32(r);
        void *list;

        if (!r->fault && (n > max || n > (r->size - r->at) / sizeof(uint32_t)))
                r->fault = n > max ? -EMSGSIZE : -EBADMSG;
        if (r->fault)
                return NULL;
        list = calloc((size_t)n + 1, element);
        if (!list) {
                r->fault = -ENOMEM;
                return NULL;
        }
        *ret_n = n;
        return list;
}

static struct facts_text *get_names(struct wire_reader *r, uint32_t *ret_n)
{
        uint32_t n = 0;
        struct facts_text *names = get_list(r, FACTS_NAMES_MAX, sizeof(*names), &n);

        for (uint32_t i = 0; i < n; i++)
                names[i] = get_text(r, VIEW_NAME_SIZE - 1);
        *ret_n = n;
        return names;
}

/* A path of names that a directory can list: none empty, none "." or "..". */
static bool is_path(const struct facts_text *path)
{
        uint32_t from = 0;

        for (uint32_t i = 0; i <= path->size; i++) {
                const char *name = path->text + from;

                if (i < path->size && path->text[i] != '/')
                        continue;
                if (i == from || i - from >= VIEW_NAME_SIZE || (i - from <= 2 && name[0] == '.'))
                        return false;
                from = i + 1;
        }
        return true;
}

static void get_file(struct wire_reader *r, struct facts_file *ret)
{
        *ret = (struct facts_file){.path = get_text(r, 4 * VIEW_NAME_SIZE)};
        ret->kind = wire_get_u8(r);
        if (!r->fault && (ret->kind >= FACTS_FILE_KINDS || !is_path(&ret->path)))
                r->fault = -EBADMSG;
        if (ret->kind == FACTS_FILE_TEXT) {
                ret->text = get_text(r, FACTS_TEXT_MAX);
                return;
        }
        for (size_t i = 0; i < ELEMENTS(ret->cpus); i++)
                ret->cpus[i] = wire_get_u64(r);
}

bool facts_files_next(const struct facts_files *files, uint32_t *at, struct facts_file *ret)
{
        struct wire_reader r;

        if (*at >= files->size)
                return false;
        wire_reader_init(&r, files->data, files->size);
        r.at = *at;
        get_file(&r, ret);
        *at = (uint32_t)r.at;
        return r.fault == 0;
}

static struct facts_files get_files(struct wire_reader *r)
{
        struct facts_files files = {.n = wire_get_u32(r)};
        struct wire_reader inner;
        struct facts_file file;
        size_t size = 0;

        files.data = wire_get_bytes(r, VIEW_FACTS_MAX, &size);
        files.size = (uint32_t)size;
        if (!r->fault && files.n > FACTS_FILES_MAX)
                r->fault = -EMSGSIZE;
        if (r->fault)
                return (struct facts_files){.data = NULL};
        wire_reader_init(&inner, files.data, files.size);
        for (uint32_t i = 0; i < files.n; i++)
                get_file(&inner, &file);
        r->fault = wire_reader_end(&inner);
        return files;
}

static void get_cpus(struct wire_reader *r, struct view_facts *facts)
{
        uint32_t n = 0;

        facts->cpus = get_list(r, CPUS_MAX, sizeof(*facts->cpus), &n);
        for (uint32_t i = 0; i < n && !r->fault; i++) {
                struct facts_cpu *cpu = &facts->cpus[i];

                cpu->number = wire_get_u32(r);
                cpu->package = wire_get_u32(r);
                cpu->core = wire_get_u32(r);
                cpu->cpuinfo = get_text(r, FACTS_TEXT_MAX);
                cpu->files = get_files(r);
                if (!r->fault && (cpu->number >= CPUS_MAX || (i > 0 && cpu->number <= cpu[-1].number)))
                        r->fault = -EBADMSG;
        }
        facts->n_cpus = n;
}

static bool disk_before(const struct facts_disk *a, uint32_t major, uint32_t minor)
{
        return a->major != major ? a->major < major : a->minor < minor;
}

static void get_disks(struct wire_reader *r, struct view_facts *facts)
{
        uint32_t n = 0;

        facts->disks = get_list(r, FACTS_DISKS_MAX, sizeof(*facts->disks), &n);
        for (uint32_t i = 0; i < n && !r->fault; i++) {
                struct facts_disk *disk = &facts->disks[i];

                disk->major = wire_get_u32(r);
                disk->minor = wire_get_u32(r);
                disk->size_bytes = wire_get_u64(r);
                disk->rotational = wire_get_u32(r);
                disk->sector_bytes = wire_get_u32(r);
                disk->name = get_text(r, VIEW_NAME_SIZE - 1);
                disk->driver = get_text(r, VIEW_NAME_SIZE - 1);
                if (!r->fault && (!is_path(&disk->name) || memchr(disk->name.text, '/', disk->name.size) ||
                                         (i > 0 && !disk_before(disk - 1, disk->major, disk->minor))))
                        r->fault = -EBADMSG;
        }
        facts->n_disks = n;
}

static void get_numbers(struct wire_reader *r, struct view_facts *facts)
{
        facts->user_hz = wire_get_u32(r);
        facts->page_bytes = wire_get_u32(r);
        facts->n_possible = wire_get_u32(r);
        facts->overcommit_ratio = wire_get_u32(r);
        facts->schedstat_version = wire_get_u32(r);
        facts->memory_bytes = wire_get_u64(r);
        facts->swap_bytes = wire_get_u64(r);
        facts->hugepage_bytes = wire_get_u64(r);
        facts->vmalloc_bytes = wire_get_u64(r);
        facts->block_bytes = wire_get_u64(r);
        facts->seed[0] = wire_get_u64(r);
        facts->seed[1] = wire_get_u64(r);
        if (r->fault)
                return;
        /* What is divided by. */
        if (!facts->user_hz || facts->user_hz > 1000000 || facts->page_bytes < 1024 || !facts->n_possible ||
                facts->n_possible > CPUS_MAX || (facts->block_bytes > 0 && facts->block_bytes < BLOCK_BYTES_MIN))
                r->fault = -EBADMSG;
}

struct view_facts *view_facts_free(struct view_facts *facts)
{
        if (!facts)
                return NULL;
        free(facts->meminfo);
        free(facts->vmstat);
        free(facts->cpus);
        free(facts->disks);
        free(facts);
        return NULL;
}

void view_facts_freep(struct view_facts **facts)
{
        *facts = view_facts_free(*facts);
}

int view_facts_decode(const void *data, size_t size, struct view_facts **ret)
{
        _cleanup_(view_facts_freep) struct view_facts *facts = NULL;
        struct wire_reader r;
        int error;

        if (size > VIEW_FACTS_MAX)
                return -EMSGSIZE;
        facts = calloc(1, sizeof(*facts));
        if (!facts)
                return -ENOMEM;
        wire_reader_init(&r, data, size);
        if (wire_get_u32(&r) != FACTS_MAGIC && !r.fault)
                return -EPROTONOSUPPORT;
        get_numbers(&r, facts);
        facts->meminfo = get_names(&r, &facts->n_meminfo);
        facts->vmstat = get_names(&r, &facts->n_vmstat);
        facts->system_cpu = get_files(&r);
        get_cpus(&r, facts);
        get_disks(&r, facts);
        error = wire_reader_end(&r);
        if (error < 0)
                return error;
        *ret = TAKE(facts);
        return 0;
}

/* --- looking up --- */

void view_facts_machine(const struct view_facts *facts, struct view_machine *ret)
{
        *ret = (struct view_machine){
                .memory_bytes = facts->memory_bytes, .swap_bytes = facts->swap_bytes, .page_bytes = facts->page_bytes};
}

const struct facts_cpu *facts_cpu_find(const struct view_facts *facts, unsigned int number)
{
        /* Most hosts number theirs without gaps. */
        if (number < facts->n_cpus && facts->cpus[number].number == number)
                return &facts->cpus[number];
        for (uint32_t i = 0; i < facts->n_cpus; i++)
                if (facts->cpus[i].number == number)
                        return &facts->cpus[i];
        return NULL;
}

const struct facts_disk *facts_disk_find(const struct view_facts *facts, uint32_t major, uint32_t minor)
{
        uint32_t low = 0, high = facts->n_disks;

        while (low < high) {
                uint32_t middle = low + (high - low) / 2;

                if (disk_before(&facts->disks[middle], major, minor))
                        low = middle + 1;
                else
                        high = middle;
        }
        if (low < facts->n_disks && facts->disks[low].major == major && facts->disks[low].minor == minor)
                return &facts->disks[low];
        return NULL;
}
