/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * property.c - the table of properties and the list of those that are set.  See property.h; the checks are in
 * property_check.c.
 *
 * Invariant of a list: sorted by key, no key twice, every value has passed its check and is in normalised form.
 */
#include "partition/property.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "partition/devices.h"
#include "partition/mount_allow.h"
#include "partition/property_check.h"
#include "partition/stanzas.h"

#include <string.h>

const struct property_info property_table[] = {
        {"autostart", "no", NULL, true, "yes: started with croftd, by start.order", property_check_yes_no},
        {"cpu.max", NULL, "cpu.max", true, "CPU time: N%, \"QUOTA PERIOD\" in microseconds, or max",
                property_check_cpu_max},
        {"cpu.set", NULL, NULL, true, "the CPUs it may use, of those of its pool: 0-3,6", property_check_cpu_set},
        {"cpu.weight", NULL, "cpu.weight", true, "share of CPU time against others, 1 to 10000 (100 is usual)",
                property_check_weight},
        {"description", NULL, NULL, true, "a line of text for people", property_check_text},
        {"devices", NULL, NULL, true,
                "device numbers it may ask for: loop:8,dm:2; and devices it has, stanzas of devexports(5)",
                property_check_devices},
        {"env.", NULL, NULL, false, "env.NAME: environment variable NAME of init", property_check_env},
        {"hostname", NULL, NULL, false, "host name inside (the partition's name unless set)", property_check_hostname},
        {"init", "auto", NULL, false,
                "auto: the root's /sbin/init, else croft-init; croft: croft-init; or /PATH ARGUMENTS...",
                property_check_init},
        {"io.max", NULL, "io.max", true,
                "limits of block devices: \"8:0 rbps=N wbps=N riops=N wiops=N\", several separated by ';'",
                property_check_io_max},
        {"kexts", NULL, NULL, true, "kernel extensions that it may have: stanzas of kexts(5)", property_check_stanzas},
        {"memory.max", NULL, "memory.max", true, "memory in bytes: 64M, 2G, max", property_check_memory},
        {"memory.swap.max", NULL, "memory.swap.max", true, "swap in bytes: 0, 64M, 2G, max", property_check_size},
        {"mount.allow", NULL, NULL, false, "types of file systems it may mount: ext4,proc", property_check_mount_allow},
        {"mount.base", "no", NULL, true, "yes: it sees the statistics of the mounts that global made for it, too",
                property_check_yes_no},
        {"mount.stats", "yes", NULL, true,
                "count what is done on each mount: yes, latency (how long it took, too), or no",
                property_check_mount_stats},
        {"net", "none", NULL, false,
                "none, bridge=NAME[,address=ADDR/LEN][,gateway=ADDR]..., or interface=IFNAME[,...]",
                property_check_net},
        {"pids.max", NULL, "pids.max", true, "number of processes and threads, or max", property_check_pids},
        {"pool", "default", NULL, true, "the pool whose CPUs it runs on", property_check_pool},
        {"rlimit.nofile", NULL, NULL, false, "open files of a process (hard limit)", property_check_nofile},
        {"start.order", "100", NULL, true, "autostart begins with the lowest, 0 to 9999", property_check_order},
        {"stop.timeout", "30", NULL, true, "seconds that init may take to stop before it is killed",
                property_check_seconds},
        {.key = NULL},
};

/* What stands after "env." must be a name that every shell takes. */
static bool is_env_name(const char *name)
{
        size_t n = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789");

        return n > 0 && n <= 128 && name[n] == '\0' && !(name[0] >= '0' && name[0] <= '9');
}

const struct property_info *property_find(const char *key)
{
        for (const struct property_info *info = property_table; info->key; info++) {
                size_t n = strlen(info->key);

                if (info->key[n - 1] == '.') {
                        if (strncmp(key, info->key, n) == 0 && is_env_name(key + n))
                                return info;
                } else if (strcmp(key, info->key) == 0) {
                        return info;
                }
        }
        return NULL;
}

