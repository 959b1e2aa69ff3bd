/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * decode.h - takes the bytes of an extension apart; only croft-kext does, once it is shut in: they may be anybody's.
 */
#ifndef CROFT_KEXT_DECODE_H
#define CROFT_KEXT_DECODE_H

#include "kext/kext.h"

#define KEXT_PLAIN_MAX ((size_t)256 << 20) /* bytes once decompressed */

/* All of *ret but what is computed (sha256, plain and size), from a file as stored; file: what it is called, which
 * names what has no name of its own.  -ENOEXEC: it is no extension, or a damaged one; -EFBIG: it grows beyond
 * KEXT_PLAIN_MAX. */
int decode(const void *data, size_t size, const char *file, struct kext_identity *ret, struct croft_error *err);
/* And what a compressed one unpacks to, a new buffer; NULL: it isn't compressed. */
struct decoded {
        struct kext_identity identity;
        void *plain;
        size_t plain_size;
};
int decode_keep(const void *data, size_t size, const char *file, struct decoded *ret, struct croft_error *err);

/* decode_unpack.c: the plain bytes of a .gz, .xz or .zst (by its first bytes), a new buffer; NULL in *ret: it is none
 * of these. */
int decode_unpack(const void *data, size_t size, void **ret, size_t *ret_size, struct croft_error *err);
/* decode_signer.c: whom the signature at the end names; "" without one. */
void decode_signer(const void *data, size_t size, char *signer, size_t room);
/* decode_elf.c: name, vermagic, srcversion, build_id, depends and takes_major of a plain module. */
int decode_elf(const void *data, size_t size, struct kext_identity *ret, struct croft_error *err);
/* decode_bpf.c: a plain BPF object. */
int decode_bpf(const void *data, size_t size, const char *file, struct kext_identity *ret, struct croft_error *err);

#endif
