/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * stamp: the init of the start benchmark.  Its first act is to note the time (CLOCK_REALTIME, which no time namespace
 * shifts) in /stamp; then it waits for the end.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static void end(int signal)
{
        (void)signal;
        _exit(0);
}

int main(void)
{
        struct timespec now;
        char text[48];
        int fd, n;

        clock_gettime(CLOCK_REALTIME, &now);
        n = snprintf(text, sizeof(text), "%lld.%09ld\n", (long long)now.tv_sec, now.tv_nsec);
        fd = open("/stamp", O_WRONLY | O_TRUNC | O_CLOEXEC);
        if (fd < 0 || write(fd, text, (size_t)n) != n)
                return 1;
        close(fd);
        signal(SIGTERM, end);
        signal(SIGPWR, end);
        for (;;)
                pause();
}
