/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * plane_bpf.h - inside the plane: loading, pinning and adopting its objects.
 */
#ifndef CROFT_PLANE_PLANE_BPF_LOADER_H
#define CROFT_PLANE_PLANE_BPF_LOADER_H

#include <croft/error.h>
#include <stdbool.h>
#include <sys/types.h>

/* Adopts what is pinned in bpf_dir (a bpffs), or loads and pins it anew.  Returns the descriptor of map `partitions`
 * (the caller closes it) or a negative errno, as plane_open(). */
int plane_bpf_open(int bpf_dir, const char *tag, unsigned int level, struct croft_error *err);
/* Takes the pins away, the one that makes the others count first. */
int plane_bpf_unpin(int bpf_dir, struct croft_error *err);
/* BPF_OBJ_GET of a pin.  Descriptor or negative errno. */
int plane_bpf_get(int bpf_dir, const char *name);
/* Pins under that name with that mode. */
int plane_bpf_pin(int bpf_dir, int fd, const char *name, mode_t mode, struct croft_error *err);
/* Keeps the pinned program when it is the same as ours, else puts ours in its place in one step: nobody finds none. */
int plane_bpf_renew(int bpf_dir, int ours, const char *name, struct croft_error *err);
/* Pins under that name with that mode, in the place of what is there, in one step. */
int plane_bpf_replace(int bpf_dir, int fd, const char *name, mode_t mode, struct croft_error *err);
/* Is this map (a descriptor) of the same kind and sizes as ours? */
struct bpf_map;
bool plane_bpf_map_fits(int fd, const struct bpf_map *ours);
/* The sentence that helps, for a negative errno of loading programs. */
int plane_bpf_explain(int code, struct croft_error *err);
/* 1: the map holds something, 0: it is empty, else a negative errno. */
int plane_bpf_in_use(int map);

#endif
