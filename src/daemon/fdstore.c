/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fdstore.c - copies of descriptors in systemd's descriptor store.  See fdstore.h and sd_pid_notify_with_fds(3).
 *
 * Names are "<id>.<role>".  The store is a help, not a need: failures are ignored, a console is made anew then.
 */
#include "daemon/fdstore.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "daemon/life_private.h"

#include <string.h>
#include <systemd/sd-daemon.h>

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
        } fds[] = {{"console", u->p.run.console}, {"listen", u->p.run.listen}, {"log", u->p.run.log}};
        char name[48];

        if (!getenv("NOTIFY_SOCKET"))
                return;
        for (size_t i = 0; i < ELEMENTS(fds); i++) {
                name_of(u->p.def.id, fds[i].role, name);
                f(name, fds[i].fd);
        }
}

static void store_one(const char *name, int fd)
{
        char message[96];

        (void)snprintf(message, sizeof(message), "FDSTOREREMOVE=1\nFDNAME=%s", name);
        (void)sd_notify(0, message); /* one of an earlier run */
        (void)snprintf(message, sizeof(message), "FDSTORE=1\nFDPOLL=0\nFDNAME=%s", name);
        if (fd >= 0)
                (void)sd_pid_notify_with_fds(0, 0, message, &fd, 1);
}

static void remove_one(const char *name, int fd)
{
        char message[96];

        (void)fd;
        (void)snprintf(message, sizeof(message), "FDSTOREREMOVE=1\nFDNAME=%s", name);
        (void)sd_notify(0, message);
}

void fdstore_push(struct unit *u)
{
        each(u, store_one);
}

void fdstore_remove(struct unit *u)
{
        each(u, remove_one);
}
