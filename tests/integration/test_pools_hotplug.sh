#!/bin/sh
# where: guest
# cpus: several
# CPUs that go offline and come back, and one that moves from a pool to another (KST-A6), on cgroup v2 and with a v1 cpuset
# hierarchy, which forgets a CPU for good (KST-40).
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/pools_kit.sh"

cpu() { echo "$2" >"/sys/devices/system/cpu/cpu$1/online"; } # NUMBER 0|1
sees() { [ "$(croft exec "$1" -- nproc)" = "$2" ]; }           # PARTITION NUMBER
online_is() { [ "$(pool "$1" .online)" = "$2" ]; }             # POOL LIST
allowed_is() { [ "$(allowed "$1")" = "$2" ]; }
keys() { croft exec "$1" -- /run/croft/bin/kstat -l "$2" 2>/dev/null | cut -d: -f1-2 | sort -u | tr '\n' ' '; }
chain() { croft exec "$1" -- /run/croft/bin/kstat -C >/dev/null 2>&1; }

if [ "$n_cpus" -lt 3 ]; then
        t_skip "CPUs move between pools while others run on theirs" "needs three CPUs"
        t_done
fi

go_through() { # WORDS: the claims that hold on both kinds of control groups
        t_ok "$1: a pool has two CPUs" croft pool create p0 --cpus 0-1
        t_ok "$1: A is in it" croft create a -s init=croft -s pool=p0
        t_ok "$1: and runs" croft start a
        t_ok "$1: on both" sees a 2
        cpu 1 0
        t_ok "$1: one goes offline: A sees one CPU" t_wait_for sees a 1
        t_ok "$1: the pool tells it" t_wait_for online_is p0 0
        t_is "$1: but keeps it" "$(pool p0 .cpus)" 0-1
        check_offline "$1"
        t_fails_with 6 "$1: nobody is placed where no CPU is online" \
                sh -c 'croft pool create off >/dev/null; croft create c -s init=croft >/dev/null; croft set c cpu.set=1 pool=p0 && croft start c'
        croft remove c --force && croft pool remove off
        cpu 1 1
        t_ok "$1: it comes back: A sees two" t_wait_for sees a 2
        t_ok "$1: every task of A may use both" t_wait_for sh_tasks a 0-1
        check_online "$1"

        # The only one of a partition.
        t_ok "$1: A may use the second only" croft set a cpu.set=1
        t_ok "$1: and does" allowed_is a 1
        cpu 1 0
        t_ok "$1: without it A runs on, somewhere" t_wait_for croft exec a -- true
        cpu 1 1
        t_ok "$1: with it, every task of A is back there" t_wait_for sh_tasks a 1
        t_ok "$1: it may use both again" croft set a cpu.set=

        # croftd isn't there when it happens.
        t_croftd_kill
        cpu 1 0
        start_croftd || exit 1
        t_ok "$1: a CPU that went while no croftd was there" t_wait_for online_is p0 0
        t_croftd_kill
        cpu 1 1
        start_croftd || exit 1
        t_ok "$1: one that came back then" t_wait_for sees a 2
        t_ok "$1: serves every task of A" t_wait_for sh_tasks a 0-1

        # From one pool that is used to another.
        t_ok "$1: another pool has one CPU" croft pool create p1 --cpus 2
        t_ok "$1: B is in it" croft create b -s init=croft -s pool=p1
        t_ok "$1: and runs" croft start b
        t_ok "$1: the second CPU moves over" croft pool set p1 --cpus 1-2
        t_is "$1: A lost it and B has it" "$(allowed a) $(allowed b) $(pool p0 .cpus)" "0 1-2 0"
        check_moved "$1"
        t_ok "$1: all is removed" sh -c 'croft remove a b --force && croft pool remove p0 p1'
}

sh_tasks() { [ "$(tasks_allowed "$1" | sort -u)" = "$2" ]; }

# The statistics of CPUs, if this croft has them.
has_stats() { [ -n "$(croft kstat -l cpu_info:0 2>/dev/null)" ]; }
check_offline() {
        has_stats || return 0
        t_is "$1: what the CPU is stays visible" "$(keys a cpu_info:)" "cpu_info:0 cpu_info:1 "
        t_is "$1: its counters don't" "$(keys a cpu:)" "cpu:0 "
        t_is "$1: in global neither" "$(croft kstat -l cpu:1 2>/dev/null)" ""
}
check_online() {
        has_stats || return 0
        t_ok "$1: its counters are visible again" t_wait_for sh_keys a cpu: "cpu:0 cpu:1 "
}
check_moved() {
        has_stats || return 0
        t_is "$1: so do their statistics" "$(keys a cpu_info:)/$(keys b cpu_info:)" "cpu_info:0 /cpu_info:1 cpu_info:2 "
        t_is "$1: counters, too" "$(keys a cpu:)/$(keys b cpu:)" "cpu:0 /cpu:1 cpu:2 "
}
sh_keys() { [ "$(keys "$1" "$2")" = "$3" ]; }

start_croftd() { t_croftd_start; }
start_croftd || exit 1
go_through v2
t_croftd_stop

# A v1 hierarchy for cpuset: nobody may use the controller in v2 meanwhile.
mkdir -p "$T/cpuset"
mount_cpuset() { # each time: it can't be taken from above one that still has it
        find /sys/fs/cgroup -depth -name cgroup.subtree_control | while read -r file; do echo -cpuset >"$file"; done 2>/dev/null
        mount -t cgroup -o cpuset cpuset "$T/cpuset" 2>"$T/error"
}
# What groups that have just gone had of it is taken away a while later.
if t_wait_for mount_cpuset; then
        # In the root of it, which nothing is taken from: what croft has to make up for is below.
        start_croftd() {
                mkdir -p "$T/cpuset"
                "$BUILD/croftd" --state-dir "$T/state" --run-dir "$T/run" >>"$T/croftd.log" 2>&1 </dev/null &
                t_daemon=$!
                t_wait_for croft list
        }
        start_croftd || exit 1
        t_like "cpuset is in a v1 hierarchy now" "$(find "$T/cpuset" -name cpuset.cpus)" "/croft\\.[0-9a-f]*/cpuset.cpus"
        go_through v1
        t_croftd_stop
        find "$T/cpuset" -mindepth 1 -depth -type d -exec rmdir {} + 2>/dev/null
        umount "$T/cpuset"
else
        t_skip "v1 cpusets get a CPU back" "$(cat "$T/error")"
fi
t_done
