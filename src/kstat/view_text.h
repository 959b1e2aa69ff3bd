/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * view_text.h - writing text into a buffer of fixed size, fast: a view is made while somebody waits for it.
 *
 * Sticky: what doesn't fit sets `full`, and only the end needs a check.  Invariant: at <= end.
 */
#ifndef CROFT_KSTAT_VIEW_TEXT_H
#define CROFT_KSTAT_VIEW_TEXT_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

struct text {
        char *start, *at, *end;
        bool full;
};

static inline void text_put(struct text *t, const char *s, size_t size)
{
        if ((size_t)(t->end - t->at) < size) {
                t->full = true;
                return;
        }
        memcpy(t->at, s, size);
        t->at += size;
}

static inline void text_str(struct text *t, const char *s)
{
        text_put(t, s, strlen(s));
}

static inline void text_char(struct text *t, char c)
{
        text_put(t, &c, 1);
}

/* Decimal, at least width characters, filled from the left with blanks. */
void text_number(struct text *t, uint64_t value, unsigned int width);
/* A blank and the number. */
void text_next(struct text *t, uint64_t value);
/* value / 100 with two digits behind the point. */
void text_hundredths(struct text *t, uint64_t value);
/* Hexadecimal, at least digits digits. */
void text_hex(struct text *t, uint64_t value, unsigned int digits);
void text_blanks(struct text *t, size_t n);
/* name, filled with blanks to width characters from the right. */
void text_padded(struct text *t, const char *name, size_t size, size_t width);
/* "0-3,8" as the kernel's %*pbl, and "ff,00000003" as its %*pb of n_bits bits; without end of line. */
void text_mask_list(struct text *t, const __u64 *mask, unsigned int n_bits);
void text_mask(struct text *t, const __u64 *mask, unsigned int n_bits);

/* Bytes written, or -ENOSPC. */
ssize_t text_end(const struct text *t);

#endif
