/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * scan_owners.c - which package of a partition has a file, by the lists of dpkg, apk and pacman.  See scan.h.
 *
 * Only a name for people: the lists are the partition's own (KID-18).  /lib and /usr/lib are one in lists, whichever of
 * them is a link.  rpm's database isn't read: it is no text.
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/str.h"
#include "kext/scan.h"

#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>

#define NAME_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@._+-"
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

/* What a package may be called, with any of these managers. */
static bool take_name(const char *from, size_t n, char name[128])
{
        if (n == 0 || n >= 128 || strspn(from, NAME_CHARS) < n)
                return false;
        memcpy(name, from, n);
        name[n] = '\0';
        return true;
}

/* "linux-image-6.1.0-18-amd64.list", "libc6:amd64.list" */
static bool package_of_list(const char *file, char name[128])
{
        size_t n = strlen(file);

        return n > 5 && strcmp(file + n - 5, ".list") == 0 &&
               take_name(file, strcspn(file, ":") < n ? strcspn(file, ":") : n - 5, name);
}

/* "linux-lts-6.6.1-1": without version and release. */
static bool package_of_folder(const char *folder, char name[128])
{
        const char *end = strrchr(folder, '-');

        while (end && --end > folder && *end != '-')
                ;
        return end && end > folder && take_name(folder, (size_t)(end - folder), name);
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

struct owners {
        struct scan_path *paths; /* sorted */
        size_t n;
        const struct scan_listener *listener;
        bool (*ends)(void *context);
        void *context;
};

static void note(const struct owners *o, const char *path, const char *package)
{
        const struct scan_path key = {.path = path};
        const struct scan_path *found;

        if (path[0] != '/' || !kext_is_file_name(path))
                return;
        found = bsearch(&key, o->paths, o->n, sizeof(*o->paths), compare);
        if (found)
                o->listener->belongs(o->listener->context, found->finding, package);
}

/* A path in each line; pacman's begin without '/'. */
static void read_paths(const struct owners *o, char *text, const char *package)
{
        char *save = NULL, path[KEXT_PATH_MAX + 2];

        for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
                if (snprintf(path, sizeof(path), "%s%s", line[0] == '/' ? "" : "/", line) < (int)sizeof(path))
                        note(o, path, package);
}

/* "P:package", and of each of its folders "F:lib/modules", with "R:file" for what is in it. */
static void read_apk(const struct owners *o, char *text)
{
        char *save = NULL, package[128] = "", path[KEXT_PATH_MAX + 2];
        const char *folder = "";

        for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
                if (str_has_prefix(line, "P:") && !take_name(line + 2, strlen(line + 2), package))
                        package[0] = '\0';
                else if (str_has_prefix(line, "F:"))
                        folder = line + 2;
                else if (str_has_prefix(line, "R:") && package[0] &&
                         snprintf(path, sizeof(path), "/%s%s%s", folder, folder[0] ? "/" : "", line + 2) <
                                 (int)sizeof(path))
                        note(o, path, package);
        }
}

/* A file for each package in a folder: its own name, or what is in a folder of its own. */
static void read_each(const struct owners *o, int root, const char *where,
        bool (*package_of)(const char *entry, char name[128]), const char *file)
{
        int fd = scan_open(root, where, O_RDONLY | O_DIRECTORY);
        _cleanup_closedir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
        const struct dirent *entry;
        char package[128], path[300];

        if (!dir) {
                close_fd(fd);
                return;
        }
        for (unsigned int i = 0; !o->ends(o->context) && i < LISTS_MAX && (entry = readdir(dir)); i++) {
                _cleanup_free_ char *text = NULL;

                if (!package_of(entry->d_name, package))
                        continue;
                (void)snprintf(path, sizeof(path), "%s%s", entry->d_name, file);
                text = scan_read(dirfd(dir), path, LIST_MAX);
                if (text)
                        read_paths(o, text, package);
        }
}

void scan_owners(int root, struct scan_path *paths, size_t n, const struct scan_listener *listener,
        bool (*ends)(void *context), void *context)
{
        const struct owners o = {paths, n, listener, ends, context};
        _cleanup_free_ char *apk = NULL;

        if (n == 0)
                return;
        qsort(paths, n, sizeof(*paths), compare);
        read_each(&o, root, "var/lib/dpkg/info", package_of_list, "");
        read_each(&o, root, "var/lib/pacman/local", package_of_folder, "/files");
        apk = scan_read(root, "lib/apk/db/installed", LIST_MAX);
        if (apk)
                read_apk(&o, apk);
}
