/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 *
 * devid.bpf.c - gives out device numbers and takes them back, for whoever runs `devid`; and lets partitions open what
 * is theirs.  See devid.bpf.h.
 *
 * In what order things are written, so that nobody sees half of it: a number's bit is taken first and given back last,
 * and between that its entry is the taker's alone.  Whoever gives a group out or back holds its lock meanwhile, a bit
 * of the family (an entry's memory may be another's by the time that it is looked at); all others are told to come
 * again. Invariant: an entry whose group nobody holds has an instance that leads to it, or is draining.
 */
#include "devid/family.bpf.h"
#include "devid/gate.bpf.h"
#include "devid/refusals.bpf.h"

#include "plane/caller.bpf.h"
#include "plane/clock.bpf.h"
#include "plane/copy.bpf.h"
#include "plane/maps.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* --- on behalf of the caller --- */

struct request {
        __u64 partition, caller;
        __u64 owner; /* of the family, when the caller was let */
        struct devid_family *family;
        struct devid_grant *grant; /* NULL: it needs none */
};

static const struct devid_number no_number;

/* The first number of an instance into the context.  What is copied may go meanwhile, and its memory be another's: it
 * is looked at again afterwards. */
static __always_inline int answer(
        struct devid_call *call, const struct devid_family *family, __u32 number, __u64 caller)
{
        struct devid_node node = node_of(family, number);
        const struct devid_number *found = bpf_map_lookup_elem(&devid_numbers, &node);

        if (!found)
                return -ESRCH;
        COPY_WORDS(&call->ret, found, WORDS(*found));
        COPY_WORDS(&call->node, &node, WORDS(node));
        if (bpf_map_lookup_elem(&devid_numbers, &node) != found || call->ret.number != number ||
                (caller && *(const volatile __u64 *)&found->partition != caller)) {
                COPY_WORDS(&call->ret, &no_number, WORDS(no_number));
                return -ESRCH;
        }
        call->ret.since_ns = callers_boottime(call->ret.since_ns);
        if (caller)
                call->ret.pid = 0;
        return 0;
}

/* The instance was looked up, and its memory may be another's by now. */
static __always_inline int answer_of(
        struct devid_call *call, const struct devid_instance_key *key, const struct request *q, __u32 first)
{
        const __u64 *ours = (const __u64 *)key->instance.text;
        int r = answer(call, q->family, first, q->caller);
        __u64 theirs[4];

        if (r < 0)
                return r;
        COPY_WORDS(theirs, &call->ret.instance, 4);
        return theirs[0] == ours[0] && theirs[1] == ours[1] && theirs[2] == ours[2] && theirs[3] == ours[3] ? 0
                                                                                                            : -EAGAIN;
}

static __always_inline void give_quota(struct devid_grant *grant, __u32 n)
{
        if (grant)
                __sync_fetch_and_sub(&grant->used, n);
}

/* Without a grant only global takes numbers: these count, but there is no bound. */
static __always_inline bool take_quota(struct devid_grant *grant, __u32 n)
{
        __u32 used, max;

        if (!grant)
                return true;
        used = __sync_fetch_and_add(&grant->used, n);
        max = *(volatile __u32 *)&grant->max;
        if (!max || used + n <= max)
                return true;
        give_quota(grant, n);
        return false;
}

static __always_inline void fill(struct group *group, const struct devid_call *call, const struct request *q)
{
        struct devid_number *number = &group->number;

        COPY_WORDS(&number->family, &call->family, WORDS(number->family));
        COPY_WORDS(&number->instance, &call->instance, WORDS(number->instance));
        number->partition = q->partition;
        number->count = call->count;
        number->within = call->within;
        group->owner = q->owner;
        group->between = call->between;
        number->virtual = call->virtual;
        number->flags = q->caller ? 0 : call->flags;
        number->state = DEVID_RESERVED;
        number->since_ns = (__s64)bpf_ktime_get_boot_ns();
        number->pid = (__u32)(bpf_get_current_pid_tgid() >> 32);
}

