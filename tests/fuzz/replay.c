/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * replay.c - runs each file of a corpus through a fuzz target: replay DIRECTORY.  Prints TAP, a claim a file.
 *
 * A target that finds something aborts, and the plan that is missing then makes the test fail.
 */
#include "fuzz.h"

#include "base/cleanup.h"
#include "base/fd.h"

#include <fcntl.h>
#include <string.h>

#define FILE_MAX ((size_t)16 << 20)

static int is_input(const struct dirent *entry)
{
        return entry->d_name[0] != '.';
}

/* The bytes are copied to a block of just their size, so that a read beyond the end is seen. */
static int run(int dir, const char *name)
{
        _cleanup_free_ char *text = NULL;
        _cleanup_free_ uint8_t *bytes = NULL;
        size_t size = 0;
        int r = fd_read_file(dir, name, FILE_MAX, &text, &size);

        if (r < 0)
                return r;
        bytes = malloc(size);
        if (!bytes && size > 0)
                return -ENOMEM;
        if (size > 0)
                memcpy(bytes, text, size);
        return LLVMFuzzerTestOneInput(bytes, size);
}

int main(int argc, char **argv)
{
        struct dirent **entries = NULL;
        int dir, n, failed = 0;

        if (argc != 2) {
                (void)fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
                return 2;
        }
        dir = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        n = scandir(argv[1], &entries, is_input, alphasort);
        if (dir < 0 || n <= 0) {
                (void)fprintf(stderr, "%s: no corpus in '%s'\n", argv[0], argv[1]);
                return 1;
        }
        (void)setvbuf(stdout, NULL, _IOLBF, 0); /* so that an abort doesn't swallow what went well */
        for (int i = 0; i < n; i++) {
                int r = run(dir, entries[i]->d_name);

                (void)printf("%sok %d - %s passes through\n", r ? "not " : "", i + 1, entries[i]->d_name);
                failed += r != 0;
                free(entries[i]);
        }
        free(entries);
        close_fd(dir);
        (void)printf("1..%d\n", n);
        return failed ? 1 : 0;
}
