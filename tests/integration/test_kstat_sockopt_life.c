/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_kstat_sockopt_life.c - the programs behind options of sockets: abuse, bounds, options that aren't theirs, and
 * their coming and going.
 * where: here guest
 */
#include "base/cleanup.h"
#include "base/clock.h"
#include "libkstat/client.h"
#include "sockopt_kit.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define GARBAGE 100000
#define SOCKETS 10000

/* --- abuse --- */

static uint32_t next_random(uint32_t *seed)
{
        *seed ^= *seed << 13;
        *seed ^= *seed >> 17;
        *seed ^= *seed << 5;
        return *seed;
}

static void throw_garbage(void *context)
{
        static uint8_t bytes[9000];
        uint32_t seed = 20260101;
        int fd = new_socket();
        struct kstat_call good;

        (void)context;
        for (int i = 0; i < GARBAGE; i++) {
                uint32_t size = next_random(&seed) % 4 ? sizeof(struct kstat_request) : next_random(&seed) % 9000;
                socklen_t room = next_random(&seed) % 4 ? sizeof(struct kstat_call) : next_random(&seed) % 9000;

                for (uint32_t at = 0; at < sizeof(struct kstat_request); at += 4)
                        memcpy(bytes + at, &(uint32_t){next_random(&seed)}, 4);
                if (next_random(&seed) % 2) /* else nearly all are refused by their op */
                        memcpy(bytes, &(uint32_t){next_random(&seed) % 8}, 4);
                if (next_random(&seed) % 2)
                        memset(bytes + offsetof(struct kstat_request, partition), 0, 8);
                if (setsockopt(fd, KSTAT_SOCKOPT_LEVEL, KSTAT_SOCKOPT_CALL, bytes, size) == 0)
                        require(size == sizeof(struct kstat_request));
                if (getsockopt(fd, KSTAT_SOCKOPT_LEVEL, KSTAT_SOCKOPT_CALL, bytes, &room) == 0)
                        require(room == sizeof(struct kstat_call));
        }
        good = to_find("mount", 1, "io");
        require(by_socket(fd, &good) == 0 && first_word(&good) == 1111);
}

static void garbage_harms_nobody(void **state)
{
        (void)state;
        (void)make_for("mount", 1, 1111, A);
        as("a", AS_IS, throw_garbage, NULL);
}

/* Counts the sockets that something was asked through: an iterator that writes a byte for each. */
static int open_counter(void)
{
        const struct bpf_insn code[] = {
                {.code = BPF_LDX | BPF_MEM | BPF_DW, .dst_reg = BPF_REG_2, .src_reg = BPF_REG_1, .off = 24}, /* value */
                {.code = BPF_JMP | BPF_JEQ | BPF_K, .dst_reg = BPF_REG_2, .imm = 0, .off = 7},
                {.code = BPF_LDX | BPF_MEM | BPF_DW, .dst_reg = BPF_REG_1, .src_reg = BPF_REG_1, .off = 0}, /* meta */
                {.code = BPF_LDX | BPF_MEM | BPF_DW, .dst_reg = BPF_REG_1, .src_reg = BPF_REG_1, .off = 0}, /* seq */
                {.code = BPF_ST | BPF_MEM | BPF_DW, .dst_reg = BPF_REG_10, .off = -8, .imm = '.'},
                {.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = BPF_REG_2, .src_reg = BPF_REG_10},
                {.code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = BPF_REG_2, .imm = -8},
                {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_3, .imm = 1},
                {.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_seq_write},
                {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0},
                {.code = BPF_JMP | BPF_EXIT},
        };
        LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_TRACE_ITER);
        struct btf *btf = btf__load_vmlinux_btf();
        int id = btf__find_by_name_kind(btf, "bpf_iter_bpf_sk_storage_map", BTF_KIND_FUNC), fd;

        btf__free(btf);
        assert_true(id > 0);
        options.attach_btf_id = (uint32_t)id;
        fd = bpf_prog_load(BPF_PROG_TYPE_TRACING, "count", "GPL", code, ELEMENTS(code), &options);
        return fd < 0 ? -errno : fd;
}

static int open_requests(void)
{
        char path[128];
        int fd;

        (void)snprintf(path, sizeof(path), "%s/bpf/kstat_requests", run_path);
        fd = bpf_obj_get(path);
        assert_true(fd >= 0);
        return fd;
}

static size_t count_requests(int counter)
{
        _cleanup_close_ int map = open_requests(), link = -EBADF, iterator = -EBADF;
        union bpf_iter_link_info info = {0};
        LIBBPF_OPTS(bpf_link_create_opts, options, .iter_info = &info, .iter_info_len = sizeof(info));
        char bytes[512];
        size_t sum = 0;
        ssize_t n;

        info.map.map_fd = (uint32_t)map;
        link = bpf_link_create(counter, 0, BPF_TRACE_ITER, &options);
        iterator = bpf_iter_create(link);
        assert_true(iterator >= 0);
        while ((n = read(iterator, bytes, sizeof(bytes))) > 0)
                sum += (size_t)n;
        assert_int_equal(n, 0);
        return sum;
}

