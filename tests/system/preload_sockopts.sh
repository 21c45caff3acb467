#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Socket options of an unmodified program through libtoe-preload, set before and after connect(), and what came of them, with the
# host's kernel as the peer. The same runs over the guest's kernel first, as a control of the test itself.

set -eu
. "$(dirname "$0")/../guest/lib.sh"
. "$(dirname "$0")/lib_tap.sh"

if [ "${1-}" = guest ]; then
    check "over the guest's kernel" timeout 120 python3 "$(dirname "$SELF")/sockopts.py" client $TAP_HOST "$2"
    check "over the adapter" timeout 120 env LD_PRELOAD="$TOE_BUILD/lib/libtoe-preload.so" TOE_PRELOAD_STATS=1 \
        python3 "$(dirname "$SELF")/sockopts.py" client $TAP_HOST "$2" adapter 2>"$TMP/stats" || { cat "$TMP/stats"; exit 1; }
    equal "no connection by the kernel" "$(awk '$2 ~ /^kernel_/ { n += $3 } END { print n + 0 }' "$TMP/stats")" 0
    exit 0
fi

tap_enter "$@"
tap_make
[ -e "$TOE_BUILD/lib/libtoe-preload.so" ] || fail "libtoe-preload.so is missing; run: make lib"
# Of this namespace: servers take data in a SYN.
echo 3 >/proc/sys/net/ipv4/tcp_fastopen
start_line OPT_PORT '^port ([0-9]+)$' python3 -u "$(dirname "$SELF")/sockopts.py" server $TAP_HOST
vm --net tap=tap0 --ip $TAP_GUEST/24,$TAP_HOST -- "$SELF" guest "$OPT_PORT" || fail "the guest's half failed (status $?)"
