/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fake_life_devices.c - devices of the life cycle in memory: whatever is asked for is exported, but for /dev/mem.  One
 * process has one list, whatever life cycles it makes.
 */
#include "daemon/life.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEVICES 64

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct life_device devices[DEVICES];
static size_t n_devices;

static int find(struct life *life, const char *name, struct croft_error *err)
{
        struct life_info info;
        int r = life_get(life, name, &info, err);

        if (r == 0)
                life_info_done(&info);
        return r;
}

int life_device_add(
        struct life *life, const char *name, const struct devid_export_request *request, struct croft_error *err)
{
        struct life_device *d;
        int r = find(life, name, err);

        if (r == 0 && strcmp(request->device, "/dev/mem") == 0)
                r = croft_error_set(err, EPERM, "'/dev/mem' isn't listed.");
        if (r < 0)
                return r;
        (void)pthread_mutex_lock(&lock);
        if (n_devices == DEVICES) {
                r = croft_error_set(err, EDQUOT, "no room.");
        } else {
                d = &devices[n_devices++];
                *d = (struct life_device){.export = {.access = request->access ? request->access : 6}};
                d->export.key.node = (struct devid_node){.type = DEVID_CHAR, .major = 10, .minor = 229};
                (void)snprintf(d->partition, sizeof(d->partition), "%s", name);
                (void)snprintf(d->export.name, sizeof(d->export.name), "%s", request->as ? request->as : "fuse");
                (void)snprintf(d->export.device, sizeof(d->export.device), "%s", request->device);
        }
        (void)pthread_mutex_unlock(&lock);
        return r;
}

int life_device_remove(struct life *life, const char *name, const char *what, struct croft_error *err)
{
        int r = find(life, name, err);
        bool found = false;

        if (r < 0)
                return r;
        (void)pthread_mutex_lock(&lock);
        for (size_t i = 0; i < n_devices && !found; i++)
                if (strcmp(devices[i].partition, name) == 0 && strcmp(devices[i].export.name, what) == 0) {
                        devices[i] = devices[--n_devices];
                        found = true;
                }
        (void)pthread_mutex_unlock(&lock);
        return found ? 0 : croft_error_set(err, ENOENT, "no device '%s'.", what);
}

int life_device_list(
        struct life *life, const char *name, struct life_device **ret, size_t *ret_n, struct croft_error *err)
{
        struct life_device *list;
        size_t n = 0;
        int r = name ? find(life, name, err) : 0;

        if (r < 0)
                return r;
        list = calloc(DEVICES, sizeof(*list));
        (void)pthread_mutex_lock(&lock);
        for (size_t i = 0; i < n_devices; i++)
                if (!name || strcmp(devices[i].partition, name) == 0)
                        list[n++] = devices[i];
        (void)pthread_mutex_unlock(&lock);
        *ret = list;
        *ret_n = n;
        return 0;
}
