#!/bin/sh
# where: guest
# timeout: 900
# Modules of the kernel for partitions: unmodified programs load and unload them, global's own copies are what is loaded, and who holds what
# is known whatever happens to croftd meanwhile.
. "$(dirname "$0")/../lib.sh"

run() { croft exec "${2:-a}" -- sh -c "$1" 2>&1; }
status() { run "$1 >/dev/null 2>&1; echo \$?" "${2:-a}"; }
there() { if grep -q "^$1 " /proc/modules; then echo there; else echo gone; fi; }
# "NAME PARTITION COUNT VIA STATE;" of each, with the total behind the name
holders() { croft kext list --holders --format json | jq -r '.[] | "\(.name)=\(.total) \(.partition) \(.count) \(.via) \(.state)"' | tr '\n' ';'; }
unload() { # PARTITION MODULE: the errno of the call, without a look at /sys first
        croft exec "$1" -- python3 -c "import ctypes; c = ctypes.CDLL(None, use_errno=True); print(ctypes.get_errno() if c.syscall(176, b'$2', 0x800) else 0)"
}
tainted() { cat /proc/sys/kernel/tainted; }

modprobe loop # else croftd does, some time
t_croftd_start_at || exit 1
cd "$T" || exit 1
tainted=$(tainted)
for p in a b; do croft create $p >/dev/null && croft start $p || exit 1; done
dummy=$(modinfo -n dummy)
cp "$dummy" copy.ko
croft kext register dummy brd libceph >/dev/null || exit 1
croft kext grant a dummy --params numdummies
croft kext grant b dummy --params numdummies # modprobe.d of systemd gives it

# --- KXT-A1, KID-A1, KID-A2: load, record, unload -------------------------------------------------------------------------

run 'cat >/root/other-name.ko && touch -d 2001-01-01 /root/other-name.ko && chmod 600 /root/other-name.ko && ln -s other-name.ko /root/link.ko' <copy.ko >/dev/null
t_is "KXT-A1: insmod of a copy works inside" "$(status 'insmod /root/link.ko')" 0
t_is "the kernel has it" "$(there dummy)" there
t_is "and it is global's copy that is loaded, by what the kernel says of it" "$(tail -c 20 /sys/module/dummy/notes/.note.gnu.build-id | od -An -tx1 | tr -d ' \n')" \
        "$(croft kext show dummy --format json | jq -r .build_id)"
t_is "who holds it is known" "$(holders)" "dummy=1 a 1 call LOADED;"
t_is "a second time it is there already" "$(run 'insmod /root/other-name.ko' | grep -c 'File exists')" 1
t_is "KXT-A2: another partition can't unload it" "$(status 'rmmod dummy' b)" 1
t_is "not by the call itself either, and it isn't told that it is there" "$(unload b dummy)" 2
t_is "nothing has changed by that" "$(holders)" "dummy=1 a 1 call LOADED;"
t_is "KXT-34: it isn't shown to the other" "$(run 'cat /proc/modules; ls /sys/module; lsmod' b)" "Module                  Size  Used by"
t_is "and nothing else to its holder" "$(run 'cut -d" " -f1 /proc/modules; ls /sys/module; lsmod | sed -n "2s/ .* / /p"')" "$(printf 'dummy\ndummy\ndummy 0')"
t_like "and global knows who tried" "$(croft error print global)" "'b' holds no extension 'dummy'"
t_is "KID-A1: a second partition has it, too" "$(run 'cat >/root/x.ko' b <copy.ko >/dev/null; status 'insmod /root/x.ko' b)" 0
t_is "KXT-A3: it is shared" "$(holders)" "dummy=2 a 1 call LOADED;dummy=2 b 1 call LOADED;"
# A program of B's that uses it: sends by a link of that kind whenever it is told to, and says how that ended.
run 'ip link add d0 type dummy && ip addr add 10.99.1.1/24 dev d0 && ip link set d0 up' b >/dev/null
mkfifo go
: >sent
croft exec b -- python3 -uc 'import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, 25, b"d0") # SO_BINDTODEVICE
for line in sys.stdin:
    try: print(s.sendto(b"x", ("10.99.1.2", 9)))
    except OSError as e: print(e)' <go >>sent 2>&1 &
