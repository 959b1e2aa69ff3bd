/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * load.c - see load.h.
 *
 * libbpf reads all of the kernel's types for two reasons.  Relocations: there it is content with a file that is named
 * (btf_custom_path), which here is one in memory.  Programs that are tied to something of the kernel by its id: these
 * it would look up itself, whatever is named.  So their sections are ours: such a program is of an innocent type until
 * the moment that it goes to the kernel, and gets the id from our index then.
 */
#include "kernel/load.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "kernel/calls.bpf.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>

/* Sections of programs that are tied to something, and how that is called in the kernel's types. */
static const struct section {
        const char *name; /* before the slash; with a plus as libbpf wants it */
        const char *prefix;
        unsigned int kind;
        enum bpf_attach_type attach;
        uint32_t flags;
} sections[] = {
        {"tp_btf+", "btf_trace_", BTF_KIND_TYPEDEF, BPF_TRACE_RAW_TP, 0},
        {"fentry+", "", BTF_KIND_FUNC, BPF_TRACE_FENTRY, 0},
        {"fexit+", "", BTF_KIND_FUNC, BPF_TRACE_FEXIT, 0},
        {"fmod_ret+", "", BTF_KIND_FUNC, BPF_MODIFY_RETURN, 0},
        {"iter+", "bpf_iter_", BTF_KIND_FUNC, BPF_TRACE_ITER, 0},
        {"iter.s+", "bpf_iter_", BTF_KIND_FUNC, BPF_TRACE_ITER, BPF_F_SLEEPABLE},
};

#define CALL_NAME(name) #name,
static const char *const calls[] = {KERNEL_CALLS(CALL_NAME)};

/* Calls of the kernel's functions get their ids; 0 is what the kernel takes for one that is never come to. */
static void put_calls(const struct bpf_program *program, const struct kernel_types *types)
{
        struct bpf_insn *code = (struct bpf_insn *)(uintptr_t)bpf_program__insns(program); /* not loaded yet: ours */

        for (size_t i = 0; i < bpf_program__insn_cnt(program); i++) {
                int id;

                if (code[i].code != (BPF_JMP | BPF_CALL) || code[i].src_reg != 0 || code[i].imm < KERNEL_CALL_FIRST ||
                        code[i].imm >= KERNEL_CALL_BEHIND)
                        continue;
                id = kernel_types_find(types, calls[code[i].imm - KERNEL_CALL_FIRST], BTF_KIND_FUNC);
                code[i].src_reg = BPF_PSEUDO_KFUNC_CALL;
                code[i].imm = id > 0 ? id : 0;
        }
}

/* cookie: which section it is. */
static int tie(struct bpf_program *program, struct bpf_prog_load_opts *options, long cookie)
{
        _cleanup_(kernel_types_unrefp) struct kernel_types *types = NULL;
        const struct section *section = &sections[cookie];
        const char *target = strchr(bpf_program__section_name(program), '/');
        char name[128];
        int r = kernel_types_ref(&types, NULL);

        if (r < 0)
                return r;
        (void)snprintf(name, sizeof(name), "%s%s", section->prefix, target ? target + 1 : "");
        r = kernel_types_find(types, name, section->kind);
        if (r < 0)
                return -ESRCH; /* as libbpf says it */
        put_calls(program, types);
        options->attach_btf_id = (uint32_t)r;
        options->expected_attach_type = section->attach;
        options->prog_flags |= section->flags;
        return bpf_program__set_type(program, BPF_PROG_TYPE_TRACING);
}

static int attach(const struct bpf_program *program, long cookie, struct bpf_link **ret)
{
        (void)cookie;
        *ret = bpf_program__attach_trace(program);
        return *ret ? 0 : -errno;
}

static int registered; /* 0 or a negative errno */

static void register_sections(void)
{
        for (size_t i = 0; registered >= 0 && i < ELEMENTS(sections); i++) {
                const bool iterator = sections[i].attach == BPF_TRACE_ITER; /* those are attached by their users */
                LIBBPF_OPTS(libbpf_prog_handler_opts, options, .cookie = (long)i, .prog_prepare_load_fn = tie,
                        .prog_attach_fn = iterator ? NULL : attach);

                registered = libbpf_register_prog_handler(
                        sections[i].name, BPF_PROG_TYPE_RAW_TRACEPOINT, sections[i].attach, &options);
        }
}

int kernel_load_begin(struct kernel_load *ret, struct croft_error *err)
{
        static pthread_once_t once = PTHREAD_ONCE_INIT;
        int r;

        *ret = (struct kernel_load){.fd = -EBADF};
        (void)pthread_once(&once, register_sections);
        if (registered < 0)
                return croft_error_set(err, registered, "prepare to load BPF programs");
        r = kernel_types_ref(&ret->types, err);
        if (r < 0)
                return r;
        ret->fd = memfd_create("croft-types", MFD_CLOEXEC);
        if (ret->fd < 0)
                return croft_error_set(err, errno, "make a file in memory");
        (void)snprintf(ret->path, sizeof(ret->path), "/proc/self/fd/%d", ret->fd);
        ret->options = (struct bpf_object_open_opts){.sz = sizeof(ret->options), .btf_custom_path = ret->path};
        return 0;
}

int kernel_load_types(struct kernel_load *load, const struct bpf_object *object, struct croft_error *err)
{
        _cleanup_free_ void *bytes = NULL;
        size_t size = 0;
        int r = kernel_types_select(load->types, bpf_object__btf(object), &bytes, &size, err);

        if (r < 0)
                return r;
        if (ftruncate(load->fd, 0) < 0 || lseek(load->fd, 0, SEEK_SET) < 0)
                return croft_error_set(err, errno, "empty a file in memory");
        r = fd_write_all(load->fd, bytes, size);
        return r < 0 ? croft_error_set(err, r, "write types of the kernel") : 0;
}

void kernel_load_done(struct kernel_load *load)
{
        load->types = kernel_types_unref(load->types);
        load->fd = close_fd(load->fd);
}
