#!/bin/sh
# where: here
# What a warden is when it serves, and what croftd does about one that was taken over and lies; connections that root hands
# into a partition.  What croftd relies on: docs/adr/0011-own-proofs.md.
. "$(dirname "$0")/../lib.sh"

warden_of() { field "$1" .warden; } # PARTITION: the process
status_of() { sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"; }

# --- what a warden has ------------------------------------------------------------------------------------------------

t_croftd_start || exit 1
t_ok "a partition is made" croft create web
t_ok "it starts" croft start web
warden=$(warden_of web)
t_isnt "its warden isn't root" "$(status_of "$warden" Uid | cut -f1)" 0
t_is "of no group of the host's" "$(status_of "$warden" Groups | tr -d ' ')" ""
t_is "has no capability" "$(for set in CapInh CapPrm CapEff CapBnd CapAmb; do status_of "$warden" $set; done | sort -u)" 0000000000000000
t_is "gets no privileges any more" "$(status_of "$warden" NoNewPrivs) $(status_of "$warden" Seccomp)" "1 2"
t_is "sees an empty root" "$(ls -A "/proc/$warden/root/")" ""
# Kept for the next croftd, which makes nodes there; no call that the filter allows resolves a name below it.
t_is "holds no directory but its partition's own /dev" \
        "$(for fd in /proc/"$warden"/fd/*; do [ -d "$fd/" ] && stat -L -c %d:%i "$fd"; done)" "$(stat -c %d:%i "/proc/$(field web .pid)/root/dev")"
t_is "and no file but its log, its filter, standard output and what it shares with croftd alone" \
        "$(for fd in /proc/"$warden"/fd/*; do case $fd in */[12]) ;; *) readlink "$fd" ;; esac; done | grep / | grep -v -e '^/$' -e ^/dev/ -e "^/memfd:croft-\(warden-filter\|facts\|notify\|views\) " | sed 's,.*/,,' | sort -u)" console.log
t_is "its files can't outgrow the log" "$(awk '/^Max file size/ { print $4 }' "/proc/$warden/limits")" 16777280

# --- connections handed into the partition -----------------------------------------------------------------------------

init=$(field web .pid)
id=$(field web .id)
for how in inherit rights; do
        t_is "a connection to the API that it is given ($how) is answered by a refusal" \
                "$("$BUILD/tests/kit/t-fdpass" $how api "$CROFT_SOCKET" "$init" 2>&1)" "answer 403"
        t_is "one to its warden ($how) by nothing" "$("$BUILD/tests/kit/t-fdpass" $how warden "$T/run/w/$id.sock" "$init" 2>&1)" refused
done
for service in api warden; do
        socket=$CROFT_SOCKET
        [ $service = api ] || socket=$T/run/w/$id.sock
        t_is "it can't take one ($service) by pidfd_getfd" "$("$BUILD/tests/kit/t-fdpass" getfd $service "$socket" "$init" 2>&1)" "not passed"
done
t_is "the warden serves on" "$(warden_of web)" "$warden"
t_croftd_kill
t_croftd_start
t_is "for the next croftd, too" "$(warden_of web) $(croft exec web -- echo works)" "$warden works"
t_ok "it is removed" croft remove web --force
t_croftd_stop

# --- a warden that lies -------------------------------------------------------------------------------------------------

real=$BUILD
mkdir "$T/bin"
cp -r "$real/croftd" "$real/croft-image" "$real/croft-kext" "$real/tools" "$T/bin"
cp "$real/croft-warden" "$T/bin/croft-warden.real"
cp "$real/tests/kit/t-liar" "$T/bin/croft-warden"
BUILD=$T/bin
sleep 1000 &
LIE_PID=$!
LIE=$T/lie
LIE_NOTE=$T/liar
export LIE LIE_NOTE LIE_PID
honest() { : >"$LIE"; }
no_liar() { ! kill -0 "$(cat "$LIE_NOTE")"; }
descriptors() { find "/proc/$t_daemon/fd" -mindepth 1 | wc -l; }

honest
t_croftd_start || exit 1
t_ok "an honest neighbour is made" croft create neighbour
t_ok "and started" croft start neighbour
t_ok "and one whose warden will lie" croft create liar
before=$(descriptors)
for what in load-foreign load-nothing load-garbage load-huge load-many; do
        echo $what >"$LIE"
        croft start liar >"$T/output" 2>&1
        t_isnt "$what: the start is refused" "$?" 0
        t_like "with a sentence" "$(cat "$T/output")" "start 'liar'"
        t_is "and undone" "$(field liar .state)" Defined
done
cost_none() { [ "$(descriptors)" -le $((before + 2)) ]; } # once what the last one left is put away
t_ok "none of it cost croftd a descriptor" t_wait_for cost_none

for what in run-flood run-exited run-garbage run-hangup; do
        echo $what >"$LIE"
        croft start liar >"$T/output" 2>&1
        honest # its successors are
        pid=$(field liar .pid)
        sleep 0.5
        t_is "$what: the partition runs on, with the same init" "$(field liar .state) $(field liar .pid)" "Active $pid"
        t_is "commands run in it" "$(croft exec liar -- echo works 2>&1)" works
        if [ $what != run-exited ]; then
                t_ok "and the liar is ended" t_wait_for no_liar
        fi
        t_ok "it is stopped" croft stop liar --force
done

# One that has taken the reads of the partition's own /proc and answers none: whoever waits for it can't be killed.
echo run-mute >"$LIE"
t_ok "run-mute: it starts" croft start liar
honest
croft exec liar -- sh -c 'while cat /proc/meminfo; do :; done' >/dev/null 2>&1 &
reads_own_proc() { grep request_wait_answer "/proc/$(pgrep --ns "$(field liar .pid)" --nslist pid -f '^cat /proc/meminfo')/wchan"; }
t_ok "somebody inside waits for it" t_wait_for reads_own_proc
t_ok "it is stopped all the same" croft stop liar --force
t_ok "and the liar is ended" t_wait_for no_liar

for what in hello-silent hello-foreign hello-id hello-many hello-garbage hello-flood; do
        echo $what >"$LIE"
        t_ok "$what: it starts" croft start liar
        pid=$(field liar .pid)
        honest
        t_croftd_kill
        t_ok "the next croftd comes up" t_croftd_start
        t_is "the partition runs on, with the same init" "$(field liar .state) $(field liar .pid)" "Active $pid"
        t_is "commands run in it" "$(croft exec liar -- echo works 2>&1)" works
        t_ok "it is stopped" croft stop liar --force
done
t_ok "whom the lies were about still runs" kill -0 $LIE_PID
t_is "and the neighbour noticed nothing" "$(field neighbour .state) $(croft exec neighbour -- echo works)" "Active works"
kill $LIE_PID
croft remove liar --force
croft remove neighbour --force
t_done
