#!/bin/sh
# where: here
# The programs of procps, sysstat, util-linux, busybox and others read what the views of a partition say: none fails, and each shows the
# sample's numbers.  The text is rendered for a sample that was made up and mounted over /proc and /sys in a mount namespace of this
# test's; the partition has CPU 1 of a machine of two, half a gibibyte, and a disk of this machine.
set -u
. "$(dirname "$0")/../lib.sh"

views=$T/views
mkdir "$views"
disk=$(ls /sys/block | head -n 1)
number=$(cat "/sys/block/$disk/dev")
sample="cpus=2 configured=2 n_cpus=2 limit=536870912 usage=104857600 file=41943040 shmem=4194304 swap_limit=1048576 pressure_us=77
        major=${number%:*} minor=${number#*:} reads=7 read_bytes=71680 writes=3 written_bytes=4096"

render() { # [FIELD=NUMBER]...: once more, into the same files
        # shellcheck disable=SC2086 # a list
        "$BUILD/tests/integration/view-tool" "$views" "$@" $sample
}
t_ok "the views of a partition are rendered into files" render

# Runs inside: everything that is rendered lies over what the kernel has of it.
cat >"$T/inside" <<'END'
mount --make-rprivate /
cd "$VIEWS"
find proc -type f | while read -r file; do
        [ ! -e "/$file" ] || mount --bind "$VIEWS/$file" "/$file" || exit
done
for tree in sys/devices/system/cpu sys/devices/system/node sys/devices/system/memory sys/block sys/class/block sys/dev/block; do
        [ ! -d "/$tree" ] || mount --bind "$VIEWS/$tree" "/$tree" || exit
done
cd /
exec "$@"
END
in_view() {
        LC_ALL=C VIEWS=$views unshare --mount taskset -c 1 sh -e "$T/inside" "$@"
}
shows() { # SENTENCE EXPECTED-LINE COMMAND...: the command ends well and prints that line (an extended regular expression)
        sentence=$1
        line=$2
        shift 2
        status=0
        in_view "$@" >"$T/shown" 2>"$T/error" </dev/null || status=$?
        if [ "$status" = 0 ]; then
                t_like "$sentence" "$(cat "$T/shown")" "$line"
        else
                t_fail "$sentence" "status $status of: $*" "$(tail -n 5 "$T/shown" "$T/error")"
        fi
}

# --- memory -----------------------------------------------------------------------------------------------------------

shows "free tells its memory" '^Mem: +536870912 +[0-9]+ +432013312 +4194304 +42991616 +470810624$' free -b
shows "free tells no swap where the machine has none, or its limit" '^Swap: +(0|1048576) +0 +(0|1048576)$' free -b
shows "vmstat -s tells its memory" '^ *524288 K total memory$' vmstat -s
shows "vmstat tells its memory, and who runs" '^ *2 +0 +0 +421888 +0 +41984 ' vmstat
shows "vmstat -m tells its slabs" '^partition +256 +256 +4096 +1$' vmstat -m
shows "slabtop tells its slabs" '^ Active / Total Objects \(% used\) +: 256 / 256 ' slabtop -o
shows "top tells its memory" '^MiB Mem : +512.0 total, +412.0 free,' top -b -n 1
shows "busybox top tells its memory" '^Mem: 102400K used, 421888K free, 4096K shrd, 0K buff, 40960K cached$' busybox top -b -n 1
shows "busybox free ends well" '^Mem:' busybox free
shows "sar -r tells its memory" '^.* 421888 +[0-9]+ +[0-9]+ +[0-9.]+ +0 +40960 ' sar -r 1 1
shows "sar -S ends well" 'kbswpfree' sar -S 1 1
shows "swapon --show ends well" '' swapon --show
shows "numactl tells its memory and its CPU" '^node 0 size: 512 MB$' numactl -H
shows "numactl tells one node with CPU 1 only" '^node 0 cpus: 1$' numactl -H
shows "numastat -m tells its memory" '^MemFree +412.00 +412.00$' numastat -m
if [ -d /sys/devices/system/memory ]; then
        shows "lsmem tells its memory" '^Total online memory: +512M$' lsmem
else
        t_skip "lsmem tells its memory" "this kernel has no blocks of memory"
fi
shows "ps reckons with its memory" '^ *0\.[0-9]$|^ *[0-9]+\.[0-9]$' ps -o pmem --no-headers -p 1

# --- CPUs -------------------------------------------------------------------------------------------------------------

shows "nproc counts its CPU" '^1$' nproc
shows "nproc --all counts its CPU" '^1$' nproc --all
shows "getconf counts its CPU" '^1$' getconf _NPROCESSORS_ONLN
shows "getconf counts its configured CPU" '^1$' getconf _NPROCESSORS_CONF
shows "Python counts its CPU" '^1$' python3 -c 'import os; print(os.cpu_count())'
shows "lscpu tells its CPU by its number" '^On-line CPU\(s\) list: +1$' lscpu
shows "lscpu -p has one line, of CPU 1" '^1,0,0,0' lscpu -p
t_is "... and no other" "$(grep -cv '^#' "$T/shown")" 1
caches=ONE-SIZE
[ -n "$(lscpu -C)" ] || caches='^$' # a machine that tells of none
shows "lscpu -C reads its caches" "$caches" lscpu -C
for file in stat:'^cpu[0-9]' cpuinfo:'^processor'; do
        shows "/proc/${file%%:*} has one CPU" '^1$' grep -c "${file#*:}" "/proc/${file%%:*}"
done
shows "mpstat tells what it used since its start, CPU 1 only" '^[0-9:]+ +1 +2\.00 +0\.00 +1\.00 .* 97\.00$' mpstat -P ALL
t_unlike "... and not of CPU 0" "$(cat "$T/shown")" '^[0-9:]+ +0 '
shows "mpstat -A ends well" '^[0-9:]+ +all ' mpstat -A
shows "iostat -c tells what it used" '^ +3\.88 +0\.00 +1\.94 +0\.00 +0\.00 +94\.17$' iostat -c
shows "sar -A ends well with a CPU 1 and no CPU 0" '^Average: +all ' sar -A -P ALL 1 1
shows "pidstat ends well" 'Command' pidstat

# mpstat between two samples: half a second of CPU 1 in one.
half() {
        render || return
        in_view mpstat -P ALL 1 1 >"$T/shown" &
        reader=$!
        sleep 0.5 # amid its second; if it is slower than that, once more
        render elapsed_ms=101000 user_ms=2500
        wait "$reader"
        grep -qE '^Average: +1 +50\.00 .* 50\.00$' "$T/shown" && grep -qE '^Average: +all +50\.00 .* 50\.00$' "$T/shown"
}
t_ok "mpstat tells half of a CPU when it was busy for half the time" t_wait_for half
render

# --- load, time -------------------------------------------------------------------------------------------------------

shows "uptime tells its age and load" ' up 1 min,.*load average: 0\.50, 0\.50, 0\.50$' uptime
shows "w ends well" 'load average: 0\.50' w
shows "top tells its load" 'load average: 0\.50, 0\.50, 0\.50$' top -b -n 1
shows "sar -q tells its load, threads, and who runs but itself" '^[0-9:]+ +1 +7 +0\.50 +0\.50 +0\.50 ' sar -q LOAD 1 1
shows "vmstat -s tells when it was booted" '^ *[0-9]+ boot time$' vmstat -s
t_ok "... later than the machine was" test "$(awk '$2 == "boot" { print $1 }' "$T/shown")" -ge \
        "$(awk '$1 == "btime" { print $2 }' /proc/stat)"
shows "vmstat -s tells its forks" '^ *99 forks$' vmstat -s
shows "sar -Q reads the pressure" '' sar -q ALL 1 1

# --- disks ------------------------------------------------------------------------------------------------------------

shows "iostat tells its own reads and writes" "^$disk +[0-9.]+ +[0-9.]+ +[0-9.]+ +[0-9.]+ +70 +4 +0\$" iostat -d
shows "iostat -x ends well" "^$disk " iostat -x
shows "vmstat -d tells its own reads and writes" "^$disk +7 +0 +140 +0 +3 +0 +8 " vmstat -d
shows "vmstat -D counts one disk" '^ *1 disks' vmstat -D
shows "sar -d ends well" "$disk" sar -d 1 1
shows "sar -B reads vmstat" 'pgpgin/s' sar -B 1 1
shows "lsblk lists no disk but that" "^$disk\$" lsblk -n -d -a -o NAME
t_is "... and nothing else" "$(wc -l <"$T/shown")" 1

# --- the rest ---------------------------------------------------------------------------------------------------------

shows "htop shows its memory" "'status 0'|status 0" "$t_top/tests/kit/in-terminal" -k 'Load average:q' htop
t_like "... of half a gibibyte" "$(cat "$T/shown")" '/512M'
shows "the boot id is not the host's" '^[0-9a-f-]{36}$' cat /proc/sys/kernel/random/boot_id
t_isnt "... but its own" "$(cat "$T/shown")" "$(cat /proc/sys/kernel/random/boot_id)"

# --- a partition in the corner ----------------------------------------------------------------------------------------

sample="cpus=1 configured=1 n_cpus=1 limit=0 usage=0 file=0 anon=0 elapsed_ms=0 user_ms=0 system_ms=0 slab=0 inactive_file=0 active_file=0 forks=0 pid=0"
rm -rf "$views" && mkdir "$views"
t_ok "the views of a partition with no memory that was just born are rendered" render
for command in 'free' 'top -b -n 1' 'ps aux' 'vmstat' 'vmstat -s' 'vmstat -m' 'slabtop -o' 'uptime' 'w' 'mpstat -P ALL' 'iostat' 'iostat -x' 'sar -A 1 1' 'lscpu' \
        'numactl -H' 'busybox top -b -n 1' 'busybox free' 'lsblk' 'pidstat'; do
        # shellcheck disable=SC2086 # words
        shows "$command ends well with no memory and no time" '' $command
done

t_done
