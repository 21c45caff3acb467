#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A VM and the TCP of the host's kernel, over a tap in a network namespace: true MTU-sized frames, window scaling and timestamps.
# A file each way by SHA-256, then many connections in both directions, every byte checked.

set -eu
. "$(dirname "$0")/../guest/lib.sh"
. "$(dirname "$0")/lib_tap.sh"

SIZE=30000000

if [ "${1-}" = guest ]; then
    cd "$TMP"
    "$PROGRAMS/counters" save before
    check "a file each way" sh -c "'$PROGRAMS/toecat' $TAP_HOST $2 <'$3' >got"
    equal "SHA-256 of what came" "$(sha_of got)" "$4"
    check "many connections to the host" "$PROGRAMS/traffic" client --conns 20 --mem own --up 3000000 --down 3000000 --seed 1000 \
        "$TAP_HOST" "$5"
    "$PROGRAMS/traffic" server --conns 32 --turns 40 0.0.0.0 8000 >out &
    app=$!
    check "listens" until_true 60 grep -q listening out
    echo listening
    check "many connections from the host" wait $app
    check "the kernel's TCP beside it" "$PROGRAMS/host_peer" client --conns 4 --seed 2000 "$TAP_HOST" "$5"
    "$PROGRAMS/counters" show tcp_retransmits tcp_rto tcp_fast_retransmits tcp_out_of_order tcp_bad tcp_bad_checksum
    equal "no bad segment" "$("$PROGRAMS/counters" show tcp_bad tcp_bad_checksum ip_bad_checksum | cut -d' ' -f2 | tr '\n' ' ')" "0 0 0 "
    echo "done"
    read -r _
    exit 0
fi

tap_enter "$@"
tap_make
head -c $SIZE /dev/urandom >"$TMP/up"
head -c $SIZE /dev/urandom >"$TMP/down"
peer_start --bind $TAP_HOST
start_line FILE_PORT '^port ([0-9]+)$' python3 -u "$(dirname "$SELF")/file_server.py" $TAP_HOST "$TMP/down" "$TMP/got"
FILE_PID=$STARTED
vm_start vm --net tap=tap0 --ip $TAP_GUEST/24,$TAP_HOST -- "$SELF" guest "$FILE_PORT" "$TMP/up" "$(sha_of "$TMP/down")" "$PEER_PORT"
vm_line vm '^listening$'
check "many connections to the guest" \
    "$PROGRAMS/host_peer" client --conns 20 --turns 2 --up 1000000 --down 1000000 $TAP_GUEST 8000
vm_line vm '^done$'
check "the host's server of files ended well" wait "$FILE_PID"
equal "SHA-256 of what the host got" "$(sha_of "$TMP/got")" "$(sha_of "$TMP/up")"
peer_check 24
vm_tell vm go
vm_end vm
