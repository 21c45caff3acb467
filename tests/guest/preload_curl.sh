#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Unmodified curl through libtoe-preload fetches a file from a server on the host: the right bytes, and the counters prove that
# the adapter's TCP carried them and the kernel's TCP did not. A control run without the preload proves the opposite.

set -eu
. "$(dirname "$0")/lib.sh"

SIZE=20000000

if [ "${1-}" = guest ]; then
    http=$2 sha=$3
    cd "$TMP"
    segments() {
        awk '/^Tcp:/ { line++; if (line == 2) print $11 + $12 }' /proc/net/snmp
    }

    "$PROGRAMS/counters" save before
    before=$(segments)
    check "curl through libtoe-preload" env LD_PRELOAD="$TOE_BUILD/lib/libtoe-preload.so" TOE_PRELOAD_STATS=1 \
        curl -sS -o fetched "http://$HOST:$http/file" 2>stats
    grep -E 'bytes|connect' stats || true
    equal "the bytes are right" "$(sha_of fetched)" "$sha"
    equal "the kernel's TCP saw nothing" $(($(segments) - before)) 0
    check "the adapter's TCP carried the file" "$PROGRAMS/counters" moved before tcp_bytes_in $SIZE
    check "into the application's memory" "$PROGRAMS/counters" moved before dma_bytes_in $SIZE

    # Several at once in one process (poll over several connections), a redirect-free 404, a refused port.
    check "curl fetches 8 times in parallel" env LD_PRELOAD="$TOE_BUILD/lib/libtoe-preload.so" \
        curl -sS -Z -o "got#1" "http://$HOST:$http/small?[1-8]"
    for i in 1 2 3 4 5 6 7 8; do
        equal "number $i is right" "$(sha_of "got$i")" "$4"
    done
    status=0
    LD_PRELOAD="$TOE_BUILD/lib/libtoe-preload.so" curl -sSf -o /dev/null "http://$HOST:$http/nothing" 2>err || status=$?
    equal "a file that is not there: curl's status" $status 22
    status=0
    LD_PRELOAD="$TOE_BUILD/lib/libtoe-preload.so" curl -sS -o /dev/null "http://$HOST:1/" 2>err || status=$?
    equal "a port that refuses: curl's status" $status 7

    "$PROGRAMS/counters" save before
    before=$(segments)
    check "the control run: curl alone" curl -sS -o fetched "http://$HOST:$http/file"
    equal "the bytes are right" "$(sha_of fetched)" "$sha"
    [ $(($(segments) - before)) -gt 100 ] || fail "the kernel's TCP did not carry the control run"
    check_not "the adapter's TCP did not" "$PROGRAMS/counters" moved before tcp_bytes_in 2>/dev/null
    exit 0
fi

[ -e "$TOE_BUILD/lib/libtoe-preload.so" ] || fail "libtoe-preload.so is missing; run: make lib"
mkdir "$TMP/www"
head -c $SIZE /dev/urandom >"$TMP/www/file"
head -c 300000 /dev/urandom >"$TMP/www/small"
http_start "$TMP/www"
in_guest -- "$HTTP_PORT" "$(sha_of "$TMP/www/file")" "$(sha_of "$TMP/www/small")"
