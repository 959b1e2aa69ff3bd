/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_views.c - what the server of the views answers, with a socket in the kernel's place and a made-up host.
 */
#include "kstat/views_memory.h"
#include "view_kit.h"
#include "warden/views.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cmocka.h>

#define OWNER 100000

static struct kit kit;
static int sample_result; /* of the next reads */

static int read_sample(int link, struct kstat_sample *ret)
{
        (void)link;
        if (sample_result == 0)
                *ret = kit.sample;
        return sample_result;
}

struct bench {
        struct views views;
        int kernel;
        uint64_t unique;
        struct {
                struct fuse_out_header head;
                char data[65536];
        } reply;
};

static int facts_memfd(void)
{
        struct wire_writer w = WIRE_WRITER_INIT;
        int fd = memfd_create("facts", MFD_CLOEXEC);

        kit_facts(&w);
        assert_int_equal(write(fd, w.data, w.used), (ssize_t)w.used);
        wire_writer_done(&w);
        return fd;
}

static int begin(void **state)
{
        struct bench *b = calloc(1, sizeof(*b));
        int pair[2];

        kit_begin(&kit);
        sample_result = 0;
        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
        views_init(&b->views);
        b->views.read_sample = read_sample;
        b->views.memory = views_memory_new(&b->views.area, NULL);
        b->views.device = pair[0];
        b->kernel = pair[1];
        assert_int_equal(views_open(&b->views, facts_memfd(), OWNER, NULL), 0);
        *state = b;
        return 0;
}

static int end(void **state)
{
        struct bench *b = *state;

        views_done(&b->views);
        close_fd(b->kernel);
        kit_end(&kit);
        free(b);
        return 0;
}

static void put(struct bench *b, uint32_t opcode, uint64_t node, const void *body, size_t size)
{
        struct fuse_in_header head = {
                .len = (uint32_t)(sizeof(head) + size), .opcode = opcode, .unique = ++b->unique, .nodeid = node};
        char packet[256];

        memcpy(packet, &head, sizeof(head));
        if (size)
                memcpy(packet + sizeof(head), body, size);
        assert_int_equal(send(b->kernel, packet, head.len, 0), head.len);
}

/* The reply's size; its negative error. */
static ssize_t take(struct bench *b)
{
        ssize_t n = recv(b->kernel, &b->reply, sizeof(b->reply), 0);

        assert_true(n >= (ssize_t)sizeof(b->reply.head));
        assert_int_equal(b->reply.head.len, n);
        assert_int_equal(b->reply.head.unique, b->unique);
        return b->reply.head.error ? b->reply.head.error : n - (ssize_t)sizeof(b->reply.head);
}

static ssize_t ask(struct bench *b, uint32_t opcode, uint64_t node, const void *body, size_t size)
{
        put(b, opcode, node, body, size);
        assert_true(views_serve(&b->views));
        return take(b);
}

static struct fuse_attr attributes(struct bench *b, uint64_t node)
{
        struct fuse_getattr_in in = {0};
        struct fuse_attr_out out;

        assert_int_equal(ask(b, FUSE_GETATTR, node, &in, sizeof(in)), sizeof(out));
        memcpy(&out, b->reply.data, sizeof(out));
        return out.attr;
}

static ssize_t read_at(struct bench *b, uint64_t node, uint64_t offset, uint32_t size)
{
        struct fuse_read_in in = {.offset = offset, .size = size};

        return ask(b, FUSE_READ, node, &in, sizeof(in));
}

static uint64_t node_of(const char *path)
{
        for (size_t i = 0; views_mount_path(i); i++)
                if (strcmp(views_mount_path(i), path) == 0)
                        return 1 + (i < view_count() ? i + 1 : view_tree_node(i - view_count()));
        fail_msg("no view '%s'", path);
        return 0;
}

/* As if the time for which texts hold were over. */
static void grow_old(struct bench *b)
{
        b->views.sampled_ns = 0;
        for (size_t i = 0; i < VIEWS_FILES_MAX; i++)
                b->views.area->slots[i].made_ns = 0;
}