static __always_inline bool is_sound(const struct devid_call *call)
{
        return call->count >= 1 && call->count <= DEVID_GROUP_MAX && call->within >= 1 &&
               call->within <= DEVID_FAMILY_MAX && call->between >= 1 && call->between <= DEVID_FAMILY_MAX &&
               call->instance.text[0] && !call->instance.text[DEVID_NAME - 1];
}

/* Number and entries are there: they become the instance's, unless it has got some meanwhile. */
static __always_inline int enter(
        const struct group *group, const struct devid_instance_key *key, const struct request *q)
{
        struct devid_instance instance = {.first = group->number.first};
        int r = map_put(&devid_instances, key, &instance, BPF_NOEXIST);

        if (r < 0)
                return r == -EEXIST ? r : -ENOMEM;
        if (q->family->majors)
                open_minors(&group->number, q->family->type);
        return 0;
}

/* Its bits are the caller's. */
static __always_inline int give_out(struct group *group, const struct devid_instance_key *key, const struct request *q)
{
        __u32 first = group->number.first;
        int r;

        if (!lock(q->family, first)) { /* by one who finds out that it is too late to give it back */
                bpf_loop(group->number.count, give_one, group, 0);
                return -EAGAIN;
        }
        r = put_group(group, q->family);
        if (r == 0)
                r = enter(group, key, q);
        if (r < 0)
                drop_group(group, q->family);
        unlock(q->family, first);
        return r;
}

/* What was entered just now, without a look at it. */
static __always_inline void answer_with(struct devid_call *call, struct group *group, const struct request *q)
{
        struct devid_node node = node_of(q->family, group->number.first);

        group->number.number = group->number.first;
        if (q->caller)
                group->number.pid = 0;
        COPY_WORDS(&call->ret, &group->number, WORDS(group->number));
        COPY_WORDS(&call->node, &node, WORDS(node));
}

static __always_inline int alloc(struct devid_call *call, const struct devid_instance_key *key, const struct request *q)
{
        const struct devid_instance *instance = bpf_map_lookup_elem(&devid_instances, key);
        struct group group = {};
        int r;

        if (instance)
                return answer_of(call, key, q, instance->first);
        if (!is_sound(call) || ((q->family->majors || q->family->flags & DEVID_FAMILY_DRIVER) && call->count != 1))
                return -EINVAL;
        fill(&group, call, q);
        if (!take_quota(q->grant, group.number.count))
                return -EDQUOT;
        r = find(&group, q->family->count, call->preferred);
        if (r == 0)
                r = give_out(&group, key, q);
        if (r < 0)
                give_quota(q->grant, group.number.count);
        if (r == -EEXIST) {
                instance = bpf_map_lookup_elem(&devid_instances, key);
                return instance ? answer_of(call, key, q, instance->first) : -EAGAIN;
        }
        if (r == 0)
                answer_with(call, &group, q);
        return r;
}

static long assign_one(__u32 i, struct group *group)
{
        struct devid_family *family = bpf_map_lookup_elem(&devid_families, &group->number.family);
        struct devid_number *number;
        struct devid_node node;

        if (!family)
                return 1;
        node = node_of(family, nth(group, i));
        number = bpf_map_lookup_elem(&devid_numbers, &node);
        if (number && __sync_val_compare_and_swap(&number->state, DEVID_RESERVED, DEVID_ASSIGNED) == DEVID_RESERVED)
                number->since_ns = (__s64)bpf_ktime_get_boot_ns();
        return 0;
}

static long drain_one(__u32 i, struct group *group)
{
        struct devid_family *family = bpf_map_lookup_elem(&devid_families, &group->number.family);
        struct devid_number *number;
        struct devid_node node;

        if (!family)
                return 1;
        node = node_of(family, nth(group, i));
        number = bpf_map_lookup_elem(&devid_numbers, &node);
        if (number) {
                (void)__sync_lock_test_and_set(&number->state, DEVID_DRAINING);
                number->since_ns = (__s64)bpf_ktime_get_boot_ns();
        }
        return 0;
}

