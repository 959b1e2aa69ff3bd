/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fake_kstat.c - see fake_kstat.h.
 */
#include "fake_kstat.h"

#include "kstat/illumos.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STATS_MAX 300
#define FIELDS_MAX 200

static struct fake_stat stats[STATS_MAX];
static size_t n_stats;
static struct kstat_field fields[STATS_MAX][FIELDS_MAX]; /* by schema */
static size_t n_fields[STATS_MAX];
static uint64_t last_kid, schemas;

struct fake_kstat fake_kstat;

void fake_kstat_reset(void)
{
        memset(stats, 0, sizeof(stats));
        memset(n_fields, 0, sizeof(n_fields));
        n_stats = 0;
        last_kid = 0;
        schemas = 0;
        fake_kstat = (struct fake_kstat){.kcid = 1};
}

struct fake_stat *fake_kstat_add(const char *module, int instance, const char *name, const char *class, int type)
{
        struct fake_stat *stat = &stats[n_stats++];

        memset(stat, 0, sizeof(*stat));
        stat->head.kid = ++last_kid;
        strncpy(stat->head.key.module, module, KSTAT_NAME_SIZE - 1);
        strncpy(stat->head.key.name, name, KSTAT_NAME_SIZE - 1);
        strncpy(stat->head.class, class, KSTAT_NAME_SIZE - 1);
        stat->head.key.instance = instance;
        stat->head.type = (uint8_t)type;
        stat->head.n_data = type == KSTAT_NAMED ? 0 : 1;
        stat->head.schema = type == KSTAT_NAMED ? (uint16_t)++schemas : 0;
        stat->head.crtime = 1234567891;
        stat->head.snaptime = 5000000000 + (int64_t)last_kid;
        fake_kstat.kcid++;
        return stat;
}

void fake_kstat_remove(uint64_t kid)
{
        for (size_t i = 0; i < n_stats; i++) {
                if (stats[i].head.kid != kid)
                        continue;
                memmove(&stats[i], &stats[i + 1], (n_stats - i - 1) * sizeof(*stats));
                n_stats--;
                fake_kstat.kcid++;
                return;
        }
}

static void *add_field(struct fake_stat *stat, const char *name, int type, int unit, uint16_t size)
{
        struct kstat_field *f = &fields[stat->head.schema][n_fields[stat->head.schema]++];

        *f = (struct kstat_field){
                .type = (uint8_t)type, .unit = (uint8_t)unit, .offset = (uint16_t)stat->head.size, .size = size};
        strncpy(f->name, name, sizeof(f->name) - 1);
        stat->head.size += size;
        stat->head.n_data++;
        return stat->data + f->offset;
}

void fake_kstat_number(struct fake_stat *stat, const char *name, int type, int unit, int64_t value)
{
        memcpy(add_field(stat, name, type, unit, 8), &value, 8);
}

void fake_kstat_text(struct fake_stat *stat, const char *name, int type, const char *value)
{
        uint16_t size = type == KSTAT_DATA_CHAR ? 16 : (uint16_t)(strlen(value) / 8 * 8 + 8);

        strncpy(add_field(stat, name, type, KSTAT_UNIT_NONE, size), value, size);
}

void fake_kstat_data(struct fake_stat *stat, const void *data, size_t size)
{
        memcpy(stat->data, data, size);
        stat->head.size = (uint32_t)size;
}

/* --- the program
 * ------------------------------------------------------------------------------------------------------ */

static bool sees(const struct fake_stat *stat, uint64_t partition)
{
        return !stat->private || (partition != 0 && partition == fake_kstat.other);
}

static int answer(struct kstat_call *call, const struct fake_stat *stat, bool large)
{
        call->head = stat->head;
        if (stat->head.size > (large ? KSTAT_LARGE_DATA : KSTAT_SMALL_DATA))
                return -ENOMEM;
        memcpy((uint8_t *)call + offsetof(struct kstat_call, data), stat->data, stat->head.size);
        return 0;
}

static bool is_meant(const struct kstat_call *call, const struct fake_stat *stat)
{
        if (!sees(stat, call->caller))
                return false;
        if (call->op == KSTAT_OP_FIND)
                return memcmp(&call->key, &stat->head.key, sizeof(call->key)) == 0;
        return call->kid == stat->head.kid;
}

static int one(struct kstat_call *call, bool large)
{
        for (size_t i = 0; i < n_stats; i++) {
                if (is_meant(call, &stats[i]))
                        return answer(call, &stats[i], large);
        }
        return -ENXIO;
}

static int list(struct kstat_call *call)
{
        uint64_t kids[STATS_MAX];
        uint32_t total = 0, at = call->at * KSTAT_PAGE_KIDS;

        for (size_t i = 0; i < n_stats; i++) {
                if (sees(&stats[i], call->caller))
                        kids[total++] = stats[i].head.kid;
        }
        call->total = total;
        if (call->at > 0 && at >= total)
                return -EINVAL;
        call->n = total - at < KSTAT_PAGE_KIDS ? total - at : KSTAT_PAGE_KIDS;
        memcpy(call->data, kids + at, call->n * sizeof(uint64_t));
        if (fake_kstat.moving)
                fake_kstat.kcid++;
        return 0;
}

