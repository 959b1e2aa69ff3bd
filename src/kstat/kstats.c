/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * kstats.c - making, ending and associating statistical structures.  See kstat.h.
 *
 * Here a request is checked and turned into a change (kstats_commit.c); nothing is in the maps before all of it was
 * found good.
 */
#include "base/cleanup.h"
#include "base/str.h"
#include "kstat/catalogue.h"
#include "kstat/kstats_private.h"
#include "plane/plane.h"
#include "plane/plane_bpf.h"

#include <bpf/bpf.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#define GLOBAL 0
/* Chain ids begin anywhere: a reader that finds the one it knows takes its list for the present one, and it may have
 * been opened elsewhere, or before a restart.  Half of what kid_t has is left to rise. */
#define KCID_START_MASK 0x3fffffff

/* --- checks --------------------------------------------------------------------------------------------------------
 */

static bool good_name(const char *name)
{
        return name && *name && strlen(name) < KSTAT_NAME_SIZE;
}

static int check_def(const struct kstat_def *def, struct croft_error *err)
{
        if (!good_name(def->module) || !good_name(def->name) || !def->class || strlen(def->class) >= KSTAT_NAME_SIZE)
                return croft_error_set(err, EINVAL, "names of statistics have 1 to %d bytes, classes at most as many.",
                        KSTAT_NAME_SIZE - 1);
        if (def->instance < 0)
                return croft_error_set(err, EINVAL, "an instance of a statistic isn't negative.");
        if (def->size > (def->source == KSTAT_SOURCE_STORED || def->flags & KSTAT_PERSIST ? KSTAT_SMALL_DATA
                                                                                          : KSTAT_LARGE_DATA) ||
                (def->type == KSTAT_NAMED && def->size % 8))
                return croft_error_set(err, EINVAL, "the data of %s:%d:%s have no size that fits.", def->module,
                        (int)def->instance, def->name);
        return 0;
}

