/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_kext_scan.c - the walk through a tree that is hostile.
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "kext/scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cmocka.h>

/* echo -n abc | sha256sum */
#define ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

struct fixture {
        char path[64];
        int root;
        struct kext_finding *found;
        size_t n;
        struct kext_scan_limits limits;
};

static int set_up(void **state)
{
        struct fixture *f = calloc(1, sizeof(*f));

        assert_non_null(f);
        (void)snprintf(f->path, sizeof(f->path), "/tmp/croft-scan-XXXXXX");
        assert_non_null(mkdtemp(f->path));
        f->root = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        f->found = calloc(KEXT_FINDINGS_MAX + 1, sizeof(*f->found));
        f->limits = (struct kext_scan_limits){.entries = 10000, .bytes = 1 << 20, .seconds = 60};
        *state = f;
        return 0;
}

static int tear_down(void **state)
{
        struct fixture *f = *state;

        close_fd(f->root);
        assert_int_equal(fd_remove_tree(AT_FDCWD, f->path, NULL), 0);
        free(f->found);
        free(f);
        return 0;
}

static void found(void *context, const struct kext_finding *finding)
{
        struct fixture *f = context;

        assert_true(f->n < KEXT_FINDINGS_MAX);
        f->found[f->n++] = *finding;
}

static void belongs(void *context, uint32_t finding, const char *application)
{
        struct fixture *f = context;

        assert_true(finding < f->n);
        (void)snprintf(f->found[finding].application, sizeof(f->found->application), "%s", application);
}

static void configured(void *context, uint32_t finding, const char *config)
{
        struct fixture *f = context;

        assert_true(finding < f->n);
        (void)snprintf(f->found[finding].configured, sizeof(f->found->configured), "%s", config);
}

static void progress(void *context, uint64_t entries)
{
        (void)context;
        (void)entries;
}

static void run(struct fixture *f)
{
        const struct scan_listener listener = {
                .found = found, .belongs = belongs, .configured = configured, .progress = progress, .context = f};

        f->n = 0;
        assert_int_equal(scan(f->root, &f->limits, &listener, NULL), 0);
}

