/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fuzz_view_disks.c - whatever lies where the list of a partition's own devices is expected: what is accepted has a
 * name and a number of its own, texts end, and all of it can be listed, looked up and read.
 *
 * Input: the first bytes of a struct view_disks; the rest of it is zeros.
 */
#include "base/cleanup.h"
#include "fuzz.h"
#include "kstat/view_disks.h"
#include "kstat/view_facts.h"

#include <string.h>

static char text[1 << 16];
static struct view_disks area;
static struct view_disk list[VIEW_DISKS_MAX];

static void check(const struct view_disk *disk, const struct view_disk *before, ssize_t n)
{
        fuzz_require(disk->name[0] && memchr(disk->name, '\0', sizeof(disk->name)));
        fuzz_require(!strchr(disk->name, '/') && !strchr(disk->name, '\n') && strcmp(disk->name, "..") != 0);
        fuzz_require(memchr(disk->file, '\0', sizeof(disk->file)) != NULL);
        fuzz_require(disk->major < 1 << 12 && disk->minor < 1 << 20);
        for (ssize_t i = 0; i < n; i++) {
                fuzz_require(strcmp(before[i].name, disk->name) != 0);
                fuzz_require(before[i].major != disk->major || before[i].minor != disk->minor);
        }
}

static size_t walk(struct view *v, uint64_t directory, const struct kstat_sample *sample)
{
        struct view_entry entry, again;
        size_t i = 0;

        for (; view_list(v, directory, sample, i, &entry) == 1; i++) {
                fuzz_require(view_kind(v, entry.node, sample) == (int)entry.kind);
                fuzz_require(view_lookup(v, directory, sample, entry.name, &again) == 0 && again.node == entry.node);
                if (entry.kind == VIEW_DIRECTORY)
                        (void)walk(v, entry.node, sample);
                else
                        fuzz_require(view_read(v, entry.node, sample, text, sizeof(text)) > 0);
        }
        return i;
}

static void show(struct view *v, size_t n)
{
        static const struct kstat_sample sample = {.now_ns = 1, .start_ns = 1};

        for (size_t i = 0; i < view_count(); i++)
                fuzz_require(view_render(v, i, &sample, text, sizeof(text)) >= 0);
        for (size_t i = 0; i < view_tree_count(); i++)
                if (view_tells_disks(view_tree_node(i)))
                        fuzz_require(walk(v, view_tree_node(i), &sample) == n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        const struct view_facts facts = {.user_hz = 100, .page_bytes = 4096, .n_possible = 1};
        _cleanup_(view_facts_freep) struct view_facts *decoded = NULL;
        _cleanup_(view_freep) struct view *v = NULL;
        struct wire_writer w = WIRE_WRITER_INIT;
        uint32_t sequence;
        ssize_t n;

        memset(&area, 0, sizeof(area));
        memcpy(&area, data, size < sizeof(area) ? size : sizeof(area));
        n = view_disks_read(&area, list, VIEW_DISKS_MAX, &sequence);
        fuzz_require(n <= VIEW_DISKS_MAX && (n >= 0) == !(area.head.sequence & 1));
        for (ssize_t i = 0; i < n; i++)
                check(&list[i], list, i);
        facts_encode(&w, &facts);
        fuzz_require(w.fault == 0 && view_facts_decode(w.data, w.used, &decoded) == 0);
        fuzz_require(view_new(decoded, &v) == 0 && view_use_disks(v, VIEW_LOOPS, &area) == 0);
        show(v, n < 0 ? 0 : (size_t)n);
        fuzz_require(view_use_disks(v, VIEW_EXPORTS, &area) == 0);
        show(v, n < 0 ? 0 : (size_t)n); /* each is there already */
        view_freep(&v);
        view_facts_freep(&decoded);
        wire_writer_done(&w);
        return 0;
}
