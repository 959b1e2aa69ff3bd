/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * warden_msg.c - encoding and bounds-checked decoding of what croftd and its wardens say.  See warden_msg.h.
 *
 * Invariant: a decoded structure holds nothing that its comment in warden_msg.h doesn't allow; a failed decoder leaves
 * it empty.
 */
#include "partition/warden_msg.h"

#include "base/cleanup.h"
#include "base/error.h"
#include "base/str.h"
#include "partition/ids.h"

#include <string.h>
#include <sys/socket.h>

#define ROLE_MAX 256
#define ERRNO_MAX 4095

static const char *const type_names[] = {
        [WARDEN_LAUNCH] = "LAUNCH",
        [WARDEN_PLACE] = "PLACE",
        [WARDEN_JOIN] = "JOIN",
        [WARDEN_RUN] = "RUN",
        [WARDEN_ADOPT] = "ADOPT",
        [WARDEN_HELLO] = "HELLO",
        [WARDEN_SIGNAL] = "SIGNAL",
        [WARDEN_CONSOLE] = "CONSOLE",
        [WARDEN_QUIT] = "QUIT",
        [WARDEN_EXEC] = "EXEC",
        [WARDEN_LISTENERS] = "LISTENERS",
        [WARDEN_SERVE] = "SERVE",
        [WARDEN_LOOPS] = "LOOPS",
        [WARDEN_MODULES] = "MODULES",
        [WARDEN_REFUSED] = "REFUSED",
        [WARDEN_MODULE] = "MODULE",
        [WARDEN_MODULE_DONE] = "MODULE_DONE",
        [WARDEN_MODULE_LATE] = "MODULE_LATE",
        [WARDEN_MODULE_DENIED] = "MODULE_DENIED",
        [WARDEN_LOADED] = "LOADED",
        [WARDEN_RUNNING] = "RUNNING",
        [WARDEN_STATE] = "STATE",
        [WARDEN_EXITED] = "EXITED",
        [WARDEN_FAILED] = "FAILED",
        [WARDEN_BORN] = "BORN",
        [WARDEN_SEEN] = "SEEN",
};

const char *warden_type_name(enum warden_type type)
{
        return (size_t)type < ELEMENTS(type_names) && type_names[type] ? type_names[type] : "unknown";
}

static bool type_is_known(uint32_t type)
{
        return type < ELEMENTS(type_names) && type_names[type];
}

/* A flag is 0 or 1; anything else is a fault. */
static bool get_flag(struct wire_reader *r)
{
        uint8_t value = wire_get_u8(r);

        if (value > 1 && !r->fault)
                r->fault = -EBADMSG;
        return value == 1;
}

static void refuse(struct wire_reader *r)
{
        if (!r->fault)
                r->fault = -EBADMSG;
}

/* Ids 0 and (uid_t)-1 of the host are never a partition's. */
static void check_ids(struct wire_reader *r, uint32_t base, uint32_t count)
{
        if (base == 0 || count == 0 || count >= UINT32_MAX - base)
                refuse(r);
}

void launch_spec_done(struct launch_spec *spec)
{
        strv_free(spec->argv);
        strv_free(spec->environment);
        *spec = (struct launch_spec){0};
}

void exec_spec_done(struct exec_spec *spec)
{
        strv_free(spec->argv);
        strv_free(spec->environment);
        free(spec->directory);
        *spec = (struct exec_spec){0};
}

void launch_spec_put(struct wire_writer *w, const struct launch_spec *spec)
{
        wire_put_u64(w, spec->id);
        wire_put_string(w, spec->name);
        wire_put_string(w, spec->hostname);
        wire_put_u32(w, spec->uid_base);
        wire_put_u32(w, spec->uid_count);
        wire_put_strv(w, spec->argv);
        wire_put_strv(w, spec->environment);
        wire_put_u64(w, spec->nofile);
        wire_put_u8(w, spec->own_network);
        wire_put_u8(w, spec->joins);
        wire_put_u8(w, spec->console_getty);
        wire_put_u64(w, spec->memory_bytes);
        wire_put_u8(w, spec->modules);
}

