/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_remote_tls.c - TLS with a certificate on each side: which files are taken, who is let in, and what is said.
 */
#include "tls_kit.h"

#include "base/cleanup.h"
#include "base/clock.h"

#include <openssl/err.h>
#include <openssl/sslerr.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cmocka.h>

static struct tls_kit kit;

static int make_certificates(void **state)
{
        (void)state;
        (void)signal(SIGPIPE, SIG_IGN);
        tls_kit_init(&kit);
        tls_kit_certify(&kit, "ca", NULL, NULL, 10);
        tls_kit_certify(&kit, "other", NULL, NULL, 10);
        tls_kit_certify(&kit, "near", "ca", "DNS:near,DNS:near.example.org", 10);
        tls_kit_certify(&kit, "far", "ca", "DNS:far,IP:10.9.8.2", 10);
        tls_kit_certify(&kit, "late", "ca", "DNS:near", -10);
        tls_kit_certify(&kit, "foreign", "other", "DNS:near", 10);
        tls_kit_certify(&kit, "nameless", "ca", NULL, 10);
        tls_kit_certify(&kit, "wild", "ca", "DNS:*.example.org,DNS:*", 10);
        return 0;
}

static int remove_certificates(void **state)
{
        (void)state;
        tls_kit_done(&kit);
        return 0;
}

/* What the two ends say of each other: NULL, or what is in it. */
static void expect(const char *near, const char *host, const char *far, const char *near_says, const char *far_says)
{
        struct tls_files connecting = tls_kit_files(&kit, near, "ca"), serving = tls_kit_files(&kit, far, "ca");
        struct tls_kit_end connects, serves;
        char line[CROFT_ERROR_TEXT_MAX];

        tls_kit_meet(&connecting, host, &serving, &connects, &serves);
        if (near_says && connects.status == 0) { /* with TLS 1.3 a refusal comes after the handshake */
                int n, r;
                char byte;

                ERR_clear_error();
                n = SSL_read(connects.ssl, &byte, 1);
                r = tls_fail(connects.ssl, n, "it", &connects.err);
                assert_true(r < 0);
        }
        if (near_says)
                assert_non_null(strstr(croft_error_line(&connects.err, line, sizeof(line)), near_says));
        else
                assert_int_equal(connects.status, 0);
        if (far_says)
                assert_non_null(strstr(croft_error_line(&serves.err, line, sizeof(line)), far_says));
        else
                assert_int_equal(serves.status, 0);
        tls_kit_end_done(&connects);
        tls_kit_end_done(&serves);
}

static void two_with_the_same_authority_meet(void **state)
{
        (void)state;
        expect("near", "far", "far", NULL, NULL);
        expect("near", "10.9.8.2", "far", NULL, NULL);
}

static void a_certificate_for_another_name_is_refused(void **state)
{
        const char *words = "it shows the certificate of another machine";

        (void)state;
        expect("near", "elsewhere", "far", words, "it refuses our certificate");
        expect("near", "10.9.8.3", "far", words, "it refuses our certificate");
        expect("near", "nameless", "nameless", words, "it refuses our certificate"); /* CN is no name */
        expect("near", "www.example.org", "wild", words, "it refuses our certificate");
}

static void a_certificate_of_another_authority_is_refused(void **state)
{
        (void)state;
        expect("near", "near", "foreign", "of an authority that isn't known here",
                "doesn't know the authority of our certificate");
        expect("foreign", "far", "far", "doesn't know the authority of our certificate",
                "of an authority that isn't known here");
}

static void a_certificate_that_has_expired_is_refused(void **state)
{
        (void)state;
        expect("late", "far", "far", "it says that our certificate has expired", "the certificate of it has expired");
        expect("near", "near", "late", "the certificate of it has expired", "it says that our certificate has expired");
}

static void the_other_side_is_known_by_the_names_in_its_certificate(void **state)
{
        struct tls_files connecting = tls_kit_files(&kit, "near", "ca"), serving = tls_kit_files(&kit, "far", "ca");
        char far[] = "far", example[] = "near.example.org", address[] = "10.9.8.2", cn[] = "nearby";
        char *const allowed[] = {far, example, NULL}, *const others[] = {far, address, cn, NULL};
        struct tls_kit_end connects, serves;
        char names[64], few[9];

        (void)state;
        tls_kit_meet(&connecting, "far", &serving, &connects, &serves);
        assert_ptr_equal(tls_peer_is_one_of(serves.ssl, allowed), example);
        assert_null(tls_peer_is_one_of(serves.ssl, others));
        assert_null(tls_peer_is_one_of(serves.ssl, NULL));
        assert_string_equal(tls_peer_names(serves.ssl, names, sizeof(names)), "near near.example.org");
        assert_string_equal(tls_peer_names(serves.ssl, few, sizeof(few)), "near nea");
        tls_kit_end_done(&connects);
        tls_kit_end_done(&serves);
}

