# shellcheck shell=sh
# tests/roots.sh: roots of Debians with systemd and with the programs that look at a system, made once by mmdebstrap below
# ${CROFT_CACHE:-~/.cache/croft}/roots.  For tests that have set -eu.
#
#     . "$(dirname "$0")/../roots.sh"
#     roots=$(roots_of bookworm bullseye)      their directories, a line each
# and own_mirror(): from where this machine has its packages.
own_mirror() {
        # shellcheck disable=SC2016 # apt's variable
        apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Component: main' | grep -v security | head -n 1
}

ROOT_PACKAGES=systemd-sysv,dbus,procps,sysstat

root_of() { # DIRECTORY SUITE
        [ -d "$1" ] && return
        rm -rf "$1.new"
        mmdebstrap --quiet --variant=minbase --include=$ROOT_PACKAGES "$2" "$1.new" >"$1.log" 2>&1 || {
                echo "# $(tail -n 3 "$1.log")"
                echo "Bail out! mmdebstrap could not make a root of $2"
                exit 1
        } >&2
        mv "$1.new" "$1"
}

roots_of() { # SUITE...
        root_cache=${CROFT_CACHE:-$HOME/.cache/croft}/roots
        mkdir -p "$root_cache"
        (
                flock 9
                for root_suite; do
                        root=$root_cache/$root_suite+$ROOT_PACKAGES
                        root_of "$root" "$root_suite"
                        echo "$root"
                done
        ) 9>"$root_cache/.lock"
}
