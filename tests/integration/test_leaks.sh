#!/bin/sh
# where: here guest
# timeout: 600
# The list of docs/leaks.md, walked inside a partition: no file of /proc and /sys shows the host's content but those that are called
# global there, and what is no file is refused or the partition's own (KST-44).
set -u
. "$(dirname "$0")/../lib.sh"
leaks=$t_top/tests/integration/leaks.py

t_croftd_start || exit 1
t_ok "a partition is made" croft create web -s memory.max=256M
t_ok "it is started" croft start web

# Network figures of this test's own that no new partition can have by chance.
python3 -B -c 'import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(5000): s.sendto(b"x" * 100, ("127.0.0.1", 9))'

# The host works: processes, CPU, disk, memory, files, terminals, network.  Who reads gets the CPU, too.
rest=1
[ -z "${CROFT_GUEST:-}" ] || rest=5
work() {
        while :; do
                dd if=/dev/zero of="$T/work" bs=1M count=4 conv=fsync 2>/dev/null
                find /usr/share -maxdepth 2 >/dev/null
                head -c 20000000 /dev/zero | tail -c 1 >/dev/null
                sleep $rest
        done
}
work &
worker=$!
inside() { croft exec web -- "$@"; }
holder=
# 4000 files more are open after the first look than before: that figure doesn't depend on what else the host does.
hold_files() {
        python3 -B -c 'import os, resource, signal, sys
most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
held = [os.open("/dev/null", os.O_RDONLY) for i in range(min(4000, most - 100))]
open(sys.argv[1], "w").close()
signal.pause()' "$T/held" &
        holder=$!
        t_wait_for test -e "$T/held"
}
walks() {
        python3 -B "$leaks" read "$T/before" && hold_files && sleep 1 &&
                inside sh -c 'cat >/run/leaks.py' <"$leaks" &&
                inside python3 -B /run/leaks.py read /run/found && inside cat /run/found >"$T/inside" && sleep 1 &&
                python3 -B "$leaks" read "$T/after"
}
t_ok "host and partition read everything in /proc and /sys that they can" walks
# shellcheck disable=SC2086 # one number or none
kill "$worker" $holder
# shellcheck disable=SC2086
wait "$worker" $holder 2>/dev/null

status=0
# A host without FUSE or without the plane has no views; croft check says so.  The rest of the list holds there, too.
views=
if ! inside cat /proc/self/mountinfo | grep -q ' /proc/meminfo '; then
        views=no-views
        t_skip "what the list calls own by a view is the partition's own" "no views here"
fi
# shellcheck disable=SC2086 # one word or none
python3 -B "$leaks" judge "$T/before" "$T/inside" "$T/after" "$t_top/docs/leaks.md" $views >"$T/judged" || status=$?
t_is "no file shows what the list doesn't call global" "$(grep ^WRONG "$T/judged" | head -n 40)" ""
t_is "... says the judge, too" "$status" 0
t_note "$(grep -c '^right facts' "$T/judged") files tell facts of the host, $(grep -c '^right figures' "$T/judged") tell figures"

