#!/bin/sh
# where: here
# Extensions that are granted by kexts(5) and property kexts (KXT-25, KXT-26): read as croftd starts and at SIGHUP; a fault in the file changes
# nothing, and nothing of it is there inside.
. "$(dirname "$0")/../lib.sh"

module() { "$t_top/tests/kit/t-module" "$@"; } # NAME [KEY=VALUE]...: a file that is a module by all that can be told
granted() { croft kext list "$1" --format json | jq -r '.[] | "\(.name) \(.local) \(.major) \(.parameters) \(.stanza) \(.state)"' | tr '\n' ';'; }
errno() { # PARTITION: what the kernel says to a load of good.ko in it
        croft exec "$1" -- python3 -c "import ctypes, os; c = ctypes.CDLL(None, use_errno=True); print(ctypes.get_errno() if c.syscall(313, os.open('/root/good.ko', os.O_RDONLY), b'', 0) else 0)"
}
reload() { # and wait until it has been done: what is asked then is that
        kill -HUP "$t_daemon"
}
mkdir "$T/etc"
kexts=$T/etc/kexts
cat >"$kexts" <<'SH'
* for whoever names it
fire:
        extension = "good"
        parameters = "nr,size=4096"
        local = "yes"
* for two
both:
        extension = takes
        partitions = "a, later"
        major = yes
SH
t_croftd_start --config-dir "$T/etc" || exit 1
cd "$T" || exit 1
module good >good.ko
module takes imports=printk,__register_chrdev >takes.ko
croft kext register good.ko takes.ko >/dev/null || exit 1

# --- at create, at a change, by name ----------------------------------------------------------------------------------------

t_ok "a partition is made with a stanza" croft create a -s kexts=fire -s init=croft
t_is "it is granted what that says, and what names it" "$(granted a)" "good true false nr,size=4096 fire GRANTED;takes false true null both GRANTED;"
croft create b -s init=croft
t_is "another one is granted nothing" "$(granted b)" ""
t_ok "each is given it" sh -c 'croft kext check a good.ko nr=1 && croft kext check a takes.ko'
t_fails_with 4 "with parameters that are listed" croft kext check a good.ko max=1
t_fails_with 4 "and nobody else is" croft kext check b good.ko
t_ok "a partition that was named before it was there" sh -c 'croft create later -s init=croft'
t_is "is granted it" "$(granted later)" "takes false true null both GRANTED;"
croft remove later
croft start a b || exit 1
for p in a b; do croft exec $p -- sh -c 'cat >/root/good.ko' <good.ko; done
t_is "where something is granted systemd is told to load what modules-load.d(5) says" "$(for p in a b; do croft exec $p -- grep -c '^ConditionCapability=$' /run/croft/systemd/systemd-modules-load.service.d/zzz-croft.conf 2>/dev/null || echo not; done | tr '\n' ' ')" "1 not "
loaded=$(python3 -c "import ctypes, os; c = ctypes.CDLL(None, use_errno=True); print(ctypes.get_errno() if c.syscall(313, os.open('good.ko', os.O_RDONLY), b'', 0) else 0)")
t_is "its calls are judged by it: what is granted is the kernel's to judge" "$(errno a)" "$loaded"
t_is "the other's are refused" "$(errno b)" 1
t_ok "a stanza is given to one that runs" croft set b kexts=fire
t_is "which has it at once" "$(granted b) $(errno b)" "good true false nr,size=4096 fire GRANTED; $loaded"
t_fails_with 3 "one that there isn't isn't" croft set b kexts=fire,nothing
t_like "with the file" "$(cat "$T/error")" "there is no stanza 'nothing' in '$kexts'"
t_is "and nothing is changed" "$(croft show b --format json | jq -r .properties.kexts) $(errno b)" "fire $loaded"
t_fails_with 2 "nor what is no name" croft set b kexts=a/b
t_ok "it is taken back" croft set b --unset kexts
t_is "at once, too" "$(granted b) $(errno b)" " 1"
t_fails_with 4 "a command doesn't take back what a stanza grants" croft kext ungrant a good
t_like "which is said" "$(cat "$T/error")" "'good' is granted by stanza 'fire' of '$kexts'"
t_ok "a command grants more" croft kext grant a good --params max
t_is "both hold" "$(granted a)" "good false false max null GRANTED;good true false nr,size=4096 fire GRANTED;takes false true null both GRANTED;"
t_ok "each for itself" sh -c 'croft kext check a good.ko max=1 && croft kext check a good.ko nr=1'
t_ok "and it is taken back by itself" croft kext ungrant a good
t_is "as it was" "$(granted a | cut -d';' -f1)" "good true false nr,size=4096 fire GRANTED"

