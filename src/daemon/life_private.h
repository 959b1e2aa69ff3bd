/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * life_private.h - how the files of the life cycle see it.
 *
 * Locks, in this order: life.pools_lock (who runs on which CPUs, see life_pool.c), life.lock (the table of units,
 * names, sessions) and then partition.lock of a unit (state, operation, run, definition).  Neither of the latter two is
 * held while something blocks.  Who has set partition.operation owns the partition until life_end(): only he changes
 * it, and he may read it without the lock.
 */
#ifndef CROFT_DAEMON_LIFE_PRIVATE_H
#define CROFT_DAEMON_LIFE_PRIVATE_H

#include "base/steps.h"
#include "daemon/life.h"
#include "daemon/life_rules.h"
#include "daemon/packages_rules.h"
#include "daemon/pool_stats.h"
#include "daemon/refusal_rules.h"
#include "daemon/store.h"
#include "daemon/warden_spare.h"
#include "kext/autoload.h"
#include "kext/kexts.h"
#include "partition/facet.h"
#include "partition/host.h"

#include <stdatomic.h>

#define WARDEN_DEATHS_MAX 5 /* in WARDEN_DEATHS_S seconds; then the partition goes on without one */
#define WARDEN_DEATHS_S 10
#define REBOOTS_MAX 5 /* in REBOOTS_S seconds; then the partition stays stopped */
#define REBOOTS_S 10

/* The times of the newest events of a kind, to see when there are too many. */
struct rate {
        int64_t at_s[8];
        unsigned int next;
};

/* Whether a warden was told that calls about modules go to the broker (WARDEN_MODULES). */
enum told {
        TOLD_NOTHING, /* by us */
        TOLD_NO,
        TOLD_YES,
};

/* A partition and what croftd notes about it. */
struct unit {
        struct partition p; /* first: facets get &unit.p */
        struct life *life;
        struct unit *next;      /* by name */
        unsigned int refs;      /* life.lock */
        bool listed;            /* life.lock: in the table */
        bool queued;            /* queue_lock: a check is waiting for a worker */
        bool internal;          /* partition.lock: the operation is croftd's own and short, others wait for its end */
        bool yields;            /* partition.lock: and it ends at once when it is asked to */
        unsigned int entering;  /* partition.lock: sessions on their way in */
        bool stopped;           /* on purpose, in this boot: autostart leaves it alone */
        bool kept_off;          /* the CPU that PID 1 stays on until it is init: the thread that starts it */
        pthread_cond_t changed; /* with partition.lock: operation or entering has changed */
        struct warden_process broker;  /* partition.lock: pidfd -EBADF: there is none */
        struct module_wish *wish;      /* the owner's: heard from the broker, to be served */
        pthread_mutex_t shows_modules; /* over a look at what it has and telling of it; taken after books_lock, and
                                          before policy_lock and partition.lock */
        enum told told_modules;        /* partition.lock */
        bool placed;                   /* pools_lock: it has control groups, and the CPUs of its pool in them */
        struct rate deaths, reboots;
        struct kext_rate loads;         /* books_lock: of the kernel, for it */
        struct packages_watch packages; /* of the thread of life_packages.c */
        atomic_bool packages_wanted;    /* that one is to look at it */
        atomic_bool awaited;            /* the kernel waits for what it was made to look for */
        struct autoload_names names;    /* names_lock: what it may be made to look for */
        atomic_bool names_paused;       /* some aren't let go for a while */
        struct kext_rate requested;     /* the owner's: how often that was */
        char serving[AUTOLOAD_ALIAS];   /* names_lock: what is being loaded for it; "": nothing */
        int64_t served_ms;              /* names_lock: when that has changed last */
        bool names_withdrawn;           /* names_lock: it is being stopped, or stands still */
        bool refused;                   /* partition.lock: its warden has refused what isn't on record yet */
        char last_error[512];           /* partition.lock */
        char last_refusal[128];         /* partition.lock: on record already, in this attempt */
        struct refusals_own refusals;   /* refusals_lock */
};

/* The partition is its first member; facets of croftd get no other partitions. */
static inline struct unit *unit_of(struct partition *p)
{
        return (struct unit *)p;
}

/* A thread that does one thing whenever it was wanted since: life_follow.c. */
struct follower {
        struct life *life;
        void (*work)(struct life *life);
        bool lives;
        bool wanted;         /* life.queue_lock */
        pthread_cond_t wake; /* with that */
        pthread_t thread;
};

