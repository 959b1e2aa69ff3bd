/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * types.c - the kernel's type information: index and selection.  See types.h.
 *
 * Invariant: `at` has a place for each type whose record lies wholly within the bytes, and every name in the index is
 * ended within them; so what is looked at later needs no check but that of ids and of names of members.
 */
#include "kernel/types.h"

#include "base/cleanup.h"

#include <bpf/btf.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>

#define PLACE "/sys/kernel/btf/vmlinux"
#define PERCPU ".data..percpu"
#define FLAVOR "___" /* what follows isn't a part of a type's name */

struct kernel_types {
        unsigned int references; /* of the running kernel's, under its lock */
        unsigned char *bytes;
        const char *names;
        uint32_t names_size;
        uint32_t n;      /* ids are below it; 0 is void */
        uint32_t *at;    /* by id: where its record begins */
        uint32_t *index; /* a hash of names: ids, 0: free */
        uint32_t mask;
};

/* --- records --- */

static const struct btf_type *record_of(const struct kernel_types *types, uint32_t id)
{
        return (const struct btf_type *)(const void *)(types->bytes + types->at[id]);
}

/* "" for what has none. */
static const char *name_of(const struct kernel_types *types, uint32_t offset)
{
        return offset < types->names_size ? types->names + offset : "";
}

/* How long a record of that kind is behind its head. */
static size_t tail_size(const struct btf_type *t)
{
        size_t n = btf_vlen(t);

        switch (btf_kind(t)) {
        case BTF_KIND_INT:
        case BTF_KIND_VAR:
        case BTF_KIND_DECL_TAG:
                return sizeof(uint32_t);
        case BTF_KIND_ARRAY:
                return sizeof(struct btf_array);
        case BTF_KIND_STRUCT:
        case BTF_KIND_UNION:
                return n * sizeof(struct btf_member);
        case BTF_KIND_ENUM:
                return n * sizeof(struct btf_enum);
        case BTF_KIND_ENUM64:
                return n * sizeof(struct btf_enum64);
        case BTF_KIND_FUNC_PROTO:
                return n * sizeof(struct btf_param);
        case BTF_KIND_DATASEC:
                return n * sizeof(struct btf_var_secinfo);
        default:
                return 0;
        }
}

static bool has_flavors(unsigned int kind)
{
        return kind == BTF_KIND_STRUCT || kind == BTF_KIND_UNION || kind == BTF_KIND_ENUM || kind == BTF_KIND_ENUM64;
}

static bool is_indexed(unsigned int kind)
{
        return has_flavors(kind) || kind == BTF_KIND_FUNC || kind == BTF_KIND_TYPEDEF || kind == BTF_KIND_VAR ||
               kind == BTF_KIND_DATASEC;
}

static size_t essential_length(const char *name)
{
        const char *flavor = strstr(name, FLAVOR);

        return flavor && flavor != name ? (size_t)(flavor - name) : strlen(name);
}

/* --- index --- */

static uint32_t hash_of(const char *name, size_t length)
{
        uint32_t hash = 2166136261U; /* FNV-1a */

        for (size_t i = 0; i < length; i++)
                hash = (hash ^ (unsigned char)name[i]) * 16777619U;
        return hash ^ hash >> 15;
}

static size_t length_of(const char *name, unsigned int kind)
{
        return has_flavors(kind) ? essential_length(name) : strlen(name);
}

static void enter(struct kernel_types *types, uint32_t id)
{
        const struct btf_type *t = record_of(types, id);
        const char *name = name_of(types, t->name_off);
        uint32_t i;

        if (!*name)
                return;
        i = hash_of(name, length_of(name, btf_kind(t))) & types->mask;
        while (types->index[i])
                i = (i + 1) & types->mask;
        types->index[i] = id;
}

/* The next one with a name that begins with these bytes and has no more but a flavor, from *i on; 0: there is none. */
static uint32_t next_named(const struct kernel_types *types, const char *name, size_t length, bool flavors, uint32_t *i)
{
        uint32_t id;

        for (; (id = types->index[*i & types->mask]); (*i)++) {
                const struct btf_type *t = record_of(types, id);
                const char *its = name_of(types, t->name_off);

                if (has_flavors(btf_kind(t)) != flavors || strncmp(its, name, length) != 0 ||
                        length_of(its, btf_kind(t)) != length)
                        continue;
                (*i)++;
                return id;
        }
        return 0;
}

