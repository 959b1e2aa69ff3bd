/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * module.c - see module.h.
 */
#include "kernel/module.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/str.h"
#include "kernel/notify.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#define TEXT_MAX 4096
#define NOTE_HEAD 16 /* sizes of name and description, type, and "GNU" */

enum module_call module_call_of(uint32_t arch, int32_t number)
{
        static const struct {
                uint32_t arch;
                int32_t init, finit, remove;
        } calls[] = {{AUDIT_ARCH_X86_64, 175, 313, 176},
                {AUDIT_ARCH_X86_64, NOTIFY_X32_BIT | 175, NOTIFY_X32_BIT | 313, NOTIFY_X32_BIT | 176},
                {AUDIT_ARCH_I386, 128, 350, 129}, {AUDIT_ARCH_AARCH64, 105, 273, 106}};

        for (size_t i = 0; i < ELEMENTS(calls); i++)
                if (calls[i].arch == arch) {
                        if (calls[i].init == number)
                                return MODULE_INIT;
                        if (calls[i].finit == number)
                                return MODULE_FINIT;
                        if (calls[i].remove == number)
                                return MODULE_DELETE;
                }
        return 0;
}

int module_load(int fd, const char *parameters, int flags, struct croft_error *err)
{
        if (syscall(SYS_finit_module, fd, parameters, flags) < 0)
                return croft_error_set(err, errno, "load it into the kernel");
        return 0;
}

int module_unload(const char *name)
{
        if (syscall(SYS_delete_module, name, O_NONBLOCK) == 0)
                return 0;
        return errno == EWOULDBLOCK ? -EBUSY : -errno;
}

/* A short text below /sys/module/NAME, without its line break. */
static int read_text(const char *name, const char *file, char *buf, size_t size)
{
        _cleanup_free_ char *text = NULL;
        char path[256];
        int r;

        (void)snprintf(path, sizeof(path), "/sys/module/%s/%s", name, file);
        r = fd_read_file(AT_FDCWD, path, TEXT_MAX, &text, NULL);
        if (r < 0)
                return r;
        text[strcspn(text, "\n")] = '\0';
        return str_copy(buf, size, text) ? 0 : -EMSGSIZE;
}

enum module_state module_find(const char *name)
{
        char path[256], text[16];

        /* First: it mostly isn't there, and one that goes meanwhile has gone in either case. */
        (void)snprintf(path, sizeof(path), "/sys/module/%s", name);
        if (access(path, F_OK) < 0)
                return MODULE_ABSENT;
        if (read_text(name, "initstate", text, sizeof(text)) == 0)
                return strcmp(text, "live") == 0 ? MODULE_LIVE : MODULE_CHANGING;
        return access(path, F_OK) == 0 ? MODULE_BUILT_IN : MODULE_ABSENT;
}

static void read_build_id(const char *name, char *hex, size_t size)
{
        _cleanup_free_ char *note = NULL;
        char path[256];
        size_t n = 0;

        (void)snprintf(path, sizeof(path), "/sys/module/%s/notes/.note.gnu.build-id", name);
        if (fd_read_file(AT_FDCWD, path, TEXT_MAX, &note, &n) < 0 || n <= NOTE_HEAD || 2 * (n - NOTE_HEAD) >= size)
                return;
        for (size_t i = NOTE_HEAD; i < n; i++)
                (void)snprintf(hex + 2 * (i - NOTE_HEAD), 3, "%02x", (unsigned char)note[i]);
}

uint64_t module_size(const char *name)
{
        char text[32];
        uint64_t size = 0;

        (void)(read_text(name, "coresize", text, sizeof(text)) == 0 && str_to_u64(text, UINT64_MAX, &size));
        return size;
}

void module_look(const char *name, struct module_versions *ret)
{
        *ret = (struct module_versions){.build_id = ""};
        (void)read_text(name, "srcversion", ret->srcversion, sizeof(ret->srcversion));
        read_build_id(name, ret->build_id, sizeof(ret->build_id));
}
