/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cpu_info.c - what a CPU is.  See cpu_info.h.
 */
#include "kstat/cpu_info.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/str.h"

#include <string.h>
#include <sys/utsname.h>

#define CPUINFO_MAX (16 << 20) /* some 1.5 kB a CPU */

/* The value of "key   : value" in a line; NULL: another line.  *ret_size without the end of the line. */
static const char *value_of(const char *line, const char *key, size_t *ret_size)
{
        size_t length = strlen(key);

        if (strncmp(line, key, length) != 0)
                return NULL;
        line += length;
        line += strspn(line, " \t");
        if (*line++ != ':')
                return NULL;
        line += strspn(line, " \t");
        *ret_size = strcspn(line, "\n");
        return line;
}

/* A decimal number at the beginning of the value; 0: none. */
static uint64_t number_of(const char *value, size_t size)
{
        uint64_t number = 0;

        for (size_t i = 0; i < size && value[i] >= '0' && value[i] <= '9' && number < INT32_MAX; i++)
                number = number * 10 + (uint64_t)(value[i] - '0');
        return number <= INT32_MAX ? number : 0;
}

/* "2100.123" MHz. */
static void take_clock(const char *value, size_t size, struct kstat_data_cpu_info *info)
{
        uint64_t mhz = number_of(value, size), hz = mhz * 1000000, part = 100000;
        size_t dot = strcspn(value, ".\n");

        for (size_t i = dot + 1; i < size && part > 0 && value[i] >= '0' && value[i] <= '9'; i++, part /= 10)
                hz += (uint64_t)(value[i] - '0') * part;
        info->clock_MHz = (__s64)mhz;
        info->current_clock_Hz = (__s64)hz;
}

static void take_text(const char *value, size_t size, char *ret, size_t room)
{
        memcpy(ret, value, size < room ? size : room - 1); /* the rest is zero */
}

static void take_line(const char *line, struct kstat_data_cpu_info *info)
{
        const struct {
                const char *key;
                __s64 *ret;
        } numbers[] = {{"cpu family", &info->family}, {"model", &info->model}, {"stepping", &info->stepping},
                {"physical id", &info->chip_id}, {"core id", &info->core_id}};
        const char *value;
        size_t size;

        for (size_t i = 0; i < ELEMENTS(numbers); i++)
                if ((value = value_of(line, numbers[i].key, &size)))
                        *numbers[i].ret = (__s64)number_of(value, size);
        if ((value = value_of(line, "vendor_id", &size)))
                take_text(value, size, info->vendor_id, sizeof(info->vendor_id));
        if ((value = value_of(line, "model name", &size)))
                take_text(value, size, info->brand, sizeof(info->brand));
        if ((value = value_of(line, "cpu MHz", &size)))
                take_clock(value, size, info);
}

void cpu_info_parse(const char *cpuinfo, unsigned int cpu, bool online, struct kstat_data_cpu_info *ret)
{
        struct kstat_data_cpu_info info = {.chip_id = -1, .core_id = -1};
        bool ours = false;

        (void)str_copy(info.state, sizeof(info.state), online ? "on-line" : "off-line");
        for (const char *line = cpuinfo; *line;) {
                const char *value;
                size_t size;

                if ((value = value_of(line, "processor", &size)))
                        ours = number_of(value, size) == cpu && size > 0;
                else if (ours)
                        take_line(line, &info);
                line += strcspn(line, "\n");
                line += *line == '\n';
        }
        *ret = info;
}

void cpu_info_read(unsigned int cpu, bool online, struct kstat_data_cpu_info *ret)
{
        _cleanup_free_ char *text = NULL;
        struct utsname name;

        if (fd_read_file(AT_FDCWD, "/proc/cpuinfo", CPUINFO_MAX, &text, NULL) < 0)
                text = NULL; /* a CPU without description is one all the same */
        cpu_info_parse(text ? text : "", cpu, online, ret);
        if (uname(&name) == 0)
                (void)str_copy(ret->cpu_type, sizeof(ret->cpu_type), name.machine);
}
