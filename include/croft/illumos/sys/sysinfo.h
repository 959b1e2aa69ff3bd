/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * croft/illumos/sys/sysinfo.h - data of the RAW statistics cpu_stat, vminfo and sysinfo, for programs written for
 * Solaris.  For those that add the folder croft/illumos to their include path: there it stands for <sys/sysinfo.h>.
 */
#ifndef CROFT_ILLUMOS_SYS_SYSINFO_H
#define CROFT_ILLUMOS_SYS_SYSINFO_H

#include <kstat.h>

#define CPU_IDLE 0
#define CPU_USER 1
#define CPU_KERNEL 2
#define CPU_WAIT 3
#define CPU_STATES 4

#define W_IO 0
#define W_SWAP 1
#define W_PIO 2
#define W_STATES 3

/* cpu_stat:N:cpu_statN; ticks are 1/100 s. */
typedef struct cpu_sysinfo {
        uint_t cpu[CPU_STATES];
        uint_t wait[W_STATES];
        uint_t bread;
        uint_t bwrite;
        uint_t lread;
        uint_t lwrite;
        uint_t phread;
        uint_t phwrite;
        uint_t pswitch;
        uint_t trap;
        uint_t intr;
        uint_t syscall;
        uint_t sysread;
        uint_t syswrite;
        uint_t sysfork;
        uint_t sysvfork;
        uint_t sysexec;
        uint_t readch;
        uint_t writech;
        uint_t rcvint;
        uint_t xmtint;
        uint_t mdmint;
        uint_t rawch;
        uint_t canch;
        uint_t outch;
        uint_t msg;
        uint_t sema;
        uint_t namei;
        uint_t ufsiget;
        uint_t ufsdirblk;
        uint_t ufsipage;
        uint_t ufsinopage;
        uint_t inodeovf;
        uint_t fileovf;
        uint_t procovf;
        uint_t intrthread;
        uint_t intrblk;
        uint_t idlethread;
        uint_t inv_swtch;
        uint_t nthreads;
        uint_t cpumigrate;
        uint_t xcalls;
        uint_t mutex_adenters;
        uint_t rw_rdfails;
        uint_t rw_wrfails;
        uint_t modload;
        uint_t modunload;
        uint_t bawrite;
        uint_t rw_enters; /* from here on always 0 */
        uint_t win_uo_cnt;
        uint_t win_uu_cnt;
        uint_t win_so_cnt;
        uint_t win_su_cnt;
        uint_t win_suo_cnt;
} cpu_sysinfo_t;

typedef struct cpu_syswait {
        int iowait;
        int swap;
        int physio;
} cpu_syswait_t;

typedef struct cpu_vminfo {
        uint_t pgrec;
        uint_t pgfrec;
        uint_t pgin;
        uint_t pgpgin;
        uint_t pgout;
        uint_t pgpgout;
        uint_t swapin;
        uint_t pgswapin;
        uint_t swapout;
        uint_t pgswapout;
        uint_t zfod;
        uint_t dfree;
        uint_t scan;
        uint_t rev;
        uint_t hat_fault;
        uint_t as_fault;
        uint_t maj_fault;
        uint_t cow_fault;
        uint_t prot_fault;
        uint_t softlock;
        uint_t kernel_asflt;
        uint_t pgrrun;
        uint_t execpgin;
        uint_t execpgout;
        uint_t execfree;
        uint_t anonpgin;
        uint_t anonpgout;
        uint_t anonfree;
        uint_t fspgin;
        uint_t fspgout;
        uint_t fsfree;
} cpu_vminfo_t;

typedef struct cpu_stat {
        uint_t __cpu_stat_lock[2];
        cpu_sysinfo_t cpu_sysinfo;
        cpu_syswait_t cpu_syswait;
        cpu_vminfo_t cpu_vminfo;
} cpu_stat_t;

/* unix:0:vminfo; sums that grow once a second. */
typedef struct vminfo {
        uint64_t freemem;
        uint64_t swap_resv;
        uint64_t swap_alloc;
        uint64_t swap_avail;
        uint64_t swap_free;
        uint64_t updates;
} vminfo_t;

/* unix:0:sysinfo; likewise.  No tag: Linux has a struct sysinfo of its own. */
typedef struct {
        uint_t updates;
        uint_t runque;
        uint_t runocc;
        uint_t swpque;
        uint_t swpocc;
        uint_t waiting;
} sysinfo_t;

#endif
