/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * host.h - what all partitions of one croftd share.  Made by croftd at start, constant afterwards.
 */
#ifndef CROFT_PARTITION_HOST_H
#define CROFT_PARTITION_HOST_H

#include <croft/error.h>
#include <stdbool.h>
#include <stdint.h>

struct autoload;
struct cgroup_tree;
struct devid;
struct errlog;
struct image_store;
struct kstat_sampler;
struct kstats;
struct mount_watch;
struct partition;
struct plane;

/* What a host may lack while partitions run all the same; each needs those that are named. */
enum host_part {
        HOST_PLANE,
        HOST_KSTATS,       /* plane: statistics by key, answered by bpf(2) */
        HOST_SOCKOPT,      /* kstats: and by getsockopt(2) */
        HOST_SAMPLER,      /* kstats: figures */
        HOST_MOUNTS,       /* kstats: statistics of mounts */
        HOST_ERRLOG,       /* plane: the record of errors */
        HOST_DEVID,        /* plane: the table of device numbers */
        HOST_AUTOLOAD,     /* plane: what partitions make the kernel load is refused */
        HOST_INTERCEPTION, /* calls that wardens answer */
        HOST_PARTS
};

struct host {
        char tag[9];   /* 8 hex digits: the instance (kept with the state directory) */
        int state_dir; /* descriptors of the directories */
        int run_dir;
        int partitions_dir;    /* STATE/partitions */
        int wardens_dir;       /* RUN/w */
        int tools_dir;         /* static programs that appear below /run/croft/bin */
        int base_filter;       /* sealed memfds with seccomp programs (struct sock_filter[]) */
        int mount_base_filter; /* the same, of who may mount block file systems */
        int warden_filter, broker_filter;
        int notify_filter;       /* of intercepted calls; -EBADF: this kernel can't */
        int loop_filter;         /* the same, of who may have loop devices */
        int mount_filter;        /* the same, of who may mount block file systems, too */
        int facts;               /* about the machine, for views of /proc; sealed */
        const char *warden_path; /* the croft-warden binary */
        const char *kext_path;   /* the croft-kext binary */
        const char *config_dir;  /* what the administrator has written: devexports, kexts */
        const char *cdi_dirs;    /* where device files are, separated by ':'; the last one wins */
        struct cgroup_tree *cgroups;
        struct image_store *images;
        struct plane *plane;                  /* NULL: no BPF here */
        struct kstat_sampler *sampler;        /* NULL: as kstats */
        struct kstats *kstats;                /* NULL: no plane, or one that can't do this */
        struct mount_watch *mounts;           /* likewise */
        struct errlog *errlog;                /* NULL: no plane, or one that can't do this */
        struct devid *devid;                  /* likewise */
        struct autoload *autoload;            /* NULL: no plane, one that can't do this, or a kernel without modules */
        struct croft_error lacks[HOST_PARTS]; /* why it isn't there; code 0: it is */
        /* Something that people should know of a partition: into the log and its record of errors.  NULL: nobody
         * listens. */
        void (*note)(struct partition *p, const char *text);
        /* Is the major that of an extension that another partition has alone?  NULL: there are no such ones. */
        bool (*is_kept_from)(struct partition *p, uint32_t type, uint32_t major);
        /* Is it granted kernel extensions?  NULL: there are none. */
        bool (*has_grants)(struct partition *p);
        /* Carries out what its processes ask for, for so long: while one waits for that it can't be frozen.  NULL: they
         * ask for nothing. */
        void (*serve)(struct partition *p, unsigned int ms);
};

#endif
