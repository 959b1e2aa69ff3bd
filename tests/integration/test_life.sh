#!/bin/sh
# where: here guest
# timeout: 600
# The life cycle: states, what is refused in which, limits while it runs, reboot from inside, autostart, a stop that fails.
. "$(dirname "$0")/../lib.sh"

state() { croft show "$1" --format json | jq -r .state; }
is_state() { [ "$(state "$1")" = "$2" ]; }
property() { croft show "$1" --format json | jq -r ".properties[\"$2\"]"; }
post() { curl -s --unix-socket "$CROFT_SOCKET" -X POST "http://croft/v1/partitions/$1"; }
# A file of the partition's directory in whichever hierarchy has it.
limit() { # PARTITION FILE...
        limit_id=$(field "$1" .id)
        shift
        for limit_dir in $(t_cgroups); do
                for limit_file; do cat "$limit_dir"/croft.*/"$limit_id/$limit_file" 2>/dev/null; done
        done
}

t_croftd_start || exit 1
t_fails_with 5 "a second croftd on the same state is refused" "$BUILD/croftd" --state-dir "$T/state" --run-dir "$T/run2"
t_like "and says why" "$(cat "$T/error")" "another croftd uses '$T/state'"
t_fails_with 5 "so is one with a state of its own in the same run directory" timeout "$T_PATIENCE" "$BUILD/croftd" --state-dir "$T/state2" --run-dir "$T/run"
t_like "and says why" "$(cat "$T/error")" "another croftd uses '$T/run'"
t_ok "the first still answers at its socket" croft list

# --- create and set ------------------------------------------------------------------------------------------------------

t_ok "a partition is created" croft create web -s init=croft -s pids.max=100 -s stop.timeout=3
t_fails_with 5 "a second one of that name is refused" croft create web
t_fails_with 2 "so is a name that is no label" croft create Web_1
t_fails_with 2 "and a property that there isn't" croft create other -s memory.maximum=1
t_fails_with 3 "none of them was made" croft show other
t_fails_with 3 "one that doesn't run can't be stopped" croft stop web
t_fails_with 3 "nor entered" sh -c 'croft exec web -- true; s=$?; [ $s = 125 ] && exit 3; exit $s'

# --- the environment of init ---------------------------------------------------------------------------------------------

environment() { tr '\0' '\n' <"/proc/$(field "$1" .pid)/environ" | sort | tr '\n' ' '; }
t_ok "one with a variable" croft create few -s init=croft -s env.FOO='a b'
t_ok "starts" croft start few
t_is "init has the variable and the usual path" "$(environment few)" \
        "FOO=a b PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin container=croft "
t_ok "it is given a path" croft set few env.PATH=/opt/bin
t_ok "and started again" croft restart few
t_is "then that is init's" "$(environment few)" "FOO=a b PATH=/opt/bin container=croft "

# --- what it mounts ------------------------------------------------------------------------------------------------------

# A service's mount namespace is such a copy.
# shellcheck disable=SC2016 # expanded inside
t_is "what is unmounted goes from copies of its mount namespace" "$(croft exec few -- sh -c '
        mount -t tmpfs t /mnt
        unshare -m --propagation slave sh -c "grep -c \" /mnt \" /proc/self/mounts; : >/tmp/in
                while [ -e /tmp/in ]; do sleep 0.01; done; grep -c \" /mnt \" /proc/self/mounts" >/tmp/seen &
        while [ ! -e /tmp/in ]; do sleep 0.01; done
        umount /mnt; rm /tmp/in; wait; cat /tmp/seen')" "1
0"
t_is "all of its mounts are shared so" "$(croft exec few -- findmnt -rn -o PROPAGATION | sort -u)" shared
t_ok "the one is removed" croft remove --force few

# --- the limit of open files ---------------------------------------------------------------------------------------------

t_fails_with 2 "a limit of open files that starts nothing is refused" croft create few -s rlimit.nofile=63
t_ok "one with the least limit of open files" croft create few -s init=croft -s rlimit.nofile=64
t_ok "starts" croft start few
t_is "init has the limit" "$(awk '/open files/ { print $4, $5 }' "/proc/$(field few .pid)/limits")" "64 64"
t_is "a command has it, too" "$(croft exec few -- sh -c 'ulimit -Sn; ulimit -Hn' 2>&1 | tr '\n' ' ')" "64 64 "
t_ok "the one is removed" croft remove --force few

# --- running -------------------------------------------------------------------------------------------------------------

