/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * certify.c - certify DIR NAME [AUTHORITY SUBJECTALTNAME]: makes DIR/NAME.pem and DIR/NAME.key, for guests that have no
 * openssl(1).
 */
#include "unit/tls_kit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static char **words;

static void certify(void **state)
{
        struct tls_kit kit;

        (void)state;
        assert_true(strlen(words[1]) < sizeof(kit.dir));
        (void)snprintf(kit.dir, sizeof(kit.dir), "%s", words[1]);
        tls_kit_certify(&kit, words[2], words[3], words[3] ? words[4] : NULL, 10);
}

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(certify)};

        words = argv;
        if (argc != 3 && argc != 5)
                return 2;
        return cmocka_run_group_tests(tests, NULL, NULL);
}
