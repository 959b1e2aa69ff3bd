/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * kstat.c - the seven functions of <kstat.h> on the client.
 *
 * Kids of ours have 64 bits and kid_t is an int: the whole one is kept in ks_private, which programs leave alone but
 * copy along.  Invariants: the chain is sorted by whole kids; its first header is unix:0:kstat_headers, which the
 * kernel doesn't have; a header stays where it is until its structure vanishes.
 */
#include "base/cleanup.h"
#include "libkstat/client.h"
#include "libkstat/fields.h"

#include <kstat.h>
#include <string.h>
#include <time.h>

#define KID_MASK 0x7fffffffU

struct chain {
        kstat_ctl_t public; /* what the program has */
        struct kstat_client *client;
        uint64_t kcid; /* of the headers */
};

static struct chain *chain_of(kstat_ctl_t *kc)
{
        return (struct chain *)kc;
}

static kid_t shown(uint64_t id)
{
        return (kid_t)(id & KID_MASK);
}

static uint64_t kid_of(const kstat_t *ksp)
{
        uint64_t whole = (uintptr_t)ksp->ks_private;

        /* A header that the program made itself may have anything there. */
        return shown(whole) == ksp->ks_kid ? whole : (uint64_t)ksp->ks_kid;
}

/* -1 and errno; a program knows those of the manual page only. */
static int failed(int r)
{
        errno = r == -EBADMSG || r == -ESRCH ? EIO : -r;
        return -1;
}

static void put_name(char *dst, const char *src)
{
        size_t length = strnlen(src, KSTAT_STRLEN - 1);

        memcpy(dst, src, length);
        memset(dst + length, 0, KSTAT_STRLEN - length);
}

/* --- data
 * ------------------------------------------------------------------------------------------------------------- */

/* Bytes that a program sees of it.  Doesn't change while the structure lives: strings have the room that they may need.
 */
static size_t size_shown(const struct kstat_answer *answer)
{
        size_t size = answer->n_fields * sizeof(kstat_named_t);

        if (answer->head->type != KSTAT_TYPE_NAMED)
                return answer->head->size;
        for (size_t i = 0; i < answer->n_fields; i++) {
                if (answer->fields[i].type == KSTAT_DATA_STRING)
                        size += answer->fields[i].size + 1U;
        }
        return size;
}

/* Strings lie behind the array, at *room. */
static void put_named(kstat_named_t *named, const struct kstat_field *field, const uint8_t *data, char **room)
{
        struct kstat_value value = kstat_field_value(field, data);

        memset(named, 0, sizeof(*named));
        put_name(named->name, field->name);
        named->data_type = field->type;
        switch (field->type) {
        case KSTAT_DATA_CHAR:
                memcpy(named->value.c, value.text, value.length);
                break;
        case KSTAT_DATA_STRING:
                memcpy(*room, value.text, value.length);
                memset(*room + value.length, 0, field->size + 1U - value.length);
                named->value.str.addr.ptr = *room;
                named->value.str.len = (uint32_t)value.length + 1;
                *room += field->size + 1U;
                break;
        case KSTAT_DATA_INT32:
                named->value.i32 = (int32_t)value.i;
                break;
        case KSTAT_DATA_UINT32:
                named->value.ui32 = (uint32_t)value.u;
                break;
        default:
                named->value.ui64 = value.u;
        }
}

static void put_data(void *dst, const struct kstat_answer *answer)
{
        kstat_named_t *named = dst;
        char *room = (char *)(named + answer->n_fields);

        if (answer->head->type != KSTAT_TYPE_NAMED) {
                if (answer->head->size > 0)
                        memcpy(dst, answer->data, answer->head->size);
                return;
        }
        for (size_t i = 0; i < answer->n_fields; i++)
                put_named(&named[i], &answer->fields[i], answer->data, &room);
}

static void put_head(kstat_t *ksp, const struct kstat_answer *answer)
{
        const struct kstat_head *head = answer->head;

        ksp->ks_crtime = head->crtime;
        ksp->ks_kid = shown(head->kid);
        ksp->ks_private = (void *)(uintptr_t)head->kid;
        put_name(ksp->ks_module, head->key.module);
        ksp->ks_instance = head->key.instance;
        put_name(ksp->ks_name, head->key.name);
        ksp->ks_type = head->type;
        put_name(ksp->ks_class, head->class);
        ksp->ks_flags = head->flags;
        ksp->ks_ndata = head->type == KSTAT_TYPE_NAMED ? (uint_t)answer->n_fields : head->n_data;
        ksp->ks_data_size = size_shown(answer);
        ksp->ks_snaptime = head->snaptime;
}

/* Gives ksp room for size bytes, where it has them already if they are as many. */
static int make_room(kstat_t *ksp, size_t size)
{
        void *room;

        if (ksp->ks_data && ksp->ks_data_size == size)
                return 0;
        room = calloc(1, size > 0 ? size : 1);
        if (!room)
                return -ENOMEM;
        free(ksp->ks_data);
        ksp->ks_data = room;
        return 0;
}

/* --- headers
 * ---------------------------------------------------------------------------------------------------------- */

