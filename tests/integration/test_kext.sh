#!/bin/sh
# where: here
# timeout: 900
# Kernel extensions: what identifies a file of one, and global's register of them, whatever happens to croftd meanwhile.
. "$(dirname "$0")/../lib.sh"

module() { "$t_top/tests/kit/t-module" "$@"; } # NAME [KEY=VALUE]...: a file that is a module by all that can be told
listed() { croft kext list --format json | jq -r '.[] | "\(.name) \(.generation) \(.state)"' | tr '\n' ';'; }
shown() { croft kext show "$1" --format json | jq -r "$2"; } # EXTENSION JQ-EXPRESSION
sha256() { sha256sum <"$1" | cut -d' ' -f1; }
copies() { ls "$T/state/kext" | tr '\n' ' '; } # global's own
t_croftd_start_at || exit 1
cd "$T" || exit 1
module copy text=one build-id=00112233445566778899aabbccddeeff00112233 srcversion=0123456789ABCDEF >copy.ko

# --- identity -------------------------------------------------------------------------------------------------------------

t_is "the identity of a file is what sha256sum says" "$(croft kext id copy.ko)" "$(sha256sum copy.ko)"
identity=$(croft kext id copy.ko --format json | jq -r '"\(.name) \(.kind) \(.kernel) \(.srcversion) \(.build_id) \(.size_bytes) \(.state)"')
t_is "and what it says of itself" "$identity" \
        "copy ko 6.1.0-test 0123456789ABCDEF 00112233445566778899aabbccddeeff00112233 $(stat -c %s copy.ko) null"
gzip -k copy.ko
xz -k copy.ko
cp "$t_top/tests/fuzz/corpus/kext/zstd" copy.ko.zst # of another module of that name and build-id: not every machine has zstd(1)
for file in copy.ko.gz copy.ko.xz copy.ko.zst; do
        t_is "the hash of $file covers it as it is stored" "$(croft kext id $file)" "$(sha256sum $file)"
        t_is "and what it says is the same: $file" "$(croft kext id $file --format json | jq -r '"\(.name) \(.build_id)"')" "copy 00112233445566778899aabbccddeeff00112233"
done
cp copy.ko other-name.ko
touch -d 2001-01-01 other-name.ko
ln -s copy.ko link.ko
t_is "name, time and links don't matter" "$(croft kext id other-name.ko link.ko | cut -d' ' -f1 | sort -u)" "$(sha256 copy.ko)"
# KID-A9, of global's files.
mkfifo fifo.ko
truncate -s 1T sparse.ko
echo "no module" >text.ko
head -c 300 copy.ko >cut.ko
t_fails_with 2 "a FIFO is refused" timeout "$T_PATIENCE" croft kext id fifo.ko
t_fails_with 2 "a device is refused" croft kext id /dev/zero
t_fails_with 2 "a folder is refused" croft kext id "$T"
t_fails_with 1 "a file of 1 TiB is refused" croft kext id sparse.ko
t_fails_with 1 "what is no module is refused" croft kext id text.ko
t_like "which is said" "$(cat "$T/error")" "it is no module of a kernel"
t_fails_with 1 "a module that is cut off is refused" croft kext id cut.ko
t_fails_with 3 "what isn't there is told" croft kext id nothing.ko
t_is "with what is there beside it" "$(croft kext id nothing.ko copy.ko --format json 2>/dev/null | jq -r '.[].name')" copy

# A file system whose server takes requests and never answers.
cat >silent.py <<'PY'
import ctypes, os, struct, sys
fd = os.open("/dev/fuse", os.O_RDWR)
options = f"fd={fd},rootmode=40000,user_id=0,group_id=0,allow_other".encode()
if ctypes.CDLL(None, use_errno=True).mount(b"silent", sys.argv[1].encode(), b"fuse", 6, options) != 0:
    sys.exit(os.strerror(ctypes.get_errno()))
