#!/bin/sh
# where: here guest
# cpus: several
# timeout: 600
# KXT-A9, KID-A4: two partitions load and unload the same extension all the time, files are swapped under the call, croftd dies: at rest the books,
# the kernel and the partitions say the same.  Here with BPF objects, of which each has an instance; in the guest with a module, which both share.
# As often as the requirement says by `make stress`.
. "$(dirname "$0")/../lib.sh"

# While that process runs croftd dies, whatever it does, and is started again.
kill_croftd_while() { # PID
        while kill -0 "$1" 2>/dev/null; do
                sleep "$(if [ -n "${CROFT_GUEST:-}" ]; then shuf -n 1 -i 3-12; else echo "0.$(shuf -n 1 -i 10-99)"; fi)"
                t_croftd_kill
                t_croftd_start || return
                deaths=$((deaths + 1))
        done
}

t_croftd_start || exit 1
cd "$T" || exit 1
if [ -n "${CROFT_GUEST:-}" ]; then
        name=romfs other=zonefs # file systems: the kernel lists those that it has
        cp "$(modinfo -n $name)" good && cp "$(modinfo -n $other)" other || exit 1
        croft kext register ./good >/dev/null || exit 1
else
        name=drop other=newer
        cp "$BUILD/tests/integration/kext-drop.bpf.o" drop.bpf.o && cp drop.bpf.o good && cp "$BUILD/tests/integration/kext-newer.bpf.o" other || exit 1
        croft kext register drop.bpf.o >/dev/null || exit 1
fi
for p in a b; do croft create $p -s init=croft >/dev/null && croft start $p && croft kext grant $p $name || exit 1; done
races() { "$t_top/tests/kit/t-races" "$@"; }
nothing_held() { [ "$(croft kext list --holders --format json)" = "[]" ]; }

t_ok "KXT-A9: two load and unload it all the time, and no count is wrong" races race $name good "$(t_turns 10000 200 15)" a b
t_note "$(grep -v begun "$T/.output")"
t_ok "KID-A4: whatever is swapped meanwhile, nothing but the registered one is ever loaded" races -o $other other swap $name good "$(t_turns 10000 200 15)" a b
t_note "$(grep -v begun "$T/.output")"
t_like "some of which were loaded" "$(cat "$T/.output")" "ok [1-9]"
t_like "and some refused" "$(cat "$T/.output")" "ENOEXEC [1-9]"

deaths=0
races -d race $name good "$(t_turns 10000 200 15)" a b >races.out 2>&1 &
race=$!
t_wait_for grep -q begun races.out
kill_croftd_while $race
wait $race
t_is "KXT-A9: nor when croftd dies again and again" "$? $(grep -c '^wrong' races.out)" "0 0"
t_note "croftd died $deaths times" "$(cat races.out)"
t_isnt "which it did" "$deaths" 0
t_ok "nothing is left in the books" t_wait_for nothing_held
t_done
