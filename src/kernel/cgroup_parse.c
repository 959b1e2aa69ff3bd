/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cgroup_parse.c - where the hierarchies of control groups are, out of /proc text.  See cgroup_parse.h.
 *
 * A mount's point and root come from whoever mounted it: only the fields of the known grammar are taken, escapes are
 * undone, and the result is used with openat2() and a check of the file system's magic number by the caller.
 */
#include "kernel/cgroup_parse.h"

#include "base/cleanup.h"
#include "base/str.h"

#include <string.h>

#define MOUNT_FIELDS_MAX 64 /* more optional fields than any kernel has */

/* Undoes \040 and the like in place. */
static void unescape(char *s)
{
        char *to = s;

        while (*s) {
                if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' && s[2] <= '7' && s[3] >= '0' &&
                        s[3] <= '7') {
                        *to++ = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
                        s += 4;
                } else {
                        *to++ = *s++;
                }
        }
        *to = '\0';
}

/* Grows a list by one zeroed element; NULL: no memory. */
static void *grow(void **list, size_t count, size_t size)
{
        char *p = realloc(*list, (count + 1) * size);

        if (!p)
                return NULL;
        *list = p;
        memset(p + count * size, 0, size);
        return p + count * size;
}

void cgroup_mounts_free(struct cgroup_mount *mounts, size_t count)
{
        for (size_t i = 0; i < count; i++) {
                free(mounts[i].root);
                free(mounts[i].point);
                free(mounts[i].options);
        }
        free(mounts);
}

void cgroup_memberships_free(struct cgroup_membership *memberships, size_t count)
{
        for (size_t i = 0; i < count; i++) {
                free(memberships[i].controllers);
                free(memberships[i].path);
        }
        free(memberships);
}

/* Splits a line of mountinfo: "36 35 98:0 /root /point options [optional]* - type source super-options".  Returns the
 * index of the type, 0 when the line isn't of this form. */
static size_t split_mount(char *line, char *fields[MOUNT_FIELDS_MAX])
{
        size_t n = 0, dash = 0;
        char *save = NULL;

        for (char *f = strtok_r(line, " ", &save); f; f = strtok_r(NULL, " ", &save)) {
                if (n == MOUNT_FIELDS_MAX)
                        return 0;
                if (n >= 6 && !dash && strcmp(f, "-") == 0)
                        dash = n;
                fields[n++] = f;
        }
        return dash && n == dash + 4 ? dash + 1 : 0;
}

static int add_mount(char *line, struct cgroup_mount **list, size_t *count)
{
        char *fields[MOUNT_FIELDS_MAX];
        size_t type = split_mount(line, fields);
        struct cgroup_mount *m;

        if (type == 0 || (strcmp(fields[type], "cgroup") != 0 && strcmp(fields[type], "cgroup2") != 0))
                return 0;
        unescape(fields[3]);
        unescape(fields[4]);
        if (fields[3][0] != '/' || fields[4][0] != '/')
                return 0;
        m = grow((void **)list, *count, sizeof(*m));
        if (!m)
                return -ENOMEM;
        (*count)++;
        m->v2 = strcmp(fields[type], "cgroup2") == 0;
        m->root = strdup(fields[3]);
        m->point = strdup(fields[4]);
        m->options = strdup(fields[type + 2]);
        return m->root && m->point && m->options ? 0 : -ENOMEM;
}

int cgroup_parse_mounts(const char *text, struct cgroup_mount **ret, size_t *ret_count)
{
        _cleanup_free_ char *copy = strdup(text);
        struct cgroup_mount *list = NULL;
        size_t count = 0;
        char *save = NULL;
        int r = copy ? 0 : -ENOMEM;

        for (char *line = copy ? strtok_r(copy, "\n", &save) : NULL; line && r == 0; line = strtok_r(NULL, "\n", &save))
                r = add_mount(line, &list, &count);
        if (r < 0) {
                cgroup_mounts_free(list, count);
                return r;
        }
        *ret = list;
        *ret_count = count;
        return 0;
}

/* "4:memory:/path": the path may hold colons, the list of controllers can't. */
static int add_membership(char *line, struct cgroup_membership **list, size_t *count)
{
        char *controllers = strchr(line, ':'), *path = controllers ? strchr(controllers + 1, ':') : NULL;
        struct cgroup_membership *m;
        uint64_t id;

        if (!path || path[1] != '/')
                return 0;
        *controllers++ = '\0';
        *path++ = '\0';
        if (!str_to_u64(line, UINT32_MAX, &id))
                return 0;
        m = grow((void **)list, *count, sizeof(*m));
        if (!m)
                return -ENOMEM;
        (*count)++;
        m->v2 = id == 0 && !*controllers;
        m->controllers = strdup(controllers);
        m->path = strdup(path);
        return m->controllers && m->path ? 0 : -ENOMEM;
}

int cgroup_parse_memberships(const char *text, struct cgroup_membership **ret, size_t *ret_count)
{
        _cleanup_free_ char *copy = strdup(text);
        struct cgroup_membership *list = NULL;
        size_t count = 0;
        char *save = NULL;
        int r = copy ? 0 : -ENOMEM;

        for (char *line = copy ? strtok_r(copy, "\n", &save) : NULL; line && r == 0; line = strtok_r(NULL, "\n", &save))
                r = add_membership(line, &list, &count);
        if (r < 0) {
                cgroup_memberships_free(list, count);
                return r;
        }
        *ret = list;
        *ret_count = count;
        return 0;
}

/* Has the path a component ".."?  The kernel writes such paths for cgroups outside of the reader's cgroup namespace. */
static bool climbs(const char *path)
{
        while (*path) {
                size_t n = strcspn(path, "/");

                if (n == 2 && path[0] == '.' && path[1] == '.')
                        return true;
                path += n + (path[n] == '/');
        }
        return false;
}

const char *cgroup_path_below(const char *root, const char *path)
{
        size_t n = strlen(root);

        if (climbs(root) || climbs(path))
                return NULL;
        while (n > 0 && root[n - 1] == '/')
                n--;
        if (strncmp(path, root, n) != 0 || (path[n] != '/' && path[n] != '\0'))
                return NULL;
        path += n;
        path += strspn(path, "/");
        return *path ? path : ".";
}

unsigned int cgroup_path_depth(const char *path)
{
        unsigned int depth = 0;

        while (*path) {
                size_t n = strcspn(path, "/");

                depth += n > 0;
                path += n + (path[n] == '/');
        }
        return depth;
}
