/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * life.h - the life cycle of partitions: every operation that an administrator can ask for, safe against concurrency
 * and kill -9.
 *
 * All functions are called from any thread and block until done.  Operations on one partition are serial: a second one
 * is refused at once with -EBUSY and "'web' is being stopped".  A name resolves at the time of the call; -ENOENT "no
 * partition 'web'" for an unknown one.
 */
#ifndef CROFT_DAEMON_LIFE_H
#define CROFT_DAEMON_LIFE_H

#include "devid/export.h"
#include "devid/exports.bpf.h"
#include "kext/kext.h"
#include "partition/partition.h"
#include "partition/pool.h"
#include "partition/property.h"

#include <croft/error.h>
#include <stdbool.h>
#include <stddef.h>

struct life;
struct host;
struct store;

/* Takes over what the state directory and the kernel hold: settles interrupted operations, re-adopts running
 * partitions, reaps dead ones.  Each thing settled becomes a notice.
 * host and store are borrowed. */
int life_open(struct host *host, struct store *store, struct life **ret, struct croft_error *err);
/* Lets go; partitions run on. */
struct life *life_free(struct life *life);
/* Serves wardens: to be called from the main loop when life_fd() (an epoll descriptor) is readable. */
int life_fd(const struct life *life);
void life_dispatch(struct life *life);
/* What the administrator has written may have changed: devices are exported as devexports(5) lists them now, and
 * extensions granted as kexts(5) says now. */
void life_reload(struct life *life);
/* To be called by the thread that got SIGCHLD, the main one: orphans are its children, croftd is a subreaper. */
void life_reap(struct life *life);
/* Every crash point of every operation, a line each, to standard output. */
void life_print_crash_points(void);
/* Partitions that aren't just Defined. */
size_t life_running(struct life *life);
/* Starts what is marked autostart, by start.order. */
void life_autostart(struct life *life);

/* A snapshot, copied; life_info_done() frees what it owns. */
struct life_info {
        struct partition_def def; /* properties: an own copy */
        enum partition_state state;
        const char *operation; /* static string or NULL */
        pid_t pid;             /* 0: none */
        pid_t warden;          /* its pid, 0: none */
        int64_t started;
        int64_t exit_status;       /* of the last init, as in warden_state */
        char last_error[512];      /* "" or why the last operation failed */
        struct cgroup_usage usage; /* all zero when not loaded */
};
void life_info_done(struct life_info *info);
int life_get(struct life *life, const char *name, struct life_info *ret, struct croft_error *err);
/* All, sorted by name; the caller ends each and frees the array. */
int life_list(struct life *life, struct life_info **ret, size_t *ret_count, struct croft_error *err);

/* The figures of all, of the machine and of croftd (stats.h), but for what only the API knows; the caller ends *ret
 * with stats_free(). */
struct stats;
int life_stats(struct life *life, struct stats **ret, struct croft_error *err);

/* Empties the partition's record of errors; NULL: global's. */
int life_errors_clear(struct life *life, const char *name, struct croft_error *err);

/* Puts what concerns no partition into global's record. */
void life_errors_add(struct life *life, const struct croft_error *what);

/* image: NULL for a native partition.  properties are borrowed and already checked (property_set()). */
int life_create(struct life *life, const char *name, const char *image, const struct property *properties,
        struct croft_error *err);
int life_remove(struct life *life, const char *name, bool force, struct croft_error *err); /* force: stops it first */
int life_load(struct life *life, const char *name, struct croft_error *err);               /* phase 1 only */
int life_start(
        struct life *life, const char *name, struct croft_error *err); /* both phases, or phase 2 of a loaded one */
/* timeout_ms: how long init may take after SIGRTMIN+3/SIGPWR/SIGTERM before cgroup.kill; 0: stop.timeout.  force: kill
 * at once, and repair Broken. */
int life_stop(struct life *life, const char *name, unsigned int timeout_ms, bool force, struct croft_error *err);
int life_restart(struct life *life, const char *name, unsigned int timeout_ms, bool force, struct croft_error *err);
int life_kill(struct life *life, const char *name, int signal,
        struct croft_error *err); /* signal to init; SIGKILL ends all at once */
int life_freeze(struct life *life, const char *name, struct croft_error *err);
int life_thaw(struct life *life, const char *name, struct croft_error *err);
/* Checks all first, then applies all or none. An empty value unsets. */
int life_set(struct life *life, const char *name, const struct property *properties, struct croft_error *err);
int life_rename(struct life *life, const char *name, const char *new_name, struct croft_error *err);

