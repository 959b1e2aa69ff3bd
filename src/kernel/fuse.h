/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fuse.h - the kernel's side of a read-only FUSE file system, by the raw protocol of <linux/fuse.h>: a session,
 * requests decoded field by field, replies.  Not libfuse, because the session must go on in another process, and
 * because what is in flight must survive the one that read it.
 *
 * Invariant: nothing here keeps state.  Whoever holds the device's descriptor may go on where another one has died.
 */
#ifndef CROFT_KERNEL_FUSE_H
#define CROFT_KERNEL_FUSE_H

#include <croft/error.h>
#include <linux/fuse.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What a request can be at most: the kernel refuses a smaller buffer, and what we let it write is nothing. */
#define FUSE_REQUEST_MAX 16384

/* A session that isn't mounted yet: /dev/fuse, nonblocking.  The descriptor, or a negative errno (-ENOENT, -ENODEV:
 * this kernel has no FUSE). */
int fuse_open(struct croft_error *err);

/* The file system of a session, detached, read-only for everybody, nosuid, nodev, noexec; its root is a directory of
 * the host's root.  Its first request (INIT) waits on the device then.  The descriptor, or a negative errno. */
int fuse_mount(int device, struct croft_error *err);

struct fuse_request {
        uint32_t opcode;
        uint64_t unique, node;
        uint64_t offset;    /* READ, READDIR */
        uint32_t size;      /* READ, READDIR, GETXATTR, LISTXATTR: at most so many bytes */
        const char *name;   /* LOOKUP: within the packet, ended by NUL, no '/'; NULL otherwise */
        uint32_t minor;     /* INIT: the kernel's version is 7.minor */
        uint32_t flags;     /* INIT: what it can do */
        uint32_t readahead; /* INIT */
};

/* Decodes what was read of the device; data is borrowed by *ret.  -EBADMSG: it is no request. Those without a reply
 * (fuse_wants_reply()) have no fields but opcode, unique and node. */
int fuse_request_decode(const void *data, size_t size, struct fuse_request *ret);

/* The size that a packet says it has, 0 when fewer bytes than a head are there. */
uint32_t fuse_request_size(const void *data, size_t size);

int fuse_wants_reply(const struct fuse_request *request);

/* Replies.  0, or a negative errno; -ENOENT: nobody waits for it (any more), for it was answered or interrupted. */
int fuse_reply_error(int device, uint64_t unique, int code);
int fuse_reply(int device, uint64_t unique, const void *data, size_t size);
int fuse_reply_init(int device, const struct fuse_request *request);

struct fuse_file {
        uint64_t node;
        uint32_t mode; /* S_IFREG, S_IFDIR, S_IFLNK, with permissions */
        uint32_t uid, gid;
        uint64_t size;
        uint64_t mtime_ns; /* another one: the kernel forgets the pages it has */
        uint64_t valid_ns; /* how long the kernel may believe all this without asking */
};
int fuse_reply_attributes(int device, uint64_t unique, const struct fuse_file *file);
/* file NULL: there is none of that name, for valid_ns. */
int fuse_reply_entry(int device, uint64_t unique, const struct fuse_file *file, uint64_t valid_ns);
/* A file system of no size. */
int fuse_reply_statfs(int device, uint64_t unique);

/* Appends an entry to the answer to READDIR: 0, or -ENOSPC and nothing was written.  next: the offset that asks for the
 * entry behind this one. */
int fuse_put_entry(char *buf, size_t size, size_t *used, const struct fuse_file *file, const char *name, uint64_t next);

#endif
