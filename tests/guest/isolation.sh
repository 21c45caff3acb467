#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Application A, an unprivileged process that writes its queues by hand, uses application B's handles, keys and doorbell, and
# everything else that the contracts forbid: each try is refused and counted, B's transfer is intact and B sees nothing.

set -eu
. "$(dirname "$0")/lib.sh"

if [ "${1-}" = guest ]; then
    "$PROGRAMS/counters" save "$TMP/before"
    check "A gets errors, B nothing" "$PROGRAMS/isolation" "$HOST" "$2"
    for counter in viol_key viol_owner viol_bounds viol_handle viol_perm viol_request viol_ring; do
        check "the adapter counted: $counter" "$PROGRAMS/counters" moved "$TMP/before" $counter 2
    done
    equal "B's transfers sent nothing twice" "$("$PROGRAMS/counters" show tcp_bad tcp_bad_checksum | tr '\n' ' ')" \
        "tcp_bad 0 tcp_bad_checksum 0 "
    exit 0
fi

peer_start
in_guest -- "$PEER_PORT"
for seed in 100 101 102 103; do
    equal "the server has B's stream $seed complete" \
        "$(grep "^conn seed=$seed " "$PEER_LOG")" "conn seed=$seed up=12582912 down=12582912 end=eof state=ok"
done