static void a_file_is_what_it_says_it_is(void **state)
{
        struct bench *b = *state;
        uint64_t node = node_of("proc/meminfo");
        struct fuse_attr attr = attributes(b, node);

        assert_int_equal(attr.mode, S_IFREG | 0444);
        assert_int_equal(attr.uid, OWNER);
        assert_int_equal(read_at(b, node, 0, 65536), (ssize_t)attr.size);
        assert_memory_equal(b->reply.data, "MemTotal:", 9);
        assert_int_equal(b->reply.data[attr.size - 1], '\n');
        assert_int_equal(read_at(b, node, 4, 5), 5);
        assert_memory_equal(b->reply.data, "otal:", 5);
        assert_int_equal(read_at(b, node, attr.size, 5), 0);
        assert_int_equal(read_at(b, node, UINT64_MAX, 5), 0);
}

static void every_view_can_be_looked_at(void **state)
{
        struct bench *b = *state;

        for (size_t i = 0; views_mount_path(i); i++) {
                bool directory = i >= view_count();

                assert_int_equal(S_ISDIR(attributes(b, node_of(views_mount_path(i))).mode), directory);
        }
        assert_true(view_count() + view_tree_count() <= VIEWS_MOUNTS_MAX);
        assert_true(view_count() < VIEWS_FILES_MAX);
}

static void content_is_of_the_instant_of_the_attributes(void **state)
{
        struct bench *b = *state;
        uint64_t node = node_of("proc/uptime");
        struct fuse_attr attr = attributes(b, node);
        char first[256];

        assert_int_equal(read_at(b, node, 0, 4096), (ssize_t)attr.size);
        memcpy(first, b->reply.data, attr.size);
        kit_pass(&kit, 5 * SEC);
        grow_old(b);
        assert_int_equal(read_at(b, node, 0, 4096), (ssize_t)attr.size);
        assert_memory_equal(b->reply.data, first, attr.size);
        assert_int_not_equal(attributes(b, node).mtimensec, attr.mtimensec);
        assert_int_equal(read_at(b, node, 0, 4096), (ssize_t)attr.size); /* padded: as long as before */
        assert_memory_not_equal(b->reply.data, first, attr.size);
}

static void a_text_that_is_told_again_holds_for_the_rest_of_its_time(void **state)
{
        struct bench *b = *state;
        uint64_t node = node_of("proc/uptime");
        struct fuse_attr_out out;
        size_t size = attributes(b, node).size;

        b->views.area->slots[node - 2].made_ns -= 50000000;
        assert_int_equal(attributes(b, node).size, size);
        memcpy(&out, b->reply.data, sizeof(out));
        assert_int_equal(out.attr_valid, 0);
        assert_in_range(out.attr_valid_nsec, 0, 25000000);
}

static void what_has_not_changed_keeps_its_time(void **state)
{
        struct bench *b = *state;
        uint64_t node = node_of("proc/cpuinfo"), mtime = attributes(b, node).mtimensec;

        kit_pass(&kit, SEC);
        grow_old(b);
        assert_int_equal(attributes(b, node).mtimensec, mtime);
}

static void without_figures_the_last_ones_stay(void **state)
{
        struct bench *b = *state;
        uint64_t node = node_of("proc/loadavg"), size = attributes(b, node).size;
        struct fuse_getattr_in in = {0};

        sample_result = -ENXIO;
        grow_old(b);
        assert_int_equal(attributes(b, node).size, size);
        assert_int_equal(ask(b, FUSE_GETATTR, node_of("proc/stat"), &in, sizeof(in)), -EIO);
        assert_int_equal(read_at(b, node_of("proc/stat"), 0, 10), -EIO);
}

static void a_tree_is_walked_by_name_and_by_list(void **state)
{
        struct bench *b = *state;
        uint64_t node = node_of("sys/devices/system/cpu");
        struct fuse_entry_out entry;
        struct fuse_read_in in = {.size = 4096};
        ssize_t n;

        assert_int_equal(ask(b, FUSE_LOOKUP, node, "online", 7), sizeof(entry));
        memcpy(&entry, b->reply.data, sizeof(entry));
        assert_int_equal(entry.attr.mode, S_IFREG | 0444);
        n = read_at(b, entry.nodeid, 0, 4096);
        assert_int_equal(n, entry.attr.size);
        assert_int_equal(ask(b, FUSE_LOOKUP, node, "nosuch", 7), sizeof(entry));
        memcpy(&entry, b->reply.data, sizeof(entry));
        assert_int_equal(entry.nodeid, 0);
        n = ask(b, FUSE_READDIR, node, &in, sizeof(in));
        assert_true(n > 64);
        assert_non_null(memmem(b->reply.data, (size_t)n, "online", 6));
        in.offset = 10000;
        assert_int_equal(ask(b, FUSE_READDIR, node, &in, sizeof(in)), 0);
}

