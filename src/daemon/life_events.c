/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * life_events.c - the stream of events.  Each subscriber has a queue of bounded length: one who doesn't read loses the
 * oldest and is told how many; nobody waits for him (C-15).
 */
#include "base/cleanup.h"
#include "base/log.h"
#include "daemon/life_private.h"

#include <jansson.h>
#include <string.h>
#include <time.h>

#define QUEUE_MAX 512

struct life_events {
        struct events *events;
        struct life_events *next;
        char *lines[QUEUE_MAX];
        unsigned int first, n;
        unsigned long lost;
        pthread_cond_t filled;
};

struct events {
        pthread_mutex_t lock;
        struct life_events *subscribers;
        bool ended;
};

struct events *events_new(void)
{
        struct events *events = calloc(1, sizeof(*events));

        if (events)
                (void)pthread_mutex_init(&events->lock, NULL);
        return events;
}

struct events *events_free(struct events *events)
{
        if (!events)
                return NULL;
        (void)pthread_mutex_destroy(&events->lock); /* subscribers are gone: croftd has ended its connections */
        free(events);
        return NULL;
}

void events_end(struct events *events)
{
        (void)pthread_mutex_lock(&events->lock);
        events->ended = true;
        for (struct life_events *s = events->subscribers; s; s = s->next)
                (void)pthread_cond_broadcast(&s->filled);
        (void)pthread_mutex_unlock(&events->lock);
}

struct life_events *events_subscribe(struct events *events)
{
        struct life_events *s = calloc(1, sizeof(*s));
        pthread_condattr_t attributes;

        if (!s)
                return NULL;
        (void)pthread_condattr_init(&attributes);
        (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
        (void)pthread_cond_init(&s->filled, &attributes);
        (void)pthread_condattr_destroy(&attributes);
        s->events = events;
        (void)pthread_mutex_lock(&events->lock);
        s->next = events->subscribers;
        events->subscribers = s;
        (void)pthread_mutex_unlock(&events->lock);
        return s;
}

struct life_events *life_unsubscribe(struct life_events *s)
{
        if (!s)
                return NULL;
        (void)pthread_mutex_lock(&s->events->lock);
        for (struct life_events **place = &s->events->subscribers; *place; place = &(*place)->next)
                if (*place == s) {
                        *place = s->next;
                        break;
                }
        (void)pthread_mutex_unlock(&s->events->lock);
        for (unsigned int i = 0; i < s->n; i++)
                free(s->lines[(s->first + i) % QUEUE_MAX]);
        (void)pthread_cond_destroy(&s->filled);
        free(s);
        return NULL;
}

/* The lock is held.  A line that there is no memory for counts as lost. */
static void enqueue(struct life_events *s, const char *line)
{
        char *copy = strdup(line);

        if (!copy) {
                s->lost++;
                return;
        }
        if (s->n == QUEUE_MAX) {
                free(s->lines[s->first]);
                s->first = (s->first + 1) % QUEUE_MAX;
                s->n--;
                s->lost++;
        }
        s->lines[(s->first + s->n++) % QUEUE_MAX] = copy;
        (void)pthread_cond_signal(&s->filled);
}

static char *make_line(const char *type, const char *name, uint64_t id, const char *state, const char *text)
{
        struct timespec now;
        json_t *o;
        char *line;

        (void)clock_gettime(CLOCK_REALTIME, &now);
        o = json_pack("{s:f,s:s,s:s*,s:I,s:s*,s:s}", "time", (double)now.tv_sec + (double)now.tv_nsec / 1e9, "type",
                type, "partition", name, "id", (json_int_t)id, "state", state, "text", text ? text : "");
        if (!o)
                return NULL;
        if (!name)
                (void)json_object_del(o, "id");
        line = json_dumps(o, JSON_COMPACT | JSON_REAL_PRECISION(14));
        json_decref(o);
        return line;
}

void events_say(
        struct events *events, const char *type, const char *name, uint64_t id, const char *state, const char *text)
{
        _cleanup_free_ char *line = NULL;

        (void)pthread_mutex_lock(&events->lock);
        if (events->subscribers)
                line = make_line(type, name, id, state, text);
        for (struct life_events *s = line ? events->subscribers : NULL; s; s = s->next)
                enqueue(s, line);
        (void)pthread_mutex_unlock(&events->lock);
}

void unit_event(struct unit *u, const char *type, const char *text)
{
        char name[NAME_LENGTH_MAX + 1];
        enum partition_state state;

        (void)pthread_mutex_lock(&u->p.lock);
        (void)str_copy(name, sizeof(name), u->p.def.name);
        state = unit_shown_state(u);
        (void)pthread_mutex_unlock(&u->p.lock);
        log_say(LOG_LEVEL_INFO, "%s: %s%s%s", name, partition_state_name(state), *text ? ": " : "", text);
        events_say(u->life->events, type, name, u->p.def.id, partition_state_name(state), text);
}

int life_subscribe(struct life *life, struct life_events **ret, struct croft_error *err)
{
        struct life_events *s = events_subscribe(life->events);

        if (!s)
                return croft_error_set(err, ENOMEM, "subscribe to events");
        *ret = s;
        return 0;
}

/* The lock is held: the oldest line, or one that tells of lost ones. */
static char *dequeue(struct life_events *s)
{
        char *line, text[64];

        if (s->lost > 0) {
                (void)snprintf(text, sizeof(text), "%lu events were lost", s->lost);
                s->lost = 0;
                return make_line("lost", NULL, 0, NULL, text);
        }
        line = s->lines[s->first];
        s->first = (s->first + 1) % QUEUE_MAX;
        s->n--;
        return line;
}

int life_event_next(struct life_events *s, unsigned int timeout_ms, char **ret)
{
        struct timespec until;
        char *line = NULL;
        int r = 0;

        (void)clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += timeout_ms / 1000;
        until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
        if (until.tv_nsec >= 1000000000) {
                until.tv_sec++;
                until.tv_nsec -= 1000000000;
        }
        (void)pthread_mutex_lock(&s->events->lock);
        while (s->n == 0 && s->lost == 0 && !s->events->ended && r == 0)
                r = pthread_cond_timedwait(&s->filled, &s->events->lock, &until);
        if (s->n > 0 || s->lost > 0)
                line = dequeue(s);
        r = line ? 1 : s->events->ended ? -ESHUTDOWN : r == 0 ? -ENOMEM : 0;
        (void)pthread_mutex_unlock(&s->events->lock);
        if (line)
                *ret = line;
        return r;
}

void life_event(struct life *life, const char *type, const char *subject, const char *text)
{
        events_say(life->events, type, subject, 0, NULL, text);
}