/* Pools of CPUs, see partition/pool.h.  Errors as there; all is done or nothing. */
struct life_pool_info {
        char name[NAME_LENGTH_MAX + 1];
        struct cpus cpus, online;
        char **partitions; /* bound to it, sorted */
};
void life_pool_info_done(struct life_pool_info *info);
/* All, default among them, sorted by name; the caller ends each and frees the array. */
int life_pool_list(struct life *life, struct life_pool_info **ret, size_t *ret_n, struct croft_error *err);
int life_pool_get(struct life *life, const char *name, struct life_pool_info *ret, struct croft_error *err);
/* cpus: a list, "": none (yet).  Partitions that lose or get CPUs by it are moved at once, while they run. */
int life_pool_create(struct life *life, const char *name, const char *cpus, struct croft_error *err);
int life_pool_set(struct life *life, const char *name, const char *cpus, struct croft_error *err);
int life_pool_remove(struct life *life, const char *name, struct croft_error *err);
/* Moves all its tasks, or none, while it runs. */
int life_bind(struct life *life, const char *name, const char *pool, struct croft_error *err);

/* Devices of the host for a running partition; errors as devid/export.h. */
struct life_device {
        char partition[NAME_LENGTH_MAX + 1];
        struct devid_export export;
};
int life_device_add(
        struct life *life, const char *name, const struct devid_export_request *request, struct croft_error *err);
/* what: its name inside, or a CDI device's. */
int life_device_remove(struct life *life, const char *name, const char *what, struct croft_error *err);
/* Of that partition (NULL: of all), sorted; the caller frees *ret. */
int life_device_list(
        struct life *life, const char *name, struct life_device **ret, size_t *ret_n, struct croft_error *err);

/* Kernel extensions (kext/kext.h) that global has registered: only what is, byte for byte, one of them is ever loaded
 * for a partition. */
struct kext_record;
struct life_kexts {
        struct kext_record *list;
        size_t n;
};
void life_kexts_done(struct life_kexts *list);
/* The CURRENT one of that name for the kernel of that vermagic; NULL.  It is in the list. */
const struct kext_record *life_kexts_current(const struct life_kexts *all, const char *name, const char *vermagic);
/* One of them: a file's path, the name of a module of the running kernel, or an installed package of Debian's. */
struct life_kext_source {
        const char *path, *module, *package;
};
/* Registers it, or all that it has, and what they need; those that are registered already stay as they are.  *ret: all
 * of them. */
int life_kext_register(
        struct life *life, const struct life_kext_source *source, struct life_kexts *ret, struct croft_error *err);
/* What the file is; *ret_known: it is registered, and *ret says all of that. */
int life_kext_identify(
        struct life *life, const char *path, struct kext_record *ret, bool *ret_known, struct croft_error *err);
/* All, sorted by name, kernel and generation. */
int life_kext_list(struct life *life, struct life_kexts *ret, struct croft_error *err);
/* what: the SHA-256, or 8 digits of it or more; or the name of a CURRENT one, for the running kernel first. */
int life_kext_get(struct life *life, const char *what, struct kext_record *ret, struct croft_error *err);
int life_kext_revoke(struct life *life, const char *what, struct kext_record *ret, struct croft_error *err);
int life_kext_supersede(struct life *life, const char *what, struct kext_record *ret, struct croft_error *err);

/* What a partition may be given; without a grant nothing.  They hold whether it runs or not, and go with it. */
struct kext_grant;
int life_kext_grants(
        struct life *life, const char *name, struct kext_grant **ret, size_t *ret_n, struct croft_error *err);
struct life_kext_wish {
        const char *extension;       /* a registered one, as in life_kext_get(), or ALL */
        const char *parameters;      /* as kext_parameters_check() takes them */
        bool local, previous, major; /* as in struct kext_grant */
};
/* One that is there for that name is replaced. */
int life_kext_grant(struct life *life, const char *name, const struct life_kext_wish *wish, struct croft_error *err);
int life_kext_ungrant(struct life *life, const char *name, const char *extension, struct croft_error *err);
/* Would the partition be given the file's bytes, with these parameters (as finit_module(2) takes them)?  Errors as
 * kext_judge(). */
int life_kext_check(struct life *life, const char *name, const char *path, const char *parameters,
        struct kext_record *ret, struct croft_error *err);

