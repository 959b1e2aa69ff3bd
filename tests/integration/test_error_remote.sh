#!/bin/sh
# where: here
# beside: others
# What another machine finds comes into the record here (ERR-31, ERR-A6): two croftds in two network namespaces with ssh between
# them; a line that is cut, an attend that dies, and those who have no business in the attempt.
. "$(dirname "$0")/../lib.sh"

. "$t_top/tests/machines.sh"
mkdir "$T/home" "$T/home/.ssh"
machines_start || exit 1

# --- ssh between them ---------------------------------------------------------------------------------------------------

ssh-keygen -q -t ed25519 -N '' -f "$T/key"
printf '#!/bin/sh\nexport PATH="%s" CROFT_SOCKET="%s"\nexec sh -c "$SSH_ORIGINAL_COMMAND"\n' "$PATH" "$T/far/run/croft.sock" >"$T/login"
chmod +x "$T/login"
echo "command=\"$T/login\" $(cat "$T/key.pub")" >"$T/home/.ssh/authorized_keys"
chmod 600 "$T/home/.ssh/authorized_keys"
chmod 700 "$T/home" "$T/home/.ssh"
dropbearkey -t ed25519 -f "$T/hostkey" >"$T/hostkey.txt" 2>&1
home=$(getent passwd root | cut -d: -f6)
nsenter -t $machines_holder -n -- unshare -m sh -c "mount --bind '$T/home' '$home' && \
        exec dropbear -F -E -s -r '$T/hostkey' -p 10.9.8.2:2222 -P '$T/dropbear.pid'" >"$T/dropbear.log" 2>&1 &
sshd=$!
cat >"$T/ssh_config" <<END
Host far
        HostName 10.9.8.2
        Port 2222
        User root
        IdentityFile $T/key
        IdentitiesOnly yes
        StrictHostKeyChecking yes
        UserKnownHostsFile $T/known_hosts
END
echo "[10.9.8.2]:2222 $(grep '^ssh-ed25519' "$T/hostkey.txt")" >"$T/known_hosts"
export CROFT_SSH="ssh -F $T/ssh_config"
t_ok "root gets there by ssh" t_wait_for $CROFT_SSH far true

# --- what is found there ------------------------------------------------------------------------------------------------

t_ok "a partition is made here" croft create web -s init=/bin/sleep\ 1000000
t_ok "and there" far croft create web -s init=/bin/nonexistent
croft start web
far croft start web 2>/dev/null
found="far croftd: run '/bin/nonexistent': No such file or directory
far croftd: warden
far croftd: start 'web'"
croft error attend web far --attempt 1 2>"$T/attend.log" &
attend=$!
t_ok "what failed there is on record here, in its order, with the machine's name" t_wait_for remote_is "$found"
t_is "with its causes" "$(croft error print web | cut -c22- | sed 's/  */ /g')" "remote far croftd start 'web'
remote far croftd warden
remote far croftd run '/bin/nonexistent': No such file or directory"
far croft-error -z web -p disk -e EIO -S 'block %d of %s' 7 sdb >/dev/null
found="$found
far disk: block 7 of sdb: Input/output error"
t_ok "what is found later comes when it is found" t_wait_for remote_is "$found"

# --- a line that is cut -------------------------------------------------------------------------------------------------

ip link set near0 down
far croft-error -q -z web -p disk -S 'while the line is cut: %d' 1
far croft-error -q -z web -p disk -S 'while the line is cut: %d' 2
says_cut() { croft error print web | grep -q 'the line to far was cut'; }
t_ok "a cut line is on record here" t_wait_for says_cut
t_is "and nothing that nobody could have brought" "$(remote)" "$found"
ip link set near0 up
found="$found
far disk: while the line is cut: 1
far disk: while the line is cut: 2"
t_ok "when it is back, what was missed comes, once" t_wait_for remote_is "$found"

# --- an attend that dies ------------------------------------------------------------------------------------------------

t_fails_with 5 "two at once would bring all twice: the second is refused" croft error attend web far --attempt 1
kill -9 $attend
wait $attend 2>/dev/null
far croft-error -q -z web -p disk -S 'while nobody attends'
croft error attend web far --attempt 1 2>"$T/attend.log" &
attend=$!
found="$found
far disk: while nobody attends"
t_ok "the next one goes on where the one that was killed had come to" t_wait_for remote_is "$found"
cp "$T/attend.log" "$T/said"
far croft error print web --format json --follow --attempt 1 >"$T/captured" &
capture=$!
t_wait_for test -s "$T/captured"
far croft start web 2>/dev/null
t_ok "with the attempt there it ends" wait $attend
wait $capture
t_is "and nothing of the next one has come" "$(remote)" "$found"

# --- who has no business here -------------------------------------------------------------------------------------------

# In the place of ssh: says what is in a file.
printf '#!/bin/sh\ncat "%s"\n' "$T/lies" >"$T/liar"
chmod +x "$T/liar"
lie() { CROFT_SSH="$T/liar" croft error attend web far --attempt "$1"; }
cp "$T/captured" "$T/lies"
t_fails_with 4 "a stream that was captured, replayed, is refused" lie 1
t_is "nothing of it is taken" "$(remote)" "$found"
t_like "and that is on record" "$(croft error print web)" "far sent what is no record of attempt 1 of 'web', or one twice"
croft restart web
t_fails_with 4 "what belongs to another attempt is refused" lie 2
t_is "nothing of that is taken either" "$(remote)" ""
for lies in '{' '[]' '{"seq":0,"attempt":2}' '{"seq":1,"attempt":2,"arguments":[7]}' '{"seq":5000000000,"attempt":2}'; do
        echo "$lies" >"$T/lies"
        t_fails_with 4 "so is $lies" lie 2
done
head -c 70000 /dev/zero | tr '\0' x >"$T/lies"
t_fails_with 4 "and a line without an end" lie 2
t_is "nothing of all that is on record as the other machine's word" "$(remote)" ""
echo '{"seq":1,"attempt":2,"host":"another","source":"kernel","inside":false,"format":"%n%n","arguments":[],"message":"text"}' >"$T/lies"
t_ok "what is a record is taken" lie 2
t_is "as the word of the machine that was asked" "$(remote)" "far : text"

sed -i 's/AAAAC3Nza[^ ]*/AAAAC3NzaC1lZDI1NTE5AAAAIJ1Lq8h8x8v3o5mYQh5T9lXkqv0yq8V0sQ0sQ0sQ0sQ0/' "$T/known_hosts"
t_fails_with 1 "who has another key is a stranger: nothing is asked" croft error attend web far --attempt 2 --patience 1
t_like "and that it was given up is on record, with what ssh said" "$(croft error print web)" "the line to far is given up.*: Host key verification failed"
for bad in '-oProxyCommand=x' 'a;b' '$(x)' ''; do
        t_fails_with 2 "'$bad' is no machine" croft error attend web "$bad" --attempt 2
done
t_fails_with 2 "an attempt has to be named" croft error attend web far

# --- the end ------------------------------------------------------------------------------------------------------------

far croft remove web
kill $sshd
wait $sshd 2>/dev/null
machines_end
t_done
