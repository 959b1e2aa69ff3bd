/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * facet_disks.c - a partition's own disks have statistics from before its first program until none of it is left
 * (KST-43).  See facet_disks.h.
 *
 * What is asked each time is the truth itself, the kernel's maps of exported devices and of device numbers; nothing is
 * remembered here.  One look at a time: an older one must not undo what a newer has made.
 *
 * The kernel counts for whole disks.  Of a disk that only parts of are exported, the structure is that of the disk,
 * under the machine's name: to call its figures the part's would be wrong.
 */
#include "daemon/facet_disks.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/str.h"
#include "devid/devid.h"
#include "devid/exports.h"
#include "kernel/loop.h"
#include "kstat/own_disks.h"
#include "kstat/view_describe.h"
#include "kstat/views_memory.h"
#include "partition/host.h"
#include "partition/property.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NUMBER_MAX 32

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

struct wanted {
        struct own_disk *list;
        size_t n, room;
        bool failed; /* no memory */
};

static void wanted_done(struct wanted *wanted)
{
        free(wanted->list);
}

static void add(struct wanted *wanted, const struct own_disk *disk)
{
        struct own_disk *list;

        if (wanted->n == wanted->room) {
                list = reallocarray(wanted->list, wanted->room * 2 + 16, sizeof(*list));
                if (!list) {
                        wanted->failed = true;
                        return;
                }
                wanted->list = list;
                wanted->room = wanted->room * 2 + 16;
        }
        wanted->list[wanted->n++] = *disk;
}

/* The disk that a part is of; false: the device is a whole one. */
static bool find_disk(const struct devid_node *part, struct own_disk *ret)
{
        _cleanup_free_ char *number = NULL;
        char path[64], target[256], *name;
        ssize_t n;

        (void)snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/partition", part->major, part->minor);
        if (access(path, F_OK) < 0)
                return false;
        (void)snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/../dev", part->major, part->minor);
        if (fd_read_file(AT_FDCWD, path, NUMBER_MAX, &number, NULL) < 0 ||
                sscanf(number, "%u:%u", &ret->major, &ret->minor) != 2)
                return false;
        path[strlen(path) - strlen("/../dev")] = '\0';
        n = readlink(path, target, sizeof(target) - 1); /* ".../block/sda/sda1" */
        target[n < 0 ? 0 : n] = '\0';
        name = strrchr(target, '/');
        if (name)
                *name = '\0';
        name = strrchr(target, '/');
        own_disk_name(ret, name ? name + 1 : "");
        return true;
}

/* --- what its /proc and /sys show of them --- */

/* As sysfs has names: '!' stands for '/'. */
static void name_in_sysfs(const struct devid_export *export, struct view_disk *ret)
{
        if (str_copy(ret->name, sizeof(ret->name), export->name))
                for (char *at = ret->name; (at = strchr(at, '/'));)
                        *at = '!';
        else
                (void)snprintf(ret->name, sizeof(ret->name), "disk%u-%u", ret->major, ret->minor);
}

static void describe(const struct devid_export *export, struct view_disk *ret)
{
        const struct devid_node *node = &export->key.node;
        _cleanup_close_ int d = -EBADF;
        char path[64];

        *ret = (struct view_disk){.sectors = 0};
        (void)snprintf(path, sizeof(path), "/sys/dev/block/%u:%u", node->major, node->minor);
        d = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (d >= 0)
                view_describe(d, ret);
        ret->major = node->major;
        ret->minor = node->minor;
        if (!(export->access & DEVID_EXPORT_WRITE))
                ret->flags |= VIEW_DISK_READ_ONLY;
        name_in_sysfs(export, ret);
}

/* Of wholes only: a part would have to be shown as that of a disk, which may not be the partition's. */
static void show(struct partition *p, const struct devid_export *exports, size_t n)
{
        _cleanup_free_ struct view_disk *list = calloc(n + 1, sizeof(*list));
        _cleanup_close_ int memory = -EBADF;
        struct own_disk disk;
        size_t n_list = 0;

        (void)pthread_mutex_lock(&p->lock);
        if (p->run.fuse_memory >= 0)
                memory = fcntl(p->run.fuse_memory, F_DUPFD_CLOEXEC, 3);
        (void)pthread_mutex_unlock(&p->lock);
        if (memory < 0 || !list)
                return; /* it has no views, or they go on as they are */
        for (size_t i = 0; i < n; i++)
                if (exports[i].key.node.type == DEVID_BLOCK && !find_disk(&exports[i].key.node, &disk))
                        describe(&exports[i], &list[n_list++]);
        (void)views_disks_replace(memory, VIEW_EXPORTS, list, n_list, NULL); /* an old one has no room for it */
}

