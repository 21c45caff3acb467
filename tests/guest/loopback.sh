#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Two applications of one guest talk to each other over the adapter, by the interface's own address: a server and a
# client, each with its own context, every byte checked on both sides. Nothing of it reaches the port. Without a listener on the
# adapter the connection is refused for want of a route, so that the kernel's own TCP stays within reach.

set -eu
. "$(dirname "$0")/lib.sh"

CONNS=8

if [ "${1-}" = guest ]; then
    cd "$TMP"
    for net in /sys/bus/pci/drivers/toe/*/net/*; do
        TOE_IF=$(basename "$net")
    done
    addr_of() {
        ip -o "$1" addr show dev "$TOE_IF" scope "$2" | grep -v tentative | awk '{ sub("/.*", "", $4); print $4; exit }'
    }
    has_addr() {
        [ -n "$(addr_of "$@")" ]
    }
    check "the interface $TOE_IF has an IPv4 address" until_true 60 has_addr -4 global
    own=$(addr_of -4 global)
    check_not "nobody listens on $own" "$PROGRAMS/traffic" client --up 10 --down 10 "$own" 8000
    "$PROGRAMS/counters" save before
    "$PROGRAMS/traffic" server --conns 64 --turns $CONNS 0.0.0.0 8000 >server.out &
    app=$!
    check "the server listens" until_true 60 grep -q listening server.out
    check "the client has every byte right" "$PROGRAMS/traffic" client --conns $CONNS --seed 7 --up 2000000 --down 3000000 \
        "$own" 8000
    check "so has the server" wait $app
    cat server.out
    check "both ends were the adapter's" "$PROGRAMS/counters" moved before tcp_passive_opens $CONNS
    check "it went within the adapter" "$PROGRAMS/counters" moved before loop_packets $((CONNS * 5000000 / 65536))

    # The same over IPv6, by the address that came with the router's advertisement.
    no_tentative() {
        has_addr -6 site && ! ip -6 addr show dev "$TOE_IF" | grep -q tentative
    }
    check "the interface has an IPv6 address" until_true 60 no_tentative
    own=$(addr_of -6 site)
    "$PROGRAMS/counters" save before
    "$PROGRAMS/traffic" server --conns 64 --turns $CONNS :: 8001 >server6.out &
    app=$!
    check "a server listens on ::" until_true 60 grep -q listening server6.out
    check "the client of $own has every byte right" "$PROGRAMS/traffic" client --conns $CONNS --seed 9 --up 2000000 \
        --down 3000000 "$own" 8001
    check "so has the server" wait $app
    check "both ends were the adapter's" "$PROGRAMS/counters" moved before tcp_passive_opens $CONNS
    check "it went within the adapter" "$PROGRAMS/counters" moved before loop_packets $((CONNS * 5000000 / 65536))
    exit 0
fi

in_guest --