request = os.read(fd, 1 << 20)
unique, = struct.unpack_from("<Q", request, 8)
answer = struct.pack("<IIIIHHIIHHI28x", 7, 31, 0, 0, 0, 0, 4096, 1, 0, 0, 0)
os.write(fd, struct.pack("<IiQ", 16 + len(answer), 0, unique) + answer)
open("silent.ready", "w").close()
while True:
    os.read(fd, 1 << 20)
PY
mkdir silent
[ -e /dev/fuse ] || modprobe fuse
python3 silent.py "$T/silent" &
silent=$!
silent_away() {
        silent_status=$?
        kill $silent
        umount -l "$T/silent"
        return $silent_status
} 2>/dev/null
trap 'silent_away; t_clean_up' EXIT
t_wait_for test -e silent.ready
curl -s --unix-socket "$CROFT_SOCKET" "http://croft/v1/identity?path=$T/silent/x.ko" >hung.json &
asks=$!
t_ok "while one file is on a file system that never answers, others are identified" timeout "$T_PATIENCE" croft kext id copy.ko
wait $asks
t_like "it is refused when its time is over" "$(cat hung.json)" "can't be read in the time that it may take"
kill $silent
wait $silent 2>/dev/null
umount -l "$T/silent"
t_ok "who was hanging there is gone" t_wait_for sh -c "! pgrep -P $t_daemon croft-kext"

# --- the register ---------------------------------------------------------------------------------------------------------

t_ok "a file is registered" croft kext register copy.ko
t_is "it is current" "$(listed)" "copy 1 CURRENT;"
t_is "where it is from is on record" "$(shown copy '"\(.origin) \(.reason)"')" "$T/copy.ko file"
t_is "global has a copy of its own" "$(sha256 "state/kext/$(sha256 copy.ko)")" "$(sha256 copy.ko)"
t_ok "the same file once more is the same extension" croft kext register other-name.ko
t_is "one is registered" "$(listed)" "copy 1 CURRENT;"
t_is "its identity says so" "$(croft kext id link.ko --format json | jq -r .state)" CURRENT
module ALL >all-name.ko
t_fails_with 1 "one that is called as a grant of all isn't, whoever has made it" croft kext register all-name.ko
t_is "several at once are one list, also if one of them fails" "$(croft kext register copy.ko nothing.ko link.ko --format json 2>/dev/null | jq -r 'map(.name) | join(" ")')" "copy copy"
t_fails_with 1 "what is no module isn't registered" croft kext register text.ko
t_like "which is on record" "$(croft error print global)" "it is no module of a kernel"
module copy text=two >copy2.ko
module copy text=else release=6.12.0-test >copy-for-other.ko
t_ok "a newer file supersedes it" croft kext register copy2.ko
t_ok "one for another kernel doesn't" croft kext register copy-for-other.ko
t_is "both generations are listed" "$(listed)" "copy 1 SUPERSEDED;copy 2 CURRENT;copy 1 CURRENT;"
t_fails_with 2 "a name that two kernels have isn't clear" croft kext show copy
first=$(sha256 copy.ko)
t_is "the SHA-256 is, or enough of it" "$(shown "$(echo "$first" | cut -c1-12)" '"\(.generation) \(.state)"')" "1 SUPERSEDED"
t_fails_with 3 "too little of it isn't" croft kext show "$(echo "$first" | cut -c1-7)"
t_ok "an old generation that is registered again is current" croft kext register copy.ko
t_is "as the newest one" "$(listed)" "copy 2 SUPERSEDED;copy 3 CURRENT;copy 1 CURRENT;"
t_ok "one is superseded without another" croft kext supersede "$first"
t_is "none is current" "$(shown "$first" .state)" SUPERSEDED

module needy depends=other-thing,copy release=6.12.0-test >needy.ko
t_fails_with 3 "what needs another isn't registered without it" croft kext register needy.ko
t_like "which is said" "$(cat "$T/error")" "'needy' needs 'other_thing', which isn't registered for kernel 6.12.0-test"
module other_thing release=6.12.0-test >other-thing.ko
t_ok "once that is it is" croft kext register other-thing.ko needy.ko
t_is "what it needs is on record" "$(shown needy '.depends | join(" ")')" "other_thing copy"
t_is "each with an identity of its own" "$(shown other_thing .sha256)" "$(sha256 other-thing.ko)"

