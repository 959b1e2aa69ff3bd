/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * warden_msg.h - what croftd and a warden (or an exec session) say to one another: one SEQPACKET packet a message.
 *
 * A packet is u32 type, the roles of the descriptors that come along (a list of strings, in their order), then the body
 * of the type.  The receiver finds descriptors by role, closes those it doesn't know, and rejects trailing bytes.
 * croftd repeats every check of a warden: it assumes the warden has been taken over.
 */
#ifndef CROFT_PARTITION_WARDEN_MSG_H
#define CROFT_PARTITION_WARDEN_MSG_H

#include "base/sock.h"
#include "base/wire.h"

#include <croft/error.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define WARDEN_PACKET_MAX 131072
#define WARDEN_STRINGS_MAX 1024 /* argv and environment, each */
#define WARDEN_STRING_MAX 32768 /* bytes of one of them */

enum warden_type {
        /* croftd to warden */
        WARDEN_LAUNCH = 1, /* struct launch_spec: prepare a root; PLACE follows.  Descriptors, of detached copies of
                              mounts: lower (the image's root), rw (the directory that holds upper/ and work/, one
                              because overlayfs wants both on one mount), tools, programs (pinned ones,
                              where there is one), and share:/usr ... (directories of the host).  Others: filter,
                              warden-filter, listen (bound, listening), log (read-write).  For a /proc of its own facts
                              (of the host).  Where calls are intercepted also notify-filter and notify-area
                              (kernel/notify.h), and for a broker's broker and requests (both ends of
                              a socket pair).  A LAUNCH or PLACE that fails is answered by FAILED. */
        WARDEN_RUN,        /* no body: let init go */
        WARDEN_ADOPT,      /* struct warden_state.  Descriptors: pidfd console listen log warden-filter notify-area fuse
                              fuse-memory sample facts dev broker requests: take
                              over from a dead warden.  LISTENERS follow */
        WARDEN_HELLO,      /* no body: from the next croftd, on the listening socket; answered by STATE and LISTENERS */
        WARDEN_SIGNAL,     /* i64 signal for init */
        WARDEN_CONSOLE,    /* descriptor client: speak croft/stream.h with it; history first.  No answer: failures are
                              told to the client */
        WARDEN_QUIT,       /* no body: the end is noted, go */
        /* croftd to session, over the SEQPACKET that it inherits as descriptor 3 */
        WARDEN_EXEC, /* struct exec_spec.  Descriptors: pidfd (of PID 1), cgroup (unified), filter, warden-filter,
                        client, and v1 and notify-filter as with LAUNCH.  Answered by LOADED with the pid of the
                        process that will become the command (for cgroup_attach_v1()) and its listener, then croftd says
                        RUN and may close its end: the rest is told to the client only.  Before RUN a failure is
                        answered by FAILED, and told to the client, too. */
        /* croftd to broker, over the SEQPACKET that it inherits as descriptor 3 */
        WARDEN_SERVE, /* struct broker_spec.  Descriptors: requests (where the warden's calls come, broker_msg.h), dev
                         (O_PATH), devid (the program), lock (a directory of the partition's alone), userns (its
                         own), cgroup (unified), filter (what the broker may call), mountinfo (of
                         PID 1, to wait for changes), home (a leaf of cgroup's, for processes that wait there, if
                         there can be one), and fuse-memory if it has a /proc of its own.  No answer */
        /* both ways */
        WARDEN_LISTENERS, /* struct listeners_note.  Descriptors: listener, as many as it says */
        /* croftd to warden, after LAUNCH */
        WARDEN_PLACE, /* no body: make PID 1.  Descriptors: cgroup (unified, O_RDONLY), sample (figures, for a /proc of
                         its own).  Answered by BORN and LOADED */
        WARDEN_JOIN, /* no body: where PID 1 belongs, too; follows PLACE where LAUNCH says so.  Descriptors: v1 for each
                        v1 cgroup (`tasks`, for cgroup_join_v1()) */
        /* broker to croftd */
        WARDEN_LOOPS, /* struct loops_note: its loop devices have changed; answered by SEEN */
        /* croftd to warden */
        WARDEN_MODULES, /* u8 flag: calls that load and unload modules go to the broker; else, and until it is said,
                           they are refused */
        /* warden to croftd */
        WARDEN_REFUSED, /* no body: such calls have been refused; answered by SEEN, before which it isn't said again */
        /* broker to croftd, and back */
        WARDEN_MODULE, /* struct module_request.  Descriptors: the listener that the call came from; bytes (a sealed
                          memory file), if one is to be loaded */
        WARDEN_MODULE_DONE, /* struct module_answer: how croftd has ended the call */
        /* broker to croftd */
        WARDEN_MODULE_LATE,   /* no body: a call was ended because there was no copy in time (MODULE_COPY_MS) */
        WARDEN_MODULE_DENIED, /* no body: somebody asked who isn't root of the partition; once a broker */
        /* answers */
        WARDEN_LOADED = 64, /* struct warden_state.  Descriptors: netns console dev (O_PATH), and fuse fuse-memory if it
                               has a /proc of its own */
        WARDEN_RUNNING,     /* struct warden_state: init's first instruction is next.  Descriptor: listener, if init's
                               calls are intercepted */
        WARDEN_STATE,       /* struct warden_state.  Descriptors: pidfd netns console listen log notify-area fuse
                               fuse-memory dev requests
                               (those there are) */
        WARDEN_EXITED,      /* struct warden_state: init has ended */
        WARDEN_FAILED,      /* struct croft_error: nothing is left, the warden goes (LAUNCH, RUN, ADOPT) */
        WARDEN_BORN,        /* no body: there is a PID 1, which builds its root.  Descriptor: pidfd */
        WARDEN_SEEN,        /* no body: what LOOPS or REFUSED says is known everywhere */
};

