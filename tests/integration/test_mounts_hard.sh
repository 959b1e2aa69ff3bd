#!/bin/sh
# where: here
# timeout: 900
# Statistics of mounts when we die, and when a partition mounts without end (KST-A9, KST-A10).
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../mounts.sh"

# --- deaths of ours ---
within a mkdir -p /mnt/x
remount
t_croftd_kill
t_ok "while croftd is dead readers are answered" t-kstat "$global" find mount "$i" io
t_croftd_start || exit 1
t_ok "the next one has the same structures" all_equal a
ps -eo pid,ppid,args | awk -v p="$t_daemon" '$2 == p && /croft-warden/ { print $1 }' | xargs -r kill -9
t_ok "without its warden, too" all_equal a

# --- a hostile one ---
within b sh -c 'mkdir -p /mnt/z; mount -t tmpfs tmpfs /mnt/z'
z=$(mount_id b /mnt/z)
t_wait_for known "$z"
rounds=10000
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
within a sh /root/storm "$rounds" >/dev/null 2>&1 &
storm=$!
within b sh -c 'while [ ! -e /mnt/z/stop ]; do echo -n 1234567 >>/mnt/z/f; done' &
t_ok "another reads its own meanwhile: never torn" within b /root/t-kstat "$inside" spin mount "$z" io nwritten 7 writes 5
within b touch /mnt/z/stop
t_ok "mounts come and go $rounds times" wait "$storm" # as long as the test may take
T_PATIENCE=250
t_ok "and afterwards structures and the kernel's tables are equal" all_equal a
t_ok "for both" all_equal b

# --- more than there is room for ---
# --- two at once: the kernel gives the number of one's mount to the other before the structure of the first has ended ---
croft exec b -- sh -c 'cat >/root/storm' <"$T/storm"
(within b sh /root/storm 1000 >/dev/null 2>&1; touch "$T/stormed.b") &
(within a sh /root/storm 1000 >/dev/null 2>&1; touch "$T/stormed.a") &
t_ok "two mount and unmount at once" t_wait_for test -e "$T/stormed.a" -a -e "$T/stormed.b"
t_ok "structures and the kernel's tables are equal" all_equal a
t_ok "for both" all_equal b

metric() { curl -sS --unix-socket "$CROFT_SOCKET" http://croft/metrics | awk -v name="$1" '$1 == name { print $2 }'; }
refused() { [ "$(metric croft_mounts_refused_total)" -gt 0 ]; }
t_is "no statistic of a mount has failed so far" "$(metric croft_mounts_failed_total)" 0
within b sh -c 'i=0; while [ $i -lt 2200 ]; do mount -t tmpfs tmpfs /mnt/z || exit 1; i=$((i + 1)); done'
t_ok "of more than 2,048 mounts it is told that some aren't counted" t_wait_for refused
within a sh -c 'mkdir -p /mnt/late; mount -t tmpfs tmpfs /mnt/late'
late=$(mount_id a /mnt/late)
t_ok "those of another are" t_wait_for known "$late"
t_ok "and it can be stopped" croft stop b --force
t_done
