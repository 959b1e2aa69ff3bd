#!/bin/sh
# where: here guest
# timeout: 600
# Loop devices of a partition's own: unmodified losetup and mkfs inside, nothing of them in another partition, none of the
# machine's within reach, and nothing left of them, whoever dies.
. "$(dirname "$0")/../lib.sh"
[ -e /sys/module/loop ] || modprobe loop || exit 1
before=$(ls -d /sys/block/loop*)

run() { croft exec "${2:-a}" -- sh -c "$1" 2>&1; }
of_machine_is() { [ "$(of_machine)" = "$1" ]; }
of_machine() { ls -d /sys/block/loop* | grep -vxF "$before" | wc -l; } # those that were made since
# The number that the machine has it under.
behind() { run "stat -c '0x%T' /dev/$1" "${2:-a}" | xargs printf '%d\n'; }

t_croftd_start || exit 1
for p in a b; do
        croft create $p -s devices=loop:4 >/dev/null && croft start $p || exit 1
done
croft create c >/dev/null && croft start c || exit 1
t_is "a partition that uses none costs the machine none" "$(of_machine)" 0

# --- the main job
run 'truncate -s 20M /img /img2; echo text >/marked; truncate -s 1M /marked' >/dev/null
t_is "a device is bound to a file" "$(run 'losetup -f --show /img')" /dev/loop0
t_is "another one is the next" "$(run 'losetup -f --show /img2')" /dev/loop1
t_is "in another partition the first is the first, too" "$(run 'truncate -s 3M /its; losetup -f --show /its' b)" /dev/loop0
t_ok "it is another device of the machine" test "$(behind loop0)" != "$(behind loop0 b)"
t_is "its size is the file's" "$(run 'blockdev --getsize64 /dev/loop0')" 20971520
t_is "each has its own" "$(run 'blockdev --getsize64 /dev/loop0' b)" 3145728
t_is "a file system is made on it" "$(run 'mkfs.ext4 -q /dev/loop0 && e2fsck -fn /dev/loop0 >/dev/null 2>&1; echo $?')" 0
t_is "which is in the file" "$(run 'dumpe2fs -h /img 2>/dev/null | grep -c "Filesystem magic number:  0xEF53"')" 1
t_is "what is written to the device is in the file" \
        "$(run 'printf croft | dd of=/dev/loop1 conv=fsync 2>/dev/null; head -c 5 /img2')" croft
t_like "its file and its number are told" "$(run 'losetup /dev/loop1')" '^/dev/loop1: .*\(/img2\)$'
t_is "options are kept" "$(run 'losetup -r -o 4096 --sizelimit 8192 /dev/loop2 /img; blockdev --getro --getsize64 /dev/loop2')" \
        "1
8192"
t_is "a number that is bound can't be bound again" "$(run 'losetup /dev/loop1 /img 2>/dev/null; echo $?')" 1
t_is "as many as are granted can be had" "$(run 'losetup -f --show /img2')" /dev/loop3
t_like "and no more" "$(run 'losetup -f --show /marked')" "No space left on device"
t_ok "the last is given back" run 'losetup -d /dev/loop3'
t_is "unbound, the lowest is the next" "$(run 'losetup -d /dev/loop1 && losetup -f')" /dev/loop1
t_is "and then it leads nowhere" "$(run 'losetup /dev/loop1 >/dev/null 2>&1; echo $?')" 1
t_is "it can be bound again" "$(run 'losetup -f --show /marked; head -c 4 /dev/loop1')" "/dev/loop1
text"
t_is "all are unbound" "$(run 'for i in 0 1 2; do losetup -d /dev/loop$i || echo failed; done')" ""
none_bound() { [ "$(losetup -n -O BACK-FILE -l | grep -cx '/img\|/img2\|/marked')" = 0 ]; }
t_ok "they are gone from the machine" t_wait_for none_bound

# --- what isn't its own
t_like "a partition without a grant has no loop-control" "$(run 'ls /dev/loop-control' c)" "No such file"
t_fails_with 5 "loop devices aren't given to a partition that runs" croft set c devices=loop
number=$(behind loop0 b)
t_like "another partition's device can't be opened by its number" \
        "$(run "mknod /tmp/x b 7 $number && head -c 1 /tmp/x")" "Operation not permitted"
t_is "only its root asks for devices" "$(run 'setpriv --reuid 1000 --clear-groups losetup -f >/dev/null 2>&1; echo $?')" 1
t_is "only its root opens them" "$(run 'losetup -f --show /img >/dev/null; setpriv --reuid 1000 --clear-groups head -c 1 /dev/loop0 >/dev/null 2>&1; echo $?')" 1
for file in /proc/self/status /sys/kernel/uevent_seqnum /dev/zero /dev/loop0 /tmp; do
        t_is "$file isn't bound to" "$(run "losetup -f --show $file >/dev/null 2>&1; echo \$?")" 1
