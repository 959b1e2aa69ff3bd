/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * message.c - formats are taken apart, arguments packed and put together.  See message.h.
 *
 * One reader of formats (next_piece) serves checking, packing and rendering, so that they can't differ in what they
 * take a format for.  No format that came from outside is ever given to printf(3): each conversion is said anew, with
 * numbers of one width and texts of a known length.
 */
#include "base/message.h"

#include "base/cleanup.h"

#include <endian.h>
#include <string.h>

/* Widths and precisions. */
#define NUMBER_MAX 999
/* What a conversion of a number or a text in a record comes to at most: a precision, a sign or "0x", and the NUL. */
#define PRINTED_MAX 1024
#define NUMBER_SIZE (1 + sizeof(uint64_t))

_Static_assert(MESSAGE_ARGS_MAX *NUMBER_SIZE <= MESSAGE_ARGS_SIZE, "any arguments fit when texts are cut");
_Static_assert(MESSAGE_ARGS_SIZE < PRINTED_MAX && NUMBER_MAX + 3 < PRINTED_MAX, "a conversion fits");

static const char cut_mark[] = "...";
#define CUT_MARK_SIZE (sizeof(cut_mark) - 1)

/* One argument, out of a record or on the way into one. */
struct value {
        char type;        /* 'd', 'u' or 's' */
        uint64_t number;  /* 'd': two's complement */
        const char *text; /* borrowed, not ended */
        size_t size;
};

static const struct kind {
        char conversion;
        char type;
        const char *flags; /* that mean something, in addition to '-' */
} kinds[] = {
        {'d', 'd', "+ 0"},
        {'i', 'd', "+ 0"},
        {'u', 'u', "0"},
        {'o', 'u', "#0"},
        {'x', 'u', "#0"},
        {'X', 'u', "#0"},
        {'c', 'd', ""},
        {'s', 's', ""},
};

enum length { LENGTH_NONE, LENGTH_HH, LENGTH_H, LENGTH_LL, LENGTH_L, LENGTH_J, LENGTH_Z, LENGTH_T };
/* By enum length.  What begins like another one comes first. */
static const char *const lengths[] = {"", "hh", "h", "ll", "l", "j", "z", "t"};

struct conversion {
        const struct kind *kind;
        const char *flags; /* borrowed from the format */
        size_t n_flags;
        unsigned int width, precision;
        bool has_precision;
        enum length length;
        unsigned int arg; /* from 0 */
};

/* A run of plain text, or a conversion (then kind isn't NULL). */
struct piece {
        const char *text;
        size_t size;
        struct conversion conversion;
};

/* A format being read.  Invariant: at <= end. */
struct scan {
        const char *at, *end;
        const char *why; /* it is no format; static text */
        unsigned int n;  /* conversions so far */
        bool positions;  /* they have them */
};

/* What a format takes. */
struct wants {
        unsigned int n;
        struct want {
                char type; /* 0: left out so far */
                char conversion;
                enum length length;
                size_t bytes; /* of a text, at most: it need not be ended behind them */
        } args[MESSAGE_ARGS_MAX];
};

static bool is_flag(char c)
{
        return c == '-' || c == '+' || c == ' ' || c == '#' || c == '0';
}

static bool has_flag(const struct conversion *c, char flag)
{
        return c->n_flags > 0 && memchr(c->flags, flag, c->n_flags);
}

/* Digits, if there are any; false: above NUMBER_MAX. */
static bool scan_number(struct scan *s, unsigned int *ret)
{
        unsigned int value = 0;

        for (; s->at < s->end && *s->at >= '0' && *s->at <= '9'; s->at++) {
                value = value * 10 + (unsigned int)(*s->at - '0');
                if (value > NUMBER_MAX)
                        return false;
        }
        *ret = value;
        return true;
}

/* "2$"; 0: there is none, and what looked like one is a flag or a width. */
static unsigned int scan_position(struct scan *s)
{
        const char *start = s->at;
        unsigned int position = 0;

        if (s->at < s->end && *s->at != '0' && scan_number(s, &position) && position > 0 && s->at < s->end &&
                *s->at == '$') {
                s->at++;
                return position;
        }
        s->at = start;
        return 0;
}

static enum length scan_length(struct scan *s)
{
        for (size_t i = 1; i < ELEMENTS(lengths); i++) {
                size_t size = strlen(lengths[i]);

                if ((size_t)(s->end - s->at) >= size && memcmp(s->at, lengths[i], size) == 0) {
                        s->at += size;
                        return (enum length)i;
                }
        }
        return LENGTH_NONE;
}

