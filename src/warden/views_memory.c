/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * views_memory.c - the memory that a warden leaves to its successor.  See views_memory.h.
 */
#include "warden/views_memory.h"

#include "base/cleanup.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)
#define LAYOUT 1
#define PAD 64

static int map(int fd, struct views_memory **ret, struct croft_error *err)
{
        struct views_memory *area = mmap(NULL, sizeof(*area), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

        if (area == MAP_FAILED)
                return croft_error_set(err, errno, "map the memory of the views");
        *ret = area;
        return 0;
}

int views_memory_new(struct views_memory **ret, struct croft_error *err)
{
        _cleanup_close_ int fd = memfd_create("croft-views", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        int r;

        if (fd < 0 || ftruncate(fd, sizeof(struct views_memory)) < 0 || fcntl(fd, F_ADD_SEALS, SEALS) < 0)
                return croft_error_set(err, errno, "make memory for the views");
        r = map(fd, ret, err);
        if (r < 0)
                return r;
        (*ret)->magic = VIEWS_MAGIC;
        (*ret)->version = LAYOUT;
        (*ret)->born_s = (uint64_t)time(NULL);
        return TAKE_FD(fd);
}

int views_memory_map(int fd, struct views_memory **ret, struct croft_error *err)
{
        struct views_memory *area = NULL;
        struct stat st;
        int seals = fcntl(fd, F_GET_SEALS), r;

        /* One that could still shrink would end us. */
        if (seals < 0 || (seals & SEALS) != SEALS || fstat(fd, &st) < 0 || st.st_size != sizeof(*area))
                return croft_error_set(err, EBADMSG, "what should be the memory of the views is something else.");
        r = map(fd, &area, err);
        if (r < 0)
                return r;
        if (area->magic != VIEWS_MAGIC || area->version != LAYOUT) {
                views_memory_unmap(area);
                return croft_error_set(err, EBADMSG, "the memory of the views is of another version.");
        }
        *ret = area;
        return 0;
}

struct views_memory *views_memory_unmap(struct views_memory *area)
{
        if (area)
                (void)munmap(area, sizeof(*area));
        return NULL;
}

size_t views_text(const struct views_memory *area, size_t i, const char **ret, uint64_t *ret_mtime_ns)
{
        const struct views_slot *slot = &area->slots[i];
        uint32_t half = slot->half & 1, size = slot->size[half];

        *ret = area->texts[i][half];
        *ret_mtime_ns = slot->mtime_ns[half];
        return size > VIEWS_TEXT_MAX ? 0 : size;
}

char *views_text_room(struct views_memory *area, size_t i)
{
        return area->texts[i][!(area->slots[i].half & 1)];
}

void views_text_show(struct views_memory *area, size_t i, size_t size, const struct views_time *now)
{
        struct views_slot *slot = &area->slots[i];
        uint32_t next = !(slot->half & 1);
        uint64_t shown_ns;
        const char *shown;

        slot->made_ns = now->monotonic_ns;
        if (views_text(area, i, &shown, &shown_ns) == size && memcmp(shown, area->texts[i][next], size) == 0)
                return;
        slot->size[next] = (uint32_t)size;
        slot->mtime_ns[next] = now->real_ns > shown_ns ? now->real_ns : shown_ns + 1;
        __atomic_store_n(&slot->half, next, __ATOMIC_RELEASE);
}

size_t views_pad(char *text, size_t used, size_t room, size_t shown)
{
        size_t target = used <= shown ? shown : (used + used / 8 + PAD) / PAD * PAD;

        if (used < 2 || text[used - 1] != '\n' || text[used - 2] == '\n' || target > room)
                return used;
        memset(text + used - 1, ' ', target - used);
        text[target - 1] = '\n';
        return target;
}
