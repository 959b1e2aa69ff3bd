/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * warden_kit.h - plays croftd for tests of croft-warden: a busybox root, a cgroup, a warden, its messages.
 */
#ifndef CROFT_TESTS_WARDEN_KIT_H
#define CROFT_TESTS_WARDEN_KIT_H

#include "base/cleanup.h"
#include "partition/warden_msg.h"
#include "tap.h"

#define KIT_UID_BASE 0x7f0000
#define KIT_WAIT_MS 30000 /* far more than anything here takes, even under emulation */

struct kit {
        char directory[64]; /* lower/ rw/ stage/ tools/ w.sock console.log */
        int dir;
        const char *lower; /* another root than that of busybox: a path of the host */
        int cgroup;
        int filter, warden_filter;
        int listen, log;
        /* The warden that runs now. */
        pid_t warden;
        int channel;
        /* What it told us. */
        struct warden_state state;
        int pidfd, netns, console;
        struct croft_error error; /* of the newest FAILED */
};

/* Makes all but the warden; ends the test program when that fails. */
void kit_init(struct kit *k);
void kit_done(struct kit *k);

/* Starts a warden (or, mode "session", a session) with a new channel. */
void kit_spawn(struct kit *k);
pid_t kit_spawn_mode(const char *mode, int *ret_channel);
/* Sends LAUNCH; init is sh -c SCRIPT.  NULL: argv as given. */
bool kit_launch(struct kit *k, const char *script, char *const *argv);
bool kit_send(struct kit *k, enum warden_type type);
bool kit_signal(struct kit *k, int signal);
/* Waits for that message and takes what it brings; false: another one came, or none. */
bool kit_expect(struct kit *k, enum warden_type type);
/* Ends init and the warden, however things stand. */
void kit_stop(struct kit *k);
/* kill -9, and waited for. */
void kit_kill_warden(struct kit *k);
/* ADOPT for a warden that was just spawned. */
bool kit_adopt(struct kit *k);
/* A partition's file as the host sees it, whole; NULL: none.  Caller frees. */
char *kit_read(struct kit *k, const char *path);
/* A connected stream to the console. */
int kit_console(struct kit *k);
/* One exec: returns the client's end.  Answers LOADED by RUN. */
int kit_exec(struct kit *k, const struct exec_spec *spec);

/* Frames. */
struct frame {
        uint8_t type;
        uint32_t size;
        uint8_t body[65537]; /* NUL-ended */
};
bool kit_frame(int fd, struct frame *ret);
bool kit_put(int fd, uint8_t type, const void *body, uint32_t size);
/* Reads output until text has appeared in all that came so far, or the end. */
bool kit_wait_text(int fd, const char *text);
/* Reads to the EXIT frame; out and errout get what came (cut).  -1: none came. */
int kit_collect(int fd, char *out, size_t out_size, char *errout, size_t errout_size);

#endif