static int new_header(struct chain *chain, uint64_t kid, kstat_t **ret)
{
        struct kstat_answer answer;
        kstat_t *ksp;
        int r = kstat_client_read(chain->client, kid, &answer);

        if (r < 0)
                return r;
        ksp = calloc(1, sizeof(*ksp));
        if (!ksp)
                return -ENOMEM;
        put_head(ksp, &answer);
        *ret = ksp;
        return 0;
}

static void free_headers(kstat_t *ksp)
{
        while (ksp) {
                kstat_t *next = ksp->ks_next;

                free(ksp->ks_data);
                free(ksp);
                ksp = next;
        }
}

static void drop(kstat_t **at)
{
        kstat_t *gone = *at;

        *at = gone->ks_next;
        gone->ks_next = NULL;
        free_headers(gone);
}

/* Makes headers of those kids that have none in `known`.  Ones that vanish meanwhile are left out. */
static int fetch_missing(struct chain *chain, const struct kstat_kids *kids, const kstat_t *known, kstat_t **ret)
{
        kstat_t *made = NULL, **end = &made;
        int r;

        for (size_t i = 0; i < kids->n; i++) {
                while (known && kid_of(known) < kids->kids[i])
                        known = known->ks_next;
                if (known && kid_of(known) == kids->kids[i])
                        continue;
                r = new_header(chain, kids->kids[i], end);
                if (r == -ENXIO)
                        continue;
                if (r < 0) {
                        free_headers(made);
                        return r;
                }
                end = &(*end)->ks_next;
        }
        *ret = made;
        return 0;
}

/* Drops from the headers at `at` what isn't among the kids and puts the made ones in their places. */
static void weave(kstat_t **at, const struct kstat_kids *kids, kstat_t *made)
{
        for (size_t i = 0; i < kids->n; i++) {
                while (*at && kid_of(*at) < kids->kids[i])
                        drop(at);
                if (made && kid_of(made) == kids->kids[i]) {
                        kstat_t *next = made->ks_next;

                        made->ks_next = *at;
                        *at = made;
                        made = next;
                }
                if (*at && kid_of(*at) == kids->kids[i])
                        at = &(*at)->ks_next;
        }
        while (*at)
                drop(at);
}

static void put_count(kstat_t *headers, size_t n)
{
        headers->ks_ndata = (uint_t)n;
        headers->ks_data_size = n * sizeof(kstat_t);
}

#define FETCH_TRIES 20

/* A list and the headers of it that aren't known, all of one chain id, unless it changes as fast as it is read. */
static int fetch(struct chain *chain, const kstat_t *known, struct kstat_kids *ret_kids, kstat_t **ret_made)
{
        int r = 0;

        for (int i = 0; i < FETCH_TRIES; i++) {
                struct kstat_kids kids = {.n = 0};
                kstat_t *made = NULL;
                uint64_t kcid;

                r = kstat_client_list(chain->client, &kids);
                if (r < 0)
                        return r;
                r = fetch_missing(chain, &kids, known, &made);
                if (r < 0) {
                        free(kids.kids);
                        return r;
                }
                if (i + 1 == FETCH_TRIES || kstat_client_chain(chain->client, &kcid, NULL) < 0 || kcid == kids.kcid) {
                        *ret_kids = kids;
                        *ret_made = made;
                        return 0;
                }
                free_headers(made);
                free(kids.kids);
        }
        return r;
}

/* Brings the headers up to date with the kernel.  On failure they are as they were. */
static int refresh(struct chain *chain)
{
        kstat_t *headers = chain->public.kc_chain, *made = NULL;
        struct kstat_kids kids = {.n = 0};
        size_t n = 0;
        int r = fetch(chain, headers->ks_next, &kids, &made);
        if (r == 0) {
                weave(&headers->ks_next, &kids, made);
                chain->kcid = kids.kcid;
                chain->public.kc_chain_id = shown(kids.kcid);
                for (const kstat_t *ksp = headers; ksp; ksp = ksp->ks_next)
                        n++;
                if (!headers->ks_data) /* else what was read stands, with its size */
                        put_count(headers, n);
        }
        free(kids.kids);
        return r;
}

/* --- kstat_headers
 * ---------------------------------------------------------------------------------------------------- */

static kstat_t *new_headers(void)
{
        kstat_t *ksp = calloc(1, sizeof(*ksp));

        if (!ksp)
                return NULL;
        put_name(ksp->ks_module, "unix");
        put_name(ksp->ks_name, "kstat_headers");
        put_name(ksp->ks_class, "kstat");
        ksp->ks_type = KSTAT_TYPE_RAW;
        ksp->ks_flags = KSTAT_FLAG_VIRTUAL | KSTAT_FLAG_VAR_SIZE;
        return ksp;
}

