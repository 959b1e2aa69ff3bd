#!/bin/sh
# where: here
# croftd is killed wherever it loads or unloads an object of BPF programs: the books say what the kernel has, and nothing is half there.
. "$(dirname "$0")/../lib.sh"

sends() { croft exec a -- bash -c "echo x >/dev/udp/127.0.0.1/4711" 2>/dev/null && echo sends || echo "can't"; }
holders() { croft kext list --holders --format json | jq -r '.[] | "\(.name)=\(.total) \(.partition) \(.state)"' | tr '\n' ';'; }
instances() { find "$T/run/bpf/kext" -mindepth 1 -maxdepth 1 -printf '%f ' 2>/dev/null; }
t_croftd_start_at || exit 1
cd "$T" || exit 1
cp "$BUILD/tests/integration/kext-drop.bpf.o" drop.bpf.o
croft kext register drop.bpf.o >/dev/null && croft create a >/dev/null && croft start a && croft kext grant a drop || exit 1
id=$(croft show a --format json | jq -r .id)
for point in $("$BUILD/croftd" --list-crash-points | grep -e '^extension-load\.' -e '^extension-unload\.'); do
        case $point in extension-unload.*) croft kext load a drop ;; esac
        t_croftd_stop
        t_croftd_start_at "$point"
        case $point in
        extension-load.*) croft kext load a drop >/dev/null 2>&1 ;;
        *) croft kext unload a drop >/dev/null 2>&1 ;;
        esac
        t_wait_daemon
        t_croftd_start_at 2>/dev/null
        case $point in
        extension-load.record.done | extension-unload.record) expected="drop=1 a LOADED; ${id}_drop can't" ;;
        *) expected="  sends" ;;
        esac
        t_is "killed at $point the books say what the kernel has" "$(holders) $(instances)$(sends)" "$(echo "$expected" | sed 's/^  / /')"
        croft kext unload a drop 2>/dev/null
done
croft kext load a drop
t_croftd_kill
python3 -c "import sqlite3
with sqlite3.connect('$T/state/croft.db') as d:
    d.execute('DELETE FROM extension_loaded')
    d.execute('DELETE FROM extension_holder')"
t_croftd_start_at
t_is "an instance that nobody has on record is taken away" "$(holders) $(instances)$(sends)" " sends"
croft kext load a drop
t_croftd_kill
rm "$T/run/bpf/kext/${id}_drop/links"
t_croftd_start_at
t_is "one that isn't whole is lost" "$(holders) $(instances)$(sends)" "drop=0 a LOST; sends"
t_ok "the partition goes" croft remove a --force
t_done
