/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cuse_device.c - a character device in user space, for tests: cuse-device MAJOR MINOR NAME TEXT registers that number
 * with CUSE and lets everybody read TEXT from it, until it is killed.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static char request[1 << 17]; /* as large as the kernel wants it to be */

static int answer(int fd, uint64_t unique, int error, const void *body, size_t size)
{
        struct fuse_out_header header = {.len = (uint32_t)(sizeof(header) + size), .error = error, .unique = unique};
        struct iovec parts[] = {{&header, sizeof(header)}, {(void *)(uintptr_t)body, size}};

        return writev(fd, parts, 2) < 0 && errno != ENOENT ? -errno : 0; /* ENOENT: nobody waits any more */
}

static int register_device(int fd, uint64_t unique, char **argv)
{
        struct {
                struct cuse_init_out init;
                char name[64];
        } body = {.init = {.major = FUSE_KERNEL_VERSION,
                          .minor = FUSE_KERNEL_MINOR_VERSION,
                          .max_read = 4096,
                          .max_write = 4096,
                          .dev_major = (uint32_t)atoi(argv[1]),
                          .dev_minor = (uint32_t)atoi(argv[2])}};
        int n = snprintf(body.name, sizeof(body.name), "DEVNAME=%s", argv[3]);

        return answer(fd, unique, 0, &body, sizeof(body.init) + (size_t)n + 1);
}

static int serve(int fd, const struct fuse_in_header *header, const char *text)
{
        const struct fuse_read_in *read_in = (const void *)(header + 1);
        const struct fuse_open_out opened = {.open_flags = FOPEN_DIRECT_IO};
        size_t length = strlen(text), n;

        switch (header->opcode) {
        case FUSE_OPEN:
                return answer(fd, header->unique, 0, &opened, sizeof(opened));
        case FUSE_READ:
                n = read_in->offset < length ? length - (size_t)read_in->offset : 0;
                return answer(fd, header->unique, 0, text + length - n, n < read_in->size ? n : read_in->size);
        case FUSE_RELEASE:
        case FUSE_FLUSH:
                return answer(fd, header->unique, 0, NULL, 0);
        case FUSE_INTERRUPT:
                return 0;
        default:
                return answer(fd, header->unique, -ENOSYS, NULL, 0);
        }
}

int main(int argc, char **argv)
{
        const struct fuse_in_header *header = (const void *)request;
        int fd = open("/dev/cuse", O_RDWR | O_CLOEXEC), r = 0;

        if (argc != 5 || fd < 0)
                return fprintf(stderr, "cuse-device MAJOR MINOR NAME TEXT; /dev/cuse: %m\n"), 2;
        while (r == 0) {
                ssize_t n = read(fd, request, sizeof(request));

                if (n < (ssize_t)sizeof(*header))
                        return fprintf(stderr, "read from /dev/cuse: %m\n"), 1;
                if (header->opcode == CUSE_INIT)
                        r = register_device(fd, header->unique, argv);
                else
                        r = serve(fd, header, argv[4]);
        }
        return fprintf(stderr, "write to /dev/cuse: %s\n", strerror(-r)), 1;
}
