/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * judge.c - who may be given what.  Pure; see kext.h.
 */
#include "base/cleanup.h"
#include "base/str.h"
#include "kext/kext.h"

#include <string.h>

/* The length of the name that a parameter begins with; 0: there is none. */
static size_t name_length(const char *text)
{
        return strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
}

static int refuse_parameter(const char *word, size_t size, struct croft_error *err)
{
        char shown[128];

        return croft_error_set(err, EINVAL, "'%s' is no parameter: give NAME, or NAME=VALUE without blanks and quotes.",
                str_escape(shown, sizeof(shown), word, size > 30 ? 30 : size));
}

static int check_word(const char *word, size_t size, struct croft_error *err)
{
        size_t n = name_length(word);

        if (n == 0 || (n < size && word[n] != '=') || n == size - 1)
                return refuse_parameter(word, size, err);
        for (size_t i = n; i < size; i++)
                if (word[i] <= ' ' || word[i] > '~' || word[i] == '"')
                        return refuse_parameter(word, size, err);
        return 0;
}

int kext_parameters_check(const char *text, char normal[KEXT_PARAMETERS_MAX + 1], struct croft_error *err)
{
        char list[KEXT_PARAMETERS_MAX + 1];

        if (!str_copy(list, sizeof(list), text))
                return croft_error_set(err, EINVAL, "a list of parameters has at most %d bytes.", KEXT_PARAMETERS_MAX);
        for (const char *word = list; *word;) {
                size_t n = strcspn(word, ",");
                int r = check_word(word, n, err);

                if (r < 0)
                        return r;
                if (word[n] == ',' && word[n + 1] == '\0')
                        return refuse_parameter("", 0, err);
                word += n + (word[n] == ',');
        }
        (void)str_copy(normal, KEXT_PARAMETERS_MAX + 1, list);
        return 0;
}

/* Is the word "NAME=VALUE", or "NAME", in the list, or its name alone? */
static bool allows(const char *list, const char *word, size_t size)
{
        size_t name = name_length(word);

        if (name == 0 || name > size || (name < size && word[name] != '='))
                return false;
        while (*list) {
                size_t n = strcspn(list, ",");

                if ((n == size || n == name) && strncmp(list, word, n) == 0)
                        return true;
                list += n + (list[n] == ',');
        }
        return false;
}

/* What the kernel takes for a blank (0xa0 and \v, too) or a quotation mark would make it see other words than these. */
static bool is_plain(char c)
{
        return (c >= ' ' && c <= '~' && c != '"') || c == '\t' || c == '\n';
}

static int judge_parameters(const struct kext_grant *grant, const char *given, struct croft_error *err)
{
        char shown[128];

        for (const char *c = given; *c; c++)
                if (!is_plain(*c))
                        return croft_error_set(
                                err, EPERM, "only plain parameters are allowed: without quotes, in ASCII.");
        while (*(given += strspn(given, " \t\n"))) {
                size_t n = strcspn(given, " \t\n");

                if (!allows(grant->parameters, given, n))
                        return croft_error_set(err, EPERM, "the parameter '%s' isn't allowed.",
                                str_escape(shown, sizeof(shown), given, n > 30 ? 30 : n));
                given += n;
        }
        return 0;
}

static int judge_none(const char *given, struct croft_error *err)
{
        return given[strspn(given, " \t\n")] ? croft_error_set(err, EPERM, "a BPF object takes no parameters.") : 0;
}

static const struct kext_grant *find_grant(const struct kext_grant *grants, size_t n, const char *name)
{
        for (size_t i = 0; i < n; i++)
                if (strcmp(grants[i].name, name) == 0)
                        return &grants[i];
        return NULL;
}

static bool is_current_for(const struct kext_record *r, const char *release)
{
        char other[128];

        return r->state == KEXT_CURRENT &&
               strcmp(kext_release(r->identity.vermagic, other, sizeof(other)), release) == 0;
}

/* Marks what this one names; true: that is more than was marked. */
static bool mark_needed(const struct kext_record *all, size_t n, const char *depends, bool *marked)
{
        char name[KEXT_NAME_MAX + 1];
        bool more = false;

        while (kext_depends_next(&depends, name))
                for (size_t i = 0; i < n; i++)
                        if (!marked[i] && strcmp(all[i].identity.name, name) == 0)
                                more = marked[i] = true;
        return more;
}

bool kext_is_needed(const struct kext_record *all, size_t n_all, const struct kext_grant *grants, size_t n,
        const struct kext_record *record)
{
        _cleanup_free_ bool *marked = calloc(n_all + 1, sizeof(*marked)); /* what is granted, and what that needs */
        bool more = marked, found = false;
        char release[128];

        (void)kext_release(record->identity.vermagic, release, sizeof(release));
        for (size_t i = 0; marked && i < n_all; i++)
                for (size_t k = 0; k < n && !marked[i]; k++)
                        marked[i] = strcmp(grants[k].name, all[i].identity.name) == 0 &&
                                    (grants[k].major || !record->identity.takes_major);
        while (more) {
                more = false;
                for (size_t i = 0; i < n_all; i++)
                        if (marked[i] && is_current_for(&all[i], release))
                                more |= mark_needed(all, n_all, all[i].identity.depends, marked);
        }
        for (size_t i = 0; marked && !found && i < n_all; i++)
                found = marked[i] && strcmp(all[i].identity.name, record->identity.name) == 0;
        return found;
}

int kext_judge_major(const struct kext_record *record, bool major, const char *partition, struct croft_error *err)
{
        if (!record->identity.takes_major || major)
                return 0;
        return croft_error_set(err, EPERM, "'%s' takes majors of devices, and '%s' isn't granted that with it.",
                record->identity.name, partition);
}

/* That it is granted is seen. */
static int judge_by(const struct kext_record *record, const struct kext_grant *grant, const char *partition,
        const char *given, struct croft_error *err)
{
        int r;

        if (record->state != KEXT_CURRENT && !(record->state == KEXT_SUPERSEDED && record->previous && grant->previous))
                return croft_error_set(
                        err, ESTALE, "generation %u of '%s' is superseded.", record->generation, record->identity.name);
        r = kext_judge_major(record, grant->major, partition, err);
        if (r < 0)
                return r;
        return record->identity.kind == KEXT_BPF ? judge_none(given, err) : judge_parameters(grant, given, err);
}

int kext_judge(const struct kext_record *record, const struct kext_grant *grants, size_t n, const char *partition,
        const char *given, const struct kext_grant **ret, struct croft_error *err)
{
        const char *name;
        int r = 0;

        if (!record)
                return croft_error_set(err, EILSEQ, "it isn't equivalent to any extension that is registered.");
        if (record->state == KEXT_REVOKED)
                return croft_error_set(err, EPERM, "'%s' was revoked.", record->identity.name);
        name = find_grant(grants, n, record->identity.name) ? record->identity.name : KEXT_ALL;
        for (size_t i = 0; i < n; i++) {
                int by_this = 0;

                if (strcmp(grants[i].name, name) != 0)
                        continue;
                by_this = judge_by(record, &grants[i], partition, given, r < 0 ? NULL : err);
                if (by_this == 0) {
                        croft_error_clear(err);
                        if (ret)
                                *ret = &grants[i];
                        return 0;
                }
                r = r < 0 ? r : by_this;
        }
        return r < 0 ? r : croft_error_set(err, EPERM, "'%s' isn't granted '%s'.", partition, record->identity.name);
}
