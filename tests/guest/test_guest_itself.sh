#!/bin/sh
# where: here
# timeout: 900
# That guest-run keeps its promises: output, status and files come back, a hang and a death are told apart, nothing stays.
# What kernel is inside, and what it can do, is for test_guest_kernel.sh.
T_NETWORK=host # guest-prepare may have to download
. "$(dirname "$0")/../lib.sh"
run=$t_top/tests/guest/guest-run
boot() { "$run" -c 1 "$@"; } # costs half of what three CPUs do
mkdir "$T/tree" "$T/tmp"
export TMPDIR="$T/tmp" # guest-run's files; empty afterwards
echo "from outside" >"$T/tree/file"
mkdir "$T/tree/unwanted"

# What runs inside is in a file, so that its quoting is its own.
cat >"$T/tree/first" <<'END'
cat file
pwd
printf 'arguments:'
printf ' <%s>' "$@"
echo
echo "variable: $TEST_VARIABLE"
echo "not a line at the end of it" >/dev/stderr
ls -d unwanted
echo changed >file
mkdir /out/folder
head -c 100000 /dev/urandom | tee /out/folder/random | sha256sum
python3 - <<'PYTHON'
import time
def loop():
    begin = time.perf_counter_ns()
    for _ in range(200000):
        pass
    return time.perf_counter_ns() - begin
times = [loop() for _ in range(5)]
print(f"differ by {(max(times) - min(times)) * 100 // min(times)} %")
PYTHON
(sleep 1000 &) # holds the output open; must not hold up the end
printf 'no newline'
exit 42
END
status=0
boot -n 4 -o "$T/back" -x unwanted -e "TEST_VARIABLE=with 'quotes' and \$dollar" "$T/tree" -- \
        bash ./first 'one  two' '*' "it's" >"$T/stdout" 2>"$T/stderr" || status=$?
stdout=$(cat "$T/stdout")
t_is "the status of the command comes back" "$status" 42
t_like "the tree is there under its own path" "$stdout" "^$T/tree\$"
t_like "a file of the tree can be read" "$stdout" '^from outside$'
t_like "arguments arrive as they were" "$stdout" "^arguments: <one  two> <\*> <it's>\$"
t_like "a variable arrives as it was" "$stdout" "^variable: with 'quotes' and \\\$dollar\$"
t_like "standard error can be reopened and comes back" "$stdout" '^not a line at the end of it$'
t_unlike "a path that was left out is not there" "$stdout" '^unwanted$'
t_is "the last bytes come back" "$(tail -n 1 "$T/stdout")" "no newline"
t_is "what is changed in the tree stays inside" "$(cat "$T/tree/file")" "from outside"
t_like "by a clock of instructions the same takes the same time, whatever this machine is at" "$stdout" '^differ by [0-3] %$'
t_like "files come back whole" "$stdout" "^$(sha256sum <"$T/back/folder/random" | cut -d' ' -f1) "

t_fails_with 124 "a command that doesn't end is ended after its time" boot -t 3 "$T/tree" -- sleep 1000
t_fails_with 126 "one that says nothing for too long, too" "$run" -q 12 "$T/tree" -- sh -c 'echo a; sleep 3; echo b; cat /dev/zero >/dev/null'
t_like "what its kernel was doing is shown" "$(cat "$T/error")" 'task:cat  *state:R'
t_fails_with 125 "a guest whose kernel panics is told from a failed command" \
        "$run" "$T/tree" -- sh -c 'echo 1 >/proc/sys/kernel/sysrq; echo c >/proc/sysrq-trigger; sleep 100'
t_like "the panic is shown" "$(cat "$T/error")" 'Kernel panic'
t_fails_with 125 "an emulator that ends at once isn't waited for" timeout 60 "$run" -m nothing "$T/tree" -- true
t_like "and what it said is shown" "$(cat "$T/error")" "qemu.*-m nothing"
t_fails_with 2 "a clock of instructions is for one CPU" "$run" -n 4 -c 3 "$T/tree" -- true
t_fails_with 2 "a tree that would cover the guest's own files is refused" "$run" /usr -- true

# tests/run, of which one test ends the kernel: once, then always.
mkdir -p "$T/runner/tests/guest" "$T/runner/tests/integration"
cp "$t_top/tests/run" "$T/runner/tests/"
printf '#!/bin/sh\n"%s" "$@"\nstatus=$?\nrm -f "%s/once"\nexit $status\n' "$run" "$T/runner" >"$T/runner/tests/guest/guest-run"
for test in a b c; do
        printf '#!/bin/sh\n# where: guest\necho 1..1; echo ok 1 - fine\n' >"$T/runner/tests/integration/test_$test.sh"
done
echo '[ ! -e once ] && [ ! -e always ] || { echo 1 >/proc/sys/kernel/sysrq; echo c >/proc/sysrq-trigger; sleep 100; }' \
        >>"$T/runner/tests/integration/test_b.sh"
printf '#!/bin/sh\necho 1..1; echo ok 1 - fine\n' >"$T/runner/tests/integration/test_d.sh"
# What it has loaded isn't there in the next one.
echo 'modprobe dummy && grep -q "^dummy " /proc/modules && echo 1..1 && echo ok 2 - loaded' >>"$T/runner/tests/integration/test_b.sh"
echo 'echo 1..1; ! grep -q "^dummy " /proc/modules && echo ok 2 - gone || echo not ok 2 - gone' >>"$T/runner/tests/integration/test_c.sh"
chmod +x "$T"/runner/tests/*/*
touch "$T/runner/once"
t_ok "when the guest dies once, tests go on in another boot" sh -c "BUILD=build '$T/runner/tests/run' -s here -s guest >'$T/stdout' 2>&1"
t_is "each is counted once, and what ran beside the guest, too" "$(tail -n 1 "$T/stdout")" "6 passed, 0 failed, 0 skipped"
t_like "and this is said" "$(cat "$T/stdout")" "^The guest stopped during guest/test_b; it is booted once more"
touch "$T/runner/always"
t_fails_with 1 "when it dies at the same test again, that is a failure" sh -c "BUILD=build '$T/runner/tests/run' -s guest >'$T/stdout' 2>&1"
t_is "so is each test that was not come to" "$(tail -n 1 "$T/stdout")" "1 passed, 2 failed, 0 skipped"

status=0
boot -i systemd "$T/tree" -- sh -c 'cat /proc/1/comm; systemctl is-system-running; exit 9' >"$T/stdout" 2>&1 || status=$?
t_is "under systemd, too, the status comes back" "$status" 9
# A boot that hangs on a busy machine is said, and tried again.
t_is "systemd is PID 1 and all of its units run" "$(grep -v '^guest-run: boot' "$T/stdout")" "$(printf 'systemd\nrunning')"

if apt-cache search --names-only '^linux-image-6\.12\..*-cloud-amd64$' | grep -q .; then
        t_is "kernel 6.12 boots, too" "$(boot -k 6.12 "$T/tree" -- uname -r | grep -o '^6\.12\.')" 6.12.
else
        t_skip "kernel 6.12 boots, too" "apt offers none here (bookworm-security or bookworm-backports has it)"
fi
t_is "guest-run leaves no files" "$(ls "$T/tmp")" ""
t_is "guest-run leaves no processes" "$(pgrep -f "$T/tmp/croft-guest")" ""
t_done
