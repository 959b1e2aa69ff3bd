/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * view_describe.c - what the machine's sysfs says of a whole disk.  See view_describe.h.
 */
#include "kstat/view_describe.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/str.h"

#include <string.h>

#define ATTRIBUTE_MAX 4096

static char *read_text(int directory, const char *file)
{
        char *text;

        if (fd_read_file(directory, file, ATTRIBUTE_MAX, &text, NULL) < 0)
                return NULL;
        text[strcspn(text, "\n")] = '\0';
        return text;
}

static uint64_t read_number(int directory, const char *file)
{
        _cleanup_free_ char *text = read_text(directory, file);
        uint64_t number = 0;

        return text && str_to_u64(text, UINT64_MAX, &number) ? number : 0;
}

static uint32_t read_flag(int directory, const char *file, enum view_disk_flag flag)
{
        return read_number(directory, file) ? flag : 0;
}

void view_describe(int d, struct view_disk *ret)
{
        *ret = (struct view_disk){.sectors = read_number(d, "size"),
                .flags = read_flag(d, "ro", VIEW_DISK_READ_ONLY) |
                         read_flag(d, "queue/rotational", VIEW_DISK_ROTATIONAL),
                .logical_bytes = (uint32_t)read_number(d, "queue/logical_block_size"),
                .physical_bytes = (uint32_t)read_number(d, "queue/physical_block_size"),
                .minimum_io_bytes = (uint32_t)read_number(d, "queue/minimum_io_size"),
                .optimal_io_bytes = (uint32_t)read_number(d, "queue/optimal_io_size"),
                .read_ahead_kib = (uint32_t)read_number(d, "queue/read_ahead_kb"),
                .discard_bytes = (uint32_t)read_number(d, "queue/discard_granularity"),
                .discard_max_bytes = read_number(d, "queue/discard_max_bytes")};
}

bool view_describe_loop(int d, struct view_disk *ret)
{
        _cleanup_free_ char *file = read_text(d, "loop/backing_file");

        if (!file)
                return false;
        view_describe(d, ret);
        ret->flags |= VIEW_DISK_LOOP | read_flag(d, "loop/dio", VIEW_DISK_DIRECT);
        ret->offset = read_number(d, "loop/offset");
        ret->sizelimit = read_number(d, "loop/sizelimit");
        (void)str_copy(ret->file, sizeof(ret->file), file);
        return true;
}
