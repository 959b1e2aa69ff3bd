/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * view_text.c - numbers and masks as the kernel writes them.  See view_text.h.
 */
#include "kstat/view_text.h"

#include <errno.h>

#define DIGITS_MAX 20 /* of UINT64_MAX */

/* Writes value in front of end; returns where it begins. */
static char *digits(char *end, uint64_t value)
{
        do {
                *--end = (char)('0' + value % 10);
                value /= 10;
        } while (value);
        return end;
}

void text_blanks(struct text *t, size_t n)
{
        if ((size_t)(t->end - t->at) < n) {
                t->full = true;
                return;
        }
        memset(t->at, ' ', n);
        t->at += n;
}

void text_number(struct text *t, uint64_t value, unsigned int width)
{
        char room[DIGITS_MAX], *p = digits(room + sizeof(room), value);
        size_t size = (size_t)(room + sizeof(room) - p);

        if (size < width)
                text_blanks(t, width - size);
        text_put(t, p, size);
}

void text_next(struct text *t, uint64_t value)
{
        char room[DIGITS_MAX + 1], *p;

        if (value < 10) { /* most columns of most tables */
                room[0] = ' ';
                room[1] = (char)('0' + value);
                text_put(t, room, 2);
                return;
        }
        p = digits(room + sizeof(room), value);
        *--p = ' ';
        text_put(t, p, (size_t)(room + sizeof(room) - p));
}

void text_hundredths(struct text *t, uint64_t value)
{
        char fraction[3] = {'.', (char)('0' + value / 10 % 10), (char)('0' + value % 10)};

        text_number(t, value / 100, 0);
        text_put(t, fraction, sizeof(fraction));
}

void text_hex(struct text *t, uint64_t value, unsigned int n)
{
        char room[16], *p = room + sizeof(room);

        do {
                *--p = "0123456789abcdef"[value & 15];
                value >>= 4;
        } while (p > room && (value || room + sizeof(room) - p < n));
        text_put(t, p, (size_t)(room + sizeof(room) - p));
}

void text_padded(struct text *t, const char *name, size_t size, size_t width)
{
        text_put(t, name, size);
        if (size < width)
                text_blanks(t, width - size);
}

static bool in_mask(const __u64 *mask, unsigned int bit)
{
        return mask[bit / 64] >> (bit % 64) & 1;
}

void text_mask_list(struct text *t, const __u64 *mask, unsigned int n_bits)
{
        const char *comma = "";

        for (unsigned int i = 0; i < n_bits; i++) {
                unsigned int first = i;

                if (!in_mask(mask, i))
                        continue;
                while (i + 1 < n_bits && in_mask(mask, i + 1))
                        i++;
                text_str(t, comma);
                text_number(t, first, 0);
                if (i > first) {
                        text_char(t, '-');
                        text_number(t, i, 0);
                }
                comma = ",";
        }
}

void text_mask(struct text *t, const __u64 *mask, unsigned int n_bits)
{
        unsigned int words = n_bits ? (n_bits + 31) / 32 : 1, bits = n_bits ? n_bits - (words - 1) * 32 : 1;

        for (unsigned int i = words; i-- > 0; bits = 32) {
                text_hex(t, (uint32_t)(mask[i / 2] >> (i % 2 * 32)), (bits + 3) / 4);
                if (i > 0)
                        text_char(t, ',');
        }
}

ssize_t text_end(const struct text *t)
{
        return t->full ? -ENOSPC : t->at - t->start;
}
