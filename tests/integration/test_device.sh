#!/bin/sh
# where: here guest
# timeout: 600
# Devices of the host in partitions (DEV-24, DEV-25): what is listed can be exported, with that access and no more, at once
# and until it is taken back; what a dead croftd left half done is taken back by the next.
. "$(dirname "$0")/../lib.sh"

etc=$T/etc
mkdir "$etc" "$T/cdi.low" "$T/cdi"
start_croftd() { t_croftd_start --config-dir "$etc" --cdi-dirs "$T/cdi.low:$T/cdi"; }
listed() { croft device list ${1:+"$1"} --format json | jq -r '.[] | "\(.name) \(.device) \(.access)"' | tr '\n' ';'; }
inside() { # PARTITION COMMAND...
        inside_name=$1
        shift
        croft exec "$inside_name" -- "$@"
}
opens() { # PARTITION REDIRECTION: what comes of it
        croft exec "$1" -- sh -c "exec 3$2" 2>&1 | sed 's/.*: //'
}

# However the test ends, none of its devices stays on the machine.
devices_away() {
        devices_status=$?
        for device in $(losetup -l -n -O NAME,BACK-FILE | grep -F "$T" | cut -d' ' -f1); do losetup -d "$device"; done
        rm -f "/dev/croft-test-$$-"*
        return $devices_status
}
trap 'devices_away; t_clean_up' EXIT

