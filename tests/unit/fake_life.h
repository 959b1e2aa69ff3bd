/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * fake_life.h - a life cycle in memory, to test the HTTP interface alone.  Partitions are entries of a list; starting
 * one can be held at a gate; a command in one echoes its input.
 */
#ifndef CROFT_TESTS_FAKE_LIFE_H
#define CROFT_TESTS_FAKE_LIFE_H

#include "daemon/life.h"

struct life *fake_life_new(void);
struct life *fake_life_free(struct life *life);

/* While the gate is closed, life_start() waits at it. */
void fake_life_gate(struct life *life, bool open);
/* Waits until an operation stands at the gate. */
void fake_life_wait_gate(struct life *life);
void fake_life_notify(struct life *life, const char *notice);
/* What last_error of that partition holds, as bytes. */
void fake_life_spoil(struct life *life, const char *name, const char *last_error);
unsigned int fake_life_subscribers(struct life *life);
/* The arguments of the last command, joined by blanks.  Borrowed until the next. */
const char *fake_life_command(struct life *life);

#endif
