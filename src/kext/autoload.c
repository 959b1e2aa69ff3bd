/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * autoload.c - see autoload.h.
 *
 * Invariant: from the first croftd's start to the end of the last there is a gate.  One that was made from the same is
 * kept; another takes its place in one step, after the maps into which it tells are pinned.
 */
#include "kext/autoload.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/str.h"
#include "kernel/load.h"
#include "kernel/process.h"
#include "plane/plane.h"
#include "plane/plane_bpf.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "autoload.skel.h"

#define GO_MS 10000
#define SHORT_MS 2000 /* of pauses that are lifted when something is unloaded */
#define WAITING "autoload_waiting"
#define HELPERS "autoload_helpers"

struct autoload {
        struct plane *plane; /* borrowed */
        int books, larvals, told;
        int names, starting, begun, waiting, helpers, marked, loading; /* of what is granted */
        int alive[2];                                                  /* links, while croftd serves what is granted */
        pthread_mutex_t lock; /* over whose a place in `waiting` is, once it is somebody's */
};

static const struct plane_pin pins[] = {
        {"autoload_books", offsetof(struct autoload, books)},
        {"autoload_larvals", offsetof(struct autoload, larvals)},
        {"autoload_told", offsetof(struct autoload, told)},
        {"autoload_names", offsetof(struct autoload, names)},
        {"autoload_starting", offsetof(struct autoload, starting)},
        {"autoload_begun", offsetof(struct autoload, begun)},
        {HELPERS, offsetof(struct autoload, helpers)},
        {"autoload_marked", offsetof(struct autoload, marked)},
        {"autoload_loading", offsetof(struct autoload, loading)},
        {WAITING, offsetof(struct autoload, waiting)},
};

/* In the order in which they are put there: whoever is asked later asks what those before have noted. */
static const char *const links[] = {"autoload_refuse_file", "autoload_refuse_data", "autoload_stop", "autoload_begin",
        "autoload_start", "autoload_cipher", "autoload_gate"};

/* Programs, which each croftd attaches for itself. */
static const char *const alive[] = {"autoload_alive_begin", "autoload_alive"};
_Static_assert(ELEMENTS(alive) == ELEMENTS(((struct autoload *)0)->alive), "a link for each");

static struct plane_pins pins_of(struct autoload *a)
{
        return (struct plane_pins){.list = pins, .n = ELEMENTS(pins), .base = a};
}

static void free_skeleton(struct autoload_bpf **skeleton)
{
        autoload_bpf__destroy(*skeleton);
}

int autoload_remove(struct autoload *a, struct croft_error *err)
{
        int r = 0;

        for (size_t i = 0; r == 0 && i < ELEMENTS(links); i++)
                r = plane_unpin_program(plane_directory(a->plane), links[i], err);
        for (size_t i = 0; r == 0 && i < ELEMENTS(alive); i++)
                r = plane_unpin_program(plane_directory(a->plane), alive[i], err);
        return r < 0 ? r : plane_pins_unpin(plane_directory(a->plane), pins_of(a), err);
}

/* Once the maps are there: a gate that tells into others isn't the same. */
static uint64_t stamp_of(const struct autoload *a, const struct autoload_bpf *skeleton)
{
        const uint64_t told = plane_kept_begin(a->told);
        uint64_t stamp = plane_kept_stamp(plane_kept_begin(plane_partitions(a->plane)), &told, sizeof(told));
        size_t size;
        const void *bytes = autoload_bpf__elf_bytes(&size);

        stamp = plane_kept_stamp(stamp, bytes, size);
        return plane_kept_stamp(stamp, skeleton->rodata, sizeof(*skeleton->rodata));
}

/* The program of a pinned link, a descriptor, or a negative errno. */
static int attached(const struct autoload *a, const char *name)
{
        _cleanup_close_ int link = plane_bpf_get(plane_directory(a->plane), name);
        struct bpf_link_info info = {0};
        __u32 size = sizeof(info);
        int fd;

        if (link < 0)
                return link;
        if (bpf_obj_get_info_by_fd(link, &info, &size) < 0 || info.type != BPF_LINK_TYPE_TRACING)
                return -EINVAL;
        fd = bpf_prog_get_fd_by_id(info.prog_id);
        return fd < 0 ? -errno : fd;
}

