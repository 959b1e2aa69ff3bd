#!/bin/sh
# where: here
# A partition on a bridge without an address of its own gets one by its own DHCP client, and the same one after a restart: its hardware
# address stays.
. "$(dirname "$0")/../lib.sh"

# A bridge of the host's, with the host's DHCP server: it stays when the last partition leaves it.
ip link add crdhcp0 type bridge && ip addr add 10.213.9.1/24 dev crdhcp0 && ip link set crdhcp0 up
t_croftd_start || exit 1
t_ok "a partition without an address is made" croft create web -s init=croft -s net=bridge=crdhcp0
t_ok "and started" croft start web

cat >"$T/udhcpd.conf" <<CONF
start 10.213.9.100
end 10.213.9.150
interface crdhcp0
pidfile $T/udhcpd.pid
lease_file $T/udhcpd.leases
option subnet 255.255.255.0
option router 10.213.9.1
CONF
: >"$T/udhcpd.leases"
busybox udhcpd -f "$T/udhcpd.conf" >"$T/udhcpd.log" 2>&1 &
server=$!

# busybox's client wants a script that does the work.
croft exec web -- sh -c 'cat >/root/dhcp && chmod 755 /root/dhcp' <<'SCRIPT'
#!/bin/sh
[ "$1" = bound ] || exit 0
ip addr replace "$ip/$mask" dev "$interface"
ip route replace default via "$router"
SCRIPT
ask() { croft exec web -- busybox udhcpc -i eth0 -n -q -t 20 -T 1 -s /root/dhcp; }
address() { croft exec web -- ip -4 -o addr show dev eth0 | awk '{ print $4 }'; }

t_is "it has no address at first" "$(address)" ""
t_ok "its client gets one" ask
first=$(address)
t_like "of the server's range" "$first" '^10\.213\.9\.1[0-5][0-9]/24$'
t_ok "it reaches the host over it" croft exec web -- ping -c 1 -W 5 10.213.9.1
t_ok "and the host it" ping -c 1 -W 5 "${first%/*}"

t_ok "it is restarted" croft restart web
t_is "without an address again" "$(address)" ""
t_ok "its client asks again" ask
t_is "and gets the same one" "$(address)" "$first"

kill $server
wait $server 2>/dev/null
t_ok "it is stopped" croft stop web
t_ok "the host's bridge is still there" ip link delete crdhcp0
t_done
