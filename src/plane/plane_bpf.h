/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * plane_bpf.h - inside the plane: loading, pinning and adopting its objects.
 */
#ifndef CROFT_PLANE_PLANE_BPF_LOADER_H
#define CROFT_PLANE_PLANE_BPF_LOADER_H

#include <croft/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
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
/* Have two programs (descriptors) the same instructions?  By the kernel's digest of them. */
bool plane_bpf_same(int one, int other);
/* Keeps the pinned program when it is the same as ours, else puts ours in its place in one step: nobody finds none. */
int plane_bpf_renew(int bpf_dir, int ours, const char *name, struct croft_error *err);
/* Pins under that name with that mode, in the place of what is there, in one step. */
int plane_bpf_replace(int bpf_dir, int fd, const char *name, mode_t mode, struct croft_error *err);
/* Is this map (a descriptor) of the same kind and sizes as ours? */
struct bpf_map;
bool plane_bpf_map_fits(int fd, const struct bpf_map *ours);
/* The pinned maps of a system, in the order of pinning: the last one says that the others are whole.  A table of names
 * and of where in a structure of the system's each one's descriptor is kept; -EBADF there: none. */
struct plane_pin {
        const char *name;
        size_t place;
};
struct plane_pins {
        const struct plane_pin *list;
        size_t n;
        void *base; /* the structure */
};
struct bpf_object;
void plane_pins_init(struct plane_pins pins); /* none of them */
/* Opens all that are pinned in bpf_dir.  True: they are there, and of the same kinds as those of ours.  What was opened
 * stays open in any case. */
bool plane_pins_adopt(int bpf_dir, struct plane_pins pins, const struct bpf_object *ours);
/* Before it is loaded: the object is to use the maps that were adopted. */
int plane_pins_reuse(struct plane_pins pins, struct bpf_object *object, struct croft_error *err);
/* Afterwards: keeps the maps that were made. */
int plane_pins_take(struct plane_pins pins, const struct bpf_object *object, struct croft_error *err);
int plane_pins_pin(int bpf_dir, struct plane_pins pins, struct croft_error *err);
int plane_pins_unpin(int bpf_dir, struct plane_pins pins, struct croft_error *err); /* the last one first */
void plane_pins_close(struct plane_pins pins);
/* Attaches the program to that control group and what is below it (type: enum bpf_attach_type); the link is pinned
 * under that name, and takes the place of an older one in one step where that was attached there, too. */
int plane_bpf_attach(int bpf_dir, int program, int cgroup_fd, int type, const char *name, struct croft_error *err);
/* A program that is pinned in that directory, and what a death left of its replacement. */
int plane_unpin_program(int directory, const char *name, struct croft_error *err);
/* What a program is made from, as a number: first the map of partitions that it uses, then its object's bytes and its
 * constants, one after the other. */
uint64_t plane_kept_begin(int map);
uint64_t plane_kept_stamp(uint64_t before, const void *bytes, size_t size);
/* Is it noted under that name that this program (a descriptor, or negative) was made from that? */
bool plane_kept_is(int bpf_dir, const char *name, int program, uint64_t stamp);
/* Notes it, for the next croftd. */
void plane_kept_note(int bpf_dir, const char *name, int program, uint64_t stamp);
/* The sentence that helps, for a negative errno of loading programs. */
int plane_bpf_explain(int code, struct croft_error *err);
/* 1: the map holds something, 0: it is empty, else a negative errno. */
int plane_bpf_in_use(int map);

#endif