/* Finds where each record is.  -EBADMSG: one isn't within the section. */
static int find_records(struct kernel_types *types, uint32_t from, uint32_t size, uint32_t *ret_indexed)
{
        const unsigned char *at = types->bytes + from, *end = at + size;
        uint32_t n = 1;

        types->at = calloc(size / sizeof(struct btf_type) + 1, sizeof(*types->at));
        if (!types->at)
                return -ENOMEM;
        while ((size_t)(end - at) >= sizeof(struct btf_type)) {
                const struct btf_type *t = (const struct btf_type *)(const void *)at;
                size_t length = sizeof(*t) + tail_size(t);

                if (length > (size_t)(end - at))
                        return -EBADMSG;
                types->at[n++] = (uint32_t)(at - types->bytes);
                *ret_indexed += is_indexed(btf_kind(t));
                at += length;
        }
        types->n = n;
        return at == end ? 0 : -EBADMSG;
}

static int make_index(struct kernel_types *types, uint32_t indexed)
{
        uint32_t room = 64;

        while (room < 2 * indexed)
                room *= 2;
        types->index = calloc(room, sizeof(*types->index));
        if (!types->index)
                return -ENOMEM;
        types->mask = room - 1;
        for (uint32_t id = 1; id < types->n; id++)
                if (is_indexed(btf_kind(record_of(types, id))))
                        enter(types, id);
        return 0;
}

static int read_sections(struct kernel_types *types, size_t size)
{
        struct btf_header head;
        uint32_t indexed = 0;
        uint64_t names;
        int r;

        if (size < sizeof(head) || size > INT32_MAX)
                return -EBADMSG;
        memcpy(&head, types->bytes, sizeof(head));
        names = (uint64_t)head.hdr_len + head.str_off;
        if (head.magic != BTF_MAGIC || head.hdr_len < sizeof(head) || head.hdr_len % 4 || head.type_off % 4 ||
                (uint64_t)head.hdr_len + head.type_off + head.type_len > size || names + head.str_len > size ||
                head.str_len == 0 || types->bytes[names + head.str_len - 1] != '\0')
                return -EBADMSG;
        types->names = (const char *)types->bytes + names;
        types->names_size = head.str_len;
        r = find_records(types, head.hdr_len + head.type_off, head.type_len, &indexed);
        return r < 0 ? r : make_index(types, indexed);
}

static void free_types(struct kernel_types *types)
{
        free(types->bytes);
        free(types->at);
        free(types->index);
        free(types);
}

int kernel_types_new(void *bytes, size_t size, struct kernel_types **ret, struct croft_error *err)
{
        struct kernel_types *types = calloc(1, sizeof(*types));
        int r;

        if (!types) {
                free(bytes);
                return croft_error_set(err, ENOMEM, "read type information");
        }
        *types = (struct kernel_types){.references = 1, .bytes = bytes};
        r = read_sections(types, size);
        if (r < 0) {
                free_types(types);
                return croft_error_set(err, r, "read type information");
        }
        *ret = types;
        return 0;
}

/* --- the running kernel's --- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct kernel_types *running; /* while somebody holds it */

static int read_all(int fd, unsigned char *bytes, size_t size)
{
        size_t done = 0;

        while (done < size) {
                ssize_t n = read(fd, bytes + done, size - done);

                if (n <= 0)
                        return n < 0 ? -errno : -EBADMSG;
                done += (size_t)n;
        }
        return 0;
}

static int read_running(struct kernel_types **ret, struct croft_error *err)
{
        _cleanup_close_ int fd = open(PLACE, O_RDONLY | O_CLOEXEC);
        unsigned char *bytes;
        struct stat st;
        int r;

        if (fd < 0 || fstat(fd, &st) < 0)
                return croft_error_set(err, errno, "open '%s'", PLACE);
        bytes = malloc((size_t)st.st_size);
        r = bytes ? read_all(fd, bytes, (size_t)st.st_size) : -ENOMEM;
        if (r < 0) {
                free(bytes);
                return croft_error_set(err, r, "read '%s'", PLACE);
        }
        return kernel_types_new(bytes, (size_t)st.st_size, ret, err);
}

int kernel_types_ref(struct kernel_types **ret, struct croft_error *err)
{
        int r = 0;

        (void)pthread_mutex_lock(&lock);
        if (running)
                running->references++;
        else
                r = read_running(&running, err);
        if (r == 0)
                *ret = running;
        (void)pthread_mutex_unlock(&lock);
        return r;
}

struct kernel_types *kernel_types_unref(struct kernel_types *types)
{
        bool last;

        if (!types)
                return NULL;
        (void)pthread_mutex_lock(&lock);
        last = --types->references == 0;
        if (last && types == running)
                running = NULL;
        (void)pthread_mutex_unlock(&lock);
        if (last)
                free_types(types);
        return NULL;
}

