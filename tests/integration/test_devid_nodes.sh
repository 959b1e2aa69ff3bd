#!/bin/sh
# where: here guest
# Special files of device numbers that partitions have (DEV-13, DEV-22, DEV-A8, DEV-A9): made when they are asked for, gone with the
# number, there again after a restart with the number that it has become, whatever dies in between.
. "$(dirname "$0")/../lib.sh"

devid=/run/croft/bin/croft-devid
inside() { # PARTITION WORD...
        inside_name=$1
        shift
        croft exec "$inside_name" -- $devid "$@"
}
# TYPE MAJOR:MINOR MODE OWNER of a node inside, or "none".
node() { # PARTITION NAME
        croft exec "$1" -- sh -c 'stat -c "%F %t:%T %a %u:%g" "/dev/$0" 2>/dev/null || echo none' "$2"
}
opens() { # PARTITION PATH: what comes of it
        croft exec "$1" -- sh -c 'exec 3<>"$0"' "$2" 2>&1 | sed 's/.*: //'
}
shown() { croft devid list -z "$1" --format json | jq -r '.[] | select(.node) | "\(.instance) \(.node) \(.state)"' | tr '\n' ';'; }

t_croftd_start || exit 1
t_ok "two partitions run" sh -c 'croft create a -s init=croft -s devices=char,block:1 && croft create b -s init=croft -s devices=char && croft start a b'

# --- asked for inside -----------------------------------------------------------------------------------------------------

inside a alloc char drv >"$T/out"
t_is "who asks for a node with a number has it" "$(inside a alloc -N port c60 port)" "port c60 0 c 60 0 reserved"
t_is "with that number, root's own" "$(node a port)" "character special file 3c:0 600 0:0"
t_is "it can be opened, were there a driver" "$(opens a /dev/port)" "No such device or address"
t_is "global sees it" "$(shown a)" "port port reserved;"
t_is "asked again, it is the same" "$(inside a alloc -N port c60 port)" "port c60 0 c 60 0 reserved"
t_fails_with 5 "under another name it isn't" croft exec a -- $devid alloc -N other c60 port
t_like "which is said" "$(cat "$T/error")" "its node is 'port' already"
t_ok "a number that there is gets one, too" croft exec a -- sh -c "$devid alloc c60 late && [ ! -e /dev/late ] && $devid alloc -N dir/late c60 late"
t_is "in a directory that is made for it" "$(node a dir/late)" "character special file 3c:1 600 0:0"
t_ok "a group has one for each number" croft exec a -- $devid alloc -n 3 -w 2 -b 4 -N unit c60 units
t_is "with their numbers" "$(node a unit0), $(node a unit1), $(node a unit2)" \
        "character special file 3c:4 600 0:0, character special file 3c:6 600 0:0, character special file 3c:8 600 0:0"
inside a alloc block disks >"$T/out"
t_ok "of a block device" croft exec a -- $devid alloc -N disk b60 disk
t_is "it is the disks' group's" "$(node a disk)" "block special file 3c:0 660 0:6"

t_ok "a number is given back" croft exec a -- $devid release c60 port
t_is "and its node with it" "$(node a port)" none
t_is "then another has the number" "$(inside a alloc c60 next | cut -d' ' -f3)" 0
t_ok "so is a group" croft exec a -- $devid release c60 units
t_is "with all nodes" "$(croft exec a -- sh -c 'ls -d /dev/unit* 2>/dev/null')" ""
t_ok "what another has put in its place stays" croft exec a -- sh -c "rm /dev/dir/late && echo mine >/dev/dir/late && $devid release c60 late; [ \"\$(cat /dev/dir/late)\" = mine ]"

# --- what isn't made ------------------------------------------------------------------------------------------------------

t_fails_with 1 "no file is replaced" croft exec a -- $devid alloc -N null c60 null
t_like "which is on record" "$(croft error print a)" "special file '/dev/null' isn't made: there is a '/dev/null' already"
t_is "it is what it was" "$(node a null)" "character special file 1:3 666 0:0"
for name in ../up /top a/../../b pts/9 shm/x 'two words' .croft-x; do
        t_fails_with 1 "nor is a name that leads elsewhere taken: $name" croft exec a -- $devid alloc -N "$name" c60 "bad $name"
done
t_fails_with 2 "nor a long one" croft exec a -- $devid alloc -N 0123456789012345678901234567890123456789 c60 long
t_fails_with 2 "a major has none" croft exec a -- $devid alloc -N drv char drv2
t_fails_with 2 "nor has global" croft devid alloc --node x char own
croft exec a -- ln -s /tmp /dev/away
t_fails_with 1 "no link is followed" croft exec a -- $devid alloc -N away/node c60 away
t_is "nothing is there" "$(croft exec a -- ls /tmp)" ""
croft exec a -- sh -c 'rm /dev/away && '$devid' release c60 away'
t_fails_with 1 "who isn't root inside has none made" croft exec a -u 1000 -- $devid alloc -N users c60 users
t_like "which is on record, too" "$(croft error print a)" "special file '/dev/users' isn't made: only root may"
t_is "it isn't there" "$(node a users)" none
t_ok "the number is his all the same, to be given back" croft exec a -u 1000 -- $devid release c60 users

# --- asked for in global --------------------------------------------------------------------------------------------------

croft devid alloc -z b char drv >"$T/out"
t_is "global asks for a partition" "$(croft devid alloc -z b --node web c61 web --format json | jq -r '"\(.node) \(.device)"')" "web 61:0"
t_is "which has it" "$(node b web)" "character special file 3d:0 600 0:0"
t_like "the list has a column for it" "$(croft devid list -z b)" "NODE"
t_ok "global gives it back" croft devid release -z b c61 web
t_is "and it has gone" "$(node b web)" none

