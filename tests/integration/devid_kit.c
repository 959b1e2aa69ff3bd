/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * devid_kit.c - see devid_kit.h.
 */
#include "devid_kit.h"

#include "base/cleanup.h"
#include "base/fd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

struct devid *devid;
int program = -EBADF;

void open_devid(void)
{
        struct croft_error err = CROFT_ERROR_INIT;
        char line[CROFT_ERROR_TEXT_MAX], directory[64];
        int programs;

        if (devid_open(plane, &devid, &err) < 0)
                fail_msg("%s", croft_error_line(&err, line, sizeof(line)));
        programs = plane_open_programs(plane, NULL);
        (void)snprintf(directory, sizeof(directory), "/proc/self/fd/%d", programs);
        program = devid_client_open(directory);
        assert_true(program >= 0);
        close_fd(programs);
}

void close_devid(void)
{
        program = close_fd(program);
        devid = devid_free(devid);
}

int make_devid(void **state)
{
        int r = make_plane(state);

        if (r == 0)
                open_devid();
        return r;
}

int remove_devid(void **state)
{
        assert_int_equal(devid_remove(devid, NULL), 0);
        close_devid();
        return remove_plane(state);
}

int set_up_devid(void **state)
{
        int r = add_partitions(state);

        if (r < 0)
                return r;
        assert_int_equal(devid_grant(devid, A, DEVID_CHAR_MAJORS, 4, NULL), 0);
        assert_int_equal(devid_grant(devid, B, DEVID_CHAR_MAJORS, 4, NULL), 0);
        return 0;
}

/* For those that draw on numbers which others have left to drain. */
int set_up_new(void **state)
{
        assert_int_equal(devid_remove(devid, NULL), 0);
        close_devid();
        open_devid();
        return set_up_devid(state);
}

int tear_down_devid(void **state)
{
        assert_int_equal(devid_release_all(devid, A, NULL), 0);
        assert_int_equal(devid_release_all(devid, B, NULL), 0);
        assert_int_equal(devid_release_all(devid, 0, NULL), 0);
        return remove_partitions(state);
}

/* --- calls --- */

int call_for(uint64_t partition, enum devid_op op, const char *family, const char *instance, struct devid_call *ret)
{
        struct devid_call call;

        if (!devid_client_prepare(&call, op, family, instance))
                return -EINVAL;
        call.partition = partition;
        if (ret && ret->count) {
                call.preferred = ret->preferred;
                call.count = ret->count;
                call.within = ret->within;
                call.between = ret->between;
        }
        int r = devid_client_call(program, &call);

        if (ret)
                *ret = call;
        return r;
}

/* Of one that is free; the number, or a negative errno. */
int take(uint64_t partition, const char *family, const char *instance)
{
        struct devid_call call = {.count = 0};
        int r = call_for(partition, DEVID_OP_ALLOC, family, instance, &call);

        return r < 0 ? r : (int)call.ret.number;
}

int take_group(uint64_t partition, const char *family, const char *instance, uint32_t preferred, uint32_t count,
        uint32_t within, uint32_t between)
{
        struct devid_call call = {.preferred = preferred, .count = count, .within = within, .between = between};
        int r = call_for(partition, DEVID_OP_ALLOC, family, instance, &call);

        return r < 0 ? r : (int)call.ret.number;
}

int release(uint64_t partition, const char *family, const char *instance)
{
        return call_for(partition, DEVID_OP_RELEASE, family, instance, NULL);
}

int state_of(uint64_t partition, const char *family, const char *instance)
{
        struct devid_call call = {.count = 0};
        int r = call_for(partition, DEVID_OP_GET, family, instance, &call);

        return r < 0 ? r : (int)call.ret.state;
}

unsigned int count_of(uint64_t partition, const char *family)
{
        struct devid_call call = {.preferred = 0, .count = 1, .within = 1, .between = 1};
        unsigned int n = 0;

        while (call_for(partition, DEVID_OP_NEXT, family, NULL, &call) == 0) {
                call.preferred = call.ret.number + 1;
                n++;
        }
        return n;
}
