/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_plane.c - the kernel plane on a real kernel: who asks, from everywhere one can ask; what outlives whom.
 * where: here guest
 *
 * "Partitions" are cgroups of the test's own, two levels below the one it runs in, as croftd makes them.
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/sock.h"
#include "plane/plane.bpf.h"
#include "plane/plane.h"
#include "plane_kit.h"
#include "tests/unit/fault.h"
#include "turns.h"

#include <bpf/bpf.h>
#include <limits.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

/* ---- asking ---- */

struct answer {
        int r;
        uint64_t id;
};

/* A child enters the cgroup (NULL: stays), becomes what it is to be, and asks: the program `fd`, or the pin. */
static struct answer ask(const char *cgroup, enum as as, int fd)
{
        _cleanup_close_ int whoami = plane_open_whoami(plane, NULL);
        struct answer answer = {0};
        int ends[2], status;
        pid_t pid;

        assert_true(whoami >= 0);
        assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                char path[64];

                (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", whoami);
                if ((cgroup && enter_cgroup(cgroup) < 0) || become(as) < 0)
                        _exit(1);
                answer.r = fd >= 0 ? plane_ask_fd(fd, &answer.id) : plane_ask(path, &answer.id);
                _exit(write(ends[1], &answer, sizeof(answer)) != sizeof(answer));
        }
        (void)close_fd(ends[1]);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        assert_int_equal(read(ends[0], &answer, sizeof(answer)), sizeof(answer));
        (void)close_fd(ends[0]);
        return answer;
}

static void assert_answer(struct answer answer, int r, uint64_t id)
{
        assert_int_equal(answer.r, r);
        if (r == 0)
                assert_int_equal(answer.id, id);
}

static void a_process_of_the_host_is_global(void **state)
{
        (void)state;
        assert_answer(ask(NULL, AS_IS, -1), 0, 0);
        assert_answer(ask(NULL, AS_NOBODY, -1), 0, 0);
}

static void a_process_in_a_partitions_cgroup_is_that_partition(void **state)
{
        (void)state;
        assert_answer(ask("a", AS_IS, -1), 0, 101);
        assert_answer(ask("b", AS_IS, -1), 0, 102);
        assert_answer(ask("a", AS_USER_NS, -1), 0, 101);
}

static void a_process_without_any_privilege_gets_its_answer(void **state)
{
        (void)state;
        assert_answer(ask("a", AS_NOBODY, -1), 0, 101);
        assert_answer(ask("a", AS_NOBODY | AS_USER_NS | AS_NO_CAPABILITY, -1), 0, 101);
}

static void nested_cgroups_and_namespaces_are_still_that_partition(void **state)
{
        (void)state;
        make_cgroup("a/nested");
        make_cgroup("a/nested/deep");
        assert_answer(ask("a/nested", AS_IS, -1), 0, 101);
        assert_answer(ask("a/nested/deep", AS_NOBODY | AS_USER_NS | AS_NESTED_NS, -1), 0, 101);
        remove_cgroup("a/nested/deep");
        remove_cgroup("a/nested");
}

static void who_is_in_no_partition_and_no_longer_in_the_initial_namespace_is_refused(void **state)
{
        (void)state;
        assert_answer(ask(NULL, AS_USER_NS, -1), -EPERM, 0);
        assert_answer(ask(NULL, AS_NOBODY | AS_USER_NS | AS_NESTED_NS, -1), -EPERM, 0);
}

static void a_cgroup_beside_the_partitions_is_none(void **state)
{
        (void)state;
        make_cgroup("c");
        assert_answer(ask("c", AS_IS, -1), 0, 0);
        assert_answer(ask("c", AS_USER_NS, -1), -EPERM, 0);
        remove_cgroup("c");
}