/* How PID 1 of a partition is to be made.  Strings are owned (launch_spec_done()). */
struct launch_spec {
        uint64_t id;
        char name[64];
        char hostname[65];
        uint32_t uid_base;  /* host id of the partition's 0 */
        uint32_t uid_count; /* 65536 */
        char **argv;        /* init and its arguments; looked up inside the root */
        char **environment;
        uint64_t nofile;       /* RLIMIT_NOFILE hard limit to lower to, 0: inherit */
        bool own_network;      /* a network namespace of its own */
        bool joins;            /* JOIN follows */
        uint64_t memory_bytes; /* memory.max, 0: none; /dev/shm and /run are a share of it, so that filling them doesn't
                                  end init */
        bool console_getty;    /* init expects to be the session leader of /dev/console */
        bool modules;          /* it is granted kernel extensions */
};

enum warden_phase { WARDEN_PHASE_LOADED = 1, WARDEN_PHASE_RUNNING, WARDEN_PHASE_EXITED };

struct warden_state {
        uint64_t id;
        enum warden_phase phase;
        int64_t pid;         /* of PID 1, in the host's numbers */
        uint64_t start_time; /* field 22 of /proc/PID/stat: pid and this name a process */
        int64_t exit_status; /* as waitid(2): code << 8 | status (CLD_EXITED, CLD_KILLED ...); -1: not ended, -2: ended,
                                nobody knows how */
        uint32_t uid_base;   /* for ADOPT: host id of the partition's 0 */
        uint64_t last_mount; /* with LOADED: the kernel's unique id of the last mount made for it; 0: it has none */
};

struct exec_spec {
        uint64_t id;
        uint32_t uid_base, uid_count;
        char **argv;
        char **environment; /* added to and overriding PATH, HOME, USER, SHELL, TERM of the user */
        char user[64];      /* "root", "1000", "1000:1000", "www-data": looked up inside */
        char *directory;    /* "": the user's home, else / */
        bool terminal;
        uint16_t rows, columns;
};

