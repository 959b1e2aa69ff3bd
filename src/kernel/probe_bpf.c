/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * probe_bpf.c - probes of BPF: a program of two instructions of each type that croft's plane uses is loaded, attached
 * where that is what some kernels refuse (lockdown forbids trampolines), and let go.
 *
 * Instructions by hand, not an object file: a probe must tell what the kernel refuses, not what a loader makes of it.
 */
#include "kernel/probe_private.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "kernel/mount.h"
#include "kernel/types.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <linux/bpf.h>
#include <string.h>

/* return 0 */
static const struct bpf_insn return_zero[] = {
        {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0},
        {.code = BPF_JMP | BPF_EXIT},
};

static int load(enum bpf_prog_type type, struct bpf_prog_load_opts *options)
{
        int fd = bpf_prog_load(type, "croft_probe", "GPL", return_zero, ELEMENTS(return_zero), options);

        return fd < 0 ? -errno : fd;
}

/* Loads a program that is tied to something of the kernel, found in BTF by its name. */
static int load_tied(const struct probe_context *c, enum bpf_prog_type type, enum bpf_attach_type attach,
        const char *name, unsigned int kind)
{
        LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = attach);
        int id = c->types ? kernel_types_find(c->types, name, kind) : -EOPNOTSUPP;

        if (id < 0)
                return id;
        options.attach_btf_id = (uint32_t)id;
        return load(type, &options);
}

/* Loads and attaches; both are undone by closing. */
static int attach_tied(const struct probe_context *c, enum bpf_prog_type type, enum bpf_attach_type attach,
        const char *name, unsigned int kind)
{
        _cleanup_close_ int program = load_tied(c, type, attach, name, kind), link = -EBADF;

        if (program < 0)
                return program;
        link = bpf_raw_tracepoint_open(NULL, program);
        return link < 0 ? -errno : 0;
}

int probe_btf(const struct probe_context *c, struct probe_result *result)
{
        (void)result;
        return c->types ? 0 : -ENOENT;
}

int probe_bpffs(const struct probe_context *c, struct probe_result *result)
{
        _cleanup_close_ int fd = mount_new("bpf", NULL, 0, NULL);

        (void)c;
        (void)result;
        return fd < 0 ? fd : 0;
}

int probe_bpf_syscall(const struct probe_context *c, struct probe_result *result)
{
        LIBBPF_OPTS(bpf_prog_load_opts, options, .prog_flags = BPF_F_SLEEPABLE);
        LIBBPF_OPTS(bpf_test_run_opts, run);
        _cleanup_close_ int program = load(BPF_PROG_TYPE_SYSCALL, &options);

        (void)c;
        (void)result;
        if (program < 0)
                return program;
        return bpf_prog_test_run_opts(program, &run) < 0 ? -errno : 0;
}

int probe_bpf_device(const struct probe_context *c, struct probe_result *result)
{
        LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_CGROUP_DEVICE);
        _cleanup_close_ int program = load(BPF_PROG_TYPE_CGROUP_DEVICE, &options), link = -EBADF;

        (void)result;
        if (program < 0 || c->cgroup < 0)
                return program < 0 ? program : 0;
        link = bpf_link_create(program, c->cgroup, BPF_CGROUP_DEVICE, NULL);
        return link < 0 ? -errno : 0;
}

int probe_bpf_iterator(const struct probe_context *c, struct probe_result *result)
{
        _cleanup_close_ int program =
                load_tied(c, BPF_PROG_TYPE_TRACING, BPF_TRACE_ITER, "bpf_iter_task", BTF_KIND_FUNC);
        _cleanup_close_ int link = -EBADF, iterator = -EBADF;

        (void)result;
        if (program < 0)
                return program;
        link = bpf_link_create(program, 0, BPF_TRACE_ITER, NULL);
        if (link < 0)
                return -errno;
        iterator = bpf_iter_create(link);
        return iterator < 0 ? -errno : 0;
}

int probe_bpf_tracepoint(const struct probe_context *c, struct probe_result *result)
{
        (void)result;
        return attach_tied(c, BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP, "btf_trace_task_rename", BTF_KIND_TYPEDEF);
}

/* bpf_fentry_test1 is there for such tests; nobody calls it. */
int probe_bpf_trampoline(const struct probe_context *c, struct probe_result *result)
{
        int r = attach_tied(c, BPF_PROG_TYPE_TRACING, BPF_TRACE_FENTRY, "bpf_fentry_test1", BTF_KIND_FUNC);

        if (r == -EPERM)
                (void)snprintf(result->detail, sizeof(result->detail), "refused, perhaps by lockdown");
        return r;
}

/* Attached to a hook that is never called but by quota tools, and its answer is "go on". */
int probe_bpf_lsm(const struct probe_context *c, struct probe_result *result)
{
        _cleanup_free_ char *modules = NULL;
        int r = attach_tied(c, BPF_PROG_TYPE_LSM, BPF_LSM_MAC, "bpf_lsm_quotactl", BTF_KIND_FUNC);

        if (r < 0)
                return r;
        if (fd_read_file(AT_FDCWD, "/sys/kernel/security/lsm", 4096, &modules, NULL) < 0) {
                (void)snprintf(result->detail, sizeof(result->detail),
                        "attaches; securityfs isn't mounted, so nobody knows whether it is asked");
                return 0;
        }
        if (strstr(modules, "bpf"))
                return 0;
        (void)snprintf(result->detail, sizeof(result->detail), "attaches, but 'bpf' isn't in lsm= of the kernel");
        return -EOPNOTSUPP;
}

int probe_bpf_ringbuf(const struct probe_context *c, struct probe_result *result)
{
        _cleanup_close_ int fd =
                bpf_map_create(BPF_MAP_TYPE_RINGBUF, "croft_probe", 0, 0, (uint32_t)sysconf(_SC_PAGESIZE), NULL);

        (void)c;
        (void)result;
        return fd < 0 ? -errno : 0;
}
