/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * facet_cgroup.c - a partition's control groups and limits: made first and removed last, because its processes are born
 * into them.
 */
#include "partition/facet_cgroup.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/str.h"
#include "partition/host.h"
#include "partition/property.h"

#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define EMPTY_TIMEOUT_MS 5000
#define FREEZE_TIMEOUT_MS 10000
#define FREEZE_TURN_MS 1000
#define SERVE_MS 100

/* "/dev/sda" becomes "8:0"; "8:0" stays. */
static int device_number(const char *device, char *ret, size_t size, struct croft_error *err)
{
        struct stat st;

        if (device[0] != '/') {
                (void)str_copy(ret, size, device);
                return 0;
        }
        if (stat(device, &st) < 0)
                return croft_error_set(err, errno, "io.max: look at '%s'", device);
        if (!S_ISBLK(st.st_mode))
                return croft_error_set(err, ENOTBLK, "io.max: '%s' is no block device.", device);
        (void)snprintf(ret, size, "%u:%u", major(st.st_rdev), minor(st.st_rdev));
        return 0;
}

/* The device that an entry "8:0 rbps=..." is about. */
static void entry_device(const char *entry, char *ret, size_t size)
{
        size_t n = strcspn(entry, " ;");

        if (n >= size)
                n = size - 1;
        memcpy(ret, entry, n);
        ret[n] = '\0';
}

static bool names_device(const char *value, const char *device)
{
        char other[128];

        while (value && *value) {
                value += strspn(value, "; ");
                entry_device(value, other, sizeof(other));
                if (strcmp(other, device) == 0)
                        return true;
                value = strchr(value, ';');
        }
        return false;
}

/* One line per entry, as the kernel takes it. */
static int set_io_entry(struct partition *p, const char *entry, bool lift, struct croft_error *err)
{
        size_t n = strcspn(entry, ";"), skip;
        char device[128], number[128], line[512];
        int r;

        entry_device(entry, device, sizeof(device));
        skip = strlen(device);
        r = device_number(device, number, sizeof(number), err);
        if (r < 0)
                return r;
        if (lift)
                (void)snprintf(line, sizeof(line), "%s rbps=max wbps=max riops=max wiops=max", number);
        else
                (void)snprintf(line, sizeof(line), "%s%.*s", number, (int)(n - skip), entry + skip);
        return cgroup_set(p->host->cgroups, p->def.id, "io.max", line, err);
}

/* Sets the entries of value; lifts those of old whose device value doesn't name. */
static int set_io(struct partition *p, const char *old, const char *value, struct croft_error *err)
{
        for (const char *entry = old; entry && *entry; entry += strcspn(entry, ";")) {
                char device[128];

                entry += strspn(entry, "; ");
                entry_device(entry, device, sizeof(device));
                if (*device && !names_device(value, device))
                        (void)set_io_entry(p, entry, true, NULL); /* the device may be gone */
        }
        for (const char *entry = value; entry && *entry; entry += strcspn(entry, ";")) {
                int r;

                entry += strspn(entry, "; ");
                r = *entry ? set_io_entry(p, entry, false, err) : 0;
                if (r < 0)
                        return r;
        }
        return 0;
}

/* What lifts a limit. */
static const char *lifted(const char *cgroup_key)
{
        return strcmp(cgroup_key, "cpu.weight") == 0 ? "100" : "max";
}

static int apply(struct partition *p, const char *key, const char *old, const char *value, struct croft_error *err)
{
        const struct property_info *info = property_find(key);

        if (!info || !info->cgroup_key)
                return 0;
        if (strcmp(info->cgroup_key, "io.max") == 0)
                return set_io(p, old, value, err);
        return cgroup_set(p->host->cgroups, p->def.id, info->cgroup_key, value ? value : lifted(info->cgroup_key), err);
}

static bool is_of_v1(const struct partition *p, const char *cgroup_key)
{
        char controller[32];

        (void)snprintf(controller, sizeof(controller), "%.*s", (int)strcspn(cgroup_key, "."), cgroup_key);
        return cgroup_tree_rule(p->host->cgroups, controller) == CGROUP_V1;
}

static int apply_all(struct partition *p, bool v1, struct croft_error *err)
{
        int r = 0;

        for (const struct property_info *info = property_table; info->key && r == 0; info++) {
                const char *value = info->cgroup_key ? property_get(p->def.properties, info->key) : NULL;

                if (value && is_of_v1(p, info->cgroup_key) == v1)
                        r = apply(p, info->key, NULL, value, err);
        }
        return r;
}

/* Just what PID 1 is born into: while it is, the rest is made. */
static int prepare(struct partition *p, struct croft_error *err)
{
        int r = cgroup_create_unified(p->host->cgroups, p->def.id, p->def.uid_base, err);

        return r < 0 ? r : apply_all(p, false, err);
}

int facet_cgroup_prepare_v1(struct partition *p, struct croft_error *err)
{
        int r = cgroup_create_v1(p->host->cgroups, p->def.id, err);

        return r < 0 ? r : apply_all(p, true, err);
}

/* Whatever is still inside by now has no warden and no root any more. */
static int release(struct partition *p, struct croft_error *err)
{
        struct cgroup_tree *tree = p->host->cgroups;
        int r = cgroup_remove(tree, p->def.id, err);

        if (r != -EBUSY)
                return r;
        r = cgroup_kill(tree, p->def.id, err);
        if (r == 0)
                r = cgroup_wait_empty(tree, p->def.id, EMPTY_TIMEOUT_MS, err);
        return r < 0 ? r : cgroup_remove(tree, p->def.id, err);
}

static int freeze(struct partition *p, struct croft_error *err)
{
        const int64_t until = now_ms() + FREEZE_TIMEOUT_MS;

        for (;;) {
                struct croft_error own = CROFT_ERROR_INIT;
                int r = cgroup_freeze(p->host->cgroups, p->def.id, true, FREEZE_TURN_MS, &own);

                if (r == 0)
                        return 0;
                if (r != -ETIMEDOUT || now_ms() >= until)
                        return croft_error_copy(err, &own);
                /* One may be in a call that croftd carries out, by a process that is frozen, too. */
                if (p->host->serve)
                        p->host->serve(p, SERVE_MS);
        }
}

static int thaw(struct partition *p, struct croft_error *err)
{
        return cgroup_freeze(p->host->cgroups, p->def.id, false, FREEZE_TIMEOUT_MS, err);
}

const struct facet facet_cgroup = {
        .name = "cgroup",
        .prepare = prepare,
        .release = release,
        .freeze = freeze,
        .thaw = thaw,
        .apply = apply,
};
