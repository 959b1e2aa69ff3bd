/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * main.c - kstat(8) as every partition has it at /run/croft/bin/kstat: static, so that it runs on any root.  It can't
 * ask croftd for names.
 */
#include "kstatcmd/kstatcmd.h"

int main(int argc, char **argv)
{
        const struct kstatcmd cmd = {.name = "kstat", .out = stdout, .error = stderr};

        return kstatcmd_run(&cmd, argc, argv);
}
