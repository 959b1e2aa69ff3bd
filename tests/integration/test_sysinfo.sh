#!/bin/sh
# where: here guest
# cpus: several
# timeout: 600
# sysinfo(2) tells a partition its own figures, by every ABI, to whomever init or exec has started; no death of ours and nothing that is done inside is in its way.
. "$(dirname "$0")/../lib.sh"

if [ -n "${CROFT_GUEST:-}" ]; then
        threads=300 callers=50 rounds=2
else
        threads=10000 callers=300 rounds=6
fi
tool=$BUILD/tests/kit/t-sysinfo
MIB=1048576

# Puts the tool, and whatever else, into a partition that doesn't run yet.
put() { # PARTITION FILE NAME
        put_to=$T/state/partitions/$(field "$1" .id)/rw/upper
        mkdir -p "$put_to" && cp "$2" "$put_to/$3" && chmod 755 "$put_to/$3"
}
inside() { croft exec web -- "$@"; }
word() { echo "$2" | cut -d' ' -f"$1"; }
total() { word 1 "$(inside /t show 64)"; }

t_croftd_start || exit 1
t_ok "a partition is made" croft create web -s memory.max=64M \
        -s 'init=/bin/sh -c "/t show 64 >/run/first; /t loop /run/stop >/run/count 2>&1; echo status \$? >>/run/count; exec sleep 100000"'
put web "$tool" t
put web "$(command -v busybox)" busybox
t_ok "and started" croft start web
if ! t_wait_for inside test -s /run/first; then
        t_fail "init's child has called" "$(cat "$T/croftd.log")"
        t_done
fi
host_total=$(word 1 "$("$tool" show 64)")
if [ "$(total)" = "$host_total" ]; then
        t_skip "sysinfo(2) is the partition's" "this kernel gives no samples: croft check tells why"
        t_done
fi

# --- what it tells ----------------------------------------------------------------------------------------------------

t_is "what init has started is told the limit" "$(word 1 "$(inside cat /run/first)")" $((64 * MIB))
t_is "so is a command" "$(total)" $((64 * MIB))
t_is "busybox's free shows it" "$(inside /busybox free | awk '/^Mem/ { print $2 }')" 65536
t_is "and MemTotal of /proc/meminfo is the same" "$(inside awk '/^MemTotal/ { print $2 }' /proc/meminfo)" 65536
# Swap that the machine gets while the partition runs: a file, or a loop device where files lie on no disk.
host_swap() { awk '/^SwapTotal/ { print $2 }' /proc/meminfo; }
add_swap() {
        fallocate -l 16M "$swap" && chmod 600 "$swap" && mkswap "$swap" || return
        swapon "$swap" || { swap_on=$(losetup -f --show "$swap") && swapon "$swap_on"; }
}
both() { # KIB
        [ "$(inside awk '/^SwapTotal/ { print $2 }' /proc/meminfo)" = "$1" ] &&
                [ "$(inside /busybox free | awk '/^Swap/ { print $2 }')" = "$1" ]
}
swap=/var/tmp/croft-swap.$$
swap_on=$swap
swap_before=$(host_swap)
t_ok "the machine has the swap that it had" both "$swap_before"
t_ok "it gets more" add_swap
t_ok "which /proc and sysinfo(2) tell" t_wait_for both "$(host_swap)"
t_ok "it loses that" swapoff "$swap_on"
t_ok "and they tell that" t_wait_for both "$swap_before"
[ "$swap_on" = "$swap" ] || losetup -d "$swap_on"
rm -f "$swap"
abis="x32 i386"
t_has_i386 || abis=x32
[ "$abis" != x32 ] || t_skip "by the ABI i386, too" "this kernel has no calls of i386"
for abi in $abis; do
        now=$(inside /t show $abi)
        t_is "by the ABI $abi, too" "$(word 1 "$now")" $((64 * MIB))
        t_ok "with memory that is free by the ABI $abi" [ "$(word 2 "$now")" -gt 0 ]
done
now=$(inside /t show 64)
t_ok "part of it is in use" [ "$(word 2 "$now")" -gt 0 -a "$(word 2 "$now")" -lt $((64 * MIB)) ]
t_ok "processes are the partition's own" [ "$(word 5 "$now")" -ge 2 -a "$(word 5 "$now")" -lt 20 ]
# Before, it, and after; it is rounded up.
uptimes=$(inside sh -c 'cut -d. -f1 /proc/uptime; /t show 64 | cut -d" " -f6; cut -d. -f1 /proc/uptime' | paste -sd' ')
t_ok "uptime is /proc/uptime's ($uptimes)" t_between "$(word 1 "$uptimes")" "$(word 2 "$uptimes")" $(($(word 3 "$uptimes") + 1))
t_ok "the limit is raised" croft set web memory.max=96M
raised() { [ "$(total)" = $((96 * MIB)) ]; }
t_ok "and the new one is told" t_wait_for raised
t_ok "it is taken away" croft set web memory.max=max
unlimited() { [ "$(total)" = "$(word 1 "$(inside /t show "${abis##* }")")" ] && [ "$(total)" -gt $((96 * MIB)) ]; }
t_ok "then it is the machine's, or what is above, by another ABI too" t_wait_for unlimited
t_ok "and given back" croft set web memory.max=64M
t_ok "another user is told as well" croft exec --user 1000 web -- /t show 64

