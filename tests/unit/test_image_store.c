/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_image_store.c - the set of images, in a scratch directory below $TMPDIR; works as any user.  Drafts stand for
 * builds and imports.
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/str.h"
#include "fault.h"
#include "image/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#define ID(c) c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c

static char scratch_path[256];
static int state = -EBADF;
static struct image_store *store;

static int set_up(void **unused)
{
        const char *tmp = getenv("TMPDIR");

        (void)unused;
        (void)snprintf(scratch_path, sizeof(scratch_path), "%s/croft-test-images.XXXXXX", tmp ? tmp : "/tmp");
        if (!mkdtemp(scratch_path))
                return -1;
        state = open(scratch_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return state < 0 ? -1 : image_store_open(state, "/nonexistent", &store, NULL);
}

static int tear_down(void **unused)
{
        (void)unused;
        store = image_store_free(store);
        state = close_fd(state);
        return fd_remove_tree(AT_FDCWD, scratch_path, NULL);
}

static int make(const char *id, const char *name, bool native, struct croft_error *err)
{
        _cleanup_(image_draft_done) struct image_draft draft = IMAGE_DRAFT_INIT;
        struct image_meta meta = {.info = {.native = native}};
        int r = image_draft_begin(store, &draft, err);

        if (r < 0)
                return r;
        (void)str_copy(meta.info.id, sizeof(meta.info.id), id);
        (void)str_copy(meta.info.name, sizeof(meta.info.name), name);
        if (mkdirat(draft.dir, "rootfs", 0755) < 0)
                return croft_error_set(err, errno, "make 'rootfs'");
        return image_draft_commit(&draft, &meta, err);
}

/* Entries of a folder of the state, "." and ".." left out. */
static size_t count(const char *folder)
{
        _cleanup_closedir_ DIR *dir = NULL;
        int fd = openat(state, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        size_t n = 0;

        assert_true(fd >= 0);
        dir = fdopendir(fd);
        assert_non_null(dir);
        while (readdir(dir))
                n++;
        return n - 2;
}

static bool uses(void *context, const char *id)
{
        return strcmp(context, id) == 0;
}

static void images_are_listed_by_name_and_found_by_name_or_id(void **unused)
{
        _cleanup_free_ struct image_info *list = NULL;
        struct image_info info;
        size_t n;

        (void)unused;
        assert_int_equal(make(ID("ab"), "zebra", false, NULL), 0);
        assert_int_equal(make(ID("cd"), "ant", false, NULL), 0);
        assert_int_equal(image_list(store, &list, &n, NULL), 0);
        assert_int_equal(n, 2);
        assert_string_equal(list[0].name, "ant");
        assert_string_equal(list[1].name, "zebra");
        assert_int_equal(image_find(store, "ant", &info, NULL), 0);
        assert_string_equal(info.id, ID("cd"));
        assert_int_equal(image_find(store, ID("ab"), &info, NULL), 0);
        assert_int_equal(image_find(store, "abababab", &info, NULL), 0);
        assert_string_equal(info.name, "zebra");
        assert_int_equal(image_find(store, "abababa", &info, NULL), -ENOENT);
        assert_int_equal(image_find(store, "", &info, NULL), -ENOENT);
}

static void a_prefix_of_two_images_is_refused_but_a_name_wins(void **unused)
{
        struct croft_error err = CROFT_ERROR_INIT;
        struct image_info info;

        (void)unused;
        assert_int_equal(make("abcdef000000000000000000000000000000000000000000000000000000000"
                              "1",
                                 "one", false, NULL),
                0);
        assert_int_equal(make("abcdef000000000000000000000000000000000000000000000000000000000"
                              "2",
                                 "two", false, NULL),
                0);
        assert_int_equal(image_find(store, "abcdef00", &info, &err), -EINVAL);
        assert_int_equal(make(ID("ef"), "abcdef00", false, NULL), 0);
        assert_int_equal(image_find(store, "abcdef00", &info, NULL), 0);
        assert_string_equal(info.id, ID("ef"));
}

static void a_taken_name_or_id_leaves_the_first_alone(void **unused)
{
        struct image_info info;

        (void)unused;
        assert_int_equal(make(ID("ab"), "a", false, NULL), 0);
        assert_int_equal(make(ID("cd"), "a", false, NULL), -EEXIST);
        assert_int_equal(make(ID("ab"), "b", false, NULL), -EEXIST);
        assert_int_equal(image_check_name(store, "a", NULL), -EEXIST);
        assert_int_equal(image_check_name(store, "b", NULL), 0);
        assert_int_equal(image_check_name(store, "A/b", NULL), -EINVAL);
        assert_int_equal(image_check_name(store, "native", NULL), -EINVAL);
        assert_int_equal(image_find(store, "a", &info, NULL), 0);
        assert_string_equal(info.id, ID("ab"));
        assert_int_equal(count("images"), 1);
        assert_int_equal(count("tmp"), 0);
}

static void an_image_in_use_is_not_removed(void **unused)
{
        char used[] = ID("ab");

        (void)unused;
        assert_int_equal(make(ID("ab"), "a", false, NULL), 0);
        assert_int_equal(image_remove(store, "a", uses, used, NULL), -EBUSY);
        assert_int_equal(count("images"), 1);
        assert_int_equal(image_remove(store, "none", uses, used, NULL), -ENOENT);
        used[0] = 'c';
        assert_int_equal(image_remove(store, "a", uses, used, NULL), 0);
        assert_int_equal(count("images"), 0);
        assert_int_equal(count("tmp"), 0);
}

static void only_obsolete_templates_are_pruned(void **unused)
{
        char used[] = ID("ab");

        (void)unused;
        assert_int_equal(make(ID("ab"), "", true, NULL), 0);
        assert_int_equal(make(ID("cd"), "", true, NULL), 0);
        assert_int_equal(make(ID("ef"), "", true, NULL), 0);
        assert_int_equal(make(ID("01"), "image", false, NULL), 0);
        assert_int_equal(image_prune(store, uses, used, NULL), 0);
        assert_int_equal(count("images"), 4); /* nobody has asked which is current */
        (void)str_copy(store->native_last.info.id, sizeof(store->native_last.info.id), ID("cd"));
        assert_int_equal(image_prune(store, uses, used, NULL), 0);
        assert_int_equal(count("images"), 3);
        assert_int_equal(image_open_root(store, ID("ef"), NULL), -ENOENT);
}

static void a_damaged_image_is_seen_and_can_be_removed(void **unused)
{
        _cleanup_free_ struct image_info *list = NULL;
        size_t n;

        (void)unused;
        assert_int_equal(make(ID("ab"), "a", false, NULL), 0);
        assert_int_equal(fd_replace_file(state, "images/" ID("ab") "/meta.json", "{", 1, 0600, NULL), 0);
        assert_int_equal(image_list(store, &list, &n, NULL), 0);
        assert_int_equal(n, 1);
        assert_string_equal(list[0].id, ID("ab"));
        assert_int_equal(image_remove(store, "abababab", NULL, NULL, NULL), 0);
        assert_int_equal(count("images"), 0);
}

static void a_root_is_opened_by_a_whole_id_only(void **unused)
{
        _cleanup_close_ int fd = -EBADF;

        (void)unused;
        assert_int_equal(make(ID("ab"), "a", false, NULL), 0);
        fd = image_open_root(store, ID("ab"), NULL);
        assert_true(fd >= 0);
        assert_int_equal(image_open_root(store, "a", NULL), -EINVAL);
        assert_int_equal(image_open_root(store, "../" ID("ab"), NULL), -EINVAL);
        assert_int_equal(image_open_root(store, ID("cd"), NULL), -ENOENT);
}

static void drafts_that_a_dead_croftd_left_go_and_others_files_stay(void **unused)
{
        struct image_store *next = NULL;

        (void)unused;
        assert_int_equal(fd_make_dirs(state, "tmp/image-dead/rootfs/a", 0700, NULL), 0);
        assert_int_equal(fd_make_dirs(state, "tmp/other", 0700, NULL), 0);
        assert_int_equal(image_store_open(state, "x", &next, NULL), 0);
        assert_int_equal(count("tmp"), 1);
        assert_null(image_store_free(next));
}

static int open_and_close(void *unused)
{
        struct image_store *next = NULL;
        int r = image_store_open(state, "x", &next, NULL);

        (void)unused;
        (void)image_store_free(next);
        return r;
}

static void opening_survives_every_failure(void **unused)
{
        (void)unused;
        assert_true(fault_walk(FAULT_ALLOCATION, false, open_and_close, NULL) >= 2);
        assert_true(fault_walk(FAULT_CALL, false, open_and_close, NULL) >= 3);
}

/* With the nth call failing: the image is there whole, or not at all. */
static void a_commit_is_all_or_nothing_at_every_failure(void **unused)
{
        (void)unused;
        for (enum fault_kind kind = FAULT_ALLOCATION; kind <= FAULT_CALL; kind++) {
                bool hit = true;

                for (unsigned int n = 1; hit; n++) {
                        size_t fds = fault_count_fds();
                        struct image_info info;
                        int r;

                        fault_arm(kind, n);
                        r = make(ID("ab"), "a", false, NULL);
                        hit = fault_disarm();
                        assert_int_equal(fault_count_fds(), fds);
                        assert_int_equal(count("images"), r == 0);
                        assert_int_equal(image_find(store, "a", &info, NULL), r == 0 ? 0 : -ENOENT);
                        if (r == 0)
                                assert_int_equal(image_remove(store, "a", NULL, NULL, NULL), 0);
                        assert_true(hit || r == 0);
                        /* Removing the draft may have been what failed: the next opening does it. */
                        assert_int_equal(open_and_close(NULL), 0);
                        assert_int_equal(count("tmp"), 0);
                }
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(images_are_listed_by_name_and_found_by_name_or_id, set_up, tear_down),
                cmocka_unit_test_setup_teardown(a_prefix_of_two_images_is_refused_but_a_name_wins, set_up, tear_down),
                cmocka_unit_test_setup_teardown(a_taken_name_or_id_leaves_the_first_alone, set_up, tear_down),
                cmocka_unit_test_setup_teardown(an_image_in_use_is_not_removed, set_up, tear_down),
                cmocka_unit_test_setup_teardown(only_obsolete_templates_are_pruned, set_up, tear_down),
                cmocka_unit_test_setup_teardown(a_damaged_image_is_seen_and_can_be_removed, set_up, tear_down),
                cmocka_unit_test_setup_teardown(a_root_is_opened_by_a_whole_id_only, set_up, tear_down),
                cmocka_unit_test_setup_teardown(
                        drafts_that_a_dead_croftd_left_go_and_others_files_stay, set_up, tear_down),
                cmocka_unit_test_setup_teardown(opening_survives_every_failure, set_up, tear_down),
                cmocka_unit_test_setup_teardown(a_commit_is_all_or_nothing_at_every_failure, set_up, tear_down),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
