/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * t-hoard WHAT: takes as many as it can get of something that the kernel counts (inotify, pty), says how many, and
 * keeps them until its input ends.
 *
 * A static program, so that it runs on any root.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <unistd.h>

int main(int argc, char **argv)
{
        const char *what = argc > 1 ? argv[1] : "";
        struct rlimit limit;
        char byte;
        int n = 0;

        if (strcmp(what, "inotify") != 0 && strcmp(what, "pty") != 0) {
                fputs("usage: t-hoard inotify|pty\n", stderr);
                return 2;
        }
        if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
                limit.rlim_cur = limit.rlim_max;
                (void)setrlimit(RLIMIT_NOFILE, &limit);
        }
        while ((what[0] == 'i' ? inotify_init1(IN_CLOEXEC) : open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)) >= 0)
                n++;
        printf("%d\n", n);
        fflush(stdout);
        while (read(STDIN_FILENO, &byte, 1) > 0)
                ;
        return n > 0 ? 0 : 1;
}
