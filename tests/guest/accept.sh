#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Listen and accept in the guest, connections from the host through hostfwd: many at once, many one after the other, every byte
# checked on both sides. Then nobody listens, and the host is refused.

set -eu
. "$(dirname "$0")/lib.sh"

CONNS=60
TURNS=5

if [ "${1-}" = guest ]; then
    cd "$TMP"
    "$PROGRAMS/counters" save before
    "$PROGRAMS/traffic" server --conns 64 --turns $((CONNS * TURNS)) --mem own 0.0.0.0 8000 >out &
    app=$!
    check "the application listens" until_true 60 grep -q listening out
    "$TOOLS/toestat" -n | grep LISTEN
    echo ready
    check "the application served $((CONNS * TURNS)) connections, every byte right" wait $app
    cat out
    check "the adapter counted them" "$PROGRAMS/counters" moved before tcp_passive_opens $((CONNS * TURNS))
    echo served
    read -r _
    exit 0
fi

port=$(free_port)
vm_start vm --net "user,hostfwd=tcp:127.0.0.1:$port-:8000" -- "$SELF" guest
vm_line vm '^ready$'
check "$CONNS connections at once, $TURNS times" \
    "$PROGRAMS/host_peer" client --conns $CONNS --turns $TURNS --ramp 1 --up 800000 --down 900000 127.0.0.1 "$port"
vm_line vm '^served$'
check_not "nobody listens any more: the host's connection ends without an answer" \
    "$PROGRAMS/host_peer" client --up 10 --down 10 127.0.0.1 "$port"
vm_tell vm go
vm_end vm
