/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_warden_msg.c - the messages between croftd and its wardens survive a round trip, and nothing malformed gets in.
 */
#include "base/cleanup.h"
#include "base/error.h"
#include "base/str.h"
#include "partition/warden_msg.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

static char *words[] = {(char[]){"/sbin/init"}, (char[]){"--x=\xff\n"}, (char[]){""}, NULL};

static struct launch_spec launch_sample(void)
{
        return (struct launch_spec){.id = 1ULL << 40,
                .name = "web",
                .hostname = "web.example",
                .uid_base = 0x10000,
                .uid_count = 65536,
                .argv = words,
                .environment = words + 1,
                .nofile = 4096,
                .memory_bytes = 1 << 28,
                .own_network = true,
                .joins = true,
                .modules = true};
}

static struct exec_spec exec_sample(void)
{
        return (struct exec_spec){.id = 7,
                .uid_base = 0x20000,
                .uid_count = 65536,
                .argv = words,
                .environment = words + 3,
                .user = "www-data",
                .directory = words[0],
                .terminal = true,
                .rows = 65535,
                .columns = 80};
}

static struct wire_reader over(const struct wire_writer *w, size_t size)
{
        struct wire_reader r;

        assert_int_equal(w->fault, 0);
        wire_reader_init(&r, w->data, size);
        return r;
}

static void launch_spec_survives_a_round_trip(void **state)
{
        _cleanup_(wire_writer_done) struct wire_writer w = WIRE_WRITER_INIT;
        _cleanup_(launch_spec_done) struct launch_spec got = {0};
        struct launch_spec sent = launch_sample();
        struct wire_reader r;

        (void)state;
        launch_spec_put(&w, &sent);
        r = over(&w, w.used);
        assert_int_equal(launch_spec_get(&r, &got), 0);
        assert_true(got.id == sent.id && got.uid_base == sent.uid_base && got.uid_count == sent.uid_count);
        assert_string_equal(got.name, "web");
        assert_string_equal(got.hostname, "web.example");
        assert_int_equal(strv_length(got.argv), 3);
        assert_string_equal(got.argv[1], words[1]);
        assert_int_equal(strv_length(got.environment), 2);
        assert_int_equal(got.nofile, 4096);
        assert_int_equal(got.memory_bytes, 1 << 28);
        assert_true(got.own_network && got.joins && !got.console_getty && got.modules);
}

static void exec_spec_survives_a_round_trip(void **state)
{
        _cleanup_(wire_writer_done) struct wire_writer w = WIRE_WRITER_INIT;
        _cleanup_(exec_spec_done) struct exec_spec got = {0};
        struct exec_spec sent = exec_sample();
        struct wire_reader r;

        (void)state;
        exec_spec_put(&w, &sent);
        r = over(&w, w.used);
        assert_int_equal(exec_spec_get(&r, &got), 0);
        assert_string_equal(got.user, "www-data");
        assert_string_equal(got.directory, words[0]);
        assert_int_equal(strv_length(got.argv), 3);
        assert_int_equal(strv_length(got.environment), 0);
        assert_true(got.terminal);
        assert_int_equal(got.rows, 65535);
        assert_int_equal(got.columns, 80);
}

static void state_survives_a_round_trip(void **state)
{
        _cleanup_(wire_writer_done) struct wire_writer w = WIRE_WRITER_INIT;
        struct warden_state sent = {3, WARDEN_PHASE_EXITED, 4711, UINT64_MAX, -2}, got;
        struct wire_reader r;

        (void)state;
        warden_state_put(&w, &sent);
        r = over(&w, w.used);
        assert_int_equal(warden_state_get(&r, &got), 0);
        assert_true(got.id == 3 && got.phase == WARDEN_PHASE_EXITED && got.pid == 4711);
        assert_true(got.start_time == UINT64_MAX && got.exit_status == -2);
}

