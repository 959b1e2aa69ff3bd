/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * main.c - croft-warden: `croft-warden warden`, `successor`, `session` and `broker`, started by croftd with a SEQPACKET
 * as descriptor 3.  Not for people.
 */
#include "base/log.h"
#include "warden/broker.h"
#include "warden/warden.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>

int main(int argc, char **argv)
{
        struct stat st;

        log_open("croft-warden", LOG_LEVEL_NOTICE);
        if (argc != 2 || fstat(WARDEN_CHANNEL, &st) < 0 || !S_ISSOCK(st.st_mode)) {
                fprintf(stderr, "croft-warden is started by croftd; see croftd(8)\n");
                return 2;
        }
        (void)fcntl(WARDEN_CHANNEL, F_SETFD, FD_CLOEXEC);
        (void)umask(022); /* what init and commands expect; croftd's own is stricter */
        (void)signal(SIGPIPE, SIG_IGN);
        /* Ctrl-C at a croftd in a terminal, or its end, is nothing to us. */
        (void)signal(SIGINT, SIG_IGN);
        (void)signal(SIGHUP, SIG_IGN);
        (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
        if (strcmp(argv[1], "warden") == 0)
                return warden_main(true);
        if (strcmp(argv[1], "successor") == 0)
                return warden_main(false);
        if (strcmp(argv[1], "session") == 0)
                return session_main();
        if (strcmp(argv[1], "broker") == 0)
                return broker_main();
        fprintf(stderr, "croft-warden: no mode '%s'\n", argv[1]);
        return 2;
}
