/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * views_memory.c - the memory that a warden leaves to its successor.  See views_memory.h.
 */
#include "kstat/views_memory.h"

#include "base/cleanup.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)
#define PAD 64
#define HEAD_BYTES offsetof(struct views_memory, request)

/* Layouts: a later one only has more at its end. */
static const struct {
        uint32_t version;
        size_t size;
} layouts[] = {{1, offsetof(struct views_memory, disks)}, {2, offsetof(struct views_memory, exports)},
        {3, offsetof(struct views_memory, modules)}, {4, sizeof(struct views_memory)}};
_Static_assert(offsetof(struct views_memory, request) == 4096 && offsetof(struct views_memory, disks) == 50352128 &&
                       offsetof(struct views_memory, exports) == 50642944 &&
                       offsetof(struct views_memory, modules) == 50933760,
        "wardens of before have areas of the layouts before the last");
#define NEWEST ((int)ELEMENTS(layouts) - 1)

/* Of a layout that is shorter than ours the rest is memory of our own, which reads as zeros: nobody who reads has to
 * ask, and to touch it is no SIGBUS. */
static int map(int fd, size_t size, struct views_memory **ret, struct croft_error *err)
{
        void *room = mmap(NULL, sizeof(**ret), PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        int code;

        if (room == MAP_FAILED)
                return croft_error_set(err, errno, "make room for the memory of the views");
        if (mmap(room, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED) {
                code = errno;
                views_memory_unmap(room);
                return croft_error_set(err, code, "map the memory of the views");
        }
        *ret = room;
        return 0;
}

/* Which layout it has by its size, which can't change any more; -1: none. */
static int layout_of(int fd)
{
        int seals = fcntl(fd, F_GET_SEALS);
        struct stat st;

        /* One that could still shrink would end us. */
        if (seals < 0 || (seals & SEALS) != SEALS || fstat(fd, &st) < 0)
                return -1;
        for (size_t i = 0; i < ELEMENTS(layouts); i++)
                if ((size_t)st.st_size == layouts[i].size)
                        return (int)i;
        return -1;
}

int views_memory_new(struct views_memory **ret, struct croft_error *err)
{
        _cleanup_close_ int fd = memfd_create("croft-views", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        int r;

        if (fd < 0 || ftruncate(fd, sizeof(struct views_memory)) < 0 || fcntl(fd, F_ADD_SEALS, SEALS) < 0)
                return croft_error_set(err, errno, "make memory for the views");
        r = map(fd, sizeof(struct views_memory), ret, err);
        if (r < 0)
                return r;
        (*ret)->magic = VIEWS_MAGIC;
        (*ret)->version = layouts[NEWEST].version;
        (*ret)->born_s = (uint64_t)time(NULL);
        return TAKE_FD(fd);
}

static int refuse(struct croft_error *err)
{
        return croft_error_set(err, EBADMSG, "what should be the memory of the views is something else.");
}

static bool is_ours(const struct views_memory *head, int layout)
{
        return head->magic == VIEWS_MAGIC && head->version == layouts[layout].version;
}

int views_memory_map(int fd, struct views_memory **ret, struct croft_error *err)
{
        struct views_memory *area = NULL;
        int layout = layout_of(fd), r;

        if (layout < 0)
                return refuse(err);
        r = map(fd, layouts[layout].size, &area, err);
        if (r < 0)
                return r;
        if (!is_ours(area, layout)) {
                views_memory_unmap(area);
                return refuse(err);
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

/* --- the lists of disks --- */

static const struct {
        size_t at;
        int layout; /* the first that has it */
} places[] = {
        [VIEW_LOOPS] = {offsetof(struct views_memory, disks), 1},
        [VIEW_EXPORTS] = {offsetof(struct views_memory, exports), 2},
};

/* What the head says of lists, with `more` said from now on: a reader sees the flag and then a list that is empty or
 * whole. */
static int announce(int fd, int layout, uint32_t more, struct croft_error *err)
{
        struct views_memory *head = mmap(NULL, HEAD_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        bool ours;

        if (head == MAP_FAILED)
                return croft_error_set(err, errno, "map the head of the memory of the views");
        ours = is_ours(head, layout);
        if (ours)
                (void)__atomic_or_fetch(&head->has_disks, more, __ATOMIC_RELEASE);
        (void)munmap(head, HEAD_BYTES);
        return ours ? 0 : refuse(err);
}

static int find_layout(int fd, enum view_disks_kind kind, int *ret, struct croft_error *err)
{
        int layout = layout_of(fd);

        if (layout < 0)
                return refuse(err);
        if (layout < places[kind].layout)
                return croft_error_set(err, EOPNOTSUPP, "the memory of the views has no room for a list of disks.");
        *ret = layout;
        return 0;
}

int views_disks_map(int fd, enum view_disks_kind kind, struct view_disks **ret, struct croft_error *err)
{
        int layout = 0, r = find_layout(fd, kind, &layout, err);
        void *disks;

        if (r < 0)
                return r;
        disks = mmap(NULL, sizeof(**ret), PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)places[kind].at);
        if (disks == MAP_FAILED)
                return croft_error_set(err, errno, "map the list of disks");
        r = announce(fd, layout, 1u << kind, err);
        if (r < 0) {
                views_disks_unmap(disks);
                return r;
        }
        *ret = disks;
        return 0;
}

struct view_disks *views_disks_unmap(struct view_disks *disks)
{
        if (disks)
                (void)munmap(disks, sizeof(*disks));
        return NULL;
}

/* Is there a list of that flag?  By reading, not by mapping: it mostly is, and to unmap stops all threads that run. */
static int see(int fd, int layout, uint32_t flag, bool *ret, struct croft_error *err)
{
        uint32_t head[2], lists;
        _Static_assert(
                offsetof(struct views_memory, magic) == 0 && offsetof(struct views_memory, version) == 4, "head");

        if (pread(fd, head, sizeof(head), 0) != sizeof(head) || head[0] != VIEWS_MAGIC ||
                head[1] != layouts[layout].version ||
                pread(fd, &lists, sizeof(lists), offsetof(struct views_memory, has_disks)) != sizeof(lists))
                return refuse(err);
        *ret = lists & flag;
        return 0;
}

/* The list at `at` becomes these items.  None where there never was one stays none. */
static int replace(int fd, int layout, uint32_t flag, size_t at, const void *items, size_t size, size_t n, size_t max,
        struct croft_error *err)
{
        bool there = false;
        int r = see(fd, layout, flag, &there, err);

        if (r == 0 && !there && n > 0)
                r = announce(fd, layout, flag, err);
        if (r < 0 || (!there && n == 0))
                return r;
        r = view_list_write_at(fd, (off_t)at, items, size, n, max);
        return r < 0 ? croft_error_set(err, r, "write a list of the views") : 0;
}

int views_disks_replace(
        int fd, enum view_disks_kind kind, const struct view_disk *list, size_t n, struct croft_error *err)
{
        int layout = 0, r = find_layout(fd, kind, &layout, err);

        return r < 0 ? r
                     : replace(fd, layout, 1u << kind, places[kind].at, list, sizeof(*list), n, VIEW_DISKS_MAX, err);
}

const struct view_disks *views_disks(const struct views_memory *area, enum view_disks_kind kind)
{
        if (!(__atomic_load_n(&area->has_disks, __ATOMIC_ACQUIRE) & 1u << kind))
                return NULL;
        return (const void *)((const char *)area + places[kind].at);
}

/* --- the list of modules --- */

#define HAS_MODULES (1u << VIEW_DISKS_KINDS)
#define MODULES_LAYOUT 3

int views_modules_replace(int fd, const struct view_module *list, size_t n, struct croft_error *err)
{
        int layout = layout_of(fd);

        if (layout < 0)
                return refuse(err);
        if (layout < MODULES_LAYOUT)
                return croft_error_set(err, EOPNOTSUPP, "the memory of the views has no room for a list of modules.");
        return replace(fd, layout, HAS_MODULES, offsetof(struct views_memory, modules), list, sizeof(*list), n,
                VIEW_MODULES_MAX, err);
}

const struct view_modules *views_modules(const struct views_memory *area)
{
        return __atomic_load_n(&area->has_disks, __ATOMIC_ACQUIRE) & HAS_MODULES ? &area->modules : NULL;
}

/* --- texts --- */

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
