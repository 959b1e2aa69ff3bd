#!/bin/sh
# where: here
# The command line of croft-extension, the program inside partitions.
T_NETWORK=host
. "$(dirname "$0")/../lib.sh"
program=$T/croft-extension
ln -s "$(find "$BUILD" -name croft-extension-inside -type f)" "$program"

t_is "it is static" "$(readelf -l "$program" | grep INTERP)" ""
t_ok "help is told" "$program" --help
t_like "with the words" "$("$program" -h)" "^croft-extension load FILE \[PARAMETER\]\.\.\.$"
t_fails_with 2 "a word is wanted" "$program"
t_fails_with 2 "one that there is" "$program" insert x.ko
t_like "which is said" "$(cat "$T/error")" "^croft-extension: there are load and unload, not 'insert'"
t_fails_with 2 "load wants a file" "$program" load
t_like "and says so" "$(cat "$T/error")" "croft-extension: 'load' wants a file"
t_fails_with 2 "unload wants a name" "$program" unload
t_fails_with 3 "a file that isn't there is told" "$program" load "$T/none.ko"
t_like "by its name" "$(cat "$T/error")" "croft-extension: open '$T/none.ko': No such file"
t_fails_with 1 "too many parameters aren't cut off" "$program" load "$program" "$(head -c 5000 /dev/zero | tr '\0' x)"
t_like "but told" "$(cat "$T/error")" "give parameters of 4095 bytes at most"
t_done
