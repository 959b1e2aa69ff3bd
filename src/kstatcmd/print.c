/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * print.c - the output forms of kstat(8): as illumos prints them, byte for byte, but that names and texts with control
 * bytes are escaped and JSON is always JSON.
 */
#include "kstatcmd/private.h"

#include "base/cleanup.h"
#include "base/str.h"

#include <string.h>

#define SECOND_NS 1000000000LL
#define ESCAPED_MAX (4 * 4096 + 1)

/* One line of a structure: a value of it, or one of those that every structure has. */
struct line {
        const char *name;
        const struct croft_value *value; /* NULL: text or time_ns */
        const char *text;
        int64_t time_ns;
};

struct printer {
        FILE *out;
        const struct options *o;
        struct line *lines; /* of the structure at hand */
        size_t n, room;
        bool first;   /* no structure was printed yet */
        bool matched; /* something was chosen */
        char escaped[ESCAPED_MAX];
};

static const char *safe(struct printer *p, const char *text)
{
        return str_escape(p->escaped, sizeof(p->escaped), text, strlen(text));
}

/* --- lines
 * ------------------------------------------------------------------------------------------------------------ */

static int compare(const void *a, const void *b)
{
        const struct line *x = a, *y = b;
        int r = strcasecmp(x->name, y->name);

        return r ? r : strcmp(x->name, y->name);
}

static int make_lines(struct printer *p, const struct croft_stat *stat)
{
        const struct croft_stat_info *info = croft_stat_info(stat);
        struct line *grown;

        if (p->room < info->n_values + 3) {
                grown = reallocarray(p->lines, info->n_values + 3, sizeof(*grown));
                if (!grown)
                        return -ENOMEM;
                p->lines = grown;
                p->room = info->n_values + 3;
        }
        p->n = 0;
        p->lines[p->n++] = (struct line){.name = "crtime", .time_ns = info->created_ns};
        p->lines[p->n++] = (struct line){.name = "snaptime", .time_ns = info->taken_ns};
        if (p->o->parsable)
                p->lines[p->n++] = (struct line){.name = "class", .text = info->class_name};
        for (size_t i = 0; i < info->n_values; i++) {
                const struct croft_value *value = croft_stat_value(stat, i);

                p->lines[p->n++] = (struct line){.name = value->name, .value = value};
        }
        qsort(p->lines, p->n, sizeof(*p->lines), compare);
        return 0;
}

static void print_time(FILE *out, int64_t ns)
{
        if (ns <= 0)
                (void)fputs("0", out);
        else
                (void)fprintf(out, "%lld.%09lld", (long long)(ns / SECOND_NS), (long long)(ns % SECOND_NS));
}

static const char *text_of(const struct line *line)
{
        return line->value ? line->value->text : line->text;
}

/* What is no text. */
static void print_number(FILE *out, const struct line *line)
{
        if (!line->value)
                print_time(out, line->time_ns);
        else if (line->value->type == CROFT_VALUE_INT32 || line->value->type == CROFT_VALUE_INT64)
                (void)fprintf(out, "%lld", (long long)line->value->i);
        else
                (void)fprintf(out, "%llu", (unsigned long long)line->value->u);
}

static void print_value(struct printer *p, const struct line *line)
{
        if (text_of(line))
                (void)fputs(safe(p, text_of(line)), p->out);
        else
                print_number(p->out, line);
}

/* --- the forms
 * -------------------------------------------------------------------------------------------------------- */

static void plain_head(struct printer *p, const struct croft_stat_info *info)
{
        (void)fprintf(p->out, "module: %-30s  instance: %-6d\n", safe(p, info->module), info->instance);
        (void)fprintf(p->out, "name:   %-30s", safe(p, info->name));
        (void)fprintf(p->out, "  class:    %s\n", safe(p, info->class_name));
}

static void plain_line(struct printer *p, const struct line *line)
{
        (void)fprintf(p->out, "\t%-30s  ", safe(p, line->name));
        print_value(p, line);
        (void)fputc('\n', p->out);
}

static void parsable_line(struct printer *p, const struct croft_stat_info *info, const struct line *line)
{
        (void)fprintf(p->out, "%s:%d:", safe(p, info->module), info->instance);
        (void)fprintf(p->out, "%s:", safe(p, info->name));
        (void)fputs(safe(p, line->name), p->out);
        if (!p->o->names_only) {
                (void)fputc(p->o->colon ? ':' : '\t', p->out);
                print_value(p, line);
        }
        (void)fputc('\n', p->out);
}

