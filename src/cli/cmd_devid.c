/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cmd_devid.c - croft devid: device numbers, from the table in the kernel.  croftd is asked only what partitions are
 * called.
 */
#include "cli.h"
#include "output.h"
#include "text.h"

#include <croft/devid.h>
#include <errno.h>
#include <string.h>

static void devid_close(struct croft_devid **devid)
{
        *devid = croft_devid_close(*devid);
}

/* The table beside the socket that this croft speaks to. */
static int open_table(const struct cli *cli, const char *what, struct croft_devid **ret)
{
        struct croft_error err = CROFT_ERROR_INIT;

        if (cli->socket && setenv("CROFT_SOCKET", cli->socket, 1) < 0)
                (void)croft_error_set(&err, ENOMEM, "open the table of device numbers");
        else if (croft_devid_open(NULL, ret, &err) == 0)
                return 0;
        return cli_fail(cli, &err, what);
}

/* The id of --partition; 0: global's, as without it.  ret_runs (NULL: not wanted): it has a /dev. */
static int find_partition(struct cli *cli, const struct cli_args *args, const char *what, uint64_t *ret, bool *ret_runs)
{
        const char *name = cli_value(args, "partition");
        _cleanup_free_ char *path = name ? cli_path(NULL, "partitions", name, NULL) : NULL;
        _cleanup_json_ json_t *partition = NULL;
        int r;

        *ret = 0;
        if (!name || strcmp(name, "global") == 0)
                return 0;
        r = cli_request(cli, "GET", path, NULL, what, &partition);
        if (r == 0)
                *ret = (uint64_t)json_integer_value(json_object_get(partition, "id"));
        if (r == 0 && ret_runs)
                *ret_runs = json_integer_value(json_object_get(partition, "pid")) > 0;
        return r;
}

/* A number that an option gives; *ret stays if it isn't there. */
static int parse_number(const struct cli_args *args, const char *option, uint32_t *ret)
{
        const char *text = cli_value(args, option);
        char *end = NULL;
        unsigned long n;

        if (!text)
                return 0;
        n = strtoul(text, &end, 10);
        if (*text < '0' || *text > '9' || *end || n >= CROFT_DEVID_ANY)
                return cli_usage(args->command, "--%s wants a number, not '%s'", option, text);
        *ret = (uint32_t)n;
        return 0;
}

/* --- what is printed --- */

static const char *name_of(const json_t *partitions, uint64_t id, char *buf, size_t size)
{
        const json_t *one;
        size_t i;

        if (id == 0)
                return "global";
        json_array_foreach (partitions, i, one)
                if ((uint64_t)json_integer_value(json_object_get(one, "id")) == id)
                        return json_string_value(json_object_get(one, "name"));
        (void)snprintf(buf, size, "%llu", (unsigned long long)id); /* it has gone, or croftd isn't there */
        return buf;
}

/* Its owner's word as well.  One that croftd hasn't made (yet) is told as "(NAME)". */
static json_t *node_json(const struct croft_devid_number *n)
{
        _cleanup_free_ char *name = text_escape(n->node, strlen(n->node), false);
        const bool there = n->node_state == CROFT_DEVID_NODE_THERE;

        return json_sprintf(there ? "%s" : "(%s)", name ? name : "");
}

static json_t *number_json(const struct croft_devid_number *n, const json_t *partitions)
{
        _cleanup_free_ char *instance = text_escape(n->instance, strlen(n->instance), false); /* its owner's word */
        char buf[32], device[32], type[2] = {(char)n->type, '\0'};
        json_t *object;

        if (n->minor == CROFT_DEVID_WHOLE)
                (void)snprintf(device, sizeof(device), "%u:*", n->major);
        else
                (void)snprintf(device, sizeof(device), "%u:%u", n->major, n->minor);
        object = json_pack("{s:s, s:s, s:s, s:I, s:s, s:s, s:I, s:s, s:f, s:I, s:I, s:I, s:I}", "partition",
                name_of(partitions, n->partition, buf, sizeof(buf)), "family", n->family, "instance",
                instance ? instance : "", "number", (json_int_t)n->number, "type", type, "device", device, "major",
                (json_int_t)n->major, "state", croft_devid_state_name(n->state), "age_seconds", (double)n->age_ns / 1e9,
                "pid", (json_int_t)n->pid, "first", (json_int_t)n->first, "count", (json_int_t)n->count, "within",
                (json_int_t)n->within);
        if (object && n->minor != CROFT_DEVID_WHOLE)
                (void)json_object_set_new(object, "minor", json_integer((json_int_t)n->minor));
        if (object && n->node[0])
                (void)json_object_set_new(object, "node", node_json(n));
        if (object && n->virtual_number != CROFT_DEVID_ANY)
                (void)json_object_set_new(object, "virtual", json_integer((json_int_t)n->virtual_number));
        return object;
}

/* Of the machine; an empty array where croftd doesn't answer: the table is there without it. */
static json_t *list_partitions(struct cli *cli)
{
        struct croft_error err = CROFT_ERROR_INIT;
        _cleanup_free_ char *answer = NULL;
        json_t *list = NULL;

        if (cli->client || croft_client_open(cli->socket, &cli->client, &err) == 0)
                if (croft_client_request(cli->client, "GET", "/v1/partitions", NULL, &answer, &err) == 0)
                        list = json_loads(answer, 0, NULL);
        return json_is_array(list) ? list : json_array();
}

static int print_one(struct cli *cli, const struct croft_devid_number *n)
{
        _cleanup_json_ json_t *partitions = list_partitions(cli), *array = json_array();

        (void)json_array_append_new(array, number_json(n, partitions));
        return output_objects(cli, stdout, array, true);
}

/* --- the commands --- */

#define NODE_TIMEOUT_MS 10000

