#!/bin/sh
# where: here
# What a hostile partition puts in the way of `croft exec`, `stop` and `remove`: spies on what enters, its passwd and group,
# its control groups.
. "$(dirname "$0")/../lib.sh"

inside() { croft exec evil -- "$@"; }

t_croftd_start || exit 1
t_ok "a partition is made" croft create evil -s pids.max=500 -s memory.max=256M -s stop.timeout=2
t_ok "it starts" croft start evil
croft exec evil -- sh -c 'cat >/root/t-hostile && chmod 755 /root/t-hostile' <"$BUILD/tests/kit/t-hostile"

# --- spies on what enters ------------------------------------------------------------------------------------------------

inside touch /root/spy
inside /root/t-hostile spy >"$T/spy1" 2>&1 &
spy1=$!
inside /root/t-hostile spy >"$T/spy2" 2>&1 &
spy2=$!
for _ in $(seq 40); do inside true || echo failed; done >"$T/execs" 2>&1
t_is "commands are executed while root inside looks at every process" "$(cat "$T/execs")" ""
inside rm /root/spy
wait $spy1 $spy2
t_is "nothing of what enters is reached" "$(cat "$T/spy1" "$T/spy2")" "reached 0 of many
reached 0 of many"

# --- passwd and group ----------------------------------------------------------------------------------------------------

try() { # WHAT SCRIPT: makes /etc/passwd and /etc/group so; root's commands still run
        croft exec evil -- sh -c "rm -rf /etc/passwd /etc/group; $2" >/dev/null 2>&1
        t_is "with $1 root's commands run" "$(timeout "$T_PATIENCE" croft exec evil -- echo works 2>&1)" works
        timeout "$T_PATIENCE" croft exec -u nosuchuser evil -- true >/dev/null 2>"$T/error"
        t_is "and nobody's don't" "$?" 125
}
try "no passwd" true
try "fifos" 'mkfifo /etc/passwd /etc/group'
try "directories" 'mkdir /etc/passwd /etc/group'
try "links in a circle" 'ln -s passwd /etc/passwd; ln -s group /etc/group'
try "links to a magic link" 'ln -s /proc/self/exe /etc/passwd; ln -s /proc/1/root/etc/group /etc/group'
try "links to a terminal" 'ln -s /dev/console /etc/passwd; ln -s /dev/ptmx /etc/group'
try "endless files" 'ln -s /dev/zero /etc/passwd; ln -s /dev/urandom /etc/group'
try "huge ones" 'truncate -s 100G /etc/passwd; truncate -s 100G /etc/group'
try "noise" 'head -c 3000000 /dev/urandom >/etc/passwd; head -c 3000000 /dev/urandom >/etc/group'
croft exec evil -- sh -c 'echo "root:x:4294967295:4294967295:::/bin/sh" >/etc/passwd; echo "odd:x:-1:99999999999:::" >>/etc/passwd'
t_is "ids that are none are nobody's" "$(croft exec evil -- id -u 2>&1) $(croft exec -u odd evil -- id 2>/dev/null; echo $?)" "0 125"
croft exec evil -- sh -c 'printf "u:x:5:5::/\033]0;x\007:\n" >/etc/passwd; for i in $(seq 5000); do echo "g$i:x:$i:u"; done >/etc/group'
t_is "a member of 5000 groups is one of as many as fit" "$(croft exec -u u evil -- id -u 2>&1)" 5

# --- control groups ------------------------------------------------------------------------------------------------------

# Each in the place where croft puts what it executes when the partition's own directory can't take processes.
t_ok "it starts anew" croft restart evil --force
# Its own init can't begin in control groups that are threaded already; that is the partition's affair.
t_ok "and its init has its own control group" t_wait_for inside test -d /sys/fs/cgroup/system.slice
inside sh -c 'cd /sys/fs/cgroup && mkdir croft.exec deep && echo 1 >croft.exec/cgroup.freeze; echo threaded >croft.exec/cgroup.type
        sleep 1000 & echo $! >deep/cgroup.procs; echo 1 >deep/cgroup.freeze
        d=deep; for i in $(seq 200); do d=$d/d; mkdir $d || break; done
        for i in $(seq 1000); do mkdir n$i || break; done' >/dev/null 2>&1
t_is "with many, deep, frozen and threaded control groups commands run" "$(timeout "$T_PATIENCE" croft exec evil -- echo works 2>&1)" works
t_ok "it can be shown" croft show evil
t_ok "frozen" croft freeze evil
t_ok "thawed" croft thaw evil
t_ok "stopped" croft stop evil
t_is "and is Defined" "$(field evil .state)" Defined
t_ok "it starts again" croft start evil
inside sh -c 'for f in cgroup.type cgroup.subtree_control; do echo threaded >/sys/fs/cgroup/$f; done
        mkdir /sys/fs/cgroup/a && echo $$ >/sys/fs/cgroup/a/cgroup.procs && kill -STOP -1' >/dev/null 2>&1
t_ok "with everything inside stopped it is killed" croft stop evil --force
t_ok "and removed" croft remove evil
t_done
