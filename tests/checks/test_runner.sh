#!/bin/sh
# where: here
# That tests/run counts what it should: a runner that overlooks a failure makes all other tests worthless.
. "$(dirname "$0")/../lib.sh"
mkdir -p "$T/tests/integration"
cp "$t_top/tests/run" "$T/tests/"

fake() { # NAME SCRIPT
        printf '#!/bin/sh\n%s\n' "$2" >"$T/tests/integration/test_$1.sh"
        chmod +x "$T/tests/integration/test_$1.sh"
}

# NAME SCRIPT EXPECTED-LAST-LINE EXPECTED-STATUS SENTENCE
counts() {
        fake "$1" "$2"
        status=0
        BUILD=build "$T/tests/run" -s here "test_$1" >"$T/out" 2>&1 || status=$?
        t_is "$5" "$(tail -n 1 "$T/out"), status $status" "$3, status $4"
}

counts good 'echo 1..2; echo ok 1 - a; echo ok 2 - b' "2 passed, 0 failed, 0 skipped" 0 "claims are counted, not scripts"
counts bad 'echo ok 1 - a; echo not ok 2 - b; echo 1..2; exit 1' "1 passed, 1 failed, 0 skipped" 1 "a failed claim is a failure"
counts quiet 'echo not ok 1 - b; echo 1..1' "0 passed, 1 failed, 0 skipped" 1 "it is one even if the script ends with 0"
counts skip 'echo "ok 1 - a # SKIP no such kernel"; echo ok 2 - b; echo 1..2' "1 passed, 0 failed, 1 skipped" 0 "a skip is no pass"
t_like "the reason of a skip is shown" "$(cat "$T/out")" '# SKIP no such kernel'
counts dies 'echo 1..1; echo ok 1 - a; exit 3' "1 passed, 1 failed, 0 skipped" 1 "a script that ends badly is a failure"
counts signal 'echo 1..1; echo ok 1 - a; kill -SEGV $$' "1 passed, 1 failed, 0 skipped" 1 "a script that is killed is a failure"
counts noplan 'echo ok 1 - a' "1 passed, 1 failed, 0 skipped" 1 "a script without a plan is a failure"
counts short 'echo 1..3; echo ok 1 - a; echo ok 2 - b' "2 passed, 1 failed, 0 skipped" 1 "fewer claims than planned is a failure"
counts nothing ':' "0 passed, 1 failed, 0 skipped" 1 "a script that says nothing is a failure"
counts hangs '# timeout: 3
echo 1..1; echo ok 1 - a; sleep 100.4' "1 passed, 1 failed, 0 skipped" 1 "a script that hangs is ended and is a failure"
t_like "the time-out is named" "$(cat "$T/out")" 'ended after its time-out'
t_like "and what it waited for" "$(cat "$T/out")" 'nanosleep.* sleep 100\.4$'
counts elsewhere '# where: guest
echo 1..1; echo not ok 1 - a' "0 passed, 0 failed, 0 skipped" 1 "a test for the guest does not run here, and no test at all is no success"
counts all_skipped 'echo "1..0 # SKIP not here"' "0 passed, 0 failed, 1 skipped" 0 "a script may skip as a whole"
rm "$T"/tests/integration/*
fake one 'echo 1..1; echo ok 1 - a'
fake two 'echo 1..1; echo not ok 1 - a'
BUILD=build "$T/tests/run" -s here >"$T/out" 2>&1
t_is "tests are added up" "$(tail -n 1 "$T/out")" "1 passed, 1 failed, 0 skipped"
t_like "those that failed are named at the end" "$(tail -n 2 "$T/out")" '^failed: here/test_two$'
rm "$T"/tests/integration/*
meets='for i in $(seq 100); do [ -e %s ] && exec echo ok 1 - a; sleep 0.1; done; echo not ok 1 - a'
# shellcheck disable=SC2059 # a format it is
fake one "$(printf "touch one; echo 1..1; $meets" two)"
# shellcheck disable=SC2059
fake two "$(printf "# beside: others\ntouch two; echo 1..1; $meets" one)"
fake three '# beside: others
echo 1..1; echo not ok 1 - a'
BUILD=build "$T/tests/run" -s here >"$T/out" 2>&1
t_is "what may run beside others does, and is added up" "$(tail -n 1 "$T/out")" "2 passed, 1 failed, 0 skipped"
t_like "and named" "$(tail -n 2 "$T/out")" '^failed: here/test_three$'
t_done
