/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * native.c - the template of native partitions: when a new one is needed, and the order in which it is made.
 *
 * Two levels of "has anything changed": the stamp (stat of a few files and folders, microseconds) finds the template
 * again; when it differs, the key (SHA-256 of what they hold) tells whether a new one is needed.  The key is the id.
 * Invariant: nothing of the host comes in that isn't public and as its package shipped it (see docs/images.md).
 */
#include "image/native.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/str.h"
#include "image/os_release.h"
#include "image/store.h"

#include <linux/openat2.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define DATABASE_MAX (8 * NATIVE_FILE_MAX)

/* What a template depends on.  Folders count by their times: packages change them by adding and taking away. */
static const struct {
        const char *path;
        bool content;
} sources[] = {
        {"var/lib/dpkg/status", true},
        {"var/lib/dpkg/diversions", true},
        {"usr/share/base-passwd/passwd.master", true},
        {"usr/share/base-passwd/group.master", true},
        {"usr/share/base-files/profile", true},
        {"usr/share/libc-bin/nsswitch.conf", true},
        {"usr/lib/os-release", true},
        {"etc/ld.so.cache", true},
        {"etc/ssl/certs/ca-certificates.crt", true},
        {"usr/lib/sysusers.d", false},
        {"usr/share/factory/etc", false},
        {"etc/alternatives", false},
        {"bin", false},
        {"lib64", false},
};

static void hash_hex(EVP_MD_CTX *hash, char ret[65])
{
        unsigned char sum[EVP_MAX_MD_SIZE];
        unsigned int n = 0;

        if (!EVP_DigestFinal_ex(hash, sum, &n) || n != 32)
                memset(sum, 0, sizeof(sum)); /* SHA-256 is always there; a wrong stamp only costs a rebuild */
        for (unsigned int i = 0; i < 32; i++)
                (void)snprintf(ret + 2 * i, 3, "%02x", sum[i]);
}

static void md_freep(EVP_MD_CTX **hash)
{
        EVP_MD_CTX_free(*hash);
}

static EVP_MD_CTX *hash_new(void)
{
        static const int format = NATIVE_FORMAT;
        EVP_MD_CTX *hash = EVP_MD_CTX_new();

        if (hash && EVP_DigestInit_ex(hash, EVP_sha256(), NULL) && EVP_DigestUpdate(hash, &format, sizeof(format)))
                return hash;
        EVP_MD_CTX_free(hash);
        return NULL;
}

static void hash_stat(EVP_MD_CTX *hash, int host, const char *path)
{
        struct stat st;
        uint64_t facts[8] = {0};

        if (fstatat(host, path, &st, AT_SYMLINK_NOFOLLOW) == 0) {
                uint64_t found[8] = {1, (uint64_t)st.st_dev, (uint64_t)st.st_ino, (uint64_t)st.st_size,
                        (uint64_t)st.st_mtim.tv_sec, (uint64_t)st.st_mtim.tv_nsec, (uint64_t)st.st_ctim.tv_sec,
                        (uint64_t)st.st_ctim.tv_nsec};

                memcpy(facts, found, sizeof(facts));
        }
        (void)EVP_DigestUpdate(hash, facts, sizeof(facts));
}

void native_stamp(int host_fd, char ret[65])
{
        _cleanup_(md_freep) EVP_MD_CTX *hash = hash_new();

        ret[0] = '\0';
        if (!hash)
                return;
        for (size_t i = 0; i < ELEMENTS(sources); i++)
                hash_stat(hash, host_fd, sources[i].path);
        hash_hex(hash, ret);
}

static int hash_content(EVP_MD_CTX *hash, int host, const char *path)
{
        _cleanup_free_ char *data = NULL;
        uint64_t length = UINT64_MAX;
        size_t size = 0;
        int r;

        r = native_read(host, path, DATABASE_MAX, &data, &size, NULL);
        if (r == -ENOMEM)
                return r;
        if (r == 0)
                length = size;
        (void)EVP_DigestUpdate(hash, &length, sizeof(length));
        (void)EVP_DigestUpdate(hash, data ? data : "", size);
        return 0;
}

int native_key(int host_fd, char ret[65], struct croft_error *err)
{
        _cleanup_(md_freep) EVP_MD_CTX *hash = hash_new();
        int r = hash ? 0 : -ENOMEM;

        for (size_t i = 0; r == 0 && i < ELEMENTS(sources); i++)
                if (sources[i].content)
                        r = hash_content(hash, host_fd, sources[i].path);
                else
                        hash_stat(hash, host_fd, sources[i].path);
        if (r < 0)
                return croft_error_set(err, r, "read the package database");
        hash_hex(hash, ret);
        return 0;
}

static int build_from_packages(struct native_tree *t, const char *status, size_t size, struct croft_error *err)
{
        int r = native_copy_package_data(t, err);

        return r < 0 ? r : native_copy_conffiles(t, status, size, err);
}

