/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * mount_diff.c - compares two sorted lists.  See mount_diff.h.
 *
 * Invariant: each mount that is found is in exactly one of kept and new; each structure that is known belongs to one of
 * kept, or is in gone.
 */
#include "kstat/mount_diff.h"

#include "base/cleanup.h"

#include <stdbool.h>

int mount_known_by_key(const void *a, const void *b)
{
        const struct mount_known *x = a, *y = b;

        return x->key < y->key ? -1 : x->key > y->key;
}

void mount_diff_done(struct mount_diff *diff)
{
        free(diff->kept);
        free(diff->gone);
        free(diff->gone_keys);
        free(diff->new);
        *diff = (struct mount_diff){.kept = NULL};
}

static void drop(struct mount_diff *diff, const struct mount_known *known)
{
        for (size_t i = 0; i < ELEMENTS(known->kids); i++)
                if (known->kids[i])
                        diff->gone[diff->n_gone++] = known->kids[i];
}

static void compare(
        const struct mount_known *known, size_t n_known, const struct mounts_list *list, struct mount_diff *diff)
{
        bool proves = !list->incomplete && !list->changed;
        size_t k = 0, f = 0;

        while (k < n_known || f < list->n) {
                const struct mount_known *a = k < n_known ? &known[k] : NULL;
                const struct mount_found *b = f < list->n ? &list->found[f] : NULL;

                if (a && (!b || a->key < b->key)) {
                        if (!proves) {
                                diff->kept[diff->n_kept++] = *a;
                        } else {
                                drop(diff, a);
                                diff->gone_keys[diff->n_gone_keys++] = a->key;
                        }
                        k++;
                } else if (a && a->key == b->key && a->created == b->created) {
                        diff->kept[diff->n_kept++] = *a;
                        k++;
                        f++;
                } else {
                        if (a && a->key == b->key) {
                                drop(diff, a);
                                k++;
                        }
                        diff->new[diff->n_new++] = *b;
                        f++;
                }
        }
}

int mount_diff_make(
        const struct mount_known *known, size_t n_known, const struct mounts_list *list, struct mount_diff *ret)
{
        struct mount_diff diff = {
                .kept = calloc(n_known + list->n + 1, sizeof(*diff.kept)),
                .gone = calloc(2 * n_known + 1, sizeof(*diff.gone)),
                .gone_keys = calloc(n_known + 1, sizeof(*diff.gone_keys)),
                .new = calloc(list->n + 1, sizeof(*diff.new)),
        };

        if (!diff.kept || !diff.gone || !diff.gone_keys || !diff.new) {
                mount_diff_done(&diff);
                *ret = diff;
                return -ENOMEM;
        }
        compare(known, n_known, list, &diff);
        *ret = diff;
        return 0;
}
