#!/bin/bash
# where: guest
# timeout: 600
for t in kext_calls devid_life hostile loop_parts kstat_ways mount_allow devid_families loop_views kstat_forks plane_life kstat_timer autoload disks; do
echo "# == $t"
env BUILD=$BUILD tests/integration/test_$t.sh 2>&1 </dev/null | { first=$EPOCHREALTIME; last=$EPOCHREALTIME; while IFS= read -r l; do now=$EPOCHREALTIME; awk -v a=$now -v b=$last -v l="$l" 'BEGIN{ if (a-b>1.5) printf "# %.1f %s\n", a-b, substr(l,1,110)}'; last=$now; done; awk -v a=$now -v b=$first 'BEGIN { printf "# TOTAL %.1f\n", a-b }'; }
done
echo ok 1; echo 1..1
