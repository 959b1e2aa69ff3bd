/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * find.c - where global has its modules: of the running kernel by libkmod, of a package by dpkg's list.  See kext.h.
 *
 * Both are files that only global's root writes.
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/str.h"
#include "kext/kext.h"
#include "kext/kmod.h"

#include <string.h>

#define LISTS "/var/lib/dpkg/info"
#define LIST_MAX ((size_t)16 << 20)

/* What it needs, then the module itself. */
static int each_of(struct kmod_module *module, kext_each each, void *context, struct croft_error *err)
{
        _cleanup_(kmod_list_freep) struct kmod_list *needed = kmod_module_get_dependencies(module);
        struct kmod_list *at;
        int r = 0;

        /* libkmod says first what is needed last. */
        for (at = needed ? kmod_list_last(needed) : NULL; at && r == 0; at = kmod_list_prev(needed, at)) {
                _cleanup_(kmod_module_freep) struct kmod_module *m = kmod_module_get_module(at);
                const char *path = kmod_module_get_path(m);

                if (path)
                        r = each(context, path, err);
        }
        return r < 0 ? r : each(context, kmod_module_get_path(module), err);
}

int kext_find_module(const char *name, kext_each each, void *context, struct croft_error *err)
{
        _cleanup_(kmod_freep) struct kmod_ctx *kmod = kmod_open(NULL);
        _cleanup_(kmod_module_freep) struct kmod_module *module = NULL;
        char normal[KEXT_NAME_MAX + 1], shown[256];
        int r;

        if (!kmod)
                return croft_error_set(err, ENOMEM, "look for a module");
        if (!kext_name_normalise(name, normal))
                return croft_error_set(err, EINVAL, "'%s' is no name of a module.",
                        str_escape(shown, sizeof(shown), name, strlen(name)));
        r = kmod_module_new_from_name(kmod, normal, &module);
        if (r < 0)
                return croft_error_set(err, r, "look for module '%s'", normal);
        if (kmod_module_get_initstate(module) == KMOD_MODULE_BUILTIN)
                return croft_error_set(
                        err, EEXIST, "'%s' is built into the running kernel: no partition needs it loaded.", normal);
        if (!kmod_module_get_path(module))
                return croft_error_set(err, ENOENT, "the running kernel has no module '%s'.", normal);
        return each_of(module, each, context, err);
}

/* As Debian's policy has it; "name:architecture" where two may be installed. */
static bool is_package(const char *text)
{
        size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789+-.:");

        return n > 1 && n < 200 && text[n] == '\0' && text[0] != '.' && text[0] != '-';
}

static int read_list(const char *package, char **ret, struct croft_error *err)
{
        char path[256], shown[256];
        int r;

        if (!is_package(package))
                return croft_error_set(err, EINVAL, "'%s' is no name of a package.",
                        str_escape(shown, sizeof(shown), package, strnlen(package, 60)));
        (void)snprintf(path, sizeof(path), LISTS "/%s.list", package);
        r = fd_read_file(AT_FDCWD, path, LIST_MAX, ret, NULL);
        if (r == -ENOENT)
                return croft_error_set(err, ENOENT, "no package '%s' is installed.", package);
        return r < 0 ? croft_error_set(err, r, "read '%s'", path) : 0;
}

int kext_find_package(const char *package, kext_each each, void *context, struct croft_error *err)
{
        _cleanup_free_ char *list = NULL;
        char *save = NULL;
        size_t found = 0;
        int r = read_list(package, &list, err);

        if (r < 0)
                return r;
        for (char *line = strtok_r(list, "\n", &save); line && r == 0; line = strtok_r(NULL, "\n", &save))
                if (line[0] == '/' && kext_is_file_name(line) && !kext_is_object_name(line)) {
                        r = each(context, line, err);
                        found++;
                }
        if (r == 0 && found == 0)
                return croft_error_set(err, ENOENT, "package '%s' has no module.", package);
        return r;
}
