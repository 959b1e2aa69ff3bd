#!/bin/sh
# where: here guest
# timeout: 600
# Statistics of mounts: KST-A1 and KST-A4, other namespaces, copies.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../mounts.sh"

# --- KST-A1 ---
within a mkdir -p /mnt/x
t_ok "a tmpfs is mounted inside" within a mount -t tmpfs tmpfs /mnt/x
t_ok "and 10 MiB are written to it at once" within a dd if=/dev/zero of=/mnt/x/f bs=65536 count=160
i=$(mount_id a /mnt/x)
t_ok "its structure is there in global" t_wait_for known "$i"
t_ok "and inside" t_wait_for inside a "$i"
t_is "all that was written is counted, from the first byte on" "$(value "$i" io nwritten)" 10485760
t_is "in as many operations" "$(value "$i" io writes)" 160
t_is "inside it is the same" "$(inside a "$i" | awk -F'\t' '$1 == "nwritten" { print $2 }')" 10485760
t_is "mntinfo says where it is" "$(value "$i" mntinfo mountpoint)" /mnt/x
t_is "and what it is" "$(value "$i" mntinfo fstype)" tmpfs
t_is "and whose" "$(value "$i" mntinfo partition)" "$(field a .id)"
within b /root/t-kstat "$inside" find mount "$i" io >"$T/foreign" 2>&1
t_is "another partition is told that there is none" $? 3
within b /root/t-kstat "$inside" find mount 999999999 io >"$T/nothing" 2>&1
t_is "as for a key that never was" $? 3
t_ok "byte for byte the same" cmp "$T/foreign" "$T/nothing"
within a dd if=/mnt/x/f of=/dev/null bs=65536 2>/dev/null
t_is "what is read is counted" "$(value "$i" io nread)" 10485760
root=$(mount_id a /)
t_is "what global mounted before init is global's" "$(value "$root" mntinfo base)" 1
t_fails_with 3 "the partition doesn't see it" within a /root/t-kstat "$inside" find mount "$root" io
t_ok "unless the manager records it for it, too" croft set a mount.base=yes
t_is "which says so" "$(inside a "$root" | head -n 1)" "$(t-kstat "$global" find mount "$root" io | head -n 1)"
t_fails_with 3 "and for nobody else" within b /root/t-kstat "$inside" find mount "$root" io
t_ok "what it takes back" croft set a mount.base=no
t_fails_with 3 "isn't seen any more" within a /root/t-kstat "$inside" find mount "$root" io

# --- KST-A4 ---
kid=$(value "$i" io kid)
t_fails_with 3 "with umount(8) the key is gone, at once, for who is inside" \
        within a sh -c "umount /mnt/x; /root/t-kstat $inside find mount $i io"
t_fails_with 3 "and for global" t-kstat "$global" read "$kid"
within a mount -t tmpfs tmpfs /mnt/x
i=$(mount_id a /mnt/x)
t_ok "the next mount of the same place has a structure" t_wait_for known "$i"
t_isnt "with a new kid" "$(value "$i" io kid)" "$kid"
t_is "that begins at zero" "$(value "$i" io nwritten)" 0
kid=$(value "$i" io kid)
(within a sh -c 'exec 3>/mnt/x/open; echo; sleep 1000' >"$T/opened" &)
t_wait_for test -s "$T/opened"
t_fails_with 3 "a lazy umount with a file open ends it as well" within a sh -c "umount -l /mnt/x; /root/t-kstat $inside find mount $i io"
listed() { t-kstat "$global" list | grep -q "^$1 "; }
unlisted() { ! listed "$1"; }
t_ok "and it leaves the list" t_wait_for unlisted "$kid"

id=$(field a .id)
nothing_of() { ! t-kstat "$global" mounts | grep -q "^$1 "; }
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
t_unlike "the other partition never saw any" "$(within b /root/t-kstat "$inside" list)" " mount:$i:"

# --- copies and other namespaces ---
within a mkdir -p /mnt/x /mnt/y
remount
within a dd if=/dev/zero of=/mnt/x/f bs=1000 count=7 2>/dev/null
within a mount --bind /mnt/x /mnt/y
j=$(mount_id a /mnt/y)
t_ok "a bind mount has a structure of its own" t_wait_for known "$j"
t_is "that begins at zero" "$(value "$j" io nwritten)" 0
within a dd if=/dev/zero of=/mnt/y/f bs=1000 count=3 2>/dev/null
t_is "and counts what is done through it" "$(value "$j" io nwritten)" 3000
t_is "alone" "$(value "$i" io nwritten)" 7000
(within a unshare -m sh -c 'mount -t tmpfs tmpfs /mnt/y; dd if=/dev/zero of=/mnt/y/f bs=100 count=5 2>/dev/null
        awk '\''$5 == "/mnt/y" { id = $1 } END { print id }'\'' /proc/self/mountinfo; exec sleep 1000' >"$T/nested" &)
t_wait_for test -s "$T/nested"
j=$(cat "$T/nested")
t_ok "a mount within a namespace that the partition made has one" t_wait_for known "$j"
t_is "and is counted" "$(value "$j" io nwritten)" 500
t_ok "structures and the kernel's tables are equal" all_equal a
within a pkill -f 'sleep 1000'
t_ok "they go with the namespace" t_wait_for unknown "$j"
within a mkdir -p "/mnt/a
b"
within a mount -t tmpfs 'what\ever' "/mnt/a
b"
i=$(within a sh -c 'tail -n 1 /proc/self/mountinfo' | cut -d' ' -f1)
t_wait_for known "$i"
t_is "what a partition wrote is escaped" "$(value "$i" mntinfo mountpoint) $(value "$i" mntinfo special)" '/mnt/a\012b what\134ever'
t_done
