/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * broker.h - carries out what a partition's processes ask of the machine and may have: loop devices, and new
 * mounts.
 *
 * One process a partition, started by croftd when its warden has sent a call, ended when nothing has come for a while;
 * with it a file system of the partition's that doesn't answer keeps nobody else waiting.  It works for one call after
 * the other.  Calls that come while it isn't there, or while there is no croftd, wait in the socket.
 */
#ifndef CROFT_WARDEN_BROKER_H
#define CROFT_WARDEN_BROKER_H

#include "devid/loops.h"
#include "kstat/view_disks.h"
#include "partition/broker_msg.h"
#include "partition/warden_msg.h"

#define BROKER_FORGET_MAX 64
#define BROKER_MOUNTS_MAX 16
#define BROKER_MODULES_MAX 8

/* A mount that a process of ours carries out. */
struct broker_mount {
        struct broker_call call;
        int pidfd;
        int64_t until_ms;
        bool answered; /* in vain; it may take its time to die */
};

/* A process of ours that copies what calls about modules bring, one after the other. */
struct broker_copier {
        int pidfd, socket; /* -EBADF: there is none */
        bool stays;        /* for more than one */
};

/* A call about a module: such a process copies and asks croftd, which decides. */
struct broker_module {
        struct broker_call call;
        struct broker_copier copier; /* none: it is free again */
        int64_t until_ms;
        bool asked, sent, answered; /* asked: croftd may have heard of it; sent: it will */
};

struct broker {
        struct broker_spec spec;
        int channel, requests, dev, devid, lock, memory, userns, mntns, cgroup, home, mountinfo;
        struct loop_machine machine;
        struct loops loops;
        unsigned int unanswered; /* what croftd was told and hasn't seen yet */
        int64_t swept_ms;        /* when it was last looked for devices that have gone by themselves */
        size_t automatic;        /* devices that go by themselves, as of the last look */
        /* Of those, by their numbers inside: what has been bound since, and what was mounted then. */
        uint64_t young[LOOPS_MAX / 64], mounted[LOOPS_MAX / 64];
        pid_t holders[LOOPS_MAX]; /* who was seen to have it open at the last look */
        unsigned int looks;       /* to come soon, since a mount may be about to go */
        /* The machine's numbers of devices that are unbound and are to be removed, and the process that does so. */
        uint32_t forget[BROKER_FORGET_MAX];
        size_t n_forget;
        int remover; /* a pidfd, or -EBADF */
        /* What its views show of them: ours, and where the warden finds it. */
        struct view_disk *disks;
        size_t n_disks;
        struct view_disks *shown;
        struct broker_mount mounts[BROKER_MOUNTS_MAX];
        size_t n_mounts;
        struct broker_module modules[BROKER_MODULES_MAX];
        size_t n_modules;
        bool denied;                 /* croftd was told that somebody may not ask */
        struct broker_copier copier; /* that waits for the next call */
        bool told_no_driver, told_no_library;
};

int broker_main(void);

/* Tells croftd of a loop device (LOOPS_ANY: of all), so that its statistics are there, or gone, before whoever asked
 * goes on.  A croftd that is busy or dead is waited for a moment only: it looks for itself later. */
void broker_tell(struct broker *b, uint32_t minor, bool bound);

/* A call, and the process that is in it. */
struct asker {
        const struct broker_call *call;
        int listener; /* borrowed */
        pid_t process;
        int pidfd;
        uint64_t user, capabilities; /* effective; the thread's that is in the call */
        int64_t value;               /* what the call returns when it doesn't fail */
};

/* broker_disks.c: what its views show of its devices.  A device that was bound or changed, one that was unbound, all.
 */
void broker_show(struct broker *b, const struct loops_device *device);
void broker_hide(struct broker *b, const struct loops_device *device);
void broker_show_all(struct broker *b);
void broker_disks_done(struct broker *b);

