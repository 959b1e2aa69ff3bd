/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_cli_errors.c - the record of errors as text, JSON and XML, whatever is in it (ERR-A8).
 *
 * Books of random records are printed in each form; the XML is validated by docs/errors.xsd.  With CROFT_ERRORS_DIR
 * set, what was printed stays in that directory: tests/checks/test_errors.py looks at it again.
 */
#include "cli/errors.h"
#include "cli/text.h"

#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <spawn.h>
#include <stdarg.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define RECORDS 10000
#define BOOK_MAX 160 /* as many as a book has room for: errlog.h */
#define SECOND 1000000000LL

extern char **environ;

/* --- random records ----------------------------------------------------------------------------------------------- */

static uint64_t seed;

static uint64_t chance(void)
{
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        return seed;
}

static size_t below(size_t n)
{
        return (size_t)(chance() >> 11) % n;
}

/* What one form or another, or a terminal, could take for something. */
static const char *const tricks[] = {"]]>", "<![CDATA[", "<!--", "-->", "</message>", "</errors>",
        "<record seq=\"1\"/>", "&amp;", "&#0;", "&#x1b;", "<?xml version=\"1.0\"?>", "\"", "'", "\\", "\\x1b",
        "\\u0000", "\033[2J", "\033]0;x\007", "\n", "\r\n", "\t", "\b\b\b\b", "\x7f", "\xc2\x9b", "\xc2\x85",
        "\xe2\x80\xa8", "\xe2\x80\xae", "\xef\xbb\xbf", "\xef\xbf\xbe", "\xef\xbf\xbf", "\xf0\x9f\xbf\xbf",
        "\xf4\x90\x80\x80", "\xed\xa0\x80", "\xc0\xaf", "\xe2\x82", "\xff", "\xc3\xbc", "\xe6\xbc\xa2",
        "\xf0\x9f\x98\x80", "%", "%s", "%d", "%n", "%2$s", "%999d", "%.999x", "%%",
        "\n2026-11-21 09:00:00  kernel  not from the kernel", "\"}],\"x\":[{"};

/* Up to size - 1 bytes, often just so many, and a NUL. */
static void random_text(char *field, size_t size)
{
        size_t n = below(4) == 0 ? size - 1 : below(size), at = 0, kind = below(4);

        memset(field, 0, size);
        while (at < n) {
                const char *trick = tricks[below(ELEMENTS(tricks))];
                size_t length = strlen(trick);

                if (kind > 1 && (kind == 2 || below(4) == 0)) { /* cut at the end of the field, as a recorder may */
                        memcpy(field + at, trick, length < n - at ? length : n - at);
                        at += length;
                } else {
                        field[at++] = (char)(kind == 0 ? 1 + below(255) : 0x20 + below(0x5f));
                }
        }
}

static void put_number(struct croft_errlog_record *record, char type)
{
        uint64_t number = below(2) ? chance() : below(1000);

        record->args[record->args_size] = (unsigned char)type;
        for (unsigned int i = 0; i < 8; i++)
                record->args[record->args_size + 1 + i] = (unsigned char)(number >> (8 * i));
        record->args_size += 9;
}

/* Arguments as recorders pack them, and a format that fits them unless it was cut. */
static void good_arguments(struct croft_errlog_record *record)
{
        static const char *const numbers[] = {"%d", "%5i", "%-3d", "%+.4d", "%c", "%lld", "%700d"};
        static const char *const unsigneds[] = {"%u", "%#x", "%08X", "%o", "%zu", "%.900x"};
        static const char *const texts[] = {"%s", "%.3s", "%20s", "'%s'", "%-30.10s", "%999s"};
        size_t n = below(6), at = 0;

        for (size_t i = 0; i < n; i++) {
                size_t kind = below(3);
                const char *piece = kind == 0   ? numbers[below(ELEMENTS(numbers))]
                                    : kind == 1 ? unsigneds[below(ELEMENTS(unsigneds))]
                                                : texts[below(ELEMENTS(texts))];

                at += (size_t)snprintf(record->format + at, sizeof(record->format) - at, "%s%s", i ? ", " : "", piece);
                if (kind < 2) {
                        put_number(record, kind == 0 ? 'd' : 'u');
                } else {
                        record->args[record->args_size] = 's';
                        random_text((char *)&record->args[record->args_size + 1], 40);
                        record->args_size += 2 + strlen((const char *)&record->args[record->args_size + 1]);
                }
        }
        record->n_args = (unsigned int)n;
}