static void a_descriptor_answers_for_who_uses_it_and_not_for_who_opened_it(void **state)
{
        _cleanup_close_ int whoami = plane_open_whoami(plane, NULL), program = -EBADF;
        char path[64];

        (void)state;
        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", whoami);
        program = bpf_obj_get(path);
        assert_true(program >= 0);
        assert_answer(ask(NULL, AS_IS, program), 0, 0);
        assert_answer(ask("a", AS_USER_NS | AS_NO_CAPABILITY, program), 0, 101);
        assert_answer(ask("b", AS_NOBODY, program), 0, 102);
        assert_answer(ask(NULL, AS_USER_NS, program), -EPERM, 0);
}

static void a_descriptor_that_was_sent_answers_for_the_receiver(void **state)
{
        _cleanup_close_ int whoami = plane_open_whoami(plane, NULL), program = -EBADF, received = -EBADF;
        struct sock_packet packet = {0};
        char path[64];
        int pair[2];

        (void)state;
        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", whoami);
        program = bpf_obj_get(path);
        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
        assert_int_equal(sock_send_packet(pair[0], "x", 1, &program, 1), 0);
        assert_int_equal(sock_receive_packet(pair[1], 10, &packet), 1);
        received = sock_packet_take_fd(&packet, 0);
        sock_packet_done(&packet);
        (void)close_fd(pair[0]);
        (void)close_fd(pair[1]);
        assert_answer(ask("b", AS_USER_NS, received), 0, 102);
}

static void what_the_caller_sends_is_not_looked_at(void **state)
{
        _cleanup_close_ int whoami = plane_open_whoami(plane, NULL), program = -EBADF;
        struct plane_whoami lie = {.id = 102};
        struct bpf_test_run_opts run = {.sz = sizeof(run), .ctx_in = &lie, .ctx_size_in = sizeof(lie)};
        char path[64];

        (void)state;
        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", whoami);
        program = bpf_obj_get(path);
        assert_int_equal(bpf_prog_test_run_opts(program, &run), 0);
        assert_int_equal(run.retval, 0);
        assert_int_equal(lie.id, 0);
}

