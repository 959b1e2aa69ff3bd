/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cli.h - what the commands of croft share: the table of commands and options, the arguments at hand, requests, and how
 * things are said.
 *
 * The command line knows croftd by include/croft alone.  A command returns its exit status (C-13); who finds a failure
 * says it, once.
 */
#ifndef CROFT_CLI_CLI_H
#define CROFT_CLI_CLI_H

#include <croft/croft.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define ELEMENTS(a) (sizeof(a) / sizeof((a)[0]))
#define _cleanup_(f) __attribute__((cleanup(f)))
#define _cleanup_free_ _cleanup_(cli_freep)
#define _cleanup_json_ _cleanup_(cli_json_decrefp)
#define _cleanup_close_ _cleanup_(cli_closep)

void cli_freep(void *p);
void cli_json_decrefp(json_t **j);
void cli_closep(int *fd);

#define CLI_ANY 0x7fffffffU /* words without bound */

enum cli_format { FORMAT_TABLE, FORMAT_JSON, FORMAT_CSV, FORMAT_YAML, FORMAT_XML };

/* One option.  The table of a command ends with name NULL. */
struct cli_option {
        const char *name;     /* "timeout": --timeout */
        char letter;          /* 't': -t; 0: none */
        const char *argument; /* "SECONDS"; NULL: a flag */
        const char *help;
        bool repeated;
};

struct cli;
struct cli_args;

struct cli_command {
        const char *name;
        const char *alias; /* NULL: none */
        const char *usage; /* what follows the name */
        const char *summary;
        const char *help; /* further lines, NULL: none */
        const struct cli_option *options;
        unsigned int min_words, max_words; /* words besides options */
        bool rest;                         /* the word after min_words begins a command of its own */
        int (*run)(struct cli *cli, const struct cli_args *args);
        const struct cli_command *children;                 /* "image list"; ends with name NULL */
        const char *group;                                  /* "image"; NULL: a command of the first rank */
        int (*raw)(struct cli *cli, int argc, char **argv); /* instead of run: parses its arguments itself */
        bool xml;                                           /* what it prints has an XML form, too */
};

extern const struct cli_command cli_commands[]; /* ends with name NULL */
extern const struct cli_option cli_global_options[];

/* Arguments of a command as parsed; all borrowed from argv but the arrays. */
struct cli_args {
        const struct cli_command *command;
        struct cli_value {
                const struct cli_option *option;
                const char *value; /* NULL: a flag */
        } * values;
        size_t n_values;
        const char **words;
        size_t n_words;
        const char **rest; /* after "--", NULL-ended; NULL: there was none */
        size_t n_rest;
};

struct cli {
        const char *socket; /* --socket */
        enum cli_format format;
        bool format_given, quiet, verbose, no_header;
        bool color;    /* standard output takes colours */
        bool terminal; /* standard output is a terminal: escape what it could take for a command */
        struct croft_client *client;
};

/* args.c.  Parses argv[0..argc) for command; global options are taken into *cli.  0 or an exit status, the reason said.
 */
int cli_args_parse(struct cli *cli, const struct cli_command *command, int argc, char **argv, struct cli_args *ret);
void cli_args_done(struct cli_args *args);
bool cli_has(const struct cli_args *args, const char *name);
const char *cli_value(const struct cli_args *args, const char *name); /* the last one; NULL: not given */
/* The next value of a repeated option; *at begins with 0.  NULL: no more. */
const char *cli_next(const struct cli_args *args, const char *name, size_t *at);
/* "5" or "1.5" seconds, above 0. */
bool cli_parse_seconds(const char *text, unsigned int *ret_ms);
/* Finds a name in a table of commands; the alias counts. */
const struct cli_command *cli_find(const struct cli_command *table, const char *name);
const char *cli_full_name(const struct cli_command *command, char *buf, size_t size); /* "image build" */

