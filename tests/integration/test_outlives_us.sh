#!/bin/sh
# where: here guest
# beside: others
# Partitions outlive the death of croftd, of wardens, and of both; what was running is what is running.
. "$(dirname "$0")/../lib.sh"

t_croftd_start || exit 1
t_ok "a partition is made" croft create web -s memory.max=64M
t_ok "and started" croft start web
pid=$(field web .pid)
id=$(field web .id)

# A process inside that counts: it must not miss a beat.
croft exec web -- sh -c 'while :; do echo >>/run/beats; sleep 0.02; done' >/dev/null 2>&1 &
session=$!
beaten() { croft exec web -- wc -c /run/beats; }
t_ok "a program inside runs" t_wait_for beaten
beats() { a=$(beaten) && sleep 0.2 && b=$(beaten) && [ "${b%% *}" -gt "${a%% *}" ]; }

t_croftd_kill
t_ok "init runs on when croftd is killed" kill -0 "$pid"
t_ok "so does the exec session" kill -0 "$session"
t_fails_with 1 "the command line says that croftd isn't there" croft list
t_like "with a sentence" "$(cat "$T/error")" "croftd"
t_croftd_start || exit 1
t_is "the next croftd takes it over" "$(field web '"\(.state) \(.pid) \(.id)"')" "Active $pid $id"
t_ok "the program inside went on" t_wait_for beats
t_ok "limits can be set" croft set web memory.max=80M
t_is "exec works" "$(croft exec web -- echo yes)" yes

warden=$(field web .warden)
kill -9 "$warden"
changed() { now=$(field web .warden) && [ "$now" != null ] && [ "$now" != "$warden" ]; }
t_ok "a killed warden gets a successor" t_wait_for changed
t_is "init is still the same" "$(field web .pid)" "$pid"
t_ok "the program inside went on, too" t_wait_for beats

# Both at once.
warden=$(field web .warden)
kill -STOP "$t_daemon"
kill -9 "$warden"
t_croftd_kill
t_ok "init outlives both" kill -0 "$pid"
t_croftd_start || exit 1
t_is "and is taken over" "$(field web '"\(.state) \(.pid)"')" "Active $pid"
t_ok "with a new warden" t_wait_for changed
t_ok "the program inside went on through that" t_wait_for beats

# Many deaths in a row, of one or the other.
for i in $(seq "$(t_turns 10 10 4)"); do
        t_croftd_kill
        t_croftd_start || exit 1
        warden=$(field web .warden)
        kill -9 "$warden"
        t_wait_for changed || break # five deaths of it in ten seconds are too many, for one croftd
done
t_is "after many deaths it is the same partition" "$(field web '"\(.state) \(.pid)"')" "Active $pid"

# What ends while nobody looks.
t_ok "a second one is made" croft create brief -s 'init=/bin/sh -c "sleep 1; exit 7"'
t_ok "and started" croft start brief
t_croftd_kill
sleep 1.5
t_croftd_start || exit 1
defined() { [ "$(field brief .state)" = Defined ]; }
t_ok "a partition that ended while croftd was dead is Defined" t_wait_for defined
t_is "its exit status is known" "$(field brief .exit_status.status)" 7

kill "$session"
wait "$session" 2>/dev/null
# Its console and its views of /proc died with both, and a systemd without them doesn't end by itself.
t_ok "it is stopped, by force when its time is over" croft stop web --timeout 3
t_is "and Defined" "$(field web .state)" Defined
t_done
