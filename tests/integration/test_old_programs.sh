#!/bin/sh
# where: here
# timeout: 900
#
# KST-A7: the programs of Debian 11, 12 and 13 that look at a system, unmodified, in partitions of those Debians: what they say is
# what the partition's control groups say.
. "$(dirname "$0")/../roots.sh"
. "$(dirname "$0")/../lib.sh"

MEMORY=$((96 << 20))
inside() { croft exec old -- sh -c "$1"; }
kib() { echo $(($1 / 1024)); }
# The control groups of the partition, in whichever hierarchy: CONTROLLER FILE-ON-V1 FILE-ON-V2
group() {
        t_id=$(field old .id)
        for t_group in $(t_cgroups); do
                for t_file in "$2" "$3"; do
                        t_found=$(find "$t_group" -path "*/croft.*/$t_id/$t_file" 2>/dev/null | grep "/$1[/,]\|/unified/\|cgroup/croft-test" | head -n 1)
                        [ -z "$t_found" ] || { cat "$t_found"; return; }
                done
        done
}
# SENTENCE GOT FROM TO
t_number_between() {
        if [ -n "$2" ] && awk -v x="$2" -v a="$3" -v b="$4" 'BEGIN { exit !(x >= a && x <= b) }'; then
                t_pass "$1"
        else
                t_fail "$1" "got:      $2" "expected: $3 to $4"
        fi
}