static void put(struct fixture *f, const char *path, const char *text)
{
        _cleanup_close_ int fd = -EBADF;
        const char *slash = strrchr(path, '/');
        _cleanup_free_ char *folder = slash ? strndup(path, (size_t)(slash - path)) : NULL;

        if (folder)
                assert_int_equal(fd_make_dirs(f->root, folder, 0755, NULL), 0);
        fd = openat(f->root, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
}

static const struct kext_finding *at(const struct fixture *f, const char *path)
{
        for (size_t i = 0; i < f->n; i++)
                if (strcmp(f->found[i].path, path) == 0)
                        return &f->found[i];
        fail_msg("not found: %s", path);
        return NULL;
}

static void what_it_is_configured_to_load_is_told(void **state)
{
        struct fixture *f = *state;

        put(f, "lib/modules/6.1/extra/one-two.ko.xz", "abc");
        put(f, "usr/lib/modules/6.1/three.ko", "abc");
        put(f, "srv/four.ko", "abc"); /* modprobe doesn't find it */
        put(f, "lib/modules/6.1/five.ko", "abc");
        put(f, "etc/modules", "# five\none-two nr=3\n");
        put(f, "etc/modules-load.d/app.conf", "  three  \n;five\n../six\nfour");
        put(f, "etc/modules-load.d/app.conf.old", "five\n");
        assert_int_equal(symlinkat("/proc/self/environ", f->root, "etc/modules-load.d/x.conf"), 0);
        assert_int_equal(mkfifoat(f->root, "etc/modules-load.d/y.conf", 0644), 0);
        run(f);
        assert_string_equal(at(f, "/lib/modules/6.1/extra/one-two.ko.xz")->configured, "/etc/modules");
        assert_string_equal(at(f, "/usr/lib/modules/6.1/three.ko")->configured, "/etc/modules-load.d/app.conf");
        assert_string_equal(at(f, "/srv/four.ko")->configured, "");
        assert_string_equal(at(f, "/lib/modules/6.1/five.ko")->configured, "");
        assert_string_equal(at(f, "/etc/modules-load.d/app.conf")->oddity, "wants 'four', of which there is no file");
        assert_int_equal(f->n, 5);
}

static void modules_are_found_with_their_hashes(void **state)
{
        struct fixture *f = *state;

        put(f, "opt/app/copy.ko", "abc");
        put(f, "usr/lib/modules/6.1/copy.ko.xz", "abc");
        put(f, "opt/app/readme", "no module");
        run(f);
        assert_int_equal(f->n, 2);
        assert_string_equal(at(f, "/opt/app/copy.ko")->sha256, ABC);
        assert_int_equal(at(f, "/opt/app/copy.ko")->size, 3);
        assert_string_equal(at(f, "/opt/app/copy.ko")->oddity, "");
        assert_string_equal(at(f, "/usr/lib/modules/6.1/copy.ko.xz")->sha256, ABC);
}

static void the_package_that_has_one_is_named(void **state)
{
        struct fixture *f = *state;

        put(f, "usr/lib/modules/6.1/a.ko", "abc");
        put(f, "opt/b.ko", "abc");
        put(f, "opt/c.ko", "abc");
        put(f, "var/lib/dpkg/info/linux-image-6.1.list", "/.\n/lib\n/lib/modules/6.1/a.ko\n");
        put(f, "var/lib/dpkg/info/my-app:amd64.list", "/opt/b.ko");
        put(f, "var/lib/dpkg/info/evil\033.list", "/opt/c.ko\n");
        put(f, "var/lib/dpkg/info/other.conffiles", "/opt/c.ko\n");
        run(f);
        assert_string_equal(at(f, "/usr/lib/modules/6.1/a.ko")->application, "linux-image-6.1");
        assert_string_equal(at(f, "/opt/b.ko")->application, "my-app");
        assert_string_equal(at(f, "/opt/c.ko")->application, "");
}

static void packages_of_other_managers_are_named(void **state)
{
        struct fixture *f = *state;

        put(f, "lib/modules/6.6/a.ko", "abc");
        put(f, "lib/modules/6.6/b.ko.zst", "abc");
        put(f, "c.ko", "abc");
        put(f, "srv/d.ko", "abc");
        put(f, "lib/apk/db/installed",
                "C:Q1\nP:linux-lts\nV:6.6\nF:lib\nF:lib/modules/6.6\nR:a.ko\na:0:0:644\nR:none.ko\n\n"
                "P:evil\033\nF:srv\nR:d.ko\n\nP:Py3_x\nF:\nR:c.ko\n");
        put(f, "var/lib/pacman/local/linux-zen-6.6.1-1/files", "%FILES%\nusr/\nusr/lib/modules/6.6/b.ko.zst\n");
        put(f, "var/lib/pacman/local/none-1/files", "srv/d.ko\n");
        put(f, "var/lib/pacman/local/-1-1/files", "srv/d.ko\n");
        put(f, "var/lib/pacman/local/ALPM_DB_VERSION", "srv/d.ko\n");
        run(f);
        assert_string_equal(at(f, "/lib/modules/6.6/a.ko")->application, "linux-lts");
        assert_string_equal(at(f, "/lib/modules/6.6/b.ko.zst")->application, "linux-zen");
        assert_string_equal(at(f, "/c.ko")->application, "Py3_x");
        assert_string_equal(at(f, "/srv/d.ko")->application, "");
}

static void assert_odd(const struct fixture *f, const char *path, const char *oddity)
{
        assert_string_equal(at(f, path)->oddity, oddity);
        assert_string_equal(at(f, path)->sha256, "");
}

static void what_is_odd_is_told_and_hangs_nobody(void **state)
{
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        struct fixture *f = *state;
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        put(f, "sparse.ko", "");
        assert_int_equal(truncate(strcat(strcpy(address.sun_path, f->path), "/sparse.ko"), (off_t)1 << 40), 0);
        assert_int_equal(mkfifoat(f->root, "fifo.ko", 0600), 0);
        assert_int_equal(symlinkat("loop.ko", f->root, "loop.ko"), 0);
        assert_int_equal(symlinkat("nothing", f->root, "dangling.ko"), 0);
        assert_int_equal(symlinkat("fifo.ko", f->root, "to-fifo.ko"), 0);
        assert_int_equal(symlinkat("/proc/self/exe", f->root, "out.ko"), 0);
        assert_int_equal(symlinkat("../../../../../../etc/passwd", f->root, "up.ko"), 0);
        assert_int_equal(symlinkat(".", f->root, "folder-loop"), 0);
        assert_int_equal(mkdirat(f->root, "folder.ko", 0755), 0);
        (void)strcat(strcpy(address.sun_path, f->path), "/socket.ko");
        assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
        close_fd(fd);
        run(f);
        assert_odd(f, "/sparse.ko", "larger than an extension may be");
        assert_odd(f, "/fifo.ko", "a FIFO");
        assert_odd(f, "/to-fifo.ko", "a FIFO");
        assert_odd(f, "/loop.ko", "a loop of symbolic links");
        assert_odd(f, "/dangling.ko", "a symbolic link to nothing");
        assert_odd(f, "/out.ko", "a symbolic link to nothing"); /* links begin at the root of the tree ... */
        assert_odd(f, "/up.ko", "a symbolic link to nothing");  /* ... and never leave it */
        assert_odd(f, "/folder.ko", "a directory");
        assert_odd(f, "/socket.ko", "a socket");
        assert_int_equal(f->n, 9);
}

static void a_link_leads_to_what_is_inside(void **state)
{
        struct fixture *f = *state;

        put(f, "data", "abc");
        assert_int_equal(symlinkat("/data", f->root, "link.ko"), 0);
        run(f);
        assert_string_equal(at(f, "/link.ko")->sha256, ABC);
}

static void the_limits_end_it_and_it_says_so(void **state)
{
        struct fixture *f = *state;
        char name[32];

        for (int i = 0; i < 50; i++) {
                (void)snprintf(name, sizeof(name), "d/%d.ko", i);
                put(f, name, "abc");
        }
        f->limits.entries = 20;
        run(f);
        assert_int_equal(f->n, 20); /* the folder, 19 files in it, and then the end */
        assert_string_equal(f->found[f->n - 1].oddity, "the scan ended here: there are too many entries");
        f->limits.entries = 1000;
        f->limits.bytes = 10;
        run(f);
        assert_int_equal(f->n, 50);
        assert_string_equal(f->found[2].sha256, ABC);
        assert_string_equal(f->found[3].oddity, "not read: there is too much to read");
}

static void too_many_findings_are_cut_off(void **state)
{
        struct fixture *f = *state;
        char name[32];

        f->limits.entries = 100000;
        for (int i = 0; i < KEXT_FINDINGS_MAX + 10; i++) {
                (void)snprintf(name, sizeof(name), "%d.ko", i);
                assert_int_equal(symlinkat("x", f->root, name), 0);
        }
        run(f);
        assert_int_equal(f->n, KEXT_FINDINGS_MAX);
        assert_string_equal(f->found[f->n - 1].oddity, "the scan ended here: there is too much to tell");
}

static void a_tree_that_is_too_deep_is_told(void **state)
{
        struct fixture *f = *state;
        int dir = openat(f->root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        for (int i = 0; i < 150; i++) {
                int next;

                assert_int_equal(mkdirat(dir, "d", 0755), 0);
                next = openat(dir, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                close_fd(dir);
                dir = next;
        }
        close_fd(dir);
        run(f);
        assert_int_equal(f->n, 1);
        assert_string_equal(f->found[0].oddity, "too deep to be looked into");
        assert_int_equal(strlen(f->found[0].path), 202);
}

static void a_path_that_is_too_long_is_told(void **state)
{
        struct fixture *f = *state;
        int dir = openat(f->root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        char name[251];

        memset(name, 'n', 250);
        name[250] = '\0';
        for (int i = 0; i < 6; i++) {
                int next;

                assert_int_equal(mkdirat(dir, name, 0755), 0);
                next = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                close_fd(dir);
                dir = next;
        }
        close_fd(dir);
        run(f);
        assert_int_equal(f->n, 1);
        assert_string_equal(f->found[0].oddity, "a path below is too long");
}

#define IN_TREE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                IN_TREE(modules_are_found_with_their_hashes),
                IN_TREE(what_it_is_configured_to_load_is_told),
                IN_TREE(the_package_that_has_one_is_named),
                IN_TREE(packages_of_other_managers_are_named),
                IN_TREE(what_is_odd_is_told_and_hangs_nobody),
                IN_TREE(a_link_leads_to_what_is_inside),
                IN_TREE(the_limits_end_it_and_it_says_so),
                IN_TREE(too_many_findings_are_cut_off),
                IN_TREE(a_tree_that_is_too_deep_is_told),
                IN_TREE(a_path_that_is_too_long_is_told),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
