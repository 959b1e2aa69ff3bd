#!/bin/sh
# where: here
# The man pages are well-formed and say what the programs say: every command, option, property and function is there.
T_NETWORK=host
. "$(dirname "$0")/../lib.sh"
man=$t_top/man

for page in "$man"/*.[1-9]; do
        t_is "$(basename "$page") is well-formed" "$(mandoc -T lint -W warning "$page" 2>&1)" ""
done

# FILE STRING...: which of the strings the page lacks, as a reader sees it
lacks() {
        mandoc -T ascii "$1" | col -bx | tr -s ' \n' ' ' >"$T/page"
        shift
        for string; do grep -qF -e "$string" "$T/page" || printf '%s; ' "$string"; done
}

groups='image pool error devid device kext'
commands=$(croft help -q | grep -vE "^(-|($(echo $groups | tr ' ' '|'))\$)")
for group in $groups; do
        commands="$commands $(croft help -q "$group" | grep -v '^-' | sed "s/^/${group}_/")"
done
for command in $commands; do
        words=$(echo "$command" | tr _ ' ')
        # shellcheck disable=SC2086 # two words for two ranks
        options=$(croft help -q $words | sed -n 's/=$//; /^--/p')
        # shellcheck disable=SC2086
        t_is "croft(1) has $words and its options" "$(lacks "$man/croft.1" "$words" $options)" ""
done

for key in $(croft help -q properties); do
        when=$(croft help properties | grep -qE "^  $(echo "$key" | sed 's/\.$/.NAME/; s/\./[.]/g') \*" && echo 'next start' || echo live)
        item=$(sed -n "s/^\.It Cm $(echo "$key" | sed 's/\./[.]/g')\( Ns Ar NAME\)\{0,1\} Pq .*\(live\|next start\);.*/\2/p" "$man/croft-properties.7")
        t_is "croft-properties(7) says of $key when it takes effect" "$item" "$when"
done

# SCHEMA: names of its fields in the catalogue, and in the page
catalogued() {
        list=$(sed -n "s/^ *X([0-9]*, $1, \(KSTAT_FIELDS_[A-Z_]*\)).*/\1/p; s/.* X([0-9]*, $1, \(KSTAT_FIELDS_[A-Z_]*\)).*/\1/p" "$catalogue" | head -n 1)
        sed -n "/^#define $list(/,/^$/s/^ *[NCS](\([A-Za-z0-9_]*\).*/\1/p" "$catalogue"
}
described() {
        awk -v schema="$1" '/^\.Ss / { on = $2 == schema } on && /^\.It Cm / { print $3 }' "$man/croft-kstats.7"
}
catalogue=$t_top/src/kstat/catalogue.bpf.h
for schema in $(sed -n 's/.*X([0-9]*, \([a-z_]*\), KSTAT_FIELDS_.*/\1/p' "$catalogue"); do
        t_is "croft-kstats(7) has the statistics of $schema" "$(described "$schema")" "$(catalogued "$schema")"
done

# shellcheck disable=SC2046 # one word each
# Each family of metrics with its type and its unit, as the golden text of the unit test has them.
golden=$t_top/tests/unit/golden/metrics-open.txt
awk '$2 == "TYPE" { type[$3] = $4; order[++n] = $3 } $2 == "UNIT" { unit[$3] = $4 }
        END { for (i = 1; i <= n; i++) { f = order[i]; t = type[f]
                print f (t == "counter" ? "_total" : t == "info" ? "_info" : ""), toupper(substr(t, 1, 1)) substr(t, 2) (unit[f] ? ", " unit[f] : "") "." } }' \
        "$golden" | sort >"$T/families"
