/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fake_devid.h - a table of device numbers in the kernel's place: bpf(2) is played (the linker puts it there, see
 * meson.build), all else that goes through syscall(2) isn't.  It answers from a list, gives out what it is told, and
 * can be told to fail.
 */
#ifndef CROFT_TESTS_FAKE_DEVID_H
#define CROFT_TESTS_FAKE_DEVID_H

#include "devid/devid.bpf.h"

#include <stdbool.h>
#include <stddef.h>

struct fake_devid {
        int open_error;               /* errno of opening the program */
        int run_error;                /* errno of running it */
        int result;                   /* what it returns, a negative errno; 0: it does what it should */
        unsigned int failing;         /* with result: only the nth call, from 1; 0: each */
        unsigned int runs;            /* calls */
        struct devid_call last;       /* as it was asked */
        char path[256];               /* what was opened */
        struct devid_special special; /* of all that are found */
        struct devid_number numbers[64];
        size_t n;
};
extern struct fake_devid fake_devid;

void fake_devid_reset(void);

/* A number in the list; all others of a family "c60" or "b60" are minors of 60, those of any other are majors.  The
 * pointer stands until the reset. */
struct devid_number *fake_devid_add(__u64 partition, const char *family, const char *instance, __u32 number);

#endif