static void error_keeps_its_chain(void **state)
{
        _cleanup_(wire_writer_done) struct wire_writer w = WIRE_WRITER_INIT;
        struct croft_error sent = CROFT_ERROR_INIT, got = CROFT_ERROR_INIT;
        _cleanup_free_ char *text = NULL;
        struct message_args args;
        struct wire_reader r;

        (void)state;
        croft_error_set(&sent, ENOENT, "open '%s'", "x");
        croft_error_prefix(&sent, "mount /usr");
        warden_error_put(&w, &sent);
        r = over(&w, w.used);
        assert_int_equal(warden_error_get(&r, &got), 0);
        assert_int_equal(got.code, ENOENT);
        assert_string_equal(croft_error_cause(&got, 0), "mount /usr");
        assert_string_equal(croft_error_cause(&got, 1), croft_error_cause(&sent, 1));
        croft_error_prefix(&got, "start");
        assert_string_equal(croft_error_cause(&got, 0), "start");
        /* And what each was made of. */
        assert_string_equal(error_format(&got, 0, &args), "start");
        assert_string_equal(error_format(&got, 1, &args), "mount /usr");
        assert_string_equal(error_format(&got, 2, &args), "open '%s'");
        assert_int_equal(args.n, 1);
        text = message_argument(&args, 0);
        assert_string_equal(text, "x");
        assert_null(error_format(&got, 3, &args));
}

/* A warden that lies says what it likes; croftd keeps formats only. */
static void a_format_that_is_none_is_refused(void **state)
{
        static const struct {
                const char *format;
                uint32_t n;
                const char *args;
                size_t size;
        } lies[] = {{"%n", 0, "", 0}, {"%s%s", 1, "d", 1}, {"%s", 1, "sx", 2}, {"", 1, "sx", 3}, {"%s", 0, "sx", 3},
                {"%s", 99, "sx", 3}};

        (void)state;
        for (size_t i = 0; i < ELEMENTS(lies); i++) {
                _cleanup_(wire_writer_done) struct wire_writer w = WIRE_WRITER_INIT;
                struct croft_error got = CROFT_ERROR_INIT;
                struct wire_reader r;

                wire_put_u32(&w, EIO);
                wire_put_u32(&w, 1);
                wire_put_string(&w, "a text");
                wire_put_string(&w, lies[i].format);
                wire_put_u32(&w, lies[i].n);
                wire_put_blob(&w, lies[i].args, lies[i].size);
                r = over(&w, w.used);
                assert_true(warden_error_get(&r, &got) < 0);
                assert_int_equal(got.code, 0);
        }
}

static void error_of_full_length_survives(void **state)
{
        _cleanup_(wire_writer_done) struct wire_writer w = WIRE_WRITER_INIT;
        struct croft_error sent = CROFT_ERROR_INIT, got = CROFT_ERROR_INIT;
        char a[1500], b[1500];
        struct wire_reader r;

        (void)state;
        memset(a, 'a', sizeof(a) - 1);
        a[sizeof(a) - 1] = '\0';
        croft_error_set(&sent, EIO, "%s", a);
        for (int i = 0; i < 20; i++)
                croft_error_prefix(&sent, "%s", a);
        warden_error_put(&w, &sent);
        r = over(&w, w.used);
        assert_int_equal(warden_error_get(&r, &got), 0);
        assert_string_equal(croft_error_line(&got, a, sizeof(a)), croft_error_line(&sent, b, sizeof(b)));
}

/* Each decoder as one type, so that every truncation can be tried on all. */
static int get_launch(struct wire_reader *r)
{
        struct launch_spec s = {.id = 1};
        int result = launch_spec_get(r, &s);

        if (result < 0)
                assert_true(s.id == 0 && !s.argv && !s.environment);
        launch_spec_done(&s);
        return result;
}

static int get_exec(struct wire_reader *r)
{
        struct exec_spec s = {.id = 1};
        int result = exec_spec_get(r, &s);

        if (result < 0)
                assert_true(s.id == 0 && !s.argv && !s.directory);
        exec_spec_done(&s);
        return result;
}

static int get_state(struct wire_reader *r)
{
        struct warden_state s;

        return warden_state_get(r, &s);
}

static int get_error(struct wire_reader *r)
{
        struct croft_error e;

        return warden_error_get(r, &e);
}

static int get_module(struct wire_reader *r)
{
        struct module_request request;

        return module_request_get(r, &request);
}

static int get_answer(struct wire_reader *r)
{
        struct module_answer answer;

        return module_answer_get(r, &answer);
}

static void refuses_every_truncation(const struct wire_writer *w, int (*decode)(struct wire_reader *))
{
        struct wire_reader r;

        for (size_t size = 0; size < w->used; size++) {
                _cleanup_free_ uint8_t *exact = malloc(size ? size : 1); /* so that ASan sees a read beyond */

                assert_non_null(exact);
                memcpy(exact, w->data, size);
                wire_reader_init(&r, exact, size);
                assert_true(decode(&r) < 0);
        }
        r = over(w, w->used);
        assert_int_equal(decode(&r), 0);
}

