/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_client.c - libcroft against a server of a few lines that answers what a test tells it to, in pieces of the
 * size that the test tells it.
 */
#include <croft/croft.h>
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

/* One connection: the request is read up to its announced end, then the answer is sent. */
struct server {
        char directory[64], path[128];
        int listen_fd;
        pthread_t thread;
        const char *answer;
        size_t answer_size, step;
        size_t read_max; /* stop reading the request after that many bytes; 0: read all */
        char request[8192];
};

static void read_request(struct server *s, int fd)
{
        size_t used = 0, want = 0;

        while (used + 1 < sizeof(s->request) && (!want || used < want) && (!s->read_max || used < s->read_max)) {
                ssize_t n = read(fd, s->request + used, sizeof(s->request) - 1 - used);
                char *end, *length;

                if (n <= 0)
                        break;
                used += (size_t)n;
                s->request[used] = '\0';
                end = strstr(s->request, "\r\n\r\n");
                length = strstr(s->request, "Content-Length: ");
                if (end)
                        want = (size_t)(end + 4 - s->request) + (length ? strtoul(length + 16, NULL, 10) : 0);
        }
}

static void *serve(void *context)
{
        struct server *s = context;
        int fd = accept4(s->listen_fd, NULL, NULL, SOCK_CLOEXEC);

        read_request(s, fd);
        for (size_t at = 0; at < s->answer_size; at += s->step) {
                size_t size = s->answer_size - at < s->step ? s->answer_size - at : s->step;

                if (send(fd, s->answer + at, size, MSG_NOSIGNAL) < 0)
                        break;
        }
        close(fd);
        return NULL;
}

static void server_listen(struct server *s)
{
        struct sockaddr_un address = {.sun_family = AF_UNIX};

        strcpy(s->directory, "/tmp/croft-test.XXXXXX");
        assert_non_null(mkdtemp(s->directory));
        snprintf(s->path, sizeof(s->path), "%s/s", s->directory);
        strcpy(address.sun_path, s->path);
        s->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_true(s->listen_fd >= 0);
        assert_int_equal(bind(s->listen_fd, (struct sockaddr *)&address, sizeof(address)), 0);
        assert_int_equal(listen(s->listen_fd, 4), 0);
}

