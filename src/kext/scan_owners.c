/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * scan_owners.c - which package of a partition has a file, by dpkg's lists.  See scan.h.
 *
 * Only a name for people: the lists are the partition's own (KID-18).  /lib and /usr/lib are one in lists, whichever of
 * them is a link.
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/str.h"
#include "kext/scan.h"

#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>

#define LISTS_MAX 20000
#define LIST_MAX ((size_t)16 << 20)
#define IN_ROOT (RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV)

static const char *plain(const char *path)
{
        return str_has_prefix(path, "/usr/") ? path + 4 : path;
}

static int compare(const void *a, const void *b)
{
        const struct scan_path *x = a, *y = b;

        return strcmp(plain(x->path), plain(y->path));
}

/* "linux-image-6.1.0-18-amd64.list", "libc6:amd64.list" */
static bool package_of(const char *file, char name[128])
{
        size_t n = strspn(file, "abcdefghijklmnopqrstuvwxyz0123456789+-.");
        const char *rest = file + n;

        if (*rest == ':') {
                rest = strrchr(file, '.');
                if (!rest || strcmp(rest, ".list") != 0)
                        return false;
        } else if (n > 5 && *rest == '\0' && strcmp(file + n - 5, ".list") == 0) {
                n -= 5;
        } else {
                return false;
        }
        if (n == 0 || n >= 128)
                return false;
        memcpy(name, file, n);
        name[n] = '\0';
        return true;
}

int scan_open(int root, const char *path, int flags)
{
        return fd_open2(root, path, flags, 0, IN_ROOT);
}

char *scan_read(int dir, const char *file, size_t max)
{
        _cleanup_close_ int fd = scan_open(dir, file, O_RDONLY | O_NONBLOCK | O_NOCTTY);
        _cleanup_free_ char *text = NULL;
        size_t used = 0;
        struct stat st;
        ssize_t n;

        if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size <= 0 || (size_t)st.st_size > max)
                return NULL;
        text = malloc((size_t)st.st_size + 1);
        if (!text)
                return NULL;
        while (used < (size_t)st.st_size && (n = pread(fd, text + used, (size_t)st.st_size - used, (off_t)used)) > 0)
                used += (size_t)n;
        text[used] = '\0';
        return TAKE(text);
}

static void look_into(
        char *text, const char *package, struct scan_path *paths, size_t n, const struct scan_listener *listener)
{
        char *save = NULL;

        for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
                const struct scan_path key = {.path = line};
                struct scan_path *found;

                if (line[0] != '/' || !kext_is_file_name(line))
                        continue;
                found = bsearch(&key, paths, n, sizeof(*paths), compare);
                if (found)
                        listener->belongs(listener->context, found->finding, package);
        }
}

void scan_owners(int root, struct scan_path *paths, size_t n, const struct scan_listener *listener,
        bool (*ends)(void *context), void *context)
{
        int fd = n ? scan_open(root, "var/lib/dpkg/info", O_RDONLY | O_DIRECTORY) : -EBADF;
        _cleanup_closedir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
        const struct dirent *entry;
        unsigned int lists = 0;
        char package[128];

        if (!dir) {
                close_fd(fd);
                return;
        }
        qsort(paths, n, sizeof(*paths), compare);
        while (!ends(context) && lists < LISTS_MAX && (entry = readdir(dir))) {
                _cleanup_free_ char *text = NULL;

                lists++;
                if (!package_of(entry->d_name, package))
                        continue;
                text = scan_read(dirfd(dir), entry->d_name, LIST_MAX);
                if (text)
                        look_into(text, package, paths, n, listener);
        }
}