static void what_is_said_of_modules_comes_as_it_was(void **state)
{
        const struct module_request sent = {.call = 7, .load = true, .flags = 4, .text = "nr=3 size=4096"};
        _cleanup_(wire_writer_done) struct wire_writer w = WIRE_WRITER_INIT, answer = WIRE_WRITER_INIT;
        struct module_request got;
        struct module_answer told;
        struct wire_reader r;

        (void)state;
        module_request_put(&w, &sent);
        r = over(&w, w.used);
        assert_int_equal(module_request_get(&r, &got), 0);
        assert_memory_equal(&got, &sent, sizeof(sent));
        refuses_every_truncation(&w, get_module);
        module_answer_put(&answer, &(struct module_answer){.call = 7, .code = EPERM});
        r = over(&answer, answer.used);
        assert_int_equal(module_answer_get(&r, &told), 0);
        assert_true(told.call == 7 && told.code == EPERM);
        refuses_every_truncation(&answer, get_answer);
        answer.used = 0;
        module_answer_put(&answer, &(struct module_answer){.call = 7, .code = 4096});
        r = over(&answer, answer.used);
        assert_int_equal(module_answer_get(&r, &told), -EBADMSG);
}

static void every_truncation_is_refused(void **state)
{
        struct warden_state s = {3, WARDEN_PHASE_LOADED, 1, 2, -1};
        struct croft_error e = CROFT_ERROR_INIT;
        struct launch_spec launch = launch_sample();
        struct exec_spec exec = exec_sample();
        struct wire_writer w[4] = {WIRE_WRITER_INIT, WIRE_WRITER_INIT, WIRE_WRITER_INIT, WIRE_WRITER_INIT};

        (void)state;
        croft_error_set(&e, EPERM, "inner");
        croft_error_prefix(&e, "outer");
        launch_spec_put(&w[0], &launch);
        exec_spec_put(&w[1], &exec);
        warden_state_put(&w[2], &s);
        warden_error_put(&w[3], &e);
        refuses_every_truncation(&w[0], get_launch);
        refuses_every_truncation(&w[1], get_exec);
        refuses_every_truncation(&w[2], get_state);
        refuses_every_truncation(&w[3], get_error);
        for (size_t i = 0; i < ELEMENTS(w); i++)
                wire_writer_done(&w[i]);
}

static void trailing_bytes_are_refused(void **state)
{
        struct warden_state s = {3, WARDEN_PHASE_LOADED, 1, 2, -1};
        struct launch_spec launch = launch_sample();
        struct wire_writer w[2] = {WIRE_WRITER_INIT, WIRE_WRITER_INIT};
        struct wire_reader r;

        (void)state;
        launch_spec_put(&w[0], &launch);
        warden_state_put(&w[1], &s);
        wire_put_u8(&w[0], 0);
        wire_put_u8(&w[1], 0);
        r = over(&w[0], w[0].used);
        assert_int_equal(get_launch(&r), -EBADMSG);
        r = over(&w[1], w[1].used);
        assert_int_equal(get_state(&r), -EBADMSG);
        wire_writer_done(&w[0]);
        wire_writer_done(&w[1]);
}

static int decode_launch(const struct launch_spec *spec)
{
        _cleanup_(wire_writer_done) struct wire_writer w = WIRE_WRITER_INIT;
        struct wire_reader r;

        launch_spec_put(&w, spec);
        r = over(&w, w.used);
        return get_launch(&r);
}

static void launch_spec_with_host_ids_or_no_command_is_refused(void **state)
{
        struct launch_spec spec = launch_sample();

        (void)state;
        spec.uid_base = 0;
        assert_int_equal(decode_launch(&spec), -EBADMSG);
        spec = launch_sample();
        spec.uid_count = UINT32_MAX;
        assert_int_equal(decode_launch(&spec), -EBADMSG);
        spec = launch_sample();
        spec.uid_base = UINT32_MAX - 65536; /* would take in (uid_t)-1 */
        assert_int_equal(decode_launch(&spec), -EBADMSG);
        spec = launch_sample();
        spec.argv = words + 3;
        assert_int_equal(decode_launch(&spec), -EBADMSG);
}

static void more_strings_than_allowed_are_refused(void **state)
{
        char *many[WARDEN_STRINGS_MAX + 2];
        struct launch_spec spec = launch_sample();

        (void)state;
        for (size_t i = 0; i <= WARDEN_STRINGS_MAX; i++)
                many[i] = words[2];
        many[WARDEN_STRINGS_MAX + 1] = NULL;
        spec.environment = many;
        assert_int_equal(decode_launch(&spec), -EMSGSIZE);
        many[WARDEN_STRINGS_MAX] = NULL;
        assert_int_equal(decode_launch(&spec), 0);
}

