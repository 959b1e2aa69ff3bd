#!/bin/sh
# where: here guest
# Statistics for programs that may not use bpf(2), with a real croftd; and what croft check says of the ways there are.
. "$(dirname "$0")/../lib.sh"

t_croftd_start || exit 1
kstat=/run/croft/bin/kstat
misc=unix:0:system_misc
inside() { croft exec web -- "$@" </dev/null; }
without() { inside /tmp/t-nobpf "$@"; }
status_of() { croft check --format json | jq -r ".[] | select(.name == \"$1\") | .status"; }
detail_of() { croft check --format json | jq -r ".[] | select(.name == \"$1\") | .detail"; }
lost_of() { croft check --format json | jq -r ".[] | select(.name == \"$1\") | .lost"; }

# --- what there is ----------------------------------------------------------------------------------------------------

for way in kernel-plane statistics-bpf statistics-getsockopt figures mount-statistics intercepted-calls; do
        t_is "croft check knows $way" "$(status_of $way)" ok
        t_is "nothing is lost" "$(lost_of $way)" null
done
t_like "people are told, too" "$(croft check)" '^statistics-getsockopt +ok +.*getsockopt\(2\)'

# --- the same without bpf(2) ------------------------------------------------------------------------------------------

t_ok "a partition is made" croft create web -s init=croft
t_ok "and another one" croft create db -s init=croft
t_ok "both are started" croft start web db
for tool in t-nobpf t-kstat; do
        croft exec web -- sh -c "cat >/tmp/$tool && chmod 755 /tmp/$tool" <"$BUILD/tests/kit/$tool"
done
t_ok "bpf(2) answers a tool that knows nothing else" inside /tmp/t-kstat /run/croft/programs/kstat find unix 0 system_misc
t_fails_with 1 "where it is refused it doesn't" without 1 /tmp/t-kstat /run/croft/programs/kstat find unix 0 system_misc

inside $kstat -p >"$T/first"
for error in 1 38; do
        without $error $kstat -p >"$T/refused.$error"
        t_is "kstat has read everything where bpf(2) answers $error" $? 0
done
names() { cut -f1 "$1"; }
t_ok "it has something to say" [ "$(wc -l <"$T/first")" -gt 100 ]
t_is "it shows the same structures" "$(names "$T/refused.1")" "$(names "$T/first")"
t_is "with either error" "$(names "$T/refused.38")" "$(names "$T/first")"
constant() { grep -E ':(class|crtime|ncpus|boot_time|vendor_id|brand|model|[a-z_]*_limit)	' "$1"; }
t_ok "much of it doesn't change" [ "$(constant "$T/first" | wc -l)" -gt 50 ]
t_is "what doesn't change has the same value" "$(constant "$T/refused.1")" "$(constant "$T/first")"
t_is "JSON is the same but for the values" "$(without 1 $kstat -j $misc | jq -c '.[0].data | keys')" \
        "$(inside $kstat -j $misc | jq -c '.[0].data | keys')"
t_fails_with 1 "an unknown key matches nothing" without 1 $kstat unix:0:nothing
t_is "without a word" "$(cat "$T/.output" "$T/error")" ""
t_fails_with 3 "nobody looks into another partition that way" without 1 $kstat -z "$(field db .id)" $misc
t_ok "a user without any privilege reads, too" croft exec web -u 65534 -- /tmp/t-nobpf 1 $kstat -q </dev/null
t_is "as does a program without the pinned ones in sight" "$(inside env CROFT_KSTAT=/nowhere $kstat -p $misc:boot_time)" \
        "$(inside $kstat -p $misc:boot_time)"
t_fails_with 3 "in global there is no such way" env CROFT_KSTAT=/nowhere CROFT_SOCKET= "$BUILD/kstat" -q

# --- whoever dies -----------------------------------------------------------------------------------------------------

expected=$(inside $kstat -p $misc:boot_time)
# shellcheck disable=SC2016 # for the shell inside
inside sh -c 'i=0; until [ -e /root/enough ]; do
        for way in "/tmp/t-nobpf 1" ""; do
                $way '$kstat' -p '$misc:boot_time' >/root/one 2>&1 && echo "$(cat /root/one)" || { cat /root/one; echo "$way failed"; }
        done
done >/root/all' &
reader=$!
t_wait_for inside test -s /root/all
t_croftd_kill
t_croftd_start || exit 1
t_croftd_kill
rm "$T/run/bpf/kstat_state" # without it what there is is of another layout, or might be
t_croftd_start || exit 1
inside touch /root/enough
t_ok "readers by both ways run while croftd is killed and comes again, at last with maps of another layout" wait "$reader"
t_is "none of their readings failed or was another's" "$(inside sort -u /root/all)" "$expected"
t_is "and the same structures are there again" "$(inside $kstat -p | cut -f1)" "$(names "$T/first")"

# --- what there isn't -------------------------------------------------------------------------------------------------

t_ok "both are stopped" croft stop web db
t_ok "and removed" croft rm web db
t_croftd_stop
real=$BUILD
BUILD=$T/build
mkdir "$BUILD"
printf '#!/bin/sh\nexec "%s/tests/kit/t-nobpf" 1 "%s/croftd" "$@"\n' "$real" "$real" >"$BUILD/croftd"
chmod 755 "$BUILD/croftd"
t_croftd_start || exit 1
for way in kernel-plane statistics-bpf statistics-getsockopt figures mount-statistics; do
        t_is "where croftd may not use bpf(2), croft check says that $way is missing" "$(status_of $way)" missing
        t_like "and why" "$(detail_of $way)" 'no permission|not permitted'
        t_isnt "and what is lost" "$(lost_of $way)" null
done
t_like "people are told" "$(croft check)" '^statistics-getsockopt +missing'
t_ok "partitions can run all the same" sh -c "croft check | grep -q '^Partitions can run here'"
t_like "croftd has said it, too" "$(cat "$T/croftd.log")" 'statistics-bpf lacks: statistics by key'
t_done