static const struct kind *scan_kind(struct scan *s)
{
        for (size_t i = 0; s->at < s->end && i < ELEMENTS(kinds); i++)
                if (*s->at == kinds[i].conversion) {
                        s->at++;
                        return &kinds[i];
                }
        return NULL;
}

/* Which argument a conversion takes; returns why it can't be. */
static const char *scan_argument(struct scan *s, unsigned int position, unsigned int *ret)
{
        if (s->n > 0 && s->positions != (position > 0))
                return "either all conversions have a position or none has";
        s->positions = position > 0;
        *ret = position > 0 ? position - 1 : s->n;
        s->n++;
        return *ret < MESSAGE_ARGS_MAX ? NULL : "it takes more than 16 arguments";
}

/* What comes after '%'; returns why it is no conversion. */
static const char *scan_conversion(struct scan *s, struct conversion *ret)
{
        unsigned int position = scan_position(s);
        struct conversion c = {.flags = s->at};

        while (s->at < s->end && is_flag(*s->at))
                s->at++;
        c.n_flags = (size_t)(s->at - c.flags);
        if (!scan_number(s, &c.width))
                return "a width is above 999";
        if (s->at < s->end && *s->at == '.') {
                s->at++;
                c.has_precision = true;
                if (!scan_number(s, &c.precision))
                        return "a precision is above 999";
        }
        c.length = scan_length(s);
        if (s->at == s->end)
                return "its end is in the middle of a conversion";
        c.kind = scan_kind(s);
        if (!c.kind)
                return "a conversion is none of %, d, i, u, o, x, X, c and s";
        if (c.length && (c.kind->conversion == 'c' || c.kind->conversion == 's'))
                return "only numbers have a length modifier";
        *ret = c;
        return scan_argument(s, position, &ret->arg);
}

/* False at the end, and when it turns out to be no format. */
static bool next_piece(struct scan *s, struct piece *ret)
{
        const char *percent;

        if (s->why || s->at == s->end)
                return false;
        *ret = (struct piece){.text = s->at};
        if (*s->at != '%') {
                percent = memchr(s->at, '%', (size_t)(s->end - s->at));
                s->at = percent ? percent : s->end;
                ret->size = (size_t)(s->at - ret->text);
                return true;
        }
        s->at++;
        if (s->at < s->end && *s->at == '%') {
                ret->size = 1;
                s->at++;
                return true;
        }
        s->why = scan_conversion(s, &ret->conversion);
        return !s->why;
}

/* False: another conversion takes the same argument as something else. */
static bool add_want(struct wants *wants, const struct conversion *c)
{
        struct want *w = &wants->args[c->arg];
        size_t bytes = c->has_precision ? c->precision : SIZE_MAX;

        /* The length modifier, too, for it is what the argument is read as when it is packed. */
        if (w->type && (w->type != c->kind->type || w->length != c->length))
                return false;
        if (!w->type)
                *w = (struct want){.type = c->kind->type, .conversion = c->kind->conversion, .length = c->length};
        if (bytes > w->bytes)
                w->bytes = bytes;
        if (c->arg >= wants->n)
                wants->n = c->arg + 1;
        return true;
}

/* What a format of any size takes; returns why it is none. */
static const char *find_wants(const char *format, size_t size, struct wants *ret)
{
        struct scan s = {.at = format, .end = format + size};
        struct wants wants = {0};
        struct piece piece;

        while (next_piece(&s, &piece))
                if (piece.conversion.kind && !add_want(&wants, &piece.conversion))
                        return "a position has two types";
        if (s.why)
                return s.why;
        for (unsigned int i = 0; i < wants.n; i++)
                if (!wants.args[i].type)
                        return "a position is left out";
        *ret = wants;
        return NULL;
}

/* The same for a format that goes into a record or was in one. */
static const char *find_own_wants(const char *format, size_t size, struct wants *ret)
{
        return size < MESSAGE_FORMAT_MAX ? find_wants(format, size, ret) : "it is too long";
}

int message_check(const char *format, const char **ret_why)
{
        struct wants wants;
        const char *why = find_own_wants(format, strnlen(format, MESSAGE_FORMAT_MAX), &wants);

        if (why && ret_why)
                *ret_why = why;
        return why ? -EINVAL : 0;
}

/* How many of keep bytes stay so that no character is cut in two; text has more than keep.  What isn't UTF-8 is cut
 * anywhere. */
static size_t whole_characters(const char *text, size_t keep)
{
        for (size_t back = 0; back < 4 && back <= keep; back++)
                if (((unsigned char)text[keep - back] & 0xc0) != 0x80)
                        return keep - back;
        return keep;
}

