/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * view_modules.h - the modules of the kernel that a partition holds, as they lie in the memory that its warden leaves
 * to its successor: croftd writes the list, the views show it and no other module.
 *
 * As with disks (view_disks.h): the reader bounds and checks every field.
 */
#ifndef CROFT_KSTAT_VIEW_MODULES_H
#define CROFT_KSTAT_VIEW_MODULES_H

#include "kstat/view_list.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define VIEW_MODULES_MAX 128 /* what is more isn't shown */
#define VIEW_MODULE_NAME_MAX 64

struct view_module {
        char name[VIEW_MODULE_NAME_MAX];
        uint64_t size;   /* in bytes */
        uint32_t users;  /* other modules of the partition's that need it */
        uint32_t unused; /* 0 */
};
_Static_assert(sizeof(struct view_module) == 80, "struct view_module is read by other builds");

struct view_modules {
        struct view_list head;
        struct view_module list[VIEW_MODULES_MAX];
};
_Static_assert(sizeof(struct view_modules) == 8 + VIEW_MODULES_MAX * sizeof(struct view_module),
        "struct view_modules is read by other builds");

/* Writes the whole list anew; of more than VIEW_MODULES_MAX only the first. */
void view_modules_write(struct view_modules *area, const struct view_module *list, size_t n);
/* How many, at most VIEW_MODULES_MAX; names are fit to be names of files and end, each is there once.  -EAGAIN: it is
 * being written, also after a few tries. */
ssize_t view_modules_read(const struct view_modules *area, struct view_module ret[VIEW_MODULES_MAX]);

#endif