struct life {
        struct host *host;
        struct store *store;
        pthread_mutex_t lock;
        struct unit *units;
        int *sessions; /* pidfds of children that serve exec, to be reaped */
        size_t n_sessions;
        int epoll;
        struct events *events;
        /* pools of CPUs: life_pool.c */
        pthread_mutex_t pools_lock;
        struct pools pools;
        int uevents;
        struct follower cpus;
        struct follower disks;   /* block devices: life_disks.c */
        bool disks_told;         /* by it, of one */
        struct follower devices; /* those that partitions have: life_device.c */
        atomic_bool relisted;    /* what may be exported: they are to be reviewed */
        /* device numbers: life_devid.c */
        bool follows_devid; /* there is a thread that waits for devid_wanted, and for the table */
        int devid_wanted;   /* eventfd(2) */
        pthread_t devid_thread;
        /* who has which extension: life_books.c */
        pthread_mutex_t books_lock;
        pthread_cond_t books_wanted;         /* with books_lock: the kernel couldn't let go what nobody holds */
        pthread_cond_t books_turned;         /* with books_lock: the kernel is through with one */
        unsigned int books_loading;          /* books_lock: how many the kernel is at */
        bool books_majors;                   /* books_lock: one of those is of a module that takes majors */
        uint64_t books_loads;                /* books_lock: how often it was let go for the kernel to load one */
        struct books_leaving *books_leaving; /* books_lock: which the kernel is taking out: life_books_kernel.c */
        pthread_t books_thread;
        bool follows_books, books_ending;
        struct packages *packages;     /* life_packages.c; NULL: nobody is looked at by itself */
        pthread_mutex_t policy_lock;   /* over kexts; no other is taken while it is held */
        struct kexts kexts;            /* kexts(5) */
        pthread_mutex_t refusals_lock; /* no other is taken while it is held */
        struct refusals_all refusals;
        pthread_mutex_t names_lock;      /* over names of units and the next three; taken before life.lock */
        struct kext_requests *requests;  /* NULL: not read yet */
        struct autoload_names names_all; /* what is registered */
        bool names_all_said;             /* that is what the kernel knows */
        int names_timer;                 /* of the main thread: somebody may wait too long */
        bool names_timed;                /* likewise: it is set */
        pthread_mutex_t kext_lock;       /* over the register of extensions and its copies; taken before no other */
        struct warden_spawner *spawner;
        struct warden_spare spare;
        /* work for the worker threads */
        pthread_mutex_t queue_lock;
        pthread_cond_t queue_filled;
        struct unit **queue; /* each holds a reference */
        size_t n_queue, room_queue;
        bool ending;
        pthread_t workers[4];
        size_t n_workers;
        /* threads that hear brokers: life_serve.c */
        int calls, calls_end;          /* epoll of their sockets; eventfd(2) */
        unsigned int servers, waiting; /* queue_lock: those there are, and of these those that wait */
        pthread_cond_t servers_ended;  /* with queue_lock */
        uint64_t started;              /* seconds since the epoch */
        atomic_ullong done[LIFE_ACTIONS], failed[LIFE_ACTIONS]; /* operations, for life_stats() */
};

/* --- life.c: the table --- */
struct unit *unit_new(struct life *life, struct partition_def *def); /* takes def over; listed nowhere; one reference */
struct unit *unit_ref(struct unit *u);
struct unit *unit_unref(struct unit *u);
void unit_unrefp(struct unit **u);
/* The units with a reference each, sorted by name; NULL with *ret_n 0: none, or no memory (*ret_r). */
struct unit **life_units(struct life *life, size_t *ret_n, int *ret_r);
int life_insert(struct life *life, struct unit *u, struct croft_error *err); /* -EEXIST; takes a reference */
void life_delist(struct life *life, struct unit *u);
struct unit *life_find(struct life *life, const char *name, struct croft_error *err);
struct unit *life_find_id(struct life *life, uint64_t id);
/* All with a reference each, sorted by name; NULL with *ret_n 0: none, or no memory (*ret_r). */
struct unit **life_units(struct life *life, size_t *ret_n, int *ret_r);

/* Makes the caller the owner: *ret with a reference.  On failure nothing is held. */
int life_begin(
        struct life *life, const char *name, enum life_action action, struct unit **ret, struct croft_error *err);
