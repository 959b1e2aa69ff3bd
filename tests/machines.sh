# shellcheck shell=sh
# tests/machines.sh: two machines for tests of what croft says to croft: two network namespaces with a pair of interfaces between them, and a
# croftd in each.  Read after lib.sh.
#
# machines_start makes them: here 10.9.8.1 (near0), there 10.9.8.2 (far0).  `far COMMAND...` runs croft's programs with the croftd there,
# `there COMMAND...` runs a command in its network; `$there COMMAND... &` is the process itself, for one that is killed later.  machines_end ends the one there; t_done the one here.
# shellcheck disable=SC2154 # from lib.sh
machines_near_build=$BUILD
far_daemon=

machines_start() {
        mkdir "$T/far" "$T/farbin"
        unshare --net sleep 1000000 &
        machines_holder=$!
        # However the test ends; its status is kept.
        trap 'machines_status=$?; kill $machines_holder $far_daemon 2>/dev/null; (exit $machines_status); t_clean_up' EXIT
        t_wait_for machines_are_apart || return 1
        there="nsenter -t $machines_holder -n --"
        ip link add near0 type veth peer name far0 netns $machines_holder
        ip addr add 10.9.8.1/24 dev near0
        ip link set near0 up
        there sh -c 'ip link set lo up; ip addr add 10.9.8.2/24 dev far0; ip link set far0 up'
        printf '#!/bin/sh\nexec nsenter -t %s -n -- %s/croftd "$@"\n' $machines_holder "$BUILD" >"$T/farbin/croftd"
        chmod +x "$T/farbin/croftd"
        machines_near=$T machines_near_socket=$CROFT_SOCKET
        t_croftd_start || return 1
        machines_near_daemon=$t_daemon
        BUILD=$T/farbin CROFT_SOCKET=$T/far/run/croft.sock T=$T/far
        t_croftd_start
        machines_status=$?
        far_daemon=$t_daemon
        T=$machines_near BUILD=$machines_near_build CROFT_SOCKET=$machines_near_socket t_daemon=$machines_near_daemon
        return $machines_status
}
machines_are_apart() { [ "$(readlink "/proc/$machines_holder/ns/net")" != "$(readlink /proc/self/ns/net)" ]; }

far() { CROFT_SOCKET=$T/far/run/croft.sock "$@"; }
# shellcheck disable=SC2086 # words
there() { $there "$@"; }

# What another machine found, as it is on record here for the partition web: HOST COMPONENT: MESSAGE.
remote() { croft error print web --format json | jq -r '.records[] | select(.source == "remote") | "\(.host) \(.component): \(.message)"'; }
remote_is() { [ "$(remote)" = "$1" ]; }

machines_end() {
        kill "$far_daemon"
        wait "$far_daemon"
        t_ok "it is removed here" croft remove --force web
        ip link del near0
        kill "$machines_holder"
        wait "$machines_holder" 2>/dev/null
        :
}
