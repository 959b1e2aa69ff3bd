#!/bin/sh
# where: here
# kstat(8) with a real croftd: in global, inside partitions, and into them; with croftd dead, too.
. "$(dirname "$0")/../lib.sh"

t_croftd_start || exit 1
inside=/run/croft/bin/kstat
misc=unix:0:system_misc

# croft's init: systemd's services mount while they start, and what is compared here would change meanwhile.
t_ok "a partition is made" croft create web -s init=croft
t_ok "and started" croft start web
t_ok "and another one" croft create db -s init=croft
t_ok "is started" croft start db
web=$(field web .id)

# --- global: the machine's --------------------------------------------------------------------------------------------

number() { kstat -p "$1" | cut -f2; }
# BEFORE NUMBER AFTER SLACK: what is asked twice may have changed in between.
within() { if [ "$1" -le "$3" ]; then t_between $(($1 - $4)) "$2" $(($3 + $4)); else t_between $(($3 - $4)) "$2" $(($1 + $4)); fi; }
tasks() { sed 's,.*/\([0-9]*\) .*,\1,' /proc/loadavg; }
tasks=$(tasks)
counted=$(number $misc:nproc)
t_ok "global counts the machine's tasks ($tasks)" within "$tasks" "$counted" "$(tasks)" $((tasks / 4 + 10))
busy() { awk -v hertz="$(getconf CLK_TCK)" 'NR == FNR { up = $1; next } /^cpu / { print int(($2 + $3 + $4) * 256 / hertz / up) }' /proc/uptime /proc/stat; }
busy=$(busy)
load=$(number $misc:avenrun_15min)
t_ok "when it is asked for the first time, its load average is that of all its time ($busy/256)" \
        within "$busy" "$load" "$(busy)" $((busy / 5 + 16))
if [ -e /proc/pressure/cpu ]; then
        waited() { sed -n 's/^some.*total=//p' /proc/pressure/cpu; }
        waited=$(waited)
        told=$(number croft:0:pressure_cpu:some_total)
        t_ok "pressure is what /proc/pressure tells (${waited} us)" \
                within "$waited" $((told / 1000)) "$(waited)" $((waited / 10 + 5000000))
fi

# --- inside -----------------------------------------------------------------------------------------------------------

t_ok "a partition has kstat and sees statistics" croft exec web -- $inside -q
t_ok "so does a user without any privilege" croft exec web -u 65534 -- $inside -q
t_like "it sees how many CPUs it has" "$(croft exec web -- $inside -p $misc:ncpus)" "^$misc:ncpus	[1-9][0-9]*\$"
plain=$(croft exec web -- $inside $misc)
t_like "the plain form is there" "$plain" '^module: unix                            instance: 0     $'
t_like "with the time of the reading" "$plain" '^	snaptime                        [0-9]+\.[0-9]{9}$'
of_time() { croft exec web -- $inside -p "$misc:$1" | cut -f2; }
t_uptime
asked=$t_now
made=$(of_time crtime)
taken=$(of_time snaptime)
up=$(croft exec web -- cut -d' ' -f1 /proc/uptime)
t_uptime
t_ok "times are those of the partition's clock: made $made, read $taken, up $up" \
        awk "BEGIN { exit !($made < $taken && $taken < $up && $up <= $taken + $((t_now - asked + 1))) }"
t_ok "JSON is JSON" sh -c "croft exec web -- $inside -j | jq -e '.[] | select(.name == \"system_misc\").data.ncpus'"
t_fails_with 1 "an unknown key matches nothing" croft exec web -- $inside unix:0:nothing
t_is "without a word" "$(cat "$T/.output" "$T/error")" ""
t_fails_with 2 "a wrong option is usage" croft exec web -- $inside -x
t_fails_with 3 "a partition can't look into another one" croft exec web -- $inside -z "$(field db .id)" $misc
t_fails_with 3 "nor into itself by its id" croft exec web -- $inside -z "$web" $misc
t_is "two rounds are two" "$(croft exec web -- $inside -p $misc:ncpus 1 2 | grep -c ncpus)" 2

# --- from global ------------------------------------------------------------------------------------------------------

names() { sed 's/	.*//' | grep -v '^\(cpu_stat\|unix:0:vminfo\)'; }
t_ok "global looks into a partition by its name" kstat -z web -q $misc
t_is "and by its id, and sees what the partition sees" "$(kstat -z "$web" -p | names)" "$(croft exec web -- $inside -p | names)"
t_is "boot time is that of the partition" "$(kstat -z web -p $misc:boot_time)" "$(croft exec web -- $inside -p $misc:boot_time)"
t_fails_with 3 "a partition that isn't there can't be looked into" kstat -z nobody
t_like "which is said" "$(cat "$T/error")" "nobody"
t_fails_with 3 "nor one with that number" kstat -z 999999
t_ok "croft kstat is the same program" croft kstat -z web -q $misc
kids=$(croft kstat list -z web | cut -d' ' -f1)
t_is "the list rises" "$kids" "$(echo "$kids" | sort -nu)"
t_is "one line each, as the partition has them" "$(croft kstat list -z web | wc -l)" "$(croft exec web -- $inside -p -s class | wc -l)"
kid=$(croft kstat list -z web | sed -n "s/ $misc .*//p")
t_is "one can be shown by its id" "$(croft kstat show -z web -p "$kid" | grep :class)" "$misc:class	misc"
t_is "or read by its keys" "$(croft kstat read -z web -p $misc | grep :class)" "$misc:class	misc"
t_fails_with 3 "one that isn't there is status 3" croft kstat read $misc.nothing:0:x
t_fails_with 3 "as is an id of another partition" croft kstat show "$kid"

# --- whoever dies -----------------------------------------------------------------------------------------------------

before=$(kstat -z "$web" -p $misc:boot_time)
t_croftd_kill
t_is "statistics need no croftd" "$(kstat -z "$web" -p $misc:boot_time)" "$before"
t_fails_with 3 "only names do" kstat -z web
t_croftd_start || exit 1
t_is "the next croftd changes nothing" "$(kstat -z web -p $misc:boot_time)" "$before"
t_ok "a partition is stopped" croft stop web
t_fails_with 3 "and can't be looked into any more" kstat -z "$web" -q
t_done
