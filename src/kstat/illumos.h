/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
 *
 * illumos.h - data of RAW, INTR, IO and TIMER statistics as programs written for Solaris expect it: the layouts of
 * illumos on 64-bit machines, in fixed-width types for the programs in the kernel, and the names of their values in
 * lists, from which kstat(8) prints them.
 *
 * What such programs see are <kstat.h> and croft/illumos/sys/sysinfo.h; a unit test compares the two field by field.
 * Counters of 32 bits wrap, as they do there.
 */
#ifndef CROFT_KSTAT_ILLUMOS_H
#define CROFT_KSTAT_ILLUMOS_H

#include <linux/types.h>

enum illumos_cpu_state { ILLUMOS_CPU_IDLE, ILLUMOS_CPU_USER, ILLUMOS_CPU_KERNEL, ILLUMOS_CPU_WAIT, ILLUMOS_CPU_STATES };
enum illumos_wait { ILLUMOS_WAIT_IO, ILLUMOS_WAIT_SWAP, ILLUMOS_WAIT_PIO, ILLUMOS_WAITS };

/* Values of cpu_stat_t: V(name), all of 32 bits.  Ticks are 1/100 s. */
#define ILLUMOS_CPU_SYSINFO(V)                                                                                         \
        V(bread)                                                                                                       \
        V(bwrite)                                                                                                      \
        V(lread)                                                                                                       \
        V(lwrite)                                                                                                      \
        V(phread)                                                                                                      \
        V(phwrite)                                                                                                     \
        V(pswitch)                                                                                                     \
        V(trap)                                                                                                        \
        V(intr)                                                                                                        \
        V(syscall)                                                                                                     \
        V(sysread)                                                                                                     \
        V(syswrite)                                                                                                    \
        V(sysfork)                                                                                                     \
        V(sysvfork)                                                                                                    \
        V(sysexec)                                                                                                     \
        V(readch)                                                                                                      \
        V(writech)                                                                                                     \
        V(rcvint)                                                                                                      \
        V(xmtint)                                                                                                      \
        V(mdmint)                                                                                                      \
        V(rawch)                                                                                                       \
        V(canch)                                                                                                       \
        V(outch)                                                                                                       \
        V(msg)                                                                                                         \
        V(sema)                                                                                                        \
        V(namei)                                                                                                       \
        V(ufsiget)                                                                                                     \
        V(ufsdirblk)                                                                                                   \
        V(ufsipage)                                                                                                    \
        V(ufsinopage)                                                                                                  \
        V(inodeovf)                                                                                                    \
        V(fileovf)                                                                                                     \
        V(procovf)                                                                                                     \
        V(intrthread)                                                                                                  \
        V(intrblk)                                                                                                     \
        V(idlethread)                                                                                                  \
        V(inv_swtch)                                                                                                   \
        V(nthreads)                                                                                                    \
        V(cpumigrate)                                                                                                  \
        V(xcalls)                                                                                                      \
        V(mutex_adenters)                                                                                              \
        V(rw_rdfails)                                                                                                  \
        V(rw_wrfails)                                                                                                  \
        V(modload)                                                                                                     \
        V(modunload)                                                                                                   \
        V(bawrite)

#define ILLUMOS_CPU_SYSWAIT(V)                                                                                         \
        V(iowait)                                                                                                      \
        V(swap)                                                                                                        \
        V(physio)

#define ILLUMOS_CPU_VMINFO(V)                                                                                          \
        V(pgrec)                                                                                                       \
        V(pgfrec)                                                                                                      \
        V(pgin)                                                                                                        \
        V(pgpgin)                                                                                                      \
        V(pgout)                                                                                                       \
        V(pgpgout)                                                                                                     \
        V(swapin)                                                                                                      \
        V(pgswapin)                                                                                                    \
        V(swapout)                                                                                                     \
        V(pgswapout)                                                                                                   \
        V(zfod)                                                                                                        \
        V(dfree)                                                                                                       \
        V(scan)                                                                                                        \
        V(rev)                                                                                                         \
        V(hat_fault)                                                                                                   \
        V(as_fault)                                                                                                    \
        V(maj_fault)                                                                                                   \
        V(cow_fault)                                                                                                   \
        V(prot_fault)                                                                                                  \
        V(softlock)                                                                                                    \
        V(kernel_asflt)                                                                                                \
        V(pgrrun)                                                                                                      \
        V(execpgin)                                                                                                    \
        V(execpgout)                                                                                                   \
        V(execfree)                                                                                                    \
        V(anonpgin)                                                                                                    \
        V(anonpgout)                                                                                                   \
        V(anonfree)                                                                                                    \
        V(fspgin)                                                                                                      \
        V(fspgout)                                                                                                     \
        V(fsfree)

