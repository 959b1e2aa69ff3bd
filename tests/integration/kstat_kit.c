/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * kstat_kit.c - see kstat_kit.h.
 */
#include "kstat_kit.h"

#include "base/cleanup.h"
#include "base/fd.h"

#include <bpf/bpf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <cmocka.h>

struct kstats *kstats;
int program = -EBADF;

void open_kstats(void)
{
        struct croft_error err = CROFT_ERROR_INIT;
        char line[CROFT_ERROR_TEXT_MAX];

        if (kstats_open(plane, &kstats, &err) < 0)
                fail_msg("%s", croft_error_line(&err, line, sizeof(line)));
}

int open_pinned(const char *name)
{
        struct bpf_obj_get_opts how = {.sz = sizeof(how), .file_flags = BPF_F_RDONLY};
        _cleanup_close_ int directory = plane_open_programs(plane, NULL);
        char path[64];

        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", directory, name);
        return bpf_obj_get_opts(path, &how);
}

int make_kstats(void **state)
{
        int r = make_plane(state);

        if (r == 0)
                open_kstats();
        return r;
}

int remove_kstats(void **state)
{
        assert_int_equal(kstats_remove(kstats, NULL), 0);
        kstats = kstats_free(kstats);
        return remove_plane(state);
}

int set_up_kstats(void **state)
{
        int r = add_partitions(state);

        if (r < 0)
                return r;
        assert_int_equal(kstats_add_partition(kstats, A, NULL), 0);
        assert_int_equal(kstats_add_partition(kstats, B, NULL), 0);
        program = open_pinned("kstat");
        return program < 0 ? -1 : 0;
}

/* What the test made and left, as global sees it. */
static void delete_all(void)
{
        struct kstat_call list;

        while ((list = list_as(NULL, 0)).n > 0)
                assert_int_equal(kstats_delete(kstats, kids_of(&list), list.n, NULL), 0);
}

int tear_down_kstats(void **state)
{
        assert_int_equal(kstats_remove_partition(kstats, A, NULL), 0);
        assert_int_equal(kstats_remove_partition(kstats, B, NULL), 0);
        delete_all();
        program = close_fd(program);
        return remove_partitions(state);
}

/* ---- asking ---- */

int run(int fd, struct kstat_call *call)
{
        struct bpf_test_run_opts opts = {.sz = sizeof(opts), .ctx_in = call, .ctx_size_in = sizeof(*call)};

        return bpf_prog_test_run_opts(fd, &opts) < 0 ? -errno : (int)opts.retval;
}

void fill_key(struct kstat_call *call, const char *module, int instance, const char *name)
{
        (void)snprintf(call->key.module, sizeof(call->key.module), "%s", module);
        (void)snprintf(call->key.name, sizeof(call->key.name), "%s", name);
        call->key.instance = instance;
}

/* The call as a child in that cgroup makes it (NULL: in none). */
int ask_as(const char *cgroup, enum as as, struct kstat_call *call)
{
        struct {
                struct kstat_call call;
                int r;
        } *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        int status, r;
        pid_t pid;

        assert_ptr_not_equal(shared, MAP_FAILED);
        shared->call = *call;
        pid = fork();
        if (pid == 0) {
                if ((cgroup && enter_cgroup(cgroup) < 0) || become(as) < 0)
                        _exit(1);
                shared->r = run(program, &shared->call);
                _exit(0);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        *call = shared->call;
        r = shared->r;
        (void)munmap(shared, sizeof(*shared));
        return r;
}

int find_as(const char *cgroup, const char *module, int instance, const char *name, struct kstat_call *call)
{
        *call = (struct kstat_call){.op = KSTAT_OP_FIND};
        fill_key(call, module, instance, name);
        return ask_as(cgroup, AS_IS, call);
}

struct kstat_call list_as(const char *cgroup, unsigned int page)
{
        struct kstat_call call = {.op = KSTAT_OP_LIST, .at = page};

        assert_int_equal(ask_as(cgroup, AS_IS, &call), 0);
        return call;
}

uint64_t kcid_as(const char *cgroup)
{
        struct kstat_call call = {.op = KSTAT_OP_CHAIN};

        assert_int_equal(ask_as(cgroup, AS_IS, &call), 0);
        return call.kcid;
}

const uint64_t *kids_of(const struct kstat_call *call)
{
        return (const uint64_t *)(const void *)call->data;
}

bool lists(const struct kstat_call *call, uint64_t kid)
{
        for (unsigned int i = 0; i < call->n; i++)
                if (kids_of(call)[i] == kid)
                        return true;
        return false;
}

/* ---- making ---- */

struct kstat_def def_of(const char *module, int instance, const char *name, uint64_t subject, const void *data)
{
        return (struct kstat_def){.module = module,
                .instance = instance,
                .name = name,
                .class = "test",
                .type = KSTAT_RAW,
                .subject = subject,
                .data = data,
                .size = WORDS * 8};
}

uint64_t make(const char *module, int instance, uint64_t value, const uint64_t *partitions, size_t n)
{
        const uint64_t data[WORDS] = {value, value, value, value, value, value, value, value};
        struct kstat_def def = def_of(module, instance, "io", partitions[0], data);
        uint64_t kid = 0;

        assert_int_equal(kstats_create(kstats, &def, 1, partitions, n, &kid, NULL), 0);
        return kid;
}

uint64_t first_word(const struct kstat_call *call)
{
        uint64_t word;

        memcpy(&word, call->data, sizeof(word));
        return word;
}
