#!/bin/sh
# where: here guest
# timeout: 400
# Objects of BPF programs as extensions of partitions: each that holds one has an instance of its own, which sees and does what that
# partition does and nothing else (KXT-28).
. "$(dirname "$0")/../lib.sh"

run() { croft exec "${2:-a}" -- sh -c "$1" 2>&1; }
status() { run "$1 >/dev/null 2>&1; echo \$?" "${2:-a}"; }
# Does that partition get a datagram out to a port, and is it let connect to one?
sends() { croft exec "$1" -- bash -c "echo x >/dev/udp/127.0.0.1/$2" 2>/dev/null && echo sends || echo "can't"; }
connects() { croft exec "$1" -- bash -c "echo x >/dev/tcp/127.0.0.1/$2" 2>&1 | grep -q 'not permitted' && echo "can't" || echo asks; }
# "NAME=TOTAL PARTITION COUNT VIA STATE GENERATION;" of each
holders() { croft kext list --holders --format json | jq -r '.[] | "\(.name)=\(.total) \(.partition) \(.count) \(.via) \(.state) \(.generation)"' | tr '\n' ';'; }
instances() { find "$T/run/bpf/kext" -mindepth 1 -maxdepth 1 -printf '%f ' 2>/dev/null; }
unload() { # PARTITION NAME: the errno of the call, without a look at /sys first
        croft exec "$1" -- python3 -c "import ctypes; c = ctypes.CDLL(None, use_errno=True); print(ctypes.get_errno() if c.syscall(176, b'$2', 0x800) else 0)"
}

