#!/bin/sh
# where: here guest
# The kernel plane in the life of partitions: who is on record, from start to stop, whoever of us dies meanwhile.
. "$(dirname "$0")/../lib.sh"
PATH=$BUILD/tests/kit:$PATH

t_croftd_start || exit 1
whoami=$T/run/bpf/whoami
on_record() { t-whoami --count "$T/run/bpf/partitions"; }

t_is "who asks from the host is global" "$(t-whoami "$whoami")" global
t_is "nobody is on record before the first partition" "$(on_record)" 0
t_ok "a partition is made" croft create web
t_is "a partition that isn't started is not on record" "$(on_record)" 0
t_ok "it is started" croft start web
id=$(field web .id)
t_is "a running partition is on record" "$(on_record)" 1
t_is "who stands where its init stands is that partition" "$(t-whoami "$whoami" "$(field web .pid)")" "$id"

t_ok "a second one is made" croft create db
t_ok "and started" croft start db
t_is "it is another one" "$(t-whoami "$whoami" "$(field db .pid)")" "$(field db .id)"

pid_web=$(field web .pid)
t_croftd_kill
t_is "the plane answers while croftd is dead" "$(t-whoami "$whoami" "$pid_web")" "$id"
t_croftd_start || exit 1
t_is "and the same when the next one has adopted it" "$(t-whoami "$whoami" "$(field web .pid)")" "$id"
t_is "both are still on record" "$(on_record)" 2

# To load the large programs anew takes as long as all else of a start.
numbers() {
        for program in programs/kstat programs/devid programs/errlog; do
                bpftool prog show pinned "$T/run/bpf/$program" -j | jq .id
        done | tr '\n' ' '
        bpftool link show pinned "$T/run/bpf/kstat_getsockopt" -j | jq .prog_id
}
before=$(numbers)
t_like "the large programs have numbers" "$before" '^([0-9]+ ){3}[0-9]+$'
t_croftd_kill
t_croftd_start || exit 1
t_is "a croftd that finds the same programs as its own keeps them" "$(numbers)" "$before"
t_croftd_kill
for note in "$T"/run/bpf/made_*; do ln -sfn "$(readlink "$note" | tr 0-9a-f 1-9a-f0)" "$note"; done
t_croftd_start || exit 1
t_is "those that were made from something else it replaces, each of them" \
        "$(for old in $before; do numbers | tr ' ' '\n' | grep -x "$old"; done)" ""

# A croftd of a time without a plane, or with another one.
t_croftd_kill
rm "$T/run/bpf/info" "$T/run/bpf/partitions" "$T/run/bpf/whoami"
t_croftd_start || exit 1
t_is "a record that was lost is made again of what runs" "$(on_record)" 2
t_is "with the same id" "$(t-whoami "$whoami" "$(field web .pid)")" "$id"

t_ok "a partition is stopped" croft stop web
t_is "it is off the record" "$(on_record)" 1
t_ok "it is removed" croft remove web
t_ok "and made again under its name" croft create web
t_ok "and started" croft start web
t_isnt "the new one has another id" "$(field web .id)" "$id"
t_is "and the kernel knows it by that" "$(t-whoami "$whoami" "$(field web .pid)")" "$(field web .id)"
t_ok "all are stopped" croft stop web db
t_is "nobody is left on record" "$(on_record)" 0
t_done
