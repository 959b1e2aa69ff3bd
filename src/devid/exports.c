/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * exports.c - the map of exported devices, croftd's side.  See exports.h.
 */
#include "devid/exports.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/str.h"
#include "devid/devid_private.h"

#include <bpf/bpf.h>
#include <string.h>

static int by_partition_and_name(const void *a, const void *b)
{
        const struct devid_export *x = a, *y = b;

        if (x->key.partition != y->key.partition)
                return x->key.partition < y->key.partition ? -1 : 1;
        return strcmp(x->name, y->name);
}

/* When the one that it stands at is removed meanwhile the walk begins anew, and finds some twice. */
static int collect(struct devid *d, uint64_t partition, bool half, struct devid_export *list, size_t *ret_n)
{
        struct devid_export_key key, *last = NULL;
        size_t n = 0;

        for (unsigned int steps = 0; steps < 2 * DEVID_EXPORTS_MAX; steps++) {
                if (bpf_map_get_next_key(d->exports, last, &key) < 0) {
                        if (errno != ENOENT)
                                return -errno;
                        *ret_n = n;
                        return 0;
                }
                last = &key;
                if ((partition && key.partition != partition) || n == DEVID_EXPORTS_MAX ||
                        bpf_map_lookup_elem(d->exports, &key, &list[n]) < 0)
                        continue;
                list[n].name[DEVID_EXPORT_NAME - 1] = list[n].device[DEVID_EXPORT_NAME - 1] =
                        list[n].listed[DEVID_EXPORT_NAME - 1] = list[n].cdi[DEVID_EXPORT_NAME - 1] = '\0';
                n += half || list[n].access;
        }
        return -EAGAIN;
}

static size_t drop_doubles(struct devid_export *list, size_t n)
{
        size_t kept = 0;

        for (size_t i = 0; i < n; i++)
                if (kept == 0 || memcmp(&list[kept - 1].key, &list[i].key, sizeof(list[i].key)) != 0)
                        list[kept++] = list[i];
        return kept;
}

int devid_exports_list(struct devid *d, uint64_t partition, bool half, struct devid_export **ret, size_t *ret_n,
        struct croft_error *err)
{
        _cleanup_free_ struct devid_export *list = NULL;
        struct devid_export_key first;
        size_t n = 0;
        int r = 0;

        if (bpf_map_get_next_key(d->exports, NULL, &first) == 0) { /* usually there is none at all */
                list = calloc(DEVID_EXPORTS_MAX, sizeof(*list));
                r = list ? collect(d, partition, half, list, &n) : -ENOMEM;
        }
        if (r < 0)
                return croft_error_set(err, r, "list the exported devices");
        if (n > 0) {
                struct devid_export *cut = realloc(list, n * sizeof(*list));

                list = cut ? cut : list;
                qsort(list, n, sizeof(*list), by_partition_and_name);
                n = drop_doubles(list, n);
        }
        *ret = TAKE(list);
        *ret_n = n;
        return 0;
}

int devid_exports_begin(struct devid *d, const struct devid_export *entry, struct croft_error *err)
{
        struct devid_export copy = *entry;

        copy.access = 0;
        if (bpf_map_update_elem(d->exports, &copy.key, &copy, BPF_NOEXIST) == 0)
                return 0;
        if (errno == EEXIST)
                return croft_error_set(err, EEXIST, "'%s' is exported to it already.", entry->device);
        if (errno == E2BIG)
                return croft_error_set(err, ENOSPC, "%d devices are exported: no more.", DEVID_EXPORTS_MAX);
        return croft_error_set(err, errno, "enter '%s' among the exported devices", entry->device);
}

int devid_exports_set(struct devid *d, const struct devid_export *entry, struct croft_error *err)
{
        if (bpf_map_update_elem(d->exports, &entry->key, entry, BPF_EXIST) < 0)
                return croft_error_set(err, errno, "change the right to '%s'", entry->device);
        return 0;
}

int devid_exports_delete(struct devid *d, const struct devid_export_key *key, struct croft_error *err)
{
        if (bpf_map_delete_elem(d->exports, key) < 0 && errno != ENOENT)
                return croft_error_set(err, errno, "remove an exported device");
        return 0;
}

