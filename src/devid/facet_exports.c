/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * facet_exports.c - devices that property `devices` names by stanzas of devexports(5) are there before a partition's
 * first process runs, and none is exported any more once the last has gone.
 *
 * What was exported by request ends with the run, too.  Nodes needn't be removed then: they go with the /dev.
 */
#include "devid/facet_exports.h"

#include "devid/export.h"
#include "devid/exports.h"
#include "partition/host.h"
#include "partition/property.h"

#include <string.h>

static int release(struct partition *p, struct croft_error *err)
{
        return p->host->devid ? devid_exports_clear(p->host->devid, p->def.id, err) : 0;
}

static int prepare(struct partition *p, struct croft_error *err)
{
        int r = release(p, err); /* of a run whose end nobody saw */

        return r < 0 ? r : devid_export_follow(p, property_get(p->def.properties, "devices"), err);
}

static int apply(struct partition *p, const char *key, const char *old, const char *value, struct croft_error *err)
{
        (void)old;
        return strcmp(key, "devices") == 0 ? devid_export_follow(p, value, err) : 0;
}

const struct facet facet_exports = {
        .name = "exports",
        .prepare = prepare,
        .adopt = devid_export_heal,
        .release = release,
        .apply = apply,
};
