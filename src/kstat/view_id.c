/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * view_id.c - the partition's boot id.  It is made of the host's (one way, see facts.c) and of the instant at which the
 * partition's clocks began, to the nanosecond: it is another one after each start and the same for each warden.
 *
 * The hash is SipHash-2-4 with 128 bits, by its paper (Aumasson, Bernstein, 2012).
 */
#include "kstat/view_id.h"

#include "base/cleanup.h"
#include "kstat/view_private.h"

#include <endian.h>

static uint64_t turn(uint64_t x, unsigned int bits)
{
        return x << bits | x >> (64 - bits);
}

static void rounds(uint64_t s[4], unsigned int n)
{
        while (n-- > 0) {
                s[0] += s[1];
                s[1] = turn(s[1], 13) ^ s[0];
                s[0] = turn(s[0], 32);
                s[2] += s[3];
                s[3] = turn(s[3], 16) ^ s[2];
                s[0] += s[3];
                s[3] = turn(s[3], 21) ^ s[0];
                s[2] += s[1];
                s[1] = turn(s[1], 17) ^ s[2];
                s[2] = turn(s[2], 32);
        }
}

static void mix(uint64_t s[4], uint64_t word)
{
        s[3] ^= word;
        rounds(s, 2);
        s[0] ^= word;
}

void view_hash(const uint64_t key[2], const void *data, size_t size, uint64_t ret[2])
{
        uint64_t s[4] = {key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d ^ 0xee, key[0] ^ 0x6c7967656e657261,
                key[1] ^ 0x7465646279746573};
        const unsigned char *p = data;
        uint64_t word;
        size_t left = size;

        for (; left >= sizeof(word); left -= sizeof(word), p += sizeof(word)) {
                memcpy(&word, p, sizeof(word));
                mix(s, le64toh(word));
        }
        word = (uint64_t)size << 56;
        for (size_t i = 0; i < left; i++)
                word |= (uint64_t)p[i] << (8 * i);
        mix(s, word);
        s[2] ^= 0xee;
        rounds(s, 4);
        ret[0] = s[0] ^ s[1] ^ s[2] ^ s[3];
        s[1] ^= 0xdd;
        rounds(s, 4);
        ret[1] = s[0] ^ s[1] ^ s[2] ^ s[3];
}

int view_boot_id(struct view *v, struct text *t)
{
        uint64_t start = htole64(v->s.start_ns), id[2];

        view_hash(v->facts->seed, &start, sizeof(start), id);
        id[0] = (id[0] & ~0xf000ULL) | 0x4000;               /* version 4: random */
        id[1] = (id[1] & ~(3ULL << 62)) | (uint64_t)2 << 62; /* variant of RFC 4122 */
        text_hex(t, id[0] >> 32, 8);
        text_char(t, '-');
        text_hex(t, id[0] >> 16 & 0xffff, 4);
        text_char(t, '-');
        text_hex(t, id[0] & 0xffff, 4);
        text_char(t, '-');
        text_hex(t, id[1] >> 48, 4);
        text_char(t, '-');
        text_hex(t, id[1] & 0xffffffffffffULL, 12);
        text_char(t, '\n');
        return 0;
}