static int schema(struct kstat_call *call)
{
        size_t n = call->kid < STATS_MAX ? n_fields[call->kid] : 0;

        if (call->at >= n)
                return -EINVAL;
        call->total = (uint32_t)n;
        call->n = n - call->at < KSTAT_PAGE_FIELDS ? (uint32_t)n - call->at : KSTAT_PAGE_FIELDS;
        memcpy(call->data, &fields[call->kid][call->at], call->n * sizeof(struct kstat_field));
        return 0;
}

static int count(struct kstat_call *call)
{
        call->total = (uint32_t)n_stats;
        return 0;
}

static int run(void *context, struct kstat_call *call, bool large)
{
        (void)context;
        fake_kstat.calls++;
        if (fake_kstat.error)
                return fake_kstat.error;
        if (fake_kstat.again > 0) {
                fake_kstat.again--;
                return -EAGAIN;
        }
        if (call->partition && fake_kstat.caller)
                return -EPERM;
        if (call->partition && call->partition != fake_kstat.other)
                return -ESRCH;
        call->caller = call->partition ? call->partition : fake_kstat.caller;
        call->kcid = fake_kstat.kcid;
        switch (call->op) {
        case KSTAT_OP_CHAIN:
                return count(call);
        case KSTAT_OP_LIST:
                return list(call);
        case KSTAT_OP_READ:
        case KSTAT_OP_FIND:
                return one(call, large);
        case KSTAT_OP_SCHEMA:
                return schema(call);
        case KSTAT_OP_WRITE:
                return fake_kstat.caller ? -EPERM : -EACCES;
        default:
                return -EINVAL;
        }
}

static void close_fake(void *context)
{
        (void)context;
        fake_kstat.closed++;
}

int __wrap_kstat_transport_open(const char *directory, struct kstat_transport *ret)
{
        (void)directory;
        if (fake_kstat.open_error)
                return fake_kstat.open_error;
        fake_kstat.opened++;
        *ret = (struct kstat_transport){.call = run, .close = close_fake, .fd = 99};
        return 0;
}

/* --- a machine
 * -------------------------------------------------------------------------------------------------------- */

static void add_cpu(int number)
{
        struct illumos_cpu_stat raw = {
                .sysinfo = {.cpu = {1000, 200, 30, 4}, .wait = {5, 6, 7}, .pswitch = 4294967295U},
                .syswait = {.iowait = -1},
                .vminfo = {.pgpgin = 77, .fsfree = 31}};
        char name[16];
        struct fake_stat *s;

        (void)snprintf(name, sizeof(name), "cpu_stat%d", number);
        s = fake_kstat_add("cpu_stat", number, name, "misc", KSTAT_RAW);
        fake_kstat_data(s, &raw, sizeof(raw));
        s = fake_kstat_add("cpu", number, "sys", "misc", KSTAT_NAMED);
        fake_kstat_number(s, "cpu_ticks_user", KSTAT_DATA_UINT64, KSTAT_UNIT_TICKS, 200 + number);
        fake_kstat_number(s, "cpu_ticks_idle", KSTAT_DATA_UINT64, KSTAT_UNIT_TICKS, 1000);
        fake_kstat_number(s, "pswitch", KSTAT_DATA_UINT64, KSTAT_UNIT_EVENTS, -1);
        (void)snprintf(name, sizeof(name), "cpu_info%d", number);
        s = fake_kstat_add("cpu_info", number, name, "misc", KSTAT_NAMED);
        fake_kstat_text(s, "state", KSTAT_DATA_CHAR, "on-line");
        fake_kstat_text(s, "brand", KSTAT_DATA_STRING, "A \"fast\" one \\ 3\303\227\033[2J");
        fake_kstat_number(s, "clock_MHz", KSTAT_DATA_INT32, KSTAT_UNIT_MEGAHERTZ, 2400);
        fake_kstat_number(s, "current_clock_Hz", KSTAT_DATA_INT64, KSTAT_UNIT_HERTZ, -2400000000);
        fake_kstat_number(s, "chip_id", KSTAT_DATA_UINT32, KSTAT_UNIT_NONE, 0xfffffffff);
}

void fake_kstat_machine(void)
{
        struct illumos_io io = {.nread = 10, .nwritten = 20, .reads = 1, .writes = 2, .wtime = 3, .rtime = 4000000000};
        struct illumos_intr intr = {.intrs = {1, 2, 3, 4, 5}};
        struct illumos_timer timer = {.name = "wait for it", .num_events = 9, .max_time = 1000000000};
        struct illumos_vminfo vm = {.freemem = 1ULL << 40, .updates = 60};

        add_cpu(0);
        add_cpu(1);
        fake_kstat_data(fake_kstat_add("sd", 0, "sda", "disk", KSTAT_IO), &io, sizeof(io));
        fake_kstat_data(fake_kstat_add("irq", 7, "timer", "controller", KSTAT_INTR), &intr, sizeof(intr));
        fake_kstat_data(fake_kstat_add("lock", 0, "hold", "misc", KSTAT_TIMER), &timer, sizeof(timer));
        fake_kstat_data(fake_kstat_add("unix", 0, "vminfo", "vm", KSTAT_RAW), &vm, sizeof(vm));
        fake_kstat_data(fake_kstat_add("unix", 0, "blob", "misc", KSTAT_RAW), "whatever", 8);
        fake_kstat_number(fake_kstat_add("odd\n", -3, "thirty-one bytes of a long name", "", KSTAT_NAMED), "a:b",
                KSTAT_DATA_INT32, KSTAT_UNIT_NONE, -5);
}
