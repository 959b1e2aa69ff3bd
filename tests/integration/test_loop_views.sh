#!/bin/sh
# where: here guest
# What shows block devices inside shows a partition's own loop devices by their names inside, and all agree with one another: losetup,
# lsblk, blkid, /proc/partitions, /sys/block, /sys/class/block, /sys/dev/block.  No other partition sees any of it.
. "$(dirname "$0")/../lib.sh"
[ -e /sys/module/loop ] || modprobe loop || :
if ! losetup -f >/dev/null 2>&1; then
        t_skip "loop devices are shown" "this kernel has none"
        t_done
        exit
fi
t_croftd_start || exit 1

in_a() { croft exec a -- sh -c "$1"; }
in_b() { croft exec b -- sh -c "$1"; }
in_c() { croft exec c -- sh -c "$1"; }
names() { # losetup's names, files and numbers, of which it blows up the last even if they are to be raw
        sed -E 's/ (\\x20)*([0-9]+:[0-9]+)(\\x20)*( |$)/ \2\4/'
}
number() { # PARTITION NODE: MAJOR:MINOR of a node inside
        croft exec "$1" -- stat -c '%Hr:%Lr' "$2"
}

croft create a -s devices=loop:6 >/dev/null && croft create b -s devices=loop:4 >/dev/null && croft create c >/dev/null || exit 1
for name in a b c; do croft start $name || exit 1; done
if ! in_a 'grep -q " /sys/block fuse" /proc/self/mounts'; then
        t_skip "loop devices are shown" "no views on this kernel"
        t_done
        exit
fi

# --- none yet ---
t_is "losetup shows none before one is bound" "$(in_a 'losetup -a; losetup -nl')" ""
t_unlike "nor does /proc/partitions" "$(in_a 'cat /proc/partitions')" loop

# --- two, of which the second one is a part of its file, for reading only ---
in_a 'truncate -s 20M /one && truncate -s 8M "/an other"'
t_is "the first one is loop0" "$(in_a 'losetup -f --show /one')" /dev/loop0
t_is "the second one loop1" "$(in_a 'losetup -r -o 1048576 --sizelimit 4194304 -f --show "/an other"')" /dev/loop1
one=$(number a /dev/loop0) two=$(number a /dev/loop1)
t_note "loop0 is $one, loop1 is $two"

t_is "losetup -a shows both" "$(in_a 'losetup -a' | sed 's/ \[[0-9]*\]:[0-9]*//')" "/dev/loop0: (/one)
/dev/loop1: (/an other), offset 1048576, sizelimit 4194304"
t_is "losetup -l has names, files and numbers (DEV-14)" "$(in_a 'losetup -nl --raw -O NAME,BACK-FILE,MAJ:MIN' | names)" \
        "/dev/loop0 /one $one
/dev/loop1 /an\\x20other $two"
t_is "and what else they are" "$(in_a 'losetup -nl --raw -O NAME,OFFSET,SIZELIMIT,RO,AUTOCLEAR,LOG-SEC')" \
        "/dev/loop0 0 0 0 0 512
/dev/loop1 1048576 4194304 1 0 512"
t_is "losetup -j finds the device of a file" "$(in_a 'losetup -j /one' | cut -d: -f1)" /dev/loop0
t_is "and none of a file without one" "$(in_a ': >/three; losetup -j /three')" ""
t_is "lsblk shows names, sizes and numbers" \
        "$(in_a 'lsblk -rno NAME,SIZE,TYPE,RO,MAJ:MIN' | grep loop | tr -s ' ')" "loop0 20M loop 0 $one
loop1 4M loop 1 $two"
t_is "one of them by its node, too" "$(in_a 'lsblk -no NAME,SIZE -r /dev/loop1')" "loop1 4M"
t_is "/proc/partitions has both" "$(in_a 'cat /proc/partitions' | awk '$4 ~ /loop/ { print $1 ":" $2, $3, $4 }')" \
        "$one 20480 loop0
$two 4096 loop1"
t_is "what a number is called is in /sys/dev/block" "$(in_a "readlink /sys/dev/block/$two")" ../../block/loop1
t_is "where all that is known of it can be reached" \
        "$(in_a "cd /sys/dev/block/$two/ && cat dev size ro loop/backing_file loop/offset queue/logical_block_size")" \
        "$two