program=$!
exec 8>go
sends() { # the program's next word
        sent=$(wc -l <sent)
        echo >&8
        t_wait_for sh -c "[ \$(wc -l <sent) -gt $sent ]"
        tail -n 1 sent
}
t_is "a program of the other's uses it" "$(sends)" 1
t_is "the first one unloads it" "$(status 'rmmod dummy')" 0
t_is "and the other keeps it" "$(there dummy) $(holders)" "there dummy=1 b 1 call LOADED;"
t_is "KXT-A3: it has gone from the first one's view alone" "$(run 'ls /sys/module; cat /proc/modules')$(run 'ls /sys/module' b)" dummy
t_is "KXT-A3: and the other's program goes on" "$(sends)" 1
t_is "until it unloads it, too" "$(status 'rmmod dummy' b) $(there dummy) $(holders)" "0 gone "
t_isnt "with what the program used" "$(sends)" 1
exec 8>&-
wait $program

# --- modprobe, as it is -----------------------------------------------------------------------------------------------------

# The guest's modules are a file system of their own, which partitions don't share; so they have some below another folder.
release=$(uname -r)
mkdir -p "tree/lib/modules/$release/kernel"
cp "$dummy" "$(modinfo -n brd)" "tree/lib/modules/$release/kernel/"
depmod -b "$T/tree" 2>/dev/null
for p in a b; do tar -C "$T" -cf - tree | croft exec $p -- tar -C /root -xf -; done
t_is "modprobe loads it" "$(status 'modprobe -d /root/tree dummy')" 0
t_is "for this partition" "$(holders)" "dummy=1 a 1 call LOADED;"
t_is "modinfo knows its file" "$(run 'modinfo -b /root/tree -F name dummy')" dummy
t_is "again is no error" "$(status 'modprobe -d /root/tree dummy')" 0
t_is "in another partition, too, which gets it" "$(status 'modprobe -d /root/tree dummy' b) $(holders)" "0 dummy=2 a 1 call LOADED;dummy=2 b 1 call LOADED;"
t_is "modprobe -r unloads it" "$(status 'modprobe -d /root/tree -r dummy') $(status 'modprobe -d /root/tree -r dummy' b) $(there dummy)" "0 0 gone"
# Another tree, where it is compressed: kmod unpacks it by itself, as this kernel can't (no CONFIG_MODULE_DECOMPRESS), and croft does, too.
mkdir -p "packed/lib/modules/$release/kernel"
xz -c "$dummy" >"packed/lib/modules/$release/kernel/dummy.ko.xz"
depmod -b "$T/packed" 2>/dev/null
tar -C "$T" -cf - packed | croft exec a -- tar -C /root -xf -
croft kext register "packed/lib/modules/$release/kernel/dummy.ko.xz" >/dev/null
t_is "KID-16: modprobe loads a compressed one that is registered as it is stored" "$(status 'modprobe -d /root/packed dummy')" 0
t_is "which is held as that" "$(croft kext list --holders --format json | jq -r '.[] | "\(.name) \(.sha256)"')" "dummy $(sha256sum <"packed/lib/modules/$release/kernel/dummy.ko.xz" | cut -d' ' -f1)"
t_is "and unloads it" "$(status 'modprobe -d /root/packed -r dummy') $(there dummy)" "0 gone"
finit="import ctypes, os; c = ctypes.CDLL(None, use_errno=True); print(ctypes.get_errno() if c.syscall(313, os.open('FILE', os.O_RDONLY), b'', 4) else 0)"
native=$(python3 -c "$(echo "$finit" | sed "s,FILE,$T/packed/lib/modules/$release/kernel/dummy.ko.xz,")")
t_is "the file itself is loaded inside, though this kernel takes none" "$native $(croft exec a -- python3 -c "$(echo "$finit" | sed "s,FILE,/root/packed/lib/modules/$release/kernel/dummy.ko.xz,")") $(there dummy)" "95 0 there"
run 'rmmod dummy' >/dev/null
croft kext register "$dummy" >/dev/null
t_is "busybox's insmod and rmmod do, too" "$(status 'busybox insmod /root/other-name.ko && busybox lsmod | grep -q dummy && busybox rmmod dummy') $(there dummy)" "0 gone"
before=$(dmesg | wc -l)
t_is "what isn't granted isn't loaded" "$(status 'modprobe -d /root/tree brd') $(there brd)" "1 gone"
t_is "nor what is, with parameters that aren't allowed" "$(status 'modprobe -d /root/tree dummy other=1') $(there dummy)" "1 gone"
t_is "KXT-A6: and the kernel's log says nothing of it" "$(dmesg | tail -n +$((before + 1)) | grep -i -e dummy -e brd -e modul)" ""