/* Is what is attached the same as ours?  Then it stays (docs/adr/0042). */
static bool is_kept(const struct autoload *a, const struct autoload_bpf *skeleton)
{
        const uint64_t stamp = stamp_of(a, skeleton);

        for (size_t i = 0; i < ELEMENTS(alive); i++) {
                _cleanup_close_ int program = plane_bpf_get(plane_directory(a->plane), alive[i]);

                if (!plane_kept_is(plane_directory(a->plane), alive[i], program, stamp))
                        return false;
        }
        for (size_t i = 0; i < ELEMENTS(links); i++) {
                _cleanup_close_ int program = attached(a, links[i]);

                if (!plane_kept_is(plane_directory(a->plane), links[i], program, stamp))
                        return false;
        }
        return true;
}

/* In the place of the one before: for a moment both are asked, and the first that refuses is the last. */
static int attach(const struct autoload *a, const struct autoload_bpf *skeleton, const struct bpf_program *program,
        struct croft_error *err)
{
        struct bpf_link *link = bpf_program__attach(program);
        int r;

        if (!link)
                return croft_error_set(err, errno, "attach '%s'", bpf_program__name(program));
        r = plane_bpf_replace(plane_directory(a->plane), bpf_link__fd(link), bpf_program__name(program), 0600, err);
        (void)bpf_link__destroy(link); /* the pin keeps it */
        if (r == 0)
                plane_kept_note(plane_directory(a->plane), bpf_program__name(program), bpf_program__fd(program),
                        stamp_of(a, skeleton));
        return r;
}

static int pin_alive(
        const struct autoload *a, const struct autoload_bpf *skeleton, const char *name, struct croft_error *err)
{
        int program = bpf_program__fd(bpf_object__find_program_by_name(skeleton->obj, name));
        int r = plane_bpf_replace(plane_directory(a->plane), program, name, 0600, err);

        if (r == 0)
                plane_kept_note(plane_directory(a->plane), name, program, stamp_of(a, skeleton));
        return r;
}

static int load(struct autoload *a, struct autoload_bpf *skeleton, bool adopted, struct croft_error *err)
{
        int r = bpf_map__reuse_fd(skeleton->maps.partitions, plane_partitions(a->plane));

        if (r < 0)
                return croft_error_set(err, r, "adopt the map of partitions");
        r = adopted ? plane_pins_reuse(pins_of(a), skeleton->obj, err) : 0;
        if (r < 0)
                return r;
        r = autoload_bpf__load(skeleton);
        if (r < 0)
                return plane_bpf_explain(r, err);
        if (!adopted)
                r = plane_pins_take(pins_of(a), skeleton->obj, err);
        if (r == 0 && !adopted)
                r = plane_pins_pin(plane_directory(a->plane), pins_of(a), err);
        for (size_t i = 0; r == 0 && i < ELEMENTS(links); i++)
                r = attach(a, skeleton, bpf_object__find_program_by_name(skeleton->obj, links[i]), err);
        for (size_t i = 0; r == 0 && i < ELEMENTS(alive); i++)
                r = pin_alive(a, skeleton, alive[i], err);
        return r;
}

/* As /proc/PID/stat shows times. */
static uint64_t ticks_of(uint64_t ns)
{
        return ns / (UINT64_C(1000000000) / (uint64_t)sysconf(_SC_CLK_TCK));
}

/* Of maps of that form. */
static void end_all(int waiting, int helpers)
{
        struct autoload_place at, next;
        bool more = bpf_map_get_next_key(waiting, NULL, &next) == 0;

        while (more) {
                struct autoload_helper helper;
                _cleanup_close_ int pidfd = -EBADF;

                at = next;
                more = bpf_map_get_next_key(waiting, &at, &next) == 0;
                if (bpf_map_lookup_elem(waiting, &at, &helper) < 0)
                        continue;
                pidfd = process_open((pid_t)helper.pid, ticks_of(helper.start_ns));
                if (pidfd >= 0 && process_signal(pidfd, SIGKILL) == 0)
                        (void)process_wait(pidfd, GO_MS);
                (void)bpf_map_delete_elem(helpers, &helper.pid);
                (void)bpf_map_delete_elem(waiting, &at);
        }
}

