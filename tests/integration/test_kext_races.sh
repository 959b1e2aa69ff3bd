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
        name=romfs swapped=croft_swap other=croft_evil # file systems: the kernel lists those that it has
        cp "$(modinfo -n $name)" good.ko && cp /run/guest/croft_swap.ko swapped.ko && cp /run/guest/croft_evil.ko other.ko || exit 1
        croft kext register good.ko swapped.ko >/dev/null || exit 1
else
        name=drop swapped=drop other=newer
        cp "$BUILD/tests/integration/kext-drop.bpf.o" drop.bpf.o && ln drop.bpf.o good.ko && ln drop.bpf.o swapped.ko && cp "$BUILD/tests/integration/kext-newer.bpf.o" other.ko || exit 1
        croft kext register drop.bpf.o >/dev/null || exit 1
fi
for p in a b; do croft create $p -s init=croft >/dev/null && croft start $p && croft kext grant $p $name && croft kext grant $p $swapped || exit 1; done
races() { "$t_top/tests/kit/t-races" "$@"; }
nothing_held() { [ "$(croft kext list --holders --format json)" = "[]" ]; }

t_ok "KXT-A9: two load and unload it all the time, and no count is wrong" races race $name good.ko "$(t_turns 10000 200 15)" a b
t_note "$(grep -v begun "$T/.output")"

# Two modules that are built for this kernel (tests/guest/swap): one name, one size, the same code; the evil one says so when it runs.
ran() { dmesg | grep -c 'croft_swap: the evil one runs'; }
if [ -n "${CROFT_GUEST:-}" ]; then
        t_is "the evil one differs in nothing but its bytes" "$(for f in swapped.ko other.ko; do echo "$(modinfo -F name ./$f) $(stat -c %s $f)"; done | sort -u | wc -l)" 1
        t_is "and says so when global loads it" "$(insmod ./other.ko && grep -c croft_evil /proc/filesystems && rmmod croft_swap && ran)" "1
1"
fi
t_ok "KID-A4: whatever is swapped meanwhile, nothing but the registered one is ever loaded" races -o $other other.ko swap $swapped swapped.ko "$(t_turns 10000 200 40)" a b
t_note "$(grep -v begun "$T/.output")"
t_like "some of which were loaded" "$(cat "$T/.output")" "ok [1-9]"
t_like "and some refused" "$(cat "$T/.output")" "ENOEXEC [1-9]"
if [ -n "${CROFT_GUEST:-}" ]; then
        t_like "KID-A4: whenever one was there it had the registered one's build-id" "$(cat "$T/.output")" "[1-9][0-9]* looks: .* wrong 0"
        t_is "KID-A4: and the evil one has not run" "$(ran)" 1
fi

deaths=0
races -d race $name good.ko "$(t_turns 10000 200 15)" a b >races.out 2>&1 &
race=$!
t_wait_for grep -q begun races.out
kill_croftd_while $race
wait $race
t_is "KXT-A9: nor when croftd dies again and again" "$? $(grep -c '^wrong' races.out)" "0 0"
t_note "croftd died $deaths times" "$(cat races.out)"
t_isnt "which it did" "$deaths" 0
t_ok "nothing is left in the books" t_wait_for nothing_held
t_done
