/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_types.c - index and selection of type information that the test makes.
 */
#include "kernel/types.h"

#include "base/cleanup.h"
#include "fault.h"

#include <bpf/btf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* What is damaged is damaged in a copy. */
static void *copy_of(const void *bytes, size_t size)
{
        void *copy = malloc(size);

        assert_non_null(copy);
        memcpy(copy, bytes, size);
        return copy;
}

static struct kernel_types *types_of(struct btf *btf)
{
        struct kernel_types *types = NULL;
        uint32_t size;
        const void *bytes = btf__raw_data(btf, &size);

        assert_int_equal(kernel_types_new(copy_of(bytes, size), size, &types, NULL), 0);
        return types;
}

/* A small kernel:
 *
 *     typedef int number_t;                      struct unit { long sum; };
 *     struct task { struct unit *to; const number_t few[4]; struct unit own; union { int a; long b; }; };
 *     enum kind { FIRST = 3 };                   enum64 big { LARGE = 1 << 40 };
 *     struct other { struct unit more; };        void run(void);
 */
static struct btf *make_kernel(void)
{
        struct btf *btf = btf__new_empty();
        int number, length, array, pointer, unit, both, proto;

        assert_non_null(btf);
        number = btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
        length = btf__add_int(btf, "long", 8, BTF_INT_SIGNED);
        unit = btf__add_struct(btf, "unit", 8);
        assert_int_equal(btf__add_field(btf, "sum", length, 0, 0), 0);
        pointer = btf__add_ptr(btf, unit);
        array = btf__add_array(btf, number, btf__add_const(btf, btf__add_typedef(btf, "number_t", number)), 4);
        both = btf__add_union(btf, NULL, 8);
        assert_int_equal(btf__add_field(btf, "a", number, 0, 0), 0);
        assert_int_equal(btf__add_field(btf, "b", length, 0, 0), 0);
        assert_true(btf__add_struct(btf, "task", 40) > 0);
        assert_int_equal(btf__add_field(btf, "to", pointer, 0, 0), 0);
        assert_int_equal(btf__add_field(btf, "few", array, 64, 0), 0);
        assert_int_equal(btf__add_field(btf, "own", unit, 192, 0), 0);
        assert_int_equal(btf__add_field(btf, NULL, both, 256, 0), 0);
        assert_true(btf__add_enum(btf, "kind", 4) > 0);
        assert_int_equal(btf__add_enum_value(btf, "FIRST", 3), 0);
        assert_true(btf__add_enum64(btf, "big", 8, false) > 0);
        assert_int_equal(btf__add_enum64_value(btf, "LARGE", UINT64_C(1) << 40), 0);
        assert_true(btf__add_struct(btf, "other", 8) > 0);
        assert_int_equal(btf__add_field(btf, "more", unit, 0, 0), 0);
        proto = btf__add_func_proto(btf, 0);
        assert_true(btf__add_func(btf, "run", BTF_FUNC_STATIC, proto) > 0);
        return btf;
}

/* What a program names: these structures and this kind of enumeration. */
static struct btf *make_names(const char *const *names, size_t n)
{
        struct btf *btf = btf__new_empty();

        assert_non_null(btf);
        for (size_t i = 0; i < n; i++)
                assert_true(btf__add_struct(btf, names[i], 0) > 0);
        return btf;
}

/* The selection, as libbpf reads it. */
static struct btf *select_types(struct btf *kernel, const char *const *names, size_t n)
{
        _cleanup_(kernel_types_unrefp) struct kernel_types *types = types_of(kernel);
        _cleanup_free_ void *bytes = NULL;
        struct btf *local = make_names(names, n), *ret;
        size_t size = 0;

        assert_int_equal(kernel_types_select(types, local, &bytes, &size, NULL), 0);
        ret = btf__new(bytes, (uint32_t)size);
        assert_non_null(ret);
        btf__free(local);
        return ret;
}

static const struct btf_type *named(const struct btf *btf, const char *name, unsigned int kind)
{
        int id = btf__find_by_name_kind(btf, name, kind);

        return id > 0 ? btf__type_by_id(btf, (uint32_t)id) : NULL;
}

static const char *text(const struct btf *btf, uint32_t offset)
{
        return btf__name_by_offset(btf, offset);
}