/* What is on record of the instance, for those who walk its numbers. */
static __always_inline void fill_found(struct group *group, const struct devid_call *call)
{
        COPY_WORDS(&group->number.family, &call->family, WORDS(group->number.family));
        group->number.first = call->ret.first;
        group->number.count = call->ret.count;
        group->number.within = call->ret.within;
}

/* With its lock held: is the group that was found still the instance's? */
static __always_inline bool is_still(
        const struct devid_call *call, const struct devid_instance_key *key, const struct request *q)
{
        struct devid_node node = node_of(q->family, call->ret.first);
        const struct devid_number *number = bpf_map_lookup_elem(&devid_numbers, &node);
        const __u64 *theirs, *ours = (const __u64 *)key->instance.text;

        if (!number || number->partition != q->partition || number->first != call->ret.first ||
                number->count != call->ret.count || number->within != call->ret.within ||
                (number->state != DEVID_RESERVED && number->state != DEVID_ASSIGNED))
                return false;
        theirs = (const __u64 *)number->instance.text;
        return theirs[0] == ours[0] && theirs[1] == ours[1] && theirs[2] == ours[2] && theirs[3] == ours[3];
}

/* With its lock held. */
static __always_inline bool is_named(const struct devid_call *call, const struct request *q)
{
        struct devid_node node = node_of(q->family, call->ret.first);
        const struct devid_number *number = bpf_map_lookup_elem(&devid_numbers, &node);

        return number && *(const volatile __u32 *)&number->flags & DEVID_NAMED;
}

static __always_inline int give_back(
        const struct devid_call *call, const struct devid_instance_key *key, const struct request *q)
{
        struct group group = {};

        if (q->family->majors && close_minors(&group, q->family->type, call->ret.first) < 0)
                return -EBUSY;
        fill_found(&group, call);
        bpf_map_delete_elem(&devid_instances, key);
        if (q->family->flags & DEVID_FAMILY_DRAINS || is_named(call, q)) {
                bpf_loop(group.number.count & 127, drain_one, &group, 0);
                return 0;
        }
        drop_group(&group, q->family);
        give_quota(q->grant, group.number.count);
        return 0;
}

static __always_inline int assign(const struct devid_call *call)
{
        struct group group = {};

        fill_found(&group, call);
        bpf_loop(group.number.count & 127, assign_one, &group, 0);
        return 0;
}

/* What the instance has is assigned or given back. */
static __always_inline int change(
        const struct devid_call *call, const struct devid_instance_key *key, const struct request *q)
{
        __u32 first = call->ret.first;
        int r;

        if (!lock(q->family, first))
                return -EAGAIN;
        if (!is_still(call, key, q))
                r = -EAGAIN; /* to be found anew, or not any more */
        else
                r = call->op == DEVID_OP_RELEASE ? give_back(call, key, q) : assign(call);
        unlock(q->family, first);
        return r;
}

/* Numbers that the caller may see: a partition its own. */
static long look_at_one(__u32 i, struct group *group)
{
        const struct devid_family *family = bpf_map_lookup_elem(&devid_families, &group->number.family);
        const struct devid_number *number;
        struct devid_node node;

        if (!family || i >= family->count)
                return 1;
        if (i < group->number.first || !(*(const volatile __u64 *)&family->taken[i / 64 % DEVID_WORDS] >> i % 64 & 1))
                return 0;
        node = node_of(family, i);
        number = bpf_map_lookup_elem(&devid_numbers, &node);
        if (!number || (group->number.partition &&
                               (number->partition != group->number.partition || number->state == DEVID_DRAINING)))
                return 0;
        group->number.number = i;
        group->found = 1;
        return 1;
}