/* say.c.  One line each on standard error, escaped. */
void cli_say(const struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));
int cli_usage(const struct cli_command *command, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Says the chain of *err, behind what was being done ("start 'web'", NULL: nothing).  Returns the exit status. */
int cli_fail(const struct cli *cli, const struct croft_error *err, const char *what);

/* request.c.  path is built of segments that are escaped here, NULL-ended; query may be NULL. */
char *cli_path(const char *query, const char *segment, ...) __attribute__((sentinel));
/* -EINVAL: a segment is empty, as an argument was whose variable isn't set; -ENOMEM: there is no path. */
int cli_path_check(const char *path, struct croft_error *err);
/* body is borrowed and may be NULL; *ret (NULL: not wanted) is a new reference.  what: as for cli_fail(), and for the
 * line of progress.  0 or an exit status, the reason said. */
int cli_request(
        struct cli *cli, const char *method, const char *path, const json_t *body, const char *what, json_t **ret);
int cli_connect(struct cli *cli); /* makes cli->client; 0 or an exit status */
/* Calls one for each word of args from the first on; all are tried, the status is that of the first failure. */
int cli_each(struct cli *cli, const struct cli_args *args,
        int (*one)(struct cli *cli, const struct cli_args *args, const char *name));
/* "KEY=VALUE" options named `option` into object. 0 or an exit status. */
int cli_pairs(const struct cli_args *args, const char *option, json_t *object);

/* keys.c.  The properties that a partition has; ends with key NULL. */
struct cli_key {
        const char *key;
        bool live;
        const char *help;
};
extern const struct cli_key cli_keys[];
/* Hints at keys of object that are none, after croftd refused it. */
void cli_hint_keys(const struct cli *cli, const json_t *object);

/* The commands. */
int cli_cmd_create(struct cli *cli, const struct cli_args *args);
int cli_cmd_set(struct cli *cli, const struct cli_args *args);
int cli_cmd_start(struct cli *cli, const struct cli_args *args);
int cli_cmd_load(struct cli *cli, const struct cli_args *args);
int cli_cmd_freeze(struct cli *cli, const struct cli_args *args);
int cli_cmd_thaw(struct cli *cli, const struct cli_args *args);
int cli_cmd_stop(struct cli *cli, const struct cli_args *args);
int cli_cmd_restart(struct cli *cli, const struct cli_args *args);
int cli_cmd_kill(struct cli *cli, const struct cli_args *args);
int cli_cmd_remove(struct cli *cli, const struct cli_args *args);
int cli_cmd_rename(struct cli *cli, const struct cli_args *args);
int cli_cmd_list(struct cli *cli, const struct cli_args *args);
int cli_cmd_show(struct cli *cli, const struct cli_args *args);
int cli_cmd_log(struct cli *cli, const struct cli_args *args);
int cli_cmd_exec(struct cli *cli, const struct cli_args *args);
int cli_cmd_console(struct cli *cli, const struct cli_args *args);
int cli_cmd_image_build(struct cli *cli, const struct cli_args *args);
int cli_cmd_image_import(struct cli *cli, const struct cli_args *args);
int cli_cmd_image_list(struct cli *cli, const struct cli_args *args);
int cli_cmd_image_show(struct cli *cli, const struct cli_args *args);
int cli_cmd_image_remove(struct cli *cli, const struct cli_args *args);
int cli_cmd_devid_alloc(struct cli *cli, const struct cli_args *args);
int cli_cmd_devid_assign(struct cli *cli, const struct cli_args *args);
int cli_cmd_devid_release(struct cli *cli, const struct cli_args *args);
int cli_cmd_devid_show(struct cli *cli, const struct cli_args *args);
int cli_cmd_devid_list(struct cli *cli, const struct cli_args *args);
int cli_cmd_kext_register(struct cli *cli, const struct cli_args *args);
int cli_cmd_kext_load(struct cli *cli, const struct cli_args *args);
int cli_cmd_kext_unload(struct cli *cli, const struct cli_args *args);
/* cmd_loaded.c, for cmd_kext.c: list --holders; the words from the third on, as parameters; "KEY=VALUE" of a query. */
int cli_kext_holders(struct cli *cli, const struct cli_args *args);
char *cli_kext_parameters(const struct cli_args *args);
char *cli_query(const char *key, const char *value);
int cli_cmd_kext_id(struct cli *cli, const struct cli_args *args);
int cli_cmd_kext_list(struct cli *cli, const struct cli_args *args);
int cli_cmd_kext_show(struct cli *cli, const struct cli_args *args);
int cli_cmd_kext_grant(struct cli *cli, const struct cli_args *args);
int cli_cmd_kext_ungrant(struct cli *cli, const struct cli_args *args);
int cli_cmd_kext_check(struct cli *cli, const struct cli_args *args);
int cli_cmd_kext_sync(struct cli *cli, const struct cli_args *args);
int cli_cmd_kext_provide(struct cli *cli, const struct cli_args *args);
int cli_cmd_kext_scan(struct cli *cli, const struct cli_args *args);
int cli_cmd_kext_revoke(struct cli *cli, const struct cli_args *args);
int cli_cmd_kext_supersede(struct cli *cli, const struct cli_args *args);
int cli_cmd_device_add(struct cli *cli, const struct cli_args *args);
int cli_cmd_device_remove(struct cli *cli, const struct cli_args *args);
int cli_cmd_device_list(struct cli *cli, const struct cli_args *args);
int cli_cmd_pool_create(struct cli *cli, const struct cli_args *args);
int cli_cmd_pool_set(struct cli *cli, const struct cli_args *args);
int cli_cmd_pool_bind(struct cli *cli, const struct cli_args *args);
int cli_cmd_pool_list(struct cli *cli, const struct cli_args *args);
int cli_cmd_pool_show(struct cli *cli, const struct cli_args *args);
int cli_cmd_pool_remove(struct cli *cli, const struct cli_args *args);
int cli_cmd_error_print(struct cli *cli, const struct cli_args *args);
int cli_cmd_error_attend(struct cli *cli, const struct cli_args *args);
int cli_cmd_error_list(struct cli *cli, const struct cli_args *args);
int cli_cmd_error_clear(struct cli *cli, const struct cli_args *args);
int cli_cmd_check(struct cli *cli, const struct cli_args *args);
int cli_cmd_top(struct cli *cli, const struct cli_args *args);
int cli_cmd_events(struct cli *cli, const struct cli_args *args);
int cli_cmd_fsstat(struct cli *cli, const struct cli_args *args);
int cli_cmd_kstat(struct cli *cli, int argc, char **argv);
int cli_cmd_help(struct cli *cli, const struct cli_args *args);
int cli_cmd_version(struct cli *cli, const struct cli_args *args);
/* cmd_kstat.c.  kstat(8) under that name, argv[0] passed over; verbs: as struct kstatcmd.  Its exit status. */
int cli_kstat(struct cli *cli, const char *name, bool verbs, int argc, char **argv);
/* Prints the help of one command, or of all for NULL. */
void cli_help(const struct cli *cli, const struct cli_command *command);

#endif
