# shellcheck shell=sh
# tests/mounts.sh: two partitions, a and b, and how the tests of mounts look at theirs.  After lib.sh.
PATH=$BUILD/tests/kit:$PATH

t_croftd_start || exit 1
global=$T/run/bpf/programs/kstat
inside=/run/croft/programs/kstat
for name in a b; do
        # systemd's services have roots moved on top of others: in their tables, but in no mountinfo, so not to be compared
        t_ok "partition '$name' is made" croft create "$name" -s init=croft
        t_ok "and started" croft start "$name"
done
# The tool that asks by nothing but bpf(2), inside: handed in by standard input.
for name in a b; do
        croft exec "$name" -- sh -c 'cat >/root/t-kstat && chmod 755 /root/t-kstat' <"$BUILD/tests/kit/t-kstat"
done

within() { # PARTITION COMMAND...
        t_who=$1
        shift
        croft exec "$t_who" -- "$@" </dev/null
}
mount_id() { within "$1" awk -v at="$2" '$5 == at { id = $1 } END { print id }' /proc/self/mountinfo; }
value() { t-kstat "$global" find mount "$1" "$2" 2>/dev/null | awk -F'\t' -v key="$3" '$1 == key { print $2 }'; }
inside() { within "$1" /root/t-kstat "$inside" find mount "$2" io; }
known() { t-kstat "$global" find mount "$1" io; }
unknown() { ! known "$1"; }
# Mount ids in all namespaces of the partition's processes, from the kernel's own tables, and those that have structures.
kernel_mounts() {
        for t_pid in $(partition_pids "$1"); do
                echo "$(readlink "/proc/$t_pid/ns/mnt") $t_pid"
        done | sort -u -k1,1 | while read -r t_ns t_pid; do
                sed "s/ .*//" "/proc/$t_pid/mountinfo"
        done | sort -un
}
partition_pids() {
        t_id=$(field "$1" .id)
        find /sys/fs/cgroup -path "*/croft.*/$t_id*" -path "*croft-test.$$*" -name cgroup.procs -exec cat {} + 2>/dev/null | sort -un
}
# The root of all mounts isn't reachable, so not in mountinfo; nor is what an initramfs has left on it (the guest's: modules).
our_mounts() {
        t-kstat "$global" mounts | awk -v id="$(field "$1" .id)" '$1 == id && $3 !~ /^(rootfs|erofs)$/ { print $2 }' | sort -un
}
equal() {
        kernel_mounts "$1" >"$T/kernel"
        our_mounts "$1" >"$T/ours"
        diff "$T/kernel" "$T/ours"
}
all_equal() { t_wait_for equal "$1" || equal "$1"; }

remount() {
        within a mount -t tmpfs tmpfs /mnt/x
        i=$(mount_id a /mnt/x)
        t_wait_for known "$i"
        kid=$(value "$i" io kid)
}