# --- the file changes -------------------------------------------------------------------------------------------------------

as_it_is=$(granted a)
cp "$kexts" kexts.good
printf 'more:\n\textension = "good"\n\tpartitions = "ALL"\n' >>"$kexts"
t_is "nobody is granted more before croftd is told" "$(granted b)" ""
reload
said_more() { [ "$(granted b)" = "good false false null more GRANTED;" ]; }
t_ok "told to look again, it grants what is added" t_wait_for said_more
t_is "also where it runs" "$(errno b)" "$loaded"
echo 'local = maybe' >>"$kexts"
reload
t_ok "a fault is told with its line" t_wait_for grep -q "kexts': line 14: 'maybe' is no \"yes\" or \"no\"" "$T/croftd.log"
t_like "also in global's record" "$(croft error print global)" "line 14: 'maybe' is no \"yes\" or \"no\""
t_is "and changes nothing" "$(granted a) $(granted b)" "good true false nr,size=4096 fire GRANTED;takes false true null both GRANTED;good false false null more GRANTED; good false false null more GRANTED;"
cp kexts.good "$kexts"
chmod 664 "$kexts"
reload
t_ok "nor does a file that others may write" t_wait_for grep -q "kexts' isn't root's alone to write: it isn't believed" "$T/croftd.log"
t_is "which isn't believed" "$(granted b)" "good false false null more GRANTED;"
chmod 644 "$kexts"
reload
gone() { [ "$(granted a) $(granted b)" = "$as_it_is " ]; }
t_ok "with its stanza a grant goes" t_wait_for gone
t_is "also where it runs" "$(errno b)" 1
t_croftd_kill
t_croftd_start --config-dir "$T/etc"
t_is "the next croftd has read it, too" "$(granted a) $(errno a)" "$as_it_is $loaded"
sed -i '/^fire:/,/local/d' "$kexts"
reload
t_ok "a stanza that a partition names goes" t_wait_for sh -c '[ "$(croft kext list a --format json | jq length)" = 1 ]'
t_is "with what it granted" "$(errno a)" 1
croft stop a
t_fails_with 3 "and the partition doesn't start without it" croft start a
t_like "which is said" "$(cat "$T/error")" "there is no stanza 'fire' in '$kexts'"
rm "$kexts"
reload
t_ok "without the file nothing is granted by it" t_wait_for sh -c '[ "$(croft kext list a --format json)" = "[]" ]'

# --- inside (KXT-26) --------------------------------------------------------------------------------------------------------

printf 'mine:\n\textension = ALL\n\tpartitions = ALL\n' >mine
croft exec b -- sh -c 'mkdir -p /etc/croft && cat >/etc/croft/kexts' <mine
printf 'sign:\n\textension = good\n\tpartitions = a\n' >"$kexts"
reload
t_ok "croftd has read its own again" t_wait_for sh -c '[ "$(croft kext list a --format json | jq length)" = 1 ]'
t_is "a file of that name inside is nobody's policy" "$(errno b) $(granted b)" "1 "
t_is "global's isn't there" "$(croft exec b -- sh -c "ls '$T/etc'" 2>&1 | grep -c 'No such file')" 1
printf 'sign:\n\textension = good\n\tpartitions = elsewhere\n' >"$kexts"
reload
t_wait_for sh -c '[ "$(croft kext list a --format json)" = "[]" ]'
t_ok "one that runs is given a name that the file knows" croft rename b elsewhere
t_is "and with it what that one is granted" "$(errno elsewhere)" "$loaded"
t_croftd_stop
t_done