/* The same for croftd's own work on a unit; -EBUSY: somebody else is at it, or doesn't yield within seconds. */
enum unit_manner {
        UNIT_REFUSING, /* others are refused meanwhile */
        UNIT_INTERNAL, /* others wait */
        UNIT_YIELDING, /* they ask it to end, and wait (life_packages_yield()) */
};
int life_begin_unit(struct unit *u, const char *operation, enum unit_manner manner);
/* Until no internal operation is in force.  partition.lock is held. */
void unit_await_internal(struct unit *u);
bool life_is_ending(struct life *life);
/* Ends the ownership: state is the new one; a failure (err->code) is kept as last_error and told as an event. Returns
 * r. */
int life_end(struct unit *u, enum partition_state state, int r, struct croft_error *err);
/* The state as shown: Transitional while a transition is in force.  partition.lock is held. */
enum partition_state unit_shown_state(const struct unit *u);
bool rate_exceeded(struct rate *rate, unsigned int max, int64_t seconds); /* notes one more */

/* --- life_steps.c: journaled operations --- */
struct act {
        struct unit *u;
        struct store_journal journal;
        enum partition_state target;   /* when it succeeds */
        enum partition_state fallback; /* when it is undone */
        bool undone, ended;
        const struct property *properties; /* of set: the new list; NULL when a dead croftd's is undone */
        bool moves;                        /* of set: to other CPUs; the caller holds pools_lock */
        int (*end)(struct act *act, struct croft_error *err);
};
extern const struct operation op_create, op_remove, op_set, op_bind; /* life_define.c */
struct operation life_operation(const char *name);                   /* by name; n_steps 0: unknown */
int act_run(struct act *act, const struct operation *op, struct croft_error *err);
int act_recover(struct act *act, const struct operation *op, struct croft_error *err); /* that of a dead croftd */
/* What is recorded of a unit's run. */
void unit_record(struct unit *u, enum partition_state state, struct store_run *ret);
int unit_save_run(struct unit *u, enum partition_state state, struct croft_error *err);

/* --- life_define.c --- */
int create_end(struct act *act, struct croft_error *err);
int remove_end(struct act *act, struct croft_error *err);
int set_end(struct act *act, struct croft_error *err);

/* --- life_run.c: by the owner; they leave the new state in *state --- */
int unit_start(struct unit *u, enum partition_state *state, struct croft_error *err);
int unit_stop(
        struct unit *u, unsigned int timeout_ms, bool force, enum partition_state *state, struct croft_error *err);

/* --- life_devid.c --- */
void life_devid_watch(struct life *life);
void life_devid_changed(struct life *life); /* the machine's devices or drivers: the thread looks at them */
void life_devid_look(struct life *life);
void life_devid_close(struct life *life);

/* --- life_autoload.c --- */
#define LIFE_AUTOLOAD_ID (UINT64_MAX - 2) /* as below, for what partitions made the kernel look for */
#define LIFE_AUTOLOAD_TIMER_ID (UINT64_MAX - 3)
void life_autoload_watch(struct life *life); /* what was refused before is read, too; what is granted is let go */
void life_autoload_dispatch(struct life *life);
void life_autoload_forget(struct unit *u);    /* what was told once is told again */
void life_autoload_begin(struct unit *u);     /* it runs from now on */
void life_autoload_follow(struct unit *u);    /* what it is granted has changed */
void life_autoload_review(struct life *life); /* all of them: what is registered, or modprobe.d(5), has changed */
void life_autoload_release(struct unit *u);   /* it ends, or stands still: what waits is refused */
void life_autoload_unloaded(struct unit *u);  /* by the owner: what brought nothing may bring something again */
void life_autoload_tick(struct life *life);
void life_autoload_rest(struct life *life); /* nothing is let go any more: croftd ends */
void unit_autoload_serve(struct unit *u);   /* by the owner: what the kernel was made to look for, and waits */
void life_autoload_close(struct life *life);

/* --- life_pool.c --- */
#define LIFE_REFUSALS_ID (UINT64_MAX - 1) /* likewise for what the table of device numbers has refused */
#define LIFE_UEVENTS_ID UINT64_MAX        /* no partition has it: in epoll it stands for the kernel's device events */
int life_pools_load(struct life *life, struct croft_error *err);
/* After all partitions are as they should be: takes back what was interrupted, brings the kernel to what is on record.
 */
void life_pools_settle(struct life *life);
void life_pools_watch(struct life *life);
void life_pools_dispatch(struct life *life);
void life_pools_close(struct life *life);

