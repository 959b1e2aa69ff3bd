/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * errlog.c - the record of errors, croftd's side.  See errlog.h.
 *
 * Invariant: the pinned maps and the pinned program belong together; `errlog_books` is pinned last and its book 0,
 * which is there from the beginning, says the layout of all.
 */
#include "errlog/errlog.h"

#include "base/cleanup.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/str.h"
#include "errlog/client.h"
#include "errlog/kernel_messages.h"
#include "kernel/load.h"
#include "plane/plane.bpf.h"
#include "plane/plane.h"
#include "plane/plane_bpf.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>

#include "errlog.skel.h"

#define PROGRAM "errlog"
#define READY_SLOTS 4 /* 2.7 KiB for each room */
#define BOOKS_MAX (PLANE_PARTITIONS_MAX + 1)

struct errlog {
        struct plane *plane; /* borrowed */
        int program, books, records, victims;
        pthread_mutex_t lock; /* of what takes several calls: attempts, clearing, chains */
};

static const struct plane_pin pins[] = {
        {"errlog_records", offsetof(struct errlog, records)},
        {"errlog_victims", offsetof(struct errlog, victims)},
        {"errlog_books", offsetof(struct errlog, books)},
};

static struct plane_pins pins_of(struct errlog *e)
{
        return (struct plane_pins){.list = pins, .n = ELEMENTS(pins), .base = e};
}

static void free_skeleton(struct errlog_bpf **skeleton)
{
        errlog_bpf__destroy(*skeleton);
}

/* --- loading --- */

static int unpin(struct errlog *e, struct croft_error *err)
{
        static const char *const links[] = {"errlog_killed", "errlog_out_of_memory"};
        _cleanup_close_ int programs = plane_open_programs(e->plane, err);
        int r = programs < 0 ? programs : 0;

        for (size_t i = 0; r == 0 && i < ELEMENTS(links); i++)
                r = plane_unpin_program(plane_directory(e->plane), links[i], err);
        if (r == 0)
                r = plane_pins_unpin(plane_directory(e->plane), pins_of(e), err);
        return r < 0 ? r : plane_unpin_program(programs, PROGRAM, err);
}

/* True: what is pinned is ours, whole and of this layout, and all of it is open. */
static bool adopt(struct errlog *e, const struct errlog_bpf *skeleton)
{
        struct errlog_book book;
        uint64_t global = 0;

        return plane_pins_adopt(plane_directory(e->plane), pins_of(e), skeleton->obj) &&
               bpf_map_lookup_elem(e->books, &global, &book) == 0 && book.layout == ERRLOG_LAYOUT;
}

/* How deep pid namespaces are that croftd's children make. */
static unsigned int children_level(void)
{
        _cleanup_free_ char *text = NULL;
        const char *at =
                fd_read_file(AT_FDCWD, "/proc/self/status", 65536, &text, NULL) < 0 ? NULL : strstr(text, "\nNSpid:");
        unsigned int n = 0;

        for (at = at ? at + 1 : ""; *at && *at != '\n'; at++)
                n += *at == '\t'; /* one before each number */
        return n > 0 ? n : 1;
}

static uint64_t stamp_of(const struct errlog *e, const struct errlog_bpf *skeleton)
{
        size_t size;
        const void *bytes = errlog_bpf__elf_bytes(&size);

        return plane_kept_stamp(plane_kept_stamp(plane_kept_begin(plane_partitions(e->plane)), bytes, size),
                skeleton->rodata, sizeof(*skeleton->rodata));
}

/* The program that is pinned, if it is the same as ours: that one is kept, and ours isn't loaded. */
static void keep_program(struct errlog *e, int programs, const struct errlog_bpf *skeleton)
{
        int pinned = plane_bpf_get(programs, PROGRAM);

        if (!plane_kept_is(plane_directory(e->plane), PROGRAM, pinned, stamp_of(e, skeleton))) {
                close_fd(pinned);
                return;
        }
        e->program = pinned;
        (void)bpf_program__set_autoload(skeleton->progs.errlog, false); /* not loaded yet: can't fail */
}

