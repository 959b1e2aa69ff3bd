#!/bin/sh
# where: here guest
# timeout: 300
# Statistics of mounts: KST-A1 and KST-A4, other namespaces, copies, a partition that mounts without end, deaths of ours.
. "$(dirname "$0")/../lib.sh"
PATH=$BUILD/tests/kit:$PATH

t_croftd_start || exit 1
global=$T/run/bpf/kstat/kstat
inside=/run/croft/kstat/kstat
for name in a b; do
        t_ok "partition '$name' is made" croft create "$name"
        t_ok "and started" croft start "$name"
        mkdir -p "$T/state/partitions/$(field "$name" .id)/rw"
done
# The tool that asks by nothing but bpf(2), inside: handed in by standard input.
for name in a b; do
        croft exec "$name" -- sh -c 'cat >/root/t-kstat && chmod 755 /root/t-kstat' <"$BUILD/tests/kit/t-kstat"
done

in() { # PARTITION COMMAND...
        t_who=$1
        shift
        croft exec "$t_who" -- "$@" </dev/null
}
mount_id() { in "$1" awk -v at="$2" '$5 == at { id = $1 } END { print id }' /proc/self/mountinfo; }
value() { t-kstat "$global" find mount "$1" "$2" 2>/dev/null | awk -F'\t' -v key="$3" '$1 == key { print $2 }'; }
inside() { in "$1" /root/t-kstat "$inside" find mount "$2" io; }
known() { t-kstat "$global" find mount "$1" io; }
unknown() { ! known "$1"; }
settled() { # as many mntinfo as mounts in namespaces of the partition's processes, but those that global made
        t_there=$(t-kstat "$global" list | grep -c ':mntinfo$')
        sleep 0.3
        [ "$t_there" = "$(t-kstat "$global" list | grep -c ':mntinfo$')" ]
}
# Mount ids in all namespaces of the partition's processes, from the kernel's own tables, and those that have structures.
kernel_mounts() {
        for t_pid in $(partition_pids "$1"); do
                echo "$(readlink "/proc/$t_pid/ns/mnt") $t_pid"
        done | sort -u -k1,1 | while read -r t_ns t_pid; do
                sed "s/ .*//" "/proc/$t_pid/mountinfo"
        done | sort -un
}
partition_pids() {
        t_id=$(field "$1" .id)
        find /sys/fs/cgroup -path "*/croft.*/$t_id*" -path "*croft-test.$$*" -name cgroup.procs -exec cat {} + 2>/dev/null | sort -un
}
our_mounts() {
        t_id=$(field "$1" .id)
        t-kstat "$global" list | sed -n 's/^\([0-9]*\) mount:\([0-9]*\):mntinfo$/\1 \2/p' | while read -r t_kid t_mount; do
                [ "$(t-kstat "$global" read "$t_kid" | awk -F'\t' '$1 == "partition" { print $2 }')" = "$t_id" ] && echo "$t_mount"
        done | sort -un
}
equal() { [ "$(kernel_mounts "$1")" = "$(our_mounts "$1")" ]; }

# --- KST-A1 ---
in a mkdir -p /mnt/x
t_ok "a tmpfs is mounted inside" in a mount -t tmpfs tmpfs /mnt/x
t_ok "and 10 MiB are written to it at once" in a dd if=/dev/zero of=/mnt/x/f bs=65536 count=160
i=$(mount_id a /mnt/x)
t_ok "its structure is there in global" t_wait_for known "$i"
t_ok "and inside" t_wait_for inside a "$i"
t_is "all that was written is counted, from the first byte on" "$(value "$i" io nwritten)" 10485760
t_is "in as many operations" "$(value "$i" io writes)" 160
t_is "inside it is the same" "$(inside a "$i" | awk -F'\t' '$1 == "nwritten" { print $2 }')" 10485760
t_is "mntinfo says where it is" "$(value "$i" mntinfo mountpoint)" /mnt/x
t_is "and what it is" "$(value "$i" mntinfo fstype)" tmpfs
t_is "and whose" "$(value "$i" mntinfo partition)" "$(field a .id)"
in b /root/t-kstat "$inside" find mount "$i" io >"$T/foreign" 2>&1
t_is "another partition is told that there is none" $? 3
in b /root/t-kstat "$inside" find mount 999999999 io >"$T/nothing" 2>&1
t_is "as for a key that never was" $? 3
t_ok "byte for byte the same" cmp "$T/foreign" "$T/nothing"
in a dd if=/mnt/x/f of=/dev/null bs=65536 2>/dev/null
t_is "what is read is counted" "$(value "$i" io nread)" 10485760
root=$(mount_id a /)
t_is "what global mounted before init is global's" "$(value "$root" mntinfo base)" 1
t_fails_with 3 "the partition doesn't see it" in a /root/t-kstat "$inside" find mount "$root" io

# --- KST-A4 ---
kid=$(value "$i" io kid)
t_fails_with 3 "with umount(8) the key is gone, at once, for who is inside" \
        in a sh -c "umount /mnt/x; /root/t-kstat $inside find mount $i io"
t_fails_with 3 "and for global" t-kstat "$global" read "$kid"
in a mount -t tmpfs tmpfs /mnt/x
i=$(mount_id a /mnt/x)
t_ok "the next mount of the same place has a structure" t_wait_for known "$i"
t_isnt "with a new kid" "$(value "$i" io kid)" "$kid"
t_is "that begins at zero" "$(value "$i" io nwritten)" 0
kid=$(value "$i" io kid)
(in a sh -c 'exec 3>/mnt/x/open; echo; sleep 1000' >"$T/opened" &)
t_wait_for test -s "$T/opened"
t_fails_with 3 "a lazy umount with a file open ends it as well" in a sh -c "umount -l /mnt/x; /root/t-kstat $inside find mount $i io"
listed() { t-kstat "$global" list | grep -q "^$1 "; }
unlisted() { ! listed "$1"; }
t_ok "and it leaves the list" t_wait_for unlisted "$kid"

