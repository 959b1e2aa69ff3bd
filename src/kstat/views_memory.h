/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * views_memory.h - the memory that a warden leaves to its successor: the request it is at, what it has shown last.
 *
 * A text is written into the half that isn't shown, then `half` changes: whenever the writer dies, what is shown is
 * whole.  The reader of another one's memory believes no number in it (views_text()).
 */
#ifndef CROFT_WARDEN_VIEWS_MEMORY_H
#define CROFT_WARDEN_VIEWS_MEMORY_H

#include "kernel/fuse.h"
#include "kstat/view.h"
#include "kstat/view_disks.h"
#include "kstat/view_modules.h"

#include <stdint.h>

#define VIEWS_MAGIC 0x77656976u
#define VIEWS_FILES_MAX 48
#define VIEWS_TEXT_MAX (512u << 10) /* /proc/cpuinfo of 256 CPUs */

struct views_slot {
        uint32_t half;    /* of texts: 0 or 1 */
        uint32_t size[2]; /* 0: nothing was shown yet */
        uint32_t reserved;
        uint64_t mtime_ns[2]; /* another text, another time */
        uint64_t made_ns;     /* CLOCK_MONOTONIC */
};

struct views_memory {
        uint32_t magic, version;
        uint64_t born_s; /* wall clock */

        struct view_state state;
        struct views_slot slots[VIEWS_FILES_MAX];
        uint32_t has_disks; /* bit KIND: somebody writes that list; else it isn't to be read: that alone takes memory.
                               Bit VIEW_DISKS_KINDS: that of modules */
        uint32_t reserved;
        char request[FUSE_REQUEST_MAX] __attribute__((aligned(4096)));
        /* Pages that nobody writes to take no memory. */
        char texts[VIEWS_FILES_MAX][2][VIEWS_TEXT_MAX] __attribute__((aligned(4096)));
        /* Of the second layout on; the first ends here. */
        struct view_disks disks __attribute__((aligned(4096))); /* VIEW_LOOPS */
        /* Of the third. */
        struct view_disks exports __attribute__((aligned(4096)));
        /* Of the fourth. */
        struct view_modules modules __attribute__((aligned(4096)));
};

struct views_time {
        uint64_t monotonic_ns, real_ns;
};

/* A new area as a memfd that can't change its size, and mapped.  The descriptor or a negative errno. */
int views_memory_new(struct views_memory **ret, struct croft_error *err);
/* Maps one (fd is borrowed).  -EBADMSG: it is none.  One that is of a time before there were disks gets an empty list
 * that nobody else sees. */
int views_memory_map(int fd, struct views_memory **ret, struct croft_error *err);
struct views_memory *views_memory_unmap(struct views_memory *area);

/* For the one who writes a list of disks (fd is borrowed; it may be anything that the warden has made of it): maps the
 * list alone, and says in the area that there is one.  Ended with views_disks_unmap().  -EBADMSG: it is no such memory;
 * -EOPNOTSUPP: it is of a time before there was that list. */
int views_disks_map(int fd, enum view_disks_kind kind, struct view_disks **ret, struct croft_error *err);
struct view_disks *views_disks_unmap(struct view_disks *disks);
/* All of it in one: the list is that now.  None where there never was one stays none. */
int views_disks_replace(
        int fd, enum view_disks_kind kind, const struct view_disk *list, size_t n, struct croft_error *err);
/* NULL: there never was one. */
const struct view_disks *views_disks(const struct views_memory *area, enum view_disks_kind kind);

/* The same for modules.  NULL: there never was a list. */
int views_modules_replace(int fd, const struct view_module *list, size_t n, struct croft_error *err);
const struct view_modules *views_modules(const struct views_memory *area);

/* What slot i shows: its size; 0: nothing. */
size_t views_text(const struct views_memory *area, size_t i, const char **ret, uint64_t *ret_mtime_ns);
/* Where the next text of slot i is to be written. */
char *views_text_room(struct views_memory *area, size_t i);
/* Shows it.  The same text again changes nothing but made_ns. */
void views_text_show(struct views_memory *area, size_t i, size_t size, const struct views_time *now);

/* What a file's text is made to fill, so that its length hardly ever changes: a reader whose first read ended at the
 * last byte must find the end of the file there, whatever was shown meanwhile.  Blanks before the last newline; text of
 * no more than a line or that ends otherwise stays as it is.  shown: the length so far.  Returns the new length. */
size_t views_pad(char *text, size_t used, size_t room, size_t shown);

#endif
