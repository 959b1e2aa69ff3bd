#!/bin/sh
# where: here
# beside: others
# timeout: 900
# `make demo` is what a newcomer sees first: it runs to its end, shows what it promises, and leaves nothing.
T_NETWORK=host # mmdebstrap downloads
. "$(dirname "$0")/../lib.sh"

status=0
BUILD=${BUILD#"$t_top"/} "$t_top/tools/demo" >"$T/said" 2>&1 </dev/null || status=$?
t_is "the demo ends well" "$status" 0
[ $status = 0 ] || t_note "$(tail -n 30 "$T/said")"
for promise in 'Partitions can run here' 'web.example' 'uid=0\(root\)' '1 received, 0% packet loss' 'the kernel ended it' 'GNU/Linux 13|GNU/Linux 12' \
        'took .web. over' 'serves .web. now' 'still here' 'Nothing: mounts, cgroups'; do
        t_like "it shows: $promise" "$(cat "$T/said")" "$promise"
done
t_done
