#!/bin/sh
# where: guest
# timeout: 600
# KXT-30, KXT-A8: what a partition makes the kernel load by itself is refused and on record, and nobody else notices.
. "$(dirname "$0")/../lib.sh"

loaded() { [ -d "/sys/module/$1" ]; }
absent() { ! loaded "$1"; }
record() { croft error print "$1" 2>/dev/null; }
told() { record "$1" | grep -c "module '$2'"; } # PARTITION ALIAS
inside() { croft exec a -- python3 -c "$1" 2>&1; }
link() { ip link add "t-$1" type "$1" && ip link del "t-$1"; }
no_guard() { ! bpftool prog show | grep -q 'name autoload_'; }

# KIND NAME: asks for a cipher by a socket, and prints what the kernel answers.
cipher='import socket, sys
s = socket.socket(38, socket.SOCK_SEQPACKET, 0)
for kind, name in zip(sys.argv[1::2], sys.argv[2::2]):
    try: s.bind((kind, name)); print("ok")
    except OSError as e: print(e.errno)'

modprobe -a af_alg algif_skcipher algif_hash || exit 1
mkdir "$T/etc"
printf 'tun:\n\tvalue = "/dev/net/tun"\n\tauto = "no"\n' >"$T/etc/devexports"
mkdir -p /dev/net
[ -e /dev/net/tun ] || mknod /dev/net/tun c 10 200 # as modules.devname has it
modprobe -q -r tun dummy ifb xfs appletalk camellia_x86_64 2>/dev/null
t_croftd_start --config-dir "$T/etc" || exit 1
t_ok "partitions start" sh -c 'croft create a -s init=croft && croft create b -s init=croft && croft start a b'
t_is "the guard is there" "$(croft check --format json | jq -r '.. | objects | select(.name? == "autoload-guard").status')" ok

t_is "a start makes the kernel look for nothing" "$(told a '.*')" 0

# --- refused, told, and nothing more ---------------------------------------------------------------------------------------

lines=$(dmesg | wc -l)
t_fails_with 2 "a link of a kind that isn't loaded is refused" croft exec a -- ip link add d0 type dummy
t_like "as one that there isn't" "$(cat "$T/error" "$T/.output" 2>/dev/null)" "Unknown device type"
t_ok "nothing was loaded" absent dummy
t_ok "it is on record what the kernel was made to look for" t_wait_for sh -c 'croft error print a | grep -q "module .rtnl-link-dummy."'
croft exec a -- ip link add d0 type dummy >/dev/null 2>&1
t_is "a socket of a family that isn't loaded is refused" "$(inside 'import socket
try: socket.socket(5, socket.SOCK_DGRAM)
except OSError as e: print(e.errno)')" 97
t_ok "which is on record" t_wait_for sh -c 'croft error print a | grep -q "module .net-pf-5."'
t_is "a file system that isn't loaded is refused" "$(croft exec a -- mount -t xfs none /mnt 2>&1 | grep -c 'unknown filesystem type')" 1
t_ok "which is on record, too" t_wait_for sh -c 'croft error print a | grep -q "module .fs-xfs."'
t_ok "nothing was loaded for it" absent xfs
t_is "each once" "$(told a rtnl-link-dummy)" 1
t_is "the other partition's record says nothing" "$(told b '.*')" 0
t_ok "nothing was loaded for the socket" absent appletalk

# --- ciphers are put together by a thread of the kernel's -------------------------------------------------------------------

t_is "a cipher whose parts aren't loaded is refused" "$(croft exec a -- python3 -c "$cipher" skcipher 'xts(camellia)' 2>&1)" 2
t_ok "though the kernel's own thread looks for them, it is on record" t_wait_for sh -c 'croft error print a | grep -q "module .crypto-xts.,"'
t_ok "no part of it was loaded" absent xts
t_is "the kernel has nothing to say to any of this" "$(dmesg | tail -n +$((lines + 1)))" ""
t_is "global has the same cipher" "$(python3 -c "$cipher" skcipher 'xts(camellia)')" ok
t_ok "whose parts were loaded" loaded xts

# --- what global gives -------------------------------------------------------------------------------------------------------

t_ok "a device is exported whose driver isn't loaded" sh -c '[ ! -d /sys/module/tun ] && croft device add a /dev/net/tun'
t_ok "that loads it" loaded tun
t_ok "so that it can be opened inside" croft exec a -- sh -c 'exec 3<>/dev/net/tun'

# --- a flood ------------------------------------------------------------------------------------------------------------------

inside 'import ctypes, os
c = ctypes.CDLL(None)
open("/tmp/floods", "w").close()
while os.path.exists("/tmp/floods"):
    c.mount(b"none", b"/mnt", os.urandom(8).hex().encode(), 0, None)' >"$T/flood" 2>&1 &
flood=$!
t_ok "a partition asks for more and more" t_wait_for sh -c 'croft error print a | grep -q "more modules than are listed"'
t_ok "meanwhile the machine's own are loaded" link dummy
t_ok "as ever" loaded dummy
t_is "its record has few of them" "$(told a '.*')" 16
t_is "and that there are more" "$(record a | grep -c 'more modules than are listed')" 1
croft exec a -- rm /tmp/floods
wait $flood

# --- without croftd ---------------------------------------------------------------------------------------------------------

of_b=/proc/$(field b .pid)/root/tmp
croft exec b -- sh -c 'touch /tmp/waits; while [ -e /tmp/waits ]; do sleep 0.2; done; ip link add i0 type ifb; echo $? >/tmp/done' >/dev/null 2>&1 &
t_wait_for test -e "$of_b/waits"
t_croftd_kill
rm "$of_b/waits"
t_ok "a partition asks while croftd is dead" t_wait_for test -s "$of_b/done"
t_is "and is refused" "$(cat "$of_b/done")" 2
t_ok "nothing was loaded for it then" absent ifb
t_ok "the machine's own are loaded" link ifb
modprobe -r ifb
t_croftd_start --config-dir "$T/etc" || exit 1
t_ok "the next croftd puts it on record" t_wait_for sh -c 'croft error print b | grep -q "module .rtnl-link-ifb."'
t_fails_with 2 "and refuses, too" croft exec b -- ip link add i1 type ifb
t_ok "nothing was loaded for that one" absent ifb
t_remove_partitions
t_croftd_stop
t_ok "nothing of it is in the kernel after an orderly end" t_wait_for no_guard # which frees it when it has time
modprobe -q -r dummy tun # other tests begin without
t_done
