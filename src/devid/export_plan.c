/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * export_plan.c - what is to be exported, decided.  See export_plan.h.
 *
 * A device is what was opened: its number, and its path as the kernel tells it, are of one and the same node, whatever
 * links led there.
 */
#include "devid/export_plan.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/str.h"
#include "devid/exports.h"
#include "devid/policy.h"
#include "partition/host.h"

#include <glob.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

struct host_device {
        char path[DEVID_EXPORT_NAME]; /* without links */
        mode_t mode;
        dev_t number;
};

/* --- the host's side --- */

static int look_at(const char *path, struct host_device *ret, struct croft_error *err)
{
        _cleanup_close_ int fd = -EBADF;
        char link[64], escaped[4 * DEVEXPORTS_PATH_MAX];
        struct stat st;
        ssize_t n;

        (void)str_escape(escaped, sizeof(escaped), path, strnlen(path, DEVEXPORTS_PATH_MAX + 1));
        if (!devexports_path_is_valid(path))
                return croft_error_set(err, EINVAL,
                        "'%s' is no path of a device: give /dev/..., without '.', '..' and empty parts.", escaped);
        fd = fd_open2(AT_FDCWD, path, O_PATH, 0, 0);
        if (fd < 0)
                return croft_error_set(err, fd, "look for '%s'", escaped);
        if (fstat(fd, &st) < 0)
                return croft_error_set(err, errno, "look at '%s'", escaped);
        if (!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode))
                return croft_error_set(err, ENODEV, "'%s' is no device.", escaped);
        (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        n = readlink(link, ret->path, sizeof(ret->path));
        if (n < 0 || (size_t)n >= sizeof(ret->path))
                return croft_error_set(err, n < 0 ? errno : ENAMETOOLONG, "find the path of '%s'", escaped);
        ret->path[n] = '\0';
        if (!devexports_path_is_valid(ret->path))
                return croft_error_set(err, EINVAL, "'%s' leads out of /dev.", escaped);
        ret->mode = st.st_mode;
        ret->number = st.st_rdev;
        return 0;
}

static bool is_char(const struct host_device *device, unsigned int major_number)
{
        return S_ISCHR(device->mode) && major(device->number) == major_number;
}

/* CUSE: a server chooses the name that its device has in the machine's /dev, and its number, and may read and write the
 * memory of who calls ioctl(2) on it. */
static bool makes_devices(const struct host_device *device)
{
        return is_char(device, 10) && minor(device->number) == 203;
}

/* mem, kmem, port: all of the machine (DEV-24). */
static bool is_memory(const struct host_device *device)
{
        unsigned int n = minor(device->number);

        return is_char(device, 1) && (n == 1 || n == 2 || n == 4);
}

/* As is_usual() of gate.bpf.h. */
static bool is_usual(const struct host_device *device)
{
        unsigned int n = minor(device->number), m = major(device->number);

        if (is_char(device, 1))
                return n == 3 || n == 5 || (n >= 7 && n <= 9);
        return (is_char(device, 5) && n <= 2) || (S_ISCHR(device->mode) && m >= 136 && m <= 143);
}

static uint32_t type_of(const struct host_device *device)
{
        return S_ISBLK(device->mode) ? DEVID_BLOCK : DEVID_CHAR;
}

static uint64_t owner_of(struct partition *p, const struct host_device *device)
{
        return devid_owner(p->host->devid, type_of(device), major(device->number), minor(device->number));
}

static int check_device(struct partition *p, const struct host_device *device, struct croft_error *err)
{
        uint64_t owner;

        if (is_memory(device))
                return croft_error_set(
                        err, EPERM, "'%s' is the memory of the machine: it is never exported.", device->path);
        if (makes_devices(device))
                return croft_error_set(err, EPERM,
                        "'%s' makes devices of any name and number on the machine: it is never exported.",
                        device->path);
        if (is_usual(device))
                return croft_error_set(err, EEXIST, "every partition has a '%s'.", device->path);
        if (p->host->is_kept_from && p->host->is_kept_from(p, type_of(device), major(device->number)))
                return croft_error_set(
                        err, EBUSY, "'%s' is of an extension that another partition has alone.", device->path);
        owner = owner_of(p, device);
        if (owner == 0)
                return 0;
        if (owner == p->def.id)
                return croft_error_set(err, EEXIST, "the number of '%s' is its own already.", device->path);
        return croft_error_set(err, EBUSY, "the number of '%s' is another partition's.", device->path);
}

/* --- the plan --- */

bool export_plan_has(const struct export_plan *plan, const struct devid_export_key *key)
{
        for (size_t i = 0; i < plan->n; i++)
                if (memcmp(&plan->list[i].entry.key, key, sizeof(*key)) == 0)
                        return true;
        return false;
}