void kernel_types_unrefp(struct kernel_types **types)
{
        *types = kernel_types_unref(*types);
}

/* --- questions --- */

int kernel_types_find(const struct kernel_types *types, const char *name, unsigned int kind)
{
        size_t length = length_of(name, kind);
        uint32_t i = hash_of(name, length), id;

        while ((id = next_named(types, name, length, has_flavors(kind), &i))) {
                const struct btf_type *t = record_of(types, id);

                if (btf_kind(t) == kind && strcmp(name_of(types, t->name_off), name) == 0)
                        return (int)id;
        }
        return -ENOENT;
}

bool kernel_types_percpu(const struct kernel_types *types, const char *name, uint32_t *ret_offset)
{
        int section = kernel_types_find(types, PERCPU, BTF_KIND_DATASEC);
        int variable = kernel_types_find(types, name, BTF_KIND_VAR);
        const struct btf_var_secinfo *list;

        if (section < 0 || variable < 0)
                return false;
        list = btf_var_secinfos(record_of(types, (uint32_t)section));
        for (uint16_t i = 0; i < btf_vlen(record_of(types, (uint32_t)section)); i++)
                if (list[i].type == (uint32_t)variable) {
                        *ret_offset = list[i].offset;
                        return true;
                }
        return false;
}

bool kernel_types_value(const struct kernel_types *types, const char *first, const char *name, uint32_t *ret)
{
        for (uint32_t id = 1; id < types->n; id++) {
                const struct btf_type *t = record_of(types, id);
                const struct btf_enum *list = btf_enum(t);

                if (btf_kind(t) != BTF_KIND_ENUM || t->name_off || btf_vlen(t) == 0 ||
                        strcmp(name_of(types, list[0].name_off), first) != 0)
                        continue;
                for (uint16_t i = 0; i < btf_vlen(t); i++)
                        if (strcmp(name_of(types, list[i].name_off), name) == 0) {
                                *ret = (uint32_t)list[i].val;
                                return true;
                        }
        }
        return false;
}

/* --- selection --- */

struct bytes {
        unsigned char *at;
        size_t n, room;
};

/* The selected types in the order of their new ids, which are 1 and more; what is written of them. */
struct selection {
        const struct kernel_types *types;
        uint32_t *ids;     /* by the old id: the new one, 0: not selected */
        uint32_t *order;   /* by the new id: the old one */
        uint32_t selected; /* the last new id */
        struct bytes records, names;
        bool failed; /* no memory, or an id that isn't one */
};

static void selection_done(struct selection *s)
{
        free(s->ids);
        free(s->order);
        free(s->records.at);
        free(s->names.at);
}

static void append(struct selection *s, struct bytes *to, const void *what, size_t size)
{
        if (to->n + size > to->room) {
                size_t room = (to->n + size) * 2 + 4096;
                unsigned char *at = realloc(to->at, room);

                if (!at) {
                        s->failed = true;
                        return;
                }
                to->at = at;
                to->room = room;
        }
        memcpy(to->at + to->n, what, size);
        to->n += size;
}

/* The new id of a type; it is selected with that. */
static uint32_t select_id(struct selection *s, uint32_t id)
{
        if (id == 0)
                return 0;
        if (id >= s->types->n) {
                s->failed = true;
                return 0;
        }
        if (!s->ids[id]) {
                s->ids[id] = ++s->selected;
                s->order[s->selected] = id;
        }
        return s->ids[id];
}

static uint32_t copy_name(struct selection *s, uint32_t offset)
{
        const char *name = name_of(s->types, offset);
        uint32_t at = (uint32_t)s->names.n;

        if (!*name)
                return 0;
        append(s, &s->names, name, strlen(name) + 1);
        return at;
}

static void copy_members(struct selection *s, const struct btf_type *t)
{
        const struct btf_member *list = btf_members(t);

        for (uint16_t i = 0; i < btf_vlen(t); i++) {
                struct btf_member member = list[i];

                member.name_off = copy_name(s, member.name_off);
                member.type = select_id(s, member.type);
                append(s, &s->records, &member, sizeof(member));
        }
}

/* Both kinds begin with their name. */
static void copy_values(struct selection *s, const struct btf_type *t)
{
        size_t each = btf_kind(t) == BTF_KIND_ENUM ? sizeof(struct btf_enum) : sizeof(struct btf_enum64);
        const unsigned char *list = (const unsigned char *)(t + 1);

        for (uint16_t i = 0; i < btf_vlen(t); i++) {
                struct btf_enum64 value; /* the longer one */

                memcpy(&value, list + i * each, each);
                value.name_off = copy_name(s, value.name_off);
                append(s, &s->records, &value, each);
        }
}

