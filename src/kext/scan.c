/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * scan.c - see scan.h.
 *
 * Each directory is opened below the one that it is in, by its name, and what is looked for by its name, too: nothing
 * that the tree's owner changes meanwhile leads out of it.  A file is opened without waiting (O_NONBLOCK) after it was
 * seen to be regular, and looked at again.
 */
#include "kext/scan.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/str.h"
#include "kext/bytes.h"

#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>

#define DEPTH_MAX 100
#define PROGRESS_MS 500
#define BELOW (RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV)
#define IN_ROOT (RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV)

struct walk {
        int root;
        const struct kext_scan_limits *limits;
        const struct scan_listener *listener;
        int64_t begun_ms, said_ms;
        uint64_t entries, bytes;
        bool ended;
        char path[KEXT_PATH_MAX + 1]; /* of the directory at hand; "": the root */
        struct scan_path *found;      /* whose owners are to be looked for; paths owned */
        size_t n_found;
        uint32_t findings;
};

static void tell(struct walk *w, struct kext_finding *finding)
{
        if (w->ended)
                return;
        if (w->findings == KEXT_FINDINGS_MAX - 1) {
                *finding = (struct kext_finding){.oddity = "the scan ended here: there is too much to tell"};
                (void)str_copy(finding->path, sizeof(finding->path), w->path[0] ? w->path : "/");
                w->ended = true;
        }
        w->listener->found(w->listener->context, finding);
        w->findings++;
}

static void tell_oddity(struct walk *w, struct kext_finding *finding, const char *oddity)
{
        (void)str_copy(finding->oddity, sizeof(finding->oddity), oddity);
        tell(w, finding);
}

static void end(struct walk *w, const char *why)
{
        struct kext_finding finding = {.size = 0};

        (void)str_copy(finding.path, sizeof(finding.path), w->path[0] ? w->path : "/");
        tell_oddity(w, &finding, why);
        w->ended = true;
}

static bool is_late(struct walk *w)
{
        return now_ms() - w->begun_ms > (int64_t)w->limits->seconds * 1000;
}

/* Each entry is counted; the clock is looked at now and then. */
static void count(struct walk *w)
{
        int64_t now;

        if (++w->entries > w->limits->entries) {
                end(w, "the scan ended here: there are too many entries");
                return;
        }
        if (w->entries % 256 != 0)
                return;
        now = now_ms();
        if (is_late(w))
                end(w, "the scan ended here: it takes too long");
        if (now - w->said_ms >= PROGRESS_MS) {
                w->said_ms = now;
                w->listener->progress(w->listener->context, w->entries);
        }
}

static const char *kind_of(mode_t mode)
{
        if (S_ISFIFO(mode))
                return "a FIFO";
        if (S_ISSOCK(mode))
                return "a socket";
        if (S_ISCHR(mode) || S_ISBLK(mode))
                return "a device";
        return S_ISDIR(mode) ? "a directory" : "no regular file";
}

static const char *why_not(int r)
{
        switch (r) {
        case -ELOOP:
                return "a loop of symbolic links";
        case -ENOENT:
                return "a symbolic link to nothing";
        case -EXDEV:
                return "on another file system";
        default:
                return "can't be opened";
        }
}

/* It is open and regular. */
static void hash(struct walk *w, int fd, struct kext_finding *finding)
{
        char *path;
        int r;

        if (finding->size > KEXT_FILE_MAX) {
                tell_oddity(w, finding, "larger than an extension may be");
                return;
        }
        if (w->bytes + finding->size > w->limits->bytes) {
                tell_oddity(w, finding, "not read: there is too much to read");
                return;
        }
        r = bytes_hash(fd, finding->sha256, &finding->size, NULL);
        w->bytes += finding->size;
        if (r < 0) {
                finding->sha256[0] = '\0';
                tell_oddity(w, finding, r == -EFBIG ? "it grows while it is read" : "can't be read");
                return;
        }
        path = strdup(finding->path);
        if (path) /* else its application stays unknown */
                w->found[w->n_found++] = (struct scan_path){.path = path, .finding = w->findings};
        tell(w, finding);
        if (is_late(w))
                end(w, "the scan ended here: it takes too long");
}

static void look_at(struct walk *w, int dir, const char *name, struct kext_finding *finding)
{
        _cleanup_close_ int fd = -EBADF;
        struct stat st;
        bool link;

        if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
                tell_oddity(w, finding, "can't be looked at");
                return;
        }
        link = S_ISLNK(st.st_mode);
        if (!link && !S_ISREG(st.st_mode)) {
                tell_oddity(w, finding, kind_of(st.st_mode));
                return;
        }
        if (link) { /* where it leads to inside; first without opening that */
                fd = fd_open2(w->root, finding->path, O_PATH, 0, IN_ROOT);
                if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
                        tell_oddity(w, finding, fd < 0 ? why_not(fd) : kind_of(st.st_mode));
                        return;
                }
                close_fd(fd);
        }
        fd = link ? fd_open2(w->root, finding->path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, IN_ROOT)
                  : fd_open2(dir, name, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, BELOW);
        if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
                tell_oddity(w, finding, fd < 0 ? why_not(fd) : kind_of(st.st_mode));
                return;
        }
        finding->size = (uint64_t)st.st_size;
        hash(w, fd, finding);
}

