#!/bin/sh
# where: here guest
# Each type that mount.allow knows beside ext4, by mount(8), where this kernel has its driver and can map ids for it.
. "$(dirname "$0")/../lib.sh"
for module in loop ext4 xfs vfat squashfs erofs; do modprobe -q $module 2>/dev/null; done
modprobe -q -r nls_ascii 2>/dev/null && asks_for=nls_ascii # the driver of vfat does, at a mount

run() { croft exec a -- sh -c "exec 2>&1; $1"; }
has_driver() { grep -qw "$1" /proc/filesystems; }
kernel=$(uname -r | awk -F'[.-]' '{ print $1 * 100 + $2 }')
# The Linux that began to map ids for it.
maps() {
        case $1 in
        squashfs) [ "$kernel" -ge 602 ] ;;
        erofs) [ "$kernel" -ge 519 ] ;;
        xfs | vfat) [ "$kernel" -ge 512 ] ;;
        esac
}

t_croftd_start || exit 1
croft create a -s devices=loop:8 -s mount.allow=erofs,squashfs,vfat,xfs -s init=croft >/dev/null && croft start a || exit 1
run 'mkdir -p /tmp/tree /mnt; echo text >/tmp/tree/f; chown 7:8 /tmp/tree/f; chmod 4755 /tmp/tree/f' >/dev/null

make_image() { # TYPE
        case $1 in
        erofs) run 'mkfs.erofs /tmp/erofs /tmp/tree' ;;
        squashfs) run 'mksquashfs /tmp/tree /tmp/squashfs -processors 1' ;;
        vfat) run 'truncate -s 8M /tmp/vfat && mkfs.vfat /tmp/vfat' ;;
        xfs) run 'truncate -s 320M /tmp/xfs && mkfs.xfs -q /tmp/xfs' ;;
        esac >"$T/made" 2>&1 || cat "$T/made"
}
for type in erofs squashfs vfat xfs; do
        make_image $type
        if ! has_driver $type; then
                t_is "$type: this kernel has no driver loaded, so it isn't known" "$(run "mount -t $type -o loop /tmp/$type /mnt" | grep -o 'unknown filesystem type')" 'unknown filesystem type'
                t_like "which the log tells the administrator" "$(cat "$T/croftd.log")" "no driver loaded"
                continue
        fi
        if ! maps $type; then
                t_like "$type: this kernel can't map ids for it" "$(run "LC_ALL=C mount -t $type -o loop,ro /tmp/$type /mnt")" 'not supported'
                continue
        fi
        case $type in vfat) options=,uid=7,gid=8,umask=022 ;; *) options= ;; esac
        t_is "$type is mounted" "$(run "mount -t $type -o loop$options /tmp/$type /mnt; echo \$?")" 0
        t_like "without devices and setuid" "$(run 'findmnt -n -o SOURCE,FSTYPE,OPTIONS /mnt')" "^/dev/loop[0-9]+ +$type +r[wo],nosuid,nodev"
        case $type in
        xfs)
                t_is "files are made and keep their owner" "$(run 'echo text >/mnt/f && chown 7:8 /mnt/f && umount /mnt && mount -t xfs -o loop /tmp/xfs /mnt; stat -c "%u:%g" /mnt/f; cat /mnt/f')" "7:8
text" ;;
        vfat)
                t_is "files are made, of the owner that the option names" "$(run 'echo text >/mnt/f; stat -c "%u:%g" /mnt/f; cat /mnt/f')" "7:8
text"
                [ -z "${asks_for:-}" ] || t_ok "what that made the kernel load is noted" t_wait_for \
                        sh -c 'croft error print a | grep -q "module .nls_ascii. for what croft did"' ;;
        *)
                t_is "its files have the owner that they were given" "$(run 'stat -c "%u:%g" /mnt/f; cat /mnt/f')" "7:8
text"
                t_like "it can only be read" "$(run 'touch /mnt/x')" 'Read-only' ;;
        esac
        t_is "it is unmounted" "$(run 'umount /mnt; echo $?')" 0
        t_is "an option that it hasn't is refused" "$(run "mount -t $type -o loop,logdev=/dev/loop7 /tmp/$type /mnt; echo \$?" | tail -n 1)" 32
done
for type in erofs squashfs vfat xfs; do
        t_is "$type: garbage is refused" "$(run "head -c 300000 /dev/urandom >/tmp/garbage; mount -t $type -o loop /tmp/garbage /mnt >/dev/null; echo \$?" | tail -n 1)" 32
done
none_bound() { [ -z "$(run 'losetup -n -l')" ]; }
t_ok "all of their devices go" t_wait_for none_bound
t_done
