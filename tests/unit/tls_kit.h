/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * tls_kit.h - certificates in a directory of the test's own, and two ends of a TLS session over a socket pair.
 */
#ifndef CROFT_TESTS_TLS_KIT_H
#define CROFT_TESTS_TLS_KIT_H

#include "remote/tls.h"

#define TLS_KIT_NAME "/tmp/croft-tls-kit.XXXXXX"

struct tls_kit {
        char dir[64];
};

void tls_kit_init(struct tls_kit *kit);
void tls_kit_done(struct tls_kit *kit);
/* DIR/NAME.pem and DIR/NAME.key.  by: the authority that signs, made before; NULL: itself, an authority.  names: a
 * subjectAltName as in openssl's configuration, NULL: none.  days: how long it holds from now on, negative: that long
 * ago. */
void tls_kit_certify(const struct tls_kit *kit, const char *name, const char *by, const char *names, int days);

/* The path of a file, in one of a few buffers. */
const char *tls_kit_path(const struct tls_kit *kit, const char *name, const char *ending);
struct tls_files tls_kit_files(const struct tls_kit *kit, const char *name, const char *ca);

struct tls_kit_end {
        SSL_CTX *ctx;
        SSL *ssl;
        int fd, status; /* of the handshake */
        struct croft_error err;
};
/* Both shake hands; `serves` is the end without a host.  Ended by tls_kit_end_done(). */
void tls_kit_meet(const struct tls_files *connecting, const char *host, const struct tls_files *serving,
        struct tls_kit_end *connects, struct tls_kit_end *serves);
void tls_kit_end_done(struct tls_kit_end *end);

#endif
