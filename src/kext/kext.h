/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * kext.h - kernel extensions: what identifies a file of one, global's own copies, what a partition stores of them.
 *
 * An extension is what its bytes are: two files are equivalent if their SHA-256 over all bytes as stored is the same
 * (compressed and signed forms are other files), whatever their names, owners and times.  The bytes judged are the
 * bytes kept: a file is read once, by its descriptor, into a memfd that is sealed before anybody judges it.
 * Who takes them apart (decompression, ELF, signatures) is croft-kext, a process of its own, shut in and with a time
 * limit; croftd hashes and copies only.
 */
#ifndef CROFT_KEXT_KEXT_H
#define CROFT_KEXT_KEXT_H

#include "kernel/module.h"

#include <croft/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KEXT_FORMAT 1                 /* of the record */
#define KEXT_FILE_MAX MODULE_FILE_MAX /* bytes of a file as stored */
#define KEXT_READ_MS 10000            /* that a file may take to be read and taken apart */
#define KEXT_SHA256_LENGTH 64         /* hex digits */
#define KEXT_NAME_MAX 59              /* of the kernel's MODULE_NAME_LEN, the longer one: that of 32 bits */

enum kext_kind {
        KEXT_KO = 1,  /* a module of the kernel, which has it once for all */
        KEXT_BPF = 2, /* an object of BPF programs, of which each partition has an instance of its own */
};
const char *kext_kind_name(enum kext_kind kind); /* "ko" */

/* Texts are printable ASCII, "" where the file says nothing. */
struct kext_identity {
        enum kext_kind kind;
        char sha256[KEXT_SHA256_LENGTH + 1]; /* of all bytes as stored, lower-case hex */
        char plain[KEXT_SHA256_LENGTH + 1];  /* of a compressed one: of what it unpacks to; "": see kext_identify() */
        uint64_t size;                       /* in bytes, as stored */
        char name[KEXT_NAME_MAX + 1];        /* what the kernel calls it; of a BPF object what its file was called */
        char vermagic[128], srcversion[64];
        char build_id[129]; /* hex */
        char signer[128];   /* whom the appended signature names; whether it is good is the kernel's to say */
        char depends[2048]; /* names, separated by commas */
        bool takes_major;   /* it asks the kernel for majors of devices, by what it imports; no BPF object can */
};

/* "6.1.0-18-amd64": the first word of vermagic, the kernel that it was made for.  Returns buf. */
const char *kext_release(const char *vermagic, char *buf, size_t size);
/* A name as the kernel has it, or as modprobe(8) takes it: '-' becomes '_'.  False: none. */
bool kext_name_normalise(const char *text, char name[KEXT_NAME_MAX + 1]);
bool kext_is_sha256(const char *text);    /* 64 lower-case hex digits */
bool kext_is_file_name(const char *path); /* NAME.ko, also .xz, .zst and .gz, NAME.bpf.o: what extensions are called */
bool kext_is_object_name(const char *path); /* NAME.bpf.o: what objects of BPF programs are called */
/* The name that a BPF object gets of its file: without .bpf.o, or .o.  False: it can't be one. */
bool kext_name_of_object(const char *path, char name[KEXT_NAME_MAX + 1]);
/* The next of names separated by commas, from *at on, copied to name; false: no more.  A longer one is left out. */
bool kext_depends_next(const char **at, char name[KEXT_NAME_MAX + 1]);

/* --- the register: what croftd remembers of one --- */

enum kext_state {
        KEXT_CURRENT = 1,    /* what partitions are given */
        KEXT_SUPERSEDED = 2, /* an older generation, or taken out by the administrator */
        KEXT_REVOKED = 3,    /* never again */
};
const char *kext_state_name(enum kext_state state); /* "CURRENT"; "UNKNOWN" */

#define KEXT_ORIGIN_MAX 1023
#define KEXT_REASON_MAX 127
struct kext_record {
        struct kext_identity identity;
        uint32_t generation; /* among those of one name for one kernel, from 1 */
        enum kext_state state;
        char origin[KEXT_ORIGIN_MAX + 1]; /* the file that it was registered from */
        char reason[KEXT_REASON_MAX + 1]; /* why: "file", "module dummy", "package linux-image-6.1.0-18-amd64" */
        int64_t registered;               /* seconds since the epoch */
        bool previous;                    /* the generation before the CURRENT one, superseded by it */
};