/* How long the kernel may believe in attributes. */
static uint64_t validity(struct bench *b, uint64_t node)
{
        struct fuse_attr_out out;

        (void)attributes(b, node);
        memcpy(&out, b->reply.data, sizeof(out));
        return out.attr_valid + out.attr_valid_nsec;
}

static struct fuse_entry_out look_up(struct bench *b, uint64_t directory, const char *name)
{
        struct fuse_entry_out entry;

        assert_int_equal(ask(b, FUSE_LOOKUP, directory, name, strlen(name) + 1), sizeof(entry));
        memcpy(&entry, b->reply.data, sizeof(entry));
        return entry;
}

static void bind_loop(struct bench *b)
{
        const struct view_disk disk = {.name = "loop0", .major = 7, .minor = 9, .sectors = 8, .flags = VIEW_DISK_LOOP};
        struct view_disks *disks;

        assert_int_equal(views_disks_map(b->views.memory, VIEW_LOOPS, &disks, NULL), 0);
        view_disks_write(disks, &disk, 1);
        views_disks_unmap(disks);
}

static void a_device_of_its_own_is_there_as_soon_as_it_is_bound(void **state)
{
        struct bench *b = *state;
        uint64_t table = node_of("proc/partitions"), directory = node_of("sys/block");

        views_expect_disks(&b->views);
        assert_int_equal(attributes(b, table).size, strlen("major minor  #blocks  name\n\n"));
        assert_int_equal(look_up(b, directory, "loop0").nodeid, 0);
        bind_loop(b);
        assert_int_equal(
                attributes(b, table).size, strlen("major minor  #blocks  name\n\n   7        9          4 loop0\n"));
        assert_int_equal(look_up(b, directory, "loop0").attr.mode, S_IFDIR | 0555);
}

static void what_tells_of_devices_that_may_come_is_not_kept(void **state)
{
        struct bench *b = *state;

        views_expect_disks(&b->views);
        bind_loop(b);
        assert_int_equal(validity(b, node_of("proc/partitions")), 0);
        assert_int_equal(validity(b, node_of("sys/class/block")), 0);
        assert_int_equal(look_up(b, node_of("sys/block"), "loop0").entry_valid_nsec, 0);
        assert_int_equal(look_up(b, node_of("sys/block"), "loop1").entry_valid_nsec, 0);
        assert_true(validity(b, node_of("proc/meminfo")) > 0);
        assert_true(look_up(b, node_of("sys/devices/system/cpu"), "online").entry_valid_nsec > 0);
}

static void where_no_device_can_come_all_is_kept(void **state)
{
        struct bench *b = *state;

        assert_true(validity(b, node_of("proc/partitions")) > 0);
        assert_true(validity(b, node_of("sys/class/block")) > 0);
        assert_true(look_up(b, node_of("sys/block"), "loop1").entry_valid_nsec > 0);
        assert_false(view_has_disks(b->views.view, VIEW_LOOPS));
}

static void where_no_device_ever_came_the_list_takes_no_memory(void **state)
{
        struct bench *b = *state;
        off_t at = (off_t)offsetof(struct views_memory, disks);

        views_expect_disks(&b->views);
        for (size_t i = 0; views_mount_path(i); i++)
                (void)attributes(b, node_of(views_mount_path(i)));
        assert_int_equal(look_up(b, node_of("sys/block"), "loop0").nodeid, 0);
        assert_int_equal(lseek(b->views.memory, at, SEEK_DATA), -1);
        assert_int_equal(errno, ENXIO);
        bind_loop(b);
        assert_int_equal(lseek(b->views.memory, at, SEEK_DATA), at);
}

