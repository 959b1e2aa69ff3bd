/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * tls.h - TLS 1.3 with a certificate on each side, by OpenSSL: the files, the handshake, and why it failed in words.
 *
 * Nothing older is spoken; no session is resumed, and nothing is sent before both sides are known.  Names are those in
 * the certificate's subjectAltName, without wildcards.
 */
#ifndef CROFT_REMOTE_TLS_H
#define CROFT_REMOTE_TLS_H

#include <croft/error.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

struct tls_files {
        const char *cert, *key, *ca; /* PEM */
};

/* Reads the files.  -EACCES: others than its owner can read the key; nothing was read of it then.  The caller ends *ret
 * with tls_closep(). */
int tls_open(const struct tls_files *files, bool serves, SSL_CTX **ret, struct croft_error *err);
void tls_closep(SSL_CTX **ctx);

/* A session on the nonblocking socket fd (borrowed).  host: whose certificate is expected (a name or an address); NULL
 * on the side that serves.  The caller ends it with tls_session_freep(). */
int tls_session_new(SSL_CTX *ctx, int fd, const char *host, SSL **ret, struct croft_error *err);
void tls_session_freep(SSL **ssl);
/* Both sides prove who they are, until deadline_ms (of now_ms()) at the latest.  who: the other side, for errors.
 * -ETIMEDOUT, -EACCES (what is wrong with a certificate), -EPROTO, -ECONNRESET. */
int tls_handshake(SSL *ssl, const char *who, int64_t deadline_ms, struct croft_error *err);
/* Which of names (a vector) the other side's certificate is for; NULL: none. */
const char *tls_peer_is_one_of(SSL *ssl, char *const *names);
/* The names in the other side's certificate for a log, cut to size and escaped.  Returns buf. */
const char *tls_peer_names(SSL *ssl, char *buf, size_t size);

/* Sets *err for a call of OpenSSL that ended with `result`: what the other side said, or what is wrong with it.
 * Returns the negative code; 0 with *err untouched: the other side ended the session in order. */
int tls_fail(SSL *ssl, int result, const char *who, struct croft_error *err);

/* Waits until fd is ready for events (POLLIN, POLLOUT).  0; -ETIMEDOUT. */
int tls_wait(int fd, short events, int64_t deadline_ms);

/* tls_words.c.  A certificate that isn't accepted here (X509_V_ERR_*), and an alert that came (SSL_R_*).  -EACCES, or
 * -EPROTO. */
int tls_say_verify(long code, const char *who, struct croft_error *err);
int tls_say_reason(int reason, const char *text, const char *who, struct croft_error *err);

#endif