static void a_type_is_found_by_name_and_kind(void **state)
{
        struct btf *kernel = make_kernel();
        _cleanup_(kernel_types_unrefp) struct kernel_types *types = types_of(kernel);

        (void)state;
        assert_int_equal(kernel_types_find(types, "task", BTF_KIND_STRUCT),
                btf__find_by_name_kind(kernel, "task", BTF_KIND_STRUCT));
        assert_int_equal(
                kernel_types_find(types, "run", BTF_KIND_FUNC), btf__find_by_name_kind(kernel, "run", BTF_KIND_FUNC));
        assert_int_equal(kernel_types_find(types, "number_t", BTF_KIND_TYPEDEF),
                btf__find_by_name_kind(kernel, "number_t", BTF_KIND_TYPEDEF));
        assert_int_equal(kernel_types_find(types, "task", BTF_KIND_UNION), -ENOENT);
        assert_int_equal(kernel_types_find(types, "nothing", BTF_KIND_FUNC), -ENOENT);
        btf__free(kernel);
}

/* struct irq_cpustat_t has no other name: who leaves the typedef out is told that the kernel has none of its fields. */
static void a_structure_is_known_by_its_typedef(void **state)
{
        struct btf *kernel = make_kernel(), *local = btf__new_empty(), *got;
        _cleanup_free_ void *bytes = NULL;
        const struct btf_type *t;
        size_t size = 0;
        int nameless;

        (void)state;
        nameless = btf__add_struct(kernel, NULL, 4);
        assert_int_equal(btf__add_field(kernel, "times", btf__find_by_name(kernel, "int"), 0, 0), 0);
        assert_true(btf__add_typedef(kernel, "count_t", nameless) > 0);
        assert_true(btf__add_typedef(local, "count_t", 0) > 0);
        {
                _cleanup_(kernel_types_unrefp) struct kernel_types *types = types_of(kernel);

                assert_int_equal(kernel_types_select(types, local, &bytes, &size, NULL), 0);
        }
        got = btf__new(bytes, (uint32_t)size);
        assert_non_null(got);
        t = named(got, "count_t", BTF_KIND_TYPEDEF);
        assert_non_null(t);
        t = btf__type_by_id(got, t->type);
        assert_int_equal(btf_kind(t), BTF_KIND_STRUCT);
        assert_string_equal(text(got, btf_members(t)[0].name_off), "times");
        assert_null(named(got, "number_t", BTF_KIND_TYPEDEF));
        btf__free(got);
        btf__free(local);
        btf__free(kernel);
}

static void a_selected_type_is_as_the_kernel_has_it(void **state)
{
        static const char *const names[] = {"task"};
        struct btf *kernel = make_kernel(), *got = select_types(kernel, names, 1);
        const struct btf_type *task = named(got, "task", BTF_KIND_STRUCT);
        const struct btf_member *m;

        (void)state;
        assert_non_null(task);
        assert_int_equal(task->size, 40);
        assert_int_equal(btf_vlen(task), 4);
        m = btf_members(task);
        assert_string_equal(text(got, m[0].name_off), "to");
        assert_string_equal(text(got, m[1].name_off), "few");
        assert_string_equal(text(got, m[2].name_off), "own");
        assert_string_equal(text(got, m[3].name_off), "");
        assert_int_equal(btf_member_bit_offset(task, 2), 192);
        assert_int_equal(btf__resolve_size(got, m[1].type), 16);
        assert_string_equal(text(got, btf__type_by_id(got, m[2].type)->name_off), "unit");
        assert_int_equal(btf_vlen(btf__type_by_id(got, m[3].type)), 2);
        btf__free(got);
        btf__free(kernel);
}

static void what_a_pointer_leads_to_is_left_out(void **state)
{
        static const char *const names[] = {"task"};
        struct btf *kernel = make_kernel(), *got = select_types(kernel, names, 1);
        const struct btf_type *to = btf__type_by_id(got, btf_members(named(got, "task", BTF_KIND_STRUCT))[0].type);

        (void)state;
        assert_int_equal(btf_kind(to), BTF_KIND_PTR);
        assert_int_equal(to->type, 0);
        btf__free(got);
        btf__free(kernel);
}

static void what_nobody_names_is_left_out(void **state)
{
        static const char *const names[] = {"task", "nothing"};
        struct btf *kernel = make_kernel(), *got = select_types(kernel, names, 2);

        (void)state;
        assert_null(named(got, "other", BTF_KIND_STRUCT));
        assert_null(named(got, "kind", BTF_KIND_ENUM));
        assert_null(named(got, "run", BTF_KIND_FUNC));
        btf__free(got);
        btf__free(kernel);
}

