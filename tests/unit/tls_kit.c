/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * tls_kit.c - certificates and sessions for tests.  See tls_kit.h.
 */
#include "tls_kit.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cmocka.h>

#define DAY 86400L

void tls_kit_init(struct tls_kit *kit)
{
        memcpy(kit->dir, TLS_KIT_NAME, sizeof(TLS_KIT_NAME));
        assert_non_null(mkdtemp(kit->dir));
}

void tls_kit_done(struct tls_kit *kit)
{
        assert_int_equal(fd_remove_tree(AT_FDCWD, kit->dir, NULL), 0);
}

const char *tls_kit_path(const struct tls_kit *kit, const char *name, const char *ending)
{
        static char paths[8][128];
        static unsigned int at;
        char *path = paths[at++ % ELEMENTS(paths)];

        (void)snprintf(path, sizeof(paths[0]), "%s/%s.%s", kit->dir, name, ending);
        return path;
}

struct tls_files tls_kit_files(const struct tls_kit *kit, const char *name, const char *ca)
{
        return (struct tls_files){.cert = tls_kit_path(kit, name, "pem"),
                .key = tls_kit_path(kit, name, "key"),
                .ca = tls_kit_path(kit, ca, "pem")};
}

static void extend(X509 *cert, int nid, const char *value)
{
        X509V3_CTX context;
        X509_EXTENSION *extension;

        X509V3_set_ctx_nodb(&context);
        X509V3_set_ctx(&context, cert, cert, NULL, NULL, 0);
        extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
        assert_non_null(extension);
        assert_int_equal(X509_add_ext(cert, extension, -1), 1);
        X509_EXTENSION_free(extension);
}

static void write_pem(const struct tls_kit *kit, const char *name, X509 *cert, EVP_PKEY *key)
{
        FILE *f = fopen(tls_kit_path(kit, name, "pem"), "we");

        assert_non_null(f);
        assert_int_equal(PEM_write_X509(f, cert), 1);
        (void)fclose(f);
        f = fopen(tls_kit_path(kit, name, "key"), "we");
        assert_non_null(f);
        assert_int_equal(PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL), 1);
        (void)fclose(f);
        assert_int_equal(chmod(tls_kit_path(kit, name, "key"), 0600), 0);
}

void tls_kit_certify(const struct tls_kit *kit, const char *name, const char *by, const char *names, int days)
{
        EVP_PKEY *key = EVP_EC_gen("P-256"), *signs = key;
        X509 *cert = X509_new(), *issuer = cert;
        X509_NAME *subject = X509_get_subject_name(cert);
        static long serial = 1;
        FILE *f;

        assert_int_equal(X509_set_version(cert, X509_VERSION_3), 1);
        (void)ASN1_INTEGER_set(X509_get_serialNumber(cert), serial++);
        (void)X509_gmtime_adj(X509_getm_notBefore(cert), days < 0 ? 2 * days * DAY : -DAY);
        (void)X509_gmtime_adj(X509_getm_notAfter(cert), days * DAY);
        (void)X509_set_pubkey(cert, key);
        (void)X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
        if (by) {
                f = fopen(tls_kit_path(kit, by, "pem"), "re");
                issuer = PEM_read_X509(f, NULL, NULL, NULL);
                (void)fclose(f);
                f = fopen(tls_kit_path(kit, by, "key"), "re");
                signs = PEM_read_PrivateKey(f, NULL, NULL, NULL);
                (void)fclose(f);
        }
        (void)X509_set_issuer_name(cert, X509_get_subject_name(issuer));
        extend(cert, NID_basic_constraints, by ? "CA:FALSE" : "critical,CA:TRUE");
        if (names)
                extend(cert, NID_subject_alt_name, names);
        assert_true(X509_sign(cert, signs, EVP_sha256()) > 0);
        write_pem(kit, name, cert, key);
        if (by) {
                X509_free(issuer);
                EVP_PKEY_free(signs);
        }
        X509_free(cert);
        EVP_PKEY_free(key);
}

static void *shake_hands(void *context)
{
        struct tls_kit_end *end = context;

        end->status = tls_handshake(end->ssl, "it", now_ms() + 60000, &end->err);
        if (end->status < 0)
                (void)shutdown(end->fd, SHUT_WR);
        return NULL;
}

void tls_kit_meet(const struct tls_files *connecting, const char *host, const struct tls_files *serving,
        struct tls_kit_end *connects, struct tls_kit_end *serves)
{
        pthread_t thread;
        int fds[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
        *connects = (struct tls_kit_end){.fd = fds[0]};
        *serves = (struct tls_kit_end){.fd = fds[1]};
        assert_int_equal(tls_open(connecting, false, &connects->ctx, NULL), 0);
        assert_int_equal(tls_open(serving, true, &serves->ctx, NULL), 0);
        assert_int_equal(tls_session_new(connects->ctx, fds[0], host, &connects->ssl, NULL), 0);
        assert_int_equal(tls_session_new(serves->ctx, fds[1], NULL, &serves->ssl, NULL), 0);
        assert_int_equal(pthread_create(&thread, NULL, shake_hands, serves), 0);
        (void)shake_hands(connects);
        assert_int_equal(pthread_join(thread, NULL), 0);
}

void tls_kit_end_done(struct tls_kit_end *end)
{
        tls_session_freep(&end->ssl);
        tls_closep(&end->ctx);
        (void)close_fd(end->fd);
}
