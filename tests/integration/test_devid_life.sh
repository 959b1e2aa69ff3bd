#!/bin/sh
# where: here guest
# Device numbers of partitions (DEV-A1, A4 to A7): what is granted, who has what, and that the dead have nothing.
. "$(dirname "$0")/../lib.sh"

inside() { # PARTITION WORD...
        inside_name=$1
        shift
        croft exec "$inside_name" -- /run/croft/bin/croft-devid "$@"
}
owners() { croft devid list --format json | jq -r 'map("\(.partition) \(.family) \(.instance) \(.device) \(.state)") | join("; ")'; }

t_croftd_start || exit 1
t_fails_with 2 "another family is refused" croft create a -s devices=tape:1
t_like "and what there is said" "$(cat "$T/error")" "give char, block, loop, dm, zram, nbd or cuse"
t_fails_with 2 "so is one twice" croft create a -s devices=char,char:2
t_fails_with 2 "and none" croft create a -s devices=char:0
t_ok "a partition may ask for majors" croft create a -s init=croft -s devices='char:2, block'
t_is "how many is said" "$(croft show a --format json | jq -r .properties.devices)" "char:2,block:4"
t_ok "another may, too" croft create b -s init=croft -s devices=char
t_ok "and one may not" croft create c -s init=croft
t_ok "they start" croft start a b c

# --- inside (DEV-A1) ------------------------------------------------------------------------------------------------------

t_is "one asks for a major" "$(inside a alloc char drv0)" "drv0 char 60 c 60 * reserved"
t_is "and has the same when it asks again" "$(inside a alloc -a char drv0)" "drv0 char 60 c 60 * assigned"
t_is "and minors of it" "$(inside a alloc -n 4 c60 units | cut -d' ' -f2-6)" "c60 0 c 60 0"
t_is "the other gets another" "$(inside b alloc char drv0)" "drv0 char 61 c 61 * reserved"
t_fails_with 3 "who has no grant has no family" croft exec c -- /run/croft/bin/croft-devid alloc char drv0
has_recorded() { croft error print "$1" | grep -qF "$2"; }
t_ok "which is on record (C-14)" t_wait_for has_recorded c "it asked for a device number of 'char', which it isn't granted"
t_fails_with 3 "nor minors of another's major" croft exec b -- /run/croft/bin/croft-devid alloc c60 mine
t_fails_with 3 "nor another's number to give back" croft exec b -- /run/croft/bin/croft-devid release c60 units
t_is "each lists its own" "$(inside b list)" "drv0 char 61 c 61 * reserved"
t_is "global lists all" "$(owners)" "a char drv0 60:* assigned; b char drv0 61:* reserved; a c60 units 60:0 reserved; a c60 units 60:1 reserved; a c60 units 60:2 reserved; a c60 units 60:3 reserved"
t_is "or one's" "$(croft devid list -z b --format json | jq -r '.[].instance')" drv0
t_ok "as a table" croft devid list
t_is "or by their names" "$(croft devid list -z b -q)" drv0
t_is "global has none of its own" "$(croft devid list -z global --format json | jq length)" 0
t_ok "it shows one" croft devid show -z a char drv0
t_ok "and takes one for a partition" croft devid alloc -z b -a char drv1
t_is "which that sees" "$(inside b show char drv1)" "drv1 char 62 c 62 * assigned"
t_fails_with 3 "of one that isn't there nobody has any" croft devid alloc -z nobody char drv0
t_is "no number of the host's is among them" "$(croft devid list --format json | jq -r '.[] | select(.family=="char") | .number' | sort >"$T/given"; awk '/^Block/ { exit } $1 ~ /^[0-9]+$/ { print $1 }' /proc/devices | sort | comm -12 - "$T/given")" ""

# --- who may open what (DEV-A8, DEV-25) -----------------------------------------------------------------------------------

# Makes a node in its /dev that everybody there may open, as only global can; says what comes of opening it.
opens() { # PARTITION TYPE MAJOR MINOR
        opens_node=/proc/$(field "$1" .pid)/root/dev/test-node
        rm -f "$opens_node"
        mknod -m 666 "$opens_node" "$2" "$3" "$4"
        croft exec "$1" -- sh -c 'exec 3<>/dev/test-node' 2>&1 | sed 's/.*: //'
        rm -f "$opens_node"
}
t_is "a number of its own can be opened, were there a driver" "$(opens a c 60 0)" "No such device or address"
t_is "another's can't" "$(opens b c 60 0)" "Operation not permitted"
t_is "nor one that nobody has" "$(opens a c 63 0)" "Operation not permitted"
t_is "nor memory" "$(opens a c 1 1)" "Operation not permitted"
t_is "nor a tun" "$(opens a c 10 200)" "Operation not permitted"
t_is "nor a disk" "$(opens a b 8 0)" "Operation not permitted"
t_is "nor a loop device, of which global has all" "$(opens a b 7 0)" "Operation not permitted"
t_is "what every partition has works" "$(opens a c 1 3)$(opens a c 1 9)$(opens c c 5 2)" ""
t_fails_with 1 "no node can be made inside" croft exec a -- mknod /dev/mine c 60 0
t_fails_with 1 "not in a namespace of its own either" croft exec a -- unshare -Urm sh -c 'mount -t tmpfs t /mnt && mknod /mnt/mine c 60 0'
t_ok "but whiteouts can" croft exec a -- unshare -Urm sh -c 'mount -t tmpfs t /mnt && cd /mnt && mkdir l u w m && touch l/x && mount -t overlay o -o lowerdir=l,upperdir=u,workdir=w,userxattr m && rm m/x && [ -c u/x ]'