# Of what partitions hold, by number; whatever else the machine runs under such names.
own_programs() { for link in "$T"/run/bpf/kext/*/[0-9]*; do bpftool -j link show pinned "$link" | jq -r .prog_id; done | sort -nu; }

t_croftd_start || exit 1
cd "$T" || exit 1
mkdir newer
for name in drop xdp pinned both-ways strays nosy large asks many more; do cp "$BUILD/tests/integration/kext-$name.bpf.o" "$name.bpf.o"; done
cp "$BUILD/tests/integration/kext-newer.bpf.o" newer/drop.bpf.o

# --- the register ---------------------------------------------------------------------------------------------------------

t_ok "an object is registered" croft kext register drop.bpf.o
t_is "which says of what kind it is" "$(croft kext show drop --format json | jq -r '"\(.name) \(.kind) \(.kernel) \(.generation) \(.state)"')" "drop bpf null 1 CURRENT"
t_is "it is known by its bytes" "$(croft kext id drop.bpf.o)" "$(sha256sum drop.bpf.o)"
cp drop.bpf.o other-name.o
t_is "and keeps its name, whatever a copy is called" "$(croft kext register other-name.o --format json | jq -r '.[].name')" drop
t_fails_with 1 "what is for a device isn't" croft kext register xdp.bpf.o
t_like "which names program and section" "$(cat error)" "its program 'of_a_device', section 'xdp', isn't one for a control group"
t_fails_with 1 "nor what would share its maps" croft kext register pinned.bpf.o
t_like "which names the map" "$(cat error)" "its map 'shared' is to be pinned"
t_fails_with 1 "nor what doesn't say which way" croft kext register both-ways.bpf.o
head -c 2000 drop.bpf.o >cut.bpf.o
t_fails_with 1 "nor one that is cut off" croft kext register cut.bpf.o
t_like "which is said" "$(cat error)" "it is no BPF object that can be read"
cp drop.bpf.o 'no name.bpf.o' && printf 'x' >>'no name.bpf.o'
t_fails_with 1 "nor one whose file gives it no name" croft kext register 'no name.bpf.o'
t_like "which is said of the file, wherever that is" "$(cat error)" "'no name.bpf.o' gives it no name"
"$t_top/tests/kit/t-module" drop >drop.ko
t_fails_with 5 "a module can't have its name" croft kext register drop.ko
t_ok "what the kernel will not take is registered, since only the kernel can say" croft kext register strays.bpf.o nosy.bpf.o large.bpf.o

# --- by bytes and by grant ------------------------------------------------------------------------------------------------

for p in a b; do
        croft create $p >/dev/null && croft start $p || exit 1
        croft exec $p -- sh -c 'cat >/root/copy.o && cp /root/copy.o /root/bit.o && printf "\1" | dd of=/root/bit.o bs=1 seek=5000 conv=notrunc 2>/dev/null' <drop.bpf.o
done
t_ok "one is granted it" croft kext grant a drop
t_fails_with 2 "with no parameters, which it hasn't" croft kext grant b drop --params nr
t_is "another can't load it" "$(run 'insmod /root/copy.o' b | grep -c 'not permitted')" 1
t_is "a wrong bit is refused" "$(run 'insmod /root/bit.o' | grep -c 'Invalid module format')" 1
t_like "which global is told" "$(croft error print global)" "it isn't equivalent to any extension that is registered"
t_is "and any parameter" "$(run 'insmod /root/copy.o nr=1' | grep -c 'not permitted')" 1
t_like "with the reason" "$(croft error print global)" "a BPF object takes no parameters"
t_is "nothing came of it" "$(holders)$(instances)" ""
t_is "insmod of a copy works inside" "$(status 'insmod /root/copy.o')" 0
t_is "who holds it is known" "$(holders)" "drop=1 a 1 call LOADED 1;"
t_is "it is that partition's alone, in any case" "$(croft kext list --holders --format json | jq -r '.[] | "\(.local) \(.kind)"')" "true bpf"
t_is "its packets to that port are dropped" "$(sends a 4711) $(sends a 4713)" "can't sends"
t_is "and its connections refused" "$(connects a 4712) $(connects a 4714)" "can't asks"
t_is "in a control group of its own making, too" "$(run 'mkdir -p /sys/fs/cgroup/sub && echo $$ >/sys/fs/cgroup/sub/cgroup.procs && bash -c "echo x >/dev/udp/127.0.0.1/4711" 2>/dev/null && echo sends')" ""
t_is "those of the other aren't" "$(sends b 4711) $(connects b 4712)" "sends asks"
t_is "nor the machine's" "$(bash -c 'echo x >/dev/udp/127.0.0.1/4711' && echo sends)" sends
t_is "its programs run as they were verified: without the right to read the kernel" "$(own_programs | while read -r id; do bpftool -j prog show id "$id" | jq -r .uid; done | sort -u)" 65534
t_is "a second time it is there already" "$(run 'insmod /root/copy.o' | grep -c 'File exists')" 1
t_is "it is listed where modules are" "$(run 'ls /sys/module') $(run 'ls /sys/module' b)" "drop "
if [ -e /proc/modules ]; then
        t_is "so by lsmod" "$(run 'lsmod | sed -n "2,\$s/ .*//p"') $(run 'lsmod | sed -n "2,\$s/ .*//p"' b)" "drop "
else
        t_skip "so by lsmod" "this kernel has no /proc/modules, so no partition has one"
fi

# --- each has its own -----------------------------------------------------------------------------------------------------

croft exec a -- sh -c 'cat >/root/croft && chmod 755 /root/croft' <"$BUILD/croft"
t_like "croft(1) inside says what loads extensions there" "$(croft exec a -- env -u CROFT_SOCKET /root/croft kext load b drop 2>&1 || :)" "croft-extension"
croft kext grant b drop
t_is "another can't unload it, nor learns of it" "$(unload b drop)" 2
t_ok "a command loads it for the other" croft kext load b drop
t_is "two hold it" "$(holders)" "drop=2 a 1 call LOADED 1;drop=2 b 1 command LOADED 1;"
t_is "and both are held to it" "$(sends a 4711) $(sends b 4711)" "can't can't"
for _ in 1 2 3; do sends a 4711 >/dev/null; done
t_is "what one does isn't counted by the other's" "$(own_programs | while read -r id; do bpftool -j prog show id "$id" | jq -r '.map_ids[]'; done | sort -nu | while read -r id; do
        [ "$(bpftool -j map show id "$id" | jq -r .name)" != refused ] || bpftool map dump id "$id" --json | jq -r '[.[] | (.formatted.value // .value)] | map(tostring) | join(" ")'
done | tr '\n' ';')" "6 1;1 0;"
t_ok "a newer one is registered" croft kext register newer/drop.bpf.o
t_is "rmmod takes it away, from the one" "$(status 'rmmod drop') $(sends a 4711) $(connects a 4712) $(sends b 4711)" "0 sends asks can't"
t_ok "which can have the newer one while the other has the old one" croft kext load a drop
t_is "each as it was registered" "$(sends a 4713) $(sends a 4711) $(sends b 4713) $(sends b 4711)" "can't sends sends can't"
t_is "which is shown" "$(holders)" "drop=2 a 1 command LOADED 2;drop=2 b 1 command LOADED 1;"
t_is "KID-19: with what has become of each since" "$(croft kext list --holders --format json | jq -r '.[] | "\(.partition) \(.generation_state)"' | tr '\n' ';')" "a CURRENT;b SUPERSEDED;"
t_fails_with 5 "two generations at once one can't have" croft kext load b drop
t_like "which is said" "$(cat error)" "'b' has another generation of 'drop'"
t_like "and on record for global" "$(croft error print global)" "'b' has another generation of 'drop'"
t_is "KXT-33: in its own record stands no more than that it failed, since who is in its way may be another" "$(croft error print b | grep -c -e "something is in its way" -e 'another generation')" 1
t_is "nor is it given the old one any more" "$(unload b drop) $(run 'insmod /root/copy.o' b | grep -c 'not permitted')" "0 1"
t_ok "a command counts" sh -c 'croft kext load a drop && croft kext unload a drop'
t_is "so it is still there" "$(holders)" "drop=1 a 1 command LOADED 2;"

