/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * native_etc.c - /etc of a template: conffiles as shipped, links into what is shared, and files written afresh.
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/str.h"
#include "image/native.h"

#include <dirent.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#define DEPTH_MAX 16 /* folders below /etc */

static bool has_md5(const char *data, size_t size, const char *hex)
{
        unsigned char sum[EVP_MAX_MD_SIZE];
        unsigned int n = 0;
        char text[33];

        if (!EVP_Digest(data, size, sum, &n, EVP_md5(), NULL) || n != 16)
                return false;
        for (unsigned int i = 0; i < n; i++)
                (void)snprintf(text + 2 * i, 3, "%02x", sum[i]);
        return strcmp(text, hex) == 0;
}

struct copying {
        struct native_tree *t;
        struct croft_error *err;
};

/* The sum is made of the very bytes that are written: a file that changes meanwhile can't slip through. */
static int copy_conffile(void *context, const char *path, const char *md5)
{
        struct copying *c = context;
        _cleanup_free_ char *data = NULL;
        struct native_tree *t = c->t;
        struct stat st;
        size_t size;
        int r;

        if (native_is_denied(path)) {
                t->kept++;
                return 0;
        }
        r = native_read(t->host, path, NATIVE_FILE_MAX, &data, &size, &st);
        if (r == -ENOMEM)
                return croft_error_set(c->err, r, "read '/%s'", path);
        if (r < 0 || !(st.st_mode & S_IROTH) || !has_md5(data, size, md5)) {
                t->kept++;
                return 0;
        }
        t->copied++;
        return native_put_file(t, path, data, size,
                &(struct native_owner){.mode = st.st_mode & 0755, .uid = st.st_uid, .gid = st.st_gid}, c->err);
}

int native_copy_conffiles(struct native_tree *t, const char *status, size_t size, struct croft_error *err)
{
        return dpkg_each_conffile(status, size, copy_conffile, &(struct copying){t, err});
}

/* A walk through folders of the host that every user may read; entry() is called for each link and regular file. */
struct walk {
        struct native_tree *t;
        int (*entry)(struct walk *w, const char *path, int dir_fd, const char *name, struct croft_error *err);
        size_t strip; /* length of the prefix that is left out in the template */
};

static int walk_folder(struct walk *w, const char *path, unsigned depth, struct croft_error *err);