t_ok "one is revoked" croft kext revoke "$first"
t_is "its copy is gone" "$(test -e "state/kext/$first" || echo gone)" gone
t_fails_with 4 "it is never registered again" croft kext register copy.ko
t_fails_with 4 "nor superseded" croft kext supersede "$first"
t_fails_with 4 "in whatever file" croft kext register other-name.ko
t_ok "its other generation stays" croft kext register copy2.ko

# --- grants ---------------------------------------------------------------------------------------------------------------

granted() { croft kext list "$1" --format json | jq -r '.[] | "\(.name) \(.local) \(.parameters)"' | tr '\n' ';'; } # PARTITION
module good >good.ko
module good text=evil >evil.ko
croft kext register good.ko >/dev/null
t_ok "partitions are there" sh -c 'croft create a && croft create b'
t_fails_with 4 "without a grant a partition is given nothing" croft kext check a good.ko
t_like "which is said" "$(cat "$T/error")" "'a' isn't granted 'good'"
t_ok "it is granted" croft kext grant a good --params nr,size=4096
t_is "to one partition" "$(granted a)$(granted b)" "good false nr,size=4096;"
t_is "which would be given it then" "$(croft kext check a good.ko nr=3 size=4096 --format json | jq -r '.[] | .name')" good
t_fails_with 4 "the other wouldn't" croft kext check b good.ko
t_fails_with 4 "nor would it with other parameters" croft kext check a good.ko max=1
t_fails_with 4 "or values" croft kext check a good.ko size=8192
t_fails_with 7 "nor other bytes of that name" croft kext check a evil.ko
t_like "which aren't equivalent" "$(cat "$T/error")" "it isn't equivalent to any extension that is registered"
bits=0 refused=0 # KID-A3 in small
while [ $bits -lt 16 ]; do
        bits=$((bits + 1))
        cp good.ko bit.ko
        byte=$(($(od -An -tu1 -j $((bits * 37)) -N1 good.ko) ^ (1 << bits % 8)))
        printf "\\$(printf %o $byte)" | dd of=bit.ko bs=1 seek=$((bits * 37)) conv=notrunc 2>/dev/null
        touch -r good.ko bit.ko
        croft kext check a bit.ko 2>/dev/null
        [ $? = 7 ] && refused=$((refused + 1))
