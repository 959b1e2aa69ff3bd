/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * sockopt_kit.c - see sockopt_kit.h.
 */
#include "sockopt_kit.h"

#include "base/cleanup.h"

#include <bpf/bpf.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <cmocka.h>

static void attach(void)
{
        struct croft_error err = CROFT_ERROR_INIT;
        char line[CROFT_ERROR_TEXT_MAX];

        if (kstats_attach(kstats, cgroups, &err) < 0)
                fail_msg("%s", croft_error_line(&err, line, sizeof(line)));
}

void open_attached(void)
{
        open_kstats();
        attach();
}

int set_up_attached(void **state)
{
        int r = set_up_kstats(state);

        if (r < 0)
                return r;
        attach();
        return setenv("CROFT_KSTAT", "/nowhere", 1);
}

/* --- children --- */

/* From now on bpf(2) fails for the caller. */
void refuse_bpf(unsigned int error)
{
        struct sock_filter code[] = {
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_bpf, 0, 1),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        };
        const struct sock_fprog filter = {.len = ELEMENTS(code), .filter = code};

        require(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
        require(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0);
}

int new_socket(void)
{
        return socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

/* --- asking --- */

int by_bpf(struct kstat_call *call)
{
        struct bpf_test_run_opts opts = {.sz = sizeof(opts), .ctx_in = call, .ctx_size_in = sizeof(*call)};

        return bpf_prog_test_run_opts(program, &opts) < 0 ? -EIO : (int)opts.retval;
}

int put_request(int fd, const struct kstat_call *call)
{
        return setsockopt(fd, KSTAT_SOCKOPT_LEVEL, KSTAT_SOCKOPT_CALL, call, sizeof(struct kstat_request)) < 0 ? -errno
                                                                                                               : 0;
}

int get_answer(int fd, struct kstat_call *call)
{
        socklen_t size = sizeof(*call);
        int r;

        if (getsockopt(fd, KSTAT_SOCKOPT_LEVEL, KSTAT_SOCKOPT_CALL, call, &size) < 0)
                return -errno;
        r = KSTAT_SOCKOPT_RESULT(call);
        call->op &= KSTAT_SOCKOPT_OP;
        return size == sizeof(*call) ? r : -EBADMSG;
}

int by_socket(int fd, struct kstat_call *call)
{
        int r = put_request(fd, call);

        return r < 0 ? r : get_answer(fd, call);
}

struct kstat_call to_find(const char *module, int instance, const char *name)
{
        struct kstat_call call = {.op = KSTAT_OP_FIND, .key = {.instance = instance}};

        (void)snprintf(call.key.module, sizeof(call.key.module), "%s", module);
        (void)snprintf(call.key.name, sizeof(call.key.name), "%s", name);
        return call;
}

bool is_not_here(int r)
{
        return r == -ENOPROTOOPT || r == -EOPNOTSUPP;
}

uint64_t make_for(const char *module, int instance, uint64_t value, uint64_t partition)
{
        return make(module, instance, value, &partition, 1);
}
