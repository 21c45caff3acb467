#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# One port, wanted by an application and by a program of the kernel's: whoever comes second gets EADDRINUSE; when the first is
# gone, also by SIGKILL, the port is free for both.

set -eu
. "$(dirname "$0")/lib.sh"

# Bind the port with a kernel socket and say what came of it; with "hold" keep it until standard input ends.
kernel_bind() {
    python3 - "$@" <<'PY'
import errno, socket, sys
family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
s = socket.socket(family)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
if family == socket.AF_INET6:
    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
try:
    s.bind((sys.argv[1], int(sys.argv[2])))
    s.listen()
    print("bound", flush=True)
except OSError as e:
    print(errno.errorcode[e.errno], flush=True)
    sys.exit()
if len(sys.argv) > 3:
    open(sys.argv[3]).read()
PY
}

if [ "${1-}" = guest ]; then
    limits=$PROGRAMS/limits
    free="listen got=1 errno=0" taken="listen got=0 errno=EADDRINUSE"

    # The kernel first.
    mkfifo "$TMP/gate"
    kernel_bind 0.0.0.0 8080 "$TMP/gate" >"$TMP/kernel" &
    exec 7>"$TMP/gate"
    check "a program listens through the kernel" until_true 60 grep -q bound "$TMP/kernel"
    equal "an application does not get its port" "$("$limits" listen 8080)" "$taken"
    equal "it gets another" "$("$limits" listen 8081)" "$free"
    exec 7>&-
    wait
    equal "when the program ended, the application gets it" "$("$limits" listen 8080)" "$free"

    # The application first.
    "$PROGRAMS/toecat" -l 0.0.0.0 8080 >/dev/null 2>"$TMP/toecat" </dev/null &
    toecat=$!
    check "an application listens" until_true 60 grep -q listening "$TMP/toecat"
    equal "a program does not get its port from the kernel" "$(kernel_bind 0.0.0.0 8080)" EADDRINUSE
    equal "nor with the adapter's address" "$(kernel_bind 10.0.2.15 8080)" EADDRINUSE
    equal "nor does another application" "$("$limits" listen 8080)" "$taken"
    equal "the port of IPv6 is another" "$(kernel_bind :: 8080)" bound
    kill -9 "$toecat"
    wait "$toecat" || true
    check "when the application was killed, the program gets it" \
        until_true 60 sh -c "[ \"\$(bash '$0' bind)\" = bound ]"
    exit 0
fi
if [ "${1-}" = bind ]; then
    kernel_bind 0.0.0.0 8080
    exit 0
fi

in_guest --