done
t_is "nor those that differ in one bit" $refused 16
head -c 500 good.ko >short.ko
{ cat good.ko && printf '\0'; } >long.ko
t_fails_with 7 "nor shorter ones" croft kext check a short.ko
t_fails_with 7 "nor longer ones" croft kext check a long.ko
cat good.ko >renamed
chmod 0 renamed
t_ok "name, mode and time don't matter" croft kext check a renamed
t_ok "it is granted anew, for this partition alone" croft kext grant a good --local
t_is "the new grant replaces the old one" "$(granted a)" "good true null;"
t_ok "all can be granted, and a name by its SHA-256" sh -c "croft kext grant b ALL && croft kext grant b $(sha256 good.ko)"
t_is "each is listed" "$(granted b)" "ALL false null;good false null;"
t_ok "the other would be given it by that" croft kext check b good.ko
t_fails_with 3 "what isn't registered isn't granted" croft kext grant a unheard-of
t_like "which is on record" "$(croft error print a)" "no extension 'unheard-of' is registered"
t_fails_with 2 "nor with parameters that are none" croft kext grant a good --params 'x y'
t_fails_with 3 "nor to nobody" croft kext grant nobody good
# What takes majors of devices, itself or by what it needs (KXT-25).
module takes imports=printk,__register_blkdev >takes.ko
module above depends=takes >above.ko
croft kext register takes.ko above.ko >/dev/null
t_is "a module that takes majors is known by what it imports" "$(shown takes .takes_major) $(shown above .takes_major)" "true false"
croft kext grant a takes && croft kext grant a above
t_fails_with 4 "it isn't given where that isn't granted with it" croft kext check a takes.ko
t_like "which is said" "$(cat "$T/error")" "'takes' takes majors of devices, and 'a' isn't granted that with it"
croft kext ungrant a takes
t_fails_with 4 "nor is it because another one needs it" croft kext check a takes.ko
t_ok "it can be granted" croft kext grant a above --major
t_is "which is listed" "$(croft kext list a --format json | jq -r '.[] | "\(.name) \(.major)"' | tr '\n' ';')" "above true;good false;"
t_ok "and is good for what it needs" croft kext check a takes.ko
croft kext ungrant a above
t_ok "it is taken back" croft kext ungrant b good ALL
t_is "nothing is left" "$(granted b)" ""
t_fails_with 3 "what isn't granted isn't taken back" croft kext ungrant b good
t_ok "a superseded one" croft kext supersede good
t_fails_with 3 "isn't meant by its name" croft kext show good
t_like "and what to do is said" "$(cat "$T/error")" "no generation of 'good' is current: give the SHA-256 of one, or register one"
t_fails_with 8 "is out of date" croft kext check a good.ko
croft kext register good.ko >/dev/null
t_ok "grants hold for what comes" croft kext check a good.ko
module good text=newer >newer.ko
croft kext register newer.ko >/dev/null
t_fails_with 8 "an old copy is out of date once there is a newer one" croft kext check a good.ko
t_ok "the previous generation can be granted, too" croft kext grant a good --previous
t_ok "then an old copy is good" croft kext check a good.ko
module good text=newest >newest.ko
croft kext register newest.ko >/dev/null
t_fails_with 8 "until a newer one comes" croft kext check a good.ko
t_ok "and the one before that is" croft kext check a newer.ko
croft kext register good.ko >/dev/null
t_ok "a partition goes, and one of its name comes" sh -c 'croft remove a && croft create a'
t_is "without its grants" "$(granted a)" ""
croft kext grant b good
croft kext revoke good
t_fails_with 4 "a revoked one is given to nobody" croft kext check b good.ko

# --- KID-16: a compressed one is known by its bytes as stored, and by what they unpack to ------------------------------------

module packed >packed.ko
xz -k packed.ko
module packed text=evil >packed-evil.ko
cp packed-evil.ko other-packing.ko
xz -k other-packing.ko
packed=$(sha256 packed.ko.xz)
croft kext register packed.ko.xz >/dev/null
croft kext grant b packed
t_is "it is known by its bytes as stored, and what they unpack to is told" "$(croft kext show packed --format json | jq -r '"\(.sha256) \(.plain_sha256)"')" "$packed $(sha256 packed.ko)"
t_is "global has copies of both" "$(copies | tr ' ' '\n' | grep -c -e "$packed" -e "$(sha256 packed.ko)")" 2
t_is "both are good for who is granted it" "$(croft kext check b packed.ko.xz >/dev/null && croft kext check b packed.ko >/dev/null && echo both)" both
t_fails_with 7 "other plain bytes aren't" croft kext check b packed-evil.ko
t_fails_with 7 "nor packed ones" croft kext check b other-packing.ko.xz
t_is "what it unpacks to is no extension by itself" "$(croft kext id packed.ko --format json | jq -r '"\(.sha256) \(.state)"')" "$(sha256 packed.ko) null"
croft kext register packed-evil.ko >/dev/null
t_fails_with 8 "with it the plain form is superseded" croft kext check b packed.ko
croft kext register packed.ko.xz >/dev/null
t_ok "and current again" croft kext check b packed.ko
croft kext revoke "$packed"
t_fails_with 4 "with it the plain form is revoked" croft kext check b packed.ko
t_fails_with 4 "and can't be registered" croft kext register packed.ko
t_is "no copy is left of either" "$(copies | tr ' ' '\n' | grep -c -e "$packed" -e "$(sha256 packed.ko)")" 0
croft kext revoke "$(sha256 packed-evil.ko)"
croft kext ungrant b packed

# --- what partitions hold (KXT-A7; thousands of files, and 100,000 by `make stress`) ------------------------------------------------------------------------------------

