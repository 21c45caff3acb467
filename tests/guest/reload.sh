#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The driver goes and comes back, with traffic before and after: unload and reload; unload refused while an application holds a
# context; the adapter removed and found again through sysfs, and reset, under an application that is in mid-transfer: it is
# told, all its calls fail cleanly, nothing crashes.

set -eu
. "$(dirname "$0")/lib.sh"

if [ "${1-}" = guest ]; then
    port=$2
    cd "$TMP"
    pci=$(basename "$(realpath /sys/class/misc/toe0/device)")

    interface_up() {
        local path
        for path in /sys/class/net/*; do
            case $(realpath "$path") in
            */"$pci"/*)
                TOE_IF=$(basename "$path")
                return 0
                ;;
            esac
        done
        return 1
    }
    comes_back() {
        check "$1: /dev/toe0 is there" until_true 20 test -c /dev/toe0
        check "$1: the network interface is there" until_true 20 interface_up
        interface_up
        check "$1: it gets a lease" /run/toe/dhcp "$TOE_IF"
    }
    traffic() {
        seed=$((${seed:-0} + 100))
        check "$1: traffic" "$PROGRAMS/traffic" client --conns 4 --mem own --seed $seed "$HOST" "$port"
        check "$1: traffic of the kernel" "$PROGRAMS/host_peer" client --conns 2 --seed $((seed + 50)) "$HOST" "$port"
    }
    hold() {
        rm -f held
        "$PROGRAMS/holder" "$HOST" "$port" >held 2>&1 &
        holder=$!
        check "an application is in mid-transfer" until_true 60 grep -q holding held
    }
    told() {
        check "the application was told and could let go" wait $holder
        cat held
        grep -q 'let go' held || fail "the application did not let go"
    }

    traffic "at first"
    for i in 1 2 3; do
        check "unload, $i" rmmod toe
        check_not "/dev/toe0 is gone" test -e /dev/toe0
        check "load, $i" insmod /run/toe/toe.ko
        comes_back "loaded again, $i"
        traffic "loaded again, $i"
    done

    hold
    check_not "unload is refused while an application holds a context" rmmod toe
    kill -9 $holder
    wait $holder 2>/dev/null || true
    check "unload after it was killed" until_true 30 rmmod toe
    check "load" insmod /run/toe/toe.ko
    comes_back "after a kill"
    "$PROGRAMS/counters" save before
    traffic "after a kill"

    # Parameters of the adapter, in the kernel's way: what is refused changes nothing, and a reset of the adapter forgets nothing.
    tunables=/sys/bus/pci/devices/$pci/tunables
    for file in "$tunables"/*; do
        read -r value <"$file"
        check "$(basename "$file") is $value and can be set to that" sh -c "echo $value >$file"
    done
    check "a tunable is set" sh -c "echo 12345 >$tunables/time_wait_ms"
    check_not "an absurd value is refused" sh -c "echo 0 >$tunables/ttl"
    check_not "a value that is no number is refused" sh -c "echo fast >$tunables/congestion"
    check_not "they are root's to set" setpriv --reuid 65534 --clear-groups sh -c "echo 1 >$tunables/time_wait_ms"

    hold
    echo 1 >/sys/bus/pci/devices/"$pci"/reset
    told
    equal "the tunable is as before the reset" "$(cat "$tunables/time_wait_ms")" 12345
    traffic "after a reset of the function"
    check "contexts and memory are given back" "$PROGRAMS/counters" settle-contexts before

    for i in 1 2; do
        hold
        echo 1 >/sys/bus/pci/devices/"$pci"/remove
        told
        check_not "/dev/toe0 is gone" test -e /dev/toe0
        echo 1 >/sys/bus/pci/rescan
        comes_back "after remove and rescan, $i"
        traffic "after remove and rescan, $i"
    done
    exit 0
fi

peer_start
in_guest -- "$PEER_PORT"