static void a_wildcard_is_no_name_to_be_allowed(void **state)
{
        struct tls_files connecting = tls_kit_files(&kit, "wild", "ca"), serving = tls_kit_files(&kit, "far", "ca");
        char example[] = "near.example.org", near[] = "near";
        char *const allowed[] = {near, example, NULL};
        struct tls_kit_end connects, serves;

        (void)state;
        tls_kit_meet(&connecting, "far", &serving, &connects, &serves);
        assert_int_equal(serves.status, 0);
        assert_null(tls_peer_is_one_of(serves.ssl, allowed));
        tls_kit_end_done(&connects);
        tls_kit_end_done(&serves);
}

static void who_says_nothing_is_waited_for_until_the_deadline(void **state)
{
        struct tls_files serving = tls_kit_files(&kit, "far", "ca");
        _cleanup_(tls_closep) SSL_CTX *ctx = NULL;
        _cleanup_(tls_session_freep) SSL *ssl = NULL;
        struct croft_error err = CROFT_ERROR_INIT;
        int fds[2];

        (void)state;
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
        assert_int_equal(tls_open(&serving, true, &ctx, NULL), 0);
        assert_int_equal(tls_session_new(ctx, fds[0], NULL, &ssl, NULL), 0);
        assert_int_equal(tls_handshake(ssl, "it", now_ms() + 10, &err), -ETIMEDOUT);
        assert_int_equal(send(fds[1], "GET / HTTP/1.0\r\n", 16, 0), 16);
        assert_int_equal(tls_handshake(ssl, "it", now_ms() + 60000, &err), -EPROTO);
        assert_string_equal(croft_error_cause(&err, 0), "it doesn't speak TLS");
        (void)close_fd(fds[0]);
        (void)close_fd(fds[1]);
}

static void refuse_files(const struct tls_files *files, int code, const char *words)
{
        struct croft_error err = CROFT_ERROR_INIT;
        SSL_CTX *ctx = NULL;

        assert_int_equal(tls_open(files, true, &ctx, &err), -code);
        assert_null(ctx);
        assert_non_null(strstr(croft_error_cause(&err, 0), words));
}

static void files_that_are_none_are_told(void **state)
{
        struct tls_files files = tls_kit_files(&kit, "near", "ca");
        const struct tls_files good = files;

        (void)state;
        files.cert = tls_kit_path(&kit, "none", "pem");
        refuse_files(&files, ENOENT, "read the certificate");
        files.cert = good.key;
        refuse_files(&files, EINVAL, "holds no certificate in PEM");
        files = good;
        files.key = kit.dir;
        refuse_files(&files, EINVAL, "is no file with a key");
        files.key = good.cert;
        assert_int_equal(chmod(good.cert, 0600), 0);
        refuse_files(&files, EINVAL, "holds no key in PEM");
        files.key = tls_kit_path(&kit, "far", "key");
        refuse_files(&files, EINVAL, "doesn't belong to the certificate");
        files = good;
        files.ca = tls_kit_path(&kit, "none", "pem");
        refuse_files(&files, ENOENT, "certificates of authorities");
        files.ca = good.key;
        refuse_files(&files, EINVAL, "holds no certificate in PEM");
}

static void a_key_that_others_can_read_is_refused(void **state)
{
        static const mode_t modes[] = {0640, 0604, 0620, 0601};
        struct tls_files files = tls_kit_files(&kit, "near", "ca");

        (void)state;
        for (size_t i = 0; i < ELEMENTS(modes); i++) {
                assert_int_equal(chmod(files.key, modes[i]), 0);
                refuse_files(&files, EACCES, "chmod it to 600");
        }
        assert_int_equal(chmod(files.key, 0600), 0);
}

static void every_verdict_and_every_alert_has_words(void **state)
{
        (void)state;
        for (int code = 1; code < 100; code++) {
                struct croft_error err = CROFT_ERROR_INIT;

                assert_int_equal(tls_say_verify(code, "far", &err), -EACCES);
                assert_non_null(strstr(croft_error_cause(&err, 0), "far"));
        }
        for (int reason = SSL_AD_REASON_OFFSET; reason < SSL_AD_REASON_OFFSET + 120; reason++) {
                struct croft_error err = CROFT_ERROR_INIT;

                assert_true(tls_say_reason(reason, "text", "far", &err) < 0);
                assert_non_null(strstr(croft_error_cause(&err, 0), "far"));
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(two_with_the_same_authority_meet),
                cmocka_unit_test(a_certificate_for_another_name_is_refused),
                cmocka_unit_test(a_certificate_of_another_authority_is_refused),
                cmocka_unit_test(a_certificate_that_has_expired_is_refused),
                cmocka_unit_test(the_other_side_is_known_by_the_names_in_its_certificate),
                cmocka_unit_test(a_wildcard_is_no_name_to_be_allowed),
                cmocka_unit_test(who_says_nothing_is_waited_for_until_the_deadline),
                cmocka_unit_test(files_that_are_none_are_told),
                cmocka_unit_test(a_key_that_others_can_read_is_refused),
                cmocka_unit_test(every_verdict_and_every_alert_has_words),
        };

        return cmocka_run_group_tests(tests, make_certificates, remove_certificates);
}
