#!/bin/sh
# where: guest-systemd
# timeout: 600
# croftd as a unit of systemd, installed as `make install` does it: partitions outlive its restart, its stop and its death.
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

systemctl daemon-reload
t_is "systemd finds no fault in croft's units" "$(systemd-analyze --man=no verify croftd.service croft-shutdown.service 2>&1)" ""
t_ok "croftd starts" systemctl start croftd croft-shutdown
t_ok "it answers as soon as systemd takes it for started" croft list
main_pid() { systemctl show -P MainPID croftd; }
# kill -9 0 would hit ourselves
end() { for victim; do [ "$victim" -gt 1 ] && kill -9 "$victim"; done; }

t_ok "a partition is made" croft create web -s memory.max=64M
t_ok "and started" croft start web
# Nothing of what follows means anything without these.
[ "$t_failed" = 0 ] || { journalctl -u croftd --no-pager -n 30 | sed 's/^/# /'; exit 1; }
pid=$(field web .pid)
t_like "its processes are below the unit that only holds control groups" "$(cat "/proc/$pid/cgroup")" '^0::/croft.slice/croft-partitions.service/croft\.'
t_like "croftd's descriptors of it are in systemd's store" "$(systemctl show -P NFileDescriptorStore croftd)" '^[1-9]'

same() { [ "$(field web '"\(.state) \(.pid)"')" = "Active $pid" ]; }
works() { [ "$(croft exec web -- echo yes)" = yes ]; }
old=$(main_pid)
t_ok "croftd can be restarted" systemctl restart croftd
t_isnt "it is another process then" "$(main_pid)" "$old"
t_ok "the partition is what it was" same
t_ok "exec works" works

old=$(main_pid)
end "$old"
again() { [ "$(main_pid)" != 0 ] && [ "$(main_pid)" != "$old" ] && croft list; }
t_ok "a killed croftd is started again" t_wait_for again
t_ok "the partition is what it was after the kill" same
t_ok "exec works after the kill" works

# Both at once: the console and the process descriptors come from systemd's store.
old=$(main_pid)
warden=$(field web .warden)
end "$old" "$warden"
t_ok "croftd killed together with the warden is started again" t_wait_for again
successor() { now=$(field web .warden) && [ "$now" != null ] && [ "$now" != "$warden" ]; }
t_ok "and gives the partition a new warden" t_wait_for successor
t_ok "the partition is what it was after both kills" same
t_ok "exec works after both kills" works

t_ok "croftd can be stopped" systemctl stop croftd
t_ok "the partition runs on without it" kill -0 "$pid"
t_ok "croftd can be started again" systemctl start croftd
t_ok "the partition is what it was after the stop" same

t_ok "the partitions are stopped in order when the machine goes down" systemctl stop croft-shutdown
t_is "the partition is stopped" "$(field web .state)" Defined
t_ok "it gets an init that isn't there" croft set web init=/bin/nonexistent
t_fails_with 3 "with which it doesn't start" croft start web
t_like "the journal has why, under the partition's name" \
        "$(journalctl -o json --output-fields=MESSAGE,ERRNO,PRIORITY CROFT_PARTITION=web | jq -r 'select(.ERRNO == "2") | .PRIORITY + " " + .MESSAGE')" \
        "^3 start 'web': warden: run '/bin/nonexistent': No such file or directory\$"
t_ok "it can be removed" croft remove web
t_ok "croftd ends" systemctl stop croftd
t_is "and left no failed unit" "$(systemctl list-units --failed --plain --no-legend)" ""
t_is "and no partition's control group" "$(find /sys/fs/cgroup/croft.slice/croft-partitions.service -mindepth 1 -path '*/croft.*/*' -type d)" ""
[ "$t_failed" = 0 ] || journalctl -u croftd --no-pager -n 30 | sed 's/^/# /'
t_done
