/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * decode_signer.c - whom a signature appended to a module names.  See decode.h.
 *
 * At the end stand the signature, a fixed record with its length (include/linux/module_signature.h) and a line of text.
 * Nothing is verified: the kernel has the keys, and does.
 */
#include "kext/decode.h"

#include "base/cleanup.h"
#include "kext/bytes.h"

#include <openssl/cms.h>
#include <openssl/x509.h>
#include <string.h>

#define MAGIC "~Module signature appended~\n"
#define RECORD 12 /* bytes; the last four are the length, big-endian */
#define ID_TYPE 2 /* where the type is */
#define PKCS7 2
#define UNREADABLE "(unreadable)"

static void keep_printable(char *text)
{
        for (; *text; text++)
                if (*text < ' ' || *text > '~')
                        *text = '?';
}

static void name_issuer(X509_NAME *issuer, char *signer, size_t room)
{
        if (X509_NAME_get_text_by_NID(issuer, NID_commonName, signer, (int)room) < 0)
                (void)X509_NAME_oneline(issuer, signer, (int)room);
}

static void name_key(const ASN1_OCTET_STRING *id, char *signer, size_t room)
{
        size_t n = (size_t)ASN1_STRING_length(id);

        if (n > (room - 1) / 2)
                n = (room - 1) / 2;
        bytes_hex(ASN1_STRING_get0_data(id), n, signer);
}

static void name_signer(const unsigned char *data, size_t size, char *signer, size_t room)
{
        CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &data, (long)size);
        STACK_OF(CMS_SignerInfo) *infos = cms ? CMS_get0_SignerInfos(cms) : NULL;
        ASN1_OCTET_STRING *id = NULL;
        X509_NAME *issuer = NULL;

        if (sk_CMS_SignerInfo_num(infos) > 0 &&
                CMS_SignerInfo_get0_signer_id(sk_CMS_SignerInfo_value(infos, 0), &id, &issuer, NULL) == 1) {
                if (issuer)
                        name_issuer(issuer, signer, room);
                else if (id)
                        name_key(id, signer, room);
        }
        CMS_ContentInfo_free(cms);
}

void decode_signer(const void *data, size_t size, char *signer, size_t room)
{
        const size_t tail = sizeof(MAGIC) - 1 + RECORD;
        const unsigned char *record, *bytes = data;
        size_t length;

        signer[0] = '\0';
        if (size < tail || memcmp(bytes + size - (sizeof(MAGIC) - 1), MAGIC, sizeof(MAGIC) - 1) != 0)
                return;
        record = bytes + size - tail;
        length = (size_t)record[8] << 24 | (size_t)record[9] << 16 | (size_t)record[10] << 8 | record[11];
        if (record[ID_TYPE] == PKCS7 && length <= size - tail)
                name_signer(record - length, length, signer, room);
        keep_printable(signer);
        if (!signer[0])
                (void)snprintf(signer, room, "%s", UNREADABLE);
}
