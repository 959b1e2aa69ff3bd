#!/bin/sh
# where: here guest
# Context switches of a partition (KST-41): those of tasks that live and of those that have ended, each where it belongs, never
# fewer than before, in its /proc/stat, by key and in /metrics.
. "$(dirname "$0")/../lib.sh"

switches() { # PARTITION [total|voluntary|involuntary]
        kstat -z "$1" -p "croft:0:switches:${2:-total}" | sed 's/.*	//'
}
unknown=18446744073709551615
entering=200 # more than entering a partition, and leaving, takes

t_croftd_start || exit 1
for name in web db; do
        t_ok "$name is made" croft create $name -s init=croft
        t_ok "and started" croft start $name
done
if [ "$(switches web)" = $unknown ]; then
        t_skip "context switches are counted" "this kernel takes no programs at its tracepoints"
        t_done
fi
for tool in t-forks t-switches; do
        croft exec web -- sh -c "cat >/root/$tool && chmod 755 /root/$tool" <"$BUILD/tests/kit/$tool"
done

# --- what a process says of itself ---------------------------------------------------------------------------------------

# Runs COMMAND inside until it has said what it has made; ends sets what it was, and what was counted, while it lives.
mkfifo "$T/go" "$T/said"
begins() { # COMMAND...
        voluntary=$(switches web voluntary) involuntary=$(switches web involuntary)
        croft exec web -- "$@" <"$T/go" >"$T/said" &
        running=$!
        exec 8>"$T/go" 9<"$T/said"
        read -r own_voluntary own_involuntary <&9
        voluntary=$(($(switches web voluntary) - voluntary)) involuntary=$(($(switches web involuntary) - involuntary))
}
ends() {
        exec 8>&- 9<&-
        wait $running
}

other=$(switches db)
begins /root/t-switches 4 500
# Not just 2000: whoever is preempted on the way into his wait isn't switched of his own will.
t_ok "four threads waited often" t_between $((entering * 2)) "$own_voluntary" 100000
t_ok "and are counted when they have ended" t_between "$own_voluntary" "$voluntary" $((own_voluntary + entering))
t_ok "those that weren't of their own will, too" t_between "$own_involuntary" "$involuntary" $((own_involuntary + entering))
total=$(switches web)
ends
t_ok "when their process has ended as well nothing is lost" t_between "$total" "$(switches web)" $((total + entering))
begins /root/t-switches 1 0
t_ok "one that does little is counted little" t_between "$own_voluntary" "$voluntary" $((own_voluntary + entering))
ends

alive='for status in /proc/[0-9]*/task/*/status; do sed -n "s/.*voluntary_ctxt_switches:\t//p" $status 2>/dev/null; done'
of_the_living() { croft exec web -- sh -c "$alive" | awk '{ n += $1 } END { print n }'; }
croft exec web -- sh -c 'mkdir -p /sys/fs/cgroup/below/deeper && echo $$ >/sys/fs/cgroup/below/deeper/cgroup.procs
        while sleep 0.01; do :; done' &
looping=$!
has_some() { [ "$(of_the_living)" -ge 100 ]; }
t_ok "one works in a group of its own below" t_wait_for has_some
before=$(switches web)
grown() { [ "$(switches "${web:-web}")" -ge $((before + 100)) ]; }
t_ok "and is counted while it does" t_wait_for grown
total=$(of_the_living)
t_ok "what those say of themselves who live isn't more than is counted" [ "$total" -le "$(switches web)" ]
t_is "none is counted for another partition" "$(switches db)" "$other"

# --- where it is seen ------------------------------------------------------------------------------------------------------

before=$(switches web)
shown=$(croft exec web -- sed -n 's/^ctxt //p' /proc/stat)
t_ok "/proc/stat inside has them" t_between "$before" "$shown" "$(switches web)"
ctxt() { croft exec web -- sed -n 's/^ctxt //p' /proc/stat; }
before=$(ctxt)
cs=$(croft exec web -- vmstat 1 3 | awk 'NR == 2 { for (i = 1; i <= NF; i++) if ($i == "cs") at = i } NR == 5 { print $at }')
t_ok "and vmstat shows how many in a second" t_between 1 "$cs" $(($(ctxt) - before))
t_ok "inside one reads the same by key" t_between "$shown" \
        "$(croft exec web -- /run/croft/bin/kstat -p croft:0:switches:total | sed 's/.*	//')" "$(($(switches web) + entering))"
t_ok "/metrics has them" sh -c "curl -s --unix-socket '$CROFT_SOCKET' http://croft/metrics | grep -q '^croft_context_switches_total{.*name=\"web\".*} [1-9]'"
t_ok "both kinds are the total" sh -c "kstat -z web -p croft:0:switches | awk '/:total/ { t = \$2 } /voluntary/ { s += \$2 } END { exit t != s }'"
before=$(sed -n 's/^ctxt //p' /proc/stat)
now=$(kstat -p croft:0:switches:total | sed 's/.*	//')
t_ok "of the machine they are the kernel's" t_between "$before" "$now" "$(sed -n 's/^ctxt //p' /proc/stat)"
t_is "which doesn't tell the kinds apart" "$(kstat -p croft:0:switches:voluntary | sed 's/.*	//')" $unknown
t_is "nor those of a partition by CPU" "$(kstat -z web -p cpu:0:sys:pswitch | sed 's/.*	//')" $unknown

# --- while tasks come and go -----------------------------------------------------------------------------------------------

croft exec web -- sh -c 'while [ ! -e /stop ]; do /root/t-forks 300 100 300 10; done' &
storm=$!
croft exec web -- sh -c 'i=0; while [ $i -lt 300 ]; do /run/croft/bin/kstat -p croft:0:switches:total; i=$((i+1)); done' |
        awk '$2 < last { back++ } { last = $2 } END { print NR, back + 0 }' >"$T/reads"
t_is "in a storm of forks it never runs backwards" "$(cat "$T/reads")" "300 0"
croft exec web -- touch /stop
wait $storm

# --- whoever dies ----------------------------------------------------------------------------------------------------------

web=$(field web .id)
t_croftd_kill
before=$(switches "$web")
t_ok "counts go on when croftd is killed" t_wait_for grown
t_croftd_start || exit 1
t_ok "the next one goes on with them" [ "$before" -le "$(switches web)" ]
t_ok "it is restarted" croft restart web
wait $looping
t_ok "and counts from the beginning" t_between 0 "$(switches web)" $((entering * 5))
t_done
