/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * import.c - images from archives and folders that others made.
 *
 * The bytes are read by the worker alone.  Here only the shape of what it left is looked at: is it a root, a root below
 * rootfs/ with metadata.yaml beside it (LXC, Incus), or an OCI layout that has to be applied.
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/str.h"
#include "image/run.h"
#include "image/store.h"

#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define STRICT (RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS)

struct import {
        struct image_store *store;
        struct image_draft draft;
        image_progress say;
        void *context;
        EVP_MD_CTX *hash;
        uint64_t nodes;
};

static bool is_kind(int dir, const char *name, mode_t kind)
{
        struct stat st;

        return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && (st.st_mode & S_IFMT) == kind;
}

static int make_folder(struct import *im, const char *name, struct croft_error *err)
{
        int fd;

        if (mkdirat(im->draft.dir, name, 0755) < 0)
                return croft_error_set(err, errno, "make directory '%s'", name);
        fd = fd_open2(im->draft.dir, name, O_RDONLY | O_DIRECTORY, 0, STRICT);
        return fd < 0 ? croft_error_set(err, fd, "open directory '%s'", name) : fd;
}

/* Runs the worker; input for unpack, source for copy and oci. */
static int run(struct import *im, const char *mode, int target, int other, struct croft_error *err)
{
        bool input = strcmp(mode, "unpack") == 0;
        struct worker_run job = {.mode = mode,
                .target = target,
                .source = input ? -EBADF : other,
                .input = input ? other : -EBADF,
                .hash = im->hash,
                .say = im->say,
                .context = im->context};
        int r = worker_run(im->store, &job, err);

        im->nodes += job.nodes;
        return r;
}

/* An archive into draft/<name>. */
static int unpack_into(struct import *im, const char *name, int input, struct croft_error *err)
{
        _cleanup_close_ int target = make_folder(im, name, err);
        char magic[4] = "";

        if (target < 0)
                return target;
        if (pread(input, magic, sizeof(magic), 0) == (ssize_t)sizeof(magic) && memcmp(magic, "hsqs", 4) == 0)
                return croft_error_set(
                        err, EINVAL, "squashfs isn't read: unpack it with unsquashfs -d DIR FILE and import DIR.");
        return run(im, "unpack", target, input, err);
}

static int apply_oci(struct import *im, int layout, struct croft_error *err)
{
        _cleanup_close_ int target = make_folder(im, "rootfs", err);

        return target < 0 ? target : run(im, "oci", target, layout, err);
}

static int take_root(struct import *im, const char *from, struct croft_error *err)
{
        if (renameat2(im->draft.dir, from, im->draft.dir, "rootfs", RENAME_NOREPLACE) < 0)
                return croft_error_set(err, errno, "put the root in place");
        return fd_remove_tree(im->draft.dir, "unpacked", err);
}

/* draft/unpacked becomes draft/rootfs, by what it turned out to be. */
static int settle(struct import *im, struct croft_error *err)
{
        _cleanup_close_ int dir = fd_open2(im->draft.dir, "unpacked", O_RDONLY | O_DIRECTORY, 0, STRICT);
        int r;

        if (dir < 0)
                return croft_error_set(err, dir, "open what was unpacked");
        if (is_kind(dir, "oci-layout", S_IFREG) && is_kind(dir, "index.json", S_IFREG)) {
                r = apply_oci(im, dir, err);
                return r < 0 ? r : fd_remove_tree(im->draft.dir, "unpacked", err);
        }
        if (is_kind(dir, "metadata.yaml", S_IFREG)) {
                if (is_kind(dir, "rootfs", S_IFDIR))
                        return take_root(im, "unpacked/rootfs", err);
                return croft_error_set(err, EILSEQ,
                        "it has metadata.yaml but no rootfs/: of a split image give both files as META,ROOTFS.");
        }
        return take_root(im, "unpacked", err);
}

static int import_file(struct import *im, int file, struct croft_error *err)
{
        int r = unpack_into(im, "unpacked", file, err);

        return r < 0 ? r : settle(im, err);
}

/* What makes the id of a folder: it can't be hashed in passing, so each import makes another. */
static void hash_moment(struct import *im, const char *path)
{
        struct timespec now = {0};

        (void)clock_gettime(CLOCK_REALTIME, &now);
        (void)EVP_DigestUpdate(im->hash, path, strlen(path));
        (void)EVP_DigestUpdate(im->hash, &now, sizeof(now));
}

static int import_folder(struct import *im, int dir, const char *path, struct croft_error *err)
{
        _cleanup_close_ int target = -EBADF;

        hash_moment(im, path);
        if (is_kind(dir, "oci-layout", S_IFREG) && is_kind(dir, "index.json", S_IFREG))
                return apply_oci(im, dir, err);
        if (is_kind(dir, "metadata.yaml", S_IFREG) && is_kind(dir, "rootfs", S_IFDIR)) {
                _cleanup_close_ int root = fd_open2(dir, "rootfs", O_RDONLY | O_DIRECTORY, 0, STRICT);

                target = make_folder(im, "rootfs", err);
                return target < 0 ? target : run(im, "copy", target, root, err);
        }
        target = make_folder(im, "rootfs", err);
        return target < 0 ? target : run(im, "copy", target, dir, err);
}

