/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fdstore.c - copies of descriptors in systemd's descriptor store.  See fdstore.h and sd_pid_notify_with_fds(3).
 *
 * Names are "<id>.<role>".  The store is a help, not a need: failures are ignored, a console is made anew then.
 */
#include "daemon/fdstore.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/str.h"
#include "daemon/life_private.h"
#include "kernel/notify.h"

#include <string.h>
#include <systemd/sd-daemon.h>

#define LISTENER_PREFIX "listener."

static struct kept {
        char name[48];
        int fd;
} * kept;
static size_t n_kept;

static void name_of(uint64_t id, const char *role, char name[48])
{
        (void)snprintf(name, 48, "%ju.%s", (uintmax_t)id, role);
}

void fdstore_open(void)
{
        char **names = NULL;
        int n = sd_listen_fds_with_names(1, &names);

        if (n > 0)
                kept = calloc((size_t)n, sizeof(*kept));
        for (int i = 0; i < n; i++) {
                if (!kept || !str_copy(kept[n_kept].name, sizeof(kept[0].name), names[i])) {
                        close_fd(SD_LISTEN_FDS_START + i);
                        continue;
                }
                kept[n_kept++].fd = SD_LISTEN_FDS_START + i;
        }
        strv_free(names);
}

int fdstore_take(uint64_t id, const char *role)
{
        char name[48];

        name_of(id, role, name);
        for (size_t i = 0; i < n_kept; i++)
                if (strcmp(kept[i].name, name) == 0 && kept[i].fd >= 0)
                        return TAKE_FD(kept[i].fd);
        return -EBADF;
}

void fdstore_close(void)
{
        for (size_t i = 0; i < n_kept; i++)
                close_fd(kept[i].fd);
        free(TAKE(kept));
        n_kept = 0;
}

static void each(struct unit *u, void (*f)(const char *name, int fd))
{
        const struct {
                const char *role;
                int fd;
        } fds[] = {{"console", u->p.run.console}, {"listen", u->p.run.listen}, {"log", u->p.run.log},
                {"notify-area", u->p.run.notify_area}, {"fuse", u->p.run.fuse}, {"fuse-memory", u->p.run.fuse_memory},
                {"dev", u->p.run.dev}};
        char name[48];

        if (!getenv("NOTIFY_SOCKET"))
                return;
        for (size_t i = 0; i < ELEMENTS(fds); i++) {
                name_of(u->p.def.id, fds[i].role, name);
                f(name, fds[i].fd);
        }
}

/* poll: systemd drops it by itself when there is nobody at the other end any more. */
static void store(const char *name, int fd, bool poll)
{
        char message[96];

        (void)snprintf(message, sizeof(message), "FDSTOREREMOVE=1\nFDNAME=%s", name);
        (void)sd_notify(0, message); /* one of an earlier run */
        (void)snprintf(message, sizeof(message), "FDSTORE=1\nFDPOLL=%d\nFDNAME=%s", poll, name);
        if (fd >= 0)
                (void)sd_pid_notify_with_fds(0, 0, message, &fd, 1);
}

static void store_one(const char *name, int fd)
{
        store(name, fd, false);
}

static void remove_one(const char *name, int fd)
{
        char message[96];

        (void)fd;
        (void)snprintf(message, sizeof(message), "FDSTOREREMOVE=1\nFDNAME=%s", name);
        (void)sd_notify(0, message);
}

static void each_listener(struct unit *u, void (*f)(const char *name, int fd))
{
        char name[48], role[24];

        if (!getenv("NOTIFY_SOCKET"))
                return;
        (void)pthread_mutex_lock(&u->p.lock); /* sessions add theirs; what is sent waits for nobody */
        for (uint32_t i = 0; i < u->p.run.listeners.n; i++) {
                (void)snprintf(role, sizeof(role), LISTENER_PREFIX "%u", u->p.run.listeners.list[i].number);
                name_of(u->p.def.id, role, name);
                f(name, u->p.run.listeners.list[i].fd);
        }
        (void)pthread_mutex_unlock(&u->p.lock);
}

static void store_listener(const char *name, int fd)
{
        store(name, fd, true);
}

void fdstore_push(struct unit *u)
{
        each(u, store_one);
        each_listener(u, store_listener);
}

void fdstore_remove_listeners(struct unit *u)
{
        each_listener(u, remove_one);
}

void fdstore_drop(struct unit *u, const char *role)
{
        char name[48];

        close_fd(fdstore_take(u->p.def.id, role));
        if (!getenv("NOTIFY_SOCKET"))
                return;
        name_of(u->p.def.id, role, name);
        remove_one(name, -EBADF);
}

void fdstore_remove(struct unit *u)
{
        each(u, remove_one);
        fdstore_remove_listeners(u);
}

void fdstore_push_listener(struct unit *u, uint32_t number, int fd)
{
        char name[48], role[24];

        (void)snprintf(role, sizeof(role), LISTENER_PREFIX "%u", number);
        name_of(u->p.def.id, role, name);
        if (getenv("NOTIFY_SOCKET"))
                store_listener(name, fd);
}

void fdstore_take_listeners(struct unit *u)
{
        char prefix[48];

        name_of(u->p.def.id, LISTENER_PREFIX, prefix);
        for (size_t i = 0; i < n_kept; i++) {
                uint64_t number;

                if (kept[i].fd < 0 || !str_has_prefix(kept[i].name, prefix) ||
                        !str_to_u64(kept[i].name + strlen(prefix), UINT32_MAX, &number) || number == 0)
                        continue;
                if (notify_is_listener(kept[i].fd))
                        (void)listeners_add(&u->p.run.listeners, (uint32_t)number, TAKE_FD(kept[i].fd), NULL);
        }
}
