/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fuzz_warden_msg.c - the bodies of messages between croftd and its wardens.  The first byte of an input says which one
 * the rest is.  What is taken and written again must be the same bytes: there is one way to say a thing.
 */
#include "fuzz.h"
#include "partition/warden_msg.h"

#include <string.h>

static void require_same(struct wire_writer *w, const uint8_t *data, size_t size)
{
        fuzz_require(w->fault == 0 && w->used == size);
        fuzz_require(size == 0 || memcmp(w->data, data, size) == 0);
        wire_writer_done(w);
}

static void launch(struct wire_reader *r, struct wire_writer *w)
{
        struct launch_spec spec = {.id = 0};

        if (launch_spec_get(r, &spec) == 0 && wire_reader_end(r) == 0) {
                launch_spec_put(w, &spec);
                require_same(w, r->data, r->size);
        }
        launch_spec_done(&spec);
}

static void exec(struct wire_reader *r, struct wire_writer *w)
{
        struct exec_spec spec = {.id = 0};

        if (exec_spec_get(r, &spec) == 0 && wire_reader_end(r) == 0) {
                exec_spec_put(w, &spec);
                require_same(w, r->data, r->size);
        }
        exec_spec_done(&spec);
}

static void state(struct wire_reader *r, struct wire_writer *w)
{
        struct warden_state s;

        if (warden_state_get(r, &s) == 0 && wire_reader_end(r) == 0) {
                warden_state_put(w, &s);
                require_same(w, r->data, r->size);
        }
}

static void listeners(struct wire_reader *r, struct wire_writer *w)
{
        struct listeners_note note;

        if (listeners_note_get(r, &note) == 0 && wire_reader_end(r) == 0) {
                listeners_note_put(w, &note);
                require_same(w, r->data, r->size);
        }
}

static void loops(struct wire_reader *r, struct wire_writer *w)
{
        struct loops_note note;

        if (loops_note_get(r, &note) == 0 && wire_reader_end(r) == 0) {
                loops_note_put(w, &note);
                require_same(w, r->data, r->size);
        }
}

static void module(struct wire_reader *r, struct wire_writer *w)
{
        struct module_request request;

        if (module_request_get(r, &request) == 0 && wire_reader_end(r) == 0) {
                module_request_put(w, &request);
                require_same(w, r->data, r->size);
        }
}

static void module_done(struct wire_reader *r, struct wire_writer *w)
{
        struct module_answer answer;

        if (module_answer_get(r, &answer) == 0 && wire_reader_end(r) == 0) {
                module_answer_put(w, &answer);
                require_same(w, r->data, r->size);
        }
}

/* An error may be cut to what fits; it must be printable whatever came. */
static void error(struct wire_reader *r, struct wire_writer *w)
{
        struct croft_error e;
        char line[CROFT_ERROR_TEXT_MAX];

        (void)w;
        if (warden_error_get(r, &e) < 0)
                return;
        fuzz_require(strlen(croft_error_line(&e, line, sizeof(line))) < sizeof(line));
        for (unsigned int i = 0; croft_error_cause(&e, i); i++)
                fuzz_require(strlen(croft_error_cause(&e, i)) < CROFT_ERROR_TEXT_MAX);
        (void)croft_error_exit(&e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static void (*const decoders[])(struct wire_reader *, struct wire_writer *) = {
                launch, exec, state, error, listeners, loops, module, module_done};
        struct wire_writer w = WIRE_WRITER_INIT;
        struct wire_reader r;

        if (size == 0 || data[0] >= sizeof(decoders) / sizeof(decoders[0]))
                return 0;
        wire_reader_init(&r, data + 1, size - 1);
        decoders[data[0]](&r, &w);
        wire_writer_done(&w);
        return 0;
}
