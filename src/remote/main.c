/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * main.c - croft-remote(8): a line to croft on another machine by TLS, for those who don't use ssh(1).  Options only.
 */
#include "base/cleanup.h"
#include "base/log.h"
#include "base/str.h"
#include "remote/remote.h"

#include <getopt.h>
#include <string.h>

#define PLACE "/etc/croft/remote/"

static const char usage[] =
        "Usage: croft-remote connect [OPTION]... HOST[:PORT] COMMAND...\n"
        "       croft-remote serve --listen ADDRESS[:PORT] [OPTION]...\n"
        "A line to croft on another machine, by TLS 1.3 with a certificate on each side.\n"
        "\n"
        "  --cert FILE        this machine's certificate, and what leads to its authority (" PLACE "cert.pem)\n"
        "  --key FILE         its key, readable by its owner alone (" PLACE "key.pem)\n"
        "  --ca FILE          the authorities that other machines have their certificates of (" PLACE "ca.pem)\n"
        "  --help, --version\n"
        "\n"
        "connect runs a command there; HOST is what the certificate there is for.\n"
        "  --address ADDRESS  connect there instead of where HOST leads\n"
        "\n"
        "serve lets other machines read the errors of partitions, and nothing else.\n"
        "  --listen ADDRESS[:PORT]\n"
        "                     where; [::] is everywhere (port " NAMES_PORT ")\n"
        "  --allow NAME       a machine that may connect (repeatable)\n"
        "  --allow-file FILE  without --allow: a file with a name a line (" PLACE "allow)\n"
        "  --socket PATH      of the croftd that is asked (/run/croft/croft.sock)\n"
        "  --log-level LEVEL  error, warning, notice, info or debug (notice)\n";

struct options {
        struct tls_files files;
        const char *listen, *address, *allow_file, *socket;
        char **allow;
        enum log_level level;
        bool exit;
};

static const struct option table[] = {{"cert", required_argument, NULL, 'c'}, {"key", required_argument, NULL, 'k'},
        {"ca", required_argument, NULL, 'C'}, {"address", required_argument, NULL, 'a'},
        {"listen", required_argument, NULL, 'l'}, {"allow", required_argument, NULL, 'n'},
        {"allow-file", required_argument, NULL, 'f'}, {"socket", required_argument, NULL, 's'},
        {"log-level", required_argument, NULL, 'L'}, {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'v'}, {NULL, 0, NULL, 0}};

static int parse_level(const char *text, enum log_level *ret, struct croft_error *err)
{
        static const char *const names[] = {[LOG_LEVEL_ERROR] = "error",
                [LOG_LEVEL_WARNING] = "warning",
                [LOG_LEVEL_NOTICE] = "notice",
                [LOG_LEVEL_INFO] = "info",
                [LOG_LEVEL_DEBUG] = "debug"};

        for (size_t i = 0; i < ELEMENTS(names); i++)
                if (names[i] && strcmp(names[i], text) == 0) {
                        *ret = (enum log_level)i;
                        return 0;
                }
        return croft_error_set(err, EINVAL, "'%s' is no level; see croft-remote --help.", text);
}

static int add_name(const char *name, char ***names, struct croft_error *err)
{
        if (!names_is_host(name))
                return croft_error_set(err, EINVAL, "'%s' is no name or address of a machine.", name);
        return strv_append(names, name) < 0 ? croft_error_set(err, ENOMEM, "take the options") : 0;
}

static int print(const char *text, bool *ret_exit)
{
        (void)fputs(text, stdout);
        *ret_exit = true;
        return 0;
}

static int take_option(int letter, const char *value, struct options *o, struct croft_error *err)
{
        const struct {
                int letter;
                const char **place;
        } texts[] = {{'c', &o->files.cert}, {'k', &o->files.key}, {'C', &o->files.ca}, {'a', &o->address},
                {'l', &o->listen}, {'f', &o->allow_file}, {'s', &o->socket}};

        for (size_t i = 0; i < ELEMENTS(texts); i++)
                if (texts[i].letter == letter) {
                        *texts[i].place = value;
                        return 0;
                }
        switch (letter) {
        case 'n':
                return add_name(value, &o->allow, err);
        case 'L':
                return parse_level(value, &o->level, err);
        case 'h':
                return print(usage, &o->exit);
        case 'v':
                return print("croft-remote " CROFT_VERSION "\n", &o->exit);
        default: /* getopt has said what is wrong */
                return croft_error_set(err, EINVAL, "see croft-remote --help.");
        }
}

static int parse(int argc, char **argv, struct options *ret, struct croft_error *err)
{
        int letter, r = 0;

        *ret = (struct options){.files = {.cert = PLACE "cert.pem", .key = PLACE "key.pem", .ca = PLACE "ca.pem"},
                .allow_file = PLACE "allow",
                .level = LOG_LEVEL_NOTICE};
        while (r == 0 && !ret->exit && (letter = getopt_long(argc, argv, "+", table, NULL)) >= 0)
                r = take_option(letter, optarg, ret, err);
        return r;
}

static int run_connect(struct options *o, char **words, int *ret_status, struct croft_error *err)
{
        struct connect_options c = {.files = o->files, .address = o->address};
        int r;

        if (o->listen || o->allow || o->socket)
                return croft_error_set(err, EINVAL, "--listen, --allow and --socket are for serve.");
        if (!words[0] || !words[1])
                return croft_error_set(err, EINVAL, "connect wants a machine and a command.");
        r = names_parse_place(words[0], &c.place, err);
        if (r == 0 && o->address && !names_is_host(o->address))
                r = croft_error_set(err, EINVAL, "'%s' is no name or address of a machine.", o->address);
        if (r < 0)
                return r;
        c.words = words + 1;
        *ret_status = connect_run(&c);
        return 0;
}

static int run_serve(struct options *o, char **words, int *ret_status, struct croft_error *err)
{
        struct serve_options s = {
                .files = o->files, .allow = o->allow, .allow_file = o->allow_file, .socket = o->socket};
        int r;

        if (o->address || words[0])
                return croft_error_set(err, EINVAL, "serve takes no machine and no --address.");
        if (!o->listen)
                return croft_error_set(err, EINVAL, "serve wants --listen: at which address?");
        r = names_parse_place(o->listen, &s.listen, err);
        if (r < 0)
                return r;
        *ret_status = serve_run(&s);
        return 0;
}

int main(int argc, char **argv)
{
        struct croft_error err = CROFT_ERROR_INIT;
        const char *verb = argc > 1 ? argv[1] : "";
        bool connects = strcmp(verb, "connect") == 0, serves = strcmp(verb, "serve") == 0;
        int skip = connects || serves ? 1 : 0, status = 0, r;
        struct options o;

        log_open("croft-remote", LOG_LEVEL_NOTICE);
        if (skip)
                argv[1] = argv[0]; /* who complains about an option */
        r = parse(argc - skip, argv + skip, &o, &err);
        log_open("croft-remote", o.level);
        if (r == 0 && !o.exit) {
                char **words = argv + skip + optind;

                if (connects)
                        r = run_connect(&o, words, &status, &err);
                else if (serves)
                        r = run_serve(&o, words, &status, &err);
                else
                        r = croft_error_set(&err, EINVAL, "connect or serve? See croft-remote --help.");
        }
        strv_free(o.allow);
        if (r < 0) {
                log_error(LOG_LEVEL_ERROR, &err, "%s", connects || serves ? verb : "start");
                return connects ? REMOTE_LINE_TROUBLE : CROFT_EXIT_USAGE;
        }
        return fflush(stdout) == 0 ? status : CROFT_EXIT_FAILURE;
}
