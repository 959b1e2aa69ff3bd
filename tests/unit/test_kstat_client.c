/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_kstat_client.c - the client of the statistics in the kernel: where it looks for the programs, and that it gives
 * on no answer that makes no sense.
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/pinned.h"
#include "libkstat/client.h"
#include "libkstat/fields.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* Answers what the test puts here, whatever is asked; the schema has one field. */
static struct kstat_call_large reply;
static struct kstat_field field;
static uint32_t total_fields;
static int status;
static bool small_fails;

static int answer(void *context, struct kstat_call *call, bool large)
{
        (void)context;
        if (call->op == KSTAT_OP_SCHEMA) {
                call->n = 1;
                call->total = total_fields;
                memcpy(call->data, &field, sizeof(field));
                return 0;
        }
        if (small_fails && !large)
                return -ENOMEM;
        call->kcid = reply.call.kcid;
        call->n = reply.call.n;
        call->total = reply.call.total;
        call->head = reply.call.head;
        memcpy(call->data, reply.call.data, sizeof(call->data));
        return status;
}

static void close_nothing(void *context)
{
        (void)context;
}

static struct kstat_client *client;

static int set_up(void **state)
{
        const struct kstat_transport transport = {.call = answer, .close = close_nothing, .fd = -1};

        (void)state;
        memset(&reply, 0, sizeof(reply));
        reply.call.head = (struct kstat_head){.kid = 5,
                .key = {.module = "m", .name = "n"},
                .class = "c",
                .type = KSTAT_NAMED,
                .schema = 1,
                .n_data = 1,
                .size = 8};
        field = (struct kstat_field){.name = "v", .type = KSTAT_DATA_UINT64, .size = 8};
        total_fields = 1;
        status = 0;
        small_fails = false;
        return kstat_client_new(&transport, &client);
}

static int tear_down(void **state)
{
        (void)state;
        client = kstat_client_free(client);
        return 0;
}

static int read_it(void)
{
        struct kstat_answer a;

        return kstat_client_read(client, 5, &a);
}

static void a_sound_answer_is_given_on(void **state)
{
        struct kstat_answer a;

        (void)state;
        reply.call.data[0] = 42;
        assert_int_equal(kstat_client_read(client, 5, &a), 0);
        assert_int_equal(a.n_fields, 1);
        assert_int_equal(kstat_field_value(&a.fields[0], a.data).u, 42);
}

static void a_name_without_end_is_refused(void **state)
{
        (void)state;
        memset(reply.call.head.key.name, 'x', KSTAT_NAME_SIZE);
        assert_int_equal(read_it(), -EBADMSG);
}

static void more_bytes_than_there_is_room_are_refused(void **state)
{
        (void)state;
        reply.call.head.size = KSTAT_SMALL_DATA + 1;
        assert_int_equal(read_it(), -EBADMSG);
        small_fails = true;
        reply.call.head.size = KSTAT_LARGE_DATA + 1;
        assert_int_equal(read_it(), -EBADMSG);
        reply.call.head.size = KSTAT_LARGE_DATA;
        assert_int_equal(read_it(), 0);
}

static void a_field_beyond_the_data_is_refused(void **state)
{
        (void)state;
        field.offset = 8;
        assert_int_equal(read_it(), -EBADMSG);
        reply.call.head.size = 16;
        assert_int_equal(read_it(), 0);
}

static void a_field_that_is_none_is_refused(void **state)
{
        static const struct kstat_field bad[] = {
                {.name = "", .type = KSTAT_DATA_UINT64, .size = 8},
                {.name = "v", .type = 77, .size = 8},
                {.name = "v", .type = KSTAT_DATA_UINT64, .size = 4},
                {.name = "v", .type = KSTAT_DATA_UINT64, .size = 8, .offset = 4},
                {.name = "v", .type = KSTAT_DATA_CHAR, .size = 8},
                {.name = "v", .type = KSTAT_DATA_STRING, .size = 0},
                {.name = "v", .type = KSTAT_DATA_STRING, .size = 8, .offset = 65528},
        };

        (void)state;
        for (size_t i = 0; i < ELEMENTS(bad); i++) {
                field = bad[i];
                assert_int_equal(read_it(), -EBADMSG);
        }
}

