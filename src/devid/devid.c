/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * devid.c - the table of device numbers, croftd's side.  See devid.h.
 *
 * Invariant: what changes after a family was made is changed by the program only, because bits of a family are taken
 * and given back while croftd works.
 */
#include "devid/devid_private.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/str.h"
#include "devid/client.h"
#include "devid/exports.h"
#include "devid/loops.h"
#include "devid/machine.h"
#include "devid/majors.h"
#include "devid/refusals.h"
#include "devid/zrams.h"
#include "kernel/load.h"
#include "plane/plane.h"
#include "plane/plane_bpf.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <fcntl.h>
#include <string.h>

#include "devid.skel.h"

#define PROGRAM "devid"
#define GATE "devid_open"

static const struct plane_pin pins[] = {
        {"devid_families", offsetof(struct devid, families)},
        {"devid_numbers", offsetof(struct devid, numbers)},
        {"devid_instances", offsetof(struct devid, instances)},
        {"devid_grants", offsetof(struct devid, grants)},
        {"devid_specials", offsetof(struct devid, specials)},
        {"devid_wake", offsetof(struct devid, wake)},
        {"devid_told", offsetof(struct devid, told)},
        {"devid_refusals", offsetof(struct devid, refusals)},
        {"devid_exports", offsetof(struct devid, exports)},
        {"devid_state", offsetof(struct devid, state)},
};

static struct plane_pins pins_of(struct devid *d)
{
        return (struct plane_pins){.list = pins, .n = ELEMENTS(pins), .base = d};
}

static void free_skeleton(struct devid_bpf **skeleton)
{
        devid_bpf__destroy(*skeleton);
}

static struct devid_name name_of(const char *text)
{
        struct devid_name name = {.text = ""};

        (void)str_copy(name.text, sizeof(name.text), text);
        return name;
}

/* --- loading --- */

static int unpin(struct devid *d, struct croft_error *err)
{
        _cleanup_close_ int programs = plane_open_programs(d->plane, err);
        int r = programs < 0 ? programs : plane_pins_unpin(plane_directory(d->plane), pins_of(d), err);

        if (r == 0 && unlinkat(plane_directory(d->plane), GATE, 0) < 0 && errno != ENOENT)
                r = croft_error_set(err, errno, "unpin '%s'", GATE);
        return r < 0 ? r : plane_unpin_program(programs, PROGRAM, err);
}

static bool adopt(struct devid *d, const struct devid_bpf *skeleton)
{
        uint32_t zero = 0, layout = 0;

        return plane_pins_adopt(plane_directory(d->plane), pins_of(d), skeleton->obj) &&
               bpf_map_lookup_elem(d->state, &zero, &layout) == 0 && layout == DEVID_LAYOUT;
}

static uint64_t stamp_of(const struct devid *d, const struct devid_bpf *skeleton)
{
        size_t size;
        const void *bytes = devid_bpf__elf_bytes(&size);

        return plane_kept_stamp(plane_kept_stamp(plane_kept_begin(plane_partitions(d->plane)), bytes, size),
                skeleton->rodata, sizeof(*skeleton->rodata));
}

/* The program that is pinned, if it is the same as ours: that one is kept, and ours isn't loaded. */
static void keep_program(struct devid *d, int programs, const struct devid_bpf *skeleton)
{
        int pinned = plane_bpf_get(programs, PROGRAM);

        if (!plane_kept_is(plane_directory(d->plane), PROGRAM, pinned, stamp_of(d, skeleton))) {
                close_fd(pinned);
                return;
        }
        d->program = pinned;
        (void)bpf_program__set_autoload(skeleton->progs.devid, false); /* not loaded yet: can't fail */
}

static int load(struct devid *d, int programs, struct devid_bpf *skeleton, bool adopted, struct croft_error *err)
{
        int r;

        skeleton->rodata->partition_level = plane_level(d->plane);
        if (adopted)
                keep_program(d, programs, skeleton);
        r = bpf_map__reuse_fd(skeleton->maps.partitions, plane_partitions(d->plane));
        if (r < 0)
                return croft_error_set(err, r, "adopt the pinned maps of device numbers");
        r = adopted ? plane_pins_reuse(pins_of(d), skeleton->obj, err) : 0;
        if (r < 0)
                return r;
        r = devid_bpf__load(skeleton);
        if (r < 0)
                return plane_bpf_explain(r, err);
        return adopted ? 0 : plane_pins_take(pins_of(d), skeleton->obj, err);
}

