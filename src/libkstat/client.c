/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * client.c - see client.h.
 *
 * The kernel's side may be older or newer than we are, and inside a partition its root can put anything in its place,
 * so answers are decoded as foreign bytes: sizes are bounded by what we gave, names must end, fields must lie in data,
 * kids must rise.  Invariant: what a struct kstat_answer points to has passed these checks.
 */
#include "libkstat/client.h"

#include "base/cleanup.h"
#include "libkstat/fields.h"

#include <sched.h>
#include <string.h>

#define ASK_TRIES 200                     /* of "just being changed"; each lets others run */
#define LIST_TRIES 100                    /* of a list that changed while it was read */
#define FIELDS_MAX (KSTAT_LARGE_DATA / 8) /* of one schema: no more have room */
#define DATA_OFFSET offsetof(struct kstat_call, data)

struct layout { /* a schema that was fetched */
        uint64_t schema;
        size_t n;
        struct kstat_field *fields;
};

struct kstat_client {
        struct kstat_transport transport;
        uint64_t partition;
        struct layout *layouts;
        size_t n_layouts;
        struct kstat_call side; /* for what isn't an answer that is given on */
        struct kstat_call_large answer;
};

int kstat_client_new(const struct kstat_transport *transport, struct kstat_client **ret)
{
        struct kstat_client *client = calloc(1, sizeof(*client));

        if (!client)
                return -ENOMEM;
        client->transport = *transport;
        *ret = client;
        return 0;
}

int kstat_client_open(const char *directory, struct kstat_client **ret)
{
        struct kstat_transport transport;
        int r = kstat_transport_open(directory, &transport);

        if (r < 0)
                return r;
        r = kstat_client_new(&transport, ret);
        if (r < 0)
                transport.close(transport.context);
        return r;
}

struct kstat_client *kstat_client_free(struct kstat_client *client)
{
        if (!client)
                return NULL;
        for (size_t i = 0; i < client->n_layouts; i++)
                free(client->layouts[i].fields);
        free(client->layouts);
        client->transport.close(client->transport.context);
        free(client);
        return NULL;
}

int kstat_client_fd(const struct kstat_client *client)
{
        return client->transport.fd;
}

void kstat_client_set_partition(struct kstat_client *client, uint64_t partition)
{
        client->partition = partition;
}

static void begin(const struct kstat_client *client, struct kstat_call *call, enum kstat_op op, uint64_t kid)
{
        memset(call, 0, DATA_OFFSET);
        call->op = op;
        call->kid = kid;
        call->partition = client->partition;
}

/* No number of tries helps when it isn't let run; what changes takes microseconds. */
static int ask(struct kstat_client *client, struct kstat_call *call, bool large)
{
        int r = -EAGAIN;

        for (int i = 0; i < ASK_TRIES && r == -EAGAIN; i++) {
                if (i > 0)
                        (void)sched_yield();
                r = client->transport.call(client->transport.context, call, large);
        }
        return r;
}

int kstat_client_chain(struct kstat_client *client, uint64_t *ret_kcid, uint64_t *ret_caller)
{
        int r;

        begin(client, &client->side, KSTAT_OP_CHAIN, 0);
        r = ask(client, &client->side, false);
        if (r < 0)
                return r;
        if (ret_kcid)
                *ret_kcid = client->side.kcid;
        if (ret_caller)
                *ret_caller = client->side.caller;
        return 0;
}

/* --- lists
 * ------------------------------------------------------------------------------------------------------------ */

/* Takes over the kids of a page.  1: the list is another one than it was, begin again. */
static int take_page(const struct kstat_call *call, struct kstat_kids *list, size_t total)
{
        uint64_t last = list->n > 0 ? list->kids[list->n - 1] : 0;

        if (call->kcid != list->kcid || call->total != total)
                return 1;
        if (call->n > KSTAT_PAGE_KIDS || call->n > total - list->n || (call->n == 0 && list->n < total))
                return -EBADMSG;
        memcpy(list->kids + list->n, call->data, call->n * sizeof(uint64_t));
        for (uint32_t i = 0; i < call->n; i++) {
                if (list->kids[list->n] <= last)
                        return -EBADMSG;
                last = list->kids[list->n++];
        }
        return 0;
}

