#!/bin/sh
# where: here
# The statistics that programs of Solaris read in structures: one that is written for it, illumos_means.c, compiles as it is (the
# build did that) and finds them, in global and inside a partition; kstat(8) prints the same.  And what a read of a statistic by its
# keys consists of (KST-A1): one bpf(2) call, nothing said to anybody.
. "$(dirname "$0")/../lib.sh"

program=$BUILD/tests/integration/illumos-means
value() { sed -n "s,^$1 ,,p" "$T/seen"; }
number() { kstat -p "$@" | sed 's/.*	//'; }
# Counters of 32 bits that have wrapped meanwhile are after all of them.
after() { [ "$2" -ge "$1" ] || [ "$1" -gt 4000000000 ]; }
inside() { croft exec web -- "$@"; }

t_croftd_start || exit 1
export LD_LIBRARY_PATH="$BUILD"

# --- in global --------------------------------------------------------------------------------------------------------

hard=$(number cpu:0:intr:hard)
least=$(number unix:0:system_pages:freemem)
t_ok "it runs in global" sh -c "'$program' >'$T/seen'"
# It has looked for two seconds, in which others may take and give.
most=$(number unix:0:system_pages:freemem)
[ "$least" -le "$most" ] || { swapped=$least; least=$most most=$swapped; }
slack=$((least / 4))
t_ok "what it says is free is what is free ($least, $(value free), $most)" t_between $((least - slack)) "$(value free)" $((most + slack))
t_ok "interrupts rise" after "$hard" "$(value hard)"
t_ok "and kstat(8) prints them" after "$(value hard)" "$(number cpu:0:intr:hard)"
t_ok "soft ones, too" after "$(value soft)" "$(number cpu:0:intr:soft)"
t_is "the statistic has all that an interrupt has there" "$(kstat -p cpu:0:intr | sed 's/	.*//; s/.*://' | tr '\n' ' ')" \
        "class crtime hard multiple_service snaptime soft spurious watchdog "
t_is "vminfo and sysinfo print what they have in a structure" "$(kstat -p 'unix:0:/^(vminfo|sysinfo)$/' | sed 's/	.*//; s/.*://' | sort -u | tr '\n' ' ')" \
        "class crtime freemem runocc runque snaptime swap_alloc swap_avail swap_free swap_resv swpocc swpque updates waiting "
t_is "of the classes that they have there" "$(kstat -p 'unix:0:/^(vminfo|sysinfo)$/:class' | sed 's/:class	/ /')" "unix:0:sysinfo misc
unix:0:vminfo vm"

# --- inside -----------------------------------------------------------------------------------------------------------

t_ok "a partition is made" croft create web -s init=croft -s memory.max=64M
t_ok "and started" croft start web
web=$(field web .id)
t_ok "the program comes into it" sh -c "croft exec web -- sh -c 'cat >/tmp/means && chmod 755 /tmp/means' <'$program'"
t_ok "with its library" sh -c "croft exec web -- sh -c 'cat >/tmp/libkstat.so.1' <'$(readlink -f "$BUILD/libkstat.so")'"
t_ok "it runs there" sh -c "croft exec web -- env LD_LIBRARY_PATH=/tmp /tmp/means >'$T/seen'"
limit=$((64 * 1048576 / $(getconf PAGESIZE)))
t_ok "what is free there is less than the limit ($(value free), $limit)" t_between 1 "$(value free)" "$limit"
t_is "no interrupt is the partition's" "$(value hard) $(value soft)" "0 0"
t_is "as in its /proc/stat" "$(inside cat /proc/stat | grep '^intr')" "intr 0"
t_like "global reads its sums" "$(kstat -z web -p unix:0:vminfo:updates)" '^unix:0:vminfo:updates	[1-9][0-9]*$'

# --- what a read is (KST-A1) ------------------------------------------------------------------------------------------

strace=$(command -v strace)
if [ -z "$strace" ] || ! inside "$strace" -o /dev/null true 2>/dev/null; then
        t_skip "a read by its keys is one call" "no strace(1) inside"
        t_done
fi
# PARTITION ARGUMENT...: what kstat(8) calls inside, in $T/trace; its output in $T/seen, its status is ours.
trace() {
        t_in=$1
        t_traced=0
        shift
        croft exec "$t_in" -- "$strace" -o /tmp/trace /run/croft/bin/kstat -p "$@" >"$T/seen" || t_traced=$?
        croft exec "$t_in" -- cat /tmp/trace >"$T/trace"
        return $t_traced
}
# From one sleep to the next: the third of four rounds, each of them one read.
round() { awk '/^clock_nanosleep/ { n++; next } n == 2' "$T/trace"; }
calls() { sed 's/(.*//' | sort | uniq -c | sed 's/^ *//' | tr '\n' ' '; }
others() { grep -E '^(socket|connect|bind|send|recv|setsockopt|getsockopt|accept|pipe|ioctl|msg|kill)' "$T/trace"; }
# Behind the start of the program; but for addresses.
alike() { sed -n -e '/^faccessat2/,$p' "$T/trace" | sed -e 's/0x[0-9a-f]*/ADDRESS/g'; }

t_ok "a mount is made and written to" inside sh -c 'mkdir -p /tmp/m && mount -t tmpfs none /tmp/m && dd if=/dev/zero of=/tmp/m/f bs=1M count=10 2>/dev/null'
written() { inside /run/croft/bin/kstat -p 'mount:*:io:nwritten' | awk -F'[:\t]' '$5 >= 10485760 { print "mount:" $2 ":io" }'; }
t_ok "its statistic has what was written" t_wait_for sh -c 'test -n "$(croft exec web -- /run/croft/bin/kstat -p mount:\*:io:nwritten | awk "\$2 >= 10485760")"'
key=$(written | head -n 1)
t_ok "it is read by its keys, again and again" trace web "$key" 1 4
t_like "with what was written" "$(cat "$T/seen")" "^$key:nwritten	1[0-9]{7}\$"
t_is "each time that is one bpf(2), and one write(2) of what it says" "$(round | calls)" "1 bpf 1 write "
t_like "which runs a program of the kernel" "$(round)" '^bpf\(BPF_PROG_TEST_RUN, '
t_is "nothing is said to any other process, from the beginning to the end" "$(others)" ""
t_is "and nothing is opened but two programs" "$(grep -oE '(open[a-z0-9]*\(|BPF_OBJ_GET).*pathname="[^"]*"|^open[a-z0-9]*\(.*' "$T/trace" | sed 's/.*pathname=//' | tr '\n' ' ')" \
        '"/run/croft/programs/kstat" "/run/croft/programs/kstat_large" '

t_ok "another partition is made" croft create db -s init=croft
t_ok "and started" croft start db
t_status=0
trace db "$key" || t_status=$?
t_is "for these keys it gets nothing" "$t_status $(cat "$T/seen")" "1 "
alike >"$T/foreign"
t_status=0
trace db mount:999999:io || t_status=$?
t_is "as for keys that nobody has" "$t_status $(cat "$T/seen")" "1 "
t_is "by the very same calls with the very same results" "$(alike)" "$(cat "$T/foreign")"
t_ok "global reads it" kstat -q "$key"
t_done
