/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * command.c - kstat(8) from its arguments to its exit status: one reader, a round each interval.
 */
#include "kstatcmd/private.h"

#include "base/cleanup.h"
#include "base/str.h"

#include <string.h>
#include <time.h>

static int fatal(const struct kstatcmd *cmd, const struct croft_error *err)
{
        char line[CROFT_ERROR_TEXT_MAX], safe[4 * CROFT_ERROR_TEXT_MAX];

        (void)croft_error_line(err, line, sizeof(line));
        (void)fprintf(cmd->error, "%s: %s\n", cmd->name, str_escape(safe, sizeof(safe), line, strlen(line)));
        return KSTATCMD_FATAL;
}

/* -z: a number is the id itself. */
static int choose_partition(
        const struct kstatcmd *cmd, struct croft_stats *stats, const char *text, struct croft_error *err)
{
        uint64_t id;
        int r;

        if (!str_to_u64(text, UINT64_MAX, &id)) {
                if (!cmd->resolve)
                        return croft_error_set(err, EOPNOTSUPP, "names of partitions aren't known here.");
                r = cmd->resolve(cmd->context, text, &id, err);
                if (r < 0)
                        return r;
        }
        croft_stats_set_partition(stats, id);
        return 0;
}

static void print_timestamp(FILE *out, char form)
{
        time_t now = time(NULL);
        struct tm parts;
        char text[80];

        if (form == 'u') {
                (void)fprintf(out, "%lld\n", (long long)now);
        } else if (localtime_r(&now, &parts) && strftime(text, sizeof(text), "%a %b %e %H:%M:%S %Z %Y", &parts) > 0) {
                (void)fprintf(out, "%s\n", text);
        }
}

/* Keeps the beat, however long a round takes; what was missed isn't made up for. */
static void wait_until(struct timespec *beat, unsigned int seconds)
{
        struct timespec now;

        (void)clock_gettime(CLOCK_MONOTONIC, &now);
        beat->tv_sec += seconds;
        if (beat->tv_sec < now.tv_sec || (beat->tv_sec == now.tv_sec && beat->tv_nsec <= now.tv_nsec)) {
                *beat = now;
                beat->tv_sec += seconds;
        }
        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, beat, NULL) == EINTR)
                ;
}

static int one_round(const struct kstatcmd *cmd, struct croft_stats *stats, const struct options *o, bool *matched,
        struct croft_error *err)
{
        struct collection c;
        int r = collect(stats, o, &c, err);

        if (r < 0)
                return r;
        if (o->time)
                print_timestamp(cmd->out, o->time);
        r = print_collection(cmd->out, o, &c, matched);
        collection_done(&c);
        if (r < 0)
                return croft_error_set(err, -r, "print");
        return fflush(cmd->out) != 0 ? croft_error_set(err, errno, "write to standard output") : 0;
}

static int rounds(
        const struct kstatcmd *cmd, struct croft_stats *stats, const struct options *o, struct croft_error *err)
{
        struct timespec beat;
        bool matched = false;

        (void)clock_gettime(CLOCK_MONOTONIC, &beat);
        for (unsigned int done = 1;; done++) {
                if (one_round(cmd, stats, o, &matched, err) < 0)
                        return fatal(cmd, err);
                if (o->interval == 0 || (o->count > 0 && done >= o->count))
                        return matched ? KSTATCMD_MATCH : KSTATCMD_NO_MATCH;
                if (cmd->wait)
                        cmd->wait(cmd->context, o->interval);
                else
                        wait_until(&beat, o->interval);
                (void)fputc('\n', cmd->out);
        }
}

static int run(const struct kstatcmd *cmd, const struct options *o)
{
        struct croft_error err = CROFT_ERROR_INIT;
        struct croft_stats *stats;
        int r = croft_stats_open(NULL, &stats, &err);

        if (r < 0)
                return fatal(cmd, &err);
        if (o->partition && choose_partition(cmd, stats, o->partition, &err) < 0)
                r = fatal(cmd, &err);
        else if (o->verb)
                r = verb_run(cmd, stats, o, &err);
        else
                r = rounds(cmd, stats, o, &err);
        croft_stats_close(stats);
        return r;
}

int kstatcmd_run(const struct kstatcmd *cmd, int argc, char **argv)
{
        struct croft_error err = CROFT_ERROR_INIT;
        struct options o;
        int r = options_parse(&o, cmd, argc, argv, &err);

        if (r < 0) {
                (void)fatal(cmd, &err);
                if (r == -EINVAL)
                        options_usage(cmd);
                r = r == -EINVAL ? KSTATCMD_USAGE : KSTATCMD_FATAL;
        } else if (o.help) {
                options_usage(cmd);
        } else {
                r = run(cmd, &o);
        }
        options_done(&o);
        return r;
}