# --- limits (DEV-A7) ------------------------------------------------------------------------------------------------------

inside a alloc char drv1 >"$T/out"
t_fails_with 6 "more than are granted are refused" croft exec a -- /run/croft/bin/croft-devid alloc char drv2
t_ok "which is on record" t_wait_for has_recorded a "it asked for more device numbers of 'char' than it is granted"
croft exec a -- sh -c 'n=0; while [ $n -lt 300 ]; do /run/croft/bin/croft-devid alloc char drv2; n=$((n + 1)); done' >/dev/null 2>&1
t_is "once, however often it asks" "$(croft error print a | grep -c 'than it is granted')" 1
t_ok "others get theirs" croft exec b -- /run/croft/bin/croft-devid alloc char drv3
t_ok "more are granted while it runs" croft set a devices=char:3
t_ok "and given" croft exec a -- /run/croft/bin/croft-devid alloc char drv2
t_ok "none any more" croft set a --unset devices
t_fails_with 3 "and none is given" croft exec a -- /run/croft/bin/croft-devid alloc char drv4
t_ok "what it has it can give back" croft exec a -- /run/croft/bin/croft-devid release char drv2
t_ok "the record is cleared" croft error clear a
t_fails_with 3 "and what is refused then" croft exec a -- /run/croft/bin/croft-devid alloc char drv4
t_ok "is told again" t_wait_for has_recorded a "which it isn't granted"
# While there is no croftd.
croft error clear c
croft exec c -- mkfifo /go
croft exec c -- sh -c 'touch /waits; read x </go; /run/croft/bin/croft-devid alloc char drv0; touch /gone' >/dev/null 2>&1 &
root_of_c=/proc/$(field c .pid)/root
has_asked() { [ -e "$root_of_c/gone" ]; }
waits() { [ -e "$root_of_c/waits" ]; }
t_wait_for waits
t_croftd_kill
timeout "$T_PATIENCE" sh -c "echo now >'$root_of_c/go'"
t_ok "one asks while there is no croftd" t_wait_for has_asked
t_croftd_start
t_ok "which the next one puts on record" t_wait_for has_recorded c "which it isn't granted"
t_fails_with 2 "a wrong word is told" croft exec a -- /run/croft/bin/croft-devid allocate char drv4

# --- ours die (DEV-A6) ----------------------------------------------------------------------------------------------------

before=$(owners)
pid_of_a=$(field a .pid)
# Runs a command in the control group of a process.
in_cgroup() { # PID COMMAND...
        in_cgroup_dir=$(sed -n 's/^0:://p' "/proc/$1/cgroup")
        shift
        sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$unified$in_cgroup_dir" "$@"
}
unified=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
kill -9 "$t_daemon"
wait "$t_daemon" 2>/dev/null
t_is "without a croftd all are there" "$(croft devid list --format json | jq -r '.[].device' | tr '\n' ' ')" \
        "$(echo "$before" | tr ';' '\n' | awk '{ print $(NF - 1) }' | tr '\n' ' ')"
t_ok "and more are given" croft devid alloc char own
t_is "which global lists as its own" "$(croft devid list -z global --format json | jq -r ".[].instance")" own
nodes() { # outside of croft: nobody is there to be asked
        nodes_dev=/proc/$1/root/dev
        mknod -m 666 "$nodes_dev/test-own" c 60 0
        mknod -m 666 "$nodes_dev/test-other" c 61 0
        in_cgroup "$1" sh -c 'for n in own other; do { exec 3<>"$0/test-$n"; } 2>&1 | sed "s/.*: //"; done' "$nodes_dev" | tr '\n' ' ' | sed 's/ $//'
        rm -f "$nodes_dev"/test-*
}
without=$(nodes "$pid_of_a")
before=$(croft devid list --format json | jq -r '.[] | "\(.family) \(.instance) \(.device)"')
t_croftd_start
t_is "who may open what holds without a croftd" "$without" "No such device or address Operation not permitted"
t_is "the next croftd finds all" "$(croft devid list --format json | jq -r '.[] | "\(.family) \(.instance) \(.device)"')" "$before"

# --- the partition dies (DEV-A5) ------------------------------------------------------------------------------------------