static int decode_state(struct warden_state s)
{
        _cleanup_(wire_writer_done) struct wire_writer w = WIRE_WRITER_INIT;
        struct wire_reader r;

        warden_state_put(&w, &s);
        r = over(&w, w.used);
        return get_state(&r);
}

static void state_out_of_range_is_refused(void **state)
{
        (void)state;
        assert_int_equal(decode_state((struct warden_state){3, WARDEN_PHASE_RUNNING, 1, 2, -1}), 0);
        assert_int_equal(decode_state((struct warden_state){3, (enum warden_phase)0, 1, 2, -1}), -EBADMSG);
        assert_int_equal(decode_state((struct warden_state){3, (enum warden_phase)4, 1, 2, -1}), -EBADMSG);
        assert_int_equal(decode_state((struct warden_state){3, WARDEN_PHASE_RUNNING, -1, 2, -1}), -EBADMSG);
        assert_int_equal(decode_state((struct warden_state){3, WARDEN_PHASE_RUNNING, 1LL << 31, 2, -1}), -EBADMSG);
        assert_int_equal(decode_state((struct warden_state){3, WARDEN_PHASE_RUNNING, 1, 2, -3}), -EBADMSG);
}

static int decode_error_of(uint32_t code, uint32_t n)
{
        _cleanup_(wire_writer_done) struct wire_writer w = WIRE_WRITER_INIT;
        struct wire_reader r;

        wire_put_u32(&w, code);
        wire_put_u32(&w, n);
        for (uint32_t i = 0; i < n; i++) {
                wire_put_string(&w, "x");
                wire_put_string(&w, "");
                wire_put_u32(&w, 0);
                wire_put_blob(&w, "", 0);
        }
        r = over(&w, w.used);
        return get_error(&r);
}

static void error_without_code_or_with_too_many_causes_is_refused(void **state)
{
        (void)state;
        assert_int_equal(decode_error_of(1, CROFT_ERROR_CAUSES_MAX), 0);
        assert_int_equal(decode_error_of(1, CROFT_ERROR_CAUSES_MAX + 1), -EBADMSG);
        assert_int_equal(decode_error_of(0, 1), -EBADMSG);
        assert_int_equal(decode_error_of(1, 0), -EBADMSG);
        assert_int_equal(decode_error_of(UINT32_MAX, 1), -EBADMSG);
}

struct pair {
        int a, b;
};

