/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * machine.c - see machine.h, and devid.h for what is looked at when.
 *
 * Of drivers that number their devices themselves, lowest first, the low numbers are the machine's: what somebody there
 * makes without asking for a number never is a partition's.  zram takes no wishes at all; there croft makes the devices
 * (zrams.c).
 */
#include "devid/machine.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/str.h"
#include "devid/client.h"
#include "devid/devid_private.h"
#include "devid/majors.h"
#include "devid/zrams.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LOOP_MAJOR 7
#define OWN_MAX 1024 /* numbers from 0 on that a driver gives out by itself */
#define MAJORS 512

struct driver {
        const char *family;
        const char *listed; /* in /proc/devices, of block devices; NULL: not there, see `there` */
        const char *there;  /* this is there when the driver is */
        const char *module;
        const char *parts; /* the module's parameter: how many partitions a device may have */
        uint32_t type;
};

static const struct driver drivers[] = {
        {DEVID_DMS, "device-mapper", NULL, "dm-mod", NULL, DEVID_BLOCK},
        {DEVID_ZRAMS, "zram", NULL, "zram", NULL, DEVID_BLOCK},
        {DEVID_NBDS, "nbd", NULL, "nbd", "/sys/module/nbd/parameters/max_part", DEVID_BLOCK},
        {DEVID_CUSES, NULL, "/sys/class/misc/cuse", "cuse", NULL, DEVID_CHAR},
};

static const struct driver *find_driver(const char *family)
{
        for (size_t i = 0; i < ELEMENTS(drivers); i++)
                if (strcmp(family, drivers[i].family) == 0)
                        return &drivers[i];
        return NULL;
}

bool machine_is_driver(const char *family)
{
        return find_driver(family) != NULL;
}

const char *machine_module_of(const char *family)
{
        const struct driver *driver = find_driver(family);

        return driver ? driver->module : NULL;
}

uint32_t machine_shift(uint64_t parts)
{
        uint32_t shift = 0;

        while (shift < 8 && parts >> shift)
                shift++;
        return shift;
}

/* As the kernel's drivers do: loop, nbd. */
static uint32_t shift_by(const char *parameter)
{
        _cleanup_free_ char *text = NULL;
        uint64_t parts = 0;

        if (fd_read_file(AT_FDCWD, parameter, 32, &text, NULL) < 0)
                return 0;
        text[strcspn(text, "\n")] = '\0';
        return str_to_u64(text, 255, &parts) ? machine_shift(parts) : 0;
}

void machine_families(struct devid_family ret[MACHINE_FAMILIES])
{
        static const struct devid_family fixed[] = {
                {.name = DEVID_CHAR_MAJORS, .type = DEVID_CHAR, .majors = 1, .count = MAJORS},
                {.name = DEVID_BLOCK_MAJORS, .type = DEVID_BLOCK, .majors = 1, .count = MAJORS},
                {.name = DEVID_LOOPS,
                        .type = DEVID_BLOCK,
                        .major = LOOP_MAJOR,
                        .count = DEVID_FAMILY_MAX,
                        .flags = DEVID_FAMILY_DRAINS | DEVID_FAMILY_GLOBAL},
        };
        size_t n = ELEMENTS(fixed);

        _Static_assert(ELEMENTS(fixed) + ELEMENTS(drivers) == MACHINE_FAMILIES, "all of them");
        memcpy(ret, fixed, sizeof(fixed));
        ret[n - 1].shift = shift_by("/sys/module/loop/parameters/max_part");
        for (size_t i = 0; i < ELEMENTS(drivers); i++, n++) {
                ret[n] = (struct devid_family){.type = drivers[i].type,
                        .count = DEVID_FAMILY_MAX,
                        .flags = DEVID_FAMILY_DRAINS | DEVID_FAMILY_DRIVER | DEVID_FAMILY_ABSENT};
                (void)str_copy(ret[n].name, sizeof(ret[n].name), drivers[i].family);
                memset(ret[n].host, 0xff, sizeof(ret[n].host)); /* until it is looked at */
        }
}

