/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * sink.c - writes checked entries below the target.  See sink.h.
 *
 * Runs in the worker: even so nothing relies on the sandbox, each name is walked with openat2(2), no link followed.
 */
#include "image/sink.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/str.h"

#include <inttypes.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#define STRICT (RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV)
#define SAY_EVERY (64ULL << 20)

struct folder_time {
        char *name;
        struct timespec mtime;
};

int sink_refuse(struct croft_error *err, const char *name, const char *why)
{
        char quoted[512];

        return croft_error_set(
                err, EILSEQ, "entry '%s' %s.", str_escape(quoted, sizeof(quoted), name, strlen(name)), why);
}

int sink_fail(struct croft_error *err, int code, const char *what, const char *name)
{
        char quoted[512];

        return croft_error_set(err, code, "%s '%s'", what, str_escape(quoted, sizeof(quoted), name, strlen(name)));
}

/* Opens a folder by its checked name; missing ones are made, as an archive may leave them out. */
static int open_folder(struct sink *s, const char *folder, bool make)
{
        const char *path = folder[0] ? folder : ".";
        int fd = fd_open2(s->root, path, O_PATH | O_DIRECTORY, 0, STRICT);

        if (fd == -ENOENT && make) {
                struct croft_error err = CROFT_ERROR_INIT;
                int r = fd_make_dirs(s->root, path, 0755, &err);

                fd = r < 0 ? r : fd_open2(s->root, path, O_PATH | O_DIRECTORY, 0, STRICT);
        }
        return fd;
}

static void forget_folder(struct sink *s)
{
        s->folder_fd = close_fd(s->folder_fd);
}

/* The folder of name, kept open for the next entry; *ret_base is the last part. */
static int enter_folder(struct sink *s, const char *name, const char **ret_base, struct croft_error *err)
{
        char folder[ENTRY_NAME_MAX];

        *ret_base = entry_base(name, folder);
        if (s->folder_fd >= 0 && strcmp(folder, s->folder) == 0)
                return s->folder_fd;
        forget_folder(s);
        s->folder_fd = open_folder(s, folder, true);
        if (s->folder_fd == -ELOOP || s->folder_fd == -ENOTDIR)
                return sink_refuse(err, name, "lies below a link or file, not a folder");
        if (s->folder_fd < 0)
                return sink_fail(err, s->folder_fd, "open the folder of", name);
        memcpy(s->folder, folder, strlen(folder) + 1);
        return s->folder_fd;
}

static void tell(struct sink *s)
{
        char text[64];

        if (!s->say || s->bytes - s->said < SAY_EVERY)
                return;
        s->said = s->bytes;
        (void)snprintf(text, sizeof(text), "unpacked %" PRIu64 " MB", s->bytes >> 20);
        s->say(text);
}

int sink_admit(struct sink *s, const struct item *item, struct croft_error *err)
{
        if (++s->entries > s->max_entries)
                return sink_refuse(err, item->name, "is one too many: there are more entries than an image may have");
        if (item->uid > 65535 || item->gid > 65535)
                return sink_refuse(err, item->name, "belongs to an id above 65535");
        if (S_ISREG(item->mode)) {
                if (item->size > s->max_bytes || s->bytes > s->max_bytes - item->size)
                        return sink_refuse(err, item->name, "is too big: with it the image exceeds what one may have");
                s->bytes += item->size;
        }
        tell(s);
        return 0;
}

/* Owner first: chown clears the set-id bits and capabilities. */
static int set_owner(int fd, const struct item *item)
{
        if (fchown(fd, (uid_t)item->uid, (gid_t)item->gid) < 0 || fchmod(fd, item->mode & 07777) < 0)
                return -errno;
        return 0;
}

static void split_times(const struct item *item, struct timespec times[2])
{
        times[0] = (struct timespec){.tv_nsec = UTIME_OMIT};
        times[1] = item->mtime;
}

static int keep_time(struct sink *s, const struct item *item)
{
        char *name;

        if (s->n_times == s->room) {
                size_t room = s->room ? s->room * 2 : 256;
                struct folder_time *p = reallocarray(s->times, room, sizeof(*p));

                if (!p)
                        return -ENOMEM;
                s->times = p;
                s->room = room;
        }
        name = strdup(item->name);
        if (!name)
                return -ENOMEM;
        s->times[s->n_times++] = (struct folder_time){name, item->mtime};
        return 0;
}

