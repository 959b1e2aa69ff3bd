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

struct kstats *kstats;
static int program = -EBADF; /* opened here, in global */

void open_kstats(void)
{
        struct croft_error err = CROFT_ERROR_INIT;
        char line[CROFT_ERROR_TEXT_MAX];

        if (kstats_open(plane, &kstats, &err) < 0 || kstats_attach(kstats, cgroups, &err) < 0)
                fail_msg("%s", croft_error_line(&err, line, sizeof(line)));
}

int set_up_kstats(void **state)
{
        _cleanup_close_ int directory = -EBADF;
        char path[64];
        int r = set_up(state);

        if (r < 0)
                return r;
        open_kstats();
        assert_int_equal(kstats_add_partition(kstats, A, NULL), 0);
        assert_int_equal(kstats_add_partition(kstats, B, NULL), 0);
        directory = kstats_open_programs(kstats, NULL);
        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d/kstat", directory);
        program = bpf_obj_get(path);
        assert_int_equal(setenv("CROFT_KSTAT", "/nowhere", 1), 0);
        return program < 0 ? -1 : 0;
}

int tear_down_kstats(void **state)
{
        program = close_fd(program);
        assert_int_equal(kstats_remove_partition(kstats, A, NULL), 0);
        assert_int_equal(kstats_remove_partition(kstats, B, NULL), 0);
        assert_int_equal(plane_remove_partition(plane, A, NULL), 0);
        assert_int_equal(plane_remove_partition(plane, B, NULL), 0);
        assert_int_equal(kstats_remove(kstats, NULL), 0);
        kstats = kstats_free(kstats);
        return tear_down(state);
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

uint64_t make(const char *module, int instance, uint64_t value, uint64_t partition)
{
        const uint64_t data[WORDS] = {value, value, value, value, value, value, value, value};
        const struct kstat_def def = {.module = module,
                .instance = instance,
                .name = "io",
                .class = "test",
                .type = KSTAT_RAW,
                .data = data,
                .size = sizeof(data)};
        uint64_t kid = 0;

        assert_int_equal(kstats_create(kstats, &def, 1, &partition, 1, &kid, NULL), 0);
        return kid;
}

uint64_t first_word(const struct kstat_call *call)
{
        uint64_t word;

        memcpy(&word, call->data, sizeof(word));
        return word;
}