static int add_family(struct devid *d, const struct devid_family *family, struct croft_error *err)
{
        const struct devid_name name = name_of(family->name);

        if (bpf_map_update_elem(d->families, &name, family, BPF_NOEXIST) < 0 && errno != EEXIST)
                return croft_error_set(err, errno, "make family '%s' of device numbers", family->name);
        return 0;
}

/* Of nobody until the major is given out. */
static int add_minors(struct devid *d, uint32_t major, struct croft_error *err)
{
        struct devid_family of_char = {.type = DEVID_CHAR, .major = major}, of_block = of_char;
        int r;

        of_block.type = DEVID_BLOCK;
        (void)snprintf(of_char.name, sizeof(of_char.name), "c%u", major);
        (void)snprintf(of_block.name, sizeof(of_block.name), "b%u", major);
        r = add_family(d, &of_char, err);
        return r < 0 ? r : add_family(d, &of_block, err);
}

static int pin_new(struct devid *d, struct croft_error *err)
{
        _cleanup_free_ struct devid_family *families = calloc(MACHINE_FAMILIES, sizeof(*families));
        uint32_t zero = 0, layout = DEVID_LAYOUT;
        int r = 0;

        if (!families)
                return croft_error_set(err, ENOMEM, "describe the table of device numbers");
        machine_families(families);
        for (size_t i = 0; r == 0 && i < MACHINE_FAMILIES; i++)
                r = add_family(d, &families[i], err);
        for (uint32_t major = 0; r == 0 && major < 512; major++)
                r = devid_majors_is_local(major) ? add_minors(d, major, err) : 0;
        if (r == 0 && bpf_map_update_elem(d->state, &zero, &layout, BPF_ANY) < 0)
                r = croft_error_set(err, errno, "describe the table of device numbers");
        return r < 0 ? r : plane_pins_pin(plane_directory(d->plane), pins_of(d), err);
}

/* That there was one is all that it says. */
static int drop_word(void *context, void *data, size_t size)
{
        (void)context, (void)data, (void)size;
        return 0;
}

static int open_all(struct devid *d, struct croft_error *err)
{
        _cleanup_(kernel_load_done) struct kernel_load types;
        _cleanup_(free_skeleton) struct devid_bpf *skeleton = NULL;
        _cleanup_close_ int programs = plane_open_programs(d->plane, err);
        int r = kernel_load_begin(&types, programs < 0 ? NULL : err);
        bool adopted, kept;

        if (programs < 0 || r < 0)
                return programs < 0 ? programs : r;
        skeleton = devid_bpf__open_opts(&types.options);
        if (!skeleton)
                return croft_error_set(err, errno, "open BPF programs");
        r = kernel_load_types(&types, skeleton->obj, err);
        if (r < 0)
                return r;
        adopted = adopt(d, skeleton);
        if (!adopted) {
                plane_pins_close(pins_of(d));
                r = unpin(d, err);
        }
        if (r == 0)
                r = load(d, programs, skeleton, adopted, err);
        if (r < 0)
                return r;
        kept = d->program >= 0;
        if (!kept)
                d->program = fcntl(bpf_program__fd(skeleton->progs.devid), F_DUPFD_CLOEXEC, 3);
        d->gate = fcntl(bpf_program__fd(skeleton->progs.devid_open), F_DUPFD_CLOEXEC, 3);
        if (d->program < 0 || d->gate < 0)
                return croft_error_set(err, errno, "keep program '%s'", PROGRAM);
        d->ring = ring_buffer__new(d->wake, drop_word, NULL, NULL);
        if (!d->ring)
                return croft_error_set(err, errno, "listen to what wakes croftd");
        r = adopted ? 0 : pin_new(d, err);
        if (r == 0)
                r = devid_look_at_host(d, err); /* before anybody can ask */
        if (r == 0)
                devid_settle(d);
        if (r == 0 && !kept)
                r = plane_bpf_replace(programs, d->program, PROGRAM, 0444, err);
        if (r == 0 && !kept)
                plane_kept_note(plane_directory(d->plane), PROGRAM, d->program, stamp_of(d, skeleton));
        return r;
}

