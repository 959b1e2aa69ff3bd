#!/bin/sh
# where: here
# What one partition hoards of a table of the kernel isn't taken from the others (C-15), and a warden is nobody on the host.
. "$(dirname "$0")/../lib.sh"

t_croftd_start || exit 1
for name in greedy modest; do
        t_ok "'$name' is made" croft create $name -s init=/run/croft/bin/croft-init
        t_ok "and started" croft start $name
        croft exec $name -- sh -c 'cat >/root/t-hoard && chmod 755 /root/t-hoard' <"$BUILD/tests/kit/t-hoard"
done

# What the host lets anybody have at all.
limit_of() { cat "/proc/sys/$(case $1 in inotify) echo fs/inotify/max_user_instances ;; pty) echo kernel/pty/max ;; esac)"; }
# In one where there is nothing else: what it can have.
alone() { croft exec "$1" -- /root/t-hoard $what </dev/null 2>&1; } # PARTITION

mkfifo "$T/hold"
# What hoards holds it, and another takes what it can; sets hoarded, got, and free, which it gets when nobody hoards.
hoard() {
        rm -f "$T/hoarded" # the one before's
        free=$(alone modest)
        croft exec greedy -- /root/t-hoard $what <"$T/hold" >"$T/hoarded" 2>&1 &
        hoarder=$!
        exec 9>"$T/hold"
        t_wait_for test -s "$T/hoarded"
        hoarded=$(cat "$T/hoarded")
        got=$(alone modest)
        exec 9>&-
        wait $hoarder
}
for what in inotify pty; do
        limit=$(limit_of $what)
        for _ in 1 2 3; do # again if what there is for one without the other has changed meanwhile
                hoard
                [ "$(alone modest)" != "$free" ] || break
        done
        t_ok "one partition takes all it can get of $what ($hoarded)" test "$hoarded" -gt 0
        t_ok "that is bounded ($limit)" test "$hoarded" -le "$limit"
        t_ok "another can have some ($free)" test "$free" -gt 0
        t_is "another gets as many all the same" "$got" "$free"
done

# The warden: a host id of its own that no process of the partition has, no capability, no root directory worth the name.
warden=$(field greedy .warden)
base=$(field greedy .uid_base)
ids=$(sed -n 's/^[UG]id:[[:space:]]*//p' "/proc/$warden/status" | tr '\t\n' '  ')
t_is "the warden has one id only" "$(printf '%s\n' $ids | sort -u | wc -l)" 1
t_ok "it isn't root and none of the partition's" test "${ids%% *}" -gt 0 -a "${ids%% *}" -lt "$base"
t_is "another warden has another" "$(awk '/^Uid:/ { print $2 }' "/proc/$(field modest .warden)/status" | grep -cx "${ids%% *}")" 0
t_is "no capability is left to it" "$(awk '/^Cap(Inh|Prm|Eff|Bnd|Amb):/ { print $2 }' "/proc/$warden/status" | sort -u)" 0000000000000000
t_is "its root is empty" "$(ls -A "/proc/$warden/root/")" ""
t_is "no system call but those it needs" "$(awk '/^Seccomp:/ { print $2 }' "/proc/$warden/status")" 2

# An exec session is no more than that.
croft exec modest -- sleep 1000 </dev/null >/dev/null 2>&1 &
client=$!
session_of() { session=$(pgrep -P "$t_daemon" -f '^croft-warden session') && [ "$(awk '/^Seccomp:/ { print $2 }' "/proc/$session/status")" = 2 ]; }
t_ok "a session serves a command" t_wait_for session_of
session=$(pgrep -P "$t_daemon" -f '^croft-warden session')
t_is "it has the id of its partition's warden" "$(awk '/^Uid:/ { print $2 }' "/proc/$session/status")" \
        "$(awk '/^Uid:/ { print $2 }' "/proc/$(field modest .warden)/status")"
t_is "no capability" "$(awk '/^Cap(Inh|Prm|Eff|Bnd|Amb):/ { print $2 }' "/proc/$session/status" | sort -u)" 0000000000000000
t_is "and an empty root" "$(ls -A "/proc/$session/root/")" ""
kill $client
wait $client 2>/dev/null

kill -9 "$warden"
changed() { now=$(field greedy .warden) && [ "$now" != null ] && [ "$now" != "$warden" ]; }
t_ok "a successor comes" t_wait_for changed
t_is "with the same id" "$(awk '/^Uid:/ { print $2 }' "/proc/$now/status")" "${ids%% *}"
t_ok "it can still signal its init" croft kill greedy -s TERM
defined() { [ "$(field greedy .state)" = Defined ]; }
t_ok "which ends" t_wait_for defined
t_done
