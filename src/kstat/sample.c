/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * sample.c - reads a partition's sample.  See sample.h.
 *
 * What comes is the kernel's, written by a program of ours; still only its size decides how much of it is believed.
 */
#include "kstat/sample.h"

#include "base/cleanup.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int open_iterator(int link)
{
        union bpf_attr attr;
        long fd;

        memset(&attr, 0, sizeof(attr));
        attr.iter_create.link_fd = (__u32)link;
        fd = syscall(SYS_bpf, BPF_ITER_CREATE, &attr, sizeof(attr));
        return fd < 0 ? -errno : (int)fd;
}

/* Reads up to size bytes; how many came, or a negative errno. */
static ssize_t read_all(int fd, void *buffer, size_t size)
{
        size_t done = 0;

        while (done < size) {
                ssize_t n = read(fd, (char *)buffer + done, size - done);

                if (n < 0 && (errno == EINTR || errno == EAGAIN))
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        break;
                done += (size_t)n;
        }
        return (ssize_t)done;
}

int kstat_sample_read(int link, struct kstat_sample *ret)
{
        _cleanup_close_ int fd = open_iterator(link);
        const size_t least = offsetof(struct kstat_sample, cpu);
        ssize_t n;

        if (fd < 0)
                return fd;
        n = read_all(fd, ret, sizeof(*ret));
        if (n < 0)
                return (int)n;
        if (n == 0)
                return -ENXIO;
        if ((size_t)n < least || ret->version != KSTAT_SAMPLE_VERSION || ret->size != (size_t)n ||
                ret->n_cpus > KSTAT_CPUS_MAX || (size_t)n != least + ret->n_cpus * sizeof(ret->cpu[0]) ||
                ret->n_disks > KSTAT_SAMPLE_DISKS)
                return -EUCLEAN;
        memset(&ret->cpu[ret->n_cpus], 0, (KSTAT_CPUS_MAX - ret->n_cpus) * sizeof(ret->cpu[0]));
        return 0;
}