# --- what outlives its session, and what comes of whom ----------------------------------------------------------------

t_ok "a command leaves a program behind that goes on calling" \
        inside sh -c 'setsid sh -c "/t loop /run/stop >/run/count2 2>&1; echo status \$? >>/run/count2" >/dev/null 2>&1 &'
croft exec web -- sh -c 'echo begun; /t loop /run/stop; echo status $?' >"$T/count3" 2>&1 &
session=$!
t_ok "another one stays" t_wait_for grep -qx begun "$T/count3"

# --- deaths -----------------------------------------------------------------------------------------------------------

warden=$(field web .warden)
succeeded() { now=$(field web .warden) && [ "$now" != null ] && [ "$now" != "$warden" ]; }
for i in $(seq $rounds); do
        warden=$(field web .warden)
        kill -9 "$warden"
        t_wait_for succeeded || break
        [ "$(total)" = $((64 * MIB)) ] || break
        t_croftd_kill
        t_croftd_start || exit 1
        [ "$(total)" = $((64 * MIB)) ] || break
done
t_is "after each of $rounds deaths of the warden and of croftd commands are told the limit" "$i $(total)" "$rounds $((64 * MIB))"
t_ok "init runs on" kill -0 "$(field web .pid)"
inside touch /run/stop
counted() { inside grep -q status "/run/$1"; }
t_ok "the loop of init's child ends" t_wait_for counted count
t_is "and not one of its calls had failed" "$(inside tail -n 1 /run/count)" "status 0"
t_ok "the loop of what a command had left behind ends" t_wait_for counted count2
t_is "and not one of its calls had failed, either" "$(inside tail -n 1 /run/count2)" "status 0"
wait $session
t_is "nor one of a session's that was there all the time" "$(tail -n 1 "$T/count3")" "status 0"
t_note "calls made meanwhile: $(inside head -n 1 /run/count) $(inside head -n 1 /run/count2) $(sed -n 2p "$T/count3")"

# --- the hostile ------------------------------------------------------------------------------------------------------

t_ok "a partition for the hostile is made" croft create evil -s memory.max=600M -s pids.max=$((threads + 500))
put evil "$tool" t
t_ok "and started" croft start evil
warden=$(field evil .warden)
evil() { croft exec evil -- /t "$@"; }
t_ok "$threads threads with bad pointers get EFAULT" evil storm $threads
t_ok "memory that is taken away during the call does no harm" evil race
t_ok "nor do callers that are killed in the middle of it" evil killed $callers
t_ok "nor does an address in a mapping of /proc/meminfo" evil mapped /proc/meminfo
t_ok "or of /proc/stat" evil mapped /proc/stat
t_ok "a filter of its own, which refuses, holds" evil refused
t_is "a listener of its own can't be had" "$(evil listener)" "Device or resource busy"
t_is "the warden is still the same" "$(field evil .warden)" "$warden"
t_is "and answers" "$(word 1 "$(evil show 64)")" $((600 * MIB))
t_is "the neighbour is told its own" "$(total)" $((64 * MIB))

# --- bounds -----------------------------------------------------------------------------------------------------------

listeners() { find "/proc/$1/fd" -lname 'anon_inode:seccomp notify' | wc -l; }
few() { croft exec evil -- true && [ "$(listeners "$warden")" -le 2 ] && [ "$(listeners "$t_daemon")" -le 6 ]; }
t_ok "listeners whose processes have ended are gone" t_wait_for few
if [ -z "${CROFT_GUEST:-}" ]; then
        n=0
        while [ $n -lt 200 ] && croft exec evil -- sh -c 'sleep 100000 >/dev/null 2>&1 &' 2>"$T/error"; do n=$((n + 1)); done
        t_is "127 commands may leave something behind" $n 127
        t_fails_with 125 "the next one is refused, with the status of what exec itself can't do" croft exec evil -- true
        t_like "with the reason" "$(cat "$T/error")" "no more"
        t_is "the neighbour isn't concerned" "$(total)" $((64 * MIB))
        for pid in $(find $(t_cgroups) -path "*/$(field evil .id)/*" -prune -o -path "*/$(field evil .id)" -prune -exec cat {}/cgroup.procs \; 2>/dev/null |
                sort -un); do
                [ "$(cat "/proc/$pid/comm" 2>/dev/null)" != sleep ] || kill -9 "$pid"
        done
        t_ok "when they end there is room again" t_wait_for croft exec evil -- true
fi

# --- with nobody left to answer ---------------------------------------------------------------------------------------

croft exec evil -- sh -c 'echo begun; /t loop /run/never; echo status $?' >"$T/count4" 2>&1 &
session=$!
t_ok "a program calls" t_wait_for grep -qx begun "$T/count4"
t_ok "a partition whose warden dies too often is left without one" t_kill_wardens evil
wait $session
t_like "its calls fail then, and don't hang" "$(sed -n 2p "$T/count4")" "Function not implemented"
t_is "the neighbour's don't" "$(total)" $((64 * MIB))

# --- idle -------------------------------------------------------------------------------------------------------------

switches() { cat /proc/"$(field web .warden)"/task/*/status | awk '/ctxt_switches/ { n += $2 } END { print n }'; }
idle() { before=$(switches) && sleep 3 && [ "$(switches)" = "$before" ]; } # once what came before is through
t_ok "an idle partition wakes nobody" t_wait_for idle
t_done
