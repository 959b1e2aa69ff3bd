#!/bin/bash
# where: here
# beside: others
# The real prometheus of Debian scrapes croftd on TCP and answers queries with what croftd says; promtool takes the text.
. "$(dirname "$0")/../lib.sh"

if ! command -v prometheus >/dev/null; then
        t_skip "prometheus scrapes croftd" "no prometheus here (tools/deps test)"
        t_done
fi
query() { # EXPRESSION: the value of the first result
        curl -sS "http://127.0.0.1:9490/api/v1/query" --data-urlencode "query=$1" | jq -r '.data.result[0].value[1]'
}
is_up() { [ "$(query 'up{job="croft"}')" = 1 ] && [ "$(query 'croft_memory_limit_bytes')" != null ]; }

t_croftd_start --metrics-listen 127.0.0.1:9478 || exit 1
t_ok "a partition runs" sh -c 'croft create web -s memory.max=64M -s init=/run/croft/bin/croft-init && croft start web'

cat >"$T/prometheus.yml" <<YML
global: {scrape_interval: 5s, scrape_timeout: 5s}
scrape_configs:
  - job_name: croft
    static_configs: [{targets: ["127.0.0.1:9478"]}]
YML
t_ok "the configuration is sound" promtool check config "$T/prometheus.yml"
prometheus --config.file="$T/prometheus.yml" --storage.tsdb.path="$T/tsdb" --web.listen-address=127.0.0.1:9490 >"$T/prometheus.log" 2>&1 &
prometheus=$!
t_ok "the target is up" t_wait_for is_up
t_is "a limit, asked of prometheus" "$(query 'croft_memory_limit_bytes{name="web",type="native"}')" 67108864
t_is "a sum over states" "$(query 'sum(croft_partitions)')" 1
t_ok "a counter has come as one" t_wait_for sh -c '
        curl -sS http://127.0.0.1:9490/api/v1/metadata?metric=croft_cpu_seconds_total | jq -e ".data[][0].type == \"counter\"" ||
        curl -sS http://127.0.0.1:9490/api/v1/metadata?metric=croft_cpu_seconds | jq -e ".data[][0].type == \"counter\""'
t_like "it was scraped as OpenMetrics" \
        "$(curl -sS http://127.0.0.1:9490/api/v1/metadata | jq -r '.data | to_entries[] | select(.key | startswith("croft_cpu_seconds")) | .value[0].unit')" seconds
kill $prometheus
wait $prometheus 2>/dev/null

# What it says against are names that are Incus's and no others.
curl -sS -H 'Accept: text/plain' http://127.0.0.1:9478/metrics | promtool check metrics >"$T/lint" 2>&1
t_is "promtool takes the text and finds fault with nothing but names that are Incus's" \
        "$(awk '{ print $1 }' "$T/lint" | grep -vxE 'croft_cpu_effective_total|croft_memory_Mem(Available|Free|Total)_bytes|croft_procs_total')" ""
t_like "it does look at names" "$(cat "$T/lint")" '^croft_procs_total '
t_ok "all end" croft remove --force web
t_done
