/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * users.c - looks up users in the text of passwd(5) and group(5).  See users.h.
 */
#include "warden/users.h"

#include "base/str.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* A field of a line: not NUL-ended. */
struct text {
        const char *at;
        size_t size;
};

static bool equals(struct text t, const char *s)
{
        return strlen(s) == t.size && memcmp(t.at, s, t.size) == 0;
}

/* Cuts the next part off, up to the separator or the end. */
static struct text cut(struct text *rest, char separator)
{
        const char *end = rest->size ? memchr(rest->at, separator, rest->size) : NULL;
        struct text part = {rest->at, end ? (size_t)(end - rest->at) : rest->size};
        size_t gone = end ? part.size + 1 : part.size;

        rest->at += gone;
        rest->size -= gone;
        return part;
}

/* A line's first n fields; false: it has fewer. */
static bool split(struct text line, struct text *fields, size_t n)
{
        const char *end = line.at + line.size;

        for (size_t i = 0; i < n; i++) {
                if (i > 0 && (fields[i - 1].at + fields[i - 1].size == end))
                        return false;
                fields[i] = cut(&line, ':');
        }
        return true;
}

static bool number(struct text t, uint64_t max, uint64_t *ret)
{
        char digits[16];

        if (t.size == 0 || t.size >= sizeof(digits))
                return false;
        memcpy(digits, t.at, t.size);
        digits[t.size] = '\0';
        return str_to_u64(digits, max, ret);
}

/* Cut to size; bytes that would be more than one line or string are kept out. */
static void keep(char *to, size_t size, struct text t, const char *otherwise)
{
        if (t.size == 0 || t.size >= size || memchr(t.at, '\0', t.size)) {
                (void)str_copy(to, size, otherwise);
                return;
        }
        memcpy(to, t.at, t.size);
        to[t.size] = '\0';
}

static struct text whole(const char *file)
{
        return (struct text){file ? file : "", file ? strlen(file) : 0};
}

/* The passwd line of that name, or of that uid (when by_uid). */
static bool find_user(const char *passwd, const char *who, bool by_uid, uint64_t uid, uint64_t max, struct user *u)
{
        struct text rest = whole(passwd), f[7];
        uint64_t line_uid, line_gid;

        while (rest.size > 0) {
                struct text line = cut(&rest, '\n');

                if (!split(line, f, 7) || !number(f[2], max, &line_uid) || !number(f[3], max, &line_gid))
                        continue;
                if (by_uid ? line_uid != uid : !equals(f[0], who))
                        continue;
                u->uid = (uid_t)line_uid;
                u->gid = (gid_t)line_gid;
                keep(u->name, sizeof(u->name), f[0], who);
                keep(u->home, sizeof(u->home), f[5], "/");
                keep(u->shell, sizeof(u->shell), f[6], "/bin/sh");
                return true;
        }
        return false;
}

static bool find_group(const char *group, const char *who, uint64_t max, gid_t *ret)
{
        struct text rest = whole(group), f[3];
        uint64_t gid;

        while (rest.size > 0) {
                struct text line = cut(&rest, '\n');

                if (split(line, f, 3) && equals(f[0], who) && number(f[2], max, &gid)) {
                        *ret = (gid_t)gid;
                        return true;
                }
        }
        return false;
}

static bool is_member(struct text members, const char *name)
{
        while (members.size > 0)
                if (equals(cut(&members, ','), name))
                        return true;
        return false;
}

static void find_memberships(const char *group, uint64_t max, struct user *u)
{
        struct text rest = whole(group), f[4];
        uint64_t gid;

        while (rest.size > 0 && u->n_groups < USERS_GROUPS_MAX) {
                struct text line = cut(&rest, '\n');

                if (split(line, f, 4) && number(f[2], max, &gid) && is_member(f[3], u->name))
                        u->groups[u->n_groups++] = (gid_t)gid;
        }
}

static int set_group(const char *who, const char *group, uint64_t max, struct user *u, struct croft_error *err)
{
        uint64_t gid;

        if (str_to_u64(who, UINT32_MAX, &gid)) {
                if (gid > max)
                        return croft_error_set(err, EINVAL, "group %s is none of the partition's.", who);
                u->gid = (gid_t)gid;
                return 0;
        }
        if (!find_group(group, who, max, &u->gid))
                return croft_error_set(err, ENOENT, "no group '%s' in the partition.", who);
        return 0;
}

int users_find(
        const char *who, const char *passwd, const char *group, uid_t count, struct user *ret, struct croft_error *err)
{
        struct user u = {.home = "/", .shell = "/bin/sh"};
        uint64_t uid = 0, max = (uint64_t)count - 1;
        const char *colon = strchr(who, ':');
        char name[64];
        bool numeric;
        int r;

        if (!str_copy(name, sizeof(name), who) || count == 0)
                return croft_error_set(err, EINVAL, "the user's name is too long.");
        if (colon)
                name[colon - who] = '\0';
        numeric = str_to_u64(name, UINT32_MAX, &uid);
        if (numeric && uid > max)
                return croft_error_set(err, EINVAL, "user %s is none of the partition's.", name);
        if (!find_user(passwd, name, numeric, uid, max, &u)) {
                /* A root without passwd (a single static program) has a root all the same. */
                if (!numeric && strcmp(name, "root") != 0)
                        return croft_error_set(err, ENOENT, "no user '%s' in the partition.", name);
                u.uid = (uid_t)uid;
                u.gid = numeric && !colon ? (gid_t)uid : 0;
                (void)str_copy(u.name, sizeof(u.name), name);
        }
        if (colon) {
                r = set_group(colon + 1, group, max, &u, err);
                if (r < 0)
                        return r;
        } else {
                find_memberships(group, max, &u);
        }
        *ret = u;
        return 0;
}
