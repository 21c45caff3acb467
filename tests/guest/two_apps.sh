#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Two applications at once, each with its own context, connections and data. Both are connected before either sends, so they do
# run at the same time; each checks every byte it gets, and the server every byte it was sent.

set -eu
. "$(dirname "$0")/lib.sh"

if [ "${1-}" = guest ]; then
    port=$2
    cd "$TMP"
    mkfifo gate.a gate.b
    "$PROGRAMS/counters" save before
    "$PROGRAMS/traffic" client --together --gate gate.a --conns 5 --seed 1000 --mem own --up 6000000 --down 7000000 "$HOST" "$port" >a.out &
    a=$!
    "$PROGRAMS/traffic" client --together --gate gate.b --conns 3 --seed 2000 --up 9000000 --down 8000000 "$HOST" "$port" >b.out &
    b=$!
    check "application A is connected" until_true 60 grep -q 'open at once' a.out
    check "application B is connected" until_true 60 grep -q 'open at once' b.out
    check "the adapter counts two contexts more" "$PROGRAMS/counters" moved before ctx_active 2
    equal "toestat shows both as owners of connections" \
        "$("$TOOLS/toestat" -c | grep -c traffic)" 2
    : >gate.a &
    : >gate.b &
    check "application A: every byte right" wait $a
    check "application B: every byte right" wait $b
    cat a.out b.out
    check "their contexts and memory are given back" "$PROGRAMS/counters" settle-contexts before
    exit 0
fi

peer_start
in_guest -- "$PEER_PORT"
peer_check 8
