#!/bin/sh
# where: here guest
# timeout: 120
# Loop devices of a partition's own: unmodified losetup and mkfs inside, nothing of them in another partition, and none of
# the host's within reach.
. "$(dirname "$0")/../lib.sh"
losetup -f >/dev/null 2>&1 || t_skip_all "this kernel has no loop devices"
t_croftd_start || exit 1
croft create a -s devices=loop:6 >/dev/null && croft start a || exit 1
run() { croft exec a -- sh -c "$1"; }
run 'truncate -s 20M /img; losetup -f --show /img; losetup -a; ls -l /dev/loop*; cat /proc/partitions; lsblk'
losetup -a
run 'mkfs.ext4 -q /dev/loop0 && losetup -d /dev/loop0; ls -l /dev/loop*; losetup -f'
losetup -a; ls -d /sys/block/loop*
t_done