/* --- life_device.c --- */
void life_devices_check(struct life *life); /* takes back what has gone, or become another */
void life_devices_watch(struct life *life); /* from here on so whenever `devices` is wanted */

/* --- life_kext.c --- */
int life_kext_settle(struct life *life, struct croft_error *err); /* what a dead croftd left half done */
void life_kext_print_crash_points(void);

/* --- life_policy.c --- */
void life_policy_read(struct life *life); /* kexts(5), again; a fault is told, and changes nothing */
/* -ENOENT: a stanza that a value of property `kexts` names isn't there. */
int life_policy_check(struct life *life, const char *kexts, struct croft_error *err);
/* What a partition is granted, by commands first, then by kexts(5); the caller frees *ret. */
struct life_policy_asks {
        uint64_t id;
        const char *partition; /* its name */
        const char *kexts;     /* its property, or NULL */
};
int life_policy_grants(struct life *life, const struct life_policy_asks *asks, struct kext_grant **ret, size_t *ret_n,
        struct croft_error *err);
int unit_grants(struct unit *u, struct kext_grant **ret, size_t *ret_n, struct croft_error *err); /* by anybody */
bool unit_has_grants(struct partition *p); /* as host.has_grants wants it */

/* --- life_grant.c --- */
struct life_kext_asks {
        const char *partition; /* its name */
        const struct kext_grant *grants;
        size_t n;
        const char *parameters; /* as finit_module(2) takes them */
};
/* As kext_judge(), but what a granted extension needs is granted with it, without parameters: modprobe(8) loads each by
 * itself.  *ret: may be NULL, and lives as long as the grants. */
int life_kext_judge(struct life *life, const struct kext_record *record, const struct life_kext_asks *asks,
        const struct kext_grant **ret, struct croft_error *err);

/* --- life_load.c: by the owner --- */
struct module_request;
/* A call of a process of the partition's; bytes: sealed, of what is to be loaded.  0 or the negative errno that it
 * fails with. */
int unit_kext_serve(struct unit *u, const struct module_request *request, int bytes);
/* What the kernel looks for, by a name of its own, because of the partition.  As croft kext load; what modprobe(8)
 * would load and isn't granted is left out, unless that is all.  1: something was loaded; 0: it had all of it. */
int unit_kext_request(struct unit *u, const char *request, struct croft_error *err);
void unit_kext_refused(struct unit *u); /* its warden has refused such calls; by anybody */
/* Its warden: whether such calls are to be looked at. */
void unit_kext_tell(struct unit *u);
extern const struct facet facet_kext;

/* --- life_scan.c: by the owner --- */
struct unit_scan_wish {
        enum kext_scan_reason reason;
        bool aside; /* as in struct kext_scan_ask, as is the next */
        int stop;
};
int unit_scan(struct unit *u, const struct unit_scan_wish *wish, struct life_scan *ret, struct croft_error *err);
/* A native partition that is just made stores nothing; what its packages are is known. */
int unit_scan_nothing(struct unit *u, struct croft_error *err);
int unit_open_root(struct unit *u, struct croft_error *err); /* of one that runs */

/* --- life_packages.c --- */
void life_packages_open(struct life *life);
void life_packages_watch(struct life *life); /* from here on */
void life_packages_want(struct unit *u);     /* it runs: its packages may have changed since it was scanned */
void life_packages_yield(struct unit *u);    /* partition.lock is held, and u->yields */
void life_packages_close(struct life *life);

/* --- life_follow.c --- */
/* An error: nothing will be done that is wanted.  follower_want() is then without effect, as before and afterwards. */
int follower_start(struct follower *f, struct life *life, void (*work)(struct life *life), struct croft_error *err);
void follower_want(struct follower *f);
/* The calling thread is for what nobody waits for: when it is woken it takes the CPU from nobody. */
void follower_stand_back(void);
/* What it is at is done to its end; nothing of life begins anew. */
void follower_close(struct follower *f);

/* --- life_disks.c --- */
void life_disks_watch(struct life *life); /* from here on I/O on block devices is counted, whenever `disks` is wanted */
void life_refusals_watch(struct life *life); /* life_device.c; what was refused before is read, too */
void life_refusals_dispatch(struct life *life);
void life_pool_print_crash_points(void);
/* Places a partition that has its control groups and no process yet, by its owner. */
int life_pool_enter(struct unit *u, struct croft_error *err);
void life_pool_leave(struct unit *u);
void life_pool_adopt(struct unit *u);
/* Has it a place in the pool that it asks for?  pools_lock is held. */
int life_pool_check(struct life *life, const struct pool_user *user, struct croft_error *err);
/* Moves all its tasks or none to where the properties say.  back: it was there before, so nothing is in the way.
 * pools_lock is held. */
