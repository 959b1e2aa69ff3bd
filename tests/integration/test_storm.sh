#!/bin/sh
# where: here
# Several clients do everything at random to the same partitions, wardens and croftd are killed meanwhile: afterwards all
# is settled and nothing is left.  T_SEED repeats a sequence of commands (not their timing), T_SECONDS lengthens it.
. "$(dirname "$0")/../lib.sh"
seed=${T_SEED:-$(date +%s)}
seconds=${T_SECONDS:-12}
t_note "T_SEED=$seed"

# The next number below $1, from the state in $random (minimal standard generator).
number() {
        random=$((random * 16807 % 2147483647))
        number=$((random % $1))
}

kill_warden() { # PARTITION
        warden=$(croft show "$1" --format json | jq -r .warden)
        case $warden in
        '' | null) return ;;
        esac
        # Only what is still a warden: the number may be another's by now.
        [ "$(cat "/proc/$warden/comm" 2>/dev/null)" = croft-warden ] && kill -9 "$warden"
}

client() { # NUMBER
        random=$(((seed + $1 * 7919) % 2147483646 + 1))
        until=$(($(date +%s) + seconds))
        while [ "$(date +%s)" -lt $until ]; do
                number 4
                p=p$number
                number 13
                case $number in
                0 | 1) croft start $p ;;
                2) croft stop $p ;;
                3) croft stop $p --force ;;
                4) croft set $p pids.max=$((random % 100 + 50)) ;;
                5) croft exec $p -- true ;;
                6) croft freeze $p ;;
                7) croft thaw $p ;;
                8) croft rename $p "q$1" && croft rename "q$1" $p ;;
                9) croft kill $p ;;
                10) croft remove $p --force && croft create $p -s init=croft ;;
                11) kill_warden $p ;;
                12) croft list && croft restart $p --force ;;
                esac
        done >/dev/null 2>>"$T/said"
}

states() { croft list --format json | jq -r '.[].state' | sort -u; }

t_croftd_start || exit 1
for i in 0 1 2 3; do croft create p$i -s init=croft >/dev/null; done
clients=
for i in 1 2 3 4; do
        client $i &
        clients="$clients $!"
done
daemon=$t_daemon
sleep $((seconds / 3))
t_ok "croftd survives the storm" kill -0 "$daemon"
for i in 1 2 3 4; do
        t_croftd_kill
        t_croftd_start || exit 1
        sleep $((seconds / 12))
done
for i in $clients; do wait "$i"; done
t_ok "and so does the last of its successors" kill -0 "$t_daemon"
settled() { ! states | grep -qv '^\(Defined\|Loaded\|Active\|Frozen\)$'; }
t_ok "every partition is settled" t_wait_for settled
t_unlike "no command was told of a fault in croftd" "$(cat "$T/said")" 'Bad file descriptor|Bad message|Input/output error|malformed'
for name in $(croft list --format json | jq -r '.[].name'); do
        t_ok "$name can be stopped" croft stop "$name" --force
        t_ok "$name can be started" croft start "$name"
        t_is "$name works" "$(croft exec "$name" -- echo yes)" yes
done
t_done
