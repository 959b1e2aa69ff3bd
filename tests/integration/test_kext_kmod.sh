#!/bin/sh
# where: guest
# KXT-22: the programs that load and unload modules, unmodified, of Debian 11 (kmod 28) and 13 (kmod 34) and of busybox; kmod 30 of Debian 12 is
# in test_kext_load.sh.  All that a program is asked is asked in one go, which spares an emulated CPU much.
. "$(dirname "$0")/../lib.sh"

there() { for m; do if grep -q "^$m " /proc/modules; then echo there; else echo gone; fi; done | sort -u; }
holders() { croft kext list --holders --format json | jq -r '.[] | "\(.name) \(.via)"' | sort | tr '\n' ';'; }

modprobe -q -r dummy brd br_netfilter bridge # what other tests had loaded, and what it needs
t_croftd_start || exit 1
cd "$T" || exit 1
release=$(uname -r)
mkdir -p "modules/$release/kernel"
for m in dummy brd llc stp bridge br_netfilter; do cp "$(modinfo -n $m)" "modules/$release/kernel/" || exit 1; done
mkdir -p tree/lib && mv modules tree/lib/ && depmod -b "$T/tree" 2>/dev/null
croft kext register dummy brd br_netfilter >/dev/null || exit 1
for p in a b; do
        croft create $p -s init=croft >/dev/null && croft start $p || exit 1
        tar -C tree -cf - lib | croft exec $p -- sh -c 'set -e; cd /root; tar -xf -
                cp -a /opt/kmod/bullseye /opt/kmod/trixie .
                mkdir -p busybox/bin busybox/sbin
                cp /bin/busybox busybox/bin/
                for n in modprobe insmod rmmod lsmod modinfo; do ln -s ../bin/busybox busybox/sbin/$n; done
                for t in bullseye trixie busybox; do
                        mkdir -p $t/proc $t/sys $t/lib && cp -a lib/modules $t/lib/ && cp lib/modules/*/kernel/dummy.ko $t/copy.ko
                        mount --rbind /proc $t/proc && mount --rbind /sys $t/sys
                done' || exit 1
done
croft kext grant a dummy && croft kext grant a br_netfilter || exit 1

# PARTITION TREE <COMMANDS: each runs there, and gives a line "WHAT IT SAID;=STATUS".  `said N` is the Nth.
ask() {
        croft exec "$1" -- env PATH=/sbin:/bin:/usr/sbin:/usr/bin sh -c 'while read -r line; do
                said=$(chroot "/root/$0" $line 2>&1 </dev/null)
                status=$?
                echo "$(echo "$said" | tr "\n" ";")=$status"
        done' "$2" >said
}
said() { sed -n "$1p" said; }
names() { tr ';' '\n' | sed 's/ .*//; s/^=.*//' | grep -v -e '^Module$' -e '^$' | tr '\n' ' '; }

for tree in bullseye trixie busybox; do
        case $tree in
        busybox)
                exists="insmod: can't insert '/copy.ko': File exists;=17"
                refused="modprobe: can't load module brd \(.*brd.ko.*\): Operation not permitted;=1"
                absent="rmmod: can't unload module 'brd': .*;=1"
                ;;
        *)
                exists="insmod: ERROR: could not insert module /copy.ko: File exists;=1"
                refused="modprobe: ERROR: could not insert 'brd': Operation not permitted;=1"
                absent="rmmod: ERROR: Module brd is not currently loaded;=1"
                ;;
        esac
        ask a $tree <<END
modprobe dummy
modprobe dummy
lsmod
modinfo -F name dummy
insmod /copy.ko
rmmod dummy
insmod /copy.ko
modprobe -r dummy
modprobe brd
rmmod brd
END
        t_is "$tree: modprobe loads it" "$(said 1)" ";=0"
        t_is "$tree: again is no error" "$(said 2)" ";=0"
        t_is "$tree: lsmod shows what the partition has" "$(said 3 | names)" "dummy "
        t_is "$tree: modinfo knows it" "$(said 4)" "dummy;=0"
        t_is "$tree: insmod of what is there already is told so" "$(said 5)" "$exists"
        t_is "$tree: rmmod unloads it" "$(said 6)" ";=0"
        t_is "$tree: insmod loads a copy" "$(said 7)" ";=0"
        t_is "$tree: modprobe -r unloads it" "$(said 8) $(there dummy) $(holders)" ";=0 gone "
        t_like "$tree: what isn't granted is refused, in its usual words" "$(said 9)" "^$refused\$"
        t_like "$tree: and isn't there to be unloaded" "$(said 10)" "^$absent\$"
        t_is "$tree: nor loaded" "$(there brd)" gone
done

# --- what docker asks for when it starts, and goes on without ---------------------------------------------------------------

ask b trixie <<END
modprobe -va bridge br_netfilter
lsmod
END
t_is "docker's look for bridges is refused where nothing is granted" "$(said 1 | sed 's/insmod [^;]*;//g')" "modprobe: ERROR: could not insert 'bridge': Operation not permitted;modprobe: ERROR: could not insert 'br_netfilter': Operation not permitted;=1"
t_is "and nothing is loaded" "$(said 2 | names)$(there llc stp bridge br_netfilter)" gone
croft exec b -- ip link show bridge >/dev/null 2>&1 # its image's way to have the kernel load it
t_is "not by the kernel itself either" "$(there llc stp bridge br_netfilter)" gone
# kmod 28 takes away all that isn't needed any more, 34 what the module itself needs: on the host it is the same.
ask a bullseye <<END
modprobe -va bridge br_netfilter
lsmod
modprobe -r br_netfilter
END
t_is "where br_netfilter is granted it has it with what that needs, which modprobe loads one by one" "$(said 1 | tr ';' '\n' | sed -n 's,.*/kernel/,,p' | sed 's/\.ko.*//' | sort | tr '\n' ' ')$(said 1 | sed 's/.*=/=/')" "br_netfilter bridge llc stp =0"
t_is "all of it is shown" "$(said 2 | names | tr ' ' '\n' | sort | xargs)" "br_netfilter bridge llc stp"
t_is "and goes with it" "$(said 3) $(there llc stp bridge br_netfilter) $(holders)" ";=0 gone "
croft kext load a br_netfilter
t_is "a command brings them along, too" "$(holders)" "br_netfilter command;bridge dependency;llc dependency;stp dependency;"
t_ok "a bridge can be made then" croft exec a -- ip link add br0 type bridge
croft exec a -- ip link del br0
t_ok "which goes again" croft kext unload a br_netfilter
croft kext load a dummy
t_ok "so can a link of a kind that it holds" croft exec a -- ip link add d0 type dummy
t_done
