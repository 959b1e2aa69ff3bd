/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cdi_yaml.c - YAML to the tree of JSON.  See cdi_yaml.h.
 *
 * libyaml says what stands in the file, event by event; here the tree is made of it, without recursion.  What a plain
 * word means is as the libraries have it that CDI's own tools are written with: numbers of YAML 1.1 (0660 is octal) and
 * of 1.2 (0o660), and yes, no, on and off are true or false, in no place a text.
 */
#include "partition/cdi_yaml.h"

#include "base/cleanup.h"
#include "base/str.h"

#include <string.h>
#include <yaml.h>

#define LEVELS_MAX 32

/* What is open: innermost last. */
struct builder {
        unsigned int levels; /* at most */
        unsigned int depth;
        json_t *open[LEVELS_MAX]; /* borrowed from root */
        char *key;                /* of the value that comes next, in an object */
        json_t *root;
        int documents;
        bool done; /* the stream has ended */
};

static void builder_done(struct builder *b)
{
        free(b->key);
        json_decref(b->root);
}

static int refuse(const yaml_event_t *event, const char *why, struct croft_error *err)
{
        return croft_error_set(err, EBADMSG, "line %zu, column %zu: %s.", event->start_mark.line + 1,
                event->start_mark.column + 1, why);
}

static int lack_memory(struct croft_error *err)
{
        return croft_error_set(err, ENOMEM, "read YAML");
}

/* --- plain words --- */

static bool is_one_of(const char *word, const char *const *list)
{
        while (*list && strcmp(*list, word) != 0)
                list++;
        return *list;
}

/* Of a sign and digits with that prefix. */
static bool has_digits(const char *word, const char *prefix, const char *digits)
{
        size_t n;

        if (*word == '-' || *word == '+')
                word++;
        n = strlen(prefix);
        return strncmp(word, prefix, n) == 0 && word[n] && word[n + strspn(word + n, digits)] == '\0';
}

static const struct {
        const char *prefix, *digits;
        int base;
} number_forms[] = {
        {"0x", "0123456789abcdefABCDEF", 16},
        {"0o", "01234567", 8},
        {"0b", "01", 2},
        {"0", "01234567", 8},
        {"", "0123456789", 10},
};

/* 1: it is a whole number; 0: it isn't; -ERANGE: it is too great. */
static int parse_whole(const char *word, json_int_t *ret)
{
        const char *digits = word + (*word == '-' || *word == '+');

        for (size_t i = 0; i < ELEMENTS(number_forms); i++) {
                if (!has_digits(word, number_forms[i].prefix, number_forms[i].digits))
                        continue;
                errno = 0;
                *ret = strtoll(digits + strlen(number_forms[i].prefix), NULL, number_forms[i].base);
                if (errno == ERANGE)
                        return -ERANGE;
                *ret = *word == '-' ? -*ret : *ret;
                return 1;
        }
        return 0;
}

/* Digits with a point or an exponent: no text, and in no place what is wanted. */
static bool is_real(const char *word)
{
        const char *at = word + (*word == '-' || *word == '+');
        size_t whole = strspn(at, "0123456789"), part = 0;

        at += whole;
        if (*at == '.')
                part = strspn(++at, "0123456789");
        at += part;
        if (whole + part == 0)
                return false;
        if (*at == 'e' || *at == 'E') {
                at++;
                at += *at == '-' || *at == '+';
                whole = strspn(at, "0123456789");
                at += whole;
                return whole > 0 && *at == '\0';
        }
        return *at == '\0';
}

/* NULL: no memory; *ret_range: it is a number that is too great. */
static json_t *plain_value(const char *word, size_t length, bool *ret_range)
{
        static const char *const nothing[] = {"", "~", "null", "Null", "NULL", NULL};
        static const char *const yes[] = {
                "true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON", "y", "Y", NULL};
        static const char *const no[] = {
                "false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF", "n", "N", NULL};
        json_int_t number = 0;
        int r;

        if (is_one_of(word, nothing))
                return json_null();
        if (is_one_of(word, yes))
                return json_true();
        if (is_one_of(word, no))
                return json_false();
        r = parse_whole(word, &number);
        *ret_range = r == -ERANGE;
        if (r == 1)
                return json_integer(number);
        return is_real(word) ? json_real(0) : json_stringn(word, length);
}

/* --- the tree --- */

static json_t *innermost(const struct builder *b)
{
        return b->depth > 0 ? b->open[b->depth - 1] : NULL;
}

static bool wants_key(const struct builder *b)
{
        return json_is_object(innermost(b)) && !b->key;
}

