/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * kexts.c - the stanza file kexts(5).  See kexts.h.
 */
#include "kext/kexts.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "partition/stanzas.h"

#include <string.h>

_Static_assert(KEXT_STANZA_MAX == STANZAS_NAME_MAX, "they are the same names");

/* --- reading --- */

static int take_extension(const struct stanzas_reader *r, void *element, const char *value)
{
        struct kexts_stanza *stanza = element;
        char *name = stanza->grant.name;

        if (strcmp(value, KEXT_ALL) == 0)
                (void)str_copy(name, KEXT_NAME_MAX + 1, value);
        else if (!kext_name_normalise(value, name))
                return stanzas_refuse_word(r, "name of an extension", value);
        return 0;
}

static int add_partition(const struct stanzas_reader *r, char list[KEXTS_PARTITIONS_MAX + 1], const char *name)
{
        size_t used = strlen(list), length = strlen(name);

        if (!str_is_name(name))
                return stanzas_refuse_word(r, "name of a partition", name);
        if (used + length + 2 > KEXTS_PARTITIONS_MAX + 1)
                return croft_error_set(r->err, EBADMSG, "line %u: there are too many partitions.", r->line);
        (void)snprintf(list + used, KEXTS_PARTITIONS_MAX + 1 - used, "%s%s", used ? "," : "", name);
        return 0;
}

static int take_partitions(const struct stanzas_reader *r, void *element, const char *value)
{
        struct kexts_stanza *stanza = element;
        _cleanup_free_ char *copy = strdup(value);
        char *save = NULL;
        int e = 0;

        if (!copy)
                return croft_error_set(r->err, ENOMEM, "read the stanzas");
        if (strcmp(value, KEXT_ALL) == 0) {
                (void)str_copy(stanza->partitions, sizeof(stanza->partitions), value);
                return 0;
        }
        for (char *word = strtok_r(copy, ", \t", &save); e == 0 && word; word = strtok_r(NULL, ", \t", &save))
                e = add_partition(r, stanza->partitions, word);
        if (e == 0 && !stanza->partitions[0])
                e = stanzas_refuse_word(r, "name of a partition", value);
        return e;
}

static int take_parameters(const struct stanzas_reader *r, void *element, const char *value)
{
        struct kexts_stanza *stanza = element;

        return kext_parameters_check(value, stanza->grant.parameters, NULL) < 0
                       ? stanzas_refuse_word(r, "list of parameters (NAME, or NAME=VALUE without blanks)", value)
                       : 0;
}

static int take_local(const struct stanzas_reader *r, void *element, const char *value)
{
        return stanzas_take_yes_no(r, value, &((struct kexts_stanza *)element)->grant.local);
}

static int take_major(const struct stanzas_reader *r, void *element, const char *value)
{
        return stanzas_take_yes_no(r, value, &((struct kexts_stanza *)element)->grant.major);
}

static int take_previous(const struct stanzas_reader *r, void *element, const char *value)
{
        return stanzas_take_yes_no(r, value, &((struct kexts_stanza *)element)->grant.previous);
}

static const struct stanzas_key keys[] = {
        {"extension", true, take_extension},
        {"partitions", false, take_partitions},
        {"local", false, take_local},
        {"major", false, take_major},
        {"previous", false, take_previous},
        {"parameters", false, take_parameters},
        {.key = NULL},
};
static const struct kexts_stanza initial = {.partitions = ""};
static const struct stanzas_form form = {.size = sizeof(struct kexts_stanza),
        .initial = &initial,
        .name_is_valid = stanzas_name_is_valid,
        .keys = keys,
        .attributes = "extension, partitions, local, major, previous, parameters"};

int kexts_parse(const char *text, size_t size, struct kexts *ret, struct croft_error *err)
{
        struct kexts kexts = {.list = NULL};
        void *list = NULL;
        int r = stanzas_parse(&form, text, size, &list, &kexts.n, err);

        if (r < 0)
                return r;
        kexts.list = list;
        for (size_t i = 0; i < kexts.n; i++)
                (void)str_copy(kexts.list[i].grant.stanza, sizeof(kexts.list[i].grant.stanza), kexts.list[i].name);
        *ret = kexts;
        return 0;
}

int kexts_read(const char *directory, struct kexts *ret, struct croft_error *err)
{
        struct kexts kexts = {.list = NULL};
        _cleanup_free_ char *text = NULL;
        size_t size = 0;
        int r = stanzas_read_file(directory, KEXTS_FILE, &text, &size, err);

        if (r == 0 && text) {
                r = kexts_parse(text, size, &kexts, err);
                if (r < 0)
                        (void)croft_error_prefix(err, "read '%s/%s'", directory, KEXTS_FILE);
        }
        if (r == 0)
                *ret = kexts;
        return r;
}

void kexts_done(struct kexts *kexts)
{
        free(kexts->list);
        *kexts = (struct kexts){.list = NULL};
}

/* --- what follows from it --- */

const struct kexts_stanza *kexts_find(const struct kexts *kexts, const char *name)
{
        return stanzas_find(&form, kexts->list, kexts->n, name);
}

int kexts_check(const struct kexts *kexts, const char *value, const char *directory, struct croft_error *err)
{
        char name[STANZAS_NAME_MAX + 1];

        while (value && stanzas_next_name(&value, name))
                if (!kexts_find(kexts, name))
                        return croft_error_set(
                                err, ENOENT, "there is no stanza '%s' in '%s/%s'.", name, directory, KEXTS_FILE);
        return 0;
}

static bool is_for(const struct kexts_stanza *stanza, const char *partition, const char *value)
{
        return str_lists(value, ",", stanza->name) || strcmp(stanza->partitions, KEXT_ALL) == 0 ||
               str_lists(stanza->partitions, ",", partition);
}

int kexts_grants(
        const struct kexts *kexts, const char *partition, const char *value, struct kext_grant **list, size_t *n)
{
        size_t more = 0;
        struct kext_grant *grown;

        for (size_t i = 0; i < kexts->n; i++)
                more += is_for(&kexts->list[i], partition, value);
        if (more == 0)
                return 0;
        grown = reallocarray(*list, *n + more, sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        *list = grown;
        for (size_t i = 0; i < kexts->n; i++)
                if (is_for(&kexts->list[i], partition, value))
                        grown[(*n)++] = kexts->list[i].grant;
        return 0;
}