static void walk_into(struct walk *w, int dir, unsigned int depth);

static void enter(struct walk *w, int dir, const char *name, unsigned int depth)
{
        struct kext_finding finding = {.size = 0};
        int fd;

        if (depth == DEPTH_MAX) {
                (void)str_copy(finding.path, sizeof(finding.path), w->path);
                tell_oddity(w, &finding, "too deep to be looked into");
                return;
        }
        fd = fd_open2(dir, name, O_RDONLY | O_DIRECTORY | O_NONBLOCK, 0, BELOW);
        if (fd >= 0) {
                walk_into(w, fd, depth + 1);
        } else if (fd != -EXDEV && fd != -ENOENT && fd != -ELOOP &&
                   fd != -ENOTDIR) { /* another mount; or it has gone */
                (void)str_copy(finding.path, sizeof(finding.path), w->path);
                tell_oddity(w, &finding, "a directory that can't be opened");
        }
}

static bool is_directory(int dir, const struct dirent *entry)
{
        struct stat st;

        if (entry->d_type != DT_UNKNOWN)
                return entry->d_type == DT_DIR;
        return fstatat(dir, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

static void visit(struct walk *w, int dir, const struct dirent *entry, unsigned int depth)
{
        size_t length = strlen(w->path), n = strlen(entry->d_name);
        bool is_dir = is_directory(dir, entry), wanted = kext_is_file_name(entry->d_name);
        struct kext_finding finding = {.size = 0};

        if (!is_dir && !wanted)
                return;
        if (length + 1 + n > KEXT_PATH_MAX) {
                (void)str_copy(finding.path, sizeof(finding.path), w->path);
                tell_oddity(w, &finding, "a path below is too long");
                return;
        }
        (void)snprintf(w->path + length, sizeof(w->path) - length, "/%s", entry->d_name);
        if (wanted) {
                (void)str_copy(finding.path, sizeof(finding.path), w->path);
                look_at(w, dir, entry->d_name, &finding);
        }
        if (is_dir && !w->ended)
                enter(w, dir, entry->d_name, depth);
        w->path[length] = '\0';
}

/* Takes dir over. */
static void walk_into(struct walk *w, int dir, unsigned int depth)
{
        _cleanup_closedir_ DIR *stream = fdopendir(dir);
        const struct dirent *entry;

        if (!stream) {
                close_fd(dir);
                return;
        }
        while (!w->ended && (entry = readdir(stream))) {
                if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
                        continue;
                count(w);
                if (!w->ended)
                        visit(w, dirfd(stream), entry, depth);
        }
}

/* modprobe(8) takes a module from here; the file has its name. */
static bool is_of(const char *path, const char *name)
{
        const char *file = strrchr(path, '/') + 1;
        char own[KEXT_NAME_MAX + 1], part[KEXT_NAME_MAX + 1];

        if (!str_has_prefix(path, "/lib/modules/") && !str_has_prefix(path, "/usr/lib/modules/"))
                return false;
        (void)snprintf(part, sizeof(part), "%.*s", (int)strcspn(file, "."), file);
        return kext_name_normalise(part, own) && strcmp(own, name) == 0;
}

static void note_wanted(void *context, const char *name, const char *config)
{
        struct kext_finding finding = {.size = 0};
        struct walk *w = context;
        bool stored = false;

        for (size_t i = 0; i < w->n_found; i++)
                if (is_of(w->found[i].path, name)) {
                        w->listener->configured(w->listener->context, w->found[i].finding, config);
                        stored = true;
                }
        if (stored)
                return;
        (void)str_copy(finding.path, sizeof(finding.path), config);
        (void)snprintf(finding.oddity, sizeof(finding.oddity), "wants '%s', of which there is no file", name);
        tell(w, &finding);
}

static bool is_over(void *context)
{
        return is_late(context);
}

int scan(int root, const struct kext_scan_limits *limits, const struct scan_listener *listener, struct croft_error *err)
{
        struct walk *w = calloc(1, sizeof(*w));
        _cleanup_free_ void *own = w;
        int dir = fd_open2(root, ".", O_RDONLY | O_DIRECTORY, 0, BELOW);

        if (w)
                w->found = calloc(KEXT_FINDINGS_MAX, sizeof(*w->found));
        if (dir < 0 || !w || !w->found) {
                close_fd(dir);
                return croft_error_set(err, dir < 0 ? dir : ENOMEM, "open the root");
        }
        w->root = root;
        w->limits = limits;
        w->listener = listener;
        w->begun_ms = w->said_ms = now_ms();
        walk_into(w, dir, 0);
        scan_owners(root, w->found, w->n_found, listener, is_over, w);
        scan_configs(root, &(struct scan_wish){.wanted = note_wanted, .ends = is_over, .context = w});
        for (size_t i = 0; i < w->n_found; i++)
                free((char *)(uintptr_t)w->found[i].path);
        free(w->found);
        return 0;
}
