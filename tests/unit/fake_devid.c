/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fake_devid.c - see fake_devid.h.
 */
#include "fake_devid.h"

#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include <cmocka.h>

struct fake_devid fake_devid;

long __wrap_syscall(long number, ...);
long __real_syscall(long number, ...);

void fake_devid_reset(void)
{
        memset(&fake_devid, 0, sizeof(fake_devid));
}

/* As the client should: cut nothing, leave nothing behind. */
static void put_name(struct devid_name *to, const char *text)
{
        size_t length = strlen(text);

        memset(to, 0, sizeof(*to));
        memcpy(to->text, text, length < sizeof(to->text) ? length : sizeof(to->text));
}

struct devid_number *fake_devid_add(__u64 partition, const char *family, const char *instance, __u32 number)
{
        struct devid_number *n = &fake_devid.numbers[fake_devid.n];

        assert_true(fake_devid.n < sizeof(fake_devid.numbers) / sizeof(*fake_devid.numbers));
        fake_devid.n++;
        *n = (struct devid_number){.partition = partition,
                .number = number,
                .first = number,
                .count = 1,
                .within = 1,
                .virtual = DEVID_ANY,
                .state = DEVID_RESERVED,
                .pid = 4711};
        put_name(&n->family, family);
        put_name(&n->instance, instance);
        return n;
}

static struct devid_node node_of(const struct devid_number *n)
{
        const char *family = n->family.text;
        bool minors = family[0] && family[1] >= '0' && family[1] <= '9';

        return (struct devid_node){.type = family[0] == 'c' ? DEVID_CHAR : DEVID_BLOCK,
                .major = minors ? (__u32)strtoul(family + 1, NULL, 10) : n->number,
                .minor = minors ? n->number : DEVID_WHOLE};
}

static bool same(const struct devid_name *a, const struct devid_name *b)
{
        return memcmp(a, b, sizeof(*a)) == 0;
}

static const struct devid_number *find(const struct devid_call *call)
{
        const struct devid_number *best = NULL;

        for (size_t i = 0; i < fake_devid.n; i++) {
                const struct devid_number *n = &fake_devid.numbers[i];

                if (!same(&n->family, &call->family) || (call->partition && n->partition != call->partition))
                        continue;
                if (call->op != DEVID_OP_NEXT && same(&n->instance, &call->instance))
                        return n;
                if (call->op == DEVID_OP_NEXT && n->number >= call->preferred && (!best || n->number < best->number))
                        best = n;
        }
        return best;
}

static int answer(struct devid_call *call)
{
        const struct devid_number *n;

        fake_devid.last = *call;
        fake_devid.runs++;
        if (fake_devid.result < 0 && (fake_devid.failing == 0 || fake_devid.failing == fake_devid.runs))
                return fake_devid.result;
        n = find(call);
        if (!n)
                return -ESRCH;
        call->ret = *n;
        if (call->op == DEVID_OP_ASSIGN)
                call->ret.state = DEVID_ASSIGNED;
        call->node = node_of(n);
        call->special = fake_devid.special;
        return 0;
}

static long fails(int error)
{
        errno = error;
        return error ? -1 : 0;
}

static long play(int command, union bpf_attr *attr)
{
        if (command == BPF_OBJ_GET) {
                (void)str_copy(fake_devid.path, sizeof(fake_devid.path), (const char *)(uintptr_t)attr->pathname);
                return fails(fake_devid.open_error) < 0 ? -1 : open("/dev/null", O_RDONLY | O_CLOEXEC);
        }
        assert_int_equal(command, BPF_PROG_TEST_RUN);
        assert_int_equal(attr->test.ctx_size_in, sizeof(struct devid_call));
        assert_true(fcntl((int)attr->test.prog_fd, F_GETFD) >= 0);
        if (fails(fake_devid.run_error) < 0)
                return -1;
        attr->test.retval = (__u32)answer((struct devid_call *)(uintptr_t)attr->test.ctx_in);
        return 0;
}

long __wrap_syscall(long number, ...)
{
        long a[6];
        va_list ap;

        va_start(ap, number);
        for (size_t i = 0; i < 6; i++)
                a[i] = va_arg(ap, long);
        va_end(ap);
        if (number != SYS_bpf)
                return __real_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
        return play((int)a[0], (union bpf_attr *)a[1]); /* NOLINT: that is how a system call has it */
}
