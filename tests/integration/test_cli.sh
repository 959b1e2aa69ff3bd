#!/bin/sh
# where: here
# The command line with a real croftd: the life of a partition, exec and console on pipes and terminals, lists in every form.
. "$(dirname "$0")/../lib.sh"

in_terminal() { "$t_top/tests/kit/in-terminal" "$@"; }
t_croftd_start || exit 1

# --- life -------------------------------------------------------------------------------------------------------------

t_ok "a native partition is created with limits" croft create web -s memory.max=96M -s pids.max=64 -s init="/bin/sleep infinity"
t_is "it is Defined" "$(field web .state)" Defined
t_fails_with 5 "a second one of that name is refused" croft create web
t_fails_with 2 "a name that is none is usage" croft create Web_1
t_like "the rule is told" "$(cat "$T/error")" "1 to 63 of a-z, 0-9 and '-'"
for command in show start "remove --force" "pool remove"; do
        # shellcheck disable=SC2086 # words
        t_fails_with 2 "an empty name is usage: $command" croft $command ""
        t_like "and that it is empty is told" "$(cat "$T/error")" "a name is empty"
done
t_fails_with 125 "so it is with exec" croft exec "" -- true
t_like "which tells it, too" "$(cat "$T/error")" "a name is empty"
t_fails_with 2 "a property that there isn't is usage" croft create x -s memroy.max=1
t_like "the nearest one is named" "$(cat "$T/error")" "did you mean 'memory.max'"
t_fails_with 3 "an image that there isn't is not found" croft create x --image nowhere
t_fails_with 3 "a partition that there isn't is not found" croft start nobody
t_fails_with 125 "exec in a stopped partition is croft's failure" croft exec web -- true
t_ok "it is loaded" croft load web
t_is "Loaded it is" "$(field web .state)" Loaded
t_ok "it is started" croft start web
t_is "Active it is" "$(field web .state)" Active
t_ok "it is frozen" croft freeze web
t_is "Frozen it is" "$(croft list -q -s frozen)" web
t_ok "it is thawed" croft thaw web
t_ok "limits are set while it runs" croft set web memory.max=128M cpu.weight=50
t_is "they are shown in bytes" "$(field web '.properties["memory.max"]')" 134217728
t_fails_with 2 "of two properties a wrong one refuses both" croft set web cpu.weight=60 memory.max=lots
t_is "the first is as it was" "$(field web '.properties["cpu.weight"]')" 50
t_ok "a property is unset" croft set web --unset cpu.weight
t_is "it is gone" "$(field web '.properties["cpu.weight"]')" null
t_ok "it is renamed" croft rename web www
t_is "the new name is listed" "$(croft list -q)" www
t_ok "and renamed back" croft mv www web

# --- exec -------------------------------------------------------------------------------------------------------------

t_is "exec runs as root of the partition" "$(croft exec web -- id -u)" 0
t_fails_with 42 "exec ends as the command does" croft exec web -- sh -c 'exit 42'
t_fails_with 137 "exec says 128+N for a signal" croft exec web -- sh -c 'kill -9 $$'
t_fails_with 127 "exec says 127 for a command that isn't there" croft exec web -- no-such-command
t_fails_with 126 "exec says 126 for a file that is no program" croft exec web -- /etc/passwd
t_is "output and errors stay apart" "$(croft exec web -- sh -c 'echo out; echo err >&2' 2>/dev/null)" out
t_is "user, directory and environment are as told" \
        "$(croft exec web -u nobody -w /tmp -e A=b -- sh -c 'id -un; pwd; echo $A' | tr '\n' ' ')" "nobody /tmp b "
t_fails_with 125 "a user that there isn't is croft's failure" croft exec web -u who -- true
head -c 20000000 /dev/urandom >"$T/random"
t_is "20 MB go through and back unchanged" "$(croft exec web -- cat <"$T/random" | sha1sum)" "$(sha1sum <"$T/random")"
t_is "the end of input is passed on" "$(printf 'a\nb' | croft exec web -- wc -c)" 3
t_is "no input is an end of input" "$(croft exec web -- wc -c </dev/null)" 0
t_is "a reader that goes away ends it" \
        "$(bash -c 'croft exec web -- yes | head -n 1; echo ${PIPESTATUS[0]}' | tr '\n' ' ')" "y 141 "