remount() {
        in a mount -t tmpfs tmpfs /mnt/x
        i=$(mount_id a /mnt/x)
        t_wait_for known "$i"
        kid=$(value "$i" io kid)
}
id=$(field a .id)
nothing_of() { ! t-kstat "$global" list | grep -q ":mntinfo$" || ! owned_by "$1"; }
owned_by() {
        t-kstat "$global" list | sed -n 's/^\([0-9]*\) mount:.*:mntinfo$/\1/p' | while read -r t_kid; do
                t-kstat "$global" read "$t_kid" | awk -F'\t' '$1 == "partition" { print $2 }'
        done | grep -qx "$1"
}
remount
t_ok "left mounted, the partition stops" croft stop a
t_fails_with 3 "no structure is left" t-kstat "$global" read "$kid"
t_ok "of none of its mounts" nothing_of "$id"
croft start a
remount
kill -9 "$(field a .pid)"
stopped() { [ "$(field a .state)" = Defined ]; }
t_ok "left mounted, its init is killed" t_wait_for stopped
t_fails_with 3 "no structure is left of that" t-kstat "$global" read "$kid"
croft start a
remount
t_ok "left mounted, it is restarted" croft restart a
t_fails_with 3 "no structure is left of that either" t-kstat "$global" read "$kid"
t_unlike "the other partition never saw any" "$(in b /root/t-kstat "$inside" list)" " mount:$i:"

# --- copies and other namespaces ---
in a mkdir -p /mnt/x /mnt/y
remount
in a dd if=/dev/zero of=/mnt/x/f bs=1000 count=7 2>/dev/null
in a mount --bind /mnt/x /mnt/y
j=$(mount_id a /mnt/y)
t_ok "a bind mount has a structure of its own" t_wait_for known "$j"
t_is "that begins at zero" "$(value "$j" io nwritten)" 0
in a dd if=/dev/zero of=/mnt/y/f bs=1000 count=3 2>/dev/null
t_is "and counts what is done through it" "$(value "$j" io nwritten)" 3000
t_is "alone" "$(value "$i" io nwritten)" 7000
(in a unshare -m sh -c 'mount -t tmpfs tmpfs /mnt/y; dd if=/dev/zero of=/mnt/y/f bs=100 count=5 2>/dev/null
        awk '\''$5 == "/mnt/y" { id = $1 } END { print id }'\'' /proc/self/mountinfo; exec sleep 1000' >"$T/nested" &)
t_wait_for test -s "$T/nested"
j=$(cat "$T/nested")
t_ok "a mount in a namespace that the partition made has one" t_wait_for known "$j"
t_is "and is counted" "$(value "$j" io nwritten)" 500
t_ok "structures and the kernel's tables are equal" t_wait_for equal a
in a pkill -f 'sleep 1000'
t_ok "they go with the namespace" t_wait_for unknown "$j"
in a mkdir -p "/mnt/a
b"
in a mount -t tmpfs 'what\ever' "/mnt/a
b"
i=$(in a sh -c 'tail -n 1 /proc/self/mountinfo' | cut -d' ' -f1)
t_wait_for known "$i"
t_is "what a partition wrote is escaped" "$(value "$i" mntinfo mountpoint) $(value "$i" mntinfo special)" '/mnt/a\012b what\134ever'

# --- deaths of ours ---
t_croftd_kill
in_pid=$(partition_pids a | head -n 1)
t_ok "while croftd is dead readers are answered" t-kstat "$global" find mount "$i" io
nsenter_a() { nsenter -t "$(partition_pids_of "$id_a" | head -n 1)" -m -p "$@"; }
t_croftd_start || exit 1
t_ok "the next one has the same structures" t_wait_for equal a
kill -9 "$(ps -eo pid,ppid,args | awk -v p="$t_daemon" '$2 == p && /croft-warden/ { print $1; exit }')" 2>/dev/null
t_ok "without its warden, too" t_wait_for equal a

# --- a hostile one ---
in b sh -c 'mkdir -p /mnt/z; mount -t tmpfs tmpfs /mnt/z'
z=$(mount_id b /mnt/z)
t_wait_for known "$z"
rounds=10000
[ -z "${CROFT_GUEST:-}" ] || rounds=300
cat >"$T/storm" <<'END'
n=$1
i=0
mkdir -p /mnt/s
while [ $i -lt $n ]; do
        mount -t tmpfs tmpfs /mnt/s; echo x >/mnt/s/f; umount /mnt/s
        i=$((i + 1))
done
END
croft exec a -- sh -c 'cat >/root/storm' <"$T/storm"
(in a sh /root/storm "$rounds" >/dev/null 2>&1; echo done >"$T/stormed") &
in b sh -c 'while [ ! -e /mnt/z/stop ]; do echo -n 1234567 >>/mnt/z/f; done' &
t_ok "another reads its own meanwhile: never torn" in b /root/t-kstat "$inside" spin mount "$z" io nwritten 7 writes 5
in b touch /mnt/z/stop
t_ok "mounts come and go $rounds times" env T_PATIENCE=250 sh -c '. /dev/null; until [ -e "$0" ]; do sleep 0.1; done' "$T/stormed"
t_ok "and afterwards structures and the kernel's tables are equal" t_wait_for equal a
t_ok "for both" t_wait_for equal b
t_done