#define LISTENERS_IN_NOTE 16

/* Which listeners (listeners.h) come along, in their order. */
struct listeners_note {
        bool complete; /* the last message of those that say all there are */
        uint32_t n;
        uint32_t numbers[LISTENERS_IN_NOTE]; /* none 0 */
};

/* For whom a broker works. */
struct broker_spec {
        uint64_t id;
        uint32_t uid_base;
        char cgroup[64];      /* how the path of its control group ends */
        char mount_allow[64]; /* property mount.allow */
        bool loops;           /* it may have loop devices */
};

#define LOOPS_ANY UINT32_MAX

/* What has become of the loop devices of a broker's partition. */
struct loops_note {
        uint32_t minor; /* the machine's, of one; LOOPS_ANY: whatever it was */
        bool bound;
};

#define MODULE_TEXT_MAX 4096

#define MODULE_COPY_MS 10000 /* that a broker waits for a copy of the bytes */

/* What a process of a broker's partition wants of the kernel. */
struct module_request {
        uint64_t call; /* comes back with the answer */
        bool load;
        uint32_t flags;             /* of finit_module(2) */
        char text[MODULE_TEXT_MAX]; /* parameters; of one to be unloaded the name */
};
struct module_answer {
        uint64_t call;
        uint32_t code; /* 0, or the errno that it fails with */
};

void launch_spec_done(struct launch_spec *spec);
void exec_spec_done(struct exec_spec *spec);

/* Writers append the body to w; readers return 0 or a negative errno and leave *ret empty on failure. */
void launch_spec_put(struct wire_writer *w, const struct launch_spec *spec);
int launch_spec_get(struct wire_reader *r, struct launch_spec *ret);
void exec_spec_put(struct wire_writer *w, const struct exec_spec *spec);
int exec_spec_get(struct wire_reader *r, struct exec_spec *ret);
void warden_state_put(struct wire_writer *w, const struct warden_state *state);
int warden_state_get(struct wire_reader *r, struct warden_state *ret);
void listeners_note_put(struct wire_writer *w, const struct listeners_note *note);
int listeners_note_get(struct wire_reader *r, struct listeners_note *ret);
void broker_spec_put(struct wire_writer *w, const struct broker_spec *spec);
int broker_spec_get(struct wire_reader *r, struct broker_spec *ret);
void loops_note_put(struct wire_writer *w, const struct loops_note *note);
int loops_note_get(struct wire_reader *r, struct loops_note *ret);
void module_request_put(struct wire_writer *w, const struct module_request *request);
int module_request_get(struct wire_reader *r, struct module_request *ret);
void module_answer_put(struct wire_writer *w, const struct module_answer *answer);
int module_answer_get(struct wire_reader *r, struct module_answer *ret);
void warden_error_put(struct wire_writer *w, const struct croft_error *e);
int warden_error_get(struct wire_reader *r, struct croft_error *ret);

/* A descriptor with its role. */
struct warden_fd {
        const char *role;
        int fd; /* borrowed; < 0: left out */
};

/* Sends a message: body (may be NULL) is what a *_put() wrote.  0 or a negative errno. */
int warden_send(
        int socket, enum warden_type type, const struct warden_fd *fds, size_t n_fds, const struct wire_writer *body);

struct warden_packet {
        struct sock_packet packet;
        enum warden_type type;
        char **roles;
        struct wire_reader body; /* at the beginning of the body */
};

/* The name of a type, for errors and logs: "LAUNCH". */
const char *warden_type_name(enum warden_type type);

/* 1: a message, 0: the peer is gone, else a negative errno (-EAGAIN, -EBADMSG ...).  *ret is ended by
 * warden_packet_done(). */
int warden_receive(int socket, struct warden_packet *ret);
void warden_packet_done(struct warden_packet *p);
/* Takes the descriptor of that role out of the packet; -EBADF: none. */
int warden_packet_take_fd(struct warden_packet *p, const char *role);

#endif
