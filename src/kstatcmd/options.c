/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * options.c - the command line of kstat(8), as illumos has it, and -z.
 *
 * Operands that are numbers are interval and count, wherever they stand; all others are MODULE:INSTANCE:NAME:STATISTIC
 * with parts left out at the end or in between.
 */
#include "kstatcmd/private.h"

#include "base/cleanup.h"
#include "base/str.h"

#include <limits.h>
#include <string.h>

#define PARTS 4

void options_usage(const struct kstatcmd *cmd)
{
        (void)fprintf(cmd->error,
                "Usage:\n"
                "%s [-Cjlpq] [-T d|u] [-z PARTITION] [-c CLASS]\n"
                "      [-m MODULE] [-i INSTANCE] [-n NAME] [-s STATISTIC]\n"
                "      [INTERVAL [COUNT]]\n"
                "%s [-Cjlpq] [-T d|u] [-z PARTITION] [-c CLASS]\n"
                "      [MODULE[:INSTANCE[:NAME[:STATISTIC]]]]...\n"
                "      [INTERVAL [COUNT]]\n",
                cmd->name, cmd->name);
        if (cmd->verbs)
                (void)fprintf(cmd->error,
                        "%s list [-z PARTITION]\n"
                        "%s read [-Cjlpq] [-z PARTITION] MODULE:INSTANCE:NAME\n"
                        "%s show [-Cjlpq] [-z PARTITION] KID\n",
                        cmd->name, cmd->name, cmd->name);
}

/* What is being put together. */
struct parse {
        struct options *o;
        const char *parts[PARTS]; /* -m -i -n -s; NULL: not given */
        unsigned int numbers;     /* operands that were numbers */
        struct croft_error *err;
};

static int take_flag(struct options *o, char letter)
{
        switch (letter) {
        case 'C':
                o->parsable = o->colon = true;
                return 0;
        case 'j':
                o->json = true;
                return 0;
        case 'l':
                o->parsable = o->names_only = true;
                return 0;
        case 'p':
                o->parsable = true;
                return 0;
        case 'q':
                o->quiet = true;
                return 0;
        case 'h':
                o->help = true;
                return 0;
        default:
                return -EINVAL;
        }
}

/* Where the argument of a letter goes; NULL: it has none. */
static const char **argument_of(struct parse *p, char letter)
{
        static const char order[] = "mins";
        const char *at = letter ? strchr(order, letter) : NULL;

        if (at)
                return &p->parts[at - order];
        if (letter == 'c')
                return &p->o->class_text;
        return letter == 'z' ? &p->o->partition : NULL;
}

static int take_time(struct options *o, const char *text, struct croft_error *err)
{
        if (strcmp(text, "d") != 0 && strcmp(text, "u") != 0)
                return croft_error_set(err, EINVAL, "-T takes d or u.");
        o->time = text[0];
        return 0;
}

/* "-pT" "d": the letters of one word; the argument is the rest of it or the next word.  Returns how many words it
 * took. */
static int take_word(struct parse *p, const char *word, const char *next)
{
        for (const char *at = word + 1; *at; at++) {
                const char **place = argument_of(p, *at), *argument;

                if (!place && *at != 'T') {
                        if (take_flag(p->o, *at) < 0)
                                return croft_error_set(p->err, EINVAL, "there is no option -%c.", *at);
                        continue;
                }
                argument = at[1] ? at + 1 : next;
                if (!argument)
                        return croft_error_set(p->err, EINVAL, "-%c needs an argument.", *at);
                if (*at == 'T' && take_time(p->o, argument, p->err) < 0)
                        return -EINVAL;
                if (place)
                        *place = argument;
                return at[1] ? 1 : 2;
        }
        return 1;
}

static int add_selector(struct options *o, const char *const parts[PARTS], struct croft_error *err)
{
        struct selector *grown = reallocarray(o->selectors, o->n_selectors + 1, sizeof(*grown)), *s;
        int r = 0, i;

        if (!grown)
                return croft_error_set(err, ENOMEM, "take operand");
        o->selectors = grown;
        s = &grown[o->n_selectors];
        struct pattern *const places[PARTS] = {&s->module, &s->instance, &s->name, &s->statistic};
        for (i = 0; i < PARTS && r == 0; i++)
                r = pattern_init(places[i], parts[i] && *parts[i] ? parts[i] : "*", err);
        if (r < 0) {
                for (i -= 2; i >= 0; i--)
                        pattern_done(places[i]);
                return r;
        }
        o->n_selectors++;
        return 0;
}