static int refuse_key(const char *key, struct croft_error *err)
{
        char escaped[128], keys[400];
        size_t used = 0;

        str_escape(escaped, sizeof(escaped), key, strlen(key));
        if (str_has_prefix(key, "env."))
                return croft_error_set(err, EINVAL,
                        "'%s': the name of a variable has letters, digits and '_', and no digit first.", escaped);
        keys[0] = '\0';
        for (const struct property_info *info = property_table; info->key && used < sizeof(keys); info++)
                used += (size_t)snprintf(keys + used, sizeof(keys) - used, "%s%s%s", used ? ", " : "", info->key,
                        strcmp(info->key, "env.") == 0 ? "NAME" : "");
        return croft_error_set(err, EINVAL, "there is no property '%s'; there are %s.", escaped, keys);
}

/* Where key is or would be. */
static struct property **find_place(struct property **list, const char *key)
{
        while (*list && strcmp((*list)->key, key) < 0)
                list = &(*list)->next;
        return list;
}

static bool is_at(struct property *const *place, const char *key)
{
        return *place && strcmp((*place)->key, key) == 0;
}

int property_put(struct property **list, const char *key, const char *value)
{
        struct property **place = find_place(list, key), *p;
        _cleanup_free_ char *key_copy = strdup(key), *value_copy = strdup(value);

        if (!key_copy || !value_copy)
                return -ENOMEM;
        if (is_at(place, key)) {
                free((*place)->value);
                (*place)->value = TAKE(value_copy);
                return 0;
        }
        p = malloc(sizeof(*p));
        if (!p)
                return -ENOMEM;
        *p = (struct property){.next = *place, .key = TAKE(key_copy), .value = TAKE(value_copy)};
        *place = p;
        return 0;
}

static void drop(struct property **list, const char *key)
{
        struct property **place = find_place(list, key), *p = *place;

        if (!is_at(place, key))
                return;
        *place = p->next;
        free(p->key);
        free(p->value);
        free(p);
}

int property_set(struct property **list, const char *key, const char *value, struct croft_error *err)
{
        const struct property_info *info = property_find(key);
        _cleanup_free_ char *normal = NULL;
        int r;

        if (!info)
                return refuse_key(key, err);
        if (!*value) {
                drop(list, key);
                return 0;
        }
        if (strnlen(value, PROPERTY_VALUE_MAX + 1) > PROPERTY_VALUE_MAX)
                return croft_error_set(err, EINVAL, "%s: the value is longer than %d bytes.", key, PROPERTY_VALUE_MAX);
        r = info->check(value, &normal, err);
        if (r < 0) {
                croft_error_prefix(err, "%s", key);
                return r;
        }
        r = property_put(list, key, normal);
        return r < 0 ? croft_error_set(err, r, "set '%s'", key) : 0;
}

int property_set_text(struct property **list, const char *text, struct croft_error *err)
{
        const char *equals = strchr(text, '=');
        _cleanup_free_ char *key = NULL;
        char escaped[128];

        if (!equals)
                return croft_error_set(err, EINVAL, "'%s' is no property; give KEY=VALUE, or KEY= to unset it.",
                        str_escape(escaped, sizeof(escaped), text, strlen(text)));
        key = strndup(text, (size_t)(equals - text));
        if (!key)
                return croft_error_set(err, ENOMEM, "set a property");
        return property_set(list, key, equals + 1, err);
}

const char *property_get(const struct property *list, const char *key)
{
        const struct property_info *info;

        for (; list; list = list->next)
                if (strcmp(list->key, key) == 0)
                        return list->value;
        info = property_find(key);
        return info ? info->default_value : NULL;
}

struct property *property_free(struct property *list)
{
        while (list) {
                struct property *next = list->next;

                free(list->key);
                free(list->value);
                free(list);
                list = next;
        }
        return NULL;
}

struct property *property_copy(const struct property *list, bool *ret_ok)
{
        struct property *copy = NULL, **end = &copy;

        for (; list; list = list->next) {
                struct property *p = calloc(1, sizeof(*p));

                if (!p)
                        goto no_memory;
                *end = p;
                end = &p->next;
                p->key = strdup(list->key);
                p->value = strdup(list->value);
                if (!p->key || !p->value)
                        goto no_memory;
        }
        *ret_ok = true;
        return copy;

no_memory:
        *ret_ok = false;
        return property_free(copy);
}