static int load(struct errlog *e, int programs, struct errlog_bpf *skeleton, bool adopted, struct croft_error *err)
{
        int r;

        skeleton->rodata->partition_level = plane_level(e->plane);
        skeleton->rodata->pid_level = children_level();
        if (adopted)
                keep_program(e, programs, skeleton);
        r = bpf_map__reuse_fd(skeleton->maps.partitions, plane_partitions(e->plane));
        if (r < 0)
                return croft_error_set(err, r, "adopt the pinned maps of the record of errors");
        r = adopted ? plane_pins_reuse(pins_of(e), skeleton->obj, err) : 0;
        if (r < 0)
                return r;
        r = errlog_bpf__load(skeleton);
        return r < 0 ? plane_bpf_explain(r, err) : 0;
}

/* In the place of the one before, if there is one.  For a moment both see what happens in the kernel; the second finds
 * the victim gone that the first has recorded (errlog.bpf.c). */
static int attach(const struct plane *plane, const struct bpf_program *program, struct croft_error *err)
{
        struct bpf_link *link = bpf_program__attach(program);
        int r;

        if (!link)
                return croft_error_set(err, errno, "attach '%s'", bpf_program__name(program));
        r = plane_bpf_replace(plane_directory(plane), bpf_link__fd(link), bpf_program__name(program), 0600, err);
        (void)bpf_link__destroy(link); /* the pin keeps it */
        return r;
}

/* The first slots of each room, so that the first errors cost no more than later ones.  Without them it is done as they
 * are written. */
static void put_slots(const struct errlog *e, uint64_t id)
{
        static const struct errlog_record blank;

        for (uint64_t i = 0; i < 2 * READY_SLOTS; i++) {
                const struct errlog_key key = {
                        .partition = id, .slot = i < READY_SLOTS ? i : ERRLOG_OWN_MAX + i - READY_SLOTS};

                (void)bpf_map_update_elem(e->records, &key, &blank, BPF_NOEXIST);
        }
}

static int put_book(const struct errlog *e, uint64_t id, const char *name, struct croft_error *err)
{
        struct errlog_book book = {.first = 1, .next = 1, .layout = ERRLOG_LAYOUT};

        (void)str_copy(book.name, sizeof(book.name), name);
        if (bpf_map_update_elem(e->books, &id, &book, BPF_NOEXIST) == 0)
                put_slots(e, id);
        else if (errno != EEXIST)
                return croft_error_set(
                        err, errno == E2BIG ? ENOSPC : errno, "make a book for the errors of '%s'", name);
        return 0;
}

static int pin_new(struct errlog *e, struct croft_error *err)
{
        int r = put_book(e, 0, "", err);

        return r < 0 ? r : plane_pins_pin(plane_directory(e->plane), pins_of(e), err);
}

static int take_program(struct errlog *e, int programs, const struct errlog_bpf *skeleton, struct croft_error *err)
{
        int r;

        e->program = fcntl(bpf_program__fd(skeleton->progs.errlog), F_DUPFD_CLOEXEC, 3);
        if (e->program < 0)
                return croft_error_set(err, errno, "keep program '%s'", PROGRAM);
        r = plane_bpf_replace(programs, e->program, PROGRAM, 0444, err);
        if (r == 0)
                plane_kept_note(plane_directory(e->plane), PROGRAM, e->program, stamp_of(e, skeleton));
        return r;
}

static int open_all(struct errlog *e, struct croft_error *err)
{
        _cleanup_(kernel_load_done) struct kernel_load types;
        _cleanup_(free_skeleton) struct errlog_bpf *skeleton = NULL;
        _cleanup_close_ int programs = plane_open_programs(e->plane, err);
        int r = kernel_load_begin(&types, programs < 0 ? NULL : err);
        bool adopted;

        if (programs < 0 || r < 0)
                return programs < 0 ? programs : r;
        skeleton = errlog_bpf__open_opts(&types.options);
        if (!skeleton)
                return croft_error_set(err, errno, "open BPF programs");
        r = kernel_load_types(&types, skeleton->obj, err);
        if (r < 0)
                return r;
        adopted = adopt(e, skeleton);
        if (!adopted) {
                plane_pins_close(pins_of(e));
                r = unpin(e, err);
                if (r < 0)
                        return r;
        }
        r = load(e, programs, skeleton, adopted, err);
        if (r == 0 && !adopted)
                r = plane_pins_take(pins_of(e), skeleton->obj, err);
        if (r == 0 && !adopted)
                r = pin_new(e, err);
        if (r < 0)
                return r;
        r = e->program < 0 ? take_program(e, programs, skeleton, err) : 0;
        if (r == 0)
                r = attach(e->plane, skeleton->progs.errlog_out_of_memory, err);
        return r < 0 ? r : attach(e->plane, skeleton->progs.errlog_killed, err);
}

