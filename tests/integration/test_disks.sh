#!/bin/sh
# where: here guest
# What a partition reads from and writes to block devices shows in its own /proc, /sys and statistics, as its control group has
# it; what others do doesn't.
. "$(dirname "$0")/../lib.sh"

mebi=8
# The whole device that croftd's state, and so what a partition writes, is on: MAJOR:MINOR, as a control group sees it.
device=$(lsblk -n -d -o MAJ:MIN "$(findmnt -n -o SOURCE -T "$T")" 2>/dev/null | tr -d ' ')
if [ -z "$device" ] || [ ! -e "/sys/dev/block/$device/queue" ]; then
        t_skip "a partition's disks are its own" "what it writes is on no whole block device here"
        t_done
        exit
fi
disk=$(basename "$(readlink "/sys/dev/block/$device")")

t_croftd_start || exit 1
t_ok "two partitions are started" sh -c 'for i in web db; do croft create $i && croft start $i || exit 1; done'
inside() { croft exec "$partition" -- sh -c "$1"; }
partition=web
if ! inside 'grep -q " /proc/diskstats fuse" /proc/self/mounts'; then
        t_skip "a partition's disks are its own" "no figures of partitions on this kernel"
        t_done
        exit
fi

# What its control group has of that disk: bytes read, written.
of_group() {
        pid=$(field "$partition" .pid)
        path=$(sed -n 's,^[0-9]*:blkio:,,p' "/proc/$pid/cgroup")
        if [ -n "$path" ]; then
                awk -v d="$device" '$1 == d && $2 == "Read" { r = $3 } $1 == d && $2 == "Write" { w = $3 } END { print r + 0, w + 0 }' \
                        "/sys/fs/cgroup/blkio$path/blkio.throttle.io_service_bytes_recursive"
        else
                path=$(sed -n 's,^0::\(.*/croft\.[0-9a-f]*/[0-9]*\).*,\1,p' "/proc/$pid/cgroup") # init may be below it
                awk -v d="$device" '$1 == d { for (i = 2; i <= NF; i++) { split($i, f, "="); v[f[1]] = f[2] } }
                        END { print v["rbytes"] + 0, v["wbytes"] + 0 }' "/sys/fs/cgroup$path/io.stat"
        fi
}
# The same from its /proc/diskstats.
of_view() { inside "cat /proc/diskstats" | awk -v d="$disk" '$3 == d { r = $6; w = $10 } END { print r * 512, w * 512 }'; }
written() { of_view | cut -d' ' -f2; }
# Two readings aren't of one instant, views may be a moment old, and each command that is run inside reads from the disk itself: so
# what is to be equal is waited for.
agrees() { [ "$(of_view)" = "$(of_group)" ]; }
same_in_sys() { [ "$(inside "awk '{ print \$3 * 512, \$7 * 512 }' /sys/block/$disk/stat")" = "$(of_view)" ]; }
same_in_kstat() {
        [ "$(kstat -z web -p croft:0:io:nwritten | cut -f2)" = "$(inside 'cat /proc/diskstats' | awk '{ s += $10 } END { printf "%.0f\n", s * 512 }')" ]
}
same_in_metrics() {
        [ "$(curl -sS --unix-socket "$CROFT_SOCKET" http://croft/metrics |
                sed -n "s/^croft_disk_written_bytes_total{name=\"web\",type=\"native\",device=\"$disk\"} //p")" = "$(of_group | cut -d' ' -f2)" ]
}
has_written() { [ "$(written)" -ge "$1" ]; }

t_ok "it writes $mebi MiB past the page cache" inside "dd if=/dev/zero of=/root/file bs=1M count=$mebi oflag=direct conv=notrunc 2>/dev/null"
t_ok "and reads them again" inside "dd if=/root/file of=/dev/null bs=1M iflag=direct 2>/dev/null"
t_ok "all of it shows in its /proc/diskstats" t_wait_for has_written $((mebi * 1048576))
t_ok "as in its control group" t_wait_for agrees
# Besides the file: what the file system reads to find a place, and in v2 what it writes back for others.
t_ok "and not much else" [ "$(written)" -lt $((2 * mebi * 1048576)) ]
least=$(written)
t_is "/sys/block has that disk" "$(inside 'ls /sys/block')" "$disk"
t_ok "with the same figures" t_wait_for same_in_sys
t_is "and /sys/class/block, too" "$(inside "cat /sys/class/block/$disk/dev")" "$device"
t_is "/proc/partitions has its size" "$(inside "awk 'NR > 2 { print \$1 \":\" \$2, \$3, \$4 }' /proc/partitions")" \
        "$device $(($(cat "/sys/block/$disk/size") / 2)) $disk"
if inside 'command -v iostat >/dev/null'; then
        t_ok "iostat shows it" inside "iostat -d -k $disk | awk -v least=$((least / 1024)) '\$1 == \"$disk\" && \$7 >= $mebi * 1024 && \$7 >= least { n = 1 } END { exit !n }'"
else
        t_skip "iostat shows it" "there is none"
fi
t_ok "vmstat -d shows it" inside "vmstat -d | awk '\$1 == \"$disk\" && \$8 >= $mebi * 2048 { n = 1 } END { exit !n }'"
t_ok "croft:0:io adds up its disks" t_wait_for same_in_kstat
t_ok "and /metrics has what its control group has" t_wait_for same_in_metrics

partition=db
t_ok "a neighbour's isn't there" [ "$(written)" -lt $((mebi * 1048576)) ]
t_ok "what the neighbour has is its own" t_wait_for agrees
t_ok "they stop" sh -c 'croft stop web && croft stop db'
t_done
