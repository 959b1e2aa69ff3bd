#!/bin/sh
# where: here guest
# Partitions on loop devices of a partition's own: unmodified losetup -P, sfdisk, partx and parted inside, file systems on
# them, what they see of each other, tables that are hostile, and nothing left of them, whoever dies.
. "$(dirname "$0")/../lib.sh"
[ -e /sys/module/loop ] || modprobe loop || exit 1
before=$(ls -d /sys/block/loop*)

run() { croft exec "${2:-a}" -- sh -c "$1" 2>&1; }
of_machine() { ls -d /sys/block/loop* | grep -vxF "$before" | wc -l; } # those that were made since
parts() { run "lsblk -n -r -o NAME,SIZE,TYPE /dev/${1:-loop0} | grep part | sort -V"; }
gone() { [ "$(run 'losetup -n -l')" = "" ]; }

t_croftd_start || exit 1
croft create a -s init=croft -s devices=loop:12 -s mount.allow=ext4 >/dev/null && croft start a || exit 1
croft create b -s devices=loop:4 >/dev/null && croft start b || exit 1

# --- the main job
run 'truncate -s 64M /img; printf "label: gpt\nsize=20M\nsize=30M\n" | sfdisk -q /img' >/dev/null
t_is "an image is bound with its partitions" "$(run 'losetup -P -f --show /img')" /dev/loop0
t_is "they are there at once" "$(parts)" "loop0p1 20M part
loop0p2 30M part"
t_is "as devices of their size" "$(run 'blockdev --getsize64 /dev/loop0p1 /dev/loop0p2')" "20971520
31457280"
t_is "in /proc/partitions" "$(run 'awk "/loop/ { print \$3, \$4 }" /proc/partitions')" "65536 loop0
20480 loop0p1
30720 loop0p2"
t_is "and in sysfs, where they begin" "$(run 'cd /sys/class/block && cat loop0p2/start loop0p2/partition loop0p2/size && cat loop0p2/uevent | tail -n 3')" \
        "43008
2
61440
DEVNAME=loop0p2
DEVTYPE=partition
PARTN=2"
t_is "by their numbers, too" "$(run 'n=$(stat -c "%t:%T" /dev/loop0p1); readlink /sys/dev/block/$((0x${n%:*})):$((0x${n#*:}))')" ../../block/loop0/loop0p1
t_is "not as devices of their own" "$(run 'ls /sys/block | grep loop')" loop0
t_is "losetup lists the whole one alone, and says that its table is read" "$(run 'losetup -n -l -O NAME,PARTSCAN,BACK-FILE')" "/dev/loop0        1 /img"
t_is "the whole one's file has what is written to a partition" \
        "$(run 'printf croft | dd of=/dev/loop0p2 conv=fsync 2>/dev/null; tail -c +22020097 /img | head -c 5; dd if=/dev/loop0 bs=512 skip=43008 count=1 2>/dev/null | head -c 5')" croftcroft
t_is "a file system is made on one and mounted" "$(run 'mkfs.ext4 -q /dev/loop0p1 && mount /dev/loop0p1 /mnt && echo text >/mnt/file && findmnt -n -o SOURCE,FSTYPE /mnt')" "/dev/loop0p1 ext4"
t_like "its table is known by it" "$(run 'blkid -o export /dev/loop0p1')" 'PARTUUID='
t_like "the whole one isn't mounted meanwhile" "$(run 'mount -t ext4 /dev/loop0 /media')" "already mounted or mount point busy"
t_like "nor read anew" "$(run 'blockdev --rereadpt /dev/loop0')" "resource busy"
t_is "unbound while one is mounted, it goes with all of them when that has gone" \
        "$(run 'losetup -d /dev/loop0 && cat /mnt/file && losetup -n -l -O AUTOCLEAR && umount /mnt')" "text
        1"
