/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * worker.c - croft-image: reads what others made, for the image store.  Started by it, not by people.
 *
 *   croft-image unpack|copy|oci|finish PARENT-PID MAX-BYTES MAX-ENTRIES
 *   croft-image guard PARENT-PID PROGRAM [ARGUMENT]...
 *
 * Descriptors: 0 the archive (unpack), 1 the report, 3 the target folder, 4 the source folder (copy, oci).  The report
 * is lines: "P text" progress, "N number" device nodes passed over, "O text" the system's name, "S bytes" its size,
 * "W text" a warning, and at the end "." or "E errno text".  The store believes none of it beyond what it shows.
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/str.h"
#include "image/guard.h"
#include "image/oci_json.h"
#include "image/os_release.h"
#include "image/sink.h"

#include <dirent.h>
#include <inttypes.h>
#include <linux/openat2.h>
#include <locale.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { FD_TARGET = 3, FD_SOURCE = 4 };

static void report(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void report(const char *format, ...)
{
        char line[1400];
        va_list ap;
        int n;

        va_start(ap, format);
        n = vsnprintf(line, sizeof(line) - 1, format, ap);
        va_end(ap);
        if (n < 0)
                return;
        if (n > (int)sizeof(line) - 2)
                n = (int)sizeof(line) - 2;
        line[n] = '\n';
        (void)fd_write_all(
                STDOUT_FILENO, line, (size_t)n + 1); /* nobody listens: SIGPIPE or the parent's death ends us */
}

static void say(const char *text)
{
        report("P %s", text);
}

static uint64_t measure(int dir, unsigned depth)
{
        _cleanup_closedir_ DIR *stream = NULL;
        const struct dirent *entry;
        uint64_t bytes = 0;

        stream = depth > ENTRY_DEPTH_MAX ? NULL : fdopendir(dir);
        if (!stream) {
                close_fd(dir);
                return 0;
        }
        while ((entry = readdir(stream))) {
                struct stat st;

                if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
                        fstatat(dirfd(stream), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                        continue;
                bytes += (uint64_t)st.st_blocks * 512;
                if (S_ISDIR(st.st_mode))
                        bytes += measure(fd_open2(dirfd(stream), entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0,
                                                 RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS),
                                depth + 1);
        }
        return bytes;
}

static bool has(int root, const char *path)
{
        _cleanup_close_ int fd = fd_open2(root, path, O_PATH, 0, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);

        return fd >= 0;
}

/* Where a partition's file systems are mounted: application images often leave these out. */
static int make_mount_points(int root, struct croft_error *err)
{
        static const struct {
                const char *name;
                mode_t mode;
        } points[] = {{"proc", 0555}, {"sys", 0555}, {"dev", 0755}, {"run", 0755}, {"tmp", 01777}};

        struct stat before, st;

        if (fstat(root, &before) < 0)
                return croft_error_set(err, errno, "look at the root");
        for (size_t i = 0; i < ELEMENTS(points); i++) {
                if (mkdirat(root, points[i].name, points[i].mode) < 0 && errno != EEXIST)
                        return croft_error_set(err, errno, "make folder '%s'", points[i].name);
                if (fstatat(root, points[i].name, &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISDIR(st.st_mode))
                        report("W its /%s is no folder: a partition of it may not start", points[i].name);
        }
        (void)utimensat(root, ".", (struct timespec[]){{.tv_nsec = UTIME_OMIT}, before.st_mtim}, 0); /* a nicety */
        return 0;
}

static int finish(struct sink *s, int root, struct croft_error *err)
{
        char os[128];

        (void)s;
        if (make_mount_points(root, err) < 0)
                return -err->code;
        os_release_name(root, NULL, os, sizeof(os));
        report("O %s", os);
        report("S %" PRIu64, measure(openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), 0));
        if (!has(root, "sbin/init") && !has(root, "bin/sh") && !has(root, "usr/bin/sh"))
                report("W it holds neither /sbin/init nor a shell");
        else if (strcmp(os, "unknown") == 0)
                report("W it holds no os-release");
        return 0;
}

static int unpack(struct sink *s, int source, struct croft_error *err)
{
        (void)source;
        return unpack_archive(s, STDIN_FILENO, UNPACK_ALL, err);
}

static const struct {
        const char *name;
        int (*run)(struct sink *s, int source, struct croft_error *err);
        bool source, follow;
} modes[] = {{"unpack", unpack, false, false}, {"copy", copy_tree, true, false}, {"oci", oci_apply, true, false},
        {"finish", finish, false, true}};

/* The library's own set-up reads files and makes tables: before the root is gone. */
static void warm_up(void)
{
        unsigned char sum[EVP_MAX_MD_SIZE];

        (void)setlocale(LC_CTYPE, "C.UTF-8"); /* names in pax headers are UTF-8 */
        (void)EVP_Digest("", 0, sum, NULL, EVP_sha256(), NULL);
        (void)oci_architecture();
        (void)umask(0);
}

static int work(size_t mode, char **argv, struct sink *s, struct croft_error *err)
{
        struct sandbox box = {.target = FD_TARGET, .source = modes[mode].source ? FD_SOURCE : -EBADF};
        uint64_t parent;
        int r, end;

        if (!str_to_u64(argv[2], INT32_MAX, &parent) || !str_to_u64(argv[3], UINT64_MAX, &s->max_bytes) ||
                !str_to_u64(argv[4], UINT64_MAX, &s->max_entries))
                return croft_error_set(err, EINVAL, "bad arguments.");
        box.parent = (pid_t)parent;
        box.max_bytes = s->max_bytes;
        box.follow = modes[mode].follow;
        warm_up();
        r = sandbox_enter(&box, err);
        if (r < 0) {
                croft_error_prefix(err, "shut the worker in");
                return r;
        }
        s->root = box.target;
        s->say = say;
        r = modes[mode].run(s, modes[mode].source ? box.source : box.target, err);
        end = sink_end(s, r < 0 ? NULL : err);
        return r < 0 ? r : end;
}

static int find_mode(const char *name)
{
        for (size_t i = 0; i < ELEMENTS(modes); i++)
                if (strcmp(modes[i].name, name) == 0)
                        return (int)i;
        return -1;
}

int main(int argc, char **argv)
{
        struct croft_error err = CROFT_ERROR_INIT;
        struct sink sink = SINK_INIT;
        char line[CROFT_ERROR_TEXT_MAX];
        int mode;

        if (argc >= 4 && strcmp(argv[1], "guard") == 0)
                return guard_main(argv[2], argv + 3);
        mode = argc == 5 ? find_mode(argv[1]) : -1;
        if (mode < 0) {
                fprintf(stderr, "croft-image: croftd starts this program to read images; it is of no use by hand\n");
                return 2;
        }
        if (close_range(modes[mode].source ? 5 : 4, ~0U, 0) < 0)
                return 125;
        if (work((size_t)mode, argv, &sink, &err) < 0) {
                report("E %d %s", err.code, croft_error_line(&err, line, sizeof(line)));
                return 1;
        }
        report("N %" PRIu64, sink.nodes);
        report(".");
        return 0;
}