static int ask_page(struct kstat_client *client, uint32_t page)
{
        begin(client, &client->side, KSTAT_OP_LIST, 0);
        client->side.at = page;
        return ask(client, &client->side, false);
}

/* 1: it changed meanwhile. */
static int try_list(struct kstat_client *client, struct kstat_kids *ret)
{
        _cleanup_free_ uint64_t *kids = NULL;
        struct kstat_kids list = {.n = 0};
        uint32_t total;
        int r = ask_page(client, 0);

        if (r < 0)
                return r;
        total = client->side.total;
        if (total > KSTAT_MAX)
                return -EBADMSG;
        kids = calloc(total > 0 ? total : 1, sizeof(*kids));
        if (!kids)
                return -ENOMEM;
        list.kids = kids;
        list.kcid = client->side.kcid;
        r = take_page(&client->side, &list, total);
        for (uint32_t page = 1; r == 0 && list.n < total; page++) {
                r = ask_page(client, page);
                if (r == -EINVAL) /* it has become shorter */
                        return 1;
                if (r == 0)
                        r = take_page(&client->side, &list, total);
        }
        if (r != 0)
                return r;
        list.kids = TAKE(kids);
        *ret = list;
        return 0;
}

int kstat_client_list(struct kstat_client *client, struct kstat_kids *ret)
{
        int r = 1;

        for (int i = 0; i < LIST_TRIES && r == 1; i++)
                r = try_list(client, ret);
        return r == 1 ? -EAGAIN : r;
}

/* --- schemas
 * ---------------------------------------------------------------------------------------------------------- */

static struct layout *find_layout(const struct kstat_client *client, uint64_t schema)
{
        for (size_t i = 0; i < client->n_layouts; i++) {
                if (client->layouts[i].schema == schema)
                        return &client->layouts[i];
        }
        return NULL;
}

/* Appends the fields of one answer. */
static int take_fields(const struct kstat_call *call, struct layout *layout, size_t total)
{
        if (call->total != total || call->n == 0 || call->n > KSTAT_PAGE_FIELDS || call->n > total - layout->n)
                return -EBADMSG;
        memcpy(layout->fields + layout->n, call->data, call->n * sizeof(*layout->fields));
        for (uint32_t i = 0; i < call->n; i++) {
                if (!kstat_field_is_sound(&layout->fields[layout->n++]))
                        return -EBADMSG;
        }
        return 0;
}

static int fetch_fields(struct kstat_client *client, uint64_t schema, struct layout *ret)
{
        _cleanup_free_ struct kstat_field *fields = NULL;
        struct layout layout = {.schema = schema};
        uint32_t total = 0;
        int r;

        do {
                begin(client, &client->side, KSTAT_OP_SCHEMA, schema);
                client->side.at = (uint32_t)layout.n;
                r = ask(client, &client->side, false);
                if (r < 0)
                        return r;
                if (!fields) {
                        total = client->side.total;
                        if (total == 0 || total > FIELDS_MAX)
                                return -EBADMSG;
                        fields = calloc(total, sizeof(*fields));
                        if (!fields)
                                return -ENOMEM;
                        layout.fields = fields;
                }
                r = take_fields(&client->side, &layout, total);
                if (r < 0)
                        return r;
        } while (layout.n < total);
        layout.fields = TAKE(fields);
        *ret = layout;
        return 0;
}

/* At least n fields of a schema, from what was fetched before if that is enough: a schema grows at its end only. */
static int get_layout(struct kstat_client *client, uint64_t schema, size_t n, const struct layout **ret)
{
        struct layout *layout = find_layout(client, schema), *grown, fetched;
        int r;

        if (layout && layout->n >= n) {
                *ret = layout;
                return 0;
        }
        r = fetch_fields(client, schema, &fetched);
        if (r < 0)
                return r == -ENXIO || r == -EINVAL ? -EBADMSG : r;
        if (layout) {
                free(layout->fields);
        } else {
                grown = reallocarray(client->layouts, client->n_layouts + 1, sizeof(*grown));
                if (!grown) {
                        free(fetched.fields);
                        return -ENOMEM;
                }
                client->layouts = grown;
                layout = &grown[client->n_layouts++];
        }
        *layout = fetched;
        *ret = layout;
        return layout->n >= n ? 0 : -EBADMSG;
}