static void copy_array(struct selection *s, const struct btf_type *t)
{
        struct btf_array array = *btf_array(t);

        array.type = select_id(s, array.type);
        array.index_type = select_id(s, array.index_type);
        append(s, &s->records, &array, sizeof(array));
}

/* What isn't a part of an object (functions, their types, tags) is left out as void before it comes here. */
static void copy_type(struct selection *s, uint32_t id)
{
        const struct btf_type *t = record_of(s->types, id);
        struct btf_type head = *t;

        head.name_off = copy_name(s, head.name_off);
        switch (btf_kind(t)) {
        case BTF_KIND_PTR:
                head.type = 0;
                break;
        case BTF_KIND_TYPEDEF:
        case BTF_KIND_CONST:
        case BTF_KIND_VOLATILE:
        case BTF_KIND_RESTRICT:
        case BTF_KIND_TYPE_TAG:
                head.type = select_id(s, head.type);
                break;
        case BTF_KIND_FUNC_PROTO: /* behind a typedef: nobody looks at it */
                head = (struct btf_type){.info = (uint32_t)BTF_KIND_FWD << 24, .name_off = head.name_off};
                break;
        default:
                break;
        }
        append(s, &s->records, &head, sizeof(head));
        switch (btf_kind(t)) {
        case BTF_KIND_STRUCT:
        case BTF_KIND_UNION:
                copy_members(s, t);
                break;
        case BTF_KIND_ENUM:
        case BTF_KIND_ENUM64:
                copy_values(s, t);
                break;
        case BTF_KIND_ARRAY:
                copy_array(s, t);
                break;
        case BTF_KIND_INT:
                append(s, &s->records, t + 1, sizeof(uint32_t));
                break;
        default:
                break;
        }
}

/* A typedef is named by who reads a structure without a name of its own (irq_cpustat_t). */
static void select_named(struct selection *s, const struct btf *names)
{
        for (uint32_t i = 1; i < btf__type_cnt(names); i++) {
                const struct btf_type *t = btf__type_by_id(names, i);
                const char *name = btf__name_by_offset(names, t->name_off);
                bool flavors = has_flavors(btf_kind(t));
                uint32_t at, id;
                size_t length;

                if ((!flavors && btf_kind(t) != BTF_KIND_TYPEDEF) || !name || !*name)
                        continue;
                length = length_of(name, btf_kind(t));
                at = hash_of(name, length);
                while ((id = next_named(s->types, name, length, flavors, &at)))
                        if (flavors || btf_kind(record_of(s->types, id)) == BTF_KIND_TYPEDEF)
                                (void)select_id(s, id);
        }
}

static int put_together(const struct selection *s, void **ret, size_t *ret_size)
{
        const struct btf_header head = {.magic = BTF_MAGIC,
                .version = BTF_VERSION,
                .hdr_len = sizeof(head),
                .type_len = (uint32_t)s->records.n,
                .str_off = (uint32_t)s->records.n,
                .str_len = (uint32_t)s->names.n};
        unsigned char *bytes = malloc(sizeof(head) + s->records.n + s->names.n);

        if (!bytes)
                return -ENOMEM;
        memcpy(bytes, &head, sizeof(head));
        if (s->records.n)
                memcpy(bytes + sizeof(head), s->records.at, s->records.n);
        memcpy(bytes + sizeof(head) + s->records.n, s->names.at, s->names.n);
        *ret = bytes;
        *ret_size = sizeof(head) + s->records.n + s->names.n;
        return 0;
}

int kernel_types_select(const struct kernel_types *types, const struct btf *names, void **ret, size_t *ret_size,
        struct croft_error *err)
{
        _cleanup_(selection_done) struct selection s = {.types = types,
                .ids = calloc(types->n, sizeof(*s.ids)),
                .order = calloc((size_t)types->n + 1, sizeof(*s.order))};
        int r = 0;

        if (!s.ids || !s.order)
                return croft_error_set(err, ENOMEM, "select types of the kernel");
        append(&s, &s.names, "", 1);
        select_named(&s, names);
        for (uint32_t id = 1; id <= s.selected && !s.failed; id++)
                copy_type(&s, s.order[id]);
        r = s.failed ? -EBADMSG : put_together(&s, ret, ret_size);
        return r < 0 ? croft_error_set(err, r, "select types of the kernel") : 0;
}
