#!/bin/sh
# where: here
# With systemd's descriptor store even the death of croftd and a warden together costs a partition nothing: its console lives
# on.  like_systemd.py stands in for systemd.
. "$(dirname "$0")/../lib.sh"

mkdir "$T/bin"
for program in "$BUILD"/*; do ln -s "$program" "$T/bin/"; done
rm "$T/bin/croftd"
printf '#!/bin/sh\nexec python3 %s %s "$@"\n' "$(cd "$(dirname "$0")" && pwd)/like_systemd.py" "$BUILD/croftd" >"$T/bin/croftd"
chmod +x "$T/bin/croftd"
t_kit=$BUILD/tests/kit
BUILD=$T/bin

t_croftd_start || exit 1
t_like "croftd says when it is ready" "$(cat "$T/notify.log")" '^READY=1'
# The shell is its session's leader: without its terminal it would be ended by SIGHUP.
t_ok "a partition that talks" croft create web -s 'init=/bin/sh -c "n=0; while :; do n=$((n+1)); echo beat $n; sleep 0.05; done"'
t_ok "starts" croft start web
id=$(field web .id)
pid=$(field web .pid)
stored() { grep -q "FDSTORE=1 .*FDNAME=$id.console +1" "$T/notify.log"; }
t_ok "its console is handed to the store" t_wait_for stored

newest() { croft log web | sed -n 's/^.*beat \([0-9]*\).*/\1/p' | tail -n 1; }
talks() { [ -n "$(newest)" ]; }
t_ok "it is heard" t_wait_for talks

# A program inside whose calls the warden answers.
croft exec web -- sh -c 'cat >/t && chmod 755 /t' <"$t_kit/t-sysinfo"
listeners() { grep -c "FDSTORE=1 .*FDNAME=$id.listener.[0-9]* +1" "$T/notify.log"; }
kept_before=$(listeners)
croft exec web -- sh -c 'echo begun; /t loop /run/stop; echo status $?' >"$T/count" 2>&1 &
session=$!
kept_listener() { [ "$(listeners)" -gt "$kept_before" ]; }
t_ok "a program begins" t_wait_for grep -qx begun "$T/count"
if grep -q "FDNAME=$id.listener.1 +1" "$T/notify.log"; then
        t_ok "so are the listeners of intercepted calls" t_wait_for kept_listener
fi

# Both die at the same time: croftd can't replace the warden first.
croftd=$(cat "$T/croftd.pid")
warden=$(field web .warden)
kill -STOP "$croftd"
kill -9 "$warden" "$croftd"
restarted() { [ "$(cat "$T/croftd.pid")" != "$croftd" ] && croft list; }
t_ok "croftd is started again" t_wait_for restarted
before=$(newest)
t_is "the partition is the same" "$(field web '"\(.state) \(.pid)"')" "Active $pid"
goes_on() { [ "$(newest)" -gt "$((before + 3))" ]; }
t_ok "and it is still heard" t_wait_for goes_on

croft exec web -- touch /run/stop
wait $session
t_is "no call of the program's failed" "$(tail -n 1 "$T/count")" "status 0"
limit() { [ "$(croft exec web -- /t show 64 | cut -d' ' -f1)" = $((64 * 1048576)) ]; }
t_ok "its memory is limited" croft set web memory.max=64M
t_ok "and its calls are answered with that" t_wait_for limit

t_ok "it stops" croft stop web
forgotten() { grep -q "FDSTOREREMOVE=1 FDNAME=$id.console +0" "$T/notify.log"; }
t_ok "the store is told to forget it" t_wait_for forgotten
t_done