int devid_open(struct plane *plane, struct devid **ret, struct croft_error *err)
{
        _cleanup_(devid_freep) struct devid *d = calloc(1, sizeof(*d));
        int r;

        if (!d)
                return croft_error_set(err, ENOMEM, "open the table of device numbers");
        *d = (struct devid){.plane = plane, .program = -EBADF, .gate = -EBADF};
        plane_pins_init(pins_of(d));
        (void)pthread_mutex_init(&d->lock, NULL); /* with these attributes it can't fail */
        (void)pthread_mutex_init(&d->specials_lock, NULL);
        r = open_all(d, err);
        if (r < 0) {
                (void)croft_error_prefix(err, "open the table of device numbers");
                return r;
        }
        *ret = TAKE(d);
        return 0;
}

struct devid *devid_free(struct devid *d)
{
        if (!d)
                return NULL;
        ring_buffer__free(d->ring);
        (void)pthread_mutex_destroy(&d->lock);
        (void)pthread_mutex_destroy(&d->specials_lock);
        (void)close_fd(d->program);
        (void)close_fd(d->gate);
        plane_pins_close(pins_of(d));
        free(d);
        return NULL;
}

void devid_freep(struct devid **d)
{
        *d = devid_free(*d);
}

int devid_wake_fd(const struct devid *d)
{
        return ring_buffer__epoll_fd(d->ring);
}

void devid_hear(struct devid *d)
{
        (void)ring_buffer__consume(d->ring);
}

int devid_get_family(struct devid *d, const char *name, struct devid_family *ret, struct croft_error *err)
{
        const struct devid_name key = name_of(name);

        if (bpf_map_lookup_elem(d->families, &key, ret) < 0)
                return croft_error_set(err, errno, "read family '%s' of device numbers", name);
        return 0;
}

int devid_enforce(struct devid *d, int cgroup_fd, struct croft_error *err)
{
        return plane_bpf_attach(plane_directory(d->plane), d->gate, cgroup_fd, BPF_CGROUP_DEVICE, GATE, err);
}

/* --- what drains --- */

/* A loop device that somebody had open when its partition ended: it goes once nobody has. */
static void unmake_loop(uint32_t number)
{
        struct loop_machine machine;

        if (loop_machine_open(&machine, NULL) < 0)
                return;
        (void)loop_unmake(&machine, number); /* -EBUSY: not yet */
        loop_machine_close(&machine);
}

/* Its special file is still there, or those of its group. */
static bool is_named(struct devid *d, const struct devid_node *node, const struct devid_number *number)
{
        struct devid_node first = *node;
        struct devid_special special;

        if (!(number->flags & DEVID_NAMED))
                return false;
        first.minor -= number->number - number->first; /* groups are of families with a minor for each number */
        return devid_get_special(d, &first, &special) && special.partition == number->partition;
}

/* May it still be open, or be found open by its next owner? */
static bool is_in_use(struct devid *d, const struct devid_node *node, const struct devid_number *number)
{
        struct devid_family family;

        if (is_named(d, node, number))
                return true;
        if (number->flags & DEVID_MADE && machine_has_device(node))
                unmake_loop(number->number);
        if (devid_get_family(d, number->family.text, &family, NULL) < 0 || !(family.flags & DEVID_FAMILY_DRAINS) ||
                !machine_has_device(node))
                return false;
        return strcmp(number->family.text, DEVID_ZRAMS) != 0 || !zrams_clear(number->number);
}

static void settle_one(struct devid *d, const struct devid_node *node, bool all)
{
        struct devid_number number;
        struct devid_call call;

        if (bpf_map_lookup_elem(d->numbers, node, &number) < 0 || number.state != DEVID_DRAINING ||
                (!all && number.flags & DEVID_MADE) || is_in_use(d, node, &number))
                return;
        (void)devid_client_prepare(&call, DEVID_OP_FREE, number.family.text, NULL);
        call.preferred = number.number;
        (void)devid_client_call(d->program, &call); /* a broker may have been faster */
}

