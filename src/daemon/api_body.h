/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * api_body.h - the bodies of requests, decoded strictly: bytes in, a struct or a sentence that names the fault out.
 *
 * Pure functions, each with a fuzz target.  Refused are: what is no JSON object, nesting deeper than API_BODY_DEPTH,
 * keys that aren't known or appear twice, values of a wrong type.  An empty body is an empty object.  A null is as good
 * as a key left out, unless said otherwise.
 */
#ifndef CROFT_DAEMON_API_BODY_H
#define CROFT_DAEMON_API_BODY_H

#include "devid/export.h"
#include "partition/property.h"
#include "partition/warden_msg.h"

#include <croft/error.h>
#include <stdbool.h>
#include <stddef.h>

#define API_BODY_DEPTH 8
/* Arguments and environment of a command, together: they travel in one packet. */
#define API_EXEC_BYTES_MAX (WARDEN_PACKET_MAX * 3 / 4)

/* {"name": "web", "image": "bookworm", "properties": {"memory.max": "64M", "cpu.weight": 50}} */
struct api_create {
        char *name;
        char *image; /* NULL: native */
        struct property *properties;
};
int api_create_decode(const void *data, size_t size, struct api_create *ret, struct croft_error *err);
void api_create_done(struct api_create *create);

/* {"name": "new"} or {"properties": {"memory.max": "64M", "cpu.max": null}}; null or "" unsets a property, and stands
 * in the list as an empty value. */
struct api_change {
        char *name; /* NULL: not renamed */
        struct property *properties;
};
int api_change_decode(const void *data, size_t size, struct api_change *ret, struct croft_error *err);
void api_change_done(struct api_change *change);

/* {"timeout_ms": 5000, "force": true} of stop and restart, {"signal": "TERM"} of kill, {} of the others. */
enum api_action_keys { API_ACTION_TIMEOUT = 1, API_ACTION_FORCE = 2, API_ACTION_SIGNAL = 4 };
struct api_action {
        unsigned int timeout_ms; /* 0: not given */
        bool force;
        int signal; /* SIGKILL when not given */
};
/* known: those of the keys that the action has. */
int api_action_decode(
        const void *data, size_t size, unsigned int known, struct api_action *ret, struct croft_error *err);

/* {"name": "fast", "cpus": "0-3"} of a new pool, {"cpus": "0-3"} of one that is changed; "" is no CPU. */
struct api_pool {
        char *name; /* NULL: changed */
        char *cpus; /* NULL: not given */
};
int api_pool_decode(const void *data, size_t size, bool new, struct api_pool *ret, struct croft_error *err);
void api_pool_done(struct api_pool *pool);
/* {"pool": "fast"} of bind; *ret is a new string. */
int api_bind_decode(const void *data, size_t size, char **ret, struct croft_error *err);

/* {"device": "/dev/sdb", "as": "disk", "access": "r", "mode": "660", "uid": 0, "gid": 6}; all but the first may be left
 * out.  request borrows from the two strings. */
struct api_device {
        char *device, *as;
        struct devid_export_request request;
};
int api_device_decode(const void *data, size_t size, struct api_device *ret, struct croft_error *err);
void api_device_done(struct api_device *device);

/* {"path": "/root/copy.ko"}, {"module": "wireguard"} or {"package": "linux-image-6.1.0-18-amd64"} */
struct api_extension {
        char *path, *module, *package; /* one of them */
};
int api_extension_decode(const void *data, size_t size, struct api_extension *ret, struct croft_error *err);
void api_extension_done(struct api_extension *extension);

/* {"extension": "brd", "local": true, "previous": true, "parameters": "rd_nr,rd_size=4096"}; all but the first may be
 * left out. */
struct api_grant {
        char *extension, *parameters; /* parameters: NULL: none */
        bool local, previous, major;
};
int api_grant_decode(const void *data, size_t size, struct api_grant *ret, struct croft_error *err);
void api_grant_done(struct api_grant *grant);

/* {"argv": ["ps", "-e"], "environment": {"TERM": "xterm"}, "user": "root", "directory": "/", "terminal": true,
 * "rows": 24, "columns": 80}.  The ids in *ret stay 0. Ended by exec_spec_done(). */
int api_exec_decode(const void *data, size_t size, struct exec_spec *ret, struct croft_error *err);

/* {"name": "deb12", "build": {"suite": "bookworm", "mirror": .., "variant": "minbase", "include": "vim,less"}} or
 * {"name": "deb12", "import": {"path": "/root/deb12.tar.xz"}} */
struct api_image {
        char *name;
        char *path; /* import; NULL: build */
        char *suite, *mirror, *variant, *include;
};
int api_image_decode(const void *data, size_t size, struct api_image *ret, struct croft_error *err);
void api_image_done(struct api_image *image);

#endif