kill -9 "$(field a .pid)"
gone() { [ "$(croft devid list -z a --format json | jq length)" = 0 ]; }
t_ok "with its init a partition loses all" t_wait_for gone
t_is "the lowest is given again" "$(croft devid alloc char next --format json | jq .number)" 60
t_ok "b stops" croft stop b
t_is "and has none" "$(croft devid list -z b --format json | jq length)" 0
t_ok "a of the same name" sh -c 'croft remove --force a && croft create a -s init=croft -s devices=char && croft start a'
t_is "has none" "$(inside a list)" ""

# --- restart (DEV-A9, DEV-22) ---------------------------------------------------------------------------------------------

croft devid release char own
croft devid release char next
t_ok "who has a major, a group of its minors" sh -c 'croft exec a -- /run/croft/bin/croft-devid alloc -a char drv0 && croft exec a -- /run/croft/bin/croft-devid alloc -n 4 -b 4 -v 7 c60 units'
had=$(owners)
t_ok "is restarted" croft restart a
t_is "and has the same" "$(owners)" "$had"
t_ok "it stops" croft stop a
t_is "and has none meanwhile" "$(owners)" ""
t_ok "another takes its major" croft devid alloc char thief
t_ok "it starts" croft start a
t_is "with others" "$(croft devid list -z a --format json | jq -r '.[] | "\(.family) \(.instance) \(.device) \(.virtual) \(.state)"')" \
        "char drv0 61:* null assigned
c61 units 61:0 7 reserved
c61 units 61:1 7 reserved
c61 units 61:2 7 reserved
c61 units 61:3 7 reserved"
t_like "which is on record" "$(croft error print a)" "its device number for 'drv0' was 60 of family 'char' and is 61"
t_like "for the minors, too" "$(croft error print a)" "its device number for 'units' was 0 of family 'c60' and is 0 of 'c61'"
t_ok "granted less" sh -c 'croft stop a && croft set a --unset devices && croft start a'
t_is "it has none" "$(croft devid list -z a --format json | jq length)" 0
t_like "nor minors of another's major" "$(croft error print a)" "device number 0 of family 'c61' for 'units' is lost"
t_like "and is told" "$(croft error print a)" "for 'drv0' is lost"
croft devid release char thief
t_ok "granted again" sh -c 'croft stop a && croft set a devices=char && croft start a'
t_is "it has none that it didn't have last" "$(croft devid list -z a --format json | jq length)" 0
t_ok "it takes one" croft exec a -- /run/croft/bin/croft-devid alloc char drv0
croft stop a
printf 'char 60 1 1 4294967295 1 zz\n' >"$T/state/partitions/$(field a .id)/devids"
t_ok "with a damaged file it starts" croft start a
t_like "and says so" "$(croft error print a)" "the file of its device numbers is damaged"

# --- ours die again and again, while numbers come and go (DEV-A6) ---------------------------------------------------------

# Two at once, for the same names: each turn takes a major and two minors, and gives all back.
turns=$(if [ -n "${CROFT_GUEST:-}" ]; then echo 40; else echo 100; fi) # the guest is 30 times slower
cat >"$T/cycles" <<'SH'
devid=/run/croft/bin/croft-devid
failed=0
touch /cycle$1
for i in $(seq $2); do
        $devid alloc char cycle$1 >/dev/null && major=$($devid show char cycle$1 | cut -d' ' -f3) &&
                $devid alloc c$major one >/dev/null && $devid alloc -n 8 -b 8 c$major eight >/dev/null &&
                $devid release c$major one && $devid release c$major eight && $devid release char cycle$1 || failed=$((failed + 1))
done
echo "$failed"
SH
croft exec a -- sh -s 1 $turns <"$T/cycles" >"$T/cycles1" 2>&1 &
cycles=$!
croft exec a -- sh -s 2 $turns <"$T/cycles" >"$T/cycles2" 2>&1 &
cycles="$cycles $!"
root_of_a=/proc/$(field a .pid)/root
cycle() { [ -e "$root_of_a/cycle1" ] && [ -e "$root_of_a/cycle2" ]; }
t_ok "two take and give back numbers" t_wait_for cycle
for i in 1 2 3 4; do
        sleep 0.3
        kill -9 "$t_daemon"
        wait "$t_daemon" 2>/dev/null
        t_croftd_start
done
wait $cycles
t_is "none of $((12 * turns)) calls failed for it" "$(cat "$T/cycles1" "$T/cycles2" | tr '\n' ' ')" "0 0 "
t_is "and nothing is left of them" "$(croft devid list -z a --format json | jq -r '[.[] | select(.instance | test("cycle|one|eight"))] | length')" 0

# --- both die -------------------------------------------------------------------------------------------------------------

t_ok "it takes one" croft exec a -- /run/croft/bin/croft-devid alloc char drv0
pid=$(field a .pid)
kill -9 "$t_daemon" "$pid"
wait "$t_daemon" 2>/dev/null
t_croftd_start
t_ok "who died without a croftd has none" t_wait_for gone
t_is "nothing is left in the table" "$(owners)" ""
t_done
