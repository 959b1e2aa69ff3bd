#!/bin/sh
# where: here guest
# timeout: 600
# Numbers of drivers of the machine (DEV-21, DEV-25, DEV-26): dm, zram, nbd and CUSE devices that are made for partitions with the
# numbers that they were given; what the machine makes without asking never is theirs; who has the number opens it and nobody else.
. "$(dirname "$0")/../lib.sh"

devid=/run/croft/bin/croft-devid
inside() { # PARTITION WORD...
        inside_name=$1
        shift
        croft exec "$inside_name" -- $devid "$@"
}
opens() { # PARTITION PATH: what comes of it
        croft exec "$1" -- sh -c 'exec 3<"$0"' "$2" 2>&1 | sed 's/.*: //'
}
# A node for a number in the /dev of a partition, as only global can make one; what comes of opening it there.
steals() { # PARTITION TYPE MAJOR MINOR
        steals_node=/proc/$(field "$1" .pid)/root/dev/theft
        mknod -m 666 "$steals_node" "$2" "$3" "$4"
        opens "$1" /dev/theft
        rm -f "$steals_node"
}
state() { croft devid list --format json | jq -r ".[] | select(.instance == \"$1\") | .state"; }
is_free() { [ -z "$(state "$1")" ]; }
loaded() { # FAMILY
        case $1 in
        dm) grep -q ' device-mapper$' /proc/devices ;;
        cuse) [ -e /sys/class/misc/cuse ] ;;
        *) grep -q " $1\$" /proc/devices ;;
        esac
}
lacks() { ! loaded "$1"; }
zrams() { ls -d /sys/block/zram* 2>/dev/null | tr '\n' ' '; }

as_before() { [ "$(zrams)" = "$zrams_before" ]; }

# However the test ends, none of its devices stays.
devices_away() {
        devices_status=$?
        [ -z "${cuse:-}" ] || kill "$cuse"
        for name in $(dmsetup ls 2>/dev/null | sed -n "s/^\(croft-test-$$-[a-z]*\).*/\1/p"); do dmsetup remove -f "$name"; done
        [ ! -b /dev/nbd1024 ] || nsenter -t 1 -n nbd-client -d /dev/nbd1024
        [ -z "${nbd_server:-}" ] || kill "$nbd_server"
        (exit $devices_status)
} 2>/dev/null >&2
trap 'devices_away; t_clean_up' EXIT

families="dm zram nbd cuse"
modprobe -q -r dm-mod zram nbd cuse 2>/dev/null
absent=
for family in $families; do loaded $family || absent="$absent $family"; done
zrams_before=$(zrams)

# --- without their drivers ------------------------------------------------------------------------------------------------

t_croftd_start || exit 1
t_ok "partitions may ask for them" croft create a -s init=croft -s devices=dm:2,zram:2,nbd:2,cuse:2
t_ok "others for less" croft create b -s init=croft -s devices=zram:1
t_ok "they start, whatever drivers there are" croft start a b
for family in $absent; do
        t_like "what lacks is on record: $family" "$(croft error print a)" "no number of family '$family': this machine hasn't loaded its driver \(modprobe"
        t_fails_with 1 "no number is given: $family" croft exec a -- $devid alloc "$family" x
        t_like "and the reason is said: $family" "$(cat "$T/error")" "this machine hasn't loaded the driver of family '$family'"
        t_fails_with 1 "nor to global: $family" croft devid alloc "$family" x
        t_ok "nothing was loaded for that: $family" lacks "$family"
done
for family in dm nbd cuse; do t_fails_with 3 "who isn't granted it isn't told: $family" croft exec b -- $devid alloc "$family" x; done

for module in dm-mod zram nbd cuse loop; do modprobe -q $module 2>/dev/null; done
case $absent in # the driver makes some itself, without a size
*zram*) zrams_before=$(for zram in /sys/block/zram*; do [ "$(cat "$zram/disksize")" != 0 ] || echo "$zram"; done 2>/dev/null | tr '\n' ' ') ;;
esac
for family in $absent; do
        if loaded $family; then
                t_ok "once it is loaded numbers are given: $family" t_wait_for croft devid alloc -z a "$family" first
                t_ok "and back: $family" sh -c 'croft devid release -z a "$1" first' sh "$family"
                t_ok "it is free: $family" t_wait_for is_free first
        fi
done

# --- dm -------------------------------------------------------------------------------------------------------------------

