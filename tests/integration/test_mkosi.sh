#!/bin/sh
# where: here
# timeout: 900
# What builds on loop devices, partitions on them, mounts, and a proc of its own: mkosi makes a bootable Debian in an image, inside
# a partition, with debootstrap, systemd-nspawn and apt in a chroot.  debootstrap is told that it is in a container as it
# wants to be told (it knows container=lxc): else it tries to make device nodes, which nobody can in a user namespace.
T_NETWORK=host # for what comes from the mirror; the partition has none but a proxy
. "$(dirname "$0")/../roots.sh"
mirror=$(own_mirror)
. "$(dirname "$0")/../lib.sh"
[ -e /sys/module/loop ] || modprobe loop || exit 1

run() { croft exec a -- sh -c "exec 2>&1; $1"; }

t_croftd_start || exit 1
croft create a -s devices=loop:8 -s mount.allow=ext4,vfat,proc,sysfs >/dev/null && croft start a || exit 1
croft exec a -- ip link set lo up
mkfifo "$T/ready"
"$(dirname "$0")/../kit/t-proxy" "$(field a .pid)" >"$T/ready" &
proxy=$!
read -r word <"$T/ready"
t_is "there is a way to the mirror" "$word" ready
# Not in a tmpfs, which would be the partition's memory; nor in /tmp, which its systemd empties as it comes up.
# shellcheck disable=SC2016
booted() { run 'systemctl is-system-running' | grep -Eqx 'running|degraded'; }
t_ok "the partition is up" t_wait_for booted
run "mkdir -p /root/work && cd /root/work && export container=lxc http_proxy=http://127.0.0.1:3128 TMPDIR=/root/work &&
        mkosi -d debian -r bookworm -m '$mirror' --root-size 1G -o /root/image.raw" >"$T/mkosi" 2>&1
kill $proxy
t_like "mkosi makes an image" "$(tail -n 1 "$T/mkosi")" 'Resulting image size is'
grep -q 'Resulting image size' "$T/mkosi" || t_note "$(tail -n 30 "$T/mkosi")"
t_is "and leaves nothing mounted or bound" "$(run 'grep -c /root/work /proc/self/mountinfo; losetup -n -l')" 0
t_like "with a table of partitions" "$(run 'sfdisk -l /root/image.raw' | grep -A 9 ^Device)" 'Linux root \(x86-64\)'
t_is "one of which is bound" "$(run 'losetup -P /dev/loop0 /root/image.raw && ls /dev/loop0p1')" /dev/loop0p1
t_is "and is sound" "$(run 'e2fsck -f -n /dev/loop0p1 >/dev/null 2>&1; echo $?')" 0
t_is "it is mounted" "$(run 'mount -o ro /dev/loop0p1 /mnt; echo $?')" 0
t_is "all packages in it are installed" "$(run 'chroot /mnt dpkg --audit; chroot /mnt dpkg-query -W -f "\${Status}\n" | sort -u')" "install ok installed"
t_is "its files have their owners" "$(run 'stat -c "%U:%G %a" /mnt/etc/shadow /mnt/var/mail')" "root:shadow 640
root:mail 2775"
t_like "it runs" "$(run 'systemd-nspawn -q --register=no --read-only --volatile=no -D /mnt --pipe cat /etc/debian_version')" '^12'
t_is "all is taken down" "$(run 'umount /mnt && losetup -d /dev/loop0; losetup -n -l')" ""
t_done
