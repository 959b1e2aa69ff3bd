/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * oci.c - applies the layers of an OCI image layout (image-spec 1.x) in their order, each checked by its digest.
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "image/oci_json.h"
#include "image/sink.h"

#include <linux/openat2.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define INDEX_DEPTH_MAX 4
#define CHUNK 131072

static void md_freep(EVP_MD_CTX **hash)
{
        EVP_MD_CTX_free(*hash);
}

static int hash_file(int fd, char hex[65])
{
        _cleanup_(md_freep) EVP_MD_CTX *hash = EVP_MD_CTX_new();
        _cleanup_free_ char *buf = malloc(CHUNK);
        unsigned char sum[EVP_MAX_MD_SIZE];
        unsigned int n_sum = 0;
        ssize_t n;

        if (!hash || !buf || !EVP_DigestInit_ex(hash, EVP_sha256(), NULL))
                return -ENOMEM;
        while ((n = read(fd, buf, CHUNK)) > 0)
                (void)EVP_DigestUpdate(hash, buf, (size_t)n);
        if (n < 0 || lseek(fd, 0, SEEK_SET) < 0)
                return -errno;
        if (!EVP_DigestFinal_ex(hash, sum, &n_sum) || n_sum != 32)
                return -EIO;
        for (unsigned int i = 0; i < 32; i++)
                (void)snprintf(hex + 2 * i, 3, "%02x", sum[i]);
        return 0;
}

/* Opens a file of the layout; a blob (not NULL) is checked for size and digest first. */
static int open_checked(int source, const char *path, const struct oci_blob *blob, struct croft_error *err)
{
        _cleanup_close_ int fd = fd_open2(source, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0,
                RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
        struct stat st;
        char hex[65];
        int r;

        if (fd < 0)
                return fd == -ENOENT ? croft_error_set(err, EILSEQ, "the OCI layout lacks '%s'.", path)
                                     : croft_error_set(err, fd, "open '%s' of the OCI layout", path);
        if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
                return croft_error_set(err, EILSEQ, "'%s' of the OCI layout is no file.", path);
        if (!blob)
                return TAKE_FD(fd);
        if ((uint64_t)st.st_size != blob->size)
                return croft_error_set(err, EILSEQ, "'%s' of the OCI layout has another size than it should.", path);
        r = hash_file(fd, hex);
        if (r < 0)
                return croft_error_set(err, r, "read '%s' of the OCI layout", path);
        if (strcmp(hex, blob->digest) != 0)
                return croft_error_set(err, EILSEQ, "'%s' of the OCI layout doesn't have the digest it should.", path);
        return TAKE_FD(fd);
}

static int open_blob(int source, const struct oci_blob *blob, struct croft_error *err)
{
        char path[96];

        (void)snprintf(path, sizeof(path), "blobs/sha256/%s", blob->digest);
        return open_checked(source, path, blob, err);
}

static int read_document(int fd, char **ret, size_t *ret_size, struct croft_error *err)
{
        _cleanup_free_ char *text = malloc(OCI_JSON_MAX + 1);
        size_t used = 0;
        ssize_t n;

        if (!text)
                return croft_error_set(err, ENOMEM, "read the OCI layout");
        while (used <= OCI_JSON_MAX && (n = read(fd, text + used, OCI_JSON_MAX + 1 - used)) != 0) {
                if (n < 0)
                        return croft_error_set(err, errno, "read the OCI layout");
                used += (size_t)n;
        }
        if (used > OCI_JSON_MAX)
                return croft_error_set(err, EILSEQ, "a document of the OCI layout is too long.");
        *ret = TAKE(text);
        *ret_size = used;
        return 0;
}

/* From index.json down to the manifest for this machine. */
static int find_manifest(int source, struct oci_manifest *ret, struct croft_error *err)
{
        struct oci_blob blob = {.index = true};

        for (int depth = 0; depth <= INDEX_DEPTH_MAX; depth++) {
                _cleanup_close_ int fd = -EBADF;
                _cleanup_free_ char *text = NULL;
                size_t size;
                int r;

                fd = depth == 0 ? open_checked(source, "index.json", NULL, err) : open_blob(source, &blob, err);
                if (fd < 0)
                        return fd;
                r = read_document(fd, &text, &size, err);
                if (r < 0)
                        return r;
                if (!blob.index)
                        return oci_manifest_decode(text, size, ret, err);
                r = oci_index_decode(text, size, oci_architecture(), &blob, err);
                if (r < 0)
                        return r;
        }
        return croft_error_set(err, EILSEQ, "the indexes of the OCI layout are nested too deep.");
}

static int check_config(int source, const struct oci_blob *config, struct croft_error *err)
{
        _cleanup_close_ int fd = open_blob(source, config, err);
        _cleanup_free_ char *text = NULL;
        size_t size;
        int r;

        if (fd < 0)
                return fd;
        r = read_document(fd, &text, &size, err);
        return r < 0 ? r : oci_config_check(text, size, oci_architecture(), err);
}

/* Two passes: whiteouts mean the layers below, wherever in the layer they stand. */
static int apply_layer(struct sink *s, int source, const struct oci_blob *layer, struct croft_error *err)
{
        _cleanup_close_ int fd = open_blob(source, layer, err);
        int r;

        if (fd < 0)
                return fd;
        r = unpack_archive(s, fd, UNPACK_WHITEOUTS, err);
        if (r == 0 && lseek(fd, 0, SEEK_SET) < 0)
                r = croft_error_set(err, errno, "read a layer again");
        return r < 0 ? r : unpack_archive(s, fd, UNPACK_LAYER, err);
}

int oci_apply(struct sink *s, int source, struct croft_error *err)
{
        _cleanup_free_ struct oci_manifest *manifest = malloc(sizeof(*manifest));
        int r;

        if (!manifest)
                return croft_error_set(err, ENOMEM, "read the OCI layout");
        r = find_manifest(source, manifest, err);
        if (r == 0)
                r = check_config(source, &manifest->config, err);
        s->layer = true;
        for (size_t i = 0; r == 0 && i < manifest->n_layers; i++) {
                r = apply_layer(s, source, &manifest->layers[i], err);
                if (r < 0)
                        croft_error_prefix(err, "layer %zu", i + 1);
        }
        return r;
}
