/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * test_metrics.c - statistics as text: golden files, hostile names, missing parts, pieces of every size, negotiation.
 *
 * GOLDEN_WRITE=1 writes the golden files anew; look at what changed.
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "daemon/metrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Everything known, with different numbers everywhere. */
static void fill(struct stats_partition *p, const char *name)
{
        struct kstat_sample *sample = calloc(1, sizeof(*sample));
        uint64_t *memory = (uint64_t *)&sample->memory;

        stats_partition_init(p);
        strcpy(p->name, name);
        p->state = PARTITION_ACTIVE;
        p->running = true;
        p->native = true;
        p->started = 1764000000;
        p->tasks_max = 4096;
        sample->cpus[0] = 7;
        sample->quota_us = 150000;
        sample->period_us = 100000;
        sample->threads = 12;
        sample->running = 2;
        sample->blocked = 1;
        sample->forks = 18446744073709551000ULL;
        sample->switches = KSTAT_NONE;
        sample->load[0] = 2048 + 1024;
        sample->load[1] = 205;
        sample->load[2] = 20;
        for (size_t i = 0; i < sizeof(sample->memory) / sizeof(uint64_t); i++)
                memory[i] = 4096 * (i + 1);
        sample->memory.limit = 1 << 20;
        sample->memory.swap_limit = KSTAT_NONE;
        for (unsigned int i = 0; i < 3; i++)
                for (unsigned int k = 0; k < 2; k++)
                        sample->pressure[i][k].total_us = 1000001 + i * 10 + k;
        sample->n_disks = 2;
        sample->disks[0] = (struct kstat_sample_disk){8, 0, 11, 45056, 3, 12288};
        sample->disks[1] = (struct kstat_sample_disk){253, 7, 0, 0, 0, 0};
        sample->n_cpus = 2;
        sample->cpu[0] = (struct kstat_sample_cpu){1500000000, 0, 7};
        sample->cpu[1] = (struct kstat_sample_cpu){2000000001, 5, 30000000000};
        assert_int_equal(stats_take_sample(p, sample), 0);
        free(sample);
        stats_derive(p, 8ULL << 30);
}

static void add_interface(struct stats_partition *p, const char *name)
{
        p->interface = realloc(p->interface, (p->n_interface + 1) * sizeof(*p->interface));
        p->interface[p->n_interface] = (struct stats_interface){.receive_bytes = 1,
                .receive_packets = 2,
                .receive_errors = 3,
                .receive_drops = 4,
                .transmit_bytes = 5,
                .transmit_packets = 6,
                .transmit_errors = 7,
                .transmit_drops = 8};
        strcpy(p->interface[p->n_interface++].name, name);
}

static struct stats *make(size_t n)
{
        struct stats *s = malloc(sizeof(*s));

        stats_init(s);
        strcpy(s->daemon.tag, "0123abcd");
        s->daemon.done[LIFE_START] = 3;
        s->daemon.failed[LIFE_START] = 1;
        s->daemon.cpu_ns = 1234567890;
        s->partition = calloc(n + 1, sizeof(*s->partition));
        s->n = n;
        return s;
}

static char *render(const struct stats *s, enum metrics_format format, size_t piece)
{
        struct metrics *m = metrics_new(s, format);
        char *text = calloc(1, 1 << 20);
        size_t size = 0;
        ssize_t n;

        assert_non_null(m);
        while ((n = metrics_read(m, text + size, piece)) > 0)
                size += (size_t)n;
        assert_int_equal(n, 0);
        assert_int_equal(metrics_read(m, text + size, piece), 0);
        metrics_free(m);
        return text;
}

/* New operations come; those of one are enough. */
static void drop_operations(char *text)
{
        char *line = text, *to = text;

        while (*line) {
                size_t length = strcspn(line, "\n") + 1;

                if (strncmp(line, "croft_operations_total", 22) != 0 || strncmp(line + 34, "start\"", 6) == 0) {
                        memmove(to, line, length);
                        to += length;
                }
                line += length;
        }
        *to = '\0';
}

static void same_as_golden(char *text, const char *name)
{
        _cleanup_free_ char *golden = NULL;
        char path[512];

        drop_operations(text);
        (void)snprintf(path, sizeof(path), "%s/%s", GOLDEN_DIR, name);
        if (getenv("GOLDEN_WRITE")) {
                FILE *f = fopen(path, "w");

                assert_non_null(f);
                (void)fputs(text, f);
                (void)fclose(f);
        }
        assert_int_equal(fd_read_file(AT_FDCWD, path, 1 << 20, &golden, NULL), 0);
        assert_string_equal(text, golden);
}

static struct stats *three(void)
{
        struct stats *s = make(3);

        fill(&s->partition[0], "db");
        add_interface(&s->partition[0], "eth0");
        stats_partition_init(&s->partition[1]);
        strcpy(s->partition[1].name, "idle");
        stats_partition_init(&s->partition[2]);
        strcpy(s->partition[2].name, "web");
        s->partition[2].state = PARTITION_FROZEN;
        s->partition[2].time.user_ns = 5000000;
        s->partition[2].time.system_ns = 1000;
        return s;
}

static void the_text_is_that_of_the_golden_files(void **state)
{
        struct stats *s = three();
        _cleanup_free_ char *open = render(s, METRICS_OPENMETRICS, 65536), *old = render(s, METRICS_PROMETHEUS, 65536);

        (void)state;
        same_as_golden(open, "metrics-open.txt");
        same_as_golden(old, "metrics-0.0.4.txt");
        stats_free(s);
}