/* --- one structure
 * ---------------------------------------------------------------------------------------------------- */

static bool ends(const char *name)
{
        return memchr(name, '\0', KSTAT_NAME_SIZE) != NULL;
}

static bool head_is_sound(const struct kstat_head *head, size_t capacity)
{
        return head->kid != 0 && ends(head->key.module) && ends(head->key.name) && ends(head->class) &&
               head->type <= KSTAT_TIMER && head->size <= capacity;
}

/* Finds the fields of the answer's data and checks that they lie in it. */
static int add_fields(struct kstat_client *client, struct kstat_head *head, struct kstat_answer *answer)
{
        const struct layout *layout = NULL;
        int r;

        if (head->type != KSTAT_NAMED) {
                /* Programs give room for what they know, not for padding. */
                answer->fields = kstat_fields_known(head, &answer->n_fields, &head->size);
                return answer->fields || head->type == KSTAT_RAW ? 0 : -EBADMSG;
        }
        if (head->n_data == 0)
                return 0;
        if (head->n_data > FIELDS_MAX)
                return -EBADMSG;
        r = get_layout(client, head->schema, head->n_data, &layout);
        if (r < 0)
                return r;
        answer->fields = layout->fields;
        answer->n_fields = head->n_data;
        for (size_t i = 0; i < answer->n_fields; i++) {
                if ((size_t)layout->fields[i].offset + layout->fields[i].size > head->size)
                        return -EBADMSG;
        }
        return 0;
}

/* Asks what client->answer says, with the larger program if need be. */
static int get(struct kstat_client *client, struct kstat_answer *ret)
{
        struct kstat_call *call = &client->answer.call;
        struct kstat_answer answer = {.n_fields = 0};
        size_t capacity = KSTAT_SMALL_DATA;
        int r = ask(client, call, false);

        if (r == -ENOMEM) {
                capacity = KSTAT_LARGE_DATA;
                r = ask(client, call, true);
        }
        if (r < 0)
                return r;
        if (!head_is_sound(&call->head, capacity))
                return -EBADMSG;
        answer.kcid = call->kcid;
        answer.head = &call->head;
        answer.data = (const uint8_t *)&client->answer + DATA_OFFSET; /* goes on behind call->data */
        r = add_fields(client, &call->head, &answer);
        if (r < 0)
                return r;
        *ret = answer;
        return 0;
}

int kstat_client_read(struct kstat_client *client, uint64_t kid, struct kstat_answer *ret)
{
        struct kstat_answer answer;
        int r;

        begin(client, &client->answer.call, KSTAT_OP_READ, kid);
        r = get(client, &answer);
        if (r < 0)
                return r;
        if (answer.head->kid != kid) /* callers sort by what they asked for */
                return -EBADMSG;
        *ret = answer;
        return 0;
}

/* NUL-filled, as the key is zero before. */
static bool put_name(char *dst, const char *src)
{
        size_t length = strlen(src);

        if (length >= KSTAT_NAME_SIZE)
                return false;
        memcpy(dst, src, length);
        return true;
}

int kstat_client_find(
        struct kstat_client *client, const char *module, int32_t instance, const char *name, struct kstat_answer *ret)
{
        struct kstat_call *call = &client->answer.call;
        struct kstat_answer answer;
        int r;

        begin(client, call, KSTAT_OP_FIND, 0);
        if (!put_name(call->key.module, module) || !put_name(call->key.name, name))
                return -ENXIO;
        call->key.instance = instance;
        r = get(client, &answer);
        if (r < 0)
                return r;
        if (strcmp(answer.head->key.module, module) != 0 || answer.head->key.instance != instance ||
                strcmp(answer.head->key.name, name) != 0)
                return -EBADMSG;
        *ret = answer;
        return 0;
}

int kstat_client_write(struct kstat_client *client, uint64_t kid)
{
        int r;

        begin(client, &client->side, KSTAT_OP_WRITE, kid);
        r = ask(client, &client->side, false);
        return r < 0 ? r : -EBADMSG;
}
