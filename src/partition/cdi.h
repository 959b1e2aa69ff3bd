/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * cdi.h - device files of the Container Device Interface, in JSON or YAML: the nodes that a device named
 * vendor/class=name consists of.
 *
 * Pure: bytes in, a list or a sentence out.  A device is its nodes and nothing else here: one that wants anything more
 * done (mounts, hooks, variables) is refused, because with its nodes alone it wouldn't work.
 */
#ifndef CROFT_PARTITION_CDI_H
#define CROFT_PARTITION_CDI_H

#include <croft/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CDI_FILE_MAX (1024 * 1024) /* bytes */
#define CDI_NODES_MAX 64           /* of one device */
#define CDI_NAME_MAX 103           /* bytes of a whole name */
#define CDI_PATH_MAX 103

enum cdi_access { CDI_READ = 1, CDI_WRITE = 2 };

struct cdi_name {
        char kind[CDI_NAME_MAX + 1];   /* "vendor.com/class" */
        char device[CDI_NAME_MAX + 1]; /* what stands behind the '=' */
};

struct cdi_node {
        char path[CDI_PATH_MAX + 1]; /* inside, below /dev/ */
        char host[CDI_PATH_MAX + 1]; /* on the host */
        char type;                   /* 'c', 'b'; 0: not said */
        int64_t major, minor;        /* -1: not said */
        unsigned int access;         /* enum cdi_access */
        int mode;                    /* -1: not said */
        uint32_t uid, gid;           /* inside */
};

struct cdi_device {
        struct cdi_node *nodes; /* owned */
        size_t n;
};

enum cdi_format { CDI_NO_FORMAT, CDI_JSON, CDI_YAML };

/* By the end of a file's name: .json, .yaml, .yml; CDI_NO_FORMAT: it is none of theirs. */
enum cdi_format cdi_format_of(const char *file);

/* Is it "vendor/class=name"? */
bool cdi_name_parse(const char *text, struct cdi_name *ret);

/* The device of that name as a file has it, with the edits that the file makes for all of its devices.  -ENOENT: it
 * isn't in this file; -EBADMSG: the file has another form; -EOPNOTSUPP: the device wants something that croft doesn't
 * do.  The caller ends *ret with cdi_device_done(). */
int cdi_decode(const char *text, size_t size, enum cdi_format format, const struct cdi_name *name,
        struct cdi_device *ret, struct croft_error *err);
void cdi_device_done(struct cdi_device *device);

#endif