# --- another's (DEV-A8) ---------------------------------------------------------------------------------------------------

croft devid alloc -z b --node web c61 web >"$T/out"
root_of_a=/proc/$(field a .pid)/root
mknod -m 666 "$root_of_a/dev/theft" c 61 0
t_is "another's number can't be opened, by whatever node" "$(opens a /dev/theft)" "Operation not permitted"
mkdir "$T/tree"
mknod -m 666 "$T/tree/theft" c 61 0
tar -C "$T/tree" -cf "$T/nodes.tar" theft
croft exec a -- sh -c 'cat >/tmp/nodes.tar' <"$T/nodes.tar"
t_is "tar can make none" "$(croft exec a -- sh -c 'tar -C /tmp -xf /tmp/nodes.tar 2>&1' | head -n 1)" "tar: theft: Cannot mknod: Operation not permitted"
t_is "nor has" "$(croft exec a -- sh -c '[ -c /tmp/theft ] || echo none')" none
t_is "a node in a namespace below can't be opened either" "$(croft exec a -- unshare -Urmpf sh -c 'exec 3<>/dev/theft' 2>&1 | sed 's/.*: //')" "Operation not permitted"
rm "$root_of_a/dev/theft"
truncate -s 8M "$T/image"
mke2fs -q -d "$T/tree" "$T/image"
mkdir "$T/mnt"
modprobe -q loop 2>/dev/null
image=$(losetup -f --show -r "$T/image") || exit 1
trap 'nodes_status=$?; losetup -d "$image" 2>/dev/null; (exit $nodes_status); t_clean_up' EXIT
mknod "$root_of_a/dev/image" b $(stat -c '0x%t 0x%T' "$image")
# Not with set-user-id: the partition's root would be its user.
for tool in mount umount; do croft exec a -- sh -c "cat >/tmp/$tool && chmod 755 /tmp/$tool" <"$(command -v $tool)"; done
t_ok "the administrator mounts an image in a partition" nsenter -t "$(field a .pid)" -m -- /tmp/mount -t ext2 -o ro /dev/image /mnt
t_is "a node in it can't be opened" "$(opens a /mnt/theft)" "Operation not permitted"
t_ok "it is unmounted" nsenter -t "$(field a .pid)" -m -- /tmp/umount /mnt
rm "$root_of_a/dev/image"
losetup -d "$image"

# --- restart (DEV-22, DEV-A9) ---------------------------------------------------------------------------------------------

croft exec a -- $devid alloc -n 2 -b 16 -N pair c60 pair >"$T/out"
had=$(shown a)
t_ok "one is restarted" croft restart a
t_is "and has all again" "$(shown a)" "$had"
t_is "with their nodes" "$(node a pair0), $(node a pair1)" "character special file 3c:10 600 0:0, character special file 3c:11 600 0:0"
t_ok "it stops" croft stop a
t_ok "another takes its major" croft devid alloc -p 60 char thief
t_ok "it starts, with an init that looks at once" sh -c 'croft set a init="/bin/sh -c \"stat -c %t:%T /dev/pair0 >/run/first; exec sleep 1000000\"" && croft start a'
t_ok "that ran" t_wait_for croft exec a -- test -s /run/first
t_is "its first process saw the node with the new number" "$(croft exec a -- cat /run/first)" "3e:10"
t_is "as all do" "$(node a pair1)" "character special file 3e:11 600 0:0"
t_like "and the record has it" "$(croft error print a)" "its device number for 'pair' was 16 of family 'c60' and is 16 of 'c62'"
t_ok "given to one that is stopped" sh -c 'croft stop b && croft devid alloc -z b char early && croft devid alloc -z b --node early c61 early || croft devid alloc -z b --node early c63 early'
t_like "a number has its node to come" "$(shown b)" "early \(early\) reserved;"
t_ok "when it starts" croft start b
t_like "it is there" "$(shown b)" "early early reserved;"
t_like "it is" "$(node b early)" "character special file"

# --- ours die -------------------------------------------------------------------------------------------------------------

croft exec a -- $devid alloc char crash >"$T/out"
family=c$(inside a show char crash | cut -d' ' -f3)
for point in special.made special.told devnode.made; do
        t_croftd_stop
        CROFT_CRASH_AT=$point t_croftd_start
        croft exec a -- $devid alloc -N "$point" "$family" "$point" >"$T/out" 2>&1 &
        asker=$!
        t_wait_daemon
        t_is "croftd dies at $point" $? 77
        t_croftd_start
        t_ok "the next makes the node: $point" t_wait_for croft exec a -- test -c "/dev/$point"
        wait $asker
done
for point in special.dropped special.forgotten; do
        t_croftd_stop
        CROFT_CRASH_AT=$point t_croftd_start
        croft exec a -- $devid release "$family" special.made >"$T/out" 2>&1 &
        asker=$!
        t_wait_daemon
        t_is "croftd dies at $point" $? 77
        t_croftd_start
        freed() { ! croft devid list -z a --format json | jq -e '.[] | select(.instance=="special.made")' && croft exec a -- test ! -e /dev/special.made; }
        t_ok "the next removes node and number: $point" t_wait_for freed
        wait $asker
        croft exec a -- $devid alloc -N special.made "$family" special.made >"$T/out" 2>&1
done
t_croftd_stop
t_croftd_start
t_ok "all ends" sh -c 'croft stop a b && croft devid release char thief'
t_is "nothing is left in the table" "$(croft devid list --format json | jq length)" 0
t_done