bool machine_has_device(const struct devid_node *node)
{
        char path[64];

        (void)snprintf(path, sizeof(path), "/sys/dev/%s/%u:%u", node->type == DEVID_BLOCK ? "block" : "char",
                node->major, node->minor);
        return faccessat(AT_FDCWD, path, F_OK, 0) == 0 || errno != ENOENT;
}

int machine_set_host(struct devid *d, const char *family, uint32_t word, __u64 bits)
{
        struct devid_call call;

        (void)devid_client_prepare(&call, DEVID_OP_HOST, family, NULL); /* a name of ours */
        call.preferred = word;
        call.bits = bits;
        return devid_client_call(d->program, &call);
}

/* Most of it is as it was: a module or a device has come or gone. */
static int set_host(
        struct devid *d, const struct devid_family *family, const __u64 words[DEVID_WORDS], struct croft_error *err)
{
        int r = 0;

        for (uint32_t i = 0; r == 0 && i < DEVID_WORDS; i++)
                if (family->host[i] != words[i])
                        r = machine_set_host(d, family->name, i, words[i]);
        return r < 0 ? croft_error_set(err, r, "keep out the machine's own numbers of family '%s'", family->name) : 0;
}

/* What is taken is somebody's, whatever the machine has. */
static int keep_out(struct devid *d, const char *name, __u64 words[DEVID_WORDS], struct croft_error *err)
{
        struct devid_family family;
        int r = devid_get_family(d, name, &family, err);

        for (size_t i = 0; r == 0 && i < DEVID_WORDS; i++)
                words[i] &= ~family.taken[i];
        return r < 0 ? r : set_host(d, &family, words, err);
}

static void add(__u64 words[DEVID_WORDS], uint64_t n)
{
        words[n / 64] |= UINT64_C(1) << n % 64;
}

/* --- majors --- */

static int look_at_majors(struct devid *d, const char *text, uint32_t cuse, struct croft_error *err)
{
        struct devid_family of_char, of_block;
        struct devid_majors majors;
        int r = devid_get_family(d, DEVID_CHAR_MAJORS, &of_char, err);

        if (r == 0)
                r = devid_get_family(d, DEVID_BLOCK_MAJORS, &of_block, err);
        if (r < 0)
                return r;
        if (!devid_majors_read(text, &majors))
                return croft_error_set(err, EBADMSG, "read '/proc/devices'");
        if (cuse)
                add(majors.of_char, cuse);
        r = set_host(d, &of_char, majors.of_char, err);
        return r < 0 ? r : set_host(d, &of_block, majors.of_block, err);
}

/* CUSE devices may have any number, so that they get a major for local use: the highest that nobody has.  It is taken
 * from the family of majors first and looked at then; who was faster keeps it.  0: there is none. */
static uint32_t choose_major(struct devid *d, const char *text)
{
        struct devid_family family;
        struct devid_majors majors;

        for (uint32_t major = MAJORS; major-- > 1;) {
                if (!devid_majors_is_local(major) || !devid_majors_read(text, &majors) ||
                        majors.of_char[major / 64] >> major % 64 & 1)
                        continue;
                if (look_at_majors(d, text, major, NULL) < 0 ||
                        devid_get_family(d, DEVID_CHAR_MAJORS, &family, NULL) < 0)
                        return 0;
                if (!(family.taken[major / 64] >> major % 64 & 1))
                        return major;
        }
        return 0;
}

/* --- devices of a driver --- */

static void close_directory(DIR **d)
{
        if (*d)
                (void)closedir(*d);
}

/* "loop12": 12. */
static bool parse_device(const char *name, const char *prefix, uint64_t *ret)
{
        return str_has_prefix(name, prefix) && str_to_u64(name + strlen(prefix), DEVID_FAMILY_MAX - 1, ret);
}

