/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * verbs.c - "croft kstat list", "read MODULE:INSTANCE:NAME" and "show KID".  Their exit status is that of croft's
 * commands: what isn't there, or isn't for you, is 3.
 */
#include "kstatcmd/private.h"

#include "base/cleanup.h"
#include "base/str.h"

#include <limits.h>
#include <string.h>

static const char *const type_names[] = {"raw", "named", "intr", "io", "timer"};

static int fail(const struct kstatcmd *cmd, const struct croft_error *err)
{
        char line[CROFT_ERROR_TEXT_MAX], safe[4 * CROFT_ERROR_TEXT_MAX];

        (void)croft_error_line(err, line, sizeof(line));
        (void)fprintf(cmd->error, "%s: %s\n", cmd->name, str_escape(safe, sizeof(safe), line, strlen(line)));
        return croft_error_exit(err);
}

static int usage(const struct kstatcmd *cmd, const char *what)
{
        (void)fprintf(cmd->error, "%s: %s\n", cmd->name, what);
        options_usage(cmd);
        return CROFT_EXIT_USAGE;
}

static void list_line(FILE *out, const struct croft_stat_info *info)
{
        char module[160], name[160], class_name[160];

        (void)fprintf(out, "%llu %s:%d:%s %s %s\n", (unsigned long long)info->id,
                str_escape(module, sizeof(module), info->module, strlen(info->module)), info->instance,
                str_escape(name, sizeof(name), info->name, strlen(info->name)),
                info->class_name[0]
                        ? str_escape(class_name, sizeof(class_name), info->class_name, strlen(info->class_name))
                        : "-",
                type_names[info->type]);
}

/* One line each, ids rising: id, keys, class, type.  What vanishes meanwhile is left out. */
static int list(const struct kstatcmd *cmd, struct croft_stats *stats, struct croft_stat *stat, struct croft_error *err)
{
        struct croft_stats_list list;
        int r = croft_stats_list(stats, &list, err);

        if (r < 0)
                return fail(cmd, err);
        for (size_t i = 0; i < list.n; i++) {
                r = croft_stats_read(stats, list.ids[i], stat, err);
                if (r < 0 && r != -ENXIO && r != -EAGAIN)
                        break;
                if (r == 0)
                        list_line(cmd->out, croft_stat_info(stat));
                croft_error_clear(err);
                r = 0;
        }
        croft_stats_list_done(&list);
        return r < 0 ? fail(cmd, err) : CROFT_EXIT_OK;
}

/* "MODULE:INSTANCE:NAME"; a name may have colons. */
static bool cut_key(char *operand, char **module, int *instance, char **name)
{
        char *second = strchr(operand, ':'), *third = second ? strchr(second + 1, ':') : NULL;
        uint64_t number;

        if (!third)
                return false;
        *second = *third = '\0';
        if (!str_to_u64(second + 1, INT_MAX, &number))
                return false;
        *module = operand;
        *instance = (int)number;
        *name = third + 1;
        return true;
}

static int find(const struct kstatcmd *cmd, struct croft_stats *stats, const struct options *o, struct croft_stat *stat,
        struct croft_error *err)
{
        _cleanup_free_ char *operand = o->verb_operand ? strdup(o->verb_operand) : NULL;
        char *module, *name;
        uint64_t id;
        int instance, r;

        if (o->verb[0] == 's') {
                if (!operand || !str_to_u64(operand, UINT64_MAX, &id))
                        return usage(cmd, "show takes the id of a statistic.");
                r = croft_stats_read(stats, id, stat, err);
        } else {
                if (!operand || !cut_key(operand, &module, &instance, &name))
                        return usage(cmd, "read takes MODULE:INSTANCE:NAME.");
                r = croft_stats_find(stats, module, instance, name, stat, err);
        }
        return r < 0 ? fail(cmd, err) : CROFT_EXIT_OK;
}

int verb_run(const struct kstatcmd *cmd, struct croft_stats *stats, const struct options *o, struct croft_error *err)
{
        struct croft_stat *stat = croft_stat_new();
        bool matched;
        int r;

        if (!stat) {
                (void)croft_error_set(err, ENOMEM, "read statistics");
                return fail(cmd, err);
        }
        if (o->verb[0] == 'l') {
                r = o->verb_operand ? usage(cmd, "list takes no operand.") : list(cmd, stats, stat, err);
        } else {
                const struct collection one = {.stats = &stat, .n = 1};

                r = find(cmd, stats, o, stat, err);
                if (r == 0 && print_collection(cmd->out, o, &one, &matched) < 0)
                        r = CROFT_EXIT_EXHAUSTED;
        }
        croft_stat_free(stat);
        if (fflush(cmd->out) != 0) {
                (void)croft_error_set(err, errno, "write to standard output");
                return fail(cmd, err);
        }
        return r;
}
