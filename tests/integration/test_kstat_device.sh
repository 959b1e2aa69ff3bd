#!/bin/sh
# where: here guest
# Statistics of devices (KST-43): a disk that is exported to a partition, or a loop device that it binds, has a structure there as
# long as it is its own, with what this partition does on it; nothing of it is anybody else's, and nothing is left.
. "$(dirname "$0")/../lib.sh"
modprobe -q loop 2>/dev/null
etc=$T/etc
mkdir "$etc"
devices_away() {
        devices_status=$?
        for device in $(losetup -l -n -O NAME,BACK-FILE | grep -F "$T" | cut -d' ' -f1); do losetup -d "$device"; done
        return $devices_status
}
trap 'devices_away; t_clean_up' EXIT

truncate -s 8M "$T/disk" "$T/table"
disk=$(losetup -f --show "$T/disk") && table=$(losetup -f -P --show "$T/table") || exit 1
cat >"$etc/devexports" <<SH
disk:
        value = "$disk"
        auto = "yes"
parts:
        value = "$table*"
SH
start_croftd() { t_croftd_start --config-dir "$etc"; }
in_a() { croft exec a -- sh -c "$1"; }
inside() { croft exec "$1" -- /run/croft/bin/kstat -p "$2" 2>/dev/null; }
names() { croft exec "$1" -- /run/croft/bin/kstat -l -m disk 2>/dev/null | cut -d: -f1-3 | sort -u | tr '\n' ' '; } # PARTITION
of_global() { kstat -z "$1" -l -m disk 2>/dev/null | cut -d: -f1-3 | sort -u | tr '\n' ' '; }
value() { inside "$1" "disk:0:$2:$3" | cut -f2; } # PARTITION DISK FIELD
# What a does past the page cache on the disk of that name, in KiB.
reads() { in_a "dd if=/dev/$1 of=/dev/null bs=64k iflag=direct count=$(($2 / 64)) 2>&1"; }
writes() { in_a "dd if=/dev/zero of=/dev/$1 bs=64k oflag=direct conv=notrunc count=$(($2 / 64)) 2>&1"; }

start_croftd || exit 1
t_ok "partitions run" sh -c 'croft create a -s init=croft -s devices=loop:8 && croft create b -s init=croft && croft start a b'
if [ -z "$(inside a croft:0:io:nread)" ]; then
        t_skip "disks have statistics" "no figures of partitions on this kernel"
        t_done
        exit
fi

# --- a disk that is exported ----------------------------------------------------------------------------------------------

t_is "none is there at first" "$(names a)" ""
t_ok "a disk is exported" croft device add a "$disk" --as data
t_is "its statistics are there at once, under its name inside" "$(names a)" "disk:0:data "
t_is "with class disk and type IO" "$(inside a disk:0:data | awk '{ sub(/.*:/, "", $1); print $1 (($1 == "class") ? "=" $2 : "") }' | sort | tr '\n' ' ')" \
        "class=disk crtime nread nwritten rcnt reads rlastupdate rlentime rtime snaptime wcnt wlastupdate wlentime writes wtime "