int errlog_open(struct plane *plane, struct errlog **ret, struct croft_error *err)
{
        _cleanup_(errlog_freep) struct errlog *e = calloc(1, sizeof(*e));
        int r;

        if (!e)
                return croft_error_set(err, ENOMEM, "open the record of errors");
        *e = (struct errlog){.plane = plane, .program = -EBADF};
        plane_pins_init(pins_of(e));
        (void)pthread_mutex_init(&e->lock, NULL); /* can't fail with these attributes */
        r = open_all(e, err);
        if (r < 0) {
                (void)croft_error_prefix(err, "open the record of errors");
                return r;
        }
        *ret = TAKE(e);
        return 0;
}

struct errlog *errlog_free(struct errlog *e)
{
        if (!e)
                return NULL;
        (void)close_fd(e->program);
        plane_pins_close(pins_of(e));
        (void)pthread_mutex_destroy(&e->lock);
        free(e);
        return NULL;
}

void errlog_freep(struct errlog **e)
{
        *e = errlog_free(*e);
}

int errlog_remove(struct errlog *e, struct croft_error *err)
{
        uint64_t key, *last = NULL;
        struct errlog_book book;

        while (bpf_map_get_next_key(e->books, last, &key) == 0) {
                if (key != 0 && bpf_map_lookup_elem(e->books, &key, &book) == 0 && errlog_client_count(&book) > 0)
                        return croft_error_set(err, EBUSY, "errors of '%s' are on record.", book.name);
                last = &key;
        }
        return unpin(e, err);
}

/* --- books --- */

int errlog_add(struct errlog *e, uint64_t id, const char *name, struct croft_error *err)
{
        return id == 0 ? croft_error_set(err, EINVAL, "make a book for the errors of '%s'", name)
                       : put_book(e, id, name, err);
}

int errlog_rename(struct errlog *e, uint64_t id, const char *name, struct croft_error *err)
{
        struct errlog_call call = {.op = ERRLOG_OP_NAME, .partition = id};
        int r;

        (void)str_copy(call.book.name, sizeof(call.book.name), name);
        r = id == 0 ? -EINVAL : errlog_client_call(e->program, &call);
        return r < 0 && r != -ESRCH ? croft_error_set(err, r, "rename the book of the errors of '%s'", name) : 0;
}

static int begin(
        const struct errlog *e, uint64_t id, const char *operation, uint64_t *ret_attempt, struct croft_error *err)
{
        struct errlog_call call = {.op = ERRLOG_OP_BEGIN, .partition = id};
        int r;

        (void)str_copy(call.book.operation, sizeof(call.book.operation), operation);
        r = errlog_client_call(e->program, &call);
        if (r < 0)
                return croft_error_set(err, r, "begin an attempt in the record of errors");
        if (ret_attempt)
                *ret_attempt = call.book.attempt;
        return 0;
}

int errlog_begin_attempt(struct errlog *e, uint64_t id, const char *name, const char *operation, uint64_t *ret_attempt,
        struct croft_error *err)
{
        int r = errlog_add(e, id, name, err);

        if (r < 0)
                return r;
        (void)pthread_mutex_lock(&e->lock);
        r = begin(e, id, operation, ret_attempt, err);
        (void)pthread_mutex_unlock(&e->lock);
        return r;
}

int errlog_clear(struct errlog *e, uint64_t id, struct croft_error *err)
{
        struct errlog_call call = {.op = ERRLOG_OP_CLEAR, .partition = id};
        int r;

        (void)pthread_mutex_lock(&e->lock);
        r = errlog_client_call(e->program, &call);
        (void)pthread_mutex_unlock(&e->lock);
        return r < 0 ? croft_error_set(err, r, "clear the record of errors") : 0;
}

