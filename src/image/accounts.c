/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * accounts.c - the accounts of a template: masters of base-passwd, sysusers.d, and system accounts that packages make.
 * Pure: texts in, texts out.
 *
 * Only names, numbers, homes and shells are ever taken; no password field, member list or comment of the host is.
 */
#include "base/cleanup.h"
#include "base/str.h"
#include "image/native.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define FIELDS_MAX 8
#define NOLOGIN "/usr/sbin/nologin"

void native_accounts_done(struct native_accounts *a)
{
        free(a->users);
        free(a->groups);
        memset(a, 0, sizeof(*a));
}

const struct native_user *native_accounts_user(const struct native_accounts *a, const char *name)
{
        for (size_t i = 0; i < a->n_users; i++)
                if (strcmp(a->users[i].name, name) == 0)
                        return &a->users[i];
        return NULL;
}

const struct native_group *native_accounts_group_of(const struct native_accounts *a, const char *name)
{
        for (size_t i = 0; i < a->n_groups; i++)
                if (strcmp(a->groups[i].name, name) == 0)
                        return &a->groups[i];
        return NULL;
}

static bool is_account_name(const char *name)
{
        size_t n = strlen(name);

        return n > 0 && n <= 32 && !isdigit((unsigned char)name[0]) && name[0] != '-' &&
               strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") == n;
}

/* A path for the fields of passwd: absolute, printable, without what would end the field. */
static bool is_plain_path(const char *path)
{
        for (const char *p = path; *p; p++)
                if (!isgraph((unsigned char)*p) || *p == ':')
                        return false;
        return path[0] == '/';
}

static int add_user(struct native_accounts *a, const struct native_user *user)
{
        struct native_user *p;

        if (!is_account_name(user->name) || native_accounts_user(a, user->name) || user->uid > 65535 ||
                user->gid > 65535)
                return 0;
        p = reallocarray(a->users, a->n_users + 1, sizeof(*p));
        if (!p)
                return -ENOMEM;
        a->users = p;
        p[a->n_users++] = *user;
        return 0;
}

static int add_group(struct native_accounts *a, const struct native_group *group)
{
        struct native_group *p;

        if (!is_account_name(group->name) || native_accounts_group_of(a, group->name) || group->gid > 65535)
                return 0;
        p = reallocarray(a->groups, a->n_groups + 1, sizeof(*p));
        if (!p)
                return -ENOMEM;
        a->groups = p;
        p[a->n_groups++] = *group;
        return 0;
}

/* Cuts line (changed) at every ':'; returns the number of fields. */
static size_t split(char *line, char *fields[FIELDS_MAX])
{
        size_t n = 0;

        while (n < FIELDS_MAX && (fields[n] = strsep(&line, ":")))
                n++;
        return n;
}

/* Calls each for every line (a copy it may change). */
static int each_line(struct native_accounts *a, const char *text,
        int (*each)(struct native_accounts *, char *, const void *), const void *arg)
{
        _cleanup_free_ char *copy = strdup(text);
        char *rest = copy, *line;
        int r = copy ? 0 : -ENOMEM;

        while (r == 0 && (line = strsep(&rest, "\n")))
                r = each(a, line, arg);
        return r;
}

struct range {
        uint32_t min, max;
};

static bool to_id(const char *text, uint32_t *ret)
{
        uint64_t number;

        if (!str_to_u64(text, 65535, &number))
                return false;
        *ret = (uint32_t)number;
        return true;
}

static int passwd_line(struct native_accounts *a, char *line, const void *arg)
{
        const struct range *range = arg;
        struct native_user user = {0};
        char *f[FIELDS_MAX];

        if (split(line, f) != 7 || !to_id(f[2], &user.uid) || !to_id(f[3], &user.gid) || user.uid < range->min ||
                user.uid > range->max)
                return 0;
        if (!str_copy(user.name, sizeof(user.name), f[0]) || !str_copy(user.home, sizeof(user.home), f[5]) ||
                !str_copy(user.shell, sizeof(user.shell), f[6]) || !is_plain_path(user.home) ||
                !is_plain_path(user.shell))
                return 0;
        return add_user(a, &user);
}

