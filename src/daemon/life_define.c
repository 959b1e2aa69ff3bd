/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * life_define.c - what changes a definition: create, remove, set, rename.
 *
 * A partition's files are STATE/partitions/<id>/{rw/{upper,work},console.log}.  They are made and removed under
 * STATE/tmp and renamed, so that a directory in partitions/ is whole.
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "daemon/life_private.h"
#include "image/image.h"

#include <string.h>
#include <sys/stat.h>
#include <time.h>

static void directory_name(const struct unit *u, char name[32])
{
        (void)snprintf(name, 32, "%ju", (uintmax_t)u->p.def.id);
}

static void half_name(const struct unit *u, char name[64])
{
        (void)snprintf(name, 64, "tmp/partition-%ju", (uintmax_t)u->p.def.id);
}

/* --- create --- */

static int make_files(void *context, const void *arg, struct croft_error *err)
{
        struct act *act = context;
        struct host *host = act->u->p.host;
        char half[64], path[80], name[32];
        int r;

        (void)arg;
        directory_name(act->u, name);
        half_name(act->u, half);
        (void)snprintf(path, sizeof(path), "%s/rw/work", half);
        r = fd_make_dirs(host->state_dir, path, 0700, err);
        if (r < 0)
                return r;
        (void)snprintf(path, sizeof(path), "%s/rw/upper", half);
        if (mkdirat(host->state_dir, path, 0755) < 0) /* the mode that the partition's / will have */
                return croft_error_set(err, errno, "make '%s'", path);
        if (fchmodat(host->state_dir, path, 0755, 0) < 0)
                return croft_error_set(err, errno, "change the mode of '%s'", path);
        if (renameat(host->state_dir, half, host->partitions_dir, name) < 0)
                return croft_error_set(err, errno, "rename '%s' to 'partitions/%s'", half, name);
        return 0;
}

/* Idempotent, and for files that are half made, or removed halfway. */
static int remove_files(void *context, const void *arg, struct croft_error *err)
{
        struct act *act = context;
        struct host *host = act->u->p.host;
        char half[64], name[32];

        (void)arg;
        act->undone = true;
        directory_name(act->u, name);
        half_name(act->u, half);
        if (renameat(host->partitions_dir, name, host->state_dir, half) < 0 && errno != ENOENT) {
                /* Something half removed lies there already: away with that first. */
                int r = fd_remove_tree(host->state_dir, half, err);

                if (r < 0)
                        return r;
                if (renameat(host->partitions_dir, name, host->state_dir, half) < 0 && errno != ENOENT)
                        return croft_error_set(err, errno, "rename 'partitions/%s' to '%s'", name, half);
        }
        return fd_remove_tree(host->state_dir, half, err);
}

/* The definition counts as a user of the image by now: if the image is there, it stays. */
static int check_image(void *context, const void *arg, struct croft_error *err)
{
        struct act *act = context;
        int fd;

        (void)arg;
        fd = image_open_root(act->u->p.host->images, act->u->p.def.image, err);
        if (fd < 0)
                return fd;
        close_fd(fd);
        return 0;
}

int create_end(struct act *act, struct croft_error *err)
{
        struct unit *u = act->u;

        return act->undone ? store_forget(u->life->store, u->p.def.id, err)
                           : store_create_done(u->life->store, u->p.def.id, err);
}

/* What its image brings is known before it asks for anything (KXT-7).  A native partition stores nothing yet, and what
 * can't be scanned can be a partition all the same. */
static int scan_new(void *context, const void *arg, struct croft_error *err)
{
        static const struct unit_scan_wish wish = {KEXT_SCAN_CREATE, false, -EBADF};
        _cleanup_(life_scan_done) struct life_scan scan = {.n = 0};
        struct croft_error own = CROFT_ERROR_INIT;
        struct act *act = context;
        char line[CROFT_ERROR_TEXT_MAX];
        int r;

        (void)arg;
        (void)err;
        r = act->u->p.def.native ? unit_scan_nothing(act->u, &own) : unit_scan(act->u, &wish, &scan, &own);
        if (r < 0) {
                croft_error_prefix(&own, "scan it for kernel extensions");
                errors_note_partition(&act->u->p, croft_error_line(&own, line, sizeof(line)));
        }
        return 0;
}

