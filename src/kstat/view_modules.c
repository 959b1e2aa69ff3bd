/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * view_modules.c - the list of a partition's modules, and what /proc and /sys show of them.  See view_modules.h.
 */
#include "kstat/view_private.h"

#include <stdbool.h>
#include <string.h>

_Static_assert(sizeof(struct view_module) % sizeof(uint64_t) == 0, "copied by words");
_Static_assert(offsetof(struct view_modules, list) % sizeof(uint64_t) == 0, "copied by words");

/* --- the list --- */

void view_modules_write(struct view_modules *area, const struct view_module *list, size_t n)
{
        view_list_write(&area->head, list, sizeof(*list), n, VIEW_MODULES_MAX);
}

/* As the kernel has names: nothing that would be another file, or another word of a line. */
static bool is_name(const char *name)
{
        return name[0] &&
               strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == strlen(name);
}

static bool accept(struct view_module *module, const struct view_module *before, size_t n)
{
        module->name[sizeof(module->name) - 1] = '\0';
        if (!is_name(module->name))
                return false;
        for (size_t i = 0; i < n; i++)
                if (view_module_number(before[i].name) == view_module_number(module->name))
                        return false;
        return true;
}

ssize_t view_modules_read(const struct view_modules *area, struct view_module ret[VIEW_MODULES_MAX])
{
        size_t n = 0, kept = 0;
        uint32_t sequence;
        int r = view_list_read(&area->head, ret, sizeof(*ret), VIEW_MODULES_MAX, &n, &sequence);

        if (r < 0)
                return r;
        for (size_t i = 0; i < n; i++) {
                struct view_module module = ret[i];

                if (accept(&module, ret, kept))
                        ret[kept++] = module;
        }
        return (ssize_t)kept;
}

/* --- what is shown --- */

void view_use_modules(struct view *v, const struct view_modules *modules)
{
        v->modules_area = modules;
}

bool view_has_modules(const struct view *v)
{
        return v->modules_area;
}

/* One that is being written stays as it was. */
void view_modules_take(struct view *v)
{
        struct view_module list[VIEW_MODULES_MAX];
        ssize_t n = v->modules_area ? view_modules_read(v->modules_area, list) : 0;

        if (n < 0)
                return;
        memcpy(v->modules, list, (size_t)n * sizeof(list[0]));
        v->n_modules = (uint32_t)n;
}

/* FNV-1a: the same for the same name, in another process too. */
uint32_t view_module_number(const char *name)
{
        uint32_t h = 2166136261u;

        for (const char *c = name; *c; c++)
                h = (h ^ (unsigned char)*c) * 16777619u;
        return h;
}

const struct view_module *view_module_at(const struct view *v, uint32_t number)
{
        for (uint32_t i = 0; i < v->n_modules; i++)
                if (view_module_number(v->modules[i].name) == number)
                        return &v->modules[i];
        return NULL;
}

int view_modules(struct view *v, struct text *t)
{
        for (uint32_t i = 0; i < v->n_modules; i++) {
                const struct view_module *m = &v->modules[i];

                text_str(t, m->name);
                text_char(t, ' ');
                text_number(t, m->size, 0);
                text_char(t, ' ');
                text_number(t, m->users, 0);
                text_str(t, " - Live 0x0000000000000000\n");
        }
        return 0;
}
