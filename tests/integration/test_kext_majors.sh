#!/bin/sh
# where: guest
# Modules that take majors of devices (KXT-25): only where that is granted; what comes with one is kept out of the table of device numbers,
# its devices are its holder's as far as they are listed, and of one that a partition has alone nobody else's.
. "$(dirname "$0")/../lib.sh"

there() { if grep -q "^$1 " /proc/modules; then echo there; else echo gone; fi; }
majors() { croft kext list --holders --format json | jq -r '.[] | "\(.name) \(.majors)"' | tr '\n' ';'; }
blocks() { sed -n '/^Block/,$p' /proc/devices | grep -c "^ *$1 "; } # MAJOR: is it a block driver's?
number() { croft exec "$1" -- /run/croft/bin/croft-devid alloc block "$2" | cut -d' ' -f3; }
in_a() { croft exec a -- sh -c "$1" 2>&1 | sed 's/.*: //'; }

modprobe loop # else croftd does, some time
for module in brd dm_mod; do # others may have left them
        ! grep -q "^$module " /proc/modules || modprobe -r $module || exit 1
done
mkdir "$T/etc"
printf 'ram:\n\tvalue = "/dev/ram*"\n' >"$T/etc/devexports"
t_croftd_start --config-dir "$T/etc" || exit 1
for p in a b; do croft create $p -s devices=block:3,ram && croft start $p || exit 1; done >/dev/null
croft kext register brd dm_mod dummy >/dev/null || exit 1
t_is "who takes majors is known before it is loaded" "$(for m in brd dm_mod dummy; do croft kext show $m --format json; done | jq -r '.takes_major' | tr '\n' ' ')" "true true false "

# --- granted or not -------------------------------------------------------------------------------------------------------

croft kext grant a brd --params rd_nr,rd_size
t_fails_with 4 "it isn't loaded where that isn't granted" croft kext load a brd rd_nr=2 rd_size=1024
t_like "which is said" "$(cat "$T/error")" "'brd' takes majors of devices, and 'a' isn't granted that with it"
croft exec a -- sh -c 'cat >/root/brd.ko' <"$(modinfo -n brd)"
t_is "nor by a call" "$(in_a 'insmod /root/brd.ko')" "Operation not permitted"
t_like "global knows why" "$(croft error print global)" "'brd' takes majors of devices, and 'a' isn't granted that with it"
t_is "nothing was loaded" "$(there brd)" gone
t_ok "it can be granted" croft kext grant a brd --major --local --params rd_nr,rd_size
t_is "which is listed" "$(croft kext list a --format json | jq -r '.[] | "\(.name) \(.local) \(.major)"')" "brd true true"
t_ok "then it is loaded" croft kext load a brd rd_nr=2 rd_size=1024
t_is "and which majors came with it is known" "$(majors)" "brd block 1;"

# --- its devices ----------------------------------------------------------------------------------------------------------

t_is "its holder has the devices that are listed" "$(in_a 'echo croft >/dev/ram0 && head -n 1 /dev/ram0')" croft
t_fails_with 5 "nobody else is given one, as it has it alone" croft device add b /dev/ram1
t_like "which is said" "$(cat "$T/error")" "'/dev/ram1' is of an extension that another partition has alone"
t_ok "nor by its property" sh -c 'croft stop b && croft start b'
t_is "it goes without" "$(croft device list b --format json | jq length)" 0
t_croftd_kill
t_croftd_start --config-dir "$T/etc"
t_fails_with 5 "the next croftd knows, too" croft device add b /dev/ram1
t_ok "it is unloaded" croft kext unload a brd
t_ok "and gone with its major" t_wait_for sh -c '! grep -q "^ *1 ramdisk" /proc/devices && ! grep -q ^brd /proc/modules'
t_ok "its devices are taken back" t_wait_for sh -c '[ "$(croft device list a --format json)" = "[]" ]'

