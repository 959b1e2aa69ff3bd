/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fentry_attach OBJECT: loads and attaches the programs of fentry.bpf.o, removes a file and prints whether both saw it,
 * as TAP.  Shows that this kernel has BPF trampolines; knows nothing of croft.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void claim(int number, int holds, const char *sentence)
{
        printf("%s %d - %s\n", holds ? "ok" : "not ok", number, sentence);
}

static struct bpf_object *load(const char *path)
{
        struct bpf_object *object = bpf_object__open_file(path, NULL);

        return object && bpf_object__load(object) == 0 ? object : NULL;
}

static int attach_all(struct bpf_object *object)
{
        struct bpf_program *program = NULL;

        while ((program = bpf_object__next_program(object, program)))
                if (!bpf_program__attach(program))
                        return 0;
        return 1;
}

static void remove_a_file(void)
{
        char path[] = "/tmp/fentry.XXXXXX";
        int fd = mkstemp(path);

        if (fd < 0 || unlink(path) < 0)
                perror(path);
        close(fd);
}

int main(int argc, char **argv)
{
        struct bpf_object *object = argc == 2 ? load(argv[1]) : NULL;
        uint64_t calls[2] = {0, 0};
        uint32_t zero = 0;
        int map;

        puts("1..4");
        claim(1, object != NULL, "the kernel takes fentry and LSM programs");
        if (!object)
                return 1;
        claim(2, attach_all(object), "they can be attached");
        remove_a_file();
        map = bpf_object__find_map_fd_by_name(object, ".bss");
        if (bpf_map_lookup_elem(map, &zero, calls) < 0)
                perror(".bss");
        claim(3, calls[0] > 0, "the fentry program ran");
        claim(4, calls[1] > 0, "the LSM program ran");
        return calls[0] == 0 || calls[1] == 0;
}
