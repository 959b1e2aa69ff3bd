/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * copy.c - copies the tree below a folder into a sink, with hard links, holes left out, and attributes.
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "image/sink.h"

#include <linux/openat2.h>
#include <search.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#define CHUNK 131072
#define STRICT (RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV)

/* A file with several names, by its inode: later names become hard links to the first. */
struct known {
        dev_t dev;
        ino_t ino;
        char *name;
};

struct copying {
        struct sink *s;
        void *known; /* tsearch(3) tree of struct known */
        char *buf;
        unsigned depth;
};

static int by_inode(const void *a, const void *b)
{
        const struct known *x = a, *y = b;

        if (x->dev != y->dev)
                return x->dev < y->dev ? -1 : 1;
        return x->ino == y->ino ? 0 : x->ino < y->ino ? -1 : 1;
}

static void known_free(void *p)
{
        struct known *known = p;

        free(known->name);
        free(known);
}

/* The first name of the file; *ret NULL: this is it, now noted. */
static int look_up(struct copying *c, const struct stat *st, const char *name, const char **ret)
{
        struct known key = {.dev = st->st_dev, .ino = st->st_ino}, *fresh;
        void *found = tfind(&key, &c->known, by_inode);

        *ret = NULL;
        if (found) {
                *ret = (*(struct known **)found)->name;
                return 0;
        }
        fresh = malloc(sizeof(*fresh));
        if (!fresh)
                return -ENOMEM;
        *fresh = (struct known){st->st_dev, st->st_ino, strdup(name)};
        if (!fresh->name || !tsearch(fresh, &c->known, by_inode)) {
                known_free(fresh);
                return -ENOMEM;
        }
        return 0;
}

static int copy_data(struct copying *c, int from, int to, const struct item *item, struct croft_error *err)
{
        off_t at = 0;

        while ((uint64_t)at < item->size) {
                off_t data = lseek(from, at, SEEK_DATA);
                ssize_t n;

                if (data < 0 && errno == ENXIO)
                        return 0; /* a hole up to the end */
                at = data < 0 ? at : data;
                n = pread(from, c->buf, CHUNK, at);
                if (n < 0)
                        return sink_fail(err, errno, "read", item->name);
                if (n == 0)
                        return 0;
                if ((uint64_t)n > item->size - (uint64_t)at)
                        n = (ssize_t)(item->size - (uint64_t)at); /* it grew meanwhile */
                if (sink_write(c->s, to, item, (uint64_t)at, c->buf, (size_t)n, err) < 0)
                        return -EIO;
                at += n;
        }
        return 0;
}

static int copy_xattrs(int from, int to, const struct item *item, struct croft_error *err)
{
        char names[4096], value[4096];
        ssize_t size = flistxattr(from, names, sizeof(names));

        for (const char *name = names; size > 0 && name < names + size; name += strlen(name) + 1) {
                ssize_t n = fgetxattr(from, name, value, sizeof(value));
                int r = n < 0 ? 0 : sink_xattr(to, item, name, value, (size_t)n, err);

                if (r < 0)
                        return r;
        }
        return 0;
}

static int copy_file(struct copying *c, int dir, const char *base, struct item *item, struct croft_error *err)
{
        _cleanup_close_ int from = fd_open2(dir, base, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, STRICT), to = -EBADF;
        struct stat st;
        int r;

        if (from < 0)
                return sink_fail(err, from, "open", item->name);
        if (fstat(from, &st) < 0 || !S_ISREG(st.st_mode))
                return sink_refuse(err, item->name, "changes while it is copied");
        to = sink_file(c->s, item, err);
        if (to < 0)
                return to;
        r = copy_data(c, from, to, item, err);
        if (r == 0)
                r = sink_file_end(c->s, to, item, err);
        return r < 0 ? r : copy_xattrs(from, to, item, err);
}

static int copy_link(struct copying *c, int dir, const char *base, const struct item *item, struct croft_error *err)
{
        char target[4096];
        ssize_t n = readlinkat(dir, base, target, sizeof(target) - 1);

        if (n < 0 || n >= (ssize_t)sizeof(target) - 1)
                return sink_fail(err, n < 0 ? errno : ENAMETOOLONG, "read link", item->name);
        target[n] = '\0';
        return sink_symlink(c->s, item, target, err);
}