static void bad_arguments(struct croft_errlog_record *record)
{
        static const unsigned int numbers[] = {0, 1, 16, 17, 255};
        static const size_t sizes[] = {0, 1, 2, 9, 279, 280, 281, 65535, 65536 + 9};

        for (size_t i = 0; i < sizeof(record->args); i++)
                record->args[i] = (unsigned char)(below(3) ? below(256) : (size_t) "dus"[below(3)]);
        record->n_args = below(2) ? numbers[below(ELEMENTS(numbers))] : (unsigned int)below(20);
        record->args_size = below(2) ? sizes[below(ELEMENTS(sizes))] : below(281);
}

static int random_errnum(void)
{
        static const int odd[] = {INT_MIN, INT_MAX, -1, -ENOENT, 41, 4095};

        switch (below(3)) {
        case 0:
                return 0;
        case 1:
                return (int)below(134);
        default:
                return odd[below(ELEMENTS(odd))];
        }
}

/* Any number below 2^63, as those of the kernel are; mostly of a record that could be there. */
static uint64_t random_cause(uint64_t seq)
{
        return below(3) == 0 ? 0 : below(8) == 0 ? chance() >> 1 : below(2 * (size_t)seq);
}

static struct croft_errlog_record random_record(uint64_t seq)
{
        struct croft_errlog_record record = {.partition = 7,
                .seq = seq,
                .attempt = below(5),
                .cause = random_cause(seq),
                .time_ns = (int64_t)chance(),
                .source = (unsigned int)below(8),
                .severity = (unsigned int)(below(9) ? below(3) : below(256)),
                .errnum = random_errnum(),
                .pid = below(2) ? (uint32_t)chance() : 0,
                .tid = (uint32_t)chance(),
                .set = (uint32_t)chance(),
                .number = (uint32_t)chance()};

        random_text(record.component, sizeof(record.component));
        if (below(3) == 0)
                random_text(record.host, sizeof(record.host));
        if (below(3) == 0)
                random_text(record.catalogue, sizeof(record.catalogue));
        if (below(2)) {
                good_arguments(&record);
        } else {
                random_text(record.format, sizeof(record.format));
                bad_arguments(&record);
        }
        return record;
}

/* n records with rising numbers; errors_done() frees them. */
static struct errors random_errors(size_t n)
{
        struct errors errors = {.records = calloc(n + 1, sizeof(*errors.records)), .n = n};
        uint64_t seq = 1;

        assert_non_null(errors.records);
        errors.book = (struct croft_errlog_book){.partition = below(4) ? below(1000) : ERRORS_NO_BOOK,
                .attempt = below(3),
                .attempt_ns = (int64_t)chance(),
                .refused_own = below(3) ? 0 : chance() >> 2,
                .refused_reserved = below(3) ? 0 : chance() >> 2};
        random_text(errors.book.name, sizeof(errors.book.name));
        random_text(errors.book.operation, sizeof(errors.book.operation));
        for (size_t i = 0; i < n; i++, seq += 1 + (below(4) ? 0 : below(9)))
                errors.records[i] = random_record(seq);
        return errors;
}

/* --- what is printed ---------------------------------------------------------------------------------------------- */

/* Caller frees. */
static char *text_of(const struct errors *errors, bool reverse)
{
        const struct cli cli = {.format = FORMAT_TABLE};
        char *out = NULL;
        size_t size = 0;
        FILE *f = open_memstream(&out, &size);

        assert_non_null(f);
        errors_print_text(&cli, f, errors, reverse);
        fclose(f);
        assert_int_equal(strlen(out), size);
        return out;
}

static char *xml_of(const struct errors *errors)
{
        char *out = NULL;
        size_t size = 0;
        FILE *f = open_memstream(&out, &size);

        assert_non_null(f);
        errors_print_xml(f, errors);
        fclose(f);
        assert_int_equal(strlen(out), size);
        return out;
}

static char *json_of(const struct errors *errors)
{
        json_t *object = errors_json(errors);
        char *out = json_dumps(object, JSON_INDENT(2));

        json_decref(object);
        assert_non_null(out);
        return out;
}

static size_t count(const char *text, const char *what)
{
        size_t n = 0;

        for (const char *p = text; (p = strstr(p, what)); p += strlen(what))
                n++;
        return n;
}

/* UTF-8 of which a terminal shows each character as such, in lines. */
static void assert_harmless(const char *text)
{
        size_t size = strlen(text), n;
        uint32_t c = 0;

        for (size_t i = 0; i < size; i += n) {
                n = text_utf8(text + i, size - i, &c);
                if (n == 0 || (c != '\n' && !text_printable(c)))
                        fail_msg("byte %zu of '%s' is 0x%02x", i, text, (unsigned char)text[i]);
        }
}

