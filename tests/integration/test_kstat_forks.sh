#!/bin/sh
# where: here guest
# Tasks that a partition makes and programs that it begins are counted exactly, each where it belongs, whoever lives; context
# switches and interrupts of the machine are the kernel's own counts.
. "$(dirname "$0")/../lib.sh"

# The statistic of all CPUs together; PARTITION "": of the machine.
sum() { # PARTITION STATISTIC
        kstat ${1:+-z "$1"} -p "cpu:*:sys:$2" | awk -F'\t' '{ s += $2 } END { printf "%.0f\n", s }'
}
made() { kstat -z "$1" -p croft:0:processes:made | sed 's/.*	//'; }
counts() { echo "$(sum "$1" sysfork) $(sum "$1" sysvfork) $(sum "$1" nthreads) $(sum "$1" sysexec)"; }
minus() { # FOUR FOUR
        # shellcheck disable=SC2086 # four words each
        set -- $1 $2
        echo "$(($1 - $5)) $(($2 - $6)) $(($3 - $7)) $(($4 - $8))"
}
# What is counted while the tool makes that many of each; entering the partition makes some, too.
counted() {
        before=$(counts web)
        croft exec web -- "$@" || return 1
        minus "$(counts web)" "$before"
}
unknown=18446744073709551615

t_croftd_start || exit 1
for name in web db; do
        t_ok "$name is made" croft create $name -s init=croft
        t_ok "and started" croft start $name
done
if [ "$(made web)" = $unknown ]; then
        t_skip "tasks are counted" "this kernel takes no programs at its tracepoints"
        t_done
fi
croft exec web -- sh -c 'cat >/root/t-forks && chmod 755 /root/t-forks' <"$BUILD/tests/kit/t-forks"

# --- each one, and nothing else ---------------------------------------------------------------------------------------

entering=$(counted /root/t-forks 0 0 0 0)
t_is "entering makes the same each time" "$(counted /root/t-forks 0 0 0 0)" "$entering"
other=$(counts db)
all=$(made web)
t_is "forks, vforks, threads and programs are counted, each" "$(minus "$(counted /root/t-forks 100 50 30 20)" "$entering")" "100 50 30 20"
# shellcheck disable=SC2086 # four words
set -- $entering
t_is "together they are tasks made" "$(($(made web) - all))" "$((180 + $1 + $2 + $3))"
t_is "none is counted for another partition" "$(counts db)" "$other"
t_is "in a group of its own below, too" \
        "$(minus "$(counted sh -c 'mkdir -p /sys/fs/cgroup/below && echo $$ >/sys/fs/cgroup/below/cgroup.procs && exec /root/t-forks 40 30 20 10')" \
                "$(counted sh -c 'mkdir -p /sys/fs/cgroup/below && echo $$ >/sys/fs/cgroup/below/cgroup.procs && exec /root/t-forks 0 0 0 0')")" "40 30 20 10"
shown() { [ "$(croft exec web -- cat /proc/stat | sed -n 's/^processes //p')" -ge "$all" ]; }
all=$(made web)
t_ok "/proc/stat inside has them" t_wait_for shown
t_is "inside one reads the same" "$(croft exec web -- /run/croft/bin/kstat -p croft:0:processes:made | wc -l)" 1
t_ok "/metrics has them" sh -c "curl -s --unix-socket '$CROFT_SOCKET' http://croft/metrics | grep -q '^croft_forks_total{.*name=\"web\".*} [1-9]'"

# --- whoever dies -----------------------------------------------------------------------------------------------------

before=$(counts db)
db=$(field db .id)
t_croftd_kill
t_is "counts stay when croftd is killed" "$(counts "$db")" "$before"
t_croftd_start || exit 1
t_is "the next one goes on with them" "$(counts db)" "$before"
t_is "and nothing is counted twice" "$(minus "$(counted /root/t-forks 100 50 30 20)" "$entering")" "100 50 30 20"
t_ok "it is restarted" croft restart web
t_ok "and counts from the beginning" t_between 0 "$(made web)" 40

# --- the machine ------------------------------------------------------------------------------------------------------

t_is "context switches of a partition aren't known" "$(kstat -z web -p cpu:0:sys:pswitch | sed 's/.*	//')" $unknown
t_is "nor are the machine's forks by CPU" "$(kstat -p cpu:0:sys:sysfork | sed 's/.*	//')" $unknown
before=$(sed -n 's/^ctxt //p' /proc/stat)
now=$(sum "" pswitch)
t_ok "context switches of the machine are the kernel's" t_between "$before" "$now" "$(sed -n 's/^ctxt //p' /proc/stat)"
before=$(sed -n 's/^intr \([0-9]*\).*/\1/p' /proc/stat)
now=$(sum "" intr)
t_ok "and interrupts" t_between "$((before - 1000))" "$now" "$(sed -n 's/^intr \([0-9]*\).*/\1/p' /proc/stat)"
t_is "of which a partition has none" "$(sum web intr)" 0
t_done
