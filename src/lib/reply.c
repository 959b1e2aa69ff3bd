/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * reply.c - what an answer that isn't 2xx means: croftd's error JSON becomes a struct croft_error again.
 *
 * {"error":{"code":"EBUSY","exit":5,"text":"...","causes":["outermost", ..., "innermost"]}}.  Whatever else comes (an
 * answer of the HTTP library itself, a newer croftd) still becomes an error that says something.
 */
#include "http.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#define ERRNO_LAST 133 /* EHWPOISON, the highest that Linux knows */

/* The number of "ENOENT"; 0: this C library has no such name. */
static int errno_of(const char *name)
{
        for (int code = 1; name && code <= ERRNO_LAST; code++) {
                if (strcmp(croft_error_name(code), name) == 0)
                        return code;
        }
        return 0;
}

/* A code of the class, for an error whose name says nothing to us. */
static int errno_of_exit(json_int_t status)
{
        static const int codes[] = {
                [CROFT_EXIT_USAGE] = EINVAL,
                [CROFT_EXIT_NOT_FOUND] = ENOENT,
                [CROFT_EXIT_DENIED] = EPERM,
                [CROFT_EXIT_BUSY] = EBUSY,
                [CROFT_EXIT_EXHAUSTED] = ENOSPC,
                [CROFT_EXIT_NOT_EQUIVALENT] = EILSEQ,
                [CROFT_EXIT_OUT_OF_SYNC] = ESTALE,
                [CROFT_EXIT_BROKEN] = ENOTRECOVERABLE,
        };

        return status > 1 && status <= CROFT_EXIT_BROKEN ? codes[status] : EIO;
}

static int errno_of_status(unsigned int status)
{
        static const struct {
                unsigned int status;
                int code;
        } table[] = {{400, EINVAL}, {401, EACCES}, {403, EACCES}, {404, ENOENT}, {409, EBUSY}, {413, EMSGSIZE},
                {429, EBUSY}, {503, EAGAIN}, {507, ENOSPC}};

        for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
                if (table[i].status == status)
                        return table[i].code;
        }
        return EPROTO;
}

/* Innermost first, as the chain is built.  A dot at the end keeps the text of errno away: it is in there already. */
static void take_causes(struct croft_error *err, int code, const json_t *error)
{
        const json_t *causes = json_object_get(error, "causes");
        const char *text = json_string_value(json_object_get(error, "text"));
        size_t n = json_array_size(causes);

        for (size_t i = n; i > 0; i--) {
                const char *cause = json_string_value(json_array_get(causes, i - 1));

                if (!cause)
                        continue;
                if (err->code)
                        (void)croft_error_prefix(err, "%s", cause);
                else
                        (void)croft_error_set(err, code, "%s.", cause);
        }
        if (!err->code)
                (void)croft_error_set(err, code, "%s.", text ? text : "croftd gave no reason");
}

int reply_error(const struct http_reply *reply, enum croft_exit *ret_exit, struct croft_error *err)
{
        json_t *root = reply->body ? json_loadb(reply->body, reply->body_size, JSON_ALLOW_NUL, NULL) : NULL;
        const json_t *error = json_object_get(root, "error");
        struct croft_error e = CROFT_ERROR_INIT;
        json_int_t status = json_integer_value(json_object_get(error, "exit"));
        int code;

        if (json_is_object(error)) {
                code = errno_of(json_string_value(json_object_get(error, "code")));
                take_causes(&e, code ? code : errno_of_exit(status), error);
        } else {
                (void)croft_error_set(
                        &e, errno_of_status(reply->status), "croftd answered with HTTP status %u.", reply->status);
        }
        *ret_exit = status >= CROFT_EXIT_FAILURE && status <= CROFT_EXIT_BROKEN ? (enum croft_exit)status
                                                                                : croft_error_exit(&e);
        json_decref(root);
        return croft_error_copy(err, &e);
}