/* The child of the test below: binds the pin into a mount namespace of its own, and asks there without privilege. */
static int ask_bound_pin(void)
{
        _cleanup_close_ int pin = plane_open_whoami(plane, NULL), file = -EBADF;
        /* taken in the old namespace: what is mounted there can't be bound from the new one */
        _cleanup_close_ int tree = open_tree(pin, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
        uint64_t id = 0;

        if (enter_cgroup("a") < 0 || unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
                return 1;
        if (mount("tmpfs", run_path, "tmpfs", 0, "mode=0755") < 0 || chdir(run_path) < 0)
                return 2;
        file = open("whoami", O_CREAT | O_CLOEXEC, 0444);
        if (file < 0 || move_mount(tree, "", AT_FDCWD, "whoami", MOVE_MOUNT_F_EMPTY_PATH) < 0)
                return 3;
        if (become(AS_NOBODY | AS_USER_NS | AS_NO_CAPABILITY) < 0 || plane_ask("whoami", &id) < 0)
                return 4;
        return id == 101 ? 0 : 5;
}

static void a_bound_pin_is_read_inside_a_mount_namespace(void **state)
{
        int status;
        pid_t pid = fork();

        (void)state;
        assert_true(pid >= 0);
        if (pid == 0)
                _exit(ask_bound_pin());
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
}

/* ---- the record ---- */

static void after_removal_a_process_is_global_or_refused_by_the_same_rule(void **state)
{
        (void)state;
        assert_int_equal(plane_remove_partition(plane, 101, NULL), 0);
        assert_int_equal(plane_remove_partition(plane, 101, NULL), 0);
        assert_answer(ask("a", AS_IS, -1), 0, 0);
        assert_answer(ask("a", AS_USER_NS, -1), -EPERM, 0);
        assert_answer(ask("b", AS_USER_NS, -1), 0, 102);
}

static void a_cgroup_made_again_under_the_same_name_inherits_nothing(void **state)
{
        uint64_t before = cgroup_id("a");

        (void)state;
        remove_cgroup("a");
        make_cgroup("a");
        assert_true(cgroup_id("a") != before);
        assert_answer(ask("a", AS_USER_NS, -1), -EPERM, 0); /* although 101 is still on record */
        assert_int_equal(plane_add(plane, cgroup_id("a"), 103, 100000, NULL), 0);
        assert_answer(ask("a", AS_USER_NS, -1), 0, 103);
}

static void a_partition_has_one_entry_the_newest(void **state)
{
        _cleanup_free_ struct plane_entry *entries = NULL;
        size_t count = 0;

        (void)state;
        make_cgroup("c");
        assert_int_equal(plane_add(plane, cgroup_id("c"), 101, 100000, NULL), 0);
        assert_int_equal(plane_add(plane, cgroup_id("c"), 101, 100000, NULL), 0);
        assert_int_equal(plane_list(plane, &entries, &count, NULL), 0);
        assert_int_equal(count, 2);
        assert_answer(ask("c", AS_USER_NS, -1), 0, 101);
        assert_answer(ask("a", AS_USER_NS, -1), -EPERM, 0);
        remove_cgroup("c");
}

static void the_list_says_what_was_added(void **state)
{
        _cleanup_free_ struct plane_entry *entries = NULL;
        size_t count = 0;

        (void)state;
        assert_int_equal(plane_list(plane, &entries, &count, NULL), 0);
        assert_int_equal(count, 2);
        for (size_t i = 0; i < count; i++) {
                bool a = entries[i].id == 101;

                assert_true(a || entries[i].id == 102);
                assert_true(entries[i].cgroup_id == cgroup_id(a ? "a" : "b"));
                assert_int_equal(entries[i].uid_base, a ? 100000 : 200000);
        }
}

static void the_number_zero_is_no_partition(void **state)
{
        (void)state;
        assert_int_equal(plane_add(plane, cgroup_id("a"), 0, 0, NULL), -EINVAL);
        assert_int_equal(plane_add(plane, 0, 7, 0, NULL), -EINVAL);
}

static void a_full_record_refuses_the_next_and_keeps_the_others(void **state)
{
        struct croft_error err = CROFT_ERROR_INIT;
        _cleanup_free_ struct plane_entry *entries = NULL;
        _cleanup_close_ int map = -EBADF;
        size_t count = 0;
        char path[128];

        (void)state;
        (void)snprintf(path, sizeof(path), "%s/bpf/partitions", run_path);
        map = bpf_obj_get(path);
        for (uint64_t i = 0; i < PLANE_PARTITIONS_MAX - 2;
                i++) { /* past plane_add(), which looks through all each time */
                uint64_t key = UINT64_MAX - i;
                struct plane_partition value = {.id = 1000 + i};

                assert_int_equal(bpf_map_update_elem(map, &key, &value, BPF_ANY), 0);
        }
        assert_int_equal(plane_add(plane, 12345, 999999, 0, &err), -ENOSPC);
        assert_int_equal(croft_error_exit(&err), CROFT_EXIT_EXHAUSTED);
        assert_int_equal(plane_list(plane, &entries, &count, NULL), 0);
        assert_int_equal(count, PLANE_PARTITIONS_MAX);
        assert_answer(ask("b", AS_USER_NS, -1), 0, 102);
        for (uint64_t i = 0; i < PLANE_PARTITIONS_MAX - 2; i++) {
                uint64_t key = UINT64_MAX - i;

                assert_int_equal(bpf_map_delete_elem(map, &key), 0);
        }
}

/* ---- living on ---- */

static uint32_t id_of(const char *pin, bool program)
{
        struct bpf_prog_info prog = {0};
        struct bpf_map_info map = {0};
        uint32_t size = program ? sizeof(prog) : sizeof(map);
        char path[128];
        _cleanup_close_ int fd = -EBADF;

        (void)snprintf(path, sizeof(path), "%s/bpf/%s", run_path, pin);
        fd = bpf_obj_get(path);
        assert_true(fd >= 0);
        assert_int_equal(bpf_obj_get_info_by_fd(fd, program ? (void *)&prog : (void *)&map, &size), 0);
        return program ? prog.id : map.id;
}

static void the_objects_outlive_their_maker_and_are_adopted(void **state)
{
        uint32_t map = id_of("partitions", false), program = id_of("whoami", true);
        int status;
        pid_t pid;

        (void)state;
        make_cgroup("c");
        plane = plane_free(plane);
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) { /* a croftd that adds one and is killed */
                struct plane *own = open_plane();

                if (plane_add(own, cgroup_id("c"), 104, 0, NULL) < 0)
                        _exit(1);
                (void)kill(getpid(), SIGKILL);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status));
        plane = open_plane();
        assert_int_equal(id_of("partitions", false), map);
        assert_int_equal(id_of("whoami", true), program);
        assert_answer(ask("a", AS_USER_NS, -1), 0, 101);
        assert_answer(ask("c", AS_USER_NS, -1), 0, 104);
        remove_cgroup("c");
}