int native_accounts_passwd(struct native_accounts *a, const char *text, uint32_t min, uint32_t max)
{
        return each_line(a, text, passwd_line, &(struct range){min, max});
}

static int group_line(struct native_accounts *a, char *line, const void *arg)
{
        const struct range *range = arg;
        struct native_group group = {0};
        char *f[FIELDS_MAX];

        if (split(line, f) != 4 || !to_id(f[2], &group.gid) || group.gid < range->min || group.gid > range->max ||
                !str_copy(group.name, sizeof(group.name), f[0]))
                return 0;
        return add_group(a, &group);
}

int native_accounts_group(struct native_accounts *a, const char *text, uint32_t min, uint32_t max)
{
        return each_line(a, text, group_line, &(struct range){min, max});
}

static bool uid_is_free(const struct native_accounts *a, uint32_t id)
{
        for (size_t i = 0; i < a->n_users; i++)
                if (a->users[i].uid == id)
                        return false;
        return true;
}

static bool gid_is_free(const struct native_accounts *a, uint32_t id)
{
        for (size_t i = 0; i < a->n_groups; i++)
                if (a->groups[i].gid == id)
                        return false;
        return true;
}

/* From 999 down, as systemd-sysusers does; free in both files, and unused by the host, too: /usr is shared, and what a
 * host account owns there mustn't become another one's. */
static uint32_t free_id(const struct native_accounts *a, const struct native_accounts *host)
{
        for (uint32_t id = 999; id >= 100; id--)
                if (uid_is_free(a, id) && gid_is_free(a, id) && uid_is_free(host, id) && gid_is_free(host, id))
                        return id;
        return 65535; /* nogroup's neighbour: nothing owns it */
}

/* Next word of *p, quotes taken away; "" at the end. */
static const char *next_word(char **p)
{
        char *word, quote;

        *p += strspn(*p, " \t");
        if (**p != '"' && **p != '\'') {
                word = *p;
                *p += strcspn(*p, " \t");
        } else {
                quote = **p;
                word = ++*p;
                *p = strchrnul(*p, quote);
        }
        if (**p)
                *(*p)++ = '\0';
        return word;
}

static int sysusers_group(
        struct native_accounts *a, const char *name, const char *id, const struct native_accounts *host)
{
        const struct native_group *known = native_accounts_group_of(host, name);
        struct native_group group = {0};

        if (!str_copy(group.name, sizeof(group.name), name))
                return 0;
        if (!to_id(id, &group.gid))
                group.gid = known ? known->gid : free_id(a, host);
        return add_group(a, &group);
}

/* Primary group of "u NAME UID[:GROUP]". */
static int sysusers_primary(
        struct native_accounts *a, struct native_user *user, const char *group, const struct native_accounts *host)
{
        const struct native_group *found;
        char number[16];
        int r;

        if (group && to_id(group, &user->gid))
                return 0;
        if (!group) {
                const struct native_group *known = native_accounts_group_of(host, user->name);

                (void)snprintf(number, sizeof(number), "%u", known ? known->gid : user->uid);
                r = sysusers_group(a, user->name, number, host);
                if (r < 0)
                        return r;
        }
        found = native_accounts_group_of(a, group ? group : user->name);
        user->gid = found ? found->gid : 65534;
        return 0;
}

struct sysuser {
        const char *name, *id, *home, *shell;
};

static int sysusers_user(struct native_accounts *a, const struct sysuser *s, const struct native_accounts *host)
{
        const struct native_user *known = native_accounts_user(host, s->name);
        struct native_user user = {0};
        char id[64], *group;
        int r;

        if (native_accounts_user(a, s->name) || !str_copy(user.name, sizeof(user.name), s->name) ||
                !str_copy(id, sizeof(id), s->id))
                return 0;
        group = strchr(id, ':');
        if (group)
                *group++ = '\0';
        if (!to_id(id, &user.uid))
                user.uid = known ? known->uid : free_id(a, host);
        (void)str_copy(user.home, sizeof(user.home), is_plain_path(s->home) ? s->home : "/");
        (void)str_copy(user.shell, sizeof(user.shell), is_plain_path(s->shell) ? s->shell : NOLOGIN);
        r = sysusers_primary(a, &user, group, host);
        return r < 0 ? r : add_user(a, &user);
}

