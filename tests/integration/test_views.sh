#!/bin/sh
# where: here guest
# cpus: several
# beside: others
# timeout: 900
# A partition's own /proc and /sys: what programs read is the partition's, nothing inside can take it away, and whoever
# serves it may die at any time.
. "$(dirname "$0")/../lib.sh"

t_croftd_start || exit 1
t_ok "a partition is made" croft create web -s memory.max=64M
t_ok "and started" croft start web
inside() { croft exec web -- sh -c "$1"; }

if ! inside 'grep -q " /proc/meminfo fuse" /proc/self/mounts'; then
        t_skip "it has a /proc of its own" "no figures of partitions on this kernel"
        t_is "and starts without" "$(field web .state)" Active
        t_done
        exit
fi
croft exec web -- sh -c 'cat >/root/t-views; chmod +x /root/t-views' <"$BUILD/tests/kit/t-views"

# --- programs that know nothing of partitions (KST-42, KST-A7) ---
t_is "free shows the partition's memory" "$(inside 'free -k' | awk '/^Mem/ { print $2 }')" 65536
t_is "so does head -c" "$(inside 'head -c 9 /proc/meminfo')" MemTotal:
t_is "a file can be read from any place on" "$(inside 'dd if=/proc/meminfo bs=1 skip=3 count=5 2>/dev/null')" Total
t_is "a file reads as long as it says" "$(inside 'wc -c </proc/meminfo')" "$(inside 'stat -c %s /proc/meminfo')"
t_is "what never changes is as long as it is" "$(inside 'cat -A /proc/sys/kernel/pty/nr')" '0$'
t_is "and belongs to root" "$(inside 'stat -c %U:%a /proc/stat')" root:444
t_ok "uptime works" inside uptime
t_like "ps knows how old a process is that has just begun" \
        "$(inside 'command -v ps >/dev/null || echo 0; for i in 1 2 3 4 5 6 7 8; do ps -o etimes= -p $$; ps -o etimes= -C ps; done' | sort -n | tail -n 1)" '^ *[0-9]{1,4}$'
t_ok "vmstat works" inside 'command -v vmstat >/dev/null || exit 0; vmstat'
t_ok "top works" inside 'command -v top >/dev/null || exit 0; top -b -n 1'
t_is "nproc is what /sys says" "$(inside 'nproc')" "$(inside 'ls -d /sys/devices/system/cpu/cpu[0-9]* | wc -l')"
t_is "no CPU or memory of the machine is told by another name" "$(inside 'ls /sys/bus/cpu/devices /sys/bus/memory/devices 2>/dev/null')" ""
t_ok "each view can be read" inside \
        'for f in $(grep " fuse" /proc/self/mounts | cut -d" " -f2); do [ -d $f ] && ls -lR $f/. >/dev/null || cat $f >/dev/null || exit 1; done'
t_fails_with 1 "nobody writes them" inside 'echo 1 >/proc/meminfo || exit 1'

# --- nothing inside takes them away (KST-44, KST-A8) ---
own=$(inside 'head -n 1 /proc/meminfo')
t_fails_with 1 "a view can't be unmounted" inside 'umount /proc/meminfo || exit 1'
t_fails_with 1 "nor lazily" inside 'umount -l /proc/meminfo || exit 1'
t_fails_with 1 "nor moved" inside 'mkdir -p /tmp/m; mount --move /proc/meminfo /tmp/m || exit 1'
t_fails_with 1 "a second proc isn't mounted" inside 'mkdir -p /tmp/p; mount -t proc proc /tmp/p || exit 1'
t_fails_with 1 "nor a second sysfs" inside 'mkdir -p /tmp/p; mount -t sysfs sys /tmp/p || exit 1'
t_fails_with 1 "nor in a new pid namespace" inside 'unshare -mpf --mount-proc true || exit 1'
t_fails_with 1 "nor in a nested user namespace" inside 'unshare -Urmpf sh -c "mount -t proc proc /tmp/p" || exit 1'
t_fails_with 1 "where they can't be unmounted either" inside 'unshare -Urm umount /proc/meminfo || exit 1'
t_fails_with 1 "a bind without what lies on it is refused" inside 'mount --bind /proc /tmp/p || exit 1'
t_is "one with it shows the partition's" "$(inside 'mount --rbind /proc /tmp/p && head -n 1 /tmp/p/meminfo; umount -l /tmp/p')" "$own"
t_is "a /proc that is unmounted under one's feet, too" \
        "$(inside 'unshare -m sh -c "cd /proc && umount -l /proc && head -n 1 meminfo"')" "$own"
t_is "masks stay as well" "$(inside 'umount /proc/kcore 2>/dev/null; wc -c </proc/kcore' 2>/dev/null || echo 0)" 0
t_is "a bind mount over a file is one's own affair" "$(inside 'echo mine >/tmp/f; mount --bind /tmp/f /proc/meminfo && cat /proc/meminfo; umount /proc/meminfo')" mine

# --- whoever serves them may die (KST-A7) ---
small="/proc/loadavg /proc/uptime /proc/pressure/cpu"
large="/proc/meminfo /proc/stat /proc/vmstat /proc/cpuinfo /proc/swaps"
kills=9
[ -z "${CROFT_GUEST:-}" ] || kills=3
# shellcheck disable=SC2086 # lists
croft exec web -- /root/t-views --until /run/stop $small >"$T/small" 2>&1 &
r1=$!
# shellcheck disable=SC2086
croft exec web -- /root/t-views --until /run/stop $large >"$T/large" 2>&1 &
r2=$!
t_ok "small files are read all the time" t_wait_for grep -qx begun "$T/small"
t_ok "and larger ones" t_wait_for grep -qx begun "$T/large"
changed() { now=$(field web .warden) && [ "$now" != null ] && [ "$now" != "$warden" ]; }
killed=0
while [ $killed -lt $kills ]; do
        warden=$(field web .warden)
        kill -9 "$warden" || break
        t_wait_for changed || break
        killed=$((killed + 1))
        [ $((killed % 3)) = 0 ] && { t_croftd_kill; t_croftd_start || exit 1; }
        sleep 2.1 # a warden that dies five times in ten seconds is given up
done
t_is "wardens are killed meanwhile" $killed $kills
t_ok "and then it is over" croft exec web -- touch /run/stop
t_ok "no read failed, was short or torn while small files were read" wait $r1
t_ok "nor while larger ones were" wait $r2
t_note "$(cat "$T/small" "$T/large")"
t_is "the partition is what it was" "$(field web .state)" Active

# --- a warden that can't be replaced ---
t_ok "a warden that dies again and again is given up" t_kill_wardens web
t_note "after $t_deaths deaths"
refused() { ! croft exec web -- timeout 5 cat /proc/uptime; }
t_ok "its readers get an error and don't wait" t_wait_for refused
t_isnt "not by a time-out" "$(inside 'timeout 5 cat /proc/uptime >/dev/null 2>&1; echo $?')" 124
t_ok "the partition stops" croft stop web
t_done
