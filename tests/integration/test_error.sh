#!/bin/sh
# where: here guest
# The record of errors as people meet it: why a start failed, what the kernel, libraries and scripts found, in one list; that it
# outlives everybody, that a partition writes into its own book only, and that hostile text stays text.  Not every machine
# mounts a tracefs: here there is none.
if [ -z "${NO_TRACEFS:-}" ]; then
        NO_TRACEFS=1 exec unshare --mount sh -c 'umount -l /sys/kernel/debug /sys/kernel/tracing 2>/dev/null; exec "$0"' "$0"
fi
. "$(dirname "$0")/../lib.sh"

inside() { croft exec web -- "$@"; }
script() { inside /run/croft/bin/croft-error "$@"; }
messages() { croft error print "$1" --format json | jq -r '.records[] | "\(.source) \(.component): \(.message)"'; }
number_of() { croft error print "$1" --format json | jq '.records | length'; }
book() { croft error list --format json | jq -r ".[] | select(.name == \"$1\") | \"\\(.attempt) \\(.operation) \\(.records) \\(.refused)\""; }

t_is "there is no tracefs here" "$(grep -c ' tracefs ' /proc/self/mounts)" 0
t_croftd_start || exit 1
# Swap would put off what the kernel kills for.
swap=
[ "$(awk '/^SwapTotal/ { print $2 }' /proc/meminfo)" = 0 ] || swap='-s memory.swap.max=0'
# shellcheck disable=SC2086 # two words
t_ok "a partition is made" croft create web -s init=/bin/nonexistent -s memory.max=64M $swap -s stop.timeout=1
t_is "nothing is on record" "$(croft error print web 2>&1)" "croft: no errors of 'web' are on record"
t_fails_with 3 "of an unknown partition nothing can be printed" croft error print nobody
t_like "and this is said" "$(cat "$T/error")" "there is no partition 'nobody'"

# --- a start that fails -------------------------------------------------------------------------------------------------

t_fails_with 3 "a start fails" croft start web
said=$(cat "$T/error")
t_is "its reasons are on record, causes first by number" "$(messages web)" "program croftd: run '/bin/nonexistent': No such file or directory
program croftd: warden
program croftd: start 'web'"
t_is "they are what the command said" "croft: $(messages web | tac | sed 's/^[^:]*: //' | paste -sd: | sed 's/:\([^ ]\)/: \1/g')" "$said"
t_is "printed outermost first, causes indented" "$(croft error print web | cut -c22-)" "program croftd  start 'web'
program croftd    warden
program croftd      run '/bin/nonexistent': No such file or directory"
t_is "or the other way round" "$(croft error print --reverse web | cut -c22- | head -n 1)" \
        "program croftd  run '/bin/nonexistent': No such file or directory"
t_is "it was the first attempt" "$(book web)" "1 start 3 0"
t_is "printing takes nothing away" "$(number_of web)" 3
t_is "all of it belongs to that attempt" "$(croft error print web --attempt 1 --format json | jq '.records | length')" 3
t_is "and nothing to another one" "$(croft error print web --attempt 2 --format json | jq '.records | length')" 0
t_fails_with 2 "an attempt is a number" croft error print web --attempt x
t_croftd_kill
t_is "all this can be read without croftd" "$(number_of web)" 3
t_croftd_start
t_is "and is there once when it is back" "$(messages web | grep -c nonexistent)" 1
t_croftd_stop
t_is "it stays when croftd ends in order" "$(number_of web)" 3
t_croftd_start
t_ok "with another init it is set right" croft set web init=/bin/sleep\ 1000000
t_ok "and starts" croft start web
t_is "with that attempt the record begins anew" "$(book web)" "2 start 0 0"
t_fails_with 5 "a start of what runs is refused" croft start web
t_like "the refusal is on record" "$(messages web)" "^program croftd: 'web' is running"
croft start web 2>/dev/null
t_is "once, however often it is tried" "$(number_of web)" 1
t_ok "the record can be cleared" croft error clear web
t_is "and is empty then" "$(book web)" "2 start 0 0"
croft start web 2>/dev/null
t_is "and takes the same refusal once more" "$(number_of web)" 1
croft error clear web

# --- four sources, one report (ERR-A1) ----------------------------------------------------------------------------------

