/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 *
 * source_kit.bpf.h - what every source of source.bpf.h is written with.
 */
#ifndef CROFT_KSTAT_SOURCE_KIT_BPF_H
#define CROFT_KSTAT_SOURCE_KIT_BPF_H

#include "kstat/catalogue.bpf.h"
#include "kstat/figures.bpf.h"

#include <linux/errno.h>

/* A source: fills the data; 0 or -ENXIO, -EAGAIN. */
#define SOURCE static __noinline __attribute__((unused)) int

/* What a source gets besides its data. */
struct source {
        const struct kstat_objects *objects;
        __u64 partition;
        __u64 argument;
};

/* A value into the context's data, of type `data`.  The barrier makes the compiler name the context itself in each
 * store: the verifier takes no other address than that and a constant. */
#define PUT(field, value)                                                                                              \
        ({                                                                                                             \
                __typeof__(((data *)0)->field) _value = (value);                                                       \
                barrier_var(call);                                                                                     \
                ((data *)call->data)->field = _value;                                                                  \
        })

#endif