if loaded dm; then
        dm() { echo "croft-test-$$-$1"; }
        major=$(sed -n 's/^ *\([0-9]*\) device-mapper$/\1/p' /proc/devices)
        t_is "a number of dm is above those that the machine gives out" "$(croft devid alloc -z a --node data dm data --format json | jq -r '"\(.number) \(.device) \(.node)"')" "1024 $major:1024 data"
        t_is "asked inside, the next" "$(inside a alloc dm more | cut -d' ' -f2-6)" "dm 1025 b $major 1025"
        t_fails_with 6 "no more than are granted" croft exec a -- $devid alloc dm third
        t_is "there is no device yet" "$(opens a /dev/data)" "No such device or address"
        dmsetup create "$(dm own)" --table "0 2048 error"
        t_is "one that the machine makes has another number" "$(dmsetup info -c --noheadings -o minor "$(dm own)" | awk '{ print ($1 < 1024) }')" 1
        truncate -s 4M "$T/disk"
        printf 'the data of a' | dd of="$T/disk" conv=notrunc 2>/dev/null
        loop=$(losetup -f --show "$T/disk")
        t_ok "the administrator makes the device" dmsetup create "$(dm data)" -j "$major" -m 1024 --table "0 8192 linear $loop 0"
        losetup -d "$loop" # once nobody has it
        t_is "the partition reads it by its own name" "$(croft exec a -- head -c 13 /dev/data)" "the data of a"
        t_ok "and writes" croft exec a -- sh -c 'printf THE | dd of=/dev/data conv=notrunc,fsync 2>/dev/null'
        t_is "which is there" "$(head -c 13 "$T/disk")" "THE data of a"
        t_is "another can't open it" "$(steals b b "$major" 1024)" "Operation not permitted"
        t_is "nor one the machine's" "$(steals a b "$major" "$(dmsetup info -c --noheadings -o minor "$(dm own)")")" "Operation not permitted"
        t_is "nor the control of all" "$(steals a c 10 236)" "Operation not permitted"
        dmsetup create "$(dm high)" -j "$major" -m 1030 --table "0 2048 error"
        croft devid release -z a dm more
        t_ok "what was given back without a device is free" t_wait_for is_free more
        t_ok "a number that somebody has asked for there isn't given" sh -c 'for i in 5 6 7 8 9 10 11; do croft devid alloc -z b dm n$i; done'
        t_is "but the others are" "$(croft devid list -z b --format json | jq -c '[.[] | select(.family == "dm") | .number]')" "[1025,1026,1027,1028,1029,1031,1032]"
        for i in 5 6 7 8 9 10 11; do croft devid release -z b dm n$i; done

        t_ok "the partition is restarted" croft restart a
        t_is "its device is there again, with the number that it had" "$(croft devid show -z a dm data --format json | jq -r .number) $(croft exec a -- head -c 13 /dev/data)" "1024 THE data of a"
        t_ok "it stops" croft stop a
        t_is "while the device is there nobody else has its number" "$(state data)" draining
        t_fails_with 5 "not even by request" croft devid alloc -z b -p 1024 dm thief
        t_ok "it starts" croft start a
        t_is "and has it" "$(state data) $(croft exec a -- head -c 13 /dev/data)" "reserved THE data of a"
        t_ok "it gives the number back" croft exec a -- $devid release dm data
        t_is "the node has gone" "$(croft exec a -- sh -c 'ls /dev/data 2>/dev/null')" ""
        t_is "the number waits for the device to go" "$(state data)" draining
        t_is "nobody can open it" "$(steals a b "$major" 1024)" "Operation not permitted"
        t_ok "it goes" dmsetup remove "$(dm data)"
        t_ok "and the number is free" t_wait_for is_free data
        dmsetup remove "$(dm own)"
        dmsetup remove "$(dm high)"
else
        t_skip "dm devices" "this machine has no device-mapper"
fi

# --- zram -----------------------------------------------------------------------------------------------------------------

if loaded zram; then
        major=$(sed -n 's/^ *\([0-9]*\) zram$/\1/p' /proc/devices)
        swap=$(inside a alloc -N swap0 zram swap0 | cut -d' ' -f3)
        t_ok "a zram device is there when its number is given" test -d "/sys/block/zram$swap"
        t_is "and is in use, for those who look for one that isn't" "$(cat "/sys/block/zram$swap/disksize")" 4096
        t_is "the machine's next is another" "$(other=$(cat /sys/class/zram-control/hot_add) && echo "$other" >"$T/other" && croft devid list --format json | jq "[.[] | select(.family == \"zram\" and .number == $other)] | length")" 0
        t_ok "the administrator gives it a size" zramctl -s 1M "/dev/zram$swap"
        t_ok "the partition writes to it, by its own name" croft exec a -- sh -c 'echo secret >/dev/swap0'
        t_is "and reads" "$(croft exec a -- head -n 1 /dev/swap0)" secret
        t_is "another can't open it" "$(steals b b "$major" "$swap")" "Operation not permitted"
        t_is "nor one the machine's" "$(steals a b "$major" "$(cat "$T/other")")" "Operation not permitted"
        cat "$T/other" >/sys/class/zram-control/hot_remove
        t_ok "it is given back" croft exec a -- $devid release zram swap0
        t_ok "the number becomes free" t_wait_for is_free swap0
        t_is "another gets it" "$(inside b alloc -N z zram z | cut -d' ' -f3)" "$swap"
        t_is "with nothing in it" "$(cat "/sys/block/zram$swap/disksize") $(croft exec b -- sh -c 'tr -d "\0" </dev/z | wc -c')" "4096 0"
        t_fails_with 6 "no more than are granted" croft exec b -- $devid alloc zram more
        t_ok "somebody removes the device" sh -c 'echo "$1" >/sys/class/zram-control/hot_remove' sh "$swap"
        closed() { croft error print b | grep -q "device $swap of family 'zram' ('z') was removed by somebody"; }
        t_ok "which is on record" t_wait_for closed
        again=$(cat /sys/class/zram-control/hot_add)
        t_is "and what has its number then isn't the partition's" "$again $(opens b /dev/z)" "$swap Operation not permitted"
        echo "$again" >/sys/class/zram-control/hot_remove
        exec 5<"/dev/zram$(inside a alloc zram busy | cut -d' ' -f3)"
        t_ok "they stop" croft stop a b
        t_is "what somebody has open waits" "$(state busy)" draining
        exec 5<&-
        t_ok "another start finds it free" croft start a
        t_is "it has it again" "$(state busy)" reserved
        t_ok "all stop" croft stop a
        t_ok "no device is left" t_wait_for as_before
        t_croftd_stop
        CROFT_CRASH_AT=zram.made t_croftd_start
        croft start b >"$T/out" 2>&1
        t_wait_daemon
        t_is "croftd dies as it has made a zram device" $? 77
        t_croftd_start
        left=$(for zram in $(zrams); do case " $zrams_before" in *" $zram "*) ;; *) echo "${zram#/sys/block/zram}" ;; esac; done)
        t_like "one is left, the machine's" "$left" "^[0-9]+$"
        t_isnt "the next croftd makes others" "$(croft start b && inside b alloc zram z | cut -d' ' -f3)" "$left"
        t_is "and lets nobody open that one" "$(steals b b "$major" "$left")" "Operation not permitted"
        echo "$left" >/sys/class/zram-control/hot_remove
        t_ok "they start" sh -c 'croft stop b && croft start a b'
