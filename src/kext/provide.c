/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * provide.c - puts an extension into a partition's tree, where there is none or in the place of an older generation.
 * See provide.h.
 *
 * Done as root of the partition, without a capability: what that one couldn't do there can't be done by this.  A file
 * that isn't the older generation any more, byte for byte, stays as it is.
 */
#include "kext/provide.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "kext/bytes.h"

#include <grp.h>
#include <linux/openat2.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#define STRICT (RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV)
#define IN_ROOT (RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV)
#define HALF ".croft-kext.new"

int provide_confine(uid_t uid, struct croft_error *err)
{
        pid_t parent = getppid();

        if (setgroups(0, NULL) < 0 || setresgid(uid, uid, uid) < 0 || setresuid(uid, uid, uid) < 0 ||
                prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ||
                prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
                return croft_error_set(err, errno, "become root of the partition");
        return getppid() == parent ? 0 : croft_error_set(err, ESRCH, "become root of the partition");
}

static int write_new(int dir, int bytes, mode_t mode, struct croft_error *err)
{
        _cleanup_close_ int fd = openat(dir, HALF, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        struct stat st;
        off_t at = 0;

        if (fd < 0 || fstat(bytes, &st) < 0)
                return croft_error_set(err, errno, "make a file beside it");
        while (at < st.st_size)
                if (sendfile(fd, bytes, &at, (size_t)(st.st_size - at)) <= 0)
                        return croft_error_set(err, errno ? errno : EIO, "write it");
        if (fchmod(fd, mode & 0777) < 0 || fsync(fd) < 0)
                return croft_error_set(err, errno, "write it");
        return bytes_are_same(fd, bytes) ? 0 : croft_error_set(err, EIO, "what was written isn't what is there.");
}

static int replace(int dir, const char *name, int old, int bytes, struct croft_error *err)
{
        _cleanup_close_ int fd = fd_open2(dir, name, O_RDONLY | O_NONBLOCK, 0, STRICT);
        struct stat st;
        int r;

        if (fd < 0 || fstat(fd, &st) < 0)
                return croft_error_set(err, fd < 0 ? fd : -errno, "open it");
        if (!S_ISREG(st.st_mode) || !bytes_are_same(fd, old))
                return croft_error_set(err, ESTALE, "it has changed since it was found.");
        (void)unlinkat(dir, HALF, 0); /* of one that died */
        r = write_new(dir, bytes, st.st_mode, err);
        if (r == 0 && renameat(dir, HALF, dir, name) < 0)
                r = croft_error_set(err, errno, "put it in its place");
        if (r < 0)
                (void)unlinkat(dir, HALF, 0);
        else
                (void)fsync(dir); /* else it is the old one after the power failed */
        return r;
}

/* A copy of the path: its folder, "" for the root itself, and behind that *ret_name.  NULL: there is no memory. */
static char *split(const char *path, const char **ret_name, struct croft_error *err)
{
        char *copy, *slash;

        if (asprintf(&copy, "/%s", path + strspn(path, "/")) < 0) {
                croft_error_set(err, ENOMEM, "provide it");
                return NULL;
        }
        slash = strrchr(copy, '/');
        *slash = '\0';
        *ret_name = slash + 1;
        return copy;
}

int provide(int root, const char *path, int old, int bytes, struct croft_error *err)
{
        const char *name;
        _cleanup_free_ char *folder = split(path, &name, err);
        _cleanup_close_ int dir = -EBADF;

        if (!folder)
                return -ENOMEM;
        dir = fd_open2(root, folder[0] ? folder + 1 : ".", O_RDONLY | O_DIRECTORY, 0, STRICT);
        if (dir < 0)
                return croft_error_set(err, dir, "open its folder");
        return replace(dir, name, old, bytes, err);
}

/* --- where there is none --- */

/* Opens the folder, made where it isn't there; links in it lead to where they do inside. */
static int make_folder(int root, char *folder, struct croft_error *err)
{
        int fd = fd_open2(root, ".", O_RDONLY | O_DIRECTORY, 0, IN_ROOT);

        for (char *slash = folder; slash && fd >= 0;) {
                _cleanup_close_ int parent = fd;

                slash = strchr(slash, '/');
                if (slash)
                        *slash = '\0';
                fd = fd_open2(root, folder, O_RDONLY | O_DIRECTORY, 0, IN_ROOT);
                if (fd == -ENOENT &&
                        (mkdirat(parent, strrchr(folder, '/') ? strrchr(folder, '/') + 1 : folder, 0755) == 0 ||
                                errno == EEXIST))
                        fd = fd_open2(root, folder, O_RDONLY | O_DIRECTORY, 0, IN_ROOT);
                if (slash)
                        *slash++ = '/';
        }
        if (fd == -EXDEV)
                return croft_error_set(err, fd, "its folder is in another mount.");
        return fd < 0 ? croft_error_set(err, fd, "make its folder") : fd;
}

/* Whatever has its name stays. */
static int put_first(int dir, const char *name, int bytes, struct croft_error *err)
{
        _cleanup_close_ int fd = -EBADF;
        struct stat st;
        int r, failed;

        (void)unlinkat(dir, HALF, 0); /* of one that died */
        r = write_new(dir, bytes, 0644, err);
        if (r == 0 && renameat2(dir, HALF, dir, name, RENAME_NOREPLACE) == 0) {
                (void)fsync(dir);
                return 0;
        }
        failed = errno;
        (void)unlinkat(dir, HALF, 0);
        if (r < 0)
                return r;
        r = -failed;
        fd = r == -EEXIST ? fd_open2(dir, name, O_RDONLY | O_NONBLOCK, 0, STRICT) : -EBADF;
        if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && bytes_are_same(fd, bytes))
                return 0;
        if (r == -EEXIST)
                return croft_error_set(err, r, "there is something else already.");
        return croft_error_set(err, r, "put it in its place");
}

int provide_first(int root, const char *path, int bytes, struct croft_error *err)
{
        const char *name;
        _cleanup_free_ char *folder = split(path, &name, err);
        _cleanup_close_ int dir = -EBADF;

        if (!folder)
                return -ENOMEM;
        dir = make_folder(root, folder[0] ? folder + 1 : NULL, err);
        return dir < 0 ? dir : put_first(dir, name, bytes, err);
}