# PARTITION [OPTION]...: "application file path extension state oddity;" of each finding
found() {
        croft kext scan "$@" --format json |
                jq -r '.[] | "\(.application) \(.file) \(.path) \(.extension) \(.state) \(.oddity)"' | sort | tr '\n' ';'
}
module scanned >scanned.ko
module unknown >unknown.ko
croft kext register scanned.ko >/dev/null
printf '/srv/app\n/srv/app/driver.ko\n' >my-app.list
expected="my-app driver.ko /srv/app/driver.ko scanned CURRENT null;null unknown.ko /srv/modules/unknown.ko null null null;"
if [ -z "${CROFT_GUEST:-}" ]; then # where images are imported, as in test_image_import.sh
        mkdir -p root/bin root/sbin root/srv/app root/srv/modules root/var/lib/dpkg/info
        cp "$(command -v busybox)" root/bin/busybox
        ln -s busybox root/bin/sh
        ln -s ../bin/busybox root/sbin/init
        cp scanned.ko root/srv/app/driver.ko
        cp unknown.ko root/srv/modules/
        cp my-app.list root/var/lib/dpkg/info/
        t_ok "an image with modules is made" croft image import root --name withmodules
        t_ok "a partition is made of it" croft create scan --image withmodules -s init='/bin/busybox sleep 1000000'
        t_is "which was scanned: application, file and path are known" "$(found scan --last)" "$expected"
        t_ok "it runs" croft start scan
else
        t_ok "a native partition runs" sh -c 'croft create scan -s init=croft && croft start scan'
        croft exec scan -- sh -c 'mkdir -p /srv/app /srv/modules && cat >/srv/app/driver.ko' <scanned.ko
        croft exec scan -- sh -c 'cat >/srv/modules/unknown.ko' <unknown.ko
        croft exec scan -- sh -c 'cat >/var/lib/dpkg/info/my-app.list' <my-app.list
        t_is "it wasn't scanned" "$(found scan --last)" ""
fi
t_is "a scan finds what it stores" "$(found scan)" "$expected"
t_is "alone by their paths" "$(croft kext scan scan -q | sort | tr '\n' ' ')" "/srv/app/driver.ko /srv/modules/unknown.ko "
t_is "a native partition stores nothing of its own" "$(found b)" ""
croft exec scan -- sh -c 'cp /srv/app/driver.ko /srv/second.ko && rm /srv/app/driver.ko && mkfifo /srv/pipe.ko && ln -s loop.ko /srv/loop.ko &&
        ln -s /nowhere/x.ko /srv/gone.ko && truncate -s 1099511627776 /srv/huge.ko && ln -s .. /srv/up && cp /srv/second.ko /dev/shm/' # another mount: not looked at
odd="null gone.ko /srv/gone.ko null null a symbolic link to nothing;null huge.ko /srv/huge.ko null null larger than an extension may be;"
odd="${odd}null loop.ko /srv/loop.ko null null a loop of symbolic links;null pipe.ko /srv/pipe.ko null null a FIFO;"
rest="null second.ko /srv/second.ko scanned CURRENT null;null unknown.ko /srv/modules/unknown.ko null null null;"
t_is "what it has made since is found, and what is odd is told" "$(found scan)" "$odd$rest"
files=3000
[ "${CROFT_STRESS:-0}" -lt 10000 ] || files=100000
croft exec scan -- sh -c 'i=0; while [ $i -lt '$files' ]; do i=$((i + 1)); : >/srv/app/file$i; done'
t_is "KXT-A7: $files files are no matter" "$(found scan)" "$odd$rest"

# KID-1: what it is configured to load
croft exec scan -- sh -c 'mkdir -p /lib/modules/6.1.0-test /etc/modules-load.d && cp /srv/second.ko /lib/modules/6.1.0-test/scanned.ko && printf "scanned\nabsent\n" >/etc/modules-load.d/app.conf'
t_is "what it is configured to load is told, and which registered extension that is" \
        "$(croft kext scan scan --format json | jq -r '.[] | select(.configured) | "\(.path) \(.configured) \(.extension)"')" \
        "/lib/modules/6.1.0-test/scanned.ko /etc/modules-load.d/app.conf scanned"