static __always_inline int next(struct devid_call *call, const struct request *q)
{
        struct group group = {};

        COPY_WORDS(&group.number.family, &call->family, WORDS(group.number.family));
        group.number.first = call->preferred;
        group.number.partition = q->partition;
        bpf_loop(DEVID_FAMILY_MAX, look_at_one, &group, 0);
        return group.found ? answer(call, q->family, group.number.number, q->caller) : -ESRCH;
}

/* A number that was given back becomes free. */
static __always_inline int set_free(struct devid_call *call, const struct request *q)
{
        __u32 n = call->preferred;
        struct devid_node node = node_of(q->family, n);
        struct devid_number *number = bpf_map_lookup_elem(&devid_numbers, &node);
        struct devid_grant_key key = {};
        struct devid_grant *grant;

        if (q->caller)
                return -EPERM;
        if (!number || n >= DEVID_FAMILY_MAX)
                return -ESRCH;
        if (__sync_val_compare_and_swap(&number->state, DEVID_DRAINING, DEVID_FREE) != DEVID_DRAINING)
                return -EBUSY;
        key.partition = number->partition;
        COPY_WORDS(&key.family, &number->family, WORDS(key.family));
        grant = bpf_map_lookup_elem(&devid_grants, &key);
        if (grant && *(volatile __u32 *)&grant->used) /* it may be of a former run, and have counted on another grant */
                give_quota(grant, 1);
        bpf_map_delete_elem(&devid_numbers, &node);
        give_bit(q->family, n);
        return 0;
}

/* A number that a partition has already stays its own. */
static __always_inline int set_host(const struct devid_call *call, const struct request *q)
{
        if (q->caller)
                return -EPERM;
        if (call->preferred >= DEVID_WORDS)
                return -EINVAL;
        (void)__sync_lock_test_and_set(&q->family->host[call->preferred % DEVID_WORDS], call->bits);
        return 0;
}

/* What it has is counted on, whatever it may have. */
static __always_inline int set_grant(const struct devid_call *call, const struct request *q)
{
        struct devid_grant_key key = {.partition = q->partition};
        struct devid_grant grant = {.max = call->preferred}, *there;

        if (q->caller)
                return -EPERM;
        COPY_WORDS(&key.family, &call->family, WORDS(key.family));
        if (!grant.max && !bpf_map_lookup_elem(&devid_grants, &key))
                return 0;
        if (map_put(&devid_grants, &key, &grant, BPF_NOEXIST) == 0)
                return 0;
        there = bpf_map_lookup_elem(&devid_grants, &key);
        if (!there)
                return -ENOMEM;
        (void)__sync_lock_test_and_set(&there->max, grant.max);
        return 0;
}

/* For one who alone works on that partition's devices. */
static __always_inline int mark(const struct devid_call *call, const struct request *q, __u32 first)
{
        struct devid_node node = node_of(q->family, first);
        struct devid_number *number = bpf_map_lookup_elem(&devid_numbers, &node);

        if (q->caller)
                return -EPERM;
        if (!number || number->partition != q->partition)
                return -ESRCH;
        number->virtual = call->virtual;
        (void)__sync_lock_test_and_set(&number->flags, call->flags);
        if (__sync_val_compare_and_swap(&number->state, DEVID_RESERVED, DEVID_ASSIGNED) == DEVID_RESERVED)
                number->since_ns = (__s64)bpf_ktime_get_boot_ns();
        return 0;
}

/* --- drivers, and special files --- */

