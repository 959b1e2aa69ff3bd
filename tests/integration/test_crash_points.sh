#!/bin/sh
# where: here
# timeout: 900
# croftd dies at every crash point of every operation; the next one finishes or undoes it, says so, and leaves nothing.
. "$(dirname "$0")/../lib.sh"

# What the commands say about interrupted operations comes on standard error, once; whoever asks first hears it.
croft() { command croft "$@" 2>>"$T/said"; }

# What is there of a partition that isn't running: one line for each thing too much.  Its definition and files may be.
# What ends by itself isn't left: while a warden ends and the next one in reserve begins nobody can tell which is which.
leftovers() { t_wait_for nothing_is "$@" || echo "$found"; }
nothing_is() {
        found=$(there_is "$@")
        [ -z "$found" ]
}
there_is() {
        for dir in $(t_cgroups); do
                [ ! -d "$dir" ] || find "$dir" -mindepth 2 -type d | sed 's/^/cgroup /'
        done
        t_left_processes | grep -v '/croftd --state-dir\|/croftd$' | grep 'warden\|init\|sleep' | grep -v "^process $(t_reserve) "
        find "$T/run/w" "$T/state/tmp" -mindepth 1 | sed 's/^/file /'
        find "$T/state/partitions" -mindepth 1 -maxdepth 1 | grep -v "/${1:-none}\$" | sed 's/^/file /'
        ip -o link | awk -F': ' '$2 != "lo" { print "interface", $2 }'
}

state() { croft show web --format json 2>/dev/null | jq -r .state 2>/dev/null; }
id() { croft show web --format json | jq -r .id; }

# The world before the operation, and the operation.
prepare() { # OPERATION
        [ "$1" = create ] && return
        croft create web -s pids.max=100 -s init="/bin/sleep 1000000" || return
        case $1 in
        stop | set | freeze) croft start web ;;
        thaw) croft start web && croft freeze web ;;
        run) curl -sf --unix-socket "$CROFT_SOCKET" -X POST http://croft/v1/partitions/web/load >/dev/null ;;
        esac
}

operate() {
        case $1 in
        create) croft create web ;;
        set) croft set web pids.max=50 ;;
        load) curl -sf --unix-socket "$CROFT_SOCKET" -X POST http://croft/v1/partitions/web/load ;;
        run) croft start web ;;
        stop) croft stop web --timeout 5 ;;
        *) croft "$1" web ;;
        esac
}

# What the next croftd makes of it, and says.
expected_state() {
        case $1 in
        create | remove) ;;
        set | freeze | thaw) echo Active ;;
        *) echo Defined ;;
        esac
}
verb() {
        case $1 in
        stop | remove | thaw) echo finished ;;
        *) echo undone ;;
        esac
}

daemon_is_dead() { ! kill -0 "$t_daemon" 2>/dev/null || grep -q '^State:.Z' "/proc/$t_daemon/status"; }

kill_wardens() {
        for dir in $(t_cgroups); do
                [ ! -d "$dir" ] || cat "$dir/cgroup.procs" "$dir"/croftd.*/cgroup.procs 2>/dev/null
        done | sort -u | while read -r pid; do
                [ "$(cat "/proc/$pid/comm" 2>/dev/null)" != croft-warden ] || kill -9 "$pid"
        done
}

check_point() { # POINT [all: the wardens are killed, too]
        operation=${1%%.*}
        rm -f "$T/said"
        t_croftd_start_at "$1" || { t_fail "$1: croftd starts"; return; }
        if ! prepare "$operation" >/dev/null; then
                t_fail "$1: the world before" "$(cat "$T/said")"
                t_remove_partitions
                t_croftd_stop
                return
        fi
        operate "$operation" >/dev/null 2>&1
        status=0
        t_wait_for daemon_is_dead || kill -KILL "$t_daemon" # or it would be waited for without end
        t_wait_daemon || status=$?
        t_is "$1: croftd died there" "$status" 77
        [ -z "${2:-}" ] || kill_wardens
        rm -f "$T/said"
        t_croftd_start_at || { t_fail "$1: the next croftd answers"; return; }
        t_like "$1: the next croftd says what it did" "$(cat "$T/said")" \
                "the interrupted '$operation' of 'web' was $(verb "$operation")"
        now=$(state)
        t_is "$1: the partition is in a settled state" "$now" "$(expected_state "$operation")"
        case $now in
        Active)
                t_is "$1: its limit is the old one" "$(croft show web --format json | jq -r '.properties["pids.max"]')" 100
                ;;
        Defined) t_is "$1: nothing is left of its run" "$(leftovers "$(id)")" "" ;;
        *) t_is "$1: nothing is left of it" "$(leftovers)" "" ;;
        esac
        check_next "$1" "$now"
        t_croftd_kill # not ended in order: what it has pinned saves the next one half of its start
}

