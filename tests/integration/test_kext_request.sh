#!/bin/sh
# where: guest
# timeout: 600
# KXT-30, KXT-A8: programs that make the kernel load modules by itself work in a partition that is granted them, and what comes so is the
# partition's: listed, counted, shown inside, taken out at its end.
. "$(dirname "$0")/../lib.sh"

loaded() { [ -d "/sys/module/$1" ]; }
absent() { ! loaded "$1"; }
holders() { croft kext list --holders --format json | jq -r '.[] | select(.partition != null) | "\(.partition) \(.name) \(.via)"' | sort | paste -sd,; }
unlisted() { # what came since `before`, and no partition has
        awk '{print $1}' /proc/modules | sort | comm -13 "$T/before" - | while read -r m; do
                croft kext list --holders --format json | jq -e --arg m "$m" 'any(.[]; .name == $m and .partition != null)' >/dev/null || echo "$m"
        done | paste -sd,
}
waiting() { pgrep -x modprobe >/dev/null; }
none_waits() { ! waiting; }
is_stopped() { [ "$(ps -o stat= -p "$(pgrep -ox modprobe)" 2>/dev/null | cut -c1)" = T ]; }
asks() { croft exec "$1" -- ip link add "$2" type "$3"; }

modprobe -q -r dummy ifb xfs libcrc32c algif_skcipher algif_hash af_alg camellia_x86_64 camellia_generic xts ecb veth 2>/dev/null
modprobe loop
parts= # those of a cipher that this kernel hasn't built in
for m in algif_skcipher xts ecb camellia_generic; do case $(modinfo -n $m) in /*) parts="$parts $m" ;; esac; done
t_croftd_start || exit 1
# shellcheck disable=SC2086 # several
t_ok "modules are registered" croft kext register dummy ifb xfs af_alg $parts
t_ok "partitions start" sh -c 'for p in a b c; do croft create $p -s init=croft || exit 1; done; croft set a devices=loop:1 mount.allow=xfs && croft start a b c'

awk '{print $1}' /proc/modules | sort >"$T/before"

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

t_ok "an image is made" sh -c 'croft exec a -- truncate -s 320M /root/image && mkfs.xfs -q -f "/proc/$(croft list --format json | jq -r ".[] | select(.name == \"a\").pid")/root/root/image"'
t_fails_with 32 "a file system that isn't granted isn't mounted, whatever mount.allow says" croft exec a -- mount -t xfs /root/image /mnt
t_ok "nor loaded" absent xfs
t_ok "it is granted" croft kext grant a xfs
t_ok "and mount -t xfs loads it" croft exec a -- sh -c 'mount -t xfs /root/image /mnt && touch /mnt/file && umount /mnt'
t_like "as the partition's, with what it needs" "$(holders)" "a libcrc32c dependency,a xfs request"

# --- ciphers ---------------------------------------------------------------------------------------------------------------

t_ok "a cipher with parameters is granted in its parts" sh -c "for m in $parts; do croft kext grant c \$m || exit 1; done"
t_is "and put together by the kernel's own thread" "$(croft exec c -- python3 -c 'import socket
s = socket.socket(38, socket.SOCK_SEQPACKET, 0); s.bind(("skcipher", "xts(camellia)")); print("ok")' 2>&1)" ok
t_is "nothing has come that no partition has" "$(unlisted)" ""

# --- all -------------------------------------------------------------------------------------------------------------------

t_ok "whoever is granted all" croft kext grant b ALL
t_ok "has all that is registered" asks b i0 ifb
t_fails_with 2 "and nothing else" asks b v0 veth

# --- judged when it asks, not when it was granted -----------------------------------------------------------------------------

t_ok "what is granted is revoked" sh -c 'croft kext grant a dummy && croft kext grant b dummy && croft kext revoke ifb >/dev/null; croft kext unload b ifb'
t_fails_with 2 "and refused" asks c i0 ifb
t_like "of which global is told" "$(croft error print global)" "load what 'c' makes the kernel look for, 'rtnl-link-ifb'"
t_ok "nothing came" absent ifb
# KIND NAME: asks for a cipher 200 times in c.  How often it did, and whether fewer processes were started on the machine than half of that.
ask_on() {
        before=$(awk '/^processes/ { print $2 }' /proc/stat)
        times=$(croft exec c -- python3 -c 'import socket, sys
for i in range(200):
    try: socket.socket(38, socket.SOCK_SEQPACKET, 0).bind((sys.argv[1], sys.argv[2]))
    except OSError: pass
print(i + 1)' "$1" "$2")
        echo "$times $(awk -v before="$before" '/^processes/ { print ($2 - before < 100) ? "few" : "many" }' /proc/stat)"
}
t_is "who asks for what he isn't granted has no process started" "$(ask_on hash nosuch)" "200 few"
t_is "nor has who asks again and again for what brings nothing new" "$(ask_on skcipher camellia)" "200 few"
t_ok "none waits" t_wait_for none_waits

# --- commands of modprobe.d(5) ---------------------------------------------------------------------------------------------

if [ -e "$(modinfo -n camellia_x86_64 2>/dev/null)" ]; then
        echo 'install camellia_x86_64 /sbin/modprobe --ignore-install camellia_x86_64' >/etc/modprobe.d/croft-test.conf
        croft kext unload c camellia_generic
        t_ok "a cipher has gone" t_wait_for absent camellia_generic
        sleep 1
        croft exec c -- python3 -c 'import socket; socket.socket(38, socket.SOCK_SEQPACKET, 0).bind(("skcipher", "ecb(camellia)"))' 2>/dev/null
        t_ok "it comes again" loaded camellia_generic
        t_is "and what a command would load doesn't come for a partition" "$(unlisted)" ""
        rm /etc/modprobe.d/croft-test.conf
fi

# --- many at once ----------------------------------------------------------------------------------------------------------

croft exec a -- ip link del d0 2>/dev/null
croft kext unload a dummy 2>/dev/null
t_ok "nobody has it" t_wait_for absent dummy
asked=
for i in 1 2 3 4 5 6; do
        asks a e$i dummy & asked="$asked $!"
        asks b e$i dummy & asked="$asked $!"
done
failed=0
for pid in $asked; do wait "$pid" || failed=$((failed + 1)); done
t_is "all that ask at the same time get it" "$failed" 0
t_ok "somebody has it" sh -c 'croft kext list --holders --format json | jq -e "any(.[]; .name == \"dummy\" and .via == \"request\")"'
t_is "and nobody twice" "$(croft kext list --holders --format json | jq -c '[.[] | select(.name == "dummy" and .partition != null).count] | unique')" "[1]"
for p in a b; do croft exec $p -- sh -c 'for i in 1 2 3 4 5 6; do ip link del e$i 2>/dev/null; done'; done
for p in a b; do croft kext unload $p dummy 2>/dev/null; done
t_ok "and nobody afterwards" t_wait_for absent dummy

of_a=/proc/$(field a .pid)/root/tmp
ask_in_a() { # COUNT: they ask in a
        croft exec a -- sh -c 'for i in $(seq '"$1"'); do (ip link add w$i type dummy 2>/dev/null && echo yes >>/tmp/yes || echo no >>/tmp/no) & done
                wait
                touch /tmp/done' >/dev/null 2>&1 &
}
over() { [ -e "$of_a/done" ]; }
answers() { echo "$(cat "$of_a/yes" 2>/dev/null | grep -c yes) $(cat "$of_a/no" 2>/dev/null | grep -c no)"; }
forget() { croft exec a -- sh -c 'rm -f /tmp/yes /tmp/no /tmp/done; for i in $(seq 12); do ip link del w$i 2>/dev/null; done'; croft kext unload a dummy 2>/dev/null; t_wait_for absent dummy; }
prepare() { # COUNT: they ask when /tmp/ready goes
        croft exec a -- sh -c 'touch /tmp/ready
                while [ -e /tmp/ready ]; do sleep 0.1; done
                for i in $(seq '"$1"'); do (ip link add w$i type dummy 2>/dev/null && echo yes >>/tmp/yes || echo no >>/tmp/no) & done
                wait
                touch /tmp/done' >/dev/null 2>&1 &
        t_wait_for test -e "$of_a/ready"
}

croft error clear a
prepare 12
kill -STOP "$t_daemon"
rm "$of_a/ready"
t_ok "while croftd is slow they wait" t_wait_for is_stopped
t_ok "and more than may are refused" t_wait_for sh -c "[ \$(grep -c no $of_a/no) = 4 ]"
t_is "no more than may" "$(pgrep -xc modprobe)" 8
t_ok "nothing is loaded meanwhile" absent dummy
kill -CONT "$t_daemon"
t_ok "those that waited end" t_wait_for over
t_is "with what they asked for" "$(answers)" "8 4"
t_like "who was refused is told why" "$(croft error print a)" "'rtnl-link-dummy', which it didn't get just then"
forget

prepare 1
kill -STOP "$t_daemon"
rm "$of_a/ready"
t_ok "one waits" t_wait_for is_stopped
kill -CONT "$(pgrep -x modprobe)"
t_ok "somebody else lets it go on" t_wait_for over
t_is "which gets it nowhere" "$(answers)" "0 1"
t_ok "since only croftd loads for partitions" absent dummy
kill -CONT "$t_daemon"
forget

# Who asks for an action of tc(8) has the lock that whoever makes a link waits for, as dummy does when it begins.
if [ -e "$(modinfo -n act_ipt 2>/dev/null)" ] && modprobe -q -a act_ipt cls_matchall sch_ingress && croft kext register xt_mark >/dev/null 2>&1; then
        awk '{print $1}' /proc/modules | sort >"$T/before"
        croft kext grant a xt_mark
        t_ok "another one is granted, and not asked for yet" sh -c 'croft kext register veth && croft kext grant a veth'
        croft exec a -- tc qdisc add dev lo ingress
        prepare 1
        # tc filter add dev lo parent ffff: matchall action xt -j MARK --set-mark 1
        croft exec a -- python3 -c 'import os, socket, struct, time
def attribute(kind, data):
    return struct.pack("HH", 4 + len(data), kind) + data + bytes(-len(data) % 4)
mark = struct.pack("H29sBII", 40, b"MARK", 2, 1, 0xffffffff)
action = attribute(1, b"xt\0") + attribute(2, attribute(1, b"mangle\0") + attribute(2, struct.pack("I", 0)) + attribute(6, mark))
body = struct.pack("BxxxiIII", 0, socket.if_nametoindex("lo"), 0, 0xffff0000, 0x10300)
body += attribute(1, b"matchall\0") + attribute(2, attribute(2, attribute(1, action)))
open("/tmp/ready2", "w").close()
while os.path.exists("/tmp/ready2"): time.sleep(0.1)
s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
s.send(struct.pack("IHHII", 16 + len(body), 44, 0x605, 1, 0) + body)
s.recv(4096)
open("/tmp/done2", "w").close()' >/dev/null 2>&1 &
        t_wait_for test -e "$of_a/ready2"
        kill -STOP "$t_daemon"
        rm "$of_a/ready"
        t_ok "one waits for its module" t_wait_for is_stopped
        rm "$of_a/ready2"
        two_wait() { [ "$(pgrep -xc modprobe)" = 2 ]; }
        t_ok "and one that has the lock which that module wants" t_wait_for two_wait
        kill -CONT "$t_daemon"
        t_ok "the first one gets it" t_wait_for over
        t_ok "since the second one is given up" t_wait_for test -e "$of_a/done2"
        t_fails_with 2 "for a while that partition gets nothing so" asks a v0 veth
        t_like "which global is told" "$(croft error print global)" "'a' made the kernel look for 'ipt_MARK' while something else was done with it"
        t_ok "and nobody is held up" timeout 60 ip link set lo up
        croft exec a -- sh -c 'tc qdisc del dev lo ingress; rm -f /tmp/done2; ip link del w1'
        croft kext unload a dummy
        t_ok "it has gone" t_wait_for absent dummy
        t_ok "until it starts anew" sh -c 'croft stop a --force && croft start a'
        of_a=/proc/$(field a .pid)/root/tmp
        t_ok "then it does" asks a v0 veth
        t_ok "and again" asks a w1 dummy
        croft exec a -- ip link del v0
        forget
else
        t_skip "one that has the lock which another one's module wants is given up" "this kernel has no act_ipt"
fi

# --- frozen, restarted, without croftd -----------------------------------------------------------------------------------------

croft exec c -- sh -c 'touch /tmp/asks; while [ -e /tmp/asks ]; do ip link add i1 type ifb; ip link add type nosuch; done' >/dev/null 2>&1 &
t_wait_for test -e "/proc/$(field c .pid)/root/tmp/asks"
t_ok "a partition that asks all the time can be frozen" croft freeze c
t_ok "and thawed" croft thaw c
rm "/proc/$(field c .pid)/root/tmp/asks"
croft create d -s init='/bin/sh -c "trap \"ip link add d9 type dummy; exit\" TERM; touch /root/up; while :; do sleep 0.1; done"' -s stop.timeout=600 && croft kext grant d dummy && croft start d
t_wait_for test -e "/proc/$(field d .pid)/root/root/up"
t_uptime && began=$t_now
t_ok "one that asks as it ends is restarted" croft restart d
t_uptime
t_ok "and not by its time-out" [ $((t_now - began)) -lt "$T_PATIENCE" ]
croft remove d --force

prepare 1
t_croftd_kill
rm "$of_a/ready"
t_ok "who asks while croftd is dead isn't kept" t_wait_for over
t_is "and refused" "$(answers)" "0 1"
t_ok "nothing was loaded" absent dummy
t_croftd_start || exit 1
forget
t_ok "the next croftd lets him have it" asks a w1 dummy
forget
prepare 1
kill -STOP "$t_daemon"
rm "$of_a/ready"
t_ok "one waits for a croftd that dies" t_wait_for is_stopped
t_croftd_kill
t_croftd_start || exit 1
t_ok "the next one refuses it" t_wait_for over
t_is "in whose way it might be" "$(answers)" "0 1"
t_ok "none waits" t_wait_for none_waits
forget

prepare 1
kill -STOP "$t_daemon"
rm "$of_a/ready"
t_ok "one waits for a croftd that is told to end" t_wait_for is_stopped
kill -TERM "$t_daemon"
kill -CONT "$t_daemon"
t_wait_daemon
t_croftd_start || exit 1
t_ok "and isn't kept by that" t_wait_for over
t_like "but served, or refused" "$(answers)" '^(1 0|0 1)$'
t_ok "nor is there any other that waits" t_wait_for none_waits
t_is "what was loaded is somebody's" "$(unlisted)" ""
forget

for point in $("$BUILD/croftd" --list-crash-points | grep '^extension-load\.'); do
        t_croftd_stop
        t_croftd_start_at "$point"
        ask_in_a 1
        t_wait_daemon
        t_croftd_start_at || exit 1
        t_ok "killed at $point: he who asks isn't kept" t_wait_for over
        t_ok "nobody waits" t_wait_for none_waits
        t_is "and nothing is there that no partition has" "$(unlisted)" ""
        forget
done

# --- the end ---------------------------------------------------------------------------------------------------------------

t_ok "one asks" asks a w1 dummy
t_ok "and it is loaded" loaded dummy
t_ok "a partition is stopped that holds some" croft stop a --force
t_ok "they go with it" t_wait_for absent dummy
t_ok "and none waits" t_wait_for none_waits
t_ok "it starts again" croft start a
t_ok "with what it is granted" asks a d0 dummy
for map in starti begun waitin helper marked loadin; do # as the kernel cuts their names
        t_is "nothing is left in $map of those that waited" "$(bpftool -j map dump name "autoload_$map")" "[]"
done
t_croftd_kill
t_croftd_start || exit 1
t_remove_partitions
t_ok "all goes with the partitions" t_wait_for absent dummy
t_is "and nothing may be looked for any more" "$(bpftool -j map dump name autoload_names | jq '[.[] | select(.formatted.key.partition != 0)] | length')" 0
t_croftd_stop
t_done
