#!/bin/sh
# where: here
# The command line against a croftd of a few lines (tests/kit/fake-croftd) that answers what a real one can hardly be brought to:
# odd names, every class of refusal, long waits.  What it does with the real one is in tests/integration.
T_NETWORK=host
. "$(dirname "$0")/../lib.sh"

mkdir "$T/run"
"$t_top/tests/kit/fake-croftd" "$CROFT_SOCKET" >"$T/requests" 2>"$T/fake.err" &
fake=$!
trap 'kill $fake 2>/dev/null; t_clean_up' EXIT
t_ok "the stand-in answers" t_wait_for test -S "$CROFT_SOCKET"
t_wait_for croft list

in_terminal() { "$t_top/tests/kit/in-terminal" "$@"; }
last_request() { tail -n 1 "$T/requests"; }

# --- output -----------------------------------------------------------------------------------------------------------

python='
import csv, io, json, subprocess, sys, yaml
def croft(*a): return subprocess.run(["croft", *a], stdout=subprocess.PIPE, check=True).stdout.decode()
def at(o, path):
    for key in path: o = o[key]
    return o
for what in (["list"], ["show", "db"], ["show", "db", "web"]):
    j = json.loads(croft(*what, "--format", "json"))
    assert j == yaml.safe_load(croft(*what, "--format", "yaml")), what
rows = list(csv.reader(io.StringIO(croft("show", "db", "web", "--format", "csv"), newline="")))
j = json.loads(croft("show", "db", "web", "--format", "json"))
assert rows[1][rows[0].index("properties.description")] == j[0]["properties"]["description"]
assert rows[2][rows[0].index("usage.cpu_seconds")] == "1.5"
assert all(len(r) == len(rows[0]) for r in rows)
assert croft("list", "--format", "csv").count("\r\n") == 3
table = croft("show", "db")
assert j[0]["properties"]["memory.max"] in table
'
t_ok "json, yaml and csv carry the same facts, whatever the strings are" python3 -c "$python"
t_is "quiet prints names" "$(croft list -q)" "db
web"
t_is "columns can be chosen" "$(croft list -o name,pid --format csv --no-header | tr -d '\r')" "db,
web,4711"
t_is "the state is asked of croftd" "$(croft list -q -s active)" web
t_is "a named list has the named only" "$(croft ls -q web)" web
t_unlike "a table holds no control byte" "$(croft show db | tr -d '\n')" '[[:cntrl:]]'
t_is "a log that goes to a file is as it is" "$(croft log web | md5sum)" "$(printf 'one\r\ntwo \033[2J\377\nthree\n' | md5sum)"
t_is "the last lines of a log can be had" "$(croft log web -n 1)" three
seen=$(in_terminal croft log web)
t_like "a log on a terminal is escaped" "$seen" '^two \\\\x1b\[2J\\\\xff$'
t_like "unless it is asked for raw" "$(in_terminal croft log web --raw)" '^two \\x1b\[2J\\xff$'
t_unlike "json on a terminal holds no control byte either" "$(in_terminal croft show db --format json)" '\\x(1b|85|9b)'
t_like "a terminal gets colours" "$(in_terminal croft list)" '\\x1b\[32mActive'
t_unlike "but not when NO_COLOR is set" "$(NO_COLOR=1 in_terminal croft list)" '\\x1b'
t_fails_with 1 "a check that finds something essential missing fails" croft check
t_is "it tells what is done instead and what is lost" "$(croft check)" "FEATURE         STATUS    USE
time-namespace  fallback  uptime (EINVAL)
                          instead: the host's clock
                          lost: a little
overlay         missing   roots
                          lost: all

Partitions can't run here: overlay is missing."
t_is "scripts get a list" "$(croft check --format json | jq -r '.[1].lost')" all
t_fails_with 1 "output that is closed is a failure" sh -c 'croft list >&-'
t_is "exec does without standard input" "$(croft exec web -- sh -c 'cat; echo done' <&-)" done
t_fails_with 1 "output that can't be written is a failure" sh -c 'croft list >/dev/full'
t_like "that is told" "$(cat "$T/error")" 'croft: write the output: No space left on device'