t_is "global has them as that partition's" "$(of_global a)" "disk:0:data "
t_is "and not as its own" "$(kstat -l -m disk 2>/dev/null)" ""
t_is "another partition hasn't" "$(names b)$(of_global b)" ""
t_is "they begin at 0" "$(value a data nread) $(value a data nwritten) $(value a data reads) $(value a data writes)" "0 0 0 0"
t_ok "it is read" reads data 4096
t_is "which is counted to the byte" "$(value a data nread) $(value a data reads)" "$((4096 * 1024)) 64"
t_ok "it is written" writes data 1024
t_is "which is counted, too" "$(value a data nwritten) $(value a data writes)" "$((1024 * 1024)) 16"
t_is "global reads the same" "$(kstat -z a -p disk:0:data:nread | cut -f2)" "$((4096 * 1024))"
dd if="$disk" of=/dev/null bs=64k iflag=direct count=16 2>/dev/null
t_is "what global does on it isn't counted" "$(value a data nread)" "$((4096 * 1024))"
shown() { # what its /proc and /sys show of the disk with that name
        in_a "awk '\$4 == \"$1\" { print \$3 }' /proc/partitions; cat /sys/block/$1/dev /sys/block/$1/size /sys/block/$1/ro 2>/dev/null
                awk '\$3 == \"$1\" { print \$6, \$10 }' /proc/diskstats" | tr '\n' ' '
}
number=$(printf '%d:%d' $(stat -c '0x%t 0x%T' "$disk"))
if in_a 'grep -q " /sys/block fuse" /proc/self/mounts'; then
        has_figures() { [ "$(shown data)" = "8192 $number 16384 0 8192 2048 " ]; }
        t_ok "/proc and /sys show it by its name inside, with the same figures" t_wait_for has_figures
        t_is "and not by the machine's" "$(in_a "ls /sys/block; cat /proc/diskstats" | grep -cw "${disk#/dev/}")" 0
fi
t_ok "another partition gets it, too" croft device add b "$disk" --as its/own
t_is "with statistics of its own" "$(names b)$(value b its/own nread)" "disk:0:its/own 0"
croft exec b -- dd if=/dev/its/own of=/dev/null bs=64k iflag=direct count=2 2>/dev/null
t_is "that count what it does" "$(value b its/own nread)" "$((128 * 1024))"
t_is "and the first one's don't" "$(value a data nread)" "$((4096 * 1024))"
t_ok "it is taken back from that one" croft device remove b its/own
t_is "whose statistics are gone" "$(names b)$(of_global b)" ""
t_is "while the first one's stay" "$(names a)" "disk:0:data "

# --- without a croftd, and with the next -------------------------------------------------------------------------------------

pid=$(field a .pid)
in_a 'while [ ! -e /stop ]; do /run/croft/bin/kstat -p disk:0:data:nread >/now && mv /now /seen; sleep 0.1; done' &
seen() { [ -e "/proc/$pid/root/seen" ]; }
t_wait_for seen
t_croftd_kill
rm -f "/proc/$pid/root/seen" # what is there next was read with croftd dead, or was about to be: so twice
t_wait_for seen
rm -f "/proc/$pid/root/seen"
t_ok "with croftd dead they are read as before" t_wait_for seen
t_is "with the same figures" "$(cut -f2 "/proc/$pid/root/seen")" "$((4096 * 1024))"
start_croftd
in_a 'touch /stop'
t_is "with the next one, too" "$(names a)$(value a data nread)" "disk:0:data $((4096 * 1024))"
reads data 64 >/dev/null
t_is "and they go on" "$(value a data nread)" "$((4160 * 1024))"
before=$(value a data crtime)
t_ok "it is taken back" croft device remove a data
t_is "its statistics are gone at once" "$(names a)$(of_global a)" ""
t_is "and what /proc and /sys show of it" "$(shown data)" ""
t_fails_with 1 "and nobody's any more" croft exec a -- /run/croft/bin/kstat -p disk:0:data:nread
t_ok "it is exported again, to be read" croft device add a "$disk" --as data --access r
in_a 'grep -q " /sys/block fuse" /proc/self/mounts' && t_is "as /sys shows" "$(in_a 'cat /sys/block/data/ro')" 1
t_is "and begins at 0, whatever was done on it before" "$(value a data nread) $(value a data nwritten)" "0 0"
t_isnt "as another structure" "$(value a data crtime)" "$before"
reads data 128 >/dev/null
t_is "that counts" "$(value a data nread)" "$((128 * 1024))"
croft device remove a data

# --- by property, and names --------------------------------------------------------------------------------------------------

t_ok "a stanza is named while it runs" croft set a devices=loop:8,disk
t_is "its disk has statistics under its own name" "$(names a)" "disk:0:${disk#/dev/} "
t_ok "the stanza is taken away" croft set a devices=loop:8
t_is "and they are" "$(names a)" ""
long=a-name-of-more-than-thirty-one-bytes
t_ok "a name is too long for a key" croft device add a "$disk" --as $long
t_is "the number stands for it" "$(names a)" "disk:0:disk$(printf '%d-%d' $(stat -c '0x%t 0x%T' "$disk")) "
croft device remove a $long
t_ok "it is exported from the beginning" sh -c 'croft stop b --force && croft set b devices=disk && croft start b'
t_is "and has statistics before anybody asks" "$(names b)" "disk:0:${disk#/dev/} "
t_ok "its init is killed" kill -9 "$(field b .pid)"
b_ended() { [ "$(field b .state)" = Defined ]; }
t_ok "it ends" t_wait_for b_ended
t_is "and its statistics with it" "$(of_global b)" ""

# --- parts -------------------------------------------------------------------------------------------------------------------

if addpart "$table" 1 2048 4096 && addpart "$table" 2 8192 4096 && t_wait_for [ -b "${table}p2" ]; then
        t_ok "two parts of a disk are exported" sh -c "croft device add a ${table}p1 --as one && croft device add a ${table}p2 --as two"
        t_is "the kernel counts for the disk: that has statistics, once" "$(names a)" "disk:0:${table#/dev/} "
        reads one 64 >/dev/null
        reads two 64 >/dev/null
        t_is "of what is done on both" "$(value a "${table#/dev/}" nread)" $((128 * 1024))
        t_ok "one is taken back" croft device remove a one
        t_is "the statistics stay" "$(value a "${table#/dev/}" nread)" $((128 * 1024))
        t_ok "and the other" croft device remove a two
        t_is "and go" "$(names a)" ""
else
        t_skip "parts of disks" "this kernel's loop devices have none"
fi

# --- one that goes -----------------------------------------------------------------------------------------------------------

t_ok "a disk is exported that is about to go" croft device add a "$table" --as fleeting
losetup -d "$table"
truncate -s 1M "$T/other"
losetup "$table" "$T/other" 2>/dev/null || :
fleeting_has_gone() { [ -z "$(names a)" ]; }
t_ok "when another one has its number its statistics are gone" t_wait_for fleeting_has_gone
losetup -d "$table" 2>/dev/null

# --- loop devices of its own -------------------------------------------------------------------------------------------------

in_a 'truncate -s 4M /img; for i in 1 2 3; do truncate -s 1M /img$i; done'
t_is "a loop device is bound inside, and has statistics by then" \
        "$(in_a 'losetup -f --show /img; /run/croft/bin/kstat -p disk:0:loop0:nwritten')" "/dev/loop0
disk:0:loop0:nwritten	0"
t_is "global has them" "$(of_global a)" "disk:0:loop0 "
# With control groups v1 the kernel has to be asked to count on each new device, which croftd does when it hears of it.
is_counted() { reads loop0 64 >/dev/null && [ "$(value a loop0 nread)" -gt 0 ]; }
t_ok "it is counted" t_wait_for is_counted
begin=$(value a loop0 nread)
reads loop0 1024 >/dev/null
t_is "to the byte" $(($(value a loop0 nread) - begin)) $((1024 * 1024))
t_is "others get theirs" "$(in_a 'losetup -f /img1; losetup -f /img2; /run/croft/bin/kstat -l -m disk | cut -d: -f3 | sort -u | tr "\n" " "')" "loop0 loop1 loop2 "
t_is "one is unbound, and its statistics are gone by then" \
        "$(in_a 'losetup -d /dev/loop1; /run/croft/bin/kstat -l -m disk | cut -d: -f3 | sort -u | tr "\n" " "')" "loop0 loop2 "
t_is "bound again it begins at 0" "$(in_a 'losetup /dev/loop1 /img3; /run/croft/bin/kstat -p disk:0:loop1:nread | cut -f2')" 0
t_croftd_kill
start_croftd
t_is "the next croftd goes on with them" "$(names a)" "disk:0:loop0 disk:0:loop1 disk:0:loop2 "
t_is "and with their figures" "$(($(value a loop0 nread) >= begin + 1024 * 1024))" 1
in_a 'losetup -D'
t_is "all are unbound, and none is left" "$(names a)" ""
rounds=${T_ROUNDS:-$(if [ -n "${CROFT_GUEST:-}" ]; then echo 25; else echo 100; fi)} # the guest is 30 times slower
in_a "for i in 1 2 3; do ( n=0; while [ \$n -lt $rounds ]; do d=\$(losetup -f --show /img\$i) && losetup -d \$d; n=\$((n + 1)); done ) & done; wait" >/dev/null 2>&1
# One that somebody had open just then goes when he has closed it.
none_is_left() { [ -z "$(names a)$(of_global a)" ]; }
t_ok "bound and unbound many times, nothing is left" t_wait_for none_is_left
t_is "as nothing is bound" "$(in_a 'losetup -a')" ""
left() { bpftool -j map dump pinned "$T/run/bpf/kstat_own_disks" | jq length; }
t_is "nor in the kernel" "$(left)" 0
in_a 'exec 3</img; losetup -f /img' >/dev/null 2>&1
t_is "one that is bound when the partition ends" "$(names a)" "disk:0:loop0 "
t_ok "is there until then" croft stop a --force
t_is "and no longer" "$(of_global a)" ""
t_is "nor in the kernel, of any partition" "$(left)" 0
devices_away
t_done
