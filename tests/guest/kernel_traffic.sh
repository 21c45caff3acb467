#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The guest's kernel uses the adapter's port as an ordinary network card, beside app-direct traffic on the same address: DHCP,
# ping, TCP out (curl) and in (a listener of the kernel's beside one of an application's), ports that nobody listens on.

set -eu
. "$(dirname "$0")/lib.sh"

if [ "${1-}" = guest ]; then
    port=$2 http=$3 sha=$4
    cd "$TMP"
    address=$(ip -4 -o addr show dev "$TOE_IF" | awk '{ print $4 }')
    equal "the interface has the address of the lease" "$address" 10.0.2.15/24
    check "another lease" /run/toe/dhcp "$TOE_IF"
    [ "$(ip route show default | grep -c "dev $TOE_IF")" -ge 1 ] || fail "no default route through $TOE_IF"

    # Ping: echo requests of the kernel's to the gateway.
    check "the gateway answers 3 pings" python3 - "$HOST" <<'PYTHON'
import os, socket, struct, sys
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
s.settimeout(20)
for number in range(3):
    data = struct.pack(">HH", os.getpid() & 0xffff, number) + b"toe" * 30
    total = sum(struct.unpack(">%dH" % (len(data) // 2), data)) + 0x0800
    total = (total & 0xffff) + (total >> 16)
    total = ~((total & 0xffff) + (total >> 16)) & 0xffff
    s.sendto(struct.pack(">BBH", 8, 0, total) + data, (sys.argv[1], 0))
    while True:
        answer = s.recv(2000)
        if answer[20] == 0 and answer[24:] == data:
            break
PYTHON

    # App-direct traffic is none of the kernel's business.
    kernel_segments() {
        awk '/^Tcp:/ { line++; if (line == 2) print $11 + $12 }' /proc/net/snmp
    }
    before=$(kernel_segments)
    "$PROGRAMS/counters" save before
    check "app-direct traffic alone" "$PROGRAMS/traffic" client --conns 4 --seed 100 "$HOST" "$port"
    equal "the kernel's TCP saw not one segment of it" $(($(kernel_segments) - before)) 0
    check "the adapter's TCP did" "$PROGRAMS/counters" moved before tcp_segs_in 100

    # Both at once.
    "$PROGRAMS/counters" save before
    mkfifo gate
    "$PROGRAMS/traffic" client --together --gate gate --conns 8 --seed 200 --up 20000000 --down 20000000 "$HOST" "$port" >direct &
    direct=$!
    check "app-direct connections are open" until_true 60 grep -q 'open at once' direct
    : >gate
    check "connections of the kernel at the same time" "$PROGRAMS/host_peer" client --conns 4 --turns 3 --seed 300 "$HOST" "$port"
    check "curl over the kernel's path" curl -sS -o fetched "http://$HOST:$http/file"
    equal "what curl got is right" "$(sha_of fetched)" "$sha"
    check "the app-direct traffic is right, too" wait $direct
    check "the kernel's frames went over the port, out" "$PROGRAMS/counters" moved before eth_from_os 300
    check "and in" "$PROGRAMS/counters" moved before eth_to_os 300

    # Listeners: port 8000 is an application's, 9000 the kernel's.
    "$PROGRAMS/traffic" server --conns 8 --turns 10 0.0.0.0 8000 >server &
    direct=$!
    "$PROGRAMS/host_peer" server --bind 0.0.0.0 --port 9000 --expect 10 >kernel &
    kernel=$!
    check "both listen" until_true 60 sh -c 'grep -q listening server && grep -q port kernel'
    check_not "a port of the application's cannot be taken twice" "$PROGRAMS/traffic" server 0.0.0.0 8000
    echo ready
    check "the application was served right" wait $direct
    check "the kernel was served right" wait $kernel
    echo served
    read -r _
    exit 0
fi

mkdir "$TMP/www"
head -c 8000000 /dev/urandom >"$TMP/www/file"
peer_start
http_start "$TMP/www"
app=$(free_port)
kernel=$(free_port)
vm_start vm --net "user,hostfwd=tcp:127.0.0.1:$app-:8000,hostfwd=tcp:127.0.0.1:$kernel-:9000" -- \
    "$SELF" guest "$PEER_PORT" "$HTTP_PORT" "$(sha_of "$TMP/www/file")"
vm_line vm '^ready$'
"$PROGRAMS/host_peer" client --conns 5 --turns 2 --ramp 1 --seed 500 --up 700000 --down 700000 127.0.0.1 "$app" &
one=$!
check "the host reaches the kernel's listener" \
    "$PROGRAMS/host_peer" client --conns 5 --turns 2 --ramp 1 --seed 600 --up 700000 --down 700000 127.0.0.1 "$kernel"
check "and the application's, at the same time" wait $one
vm_line vm '^served$'
vm_tell vm go
vm_end vm
