#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Datagrams over the adapter: to a server on the host's loopback and back, the answers in fragments; to a port there that nobody has;
# between two applications of the guest over the adapter's own address; and to a multicast group. toestat shows the sockets.

set -eu
. "$(dirname "$0")/lib.sh"

if [ "${1-}" = guest ]; then
    cd "$TMP"
    "$PROGRAMS/counters" save before
    check "datagrams to the host and back" "$PROGRAMS/datagrams" client "$HOST" "$2" 1
    check "the adapter carried them" "$PROGRAMS/counters" moved before udp_in 200
    check "answers came in fragments" "$PROGRAMS/counters" moved before ip_reassembled 100
    check "nobody has the port, and it is told" "$PROGRAMS/datagrams" refused "$HOST" "$3"
    own=$(ip -4 -o address show dev "$TOE_IF" | sed -n 's/.* inet \([0-9.]*\).*/\1/p')
    "$PROGRAMS/datagrams" server "$own" 5353 >server &
    server=$!
    check "a server on $own" until_true 60 grep -q listening server
    check "datagrams to another application" "$PROGRAMS/datagrams" client "$own" 5353 2
    check "toestat shows its socket" sh -c "$TOOLS/toestat -n | grep -q '^UDP .*$own:5353'"
    check_not "the port is taken" "$PROGRAMS/datagrams" server "$own" 5353
    check "the server is told to end" "$PROGRAMS/datagrams" quit "$own" 5353
    check "and ends well" wait $server
    cat server
    mkfifo hold
    "$PROGRAMS/datagrams" group 239.1.2.3 5354 <hold >group &
    group=$!
    exec 9>hold
    check "members of a group hear it" until_true 60 grep -q joined group
    check "one group of the adapter" "$PROGRAMS/counters" moved before groups 1
    check "routers were told" "$PROGRAMS/counters" moved before igmp_out 1
    exec 9>&-
    check "the members end well" wait $group
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
# One that was just free: a server that has ended.
start_line FREE_PORT '^port ([0-9]+)$' python3 -u -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", 0))
print("port", s.getsockname()[1])'
in_guest -- "$UDP_PORT" "$FREE_PORT"
