/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_view_id.c - the boot id is the partition's own, another one after each start, the same for each warden.
 */
#include "kstat/view_id.h"
#include "view_kit.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct kit k;

static void the_hash_is_siphash(void **state)
{
        /* From the reference's vectors of 128 bits: key 00 01 .. 0f; no byte, and the 15 bytes 00 .. 0e. */
        static const uint64_t key[2] = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
        uint8_t data[15];
        uint64_t hash[2];

        (void)state;
        for (size_t i = 0; i < sizeof(data); i++)
                data[i] = (uint8_t)i;
        view_hash(key, data, 0, hash);
        assert_true(hash[0] == 0xe6a825ba047f81a3 && hash[1] == 0x930255c71472f66d);
        view_hash(key, data, sizeof(data), hash);
        assert_true(hash[0] == 0x11a8b03399e99354 && hash[1] == 0xd9c3cf970fec087e);
}

static void the_boot_id_changes_with_the_start_and_not_with_the_warden(void **state)
{
        char first[64];

        (void)state;
        kit_begin(&k);
        (void)snprintf(first, sizeof(first), "%s", kit_read(&k, "proc/sys/kernel/random/boot_id"));
        kit_successor(&k);
        kit_pass(&k, SEC);
        assert_string_equal(kit_read(&k, "proc/sys/kernel/random/boot_id"), first);
        k.sample.start_ns++;
        assert_string_not_equal(kit_read(&k, "proc/sys/kernel/random/boot_id"), first);
        kit_end(&k);
}

static void the_boot_id_is_a_random_uuid(void **state)
{
        const char *id;

        (void)state;
        kit_begin(&k);
        id = kit_read(&k, "proc/sys/kernel/random/boot_id");
        assert_int_equal(strlen(id), 37);
        assert_true(id[8] == '-' && id[13] == '-' && id[18] == '-' && id[23] == '-' && id[36] == '\n');
        assert_int_equal(id[14], '4');
        assert_non_null(strchr("89ab", id[19]));
        assert_int_equal(strspn(id, "0123456789abcdef-"), 36);
        kit_end(&k);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_hash_is_siphash),
                cmocka_unit_test(the_boot_id_changes_with_the_start_and_not_with_the_warden),
                cmocka_unit_test(the_boot_id_is_a_random_uuid),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
