#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A process ends right after its last send, without closing anything: by exit, _exit, abort, SIGKILL, exec; with data that was
# copied or lies in its own registered memory. The server gets every byte, and an orderly end of the stream.

set -eu
. "$(dirname "$0")/lib.sh"

SIZES='0 1 100 1448 65000 1000000 3000001 8388608'
ENDS='exit _exit abort kill exec'

if [ "${1-}" = guest ]; then
    seed=0
    "$PROGRAMS/counters" save "$TMP/before"
    for how in send mem; do
        for end in $ENDS; do
            for size in $SIZES; do
                seed=$((seed + 1))
                status=0
                "$PROGRAMS/exit_send" "$HOST" "$2" $seed "$size" $how "$end" 2>"$TMP/err" || status=$?
                case $end in
                abort) expected=134 ;;
                kill) expected=137 ;;
                *) expected=0 ;;
                esac
                [ $status = $expected ] || fail "exit_send $seed $size $how $end: status $status: $(cat "$TMP/err")"
            done
        done
    done 2>/dev/null
    check "contexts and memory are given back" "$PROGRAMS/counters" settle-contexts "$TMP/before"
    # The network is the VM's: it must stay until the server has all.
    echo sent
    read -r _
    exit 0
fi

set -- $SIZES
count=$(($# * 10))
peer_start --expect $count
vm_start vm -- "$SELF" guest "$PEER_PORT"
vm_line vm '^sent$'
status=0
wait "$PEER_PID" || status=$?
peer_check $count
equal "the server is content" $status 0
seed=0
for _ in send mem; do
    for _ in $ENDS; do
        for size in $SIZES; do
            seed=$((seed + 1))
            grep -q "^conn seed=$seed up=$size down=0 end=eof state=ok$" "$PEER_LOG" ||
                fail "stream $seed: $size bytes were sent; the server saw: $(grep "^conn seed=$seed " "$PEER_LOG")"
        done
    done
done
pass "$seed streams are complete"
vm_tell vm go
vm_end vm
