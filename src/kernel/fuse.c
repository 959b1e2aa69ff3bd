/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fuse.c - the raw FUSE protocol.  See fuse.h.
 *
 * What the kernel hands us is trusted, but what a successor finds in memory was left there by a warden that may have
 * been taken over: so every field is read by a cursor that knows its end.
 */
#include "kernel/fuse.h"

#include "base/cleanup.h"
#include "kernel/mount.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>

#define BLOCK 4096

int fuse_open(struct croft_error *err)
{
        int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC | O_NONBLOCK);

        if (fd < 0 && errno == ENOENT) {
                /* Where nobody made the node ahead of the module, the kernel loads it for who asks for the type. */
                close_fd(fsopen("fuse", FSOPEN_CLOEXEC));
                fd = open("/dev/fuse", O_RDWR | O_CLOEXEC | O_NONBLOCK);
        }
        return fd < 0 ? croft_error_set(err, errno, "open '/dev/fuse'") : fd;
}

int fuse_mount(int device, struct croft_error *err)
{
        char fd[32];
        const char *const options[] = {fd, "source=croft", "subtype=croft", "rootmode=40555", "user_id=0", "group_id=0",
                "allow_other", "default_permissions", NULL};

        (void)snprintf(fd, sizeof(fd), "fd=%d", device);
        return mount_new("fuse", options,
                MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NOATIME, err);
}

/* --- decoding --------------------------------------------------------------------------------------------------------
 */

struct cursor {
        const uint8_t *data;
        size_t size, at;
        int fault;
};

static void take(struct cursor *c, void *to, size_t size)
{
        if (c->fault || c->size - c->at < size) {
                c->fault = -EBADMSG;
                memset(to, 0, size);
                return;
        }
        memcpy(to, c->data + c->at, size);
        c->at += size;
}

static uint32_t take_u32(struct cursor *c)
{
        uint32_t value;

        take(c, &value, sizeof(value));
        return value;
}

static uint64_t take_u64(struct cursor *c)
{
        uint64_t value;

        take(c, &value, sizeof(value));
        return value;
}

static void skip(struct cursor *c, size_t size)
{
        if (c->fault || c->size - c->at < size)
                c->fault = -EBADMSG;
        else
                c->at += size;
}

static void take_name(struct cursor *c, const char **ret)
{
        const char *name = (const char *)c->data + c->at;
        size_t room = c->size - c->at, length = c->fault ? 0 : strnlen(name, room);

        if (length == 0 || length == room || memchr(name, '/', length)) {
                c->fault = -EBADMSG;
                return;
        }
        c->at += length + 1;
        *ret = name;
}

uint32_t fuse_request_size(const void *data, size_t size)
{
        struct cursor c = {.data = data, .size = size};

        return size < sizeof(struct fuse_in_header) ? 0 : take_u32(&c);
}

static void take_body(struct cursor *c, struct fuse_request *r)
{
        switch (r->opcode) {
        case FUSE_INIT:
                if (take_u32(c) != FUSE_KERNEL_VERSION)
                        c->fault = -EBADMSG;
                r->minor = take_u32(c);
                r->readahead = take_u32(c);
                r->flags = take_u32(c);
                break;
        case FUSE_LOOKUP:
                take_name(c, &r->name);
                break;
        case FUSE_READ:
        case FUSE_READDIR:
                skip(c, sizeof(uint64_t)); /* the handle: we give none */
                r->offset = take_u64(c);
                r->size = take_u32(c);
                break;
        case FUSE_GETXATTR:
        case FUSE_LISTXATTR:
                r->size = take_u32(c);
                break;
        default: /* nothing in it that we need */
                break;
        }
}

int fuse_request_decode(const void *data, size_t size, struct fuse_request *ret)
{
        struct cursor c = {.data = data, .size = size};
        struct fuse_request r = {.opcode = 0};
        uint32_t length = take_u32(&c);

        r.opcode = take_u32(&c);
        r.unique = take_u64(&c);
        r.node = take_u64(&c);
        skip(&c, sizeof(struct fuse_in_header) - 24); /* who asks: everybody is told the same */
        if (c.fault || length != size)
                return -EBADMSG;
        take_body(&c, &r);
        if (c.fault)
                return c.fault;
        *ret = r;
        return 0;
}

int fuse_wants_reply(const struct fuse_request *request)
{
        return request->opcode != FUSE_FORGET && request->opcode != FUSE_BATCH_FORGET &&
               request->opcode != FUSE_NOTIFY_REPLY;
}

/* --- replies ---------------------------------------------------------------------------------------------------------
 */

