/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * t-nobpf.c - runs a command that may not use bpf(2), as sandboxes have it.
 *
 *     t-nobpf ERRNO COMMAND [ARGUMENT]...                     ERRNO: what bpf(2) answers, a number
 *
 * Status 126: it couldn't be run.
 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
        unsigned int error = argc > 2 ? (unsigned int)strtoul(argv[1], NULL, 10) & SECCOMP_RET_DATA : 0;
        struct sock_filter code[] = {
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_bpf, 0, 1),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        };
        const struct sock_fprog filter = {.len = sizeof(code) / sizeof(code[0]), .filter = code};

        if (argc < 3) {
                (void)fputs("Usage: t-nobpf ERRNO COMMAND [ARGUMENT]...\n", stderr);
                return 126;
        }
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) < 0) {
                perror("t-nobpf: install a filter");
                return 126;
        }
        (void)execvp(argv[2], argv + 2);
        perror("t-nobpf: run the command");
        return 126;
}
