#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# toe-get --seccomp: strict mode is really on while it transfers (the kernel says so), the bytes are right, and no system call
# was counted. The control: a program that does the same and makes one forbidden call is killed for it.

set -eu
. "$(dirname "$0")/lib.sh"

SIZE=5000000

if [ "${1-}" = guest ]; then
    port=$2 http=$3 sha=$4
    cd "$TMP"
    # The output is a pipe that nobody reads: after the transfer toe-get has to stop in write(), where it can be looked at.
    mkfifo output
    "$TOOLS/toe-get" --seccomp --json -o output "http://$HOST:$http/file" 2>report &
    get=$!
    exec 7<output
    strict() {
        grep -q '^Seccomp:[[:space:]]*1$' "/proc/$get/status"
    }
    check "the kernel says that toe-get is in strict mode" until_true 60 strict
    cat <&7 >fetched
    exec 7<&-
    check "toe-get ended well" wait $get
    cat report
    equal "the bytes are right" "$(sha_of fetched)" "$sha"
    equal "system calls on the data path" "$(sed -n 's/.*"syscalls": \([0-9]*\).*/\1/p' report)" 0
    equal "it reports strict mode" "$(sed -n 's/.*"seccomp": \([a-z]*\).*/\1/p' report)" true

    run() {
        local status=0
        "$PROGRAMS/strict" "$HOST" "$port" "$1" || status=$?
        STATUS=$status
    }
    run transfer
    equal "a transfer within strict mode" "$STATUS" 0
    run forbidden
    equal "one forbidden call in its middle: killed (SIGKILL)" "$STATUS" 137
    run kernel
    equal "connect() of a kernel socket: killed" "$STATUS" 137
    exit 0
fi

mkdir "$TMP/www"
head -c $SIZE /dev/urandom >"$TMP/www/file"
peer_start
http_start "$TMP/www"
in_guest -- "$PEER_PORT" "$HTTP_PORT" "$(sha_of "$TMP/www/file")"