# One that takes its time, and another one meanwhile: which major is whose is known all the same.
croft kext grant b dm_mod --major
croft kext load a brd rd_nr=200 rd_size=1024 &
slow=$!
t_ok "one takes its time to begin" t_wait_for sh -c 'croft kext list --holders --format json | grep -q LOADING'
t_ok "another one is loaded for another partition" croft kext load b dm_mod
wait $slow
t_is "each with its own" "$? $(majors | sed 's/\(dm_mod block\) [0-9]*/\1 N/')" "0 brd block 1;dm_mod block N;"
croft kext unload b dm_mod
croft kext unload a brd

# --- numbers that a partition has (DEV-21) --------------------------------------------------------------------------------

t_is "a partition has a major for local use" "$(number b mine)" 60
croft kext grant a dm_mod --major --params major
t_fails_with 5 "a module that takes the same isn't loaded" croft kext load a dm_mod major=60
t_like "which is said" "$(cat "$T/error")" "the major 60 of block devices has been given to a partition"
t_is "it was taken out again, with its major" "$(there dm_mod) $(majors)$(blocks 60)" "gone 0"
t_ok "with another one it is" croft kext load a dm_mod major=61
t_is "which is known" "$(majors)" "dm_mod block 61;"
t_is "and given to nobody meanwhile" "$(number b second)" 62
t_ok "it is unloaded" croft kext unload a dm_mod
given() { [ "$(number b third)" = 61 ] || { croft exec b -- /run/croft/bin/croft-devid release block third; false; }; }
t_ok "then the number is anybody's" t_wait_for given

# --- KXT-A5: a partition's device stays open when the partition has gone ------------------------------------------------------

croft kext grant a dummy && croft kext load a dummy && croft kext load a brd rd_nr=1 rd_size=1024
t_ok "it holds one that nobody uses, and one with a device" t_wait_for croft exec a -- test -b /dev/ram0
tainted=$(cat /proc/sys/kernel/tainted)
croft exec a -- python3 -c 'import os, time; d = os.open("/dev/ram0", os.O_RDONLY); open("/tmp/open", "w").write(str(d)); time.sleep(100000)' &
user=$!
init=$(field a .pid)
t_wait_for test -s "/proc/$init/root/tmp/open"
mkfifo "$T/go"
# Somebody has got that descriptor from the partition; pidfd_getfd(2) is the shortest way.
python3 -c 'import ctypes, os, sys
c = ctypes.CDLL(None, use_errno=True)
for p in filter(str.isdigit, os.listdir("/proc")):
    try: taken = [n for n in os.listdir(f"/proc/{p}/fd") if os.readlink(f"/proc/{p}/fd/{n}") == "/dev/ram0"]
    except OSError: continue
    if taken: break
if c.syscall(438, os.pidfd_open(int(p)), int(taken[0]), 0) < 0: sys.exit(os.strerror(ctypes.get_errno()))
print("has it", flush=True)
sys.stdin.readline()' <"$T/go" >"$T/took" 2>&1 &
other=$!
exec 8>"$T/go"
t_ok "somebody else has the descriptor, too" t_wait_for grep -q 'has it' "$T/took"
t_uptime && began=$t_now
kill -9 "$init"
t_ok "KXT-A5: its init is killed, and what nobody uses goes" t_wait_for sh -c '! grep -q ^dummy /proc/modules'
t_uptime
t_ok "KXT-A5: within 5 seconds, on a machine that isn't slow" t_between 0 $((t_now - began)) $((5 + 3 * $(t_pace)))
wait $user 2>/dev/null
t_is "KXT-A5: the other one is to go" "$(there brd) $(croft kext list --holders --format json | jq -r '.[] | "\(.name) \(.state)"')" "there brd PENDING_UNLOAD"
exec 8>&-
wait $other
t_ok "KXT-A5: and does as soon as the descriptor is gone" t_wait_for sh -c '! grep -q ^brd /proc/modules'
t_is "KXT-A5: nothing was forced" "$(cat /proc/sys/kernel/tainted)" "$tainted"

