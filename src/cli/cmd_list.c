/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cmd_list.c - list and show, of partitions, of images and of pools.
 */
#include "output.h"

#include <string.h>

static const struct cli_column partition_columns[] = {
        {"NAME", "name", COLUMN_TEXT, true},
        {"ID", "id", COLUMN_NUMBER, true},
        {"STATE", "state", COLUMN_STATE, true},
        {"ROOT", "root", COLUMN_TEXT, true},
        {"PID", "pid", COLUMN_NUMBER, true},
        {"UPTIME", "started", COLUMN_AGE, true},
        {"CPU", "usage.cpu_seconds", COLUMN_SECONDS, false},
        {"MEMORY", "usage.memory_bytes", COLUMN_BYTES, false},
        {"PROCESSES", "usage.processes", COLUMN_NUMBER, false},
        {"POOL", "pool", COLUMN_TEXT, false},
        {"OPERATION", "operation", COLUMN_TEXT, false},
        {"LAST ERROR", "last_error", COLUMN_TEXT, false},
        {NULL},
};

static const struct cli_column pool_columns[] = {
        {"NAME", "name", COLUMN_TEXT, true},
        {"CPUS", "cpus", COLUMN_TEXT, true},
        {"ONLINE", "online", COLUMN_TEXT, true},
        {"PARTITIONS", "partitions", COLUMN_TEXT, true},
        {NULL},
};

static const struct cli_column image_columns[] = {
        {"NAME", "name", COLUMN_TEXT, true},
        {"ID", "id", COLUMN_DIGEST, true},
        {"OS", "os", COLUMN_TEXT, true},
        {"SIZE", "size_bytes", COLUMN_BYTES, true},
        {"CREATED", "created", COLUMN_TEXT, true},
        {"SOURCE", "source", COLUMN_TEXT, true},
        {NULL},
};

/* Lists come as arrays; an object around one is understood, too. */
static json_t *array_of(json_t *value, const char *key)
{
        return json_is_array(value) ? value : json_object_get(value, key);
}

static int print(
        const struct cli *cli, const struct cli_args *args, const json_t *array, const struct cli_column *columns)
{
        const char *names = cli_value(args, "columns");
        _cleanup_free_ char *copy = names ? strdup(names) : NULL;
        struct cli_column *chosen = copy ? output_columns(array, copy, columns) : NULL;
        int r;

        if (names && !chosen) {
                (void)fprintf(stderr, "croft: no memory\n");
                return CROFT_EXIT_EXHAUSTED;
        }
        r = output_list(cli, stdout, array, chosen ? chosen : columns);
        output_columns_free(chosen);
        return r;
}

/* "state=active,frozen"; NULL: no such option. */
static char *state_query(const struct cli_args *args)
{
        const char *state = cli_value(args, "state");
        size_t need = state ? croft_path_escape(NULL, 0, state) + 1 : 0;
        _cleanup_free_ char *escaped = state ? malloc(need) : NULL;
        char *query = NULL;

        if (!escaped)
                return NULL;
        croft_path_escape(escaped, need, state);
        if (asprintf(&query, "state=%s", escaped) < 0)
                return NULL;
        return query;
}

/* Keeps the named ones; a name that isn't there is an error of its own. */
static int choose(const struct cli *cli, const struct cli_args *args, const json_t *all, json_t *chosen)
{
        int status = 0;

        for (size_t w = 0; w < args->n_words; w++) {
                bool found = false;

                for (size_t i = 0; i < json_array_size(all); i++) {
                        json_t *one = json_array_get(all, i);
                        const char *name = json_string_value(json_object_get(one, "name"));

                        if (!name || strcmp(name, args->words[w]) != 0)
                                continue;
                        found = true;
                        (void)json_array_append(chosen, one);
                }
                if (found || cli_value(args, "state"))
                        continue;
                cli_say(NULL, "croft: no partition '%s'", args->words[w]);
                status = CROFT_EXIT_NOT_FOUND;
        }
        (void)cli;
        return status;
}

int cli_cmd_list(struct cli *cli, const struct cli_args *args)
{
        _cleanup_free_ char *query = state_query(args), *path = cli_path(query, "partitions", NULL);
        _cleanup_json_ json_t *answer = NULL, *chosen = json_array();
        int status = cli_request(cli, "GET", path, NULL, "list", &answer), r;
        const json_t *array;

        if (status != 0)
                return status;
        array = array_of(answer, "partitions");
        if (args->n_words > 0) {
                status = choose(cli, args, array, chosen);
                array = chosen;
        }
        r = print(cli, args, array, partition_columns);
        return status ? status : r;
}

int cli_cmd_image_list(struct cli *cli, const struct cli_args *args)
{
        _cleanup_free_ char *path = cli_path(NULL, "images", NULL);
        _cleanup_json_ json_t *answer = NULL;
        int r = cli_request(cli, "GET", path, NULL, "list images", &answer);

        return r ? r : print(cli, args, array_of(answer, "images"), image_columns);
}

int cli_cmd_pool_list(struct cli *cli, const struct cli_args *args)
{
        _cleanup_free_ char *path = cli_path(NULL, "pools", NULL);
        _cleanup_json_ json_t *answer = NULL;
        int r = cli_request(cli, "GET", path, NULL, "list pools", &answer);

        return r ? r : print(cli, args, array_of(answer, "pools"), pool_columns);
}

static int show(struct cli *cli, const struct cli_args *args, const char *kind)
{
        _cleanup_json_ json_t *array = json_array();
        int status = 0, r;

        for (size_t i = 0; i < args->n_words; i++) {
                _cleanup_free_ char *path = cli_path(NULL, kind, args->words[i], NULL);
                json_t *object = NULL;
                char what[160];

                (void)snprintf(what, sizeof(what), "show '%s'", args->words[i]);
                r = cli_request(cli, "GET", path, NULL, what, &object);
                if (r == 0)
                        (void)json_array_append_new(array, object);
                if (status == 0)
                        status = r;
        }
        if (json_array_size(array) == 0)
                return status;
        r = output_objects(cli, stdout, array, args->n_words == 1);
        return status ? status : r;
}

int cli_cmd_show(struct cli *cli, const struct cli_args *args)
{
        return show(cli, args, "partitions");
}

int cli_cmd_image_show(struct cli *cli, const struct cli_args *args)
{
        return show(cli, args, "images");
}

int cli_cmd_kext_show(struct cli *cli, const struct cli_args *args)
{
        return show(cli, args, "extensions");
}

int cli_cmd_pool_show(struct cli *cli, const struct cli_args *args)
{
        return show(cli, args, "pools");
}