static void prints(const struct errors *errors, bool reverse, const char *expected)
{
        char *out = text_of(errors, reverse);

        assert_string_equal(out, expected);
        free(out);
}

/* --- random books ------------------------------------------------------------------------------------------------- */

static char directory[PATH_MAX];
static size_t n_files;

static char *file_name(size_t i, const char *suffix)
{
        char *name = NULL;

        assert_true(asprintf(&name, "%s/%03zu.%s", directory, i, suffix) > 0);
        return name;
}

static void write_file(const char *suffix, const char *text)
{
        char *name = file_name(n_files, suffix);
        FILE *f = fopen(name, "w");

        assert_non_null(f);
        assert_true(fputs(text, f) >= 0);
        assert_int_equal(fclose(f), 0);
        free(name);
}

static void check_book(const struct errors *errors)
{
        char *text = text_of(errors, below(2)), *json = json_of(errors), *xml = xml_of(errors);
        json_t *read = json_loads(json, 0, NULL);
        bool refused = errors->book.refused_own + errors->book.refused_reserved > 0;

        assert_harmless(text);
        assert_harmless(json);
        assert_harmless(xml);
        assert_int_equal(count(text, "\n"), errors->n + refused);
        assert_int_equal(count(xml, "\n  <record "), errors->n);
        assert_non_null(read);
        assert_int_equal(json_array_size(json_object_get(read, "records")), errors->n);
        json_decref(read);
        write_file("json", json);
        write_file("xml", xml);
        n_files++;
        free(text);
        free(json);
        free(xml);
}

static void all_forms_have_all_records_whatever_is_in_them(void **state)
{
        (void)state;
        seed = 0x5eed;
        n_files = 0;
        for (size_t left = RECORDS, n; left > 0; left -= n) {
                struct errors errors;

                n = n_files == 0 ? BOOK_MAX : below(BOOK_MAX + 1);
                n = n < left ? n : left;
                errors = random_errors(n);
                check_book(&errors);
                errors_done(&errors);
        }
}