# --- KXT-A4: baseline -----------------------------------------------------------------------------------------------------

modprobe dummy
t_is "KXT-A4: what global has loaded is had by a partition, too" "$(status 'insmod /root/other-name.ko')" 0
t_is "as baseline" "$(croft kext list --holders --format json | jq -r '.[] | "\(.name) \(.partition) \(.baseline)"')" "dummy a true"
t_is "which stays when the partition unloads it" "$(status 'rmmod dummy') $(there dummy) $(holders)" "0 there "
run 'insmod /root/other-name.ko' >/dev/null
t_fails_with 5 "global doesn't take it away from a holder" croft kext unload global dummy
t_like "who is named" "$(cat "$T/error")" "'dummy' is held by 'a'"
t_ok "but by force" croft kext unload global dummy --force
t_is "the holder has lost it" "$(there dummy) $(holders)" "gone dummy=0 a 1 call LOST;"
t_is "which its next use is told" "$(unload a dummy) $(holders)" "2 "
t_like "and which is on record" "$(croft error print a)" "extension 'dummy' is lost: global has taken it away"
for looks in "croft kext list" "unload a dummy"; do
        croft kext load a dummy
        rmmod dummy
        t_is "KXT-36: what rmmod(8) of global takes away is seen to be lost by $looks" "$($looks >/dev/null; holders)" \
                "$([ "$looks" = "unload a dummy" ] || echo 'dummy=0 a 1 command LOST;')"
        t_is "and isn't there inside" "$(run 'lsmod | grep -c dummy')" 0
        run 'rmmod dummy' >/dev/null
done
t_like "which is on record" "$(croft error print a)" "extension 'dummy' is lost: it isn't in the kernel any more"

# --- commands, dependencies, parameters, local ---------------------------------------------------------------------------

t_ok "a command loads it" croft kext load a dummy numdummies=3
t_ok "and again" croft kext load a dummy
t_is "which counts" "$(holders)" "dummy=1 a 2 command LOADED;"
t_is "with its parameters" "$(nsenter -t 1 -n ip -o link | grep -c ' dummy[0-9]')" 3
t_ok "it is unloaded as often" croft kext unload a dummy
t_is "so far once" "$(holders)" "dummy=1 a 1 command LOADED;"
t_ok "then it goes" sh -c 'croft kext unload a dummy'
t_is "from the kernel, too" "$(there dummy) $(holders)" "gone "
t_fails_with 3 "what it hasn't isn't unloaded" croft kext unload a dummy
t_fails_with 4 "what isn't granted isn't loaded" croft kext load a brd
# Links that come in the machine's own network are told: each of the module's own making.
croft kext grant a dummy --params numdummies=1
nsenter -t 1 -n ip -o monitor link >links 2>&1 &
monitor=$!
t_is "KXT-A10: whoever rewrites parameters and name while it is decided is judged by the one or the other" "$(croft exec a -- python3 -c 'import ctypes, os, threading
c = ctypes.CDLL(None, use_errno=True)
def call(number, *words):
    return ctypes.get_errno() if c.syscall(ctypes.c_long(number), *words) else 0
parameters, name, stop = ctypes.create_string_buffer(b"numdummies=1", 32), ctypes.create_string_buffer(b"dummy", 32), False
def rewrite():
    while not stop:
        ctypes.memmove(parameters, b"numdummies=9", 12)
        ctypes.memmove(name, b"nobodys", 8)
        ctypes.memmove(parameters, b"numdummies=1", 12)
        ctypes.memmove(name, b"dummy", 6)
file = os.open("/root/other-name.ko", os.O_RDONLY)
t = threading.Thread(target=rewrite)
t.start()
loads, unloads, loaded = [], [], False
while len(loads) < 200 and loads.count(0) < 8:
    loads.append(call(313, file, parameters, 0))
    loaded = loaded or loads[-1] == 0
    while loaded:
        unloads.append(call(176, name, 0x800))
        loaded = unloads[-1] != 0
