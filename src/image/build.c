/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * build.c - images that mmdebstrap builds from a distribution's packages.
 *
 * Its output goes as a tar through the same worker as everything else.  It runs in a pid and mount namespace that end
 * with us, and its /tmp is inside the draft: what a killed build leaves is deleted with the draft.
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/str.h"
#include "image/os_release.h"
#include "image/run.h"
#include "image/sources.h"
#include "image/store.h"

#include <dirent.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define SOURCES_MAX (1UL << 20) /* bytes of a sources file */

static int add_file(
        int dir, const char *name, const char *codename, const char *suite, char ***lines, struct croft_error *err)
{
        size_t n = strlen(name);
        bool deb822 = n > 8 && strcmp(name + n - 8, ".sources") == 0;
        _cleanup_free_ char *text = NULL;
        int r;

        if (!deb822 && !(n > 5 && strcmp(name + n - 5, ".list") == 0))
                return 0;
        r = fd_read_file(dir, name, SOURCES_MAX, &text, NULL);
        if (r == -ENOENT)
                return 0;
        if (r == 0)
                r = sources_translate(text, deb822, codename, suite, lines);
        return r < 0 ? croft_error_set(err, r, "read apt's '%s'", name) : 0;
}

static int read_host_sources(const char *codename, const char *suite, char ***lines, struct croft_error *err)
{
        _cleanup_closedir_ DIR *dir = opendir("/etc/apt/sources.list.d");
        _cleanup_close_ int apt = open("/etc/apt", O_PATH | O_DIRECTORY | O_CLOEXEC);
        const struct dirent *entry;
        int r = 0;

        if (apt >= 0)
                r = add_file(apt, "sources.list", codename, suite, lines, err);
        while (dir && r == 0 && (entry = readdir(dir)))
                r = add_file(dirfd(dir), entry->d_name, codename, suite, lines, err);
        return r;
}

/* The host's mirrors with the suite in the place of the host's own release, or the one that was given. */
static int find_sources(const struct image_build *what, char ***lines, struct croft_error *err)
{
        _cleanup_free_ char *release = NULL;
        char codename[64] = "";
        int r;

        if (what->mirror) {
                _cleanup_free_ char *line = NULL;

                if (asprintf(&line, "deb %s %s main", what->mirror, what->suite) < 0)
                        return croft_error_set(err, ENOMEM, "note the mirror");
                r = strv_append(lines, line);
                return r < 0 ? croft_error_set(err, r, "note the mirror") : 0;
        }
        if (fd_read_file(AT_FDCWD, "/etc/os-release", 65536, &release, NULL) == 0)
                os_release_value(release, "VERSION_CODENAME", codename, sizeof(codename));
        r = codename[0] ? read_host_sources(codename, what->suite, lines, err) : 0;
        if (r < 0)
                return r;
        if (strv_length(*lines) == 0)
                return croft_error_set(
                        err, EINVAL, "this host's apt sources name no mirror of its own release: give one (--mirror).");
        return 0;
}

static int check(const struct image_build *what, struct croft_error *err)
{
        static const char *const variants[] = {
                "essential", "apt", "required", "minbase", "buildd", "important", "debootstrap", "standard", NULL};
        size_t i = 0;

        if (!what->suite || !sources_is_suite(what->suite))
                return croft_error_set(err, EINVAL, "a suite is a name such as 'bookworm'.");
        if (what->mirror && !sources_is_uri(what->mirror))
                return croft_error_set(
                        err, EINVAL, "a mirror is an address that begins with http:, https:, file: or copy:.");
        if (what->include && what->include[0] && !sources_is_package_list(what->include))
                return croft_error_set(err, EINVAL, "packages to include are names with commas between them.");
        while (what->variant && variants[i] && strcmp(variants[i], what->variant) != 0)
                i++;
        if (what->variant && !variants[i])
                return croft_error_set(err, EINVAL,
                        "a variant is one of essential, apt, required, minbase, buildd, important, standard.");
        return 0;
}

/* "I: installing essential packages..." */
static const char *builder_says(char *line)
{
        return str_has_prefix(line, "I: ") ? line + 3 : NULL;
}