modprobe -q -a loop fuse tun 2>/dev/null
seq 100000 >"$T/disk"
truncate -s 1M "$T/disk"
loop=$(losetup -f --show "$T/disk") || exit 1
disk=${loop#/dev/}
number=$(printf '%d:%d' $(stat -c '0x%t 0x%T' "$loop"))

# --- nothing is exported that isn't listed --------------------------------------------------------------------------------

start_croftd || exit 1
t_ok "partitions run" sh -c 'croft create a -s init=croft -s devices=char && croft create b -s init=croft && croft start a b'
t_fails_with 4 "without a list nothing is exported" croft device add a "$loop"
t_like "and it is said where the list would be" "$(cat "$T/error")" "'$loop' isn't listed in '$etc/devexports'"
cat >"$etc/devexports" <<SH
* devices of this test
# and another comment, für Menschen
disk:
        value = "$loop"
        auto = "yes"

fuse:
	value = /dev/fuse
        auto = "no"
usual:
        value = "/dev/nul[l]"
ttys:
        value = "/dev/tty*"
tuns:
        value = "/dev/net/tu?"
links:
        value = "/dev/croft-test-$$-*"
SH
t_fails_with 4 "what isn't listed isn't exported" croft device add a /dev/loop-control
t_like "which is on record" "$(croft error print a)" "'/dev/loop-control' isn't listed"
for minor in 1 2 4; do
        mknod "/dev/croft-test-$$-mem" c 1 $minor
        t_fails_with 4 "memory isn't, though it is listed: 1:$minor" croft device add a "/dev/croft-test-$$-mem"
        t_like "and that is said: 1:$minor" "$(cat "$T/error")" "never exported"
        rm "/dev/croft-test-$$-mem"
done
mknod "/dev/croft-test-$$-cuse" c 10 203
t_fails_with 4 "nor is what makes devices on the machine, though it is listed" croft device add b "/dev/croft-test-$$-cuse"
t_like "which is said, too" "$(cat "$T/error")" "makes devices of any name and number"
rm "/dev/croft-test-$$-cuse"
t_fails_with 5 "nor is what every partition has" croft device add a /dev/null
t_fails_with 1 "nor what is no device" croft device add a /dev/net
t_fails_with 2 "nor a path that leads elsewhere" croft device add a /dev/net/../mem
t_fails_with 2 "nor one out of /dev" croft device add a "$T/disk"
t_fails_with 3 "nor to nobody" croft device add nobody "$loop"
t_is "nothing is exported" "$(listed)" ""
chmod 666 "$etc/devexports"
t_fails_with 4 "a list that others may write isn't believed" croft device add a "$loop"
t_like "and that is said" "$(cat "$T/error")" "isn't root's alone to write"
chmod 644 "$etc/devexports"
echo 'value = "/dev/zero"' >>"$etc/devexports"
t_fails_with 1 "nor one with a fault in it" croft device add a "$loop"
t_like "whose line is told" "$(cat "$T/error")" "devexports': line 18: the stanza has a second value"
sed -i '$d' "$etc/devexports"

# --- what is exported works -----------------------------------------------------------------------------------------------

t_ok "a disk is exported, to be read" croft device add a "$loop" --access r
t_is "it is listed" "$(listed a)" "$disk $loop r;"
t_is "with its number" "$(croft device list --format json | jq -r '.[] | "\(.partition) \(.type) \(.number)"')" "a block $number"
t_like "as a table" "$(croft device list a)" "^$disk +$loop +block +$number +r"
t_is "it is read byte for byte" "$(inside a sha256sum "/dev/$disk" | cut -c1-64)" "$(sha256sum "$T/disk" | cut -c1-64)"
t_is "it can't be written" "$(opens a "<>/dev/$disk")" "Operation not permitted"
t_is "nor opened to write" "$(opens a ">/dev/$disk")" "Operation not permitted"
t_fails_with 5 "it isn't exported twice" croft device add a "$loop" --as other
t_ok "another partition may have it, too" croft device add b "$loop" --as dev/disk-of-b --mode 640 --uid 33 --gid 6
t_is "under another name and with an owner" "$(inside b stat -c '%F %a %u %g' /dev/dev/disk-of-b)" "block special file 640 33 6"
inside b sh -c 'printf written | dd of=/dev/dev/disk-of-b conv=notrunc status=none'
sync -f "$T/disk" 2>/dev/null
t_is "and write it" "$(head -c 7 "$loop")" written
t_is "which the first one reads" "$(inside a head -c 7 "/dev/$disk")" written
t_is "all are listed" "$(listed)" "$disk $loop r;dev/disk-of-b $loop rw;"
t_is "a list names them" "$(croft device list b -q)" dev/disk-of-b
t_ok "a character device works, too" croft device add a /dev/net/tun
t_is "in its directory" "$(inside a sh -c 'exec 3<>/dev/net/tun && stat -c "%F %t:%T" /dev/net/tun')" "character special file a:c8"
t_is "of the other it isn't there" "$(inside b ls /dev/net 2>&1 | sed 's/.*: //')" "No such file or directory"

# --- and nothing more -----------------------------------------------------------------------------------------------------

t_ok "it keeps a hard link" inside a ln "/dev/net/tun" /dev/kept
t_ok "it is taken back" croft device remove a net/tun
t_is "the node is gone" "$(inside a ls /dev/net)" ""
t_is "the link is no good" "$(opens a '<>/dev/kept')" "Operation not permitted"
t_ok "the other gets it" croft device add b /dev/net/tun
t_is "the link isn't any better" "$(opens a '<>/dev/kept')" "Operation not permitted"
t_ok "nor is a node that it renames lost" sh -c 'croft exec b -- mv /dev/net/tun /dev/mine && croft device remove b net/tun'
t_is "but can't be opened" "$(opens b '<>/dev/mine')" "Operation not permitted"
t_is "other numbers of the major can't be" "$(n=/proc/$(field a .pid)/root/dev/test-node; mknod -m 666 "$n" b 7 4000; opens a '<>/dev/test-node'; rm "$n")" "Operation not permitted"
t_fails_with 3 "what isn't exported can't be taken back" croft device remove a net/tun
t_fails_with 3 "nor by a name that is none" croft device remove a ../../etc

# --- hostile -------------------------------------------------------------------------------------------------------------

inside a sh -c 'ln -s /etc/hostname /dev/link && mkdir /dev/dir && rm -r /dev/net && ln -s /tmp /dev/net && touch /dev/file'
t_fails_with 5 "a link in the way stays" croft device add a /dev/net/tun --as link
t_fails_with 5 "a directory does" croft device add a /dev/net/tun --as dir
t_fails_with 1 "a link instead of a directory isn't followed" croft device add a /dev/net/tun
t_fails_with 1 "nor a file" croft device add a /dev/net/tun --as file/tun
t_is "nothing was made where it leads" "$(inside a find /tmp -name 'tun*')" ""
t_is "none of it is listed" "$(listed a)" "$disk $loop r;"
t_is "nor is there a node" "$(inside a find /dev -type c -name '*tun*')" ""
for name in ../tun . .. /tun '' a/../b .tun pts/tun 'a b' "$(printf '%0100d' 1)"; do
        t_fails_with 2 "'$(printf %.10s "$name")' is no name inside" croft device add a /dev/net/tun --as "$name"
done
t_fails_with 2 "access is r, w or rw" croft device add a /dev/net/tun --as t --access m
t_fails_with 2 "a mode is octal" croft device add a /dev/net/tun --as t --mode 888
t_fails_with 2 "a device is a path or a CDI name" croft device add a tun
inside a rm /dev/net

# --- links and patterns on the host ---------------------------------------------------------------------------------------

ln -s net/tun "/dev/croft-test-$$-link"
t_ok "a link may be listed" croft device add a "/dev/croft-test-$$-link"
t_is "and is followed" "$(listed a)" "$disk $loop r;net/tun /dev/net/tun rw;"
t_ok "it is taken back by its path" croft device remove a /dev/net/tun
rm "/dev/croft-test-$$-link"
ln -s loop-control "/dev/croft-test-$$-link"
t_ok "a pattern may list the link, not where it leads" croft device add a "/dev/croft-test-$$-link"
croft device remove a loop-control
ln -sf "$T/disk" "/dev/croft-test-$$-link"
t_fails_with 1 "a link to a file is no device" croft device add a "/dev/croft-test-$$-link"
rm "/dev/croft-test-$$-link"

# --- numbers from the table -----------------------------------------------------------------------------------------------

mknod "/dev/croft-test-$$-node" c 60 1
t_ok "a number that nobody has is exported" croft device add b "/dev/croft-test-$$-node" --as node
t_is "and opened, were there a driver" "$(opens b '<>/dev/node')" "No such device or address"
t_ok "a partition takes its major" croft exec a -- /run/croft/bin/croft-devid alloc char drv0
t_is "then it is that one's" "$(opens b '<>/dev/node')" "Operation not permitted"
t_ok "it is taken back" croft device remove b node
t_fails_with 5 "another's number isn't exported" croft device add b "/dev/croft-test-$$-node" --as node
t_fails_with 5 "nor its own" croft device add a "/dev/croft-test-$$-node" --as node
rm "/dev/croft-test-$$-node"

# --- CDI ------------------------------------------------------------------------------------------------------------------

spec() { # NODES [FURTHER EDITS]
        printf '{"cdiVersion": "0.6.0", "kind": "croft.test/thing", "devices": [{"name": "one", "containerEdits": {"deviceNodes": [%s]%s}}]}\n' "$1" "${2:-}"
}
fuse='{"path": "/dev/thing/fuse", "hostPath": "/dev/fuse", "permissions": "rw", "fileMode": 438}'
tun='{"path": "/dev/thing/tun", "hostPath": "/dev/net/tun", "type": "c", "major": 10, "minor": 200, "permissions": "r", "uid": 7}'
t_fails_with 3 "a CDI device that nobody knows" croft device add a croft.test/thing=one
spec "$fuse" >"$T/cdi.low/thing.json"
echo '{"cdiVersion": "0.6.0", "kind": "croft.test/other", "devices": []' >"$T/cdi/damaged.json"
t_fails_with 1 "a damaged file is told before an older one is taken" croft device add a croft.test/thing=one
spec "$fuse, $tun" >"$T/cdi/thing.json"
t_ok "a CDI device is exported" croft device add a croft.test/thing=one
t_is "with all its nodes, as the later directory has it" "$(listed a)" "$disk $loop r;thing/fuse /dev/fuse rw;thing/tun /dev/net/tun r;"
t_is "as the file says" "$(inside a stat -c '%n %a %u' /dev/thing/fuse /dev/thing/tun | tr '\n' ' ')" "/dev/thing/fuse 666 0 /dev/thing/tun $(stat -c %a /dev/net/tun) 7 "
t_is "which is shown" "$(croft device list a --format json | jq -r '.[].cdi' | tr '\n' ' ')" "null croft.test/thing=one croft.test/thing=one "
t_is "access, too" "$(opens a '</dev/thing/tun')$(opens a '<>/dev/thing/tun')" "Operation not permitted"
t_ok "with one node all are taken back" croft device remove a thing/tun
t_is "and gone" "$(listed a)$(inside a find /dev/thing -type c)" "$disk $loop r;"
t_ok "it is exported again" croft device add a croft.test/thing=one
t_ok "and taken back by its name" croft device remove a croft.test/thing=one
t_is "with all" "$(listed a)" "$disk $loop r;"
spec "$fuse, {\"path\": \"/dev/thing/none\"}" >"$T/cdi/thing.json"
t_fails_with 3 "one whose nodes aren't all there" croft device add a croft.test/thing=one
spec "$fuse, {\"path\": \"/dev/thing/loops\", \"hostPath\": \"/dev/loop-control\"}" >"$T/cdi/thing.json"
t_fails_with 4 "or aren't all allowed" croft device add a croft.test/thing=one
spec "$fuse, {\"path\": \"/dev/dir\", \"hostPath\": \"/dev/net/tun\"}" >"$T/cdi/thing.json"
t_fails_with 5 "or can't all be made" croft device add a croft.test/thing=one
spec "$fuse, {\"path\": \"/dev/t\", \"hostPath\": \"/dev/net/tun\", \"minor\": 201}" >"$T/cdi/thing.json"
t_fails_with 8 "or are others than the file says" croft device add a croft.test/thing=one
spec "$fuse" ', "mounts": [{"hostPath": "/", "containerPath": "/"}]' >"$T/cdi/thing.json"
t_fails_with 1 "or wants more than nodes" croft device add a croft.test/thing=one
t_like "which is named" "$(cat "$T/error")" "'mounts', which croft doesn't do"
spec "$fuse" >"$T/cdi/thing.json"
cp "$T/cdi/thing.json" "$T/cdi/again.json"
t_fails_with 1 "or is there twice" croft device add a croft.test/thing=one
mv "$T/cdi/again.json" "$T/cdi/again.yaml"
t_fails_with 1 "once in YAML" croft device add b croft.test/thing=one
rm "$T/cdi/again.yaml" "$T/cdi/damaged.json"
t_is "is exported by no node" "$(listed a)$(inside a find /dev/thing -type c)" "$disk $loop r;"

# As the toolkits of vendors write it: /etc/cdi/nvidia.yaml.
gpu() { # NODES OF ALL DEVICES
        cat >"$T/cdi/gpu.yaml" <<YAML
---
cdiVersion: 0.5.0
kind: croft.test/gpu
containerEdits:
  deviceNodes:
$1
devices:
- name: "0"
  containerEdits:
    deviceNodes:
    - path: /dev/gpu/gpu0
      hostPath: /dev/fuse # the first one
      permissions: rw
      fileMode: 0640
      gid: 44
- name: all
  containerEdits: {mounts: [{hostPath: /x, containerPath: /x}]}
YAML
}
gpu "  - path: /dev/gpu/ctl
    hostPath: /dev/net/tun
    major: 10
    minor: 200
    permissions: r"
t_ok "a CDI device of a file in YAML is exported" croft device add a croft.test/gpu=0
t_is "with all its nodes" "$(listed a)" "gpu/ctl /dev/net/tun r;gpu/gpu0 /dev/fuse rw;$disk $loop r;"
t_is "as the file says" "$(inside a stat -c '%a %g' /dev/gpu/gpu0)" "640 44"
t_ok "and taken back by its name" croft device remove a croft.test/gpu=0
t_is "with all" "$(listed a)" "$disk $loop r;"
t_fails_with 1 "one that wants more than nodes isn't" croft device add b croft.test/gpu=all
t_like "which is named" "$(cat "$T/error")" "'mounts', which croft doesn't do"
gpu "  - &node {path: /dev/gpu/ctl, hostPath: /dev/net/tun}
  - *node"
t_fails_with 1 "nor one with aliases" croft device add b croft.test/gpu=0
t_like "whose place is told" "$(cat "$T/error")" "gpu.yaml': line 6, column 5: anchors, aliases and tags aren't taken"
rm "$T/cdi/gpu.yaml"
t_is "and nothing of it is there" "$(listed a)$(inside a find /dev/gpu -type c)" "$disk $loop r;"

# --- by property ----------------------------------------------------------------------------------------------------------

t_ok "a partition has a disk from its start on" croft create c -s devices=tuns,disk -s init="/bin/sh -c 'exec 3<>/dev/net/tun; echo \$? >/tun; head -c 7 /dev/$disk >/disk; exec sleep 1000000'"
t_ok "it starts" croft start c
has_read() { [ -n "$(inside c cat /disk)" ]; }
t_wait_for has_read
t_is "its first process has used them" "$(inside c cat /tun /disk | tr '\n' ' ')" "0 written"
t_is "and shows them" "$(listed c)" "$disk $loop rw;net/tun /dev/net/tun rw;"
t_ok "one less while it runs" croft set c devices=tuns
t_is "is taken back" "$(listed c)$(inside c sh -c "ls /dev/$disk 2>/dev/null")" "net/tun /dev/net/tun rw;"
t_ok "what was asked for stays" sh -c "croft device add c '$loop' && croft set c --unset devices"
t_is "and nothing else" "$(listed c)" "$disk $loop rw;"
t_fails_with 3 "a stanza that isn't there is refused" croft set c devices=tuns,nothing
t_like "with the file" "$(cat "$T/error")" "no stanza 'nothing' in '$etc/devexports'"
t_fails_with 4 "so is one for requests only" croft set c devices=tuns,fuse
t_fails_with 6 "and more than a partition may have" croft set c devices=tuns,ttys
t_is "nothing of it is exported" "$(listed c)$(field c .properties.devices)" "$disk $loop rw;null"
t_fails_with 2 "what is no name is refused at once" croft set c devices=/dev/fuse
t_ok "with others it is restarted" sh -c 'croft stop c && croft set c devices=tuns,char && croft start c'
t_is "and has those alone" "$(listed c)" "net/tun /dev/net/tun rw;"
croft stop c
sed -i 's/^tuns:/others:/' "$etc/devexports"
t_fails_with 3 "when the stanza has gone it doesn't start" croft start c
t_is "and is as before" "$(field c .state)$(listed c)" Defined
t_like "which is on record" "$(croft error print c)" "no stanza 'tuns'"
sed -i 's/^others:/tuns:/' "$etc/devexports"
t_fails_with 3 "one that doesn't run gets nothing" croft device add c "$loop"

# --- ours die -------------------------------------------------------------------------------------------------------------

unified=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
pid_of_a=$(field a .pid)
before=$(listed)
t_croftd_kill
in_a() { # COMMAND...: in its control group, with nobody there to be asked
        in_a_dir=$(sed -n 's/^0:://p' "/proc/$pid_of_a/cgroup")
        sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$unified$in_a_dir" "$@" 2>&1 | sed 's/.*: //'
}
t_is "without a croftd it is read" "$(in_a head -c 7 "/proc/$pid_of_a/root/dev/$disk")" written
t_is "and not written" "$(in_a sh -c "exec 3<>/proc/$pid_of_a/root/dev/$disk")" "Operation not permitted"
start_croftd
t_is "the next one lists the same" "$(listed)" "$before"
t_ok "and takes it back" croft device remove b dev/disk-of-b
t_is "of one" "$(listed)" "$disk $loop r;"

spec "$fuse, $tun" >"$T/cdi/thing.json"
nodes() { inside a find /dev -name '.croft*' -o -path '/dev/thing/*' | sort | tr '\n' ' '; }
daemon_is_dead() { ! kill -0 "$t_daemon" 2>/dev/null || grep -q '^State:.Z' "/proc/$t_daemon/status"; }
dies() { # POINT COMMAND...
        dies_at=$1
        shift
        t_croftd_kill
        CROFT_CRASH_AT=$dies_at
        export CROFT_CRASH_AT
        start_croftd
        unset CROFT_CRASH_AT
        "$@" >/dev/null 2>&1
        t_wait_for daemon_is_dead
        t_wait_daemon
        start_croftd
}
for point in entry node right; do
        dies "device-add.$point.done" croft device add a croft.test/thing=one
        t_is "croftd dies after an export's $point: nothing of it is left" "$(listed a)$(nodes)" "$disk $loop r;"
        t_like "which is on record" "$(croft error print a)" "was half exported"
        t_ok "and it can be exported" croft device add a croft.test/thing=one
        croft device remove a croft.test/thing=one
done
dies devnode.made croft device add a /dev/net/tun
t_is "croftd dies while it makes a node: nothing of it is left" "$(listed a)$(inside a find /dev/net -type c)" "$disk $loop r;"
for point in right node; do
        croft device add a croft.test/thing=one
        dies "device-remove.$point.done" croft device remove a thing/fuse
        t_is "croftd dies after a removed $point: the device is gone" "$(listed a)$(nodes)" "$disk $loop r;"
done
croft device add a croft.test/thing=one
dies device-remove.entry.done croft device remove a thing/fuse
t_is "croftd dies after a removed entry: the device is gone" "$(listed a)$(nodes)" "$disk $loop r;"

# --- many at once ---------------------------------------------------------------------------------------------------------

croft events --format json >"$T/events" 2>/dev/null &
events=$!
again() { # PARTITION: how often it failed
        failed=0
        for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
                croft device add "$1" /dev/net/tun && croft exec "$1" -- sh -c 'exec 3<>/dev/net/tun' &&
                        croft device remove "$1" net/tun || failed=$((failed + 1))
        done
        echo "$failed" >"$T/again.$1"
}
again a 2>/dev/null &
pids=$!
again b 2>/dev/null &
pids="$pids $!"
lists=0
for i in 1 2 3 4 5 6 7 8 9 10; do
        # Whatever is under way: each device once, and no half ones.
        croft device list --format json | jq -e '(length == (unique_by([.partition, .name]) | length)) and all(.[]; .access != "")' >/dev/null ||
                lists=$((lists + 1))
done
wait $pids
t_is "two partitions get and lose the same device at the same time" "$(cat "$T/again.a" "$T/again.b" | tr '\n' ' ')" "0 0 "
t_is "each list shows them once, and whole" "$lists" 0
t_is "and nothing is left of it" "$(listed)$(inside b find /dev/net -type c)" "$disk $loop r;"
has_event() { grep -q '"device".*taken back' "$T/events"; }
t_ok "events tell of it" t_wait_for has_event
kill "$events"

# --- the list changes -----------------------------------------------------------------------------------------------------

t_ok "one has a device by request, another by property" sh -c "croft device add b /dev/fuse && croft set c devices=tuns && croft start c"
t_is "both are there" "$(listed)" "$disk $loop r;fuse /dev/fuse rw;net/tun /dev/net/tun rw;"
cp "$etc/devexports" "$T/devexports"
# Once more if croftd asks for that, since a partition had something else done for too long.
look_again() {
        asked=$(grep -c 'send SIGHUP again' "$T/croftd.log")
        kill -HUP "$t_daemon"
}
is_listed() {
        [ "$(grep -c 'send SIGHUP again' "$T/croftd.log")" = "$asked" ] || look_again
        [ "$(listed)" = "$1" ]
}
sed -i "s,/dev/fuse,/dev/nothing,; s,^tuns:,tuns.1:," "$etc/devexports"
look_again
t_ok "told to look again, croftd takes back what isn't listed any more" t_wait_for is_listed "$disk $loop r;net/tun /dev/net/tun rw;"
t_is "and the node" "$(inside b sh -c 'ls /dev/fuse 2>/dev/null')" ""
is_on_record() { croft error print "$1" | grep -q "$2"; }
t_ok "a stanza that has gone is on record" t_wait_for is_on_record c "no stanza 'tuns'"
echo fault >>"$etc/devexports"
kill -HUP "$t_daemon"
has_told() { grep -q "'fault' is no stanza" "$T/croftd.log"; }
t_ok "a fault in it is told" t_wait_for has_told
t_is "and changes nothing" "$(listed)" "$disk $loop r;net/tun /dev/net/tun rw;"
sed "s,/dev/net/tu?,/dev/fuse," "$T/devexports" >"$etc/devexports"
look_again
t_ok "a stanza that lists another is followed" t_wait_for is_listed "$disk $loop r;fuse /dev/fuse rw;"
rm "$etc/devexports"
look_again
t_ok "without a list nothing stays" t_wait_for is_listed ""
cp "$T/devexports" "$etc/devexports"
t_ok "c stops" croft stop c
t_ok "a has the disk again" croft device add a "$loop" --access r

# --- the device ends ------------------------------------------------------------------------------------------------------

seq 1000 >"$T/other"
other=$(losetup -f --show "$T/other")
sed -i "s,^links:,other:\n        value = \"$other\"\nlinks:," "$etc/devexports"
t_ok "another disk is exported" croft device add a "$other" --as other
t_is "and read" "$(inside a sha256sum /dev/other | cut -c1-64)" "$(sha256sum "$other" | cut -c1-64)"
losetup -d "$other"
seq 2000 >"$T/third"
truncate -s 64k "$T/third"
# Another may have the number for a moment.
t_ok "it ends, and its number is another one's" t_wait_for losetup "$other" "$T/third"
is_closed() { [ -z "$(listed a | grep other)" ]; }
t_ok "once its number is another disk's it is taken back" t_wait_for is_closed
t_is "and can't be opened" "$(inside a sh -c 'ls /dev/other 2>/dev/null')" ""
t_like "which is on record" "$(croft error print a)" "device '$other' has gone, or become another"
t_ok "that one is exported when it is asked for" croft device add a "$other" --as other
t_croftd_kill
losetup -d "$other"
t_ok "which changes once more" t_wait_for losetup "$other" "$T/other"
start_croftd
t_is "a croftd that wasn't there then takes it back, too" "$(listed a)" "$disk $loop r;"
losetup -d "$other"

# --- the partition ends ---------------------------------------------------------------------------------------------------

t_ok "it stops" croft stop a
t_is "and has nothing" "$(listed)" ""
t_ok "it starts" croft start a
t_is "and has nothing yet" "$(listed)" ""
t_ok "it gets the disk" croft device add a "$loop"
kill -9 "$(field a .pid)"
gone() { [ -z "$(listed)" ]; }
t_ok "with its init all is gone" t_wait_for gone
t_wait_for croft start a
t_ok "it gets the disk again" croft device add a "$loop"
pid_of_a=$(field a .pid)
kill -9 "$t_daemon" "$pid_of_a"
t_wait_daemon
start_croftd
t_ok "who died without a croftd has none" t_wait_for gone
losetup -d "$loop"
t_done
