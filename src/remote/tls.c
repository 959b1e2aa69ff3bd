/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * tls.c - TLS 1.3 with a certificate on each side.  See tls.h.
 *
 * Sockets are nonblocking; who waits says until when.
 */
#include "remote/tls.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/str.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>

#define KEY_FILE_MAX 65536
#define CHAIN_MAX 8
/* Only names that a certificate gives as such, letter by letter. */
#define NAME_FLAGS (X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_WILDCARDS)

void tls_closep(SSL_CTX **ctx)
{
        SSL_CTX_free(*ctx);
        *ctx = NULL;
}

void tls_session_freep(SSL **ssl)
{
        SSL_free(*ssl);
        *ssl = NULL;
}

int tls_wait(int fd, short events, int64_t deadline_ms)
{
        struct pollfd p = {.fd = fd, .events = events};

        for (;;) {
                int64_t left = deadline_ms - now_ms();
                int r = left <= 0 ? 0 : poll(&p, 1, left > INT32_MAX ? INT32_MAX : (int)left);

                if (r > 0)
                        return 0;
                if (r == 0)
                        return -ETIMEDOUT;
                if (errno != EINTR)
                        return -errno;
        }
}

/* --- files --- */

static const char *reason_text(unsigned long code)
{
        const char *text = ERR_reason_error_string(code);

        return text ? text : "unknown error";
}

static void freep_key(EVP_PKEY **key)
{
        EVP_PKEY_free(*key);
}

static void freep_bio(BIO **bio)
{
        BIO_free_all(*bio);
}

/* Nobody is asked: a machine has to come up by itself. */
static int no_passphrase(char *buf, int size, int writes, void *data)
{
        (void)buf, (void)size, (void)writes;
        *(bool *)data = true;
        return -1;
}

/* Whoever reads the key is this machine. */
static int check_key(int fd, const char *path, struct croft_error *err)
{
        struct stat st;

        if (fstat(fd, &st) < 0)
                return croft_error_set(err, errno, "look at the key '%s'", path);
        if (!S_ISREG(st.st_mode) || st.st_size > KEY_FILE_MAX)
                return croft_error_set(err, EINVAL, "the key '%s' is no file with a key.", path);
        if (st.st_uid != 0 && st.st_uid != geteuid())
                return croft_error_set(err, EACCES, "the key '%s' belongs to user %u: chown it.", path, st.st_uid);
        if (st.st_mode & 077)
                return croft_error_set(err, EACCES,
                        "the key '%s' is open to others than its owner (mode %03o): chmod it to 600.", path,
                        st.st_mode & 0777);
        return 0;
}

static int take_key(SSL_CTX *ctx, const char *path, struct croft_error *err)
{
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        _cleanup_(freep_bio) BIO *bio = NULL;
        _cleanup_(freep_key) EVP_PKEY *key = NULL;
        bool encrypted = false;
        int r;

        if (fd < 0)
                return croft_error_set(err, errno, "open the key '%s'", path);
        r = check_key(fd, path, err);
        if (r < 0)
                return r;
        bio = BIO_new_fd(fd, BIO_NOCLOSE);
        key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, &encrypted) : NULL;
        if (encrypted)
                return croft_error_set(err, EINVAL, "the key '%s' has a passphrase, and nobody is asked.", path);
        if (!key)
                return croft_error_set(
                        err, EINVAL, "'%s' holds no key in PEM: %s.", path, reason_text(ERR_peek_last_error()));
        if (SSL_CTX_use_PrivateKey(ctx, key) != 1)
                return croft_error_set(err, EINVAL, "the key '%s' doesn't belong to the certificate: %s.", path,
                        reason_text(ERR_peek_last_error()));
        return 0;
}

static int take_files(SSL_CTX *ctx, const struct tls_files *files, struct croft_error *err)
{
        int r;

        if (access(files->cert, R_OK) < 0)
                return croft_error_set(err, errno, "read the certificate '%s'", files->cert);
        if (SSL_CTX_use_certificate_chain_file(ctx, files->cert) != 1)
                return croft_error_set(err, EINVAL, "'%s' holds no certificate in PEM: %s.", files->cert,
                        reason_text(ERR_peek_last_error()));
        r = take_key(ctx, files->key, err);
        if (r < 0)
                return r;
        if (access(files->ca, R_OK) < 0)
                return croft_error_set(err, errno, "read the certificates of authorities '%s'", files->ca);
        if (SSL_CTX_load_verify_file(ctx, files->ca) != 1)
                return croft_error_set(err, EINVAL, "'%s' holds no certificate in PEM: %s.", files->ca,
                        reason_text(ERR_peek_last_error()));
        return 0;
}

