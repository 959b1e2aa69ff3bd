/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * refusals.c - what the table of device numbers has refused to partitions.  See refusals.h.
 */
#include "devid/refusals.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "devid/devid_private.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>

/* While they are read. */
struct reading {
        void (*f)(void *context, const struct devid_refusal *refusal);
        void *context;
};

static int take(void *context, void *data, size_t size)
{
        const struct reading *reading = context;

        if (size >= sizeof(struct devid_refusal))
                reading->f(reading->context, data);
        return 0;
}

int devid_refusals_fd(const struct devid *d)
{
        return d->refusals; /* can be polled itself */
}

void devid_refusals_read(struct devid *d, void (*f)(void *context, const struct devid_refusal *refusal), void *context)
{
        struct reading reading = {f, context};
        struct ring_buffer *ring = d->refusals < 0 ? NULL : ring_buffer__new(d->refusals, take, &reading, NULL);

        if (!ring)
                return; /* they wait */
        (void)ring_buffer__consume(ring);
        ring_buffer__free(ring);
}

void devid_refusals_forget(struct devid *d, uint64_t partition)
{
        static const int codes[] = {EPERM, ENOENT, EDQUOT, ENOSPC, ENOMEM};

        for (size_t i = 0; d->told >= 0 && i < ELEMENTS(codes); i++) {
                const struct devid_told_key key = {.partition = partition, .code = (uint32_t)codes[i]};

                (void)bpf_map_delete_elem(d->told, &key);
        }
}

void devid_refusal_say(const struct devid_refusal *refusal, struct croft_error *ret)
{
        const struct devid_name *family = &refusal->family;
        char name[4 * DEVID_NAME + 1];

        str_escape(name, sizeof(name), family->text, strnlen(family->text, sizeof(family->text)));
        switch (refusal->key.code) {
        case EDQUOT:
                (void)croft_error_set(
                        ret, EDQUOT, "it asked for more device numbers of '%s' than it is granted.", name);
                return;
        case ENOENT:
                (void)croft_error_set(
                        ret, ENOENT, "it asked for a device number of '%s', which it isn't granted.", name);
                return;
        case ENOSPC:
                (void)croft_error_set(
                        ret, ENOSPC, "it asked for a device number of '%s', of which none is free.", name);
                return;
        case ENOMEM:
                (void)croft_error_set(
                        ret, ENOMEM, "it asked for a device number of '%s', and the table is full.", name);
                return;
        default:
                (void)croft_error_set(
                        ret, EPERM, "it asked for what isn't its own among the device numbers of '%s'.", name);
                return;
        }
}