static void a_successor_shows_its_devices(void **state)
{
        struct bench *b = *state;
        struct views next;

        bind_loop(b);
        views_init(&next);
        next.read_sample = read_sample;
        assert_int_equal(views_adopt(&next, TAKE_FD(b->views.device), dup(b->views.memory), NULL), 0);
        assert_int_equal(views_open(&next, facts_memfd(), OWNER, NULL), 0);
        put(b, FUSE_LOOKUP, node_of("sys/block"), "loop0", 6);
        assert_true(views_serve(&next));
        assert_int_equal(take(b), sizeof(struct fuse_entry_out));
        assert_true(view_has_disks(next.view, VIEW_LOOPS));
        views_done(&next);
}

static void a_node_that_is_none_is_refused(void **state)
{
        struct bench *b = *state;
        struct fuse_getattr_in in = {0};

        assert_true(ask(b, FUSE_GETATTR, UINT64_MAX, &in, sizeof(in)) < 0);
        assert_true(ask(b, FUSE_GETATTR, 0, &in, sizeof(in)) < 0);
        assert_true(read_at(b, UINT64_MAX - 3, 0, 10) < 0);
        assert_int_equal(ask(b, FUSE_LOOKUP, FUSE_ROOT_ID, "9999", 5), -ENOENT);
        assert_int_equal(ask(b, FUSE_LOOKUP, FUSE_ROOT_ID, "meminfo", 8), -ENOENT);
}

static void what_need_not_be_asked_again_is_not_there(void **state)
{
        const uint32_t opcodes[] = {FUSE_OPEN, FUSE_OPENDIR, FUSE_FLUSH, FUSE_POLL, FUSE_INTERRUPT};
        struct bench *b = *state;

        for (size_t i = 0; i < ELEMENTS(opcodes); i++)
                assert_int_equal(ask(b, opcodes[i], 2, NULL, 0), -ENOSYS);
}

static void a_successor_answers_what_was_taken(void **state)
{
        struct bench *b = *state;
        uint64_t node = node_of("proc/uptime"), size = attributes(b, node).size;
        struct views next;
        struct fuse_read_in in = {.size = 4096};

        put(b, FUSE_READ, node, &in, sizeof(in));
        /* Its predecessor got so far: */
        assert_true(read(b->views.device, b->views.area->request, FUSE_REQUEST_MAX) > 0);
        views_init(&next);
        next.read_sample = read_sample;
        assert_int_equal(views_adopt(&next, TAKE_FD(b->views.device), dup(b->views.memory), NULL), 0);
        assert_int_equal(views_open(&next, facts_memfd(), OWNER, NULL), 0);
        assert_true(views_serve(&next));
        assert_int_equal(take(b), (ssize_t)size);
        assert_true(views_serve(&next)); /* once */
        assert_int_equal(recv(b->kernel, &b->reply, sizeof(b->reply), 0), -1);
        views_done(&next);
}

static void rubbish_in_the_place_of_a_request_does_no_harm(void **state)
{
        struct bench *b = *state;

        memset(b->views.area->request, 0xff, FUSE_REQUEST_MAX);
        assert_true(views_serve(&b->views));
        assert_int_equal(b->views.area->request[0], 0);
        assert_int_equal(attributes(b, node_of("proc/uptime")).uid, OWNER);
}

static void a_file_system_that_is_gone_is_noticed(void **state)
{
        struct bench *b = *state;

        b->views.device = close_fd(b->views.device);
        assert_false(views_serve(&b->views));
}

#define T(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
        const struct CMUnitTest tests[] = {
                T(a_file_is_what_it_says_it_is),
                T(every_view_can_be_looked_at),
                T(content_is_of_the_instant_of_the_attributes),
                T(a_text_that_is_told_again_holds_for_the_rest_of_its_time),
                T(what_has_not_changed_keeps_its_time),
                T(without_figures_the_last_ones_stay),
                T(a_tree_is_walked_by_name_and_by_list),
                T(a_device_of_its_own_is_there_as_soon_as_it_is_bound),
                T(what_tells_of_devices_that_may_come_is_not_kept),
                T(where_no_device_can_come_all_is_kept),
                T(where_no_device_ever_came_the_list_takes_no_memory),
                T(a_successor_shows_its_devices),
                T(a_node_that_is_none_is_refused),
                T(what_need_not_be_asked_again_is_not_there),
                T(a_successor_answers_what_was_taken),
                T(rubbish_in_the_place_of_a_request_does_no_harm),
                T(a_file_system_that_is_gone_is_noticed),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