static int64_t now_ns(void)
{
        struct timespec now;

        (void)clock_gettime(CLOCK_MONOTONIC, &now);
        return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void make_entry(const struct kstat_def *def, uint64_t kid, struct kstat_entry *ret)
{
        const struct kstat_schema_info *schema = catalogue_schema(def->schema);

        *ret = (struct kstat_entry){.source = def->source, .subject = def->subject, .argument = def->argument};
        ret->head = (struct kstat_head){.kid = kid,
                .type = (uint8_t)def->type,
                .flags = (uint8_t)def->flags,
                .schema = (uint16_t)def->schema,
                .n_data = schema ? (uint32_t)schema->n_fields : 1,
                .size = def->size,
                .crtime = now_ns()};
        (void)str_copy(ret->head.key.module, sizeof(ret->head.key.module), def->module);
        (void)str_copy(ret->head.key.name, sizeof(ret->head.key.name), def->name);
        (void)str_copy(ret->head.class, sizeof(ret->head.class), def->class);
        ret->head.key.instance = def->instance;
}

static int collide(const struct kstat_key *key, struct croft_error *err)
{
        return croft_error_set(err, EEXIST, "there is a statistic %s:%d:%s already (namespace collision).", key->module,
                (int)key->instance, key->name);
}

static bool has_key(struct kstats *k, const struct kstat_key *key, uint64_t partition)
{
        const struct kstat_index_key index = {.key = *key, .partition = partition};
        struct kstat_index_value value;

        return bpf_map_lookup_elem(k->maps.index, &index, &value) == 0;
}

/* KST-23: would these keys mean two things to somebody? */
static int check_key(struct kstats *k, const struct kstat_key *key, uint64_t partition, struct croft_error *err)
{
        bool taken = has_key(k, key, partition) || has_key(k, key, KSTAT_ALL);

        for (size_t i = 0; !taken && partition == KSTAT_ALL && i < k->table.n_views; i++)
                taken = has_key(k, key, k->table.views[i].partition);
        return taken ? collide(key, err) : 0;
}

/* Moving from KSTAT_ALL to named partitions, or back, is no collision with itself. */
static bool is_dropped(const struct kstat_commit *c, uint64_t kid)
{
        for (size_t i = 0; i < c->n_drop; i++)
                if (c->drop[i].kid == kid)
                        return true;
        return false;
}

static int check_room(struct kstats *k, const struct kstat_commit *c, struct croft_error *err)
{
        if (k->table.n_entries + c->n_created > KSTAT_MAX)
                return croft_error_set(err, ENOSPC, "there are %d statistics: no more fit.", KSTAT_MAX);
        for (size_t i = 0; i < c->n_add; i++) {
                const struct kstat_view *view = table_view(&k->table, c->add[i].partition);
                size_t n = 0, own;

                if (!view)
                        return croft_error_set(err, ENOENT, "partition %llu isn't on record.",
                                (unsigned long long)c->add[i].partition);
                if (view->partition == GLOBAL || view->partition == KSTAT_ALL)
                        continue;
                if (i > 0 && c->add[i].partition == c->add[i - 1].partition)
                        continue; /* counted with the one before */
                for (size_t j = i; j < c->n_add; j++)
                        n += c->add[j].partition == view->partition;
                own = view->list.n - table_view(&k->table, KSTAT_ALL)->list.n;
                if (own + n > KSTAT_PER_PARTITION_MAX)
                        return croft_error_set(err, ENOSPC, "the partition has %zu of at most %d statistics.", own,
                                KSTAT_PER_PARTITION_MAX);
        }
        return 0;
}

/* Counts what found no room, for everybody to see (C-15). */
static int note_refusal(struct kstats *k, int r)
{
        if (r == -ENOSPC) {
                k->state.refused++;
                (void)kstat_put_state(k, NULL); /* a count that is one too low is no harm */
        }
        return r;
}

/* --- create ---------------------------------------------------------------------------------------------------------
 */

struct creation {
        struct kstat_entry *entries;
        const void **data;
        struct kstat_association *add;
        size_t n_add;
};

static void creation_done(struct creation *creation)
{
        free(creation->entries);
        free(creation->data);
        free(creation->add);
}

static int check_new(struct kstats *k, const struct creation *creation, size_t n, const uint64_t *partitions,
        size_t n_partitions, struct croft_error *err)
{
        int r = 0;

        for (size_t i = 0; i < n; i++) {
                const struct kstat_key *key = &creation->entries[i].head.key;

                for (size_t j = 0; j < i; j++)
                        if (memcmp(key, &creation->entries[j].head.key, sizeof(*key)) == 0)
                                return collide(key, err);
                for (size_t p = 0; r == 0 && p < n_partitions; p++)
                        r = check_key(k, key, partitions[p], err);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int create(struct kstats *k, const struct kstat_def *defs, size_t n, const uint64_t *partitions,
        size_t n_partitions, uint64_t *kids, struct croft_error *err)
{
        _cleanup_(creation_done) struct creation creation = {
                .entries = calloc(n, sizeof(*creation.entries)),
                .data = calloc(n, sizeof(*creation.data)),
                .add = calloc(n * n_partitions + 1, sizeof(*creation.add)),
        };
        struct kstat_commit commit = {
                .name = "kstat-create", .created = creation.entries, .data = creation.data, .n_created = n};
        uint64_t kid = 0;
        int r;

        if (!creation.entries || !creation.data || !creation.add)
                return croft_error_set(err, ENOMEM, "make statistics");
        for (size_t i = 0; i < n; i++) {
                r = check_def(&defs[i], err);
                if (r < 0)
                        return r;
                make_entry(&defs[i], k->state.next_kid + i, &creation.entries[i]);
                creation.data[i] = defs[i].data;
                if (defs[i].flags & KSTAT_PERSIST && n > 1)
                        return croft_error_set(err, EINVAL, "persistent statistics are made one at a time.");
        }
        if (defs[0].flags & KSTAT_PERSIST) {
                r = kstats_wake(k, &creation.entries[0], defs[0].data, partitions, n_partitions, &kid, err);
                if (r > 0 && kids)
                        kids[0] = kid;
                if (r != 0)
                        return r < 0 ? r : 0;
        }
        for (size_t p = 0; p < n_partitions; p++)
                for (size_t i = 0; i < n; i++)
                        creation.add[creation.n_add++] =
                                (struct kstat_association){creation.entries[i].head.kid, partitions[p]};
        commit.add = creation.add;
        commit.n_add = creation.n_add;
        r = check_new(k, &creation, n, partitions, n_partitions, err);
        if (r == 0)
                r = check_room(k, &commit, err);
        if (r < 0)
                return r;
        k->state.next_kid += n; /* in the map with the generation; what isn't put into force was seen by nobody */
        r = kstats_commit(k, &commit, err);
        for (size_t i = 0; r == 0 && kids && i < n; i++)
                kids[i] = creation.entries[i].head.kid;
        return r;
}

int kstats_create(struct kstats *k, const struct kstat_def *defs, size_t n, const uint64_t *partitions,
        size_t n_partitions, uint64_t *kids, struct croft_error *err)
{
        int r;

        if (n == 0)
                return 0;
        (void)pthread_mutex_lock(&k->lock);
        r = note_refusal(k, create(k, defs, n, partitions, n_partitions, kids, err));
        (void)pthread_mutex_unlock(&k->lock);
        return r;
}

/* --- delete, apply --------------------------------------------------------------------------------------------------
 */

/* All associations of these kids. */
static int associations_of(
        struct kstats *k, const uint64_t *kids, size_t n, struct kstat_association **ret, size_t *ret_n)
{
        struct kstat_association *list;
        size_t total = 0, at = 0;

        for (size_t i = 0; i < n; i++) {
                const struct kstat_entry *entry = table_find(&k->table, kids[i]);

                total += entry ? entry->partitions.n : 0;
        }
        list = calloc(total + 1, sizeof(*list));
        if (!list)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                const struct kstat_entry *entry = table_find(&k->table, kids[i]);

                for (size_t p = 0; entry && p < entry->partitions.n; p++)
                        list[at++] = (struct kstat_association){kids[i], entry->partitions.at[p]};
        }
        *ret = list;
        *ret_n = total;
        return 0;
}

/* Those that don't go dormant; *ret_n of them, rising. */
static void pick_ending(struct kstats *k, const uint64_t *kids, size_t n, uint64_t *ret, size_t *ret_n)
{
        size_t left = 0;

        for (size_t i = 0; i < n; i++) {
                struct kstat_entry *entry = table_find(&k->table, kids[i]);

                /* without values to keep it is of no use to anybody */
                if (entry && (!kstats_may_rest(entry) || kstats_lay_to_rest(k, entry, NULL) < 0))
                        ret[left++] = kids[i];
        }
        kids_sort(ret, left);
        *ret_n = left;
}

static int delete_all(struct kstats *k, const uint64_t *kids, size_t n, struct croft_error *err)
{
        _cleanup_free_ struct kstat_association *drop = NULL;
        _cleanup_free_ uint64_t *ending = calloc(n + 1, sizeof(*ending));
        struct kstat_commit commit = {.name = "kstat-delete", .deleted = ending};
        int r;

        if (!ending)
                return croft_error_set(err, ENOMEM, "end statistics");
        pick_ending(k, kids, n, ending, &commit.n_deleted);
        if (commit.n_deleted == 0)
                return 0;
        r = associations_of(k, ending, commit.n_deleted, &drop, &commit.n_drop);
        if (r < 0)
                return croft_error_set(err, r, "end statistics");
        commit.drop = drop;
        return kstats_commit(k, &commit, err);
}

int kstats_delete(struct kstats *k, const uint64_t *kids, size_t n, struct croft_error *err)
{
        int r;

        (void)pthread_mutex_lock(&k->lock);
        r = delete_all(k, kids, n, err);
        (void)pthread_mutex_unlock(&k->lock);
        return r;
}

static int sort_changes(struct kstats *k, const struct kstat_change *changes, size_t n, struct kstat_association *add,
        struct kstat_association *drop, struct kstat_commit *c, struct croft_error *err)
{
        for (size_t i = 0; i < n; i++) {
                const struct kstat_entry *entry = table_find(&k->table, changes[i].kid);
                struct kstat_association a = {changes[i].kid, changes[i].partition};
                bool has;

                if (!entry)
                        return croft_error_set(err, ENOENT, "there is no statistic %llu.", (unsigned long long)a.kid);
                has = kids_have(&entry->partitions, a.partition);
                if (changes[i].what == KSTAT_ASSOCIATE && !has)
                        add[c->n_add++] = a;
                else if (changes[i].what == KSTAT_DISSOCIATE && has)
                        drop[c->n_drop++] = a;
        }
        c->add = add;
        c->drop = drop;
        for (size_t i = 0; i < c->n_add; i++) {
                const struct kstat_entry *entry = table_find(&k->table, add[i].kid);
                int r = is_dropped(c, add[i].kid) ? 0 : check_key(k, &entry->head.key, add[i].partition, err);

                if (r < 0)
                        return r;
        }
        return check_room(k, c, err);
}

static int apply(struct kstats *k, const struct kstat_change *changes, size_t n, struct croft_error *err)
{
        _cleanup_free_ struct kstat_association *add = calloc(n + 1, sizeof(*add));
        _cleanup_free_ struct kstat_association *drop = calloc(n + 1, sizeof(*drop));
        struct kstat_commit commit = {.name = "kstat-apply"};
        int r;

        if (!add || !drop)
                return croft_error_set(err, ENOMEM, "associate statistics");
        r = sort_changes(k, changes, n, add, drop, &commit, err);
        if (r < 0 || commit.n_add + commit.n_drop == 0)
                return r;
        return kstats_commit(k, &commit, err);
}

int kstats_apply(struct kstats *k, const struct kstat_change *changes, size_t n, struct croft_error *err)
{
        int r;

        (void)pthread_mutex_lock(&k->lock);
        r = note_refusal(k, apply(k, changes, n, err));
        (void)pthread_mutex_unlock(&k->lock);
        return r;
}

static int store(struct kstats *k, uint64_t kid, const void *data, uint32_t size, struct croft_error *err)
{
        const struct kstat_entry *entry = table_find(&k->table, kid);
        struct kstat_record record;

        if (!entry || bpf_map_lookup_elem(k->maps.records, &kid, &record) < 0)
                return croft_error_set(err, ENOENT, "there is no statistic %llu.", (unsigned long long)kid);
        if (record.source != KSTAT_SOURCE_STORED || size != record.head.size)
                return croft_error_set(err, EINVAL, "statistic %llu takes no %u bytes.", (unsigned long long)kid, size);
        memcpy(record.data, data, size);
        record.version = k->state.next_version++;
        return kstat_put(k->maps.records, &kid, &record, "statistics", err);
}

int kstats_store(struct kstats *k, uint64_t kid, const void *data, uint32_t size, struct croft_error *err)
{
        int r;

        (void)pthread_mutex_lock(&k->lock);
        r = store(k, kid, data, size, err);
        (void)pthread_mutex_unlock(&k->lock);
        return r;
}

/* --- partitions ------------------------------------------------------------------------------------------------------
 */

/* Of what everybody sees. */
static int make_first_list(struct kstats *k, struct kid_change *ret)
{
        const struct kid_list none = {.n = 0}, *all = &table_view(&k->table, KSTAT_ALL)->list;
        _cleanup_free_ uint64_t *kids = calloc(all->n + 1, sizeof(*kids));
        size_t n = 0;

        if (!kids)
                return -ENOMEM;
        for (size_t p = 0; p < all->n_pages; p++)
                for (uint32_t i = 0; i < all->pages[p]->n; i++)
                        kids[n++] = all->pages[p]->kids[i];
        return kid_list_change(&none, (struct kid_numbers){kids, n}, (struct kid_numbers){0}, &k->state.next_page, ret);
}

static int add_chain(struct kstats *k, uint64_t partition, struct croft_error *err)
{
        struct kstat_view *view = table_add_view(&k->table, partition);
        struct kid_change change;
        uint32_t start;
        int r = !view ? -ENOMEM : getrandom(&start, sizeof(start), 0) < 0 ? -errno : make_first_list(k, &change);

        if (r < 0) {
                table_drop_view(&k->table, partition);
                return croft_error_set(err, r, "put partition %llu on record", (unsigned long long)partition);
        }
        view->kcid = start & KCID_START_MASK;
        r = kstats_write_list(k, view, &change, err);
        if (r == 0) {
                k->state.generation++;
                r = kstat_put_state(k, err);
                if (r < 0)
                        k->state.generation--;
        }
        view->kcid++;
        kid_change_keep(&change, &view->list);
        if (r < 0) {
                (void)bpf_map_delete_elem(k->maps.chains, &partition);
                kstats_drop_list(k, view);
                table_drop_view(&k->table, partition);
        }
        return r;
}

/* What every partition has. */
static int create_private(struct kstats *k, uint64_t partition, struct croft_error *err)
{
        _cleanup_free_ struct kstat_def *defs = calloc(catalogue_n_private, sizeof(*defs));

        if (!defs)
                return croft_error_set(err, ENOMEM, "make a partition's statistics");
        for (size_t i = 0; i < catalogue_n_private; i++) {
                defs[i] = catalogue_private[i];
                defs[i].subject = partition;
        }
        return create(k, defs, catalogue_n_private, &partition, 1, NULL, err);
}

static int remove_partition(struct kstats *k, uint64_t partition, struct croft_error *err);

int kstats_add_partition(struct kstats *k, uint64_t partition, struct croft_error *err)
{
        int r = 0;

        (void)pthread_mutex_lock(&k->lock);
        if (!table_view(&k->table, partition)) {
                r = add_chain(k, partition, err);
                if (r == 0)
                        r = create_private(k, partition, err);
                if (r < 0)
                        (void)remove_partition(k, partition, NULL);
        }
        (void)note_refusal(k, r);
        (void)pthread_mutex_unlock(&k->lock);
        return r;
}

/* Not as everybody does. */
static bool sees_alone(struct kstats *k, uint64_t partition, uint64_t kid, const struct kids *ended)
{
        const struct kstat_entry *entry = table_find(&k->table, kid);

        return entry && kids_have(&entry->partitions, partition) && !kids_have(ended, kid);
}

/* The structures that tell about it end; those of others that it saw stay. */
static int remove_partition(struct kstats *k, uint64_t partition, struct croft_error *err)
{
        const struct kids none = {.n = 0}, *subject = table_subject(&k->table, partition);
        struct kstat_view *view = table_view(&k->table, partition);
        _cleanup_free_ struct kstat_association *drop = NULL, *own = NULL;
        _cleanup_(kids_done) struct kids ended = {.n = 0};
        struct kstat_commit commit = {.name = "kstat-remove"};
        int r;

        if (!view)
                return 0;
        r = kids_copy(subject ? subject : &none, &ended);
        if (r == 0)
                r = associations_of(k, ended.at, ended.n, &own, &commit.n_drop);
        if (r == 0)
                drop = calloc(commit.n_drop + view->list.n + 1, sizeof(*drop));
        if (r < 0 || !drop)
                return croft_error_set(err, ENOMEM, "end a partition's statistics");
        memcpy(drop, own, commit.n_drop * sizeof(*drop));
        for (size_t p = 0; p < view->list.n_pages; p++)
                for (uint32_t i = 0; i < view->list.pages[p]->n; i++)
                        if (sees_alone(k, partition, view->list.pages[p]->kids[i], &ended))
                                drop[commit.n_drop++] =
                                        (struct kstat_association){view->list.pages[p]->kids[i], partition};
        commit.drop = drop;
        commit.deleted = ended.at;
        commit.n_deleted = ended.n;
        r = commit.n_drop > 0 ? kstats_commit(k, &commit, err) : 0;
        if (r < 0)
                return r;
        (void)bpf_map_delete_elem(k->maps.objects, &partition);
        (void)bpf_map_delete_elem(k->maps.timers, &partition);
        (void)bpf_map_delete_elem(k->maps.chains, &partition); /* from now on: -ENXIO for all */
        kstats_drop_list(k, view);
        table_drop_view(&k->table, partition);
        return 0;
}

int kstats_remove_partition(struct kstats *k, uint64_t partition, struct croft_error *err)
{
        int r;

        (void)pthread_mutex_lock(&k->lock);
        r = remove_partition(k, partition, err);
        (void)pthread_mutex_unlock(&k->lock);
        return r;
}

/* --- looking
 * ---------------------------------------------------------------------------------------------------------- */

void kstat_info_done(struct kstat_info *info)
{
        free(info->partitions);
        info->partitions = NULL;
}

static struct kstat_info borrow(const struct kstat_entry *entry)
{
        return (struct kstat_info){.head = entry->head,
                .source = entry->source,
                .subject = entry->subject,
                .argument = entry->argument,
                .partitions = entry->partitions.at,
                .n_partitions = entry->partitions.n};
}

int kstats_get(struct kstats *k, uint64_t kid, struct kstat_info *ret, struct croft_error *err)
{
        const struct kstat_entry *entry;
        struct kstat_info info = {.source = 0};
        int r = -ENOENT;

        (void)pthread_mutex_lock(&k->lock);
        entry = table_find(&k->table, kid);
        if (entry) {
                struct kids copy;

                info = borrow(entry);
                r = kids_copy(&entry->partitions, &copy);
                info.partitions = r == 0 ? copy.at : NULL;
        }
        (void)pthread_mutex_unlock(&k->lock);
        if (r < 0)
                return croft_error_set(err, r, "there is no statistic %llu", (unsigned long long)kid);
        *ret = info;
        return 0;
}

struct wanted {
        const char *module, *class;
        int (*f)(const struct kstat_info *info, void *context);
        void *context;
};

static int tell(const struct wanted *w, const struct kstat_entry *entry)
{
        struct kstat_info info = borrow(entry);

        if ((w->module && strcmp(w->module, entry->head.key.module) != 0) ||
                (w->class && strcmp(w->class, entry->head.class) != 0))
                return 0;
        return w->f(&info, w->context);
}

int kstats_each(struct kstats *k, const char *module, const char *class, uint64_t subject,
        int (*f)(const struct kstat_info *info, void *context), void *context, struct croft_error *err)
{
        const struct wanted w = {module, class, f, context};
        const struct kids *kids;
        int r = 0;

        (void)err;
        (void)pthread_mutex_lock(&k->lock);
        kids = subject == KSTAT_ALL ? NULL : table_subject(&k->table, subject);
        for (size_t i = 0; r == 0 && kids && i < kids->n; i++)
                r = tell(&w, table_find(&k->table, kids->at[i]));
        for (size_t i = 0; r == 0 && subject == KSTAT_ALL && i < k->table.n_entries; i++)
                r = tell(&w, k->table.entries[i]);
        (void)pthread_mutex_unlock(&k->lock);
        return r;
}

/* --- opening
 * ----------------------------------------------------------------------------------------------------------- */

static int put_schema(struct kstats *k, const struct kstat_schema_info *schema, struct croft_error *err)
{
        _cleanup_free_ struct kstat_field *fields = calloc(schema->n_fields, sizeof(*fields));
        int r = 0;

        if (!fields)
                return croft_error_set(err, ENOMEM, "describe statistics");
        catalogue_fields(schema, fields);
        for (size_t first = 0; r == 0 && first < schema->n_fields; first += KSTAT_PAGE_FIELDS) {
                const struct kstat_schema_key key = {.schema = schema->number, .page = first / KSTAT_PAGE_FIELDS};
                size_t left = schema->n_fields - first, n = left < KSTAT_PAGE_FIELDS ? left : KSTAT_PAGE_FIELDS;
                struct kstat_schema_page page = {.n = (uint32_t)n, .total = (uint32_t)schema->n_fields};

                memcpy(page.fields, fields + first, n * sizeof(page.fields[0]));
                r = kstat_put(k->maps.schemas, &key, &page, "schemas", err);
        }
        return r;
}

static void close_ours(struct kstats *k)
{
        for (size_t i = 0; i < ELEMENTS(k->ours); i++)
                k->ours[i] = close_fd(k->ours[i]);
}

/* As with maps of another layout: all structures are made anew, from what is running. */
static int begin_anew(struct kstats *k, struct croft_error *err)
{
        bool new;
        int r;

        table_done(&k->table);
        if (table_init(&k->table) < 0)
                return croft_error_set(err, ENOMEM, "begin the statistics anew");
        close_ours(k);
        kstat_maps_close(&k->maps);
        kstat_sockopt_done(&k->sockopt);
        kstat_sockopt_init(&k->sockopt);
        r = kstat_maps_unpin(k->plane, err);
        return r < 0 ? r : kstat_maps_open(k, &new, err);
}

static int open_table(struct kstats *k, struct croft_error *err)
{
        bool new;
        int r = kstat_maps_open(k, &new, err);

        if (r == 0 && !new)
                r = kstat_maps_read(k, err);
        if (r == -EUCLEAN)
                r = begin_anew(k, err);
        for (size_t i = 0; r == 0 && i < catalogue_n_schemas; i++)
                r = put_schema(k, &catalogue_schemas[i], err);
        return r;
}

int kstats_open(struct plane *plane, struct kstats **ret, struct croft_error *err)
{
        _cleanup_(kstats_freep) struct kstats *k = calloc(1, sizeof(*k));
        int r;

        if (!k || table_init(&k->table) < 0)
                return croft_error_set(err, ENOMEM, "open the statistics");
        k->plane = plane;
        k->disk_begin = -EBADF;
        k->ours[0] = k->ours[1] = -EBADF;
        kstat_sockopt_init(&k->sockopt);
        (void)pthread_mutex_init(&k->lock, NULL); /* with these attributes it can't fail */
        r = open_table(k, err);
        if (r == 0)
                r = kstats_add_partition(k, GLOBAL, err);
        if (r < 0) {
                (void)croft_error_prefix(err, "open the statistics");
                return r;
        }
        *ret = TAKE(k);
        return 0;
}

struct kstats *kstats_free(struct kstats *k)
{
        if (!k)
                return NULL;
        table_done(&k->table);
        close_ours(k);
        kstat_maps_close(&k->maps);
        kstat_sockopt_done(&k->sockopt);
        close_fd(k->disk_begin);
        (void)pthread_mutex_destroy(&k->lock);
        free(k);
        return NULL;
}

void kstats_freep(struct kstats **k)
{
        *k = kstats_free(*k);
}

int kstats_remove(struct kstats *k, struct croft_error *err)
{
        int r;

        if (plane_bpf_in_use(plane_partitions(k->plane)) != 0)
                return croft_error_set(err, EBUSY, "partitions are on record in the kernel plane.");
        r = kstat_maps_unpin_programs(k->plane, err);
        return r < 0 ? r : kstat_maps_unpin(k->plane, err);
}
