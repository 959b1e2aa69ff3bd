#!/bin/sh
# where: guest-systemd
# timeout: 600
# croft-remote as a unit of systemd, installed as `make install` does it: what its hardening leaves is enough, and it isn't there unasked.
T_NETWORK=host
. "$(dirname "$0")/../lib.sh"
unset CROFT_SOCKET # the system's croftd

# meson isn't in here, but it wrote down what it would install where.
jq -r 'to_entries[] | "\(.key)\t\(.value)"' "$BUILD/meson-info/intro-installed.json" >"$T/installed"
while IFS="$(printf '\t')" read -r from to; do
        mode=644
        [ ! -x "$from" ] || mode=755
        [ ! -f "$from" ] || install -D -m $mode "$from" "$to"
done <"$T/installed"
ldconfig
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
ip link set lo up

mkdir -p /etc/croft/remote
certify() { "$BUILD/tests/integration/certify" "$T" "$@"; }
T_DIR=$T
t_ok "there is an authority" certify ca
t_ok "and a certificate of this machine" certify cert ca DNS:localhost
install -m 600 "$T_DIR/cert.key" /etc/croft/remote/key.pem
install -m 644 "$T_DIR/cert.pem" "$T_DIR/ca.pem" /etc/croft/remote/
echo localhost >/etc/croft/remote/allow

systemctl daemon-reload
t_is "systemd finds no fault in the unit" "$(systemd-analyze --man=no verify croft-remote.service 2>&1)" ""
t_is "nobody enables it but the administrator" "$(systemctl is-enabled croft-remote)" disabled
t_ok "croftd starts" systemctl start croftd
t_ok "and a partition that can't run" croft create web -s init=/bin/nonexistent
croft start web 2>/dev/null
t_ok "the unit starts" systemctl start croft-remote
ask() { croft-remote connect localhost croft error print web --follow --format json --attempt "$1" --from 1; }
ask 1 >"$T/came" 2>"$T/said" &
asks=$!
has_come() { [ "$(jq -r .message <"$T/came" | tail -n 1)" = "start 'web'" ]; }
t_ok "what failed comes by TLS" t_wait_for has_come
t_ok "certificates are read again when that is asked for" systemctl reload croft-remote
t_ok "the line goes on" kill -0 $asks
croft start web 2>/dev/null
t_ok "with the attempt it ends in order" wait $asks
old=$(systemctl show -P MainPID croft-remote)
kill -9 "$old"
again() { now=$(systemctl show -P MainPID croft-remote) && [ "$now" != 0 ] && [ "$now" != "$old" ]; }
t_ok "when it is killed it is started again" t_wait_for again
t_like "nothing is said of it but what should be" "$(journalctl -u croft-remote -o cat --no-pager)" '^serves on ::, port 9479'
t_unlike "and no refusal" "$(journalctl -u croft-remote -o cat --no-pager)" 'refused|ended|not permitted'
[ "$t_failed" = 0 ] || { journalctl -u croft-remote --no-pager -n 30; cat "$T/said"; } | sed 's/^/# /'
t_ok "it can be stopped" systemctl stop croft-remote
croft remove web
systemctl stop croftd croft-partitions
rm -r /etc/croft
t_done