/* One that a program names as a structure may be an enumeration here, and enumerations come in two kinds. */
static void enumerations_keep_their_values(void **state)
{
        static const char *const names[] = {"kind", "big"};
        struct btf *kernel = make_kernel(), *got = select_types(kernel, names, 2);
        const struct btf_type *kind = named(got, "kind", BTF_KIND_ENUM), *big = named(got, "big", BTF_KIND_ENUM64);

        (void)state;
        assert_non_null(kind);
        assert_string_equal(text(got, btf_enum(kind)->name_off), "FIRST");
        assert_int_equal(btf_enum(kind)->val, 3);
        assert_non_null(big);
        assert_string_equal(text(got, btf_enum64(big)->name_off), "LARGE");
        assert_true(btf_enum64_value(btf_enum64(big)) == UINT64_C(1) << 40);
        btf__free(got);
        btf__free(kernel);
}

static void a_flavor_is_no_part_of_a_name(void **state)
{
        static const char *const names[] = {"unit___before_6_1"};
        struct btf *kernel = make_kernel(), *got = select_types(kernel, names, 1);

        (void)state;
        assert_non_null(named(got, "unit", BTF_KIND_STRUCT));
        btf__free(got);
        btf__free(kernel);
}

static void all_types_of_a_name_are_selected(void **state)
{
        static const char *const names[] = {"unit"};
        struct btf *kernel = make_kernel(), *got;
        unsigned int n = 0;

        (void)state;
        assert_true(btf__add_struct(kernel, "unit", 4) > 0);
        got = select_types(kernel, names, 1);
        for (uint32_t i = 1; i < btf__type_cnt(got); i++)
                n += strcmp(text(got, btf__type_by_id(got, i)->name_off), "unit") == 0;
        assert_int_equal(n, 2);
        btf__free(got);
        btf__free(kernel);
}

static void a_piece_of_it_is_refused(void **state)
{
        struct btf *kernel = make_kernel();
        struct kernel_types *types = NULL;
        uint32_t size;
        const void *bytes = btf__raw_data(kernel, &size);

        (void)state;
        for (uint32_t n = 0; n < size; n++)
                assert_int_equal(kernel_types_new(copy_of(bytes, n), n, &types, NULL), -EBADMSG);
        btf__free(kernel);
}

/* Each byte in turn: it is taken or refused, and nothing beyond the bytes is looked at (the sanitizers see that). */
static void damage_is_borne(void **state)
{
        static const char *const names[] = {"task", "kind", "big", "other"};
        struct btf *kernel = make_kernel(), *local = make_names(names, 4);
        uint32_t size;
        const void *bytes = btf__raw_data(kernel, &size);

        (void)state;
        for (uint32_t at = 0; at < size; at++)
                for (unsigned int bit = 0; bit < 8; bit++) {
                        _cleanup_(kernel_types_unrefp) struct kernel_types *types = NULL;
                        unsigned char *copy = copy_of(bytes, size);
                        void *got = NULL;
                        size_t n;

                        copy[at] ^= (unsigned char)(1U << bit);
                        if (kernel_types_new(copy, size, &types, NULL) < 0)
                                continue;
                        (void)kernel_types_percpu(types, "run", &(uint32_t){0});
                        if (kernel_types_select(types, local, &got, &n, NULL) == 0)
                                free(got);
                }
        btf__free(local);
        btf__free(kernel);
}

static int read_and_select(void *context)
{
        _cleanup_(kernel_types_unrefp) struct kernel_types *types = NULL;
        _cleanup_free_ void *bytes = NULL;
        struct btf **both = context;
        uint32_t size;
        const void *raw = btf__raw_data(both[0], &size);
        void *copy = malloc(size); /* this one may fail, too */
        size_t n;
        int r;

        if (!copy)
                return -ENOMEM;
        memcpy(copy, raw, size);
        r = kernel_types_new(copy, size, &types, NULL);
        return r < 0 ? r : kernel_types_select(types, both[1], &bytes, &n, NULL);
}

static void without_memory_that_is_told(void **state)
{
        static const char *const names[] = {"task"};
        struct btf *both[] = {make_kernel(), make_names(names, 1)};

        (void)state;
        fault_walk(FAULT_ALLOCATION, false, read_and_select, both);
        btf__free(both[0]);
        btf__free(both[1]);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_type_is_found_by_name_and_kind),
                cmocka_unit_test(a_structure_is_known_by_its_typedef),
                cmocka_unit_test(a_selected_type_is_as_the_kernel_has_it),
                cmocka_unit_test(what_a_pointer_leads_to_is_left_out),
                cmocka_unit_test(what_nobody_names_is_left_out),
                cmocka_unit_test(enumerations_keep_their_values),
                cmocka_unit_test(a_flavor_is_no_part_of_a_name),
                cmocka_unit_test(all_types_of_a_name_are_selected),
                cmocka_unit_test(a_piece_of_it_is_refused),
                cmocka_unit_test(damage_is_borne),
                cmocka_unit_test(without_memory_that_is_told),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
