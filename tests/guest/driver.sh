#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The driver: its kernel interface (driver_abi.c) and its network interface, in one VM; and the kernel interface once more behind an
# emulated IOMMU.

set -eu
cd "$(dirname "$0")/../.."
PROGRAM=$PWD/build/tests/guest/driver_abi
IP=$(command -v ip) || { echo "the command ip is missing: apt-get install iproute2"; exit 1; }

scripts/toe-vm -- "$PROGRAM"

scripts/toe-vm --machine q35,kernel-irqchip=split --append "intel_iommu=on iommu.passthrough=0 iommu.strict=1" \
    --qemu-arg=-device --qemu-arg=intel-iommu,intremap=on,caching-mode=on -- "$PROGRAM"

# What the interface is told reaches the adapter, and it survives being taken down, changed, unloaded and loaded.
scripts/toe-vm -- sh -eu -c '
    IP=$1
    name() { basename /sys/bus/pci/drivers/toe/0*/net/*; }
    # The kernel asks for a neighbour and sends a SYN: frames come back, whether the port is open or not.
    talk() {
        before=$(cat /sys/class/net/"$toe"/statistics/rx_packets)
        bash -c "exec 3<>/dev/tcp/10.0.2.2/1" 2>/dev/null || true
        after=$(cat /sys/class/net/"$toe"/statistics/rx_packets)
        [ "$after" -gt "$before" ] || { echo "$1: no frame came back" >&2; exit 1; }
    }
    set_up() {
        toe=$(name)
        $IP link set "$toe" up
        $IP addr replace 10.0.2.15/24 dev "$toe"
    }
    toe=$(name)
    for mtu in 576 1500 1280 1500; do
        $IP link set "$toe" mtu $mtu
        [ "$(cat /sys/class/net/"$toe"/mtu)" = $mtu ]
        talk "MTU $mtu"
    done
    if $IP link set "$toe" mtu 1000000 2>/dev/null; then
        echo "an absurd MTU was accepted" >&2
        exit 1
    fi
    for i in 1 2 3 4 5; do
        $IP link set "$toe" down
        $IP link set "$toe" up
        talk "up again"
    done
    for i in 1 2 3 4 5; do
        rmmod toe
        [ ! -e /dev/toe0 ]
        insmod /run/toe/toe.ko
        set_up
        talk "loaded again"
    done
    "$2" create
    # Nothing of it is in the log of the kernel that should not be.
    if dmesg | grep -E "BUG:|WARNING:|Call Trace|toe .*(refuse|did not complete)"; then
        exit 1
    fi
' sh "$IP" "$PROGRAM"
