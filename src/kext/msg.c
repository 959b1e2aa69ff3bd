/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * msg.c - see msg.h.
 */
#include "kext/msg.h"

#include "base/cleanup.h"

#include <string.h>

#define CODE_MAX 133 /* errno */

/* The texts of an identity, in the order of the wire. */
#define TEXTS(i)                                                                                                       \
        {                                                                                                              \
                {(i)->name, sizeof((i)->name)}, {(i)->vermagic, sizeof((i)->vermagic)},                                \
                        {(i)->srcversion, sizeof((i)->srcversion)}, {(i)->build_id, sizeof((i)->build_id)},            \
                        {(i)->signer, sizeof((i)->signer)},                                                            \
                {                                                                                                      \
                        (i)->depends, sizeof((i)->depends)                                                             \
                }                                                                                                      \
        }

static bool is_printable(const char *text)
{
        for (; *text; text++)
                if (*text < ' ' || *text > '~')
                        return false;
        return true;
}

static void put_identity(struct wire_writer *w, const struct kext_identity *identity)
{
        const struct {
                const char *text;
                size_t room;
        } texts[] = TEXTS(identity);

        wire_put_u8(w, (uint8_t)identity->kind);
        for (size_t i = 0; i < ELEMENTS(texts); i++)
                wire_put_string(w, texts[i].text);
        wire_put_u8(w, identity->takes_major);
}

static int get_identity(struct wire_reader *r, struct kext_identity *identity)
{
        const struct {
                char *text;
                size_t room;
        } texts[] = TEXTS(identity);
        char name[KEXT_NAME_MAX + 1];
        uint8_t takes_major;

        identity->kind = wire_get_u8(r);
        for (size_t i = 0; i < ELEMENTS(texts); i++) {
                wire_get_text(r, texts[i].text, texts[i].room);
                if (!is_printable(texts[i].text))
                        return -EBADMSG;
        }
        takes_major = wire_get_u8(r);
        identity->takes_major = takes_major == 1;
        if (takes_major > 1 || (identity->takes_major && identity->kind != KEXT_KO))
                return -EBADMSG;
        if ((identity->kind != KEXT_KO && identity->kind != KEXT_BPF) ||
                (identity->kind == KEXT_KO) != (identity->vermagic[0] != '\0'))
                return -EBADMSG;
        if (!kext_name_normalise(identity->name, name) || strcmp(name, KEXT_ALL) == 0)
                return -EBADMSG;
        return strcmp(name, identity->name) == 0 ? 0 : -EBADMSG;
}

static void put_look(struct wire_writer *w, const struct kext_look *look)
{
        wire_put_string(w, look->stamp);
        wire_put_u8(w, (uint8_t)look->n);
        for (size_t i = 0; i < look->n; i++)
                wire_put_u32(w, (uint32_t)look->watches[i]);
}

static int get_look(struct wire_reader *r, struct kext_look *look)
{
        wire_get_text(r, look->stamp, sizeof(look->stamp));
        look->n = wire_get_u8(r);
        if (look->n > KEXT_WATCHES_MAX || (look->stamp[0] && !kext_is_sha256(look->stamp)))
                return -EBADMSG;
        for (size_t i = 0; i < look->n; i++) {
                uint32_t watch = wire_get_u32(r);

                if (watch < 1 || watch > INT32_MAX)
                        return -EBADMSG;
                look->watches[i] = (int)watch;
        }
        return 0;
}

void msg_encode(const struct msg *msg, struct wire_writer *w)
{
        wire_put_u8(w, (uint8_t)msg->type);
        switch (msg->type) {
        case MSG_FAULT:
                wire_put_u32(w, (uint32_t)msg->code);
                wire_put_string(w, msg->text);
                break;
        case MSG_READ:
        case MSG_END:
                break;
        case MSG_PROGRESS:
        case MSG_PROGRAM:
                wire_put_u64(w, msg->number);
                break;
        case MSG_LOOK:
                put_look(w, &msg->look);
                break;
        case MSG_FINDING:
                wire_put_string(w, msg->finding.path);
                wire_put_string(w, msg->finding.sha256);
                wire_put_u64(w, msg->finding.size);
                wire_put_string(w, msg->finding.oddity);
                break;
        case MSG_BELONGS:
                wire_put_u64(w, msg->number);
                wire_put_string(w, msg->finding.application);
                break;
        case MSG_WANTED:
                wire_put_u64(w, msg->number);
                wire_put_string(w, msg->finding.configured);
                break;
        case MSG_IDENTITY:
                put_identity(w, &msg->identity);
                wire_put_u64(w, msg->number);
                break;
        }
}

static int get_fault(struct wire_reader *r, struct msg *m)
{
        uint32_t code = wire_get_u32(r);

        wire_get_text(r, m->text, sizeof(m->text));
        m->code = (int)code;
        return code < 1 || code > CODE_MAX || !is_printable(m->text) ? -EBADMSG : 0;
}

/* The path is whatever the partition has called it. */
static int get_finding(struct wire_reader *r, struct kext_finding *f)
{
        wire_get_text(r, f->path, sizeof(f->path));
        wire_get_text(r, f->sha256, sizeof(f->sha256));
        f->size = wire_get_u64(r);
        wire_get_text(r, f->oddity, sizeof(f->oddity));
        if (f->path[0] != '/' || f->size > INT64_MAX || !is_printable(f->oddity))
                return -EBADMSG;
        return f->sha256[0] && !kext_is_sha256(f->sha256) ? -EBADMSG : 0;
}

int msg_decode(const void *data, size_t size, struct msg *ret)
{
        struct msg *m = calloc(1, sizeof(*m));
        _cleanup_free_ void *own = m;
        struct wire_reader r;
        int result = 0;

        if (!m)
                return -ENOMEM;
        wire_reader_init(&r, data, size);
        m->type = wire_get_u8(&r);
        switch (m->type) {
        case MSG_FAULT:
                result = get_fault(&r, m);
                break;
        case MSG_READ:
        case MSG_END:
                break;
        case MSG_PROGRESS:
        case MSG_PROGRAM:
                m->number = wire_get_u64(&r);
                break;
        case MSG_LOOK:
                result = get_look(&r, &m->look);
                break;
        case MSG_FINDING:
                result = get_finding(&r, &m->finding);
                break;
        case MSG_BELONGS:
                m->number = wire_get_u64(&r);
                wire_get_text(&r, m->finding.application, sizeof(m->finding.application));
                result = is_printable(m->finding.application) ? 0 : -EBADMSG;
                break;
        case MSG_WANTED:
                m->number = wire_get_u64(&r);
                wire_get_text(&r, m->finding.configured, sizeof(m->finding.configured));
                result = is_printable(m->finding.configured) ? 0 : -EBADMSG;
                break;
        case MSG_IDENTITY:
                result = get_identity(&r, &m->identity);
                m->number = wire_get_u64(&r);
                if (m->number > KEXT_FILE_MAX)
                        result = -EBADMSG;
                break;
        default:
                result = -EBADMSG;
        }
        if (wire_reader_end(&r) < 0)
                return wire_reader_end(&r);
        if (result < 0)
                return result;
        *ret = *m;
        return 0;
}