int life_pool_move(struct unit *u, const struct property *properties, bool back, struct croft_error *err);
/* Associates the statistics of CPUs with partitions as the table says; of u (NULL: none) these properties count, not
 * those that it still has.  pools_lock is held. */
int life_pool_publish(struct life *life, const struct pools *pools, const struct unit *u,
        const struct property *properties, struct croft_error *err);
/* The same for a partition that starts, of which there are none yet; its cost doesn't grow with the others. */
int life_pool_publish_new(struct life *life, const struct pools *pools, const struct pool_machine *machine,
        const struct unit *u, struct croft_error *err);

/* Describes the CPUs anew: one that comes or goes has another state.  What can't be told stays as it was. */
void life_pool_describe(struct life *life);

/* What both files of life_pool*.c need: partitions as they are when an operation begins.  pools_lock is held. */
struct seat {
        struct unit *u;
        char name[NAME_LENGTH_MAX + 1];
        struct property *properties; /* a copy */
        struct pool_user user;       /* borrows from the two above */
};
struct seats {
        struct seat *list;
        size_t n;
};
int life_pool_seats(struct life *life, struct seats *ret, struct croft_error *err);
void seats_done(struct seats *seats);
int life_pool_machine(struct life *life, struct pool_machine *ret, struct croft_error *err);

/* --- life_watch.c --- */
int watch_open(struct life *life, struct croft_error *err);
void watch_close(struct life *life);
void watch_arm(struct unit *u); /* partition.lock is not held */
void watch_queue(struct unit *u);
/* Sees to what has happened to it.  has_time: by a thread that may serve what takes its time. */
void watch_look(struct unit *u, bool has_time);
int unit_succeed(struct unit *u, struct croft_error *err); /* a new warden; the caller is the owner */
/* Closes croftd's descriptors of the views and systemd's.  With the warden's they are the last: who reads gets an error
 * instead of waiting for an answer that nobody gives. */
void unit_give_up_views(struct unit *u);

/* --- life_serve.c --- */
int serve_open(struct life *life, struct croft_error *err);
void serve_close(struct life *life); /* life->ending is set */
void serve_wish(struct unit *u);     /* u->wish, and u->awaited, by the owner, who isn't afterwards */
void serve_aside(struct unit *u);    /* the same by a thread that has time for it */

/* --- life_recover.c --- */
int life_recover(struct life *life, struct croft_error *err);

/* --- life_stats.c --- */
void life_count(struct life *life, const char *operation, bool failed); /* one that has ended; NULL: none */

/* --- life_errors.c: the record of errors --- */
void errors_begin(struct unit *u, const char *operation);        /* a new attempt, by the owner */
void errors_add(struct unit *u, const struct croft_error *what); /* NULL, no error: nothing */
/* Of somebody who isn't the owner.  The same again, as from a script that tries each second, isn't recorded twice in a
 * row: it would take the room of what matters. */
void errors_refuse(struct unit *u, const struct croft_error *what);
/* In global's record and not in that of the partition, which could read it there: each once until that one is cleared,
 * as far as its share goes (refusal_rules.h). */
void errors_refuse_for_global(struct unit *u, const struct croft_error *what);
void errors_note(struct unit *u, const char *text);                /* what was put right, or happened by itself */
void errors_note_partition(struct partition *p, const char *text); /* likewise, by a facet (host.h) */
void errors_forget(struct unit *u);                                /* the partition has been removed */
void errors_rename(struct unit *u);
void errors_sweep(struct life *life); /* those of partitions that are gone */

/* --- life_events.c --- */
struct events *events_new(void);
struct events *events_free(struct events *events);
void events_end(struct events *events);
struct life_events *events_subscribe(struct events *events);
/* Sends one to all; strings are borrowed, name and state may be NULL. */
void events_say(
        struct events *events, const char *type, const char *name, uint64_t id, const char *state, const char *text);
void unit_event(struct unit *u, const char *type, const char *text);

/* --- facets.c: in order of start --- */
extern const struct facet *const facets[];
extern const size_t n_facets;

#endif