int launch_spec_get(struct wire_reader *r, struct launch_spec *ret)
{
        struct launch_spec spec = {.id = wire_get_u64(r)};
        int result;

        wire_get_text(r, spec.name, sizeof(spec.name));
        wire_get_text(r, spec.hostname, sizeof(spec.hostname));
        spec.uid_base = wire_get_u32(r);
        spec.uid_count = wire_get_u32(r);
        check_ids(r, spec.uid_base, spec.uid_count);
        spec.argv = wire_get_strv(r, WARDEN_STRINGS_MAX, WARDEN_STRING_MAX);
        if (spec.argv && !spec.argv[0])
                refuse(r);
        spec.environment = wire_get_strv(r, WARDEN_STRINGS_MAX, WARDEN_STRING_MAX);
        spec.nofile = wire_get_u64(r);
        spec.own_network = get_flag(r);
        spec.joins = get_flag(r);
        spec.console_getty = get_flag(r);
        spec.memory_bytes = wire_get_u64(r);
        spec.modules = get_flag(r);
        result = wire_reader_end(r);
        if (result < 0) {
                launch_spec_done(&spec);
                *ret = (struct launch_spec){0};
                return result;
        }
        *ret = spec;
        return 0;
}

void exec_spec_put(struct wire_writer *w, const struct exec_spec *spec)
{
        wire_put_u64(w, spec->id);
        wire_put_u32(w, spec->uid_base);
        wire_put_u32(w, spec->uid_count);
        wire_put_strv(w, spec->argv);
        wire_put_strv(w, spec->environment);
        wire_put_string(w, spec->user);
        wire_put_string(w, spec->directory);
        wire_put_u8(w, spec->terminal);
        wire_put_u32(w, (uint32_t)spec->rows << 16 | spec->columns);
}

int exec_spec_get(struct wire_reader *r, struct exec_spec *ret)
{
        struct exec_spec spec = {.id = wire_get_u64(r)};
        uint32_t size;
        int result;

        spec.uid_base = wire_get_u32(r);
        spec.uid_count = wire_get_u32(r);
        check_ids(r, spec.uid_base, spec.uid_count);
        spec.argv = wire_get_strv(r, WARDEN_STRINGS_MAX, WARDEN_STRING_MAX);
        if (spec.argv && !spec.argv[0])
                refuse(r);
        spec.environment = wire_get_strv(r, WARDEN_STRINGS_MAX, WARDEN_STRING_MAX);
        wire_get_text(r, spec.user, sizeof(spec.user));
        spec.directory = wire_get_string(r, WARDEN_STRING_MAX);
        spec.terminal = get_flag(r);
        size = wire_get_u32(r);
        spec.rows = (uint16_t)(size >> 16);
        spec.columns = (uint16_t)(size & 0xffff);
        result = wire_reader_end(r);
        if (result < 0) {
                exec_spec_done(&spec);
                *ret = (struct exec_spec){0};
                return result;
        }
        *ret = spec;
        return 0;
}

void warden_state_put(struct wire_writer *w, const struct warden_state *state)
{
        wire_put_u64(w, state->id);
        wire_put_u32(w, (uint32_t)state->phase);
        wire_put_i64(w, state->pid);
        wire_put_u64(w, state->start_time);
        wire_put_i64(w, state->exit_status);
        wire_put_u32(w, state->uid_base);
        wire_put_u64(w, state->last_mount);
}

int warden_state_get(struct wire_reader *r, struct warden_state *ret)
{
        struct warden_state state = {.id = wire_get_u64(r)};
        uint32_t phase = wire_get_u32(r);
        int result;

        if (phase < WARDEN_PHASE_LOADED || phase > WARDEN_PHASE_EXITED)
                refuse(r);
        state.phase = (enum warden_phase)phase;
        state.pid = wire_get_i64(r);
        if (state.pid < 0 || state.pid > INT32_MAX)
                refuse(r);
        state.start_time = wire_get_u64(r);
        state.exit_status = wire_get_i64(r);
        if (state.exit_status < -2 || state.exit_status > UINT32_MAX)
                refuse(r);
        state.uid_base = wire_get_u32(r);
        state.last_mount = wire_get_u64(r);
        result = wire_reader_end(r);
        *ret = result < 0 ? (struct warden_state){0} : state;
        return result;
}

void listeners_note_put(struct wire_writer *w, const struct listeners_note *note)
{
        wire_put_u8(w, note->complete);
        wire_put_u32(w, note->n);
        for (uint32_t i = 0; i < note->n; i++)
                wire_put_u32(w, note->numbers[i]);
}

int listeners_note_get(struct wire_reader *r, struct listeners_note *ret)
{
        struct listeners_note note = {.complete = get_flag(r)};
        int result;

        note.n = wire_get_u32(r);
        if (note.n > LISTENERS_IN_NOTE) {
                refuse(r);
                note.n = 0;
        }
        for (uint32_t i = 0; i < note.n; i++) {
                note.numbers[i] = wire_get_u32(r);
                if (note.numbers[i] == 0)
                        refuse(r);
        }
        result = wire_reader_end(r);
        *ret = result < 0 ? (struct listeners_note){.n = 0} : note;
        return result;
}