static void the_program_answers_while_nobody_holds_the_plane(void **state)
{
        char path[128];
        uint64_t id = 99;

        (void)state;
        plane = plane_free(plane);
        (void)snprintf(path, sizeof(path), "%s/bpf/whoami", run_path);
        assert_int_equal(plane_ask(path, &id), 0);
        assert_int_equal(id, 0);
        plane = open_plane();
}

static void a_program_of_another_build_is_replaced_in_one_step(void **state)
{
        _cleanup_close_ int map = -EBADF, program = -EBADF;
        struct bpf_insn nothing[] = {
                {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 7}, {.code = BPF_JMP | BPF_EXIT}};
        LIBBPF_OPTS(bpf_prog_load_opts, options, .prog_flags = BPF_F_SLEEPABLE);
        uint32_t record = id_of("partitions", false);
        char path[128];

        (void)state;
        plane = plane_free(plane);
        program = bpf_prog_load(BPF_PROG_TYPE_SYSCALL, "old", "GPL", nothing, 2, &options);
        assert_true(program >= 0);
        (void)snprintf(path, sizeof(path), "%s/bpf/whoami", run_path);
        assert_int_equal(unlink(path), 0);
        assert_int_equal(bpf_obj_pin(program, path), 0);
        plane = open_plane();
        assert_int_equal(id_of("partitions", false), record);
        assert_answer(ask("a", AS_NOBODY | AS_USER_NS, -1), 0, 101);
}

static void a_second_open_mounts_nothing_again(void **state)
{
        struct plane *second = open_plane();
        struct statx once, above;
        char path[128];

        (void)state;
        second = plane_free(second);
        assert_null(second);
        assert_int_equal(statx(run_dir, "bpf", AT_NO_AUTOMOUNT, STATX_MNT_ID, &once), 0);
        assert_int_equal(statx(run_dir, "bpf/..", AT_NO_AUTOMOUNT, STATX_MNT_ID, &above), 0);
        assert_true(once.stx_mnt_id != above.stx_mnt_id);
        (void)snprintf(path, sizeof(path), "%s/bpf", run_path);
        assert_int_equal(umount2(path, MNT_DETACH), 0);
        assert_int_equal(statx(run_dir, "bpf", AT_NO_AUTOMOUNT, STATX_MNT_ID, &once), 0);
        assert_true(once.stx_mnt_id == above.stx_mnt_id); /* there was one mount, not two */
        plane = plane_free(plane);
        plane = open_plane();
}

/* ---- other versions ---- */

static void write_info(uint32_t layout, uint32_t info_level, const char *tag)
{
        struct plane_info info = {.magic = PLANE_MAGIC, .layout = layout, .level = info_level};
        _cleanup_close_ int map = -EBADF;
        uint32_t key = 0;
        char path[128];

        (void)snprintf(info.tag, sizeof(info.tag), "%s", tag);
        (void)snprintf(path, sizeof(path), "%s/bpf/info", run_path);
        map = bpf_obj_get(path);
        assert_int_equal(bpf_map_update_elem(map, &key, &info, BPF_ANY), 0);
}

