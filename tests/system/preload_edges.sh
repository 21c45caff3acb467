#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Edge-triggered epoll, and a reader that another thread's shutdown() must wake, through libtoe-preload, with the host's kernel as
# the peer. The same runs over the guest's kernel first, as a control of the test itself.

set -eu
. "$(dirname "$0")/../guest/lib.sh"
. "$(dirname "$0")/lib_tap.sh"

if [ "${1-}" = guest ]; then
    check "over the guest's kernel" timeout 120 python3 "$(dirname "$SELF")/edges.py" client $TAP_HOST "$2"
    over_adapter() {
        LD_PRELOAD="$TOE_BUILD/lib/libtoe-preload.so" TOE_PRELOAD_STATS=1 timeout 120 \
            python3 "$(dirname "$SELF")/edges.py" client $TAP_HOST "$1" 2>"$TMP/stats" || { cat "$TMP/stats"; return 1; }
    }
    check "over the adapter" over_adapter "$2"
    equal "it was the adapter" "$(awk '$2 == "accelerated" { print $3 }' "$TMP/stats")" 5
    exit 0
fi

tap_enter "$@"
tap_make
[ -e "$TOE_BUILD/lib/libtoe-preload.so" ] || fail "libtoe-preload.so is missing; run: make lib"
start_line EDGES_PORT '^port ([0-9]+)$' python3 -u "$(dirname "$SELF")/edges.py" server $TAP_HOST
vm --net tap=tap0 --ip $TAP_GUEST/24,$TAP_HOST -- "$SELF" guest "$EDGES_PORT" || fail "the guest's half failed (status $?)"
