/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * i386.h - has this kernel the calls of i386?  Some are built without them, some run where only 64-bit code does.
 */
#ifndef CROFT_TESTS_KIT_I386_H
#define CROFT_TESTS_KIT_I386_H

#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

/* Asked by a child: where there are none it ends by a signal. */
static inline bool has_i386(void)
{
#ifdef __x86_64__
        pid_t pid = fork();
        int status = 0;

        if (pid == 0) {
                long result;

                (void)signal(SIGSEGV, SIG_DFL); /* whatever a test does about it */
                __asm__ volatile("int $0x80" : "=a"(result) : "a"(20L) : "memory", "r8", "r9", "r10", "r11");
                _exit(result != getpid());
        }
        return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
#else
        return false;
#endif
}

#endif