int errlog_forget(struct errlog *e, uint64_t id, struct croft_error *err)
{
        struct errlog_key key = {.partition = id};

        if (bpf_map_delete_elem(e->books, &id) < 0) {
                if (errno == ENOENT)
                        return 0;
                return croft_error_set(
                        err, errno, "remove the book of the errors of partition %llu", (unsigned long long)id);
        }
        for (; key.slot < ERRLOG_SLOTS; key.slot++)
                if (bpf_map_delete_elem(e->records, &key) < 0 && errno != ENOENT)
                        return croft_error_set(
                                err, errno, "remove the errors of partition %llu", (unsigned long long)id);
        return 0;
}

/* Slots without a book: croftd was killed while it removed one, or somebody wrote just then. */
static void sweep_slots(const struct errlog *e)
{
        struct errlog_key key, next;
        struct errlog_book book;
        bool more = bpf_map_get_next_key(e->records, NULL, &next) == 0;

        while (more) {
                key = next;
                more = bpf_map_get_next_key(e->records, &key, &next) == 0;
                if (bpf_map_lookup_elem(e->books, &key.partition, &book) < 0 && errno == ENOENT)
                        (void)bpf_map_delete_elem(e->records, &key); /* another time */
        }
}

/* While entries go, a walk over a map may begin anew: first all, then those. */
int errlog_sweep(struct errlog *e, bool (*keep)(void *context, uint64_t id), void *context, struct croft_error *err)
{
        uint64_t *ids = calloc(BOOKS_MAX, sizeof(*ids)), *last = NULL;
        size_t n = 0;
        int r = 0;

        if (!ids)
                return croft_error_set(err, ENOMEM, "list the record of errors");
        while (n < BOOKS_MAX && bpf_map_get_next_key(e->books, last, &ids[n]) == 0)
                last = &ids[n++];
        for (size_t i = 0; i < n && r == 0; i++)
                if (ids[i] != 0 && !keep(context, ids[i]))
                        r = errlog_forget(e, ids[i], err);
        free(ids);
        sweep_slots(e);
        return r;
}

/* --- recording --- */

static struct errlog_record record_of(const char *component, enum errlog_severity severity, int errnum)
{
        struct errlog_record record = {.source = ERRLOG_PROGRAM,
                .severity = (uint8_t)severity,
                .errnum = errnum,
                .catalogue = ERRLOG_CATALOGUE_CROFT};

        (void)str_copy(record.component, sizeof(record.component), component);
        return record;
}

static void set_message(struct errlog_record *record, const char *format, const struct message_args *args)
{
        memcpy(record->format, format, strnlen(format, sizeof(record->format)));
        record->n_args = args->n;
        record->args_size = args->size;
        memcpy(record->args, args->bytes, args->size);
}

/* What has no format of its own: the code of an error is in the text already. */
static int set_text(struct errlog_record *record, const char *text)
{
        char *words[] = {(char *)(uintptr_t)text};
        struct message_args args;
        int r = message_pack_words("%s.", words, 1, &args, NULL);

        if (r == 0)
                set_message(record, "%s.", &args);
        return r;
}

static int write_record(const struct errlog *e, uint64_t id, const struct errlog_record *record, uint64_t *ret_seq)
{
        struct errlog_call call = {.op = ERRLOG_OP_WRITE, .partition = id, .record = *record};
        int r = errlog_client_call(e->program, &call);

        if (r == 0)
                *ret_seq = call.seq;
        return r;
}

unsigned int errlog_record_error(struct errlog *e, uint64_t id, const char *component, enum errlog_severity severity,
        const struct croft_error *what)
{
        unsigned int failed = 0;
        uint64_t cause = 0;

        (void)pthread_mutex_lock(&e->lock); /* what belongs together has one number after the other */
        for (unsigned int i = what->n_causes; i-- > 0;) {
                struct errlog_record record = record_of(component, severity, what->code);
                struct message_args args;
                const char *format = error_format(what, i, &args);
                int r = 0;

                record.cause = cause;
                if (format)
                        set_message(&record, format, &args);
                else
                        r = set_text(&record, croft_error_cause(what, i));
                if (r == 0)
                        r = write_record(e, id, &record, &cause);
                failed += r < 0;
        }
        (void)pthread_mutex_unlock(&e->lock);
        return failed;
}

unsigned int errlog_record_text(
        struct errlog *e, uint64_t id, const char *component, enum errlog_severity severity, const char *text)
{
        struct errlog_record record = record_of(component, severity, 0);
        uint64_t seq;

        return set_text(&record, text) < 0 || write_record(e, id, &record, &seq) < 0;
}