static int walk_entry(struct walk *w, DIR *dir, const char *path, unsigned depth, struct croft_error *err)
{
        const struct dirent *entry;
        int r = 0;

        while (r == 0 && (entry = readdir(dir))) {
                _cleanup_free_ char *below = NULL;
                struct stat st;

                if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
                        continue;
                if (fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                        continue; /* gone meanwhile */
                if (asprintf(&below, "%s/%s", path, entry->d_name) < 0)
                        return croft_error_set(err, ENOMEM, "read '/%s'", path);
                if (S_ISDIR(st.st_mode))
                        r = walk_folder(w, below, depth + 1, err);
                else if (S_ISLNK(st.st_mode) || S_ISREG(st.st_mode))
                        r = w->entry(w, below, dirfd(dir), entry->d_name, err);
        }
        return r;
}

/* What a folder that others can't read holds may be a secret down to the names: it is left out. */
static int walk_folder(struct walk *w, const char *path, unsigned depth, struct croft_error *err)
{
        _cleanup_closedir_ DIR *dir = NULL;
        struct stat st;
        int fd;

        fd = depth < DEPTH_MAX ? native_open_dir(w->t->host, path) : -ELOOP;
        if (fd < 0)
                return 0;
        if (fstat(fd, &st) < 0 || (st.st_mode & 05) != 05 || !(dir = fdopendir(fd))) {
                close_fd(fd);
                return 0;
        }
        return walk_entry(w, dir, path, depth, err);
}

static int copy_link(struct walk *w, const char *path, int dir_fd, const char *name, struct croft_error *err)
{
        char target[4096], meaning[4096];
        ssize_t n = readlinkat(dir_fd, name, target, sizeof(target) - 1);

        if (n <= 0 || n >= (ssize_t)sizeof(target) - 1)
                return 0; /* a regular file, or gone */
        target[n] = '\0';
        switch (native_judge_link(path, target)) {
        case NATIVE_LINK_IF_PRESENT:
                if (!native_resolve_link(path, target, meaning, sizeof(meaning)) || !native_exists(w->t->root, meaning))
                        return 0;
                return native_put_link(w->t, path, target, err);
        case NATIVE_LINK_SHARED:
                return native_put_link(w->t, path, target, err);
        default:
                return 0;
        }
}

int native_copy_links(struct native_tree *t, struct croft_error *err)
{
        struct walk w = {.t = t, .entry = copy_link};
        int r = 0;

        /* A second pass finds what links to links; /etc/ssl/certs/<hash>.0 -> name.pem -> /usr/share/... */
        for (int pass = 0; r == 0 && pass < 2; pass++)
                r = walk_folder(&w, "etc", 0, err);
        return r;
}

static int copy_factory_file(struct walk *w, const char *path, int dir_fd, const char *name, struct croft_error *err)
{
        char target[4096];
        ssize_t n = readlinkat(dir_fd, name, target, sizeof(target) - 1);

        if (native_is_denied(path + w->strip) && strcmp(path + w->strip, "etc/hosts") != 0)
                return 0;
        if (n <= 0 || n >= (ssize_t)sizeof(target) - 1)
                return native_copy_public(w->t, path, path + w->strip, err);
        target[n] = '\0';
        return native_judge_link(path + w->strip, target) == NATIVE_LINK_NO
                       ? 0
                       : native_put_link(w->t, path + w->strip, target, err);
}

int native_copy_factory(struct native_tree *t, struct croft_error *err)
{
        struct walk w = {.t = t, .entry = copy_factory_file, .strip = strlen("usr/share/factory/")};

        return walk_folder(&w, "usr/share/factory/etc", 0, err);
}

/* Certificates are public; a bundle that holds anything else isn't taken. */
static int copy_certificates(struct native_tree *t, struct croft_error *err)
{
        static const char path[] = "etc/ssl/certs/ca-certificates.crt";
        _cleanup_free_ char *data = NULL;
        struct stat st;
        size_t size;

        if (native_read(t->host, path, NATIVE_FILE_MAX, &data, &size, &st) < 0 || !(st.st_mode & S_IROTH))
                return 0;
        if (memmem(data, size, "PRIVATE KEY", 11))
                return 0;
        return native_put_file(t, path, data, size, &(struct native_owner){.mode = 0644}, err);
}

/* Masters that packages keep below /usr, and where their maintainer scripts put them. */
static const struct {
        const char *from, *to;
} masters[] = {
        {"usr/share/base-files/profile", "etc/profile"}, {"usr/share/base-files/motd", "etc/motd"},
        {"usr/share/base-files/dot.bashrc", "root/.bashrc"}, {"usr/share/base-files/dot.profile", "root/.profile"},
        {"usr/share/libc-bin/nsswitch.conf", "etc/nsswitch.conf"},
        {"usr/share/base-files/nsswitch.conf", "etc/nsswitch.conf"}, {"usr/share/debianutils/shells", "etc/shells"},
        {"usr/share/adduser/adduser.conf", "etc/adduser.conf"},
        {"usr/share/ca-certificates.conf", "etc/ca-certificates.conf"},
        {"etc/ld.so.cache", "etc/ld.so.cache"}, /* names of libraries in /usr; ldconfig can't run on a shared one */
};

/* Written afresh; what a master or conffile has put there already stays. */
static const struct {
        const char *path, *text;
        mode_t mode;
} fresh[] = {
        {"etc/hosts", "127.0.0.1\tlocalhost\n::1\t\tlocalhost ip6-localhost ip6-loopback\n", 0644},
        {"etc/hostname", "# croft sets the partition's host name; a name written here wins when systemd boots.\n",
                0644},
        {"etc/resolv.conf", "# Name servers of this partition: none yet.\n", 0644},
        {"etc/machine-id", "", 0444},
        {"etc/fstab", "# croft mounts this partition's file systems.\n", 0644},
        {"etc/environment", "", 0644},
        {"etc/subuid", "", 0644},
        {"etc/subgid", "", 0644},
        {"etc/timezone", "Etc/UTC\n", 0644},
        {"etc/shells", "/bin/sh\n/bin/bash\n/usr/bin/sh\n/usr/bin/bash\n", 0644},
        {"etc/nsswitch.conf",
                "passwd: files\ngroup: files\nshadow: files\ngshadow: files\nhosts: files dns\nnetworks: files\n"
                "protocols: files\nservices: files\nethers: files\nrpc: files\n",
                0644},
        {"etc/profile", "export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n", 0644},
        {"etc/ld.so.conf", "include /etc/ld.so.conf.d/*.conf\n", 0644},
};

/* What pam-auth-update makes when only pam_unix is there: not conffiles, but needed by su, login and systemd. */
static const struct {
        const char *path, *text;
} pam[] = {
        {"etc/pam.d/common-auth", "auth [success=1 default=ignore] pam_unix.so nullok\nauth requisite pam_deny.so\n"
                                  "auth required pam_permit.so\n"},
        {"etc/pam.d/common-account", "account [success=1 new_authtok_reqd=done default=ignore] pam_unix.so\n"
                                     "account requisite pam_deny.so\naccount required pam_permit.so\n"},
        {"etc/pam.d/common-password", "password [success=1 default=ignore] pam_unix.so obscure yescrypt\n"
                                      "password requisite pam_deny.so\npassword required pam_permit.so\n"},
        {"etc/pam.d/common-session",
                "session [default=1] pam_permit.so\nsession requisite pam_deny.so\nsession required pam_permit.so\n"
                "session required pam_unix.so\n-session optional pam_systemd.so\n"},
        {"etc/pam.d/common-session-noninteractive",
                "session [default=1] pam_permit.so\nsession requisite pam_deny.so\nsession required pam_permit.so\n"
                "session required pam_unix.so\n"},
};

int native_make_etc(struct native_tree *t, struct croft_error *err)
{
        int r = copy_certificates(t, err);

        for (size_t i = 0; r == 0 && i < ELEMENTS(masters); i++)
                r = native_copy_public(t, masters[i].from, masters[i].to, err);
        for (size_t i = 0; r == 0 && i < ELEMENTS(fresh); i++)
                r = native_put_text(t, fresh[i].path, fresh[i].text, fresh[i].mode, err);
        for (size_t i = 0; r == 0 && i < ELEMENTS(pam) && native_exists(t->host, "usr/share/pam"); i++)
                r = native_put_text(t, pam[i].path, pam[i].text, 0644, err);
        if (r == 0 && native_exists(t->host, "usr/share/zoneinfo/Etc/UTC"))
                r = native_put_link(t, "etc/localtime", "/usr/share/zoneinfo/Etc/UTC", err);
        if (r == 0)
                r = native_put_link(t, "etc/mtab", "../proc/self/mounts", err);
        return r;
}
