#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Datagrams over the adapter: to a server on the host's loopback and back, the answers in fragments; and between two applications of
# the guest over the adapter's own address.

set -eu
. "$(dirname "$0")/lib.sh"

if [ "${1-}" = guest ]; then
    cd "$TMP"
    "$PROGRAMS/counters" save before
    check "datagrams to the host and back" "$PROGRAMS/datagrams" client "$HOST" "$2" 1
    check "the adapter carried them" "$PROGRAMS/counters" moved before udp_in 200
    check "answers came in fragments" "$PROGRAMS/counters" moved before ip_reassembled 100
    own=$(ip -4 -o address show dev "$TOE_IF" | sed -n 's/.* inet \([0-9.]*\).*/\1/p')
    "$PROGRAMS/datagrams" server "$own" 5353 >server &
    server=$!
    check "a server on $own" until_true 60 grep -q listening server
    check "datagrams to another application" "$PROGRAMS/datagrams" client "$own" 5353 2
    check_not "the port is taken" "$PROGRAMS/datagrams" server "$own" 5353
    check "the server is told to end" "$PROGRAMS/datagrams" quit "$own" 5353
    check "and ends well" wait $server
    cat server
    check "everything is given back" "$PROGRAMS/counters" settle-contexts before
    exit 0
fi

start_line UDP_PORT '^port ([0-9]+)$' python3 -u -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", 0))
print("port", s.getsockname()[1])
while True:
    data, peer = s.recvfrom(65536)
    s.sendto(data, peer)'
in_guest -- "$UDP_PORT"
