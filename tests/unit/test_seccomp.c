/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_seccomp.c - the filters do what they say, for each ABI, without privileges: a child installs one and calls.
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "kernel/seccomp.h"

#include <linux/bpf.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cmocka.h>

#define X32 0x40000000L
#define NOT_INSTALLED 255

/* The errno (0: success) of a call under the filter. */
static int under_with(int filter, long number, long a, long b, long c, long d)
{
        int status;
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0) {
                (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
                if (seccomp_install(filter, NULL) < 0)
                        _exit(NOT_INSTALLED);
                /* _exit: nothing of the test's own (ASan, cmocka) may run under the filter. */
                _exit(syscall(number, a, b, c, d, -1, 0) < 0 ? errno : 0);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        assert_int_not_equal(WEXITSTATUS(status), NOT_INSTALLED);
        return WEXITSTATUS(status);
}

static int under(int filter, long number, long a, long b, long c)
{
        return under_with(filter, number, a, b, c, 0);
}

static int base(void)
{
        struct croft_error err = CROFT_ERROR_INIT;
        int fd = seccomp_build_base(0, &err);

        assert_true(fd >= 0);
        return fd;
}

static int warden(void)
{
        struct croft_error err = CROFT_ERROR_INIT;
        int fd = seccomp_build_warden(&err);

        assert_true(fd >= 0);
        return fd;
}

static void base_filter_refuses_what_reaches_past_namespaces(void **state)
{
        _cleanup_close_ int f = base();

        (void)state;
        assert_int_equal(under(f, SYS_init_module, 0, 0, 0), EPERM);
        assert_int_equal(under(f, SYS_finit_module, -1, 0, 0), EPERM);
        assert_int_equal(under(f, SYS_kexec_load, 0, 0, 0), EPERM);
        assert_int_equal(under(f, SYS_open_by_handle_at, -1, 0, 0), EPERM);
        assert_int_equal(under(f, SYS_keyctl, 0, 0, 0), ENOSYS);
        assert_int_equal(under(f, SYS_clock_settime, 0, 0, 0), EPERM);
}

static void base_filter_holds_for_x32_numbers(void **state)
{
        _cleanup_close_ int f = base();

        (void)state;
        /* A kernel without x32 would say ENOSYS by itself; the filter comes first. */
        assert_int_equal(under(f, X32 | SYS_init_module, 0, 0, 0), EPERM);
        assert_int_equal(under(f, X32 | SYS_open_by_handle_at, -1, 0, 0), EPERM);
}

static void base_filter_lets_ordinary_calls_pass(void **state)
{
        _cleanup_close_ int f = base();

        (void)state;
        assert_int_equal(under(f, SYS_getppid, 0, 0, 0), 0);
        assert_int_equal(under(f, SYS_close, -1, 0, 0), EBADF);
        assert_int_equal(under(f, SYS_mount, 0, 0, 0), EFAULT);
        assert_int_equal(under(f, SYS_adjtimex, 0, 0, 0), EFAULT); /* reading the clock's state is anybody's */
        assert_int_equal(under(f, SYS_unshare, 0, 0, 0), 0);
}

static void warden_filter_lets_through_what_the_loop_needs_only(void **state)
{
        _cleanup_close_ int f = warden();

        (void)state;
        assert_int_equal(under(f, SYS_close, -1, 0, 0), EBADF);
        assert_int_equal(under(f, SYS_read, -1, 0, 0), EBADF);
        assert_int_equal(under(f, SYS_epoll_wait, -1, 0, 0), EBADF);
        assert_int_equal(under(f, SYS_sysinfo, 0, 0, 0), EFAULT);
        assert_int_equal(under(f, SYS_openat, -1, 0, 0), EPERM);
        assert_int_equal(under(f, SYS_execve, 0, 0, 0), EPERM);
        assert_int_equal(under(f, SYS_socket, AF_UNIX, SOCK_STREAM, 0), EPERM);
        assert_int_equal(under(f, SYS_setns, -1, 0, 0), EPERM);
        assert_int_equal(under(f, SYS_ptrace, 0, 0, 0), EPERM);
        assert_int_equal(under(f, SYS_clone, 0, 0, 0), EPERM);
        assert_int_equal(under(f, SYS_unlinkat, -1, 0, 0), EPERM);
}

static void warden_filter_refuses_memory_that_can_be_run(void **state)
{
        _cleanup_close_ int f = warden();

        (void)state;
        assert_int_equal(under(f, SYS_mmap, 0, 0, PROT_READ | PROT_WRITE), EBADF); /* the kernel says so */
        assert_int_equal(under(f, SYS_mmap, 0, 4096, PROT_READ | PROT_EXEC), EPERM);
        assert_int_equal(under(f, SYS_mprotect, 0, 0, PROT_READ), 0);
        assert_int_equal(under(f, SYS_mprotect, 0, 0, PROT_READ | PROT_EXEC), EPERM);
}

static void notify_filter_tells_of_sysinfo_only(void **state)
{
        struct croft_error err = CROFT_ERROR_INIT;
        _cleanup_close_ int f = seccomp_build_notify(0, &err);

        (void)state;
        assert_true(f >= 0);
        /* Nobody listens: the kernel answers for who would be asked. */
        assert_int_equal(under(f, SYS_sysinfo, 0, 0, 0), ENOSYS);
        assert_int_equal(under(f, X32 | SYS_sysinfo, 0, 0, 0), ENOSYS);
        assert_int_equal(under(f, SYS_getppid, 0, 0, 0), 0);
        assert_int_equal(under(f, SYS_mount, 0, 0, 0), EFAULT);
}

static int mounted_with(int filter, unsigned long flags)
{
        return under_with(filter, SYS_mount, 0, 0, 0, (long)flags);
}

static void mount_filter_tells_of_new_mounts_lone_binds_and_unmounts(void **state)
{
        static const unsigned long other[] = {MS_REMOUNT, MS_BIND | MS_REC, MS_MOVE, MS_SHARED, MS_PRIVATE, MS_SLAVE,
                MS_UNBINDABLE, MS_REC | MS_PRIVATE, MS_REMOUNT | MS_BIND | MS_RDONLY, MS_MGC_VAL | MS_REMOUNT,
                MS_MGC_VAL | MS_BIND | MS_REC, MS_MGC_VAL | MS_MOVE};
        static const unsigned long new[] = {0, MS_RDONLY, MS_NOSUID | MS_NODEV, MS_LAZYTIME, MS_SILENT, MS_MGC_VAL,
                MS_MGC_VAL | MS_RDONLY, MS_BIND, MS_MGC_VAL | MS_BIND};
        _cleanup_close_ int f = seccomp_build_notify(SECCOMP_TOLD_MOUNTS, NULL);

        (void)state;
        assert_true(f >= 0);
        /* Nobody listens: what is told of isn't there. */
        for (size_t i = 0; i < ELEMENTS(new); i++)
                assert_int_equal(mounted_with(f, new[i]), ENOSYS);
        for (size_t i = 0; i < ELEMENTS(other); i++)
                assert_int_equal(mounted_with(f, other[i]), EFAULT);
        assert_int_equal(under(f, X32 | SYS_mount, 0, 0, 0), ENOSYS);
        assert_int_equal(under(f, SYS_umount2, 0, UMOUNT_NOFOLLOW, 0), ENOSYS);
        assert_int_equal(under(f, X32 | SYS_umount2, 0, 0, 0), ENOSYS);
        assert_int_equal(under(f, SYS_umount2, 0, MNT_DETACH, 0), EFAULT);
        assert_int_not_equal(under(f, SYS_fsopen, 0, 0, 0), ENOSYS); /* our own processes use it still */
}

static void who_may_mount_has_no_fsopen(void **state)
{
        _cleanup_close_ int f = seccomp_build_base(SECCOMP_TOLD_MOUNTS, NULL), other = base();

        (void)state;
        assert_true(f >= 0);
        assert_int_equal(under(f, SYS_fsopen, 0, 0, 0), ENOSYS);
        assert_int_equal(under(f, X32 | SYS_fsopen, 0, 0, 0), ENOSYS);
        assert_int_equal(under(f, SYS_init_module, 0, 0, 0), EPERM);
        assert_int_not_equal(under(other, SYS_fsopen, 0, 0, 0), ENOSYS);
}

static const long module_calls[] = {SYS_init_module, SYS_finit_module, SYS_delete_module};

static void calls_about_modules_are_told_or_refused(void **state)
{
        _cleanup_close_ int notify = seccomp_build_notify(0, NULL),
                            open = seccomp_build_base(SECCOMP_TOLD_MODULES, NULL);
        _cleanup_close_ int shut = base();

        (void)state;
        assert_true(notify >= 0 && open >= 0);
        for (size_t i = 0; i < ELEMENTS(module_calls); i++) {
                assert_int_equal(under(notify, module_calls[i], 0, 0, 0), ENOSYS);
                assert_int_equal(under(notify, X32 | module_calls[i], 0, 0, 0), ENOSYS);
                assert_int_equal(under(shut, module_calls[i], 0, 0, 0), EPERM);
                assert_int_equal(under(shut, X32 | module_calls[i], 0, 0, 0), EPERM);
        }
        assert_int_not_equal(under(open, SYS_finit_module, -1, 0, 0), 0); /* it is the kernel's to refuse */
}

static void a_listener_is_had_once(void **state)
{
        _cleanup_close_ int f = seccomp_build_notify(0, NULL);
        int status;
        pid_t pid = fork();

        (void)state;
        assert_true(pid >= 0);
        if (pid == 0) {
                int first = -EBADF, second = -EBADF;

                (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
                _exit(seccomp_install_listener(f, &first, NULL) == 0 && first >= 0 &&
                                        fcntl(first, F_GETFD) == FD_CLOEXEC &&
                                        seccomp_install_listener(f, &second, NULL) == -EBUSY && second == -EBADF
                                ? 0
                                : 1);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
}

static void warden_filter_answers_intercepted_calls(void **state)
{
        _cleanup_close_ int f = warden();

        (void)state;
        assert_int_equal(under(f, SYS_ioctl, -1, SECCOMP_IOCTL_NOTIF_RECV, 0), EBADF);
        assert_int_equal(under(f, SYS_ioctl, -1, SECCOMP_IOCTL_NOTIF_SEND, 0), EBADF);
        assert_int_equal(under(f, SYS_ioctl, -1, SECCOMP_IOCTL_NOTIF_ID_VALID, 0), EBADF);
        assert_int_equal(under(f, SYS_ioctl, -1, SECCOMP_IOCTL_NOTIF_ADDFD, 0), EPERM);
        assert_int_equal(under(f, SYS_process_vm_writev, -1, 0, 0), 0); /* nothing to write */
        assert_int_equal(under(f, SYS_process_vm_readv, -1, 0, 0), EPERM);
}

static void warden_filter_lets_two_ioctls_through(void **state)
{
        _cleanup_close_ int f = warden();

        (void)state;
        assert_int_equal(under(f, SYS_ioctl, -1, TIOCSWINSZ, 0), EBADF);
        assert_int_equal(under(f, SYS_ioctl, -1, 0xc040ff0b, 0), EBADF);
        assert_int_equal(under(f, SYS_ioctl, -1, TIOCSTI, 0), EPERM);
}

static void warden_filter_keeps_descriptors_from_sending_signals(void **state)
{
        _cleanup_close_ int f = warden();

        (void)state;
        assert_int_equal(under(f, SYS_fcntl, -1, F_GETFL, 0), EBADF);
        assert_int_equal(under(f, SYS_fcntl, -1, F_DUPFD_CLOEXEC, 0), EBADF);
        assert_int_equal(under(f, SYS_fcntl, -1, F_SETOWN, 1), EPERM);
        assert_int_equal(under(f, SYS_fcntl, -1, F_SETSIG, 9), EPERM);
        assert_int_equal(under(f, SYS_fcntl, -1, F_SETLEASE, 0), EPERM);
}

static void broker_filter_executes_and_loads_nothing(void **state)
{
        struct croft_error err = CROFT_ERROR_INIT;
        _cleanup_close_ int f = seccomp_build_broker(&err);

        (void)state;
        assert_true(f >= 0);
        assert_int_equal(under(f, SYS_setns, -1, 0, 0), EBADF);
        assert_int_equal(under(f, SYS_pidfd_getfd, -1, 0, 0), EBADF);
        assert_int_equal(under(f, SYS_bpf, BPF_PROG_TEST_RUN, 0, 0), EINVAL);
        assert_int_equal(under(f, SYS_bpf, BPF_PROG_LOAD, 0, 0), EPERM);
        assert_int_equal(under(f, SYS_bpf, BPF_MAP_GET_FD_BY_ID, 0, 0), EPERM);
        assert_int_equal(under(f, SYS_execve, 0, 0, 0), EPERM);
        assert_int_equal(under(f, SYS_execveat, -1, 0, 0), EPERM);
        assert_int_equal(under(f, SYS_finit_module, -1, 0, 0), EPERM);
        assert_int_equal(under(f, SYS_ptrace, 0, 0, 0), EPERM);
        assert_int_equal(under(f, SYS_socket, AF_INET, SOCK_STREAM, 0), EPERM);
        assert_int_equal(under(f, SYS_process_vm_writev, -1, 0, 0), 0); /* as the warden: an answer has a place */
        assert_int_equal(under(f, SYS_mmap, 0, 4096, PROT_READ | PROT_EXEC), EPERM);
        assert_int_equal(under(f, SYS_open_by_handle_at, -1, 0, 0), EPERM);
        assert_int_equal(under(f, SYS_reboot, 0, 0, 0), EPERM);
}

static void warden_filter_hands_out_no_process_of_a_peer(void **state)
{
        _cleanup_close_ int f = warden();

        (void)state;
        assert_int_equal(under(f, SYS_getsockopt, -1, SOL_SOCKET, SO_PEERCRED), EBADF);
        assert_int_equal(under(f, SYS_getsockopt, -1, SOL_SOCKET, 77 /* SO_PEERPIDFD */), EPERM);
        assert_int_equal(under(f, SYS_setsockopt, -1, SOL_SOCKET, 76 /* SO_PASSPIDFD */), EPERM);
}

static void base_filter_keeps_line_disciplines_away(void **state)
{
        _cleanup_close_ int f = base();

        (void)state;
        assert_int_equal(under(f, SYS_ioctl, -1, TIOCSETD, 0), EPERM);
        assert_int_equal(under(f, SYS_ioctl, -1, TIOCSETD | 1L << 32, 0), EPERM); /* the kernel drops the upper half */
        assert_int_equal(under(f, SYS_ioctl, -1, TIOCGETD, 0), EBADF);
        assert_int_equal(under(f, X32 | 514, -1, TIOCSETD, 0), EPERM);
}

static void what_is_no_sealed_filter_is_not_installed(void **state)
{
        _cleanup_close_ int open = memfd_create("open", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        _cleanup_close_ int odd = fd_sealed("odd", "12345", 5), empty = fd_sealed("empty", "", 0);

        (void)state;
        assert_int_equal(ftruncate(open, 8), 0);
        assert_int_equal(seccomp_install(open, NULL), -EBADMSG);
        assert_int_equal(seccomp_install(odd, NULL), -EBADMSG);
        assert_int_equal(seccomp_install(empty, NULL), -EBADMSG);
        assert_int_equal(seccomp_install(-EBADF, NULL), -EBADMSG);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(base_filter_refuses_what_reaches_past_namespaces),
                cmocka_unit_test(base_filter_holds_for_x32_numbers),
                cmocka_unit_test(base_filter_lets_ordinary_calls_pass),
                cmocka_unit_test(warden_filter_lets_through_what_the_loop_needs_only),
                cmocka_unit_test(warden_filter_refuses_memory_that_can_be_run),
                cmocka_unit_test(notify_filter_tells_of_sysinfo_only),
                cmocka_unit_test(mount_filter_tells_of_new_mounts_lone_binds_and_unmounts),
                cmocka_unit_test(who_may_mount_has_no_fsopen),
                cmocka_unit_test(calls_about_modules_are_told_or_refused),
                cmocka_unit_test(a_listener_is_had_once),
                cmocka_unit_test(warden_filter_answers_intercepted_calls),
                cmocka_unit_test(warden_filter_lets_two_ioctls_through),
                cmocka_unit_test(warden_filter_keeps_descriptors_from_sending_signals),
                cmocka_unit_test(warden_filter_hands_out_no_process_of_a_peer),
                cmocka_unit_test(broker_filter_executes_and_loads_nothing),
                cmocka_unit_test(base_filter_keeps_line_disciplines_away),
                cmocka_unit_test(what_is_no_sealed_filter_is_not_installed),
        };

        return cmocka_run_group_tests_name("seccomp", tests, NULL, NULL);
}
