/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * croft/illumos/sys/var.h - data of the RAW statistic unix:0:var, for programs written for Solaris.
 */
#ifndef CROFT_ILLUMOS_SYS_VAR_H
#define CROFT_ILLUMOS_SYS_VAR_H

struct var {
        int v_buf;
        int v_call;
        int v_proc;
        int v_maxupttl;
        int v_nglobpris;
        int v_maxsyspri;
        int v_clist;
        int v_maxup;
        int v_hbuf;
        int v_hmask;
        int v_pbuf;
        int v_sptmap;
        int v_maxpmem;
        int v_autoup;
        int v_bufhwm;
};

#endif
