#!/bin/sh
# where: here guest
# Containers inside a partition: a proc and a sysfs of their own (mount.allow=proc,sysfs), on which lies what lies on the
# partition's, for good; unshare, crun and systemd-nspawn unmodified.
. "$(dirname "$0")/../lib.sh"

t_croftd_start || exit 1
t_ok "a partition is made" croft create a -s mount.allow=sysfs,proc -s memory.max=128M -s init=croft
t_is "the types are kept in order" "$(field a '.properties["mount.allow"]')" proc,sysfs
t_ok "and started" croft start a
run() { croft exec a -- sh -c "exec 2>&1; $1"; }
inner="unshare --mount --pid --fork --mount-proc sh -c"
if ! run 'grep -q " /proc/meminfo fuse" /proc/self/mounts'; then
        t_is "without views the kernel makes a proc" "$(run "$inner 'ps -o pid= -p 1'")" "      1"
        t_done
fi
run 'mkdir -p /mnt/p'
# What lies on the one at that directory, by its names in it; what lies on that one and not on the other.
covers() { awk -v at="$1" 'index($5, at "/") == 1 { print substr($5, length(at) + 2) }' | grep -v ^fs/cgroup | sort -u; }
lacks() { # DIRECTORY OTHER MOUNTINFO
        covers "$1" <"$3" >"$T/covers"
        covers "$2" <"$3" | comm -13 - "$T/covers"
}

# --- a proc -------------------------------------------------------------------------------------------------------------

t_is "a new pid namespace has a proc of its own" "$(run "$inner 'cat /proc/1/comm; cat /proc/[0-9]*/comm | grep -c croft-init'")" "sh
0"
t_is "unlike the partition's" "$(run "cat /proc/[0-9]*/comm | grep -c croft-init")" 1
t_is "with the partition's figures" "$(run "$inner 'head -n 1 /proc/meminfo; nproc'")" "$(run 'head -n 1 /proc/meminfo; nproc')"
run 'mount -t proc proc /mnt/p; cat /proc/self/mountinfo; umount /mnt/p' >"$T/mountinfo"
t_is "all that lies on the partition's lies on it" "$(lacks /proc /mnt/p "$T/mountinfo")" ""
t_ok "which is not nothing" grep -q /mnt/p/meminfo "$T/mountinfo"
t_is "by mounts of the same file systems" "$(grep -F ' /mnt/p/' "$T/mountinfo" | sed 's/.* - //' | awk '{ print $1 }' | sort | uniq -c)" \
        "$(grep -F ' /proc/' "$T/mountinfo" | sed 's/.* - //' | awk '{ print $1 }' | sort | uniq -c)"
t_is "devices and set-user-id programs are none there" \
        "$(grep -F ' /mnt/p ' "$T/mountinfo" | awk '{ print $6 }' | grep -c nosuid,nodev,noexec)" 1
own=$(run 'head -n 1 /proc/meminfo; cat /proc/sys/kernel/core_pattern; wc -c </proc/timer_list')
for how in 'umount /proc/meminfo' 'umount -l /proc/meminfo' 'mount --move /proc/meminfo /mnt/p' 'umount /proc/timer_list' 'umount -l /proc/timer_list' \
        'mount -o remount,rw,bind /proc/sys; echo x >/proc/sys/kernel/core_pattern' 'umount -l /proc/sys; echo x >/proc/sys/kernel/core_pattern'; do
        t_is "$how: changes nothing" "$(run "$inner '($how) >/dev/null 2>&1; head -n 1 /proc/meminfo; cat /proc/sys/kernel/core_pattern; wc -c </proc/timer_list'")" "$own"
done
t_is "no more than that is seen when it is moved away" "$(run "$inner 'mount --move /proc /mnt/p && head -n 1 /mnt/p/meminfo'")" "$(run 'head -n 1 /proc/meminfo')"
t_is "a nested user namespace has one, too" "$(run 'unshare -Urmpf sh -c "mount -t proc proc /proc && cat /proc/1/comm && head -n 1 /proc/meminfo"')" "sh
$(run 'head -n 1 /proc/meminfo')"
t_is "who may not mount has none" "$(run 'setpriv --bounding-set=-sys_admin --inh-caps=-sys_admin sh -c "mount -t proc proc /mnt/p >/dev/null 2>&1; echo \$?"')" 32
t_is "nor who isn't root" "$(run 'setpriv --reuid 1000 --clear-groups unshare -m true 2>/dev/null; echo $?')" 1
t_is "its options are the kernel's" "$(run 'mount -t proc -o hidepid=2 proc /mnt/p && grep -c " /mnt/p .*hidepid=invisible" /proc/self/mounts; umount /mnt/p')" 1
t_is "and refused as the kernel does" "$(run 'mount -t proc -o hidepid=9 proc /mnt/p >/dev/null 2>&1; echo $?')" 32
t_is "read-only, too" "$(run 'mount -r -t proc proc /mnt/p; awk "\$5 == \"/mnt/p\" { print substr(\$6, 1, 2) }" /proc/self/mountinfo; umount /mnt/p')" ro
t_is "it takes a directory" "$(run 'mount -t proc proc /mnt/none >/dev/null 2>&1; echo $?; touch /tmp/f; mount -t proc proc /tmp/f >/dev/null 2>&1; echo $?')" "32
32"
t_is "nothing of these is left" "$(run 'grep -c " /mnt/" /proc/self/mountinfo')" 0

# --- the one there is, elsewhere ----------------------------------------------------------------------------------------