static int send_reply(int device, uint64_t unique, int code, const void *data, size_t size)
{
        struct fuse_out_header head = {.len = (uint32_t)(sizeof(head) + size), .error = -code, .unique = unique};
        const struct iovec parts[] = {{&head, sizeof(head)}, {(void *)(uintptr_t)data, size}};
        ssize_t n = TEMP_FAILURE_RETRY(writev(device, parts, size ? 2 : 1));

        return n < 0 ? -errno : 0;
}

int fuse_reply_error(int device, uint64_t unique, int code)
{
        return send_reply(device, unique, code, NULL, 0);
}

int fuse_reply(int device, uint64_t unique, const void *data, size_t size)
{
        return send_reply(device, unique, 0, data, size);
}

int fuse_reply_init(int device, const struct fuse_request *request)
{
        const uint32_t wanted = FUSE_ASYNC_READ | FUSE_AUTO_INVAL_DATA | FUSE_PARALLEL_DIROPS | FUSE_NO_OPEN_SUPPORT |
                                FUSE_NO_OPENDIR_SUPPORT | FUSE_MAX_PAGES;
        struct fuse_init_out out = {.major = FUSE_KERNEL_VERSION,
                .minor = request->minor < FUSE_KERNEL_MINOR_VERSION ? request->minor : FUSE_KERNEL_MINOR_VERSION,
                .max_readahead = request->readahead,
                .flags = wanted & request->flags,
                .max_background = 16,
                .congestion_threshold = 12,
                .max_write = BLOCK,
                .time_gran = 1,
                .max_pages = 256};

        /* Without it a page, once read, would be shown for ever. */
        if (!(request->flags & FUSE_AUTO_INVAL_DATA))
                return fuse_reply_error(device, request->unique, EPROTO);
        return fuse_reply(device, request->unique, &out, sizeof(out));
}

#define NS_IN_S UINT64_C(1000000000)

static void put_attributes(const struct fuse_file *file, struct fuse_attr *ret)
{
        *ret = (struct fuse_attr){.ino = file->node,
                .size = file->size,
                .mtime = file->mtime_ns / NS_IN_S,
                .mtimensec = (uint32_t)(file->mtime_ns % NS_IN_S),
                .mode = file->mode,
                .nlink = S_ISDIR(file->mode) ? 2 : 1,
                .uid = file->uid,
                .gid = file->gid,
                .blksize = BLOCK};
        ret->atime = ret->ctime = ret->mtime;
        ret->atimensec = ret->ctimensec = ret->mtimensec;
}

int fuse_reply_attributes(int device, uint64_t unique, const struct fuse_file *file)
{
        struct fuse_attr_out out = {
                .attr_valid = file->valid_ns / NS_IN_S, .attr_valid_nsec = (uint32_t)(file->valid_ns % NS_IN_S)};

        put_attributes(file, &out.attr);
        return fuse_reply(device, unique, &out, sizeof(out));
}

int fuse_reply_entry(int device, uint64_t unique, const struct fuse_file *file, uint64_t valid_ns)
{
        struct fuse_entry_out out = {
                .entry_valid = valid_ns / NS_IN_S, .entry_valid_nsec = (uint32_t)(valid_ns % NS_IN_S)};

        if (file) {
                out.nodeid = file->node;
                out.attr_valid = file->valid_ns / NS_IN_S;
                out.attr_valid_nsec = (uint32_t)(file->valid_ns % NS_IN_S);
                put_attributes(file, &out.attr);
        }
        return fuse_reply(device, unique, &out, sizeof(out));
}

int fuse_reply_statfs(int device, uint64_t unique)
{
        struct fuse_statfs_out out = {.st = {.bsize = BLOCK, .frsize = BLOCK, .namelen = 255}};

        return fuse_reply(device, unique, &out, sizeof(out));
}

int fuse_put_entry(char *buf, size_t size, size_t *used, const struct fuse_file *file, const char *name, uint64_t next)
{
        const struct fuse_dirent head = {
                .ino = file->node, .off = next, .namelen = (uint32_t)strlen(name), .type = (file->mode & S_IFMT) >> 12};
        size_t length = FUSE_NAME_OFFSET + head.namelen, padded = FUSE_DIRENT_ALIGN(length);

        if (size - *used < padded)
                return -ENOSPC;
        memset(buf + *used, 0, padded);
        memcpy(buf + *used, &head, FUSE_NAME_OFFSET);
        memcpy(buf + *used + FUSE_NAME_OFFSET, name, head.namelen);
        *used += padded;
        return 0;
}