/* Those that are there and aren't a partition's. */
static int look_at_devices(struct devid *d, const char *family, const char *path, const char *prefix, uint32_t own,
        struct croft_error *err)
{
        _cleanup_(close_directory) DIR *directory = opendir(path);
        __u64 words[DEVID_WORDS] = {0};
        const struct dirent *entry;
        uint64_t n;

        if (!directory)
                return croft_error_set(err, errno, "look at the machine's devices of family '%s'", family);
        for (uint32_t i = 0; i < own; i++)
                add(words, i);
        while ((entry = readdir(directory)))
                if (parse_device(entry->d_name, prefix, &n))
                        add(words, n);
        return keep_out(d, family, words, err);
}

static int look_at_own(struct devid *d, const struct driver *driver, uint32_t major, struct croft_error *err)
{
        char prefix[32];

        if (strcmp(driver->family, DEVID_ZRAMS) == 0)
                return zrams_look(d, err);
        if (strcmp(driver->family, DEVID_DMS) == 0)
                return look_at_devices(d, driver->family, "/sys/block", "dm-", OWN_MAX, err);
        if (strcmp(driver->family, DEVID_NBDS) == 0)
                return look_at_devices(d, driver->family, "/sys/block", "nbd", OWN_MAX, err);
        (void)snprintf(prefix, sizeof(prefix), "%u:", major);
        return look_at_devices(d, driver->family, "/sys/dev/char", prefix, 0, err);
}

/* DEVID_ANY: it isn't there. */
static uint32_t major_of(struct devid *d, const struct driver *driver, uint32_t before, const char *text)
{
        uint32_t major = before;

        if (driver->listed)
                return devid_majors_find(text, driver->listed, &major) ? major : DEVID_ANY;
        if (access(driver->there, F_OK) < 0)
                return DEVID_ANY;
        major = major ? major : choose_major(d, text);
        return major ? major : DEVID_ANY;
}

static int set_driver(struct devid *d, const struct driver *driver, uint32_t major)
{
        struct devid_call call;

        (void)devid_client_prepare(&call, DEVID_OP_DRIVER, driver->family, NULL);
        call.preferred = major;
        call.count = driver->parts ? shift_by(driver->parts) : 0;
        return devid_client_call(d->program, &call);
}

static int look_at_driver(struct devid *d, const struct driver *driver, const char *text, struct croft_error *err)
{
        struct devid_family family;
        uint32_t major = DEVID_ANY;
        int r = devid_get_family(d, driver->family, &family, err);

        if (r < 0)
                return r;
        major = major_of(d, driver, family.major, text);
        if (major == DEVID_ANY && family.flags & DEVID_FAMILY_ABSENT)
                return 0;
        if (major != DEVID_ANY && (r = look_at_own(d, driver, major, err)) < 0) /* before anybody can ask */
                return r;
        if (major == family.major && !(family.flags & DEVID_FAMILY_ABSENT))
                return 0;
        r = set_driver(d, driver, major);
        if (r == -EBUSY) /* it has another major now: closed until its old numbers are given back */
                return 0;
        return r < 0 ? croft_error_set(err, r, "look for the driver of family '%s'", driver->family) : 0;
}

int devid_drivers(char **ret, struct croft_error *err)
{
        int r = fd_read_file(AT_FDCWD, "/proc/devices", 65536, ret, NULL);

        return r < 0 ? croft_error_set(err, r, "read '/proc/devices'") : 0;
}

int devid_look_at_host(struct devid *d, struct croft_error *err)
{
        _cleanup_free_ char *text = NULL;
        struct devid_family cuse;
        int r = devid_drivers(&text, err);

        if (r < 0)
                return r;
        (void)pthread_mutex_lock(&d->lock);
        r = devid_get_family(d, DEVID_CUSES, &cuse, err);
        if (r == 0)
                r = look_at_majors(d, text, cuse.major, err);
        if (r == 0)
                r = look_at_devices(d, DEVID_LOOPS, "/sys/block", "loop", 0, err);
        for (size_t i = 0; r == 0 && i < ELEMENTS(drivers); i++)
                r = look_at_driver(d, &drivers[i], text, err);
        (void)pthread_mutex_unlock(&d->lock);
        return r;
}