static void a_schema_of_another_length_than_said_is_refused(void **state)
{
        (void)state;
        reply.call.head.n_data = 2; /* more than the schema has */
        reply.call.head.size = 16;
        assert_int_equal(read_it(), -EBADMSG);
        reply.call.head.n_data = 0xffffffff;
        assert_int_equal(read_it(), -EBADMSG);
        reply.call.head.n_data = 1;
        reply.call.head.schema = 2;
        total_fields = 0xffffffff;
        assert_int_equal(read_it(), -EBADMSG);
        total_fields = 0;
        assert_int_equal(read_it(), -EBADMSG);
}

static void data_of_a_known_type_has_its_size(void **state)
{
        (void)state;
        reply.call.head.type = KSTAT_IO;
        reply.call.head.size = 79;
        assert_int_equal(read_it(), -EBADMSG);
        reply.call.head.size = 88;
        assert_int_equal(read_it(), -EBADMSG);
        reply.call.head.size = 80;
        assert_int_equal(read_it(), 0);
        reply.call.head.type = KSTAT_TIMER;
        reply.call.head.size = 160;
        assert_int_equal(read_it(), 0);
        reply.call.head.type = KSTAT_TIMER + 1;
        assert_int_equal(read_it(), -EBADMSG);
        reply.call.head.type = KSTAT_RAW;
        reply.call.head.size = 3;
        assert_int_equal(read_it(), 0);
}

static void a_list_that_makes_no_sense_is_refused(void **state)
{
        static const uint64_t falling[] = {3, 2}, twice[] = {3, 3}, zero[] = {0, 1}, sound[] = {1, ~0ULL};
        struct kstat_kids kids;

        (void)state;
        reply.call.n = 2;
        reply.call.total = 2;
        memcpy(reply.call.data, falling, sizeof(falling));
        assert_int_equal(kstat_client_list(client, &kids), -EBADMSG);
        memcpy(reply.call.data, twice, sizeof(twice));
        assert_int_equal(kstat_client_list(client, &kids), -EBADMSG);
        memcpy(reply.call.data, zero, sizeof(zero));
        assert_int_equal(kstat_client_list(client, &kids), -EBADMSG);
        memcpy(reply.call.data, sound, sizeof(sound));
        assert_int_equal(kstat_client_list(client, &kids), 0);
        assert_int_equal(kids.n, 2);
        free(kids.kids);
        reply.call.total = 1; /* fewer than come */
        assert_int_equal(kstat_client_list(client, &kids), -EBADMSG);
        reply.call.total = KSTAT_MAX + 1;
        assert_int_equal(kstat_client_list(client, &kids), -EBADMSG);
        reply.call.total = 200;
        reply.call.n = 65; /* more than a page */
        assert_int_equal(kstat_client_list(client, &kids), -EBADMSG);
        reply.call.n = 0; /* it would never end */
        assert_int_equal(kstat_client_list(client, &kids), -EBADMSG);
}

static void another_structure_than_asked_for_is_refused(void **state)
{
        struct kstat_answer a;

        (void)state;
        assert_int_equal(kstat_client_read(client, 6, &a), -EBADMSG);
        assert_int_equal(kstat_client_find(client, "m", 0, "n", &a), 0);
        assert_int_equal(kstat_client_find(client, "m", 1, "n", &a), -EBADMSG);
        assert_int_equal(kstat_client_find(client, "other", 0, "n", &a), -EBADMSG);
}

static void a_name_too_long_for_any_is_none(void **state)
{
        struct kstat_answer a;

        (void)state;
        strcpy(reply.call.head.key.name, "31 bytes, as many as there are.");
        assert_int_equal(kstat_client_find(client, "m", 0, "31 bytes, as many as there are.", &a), 0);
        assert_int_equal(kstat_client_find(client, "m", 0, "32 bytes, one more than there is", &a), -ENXIO);
        assert_int_equal(kstat_client_find(client, "32 bytes, one more than there is", 0, "n", &a), -ENXIO);
}