first=$(script -p backup.sh -e EIO -S 'read %s: %d blocks' /dev/sda 17)
second=$(script -p backup.sh -C "$first" -w -S 'backup of %2$s failed %1$d times' 3 /home)
t_is "a script records with its number" "$first $second" "$((first)) $((first + 1))"
inside sh -c 'head -c 200M /dev/zero | tail -c 200M' >/dev/null 2>&1
killed() { messages web | grep -q '^kernel'; }
t_ok "the kernel records whom it kills for want of memory" t_wait_for killed
t_like "with its number inside and its name" "$(messages web)" '^kernel kernel: process [1-9][0-9]* \(tail\) was killed for want of memory$'
t_ok "a program of global adds what it knows" croft-error -q -z web -p admin -S 'the disk was pulled out'
# The kernel may kill more than one, and croftd may have failed at something meanwhile.
t_is "all are in one list, in the order of events" \
        "$(messages web | cut -d: -f1 | awk '$0 != "program croftd" && !(/^kernel/ && last ~ /^kernel/) { print; last = $0 }' | paste -sd,)" \
        "script backup.sh,script backup.sh,kernel kernel,script admin"
t_like "with causes below what they led to" "$(croft error print web | cut -c22- | head -n 2 | paste -sd'|')" \
        '^inside: script backup.sh  backup of /home failed 3 times \(warning\)\|inside: script backup.sh    read /dev/sda: 17 blocks: Input/output error$'
t_is "inside, the partition reads the same" "$(script -l | cut -f 1,3,4)" "$(croft error print web --format json | jq -r '.records[] | "\(.seq)\t\(.source)\t\(.severity)"')"
t_unlike "but no number of a process outside" "$(script -l)" "$$"

# --- everybody dies (ERR-A2) --------------------------------------------------------------------------------------------

before=$(messages web)
warden=$(field web .warden)
t_croftd_kill
kill -9 "$warden" "$(field web .pid 2>/dev/null || echo "$warden")" 2>/dev/null
t_is "with croftd and the warden dead the record is whole" "$(messages web)" "$before"
t_croftd_start
t_is "what was recorded is there once afterwards" "$(messages web | head -n "$(echo "$before" | wc -l)")" "$before"
t_like "and what croftd had to put right is on record, too" "$(messages web)" "^program croftd: .*warden"

# --- one's own book only (ERR-A5) ---------------------------------------------------------------------------------------

croft start web >/dev/null 2>&1
t_ok "a second partition runs" sh -c 'croft create other -s init=croft && croft start other'
t_fails_with 4 "inside, nobody names another partition" croft exec web -- /run/croft/bin/croft-error -z other -S 'not mine'
t_is "the other's book is as it was" "$(number_of other)" 0
t_is "and its own is all that it reads" "$(croft exec other -- /run/croft/bin/croft-error -l)" ""
t_fails_with 3 "global names no partition that isn't there" croft-error -z nobody -S lost

# --- full (ERR-A4) ------------------------------------------------------------------------------------------------------

croft error clear web
inside sh -c 'for i in $(seq 200); do /run/croft/bin/croft-error -q -S "flood %d" "$i" 2>/dev/null; done'
t_is "a flood finds room for 64, the rest is counted" "$(book web | cut -d' ' -f3-)" "64 136"
t_is "the first ones stay" "$(messages web | sed -n '1p;64p')" "script script: flood 1
script script: flood 64"
t_like "what was refused is said" "$(croft error print web)" '^136 more found no room: 136 by the partition, 0 by the kernel and by global$'
inside sh -c 'head -c 200M /dev/zero | tail -c 200M' >/dev/null 2>&1
t_ok "the kernel has room of its own" t_wait_for killed
t_is "the other partition isn't concerned" "$(number_of other)" 0
t_fails_with 6 "who finds no room is told" croft exec web -- /run/croft/bin/croft-error -S more

# Nobody fails for want of room to say why (ERR-37).
croft error clear web
for i in $(seq 100); do croft-error -q -z web -S 'flood from outside' 2>/dev/null; done
t_is "global's room is full" "$(book web | cut -d' ' -f3-)" "96 4"
t_ok "what works works" croft freeze web
t_ok "and again" croft thaw web
t_fails_with 5 "what is refused is refused" croft start web
t_like "for the reason that there is" "$(cat "$T/error")" "'web' is running"
t_is "and that it isn't on record is counted" "$(book web | cut -d' ' -f3-)" "96 5"