struct devnode export_node_of(const struct devid_export *entry)
{
        const struct devid_node *node = &entry->key.node;

        return (struct devnode){
                .mode = node->type == DEVID_BLOCK ? S_IFBLK : S_IFCHR, .number = makedev(node->major, node->minor)};
}

/* How a device is to be seen inside. */
struct look {
        const char *name; /* NULL: its own */
        const char *listed;
        const char *cdi; /* NULL: none */
        uint32_t access, flags;
        int mode;
        int64_t uid, gid;
};

static int check_look(const struct look *look, const char *name, struct croft_error *err)
{
        char escaped[4 * DEVNODE_NAME_MAX];

        if (!devnode_name_is_valid(name))
                return croft_error_set(err, EINVAL, "'%s' is no name of a node in a partition's /dev.",
                        str_escape(escaped, sizeof(escaped), name, strnlen(name, DEVNODE_NAME_MAX + 1)));
        if (look->mode > 0777)
                return croft_error_set(
                        err, EINVAL, "a node's permissions are 0 to 777, not %o.", (unsigned int)look->mode);
        if (look->uid >= (int64_t)PARTITION_IDS || look->gid >= (int64_t)PARTITION_IDS)
                return croft_error_set(
                        err, EINVAL, "users and groups inside are 0 to %u.", (unsigned int)PARTITION_IDS - 1);
        if (look->access & ~(uint32_t)(DEVID_EXPORT_READ | DEVID_EXPORT_WRITE))
                return croft_error_set(err, EINVAL, "access is r, w or rw.");
        return 0;
}

static int plan_device(struct partition *p, const struct host_device *device, const struct look *look,
        struct export_plan *plan, struct croft_error *err)
{
        const char *name = look->name ? look->name : device->path + strlen("/dev/");
        struct devid_export entry = {.key = {.partition = p->def.id}, .flags = look->flags};
        const uid_t base = p->def.uid_base;
        int r = check_look(look, name, err);

        if (r < 0)
                return r;
        entry.key.node = (struct devid_node){
                .type = type_of(device), .major = major(device->number), .minor = minor(device->number)};
        entry.access = look->access ? look->access : DEVID_EXPORT_READ | DEVID_EXPORT_WRITE;
        (void)str_copy(entry.name, sizeof(entry.name), name); /* they fit: the checks above */
        (void)str_copy(entry.device, sizeof(entry.device), device->path);
        (void)str_copy(entry.listed, sizeof(entry.listed), look->listed);
        (void)str_copy(entry.cdi, sizeof(entry.cdi), look->cdi ? look->cdi : "");
        devid_exports_identify(&entry);
        if (export_plan_has(plan, &entry.key))
                return croft_error_set(err, EEXIST, "'%s' comes twice.", device->path);
        if (plan->n == DEVID_EXPORTS_OF_ONE)
                return croft_error_set(
                        err, EDQUOT, "a partition has at most %d exported devices.", DEVID_EXPORTS_OF_ONE);
        plan->list[plan->n].entry = entry;
        plan->list[plan->n].node = (struct devnode){
                .mode = (device->mode & S_IFMT) | (look->mode < 0 ? device->mode & 0777 : (mode_t)look->mode),
                .number = device->number,
                .uid = base + (look->uid < 0 ? 0 : (uid_t)look->uid),
                .gid = base + (look->gid < 0 ? 0 : (gid_t)look->gid)};
        plan->n++;
        return 0;
}

/* --- a request --- */

static int plan_path(struct partition *p, const struct devid_export_request *q, const struct devexports *policy,
        struct export_plan *plan, struct croft_error *err)
{
        const char *as = q->as && str_has_prefix(q->as, "/dev/") ? q->as + strlen("/dev/") : q->as;
        struct look look = {.name = as, .access = q->access, .mode = q->mode, .uid = q->uid, .gid = q->gid};
        struct host_device device;
        int r = look_at(q->device, &device, err);

        if (r == 0)
                r = devid_policy_check(p->host, policy, device.path, q->device, &look.listed, err);
        if (r == 0)
                r = check_device(p, &device, err);
        return r < 0 ? r : plan_device(p, &device, &look, plan, err);
}

