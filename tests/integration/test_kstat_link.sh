#!/bin/sh
# where: here guest
# Statistics of network interfaces: each partition has those of its own, equal to what its kernel shows in /proc/net/dev.
. "$(dirname "$0")/../lib.sh"

t_croftd_start || exit 1
for name in a b; do
        t_ok "partition $name is made" croft create $name -s init=croft \
                -s "net=bridge=crlink0,bridge-address=10.213.8.1/24,address=10.213.8.$([ $name = a ] && echo 2 || echo 3)/24"
        t_ok "and started" croft start $name
done

inside() { croft exec "$1" -- /run/croft/bin/kstat -p "link:0:$2" | sed 's/^[^:]*:[^:]*:[^:]*://'; } # PARTITION INTERFACE
value() { inside "$1" "$2" | awk -v f="$3" '$1 == f { print $2 }'; }                                   # ... FIELD
# Of one instant, as near as may be: both before and after the statistics the kernel's own numbers are the same.
# PARTITION INTERFACE: "received bytes, packets; sent bytes, packets", twice
both() {
        croft exec "$1" -- sh -c '
                own() { sed -n "s/^ *$1: *//p" /proc/net/dev | awk "{ print \$1, \$2, \$9, \$10 }"; }
                for try in 1 2 3 4 5 6 7 8 9 10; do
                        before=$(own "$0")
                        seen=$(/run/croft/bin/kstat -p "link:0:$0" | awk "{ split(\$1, k, \":\"); v[k[4]] = \$2 }
                                END { print v[\"rbytes64\"], v[\"ipackets64\"], v[\"obytes64\"], v[\"opackets64\"] }")
                        [ "$before" = "$(own "$0")" ] && break
                done
                echo "$before"
                echo "$seen"' "$2"
}
t_equal() { # SENTENCE PARTITION INTERFACE
        t_pair=$(both "$2" "$3")
        t_is "$1" "$(echo "$t_pair" | sed -n 2p)" "$(echo "$t_pair" | sed -n 1p)"
}

# --- what they say ----------------------------------------------------------------------------------------------------

t_is "the interfaces of a partition are those of class net" \
        "$(croft exec a -- /run/croft/bin/kstat -c net -l | cut -d: -f1-3 | sort -u | tr '\n' ' ')" "link:0:eth0 link:0:lo "
t_ok "some traffic" croft exec a -- busybox ping -q -c 5 -i 0.2 -s 1000 10.213.8.1
t_ok "and some within" croft exec a -- busybox ping -q -c 3 -i 0.2 -s 500 127.0.0.1
t_equal "its pair counts what its kernel counts" a eth0
t_equal "and its loopback" a lo
t_ok "which is what was sent" test "$(value a eth0 obytes64)" -ge 5140
t_ok "and received" test "$(value a eth0 rbytes64)" -ge 5140
t_is "32 bits of it have a name, too" "$(value a lo rbytes)" "$(value a lo rbytes64)"
t_is "the link is up" "$(value a eth0 link_up)" 1
t_is "its unit of transmission is told" "$(value a eth0 mtu)" "$(croft exec a -- cat /sys/class/net/eth0/mtu)"
t_ok "it is brought down" croft exec a -- ip link set eth0 down
t_is "which is told" "$(value a eth0 link_up)" 0
t_ok "it is brought up again" croft exec a -- ip link set eth0 up

# --- whose they are -----------------------------------------------------------------------------------------------------

t_ok "the neighbour's haven't moved by that" test "$(value b lo obytes64)" -lt 1500
t_equal "and are its own" b eth0
t_isnt "under the same name" "$(inside a eth0)" "$(inside b eth0)"
t_like "global asks for a partition's" "$(kstat -z a -p link:0:eth0:obytes64)" '^link:0:eth0:obytes64.[0-9]+$'
t_is "and has a loopback of its own, but no eth0 of theirs" "$(kstat -p -m link -s mtu | cut -f1)" link:0:lo:mtu

# --- when they end ------------------------------------------------------------------------------------------------------

t_ok "an interface is deleted by its partition" croft exec a -- ip link delete eth0
t_fails_with 1 "its statistics are nobody's" croft exec a -- /run/croft/bin/kstat -p link:0:eth0:obytes64
t_equal "the others go on" a lo
t_croftd_kill
t_croftd_start
t_equal "for the next croftd, too" b eth0
for name in a b; do t_ok "$name is removed" croft remove $name --force; done
t_done
