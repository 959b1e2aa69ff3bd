#!/bin/sh
# where: here guest
# What a hostile root inside a partition tries (t-hostile), and what it leaves for croft to stumble over at the next start, exec and stop.
. "$(dirname "$0")/../lib.sh"

canary=$T/canary # a file of the host that every trap points at
echo untouched >"$canary"

inside() { croft exec evil -- "$@"; }

# Puts a host file at a path inside, executable.
put() { croft exec evil -- sh -c "cat >'$2' && chmod 755 '$2'" <"$1"; }

t_croftd_start || exit 1
t_ok "a partition with limits is made" croft create evil -s pids.max=300 -s memory.max=256M -s stop.timeout=2
t_ok "it starts" croft start evil

# --- attempts from inside ---------------------------------------------------------------------------------------------

before=$(sha256sum "$BUILD/croft-warden" "$BUILD/tools/croft-init" "$BUILD/croftd")
put "$BUILD/tests/kit/t-hostile" /root/t-hostile
inside /root/t-hostile >"$T/attempts" 2>&1
attempts=$?
while read -r line; do
        case $line in
        "ok "*) t_pass "inside: ${line#* - }" ;;
        "not ok "*) t_fail "inside: ${line#* - }" "$(grep '^#' "$T/attempts")" ;;
        esac
done <"$T/attempts"
t_is "all attempts were made and refused" "$attempts $(grep -c '^ok' "$T/attempts")" "0 $(sed -n 's/^1\.\.//p' "$T/attempts")"
t_is "croft's binaries are what they were" "$(sha256sum "$BUILD/croft-warden" "$BUILD/tools/croft-init" "$BUILD/croftd")" "$before"

# --- /proc/self/exe: the interpreter of a script is the program that execs it (CVE-2019-5736) ---------------------------

inside sh -c 'printf "#!/proc/self/exe\n" >/root/trap && chmod 755 /root/trap'
croft exec evil -- /root/trap >/dev/null 2>&1
t_isnt "a script whose interpreter is /proc/self/exe doesn't run croft's own binary" "$?" 0
t_is "croft's binaries are still what they were" "$(sha256sum "$BUILD/croft-warden" "$BUILD/tools/croft-init" "$BUILD/croftd")" "$before"

# --- links and mounts in the way of the next start ----------------------------------------------------------------------

# Everything that croft mounts or writes at start is replaced by a link to the host's canary or to its directory.  Through the
# overlay's upper directory, as the root of the partition could while nothing is mounted there (a nested mount namespace).
t_ok "it stops" croft stop evil
upper=$T/state/partitions/$(field evil .id)/rw/upper
t_ok "the upper layer is where this test looks for it" test -d "$upper"
for place in dev proc sys run etc/hostname etc/hosts etc/resolv.conf dev/console run/croft; do
        rm -rf "${upper:?}/$place"
        mkdir -p "$(dirname "$upper/$place")"
        ln -s "$T" "$upper/$place"
        croft start evil >"$T/output" 2>&1
        status=$?
        if [ $status = 0 ]; then
                t_is "with a link at /$place it starts with a root of its own" "$(inside sh -c 'echo $$ >/dev/null && echo fine' 2>&1)" fine
                croft stop evil --force >/dev/null 2>&1
        else
                t_like "with a link at /$place the start is refused with a sentence" "$(cat "$T/output")" "start 'evil'"
                t_is "and the partition is Defined again" "$(field evil .state)" Defined
        fi
        rm -rf "${upper:?}/$place"
done
t_is "no link led to the host" "$(cat "$canary"); $(find "$T" -maxdepth 1 -newer "$canary" -type d -name 'croft' | wc -l)" "untouched; 0"

# A start raced by a process of the host's side of the same directory: links are flipped as fast as can be.
(while :; do
        ln -sfn "$T" "$upper/srv" && rm -f "$upper/srv" && mkdir "$upper/srv" && rmdir "$upper/srv"
done 2>/dev/null) &
flipper=$!
for _ in 1 2 3 4 5; do croft start evil >/dev/null 2>&1 && croft stop evil --force >/dev/null 2>&1; done
kill $flipper
wait $flipper 2>/dev/null
rm -rf "${upper:?}/srv"
t_ok "after a race of links it starts" croft start evil

# --- names and environments ---------------------------------------------------------------------------------------------

escape=$(printf '\033]0;pwned\007\033[2J')
t_fails_with 2 "a name full of control bytes is refused" croft create "$escape"
t_unlike "and not echoed to the terminal as it is" "$(cat "$T/error")" "$(printf '\033')"
t_is "an environment with control bytes reaches the command as it is" \
        "$(croft exec -e "X=$escape" evil -- sh -c 'printf %s "$X"' | od -An -tx1 | tr -d ' \n')" "$(printf %s "$escape" | od -An -tx1 | tr -d ' \n')"
inside sh -c 'hostname "$(printf "a\033[31mb")"' 2>/dev/null
t_unlike "a host name with control bytes doesn't come out in a list" "$(croft list; croft show evil)" "$(printf '\033')"

# --- processes ----------------------------------------------------------------------------------------------------------

# Again and again: what ends while it is filled makes room.
for _ in 1 2 3; do inside sh -c 'for i in $(seq 1000); do sleep 1000 & done'; done >"$T/filled" 2>&1
t_note "$(cat "$T/filled"); $(field evil .usage)"
t_ok "with all its processes used up it can still be listed" croft list
# What ends after it was filled makes room again.
full() { ! inside sh -c 'sleep 1000 & sleep 1000 &' >"$T/output" 2>&1 && grep -q croft: "$T/output"; }
t_ok "exec then fails, as it must" t_wait_for full
t_like "and says why" "$(cat "$T/output")" "Resource temporarily unavailable|pids"
t_ok "it is killed all the same" croft stop evil --force
t_is "and Defined" "$(field evil .state)" Defined

t_ok "it starts again" croft start evil
# Each process of the bomb ends as soon as it has two children, so that no list of them is ever complete.
croft exec evil -- sh -c 'bomb() { (bomb; :) & (bomb; :) & :; }; bomb' >/dev/null 2>&1 &
sleep 1
t_ok "what forks faster than it can be listed is stopped" croft stop evil --force
wait $!
t_is "and nothing of it runs" "$(field evil .state)" Defined

# --- an init that doesn't answer ----------------------------------------------------------------------------------------

t_ok "init can be any program" croft set evil init='/bin/sh -c "trap : TERM PWR INT HUP USR1 USR2; kill -STOP \$\$; while :; do sleep 1; done"'
t_ok "one that ignores everything starts" croft start evil
started=$(date +%s)
t_ok "and is stopped by force after stop.timeout" croft stop evil
t_ok "soon" test $(($(date +%s) - started)) -lt $((2 + T_PATIENCE / 2))
t_ok "the usual init is back" croft set evil init=

# --- full file systems of memory ----------------------------------------------------------------------------------------

t_ok "it starts once more" croft start evil
inside sh -c 'mkdir -p /tmp/fill; cat /dev/zero >/dev/shm/fill' >/dev/null 2>&1
inside sh -c 'cat /dev/zero >/run/fill' >/dev/null 2>&1
t_ok "with /run and /dev/shm full it can still be listed" croft list
t_is "exec still works" "$(inside echo works)" works
t_ok "and it stops" croft stop evil

t_is "croftd is still the one that was started" "$(kill -0 "$t_daemon" && echo alive)" alive
t_done