/* Those that waited for a croftd that has died.  Nobody knows what they hold up, our own start among it. */
static void end_old(const struct autoload *a)
{
        _cleanup_close_ int waiting = plane_bpf_get(plane_directory(a->plane), WAITING);
        _cleanup_close_ int helpers = plane_bpf_get(plane_directory(a->plane), HELPERS);
        struct bpf_map_info info = {0};
        __u32 size = sizeof(info);

        if (waiting >= 0 && bpf_obj_get_info_by_fd(waiting, &info, &size) == 0 &&
                info.key_size == sizeof(struct autoload_place) && info.value_size == sizeof(struct autoload_helper))
                end_all(waiting, helpers);
}

/* Keys of eight bytes, of what was under way when an earlier croftd died. */
static void clear(int map)
{
        uint64_t key;

        while (bpf_map_get_next_key(map, NULL, &key) == 0 && bpf_map_delete_elem(map, &key) == 0)
                ;
}

static int open_all(struct autoload *a, struct croft_error *err)
{
        _cleanup_(kernel_load_done) struct kernel_load types;
        _cleanup_(free_skeleton) struct autoload_bpf *skeleton = NULL;
        int r = kernel_load_begin(&types, err);
        bool adopted;

        if (r < 0)
                return r;
        skeleton = autoload_bpf__open_opts(&types.options);
        if (!skeleton)
                return croft_error_set(err, errno, "open BPF programs");
        r = kernel_load_types(&types, skeleton->obj, err);
        if (r < 0)
                return r;
        skeleton->rodata->partition_level = plane_level(a->plane);
        end_old(a);
        adopted = plane_pins_adopt(plane_directory(a->plane), pins_of(a), skeleton->obj);
        if (!adopted) {
                plane_pins_close(pins_of(a));
                r = plane_pins_unpin(
                        plane_directory(a->plane), pins_of(a), err); /* the gate before refuses until then */
        }
        if (adopted) {
                clear(a->helpers);
                clear(a->begun);
                clear(a->starting);
                clear(a->loading);
        }
        if (r < 0 || (adopted && is_kept(a, skeleton)))
                return r;
        return load(a, skeleton, adopted, err);
}

bool autoload_is_needed(void)
{
        return access("/proc/sys/kernel/modprobe", F_OK) == 0;
}

int autoload_open(struct plane *plane, struct autoload **ret, struct croft_error *err)
{
        _cleanup_(autoload_freep) struct autoload *a = NULL;
        int r;

        *ret = NULL;
        if (!autoload_is_needed())
                return 0;
        a = calloc(1, sizeof(*a));
        if (!a)
                return croft_error_set(err, ENOMEM, "guard what the kernel loads by itself");
        a->plane = plane;
        a->alive[0] = a->alive[1] = -EBADF;
        (void)pthread_mutex_init(&a->lock, NULL); /* can't fail with these attributes */
        plane_pins_init(pins_of(a));
        r = open_all(a, err);
        if (r < 0)
                return croft_error_prefix(err, "guard what the kernel loads by itself");
        *ret = TAKE(a);
        return 0;
}

static void detach_alive(struct autoload *a)
{
        for (size_t i = 0; i < ELEMENTS(alive); i++)
                a->alive[i] = close_fd(a->alive[i]);
}

struct autoload *autoload_free(struct autoload *a)
{
        if (!a)
                return NULL;
        detach_alive(a);
        plane_pins_close(pins_of(a));
        (void)pthread_mutex_destroy(&a->lock);
        free(a);
        return NULL;
}

void autoload_freep(struct autoload **a)
{
        *a = autoload_free(*a);
}

