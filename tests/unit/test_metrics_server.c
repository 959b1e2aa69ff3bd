/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_metrics_server.c - the listener for scrapers: which addresses it takes, and that it serves one path to anybody.
 */
#include "fake_life.h"

#include "base/cleanup.h"
#include "daemon/api_metrics.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static int takes(const char *text, bool public)
{
        struct sockaddr_storage address;
        socklen_t size;

        return metrics_address(text, public, &address, &size, NULL);
}

static void loopback_addresses_are_taken_others_when_it_is_said(void **state)
{
        (void)state;
        assert_int_equal(takes("127.0.0.1:9478", false), 0);
        assert_int_equal(takes("127.9.9.9:1", false), 0);
        assert_int_equal(takes("[::1]:9478", false), 0);
        assert_int_equal(takes("9478", false), 0);
        assert_int_equal(takes("0.0.0.0:9478", false), -EPERM);
        assert_int_equal(takes("[::]:9478", false), -EPERM);
        assert_int_equal(takes("192.0.2.1:9478", false), -EPERM);
        assert_int_equal(takes("[::ffff:127.0.0.1]:1", false), -EPERM);
        assert_int_equal(takes("0.0.0.0:9478", true), 0);
        assert_int_equal(takes("[2001:db8::1]:9478", true), 0);
}

static void what_is_no_address_is_refused(void **state)
{
        static const char *const wrong[] = {"", ":", ":1", "host:1", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536",
                "127.0.0.1:-1", "::1:9478", "[::1]9478", "[::1:9478", "[]:1", "[:1", "1.2.3:4", "127.0.0.1:80 ",
                "[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0001]:1"};

        (void)state;
        for (size_t i = 0; i < ELEMENTS(wrong); i++)
                assert_int_equal(takes(wrong[i], true), -EINVAL);
}

static char *ask(unsigned int port, const char *request)
{
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
        _cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        char *text = calloc(1, 1 << 20);
        size_t size = 0;
        ssize_t n;

        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
        assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
        while ((n = recv(fd, text + size, (1 << 20) - 1 - size, 0)) > 0)
                size += (size_t)n;
        return text;
}

static void one_path_is_served_and_nothing_else(void **state)
{
        struct api api = {.life = fake_life_new()};
        struct metrics_server *server = NULL;
        char *text;

        (void)state;
        assert_int_equal(life_create(api.life, "web", NULL, NULL, NULL), 0);
        assert_int_equal(metrics_server_start(&api, "127.0.0.1:0", false, &server, NULL), 0);
        text = ask(metrics_server_port(server), "GET /metrics HTTP/1.0\r\n\r\n");
        assert_non_null(strstr(text, "200 OK"));
        assert_non_null(strstr(text, "croft_memory_usage_bytes{name=\"web\""));
        assert_string_equal(text + strlen(text) - 6, "# EOF\n");
        free(text);
        text = ask(metrics_server_port(server), "GET /v1/partitions HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        assert_non_null(strstr(text, "404 Not Found"));
        free(text);
        text = ask(metrics_server_port(server),
                "DELETE /v1/partitions/web HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        assert_non_null(strstr(text, "405 Method Not Allowed"));
        free(text);
        text = ask(metrics_server_port(server),
                "POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc");
        assert_non_null(strstr(text, "405 Method Not Allowed"));
        assert_null(strstr(text, "200 OK"));
        free(text);
        text = ask(metrics_server_port(server),
                "GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc");
        assert_null(strstr(text, "200 OK"));
        free(text);
        text = ask(metrics_server_port(server), "HEAD /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        assert_non_null(strstr(text, "200 OK"));
        assert_null(strstr(text, "Content-Length")); /* which isn't 0, and isn't known */
        assert_null(strstr(text, "croft_"));
        free(text);
        metrics_server_stop(server);
        fake_life_free(api.life);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(loopback_addresses_are_taken_others_when_it_is_said),
                cmocka_unit_test(what_is_no_address_is_refused),
                cmocka_unit_test(one_path_is_served_and_nothing_else),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
