/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * confine.c - see confine.h.
 */
#include "kext/confine.h"

#include "base/cleanup.h"

#include <grp.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#define NOBODY 65534
#define MEMORY_MAX (2ULL << 30) /* address space: the file, its plain bytes twice, the windows of xz and zstd */

/* What memory takes, and to say what came of it. */
static const int calls[] = {SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(sendmsg), SCMP_SYS(close), SCMP_SYS(fstat),
        SCMP_SYS(newfstatat), SCMP_SYS(lseek), SCMP_SYS(mmap), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(mprotect),
        SCMP_SYS(madvise), SCMP_SYS(brk), SCMP_SYS(futex), SCMP_SYS(getrandom), SCMP_SYS(clock_gettime),
        SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(tgkill), SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigprocmask),
        SCMP_SYS(sigaltstack), SCMP_SYS(restart_syscall), SCMP_SYS(exit), SCMP_SYS(exit_group)};

/* And to look through a tree.  No open_by_handle_at(2), by which the capability to read everything leads out of it. */
static const int tree_calls[] = {
        SCMP_SYS(openat), SCMP_SYS(openat2), SCMP_SYS(pread64), SCMP_SYS(getdents64), SCMP_SYS(fcntl), SCMP_SYS(statx)};

/* And to have directories of one watched. */
static const int watch_calls[] = {SCMP_SYS(openat2), SCMP_SYS(fchdir), SCMP_SYS(inotify_add_watch)};

/* And of libbpf, which looks for the kernel's types and keeps its descriptors away from the first three. */
static const int bpf_calls[] = {SCMP_SYS(bpf), SCMP_SYS(openat), SCMP_SYS(faccessat), SCMP_SYS(faccessat2),
        SCMP_SYS(access), SCMP_SYS(pread64), SCMP_SYS(fcntl), SCMP_SYS(dup3), SCMP_SYS(uname)};

/* What each way to be shut in leaves. */
struct cell {
        const int *calls; /* beside those of all */
        size_t n_calls;
        cap_value_t caps[2];
        int n_caps;
};
static const struct cell memory_cell = {.n_calls = 0};
static const struct cell tree_cell = {tree_calls, ELEMENTS(tree_calls), {CAP_DAC_READ_SEARCH}, 1};
static const struct cell watch_cell = {watch_calls, ELEMENTS(watch_calls), {CAP_DAC_READ_SEARCH}, 1};
static const struct cell bpf_cell = {bpf_calls, ELEMENTS(bpf_calls), {CAP_BPF, CAP_NET_ADMIN}, 2};

static int filter(const struct cell *cell)
{
        scmp_filter_ctx context = seccomp_init(SCMP_ACT_ERRNO(EPERM));
        int r = context ? 0 : -ENOMEM;

        for (size_t i = 0; r == 0 && i < ELEMENTS(calls); i++)
                r = seccomp_rule_add(context, SCMP_ACT_ALLOW, calls[i], 0);
        for (size_t i = 0; r == 0 && i < cell->n_calls; i++)
                r = seccomp_rule_add(context, SCMP_ACT_ALLOW, cell->calls[i], 0);
        if (r == 0)
                r = seccomp_load(context);
        seccomp_release(context);
        return r;
}

static int limit(void)
{
        const struct rlimit none = {0};
#ifndef __SANITIZE_ADDRESS__
        const struct rlimit memory = {.rlim_cur = MEMORY_MAX, .rlim_max = MEMORY_MAX};

        if (setrlimit(RLIMIT_AS, &memory) < 0)
                return -errno;
#endif
        return setrlimit(RLIMIT_CORE, &none) < 0 || setrlimit(RLIMIT_FSIZE, &none) < 0 ? -errno : 0;
}

static int keep(const struct cell *cell)
{
        cap_t caps = cap_init();
        int r = caps ? 0 : -ENOMEM;

        if (r == 0 && cell->n_caps > 0 &&
                (cap_set_flag(caps, CAP_PERMITTED, cell->n_caps, cell->caps, CAP_SET) < 0 ||
                        cap_set_flag(caps, CAP_EFFECTIVE, cell->n_caps, cell->caps, CAP_SET) < 0))
                r = -errno;
        if (r == 0 && cap_set_proc(caps) < 0)
                r = -errno;
        (void)cap_free(caps);
        return r;
}

static int become_nobody(const struct cell *cell)
{
        if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 || setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
                setresuid(NOBODY, NOBODY, NOBODY) < 0)
                return -errno;
        return keep(cell);
}

static int confine(const struct cell *cell, struct croft_error *err)
{
        pid_t parent = getppid();
        int r = limit();

        if (r == 0)
                r = become_nobody(cell);
        if (r == 0 && (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ||
                              prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)) /* the change of ids has forgotten it */
                r = -errno;
        if (r == 0 && getppid() != parent)
                r = -ESRCH;
        if (r == 0)
                r = filter(cell);
        return r < 0 ? croft_error_set(err, r, "shut the reader in") : 0;
}

int confine_to_memory(struct croft_error *err)
{
        return confine(&memory_cell, err);
}

int confine_to_bpf(struct croft_error *err)
{
        return confine(&bpf_cell, err);
}

static int confine_below(int root, const struct cell *cell, struct croft_error *err)
{
        if (fchdir(root) < 0 || chroot(".") < 0)
                return croft_error_set(err, errno, "enter the tree");
        return confine(cell, err);
}

int confine_to_tree(int root, struct croft_error *err)
{
        return confine_below(root, &tree_cell, err);
}

int confine_to_watch(int root, struct croft_error *err)
{
        return confine_below(root, &watch_cell, err);
}
