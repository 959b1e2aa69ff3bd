/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * packages.c - what changes when packages of a tree do.  See kext.h.
 *
 * All of these managers write their database at the end of what they do, by a file that is renamed or closed, or by a
 * directory for each package.  Nothing is read of it: a size and a time are enough to see that it is another one.  Who
 * puts an old time back hides a change of its own packages from a scan by itself, and from nothing else.
 */
#include "kext/packages.h"

#include "base/cleanup.h"
#include "base/fd.h"

#include <linux/openat2.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/stat.h>

#define IN_ROOT (RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV)
#define RPM_FILES                                                                                                      \
        {                                                                                                              \
                "rpmdb.sqlite", "rpmdb.sqlite-wal", "Packages", "Packages.db"                                          \
        }

const struct packages_database packages_databases[PACKAGES_DATABASES] = {
        {"var/lib/dpkg", {"status"}},
        {"var/lib/rpm", RPM_FILES},
        {"usr/lib/sysimage/rpm", RPM_FILES},
        {"lib/apk/db", {"installed"}},
        {"usr/lib/apk/db", {"installed"}},
        {"var/lib/pacman/local", {"."}},
};

int packages_open(int root, const char *path)
{
        return fd_open2(root, path, O_PATH, 0, IN_ROOT);
}

/* Of a directory the size says nothing. */
static bool add(EVP_MD_CTX *context, int directory, const char *file)
{
        _cleanup_close_ int fd = packages_open(directory, file);
        struct stat st;
        char line[128];
        int n;

        if (fd < 0 || fstat(fd, &st) < 0)
                return false;
        n = snprintf(line, sizeof(line), "%s %jd %jd.%ld\n", file, S_ISDIR(st.st_mode) ? 0 : (intmax_t)st.st_size,
                (intmax_t)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
        return n > 0 && EVP_DigestUpdate(context, line, (size_t)n) == 1;
}

static size_t add_all(EVP_MD_CTX *context, int root)
{
        size_t n = 0;

        for (size_t i = 0; i < PACKAGES_DATABASES; i++) {
                const struct packages_database *database = &packages_databases[i];
                _cleanup_close_ int directory = packages_open(root, database->directory);

                (void)EVP_DigestUpdate(context, "/", 1); /* what follows is the next one's */
                for (size_t j = 0; directory >= 0 && database->files[j]; j++)
                        n += add(context, directory, database->files[j]);
        }
        return n;
}

void kext_packages_stamp(int root, char stamp[KEXT_SHA256_LENGTH + 1])
{
        EVP_MD_CTX *context = EVP_MD_CTX_new();
        unsigned char sum[EVP_MAX_MD_SIZE];

        stamp[0] = '\0';
        if (context && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1 && add_all(context, root) > 0 &&
                EVP_DigestFinal_ex(context, sum, NULL) == 1)
                for (size_t i = 0; i < KEXT_SHA256_LENGTH / 2; i++)
                        (void)snprintf(stamp + 2 * i, 3, "%02x", sum[i]);
        EVP_MD_CTX_free(context);
}
