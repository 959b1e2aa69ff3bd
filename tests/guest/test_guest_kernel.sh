#!/bin/sh
# where: guest
# That the guest's kernel has what sends a test there: pure cgroup2, modules, device-mapper, BPF trampolines.
. "$(dirname "$0")/../lib.sh"

t_like "the kernel is a stock Debian one" "$(uname -r)" '^6\.[0-9.]+.*-cloud-amd64$'
t_like "it says so itself" "$(cat /proc/version)" 'Debian'

# --- control groups
t_is "control groups are pure version 2" "$(stat -f -c %T /sys/fs/cgroup) $(grep -c ' cgroup ' /proc/self/mounts)" "cgroup2fs 0"
for controller in cpu cpuset io memory pids; do
        t_like "controller $controller is there" "$(cat /sys/fs/cgroup/cgroup.controllers)" "(^| )$controller( |\$)"
done
t_make_cgroups
echo 8M >"$(t_cgroups)/memory.max"
# shellcheck disable=SC2016
t_fails_with 137 "a memory limit ends a program that wants more" \
        sh -c '(echo 0 >"$1/cgroup.procs" && exec python3 -c "bytes(range(256)) * 200000")' sh "$(t_cgroups)"

# --- modules
t_ok "modprobe finds a module of this kernel" modprobe dummy
t_like "the module is loaded" "$(cat /proc/modules)" '^dummy '
t_ok "a device of the module's kind can be made" ip link add t-dummy type dummy
ip link del t-dummy
t_ok "the module can be unloaded" modprobe -r dummy

# --- device-mapper
truncate -s 64M "$T/disk"
modprobe loop
loop=$(losetup -f --show "$T/disk")
echo "0 2048 linear $loop 8" | dmsetup create t-linear
t_is "device-mapper maps a loop device" "$(dmsetup table t-linear | cut -d' ' -f1-3)" "0 2048 linear"
echo "through the map" | dd of=/dev/mapper/t-linear bs=512 conv=sync status=none
sync
t_is "a write through the map arrives where the table says" "$(dd if="$T/disk" bs=512 skip=8 count=1 status=none | tr -d '\0')" "through the map"
dmsetup remove t-linear
t_ok "LVM makes a physical volume" pvcreate -q "$loop"
t_ok "LVM makes a volume group" vgcreate -q t-group "$loop"
t_ok "LVM makes a logical volume" lvcreate -q -n t-volume -L 8M t-group
t_ok "the logical volume is a device" test -b /dev/mapper/t--group-t--volume
vgremove -q -f t-group
losetup -d "$loop"

# --- what native partitions need
t_is "state and the system's own programs are on file systems that take idmapped mounts" "$(stat -f -c %T "$T" /usr /var/lib | sort -u)" "ext2/ext3"

# --- BPF
t_ok "the kernel has its type information" test -s /sys/kernel/btf/vmlinux
t_like "BPF is among the security modules" "$(cat /sys/kernel/security/lsm)" '(^|,)bpf(,|$)'
t_ok "fentry and LSM programs are taken and run" "$BUILD/tests/guest/fentry_attach" "$BUILD/tests/guest/fentry.bpf.o"
t_ok "function tracing is mounted" test -e /sys/kernel/tracing/available_tracers
t_done