# --- failures ---------------------------------------------------------------------------------------------------------

for pair in 1:odd 2:usage 3:nobody 4:denied 5:busy 6:full 7:other 8:stale 9:broken; do
        t_fails_with "${pair%:*}" "a refusal of class ${pair%:*} is the exit status" croft start "${pair#*:}"
done
t_is "it is told in one line, escaped" "$(cat "$T/error")" \
        "croft: start 'broken': act on 'broken': inner \\x1b[31m cause: root cause"
t_fails_with 3 "of several names all are tried, the first failure is the status" croft start nobody busy web
t_is "each failure has a line" "$(grep -c . "$T/error")" 2
t_is "the last name was tried" "$(last_request)" "POST /v1/partitions/web/start "
t_fails_with 5 "verbose tells each cause on a line of its own" croft -v start busy
t_is "the causes are indented" "$(cat "$T/error")" "croft: act on 'busy'
  because: inner \\x1b[31m cause
    because: root cause
(EBUSY)"
t_is "a notice goes to standard error" "$(croft thaw web 2>&1 >/dev/null)" "croft: notice: the interrupted 'start' of 'x' was undone"
t_is "unless quiet" "$(croft -q thaw web 2>&1)" ""
t_fails_with 2 "a wrong word is usage" croft strat web
t_is "the right one is named" "$(cat "$T/error")" "croft: no command 'strat', did you mean 'start'? (see: croft help)"
t_fails_with 2 "a key without value is usage" croft create x -s memory.max
t_fails_with 2 "a refused value is usage" croft create usage -s memroy.max=1
t_is "the key that was meant is named" "$(tail -n 1 "$T/error")" "croft: did you mean 'memory.max'?"
t_fails_with 4 "who may not reach the socket is denied" setpriv --reuid=65534 --clear-groups "$BUILD/croft" list
t_is "and told so" "$(cat "$T/error")" "croft: list: connect to croftd at $CROFT_SOCKET: Permission denied"
t_fails_with 2 "no command at all is usage" croft

# --- requests ---------------------------------------------------------------------------------------------------------

asks() { # SENTENCE REQUEST COMMAND...
        sentence=$1 expected=$2
        shift 2
        "$@" >/dev/null 2>&1 </dev/null
        t_is "$sentence" "$(last_request)" "$expected"
}
asks "create sends name, image and properties" \
        'POST /v1/partitions {"name":"x","image":"deb","properties":{"memory.max":"64M","env.A":"b=c"}}' \
        croft create x --image deb -s memory.max=64M -s env.A=b=c
asks "set sends values, and null for what is unset" 'PATCH /v1/partitions/web {"properties":{"cpu.weight":"5","cpu.max":null}}' \
        croft set web cpu.weight=5 -u cpu.max
asks "stop sends milliseconds" 'POST /v1/partitions/web/stop {"timeout_ms":1500,"force":true}' croft stop web -t 1.5 --force
asks "kill sends the signal's name" 'POST /v1/partitions/web/kill {"signal":"HUP"}' croft kill web -s HUP
asks "remove forces when it is told" 'DELETE /v1/partitions/web?force=1 ' croft rm web -f
asks "a name can't leave its place in the path" 'GET /v1/partitions/..%2F..%2Fx%3F ' croft show '../../x?'
asks "rename sends the new name" 'PATCH /v1/partitions/web {"name":"www"}' croft mv web www
asks "build sends what is given" 'POST /v1/images {"name":"deb","build":{"suite":"bookworm","include":"vim"}}' \
        croft image build deb -s bookworm -I vim
mkdir "$T/Some_Root.d"
asks "import sends an absolute path and a name made of it" \
        "POST /v1/images {\"name\":\"some-root-d\",\"import\":{\"path\":\"$T/Some_Root.d\"}}" \
        sh -c 'cd "$T" && croft image import Some_Root.d'

# --- exec and console -------------------------------------------------------------------------------------------------

t_fails_with 42 "exec ends as the command does" croft exec web -- sh -c 'exit 42'
t_fails_with 137 "exec says 128+N for a signal" croft exec web -- sh -c 'kill -9 $$'
t_fails_with 127 "exec says 127 for a command that isn't there" croft exec web -- no-such-command
t_like "and why" "$(cat "$T/error")" "^croft: exec 'web': run 'no-such-command': No such file"
t_fails_with 125 "exec says 125 when croft itself fails" croft exec nobody -- true
t_fails_with 125 "a session that vanishes is croft's failure, too" croft exec web -- vanish
t_is "output and errors stay apart" "$(croft exec web -- sh -c 'echo out; echo err >&2' 2>/dev/null)" out
head -c 20000000 /dev/urandom >"$T/random"
t_is "20 MB go through and back unchanged" "$(croft exec web -- cat <"$T/random" | sha1sum)" "$(sha1sum <"$T/random")"
t_is "the end of input is passed on" "$(printf 'a\nb' | croft exec web -- wc -c)" 3
t_fails_with 141 "a reader that goes away ends it" bash -c 'croft exec web -- yes | head -n 1 >/dev/null; exit ${PIPESTATUS[0]}'
t_is "environment is passed on" "$(croft exec web -e A=1 -e B= -- sh -c 'echo "$A$B"')" 1
croft exec web -- sh -c 'trap "echo got it; exit 9" USR1; echo ready; while :; do sleep 0.05; done' >"$T/out" 2>&1 </dev/null &
client=$!
t_ok "a command waits for a signal" t_wait_for grep -q ready "$T/out"
kill -USR1 $client
status=0
wait $client || status=$?
t_is "a signal goes to the command" "$(cat "$T/out") $status" "ready
got it 9"

seen=$(in_terminal -k 'ready:ab\x03' croft exec web -- \
        sh -c 'trap "echo interrupted; exit 3" INT; stty size; tty -s && echo ready; while :; do sleep 0.05; done')
t_like "a terminal has our size" "$seen" '^30 100$'
t_like "Ctrl-C is the command's" "$seen" 'interrupted'
t_like "the status is the command's" "$seen" '^status 3$'
t_like "the terminal is as it was" "$seen" '^echo on$'
seen=$(in_terminal -s TERM:ready croft exec web -- sh -c 'echo ready; cat')
t_like "a signal ends a client that has a terminal" "$seen" '^status -15$'
t_like "that leaves the terminal as it was" "$seen" '^echo on$'
t_like "without a terminal when it is told" "$(in_terminal croft exec web -T -- sh -c 'tty -s || echo none')" '^none'

seen=$(in_terminal -k 'scrollback:hello' -k 'HELLO:\x01q' croft console web)
t_like "console shows what was there first" "$seen" 'scrollback'
t_like "keys reach it" "$seen" 'HELLO'
t_like "it says how to leave" "$seen" "Connected to the console of 'web'. Ctrl-a q detaches."
t_like "the key detaches" "$seen" "Detached from 'web'"
t_like "the terminal of console is as it was" "$seen" '^echo on$'
t_like "another key may be chosen" "$(in_terminal -k 'scrollback:\x01q' -k 'Q:\x02q' croft console -e ^b web)" 'Detached'
t_is "console works on a pipe" "$(printf abc | croft console web | tr -d '\r')" "scrollback
ABC"

# --- progress ---------------------------------------------------------------------------------------------------------

seen=$(in_terminal croft start slow)
t_like "what takes long is shown on a terminal" "$seen" "start 'slow': [0-9]+ s"
t_like "with croftd's latest word, escaped" "$seen" "half\\\\\\\\x1b\[2J way"
t_like "and taken away again" "$seen" '\\x1b\[K$'
seen=$(in_terminal -s "INT:'slow': " croft start slow)
t_like "an interrupt takes it away, too" "$seen" '\\x1b\[K$'
t_like "and ends the command" "$seen" '^status -2$'
t_is "but nothing of it goes into a file" "$(croft start slow 2>&1)" ""
t_is "the stand-in had no mishap" "$(cat "$T/fake.err")" ""
kill $fake
wait $fake 2>/dev/null
trap t_clean_up EXIT
t_done
