/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * views.c - serves a partition's own /proc and /sys files.  See views.h; the mounts are made in views_mount.c.
 *
 * The kernel keeps what it was told for VIEW_TTL_NS and asks nobody meanwhile: a file that nobody reads costs nothing,
 * one that is read often costs one render in that time.  No notification is ever sent: one about a file whose READ is
 * unanswered would wait for ourselves.  GETATTR after the time makes a new text with a new mtime, upon which the kernel
 * forgets its page (FUSE_AUTO_INVAL_DATA); READ is answered from the text that was made, never from a newer one, so
 * that attributes and content are of one instant.
 */
#include "warden/views.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/str.h"
#include "kstat/views_memory.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define MS UINT64_C(1000000)
#define NS_IN_S (1000 * MS)
#define VIEW_TTL_NS (75 * MS)
#define SAMPLE_TTL_NS (10 * MS) /* several files that are read together are of one instant */
#define TICK_NS (10 * MS)       /* of a kernel with HZ=100: it rounds up, and counts from the tick before */
_Static_assert(SAMPLE_TTL_NS + (VIEW_TTL_NS + TICK_NS - 1) / TICK_NS * TICK_NS + TICK_NS <= VIEW_AGE_MAX_NS, "in time");
#define AT_ONCE_MAX 64 /* requests, before the console has its turn */
#define LISTING_MAX 4096

/* The protocol's root is 1, so view.h's numbers are shifted by one. */
#define ROOT FUSE_ROOT_ID
#define SHIFT 1
/* A place for texts that needn't stay. */
#define SCRATCH (VIEWS_FILES_MAX - 1)

/* What hardly ever changes its length, or is read by programs that know it to the byte. */
static const char *const exact[] = {"proc/cpuinfo", "proc/partitions", "proc/modules", "proc/devices",
        "proc/sys/kernel/random/boot_id", "proc/sys/kernel/pty/nr", "proc/sys/fs/aio-nr", "proc/sys/fs/file-nr",
        "proc/sys/fs/inode-nr", "proc/sys/fs/inode-state", "proc/sys/fs/dentry-state"};

static void forget_fds(struct views *v)
{
        v->device = v->memory = v->link = v->facts = -EBADF;
        for (size_t i = 0; i < VIEWS_MOUNTS_MAX; i++)
                v->mounts[i] = -EBADF;
}

void views_init(struct views *v)
{
        *v = (struct views){.device = -EBADF};
        forget_fds(v);
}

void views_close_mounts(struct views *v)
{
        for (size_t i = 0; i < VIEWS_MOUNTS_MAX; i++)
                v->mounts[i] = close_fd(v->mounts[i]);
}

void views_done(struct views *v)
{
        views_close_mounts(v);
        view_free(v->view);
        view_facts_free(v->decoded);
        if (v->facts_data)
                (void)munmap((void *)(uintptr_t)v->facts_data, v->facts_size);
        free(v->sample);
        views_memory_unmap(v->area);
        close_fd(v->device);
        close_fd(v->memory);
        close_fd(v->link);
        close_fd(v->facts);
        *v = (struct views){.read_sample = v->read_sample, .read_machine = v->read_machine};
        forget_fds(v);
}

void views_forget(struct views *v)
{
        int *const fds[] = {&v->device, &v->memory, &v->link, &v->facts};

        for (size_t i = 0; i < ELEMENTS(fds); i++)
                close_fd(*fds[i]);
        for (size_t i = 0; i < VIEWS_MOUNTS_MAX; i++)
                close_fd(v->mounts[i]);
}

static bool is_young(uint64_t then, uint64_t now, uint64_t ttl)
{
        return then && now >= then && now - then < ttl;
}

/* --- taking over -----------------------------------------------------------------------------------------------------
 */

int views_adopt(struct views *v, int device, int memory, struct croft_error *err)
{
        int r;

        v->device = device;
        v->memory = memory;
        r = views_memory_map(memory, &v->area, err);
        if (r < 0)
                views_done(v);
        return r;
}

static int map_facts(struct views *v, struct croft_error *err)
{
        struct stat st;
        void *data;

        if (fstat(v->facts, &st) < 0 || st.st_size <= 0 || st.st_size > VIEW_FACTS_MAX)
                return croft_error_set(err, EBADMSG, "the facts about the host have no size that they could have.");
        data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, v->facts, 0);
        if (data == MAP_FAILED)
                return croft_error_set(err, errno, "map the facts about the host");
        v->facts_data = data;
        v->facts_size = (size_t)st.st_size;
        return 0;
}

void views_expect_disks(struct views *v)
{
        v->may_have_disks = true;
}

void views_read_from(struct views *v, int link)
{
        close_fd(v->link);
        v->link = link;
}

