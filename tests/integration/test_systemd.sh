#!/bin/sh
# where: here
# timeout: 400
#
# Debian 11, 12 and 13 with systemd boot in a partition, run, and stop.  The roots are made once, by mmdebstrap, below
# ${CROFT_CACHE:-~/.cache/croft}/roots.
set -eu
build=${BUILD:-$(cd "$(dirname "$0")/../.." && pwd)/build}
cache=${CROFT_CACHE:-$HOME/.cache/croft}/roots
mkdir -p "$cache"

root_of() { # SUITE
        [ -d "$cache/$1" ] && return
        rm -rf "$cache/$1.new"
        mmdebstrap --quiet --variant=minbase --include=systemd-sysv,dbus "$1" "$cache/$1.new" >"$cache/$1.log" 2>&1 || {
                echo "# $(tail -n 3 "$cache/$1.log")"
                echo "Bail out! mmdebstrap could not make a root of $1"
                exit 1
        }
        mv "$cache/$1.new" "$cache/$1"
}

exec 9>"$cache/.lock"
flock 9
roots=
for suite in ${CROFT_TEST_SUITES:-bookworm bullseye trixie}; do
        root_of "$suite"
        roots="$roots $cache/$suite"
done
exec 9>&-
# shellcheck disable=SC2086 # a list
exec "$build/tests/integration/boot-root" $roots
