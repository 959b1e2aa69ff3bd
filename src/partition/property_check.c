/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * property_check.c - what each property may be.  See property_check.h.  Pure: nothing of the host is looked at, so that
 * a definition made here is right on another machine, too.
 */
#include "partition/property_check.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "kernel/cpus.h"
#include "kernel/net.h"
#include "partition/init_command.h"

#include <stdarg.h>
#include <string.h>

#define CPU_PERIOD 100000  /* microseconds, the kernel's default */
#define HOSTNAME_MAX 64    /* __NEW_UTS_LEN */
#define TEXT_MAX 256       /* bytes of a description */
#define IO_ENTRIES_MAX 64  /* block devices in io.max */
#define NOFILE_MAX 1048576 /* fs.nr_open of a stock kernel */

/* -EINVAL: "'64X' is no size; give ...". */
static int refuse(struct croft_error *err, const char *value, const char *rule)
{
        char escaped[160];

        return croft_error_set(
                err, EINVAL, "'%s' is %s.", str_escape(escaped, sizeof(escaped), value, strlen(value)), rule);
}

__attribute__((format(printf, 3, 4))) static int give(char **ret, struct croft_error *err, const char *format, ...)
{
        va_list ap;
        int n;

        va_start(ap, format);
        n = vasprintf(ret, format, ap);
        va_end(ap);
        if (n < 0) {
                *ret = NULL;
                return croft_error_set(err, ENOMEM, "keep a property");
        }
        return 0;
}

static int give_size(uint64_t size, char **ret, struct croft_error *err)
{
        if (size == UINT64_MAX)
                return give(ret, err, "max");
        return give(ret, err, "%ju", (uintmax_t)size);
}

#define SIZE_RULE "no size; give bytes, a number with K, M, G or T, or max"

int property_check_size(const char *value, char **ret, struct croft_error *err)
{
        uint64_t size;

        /* The kernel counts pages in a long: more than that is a slip of the finger. */
        if (!str_to_size(value, &size) || (size != UINT64_MAX && size > INT64_MAX))
                return refuse(err, value, SIZE_RULE);
        return give_size(size, ret, err);
}

int property_check_memory(const char *value, char **ret, struct croft_error *err)
{
        uint64_t size;

        if (!str_to_size(value, &size) || (size != UINT64_MAX && size > INT64_MAX))
                return refuse(err, value, SIZE_RULE);
        if (size < 1024 * 1024)
                return refuse(err, value, "too little memory for any program; give at least 1M");
        return give_size(size, ret, err);
}

static int check_number(
        const char *value, uint64_t min, uint64_t max, const char *rule, char **ret, struct croft_error *err)
{
        uint64_t number;

        if (!str_to_u64(value, max, &number) || number < min)
                return refuse(err, value, rule);
        return give(ret, err, "%ju", (uintmax_t)number);
}

int property_check_weight(const char *value, char **ret, struct croft_error *err)
{
        return check_number(value, 1, 10000, "no weight; give a number from 1 to 10000", ret, err);
}

int property_check_pids(const char *value, char **ret, struct croft_error *err)
{
        if (strcmp(value, "max") == 0)
                return give(ret, err, "max");
        return check_number(
                value, 1, 4194304, "no number of processes; give a number from 1 to 4194304, or max", ret, err);
}

int property_check_nofile(const char *value, char **ret, struct croft_error *err)
{
        return check_number(
                value, 64, NOFILE_MAX, "no number of open files; give a number from 64 to 1048576", ret, err);
}

int property_check_order(const char *value, char **ret, struct croft_error *err)
{
        return check_number(value, 0, 9999, "no place in the order; give a number from 0 to 9999", ret, err);
}

int property_check_seconds(const char *value, char **ret, struct croft_error *err)
{
        return check_number(value, 1, 86400, "no time; give seconds, 1 to 86400", ret, err);
}

