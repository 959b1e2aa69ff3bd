#!/bin/sh
# where: here guest
# Property mount.allow: block file systems are mounted inside by an unmodified mount(8), with the partition's ids and without devices and
# setuid whatever the image says; all other mounts end as without it.
. "$(dirname "$0")/../lib.sh"
for module in loop ext4; do
        [ -e /sys/module/$module ] || grep -qw $module /proc/filesystems || modprobe $module || exit 1
done

run() { croft exec "${2:-a}" -- sh -c "$1" 2>&1; }
status() { run "$1 >/dev/null 2>&1; echo \$?" "${2:-a}"; }
options() { run "findmnt -n -o OPTIONS /mnt"; }

# mount(2) as it is, for what mount(8) doesn't say: prints the errno of each.

prelude='import ctypes, os, sys
c = ctypes.CDLL(None, use_errno=True)
def mount(source, target, kind, flags=0, data=None):
    r = c.mount(source, target, kind, ctypes.c_ulong(flags), data)
    return ctypes.get_errno() if r else 0
def mount_x32(*words):
    return -c.syscall(0x40000000 | 165, *words) and ctypes.get_errno()
def mount_i386(source, target, kind, flags, data):
    c.mmap.restype = ctypes.c_void_p
    low = c.mmap(None, 4096, 7, 0x62, -1, 0) # MAP_32BIT
    code = bytes.fromhex("5389f889f34189ca89d14489d24489c64489cfcd805bc3")
    texts = b"\\0".join([source, target, kind]) + b"\\0"
    ctypes.memmove(low, code + texts, len(code) + len(texts))
    at = [low + len(code)]
    at += [at[0] + len(source) + 1, at[0] + len(source) + len(target) + 2]
    call = ctypes.CFUNCTYPE(ctypes.c_int, *[ctypes.c_uint] * 6)(low)
    return -call(21, at[0], at[1], at[2], flags, data)'

# A disk of the host's; however the test ends, it doesn't stay.
away() {
        away_status=$?
        [ -z "$disk" ] || losetup -d "$disk"
        return $away_status
}
trap 'away; t_clean_up' EXIT
mkdir "$T/etc"
truncate -s 16M "$T/disk" && mkfs.ext4 -q "$T/disk" && disk=$(losetup -f --show "$T/disk") || exit 1
printf 'disk:\n\tvalue = "%s"\n\tauto = "no"\n' "$disk" >"$T/etc/devexports"

t_croftd_start --config-dir "$T/etc" || exit 1
croft create a -s devices=loop:8 -s mount.allow=ext4,ext2,xfs,squashfs >/dev/null && croft start a || exit 1
croft create b -s devices=loop:4 >/dev/null && croft start b || exit 1 # what mounts do without mount.allow
for p in a b; do
        run 'mkdir -p /mnt /mnt2 /t && chmod 755 /mnt && chmod 777 /t' $p >/dev/null
        run "echo '$prelude' >/t/m.py" $p >/dev/null # its init may clean /t