static void assert_refused(const char *what)
{
        struct croft_error err = CROFT_ERROR_INIT;
        struct plane *other = NULL;
        char line[CROFT_ERROR_TEXT_MAX];

        assert_int_equal(plane_open(run_dir, TAG, level, &other, &err), -ESTALE);
        assert_null(other);
        assert_non_null(strstr(croft_error_line(&err, line, sizeof(line)), what));
        assert_answer(ask("a", AS_USER_NS, -1), 0, 101); /* and nothing was changed */
}

static void objects_of_another_version_in_use_are_refused_by_name(void **state)
{
        (void)state;
        write_info(PLANE_LAYOUT + 1, level, TAG);
        assert_refused("of another version of croft");
        write_info(0, level, TAG);
        assert_refused("of another version of croft");
        write_info(PLANE_LAYOUT, level, OTHER_TAG);
        assert_refused("of another instance of croft");
        write_info(PLANE_LAYOUT, level + 1, TAG);
        assert_refused("that ran in another cgroup");
        write_info(PLANE_LAYOUT, level, TAG);
        plane = plane_free(plane);
        plane = open_plane();
}

static void objects_of_another_version_without_partitions_are_replaced(void **state)
{
        uint32_t before = id_of("partitions", false);

        (void)state;
        assert_int_equal(plane_remove_partition(plane, 101, NULL), 0);
        assert_int_equal(plane_remove_partition(plane, 102, NULL), 0);
        write_info(PLANE_LAYOUT + 1, level, TAG);
        plane = plane_free(plane);
        plane = open_plane();
        assert_true(id_of("partitions", false) != before);
        assert_int_equal(plane_add(plane, cgroup_id("a"), 105, 0, NULL), 0);
        assert_answer(ask("a", AS_USER_NS, -1), 0, 105);
}

static void what_a_death_between_two_pins_left_is_replaced(void **state)
{
        static const char *const pins[] = {"info", "whoami", "partitions"};
        char path[128];

        (void)state;
        for (size_t i = 0; i < ELEMENTS(pins); i++) {
                plane = plane_free(plane);
                for (size_t j = 0; j <= i; j++) {
                        (void)snprintf(path, sizeof(path), "%s/bpf/%s", run_path, pins[j]);
                        assert_int_equal(unlink(path), 0);
                }
                plane = open_plane();
                assert_int_equal(plane_add(plane, cgroup_id("a"), 106, 0, NULL), 0);
                assert_answer(ask("a", AS_USER_NS, -1), 0, 106);
        }
}

static void a_record_of_other_sizes_is_never_taken_for_ours(void **state)
{
        _cleanup_close_ int map = bpf_map_create(BPF_MAP_TYPE_HASH, "partitions", 4, 8, 16, NULL);
        uint32_t key = 1;
        uint64_t value = 1;
        char path[128];
        struct plane *other = NULL;

        (void)state;
        (void)snprintf(path, sizeof(path), "%s/bpf/partitions", run_path);
        assert_int_equal(unlink(path), 0);
        assert_int_equal(bpf_obj_pin(map, path), 0);
        assert_int_equal(bpf_map_update_elem(map, &key, &value, BPF_ANY), 0);
        assert_int_equal(plane_open(run_dir, TAG, level, &other, NULL), -ESTALE);
        assert_int_equal(bpf_map_delete_elem(map, &key), 0);
        plane = plane_free(plane);
        plane = open_plane();
}

/* ---- ends ---- */

static void the_plane_is_not_removed_while_partitions_are_on_record(void **state)
{
        (void)state;
        assert_int_equal(plane_remove(plane, NULL), -EBUSY);
        assert_answer(ask("a", AS_USER_NS, -1), 0, 101);
}

