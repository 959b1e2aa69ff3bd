/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * object.c - see object.h.
 *
 * What libbpf says of a failure it prints; the end of that is kept.  One process looks at one object, in one thread.
 */
#include "kext/object.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "kext/bpf.h"

#include <bpf/libbpf.h>
#include <elf.h>
#include <stdio.h>
#include <string.h>

static char said[256];
static bool has_log; /* what comes after the log of the verifier only says that there was one */

static const char *reason(void)
{
        return said[0] ? said : "no reason is given";
}

/* The last line that says something: a log of the verifier ends with figures. */
static void keep_end_of(const char *text)
{
        for (const char *at = text; *at;) {
                size_t n = strcspn(at, "\n");
                bool says = n > 0 && strncmp(at, "--", 2) != 0 && strncmp(at, "processed ", 10) != 0;

                if (says)
                        (void)snprintf(said, sizeof(said), "%.*s", (int)(n < sizeof(said) ? n : sizeof(said) - 1), at);
                at += n + (at[n] == '\n');
        }
}

static int hear(enum libbpf_print_level level, const char *format, va_list ap)
{
        _cleanup_free_ char *text = NULL;
        char *log;

        if (level != LIBBPF_WARN || has_log || vasprintf(&text, format, ap) < 0)
                return 0;
        log = strstr(text, "-- BEGIN PROG LOAD LOG --\n");
        has_log = log != NULL;
        if (log)
                keep_end_of(log);
        else if (!said[0] && !strstr(text, "Retrying")) /* the first is what it is about, once it is given up */
                keep_end_of(strncmp(text, "libbpf: ", 8) == 0 ? text + 8 : text);
        return 0;
}

bool object_is_bpf(const void *data, size_t size)
{
        const unsigned char *head = data;

        return size >= sizeof(Elf64_Ehdr) && memcmp(head, ELFMAG, SELFMAG) == 0 &&
               ((head[18] == EM_BPF && head[19] == 0) || (head[18] == 0 && head[19] == EM_BPF));
}

static int check_program(const struct bpf_program *program, struct croft_error *err)
{
        const char *name = bpf_program__name(program), *section = bpf_program__section_name(program);

        if (strcmp(section, "cgroup/skb") == 0)
                return croft_error_set(err, ENOEXEC,
                        "its program '%s' doesn't say which way: its section is cgroup_skb/ingress or /egress.", name);
        if (!bpf_is_taken((uint32_t)bpf_program__type(program), (uint32_t)bpf_program__expected_attach_type(program)))
                return croft_error_set(err, ENOEXEC,
                        "its program '%s', section '%s', isn't one for a control group that is taken.", name, section);
        return 0;
}

static int check_map(const struct bpf_map *map, struct croft_error *err)
{
        if (bpf_map__type(map) == BPF_MAP_TYPE_STRUCT_OPS)
                return croft_error_set(err, ENOEXEC, "'%s' would be operations of the kernel for all (struct_ops).",
                        bpf_map__name(map));
        if (bpf_map__pin_path(map))
                return croft_error_set(err, ENOEXEC, "its map '%s' is to be pinned: a partition's maps are its own.",
                        bpf_map__name(map));
        return 0;
}

static int check(struct bpf_object *object, struct croft_error *err)
{
        struct bpf_program *program;
        struct bpf_map *map;
        size_t n = 0;
        int r = 0;

        bpf_object__for_each_map(map, object)
        {
                if (r == 0)
                        r = check_map(map, err);
        }
        bpf_object__for_each_program(program, object)
        {
                if (r == 0 && bpf_program__autoload(program))
                        r = check_program(program, err);
                n += bpf_program__autoload(program);
        }
        if (r < 0)
                return r;
        if (n == 0)
                return croft_error_set(err, ENOEXEC, "it is a BPF object without a program.");
        if (n > BPF_PROGRAMS_MAX)
                return croft_error_set(err, ENOEXEC, "it has more than %d programs.", BPF_PROGRAMS_MAX);
        return 0;
}

int object_open(const void *data, size_t size, const char *name, struct bpf_object **ret, struct croft_error *err)
{
        /* A type that the kernel hasn't got isn't looked for in its modules, which wants rights that no object is
         * verified with: an object that asks whether it is there is told. */
        LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = name, .btf_custom_path = "/sys/kernel/btf/vmlinux");
        int r = object_check_types(data, size, err);
        struct bpf_object *object;

        if (r < 0)
                return r;
        said[0] = '\0';
        has_log = false;
        (void)libbpf_set_print(hear);
        object = bpf_object__open_mem(data, size, &options);
        if (!object)
                return croft_error_set(err, ENOEXEC, "it is no BPF object that can be read: %s.", reason());
        r = check(object, err);
        if (r < 0) {
                bpf_object__close(object);
                return r;
        }
        *ret = object;
        return 0;
}

int object_load(struct bpf_object *object, struct croft_error *err)
{
        int r;

        said[0] = '\0';
        r = bpf_object__load(object);
        return r < 0 ? croft_error_set(
                               err, r == -ENOMEM ? ENOMEM : ENOEXEC, "the kernel doesn't take it: %s.", reason())
                     : 0;
}

int object_each(struct bpf_object *object, object_program each, void *context)
{
        struct bpf_program *program;
        int r = 0;

        bpf_object__for_each_program(program, object)
        {
                unsigned int attach = (unsigned int)bpf_program__expected_attach_type(program);

                if (r == 0 && bpf_program__autoload(program))
                        r = each(context, bpf_program__fd(program), attach);
        }
        return r;
}