static int sysusers_member(struct native_accounts *a, const char *user, const char *name)
{
        for (size_t i = 0; i < a->n_groups; i++) {
                struct native_group *group = &a->groups[i];
                size_t used = strlen(group->members);

                if (strcmp(group->name, name) != 0 || !is_account_name(user) ||
                        used + strlen(user) + 2 > sizeof(group->members))
                        continue;
                (void)snprintf(group->members + used, sizeof(group->members) - used, "%s%s", used ? "," : "", user);
        }
        return 0;
}

static int sysusers_line(struct native_accounts *a, char *line, const void *arg)
{
        const struct native_accounts *host = arg;
        const char *type = next_word(&line), *name = next_word(&line), *id = next_word(&line);
        struct sysuser s = {.name = name, .id = id};

        if (!type[0] || type[0] == '#' || strchr(name, '%') || (type[1] && type[1] != '!'))
                return 0;
        switch (type[0]) {
        case 'g':
                return sysusers_group(a, name, id, host);
        case 'u':
                (void)next_word(&line); /* the comment */
                s.home = next_word(&line);
                s.shell = next_word(&line);
                return sysusers_user(a, &s, host);
        case 'm':
                return sysusers_member(a, name, id);
        default:
                return 0;
        }
}

int native_accounts_sysusers(struct native_accounts *a, const char *text, const struct native_accounts *host)
{
        return each_line(a, text, sysusers_line, host);
}

/* Homes of system accounts lie in the package's places; anything else is the administrator's business. */
static bool is_package_home(const char *home)
{
        return str_has_prefix(home, "/var/") || str_has_prefix(home, "/usr/") || str_has_prefix(home, "/run/") ||
               strcmp(home, "/nonexistent") == 0;
}

int native_accounts_take(struct native_accounts *a, const char *name, const struct native_accounts *host)
{
        const struct native_group *group = native_accounts_group_of(host, name);
        const struct native_user *user = native_accounts_user(host, name);
        struct native_user copy;
        int r = 0;

        if (group && gid_is_free(a, group->gid)) {
                struct native_group bare = {.gid = group->gid};

                (void)str_copy(bare.name, sizeof(bare.name), group->name);
                r = add_group(a, &bare);
        }
        if (r < 0 || !user || !uid_is_free(a, user->uid))
                return r;
        copy = *user;
        if (!is_package_home(copy.home))
                (void)str_copy(copy.home, sizeof(copy.home), "/nonexistent");
        (void)str_copy(copy.shell, sizeof(copy.shell), NOLOGIN);
        return add_user(a, &copy);
}

static void render_users(FILE *f, const struct native_accounts *a, bool shadow)
{
        for (size_t i = 0; i < a->n_users; i++) {
                const struct native_user *u = &a->users[i];

                if (shadow)
                        fprintf(f, "%s:*::0:99999:7:::\n", u->name);
                else
                        fprintf(f, "%s:x:%u:%u:%s:%s:%s\n", u->name, u->uid, u->gid, u->name, u->home, u->shell);
        }
}

static void render_groups(FILE *f, const struct native_accounts *a, bool shadow)
{
        for (size_t i = 0; i < a->n_groups; i++) {
                const struct native_group *g = &a->groups[i];

                if (shadow)
                        fprintf(f, "%s:*::%s\n", g->name, g->members);
                else
                        fprintf(f, "%s:x:%u:%s\n", g->name, g->gid, g->members);
        }
}

char *native_accounts_render(const struct native_accounts *a, enum native_file which)
{
        char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        if (!f)
                return NULL;
        if (which == NATIVE_PASSWD || which == NATIVE_SHADOW)
                render_users(f, a, which == NATIVE_SHADOW);
        else
                render_groups(f, a, which == NATIVE_GSHADOW);
        if (fclose(f) != 0) {
                free(text);
                return NULL;
        }
        return text;
}
