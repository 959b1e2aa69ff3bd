/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * sink.h - what the worker does with the entries it reads: checks each and writes it below the target.
 *
 * Nothing is followed: a name's folders must be folders, a hard link's file must be inside, and every refusal is a
 * sentence with the entry's (escaped) name and -EILSEQ.
 */
#ifndef CROFT_IMAGE_SINK_H
#define CROFT_IMAGE_SINK_H

#include <croft/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#define ENTRY_NAME_MAX 4096
#define ENTRY_DEPTH_MAX 128 /* folders of a name: whoever deletes the tree later holds a descriptor for each */

/* names.c, pure.  Checks a name and writes it without "./", "//" and a final '/' into dst: "" is the root itself.
 * NULL, or what is wrong with it ("is absolute"). */
const char *entry_name(const char *name, char dst[ENTRY_NAME_MAX]);
/* Splits a checked name (not "") into the folder ("" for the root) and the last part, which points into name. */
const char *entry_base(const char *name, char folder[ENTRY_NAME_MAX]);

struct item {
        char name[ENTRY_NAME_MAX]; /* checked */
        mode_t mode;               /* with the type */
        uint64_t uid, gid;
        struct timespec mtime;
        uint64_t size; /* of a regular file, holes included */
};

struct folder_time;

struct sink {
        int root; /* borrowed */
        uint64_t max_bytes, max_entries;
        uint64_t bytes, entries, nodes; /* nodes: device nodes below dev/ that were passed over */
        bool layer;                     /* an OCI layer: may replace folders of lower layers by other things */
        void (*say)(const char *text);
        /* own */
        char folder[ENTRY_NAME_MAX]; /* the folder of the last entry ... */
        int folder_fd;               /* ... O_PATH, or -EBADF */
        struct folder_time *times;   /* folders' times, set last: entries made inside change them */
        size_t n_times, room;
        uint64_t said;
};
#define SINK_INIT                                                                                                      \
        {                                                                                                              \
                .folder_fd = -EBADF                                                                                    \
        }

/* Counts the entry and checks ids and sizes: to be called first for each. */
int sink_admit(struct sink *s, const struct item *item, struct croft_error *err);
int sink_folder(struct sink *s, const struct item *item, struct croft_error *err);
int sink_symlink(struct sink *s, const struct item *item, const char *target, struct croft_error *err);
int sink_hard_link(struct sink *s, const struct item *item, const char *target, struct croft_error *err);
/* A FIFO is made; a device node directly below dev/ is passed over and counted; anything else is refused. */
int sink_special(struct sink *s, const struct item *item, struct croft_error *err);
/* A new file to be written by sink_write(); the caller closes it after sink_file_end(). */
int sink_file(struct sink *s, const struct item *item, struct croft_error *err);
int sink_write(struct sink *s, int fd, const struct item *item, uint64_t offset, const void *data, size_t size,
        struct croft_error *err);
/* Extended attribute of an open file or folder: user.* and security.capability are set, others ignored.  After the
 * owner. */
int sink_xattr(
        int fd, const struct item *item, const char *name, const void *value, size_t size, struct croft_error *err);
int sink_file_end(struct sink *s, int fd, const struct item *item, struct croft_error *err);
/* An open folder that sink_folder() made, for its attributes. */
int sink_open_folder(struct sink *s, const char *name);
/* OCI: removes what lower layers have under that name; ".wh..wh..opq": what they have in the folder. */
int sink_whiteout(struct sink *s, const char *name, struct croft_error *err);
/* Sets the folders' times and lets go. */
int sink_end(struct sink *s, struct croft_error *err);

/* -EILSEQ: "entry 'NAME' WHY." */
int sink_refuse(struct croft_error *err, const char *name, const char *why);
int sink_fail(struct croft_error *err, int code, const char *what, const char *name);

/* unpack.c: reads a tar of any compression from fd to its end.  whiteouts: only those are looked at. */
enum unpack_pass { UNPACK_ALL, UNPACK_WHITEOUTS, UNPACK_LAYER };
int unpack_archive(struct sink *s, int fd, enum unpack_pass pass, struct croft_error *err);
/* copy.c: copies the tree below the folder source. */
int copy_tree(struct sink *s, int source, struct croft_error *err);
/* oci.c: applies the layers of the OCI layout in the folder source. */
int oci_apply(struct sink *s, int source, struct croft_error *err);
/* sandbox.c: gives up everything but the target (and source, -EBADF: none): on return *target and *source are the same
 * folders with their ids mapped, seen by a nobody.  parent: pid that must be alive. */
struct sandbox {
        int target, source;
        pid_t parent;
        uint64_t max_bytes;
        bool follow; /* links of the target may be followed (inside it) */
};
int sandbox_enter(struct sandbox *box, struct croft_error *err);

#endif
