/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * policy.c - devexports(5) and CDI files as they are now.  See policy.h.
 */
#include "devid/policy.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/str.h"
#include "partition/host.h"

#include <string.h>

#define CDI_FILES_MAX 256 /* of one directory */

int devid_policy_read(const struct host *host, struct devexports *ret, struct croft_error *err)
{
        struct devexports exports = {.list = NULL};
        _cleanup_free_ char *text = NULL;
        size_t size = 0;
        int r = stanzas_read_file(host->config_dir, DEVID_POLICY_FILE, &text, &size, err);

        if (r < 0)
                return r;
        r = text ? devexports_parse(text, size, &exports, err) : 0;
        if (r < 0) {
                (void)croft_error_prefix(err, "read '%s/%s'", host->config_dir, DEVID_POLICY_FILE);
                return r;
        }
        *ret = exports;
        return 0;
}

int devid_policy_check(const struct host *host, const struct devexports *exports, const char *path, const char *other,
        const char **ret, struct croft_error *err)
{
        char escaped[4 * DEVEXPORTS_PATH_MAX];

        if (devexports_lists(exports, path) || (other && devexports_lists(exports, other))) {
                *ret = devexports_lists(exports, path) ? path : other;
                return 0;
        }
        return croft_error_set(err, EPERM, "'%s' isn't listed in '%s/%s', so that no partition may have it.",
                str_escape(escaped, sizeof(escaped), path, strlen(path)), host->config_dir, DEVID_POLICY_FILE);
}

/* --- CDI --- */

struct search {
        const struct cdi_name *name;
        struct cdi_device device;
        bool found;
        struct croft_error spoilt; /* why a file can't be used; once the device is found it doesn't matter */
};

static void note_spoilt(struct search *s, const char *directory, const char *file, struct croft_error *own)
{
        char escaped[128];

        (void)croft_error_prefix(own, "'%s/%s'", directory, str_escape(escaped, sizeof(escaped), file, strlen(file)));
        if (!s->spoilt.code || own->code == EOPNOTSUPP) /* that is of the device itself */
                (void)croft_error_copy(&s->spoilt, own);
}

static int look_into(struct search *s, int dir_fd, const char *directory, const char *file, struct croft_error *err)
{
        _cleanup_(cdi_device_done) struct cdi_device device = {.nodes = NULL};
        struct croft_error own = CROFT_ERROR_INIT;
        _cleanup_free_ char *text = NULL;
        size_t size = 0;
        int r = stanzas_read_own(dir_fd, file, CDI_FILE_MAX, &text, &size);

        if (r < 0)
                (void)croft_error_set(&own, r, r == -EPERM ? "only root may write it" : "read it");
        else
                r = cdi_decode(text, size, cdi_format_of(file), s->name, &device, &own);
        if (r == -ENOENT)
                return 0; /* not this one's, or it has just gone */
        if (r < 0) {
                note_spoilt(s, directory, file, &own);
                return 0;
        }
        if (s->found)
                return croft_error_set(err, EBADMSG, "two files in '%s' have the device '%s=%s'.", directory,
                        s->name->kind, s->name->device);
        s->device = device;
        device = (struct cdi_device){.nodes = NULL};
        s->found = true;
        return 0;
}

static int look_at_directory(struct search *s, const char *directory, struct croft_error *err)
{
        _cleanup_closedir_ DIR *d = NULL;
        const struct dirent *entry;
        unsigned int files = 0;
        int r = 0, fd = fd_open2(AT_FDCWD, directory, O_RDONLY | O_DIRECTORY, 0, 0);

        if (fd == -ENOENT)
                return 0;
        d = fd < 0 ? NULL : fdopendir(fd);
        if (!d) {
                r = fd < 0 ? fd : -errno;
                close_fd(fd);
                return croft_error_set(err, r, "open '%s'", directory);
        }
        while (r == 0 && (entry = readdir(d))) {
                if (cdi_format_of(entry->d_name) == CDI_NO_FORMAT)
                        continue;
                if (++files > CDI_FILES_MAX)
                        return croft_error_set(err, EBADMSG, "'%s' has more than %d files.", directory, CDI_FILES_MAX);
                r = look_into(s, dirfd(d), directory, entry->d_name, err);
        }
        if (r == 0 && !s->found && s->spoilt.code)
                r = croft_error_copy(err, &s->spoilt);
        return r;
}

/* The last directory of the list that has it wins. */
static int find_cdi(struct search *s, const char *directories, struct croft_error *err)
{
        const char *end = directories + strlen(directories);
        int r = 0;

        while (r == 0 && !s->found && end > directories) {
                _cleanup_free_ char *directory = NULL;
                const char *begin = end;

                while (begin > directories && begin[-1] != ':')
                        begin--;
                directory = strndup(begin, (size_t)(end - begin));
                if (!directory)
                        return croft_error_set(err, ENOMEM, "look for a device");
                r = *directory ? look_at_directory(s, directory, err) : 0;
                end = begin > directories ? begin - 1 : directories;
        }
        return r;
}

int devid_policy_cdi(
        const struct host *host, const struct cdi_name *name, struct cdi_device *ret, struct croft_error *err)
{
        struct search s = {.name = name};
        int r = find_cdi(&s, host->cdi_dirs, err);

        if (r == 0 && !s.found)
                r = croft_error_set(err, ENOENT, "no file *.json, *.yaml or *.yml in %s has the device '%s=%s'.",
                        host->cdi_dirs, name->kind, name->device);
        if (r < 0) {
                cdi_device_done(&s.device);
                return r;
        }
        *ret = s.device;
        return 0;
}
