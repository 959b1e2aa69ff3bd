/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * progress.h - a live line on a terminal for what takes long: who, how long, and croftd's latest word about it.
 */
#ifndef CROFT_CLI_PROGRESS_H
#define CROFT_CLI_PROGRESS_H

#include "cli.h"

struct progress;

/* Begins to watch; what: "start 'web'", subject: the name that its events bear.  NULL where there is no terminal to
 * show it on, which all functions here take.  The client is given ticks. */
struct progress *progress_begin(struct cli *cli, const char *what, const char *subject);
/* Takes the line away and the ticks back.  Returns NULL. */
struct progress *progress_end(struct progress *p);

#endif