/* How many bytes of UTF-8 text begin here; 0: none does. */
static size_t utf8_length(const unsigned char *at)
{
        size_t length = at[0] >= 0xf0 && at[0] < 0xf5   ? 4
                        : at[0] >= 0xe0 && at[0] < 0xf0 ? 3
                        : at[0] >= 0xc2 && at[0] < 0xe0 ? 2
                                                        : 0;

        for (size_t i = 1; i < length; i++) {
                if ((at[i] & 0xc0) != 0x80)
                        return 0;
        }
        /* overlong forms, surrogates, above U+10FFFF */
        if ((at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] > 0x9f) || (at[0] == 0xf0 && at[1] < 0x90) ||
                (at[0] == 0xf4 && at[1] > 0x8f))
                return 0;
        return length;
}

/* A byte that is no text becomes the character of that number. */
static void json_text(FILE *out, const char *text)
{
        (void)fputc('"', out);
        for (const unsigned char *at = (const unsigned char *)text; *at;) {
                size_t length = utf8_length(at);

                /* U+0080 to U+009F are control characters of terminals */
                if (length > 0 && !(at[0] == 0xc2 && at[1] < 0xa0)) {
                        (void)fwrite(at, 1, length, out);
                        at += length;
                        continue;
                }
                if (*at == '"' || *at == '\\')
                        (void)fprintf(out, "\\%c", *at);
                else if (*at < 0x20 || *at >= 0x7f)
                        (void)fprintf(out, "\\u%04x", *at);
                else
                        (void)fputc(*at, out);
                at++;
        }
        (void)fputc('"', out);
}

static void json_head(struct printer *p, const struct croft_stat_info *info)
{
        (void)fputs(p->first ? "{\n\t\"module\": " : ",{\n\t\"module\": ", p->out);
        json_text(p->out, info->module);
        (void)fprintf(p->out, ",\n\t\"instance\": %d,\n\t\"name\": ", info->instance);
        json_text(p->out, info->name);
        (void)fputs(",\n\t\"class\": ", p->out);
        json_text(p->out, info->class_name);
        (void)fprintf(p->out, ",\n\t\"type\": %d,\n\t\"snaptime\": ", (int)info->type);
        print_time(p->out, info->taken_ns);
        (void)fputs(",\n\t\"data\": {\n", p->out);
}

static void json_line(struct printer *p, const struct line *line, bool first)
{
        (void)fputs(first ? "\t\t" : ",\n\t\t", p->out);
        json_text(p->out, line->name);
        (void)fputs(": ", p->out);
        if (text_of(line))
                json_text(p->out, text_of(line));
        else
                print_number(p->out, line);
}

/* --- structures
 * ------------------------------------------------------------------------------------------------------- */

static void print_line(struct printer *p, const struct croft_stat_info *info, const struct line *line, bool first)
{
        p->matched = true;
        if (p->o->quiet)
                return;
        if (p->o->json) {
                if (first)
                        json_head(p, info);
                json_line(p, line, first);
        } else if (p->o->parsable) {
                parsable_line(p, info, line);
        } else {
                if (first)
                        plain_head(p, info);
                plain_line(p, line);
        }
}

static void print_end(struct printer *p)
{
        p->first = false;
        if (p->o->quiet)
                return;
        if (p->o->json)
                (void)fputs("\n\t}\n}", p->out);
        else if (!p->o->parsable)
                (void)fputc('\n', p->out);
}

static bool is_chosen(const struct options *o, const struct selector *s, const struct croft_stat_info *info)
{
        char instance[16];

        (void)snprintf(instance, sizeof(instance), "%d", info->instance);
        return pattern_fits(&s->module, info->module) && pattern_fits(&s->name, info->name) &&
               pattern_fits(&s->instance, instance) && pattern_fits(&o->class, info->class_name);
}

static int print_stat(struct printer *p, const struct selector *s, const struct croft_stat *stat)
{
        const struct croft_stat_info *info = croft_stat_info(stat);
        bool first = true;

        if (make_lines(p, stat) < 0)
                return -ENOMEM;
        for (size_t i = 0; i < p->n; i++) {
                if (!pattern_fits(&s->statistic, p->lines[i].name))
                        continue;
                print_line(p, info, &p->lines[i], first);
                first = false;
        }
        if (!first)
                print_end(p);
        return 0;
}

int print_collection(FILE *out, const struct options *o, const struct collection *c, bool *ret_matched)
{
        struct printer p = {.out = out, .o = o, .first = true};
        int r = 0;

        if (o->json)
                (void)fputc('[', out);
        for (size_t i = 0; i < o->n_selectors; i++) {
                for (size_t k = 0; r == 0 && k < c->n; k++) {
                        if (is_chosen(o, &o->selectors[i], croft_stat_info(c->stats[k])))
                                r = print_stat(&p, &o->selectors[i], c->stats[k]);
                }
        }
        if (o->json)
                (void)fputs("]\n", out);
        free(p.lines);
        if (p.matched)
                *ret_matched = true;
        return r;
}