stop = True
t.join()
print(set(loads) <= {0, 1}, 0 in loads, set(unloads) <= {0, 2})')" "True True True"
t_is "and nothing is left of it" "$(there dummy) $(holders)" "gone "
kill $monitor
wait $monitor 2>/dev/null
t_is "nor was it ever loaded with what isn't allowed" "$(grep -o ' dummy[0-9]' links | sort -u)" " dummy0"
croft kext grant a dummy --params numdummies
croft kext grant a libceph
needed=$(there libcrc32c)
t_ok "KXT-29: what needs another brings it along" croft kext load a libceph
t_is "which is an entry of its own" "$(holders)" "libceph=1 a 1 command LOADED;libcrc32c=1 a 0 dependency LOADED;"
t_ok "and goes with it" croft kext unload a libceph
t_is "with nothing left" "$(there libceph) $(there libcrc32c) $(holders)" "gone $needed "
# A module that takes its time to begin: as many RAM disks as it is told to make.
croft kext grant a brd --major --params rd_nr,rd_size
croft kext grant b brd --major
run 'cat >/root/brd.ko' b <"$(modinfo -n brd)" >/dev/null
state() { croft kext list --holders --format json | jq -r '.[] | select(.name == "brd") | .state' | sort -u; }
croft kext load a brd rd_nr=500 rd_size=1024 &
slow=$!
t_ok "one takes its time to begin" t_wait_for sh -c 'croft kext list --holders --format json | grep -q LOADING'
t_is "meanwhile another partition has another one loaded, and unloaded" "$(status 'insmod /root/x.ko' b) $(status 'rmmod dummy' b) $(state)" "0 0 LOADING"
t_fails_with 5 "global doesn't take away what is being loaded" croft kext unload global brd
same=$(status 'insmod /root/brd.ko' b)
wait $slow
t_is "who wants the same one gets it when it is there" "$same $? $(holders)" "0 0 brd=2 a 1 command LOADED;brd=2 b 1 call LOADED;"
croft kext unload a brd
run 'rmmod brd' b >/dev/null &
slow=$!
t_ok "one takes its time to end" t_wait_for sh -c 'croft kext list --holders --format json | grep -q PENDING'
t_is "meanwhile another partition has another one loaded, and unloaded, too" "$(status 'insmod /root/other-name.ko') $(status 'rmmod dummy') $(state)" "0 0 PENDING_UNLOAD"
wait $slow
t_is "then it is gone" "$? $(there brd) $(holders)" "0 gone "
croft kext grant a brd --local --major --params rd_nr,rd_size
t_ok "KXT-A6, KID-A7: one is for one partition alone" croft kext load a brd rd_nr=1 rd_size=1024
t_fails_with 5 "no other has it then" croft kext load b brd
t_like "which says who is in the way" "$(cat "$T/error")" "'brd' is held by 'a', and one of them is to have it alone"
t_is "KXT-A6: nor sees it there" "$(run 'ls /sys/module; cat /proc/modules' b)" ""
croft kext grant b brd --local --major
t_is "KID-A7: nor has a second one that is to have it alone" "$(run 'insmod /root/brd.ko' b | grep -c 'resource busy') $(holders)" "1 brd=1 a 1 command LOADED;"
t_unlike "KXT-33: and the partition, which reads its own record, isn't told" "$(croft error print b)" "'a'"

# --- KXT-A5: stop and crash -----------------------------------------------------------------------------------------------

run 'insmod /root/other-name.ko' >/dev/null
exec 9</dev/ram0
t_is "a device of one is open" "$(holders)" "brd=1 a 1 command LOADED;dummy=1 a 1 call LOADED;"
init=$(croft show a --format json | jq -r .pid)
t_uptime && began=$t_now
kill -9 "$init"
t_ok "KXT-A5: when its init is killed, what it held goes" t_wait_for sh -c '! grep -q ^dummy /proc/modules'
t_uptime
t_ok "within 5 seconds, on a machine that isn't slow" t_between 0 $((t_now - began)) $((5 + 3 * $(t_pace)))
t_is "and what is in use is to go" "$(there brd) $(holders)" "there brd=0 null null null PENDING_UNLOAD;"
exec 9<&-
t_ok "as soon as it isn't" t_wait_for sh -c '! grep -q ^brd /proc/modules'
t_ok "nothing is left in the books" t_wait_for sh -c '[ "$(croft kext list --holders --format json)" = "[]" ]'