/* Takes away what has the name already.  Of folders only empty ones, except where a layer replaces them. */
static int make_room(struct sink *s, int folder, const char *base, const struct item *item, struct croft_error *err)
{
        if (unlinkat(folder, base, 0) == 0 || errno == ENOENT)
                return 0;
        if (errno != EISDIR && errno != EPERM)
                return sink_fail(err, errno, "replace", item->name);
        if (unlinkat(folder, base, AT_REMOVEDIR) == 0)
                return 0;
        if (!s->layer)
                return sink_refuse(err, item->name, "would replace a folder that isn't empty");
        return fd_remove_tree(folder, base, err);
}

int sink_open_folder(struct sink *s, const char *name)
{
        return fd_open2(s->root, name[0] ? name : ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, STRICT);
}

static int make_folder(struct sink *s, const struct item *item, struct croft_error *err)
{
        const char *base;
        struct stat st;
        int folder, r;

        if (item->name[0] == '\0')
                return 0;
        folder = enter_folder(s, item->name, &base, err);
        if (folder < 0)
                return folder;
        if (mkdirat(folder, base, 0700) == 0)
                return 0;
        if (errno != EEXIST)
                return sink_fail(err, errno, "make folder", item->name);
        if (fstatat(folder, base, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode))
                return 0;
        r = make_room(s, folder, base, item, err);
        if (r == 0 && mkdirat(folder, base, 0700) < 0)
                r = sink_fail(err, errno, "make folder", item->name);
        return r;
}

int sink_folder(struct sink *s, const struct item *item, struct croft_error *err)
{
        _cleanup_close_ int fd = -EBADF;
        int r = make_folder(s, item, err);

        if (r < 0)
                return r;
        fd = sink_open_folder(s, item->name);
        r = fd < 0 ? fd : set_owner(fd, item);
        if (r == 0)
                r = keep_time(s, item);
        return r < 0 ? sink_fail(err, r, "make folder", item->name) : 0;
}

/* The folder of an entry that isn't one, with the name free. */
static int prepare(struct sink *s, const struct item *item, const char **ret_base, struct croft_error *err)
{
        int folder, r;

        if (item->name[0] == '\0')
                return sink_refuse(err, ".", "is the root, and no folder");
        folder = enter_folder(s, item->name, ret_base, err);
        if (folder < 0)
                return folder;
        r = make_room(s, folder, *ret_base, item, err);
        return r < 0 ? r : folder;
}

int sink_symlink(struct sink *s, const struct item *item, const char *target, struct croft_error *err)
{
        struct timespec times[2];
        const char *base;
        int folder = prepare(s, item, &base, err);

        if (folder < 0)
                return folder;
        if (!target[0])
                return sink_refuse(err, item->name, "is a link to nothing");
        split_times(item, times);
        if (symlinkat(target, folder, base) < 0 ||
                fchownat(folder, base, (uid_t)item->uid, (gid_t)item->gid, AT_SYMLINK_NOFOLLOW) < 0 ||
                utimensat(folder, base, times, AT_SYMLINK_NOFOLLOW) < 0)
                return sink_fail(err, errno, "make link", item->name);
        return 0;
}

int sink_hard_link(struct sink *s, const struct item *item, const char *target, struct croft_error *err)
{
        char name[ENTRY_NAME_MAX], folder[ENTRY_NAME_MAX];
        _cleanup_close_ int from = -EBADF;
        const char *base, *from_base;
        struct stat st;
        int to;

        if (entry_name(target, name) || !name[0])
                return sink_refuse(err, item->name, "is a hard link to a name that leads outside");
        if (strcmp(name, item->name) == 0)
                return sink_refuse(err, item->name, "is a hard link to itself");
        from_base = entry_base(name, folder);
        from = open_folder(s, folder, false);
        if (from < 0 || fstatat(from, from_base, &st, AT_SYMLINK_NOFOLLOW) < 0 || S_ISDIR(st.st_mode))
                return sink_refuse(err, item->name, "is a hard link to what isn't a file of the archive");
        to = prepare(s, item, &base, err);
        if (to < 0)
                return to;
        if (linkat(from, from_base, to, base, 0) < 0)
                return sink_fail(err, errno, "make hard link", item->name);
        return 0;
}

static bool is_dev(const char *name)
{
        const char *base = str_has_prefix(name, "rootfs/") ? name + 7 : name;

        return str_has_prefix(base, "dev/") && !strchr(base + 4, '/');
}

int sink_special(struct sink *s, const struct item *item, struct croft_error *err)
{
        struct timespec times[2];
        const char *base;
        int folder;

        if (S_ISCHR(item->mode) || S_ISBLK(item->mode)) {
                if (!is_dev(item->name))
                        return sink_refuse(err, item->name, "is a device node");
                s->nodes++;
                return 0;
        }
        if (!S_ISFIFO(item->mode))
                return sink_refuse(err, item->name, "is of a kind that an image can't hold");
        folder = prepare(s, item, &base, err);
        if (folder < 0)
                return folder;
        split_times(item, times);
        if (mknodat(folder, base, S_IFIFO | 0600, 0) < 0 ||
                fchownat(folder, base, (uid_t)item->uid, (gid_t)item->gid, AT_SYMLINK_NOFOLLOW) < 0 ||
                fchmodat(folder, base, item->mode & 07777, 0) < 0 ||
                utimensat(folder, base, times, AT_SYMLINK_NOFOLLOW) < 0)
                return sink_fail(err, errno, "make FIFO", item->name);
        return 0;
}

