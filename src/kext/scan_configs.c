/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * scan_configs.c - which modules a tree is configured to load as it starts, by modules-load.d(5) and /etc/modules.  See
 * scan.h.
 *
 * Only what it says: the files are the partition's own, and it may load by other ways.
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/str.h"
#include "kext/scan.h"

#include <string.h>

#define FILES_MAX 1000
#define FILE_MAX ((size_t)64 << 10)

struct reading {
        const struct scan_wish *wish;
        unsigned int files;
};

/* The first word of each line that is no comment; /etc/modules has parameters behind it. */
static void read_lines(char *text, const char *config, const struct scan_wish *wish)
{
        char *save = NULL, name[KEXT_NAME_MAX + 1];

        for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
                line += strspn(line, " \t\r");
                line[strcspn(line, " \t\r")] = '\0';
                if (line[0] != '#' && line[0] != ';' && kext_name_normalise(line, name))
                        wish->wanted(wish->context, name, config);
        }
}

static void read_file(struct reading *r, int dir, const char *file, const char *folder)
{
        _cleanup_free_ char *text = NULL;
        char shown[200], config[KEXT_CONFIG_MAX + 1];

        if (r->files++ >= FILES_MAX)
                return;
        text = scan_read(dir, file, FILE_MAX);
        if (!text)
                return;
        (void)str_escape(shown, sizeof(shown), file, strnlen(file, 100));
        (void)snprintf(config, sizeof(config), "/%s/%s", folder, shown);
        read_lines(text, config, r->wish);
}

static bool is_config(const char *name)
{
        size_t n = strlen(name);

        return n > 5 && name[0] != '.' && strcmp(name + n - 5, ".conf") == 0;
}

static void read_folder(struct reading *r, int root, const char *folder)
{
        int fd = scan_open(root, folder, O_RDONLY | O_DIRECTORY);
        _cleanup_closedir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
        const struct dirent *entry;

        if (!dir) {
                close_fd(fd);
                return;
        }
        while (r->files < FILES_MAX && !r->wish->ends(r->wish->context) && (entry = readdir(dir)))
                if (is_config(entry->d_name))
                        read_file(r, dirfd(dir), entry->d_name, folder);
}

void scan_configs(int root, const struct scan_wish *wish)
{
        struct reading r = {.wish = wish};
        int etc = scan_open(root, "etc", O_RDONLY | O_DIRECTORY);

        if (etc >= 0)
                read_file(&r, etc, "modules", "etc");
        close_fd(etc);
        read_folder(&r, root, "etc/modules-load.d");
        read_folder(&r, root, "usr/local/lib/modules-load.d");
        read_folder(&r, root, "usr/lib/modules-load.d");
}