int devid_exports_clear(struct devid *d, uint64_t partition, struct croft_error *err)
{
        _cleanup_free_ struct devid_export *list = NULL;
        size_t n = 0;
        int r = devid_exports_list(d, partition, true, &list, &n, err);

        for (size_t i = 0; r == 0 && i < n; i++)
                r = devid_exports_delete(d, &list[i].key, err);
        return r;
}

int devid_exports_sweep(
        struct devid *d, bool (*keep)(void *context, uint64_t id), void *context, struct croft_error *err)
{
        _cleanup_free_ struct devid_export *list = NULL;
        size_t n = 0;
        int r = devid_exports_list(d, 0, true, &list, &n, err);

        for (size_t i = 0; r == 0 && i < n; i++)
                if (!keep(context, list[i].key.partition))
                        r = devid_exports_delete(d, &list[i].key, err);
        return r;
}

/* --- is it still the same device? --- */

/* "/sys/dev/block/8:1/" and a name behind it. */
static void sysfs_path(const struct devid_node *node, const char *name, char (*ret)[96])
{
        (void)snprintf(*ret, sizeof(*ret), "/sys/dev/%s/%u:%u/%s", node->type == DEVID_BLOCK ? "block" : "char",
                node->major, node->minor, name);
}

/* An attribute of a disk, also by one of its partitions, which are below it; 0: not told. */
static uint64_t disk_number(const struct devid_node *node, const char *attribute, const char *of_partition)
{
        const char *const names[] = {attribute, of_partition};
        uint64_t n = 0;

        for (size_t i = 0; i < ELEMENTS(names); i++) {
                _cleanup_free_ char *text = NULL;
                char path[96];

                sysfs_path(node, names[i], &path);
                if (fd_read_file(AT_FDCWD, path, 32, &text, NULL) < 0)
                        continue;
                text[strcspn(text, "\n")] = '\0';
                return str_to_u64(text, UINT64_MAX, &n) ? n : 0;
        }
        return 0;
}

/* Since 5.15 each disk has a number that none had before it.  Where media are exchanged it changes with them; there the
 * device is what was exported, not the medium. */
static uint64_t disk_sequence(const struct devid_node *node)
{
        if (node->type != DEVID_BLOCK || disk_number(node, "removable", "../removable"))
                return 0;
        return disk_number(node, "diskseq", "../diskseq");
}

static bool is_known(const struct devid_node *node)
{
        char path[96];

        sysfs_path(node, "", &path);
        return access(path, F_OK) == 0;
}

void devid_exports_identify(struct devid_export *entry)
{
        entry->flags |= is_known(&entry->key.node) ? (uint32_t)DEVID_EXPORT_KNOWN : 0U;
        entry->diskseq = disk_sequence(&entry->key.node);
}

static bool is_same(const struct devid_export *entry)
{
        if (!(entry->flags & DEVID_EXPORT_KNOWN))
                return true; /* nothing ever told of it */
        return is_known(&entry->key.node) && (!entry->diskseq || entry->diskseq == disk_sequence(&entry->key.node));
}

int devid_exports_check(struct devid *d, void (*tell)(void *context, const struct devid_export *entry), void *context,
        struct croft_error *err)
{
        _cleanup_free_ struct devid_export *list = NULL;
        size_t n = 0;
        int r = devid_exports_list(d, 0, false, &list, &n, err);

        for (size_t i = 0; r == 0 && i < n; i++) {
                if (is_same(&list[i]))
                        continue;
                list[i].access = 0;
                if (devid_exports_set(d, &list[i], NULL) == 0) /* or it has been taken back meanwhile */
                        tell(context, &list[i]);
        }
        return r;
}

/* --- the table --- */

static uint64_t owner_of(struct devid *d, const struct devid_node *node)
{
        struct devid_number number;

        return bpf_map_lookup_elem(d->numbers, node, &number) == 0 ? number.partition : 0;
}

uint64_t devid_owner(struct devid *d, uint32_t type, uint32_t major, uint32_t minor)
{
        struct devid_node node = {.type = type, .major = major, .minor = minor};
        uint64_t owner = owner_of(d, &node);

        node.minor = DEVID_WHOLE;
        return owner ? owner : owner_of(d, &node);
}