int property_check_yes_no(const char *value, char **ret, struct croft_error *err)
{
        static const char *const yes[] = {"yes", "true", "on", "1"}, *const no[] = {"no", "false", "off", "0"};

        for (size_t i = 0; i < ELEMENTS(yes); i++) {
                if (strcmp(value, yes[i]) == 0)
                        return give(ret, err, "yes");
                if (strcmp(value, no[i]) == 0)
                        return give(ret, err, "no");
        }
        return refuse(err, value, "neither yes nor no");
}

int property_check_mount_stats(const char *value, char **ret, struct croft_error *err)
{
        if (strcmp(value, "latency") == 0)
                return give(ret, err, "latency");
        if (property_check_yes_no(value, ret, NULL) == 0)
                return 0;
        return refuse(err, value, "none of yes, latency and no");
}

/* "50%" or "150%": of one CPU. */
static bool parse_percent(const char *value, uint64_t *ret_quota)
{
        size_t n = strlen(value);
        char digits[8];

        if (n < 2 || n > sizeof(digits) || value[n - 1] != '%')
                return false;
        memcpy(digits, value, n - 1);
        digits[n - 1] = '\0';
        return str_to_u64(digits, 100 * CPUS_MAX, ret_quota) && (*ret_quota *= CPU_PERIOD / 100) > 0;
}

#define CPU_MAX_RULE                                                                                                   \
        "no CPU limit; give N% of one CPU, \"QUOTA PERIOD\" in microseconds (quota from 1000, period 1000 to "         \
        "1000000), or max"

int property_check_cpu_max(const char *value, char **ret, struct croft_error *err)
{
        uint64_t quota, period = CPU_PERIOD;
        char first[24];
        size_t n = strcspn(value, " ");

        if (parse_percent(value, &quota))
                return give(ret, err, "%ju %d", (uintmax_t)quota, CPU_PERIOD);
        if (n >= sizeof(first))
                return refuse(err, value, CPU_MAX_RULE);
        memcpy(first, value, n);
        first[n] = '\0';
        value += n;
        if ((*value == ' ' && !str_to_u64(value + 1, 1000000, &period)) || period < 1000)
                return refuse(err, value - n, CPU_MAX_RULE);
        if (strcmp(first, "max") == 0)
                return give(ret, err, "max");
        if (!str_to_u64(first, INT64_MAX / 1000, &quota) || quota < 1000)
                return refuse(err, value - n, CPU_MAX_RULE);
        return give(ret, err, "%ju %ju", (uintmax_t)quota, (uintmax_t)period);
}

int property_check_cpu_set(const char *value, char **ret, struct croft_error *err)
{
        struct cpus cpus;

        if (!*value || !cpus_parse(value, &cpus))
                return refuse(err, value, "no list of CPUs; give numbers and ranges like 0-3,6");
        *ret = cpus_format(&cpus);
        return *ret ? 0 : croft_error_set(err, ENOMEM, "keep a property");
}

int property_check_pool(const char *value, char **ret, struct croft_error *err)
{
        if (!str_is_name(value))
                return refuse(err, value, "no name of a pool; give " STR_NAME_RULE);
        return give(ret, err, "%s", value);
}

static bool is_device(const char *word)
{
        const char *colon = strchr(word, ':');
        char major[8];
        uint64_t number;

        if (str_has_prefix(word, "/dev/"))
                return !strstr(word, "/../") && strlen(word) > 5;
        if (!colon || (size_t)(colon - word) >= sizeof(major))
                return false;
        memcpy(major, word, (size_t)(colon - word));
        major[colon - word] = '\0';
        return str_to_u64(major, 4095, &number) && str_to_u64(colon + 1, 1048575, &number);
}

/* "rbps=1M" to f as " rbps=1048576". */
static bool put_io_limit(FILE *f, const char *word)
{
        static const char *const keys[] = {"rbps=", "wbps=", "riops=", "wiops="};
        uint64_t number;

        for (size_t i = 0; i < ELEMENTS(keys); i++) {
                if (!str_has_prefix(word, keys[i]))
                        continue;
                if (!str_to_size(word + strlen(keys[i]), &number) || number == 0)
                        return false;
                if (number == UINT64_MAX)
                        (void)fprintf(f, " %smax", keys[i]);
                else
                        (void)fprintf(f, " %s%ju", keys[i], (uintmax_t)number);
                return true;
        }
        return false;
}