else
        t_skip "zram devices" "this machine has no zram"
fi

# --- nbd ------------------------------------------------------------------------------------------------------------------

if loaded nbd; then
        parts=$(cat /sys/module/nbd/parameters/max_part)
        shift=0
        while [ $((parts >> shift)) -gt 0 ]; do shift=$((shift + 1)); done
        minor=$((1024 << shift))
        t_is "a number of nbd has many minors" "$(croft devid alloc -z a --node net nbd net --format json | jq -r '"\(.number) \(.device)"')" "1024 43:$minor"
        truncate -s 4M "$T/served"
        printf 'served to a' | dd of="$T/served" conv=notrunc 2>/dev/null
        # The driver speaks in the machine's own network only.
        port=$(nsenter -t 1 -n python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])') # a free one
        nsenter -t 1 -n nbd-server "127.0.0.1:$port" "$T/served" -d -C /dev/null -M 1 2>"$T/nbd.log" >&2 &
        nbd_server=$!
        t_ok "the administrator connects the device of that number" t_wait_for nsenter -t 1 -n nbd-client 127.0.0.1 "$port" /dev/nbd1024
        t_is "the partition reads it" "$(croft exec a -- head -c 11 /dev/net)" "served to a"
        t_is "another can't" "$(steals b b 43 "$minor")" "Operation not permitted"
        t_is "nor can it open the machine's" "$(steals a b 43 0)" "Operation not permitted"
        t_ok "it gives it back" croft exec a -- $devid release nbd net
        t_is "which waits for the device to go" "$(state net)" draining
        nsenter -t 1 -n nbd-client -d /dev/nbd1024 >/dev/null 2>&1
        t_ok "the driver can be taken out when its device has gone" t_wait_for modprobe -r nbd
        t_ok "once it has gone it is free" t_wait_for is_free net
        t_fails_with 1 "the driver has gone, too" croft exec a -- $devid alloc nbd net
else
        t_skip "nbd devices" "this machine has no nbd"
fi

# --- CUSE -----------------------------------------------------------------------------------------------------------------

if loaded cuse; then
        t_is "a number of CUSE is of a major for local use" "$(inside a alloc -N meter cuse meter | cut -d' ' -f2-6)" "cuse 0 c 127 0"
        "$BUILD/tests/integration/cuse-device" 127 0 "croft-test-$$" "42 volts" &
        cuse=$!
        t_ok "a server registers it" t_wait_for test -c "/dev/croft-test-$$"
        t_is "the partition reads the device, under its own name" "$(croft exec a -- head -c 8 /dev/meter)" "42 volts"
        t_is "another can't" "$(steals b c 127 0)" "Operation not permitted"
        t_is "nobody has that major" "$(croft devid alloc char probe -p 127 2>&1 | grep -c "isn't free")" 1
        t_is "nor can it open what makes such devices" "$(steals a c 10 203)" "Operation not permitted"
        t_ok "it gives it back" croft exec a -- $devid release cuse meter
        t_is "which waits for the server to end" "$(state meter)" draining
        kill "$cuse"
        wait "$cuse" 2>/dev/null
        cuse=
        t_ok "then it is free" t_wait_for is_free meter
else
        t_skip "CUSE devices" "this machine has no CUSE"
fi

t_ok "all end" croft stop a b
t_is "nothing is left in the table" "$(croft devid list --format json | jq -c .)" "[]"
t_ok "nor of what croft made" t_wait_for as_before
t_done