static struct pair pair_new(void)
{
        int fds[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
        return (struct pair){fds[0], fds[1]};
}

static void pair_done(struct pair *p)
{
        close_fd(p->a);
        close_fd(p->b);
}

static int open_null(void)
{
        int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

        assert_true(fd >= 0);
        return fd;
}

static void message_carries_descriptors_by_role_and_leaves_out_missing_ones(void **state)
{
        _cleanup_(pair_done) struct pair s = pair_new();
        _cleanup_(warden_packet_done) struct warden_packet p = {0};
        _cleanup_(wire_writer_done) struct wire_writer body = WIRE_WRITER_INIT;
        _cleanup_close_ int null = open_null(), taken = -EBADF;
        struct warden_fd fds[] = {{"pidfd", null}, {"netns", -EBADF}, {"console", null}};

        (void)state;
        wire_put_i64(&body, 15);
        assert_int_equal(warden_send(s.a, WARDEN_SIGNAL, fds, ELEMENTS(fds), &body), 0);
        assert_int_equal(warden_receive(s.b, &p), 1);
        assert_int_equal(p.type, WARDEN_SIGNAL);
        assert_int_equal(p.packet.n_fds, 2);
        assert_int_equal(warden_packet_take_fd(&p, "netns"), -EBADF);
        taken = warden_packet_take_fd(&p, "console");
        assert_true(taken >= 0 && fcntl(taken, F_GETFD) == FD_CLOEXEC);
        assert_int_equal(warden_packet_take_fd(&p, "console"), -EBADF);
        assert_int_equal(wire_get_i64(&p.body), 15);
        assert_int_equal(wire_reader_end(&p.body), 0);
}

static int receive_raw(const void *data, size_t size, const int *fds, size_t n_fds)
{
        _cleanup_(pair_done) struct pair s = pair_new();
        struct warden_packet p = {0};
        int r;

        assert_int_equal(sock_send_packet(s.a, data, size, fds, n_fds), 0);
        r = warden_receive(s.b, &p);
        if (r != 1)
                assert_true(!p.packet.data && !p.roles && p.packet.n_fds == 0);
        warden_packet_done(&p);
        return r;
}

static int receive_head(uint32_t type, uint32_t roles, size_t n_fds)
{
        _cleanup_(wire_writer_done) struct wire_writer w = WIRE_WRITER_INIT;
        _cleanup_close_ int null = open_null();
        int fds[3] = {null, null, null};

        wire_put_u32(&w, type);
        wire_put_u32(&w, roles);
        for (uint32_t i = 0; i < roles; i++)
                wire_put_string(&w, "x");
        return receive_raw(w.data, w.used, fds, n_fds);
}

static void roles_that_do_not_match_the_descriptors_are_refused(void **state)
{
        (void)state;
        assert_int_equal(receive_head(WARDEN_RUN, 1, 1), 1);
        assert_int_equal(receive_head(WARDEN_RUN, 2, 1), -EBADMSG);
        assert_int_equal(receive_head(WARDEN_RUN, 0, 1), -EBADMSG);
        assert_int_equal(receive_head(WARDEN_RUN, 1, 0), -EBADMSG);
}

static void unknown_type_and_cut_head_are_refused(void **state)
{
        (void)state;
        assert_int_equal(receive_head(0, 0, 0), -EBADMSG);
        assert_int_equal(receive_head(63, 0, 0), -EBADMSG);
        assert_int_equal(receive_head(WARDEN_SEEN + 1, 0, 0), -EBADMSG);
        assert_int_equal(receive_raw("\1\0\0", 3, NULL, 0), -EBADMSG);
        assert_int_equal(receive_raw("\1\0\0\0\xff\xff\xff\xff", 8, NULL, 0), -EMSGSIZE);
}

static void oversized_messages_are_refused_on_both_sides(void **state)
{
        _cleanup_(pair_done) struct pair s = pair_new();
        _cleanup_(wire_writer_done) struct wire_writer body = WIRE_WRITER_INIT;
        _cleanup_free_ char *large = calloc(1, WARDEN_PACKET_MAX + 1);

        (void)state;
        assert_non_null(large);
        wire_put_blob(&body, large, WARDEN_PACKET_MAX);
        assert_int_equal(warden_send(s.a, WARDEN_RUN, NULL, 0, &body), -EMSGSIZE);
        assert_int_equal(receive_raw(large, WARDEN_PACKET_MAX + 1, NULL, 0), -EMSGSIZE);
}

static void closed_peer_reads_as_gone(void **state)
{
        _cleanup_(pair_done) struct pair s = pair_new();
        struct warden_packet p = {0};

        (void)state;
        s.a = close_fd(s.a);
        assert_int_equal(warden_receive(s.b, &p), 0);
}

static void every_type_has_a_name(void **state)
{
        (void)state;
        assert_string_equal(warden_type_name(WARDEN_LAUNCH), "LAUNCH");
        assert_string_equal(warden_type_name(WARDEN_FAILED), "FAILED");
        assert_string_equal(warden_type_name((enum warden_type)50), "unknown");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(launch_spec_survives_a_round_trip),
                cmocka_unit_test(exec_spec_survives_a_round_trip),
                cmocka_unit_test(state_survives_a_round_trip),
                cmocka_unit_test(error_keeps_its_chain),
                cmocka_unit_test(error_of_full_length_survives),
                cmocka_unit_test(a_format_that_is_none_is_refused),
                cmocka_unit_test(every_truncation_is_refused),
                cmocka_unit_test(what_is_said_of_modules_comes_as_it_was),
                cmocka_unit_test(trailing_bytes_are_refused),
                cmocka_unit_test(launch_spec_with_host_ids_or_no_command_is_refused),
                cmocka_unit_test(more_strings_than_allowed_are_refused),
                cmocka_unit_test(state_out_of_range_is_refused),
                cmocka_unit_test(error_without_code_or_with_too_many_causes_is_refused),
                cmocka_unit_test(message_carries_descriptors_by_role_and_leaves_out_missing_ones),
                cmocka_unit_test(roles_that_do_not_match_the_descriptors_are_refused),
                cmocka_unit_test(unknown_type_and_cut_head_are_refused),
                cmocka_unit_test(oversized_messages_are_refused_on_both_sides),
                cmocka_unit_test(closed_peer_reads_as_gone),
                cmocka_unit_test(every_type_has_a_name),
        };

        return cmocka_run_group_tests_name("warden_msg", tests, NULL, NULL);
}