t_like "and what of that it doesn't store" "$(found scan --last)" "app.conf /etc/modules-load.d/app.conf null null wants 'absent', of which there is no file"
croft exec scan -- sh -c 'rm -r /lib/modules /etc/modules-load.d'
# KID-3: a first copy
inside() { croft exec scan -- /bin/busybox "$@"; }
place=/lib/modules/extra/scanned.ko
t_fails_with 4 "what it isn't granted isn't put into it" croft kext provide scan scanned $place
croft kext grant scan scanned
t_ok "a first copy of what it is granted is" croft kext provide scan scanned $place
t_is "byte for byte, as its root's" "$(inside sha256sum $place | cut -d' ' -f1) $(inside stat -c '%u %a' $place)" "$(sha256 scanned.ko) 0 644"
t_like "which a scan has found" "$(found scan --last)" "scanned.ko $place scanned CURRENT"
t_ok "the same once more is fine" croft kext provide scan scanned $place
t_ok "without a path it is put where it was registered from" croft kext provide scan scanned
t_is "which is there" "$(inside sha256sum "$T/scanned.ko" | cut -d' ' -f1)" "$(sha256 scanned.ko)"
inside sh -c 'echo else >/srv/else.ko; ln -s /srv /srv/within; ln -s ../../../../../../../.. /srv/without'
t_fails_with 5 "something else stays" croft kext provide scan scanned /srv/else.ko
t_is "as it was" "$(inside cat /srv/else.ko)" else
t_ok "links lead to where they do inside" sh -c 'croft kext provide scan scanned /srv/within/in.ko && croft kext provide scan scanned /srv/without/out.ko'
t_is "and not out of it" "$(inside ls /srv/in.ko /out.ko | tr '\n' ' ')$(ls /out.ko 2>/dev/null)" "/out.ko /srv/in.ko "
t_fails_with 2 "what isn't called as an extension is refused" croft kext provide scan scanned /etc/passwd
t_fails_with 1 "nor is another mount entered" croft kext provide scan scanned /dev/shm/x.ko
t_fails_with 3 "what isn't registered can't be had" croft kext provide scan unheard-of
# KID-A10: croftd dies while a copy is made, and while a newer one takes its place.
module large size=8388608 >large.ko
module large text=newer size=8388608 >large-newer.ko
croft kext register large.ko >/dev/null && croft kext grant scan large
dies_while() { # DELAY COMMAND...: it is killed that long after a process of its has begun to write for the command
        delay=$1
        shift
        "$@" >/dev/null 2>&1 &
        command=$!
        until pgrep -P "$t_daemon" -x croft-kext >/dev/null || ! kill -0 $command 2>/dev/null; do :; done
        sleep "$delay"
        t_croftd_kill
        wait $command
        t_croftd_start_at || exit 1
}
in_place() { inside sha256sum /srv/large.ko 2>/dev/null | cut -d' ' -f1; }
settled() { [ "$(pgrep -xc croft-kext)" = 0 ]; }
odd_copies=0 kinds=
for delay in 0 0.01 0.02 0.03 0.05 0.1; do
        inside rm -f /srv/large.ko
        dies_while $delay croft kext provide scan large /srv/large.ko
        t_wait_for settled
        case $(in_place) in
        '') kinds="$kinds absent" ;;
        "$(sha256 large.ko)") kinds="$kinds whole" ;;
        *) odd_copies=$((odd_copies + 1)) ;;
        esac
