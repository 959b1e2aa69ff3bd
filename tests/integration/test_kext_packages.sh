#!/bin/sh
# where: here guest
# timeout: 900
# A partition is scanned for kernel extensions by itself after its packages have changed (KXT-37), by its real dpkg.
. "$(dirname "$0")/../lib.sh"

last() { croft kext scan --last --format json | jq -r --arg name "$1" ".[] | select(.partition == \$name) | $2"; } # PARTITION JQ-EXPRESSION
number() { last "$1" .scan; }
found() { croft kext scan "$1" --last --format json | jq -r '.[] | "\(.application) \(.path) \(.reason)"' | sort | tr '\n' ';'; }
scanned_after() { [ "$(number "$1")" -gt "$2" ]; } # PARTITION NUMBER
package() { # NAME VERSION TEXT: NAME.deb, with a module
        rm -rf tree
        mkdir -p tree/DEBIAN tree/srv/driver
        "$t_top/tests/kit/t-module" "$1" text="$3" >"tree/srv/driver/$1.ko"
        printf 'Package: %s\nVersion: %s\nArchitecture: all\nMaintainer: nobody <nobody@localhost>\nDescription: a driver\n' "$1" "$2" >tree/DEBIAN/control
        dpkg-deb --root-owner-group -b tree "$1.deb" >/dev/null
}
within() { nsenter --target "$pid" --user --mount --pid --root --wd --setuid 0 --setgid 0 -- sh -c "$1"; } # SCRIPT: in a, without croftd
# NAME: while croftd is stopped, which else might take a pause of a slow dpkg's for its end.
deb() {
        croft exec a -- sh -c "cat >/tmp/$1.deb" <"$1.deb"
        pid=$(field a .pid)
        kill -STOP "$t_daemon"
        t_status=0
        within "dpkg -i /tmp/$1.deb && rm /tmp/$1.deb" >deb.out 2>&1 || t_status=$?
        kill -CONT "$t_daemon"
        return $t_status
}
t_croftd_start_at || exit 1
cd "$T" || exit 1
t_ok "native partitions run" sh -c 'croft create a -s init=croft && croft create b -s init=croft && croft start a b'
t_is "what it has is known since it was made" "$(last a '"\(.scan) \(.reason) \(.found)"')" "1 create 0"
croft events >events 2>&1 &
events=$!

# --- a package comes, changes, goes -----------------------------------------------------------------------------------------

package foo 1.0 one
before=$(number a)
t_ok "dpkg installs a package with a module" deb foo
t_ok "it is scanned soon afterwards, by itself" t_wait_for scanned_after a "$before"
scan=$(number a)
t_is "the module and its package are found, and why it was scanned is said" "$(found a)" "foo /srv/driver/foo.ko packages;"
t_ok "which an event tells" t_wait_for grep -q "scan $scan (packages): found 1" events

# --- KID-14, KID-17: a grant says which scan had found it ---------------------------------------------------------------------

detected() { croft kext list "$1" --format json | jq -r ".[] | select(.name == \"$2\") | .scan"; } # PARTITION EXTENSION
"$t_top/tests/kit/t-module" elsewhere >elsewhere.ko
t_ok "it is registered, as is another" croft kext register tree/srv/driver/foo.ko elsewhere.ko
t_fails_with 4 "that it was found gives the partition no right to it" croft kext check a tree/srv/driver/foo.ko
t_ok "both are granted" sh -c 'croft kext grant a foo && croft kext grant a elsewhere'
t_is "a grant says which scan had found it, or that none had" "$(detected a foo) $(detected a elsewhere)" "$scan null"
package bar 1.0 one
t_ok "another package comes" deb bar

# --- croftd is killed before the scan; packages change while there is none -----------------------------------------------------