/* The least room that an argument can be packed into. */
static size_t least(const struct value *v)
{
        if (v->type != 's')
                return NUMBER_SIZE;
        return 1 + (v->size < CUT_MARK_SIZE ? v->size : CUT_MARK_SIZE) + 1;
}

static void put_bytes(struct message_args *args, const void *bytes, size_t size)
{
        if (size > 0)
                memcpy(args->bytes + args->size, bytes, size);
        args->size = (uint16_t)(args->size + size);
}

/* room: at least least(v) */
static void put_value(struct message_args *args, const struct value *v, size_t room)
{
        uint64_t number = htole64(v->number);

        put_bytes(args, &v->type, 1);
        if (v->type != 's') {
                put_bytes(args, &number, sizeof(number));
                return;
        }
        if (1 + v->size + 1 <= room) {
                put_bytes(args, v->text, v->size);
        } else {
                put_bytes(args, v->text, whole_characters(v->text, room - 2 - CUT_MARK_SIZE));
                put_bytes(args, cut_mark, CUT_MARK_SIZE);
        }
        put_bytes(args, "", 1);
}

/* A long text leaves room for what comes after it. */
static void pack(const struct value *values, unsigned int n, struct message_args *ret)
{
        struct message_args args = {.n = (uint8_t)n};
        size_t later = 0;

        for (unsigned int i = 0; i < n; i++)
                later += least(&values[i]);
        for (unsigned int i = 0; i < n; i++) {
                later -= least(&values[i]);
                put_value(&args, &values[i], MESSAGE_ARGS_SIZE - args.size - later);
        }
        *ret = args;
}

/* At most bytes of a text; no more than it takes to see that it has to be cut. */
static struct value text_value(const char *text, size_t bytes)
{
        if (!text)
                return text_value("(null)", SIZE_MAX);
        return (struct value){
                's', .text = text, .size = strnlen(text, bytes < MESSAGE_ARGS_SIZE ? bytes : MESSAGE_ARGS_SIZE)};
}

static uint64_t take_signed(enum length length, va_list *ap)
{
        switch (length) {
        case LENGTH_HH:
                return (uint64_t)(signed char)va_arg(*ap, int);
        case LENGTH_H:
                return (uint64_t)(short)va_arg(*ap, int);
        case LENGTH_LL:
                return (uint64_t)va_arg(*ap, long long);
        case LENGTH_L:
                return (uint64_t)va_arg(*ap, long);
        case LENGTH_J:
                return (uint64_t)va_arg(*ap, intmax_t);
        case LENGTH_Z:
                return (uint64_t)va_arg(*ap, ssize_t);
        case LENGTH_T:
                return (uint64_t)va_arg(*ap, ptrdiff_t);
        default:
                return (uint64_t)va_arg(*ap, int);
        }
}

static uint64_t take_unsigned(enum length length, va_list *ap)
{
        switch (length) {
        case LENGTH_HH:
                return (unsigned char)va_arg(*ap, unsigned int);
        case LENGTH_H:
                return (unsigned short)va_arg(*ap, unsigned int);
        case LENGTH_LL:
                return va_arg(*ap, unsigned long long);
        case LENGTH_L:
                return va_arg(*ap, unsigned long);
        case LENGTH_J:
                return va_arg(*ap, uintmax_t);
        case LENGTH_Z:
        case LENGTH_T: /* of the size of ptrdiff_t */
                return va_arg(*ap, size_t);
        default:
                return va_arg(*ap, unsigned int);
        }
}

static struct value take(const struct want *want, va_list *ap)
{
        if (want->type == 's')
                return text_value(va_arg(*ap, const char *), want->bytes);
        return (struct value){
                .type = want->type,
                .number = want->type == 'd' ? take_signed(want->length, ap) : take_unsigned(want->length, ap),
        };
}

int message_pack(const char *format, va_list ap, struct message_args *ret)
{
        struct value values[MESSAGE_ARGS_MAX];
        struct wants wants;
        va_list own; /* a va_list that is a parameter may be a pointer, whose address is of no use */

        if (find_own_wants(format, strnlen(format, MESSAGE_FORMAT_MAX), &wants))
                return -EINVAL;
        va_copy(own, ap);
        for (unsigned int i = 0; i < wants.n; i++)
                values[i] = take(&wants.args[i], &own);
        va_end(own);
        pack(values, wants.n, ret);
        return 0;
}