done
# A node and a descriptor that are kept lead nowhere once the device is unbound, whatever the machine does with its number.
run 'ln /dev/loop0 /dev/kept' >/dev/null
number=$(behind loop0)
run 'losetup -d /dev/loop0' >/dev/null
truncate -s 1M "$T/secret" && echo secret | dd of="$T/secret" conv=notrunc 2>/dev/null
mknod "$T/node" b 7 "$number"
losetup "/dev/loop$number" "$T/secret" 2>/dev/null || losetup -f "$T/secret"
t_is "a link to its node that was kept can't be opened" "$(run 'head -c 6 /dev/kept >/dev/null 2>&1; echo $?')" 1
for device in $(losetup -n -O NAME -j "$T/secret"); do losetup -d "$device"; done
rm -f "$T/node"
# One that the machine has made since is its own.
[ ! -e "/sys/block/loop$number" ] || before=$(printf '%s\n' "$before" "/sys/block/loop$number")
croft exec a -- sh -c 'losetup -f --show /img >/dev/null; exec 3<>/dev/loop0; losetup -d /dev/loop0; : >/tmp/ready; while [ ! -e /tmp/go ]; do sleep 0.1; done; head -c 1 <&3 | wc -c >/tmp/read' &
holder=$!
ready() { run 'test -e /tmp/ready'; }
t_ok "a device that is open is unbound" t_wait_for ready
t_is "when nobody has it open any more" "$(losetup -n -l -O BACK-FILE | grep -cx /img)" 1
run ': >/tmp/go' >/dev/null
wait $holder
gone() { [ "$(losetup -n -l -O BACK-FILE | grep -cx /img)" = 0 ]; }
t_is "until then it can be read" "$(run 'cat /tmp/read')" 1
t_ok "and then it goes by itself" t_wait_for gone

# Others open it meanwhile, as mkfs(8) does on a device that its caller holds: never is it closed to them.
run 'losetup -f --show /img >/dev/null; exec 3<>/dev/loop0; losetup -d /dev/loop0; end=$(($(date +%s) + 4)); n=0
        while [ $n -lt 10 ] || [ $(date +%s) -lt $end ]; do for i in 1 2 3 4 5 6 7 8 9 10; do (: </dev/loop0) || echo refused >>/tmp/refused; done; n=$((n + 1)); done
        echo many >/tmp/opened' >/dev/null
t_is "while it is held open others can open it at any time" "$(run 'cat /tmp/opened /tmp/refused 2>/dev/null')" many
t_ok "and then it goes, too" t_wait_for gone

# --- who dies
run 'losetup -f --show /img' >/dev/null
for pid in $(t_brokers); do kill -9 "$pid"; done
t_is "a broker is killed: the device is there" "$(run 'blockdev --getsize64 /dev/loop0')" 20971520
t_is "and the next is bound" "$(run 'losetup -f --show /img2')" /dev/loop1
kill -9 "$(croft show a --format json | jq -r .warden)"
succeeded() { [ "$(run 'losetup -d /dev/loop1; losetup -f --show /img2')" = /dev/loop1 ]; }
t_ok "the warden is killed: the next one passes calls on" t_wait_for succeeded
init=$(croft show a --format json | jq -r .pid)
t_croftd_kill
t_is "croftd is killed: the device is there" "$(nsenter -t "$init" -U -m head -c 5 /dev/loop1)" croft
t_croftd_start
t_is "with the next one they can be unbound" "$(run 'losetup -d /dev/loop0; losetup -d /dev/loop1; losetup -f')" /dev/loop0
croft stop b --force
t_is "what a partition has that stops is unbound" "$(losetup -n -l -O BACK-FILE | grep -cx /its)" 0
croft stop a --force
t_ok "and is gone from the machine" t_wait_for of_machine_is 0
t_is "nor is it in the table" "$(croft devid list --format json | jq 'map(select(.state != "draining")) | length')" 0

# --- a broker that dies half way
for point in taken made bound there closed unbound released; do
        t_croftd_stop
        CROFT_CRASH_AT=loop.$point t_croftd_start
        croft start a
        run 'losetup -f --show /img && losetup -d /dev/loop0' >/dev/null
        t_croftd_stop
        t_croftd_start
        t_is "$point: the next one binds" "$(run 'n=$(losetup -f); losetup $n /img2 && blockdev --getsize64 $n && losetup -d $n')" 20971520
        few() { [ "$(of_machine)" -le 2 ]; }
        t_ok "$point: and knows what there is" t_wait_for few
        croft stop a --force
        t_ok "$point: nothing is left of it" t_wait_for of_machine_is 0
done

# The machine binds what a broker that died had unbound and not given back.
t_croftd_stop
CROFT_CRASH_AT=loop.unbound t_croftd_start
croft start a
run 'losetup -f /img' >/dev/null
number=$(behind loop0)
mknod "$T/node" b 7 "$number"
run 'losetup -d /dev/loop0' >/dev/null
t_ok "the machine binds what a broker had unbound" losetup "$T/node" "$T/secret"
t_croftd_stop
t_croftd_start
t_is "that is the machine's then" "$(run 'losetup -f; head -c 6 /dev/loop0 2>/dev/null')" /dev/loop0
t_is "and stays as it was" "$(head -c 6 "$T/node")" secret
losetup -d "$T/node"
rm -f "$T/node"
croft stop a --force
t_done
