/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fuzz_image_archive.c - archives, unpacked without the worker's sandbox into DIR/in: whatever they hold, DIR/out
 * beside it stays as it is.  The first byte chooses the pass.
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "fuzz.h"
#include "image/sink.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

static int outside_is_whole(int dir)
{
        struct stat st;

        return fstatat(dir, "out/sentinel", &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_size == 4 && st.st_nlink == 1 &&
               st.st_mtime == 1000000000 && fstatat(dir, "out", &st, AT_SYMLINK_NOFOLLOW) == 0 &&
               st.st_mtime == 1000000000;
}

static void prepare(int dir)
{
        const struct timespec times[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};

        fuzz_require(mkdirat(dir, "in", 0755) == 0 && mkdirat(dir, "out", 0755) == 0);
        fuzz_require(fd_replace_file(dir, "out/sentinel", "safe", 4, 0644, NULL) == 0);
        fuzz_require(symlinkat("../out", dir, "in/way") == 0);
        fuzz_require(utimensat(dir, "out/sentinel", times, 0) == 0 && utimensat(dir, "out", times, 0) == 0);
}

static void unpack(int dir, enum unpack_pass pass, const uint8_t *data, size_t size)
{
        _cleanup_close_ int root = openat(dir, "in", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        _cleanup_close_ int file = memfd_create("archive", MFD_CLOEXEC);
        struct croft_error err = CROFT_ERROR_INIT;
        struct sink s = SINK_INIT;
        int r;

        fuzz_require(root >= 0 && file >= 0 && fd_write_all(file, data, size) == 0 && lseek(file, 0, SEEK_SET) == 0);
        s.root = root;
        s.max_bytes = 1 << 20;
        s.max_entries = 64;
        s.layer = pass != UNPACK_ALL;
        r = unpack_archive(&s, file, pass, &err);
        fuzz_require(r == 0 || err.code > 0);
        (void)sink_end(&s, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        char path[] = "/tmp/croft-fuzz.XXXXXX";
        _cleanup_close_ int dir = -EBADF;

        if (size == 0 || data[0] < '0' || data[0] > '2')
                return 0;
        fuzz_require(mkdtemp(path));
        dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        fuzz_require(dir >= 0);
        prepare(dir);
        unpack(dir, (enum unpack_pass)(data[0] - '0'), data + 1, size - 1);
        fuzz_require(outside_is_whole(dir));
        fuzz_require(fd_remove_tree(AT_FDCWD, path, NULL) == 0);
        return 0;
}
