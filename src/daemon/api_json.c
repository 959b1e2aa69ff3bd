/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * api_json.c - what croftd knows, as JSON.  See api_json.h.
 */
#include "daemon/api_json.h"

#include "base/cleanup.h"
#include "base/str.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

json_t *api_json_text(const char *text)
{
        _cleanup_free_ char *escaped = NULL;
        json_t *json;
        size_t room;

        if (!text || !*text)
                return json_null();
        json = json_string(text); /* refuses what isn't UTF-8 */
        if (json)
                return json;
        room = 4 * strlen(text) + 1;
        escaped = malloc(room);
        return escaped ? json_string(str_escape(escaped, room, text, strlen(text))) : NULL;
}

json_t *api_json_time(int64_t seconds)
{
        time_t t = (time_t)seconds;
        char buf[32];
        struct tm tm;

        if (seconds <= 0 || !gmtime_r(&t, &tm) || strftime(buf, sizeof(buf), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
                return json_null();
        return json_string(buf);
}

static json_t *properties_json(const struct property *list)
{
        json_t *object = json_object();

        for (; object && list; list = list->next) {
                json_t *value = *list->value ? api_json_text(list->value) : json_string("");

                /* Steals value; an object without a property that is set would be a lie. */
                if (json_object_set_new(object, list->key, value) < 0) {
                        json_decref(object);
                        return NULL;
                }
        }
        return object;
}

static json_t *usage_json(const struct cgroup_usage *u)
{
        json_t *memory = u->memory_bytes == UINT64_MAX ? json_null() : json_integer((json_int_t)u->memory_bytes);

        return json_pack("{s:f, s:o, s:I}", "cpu_seconds", (double)u->cpu_us / 1e6, "memory_bytes", memory, "processes",
                (json_int_t)u->processes);
}

/* The kernel ends a PID 1 that called reboot(2) by these two signals (pid_namespaces(7)), and drops them when anybody
 * else sends them to one that doesn't handle them. */
static const char *killed_how(int64_t signal)
{
        return signal == SIGINT ? "halted" : signal == SIGHUP ? "rebooted" : "killed";
}

/* The last end of init: code << 8 | status as waitid(2) tells, -1 for none, -2 for one that nobody saw. */
static json_t *exit_json(int64_t status)
{
        const char *how = "unknown";

        if (status == -1)
                return json_null();
        if (status < 0)
                return json_pack("{s:s, s:n}", "how", how, "status");
        switch (status >> 8) {
        case CLD_EXITED:
                how = "exited";
                break;
        case CLD_KILLED:
                how = killed_how(status & 0xff);
                break;
        case CLD_DUMPED:
                how = "dumped";
                break;
        }
        return json_pack("{s:s, s:I}", "how", how, "status", (json_int_t)(status & 0xff));
}

json_t *api_json_partition(const struct life_info *info, const char *root)
{
        const struct partition_def *def = &info->def;
        json_t *pid = info->pid > 0 ? json_integer(info->pid) : json_null();
        json_t *warden = info->warden > 0 ? json_integer(info->warden) : json_null();

        return json_pack("{s:s, s:I, s:s, s:o, s:b, s:s, s:o, s:o, s:I, s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:o}", /**/
                "name", def->name,                                                                                /**/
                "id", (json_int_t)def->id,                                                                        /**/
                "state", partition_state_name(info->state),                                                       /**/
                "root", api_json_text(def->native ? "native" : root),                                             /**/
                "native", def->native,                                                                            /**/
                "image", def->image,                                                                              /**/
                "pid", pid,                                                                                       /**/
                "warden", warden,                                                                                 /**/
                "uid_base", (json_int_t)def->uid_base,                                                            /**/
                "created", api_json_time(def->created),                                                           /**/
                "started", api_json_time(info->started),                                                          /**/
                "pool", property_get(def->properties, "pool"),                                                    /**/
                "properties", properties_json(def->properties),                                                   /**/
                "usage", usage_json(&info->usage),                                                                /**/
                "operation", api_json_text(info->operation),                                                      /**/
                "last_error", api_json_text(info->last_error),                                                    /**/
                "exit_status", exit_json(info->exit_status));
}

json_t *api_json_pool(const struct life_pool_info *info)
{
        _cleanup_free_ char *cpus = cpus_format(&info->cpus), *online = cpus_format(&info->online);
        json_t *partitions = json_array();

        for (size_t i = 0; partitions && i < strv_length(info->partitions); i++)
                if (json_array_append_new(partitions, json_string(info->partitions[i])) < 0) {
                        json_decref(partitions);
                        return NULL;
                }
        return json_pack("{s:s, s:s, s:s, s:b, s:o}", /**/
                "name", info->name,                   /**/
                "cpus", cpus,                         /**/
                "online", online,                     /**/
                "default", strcmp(info->name, POOL_DEFAULT) == 0, "partitions", partitions);
}

json_t *api_json_device(const struct life_device *device)
{
        const struct devid_export *e = &device->export;
        const struct devid_node *node = &e->key.node;
        char number[32], access[3];

        (void)snprintf(number, sizeof(number), "%u:%u", node->major, node->minor);
        (void)snprintf(access, sizeof(access), "%s%s", e->access & DEVID_EXPORT_READ ? "r" : "",
                e->access & DEVID_EXPORT_WRITE ? "w" : "");
        return json_pack("{s:s, s:o, s:o, s:s, s:s, s:I, s:I, s:s, s:o, s:b}", /**/
                "partition", device->partition,                                /**/
                "name", api_json_text(e->name),                                /**/
                "device", api_json_text(e->device),                            /**/
                "type", node->type == DEVID_BLOCK ? "block" : "char",          /**/
                "number", number,                                              /**/
                "major", (json_int_t)node->major,                              /**/
                "minor", (json_int_t)node->minor,                              /**/
                "access", access,                                              /**/
                "cdi", api_json_text(e->cdi),                                  /**/
                "auto", (e->flags & DEVID_EXPORT_AUTO) != 0);
}

json_t *api_json_extension(const struct kext_record *record, bool known)
{
        const struct kext_identity *i = &record->identity;
        char release[128];

        return json_pack("{s:i, s:s, s:o, s:s, s:s, s:I, s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:o, s:o, s:o}", /**/
                "format", KEXT_FORMAT,                                                                            /**/
                "sha256", i->sha256,                                                                              /**/
                "plain_sha256", i->plain[0] ? json_string(i->plain) : json_null(),                                /**/
                "name", i->name,                                                                                  /**/
                "kind", kext_kind_name(i->kind),                                                                  /**/
                "size_bytes", (json_int_t)i->size,                                                                /**/
                "kernel", api_json_text(kext_release(i->vermagic, release, sizeof(release))),                     /**/
                "vermagic", api_json_text(i->vermagic),                                                           /**/
                "srcversion", api_json_text(i->srcversion),                                                       /**/
                "build_id", api_json_text(i->build_id),                                                           /**/
                "signer", api_json_text(i->signer),                                                               /**/
                "takes_major", i->takes_major,                                                                    /**/
                "generation", known ? json_integer(record->generation) : json_null(),                             /**/
                "state", known ? json_string(kext_state_name(record->state)) : json_null(),                       /**/
                "origin", known ? api_json_text(record->origin) : json_null(),                                    /**/
                "reason", known ? api_json_text(record->reason) : json_null(),                                    /**/
                "registered", known ? api_json_time(record->registered) : json_null());
}

json_t *api_json_image(const struct image_info *info)
{
        return json_pack("{s:s, s:o, s:b, s:o, s:o, s:o, s:I}", /**/
                "id", info->id,                                 /**/
                "name", api_json_text(info->name),              /**/
                "native", info->native,                         /**/
                "os", api_json_text(info->os),                  /**/
                "source", api_json_text(info->source),          /**/
                "created", api_json_time(info->created),        /**/
                "size_bytes", (json_int_t)info->size_bytes);
}

json_t *api_json_error(const struct croft_error *e)
{
        char line[CROFT_ERROR_TEXT_MAX];
        json_t *causes = json_array();

        for (unsigned int i = 0; causes && croft_error_cause(e, i); i++)
                (void)json_array_append_new(causes, api_json_text(croft_error_cause(e, i))); /* cut short at worst */
        return json_pack("{s:{s:s, s:i, s:o, s:o}}", "error", "code", croft_error_name(e->code), "exit",
                (int)croft_error_exit(e), "text", api_json_text(croft_error_line(e, line, sizeof(line))), "causes",
                causes);
}
