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
#include "devid/majors.h"
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
#define LOOP_MAJOR 7

static const struct plane_pin pins[] = {
        {"devid_families", offsetof(struct devid, families)},
        {"devid_numbers", offsetof(struct devid, numbers)},
        {"devid_instances", offsetof(struct devid, instances)},
        {"devid_grants", offsetof(struct devid, grants)},
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

static int load(struct devid *d, struct devid_bpf *skeleton, bool adopted, struct croft_error *err)
{
        int r;

        skeleton->rodata->partition_level = plane_level(d->plane);
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

/* How many minors a loop device has: as many as the module's parameter max_part wants, rounded up to a power of two. */
static uint32_t loop_shift(void)
{
        _cleanup_free_ char *text = NULL;
        uint64_t parts = 0;
        uint32_t shift = 0;

        if (fd_read_file(AT_FDCWD, "/sys/module/loop/parameters/max_part", 32, &text, NULL) < 0)
                return 0;
        text[strcspn(text, "\n")] = '\0';
        if (!str_to_u64(text, 255, &parts))
                return 0;
        while (shift < 8 && parts >> shift)
                shift++;
        return shift;
}

static int pin_new(struct devid *d, struct croft_error *err)
{
        const struct devid_family families[] = {
                {.name = DEVID_CHAR_MAJORS, .type = DEVID_CHAR, .majors = 1, .count = 512},
                {.name = DEVID_BLOCK_MAJORS, .type = DEVID_BLOCK, .majors = 1, .count = 512},
                {.name = DEVID_LOOPS,
                        .type = DEVID_BLOCK,
                        .major = LOOP_MAJOR,
                        .shift = loop_shift(),
                        .count = DEVID_FAMILY_MAX,
                        .drains = 1},
        };
        uint32_t zero = 0, layout = DEVID_LAYOUT;
        int r = 0;

        for (size_t i = 0; r == 0 && i < ELEMENTS(families); i++)
                r = add_family(d, &families[i], err);
        for (uint32_t major = 0; r == 0 && major < 512; major++)
                r = devid_majors_is_local(major) ? add_minors(d, major, err) : 0;
        if (r == 0 && bpf_map_update_elem(d->state, &zero, &layout, BPF_ANY) < 0)
                r = croft_error_set(err, errno, "describe the table of device numbers");
        return r < 0 ? r : plane_pins_pin(plane_directory(d->plane), pins_of(d), err);
}

static int open_all(struct devid *d, struct croft_error *err)
{
        _cleanup_(free_skeleton) struct devid_bpf *skeleton = devid_bpf__open();
        _cleanup_close_ int programs = plane_open_programs(d->plane, err);
        bool adopted;
        int r = 0;

        if (programs < 0)
                return programs;
        if (!skeleton)
                return croft_error_set(err, errno, "open BPF programs");
        adopted = adopt(d, skeleton);
        if (!adopted) {
                plane_pins_close(pins_of(d));
                r = unpin(d, err);
        }
        if (r == 0)
                r = load(d, skeleton, adopted, err);
        if (r < 0)
                return r;
        d->program = fcntl(bpf_program__fd(skeleton->progs.devid), F_DUPFD_CLOEXEC, 3);
        d->gate = fcntl(bpf_program__fd(skeleton->progs.devid_open), F_DUPFD_CLOEXEC, 3);
        if (d->program < 0 || d->gate < 0)
                return croft_error_set(err, errno, "keep program '%s'", PROGRAM);
        r = adopted ? 0 : pin_new(d, err);
        if (r == 0)
                r = devid_look_at_host(d, err); /* before anybody can ask */
        if (r == 0)
                devid_settle(d);
        return r < 0 ? r : plane_bpf_replace(programs, d->program, PROGRAM, 0444, err);
}

int devid_open(struct plane *plane, struct devid **ret, struct croft_error *err)
{
        _cleanup_(devid_freep) struct devid *d = calloc(1, sizeof(*d));
        int r;

        if (!d)
                return croft_error_set(err, ENOMEM, "open the table of device numbers");
        *d = (struct devid){.plane = plane, .program = -EBADF, .gate = -EBADF};
        plane_pins_init(pins_of(d));
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

int devid_enforce(struct devid *d, int cgroup_fd, struct croft_error *err)
{
        return plane_bpf_attach(plane_directory(d->plane), d->gate, cgroup_fd, BPF_CGROUP_DEVICE, GATE, err);
}

/* --- the machine's own --- */

static int set_host(struct devid *d, const char *family, const __u64 words[DEVID_WORDS], struct croft_error *err)
{
        int r = 0;

        for (uint32_t i = 0; r == 0 && i < DEVID_WORDS; i++) {
                struct devid_call call;

                (void)devid_client_prepare(&call, DEVID_OP_HOST, family, NULL); /* a name of ours */
                call.preferred = i;
                call.bits = words[i];
                r = devid_client_call(d->program, &call);
        }
        return r < 0 ? croft_error_set(err, r, "keep out the machine's own numbers of family '%s'", family) : 0;
}

static int look_at_majors(struct devid *d, struct croft_error *err)
{
        _cleanup_free_ char *text = NULL;
        struct devid_majors majors;
        int r = fd_read_file(AT_FDCWD, "/proc/devices", 65536, &text, NULL);

        if (r < 0 || !devid_majors_read(text, &majors))
                return croft_error_set(err, r < 0 ? r : -EBADMSG, "read '/proc/devices'");
        r = set_host(d, DEVID_CHAR_MAJORS, majors.of_char, err);
        return r < 0 ? r : set_host(d, DEVID_BLOCK_MAJORS, majors.of_block, err);
}

/* "loop12": 12. */
static bool parse_loop(const char *name, uint32_t *ret)
{
        uint64_t n;

        if (!str_has_prefix(name, "loop") || !str_to_u64(name + 4, DEVID_FAMILY_MAX - 1, &n))
                return false;
        *ret = (uint32_t)n;
        return true;
}

static void close_directory(DIR **d)
{
        if (*d)
                (void)closedir(*d);
}

/* Those that are there and aren't ours. */
static int look_at_loops(struct devid *d, struct croft_error *err)
{
        _cleanup_(close_directory) DIR *directory = opendir("/sys/block");
        const struct devid_name name = name_of(DEVID_LOOPS);
        __u64 words[DEVID_WORDS] = {0};
        struct devid_family family;
        const struct dirent *entry;
        uint32_t n;

        if (!directory || bpf_map_lookup_elem(d->families, &name, &family) < 0)
                return croft_error_set(err, errno, "look at the machine's loop devices");
        while ((entry = readdir(directory)))
                if (parse_loop(entry->d_name, &n))
                        words[n / 64] |= UINT64_C(1) << n % 64;
        for (size_t i = 0; i < DEVID_WORDS; i++)
                words[i] &= ~family.taken[i];
        return set_host(d, DEVID_LOOPS, words, err);
}

int devid_look_at_host(struct devid *d, struct croft_error *err)
{
        int r = look_at_majors(d, err);

        return r < 0 ? r : look_at_loops(d, err);
}

/* --- what drains --- */

/* What sysfs doesn't know can't be opened; who still holds such a device holds a dead one, not the next of its number.
 */
static bool has_device(const struct devid_node *node)
{
        char path[64];

        (void)snprintf(path, sizeof(path), "/sys/dev/%s/%u:%u", node->type == DEVID_BLOCK ? "block" : "char",
                node->major, node->minor);
        return faccessat(AT_FDCWD, path, F_OK, 0) == 0 || errno != ENOENT;
}

/* A loop device that somebody had open when its partition ended: it goes once nobody has. */
static void unmake_loop(uint32_t number)
{
        struct loop_machine machine;

        if (loop_machine_open(&machine, NULL) < 0)
                return;
        (void)loop_unmake(&machine, number); /* -EBUSY: not yet */
        loop_machine_close(&machine);
}

/* What was given back becomes free, unless it may still be open. */
void devid_settle(struct devid *d)
{
        struct devid_node node, next;
        struct devid_number number;
        bool more = bpf_map_get_next_key(d->numbers, NULL, &next) == 0;

        while (more) {
                struct devid_call call;

                node = next;
                more = bpf_map_get_next_key(d->numbers, &node, &next) == 0;
                if (bpf_map_lookup_elem(d->numbers, &node, &number) < 0 || number.state != DEVID_DRAINING)
                        continue;
                if (number.flags & DEVID_MADE && has_device(&node))
                        unmake_loop(number.number);
                if (has_device(&node))
                        continue;
                (void)devid_client_prepare(&call, DEVID_OP_FREE, number.family.text, NULL);
                call.preferred = number.number;
                (void)devid_client_call(d->program, &call); /* somebody else may have been faster */
        }
}

/* What drains is no reason to keep the table: who makes one anew finds such a device as the machine's own. */
static bool has_owner(const struct devid *d)
{
        struct devid_node node, next;
        struct devid_number number;
        bool more = bpf_map_get_next_key(d->numbers, NULL, &next) == 0;

        while (more) {
                node = next;
                more = bpf_map_get_next_key(d->numbers, &node, &next) == 0;
                if (bpf_map_lookup_elem(d->numbers, &node, &number) == 0 && number.state != DEVID_DRAINING)
                        return true;
        }
        return false;
}

int devid_remove(struct devid *d, struct croft_error *err)
{
        devid_settle(d);
        if (has_owner(d))
                return croft_error_set(err, EBUSY, "device numbers are given out.");
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
        return r < 0 ? croft_error_set(err, r, "grant device numbers of family '%s'", family) : 0;
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
                        r = f(d, &next.ret, context);
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
static int release_one(struct devid *d, const struct devid_number *number, void *context)
{
        struct devid_call call = {.op = DEVID_OP_RELEASE,
                .partition = number->partition,
                .family = number->family,
                .instance = number->instance};
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

static int note_loop(struct devid *d, const struct devid_number *number, void *context)
{
        bool *has = context;

        (void)d;
        *has = *has || strcmp(number->family.text, DEVID_LOOPS) == 0;
        return 0;
}

static void end_loops(struct devid *d, uint64_t partition)
{
        struct loop_machine machine;
        bool has = false;

        if (devid_each_of(d, partition, true, note_loop, &has) < 0 || !has || loop_machine_open(&machine, NULL) < 0)
                return;
        loops_end(&(struct loops){.machine = &machine, .program = d->program, .partition = partition, .dev = -EBADF});
        loop_machine_close(&machine);
}

struct loop_visit {
        void (*f)(void *context, uint32_t minor, uint32_t inside);
        void *context;
};

static void visit_loop(const struct loops_device *device, void *context)
{
        const struct loop_visit *visit = context;

        if (!device->is_free && (device->flags & (DEVID_READY | DEVID_CLOSED)) == DEVID_READY)
                visit->f(visit->context, device->minor, device->inside);
}

void devid_each_loop(
        struct devid *d, uint64_t partition, void (*f)(void *context, uint32_t minor, uint32_t inside), void *context)
{
        struct loop_visit visit = {f, context};

        loops_each(&(struct loops){.program = d->program, .partition = partition, .dev = -EBADF}, visit_loop, &visit);
}

int devid_release_all(struct devid *d, uint64_t partition, struct croft_error *err)
{
        int failed = 0, r;

        end_loops(d, partition);
        r = devid_each_of(d, partition, true, release_one, &failed);
        r = r < 0 ? r : failed;
        drop_grants(d, partition);
        devid_settle(d);
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
