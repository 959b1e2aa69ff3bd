/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fuzz_view.c - facts and two samples, whatever is in them: everything can be rendered, listed and read without harm,
 * there is at least one CPU, and what never decreases doesn't.
 *
 * Input: the size of the facts (two bytes, little endian), the facts, and the beginning of a sample; the second sample
 * is the same bytes from behind.
 */
#include "base/cleanup.h"
#include "fuzz.h"
#include "kstat/view.h"

#include <string.h>

#define ENTRIES_MAX 300 /* of a directory that are looked at */

static char text[1 << 20];

static void walk(struct view *v, uint64_t directory, const struct kstat_sample *sample, int depth)
{
        struct view_entry entry, again;

        fuzz_require(depth < 6);
        for (size_t i = 0; i < ENTRIES_MAX; i++) {
                int r = view_list(v, directory, sample, i, &entry);

                fuzz_require(r >= 0);
                if (r == 0)
                        return;
                fuzz_require(view_kind(v, entry.node, sample) == (int)entry.kind);
                fuzz_require(view_lookup(v, directory, sample, entry.name, &again) == 0);
                if (entry.kind == VIEW_DIRECTORY)
                        walk(v, entry.node, sample, depth + 1);
                else
                        fuzz_require(view_read(v, entry.node, sample, text, sizeof(text)) >= 0);
        }
}

static void render_all(struct view *v, const struct kstat_sample *sample)
{
        for (size_t i = 0; i < view_count(); i++) {
                ssize_t size = view_render(v, i, sample, text, sizeof(text));

                fuzz_require(size >= 0 || size == -ENOSPC);
                fuzz_require(view_render(v, i, sample, text, 1) <= 1);
        }
        for (size_t i = 0; i < view_tree_count(); i++)
                walk(v, view_tree_node(i), sample, 0);
}

/* Idle time of all CPUs and their number, as stat shows them. */
static uint64_t idle_of(struct view *v, const struct kstat_sample *sample)
{
        uint64_t idle = 0;
        const char *at;
        char *stop;
        ssize_t size = 0;

        for (size_t i = 0; i < view_count(); i++)
                if (strcmp(view_path(i), "proc/stat") == 0)
                        size = view_render(v, i, sample, text, sizeof(text) - 1);
        fuzz_require(size > 0);
        text[size] = '\0';
        fuzz_require(strstr(text, "\ncpu"));
        at = text + 3;
        for (int i = 0; i < 4; i++) {
                idle = strtoull(at, &stop, 10);
                at = stop;
        }
        return idle;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(view_facts_freep) struct view_facts *facts = NULL;
        _cleanup_(view_freep) struct view *v = NULL;
        static struct kstat_sample first, second;
        size_t n, rest;
        uint64_t idle;

        if (size < 2)
                return 0;
        n = data[0] | (size_t)data[1] << 8;
        n = n < size - 2 ? n : size - 2;
        if (view_facts_decode(data + 2, n, &facts) < 0)
                return 0;
        fuzz_require(view_new(facts, &v) == 0);
        memset(&first, 0, sizeof(first));
        rest = size - 2 - n < sizeof(first) ? size - 2 - n : sizeof(first);
        memcpy(&first, data + 2 + n, rest);
        for (size_t i = 0; i < sizeof(second); i++)
                ((uint8_t *)&second)[i] = ((uint8_t *)&first)[sizeof(second) - 1 - i];
        render_all(v, &first);
        idle = idle_of(v, &first);
        second.start_ns = first.start_ns;
        fuzz_require(idle_of(v, &second) >= idle);
        render_all(v, &second);
        return 0;
}
