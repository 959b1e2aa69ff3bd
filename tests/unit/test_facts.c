/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_facts.c - facts are collected from a root that was made for it, from an empty one, and from this machine.
 */
#include "base/fd.h"
#include "fault.h"
#include "view_kit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cmocka.h>

static char root[] = "/tmp/croft-facts.XXXXXX";
static int root_fd = -EBADF;

static void plant(const char *path, const char *text)
{
        _cleanup_free_ char *copy = strdup(path);
        _cleanup_close_ int fd = -EBADF;

        assert_non_null(copy);
        for (char *p = copy; (p = strchr(p, '/')); *p++ = '/') {
                *p = '\0';
                assert_true(mkdirat(root_fd, copy, 0755) == 0 || errno == EEXIST);
        }
        fd = openat(root_fd, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        assert_true(fd >= 0);
        assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
}

static int begin(void **state)
{
        (void)state;
        memcpy(root + strlen(root) - 6, "XXXXXX", 6);
        root_fd = mkdtemp(root) ? open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -EBADF;
        return root_fd < 0;
}

static int end(void **state)
{
        int r = fd_remove_tree(AT_FDCWD, root, NULL);

        (void)state;
        root_fd = close_fd(root_fd);
        return r;
}

static void plant_host(void)
{
        plant("proc/meminfo", "MemTotal:       1000 kB\nMemFree:  7 kB\nSwapTotal: 20 kB\nHugepagesize: 2048 kB\n");
        plant("proc/vmstat", "nr_free_pages 5\nno_number\n");
        plant("proc/cpuinfo", "processor\t: 0\nflags\t\t: a\n\nprocessor\t: 2\nflags\t\t: b\n\n");
        plant("proc/devices", "Character devices:\n  8 wrong\n\nBlock devices:\n  8 sd\n 65 sd\n");
        plant("proc/schedstat", "version 16\ntimestamp 3\n");
        plant("proc/sys/kernel/random/boot_id", "3b5c6f5e-0000-4000-8000-000000000001\n");
        plant("sys/devices/system/cpu/possible", "0-3\n");
        plant("sys/devices/system/cpu/kernel_max", "511\n");
        plant("sys/devices/system/cpu/vulnerabilities/meltdown", "Vulnerable\n");
        plant("sys/devices/system/cpu/cpu2/topology/physical_package_id", "1\n");
        plant("sys/devices/system/cpu/cpu2/topology/core_cpus", "00000001,00000005\n");
        plant("sys/devices/system/cpu/cpu2/topology/core_cpus_list", "0,2,32\n");
        plant("sys/devices/system/cpu/cpu2/cache/index10/size", "10K\n");
        plant("sys/devices/system/cpu/cpu2/cache/index1/size", "1K\n");
        plant("sys/devices/system/cpu/cpu2/cache/index1/shared_cpu_map", "4\n");
        plant("sys/devices/system/cpu/cpu2/cache/index1/uevent", "no\n");
        plant("sys/devices/system/memory/block_size_bytes", "8000000\n");
        plant("sys/block/sdb/dev", "8:16\n");
        plant("sys/block/sdb/size", "8\n");
        plant("sys/block/sda/dev", "8:0\n");
        plant("sys/block/broken/dev", "none\n");
}

static void collect(struct wire_writer *w, struct view_facts **ret)
{
        assert_int_equal(facts_collect(root_fd, w), 0);
        assert_int_equal(view_facts_decode(w->data, w->used, ret), 0);
}

static bool text_is(const struct facts_text *text, const char *expected)
{
        return text->size == strlen(expected) && memcmp(text->text, expected, text->size) == 0;
}

static void what_the_host_tells_is_in_the_facts(void **state)
{
        _cleanup_(view_facts_freep) struct view_facts *f = NULL;
        struct wire_writer w = WIRE_WRITER_INIT;

        (void)state;
        plant_host();
        collect(&w, &f);
        assert_int_equal(f->memory_bytes, 1000 * 1024);
        assert_int_equal(f->swap_bytes, 20 * 1024);
        assert_int_equal(f->hugepage_bytes, 2 * MIB);
        assert_int_equal(f->block_bytes, 128 * MIB);
        assert_int_equal(f->n_meminfo, 4);
        assert_true(text_is(&f->meminfo[1], "MemFree"));
        assert_int_equal(f->n_vmstat, 1);
        assert_int_equal(f->n_possible, 4);
        assert_int_equal(f->schedstat_version, 16);
        assert_int_equal(f->n_cpus, 2);
        assert_int_equal(f->cpus[1].number, 2);
        assert_int_equal(f->cpus[1].package, 1);
        assert_true(text_is(&f->cpus[0].cpuinfo, "processor\t: 0\nflags\t\t: a\n"));
        assert_int_equal(f->n_disks, 2);
        assert_true(text_is(&f->disks[0].name, "sda"));
        assert_true(text_is(&f->disks[1].driver, "sd"));
        assert_int_equal(f->disks[1].size_bytes, 4096);
        wire_writer_done(&w);
}

static void masks_are_read_as_masks_and_directories_stand_together(void **state)
{
        static const char *const paths[] = {"cache/index1/shared_cpu_map", "cache/index1/size", "cache/index10/size",
                "topology/core_cpus", "topology/core_cpus_list", "topology/physical_package_id"};
        _cleanup_(view_facts_freep) struct view_facts *f = NULL;
        struct wire_writer w = WIRE_WRITER_INIT;
        struct facts_file file;
        uint32_t at = 0, n = 0;

        (void)state;
        plant_host();
        collect(&w, &f);
        for (; facts_files_next(&f->cpus[1].files, &at, &file); n++) {
                assert_true(n < ELEMENTS(paths) && text_is(&file.path, paths[n]));
                if (strstr(paths[n], "core_cpus"))
                        assert_true(file.cpus[0] == 0x100000005);
        }
        assert_int_equal(n, ELEMENTS(paths));
        wire_writer_done(&w);
}

static void a_host_that_tells_nothing_gives_facts_all_the_same(void **state)
{
        _cleanup_(view_facts_freep) struct view_facts *f = NULL;
        struct wire_writer w = WIRE_WRITER_INIT;

        (void)state;
        collect(&w, &f);
        assert_int_equal(f->n_cpus, 0);
        assert_true(f->memory_bytes > 0);
        wire_writer_done(&w);
}

static void the_hosts_boot_id_is_not_in_the_facts(void **state)
{
        _cleanup_(view_facts_freep) struct view_facts *f = NULL;
        struct wire_writer w = WIRE_WRITER_INIT;

        (void)state;
        plant_host();
        collect(&w, &f);
        assert_null(memmem(w.data, w.used, "3b5c6f5e", 8));
        assert_true(f->seed[0] != 0 && f->seed[1] != 0);
        wire_writer_done(&w);
}

static void facts_of_this_machine_are_sealed(void **state)
{
        _cleanup_(view_facts_freep) struct view_facts *f = NULL;
        struct croft_error err = CROFT_ERROR_INIT;
        _cleanup_close_ int fd = view_facts_memfd(&err);
        struct stat st;
        void *data;

        (void)state;
        assert_true(fd >= 0);
        assert_int_equal(fstat(fd, &st), 0);
        assert_int_equal(pwrite(fd, "x", 1, 0), -1);
        assert_int_equal(ftruncate(fd, 0), -1);
        data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
        assert_true(data != MAP_FAILED);
        assert_int_equal(view_facts_decode(data, (size_t)st.st_size, &f), 0);
        assert_true(f->n_cpus > 0 && f->n_meminfo > 20);
        view_facts_freep(&f);
        assert_int_equal(munmap(data, (size_t)st.st_size), 0);
}

static int collect_once(void *context)
{
        struct wire_writer w = WIRE_WRITER_INIT;
        int r = facts_collect(root_fd, &w);

        (void)context;
        wire_writer_done(&w);
        return r;
}

static void each_failed_allocation_is_told(void **state)
{
        (void)state;
        plant_host();
        fault_walk(FAULT_ALLOCATION, false, collect_once, NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(what_the_host_tells_is_in_the_facts),
                TEST(masks_are_read_as_masks_and_directories_stand_together),
                TEST(a_host_that_tells_nothing_gives_facts_all_the_same),
                TEST(the_hosts_boot_id_is_not_in_the_facts),
                TEST(facts_of_this_machine_are_sealed),
                TEST(each_failed_allocation_is_told),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
