/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fuzz_users.c - users of a partition: an input is who, passwd and group, each ended by a zero byte.  Whoever is found
 * is the partition's.
 */
#include "fuzz.h"
#include "warden/users.h"

#include <stdlib.h>
#include <string.h>

#define COUNT 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        char *text = malloc(size + 3);
        const char *who, *passwd, *group;
        struct user u;

        fuzz_require(text != NULL);
        if (size > 0)
                memcpy(text, data, size);
        memset(text + size, 0, 3);
        who = text;
        passwd = who + strlen(who) + 1;
        group = passwd < text + size ? passwd + strlen(passwd) + 1 : passwd;
        if (users_find(who, passwd, group < text + size ? group : NULL, COUNT, &u, NULL) == 0) {
                fuzz_require(u.uid < COUNT && u.gid < COUNT && u.n_groups <= USERS_GROUPS_MAX);
                fuzz_require(strlen(u.name) < sizeof(u.name) && strlen(u.home) < sizeof(u.home));
                fuzz_require(strlen(u.shell) < sizeof(u.shell));
                for (size_t i = 0; i < u.n_groups; i++)
                        fuzz_require(u.groups[i] < COUNT);
        }
        free(text);
        return 0;
}
