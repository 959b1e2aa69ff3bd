/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * broker_forget.c - removes devices of the machine that are unbound.  The kernel takes 50 ms for each
 * (LOOP_CTL_REMOVE), so a process of ours does it, one at a time, and no call waits; what it leaves, should it die, the
 * next broker finds (loops_settle()).
 */
#include "warden/broker.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "kernel/ns.h"
#include "kernel/process.h"

#include <poll.h>

void broker_forget(struct broker *b, uint32_t number)
{
        if (b->n_forget == ELEMENTS(b->forget))
                (void)broker_forget_all(b);
        b->forget[b->n_forget++] = number;
}

void broker_forget_look(struct broker *b)
{
        int64_t status;

        if (b->remover >= 0 && process_reap(b->remover, &status))
                b->remover = close_fd(b->remover);
        if (b->remover >= 0 || b->n_forget == 0)
                return;
        if (ns_clone(0, -1, &b->remover) == 0) {
                broker_child(b);
                for (size_t i = 0; i < b->n_forget; i++)
                        loops_forget(&b->loops, b->forget[i]);
                _exit(0);
        }
        if (b->remover < 0) /* no process is to be had */
                for (size_t i = 0; i < b->n_forget; i++)
                        loops_forget(&b->loops, b->forget[i]);
        b->n_forget = 0;
}

bool broker_forget_all(struct broker *b)
{
        bool any = b->remover >= 0 || b->n_forget > 0;

        while (b->remover >= 0 || b->n_forget > 0) {
                struct pollfd fds[] = {{.fd = b->remover, .events = POLLIN}};

                if (b->remover >= 0)
                        (void)poll(fds, 1, -1);
                broker_forget_look(b);
        }
        return any;
}
