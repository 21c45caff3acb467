#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# 200 processes are killed (SIGKILL) with transfers under way; then every counter of resources, of the adapter and of the
# driver, is back where it was, and a new process gets everything right.

set -eu
. "$(dirname "$0")/lib.sh"

if [ "${1-}" = guest ]; then
    # TIME-WAIT is a resource, too, and is waited for.
    echo 2000 >/sys/class/misc/toe0/device/tunables/time_wait_ms
    check "200 processes killed in mid-transfer, nothing left behind" "$PROGRAMS/kill9" "$HOST" "$2" 200 "${3:-1}"
    check "a new process moves data" "$PROGRAMS/traffic" client --conns 4 --mem own --seed 7000000 "$HOST" "$2"
    exit 0
fi

peer_start
in_guest -- "$PEER_PORT" "${TOE_SEED:-$RANDOM}"
# What came before a kill must have been right: no stream has a wrong byte.
if grep -E 'state=(wrong|not a)' "$PEER_LOG"; then
    fail "the server got wrong bytes"
fi
pass "the server got no wrong byte in $(wc -l <"$PEER_LOG") streams"