croft exec web -- sh -c 'exec 2>/dev/null; trap "echo got it; exit 9" TERM; echo ready; while :; do sleep 0.05; done' >"$T/out" 2>&1 </dev/null &
client=$!
t_ok "a command waits for a signal" t_wait_for grep -q ready "$T/out"
kill -TERM $client
status=0
wait $client || status=$?
t_is "a signal goes to the command" "$(cat "$T/out") $status" "ready
got it 9"
seen=$(in_terminal -k 'ready:\x03' croft exec web -- \
        sh -c 'trap "echo interrupted; exit 3" INT; stty size; tty -s && echo ready; while :; do sleep 0.05; done')
t_like "a terminal has our size" "$seen" '^30 100$'
t_like "Ctrl-C is the command's" "$seen" 'interrupted'
t_like "the status is the command's" "$seen" '^status 3$'
t_like "the terminal is as it was" "$seen" '^echo on$'
in_terminal -s KILL:ready croft exec web -- sh -c 'echo $$ >/run/shell; echo ready; exec sleep 1000' >/dev/null
t_ok "what ran on the terminal of a killed client is hung up" \
        t_wait_for croft exec web -- sh -c 'test -s /run/shell && ! grep -q State:.[RSD] "/proc/$(cat /run/shell)/status"'

# --- console and log --------------------------------------------------------------------------------------------------

t_ok "a partition that says and hears is started" sh -c \
        "croft create echo -s 'init=/bin/sh -c \"echo booted; while read line; do echo heard \\\$line; done\"' && croft start echo"
seen=$(in_terminal -k 'booted:hello\r' -k 'heard hello:\x01q' croft console echo)
t_like "the console shows what was there first" "$seen" 'booted'
t_like "keys reach it" "$seen" 'heard hello'
t_like "the key detaches" "$seen" "Detached from 'echo'"
t_like "the terminal is as it was, with success" "$seen" '^echo on$'
t_is "the partition runs on" "$(field echo .state)" Active
t_like "the log has it" "$(croft log echo)" 'heard hello'
t_is "its last line is asked for" "$(croft log echo -n 1 | tr -d '\r')" 'heard hello'
(printf 'by pipe\n'; t_wait_for grep -q 'heard by pipe' "$T/console"; printf '\001q') | croft console echo >"$T/console" 2>&1
t_like "console works on a pipe" "$(cat "$T/console")" 'heard by pipe'

# --- lists and events -------------------------------------------------------------------------------------------------

python='
import json, subprocess, sys, yaml
def croft(*a): return subprocess.run(["croft", *a], stdout=subprocess.PIPE, check=True).stdout.decode()
def still(o): # without what is of the moment: croftd has a look at a partition by itself, too
    for p in o if isinstance(o, list) else [o]: del p["usage"], p["operation"]
    return o
for what in (["list"], ["show", "web"], ["show", "web", "echo"]):
    asked = still(json.loads(croft(*what, "--format", "json"))), still(yaml.safe_load(croft(*what, "--format", "yaml")))
    assert asked[0] == asked[1], (what, asked)
web = [p for p in json.loads(croft("list", "--format", "json")) if p["name"] == "web"][0]
for key in ("name", "id", "state", "root", "pid"):
    assert web[key] is not None, key
'
t_ok "json and yaml are the same facts" python3 -c "$python"
croft events web --format json >"$T/events" 2>/dev/null &
watcher=$!
t_wait_for sh -c 'croft freeze web; croft thaw web; grep -q Frozen "$T/events"'
t_is "events tell of the state" "$(jq -r 'select(.state == "Frozen").partition' "$T/events" | head -n 1)" web
kill $watcher
wait $watcher 2>/dev/null

t_fails_with 3 "of several names all are tried" croft stop nobody web --timeout 0.2
t_is "the second was stopped" "$(field web .state)" Defined
t_fails_with 5 "what runs isn't removed" croft remove echo
t_ok "unless by force" croft remove echo web --force
t_is "none is left" "$(croft list --format json)" "[]"
t_done
