/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * plane_kept.c - programs that an earlier croftd has loaded and pinned, and that needn't be loaded anew.  See
 * plane_bpf.h.
 *
 * To verify a large program takes as long as all else of a start.  What a program was made from is noted beside it, in
 * a symbolic link of bpffs, with the number that the kernel has given to it.  Invariant: a note is believed for that
 * very program only, so one that is left over, or was made before somebody else replaced the program, says nothing.
 */
#include "plane/plane_bpf.h"

#include "base/cleanup.h"
#include "base/hash.h"

#include <bpf/bpf.h>
#include <string.h>

#define NOTE_PREFIX "made_"

struct note {
        char text[48];
};

uint64_t plane_kept_stamp(uint64_t before, const void *bytes, size_t size)
{
        return hash_bytes(before ^ HASH_BEGIN, bytes, size);
}

uint64_t plane_kept_begin(int map)
{
        struct bpf_map_info info = {0};
        __u32 size = sizeof(info);

        (void)bpf_obj_get_info_by_fd(map, &info, &size); /* 0 is no map's number */
        return plane_kept_stamp(0, &info.id, sizeof(info.id));
}

static int note_of(int program, uint64_t stamp, struct note *ret)
{
        struct bpf_prog_info info = {0};
        __u32 size = sizeof(info);

        if (bpf_obj_get_info_by_fd(program, &info, &size) < 0)
                return -errno;
        (void)snprintf(ret->text, sizeof(ret->text), "%016llx-%u", (unsigned long long)stamp, info.id);
        return 0;
}

bool plane_kept_is(int bpf_dir, const char *name, int program, uint64_t stamp)
{
        char path[64];
        struct note ours, theirs = {.text = ""};

        (void)snprintf(path, sizeof(path), NOTE_PREFIX "%s", name);
        return program >= 0 && note_of(program, stamp, &ours) == 0 &&
               readlinkat(bpf_dir, path, theirs.text, sizeof(theirs.text) - 1) > 0 &&
               strcmp(ours.text, theirs.text) == 0;
}

void plane_kept_note(int bpf_dir, const char *name, int program, uint64_t stamp)
{
        char path[64];
        struct note note;

        (void)snprintf(path, sizeof(path), NOTE_PREFIX "%s", name);
        (void)unlinkat(bpf_dir, path, 0);
        if (note_of(program, stamp, &note) < 0 || symlinkat(note.text, bpf_dir, path) < 0)
                return; /* without a note the next one loads it anew: no harm */
}