8192
1
/an other
1048576
512"
t_is "as in /sys/class/block" "$(in_a 'cat /sys/class/block/loop0/size')" 40960
t_is "/sys/block has the same ones" "$(in_a 'ls /sys/block' | grep loop)" "loop0
loop1"
t_is "node, table and sysfs agree on each (DEV-28)" "$(in_a 'for d in /sys/block/loop*; do
        n=${d##*/} node=$(stat -c %Hr:%Lr /dev/$n)
        [ "$(cat $d/dev)" = $node ] && [ "$(readlink /sys/dev/block/$node)" = ../../block/$n ] &&
                awk -v n=$n -v d=$node "\$4 == n && \$1 \":\" \$2 == d { f = 1 } END { exit !f }" /proc/partitions || echo $n
done')" ""
t_is "what sysfs says is what the device itself says" "$(in_a 'for n in loop0 loop1; do cd /sys/block/$n
        echo $(cat size ro queue/logical_block_size queue/physical_block_size queue/minimum_io_size queue/optimal_io_size) \
                $(($(cat queue/read_ahead_kb) * 2))
done')" "$(in_a 'for n in loop0 loop1; do echo $(blockdev --getsz --getro --getss --getpbsz --getiomin --getioopt --getra /dev/$n); done')"
t_ok "lsblk has an answer to everything it can be asked" in_a 'lsblk -OJ /dev/loop0 >/dev/null && lsblk -tD >/dev/null'
t_is "the machine's numbers are nowhere among the names" \
        "$(in_a "ls /sys/block; lsblk -rno NAME; cut -c 26- /proc/partitions" | grep -c -x -e "loop${one#7:}" -e "loop${two#7:}")" \
        "$(printf '%s\n' "${one#7:}" "${two#7:}" | awk '$1 < 2 { n += 3 } END { print n + 0 }')"
t_is "what isn't bound isn't listed" "$(in_a 'ls -d /sys/block/loop2 2>&1 | grep -c "No such"')" 1

# --- used ---
t_ok "a file system is made on one" in_a 'mkfs.ext4 -q -L mine /dev/loop0'
t_is "blkid finds it" "$(in_a 'blkid -p -s LABEL -o value /dev/loop0')" mine
t_is "and that it is the only one" "$(in_a 'blkid -c /dev/null -o device')" /dev/loop0
t_is "lsblk does, too" "$(in_a 'lsblk -rno NAME,FSTYPE,LABEL /dev/loop0')" "loop0 ext4 mine"
in_a sync
is_counted() { in_a 'cat /proc/diskstats' | grep -qE "^ *7 +${one#7:} loop0 [0-9]+ 0 [0-9]+ 0 [1-9]"; }
t_ok "what was written on it is counted by its name" t_wait_for is_counted
t_unlike "and under no other" "$(in_a 'cat /proc/diskstats' | grep -v ' loop0 ')" "^ *7 +${one#7:} "

# --- of all others nobody sees any of it ---
t_is "the first one of another partition is loop0, too" "$(in_b 'truncate -s 3M /one && losetup -f --show /one')" /dev/loop0
other=$(number b /dev/loop0)
t_isnt "which is another device" "$other" "$one"
t_is "it sees that one alone" "$(in_b 'losetup -nl --raw -O NAME,MAJ:MIN; ls /sys/dev/block | grep ^7:' | names)" "/dev/loop0 $other
$other"
t_is "the first one goes on with its own" "$(in_a 'ls /sys/dev/block | grep ^7: | sort')" "$(printf '%s\n' "$one" "$two" | sort)"
t_is "one without loop devices sees none of them" \
        "$(in_c 'cat /proc/partitions; ls -l /sys/block /sys/class/block /sys/dev/block; lsblk -rno NAME; losetup -a' | grep loop)" ""

# --- at once, and no longer than they are there ---
t_is "who looks right after the call sees the device, and that it is gone" "$(in_a 'truncate -s 1M /three; for i in 1 2 3 4 5; do
        losetup -nl -O NAME | grep -q loop2 && echo early $i
        d=$(losetup -f --show /three)
        losetup -nl -O NAME | grep -q "^$d\$" || echo losetup $i
        grep -q " ${d#/dev/}\$" /proc/partitions || echo partitions $i
        [ -d /sys/block/${d#/dev/}/loop ] || echo sysfs $i
        losetup -d $d
        [ -d /sys/block/${d#/dev/} ] && echo late $i
        grep " ${d#/dev/}\$" /proc/partitions
done; true')" ""
warden=$(field a .warden)
kill -9 "$warden"
changed() { now=$(field a .warden) && [ "$now" != null ] && [ "$now" != "$warden" ]; }
t_ok "a warden that died is replaced" t_wait_for changed
t_is "the next one shows them as before" "$(in_a 'losetup -nl --raw -O NAME,MAJ:MIN' | names)" "/dev/loop0 $one
/dev/loop1 $two"
t_ok "one is unbound" in_a 'losetup -d /dev/loop0'
t_is "and gone, the other one stays" \
        "$(in_a 'losetup -nl -O NAME; ls /sys/block | grep loop; ls /sys/dev/block | grep ^7:; grep -o "loop.*" /proc/partitions')" "/dev/loop1
loop1
$two
loop1"
t_is "one that is bound later stands where its name belongs" "$(in_a 'losetup -f --show /one; losetup -nl -O NAME')" "/dev/loop0
/dev/loop0
/dev/loop1"
t_ok "all are unbound" in_a 'losetup -D'
t_is "and nothing is left of them" "$(in_a 'losetup -a; lsblk -rno NAME | grep loop; grep -e loop -e "^ *7 " /proc/partitions /proc/diskstats; ls -d /sys/block/loop*' 2>/dev/null)" ""
t_done
