#!/bin/sh
# where: here
# timeout: 900
# Readers that never stop while mounts come and go, a partition is made and removed again and again, and another moves from pool to pool (KST-A9).
. "$(dirname "$0")/../lib.sh"
# However many threads malloc(3) meets at once: what it keeps for each CPU isn't what is looked for.
export MALLOC_ARENA_MAX=2
. "$(dirname "$0")/../mounts.sh"

readers=8
structures() { t-kstat "$global" list | wc -l; }
# Its own: what it shares with other programs is divided among as many as there are.
memory() { awk '/^Pss_Anon:/ { print $2 }' "/proc/$t_daemon/smaps_rollup"; }

t_ok "a pool of one CPU is made" croft pool create one --cpus 1
# Readers take what CPU time is left, all of it: else the changes take most of the test to wait for them.
t_ok "a partition that stays as it is" croft create c -s init=croft -s mount.stats=no -s cpu.weight=1
t_ok "and the one with mounts give way to others" croft set a cpu.weight=1
t_ok "is made and started" croft start c
live() { croft create b2 -s init=croft && croft start b2 && croft stop b2 --force && croft remove b2 --force; }
t_ok "another lives" live
before=$(structures)

read_in() { # PARTITION: in it
        i=0
        while [ $i -lt $readers ]; do
                (croft exec "$1" -- nice -n 19 /root/t-kstat "$inside" soak "$(field "$1" .id)" /root/stop >"$T/out.$1.$i" 2>&1
                        echo "$?" >"$T/status.$1.$i") &
                i=$((i + 1))
        done
}
croft exec c -- sh -c 'cat >/root/t-kstat && chmod 755 /root/t-kstat' <"$BUILD/tests/kit/t-kstat"
for name in a c; do read_in $name; done
(nice -n 19 t-kstat "$global" soak 0 "$T/stop" >"$T/out.global.0" 2>&1; echo $? >"$T/status.global.0") &

# --- meanwhile ---
cat >"$T/storm" <<'END'
i=0
mkdir -p /mnt/s
while [ $i -lt 2000 ]; do
        mount -t tmpfs tmpfs /mnt/s; echo x >/mnt/s/f; umount /mnt/s
        i=$((i + 1))
done
END
croft exec a -- sh -c 'cat >/root/storm' <"$T/storm"
(within a sh /root/storm >/dev/null 2>&1; touch "$T/stormed") &
(
        i=0
        while [ $i -lt 300 ]; do
                croft pool bind c one && croft pool bind c default || exit 1
                i=$((i + 1))
        done
        touch "$T/bound"
) &
lives=0
while [ $lives -lt 100 ]; do
        live || break
        lives=$((lives + 1))
        if [ $lives = 30 ]; then memory_before=$(memory); fi
done
t_is "a partition was made, started, stopped and removed a hundred times" "$lives" 100
T_PATIENCE=300
t_ok "another was moved between pools 600 times" t_wait_for test -e "$T/bound"
t_ok "mounts came and went 2,000 times" t_wait_for test -e "$T/stormed"

# --- and then ---
touch "$T/stop"
for name in a c; do within $name touch /root/stop; done
ended() { [ "$(find "$T" -name 'status.*' | wc -l)" -eq $((2 * readers + 1)) ]; }
t_ok "all readers come to an end" t_wait_for ended
t_is "and none saw a foreign structure, or a list that isn't one" "$(cat "$T"/status.* | sort | uniq -c | tr -s ' ')" " $((2 * readers + 1)) 0"
t_note "$(cat "$T/out.global.0")"
settled() { [ "$(structures)" -eq "$before" ]; }
t_ok "there are as many structures as before" t_wait_for settled
memory_after=$(memory)
t_note "croftd: $memory_before kB, then $memory_after kB"
t_ok "croftd has no more than two megabytes more" test "$memory_after" -le $((memory_before + 2048))
t_done
