/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * object.h - a BPF object, by libbpf; only croft-kext opens one, once it is shut in.
 */
#ifndef CROFT_KEXT_OBJECT_H
#define CROFT_KEXT_OBJECT_H

#include <croft/error.h>
#include <stdbool.h>
#include <stddef.h>

struct bpf_object;

/* ELF for the machine BPF? */
bool object_is_bpf(const void *data, size_t size);
/* -ENOEXEC: what it says of its types can't be followed. */
int object_check_types(const void *data, size_t size, struct croft_error *err);
/* Opens it if all its programs are of those that are taken (bpf_is_taken()), and its maps would be its own; the caller
 * closes *ret (bpf_object__close()).  -ENOEXEC: they aren't, or it is damaged. */
int object_open(const void *data, size_t size, const char *name, struct bpf_object **ret, struct croft_error *err);
/* Has the kernel verify its programs.  -ENOEXEC: it refuses one; -ENOMEM: there isn't so much for its
 * maps. */
int object_load(struct bpf_object *object, struct croft_error *err);
/* Calls each with every program of one that is loaded. */
typedef int (*object_program)(void *context, int fd, unsigned int attach);
int object_each(struct bpf_object *object, object_program each, void *context);

#endif