static int plan_cdi_node(struct partition *p, const char *cdi, const struct cdi_node *node,
        const struct devexports *policy, struct export_plan *plan, struct croft_error *err)
{
        struct look look = {.name = node->path + strlen("/dev/"),
                .cdi = cdi,
                .access = (node->access & CDI_READ ? DEVID_EXPORT_READ : 0U) |
                          (node->access & CDI_WRITE ? DEVID_EXPORT_WRITE : 0U),
                .mode = node->mode,
                .uid = node->uid,
                .gid = node->gid};
        struct host_device device;
        int r = look_at(node->host, &device, err);

        if (r == 0)
                r = devid_policy_check(p->host, policy, device.path, node->host, &look.listed, err);
        if (r == 0)
                r = check_device(p, &device, err);
        if (r == 0 && ((node->type && node->type != (char)type_of(&device)) ||
                              (node->major >= 0 && node->major != (int64_t)major(device.number)) ||
                              (node->minor >= 0 && node->minor != (int64_t)minor(device.number))))
                r = croft_error_set(err, ESTALE, "'%s' is another device than the file says.", device.path);
        return r < 0 ? r : plan_device(p, &device, &look, plan, err);
}

static int plan_cdi(struct partition *p, const struct devid_export_request *q, const struct cdi_name *name,
        const struct devexports *policy, struct export_plan *plan, struct croft_error *err)
{
        _cleanup_(cdi_device_done) struct cdi_device device = {.nodes = NULL};
        int r;

        if (q->as || q->access || q->mode >= 0 || q->uid >= 0 || q->gid >= 0)
                return croft_error_set(err, EINVAL, "a CDI device has its names, access and owners from its file.");
        r = devid_policy_cdi(p->host, name, &device, err);
        for (size_t i = 0; r == 0 && i < device.n; i++)
                r = plan_cdi_node(p, q->device, &device.nodes[i], policy, plan, err);
        return r;
}

int export_plan_request(
        struct partition *p, const struct devid_export_request *q, struct export_plan *plan, struct croft_error *err)
{
        _cleanup_(devexports_done) struct devexports policy = {.list = NULL};
        char escaped[4 * CDI_NAME_MAX];
        struct cdi_name name;
        int r;

        plan->n = 0;
        if (q->device[0] != '/' && !cdi_name_parse(q->device, &name))
                return croft_error_set(err, EINVAL,
                        "'%s' is no device: give its path, /dev/..., or a CDI name, vendor/class=name.",
                        str_escape(escaped, sizeof(escaped), q->device, strnlen(q->device, CDI_NAME_MAX + 1)));
        r = devid_policy_read(p->host, &policy, err);
        if (r < 0)
                return r;
        return q->device[0] == '/' ? plan_path(p, q, &policy, plan, err) : plan_cdi(p, q, &name, &policy, plan, err);
}

/* --- a stanza --- */

static void free_glob(glob_t *found)
{
        globfree(found);
}

/* What can't be exported is left out: a pattern is no list.  *ret: it is in the plan. */
static int plan_match(
        struct partition *p, const char *path, struct export_plan *plan, bool *ret, struct croft_error *err)
{
        const struct look look = {.listed = path, .flags = DEVID_EXPORT_AUTO, .mode = -1, .uid = -1, .gid = -1};
        struct devid_export_key key = {.partition = p->def.id};
        struct host_device device;
        int r = 0;

        if (look_at(path, &device, NULL) < 0 || check_device(p, &device, NULL) < 0 ||
                !devnode_name_is_valid(device.path + strlen("/dev/")))
                return 0;
        key.node = (struct devid_node){
                .type = type_of(&device), .major = major(device.number), .minor = minor(device.number)};
        if (!export_plan_has(plan, &key))
                r = plan_device(p, &device, &look, plan, err);
        *ret = r == 0;
        return r;
}

static void note(struct partition *p, const struct devexports_stanza *stanza, bool found)
{
        char text[DEVEXPORTS_PATH_MAX + DEVEXPORTS_NAME_MAX + 80];

        if (found)
                (void)snprintf(text, sizeof(text), "device '%s' of stanza '%s' can't be exported: it goes without",
                        stanza->pattern, stanza->name);
        else
                (void)snprintf(text, sizeof(text), "there is no device '%s' of stanza '%s': it goes without",
                        stanza->pattern, stanza->name);
        if (p->host->note)
                p->host->note(p, text);
}

int export_plan_stanza(
        struct partition *p, const struct devexports_stanza *stanza, struct export_plan *plan, struct croft_error *err)
{
        _cleanup_(free_glob) glob_t found = {.gl_pathc = 0};
        int r = glob(stanza->pattern, GLOB_NOESCAPE, NULL, &found);
        bool any = false;

        if (r != 0 && r != GLOB_NOMATCH)
                return croft_error_set(err, r == GLOB_NOSPACE ? ENOMEM : EIO, "look for '%s'", stanza->pattern);
        r = 0;
        for (size_t i = 0; r == 0 && i < found.gl_pathc; i++)
                r = plan_match(p, found.gl_pathv[i], plan, &any, err);
        if (r == 0 && !any && devexports_is_literal(stanza))
                note(p, stanza, found.gl_pathc > 0);
        return r;
}