t_ok "soon" t_wait_for gone
no_node() { [ "$(run 'ls /dev | grep -c loop0p')" = 0 ]; } # they are taken away just after it
t_ok "without a node that is left" t_wait_for no_node
t_is "read-only, so are they" "$(run 'losetup -r -P /dev/loop0 /img && blockdev --getro /dev/loop0p1; mount -o ro /dev/loop0p1 /mnt && cat /mnt/file && umount /mnt; losetup -d /dev/loop0')" "1
text"
has_statistics() { run '/run/croft/bin/kstat -p disk:0:loop0p2:class' | grep -q 'loop0p2:class.disk$'; }
run 'losetup -P /dev/loop0 /img' >/dev/null
t_ok "in statistics they have names as inside" t_wait_for has_statistics
run 'losetup -d /dev/loop0' >/dev/null

# --- tables that are written
t_is "without -P there are none" "$(run 'losetup /dev/loop0 /img; ls /dev/loop0*')" /dev/loop0
t_like "and its table isn't read" "$(run 'blockdev --rereadpt /dev/loop0')" "Invalid argument"
t_is "but they can be added" "$(run 'partx -a /dev/loop0' && parts)" "loop0p1 20M part
loop0p2 30M part"
t_is "one by one, too, and be taken away" "$(run 'partx -d --nr 1 /dev/loop0' && parts)" "loop0p2 30M part"
t_is "-P can come later" "$(run 'losetup -d /dev/loop0; losetup -P /dev/loop0 /img' && parts | wc -l)" 2
t_is "a new table is read when it has been written" \
        "$(run 'printf "label: gpt\nsize=10M\nsize=10M\nsize=10M\n" | sfdisk -q /dev/loop0' >/dev/null && parts)" "loop0p1 10M part
loop0p2 10M part
loop0p3 10M part"
t_is "an old one, with logical partitions, as well" \
        "$(run 'printf "label: dos\n/dev/loop0p1: size=10M\n/dev/loop0p2: size=30M,type=5\n/dev/loop0p5: size=9M\n/dev/loop0p6: size=9M\n" | sfdisk -q /dev/loop0' >/dev/null && parts)" "loop0p1 10M part
loop0p2 1K part
loop0p5 9M part
loop0p6 9M part"
t_is "parted makes them" "$(run 'parted -s /dev/loop0 mklabel gpt mkpart x ext4 1MiB 21MiB mkpart y ext4 21MiB 41MiB' >/dev/null && parts)" "loop0p1 20M part
loop0p2 20M part"
t_is "one grows while it is mounted" "$(run 'partx -d --nr 2 /dev/loop0; mkfs.ext4 -q /dev/loop0p1; mount /dev/loop0p1 /mnt; resizepart /dev/loop0 1 81920 && blockdev --getsize64 /dev/loop0p1; umount /mnt')" 41943040
t_like "but not over another" "$(run 'addpart /dev/loop0 2 90112 2048 && resizepart /dev/loop0 1 92160')" "resource busy"
t_like "nor where there is one already" "$(run 'addpart /dev/loop0 3 90113 10')" "resource busy"
t_like "nor beyond the end" "$(run 'addpart /dev/loop0 3 131071 2')" "Invalid argument"
t_like "nor does what isn't there go" "$(run 'delpart /dev/loop0 9')" "No such device or address"
t_is "only root changes them" "$(run 'chmod 666 /dev/loop0; setpriv --reuid 1000 --clear-groups delpart /dev/loop0 1; chmod 660 /dev/loop0' | grep -c 'Permission denied')" 1
t_is "one that is open isn't taken away" "$(run 'exec 3</dev/loop0p1; delpart /dev/loop0 1')" "delpart: failed to remove partition: Device or resource busy"
t_is "and is there afterwards" "$(run 'head -c 1 /dev/loop0p1 | wc -c')" 1
t_is "they are nobody else's" "$(n=$(run 'stat -c "0x%T" /dev/loop0p1' | xargs printf '%d'); run "mknod /tmp/x b 7 $n; head -c 1 /tmp/x" b | grep -c 'Operation not permitted')" 1
t_is "what is no block device has none" "$(run 'partx -a /dev/null; blockdev --rereadpt /dev/null' | grep -c 'Inappropriate\|not a block device\|failed to get')" 2
run 'losetup -d /dev/loop0' >/dev/null