int autoload_fd(const struct autoload *a)
{
        return a->told; /* can be polled itself */
}

/* While they are read. */
struct reading {
        void (*f)(void *context, const struct autoload_ask *ask);
        void *context;
};

static int take(void *context, void *data, size_t size)
{
        const struct reading *reading = context;

        if (size >= sizeof(struct autoload_ask))
                reading->f(reading->context, data);
        return 0;
}

void autoload_read(const struct autoload *a, void (*f)(void *context, const struct autoload_ask *ask), void *context)
{
        struct reading reading = {f, context};
        struct ring_buffer *ring = ring_buffer__new(a->told, take, &reading, NULL);

        if (!ring)
                return; /* they wait */
        (void)ring_buffer__consume(ring);
        ring_buffer__free(ring);
}

void autoload_forget(const struct autoload *a, uint64_t partition)
{
        (void)bpf_map_delete_elem(a->books, &partition);
}

/* --- what is granted --- */

void autoload_names_done(struct autoload_names *names)
{
        free(names->list);
        *names = (struct autoload_names){.n = 0};
}

int autoload_names_add(struct autoload_names *names, const char *alias)
{
        char *new;

        if (strlen(alias) >= AUTOLOAD_ALIAS)
                return 0;
        if (names->n == names->room) {
                size_t room = 2 * names->room + 16;
                char(*list)[AUTOLOAD_ALIAS] = reallocarray(names->list, room, sizeof(*list));

                if (!list)
                        return -ENOMEM;
                names->list = list;
                names->room = room;
        }
        new = names->list[names->n++];
        memset(new, 0, AUTOLOAD_ALIAS); /* keys are compared to the last byte */
        for (size_t i = 0; alias[i]; i++)
                new[i] = alias[i] == '-' ? '_' : alias[i];
        return 0;
}

static struct autoload_name key_of(uint64_t partition, const char alias[AUTOLOAD_ALIAS])
{
        struct autoload_name key = {.partition = partition};

        memcpy(key.alias, alias, AUTOLOAD_ALIAS);
        return key;
}

static int compare(const void *a, const void *b)
{
        return memcmp(a, b, AUTOLOAD_ALIAS);
}

static void sort(struct autoload_names *names)
{
        if (names->n > 0)
                qsort(names->list, names->n, sizeof(*names->list), compare);
}

/* Of sorted ones. */
static bool has(const struct autoload_names *names, const char alias[AUTOLOAD_ALIAS])
{
        return names->n > 0 && bsearch(alias, names->list, names->n, sizeof(*names->list), compare);
}

int autoload_allow(const struct autoload *a, uint64_t partition, struct autoload_names *held,
        struct autoload_names *wanted, struct croft_error *err)
{
        static const struct autoload_leave now = {.until_ns = 0};
        struct autoload_names taken = {.n = 0};
        int r = 0;

        sort(wanted);
        for (size_t i = 0; i < held->n; i++) {
                const struct autoload_name key = key_of(partition, held->list[i]);

                if (!has(wanted, key.alias))
                        (void)bpf_map_delete_elem(a->names, &key);
        }
        for (size_t i = 0; i < wanted->n && r == 0; i++) {
                const struct autoload_name key = key_of(partition, wanted->list[i]);

                /* What is there stays as it is, with its pause. */
                if (bpf_map_update_elem(a->names, &key, &now, BPF_NOEXIST) < 0 && errno != EEXIST)
                        r = errno == E2BIG ? -ENOSPC : -errno;
                else
                        r = autoload_names_add(&taken, key.alias);
        }
        autoload_names_done(held);
        taken.n_sorted = taken.n;
        *held = taken;
        return r < 0 ? croft_error_set(err, r, "let the kernel look for what is granted") : 0;
}

static uint64_t until(unsigned int ms)
{
        return (uint64_t)now_ns(CLOCK_MONOTONIC) + ms * UINT64_C(1000000);
}