/* META,ROOTFS */
static int import_split(struct import *im, const char *path, const char *comma, struct croft_error *err)
{
        _cleanup_free_ char *meta = strndup(path, (size_t)(comma - path));
        _cleanup_close_ int meta_file = -EBADF, root_file = -EBADF;
        int r;

        if (!meta)
                return croft_error_set(err, ENOMEM, "import");
        meta_file = open(meta, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (meta_file < 0)
                return croft_error_set(err, errno, "open '%s'", meta);
        root_file = open(comma + 1, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (root_file < 0)
                return croft_error_set(err, errno, "open '%s'", comma + 1);
        r = unpack_into(im, "metadata", meta_file, err);
        if (r < 0)
                return r;
        if (faccessat(im->draft.dir, "metadata/metadata.yaml", F_OK, AT_SYMLINK_NOFOLLOW) < 0)
                return croft_error_set(err, EILSEQ, "'%s' holds no metadata.yaml.", meta);
        r = fd_remove_tree(im->draft.dir, "metadata", err);
        if (r < 0)
                return r;
        r = unpack_into(im, "rootfs", root_file, err);
        return r;
}

static int import_path(struct import *im, const char *path, struct croft_error *err)
{
        _cleanup_close_ int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        const char *comma = strchr(path, ',');
        struct stat st;

        if (fd < 0 && errno == ENOENT && comma)
                return import_split(im, path, comma, err);
        if (fd < 0 || fstat(fd, &st) < 0)
                return croft_error_set(err, errno, "open '%s'", path);
        if (S_ISDIR(st.st_mode))
                return import_folder(im, fd, path, err);
        if (!S_ISREG(st.st_mode))
                return croft_error_set(err, EINVAL, "'%s' is neither a file nor a folder.", path);
        return import_file(im, fd, err);
}

static void hash_id(EVP_MD_CTX *hash, const char *name, char id[65])
{
        unsigned char sum[EVP_MAX_MD_SIZE] = {0};
        unsigned int n = 0;

        /* The name is part of it: one archive may be imported under two. */
        (void)EVP_DigestUpdate(hash, name, strlen(name) + 1);
        (void)EVP_DigestFinal_ex(hash, sum, &n);
        for (unsigned int i = 0; i < 32; i++)
                (void)snprintf(id + 2 * i, 3, "%02x", sum[i]);
}

int image_finish(struct image_draft *draft, struct image_finish *f, struct croft_error *err)
{
        _cleanup_close_ int root = fd_open2(draft->dir, "rootfs", O_RDONLY | O_DIRECTORY, 0, STRICT);
        struct worker_run job = {.mode = "finish", .target = root, .source = -EBADF, .input = -EBADF};
        struct image_meta meta = {0};
        char text[200];
        int r;

        if (root < 0)
                return croft_error_set(err, root, "open the root");
        r = worker_run(draft->store, &job, err);
        if (r < 0)
                return r;
        if (f->nodes && f->say) {
                (void)snprintf(
                        text, sizeof(text), "passed over %llu device nodes below /dev", (unsigned long long)f->nodes);
                f->say(f->context, text);
        }
        if (job.warning[0] && f->say) {
                (void)snprintf(text, sizeof(text), "warning: %s", job.warning);
                f->say(f->context, text);
        }
        hash_id(f->hash, f->name, meta.info.id);
        (void)str_copy(meta.info.name, sizeof(meta.info.name), f->name);
        (void)str_copy(meta.info.os, sizeof(meta.info.os), job.os);
        (void)str_copy(meta.info.source, sizeof(meta.info.source), f->source);
        meta.info.size_bytes = job.bytes;
        r = image_draft_commit(draft, &meta, err);
        if (r == 0)
                *f->ret = meta.info;
        return r;
}

static int import_draft(
        struct import *im, const char *name, const char *path, struct image_info *ret, struct croft_error *err)
{
        const char *base = strrchr(path, '/') && strrchr(path, '/')[1] ? strrchr(path, '/') + 1 : path;
        char source[256], quoted[200];
        struct image_finish f = {
                .hash = im->hash, .name = name, .source = source, .say = im->say, .context = im->context, .ret = ret};
        int r;

        r = image_check_name(im->store, name, err);
        if (r == 0)
                r = image_draft_begin(im->store, &im->draft, err);
        if (r == 0)
                r = import_path(im, path, err);
        if (r < 0)
                return r;
        (void)snprintf(source, sizeof(source), "import %s", str_escape(quoted, sizeof(quoted), base, strlen(base)));
        f.nodes = im->nodes;
        return image_finish(&im->draft, &f, err);
}

int image_import(struct image_store *store, const char *name, const char *path, image_progress say, void *context,
        struct image_info *ret, struct croft_error *err)
{
        struct import im = {
                .store = store, .draft = IMAGE_DRAFT_INIT, .say = say, .context = context, .hash = EVP_MD_CTX_new()};
        char quoted[256];
        int r;

        if (!im.hash || !EVP_DigestInit_ex(im.hash, EVP_sha256(), NULL))
                r = croft_error_set(err, ENOMEM, "import an image");
        else
                r = import_draft(&im, name, path, ret, err);
        image_draft_done(&im.draft);
        EVP_MD_CTX_free(im.hash);
        if (r < 0)
                croft_error_prefix(err, "import '%s'", str_escape(quoted, sizeof(quoted), path, strlen(path)));
        return r;
}