/* False: it isn't what is wanted. */
static bool read_word(const struct want *want, const char *word, struct value *ret)
{
        struct value v = {.type = want->type};
        char *end;

        if (want->type == 's') {
                *ret = text_value(word, want->bytes);
                return true;
        }
        if (want->conversion == 'c') {
                v.number = (unsigned char)word[0];
                *ret = v;
                return word[0] && !word[1];
        }
        errno = 0;
        v.number = want->type == 'd' ? (uint64_t)strtoll(word, &end, 0) : strtoull(word, &end, 0);
        *ret = v;
        return errno == 0 && end != word && !*end;
}

int message_pack_words(const char *format, char *const *words, size_t n, struct message_args *ret, size_t *ret_bad)
{
        struct value values[MESSAGE_ARGS_MAX];
        struct wants wants;

        if (find_own_wants(format, strnlen(format, MESSAGE_FORMAT_MAX), &wants) || n != wants.n)
                return -EINVAL;
        for (unsigned int i = 0; i < wants.n; i++) {
                if (read_word(&wants.args[i], words[i], &values[i]))
                        continue;
                if (ret_bad)
                        *ret_bad = i;
                return -ERANGE;
        }
        pack(values, wants.n, ret);
        return 0;
}

/* The argument that bytes begin with; returns how many it has, 0: they begin with none. */
static size_t read_value(const uint8_t *bytes, size_t size, struct value *ret)
{
        const uint8_t *end;
        uint64_t number;

        if (size < 2)
                return 0;
        if (bytes[0] == 's') {
                end = memchr(bytes + 1, '\0', size - 1);
                if (!end)
                        return 0;
                *ret = (struct value){'s', .text = (const char *)bytes + 1, .size = (size_t)(end - bytes) - 1};
                return 1 + ret->size + 1;
        }
        if ((bytes[0] != 'd' && bytes[0] != 'u') || size < NUMBER_SIZE)
                return 0;
        memcpy(&number, bytes + 1, sizeof(number));
        *ret = (struct value){(char)bytes[0], .number = le64toh(number)};
        return NUMBER_SIZE;
}

/* At most n arguments, up to the first that is none; returns how many there are. */
static unsigned int read_values(
        const uint8_t *bytes, size_t size, unsigned int n, struct value *values, size_t *ret_used)
{
        size_t used = 0, one = 1;
        unsigned int i = 0;

        n = n < MESSAGE_ARGS_MAX ? n : MESSAGE_ARGS_MAX;
        size = size < MESSAGE_ARGS_SIZE ? size : MESSAGE_ARGS_SIZE;
        while (i < n && (one = read_value(bytes + used, size - used, &values[i])) > 0) {
                used += one;
                i++;
        }
        *ret_used = used;
        return i;
}

bool message_args_valid(const uint8_t *bytes, size_t size, unsigned int n)
{
        struct value values[MESSAGE_ARGS_MAX];
        size_t used = 0;

        return read_values(bytes, size, n, values, &used) == n && used == size;
}

/* A message on its way; what doesn't fit is left away.  Invariant: size < MESSAGE_MAX. */
struct message {
        char *bytes; /* MESSAGE_MAX of them */
        size_t size;
        bool cut;
        bool fault; /* no memory */
};

static void add(struct message *m, const char *bytes, size_t size)
{
        size_t room = MESSAGE_MAX - 1 - m->size;

        m->cut = m->cut || size > room;
        size = size > room ? room : size;
        if (size > 0)
                memcpy(m->bytes + m->size, bytes, size);
        m->size += size;
}

/* What snprintf() made in PRINTED_MAX bytes.  It allocates for great widths, and may fail at that. */
static void add_printed(struct message *m, const char *printed, int size)
{
        if (size < 0)
                m->fault = true;
        else
                add(m, printed, (size_t)size < PRINTED_MAX ? (size_t)size : PRINTED_MAX - 1);
}

static void add_text(struct message *m, const struct conversion *c, const char *text, size_t size)
{
        int width = has_flag(c, '-') ? -(int)c->width : (int)c->width;
        char out[PRINTED_MAX];

        add_printed(m, out, snprintf(out, sizeof(out), "%*.*s", width, (int)size, text));
}

