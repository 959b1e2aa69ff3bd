/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * progress.c - the live line.  See progress.h.
 *
 * Most requests end before the first tick, so that is when the events are asked for; the line itself comes after two
 * seconds.  Nothing here is ever a failure of the command.
 */
#include "progress.h"
#include "text.h"

#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define TICK_MS 200
#define SHOW_AFTER_MS 2000

struct progress {
        struct cli *cli;
        const char *what, *subject;
        struct croft_client *own; /* for the events: the other client is busy */
        struct croft_events *events;
        bool tried, shown;
        struct timespec begun;
        char text[256], last[512]; /* croftd's word; the line as it stands */
};

/* Takes the line away before the signal does its work: it is standard again (SA_RESETHAND), and comes once more. */
static void wipe(int number)
{
        static const char wipe_line[] = "\r\033[K";

        (void)!write(STDERR_FILENO, wipe_line, sizeof(wipe_line) - 1); /* nothing to be done about a failure */
        (void)raise(number);
}

static void on_interrupt(void (*handler)(int))
{
        struct sigaction action = {.sa_handler = handler, .sa_flags = (int)(SA_RESETHAND | SA_NODEFER)}, old;

        /* What is ignored stays so (nohup). */
        if (sigaction(SIGINT, NULL, &old) == 0 && old.sa_handler != SIG_IGN)
                (void)sigaction(SIGINT, &action, NULL);
        if (sigaction(SIGTERM, NULL, &old) == 0 && old.sa_handler != SIG_IGN)
                (void)sigaction(SIGTERM, &action, NULL);
}

static long elapsed_ms(const struct progress *p)
{
        struct timespec now;

        (void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail for this clock */
        return (now.tv_sec - p->begun.tv_sec) * 1000 + (now.tv_nsec - p->begun.tv_nsec) / 1000000;
}

static void take_event(struct progress *p, const char *line)
{
        json_t *event = json_loads(line, 0, NULL);
        const char *who = json_string_value(json_object_get(event, "partition"));
        const char *text = json_string_value(json_object_get(event, "text"));
        _cleanup_free_ char *escaped = NULL;

        if (!who)
                who = json_string_value(json_object_get(event, "image"));
        if (!who)
                who = json_string_value(json_object_get(event, "subject"));
        if (text && *text && (!who || !p->subject || strcmp(who, p->subject) == 0))
                escaped = text_escape(text, strlen(text), false);
        if (escaped)
                (void)snprintf(p->text, sizeof(p->text), "%s", escaped);
        json_decref(event);
}

static void read_events(struct progress *p)
{
        char *line = NULL;

        if (!p->tried) {
                p->tried = true;
                if (croft_client_open(p->cli->socket, &p->own, NULL) < 0 ||
                        croft_events_open(p->own, &p->events, NULL) < 0)
                        return;
        }
        while (p->events) {
                int r = croft_events_next(p->events, 0, &line, NULL);

                if (r < 0)
                        p->events = croft_events_close(p->events);
                if (r <= 0)
                        return;
                take_event(p, line);
                free(line);
        }
}

/* Cuts text to columns, between code points. */
static void cut(char *text, size_t columns)
{
        size_t n = strlen(text);

        while (n > 0 && text_width(text) > columns) {
                do
                        n--;
                while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80);
                text[n] = '\0';
        }
}

static void show(struct progress *p, long ms)
{
        struct winsize size = {.ws_col = 80};
        char elapsed[32], line[512];

        (void)ioctl(STDERR_FILENO, TIOCGWINSZ, &size); /* 80 will do */
        text_duration(elapsed, sizeof(elapsed), (double)(ms / 1000));
        (void)snprintf(line, sizeof(line), "%s: %s%s%s", p->what, elapsed, *p->text ? ": " : "", p->text);
        cut(line, size.ws_col > 1 ? size.ws_col - 1 : 79);
        if (strcmp(line, p->last) == 0)
                return;
        memcpy(p->last, line, sizeof(p->last));
        if (!p->shown)
                on_interrupt(wipe);
        (void)fprintf(stderr, "\r\033[K%s", line);
        (void)fflush(stderr);
        p->shown = true;
}

static int tick(void *context)
{
        struct progress *p = context;
        long ms = elapsed_ms(p);

        read_events(p);
        if (ms >= SHOW_AFTER_MS)
                show(p, ms);
        return 0;
}

struct progress *progress_begin(struct cli *cli, const char *what, const char *subject)
{
        const char *terminal = getenv("TERM");
        struct progress *p;

        if (!what || cli->quiet || !isatty(STDERR_FILENO) || (terminal && strcmp(terminal, "dumb") == 0))
                return NULL;
        p = calloc(1, sizeof(*p));
        if (!p)
                return NULL;
        p->cli = cli;
        p->what = what;
        p->subject = subject;
        (void)clock_gettime(CLOCK_MONOTONIC, &p->begun);
        croft_client_on_wait(cli->client, TICK_MS, tick, p);
        return p;
}

struct progress *progress_end(struct progress *p)
{
        if (!p)
                return NULL;
        croft_client_on_wait(p->cli->client, 0, NULL, NULL);
        if (p->shown) {
                on_interrupt(SIG_DFL);
                (void)fprintf(stderr, "\r\033[K");
                (void)fflush(stderr);
        }
        croft_events_close(p->events);
        croft_client_close(p->own);
        free(p);
        return NULL;
}