static const struct step create_steps[] = {
        {.name = "image", .act = check_image},
        {.name = "files", .act = make_files, .undo = remove_files},
        {.name = "scan", .act = scan_new},
};
const struct operation op_create = {
        .name = "create", .policy = STEPS_UNDO, .steps = create_steps, .n_steps = ELEMENTS(create_steps)};

static void say_progress(void *context, const char *text)
{
        struct unit *u = context;

        unit_event(u, "progress", text);
}

/* The unit is in the table already: whoever looks for an id or an image holds the one lock, who shows it the other. */
static void complete_definition(struct unit *u, const struct partition_def *def)
{
        (void)pthread_mutex_lock(&u->life->lock);
        (void)pthread_mutex_lock(&u->p.lock);
        u->p.def.id = def->id;
        u->p.def.uid_base = def->uid_base;
        u->p.def.native = def->native;
        (void)str_copy(u->p.def.image, sizeof(u->p.def.image), def->image);
        (void)pthread_mutex_unlock(&u->p.lock);
        (void)pthread_mutex_unlock(&u->life->lock);
}

static int choose_image(struct unit *u, const char *image, struct croft_error *err)
{
        struct image_store *images = u->life->host->images;
        struct partition_def def;
        struct image_info info;
        int r;

        if (image)
                r = image_find(images, image, &info, err);
        else
                r = image_native(images, say_progress, u, &info, err);
        if (r < 0)
                return r;
        def = u->p.def;
        (void)str_copy(def.image, sizeof(def.image), info.id);
        def.native = info.native;
        complete_definition(u, &def);
        return 0;
}

static int create_unit(struct unit *u, const char *image, struct croft_error *err)
{
        struct act act = {.u = u, .end = create_end};
        struct operation op = life_operation("create");
        struct partition_def def;
        int r;

        r = choose_image(u, image, err);
        if (r < 0)
                return r;
        def = u->p.def;
        r = store_create(u->life->store, &def, err);
        if (r < 0)
                return r;
        complete_definition(u, &def);
        return act_run(&act, &op, err);
}

static int check_name(const char *name, struct croft_error *err)
{
        char escaped[256];

        if (!str_is_name(name))
                return croft_error_set(err, EINVAL, "'%s' is no name for a partition; give %s.",
                        str_escape(escaped, sizeof(escaped), name, strlen(name)), STR_NAME_RULE);
        if (strcmp(name, "global") == 0)
                return croft_error_set(err, EINVAL, "'global' means this machine, not a partition; give another name.");
        return 0;
}

int life_create(struct life *life, const char *name, const char *image, const struct property *properties,
        struct croft_error *err)
{
        _cleanup_(unit_unrefp) struct unit *u = NULL;
        struct partition_def def = {.created = (int64_t)time(NULL)};
        struct pool_user user;
        struct croft_error own = CROFT_ERROR_INIT;
        bool ok;
        int r;

        r = check_name(name, err);
        if (r < 0)
                return r;
        (void)str_copy(def.name, sizeof(def.name), name);
        def.properties = property_copy(properties, &ok);
        u = ok ? unit_new(life, &def) : NULL;
        if (!u) {
                partition_def_done(&def);
                return croft_error_set(err, ENOMEM, "create '%s'", name);
        }
        u->p.operation = "create";
        r = life_insert(life, u, err);
        if (r < 0)
                return r;
        (void)pthread_mutex_lock(&life->pools_lock);
        user = pool_user_of(u->p.def.name, u->p.def.properties, false);
        r = life_pool_check(life, &user, &own); /* it is in the table by now: its pool stays */
        (void)pthread_mutex_unlock(&life->pools_lock);
        if (r == 0)
                r = create_unit(u, image, &own);
        if (r < 0) {
                croft_error_prefix(&own, "create '%s'", name);
                croft_error_copy(err, &own);
                life_delist(life, u);
        }
        return life_end(u, PARTITION_DEFINED, r, &own);
}

