/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * native_var.c - the folders of a template, its accounts, and what the package tools keep below /var.
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/str.h"
#include "image/native.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#define DATABASE_MAX (8 * NATIVE_FILE_MAX)

/* Groups of Debian's base-passwd that own folders here. */
enum { GID_ROOT = 0, GID_MAIL = 8, GID_SHADOW = 42, GID_UTMP = 43, GID_STAFF = 50 };

static const struct {
        const char *path;
        mode_t mode;
        gid_t gid;
} folders[] = {
        {"usr", 0755, 0},
        {"opt", 0755, 0},
        {"etc", 0755, 0},
        {"proc", 0555, 0},
        {"sys", 0555, 0},
        {"dev", 0755, 0},
        {"run", 0755, 0},
        {"tmp", 01777, 0},
        {"home", 0755, 0},
        {"root", 0700, 0},
        {"mnt", 0755, 0},
        {"media", 0755, 0},
        {"srv", 0755, 0},
        {"boot", 0755, 0},
        {"var", 0755, 0},
        {"var/tmp", 01777, 0},
        {"var/log", 0755, 0},
        {"var/lib", 0755, 0},
        {"var/cache", 0755, 0},
        {"var/spool", 0755, 0},
        {"var/backups", 0755, 0},
        {"var/opt", 0755, 0},
        {"var/mail", 02775, GID_MAIL},
        {"var/local", 02775, GID_STAFF},
        {"var/lib/misc", 0755, 0},
        {"var/lib/dpkg", 0755, 0},
        {"etc/opt", 0755, 0},
        {"etc/ssl", 0755, 0},
        {"var/cache/ldconfig", 0700, 0},
};

/* Top-level names that are links on a host with a merged /usr, and folders on others. */
static const char *const merged[] = {"bin", "sbin", "lib", "lib32", "lib64", "libx32", "libo32"};

