#!/bin/sh
# where: here
# The command line of croft-devid, the program inside partitions, where there is no table of device numbers.
T_NETWORK=host
. "$(dirname "$0")/../lib.sh"
program=$T/croft-devid
ln -s "$(find "$BUILD" -name croft-devid-inside -type f)" "$program"
export CROFT_KSTAT="$T/none"

t_is "it is static" "$(readelf -l "$program" | grep INTERP)" ""
t_ok "help is told" "$program" --help
t_like "with the words" "$("$program" -h)" "croft-devid assign \| release \| show FAMILY INSTANCE"
t_fails_with 2 "a word is wanted" "$program"
t_fails_with 2 "one that there is" "$program" allocate char drv0
t_like "which is said" "$(cat "$T/error")" "^croft-devid: there are alloc, assign, release, show and list, not 'allocate'"
for word in alloc assign release show; do
        t_fails_with 2 "$word wants an instance" "$program" $word char
        t_is "and says so" "$(cat "$T/error")" "croft-devid: '$word' wants a family and an instance"
        t_fails_with 2 "$word wants no more" "$program" $word char drv0 more
        t_fails_with 3 "$word needs the table" "$program" $word char drv0
done
t_is "where it should be is said" "$(cat "$T/error")" "croft-devid: there is no table of device numbers at $T/none (is croftd running?)"
t_fails_with 2 "list wants no word" "$program" list char
t_fails_with 3 "list needs the table" "$program" list
for wrong in '' -1 0x10 4294967295 one; do
        t_fails_with 2 "'$wrong' is no number" "$program" alloc -p "$wrong" char drv0
        t_is "which is said" "$(cat "$T/error")" "croft-devid: -p wants a number, not '$wrong'"
done
t_fails_with 2 "an option that there isn't" "$program" alloc -x char drv0
t_like "is named, and so is the program" "$(cat "$T/error")" "croft-devid: invalid option -- 'x'$"
t_fails_with 2 "an option without its number" "$program" alloc char drv0 -n
t_fails_with 3 "options come behind the words, too" "$program" alloc char drv0 -a -n 4
t_done
