#!/bin/sh
# where: here
# beside: others
# What another machine finds comes into the record here by TLS, too (ERR-31): two croftds in two network namespaces with croft-remote
# between them; lines that are cut, a server that dies, and everybody who has no business there, each told why.
. "$(dirname "$0")/../lib.sh"
. "$t_top/tests/machines.sh"

# --- certificates -------------------------------------------------------------------------------------------------------

# NAME [AUTHORITY [SUBJECTALTNAME [OPENSSL-OPTION]...]]: makes $T/NAME.pem with $T/NAME.key; without an authority one of its own
certify() {
        name=$1 by=${2:-} names=${3:-DNS:$1}
        [ $# -lt 3 ] && shift $# || shift 3
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "/CN=$name" -keyout "$T/$name.key" -out "$T/$name.pem" \
                ${by:+-CA "$T/$by.pem" -CAkey "$T/$by.key" -addext "subjectAltName=$names" -addext basicConstraints=CA:FALSE} "$@" 2>>"$T/openssl.log"
        chmod 600 "$T/$name.key"
}
# The same, but with an end in the past.
expire() { # NAME AUTHORITY
        certify "$1" "$2"
        openssl req -new -key "$T/$1.key" -subj "/CN=$1" -out "$T/$1.csr" 2>>"$T/openssl.log"
        printf 'subjectAltName=DNS:%s\n' "$3" >"$T/$1.ext"
        : >"$T/index"
        openssl ca -batch -config /dev/stdin -name it -in "$T/$1.csr" -out "$T/$1.pem" -notext -startdate 20200101000000Z -enddate 20200201000000Z \
                -cert "$T/$2.pem" -keyfile "$T/$2.key" -extfile "$T/$1.ext" -md sha256 -outdir "$T" >>"$T/openssl.log" 2>&1 <<END
[it]
rand_serial=yes
database=$T/index
policy=any
email_in_dn=no
[any]
commonName=supplied
END
}
certify ca
certify other-ca
certify near ca
certify far ca DNS:far,IP:10.9.8.2
certify elsewhere ca
certify stranger ca
certify foreign other-ca DNS:near
certify foreign-far other-ca DNS:far
expire late ca near
expire late-far ca far
for name in ca near far foreign late; do
        t_ok "there is a certificate $name" openssl x509 -in "$T/$name.pem" -noout
done

# --- two machines -------------------------------------------------------------------------------------------------------

machines_start || exit 1
# CERTIFICATE [OPTION]...: serves there, with the capabilities that its unit leaves it.
unit_capabilities=-all$(sed -n 's/^CapabilityBoundingSet=//p' "$t_top/data/croft-remote.service.in" | tr ' ' '\n' |
        sed 's/^CAP_/,+/' | tr 'A-Z\n' 'a-z ' | tr -d ' ')
serve() {
        cert=$1
        shift
        $there setpriv --bounding-set "$unit_capabilities" --no-new-privs croft-remote serve --listen 10.9.8.2 --cert "$T/$cert.pem" --key "$T/$cert.key" --ca "$T/ca.pem" --allow-file "$T/allow" \
                --socket "$T/far/run/croft.sock" --log-level info "$@" >>"$T/serve.log" 2>&1 </dev/null &
        server=$!
        t_wait_for listens
}
listens() { there ss -tln | grep -q 10.9.8.2:9479; }
# Ends it with a signal: all that it started ends, too.
unserve() { # SIGNAL
        kill "-$1" $server
        wait $server 2>/dev/null
        t_wait_for nothing_serves
}
serving() { pgrep -f "^croft-remote serve --listen 10.9.8.2 --cert $T/"; }
nothing_serves() { ! serving; }
log_since() { tail -n "+$(($1 + 1))" "$T/serve.log"; }
logged() { wc -l <"$T/serve.log"; }
# CERTIFICATE [OPTION]...: what croft-remote is called with
as() {
        cert=$1
        shift
        echo "croft-remote connect --cert $T/$cert.pem --key $T/$cert.key --ca $T/ca.pem $*"
}
# A command there as near; HOST is a name that leads nowhere by itself.
ask() { soon $(as near --address 10.9.8.2) far "$@"; }
# A line that should have been refused lasts.
soon() { timeout "$T_PATIENCE" "$@"; }
ask_print() { ask croft error print web --follow --format json --attempt "${1:-1}" --from 1; }

printf '# who may come\nnear # the one here\nlate\n' >"$T/allow"
t_ok "one serves there" serve far
CROFT_REMOTE=$(as near --address 10.9.8.2)
export CROFT_REMOTE

# --- what is found there ------------------------------------------------------------------------------------------------

t_ok "a partition is made here" croft create web -s init=/bin/sleep\ 1000000
t_ok "and there" far croft create web -s init=/bin/nonexistent
croft start web
far croft start web 2>/dev/null
found="far croftd: run '/bin/nonexistent': No such file or directory
far croftd: warden
far croftd: start 'web'"
croft error attend web far --tls --attempt 1 2>"$T/attend.log" &
attend=$!
t_ok "what failed there is on record here, in its order, with the machine's name" t_wait_for remote_is "$found"
t_is "with its causes" "$(croft error print web | cut -c22- | sed 's/  */ /g')" "remote far croftd start 'web'
remote far croftd warden
remote far croftd run '/bin/nonexistent': No such file or directory"
far croft-error -z web -p disk -e EIO -S 'block %d of %s' 7 sdb >/dev/null
found="$found
far disk: block 7 of sdb: Input/output error"
t_ok "what is found later comes when it is found" t_wait_for remote_is "$found"

# --- who speaks with the network ----------------------------------------------------------------------------------------

# One process of the three of a connection has nothing but it.
speaker=$(for pid in $(serving); do grep -q '^Uid:.65534' "/proc/$pid/status" && echo "$pid"; done)
t_like "who speaks with the network is nobody" "$(cat "/proc/$speaker/status")" '^Uid:.65534.65534.65534.65534$'
t_like "without a capability" "$(cat "/proc/$speaker/status")" '^CapPrm:.0000000000000000$'
t_like "which none can come back to" "$(cat "/proc/$speaker/status")" '^CapBnd:.0000000000000000$'
t_like "with a filter of system calls" "$(cat "/proc/$speaker/status")" '^Seccomp:.2$'
t_is "and with no descriptor of the others" "$(find "/proc/$speaker/fd" -lname 'anon_inode*')" ""

# --- lines that are cut -------------------------------------------------------------------------------------------------

ip link set near0 down
far croft-error -q -z web -p disk -S 'while the line is cut: %d' 1
far croft-error -q -z web -p disk -S 'while the line is cut: %d' 2
says_cut() { croft error print web | grep -q 'the line to far was cut.*no sign of life'; }
t_ok "a cut line is on record here, and why" t_wait_for says_cut
t_is "and nothing that nobody could have brought" "$(remote)" "$found"
t_ok "the other side has given it up, too, with all that it ran for it" t_wait_for sh -c "! pgrep -f '^croft --socket $T/far/run/croft.sock error print web'"
ip link set near0 up
found="$found
far disk: while the line is cut: 1
far disk: while the line is cut: 2"
t_ok "when it is back, what was missed comes, once" t_wait_for remote_is "$found"
before=$(croft error print web | grep -c 'was cut')
kill -KILL $server
wait $server 2>/dev/null
t_ok "with the server that is killed all ends that it started" t_wait_for nothing_serves
t_ok "and with it the command" t_wait_for sh -c "! pgrep -f '^croft --socket $T/far/run/croft.sock error print web'"
far croft-error -q -z web -p disk -S 'while nobody serves'
t_is "nothing of that has come" "$(remote)" "$found"
serve far
found="$found
far disk: while nobody serves"
t_ok "the next server goes on where the one that was killed had come to" t_wait_for remote_is "$found"
t_is "and that the line was cut is on record once more" "$(croft error print web | grep -c 'was cut')" $((before + 1))

# --- an attend that dies ------------------------------------------------------------------------------------------------

t_fails_with 5 "two at once would bring all twice: the second is refused" soon croft error attend web far --tls --attempt 1
t_fails_with 5 "by another port, too: it is the same machine" soon croft error attend web far:9479 --tls --attempt 1
kill -9 $attend
wait $attend 2>/dev/null
t_ok "with an attend that is killed the line ends, and the command there" t_wait_for sh -c "! pgrep -f '^croft --socket $T/far/run/croft.sock error print web'"
far croft-error -q -z web -p disk -S 'while nobody attends'
croft error attend web far:9479 --tls --attempt 1 2>"$T/attend.log" &
attend=$!
found="$found
far disk: while nobody attends"
t_ok "the next one goes on where the one that was killed had come to" t_wait_for remote_is "$found"
ask_print >"$T/captured" &
capture=$!
t_wait_for test -s "$T/captured"
far croft start web 2>/dev/null
t_ok "with the attempt there it ends" wait $attend
wait $capture
t_is "and nothing of the next one has come" "$(remote)" "$found"
t_is "all of it came by TLS" "$(jq -r .seq <"$T/captured" | wc -l)" "$(printf '%s\n' "$found" | wc -l)"
T_ADDRESS=$(as near) # by its address, which the certificate has, too
croft restart web
far croft restart web 2>/dev/null
attempt=$(far croft error print web --format json | jq .attempt)
CROFT_REMOTE=$T_ADDRESS croft error attend web 10.9.8.2:9479 --tls --attempt "$attempt" 2>/dev/null &
attend=$!
by_address="10.9.8.2 croftd: run '/bin/nonexistent': No such file or directory"
has_by_address() { remote | grep -qxF "$by_address"; }
t_ok "a machine is named by its address, without the port" t_wait_for has_by_address
kill $attend
wait $attend 2>/dev/null
croft restart web

# --- who has no business there ------------------------------------------------------------------------------------------

# SENTENCE EXTENDED-REGULAR-EXPRESSION COMMAND...: there is no line, and the reason is said
refused() {
        sentence=$1 pattern=$2
        shift 2
        t_fails_with 255 "$sentence: there is no line" "$@"
        t_like "$sentence: and why" "$(cat "$T/error")" "$pattern"
        t_is "$sentence: nothing came" "$(cat "$T/.output")" ""
}
# The same, and what the log there says.
turned_away() { # SENTENCE PATTERN PATTERN-OF-LOG COMMAND...
        sentence=$1 log_pattern=$3 at=$(logged) pattern=$2
        shift 3
        refused "$sentence" "$pattern" "$@"
        log_says() { log_since "$at" | grep -qE "$log_pattern"; }
        t_ok "$sentence: the log there says so" t_wait_for log_says
}
print="croft error print web --follow --format json --attempt $attempt --from 1"
ask_as() { soon $(as "$1" --address 10.9.8.2) far $print; }

turned_away "a certificate of another authority" "far doesn't know the authority of our certificate" "was refused: .*authority that isn't known here" ask_as foreign
turned_away "a certificate that has expired" "far says that our certificate has expired" "was refused: .*has expired" ask_as late
turned_away "a machine that isn't in the allow list" "no name of our certificate is in the allow list of far" \
        "was refused: .*isn't in the allow list; its certificate is for: stranger" ask_as stranger
refused "another authority there" "the certificate of far is of an authority that isn't known here" \
        soon $(as near --address 10.9.8.2 --ca "$T/other-ca.pem") far $print
refused "a name that the certificate there doesn't have" "elsewhere shows the certificate of another machine" \
        soon $(as near --address 10.9.8.2) elsewhere $print
croft-error -q -z web -S 'of this machine'
t_fails_with 1 "an attend by such a line is given up" soon croft error attend web elsewhere --tls --attempt "$attempt" --patience 1
t_like "and why is on record" "$(croft error print web)" "the line to elsewhere is given up.*: .*shows the certificate of another machine"
t_is "as is nothing else of it" "$(remote)" ""
refused "nobody there" "Connection refused" soon $(as near --address 10.9.8.2) far:9480 $print

# By another program than ours, since ours would not.
s_client() { # OPTION...: what came, and the status is that of the connection
        printf '' | openssl s_client -connect 10.9.8.2:9479 -CAfile "$T/ca.pem" -quiet -no_ign_eof "$@" 2>&1
}
sends() { # SENTENCE PATTERN-OF-LOG COMMAND...
        sentence=$1 log_pattern=$2 at=$(logged)
        shift 2
        "$@" >"$T/came" 2>&1
        log_says() { log_since "$at" | grep -qE "$log_pattern"; }
        t_ok "$sentence" t_wait_for log_says
}
sends "who has no certificate is refused" "was refused: .*showed no certificate" s_client
sends "who speaks TLS 1.2 is refused" "was refused: .*doesn't speak TLS 1.3" s_client -tls1_2 -cert "$T/near.pem" -key "$T/near.key"
sends "who speaks no TLS is refused" "was refused: .*doesn't speak TLS" sh -c 'printf "GET / HTTP/1.0\r\n\r\n" | busybox nc 10.9.8.2 9479'
head -c 70000 /dev/urandom | tr '\026' x >"$T/garbage"
sends "so is who sends garbage" "was refused: .*doesn't speak TLS" sh -c "busybox nc 10.9.8.2 9479 <'$T/garbage'"
sends "who sends nothing and goes is no trouble" "was refused: .*ended the connection" sh -c 'busybox nc 10.9.8.2 9479 </dev/null'

# BYTES-AS-PRINTF: sent inside TLS with a good certificate.  It goes when it is sent away, not with the end of its input.
sends_inside() {
        rm -f "$T/sent"
        mkfifo "$T/sent"
        exec 7<>"$T/sent"
        printf "$1" >&7
        timeout "$T_PATIENCE" openssl s_client -connect 10.9.8.2:9479 -CAfile "$T/ca.pem" -cert "$T/near.pem" -key "$T/near.key" -quiet -no_ign_eof <&7
        exec 7>&-
}
sends "a request that is too large is refused" "ended: .*sent what is no frame" sends_inside '\002\377\377\377\177'
sends "a frame of no type is refused" "ended: .*sent what is no frame" sends_inside 'GET / HTTP/1.0'
sends "a frame that only a server sends is refused" "ended: .*something else than a request" sends_inside '\004\001\000\000\000\000'
sends "a request that is none is refused" "asked for what it may not run: what is no command" sends_inside '\002\004\000\000\000\377\377\377\377'
t_is "and what is told is no more than that" "$(od -An -c <"$T/came" | tr -s ' \n' ' ' | grep -o '005 001 .*')" '005 001 \0 \0 \0 003 '

# COMMAND...
not_run() { turned_away "'$*' isn't run" "far doesn't let other machines run that command" "may not run: $1" ask "$@"; }
not_run croft list
not_run croft start web
not_run croft error print web
not_run croft error print global --follow --format json --attempt 1 --from 1
not_run croft error print --help --follow --format json --attempt 1 --from 1
not_run croft error print web --follow --format json --attempt 1 --from 1 --from 1
not_run sh -c "touch $T/touched"
t_fails_with 255 "a command of too many words isn't sent" ask croft 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17
t_fails_with 255 "nor one with a word that is too long" ask croft "$(head -c 300 /dev/zero | tr '\0' x)"
t_is "nothing of that was run" "$(find "$T" -name touched)" ""
t_fails_with 3 "the status of the command comes back" ask croft error print nobody --follow --format json --attempt 1 --from 1

# --- who takes up room --------------------------------------------------------------------------------------------------

mkfifo "$T/never" # nothing comes of it
exec 8<>"$T/never"
hung=
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24; do
        busybox nc 10.9.8.2 9479 >/dev/null 2>&1 <&8 &
        hung="$hung $!"
done
many_hang() { [ "$(there ss -Htn state established 'sport = :9479' | wc -l)" -ge 16 ]; }
t_ok "24 connect and say nothing" t_wait_for many_hang
croft restart web
croft error attend web far --tls --attempt "$attempt" --patience 1 2>"$T/attend.log" &
attend=$!
found=$(far croft error print web --format json | jq -r '.records[] | "far \(.component): \(.message)"')
t_ok "who says who he is is served meanwhile" t_wait_for remote_is "$found"
t_like "the oldest of the others went for it" "$(cat "$T/serve.log")" "too many connections at once"
few_hang() { [ "$(there ss -Htn state established 'sport = :9479' | wc -l)" -le 1 ]; }
t_ok "the others go when they have been silent for too long" t_wait_for few_hang
t_ok "who was served is still there" kill -0 $attend
kill $hung 2>/dev/null
wait $hung 2>/dev/null

# --- what changes while it serves ---------------------------------------------------------------------------------------

at=$(logged)
echo nobody >"$T/allow"
kill -HUP $server
read_again() { log_since "$at" | grep -q 'read again'; }
t_ok "the allow list is read again when that is asked for" t_wait_for read_again
turned_away "who is no longer in the list" "no name of our certificate is in the allow list" "isn't in the allow list; its certificate is for: near" ask_as near
t_ok "the line that was there goes on" kill -0 $attend
at=$(logged)
echo '-' >"$T/allow"
kill -HUP $server
stays() { log_since "$at" | grep -q "what was read before stays in force: '-' in '$T/allow' is no name"; }
t_ok "a list with a mistake isn't taken" t_wait_for stays
turned_away "what was read before" "no name of our certificate is in the allow list" "its certificate is for: near" ask_as near
echo near >"$T/allow"
unserve TERM
t_ok "a server that is told to end takes all along" nothing_serves
kill $attend
wait $attend 2>/dev/null

# --- a server that isn't the one ----------------------------------------------------------------------------------------

serve late-far
refused "a certificate there that has expired" "the certificate of far has expired" ask_as near
unserve TERM
serve foreign-far
refused "a certificate there of another authority" "the certificate of far is of an authority that isn't known here" ask_as near
unserve TERM
$there python3 -c 'import socket
s = socket.create_server(("10.9.8.2", 9479)).accept()[0]
s.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\n")
while s.recv(4096): pass' &
liar=$!
t_wait_for listens
refused "something else than TLS there" "far doesn't speak TLS" ask_as near
wait $liar
$there openssl s_server -accept 10.9.8.2:9479 -cert "$T/far.pem" -key "$T/far.key" -tls1_2 -quiet >/dev/null 2>&1 </dev/null &
liar=$!
t_wait_for listens
refused "TLS 1.2 there" "far doesn't speak TLS 1.3" ask_as near
kill $liar
wait $liar 2>/dev/null
$there openssl s_server -accept 10.9.8.2:9479 -cert "$T/far.pem" -key "$T/far.key" -quiet >/dev/null 2>&1 <&8 &
liar=$!
t_wait_for listens
refused "a server that never says that it is ready" "wait for an answer of far: Connection timed out" ask_as near
kill $liar
wait $liar 2>/dev/null

# Says what is in a file, inside TLS with a good certificate.
lies() {
        $there sh -c "{ cat '$T/lie'; sleep 3; } | openssl s_server -accept 10.9.8.2:9479 -cert '$T/far.pem' -key '$T/far.key' -Verify 1 -CAfile '$T/ca.pem' -naccept 1 -quiet" \
                >/dev/null 2>&1 &
        liar=$!
        t_wait_for listens
}
croft restart web
ready='\001\004\000\000\000\001\000\000\000'
lie_line() { printf "\\\\003\\\\$(printf %03o ${#1})\\\\000\\\\000\\\\000"; }
record='{"seq":1,"attempt":9,"arguments":[],"format":"x","message":"x"}'
{ printf "$ready$(lie_line "$record.")"; echo "$record"; printf '\004\001\000\000\000\000'; } >"$T/lie"
lies
t_fails_with 4 "a record of another attempt is refused, whoever sends it" soon croft error attend web far --tls --attempt 7 --patience 1
t_like "and that is on record" "$(croft error print web)" "far sent what is no record of attempt 7 of 'web', or one twice"
t_is "nothing of it is taken" "$(remote)" ""
wait $liar
printf "$ready"'\003\377\377\377\377' >"$T/lie"
lies
refused "a frame without an end" "far sent what is no frame" ask_as near
wait $liar
printf '\001\004\000\000\000\002\000\000\000' >"$T/lie"
lies
refused "another version of the protocol" "far speaks version 2 of the protocol, and we speak 1" ask_as near
wait $liar

# --- files ----------------------------------------------------------------------------------------------------------------

chmod 640 "$T/near.key"
refused "a key that others can read" "the key '$T/near.key' is open to others than its owner \(mode 640\): chmod it to 600" ask_as near
chmod 600 "$T/near.key"
refused "a key of another certificate" "the key '$T/far.key' doesn't belong to the certificate" soon $(as near --key "$T/far.key") far $print
openssl ec -in "$T/near.key" -aes128 -passout pass:word -out "$T/locked.key" 2>/dev/null
refused "a key with a passphrase" "the key '$T/locked.key' has a passphrase, and nobody is asked" soon $(as near --key "$T/locked.key") far $print
refused "no key" "open the key '$T/none': No such file" soon $(as near --key "$T/none") far $print
refused "a certificate that is none" "'$T/allow' holds no certificate in PEM" soon $(as near --cert "$T/allow") far $print
refused "no file of authorities" "read the certificates of authorities '$T/none': No such file" soon $(as near --ca "$T/none") far $print
serve_alone() { there timeout 5 croft-remote serve --listen 10.9.8.2 --cert "$T/far.pem" --key "$T/far.key" --ca "$T/ca.pem" "$@"; }
: >"$T/empty"
t_fails_with 2 "who serves without naming a machine that may come is told" serve_alone --allow-file "$T/empty"
t_like "how" "$(cat "$T/error")" "'$T/empty' names no machine that may connect"
t_fails_with 3 "a list that isn't there" serve_alone --allow-file "$T/none"
t_fails_with 2 "a name that is a pattern" serve_alone --allow .example.org
t_fails_with 2 "serve without --listen" croft-remote serve
for bad in 'a;b' '$(x)' 'user@far' '' '-oX'; do
        t_fails_with 2 "'$bad' is no machine" croft error attend web "$bad" --tls --attempt 2
done

# --- the end ------------------------------------------------------------------------------------------------------------

far croft remove web
machines_end
t_done
