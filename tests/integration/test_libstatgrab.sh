#!/bin/sh
# where: here
# beside: others
# timeout: 900
# libstatgrab's Solaris back end, from Debian's source package, built against our <kstat.h>: a program written for Solaris reads
# with libkstat what kstat(8) prints.  What comes with it is fetched for the test and never kept.
. "$(dirname "$0")/../roots.sh"
T_NETWORK=host
. "$(dirname "$0")/../lib.sh"

# Fetches and unpacks the upstream part of the source package, with lists of packages of its own.
fetch() {
        mkdir -p "$T/apt/lists/partial" "$T/apt/cache/archives/partial" "$T/apt/source" || return 1
        mirror=$(own_mirror)
        suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
        cat >"$T/apt/debian.sources" <<SOURCES
Types: deb-src
URIs: $mirror
Suites: $suite
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
SOURCES
        own_apt="-q -o Dir::Etc::sourcelist=$T/apt/debian.sources -o Dir::Etc::sourceparts=- -o Dir::State::lists=$T/apt/lists
                -o Dir::Cache=$T/apt/cache -o APT::Sandbox::User=root -o Acquire::Retries=2"
        # shellcheck disable=SC2086 # a list of options
        (cd "$T/apt/source" && apt-get $own_apt update && apt-get $own_apt source --download-only --tar-only libstatgrab) || return 1
        tar -xf "$T"/apt/source/libstatgrab_*.orig.tar.gz -C "$T/apt/source"
}

# Its own configure script, for this machine; then Solaris is put in Linux's place.
configure() {
        cd "$source" && ./configure --disable-dependency-tracking --without-ncurses --disable-setuid-binaries --disable-setgid-binaries &&
                mkdir solaris && sed -e 's,^#define LINUX.*,#define SOLARIS 1,' -e 's,.*HAVE_KSTAT_H.*,#define HAVE_KSTAT_H 1,' \
                        -e 's,.*HAVE_SYS_LOADAVG_H.*,#define HAVE_SYS_LOADAVG_H 1,' config.h >solaris/config.h
}

compile() { # FILE OUTPUT
        cc -w -O1 -D_GNU_SOURCE -DHAVE_CONFIG_H -DHAVE_STRUCT_STATVFS64 -DSI_ARCHITECTURE=6 -Dsysinfo=statgrab_sysinfo -I"$source/solaris" \
                -I"$source/src/libstatgrab" -I"$source" -I"$t_top/include/croft/illumos" -I"$t_top/include" -c "$1" -o "$2"
}

value() { sed -n "s,^$1 ,,p" "$T/seen"; }
# The sum of a value over all structures that match.
sum() { kstat -p "$@" | awk -F'\t' '{ s += $2 } END { printf "%.0f\n", s }'; }

if ! fetch >"$T/fetch.log" 2>&1; then
        t_note "$(tail -n 3 "$T/fetch.log")"
        t_skip "libstatgrab's Solaris back end reads our statistics" "Debian's source package can't be had here"
        t_done
fi
source=$(echo "$T"/apt/source/libstatgrab-*)
t_ok "libstatgrab is configured" configure
t_ok "a main program for it is compiled" compile "$t_top/tests/integration/statgrab_main.c" "$T/main.o"
for part in cpu disk load memory network os page; do
        name=${part}_stats
        [ $part != os ] || name=os_info
        t_ok "its Solaris back end for $part compiles unchanged" compile "$source/src/libstatgrab/$name.c" "$T/$part.o"
done
for name in error globals tools vector; do compile "$source/src/libstatgrab/$name.c" "$T/$name.o" || t_fail "$name.c compiles"; done
t_ok "and links with libkstat" cc -o "$T/statgrab" "$T"/*.o -L"$BUILD" -lkstat -lpthread

t_croftd_start || exit 1
export LD_LIBRARY_PATH="$BUILD"
user=$(sum cpu_stat:::user)
switches=$(sum cpu_stat:::pswitch)
disks=$(kstat -p -c disk -s nread)
t_ok "it runs" sh -c "'$T/statgrab' >'$T/seen'"
if [ "$switches" = 0 ] && [ "$user" = 0 ]; then
        t_skip "it sees the CPU time that kstat sees" "croftd publishes no cpu_stat here"
else
        t_ok "it sees the CPU time that kstat sees" t_between "$user" "$(value user)" "$(sum cpu_stat:::user)"
        t_ok "and context switches" t_between "$switches" "$(value switches)" "$(sum cpu_stat:::pswitch)"
fi
t_is "it sees the disks that kstat sees" "$(value disks)" "$(printf '%s' "$disks" | grep -c .)"
t_is "and the interfaces" "$(value interfaces)" "$(kstat -p -c net -s rbytes64 | wc -l)"
uptime=$(cut -d. -f1 /proc/uptime)
t_ok "and how long the machine has been up" t_between "$((uptime - 5))" "$(value uptime)" "$((uptime + 5))"
t_done