void autoload_pause(
        const struct autoload *a, uint64_t partition, struct autoload_names *held, const char *alias, unsigned int ms)
{
        const struct autoload_leave later = {.until_ns = until(ms)};
        const size_t before = held->n;
        struct autoload_name key;

        if (autoload_names_add(held, alias) < 0 || held->n == before)
                return;
        key = key_of(partition, held->list[--held->n]);
        if (bpf_map_update_elem(a->names, &key, &later, BPF_EXIST) == 0 || !autoload_names_has(held, ""))
                return;
        if (bpf_map_update_elem(a->names, &key, &later, BPF_NOEXIST) == 0) /* one of those for all */
                held->n++;
}

void autoload_pause_all(
        const struct autoload *a, uint64_t partition, const struct autoload_names *held, unsigned int ms)
{
        const struct autoload_leave later = {.until_ns = until(ms)};

        for (size_t i = 0; i < held->n; i++) {
                const struct autoload_name key = key_of(partition, held->list[i]);

                (void)bpf_map_update_elem(a->names, &key, &later, BPF_EXIST);
        }
}

void autoload_resume(const struct autoload *a, uint64_t partition, const struct autoload_names *held)
{
        static const struct autoload_leave now = {.until_ns = 0};
        const uint64_t soon = until(SHORT_MS);

        for (size_t i = 0; i < held->n; i++) {
                const struct autoload_name key = key_of(partition, held->list[i]);
                struct autoload_leave leave;

                if (bpf_map_lookup_elem(a->names, &key, &leave) == 0 && leave.until_ns <= soon)
                        (void)bpf_map_update_elem(a->names, &key, &now, BPF_EXIST);
        }
}

bool autoload_names_has(const struct autoload_names *names, const char *alias)
{
        const struct autoload_names first = {.list = names->list, .n = names->n_sorted};
        char key[AUTOLOAD_ALIAS] = "";

        memcpy(key, alias, strnlen(alias, sizeof(key)));
        if (has(&first, key))
                return true;
        for (size_t i = names->n_sorted; i < names->n; i++)
                if (memcmp(names->list[i], key, sizeof(key)) == 0)
                        return true;
        return false;
}

void autoload_sweep(
        const struct autoload *a, bool (*keep)(void *context, uint64_t partition, const char *alias), void *context)
{
        struct autoload_name key, next;
        bool more = bpf_map_get_next_key(a->names, NULL, &next) == 0;

        while (more) {
                key = next;
                more = bpf_map_get_next_key(a->names, &key, &next) == 0;
                if (!keep(context, key.partition, key.alias))
                        (void)bpf_map_delete_elem(a->names, &key);
        }
}

/* Another thread may have forgotten it, and its place be another one's by now: as long as it is there, it is nobody
 * else's. */
static void forget(struct autoload *a, const struct autoload_place *place, uint64_t pid)
{
        struct autoload_helper there;

        (void)pthread_mutex_lock(&a->lock);
        if (bpf_map_lookup_elem(a->waiting, place, &there) == 0 && there.pid == pid) {
                (void)bpf_map_delete_elem(a->helpers, &pid);
                (void)bpf_map_delete_elem(a->waiting, place);
        }
        (void)pthread_mutex_unlock(&a->lock);
}

/* As long as a copy of the link of the croftd before lives, in a child of its that is just about to execute something,
 * the program is attached. */
static int attach_alive(const struct autoload *a, const char *name, struct croft_error *err)
{
        _cleanup_close_ int program = plane_bpf_get(plane_directory(a->plane), name);
        const struct timespec soon = {.tv_nsec = 100000000};
        int fd = program;

        for (int i = 0; program >= 0 && i < 20; i++) {
                fd = bpf_raw_tracepoint_open(NULL, program);
                if (fd != -EBUSY)
                        break;
                (void)nanosleep(&soon, NULL);
        }
        return fd < 0 ? croft_error_set(err, fd, "attach '%s'", name) : fd;
}

int autoload_serve(struct autoload *a, struct croft_error *err)
{
        int r = 0;

        for (size_t i = 0; r >= 0 && i < ELEMENTS(alive); i++)
                r = a->alive[i] = attach_alive(a, alive[i], err);
        if (r < 0)
                detach_alive(a);
        return r < 0 ? r : 0;
}

