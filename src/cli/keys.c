/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * keys.c - the properties of a partition, for help, completion and near misses.
 *
 * croftd checks them; this table only helps people.  A test compares it with croftd's own.
 */
#include "cli.h"
#include "text.h"

#include <string.h>

const struct cli_key cli_keys[] = {
        {"autostart", true, "yes: started with croftd, by start.order"},
        {"cpu.max", true, "CPU time: N%, \"QUOTA PERIOD\" in microseconds, or max"},
        {"cpu.set", true, "the CPUs it may use, of those of its pool: 0-3,6"},
        {"cpu.weight", true, "share of CPU time against others, 1 to 10000 (100 is usual)"},
        {"description", true, "a line of text for people"},
        {"devices", true, "device numbers it may ask for: loop:8,dm:2; and devices it has, stanzas of devexports(5)"},
        {"env.", false, "env.NAME: environment variable NAME of init"},
        {"hostname", false, "host name inside (the partition's name unless set)"},
        {"init", false, "auto: the root's /sbin/init, else croft-init; croft: croft-init; or /PATH ARGUMENTS..."},
        {"io.max", true, "limits of block devices: \"8:0 rbps=N wbps=N riops=N wiops=N\", several separated by ';'"},
        {"kexts", true, "kernel extensions that it may have: stanzas of kexts(5)"},
        {"memory.max", true, "memory in bytes: 64M, 2G, max"},
        {"memory.swap.max", true, "swap in bytes: 0, 64M, 2G, max"},
        {"mount.allow", false, "types of file systems it may mount: ext4,proc"},
        {"mount.base", true, "yes: it sees the statistics of the mounts that global made for it, too"},
        {"mount.stats", true, "count what is done on each mount: yes, latency (how long it took, too), or no"},
        {"net", false, "none, bridge=NAME[,address=ADDR/LEN][,gateway=ADDR]..., or interface=IFNAME[,...]"},
        {"pids.max", true, "number of processes and threads, or max"},
        {"pool", true, "the pool whose CPUs it runs on"},
        {"rlimit.nofile", false, "open files of a process (hard limit)"},
        {"start.order", true, "autostart begins with the lowest, 0 to 9999"},
        {"stop.timeout", true, "seconds that init may take to stop before it is killed"},
        {NULL},
};

static bool is_key(const char *key)
{
        for (const struct cli_key *k = cli_keys; k->key; k++) {
                size_t length = strlen(k->key);

                if (strcmp(k->key, key) == 0 || (k->key[length - 1] == '.' && strncmp(k->key, key, length) == 0))
                        return true;
        }
        return false;
}

void cli_hint_keys(const struct cli *cli, const json_t *object)
{
        json_t *o = (json_t *)(uintptr_t)object; /* only read */

        for (void *i = json_object_iter(o); i; i = json_object_iter_next(o, i)) {
                const char *key = json_object_iter_key(i), *near = NULL;
                unsigned int best = 4;

                if (is_key(key))
                        continue;
                for (const struct cli_key *k = cli_keys; k->key; k++) {
                        unsigned int distance = text_distance(k->key, key);

                        if (distance < best) {
                                best = distance;
                                near = k->key;
                        }
                }
                if (near)
                        cli_say(cli, "croft: did you mean '%s'?", near);
        }
}
