/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * tls_words.c - what goes wrong between two machines, in words that say what to do.  See tls.h.
 */
#include "remote/tls.h"

#include <errno.h>
#include <openssl/sslerr.h>
#include <openssl/x509_vfy.h>

int tls_say_verify(long code, const char *who, struct croft_error *err)
{
        switch (code) {
        case X509_V_ERR_CERT_HAS_EXPIRED:
                return croft_error_set(err, EACCES, "the certificate of %s has expired; it needs a new one.", who);
        case X509_V_ERR_CERT_NOT_YET_VALID:
                return croft_error_set(err, EACCES,
                        "the certificate of %s isn't valid yet; compare the clocks of both machines.", who);
        case X509_V_ERR_HOSTNAME_MISMATCH:
        case X509_V_ERR_IP_ADDRESS_MISMATCH:
                return croft_error_set(err, EACCES,
                        "%s shows the certificate of another machine: that name isn't in its subjectAltName.", who);
        case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
        case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        case X509_V_ERR_CERT_SIGNATURE_FAILURE:
                return croft_error_set(
                        err, EACCES, "the certificate of %s is of an authority that isn't known here (--ca).", who);
        case X509_V_ERR_INVALID_PURPOSE:
                return croft_error_set(
                        err, EACCES, "the certificate of %s isn't for this side (extendedKeyUsage).", who);
        default:
                return croft_error_set(err, EACCES, "the certificate of %s isn't accepted: %s.", who,
                        X509_verify_cert_error_string(code));
        }
}

int tls_say_reason(int reason, const char *text, const char *who, struct croft_error *err)
{
        switch (reason) {
        case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
                return croft_error_set(
                        err, EACCES, "%s doesn't know the authority of our certificate (--ca there).", who);
        case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
                return croft_error_set(err, EACCES, "%s says that our certificate has expired; get a new one.", who);
        case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
        case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
        case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
        case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
        case SSL_R_TLSV1_ALERT_DECRYPT_ERROR:
                return croft_error_set(err, EACCES, "%s refuses our certificate: %s.", who, text);
        case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
                return croft_error_set(err, EACCES, "%s wants a certificate, and none was shown.", who);
        case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
                return croft_error_set(err, EACCES, "%s showed no certificate.", who);
        case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
        case SSL_R_UNSUPPORTED_PROTOCOL:
                return croft_error_set(err, EPROTO, "%s doesn't speak TLS 1.3.", who);
        case SSL_R_WRONG_VERSION_NUMBER:
        case SSL_R_HTTP_REQUEST:
        case SSL_R_HTTPS_PROXY_REQUEST:
        case SSL_R_PACKET_LENGTH_TOO_LONG:
                return croft_error_set(err, EPROTO, "%s doesn't speak TLS.", who);
        case SSL_R_UNEXPECTED_EOF_WHILE_READING:
                return croft_error_set(err, ECONNRESET, "%s ended the connection.", who);
        default:
                return croft_error_set(err, EPROTO, "%s: %s.", who, text);
        }
}
