/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * error.c - struct croft_error: a code and a chain of fragments in fixed storage.
 *
 * Fragments are stored innermost first, so that a prefix is an append and a full buffer loses the outer context, never
 * the cause.  Invariant: text[0..used) holds exactly n_causes NUL-ended strings, at[i] is where the i-th begins.
 */
#include "base/error.h"

#include "base/message.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void croft_error_clear(struct croft_error *err)
{
        if (!err)
                return;
        err->code = 0;
        err->n_causes = 0;
        err->used = 0;
        err->args_used = 0;
        err->text[0] = '\0';
}

/* Of fragment k as it is stored. What has no room leaves the text alone. */
static void keep(
        struct croft_error *err, unsigned int k, const char *format, const struct message_args *args, bool copy)
{
        size_t length = copy ? strlen(format) + 1 : 0;

        if (args->size + length > sizeof(err->args) - err->args_used)
                return;
        err->made_of[k].format = copy ? NULL : format;
        err->made_of[k].copied = copy;
        err->made_of[k].at = err->args_used;
        err->made_of[k].size = args->size;
        err->made_of[k].n = args->n;
        memcpy(err->args + err->args_used, args->bytes, args->size);
        memcpy(err->args + err->args_used + args->size, format, length);
        err->args_used += (unsigned short)(args->size + length);
}

static void keep_parts(struct croft_error *err, unsigned int k, const char *format, va_list ap)
{
        struct message_args args;

        err->made_of[k].format = NULL;
        err->made_of[k].copied = false;
        if (message_pack(format, ap, &args) == 0) /* not one of more than messages may hold */
                keep(err, k, format, &args, false);
}

void error_keep(struct croft_error *err, const char *format, const struct message_args *args)
{
        if (err->n_causes > 0)
                keep(err, err->n_causes - 1, format, args, true);
}

/* Appends one fragment, cut to the room that is left; nothing when there is none. */
static void add_fragment(struct croft_error *err, const char *format, va_list ap)
{
        size_t room = sizeof(err->text) - err->used;
        va_list again;
        int n;

        if (err->n_causes == CROFT_ERROR_CAUSES_MAX || room < 2)
                return;
        va_copy(again, ap);
        keep_parts(err, err->n_causes, format, again);
        va_end(again);
        n = vsnprintf(err->text + err->used, room, format, ap);
        if (n < 0) {
                n = 0;
                err->text[err->used] = '\0';
        }
        if ((size_t)n >= room)
                n = (int)room - 1;
        err->at[err->n_causes++] = err->used;
        err->used += (unsigned short)(n + 1);
}

/* Completes the newest fragment with the text of errno, or drops the dot that says it is complete. */
static void add_errno_text(struct croft_error *err, int code)
{
        char *fragment = err->text + err->at[err->n_causes - 1];
        size_t length = strlen(fragment), room = sizeof(err->text) - err->used;
        const char *text = strerrordesc_np(code);
        int n;

        if (length > 0 && fragment[length - 1] == '.') {
                fragment[length - 1] = '\0';
                err->used--;
                return;
        }
        n = snprintf(fragment + length, room + 1, ": %s", text ? text : "Unknown error");
        if (n > 0)
                err->used += (unsigned short)((size_t)n > room ? room : (size_t)n);
}

int croft_error_set(struct croft_error *err, int code, const char *format, ...)
{
        va_list ap;

        code = code ? abs(code) : EIO;
        if (!err)
                return -code;
        croft_error_clear(err);
        err->code = code;
        va_start(ap, format);
        add_fragment(err, format, ap);
        va_end(ap);
        add_errno_text(err, code);
        return -code;
}

int croft_error_prefix(struct croft_error *err, const char *format, ...)
{
        va_list ap;

        if (!err || !err->code)
                return -EIO;
        va_start(ap, format);
        add_fragment(err, format, ap);
        va_end(ap);
        return -err->code;
}

int croft_error_copy(struct croft_error *err, const struct croft_error *src)
{
        if (err && err != src)
                *err = *src;
        return -src->code;
}

const char *croft_error_cause(const struct croft_error *err, unsigned int i)
{
        if (!err || i >= err->n_causes)
                return NULL;
        return err->text + err->at[err->n_causes - 1 - i];
}

const char *error_format(const struct croft_error *err, unsigned int i, struct message_args *ret)
{
        unsigned int k = err->n_causes - 1 - i;
        const unsigned char *at;

        if (i >= err->n_causes || (!err->made_of[k].format && !err->made_of[k].copied))
                return NULL;
        at = err->args + err->made_of[k].at;
        *ret = (struct message_args){.size = err->made_of[k].size, .n = err->made_of[k].n};
        memcpy(ret->bytes, at, ret->size);
        return err->made_of[k].copied ? (const char *)at + ret->size : err->made_of[k].format;
}

const char *croft_error_line(const struct croft_error *err, char *buf, size_t size)
{
        size_t used = 0;

        if (size == 0)
                return buf;
        buf[0] = '\0';
        for (unsigned int i = 0; err && i < err->n_causes && used < size; i++) {
                int n = snprintf(buf + used, size - used, "%s%s", i ? ": " : "", croft_error_cause(err, i));

                if (n < 0)
                        break;
                used += (size_t)n;
        }
        return buf;
}

enum croft_exit croft_error_exit(const struct croft_error *err)
{
        switch (err ? err->code : EIO) {
        case 0:
                return CROFT_EXIT_OK;
        case EINVAL:
                return CROFT_EXIT_USAGE;
        case ENOENT:
        case ENXIO:
        case ESRCH:
                return CROFT_EXIT_NOT_FOUND;
        case EPERM:
        case EACCES:
                return CROFT_EXIT_DENIED;
        case EBUSY:
        case EEXIST:
        case EAGAIN:
                return CROFT_EXIT_BUSY;
        case ENOSPC:
        case EDQUOT:
        case EMFILE:
        case ENFILE:
        case ENOMEM:
        case EUSERS:
                return CROFT_EXIT_EXHAUSTED;
        case EILSEQ:
                return CROFT_EXIT_NOT_EQUIVALENT;
        case ESTALE:
                return CROFT_EXIT_OUT_OF_SYNC;
        case EUCLEAN:
        case ENOTRECOVERABLE:
                return CROFT_EXIT_BROKEN;
        default:
                return CROFT_EXIT_FAILURE;
        }
}

const char *croft_error_name(int code)
{
        const char *name = code == INT_MIN ? NULL : strerrorname_np(abs(code));

        return name ? name : "EUNKNOWN";
}
