/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * image_tool.c - drives the image store without a daemon, for tests:
 *
 *   image-tool STATE WORKER native [HOST-ROOT [THREADS]] | list | show NAME | remove NAME | prune [ID-IN-USE] |
 *              import NAME PATH [MAX-BYTES MAX-ENTRIES] | build NAME SUITE [VARIANT [INCLUDE [MIRROR]]] | shares |
 *              bench-native N
 *
 * Exit status as the commands of croft.
 */
#include "base/cleanup.h"
#include "image/image.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void say(void *context, const char *text)
{
        (void)context;
        fprintf(stderr, "... %s\n", text);
}

static void print_info(const struct image_info *info)
{
        printf("%s\t%s\t%s\t%s\t%s\t%llu\n", info->id, info->name[0] ? info->name : "-",
                info->native ? "native" : "image", info->os, info->source, (unsigned long long)info->size_bytes);
}

struct job {
        struct image_store *store;
        int host;
        struct image_info info;
        struct croft_error err;
        int r;
};

static void *run_native(void *arg)
{
        struct job *job = arg;

        job->r = image_native_from(job->store, job->host, say, NULL, &job->info, &job->err);
        return NULL;
}

static int do_native(struct image_store *store, int argc, char **argv, struct croft_error *err)
{
        struct job jobs[16] = {0};
        pthread_t threads[16];
        _cleanup_close_ int host = open(argc > 0 ? argv[0] : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        int n = argc > 1 ? atoi(argv[1]) : 1;

        if (host < 0)
                return croft_error_set(err, errno, "open '%s'", argc > 0 ? argv[0] : "/");
        n = n < 1 || n > 16 ? 1 : n;
        for (int i = 0; i < n; i++) {
                jobs[i] = (struct job){.store = store, .host = host};
                if (pthread_create(&threads[i], NULL, run_native, &jobs[i]) != 0)
                        abort();
        }
        for (int i = 0; i < n; i++)
                pthread_join(threads[i], NULL);
        for (int i = 0; i < n; i++) {
                if (jobs[i].r < 0)
                        return croft_error_copy(err, &jobs[i].err);
                print_info(&jobs[i].info);
        }
        return 0;
}

static int do_bench(struct image_store *store, int argc, char **argv, struct croft_error *err)
{
        struct timespec a, b;
        struct image_info info;
        int n = argc > 0 ? atoi(argv[0]) : 1000, r = image_native(store, NULL, NULL, &info, err);

        clock_gettime(CLOCK_MONOTONIC, &a);
        for (int i = 0; r == 0 && i < n; i++)
                r = image_native(store, NULL, NULL, &info, err);
        clock_gettime(CLOCK_MONOTONIC, &b);
        printf("%.1f us a look-up\n",
                ((double)(b.tv_sec - a.tv_sec) * 1e9 + (double)(b.tv_nsec - a.tv_nsec)) / 1e3 / n);
        return r;
}

static int do_list(struct image_store *store, int argc, char **argv, struct croft_error *err)
{
        _cleanup_free_ struct image_info *list = NULL;
        size_t n = 0;
        int r = image_list(store, &list, &n, err);

        (void)argc, (void)argv;
        for (size_t i = 0; r == 0 && i < n; i++)
                print_info(&list[i]);
        return r;
}

static int do_show(struct image_store *store, int argc, char **argv, struct croft_error *err)
{
        struct image_info info;
        int r = argc < 1 ? croft_error_set(err, EINVAL, "show what?.") : image_find(store, argv[0], &info, err);

        if (r == 0)
                print_info(&info);
        return r;
}

static int do_import(struct image_store *store, int argc, char **argv, struct croft_error *err)
{
        struct image_info info;
        int r;

        if (argc < 2)
                return croft_error_set(err, EINVAL, "import what?.");
        if (argc > 3) {
                struct image_limits limits = {strtoull(argv[2], NULL, 10), strtoull(argv[3], NULL, 10)};

                image_store_set_limits(store, &limits);
        }
        r = image_import(store, argv[0], argv[1], say, NULL, &info, err);
        if (r == 0)
                print_info(&info);
        return r;
}

static int do_build(struct image_store *store, int argc, char **argv, struct croft_error *err)
{
        struct image_build what = {.name = argc > 0 ? argv[0] : "",
                .suite = argc > 1 ? argv[1] : NULL,
                .variant = argc > 2 ? argv[2] : NULL,
                .include = argc > 3 ? argv[3] : NULL,
                .mirror = argc > 4 ? argv[4] : NULL};
        struct image_info info;
        int r = image_build(store, &what, say, NULL, &info, err);

        if (r == 0)
                print_info(&info);
        return r;
}

static bool is_used(void *context, const char *id)
{
        return context && strcmp(context, id) == 0;
}

static int do_remove(struct image_store *store, int argc, char **argv, struct croft_error *err)
{
        if (argc < 1)
                return croft_error_set(err, EINVAL, "remove what?.");
        return image_remove(store, argv[0], is_used, argc > 1 ? argv[1] : NULL, err);
}

static int do_prune(struct image_store *store, int argc, char **argv, struct croft_error *err)
{
        struct image_info info;
        int r = image_native(store, NULL, NULL, &info, err);

        return r < 0 ? r : image_prune(store, is_used, argc > 0 ? argv[0] : NULL, err);
}

static int do_shares(struct image_store *store, int argc, char **argv, struct croft_error *err)
{
        (void)store, (void)argc, (void)argv, (void)err;
        for (char *const *share = image_native_shares(); *share; share++)
                puts(*share);
        return 0;
}

static const struct {
        const char *name;
        int (*run)(struct image_store *store, int argc, char **argv, struct croft_error *err);
} commands[] = {
        {"native", do_native},
        {"bench-native", do_bench},
        {"list", do_list},
        {"show", do_show},
        {"remove", do_remove},
        {"prune", do_prune},
        {"import", do_import},
        {"build", do_build},
        {"shares", do_shares},
};

static int run(int argc, char **argv, struct croft_error *err)
{
        _cleanup_(image_store_freep) struct image_store *store = NULL;
        _cleanup_close_ int state = -EBADF;
        int r;

        if (argc < 4)
                return croft_error_set(err, EINVAL, "usage: image-tool STATE WORKER COMMAND [ARGUMENT]....");
        state = open(argv[1], O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (state < 0)
                return croft_error_set(err, errno, "open '%s'", argv[1]);
        r = image_store_open(state, argv[2], &store, err);
        if (r < 0)
                return r;
        for (size_t i = 0; i < ELEMENTS(commands); i++)
                if (strcmp(commands[i].name, argv[3]) == 0)
                        return commands[i].run(store, argc - 4, argv + 4, err);
        return croft_error_set(err, EINVAL, "no command '%s'.", argv[3]);
}

int main(int argc, char **argv)
{
        struct croft_error err = CROFT_ERROR_INIT;
        char line[CROFT_ERROR_TEXT_MAX];
        int r = run(argc, argv, &err);

        if (r < 0)
                fprintf(stderr, "image-tool: %s\n", croft_error_line(&err, line, sizeof(line)));
        return r < 0 ? (int)croft_error_exit(&err) : 0;
}
