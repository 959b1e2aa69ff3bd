/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * facet_devid.c - what a partition may ask for while it runs (property `devices`), and that it has nothing afterwards
 * (DEV-18): not of this run, and not of one that ended with a croftd.
 */
#include "devid/facet_devid.h"

#include "devid/devid.h"
#include "devid/loops.h"
#include "kernel/devnode.h"
#include "partition/devices.h"
#include "partition/host.h"
#include "partition/property.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

/* One more loop device than are to be had: that which programs open before they bind (docs/adr/0036). */
static uint32_t count_of(const char *value, const char *family)
{
        uint32_t count = devices_count(value, family);

        return count + (count > 0 && strcmp(family, DEVID_LOOPS) == 0);
}

/* What `devices` names is granted; what it doesn't name any more isn't. */
static int grant(struct partition *p, const char *value, struct croft_error *err)
{
        int r = 0;

        if (!p->host->devid) {
                if (!value)
                        return 0;
                (void)croft_error_copy(err, &p->host->lacks[HOST_DEVID]);
                return croft_error_prefix(err, "grant device numbers");
        }
        for (size_t i = 0; r == 0 && i < DEVICES_FAMILIES; i++)
                r = devid_grant(
                        p->host->devid, p->def.id, devices_families[i], count_of(value, devices_families[i]), err);
        return r;
}

static void tell(void *context, const char *text)
{
        struct partition *p = context;

        if (p->host->note)
                p->host->note(p, text);
}

/* Some may come to have their drivers later: nobody loads one for a partition's sake. */
static void tell_what_lacks(struct partition *p, const char *value)
{
        for (size_t i = 0; i < DEVICES_FAMILIES; i++) {
                const char *module;
                char text[160];

                if (devices_count(value, devices_families[i]) == 0 ||
                        !devid_lacks_driver(p->host->devid, devices_families[i], &module))
                        continue;
                (void)snprintf(text, sizeof(text),
                        "it has no number of family '%s': this machine hasn't loaded its driver (modprobe %s)",
                        devices_families[i], module);
                tell(p, text);
        }
}

static void file_of(const struct partition *p, char (*ret)[64])
{
        (void)snprintf(*ret, sizeof(*ret), "%ju/devids", (uintmax_t)p->def.id);
}

static int prepare(struct partition *p, struct croft_error *err)
{
        const char *devices = property_get(p->def.properties, "devices");
        char file[64];
        int r = 0;

        if (devices && p->host->devid)
                r = devid_look_at_host(p->host->devid, err); /* drivers may have come */
        if (devices && r == 0)
                r = grant(p, devices, err); /* who has none was left none when it stopped */
        if (r < 0 || !p->host->devid)
                return r;
        tell_what_lacks(p, devices);
        file_of(p, &file);
        return devid_restore(p->host->devid, p->def.id, p->host->partitions_dir, file, tell, p, err);
}

/* A new croftd may have found a table of another layout. */
static int adopt(struct partition *p, struct croft_error *err)
{
        return p->host->devid ? grant(p, property_get(p->def.properties, "devices"), err) : 0;
}

static void hear(void *context, uint64_t id, const char *text, bool is_error)
{
        (void)id, (void)is_error;
        tell(context, text);
}

static int open_dev(void *context, uint64_t id, uint32_t *ret_uid_base)
{
        const struct partition *p = context;

        (void)id;
        *ret_uid_base = p->def.uid_base;
        return p->run.dev < 0 ? -EBADF : fcntl(p->run.dev, F_DUPFD_CLOEXEC, 3);
}

/* Before its first program: what it had special files for, and what it asks for loop devices by. */
static int start(struct partition *p, struct croft_error *err)
{
        const struct devid_ear ear = {.tell = hear, .open_dev = open_dev, .context = p};
        const struct devnode node = {.mode = S_IFCHR | 0660,
                .number = LOOPS_CONTROL,
                .uid = p->def.uid_base,
                .gid = p->def.uid_base + LOOPS_GROUP};

        if (p->host->devid)
                devid_put_specials(p->host->devid, p->def.id, &ear);
        if (devices_count(property_get(p->def.properties, "devices"), DEVID_LOOPS) == 0)
                return 0;
        if (!p->run.told_loops) {
                (void)croft_error_copy(err, &p->host->lacks[HOST_INTERCEPTION]);
                return croft_error_prefix(err, "give it loop devices");
        }
        return devnode_put(p->run.dev, "loop-control", &node, true, err);
}

static int release(struct partition *p, struct croft_error *err)
{
        struct croft_error kept = CROFT_ERROR_INIT;
        char file[64], line[CROFT_ERROR_TEXT_MAX];

        if (!p->host->devid)
                return 0;
        file_of(p, &file);
        if (devid_keep(p->host->devid, p->def.id, p->host->partitions_dir, file, &kept) < 0)
                tell(p, croft_error_line(&kept, line, sizeof(line))); /* it gets others, then */
        return devid_release_all(p->host->devid, p->def.id, err);
}

/* Which calls are intercepted was settled when it started. */
static int apply(struct partition *p, const char *key, const char *old, const char *value, struct croft_error *err)
{
        (void)old;
        if (strcmp(key, "devices") != 0)
                return 0;
        if (devices_count(value, DEVID_LOOPS) > 0 && !p->run.told_loops)
                return croft_error_set(err, EBUSY, "loop devices can only be given to a partition that is stopped.");
        int r = grant(p, value, err);

        if (r == 0 && p->host->devid)
                tell_what_lacks(p, value);
        return r;
}

const struct facet facet_devid = {
        .name = "devid",
        .prepare = prepare,
        .start = start,
        .adopt = adopt,
        .release = release,
        .apply = apply,
};