static int copy_folder(struct copying *c, int dir, const struct item *item, struct croft_error *err);

static int copy_below(struct copying *c, int dir, const char *base, const struct item *item, struct croft_error *err)
{
        int fd = fd_open2(dir, base, O_RDONLY | O_DIRECTORY, 0, STRICT), r;

        if (fd == -EXDEV)
                return sink_refuse(err, item->name, "is a mount point");
        if (fd < 0)
                return sink_fail(err, fd, "open", item->name);
        r = copy_folder(c, fd, item, err);
        close_fd(fd);
        return r;
}

static int copy_entry(
        struct copying *c, int dir, const char *base, struct item *item, const struct stat *st, struct croft_error *err)
{
        const char *first = NULL;
        int r;

        if (!S_ISDIR(st->st_mode) && st->st_nlink > 1) {
                r = look_up(c, st, item->name, &first);
                if (r < 0)
                        return sink_fail(err, r, "copy", item->name);
        }
        if (first)
                item->size = 0;
        r = sink_admit(c->s, item, err);
        if (r < 0)
                return r;
        if (first)
                return sink_hard_link(c->s, item, first, err);
        if (S_ISREG(st->st_mode))
                return copy_file(c, dir, base, item, err);
        if (S_ISDIR(st->st_mode))
                return copy_below(c, dir, base, item, err);
        if (S_ISLNK(st->st_mode))
                return copy_link(c, dir, base, item, err);
        return sink_special(c->s, item, err);
}

static int name_entry(
        const char *folder, const char *base, const struct stat *st, struct item *item, struct croft_error *err)
{
        char name[2 * ENTRY_NAME_MAX];
        const char *why;

        (void)snprintf(name, sizeof(name), "%s%s%s", folder, folder[0] ? "/" : "", base);
        why = entry_name(name, item->name);
        if (why)
                return sink_refuse(err, name, why);
        item->mode = st->st_mode;
        item->uid = st->st_uid;
        item->gid = st->st_gid;
        item->mtime = st->st_mtim;
        item->size = (uint64_t)st->st_size;
        return 0;
}

static int copy_folder(struct copying *c, int dir, const struct item *item, struct croft_error *err)
{
        _cleanup_closedir_ DIR *stream = NULL;
        _cleanup_free_ struct item *below = malloc(sizeof(*below)); /* not on the stack: this recurses */
        const struct dirent *entry;
        int fd = fd_dup(dir), r;

        stream = fd < 0 ? NULL : fdopendir(fd);
        if (!stream || !below) {
                if (!stream)
                        close_fd(fd);
                return sink_fail(err, ENOMEM, "read folder", item->name);
        }
        r = sink_folder(c->s, item, err);
        while (r == 0 && (entry = readdir(stream))) {
                struct stat st;

                if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
                        continue;
                if (fstatat(dir, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                        return sink_fail(err, errno, "look at an entry of", item->name);
                r = name_entry(item->name, entry->d_name, &st, below, err);
                if (r == 0)
                        r = copy_entry(c, dir, entry->d_name, below, &st, err);
        }
        return r;
}

int copy_tree(struct sink *s, int source, struct croft_error *err)
{
        struct copying c = {.s = s, .buf = malloc(CHUNK)};
        _cleanup_free_ struct item *root = calloc(1, sizeof(*root));
        _cleanup_close_ int dir = openat(source, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        struct stat st;
        int r;

        if (dir < 0 || fstat(dir, &st) < 0)
                r = croft_error_set(err, errno, "open the folder");
        else if (!c.buf || !root)
                r = croft_error_set(err, ENOMEM, "copy the folder");
        else {
                r = name_entry("", ".", &st, root, err);
                if (r == 0)
                        r = sink_admit(s, root, err);
                if (r == 0)
                        r = copy_folder(&c, dir, root, err);
        }
        tdestroy(c.known, known_free);
        free(c.buf);
        return r;
}
