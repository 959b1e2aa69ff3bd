/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * t-kstat.c - asks a pinned program for statistics by nothing but bpf(2), so that what the kernel answers can be told
 * from what a library makes of it.
 *
 *     t-kstat PROGRAM [-p PARTITION] list                     KID MODULE:INSTANCE:NAME, one a line
 *     t-kstat PROGRAM [-p PARTITION] mounts                   PARTITION MOUNT-ID TYPE of each mount, one a line
 *     t-kstat PROGRAM [-p PARTITION] find MODULE INSTANCE NAME
 *     t-kstat PROGRAM [-p PARTITION] read KID
 *     t-kstat PROGRAM [-p PARTITION] spin MODULE INSTANCE NAME FIELD FACTOR FIELD SECONDS
 *             reads until the time is over and exits with 1 as soon as the first field isn't FACTOR times the second
 *     t-kstat PROGRAM soak OWN FILE
 *             lists and reads all there is until FILE is there; 1 as soon as something isn't what it should be: lists
 *             rise, who reads kid N gets kid N, and what tells its partition says OWN (0: global, may see all)
 *
 * Status 0; 3: there is none (ENXIO); 1: anything else went wrong.
 */
#include "kstat/catalogue.bpf.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int program = -1;
static unsigned long long partition;

static int run(struct kstat_call *call)
{
        union bpf_attr attr;
        int r;

        call->partition = partition;
        for (int i = 0; i < 1000; i++) {
                memset(&attr, 0, sizeof(attr));
                attr.test.prog_fd = (unsigned int)program;
                attr.test.ctx_in = (unsigned long long)(unsigned long)call;
                attr.test.ctx_size_in = sizeof(*call);
                if (syscall(SYS_bpf, BPF_PROG_RUN, &attr, sizeof(attr)) < 0)
                        return -errno;
                r = (int)attr.test.retval;
                if (r != -EAGAIN)
                        return r;
        }
        return -EAGAIN;
}

static int failed(int r)
{
        fprintf(stderr, "t-kstat: %s\n", strerror(-r));
        return r == -ENXIO ? 3 : 1;
}

/* Calls f for each field of the schema until it returns non-zero. */
static int each_field(unsigned int schema, int (*f)(const struct kstat_field *field, void *context), void *context)
{
        for (unsigned int at = 0, total = 1; at < total; at += KSTAT_PAGE_FIELDS) {
                struct kstat_call call = {.op = KSTAT_OP_SCHEMA, .kid = schema, .at = at};
                struct kstat_field fields[KSTAT_PAGE_FIELDS];
                int r = run(&call);

                if (r < 0)
                        return r;
                total = call.total;
                memcpy(fields, call.data, sizeof(fields));
                for (unsigned int i = 0; i < call.n && i < KSTAT_PAGE_FIELDS; i++)
                        if (f(&fields[i], context))
                                return 0;
        }
        return 0;
}

static int print_field(const struct kstat_field *field, void *context)
{
        const unsigned char *data = context;
        long long value;

        if (field->offset + field->size > KSTAT_SMALL_DATA)
                return 0;
        if (field->type == KSTAT_DATA_STRING || field->type == KSTAT_DATA_CHAR) {
                printf("%.*s\t%.*s\n", KSTAT_NAME_SIZE, field->name, field->size, (const char *)data + field->offset);
                return 0;
        }
        memcpy(&value, data + field->offset, sizeof(value));
        printf("%.*s\t%lld\n", KSTAT_NAME_SIZE, field->name, value);
        return 0;
}

static int show(struct kstat_call *call)
{
        int r = run(call);

        if (r < 0)
                return failed(r);
        printf("kid\t%llu\n", (unsigned long long)call->head.kid);
        r = each_field(call->head.schema, print_field, call->data);
        return r < 0 ? failed(r) : 0;
}

static void print_key(const struct kstat_call *call, unsigned long long kid, int r)
{
        printf("%llu %s:%d:%s%s\n", kid, call->head.key.module, call->head.key.instance, call->head.key.name,
                r < 0 ? " (no data)" : "");
}

static void print_mount(const struct kstat_call *call, unsigned long long kid, int r)
{
        struct kstat_data_mntinfo data;

        (void)kid;
        if (r < 0 || strcmp(call->head.key.module, "mount") != 0 || strcmp(call->head.key.name, "mntinfo") != 0)
                return;
        memcpy(&data, call->data, sizeof(data));
        printf("%lld %lld %.*s\n", (long long)data.partition, (long long)data.mnt_id, (int)sizeof(data.fstype),
                data.fstype);
}

static int list(void (*print)(const struct kstat_call *call, unsigned long long kid, int r))
{
        for (unsigned int page = 0, seen = 0, total = 1; seen < total; page++) {
                struct kstat_call call = {.op = KSTAT_OP_LIST, .at = page};
                unsigned long long kids[KSTAT_PAGE_KIDS];
                int r = run(&call);

                if (r < 0)
                        return failed(r);
                total = call.total;
                seen += call.n;
                memcpy(kids, call.data, sizeof(kids));
                for (unsigned int i = 0; i < call.n && i < KSTAT_PAGE_KIDS; i++) {
                        struct kstat_call one = {.op = KSTAT_OP_READ, .kid = kids[i]};

                        r = run(&one);
                        if (r == -ENXIO && one.head.kid == 0)
                                continue; /* went meanwhile, or has no data here */
                        print(&one, kids[i], r);
                }
        }
        return 0;
}

struct wanted {
        const char *name;
        int offset;
};

static int find_field(const struct kstat_field *field, void *context)
{
        struct wanted *wanted = context;

        if (strncmp(field->name, wanted->name, KSTAT_NAME_SIZE) != 0)
                return 0;
        wanted->offset = field->offset;
        return 1;
}

