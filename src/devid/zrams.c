/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * zrams.c - see zrams.h.
 *
 * A croftd that dies between making a device and entering it leaves one that is the machine's, as if somebody had made
 * it there.
 */
#include "devid/zrams.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/steps.h"
#include "base/str.h"
#include "devid/devid_private.h"
#include "devid/machine.h"

#include <bpf/bpf.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CONTROL "/sys/class/zram-control/"
#define NOTHING "4096" /* bytes */

static int set(uint32_t number, const char *attribute, const char *value)
{
        char path[64];

        (void)snprintf(path, sizeof(path), "/sys/block/zram%u/%s", number, attribute);
        return fd_write_file(AT_FDCWD, path, value);
}

static int make(uint32_t *ret)
{
        _cleanup_free_ char *text = NULL;
        uint64_t number;
        int r = fd_read_file(AT_FDCWD, CONTROL "hot_add", 32, &text, NULL);

        if (r < 0)
                return r;
        text[strcspn(text, "\n")] = '\0';
        if (!str_to_u64(text, UINT32_MAX, &number))
                return -EBADMSG;
        *ret = (uint32_t)number;
        return set(*ret, "disksize", NOTHING);
}

static int unmake(uint32_t number)
{
        char text[16];

        (void)snprintf(text, sizeof(text), "%u", number);
        return fd_write_file(AT_FDCWD, CONTROL "hot_remove", text);
}

bool zrams_clear(uint32_t number)
{
        return set(number, "reset", "1") == 0 && set(number, "disksize", NOTHING) == 0;
}

static bool exists(uint32_t number)
{
        char path[64];

        (void)snprintf(path, sizeof(path), "/sys/block/zram%u", number);
        return access(path, F_OK) == 0;
}

static bool is_ours(const struct devid_family *family, uint32_t number)
{
        return !(family->host[number / 64] >> number % 64 & 1);
}

/* From now on it is the machine's (or not any more). */
static int enter(struct devid *d, struct devid_family *family, uint32_t number, bool machine)
{
        __u64 bit = UINT64_C(1) << number % 64, *word = &family->host[number / 64];

        *word = machine ? *word | bit : *word & ~bit;
        return machine_set_host(d, DEVID_ZRAMS, number / 64, *word);
}

int zrams_look(struct devid *d, struct croft_error *err)
{
        struct devid_family family;
        int r = devid_get_family(d, DEVID_ZRAMS, &family, err);

        for (uint32_t n = 0; r == 0 && n < DEVID_FAMILY_MAX; n++)
                if (is_ours(&family, n) && !exists(n) && enter(d, &family, n, true) < 0)
                        r = croft_error_set(err, EIO, "keep out zram%u", n);
        return r;
}

/* It goes; who is faster to take it keeps it. */
static bool remove_spare(struct devid *d, struct devid_family *family, uint32_t number)
{
        struct devid_family now;

        if (enter(d, family, number, true) < 0)
                return false;
        if (devid_get_family(d, DEVID_ZRAMS, &now, NULL) < 0 || now.taken[number / 64] >> number % 64 & 1 ||
                unmake(number) < 0) {
                (void)enter(d, family, number, false);
                return false;
        }
        return true;
}

static int make_spare(struct devid *d, struct devid_family *family)
{
        uint32_t number = 0;
        int r = make(&number);

        if (r < 0)
                return r;
        crash_point("zram", "made", "");
        r = number < DEVID_FAMILY_MAX ? enter(d, family, number, false) : -ENOSPC;
        if (r < 0)
                (void)unmake(number);
        return r;
}

/* That partitions may still ask for. */
static uint32_t wanted(struct devid *d)
{
        struct devid_grant_key key, *last = NULL;
        struct devid_grant grant;
        uint32_t n = 0;

        for (; bpf_map_get_next_key(d->grants, last, &key) == 0; last = &key)
                if (strcmp(key.family.text, DEVID_ZRAMS) == 0 && bpf_map_lookup_elem(d->grants, &key, &grant) == 0)
                        n += grant.max > grant.used ? grant.max - grant.used : 0;
        return n < DEVID_FAMILY_MAX ? n : DEVID_FAMILY_MAX;
}

static bool is_spare(const struct devid_family *family, uint32_t number)
{
        return is_ours(family, number) && !(family->taken[number / 64] >> number % 64 & 1);
}

static int balance(struct devid *d, struct devid_family *family)
{
        const uint32_t want = wanted(d);
        uint32_t spare = 0;
        int r = 0;

        for (uint32_t n = 0; n < DEVID_FAMILY_MAX; n++)
                spare += is_spare(family, n);
        for (; r == 0 && spare < want; spare++)
                r = make_spare(d, family);
        for (uint32_t n = DEVID_FAMILY_MAX; n-- > 0 && spare > want;)
                if (is_spare(family, n))
                        spare -= remove_spare(d, family, n);
        return r;
}

int zrams_balance(struct devid *d, struct croft_error *err)
{
        struct devid_family family;
        int r;

        (void)pthread_mutex_lock(&d->lock);
        r = devid_get_family(d, DEVID_ZRAMS, &family, err);
        if (r == 0 && family.flags & DEVID_FAMILY_ABSENT)
                r = croft_error_set(err, ENODEV, "there is no driver of zram devices");
        else if (r == 0 && (r = balance(d, &family)) < 0)
                (void)croft_error_set(err, r, "make zram devices");
        (void)pthread_mutex_unlock(&d->lock);
        return r;
}
