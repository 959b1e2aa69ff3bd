/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * load.h - has libbpf load an object of BPF programs with no more of the kernel's type information than it needs.
 *
 *     _cleanup_(kernel_load_done) struct kernel_load load;
 *     r = kernel_load_begin(&load, err);
 *     skeleton = x_bpf__open_opts(&load.options);
 *     r = kernel_load_types(&load, skeleton->obj, err);
 *     ...
 *     x_bpf__load(skeleton);
 */
#ifndef CROFT_KERNEL_LOAD_H
#define CROFT_KERNEL_LOAD_H

#include "kernel/types.h"

#include <bpf/libbpf.h>

/* The caller's. */
struct kernel_load {
        int fd; /* what libbpf is to take for the kernel's types */
        char path[32];
        struct kernel_types *types;
        struct bpf_object_open_opts options; /* to open objects with, one after the other; the path is in them */
};

/* Reads the kernel's types unless somebody holds them.  -ENOENT: it has none. kernel_load_done() may follow in any
 * case. */
int kernel_load_begin(struct kernel_load *ret, struct croft_error *err);
/* Between opening and loading an object: selects the types that it names. */
int kernel_load_types(struct kernel_load *load, const struct bpf_object *object, struct croft_error *err);
/* When the object is loaded. */
void kernel_load_done(struct kernel_load *load);

#endif
