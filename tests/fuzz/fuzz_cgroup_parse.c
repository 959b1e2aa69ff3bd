/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fuzz_cgroup_parse.c - text of /proc and of limits: no result leads out of a mount, and what is taken has a normal
 * form that stays.
 *
 * The first byte chooses the decoder: m mountinfo, c cgroup, i io.max, v the files of v1, everything else cpu.max and
 * lists of CPUs.
 */
#include "base/cleanup.h"
#include "base/str.h"
#include "fuzz.h"
#include "kernel/cgroup_parse.h"

#include <string.h>

/* Nothing below a mount may climb. */
static void check_below(const char *root, const char *path)
{
        const char *below = cgroup_path_below(root, path);

        if (!below)
                return;
        fuzz_require(below[0] && below[0] != '/');
        for (const char *p = below; *p; p += strcspn(p, "/"), p += *p == '/')
                fuzz_require(strcspn(p, "/") != 2 || p[0] != '.' || p[1] != '.');
        fuzz_require(cgroup_path_depth(below) <= cgroup_path_depth(path) || strcmp(below, ".") == 0);
}

static void fuzz_mounts(const char *text)
{
        struct cgroup_mount *mounts;
        size_t n;

        fuzz_require(cgroup_parse_mounts(text, &mounts, &n) == 0);
        for (size_t i = 0; i < n; i++) {
                fuzz_require(mounts[i].root[0] == '/' && mounts[i].point[0] == '/');
                (void)str_lists(mounts[i].options, ",", "cpu");
                check_below(mounts[i].root, mounts[i].point);
                check_below(mounts[i].point, mounts[i].root);
        }
        cgroup_mounts_free(mounts, n);
}

static void fuzz_memberships(const char *text)
{
        struct cgroup_membership *lines;
        size_t n;

        fuzz_require(cgroup_parse_memberships(text, &lines, &n) == 0);
        for (size_t i = 0; i < n; i++) {
                fuzz_require(lines[i].path[0] == '/' && !strchr(lines[i].controllers, ':'));
                fuzz_require(!lines[i].v2 || !lines[i].controllers[0]);
                check_below("/", lines[i].path);
                check_below(lines[i].path, lines[0].path);
        }
        cgroup_memberships_free(lines, n);
}

static void fuzz_io(const char *text)
{
        struct cgroup_io_limits limits, again;
        _cleanup_free_ char *normal = NULL, *twice = NULL;

        if (cgroup_parse_io_max(text, &limits) < 0)
                return;
        fuzz_require(limits.count <= CGROUP_IO_DEVICES_MAX);
        normal = cgroup_io_format(&limits);
        fuzz_require(normal && cgroup_parse_io_max(normal, &again) == 0);
        twice = cgroup_io_format(&again);
        fuzz_require(twice && strcmp(normal, twice) == 0);
}

static void fuzz_v1(const char *text)
{
        struct cgroup_io_limits limits = {0};
        _cleanup_free_ char *normal = NULL;

        for (int k = 0; k < CGROUP_IO_KEYS; k++)
                cgroup_io_add_v1(&limits, (enum cgroup_io_key)k, text);
        fuzz_require(limits.count <= CGROUP_IO_DEVICES_MAX);
        normal = cgroup_io_format(&limits);
        fuzz_require(normal);
}

static void fuzz_cpu(const char *text)
{
        uint64_t quota, period;

        if (cgroup_parse_cpu_max(text, &quota, &period))
                fuzz_require(quota >= 1000 && (period == 0 || (period >= 1000 && period <= 1000000)));
        if (cgroup_is_cpu_list(text))
                fuzz_require(strspn(text, "0123456789,-") == strlen(text) && text[0] != ',');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_free_ char *text = strndup((const char *)data, size);

        fuzz_require(text);
        switch (text[0]) {
        case 'm':
                fuzz_mounts(text + 1);
                return 0;
        case 'c':
                fuzz_memberships(text + 1);
                return 0;
        case 'i':
                fuzz_io(text + 1);
                return 0;
        case 'v':
                fuzz_v1(text + 1);
                return 0;
        default:
                fuzz_cpu(text);
                return 0;
        }
}
