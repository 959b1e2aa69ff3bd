/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 *
 * gate.bpf.h - what the gate lets partitions open: what every partition has, numbers that are their own, and what is
 * exported to them (DEV-25).
 */
#ifndef CROFT_DEVID_GATE_BPF_H
#define CROFT_DEVID_GATE_BPF_H

#include "devid/devid_maps.bpf.h"

/* What every partition has in its /dev: null, zero, full, random, urandom; tty, console, ptmx; pts. */
static __always_inline bool is_usual(__u32 type, __u32 major, __u32 minor)
{
        if (type != DEVID_CHAR)
                return false;
        if (major == 1)
                return minor == 3 || minor == 5 || (minor >= 7 && minor <= 9);
        if (major == 5)
                return minor <= 2;
        return major >= 136 && major <= 143;
}

enum gate_owner { GATE_NOBODY, GATE_ITSELF, GATE_ANOTHER };

/* Whose the number is for a partition.  Global's are nobody's, and may be exported; what is closed to its owner, or
 * drains, isn't his. */
static __always_inline enum gate_owner owner_for(__u64 partition, const struct devid_node *node)
{
        const struct devid_number *number = bpf_map_lookup_elem(&devid_numbers, node);

        if (!number || !number->partition)
                return GATE_NOBODY;
        return number->partition == partition && (number->state == DEVID_RESERVED || number->state == DEVID_ASSIGNED) &&
                               !(number->flags & DEVID_CLOSED)
                       ? GATE_ITSELF
                       : GATE_ANOTHER;
}

/* Is all of that access exported?  Access is read before whose it is: were the memory another's by then, that would
 * show. */
static __always_inline bool is_exported(__u64 partition, const struct devid_node *node, __u32 access)
{
        struct devid_export_key key = {.partition = partition, .node = *node};
        const volatile struct devid_export *found = bpf_map_lookup_elem(&devid_exports, &key);
        __u32 granted;

        if (!found)
                return false;
        granted = found->access;
        return (access & granted) == access && found->key.partition == partition &&
               found->key.node.type == node->type && found->key.node.major == node->major &&
               found->key.node.minor == node->minor;
}

#endif