void autoload_rest(struct autoload *a)
{
        detach_alive(a);
        end_all(a->waiting, a->helpers);
}

bool autoload_is_one_waiting(const struct autoload *a)
{
        struct autoload_place at;

        return bpf_map_get_next_key(a->waiting, NULL, &at) == 0;
}

/* --- what croftd loads --- */

static uint64_t self(void)
{
        return (uint64_t)getpid() << 32 | (uint32_t)gettid();
}

void autoload_loading(const struct autoload *a, uint64_t partition)
{
        const uint64_t key = self();

        (void)bpf_map_update_elem(a->loading, &key, &partition, BPF_ANY);
}

void autoload_loaded(const struct autoload *a)
{
        const uint64_t key = self();

        (void)bpf_map_delete_elem(a->loading, &key);
}

/* --- what waits --- */

bool autoload_next(struct autoload *a, uint64_t partition, unsigned int *place, struct autoload_wait *ret)
{
        while (*place < AUTOLOAD_HELPERS) {
                const struct autoload_place at = {.partition = partition, .place = (*place)++};
                struct autoload_helper helper;

                if (bpf_map_lookup_elem(a->waiting, &at, &helper) < 0)
                        continue;
                *ret = (struct autoload_wait){.partition = partition, .place = (unsigned int)at.place};
                ret->pidfd = process_open((pid_t)helper.pid, ticks_of(helper.start_ns));
                if (ret->pidfd == -ESRCH)
                        forget(a, &at, helper.pid);
                if (ret->pidfd < 0) /* for want of descriptors: it is looked at again */
                        continue;
                memcpy(ret->alias, helper.alias, AUTOLOAD_ALIAS);
                ret->pid = helper.pid;
                ret->age_ms = (now_ns(CLOCK_BOOTTIME) - (int64_t)helper.start_ns) / 1000000;
                return true;
        }
        return false;
}

/* It finds there what it looks for: that takes no time.  What it would load is refused until it has ended, and its
 * place isn't given away before the program that noted it there is through. */
void autoload_go(struct autoload *a, struct autoload_wait *wait, bool load)
{
        const struct autoload_place at = {.partition = wait->partition, .place = wait->place};

        (void)process_signal(wait->pidfd, load ? SIGCONT : SIGKILL);
        if (process_wait(wait->pidfd, GO_MS) < 0) {
                (void)process_signal(wait->pidfd, SIGKILL);
                (void)process_wait(wait->pidfd, GO_MS);
        }
        forget(a, &at, wait->pid);
        wait->pidfd = close_fd(wait->pidfd);
}

/* --- in words --- */

void autoload_say(const struct autoload_ask *ask, struct croft_error *ret)
{
        char alias[4 * AUTOLOAD_ALIAS + 1];

        if (!ask->alias[0]) {
                (void)croft_error_set(ret, EPERM, "it made the kernel look for more modules than are listed here.");
                return;
        }
        str_escape(alias, sizeof(alias), ask->alias, strnlen(ask->alias, sizeof(ask->alias)));
        if (ask->fate == AUTOLOAD_LATER) {
                (void)croft_error_set(ret, EAGAIN,
                        "it made the kernel look for module '%s', which it didn't get just then: it has asked too "
                        "often, or for too much at once, or croftd wasn't running.",
                        alias);
                return;
        }
        (void)croft_error_set(ret, EPERM,
                "it made the kernel look for module '%s', which it isn't granted (modprobe it to let all partitions "
                "use it).",
                alias);
}

void autoload_note(const struct autoload_ask *ask, char ret[AUTOLOAD_NOTE])
{
        char alias[4 * AUTOLOAD_ALIAS + 1];

        str_escape(alias, sizeof(alias), ask->alias, strnlen(ask->alias, sizeof(ask->alias)));
        (void)snprintf(ret, AUTOLOAD_NOTE, "the kernel looked for module '%s' for what croft did for it", alias);
}
