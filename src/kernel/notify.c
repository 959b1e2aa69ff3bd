/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * notify.c - seccomp user notification, thin and checked.  See notify.h.
 */
#include "kernel/notify.h"

#include "base/cleanup.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>

/* Linux 6.6, newer than Debian 12's headers. */
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW)

int notify_area_new(struct croft_error *err)
{
        _cleanup_close_ int fd = memfd_create("croft-notify", MFD_CLOEXEC | MFD_ALLOW_SEALING);

        if (fd < 0 || ftruncate(fd, sizeof(struct notify_area)) < 0 || fcntl(fd, F_ADD_SEALS, SEALS) < 0)
                return croft_error_set(err, errno, "make memory for intercepted calls");
        return TAKE_FD(fd);
}

int notify_area_map(int fd, struct notify_area **ret, struct croft_error *err)
{
        struct seccomp_notif_sizes sizes;
        struct stat st;
        int seals = fcntl(fd, F_GET_SEALS);
        void *p;

        /* One that could be cut short would end who uses it, by SIGBUS. */
        if (seals < 0 || (seals & SEALS) != SEALS || fstat(fd, &st) < 0 || st.st_size != sizeof(struct notify_area))
                return croft_error_set(err, EBADMSG, "the memory for intercepted calls is none.");
        if (syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) < 0)
                return croft_error_set(err, EOPNOTSUPP, "the kernel knows no intercepted calls.");
        /* A kernel that says more than we know needs room for it. */
        if (sizes.seccomp_notif > sizeof(struct seccomp_notif) ||
                sizes.seccomp_notif_resp > sizeof(struct seccomp_notif_resp))
                return croft_error_set(err, EOPNOTSUPP, "the kernel's notes of intercepted calls are too long.");
        p = mmap(NULL, sizeof(struct notify_area), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (p == MAP_FAILED)
                return croft_error_set(err, errno, "map the memory for intercepted calls");
        *ret = p;
        return 0;
}

void notify_area_unmap(struct notify_area *area)
{
        if (area)
                (void)munmap(area, sizeof(*area));
}

bool notify_is_listener(int fd)
{
        static const char expected[] = "anon_inode:seccomp notify";
        char path[32], target[64];
        ssize_t n;

        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        n = readlink(path, target, sizeof(target));
        return n == sizeof(expected) - 1 && memcmp(target, expected, sizeof(expected) - 1) == 0;
}

void notify_prefer_same_cpu(int listener)
{
        (void)ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
}

int notify_receive(int listener, uint32_t number, struct notify_area *area, struct notify_slot **ret)
{
        struct notify_slot *slot = NULL;

        for (size_t i = 0; i < NOTIFY_SLOTS && !slot; i++)
                if (area->slots[i].call.id == 0)
                        slot = &area->slots[i];
        if (!slot)
                return -EBUSY;
        /* First, so that what the kernel fills in is never taken for another listener's. */
        memset(slot, 0, sizeof(*slot));
        slot->listener = number;
        if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &slot->call) < 0)
                return -errno;
        *ret = slot;
        return 0;
}

bool notify_holds(int listener, const struct notify_slot *slot)
{
        return ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &slot->call.id) == 0;
}

/* What a failed transfer means. */
static int transferred(ssize_t n, size_t size)
{
        if (n == (ssize_t)size)
                return 0;
        if (n >= 0)
                return -EFAULT; /* the part that is there */
        return errno == ESRCH ? -ENOENT : -errno;
}

int notify_read(int listener, const struct notify_slot *slot, uint64_t address, void *data, size_t size)
{
        struct iovec here = {.iov_base = data, .iov_len = size};
        struct iovec there = {.iov_base = (void *)(uintptr_t)address, .iov_len = size};
        int r = transferred(syscall(SYS_process_vm_readv, (pid_t)slot->call.pid, &here, 1, &there, 1, 0), size);

        /* By its number it may have been somebody else's memory. */
        return notify_holds(listener, slot) ? r : -ENOENT;
}

/* The number of a process that was killed just now would have to be given again between these two calls, for which the
 * kernel must first have given all others; then it is a process of the same partition that is hit, because ptrace(2)'s
 * rules let us into no other. */
int notify_write(int listener, const struct notify_slot *slot, uint64_t address, const void *data, size_t size)
{
        union {
                const void *in;
                void *out; /* of struct iovec, which serves both ways */
        } bytes = {.in = data};
        struct iovec here = {.iov_base = bytes.out, .iov_len = size};
        struct iovec there = {.iov_base = (void *)(uintptr_t)address, .iov_len = size};

        if (!notify_holds(listener, slot))
                return -ENOENT;
        return transferred(syscall(SYS_process_vm_writev, (pid_t)slot->call.pid, &here, 1, &there, 1, 0), size);
}

int notify_answer(int listener, struct notify_slot *slot, int64_t value, int code)
{
        struct seccomp_notif_resp answer = {.id = slot->call.id, .val = code > 0 ? 0 : value, .error = -code};
        int r = ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer) < 0 ? -errno : 0;

        /* Last: until here a successor would answer it again, which the kernel refuses where it was answered. */
        slot->call.id = 0;
        return r;
}

enum mount_call mount_call_of(uint32_t arch, int32_t number)
{
        static const struct {
                uint32_t arch;
                int32_t mount, umount2;
        } calls[] = {{AUDIT_ARCH_X86_64, 165, 166}, {AUDIT_ARCH_X86_64, NOTIFY_X32_BIT | 165, NOTIFY_X32_BIT | 166},
                {AUDIT_ARCH_I386, 21, 52}, {AUDIT_ARCH_AARCH64, 40, 39}};

        for (size_t i = 0; i < ELEMENTS(calls); i++)
                if (calls[i].arch == arch && (calls[i].mount == number || calls[i].umount2 == number))
                        return calls[i].mount == number ? MOUNT_CALL_MOUNT : MOUNT_CALL_UMOUNT2;
        return 0;
}