int views_open(struct views *v, int facts, uid_t owner, struct croft_error *err)
{
        int r;

        v->facts = facts;
        v->owner = owner;
        r = map_facts(v, err);
        if (r < 0)
                return r;
        v->sample = calloc(1, sizeof(*v->sample));
        r = v->sample ? view_facts_decode(v->facts_data, v->facts_size, &v->decoded) : -ENOMEM;
        if (r == 0)
                r = view_new(v->decoded, &v->view);
        if (r < 0)
                return croft_error_set(err, r, "read the facts about the host");
        view_set_state(v->view, &v->area->state);
        return 0;
}

/* --- texts -----------------------------------------------------------------------------------------------------------
 */

/* Of memory that isn't there the next look may be luckier; until then they aren't shown. */
static void take_disks(struct views *v)
{
        for (unsigned int kind = 0; kind < VIEW_DISKS_KINDS; kind++) {
                const struct view_disks *disks = views_disks(v->area, kind);

                if (disks && !view_has_disks(v->view, kind))
                        (void)view_use_disks(v->view, kind, disks);
        }
}

static void take_modules(struct views *v)
{
        const struct view_modules *modules = view_has_modules(v->view) ? NULL : views_modules(v->area);

        if (modules)
                view_use_modules(v->view, modules);
}

static int take_sample(struct views *v)
{
        uint64_t now = now_ns(CLOCK_MONOTONIC);
        struct view_machine machine;
        int r;

        if (!v->view)
                return -EAGAIN;
        take_disks(v);
        take_modules(v);
        if (is_young(v->sampled_ns, now, SAMPLE_TTL_NS))
                return 0;
        if (v->read_machine && v->read_machine(&machine) == 0)
                view_set_machine(v->view, &machine);
        r = v->read_sample(v->link, v->sample);
        v->sampled_ns = r < 0 ? 0 : now;
        return r < 0 ? -EIO : 0;
}

static bool is_exact(size_t i)
{
        for (size_t k = 0; k < ELEMENTS(exact); k++)
                if (strcmp(view_path(i), exact[k]) == 0)
                        return true;
        return false;
}

static uint64_t ttl_of(const struct views *v, uint64_t node)
{
        /* What has changed by a call of the partition's own is seen at once. */
        return (v->may_have_disks && view_tells_disks(node)) || view_tells_modules(node) ? 0 : VIEW_TTL_NS;
}

/* Makes the text of single file i anew if it is old.  What was shown stays when that can't be. */
static int refresh(struct views *v, size_t i)
{
        char *room = views_text_room(v->area, i);
        const char *shown;
        struct views_time now = {now_ns(CLOCK_MONOTONIC), now_ns(CLOCK_REALTIME)};
        uint64_t mtime;
        size_t size = views_text(v->area, i, &shown, &mtime);
        ssize_t n;

        if (size > 0 && is_young(v->area->slots[i].made_ns, now.monotonic_ns, ttl_of(v, i + 1)))
                return 0;
        n = take_sample(v);
        if (n == 0)
                n = view_render(v->view, i, v->sample, room, VIEWS_TEXT_MAX);
        if (n < 0)
                return size > 0 ? 0 : (int)n;
        view_get_state(v->view, &v->area->state);
        if (!is_exact(i))
                n = (ssize_t)views_pad(room, (size_t)n, VIEWS_TEXT_MAX, size);
        views_text_show(v->area, i, (size_t)n, &now);
        return 0;
}

/* --- what a node is --------------------------------------------------------------------------------------------------
 */

static size_t mounts_count(void)
{
        return view_count() + view_tree_count();
}

static uint64_t mount_node(size_t i)
{
        return i < view_count() ? i + 1 : view_tree_node(i - view_count());
}

const char *views_mount_path(size_t i)
{
        if (i < view_count())
                return view_path(i);
        return i < mounts_count() ? view_tree_path(i - view_count()) : NULL;
}

static bool is_single(uint64_t node)
{
        return node >= 1 && node <= view_count();
}

/* Texts below trees aren't kept: equal ones have an equal time, others another one. */
static uint64_t time_of(const struct views *v, const char *text, size_t size)
{
        return v->area->born_s * NS_IN_S + hash_bytes(HASH_BEGIN, text, size) % NS_IN_S;
}

static uint32_t mode_of(enum view_kind kind)
{
        static const uint32_t modes[] = {
                [VIEW_FILE] = S_IFREG | 0444, [VIEW_DIRECTORY] = S_IFDIR | 0555, [VIEW_LINK] = S_IFLNK | 0777};

        return modes[kind];
}

