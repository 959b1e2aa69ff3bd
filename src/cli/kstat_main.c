/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * kstat_main.c - the program kstat of the host.
 */
#include "cli.h"

int main(int argc, char **argv)
{
        struct cli cli = {.terminal = false};
        int r = cli_kstat(&cli, "kstat", false, argc, argv);

        croft_client_close(cli.client);
        return r;
}