static __noinline int set_driver(const struct devid_call *call, const struct request *q)
{
        struct devid_family *family = q->family;
        struct group group = {};

        if (q->caller)
                return -EPERM;
        if (!(family->flags & DEVID_FAMILY_DRIVER))
                return -EINVAL;
        (void)__sync_fetch_and_or(&family->flags, DEVID_FAMILY_ABSENT);
        if (call->preferred == DEVID_ANY)
                return 0;
        if (family->major != call->preferred || family->shift != call->count) {
                COPY_WORDS(&group.number.family, &call->family, WORDS(group.number.family));
                bpf_loop(DEVID_WORDS, count_taken, &group, 0);
                if (group.found)
                        return -EBUSY;
                *(volatile __u32 *)&family->major = call->preferred;
                *(volatile __u32 *)&family->shift = call->count;
        }
        (void)__sync_fetch_and_and(&family->flags, ~(__u32)DEVID_FAMILY_ABSENT);
        return 0;
}

static __noinline int set_flags(const struct devid_call *call, const struct request *q)
{
        struct devid_node node = node_of(q->family, call->preferred);
        struct devid_number *number = bpf_map_lookup_elem(&devid_numbers, &node);

        if (q->caller)
                return -EPERM;
        if (!number || call->preferred >= DEVID_FAMILY_MAX || number->partition != q->partition)
                return -ESRCH;
        (void)__sync_fetch_and_or(&number->flags, call->flags);
        (void)__sync_fetch_and_and(&number->flags, ~(__u32)call->bits);
        return 0;
}

/* The device of that number was made for its former owner, who has started again. */
static __noinline int reclaim(struct devid_call *call, const struct request *q)
{
        struct devid_node node = node_of(q->family, call->preferred);
        struct devid_number *number = bpf_map_lookup_elem(&devid_numbers, &node);
        struct devid_instance_key key = {.partition = q->partition};
        struct devid_instance instance = {.first = call->preferred};
        const __u64 *ours = (const __u64 *)key.instance.text, *theirs;

        if (q->caller)
                return -EPERM;
        COPY_WORDS(&key.family, &call->family, WORDS(key.family));
        COPY_WORDS(&key.instance, &call->instance, WORDS(key.instance));
        if (!number || call->preferred >= DEVID_FAMILY_MAX || number->partition != q->partition || number->count != 1)
                return -ESRCH;
        theirs = (const __u64 *)number->instance.text;
        if (theirs[0] != ours[0] || theirs[1] != ours[1] || theirs[2] != ours[2] || theirs[3] != ours[3])
                return -ESRCH;
        if (!take_quota(q->grant, 1))
                return -EDQUOT;
        if (__sync_val_compare_and_swap(&number->state, DEVID_DRAINING, DEVID_RESERVED) != DEVID_DRAINING) {
                give_quota(q->grant, 1);
                return -ESRCH;
        }
        if (map_put(&devid_instances, &key, &instance, BPF_NOEXIST) < 0) {
                (void)__sync_lock_test_and_set(&number->state, DEVID_DRAINING);
                give_quota(q->grant, 1);
                return -ENOMEM;
        }
        number->since_ns = (__s64)bpf_ktime_get_boot_ns();
        return answer(call, q->family, call->preferred, q->caller);
}

/* The special file of what was just answered, if that has one. */
static __noinline int tell_special(struct devid_call *call)
{
        static const struct devid_special none;
        struct devid_node node = {};
        const struct devid_special *special;

        COPY_WORDS(&node, &call->node, WORDS(node));
        special = bpf_map_lookup_elem(&devid_specials, &node);
        if (!special || special->partition != call->ret.partition)
                special = &none;
        COPY_WORDS(&call->special, special, WORDS(*special));
        return 0;
}

/* What was just answered is to have a special file of that name, unless it has one. */
static __noinline int name_it(struct devid_call *call, const struct devid_instance_key *key, const struct request *q)
{
        struct devid_special special = {.partition = q->partition, .uid = (__u32)bpf_get_current_uid_gid()};
        struct devid_node node = node_of(q->family, call->ret.first);
        __u32 first = call->ret.first;
        struct devid_number *number;
        int r = -EAGAIN;

        COPY_WORDS(&special.name, &call->special.name, WORDS(special.name));
        if (!lock(q->family, first))
                return -EAGAIN;
        number = bpf_map_lookup_elem(&devid_numbers, &node);
        if (number && is_still(call, key, q)) {
                (void)__sync_fetch_and_or(&number->flags, DEVID_NAMED);
                r = map_put(&devid_specials, &node, &special, BPF_NOEXIST);
                if (r < 0)
                        r = r == -EEXIST ? 0 : -ENOMEM;
        }
        unlock(q->family, first);
        return r;
}