/* --- policy: what a partition may be given; nothing that isn't granted (KXT-26) --- */

#define KEXT_ALL "ALL" /* instead of a name: whatever is registered */
#define KEXT_PARAMETERS_MAX 511
#define KEXT_STANZA_MAX 31 /* bytes of the name of one of kexts(5) */
struct kext_grant {
        char name[KEXT_NAME_MAX + 1];             /* as kext_name_normalise() has it, or KEXT_ALL */
        bool local;                               /* for this partition alone, while it has it */
        bool previous;                            /* the generation before the CURRENT one is good, too */
        bool major;                               /* one that takes majors of devices is good, too (KXT-25) */
        char parameters[KEXT_PARAMETERS_MAX + 1]; /* allowed when it is loaded: "rd_nr,rd_size=4096"; "": none */
        int64_t granted;                          /* seconds since the epoch */
        uint64_t scan; /* the partition's last one before, if it had found a file of it; 0: nobody had (KID-14) */
        char stanza[KEXT_STANZA_MAX + 1]; /* of kexts(5), which says it; "": a command did */
};

/* The normal form of a list of parameters: a name allows any value, NAME=VALUE that one.  -EINVAL: it is none. */
int kext_parameters_check(const char *text, char normal[KEXT_PARAMETERS_MAX + 1], struct croft_error *err);

/* Does something that is granted need this one, itself or by what it needs?  all: the register; only CURRENT ones for
 * the same kernel need, and what takes a major only those that are granted so.  Pure; false, too, when memory is short.
 */
bool kext_is_needed(const struct kext_record *all, size_t n_all, const struct kext_grant *grants, size_t n,
        const struct kext_record *record);

/* May `partition` (its name, to say it) be given these bytes?  record: what is registered of them, NULL: nothing;
 * grants: the partition's; given: the parameters as finit_module(2) takes them, words separated by blanks.  *ret (may
 * be NULL): the first grant that lets it; those for all count where there is none for the name.  Pure.  -EILSEQ: they
 * are no registered extension; -EPERM: revoked, not granted, it takes a major or has a parameter that isn't allowed;
 * -ESTALE: superseded.
 */
int kext_judge(const struct kext_record *record, const struct kext_grant *grants, size_t n, const char *partition,
        const char *given, const struct kext_grant **ret, struct croft_error *err);

/* Of that, what is asked of what an extension needs, too: whoever is granted one has what it needs (KXT-29), but for
 * majors of devices.  major: they are granted with it. */
int kext_judge_major(const struct kext_record *record, bool major, const char *partition, struct croft_error *err);

/* --- bytes --- */

/* A new memfd, sealed, of all that is in the file `from`, whose offset stays.  Only a regular file of at most
 * KEXT_FILE_MAX bytes that doesn't change meanwhile: -EINVAL, -EFBIG, -EAGAIN.  May wait as long as the file system
 * does, so: only in a process that may hang.  The descriptor or a negative errno. */
int kext_read_sealed(int from, struct croft_error *err);
/* Seals a memfd against every change; then it is what kext_hash() takes. */
int kext_seal(int memfd, struct croft_error *err);
/* The SHA-256 of a sealed memfd, and its size.  -EPERM: it isn't sealed: whoever gave it could change it. */
int kext_hash(int memfd, char sha256[KEXT_SHA256_LENGTH + 1], uint64_t *ret_size, struct croft_error *err);

/* Sealed memfds; plain is -EBADF of what isn't compressed, or unpacks to more than KEXT_FILE_MAX. */
struct kext_bytes {
        int stored, plain;
};
#define KEXT_BYTES_INIT                                                                                                \
        {                                                                                                              \
                .stored = -EBADF, .plain = -EBADF                                                                      \
        }
void kext_bytes_done(struct kext_bytes *bytes);
/* Runs croft-kext (worker: its path) to identify the file at path, a path of global's; *ret_bytes (may be NULL; ended
 * with kext_bytes_done()) holds its bytes.  -ENOEXEC: no module; -ETIMEDOUT: it couldn't be read in time. */