void broker_spec_put(struct wire_writer *w, const struct broker_spec *spec)
{
        wire_put_u64(w, spec->id);
        wire_put_u32(w, spec->uid_base);
        wire_put_string(w, spec->cgroup);
        wire_put_string(w, spec->mount_allow);
        wire_put_u8(w, spec->loops);
}

int broker_spec_get(struct wire_reader *r, struct broker_spec *ret)
{
        struct broker_spec spec = {.id = wire_get_u64(r), .uid_base = wire_get_u32(r)};
        int result;

        check_ids(r, spec.uid_base, PARTITION_IDS);
        wire_get_text(r, spec.cgroup, sizeof(spec.cgroup));
        wire_get_text(r, spec.mount_allow, sizeof(spec.mount_allow));
        spec.loops = get_flag(r);
        result = wire_reader_end(r);
        *ret = result < 0 ? (struct broker_spec){.id = 0} : spec;
        return result;
}

void loops_note_put(struct wire_writer *w, const struct loops_note *note)
{
        wire_put_u32(w, note->minor);
        wire_put_u8(w, note->bound);
}

int loops_note_get(struct wire_reader *r, struct loops_note *ret)
{
        struct loops_note note = {.minor = wire_get_u32(r), .bound = get_flag(r)};
        int result = wire_reader_end(r);

        *ret = result < 0 ? (struct loops_note){.minor = LOOPS_ANY} : note;
        return result;
}

void module_request_put(struct wire_writer *w, const struct module_request *request)
{
        wire_put_u64(w, request->call);
        wire_put_u8(w, request->load);
        wire_put_u32(w, request->flags);
        wire_put_string(w, request->text);
}

int module_request_get(struct wire_reader *r, struct module_request *ret)
{
        int result;

        *ret = (struct module_request){.call = wire_get_u64(r), .load = get_flag(r)};
        ret->flags = wire_get_u32(r);
        wire_get_text(r, ret->text, sizeof(ret->text));
        result = wire_reader_end(r);
        if (result < 0)
                *ret = (struct module_request){.call = 0};
        return result;
}

void module_answer_put(struct wire_writer *w, const struct module_answer *answer)
{
        wire_put_u64(w, answer->call);
        wire_put_u32(w, answer->code);
}

int module_answer_get(struct wire_reader *r, struct module_answer *ret)
{
        struct module_answer answer = {.call = wire_get_u64(r), .code = wire_get_u32(r)};
        int result;

        if (answer.code > ERRNO_MAX)
                refuse(r);
        result = wire_reader_end(r);
        *ret = result < 0 ? (struct module_answer){.call = 0} : answer;
        return result;
}

void warden_error_put(struct wire_writer *w, const struct croft_error *e)
{
        wire_put_u32(w, (uint32_t)e->code);
        wire_put_u32(w, e->n_causes);
        for (unsigned int i = 0; i < e->n_causes; i++) {
                struct message_args args = {.n = 0};
                const char *format = error_format(e, e->n_causes - 1 - i, &args);

                wire_put_string(w, e->text + e->at[i]);
                wire_put_string(w, format ? format : "");
                wire_put_u32(w, args.n);
                wire_put_blob(w, args.bytes, args.size);
        }
}

/* What the newest fragment was made of, for other languages: "" without anything: not known. */
static void get_parts(struct wire_reader *r, struct croft_error *e)
{
        char format[MESSAGE_FORMAT_MAX];
        struct message_args args;
        const void *bytes;
        size_t size = 0;
        uint32_t n;

        wire_get_text(r, format, sizeof(format));
        n = wire_get_u32(r);
        bytes = wire_get_bytes(r, sizeof(args.bytes), &size);
        if (r->fault)
                return;
        if (n > MESSAGE_ARGS_MAX || !message_args_valid(bytes, size, n) ||
                (*format ? message_check(format, NULL) < 0 : n > 0)) {
                refuse(r);
                return;
        }
        if (!*format)
                return;
        args.size = (uint16_t)size;
        args.n = (uint8_t)n;
        if (size > 0)
                memcpy(args.bytes, bytes, size);
        error_keep(e, format, &args);
}

