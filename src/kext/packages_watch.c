/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * packages_watch.c - croft-kext has the databases of packages in a partition's tree watched.  See packages.h.
 *
 * Each watch tells once: whoever writes there without end makes nobody run.  Where there is no such directory, the one
 * that it would be made in is watched.
 */
#include "kext/packages.h"

#include "base/cleanup.h"
#include "base/fd.h"

#include <string.h>
#include <sys/inotify.h>

#define ONCE (IN_ONESHOT | IN_ONLYDIR | IN_DELETE_SELF | IN_MOVE_SELF)
#define DATABASE (ONCE | IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CLOSE_WRITE)
#define ABOVE (ONCE | IN_CREATE | IN_MOVED_TO)
#define TRIES 5

/* Opens the directory, or the nearest above it that there is; *ret_n: how much of the path that is. */
static int open_nearest(int root, const char *path, size_t *ret_n)
{
        _cleanup_free_ char *part = strdup(path);
        int fd = part ? packages_open(root, part) : -ENOMEM;

        while (fd == -ENOENT && part[0]) {
                char *slash = strrchr(part, '/');

                *(slash ? slash : part) = '\0';
                fd = packages_open(root, part[0] ? part : ".");
        }
        *ret_n = part ? strlen(part) : 0;
        return fd;
}

/* By the working directory: a descriptor has no name in here. */
static int add_watch(int inotify, int directory, uint32_t mask)
{
        int r = fchdir(directory) < 0 ? -1 : inotify_add_watch(inotify, ".", mask);

        return r < 0 ? -errno : r;
}

/* The watch, or negative: there can't be one.  It may be made meanwhile: then what is nearest is looked for again. */
static int watch(int root, int inotify, const char *path)
{
        size_t n = strlen(path), nearest, again;
        int number = -ENOENT;

        for (int i = 0; i < TRIES; i++) {
                _cleanup_close_ int fd = open_nearest(root, path, &nearest), fd_again = -EBADF;

                if (fd < 0)
                        return fd;
                number = add_watch(inotify, fd, nearest == n ? DATABASE : ABOVE);
                fd_again = open_nearest(root, path, &again);
                if (again == nearest)
                        break;
        }
        return number;
}

int packages_watch(int root, int inotify, struct kext_look *ret, struct croft_error *err)
{
        struct kext_look look = {.n = 0};

        _Static_assert(PACKAGES_DATABASES <= KEXT_WATCHES_MAX, "each may be watched");
        for (size_t i = 0; i < PACKAGES_DATABASES; i++) {
                int r = watch(root, inotify, packages_databases[i].directory);

                if (r == -ENOSPC)
                        return croft_error_set(err, ENOSPC,
                                "the kernel watches no more directories (/proc/sys/fs/inotify/max_user_watches).");
                if (r > 0)
                        look.watches[look.n++] = r;
        }
        *ret = look;
        return 0;
}
