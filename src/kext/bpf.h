/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * bpf.h - BPF objects as extensions: which programs are taken, and what croftd does with them once the kernel has
 * verified them.
 *
 * A partition that holds an object has an instance of its own: programs, maps, and a link of each program to the
 * partition's control group, pinned in BPFFS/kext/ID_NAME/ as 0, 1, ... beside a symbolic link `links` that says how
 * many there are.  Invariant: without `links` it is half made, or half taken away.
 */
#ifndef CROFT_KEXT_BPF_H
#define CROFT_KEXT_BPF_H

#include "kext/kext.h"

#define BPF_PROGRAMS_MAX 64
#define BPF_PAYERS_MAX 8 /* of each hierarchy one */

/* Does such a program see and judge only what processes of its control group do?  type: enum bpf_prog_type, attach:
 * enum bpf_attach_type. */
bool bpf_is_taken(uint32_t type, uint32_t attach);

/* Of an object, verified by the kernel and not attached yet. */
struct bpf_programs {
        struct {
                int fd;
                uint32_t attach;
        } list[BPF_PROGRAMS_MAX];
        size_t n;
};
void bpf_programs_done(struct bpf_programs *programs);

/* Control groups, by the files that a process enters them with. */
struct bpf_payers {
        int fds[BPF_PAYERS_MAX];
        size_t n;
};
void bpf_payers_done(struct bpf_payers *payers);

/* Runs croft-kext (worker: its path) to have the kernel verify the object in `bytes`, a sealed memfd (borrowed), with
 * maps of its own, whose memory is charged to these control groups, as the time is that it takes.  -ENOEXEC: the kernel
 * refuses it, and *err has the end of what it says; -ENOMEM: there isn't so much memory for its maps. */
int bpf_verify(const char *worker, int bytes, const char *name, const struct bpf_payers *payers,
        struct bpf_programs *ret, struct croft_error *err);

/* bpf_dir: the root of the bpffs.  Attaches all of them to that control group and what is below it, in the place of
 * what is left of an instance; on failure there is none. */
int bpf_attach(int bpf_dir, uint64_t partition, const char *name, int cgroup, const struct bpf_programs *programs,
        struct croft_error *err);
/* When it returns nothing passes through it any more.  None, or half of one, is fine. */
int bpf_detach(int bpf_dir, uint64_t partition, const char *name, struct croft_error *err);

enum bpf_instance { BPF_ABSENT, BPF_PARTIAL, BPF_WHOLE };
enum bpf_instance bpf_find(int bpf_dir, uint64_t partition, const char *name);
/* Calls each with every instance that there is, or half is; it may detach it. */
void bpf_each(int bpf_dir, void (*each)(void *context, uint64_t partition, const char *name), void *context);

#endif