int sink_file(struct sink *s, const struct item *item, struct croft_error *err)
{
        const char *base = NULL;
        int folder = prepare(s, item, &base, err), fd;

        if (folder < 0)
                return folder;
        fd = openat(folder, base, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        return fd < 0 ? sink_fail(err, errno, "make file", item->name) : fd;
}

int sink_write(struct sink *s, int fd, const struct item *item, uint64_t offset, const void *data, size_t size,
        struct croft_error *err)
{
        const char *p = data;

        (void)s;
        if (offset > item->size || size > item->size - offset)
                return sink_refuse(err, item->name, "holds more than it says");
        while (size > 0) {
                ssize_t n = pwrite(fd, p, size, (off_t)offset);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        return sink_fail(err, n < 0 ? errno : EIO, "write", item->name);
                p += n;
                size -= (size_t)n;
                offset += (uint64_t)n;
        }
        return 0;
}

int sink_xattr(
        int fd, const struct item *item, const char *name, const void *value, size_t size, struct croft_error *err)
{
        /* user.overlay.* means something to the overlay that the layer will be part of. */
        bool wanted = (str_has_prefix(name, "user.") && !str_has_prefix(name, "user.overlay.")) ||
                      strcmp(name, "security.capability") == 0;

        if (!wanted)
                return 0;
        if (fsetxattr(fd, name, value, size, 0) == 0)
                return 0;
        if (errno == EINVAL || errno == ERANGE || errno == E2BIG)
                return sink_refuse(err, item->name, "has an extended attribute that makes no sense");
        return sink_fail(err, errno, "set an extended attribute of", item->name);
}

int sink_file_end(struct sink *s, int fd, const struct item *item, struct croft_error *err)
{
        struct timespec times[2];

        (void)s;
        split_times(item, times);
        if (ftruncate(fd, (off_t)item->size) < 0)
                return sink_fail(err, errno, "write", item->name);
        if (set_owner(fd, item) < 0 || futimens(fd, times) < 0)
                return sink_fail(err, errno, "set the owner of", item->name);
        return 0;
}

static int empty_folder(int folder, const char *name, struct croft_error *err)
{
        _cleanup_closedir_ DIR *dir = NULL;
        const struct dirent *entry;
        int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;

        dir = fd < 0 ? NULL : fdopendir(fd);
        if (!dir) {
                close_fd(fd);
                return sink_fail(err, errno, "empty the folder of", name);
        }
        while (r == 0 && (entry = readdir(dir)))
                if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
                        r = fd_remove_tree(folder, entry->d_name, err);
        return r;
}

int sink_whiteout(struct sink *s, const char *name, struct croft_error *err)
{
        char path[ENTRY_NAME_MAX];
        const char *base = entry_base(name, path);
        _cleanup_close_ int folder = -EBADF;

        if (!str_has_prefix(base, ".wh."))
                return 0;
        if (!base[4] || strcmp(base + 4, ".") == 0 || strcmp(base + 4, "..") == 0)
                return sink_refuse(err, name, "is a whiteout of nothing");
        folder = open_folder(s, path, false);
        if (folder == -ENOENT || folder == -ENOTDIR)
                return 0; /* lower layers have nothing there */
        if (folder == -ELOOP)
                return sink_refuse(err, name, "lies below a link or file, not a folder");
        if (folder < 0)
                return sink_fail(err, folder, "open the folder of", name);
        forget_folder(s);
        if (strcmp(base, ".wh..wh..opq") == 0)
                return empty_folder(folder, name, err);
        return fd_remove_tree(folder, base + 4, err);
}

int sink_end(struct sink *s, struct croft_error *err)
{
        int r = 0;

        forget_folder(s);
        for (size_t i = s->n_times; i-- > 0;) {
                _cleanup_close_ int fd = sink_open_folder(s, s->times[i].name);
                struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, s->times[i].mtime};

                /* A folder may have been replaced by a later entry. */
                if (fd >= 0 && futimens(fd, times) < 0 && r == 0)
                        r = sink_fail(err, errno, "set the time of", s->times[i].name);
                free(s->times[i].name);
        }
        free(s->times);
        s->times = NULL;
        s->n_times = s->room = 0;
        return r;
}
