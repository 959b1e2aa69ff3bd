#!/bin/sh
# where: here guest
# That tests/lib.sh sees what a test leaves behind, and takes it away; with a croftd that only pretends.
. "$(dirname "$0")/../lib.sh"
mkdir -p "$T/tests/checks" "$T/build"
cp "$t_top/tests/lib.sh" "$T/tests/"

cat >"$T/build/croftd" <<'END'
#!/bin/sh
# Pretends: answers as long as its run directory has a socket; takes its cgroup and its directories as the real one does.
while [ $# -gt 0 ]; do
        case $1 in
        --run-dir) run=$2 ;;
        --state-dir) state=$2 ;;
        --cgroup) [ ! -d "/sys/fs/cgroup$2" ] || echo $$ >"/sys/fs/cgroup$2/cgroup.procs" ;;
        esac
        shift
done
mkdir -p "$run" "$state"
rm -f "$run/croft.sock"
[ -z "$PRETEND_CRASH" ] || exit 134
trap 'rm -f "$run/croft.sock"; exit 0' TERM
[ ! -e "$state/../work" ] || . "$state/../work"
touch "$run/croft.sock"
while :; do sleep 0.05; done
END
cat >"$T/build/croft" <<'END'
#!/bin/sh
[ -e "$CROFT_SOCKET" ] || exit 1
[ "$*" != "list --format json" ] || echo '[]'
END
chmod +x "$T/build/croftd" "$T/build/croft"

# What is left behind is looked at all that time.
patience=5
[ -z "${CROFT_GUEST:-}" ] || patience=20

# SCRIPT: runs it as a test of its own; its output is in $out, its status in $status
nested() {
        printf '#!/bin/sh\n. "$(dirname "$0")/../lib.sh"\n%s\n' "$1" >"$T/tests/checks/test_nested.sh"
        status=0
        # shellcheck disable=SC2016
        out=$(T_NETWORK='' BUILD=$T/build TMPDIR=$T T_PATIENCE=$patience sh -c 'echo $$ >"$0"; exec sh "$1"' \
                "$T/nested-pid" "$T/tests/checks/test_nested.sh" 2>&1) || status=$?
}

# What of the nested tests is still there: directories, cgroups, processes of theirs.
remains() {
        ls -d "$T"/croft-test.* 2>/dev/null
        for t_dir in $(t_cgroups); do ls -d "${t_dir%.*}.$(cat "$T/nested-pid")" 2>/dev/null; done
        pgrep -f "sleep 77[7]" || :
}

nested 't_croftd_start; t_ok "it answers" croft list; t_done'
t_is "a test that leaves nothing passes" "$status $(echo "$out" | tail -n 1)" "0 1..2"
nested 't_croftd_start; old=$t_daemon; t_croftd_kill; t_ok "it is gone" sh -c "! kill -0 $old"; t_croftd_start; t_isnt "another runs" $t_daemon $old; t_done'
t_is "croftd can be killed and started again" "$status $(echo "$out" | grep -c '^ok')" "0 3"
nested 't_croftd_start; t_croftd_stop; t_is "stop is orderly" $? 0; t_done'
t_is "croftd can be stopped in order" "$status" 0
nested 'PRETEND_CRASH=1; export PRETEND_CRASH; t_croftd_start; t_is "start fails" $? 1; t_wait_daemon; t_is "the status is told" $? 134; unset PRETEND_CRASH; t_done'
t_is "a croftd that ends by itself is noticed" "$status $(echo "$out" | grep -c '^ok')" "0 3"

nested 'echo "sleep 777 & " >$T/work; t_croftd_start; t_done'
t_like "a process left behind is a failure" "$out" '^not ok 1 - nothing is left on the host'
t_like "it is named" "$out" 'process [0-9]+ sleep 777'
t_is "it is killed, and all is taken away" "$(remains)" ""
# What follows is the same on every kernel and takes long under emulation.
[ -z "${CROFT_GUEST:-}" ] || t_done

nested 't_croftd_start; mkdir "$T/m"; mount -t tmpfs t "$T/m"; t_done'
t_like "a mount left behind is a failure" "$out" 'got: +mount .*/m$'
t_is "it is unmounted, and all is taken away" "$(remains)$(grep -F "$T/" /proc/self/mounts)" ""
nested 't_croftd_start; ip link add t-left type veth peer name t-left2; t_done'
t_like "an interface left behind is a failure" "$out" 'interface t-left'
nested 't_croftd_start; mkdir "$(t_cgroups | tail -n 1)/croft.12345678"; t_done'
t_like "a cgroup left behind is a failure" "$out" 'cgroup .*/croft.12345678'
t_is "all is taken away" "$(remains)" ""
nested 't_croftd_start; t_pass "so far"; exit 3'
t_is "a test that stops midway fails with its status, without a plan" "$status $(echo "$out" | grep -c '^1\.\.')" "3 0"
t_is "and leaves nothing either" "$(remains)" ""

nested 't_ok a false; t_fails_with 3 b sh -c "exit 4"; t_is c 1 2; t_like d x y; t_unlike e x x; t_isnt f 1 1; t_done'
t_is "each kind of claim can fail" "$status $(echo "$out" | grep -c '^not ok')" "1 6"
nested 't_ok a true; t_fails_with 3 b sh -c "exit 3"; t_is c 1 1; t_like d xyz y; t_unlike e x y; t_isnt f 1 2; t_skip g why; t_done'
t_is "each kind of claim can hold" "$status $(echo "$out" | grep -c '^ok')" "0 8"
t_done
