/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cmd_image.c - image build, import and remove.
 */
#include "cli.h"

#include <errno.h>
#include <string.h>

static int add(struct cli *cli, json_t *body, const char *verb, const char *name)
{
        _cleanup_free_ char *path = cli_path(NULL, "images", NULL);
        char what[160];

        (void)snprintf(what, sizeof(what), "%s '%s'", verb, name);
        return cli_request(cli, "POST", path, body, what, NULL);
}

int cli_cmd_image_build(struct cli *cli, const struct cli_args *args)
{
        const char *suite = cli_value(args, "suite");
        _cleanup_json_ json_t *body = NULL;

        if (!suite)
                return cli_usage(args->command, "--suite is needed, as in --suite bookworm");
        body = json_pack("{s:s, s:{s:s, s:s*, s:s*, s:s*}}", "name", args->words[0], "build", "suite", suite, "mirror",
                cli_value(args, "mirror"), "variant", cli_value(args, "variant"), "include",
                cli_value(args, "include"));
        if (!body)
                return cli_usage(args->command, "a word is no valid text");
        return add(cli, body, "build image", args->words[0]);
}

/* "META,ROOTFS" are two files: each is made absolute, for croftd has a working directory of its own. */
static char *absolute(const char *list)
{
        _cleanup_free_ char *copy = strdup(list);
        char *whole = copy ? realpath(copy, NULL) : NULL, *both = NULL, *comma;
        _cleanup_free_ char *first = NULL, *second = NULL;

        comma = copy ? strchr(copy, ',') : NULL;
        if (whole || !comma)
                return whole;
        *comma = '\0';
        first = realpath(copy, NULL);
        second = realpath(comma + 1, NULL);
        if (!first || !second)
                return NULL;
        return asprintf(&both, "%s,%s", first, second) < 0 ? NULL : both;
}

/* "/tmp/Debian_12.tar.xz" is called "debian-12" when nobody says otherwise. */
static void name_of(const char *path, char *buf, size_t size)
{
        const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
        static const char *const ends[] = {".tar", ".tgz", ".txz", ".oci"};
        size_t length = strcspn(base, ","), n = 0;

        for (size_t i = 0; i < ELEMENTS(ends); i++) {
                const char *end = strstr(base, ends[i]);

                if (end && end > base && (size_t)(end - base) < length)
                        length = (size_t)(end - base);
        }
        for (size_t i = 0; i < length && n + 1 < size; i++) {
                char c = base[i] >= 'A' && base[i] <= 'Z' ? (char)(base[i] + 32) : base[i];
                bool fits = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');

                if (fits || (n > 0 && buf[n - 1] != '-'))
                        buf[n++] = fits ? c : '-';
        }
        while (n > 0 && buf[n - 1] == '-')
                n--;
        buf[n] = '\0';
}

int cli_cmd_image_import(struct cli *cli, const struct cli_args *args)
{
        _cleanup_free_ char *path = absolute(args->words[0]);
        struct croft_error err = CROFT_ERROR_INIT;
        const char *name = cli_value(args, "name");
        _cleanup_json_ json_t *body = NULL;
        char own[64];

        if (!path) {
                (void)croft_error_set(&err, errno, "open '%s'", args->words[0]);
                return cli_fail(cli, &err, NULL);
        }
        name_of(path, own, sizeof(own));
        body = json_pack("{s:s, s:{s:s}}", "name", name ? name : own, "import", "path", path);
        if (!body)
                return cli_usage(args->command, "a word is no valid text");
        return add(cli, body, "import image", name ? name : own);
}

static int remove_one(struct cli *cli, const struct cli_args *args, const char *name)
{
        _cleanup_free_ char *path = cli_path(NULL, "images", name, NULL);
        char what[160];

        (void)args;
        (void)snprintf(what, sizeof(what), "remove image '%s'", name);
        return cli_request(cli, "DELETE", path, NULL, what, NULL);
}

int cli_cmd_image_remove(struct cli *cli, const struct cli_args *args)
{
        return cli_each(cli, args, remove_one);
}