static ssize_t names_of(struct views *v, uint64_t node, char *buf, size_t size)
{
        struct view_entry entry;
        size_t used = 0;
        int r;

        for (size_t at = 0; (r = view_list(v->view, node, v->sample, at, &entry)) > 0; at++) {
                size_t length = strnlen(entry.name, sizeof(entry.name) - 1) + 1;

                if (size - used < length)
                        return -ENOSPC;
                memcpy(buf + used, entry.name, length);
                used += length;
        }
        return r < 0 ? r : (ssize_t)used;
}

/* In a tree: what a stat(2) is to say. */
static int look_at_tree(struct views *v, uint64_t node, struct fuse_file *ret)
{
        char *buf = v->area->texts[SCRATCH][0];
        int r = take_sample(v), kind;
        ssize_t n;

        if (r < 0)
                return r;
        kind = view_kind(v->view, node, v->sample);
        if (kind < 0)
                return kind;
        ret->mode = mode_of((enum view_kind)kind);
        n = kind == VIEW_DIRECTORY ? names_of(v, node, buf, VIEWS_TEXT_MAX)
                                   : view_read(v->view, node, v->sample, buf, VIEWS_TEXT_MAX);
        if (n < 0)
                return (int)n;
        ret->size = kind == VIEW_DIRECTORY ? 0 : (uint64_t)n;
        ret->mtime_ns = time_of(v, buf, (size_t)n);
        return 0;
}

static int look_at(struct views *v, uint64_t node, struct fuse_file *ret)
{
        const char *text;
        uint64_t age;
        int r;

        *ret = (struct fuse_file){.node = node + SHIFT, .uid = v->owner, .gid = v->owner, .valid_ns = ttl_of(v, node)};
        if (!is_single(node))
                return look_at_tree(v, node, ret);
        r = refresh(v, node - 1);
        if (r < 0)
                return r;
        ret->mode = mode_of(VIEW_FILE);
        ret->size = views_text(v->area, node - 1, &text, &ret->mtime_ns);
        age = now_ns(CLOCK_MONOTONIC) - v->area->slots[node - 1].made_ns;
        ret->valid_ns -= age < ret->valid_ns ? age : ret->valid_ns;
        return 0;
}

/* Before the partition is known, and of our own root: kinds, that hold for no time. */
static void look_at_blank(uint64_t node, struct fuse_file *ret)
{
        bool directory = node == 0 || !is_single(node);

        *ret = (struct fuse_file){.node = node + SHIFT, .mode = mode_of(directory ? VIEW_DIRECTORY : VIEW_FILE)};
}

/* --- requests --------------------------------------------------------------------------------------------------------
 */

static void fail(struct views *v, const struct fuse_request *q, int code)
{
        (void)fuse_reply_error(v->device, q->unique, code); /* nobody waits any more: nothing to be told */
}

static void get_attributes(struct views *v, const struct fuse_request *q)
{
        struct fuse_file file;
        int r = 0;

        if (q->node == ROOT || !v->view)
                look_at_blank(q->node - SHIFT, &file);
        else
                r = look_at(v, q->node - SHIFT, &file);
        if (r < 0)
                fail(v, q, -r);
        else
                (void)fuse_reply_attributes(v->device, q->unique, &file);
}

static void look_up(struct views *v, const struct fuse_request *q)
{
        struct view_entry entry = {.node = 0};
        struct fuse_file file;
        uint64_t i;
        int r;

        if (q->node == ROOT && str_to_u64(q->name, mounts_count() - 1, &i)) {
                look_at_blank(mount_node(i), &file);
                (void)fuse_reply_entry(v->device, q->unique, &file, 0);
                return;
        }
        r = q->node == ROOT ? -ENOENT : take_sample(v);
        if (r == 0)
                r = view_lookup(v->view, q->node - SHIFT, v->sample, q->name, &entry);
        if (r == 0)
                r = look_at(v, entry.node, &file);
        if (r == -ENOENT && q->node != ROOT)
                (void)fuse_reply_entry(v->device, q->unique, NULL, ttl_of(v, q->node - SHIFT));
        else if (r < 0)
                fail(v, q, -r);
        else
                (void)fuse_reply_entry(v->device, q->unique, &file, file.valid_ns);
}

static void reply_part(struct views *v, const struct fuse_request *q, const char *text, size_t size)
{
        size_t left = q->offset < size ? size - q->offset : 0;

        (void)fuse_reply(v->device, q->unique, left ? text + q->offset : text, left < q->size ? left : q->size);
}