static bool put_io_entry(FILE *f, char *entry)
{
        char *save = NULL, *word = strtok_r(entry, " \t", &save);
        bool any = false;

        if (!word || !is_device(word))
                return false;
        (void)fputs(word, f);
        while ((word = strtok_r(NULL, " \t", &save))) {
                if (!put_io_limit(f, word))
                        return false;
                any = true;
        }
        return any;
}

int property_check_io_max(const char *value, char **ret, struct croft_error *err)
{
        static const char rule[] = "no limit of block devices; give \"MAJOR:MINOR rbps=N wbps=N riops=N wiops=N\" (or "
                                   "/dev/NAME), several separated by ';'";
        _cleanup_free_ char *copy = strdup(value), *text = NULL;
        char *save = NULL;
        size_t size = 0;
        unsigned int n = 0;
        bool ok = true;
        FILE *f;

        if (!copy)
                return croft_error_set(err, ENOMEM, "keep a property");
        f = open_memstream(&text, &size);
        if (!f)
                return croft_error_set(err, ENOMEM, "keep a property");
        for (char *entry = strtok_r(copy, ";\n", &save); entry && ok; entry = strtok_r(NULL, ";\n", &save)) {
                if (n++ > 0)
                        (void)fputs("; ", f);
                ok = n <= IO_ENTRIES_MAX && put_io_entry(f, entry);
        }
        if (fclose(f) != 0)
                return croft_error_set(err, ENOMEM, "keep a property");
        if (!ok || n == 0)
                return refuse(err, value, rule);
        *ret = TAKE(text);
        return 0;
}

int property_check_hostname(const char *value, char **ret, struct croft_error *err)
{
        size_t n = strlen(value), label = 0;
        bool ok = n <= HOSTNAME_MAX &&
                  strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-") == n;

        /* Labels of 1 to 63 that neither begin nor end with '-'. */
        for (size_t i = 0; ok && i <= n; i++) {
                if (i < n && value[i] != '.') {
                        label++;
                        continue;
                }
                ok = label >= 1 && label <= 63 && value[i - 1] != '-' && value[i - label] != '-';
                label = 0;
        }
        if (!ok)
                return refuse(err, value,
                        "no host name; give labels of letters, digits and '-' separated by dots, 64 bytes at most");
        return give(ret, err, "%s", value);
}

int property_check_init(const char *value, char **ret, struct croft_error *err)
{
        char **words = NULL;

        if (strcmp(value, "auto") != 0 && strcmp(value, "croft") != 0 && !str_has_prefix(value, "croft ") &&
                value[0] != '/')
                return refuse(err, value, "no init; give auto, croft, \"croft COMMAND...\" or /PATH ARGUMENTS...");
        if (strpbrk(value, "\n\r"))
                return refuse(err, value, "no init; it is one line");
        if (init_words(value, &words) < 0)
                return refuse(err, value, "no init; it has a quote that doesn't end");
        strv_free(words);
        return give(ret, err, "%s", value);
}

int property_check_net(const char *value, char **ret, struct croft_error *err)
{
        struct net_spec spec;
        int r = net_spec_parse(value, &spec, err);

        return r < 0 ? r : give(ret, err, "%s", value);
}

int property_check_env(const char *value, char **ret, struct croft_error *err)
{
        return give(ret, err, "%s", value);
}

/* Text that a terminal can show: valid UTF-8 without control characters. */
static bool is_plain(const char *value)
{
        char plain[TEXT_MAX + 1], escaped[4 * TEXT_MAX + 1];

        if (!str_copy(plain, sizeof(plain), value))
                return false;
        for (char *c = plain; *c; c++)
                if (*c == '\\')
                        *c = '/'; /* what str_escape() would double is fine here */
        return strcmp(str_escape(escaped, sizeof(escaped), plain, strlen(plain)), plain) == 0;
}

int property_check_text(const char *value, char **ret, struct croft_error *err)
{
        if (!is_plain(value))
                return refuse(
                        err, value, "no description; give one line of at most 256 bytes without control characters");
        return give(ret, err, "%s", value);
}