static int spin(struct kstat_call *call, char **argv)
{
        struct wanted one = {argv[0], -1}, other = {argv[2], -1};
        long long factor = atoll(argv[1]), a = 0, b = 0;
        unsigned long long reads = 0;
        time_t end = time(NULL) + atoi(argv[3]);
        int r = run(call);

        if (r == 0)
                r = each_field(call->head.schema, find_field, &one);
        if (r == 0)
                r = each_field(call->head.schema, find_field, &other);
        if (r < 0 || one.offset < 0 || other.offset < 0)
                return failed(r ? r : -EINVAL);
        while (time(NULL) < end) {
                r = run(call);
                if (r < 0)
                        return failed(r);
                memcpy(&a, call->data + one.offset, sizeof(a));
                memcpy(&b, call->data + other.offset, sizeof(b));
                if (a != factor * b) {
                        printf("torn: %lld isn't %lld times %lld\n", a, factor, b);
                        return 1;
                }
                reads++;
        }
        printf("%llu reads, %s %lld\n", reads, one.name, a);
        return 0;
}

#define SOAK_KIDS_MAX 65536

/* All kids of one chain id; -EAGAIN: it changed meanwhile. */
static int list_at_once(unsigned long long *kids, unsigned int *ret_n)
{
        unsigned long long kcid = 0;
        unsigned int n = 0;

        for (unsigned int page = 0, total = 1; n < total; page++) {
                struct kstat_call call = {.op = KSTAT_OP_LIST, .at = page};
                int r = run(&call);

                if (r < 0)
                        return r == -EINVAL ? -EAGAIN : r;
                if (page > 0 && (call.kcid != kcid || call.total != total))
                        return -EAGAIN;
                kcid = call.kcid;
                total = call.total;
                if (call.n > KSTAT_PAGE_KIDS || n + call.n > total || total > SOAK_KIDS_MAX || (call.n == 0 && total))
                        return -EBADMSG;
                memcpy(kids + n, call.data, call.n * sizeof(*kids));
                for (unsigned int i = 0; i < call.n; i++, n++)
                        if (n > 0 && kids[n] <= kids[n - 1])
                                return -EBADMSG;
        }
        *ret_n = n;
        return 0;
}

/* Does it say of another partition than it should? */
static int is_foreign(const struct kstat_call *call, long long own)
{
        struct kstat_data_partition_misc misc;
        struct kstat_data_mntinfo mount;

        memcpy(&misc, call->data, sizeof(misc));
        memcpy(&mount, call->data, sizeof(mount));
        if (own == 0)
                return 0;
        return (call->head.schema == KSTAT_SCHEMA_partition_misc && misc.partition_id != own) ||
               (call->head.schema == KSTAT_SCHEMA_mntinfo && mount.partition != own);
}

static int soak(long long own, const char *file)
{
        static unsigned long long kids[SOAK_KIDS_MAX];
        unsigned long long rounds = 0, reads = 0;
        unsigned int n = 0;

        for (; access(file, F_OK) < 0; rounds++) {
                int r = list_at_once(kids, &n);

                if (r == -EAGAIN)
                        continue;
                if (r < 0)
                        return failed(r);
                for (unsigned int i = 0; i < n; i++) {
                        struct kstat_call call = {.op = KSTAT_OP_READ, .kid = kids[i]};

                        r = run(&call);
                        if (r == -ENXIO || r == -EAGAIN || r == -ENOMEM) /* went meanwhile; large */
                                continue;
                        if (r < 0)
                                return failed(r);
                        if (call.head.kid != kids[i] || is_foreign(&call, own)) {
                                printf("kid %llu is %llu %s:%d:%s\n", kids[i], call.head.kid, call.head.key.module,
                                        call.head.key.instance, call.head.key.name);
                                return 1;
                        }
                        reads++;
                }
        }
        printf("%llu rounds, %llu reads\n", rounds, reads);
        return reads > 0 ? 0 : 1;
}

static int open_program(const char *path)
{
        union bpf_attr attr;

        memset(&attr, 0, sizeof(attr));
        attr.pathname = (unsigned long long)(unsigned long)path;
        attr.file_flags = BPF_F_RDONLY;
        return (int)syscall(SYS_bpf, BPF_OBJ_GET, &attr, sizeof(attr));
}

int main(int argc, char **argv)
{
        struct kstat_call call = {.op = KSTAT_OP_READ};

        program = open_program(argc > 1 ? argv[1] : "");
        if (program < 0)
                return failed(-errno);
        if (argc > 3 && strcmp(argv[2], "-p") == 0) {
                partition = strtoull(argv[3], NULL, 10);
                argv += 2;
                argc -= 2;
        }
        if (argc < 3)
                return 2;
        if (strcmp(argv[2], "list") == 0)
                return list(print_key);
        if (strcmp(argv[2], "mounts") == 0)
                return list(print_mount);
        if (strcmp(argv[2], "read") == 0 && argc == 4) {
                call.kid = strtoull(argv[3], NULL, 10);
                return show(&call);
        }
        if (strcmp(argv[2], "soak") == 0 && argc == 5)
                return soak(atoll(argv[3]), argv[4]);
        if (argc < 6)
                return 2;
        call.op = KSTAT_OP_FIND;
        (void)snprintf(call.key.module, sizeof(call.key.module), "%s", argv[3]);
        call.key.instance = atoi(argv[4]);
        (void)snprintf(call.key.name, sizeof(call.key.name), "%s", argv[5]);
        if (strcmp(argv[2], "find") == 0)
                return show(&call);
        return strcmp(argv[2], "spin") == 0 && argc == 10 ? spin(&call, argv + 6) : 2;
}