done
python() { run "cd /t && python3 -c 'from m import *
$1'" "${2:-a}"; }

# --- the main job
run 'truncate -s 20M /img && mkfs.ext4 -q /img && losetup /dev/loop0 /img' >/dev/null
t_is "a block file system is mounted" "$(status 'mount /dev/loop0 /mnt')" 0
t_is "findmnt knows it by its device and its type" "$(run 'findmnt -n -o SOURCE,FSTYPE /mnt')" "/dev/loop0 ext4"
t_is "so does df" "$(run 'df --output=source,target /mnt | tail -n 1 | tr -s " "')" "/dev/loop0 /mnt"
t_is "what root has in it is root's" "$(run 'stat -c %u:%g /mnt/lost+found')" 0:0
t_is "files are made with the ids of the partition" "$(run 'echo text >/mnt/f; chown 7:8 /mnt/f; stat -c %u:%g /mnt/f')" 7:8
t_is "a running file system isn't unbound" "$(run 'losetup -d /dev/loop0; cat /mnt/f')" text
t_is "it is unmounted" "$(status 'umount /mnt')" 0
t_is "in it are the ids as they are inside" "$(run 'debugfs -R "stat f" /img' | grep -o 'User: *7 *Group: *8' | tr -s ' ')" \
        "User: 7 Group: 8"
gone() { [ -z "$(run 'losetup -n -l')" ]; }
t_ok "its device was to go with it, and has" t_wait_for gone
t_is "mount makes the device itself" "$(status 'mount -o loop /img /mnt')" 0
t_is "which is one of its own" "$(run 'findmnt -n -o SOURCE,FSTYPE /mnt; cat /mnt/f')" "/dev/loop0 ext4
text"
run 'umount /mnt' >/dev/null
t_ok "and goes when it is unmounted" t_wait_for gone
t_is "it is mounted read-only" "$(run 'mount -t ext4 -o ro,noatime,loop /img /mnt; options=$(findmnt -n -o OPTIONS /mnt); echo ${options%%,errors*}')" \
        "ro,nosuid,nodev,noatime,idmapped"
t_is "nothing is written then" "$(status 'touch /mnt/x')" 1
run 'umount /mnt' >/dev/null
t_ok "that device goes, too" t_wait_for gone
t_is "one that is write-protected is mounted read-only" \
        "$(run 'losetup -r /dev/loop0 /img && mount /dev/loop0 /mnt >/dev/null 2>&1; findmnt -n -o OPTIONS /mnt | cut -d, -f1; umount /mnt; losetup -d /dev/loop0')" ro
run 'truncate -s 4M /two && mkfs.ext2 -q /two' >/dev/null
t_is "ext2 is mounted" "$(run 'mount -t ext2 -o loop /two /mnt && stat -c %u /mnt; umount /mnt')" 0
t_is "options that are allowed are taken" "$(run 'mount -o loop,data=journal,commit=7 /img /mnt; findmnt -n -o OPTIONS /mnt | grep -o "commit=7.*data=journal"; umount /mnt')" "commit=7,data=journal"
t_is "each kind of command that mounts may: a new mount namespace of its own" "$(run 'unshare -m sh -c "mount -o loop /img /mnt && cat /mnt/f"')" text

# The new file has the inode number of the old one, by which mount(8) knows a device that is bound to it already.
t_is "an image that is made anew is what is mounted" "$(run 'mkdir -p /t/tree
        for i in 1 2 3 4 5 6; do
                echo $i >/t/tree/f; rm -f /new; truncate -s 4M /new; mkfs.ext4 -q -d /t/tree /new
                mount -o loop /new /mnt && cat /mnt/f; umount /mnt
        done')" "1
2
3
4
5
6"

# --- what the image says
t_ok "and devices that mount made go, too" t_wait_for gone
run 'cp /img /bad && losetup /dev/loop0 /bad && mount /dev/loop0 /mnt && mkdir -m 755 /mnt/d && cp /usr/bin/id /mnt/d/id && chmod 4755 /mnt/d/id; umount /mnt' >/dev/null
run 'printf "cd d\nmknod null c 1 3\nset_inode_field null mode 020666\n" >/t/script; debugfs -w -f /t/script /dev/loop0 >/dev/null 2>&1' >/dev/null
t_is "devices in it can't be opened" "$(run 'mount /dev/loop0 /mnt; ls -l /mnt/d/null | cut -c1; cat /mnt/d/null 2>&1 | grep -o "Permission denied"')" "c
Permission denied"
t_is "setuid programs in it are nobody else's" "$(run 'setpriv --reuid 1000 --clear-groups /mnt/d/id -u; stat -c %a /mnt/d/id')" "1000
4755"
for o in suid dev suid,dev,remount,bind; do
        run "mount -o remount,bind,$o /mnt" >/dev/null
done
t_like "which can't be changed by a remount" "$(options)" nosuid,nodev
run 'mount -o remount,suid,dev,errors=panic /mnt; mount --bind /mnt /mnt2 && mount -o remount,bind,suid,dev /mnt2' >/dev/null
t_is "nor are its options, nor those of a copy" "$(options; run 'findmnt -n -o OPTIONS /mnt2')" "rw,nosuid,nodev,relatime,idmapped,errors=remount-ro
rw,nosuid,nodev,relatime,idmapped,errors=remount-ro"
run 'umount /mnt2 /mnt' >/dev/null
run 'tune2fs -e panic -E mount_opts=errors=panic /dev/loop0; losetup -d /dev/loop0' >/dev/null
t_like "an image that asks for a panic doesn't get one" "$(run 'mount -o loop /bad /mnt; findmnt -n -o OPTIONS /mnt')" 'errors=remount-ro'
run 'umount /mnt' >/dev/null
run 'block=$(debugfs -R "bmap /d 0" /bad 2>/dev/null); dd if=/dev/zero of=/bad bs=1k seek=$block count=1 conv=notrunc' >/dev/null
t_like "damaged, it becomes read-only" "$(run 'mount -o loop /bad /mnt; ls /mnt/d >/dev/null 2>&1; touch /mnt/x; grep " /mnt " /proc/mounts; umount /mnt')" "Read-only"
number=$(stat -c '%t:%T' "$(findmnt -n -o SOURCE / | grep ^/dev/ || echo /dev/null)")
for o in errors=panic journal_dev=0x$(printf '%s' "$number" | tr -d :) journal_path=/dev/loop1 dax resuid=0 nosuch; do
        t_is "option $o is refused" "$(status "mount -o loop,$o /img /mnt")" 32
done
t_ok "all of their devices are gone" t_wait_for gone

# --- what may not be
run 'losetup /dev/loop0 /img' >/dev/null
other=$(python 'print(mount(b"/dev/loop0", b"/mnt", b"btrfs"))' b)
t_is "a type that isn't allowed is refused" "$(python 'print(mount(b"/dev/loop0", b"/mnt", b"btrfs"))')" "$other"
t_is "no driver is loaded for one: there is none of that name" "$(python 'print(mount(b"/dev/loop0", b"/mnt", b"romfs"))'; grep -c romfs /proc/filesystems)" "19
0"
t_is "and without the property every one" "$(python 'print(mount(b"/dev/loop0", b"/mnt", b"ext4"))' b)" 1
free=$(run "stat -c '%t %T' /dev/loop1 2>/dev/null || losetup -f >/dev/null; stat -c 0x%T /dev/loop1")
t_isnt "one that is bound to nothing has no file system (${free##* })" "$(python 'print(mount(b"/dev/loop1", b"/mnt", b"ext4"))')" 0
t_is "who isn't root is refused" "$(run "setpriv --reuid 1000 --clear-groups python3 -c '
import sys; sys.path.insert(0, \"/t\")
from m import *
print(mount(b\"/dev/loop0\", b\"/mnt\", b\"ext4\"), mount(b\"/dev/loop0\", b\"/nosuch\", b\"ext4\"))'")" "1 2"
t_is "nor who is root of a user namespace below" "$(run "unshare -Urm python3 -c '
import sys; sys.path.insert(0, \"/t\")
from m import *
print(mount(b\"/dev/loop0\", b\"/mnt\", b\"ext4\"))'")" 1
t_is "nor root without that capability" "$(run "setpriv --bounding-set -sys_admin --inh-caps -sys_admin python3 -c '
import sys; sys.path.insert(0, \"/t\")
from m import *
print(mount(b\"/dev/loop0\", b\"/mnt\", b\"ext4\"))'")" 1
t_is "a file is no device, a missing one isn't there, a target is a directory, a bad pointer is one" "$(run ': >/t/file; ln -sf /dev/loop0 /t/link'; python '
print(mount(b"/img", b"/mnt", b"ext4"), mount(b"/nosuch", b"/mnt", b"ext4"), mount(b"/dev/loop0", b"/t/file", b"ext4"), mount(b"/dev/loop0", b"/nosuch", b"ext4"),
      mount(1, b"/mnt", b"ext4"), mount(b"/dev/loop0", 1, b"ext4"), mount(b"/dev/loop0", b"/mnt", b"ext4", 0, 1), mount(b"/dev/loop0", b"/mnt", 1))')" "15 2 20 2 14 14 14 14"
t_is "a link to it leads to it" "$(run 'cd /t; mount -i -c -t ext4 /t/link /mnt; findmnt -n -o FSTYPE /mnt; umount /mnt')" ext4
t_is "so does a path from where one is" "$(python '
os.chdir("/dev/shm/.."); print(mount(b"../dev//./loop0", b"../mnt", b"ext4"))'; run 'umount /mnt')" 0
if [ "$(uname -m)" = x86_64 ]; then
        for abi in i386 x32; do
                if [ $abi = i386 ] && ! t_has_i386; then
                        t_skip "it is mounted by the ABI of $abi, too" "this kernel has no calls of i386"
                        continue
                fi
                t_is "it is mounted by the ABI of $abi, too" "$(python '
print(mount_'$abi'(b"/dev/loop0", b"/mnt", b"ext4", 0, 0), os.path.ismount("/mnt"), c.umount2(b"/mnt", 0), mount_'$abi'(b"/dev/loop0", b"/mnt", b"btrfs", 0, 0) > 0)')" "0 True 0 True"
        done
fi
rounds=$(if [ -n "${CROFT_GUEST:-}" ]; then echo 12; else echo 40; fi) # the guest is 30 times slower
# The name is another device's half of the time: what is mounted must be its own whenever it is mounted.
run "truncate -s 8M /third && mkfs.ext4 -q -L third /third && losetup /dev/loop2 /third" >/dev/null
t_is "a name that changes all the time leads to its own devices" "$(python '
import subprocess, stat
os.symlink("/dev/loop0", "/t/x"); os.symlink("/dev/loop2", "/t/y"); os.symlink("/dev/null", "/t/z")
pid = os.fork()
if pid == 0:
    while True:
        for i in "xyz":
            os.symlink(os.readlink("/t/" + i), "/t/new"); os.rename("/t/new", "/t/name")
own = {os.stat("/dev/loop0").st_rdev, os.stat("/dev/loop2").st_rdev}
good = bad = 0
for i in range('"$rounds"'):
    if mount(b"/t/name", b"/mnt", b"ext4") == 0:
        good += 1
        bad += os.stat("/mnt").st_dev not in own
        c.umount2(b"/mnt", 0)
os.kill(pid, 9)
print(good > 0, bad)')" "True 0"
t_is "a target by a link is below its root" "$(run 'ln -sfn /../../../../../mnt /t/out; mount /dev/loop0 /t/out; findmnt -n -o TARGET -S /dev/loop0; umount /mnt')" /mnt
t_is "no mount of it is on the host" "$(grep -c 'ext4.*idmapped' /proc/self/mounts)" 0
run 'losetup -D' >/dev/null

# --- a device that is exported
t_is "a device of the host's is none of its own" "$(run 'ls /dev/disk' | grep -c 'No such')" 1
croft device add a "$disk" --as disk --access r
t_is "one that may be read isn't mounted, read-only neither" "$(python 'print(mount(b"/dev/disk", b"/mnt", b"ext4"), mount(b"/dev/disk", b"/mnt", b"ext4", 1))')" "1 1"
croft device remove a disk
croft device add a "$disk" --as disk
mkdir "$T/mnt" && mount "$disk" "$T/mnt"
t_is "nor one that the host has mounted" "$(python 'print(mount(b"/dev/disk", b"/mnt", b"ext4"))')" 16
umount "$T/mnt"
t_is "exported to be written, it is mounted" "$(run 'mount /dev/disk /mnt && findmnt -n -o SOURCE,FSTYPE /mnt && echo new >/mnt/f && stat -c %u /mnt/f')" "/dev/disk ext4
0"
t_is "a second time it isn't" "$(python 'print(mount(b"/dev/disk", b"/mnt2", b"ext4"))')" 16
t_is "and unmounted" "$(status 'umount /mnt')" 0
croft device remove a disk
t_is "what was written is there" "$(mount -o ro "$disk" "$T/mnt" && cat "$T/mnt/f"; umount "$T/mnt")" new
losetup -d "$disk" && disk=

# --- all else is as without it
said() { run "exec 2>&1; $1" "$2" | sed 's/id=[0-9]*/id=N/g; s/[0-9]*:[0-9]* /N /'; }
same() { # CLAIM SCRIPT: it says the same in both
        same_b=$(said "$2" b) # first: the kernel may load a module for it, as it does for any container
        t_is "$1" "$(said "$2" a)" "$same_b"
}
same "tmpfs, with options" 'mount -t tmpfs -o size=1M,mode=711,uid=5,gid=6,nosuid,noexec none /mnt && findmnt -n -o FSTYPE,OPTIONS /mnt; stat -c "%u %g %a" /mnt; umount /mnt'
same "sysfs" 'mount -t sysfs s /mnt; echo $?; umount /mnt'
same "proc" 'mount -t proc p /mnt; echo $?; umount /mnt'
same "proc in a pid namespace of its own" 'unshare -pf --kill-child sh -c "mount -t proc p /mnt; echo \$?; ls /mnt | grep -c ^[0-9]"; umount /mnt'
same "devpts" 'mount -t devpts -o newinstance,ptmxmode=666 d /mnt; echo $?; ls /mnt; umount /mnt'
same "mqueue" 'unshare -i sh -c "mount -t mqueue q /mnt; echo \$?; ls -d /mnt"; umount /mnt'
same "cgroup2" 'mount -t cgroup2 c /mnt; echo $?; ls /mnt | grep -c cgroup.procs; umount /mnt'
same "an overlay of relative paths" 'mount -t tmpfs t /mnt; cd /mnt; mkdir l u w m; echo low >l/f; mount -t overlay -o lowerdir=l,upperdir=u,workdir=w o m; echo $?; cat m/f; echo up >m/f; cat u/f; umount m; cd /; umount /mnt'
same "a target that is named by a descriptor" "cd /t; python3 -c '
from m import *
fd = os.open(\"/mnt\", os.O_PATH)
os.dup2(fd, 200)
print(mount(b\"t\", b\"/proc/self/fd/200\", b\"tmpfs\"), os.path.ismount(\"/mnt\"), mount(b\"t\", b\"/proc/self/fd/201\", b\"tmpfs\"))'; umount /mnt"
same "in a user namespace of a plain user" 'setpriv --reuid 1000 --regid 1000 --clear-groups unshare -Urm sh -c "mount -t tmpfs t /mnt; echo \$?; stat -c %u:%g /mnt; findmnt -n -o FSTYPE /mnt"; findmnt /mnt'
same "with groups and ids of its own" "setpriv --regid 7 --groups 8,9 sh -c 'mount -t tmpfs t /mnt; stat -c %u:%g /mnt'; umount /mnt"
same "in a root of its own" 'mkdir -p /r/usr /r/m; for i in bin lib lib64 sbin; do ln -sfn usr/$i /r/$i; done; mount --bind /usr /r/usr; chroot /r mount -n -t tmpfs t /m; echo $?; findmnt -n -o FSTYPE /r/m; umount /r/m /r/usr'
same "what fails" "cd /t; : >file; python3 -c '
from m import *
print(mount(b\"t\", b\"/nosuch\", b\"tmpfs\"), mount(b\"t\", b\"/t/file\", b\"tmpfs\"), mount(b\"t\", b\"/mnt\", b\"nosuchtype\"), mount(b\"t\", b\"/mnt\", None),
      mount(None, b\"/mnt\", b\"tmpfs\"), c.umount2(b\"/mnt\", 0), mount(b\"t\", b\"/mnt\", b\"tmpfs\", 0, b\"size=x\"), mount(b\"t\", b\"/mnt\", b\"tmpfs\", 0, b\"nosuch\"),
      mount(1, b\"/mnt\", b\"tmpfs\"), mount(b\"t\", 1, b\"tmpfs\"), mount(b\"t\", b\"/mnt\", 1), mount(b\"t\", b\"/mnt\", b\"tmpfs\", 0, 1),
      mount(b\"t\", b\"\", b\"tmpfs\"), mount(b\"t\", b\"a\" * 5000, b\"tmpfs\"), mount(b\"t\", b\"/mnt\", b\"a\" * 5000), mount(b\"a\" * 5000, b\"/mnt\", b\"tmpfs\"),
      mount(b\"t\", b\"/mnt\", b\"xfs\" * 9), mount(b\"t\", b\"/mnt\", b\"\"), mount(b\"t\", b\"/mnt\", b\"nfs\"))'"
same "who isn't root" "cd /t; setpriv --reuid 1000 --clear-groups python3 -c '
from m import *
print(mount(b\"t\", b\"/mnt\", b\"tmpfs\"), mount(b\"t\", b\"/nosuch\", b\"tmpfs\"), mount(b\"t\", b\"/mnt\", b\"nosuchtype\"), mount(b\"t\", b\"/root/x/y\", b\"tmpfs\"))'"
same "a file system in user space" "cd /t; python3 -c '
from m import *
fd = os.open(\"/dev/fuse\", os.O_RDWR) if os.path.exists(\"/dev/fuse\") else -1
data = b\"fd=%d,rootmode=40000,user_id=0,group_id=0\" % fd
print(fd >= 0, mount(b\"me\", b\"/mnt\", b\"fuse\", 0, data), mount(b\"me\", b\"/mnt2\", b\"fuse.me\", 0, b\"fd=77,rootmode=40000,user_id=0,group_id=0\"))
print([l.split()[2] for l in open(\"/proc/self/mounts\") if \" /mnt \" in l], len(os.read(fd, 70000)) if fd >= 0 else 0)'; umount -l /mnt"
same "the flags of old" "cd /t; python3 -c '
from m import *
print(mount(b\"t\", b\"/mnt\", b\"tmpfs\", 0xC0ED0001)); print([l.split()[3][:2] for l in open(\"/proc/self/mounts\") if \" /mnt \" in l])'; umount /mnt"

# --- who dies
run 'mount -o loop /img /mnt' >/dev/null # while there is a device that goes by itself, a broker stays
# CHOWN, DAC_OVERRIDE, FOWNER, KILL, SETGID, SETUID, SETPCAP, SYS_CHROOT, SYS_PTRACE, SYS_ADMIN, MKNOD
kept=$(printf '%016x' $((1 << 0 | 1 << 1 | 1 << 3 | 1 << 5 | 1 << 6 | 1 << 7 | 1 << 8 | 1 << 18 | 1 << 19 | 1 << 21 | 1 << 27)))
t_is "a broker has the capabilities that it needs, and a filter" \
        "$(awk '/^(CapInh|CapPrm|CapEff|CapBnd|CapAmb|NoNewPrivs|Seccomp):/ { printf "%s ", $2 }' "/proc/$(t_brokers | head -n 1)/status")" \
        "0000000000000000 $kept $kept $kept 0000000000000000 1 2 "
run 'umount /mnt' >/dev/null
croft exec a -- sh -c 'i=0; while [ $i -lt '"$rounds"' ]; do mount -o loop /img /mnt && umount /mnt; mount -t tmpfs t /mnt && umount /mnt; i=$((i + 1)); done' >/dev/null 2>&1 &
loop=$!
for i in 1 2 3 4 5 6; do
        sleep 0.3
        for pid in $(t_brokers); do kill -9 "$pid"; done
done
wait $loop
run 'while umount /mnt; do :; done' >/dev/null
t_is "brokers are killed at it: mounts work" "$(run 'mount -o loop /img /mnt && cat /mnt/f; umount /mnt')" text
t_croftd_kill
t_croftd_start
t_is "croftd is killed: mounts work" "$(run 'mount -o loop /img /mnt && cat /mnt/f')" text
croft stop a --force
none_bound() { [ "$(losetup -n -l -O BACK-FILE | grep -cx '/img\|/bad\|/third')" = 0 ]; }
t_ok "what was mounted is gone with the partition" t_wait_for none_bound
t_done