awk '/^\.It / { name = $2; getline; print name, $0 }' "$man/croft-metrics.7" | sort >"$T/described"
t_is "croft-metrics(7) has every metric with its type and unit, and no other" "$(diff "$T/families" "$T/described")" ""
t_is "croftd(8) has every option" "$(lacks "$man/croftd.8" $(croftd --help | grep -oE -- '--[a-z][a-z-]*' | sort -u))" ""
functions=$(grep -ohE '\bcroft_[a-z_]+\(' "$t_top/include/croft/croft.h" "$t_top/include/croft/error.h" | tr -d '(' | sort -u)
# shellcheck disable=SC2086 # one word each
t_is "libcroft(3) has every function" "$(lacks "$man/libcroft.3" $functions)" ""
# FILE: the functions that a header declares
functions_of() { grep -ohE '\b(croft|kstat)_[a-z_]+\(' "$1" | tr -d '(' | sort -u; }
# shellcheck disable=SC2046
t_is "croft-stats(3) has every function" "$(lacks "$man/croft-stats.3" $(functions_of "$t_top/include/croft/stats.h"))" ""
# shellcheck disable=SC2046
t_is "croft-errlog(3) has every function" "$(lacks "$man/croft-errlog.3" $(functions_of "$t_top/include/croft/errlog.h"))" ""
sed -n '/^\.Bd/,/^\.Ed/{/^\./d; s/\\e/\\/g; p}' "$man/croft-errlog.3" >"$T/example.c"
t_ok "the example of croft-errlog(3) compiles" cc -std=c11 -Wall -Wextra -Werror -pedantic -I"$t_top/include" -fsyntax-only "$T/example.c"
# shellcheck disable=SC2046
t_is "croft-error(1) has every option" "$(lacks "$man/croft-error.1" $(croft-error --help | grep -oE -- '-[a-zA-Z]\b' | sort -u))" ""
# shellcheck disable=SC2046
t_is "croft-remote(8) has every option" "$(lacks "$man/croft-remote.8" $(croft-remote --help | grep -oE -- '--[a-z][a-z-]*' | sort -u))" ""
# shellcheck disable=SC2046
t_is "croft-devid(3) has every function" "$(lacks "$man/croft-devid.3" $(functions_of "$t_top/include/croft/devid.h"))" ""
sed -n '/^\.Bd/,/^\.Ed/{/^\./d; s/\\e/\\/g; p}' "$man/croft-devid.3" >"$T/example.c"
t_ok "the example of croft-devid(3) compiles" cc -std=c11 -Wall -Wextra -Werror -pedantic -I"$t_top/include" -fsyntax-only "$T/example.c"
help=$("$(find "$BUILD" -name croft-devid-inside -type f)" --help)
# shellcheck disable=SC2046
t_is "croft-devid(1) has every word and option" "$(lacks "$man/croft-devid.1" $(echo "$help" | grep -oE -- '-[a-z]\b|\b(alloc|assign|release|show|list)\b' | sort -u))" ""
help=$("$(find "$BUILD" -name croft-extension-inside -type f)" --help)
# shellcheck disable=SC2046
t_is "croft-extension(1) has every word" "$(lacks "$man/croft-extension.1" $(echo "$help" | grep -oE -- '\b(load|unload|FILE|PARAMETER|NAME)\b' | sort -u))" ""
# shellcheck disable=SC2046
t_is "libkstat(3) has every function" "$(lacks "$man/libkstat.3" $(functions_of "$t_top/include/kstat.h"))" ""
# shellcheck disable=SC2046
t_is "kstat(8) has every option" "$(lacks "$man/kstat.8" $("$BUILD/kstat" -h 2>&1 | grep -oE -- '-[Tzcmins] ' | sort -u) -Cjlpq)" ""
types=$(grep -oE 'CROFT_STREAM_(STDIN|STDOUT|STDERR|EXIT|SIZE|SIGNAL|ERROR)\b' "$t_top/include/croft/stream.h" | sed 's/.*_//')
# shellcheck disable=SC2086
t_is "croft-stream(7) has every type of frame" "$(lacks "$man/croft-stream.7" $types)" ""
t_done
