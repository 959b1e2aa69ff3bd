/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * requests.c - by which names the kernel asks for modules, as global's modprobe(8) understands them.  See kext.h.
 *
 * All is read from files that only global's root writes.
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "kext/kext.h"
#include "kext/kmod.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALIASES_MAX ((size_t)64 << 20)

struct request {
        char module[KEXT_NAME_MAX + 1];
        char alias[KEXT_REQUEST_MAX + 1];
};

struct kext_requests {
        struct request *list; /* sorted by module */
        size_t n, room;
};

struct kext_requests *kext_requests_free(struct kext_requests *r)
{
        if (r)
                free(r->list);
        free(r);
        return NULL;
}

void kext_requests_freep(struct kext_requests **r)
{
        *r = kext_requests_free(*r);
}

/* Patterns and names with a ':' are of devices that were found: udev(7) looks for these. */
static bool is_request(const char *alias)
{
        return *alias && strlen(alias) <= KEXT_REQUEST_MAX && !strpbrk(alias, "*?[:");
}

static int add(struct kext_requests *r, const char *alias, const char *module)
{
        struct request *new;

        if (!is_request(alias))
                return 0;
        if (r->n == r->room) {
                size_t room = 2 * r->room + 1024;
                struct request *list = reallocarray(r->list, room, sizeof(*list));

                if (!list)
                        return -ENOMEM;
                r->list = list;
                r->room = room;
        }
        new = &r->list[r->n];
        if (!kext_name_normalise(module, new->module))
                return 0;
        memset(new->alias, 0, sizeof(new->alias));
        for (size_t i = 0; alias[i]; i++)
                new->alias[i] = alias[i] == '-' ? '_' : alias[i];
        r->n++;
        return 0;
}

/* modules.alias of depmod(8): lines "alias NAME MODULE". */
static int add_depmod(struct kext_requests *r, const char *directory)
{
        _cleanup_free_ char *path = NULL, *text = NULL;
        char *save = NULL;
        int code;

        if (asprintf(&path, "%s/modules.alias", directory) < 0)
                return -ENOMEM;
        code = fd_read_file(AT_FDCWD, path, ALIASES_MAX, &text, NULL);
        if (code < 0)
                return code == -ENOENT ? 0 : code; /* a kernel without modules */
        for (char *line = strtok_r(text, "\n", &save); line && code == 0; line = strtok_r(NULL, "\n", &save)) {
                char *word = NULL, *kind = strtok_r(line, " ", &word);
                const char *alias = strtok_r(NULL, " ", &word), *module = strtok_r(NULL, " ", &word);

                if (module && strcmp(kind, "alias") == 0)
                        code = add(r, alias, module);
        }
        return code;
}

/* modprobe.d(5). */
static int add_config(struct kext_requests *r, struct kmod_ctx *kmod)
{
        struct kmod_config_iter *at = kmod_config_get_aliases(kmod);
        int code = 0;

        while (at && code == 0 && kmod_config_iter_next(at))
                code = add(r, kmod_config_iter_get_key(at), kmod_config_iter_get_value(at));
        kmod_config_iter_free_iter(at);
        return code;
}

static int compare(const void *a, const void *b)
{
        return strcmp(((const struct request *)a)->module, ((const struct request *)b)->module);
}

int kext_requests_read(const char *directory, struct kext_requests **ret, struct croft_error *err)
{
        _cleanup_(kmod_freep) struct kmod_ctx *kmod = kmod_open(directory);
        _cleanup_(kext_requests_freep) struct kext_requests *r = calloc(1, sizeof(*r));
        int code = kmod && r ? add_depmod(r, kmod_get_dirname(kmod)) : -ENOMEM;

        if (code == 0)
                code = add_config(r, kmod);
        if (code < 0)
                return croft_error_set(err, code, "read by which names the kernel asks for modules");
        if (r->n > 0)
                qsort(r->list, r->n, sizeof(*r->list), compare);
        *ret = TAKE(r);
        return 0;
}

void kext_requests_each(
        const struct kext_requests *r, const char *name, void (*each)(void *context, const char *alias), void *context)
{
        struct request wanted = {.alias = ""};
        const struct request *found;

        each(context, name);
        (void)snprintf(wanted.module, sizeof(wanted.module), "%s", name);
        found = r->n > 0 ? bsearch(&wanted, r->list, r->n, sizeof(*r->list), compare) : NULL;
        while (found && found > r->list && strcmp(found[-1].module, name) == 0)
                found--;
        for (; found && found < r->list + r->n && strcmp(found->module, name) == 0; found++)
                each(context, found->alias);
}

/* NULL: its administrator wants none of them loaded so (`blacklist` of modprobe.d(5)). */
static struct kmod_list *look_up(struct kmod_ctx *kmod, const char *request)
{
        _cleanup_(kmod_list_freep) struct kmod_list *all = NULL;
        struct kmod_list *left = NULL;

        if (kmod_module_new_from_lookup(kmod, request, &all) < 0 ||
                kmod_module_apply_filter(kmod, KMOD_FILTER_BLACKLIST, all, &left) < 0)
                return NULL;
        return left;
}

int kext_find_request(const char *request, kext_each each, void *context, struct croft_error *err)
{
        _cleanup_(kmod_freep) struct kmod_ctx *kmod = kmod_open(NULL);
        _cleanup_(kmod_list_freep) struct kmod_list *found = kmod ? look_up(kmod, request) : NULL;
        struct kmod_list *at;
        unsigned int n = 0;
        int r = 0;

        if (!kmod)
                return croft_error_set(err, ENOMEM, "look for a module");
        if (!found)
                return croft_error_set(err, ENOENT, "the running kernel has no module of that name.");
        kmod_list_foreach(at, found)
        {
                _cleanup_(kmod_module_freep) struct kmod_module *module = kmod_module_get_module(at);

                /* What a command is for is that command's to load, or to leave. */
                if (r == 0 && !kmod_module_get_install_commands(module)) {
                        r = each(context, kmod_module_get_name(module), err);
                        n++;
                }
        }
        return r == 0 && n == 0 ? croft_error_set(err, ENOENT, "modprobe.d(5) has commands in its place.") : r;
}