static void allow_many_descriptors(void)
{
        struct rlimit limit;

        require(getrlimit(RLIMIT_NOFILE, &limit) == 0);
        limit.rlim_cur = SOCKETS + 100;
        if (limit.rlim_max < limit.rlim_cur)
                limit.rlim_max = limit.rlim_cur;
        require(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

/* Each has what was asked last, and one through which nothing was asked has nothing. */
static void look_at_many(void *context)
{
        const int map = *(const int *)context;
        struct kstat_call call = {.op = KSTAT_OP_CHAIN};
        struct kstat_request kept;
        int fd = new_socket();

        allow_many_descriptors();
        require(bpf_map_lookup_elem(map, &fd, &kept) < 0);
        for (uint32_t i = 0; i < SOCKETS; i++) {
                fd = new_socket();
                require(fd >= 0);
                for (uint32_t k = 0; k < 3; k++) {
                        call.at = k == 2 ? i : 0;
                        require(by_socket(fd, &call) == 0 && call.caller == A);
                }
                require(bpf_map_lookup_elem(map, &fd, &kept) == 0 && kept.op == KSTAT_OP_CHAIN && kept.at == i);
        }
}

static void ten_thousand_sockets_keep_one_request_each(void **state)
{
        _cleanup_close_ int map = open_requests();

        (void)state;
        as("a", AS_IS, look_at_many, &map);
}

struct waiting {
        int ready[2], go[2];
};

static void say_and_wait(const struct waiting *w)
{
        char byte = 0;

        require(write(w->ready[1], &byte, 1) == 1 && read(w->go[0], &byte, 1) == 1);
}

/* Runs f in A up to its say_and_wait(). */
static pid_t start_waiting(struct waiting *w, void (*f)(const struct waiting *w))
{
        char byte = 0;
        pid_t pid;

        assert_int_equal(pipe2(w->ready, O_CLOEXEC), 0);
        assert_int_equal(pipe2(w->go, O_CLOEXEC), 0);
        pid = fork();
        if (pid == 0) {
                close_fd(w->ready[0]);
                close_fd(w->go[1]);
                require(enter_cgroup("a") == 0);
                f(w);
                _exit(0);
        }
        close_fd(w->ready[1]);
        close_fd(w->go[0]);
        assert_int_equal(read(w->ready[0], &byte, 1), 1); /* else it has failed and said why */
        return pid;
}

static void let_end(const struct waiting *w, pid_t pid)
{
        char byte = 0;
        int status;

        assert_int_equal(write(w->go[1], &byte, 1), 1);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        close_fd(w->ready[0]);
        close_fd(w->go[1]);
}

static void open_many(const struct waiting *w)
{
        struct kstat_call call = {.op = KSTAT_OP_CHAIN};

        allow_many_descriptors();
        for (int i = 0; i < SOCKETS; i++)
                require(put_request(new_socket(), &call) == 0);
        say_and_wait(w);
}

static void a_request_goes_with_its_socket(void **state)
{
        const struct timespec moment = {.tv_nsec = 20000000};
        _cleanup_close_ int counter = open_counter();
        struct waiting w;
        pid_t pid;

        (void)state;
        assert_int_equal(count_requests(counter), 0);
        pid = start_waiting(&w, open_many);
        assert_int_equal(count_requests(counter), SOCKETS);
        let_end(&w, pid);
        for (int i = 0; i < 500 && count_requests(counter) > 0; i++) /* sockets end after a grace period */
                (void)nanosleep(&moment, NULL);
        assert_int_equal(count_requests(counter), 0);
}

/* --- what isn't ours --- */

struct option_result {
        int r, error;
        socklen_t size;
        uint8_t bytes[9000];
};

static const struct {
        int level, name;
} others[] = {{SOL_SOCKET, SO_RCVBUF}, {SOL_SOCKET, SO_LINGER}, {SOL_SOCKET, SO_PEERGROUPS}, {SOL_SOCKET, 12345},
        {IPPROTO_TCP, TCP_INFO}, {IPPROTO_TCP, TCP_CONGESTION}, {IPPROTO_IP, IP_OPTIONS}, {IPPROTO_IP, MCAST_MSFILTER},
        {IPPROTO_IP, 12345}, {KSTAT_SOCKOPT_LEVEL, KSTAT_SOCKOPT_CALL + 1}, {0x63726f67, KSTAT_SOCKOPT_CALL}};
static const socklen_t sizes[] = {0, 1, 4, 8, 96, 776, 4096, 4097, 8192, 9000};

static void try_option(int fd, size_t i, socklen_t size, struct option_result results[2])
{
        memset(results, 0, 2 * sizeof(*results));
        for (int k = 0; k < 2; k++) {
                struct option_result *o = &results[k];

                o->size = size;
                memset(o->bytes, k == 0 ? 0 : 0xee, sizeof(o->bytes));
                if (k == 0) /* a filter of 9000 bytes, or numbers */
                        memcpy(o->bytes, &(uint32_t[4]){1, 1, 0, 0}, 16);
                o->r = k == 0 ? setsockopt(fd, others[i].level, others[i].name, o->bytes, size)
                              : getsockopt(fd, others[i].level, others[i].name, o->bytes, &o->size);
                o->error = o->r < 0 ? errno : 0;
        }
}

/* The same sockets, of which one was made before the partition was entered. */
static void compare_options(void *context)
{
        static struct option_result with[2], without[2];
        static const int types[][2] = {
                {AF_UNIX, SOCK_STREAM}, {AF_UNIX, SOCK_DGRAM}, {AF_INET, SOCK_STREAM}, {AF_INET, SOCK_DGRAM}};
        bool differ = false;

        (void)context;
        for (size_t t = 0; t < ELEMENTS(types); t++) {
                int outside = socket(types[t][0], types[t][1], 0), inside;

                require(enter_cgroup("a") == 0);
                inside = socket(types[t][0], types[t][1], 0);
                require(inside >= 0 && outside >= 0);
                require(enter_cgroup("..") == 0);
                for (size_t i = 0; i < ELEMENTS(others); i++)
                        for (size_t s = 0; s < ELEMENTS(sizes); s++) {
                                /* TCP_INFO tells milliseconds, which may pass between the two */
                                for (int tries = 0; tries == 0 || (tries < 50 && differ); tries++) {
                                        try_option(inside, i, sizes[s], with);
                                        try_option(outside, i, sizes[s], without);
                                        differ = memcmp(with, without, sizeof(with)) != 0;
                                }
                                if (differ)
                                        (void)fprintf(stderr, "# type %zu option %d %d size %u: %d %d, %d %d\n", t,
                                                others[i].level, others[i].name, sizes[s], with[0].error,
                                                without[0].error, with[1].error, without[1].error);
                                require(!differ);
                        }
        }
}

static void other_options_are_as_if_nobody_looked(void **state)
{
        (void)state;
        as(NULL, AS_IS, compare_options, NULL);
}

/* --- coming and going --- */

static void ask_and_wait(const struct waiting *w)
{
        struct kstat_call call = to_find("mount", 1, "io");
        int fd = new_socket();

        require(put_request(fd, &call) == 0);
        say_and_wait(w);
        require(get_answer(fd, &call) == 0 && first_word(&call) == 1111);
}

/* As the next croftd does it, while one who has asked isn't answered yet. */
static void the_next_one_takes_over_what_was_asked(void **state)
{
        struct kstats *old = kstats;
        struct waiting w;
        pid_t pid;

        (void)state;
        (void)make_for("mount", 1, 1111, A);
        pid = start_waiting(&w, ask_and_wait);
        open_attached();
        kstats_free(old);
        let_end(&w, pid);
}

static int links_of(enum bpf_attach_type type)
{
        LIBBPF_OPTS(bpf_prog_query_opts, options);

        return bpf_prog_query_opts(cgroups, type, &options) < 0 ? -errno : (int)options.prog_cnt;
}

/* Links end a little later than who had them. */
static bool there_is_none_of(enum bpf_attach_type type)
{
        for (int64_t begin = now_ms(); links_of(type) != 0;) {
                if (now_ms() - begin > 30000)
                        return false;
                (void)usleep(1000);
        }
        return true;
}

static void attaching_again_leaves_one_of_each(void **state)
{
        (void)state;
        for (int i = 0; i < 3; i++)
                assert_int_equal(kstats_attach(kstats, cgroups, NULL), 0);
        assert_int_equal(links_of(BPF_CGROUP_SETSOCKOPT), 1);
        assert_int_equal(links_of(BPF_CGROUP_GETSOCKOPT), 1);
}

static void ask_a_chain_in_vain(void *context)
{
        struct kstat_call call = {.op = KSTAT_OP_CHAIN};
        struct kstat_client *client = NULL;

        (void)context;
        require(is_not_here(by_socket(new_socket(), &call)));
        refuse_bpf(EPERM);
        require(kstat_client_open(NULL, &client) == -EPERM); /* what bpf(2) said */
}

/* A program that shares with none stands above: theirs stays, and none of ours is left alone. */
static void who_shares_with_none_keeps_us_out(void **state)
{
        const struct bpf_insn one[] = {
                {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 1}, {.code = BPF_JMP | BPF_EXIT}};
        LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_CGROUP_SETSOCKOPT);
        struct croft_error err = CROFT_ERROR_INIT;
        struct kstats *old = kstats;
        int theirs = bpf_prog_load(BPF_PROG_TYPE_CGROUP_SOCKOPT, "theirs", "GPL", one, ELEMENTS(one), &options);
        char path[128];

        (void)state;
        assert_true(theirs >= 0);
        for (int i = 0; i < 2; i++) {
                (void)snprintf(path, sizeof(path), "%s/bpf/kstat_%s", run_path, i ? "setsockopt" : "getsockopt");
                assert_int_equal(unlink(path), 0);
        }
        assert_true(there_is_none_of(BPF_CGROUP_SETSOCKOPT) && there_is_none_of(BPF_CGROUP_GETSOCKOPT));
        assert_int_equal(bpf_prog_attach(theirs, cgroups, BPF_CGROUP_SETSOCKOPT, 0), 0);
        assert_int_equal(kstats_open(plane, &kstats, NULL), 0);
        kstats_free(old);
        assert_true(kstats_attach(kstats, cgroups, &err) < 0);
        assert_true(err.code != 0);
        assert_true(there_is_none_of(BPF_CGROUP_GETSOCKOPT));
        as("a", AS_IS, ask_a_chain_in_vain, NULL);
        assert_int_equal(bpf_prog_detach2(theirs, cgroups, BPF_CGROUP_SETSOCKOPT), 0);
        assert_int_equal(kstats_attach(kstats, cgroups, NULL), 0);
        close_fd(theirs);
}

static bool is_older; /* the kernel: it doesn't know programs for socket options that know the caller */

/* In the place of the C library's, for libbpf. */
long syscall(long number, ...)
{
        static long (*real)(long number, ...);
        const union bpf_attr *attr;
        long a[6];
        va_list ap;

        va_start(ap, number);
        for (size_t i = 0; i < ELEMENTS(a); i++)
                a[i] = va_arg(ap, long);
        va_end(ap);
        if (!real)
                real = (long (*)(long, ...))(uintptr_t)dlsym(RTLD_NEXT, "syscall");
        attr = (const union bpf_attr *)(uintptr_t)a[1];
        if (is_older && number == SYS_bpf && a[0] == BPF_PROG_LOAD && attr->prog_type == BPF_PROG_TYPE_CGROUP_SOCKOPT) {
                errno = EINVAL;
                return -1;
        }
        return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static void open_on_an_older_kernel(void *context)
{
        const uint64_t a = A, data[WORDS] = {3333};
        const struct kstat_def def = {
                .module = "mount", .instance = 3, .name = "io", .class = "test", .data = data, .size = sizeof(data)};
        struct croft_error err = CROFT_ERROR_INIT;
        struct kstats *mine = NULL;
        uint64_t kid;

        (void)context;
        is_older = true;
        require(kstats_open(plane, &mine, &err) == 0);
        require(kstats_create(mine, &def, 1, &a, 1, &kid, NULL) == 0);
        require(kstats_attach(mine, cgroups, &err) == -EOPNOTSUPP);
        kstats_free(mine);
}

static void find_by_bpf_alone(void *context)
{
        struct kstat_call call = to_find("mount", 3, "io");

        (void)context;
        require(by_bpf(&call) == 0 && first_word(&call) == 3333);
        require(is_not_here(by_socket(new_socket(), &call)));
}

static void where_such_programs_do_not_load_the_others_do(void **state)
{
        (void)state;
        as(NULL, AS_IS, open_on_an_older_kernel, NULL);
        assert_true(there_is_none_of(BPF_CGROUP_SETSOCKOPT) && there_is_none_of(BPF_CGROUP_GETSOCKOPT));
        as("a", AS_IS, find_by_bpf_alone, NULL);
        kstats_free(kstats); /* it doesn't know what the other one made */
        open_attached();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_attached, tear_down_kstats)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(garbage_harms_nobody), TEST(ten_thousand_sockets_keep_one_request_each),
                TEST(other_options_are_as_if_nobody_looked), TEST(the_next_one_takes_over_what_was_asked),
                TEST(attaching_again_leaves_one_of_each), TEST(who_shares_with_none_keeps_us_out),
                TEST(where_such_programs_do_not_load_the_others_do),
                TEST(a_request_goes_with_its_socket), /* the last one */
        };
        _cleanup_close_ int counter = open_counter();
        size_t n = ELEMENTS(tests) - (counter < 0);

        cmocka_set_message_output(CM_OUTPUT_TAP);
        if (counter < 0)
                printf("# left out: %s (this kernel refuses that iterator)\n", tests[n].name);
        return _cmocka_run_group_tests("sockopt", tests, n, make_kstats, remove_kstats);
}
