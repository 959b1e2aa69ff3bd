/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * worker.c - croft-kext: reads extensions for croftd.  Started by it, not by people.
 *
 *   croft-kext identify|read PARENT-PID PATH
 *   croft-kext verify PARENT-PID NAME
 *   croft-kext scan PARENT-PID ENTRIES BYTES SECONDS ASIDE
 *   croft-kext look PARENT-PID
 *   croft-kext provide|first PARENT-PID ID PATH
 *
 * Descriptors: 3 the packets that it answers with (msg.h), 4 the memory file that gets the bytes, of identify 5 one
 * that gets what they unpack to; of verify 4 has the bytes, and 5 and more the files by which a control group is
 * entered; of scan 4 the root of a partition, or the lower layer of its root and 5 the upper one; of look 4 the
 * root and 5 an inotify instance; of provide 4 the root, 5 what the file is, 6 what it is to be; of first 4 the root, 5
 * what it is to be.  It may hang as long as a file does that it reads; croftd waits no longer than it wants to.
 */
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/sock.h"
#include "base/str.h"
#include "kernel/mount.h"
#include "kext/bytes.h"
#include "kext/confine.h"
#include "kext/decode.h"
#include "kext/msg.h"
#include "kext/object.h"
#include "kext/packages.h"
#include "kext/provide.h"
#include "kext/scan.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

enum {
        FD_ANSWER = 3,
        FD_BYTES = 4,
        FD_TREE = 4,
        FD_PLAIN = 5,
        FD_UPPER = 5,
        FD_OLD = 5,
        FD_GROUPS = 5,
        FD_INOTIFY = 5,
        FD_FIRST = 5,
        FD_NEW = 6
};

static int send_with(const struct msg *msg, const int *fds, size_t n_fds)
{
        struct wire_writer w = WIRE_WRITER_INIT;
        int r;

        msg_encode(msg, &w);
        r = w.fault ? w.fault : sock_send_packet(FD_ANSWER, w.data, w.used, fds, n_fds);
        wire_writer_done(&w);
        return r;
}

static int send_msg(const struct msg *msg)
{
        return send_with(msg, NULL, 0);
}

static int send_fault(const struct croft_error *why)
{
        struct msg msg = {.type = MSG_FAULT, .code = why->code};
        char line[CROFT_ERROR_TEXT_MAX];

        (void)croft_error_line(why, line, sizeof(line));
        (void)str_escape(msg.text, sizeof(msg.text), line, strlen(line));
        return send_msg(&msg);
}

/* First without opening it: to open a device or a FIFO is to do something with it. */
static int open_file(const char *path, struct croft_error *err)
{
        _cleanup_close_ int seen = open(path, O_PATH | O_CLOEXEC);
        char again[64];
        struct stat st;
        int fd;

        if (seen < 0 || fstat(seen, &st) < 0)
                return croft_error_set(err, errno, "open it");
        if (!S_ISREG(st.st_mode))
                return croft_error_set(err, EINVAL, "it is no regular file.");
        (void)snprintf(again, sizeof(again), "/proc/self/fd/%d", seen);
        fd = open(again, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        return fd < 0 ? croft_error_set(err, errno, "open it") : fd;
}

static int map_bytes(void **ret, size_t *ret_size, struct croft_error *err)
{
        struct stat st;

        if (fstat(FD_BYTES, &st) < 0)
                return croft_error_set(err, errno, "look at the copy");
        if (st.st_size == 0)
                return croft_error_set(err, ENOEXEC, "it is empty.");
        *ret = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, FD_BYTES, 0);
        if (*ret == MAP_FAILED)
                return croft_error_set(err, errno, "map the copy");
        *ret_size = (size_t)st.st_size;
        return 0;
}

static int copy(const char *path, struct croft_error *err)
{
        int fd = open_file(path, err), r;

        r = fd < 0 ? fd : bytes_copy(fd, FD_BYTES, err);
        close_fd(fd);
        return r;
}

static int read_only(char **words, struct croft_error *err)
{
        const struct msg msg = {.type = MSG_READ};
        int r = copy(words[0], err);

        return r < 0 ? r : send_msg(&msg);
}

