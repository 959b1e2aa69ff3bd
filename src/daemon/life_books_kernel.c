/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * life_books_kernel.c - see life_books_kernel.h.
 */
#include "daemon/life_books_kernel.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "devid/devid.h"
#include "kernel/module.h"
#include "plane/plane.h"

#include <fcntl.h>
#include <string.h>

_Static_assert(CGROUP_HIERARCHIES_MAX < BPF_PAYERS_MAX, "and the unified one");

bool books_kernel_has(struct life *life, const struct kext_loaded *l)
{
        enum module_state state;
        enum bpf_instance found;

        if (l->partition > 0) {
                if (!life->host->plane)
                        return false;
                found = bpf_find(plane_directory(life->host->plane), l->partition, l->name);
                return l->state == KEXT_LOADED ? found == BPF_WHOLE : found != BPF_ABSENT;
        }
        state = module_find(l->name);
        return state == MODULE_LIVE || state == MODULE_CHANGING;
}

bool books_kernel_is_same(const struct kext_identity *wanted)
{
        struct module_versions found;
        bool build_ids, versions;

        module_look(wanted->name, &found);
        build_ids = found.build_id[0] && wanted->build_id[0];
        versions = found.srcversion[0] && wanted->srcversion[0];
        if (build_ids && strcmp(found.build_id, wanted->build_id) != 0)
                return false;
        return build_ids || (versions && strcmp(found.srcversion, wanted->srcversion) == 0);
}

/* One that was registered when its plain bytes weren't kept, or whose are too many: then the kernel has to unpack it.
 */
static int flags_of(int bytes)
{
        static const struct {
                const char *magic;
                size_t size;
        } packed[] = {{"\x1f\x8b", 2},
                {"\xfd"
                 "7zXZ",
                        5},
                {"\x28\xb5\x2f\xfd", 4}};
        char head[8] = "";

        if (pread(bytes, head, sizeof(head), 0) < 0)
                return 0;
        for (size_t i = 0; i < ELEMENTS(packed); i++)
                if (memcmp(head, packed[i].magic, packed[i].size) == 0)
                        return MODULE_COMPRESSED;
        return 0;
}

/* On the stack of who takes it out. */
struct books_leaving {
        const char *name;
        struct books_leaving *next;
};

bool books_kernel_is_at(const struct life *life, const char *name, const struct kext_loaded *loaded)
{
        for (const struct books_leaving *l = life->books_leaving; l; l = l->next)
                if (strcmp(l->name, name) == 0)
                        return true;
        return loaded && loaded->state == KEXT_LOADING && life->books_loading > 0;
}

int books_kernel_load(struct unit *u, int bytes, const char *parameters, struct croft_error *err)
{
        struct life *life = u->life;
        int r;

        life->books_loading++;
        life->books_loads++;
        (void)pthread_mutex_unlock(&life->books_lock);
        if (life->host->autoload)
                autoload_loading(life->host->autoload, u->p.def.id);
        r = module_load(bytes, parameters, flags_of(bytes), err);
        if (life->host->autoload)
                autoload_loaded(life->host->autoload);
        (void)pthread_mutex_lock(&life->books_lock);
        life->books_loading--;
        return r;
}

int books_kernel_load_with_majors(
        struct unit *u, int bytes, const char *parameters, struct book_majors *ret, struct croft_error *err)
{
        struct life *life = u->life;
        _cleanup_free_ char *before = NULL, *after = NULL;
        int r = devid_drivers(&before, err);

        if (r < 0)
                return r;
        life->books_majors = true;
        r = books_kernel_load(u, bytes, parameters, err);
        life->books_majors = false;
        if (r == 0 && devid_drivers(&after, NULL) == 0) /* else it isn't known */
                ret->n = devid_majors_added(before, after, ret->list, DEVID_BROUGHT_MAX);
        if (ret->n > DEVID_BROUGHT_MAX)
                ret->n = DEVID_BROUGHT_MAX;
        return r;
}

int books_kernel_take_majors(
        struct life *life, const struct book_majors *majors, char text[KEXT_MAJORS_MAX + 1], struct croft_error *err)
{
        devid_majors_write(majors->list, majors->n, text, KEXT_MAJORS_MAX + 1);
        if (majors->n == 0 || !life->host->devid)
                return 0;
        return devid_majors_came(life->host->devid, majors->list, majors->n, err);
}

static int take_out(struct life *life, const char *name)
{
        struct books_leaving own = {name, life->books_leaving}, **at;
        int r;

        life->books_leaving = &own;
        (void)pthread_mutex_unlock(&life->books_lock);
        r = module_unload(name);
        (void)pthread_mutex_lock(&life->books_lock);
        for (at = &life->books_leaving; *at != &own;)
                at = &(*at)->next;
        *at = own.next;
        (void)pthread_cond_broadcast(&life->books_turned); /* who waits looks when the lock is free again */
        return r;
}

int books_kernel_payers(struct unit *u, struct bpf_payers *ret, struct croft_error *err)
{
        struct cgroup_tree *tree = u->life->host->cgroups;
        _cleanup_close_ int cgroup = cgroup_open_exec(tree, u->p.def.id, u->p.def.uid_base, err);
        struct bpf_payers payers = {.n = 0};
        int r = cgroup < 0 ? cgroup : cgroup_open_v1(tree, u->p.def.id, payers.fds, &payers.n, err);

        if (r < 0)
                return r;
        payers.fds[payers.n] = openat(cgroup, "cgroup.procs", O_WRONLY | O_CLOEXEC);
        if (payers.fds[payers.n] < 0) {
                r = croft_error_set(err, errno, "open 'cgroup.procs'");
                bpf_payers_done(&payers);
                return r;
        }
        payers.n++;
        *ret = payers;
        return 0;
}

int books_kernel_attach(struct unit *u, const char *name, const struct bpf_programs *programs, struct croft_error *err)
{
        const struct host *host = u->life->host;
        _cleanup_close_ int cgroup = cgroup_open(host->cgroups, u->p.def.id, err);

        return cgroup < 0 ? cgroup : bpf_attach(plane_directory(host->plane), u->p.def.id, name, cgroup, programs, err);
}

int books_kernel_unload(struct life *life, const struct kext_loaded *l)
{
        if (l->partition == 0)
                return take_out(life, l->name);
        return life->host->plane ? bpf_detach(plane_directory(life->host->plane), l->partition, l->name, NULL) : 0;
}

/* While they are looked at. */
struct sweeping {
        struct life *life;
        const struct kext_books *books;
};

static void sweep_one(void *context, uint64_t partition, const char *name)
{
        const struct sweeping *s = context;
        struct croft_error err = CROFT_ERROR_INIT;

        if (kext_books_loaded(s->books, name, partition))
                return;
        log_say(LOG_LEVEL_NOTICE, "an instance of extension '%s' that no partition holds is taken away", name);
        if (bpf_detach(plane_directory(s->life->host->plane), partition, name, &err) < 0)
                log_error(LOG_LEVEL_WARNING, &err, "an instance of extension '%s' stays", name);
}

void books_kernel_sweep(struct life *life, const struct kext_books *books)
{
        struct sweeping sweeping = {life, books};

        if (life->host->plane)
                bpf_each(plane_directory(life->host->plane), sweep_one, &sweeping);
}