static void server_start(struct server *s, const char *answer, size_t size, size_t step)
{
        memset(s, 0, sizeof(*s));
        s->answer = answer;
        s->answer_size = size;
        s->step = step;
        server_listen(s);
        assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void server_stop(struct server *s)
{
        pthread_join(s->thread, NULL);
        close(s->listen_fd);
        unlink(s->path);
        rmdir(s->directory);
}

static struct croft_client *client_of(const struct server *s)
{
        struct croft_client *client = NULL;

        assert_int_equal(croft_client_open(s->path, &client, NULL), 0);
        return client;
}

static void a_request_arrives_as_it_was_asked(void **state)
{
        static const char answer[] = "HTTP/1.1 201 Created\r\nContent-Length: 11\r\n\r\n{\"id\": 123}";
        struct croft_client *client;
        struct server s;
        char *text = NULL;

        (void)state;
        server_start(&s, answer, strlen(answer), 1);
        client = client_of(&s);
        assert_int_equal(croft_client_request(client, "POST", "/v1/partitions", "{\"name\":\"web\"}", &text, NULL), 0);
        assert_string_equal(text, "{\"id\": 123}");
        server_stop(&s);
        assert_true(strncmp(s.request, "POST /v1/partitions HTTP/1.1\r\n", 30) == 0);
        assert_non_null(strstr(s.request, "\r\nContent-Length: 14\r\n"));
        assert_string_equal(strstr(s.request, "\r\n\r\n") + 4, "{\"name\":\"web\"}");
        free(text);
        croft_client_close(client);
}

static void an_answer_without_a_body_is_the_empty_string(void **state)
{
        static const char answer[] = "HTTP/1.1 204 No Content\r\n\r\n";
        struct croft_client *client;
        struct server s;
        char *text = NULL;

        (void)state;
        server_start(&s, answer, strlen(answer), 1);
        client = client_of(&s);
        assert_int_equal(croft_client_request(client, "DELETE", "/v1/partitions/web", NULL, &text, NULL), 0);
        assert_string_equal(text, "");
        server_stop(&s);
        free(text);
        croft_client_close(client);
}

static void a_refusal_leaves_the_result_alone_and_says_the_exit_status(void **state)
{
        static const char answer[] =
                "HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n"
                "{\"error\":{\"code\":\"ENOENT\",\"exit\":3,\"causes\":[\"stop 'web'\",\"no partition 'web'\"]}}";
        struct croft_error err = CROFT_ERROR_INIT;
        struct croft_client *client;
        struct server s;
        char untouched[] = "x", *text = untouched;

        (void)state;
        server_start(&s, answer, strlen(answer), 5);
        client = client_of(&s);
        assert_int_equal(croft_client_request(client, "POST", "/v1/partitions/web/stop", NULL, &text, &err), -ENOENT);
        assert_ptr_equal(text, untouched);
        assert_int_equal(croft_client_exit(client), CROFT_EXIT_NOT_FOUND);
        assert_string_equal(croft_error_cause(&err, 1), "no partition 'web'");
        server_stop(&s);
        croft_client_close(client);
}

static void a_server_that_hangs_up_is_an_error(void **state)
{
        struct croft_error err = CROFT_ERROR_INIT;
        struct croft_client *client;
        struct server s;

        (void)state;
        server_start(&s, "", 0, 1);
        client = client_of(&s);
        assert_int_equal(croft_client_request(client, "GET", "/v1", NULL, NULL, &err), -ECONNRESET);
        assert_int_equal(croft_client_exit(client), CROFT_EXIT_FAILURE);
        server_stop(&s);
        croft_client_close(client);
}

static void an_answer_that_comes_before_the_body_was_read_is_heard(void **state)
{
        static const char answer[] = "HTTP/1.1 413 Content Too Large\r\nConnection: close\r\n\r\n"
                                     "{\"error\":{\"code\":\"EMSGSIZE\",\"exit\":1,\"text\":\"too large\"}}";
        struct croft_error err = CROFT_ERROR_INIT;
        struct croft_client *client;
        char *body = malloc(8 << 20);
        struct server s;

        (void)state;
        assert_non_null(body);
        memset(body, ' ', (8 << 20) - 1);
        body[(8 << 20) - 1] = '\0';
        memset(&s, 0, sizeof(s));
        s.answer = answer;
        s.answer_size = strlen(answer);
        s.step = 1000;
        s.read_max = 100;
        server_listen(&s);
        assert_int_equal(pthread_create(&s.thread, NULL, serve, &s), 0);
        client = client_of(&s);
        assert_int_equal(croft_client_request(client, "POST", "/v1/partitions", body, NULL, &err), -EMSGSIZE);
        assert_string_equal(croft_error_cause(&err, 0), "too large");
        server_stop(&s);
        croft_client_close(client);
        free(body);
}

static void a_missing_croftd_is_named_with_the_remedy(void **state)
{
        struct croft_error err = CROFT_ERROR_INIT;
        struct croft_client *client = NULL;

        (void)state;
        assert_int_equal(croft_client_open("/tmp/croft-test-none/croft.sock", &client, NULL), 0);
        assert_int_equal(croft_client_request(client, "GET", "/v1", NULL, NULL, &err), -ECONNREFUSED);
        assert_string_equal(croft_error_cause(&err, 0),
                "croftd isn't running at /tmp/croft-test-none/croft.sock (start it with: systemctl start croftd)");
        assert_int_equal(croft_client_exit(client), CROFT_EXIT_FAILURE);
        croft_client_close(client);
}

static void a_path_with_a_line_break_is_never_sent(void **state)
{
        struct croft_client *client = NULL;

        (void)state;
        assert_int_equal(croft_client_open("/nonexistent", &client, NULL), 0);
        assert_int_equal(croft_client_request(client, "GET", "/v1\r\nX: y", NULL, NULL, NULL), -EINVAL);
        assert_int_equal(croft_client_request(client, "GET", "v1", NULL, NULL, NULL), -EINVAL);
        assert_int_equal(croft_client_request(client, "GET /", "/v1", NULL, NULL, NULL), -EINVAL);
        croft_client_close(client);
}

static void the_environment_says_where_croftd_is(void **state)
{
        struct croft_client *client = NULL;

        (void)state;
        setenv("CROFT_SOCKET", "/tmp/elsewhere.sock", 1);
        assert_int_equal(croft_client_open(NULL, &client, NULL), 0);
        assert_string_equal(croft_client_socket(client), "/tmp/elsewhere.sock");
        croft_client_close(client);
        unsetenv("CROFT_SOCKET");
        assert_int_equal(croft_client_open(NULL, &client, NULL), 0);
        assert_string_equal(croft_client_socket(client), CROFT_SOCKET_DEFAULT);
        croft_client_close(client);
}

static void a_socket_deeper_than_an_address_holds_is_reached(void **state)
{
        static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
        static const char part[] = "/a-directory-with-a-rather-long-name-that-fills-the-path-of-a-socket";
        char deep[400], link[500];
        struct croft_client *client = NULL;
        struct server s;

        (void)state;
        server_start(&s, answer, strlen(answer), 100);
        snprintf(deep, sizeof(deep), "%s%s", s.directory, part);
        assert_int_equal(mkdir(deep, 0700), 0);
        snprintf(link, sizeof(link), "%s%s", deep, part);
        assert_int_equal(link[0] ? symlink(s.path, link) : -1, 0);
        assert_int_equal(croft_client_open(link, &client, NULL), 0);
        assert_int_equal(croft_client_request(client, "GET", "/v1", NULL, NULL, NULL), 0);
        croft_client_close(client);
        unlink(link);
        rmdir(deep);
        server_stop(&s);
}

static int count_up(void *context)
{
        return ++*(int *)context == 3 ? -ECANCELED : 0;
}

static void a_tick_may_end_the_wait(void **state)
{
        struct croft_client *client;
        int count = 0, fd;
        struct server s;

        (void)state;
        memset(&s, 0, sizeof(s));
        server_listen(&s); /* the kernel connects, nobody answers */
        client = client_of(&s);
        croft_client_on_wait(client, 1, count_up, &count);
        assert_int_equal(croft_client_request(client, "GET", "/v1", NULL, NULL, NULL), -ECANCELED);
        assert_int_equal(count, 3);
        croft_client_close(client);
        fd = s.listen_fd;
        close(fd);
        unlink(s.path);
        rmdir(s.directory);
}

static void the_stream_begins_right_behind_the_upgrade(void **state)
{
        static const char answer[] = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
                                     "Upgrade: croft-stream/1\r\n\r\n\001\0\0\0\0\0\0\002hi";
        struct croft_client *client;
        struct server s;
        char buf[16];
        int fd = -1;

        (void)state;
        server_start(&s, answer, sizeof(answer) - 1, sizeof(answer));
        client = client_of(&s);
        assert_int_equal(croft_client_upgrade(client, "/v1/partitions/web/exec", "{}", &fd, NULL), 0);
        croft_client_close(client);
        assert_int_equal(recv(fd, buf, sizeof(buf), MSG_WAITALL), 10);
        assert_memory_equal(buf, "\001\0\0\0\0\0\0\002hi", 10);
        close(fd);
        server_stop(&s);
        assert_non_null(strstr(s.request, "\r\nConnection: Upgrade\r\nUpgrade: croft-stream/1\r\n"));
}

static void a_refused_upgrade_is_the_error_that_it_says(void **state)
{
        static const char refused[] =
                "HTTP/1.1 409 Conflict\r\nContent-Length: 71\r\n\r\n"
                "{\"error\":{\"code\":\"EBUSY\",\"exit\":5,\"text\":\"'web' is being stopped here\"}}";
        static const char ignored[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
        struct croft_client *client;
        struct server s;
        int fd = -1;

        (void)state;
        server_start(&s, refused, strlen(refused), 1);
        client = client_of(&s);
        assert_int_equal(croft_client_upgrade(client, "/v1/partitions/web/exec", "{}", &fd, NULL), -EBUSY);
        server_stop(&s);
        croft_client_close(client);
        server_start(&s, ignored, strlen(ignored), 1);
        client = client_of(&s);
        assert_int_equal(croft_client_upgrade(client, "/v1/partitions/web/exec", "{}", &fd, NULL), -EPROTO);
        assert_int_equal(fd, -1);
        server_stop(&s);
        croft_client_close(client);
}

static int collect(void *context, const void *data, size_t size)
{
        strncat(context, data, size);
        return strlen(context) >= 6 ? -ECANCELED : 0;
}

static void a_sink_gets_the_bytes_and_may_stop_them(void **state)
{
        static const char answer[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n"
                                     "3\r\nghi\r\n0\r\n\r\n";
        struct croft_client *client;
        struct server s;
        char text[32] = "";

        (void)state;
        server_start(&s, answer, strlen(answer), 1);
        client = client_of(&s);
        assert_int_equal(croft_client_fetch(client, "/v1/partitions/web/log", collect, text, NULL), -ECANCELED);
        assert_string_equal(text, "abcdef");
        server_stop(&s);
        croft_client_close(client);
}

static void events_are_lines_however_they_are_cut(void **state)
{
        static const char answer[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                     "b\r\n{\"id\":1}\n{\"\r\n8\r\nid\":2}\n\n\r\n0\r\n\r\n";

        (void)state;
        for (size_t step = 1; step < sizeof(answer); step += 6) {
                struct croft_events *events = NULL;
                struct croft_client *client;
                struct server s;
                char *line = NULL;

                server_start(&s, answer, strlen(answer), step);
                client = client_of(&s);
                assert_int_equal(croft_events_open(client, &events, NULL), 0);
                croft_client_close(client);
                assert_int_equal(croft_events_next(events, -1, &line, NULL), 1);
                assert_string_equal(line, "{\"id\":1}");
                free(line);
                assert_int_equal(croft_events_next(events, -1, &line, NULL), 1);
                assert_string_equal(line, "{\"id\":2}");
                free(line);
                assert_int_equal(croft_events_next(events, -1, &line, NULL), -ESHUTDOWN);
                croft_events_close(events);
                server_stop(&s);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_request_arrives_as_it_was_asked),
                cmocka_unit_test(an_answer_without_a_body_is_the_empty_string),
                cmocka_unit_test(a_refusal_leaves_the_result_alone_and_says_the_exit_status),
                cmocka_unit_test(a_server_that_hangs_up_is_an_error),
                cmocka_unit_test(an_answer_that_comes_before_the_body_was_read_is_heard),
                cmocka_unit_test(a_missing_croftd_is_named_with_the_remedy),
                cmocka_unit_test(a_path_with_a_line_break_is_never_sent),
                cmocka_unit_test(the_environment_says_where_croftd_is),
                cmocka_unit_test(a_socket_deeper_than_an_address_holds_is_reached),
                cmocka_unit_test(a_tick_may_end_the_wait),
                cmocka_unit_test(the_stream_begins_right_behind_the_upgrade),
                cmocka_unit_test(a_refused_upgrade_is_the_error_that_it_says),
                cmocka_unit_test(a_sink_gets_the_bytes_and_may_stop_them),
                cmocka_unit_test(events_are_lines_however_they_are_cut),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
