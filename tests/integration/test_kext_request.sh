#!/bin/sh
# where: guest
# timeout: 200
# KXT-30, KXT-A8: programs that make the kernel load modules by itself work in a partition that is granted them, and what comes so is the
# partition's: listed, counted, shown inside, taken out at its end.
. "$(dirname "$0")/../lib.sh"

loaded() { [ -d "/sys/module/$1" ]; }
absent() { ! loaded "$1"; }
holders() { croft kext list --holders --format json | jq -r '.[] | select(.partition != null) | "\(.partition) \(.name) \(.via)"' | sort | paste -sd,; }
unlisted() { # what came since `before`, and no partition has
        awk '{print $1}' /proc/modules | sort | comm -13 "$T/before" - | while read -r m; do
                croft kext list --holders --format json | jq -e --arg m "$m" 'any(.[]; .name == $m)' >/dev/null || echo "$m"
        done | paste -sd,
}
waiting() { pgrep -x modprobe >/dev/null; }
none_waits() { ! waiting; }
is_stopped() { [ "$(ps -o stat= -p "$(pgrep -x modprobe)" 2>/dev/null | cut -c1)" = T ]; }
asks() { croft exec "$1" -- ip link add "$2" type "$3"; }
log() { croft error print "$1" 2>/dev/null; }

modprobe -q -r dummy ifb xfs libcrc32c algif_skcipher algif_hash af_alg camellia_x86_64 camellia_generic xts ecb veth 2>/dev/null
modprobe loop
awk '{print $1}' /proc/modules | sort >"$T/before"
t_croftd_start || exit 1
t_ok "modules are registered" croft kext register dummy ifb xfs af_alg algif_skcipher xts ecb camellia_generic
t_ok "partitions start" sh -c 'for p in a b c; do croft create $p -s init=croft || exit 1; done; croft set a devices=loop:1 mount.allow=xfs && croft start a b c'

# --- granted ---------------------------------------------------------------------------------------------------------------

t_fails_with 2 "what isn't granted is refused" asks a d0 dummy
t_ok "one is granted" croft kext grant a dummy
t_ok "and the kernel loads it when a program wants it" asks a d0 dummy
t_is "once, as the partition's" "$(holders)" "a dummy request"
t_is "which its own lsmod shows" "$(croft exec a -- lsmod | awk 'NR > 1 { print $1 }')" dummy
t_is "and another's doesn't" "$(croft exec b -- cat /proc/modules)" ""
t_ok "another of the kind needs nothing more" asks a d1 dummy
t_is "and counts as nothing more" "$(holders)" "a dummy request"
t_fails_with 2 "what is granted to one isn't to another" asks b i0 ifb
t_ok "rmmod inside takes it out" sh -c 'croft exec a -- ip link del d0 && croft exec a -- ip link del d1 && croft exec a -- rmmod dummy'
t_ok "of the kernel, too" absent dummy
t_ok "and the kernel loads it again" asks a d0 dummy
t_ok "a grant can be taken back" croft kext ungrant a dummy
t_ok "what is loaded stays" sh -c 'croft exec a -- ip link del d0 && croft kext unload a dummy && croft kext grant c ifb'
t_fails_with 2 "then it is refused" asks a d0 dummy
t_ok "a family of sockets is granted" croft kext grant b af_alg
t_is "and is there, for whoever it is" "$(croft exec -u nobody b -- python3 -c 'import socket; socket.socket(38, socket.SOCK_SEQPACKET, 0); print("ok")' 2>&1)" ok
t_is "as that partition's" "$(holders)" "b af_alg request"

# --- file systems ----------------------------------------------------------------------------------------------------------

t_fails_with 32 "a file system that isn't granted isn't mounted, whatever mount.allow says" croft exec a -- sh -c '
        truncate -s 320M /root/image && mount -t xfs /root/image /mnt'
t_ok "it is granted" croft kext grant a xfs
t_ok "an image can be made and mounted" sh -c 'croft exec a -- sh -c "mkfs.ext4 -q /root/image 2>/dev/null; true" && mkfs.xfs -q -f /proc/$(croft list --format json | jq -r ".[] | select(.name == \"a\").pid")/root/root/image'
t_ok "and mount -t xfs loads it" croft exec a -- sh -c 'mount -t xfs /root/image /mnt && touch /mnt/file && umount /mnt'
t_like "as the partition's" "$(holders)" "a xfs request"

# --- ciphers ---------------------------------------------------------------------------------------------------------------

t_ok "a cipher with parameters is granted in its parts" sh -c 'for m in algif_skcipher xts ecb camellia_generic; do croft kext grant c $m || exit 1; done'
awk '{print $1}' /proc/modules | sort >"$T/before"
t_is "and put together by the kernel's own thread" "$(croft exec c -- python3 -c 'import socket
s = socket.socket(38, socket.SOCK_SEQPACKET, 0); s.bind(("skcipher", "xts(camellia)")); print("ok")' 2>&1)" ok
t_is "nothing has come that no partition has" "$(unlisted)" ""

# --- all -------------------------------------------------------------------------------------------------------------------

t_ok "whoever is granted all" croft kext grant b ALL
t_ok "has all that is registered" asks b i0 ifb
t_fails_with 2 "and nothing else" asks b v0 veth

t_done
