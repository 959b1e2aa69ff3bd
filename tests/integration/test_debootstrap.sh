#!/bin/sh
# where: here
# timeout: 300
# What builds on loop devices and mounts: debootstrap makes a Debian in an image, inside a partition.  It is told that it is in a container as
# it wants to be told (it knows container=lxc): else it tries to make device nodes, which nobody can in a user namespace.
. "$(dirname "$0")/../roots.sh"
set -u

# Its packages come from the mirror, once; by the machine's network, which is gone behind lib.sh.
cache=${CROFT_CACHE:-$HOME/.cache/croft}
packages=$cache/debootstrap-bookworm.tar.gz
if [ ! -e "$packages" ]; then
        mkdir -p "$cache"
        debootstrap --variant=minbase --make-tarball="$packages.$$" bookworm "$cache/debootstrap.$$" "$(own_mirror)" >"$cache/debootstrap.log" 2>&1 ||
                { tail -n 5 "$cache/debootstrap.log"; echo "Bail out! debootstrap could not fetch its packages"; exit 1; }
        rm -rf "$cache/debootstrap.$$"
        mv "$packages.$$" "$packages"
fi
. "$(dirname "$0")/../lib.sh"
[ -e /sys/module/loop ] || modprobe loop || exit 1

run() { croft exec a -- sh -c "exec 2>&1; $1"; }

t_croftd_start || exit 1
croft create a -s init=croft -s devices=loop:2 -s mount.allow=ext4 >/dev/null && croft start a || exit 1
croft exec a -- sh -c 'cat >/packages.tar.gz' <"$packages"
t_is "an image is made and mounted" "$(run 'truncate -s 1G /image && mkfs.ext4 -q /image && mount -o loop /image /mnt; echo $?')" 0
t_like "debootstrap installs a system into it" "$(run 'container=lxc debootstrap --variant=minbase --unpack-tarball=/packages.tar.gz bookworm /mnt | tail -n 1')" \
        'Base system installed successfully'
t_is "which is complete" "$(run 'chroot /mnt dpkg --audit; chroot /mnt dpkg-query -W -f "\${Status}\n" | sort -u')" "install ok installed"
t_is "its files have their owners" "$(run 'stat -c "%U:%G %a" /mnt/etc/shadow /mnt/var/mail')" "root:shadow 640
root:mail 2775"
t_is "it is unmounted, with what debootstrap mounted in it" "$(run 'umount -R /mnt && findmnt -n -R /mnt')" ""
t_is "the file system in the image is sound" "$(run 'e2fsck -f -n /image >/dev/null 2>&1; echo $?')" 0
t_is "it runs from the image" "$(run 'mount -o loop,ro /image /mnt && chroot /mnt cat /etc/debian_version; umount /mnt' | grep -c '^12')" 1
t_done
