#!/bin/bash
# where: here guest
# GET /metrics and GET /v1/stats with a real croftd: the text is sound to strict readers, says what the kernel says, and a partition that ends or
# an interface of a strange name spoils nothing of the others.
. "$(dirname "$0")/../lib.sh"

get() { curl -sS --unix-socket "$CROFT_SOCKET" "$@"; }
metrics() { get http://croft/metrics "$@"; }
value() { # METRIC{LABELS}, as a whole
        printf '%s\n' "$text" | awk -v key="$1" 'substr($0, 1, length(key) + 1) == key " " { print $NF }'
}
modprobe -q -a veth dummy 2>/dev/null # partitions make no module be loaded
t_croftd_start --metrics-listen 127.0.0.1:9478 || exit 1

# --- nothing runs -----------------------------------------------------------------------------------------------------

text=$(metrics)
t_is "the text ends as OpenMetrics wants" "$(printf '%s\n' "$text" | tail -n 1)" "# EOF"
t_is "no partition, no line of one" "$(printf '%s\n' "$text" | grep -c 'name=')" 0
t_is "what there is by state is told" "$(value 'croft_partitions{state="Active"}')" 0

# --- partitions -------------------------------------------------------------------------------------------------------

t_ok "a partition with limits and a network is started" sh -c '
        croft create web -s memory.max=64M -s pids.max=99 -s init=/run/croft/bin/croft-init && croft start web'
t_ok "and one more" sh -c 'croft create db -s init=/run/croft/bin/croft-init && croft start db'
t_ok "a third one is only defined" croft create idle
t_ok "it works" croft exec web -- sh -c 'i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; head -c 3000000 /dev/zero >/dev/shm/file'
text=$(metrics)
labels='name="web",type="native"'
t_is "states are told" "$(value "croft_partition_state{$labels,state=\"Active\"}")$(value 'croft_partitions{state="Active"}')$(
        value 'croft_partitions{state="Defined"}')" 121
t_is "the limit of memory" "$(value "croft_memory_limit_bytes{$labels}")" 67108864
t_is "which is what there is of it" "$(value "croft_memory_MemTotal_bytes{$labels}")" 67108864
t_is "the limit of tasks" "$(value "croft_procs_limit{$labels}")" 99
t_is "no limit has no line" "$(value 'croft_memory_limit_bytes{name="db",type="native"}')" ""
t_is "a partition that doesn't run has its state only" "$(printf '%s\n' "$text" | grep -c 'name="idle"')" 1
t_ok "memory is what its cgroup says, roughly" awk -v a="$(value "croft_memory_usage_bytes{$labels}")" 'BEGIN { exit !(a > 3000000 && a < 67108864) }'
t_ok "tmpfs is shared memory" awk -v a="$(value "croft_memory_Shmem_bytes{$labels}")" 'BEGIN { exit !(a >= 3000000) }'
t_ok "it took CPU time, in seconds" sh -c 'printf "%s\n" "$1" | awk "/^croft_cpu_seconds_total.name=.web/ { s += \$NF } END { exit !(s > 0.01 && s < 1000) }"' - "$text"
t_isnt "pressure is counted" "$(value "croft_pressure_cpu_waiting_seconds_total{$labels}")" ""
t_isnt "its loopback interface is there" "$(value "croft_network_receive_bytes_total{$labels,device=\"lo\"}")" ""
t_is "operations are counted" "$(value 'croft_operations_total{operation="start",result="done"}')" 2
t_fails_with 5 "an operation that fails" croft create web
before=$(value 'croft_api_errors_total')
text=$(metrics)
t_is "is counted among the errors" "$(value croft_api_errors_total)" $((before + 1))

# --- its readers ------------------------------------------------------------------------------------------------------

t_like "OpenMetrics is the default" "$(metrics -o /dev/null -D -)" '^Content-Type: application/openmetrics-text; version=1.0.0'
t_like "an old scraper gets the old form" "$(metrics -o /dev/null -D - -H 'Accept: text/plain;version=0.0.4,*/*;q=0.1')" \
        '^Content-Type: text/plain; version=0.0.4'
t_is "which has no EOF" "$(metrics -H 'Accept: text/plain' | grep -c EOF)" 0
t_like "HEAD has the headers alone" "$(metrics -I)" '200 OK'
if /usr/bin/python3 -c 'import prometheus_client' 2>/dev/null; then
        metrics >"$T/text"
        t_ok "a strict reader of OpenMetrics takes all of it" /usr/bin/python3 -c '
import sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families
families = list(text_string_to_metric_families(open(sys.argv[1]).read()))
assert len(families) > 60 and sum(len(f.samples) for f in families) > 100, len(families)' "$T/text"
        metrics -H 'Accept: text/plain' >"$T/text"
        t_ok "a reader of the old form takes it" /usr/bin/python3 -c '
import sys
from prometheus_client.parser import text_string_to_metric_families
assert len(list(text_string_to_metric_families(open(sys.argv[1]).read()))) > 60' "$T/text"
else
        t_skip "a strict reader of OpenMetrics takes all of it" "no prometheus_client here"
fi

# --- a hostile one ----------------------------------------------------------------------------------------------------

t_ok "a partition gives an interface a name with quotes" croft exec web -- sh -c \
        'ip link add name '"'"'a"b\c'"'"' type dummy 2>/dev/null || ip link set lo name '"'"'a"b\c'"'"
text=$(metrics)
t_isnt "it is escaped" "$(value "croft_network_receive_bytes_total{$labels,device=\"a\\\"b\\\\x5cc\"}")$(
        printf '%s\n' "$text" | grep -F 'receive_bytes' | grep -F 'a\"b')" ""
t_isnt "the others are all there" "$(value 'croft_memory_usage_bytes{name="db",type="native"}')" ""
croft exec web -- sh -c 'i=0; while [ $i -lt 50 ]; do ip link add pair$i type veth peer name other$i; i=$((i+1)); done'
t_is "of a hundred interfaces as many are told as croft promises" "$(metrics | grep -c 'croft_network_receive_bytes_total{name="web"')" 32

# Partitions come and go while it is scraped: each text is whole and has the one that stays.
( for i in 1 2 3 4; do croft restart web; done ) >/dev/null 2>&1 &
churn=$!
whole=0 rounds=0
while kill -0 $churn 2>/dev/null; do
        rounds=$((rounds + 1))
        text=$(metrics)
        [ "$(printf '%s\n' "$text" | tail -n 1)" = "# EOF" ] && [ -n "$(value 'croft_memory_usage_bytes{name="db",type="native"}')" ] &&
                whole=$((whole + 1))
done
t_is "each of the texts read while a partition ended and began is whole" "$whole" "$rounds"

# --- JSON -------------------------------------------------------------------------------------------------------------

stats=$(get http://croft/v1/stats)
t_is "as JSON: all partitions, by name" "$(echo "$stats" | jq -r '[.partitions[].name] | join(" ")')" "db idle web"
t_is "limits" "$(echo "$stats" | jq '.partitions[2].memory.limit_bytes')" 67108864
t_is "what isn't known is null" "$(echo "$stats" | jq '.partitions[1].memory.usage_bytes')" null
t_is "the machine's CPUs" "$(echo "$stats" | jq '.machine.cpus')" "$(nproc --all)"

# --- TCP --------------------------------------------------------------------------------------------------------------

t_like "it is served on TCP" "$(curl -sS http://127.0.0.1:9478/metrics)" '^croft_partitions\{state="Active"\} 2$'
t_is "nothing else is there" "$(curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:9478/v1/partitions)" 404
t_is "nothing can be sent there" "$(curl -s -o /dev/null -w '%{http_code}' -X POST http://127.0.0.1:9478/metrics)" 405
t_is "not with a body either" "$(head -c 100000 /dev/zero | curl -s -o /dev/null -w '%{http_code}' -X POST --data-binary @- http://127.0.0.1:9478/metrics)" 405
t_is "not even in small" "$(curl -s -o /dev/null -w '%{http_code}' -X DELETE http://127.0.0.1:9478/v1/partitions/web)" 405
t_fails_with 4 "an address that others can reach is refused" timeout "$T_PATIENCE" croftd --state-dir "$T/s2" --run-dir "$T/r2" --metrics-listen 0.0.0.0:9479
t_like "the reason is told" "$(cat "$T/error")" "metrics-public"
t_fails_with 2 "an address that is none, too" timeout "$T_PATIENCE" croftd --state-dir "$T/s2" --run-dir "$T/r2" --metrics-listen 127.0.0.1:http

t_ok "all end" croft remove --force web db idle
t_done