/* broker_auto.c: devices that go by themselves.  That one is such a device now. */
void broker_auto_begin(struct broker *b, const struct loops_device *device);
/* Ends those that nobody has open; for whoever opens one then, it is
 * closed for some milliseconds. */
void broker_auto_sweep(struct broker *b);
/* Does so when it is high time: calls that come all the time leave no other moment. */
void broker_auto_tick(struct broker *b);
/* Ends those that have been unmounted.  changed: there was a mount or an unmount. */
void broker_auto_look(struct broker *b, bool changed);
/* Is there a look to come soon?  Not while a mount is under way, however long that takes. */
bool broker_auto_is_due(const struct broker *b);
/* Until the next look, in milliseconds. */
int broker_auto_timeout(const struct broker *b);

/* In a process of ours that may hang: no successor of the broker waits for it. */
void broker_child(const struct broker *b);

/* broker_open.c: a process of the partition's that has that device open, or a part of it.  0: it isn't known of any. */
pid_t broker_find_holder(const struct broker *b, const struct loops_device *device);

/* broker_forget.c: devices of the machine that are unbound.  That one is to be removed. */
void broker_forget(struct broker *b, uint32_t number);
/* Begins to remove what is to be removed, unless that is under way. */
void broker_forget_look(struct broker *b);
/* Waits until all are removed.  false: there was none. */
bool broker_forget_all(struct broker *b);

/* Is it root of the partition, with what root may, in the partition's own user namespace?  What the kernel lets
 * CAP_SYS_ADMIN do to a loop device that isn't open to be written, it may. */
bool asker_is_root(const struct broker *b, const struct asker *a);
/* Are these the same file, or namespace? */
bool broker_is_same_file(int a, int b);

/* The control group of the one who asks: what is done for it is charged as if it did it, and judged: the gate of
 * devices asks for the control group.  A descriptor, which the caller closes. */
int asker_open_cgroup(const struct broker *b, const struct asker *a);

/* Is it still in that call? */
bool asker_is_there(const struct asker *a);
/* How the call ends. */
void broker_answer(struct broker *b, const struct broker_call *call, int64_t value, int code);

/* broker_mount.c: mount(2).  The answer comes from broker_mount_look(), unless this returns a negative errno. */
bool broker_is_mount(const struct broker_call *call);
int broker_mount_begin(struct broker *b, const struct asker *a);
/* What has become of those that are under way. */
void broker_mount_look(struct broker *b);

/* broker_module.c: calls about modules of the kernel, likewise. */
bool broker_is_module(const struct broker_call *call);
int broker_module_begin(struct broker *b, const struct asker *a);
void broker_module_look(struct broker *b);
/* What croftd has decided; false: it makes no sense. */
bool broker_module_hear(struct broker *b, struct warden_packet *p);
/* croftd has gone: those that are under way fail. */
void broker_module_end(struct broker *b);

/* Its descriptor; -EBADF. */
int asker_fd(const struct asker *a, uint64_t number);
/* Its descriptor becomes that one; the file that was there is closed when nobody else has it. */
int asker_replace_fd(const struct asker *a, uint64_t number, int fd);
/* -EFAULT, -ENOENT: it has gone. */
int asker_read(const struct asker *a, uint64_t address, void *data, size_t size);
/* A text that ends within size bytes; else too_long. */
int asker_read_text(const struct asker *a, uint64_t address, char *ret, size_t size, int too_long);
int asker_write(const struct asker *a, uint64_t address, const void *data, size_t size);

/* Is it a file of a real file system?  What the kernel makes up as it is read (proc, sysfs, cgroup ...) asks who reads,
 * and that would be one of ours or a thread of the kernel.  -EINVAL. */
int broker_check_file(int fd);
/* broker_loop.c: ioctl(2) of a loop device or of loop-control.  0 or a negative errno. */
int broker_loop(struct broker *b, struct asker *a);

#endif
