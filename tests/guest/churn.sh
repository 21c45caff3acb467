#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Contexts come and go in many processes while the function is reset again and again, two resets at the same time, while its
# MTU changes under kernel traffic, while it is removed and found again, and while the driver is unloaded and loaded. Nothing may
# be left behind, nothing may work worse afterwards, and the kernel must have nothing to complain about.

set -eu
. "$(dirname "$0")/lib.sh"

if [ "${1-}" = guest ]; then
    port=$2 deaf=$3
    cd "$TMP"
    pci=$(basename "$(realpath /sys/class/misc/toe0/device)")
    function_=/sys/bus/pci/devices/$pci

    interface_up() {
        local path
        for path in "$function_"/net/*; do
            [ -e "$path" ] || return 1
            TOE_IF=$(basename "$path")
        done
    }
    usable() {
        check "$1: /dev/toe0 is there" until_true 30 test -c /dev/toe0
        check "$1: the network interface is there" until_true 30 interface_up
        interface_up
        check "$1: it gets a lease" until_true 60 /run/toe/dhcp "$TOE_IF"
        check "$1: traffic" "$PROGRAMS/traffic" client --conns 2 --mem own "$HOST" "$port"
        check "$1: traffic of the kernel" "$PROGRAMS/host_peer" client --conns 1 "$HOST" "$port"
    }
    churn() {
        rm -f stop stop.going
        "$PROGRAMS/churn" "$HOST" "$deaf" 6 "$TMP/stop" &
        churner=$!
    }
    churn_ends() {
        touch stop
        check "$1: contexts came and went without an error" wait $churner
    }

    usable "at first"
    "$PROGRAMS/counters" save before

    churn
    for i in $(seq 12); do
        echo 1 >"$function_/reset"
        [ $((i % 3)) = 0 ] || "$PROGRAMS/traffic" client --conns 1 --mem own "$HOST" "$port" >/dev/null 2>&1 || true
    done
    # The adapter's own reset and that of the bus at the same time.
    for i in $(seq 12); do
        echo 1 >"$function_/reset" &
        echo 1 >"$function_/reset" &
        wait $! || true
    done
    churn_ends "resets"
    usable "after resets"
    check "contexts and memory are given back" "$PROGRAMS/counters" settle-contexts before

    churn
    "$PROGRAMS/host_peer" client --conns 1 --down 20000000 "$HOST" "$port" >/dev/null 2>&1 &
    for i in $(seq 10); do
        ip link set "$TOE_IF" mtu $((1300 + i * 20)) 2>/dev/null || true
        echo 1 >"$function_/reset"
    done
    churn_ends "MTU"
    ip link set "$TOE_IF" mtu 1500 || true
    usable "after changes of the MTU"

    churn
    for i in 1 2 3 4; do
        echo 1 >"$function_/reset" &
        echo 1 >"$function_/remove"
        wait $! || true
        echo 1 >/sys/bus/pci/rescan
        check "found again, $i" until_true 30 test -c /dev/toe0
        until_true 30 interface_up
        /run/toe/dhcp "$TOE_IF" || true
    done
    churn_ends "removal"
    usable "after removals"

    for i in 1 2 3; do
        # As soon as the last file is closed: their contexts still drain.
        churn
        check "contexts again, $i" until_true 30 test -e stop.going
        touch stop
        check "unloaded, $i" until_true 60 rmmod toe
        wait $churner || fail "a context ended with an error"
        insmod /run/toe/toe.ko
        usable "loaded again, $i"
    done

    # Memory that is mapped counts, whatever became of its key.
    echo 64 >/sys/module/toe/parameters/user_memory_mb
    check "memory given back but still mapped is counted" "$PROGRAMS/mem_kept" 16 8
    echo 0 >/sys/module/toe/parameters/user_memory_mb
    exit 0
fi

peer_start
start_line DEAF_PORT '^port ([0-9]+)$' python3 -u -c '
import selectors, socket
s = socket.create_server(("127.0.0.1", 0), backlog=512)
print("port", s.getsockname()[1])
kept = []
while True:
    kept.append(s.accept()[0])
    if len(kept) > 400:
        kept.pop(0).close()
'
in_guest -- "$PEER_PORT" "$DEAF_PORT"