/* Loop devices their broker sees to. */
static __always_inline bool has_to_be_seen_to(const struct devid_call *call, const struct devid_family *family)
{
        if (call->op == DEVID_OP_ALLOC)
                return call->special.name.text[0];
        return call->op == DEVID_OP_RELEASE && !(family->flags & DEVID_FAMILY_GLOBAL) &&
               (family->flags & DEVID_FAMILY_DRAINS || call->ret.flags & DEVID_NAMED);
}

/* croftd has something to do. */
static __always_inline void wake(const struct devid_call *call)
{
        __u64 word = call->op;

        (void)bpf_ringbuf_output(&devid_wake, &word, sizeof(word), 0); /* full: it is awake */
}

static const struct devid_grant no_grant; /* counts what global takes for a partition */

/* May the caller ask in this family for that partition?  What isn't granted is as what isn't there; what it has already
 * stays its own when the grant goes. */
static __always_inline int find_family(const struct devid_call *call, struct request *q)
{
        struct devid_grant_key key = {.partition = q->partition};

        COPY_WORDS(&key.family, &call->family, WORDS(key.family));
        q->family = bpf_map_lookup_elem(&devid_families, &key.family);
        if (!q->family || !*(volatile __u32 *)&q->family->count)
                return q->caller && call->op != DEVID_OP_ALLOC ? -ESRCH : -ENOENT;
        if (q->caller && q->family->flags & DEVID_FAMILY_GLOBAL && call->op != DEVID_OP_GET &&
                call->op != DEVID_OP_NEXT)
                return call->op == DEVID_OP_ALLOC ? -ENOENT : -EPERM;
        q->owner = *(volatile __u64 *)&q->family->owner;
        /* Minors go with their major: they are its owner's, whoever asks. */
        if (q->owner && q->owner != q->partition && call->op == DEVID_OP_ALLOC)
                return -ENOENT;
        if (q->partition && q->owner != q->partition) {
                q->grant = bpf_map_lookup_elem(&devid_grants, &key);
                if (!q->grant && !q->caller && !call->granted && call->op == DEVID_OP_ALLOC) {
                        (void)map_put(&devid_grants, &key, &no_grant, BPF_NOEXIST);
                        q->grant = bpf_map_lookup_elem(&devid_grants, &key);
                }
        }
        if ((q->caller || call->granted) && call->op == DEVID_OP_ALLOC && !(q->grant && q->grant->max) &&
                (!q->partition || q->owner != q->partition))
                return -ENOENT;
        if (call->op == DEVID_OP_ALLOC && *(volatile __u32 *)&q->family->flags & DEVID_FAMILY_ABSENT)
                return -ENODEV;
        return 0;
}

static __always_inline int of_instance(struct devid_call *call, const struct request *q)
{
        struct devid_instance_key key = {.partition = q->partition};
        const struct devid_instance *instance;
        int r;

        COPY_WORDS(&key.family, &call->family, WORDS(key.family));
        COPY_WORDS(&key.instance, &call->instance, WORDS(key.instance));
        if (call->op == DEVID_OP_ALLOC) {
                r = alloc(call, &key, q);
                return r == 0 && call->special.name.text[0] ? name_it(call, &key, q) : r;
        }
        instance = bpf_map_lookup_elem(&devid_instances, &key);
        r = instance ? answer_of(call, &key, q, instance->first) : -ESRCH;
        if (r < 0 || call->op == DEVID_OP_GET)
                return r;
        r = call->op == DEVID_OP_MARK ? mark(call, q, call->ret.first) : change(call, &key, q);
        return r < 0 || call->op == DEVID_OP_RELEASE ? r : answer(call, q->family, instance->first, q->caller);
}

