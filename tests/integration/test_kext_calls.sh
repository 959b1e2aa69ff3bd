#!/bin/sh
# where: here guest
# timeout: 600
# Calls of partitions that load and unload modules: who is asked, what is looked at, and that nothing a partition does to them keeps
# others waiting.  What is loaded then is in test_kext_load.sh.
. "$(dirname "$0")/../lib.sh"

module() { "$t_top/tests/kit/t-module" "$@"; }
run() { croft exec "${2:-a}" -- sh -c "$1" 2>&1; }
# The calls as they are: prints the errno, 0 for success.
prelude='import ctypes, os, sys, threading, time
c = ctypes.CDLL(None, use_errno=True)
X32 = 0x40000000
def call(number, *words):
    return ctypes.get_errno() if c.syscall(ctypes.c_long(number), *words) else 0
def load(path, parameters=b"", flags=0, abi=0):
    fd = os.open(path, os.O_RDONLY)
    r = call(abi | 313, fd, parameters, flags)
    os.close(fd)
    return r
def load_memory(path, parameters=b"", abi=0):
    data = open(path, "rb").read()
    return call(abi | 175, data, ctypes.c_ulong(len(data)), parameters)
def unload(name, flags=0x800, abi=0):
    return call(abi | 176, name, flags)
def i386(number, data, a, b=0, c3=0):
    c.mmap.restype = ctypes.c_void_p
    low = c.mmap(None, 1 << 20, 7, 0x62, -1, 0) # MAP_32BIT
    code = bytes.fromhex("5389f889f34189ca89d14489d24489c64489cfcd805bc3")
    ctypes.memmove(low, code + data, len(code) + len(data))
    at = low + len(code)
    return -ctypes.CFUNCTYPE(ctypes.c_int, *[ctypes.c_uint] * 6)(low)(number, *[at + v[0] if isinstance(v, tuple) else v for v in (a, b, c3)], 0, 0)'
