/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * types.h - the running kernel's type information (BTF), read once for all who need something of it at the same time.
 *
 * libbpf reads all of it anew, 5 MB, for each object that it loads, and looks through all of it for each type that a
 * program names.  Here it is indexed once, and each object gets a small one of the types that it names (kernel/load.h).
 * Constant once it is there: any thread may use it.
 */
#ifndef CROFT_KERNEL_TYPES_H
#define CROFT_KERNEL_TYPES_H

#include <croft/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct btf;
struct kernel_types;

/* The running kernel's: *ret is shared, and the caller gives it back by kernel_types_unref().  -ENOENT: it has none. */
int kernel_types_ref(struct kernel_types **ret, struct croft_error *err);
/* Of these bytes, which are taken over even on failure (from malloc()). -EBADMSG: they are damaged. */
int kernel_types_new(void *bytes, size_t size, struct kernel_types **ret, struct croft_error *err);
struct kernel_types *kernel_types_unref(struct kernel_types *types);
void kernel_types_unrefp(struct kernel_types **types);

/* The id of the type of that name and kind (BTF_KIND_*: structures, unions, enumerations, functions, typedefs and
 * variables); -ENOENT: there is none. */
int kernel_types_find(const struct kernel_types *types, const char *name, unsigned int kind);
/* Where a per-CPU variable is in its section; false: there is no such variable. */
bool kernel_types_percpu(const struct kernel_types *types, const char *name, uint32_t *ret_offset);

/* The value of an enumerator; false: there is no enumeration without a name that begins with `first` and has it. */
bool kernel_types_value(const struct kernel_types *types, const char *first, const char *name, uint32_t *ret);

/* Type information (new bytes, *ret_size of them) of the kernel's structures, unions, enumerations and typedefs whose
 * names are in `names`, each of them as the kernel has it, with all that is a part of it; what a pointer leads to is
 * left out. It serves relocations just as the whole would. */
int kernel_types_select(const struct kernel_types *types, const struct btf *names, void **ret, size_t *ret_size,
        struct croft_error *err);

#endif