static int refuse_given(const struct devid_major *major, struct croft_error *err)
{
        if (major->type == DEVID_BLOCK)
                return croft_error_set(
                        err, EBUSY, "the major %u of block devices has been given to a partition.", major->major);
        return croft_error_set(
                err, EBUSY, "the major %u of character devices has been given to a partition.", major->major);
}

/* Whoever asks from now on isn't given them; who was faster is found here. */
int devid_majors_came(struct devid *d, const struct devid_major *list, size_t n, struct croft_error *err)
{
        struct devid_family of_char, of_block;
        int r = devid_look_at_host(d, err);

        if (r == 0)
                r = devid_get_family(d, DEVID_CHAR_MAJORS, &of_char, err);
        if (r == 0)
                r = devid_get_family(d, DEVID_BLOCK_MAJORS, &of_block, err);
        for (size_t i = 0; r == 0 && i < n; i++) {
                const struct devid_family *family = list[i].type == DEVID_BLOCK ? &of_block : &of_char;

                if (list[i].major < family->count && family->taken[list[i].major / 64] >> list[i].major % 64 & 1)
                        r = refuse_given(&list[i], err);
        }
        return r;
}

bool devid_lacks_driver(struct devid *d, const char *family, const char **ret_module)
{
        struct devid_family found;

        if (!machine_is_driver(family) || devid_get_family(d, family, &found, NULL) < 0)
                return false;
        *ret_module = machine_module_of(family);
        return found.flags & DEVID_FAMILY_ABSENT;
}

/* --- devices that come and go --- */

static void change(struct devid *d, const struct devid_number *number, uint32_t set, uint32_t clear)
{
        struct devid_call call;

        (void)devid_client_prepare(&call, DEVID_OP_FLAG, number->family.text, NULL);
        call.partition = number->partition;
        call.preferred = number->number;
        call.flags = set;
        call.bits = clear;
        (void)devid_client_call(d->program, &call); /* it may have been given back meanwhile */
}

static void tell(const struct devid_number *number, const char *what, bool is_error, const struct devid_ear *ear)
{
        char text[256], instance[4 * DEVID_NAME];

        str_escape(instance, sizeof(instance), number->instance.text, strlen(number->instance.text));
        (void)snprintf(text, sizeof(text), "device %u of family '%s' ('%s') %s", number->number, number->family.text,
                instance, what);
        ear->tell(ear->context, number->partition, text, is_error);
}

/* One that croft made, and somebody has removed: when there is one of that number again it is the machine's. */
static void look_at_ours(struct devid *d, const struct devid_number *number, bool there, const struct devid_ear *ear)
{
        if (there || number->flags & DEVID_CLOSED)
                return;
        change(d, number, DEVID_CLOSED, 0);
        tell(number, "was removed by somebody: its number is closed until it is given back", true, ear);
}

static void look_at_number(
        struct devid *d, const struct devid_node *node, const struct devid_number *number, const struct devid_ear *ear)
{
        const bool there = machine_has_device(node);

        if (strcmp(number->family.text, DEVID_ZRAMS) == 0) {
                look_at_ours(d, number, there, ear);
        } else if (there && !(number->flags & DEVID_THERE)) {
                change(d, number, DEVID_THERE, 0);
                tell(number, "is there", false, ear);
        } else if (!there && number->flags & DEVID_THERE) {
                change(d, number, 0, DEVID_THERE);
                tell(number, "has gone", false, ear);
        }
}

void devid_look_at_devices(struct devid *d, const struct devid_ear *ear)
{
        struct devid_walk walk = {.begun = false};
        struct devid_number number;

        while (devid_walk(d, &walk))
                if (bpf_map_lookup_elem(d->numbers, &walk.node, &number) == 0 &&
                        machine_is_driver(number.family.text) && number.state != DEVID_DRAINING)
                        look_at_number(d, &walk.node, &number, ear);
}