/* Appends one fragment, innermost first, as error.c keeps them. */
static void get_fragment(struct wire_reader *r, struct croft_error *e)
{
        size_t room = sizeof(e->text) - e->used;

        if (room < 1) {
                refuse(r);
                return;
        }
        wire_get_text(r, e->text + e->used, room);
        if (r->fault)
                return;
        e->at[e->n_causes++] = e->used;
        e->used = (unsigned short)(e->used + strlen(e->text + e->used) + 1);
        get_parts(r, e);
}

int warden_error_get(struct wire_reader *r, struct croft_error *ret)
{
        struct croft_error e = CROFT_ERROR_INIT;
        uint32_t code = wire_get_u32(r), n = wire_get_u32(r);
        int result;

        if (code == 0 || code > ERRNO_MAX || n == 0 || n > CROFT_ERROR_CAUSES_MAX)
                refuse(r);
        e.code = (int)code;
        for (uint32_t i = 0; i < n && !r->fault; i++)
                get_fragment(r, &e);
        result = wire_reader_end(r);
        if (result < 0)
                croft_error_clear(ret);
        else
                *ret = e;
        return result;
}

int warden_send(
        int socket, enum warden_type type, const struct warden_fd *fds, size_t n_fds, const struct wire_writer *body)
{
        _cleanup_(wire_writer_done) struct wire_writer w = WIRE_WRITER_INIT;
        int present[SOCK_FDS_MAX];
        uint32_t n = 0;

        for (size_t i = 0; i < n_fds; i++) {
                if (fds[i].fd < 0)
                        continue;
                if (n == SOCK_FDS_MAX)
                        return -E2BIG;
                present[n++] = fds[i].fd;
        }
        wire_put_u32(&w, (uint32_t)type);
        wire_put_u32(&w, n);
        for (size_t i = 0; i < n_fds; i++)
                if (fds[i].fd >= 0)
                        wire_put_string(&w, fds[i].role);
        if (w.fault)
                return w.fault;
        if (body && body->fault)
                return body->fault;
        if (body && body->used > 0) {
                uint8_t *p;

                if (w.used + body->used > WARDEN_PACKET_MAX)
                        return -EMSGSIZE;
                p = realloc(w.data, w.used + body->used);
                if (!p)
                        return -ENOMEM;
                memcpy(p + w.used, body->data, body->used);
                w.data = p;
                w.used += body->used;
                w.room = w.used;
        }
        return sock_send_packet(socket, w.data, w.used, present, n);
}

/* The head of a packet: type and roles; leaves the reader at the body. */
static int read_head(struct warden_packet *p)
{
        struct wire_reader *r = &p->body;
        uint32_t type;

        wire_reader_init(r, p->packet.data, p->packet.size);
        type = wire_get_u32(r);
        if (!r->fault && !type_is_known(type))
                refuse(r);
        p->type = (enum warden_type)type;
        p->roles = wire_get_strv(r, SOCK_FDS_MAX, ROLE_MAX);
        if (p->roles && strv_length(p->roles) != p->packet.n_fds)
                refuse(r);
        return r->fault;
}

/* Room for the longest packet would be mapped, and given back, each time.  Nobody else reads there.  By recvmsg(2)
 * without room for descriptors, which a look would make, too. */
static int room_for_next(int socket, size_t *ret)
{
        struct msghdr message = {.msg_iovlen = 0};
        ssize_t n;

        do
                n = recvmsg(socket, &message, MSG_PEEK | MSG_TRUNC);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return -errno;
        *ret = n == 0 ? 1 : n < WARDEN_PACKET_MAX ? (size_t)n : WARDEN_PACKET_MAX;
        return 0;
}

int warden_receive(int socket, struct warden_packet *ret)
{
        struct warden_packet p = {0};
        size_t room = 0;
        int r = room_for_next(socket, &room);

        if (r == 0)
                r = sock_receive_packet(socket, room, &p.packet);
        if (r <= 0)
                return r;
        r = read_head(&p);
        if (r < 0) {
                warden_packet_done(&p);
                return r;
        }
        /* The body starts at zero: a reader of its own can't look back into the head. */
        wire_reader_init(&p.body, p.packet.data + p.body.at, p.packet.size - p.body.at);
        *ret = p;
        return 1;
}

void warden_packet_done(struct warden_packet *p)
{
        sock_packet_done(&p->packet);
        strv_free(p->roles);
        *p = (struct warden_packet){0};
}

int warden_packet_take_fd(struct warden_packet *p, const char *role)
{
        for (size_t i = 0; p->roles && p->roles[i]; i++)
                if (strcmp(p->roles[i], role) == 0 && p->packet.fds[i] >= 0)
                        return sock_packet_take_fd(&p->packet, i);
        return -EBADF;
}
