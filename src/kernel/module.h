/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * module.h - modules of the running kernel: loading one, taking one out, and what the kernel says of those it has.
 * Thin: who may have what is decided elsewhere.
 */
#ifndef CROFT_KERNEL_MODULE_H
#define CROFT_KERNEL_MODULE_H

#include <croft/error.h>
#include <stdbool.h>
#include <stdint.h>

enum module_call { MODULE_INIT = 1, MODULE_FINIT, MODULE_DELETE };
/* Which of the calls about modules this is, by the ABI; 0: none. */
enum module_call module_call_of(uint32_t arch, int32_t number);

#define MODULE_IGNORES 3    /* MODULE_INIT_IGNORE_MODVERSIONS | MODULE_INIT_IGNORE_VERMAGIC of finit_module(2) */
#define MODULE_COMPRESSED 4 /* MODULE_INIT_COMPRESSED_FILE */

#define MODULE_FILE_MAX (UINT64_C(64) << 20) /* bytes of a file that croft looks at */

/* finit_module(2), flags as there. */
int module_load(int fd, const char *parameters, int flags, struct croft_error *err);
/* delete_module(2), never waiting and never by force.  -EBUSY: somebody uses it; -ENOENT: the kernel hasn't got it. */
int module_unload(const char *name);

enum module_state {
        MODULE_ABSENT,
        MODULE_BUILT_IN, /* part of the kernel's image */
        MODULE_CHANGING, /* coming or going */
        MODULE_LIVE,
};
/* By /sys/module. */
enum module_state module_find(const char *name);
/* Of one that is there, in bytes; 0: not told. */
uint64_t module_size(const char *name);
struct module_versions {
        char build_id[129], srcversion[64]; /* "": it has none, or none is told */
};
void module_look(const char *name, struct module_versions *ret);

#endif
