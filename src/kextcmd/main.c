/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * main.c - croft-extension(1): loads and unloads kernel extensions of the partition that it runs in, by the calls that
 * insmod(8) and rmmod(8) make.  Static, so that it runs on any root.  In global there is `croft kext`.
 *
 * Who answers these calls tells no more than an errno; what it can mean is said here.
 */
#include "base/cleanup.h"
#include "base/fail.h"
#include "base/str.h"

#include <croft/error.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#define PARAMETERS_MAX 4096 /* bytes, with blanks between them */

static void help(void)
{
        (void)fputs("croft-extension load FILE [PARAMETER]...\n"
                    "croft-extension unload NAME...\n"
                    "\n"
                    "Kernel extensions that this partition is granted: modules, and objects of BPF programs.\n"
                    "\n"
                    "  FILE       has the same bytes as one that is registered; what it is called doesn't matter\n"
                    "  PARAMETER  NAME or NAME=VALUE, of a module, as far as it is granted\n"
                    "  NAME       what the extension is called: as a module is, or as the object's file was when\n"
                    "             it was registered\n",
                stdout);
}

/* The words from the third on, as finit_module(2) takes them. */
static int join(char *const words[], char (*ret)[PARAMETERS_MAX], struct croft_error *err)
{
        size_t used = 0;

        (*ret)[0] = '\0';
        for (size_t i = 0; words[i]; i++) {
                int n = snprintf(*ret + used, sizeof(*ret) - used, "%s%s", i > 0 ? " " : "", words[i]);

                if (n < 0 || (size_t)n >= sizeof(*ret) - used)
                        return croft_error_set(err, E2BIG, "give parameters of %d bytes at most.", PARAMETERS_MAX - 1);
                used += (size_t)n;
        }
        return 0;
}

static int explain_load(int code, const char *file, struct croft_error *err)
{
        switch (code) {
        case ENOEXEC:
                return croft_error_set(err, EILSEQ,
                        "'%s' isn't equivalent to an extension that is registered, or the kernel doesn't take it.",
                        file);
        case EPERM:
                return croft_error_set(err, EPERM,
                        "'%s' isn't granted to this partition, not with these parameters, or superseded.", file);
        case EEXIST:
                return croft_error_set(err, EEXIST, "this partition has '%s' already.", file);
        case ENOENT:
                return croft_error_set(err, ENOENT, "what '%s' needs isn't there.", file);
        case EBUSY:
                return croft_error_set(err, EBUSY, "'%s' can't be loaded beside what is loaded.", file);
        default:
                return croft_error_set(err, code, "load '%s'", file);
        }
}

static int load(char *const words[], struct croft_error *err)
{
        _cleanup_close_ int fd = -EBADF;
        char parameters[PARAMETERS_MAX], shown[256];
        int r;

        (void)str_escape(shown, sizeof(shown), words[0], strnlen(words[0], 80));
        fd = open(words[0], O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (fd < 0)
                return croft_error_set(err, errno, "open '%s'", shown);
        r = join(words + 1, &parameters, err);
        if (r < 0)
                return r;
        return syscall(SYS_finit_module, fd, parameters, 0) < 0 ? explain_load(errno, shown, err) : 0;
}

static int unload_one(const char *name, struct croft_error *err)
{
        char shown[256];

        (void)str_escape(shown, sizeof(shown), name, strnlen(name, 80));
        if (syscall(SYS_delete_module, name, O_NONBLOCK) == 0)
                return 0;
        switch (errno) {
        case ENOENT:
                return croft_error_set(err, ENOENT, "this partition has no extension '%s'.", shown);
        case EPERM:
                return croft_error_set(err, EPERM, "this partition may unload no extension.");
        case EAGAIN:
                return croft_error_set(err, EAGAIN, "others that this partition has need '%s'.", shown);
        default:
                return croft_error_set(err, errno, "unload '%s'", shown);
        }
}

static int unload(char *const words[], struct croft_error *err)
{
        int r = 0;

        for (size_t i = 0; r == 0 && words[i]; i++)
                r = unload_one(words[i], err);
        return r;
}

int main(int argc, char **argv)
{
        struct croft_error err = CROFT_ERROR_INIT;
        const char *word = argc > 1 ? argv[1] : "";
        char line[CROFT_ERROR_TEXT_MAX];
        bool loads = strcmp(word, "load") == 0;

        if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
                help();
                return fflush(stdout) < 0 ? CROFT_EXIT_FAILURE : 0;
        }
        if (!loads && strcmp(word, "unload") != 0)
                return FAIL(CROFT_EXIT_USAGE, "there are load and unload, not '%s'; see --help", word);
        if (argc < 3)
                return FAIL(CROFT_EXIT_USAGE, "'%s' wants %s", word, loads ? "a file" : "a name");
        if ((loads ? load : unload)(argv + 2, &err) < 0)
                return FAIL((int)croft_error_exit(&err), "%s", croft_error_line(&err, line, sizeof(line)));
        return 0;
}
