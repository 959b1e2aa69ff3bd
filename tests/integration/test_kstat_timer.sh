#!/bin/sh
# where: here guest
# Statistics of type TIMER: how long a partition's calls on its mounts took, while mount.stats is latency.  What they add up is what
# its mounts add up, each for itself.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../mounts.sh"

timer() { kstat -z "$1" -p "croft:0:call_$2:$3" | sed 's/.*	//'; } # PARTITION read|write VALUE
events() { echo "$(timer "$1" read num_events) $(timer "$1" write num_events)"; }
# Of all mounts of that partition, those that global made, too: the sum of these values.
sums() { # PARTITION VALUE...
        t_id=$(field "$1" .id)
        shift
        t_values=$(echo "$@" | tr ' ' '|')
        kstat -p 'mount:*:/^(io|mntinfo)$/' | awk -F'[:\t]' -v id="$t_id" -v wanted="^($t_values)\$" '
                $3 == "mntinfo" && $4 == "partition" && $5 == id { own[$2] = 1 }
                $3 == "io" && $4 ~ wanted { sum[$2] += $5 }
                END { for (i in own) total += sum[i]; printf "%.0f\n", total }'
}

t_is "nothing is timed unless that is wanted" "$(events a)" "0 0"
t_ok "it is wanted" croft set a mount.stats=latency
within a mkdir -p /mnt/x
within a mount -t tmpfs tmpfs /mnt/x
i=$(mount_id a /mnt/x)
t_ok "a mount is there" t_wait_for known "$i"
before=$(timer a write num_events)
other=$(events b)
t_ok "it is written to and read" within a sh -c 'dd if=/dev/zero of=/mnt/x/f bs=4096 count=100 && dd if=/mnt/x/f of=/dev/null bs=4096'
t_ok "each call is an event" t_between "$((before + 100))" "$(timer a write num_events)" "$((before + 400))"
t_ok "one that waits is a long one" within a sh -c 'mkfifo /mnt/x/p; exec 3<>/mnt/x/p; { sleep 2; echo x >&3; } & read -r line <&3'
t_ok "which shows" t_between 1000000000 "$(timer a read max_time)" "$(timer a read elapsed_time)"

# --- what is added up -------------------------------------------------------------------------------------------------

buckets='ops_1us ops_4us ops_16us ops_66us ops_262us ops_1ms ops_4ms ops_17ms ops_67ms ops_268ms ops_1s ops_longer'
# shellcheck disable=SC2086 # a list
t_is "all events together are what the mounts have counted by duration" \
        "$(($(timer a read num_events) + $(timer a write num_events)))" "$(sums a $buckets)"
t_is "what reads took in all is what the mounts say" "$(timer a read elapsed_time)" "$(sums a rlentime)"
t_is "and what writes took" "$(timer a write elapsed_time)" "$(sums a wlentime)"
for kind in read write; do
        n=$(timer a $kind num_events)
        last=$(($(timer a $kind stop_time) - $(timer a $kind start_time)))
        t_ok "the mean $kind lies between the shortest and the longest" t_between "$(timer a $kind min_time)" "$(($(timer a $kind elapsed_time) / n))" "$(timer a $kind max_time)"
        t_ok "and so does the last one" t_between "$(timer a $kind min_time)" "$last" "$(timer a $kind max_time)"
        t_is "it has its name" "$(timer a $kind name)" $kind
done
t_is "another partition's aren't touched by that" "$(events b)" "$other"
t_like "a partition reads its own" "$(within a /run/croft/bin/kstat -p croft:0:call_read:num_events)" '	[1-9][0-9]*$'
t_fails_with 1 "those of global aren't timed" kstat -q croft:0:call_read
t_ok "it is wanted no more" croft set a mount.stats=yes
still() { # what begins while it is being given up may be timed
        before=$(events a)
        within a dd if=/mnt/x/f of=/dev/null bs=4096 2>/dev/null
        [ "$(events a)" = "$before" ]
}
t_ok "then they stand still" t_wait_for still
t_ok "the partition is restarted" croft restart a
t_is "and begins anew" "$(events a)" "0 0"
t_done
