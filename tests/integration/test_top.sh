#!/bin/bash
# where: here
# croft top with a real croftd: on a terminal of tmux, whose screen is looked at; in lines; and how it leaves the terminal.
. "$(dirname "$0")/../lib.sh"

in_terminal() { "$t_top/tests/kit/in-terminal" "$@"; }
export TMUX_TMPDIR=$T
mux() { tmux -L top -f /dev/null "$@"; }
screen() { mux capture-pane -p; }
key() { mux send-keys "$@"; }
shows() { screen | grep -qE -e "$1"; }
hides() { ! shows "$1"; }
first_is() { screen | sed -n '6p' | grep -qE "^$1 "; } # the row below the titles

t_croftd_start || exit 1
t_ok "partitions run" sh -c 'for name in db mail web; do
        croft create $name -s memory.max=64M -s init=/run/croft/bin/croft-init && croft start $name || exit 1; done; croft create idle'
croft exec web -- sh -c 'while :; do :; done' &
busy=$!

# --- the screen -------------------------------------------------------------------------------------------------------

if command -v tmux >/dev/null; then
        mux new-session -d -x 140 -y 24 "NO_COLOR=1 croft top -d 0.2; echo status \$?; sleep 1000"
        t_ok "the busy one is on top" t_wait_for first_is web
        t_ok "its CPU time is told" t_wait_for shows '^web +Active +[1-9][0-9]*\.[0-9] \['
        t_ok "limits are told" shows '^web .* 64M '
        t_ok "one that doesn't run has dashes" shows '^idle +Defined +- '
        t_ok "the machine is on top" shows '^ CPU \[.*% of [0-9]+ +load [0-9.]+ '
        t_ok "columns end where their titles do" sh -c 'tmux -L top capture-pane -p | awk "
                /^NAME/ { title = index(\$0, \"LIMIT\") + 5 } /^web/ { row = index(\$0, \" 64M \") + 4 } END { exit title != row }"'
        key n
        t_ok "n orders by name" t_wait_for first_is db
        key r
        t_ok "r turns it round" t_wait_for first_is web
        key / ma
        t_ok "what is typed after / chooses by name" t_wait_for first_is mail
        t_ok "the others are gone" hides '^web '
        key Escape
        t_ok "Escape brings them back" t_wait_for shows '^web '
        key n End Enter
        t_ok "Enter shows more of one partition" t_wait_for shows '^ Wait +cpu: some'
        t_ok "its interfaces" t_wait_for shows '^ Net +lo in '
        mux resize-window -x 60 -y 12
        t_ok "a smaller terminal has fewer columns" t_wait_for hides 'LIMIT'
        t_ok "names and CPU time stay" shows '^NAME .*CPU%'
        mux resize-window -x 20 -y 4
        t_ok "a tiny one does no harm" t_wait_for shows 'croft top'
        mux resize-window -x 120 -y 24
        t_ok "and a large one again shows all" t_wait_for shows 'LIMIT'
        key h
        t_ok "h shows the keys" t_wait_for shows 'quit'
        key x ' '
        t_ok "space halts it" t_wait_for shows PAUSED
        key q
        t_ok "q quits with status 0" t_wait_for shows '^status 0'
        t_ok "the screen of before is back" hides 'NAME'
        pane=$(mux display-message -p '#{pane_pid} #{pid}')
        mux kill-server
        # shellcheck disable=SC2086 # two numbers
        t_ok "tmux ends" t_wait_for sh -c '! kill -0 $1 && ! kill -0 $2' - $pane
else
        t_skip "the busy one is on top" "no tmux here (tools/deps test)"
fi

# --- how it leaves ----------------------------------------------------------------------------------------------------

shown=$(in_terminal -k 'web:q' croft top -d 0.2)
t_like "after q the terminal is as before" "$shown" '^echo on'
t_like "the cursor is back, and the first screen" "$shown" '\[\?25h.*\[\?1049l'
shown=$(in_terminal -s 'TERM:web' croft top -d 0.2)
t_like "SIGTERM ends it as SIGTERM does" "$shown" '^status -15'
t_like "and the terminal is as before" "$shown" '^echo on'
t_like "with its cursor" "$shown" '\[\?25h.*\[\?1049l'
t_like "Ctrl-C is a way out, too" "$(in_terminal -k 'web:\x03' croft top -d 0.2)" '^status 0'
t_like "a terminal gets colours" "$(in_terminal -k 'web:q' env -u NO_COLOR croft top -d 0.2)" '\[0;3[0-9]m'
t_unlike "with NO_COLOR there is no colour" "$(in_terminal -k 'web:q' env NO_COLOR=1 croft top -d 0.2)" '\[0;3[0-9]m'

# --- lines ------------------------------------------------------------------------------------------------------------

t_is "in lines: a table with a row each" "$(croft top -b -n 1 -d 0.2 -s name | awk '{ print $1 }' | tr '\n' ' ')" "name db idle mail web  "
t_is "without a terminal there are lines anyway" "$(croft top -n 1 -d 0.2 | grep -c '^web ')" 1
t_is "JSON: an object a turn" "$(croft top -n 2 -d 0.2 --format json | jq -r '.partitions | length' | tr '\n' ' ')" "4 4 "
t_is "with numbers" "$(croft top -n 1 -d 2 --format json | jq '.partitions[] | select(.name == "web") | .cpu > 0, .limit' | tr '\n' ' ')" "true 67108864 "
t_is "CSV: one header" "$(croft top -n 2 -d 0.2 --format csv | grep -c '^time_ms,name,state,cpu')" 1
t_is "nulls are empty there" "$(croft top -n 1 -d 0.2 --format csv -f idle | tail -n 1 | tr -d '\r' | cut -d, -f2-)" "idle,Defined,,,,,,,,,,,,,"
t_is "--filter chooses, --reverse turns round" "$(croft top -n 1 -d 0.2 --format csv -s name -r -f i | cut -d, -f2 | tr '\n' ' ')" "name mail idle "
t_fails_with 2 "a column that there isn't is usage" croft top -b -s colour
t_fails_with 2 "a delay of nothing, too" croft top -b -d 0
kill $busy
wait $busy 2>/dev/null
croft remove --force db mail web idle
t_ok "when croftd is gone, lines end with its error" sh -c '! CROFT_SOCKET=/nowhere croft top -b -n 1 -d 0.2'
t_done