done
t_note "copies: $kinds"
t_is "KID-A10: croftd dies while a first copy is made: it is whole or absent" "$odd_copies" 0
t_ok "the next one is made" croft kext provide scan large /srv/large.ko
odd_copies=0 kinds=
for delay in 0 0.01 0.02 0.03 0.05 0.1; do
        t_is "there is an old one" "$(croft kext register large.ko >/dev/null; inside sh -c 'rm /srv/large.ko'; croft kext provide scan large /srv/large.ko >/dev/null && in_place)" "$(sha256 large.ko)"
        croft kext register large-newer.ko >/dev/null
        dies_while $delay croft kext sync scan
        t_wait_for settled
        case $(in_place) in
        "$(sha256 large.ko)") kinds="$kinds old" ;;
        "$(sha256 large-newer.ko)") kinds="$kinds new" ;;
        *) odd_copies=$((odd_copies + 1)) ;;
        esac
done
t_note "copies: $kinds"
t_is "KID-A10: croftd dies while copies are replaced: each is the old one or the newer one, whole" "$odd_copies" 0
t_ok "the next one replaces it" croft kext sync scan
t_is "and leaves nothing beside it" "$(in_place) $(inside find /srv -name '.croft*')" "$(sha256 large-newer.ko) "
croft kext revoke "$(sha256 large.ko)"
croft kext revoke large
inside rm -r /srv/large.ko
inside sh -c "rm -r /lib/modules $T /srv/else.ko /srv/within /srv/without /srv/in.ko /out.ko"
t_ok "it stops" croft stop scan --force
t_fails_with 3 "nothing is put into one that does not run" croft kext provide scan scanned
croft kext supersede scanned
t_is "stopped, its layers are scanned; states are those of now" "$(found scan)" "$(echo "$odd$rest" | sed 's/CURRENT/SUPERSEDED/g')"
t_unlike "which left no mount" "$(cat /proc/self/mounts)" "$T.*overlay|croft-kext"
t_is "nor a process" "$(pgrep -P "$t_daemon" croft-kext | wc -l)" 0
t_fails_with 3 "nobody can't be scanned" croft kext scan nobody
t_ok "it can be started and removed as ever" sh -c 'croft start scan && croft remove scan --force'
# --- croftd dies ----------------------------------------------------------------------------------------------------------

before=$(listed)
t_croftd_kill
t_croftd_start_at
t_is "the next croftd knows them all" "$(listed)" "$before"
t_is "and has the copies" "$(copies | wc -w)" 9
t_is "and what is granted" "$(granted b)" "good false null;"
t_croftd_stop
sqlite3 state/croft.db "UPDATE extension SET state = 1, generation = 9 WHERE sha256 = '$first'; DELETE FROM extension_revoked"
t_croftd_start_at
t_is "an older database doesn't bring back what was revoked" "$(shown "$first" .state)" REVOKED
t_fails_with 4 "nor lets it be registered" croft kext register copy.ko
t_croftd_stop
listed_revoked=$(sort state/kext.revoked)
rm state/kext.revoked
t_croftd_start_at
t_is "nor does the loss of the list, which is made anew" "$(shown "$first" .state) $(sort state/kext.revoked)" "REVOKED $listed_revoked"
# KID-21: a backup has the database and the list beside it.
module restored >restored.ko
restored=$(sha256 restored.ko)
croft kext register restored.ko >/dev/null
croft kext grant b restored
t_croftd_stop
rm -rf backup && cp -a state backup
t_croftd_start_at
croft kext revoke restored
t_like "what is revoked is on a list beside what the administrator has written" "$(cat etc/kexts.revoked)" "^$restored\$"
t_croftd_stop
rm -rf state && mv backup state
t_unlike "a backup of the whole state knows nothing of that" "$(cat state/kext.revoked)" "$restored"
t_croftd_start_at
t_is "restored as a whole it doesn't bring back what was revoked" "$(shown "$restored" .state) $(copies | tr ' ' '\n' | grep -c "$restored")" "REVOKED 0"
t_fails_with 4 "it is given to nobody" croft kext check b restored.ko
t_fails_with 4 "nor registered again" croft kext register restored.ko
t_is "and each list has what the other has" "$(sed /^$/d state/kext.revoked | sort -u)" "$(sed /^$/d etc/kexts.revoked | sort -u)"
# One that can't be read hides nothing of the other.
t_croftd_stop
mv etc/kexts.revoked revoked && mkdir etc/kexts.revoked
t_croftd_start_at
t_is "a list that can't be read hides nothing of the other" "$(shown "$restored" .state)" REVOKED
t_like "and it is said that it can't" "$(cat croftd.log)" "it comes back when an older copy of the state directory is restored"
t_croftd_stop
rmdir etc/kexts.revoked && mv revoked etc/kexts.revoked
mv state/kext.revoked revoked
sqlite3 state/croft.db "DELETE FROM extension_revoked; DELETE FROM extension WHERE sha256 = '$restored'"
t_croftd_start_at
t_fails_with 4 "what only the administrator's list has is refused, too" croft kext register restored.ko
t_is "and listed beside the database again" "$(grep -c "$restored" state/kext.revoked)" 1
module third >third-plain.ko
xz -c third-plain.ko >third.ko
third=$(sha256 third.ko)
third_plain=$(sha256 third-plain.ko)
points=$("$BUILD/croftd" --list-crash-points)
for operation in register revoke; do t_like "there are crash points of $operation" "$points" "^$operation\\."; done
for point in $(echo "$points" | grep '^register\.'); do
        t_croftd_stop
        t_croftd_start_at $point
        croft kext register third.ko >/dev/null 2>&1
        t_wait_daemon
        t_croftd_start_at 2>/dev/null
        case $point in
        register.record.done) t_is "killed at $point it is registered" "$(shown third .state)" CURRENT ;;
        *)
                t_fails_with 3 "killed at $point it isn't registered" croft kext show third
                t_is "and there is no copy: $point" "$(copies | tr ' ' '\n' | grep -c -e "$third" -e "$third_plain" -e new)" 0
                ;;
        esac
        t_ok "it can be: $point" croft kext register third.ko
        t_is "with its copies: $point" "$(sha256 "state/kext/$third") $(sha256 "state/kext/$third_plain")" "$third $third_plain"
        t_croftd_stop
        sqlite3 state/croft.db "DELETE FROM extension WHERE name = 'third'"
        t_croftd_start_at