# --- who means harm
run 'printf "label: gpt\n" >/t; i=0; while [ $i -lt 60 ]; do echo "size=512K" >>/t; i=$((i + 1)); done; truncate -s 64M /many; sfdisk -q /many </t' >/dev/null
t_is "more than it may have are left out" "$(run 'losetup -P -f --show /many; ls /dev/loop0p* | wc -l')" "/dev/loop0
11"
t_is "and go with it" "$(run 'losetup -d /dev/loop0; losetup -f --show /img; losetup -d /dev/loop0')" /dev/loop0
# A table whose entries lie upon each other, one that ends behind the end, and garbage.
cat >"$T/harm.py" <<'PY'
import struct, zlib, random
def gpt(entries):
    table = b''.join(struct.pack('<16s16sQQQ72s', b'\x11' * 16, bytes([i + 1]) * 16, first, last, 0, b'')
                     for i, (first, last) in enumerate(entries))
    table = table.ljust(128 * 128, b'\0')
    def header(crc, here, other, at):
        return struct.pack('<8sIIIIQQQQ16sQIII', b'EFI PART', 0x10000, 92, crc, 0, here, other, 34, 131038, b'\x22' * 16, at, 128, 128, zlib.crc32(table))
    image = bytearray(64 << 20)
    image[446:462] = struct.pack('<B3sB3sII', 0, b'\0\2\0', 0xee, b'\xff' * 3, 1, 131071)
    image[510:512] = b'\x55\xaa'
    image[512:512 + 92] = header(zlib.crc32(header(0, 1, 131071, 2)), 1, 131071, 2)
    image[1024:1024 + len(table)] = table
    return image
open('/overlap', 'wb').write(gpt([(2048, 4095), (2048, 4095), (4000, 5000), (8192, 9000)]))
random.seed(1)
noise = bytearray(random.randbytes(1 << 20))
noise[510:512] = b'\x55\xaa'
open('/noise', 'wb').write(noise)
PY
croft exec a -- sh -c 'cat >/harm.py' <"$T/harm.py"
run 'python3 /harm.py' >/dev/null
t_is "of entries that lie upon each other the first counts" "$(run 'losetup -P /dev/loop0 /overlap; cd /sys/block/loop0; for i in loop0p*; do echo $i $(cat $i/start $i/size); done; losetup -d /dev/loop0')" \
        "loop0p1 2048 2048
loop0p4 8192 809"
t_is "noise is bound" "$(run 'losetup -P -f --show /noise; losetup -d /dev/loop0')" /dev/loop0
run 'losetup -P -f /img; sleep 100 </dev/loop0p1 >/dev/null 2>&1 &' >/dev/null
croft stop a --force
of_machine_is() { [ "$(of_machine)" = "$1" ]; }
t_ok "a partition that ends gives all back" t_wait_for of_machine_is 0

# --- who dies
croft start a
run 'losetup -P -f --show /img' >/dev/null
for pid in $(t_brokers); do kill -9 "$pid"; done
t_is "a broker is killed: they are there" "$(run 'blockdev --getsize64 /dev/loop0p1')" 20971520
t_is "the next one takes them away" "$(run 'losetup -d /dev/loop0; ls /dev/loop0* 2>/dev/null')" ""
# In the guest test_loop.sh shows what happens at these points; there it takes minutes.
for point in $([ -n "${CROFT_GUEST:-}" ] || echo taken made bound there closed unbound released); do
        t_croftd_stop
        CROFT_CRASH_AT=loop.$point t_croftd_start
        croft start a 2>/dev/null
        run 'losetup -P -f /img; losetup -d /dev/loop0' >/dev/null
        t_croftd_stop
        t_croftd_start
        t_is "$point: the next one binds, with its partitions" "$(run 'losetup -d /dev/loop0 2>/dev/null; n=$(losetup -f); losetup -P $n /img && ls ${n}p1 && losetup -d $n' | sed 's/[0-9]*p1$/p1/')" /dev/loopp1
        croft stop a --force
        t_ok "$point: nothing is left of it" t_wait_for of_machine_is 0
done
t_done
