#!/bin/sh
# where: guest
# Extensions on NFS (KID-24), by the kernel's own server and client: as long as the server answers, a file there is as any other. When it
# doesn't, the call that reads it ends when its time is over, and nobody else waits.
#
# What mountd(8) would answer the test writes into the server's caches itself, so no package is needed. The server lives as long as the
# file system that controls it is mounted somewhere.
. "$(dirname "$0")/../lib.sh"

netns=croft-nfs-$$
# Below DIRECTORY, in the mount namespace that FILE is; by no program, as those of a partition aren't global's there.
mount_nfs() { # DIRECTORY [FILE]
        python3 -c 'import ctypes, os, sys
c = ctypes.CDLL(None, use_errno=True)
if c.setns(os.open(sys.argv[2], os.O_RDONLY), 0x20000) or c.mount(b"10.99.0.2:/", sys.argv[1].encode(), b"nfs4", 1, b"vers=4.2,addr=10.99.0.2,clientaddr=10.99.0.1,sec=sys"):
    sys.exit(os.strerror(ctypes.get_errno()))' "$1" "${2:-/proc/self/ns/mnt}"
}
load='import ctypes, os, sys
file = os.open(sys.argv[1], os.O_RDONLY)
print("open", flush=True)
sys.stdin.readline()
c = ctypes.CDLL(None, use_errno=True)
print(ctypes.get_errno() if c.syscall(313, file, b"", 0) else 0, flush=True)'

cat >"$T/serve" <<'SH'
set -e
mount -t nfsd nfsd /proc/fs/nfsd
echo "-2 -3 +4 +4.1 +4.2" >/proc/fs/nfsd/versions # the older ones need more than the kernel
echo 10 >/proc/fs/nfsd/nfsv4leasetime
echo 10 >/proc/fs/nfsd/nfsv4gracetime
echo "tcp 2049" >/proc/fs/nfsd/portlist
echo 1 >/proc/fs/nfsd/threads
until=$(($(date +%s) + 100000))
echo "nfsd 10.99.0.1 $until *" >/proc/net/rpc/auth.unix.ip/channel
echo "* $1 $until 9217 65534 65534 0" >/proc/net/rpc/nfsd.export/channel # ro, no_root_squash, no_subtree_check, fsid=0
printf '* 1 \\x00000000 %s %s\n' "$until" "$1" >/proc/net/rpc/nfsd.fh/channel
echo ready >"$2"
exec sleep 100000
SH
# However it ends: what waits for the server is let go, or it couldn't be ended.
let_go() {
        ip -n $netns link set server up 2>/dev/null
        kill "$server" 2>/dev/null
        ip netns delete $netns 2>/dev/null
        ip link delete croft-nfs 2>/dev/null
}
server=''
trap 'status=$?; let_go; (exit $status); t_clean_up' EXIT
modprobe -a nfsd nfs nfsv4 && ip netns add $netns || exit 1
ip link add croft-nfs type veth peer name server netns $netns
ip addr add 10.99.0.1/24 dev croft-nfs
ip link set croft-nfs up
ip -n $netns addr add 10.99.0.2/24 dev server
ip -n $netns link set server up
dummy=$(modinfo -n dummy)
mkdir "$T/exported" "$T/mnt"
for name in first second third fourth; do cp "$dummy" "$T/exported/$name.ko"; done
ip netns exec $netns sh "$T/serve" "$T/exported" "$T/ready" &
server=$!
t_ok "a server of NFS runs" t_wait_for test -e "$T/ready"

t_croftd_start || exit 1
for p in a b; do croft create $p -s init=croft && croft start $p || exit 1; done >/dev/null
croft kext register dummy >/dev/null && croft kext grant a dummy && croft kext grant b dummy
croft exec b -- sh -c 'cat >/root/dummy.ko' <"$dummy"
t_ok "global mounts it" mount_nfs "$T/mnt"
croft exec a -- mkdir /root/nfs
t_ok "and for a partition" mount_nfs /root/nfs "/proc/$(croft show a --format json | jq -r .pid)/ns/mnt" || exit 1
t_ok "it answers" t_wait_for cmp "$dummy" "$T/mnt/first.ko" # once it takes new clients, after 10 seconds
t_ok "a file there is loaded as any other" croft exec a -- insmod /root/nfs/first.ko
croft exec a -- rmmod dummy

# --- the server doesn't answer any more -------------------------------------------------------------------------------------

mkfifo "$T/go"
croft exec a -- python3 -c "$load" /root/nfs/second.ko <"$T/go" >"$T/said" 2>&1 &
call=$!
exec 8>"$T/go"
t_ok "a process has one open" t_wait_for grep -q open "$T/said" || exit 1
ip -n $netns link set server down
# By the API, as croft(1) would look for the path itself, and wait as any program does.
curl -s --unix-socket "$T/run/croft.sock" "http://localhost/v1/identity?path=$T/mnt/third.ko" >"$T/identified" &
identify=$!
echo >&8
t_is "another partition loads the same one" "$(croft exec b -- sh -c 'insmod /root/dummy.ko; echo $?')" 0
t_ok "global asks and is answered" croft kext list --holders
t_ok "the partition is scanned in its time" sh -c 'croft kext scan a >/dev/null'
t_ok "processes run in it" croft exec a -- true
t_ok "the call that reads it ends when its time is over" t_wait_for sh -c '[ "$(wc -l <"$0")" = 2 ]' "$T/said" # its process may wait yet, to close the file
t_is "and says so" "$(tail -n 1 "$T/said")" 110
t_ok "which global is told" t_wait_for sh -c "croft error print global | grep -q \"'a'.*couldn't be read within 10 seconds\""
wait $identify
t_like "so does the look at a file of global's" "$(cat "$T/identified")" "can't be read in the time that it may take"
t_ok "croftd lives" kill -0 "$t_daemon"
t_is "nothing but what the other has is loaded" "$(croft kext list --holders --format json | jq -r '.[] | "\(.name) \(.partition)"')" "dummy b"

# --- and does again -----------------------------------------------------------------------------------------------------------

ip -n $netns link set server up
exec 8>&-
wait $call
t_ok "when it answers again the file is loaded" t_wait_for croft exec a -- insmod /root/nfs/second.ko
croft stop a b
umount "$T/mnt"
let_go
t_done