static void without_permission_it_says_what_is_missing_and_leaves_nothing(void **state)
{
        int status;
        pid_t pid;

        (void)state;
        assert_int_equal(mkdirat(run_dir, "other", 0777), 0);
        assert_int_equal(fchmodat(run_dir, "other", 0777, 0), 0);
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                struct croft_error err = CROFT_ERROR_INIT;
                int dir = openat(run_dir, "other", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                struct plane *own = NULL;
                char line[CROFT_ERROR_TEXT_MAX];

                if (become(AS_NOBODY) < 0 || plane_open(dir, TAG, level, &own, &err) != -EPERM)
                        _exit(1);
                (void)croft_error_line(&err, line, sizeof(line));
                _exit(strstr(line, "CAP_SYS_ADMIN") ? 0 : 2);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        assert_int_equal(unlinkat(run_dir, "other", AT_REMOVEDIR), 0); /* empty, so nothing is left in it */
}

/* Opens a plane in that directory, takes it away again if it was opened; anything left makes rmdir fail. */
static int open_elsewhere(void *context)
{
        const int *dir = context;
        struct plane *own = NULL;
        int r = plane_open(*dir, TAG, level, &own, NULL);

        (void)fault_disarm(); /* it was about opening */
        if (r == 0)
                assert_int_equal(plane_remove(own, NULL), 0);
        own = plane_free(own);
        assert_int_equal(unlinkat(run_dir, "other", AT_REMOVEDIR), 0);
        assert_int_equal(mkdirat(run_dir, "other", 0700), 0);
        return r;
}

static void an_open_that_fails_at_any_call_leaves_nothing(void **state)
{
        static const enum fault_kind kinds[] = {FAULT_ALLOCATION, FAULT_CALL};

        (void)state;
        assert_int_equal(mkdirat(run_dir, "other", 0700), 0);
        for (size_t i = 0; i < ELEMENTS(kinds); i++) {
                for (unsigned int n = 1, hit = true; hit; n += stride(8)) {
                        _cleanup_close_ int dir = openat(run_dir, "other", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                        size_t fds = fault_count_fds();
                        int r;

                        fault_arm(kinds[i], n);
                        r = open_elsewhere(&dir);
                        hit = fault_disarm();
                        assert_true(hit || r == 0);
                        assert_int_equal(fault_count_fds(), fds);
                }
        }
        assert_int_equal(unlinkat(run_dir, "other", AT_REMOVEDIR), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(a_process_of_the_host_is_global),
                TEST(a_process_in_a_partitions_cgroup_is_that_partition),
                TEST(a_process_without_any_privilege_gets_its_answer),
                TEST(nested_cgroups_and_namespaces_are_still_that_partition),
                TEST(who_is_in_no_partition_and_no_longer_in_the_initial_namespace_is_refused),
                TEST(a_cgroup_beside_the_partitions_is_none),
                TEST(a_descriptor_answers_for_who_uses_it_and_not_for_who_opened_it),
                TEST(a_descriptor_that_was_sent_answers_for_the_receiver),
                TEST(what_the_caller_sends_is_not_looked_at),
                TEST(a_bound_pin_is_read_inside_a_mount_namespace),
                TEST(after_removal_a_process_is_global_or_refused_by_the_same_rule),
                TEST(a_cgroup_made_again_under_the_same_name_inherits_nothing),
                TEST(a_partition_has_one_entry_the_newest),
                TEST(the_list_says_what_was_added),
                TEST(the_number_zero_is_no_partition),
                TEST(a_full_record_refuses_the_next_and_keeps_the_others),
                TEST(the_objects_outlive_their_maker_and_are_adopted),
                TEST(the_program_answers_while_nobody_holds_the_plane),
                TEST(a_program_of_another_build_is_replaced_in_one_step),
                TEST(a_second_open_mounts_nothing_again),
                TEST(objects_of_another_version_in_use_are_refused_by_name),
                TEST(objects_of_another_version_without_partitions_are_replaced),
                TEST(what_a_death_between_two_pins_left_is_replaced),
                TEST(a_record_of_other_sizes_is_never_taken_for_ours),
                TEST(the_plane_is_not_removed_while_partitions_are_on_record),
                TEST(an_open_that_fails_at_any_call_leaves_nothing),
                TEST(without_permission_it_says_what_is_missing_and_leaves_nothing),
        };

        cmocka_set_message_output(CM_OUTPUT_TAP);
        return cmocka_run_group_tests(tests, make_cgroups, remove_cgroups);
}
