#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# IPv6 over user networking: the guest's address comes by the router's advertisement, the driver mirrors it when it is no longer
# tentative, and the adapter finds its neighbours and speaks TCP. fec0::2 is the host's loopback. Beside it the guest's kernel
# pings and fetches over the same address. A file both ways, compared by hash.

set -eu
. "$(dirname "$0")/lib.sh"

HOST6=fec0::2
BYTES=20000000

if [ "${1-}" = guest ]; then
    cd "$TMP"
    port=$2 perf=$3 sha=$4
    no_tentative() {
        ip -6 addr show dev "$TOE_IF" scope site | grep -q fec0: &&
            ! ip -6 addr show dev "$TOE_IF" | grep -q tentative
    }
    for net in /sys/bus/pci/drivers/toe/*/net/*; do
        TOE_IF=$(basename "$net")
    done
    check "the interface $TOE_IF has an IPv6 address that is not tentative" until_true 60 no_tentative
    ip -6 addr show dev "$TOE_IF"
    ip -6 route show
    "$PROGRAMS/counters" save before
    check "toe-get fetches over IPv6" until_true 20 "$TOOLS/toe-get" -o /dev/null "http://[$HOST6]:$port/file"
    "$TOOLS/toe-get" --seccomp -o got "http://[$HOST6]:$port/file"
    equal "every byte is right" "$(sha_of got)" "$sha"
    check "it went through the adapter" "$PROGRAMS/counters" moved before tcp_active_opens 2
    check "and over IPv6" "$PROGRAMS/counters" moved before ip6_in 100
    check "whose neighbours it found itself" "$PROGRAMS/counters" moved before nd_solicits_out 1
    for w in bulk-tx bulk-rx ping-pong conn-rate; do
        check "toe-perf $w over IPv6" "$TOOLS/toe-perf" -w "$w" -p "$perf" -t 1 -r 1 "$HOST6"
    done
    check "the kernel pings beside it" python3 - "$HOST6" <<'PYTHON'
import os, socket, struct, sys
s = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
s.settimeout(20)
for number in range(3):
    data = struct.pack(">HH", os.getpid() & 0xffff, number) + b"toe" * 30
    s.sendto(struct.pack(">BBH", 128, 0, 0) + data, (sys.argv[1], 0))  # the kernel sums it up
    while True:
        answer = s.recv(2000)
        if answer[0] == 129 and answer[4:] == data:
            break
PYTHON
    check "and fetches over IPv6" sh -c "curl -sg -o kernel 'http://[$HOST6]:$port/file'"
    equal "every byte right" "$(sha_of kernel)" "$sha"
    check_not "a port that nobody listens on refuses" "$TOOLS/toe-get" -o /dev/null "http://[$HOST6]:1/"
    exit 0
fi

python3 -c 'import socket; socket.socket(socket.AF_INET6).bind(("::1", 0))' 2>/dev/null || skip "the host has no ::1"
head -c $BYTES /dev/urandom >"$TMP/file"
http_start "$TMP" ::1
start_line PERF_PORT 'listening on port ([0-9]+)' "$TOOLS/toe-perf" --server --bind ::1 -p 0
in_guest -- "$HTTP_PORT" "$PERF_PORT" "$(sha_of "$TMP/file")"