int kext_identify(const char *worker, const char *path, struct kext_identity *ret, struct kext_bytes *ret_bytes,
        struct croft_error *err);

/* Only reads it, the same way: for whoever has to know whether these bytes are registered, not what they say.  A sealed
 * memfd, or a negative errno. */
int kext_read(const char *worker, const char *path, struct croft_error *err);

/* --- global's own copies: STATE/kext/SHA256 --- */

/* Puts the bytes there, whole or not at all, on the disk and verified when it returns.  Present already is fine. */
int kext_copy_put(int state_dir, const char *sha256, int memfd, struct croft_error *err);
/* Bytes that nobody can change, and their hash. */
struct kext_sealed {
        int fd; /* borrowed */
        char sha256[KEXT_SHA256_LENGTH + 1];
};

/* A sealed memfd with the copy's bytes, whose hash is what its name says; -EUCLEAN: it isn't.  known (NULL: none):
 * where these have that hash, to be the same takes the place of hashing again. */
int kext_copy_get(int state_dir, const char *sha256, const struct kext_sealed *known, struct croft_error *err);
int kext_copy_remove(int state_dir, const char *sha256, struct croft_error *err); /* a missing one is fine */
/* Removes what is half made, and those that known() doesn't want.  *ret_removed: how many of either. */
int kext_copy_sweep(int state_dir, bool (*known)(void *context, const char *sha256), void *context,
        unsigned int *ret_removed, struct croft_error *err);

/* The lists of what was revoked.  The one beside the database outlives an older copy of that, the one beside what the
 * administrator has written an older copy of both. */
#define KEXT_REVOKED_STATE "kext.revoked"
#define KEXT_REVOKED_CONFIG "kexts.revoked"
int kext_revoked_add(int dir, const char *file, const char *sha256, struct croft_error *err); /* there already: fine */
int kext_revoked_each(int dir, const char *file,
        int (*each)(void *context, const char *sha256, struct croft_error *err), void *context,
        struct croft_error *err);

/* --- what a partition stores of them (KXT-7, KXT-37) --- */

#define KEXT_PATH_MAX 1023
#define KEXT_FINDINGS_MAX 4096
#define KEXT_CONFIG_MAX 255
struct kext_finding {
        char application[128]; /* the package that its own database says has it; for people, never believed */
        char configured[KEXT_CONFIG_MAX +
                        1];           /* the file that says that it is to be loaded, printable; likewise (KID-1) */
        char path[KEXT_PATH_MAX + 1]; /* below its root, from '/' on; bytes that the partition chose */
        char sha256[KEXT_SHA256_LENGTH + 1]; /* "": it wasn't read */
        uint64_t size;
        char oddity[96]; /* why it can be no extension, or where the scan ended; "": nothing odd */
};
struct kext_scan_limits {
        uint64_t entries, bytes; /* looked at, and read, in all */
        unsigned int seconds;
};
#define KEXT_SCAN_ENTRIES 1000000
#define KEXT_SCAN_BYTES (UINT64_C(1) << 30)
#define KEXT_SCAN_SECONDS 20

enum kext_scan_reason {
        KEXT_SCAN_CREATE = 1,   /* the partition was made */
        KEXT_SCAN_REQUEST = 2,  /* somebody asked for it */
        KEXT_SCAN_PACKAGES = 3, /* packages of the partition have changed */
        KEXT_SCAN_SYNC = 4,     /* copies in it were brought up to date */
};
const char *kext_scan_reason_name(enum kext_scan_reason reason); /* "packages"; "UNKNOWN" */
/* When and why the last one of a partition was; number: of all scans, never given again, 0: there was none. */
struct kext_scan_record {
        uint64_t partition, number;
        uint64_t found; /* how many findings it has */
        int64_t time;   /* seconds since the epoch */
        enum kext_scan_reason reason;
        char stamp[KEXT_SHA256_LENGTH + 1]; /* of the packages as they were when it began: kext_packages_stamp() */
};

/* Where to look: root is the root of one that runs, or -EBADF, and then lower and upper are the layers of one that
 * doesn't.  Borrowed. */
