# shellcheck shell=sh
# tests/lib.sh: what the shell tests share.  A test begins with
#
#     #!/bin/sh
#     # where: here guest        (or one of them, or guest-systemd; see tests/run)
#     . "$(dirname "$0")/../lib.sh"
#
# makes its claims with the functions below (the claim is a sentence and comes first) and ends with t_done.  It prints TAP.
#
#     t_ok "a name of 63 letters is taken" croft create "$name"
#     t_fails_with 3 "an unknown name is refused" croft start nobody
#     t_is "the partition is Active" "$(field web .state)" Active
#
# $T is a directory of its own.  The test has its own network namespace (T_NETWORK=host before the dot: the machine's), and its
# croftd its own cgroup, so that what is left behind can be told from what others do on this machine; t_done claims that
# nothing is left.

t_top=$(cd "$(dirname "$0")/../.." && pwd)
BUILD=${BUILD:-$t_top/build}
case $BUILD in /*) ;; *) BUILD=$t_top/$BUILD ;; esac
PATH=$BUILD:$PATH
# How long something may take before a test calls it hanging; the guest is 30 times slower.
T_PATIENCE=${T_PATIENCE:-$(if [ -n "${CROFT_GUEST:-}" ]; then echo 200; else echo 40; fi)}
# Between two looks at something; in the guest each look takes CPU time from what is looked for.
t_pause=0.05
[ -z "${CROFT_GUEST:-}" ] || t_pause=0.25

T_NETWORK=${T_NETWORK:-}
if [ -z "$T_NETWORK" ]; then
        T_NETWORK=own exec unshare --net "$(readlink "/proc/$$/exe")" "$0" "$@"
fi
[ "$T_NETWORK" = host ] || ip link set lo up

T=$(mktemp -d "${TMPDIR:-/tmp}/croft-test.XXXXXX")
CROFT_SOCKET=$T/run/croft.sock
# gojq speaks jq's language and is there ten times sooner: jq 1.6 compiles its own library at each start, 15 ms here and
# 0.4 s in the guest.
mkdir "$T/.bin"
ln -s "$(command -v gojq || command -v jq)" "$T/.bin/jq"
PATH=$T/.bin:$PATH
export PATH BUILD T T_PATIENCE CROFT_SOCKET
# Tests that make a terminal make this one, whatever the caller sits at.
export TERM=xterm
t_count=0
t_failed=0
t_daemon=
t_finished=

# --- claims -----------------------------------------------------------------------------------------------------------

t_pass() { # SENTENCE
        t_count=$((t_count + 1))
        echo "ok $t_count - $1"
}

t_fail() { # SENTENCE [EXPLANATION]...
        t_count=$((t_count + 1))
        t_failed=$((t_failed + 1))
        echo "not ok $t_count - $1"
        shift
        for t_line; do printf '%s\n' "$t_line" | sed 's/^/#   /'; done
}

t_skip() { # SENTENCE REASON
        t_count=$((t_count + 1))
        echo "ok $t_count - $1 # SKIP $2"
}

# Has this kernel the calls of i386?  Some run where only 64-bit code does.
t_has_i386() {
        "$BUILD/tests/kit/t-sysinfo" show i386 >/dev/null 2>&1 || [ $? -ne 2 ]
}

t_note() {
        printf '%s\n' "$*" | sed 's/^/# /'
}

# SENTENCE COMMAND...: the command succeeds.  Its output is shown only if it doesn't.
t_ok() {
        t_sentence=$1
        shift
        t_status=0
        "$@" >"$T/.output" 2>&1 </dev/null || t_status=$?
        if [ "$t_status" = 0 ]; then
                t_pass "$t_sentence"
        else
                t_fail "$t_sentence" "status $t_status of: $*" "$(tail -n 20 "$T/.output")"
        fi
}

# CODE SENTENCE COMMAND...: the command ends with just this status.  Its standard error is in $T/error afterwards.
t_fails_with() {
        t_code=$1
        t_sentence=$2
        shift 2
        t_status=0
        "$@" >"$T/.output" 2>"$T/error" </dev/null || t_status=$?
        if [ "$t_status" = "$t_code" ]; then
                t_pass "$t_sentence"
        else
                t_fail "$t_sentence" "status $t_status instead of $t_code of: $*" "$(tail -n 20 "$T/.output" "$T/error")"
        fi
}

t_is() { # SENTENCE GOT EXPECTED
        if [ "$2" = "$3" ]; then t_pass "$1"; else t_fail "$1" "got:      $2" "expected: $3"; fi
}

t_isnt() { # SENTENCE GOT UNWANTED
        if [ "$2" != "$3" ]; then t_pass "$1"; else t_fail "$1" "got what it must not be: $2"; fi
}

t_like() { # SENTENCE GOT EXTENDED-REGULAR-EXPRESSION (some line of GOT matches)
        if printf '%s\n' "$2" | grep -qE -e "$3"; then t_pass "$1"; else t_fail "$1" "got:     $2" "no line matches: $3"; fi
}

t_unlike() { # SENTENCE GOT EXTENDED-REGULAR-EXPRESSION (no line of GOT matches)
        if printf '%s\n' "$2" | grep -qE -e "$3"; then t_fail "$1" "got:     $2" "a line matches: $3"; else t_pass "$1"; fi
}

# LEAST N MOST: whole numbers.  For use with t_ok.
t_between() { [ "$1" -le "$2" ] && [ "$2" -le "$3" ]; }

# COMMAND...: repeats it until it succeeds, at most $T_PATIENCE seconds; its last status.  For use with t_ok.
t_wait_for() {
        t_uptime
        t_until=$((t_now + T_PATIENCE))
        until "$@" >/dev/null 2>&1; do
                t_uptime
                [ "$t_now" -lt "$t_until" ] || return 1
                sleep $t_pause
        done
}

t_uptime() { # sets t_now to seconds, without a process
        read -r t_now t_rest </proc/uptime
        t_now=${t_now%.*}
}

# --- a croftd of the test's own ---------------------------------------------------------------------------------------

# A line "MOUNT OWN" for each hierarchy of control groups: where it is mounted and the test's own directory in it.
t_hierarchies=$(
        awk '
        FNR == NR {
                split($0, f, ":"); path = $0; sub(/^[^:]*:[^:]*:/, "", path)
                own[f[1] == 0 ? "cgroup2" : f[2]] = path; next
        }
        $3 == "cgroup2" { print $2, own["cgroup2"] }
        $3 == "cgroup" { for (key in own) if (("," $4 ",") ~ ("," key ",")) print $2, own[key] }
        ' /proc/self/cgroup /proc/self/mounts | sed 's,//*,/,g; s,/$,,'
)
t_cgroups=$(while read -r t_mount t_own; do echo "$t_mount$t_own/croft-test.$$"; done <<END
$t_hierarchies
END
)
t_cgroups() { echo "$t_cgroups"; } # the directories of this test, one in each hierarchy

t_pure_v2=yes # on a host with only the unified hierarchy
! grep -q '^[^ ]* [^ ]* cgroup ' /proc/self/mounts || t_pure_v2=
t_pure_v2() { [ -n "$t_pure_v2" ]; }

t_make_cgroups() {
        for t_dir in $(t_cgroups); do
                [ -d "$t_dir" ] && continue
                if t_pure_v2; then # hand the controllers down as far as the parent lets us
                        for t_controller in $(cat "${t_dir%/*}/cgroup.controllers"); do
                                echo "+$t_controller" >"${t_dir%/*}/cgroup.subtree_control" || :
                        done 2>/dev/null
                fi
                mkdir "$t_dir"
                # A new v1 cpuset is empty and takes no process before it has CPUs.
                for t_file in cpuset.cpus cpuset.mems; do
                        [ -e "$t_dir/tasks" ] && [ -e "$t_dir/$t_file" ] && cat "${t_dir%/*}/$t_file" >"$t_dir/$t_file"
                done
        done
        return 0
}

# The template of native partitions goes from test to test (tests/run, which removes it): to make it takes half a second
# here and several in the guest.  One whose test failed goes with that test's directory.
t_take_images() {
        if [ -n "${T_IMAGES:-}" ] && [ -d "$T_IMAGES/images" ] && [ ! -e "$T/state" ]; then
                mkdir -m 700 "$T/state"
                mv "$T_IMAGES/images" "$T/state/"
        fi
}

t_give_images() {
        if [ -n "${T_IMAGES:-}" ] && [ -d "$T/state/images" ] && [ ! -e "$T_IMAGES/images" ]; then
                mv "$T/state/images" "$T_IMAGES/"
        fi
}

# [ARGUMENT]...: starts croftd with these beside its directories and waits until it answers.  May be called again after
# t_croftd_kill or t_croftd_stop.  It speaks to $T/croftd.log.
t_croftd_start() {
        t_take_images
        t_make_cgroups
        if t_pure_v2; then
                # croftd makes itself a leaf there: the directory itself can't take a process once it has controllers.
                read -r t_mount t_own <<END
$t_hierarchies
END
                "$BUILD/croftd" --state-dir "$T/state" --run-dir "$T/run" --config-dir "$T/etc" \
                        --cgroup "$t_own/croft-test.$$" "$@" >>"$T/croftd.log" 2>&1 </dev/null &
        else
                sh -c 'for dir in $0; do echo $$ >"$dir/cgroup.procs" || exit 125; done; exec "$@"' "$t_cgroups" \
                        "$BUILD/croftd" --state-dir "$T/state" --run-dir "$T/run" --config-dir "$T/etc" "$@" >>"$T/croftd.log" 2>&1 </dev/null &
        fi
        t_daemon=$!
        t_uptime
        t_until=$((t_now + T_PATIENCE))
        until croft list >/dev/null 2>&1; do
                t_uptime
                if ! kill -0 "$t_daemon" 2>/dev/null || [ "$t_now" -ge "$t_until" ]; then
                        t_note "croftd does not answer; it said:"
                        t_note "$(tail -n 20 "$T/croftd.log")"
                        return 1
                fi
                sleep $t_pause
        done
}

# The process of the warden that waits for the next start (docs/adr/0013): croftd's child, root still.  Nothing when there
# is none, or more than one.
t_reserve() {
        for t_pid in $(pgrep -P "${t_daemon:-0}" -u 0 -f '^croft-warden warden'); do
                printf '%s ' "$t_pid"
        done | awk 'NF == 1 { print $1 }'
}

t_croftd_start_at() { # [CRASH-POINT]: where it is to die
        if [ -n "${1:-}" ]; then export CROFT_CRASH_AT="$1"; else unset CROFT_CRASH_AT; fi
        t_croftd_start
}

t_croftd_stop() { # an orderly end
        [ -n "$t_daemon" ] || return 0
        kill "$t_daemon" 2>/dev/null
        t_wait_daemon
}

t_croftd_kill() { # kill -9
        [ -n "$t_daemon" ] || return 0
        kill -KILL "$t_daemon" 2>/dev/null
        t_wait_daemon
}

# Waits until croftd is gone (CROFT_CRASH_AT ends it by itself); its status.
t_wait_daemon() {
        t_status=0
        wait "$t_daemon" 2>/dev/null || t_status=$?
        t_daemon=
        return $t_status
}

# How long ten commands take just now, in seconds: 0, unless the machine is slow, as an emulated one is, or busy.
t_pace() {
        t_uptime && t_pace_began=$t_now
        for t_i in 1 2 3 4 5 6 7 8 9 10; do croft list >/dev/null; done
        t_uptime
        echo $((t_now - t_pace_began))
}

# SHEET HERE GUEST: how often something is tried.  SHEET is what is required, for `make stress` (CROFT_STRESS: at most so often); what a whole
# run can afford is less.
t_turns() {
        if [ -z "${CROFT_STRESS:-}" ]; then
                if [ -n "${CROFT_GUEST:-}" ]; then echo "$3"; else echo "$2"; fi
        elif [ "$CROFT_STRESS" -lt "$1" ]; then
                echo "$CROFT_STRESS"
        else
                echo "$1"
        fi
}

field() { # PARTITION JQ-EXPRESSION
        croft show "$1" --format json | jq -r "$2"
}

# PARTITION: kills its warden until croftd makes no other one (five deaths in ten seconds; where others take the CPU it takes more).
# Between two there is none for a moment, too.  How many died is in $t_deaths.
t_kill_wardens() {
        t_deaths=0
        until t_given_up "$1" || [ $t_deaths -ge 40 ]; do
                t_warden=$(field "$1" .warden)
                [ "$t_warden" = null ] || ! kill -9 "$t_warden" 2>/dev/null || t_deaths=$((t_deaths + 1))
                t_wait_for t_other_warden "$1" || break
        done
        t_given_up "$1"
}

t_given_up() { # PARTITION
        [ "$(field "$1" '.warden == null and (.last_error // "" | test("the warden died [0-9]+ times"))')" = true ]
}

t_other_warden() { # PARTITION
        [ "$(field "$1" .warden)" != "$t_warden" ] || t_given_up "$1"
}

# --- the end ----------------------------------------------------------------------------------------------------------

t_remove_partitions() {
        for t_name in $(croft list --format json 2>/dev/null | jq -r '.[].name'); do
                # again, if croftd is still at work on it
                t_wait_for croft remove "$t_name" --force || t_note "remove $t_name: status $?"
        done
}

t_left_processes() {
        for t_dir in $(t_cgroups); do
                [ -d "$t_dir" ] && find "$t_dir" -name cgroup.procs -exec cat {} + 2>/dev/null
        done | sort -un | while read -r t_pid; do
                printf 'process %s %s\n' "$t_pid" "$(tr '\0' ' ' 2>/dev/null <"/proc/$t_pid/cmdline")"
        done
}

# The brokers of this test: they have its network.  On pure cgroup v2 they aren't in the test's control group.
t_brokers() {
        for t_pid in $(pgrep -f '^croft-warden broker'); do
                [ "$(readlink "/proc/$t_pid/ns/net")" != "$(readlink /proc/self/ns/net)" ] || echo "$t_pid"
        done
}

t_left_behind() { # one line for each thing that should be gone when croftd has ended in order and no partition is left
        awk -v dir="$T" 'index($0, dir) { print "mount", $5 }' /proc/self/mountinfo
        t_left_processes
        for t_dir in $(t_cgroups); do
                # the leaf of a croftd that has just ended may remain: it can't remove the cgroup it is in
                [ -d "$t_dir" ] && find "$t_dir" -mindepth 1 -type d ! -name 'croftd.*' | sed 's/^/cgroup /'
        done
        [ "$T_NETWORK" = host ] || ip -o link | awk -F': ' '$2 != "lo" { print "interface", $2 }'
        losetup -l -n -O NAME,BACK-FILE | grep -F "$T" | sed 's/^/loop /'
        return 0
}

t_nothing_left() {
        t_left=$(t_left_behind)
        [ -z "$t_left" ]
}

t_remove_cgroups() {
        for t_dir in $(t_cgroups); do
                [ -d "$t_dir" ] || continue
                [ ! -e "$t_dir/cgroup.kill" ] || echo 1 >"$t_dir/cgroup.kill"
                for t_pid in $(find "$t_dir" -name cgroup.procs -exec cat {} +); do kill -KILL "$t_pid" 2>/dev/null; done
                for t_try in 1 2 3 4 5 6 7 8 9 10; do
                        find "$t_dir" -depth -type d -exec rmdir {} + 2>/dev/null && break
                        sleep 0.1
                done
        done
}

# Ends the test: croftd is ended in order, nothing may be left behind, the plan is printed.
t_done() {
        if [ -e "$T/croftd.log" ]; then
                if [ -z "$t_daemon" ] || ! kill -0 "$t_daemon" 2>/dev/null; then t_croftd_start || :; fi
                t_remove_partitions
                t_croftd_stop || t_note "croftd ended with status $?"
        fi
        # What goes by itself may take a moment: a process that removes a loop device, the kernel that frees it.
        t_wait_for t_nothing_left || :
        t_is "nothing is left on the host" "$t_left" ""
        t_finished=1
        echo "1..$t_count"
        [ "$t_failed" = 0 ]
        exit
}

# However the test ends: what it started is killed, what it made is removed.
t_clean_up() {
        t_status=$?
        trap - EXIT
        set +e
        if [ -z "$t_finished" ] || [ "$t_failed" != 0 ]; then
                [ -e "$T/croftd.log" ] && t_note "croftd said:" && t_note "$(tail -n 30 "$T/croftd.log")"
        fi
        [ -z "$t_daemon" ] || kill -KILL "$t_daemon" 2>/dev/null
        t_remove_cgroups
        grep -F "$T" /proc/self/mounts | cut -d' ' -f2 | sort -r | while read -r t_mount; do umount -l "$t_mount"; done
        if [ -n "$t_finished" ] && [ "$t_failed" = 0 ]; then t_give_images; fi
        rm -rf --one-file-system "$T"
        exit $t_status
}
trap t_clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
