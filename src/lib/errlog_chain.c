/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * errlog_chain.c - pending errors of each thread, committed or dropped as a whole (ERR-28, ERR-29).
 *
 * Invariant: the chain of a thread is reached by that thread alone; the key's destructor frees it when the thread ends.
 */
#include "lib/errlog.h"

#include "base/cleanup.h"

#include <pthread.h>

#define CHAIN_MAX 16

struct chain {
        uint64_t partition;
        unsigned int n, beyond; /* beyond: pushed when it was full */
        struct errlog_record records[CHAIN_MAX];
};

static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int key_error;

static void make_key(void)
{
        key_error = -pthread_key_create(&key, free);
}

static int own_chain(struct chain **ret)
{
        struct chain *chain;

        (void)pthread_once(&once, make_key);
        if (key_error < 0)
                return key_error;
        chain = pthread_getspecific(key);
        if (!chain) {
                chain = calloc(1, sizeof(*chain));
                if (!chain || pthread_setspecific(key, chain) != 0) {
                        free(chain);
                        return -ENOMEM;
                }
        }
        *ret = chain;
        return 0;
}

int croft_errlog_push(const struct croft_errlog_message *message, const char *format, ...)
{
        struct message_args args;
        struct errlog_record *record;
        struct chain *chain = NULL;
        va_list ap;
        int r = own_chain(&chain);

        if (r < 0)
                return r;
        va_start(ap, format);
        r = message_pack(format, ap, &args);
        va_end(ap);
        if (r < 0)
                return r;
        if (chain->n == 0)
                chain->partition = message->partition;
        if (chain->n == CHAIN_MAX)
                chain->beyond++;
        record = &chain->records[chain->n < CHAIN_MAX ? chain->n++ : CHAIN_MAX - 1];
        errlog_fill(record, message, format);
        errlog_fill_args(record, &args);
        return 0;
}

int croft_errlog_commit(struct croft_errlog *log, unsigned int *ret_refused)
{
        struct chain *chain = NULL;
        unsigned int refused;
        uint64_t cause;
        int r = own_chain(&chain);

        if (r < 0)
                return r;
        refused = chain->beyond;
        cause = chain->n > 0 ? chain->records[0].cause : 0;
        for (unsigned int i = 0; i < chain->n; i++) {
                int sent;

                chain->records[i].cause = cause;
                sent = errlog_send(log, chain->partition, &chain->records[i], &cause);
                if (sent == 0)
                        continue;
                refused++;
                r = r < 0 ? r : sent; /* the first one is told */
        }
        chain->n = chain->beyond = 0;
        if (ret_refused)
                *ret_refused = refused;
        return r;
}

void croft_errlog_drop(void)
{
        struct chain *chain = NULL;

        if (own_chain(&chain) == 0)
                chain->n = chain->beyond = 0;
}