t_is "the partition's can be bound elsewhere" "$(run 'mount --bind /proc /mnt/p && head -n 1 /mnt/p/meminfo')" "$(run 'head -n 1 /proc/meminfo')"
run 'cat /proc/self/mountinfo' >"$T/mountinfo"
t_is "with what lies on it" "$(lacks /proc /mnt/p "$T/mountinfo")" ""
t_is "and unmounted there" "$(run 'umount /mnt/p; echo $?; grep -c " /mnt/p" /proc/self/mountinfo')" "0
0"
t_is "also with all below it" "$(run 'mkdir -p /mnt/q; mount --bind /mnt/q /mnt/q && mkdir /mnt/q/proc && mount --bind /proc /mnt/q/proc && umount -R /mnt/q; echo $?; grep -c " /mnt/q" /proc/self/mountinfo')" "0
0"
t_is "what isn't mounted isn't unmounted" "$(run 'umount /proc/version >/dev/null 2>&1; echo $?; umount /mnt/none >/dev/null 2>&1; echo $?')" "32
32"
t_is "other binds are as they were" "$(run 'mkdir -p /tmp/d /tmp/e; mount --bind /tmp/d /tmp/e; echo $?; cd /tmp/e; umount /tmp/e >/dev/null 2>&1; echo $?; cd /; umount /tmp/e; echo $?; umount /tmp/e >/dev/null 2>&1; echo $?')" "0
32
0
32"

t_is "namespaces of the caller's are bound, not others" \
        "$(run 'touch /mnt/n; unshare --net=/mnt/n true && nsenter --net=/mnt/n readlink /proc/self/ns/net >/mnt/f; stat -L -c "net:[%i]" /mnt/n; umount /mnt/n')" "$(run 'cat /mnt/f')"
t_is "ip-netns(8) works" "$(run 'ip netns add x && ip netns exec x ip -o link | cut -d: -f2; ip netns del x')" " lo"
t_is "so does a bind by descriptor" "$(run 'exec 7</etc/hostname; touch /mnt/f; mount --bind /proc/self/fd/7 /mnt/f; cmp /mnt/f /etc/hostname && umount /mnt/f; echo $?')" 0

# --- a sysfs ------------------------------------------------------------------------------------------------------------

t_is "a new network namespace has a sysfs of its own" "$(run 'unshare --net --mount sh -c "mount -t sysfs sysfs /sys && ls /sys/class/net"')" lo
t_is "with the partition's CPUs" "$(run 'unshare --net --mount sh -c "mount -t sysfs sysfs /sys && cat /sys/devices/system/cpu/online"')" "$(run 'cat /sys/devices/system/cpu/online')"
run 'unshare --net --mount sh -c "mount -t sysfs sysfs /mnt/p && cat /proc/self/mountinfo"' >"$T/mountinfo"
t_is "all that lies on the partition's lies on it" "$(lacks /sys /mnt/p "$T/mountinfo")" ""
t_ok "which is not nothing, either" grep -q /mnt/p/devices/system/cpu "$T/mountinfo"

# --- what programs do with it -------------------------------------------------------------------------------------------

run 'echo 0123456789abcdef0123456789abcdef >/etc/machine-id; mkdir -p /root/m/usr /root/m/etc; ln -s usr/bin /root/m/bin; ln -s usr/lib /root/m/lib; ln -s usr/lib64 /root/m/lib64; touch /root/m/etc/os-release'
# It looks for a systemd in the tree to see whether that knows cgroup v2; there is none before /usr is bound.
t_like "so does systemd-nspawn" "$(run 'SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 systemd-nspawn -q --register=no --keep-unit --bind-ro=/usr -D /root/m --pipe sh -c "cat /proc/1/comm; head -n 1 /proc/meminfo"' | tr '\n' ' ')" \
        "^sh $(run 'head -n 1 /proc/meminfo')"
# Last: where no process may be beside control groups with controllers (cgroup v2), it makes the partition's threaded.
run 'mkdir -p /root/b/rootfs/bin /root/b/rootfs/proc /root/b/rootfs/sys && cp /bin/busybox /root/b/rootfs/bin && cd /root/b && crun spec &&
sed -i -e "s/\"terminal\": true/\"terminal\": false/" -e "s,\"sh\",\"/bin/busybox\"\, \"head\"\, \"-n1\"\, \"/proc/1/cmdline\"\, \"/proc/meminfo\"," config.json'
t_like "crun runs a container" "$(run 'cd /root/b && crun run c' | tr '\0\n' '  ')" "/bin/busybox head .*$(run 'head -n 1 /proc/meminfo')"

# --- whose covers are they ----------------------------------------------------------------------------------------------

t_is "what the partition has put on its own lies on a new one as well" \
        "$(run "echo mine >/tmp/f; mount --bind /tmp/f /proc/meminfo; $inner 'cat /proc/meminfo'; umount /proc/meminfo")" mine
t_is "and nothing when it is gone" "$(run "$inner 'head -n 1 /proc/meminfo'")" "$(run 'head -n 1 /proc/meminfo')"
warden=$(field a .warden)
kill -9 "$warden"
replaced() { now=$(field a .warden) && [ "$now" != null ] && [ "$now" != "$warden" ]; }
t_ok "a warden that dies is replaced" t_wait_for replaced
t_is "new ones are served by it" "$(run "$inner 'head -n 1 /proc/meminfo'")" "$(run 'head -n 1 /proc/meminfo')"
t_is "whose /proc is gone has nothing to lay on one" "$(run "umount -l /proc; mount -t proc proc /mnt/p; echo \$?" | tail -n 1)" 32

# --- without ------------------------------------------------------------------------------------------------------------

t_ok "another partition has them not" croft create b -s mount.allow=ext4 -s init=croft
croft start b
t_is "there nobody mounts a proc" "$(croft exec b -- sh -c 'mount -t proc proc /tmp >/dev/null 2>&1; echo $?')" 32
t_done