struct kext_scan_place {
        int root, lower, upper;
};
struct kext_scan_ask {
        const char *worker;
        struct kext_scan_place place;
        struct kext_scan_limits limits;
        bool aside; /* nobody waits for it: others that want the CPU go first */
        void (*say)(void *context, const char *text);
        void *context;
        int stop; /* once it is readable, the scan ends: -ECANCELED; -EBADF: never */
};
struct kext_scanned {
        struct kext_finding *list;
        size_t n;
        char stamp[KEXT_SHA256_LENGTH + 1]; /* as in struct kext_scan_record */
};
/* Looks for files called as modules are, by a process that the tree can't hang longer than the limit: what it has found
 * by then is the result, with a finding that says so.  Nothing is loaded, no other mount entered.  The caller frees
 * ret->list. */
int kext_scan(const struct kext_scan_ask *ask, struct kext_scanned *ret, struct croft_error *err);

/* --- the databases of packages in a tree: dpkg's, rpm's, apk's, pacman's (KXT-37) --- */

/* What changes when a package is installed, upgraded or removed, "": there is no database.  Looks at sizes and times,
 * reads nothing.  Looking names up in a tree may take as long as its file systems like. */
void kext_packages_stamp(int root, char stamp[KEXT_SHA256_LENGTH + 1]);

#define KEXT_WATCHES_MAX 8
struct kext_look {
        char stamp[KEXT_SHA256_LENGTH + 1];
        int watches[KEXT_WATCHES_MAX]; /* watch descriptors; some may be the same */
        size_t n;
};
/* Has inotify watch the directories of these databases below root, or those where they would be made, for one event
 * each (IN_ONESHOT), and then takes the stamp; by a process that ends within KEXT_READ_MS.  -ECANCELED: `stop` (as
 * above) is readable. */
int kext_look(const char *worker, int root, int inotify, int stop, struct kext_look *ret, struct croft_error *err);

/* Puts the bytes of `fresh` in the place of the file at path below root (of a partition that runs), as its root, whose
 * id outside is uid, if that file is still what `old` is.  -ESTALE: it isn't. */
int kext_provide(
        const char *worker, int root, const char *path, uint32_t uid, int old, int fresh, struct croft_error *err);

/* Puts the bytes there where nothing is, likewise, in folders that are made if need be; the same there already is fine.
 * -EEXIST: something else is there; -EXDEV: it would be in another mount. */
int kext_provide_first(
        const char *worker, int root, const char *path, uint32_t uid, int bytes, struct croft_error *err);

/* --- where global has them --- */

/* Calls each with the path of a module of the running kernel, what it needs first.  -ENOENT: there is none. */
typedef int (*kext_each)(void *context, const char *path, struct croft_error *err);
int kext_find_module(const char *name, kext_each each, void *context, struct croft_error *err);
/* Calls each with every module that an installed package of Debian's has, by its list; -ENOENT: no such package. */
int kext_find_package(const char *package, kext_each each, void *context, struct croft_error *err);

/* --- by which names the kernel asks for modules: "rtnl-link-dummy", "fs-xfs" --- */

#define KEXT_REQUEST_MAX 55 /* bytes: MODULE_NAME_LEN of the kernel, which asks for none that is longer */
struct kext_requests;
/* Of all modules in a directory of depmod(8)'s (NULL: those of the running kernel), as modprobe(8) of global
 * understands them, with modprobe.d(5).  The caller frees *ret. */
int kext_requests_read(const char *directory, struct kext_requests **ret, struct croft_error *err);
struct kext_requests *kext_requests_free(struct kext_requests *r);
void kext_requests_freep(struct kext_requests **r);
/* Calls each with those of one module, its own name among them, with '_' where there may be a '-'. */
void kext_requests_each(
        const struct kext_requests *r, const char *name, void (*each)(void *context, const char *alias), void *context);
/* Calls each with the names of the modules that modprobe(8) would load for it now.  -ENOENT: there are none, or
 * modprobe.d(5) blacklists them, or has commands in their place. */
int kext_find_request(const char *request, kext_each each, void *context, struct croft_error *err);

#endif