look_at() { # SUITE
        t_ok "$1: its image is imported" croft image import "$2" --name "old-$1"
        t_ok "a partition is made" croft create old --image "old-$1" -s init=croft -s memory.max=$MEMORY -s cpu.max=50% -s pids.max=200 \
                -s devices=loop:4 -s mount.allow=ext4
        t_uptime; t_started=$t_now
        t_ok "and started" croft start old
        t_ok "on one CPU" croft pool bind old one
        # something to see: 32 MiB that are touched, and ten processes
        inside 'dd if=/dev/zero of=/dev/shm/ballast bs=1M count=32 2>/dev/null; for i in 1 2 3 4 5 6 7 8 9 10; do sleep 1000 & done'

        # --- memory ---
        t_is "free: total is the limit" "$(inside 'free -k' | awk '/^Mem/ { print $2 }')" "$(kib $MEMORY)"
        t_is "so says vmstat -s" "$(inside 'vmstat -s' | awk '/total memory/ { print $1 }')" "$(kib $MEMORY)"
        t_is "and top" "$(inside 'top -b -n 1' | sed -n 's/^[MK]iB Mem *: *\([0-9.]*\).*/\1/p')" "$(kib $((MEMORY / 1024))).0"
        t_usage=$(kib "$(group memory memory.usage_in_bytes memory.current)")
        t_number_between "free: what is shared is what lies in /dev/shm" "$(inside 'free -k' | awk '/^Mem/ { print $5 }')" 32768 34816
        # Since procps 4.0.1 what is used is what isn't available, before, what is neither free nor cache.
        t_is "it adds up" "$(inside 'free -k' | awk '/^Mem/ && ($3 + $4 + $6 == $2 || $3 + $7 == $2) { print "yes" }')" yes
        t_number_between "what isn't free is what the control group counts" \
                "$(inside 'free -k' | awk '/^Mem/ { print $2 - $4 }')" $((t_usage - 6144)) $((t_usage + 6144))

        # --- CPUs ---
        t_is "nproc" "$(inside nproc)" 1
        t_is "getconf" "$(inside 'getconf _NPROCESSORS_ONLN')" 1
        t_is "lscpu" "$(inside lscpu | awk '/^On-line CPU/ { print $NF }')" 0
        t_is "mpstat -P ALL knows one" "$(inside 'LC_ALL=C mpstat -P ALL 1 1' | awk '/^Average/ && $2 ~ /^[0-9]+$/ { n++ } END { print n + 0 }')" 1
        t_is "top shows one" "$(inside "top -b -n 1 -1 2>/dev/null || top -b -n 1" | grep -c '^%Cpu')" 1
        # However much it gets of the half a CPU that it may have (others want it, too):
        inside 'timeout 8 sh -c "while :; do :; done" &'
        t_before=$(cpu_ns) t_from=$(date +%s%N)
        t_load=$(inside 'LC_ALL=C mpstat 3 1 | awk "/^Average/ { print 100 - \$NF }"')
        t_share=$((($(cpu_ns) - t_before) * 100 / ($(date +%s%N) - t_from)))
        t_number_between "mpstat sees its own load and no other: what its control group counts" "$t_load" $((t_share - 10)) $((t_share + 10))
        t_number_between "which isn't nothing" "$t_share" 1 65
        t_like "sar works" "$(inside 'LC_ALL=C sar -u 1 1')" '^Average: +all'
        t_like "iostat works" "$(inside 'LC_ALL=C iostat -c 1 1')" '^avg-cpu'

        # --- processes, time ---
        computes() { [ "$(inside 'pgrep -c -x timeout')" != 0 ]; }
        computes_no_more() { ! computes; }
        t_ok "who computed has ended" t_wait_for computes_no_more
        t_is "top counts its tasks" "$(inside 'exec top -b -n 1' | awk '/^Tasks/ { print $2 }')" "$(inside 'echo /proc/[0-9]*' | wc -w)"
        t_is "pgrep finds its own" "$(inside 'pgrep -c -x sleep')" 10
        t_number_between "ps: the ballast's share of memory isn't one of the host's" "$(inside 'ps -eo pmem --no-headers' | sort -n | tail -n 1)" 0 100
        t_up=$(inside "cut -d. -f1 /proc/uptime")
        t_uptime
        t_number_between "uptime: since it started" "$t_up" 1 $((t_now - t_started + 1))
        t_like "uptime's words" "$(inside 'LC_ALL=C uptime')" 'up [0-9]+ min,.*load average: [0-9.]+, [0-9.]+, [0-9.]+$'
        t_like "w's, too" "$(inside 'LC_ALL=C w -h; LC_ALL=C w | head -n 1')" 'load average:'
        t_is "vmstat has all its columns" "$(inside 'vmstat' | awk 'NR == 3 { if (NF >= 17) print "yes" }')" yes
        # --- loop devices ---
        t_is "losetup binds one" "$(inside 'truncate -s 8M /image; losetup -f --show /image')" /dev/loop0
        t_like "and tells of it" "$(inside 'losetup -a')" '^/dev/loop0: .*\(/image\)$'
        t_is "lsblk shows it" "$(inside 'lsblk -b -n -l -o NAME,SIZE,TYPE,RO | grep loop' | tr -s ' ')" "loop0 8388608 loop 0"
        t_is "so says blockdev" "$(inside 'blockdev --getsize64 --getss --getro /dev/loop0' | xargs)" "8388608 512 0"
        t_is "its options are changed" "$(inside 'truncate -s 9M /image; losetup -c /dev/loop0; blockdev --getsize64 /dev/loop0')" 9437184
        t_is "it is unbound" "$(inside 'losetup -d /dev/loop0 && losetup -a')" ""

        # --- mount ---
        croft exec old -- sh -c 'cat >/fs' <"$T/fs"
        t_is "mount -o loop mounts a file system" "$(inside 'mount -o loop /fs /mnt && findmnt -n -o SOURCE,FSTYPE /mnt && stat -c %u:%g /mnt')" "/dev/loop0 ext4
0:0"
        t_is "which is written" "$(inside 'echo text >/mnt/f && umount /mnt && mount -o loop,ro /fs /mnt && cat /mnt/f')" text
        t_like "and read-only" "$(inside 'grep " /mnt " /proc/mounts')" '^/dev/loop[01] /mnt ext4 ro,nosuid,nodev'
        t_is "it is unmounted" "$(inside 'umount /mnt && findmnt -n /mnt')" ""
        t_like "an option that isn't there is told of" "$(inside 'LC_ALL=C mount -o loop,nosuch /fs /mnt 2>&1')" 'bad option|wrong fs type'
        t_is "a tmpfs is one, with its options" "$(inside 'mount -t tmpfs -o size=1M,mode=711 t /mnt && df --output=fstype,size /mnt | tail -n 1 | xargs; stat -c %a /mnt; umount /mnt')" "tmpfs 1024
711"
        gone() { [ -z "$(inside 'losetup -a')" ]; }
        t_ok "no device is left" t_wait_for gone

        t_ok "it is removed" croft remove old --force
        t_ok "and its image" croft image remove "old-$1"
}
cpu_ns() { # CPU time so far
        t_v1=$(group cpuacct cpuacct.usage no-such-file)
        if [ -n "$t_v1" ]; then echo "$t_v1"; else group cpu no-such-file cpu.stat | awk '/^usage_usec/ { print $2 * 1000 }'; fi
}

suites=${CROFT_TEST_SUITES:-bullseye bookworm trixie}
# shellcheck disable=SC2086 # a list
roots_of $suites >"$T/roots" || { cat "$T/roots"; exit 1; }
truncate -s 4M "$T/fs" && mkfs.ext4 -q "$T/fs" || exit 1
t_croftd_start || exit 1
t_ok "a pool of one CPU" croft pool create one --cpus "$(awk -F'[-,]' '/^Cpus_allowed_list/ { sub(/.*:[ \t]*/, ""); split($0, c, /[-,]/); print c[1] }' /proc/self/status)"
n=0
for suite in $suites; do
        n=$((n + 1))
        look_at "$suite" "$(sed -n "${n}p" "$T/roots")"
done
t_done