static int add_format(char ***argv, const char *option, const char *value)
{
        _cleanup_free_ char *text = NULL;

        if (asprintf(&text, "%s%s", option, value) < 0)
                return -ENOMEM;
        return strv_append(argv, text);
}

static int make_command(const struct image_build *what, char ***argv, struct croft_error *err)
{
        static const char *const options[] = {"mmdebstrap", "--mode=root", "--format=tar", NULL};
        _cleanup_(strv_freep) char **sources = NULL;
        int r = find_sources(what, &sources, err);

        if (r < 0)
                return r;
        for (size_t i = 0; r == 0 && options[i]; i++)
                r = strv_append(argv, options[i]);
        if (r == 0)
                r = add_format(argv, "--variant=", what->variant ? what->variant : "minbase");
        if (r == 0 && what->include && what->include[0])
                r = add_format(argv, "--include=", what->include);
        if (r == 0)
                r = strv_append(argv, what->suite);
        if (r == 0)
                r = strv_append(argv, "-");
        for (size_t i = 0; r == 0 && sources[i]; i++)
                r = strv_append(argv, sources[i]);
        return r < 0 ? croft_error_set(err, r, "make mmdebstrap's command") : 0;
}

static int make_folder(const struct image_draft *draft, const char *name, mode_t mode, struct croft_error *err)
{
        int fd;

        if (mkdirat(draft->dir, name, 0700) < 0 || fchmodat(draft->dir, name, mode, 0) < 0)
                return croft_error_set(err, errno, "make directory '%s'", name);
        fd = fd_open2(draft->dir, name, O_RDONLY | O_DIRECTORY, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
        return fd < 0 ? croft_error_set(err, fd, "open directory '%s'", name) : fd;
}

static int build_root(struct image_draft *draft, struct worker_run *job, struct croft_error *err)
{
        _cleanup_close_ int root = make_folder(draft, "rootfs", 0755, err), temporary = -EBADF;
        int r;

        if (root < 0)
                return root;
        temporary = make_folder(draft, "build", 01777, err);
        if (temporary < 0)
                return temporary;
        job->target = root;
        job->producer_tmp = temporary;
        r = worker_run(draft->store, job, err);
        return r < 0 ? r : fd_remove_tree(draft->dir, "build", err);
}

static int build_draft(struct image_draft *draft, const struct image_build *what, struct worker_run *job,
        struct image_info *ret, struct croft_error *err)
{
        _cleanup_(strv_freep) char **argv = NULL;
        char source[256];
        struct image_finish f = {.hash = job->hash,
                .name = what->name,
                .source = source,
                .say = job->say,
                .context = job->context,
                .ret = ret};
        int r = make_command(what, &argv, err);

        if (r < 0)
                return r;
        job->producer = argv;
        job->producer_says = builder_says;
        r = build_root(draft, job, err);
        if (r < 0)
                return r;
        (void)snprintf(source, sizeof(source), "mmdebstrap %s %s%s%.120s", what->suite,
                what->variant ? what->variant : "minbase", what->include && what->include[0] ? " +" : "",
                what->include ? what->include : "");
        f.nodes = job->nodes;
        return image_finish(draft, &f, err);
}

int image_build(struct image_store *store, const struct image_build *what, image_progress say, void *context,
        struct image_info *ret, struct croft_error *err)
{
        _cleanup_(image_draft_done) struct image_draft draft = IMAGE_DRAFT_INIT;
        struct worker_run job = {.mode = "unpack",
                .source = -EBADF,
                .input = -EBADF,
                .hash = EVP_MD_CTX_new(),
                .say = say,
                .context = context};
        int r = 0;

        if (!job.hash || !EVP_DigestInit_ex(job.hash, EVP_sha256(), NULL))
                r = croft_error_set(err, ENOMEM, "build an image");
        if (r == 0)
                r = check(what, err);
        if (r == 0)
                r = image_check_name(store, what->name, err);
        if (r == 0)
                r = image_draft_begin(store, &draft, err);
        if (r == 0)
                r = build_draft(&draft, what, &job, ret, err);
        EVP_MD_CTX_free(job.hash);
        if (r < 0)
                croft_error_prefix(err, "build image '%.64s'", what->name);
        return r;
}