/* --- remove --- */

int remove_end(struct act *act, struct croft_error *err)
{
        return store_forget(act->u->life->store, act->u->p.def.id, err);
}

static const struct step remove_steps[] = {
        {.name = "files", .act = remove_files},
};
const struct operation op_remove = {
        .name = "remove", .policy = STEPS_FINISH, .steps = remove_steps, .n_steps = ELEMENTS(remove_steps)};

int life_remove(struct life *life, const char *name, bool force, struct croft_error *err)
{
        _cleanup_(unit_unrefp) struct unit *u = NULL;
        struct croft_error own = CROFT_ERROR_INIT;
        struct operation op = life_operation("remove");
        enum partition_state state;
        struct act act;
        int r;

        r = life_begin(life, name, force ? LIFE_FORCED_REMOVE : LIFE_REMOVE, &u, err);
        if (r < 0)
                return r;
        state = u->p.state;
        if (state != PARTITION_DEFINED)
                r = unit_stop(u, 0, true, &state, &own);
        act = (struct act){.u = u, .end = remove_end};
        if (r == 0) {
                r = act_run(&act, &op, &own);
                state = r < 0 ? PARTITION_BROKEN : PARTITION_DEFINED;
        }
        if (r == 0) {
                life_delist(life, u);
                errors_forget(u);
        } else {
                croft_error_prefix(&own, "remove '%s'", name);
                croft_error_copy(err, &own);
        }
        return life_end(u, state, r, &own);
}

/* --- set --- */

/* Hands every live property of the list that differs from the other one to the facets. */
static int apply_differences(
        struct unit *u, const struct property *from, const struct property *to, struct croft_error *err)
{
        for (const struct property *lists[2] = {to, from}, **list = lists; list < lists + 2; list++)
                for (const struct property *property = *list; property; property = property->next) {
                        const char *old = property_get(from, property->key), *new = property_get(to, property->key);
                        const struct property_info *info = property_find(property->key);

                        if (!info || !info->live || (old && new &&strcmp(old, new) == 0) || (!old && !new))
                                continue;
                        for (size_t i = 0; i < n_facets; i++) {
                                int r = facets[i]->apply ? facets[i]->apply(&u->p, property->key, old, new, err) : 0;

                                if (r < 0)
                                        return r;
                        }
                }
        return 0;
}

static int apply_new(void *context, const void *arg, struct croft_error *err)
{
        struct act *act = context;

        (void)arg;
        return apply_differences(act->u, act->u->p.def.properties, act->properties, err);
}

/* A limit that isn't there can't be lifted. */
static bool was_never_set(int r)
{
        return r == -EOPNOTSUPP || r == -EINVAL || r == -ENOENT || r == -ENODEV;
}

/* What is in force for more than the moment: limits, devices, and what is granted. */
static bool lifts(const struct property_info *info)
{
        return info->cgroup_key || strcmp(info->key, "devices") == 0 || strcmp(info->key, "kexts") == 0;
}

/* What the definition says rules again.  After a crash the new list is gone, and so is the knowledge of what was
 * applied: then everything that is set is applied, and what isn't set is lifted. */
static int apply_old(void *context, const void *arg, struct croft_error *err)
{
        struct act *act = context;
        struct partition *p = &act->u->p;
        int first = 0;

        (void)arg;
        act->undone = true;
        if (p->state == PARTITION_DEFINED)
                return 0;
        for (const struct property_info *info = property_table; info->key; info++)
                for (size_t i = 0; lifts(info) && i < n_facets; i++) {
                        const char *value = property_get(p->def.properties, info->key);
                        const char *new = property_get(act->properties, info->key);
                        int r = facets[i]->apply ? facets[i]->apply(p, info->key, new, value, err) : 0;

                        if (r < 0 && (value || !was_never_set(r)) && first == 0)
                                first = r;
                }
        return first;
}

