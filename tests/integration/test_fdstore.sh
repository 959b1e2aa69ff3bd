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

t_ok "it stops" croft stop web
forgotten() { grep -q "FDSTOREREMOVE=1 FDNAME=$id.console +0" "$T/notify.log"; }
t_ok "the store is told to forget it" t_wait_for forgotten
t_done
