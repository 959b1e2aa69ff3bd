/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fuzz_devexports.c - the stanza file of devices: whatever is taken names paths below /dev and lists nothing else, what
 * isn't says in which line.
 */
#include "base/cleanup.h"
#include "fuzz.h"
#include "partition/devexports.h"

#include <string.h>

/* Paths that must be judged in no time, whatever the pattern. */
static void look_up(const struct devexports *e)
{
        fuzz_require(!devexports_lists(e, "/etc/passwd") && !devexports_lists(e, "/dev/../etc/passwd"));
        fuzz_require(!devexports_lists(e, "/dev/") && !devexports_lists(e, ""));
        (void)devexports_lists(
                e, "/dev/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac");
        (void)devexports_lists(e, "/dev/disk/by-id/ata-x");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct croft_error err = CROFT_ERROR_INIT;
        struct devexports e = {.list = NULL};

        if (devexports_parse((const char *)data, size, &e, &err) < 0) {
                fuzz_require(err.code == EBADMSG && !e.list && e.n == 0);
                return 0;
        }
        fuzz_require(!err.code && e.n <= STANZAS_MAX);
        for (size_t i = 0; i < e.n; i++) {
                fuzz_require(devexports_name_is_valid(e.list[i].name) && devexports_path_is_valid(e.list[i].pattern));
                fuzz_require(devexports_find(&e, e.list[i].name) == &e.list[i]);
                fuzz_require(!devexports_is_literal(&e.list[i]) || devexports_lists(&e, e.list[i].pattern));
        }
        look_up(&e);
        devexports_done(&e);
        return 0;
}