/* The specification is made here, out of letters of our own. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static void add_number(struct message *m, const struct conversion *c, uint64_t number)
{
        int width = has_flag(c, '-') ? -(int)c->width : (int)c->width;
        int precision = c->has_precision ? (int)c->precision : -1;
        char spec[16] = "%", out[PRINTED_MAX];
        size_t n = 1;

        for (const char *flag = c->kind->flags; *flag; flag++)
                if (has_flag(c, *flag))
                        spec[n++] = *flag;
        (void)snprintf(spec + n, sizeof(spec) - n, "*.*j%c", c->kind->conversion);
        if (c->kind->type == 'd')
                add_printed(m, out, snprintf(out, sizeof(out), spec, width, precision, (intmax_t)number));
        else
                add_printed(m, out, snprintf(out, sizeof(out), spec, width, precision, (uintmax_t)number));
}
#pragma GCC diagnostic pop

static void add_conversion(struct message *m, const struct conversion *c, const struct value *v)
{
        char character = (char)v->number;

        if (c->kind->type == 's')
                add_text(m, c, v->text, c->has_precision && c->precision < v->size ? c->precision : v->size);
        else if (c->kind->conversion == 'c')
                add_text(m, c, &character, 1); /* NUL: an empty text, for it would end the message */
        else
                add_number(m, c, v->number);
}

/* A format that fits the values; as much of it as there is room for. */
static void add_format(struct message *m, const char *format, size_t size, const struct value *values)
{
        struct scan s = {.at = format, .end = format + size};
        struct piece piece;

        while (!m->cut && !m->fault && next_piece(&s, &piece)) {
                if (piece.conversion.kind)
                        add_conversion(m, &piece.conversion, &values[piece.conversion.arg]);
                else
                        add(m, piece.text, piece.size);
        }
}

static void add_plain_number(struct message *m, const struct value *v)
{
        static const struct conversion decimal[] = {{.kind = &kinds[0]}, {.kind = &kinds[2]}};

        add_number(m, &decimal[v->type == 'u'], v->number);
}

/* Behind a text that says nothing about them: ` [12, "abc"]`. */
static void add_values(struct message *m, const struct value *values, unsigned int n)
{
        for (unsigned int i = 0; i < n; i++) {
                add(m, i > 0 ? ", " : " [", 2);
                if (values[i].type != 's') {
                        add_plain_number(m, &values[i]);
                        continue;
                }
                add(m, "\"", 1);
                add(m, values[i].text, values[i].size);
                add(m, "\"", 1);
        }
        if (n > 0)
                add(m, "]", 1);
}

/* Ends the message, and gives back what it doesn't need. */
static char *end_message(struct message *m)
{
        char *shorter;

        if (m->cut) {
                m->size = whole_characters(m->bytes, MESSAGE_MAX - 1 - CUT_MARK_SIZE);
                memcpy(m->bytes + m->size, cut_mark, CUT_MARK_SIZE);
                m->size += CUT_MARK_SIZE;
        }
        m->bytes[m->size] = '\0';
        shorter = realloc(m->bytes, m->size + 1);
        return shorter ? shorter : m->bytes;
}

static bool fits(const struct wants *wants, const struct value *values, unsigned int n)
{
        if (wants->n != n)
                return false;
        for (unsigned int i = 0; i < n; i++)
                if (wants->args[i].type != values[i].type)
                        return false;
        return true;
}

char *message_render(const char *format, size_t size, const char *translated, const struct message_args *args)
{
        _cleanup_free_ char *bytes = malloc(MESSAGE_MAX);
        struct message m = {.bytes = bytes};
        struct value values[MESSAGE_ARGS_MAX];
        struct wants wants;
        size_t used = 0;
        unsigned int n;

        if (!bytes)
                return NULL;
        size = size > 0 ? strnlen(format, size) : 0;
        n = read_values(args->bytes, args->size, args->n, values, &used);
        if (n != args->n || used != args->size || find_own_wants(format, size, &wants) || !fits(&wants, values, n)) {
                add(&m, format, size);
                add_values(&m, values, n);
        } else if (translated && !find_wants(translated, strlen(translated), &wants) && fits(&wants, values, n)) {
                add_format(&m, translated, strlen(translated), values);
        } else {
                add_format(&m, format, size, values);
        }
        if (m.fault)
                return NULL;
        TAKE(bytes);
        return end_message(&m);
}

char *message_argument(const struct message_args *args, unsigned int i)
{
        struct value values[MESSAGE_ARGS_MAX];
        size_t used = 0;
        char *text = NULL;
        int r;

        if (i >= read_values(args->bytes, args->size, args->n, values, &used))
                return NULL;
        if (values[i].type == 's')
                return strndup(values[i].text, values[i].size);
        if (values[i].type == 'd')
                r = asprintf(&text, "%jd", (intmax_t)values[i].number);
        else
                r = asprintf(&text, "%ju", (uintmax_t)values[i].number);
        return r < 0 ? NULL : text;
}