/* As much room as there may be, before this process can make no file longer; croftd cuts off what isn't used. */
static int map_plain(void **ret, struct croft_error *err)
{
        if (ftruncate(FD_PLAIN, (off_t)KEXT_FILE_MAX) < 0)
                return croft_error_set(err, errno, "make room for its plain bytes");
        *ret = mmap(NULL, KEXT_FILE_MAX, PROT_READ | PROT_WRITE, MAP_SHARED, FD_PLAIN, 0);
        return *ret == MAP_FAILED ? croft_error_set(err, errno, "map its plain bytes") : 0;
}

static int identify(char **words, struct croft_error *err)
{
        struct msg msg = {.type = MSG_IDENTITY};
        struct decoded decoded = {.plain = NULL};
        size_t size = 0;
        void *data, *plain = NULL;
        int r = copy(words[0], err);

        if (r == 0)
                r = map_plain(&plain, err);
        if (r == 0)
                r = confine_to_memory(err);
        if (r == 0)
                r = map_bytes(&data, &size, err);
        if (r == 0)
                r = decode_keep(data, size, words[0], &decoded, err);
        if (r < 0)
                return r;
        msg.identity = decoded.identity;
        if (decoded.plain && decoded.plain_size <= KEXT_FILE_MAX) {
                memcpy(plain, decoded.plain, decoded.plain_size);
                msg.number = decoded.plain_size;
        }
        free(decoded.plain);
        return send_msg(&msg);
}

static int send_program(void *context, int fd, unsigned int attach)
{
        const struct msg msg = {.type = MSG_PROGRAM, .number = attach};

        (void)context;
        return send_with(&msg, &fd, 1);
}

/* Whose the maps will be pays for them, and for the time that it takes. */
static int enter_groups(struct croft_error *err)
{
        for (int fd = FD_GROUPS; fcntl(fd, F_GETFD) >= 0; fd++)
                if (write(fd, "0", 1) < 0 || close(fd) < 0)
                        return croft_error_set(err, errno, "enter the partition's control groups");
        return 0;
}

/* While a map is made it may have all the room that the partition has.  If somebody there wants some in that moment, it
 * is this process that goes, with its maps, and not the partition's init. */
static int be_first_to_go(struct croft_error *err)
{
        int r = fd_write_file(AT_FDCWD, "/proc/self/oom_score_adj", "1000");

        return r < 0 ? croft_error_set(err, r, "go first when there is no room") : 0;
}

/* The kernel looks at what it is given; so does croftd, at what this says that it has been given. */
static int verify(char **words, struct croft_error *err)
{
        const struct msg last = {.type = MSG_END};
        struct bpf_object *object = NULL;
        size_t size = 0;
        void *data;
        int r = be_first_to_go(err);

        if (r == 0)
                r = enter_groups(err);
        if (r == 0)
                r = confine_to_bpf(err);
        if (r == 0)
                r = map_bytes(&data, &size, err);
        if (r == 0)
                r = object_open(data, size, words[0], &object, err);
        if (r == 0)
                r = object_load(object, err);
        if (r < 0)
                return r; /* the process ends, and all of it */
        r = object_each(object, send_program, NULL);
        return r < 0 ? r : send_msg(&last);
}

static void tell_found(void *context, const struct kext_finding *finding)
{
        struct msg msg = {.type = MSG_FINDING, .finding = *finding};

        (void)context;
        if (send_msg(&msg) < 0)
                exit(1); /* nobody listens */
}

static void tell_application(void *context, uint32_t finding, const char *application)
{
        struct msg msg = {.type = MSG_BELONGS, .number = finding};

        (void)context;
        (void)str_copy(msg.finding.application, sizeof(msg.finding.application), application);
        if (send_msg(&msg) < 0)
                exit(1);
}

static void tell_configured(void *context, uint32_t finding, const char *config)
{
        struct msg msg = {.type = MSG_WANTED, .number = finding};

        (void)context;
        (void)str_copy(msg.finding.configured, sizeof(msg.finding.configured), config);
        if (send_msg(&msg) < 0)
                exit(1);
}

static void tell_progress(void *context, uint64_t entries)
{
        const struct msg msg = {.type = MSG_PROGRESS, .number = entries};

        (void)context;
        if (send_msg(&msg) < 0)
                exit(1);
}

/* The root that a partition will have, of its layers; nobody else has it mounted meanwhile.  It is attached nowhere. */
static int join_layers(struct croft_error *err)
{
        static const char *const options[] = {"lowerdir=/proc/self/fd/5:/proc/self/fd/4", "userxattr", NULL};

        return mount_new(
                "overlay", options, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, err);
}