/* Cuts the operand at its colons, in place. */
static int add_operand(struct parse *p, char *operand)
{
        const char *parts[PARTS] = {NULL};
        char *rest = operand, *part;

        for (size_t i = 0; (part = strsep(&rest, ":")) != NULL; i++) {
                if (i == PARTS)
                        return croft_error_set(p->err, EINVAL, "an operand has at most four parts.");
                parts[i] = part;
        }
        return add_selector(p->o, parts, p->err);
}

static int take_number(struct parse *p, uint64_t number)
{
        if (number == 0 || p->numbers == 2)
                return croft_error_set(p->err, EINVAL,
                        p->numbers == 2 ? "there are no more than an interval and a count."
                                        : "interval and count are at least 1.");
        if (p->numbers++ == 0) {
                p->o->interval = (unsigned int)number;
                p->o->count = 0;
        } else {
                p->o->count = (unsigned int)number;
        }
        return 0;
}

static int take_operand(struct parse *p, char *operand)
{
        uint64_t number;

        if (p->o->verb) {
                if (p->o->verb_operand)
                        return croft_error_set(p->err, EINVAL, "one operand at most.");
                p->o->verb_operand = operand;
                return 0;
        }
        if (operand[0] && operand[strspn(operand, "0123456789")] == '\0') {
                if (!str_to_u64(operand, UINT_MAX, &number))
                        return croft_error_set(p->err, EINVAL, "%s is too large.", p->numbers ? "count" : "interval");
                return take_number(p, number);
        }
        return add_operand(p, operand);
}

/* What fits together. */
static int finish(struct parse *p)
{
        struct options *o = p->o;
        bool given = p->parts[0] || p->parts[1] || p->parts[2] || p->parts[3];
        int r;

        if (o->quiet && (o->json || o->parsable))
                return croft_error_set(p->err, EINVAL, "-q doesn't go with -C, -j, -l or -p.");
        if (given && o->n_selectors > 0)
                return croft_error_set(p->err, EINVAL, "operands don't go with -m, -i, -n or -s.");
        r = o->n_selectors > 0 ? 0 : add_selector(o, p->parts, p->err);
        return r < 0 ? r : pattern_init(&o->class, o->class_text ? o->class_text : "*", p->err);
}

static bool is_verb(const char *word)
{
        return strcmp(word, "list") == 0 || strcmp(word, "read") == 0 || strcmp(word, "show") == 0;
}

int options_parse(struct options *o, const struct kstatcmd *cmd, int argc, char **argv, struct croft_error *err)
{
        struct parse p = {.o = o, .err = err};
        int i = 1, r;

        *o = (struct options){.count = 1, .class = {.glob = "*"}};
        if (cmd->verbs && argc > 1 && is_verb(argv[1]))
                o->verb = argv[i++];
        while (i < argc && argv[i][0] == '-' && argv[i][1]) {
                if (strcmp(argv[i], "--") == 0) {
                        i++;
                        break;
                }
                if (strcmp(argv[i], "--help") == 0) {
                        o->help = true;
                        return 0;
                }
                r = take_word(&p, argv[i], i + 1 < argc ? argv[i + 1] : NULL);
                if (r < 0)
                        return r;
                i += r;
        }
        for (; i < argc; i++) {
                r = take_operand(&p, argv[i]);
                if (r < 0)
                        return r;
        }
        return finish(&p);
}

void options_done(struct options *o)
{
        for (size_t i = 0; i < o->n_selectors; i++) {
                pattern_done(&o->selectors[i].module);
                pattern_done(&o->selectors[i].instance);
                pattern_done(&o->selectors[i].name);
                pattern_done(&o->selectors[i].statistic);
        }
        free(o->selectors);
        pattern_done(&o->class);
        o->selectors = NULL;
        o->n_selectors = 0;
}
