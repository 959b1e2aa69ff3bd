/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * kmod.h - libkmod as this folder uses it: quiet, and let go of by itself.
 */
#ifndef CROFT_KEXT_KMOD_H
#define CROFT_KEXT_KMOD_H

#include <libkmod.h>
#include <stddef.h>

/* What fails is said by the caller.  directory NULL: of the running kernel.  NULL: no memory. */
static inline struct kmod_ctx *kmod_open(const char *directory)
{
        struct kmod_ctx *kmod = kmod_new(directory, NULL);

        if (kmod)
                kmod_set_log_priority(kmod, -1);
        return kmod;
}

static inline void kmod_freep(struct kmod_ctx **context)
{
        *context = kmod_unref(*context);
}

static inline void kmod_module_freep(struct kmod_module **module)
{
        *module = kmod_module_unref(*module);
}

static inline void kmod_list_freep(struct kmod_list **list)
{
        (void)kmod_module_unref_list(*list);
        *list = NULL;
}

#endif
