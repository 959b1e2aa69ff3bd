/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * client.c - see client.h.
 */
#include "devid/client.h"

#include "base/pinned.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#define WAIT_NS 50000   /* another call is in the kernel for a microsecond */
#define WAITS_MAX 20000 /* a second, should it be kept from the CPU */

int devid_client_open(const char *directory)
{
        return pinned_open(directory, "devid");
}

static bool put_name(struct devid_name *to, const char *name)
{
        size_t length = name ? strlen(name) : 0;

        if (length == 0 || length >= sizeof(to->text))
                return false;
        memcpy(to->text, name, length);
        return true;
}

bool devid_client_prepare(struct devid_call *call, enum devid_op op, const char *family, const char *instance)
{
        *call = (struct devid_call){
                .op = op, .preferred = DEVID_ANY, .count = 1, .within = 1, .between = 1, .virtual = DEVID_ANY};
        return put_name(&call->family, family) && (!instance || put_name(&call->instance, instance));
}

int devid_client_call(int program, struct devid_call *call)
{
        const struct timespec pause = {.tv_nsec = WAIT_NS};
        int result = -EIO;

        for (int i = 0; i < WAITS_MAX; i++) {
                int r = pinned_run(program, call, sizeof(*call), &result);

                if (r < 0)
                        return r == -ENOMEM ? r : -EIO;
                if (result != -EAGAIN)
                        break;
                (void)nanosleep(&pause, NULL);
        }
        return result;
}
