/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * view_counts.c - tables of the kernel's that it counts for the whole machine only: open files, inodes, names,
 * terminals. A partition sees 0 in the right form, not how many others have.
 *
 * Limits stay as they are on the machine where they are constants of the kernel.
 */
#include "kstat/view_private.h"

static int put(struct text *t, const char *s)
{
        text_str(t, s);
        return 0;
}

int view_zero(struct view *v, struct text *t)
{
        (void)v;
        return put(t, "0\n");
}

/* In use, free (0 since 2.6), and the limit, which is none. */
int view_file_nr(struct view *v, struct text *t)
{
        (void)v;
        return put(t, "0\t0\t9223372036854775807\n");
}

int view_inode_nr(struct view *v, struct text *t)
{
        (void)v;
        return put(t, "0\t0\n");
}

int view_inode_state(struct view *v, struct text *t)
{
        (void)v;
        return put(t, "0\t0\t0\t0\t0\t0\t0\n");
}

/* Used, unused, seconds until they are old, pages wanted, negative ones. */
int view_dentry_state(struct view *v, struct text *t)
{
        (void)v;
        return put(t, "0\t0\t45\t0\t0\t0\n");
}
