/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fuzz_kstat.c - answers of the statistics programs: lists, heads, schemas and data, as libkstat and libcroft decode
 * them.
 *
 * An input is a row of answers: one byte says what the program returned, two (little endian) how many bytes of its
 * answer follow; the rest of the answer is zero.  When the input ends, so does the kernel (EIO).
 */
#include "fuzz.h"
#include "libkstat/transport.h"

#include <croft/stats.h>
#include <errno.h>
#include <kstat.h>
#include <string.h>

#define ANSWER offsetof(struct kstat_call, kcid)

static const uint8_t *input;
static size_t left;

static int call(void *context, struct kstat_call *c, bool large)
{
        static const int results[] = {0, -ENXIO, -ENOMEM, -EAGAIN, -EINVAL, -EPERM, -EACCES, -ESRCH};
        size_t room = (large ? sizeof(struct kstat_call_large) : sizeof(*c)) - ANSWER, size;
        int r;

        (void)context;
        if (left < 3)
                return -EIO;
        r = results[input[0] % 8];
        size = (size_t)(input[1] | input[2] << 8);
        input += 3;
        left -= 3;
        if (size > left)
                size = left;
        memset((uint8_t *)c + ANSWER, 0, room);
        memcpy((uint8_t *)c + ANSWER, input, size < room ? size : room);
        input += size;
        left -= size;
        return r;
}

static void close_nothing(void *context)
{
        (void)context;
}

int __wrap_kstat_transport_open(const char *directory, struct kstat_transport *ret);
int __wrap_kstat_transport_open(const char *directory, struct kstat_transport *ret)
{
        (void)directory;
        *ret = (struct kstat_transport){.call = call, .close = close_nothing, .fd = -1};
        return 0;
}

/* Nobody else is there who should be let run. */
int __wrap_sched_yield(void);
int __wrap_sched_yield(void)
{
        return 0;
}

static void require_named(const kstat_t *ksp)
{
        const kstat_named_t *named = ksp->ks_data;
        const char *begin = ksp->ks_data, *end = begin + ksp->ks_data_size;

        fuzz_require(ksp->ks_ndata * sizeof(*named) <= ksp->ks_data_size);
        for (uint_t i = 0; i < ksp->ks_ndata; i++) {
                fuzz_require(strnlen(named[i].name, KSTAT_STRLEN) < KSTAT_STRLEN);
                if (named[i].data_type != KSTAT_DATA_STRING)
                        continue;
                fuzz_require(named[i].value.str.addr.ptr >= begin);
                fuzz_require(named[i].value.str.addr.ptr + named[i].value.str.len <= end);
                fuzz_require(strlen(named[i].value.str.addr.ptr) + 1 == named[i].value.str.len);
        }
}

static void libkstat(void)
{
        kstat_ctl_t *kc = kstat_open();
        kid_t last = -1;

        if (!kc)
                return;
        for (kstat_t *ksp = kc->kc_chain; ksp; ksp = ksp->ks_next) {
                fuzz_require(strnlen(ksp->ks_module, KSTAT_STRLEN) < KSTAT_STRLEN);
                fuzz_require(strnlen(ksp->ks_name, KSTAT_STRLEN) < KSTAT_STRLEN);
                fuzz_require(strnlen(ksp->ks_class, KSTAT_STRLEN) < KSTAT_STRLEN);
                fuzz_require(ksp->ks_type < KSTAT_NUM_TYPES);
                fuzz_require(last == -1 || ksp->ks_ndata <= KSTAT_LARGE_DATA || ksp->ks_type != KSTAT_TYPE_NAMED);
                last = ksp->ks_kid;
                if (kstat_read(kc, ksp, NULL) >= 0 && ksp->ks_type == KSTAT_TYPE_NAMED)
                        require_named(ksp);
                (void)kstat_data_lookup(ksp, "v");
        }
        (void)kstat_chain_update(kc);
        kstat_close(kc);
}

static void libcroft(void)
{
        struct croft_stats_list list = {.n = 0};
        struct croft_stats *stats;
        struct croft_stat *stat = croft_stat_new();

        fuzz_require(stat && croft_stats_open("here", &stats, NULL) == 0);
        if (croft_stats_list(stats, &list, NULL) == 0) {
                for (size_t i = 1; i < list.n; i++)
                        fuzz_require(list.ids[i] > list.ids[i - 1]);
        }
        while (left > 0 && croft_stats_read(stats, 1, stat, NULL) == 0) {
                for (size_t i = 0; i < croft_stat_info(stat)->n_values; i++) {
                        const struct croft_value *v = croft_stat_value(stat, i);

                        fuzz_require(croft_stat_find(stat, v->name));
                        fuzz_require(!v->text || strlen(v->text) <= KSTAT_LARGE_DATA);
                        fuzz_require(croft_unit_name(v->unit));
                }
        }
        croft_stats_list_done(&list);
        croft_stat_free(stat);
        croft_stats_close(stats);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        input = data;
        left = size;
        libkstat();
        input = data;
        left = size;
        libcroft();
        return 0;
}
