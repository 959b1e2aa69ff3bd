/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * life_errors.c - what the life cycle puts on record (C-14): how each attempt began, and each refusal and clean-up, in
 * the book of the partition that it concerns.
 *
 * A host without a kernel plane has no record; nothing here changes what becomes of an operation (ERR-37).
 */
#include "base/log.h"
#include "base/str.h"
#include "daemon/life_private.h"
#include "devid/refusals.h"
#include "errlog/errlog.h"

#include <errno.h>
#include <string.h>
#include <syslog.h>
#include <systemd/sd-journal.h>

#define COMPONENT "croftd"

static void forget_refusal(struct unit *u)
{
        (void)pthread_mutex_lock(&u->p.lock);
        u->last_refusal[0] = '\0';
        (void)pthread_mutex_unlock(&u->p.lock);
}

void errors_begin(struct unit *u, const char *operation)
{
        struct errlog *errlog = u->life->host->errlog;

        forget_refusal(u);
        life_autoload_forget(u);
        if (errlog)
                (void)errlog_begin_attempt(errlog, u->p.def.id, u->p.def.name, operation, NULL, NULL);
}

/* Who isn't the owner may meet a rename. */
static const char *name_of(struct unit *u, char (*buf)[NAME_LENGTH_MAX + 1])
{
        (void)pthread_mutex_lock(&u->p.lock);
        (void)str_copy(*buf, sizeof(*buf), u->p.def.name);
        (void)pthread_mutex_unlock(&u->p.lock);
        return *buf;
}

/* One that isn't in the table has no book, or soon none any more: global's then. */
static uint64_t book_of(struct unit *u)
{
        char name[NAME_LENGTH_MAX + 1];
        bool listed;

        (void)pthread_mutex_lock(&u->life->lock);
        listed = u->listed;
        (void)pthread_mutex_unlock(&u->life->lock);
        if (!listed || errlog_add(u->life->host->errlog, u->p.def.id, name_of(u, &name), NULL) < 0)
                return 0;
        return u->p.def.id;
}

/* The same in systemd's journal, with fields to search by; nothing where there is none. */
static void tell_journal(struct unit *u, int priority, int code, const char *line)
{
        char name[NAME_LENGTH_MAX + 1];

        (void)sd_journal_send("MESSAGE=%s", line, "PRIORITY=%d", priority, "SYSLOG_IDENTIFIER=" COMPONENT, "ERRNO=%d",
                code, "CROFT_PARTITION=%s", name_of(u, &name), "CROFT_PARTITION_ID=%ju", (uintmax_t)u->p.def.id, NULL);
}

void errors_add(struct unit *u, const struct croft_error *what)
{
        struct errlog *errlog = u->life->host->errlog;
        char line[CROFT_ERROR_TEXT_MAX];

        if (!what || !what->code)
                return;
        if (errlog)
                (void)errlog_record_error(errlog, book_of(u), COMPONENT, ERRLOG_ERROR, what);
        tell_journal(u, LOG_ERR, what->code, croft_error_line(what, line, sizeof(line)));
}

/* Is this another one than the last? */
static bool note_refusal(struct unit *u, const struct croft_error *what)
{
        char line[sizeof(u->last_refusal)] = "";
        bool again;

        (void)croft_error_line(what, line, sizeof(line));
        (void)pthread_mutex_lock(&u->p.lock);
        again = strcmp(u->last_refusal, line) == 0;
        (void)str_copy(u->last_refusal, sizeof(u->last_refusal), line);
        (void)pthread_mutex_unlock(&u->p.lock);
        return !again;
}

void errors_refuse(struct unit *u, const struct croft_error *what)
{
        if (what && what->code && note_refusal(u, what))
                errors_add(u, what);
}

/* Its share is used up: for whoever looks for a later one. */
static void tell_more(struct unit *u)
{
        struct croft_error more = CROFT_ERROR_INIT;
        char name[NAME_LENGTH_MAX + 1], line[CROFT_ERROR_TEXT_MAX];

        croft_error_set(&more, EAGAIN, "'%s' is refused more, which isn't told here until this record is cleared.",
                name_of(u, &name));
        life_errors_add(u->life, &more);
        tell_journal(u, LOG_ERR, more.code, croft_error_line(&more, line, sizeof(line)));
}

void errors_refuse_for_global(struct unit *u, const struct croft_error *what)
{
        char line[CROFT_ERROR_TEXT_MAX];
        struct life *life = u->life;
        enum refusal refusal;

        (void)croft_error_line(what, line, sizeof(line));
        (void)pthread_mutex_lock(&life->refusals_lock);
        refusal = refusal_judge(&life->refusals, &u->refusals, line);
        (void)pthread_mutex_unlock(&life->refusals_lock);
        if (refusal == REFUSAL_TELL_END)
                tell_more(u);
        if (refusal != REFUSAL_TELL)
                return;
        life_errors_add(life, what);
        tell_journal(u, LOG_ERR, what->code, line);
}

void errors_note(struct unit *u, const char *text)
{
        struct errlog *errlog = u->life->host->errlog;

        if (errlog)
                (void)errlog_record_text(errlog, book_of(u), COMPONENT, ERRLOG_WARNING, text);
        tell_journal(u, LOG_WARNING, 0, text);
}

void errors_note_partition(struct partition *p, const char *text)
{
        char name[NAME_LENGTH_MAX + 1];

        log_say(LOG_LEVEL_NOTICE, "'%s': %s", name_of(unit_of(p), &name), text);
        errors_note(unit_of(p), text);
}

void errors_forget(struct unit *u)
{
        struct errlog *errlog = u->life->host->errlog;

        life_autoload_forget(u);
        if (errlog)
                (void)errlog_forget(errlog, u->p.def.id, NULL); /* ids are never given again */
}

void errors_rename(struct unit *u)
{
        struct errlog *errlog = u->life->host->errlog;

        if (errlog)
                (void)errlog_rename(errlog, u->p.def.id, u->p.def.name, NULL);
}

static bool is_known(void *context, uint64_t id)
{
        struct unit *u = life_find_id(context, id);

        if (u)
                unit_unref(u);
        return u != NULL;
}

void errors_sweep(struct life *life)
{
        struct croft_error err = CROFT_ERROR_INIT;

        if (life->host->errlog && errlog_sweep(life->host->errlog, is_known, life, &err) < 0)
                log_error(LOG_LEVEL_WARNING, &err, "records of errors of partitions that are gone stay");
}

void life_errors_add(struct life *life, const struct croft_error *what)
{
        if (life->host->errlog && what->code)
                (void)errlog_record_error(life->host->errlog, 0, COMPONENT, ERRLOG_ERROR, what);
}

int life_errors_clear(struct life *life, const char *name, struct croft_error *err)
{
        struct unit *u = name ? life_find(life, name, err) : NULL;
        int r;

        if (name && !u)
                return -ENOENT;
        if (!life->host->errlog)
                r = croft_error_copy(err, &life->host->lacks[HOST_ERRLOG]);
        else
                r = errlog_clear(life->host->errlog, u ? u->p.def.id : 0, err);
        if (!u) {
                (void)pthread_mutex_lock(&life->refusals_lock);
                refusals_clear(&life->refusals);
                (void)pthread_mutex_unlock(&life->refusals_lock);
        } else {
                if (life->host->devid)
                        devid_refusals_forget(life->host->devid, u->p.def.id);
                forget_refusal(u);
                life_autoload_forget(u);
                unit_unref(u);
        }
        return r == -ESRCH ? 0 : r; /* nothing was ever recorded */
}
