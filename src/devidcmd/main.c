/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * main.c - croft-devid(1): asks for device numbers of the partition that it runs in.  Static, so that it runs on any
 * root.  In global there is `croft devid`.
 */
#include "base/fail.h"
#include "base/str.h"

#include <croft/devid.h>
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

struct options {
        struct croft_devid_request request;
        bool assign;
};

static void help(FILE *f)
{
        (void)fputs("croft-devid alloc [-a] [-p NUMBER] [-n COUNT] [-w WITHIN] [-b BETWEEN] [-v NUMBER] [-N NAME]\n"
                    "            FAMILY INSTANCE\n"
                    "croft-devid assign | release | show FAMILY INSTANCE\n"
                    "croft-devid list\n"
                    "\n"
                    "Device numbers that this partition has, and nobody else.  Prints, one line each:\n"
                    "INSTANCE FAMILY NUMBER TYPE MAJOR MINOR STATE\n"
                    "\n"
                    "  FAMILY      char or block (majors), c60 or b120 (the minors of a major),\n"
                    "              dm, zram, nbd or cuse (devices of these drivers)\n"
                    "  INSTANCE    a name for the device; asked again, it has the same number\n"
                    "  -a          they are in use at once, as by assign\n"
                    "  -p NUMBER   just that number, or the group from there on\n"
                    "  -n COUNT    so many numbers, all or none\n"
                    "  -w WITHIN   from one number of the group to the next (1)\n"
                    "  -b BETWEEN  the first one is a multiple of this (1)\n"
                    "  -v NUMBER   what the device is called here, for the list\n"
                    "  -N NAME     croftd makes the node /dev/NAME, of a group NAME0, NAME1 ... (for root)\n",
                f);
}

static void print(const struct croft_devid_number *n)
{
        char instance[4 * CROFT_DEVID_NAME];

        str_escape(instance, sizeof(instance), n->instance, strlen(n->instance));
        (void)printf("%s %s %u", instance, n->family, n->number);
        (void)printf(" %c %u ", (int)n->type, n->major);
        if (n->minor == CROFT_DEVID_WHOLE)
                (void)putchar('*');
        else
                (void)printf("%u", n->minor);
        (void)printf(" %s\n", croft_devid_state_name(n->state));
}

/* A number below CROFT_DEVID_ANY; false: none, and said. */
static bool take(char letter, uint32_t *ret)
{
        uint64_t n;

        if (!str_to_u64(optarg, CROFT_DEVID_ANY - 1, &n)) {
                (void)FAIL(CROFT_EXIT_USAGE, "-%c wants a number, not '%s'", letter, optarg);
                return false;
        }
        *ret = (uint32_t)n;
        return true;
}

static bool parse(int argc, char **argv, struct options *o)
{
        int letter;

        while ((letter = getopt(argc, argv, "ap:n:w:b:v:N:")) != -1) {
                uint32_t *places[] = {['p'] = &o->request.preferred,
                        ['n'] = &o->request.count,
                        ['w'] = &o->request.within,
                        ['b'] = &o->request.between,
                        ['v'] = &o->request.virtual_number};

                if (letter == 'a')
                        o->assign = true;
                else if (letter == 'N')
                        o->request.node = optarg;
                else if (letter == '?' || !take((char)letter, places[letter]))
                        return false;
        }
        return true;
}

static int list(struct croft_devid *devid, struct croft_error *err)
{
        struct croft_devid_number *numbers = NULL;
        size_t n = 0;
        int r = croft_devid_list(devid, 0, &numbers, &n, err);

        for (size_t i = 0; r == 0 && i < n; i++)
                print(&numbers[i]);
        free(numbers);
        return r;
}

#define NODE_TIMEOUT_MS 10000

/* It is there, or it is said why not. */
static int see_to_node(
        struct croft_devid *devid, const char *wanted, struct croft_devid_number *number, struct croft_error *err)
{
        int r;

        if (strcmp(number->node, wanted) != 0)
                return croft_error_set(err, EEXIST, "its node is '%s' already.", number->node);
        r = croft_devid_wait(devid, NODE_TIMEOUT_MS, number, err);
        if (r == 0 && number->node_state == CROFT_DEVID_NODE_REFUSED)
                r = croft_error_set(err, EIO, "node '%s' wasn't made: croft-error -l says why.", wanted);
        return r;
}

