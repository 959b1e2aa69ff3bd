/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * uevent.c - what the kernel says of its devices.  See uevent.h.
 */
#include "kernel/uevent.h"

#include "base/cleanup.h"

#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>

#define GROUP_KERNEL 1
#define MESSAGE_MAX 8192 /* the kernel's own bound is 2048 bytes of variables behind a path */

int uevent_open(struct croft_error *err)
{
        _cleanup_close_ int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);
        struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = GROUP_KERNEL};

        if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
                return croft_error_set(err, errno, "listen to the kernel's device events");
        return TAKE_FD(fd);
}

bool uevent_is_of(const char *message, size_t size, const char *subsystem)
{
        static const char key[] = "SUBSYSTEM=";

        for (size_t at = 0; at < size;) {
                const char *field = message + at;
                size_t length = strnlen(field, size - at);

                if (length == size - at)
                        return false; /* not ended: cut off */
                if (length > strlen(key) && memcmp(field, key, strlen(key)) == 0)
                        return strcmp(field + strlen(key), subsystem) == 0;
                at += length + 1;
        }
        return false;
}

static unsigned int about(const char *message, size_t size, const char *const *subsystems, size_t n)
{
        unsigned int ret = 0;

        for (size_t i = 0; i < n; i++)
                if (uevent_is_of(message, size, subsystems[i]))
                        ret |= 1u << i;
        return ret;
}

unsigned int uevent_take(int fd, const char *const *subsystems, size_t n)
{
        unsigned int ret = 0;

        for (;;) {
                char buf[MESSAGE_MAX];
                struct sockaddr_nl from = {.nl_pid = 1};
                socklen_t size = sizeof(from);
                ssize_t got = recvfrom(fd, buf, sizeof(buf), MSG_TRUNC, (struct sockaddr *)&from, &size);

                if (got < 0 && errno == EINTR)
                        continue;
                if (got < 0)
                        return errno == ENOBUFS ? ~0u : ret; /* lost some: better look */
                if (from.nl_pid == 0 && (size_t)got <= sizeof(buf))
                        ret |= about(buf, (size_t)got, subsystems, n);
        }
}