/* --- exported devices, whole disks first: they have a name inside --- */

static int add_exports(struct partition *p, struct wanted *wanted, struct croft_error *err)
{
        _cleanup_free_ struct devid_export *exports = NULL;
        size_t n = 0;
        int r = devid_exports_list(p->host->devid, p->def.id, false, &exports, &n, err);

        for (int parts = 0; r == 0 && parts < 2; parts++)
                for (size_t i = 0; i < n; i++) {
                        const struct devid_node *node = &exports[i].key.node;
                        struct own_disk disk = {.major = node->major, .minor = node->minor};

                        if (node->type != DEVID_BLOCK || find_disk(node, &disk) != parts)
                                continue;
                        disk.identity = exports[i].diskseq;
                        if (!parts)
                                own_disk_name(&disk, exports[i].name);
                        add(wanted, &disk);
                }
        if (r == 0)
                show(p, exports, n);
        return r;
}

/* --- loop devices --- */

static void add_loop(void *context, uint32_t minor, const char *name)
{
        struct own_disk disk = {.major = LOOP_MAJOR_NUMBER, .minor = minor};

        own_disk_name(&disk, name);
        add(context, &disk);
}

/* --- all --- */

static bool is_followed(const struct partition *p)
{
        return p->host->kstats && p->host->sampler && p->host->devid;
}

static int follow(struct partition *p, struct croft_error *err)
{
        _cleanup_(wanted_done) struct wanted wanted = {.n = 0};
        int r = add_exports(p, &wanted, err);

        if (r < 0)
                return r;
        devid_each_loop(p->host->devid, p->def.id, add_loop, &wanted);
        if (wanted.failed)
                return croft_error_set(err, ENOMEM, "list a partition's disks");
        return kstats_follow_disks(p->host->kstats, p->def.id, wanted.list, wanted.n, err);
}

static void warn(const struct partition *p, const struct croft_error *err)
{
        log_error(LOG_LEVEL_WARNING, err, "disks of partition %ju may lack statistics, or have old ones",
                (uintmax_t)p->def.id);
}

void disks_follow(struct partition *p)
{
        struct croft_error err = CROFT_ERROR_INIT;
        int r;

        if (!is_followed(p))
                return;
        (void)pthread_mutex_lock(&lock);
        r = follow(p, &err);
        (void)pthread_mutex_unlock(&lock);
        if (r < 0)
                warn(p, &err);
}

void disks_unbound(struct partition *p, uint32_t minor)
{
        struct croft_error err = CROFT_ERROR_INIT;
        int r;

        if (!is_followed(p))
                return;
        (void)pthread_mutex_lock(&lock);
        r = kstats_drop_disk(p->host->kstats, p->def.id, LOOP_MAJOR_NUMBER, minor, &err);
        (void)pthread_mutex_unlock(&lock);
        if (r < 0)
                warn(p, &err);
}

/* --- the facets --- */

static int start(struct partition *p, struct croft_error *err)
{
        (void)err;
        if (property_get(p->def.properties, "devices"))
                disks_follow(p);
        return 0;
}

/* It may have been given one while it ran. */
static int adopt(struct partition *p, struct croft_error *err)
{
        (void)err;
        disks_follow(p);
        return 0;
}

static int apply(struct partition *p, const char *key, const char *old, const char *value, struct croft_error *err)
{
        (void)old, (void)value, (void)err;
        if (strcmp(key, "devices") == 0)
                disks_follow(p);
        return 0;
}

/* Structures go with all that tell about it (facet_kstat). */
static int release(struct partition *p, struct croft_error *err)
{
        (void)err;
        if (!p->host->kstats)
                return 0;
        (void)pthread_mutex_lock(&lock);
        kstats_forget_disks(p->host->kstats, p->def.id);
        (void)pthread_mutex_unlock(&lock);
        return 0;
}

const struct facet facet_disks = {
        .name = "disks",
        .start = start,
        .release = release,
};

const struct facet facet_disks_later = {
        .name = "disks-later",
        .adopt = adopt,
        .apply = apply,
};
