/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * paths.c - which names of the host's /etc may go into a template at all.  Pure.
 *
 * The list of refused names is a second line of defence: what is copied must be public and as its package shipped it.
 */
#include "base/str.h"
#include "image/native.h"

#include <stdio.h>
#include <string.h>

static bool has_suffix(const char *text, const char *suffix)
{
        size_t n = strlen(text), m = strlen(suffix);

        return n >= m && strcmp(text + n - m, suffix) == 0;
}

bool native_is_denied(const char *path)
{
        static const char *const names[] = {"etc/shadow", "etc/gshadow", "etc/passwd", "etc/group", "etc/subuid",
                "etc/subgid", "etc/machine-id", "etc/hostid", "etc/krb5.keytab", "etc/fstab", "etc/crypttab",
                "etc/hostname", "etc/hosts", "etc/resolv.conf", "etc/adjtime"};
        static const char *const folders[] = {"etc/ssl/private/", "etc/apt/auth.conf", "etc/ssh/ssh_host_",
                "etc/wireguard/", "etc/ipsec.d/private/", "etc/letsencrypt/", "etc/croft/", "etc/pki/tls/private/"};
        static const char *const endings[] = {
                "-", ".key", ".keytab", ".p12", ".pfx", ".dpkg-old", ".dpkg-new", ".dpkg-dist", ".bak", ".orig", "~"};

        if (!str_has_prefix(path, "etc/") || strstr(path, "/../") || has_suffix(path, "/.."))
                return true;
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
                if (strcmp(path, names[i]) == 0)
                        return true;
        for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
                if (str_has_prefix(path, folders[i]))
                        return true;
        for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++)
                if (has_suffix(path, endings[i]))
                        return true;
        return false;
}

/* Appends one component to dst ("" or "a/b"), or takes one away for "..". */
static bool push(char *dst, size_t size, const char *part, size_t length)
{
        size_t used = strlen(dst);

        if (length == 0 || (length == 1 && part[0] == '.'))
                return true;
        if (length == 2 && part[0] == '.' && part[1] == '.') {
                char *slash = strrchr(dst, '/');

                if (used == 0)
                        return false;
                *(slash ? slash : dst) = '\0';
                return true;
        }
        if (used + length + 2 > size)
                return false;
        (void)snprintf(dst + used, size - used, "%s%.*s", used ? "/" : "", (int)length, part);
        return true;
}

bool native_resolve_link(const char *link_path, const char *target, char *dst, size_t size)
{
        const char *slash = strrchr(link_path, '/');

        size_t above = target[0] != '/' && slash ? (size_t)(slash - link_path) : 0;

        if (above + 1 > size)
                return false;
        memcpy(dst, link_path, above);
        dst[above] = '\0';
        while (*target) {
                size_t length = strcspn(target, "/");

                if (!push(dst, size, target, length))
                        return false;
                target += length + (target[length] == '/');
        }
        return true;
}

/* Services that a fresh partition may start by itself; the host's others stay the host's. */
static bool is_wanted_unit(const char *link_path)
{
        static const char *const units[] = {"dbus.service", "dbus.socket", "cron.service", "rsyslog.service",
                "syslog.service", "remote-fs.target", "default.target", "ctrl-alt-del.target",
                "systemd-networkd.service", "systemd-networkd.socket", "dbus-org.freedesktop.network1.service",
                "systemd-resolved.service", "dbus-org.freedesktop.resolve1.service", "networking.service"};
        const char *name = strrchr(link_path, '/') + 1;

        for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
                if (strcmp(name, units[i]) == 0)
                        return true;
        return false;
}

enum native_link native_judge_link(const char *link_path, const char *target)
{
        static const char *const shared[] = {
                "usr/", "opt/", "bin/", "sbin/", "lib/", "lib32/", "lib64/", "libx32/", "libo32/"};
        char meaning[4096];

        if (native_is_denied(link_path) || !native_resolve_link(link_path, target, meaning, sizeof(meaning)))
                return NATIVE_LINK_NO;
        /* rcN.d: the host's choice of services */
        if (str_has_prefix(link_path, "etc/rc") && strlen(link_path) > 8 && str_has_prefix(link_path + 7, ".d/"))
                return NATIVE_LINK_NO;
        if (str_has_prefix(link_path, "etc/systemd/system/") && !is_wanted_unit(link_path))
                return NATIVE_LINK_NO;
        for (size_t i = 0; i < sizeof(shared) / sizeof(shared[0]); i++)
                if (str_has_prefix(meaning, shared[i]))
                        return NATIVE_LINK_SHARED;
        if (str_has_prefix(meaning, "etc/alternatives/"))
                return NATIVE_LINK_SHARED;
        return str_has_prefix(meaning, "etc/") && !native_is_denied(meaning) ? NATIVE_LINK_IF_PRESENT : NATIVE_LINK_NO;
}