bool devid_walk(struct devid *d, struct devid_walk *walk)
{
        if (!walk->begun)
                walk->more = bpf_map_get_next_key(d->numbers, NULL, &walk->next) == 0;
        walk->begun = true;
        if (!walk->more)
                return false;
        walk->node = walk->next;
        walk->more = bpf_map_get_next_key(d->numbers, &walk->node, &walk->next) == 0;
        return true;
}

/* By one thread: what is cleared must not have a new owner by then. */
static void settle(struct devid *d, bool all)
{
        struct devid_walk walk = {.begun = false};

        (void)pthread_mutex_lock(&d->lock);
        while (devid_walk(d, &walk))
                settle_one(d, &walk.node, all);
        (void)pthread_mutex_unlock(&d->lock);
}

void devid_settle(struct devid *d)
{
        settle(d, true);
}

void devid_settle_drivers(struct devid *d)
{
        settle(d, false);
}

/* What drains is no reason to keep the table: who makes one anew finds such a device as the machine's own. */
static bool has_owner(struct devid *d)
{
        struct devid_walk walk = {.begun = false};
        struct devid_number number;

        while (devid_walk(d, &walk))
                if (bpf_map_lookup_elem(d->numbers, &walk.node, &number) == 0 && number.state != DEVID_DRAINING)
                        return true;
        return false;
}

int devid_remove(struct devid *d, struct croft_error *err)
{
        devid_settle(d);
        if (has_owner(d))
                return croft_error_set(err, EBUSY, "device numbers are given out.");
        (void)zrams_balance(d, NULL); /* what somebody has open is the machine's from now on */
        return unpin(d, err);
}

/* --- partitions --- */

int devid_grant(struct devid *d, uint64_t partition, const char *family, uint32_t max, struct croft_error *err)
{
        struct devid_call call;
        int r = devid_client_prepare(&call, DEVID_OP_GRANT, family, NULL) ? 0 : -EINVAL;

        call.partition = partition;
        call.preferred = max;
        if (r == 0)
                r = devid_client_call(d->program, &call);
        if (r < 0)
                return croft_error_set(err, r, "grant device numbers of family '%s'", family);
        if (strcmp(family, DEVID_ZRAMS) != 0)
                return 0;
        r = zrams_balance(d, err);
        return r == -ENODEV ? 0 : r; /* once there is one */
}

static size_t list_families(const struct devid *d, struct devid_name ret[DEVID_FAMILIES_MAX])
{
        const struct devid_name *last = NULL;
        size_t n = 0;

        while (n < DEVID_FAMILIES_MAX && bpf_map_get_next_key(d->families, last, &ret[n]) == 0)
                last = &ret[n++];
        return n;
}

/* Of one family. */
static int each_of_family(
        struct devid *d, uint64_t partition, const struct devid_name *family, devid_number_function f, void *context)
{
        uint32_t from = 0;
        int r = 0;

        while (r >= 0 && from < DEVID_FAMILY_MAX) {
                struct devid_call next;

                (void)devid_client_prepare(&next, DEVID_OP_NEXT, family->text, NULL); /* a name that there is */
                next.partition = partition;
                next.preferred = from;
                r = devid_client_call(d->program, &next);
                if (r == -ESRCH || r == -ENOENT)
                        return 0;
                if (r == 0 && next.ret.number == next.ret.first && next.ret.state != DEVID_DRAINING)
                        r = f(d, &next, context);
                from = next.ret.number + 1;
        }
        return r;
}

int devid_each_of(struct devid *d, uint64_t partition, bool majors_last, devid_number_function f, void *context)
{
        struct devid_name names[DEVID_FAMILIES_MAX];
        size_t n = list_families(d, names);
        int r = 0;

        for (int turn = 0; turn < 2; turn++)
                for (size_t i = 0; r >= 0 && i < n; i++) {
                        bool minors = names[i].text[1] >= '0' && names[i].text[1] <= '9';

                        if (minors == ((turn == 0) == majors_last))
                                r = each_of_family(d, partition, &names[i], f, context);
                }
        return r;
}

/* By the names as they are: they may hold any bytes.  One that can't be given back keeps no others. */
static int release_one(struct devid *d, const struct devid_call *found, void *context)
{
        struct devid_call call = {.op = DEVID_OP_RELEASE,
                .partition = found->ret.partition,
                .family = found->ret.family,
                .instance = found->ret.instance};
        int r = devid_client_call(d->program, &call), *failed = context;

        if (r < 0 && r != -ESRCH) /* its owner was faster */
                *failed = r;
        return 0;
}

