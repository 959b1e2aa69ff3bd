/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * caps.c - capabilities.  See caps.h.
 */
#include "kernel/caps.h"

#include "base/cleanup.h"

#include <linux/capability.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

/* All of them are checked against the initial user namespace by the kernel; a partition's root couldn't use them.
 * Kept although useless there: SYS_RESOURCE, SYS_NICE, MKNOD and SYS_TTY_CONFIG, because programs ask for them before
 * they do what they are allowed to do anyway. */
static const int never[] = {CAP_SYS_MODULE, CAP_SYS_RAWIO, CAP_SYS_TIME, CAP_MAC_ADMIN, CAP_MAC_OVERRIDE, CAP_SYSLOG,
        CAP_WAKE_ALARM, CAP_BLOCK_SUSPEND, CAP_AUDIT_CONTROL, CAP_AUDIT_READ};

int caps_bound(struct croft_error *err)
{
        for (size_t i = 0; i < ELEMENTS(never); i++)
                /* EINVAL: the kernel has no such capability, which is as good. */
                if (prctl(PR_CAPBSET_DROP, never[i], 0, 0, 0) < 0 && errno != EINVAL)
                        return croft_error_set(err, errno, "drop capability %d from the bounding set", never[i]);
        return 0;
}

static int keep_bounding(uint64_t kept, struct croft_error *err)
{
        for (int cap = 0; cap < 64; cap++)
                if (!(kept >> cap & 1) && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0 && errno != EINVAL && errno != EPERM)
                        return croft_error_set(err, errno, "drop capability %d from the bounding set", cap);
        return 0;
}

int caps_drop_bounding(struct croft_error *err)
{
        return keep_bounding(0, err);
}

int caps_keep(uint64_t kept, struct croft_error *err)
{
        struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
        struct __user_cap_data_struct sets[2] = {0};
        int r = keep_bounding(kept, err);

        if (r < 0)
                return r;
        for (int i = 0; i < 2; i++)
                sets[i].effective = sets[i].permitted = (uint32_t)(kept >> 32 * i);
        if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 && errno != EINVAL)
                return croft_error_set(err, errno, "clear the ambient capabilities");
        if (syscall(SYS_capset, &header, sets) < 0)
                return croft_error_set(err, errno, "give up capabilities");
        return 0;
}

int caps_drop_all(struct croft_error *err)
{
        return caps_keep(0, err);
}