static void a_32_bit_value_has_32_bits(void **state)
{
        const uint8_t data[8] = {0xfe, 0xff, 0xff, 0xff, 1, 2, 3, 4};
        struct kstat_field f = {.name = "v", .size = 8, .type = KSTAT_DATA_INT32};

        (void)state;
        assert_int_equal(kstat_field_value(&f, data).i, -2);
        f.type = KSTAT_DATA_UINT32;
        assert_true(kstat_field_value(&f, data).u == 0xfffffffe);
        f.size = 4;
        assert_true(kstat_field_value(&f, data).u == 0xfffffffe);
        f.type = KSTAT_DATA_INT32;
        assert_int_equal(kstat_field_value(&f, data).i, -2);
}

static void raw_data_is_known_by_its_keys_alone(void **state)
{
        struct kstat_head head = {.key = {.module = "cpu_stat", .name = "cpu_stat12"}, .size = 380};
        size_t n = 0;
        uint32_t size = 0;

        (void)state;
        assert_string_equal(kstat_fields_known(&head, &n, &size)[0].name, "idle");
        assert_int_equal(n, 7 + 46 + 3 + 31);
        assert_int_equal(size, 380);
        head.size = 384; /* padded */
        assert_string_equal(kstat_fields_known(&head, &n, &size)[0].name, "idle");
        assert_int_equal(size, 380);
        head.size = 379;
        assert_null(kstat_fields_known(&head, &n, &size));
        head.size = 380;
        strcpy(head.key.name, "cpu_stat1x");
        assert_null(kstat_fields_known(&head, &n, &size));
        strcpy(head.key.name, "cpu_sta");
        assert_null(kstat_fields_known(&head, &n, &size));
}

static void programs_are_found_by_the_environment(void **state)
{
        char folder[] = "/tmp/test_kstat_client.XXXXXX", socket[64], bpf[64];
        _cleanup_free_ char *first = NULL, *second = NULL, *third = NULL;

        (void)state;
        assert_non_null(mkdtemp(folder));
        (void)snprintf(socket, sizeof(socket), "%s/croft.sock", folder);
        (void)snprintf(bpf, sizeof(bpf), "%s/bpf/programs", folder);
        unsetenv("CROFT_KSTAT");
        setenv("CROFT_SOCKET", socket, 1);
        first = pinned_programs(); /* isn't there yet */
        assert_non_null(first);
        assert_true(strcmp(first, "/run/croft/programs") == 0 || strcmp(first, "/run/croft/bpf/programs") == 0);
        assert_int_equal(fd_make_dirs(AT_FDCWD, bpf, 0700, NULL), 0);
        second = pinned_programs();
        assert_string_equal(second, bpf);
        setenv("CROFT_KSTAT", "/elsewhere", 1);
        third = pinned_programs();
        assert_string_equal(third, "/elsewhere");
        assert_int_equal(fd_remove_tree(AT_FDCWD, folder, NULL), 0);
}

static void programs_that_are_not_there_are_told(void **state)
{
        struct kstat_client *none = NULL;
        int r = kstat_client_open("/nowhere", &none);

        (void)state;
        /* without privileges the kernel may refuse before it looks */
        assert_true(r == -ENOENT || r == -EPERM);
        assert_null(none);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(a_sound_answer_is_given_on, set_up, tear_down),
                cmocka_unit_test_setup_teardown(a_name_without_end_is_refused, set_up, tear_down),
                cmocka_unit_test_setup_teardown(more_bytes_than_there_is_room_are_refused, set_up, tear_down),
                cmocka_unit_test_setup_teardown(a_field_beyond_the_data_is_refused, set_up, tear_down),
                cmocka_unit_test_setup_teardown(a_field_that_is_none_is_refused, set_up, tear_down),
                cmocka_unit_test_setup_teardown(a_schema_of_another_length_than_said_is_refused, set_up, tear_down),
                cmocka_unit_test_setup_teardown(data_of_a_known_type_has_its_size, set_up, tear_down),
                cmocka_unit_test_setup_teardown(a_list_that_makes_no_sense_is_refused, set_up, tear_down),
                cmocka_unit_test_setup_teardown(another_structure_than_asked_for_is_refused, set_up, tear_down),
                cmocka_unit_test_setup_teardown(a_name_too_long_for_any_is_none, set_up, tear_down),
                cmocka_unit_test(a_32_bit_value_has_32_bits),
                cmocka_unit_test(raw_data_is_known_by_its_keys_alone),
                cmocka_unit_test(programs_are_found_by_the_environment),
                cmocka_unit_test(programs_that_are_not_there_are_told),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