/* Who waits for something goes first. */
static void step_aside(void)
{
        (void)setpriority(PRIO_PROCESS, 0, 19); /* it can only be lowered, which is never refused */
}

static int scan_tree(char **words, struct croft_error *err)
{
        static const struct scan_listener listener = {.found = tell_found,
                .belongs = tell_application,
                .configured = tell_configured,
                .progress = tell_progress};
        const struct msg last = {.type = MSG_END};
        struct msg first = {.type = MSG_LOOK};
        struct kext_scan_limits limits;
        uint64_t seconds;
        int root, r;

        if (!str_to_u64(words[0], INT64_MAX, &limits.entries) || !str_to_u64(words[1], INT64_MAX, &limits.bytes) ||
                !str_to_u64(words[2], 86400, &seconds))
                return croft_error_set(err, EINVAL, "bad arguments.");
        limits.seconds = (unsigned int)seconds;
        root = fcntl(FD_UPPER, F_GETFD) < 0 ? FD_TREE : join_layers(err);
        if (root < 0)
                return root;
        if (root != FD_TREE) { /* from them a way leads out of the tree */
                (void)close(FD_TREE);
                (void)close(FD_UPPER);
        }
        if (strcmp(words[3], "1") == 0)
                step_aside();
        r = confine_to_tree(root, err);
        if (r < 0)
                return r;
        kext_packages_stamp(root, first.look.stamp);
        r = send_msg(&first);
        if (r == 0)
                r = scan(root, &limits, &listener, err);
        return r < 0 ? r : send_msg(&last);
}

static int look(char **words, struct croft_error *err)
{
        struct msg msg = {.type = MSG_LOOK};
        int r;

        (void)words;
        step_aside();
        r = confine_to_watch(FD_TREE, err);
        if (r == 0)
                r = packages_watch(FD_TREE, FD_INOTIFY, &msg.look, err);
        if (r < 0)
                return r;
        kext_packages_stamp(FD_TREE, msg.look.stamp); /* behind the watches: nothing falls between */
        return send_msg(&msg);
}

static int become_root_of(const char *word, struct croft_error *err)
{
        uint64_t id;

        if (!str_to_u64(word, UINT32_MAX - 1, &id) || id == 0)
                return croft_error_set(err, EINVAL, "bad arguments.");
        return provide_confine((uid_t)id, err);
}

static int provide_file(char **words, struct croft_error *err)
{
        const struct msg last = {.type = MSG_END};
        int r = become_root_of(words[0], err);

        if (r == 0)
                r = provide(FD_TREE, words[1], FD_OLD, FD_NEW, err);
        return r < 0 ? r : send_msg(&last);
}

static int provide_file_first(char **words, struct croft_error *err)
{
        const struct msg last = {.type = MSG_END};
        int r = become_root_of(words[0], err);

        if (r == 0)
                r = provide_first(FD_TREE, words[1], FD_FIRST, err);
        return r < 0 ? r : send_msg(&last);
}

static int begin(const char *parent)
{
        unsigned char sum[EVP_MAX_MD_SIZE];
        uint64_t pid;

        if (!str_to_u64(parent, INT32_MAX, &pid) || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != (pid_t)pid)
                return -ESRCH;
        /* The library's own set-up reads files: while it may. */
        (void)OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_ADD_ALL_DIGESTS, NULL);
        (void)EVP_Digest("", 0, sum, NULL, EVP_sha256(), NULL);
        return 0;
}

static const struct {
        const char *name;
        int words; /* behind the parent's pid */
        int (*run)(char **words, struct croft_error *err);
} modes[] = {{"identify", 1, identify}, {"read", 1, read_only}, {"verify", 1, verify}, {"scan", 4, scan_tree},
        {"look", 0, look}, {"provide", 2, provide_file}, {"first", 2, provide_file_first}};

int main(int argc, char **argv)
{
        struct croft_error err = CROFT_ERROR_INIT;

        for (size_t i = 0; i < ELEMENTS(modes); i++)
                if (argc == 3 + modes[i].words && strcmp(argv[1], modes[i].name) == 0) {
                        if (begin(argv[2]) < 0)
                                return 125;
                        return modes[i].run(argv + 3, &err) < 0 && send_fault(&err) < 0 ? 1 : 0;
                }
        fprintf(stderr, "croft-kext: croftd starts this program to read extensions; it is of no use by hand\n");
        return 2;
}
