/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 *
 * kstat.bpf.c - statistics by key, answered to the process that asks, in the kernel.  See kstat.bpf.h.
 *
 * The partition of the caller is found at each call (plane/caller.bpf.h).  What a caller may not see and what isn't
 * there take the same way out (C-12).
 *
 * Elements of a hash may be given to another key, or to the same one anew, while a program still looks at them (the
 * kernel's allocator for maps reuses at once, and copies in no order that could be relied on).  So a record is looked
 * up again before and after what is read of it, see watch(); a page's generation is looked at again after it was read.
 * Who meets such a moment gets -EAGAIN.
 */
#include "kstat/kstat.bpf.h"

#include <linux/bpf.h>
#include <linux/errno.h>
#include <stddef.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "kstat/catalogue.bpf.h"
#include "plane/caller.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define MAP(map_name, map_type, entries, map_flags_, key_type, value_type)                                             \
        struct {                                                                                                       \
                __uint(type, map_type);                                                                                \
                __uint(max_entries, entries);                                                                          \
                __uint(map_flags, map_flags_);                                                                         \
                __type(key, key_type);                                                                                 \
                __type(value, value_type);                                                                             \
        } map_name SEC(".maps")

#define HASH(name, entries, key_type, value_type)                                                                      \
        MAP(name, BPF_MAP_TYPE_HASH, entries, BPF_F_NO_PREALLOC, key_type, value_type)

MAP(kstat_state, BPF_MAP_TYPE_ARRAY, 1, 0, __u32, struct kstat_state);
HASH(kstat_records, KSTAT_MAX, __u64, struct kstat_record);
HASH(kstat_members, KSTAT_ASSOCIATIONS_MAX, struct kstat_member_key, struct kstat_span);
HASH(kstat_index, KSTAT_ASSOCIATIONS_MAX, struct kstat_index_key, struct kstat_index_value);
HASH(kstat_chains, PLANE_PARTITIONS_MAX + 1, __u64, struct kstat_chain);
HASH(kstat_pages, KSTAT_ASSOCIATIONS_MAX / 8, struct kstat_page_key, struct kstat_page);
HASH(kstat_schemas, KSTAT_SCHEMA_PAGES_MAX, struct kstat_schema_key, struct kstat_schema_page);
/* What was asked last through a socket; goes with the socket. */
MAP(kstat_requests, BPF_MAP_TYPE_SK_STORAGE, 0, BPF_F_NO_PREALLOC, int, struct kstat_request);

#include "kstat/count.bpf.h"
#include "kstat/source.bpf.h"

/* Whose view is to be shown, and in which generation. */
struct view {
        __u64 partition;
        __u64 generation;
        __u64 kcid;
        __u32 total;
        __u32 pages;
};

static __always_inline __u64 current_generation(void)
{
        __u32 zero = 0;
        struct kstat_state *state = bpf_map_lookup_elem(&kstat_state, &zero);

        return state ? *(volatile __u64 *)&state->generation : 0;
}

/* The list of a partition that is in force. */
static __always_inline int find_chain(__u64 partition, struct view *v)
{
        struct kstat_chain *chain = bpf_map_lookup_elem(&kstat_chains, &partition);
        const struct kstat_list *list;

        if (!chain)
                return -ESRCH;
        list = v->generation >= chain->from ? &chain->next : &chain->last;
        v->partition = partition;
        v->kcid = list->kcid;
        v->total = list->total;
        v->pages = list->pages;
        return 0;
}

static __always_inline int find_view(struct kstat_call *call, struct view *v)
{
        __u64 caller = 0;
        int r = find_caller(&caller);

        v->generation = current_generation();
        if (r < 0)
                return r;
        if (call->partition && caller)
                return -EPERM;
        if (call->partition)
                caller = call->partition;
        r = find_chain(caller, v);
        if (r < 0)
                return call->partition ? -ESRCH : -ENXIO;
        call->caller = caller;
        call->kcid = v->kcid;
        return 0;
}

static __always_inline int holds(const struct kstat_span *span, __u64 generation)
{
        return span->from <= generation && generation < span->until;
}

static __always_inline int is_member(const struct view *v, __u64 partition, __u64 kid)
{
        struct kstat_member_key key = {.partition = partition, .kid = kid};
        struct kstat_span *span = bpf_map_lookup_elem(&kstat_members, &key);

        return span && holds(span, v->generation);
}

static __always_inline int is_visible(const struct view *v, __u64 kid)
{
        return is_member(v, v->partition, kid) || is_member(v, KSTAT_ALL, kid);
}

static __always_inline __u64 find_kid(const struct view *v, struct kstat_index_key *key)
{
        struct kstat_index_value *value;

        key->partition = v->partition;
        value = bpf_map_lookup_elem(&kstat_index, key);
        if (value && holds(&value->span, v->generation))
                return value->kid;
        key->partition = KSTAT_ALL;
        value = bpf_map_lookup_elem(&kstat_index, key);
        if (value && holds(&value->span, v->generation))
                return value->kid;
        return 0;
}

/* The context can be written at constant places only: unrolled. */
static __always_inline void copy_words(__u64 *to, const __u64 *from, int n)
{
#pragma unroll
        for (int i = 0; i < KSTAT_SMALL_DATA / 8; i++)
                if (i < n)
                        to[i] = *(const volatile __u64 *)&from[i];
}

static const struct kstat_call nothing; /* in rodata */

/* A source leaves out what it doesn't know, whatever the caller had there. */
static __always_inline void clear(struct kstat_call *call)
{
        copy_words((__u64 *)(void *)call->data, (const __u64 *)(const void *)nothing.data, KSTAT_SMALL_DATA / 8);
}

/* What was copied may be another structure's by now. */
static __always_inline void wipe(struct kstat_call *call)
{
        copy_words((__u64 *)(void *)&call->head, (const __u64 *)(const void *)&nothing.head, sizeof(call->head) / 8);
        clear(call);
}

/* A record of which nothing may be mixed with what takes its place. */
struct watched {
        const struct kstat_record *record;
        __u64 kid, version;
};

static __always_inline bool is_there(const struct watched *w)
{
        const struct kstat_record *record = bpf_map_lookup_elem(&kstat_records, &w->kid);

        return record && record == w->record; /* the verifier of 6.1 wants both said */
}

/* What is found in the map is whole.  That it is found once more after its version was read tells that the version is
 * of the whole, too: memory that was taken from the record meanwhile and is just being filled for it again isn't. */
static __always_inline bool watch(struct watched *w, __u64 kid)
{
        w->kid = kid;
        w->record = bpf_map_lookup_elem(&kstat_records, &kid);
        if (!w->record)
                return false;
        w->version = *(const volatile __u64 *)&w->record->version;
        return is_there(w);
}

/* Is all that was read since watch() of one content? */
static __always_inline bool is_unchanged(const struct watched *w)
{
        return is_there(w) && *(const volatile __u64 *)&w->record->version == w->version;
}

static __always_inline int find_record(struct kstat_call *call, const struct view *v, struct watched *ret)
{
        __u64 kid;

        if (call->op == KSTAT_OP_FIND) {
                struct kstat_index_key key = {.key = call->key};

                key.key.reserved = 0;
                kid = find_kid(v, &key);
        } else {
                kid = call->kid;
        }
        if (!kid || !is_visible(v, kid))
                return -ENXIO;
        return watch(ret, kid) ? 0 : -EAGAIN; /* it goes just now */
}

static __always_inline int read_stored(struct kstat_call *call, const struct kstat_record *record)
{
        copy_words((__u64 *)(void *)call->data, (const __u64 *)(const void *)record->data, KSTAT_SMALL_DATA / 8);
        return 0;
}

static __always_inline int read_head(struct kstat_call *call, const struct kstat_record *record)
{
        copy_words((__u64 *)(void *)&call->head, (const __u64 *)(const void *)&record->head, sizeof(record->head) / 8);
        if (call->head.flags & KSTAT_INVALID_FLAG)
                return -EAGAIN;
        call->head.snaptime = (__s64)bpf_ktime_get_ns();
        return 0;
}

/* Nothing of another record stays with who asked. */
static __always_inline int settle(struct kstat_call *call, const struct watched *w, int r)
{
        if (is_unchanged(w)) {
                call->head.crtime = callers_time(call->head.crtime);
                call->head.snaptime = callers_time(call->head.snaptime);
                return r;
        }
        wipe(call);
        return -EAGAIN;
}

static __always_inline int list(struct kstat_call *call, const struct view *v)
{
        struct kstat_page_key key = {.partition = v->partition,
                .number = v->kcid,
                .level = KSTAT_PAGE_OF_PAGES,
                .table = call->at / KSTAT_PAGE_KIDS};
        struct view again = {.generation = 0};
        struct kstat_page *page;
        __u64 reference;

        call->total = v->total;
        call->n = 0;
        if (call->at >= v->pages)
                return call->at == 0 ? 0 : -EINVAL; /* a list without a kid has a page all the same */
        page = bpf_map_lookup_elem(&kstat_pages, &key);
        if (!page)
                return -EAGAIN;
        reference = page->kids[call->at % KSTAT_PAGE_KIDS];
        key = (struct kstat_page_key){
                .partition = v->partition, .number = KSTAT_PAGE_NUMBER(reference), .level = KSTAT_PAGE_OF_KIDS};
        page = bpf_map_lookup_elem(&kstat_pages, &key);
        if (!page)
                return -EAGAIN;
        call->n = KSTAT_PAGE_SIZE(reference);
        copy_words((__u64 *)(void *)call->data, page->kids, KSTAT_PAGE_KIDS);
        again.generation = current_generation();
        if (find_chain(v->partition, &again) < 0 || again.kcid != v->kcid) {
                wipe(call);
                return -EAGAIN;
        }
        return 0;
}

static __always_inline int schema(struct kstat_call *call)
{
        struct kstat_schema_key key = {.schema = (__u32)call->kid, .page = call->at / KSTAT_PAGE_FIELDS};
        struct kstat_schema_page *page;

        if (call->at % KSTAT_PAGE_FIELDS || call->kid >> 32)
                return -EINVAL;
        page = bpf_map_lookup_elem(&kstat_schemas, &key);
        if (!page)
                return -EINVAL;
        call->n = page->n;
        call->total = page->total;
        copy_words((__u64 *)(void *)call->data, (const __u64 *)(const void *)page->fields, sizeof(page->fields) / 8);
        return 0;
}

/* All but the data of a record: 0, and a record to read if ret->record isn't NULL. */
static __always_inline int answer(struct kstat_call *call, struct watched *ret)
{
        struct view v = {0};
        int r = find_view(call, &v);

        if (r < 0)
                return r;
        switch (call->op) {
        case KSTAT_OP_CHAIN:
                call->total = v.total;
                return 0;
        case KSTAT_OP_LIST:
                return list(call, &v);
        case KSTAT_OP_SCHEMA:
                return schema(call);
        case KSTAT_OP_READ:
        case KSTAT_OP_FIND:
                return find_record(call, &v, ret);
        case KSTAT_OP_WRITE:
                return call->caller || call->partition ? -EPERM : -EACCES;
        default:
                return -EINVAL;
        }
}

static __always_inline int read_small(struct kstat_call *call, const struct kstat_record *record)
{
        int r = read_head(call, record);

        if (r < 0)
                return r;
        if (call->head.size > KSTAT_SMALL_DATA)
                return -ENOMEM;
        if (record->source == KSTAT_SOURCE_STORED)
                return read_stored(call, record);
        clear(call);
        return source_fill_small(call, record);
}

static __always_inline int respond(struct kstat_call *call)
{
        struct watched w = {.record = NULL};
        int r = answer(call, &w);

        return r < 0 || !w.record ? r : settle(call, &w, read_small(call, w.record));
}

SEC("syscall")
int kstat(struct kstat_call *call)
{
        return respond(call);
}

static __always_inline int read_large(struct kstat_call_large *call, const struct kstat_record *record)
{
        int r = read_head(&call->call, record);

        if (r < 0)
                return r;
        if (record->source == KSTAT_SOURCE_STORED)
                return read_stored(&call->call, record);
        clear(&call->call);
        if (call->call.head.size <= KSTAT_SMALL_DATA) /* not what the caller was sent here for: another one by now */
                return -EAGAIN;
        return source_fill_large(call, record);
}

SEC("syscall")
int kstat_large(struct kstat_call_large *call)
{
        struct watched w = {.record = NULL};
        int r = answer(&call->call, &w);

        return r < 0 || !w.record ? r : settle(&call->call, &w, read_large(call, w.record));
}

/* --- by socket options: these two see every option of every socket that was made below croft's control group --- */

/* Not ours: the kernel goes on with the caller's own buffer, as if we weren't here.  With another value it would take
 * ours, which ends after a page: for what is longer newer kernels (6.5, late ones of 6.1) say in their log that a
 * program is wrong, and older ones refuse it. */
static __always_inline int pass(struct bpf_sockopt *ctx)
{
        *(volatile __s32 *)&ctx->optlen = 0;
        return 1;
}

static __always_inline int is_ours(const struct bpf_sockopt *ctx)
{
        return ctx->level == KSTAT_SOCKOPT_LEVEL && ctx->optname == KSTAT_SOCKOPT_CALL;
}

SEC("cgroup/setsockopt")
int kstat_setsockopt(struct bpf_sockopt *ctx)
{
        const struct kstat_request *request = ctx->optval;
        struct kstat_request *kept;

        if (!is_ours(ctx) || ctx->optlen != sizeof(*request) || (const void *)(request + 1) > ctx->optval_end)
                return pass(ctx);
        kept = bpf_sk_storage_get(&kstat_requests, ctx->sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
        if (!kept)
                return pass(ctx);
        *kept = *request;
        *(volatile __s32 *)&ctx->optlen = -1; /* done: the kernel isn't asked */
        return 1;
}

/* Who is answered is whoever calls, not who made the socket or asked. */
SEC("cgroup/getsockopt")
int kstat_getsockopt(struct bpf_sockopt *ctx)
{
        struct kstat_call *call = ctx->optval;
        const struct kstat_request *kept;
        int r;

        if (!is_ours(ctx) || (void *)(call + 1) > ctx->optval_end)
                return pass(ctx);
        kept = bpf_sk_storage_get(&kstat_requests, ctx->sk, NULL, 0);
        if (!kept)
                return pass(ctx);
        copy_words((__u64 *)(void *)call, (const __u64 *)(const void *)kept, sizeof(*kept) / 8);
        r = kept->op > KSTAT_SOCKOPT_OP ? -EINVAL : respond(call);
        call->op = (call->op & KSTAT_SOCKOPT_OP) | (__u32)-r << 16;
        /* one by one: the verifier takes no store across two fields */
        *(volatile __s32 *)&ctx->optlen = sizeof(*call);
        *(volatile __s32 *)&ctx->retval = 0;
        return 1;
}
