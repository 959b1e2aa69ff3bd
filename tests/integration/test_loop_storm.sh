#!/bin/sh
# where: here
# timeout: 900
# Two partitions bind and unbind loop devices all the time while their brokers are killed: afterwards the table says what
# the kernel says, all works, and nothing is left.  T_KILLS says how many times.
. "$(dirname "$0")/../lib.sh"
kills=${T_KILLS:-1000}
[ -e /sys/module/loop ] || modprobe loop || exit 1
before=$(ls -d /sys/block/loop*)

t_croftd_start || exit 1
for p in a b; do
        croft create $p -s devices=loop:8 -s init=croft >/dev/null && croft start $p || exit 1
        croft exec $p -- sh -c 'for i in 1 2 3; do truncate -s 1M /img$i; done'
        croft exec $p -- sh -c 'for i in 1 2 3; do
                while [ ! -e /stop ]; do d=$(losetup -f --show /img$i) && losetup -d $d; done & done; wait' >/dev/null 2>&1 &
        clients="${clients:-} $!"
done
brokers() { pgrep -P "$t_daemon" -f 'croft-warden broker'; }
killed=0
until=$(($(date +%s) + $(sed -n 's/^# timeout: //p' "$0") - 60)) # what follows takes a moment
while [ $killed -lt "$kills" ] && [ "$(date +%s)" -lt $until ]; do
        for pid in $(brokers); do kill -9 "$pid" 2>/dev/null && killed=$((killed + 1)); done
done
for p in a b; do croft exec $p -- touch /stop; done
for client in $clients; do wait "$client"; done
t_ok "brokers were killed while they worked ($killed times)" test $killed -ge "$kills"

# What the table says is bound inside, as "MINOR NAME", and what each device says itself.
table() { croft devid list -z "$1" --format json | jq -r '.[] | select(.family == "loop" and .state != "draining" and .instance != "free") | "\(.minor) \(.instance)"' | sort; }
nodes() { croft exec "$1" -- sh -c 'for d in $(losetup -n -l -O NAME); do printf "%d %s\n" "$(stat -c 0x%T $d)" "${d#/dev/}"; done' | sort; }
unbound() { table "$1" | cut -d' ' -f1 | while read -r minor; do [ -e "/sys/dev/block/7:$minor/loop" ] || echo "$minor"; done; }
agree() { [ "$(nodes "$1")" = "$(table "$1")" ] && [ -z "$(unbound "$1")" ]; }
for p in a b; do
        croft exec $p -- losetup -f >/dev/null # a broker looks at what there is
        t_wait_for agree $p # one that has just begun may still be at it
        t_is "$p: what is bound inside is what the table says" "$(nodes $p)" "$(table $p)"
        t_is "$p: and what the kernel says" "$(unbound $p)" ""
        t_is "$p: all can be unbound" "$(croft exec $p -- sh -c 'losetup -D; losetup -a')" ""
        t_is "$p: and bound again" "$(croft exec $p -- losetup -f --show /img1)" /dev/loop0
        t_ok "$p: it can be stopped" croft stop $p --force
done
t_is "nothing is left in the machine" "$(ls -d /sys/block/loop* | grep -vxF "$before")" ""
t_is "nor in the table" "$(croft devid list --format json | jq 'map(select(.state != "draining")) | length')" 0
t_done