/* What somebody has put in its place stays. */
static bool is_node_of(const struct croft_devid_number *number, const char *path)
{
        struct stat st;

        return lstat(path, &st) == 0 && (number->type == 'b' ? S_ISBLK(st.st_mode) : S_ISCHR(st.st_mode)) &&
               major(st.st_rdev) == number->major;
}

/* The number drains until croftd has removed the node, which is seen by that. */
static void wait_for_node_to_go(const struct croft_devid_number *number)
{
        const struct timespec pause = {.tv_nsec = 2000000};
        char path[CROFT_DEVID_NAME + 32];

        if (number->count > 1) /* the last one goes last */
                (void)snprintf(path, sizeof(path), "/dev/%s%u", number->node, number->count - 1);
        else
                (void)snprintf(path, sizeof(path), "/dev/%s", number->node);
        for (int i = 0; i < NODE_TIMEOUT_MS / 2 && is_node_of(number, path); i++)
                (void)nanosleep(&pause, NULL);
}

static int alloc(struct croft_devid *devid, const struct options *o, struct croft_error *err)
{
        const struct croft_devid_request *q = &o->request;
        struct croft_devid_number number;
        int r = croft_devid_alloc(devid, q, &number, err);

        if (r == 0 && o->assign)
                r = croft_devid_assign(devid, 0, q->family, q->instance, &number, err);
        if (r == 0 && q->node)
                r = see_to_node(devid, q->node, &number, err);
        if (r == 0)
                print(&number);
        return r;
}

/* assign, release and show. */
static int (*find(const char *word))(
        struct croft_devid *, uint64_t, const char *, const char *, struct croft_devid_number *, struct croft_error *)
{
        if (strcmp(word, "assign") == 0)
                return croft_devid_assign;
        if (strcmp(word, "release") == 0)
                return croft_devid_release;
        return strcmp(word, "show") == 0 ? croft_devid_get : NULL;
}

static int run(const char *word, struct options *o, int words, char **argv, struct croft_error *err)
{
        struct croft_devid_number number;
        struct croft_devid *devid = NULL;
        int r = croft_devid_open(NULL, &devid, err);

        if (r < 0)
                return r;
        if (words == 2) {
                o->request.family = argv[0];
                o->request.instance = argv[1];
        }
        if (strcmp(word, "list") == 0) {
                r = list(devid, err);
        } else if (strcmp(word, "alloc") == 0) {
                r = alloc(devid, o, err);
        } else {
                r = find(word)(devid, 0, argv[0], argv[1], &number, err);
                if (r == 0 && strcmp(word, "show") == 0)
                        print(&number);
                if (r == 0 && strcmp(word, "release") == 0 && number.node_state == CROFT_DEVID_NODE_THERE)
                        wait_for_node_to_go(&number);
        }
        (void)croft_devid_close(devid);
        return r;
}

int main(int argc, char **argv)
{
        struct options o = {.request = {.preferred = CROFT_DEVID_ANY, .virtual_number = CROFT_DEVID_ANY}};
        struct croft_error err = CROFT_ERROR_INIT;
        const char *word = argc > 1 ? argv[1] : "";
        char line[CROFT_ERROR_TEXT_MAX];
        int wanted = strcmp(word, "list") == 0 ? 0 : 2;

        if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
                help(stdout);
                return 0;
        }
        if (strcmp(word, "alloc") != 0 && strcmp(word, "list") != 0 && !find(word))
                return FAIL(CROFT_EXIT_USAGE, "there are alloc, assign, release, show and list, not '%s'; see --help",
                        word);
        argv[1] = argv[0]; /* what getopt(3) calls the program */
        if (!parse(argc - 1, argv + 1, &o))
                return CROFT_EXIT_USAGE;
        argc -= 1 + optind;
        argv += 1 + optind;
        if (argc != wanted)
                return FAIL(CROFT_EXIT_USAGE, "'%s' wants %s", word, wanted ? "a family and an instance" : "no words");
        if (run(word, &o, argc, argv, &err) < 0)
                return FAIL((int)croft_error_exit(&err), "%s", croft_error_line(&err, line, sizeof(line)));
        return fflush(stdout) < 0 ? CROFT_EXIT_FAILURE : 0;
}
