#!/bin/sh
# where: here
# croftd dies at every crash point of the operations on pools, of bind and of a set that moves; the next one undoes it, says
# so, and the CPUs of every partition are those of the pool that the table has (KST-A10).
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/pools_kit.sh"

croft() { command croft "$@" 2>>"$T/said"; }

is_gone() { ! kill -0 "$t_daemon" 2>/dev/null; }

# Pools, their CPUs and who is where: what the commands say, what the kernel says, and what is seen inside.
world() {
        croft pool list --format json | jq -c 'map([.name, .cpus, .partitions])'
        for world_name in a b; do
                echo "$world_name $(field $world_name .pool) $(field $world_name '.properties["cpu.set"]') $(tasks_allowed $world_name | sort -u)" \
                        "$(croft exec $world_name -- nproc) $(croft exec $world_name -- /run/croft/bin/kstat -l 'cpu*:' | cut -d: -f1-2 | sort -u | tr '\n' ' ')"
        done
}

operate() { # OPERATION
        case $1 in
        pool-create) croft pool create p3 --cpus 1 ;; # out of default, where b is
        pool-set) croft pool set p0 --cpus 0-1 ;;
        pool-remove) croft pool remove p2 ;;
        bind) croft pool bind a default ;;
        set) croft set a pool=default cpu.set=1 ;;
        start) croft start c ;;
        esac
}

subject() {
        case $1 in
        pool-create) echo "of pool 'p3'" ;;
        pool-set) echo "of pool 'p0'" ;;
        pool-remove) echo "of pool 'p2'" ;;
        start) echo "of 'c'" ;;
        *) echo "of 'a'" ;;
        esac
}

check_point() { # POINT
        operation=${1%%.*}
        rm -f "$T/said"
        t_croftd_start_at "$1" || { t_fail "$1: croftd starts"; return; }
        before=$(world)
        if operate "$operation" >/dev/null 2>&1 || kill -0 "$t_daemon" 2>/dev/null && ! t_wait_for is_gone; then
                t_fail "$1: croftd died there" "$(cat "$T/said")"
                t_croftd_stop
                return
        fi
        status=0
        t_wait_daemon || status=$?
        t_is "$1: croftd died there" "$status" 77
        rm -f "$T/said"
        t_croftd_start_at || { t_fail "$1: the next croftd answers"; return; }
        after=$(world)
        t_like "$1: the next croftd says what it did" "$(cat "$T/said")" "the interrupted '$operation' $(subject "$operation") was undone"
        t_is "$1: everything is as before" "$after" "$before"
        rm -f "$T/said"
        t_ok "$1: what was meant can be done" operate "$operation"
        undo "$operation"
        t_is "$1: and taken back" "$(world)" "$before"
        t_croftd_stop
}

# Back to the world before, by commands.
undo() {
        case $1 in
        pool-create) croft pool remove p3 ;;
        pool-set) croft pool set p0 --cpus 0 ;;
        pool-remove) croft pool create p2 ;;
        bind) croft pool bind a p0 ;;
        set) croft set a pool=p0 cpu.set= ;;
        start) croft stop c --force ;;
        esac >/dev/null
}

if [ "$(cat /sys/devices/system/cpu/online)" != 0-1 ]; then
        t_note "written for two CPUs; there are $all_cpus"
fi
t_croftd_start_at || exit 1
t_ok "a pool with CPU 0, an empty one" sh -c 'croft pool create p0 --cpus 0 && croft pool create p2'
t_ok "A is in the first" sh -c 'croft create a -s init=croft -s pool=p0 && croft start a'
t_ok "B has the rest" sh -c 'croft create b -s init=croft && croft start b'
t_ok "C doesn't run" croft create c -s init=croft -s pool=p0
t_croftd_stop
points=$("$BUILD/croftd" --list-crash-points | grep '^bind\.\|^set\.cpus\|^set\.statistics\|^pool-remove\.\|^start\.pool')
for operation in bind set pool-remove start; do t_like "there are crash points of $operation" "$points" "^$operation\\."; done
for point in $points; do check_point "$point"; done

# default gives its CPUs up once nobody in it runs; both have all CPUs for a while then.
t_croftd_start_at
t_ok "B goes to the first, too" croft pool bind b p0
t_croftd_stop
for point in $("$BUILD/croftd" --list-crash-points | grep '^pool-create\.\|^pool-set\.'); do check_point "$point"; done
t_done
