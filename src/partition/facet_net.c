/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * facet_net.c - a partition's network, made from the host's side once its namespace is there, and taken down before the
 * namespace goes, so that a moved interface comes back.
 */
#include "partition/facet_net.h"

#include "kernel/net.h"
#include "partition/host.h"
#include "partition/property.h"

static int prepare(struct partition *p, struct croft_error *err)
{
        struct net_spec spec;
        int r = net_spec_parse(property_get(p->def.properties, "net"), &spec, err);

        return r < 0 ? r : net_setup(&spec, p->host->tag, p->def.id, p->run.netns, err);
}

static int release(struct partition *p, struct croft_error *err)
{
        struct net_spec spec;

        if (net_spec_parse(property_get(p->def.properties, "net"), &spec, NULL) < 0)
                return 0; /* of another version: nothing was made from it */
        return net_release(&spec, p->host->tag, p->def.id, p->run.netns < 0 ? -1 : p->run.netns, err);
}

const struct facet facet_net = {.name = "net", .prepare = prepare, .release = release};
