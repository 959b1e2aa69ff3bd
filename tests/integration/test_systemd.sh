#!/bin/sh
# where: here
# beside: others
# timeout: 900
#
# Debian 11, 12 and 13 with systemd boot in a partition, run, and stop.
set -eu
. "$(dirname "$0")/../roots.sh"
build=${BUILD:-$(cd "$(dirname "$0")/../.." && pwd)/build}
# shellcheck disable=SC2086 # a list
roots=$(roots_of ${CROFT_TEST_SUITES:-bookworm bullseye trixie})
# shellcheck disable=SC2086
exec "$build/tests/integration/boot-root" $roots
