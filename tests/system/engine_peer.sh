#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The engine, as a library on taps, against the TCP of this machine's kernel, without a VM: each loss, delay, with and without
# reordering, in both directions, over IPv4 and IPv6, with each congestion control. The bytes are right, each at its place and by
# SHA-256, and the engine keeps nothing. The faults are made between the two (tests/peer/wire.c), so no kernel needs netem.
#
# Arguments go to toe-peer: engine_peer.sh matrix --bytes 4000000; goodput; fair.

set -eu
peer=${TOE_BUILD:-$(dirname "$0")/../../build}/tests/peer/toe-peer
[ $# -gt 0 ] || set -- matrix

skip() {
    printf '%s\n' "$1"
    exit 77
}

command -v unshare >/dev/null || { echo "the program unshare is missing: apt-get install util-linux"; exit 1; }
command -v ip >/dev/null || { echo "the program ip is missing: apt-get install iproute2"; exit 1; }
[ -c /dev/net/tun ] || skip "there is no /dev/net/tun"
if unshare -n true 2>/dev/null; then
    exec unshare -n "$peer" "$@"
fi
if unshare -rn true 2>/dev/null; then
    exec unshare -rn "$peer" "$@"
fi
skip "network namespaces are not allowed here: $(unshare -rn true 2>&1 || true)"
