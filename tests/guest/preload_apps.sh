#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Other programs than curl through libtoe-preload: wget, python's urllib and asyncio, and one of our own that does what programs
# do with descriptors, signals and fork. The same runs without the preload as a control of the test itself.

set -eu
. "$(dirname "$0")/lib.sh"

if [ "${1-}" = guest ]; then
    http=$2 sha=$3 echo_port=$4
    cd "$TMP"
    preload="$TOE_BUILD/lib/libtoe-preload.so"
    segments() {
        awk '/^Tcp:/ { line++; if (line == 2) print $11 + $12 }' /proc/net/snmp
    }
    # Through the adapter, and not a segment by the kernel.
    offloaded() {
        local what=$1 before
        shift
        before=$(segments)
        check "$what" timeout 120 env LD_PRELOAD="$preload" "$@"
        equal "$what: the kernel's TCP saw nothing" $(($(segments) - before)) 0
    }

    check "sockets of the kernel" timeout 120 "$PROGRAMS/posix_sock" "$HOST" "$echo_port"
    check "sockets over the adapter" timeout 120 env LD_PRELOAD="$preload" "$PROGRAMS/posix_sock" "$HOST" "$echo_port"

    if command -v wget >/dev/null; then
        offloaded "wget" wget -q -O fetched "http://$HOST:$http/file"
        equal "wget: the bytes are right" "$(sha_of fetched)" "$sha"
    fi
    offloaded "python's urllib" python3 -c '
import sys, urllib.request
open(sys.argv[2], "wb").write(urllib.request.urlopen(sys.argv[1]).read())' "http://$HOST:$http/file" fetched
    equal "python's urllib: the bytes are right" "$(sha_of fetched)" "$sha"
    offloaded "python's asyncio, 40 connections and a child process" python3 -c '
import asyncio, sys
async def one(i):
    reader, writer = await asyncio.open_connection(sys.argv[1], int(sys.argv[2]))
    data = bytes([i]) * 200000
    async def send():
        for at in range(0, len(data), 5000):
            writer.write(data[at:at + 5000])
            await writer.drain()
        writer.write_eof()
    got, _ = await asyncio.gather(reader.read(-1), send())
    assert got == data, (i, len(got))
    writer.close()
async def main():
    child = await asyncio.create_subprocess_exec("cat", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
    talk = child.communicate(b"hello")
    results = await asyncio.gather(talk, *[one(i) for i in range(40)])
    assert results[0][0] == b"hello"
asyncio.run(main())' "$HOST" "$echo_port"
    offloaded "python's threads" python3 -c '
import socket, sys, threading
bad = []
def one(i):
    try:
        s = socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=60)
        for turn in range(50):
            data = bytes([i, turn]) * 500
            s.sendall(data)
            got = b""
            while len(got) < len(data):
                got += s.recv(4096)
            assert got == data
        s.close()
    except BaseException as e:
        bad.append(e)
threads = [threading.Thread(target=one, args=(i,)) for i in range(16)]
[t.start() for t in threads]
[t.join() for t in threads]
sys.exit(repr(bad) if bad else 0)' "$HOST" "$echo_port"
    exit 0
fi

[ -e "$TOE_BUILD/lib/libtoe-preload.so" ] || fail "libtoe-preload.so is missing; run: make lib"
mkdir "$TMP/www"
head -c 5000000 /dev/urandom >"$TMP/www/file"
http_start "$TMP/www"
start_line ECHO_PORT '^port ([0-9]+)$' python3 -u -c '
import asyncio
async def serve(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    writer.close()
async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=256)
    print("port", server.sockets[0].getsockname()[1])
    await server.serve_forever()
asyncio.run(main())'
in_guest -- "$HTTP_PORT" "$(sha_of "$TMP/www/file")" "$ECHO_PORT"
