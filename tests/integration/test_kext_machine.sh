#!/bin/sh
# where: guest
# Modules of the running kernel in global's register: by name, by package, with what they need.
. "$(dirname "$0")/../lib.sh"

module() { "$t_top/tests/kit/t-module" "$@"; } # NAME [KEY=VALUE]...: a file that is a module by all that can be told
shown() { croft kext show "$1" --format json | jq -r "$2"; } # EXTENSION JQ-EXPRESSION
sha256() { sha256sum <"$1" | cut -d' ' -f1; }

t_croftd_start || exit 1
cd "$T" || exit 1

t_ok "a module of the running kernel is registered by its name" croft kext register brd
brd=$(modinfo -n brd)
t_is "it is the machine's file" "$(shown brd '"\(.sha256) \(.origin) \(.reason)"')" "$(sha256 "$brd") $brd module brd"
t_is "it says what modinfo says" "$(shown brd '"\(.vermagic) \(.signer)"')" "$(modinfo -F vermagic brd) $(modinfo -F signer brd)"
t_fails_with 3 "one that the kernel hasn't isn't" croft kext register no-such-module
t_ok "what a module needs is registered with it" croft kext register libceph
t_is "each for itself" "$(shown libceph '.depends[]' | while read -r name; do shown "$name" .state; done | sort -u)" CURRENT
t_ok "a copy anywhere is the same" sh -c "cp '$brd' renamed.ko && croft kext register renamed.ko"
t_is "nothing is newer by it" "$(shown brd '"\(.generation) \(.state)"')" "1 CURRENT"
modprobe brd
t_is "what the kernel has loaded has the build-id that is on record" "$(shown brd .build_id)" \
        "$(tail -c 20 /sys/module/brd/notes/.note.gnu.build-id | od -An -tx1 | tr -d ' \n')"
rmmod brd
# A package like those of kernels.
mkdir -p deb/DEBIAN deb/lib/croft-test
cp "$brd" deb/lib/croft-test/brd.ko
module packaged release="$(uname -r)" >deb/lib/croft-test/packaged.ko
printf 'Package: croft-test-modules\nVersion: 1\nArchitecture: all\nMaintainer: T <t@example.org>\nDescription: test\n' >deb/DEBIAN/control
dpkg-deb -b deb modules.deb >/dev/null
dpkg -i modules.deb >/dev/null 2>&1
t_ok "all modules of a package are registered" croft kext register -a croft-test-modules
t_is "and say so" "$(shown packaged '"\(.reason) \(.origin)"')" "package croft-test-modules /lib/croft-test/packaged.ko"
dpkg -P croft-test-modules >/dev/null 2>&1
t_fails_with 3 "a package that isn't installed is told" croft kext register -a croft-test-modules
t_done