static void drop_grants(struct devid *d, uint64_t partition)
{
        struct devid_grant_key key, next;
        bool more = bpf_map_get_next_key(d->grants, NULL, &next) == 0;

        while (more) {
                key = next;
                more = bpf_map_get_next_key(d->grants, &key, &next) == 0;
                if (key.partition == partition)
                        (void)bpf_map_delete_elem(d->grants, &key); /* it may have gone */
        }
}

static int note_loop(struct devid *d, const struct devid_call *call, void *context)
{
        bool *has = context;

        (void)d;
        *has = *has || strcmp(call->ret.family.text, DEVID_LOOPS) == 0;
        return 0;
}

static void end_loops(struct devid *d, uint64_t partition)
{
        struct loop_machine machine;
        bool has = false;

        if (devid_each_of(d, partition, true, note_loop, &has) < 0 || !has || loop_machine_open(&machine, NULL) < 0)
                return;
        loops_end(&(struct loops){
                .machine = &machine, .program = d->program, .partition = partition, .dev = -EBADF, .intents = -EBADF});
        loop_machine_close(&machine);
}

struct loop_visit {
        void (*f)(void *context, uint32_t minor, const char *name);
        void *context;
};

static void visit_loop(const struct loops_device *device, void *context)
{
        const struct loop_visit *visit = context;
        char name[DEVID_NAME];

        loops_name(device, name, sizeof(name));
        if (!device->is_free && (device->flags & (DEVID_READY | DEVID_CLOSED)) == DEVID_READY)
                visit->f(visit->context, device->minor, name);
}

void devid_each_loop(
        struct devid *d, uint64_t partition, void (*f)(void *context, uint32_t minor, const char *name), void *context)
{
        struct loop_visit visit = {f, context};

        loops_each(&(struct loops){.program = d->program, .partition = partition, .dev = -EBADF, .intents = -EBADF},
                visit_loop, &visit);
}

int devid_release_all(struct devid *d, uint64_t partition, struct croft_error *err)
{
        int failed = 0, r;

        end_loops(d, partition);
        devid_forget_specials(d, partition);
        r = devid_each_of(d, partition, true, release_one, &failed);
        r = r < 0 ? r : failed;
        drop_grants(d, partition);
        devid_refusals_forget(d, partition);
        devid_settle(d);
        (void)zrams_balance(d, NULL); /* or at the next occasion */
        return r < 0 ? croft_error_set(
                               err, r, "take back the device numbers of partition %llu", (unsigned long long)partition)
                     : 0;
}

/* Partitions that have numbers or grants. */
static int list_owners(const struct devid *d, uint64_t **ret, size_t *ret_n)
{
        uint64_t *owners = calloc(DEVID_NUMBERS_MAX, sizeof(*owners));
        struct devid_grant_key grant, *last_grant = NULL;
        struct devid_node node, *last = NULL;
        struct devid_number number;
        size_t n = 0;

        if (!owners)
                return -ENOMEM;
        for (; n < DEVID_NUMBERS_MAX / 2 && bpf_map_get_next_key(d->numbers, last, &node) == 0; last = &node)
                if (bpf_map_lookup_elem(d->numbers, &node, &number) == 0 && number.state != DEVID_DRAINING)
                        owners[n++] = number.partition;
        for (; n < DEVID_NUMBERS_MAX && bpf_map_get_next_key(d->grants, last_grant, &grant) == 0; last_grant = &grant)
                owners[n++] = grant.partition;
        *ret = owners;
        *ret_n = n;
        return 0;
}

int devid_sweep(struct devid *d, bool (*keep)(void *context, uint64_t id), void *context, struct croft_error *err)
{
        _cleanup_free_ uint64_t *owners = NULL;
        size_t n = 0;
        int r = list_owners(d, &owners, &n);

        if (r < 0)
                return croft_error_set(err, r, "list the owners of device numbers");
        for (size_t i = 0; r == 0 && i < n; i++)
                if (owners[i] && !keep(context, owners[i]))
                        r = devid_release_all(d, owners[i], err);
        return r < 0 ? r : devid_exports_sweep(d, keep, context, err);
}