/* --- the CPUs: pool and cpu.set make one list, written at once --- */

static int move_to_new(void *context, const void *arg, struct croft_error *err)
{
        struct act *act = context;

        (void)arg;
        return act->moves && act->u->placed ? life_pool_move(act->u, act->properties, false, err) : 0;
}

/* After a crash it isn't known whether it was moved: then it is moved where it belongs in any case. */
static int move_to_old(void *context, const void *arg, struct croft_error *err)
{
        struct act *act = context;
        bool had_moved = act->properties ? act->moves && act->u->placed : act->u->p.state != PARTITION_DEFINED;

        (void)arg;
        act->undone = true;
        return had_moved ? life_pool_move(act->u, act->u->p.def.properties, true, err) : 0;
}

static int publish_new(void *context, const void *arg, struct croft_error *err)
{
        struct act *act = context;

        (void)arg;
        if (!act->moves || !act->u->placed)
                return 0;
        return life_pool_publish(act->u->life, &act->u->life->pools, act->u, act->properties, err);
}

/* A dead croftd's is put right by life_pools_settle(), when all partitions are known. */
static int publish_old(void *context, const void *arg, struct croft_error *err)
{
        struct act *act = context;

        (void)arg;
        act->undone = true;
        if (!act->moves || !act->u->placed)
                return 0;
        return life_pool_publish(act->u->life, &act->u->life->pools, NULL, NULL, err);
}

int set_end(struct act *act, struct croft_error *err)
{
        struct unit *u = act->u;

        return store_end_with_properties(
                u->life->store, u->p.def.id, act->undone ? u->p.def.properties : act->properties, err);
}

static const struct step set_steps[] = {
        {.name = "apply", .act = apply_new, .undo = apply_old},
        {.name = "cpus", .act = move_to_new, .undo = move_to_old},
        {.name = "statistics", .act = publish_new, .undo = publish_old},
};
const struct operation op_set = {
        .name = "set", .policy = STEPS_UNDO, .steps = set_steps, .n_steps = ELEMENTS(set_steps)};
/* The same without the limits. */
const struct operation op_bind = {
        .name = "bind", .policy = STEPS_UNDO, .steps = set_steps + 1, .n_steps = ELEMENTS(set_steps) - 1};

/* The list as it will be: a copy of what is set, with the changes. */
static int merge(struct unit *u, const struct property *changes, struct property **ret, struct croft_error *err)
{
        struct property *list;
        bool ok;

        list = property_copy(u->p.def.properties, &ok);
        if (!ok)
                return croft_error_set(err, ENOMEM, "set properties");
        for (; changes; changes = changes->next) {
                int r = property_set(&list, changes->key, changes->value, err);

                if (r == 0 && strcmp(changes->key, "net") == 0 && u->p.state != PARTITION_DEFINED)
                        r = croft_error_set(err, EBUSY, "net can be changed while the partition is stopped only.");
                if (r < 0) {
                        property_free(list);
                        return r;
                }
        }
        *ret = list;
        return 0;
}

static int set_merged(
        struct unit *u, enum life_action action, const struct property *list, bool moves, struct croft_error *err)
{
        struct act act = {.u = u, .properties = list, .moves = moves, .end = set_end};
        struct operation op = life_operation(life_action_name(action));
        struct pool_user user = pool_user_of(u->p.def.name, list, u->placed);
        int r = moves ? life_pool_check(u->life, &user, err) : 0;

        if (r < 0)
                return r;
        if (u->p.state == PARTITION_DEFINED || u->p.state == PARTITION_BROKEN)
                return store_set_properties(u->life->store, u->p.def.id, list, err);
        return act_run(&act, &op, err);
}

/* By the owner. */
static int change_properties(
        struct unit *u, enum life_action action, const struct property *properties, bool moves, struct croft_error *err)
{
        struct property *list = NULL, *old = NULL;
        int r;