python() { run "cd /t && python3 -c 'from k import *
$1'" "${2:-a}"; }

mkdir "$T/etc"
printf 'fuse:\n\tvalue = "/dev/fuse"\n\tauto = "no"\n' >"$T/etc/devexports"
[ -e /dev/fuse ] || modprobe fuse
t_croftd_start --config-dir "$T/etc" || exit 1
cd "$T" || exit 1
module good >good.ko
module good text=evil >evil.ko
module other >other.ko
croft kext register good.ko other.ko >/dev/null || exit 1
for p in a b; do
        croft create $p >/dev/null && croft start $p || exit 1
        run 'mkdir -p /t && chmod 755 /t' $p >/dev/null
        run "cat >/t/k.py" $p <<END
$prelude
END
        for f in good evil other; do croft exec $p -- sh -c "cat >/t/$f.ko" <$f.ko; done
done
refusals() { croft error print global; }

# --- without a grant ------------------------------------------------------------------------------------------------------

t_is "without a grant nothing is loaded" "$(python 'print(load("good.ko"), load_memory("good.ko"))')" "1 1"
t_is "nor unloaded" "$(python 'print(unload(b"good"))')" 1
t_is "by whatever ABI" "$(python 'print(load("good.ko", abi=X32), load_memory("good.ko", abi=X32), unload(b"good", abi=X32))')" "1 1 1"
if t_has_i386; then
        t_is "by that of i386" "$(python 'print(i386(129, b"good\0", (0,)))')" 1
else
        t_skip "by that of i386" "this kernel has no calls of i386"
fi
t_is "nor what isn't there" "$(python 'print(call(313, 99, b"", 0), call(175, 0, 0, 0), call(176, 0, 0))')" "1 1 1"
t_ok "which global is told" t_wait_for sh -c "croft error print global | grep -q \"'a' wants to load or unload an extension, and is granted none\""
t_unlike "and the partition isn't" "$(croft error print a)" "is granted none"

# --- with one -------------------------------------------------------------------------------------------------------------

loaded=$(if [ -d /sys/module/kernel ] && [ -e /proc/modules ]; then echo 8; else echo 38; fi) # what this kernel says of a file that is no real module
t_ok "one is granted while it runs" croft kext grant a good
t_is "another file isn't equivalent" "$(python 'print(load("evil.ko"), load_memory("evil.ko"))')" "8 8"
t_like "which is told with the rule" "$(refusals)" "load an extension for 'a'"
t_like "and why" "$(refusals)" "it isn't equivalent to any extension that is registered"
t_is "one that isn't granted is refused" "$(python 'print(load("other.ko"))')" 1
t_like "with the rule" "$(refusals)" "'a' isn't granted 'other'"
t_is "the granted one is the kernel's to judge" "$(python 'print(load("good.ko"), load_memory("good.ko"))')" "$loaded $loaded"
t_is "by every ABI" "$(python 'print(load("good.ko", abi=X32))')" "$loaded"
if t_has_i386; then
        t_is "by that of i386, too" "$(python 'fd = os.open("good.ko", os.O_RDONLY); print(i386(350, b"\0", fd, (0,)), i386(128, open("good.ko", "rb").read() + b"\0", (0,), os.path.getsize("good.ko"), (os.path.getsize("good.ko"),)))')" "$loaded $loaded"
else
        t_skip "by that of i386, too" "this kernel has no calls of i386"
fi
t_is "a parameter that isn't allowed is refused" "$(python 'print(load("good.ko", b"nr=1"))')" 1
t_is "flags that make the kernel less careful, too" "$(python 'print(load("good.ko", flags=1), load("good.ko", flags=2), load("good.ko", flags=8))')" "1 1 22"
t_like "with the rule" "$(refusals)" "the kernel is to ignore versions, which is let to nobody"
t_is "and who isn't its root" "$(python 'os.setgroups([]); os.setgid(1000); os.setuid(1000); print(load("good.ko"))')" 1
# Whoever makes a user namespace has all capabilities there, also who hasn't any where he comes from.
t_is "nor in the partition's own user namespace" "$(python 'print(c.unshare(0x10000000), load("good.ko"), unload(b"good"))')" "0 1 1"
t_ok "of which global is told" t_wait_for sh -c "croft error print global | grep -q \"somebody in 'a' who isn't its root wants to load or unload an extension\""
t_is "one that it doesn't hold isn't there to be unloaded" "$(python 'print(unload(b"good"), unload(b"ext4", 0xa00), unload(b""), unload(b"x" * 300))')" "2 2 2 2"
t_is "bad arguments end as they should" "$(python 'print(call(313, 99, b"", 0), call(313, 0, 8, 0), call(175, 8, 4096, b""), call(175, 8, ctypes.c_ulong(1 << 40), b""), call(176, 8, 0))')" "9 14 14 8 14"
t_is "the file's offset stays" "$(python 'f = open("evil.ko", "rb"); f.seek(100); call(313, f.fileno(), b"", 0); print(os.lseek(f.fileno(), 0, 1))')" 100
t_is "nothing is held" "$(croft kext list --holders --format json)" "[]"
t_is "the other partition is still granted none" "$(python 'print(load("good.ko"))' b)" 1

module packed >packed.ko
module packed text=evil >packed-evil.ko
xz -k packed.ko
croft kext register packed.ko.xz >/dev/null
croft kext grant a packed
for f in packed.ko packed.ko.xz packed-evil.ko; do croft exec a -- sh -c "cat >/t/$f" <$f; done
# croft gives the kernel what it unpacks to: not each kernel can (CONFIG_MODULE_DECOMPRESS).
t_is "KID-16: a compressed one is granted as it is stored, and unpacked by who calls" "$(python 'print(load("packed.ko.xz", flags=4), load("packed.ko"), load_memory("packed.ko"), load("packed-evil.ko"))')" "$loaded $loaded $loaded 8"

# --- odd files, and who changes his mind ---------------------------------------------------------------------------------

run 'cd /t && mkfifo fifo && truncate -s 1T sparse && : >empty && head -c 300 good.ko >short && cat good.ko good.ko >twice' >/dev/null
t_is "what is no file, or no module, is refused" "$(python 'print(load("/t"), load("/dev/zero"), load("sparse"), load("empty"), load("short"), load("twice"), load("/proc/self/maps"))')" "22 22 8 8 8 8 22"
t_is "a FIFO, too" "$(python 'fd = os.open("fifo", os.O_RDWR); print(call(313, fd, b"", 0))')" 22
t_is "and what is open to be written only" "$(python 'fd = os.open("good.ko", os.O_WRONLY); print(call(313, fd, b"", 0), call(313, os.open("good.ko", os.O_PATH), b"", 0))')" "9 9"
t_is "KID-A2: name, folder, owner, mode and time don't matter" "$(run 'cd /t && mkdir -p else && cp good.ko else/where && chown 1000:1000 else/where && cp good.ko renamed && chown 33:33 renamed && chmod 0 renamed && touch -d 2001-01-01 renamed && ln -s renamed link && ln good.ko hard' >/dev/null; python 'print(os.stat("renamed").st_uid, load("renamed"), load("link"), load("hard"), load("else/where"))')" "33 $loaded $loaded $loaded $loaded"
# What the kernel has, as far as it says so: not every kernel has /proc/modules.
modules() { cat /proc/modules 2>/dev/null; ls /sys/module; }
modules >modules.before
croft error clear global
t_is "KID-A3: whichever bit differs, it is refused, though size and time are as they were" "$(python 'import random
good, random, was = open("good.ko", "rb").read(), random.Random(1), os.stat("good.ko")
seen = set()
for i in range('"$(t_turns 1000 1000 50)"'):
    bit = random.randrange(8 * len(good))
    changed = bytearray(good)
    changed[bit // 8] ^= 1 << bit % 8
    with open("bit.ko", "wb") as f: f.write(changed)
    os.utime("bit.ko", ns=(was.st_atime_ns, was.st_mtime_ns)) # as touch -r does
    now = os.stat("bit.ko")
    seen.add(load("bit.ko") if (now.st_size, now.st_mtime_ns) == (was.st_size, was.st_mtime_ns) else "not restored")
for size in random.sample(range(1, len(good)), 20):
    open("bit.ko", "wb").write(good[:size])
    seen.add(load("bit.ko"))
for longer in (good + b"\0", good + good):
    open("bit.ko", "wb").write(longer)
    seen.add(load("bit.ko"))
print(seen)')" "{8}"
t_is "KID-A3: nor does the kernel have anything that it hadn't" "$(modules | diff modules.before -)" ""
t_is "KID-A3: and it is on record, once for all of them" "$(refusals | grep -c "isn't equivalent to any extension")" 1
t_is "KID-A9: a file that is cut while it is read is refused or served" "$(python 'good = open("good.ko", "rb").read()
stop = False
def cut():
    while not stop:
        for size in (len(good) // 2, len(good)):
            os.truncate("cut.ko", size)
        open("cut.ko", "wb").write(good)
open("cut.ko", "wb").write(good)
t = threading.Thread(target=cut)
t.start()
seen = {load("cut.ko") for i in range(20)}
stop = True
t.join()
print(seen <= {8, '"$loaded"'})')" True
# KID-A8: what the partition says of itself is believed by nobody; the names are those of what is granted.
module good text=forged build-id=00 >forged.ko
croft exec a -- sh -c 'cat >/t/forged.ko' <forged.ko
python 'import hashlib
sum = hashlib.sha256(open("good.ko", "rb").read()).hexdigest()
for path in ("/var/lib/dpkg/info", "/var/lib/croft/kext", "/etc/croft"): os.makedirs("/t" + path, exist_ok=True)
open("/t/var/lib/dpkg/info/good.md5sums", "w").write("0 good.ko")
open("/t/var/lib/croft/kext/" + sum, "wb").write(open("forged.ko", "rb").read())
open("/t/etc/croft/kext", "w").write("a: good, ALL")
try: os.setxattr("forged.ko", "user.sha256", sum.encode()); os.setxattr("forged.ko", "security.ima", b"\\1" + sum.encode())
except OSError: pass' >/dev/null
t_is "KID-A8: neither databases nor attributes nor names make another file equivalent" "$(python 'os.rename("good.ko", "real.ko"); os.rename("forged.ko", "good.ko"); print(load("good.ko"), load("/t/var/lib/croft/kext/" + os.listdir("/t/var/lib/croft/kext")[0])); os.rename("real.ko", "good.ko")')" "8 8"
# As global names them, by whatever path of /proc leads there, and by the kernel's own numbers.
for p in a b; do
        t_is "KXT-A1, KXT-A6: the register, its copies, what is pinned and the socket aren't there inside $p" \
                "$(run "cat '$T/state/croft.db' '$T'/state/kext/* '$T/state/kext.revoked'; ls '$T' '$T/state' '$T/run/croft.sock' '$T/run/bpf' '$T/run/bpf/kext' /sys/fs/bpf/croft*" $p | grep -vc 'No such file\|denied')" 0
        t_is "nor has a process in $p another root, or anything of the kind open" \
                "$(run 'for d in /proc/[0-9]*; do [ "$(ls "$d/root/" 2>/dev/null | tr "\n" " ")" = "$(ls / | tr "\n" " ")" ] || ls "$d/root/" 2>/dev/null; ls -l "$d/fd" 2>/dev/null; done' $p | grep -c "$T\|bpf-\|croft.db")" 0
        t_is "nor does the kernel give $p a map or a program of anybody's" "$(python 'class A(ctypes.Structure): _fields_ = [("id", ctypes.c_uint), ("next", ctypes.c_uint), ("flags", ctypes.c_uint)]
print({call(321, command, ctypes.byref(A(number, 0, 0)), 12) for command in (11, 12, 13, 14, 30) for number in range(1, 50)})' $p)" "{1}"
done
# KID-A4 in small; with modules that the kernel takes in test_kext_load.sh.
t_is "whoever swaps files and memory meanwhile gets the one or the other" "$(python 'good, evil = open("good.ko", "rb").read(), open("evil.ko", "rb").read()
both = ctypes.create_string_buffer(good, len(good))
stop = False
def swap():
    while not stop:
        open("/t/swap.ko", "wb").write(evil)
        ctypes.memmove(both, evil, len(evil))
        open("/t/swap.ko", "wb").write(good)
        ctypes.memmove(both, good, len(good))
open("/t/swap.ko", "wb").write(good)
t = threading.Thread(target=swap)
t.start()
seen = set()
for i in range(20):
    seen.add(load("/t/swap.ko"))
    seen.add(call(175, both, ctypes.c_ulong(len(good)), b""))
stop = True
t.join()
print(seen <= {8, '"$loaded"'})')" True

# A file system of the partition's whose server never answers a read.
croft exec a -- sh -c 'cat >/t/t-silent' <"$t_top/tests/kit/t-silent"
croft kext grant b good
if croft device add a /dev/fuse; then
        croft exec a -- sh -c 'cd /t && exec python3 t-silent /mnt ready reading' &
        server=$!
        t_wait_for run 'test -s /t/ready'
        # The kernel lets nobody read such a file who has no number in the partition: neither as a file nor where it lies in memory.
        t_is "bytes of a file system in user space are refused at once" "$(python 'import mmap
m = mmap.mmap(os.open("/mnt/x.ko", os.O_RDONLY), 5000, flags=mmap.MAP_PRIVATE)
print(load("/mnt/x.ko"), call(175, (ctypes.c_char * 5000).from_buffer(m), ctypes.c_ulong(5000), b""))')" "13 14"
        t_ok "and their server isn't even asked" run '! test -s /t/reading'
        run 'pkill -f t-silent' >/dev/null
        wait $server 2>/dev/null
else
        t_skip "bytes of a file system in user space are refused at once" "this machine exports no /dev/fuse"
fi
# KXT-A10 in small: 64 threads that ask all the time (test_kext_abuse.sh: many requests at once).
python 'seen = set()
def go():
    while not os.path.exists("/t/enough"):
        seen.add(load("good.ko"))
        if 11 in seen: open("/t/storming", "w").close()
all = [threading.Thread(target=go) for i in range(64)]
[t.start() for t in all]
[t.join() for t in all]
print(seen <= {11, '"$loaded"'} and '"$loaded"' in seen)' >storm.out &
storm=$!
t_ok "who has too much under way is told to come again" t_wait_for run 'test -e /t/storming'
t_is "KXT-A10: meanwhile another is served" "$(python 'print({load("good.ko") for i in range(5)})' b)" "{$loaded}"
run ': >/t/enough' >/dev/null
wait $storm
t_is "many at once are served, or told to come again" "$(cat storm.out)" True

# --- who copies -----------------------------------------------------------------------------------------------------------

# shellcheck disable=SC2046,SC2086 # words without blanks
copiers() { # PARTITION: the processes of croft's that wait there for calls about modules
        for procs in $(find $t_cgroups -path "*/croft.*/$(croft show "$1" --format json | jq -r .id)/croft.exec/cgroup.procs"); do
                while read -r pid; do [ "$(cat "/proc/$pid/comm" 2>/dev/null)" != croft-warden ] || echo "$pid"; done <"$procs"
        done
}
one() { [ "$(copiers a | wc -l)" = 1 ]; }
python 'load("good.ko")' >/dev/null
t_ok "of those who copied for many at once one stays" t_wait_for one
# One after the other.  A broker that has had nothing to do for ten seconds ends, which on a busy machine may be between two calls: then
# once more.
broker_of() { ps -o ppid= -p "$1"; }
served_by_one() {
        copier=$(copiers a)
        broker=$(broker_of "$copier")
        said=$(for call in 'load("good.ko")' 'load("evil.ko")' 'unload(b"good")'; do python "print($call)" | tr '\n' ' '; done)
        last=$(copiers a)
        [ -n "$copier" ] && [ "$(broker_of "$last")" = "$broker" ]
}
t_ok "one broker serves three calls" t_wait_for served_by_one
t_is "who copies for the next, and for others" "$said$last" "$loaded 8 2 $copier"
t_is "when it is killed the next call is served" "$(kill -9 "$copier"; t_wait_for sh -c "! kill -0 $copier"; python 'print(load("good.ko"))')" "$loaded"
stopped_before() { # the call that is printed
        for _ in 1 2 3; do
                python 'load("good.ko")' >/dev/null # else its broker may be about to end, and who copies with it
                copier=$(copiers a) && broker=$(broker_of "$copier") && kill -STOP "$copier"
                said=$(python 'print(load("good.ko"))')
                ! kill -0 "$broker" || break
        done
        echo "$said"
}
t_is "one whose bytes can't be had in ten seconds fails" "$(stopped_before)" 110
t_ok "which global is told" t_wait_for sh -c "croft error print global | grep -q \"'a'.*couldn't be read within 10 seconds\""
t_is "who asks finds his control group free at once" "$(python 'import subprocess
groups = [l.split()[1] for l in open("/proc/self/mounts") if l.split()[2] == "cgroup2"]
own = open("/proc/self/cgroup").read().split("0::")[1].split("\n")[0]
where = groups[0] + "/of-its-own"
os.mkdir(where)
r, w = os.pipe()
if os.fork() == 0:
    open(where + "/cgroup.procs", "w").write("0")
    os.write(w, str(load("good.ko")).encode())
    os._exit(0)
os.wait()
os.rmdir(where)
print(os.read(r, 10).decode())')" "$loaded"
# The answer is croftd's, whatever becomes of those who have passed the call on.
root=/proc/$(croft show a --format json | jq -r .pid)/root
warden=$(croft show a --format json | jq -r .warden)
python 'load("good.ko") # who copies for that stays for the next
open("/t/go", "w").close()
while os.path.getsize("/t/go") == 0: time.sleep(0.02)
r = load("good.ko")
open("/t/went", "w").write(str(r))' &
t_wait_for test -e "$root/t/go"
copier=$(copiers a)
broker=$(sed -n 's/^PPid:\t//p' "/proc/$copier/status")
switches() { sed -n 's/^voluntary_ctxt_switches:\t//p' "/proc/$copier/status"; }
before=$(switches)
kill -STOP "$t_daemon"
echo >>"$root/t/go"
copied() { [ "$(switches)" -gt "$before" ]; }
t_wait_for copied
kill -STOP "$warden" "$broker"
kill -CONT "$t_daemon"
t_ok "a call is answered while warden and broker don't move" t_wait_for test -s "$root/t/went"
t_is "as it should be" "$(cat "$root/t/went")" "$loaded"
kill -CONT "$warden" "$broker"
wait $!
t_is "they go on" "$(python 'print(load("good.ko"), load("evil.ko"))')" "$loaded 8"

# --- what need one another ------------------------------------------------------------------------------------------------

module round >round1.ko
module other depends=round >other.ko
module round depends=other text=newer >round2.ko
t_ok "a newer one may need what needs it" croft kext register round1.ko other.ko round2.ko
croft kext grant a round
t_ok "it isn't loaded" sh -c '! croft kext load a round 2>round.error'
t_like "which is said" "$(cat round.error)" "extensions need one another more than 16 deep"
t_is "and nothing is held for it" "$(croft kext list a --holders --format json)" "[]"
module below >below.ko
module above depends=below >above.ko
croft kext register below.ko above.ko >/dev/null && croft kext grant a above && croft kext supersede below
croft exec a -- sh -c 'cat >/t/above.ko' <above.ko
t_fails_with 3 "what needs one that is superseded isn't loaded" croft exec a -- /run/croft/bin/croft-extension load /t/above.ko
t_like "which isn't said of its own file" "$(cat "$T/error")" "what '/t/above.ko' needs isn't there"
t_like "global is told what" "$(refusals)" "'above' needs 'below', which isn't registered, or not current any more"

# --- KID-3, KID-19: newer generations take the place of older ones ----------------------------------------------------------

module good text=newer >newer.ko
module packed text=newer >packed-newer.ko
xz -k packed-newer.ko
croft kext register newer.ko packed-newer.ko.xz >/dev/null
run 'cd /t && chmod 640 good.ko && cp good.ko changed.ko && printf x >>changed.ko && mkdir deep && cp good.ko deep/good.ko && ln -s ../good.ko deep/link.ko' >/dev/null
inside() { croft exec a -- sh -c "sha256sum </t/$1" | cut -d' ' -f1; }
sum() { sha256sum <"$1" | cut -d' ' -f1; }
t_is "an old one isn't given any more" "$(python 'print(load("good.ko"))')" 1
t_ok "sync puts the current one in its place" croft kext sync a
t_is "everywhere" "$(inside good.ko) $(inside deep/good.ko)" "$(sum newer.ko) $(sum newer.ko)"
t_is "what is unpacked stays so" "$(inside packed.ko) $(inside packed.ko.xz)" "$(sum packed-newer.ko) $(sum packed-newer.ko.xz)"
t_is "with its mode and owner" "$(run 'stat -c "%a %u" /t/good.ko')" "640 0"
t_is "and nothing else is touched" "$(run 'readlink /t/deep/link.ko; ls -A /t/deep | tr "\n" " "') $(inside evil.ko) $(inside changed.ko)" \
        "../good.ko
good.ko link.ko  $(sum evil.ko) $({ cat good.ko && printf x; } | sha256sum | cut -d' ' -f1)"
t_is "it is loaded then" "$(python 'print(load("good.ko"))')" "$loaded"
t_is "again it has nothing to do" "$(croft kext sync a --format json | jq -r '.[] | select(.file == "good.ko") | "\(.path) \(.state)"' | sort | tr '\n' ';')" "/t/deep/good.ko CURRENT;/t/good.ko CURRENT;"
cp newer.ko good.ko

# --- C-15: what one is refused takes no more than its share of global's record -------------------------------------------------

croft error clear global
python 'fd = os.open("evil.ko", os.O_RDONLY)
for i in range(100): call(313, fd, b"", 0), unload(b"other%d" % i)' >/dev/null
t_like "of whoever is refused much it is told that there is more" "$(refusals)" "'a' is refused more, which isn't told here until this record is cleared"
t_unlike "and not all" "$(refusals)" "other20"
t_is "others are still told of" "$(python 'print(load("evil.ko"))' b) $(refusals | grep -c "load an extension for 'b'")" "8 1"
t_unlike "and nothing finds no room" "$(refusals)" "found no room"
croft error clear global
t_is "once it is cleared it is told again" "$(python 'print(load("evil.ko"))') $(refusals | grep -c "load an extension for 'a'")" "8 1"

# Where the copy is charged to the partition (pure cgroup v2) it has no room; else it is no extension.
croft create small -s init=croft -s memory.max=32M >/dev/null && croft start small && croft kext grant small good
init=$(croft show small --format json | jq -r .pid)
t_like "who asks with more bytes than the partition has room for is told so" "$(croft exec small -- python3 -c 'import ctypes, os
os.truncate(os.open("/root/huge.ko", os.O_CREAT | os.O_RDWR), 60 << 20)
c = ctypes.CDLL(None, use_errno=True)
print(c.syscall(313, os.open("/root/huge.ko", os.O_RDONLY), b"", 0), ctypes.get_errno())')" '^-1 (8|12)$'
t_is "and neither he nor its init is killed for it" "$(croft show small --format json | jq -r '"\(.state) \(.pid)"')" "Active $init"
croft remove small --force

# --- croftd and the others die --------------------------------------------------------------------------------------------

t_croftd_kill
t_croftd_start
t_is "the next croftd goes on" "$(python 'print(load("good.ko"), load("evil.ko"))')" "$loaded 8"
warden=$(croft show a --format json | jq -r .warden)
kill -9 "$warden"
t_ok "so does the next warden" t_wait_for sh -c "! kill -0 $warden 2>/dev/null"
t_is "which knows what is granted" "$(python 'print(load("good.ko"), load("evil.ko"))')" "$loaded 8"
croft restart a --force >/dev/null
t_is "so does the partition, started again" "$(python 'print(load("good.ko"))')" "$loaded"
croft kext ungrant a good
t_is "a grant that is taken back counts no more" "$(python 'print(load("good.ko"))')" 1
t_ok "partitions stop and go as ever" croft remove a b --force
t_done