static hrtime_t now(void)
{
        struct timespec t;

        (void)clock_gettime(CLOCK_MONOTONIC, &t); /* can't fail */
        return (hrtime_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* The list as data: all headers as the kernel has them now, itself the first. */
static int read_headers(struct chain *chain, kstat_t *ksp, uint64_t *ret_kcid)
{
        kstat_t first = *ksp, *made = NULL, *array;
        struct kstat_kids kids;
        size_t n = 1;
        int r = kstat_client_list(chain->client, &kids);

        if (r < 0)
                return r;
        r = fetch_missing(chain, &kids, NULL, &made);
        free(kids.kids);
        if (r < 0)
                return r;
        for (const kstat_t *one = made; one; one = one->ks_next)
                n++;
        r = make_room(ksp, n * sizeof(*ksp));
        if (r == 0) {
                put_count(ksp, n);
                ksp->ks_snaptime = now();
                array = ksp->ks_data;
                array[0] = first;
                put_count(&array[0], n);
                array[0].ks_data = NULL;
                array[0].ks_next = NULL;
                n = 1;
                for (const kstat_t *one = made; one; one = one->ks_next) {
                        array[n] = *one;
                        array[n++].ks_next = NULL;
                }
                *ret_kcid = kids.kcid;
        }
        free_headers(made);
        return r;
}

static int read_one(struct chain *chain, kstat_t *ksp, uint64_t *ret_kcid)
{
        struct kstat_answer answer;
        int r = kstat_client_read(chain->client, kid_of(ksp), &answer);

        if (r < 0)
                return r;
        r = make_room(ksp, size_shown(&answer));
        if (r < 0)
                return r;
        put_head(ksp, &answer);
        put_data(ksp->ks_data, &answer);
        *ret_kcid = answer.kcid;
        return 0;
}

/* --- the functions
 * ---------------------------------------------------------------------------------------------------- */

kstat_ctl_t *kstat_open(void)
{
        struct chain *chain = calloc(1, sizeof(*chain));
        int r = chain ? kstat_client_open(NULL, &chain->client) : -ENOMEM;

        if (r == 0) {
                chain->public.kc_kd = kstat_client_fd(chain->client);
                chain->public.kc_chain = new_headers();
                r = chain->public.kc_chain ? refresh(chain) : -ENOMEM;
        }
        if (r == 0)
                return &chain->public;
        if (chain)
                (void)kstat_close(&chain->public);
        (void)failed(r);
        return NULL;
}

int kstat_close(kstat_ctl_t *kc)
{
        struct chain *chain = chain_of(kc);

        if (!kc)
                return 0;
        free_headers(kc->kc_chain);
        kstat_client_free(chain->client);
        free(chain);
        return 0;
}

kid_t kstat_read(kstat_ctl_t *kc, kstat_t *ksp, void *buf)
{
        struct chain *chain = chain_of(kc);
        size_t before = ksp->ks_data_size; /* what the program made room for */
        uint64_t kcid = 0;
        int r = kid_of(ksp) == 0 ? read_headers(chain, ksp, &kcid) : read_one(chain, ksp, &kcid);

        if (r < 0)
                return failed(r);
        if (buf)
                memcpy(buf, ksp->ks_data, ksp->ks_data_size < before ? ksp->ks_data_size : before);
        return shown(kcid);
}

kid_t kstat_write(kstat_ctl_t *kc, kstat_t *ksp, void *buf)
{
        if (!ksp->ks_data && !buf)
                return failed(-EINVAL);
        return failed(kstat_client_write(chain_of(kc)->client, kid_of(ksp)));
}

kid_t kstat_chain_update(kstat_ctl_t *kc)
{
        struct chain *chain = chain_of(kc);
        uint64_t kcid;
        int r = kstat_client_chain(chain->client, &kcid, NULL);

        if (r == 0 && kcid == chain->kcid)
                return 0;
        if (r == 0)
                r = refresh(chain);
        return r < 0 ? failed(r) : kc->kc_chain_id;
}

/* Names are cut in headers, so more than fits there isn't compared. */
static bool is_named(const char *have, const char *wanted)
{
        return !wanted || strncmp(have, wanted, KSTAT_STRLEN - 1) == 0;
}

kstat_t *kstat_lookup(kstat_ctl_t *kc, const char *module, int instance, const char *name)
{
        for (kstat_t *ksp = kc->kc_chain; ksp; ksp = ksp->ks_next) {
                if (is_named(ksp->ks_module, module) && (instance == -1 || ksp->ks_instance == instance) &&
                        is_named(ksp->ks_name, name))
                        return ksp;
        }
        errno = ENOENT;
        return NULL;
}

void *kstat_data_lookup(kstat_t *ksp, const char *name)
{
        size_t size = ksp->ks_type == KSTAT_TYPE_NAMED   ? sizeof(kstat_named_t)
                      : ksp->ks_type == KSTAT_TYPE_TIMER ? sizeof(kstat_timer_t)
                                                         : 0;
        char *at = ksp->ks_data;

        if (size == 0) {
                errno = EINVAL;
                return NULL;
        }
        /* The name is the first member of both. */
        for (uint_t i = 0; at && i < ksp->ks_ndata && (i + 1) * size <= ksp->ks_data_size; i++, at += size) {
                if (is_named(at, name))
                        return at;
        }
        errno = ENOENT;
        return NULL;
}