# --- more drivers of the kernel's package, by modprobe inside -----------------------------------------------------------------

t_wait_for sh -c '[ "$(croft show a --format json | jq -r .state)" = Defined ]'
croft start a
release=$(uname -r)
drivers="zram zsmalloc scsi_debug sd_mod scsi_mod scsi_common"
needed=$(for m in zram scsi_debug sd_mod; do modprobe --show-depends $m; done | awk '$1 == "insmod" { print $2 }' | sort -u)
mkdir -p "$T/tree/lib/modules/$release/kernel"
# shellcheck disable=SC2086 # several
cp $needed "$T/tree/lib/modules/$release/kernel/" && depmod -b "$T/tree" 2>/dev/null
tar -C "$T" -cf - tree | croft exec a -- tar -C /root -xf -
modprobe_in_a() { in_a "modprobe -d /root/tree $* && echo done"; }
left() { for m in $drivers; do [ "$(there $m)" = gone ] || echo $m; done | xargs; }
none_left() { [ -z "$(left)" ]; }
disk() { find /sys/block/ -name 'sd*' -exec cat {}/size {}/device/model \; | xargs; } # of 512 bytes
modprobe -q -r $drivers
for options in "zram num_devices=2" sd_mod "scsi_debug dev_size_mb=8" "-r scsi_debug" "-r sd_mod" "-r zram"; do modprobe -d "$T/tree" $options; done
left_in_global=$(left) # what modprobe(8) leaves there: what needed it was there when it looked
modprobe -q -r $drivers
awk '{ print $1 }' /proc/modules | sort >"$T/before"
croft kext register zram scsi_debug sd_mod >/dev/null
t_is "who of them takes majors is known" "$(for m in zram scsi_debug sd_mod; do croft kext show $m --format json; done | jq -r .takes_major | xargs)" "true false true"
croft kext grant a scsi_debug --params dev_size_mb && croft kext grant a zram && croft kext grant a sd_mod
t_is "zram isn't loaded where majors aren't granted" "$(modprobe_in_a zram) $(there zram)" "Operation not permitted gone"
croft kext grant a zram --major --params num_devices && croft kext grant a sd_mod --major
t_is "where they are it is" "$(modprobe_in_a zram num_devices=2)" done
t_is "with its devices, and a major that is known" "$(ls -d /sys/block/zram* | xargs) $(majors | grep -c 'zram block [0-9]')" "/sys/block/zram0 /sys/block/zram1 1"
t_is "disks of scsi_debug come with a driver for disks" "$(modprobe_in_a sd_mod) $(modprobe_in_a scsi_debug dev_size_mb=8)" "done done"
there_is_a_disk() { [ "$(disk)" = "16384 scsi_debug" ]; }
t_ok "it is there" t_wait_for there_is_a_disk
t_is "nothing is loaded that the partition hasn't got" "$(awk '{ print $1 }' /proc/modules | sort | comm -13 "$T/before" - | xargs)" \
        "$(croft kext list --holders --format json | jq -r '.[] | select(.partition == "a").name' | sort | xargs)"
t_is "lsmod shows them inside" "$(croft exec a -- lsmod | awk 'NR > 1 { print $1 }' | sort | xargs)" "$(awk '{ print $1 }' /proc/modules | sort | comm -13 "$T/before" - | xargs)"
t_is "modprobe -r takes them away" "$(for m in scsi_debug sd_mod zram; do modprobe_in_a -r $m; done | xargs)" "done done done"
t_is "with what it takes away in global" "$(left)" "$left_in_global"
for m in $left_in_global; do modprobe_in_a -r $m >/dev/null; done
t_ok "and the rest when it is told to" t_wait_for none_left
t_is "and their devices" "$(disk)$(ls /sys/block /dev | grep -c zram) $(grep -cw -e zram -e sd /proc/devices) $(majors)" "0 0 "
t_croftd_stop
t_done