        r = merge(u, properties, &list, err);
        if (r == 0)
                r = set_merged(u, action, list, moves, err);
        (void)pthread_mutex_lock(&u->p.lock);
        if (r == 0) {
                old = u->p.def.properties;
                u->p.def.properties = TAKE(list);
        }
        (void)pthread_mutex_unlock(&u->p.lock);
        property_free(list);
        property_free(old);
        return r;
}

static bool names_cpus(const struct property *properties)
{
        for (; properties; properties = properties->next)
                if (strcmp(properties->key, "pool") == 0 || strcmp(properties->key, "cpu.set") == 0)
                        return true;
        return false;
}

static int set(struct life *life, const char *name, enum life_action action, const struct property *properties,
        struct croft_error *err)
{
        _cleanup_(unit_unrefp) struct unit *u = NULL;
        struct croft_error own = CROFT_ERROR_INIT;
        bool moves = names_cpus(properties);
        int r;

        r = life_begin(life, name, action, &u, err);
        if (r < 0)
                return r;
        if (moves)
                (void)pthread_mutex_lock(&life->pools_lock);
        r = change_properties(u, action, properties, moves, &own);
        if (moves)
                (void)pthread_mutex_unlock(&life->pools_lock);
        if (r < 0) {
                if (action == LIFE_BIND) /* each a format of its own, so that it can be translated */
                        croft_error_prefix(&own, "bind '%s'", name);
                else
                        croft_error_prefix(&own, "set '%s'", name);
                croft_error_copy(err, &own);
        } else {
                life_autoload_follow(u); /* `kexts` */
        }
        return life_end(u, u->p.state, r, &own);
}

int life_set(struct life *life, const char *name, const struct property *properties, struct croft_error *err)
{
        return set(life, name, LIFE_SET, properties, err);
}

int life_bind(struct life *life, const char *name, const char *pool, struct croft_error *err)
{
        struct property *list = NULL;
        int r;

        if (!*pool)
                return croft_error_set(err, EINVAL, "the name of the pool is missing.");
        r = property_set(&list, "pool", pool, err);
        if (r < 0)
                return r;
        r = set(life, name, LIFE_BIND, list, err);
        property_free(list);
        return r;
}

/* --- rename --- */

static int rename_unit(struct unit *u, const char *new_name, struct croft_error *err)
{
        struct life *life = u->life;
        struct unit **place;
        int r;

        r = store_rename(life->store, u->p.def.id, new_name, err);
        if (r < 0)
                return r;
        (void)pthread_mutex_lock(&life->lock);
        (void)pthread_mutex_lock(&u->p.lock);
        for (place = &life->units; *place != u; place = &(*place)->next)
                ;
        *place = u->next;
        (void)str_copy(u->p.def.name, sizeof(u->p.def.name), new_name);
        for (place = &life->units; *place && strcmp((*place)->p.def.name, new_name) < 0; place = &(*place)->next)
                ;
        u->next = *place;
        *place = u;
        (void)pthread_mutex_unlock(&u->p.lock);
        (void)pthread_mutex_unlock(&life->lock);
        return 0;
}

int life_rename(struct life *life, const char *name, const char *new_name, struct croft_error *err)
{
        _cleanup_(unit_unrefp) struct unit *u = NULL;
        struct croft_error own = CROFT_ERROR_INIT;
        char text[160];
        int r;

        r = check_name(new_name, err);
        if (r < 0)
                return r;
        r = life_begin(life, name, LIFE_RENAME, &u, err);
        if (r < 0)
                return r;
        r = rename_unit(u, new_name, &own);
        if (r < 0) {
                croft_error_prefix(&own, "rename '%s'", name);
                croft_error_copy(err, &own);
        } else {
                unit_kext_tell(u); /* stanzas of kexts(5) may name it, or have named it */
                life_autoload_follow(u);
        }
        r = life_end(u, u->p.state, r, &own);
        (void)snprintf(text, sizeof(text), "renamed from '%s'", name);
        if (r == 0) {
                unit_event(u, "state", text);
                errors_rename(u);
        }
        return r;
}
