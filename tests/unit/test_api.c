/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_api.c - the HTTP interface over a life cycle in memory: statuses, bodies, errors, streams, events, concurrency.
 */
#include "fake_life.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/sock.h"
#include "daemon/api.h"
#include "daemon/api_http.h"
#include "partition/host.h"

#include <croft/stream.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

struct fixture {
        char dir[32];
        int dir_fd;
        struct host host;
        struct life *life;
        struct api *api;
};

static int anybody(int socket, struct croft_error *err)
{
        (void)socket;
        (void)err;
        return 0;
}

static int nobody(int socket, struct croft_error *err)
{
        (void)socket;
        return croft_error_set(err, EACCES, "not you.");
}

static void serve(struct fixture *f, api_policy policy)
{
        _cleanup_close_ int listener = sock_listen(f->dir_fd, "s", SOCK_STREAM, 0600, NULL);

        assert_int_equal(
                api_start_policy(f->life, (struct image_store *)f, &f->host, listener, policy, &f->api, NULL), 0);
}

static int set_up(void **state)
{
        struct fixture *f = calloc(1, sizeof(*f));

        strcpy(f->dir, "/tmp/croft-api-XXXXXX");
        assert_non_null(mkdtemp(f->dir));
        f->dir_fd = open(f->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        f->host.state_dir = f->dir_fd;
        strcpy(f->host.tag, "0123abcd");
        f->life = fake_life_new();
        serve(f, anybody);
        *state = f;
        return 0;
}

static int tear_down(void **state)
{
        struct fixture *f = *state;

        life_shutdown(f->life);
        f->api = api_stop(f->api);
        f->life = fake_life_free(f->life);
        (void)unlinkat(f->dir_fd, "s", 0);
        close_fd(f->dir_fd);
        (void)rmdir(f->dir);
        free(f);
        return 0;
}

/* --- a client --- */

static int dial(struct fixture *f)
{
        int fd = sock_connect(f->dir_fd, "s", SOCK_STREAM, NULL);

        assert_true(fd >= 0);
        return fd;
}

/* All that comes until the other side closes, as a string of its own. */
static char *read_all(int fd)
{
        size_t used = 0;
        char *text = malloc(1);
        ssize_t n;

        do {
                text = realloc(text, used + 4097);
                assert_non_null(text);
                n = recv(fd, text + used, 4096, 0);
                used += n > 0 ? (size_t)n : 0;
        } while (n > 0);
        text[used] = '\0';
        return text;
}

/* Sends bytes and returns the whole answer. */
static char *talk(struct fixture *f, const void *bytes, size_t size)
{
        _cleanup_close_ int fd = dial(f);

        (void)send(fd, bytes, size, MSG_NOSIGNAL);
        return read_all(fd);
}

static char *request(const char *method, const char *target, const char *body)
{
        char *text;

        assert_true(asprintf(&text,
                            "%s %s HTTP/1.1\r\nHost: croft\r\nConnection: close\r\nContent-Length: %zu\r\n"
                            "%s\r\n%s",
                            method, target, strlen(body), *body ? "Content-Type: application/json\r\n" : "", body) > 0);
        return text;
}

/* One request; returns the status, and the answer if it is wanted. */
static int ask(struct fixture *f, const char *method, const char *target, const char *body, char **ret)
{
        _cleanup_free_ char *text = request(method, target, body);
        _cleanup_free_ char *answer = talk(f, text, strlen(text));
        int status = 0;

        (void)sscanf(answer, "HTTP/1.1 %d", &status);
        if (ret)
                *ret = TAKE(answer);
        return status;
}

#define assert_status(f, method, target, body, status) assert_int_equal(ask(f, method, target, body, NULL), status)

static void assert_answer(
        struct fixture *f, const char *method, const char *target, const char *body, int status, const char *part)
{
        _cleanup_free_ char *answer = NULL;

        assert_int_equal(ask(f, method, target, body, &answer), status);
        if (!strstr(answer, part))
                fail_msg("no '%s' in: %s", part, answer);
}

static void create(struct fixture *f, const char *name)
{
        char body[128];

        (void)snprintf(body, sizeof(body), "{\"name\": \"%s\"}", name);
        assert_status(f, "POST", "/v1/partitions", body, 201);
}

/* --- partitions --- */

static void the_root_tells_version_and_instance(void **state)
{
        assert_answer(*state, "GET", "/v1", "", 200, "\"tag\":\"0123abcd\"");
        assert_answer(*state, "GET", "/v1", "", 200, "\"version\":\"");
}

static void a_check_names_each_feature_and_what_keeps_partitions_from_running(void **state)
{
        assert_answer(*state, "GET", "/v1/check", "", 200, "\"ready\":false,\"blocker\":\"gone\"");
        assert_answer(*state, "GET", "/v1/check", "", 200,
                "{\"name\":\"here\",\"status\":\"ok\",\"essential\":false,\"use\":\"something\",\"fallback\":null,"
                "\"lost\":null,\"detail\":\"6.1\"}");
}

static void a_check_names_what_croftd_itself_has_or_lacks_and_why(void **state)
{
        struct fixture *f = *state;

        assert_answer(
                f, "GET", "/v1/check", "", 200, "{\"name\":\"statistics-bpf\",\"status\":\"ok\",\"essential\":false,");
        assert_answer(f, "GET", "/v1/check", "", 200, "{\"name\":\"statistics-getsockopt\",\"status\":\"ok\"");
        (void)croft_error_set(&f->host.lacks[HOST_SOCKOPT], EPERM, "attach a program");
        (void)croft_error_prefix(&f->host.lacks[HOST_SOCKOPT], "open");
        assert_answer(
                f, "GET", "/v1/check", "", 200, "{\"name\":\"statistics-bpf\",\"status\":\"ok\",\"essential\":false,");
        assert_answer(f, "GET", "/v1/check", "", 200,
                "{\"name\":\"statistics-getsockopt\",\"status\":\"missing\",\"essential\":false,\"use\":\"the same by "
                "getsockopt(2), for programs that may not use bpf(2)\",\"fallback\":null,\"lost\":\"such programs get "
                "no "
                "statistics by key\",\"detail\":\"open: attach a program: Operation not permitted\"}");
        for (int i = 0; i < HOST_PARTS; i++)
                (void)croft_error_set(&f->host.lacks[i], EPERM, "use it");
        assert_answer(f, "GET", "/v1/check", "", 200,
                "\"lost\":\"sysinfo(2) tells the host's figures\",\"detail\":\"use it: Op");
}

static void a_partition_is_created_shown_and_removed(void **state)
{
        assert_answer(*state, "POST", "/v1/partitions",
                "{\"name\": \"web\", \"image\": \"deb12\", \"properties\": {\"memory.max\": \"64M\", \"cpu.weight\": "
                "50}}",
                201, "Location: /v1/partitions/web\r\n");
        assert_answer(*state, "GET", "/v1/partitions/web", "", 200, "\"root\":\"deb12\"");
        assert_answer(*state, "GET", "/v1/partitions/web", "", 200,
                "\"properties\":{\"cpu.weight\":\"50\",\"memory.max\":\"67108864\"}");
        assert_status(*state, "DELETE", "/v1/partitions/web", "", 204);
        assert_status(*state, "GET", "/v1/partitions/web", "", 404);
}

static void list_and_show_carry_the_same_facts(void **state)
{
        _cleanup_free_ char *list = NULL, *show = NULL;
        char *one;

        create(*state, "web");
        assert_int_equal(ask(*state, "GET", "/v1/partitions", "", &list), 200);
        assert_int_equal(ask(*state, "GET", "/v1/partitions/web", "", &show), 200);
        one = strstr(show, "\r\n\r\n") + 4;
        one[strcspn(one, "\n")] = '\0';
        assert_non_null(strstr(list, one));
}

static void the_list_can_be_limited_to_states(void **state)
{
        create(*state, "web");
        create(*state, "db");
        assert_status(*state, "POST", "/v1/partitions/web/start", "", 200);
        assert_answer(*state, "GET", "/v1/partitions?state=active", "", 200, "\"name\":\"web\"");
        assert_answer(*state, "GET", "/v1/partitions?state=Frozen,broken", "", 200, "\r\n\r\n[]\n");
        assert_answer(*state, "GET", "/v1/partitions?state=asleep", "", 400, "no state 'asleep'");
}

static void actions_answer_with_the_state_they_led_to(void **state)
{
        create(*state, "web");
        assert_answer(*state, "POST", "/v1/partitions/web/load", "{}", 200, "\"state\":\"Loaded\"");
        assert_answer(*state, "POST", "/v1/partitions/web/start", "", 200, "\"state\":\"Active\"");
        assert_answer(*state, "POST", "/v1/partitions/web/freeze", "", 200, "\"state\":\"Frozen\"");
        assert_answer(*state, "POST", "/v1/partitions/web/thaw", "", 200, "\"pid\":4711");
        assert_answer(*state, "POST", "/v1/partitions/web/restart", "{\"force\": true}", 200, "\"state\":\"Active\"");
        assert_answer(*state, "POST", "/v1/partitions/web/kill", "{\"signal\": \"HUP\"}", 200, "\"state\":\"Active\"");
        assert_answer(*state, "POST", "/v1/partitions/web/stop", "{\"timeout_ms\": 10}", 200,
                "\"exit_status\":{\"how\":\"killed\",\"status\":9}");
}

static void properties_are_set_unset_and_the_name_changed(void **state)
{
        create(*state, "web");
        assert_answer(*state, "PATCH", "/v1/partitions/web", "{\"properties\": {\"pids.max\": 100}}", 200,
                "\"properties\":{\"pids.max\":\"100\"}");
        assert_answer(*state, "PATCH", "/v1/partitions/web", "{\"properties\": {\"pids.max\": null}}", 200,
                "\"properties\":{}");
        assert_answer(*state, "PATCH", "/v1/partitions/web", "{\"name\": \"www\"}", 200, "\"name\":\"www\"");
        assert_status(*state, "GET", "/v1/partitions/web", "", 404);
}

static void an_error_has_code_exit_text_and_causes(void **state)
{
        assert_answer(*state, "GET", "/v1/partitions/nope", "", 404,
                "{\"error\":{\"code\":\"ENOENT\",\"exit\":3,\"text\":\"no partition 'nope'\",\"causes\":[\"no "
                "partition "
                "'nope'\"]}}");
}

static void names_that_are_none_are_refused_with_the_rule(void **state)
{
        assert_answer(*state, "POST", "/v1/partitions", "{\"name\": \"Web\"}", 400, "1 to 63 of a-z, 0-9 and '-'");
        assert_answer(*state, "GET", "/v1/partitions/%57eb", "", 400, "'Web' is no name");
        assert_answer(*state, "GET", "/v1/partitions/a%2Fb", "", 400, "'a/b' is no name");
}

static void bytes_that_are_no_text_are_escaped(void **state)
{
        struct fixture *f = *state;

        create(f, "web");
        fake_life_spoil(f->life, "web", "init said \xff\xfe\033[2J");
        assert_answer(f, "GET", "/v1/partitions/web", "", 200, "init said \\\\xff\\\\xfe\\\\x1b[2J");
        assert_answer(f, "GET", "/v1/partitions", "", 200, "init said \\\\xff\\\\xfe\\\\x1b[2J");
}

/* --- HTTP --- */

static void unknown_paths_are_404_and_unknown_methods_405_with_allow(void **state)
{
        assert_status(*state, "GET", "/", "", 404);
        assert_status(*state, "GET", "/v2/partitions", "", 404);
        assert_status(*state, "GET", "/v1/", "", 404);
        assert_status(*state, "GET", "/v1/partitions/", "", 404);
        assert_status(*state, "GET", "/v1/partitions/../partitions", "", 404);
        assert_answer(*state, "PUT", "/v1/partitions/web", "", 405, "Allow: GET, HEAD, PATCH, DELETE, OPTIONS\r\n");
        assert_answer(*state, "OPTIONS", "/v1/partitions/web", "", 204, "Allow: GET, HEAD, PATCH, DELETE, OPTIONS\r\n");
        assert_answer(*state, "OPTIONS", "*", "", 204, "Allow: ");
}

static void head_answers_without_a_body(void **state)
{
        _cleanup_free_ char *answer = NULL;

        assert_int_equal(ask(*state, "HEAD", "/v1", "", &answer), 200);
        assert_non_null(strstr(answer, "Content-Length: "));
        assert_string_equal(strstr(answer, "\r\n\r\n"), "\r\n\r\n");
        free(TAKE(answer));
        assert_int_equal(ask(*state, "HEAD", "/v1/events", "", &answer), 200);
        assert_string_equal(strstr(answer, "\r\n\r\n"), "\r\n\r\n");
}

static void targets_that_are_odd_are_refused(void **state)
{
        assert_answer(*state, "GET", "/v1/partitions/web%00", "", 400, "NUL");
        assert_answer(*state, "GET", "/v1/partitions/%zz", "", 400, "two hex digits");
        assert_answer(*state, "GET", "/v1/partitions?limit=1", "", 400, "no parameter 'limit' here; known: state");
        assert_answer(*state, "GET", "/v1?x", "", 400, "known: none");
        assert_answer(*state, "DELETE", "/v1/partitions/web?force=maybe", "", 400, "true or false, not 'maybe'");
        assert_answer(*state, "DELETE", "/v1/partitions/web?force=1&force=0", "", 400, "given twice");
        assert_status(*state, "GET", "http://croft/v1", "", 200);
}

static void bodies_of_other_types_or_where_none_belongs_are_refused(void **state)
{
        static const char form[] =
                "POST /v1/partitions HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n"
                "Content-Type: application/x-www-form-urlencoded\r\n\r\n{}";
        _cleanup_free_ char *answer = talk(*state, form, strlen(form));

        assert_non_null(strstr(answer, "HTTP/1.1 415 "));
        assert_answer(*state, "GET", "/v1", "{}", 400, "this request has no body");
}

static void a_large_body_is_413_announced_or_in_chunks(void **state)
{
        static const char announced[] = "POST /v1/partitions HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                                        "Content-Length: 99999999\r\n\r\n",
                          expecting[] = "POST /v1/partitions HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                                        "Expect: 100-continue\r\nContent-Length: 1048577\r\n\r\n";
        static const char chunked[] = "POST /v1/partitions HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                                      "Transfer-Encoding: chunked\r\n\r\n100001\r\n";
        _cleanup_free_ char *answer = talk(*state, announced, strlen(announced)), *all = NULL;
        size_t head = strlen(chunked), body = 0x100001;

        assert_non_null(strstr(answer, "HTTP/1.1 413 "));
        free(TAKE(answer));
        answer = talk(*state, expecting, strlen(expecting));
        assert_non_null(strstr(answer, "HTTP/1.1 413 "));
        free(TAKE(answer));
        all = malloc(head + body + 7);
        memcpy(all, chunked, head);
        memset(all + head, ' ', body);
        memcpy(all + head + body, "\r\n0\r\n\r\n", 7);
        answer = talk(*state, all, head + body + 7);
        assert_non_null(strstr(answer, "HTTP/1.1 413 "));
        assert_non_null(strstr(answer, "EFBIG"));
}

static void a_body_may_come_in_pieces(void **state)
{
        static const char head[] = "POST /v1/partitions HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                                   "Transfer-Encoding: chunked\r\n\r\n",
                          body[] = "1\r\n{\r\n6\r\n\"name\"\r\n6\r\n:\"web\"\r\n1\r\n}\r\n0\r\n\r\n";
        _cleanup_close_ int fd = dial(*state);
        _cleanup_free_ char *answer = NULL;

        assert_int_equal(send(fd, head, strlen(head), MSG_NOSIGNAL), strlen(head));
        for (const char *p = body; *p; p++)
                assert_int_equal(send(fd, p, 1, MSG_NOSIGNAL), 1);
        answer = read_all(fd);
        assert_non_null(strstr(answer, "HTTP/1.1 201 "));
}

static void requests_of_one_connection_are_answered_in_order(void **state)
{
        static const char two[] = "GET /v1/partitions HTTP/1.1\r\nHost: x\r\n\r\n"
                                  "GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        _cleanup_free_ char *answer = talk(*state, two, strlen(two));
        const char *first = strstr(answer, "HTTP/1.1 200 "), *second = strstr(answer, "HTTP/1.1 404 ");

        assert_non_null(first);
        assert_non_null(second);
        assert_true(first < second);
}

static void notices_are_told_once(void **state)
{
        struct fixture *f = *state;
        _cleanup_free_ char *answer = NULL;

        fake_life_notify(f->life, "the interrupted 'start' of 'web' was undone");
        fake_life_notify(f->life, "odd\r\nSet-Cookie: x");
        assert_int_equal(ask(f, "GET", "/v1", "", &answer), 200);
        assert_non_null(strstr(answer, "Croft-Notice: the interrupted 'start' of 'web' was undone\r\n"));
        assert_non_null(strstr(answer, "Croft-Notice: odd\\x0d\\x0aSet-Cookie: x\r\n"));
        free(TAKE(answer));
        assert_int_equal(ask(f, "GET", "/v1", "", &answer), 200);
        assert_null(strstr(answer, "Croft-Notice"));
}

static void a_peer_that_the_policy_refuses_gets_403(void **state)
{
        struct fixture *f = *state;

        f->api = api_stop(f->api);
        serve(f, nobody);
        fake_life_notify(f->life, "secret");
        assert_answer(f, "GET", "/v1", "", 403, "\"exit\":4");
        assert_answer(f, "POST", "/v1/partitions", "{\"name\":\"web\"}", 403, "not you");
        f->api = api_stop(f->api);
        serve(f, anybody);
        assert_answer(f, "GET", "/v1/partitions", "", 200, "Croft-Notice: secret");
}

static void connections_above_the_limit_get_503(void **state)
{
        static const char get[] = "GET /v1 HTTP/1.1\r\nHost: x\r\n\r\n";
        int fds[API_CONNECTIONS_MAX + 1];
        char answer[64] = "";

        for (size_t i = 0; i < ELEMENTS(fds); i++) {
                fds[i] = dial(*state);
                assert_int_equal(send(fds[i], get, strlen(get), MSG_NOSIGNAL), strlen(get));
                assert_true(recv(fds[i], answer, sizeof(answer) - 1, 0) > 12);
                assert_memory_equal(answer, i < API_CONNECTIONS_MAX ? "HTTP/1.1 200" : "HTTP/1.1 503", 12);
        }
        for (size_t i = 0; i < ELEMENTS(fds); i++)
                close_fd(fds[i]);
}

/* --- concurrency --- */

static int send_request(struct fixture *f, const char *method, const char *target, const char *body)
{
        _cleanup_free_ char *text = request(method, target, body);
        int fd = dial(f);

        assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
        return fd;
}

static void of_two_starts_at_once_one_is_409_and_lists_go_on(void **state)
{
        struct fixture *f = *state;
        _cleanup_close_ int first = -EBADF;
        _cleanup_free_ char *answer = NULL;

        create(f, "web");
        fake_life_gate(f->life, false);
        first = send_request(f, "POST", "/v1/partitions/web/start", "");
        fake_life_wait_gate(f->life);
        assert_answer(f, "POST", "/v1/partitions/web/start", "", 409, "\"exit\":5");
        assert_answer(f, "GET", "/v1/partitions", "", 200, "\"operation\":\"start\"");
        fake_life_gate(f->life, true);
        answer = read_all(first);
        assert_non_null(strstr(answer, "HTTP/1.1 200 "));
}

static void stopping_waits_for_the_operation_under_way(void **state)
{
        struct fixture *f = *state;
        _cleanup_close_ int first = -EBADF;
        _cleanup_free_ char *answer = NULL;

        create(f, "web");
        fake_life_gate(f->life, false);
        first = send_request(f, "POST", "/v1/partitions/web/start", "");
        fake_life_wait_gate(f->life);
        life_shutdown(f->life);
        f->api = api_stop(f->api); /* hangs if it doesn't end */
        answer = read_all(first);  /* an answer or none, but an end */
}

/* --- streams --- */

#define UPGRADE "Connection: Upgrade\r\nUpgrade: croft-stream/1\r\n"

static char *upgrade(const char *path, const char *body, const char *headers)
{
        char *text;

        assert_true(asprintf(&text, "POST /v1/partitions/web/%s HTTP/1.1\r\nHost: x\r\n%sContent-Length: %zu\r\n\r\n%s",
                            path, headers, strlen(body), body) > 0);
        return text;
}

static void read_exactly(int fd, const void *expected, size_t size)
{
        _cleanup_free_ char *got = malloc(size);

        assert_int_equal(recv(fd, got, size, MSG_WAITALL), size);
        assert_memory_equal(got, expected, size);
}

/* Reads the header of 101 to its end. */
static void read_101(int fd)
{
        char head[1024];
        size_t used = 0;

        do {
                assert_true(used < sizeof(head) - 1);
                assert_int_equal(recv(fd, head + used, 1, 0), 1);
                head[++used] = '\0';
        } while (!strstr(head, "\r\n\r\n"));
        assert_memory_equal(head, "HTTP/1.1 101 ", 13);
        assert_non_null(strstr(head, "Upgrade: croft-stream/1\r\n"));
}

static const char hello[] = "\0\0\0\0\0\0\0\5hello", hello_back[] = "\1\0\0\0\0\0\0\5hello";
static const char end[8] = "\0\0\0\0\0\0\0\0", end_back[] = "\3\0\0\0\0\0\0\4\0\0\0\7";

static void stream(struct fixture *f, const char *path, const char *body)
{
        _cleanup_free_ char *text = upgrade(path, body, UPGRADE);
        _cleanup_close_ int fd = dial(f);
        char byte;

        assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
        read_101(fd);
        for (int i = 0; i < 3; i++) {
                assert_int_equal(send(fd, hello, 13, MSG_NOSIGNAL), 13);
                read_exactly(fd, hello_back, 13);
        }
        assert_int_equal(send(fd, end, 8, MSG_NOSIGNAL), 8);
        read_exactly(fd, end_back, 12);
        assert_int_equal(recv(fd, &byte, 1, 0), 0); /* croftd kept no copy of the descriptor */
}

static void exec_becomes_a_stream(void **state)
{
        struct fixture *f = *state;

        create(f, "web");
        assert_status(f, "POST", "/v1/partitions/web/start", "", 200);
        for (int i = 0; i < 3; i++)
                stream(f, "exec", "{\"argv\": [\"cat\", \"-u\"]}");
        assert_string_equal(fake_life_command(f->life), "cat -u");
}

static void console_becomes_a_stream(void **state)
{
        create(*state, "web");
        assert_status(*state, "POST", "/v1/partitions/web/start", "", 200);
        stream(*state, "console", "");
}

static void what_follows_the_request_at_once_reaches_the_session(void **state)
{
        _cleanup_free_ char *text = upgrade("exec", "{\"argv\": [\"cat\"]}", UPGRADE), *all = NULL;
        _cleanup_close_ int fd = dial(*state);
        size_t head = strlen(text);
        char byte;

        create(*state, "web");
        assert_status(*state, "POST", "/v1/partitions/web/start", "", 200);
        all = malloc(head + 26);
        memcpy(all, text, head);
        memcpy(all + head, hello, 13);
        memcpy(all + head + 13, hello, 13);
        assert_int_equal(send(fd, all, head + 26, MSG_NOSIGNAL), head + 26);
        read_101(fd);
        read_exactly(fd, hello_back, 13);
        read_exactly(fd, hello_back, 13);
        assert_int_equal(send(fd, hello, 13, MSG_NOSIGNAL), 13);
        read_exactly(fd, hello_back, 13);
        assert_int_equal(send(fd, end, 8, MSG_NOSIGNAL), 8);
        read_exactly(fd, end_back, 12);
        assert_int_equal(recv(fd, &byte, 1, 0), 0);
}

static void a_stream_lives_on_when_the_server_ends(void **state)
{
        struct fixture *f = *state;
        _cleanup_free_ char *text = upgrade("exec", "{\"argv\": [\"cat\"]}", UPGRADE);
        _cleanup_close_ int fd = dial(f);

        create(f, "web");
        assert_status(f, "POST", "/v1/partitions/web/start", "", 200);
        assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
        read_101(fd);
        assert_int_equal(send(fd, hello, 13, MSG_NOSIGNAL), 13);
        read_exactly(fd, hello_back, 13);
        f->api = api_stop(f->api);
        assert_int_equal(send(fd, hello, 13, MSG_NOSIGNAL), 13);
        read_exactly(fd, hello_back, 13);
}

static void exec_in_what_does_not_run_is_409_and_without_upgrade_426(void **state)
{
        _cleanup_free_ char *text = upgrade("exec", "{\"argv\": [\"cat\"]}", UPGRADE "Connection: close\r\n");
        _cleanup_free_ char *answer = NULL;

        create(*state, "web");
        answer = talk(*state, text, strlen(text));
        assert_non_null(strstr(answer, "HTTP/1.1 409 "));
        assert_answer(
                *state, "POST", "/v1/partitions/web/exec", "{\"argv\": [\"cat\"]}", 426, "Upgrade: croft-stream/1\r\n");
}

static void a_command_that_fails_after_101_says_why_in_the_stream(void **state)
{
        static const char why[] = "\6\0\0\0\0\0\0\35run 'fail': Exec format error\3\0\0\0\0\0\0\4\0\0\0\175";
        _cleanup_free_ char *text = upgrade("exec", "{\"argv\": [\"fail\"]}", UPGRADE);
        _cleanup_close_ int fd = dial(*state);
        char byte;

        create(*state, "web");
        assert_status(*state, "POST", "/v1/partitions/web/start", "", 200);
        assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
        read_101(fd);
        read_exactly(fd, why, sizeof(why) - 1);
        assert_int_equal(recv(fd, &byte, 1, 0), 0);
}

/* --- events, log, images --- */

static void events_come_a_line_each_until_the_client_goes(void **state)
{
        struct fixture *f = *state;
        int fd = send_request(f, "GET", "/v1/events", "");
        char text[2048];
        size_t used = 0;
        ssize_t n;

        while (fake_life_subscribers(f->life) == 0)
                assert_status(f, "GET", "/v1", "", 200); /* passes the time */
        create(f, "web");
        do {
                n = recv(fd, text + used, sizeof(text) - 1 - used, 0);
                assert_true(n > 0);
                used += (size_t)n;
                text[used] = '\0';
        } while (!strstr(text, "\"Defined\"}\n"));
        assert_non_null(strstr(text, "application/jsonl"));
        close_fd(fd);
        while (fake_life_subscribers(f->life) > 0)
                life_event(f->life, "state", "web", "again");
}

static void the_log_is_given_as_its_bytes(void **state)
{
        create(*state, "web");
        assert_answer(*state, "GET", "/v1/partitions/web/log", "", 200, "\r\n\r\nboot\xff\033[31m\n");
        create(*state, "silent");
        assert_answer(*state, "GET", "/v1/partitions/silent/log", "", 200, "Content-Length: 0\r\n");
        assert_status(*state, "GET", "/v1/partitions/db/log", "", 404);
}

static void images_are_listed_built_refused_and_kept_while_in_use(void **state)
{
        assert_answer(*state, "GET", "/v1/images", "", 200, "[{\"id\":\"12345678\",\"name\":\"deb12\"");
        assert_answer(*state, "GET", "/v1/images/deb12", "", 200, "\"os\":\"Debian GNU/Linux 12\"");
        assert_answer(*state, "GET", "/v1/images/%1b", "", 400, "\\\\x1b");
        assert_answer(*state, "POST", "/v1/images", "{\"name\": \"x\", \"build\": {\"suite\": \"bookworm\"}}", 201,
                "Location: /v1/images/12345678");
        assert_status(*state, "POST", "/v1/images", "{\"name\": \"x\", \"build\": {\"suite\": \"potato\"}}", 404);
        assert_answer(*state, "POST", "/v1/images", "{\"name\": \"x\", \"import\": {\"path\": \"/x\"}}", 422, "EILSEQ");
        assert_status(*state, "POST", "/v1/partitions", "{\"name\": \"web\", \"image\": \"deb12\"}", 201);
        assert_status(*state, "DELETE", "/v1/images/deb12", "", 409);
        assert_status(*state, "DELETE", "/v1/partitions/web", "", 204);
        assert_status(*state, "DELETE", "/v1/images/deb12", "", 204);
}

static void pools_are_made_changed_bound_to_and_removed(void **state)
{
        create(*state, "web");
        assert_answer(*state, "GET", "/v1/pools", "", 200,
                "[{\"name\":\"default\",\"cpus\":\"0-3\",\"online\":\"0-3\",\"default\":true,\"partitions\":[\"web\"]}"
                "]");
        assert_answer(
                *state, "POST", "/v1/pools", "{\"name\": \"fast\", \"cpus\": \"0\"}", 201, "Location: /v1/pools/fast");
        assert_status(*state, "POST", "/v1/pools", "{\"name\": \"fast\", \"cpus\": \"1\"}", 409);
        assert_status(*state, "POST", "/v1/pools", "{\"name\": \"far\", \"cpus\": \"4\"}", 400);
        assert_status(*state, "POST", "/v1/pools", "{\"name\": \"far\", \"cpus\": \"x\"}", 400);
        assert_status(*state, "POST", "/v1/pools", "{\"cpus\": \"1\"}", 400);
        assert_answer(*state, "PATCH", "/v1/pools/fast", "{\"cpus\": \"1-2\"}", 200, "\"cpus\":\"1-2\"");
        assert_status(*state, "PATCH", "/v1/pools/fast", "{}", 400);
        assert_status(*state, "PATCH", "/v1/pools/slow", "{\"cpus\": \"1\"}", 404);
        assert_answer(*state, "POST", "/v1/partitions/web/bind", "{\"pool\": \"fast\"}", 200, "\"pool\":\"fast\"");
        assert_status(*state, "POST", "/v1/partitions/web/bind", "{\"pool\": \"slow\"}", 404);
        assert_status(*state, "POST", "/v1/partitions/web/bind", "", 400);
        assert_answer(*state, "GET", "/v1/pools/fast", "", 200, "\"partitions\":[\"web\"]");
        assert_status(*state, "GET", "/v1/pools/FAST", "", 400);
        assert_status(*state, "DELETE", "/v1/pools/fast", "", 204);
        assert_status(*state, "GET", "/v1/pools/fast", "", 404);
}

static void devices_are_exported_listed_and_taken_back(void **state)
{
        create(*state, "web");
        assert_answer(*state, "GET", "/v1/partitions/web/devices", "", 200, "[]");
        assert_answer(*state, "POST", "/v1/partitions/web/devices",
                "{\"device\": \"/dev/net/tun\", \"as\": \"net/tun\", \"access\": \"r\"}", 201,
                "[{\"partition\":\"web\",\"name\":\"net/tun\",\"device\":\"/dev/net/"
                "tun\",\"type\":\"char\",\"number\":\"10:229\",\"major\":10,\"minor\":229,\"access\":\"r\",\"cdi\":"
                "null,"
                "\"auto\":false}]");
        assert_answer(*state, "GET", "/v1/devices", "", 200, "\"name\":\"net/tun\"");
        assert_status(*state, "POST", "/v1/partitions/web/devices", "{\"device\": \"/dev/mem\"}", 403);
        assert_status(*state, "POST", "/v1/partitions/web/devices", "{}", 400);
        assert_status(*state, "POST", "/v1/partitions/db/devices", "{\"device\": \"/dev/fuse\"}", 404);
        assert_status(*state, "GET", "/v1/partitions/db/devices", "", 404);
        assert_status(*state, "DELETE", "/v1/partitions/web/devices", "", 400);
        assert_status(*state, "DELETE", "/v1/partitions/web/devices?device=", "", 400);
        assert_status(*state, "DELETE", "/v1/partitions/web/devices?device=other", "", 404);
        assert_status(*state, "DELETE", "/v1/partitions/web/devices?device=net%2Ftun", "", 204);
        assert_answer(*state, "GET", "/v1/partitions/web/devices", "", 200, "[]");
        assert_status(*state, "POST", "/v1/devices", "{}", 405);
}

static void extensions_are_registered_shown_and_revoked(void **state)
{
        assert_answer(*state, "POST", "/v1/extensions", "{\"path\": \"/root/copy.ko\"}", 201,
                "\"name\":\"copy\",\"kind\":\"ko\",\"size_bytes\":4711,\"kernel\":\"6.1.0-fake\"");
        assert_answer(*state, "GET", "/v1/extensions", "", 200, "\"depends\":[\"crc_ccitt\",\"libcrc32c\"]");
        assert_answer(*state, "GET", "/v1/extensions/copy", "", 200, "\"state\":\"CURRENT\"");
        assert_answer(*state, "POST", "/v1/extensions/copy/supersede", "", 200, "\"state\":\"SUPERSEDED\"");
        assert_answer(*state, "POST", "/v1/extensions/copy/revoke", "", 200, "\"state\":\"REVOKED\"");
        assert_status(*state, "GET", "/v1/extensions/other", "", 404);
        assert_status(*state, "GET", "/v1/extensions/%1b", "", 400);
        assert_status(*state, "POST", "/v1/extensions", "{}", 400);
        assert_status(*state, "POST", "/v1/extensions", "{\"path\": \"/etc/passwd\"}", 422);
        assert_answer(*state, "GET", "/v1/identity?path=/root/other.ko", "", 200, "\"generation\":null,\"state\":null");
        assert_status(*state, "GET", "/v1/identity?path=other.ko", "", 400);
        assert_status(*state, "GET", "/v1/identity", "", 400);
}

static void extensions_are_granted_checked_and_taken_back(void **state)
{
        create(*state, "web");
        assert_answer(*state, "GET", "/v1/partitions/web/extensions", "", 200, "[]");
        assert_status(*state, "GET", "/v1/partitions/web/extensions/check?path=/root/copy.ko", "", 403);
        assert_answer(*state, "POST", "/v1/partitions/web/extensions",
                "{\"extension\": \"copy\", \"local\": true, \"major\": true, \"parameters\": \"a,b=1\"}", 201,
                "[{\"partition\":\"web\",\"name\":\"copy\",\"local\":true,\"major\":true,\"previous\":false");
        assert_answer(*state, "GET", "/v1/partitions/web/extensions/check?path=/root/copy.ko&parameters=b%3d1", "", 200,
                "\"name\":\"copy\"");
        assert_status(*state, "GET", "/v1/partitions/web/extensions/check?path=/root/copy.ko&parameters=c", "", 403);
        assert_status(*state, "GET", "/v1/partitions/web/extensions/check", "", 400);
        assert_status(*state, "POST", "/v1/partitions/web/extensions", "{}", 400);
        assert_status(*state, "GET", "/v1/partitions/db/extensions", "", 404);
        assert_status(*state, "DELETE", "/v1/partitions/web/extensions", "", 400);
        assert_status(*state, "DELETE", "/v1/partitions/web/extensions?extension=other", "", 404);
        assert_status(*state, "DELETE", "/v1/partitions/web/extensions?extension=copy", "", 204);
        assert_answer(*state, "GET", "/v1/partitions/web/scan", "", 200, "[]");
        assert_answer(*state, "POST", "/v1/partitions/web/scan", "", 200,
                "\"application\":\"app\",\"file\":\"copy.ko\",\"path\":\"/opt/app/copy.ko\"");
        assert_answer(*state, "GET", "/v1/partitions/web/scan", "", 200, "pipe\\\\xff.ko");
        assert_answer(*state, "GET", "/v1/partitions/web/scan", "", 200, "\"scan\":12,\"reason\":\"request\"");
        assert_answer(*state, "POST", "/v1/partitions/web/provide?extension=copy&path=/x/copy.ko", "", 200,
                "\"path\":\"/opt/app/copy.ko\"");
        assert_status(*state, "POST", "/v1/partitions/web/provide?extension=copy&path=copy.ko", "", 400);
        assert_status(*state, "POST", "/v1/partitions/web/provide?extension=other", "", 404);
        assert_status(*state, "POST", "/v1/partitions/web/provide", "", 400);
        assert_answer(*state, "GET", "/v1/scans", "", 200, "\"scan\":12,\"reason\":\"packages\",\"found\":2");
}

#define served(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                served(pools_are_made_changed_bound_to_and_removed),
                served(devices_are_exported_listed_and_taken_back),
                served(extensions_are_registered_shown_and_revoked),
                served(extensions_are_granted_checked_and_taken_back),
                served(the_root_tells_version_and_instance),
                served(a_check_names_each_feature_and_what_keeps_partitions_from_running),
                served(a_check_names_what_croftd_itself_has_or_lacks_and_why),
                served(a_partition_is_created_shown_and_removed),
                served(list_and_show_carry_the_same_facts),
                served(the_list_can_be_limited_to_states),
                served(actions_answer_with_the_state_they_led_to),
                served(properties_are_set_unset_and_the_name_changed),
                served(an_error_has_code_exit_text_and_causes),
                served(names_that_are_none_are_refused_with_the_rule),
                served(bytes_that_are_no_text_are_escaped),
                served(unknown_paths_are_404_and_unknown_methods_405_with_allow),
                served(head_answers_without_a_body),
                served(targets_that_are_odd_are_refused),
                served(bodies_of_other_types_or_where_none_belongs_are_refused),
                served(a_large_body_is_413_announced_or_in_chunks),
                served(a_body_may_come_in_pieces),
                served(requests_of_one_connection_are_answered_in_order),
                served(notices_are_told_once),
                served(a_peer_that_the_policy_refuses_gets_403),
                served(connections_above_the_limit_get_503),
                served(of_two_starts_at_once_one_is_409_and_lists_go_on),
                served(stopping_waits_for_the_operation_under_way),
                served(exec_becomes_a_stream),
                served(console_becomes_a_stream),
                served(what_follows_the_request_at_once_reaches_the_session),
                served(a_stream_lives_on_when_the_server_ends),
                served(exec_in_what_does_not_run_is_409_and_without_upgrade_426),
                served(a_command_that_fails_after_101_says_why_in_the_stream),
                served(events_come_a_line_each_until_the_client_goes),
                served(the_log_is_given_as_its_bytes),
                served(images_are_listed_built_refused_and_kept_while_in_use),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