static int make_merged(struct native_tree *t, const char *name, struct croft_error *err)
{
        char target[256], meaning[256];
        struct stat st;
        ssize_t n;

        if (fstatat(t->host, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return 0;
        if (S_ISDIR(st.st_mode))
                return native_put_dir(t, name, &(struct native_owner){.mode = 0755}, err);
        n = readlinkat(t->host, name, target, sizeof(target) - 1);
        if (n <= 0 || n >= (ssize_t)sizeof(target) - 1)
                return 0;
        target[n] = '\0';
        if (!native_resolve_link(name, target, meaning, sizeof(meaning)) || !str_has_prefix(meaning, "usr/"))
                return 0;
        return native_put_link(t, name, target, err);
}

int native_make_skeleton(struct native_tree *t, struct croft_error *err)
{
        int r = 0;

        if (fchmod(t->root, 0755) < 0 || fchown(t->root, 0, 0) < 0)
                return croft_error_set(err, errno, "set mode of the template's root");
        for (size_t i = 0; r == 0 && i < ELEMENTS(folders); i++)
                r = native_put_dir(t, folders[i].path,
                        &(struct native_owner){.mode = folders[i].mode, .gid = folders[i].gid}, err);
        for (size_t i = 0; r == 0 && i < ELEMENTS(merged); i++)
                r = make_merged(t, merged[i], err);
        return r;
}

/* Calls each with the text of every file of that folder of the host whose name ends so. */
static int each_file(struct native_tree *t, const char *folder, const char *ending,
        int (*each)(struct native_tree *t, void *context, const char *name, const char *text, size_t size),
        void *context)
{
        _cleanup_closedir_ DIR *dir = NULL;
        const struct dirent *entry;
        int fd = native_open_dir(t->host, folder), r = 0;

        if (fd < 0)
                return 0;
        dir = fdopendir(fd);
        if (!dir) {
                close_fd(fd);
                return -ENOMEM;
        }
        while (r == 0 && (entry = readdir(dir))) {
                size_t n = strlen(entry->d_name), m = strlen(ending);
                _cleanup_free_ char *text = NULL;
                struct stat st;
                size_t size;

                if (n <= m || strcmp(entry->d_name + n - m, ending) != 0)
                        continue;
                r = native_read(dirfd(dir), entry->d_name, NATIVE_FILE_MAX, &text, &size, &st);
                if (r == -ENOMEM)
                        return r;
                r = r < 0 || !(st.st_mode & S_IROTH) ? 0 : each(t, context, entry->d_name, text, size);
        }
        return r;
}

struct both {
        struct native_accounts own, host;
};

static int use_sysusers(struct native_tree *t, void *context, const char *name, const char *text, size_t size)
{
        struct both *both = context;

        (void)t, (void)name, (void)size;
        return native_accounts_sysusers(&both->own, text, &both->host);
}

/* System accounts that a package's script makes: what it owns in the shared /usr must keep its name. */
static int use_script(struct native_tree *t, void *context, const char *name, const char *text, size_t size)
{
        struct both *both = context;
        int r = 0;

        (void)t, (void)name, (void)size;
        for (size_t i = 0; r == 0 && i < both->host.n_groups; i++)
                if (!native_accounts_group_of(&both->own, both->host.groups[i].name) &&
                        dpkg_script_makes_account(text, both->host.groups[i].name))
                        r = native_accounts_take(&both->own, both->host.groups[i].name, &both->host);
        for (size_t i = 0; r == 0 && i < both->host.n_users; i++)
                if (!native_accounts_user(&both->own, both->host.users[i].name) &&
                        dpkg_script_makes_account(text, both->host.users[i].name))
                        r = native_accounts_take(&both->own, both->host.users[i].name, &both->host);
        return r;
}

#define MINIMAL_PASSWD                                                                                                 \
        "root:*:0:0:root:/root:/bin/sh\ndaemon:*:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n"                             \
        "nobody:*:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
#define MINIMAL_GROUP                                                                                                  \
        "root:*:0:\ndaemon:*:1:\nsys:*:3:\nadm:*:4:\ntty:*:5:\ndisk:*:6:\nmail:*:8:\nkmem:*:15:\nsudo:*:27:\n"         \
        "shadow:*:42:\nutmp:*:43:\nvideo:*:44:\nstaff:*:50:\nusers:*:100:\nnogroup:*:65534:\n"

typedef int (*reader)(struct native_accounts *a, const char *text, uint32_t min, uint32_t max);

/* Reads the file, or takes the text that stands in for a missing one (NULL: nothing). */
static int read_accounts(
        struct native_tree *t, const char *path, const char *otherwise, reader read, struct native_accounts *a)
{
        _cleanup_free_ char *text = NULL;
        bool host = !otherwise; /* the host's own file: only the numbers of system accounts */
        int r = native_read(t->host, path, NATIVE_FILE_MAX, &text, NULL, NULL);

        if (r == -ENOMEM)
                return r;
        if (r < 0 && !otherwise)
                return 0;
        return read(a, r < 0 ? otherwise : text, host ? 1 : 0, host ? 999 : 65535);
}

static int gather_accounts(struct native_tree *t, struct both *both)
{
        int r;

        r = read_accounts(t, "usr/share/base-passwd/passwd.master", MINIMAL_PASSWD, native_accounts_passwd, &both->own);
        if (r == 0)
                r = read_accounts(
                        t, "usr/share/base-passwd/group.master", MINIMAL_GROUP, native_accounts_group, &both->own);
        if (r == 0)
                r = read_accounts(t, "etc/passwd", NULL, native_accounts_passwd, &both->host);
        if (r == 0)
                r = read_accounts(t, "etc/group", NULL, native_accounts_group, &both->host);
        if (r == 0)
                r = each_file(t, "usr/lib/sysusers.d", ".conf", use_sysusers, both);
        if (r == 0)
                r = each_file(t, "var/lib/dpkg/info", ".postinst", use_script, both);
        if (r == 0)
                r = each_file(t, "var/lib/dpkg/info", ".preinst", use_script, both);
        return r;
}

static int put_accounts(struct native_tree *t, const struct native_accounts *a, struct croft_error *err)
{
        static const struct {
                const char *path;
                enum native_file which;
                struct native_owner owner;
        } files[] = {
                {"etc/passwd", NATIVE_PASSWD, {.mode = 0644}},
                {"etc/group", NATIVE_GROUP, {.mode = 0644}},
                {"etc/shadow", NATIVE_SHADOW, {.mode = 0640, .gid = GID_SHADOW}},
                {"etc/gshadow", NATIVE_GSHADOW, {.mode = 0640, .gid = GID_SHADOW}},
        };

        for (size_t i = 0; i < ELEMENTS(files); i++) {
                _cleanup_free_ char *text = native_accounts_render(a, files[i].which);
                int r;

                if (!text)
                        return croft_error_set(err, ENOMEM, "write '/%s'", files[i].path);
                r = native_put_file(t, files[i].path, text, strlen(text), &files[i].owner, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

int native_make_accounts(struct native_tree *t, struct croft_error *err)
{
        struct both both = {0};
        int r = gather_accounts(t, &both);

        r = r < 0 ? croft_error_set(err, r, "gather accounts") : put_accounts(t, &both.own, err);
        native_accounts_done(&both.own);
        native_accounts_done(&both.host);
        return r;
}

static const struct {
        const char *path;
        mode_t mode;
        gid_t gid;
} logs[] = {{"var/log/wtmp", 0664, GID_UTMP}, {"var/log/btmp", 0660, GID_UTMP}, {"var/log/lastlog", 0664, GID_UTMP}};

static const char *const databases[] = {
        "var/lib/dpkg/status", "var/lib/dpkg/diversions", "var/lib/dpkg/arch", "var/lib/dpkg/info/format"};

static int copy_alternative(struct native_tree *t, void *context, const char *name, const char *text, size_t size)
{
        _cleanup_free_ char *path = NULL;

        if (asprintf(&path, "var/lib/dpkg/alternatives/%s", name) < 0)
                return -ENOMEM;
        return native_put_file(t, path, text, size, &(struct native_owner){.mode = 0644}, context);
}

int native_make_var(struct native_tree *t, struct croft_error *err)
{
        int r = 0;

        for (size_t i = 0; r == 0 && i < ELEMENTS(logs); i++)
                r = native_put_file(
                        t, logs[i].path, "", 0, &(struct native_owner){.mode = logs[i].mode, .gid = logs[i].gid}, err);
        for (size_t i = 0; r == 0 && i < ELEMENTS(databases); i++)
                r = native_copy_public(t, databases[i], databases[i], err);
        if (r == 0 && native_exists(t->host, "var/lib/dpkg/info"))
                r = native_put_text(t, "var/lib/dpkg/statoverride", "", 0644, err);
        if (r == 0)
                r = each_file(t, "var/lib/dpkg/alternatives", "", copy_alternative, err);
        if (r == 0)
                r = native_put_link(t, "var/run", "/run", err);
        if (r == 0)
                r = native_put_link(t, "var/lock", "/run/lock", err);
        if (r == 0)
                r = native_put_link(t, "var/spool/mail", "../mail", err);
        return r;
}

/* A folder that a package ships: mode and owner as on the host, without its content. */
static int make_package_folder(struct native_tree *t, const char *path, struct croft_error *err)
{
        _cleanup_close_ int fd = native_open_dir(t->host, path);
        struct stat st;

        if (fd < 0 || fstat(fd, &st) < 0)
                return 0; /* a file, a link, or gone */
        return native_put_dir(
                t, path, &(struct native_owner){.mode = st.st_mode & 07777, .uid = st.st_uid, .gid = st.st_gid}, err);
}

static int make_package_folders(struct native_tree *t, const char *text, size_t size, struct croft_error *err)
{
        const char *end = text + size, *next;
        int r = 0;

        for (const char *line = text; r == 0 && line < end; line = next) {
                const char *stop = memchr(line, '\n', (size_t)(end - line));
                _cleanup_free_ char *path = NULL;

                stop = stop ? stop : end;
                next = stop + 1;
                if (stop - line < 6 || (memcmp(line, "/var/", 5) != 0 && memcmp(line, "/etc/", 5) != 0))
                        continue;
                path = strndup(line + 1, (size_t)(stop - line - 1));
                if (!path)
                        return croft_error_set(err, ENOMEM, "read a package's list");
                r = make_package_folder(t, path, err);
        }
        return r;
}

static int use_list(struct native_tree *t, void *context, const char *name, const char *text, size_t size)
{
        _cleanup_free_ char *path = NULL;
        int r;

        if (asprintf(&path, "var/lib/dpkg/info/%s", name) < 0)
                return croft_error_set(context, ENOMEM, "read a package's list");
        r = make_package_folders(t, text, size, context);
        return r < 0 ? r : native_put_file(t, path, text, size, &(struct native_owner){.mode = 0644}, context);
}

int native_copy_package_data(struct native_tree *t, struct croft_error *err)
{
        return each_file(t, "var/lib/dpkg/info", ".list", use_list, err);
}