/* Loads one for a running partition, with what it needs, or takes it away from it: once for each load.  Errors as
 * kext_judge(), -EBUSY: another partition is in the way; -ENOENT: the partition hasn't got it. */
int life_kext_load(
        struct life *life, const char *name, const char *extension, const char *parameters, struct croft_error *err);
int life_kext_unload(struct life *life, const char *name, const char *extension, struct croft_error *err);
/* Takes one out of the kernel.  -EBUSY: partitions hold it, who are named; force: they lose it. */
int life_kext_take_away(struct life *life, const char *extension, bool force, struct croft_error *err);
/* Who holds what; the caller ends *ret with kext_books_done(). */
struct kext_books;
int life_kext_books(struct life *life, struct kext_books *ret, struct croft_error *err);
bool life_partition_name(struct life *life, uint64_t id, char name[NAME_LENGTH_MAX + 1]); /* false: it is gone */

/* What a partition stores that is called as modules are (KXT-7): what the last scan has found, and a new scan, which
 * takes KEXT_SCAN_SECONDS at most and says how far it is by events. */
struct life_scan {
        struct kext_scan_record record;
        struct kext_finding *list;
        size_t n;
};
void life_scan_done(struct life_scan *scan);
int life_scan_get(struct life *life, const char *name, struct life_scan *ret, struct croft_error *err);
/* When and why the last one of each partition was, by its id; the caller frees *ret. */
int life_scan_list(struct life *life, struct kext_scan_record **ret, size_t *ret_n, struct croft_error *err);
int life_scan_run(struct life *life, const char *name, struct life_scan *ret, struct croft_error *err);
/* Scans a running partition, and puts the current generation in the place of each file that is a superseded one; *ret:
 * a scan afterwards. */
int life_kext_sync(struct life *life, const char *name, struct life_scan *ret, struct croft_error *err);
/* Puts a copy of an extension that it is granted into a running partition; *ret: a scan afterwards.  -EEXIST: something
 * else is there; -EXDEV: it would be in another mount, as in what a native one shares with the host. */
struct life_kext_place {
        const char *extension; /* as in life_kext_get() */
        const char *path;      /* below its root; NULL: where it was registered from */
};
int life_kext_provide(struct life *life, const char *name, const struct life_kext_place *place, struct life_scan *ret,
        struct croft_error *err);
/* What is registered of the file with this SHA-256; matched: also of what a compressed one unpacks to.  false: nothing.
 */
bool life_kext_known(struct life *life, const char *sha256, struct kext_record *ret);
bool life_kext_matched(struct life *life, const char *sha256, struct kext_record *ret);

struct exec_spec;
/* Starts a session process that serves client (borrowed; duplicated to it) with croft/stream.h.  Returns when the
 * session has taken it over; *ret_pidfd (caller closes) tells when it is over. */
int life_exec(struct life *life, const char *name, struct exec_spec *spec, int client, int *ret_pidfd,
        struct croft_error *err);
/* Hands client to the warden's console. */
int life_console(struct life *life, const char *name, int client, struct croft_error *err);
/* A descriptor of the console log (croft_log ring, see partition/ring.h); the caller closes it. */
int life_log(struct life *life, const char *name, struct croft_error *err);

/* Events:
 * {"time":..,"type":"state|progress|extension|notice|image","partition":"web","id":3,"state":"Active","text":".."} as
 * one JSON line each.  A subscriber that doesn't read loses the oldest, and is told how many. */
struct life_events;
int life_subscribe(struct life *life, struct life_events **ret, struct croft_error *err);
/* Waits for the next line (new string, caller frees): 1, 0 on time-out, or a negative errno (-ESHUTDOWN: croftd ends).
 */
int life_event_next(struct life_events *events, unsigned int timeout_ms, char **ret);
struct life_events *life_unsubscribe(struct life_events *events);
/* Sends an event of an image being built or imported. */
void life_event(struct life *life, const char *type, const char *subject, const char *text);

/* The oldest notice not yet told ("the interrupted 'start' of 'web' was undone"), removed from the list; NULL: none.
 * Caller frees. */
char *life_notice(struct life *life);
/* For image_remove(): is a partition made of this image? */
bool life_image_in_use(void *life, const char *id);
/* Ends every wait with -ESHUTDOWN: croftd is about to end. */
void life_shutdown(struct life *life);

#endif
