#!/bin/sh
# where: here guest
# Processes of a partition are in its cgroups from the first.  A croftd that is started from another cgroup than the one
# before finds the partitions where they are; and one that can't run partitions says so instead of starting.
. "$(dirname "$0")/../lib.sh"

t_croftd_start || exit 1
t_ok "a partition is made" croft create web -s memory.max=64M -s init='/bin/sleep 1000'
t_ok "and started" croft start web
pid=$(field web .pid)
id=$(field web .id)

# PID: the hierarchies in which the process isn't in the partition's cgroup
outside() {
        grep -E '^0::|:(.*,)?(cpu|cpuacct|cpuset|memory|blkio|pids)(,.*)?:' "/proc/$1/cgroup" | grep -vE "/croft\.[0-9a-f]{8}/$id\$"
}
t_is "init is in the partition's cgroup of every hierarchy" "$(outside "$pid")" ""
croft exec web -- sleep 1000 >/dev/null 2>&1 &
session=$!
inside() { pgrep -f '^sleep 1000$' --ns "$pid" --nslist pid; }
t_ok "a command runs in it" t_wait_for inside
t_is "it is in all of them, too" "$(outside "$(inside)")" ""
kill "$session"
wait "$session" 2>/dev/null
t_croftd_kill

# This time from the cgroup of the test itself, and without --cgroup.
"$BUILD/croftd" --state-dir "$T/state" --run-dir "$T/run" >>"$T/croftd.log" 2>&1 </dev/null &
t_daemon=$!
t_ok "a croftd starts in another cgroup" t_wait_for croft list
t_is "it has the partition" "$(field web '"\(.state) \(.pid)"')" "Active $pid"
t_ok "it can freeze it" croft freeze web
t_is "so that it is Frozen" "$(field web .state)" Frozen
t_ok "and thaw it" croft thaw web
t_ok "it can change its limits" croft set web memory.max=80M
t_is "and run something in it" "$(croft exec web -- echo yes)" yes
t_ok "it stops it" croft stop web --force
t_ok "and removes it" croft remove web
t_croftd_stop

# The nearest that a test can come to a kernel that lacks something is less privilege.
t_fails_with 1 "without a capability that it needs croftd doesn't start" \
        setpriv --bounding-set=-mknod "$BUILD/croftd" --state-dir "$T/other" --run-dir "$T/other-run"
t_like "and says which" "$(cat "$T/error")" "partitions can't run here: privileges .*CAP_MKNOD"
t_is "it leaves no control group" "$(echo "$t_hierarchies" | while read -r mount own; do
        [ -f "$T/other/croft.db" ] && find "$mount$own" -maxdepth 1 -name "croft.$(sqlite3 "$T/other/croft.db" \
                "select value from meta where key = 'tag'" 2>/dev/null || echo nothing)"; done)" ""
t_done