t_croftd_kill
t_croftd_start_at || exit 1
t_ok "what had changed before croftd was killed is scanned by the next one" t_wait_for scanned_after a "$scan"
t_is "and found" "$(found a)" "bar /srv/driver/bar.ko packages;foo /srv/driver/foo.ko packages;"
package foo 2.0 two
croft exec a -- sh -c 'cat >/tmp/foo.deb' <foo.deb
pid=$(croft show a --format json | jq -r .pid)
before=$(number a)
t_croftd_kill
t_ok "without croftd packages are upgraded and removed" within 'dpkg -r bar && dpkg -i /tmp/foo.deb'
t_croftd_start_at || exit 1
t_ok "the next croftd scans" t_wait_for scanned_after a "$before"
t_is "the upgraded module is found, and the removed one isn't" \
        "$(croft kext scan a --last --format json | jq -r '.[] | "\(.application) \(.sha256)"')" "foo $(sha256sum <tree/srv/driver/foo.ko | cut -d' ' -f1)"
before=$(number a)
croft exec b -- touch /var/lib/dpkg/status
t_croftd_kill
t_croftd_start_at || exit 1
t_ok "the next croftd looks at all, one after the other" t_wait_for scanned_after b "$before"
t_is "one whose packages stayed as they were isn't scanned again" "$(number a)" "$before"

# --- stopped, its database is changed by hand -----------------------------------------------------------------------------------

t_ok "it stops" croft stop a --force
upper=state/partitions/$(croft show a --format json | jq -r .id)/rw/upper
"$t_top/tests/kit/t-module" byhand >"$upper/srv/byhand.ko"
touch "$upper/var/lib/dpkg/status"
t_ok "it starts" croft start a
t_ok "what was changed while it was stopped is scanned then" t_wait_for scanned_after a "$before"
t_like "and found" "$(found a)" "null /srv/byhand.ko packages"

# What follows is the same on every kernel, and takes long under emulation.
if [ -n "${CROFT_GUEST:-}" ]; then
        kill $events 2>/dev/null
        t_done
fi

# --- commands go first ------------------------------------------------------------------------------------------------------------

# Whatever machine it is, it isn't done before the command comes: it is stopped.
is_scanned() {
        pgrep -P "$t_daemon" -x croft-kext >child && tr '\0' ' ' <"/proc/$(cat child)/cmdline" | grep -q '^croft-kext scan ' &&
                kill -STOP "$(cat child)"
}
seq 16 >numbers
croft exec a -- sh -c 'while read -r i; do truncate -s 64M /srv/zeros$i.ko; done' <numbers # a GiB to read, of nothing
before=$(number a)
t_croftd_kill
t_croftd_start_at || exit 1
croft exec a -- touch /var/lib/dpkg/status
t_ok "it is scanned" t_wait_for is_scanned
t_ok "while it is being scanned by itself a command isn't refused" croft set a cpu.weight=200
t_is "and doesn't wait for the end of the scan, which gives way" "$(number a)" "$before"
t_ok "the scan is made later" t_wait_for scanned_after a "$before"

# --- hostile ------------------------------------------------------------------------------------------------------------------------

croft exec a -- sh -c 'rm /srv/zeros*'
before=$(number a)
other=$(number b)
t_uptime
begun=$t_now
croft exec a -- sh -c 'for burst in 1 2 3; do
        i=0; while [ $i -lt 1500 ]; do i=$((i + 1)); echo $i >/var/lib/dpkg/status-new; mv /var/lib/dpkg/status-new /var/lib/dpkg/status; done
        sleep 6
done' &
hostile=$!
commands=0 done=0
while kill -0 $hostile 2>/dev/null; do
        commands=$((commands + 1))
        croft set b cpu.weight=$((commands % 100 + 1)) && croft freeze b && croft thaw b && done=$((done + 1))
        sleep 0.5
done
wait $hostile
t_uptime
t_is "one that writes its database thousands of times keeps no other's commands from anything" "$done $((commands > 0))" "$commands 1"
t_is "nor is it scanned more often than once a minute" "$(($(croft kext scan --last --format json | jq '[.[].scan] | max') - (before > other ? before : other) <= 1 + (t_now - begun) / 60))" 1
t_is "the other one isn't scanned for that" "$(number b)" "$other"
kill $events 2>/dev/null
t_ok "they are removed" croft remove a b --force
t_is "no scan is left of them" "$(croft kext scan --last --format json)" "[]"
t_done