# The next commands work.
check_next() { # POINT STATE
        [ -n "$2" ] || t_ok "$1: it can be created" croft create web -s init="/bin/sleep 1000000"
        [ "$2" = Active ] || t_ok "$1: it can be started" croft start web
        t_ok "$1: it can be stopped" croft stop web --force
        t_ok "$1: it can be removed" croft remove web
        t_is "$1: then nothing is left" "$(leftovers)" ""
}

# A croftd that dies at the same point again while it recovers: the one after it copes, too.
check_twice() { # POINT
        operation=${1%%.*}
        t_croftd_start_at "$1" && prepare "$operation" >/dev/null
        operate "$operation" >/dev/null 2>&1
        t_wait_daemon
        CROFT_CRASH_AT=$1 t_croftd_start
        status=0
        if [ -n "$t_daemon" ]; then t_wait_daemon || status=$?; fi
        t_is "$1: the next croftd died there, too" "$status" 77
        t_croftd_start_at || { t_fail "$1: the croftd after it answers"; return; }
        t_is "$1: the one after it settles it" "$(state)" "$(expected_state "$operation")"
        [ -z "$(state)" ] || t_ok "$1: the partition can be removed" croft remove web --force
        t_is "$1: then nothing is left" "$(leftovers)" ""
        t_croftd_kill
}

# A warden that dies while it makes the partition's processes: croftd survives and unwinds.
check_warden() { # POINT
        t_croftd_start_at "$1" && croft create web -s init="/bin/sleep 1000000"
        t_fails_with 1 "$1: the start fails" croft start web
        t_is "$1: the partition is Defined" "$(state)" Defined
        t_like "$1: show says why" "$(croft show web --format json | jq -r .last_error)" "warden"
        t_is "$1: nothing is left of it" "$(leftovers "$(id)")" ""
        t_croftd_kill
        t_croftd_start_at
        t_ok "$1: without that, it can be started" croft start web
        t_ok "$1: it can be removed" croft remove web --force
        t_croftd_kill
}

# croftd dies while it replaces a warden: the partition has one warden afterwards, not a second one that nobody knows.
wardens() { t_left_processes | grep 'croft-warden successor' | cut -d' ' -f2; }
shown() { croft show web --format json | jq -r .warden; }
one_warden() { [ "$(wardens)" = "$(shown)" ]; }

check_successor() { # POINT
        t_croftd_start_at "$1" && croft create web -s init="/bin/sleep 1000000" && croft start web
        kill -9 "$(shown)"
        t_wait_daemon
        t_croftd_start_at || { t_fail "$1: the next croftd answers"; return; }
        t_is "$1: the partition runs on" "$(state)" Active
        t_ok "$1: it has one warden, the one that is shown" t_wait_for one_warden
        t_is "$1: it works" "$(croft exec web -- echo yes)" yes
        t_ok "$1: it can be removed" croft remove web --force
        t_is "$1: then nothing is left" "$(leftovers)" ""
        t_croftd_kill
}

points=$("$BUILD/croftd" --list-crash-points | grep -v '^bind\.\|^pool-\|^register\.\|^revoke\.\|^extension-') # test_pools_crash.sh, test_kext.sh and test_kext_load.sh walk those
for operation in create load start run stop remove set freeze thaw; do
        t_like "there are crash points of $operation" "$points" "^$operation\\."
done
for point in $points; do check_point "$point"; done
t_note "and with all wardens"
for point in $(printf '%s\n' "$points" | grep '^start\.\|^stop\.\|^set\.'); do check_point "$point" all; done
for point in $(printf '%s\n' "$points" | grep '^stop\.\|^remove\.' | grep -v done); do check_twice "$point"; done
for point in launch.stage launch.clone launch.maps launch.attach launch.root launch.loaded launch.run launch.running; do
        check_warden "$point"
done
for point in succeed.spawned succeed.saved succeed.adopted; do check_successor "$point"; done
t_done
