/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * croft/illumos/sys/kstat.h - <kstat.h> under the second name that it has on Solaris.
 */
#ifndef CROFT_ILLUMOS_SYS_KSTAT_H
#define CROFT_ILLUMOS_SYS_KSTAT_H

#include <kstat.h>

#endif