done
t_ok "it is registered" croft kext register third.ko
for point in $(echo "$points" | grep '^revoke\.'); do
        module "victim" text=$point >victim-plain.ko
        xz -c victim-plain.ko >victim.ko
        victim=$(sha256 victim.ko)
        victim_plain=$(sha256 victim-plain.ko)
        croft kext register victim.ko >/dev/null
        t_croftd_stop
        t_croftd_start_at $point
        croft kext revoke victim >/dev/null 2>&1
        t_wait_daemon
        t_croftd_start_at 2>/dev/null
        case $point in
        revoke.list) t_is "killed at $point it isn't revoked" "$(shown "$victim" .state) $(copies | tr ' ' '\n' | grep -c -e "$victim" -e "$victim_plain")" "CURRENT 2" ;;
        *) t_is "killed at $point it is revoked" "$(shown "$victim" .state) $(copies | tr ' ' '\n' | grep -c -e "$victim" -e "$victim_plain")" "REVOKED 0" ;;
        esac
done

# --- modules of the machine (test_kext_machine.sh, where there are some) ---------------------------------------------------

if [ ! -d "/lib/modules/$(uname -r)" ]; then
        t_fails_with 3 "without modules of a running kernel there is none by name" croft kext register brd
        t_fails_with 3 "nor in a package that isn't installed" croft kext register -a linux-image-6.1.0-none
        t_fails_with 3 "a package without modules is told" croft kext register -a coreutils
        real=$(find "${CROFT_CACHE:-$HOME/.cache/croft}"/guest/kernel-*/modules/ -name dummy.ko 2>/dev/null | head -n 1)
        if [ -n "$real" ]; then
                t_is "a module of Debian's kernel says what modinfo says" "$(croft kext id "$real" --format json | jq -r '"\(.vermagic) \(.signer)"')" \
                        "$(modinfo -F vermagic "$real") $(modinfo -F signer "$real")"
        else
                t_skip "a module of Debian's kernel says what modinfo says" "there is none on this machine"
        fi
fi
t_done