/* unix:0:vminfo; 64 bits.  Sums that grow by the number of pages with each look, but updates: how many looks. */
#define ILLUMOS_VMINFO(V)                                                                                              \
        V(freemem)                                                                                                     \
        V(swap_resv)                                                                                                   \
        V(swap_alloc)                                                                                                  \
        V(swap_avail)                                                                                                  \
        V(swap_free)                                                                                                   \
        V(updates)

/* unix:0:sysinfo; 32 bits.  Sums likewise. */
#define ILLUMOS_SYSINFO(V)                                                                                             \
        V(updates)                                                                                                     \
        V(runque)                                                                                                      \
        V(runocc)                                                                                                      \
        V(swpque)                                                                                                      \
        V(swpocc)                                                                                                      \
        V(waiting)

/* unix:0:var; 32 bits with sign. */
#define ILLUMOS_VAR(V)                                                                                                 \
        V(v_buf)                                                                                                       \
        V(v_call)                                                                                                      \
        V(v_proc)                                                                                                      \
        V(v_maxupttl)                                                                                                  \
        V(v_nglobpris)                                                                                                 \
        V(v_maxsyspri)                                                                                                 \
        V(v_clist)                                                                                                     \
        V(v_maxup)                                                                                                     \
        V(v_hbuf)                                                                                                      \
        V(v_hmask)                                                                                                     \
        V(v_pbuf)                                                                                                      \
        V(v_sptmap)                                                                                                    \
        V(v_maxpmem)                                                                                                   \
        V(v_autoup)                                                                                                    \
        V(v_bufhwm)

#define ILLUMOS_U32(name) __u32 name;
#define ILLUMOS_S32(name) __s32 name;
#define ILLUMOS_U64(name) __u64 name;

struct illumos_cpu_sysinfo {
        __u32 cpu[ILLUMOS_CPU_STATES]; /* ticks */
        __u32 wait[ILLUMOS_WAITS];     /* ticks */
        ILLUMOS_CPU_SYSINFO(ILLUMOS_U32)
        __u32 reserved[6]; /* values that only kernels made for tests have */
};
struct illumos_cpu_syswait {
        ILLUMOS_CPU_SYSWAIT(ILLUMOS_S32)
};
struct illumos_cpu_vminfo {
        ILLUMOS_CPU_VMINFO(ILLUMOS_U32)
};
/* cpu_stat:N:cpu_statN */
struct illumos_cpu_stat {
        __u32 lock[2]; /* 0 */
        struct illumos_cpu_sysinfo sysinfo;
        struct illumos_cpu_syswait syswait;
        struct illumos_cpu_vminfo vminfo;
};
_Static_assert(sizeof(struct illumos_cpu_stat) == 380, "layout");

struct illumos_vminfo {
        ILLUMOS_VMINFO(ILLUMOS_U64)
};
_Static_assert(sizeof(struct illumos_vminfo) == 48, "layout");

struct illumos_sysinfo {
        ILLUMOS_SYSINFO(ILLUMOS_U32)
};
_Static_assert(sizeof(struct illumos_sysinfo) == 24, "layout");

struct illumos_var {
        ILLUMOS_VAR(ILLUMOS_S32)
};
_Static_assert(sizeof(struct illumos_var) == 60, "layout");

/* INTR */
enum illumos_interrupt {
        ILLUMOS_INTR_HARD,
        ILLUMOS_INTR_SOFT,
        ILLUMOS_INTR_WATCHDOG,
        ILLUMOS_INTR_SPURIOUS,
        ILLUMOS_INTR_MULTIPLE_SERVICE,
        ILLUMOS_INTRS
};
struct illumos_intr {
        __u32 intrs[ILLUMOS_INTRS];
};
_Static_assert(sizeof(struct illumos_intr) == 20, "layout");

/* IO; times in ns.  wlentime, rlentime: sum of length of the queue times how long it was so. */
struct illumos_io {
        __u64 nread, nwritten;
        __u32 reads, writes;
        __s64 wtime, wlentime, wlastupdate;
        __s64 rtime, rlentime, rlastupdate;
        __u32 wcnt, rcnt;
};
_Static_assert(sizeof(struct illumos_io) == 80, "layout");

/* TIMER */
struct illumos_timer {
        char name[31];
        __u8 resv;
        __u64 num_events;
        __s64 elapsed_time, min_time, max_time, start_time, stop_time;
};
_Static_assert(sizeof(struct illumos_timer) == 80, "layout");

#endif
