/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * sample.h - reads a partition's sample.  Needs the C library and bpf(2), no privilege and no file system: for a
 * process that is shut in and has the link.
 */
#ifndef CROFT_KSTAT_SAMPLE_H
#define CROFT_KSTAT_SAMPLE_H

#include "kstat/sample.bpf.h"

/* A new sample by that link (kstats_open_sample()).  0, or a negative errno and *ret is undefined: -ENXIO: the
 * partition isn't on record (any more); -EUCLEAN: the link's program is of another version. */
int kstat_sample_read(int link, struct kstat_sample *ret);

#endif
