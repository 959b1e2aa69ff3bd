/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_fuse.c - requests decoded and replies made, with a socket in the kernel's place.
 */
#include "base/cleanup.h"
#include "kernel/fuse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cmocka.h>

struct packet {
        char data[256];
        size_t size;
};

static struct packet make(uint32_t opcode, uint64_t node, const void *body, size_t size)
{
        struct fuse_in_header head = {
                .len = (uint32_t)(sizeof(head) + size), .opcode = opcode, .unique = 42, .nodeid = node};
        struct packet p = {.size = head.len};

        memcpy(p.data, &head, sizeof(head));
        if (size)
                memcpy(p.data + sizeof(head), body, size);
        return p;
}

static void a_read_is_decoded(void **state)
{
        struct fuse_read_in in = {.fh = 9, .offset = 4096, .size = 8192};
        struct packet p = make(FUSE_READ, 7, &in, sizeof(in));
        struct fuse_request r;

        (void)state;
        assert_int_equal(fuse_request_decode(p.data, p.size, &r), 0);
        assert_int_equal(r.opcode, FUSE_READ);
        assert_int_equal(r.unique, 42);
        assert_int_equal(r.node, 7);
        assert_int_equal(r.offset, 4096);
        assert_int_equal(r.size, 8192);
        assert_true(fuse_wants_reply(&r));
}

static void a_lookup_has_a_name_with_an_end(void **state)
{
        struct packet p = make(FUSE_LOOKUP, 1, "cpu0", 5);
        struct fuse_request r;

        (void)state;
        assert_int_equal(fuse_request_decode(p.data, p.size, &r), 0);
        assert_string_equal(r.name, "cpu0");
        p = make(FUSE_LOOKUP, 1, "cpu0", 4); /* no NUL */
        assert_int_equal(fuse_request_decode(p.data, p.size, &r), -EBADMSG);
        p = make(FUSE_LOOKUP, 1, "", 1);
        assert_int_equal(fuse_request_decode(p.data, p.size, &r), -EBADMSG);
        p = make(FUSE_LOOKUP, 1, "a/b", 4);
        assert_int_equal(fuse_request_decode(p.data, p.size, &r), -EBADMSG);
}

static void every_truncation_is_refused(void **state)
{
        struct fuse_read_in in = {.fh = 9};
        struct packet p = make(FUSE_READ, 7, &in, sizeof(in));
        struct fuse_request r;

        (void)state;
        for (size_t size = 0; size < sizeof(struct fuse_in_header) + 20; size++) {
                uint32_t length = (uint32_t)size;

                assert_int_equal(fuse_request_decode(p.data, size, &r), -EBADMSG); /* the head tells another size */
                memcpy(p.data, &length, sizeof(length));
                assert_int_equal(fuse_request_decode(p.data, size, &r), -EBADMSG);
        }
}

static void who_forgets_wants_no_reply(void **state)
{
        struct packet p = make(FUSE_FORGET, 7, "\1\0\0\0\0\0\0\0", 8);
        struct fuse_request r;

        (void)state;
        assert_int_equal(fuse_request_decode(p.data, p.size, &r), 0);
        assert_false(fuse_wants_reply(&r));
}

static void the_size_of_a_packet_is_in_its_head(void **state)
{
        struct packet p = make(FUSE_GETATTR, 7, NULL, 0);

        (void)state;
        assert_int_equal(fuse_request_size(p.data, p.size), p.size);
        assert_int_equal(fuse_request_size(p.data, 3), 0);
}

static void session(int pair[2])
{
        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
}

static void what_is_agreed_on_is_what_both_can_do(void **state)
{
        struct fuse_request q = {
                .opcode = FUSE_INIT, .unique = 2, .minor = 31, .flags = FUSE_AUTO_INVAL_DATA | FUSE_WRITEBACK_CACHE};
        struct {
                struct fuse_out_header head;
                struct fuse_init_out out;
        } reply;
        int pair[2];

        (void)state;
        session(pair);
        assert_int_equal(fuse_reply_init(pair[0], &q), 0);
        assert_int_equal(recv(pair[1], &reply, sizeof(reply), 0), sizeof(reply));
        assert_int_equal(reply.head.unique, 2);
        assert_int_equal(reply.out.minor, 31);
        assert_int_equal(reply.out.flags, FUSE_AUTO_INVAL_DATA);
        q.flags = 0; /* pages would never be forgotten */
        assert_int_equal(fuse_reply_init(pair[0], &q), 0);
        assert_int_equal(recv(pair[1], &reply, sizeof(reply), 0), sizeof(reply.head));
        assert_int_equal(reply.head.error, -EPROTO);
        close_fd(pair[0]);
        close_fd(pair[1]);
}

static void attributes_carry_time_and_how_long_they_hold(void **state)
{
        struct fuse_file file = {.node = 5,
                .mode = S_IFREG | 0444,
                .uid = 100000,
                .gid = 100000,
                .size = 64,
                .mtime_ns = 3000000007,
                .valid_ns = 1085000000};
        struct {
                struct fuse_out_header head;
                struct fuse_attr_out out;
        } reply;
        int pair[2];

        (void)state;
        session(pair);
        assert_int_equal(fuse_reply_attributes(pair[0], 8, &file), 0);
        assert_int_equal(recv(pair[1], &reply, sizeof(reply), 0), sizeof(reply));
        assert_int_equal(reply.head.len, sizeof(reply));
        assert_int_equal(reply.out.attr_valid, 1);
        assert_int_equal(reply.out.attr_valid_nsec, 85000000);
        assert_int_equal(reply.out.attr.mtime, 3);
        assert_int_equal(reply.out.attr.mtimensec, 7);
        assert_int_equal(reply.out.attr.uid, 100000);
        assert_int_equal(reply.out.attr.size, 64);
        close_fd(pair[0]);
        close_fd(pair[1]);
}

static void an_entry_that_does_not_fit_is_not_written(void **state)
{
        char buf[64];
        struct fuse_file file = {.node = 5, .mode = S_IFDIR | 0555};
        struct fuse_dirent head;
        size_t used = 0;

        (void)state;
        assert_int_equal(fuse_put_entry(buf, sizeof(buf), &used, &file, "cpu0", 3), 0);
        assert_int_equal(used, 32);
        memcpy(&head, buf, sizeof(head));
        assert_int_equal(head.ino, 5);
        assert_int_equal(head.off, 3);
        assert_int_equal(head.type, 4); /* DT_DIR */
        assert_memory_equal(buf + FUSE_NAME_OFFSET, "cpu0", 4);
        assert_int_equal(fuse_put_entry(buf, sizeof(buf), &used, &file, "vulnerabilities", 4), -ENOSPC);
        assert_int_equal(used, 32);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_read_is_decoded),
                cmocka_unit_test(a_lookup_has_a_name_with_an_end),
                cmocka_unit_test(every_truncation_is_refused),
                cmocka_unit_test(who_forgets_wants_no_reply),
                cmocka_unit_test(the_size_of_a_packet_is_in_its_head),
                cmocka_unit_test(what_is_agreed_on_is_what_both_can_do),
                cmocka_unit_test(attributes_carry_time_and_how_long_they_hold),
                cmocka_unit_test(an_entry_that_does_not_fit_is_not_written),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