int tls_open(const struct tls_files *files, bool serves, SSL_CTX **ret, struct croft_error *err)
{
        _cleanup_(tls_closep) SSL_CTX *ctx = SSL_CTX_new(serves ? TLS_server_method() : TLS_client_method());
        int r;

        ERR_clear_error();
        if (!ctx || SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) != 1)
                return croft_error_set(err, ENOMEM, "set up TLS");
        SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
        SSL_CTX_set_verify_depth(ctx, CHAIN_MAX);
        (void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
        (void)SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION);
        (void)SSL_CTX_set_num_tickets(ctx, 0);
        (void)SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
        r = take_files(ctx, files, err);
        if (r < 0)
                return r;
        *ret = TAKE(ctx);
        return 0;
}

/* --- a session --- */

static bool is_address(const char *host)
{
        ASN1_OCTET_STRING *address = a2i_IPADDRESS(host);

        ASN1_OCTET_STRING_free(address);
        return address != NULL;
}

static bool expect(SSL *ssl, const char *host)
{
        X509_VERIFY_PARAM *param = SSL_get0_param(ssl);

        X509_VERIFY_PARAM_set_hostflags(param, NAME_FLAGS);
        if (is_address(host))
                return X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1;
        return X509_VERIFY_PARAM_set1_host(param, host, 0) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1;
}

int tls_session_new(SSL_CTX *ctx, int fd, const char *host, SSL **ret, struct croft_error *err)
{
        _cleanup_(tls_session_freep) SSL *ssl = SSL_new(ctx);

        ERR_clear_error();
        if (!ssl || SSL_set_fd(ssl, fd) != 1 || (host && !expect(ssl, host)))
                return croft_error_set(err, ENOMEM, "set up a TLS session");
        if (host)
                SSL_set_connect_state(ssl);
        else
                SSL_set_accept_state(ssl);
        *ret = TAKE(ssl);
        return 0;
}

int tls_fail(SSL *ssl, int result, const char *who, struct croft_error *err)
{
        int saved = errno, kind = SSL_get_error(ssl, result);
        unsigned long code = ERR_peek_error();

        if (kind == SSL_ERROR_ZERO_RETURN)
                return 0;
        if (code && ERR_GET_REASON(code) == SSL_R_CERTIFICATE_VERIFY_FAILED)
                return tls_say_verify(SSL_get_verify_result(ssl), who, err);
        if (code && ERR_GET_LIB(code) == ERR_LIB_SSL)
                return tls_say_reason(ERR_GET_REASON(code), reason_text(code), who, err);
        if (kind == SSL_ERROR_SYSCALL && saved)
                return croft_error_set(err, saved, "the connection with %s", who);
        if (kind == SSL_ERROR_SYSCALL)
                return tls_say_reason(SSL_R_UNEXPECTED_EOF_WHILE_READING, "", who, err);
        return croft_error_set(err, EPROTO, "TLS with %s: %s.", who, reason_text(code));
}

int tls_handshake(SSL *ssl, const char *who, int64_t deadline_ms, struct croft_error *err)
{
        for (;;) {
                int result, kind, r;

                ERR_clear_error();
                errno = 0;
                result = SSL_do_handshake(ssl);
                if (result == 1)
                        return 0;
                kind = SSL_get_error(ssl, result);
                if (kind != SSL_ERROR_WANT_READ && kind != SSL_ERROR_WANT_WRITE) {
                        r = tls_fail(ssl, result, who, err);
                        return r < 0 ? r : tls_say_reason(SSL_R_UNEXPECTED_EOF_WHILE_READING, "", who, err);
                }
                r = tls_wait(SSL_get_fd(ssl), kind == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, deadline_ms);
                if (r < 0)
                        return croft_error_set(err, r, "wait for the handshake of %s", who);
        }
}

/* --- whose certificate it is --- */

const char *tls_peer_is_one_of(SSL *ssl, char *const *names)
{
        X509 *cert = SSL_get0_peer_certificate(ssl);

        /* What isn't verified has no names. */
        for (size_t i = 0; cert && SSL_get_verify_result(ssl) == X509_V_OK && names && names[i]; i++)
                if (X509_check_host(cert, names[i], 0, NAME_FLAGS, NULL) == 1 ||
                        X509_check_ip_asc(cert, names[i], 0) == 1)
                        return names[i];
        return NULL;
}

static void append_name(char *buf, size_t size, const GENERAL_NAME *name)
{
        size_t used = strlen(buf);
        const ASN1_STRING *text = name->d.ia5;

        if (name->type != GEN_DNS || used + 4 >= size)
                return;
        if (used > 0)
                buf[used++] = ' ';
        (void)str_escape(
                buf + used, size - used, (const char *)ASN1_STRING_get0_data(text), (size_t)ASN1_STRING_length(text));
}

const char *tls_peer_names(SSL *ssl, char *buf, size_t size)
{
        X509 *cert = SSL_get0_peer_certificate(ssl);
        GENERAL_NAMES *names = cert ? X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL) : NULL;

        buf[0] = '\0';
        for (int i = 0; names && i < sk_GENERAL_NAME_num(names); i++)
                append_name(buf, size, sk_GENERAL_NAME_value(names, i));
        GENERAL_NAMES_free(names);
        if (!buf[0])
                (void)str_copy(buf, size, "no name");
        return buf;
}
