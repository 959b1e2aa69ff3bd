/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * confine.c - gives up privileges.  See warden.h.
 */
#include "base/cleanup.h"
#include "kernel/caps.h"
#include "kernel/seccomp.h"
#include "partition/ring.h"
#include "warden/warden.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The log is the only file that a warden can write: taken over, it can't be made to fill the disk. */
static int limit_files(void)
{
        const struct rlimit size = {.rlim_cur = RING_FILE_MAX, .rlim_max = RING_FILE_MAX};
        const struct rlimit none = {.rlim_cur = 0, .rlim_max = 0};

        return setrlimit(RLIMIT_FSIZE, &size) < 0 || setrlimit(RLIMIT_CORE, &none) < 0 ? -errno : 0;
}

int warden_confine(uid_t owner, int filter, struct croft_error *err)
{
        int r;

        if (syscall(SYS_setgroups, 0, NULL) < 0 || syscall(SYS_setresgid, owner, owner, owner) < 0)
                return croft_error_set(err, errno, "give up root's groups");
        r = limit_files();
        if (r < 0)
                return croft_error_set(err, r, "limit the size of files");
        r = caps_drop_bounding(err);
        if (r < 0)
                return r;
        if (syscall(SYS_setresuid, owner, owner, owner) < 0)
                return croft_error_set(err, errno, "become user %u", owner);
        if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                return croft_error_set(err, errno, "give up new privileges");
        r = caps_drop_all(err);
        if (r < 0 || filter < 0)
                return r;
        return seccomp_install(filter, err);
}

/* Devices and their nodes (SYS_ADMIN, MKNOD, CHOWN, FOWNER, DAC_OVERRIDE), descriptors and memory of who asks
 * (SYS_PTRACE), becoming as he is for a mount (SETPCAP, SETUID, SETGID, SYS_CHROOT), killing that process (KILL). */
int warden_confine_broker(int filter, struct croft_error *err)
{
        static const int kept[] = {CAP_SYS_ADMIN, CAP_MKNOD, CAP_CHOWN, CAP_FOWNER, CAP_DAC_OVERRIDE, CAP_SYS_PTRACE,
                CAP_SETPCAP, CAP_SETUID, CAP_SETGID, CAP_SYS_CHROOT, CAP_KILL};
        uint64_t set = 0;
        int r;

        for (size_t i = 0; i < ELEMENTS(kept); i++)
                set |= UINT64_C(1) << kept[i];
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                return croft_error_set(err, errno, "give up new privileges");
        r = caps_keep(set, err);
        return r < 0 ? r : seccomp_install(filter, err);
}