# --- KXT-A9, KID-A10: croftd dies at each point (at any: test_kext_races.sh) -----------------------------------------------------------------------------------------

croft start a
for point in $("$BUILD/croftd" --list-crash-points | grep -e '^extension-load\.' -e '^extension-unload\.'); do
        case $point in extension-unload.*) croft kext load a dummy ;; esac
        t_croftd_stop
        t_croftd_start_at "$point"
        case $point in
        extension-load.*) croft kext load a dummy >/dev/null 2>&1 ;;
        *) croft kext unload a dummy >/dev/null 2>&1 ;;
        esac
        t_wait_daemon
        t_croftd_start_at 2>/dev/null
        case $point in
        extension-load.record.done | extension-unload.record) expected="there dummy=1 a 1 command LOADED;" ;;
        *) expected="gone " ;;
        esac
        t_is "killed at $point the books say what the kernel has" "$(there dummy) $(holders)" "$expected"
        croft kext unload a dummy 2>/dev/null
done
croft kext load a dummy
t_croftd_kill
rmmod dummy
t_croftd_start_at
t_is "KXT-35: what has gone meanwhile is lost" "$(holders)" "dummy=0 a 1 command LOST;"
t_ok "and can be loaded again" croft kext load a dummy
t_is "it is there then" "$(there dummy) $(holders)" "there dummy=1 a 1 command LOADED;"
t_ok "a partition goes, with all that it holds" croft remove a --force
t_is "none is left" "$(there dummy) $(holders)" "gone "
t_is "nothing was forced" "$(tainted)" "$tainted"

# --- KID-A5, KID-A6: generations; the newer one has a byte more, which the kernel takes for unsigned --------------------------

croft create a >/dev/null && croft start a && croft kext grant a dummy
for p in a b; do croft exec $p -- sh -c 'cat >/root/old.ko' <copy.ko; done
t_is "the current one is loaded" "$(status 'insmod /root/old.ko')" 0
{ cat copy.ko && printf 'x'; } >newer.ko
# The first one was registered a second time after a compressed one: it is the third generation.
croft kext register newer.ko >/dev/null
croft exec b -- sh -c 'cat >/root/newer.ko' <newer.ko
t_is "KID-A6: a newer one is registered, and the old one stays loaded" "$(croft kext list --holders --format json | jq -r '.[] | "\(.name) \(.partition) \(.generation) \(.state)"')" "dummy a 3 LOADED"
t_is "another partition can't have the newer one meanwhile" "$(run 'insmod /root/newer.ko' b | grep -c 'resource busy')" 1
t_like "which global is told, with the holder" "$(croft error print global)" "another generation of 'dummy' is in the kernel, held by 'a'"
t_is "KID-A5: nor is it given the old one any more" "$(run 'insmod /root/old.ko' b | grep -c 'not permitted')" 1
croft kext grant b dummy
t_ok "KID-A6: sync gives it the newer one in the old one's place" croft kext sync b
t_is "byte for byte" "$(run 'sha256sum </root/old.ko' b)" "$(sha256sum <newer.ko)"
t_is "once the first has let it go it has it" "$(status 'rmmod dummy') $(status 'insmod /root/old.ko' b) $(holders)" "0 0 dummy=1 b 1 call LOADED;"
croft kext register /run/guest/croft_swap.ko >/dev/null
croft kext grant b croft_swap
croft exec b -- sh -c 'cat >/root/swap.ko' </run/guest/croft_swap.ko
insmod /run/guest/croft_evil.ko
t_is "nor what global has another build of" "$(run 'insmod /root/swap.ko' b | grep -c 'resource busy')" 1
t_like "which is said" "$(croft error print global)" "another build of 'croft_swap' is in the kernel, which no partition has loaded"
rmmod croft_swap
t_is "until that is gone" "$(status 'insmod /root/swap.ko' b)" 0
t_ok "the last partitions go" croft remove a b --force
t_is "with the module" "$(there dummy)" gone
t_done