static void read_file(struct views *v, const struct fuse_request *q)
{
        uint64_t node = q->node - SHIFT, mtime;
        const char *text = v->area->texts[SCRATCH][0];
        ssize_t n;

        if (is_single(node)) {
                n = (ssize_t)views_text(v->area, node - 1, &text, &mtime);
                if (n == 0 && (n = refresh(v, node - 1)) == 0)
                        n = (ssize_t)views_text(v->area, node - 1, &text, &mtime);
        } else {
                n = take_sample(v);
                if (n == 0)
                        n = view_read(v->view, node, v->sample, v->area->texts[SCRATCH][0], VIEWS_TEXT_MAX);
        }
        if (n < 0)
                fail(v, q, (int)-n);
        else
                reply_part(v, q, text, (size_t)n);
}

static void read_link(struct views *v, const struct fuse_request *q)
{
        char *text = v->area->texts[SCRATCH][0];
        ssize_t n = take_sample(v);

        if (n == 0)
                n = view_read(v->view, q->node - SHIFT, v->sample, text, LISTING_MAX);
        if (n < 0)
                fail(v, q, (int)-n);
        else
                (void)fuse_reply(v->device, q->unique, text, (size_t)n);
}

/* Child number at of what is listed, with "." and ".." before all. */
static int list_at(struct views *v, uint64_t node, uint64_t at, struct view_entry *ret)
{
        *ret = (struct view_entry){.node = node, .kind = VIEW_DIRECTORY};
        if (at < 2) {
                (void)snprintf(ret->name, sizeof(ret->name), "%s", at ? ".." : ".");
                return 1;
        }
        if (node == 0)
                return 0; /* ours, which nobody sees */
        return view_list(v->view, node, v->sample, at - 2, ret);
}

static void read_directory(struct views *v, const struct fuse_request *q)
{
        char buf[LISTING_MAX];
        size_t used = 0, size = q->size < sizeof(buf) ? q->size : sizeof(buf);
        int r = q->node == ROOT ? 0 : take_sample(v);

        for (uint64_t at = q->offset; r == 0; at++) {
                struct view_entry entry;
                struct fuse_file file;

                r = list_at(v, q->node - SHIFT, at, &entry);
                if (r <= 0)
                        break;
                file = (struct fuse_file){.node = entry.node + SHIFT, .mode = mode_of(entry.kind)};
                entry.name[sizeof(entry.name) - 1] = '\0';
                r = fuse_put_entry(buf, size, &used, &file, entry.name, at + 1);
        }
        if (r < 0 && r != -ENOSPC)
                fail(v, q, -r);
        else
                (void)fuse_reply(v->device, q->unique, buf, used);
}

static void start_session(struct views *v, const struct fuse_request *q)
{
        (void)fuse_reply_init(v->device, q);
}

static void get_size(struct views *v, const struct fuse_request *q)
{
        (void)fuse_reply_statfs(v->device, q->unique);
}

/* All others are answered with ENOSYS, which the kernel remembers of OPEN, OPENDIR, FLUSH, GETXATTR, LISTXATTR, POLL
 * and INTERRUPT: it asks once. */
static const struct {
        uint32_t opcode;
        void (*handle)(struct views *v, const struct fuse_request *q);
} handlers[] = {{FUSE_READ, read_file}, {FUSE_GETATTR, get_attributes}, {FUSE_LOOKUP, look_up},
        {FUSE_READDIR, read_directory}, {FUSE_READLINK, read_link}, {FUSE_STATFS, get_size},
        {FUSE_INIT, start_session}};

static void answer(struct views *v, size_t size)
{
        struct fuse_request q;
        bool known = false;

        if (fuse_request_decode(v->area->request, size, &q) < 0)
                return; /* the kernel sends none such; what a predecessor left is of no use */
        if (!fuse_wants_reply(&q))
                return;
        for (size_t i = 0; i < ELEMENTS(handlers) && !known; i++) {
                known = handlers[i].opcode == q.opcode;
                if (known)
                        handlers[i].handle(v, &q);
        }
        if (!known)
                fail(v, &q, ENOSYS);
}

/* The request is in the memory from the system call that took it until it is answered: answered twice is once too many,
 * but does no harm. */
static void answer_taken(struct views *v)
{
        size_t size = fuse_request_size(v->area->request, sizeof(v->area->request));

        if (size >= sizeof(struct fuse_in_header) && size <= sizeof(v->area->request))
                answer(v, size);
        memset(v->area->request, 0, sizeof(struct fuse_in_header));
}

bool views_serve(struct views *v)
{
        answer_taken(v);
        for (int i = 0; i < AT_ONCE_MAX; i++) {
                ssize_t n = read(v->device, v->area->request, sizeof(v->area->request));

                if (n < 0 && errno == EAGAIN)
                        return true;
                if (n < 0 && errno != EINTR && errno != ENOENT) /* ENOENT: who asked has gone */
                        return false;
                if (n > 0)
                        answer_taken(v);
        }
        return true;
}
