#!/bin/sh
# where: here
# podman, unmodified, inside a partition: images on a file system of the partition's own, containers with a proc and a sysfs of
# their own that show the partition.
. "$(dirname "$0")/../lib.sh"
[ -e /sys/module/loop ] || modprobe loop || exit 1

t_croftd_start || exit 1
t_ok "a partition is made" croft create a -s init=croft -s devices=loop:1 -s mount.allow=ext4,proc,sysfs -s memory.max=512M
t_ok "and started" croft start a
run() { croft exec a -- sh -c "exec 2>&1; $1"; }
# Without control groups of their own: on a host whose controllers are those of v1 a partition has none to give.
podman() { croft exec a -- podman --log-level=error "$@" 2>"$T/said"; }

t_is "it has a file system for images" "$(run 'truncate -s 1G /data && mkfs.ext4 -q /data && mkdir -p /var/lib/containers && mount -o loop /data /var/lib/containers; echo $?')" 0
run 'mkdir -p /root/r/bin /root/r/etc && cp /bin/busybox /root/r/bin && ln -s busybox /root/r/bin/sh && echo text >/root/r/etc/file && tar -C /root/r -cf /root/r.tar .' >/dev/null
t_ok "an image is imported" podman import -q /root/r.tar box
t_is "layers are overlays on the partition's own file system" "$(podman info -f '{{.Store.GraphDriverName}} {{index .Store.GraphStatus "Backing Filesystem"}}')" "overlay extfs"
in_container() { podman run --rm --network none --cgroups disabled box "$@"; }
t_is "a container runs, and its program is process 1" "$(in_container sh -c 'echo $$')" 1
t_is "it shows no more processes than its own" "$(in_container busybox ls /proc | grep -c '^[0-9]')" 1
t_is "its memory is the partition's" "$(in_container busybox head -n 1 /proc/meminfo)" "MemTotal:         524288 kB"
t_is "so is what sysinfo(2) tells" "$(in_container busybox free -k | awk '/^Mem/ { print $2 }')" 524288
t_is "and what isn't shown there isn't shown here" "$(in_container busybox wc -c /proc/timer_list | awk '{ print $1 }')" 0
t_ok "one runs on its own" podman run -d -q --name sleeper --network none --cgroups disabled box busybox sleep 1000
t_is "commands join it" "$(podman exec sleeper busybox cat /proc/1/comm)" busybox
t_ok "a file is copied in" podman cp /root/r/etc/file sleeper:/etc/copied
t_is "and is there" "$(podman exec sleeper busybox cat /etc/copied)" text
t_ok "it is removed" podman rm -f -t 0 sleeper
t_is "a directory of the partition's is its volume" "$(podman run --rm --network none --cgroups disabled -v /root/r:/v:ro box busybox ls /v | tr '\n' ' ')" "bin etc "
t_is "without a file system of its own copies do" "$(croft exec a -- podman --root /root/store --storage-driver vfs import -q /root/r.tar box >/dev/null 2>&1
        croft exec a -- podman --root /root/store --storage-driver vfs run --rm --network none --cgroups disabled box sh -c 'echo $$' 2>&1)" 1
t_is "nothing of all that is mounted in the end" "$(run 'umount -R /var/lib/containers; grep -cE "/var/lib/containers|/root/store/.*/merged" /proc/self/mountinfo')" 0
t_done
