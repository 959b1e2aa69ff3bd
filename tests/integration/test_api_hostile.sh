#!/bin/sh
# where: here
# beside: others
# Clients that break the rules of HTTP, of JSON and of good manners: croftd refuses, bounds, and lives on.
. "$(dirname "$0")/../lib.sh"

CROFT_API_TIMEOUT=3 # seconds instead of 30 that a silent client is borne; test builds honour it
export CROFT_API_TIMEOUT
t_croftd_start || exit 1
# From the first start on a warden waits for the next one: that isn't what the clients below leave behind.
t_ok "there was a start" sh -c 'croft create first && croft start first && croft remove first --force'
python3 -B "$t_top/tests/integration/api_hostile.py" "$CROFT_SOCKET"
t_is "croftd lived through hostile clients (status)" "$?" 0
t_done
