/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * croft/illumos/sys/loadavg.h - names for what getloadavg(3) fills, which the C library has in <stdlib.h>.
 */
#ifndef CROFT_ILLUMOS_SYS_LOADAVG_H
#define CROFT_ILLUMOS_SYS_LOADAVG_H

#include <stdlib.h>

#define LOADAVG_1MIN 0
#define LOADAVG_5MIN 1
#define LOADAVG_15MIN 2
#define LOADAVG_NSTATS 3
#define FSHIFT 8 /* avenrun_* of unix:0:system_misc are in 1/256 */
#define FSCALE (1 << FSHIFT)

#endif