static void the_xml_is_valid_by_its_schema(void **state)
{
        static char program[] = "xmllint", quiet[] = "--noout", schema[] = "--schema", xsd[] = ERRORS_XSD;
        char **argv = calloc(n_files + 5, sizeof(*argv));
        int status = -1, r;
        pid_t pid;

        (void)state;
        assert_non_null(argv);
        argv[0] = program;
        argv[1] = quiet;
        argv[2] = schema;
        argv[3] = xsd;
        for (size_t i = 0; i < n_files; i++)
                argv[4 + i] = file_name(i, "xml");
        r = posix_spawnp(&pid, program, NULL, NULL, argv, environ);
        for (size_t i = 0; i < n_files; i++)
                free(argv[4 + i]);
        free(argv);
        if (r == ENOENT)
                skip();
        assert_int_equal(r, 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
}

/* --- order and indentation ---------------------------------------------------------------------------------------- */

static struct croft_errlog_record record_of(uint64_t seq, uint64_t cause, unsigned int source, const char *format)
{
        static const char *const components[] = {"", "kernel", "libx", "croftd", "backup", "croftd"};
        struct croft_errlog_record record = {.seq = seq, .cause = cause, .source = source, .attempt = 1};

        (void)snprintf(record.component, sizeof(record.component), "%s", components[source]);
        (void)snprintf(record.format, sizeof(record.format), "%s", format);
        return record;
}

static void causes_are_indented_below_what_they_led_to(void **state)
{
        struct croft_errlog_record records[] = {
                record_of(1, 0, CROFT_ERRLOG_KERNEL, "inner"),
                record_of(2, 0, CROFT_ERRLOG_LIBRARY, "alone"),
                record_of(3, 1, CROFT_ERRLOG_PROGRAM, "middle"),
                record_of(9, 3, CROFT_ERRLOG_SCRIPT, "outer"),
        };
        const struct errors errors = {.records = records, .n = ELEMENTS(records)};

        (void)state;
        records[1].severity = CROFT_ERRLOG_WARNING;
        records[3].time_ns = 61 * SECOND;
        prints(&errors, false,
                "1970-01-01 00:00:00  library libx    alone (warning)\n"
                "1970-01-01 00:01:01  script backup   outer\n"
                "                     program croftd    middle\n"
                "                     kernel              inner\n");
        prints(&errors, true,
                "1970-01-01 00:00:00  library libx    alone (warning)\n"
                "1970-01-01 00:00:00  kernel          inner\n"
                "                     program croftd    middle\n"
                "                     script backup       outer\n");
}

static void a_cause_of_two_is_printed_once(void **state)
{
        struct croft_errlog_record records[] = {
                record_of(1, 0, CROFT_ERRLOG_KERNEL, "root"),
                record_of(2, 1, CROFT_ERRLOG_KERNEL, "cause"),
                record_of(3, 2, CROFT_ERRLOG_KERNEL, "one"),
                record_of(4, 2, CROFT_ERRLOG_KERNEL, "two"),
        };
        const struct errors errors = {.records = records, .n = ELEMENTS(records)};

        (void)state;
        prints(&errors, false,
                "1970-01-01 00:00:00  kernel  one\n"
                "                     kernel    cause\n"
                "                     kernel      root\n"
                "1970-01-01 00:00:00  kernel  two\n");
        prints(&errors, true,
                "1970-01-01 00:00:00  kernel  root\n"
                "                     kernel    cause\n"
                "                     kernel      one\n"
                "1970-01-01 00:00:00  kernel  two\n");
}

static void causes_in_a_circle_lose_no_record(void **state)
{
        struct croft_errlog_record records[] = {
                record_of(1, 1, CROFT_ERRLOG_KERNEL, "itself"),
                record_of(2, 3, CROFT_ERRLOG_KERNEL, "two"),
                record_of(3, 2, CROFT_ERRLOG_KERNEL, "three"),
                record_of(4, 3, CROFT_ERRLOG_KERNEL, "into it"),
                record_of(5, UINT64_MAX, CROFT_ERRLOG_KERNEL, "not there"),
        };
        const struct errors errors = {.records = records, .n = ELEMENTS(records)};

        (void)state;
        prints(&errors, false,
                "1970-01-01 00:00:00  kernel  into it\n"
                "                     kernel    three\n"
                "                     kernel      two\n"
                "1970-01-01 00:00:00  kernel  not there\n"
                "1970-01-01 00:00:00  kernel  itself\n");
}

/* Number and depth of the next line, whose message is "#NUMBER". */
static uint64_t next_line(char **at, size_t *ret_depth)
{
        char *line = strsep(at, "\n"), *message = strchr(line, '#');

        assert_non_null(message);
        *ret_depth = (size_t)(message - line - 29) / 2; /* behind "1970-01-01 00:00:00  kernel  " */
        assert_int_equal(line[0] == ' ', *ret_depth > 0);
        return strtoull(message + 1, NULL, 10);
}

static void check_walk(const struct errors *errors, bool reverse)
{
        char *text = text_of(errors, reverse), *at = text;
        bool seen[BOOK_MAX + 1] = {false};
        uint64_t last = 0, seq;
        size_t depth, last_depth = 0;

        for (size_t i = 0; i < errors->n; i++, last = seq, last_depth = depth) {
                seq = next_line(&at, &depth);
                assert_in_range(seq, 1, errors->n);
                assert_false(seen[seq]);
                seen[seq] = true;
                if (depth == 0)
                        continue;
                assert_int_equal(depth, last_depth + 1);
                if (reverse)
                        assert_int_equal(errors->records[seq - 1].cause, last);
                else
                        assert_int_equal(errors->records[last - 1].cause, seq);
        }
        assert_string_equal(at, "");
        free(text);
}

static void each_record_is_printed_once_beside_its_cause_whatever_the_numbers(void **state)
{
        struct croft_errlog_record records[BOOK_MAX];

        (void)state;
        seed = 0xca05e;
        for (size_t round = 0; round < 500; round++) {
                const struct errors errors = {.records = records, .n = 1 + below(below(2) ? 6 : BOOK_MAX)};

                for (size_t i = 0; i < errors.n; i++) {
                        char format[32];

                        (void)snprintf(format, sizeof(format), "#%zu", i + 1);
                        records[i] = record_of(
                                i + 1, below(2) ? below(i + 1) : below(errors.n + 2), CROFT_ERRLOG_KERNEL, format);
                }
                check_walk(&errors, round % 2);
        }
}

static void what_found_no_room_is_told(void **state)
{
        const struct errors errors = {.book = {.refused_own = 3, .refused_reserved = 4}};

        (void)state;
        prints(&errors, false, "7 more found no room: 3 by the partition, 4 by the kernel and by global\n");
}

/* --- what a record says ------------------------------------------------------------------------------------------- */

static void a_message_can_not_imitate_another_record(void **state)
{
        struct croft_errlog_record record =
                record_of(1, 0, CROFT_ERRLOG_SCRIPT, "a\n1970-01-01 00:00:00  kernel  b\033[1A\r%s");
        const struct errors errors = {.records = &record, .n = 1};

        (void)state;
        (void)snprintf(record.component, sizeof(record.component), "x\n\xc2\x9b");
        memcpy(record.args, "s\n\xff", 4);
        record.args_size = 4;
        record.n_args = 1;
        prints(&errors, false,
                "1970-01-01 00:00:00  script x\\x0a\\xc2\\x9b  "
                "a\\x0a1970-01-01 00:00:00  kernel  b\\x1b[1A\\x0d\\x0a\\xff\n");
}

static void the_text_of_errno_is_added_where_it_was_met(void **state)
{
        struct croft_errlog_record records[] = {
                record_of(1, 0, CROFT_ERRLOG_KERNEL, "open 'x'"),
                record_of(2, 1, CROFT_ERRLOG_KERNEL, "read the list"),
                record_of(3, 0, CROFT_ERRLOG_KERNEL, "open 'y': No such file or directory"),
                record_of(4, 0, CROFT_ERRLOG_KERNEL, "odd"),
        };
        const struct errors errors = {.records = records, .n = ELEMENTS(records)};

        (void)state;
        records[0].errnum = records[1].errnum = records[2].errnum = ENOENT;
        records[3].errnum = INT_MIN;
        prints(&errors, false,
                "1970-01-01 00:00:00  kernel  read the list\n"
                "                     kernel    open 'x': No such file or directory\n"
                "1970-01-01 00:00:00  kernel  open 'y': No such file or directory\n"
                "1970-01-01 00:00:00  kernel  odd\n");
}

static void times_are_right_before_1970_too(void **state)
{
        char buf[64];

        (void)state;
        assert_string_equal(errors_time(buf, sizeof(buf), 1795251600 * SECOND + 123999999), "2026-11-21T09:00:00.123Z");
        assert_string_equal(errors_time(buf, sizeof(buf), -1), "1969-12-31T23:59:59.999Z");
        assert_string_equal(errors_time(buf, sizeof(buf), -SECOND), "1969-12-31T23:59:59.000Z");
        assert_string_equal(errors_time(buf, sizeof(buf), INT64_MIN), "1677-09-21T00:12:43.145Z");
        assert_string_equal(errors_time(buf, sizeof(buf), INT64_MAX), "2262-04-11T23:47:16.854Z");
}

static void a_partition_without_record_has_no_id(void **state)
{
        const struct errors errors = {.book = {.partition = ERRORS_NO_BOOK, .name = "web"}};
        char *xml = xml_of(&errors);
        json_t *json = errors_json(&errors);

        (void)state;
        assert_null(json_object_get(json, "id"));
        assert_string_equal(xml, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                                 "<errors xmlns=\"urn:croft:errors:1\" partition=\"web\" attempt=\"0\" "
                                 "refused-own=\"0\" refused-reserved=\"0\">\n"
                                 "</errors>\n");
        json_decref(json);
        free(xml);
}

/* --- */

static int make_directory(void **state)
{
        const char *given = getenv("CROFT_ERRORS_DIR"), *tmp = getenv("TMPDIR");

        (void)state;
        (void)setenv("TZ", "UTC0", 1);
        tzset();
        if (given)
                return snprintf(directory, sizeof(directory), "%s", given) < 0;
        (void)snprintf(directory, sizeof(directory), "%s/croft-test-errors.XXXXXX", tmp ? tmp : "/tmp");
        return mkdtemp(directory) ? 0 : -1;
}

static int remove_directory(void **state)
{
        static const char *const suffixes[] = {"json", "xml"};

        (void)state;
        if (getenv("CROFT_ERRORS_DIR"))
                return 0;
        for (size_t i = 0; i < 2 * n_files; i++) {
                char *name = file_name(i / 2, suffixes[i % 2]);

                (void)unlink(name);
                free(name);
        }
        return rmdir(directory);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(all_forms_have_all_records_whatever_is_in_them),
                cmocka_unit_test(the_xml_is_valid_by_its_schema),
                cmocka_unit_test(causes_are_indented_below_what_they_led_to),
                cmocka_unit_test(a_cause_of_two_is_printed_once),
                cmocka_unit_test(causes_in_a_circle_lose_no_record),
                cmocka_unit_test(each_record_is_printed_once_beside_its_cause_whatever_the_numbers),
                cmocka_unit_test(what_found_no_room_is_told),
                cmocka_unit_test(a_message_can_not_imitate_another_record),
                cmocka_unit_test(the_text_of_errno_is_added_where_it_was_met),
                cmocka_unit_test(times_are_right_before_1970_too),
                cmocka_unit_test(a_partition_without_record_has_no_id),
        };

        return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
