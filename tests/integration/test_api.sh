#!/bin/sh
# where: here
# The examples of docs/api.md do what the page says; live answers are as docs/openapi.yaml describes them.
. "$(dirname "$0")/../lib.sh"
rm "$T/.bin/jq" # the page shows what jq itself prints, with keys in order

mkdir "$T/etc"
printf 'tun:\nvalue = "/dev/net/tun"\n' >"$T/etc/devexports"
modprobe -q tun 2>/dev/null
t_croftd_start --config-dir "$T/etc" || exit 1
mkdir "$T/page"
cd "$T/page" || exit 1

# Each ```sh block becomes NN.sh, the ```text block that follows it NN.expected, and its heading NN.title.  All run in
# one shell, as a reader would type them.
awk '
/^## / { title = substr($0, 4) }
/^```/ && inside { close(file); inside = 0; next }
/^```sh$/ { n++; file = sprintf("%02d.sh", n); inside = 1; print title >(sprintf("%02d.title", n)); next }
/^```text$/ { file = sprintf("%02d.expected", n); inside = 1; next }
/^```/ { inside = 1; file = "/dev/null"; next }
inside { print >file }
' "$t_top/docs/api.md"
for block in [0-9]*.sh; do
        block=${block%.sh}
        echo "{ . ./$block.sh; } >$block.out 2>$block.err </dev/null; echo \$? >$block.status"
done >page
bash page

failed=$t_failed
t_isnt "the page has examples" "$(ls -- *.sh)" ""
for block in [0-9]*.sh; do
        block=${block%.sh}
        claim="example $block of docs/api.md ($(cat "$block.title"))"
        if [ -e "$block.expected" ]; then
                t_is "$claim gives what it says" "$(cat "$block.out")" "$(cat "$block.expected")"
                [ "$t_failed" = "$failed" ] || t_note "$(cat "$block.err")"
                failed=$t_failed
        else
                t_is "$claim runs" "$(cat "$block.status")" 0
        fi
done

cd "$T" || exit 1
python3 -B "$t_top/tests/integration/api_live.py" "$CROFT_SOCKET" "$t_top/docs/openapi.yaml"
t_is "the live answers are as described (status)" "$?" 0
t_done