/* Of a partition that runs: its node is there, or it is said why not.  Of one that doesn't it is made when it starts.
 */
static int see_to_node(struct croft_devid *devid, const char *wanted, bool runs, struct croft_devid_number *number,
        struct croft_error *err)
{
        int r;

        if (strcmp(number->node, wanted) != 0)
                return croft_error_set(err, EEXIST, "its node is '%s' already.", number->node);
        r = runs ? croft_devid_wait(devid, NODE_TIMEOUT_MS, number, err) : 0;
        if (r == 0 && number->node_state == CROFT_DEVID_NODE_REFUSED)
                r = croft_error_set(err, EIO, "node '%s' wasn't made: the record of errors says why.", wanted);
        return r;
}

int cli_cmd_devid_alloc(struct cli *cli, const struct cli_args *args)
{
        _cleanup_(devid_close) struct croft_devid *devid = NULL;
        struct croft_devid_request q = {.family = args->words[0],
                .instance = args->words[1],
                .preferred = CROFT_DEVID_ANY,
                .virtual_number = CROFT_DEVID_ANY,
                .node = cli_value(args, "node")};
        struct {
                const char *option;
                uint32_t *place;
        } numbers[] = {{"preferred", &q.preferred}, {"count", &q.count}, {"within", &q.within}, {"between", &q.between},
                {"virtual", &q.virtual_number}};
        struct croft_error err = CROFT_ERROR_INIT;
        struct croft_devid_number number;
        bool runs = false;
        char what[160];
        int r = 0;

        (void)snprintf(what, sizeof(what), "get a device number for '%s'", args->words[1]);
        for (size_t i = 0; r == 0 && i < ELEMENTS(numbers); i++)
                r = parse_number(args, numbers[i].option, numbers[i].place);
        if (r == 0)
                r = find_partition(cli, args, what, &q.partition, &runs);
        if (r == 0)
                r = open_table(cli, what, &devid);
        if (r != 0)
                return r;
        r = croft_devid_alloc(devid, &q, &number, &err);
        if (r == 0 && cli_has(args, "assign"))
                r = croft_devid_assign(devid, q.partition, q.family, q.instance, &number, &err);
        if (r == 0 && q.node)
                r = see_to_node(devid, q.node, runs, &number, &err);
        return r < 0 ? cli_fail(cli, &err, what) : print_one(cli, &number);
}

typedef int (*devid_function)(
        struct croft_devid *, uint64_t, const char *, const char *, struct croft_devid_number *, struct croft_error *);

static int about_one(struct cli *cli, const struct cli_args *args, const char *doing, devid_function f, bool show)
{
        _cleanup_(devid_close) struct croft_devid *devid = NULL;
        struct croft_error err = CROFT_ERROR_INIT;
        struct croft_devid_number number;
        uint64_t partition = 0;
        char what[160];
        int r;

        (void)snprintf(what, sizeof(what), "%s the device number of '%s'", doing, args->words[1]);
        r = find_partition(cli, args, what, &partition, NULL);
        if (r == 0)
                r = open_table(cli, what, &devid);
        if (r != 0)
                return r;
        if (f(devid, partition, args->words[0], args->words[1], &number, &err) < 0)
                return cli_fail(cli, &err, what);
        if (f == croft_devid_release && number.node[0])
                (void)croft_devid_wait(devid, NODE_TIMEOUT_MS, &number, NULL); /* it can't be opened any more */
        return show ? print_one(cli, &number) : 0;
}

int cli_cmd_devid_assign(struct cli *cli, const struct cli_args *args)
{
        return about_one(cli, args, "assign", croft_devid_assign, false);
}

int cli_cmd_devid_release(struct cli *cli, const struct cli_args *args)
{
        return about_one(cli, args, "release", croft_devid_release, false);
}

int cli_cmd_devid_show(struct cli *cli, const struct cli_args *args)
{
        return about_one(cli, args, "show", croft_devid_get, true);
}

int cli_cmd_devid_list(struct cli *cli, const struct cli_args *args)
{
        static const struct cli_column columns[] = {{"PARTITION", "partition", COLUMN_TEXT, true},
                {"FAMILY", "family", COLUMN_TEXT, true}, {"INSTANCE", "instance", COLUMN_TEXT, true},
                {"NUMBER", "number", COLUMN_NUMBER, true}, {"TYPE", "type", COLUMN_TEXT, true},
                {"DEVICE", "device", COLUMN_TEXT, true}, {"VIRTUAL", "virtual", COLUMN_NUMBER, false},
                {"STATE", "state", COLUMN_TEXT, true}, {"SINCE", "age_seconds", COLUMN_SECONDS, true},
                {"NODE", "node", COLUMN_TEXT, false}, {NULL}};
        _cleanup_(devid_close) struct croft_devid *devid = NULL;
        _cleanup_json_ json_t *partitions = NULL, *array = json_array();
        struct croft_devid_number *numbers = NULL;
        struct croft_error err = CROFT_ERROR_INIT;
        static const char what[] = "list device numbers";
        const bool given = cli_value(args, "partition") != NULL;
        uint64_t partition = 0;
        size_t n = 0;
        int r = find_partition(cli, args, what, &partition, NULL);

        if (r == 0)
                r = open_table(cli, what, &devid);
        if (r != 0)
                return r;
        if (croft_devid_list(devid, partition, &numbers, &n, &err) < 0)
                return cli_fail(cli, &err, what);
        partitions = list_partitions(cli);
        for (size_t i = 0; i < n; i++)
                if (!given || numbers[i].partition == partition) /* of global, which is 0, all were listed */
                        (void)json_array_append_new(array, number_json(&numbers[i], partitions));
        free(numbers);
        return output_list(cli, stdout, array, columns);
}
