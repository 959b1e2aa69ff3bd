/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * names.c - words about extensions.  Pure; see kext.h.
 */
#include "base/cleanup.h"
#include "base/str.h"
#include "kext/kext.h"

#include <string.h>

#define OBJECT_NAME_MAX 55 /* delete_module(2) takes no longer one */

const char *kext_kind_name(enum kext_kind kind)
{
        return kind == KEXT_KO ? "ko" : kind == KEXT_BPF ? "bpf" : "unknown";
}

const char *kext_state_name(enum kext_state state)
{
        switch (state) {
        case KEXT_CURRENT:
                return "CURRENT";
        case KEXT_SUPERSEDED:
                return "SUPERSEDED";
        case KEXT_REVOKED:
                return "REVOKED";
        }
        return "UNKNOWN";
}

const char *kext_scan_reason_name(enum kext_scan_reason reason)
{
        switch (reason) {
        case KEXT_SCAN_CREATE:
                return "create";
        case KEXT_SCAN_REQUEST:
                return "request";
        case KEXT_SCAN_PACKAGES:
                return "packages";
        case KEXT_SCAN_SYNC:
                return "sync";
        }
        return "UNKNOWN";
}

const char *kext_release(const char *vermagic, char *buf, size_t size)
{
        (void)str_copy(buf, size, vermagic);
        buf[strcspn(buf, " ")] = '\0';
        return buf;
}

static bool is_name_char(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

bool kext_name_normalise(const char *text, char name[KEXT_NAME_MAX + 1])
{
        size_t n = 0;

        for (; text[n]; n++) {
                char c = text[n] == '-' ? '_' : text[n];

                if (n == KEXT_NAME_MAX || !is_name_char(c))
                        return false;
                name[n] = c;
        }
        name[n] = '\0';
        return n > 0;
}

static bool ends_with(const char *path, const char *ending)
{
        size_t n = strlen(path), m = strlen(ending);

        return n > m && path[n - m - 1] != '/' && strcmp(path + n - m, ending) == 0;
}

bool kext_is_file_name(const char *path)
{
        static const char *const endings[] = {".ko", ".ko.xz", ".ko.zst", ".ko.gz", ".bpf.o"};

        for (size_t i = 0; i < ELEMENTS(endings); i++)
                if (ends_with(path, endings[i]))
                        return true;
        return false;
}

bool kext_is_object_name(const char *path)
{
        return ends_with(path, ".bpf.o");
}

bool kext_name_of_object(const char *path, char name[KEXT_NAME_MAX + 1])
{
        const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
        char stem[KEXT_NAME_MAX + sizeof(".bpf.o")];

        if (!str_copy(stem, sizeof(stem), base))
                return false;
        if (ends_with(stem, ".o"))
                stem[strlen(stem) - strlen(".o")] = '\0';
        if (ends_with(stem, ".bpf"))
                stem[strlen(stem) - strlen(".bpf")] = '\0';
        return strlen(stem) <= OBJECT_NAME_MAX && strcmp(stem, KEXT_ALL) != 0 && kext_name_normalise(stem, name);
}

bool kext_is_sha256(const char *text)
{
        return strspn(text, "0123456789abcdef") == KEXT_SHA256_LENGTH && text[KEXT_SHA256_LENGTH] == '\0';
}

bool kext_depends_next(const char **at, char name[KEXT_NAME_MAX + 1])
{
        while (**at) {
                size_t n = strcspn(*at, ",");
                const char *word = *at;

                *at += n + (word[n] == ',');
                if (n > 0 && n <= KEXT_NAME_MAX) {
                        memcpy(name, word, n);
                        name[n] = '\0';
                        if (kext_name_normalise(name, name))
                                return true;
                }
        }
        return false;
}