/* --- who may open what (DEV-25) --- */

/* A node may be made by whom the kernel lets (inside, nobody): one that can't be opened does no harm, and overlays make
 * whiteouts. */
SEC("cgroup/dev")
int devid_open(struct bpf_cgroup_dev_ctx *ctx)
{
        struct devid_node node = {.major = ctx->major, .minor = ctx->minor}, whole;
        __u32 access = ctx->access_type >> 16 & (BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE);
        const struct plane_partition *partition;
        enum gate_owner owner;
        __u64 cgroup;

        node.type = (ctx->access_type & 0xffff) == BPF_DEVCG_DEV_BLOCK ? DEVID_BLOCK : DEVID_CHAR;
        if (!access || is_usual(node.type, node.major, node.minor))
                return 1;
        cgroup = bpf_get_current_ancestor_cgroup_id((int)partition_level);
        partition = bpf_map_lookup_elem(&partitions, &cgroup);
        if (!partition)
                return 1;
        owner = owner_for(partition->id, &node);
        if (owner == GATE_NOBODY) {
                whole = node;
                whole.minor = DEVID_WHOLE;
                owner = owner_for(partition->id, &whole);
        }
        if (owner == GATE_NOBODY)
                return is_exported(partition->id, &node, access);
        return owner == GATE_ITSELF;
}

/* May what is asked for have a special file?  A major has none itself, nor has global a /dev of ours. */
static __always_inline bool may_be_named(const struct devid_call *call, const struct request *q)
{
        return !call->special.name.text[0] ||
               (q->partition && !q->family->majors && !(q->family->flags & DEVID_FAMILY_GLOBAL) &&
                       !call->special.name.text[DEVID_NAME - 1]);
}

static __always_inline int do_op(struct devid_call *call, const struct request *q)
{
        switch (call->op) {
        case DEVID_OP_ALLOC:
                if (!may_be_named(call, q))
                        return -EINVAL;
                return of_instance(call, q);
        case DEVID_OP_ASSIGN:
        case DEVID_OP_RELEASE:
        case DEVID_OP_GET:
        case DEVID_OP_MARK:
                return of_instance(call, q);
        case DEVID_OP_NEXT:
                return next(call, q);
        case DEVID_OP_FREE:
                return set_free(call, q);
        case DEVID_OP_HOST:
                return set_host(call, q);
        case DEVID_OP_GRANT:
                return set_grant(call, q);
        case DEVID_OP_DRIVER:
                return set_driver(call, q);
        case DEVID_OP_FLAG:
                return set_flags(call, q);
        case DEVID_OP_RECLAIM:
                return reclaim(call, q);
        default:
                return -EINVAL;
        }
}

static __always_inline int carry_out(struct devid_call *call, struct request *q)
{
        int r;

        if (q->caller && call->partition && call->partition != q->caller)
                return -EPERM;
        q->partition = q->caller ? q->caller : call->partition;
        r = find_family(call, q);
        if (r == 0)
                r = do_op(call, q);
        if (r < 0)
                return r;
        if (has_to_be_seen_to(call, q->family))
                wake(call);
        if (call->op <= DEVID_OP_NEXT && (call->ret.flags & DEVID_NAMED || call->special.name.text[0]))
                (void)tell_special(call);
        return 0;
}

/* What global asks for a partition it may ask again in another way (brokers): it says itself what was refused. */
SEC("syscall")
int devid(struct devid_call *call)
{
        struct request q = {};
        int r = find_caller(&q.caller);

        if (r < 0)
                return r;
        r = carry_out(call, &q);
        if (r < 0)
                tell_refusal(q.caller, -r, call);
        return r;
}