static void in_pieces_of_any_size_it_is_the_same(void **state)
{
        struct stats *s = three();
        _cleanup_free_ char *whole = render(s, METRICS_OPENMETRICS, 1 << 19);
        const size_t pieces[] = {1, 2, 7, 100, 4096, 4097};

        (void)state;
        for (size_t i = 0; i < ELEMENTS(pieces); i++) {
                _cleanup_free_ char *text = render(s, METRICS_OPENMETRICS, pieces[i]);

                assert_string_equal(text, whole);
        }
        stats_free(s);
}

static void a_hostile_name_stays_inside_its_quotes(void **state)
{
        struct stats *s = make(1);
        _cleanup_free_ char *text = NULL;

        (void)state;
        fill(&s->partition[0], "w\"} 1\nevil 2");
        add_interface(&s->partition[0], "a\"b\\c\n\033");
        text = render(s, METRICS_OPENMETRICS, 4096);
        assert_null(strstr(text, "\nevil"));
        assert_null(strchr(text, '\033'));
        assert_non_null(strstr(text, "name=\"w\\\"} 1\\\\x0aevil 2\""));
        assert_non_null(strstr(text, "device=\"a\\\"b\\\\x5cc\\\\x0a\\\\x1b\""));
        stats_free(s);
}

static void what_is_not_known_has_no_line_and_hides_nothing(void **state)
{
        struct stats *s = make(2);
        _cleanup_free_ char *text = NULL;

        (void)state;
        stats_partition_init(&s->partition[0]);
        strcpy(s->partition[0].name, "gone");
        s->partition[0].n_disk = 1; /* one disk of which one figure is known */
        memset(&s->partition[0].disk[0], 0xff, sizeof(s->partition[0].disk[0]));
        strcpy(s->partition[0].disk[0].name, "7:0");
        s->partition[0].disk[0].reads = 5;
        fill(&s->partition[1], "here");
        text = render(s, METRICS_OPENMETRICS, 4096);
        assert_non_null(strstr(text, "croft_partition_state{name=\"gone\""));
        assert_null(strstr(text, "croft_memory_usage_bytes{name=\"gone\""));
        assert_non_null(
                strstr(text, "croft_disk_reads_completed_total{name=\"gone\",type=\"image\",device=\"7:0\"} 5\n"));
        assert_null(strstr(text, "croft_disk_read_bytes_total{name=\"gone\""));
        assert_non_null(
                strstr(text, "croft_disk_read_bytes_total{name=\"here\",type=\"native\",device=\"8:0\"} 45056\n"));
        assert_null(strstr(text, "18446744073709551615"));
        stats_free(s);
}

static void no_partitions_make_a_whole_text(void **state)
{
        struct stats *s = make(0);
        _cleanup_free_ char *text = render(s, METRICS_OPENMETRICS, 4096);

        (void)state;
        assert_non_null(strstr(text, "# TYPE croft_cpu_seconds counter\n# UNIT croft_cpu_seconds seconds\n"));
        assert_string_equal(text + strlen(text) - 6, "# EOF\n");
        stats_free(s);
}

static void names_are_sound(void **state)
{
        const char *name, *type, *unit;

        (void)state;
        for (size_t i = 0; (name = metrics_family(i, &type, &unit)); i++) {
                const char *other;

                if (unit) {
                        assert_true(strlen(name) > strlen(unit) + 1);
                        assert_string_equal(name + strlen(name) - strlen(unit), unit);
                }
                if (strcmp(type, "counter") == 0)
                        assert_null(strstr(name, "_total"));
                for (size_t k = 0; k < i && (other = metrics_family(k, &type, &unit)); k++)
                        assert_string_not_equal(name, other);
        }
}

static void the_old_form_is_given_to_those_who_prefer_it(void **state)
{
        (void)state;
        assert_int_equal(metrics_negotiate(NULL), METRICS_OPENMETRICS);
        assert_int_equal(metrics_negotiate(""), METRICS_OPENMETRICS);
        assert_int_equal(metrics_negotiate("*/*"), METRICS_OPENMETRICS);
        assert_int_equal(metrics_negotiate("text/plain"), METRICS_PROMETHEUS);
        assert_int_equal(metrics_negotiate("text/plain;version=0.0.4;q=0.5, */*;q=0.1"), METRICS_PROMETHEUS);
        assert_int_equal(metrics_negotiate("application/openmetrics-text;version=1.0.0,application/openmetrics-text;"
                                           "version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"),
                METRICS_OPENMETRICS);
        assert_int_equal(metrics_negotiate("application/openmetrics-text;q=0.3,text/plain;q=0.5"), METRICS_PROMETHEUS);
        assert_int_equal(
                metrics_negotiate("Text/Plain ; Q=0.9 , application/openmetrics-text;q=0"), METRICS_PROMETHEUS);
        assert_int_equal(metrics_negotiate(",,;;q=,q=x;;"), METRICS_OPENMETRICS);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_text_is_that_of_the_golden_files),
                cmocka_unit_test(in_pieces_of_any_size_it_is_the_same),
                cmocka_unit_test(a_hostile_name_stays_inside_its_quotes),
                cmocka_unit_test(what_is_not_known_has_no_line_and_hides_nothing),
                cmocka_unit_test(no_partitions_make_a_whole_text),
                cmocka_unit_test(names_are_sound),
                cmocka_unit_test(the_old_form_is_given_to_those_who_prefer_it),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
