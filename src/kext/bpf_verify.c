/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * bpf_verify.c - has croft-kext give a BPF object to the kernel, and takes the programs over.  See bpf.h.
 *
 * What kind of program a descriptor is of, croft-kext says; the kernel attaches it as that kind or not at all.
 */
#include "base/cleanup.h"
#include "kext/bpf.h"
#include "kext/run.h"

#include <linux/bpf.h>
#include <string.h>
#include <sys/syscall.h>

#define VERIFY_MS 30000 /* a million instructions, on a slow machine */

void bpf_programs_done(struct bpf_programs *programs)
{
        while (programs->n > 0)
                close_fd(programs->list[--programs->n].fd);
}

void bpf_payers_done(struct bpf_payers *payers)
{
        while (payers->n > 0)
                close_fd(payers->fds[--payers->n]);
}

/* The kernel's word for its type. */
static bool is_taken(int fd, uint64_t attach)
{
        struct bpf_prog_info info = {0};
        union bpf_attr attr = {.info = {
                                       .bpf_fd = (uint32_t)fd,
                                       .info_len = sizeof(info),
                                       .info = (uint64_t)(uintptr_t)&info,
                               }};

        return attach <= UINT32_MAX && syscall(SYS_bpf, BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr)) == 0 &&
               bpf_is_taken(info.type, (uint32_t)attach);
}

static int take_all(struct run *run, struct bpf_programs *programs, struct msg *msg, struct croft_error *err)
{
        for (;;) {
                _cleanup_close_ int fd = -EBADF;
                int r = run_next_fd(run, msg, &fd, err);

                if (r < 0)
                        return r;
                if (msg->type == MSG_END && programs->n > 0)
                        return 0;
                if (msg->type != MSG_PROGRAM || programs->n == BPF_PROGRAMS_MAX || fd < 0 || !is_taken(fd, msg->number))
                        return croft_error_set(err, EBADMSG, "croft-kext says what it shouldn't");
                programs->list[programs->n].attach = (uint32_t)msg->number;
                programs->list[programs->n++].fd = TAKE_FD(fd);
        }
}

int bpf_verify(const char *worker, int bytes, const char *name, const struct bpf_payers *payers,
        struct bpf_programs *ret, struct croft_error *err)
{
        _cleanup_(run_end) struct run run = RUN_INIT;
        struct bpf_programs programs = {.n = 0};
        struct msg *msg = calloc(1, sizeof(*msg));
        _cleanup_free_ void *own = msg;
        char own_name[KEXT_NAME_MAX + 1];
        char *words[] = {own_name, NULL};
        int fds[1 + BPF_PAYERS_MAX] = {bytes}, r;

        if (!msg)
                return croft_error_set(err, ENOMEM, "have a BPF object verified");
        memcpy(fds + 1, payers->fds, payers->n * sizeof(*payers->fds));
        (void)snprintf(own_name, sizeof(own_name), "%s", name);
        r = run_start(worker, "verify", words, fds, 1 + payers->n, VERIFY_MS, &run, err);
        if (r == 0)
                r = take_all(&run, &programs, msg, err);
        if (r < 0) {
                bpf_programs_done(&programs);
                return r;
        }
        *ret = programs;
        return 0;
}