t_ok "it starts" croft start web
t_is "it is Active" "$(state web)" Active
# While it started they were kept on different ones.
cpus_of() { sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' /proc/"$1"/task/*/status | sort -u; }
t_is "init may use all CPUs that croftd has" "$(cpus_of "$(field web .pid)")" "$(cpus_of self)"
t_is "so may its warden, and all threads of croftd" "$(cpus_of "$(field web .warden)") $(cpus_of "$t_daemon")" "$(cpus_of self) $(cpus_of self)"
t_fails_with 5 "it can't be started again" croft start web
t_fails_with 5 "nor removed" croft remove web
t_like "what to do about that is said" "$(cat "$T/error")" "is running: stop it first, or force it$"
t_fails_with 5 "nor thawed" croft thaw web
t_is "its limit is in force" "$(limit web pids.max | head -n 1)" 100
t_ok "the limit can be changed while it runs" croft set web pids.max=150
t_is "and is in force at once" "$(limit web pids.max | head -n 1)" 150
t_isnt "a set of which one part can't be done is refused" "$(croft set web pids.max=120 cpu.set=4000 >/dev/null 2>&1; echo $?)" 0
t_is "then no part of it is in force" "$(limit web pids.max | head -n 1)" 150
t_is "nor remembered" "$(property web pids.max) $(property web cpu.set)" "150 null"
t_fails_with 2 "a network that makes no sense is refused" croft set web net=elsewhere
t_like "by a sentence that names the property once" "$(cat "$T/error")" "^croft: set 'web': net: 'elsewhere' is not known: "
t_fails_with 5 "its network can't be changed while it runs" croft set web net=bridge=br0
t_ok "a limit can be unset" croft set web pids.max=
t_is "and is lifted" "$(limit web pids.max | head -n 1)" max
t_ok "it can be renamed while it runs" croft rename web shop
t_fails_with 3 "the old name is gone" croft show web
t_is "the new one is it" "$(state shop)" Active
t_ok "and back" croft rename shop web
t_ok "it freezes" croft freeze web
t_is "it is Frozen" "$(state web)" Frozen
t_fails_with 5 "a frozen one can't be frozen" croft freeze web
t_fails_with 125 "nor entered" croft exec web -- true
t_like "what to do about that is said" "$(cat "$T/error")" "is frozen; .croft thaw web. lets it go on$"
t_ok "it thaws" croft thaw web
t_is "it is Active again" "$(state web)" Active
t_ok "it freezes once more" croft freeze web
t_ok "a frozen one can be stopped" croft stop web
t_is "it is Defined" "$(state web)" Defined

# --- two phases ----------------------------------------------------------------------------------------------------------

post web/load >/dev/null
t_is "phase one leads to Loaded" "$(state web)" Loaded
t_isnt "it has a first process" "$(field web .pid)" null
t_fails_with 5 "a loaded one can't be removed" croft remove web
t_croftd_kill
t_croftd_start || exit 1
t_is "it stays so when croftd dies" "$(state web)" Loaded
t_ok "phase two" croft start web
t_is "leads to Active" "$(state web)" Active
t_is "init and warden may use all CPUs, though the warden was shut in before" "$(cpus_of "$(field web .pid)") $(cpus_of "$(field web .warden)")" "$(cpus_of self) $(cpus_of self)"
t_ok "it stops" croft stop web
post web/load >/dev/null
t_ok "a loaded one can be stopped" croft stop web
t_is "then it is Defined" "$(state web)" Defined

# --- ends by itself ------------------------------------------------------------------------------------------------------

t_ok "init may be a command" croft set web init='/bin/sh -c "exit 7"'
t_ok "it starts" croft start web
t_ok "when it ends, the partition is Defined" t_wait_for is_state web Defined
t_is "its exit status is kept" "$(field web .exit_status.status)" 7
t_ok "nothing runs" t_wait_for sh -c '[ "$(croft show web --format json | jq -r .pid)" = null ]'
t_ok "the usual init" croft set web init=croft
t_ok "it starts" croft start web
t_ok "kill ends it" croft kill web
t_ok "then it is Defined" t_wait_for is_state web Defined

t_ok "it starts" croft start web
pid=$(field web .pid)
croft exec web -- sh -c 'python3 -c "import ctypes; ctypes.CDLL(None).reboot(0x1234567)" || reboot -f' >/dev/null 2>&1
rebooted() { new=$(field web .pid) && [ "$new" != null ] && [ "$new" != "$pid" ] && is_state web Active; }
t_ok "a reboot from inside starts it again" t_wait_for rebooted
croft exec web -- sh -c 'python3 -c "import ctypes; ctypes.CDLL(None).reboot(0x4321fedc)" || poweroff -f' >/dev/null 2>&1
t_ok "a power-off from inside stops it" t_wait_for is_state web Defined

# --- a stop that takes long, and one that fails --------------------------------------------------------------------------

t_ok "an init that ignores everything" croft set web stop.timeout=600 init='/bin/sh -c "trap : TERM PWR; while :; do sleep 0.1; done"'
t_ok "starts" croft start web
ignoring() { [ $((0x$(sed -n 's/^SigCgt:\t//p' "/proc/$(field web .pid)/status") & 1 << 14)) != 0 ]; }
t_ok "and has its traps" t_wait_for ignoring
croft stop web >/dev/null 2>&1 &
stop=$!
t_ok "a stop waits for it" t_wait_for is_state web Transitional
t_fails_with 5 "another command is refused meanwhile" croft start web
t_like "with what goes on" "$(cat "$T/error")" "'web' is being stopped"
t_ok "a forced stop ends the wait" croft stop web --force
t_ok "the first one has succeeded by that" wait "$stop"
t_is "it is Defined" "$(state web)" Defined
t_ok "the usual init" croft set web stop.timeout= init=croft

if ! t_pure_v2; then
        t_ok "it starts" croft start web
        stranger=$(for dir in $(t_cgroups); do echo "$dir"/croft.*/"$(field web .id)"; done | grep /pids/)
        sleep 1000 &
        sleeper=$!
        echo $sleeper >"$stranger/cgroup.procs"
        t_isnt "a stop that leaves something fails" "$(croft stop web >/dev/null 2>&1; echo $?)" 0
        t_is "then it is Broken" "$(state web)" Broken
        t_fails_with 9 "a broken one can't be started" croft start web
        t_croftd_kill
        t_croftd_start || exit 1
        t_is "the next croftd finds it Broken, too" "$(state web)" Broken
        kill $sleeper
        wait $sleeper 2>/dev/null
        t_ok "once the cause is gone, it can be repaired" croft stop web --force
        t_ok "and started" croft start web
        t_ok "and stopped" croft stop web
fi

# --- wardens that die again and again ------------------------------------------------------------------------------------

t_ok "it starts" croft start web
pid=$(field web .pid)
fifth() { # or more of them, where they took longer than that
        t_uptime
        began=$t_now
        t_kill_wardens web || return 1
        t_uptime
        [ $t_deaths -le 5 ] || [ $((t_now - began)) -ge 10 ]
}
t_ok "the fifth death in ten seconds is one too many" fifth
t_is "the partition runs on" "$(field web '"\(.state) \(.pid)"')" "Active $pid"
t_like "and says what it lacks" "$(field web .last_error)" "warden died 5 times"
t_is "programs can be run in it" "$(croft exec web -- echo yes)" yes
t_croftd_kill
t_croftd_start || exit 1
t_isnt "the next croftd tries again" "$(field web .warden)" null
t_ok "it stops in order" croft stop web

# --- a start that fails --------------------------------------------------------------------------------------------------

t_ok "an init that there isn't" croft set web init=/no/such/init
t_isnt "can't be started" "$(croft start web >/dev/null 2>"$T/error"; echo $?)" 0
t_like "the message says which" "$(cat "$T/error")" "/no/such/init.*No such file or directory"
t_is "the partition is Defined" "$(state web)" Defined
t_like "show says why, too" "$(field web .last_error)" "No such file"
t_is "no control group is left" "$(for dir in $(t_cgroups); do [ ! -d "$dir" ] || find "$dir" -mindepth 2 -type d; done)" ""
t_ok "the usual init" croft set web init=croft

# --- files that the database doesn't know --------------------------------------------------------------------------------

t_croftd_stop
mkdir -p "$T/state/partitions/900/rw/upper" "$T/state/partitions/901/rw/upper" "$T/state/tmp/half"
echo data >"$T/state/partitions/900/rw/upper/file"
t_croftd_start || exit 1
t_is "files of a partition that isn't known stay" "$(cat "$T/state/partitions/900/rw/upper/file")" data
t_fails_with 1 "empty directories of one go" test -e "$T/state/partitions/901"
t_fails_with 1 "and so does what is half made" test -e "$T/state/tmp/half"
t_ok "a new partition" croft create new -s init=croft
t_ok "is not made on top of them" test "$(field new .id)" -gt 900
t_ok "it starts" croft start new
t_ok "and is removed" croft remove new --force
rm -r "$T/state/partitions/900"

# --- autostart -----------------------------------------------------------------------------------------------------------

t_ok "one starts by itself" croft create first -s init=croft -s autostart=yes -s start.order=1
t_ok "another one later" croft create second -s init=croft -s autostart=yes -s start.order=2
t_croftd_stop
t_croftd_start || exit 1
t_ok "the next croftd starts the first" t_wait_for is_state first Active
t_ok "and the second" t_wait_for is_state second Active
# When its init began, in ticks, and its number for those of one tick: numbers begin anew at some time.
began() { sed 's/.*) //' "/proc/$(field "$1" .pid)/stat" | awk -v pid="$(field "$1" .pid)" '{ printf "%s%08d\n", $20, pid }'; }
t_ok "in that order" test "$(began first)" -lt "$(began second)"
t_is "but not what isn't marked" "$(state web)" Defined
t_ok "one that is stopped" croft stop first
t_croftd_stop
t_croftd_start || exit 1
t_is "stays stopped when croftd is started again" "$(state first)" Defined
t_is "while the other one runs on" "$(state second)" Active
t_done