# --- the program for roots that have no insmod ----------------------------------------------------------------------------

ask() { croft exec a -- /run/croft/bin/croft-extension "$@"; }
run 'mkdir /root/app && cp /root/copy.o /root/app/fw.bpf.o' >/dev/null
t_is "a scan finds objects, too, and which they are" "$(croft kext scan a --format json | jq -r '.[] | "\(.path) \(.extension) \(.state)"')" "/root/app/fw.bpf.o drop SUPERSEDED"
t_ok "sync puts the newer one in its place" croft kext sync a
t_is "byte for byte" "$(run 'sha256sum </root/app/fw.bpf.o')" "$(sha256sum <newer/drop.bpf.o)"
run 'cp /root/app/fw.bpf.o /root/newer.o' >/dev/null
croft kext unload a drop
t_ok "croft-extension loads it" ask load /root/newer.o
t_is "as the call does" "$(holders) $(sends a 4713)" "drop=1 a 1 call LOADED 2; can't"
t_fails_with 5 "not twice" ask load /root/newer.o
t_fails_with 7 "nor what isn't equivalent" ask load /root/bit.o
t_like "which is said" "$(cat error)" "'/root/bit.o' isn't equivalent to an extension that is registered"
t_fails_with 4 "nor with a parameter" ask load /root/newer.o nr=1
t_ok "it unloads it" ask unload drop
t_is "at once" "$(holders) $(sends a 4713)" " sends"
t_fails_with 3 "not twice" ask unload drop
croft freeze a
t_fails_with 5 "a frozen one is given none, since nobody could verify it in its control groups" croft kext load a drop
t_like "which is said" "$(cat error)" "'a' is frozen; .croft thaw a. lets it go on"
croft thaw a
croft kext load a drop

# --- what the kernel refuses ------------------------------------------------------------------------------------------------

croft kext grant a strays && croft kext grant a nosy && croft kext grant a large
t_fails_with 1 "what strays isn't loaded" croft kext load a strays
t_like "and what the verifier says is told" "$(cat error)" "the kernel doesn't take it: .*4711"
t_fails_with 1 "nor what would read the kernel's memory" croft kext load a nosy
t_like "which is told" "$(cat error)" "the kernel doesn't take it: .*bpf_probe_read"
croft set a memory.max=64M
t_fails_with 6 "its maps are charged to the partition: 96 MiB are too many for one that has 64" croft kext load a large
no_room="the kernel doesn't take it: .*'large'.*Cannot allocate memory|croft-kext was killed: there is no room for it"
t_like "which is told" "$(cat error)" "$no_room"
# Who wants memory just when a map is tried has none: who makes the map goes, not he, nor the partition's init.
croft exec a -- python3 -c 'import mmap, os
open("/root/wants", "w").close()
while not os.path.exists("/root/enough"):
    m = mmap.mmap(-1, 4 << 20)
    for i in range(0, 4 << 20, 4096): m[i] = 1
    m.close()' &
wants=$!
t_wait_for run 'test -e /root/wants'
for _ in 1 2 3; do croft kext load a large 2>&1; done >no-room
run ': >/root/enough' >/dev/null
wait $wants
t_is "C-15: none of the partition's is killed for it" "$? $(grep -cE "$no_room" no-room)" "0 3"
croft set a memory.max=max
t_ok "with as many as it wants it is loaded" croft kext load a large
t_ok "and goes" croft kext unload a large
croft kext register asks.bpf.o >/dev/null && croft kext grant a asks
t_ok "what asks for a type that the kernel hasn't got is told so" croft kext load a asks
t_is "and runs" "$(sends a 4711)" sends
croft kext unload a asks
croft kext register many.bpf.o more.bpf.o >/dev/null && croft kext grant a many && croft kext grant a more && croft kext load a many
t_fails_with 6 "C-15: more programs than the kernel attaches to a control group it can't have" croft kext load a more
t_like "which is told" "$(cat error)" "it has as many programs of a kind attached as the kernel lets a control group have"
croft kext unload a many
t_is "nothing is left of them" "$(holders)$(instances)" "drop=1 a 1 command LOADED 2;$(croft show a --format json | jq -r .id)_drop "

