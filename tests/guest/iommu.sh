#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The same traffic behind an emulated IOMMU: the adapter sees translated addresses only.

set -eu
. "$(dirname "$0")/lib.sh"

if [ "${1-}" = guest ]; then
    cd "$TMP"
    pci=$(realpath /sys/class/misc/toe0/device)
    check "the adapter is in an IOMMU group" test -e "$pci/iommu_group"
    equal "its addresses are translated" "$(grep -c '^DMA' "$pci/iommu_group/type")" 1
    "$PROGRAMS/counters" save before
    check "copied" "$PROGRAMS/traffic" client --conns 4 --seed 100 "$HOST" "$2"
    check "from own memory" "$PROGRAMS/traffic" client --conns 4 --mem own --seed 200 "$HOST" "$2"
    check "from the driver's memory" "$PROGRAMS/traffic" client --conns 4 --mem driver --seed 300 "$HOST" "$2"
    check "the kernel's traffic" "$PROGRAMS/host_peer" client --conns 2 --seed 400 "$HOST" "$2"
    check "20 processes killed in mid-transfer" "$PROGRAMS/kill9" "$HOST" "$2" 20
    equal "no DMA failed" "$("$PROGRAMS/counters" show dma_errors)" "dma_errors 0"
    if dmesg | grep -i 'DMAR.*fault'; then
        fail "the IOMMU saw wrong addresses"
    fi
    exit 0
fi

peer_start
in_guest --machine q35,kernel-irqchip=split --qemu-arg=-device --qemu-arg=intel-iommu,intremap=on --append 'intel_iommu=on iommu=nopt' \
    -- "$PEER_PORT"