int native_build(int host_fd, int root_fd, uint64_t *ret_bytes, struct croft_error *err)
{
        struct native_tree t = {.host = host_fd, .root = root_fd};
        _cleanup_free_ char *status = NULL;
        size_t size = 0;
        int r;

        r = native_read(host_fd, "var/lib/dpkg/status", DATABASE_MAX, &status, &size, NULL);
        if (r == -ENOMEM)
                return croft_error_set(err, r, "read the package database");
        r = native_make_skeleton(&t, err);
        if (r == 0)
                r = status ? build_from_packages(&t, status, size, err) : native_copy_factory(&t, err);
        if (r == 0)
                r = native_make_accounts(&t, err);
        if (r == 0)
                r = native_make_etc(&t, err);
        if (r == 0)
                r = native_make_var(&t, err);
        if (r == 0)
                r = native_copy_links(&t, err);
        if (r < 0)
                return r;
        *ret_bytes = t.bytes;
        return 0;
}

/* Makes the template in a draft and puts it in place. */
static int make_template(struct image_store *store, int host, struct image_meta *meta, struct croft_error *err)
{
        _cleanup_(image_draft_done) struct image_draft draft = IMAGE_DRAFT_INIT;
        _cleanup_close_ int root = -EBADF;
        int r;

        r = image_draft_begin(store, &draft, err);
        if (r < 0)
                return r;
        if (mkdirat(draft.dir, "rootfs", 0755) < 0)
                return croft_error_set(err, errno, "make directory 'rootfs'");
        root = fd_open2(draft.dir, "rootfs", O_RDONLY | O_DIRECTORY, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
        if (root < 0)
                return croft_error_set(err, root, "open directory 'rootfs'");
        r = native_build(host, root, &meta->info.size_bytes, err);
        if (r < 0)
                return r;
        os_release_name(host, "usr/lib/os-release", meta->info.os, sizeof(meta->info.os));
        return image_draft_commit(&draft, meta, err);
}

static int make_or_find(
        struct image_store *store, int host, const char *stamp, struct image_meta *ret, struct croft_error *err)
{
        struct image_meta meta = {.info.native = true, .info.source = "host packages"};
        char key[65];
        int r;

        r = native_key(host, key, err);
        if (r < 0)
                return r;
        if (image_find_template(store, key, NULL, ret) == 0) {
                (void)str_copy(ret->stamp, sizeof(ret->stamp), stamp);
                return image_write_meta(store, ret, err);
        }
        (void)str_copy(meta.info.id, sizeof(meta.info.id), key);
        (void)str_copy(meta.stamp, sizeof(meta.stamp), stamp);
        r = make_template(store, host, &meta, err);
        if (r == 0)
                *ret = meta;
        return r;
}

static int native_locked(
        struct image_store *store, int host, image_progress say, void *context, struct croft_error *err)
{
        struct image_meta found;
        char stamp[65];
        int r;

        native_stamp(host, stamp);
        if (store->native_last.info.id[0] && strcmp(store->native_last.stamp, stamp) == 0)
                return 0;
        r = image_find_template(store, NULL, stamp, &found);
        if (r < 0) {
                if (say)
                        say(context, "making the template of native partitions from this host's packages");
                r = make_or_find(store, host, stamp, &found, err);
        }
        if (r < 0)
                return r;
        if (strcmp(store->native_last.info.id, found.info.id) != 0) {
                struct timespec now = {0};

                (void)clock_gettime(CLOCK_MONOTONIC, &now);
                (void)str_copy(store->native_before, sizeof(store->native_before), store->native_last.info.id);
                store->native_since = now.tv_sec;
        }
        store->native_last = found;
        return 0;
}

int image_native_from(struct image_store *store, int host_root_fd, image_progress say, void *context,
        struct image_info *ret, struct croft_error *err)
{
        int r;

        pthread_mutex_lock(&store->native);
        r = native_locked(store, host_root_fd, say, context, err);
        if (r == 0)
                *ret = store->native_last.info;
        pthread_mutex_unlock(&store->native);
        if (r < 0)
                croft_error_prefix(err, "make the template of native partitions");
        return r;
}

int image_native(
        struct image_store *store, image_progress say, void *context, struct image_info *ret, struct croft_error *err)
{
        _cleanup_close_ int host = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

        if (host < 0)
                return croft_error_set(err, errno, "open '/'");
        return image_native_from(store, host, say, context, ret, err);
}

#define SHARES_MAX 9
static char *shares[SHARES_MAX + 1];
static pthread_once_t shares_once = PTHREAD_ONCE_INIT;

static void find_shares(void)
{
        static char names[SHARES_MAX][8] = {
                "/usr", "/opt", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/libo32"};
        size_t n = 0;

        for (size_t i = 0; i < SHARES_MAX; i++) {
                struct stat st;

                if (lstat(names[i], &st) == 0 && S_ISDIR(st.st_mode))
                        shares[n++] = names[i];
        }
}

char *const *image_native_shares(void)
{
        (void)pthread_once(&shares_once, find_shares);
        return shares;
}
