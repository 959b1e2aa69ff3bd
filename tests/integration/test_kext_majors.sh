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
t_croftd_stop
t_done