/* value is taken over, on failure too. */
static int put(struct builder *b, const yaml_event_t *event, json_t *value, struct croft_error *err)
{
        json_t *in = innermost(b);
        int r = -1;

        if (!value)
                return lack_memory(err);
        if (wants_key(b)) {
                json_decref(value);
                return refuse(event, "a key is no text", err);
        }
        if (!in && !b->root)
                b->root = value;
        if (!in)
                return 0;
        if (json_is_array(in)) {
                r = json_array_append_new(in, value);
        } else {
                r = json_object_set_new(in, b->key, value);
                free(b->key);
                b->key = NULL;
        }
        return r < 0 ? lack_memory(err) : 0;
}

static int open_one(struct builder *b, const yaml_event_t *event, json_t *container, struct croft_error *err)
{
        int r;

        if (b->depth == b->levels) {
                json_decref(container);
                return croft_error_set(err, EBADMSG, "it nests deeper than %d levels.", (int)b->levels);
        }
        r = put(b, event, container, err);
        if (r == 0)
                b->open[b->depth++] = container;
        return r;
}

static int take_key(struct builder *b, const yaml_event_t *event, struct croft_error *err)
{
        const char *text = (const char *)event->data.scalar.value;

        if (json_object_get(innermost(b), text))
                return refuse(event, "a key is there twice", err);
        b->key = strdup(text);
        return b->key ? 0 : lack_memory(err);
}

static int take_scalar(struct builder *b, const yaml_event_t *event, struct croft_error *err)
{
        const char *text = (const char *)event->data.scalar.value;
        size_t length = event->data.scalar.length;
        bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE, too_great = false;
        json_t *value;

        if (event->data.scalar.anchor || event->data.scalar.tag)
                return refuse(event, "anchors, aliases and tags aren't taken", err);
        if (strlen(text) != length)
                return refuse(event, "a text has a NUL in it", err);
        if (wants_key(b))
                return take_key(b, event, err);
        value = plain ? plain_value(text, length, &too_great) : json_stringn(text, length);
        if (too_great) {
                json_decref(value);
                return refuse(event, "a number is too great", err);
        }
        return put(b, event, value, err);
}

static int take_sequence(struct builder *b, const yaml_event_t *event, struct croft_error *err)
{
        if (event->data.sequence_start.anchor || event->data.sequence_start.tag)
                return refuse(event, "anchors, aliases and tags aren't taken", err);
        return open_one(b, event, json_array(), err);
}

static int take_mapping(struct builder *b, const yaml_event_t *event, struct croft_error *err)
{
        if (event->data.mapping_start.anchor || event->data.mapping_start.tag)
                return refuse(event, "anchors, aliases and tags aren't taken", err);
        return open_one(b, event, json_object(), err);
}

static int take_event(struct builder *b, const yaml_event_t *event, struct croft_error *err)
{
        switch (event->type) {
        case YAML_DOCUMENT_START_EVENT:
                return ++b->documents > 1 ? refuse(event, "there is a second document", err) : 0;
        case YAML_ALIAS_EVENT:
                return refuse(event, "anchors, aliases and tags aren't taken", err);
        case YAML_SCALAR_EVENT:
                return take_scalar(b, event, err);
        case YAML_SEQUENCE_START_EVENT:
                return take_sequence(b, event, err);
        case YAML_MAPPING_START_EVENT:
                return take_mapping(b, event, err);
        case YAML_SEQUENCE_END_EVENT:
        case YAML_MAPPING_END_EVENT:
                b->depth--;
                return 0;
        case YAML_STREAM_END_EVENT:
                b->done = true;
                return 0;
        default:
                return 0;
        }
}

static int explain(const yaml_parser_t *parser, struct croft_error *err)
{
        const char *problem = parser->problem ? parser->problem : "it is no YAML";
        char escaped[96];

        if (parser->error == YAML_MEMORY_ERROR)
                return lack_memory(err);
        return croft_error_set(err, EBADMSG, "line %zu, column %zu: %s.", parser->problem_mark.line + 1,
                parser->problem_mark.column + 1, str_escape(escaped, sizeof(escaped), problem, strlen(problem)));
}

static int build(struct builder *b, yaml_parser_t *parser, struct croft_error *err)
{
        int r = 0;

        while (r == 0 && !b->done) {
                yaml_event_t event;

                if (!yaml_parser_parse(parser, &event))
                        return explain(parser, err);
                r = take_event(b, &event, err);
                yaml_event_delete(&event);
        }
        return r;
}

int cdi_yaml_load(const char *text, size_t size, unsigned int levels, json_t **ret, struct croft_error *err)
{
        _cleanup_(builder_done) struct builder b = {.levels = levels < LEVELS_MAX ? levels : LEVELS_MAX};
        yaml_parser_t parser;
        int r;

        if (!yaml_parser_initialize(&parser))
                return lack_memory(err);
        yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
        yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
        r = build(&b, &parser, err);
        yaml_parser_delete(&parser);
        if (r < 0)
                return r;
        if (!b.root)
                return croft_error_set(err, EBADMSG, "it is empty.");
        *ret = TAKE(b.root);
        return 0;
}