# --- stop, crash, and croftd dies -----------------------------------------------------------------------------------------

t_croftd_kill
t_croftd_start
t_is "the next croftd finds it as it was" "$(holders) $(sends a 4713)" "drop=1 a 1 command LOADED 2; can't"
t_ok "a partition stops" croft stop a
t_is "and its instance goes" "$(holders)$(instances)" ""
t_ok "it starts" croft start a
t_is "without it" "$(sends a 4713)" sends
croft stop a
t_ok "one that is only loaded can be given one" sh -c 'croft load a && croft kext load a drop'
croft kext ungrant a drop
croft start a
t_is "which it has when it is started, and can give back, granted or not" "$(sends a 4713) $(run 'ls /sys/module') $(unload a drop) $(holders)" "can't drop 0 "
croft kext grant a drop
croft kext load a drop
init=$(croft show a --format json | jq -r .pid)
t_uptime && began=$t_now
kill -9 "$init"
t_ok "when its init is killed, what it held goes" t_wait_for sh -c "[ \"\$(croft kext list --holders --format json)\" = '[]' ]"
t_uptime
t_ok "KXT-A5: within 5 seconds, on a machine that isn't slow" t_between 0 $((t_now - began)) $((5 + 3 * $(t_pace)))
t_is "from the kernel, too" "$(instances)" ""
t_wait_for sh -c "[ \"\$(croft show a --format json | jq -r .state)\" = Defined ]"
croft start a
croft kext load a drop
t_fails_with 5 "global doesn't take it away from a holder" croft kext unload global drop
t_like "who is named" "$(cat error)" "'drop' is held by 'a'"
t_ok "but by force" croft kext unload global drop --force
t_is "the holder has lost it" "$(holders) $(sends a 4713)" "drop=0 a 1 command LOST 2; sends"
t_ok "and can have it again" croft kext load a drop
t_is "as ever" "$(holders) $(sends a 4713)" "drop=1 a 1 command LOADED 2; can't"
t_croftd_kill
rm "$T"/run/bpf/kext/*/0
t_croftd_start
t_is "KXT-35: what somebody has taken a part of is lost, with the rest" "$(holders) $(connects a 4714) $(instances)" "drop=0 a 1 command LOST 2; asks "

# --- while something else is done with the partition ----------------------------------------------------------------------

croft create c -s init='/bin/sh -c "trap \"rmmod drop; echo rmmod: \$?; exit\" TERM; touch /root/up; while :; do sleep 0.1; done"' -s stop.timeout=600 >/dev/null
croft kext grant c drop
croft start c
croft exec c -- sh -c 'cat >/root/newer.o' <newer/drop.bpf.o
croft kext load c drop
t_wait_for test -e "/proc/$(field c .pid)/root/root/up"
t_uptime && began=$t_now
t_ok "one that gives back what it has as it ends is stopped" croft stop c
t_uptime
t_ok "without having to wait" [ $((t_now - began)) -lt 300 ]
t_like "since it can" "$(croft log c)" "rmmod: 0"
croft start c
croft exec c -- sh -c 'touch /root/asks
        for _ in 1 2 3 4; do while [ -e /root/asks ]; do insmod /root/newer.o; rmmod drop; done & done; wait' >/dev/null 2>&1 &
t_wait_for test -e "/proc/$(field c .pid)/root/root/asks"
for _ in 1 2 3; do
        t_ok "one that asks all the time can be frozen" croft freeze c
        t_ok "and thawed" croft thaw c
done
rm "/proc/$(field c .pid)/root/root/asks"
wait $!
croft remove c --force

t_ok "it is revoked" croft kext revoke drop
t_fails_with 3 "and can't be had any more" croft kext load a drop
t_is "and that it was is shown beside who had it" "$(croft kext list --holders --format json | jq -r '.[] | "\(.partition) \(.state) \(.generation_state)"' | tr '\n' ';')" "a LOST REVOKED;"
t_ok "partitions go" croft remove a b --force
t_is "with all of it" "$(holders)$(instances)" ""
t_done