# Many at once, and the kernel beside them (ERR-A10; test_errlog.c has the threads).
croft error clear web
writers=
for writer in 1 2 3 4 5 6; do
        inside sh -c "for i in \$(seq 20); do /run/croft/bin/croft-error -q -S '%d by $writer' \$i 2>/dev/null; echo \$?; done" >"$T/by.$writer" &
        writers="$writers $!"
done
inside sh -c 'head -c 200M /dev/zero | tail -c 200M' >/dev/null 2>&1
# The kernel may kill a writer, too, or what it has just started: that may or may not have got there.
unknown=0
for pid in $writers; do wait "$pid" || unknown=$((unknown + 1)); done
unknown=$((unknown + $(cat "$T"/by.* | grep -cvx '[06]')))
full=$(cat "$T"/by.* | grep -cx 6)
t_ok "among many writers the kernel's record is there" t_wait_for killed
said=$(messages web)
t_is "all that found room are" "$(echo "$said" | grep -c '^script')" 64
t_ok "which the others didn't ($full) and were counted" t_between "$full" "$(book web | cut -d' ' -f4)" $((full + unknown))
t_ok "and nobody else was told that he had" t_between $((64 - unknown)) "$(cat "$T"/by.* | grep -cx 0)" 64
# More than one where what the kernel kills is slow to go; and croftd may have failed at something in so little memory.
t_is "beside them is what the kernel and croftd say" "$(echo "$said" | grep -v '^script' | grep -v '^kernel kernel: process' | grep -v '^program croftd: ')" ""
t_is "and each that is counted is there" "$(book web | cut -d' ' -f3)" "$(number_of web)"
t_is "their numbers have no gaps" "$(croft error print web --format json | jq -c '[.records[].seq] | . == [range(.[0]; .[0] + length)]')" true

# --- hostile text (ERR-A7) ----------------------------------------------------------------------------------------------

croft error clear web
for format in '%n' '%999999d' '%f' '%s%s%s' '%*d' '%1$s %s' '%'; do
        t_fails_with 2 "the format '$format' is refused" croft exec web -- /run/croft/bin/croft-error -S "$format" a
done
escape=$(printf '\033]0;pwned\007\033[2J')
script -q -p "$escape" -c "$escape" -S "%s
2026-01-01 00:00:00  kernel  an imitation" "$escape"
script -q -S '%s' "$(head -c 30000 /dev/zero | tr '\0' x)"
script -q -c ../../../etc/passwd -s 1 -n 1 -S 'a catalogue that leads elsewhere'
t_is "what is text is taken as text" "$(number_of web)" 3
t_is "in the list each has one line" "$(croft error print web | wc -l)" 3
t_unlike "no byte of it drives a terminal" "$(croft error print web; croft error print web --format json; croft error print web --format xml; script -l)" "$(printf '[\033\007]')"
t_ok "as XML it is well-formed" sh -c "croft error print web --format xml | xmllint --noout --schema '$t_top/docs/errors.xsd' -"
t_fails_with 2 "a list of partitions has no XML form" croft list --format xml
t_fails_with 2 "'global' names no partition" croft create global

# --- what concerns no partition -----------------------------------------------------------------------------------------

t_is "nothing is in the record of global" "$(number_of global)" 0
t_fails_with 3 "a pool that isn't there can't be removed" croft pool remove nowhere
t_like "what failed without a partition is in the record of global" "$(messages global)" "^program croftd: .*'nowhere'"
before=$(number_of global)
croft start web 2>/dev/null
t_is "what concerns a partition is in its own" "$(number_of global)" "$before"
t_ok "that of global can be cleared, too" croft error clear global
t_is "and is empty then" "$(number_of global)" 0

# --- the end ------------------------------------------------------------------------------------------------------------

t_ok "one is renamed" croft rename other another
t_is "its record with it" "$(book another)" "1 start 0 0"
t_ok "they are removed" croft remove --force web another
t_is "with their records" "$(croft error list --format json | jq -r '.[].name')" global
t_done