# What all do on a disk is told where its bus is, too.
disks=$(for disk in /sys/block/*; do readlink -f "$disk"; done | grep ^/sys/devices/ | grep -v ^/sys/devices/virtual/)
told() { # [COMMAND...]: in the directories of disks
        # shellcheck disable=SC2086 # one a line
        "$@" find $disks -type f | wc -l
}
if [ -n "$disks" ]; then
        t_ok "a disk's own directory tells of it" [ "$(told)" -gt 0 ]
        t_is "inside it tells nothing" "$(told inside)" 0
else
        t_skip "a disk's own directory tells nothing inside" "there is no disk on a bus here"
fi

t_is "the kernel's functions and types aren't told" "$(inside sh -c 'cat /proc/kallsyms; ls /sys/kernel/btf' 2>/dev/null)" ""
# A module of the machine's, of which the partition holds nothing, isn't named by what lists them.
if [ -n "${CROFT_GUEST:-}" ] && modprobe dummy; then
        named() { "$@" sh -c 'cat /proc/kallsyms /proc/modules; ls /sys/kernel/btf /sys/module' 2>/dev/null | grep -c -w dummy; }
        t_ok "the machine's modules are named to the machine" [ "$(named)" -gt 2 ]
        t_is "KXT-33: not to a partition that has none of them" "$(named inside)" 0
else
        t_skip "KXT-33: what lists modules names none to a partition that has none of them" "in the test guest only"
fi

# The judge must be able to find one.
printf '| `/proc/none` | own | by nothing |\n' >"$T/nothing.md"
python3 -B "$leaks" judge "$T/before" "$T/before" "$T/after" "$T/nothing.md" >"$T/judged"
for file in stat meminfo vmstat diskstats loadavg sys/fs/file-nr; do
        t_like "a partition that read the host's /proc/$file would be found" "$(cat "$T/judged")" "^WRONG figures NOT LISTED: /proc/$file\$"
done

# --- what is no file --------------------------------------------------------------------------------------------------

# Prints the error that a call gives, or what it returned.
cat >"$T/calls.py" <<'END'
import ctypes, errno, os, socket, struct, time
libc = ctypes.CDLL(None, use_errno=True)
def call(name, *args):
    r = libc.syscall(*args)
    print(name, errno.errorcode[ctypes.get_errno()] if r < 0 else r)
attr = ctypes.create_string_buffer(struct.pack("IIQ", 1, 112, 0) + bytes(112))
call("perf_event_open", 298, attr, -1, 0, -1, 0)
call("syslog", 103, 3, ctypes.create_string_buffer(4096), 4096)
print("kmsg", os.path.exists("/dev/kmsg"))
print("boottime", int(time.clock_gettime(time.CLOCK_BOOTTIME)))
print("monotonic", int(time.clock_gettime(time.CLOCK_MONOTONIC)))
def taskstats():
    s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16)
    s.bind((0, 0))
    name = b"TASKSTATS\0"
    payload = struct.pack("BBH", 3, 1, 0) + struct.pack("HH", 4 + len(name), 2) + name + b"\0\0"
    s.send(struct.pack("IHHII", 16 + len(payload), 16, 1, 1, 0) + payload)
    answer = s.recv(8192)
    if struct.unpack_from("H", answer, 4)[0] == 2:
        return os.strerror(-struct.unpack_from("i", answer, 16)[0])
    at = 20
    family = None
    while at < len(answer):
        size, kind = struct.unpack_from("HH", answer, at)
        if kind == 1:
            family = struct.unpack_from("H", answer, at + 4)[0]
        at += (size + 3) & ~3
    payload = struct.pack("BBH", 1, 1, 0) + struct.pack("HHI", 8, 1, 1)
    s.send(struct.pack("IHHII", 16 + len(payload), family, 1, 2, 0) + payload)
    answer = s.recv(8192)
    kind = struct.unpack_from("H", answer, 4)[0]
    code = struct.unpack_from("i", answer, 16)[0]
    return "EPERM" if kind == 2 and code == -errno.EPERM else f"{kind} {code}"
try:
    print("taskstats", taskstats())
except OSError as e:
    print("taskstats", errno.errorcode[e.errno])
END
inside sh -c 'cat >/run/calls.py' <"$T/calls.py"
if inside python3 -c 'import ctypes' 2>/dev/null; then
        calls=$(inside python3 -B /run/calls.py 2>&1)
else
        t_skip "what is no file is refused or the partition's own" "no Python with ctypes here"
        t_done
fi
t_like "perf_event_open(2) is refused" "$calls" '^perf_event_open EPERM$'
t_like "the kernel's log is refused" "$calls" '^syslog EPERM$'
t_like "there is no /dev/kmsg" "$calls" '^kmsg False$'
t_like "taskstats is refused, or not in this kernel" "$calls" '^taskstats (EPERM|ENOENT|No such file or directory)$'
host_boot=$(python3 -c 'import time; print(int(time.clock_gettime(time.CLOCK_BOOTTIME)))')
boot=$(printf '%s\n' "$calls" | awk '$1 == "boottime" { print $2 }')
t_ok "CLOCK_BOOTTIME began with the partition" test "$boot" -lt "$host_boot"
t_is "sock_diag shows no socket of the host's" "$(inside ss -Hx 2>/dev/null | grep -c croft.sock)" 0

t_done
