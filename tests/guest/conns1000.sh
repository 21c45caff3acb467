#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# 1000 connections open at once in one application; each then moves data both ways; all are closed and nothing is left.

set -eu
. "$(dirname "$0")/lib.sh"

if [ "${1-}" = guest ]; then
    cd "$TMP"
    mkfifo gate
    "$PROGRAMS/counters" save before
    "$PROGRAMS/traffic" client --together --gate gate --conns 1000 --up 20000 --down 30000 "$HOST" "$2" >out &
    app=$!
    check "1000 connections are open at once" until_true 120 grep -q '1000 connections are open at once' out
    equal "toestat lists 1000 established connections" "$("$TOOLS/toestat" -n | grep -c ESTABLISHED)" 1000
    : >gate
    check "all moved their data" wait $app
    cat out
    check "every counter of resources is as before" "$PROGRAMS/counters" settle before 120
    exit 0
fi

peer_start
in_guest -- "$PEER_PORT"
peer_check 1000
