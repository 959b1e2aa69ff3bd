/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * request.c - requests of commands: a path, a JSON body, a JSON answer, and a line when it fails.
 */
#include "cli.h"
#include "progress.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

char *cli_path(const char *query, const char *segment, ...)
{
        char *path = NULL;
        size_t size = 0;
        FILE *f = open_memstream(&path, &size);
        va_list ap;

        if (!f)
                return NULL;
        (void)fputs("/v1", f);
        va_start(ap, segment);
        for (; segment; segment = va_arg(ap, const char *)) {
                size_t need = croft_path_escape(NULL, 0, segment) + 1;
                _cleanup_free_ char *escaped = malloc(need);

                if (escaped) {
                        croft_path_escape(escaped, need, segment);
                        (void)fprintf(f, "/%s", escaped);
                }
        }
        va_end(ap);
        if (query)
                (void)fprintf(f, "?%s", query);
        if (fclose(f) == 0)
                return path;
        free(path);
        return NULL;
}

int cli_path_check(const char *path, struct croft_error *err)
{
        size_t length = path ? strcspn(path, "?") : 0;

        if (!path)
                return croft_error_set(err, ENOMEM, "make a request");
        if (path[length - 1] == '/' || memmem(path, length, "//", 2))
                return croft_error_set(err, EINVAL, "a name is empty.");
        return 0;
}

static void say_notice(void *context, const char *text)
{
        const struct cli *cli = context;

        cli_say(cli, "croft: notice: %s", text);
}

int cli_connect(struct cli *cli)
{
        struct croft_error err = CROFT_ERROR_INIT;

        if (cli->client)
                return 0;
        if (croft_client_open(cli->socket, &cli->client, &err) < 0)
                return cli_fail(cli, &err, NULL);
        croft_client_on_notice(cli->client, say_notice, cli);
        return 0;
}

/* The name in "start 'web'", which events bear, too. */
static char *subject_of(const char *what)
{
        const char *begin = what ? strchr(what, '\'') : NULL, *end = begin ? strrchr(begin + 1, '\'') : NULL;

        return end ? strndup(begin + 1, (size_t)(end - begin - 1)) : NULL;
}

static int parse(const char *text, json_t **ret, struct croft_error *err)
{
        json_t *value;

        if (!*text) {
                *ret = json_null();
                return 0;
        }
        value = json_loads(text, JSON_DECODE_ANY, NULL);
        if (!value)
                return croft_error_set(err, EPROTO, "the answer of croftd is no JSON.");
        *ret = value;
        return 0;
}

int cli_request(
        struct cli *cli, const char *method, const char *path, const json_t *body, const char *what, json_t **ret)
{
        _cleanup_free_ char *text = body ? json_dumps(body, JSON_COMPACT) : NULL, *answer = NULL,
                            *subject = subject_of(what);
        struct croft_error err = CROFT_ERROR_INIT;
        struct progress *progress;
        int r = cli_connect(cli);

        if (r != 0)
                return r;
        r = body && !text ? croft_error_set(&err, ENOMEM, "make a request") : cli_path_check(path, &err);
        if (r < 0)
                return cli_fail(cli, &err, what);
        progress = progress_begin(cli, what, subject);
        r = croft_client_request(cli->client, method, path, text, &answer, &err);
        progress_end(progress);
        if (r >= 0 && ret)
                r = parse(answer, ret, &err);
        return r < 0 ? cli_fail(cli, &err, what) : 0;
}

int cli_each(struct cli *cli, const struct cli_args *args,
        int (*one)(struct cli *cli, const struct cli_args *args, const char *name))
{
        int status = 0;

        for (size_t i = 0; i < args->n_words; i++) {
                int r = one(cli, args, args->words[i]);

                if (status == 0)
                        status = r;
        }
        return status;
}

int cli_pairs(const struct cli_args *args, const char *option, json_t *object)
{
        const char *pair;
        size_t at = 0;

        while ((pair = cli_next(args, option, &at))) {
                const char *equal = strchr(pair, '=');
                _cleanup_free_ char *key = equal ? strndup(pair, (size_t)(equal - pair)) : NULL;

                if (!equal || equal == pair)
                        return cli_usage(args->command, "'%s' is not KEY=VALUE", pair);
                if (!key || json_object_set_new(object, key, json_string(equal + 1)) < 0)
                        return cli_usage(args->command, "'%s' is no valid text", pair);
        }
        return 0;
}
